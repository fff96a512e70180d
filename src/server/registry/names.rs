//! Whose a name is. It belongs to whoever first used it with a key, together with all that looks like it.

use std::collections::BTreeSet;

use super::state::Change;
use super::{PersonId, Registry, RegistryError};
use crate::protocol::limits::{NAME_KEPT, NAMES_PER_PERSON};
use crate::protocol::name::Nick;
use crate::protocol::time::Time;

/// Whether a name that was used then may be taken by another now.
pub(super) fn is_stale(used: Time, now: Time) -> bool {
    used.shifted(i64::try_from(NAME_KEPT.as_millis()).unwrap_or(i64::MAX)) <= now
}

/// Whether two names share what they look like.
pub(super) fn alike(one: &Nick, other: &Nick) -> bool {
    let keys = other.keys();
    one.keys().iter().any(|key| keys.contains(key))
}

impl Registry {
    /// A person uses a name: from now on it is theirs, if it was not already. Beyond [`NAMES_PER_PERSON`] they give
    /// up the name that they used longest ago.
    ///
    /// # Errors
    /// `name_owned` when it, or what it looks like, is somebody else's who used it within [`NAME_KEPT`];
    /// `no_such_person`; when it cannot be written.
    pub fn claim(&mut self, person: PersonId, nick: &Nick, now: Time) -> Result<(), RegistryError> {
        let own = &self.person(person)?.names;
        let looks = nick.keys();
        let mut changes = Vec::new();
        let owners: BTreeSet<PersonId> =
            looks.iter().filter_map(|look| self.state.looks.get(look)).copied().collect();
        for owner in owners.into_iter().filter(|owner| *owner != person) {
            for (name, used) in self.person(owner)?.names.iter().filter(|(name, _)| alike(name, nick)) {
                if !is_stale(*used, now) {
                    return Err(RegistryError::NameOwned { asked: nick.clone(), name: name.clone() });
                }
                changes.push(Change::ForgetName(owner, name.clone()));
            }
        }
        if looks.iter().all(|look| self.state.looks.get(look) == Some(&person)) {
            // Another spelling takes no place of its own.
            let same = own.iter().filter(|(name, _)| alike(name, nick));
            // A clock that was set back must not make a name look unused.
            changes.extend(same.map(|(name, used)| Change::Name(person, name.clone(), now.max(*used))));
            // When a name was used last is not worth keeping anybody out whose name it is.
            return match self.commit(changes) {
                Err(RegistryError::Store(_)) => Ok(()),
                done => done,
            };
        } else {
            if own.len() >= NAMES_PER_PERSON
                && let Some((oldest, _)) = own.iter().min_by_key(|(_, used)| **used)
            {
                changes.push(Change::ForgetName(person, oldest.clone()));
            }
            changes.push(Change::Name(person, nick.clone(), now));
        }
        self.commit(changes)
    }

    /// Who owns a name, or something that looks like it: no guest may use it. Where it looks like names of two people
    /// this is one of them, and [`Registry::claim`] refuses it to both.
    pub fn owner(&self, nick: &Nick, now: Time) -> Option<PersonId> {
        nick.keys().iter().find_map(|look| {
            let owner = *self.state.looks.get(look)?;
            let names = &self.state.people.get(&owner)?.names;
            let kept = names.iter().any(|(name, used)| !is_stale(*used, now) && alike(name, nick));
            kept.then_some(owner)
        })
    }

    /// The names of a person, with when each was last used, the latest first.
    pub fn names(&self, person: PersonId) -> Vec<(Nick, Time)> {
        let Some(person) = self.state.people.get(&person) else { return Vec::new() };
        let mut names: Vec<_> = person.names.iter().map(|(nick, used)| (nick.clone(), *used)).collect();
        names.sort_by_key(|(_, used)| std::cmp::Reverse(*used));
        names
    }

    /// What a person was called last.
    pub fn latest_name(&self, person: PersonId) -> Option<&Nick> {
        let names = &self.state.people.get(&person)?.names;
        names.iter().max_by_key(|(_, used)| **used).map(|(nick, _)| nick)
    }
}
