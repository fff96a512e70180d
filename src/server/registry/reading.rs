//! How far people have read the rooms, as it is kept. In memory it is in [`reading`](crate::server::reading), which
//! hears of it far more often than it is written.

use super::state::Change;
use super::{PersonId, Registry, RegistryError};
use crate::protocol::name::RoomName;
use crate::protocol::time::Time;

/// How far one person has read one room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadMark {
    /// Who.
    pub person: PersonId,
    /// Which room.
    pub room: RoomName,
    /// Up to which entry.
    pub seq: u64,
    /// Since when.
    pub at: Time,
}

impl Registry {
    /// All that is kept.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_marks(&self) -> Result<Vec<ReadMark>, RegistryError> {
        Ok(self.tables.read_marks()?)
    }

    /// Keeps these marks, in place of what was kept of the same person and room; and forgets others.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_read(
        &mut self,
        marks: Vec<ReadMark>,
        forgotten: Vec<(PersonId, RoomName)>,
    ) -> Result<(), RegistryError> {
        let forgotten = forgotten.into_iter().map(|(person, room)| Change::ForgetRead(person, room));
        self.commit(marks.into_iter().map(Change::Read).chain(forgotten).collect())
    }
}
