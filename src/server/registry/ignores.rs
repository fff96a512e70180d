//! Whom a person ignores, on all their devices.

use super::state::Change;
use super::{PersonId, Registry, RegistryError, Whom};
use crate::protocol::limits::IGNORED;

impl Registry {
    /// A person wants to hear nothing more of somebody. Twice is the same as once.
    ///
    /// # Errors
    /// `too_many` beyond [`IGNORED`]; `no_such_person` for either; `not_allowed` for oneself; when it cannot be
    /// written.
    pub fn ignore(&mut self, person: PersonId, whom: Whom) -> Result<(), RegistryError> {
        let ignored = &self.person(person)?.ignored;
        if let Whom::Person(other) = whom {
            self.person(other)?;
            if other == person {
                return Err(RegistryError::NotAllowed("nobody can ignore themself"));
            }
        }
        if ignored.contains(&whom) {
            return Ok(());
        }
        if ignored.len() >= IGNORED {
            let remedy = "hear somebody again first, or ask an operator for help";
            return Err(RegistryError::TooMany { what: "people whom you ignore", max: IGNORED, remedy });
        }
        self.commit(vec![Change::Ignore(person, whom)])
    }

    /// A person wants to hear somebody again, and every guest that looks like them. Says whether they were ignored.
    ///
    /// # Errors
    /// `no_such_person`; when it cannot be written.
    pub fn unignore(&mut self, person: PersonId, whom: &Whom) -> Result<bool, RegistryError> {
        let alike = self.person(person)?.ignored.iter().filter(|ignored| ignored.is_like(whom));
        let changes: Vec<_> = alike.map(|alike| Change::Unignore(person, alike.clone())).collect();
        let any = !changes.is_empty();
        self.commit(changes)?;
        Ok(any)
    }

    /// Whom a person ignores. Somebody among them may have been forgotten since.
    pub fn ignored(&self, person: PersonId) -> Vec<Whom> {
        self.state
            .people
            .get(&person)
            .map_or_else(Vec::new, |person| person.ignored.iter().cloned().collect())
    }
}
