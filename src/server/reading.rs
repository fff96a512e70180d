//! How far people have read the rooms: known in memory, and written together now and then.
//!
//! - It only ever grows, and MUST be told to whoever asks as soon as it was said.
//! - What is said MUST NOT wait for the disk: a sudden end may cost the last [`READ_KEPT_EVERY`], an orderly one nothing.
//! - It is bounded, for each person and in all.
//!
//! Guests are not in here: nobody could tell later who they were.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::sleep;
use tracing::warn;

use super::people::SharedRegistry;
use super::registry::{PersonId, ReadMark};
use crate::protocol::event::{ErrorCode, Failure};
use crate::protocol::limits::{READ_KEPT_EVERY, READ_POSITIONS, READ_ROOMS};
use crate::protocol::name::RoomName;
use crate::protocol::time::Time;

/// How far each person has read each room.
#[derive(Debug, Default)]
pub struct Positions {
    known: Mutex<Known>,
    /// Rung when there is something to be written.
    bell: Notify,
}

#[derive(Debug, Default)]
struct Known {
    people: HashMap<PersonId, BTreeMap<RoomName, Position>>,
    /// Positions in all.
    count: usize,
    /// What is not written yet: as it is now, or that it is no more.
    changed: BTreeSet<(PersonId, RoomName)>,
}

#[derive(Clone, Copy, Debug)]
struct Position {
    seq: u64,
    at: Time,
}

impl Positions {
    /// What was kept.
    pub fn new(kept: Vec<ReadMark>) -> Self {
        let mut known = Known { count: kept.len(), ..Known::default() };
        for ReadMark { person, room, seq, at } in kept {
            known.people.entry(person).or_default().insert(room, Position { seq, at });
        }
        Self { known: Mutex::new(known), bell: Notify::new() }
    }

    /// How far somebody has read a room, if they ever have.
    pub fn of(&self, person: PersonId, room: &RoomName) -> Option<u64> {
        self.lock().people.get(&person)?.get(room).map(|position| position.seq)
    }

