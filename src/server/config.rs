//! What an operator may set: by the command line, by the configuration file, or left as it is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

use super::door::Ask;
use super::live;
use super::log::Durability;
use super::retention::{self, Retention};
use super::socket::{self, SocketAccess};
use super::tls;
use crate::protocol::address::Address;
use crate::protocol::limits;
use crate::protocol::proof::PublicKey;
use crate::protocol::text::Text;

/// A server's settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen. Empty: the default port of all addresses with TLS and a passphrase, and without either of
    /// them of the loopback addresses.
    pub listen: Vec<Address>,
    /// Who may use the Unix sockets among them.
    pub socket_access: SocketAccess,
    /// The folder of the log.
    pub data: PathBuf,
    /// What to call this parlor.
    pub name: String,
    /// The certificate; `None`: TCP without TLS.
    pub tls: Option<tls::Source>,
    /// What to ask of those who want in.
    pub ask: Ask,
    /// Whether to let in those who show no key.
    pub guests: bool,
    /// Whose parlor it is: the key of whoever starts it, if they have one.
    pub host: Option<PublicKey>,
    /// What a stored entry must survive.
    pub durability: Durability,
    /// For how long it is kept.
    pub retention: Retention,
    /// How much of everything.
    pub limits: Limits,
    /// The message of the day, for those who come in; at most [`limits::MOTD_BYTES`].
    pub motd: Option<Text>,
    /// Whether to tell its networks that it is there, where others can reach it.
    pub announce: bool,
}

impl Config {
    /// A parlor on this folder as it is by default: closed, with a certificate and a passphrase of its own. Its name is `parlor`;
    /// it is nobody's, and tells no network of itself.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            listen: Vec::new(),
            socket_access: SocketAccess::default(),
            data: data.into(),
            name: "parlor".to_owned(),
            tls: Some(tls::Source::Own),
            ask: Ask::OwnWords,
            guests: true,
            host: None,
            durability: Durability::default(),
            retention: Retention::default(),
            limits: Limits::default(),
            motd: None,
            announce: false,
        }
    }
}

/// The limits that an operator may change; 0 where a rate is meant lifts it. The others, and the reason for
/// each, are in [`crate::protocol::limits`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address; an IPv6 /64 counts as one.
    pub connections_per_address: usize,
    /// Rooms in all.
    pub rooms: usize,
    /// People in one room.
    pub members_per_room: usize,
    /// Messages that a connection may send at once.
    pub message_burst: u32,
    /// Messages each second after that.
    pub messages_per_second: f64,
    /// Other commands that a connection may send at once.
    pub command_burst: u32,
    /// Other commands each second after that.
    pub commands_per_second: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: limits::CONNECTIONS,
            connections_per_address: limits::CONNECTIONS_PER_ADDRESS,
            rooms: limits::ROOMS,
            members_per_room: limits::MEMBERS_PER_ROOM,
            message_burst: limits::MESSAGE_BURST,
            messages_per_second: limits::MESSAGES_PER_SECOND,
            command_burst: limits::COMMAND_BURST,
            commands_per_second: limits::COMMANDS_PER_SECOND,
        }
    }
}

impl Limits {
    /// Rates and connections without a limit, to measure how fast a server is.
    #[must_use]
    pub fn unlimited(self) -> Self {
        Self {
            connections: 1 << 20,
            connections_per_address: 1 << 20,
            members_per_room: 1 << 20,
            messages_per_second: 0.0,
            commands_per_second: 0.0,
            ..self
        }
    }
}

