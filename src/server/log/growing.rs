//! A commit that is being made: drafts become entries, each with its `seq`, encoded behind each other.
//!
//! Most change no table: messages of people who are known, in rooms that are there. There is a transaction only for a commit that
//! does, from its first change on.

use std::collections::HashMap;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::changes::{self, Change, Verdict};
use super::ids::Ids;
use super::people::LastPerson;
use super::sqlite::{MOST_ROOMS, place, room_of, seq_of};
use super::{Draft, Fresh, Outcome, StoreError};
use crate::protocol::event::{Entry, EntryKind, EntryText};
use crate::protocol::limits::BATCH_BYTES;
use crate::protocol::name::RoomName;
use crate::protocol::time::Time;
use crate::server::batch::{Batch, Builder};

/// What the writer knows of a room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Its number.
    pub(super) id: i64,
    /// The `seq` of its last entry.
    pub(super) last: u64,
}

/// See the module. Dropped, it takes back what it changed in the tables.
pub(super) struct Growing<'a, 'c> {
    connection: &'c Connection,
    /// What was changed in the tables so far.
    transaction: Option<Transaction<'c>>,
    rooms: &'a HashMap<RoomName, Room>,
    ids: &'a mut Ids,
    now: Time,
    /// The rooms that have got any.
    grown: Vec<Grown>,
    /// Where each stands there.
    places: HashMap<RoomName, usize>,
    /// Where the last one stands: mostly the next entry is one more of it.
    latest: usize,
    /// A message was deleted.
    deletes: bool,
    last_person: LastPerson,
}

/// What a commit has come to. The rooms' ends, and who is the last person, hold once it is stored.
pub(super) struct Grew<'c> {
    /// What the rooms have got, and where they end now.
    pub(super) fresh: Vec<(Room, Fresh)>,
    /// The last person.
    pub(super) last_person: LastPerson,
    /// What it changes in the tables, if anything.
    pub(super) transaction: Option<Transaction<'c>>,
}

/// A room, and what it has got.
struct Grown {
    name: RoomName,
    room: Room,
    /// Batches that are as large as one may be.
    full: Vec<Batch>,
    open: Builder,
    topic: Option<EntryText>,
}

impl<'a, 'c> Growing<'a, 'c> {
    /// Nothing was added yet.
    pub(super) fn new(
        connection: &'c Connection,
        rooms: &'a HashMap<RoomName, Room>,
        ids: &'a mut Ids,
        last_person: LastPerson,
    ) -> Self {
        let (transaction, now, deletes) = (None, Time::now(), false);
        let (grown, places, latest) = (Vec::new(), HashMap::new(), 0);
        Self { connection, transaction, rooms, ids, now, grown, places, latest, deletes, last_person }
    }

    /// Gives an entry its place, unless its id has one. Ids are noted at once: whoever gives up the commit has them
    /// forgotten.
    pub(super) fn add(&mut self, draft: &Draft) -> rusqlite::Result<Outcome> {
        let id = draft.id;
        if let Some(found) = self.ids.find(self.connection, id)? {
            return Ok(if self.room(&draft.room).is_some_and(|room| room.id == room_of(found)) {
                Outcome::Known { id, seq: seq_of(found) }
            } else {
                Outcome::Failed { id, error: StoreError::IdInUse }
            });
        }
        if let Some(error) = draft.refusal {
            return Ok(Outcome::Failed { id, error });
        }
        let now = self.now;
        if changes::is_change(draft.kind) {
            match self.note_change(draft)? {
                Verdict::Noted => self.deletes |= draft.kind == EntryKind::Deleted,
                Verdict::Known(seq) => return Ok(Outcome::Known { id, seq }),
                Verdict::Refused(error) => return Ok(Outcome::Failed { id, error }),
            }
        }
        if let Some(author) = draft.author {
            self.last_person.note(author);
        }
        let grown = self.grown(&draft.room)?;
        let seq = grown.room.last + 1;
        grown.open.push(&Entry {
            kind: draft.kind,
            room: draft.room.clone(),
            seq,
            id,
            at: now,
            from: draft.from.clone(),
            author: draft.author,
            text: draft.text.clone(),
            action: draft.action,
            reply_to: draft.reply_to,
            target: draft.target,
            off: draft.off,
            now: None,
        });
        grown.room.last = seq;
        if draft.kind == EntryKind::Topic {
            grown.topic = Some(draft.text.clone());
        }
        if grown.open.len() >= BATCH_BYTES {
            grown.full.extend(grown.open.take());
        }
        let place = place(grown.room.id, seq);
        self.ids.note(id, place);
        Ok(Outcome::Stored { id, seq })
    }

