//! News for one session that are no answers: somebody calls it into a room, or it has read a room on another device.
//!
//! - Nobody reserves a place for them. Of each room only the newest of a kind counts, so they are bounded by
//!   [`NOTES_OWED`]; whoever does not read so long as to be owed more finds the rest when it comes back.
//! - They MUST hold no memory for a session that is owed none.

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::limits::NOTES_OWED;
use crate::protocol::name::RoomName;

/// What one session is owed.
#[derive(Debug, Default)]
pub struct Notes {
    /// Rooms for some alone in which something was said.
    pub called: BTreeSet<RoomName>,
    /// How far one has read rooms, elsewhere.
    pub read: BTreeMap<RoomName, u64>,
}

impl Notes {
    /// Something was said in a room.
    pub(super) fn call(&mut self, room: &RoomName) {
        if self.called.len() < NOTES_OWED {
            self.called.insert(room.clone());
        }
    }

    /// A room was read up to `seq`.
    pub(super) fn read(&mut self, room: &RoomName, seq: u64) {
        if self.read.len() < NOTES_OWED || self.read.contains_key(room) {
            self.read.insert(room.clone(), seq);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(number: usize) -> RoomName {
        RoomName::new(&format!("#{number}")).unwrap()
    }

    #[test]
    fn the_newest_counts_and_there_is_an_end() {
        let mut notes = Notes::default();
        for number in 0..2 * NOTES_OWED {
            notes.call(&room(number));
            notes.read(&room(number), 1);
        }
        notes.read(&room(0), 2);
        assert_eq!((notes.called.len(), notes.read.len()), (NOTES_OWED, NOTES_OWED));
        assert_eq!(notes.read.get(&room(0)), Some(&2));
    }
}
