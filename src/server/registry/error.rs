//! What a registry refuses, as sentences that say what to do.

use thiserror::Error;

use crate::protocol::event::{ErrorCode, Failure};
use crate::protocol::limits::{DEVICE_CODE_TIME, NAME_KEPT};
use crate::protocol::name::Nick;
use crate::server::database::Damaged;
use crate::server::log::StoreError;

/// Why something was not done. Nothing has changed then.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RegistryError {
    /// The rules; see [`may`](super::may).
    #[error("you may not do that: {0}")]
    NotAllowed(&'static str),
    /// The name is somebody else's.
    #[error("{}", owned(asked, name))]
    NameOwned {
        /// What was asked for.
        asked: Nick,
        /// What its owner calls themself.
        name: Nick,
    },
    /// Nobody has this number, or this key.
    #[error("nobody of that kind is known here")]
    NoSuchPerson,
    /// Unknown, used up, expired or revoked.
    #[error("this invitation is not valid, or not any more: ask for another")]
    NoSuchTicket,
    /// Wrong, expired, or void after too many wrong ones.
    #[error(
        "this is not the code that the other device shows, or it is no longer valid: show a new one there; it is \
         good for {} minutes", DEVICE_CODE_TIME.as_secs() / 60
    )]
    WrongCode,
    /// As many as there may be.
    #[error("there are {max} {what} and there can be no more: {remedy}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        max: usize,
        /// What to do.
        remedy: &'static str,
    },
    /// It could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gave no random bytes for a secret.
    #[error("this machine has no randomness to make a secret of: try again")]
    NoRandomness,
}

fn owned(asked: &Nick, name: &Nick) -> String {
    let days = NAME_KEPT.as_secs() / 86_400;
    if asked == name {
        format!("{asked} belongs to somebody who has used it within {days} days: choose another nick")
    } else {
        format!("{asked} looks like {name}, which belongs to somebody: choose another nick")
    }
}

impl RegistryError {
    /// The same for the wire.
    pub fn failure(&self) -> Failure {
        let code = match self {
            Self::NotAllowed(_) => ErrorCode::NotAllowed,
            Self::NameOwned { .. } => ErrorCode::NameOwned,
            Self::NoSuchPerson => ErrorCode::NoSuchPerson,
            Self::NoSuchTicket => ErrorCode::NoSuchTicket,
            Self::WrongCode => ErrorCode::WrongCode,
            Self::TooMany { .. } => ErrorCode::TooMany,
            Self::Store(StoreError::Full) => ErrorCode::StorageFull,
            Self::Store(_) | Self::NoRandomness => ErrorCode::Storage,
        };
        Failure::new(code, &self.to_string())
    }
}

/// Why a registry could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// A file that is something else.
    #[error("{0} is not what a parlor knows of people: move it away, or choose another folder with --data")]
    NotPeople(String),
    /// The file itself.
    #[error("cannot use {0}: {1}. Another folder can be chosen with --data")]
    File(String, std::io::Error),
    /// No room on the disk.
    #[error(
        "the disk is full, and {0} cannot be opened without room: make some, then start again. Nothing was lost"
    )]
    Full(String),
    /// It is not whole.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// SQLite's own words.
    #[error("what the parlor knows of people cannot be read: {0}")]
    Unreadable(String),
    /// Made by a later version of this program.
    #[error(
        "{path} was written by a newer parlor (schema {found}, this one knows {known}): upgrade parlor, or \
         choose another folder with --data"
    )]
    TooNew {
        /// The file.
        path: String,
        /// The schema found.
        found: u32,
        /// The newest that this program knows.
        known: u32,
    },
}
