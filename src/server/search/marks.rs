//! How far the log is, and how far the index. The lock is held for moments only, also by the thread that has time for
//! nobody: the publisher takes it for each batch.

use std::collections::{HashMap, HashSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::protocol::name::RoomName;
use crate::server::log::StoredRoom;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Marks {
    state: Mutex<State>,
    /// Rung when there is something to do, and nothing was before.
    bell: Condvar,
}

#[derive(Debug, Default)]
struct State {
    rooms: HashMap<RoomName, Mark>,
    work: Work,
    /// Entries that were published since the thread took its work.
    said: u64,
    /// The thread has taken its work and is not done with it.
    is_busy: bool,
    is_closing: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    published: u64,
    indexed: u64,
}

/// What there is to do.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Rooms of which something was published.
    pub(super) rooms: HashSet<RoomName>,
    /// What has expired: all before this `seq`.
    pub(super) expired: HashMap<RoomName, u64>,
    /// The file is damaged.
    pub(super) anew: bool,
}

impl Work {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.rooms.is_empty() && self.expired.is_empty() && !self.anew
    }
}

impl Marks {
    /// With what the log had at the start. Nothing of it is in the index until [`Self::indexed`] says so.
    pub(super) fn new(rooms: &[StoredRoom]) -> Self {
        let mut state = State::default();
        for room in rooms.iter().filter(|room| room.last > 0) {
            let before = room.first.saturating_sub(1);
            state.rooms.insert(room.name.clone(), Mark { published: room.last, indexed: before });
            state.work.rooms.insert(room.name.clone());
            if before > 0 {
                // What was not taken out of the index before the last end is now.
                state.work.expired.insert(room.name.clone(), room.first);
            }
        }
        Self { state: Mutex::new(state), bell: Condvar::new() }
    }

    pub(super) fn published(&self, room: &RoomName, last: u64) {
        let mut state = self.lock_to_add();
        let before = state.rooms.get(room).map_or(0, |mark| mark.published);
        state.said += last.saturating_sub(before);
        match state.rooms.get_mut(room) {
            Some(mark) => mark.published = last,
            None => drop(state.rooms.insert(room.clone(), Mark { published: last, indexed: 0 })),
        }
        if !state.work.rooms.contains(room) {
            state.work.rooms.insert(room.clone());
        }
    }

    pub(super) fn forget(&self, room: &RoomName, below: u64) {
        self.lock_to_add().work.expired.insert(room.clone(), below);
    }

    pub(super) fn damaged(&self) {
        self.lock_to_add().work.anew = true;
    }

    /// The index has a room up to here.
    pub(super) fn indexed(&self, room: &RoomName, upto: u64) {
        if let Some(mark) = self.lock().rooms.get_mut(room) {
            mark.indexed = mark.indexed.max(upto);
        }
    }

    /// The index is empty: there is all to do again.
    pub(super) fn none_indexed(&self) {
        let mut state = self.lock();
        let State { rooms, work, .. } = &mut *state;
        for (room, mark) in rooms {
            mark.indexed = 0;
            work.rooms.insert(room.clone());
        }
    }

    /// How far the index has a room, and how far it was published.
    pub(super) fn of(&self, room: &RoomName) -> (u64, u64) {
        let mark = self.lock().rooms.get(room).copied().unwrap_or_default();
        (mark.indexed, mark.published)
    }

    /// The thread is to end.
    pub(super) fn close(&self) {
        self.lock().is_closing = true;
        self.bell.notify_all();
    }

    /// Whether the thread is to end.
    pub(super) fn are_closing(&self) -> bool {
        self.lock().is_closing
    }

    /// Waits until there is something to do, or the thread is to end; for so long, if that is said.
    pub(super) fn wait_for_work(&self, at_most: Option<Duration>) {
        let is_idle = |state: &mut State| state.work.is_empty() && !state.is_closing;
        match at_most {
            Some(time) => drop(self.bell.wait_timeout_while(self.lock(), time, is_idle)),
            None => drop(self.bell.wait_while(self.lock(), is_idle)),
        }
    }

    /// Waits for so long, or until the thread is to end.
    pub(super) fn pause(&self, time: Duration) {
        drop(self.bell.wait_timeout_while(self.lock(), time, |state| !state.is_closing));
    }

    /// All that there is to do, for the thread, which says by [`Self::done`] that it did it; and how many entries were
    /// published since it took the last.
    pub(super) fn take(&self) -> (Work, u64) {
        let mut state = self.lock();
        state.is_busy = true;
        (std::mem::take(&mut state.work), std::mem::take(&mut state.said))
    }

    /// What was taken is done, but for this.
    pub(super) fn done(&self, left: Work) {
        let mut state = self.lock();
        state.is_busy = false;
        state.work.rooms.extend(left.rooms);
        state.work.anew |= left.anew;
        for (room, below) in left.expired {
            let there = state.work.expired.entry(room).or_default();
            *there = below.max(*there);
        }
    }

    /// Whether there is nothing to do.
    pub(super) fn are_even(&self) -> bool {
        let state = self.lock();
        !state.is_busy && state.work.is_empty()
    }

    /// Entries of these rooms that are not in the index.
    pub(super) fn behind<'a>(&self, rooms: impl IntoIterator<Item = &'a RoomName>) -> u64 {
        let state = self.lock();
        let marks = rooms.into_iter().filter_map(|room| state.rooms.get(room));
        marks.map(|mark| mark.published.saturating_sub(mark.indexed)).sum()
    }

    /// For whoever adds to what there is to do.
    fn lock_to_add(&self) -> MutexGuard<'_, State> {
        let state = self.lock();
        if state.work.is_empty() {
            self.bell.notify_all();
        }
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
