//! The registry over a real file. Time is a number here.

mod migrating;
mod order;
mod people;
mod reading;
mod restart;
mod rooms;

use tempfile::TempDir;

use super::*;
use crate::protocol::hex::Hex;
use crate::protocol::name::RoomName;
use crate::protocol::proof::PublicKey;
use crate::protocol::text::Line;
use crate::protocol::words::Role;

const HOUR: i64 = 60 * 60 * 1000;
const DAY: i64 = 24 * HOUR;

/// A folder and what is open in it.
struct House {
    folder: TempDir,
    registry: Registry,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::open(folder.path(), Durability::Process, at(0)).unwrap();
        Self { folder, registry }
    }

    /// The same after a restart, at that time.
    fn reopened(&self, now: Time) -> Registry {
        Registry::open(self.folder.path(), Durability::Process, now).unwrap()
    }

    /// A restart at that time shows what is known now.
    #[track_caller]
    fn assert_kept(&self, now: Time) {
        assert_eq!(self.reopened(now).state, self.registry.state);
    }

    fn member(&mut self, number: u8) -> PersonId {
        self.registry.identify(key(number), at(0)).unwrap()
    }

    /// Somebody known under a name.
    fn named(&mut self, number: u8, name: &str) -> PersonId {
        let person = self.member(number);
        self.registry.claim(person, &nick(name), at(0)).unwrap();
        person
    }

    fn operator(&mut self, number: u8) -> By {
        let person = self.member(number);
        self.registry.set_role(&By::Parlor, person, Role::Operator, at(0)).unwrap();
        by(person)
    }
}

fn at(millis: i64) -> Time {
    Time::from_millis(millis)
}

fn key(number: u8) -> PublicKey {
    Hex([number; 32])
}

fn nick(name: &str) -> Nick {
    Nick::new(name).unwrap()
}

fn room(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

fn by(person: PersonId) -> By {
    By::Person(person, nick("someone"))
}

fn guest(name: &str) -> Whom {
    Whom::Guest(nick(name))
}

fn line(text: &str) -> Line {
    Line::lossy(text)
}

fn is_refused<T>(result: &Result<T, RegistryError>) -> bool {
    matches!(result, Err(RegistryError::NotAllowed(_)))
}

fn is_too_many<T>(result: &Result<T, RegistryError>) -> bool {
    matches!(result, Err(RegistryError::TooMany { .. }))
}
