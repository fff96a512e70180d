//! Whom we have met: what a client keeps of servers from one time to the next, and who it is itself.

use std::path::{Path, PathBuf};

use super::{Met, Secret, Trust};
use crate::client::identity;
use crate::client::known_servers::KnownServers;
use crate::client::secrets::Secrets;
use crate::client::store::StoreError;
use crate::protocol::address::Address;
use crate::protocol::invite::{Invite, Pin};
use crate::protocol::proof::{Fingerprint, Passphrase};
use crate::protocol::time::Time;
use crate::protocol::wordlist::spell;

/// The folder in which all of it is.
#[derive(Clone, Debug)]
pub struct Acquaintances(PathBuf);

impl Acquaintances {
    /// In this folder, which need not exist.
    pub fn in_folder(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// How to be sure of the parlor of an invite, and it of us. What the invite says goes before what is known, and `words`
    /// go before what the invite says.
    ///
    /// # Errors
    /// When what is kept cannot be read, or our identity cannot be made.
    pub fn trust(
        &self,
        invite: &Invite,
        plain: bool,
        words: Option<Passphrase>,
    ) -> Result<Trust, StoreError> {
        if invite.plain && !plain && self.certificate(&invite.address)?.is_some() {
            return Err(StoreError::Downgrade { address: invite.address.clone() });
        }
        let mut trust = Trust::by_invite(invite, plain, words);
        if trust.pin.is_none() {
            trust.pin = self.certificate(&invite.address)?.as_ref().map(Pin::of);
        }
        if trust.secret.is_none() {
            let kept = Secrets::open(self.secrets())?.get(&invite.address);
            trust.secret = kept.map(|(salt, key)| Secret::Key(salt, key));
        }
        trust.identity = Some(identity::load_or_create(&self.0)?.into());
        Ok(trust)
    }

    /// How to be sure of a parlor that claims to be the one that was at `known`: by the certificate that was shown there, and
    /// only over TLS. So whoever moved to another address is known again, and what opened the door then opens it now.
    ///
    /// # Errors
    /// When what is kept cannot be read, or our identity cannot be made.
    pub fn trust_as(
        &self,
        known: &Address,
        invite: &Invite,
        words: Option<Passphrase>,
    ) -> Result<Trust, StoreError> {
        let there = Invite { address: known.clone(), plain: false, ..invite.clone() };
        self.trust(&there, false, words)
    }

    /// The certificate that a parlor showed the last time.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    pub fn certificate(&self, address: &Address) -> Result<Option<Fingerprint>, StoreError> {
        Ok(KnownServers::open(self.known_servers())?.pin(address))
    }

    /// Keeps what there is to keep of a parlor that let us in; says in a sentence what is new.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn remember(&self, address: &Address, met: &Met) -> Result<Option<String>, StoreError> {
        if let Some((salt, key)) = &met.key {
            let mut secrets = Secrets::open(self.secrets())?;
            if secrets.get(address).as_ref() != Some(&(*salt, key.clone())) {
                secrets.remember(address, *salt, key)?;
            }
        }
        let Some(fingerprint) = met.fingerprint else { return Ok(None) };
        let mut servers = KnownServers::open(self.known_servers())?;
        let before = servers.pin(address);
        if before == Some(fingerprint) {
            return Ok(None);
        }
        servers.remember(address, fingerprint, Time::now())?;
        let words = spell(&fingerprint.0);
        Ok(Some(match before {
            None => format!("first time at {address}: its certificate is \"{words}\", and is remembered"),
            Some(_) => {
                format!(
                    "{address} has another certificate than before: \"{words}\". What you joined it by vouches for it"
                )
            }
        }))
    }

    fn known_servers(&self) -> PathBuf {
        self.0.join("known_servers")
    }

    fn secrets(&self) -> PathBuf {
        self.0.join("passphrases")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::hex::Hex;
    use crate::protocol::proof::ProofKey;

    #[test]
    fn one_that_moved_must_show_the_certificate_that_it_had() {
        let folder = tempfile::tempdir().unwrap();
        let known = Acquaintances::in_folder(folder.path());
        let (before, now): (Address, Address) = ("10.0.0.9".parse().unwrap(), "10.0.0.21".parse().unwrap());
        let key = Some((Hex([2; 16]), ProofKey::from_bytes([3; 32])));
        known.remember(&before, &Met { fingerprint: Some(Hex([1; 32])), key }).unwrap();
        let invite = Invite { plain: true, ..Invite::to(now.clone()) };
        let trust = known.trust_as(&before, &invite, None).unwrap();
        assert_eq!(trust.pin, Some(Pin::of(&Hex([1; 32]))));
        assert!(!trust.plain && matches!(trust.secret, Some(Secret::Key(..))));
        let stranger = known.trust(&Invite::to(now), false, None).unwrap();
        assert!(stranger.pin.is_none() && stranger.secret.is_none());
    }
}