    /// Whether any message was deleted.
    pub(super) fn deletes(&self) -> bool {
        self.deletes
    }

    /// Decides about a draft that changes a message, and notes what it changes.
    fn note_change(&mut self, draft: &Draft) -> rusqlite::Result<Verdict> {
        let missing = Ok(Verdict::Refused(StoreError::NoSuchEntry));
        let Some(room) = self.room(&draft.room) else { return missing };
        let change = Change::new(self.tables()?, room.id, room.last + 1, draft);
        change.map_or(missing, |change| change.note())
    }

    /// What is to be stored, and what else belongs to it.
    pub(super) fn finish(mut self) -> rusqlite::Result<Grew<'c>> {
        let mut last_person = self.last_person;
        if last_person.has_risen() {
            last_person.write(self.tables()?)?;
        }
        let mut fresh = Vec::with_capacity(self.grown.len());
        for Grown { name, room, mut full, mut open, topic } in std::mem::take(&mut self.grown) {
            full.extend(open.take());
            if let Some(topic) = &topic {
                let mut set = self.tables()?.prepare_cached("UPDATE rooms SET topic = ?2 WHERE id = ?1")?;
                set.execute(params![room.id, topic.as_str()])?;
            }
            fresh.push((room, Fresh { room: name, batches: full, topic }));
        }
        Ok(Grew { fresh, last_person, transaction: self.transaction })
    }

    /// The tables, to change them.
    fn tables(&mut self) -> rusqlite::Result<&Connection> {
        let transaction = match self.transaction.take() {
            Some(transaction) => transaction,
            None => Transaction::new_unchecked(self.connection, TransactionBehavior::Immediate)?,
        };
        Ok(self.transaction.insert(transaction))
    }

    /// A room that has any entries.
    fn room(&self, name: &RoomName) -> Option<Room> {
        let grown = self.place(name).map(|place| self.grown[place].room);
        grown.or_else(|| self.rooms.get(name).copied())
    }

    /// Where a room stands that has got any.
    fn place(&self, name: &RoomName) -> Option<usize> {
        let is_latest = self.grown.get(self.latest).is_some_and(|grown| grown.name == *name);
        if is_latest { Some(self.latest) } else { self.places.get(name).copied() }
    }

    /// A room that is about to get an entry; it comes to be by its first one.
    fn grown(&mut self, name: &RoomName) -> rusqlite::Result<&mut Grown> {
        self.latest = match self.place(name) {
            Some(place) => place,
            None => {
                let room = match self.rooms.get(name) {
                    Some(room) => *room,
                    None => new_room(self.tables()?, name)?,
                };
                let (full, open) = (Vec::new(), Builder::default());
                self.grown.push(Grown { name: name.clone(), room, full, open, topic: None });
                self.places.insert(name.clone(), self.grown.len() - 1);
                self.grown.len() - 1
            }
        };
        Ok(&mut self.grown[self.latest])
    }
}

/// Makes a room without entries.
pub(super) fn new_room(connection: &Connection, name: &RoomName) -> rusqlite::Result<Room> {
    connection.prepare_cached("INSERT INTO rooms (name) VALUES (?1)")?.execute(params![name.as_str()])?;
    let id = connection.last_insert_rowid();
    if id > MOST_ROOMS {
        return Err(rusqlite::Error::IntegralValueOutOfRange(0, id));
    }
    Ok(Room { id, last: 0 })
}
