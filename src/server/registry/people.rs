//! Who is who: people and their keys.

use super::state::{Change, Person};
use super::{PersonId, Registry, RegistryError};
use crate::protocol::limits::PEOPLE;
use crate::protocol::proof::PublicKey;
use crate::protocol::time::Time;
use crate::protocol::words::Role;

impl Registry {
    /// Whose key this is. At its first sight it makes a person, a member. The caller MUST have seen the signature.
    ///
    /// # Errors
    /// `too_many` when [`PEOPLE`] are known; when it cannot be written.
    pub fn identify(&mut self, key: PublicKey, now: Time) -> Result<PersonId, RegistryError> {
        match self.person_of(&key) {
            Some(person) => Ok(person),
            None if self.state.people.len() >= PEOPLE => {
                let remedy = "come in as a guest, without a key";
                Err(RegistryError::TooMany { what: "people known here", max: PEOPLE, remedy })
            }
            None => self.add_person(key, Role::Member, Vec::new(), now),
        }
    }

    /// Whose key this is, if it was seen before.
    pub fn person_of(&self, key: &PublicKey) -> Option<PersonId> {
        self.state.keys.get(key).copied()
    }

    /// Somebody, with a key that nobody has yet, and what else is to be changed with it.
    pub(super) fn add_person(
        &mut self,
        key: PublicKey,
        role: Role,
        also: Vec<Change>,
        now: Time,
    ) -> Result<PersonId, RegistryError> {
        let id = PersonId(self.state.last_person.saturating_add(1));
        let mut changes = vec![Change::Person(id, role, now), Change::Key(key, id, now)];
        changes.extend(also);
        self.commit(changes)?;
        Ok(id)
    }

    pub(super) fn person(&self, id: PersonId) -> Result<&Person, RegistryError> {
        self.state.people.get(&id).ok_or(RegistryError::NoSuchPerson)
    }
}
