//! Whether a parlor is the one of a passphrase: found out without telling it who asks, and without a seat in it.

use std::time::Duration;

use uuid::Uuid;

use super::connect::{asked, reach};
use super::dial::Dial;
use super::ending::Break;
use super::pake;
use crate::protocol::address::Address;
use crate::protocol::command::{Command, Plain};
use crate::protocol::event::Scrypt;
use crate::protocol::invite::Pin;
use crate::protocol::proof::{Fingerprint, ProofKey};

/// A parlor that has answered, whether or not it knows the passphrase.
#[derive(Debug)]
pub(in crate::client) struct Answered {
    /// What it says that its log is: nothing vouches for that where it does not know the passphrase.
    pub(in crate::client) id: Uuid,
    pub(in crate::client) outcome: Outcome,
}

/// What it has answered.
#[derive(Debug)]
pub(in crate::client) enum Outcome {
    /// It knows the passphrase.
    Knows {
        /// Of its certificate; `None` without TLS.
        fingerprint: Option<Fingerprint>,
    },
    /// It asks for none.
    Open,
    /// There is no way to find out, or it does not know it.
    No(Break),
}

/// Asks one that shows a certificate which `pin` fits. `key` makes the passphrase's key with the parlor's salt. Connecting may take `patience`, and so may all the rest.
///
/// # Errors
/// Nothing answers there that is that parlor.
pub(in crate::client) async fn knock(
    dial: Dial,
    address: &Address,
    plain: bool,
    pin: Option<&Pin>,
    patience: Duration,
    key: impl AsyncFnOnce(Scrypt) -> Result<ProofKey, Break>,
) -> Result<Answered, Break> {
    reach(dial, address, plain, pin, patience, async |mut opened| {
        let id = opened.welcome.server.id;
        let outcome = async {
            let Some(scrypt) = asked(&opened.welcome)? else { return Ok(Outcome::Open) };
            if !pake::is_offered(&opened.welcome) {
                return Err(Break::Revealing(address.clone()));
            }
            let key = key(scrypt).await?;
            pake::prove(&mut opened, address, &key).await?;
            Ok(Outcome::Knows { fingerprint: opened.fingerprint })
        };
        let outcome = outcome.await.unwrap_or_else(Outcome::No);
        if let Outcome::Knows { .. } = outcome {
            // So that its host's log has no connection that broke. What it says to that is of no interest.
            opened.connection.say(&Command::Bye(Plain::default()));
            drop(opened.connection.event().await);
        }
        Ok(Answered { id, outcome })
    })
    .await
}
