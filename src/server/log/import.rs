//! A room from elsewhere comes into a log that no server uses: all of it, or nothing.
//!
//! What comes is the room as it reads now: messages with their present text, and topics. They are counted anew, from 1 and
//! without a gap, so an answer to something that stays behind answers nothing. Who wrote them is a name and no number:
//! numbers mean somebody else in another parlor.

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, ErrorCode as SqliteCode, params};
use thiserror::Error;
use uuid::Uuid;

use super::growing::new_room;
use super::journal::Journal;
use super::sqlite::{self, Durability, last_seq, place};
use super::store::{SETTLED_BYTES, take_up};
use super::{LogError, schema, unusable};
use crate::protocol::event::{Entry, EntryKind, EntryText};
use crate::protocol::limits::TOPIC_BYTES;
use crate::protocol::name::RoomName;
use crate::protocol::text::{Line, Text, TextError};
use crate::server::batch::Builder;

/// Why something does not come into a log.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The log itself.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Something was said in the room already.
    #[error("{0} has entries already: give another room with --room")]
    NotEmpty(RoomName),
    /// People could not tell the two apart.
    #[error("{room} looks like {alike}, which is there: give another room with --room")]
    LooksAlike {
        /// The new one.
        room: RoomName,
        /// The one that is there.
        alike: RoomName,
    },
    /// It is not in the order of a log.
    #[error("the entry {seq} comes after {after}: the entries must be in the order of the log they are from")]
    Order {
        /// Its number.
        seq: u64,
        /// The one before it.
        after: u64,
    },
    /// Each id is in a log once.
    #[error("the log has an entry with the id {0} already: it was imported before, or is from this parlor")]
    Known(Uuid),
    /// The text of an entry.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Of a newer version.
    #[error("this is a kind of entry that this version does not know: upgrade parlor")]
    Kind,
    /// Neither a message nor a topic.
    #[error("there is nothing to import in it")]
    Nothing,
}

impl From<rusqlite::Error> for ImportError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Log(error.into())
    }
}

/// A room on its way into a log. Dropped before [`Import::finish`], it leaves the log as it was.
#[derive(Debug)]
pub struct Import {
    connection: Connection,
    room: RoomName,
    /// Its number.
    id: i64,
    /// What the entries were counted by before, in their order.
    before: Vec<u64>,
    /// The last number that came, of whichever kind.
    last: u64,
    open: Builder,
    topic: Option<Line>,
    /// Nobody else opens the log meanwhile.
    _lock: File,
}

impl Import {
    /// Opens the log in the folder `data`, or makes one, for a room without entries.
    ///
    /// # Errors
    /// When a server uses the log, when it cannot be opened, or when the room has entries or looks like another.
    pub fn begin(data: &Path, room: &RoomName) -> Result<Self, ImportError> {
        let lock = sqlite::lock(data)?;
        let path = data.join(super::FILE);
        let open = || {
            let (connection, id) = sqlite::open(&path, Durability::Power)?;
            take_up(connection, Journal::open(data, id, Durability::Power)?)
        };
        let connection = open().map_err(|error| match error {
            LogError::Sqlite(error) => unusable(&path, error),
            other => other,
        })?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut there = None;
        for (id, stored) in sqlite::rooms(&connection)? {
            if stored.name == *room {
                there = Some(id);
            } else if stored.name.keys().iter().any(|key| room.keys().contains(key)) {
                return Err(ImportError::LooksAlike { room: room.clone(), alike: stored.name });
            }
        }
        let id = there.map_or_else(|| new_room(&connection, room).map(|room| room.id), Ok)?;
        if last_seq(&connection, id)? > 0 {
            return Err(ImportError::NotEmpty(room.clone()));
        }
        let (room, open) = (room.clone(), Builder::default());
        Ok(Self { connection, room, id, before: Vec::new(), last: 0, open, topic: None, _lock: lock })
    }

    /// The next entry. One that changes another stays behind: what it did is in that one; and so does a deleted one.
    ///
    /// # Errors
    /// When it is out of order, known already, or not as an entry must be.
    pub fn add(&mut self, entry: Entry) -> Result<(), ImportError> {
        if entry.seq <= self.last {
            return Err(ImportError::Order { seq: entry.seq, after: self.last });
        }
        self.last = entry.seq;
        let text: EntryText = match entry.kind {
            EntryKind::Edited | EntryKind::Deleted | EntryKind::Reacted => return Ok(()),
            EntryKind::Unknown => return Err(ImportError::Kind),
            EntryKind::Message if entry.now.as_ref().is_some_and(|now| now.deleted) => return Ok(()),
            EntryKind::Message => Text::new(entry.text.as_str())?.into(),
            EntryKind::Topic => {
                let topic = Line::new(entry.text.as_str())?;
                if topic.as_str().len() > TOPIC_BYTES {
                    return Err(TextError::TooLong { bytes: topic.as_str().len(), max: TOPIC_BYTES }.into());
                }
                self.topic = Some(topic.clone());
                topic.into()
            }
        };
        let reply_to = entry.reply_to.and_then(|seq| self.renumbered(seq));
        let (id, number) = (entry.id, entry.seq);
        let seq = self.before.len() as u64 + 1;
        let (author, target, off, now) = (None, None, false, None);
        let room = self.room.clone();
        self.open.push(&Entry { room, seq, text, reply_to, author, target, off, now, ..entry });
        self.before.push(number);
        self.note(id, seq)?;
        if self.open.len() >= SETTLED_BYTES {
            self.settle()?;
        }
        Ok(())
    }

    /// All of it is in the log, for good: how many entries.
    ///
    /// # Errors
    /// When there were none, or when they cannot be written.
    pub fn finish(mut self) -> Result<u64, ImportError> {
        if self.before.is_empty() {
            return Err(ImportError::Nothing);
        }
        self.settle()?;
        if let Some(topic) = &self.topic {
            let set = "UPDATE rooms SET topic = ?2 WHERE id = ?1";
            self.connection.execute(set, params![self.id, topic.as_str()])?;
        }
        self.connection.execute_batch("COMMIT")?;
        self.connection.close().map_err(|(_, error)| error)?;
        Ok(self.before.len() as u64)
    }

    /// What an entry that came is counted by here.
    fn renumbered(&self, seq: u64) -> Option<u64> {
        self.before.binary_search(&seq).ok().map(|index| index as u64 + 1)
    }

    fn note(&self, id: Uuid, seq: u64) -> Result<(), ImportError> {
        let mut insert = self.connection.prepare_cached("INSERT INTO ids (id, place) VALUES (?1, ?2)")?;
        match insert.execute(params![id.as_bytes(), place(self.id, seq)]) {
            Ok(_) => Ok(()),
            Err(error) if error.sqlite_error_code() == Some(SqliteCode::ConstraintViolation) => {
                Err(ImportError::Known(id))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn settle(&mut self) -> rusqlite::Result<()> {
        schema::insert(&self.connection, self.id, self.open.take().as_ref())
    }
}
