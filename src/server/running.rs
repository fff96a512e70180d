//! What a running server writes beside its log, for those on this machine who may read it: where it listens, and how
//! it can be told from others. It is what `parlor invite` goes by.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tracing::warn;

use super::private::write_private;
use crate::protocol::address::Address;
use crate::protocol::proof::Fingerprint;

const FILE: &str = "running.json";

/// What there is to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Where it listens, as [`Address`] prints it.
    pub listening: Vec<String>,
    /// Its certificate; nothing without TLS.
    pub fingerprint: Option<Fingerprint>,
    /// Whether it has a passphrase.
    pub locked: bool,
}

/// Why nothing is known.
#[derive(Debug, Error)]
pub enum NotRunning {
    /// Nobody holds the folder.
    #[error(
        "no parlor runs on {0}: start one with `parlor serve` or `parlor host`, or name its folder with --data"
    )]
    Nobody(String),
    /// The file cannot be read.
    #[error("cannot use {0}: {1}")]
    File(String, io::Error),
}

impl Running {
    /// Writes it down for as long as the server runs.
    ///
    /// # Errors
    /// When the folder does not take it.
    pub fn write(&self, data: &Path) -> io::Result<()> {
        let json = serde_json::to_string(self)?;
        write_private(&data.join(FILE), &json)
    }

    /// Takes it away at the end.
    pub fn remove(data: &Path) {
        match fs::remove_file(data.join(FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                warn!(%error, "{FILE} could not be removed");
            }
            _ => {}
        }
    }

    /// What the server on this folder has written, if there is one.
    ///
    /// # Errors
    /// When none runs, or its folder is not for us to read.
    pub fn read(data: &Path) -> Result<Self, NotRunning> {
        let at = |error| NotRunning::File(data.display().to_string(), error);
        let nobody = || NotRunning::Nobody(data.display().to_string());
        // A server that was killed leaves the file behind, and not the lock.
        match File::open(data.join("lock")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(nobody()),
            Err(error) => return Err(at(error)),
            Ok(lock) => match lock.try_lock_shared() {
                Ok(()) => return Err(nobody()),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(at(error)),
            },
        }
        let json = fs::read_to_string(data.join(FILE)).map_err(at)?;
        serde_json::from_str(&json).map_err(|error| at(error.into()))
    }

    /// Where it listens.
    pub fn addresses(&self) -> Vec<Address> {
        self.listening.iter().filter_map(|address| address.parse().ok()).collect()
    }
}