    /// Somebody has read a room up to `seq`. Whether they had not before. Beyond [`READ_ROOMS`] the room is forgotten that
    /// they read longest ago.
    ///
    /// # Errors
    /// `too_many` beyond [`READ_POSITIONS`].
    pub fn read(&self, person: PersonId, room: &RoomName, seq: u64, now: Time) -> Result<bool, Failure> {
        let mut known = self.lock();
        let Known { people, count, changed } = &mut *known;
        let rooms = people.entry(person).or_default();
        let position = Position { seq, at: now };
        match rooms.get_mut(room) {
            Some(before) if before.seq >= seq => return Ok(false),
            Some(before) => *before = position,
            None => {
                if rooms.len() >= READ_ROOMS {
                    let oldest = rooms.iter().min_by_key(|(_, position)| position.at);
                    if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                        rooms.remove(&oldest);
                        *count -= 1;
                        changed.insert((person, oldest));
                    }
                }
                if *count >= READ_POSITIONS {
                    let message =
                        "this parlor cannot keep how far anybody else has read: its host knows more";
                    return Err(Failure::new(ErrorCode::TooMany, message));
                }
                rooms.insert(room.clone(), position);
                *count += 1;
            }
        }
        changed.insert((person, room.clone()));
        self.bell.notify_one();
        Ok(true)
    }

    /// Brings all in line with the log: forgets rooms of which it has nothing (`last` says none), and that somebody read
    /// further than they go.
    pub fn sweep(&self, last: impl Fn(&RoomName) -> Option<u64>) {
        let mut known = self.lock();
        let Known { people, count, changed } = &mut *known;
        people.retain(|person, rooms| {
            rooms.retain(|room, position| {
                let last = last(room).unwrap_or(0);
                if position.seq > last {
                    position.seq = last;
                    changed.insert((*person, room.clone()));
                }
                *count -= usize::from(last == 0);
                last > 0
            });
            !rooms.is_empty()
        });
        if !changed.is_empty() {
            self.bell.notify_one();
        }
    }

    /// Writes what is not written yet. What cannot be written now is with the next.
    pub async fn keep(&self, registry: &SharedRegistry) {
        let changed = std::mem::take(&mut self.lock().changed);
        if changed.is_empty() {
            return;
        }
        let (mut marks, mut forgotten) = (Vec::new(), Vec::new());
        {
            let known = self.lock();
            for (person, room) in &changed {
                match known.people.get(person).and_then(|rooms| rooms.get(room)) {
                    Some(Position { seq, at }) => {
                        marks.push(ReadMark { person: *person, room: room.clone(), seq: *seq, at: *at });
                    }
                    None => forgotten.push((*person, room.clone())),
                }
            }
        }
        let written = registry
            .change(move |registry, _| registry.keep_read(marks, forgotten).map_err(|error| error.failure()))
            .await;
        if let Err(failure) = written {
            warn!(%failure, "how far people have read could not be kept");
            self.lock().changed.extend(changed);
        }
    }

    /// Writes what people have read, at most every [`READ_KEPT_EVERY`], and sleeps while nobody reads.
    pub async fn keep_up(&self, registry: &SharedRegistry) {
        loop {
            self.bell.notified().await;
            sleep(READ_KEPT_EVERY).await;
            self.keep(registry).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Nothing panics half-way in here.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::disk::Disk;
    use crate::server::log::Durability;
    use crate::server::registry::Registry;

    fn room(name: &str) -> RoomName {
        RoomName::new(name).unwrap()
    }

    fn at(millis: i64) -> Time {
        Time::from_millis(millis)
    }

    fn person(number: u64) -> PersonId {
        PersonId::of_number(number).unwrap()
    }

    #[test]
    fn it_only_grows() {
        let positions = Positions::default();
        assert_eq!(positions.of(person(1), &room("#a")), None);
        assert_eq!(positions.read(person(1), &room("#a"), 5, at(0)), Ok(true));
        for seq in [0, 4, 5] {
            assert_eq!(positions.read(person(1), &room("#a"), seq, at(1)), Ok(false));
        }
        assert_eq!(positions.of(person(1), &room("#a")), Some(5));
        assert_eq!(positions.of(person(2), &room("#a")), None);
    }

    #[test]
    fn there_is_an_end_for_each_and_for_all() {
        let positions = Positions::default();
        let name = |n: usize| room(&format!("#{n}"));
        for n in 0..=READ_ROOMS {
            positions.read(person(1), &name(n), 1, at(i64::try_from(n).unwrap())).unwrap();
        }
        assert_eq!(positions.of(person(1), &name(0)), None, "the one that was read longest ago");
        assert_eq!(positions.of(person(1), &name(1)), Some(1));
        assert_eq!(positions.lock().count, READ_ROOMS);
        positions.lock().count = READ_POSITIONS;
        let refused = positions.read(person(2), &name(0), 1, at(0));
        assert_eq!(refused.unwrap_err().code, ErrorCode::TooMany);
        assert_eq!(positions.read(person(1), &name(1), 2, at(0)), Ok(true), "who is in it goes on");
    }

    /// As one who restored an older copy of the log, or began another one, finds it.
    #[tokio::test]
    async fn what_the_log_does_not_have_was_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut registry = Registry::open(folder.path(), Durability::Process, at(0)).unwrap();
        let alice = registry.identify(crate::protocol::hex::Hex([1; 32]), at(0)).unwrap();
        let shared = SharedRegistry::new(registry, Disk::Threads);
        let positions = Positions::default();
        for (name, seq) in [("#a", 5), ("#b", 5), ("#c", 5)] {
            positions.read(alice, &room(name), seq, at(0)).unwrap();
        }
        positions.keep(&shared).await;
        positions.sweep(|name| match name.as_str() {
            "#a" => Some(9),
            "#b" => Some(3),
            _ => None,
        });
        positions.keep(&shared).await;
        let kept = Positions::new(shared.lock().read_marks().unwrap());
        for known in [&positions, &kept] {
            let of = |name| known.of(alice, &room(name));
            assert_eq!((of("#a"), of("#b"), of("#c")), (Some(5), Some(3), None));
            assert_eq!(known.lock().count, 2);
        }
    }
}
