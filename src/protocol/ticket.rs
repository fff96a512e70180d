//! Counted invitations: a secret that lets in so many, or until then.
//!
//! It is shown as the passphrase is, without giving it away: key = SHA-256(ticket), proof = HMAC-SHA256(key,
//! challenge ‖ binding), and beside it the id, which is the first 8 bytes of the key: so that the server knows which.

use std::fmt;
use std::str::FromStr;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::hex::{Hex, HexError};
use super::proof::ProofKey;

/// Which invitation. Of the key's 32 bytes it gives away 8, and none of the ticket's.
pub type TicketId = Hex<8>;

/// The secret itself: in a link, and nowhere on the server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticket(Hex<16>);

impl Ticket {
    /// A new one.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random() -> Result<Self, ring::error::Unspecified> {
        Hex::random().map(Self)
    }

    /// The secret. To be shown to those who are invited, and to nobody else.
    pub fn reveal(&self) -> Hex<16> {
        self.0
    }

    /// Names it.
    pub fn id(&self) -> TicketId {
        let mut id = [0; 8];
        id.copy_from_slice(&self.hash()[..8]);
        Hex(id)
    }

    /// Proves it, and verifies the proof.
    pub fn key(&self) -> ProofKey {
        ProofKey::from_bytes(self.hash())
    }

    fn hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, &self.0.0).as_ref());
        hash
    }
}

impl From<Hex<16>> for Ticket {
    fn from(secret: Hex<16>) -> Self {
        Self(secret)
    }
}

impl FromStr for Ticket {
    type Err = HexError;

    fn from_str(raw: &str) -> Result<Self, HexError> {
        raw.parse().map(Self)
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's hashlib: `sha256(bytes(range(16)))`.
    #[test]
    fn a_stranger_computes_the_same_key_and_id() {
        let ticket: Ticket = "000102030405060708090a0b0c0d0e0f".parse().unwrap();
        let key = "be45cb2605bf36bebde684841a28f0fd43c69850a3dce5fedba69928ee3a8991";
        assert_eq!(Hex(*ticket.key().as_bytes()).to_string(), key);
        assert_eq!(ticket.id().to_string(), key[..16]);
        assert_eq!(format!("{ticket:?}"), "Ticket(…)");
    }
}
