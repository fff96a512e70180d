//! Why a connection, or the attempt at one, ends, and whether another one has a point.

use std::io;
use std::time::Duration;

use thiserror::Error;

use super::Barrier;
use crate::protocol::address::Address;
use crate::protocol::event::{Bye, ErrorCode, Failure};
use crate::protocol::frame::FrameError;
use crate::protocol::limits::DEAD_AFTER;
use crate::protocol::name::RoomName;
use crate::protocol::proof::{Fingerprint, Unfair};
use crate::protocol::text::Line;

/// Why a connection, or the attempt at one, ended.
#[derive(Debug, Error)]
pub(in crate::client) enum Break {
    #[error("{0}")]
    Connect(String),
    /// The same, and it will not pass by itself.
    #[error("{0}")]
    Hopeless(String),
    #[error(
        "{address} shows another certificate than it should: nothing was told to it. `parlor join {address}` says more"
    )]
    Stranger { address: Address, shown: Fingerprint },
    #[error(
        "{0} let us in without knowing the passphrase: it is not the parlor that you were told of. Nothing was said to it"
    )]
    Impostor(Address),
    #[error(
        "{0} has no way to prove the passphrase that gives nothing away, and was told nothing: it may not be the parlor that you were told of, or be an old one. Ask its host for a newer parlor"
    )]
    Revealing(Address),
    #[error(
        "{0} asks for no passphrase, and you gave one: it may not be the parlor that you were told of. Nothing was said to it. If it is open by now, leave the passphrase out"
    )]
    Unlocked(Address),
    #[error("{0}")]
    Unfair(#[from] Unfair),
    #[error("the connection broke: {}", broken(.0))]
    Frame(#[from] FrameError),
    #[error("nothing was heard from the server for {} s", DEAD_AFTER.as_secs())]
    Silent,
    #[error("{}", last_word(.0))]
    Bye(Bye),
    #[error("the server closed the connection")]
    Closed,
    #[error("{}", refusal(.0))]
    Refused(Failure),
    #[error("the server said something that makes no sense here: {0}")]
    Nonsense(Line),
    #[error("the server left out entries of {0} without saying so")]
    Hole(RoomName),
    #[error("the server has stored nothing for {} s", .0.as_secs())]
    Stuck(Duration),
    #[error("you left")]
    Quit,
    #[error("nobody listens any more")]
    Unheard,
}

/// Another nick may help.
pub(super) fn is_a_names(failure: &Failure) -> bool {
    matches!(failure.code, ErrorCode::NickTaken | ErrorCode::NameOwned)
}

/// What is about us needs no further words.
fn refusal(failure: &Failure) -> String {
    match failure.code {
        ErrorCode::PassphraseNeeded
        | ErrorCode::PassphraseWrong
        | ErrorCode::NoSuchTicket
        | ErrorCode::Banned
        | ErrorCode::TlsExpected
        | ErrorCode::TooManyFailures => failure.to_string(),
        _ => format!("the server refused us: {failure}"),
    }
}

/// A machine or a program that is gone has no last word. What the libraries say of that is for those who write them.
fn broken(error: &FrameError) -> String {
    match error {
        FrameError::Io(error) => match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                "the other side is gone".to_owned()
            }
            io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                "the network is gone".to_owned()
            }
            _ => error.to_string(),
        },
        other => other.to_string(),
    }
}

fn last_word(bye: &Bye) -> String {
    let sentence = bye.reason.sentence();
    bye.message.as_ref().map_or_else(|| sentence.to_owned(), |message| format!("{sentence}: {message}"))
}

/// A decoder's complaint quotes what it was given.
impl From<serde_json::Error> for Break {
    fn from(error: serde_json::Error) -> Self {
        Self::Nonsense(Line::lossy(&error.to_string()))
    }
}

impl Break {
    /// What somebody can do something about.
    pub(super) fn barrier(&self) -> Option<Barrier> {
        match self {
            Self::Stranger { shown, .. } => Some(Barrier::Stranger(*shown)),
            Self::Refused(failure) => match failure.code {
                ErrorCode::PassphraseNeeded => Some(Barrier::PassphraseNeeded),
                ErrorCode::PassphraseWrong => Some(Barrier::PassphraseWrong),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether trying again has no point, or is not wanted.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Quit
            | Self::Unheard
            | Self::Stuck(_)
            | Self::Stranger { .. }
            | Self::Impostor(_)
            | Self::Revealing(_)
            | Self::Unlocked(_)
            | Self::Unfair(_) => true,
            Self::Refused(failure) => !is_a_names(failure) && failure.reason().is_final(),
            Self::Bye(bye) => bye.reason.is_final(),
            _ => false,
        }
    }

    /// Whether trying again has no point for one who was never there. For one who was, it is the network that has changed: a
    /// gate that wants a login first answers for everybody, and names are unknown to it.
    pub(super) fn is_hopeless(&self) -> bool {
        matches!(self, Self::Hopeless(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_killed_is_told_in_words() {
        let eof = io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "peer closed connection without close_notify: https://x",
        );
        let said = Break::from(FrameError::Io(eof)).to_string();
        assert_eq!(said, "the connection broke: the other side is gone");
        let odd = Break::from(FrameError::Io(io::Error::other("a riddle"))).to_string();
        assert_eq!(odd, "the connection broke: a riddle");
    }
}
