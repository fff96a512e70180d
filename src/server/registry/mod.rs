//! What the parlor knows of people, and what its host has decided: plain synchronous state over a file of its own.
//!
//! - What was acknowledged MUST be known after a restart, and what failed MUST have changed nothing: every call
//!   checks, gathers its changes, has them written in one transaction, and only then makes them in memory.
//! - A decision MUST be in the same transaction as its line in the audit log.
//! - Questions are answered from memory. Only [`Registry::audit`] reads the file, because that log has no end; and
//!   [`Registry::read_marks`], which are in memory elsewhere.
//!
//! There is no clock in here: whoever asks says when it is. Calls that take `&mut self` wait for the disk, so they are
//! not for a thread of the runtime.
//!
//! | file | what stands there |
//! |---|---|
//! | `people.rs`, `names.rs`, `devices.rs`, `ignores.rs` | who has which keys, names and devices, and whom they ignore |
//! | `roles.rs` | who may do what to whom, in one table |
//! | `bans.rs`, `mutes.rs`, `rooms.rs`, `tickets.rs` | what the host and the operators decide |
//! | `audit.rs` | who decided it |
//! | `reading.rs` | how far people have read the rooms |
//! | `state.rs` | all of it in memory, and the changes that can be made |
//! | `tables/` | the same in SQLite, which nothing else here knows |

mod audit;
mod bans;
mod devices;
mod error;
mod ignores;
mod mutes;
mod names;
mod people;
mod reading;
mod roles;
mod rooms;
mod state;
mod tables;
mod tickets;

use std::fmt;
use std::path::Path;

use tracing::warn;

use crate::protocol::name::Nick;
use crate::protocol::time::Time;
use crate::server::log::Durability;

pub use audit::{AuditEntry, Deed};
pub use bans::{Ban, Banned};
pub use devices::DeviceCode;
pub use error::{OpenError, RegistryError};
pub use mutes::Mute;
pub use reading::ReadMark;
pub use roles::{Act, may};
pub use rooms::{Barred, RoomRules, Rule};
pub use tickets::Invitation;

use audit::Record;
use devices::Codes;
use state::{Change, State};
use tables::Tables;

/// The file in the data folder.
pub const FILE: &str = "people.db";

/// Somebody with a key. Never given to another, also when its first owner was forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(i64);

impl PersonId {
    /// As others are told.
    pub fn number(self) -> u64 {
        self.0.unsigned_abs()
    }

    /// Whose number this would be, of those that people can have.
    pub fn of_number(number: u64) -> Option<Self> {
        i64::try_from(number).ok().map(Self)
    }
}

/// Who does something: for the rules, and for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The program itself, as whoever runs it has told it to. It may do what the host may.
    Parlor,
    /// Somebody, under the nick that they have at that time.
    Person(PersonId, Nick),
}

impl By {
    /// Who it is, unless it is the program.
    pub fn person(&self) -> Option<PersonId> {
        match self {
            Self::Parlor => None,
            Self::Person(person, _) => Some(*person),
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parlor => f.write_str("the parlor"),
            Self::Person(_, nick) => nick.fmt(f),
        }
    }
}

/// Somebody to be ignored, muted or kicked. A guest is whoever has no key and this nick, or one that looks like it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whom {
    /// Under whichever name, on whichever device.
    Person(PersonId),
    /// Under this name only.
    Guest(Nick),
}

impl Whom {
    /// Whether both are the same, or look the same.
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Person(this), Self::Person(other)) => this == other,
            (Self::Guest(this), Self::Guest(other)) => names::alike(this, other),
            _ => false,
        }
    }
}

/// See the [module](self).
#[derive(Debug)]
pub struct Registry {
    tables: Tables,
    state: State,
    /// Of devices: gone with the program, because they are short-lived and secret.
    codes: Codes,
}

impl Registry {
    /// Opens [`FILE`] in the folder `data`, which must be there, or makes it, for its owner only. Then forgets what
    /// is over; see [`Registry::sweep`]. `durability` says what must survive a power cut.
    ///
    /// # Errors
    /// When the file cannot be used, or is not one that this version can read.
    pub fn open(data: &Path, durability: Durability, now: Time) -> Result<Self, OpenError> {
        let tables = Tables::open(&data.join(FILE), durability)?;
        let state = tables.load()?;
        let mut registry = Self { tables, state, codes: Codes::default() };
        if let Err(error) = registry.sweep(now) {
            warn!(%error, "what is over could not be taken out");
        }
        Ok(registry)
    }

    /// Who comes for the first time gets a number above this one, which others know already: the file may have been lost, or be
    /// an older copy.
    pub fn begin_above(&mut self, number: u64) {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.state.last_person = self.state.last_person.max(number);
    }

    /// Forgets what is over: bans, mutes and invitations that expired, names that nobody used for
    /// [`NAME_KEPT`](crate::protocol::limits::NAME_KEPT), and people of whom nothing but an old key is left.
    /// It counted no more before; this gives its place back. Done at every opening; a parlor that runs for months does it daily.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn sweep(&mut self, now: Time) -> Result<(), RegistryError> {
        self.commit(self.state.over(now))?;
        // Only then is it known who has nothing left.
        self.commit(self.state.forgotten(now))
    }

    /// Closes the file; what is asked for later fails.
    pub fn close(&mut self) {
        self.tables.close();
    }

    /// Writes changes in one transaction, and then makes them.
    fn commit(&mut self, changes: Vec<Change>) -> Result<(), RegistryError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.tables.write(&changes)?;
        for change in changes {
            self.state.apply(change);
        }
        Ok(())
    }

    /// The same for a decision, which is recorded with it.
    fn decide(&mut self, mut changes: Vec<Change>, record: Record) -> Result<(), RegistryError> {
        changes.push(Change::Audit(record));
        self.commit(changes)
    }

    /// How the audit log calls somebody.
    fn called(&self, whom: &Whom) -> String {
        match whom {
            Whom::Guest(nick) => format!("{nick} (guest)"),
            Whom::Person(person) => match self.latest_name(*person) {
                Some(nick) => format!("{nick} (person {})", person.0),
                None => format!("person {}", person.0),
            },
        }
    }
}

#[cfg(test)]
mod tests;
