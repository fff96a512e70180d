//! What opened which server, so that nobody types a passphrase twice.
//!
//! A text file, one line for each server: `ADDRESS SALT KEY`, both in hexadecimal digits. The key is what scrypt made of the
//! passphrase with the server's salt, and not the words: whoever steals it can open this parlor and no other
//! where somebody uses the same words.

use std::path::PathBuf;

use super::store::{Record, Store, StoreError};
use crate::protocol::address::Address;
use crate::protocol::hex::Hex;
use crate::protocol::proof::{ProofKey, Salt};

/// The file, as it was when it was last read: at the start, and at each change.
#[derive(Debug)]
pub struct Secrets(Store<Secret>);

struct Secret {
    salt: Salt,
    key: ProofKey,
}

impl Record for Secret {
    const ABOUT: &'static str = "\
# What opened which parlor: address, salt, key. Whoever has a key can come in: show this file to nobody.
";

    fn read(first: &str, second: &str) -> Option<Self> {
        let key: Hex<32> = second.parse().ok()?;
        Some(Self { salt: first.parse().ok()?, key: ProofKey::from_bytes(key.0) })
    }

    fn written(&self) -> String {
        format!("{} {}", self.salt, Hex(*self.key.as_bytes()))
    }
}

impl Secrets {
    /// Reads the file. One that is not there is empty; it is made, with its folder, when there is something to keep.
    ///
    /// # Errors
    /// When it cannot be read. A line that is not understood is no error: see [`Secrets::warnings`].
    pub fn open(path: PathBuf) -> Result<Self, StoreError> {
        Store::open(path).map(Self)
    }

    /// Sentences about the lines that are not understood. They are left as they are.
    pub fn warnings(&self) -> &[String] {
        self.0.warnings()
    }

    /// The key that opened this server, and the salt that it was made with: if the server has another one by
    /// now, the key is worth nothing.
    pub fn get(&self, address: &Address) -> Option<(Salt, ProofKey)> {
        self.0.get(address).map(|secret| (secret.salt, secret.key.clone()))
    }

    /// Keeps what opened a server, in the place of another one.
    ///
    /// # Errors
    /// When the file cannot be read or written. It is then as it was.
    pub fn remember(&mut self, address: &Address, salt: Salt, key: &ProofKey) -> Result<(), StoreError> {
        self.0.put(address, Secret { salt, key: key.clone() })
    }

    /// Forgets what opened a server, and says whether there was anything.
    ///
    /// # Errors
    /// When the file cannot be read or written. It is then as it was.
    pub fn forget(&mut self, address: &Address) -> Result<bool, StoreError> {
        self.0.remove(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_opened_a_server_opens_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrases");
        let address: Address = "lab.example".parse().unwrap();
        let key = ProofKey::from_bytes([0xab; 32]);
        let mut secrets = Secrets::open(path.clone()).unwrap();
        assert!(secrets.get(&address).is_none());
        secrets.remember(&address, Hex([1; 16]), &ProofKey::from_bytes([7; 32])).unwrap();
        secrets.remember(&address, Hex([2; 16]), &key).unwrap();
        let line = format!("lab.example:7878 {} {}\n", "02".repeat(16), "ab".repeat(32));
        assert!(fs::read_to_string(&path).unwrap().ends_with(&format!("nobody.\n{line}")));
        assert!(!format!("{secrets:?}").contains("abab"));

        let mut again = Secrets::open(path).unwrap();
        assert!(again.get(&address) == Some((Hex([2; 16]), key)));
        assert!(again.forget(&address).unwrap() && again.get(&address).is_none());
        assert!(again.warnings().is_empty());
    }
}
