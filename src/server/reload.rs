//! New settings for a server that runs: all that can change is taken at once, or nothing is.

use std::path::PathBuf;
use std::sync::Arc;

use super::Context;
use super::config::Config;
use super::door::Ask;
use super::listen::Doors;
use super::live::Live;
use super::log::Durability;
use super::socket::SocketAccess;
use super::tls::{Source, TlsError};
use crate::protocol::address::Address;

/// Takes new settings for a server that runs. Clones lead to the same server.
#[derive(Clone, Debug)]
pub struct Reloader {
    pub(super) context: Arc<Context>,
    pub(super) doors: Arc<Doors>,
    pub(super) fixed: Arc<Fixed>,
}

/// What a server was started with, and keeps.
#[derive(Debug)]
pub(super) struct Fixed {
    listen: Vec<Address>,
    socket_access: SocketAccess,
    announce: bool,
    data: PathBuf,
    name: String,
    tls: Option<Source>,
    ask: Ask,
    guests: bool,
    durability: Durability,
}

impl Fixed {
    pub(super) fn of(config: &Config) -> Self {
        let Config { listen, socket_access, announce, data, name, tls, ask, guests, durability, .. } =
            config.clone();
        Self { listen, socket_access, announce, data, name, tls, ask, guests, durability }
    }

    /// What is another one there, by its name in the configuration file.
    fn differing(&self, other: &Self) -> Vec<&'static str> {
        let settings = [
            ("listen", self.listen == other.listen),
            ("socket_mode and socket_group", self.socket_access == other.socket_access),
            ("announce", self.announce == other.announce),
            ("data", self.data == other.data),
            ("name", self.name == other.name),
            ("tls_cert, tls_key and plain", self.tls == other.tls),
            ("open and passphrase_file", self.ask == other.ask),
            ("no_guests", self.guests == other.guests),
            ("durability", self.durability == other.durability),
        ];
        settings.into_iter().filter(|(_, is_same)| !is_same).map(|(name, _)| name).collect()
    }
}

impl Reloader {
    /// Takes the limits, for how long to keep what is said and the message of the day from `config`, and reads the
    /// certificate again. Nobody who is in has to leave, also when there are more than there may be now. Gives the names of
    /// the settings that differ and hold only when the server is started again.
    ///
    /// # Errors
    /// When the certificate cannot be used: then everything stays as it was.
    pub fn reload(&self, config: &Config) -> Result<Vec<&'static str>, TlsError> {
        let Self { context, doors, fixed } = self;
        if let Some(tls) = &context.tls {
            let served = tls.read_again()?;
            tls.serve(served);
        }
        let Config { limits, motd, retention, .. } = config.clone();
        doors.set(limits.connections, limits.connections_per_address);
        context.hub.lock().set_limits(limits.clone());
        context.retention.keep(retention.keep);
        context.live.send_replace(Live { limits, motd });
        Ok(fixed.differing(&Fixed::of(config)))
    }
}
