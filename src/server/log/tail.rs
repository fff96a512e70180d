//! What was committed and is not settled yet: the end of each room's log, in memory.
//!
//! A commit goes to the journal, where all rooms are mixed in the order of time: the cheapest write that there is. Later, many
//! commits at once are settled: put where they are read, by room. Until then they are here, so whoever is a little
//! behind, or looks at what was just said, is served without the disk.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::protocol::name::RoomName;
use crate::server::batch::Batch;

/// See the module. Clones share it; the writer changes it, the readers look.
#[derive(Clone, Debug, Default)]
pub(super) struct Tail(Arc<Mutex<HashMap<RoomName, Vec<Batch>>>>);

impl Tail {
    /// Entries were committed to a room, behind all that it has.
    pub(super) fn add(&self, room: &RoomName, batches: &[Batch]) {
        let mut rooms = self.lock();
        match rooms.get_mut(room) {
            Some(there) => there.extend_from_slice(batches),
            None => drop(rooms.insert(room.clone(), batches.to_vec())),
        }
    }

    /// The end of a room's log.
    pub(super) fn of(&self, room: &RoomName) -> Vec<Batch> {
        self.lock().get(room).cloned().unwrap_or_default()
    }

    /// The end of a room's log from the entry `first` on, as far as it fits into `bytes`; `None` if that entry is not in it.
    pub(super) fn from(&self, room: &RoomName, first: u64, bytes: usize) -> Option<Vec<Batch>> {
        let rooms = self.lock();
        let there = rooms.get(room)?;
        let begin = there.partition_point(|batch| batch.last < first);
        if there.get(begin)?.first > first {
            return None;
        }
        let mut left = bytes;
        let fits = |batch: &&Batch| {
            let fits = left > 0;
            left = left.saturating_sub(batch.bytes.len());
            fits
        };
        Some(there[begin..].iter().take_while(fits).cloned().collect())
    }

    /// All of it, by room.
    pub(super) fn all(&self) -> Vec<(RoomName, Vec<Batch>)> {
        self.lock().iter().map(|(room, batches)| (room.clone(), batches.clone())).collect()
    }

    /// All of it is settled.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RoomName, Vec<Batch>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
