//! What whoever owns a parlor's folder can ask the server that runs on it: `parlor status`.
//!
//! A socket of its own in that folder, for its owner alone. It takes no orders: whoever connects gets one line of JSON, and the
//! connection is closed.

use std::io;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::running::NotRunning;
use crate::protocol::event::Stats;
use crate::protocol::proof::Fingerprint;
use crate::protocol::text::Line;
use crate::protocol::time::Time;

#[cfg(unix)]
pub(super) use answer::Control;

#[cfg(unix)]
mod answer;
#[cfg(unix)]
mod hear;

/// The name of the socket in the folder.
pub const SOCKET: &str = "control.sock";

/// How long one answer may take, there and here: it is a few kilobytes on one machine.
const ANSWER_TIME: Duration = Duration::from_secs(5);

/// How things stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// What the parlor is called.
    pub name: Line,
    /// Of the program.
    pub version: Line,
    /// The number of its process.
    pub pid: u32,
    /// When it was started.
    pub since: Time,
    /// Where it listens.
    pub listening: Vec<Line>,
    /// The fingerprint of its certificate; nothing without TLS.
    pub certificate: Option<Fingerprint>,
    /// Whether it has a passphrase.
    pub passphrase: bool,
    /// Whether it lets in those who show no key.
    pub guests: bool,
    /// Connections that there may be at once.
    pub connections_allowed: u64,
    /// For how long what is said is kept, in seconds, where a room has no rule of its own; nothing: for ever.
    pub kept_seconds: Option<u64>,
    /// Bytes of the files in its folder. Folders in it do not count: they are not the server's, as the host's key is not.
    pub disk_bytes: u64,
    /// When the newest backup was made on this machine.
    pub last_backup: Option<Time>,
    /// What is counted.
    pub stats: Stats,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// There is nobody to ask.
    #[error(transparent)]
    NotRunning(#[from] NotRunning),
    /// There is, but not to be reached.
    #[error("a parlor runs on {0}, but cannot be asked: {1}")]
    Unreachable(String, io::Error),
    /// It has no socket.
    #[error("a parlor runs on {0}, but has no {SOCKET} to be asked by: its log says why")]
    NoSocket(String),
    /// There is, and it says nothing in time: it is stopped or stuck, or too many ask.
    #[error(
        "the parlor on {0} runs and does not answer within {time} s: its log may say why; start it again",
        time = ANSWER_TIME.as_secs()
    )]
    Slow(String),
    /// Its folder or its socket is not for us.
    #[error("the parlor on {0} tells its owner alone how it stands: ask as its owner")]
    NotOurs(String),
    /// It says nothing that is understood.
    #[error(
        "the parlor on {0} gives no answer that is understood: is it of another version than this program?"
    )]
    Unclear(String),
}

/// Asks the server that runs on this folder.
///
/// # Errors
/// When none does, or when it does not answer.
#[cfg(unix)]
pub fn ask(data: &Path) -> Result<Status, AskError> {
    hear::ask(data)
}

/// There are no such sockets here.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub fn ask(data: &Path) -> Result<Status, AskError> {
    super::running::Running::read(data)?;
    Err(AskError::Unreachable(data.display().to_string(), io::ErrorKind::Unsupported.into()))
}