/// The configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// See [`Config::listen`].
    pub listen: Vec<String>,
    /// See [`SocketAccess::mode`]; as in "0660".
    #[serde(deserialize_with = "socket::mode")]
    pub socket_mode: Option<u32>,
    /// See [`SocketAccess::group`].
    pub socket_group: Option<String>,
    /// See [`Config::data`].
    pub data: Option<PathBuf>,
    /// See [`Config::name`].
    pub name: Option<String>,
    /// No passphrase.
    pub open: bool,
    /// A file with the passphrase in its first line.
    pub passphrase_file: Option<PathBuf>,
    /// Nobody without a key.
    pub no_guests: bool,
    /// TCP without TLS.
    pub plain: bool,
    /// A certificate and its chain, in PEM.
    pub tls_cert: Option<PathBuf>,
    /// Its private key, in PEM.
    pub tls_key: Option<PathBuf>,
    /// See [`Config::durability`].
    pub durability: Option<Durability>,
    /// See [`Retention::keep`]; as in 90d.
    #[serde(deserialize_with = "retention::kept")]
    pub retention: Option<Duration>,
    /// See [`Config::motd`].
    #[serde(deserialize_with = "live::in_file")]
    pub motd: Option<Text>,
    /// See [`Config::limits`].
    pub limits: Limits,
    /// See [`Config::announce`]; left out, it does.
    pub announce: Option<bool>,
}

/// A configuration file that cannot be used.
#[derive(Debug, Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read the configuration {0}: {1}")]
    Read(PathBuf, std::io::Error),
    /// It is not what it should be; says the line and what would do.
    #[error("the configuration {0} has a mistake:\n{1}")]
    Parse(PathBuf, Box<toml::de::Error>),
}

impl FileError {
    /// The same for a log, whose lines are one thing each: where the mistake is, and which.
    pub fn in_one_line(&self) -> String {
        match self {
            Self::Read(..) => self.to_string(),
            Self::Parse(path, error) => {
                let shown = error.to_string();
                let place = shown.lines().next().unwrap_or_default();
                format!("the configuration {} has a mistake: {place}: {}", path.display(), error.message())
            }
        }
    }
}

impl File {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, or holds anything that is not a setting.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let text = std::fs::read_to_string(path).map_err(|error| FileError::Read(path.to_owned(), error))?;
        toml::from_str(&text).map_err(|error| FileError::Parse(path.to_owned(), Box::new(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_sets_what_it_names_and_leaves_the_rest() {
        let file: File = toml::from_str(
            "name = 'lab'\nlisten = ['[::]:7878']\ndurability = 'power'\n[limits]\nrooms = 5\n",
        )
        .unwrap();
        assert_eq!((file.name.as_deref(), file.durability), (Some("lab"), Some(Durability::Power)));
        assert_eq!(file.limits, Limits { rooms: 5, ..Limits::default() });
        let file: File = toml::from_str("socket_mode = '0660'\nsocket_group = 'adm'\n").unwrap();
        assert_eq!((file.socket_mode, file.socket_group.as_deref()), (Some(0o660), Some("adm")));
        // TOML's own octal numbers are numbers, and 660 would be another one.
        let error = toml::from_str::<File>("socket_mode = 660\n").unwrap_err().to_string();
        assert!(error.contains("line 1") && error.contains("string"), "{error}");
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        let error = toml::from_str::<File>("name = 'x'\n[limits]\nromms = 5\n").unwrap_err().to_string();
        assert!(error.contains("line 3") && error.contains("romms") && error.contains("rooms"), "{error}");
    }

    #[test]
    fn a_mistake_fits_a_line_of_a_log() {
        let error = toml::from_str::<File>("name = 'x'\n[limits]\nromms = 5\n").unwrap_err();
        let line = FileError::Parse("server.toml".into(), Box::new(error)).in_one_line();
        assert!(line.contains("server.toml") && line.contains("line 3") && line.contains("romms"), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
    }

    #[test]
    fn the_example_holds_the_defaults() {
        let example = include_str!("../../assets/server.toml");
        let all: String = example
            .lines()
            .map(|line| line.strip_prefix("#: ").unwrap_or(line))
            .map(|line| format!("{line}\n"))
            .collect();
        let file: File = toml::from_str(&all).unwrap();
        assert_eq!(file.limits, Limits::default());
        assert_eq!((file.durability, file.announce), (Some(Durability::default()), Some(true)));
    }
}
