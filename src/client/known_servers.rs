//! The certificates that servers showed: whoever stands between on a later visit has another one.
//!
//! A text file, one line for each server: `ADDRESS FINGERPRINT DATE`. The address as [`Address`] prints it, the SHA-256
//! of the certificate as 64 hexadecimal digits, the day on which it was first seen (RFC 3339, UTC).

use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::store::{Record, Store, StoreError};
use crate::protocol::address::Address;
use crate::protocol::proof::Fingerprint;
use crate::protocol::time::Time;

/// The file, as it was when it was last read: at the start, and at each change.
#[derive(Debug)]
pub struct KnownServers(Store<Seen>);

/// What a server showed, and when first. The day is for people, and kept as it is written.
struct Seen {
    fingerprint: Fingerprint,
    day: String,
}

impl Record for Seen {
    const ABOUT: &'static str = "\
# The parlors that were visited: address, SHA-256 of the certificate, the day on which it was first seen.
# A server that shows another certificate is not talked to. If it has a new one for a good reason, remove its line.
";

    fn read(first: &str, second: &str) -> Option<Self> {
        Some(Self { fingerprint: first.parse().ok()?, day: second.to_owned() })
    }

    fn written(&self) -> String {
        format!("{} {}", self.fingerprint, self.day)
    }
}

impl KnownServers {
    /// Reads the file. One that is not there is empty; it is made, with its folder, when there is something to keep.
    ///
    /// # Errors
    /// When it cannot be read. A line that is not understood is no error: see [`KnownServers::warnings`].
    pub fn open(path: PathBuf) -> Result<Self, StoreError> {
        Store::open(path).map(Self)
    }

    /// Sentences about the lines that are not understood. They are left as they are.
    pub fn warnings(&self) -> &[String] {
        self.0.warnings()
    }

    /// The certificate that this server has, if it is known.
    pub fn pin(&self, address: &Address) -> Option<Fingerprint> {
        self.0.get(address).map(|seen| seen.fingerprint)
    }

    /// All that are known, in the order of the file, each with its certificate.
    pub fn all(&self) -> impl Iterator<Item = (&Address, Fingerprint)> {
        self.0.all().map(|(address, seen)| (address, seen.fingerprint))
    }

    /// Keeps the certificate of a server, in the place of another one. Nothing happens if it is kept already.
    ///
    /// # Errors
    /// When the file cannot be read or written. It is then as it was.
    pub fn remember(
        &mut self,
        address: &Address,
        fingerprint: Fingerprint,
        now: Time,
    ) -> Result<(), StoreError> {
        if self.pin(address) == Some(fingerprint) {
            return Ok(());
        }
        let day = now.timestamp().to_zoned(TimeZone::UTC).date().to_string();
        self.0.put(address, Seen { fingerprint, day })
    }

    /// Forgets a server, and says whether it was known.
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
    use crate::protocol::hex::Hex;
    use std::fs;

    #[test]
    fn a_server_is_known_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_servers");
        let (here, there): (Address, Address) = ("lab.example".parse().unwrap(), "[::1]:9".parse().unwrap());
        let mut servers = KnownServers::open(path.clone()).unwrap();
        let monday = Time::from_millis(1_795_258_923_007);
        servers.remember(&here, Hex([1; 32]), monday).unwrap();
        servers.remember(&there, Hex([2; 32]), monday).unwrap();
        // The day on which it was *first* seen.
        servers.remember(&here, Hex([1; 32]), monday.shifted(86_400_000)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# The parlors"), "{text}");
        assert!(text.contains(&format!("\nlab.example:7878 {} 2026-11-21\n", "01".repeat(32))), "{text}");

        let mut again = KnownServers::open(path.clone()).unwrap();
        assert_eq!(again.pin(&here), Some(Hex([1; 32])));
        assert_eq!(again.all().collect::<Vec<_>>(), [(&here, Hex([1; 32])), (&there, Hex([2; 32]))]);
        assert_eq!(again.pin(&"lab.example:1".parse().unwrap()), None);
        again.remember(&here, Hex([3; 32]), monday.shifted(86_400_000)).unwrap();
        assert!(again.forget(&there).unwrap() && !again.forget(&there).unwrap());
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.ends_with(&format!("\nlab.example:7878 {} 2026-11-22\n", "03".repeat(32))), "{text}");
        assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count(), 1);
    }

    #[test]
    fn a_damaged_line_is_told_and_the_others_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_servers");
        let good = "02".repeat(32);
        fs::write(&path, format!("one 0101 2026-11-21\ntwo {good} 2026-11-21\n")).unwrap();
        let servers = KnownServers::open(path).unwrap();
        assert_eq!(servers.pin(&"one".parse().unwrap()), None);
        assert_eq!(servers.pin(&"two".parse().unwrap()), Some(Hex([2; 32])));
        assert!(servers.warnings()[0].ends_with("line 1, is not understood"), "{:?}", servers.warnings());
    }
}
