//! The log: what was said in each room, in its order.
//!
//! This is the one place where order is made. One thread writes ([`Writer`] is the handle of it), a few
//! connections read ([`Reader`]). The rules:
//!
//! - An entry MUST be committed before anyone hears of it: [`Commit`] is all that leaves the writer.
//! - It MUST be encoded once: what is stored are the very bytes that are sent, now and to whoever catches up.
//! - `seq` MUST count 1, 2, 3, … in each room, without a gap; a commit that fails takes back its numbers. Only the
//!   beginning of a room may be missing, as far as its `first` says: that has expired.
//! - An id that is in the log already MUST NOT be stored again: its sender gets the `seq` it has.
//! - What an entry makes of a message before it MUST be noted in the transaction that stores the entry.
//! - What a deleted message said MUST leave the files soon after, also after a crash: see `purge.rs`. It is the one thing
//!   that is ever changed about an entry.
//!
//! But for the errors, what stands here says nothing of SQLite: drafts go in, entries come out. Another
//! backend answers the same calls. It is a module and not yet a trait because there is one backend today.

mod changes;
mod checkpoint;
mod expiry;
mod growing;
mod ids;
pub mod import;
mod journal;
mod moment;
mod people;
mod present;
mod purge;
mod reader;
mod schema;
mod sqlite;
mod store;
mod tail;
mod unread;
mod writer;

use std::fs::File;
use std::io;
use std::path::Path;

use thiserror::Error;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::protocol::event::{EntryKind, EntryText, ErrorCode, Failure};
use crate::protocol::limits::{EDITS_PER_MESSAGE, REACTIONS_PER_MESSAGE};
use crate::protocol::name::{Nick, RoomName};
use crate::server::batch::Batch;
use crate::server::database::Damaged;
use crate::server::disk::Disk;
use crate::server::hub::Speaker;

use journal::Journal;
use people::LastPerson;
use tail::Tail;

pub use journal::{FILE as JOURNAL, complete};
pub use reader::Reader;
pub use sqlite::Durability;
pub use unread::{Unread, Whose};
pub use writer::Writer;

/// The file in the data folder.
pub const FILE: &str = "parlor.db";

/// An entry on its way into the log: all but its place and its time, which the log gives.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Whose log.
    pub room: RoomName,
    /// What it does.
    pub kind: EntryKind,
    /// Chosen by its sender.
    pub id: Uuid,
    /// Who.
    pub from: Nick,
    /// Who, by a number that stays.
    pub author: Option<u64>,
    /// What.
    pub text: EntryText,
    /// Told as an act.
    pub action: bool,
    /// The `seq` that it answers.
    pub reply_to: Option<u64>,
    /// The `seq` that it changes.
    pub target: Option<u64>,
    /// A reaction is taken back.
    pub off: bool,
    /// Why it may not be stored, if it may not. It is handed over all the same, because it may be in the log already.
    pub refusal: Option<StoreError>,
}

impl Draft {
    /// An entry that changes nothing before it and answers nothing.
    pub fn new(kind: EntryKind, room: RoomName, id: Uuid, by: Speaker, text: impl Into<EntryText>) -> Self {
        let (from, author, text) = (by.nick, Some(by.author), text.into());
        let (action, reply_to, target, off, refusal) = (false, None, None, false, None);
        Self { room, kind, id, from, author, text, action, reply_to, target, off, refusal }
    }
}

/// What became of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the log, for good.
    Stored {
        /// Its id.
        id: Uuid,
        /// Its place.
        seq: u64,
    },
    /// It was there already, under this number.
    Known {
        /// Its id.
        id: Uuid,
        /// Its place.
        seq: u64,
    },
    /// It is not in the log.
    Failed {
        /// Its id.
        id: Uuid,
        /// Why.
        error: StoreError,
    },
}

/// Drafts handed over together, and what they became. `T` is carried along untouched: whoever
/// submits puts there what it needs to answer.
#[derive(Debug)]
pub struct Committed<T> {
    /// One for each draft, in their order.
    pub outcomes: Vec<Outcome>,
    /// What was given with the drafts.
    pub tag: T,
}

/// Entries of one room that were committed together.
#[derive(Debug)]
pub struct Fresh {
    /// Whose log.
    pub room: RoomName,
    /// The entries, consecutive, as they are in the log.
    pub batches: Vec<Batch>,
    /// The last topic that one of them set.
    pub topic: Option<EntryText>,
}

/// One transaction.
#[derive(Debug)]
pub struct Commit<T> {
    /// What everyone may hear of now, of each room in its order.
    pub fresh: Vec<Fresh>,
    /// What to answer.
    pub answers: Vec<Committed<T>>,
}

/// What leaves the writer: one item for each commit, in the order of the log.
pub type Commits<T> = mpsc::Receiver<Commit<T>>;

/// Why something could not be stored.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// No room on the disk.
    #[error(
        "the server's disk is full; nothing was stored. Its host must make room, then it goes on by itself"
    )]
    Full,
    /// Anything else that SQLite says; the server's log has the particulars.
    #[error("the server could not store it; its host finds the reason in the server's log")]
    Failed,
    /// The id belongs to an entry of another room.
    #[error("an entry of another room has this id: every message needs its own")]
    IdInUse,
    /// It changes what is not there.
    #[error("there is no such message in this room: it may have expired")]
    NoSuchEntry,
    /// It changes what was deleted.
    #[error("that message was deleted: nothing can be changed about it any more")]
    Deleted,
    /// Another edit of a message that has as many as it may have.
    #[error("a message can be edited {EDITS_PER_MESSAGE} times, and this one was: say it in another one")]
    TooManyEdits,
    /// Another emoji at a message that has as many as it may have.
    #[error(
        "a message can have {REACTIONS_PER_MESSAGE} different reactions, and this one has them: use one of those"
    )]
    TooManyReactions,
    /// It edits what somebody else said.
    #[error("only who said it can edit it: this message is not yours, or from a former visit as a guest")]
    EditsOthers,
    /// It deletes what somebody else said.
    #[error("this message is not yours: ask who said it, the room's owner or an operator to delete it")]
    DeletesOthers,
    /// A reaction is taken back that is not there.
    #[error("you have no such reaction there: there is nothing to take back")]
    NotReacted,
}

impl StoreError {
    /// The same for the wire.
    pub fn failure(self, id: Uuid) -> Failure {
        let code = match self {
            Self::Full => ErrorCode::StorageFull,
            Self::Failed => ErrorCode::Storage,
            Self::IdInUse => ErrorCode::BadRequest,
            Self::NoSuchEntry | Self::NotReacted => ErrorCode::NoSuchEntry,
            Self::EditsOthers | Self::DeletesOthers => ErrorCode::NotAllowed,
            Self::Deleted => ErrorCode::Deleted,
            Self::TooManyEdits | Self::TooManyReactions => ErrorCode::TooMany,
        };
        Failure { re: Some(id.into()), ..Failure::new(code, &self.to_string()) }
    }
}

/// Why a log could not be opened or read.
#[derive(Debug, Error)]
pub enum LogError {
    /// SQLite's own words.
    #[error("the log cannot be used: {0}")]
    Sqlite(rusqlite::Error),
    /// A file that is something else.
    #[error("{0} is not the log of a parlor: move it away, or choose another folder with --data")]
    NotALog(String),
    /// A folder or file.
    #[error("cannot use {0}: {1}. Another folder can be chosen with --data")]
    File(String, std::io::Error),
    /// No room on the disk, at the opening.
    #[error(
        "the disk is full, and {0} cannot be opened without room: make some, then start again. Nothing was lost"
    )]
    Full(String),
    /// Another server has it open.
    #[error("{0} is in use by another parlor: stop that one, or choose another folder with --data")]
    InUse(String),
    /// Made by a later version of this program.
    #[error("the log was written by a newer parlor (schema {found}, this one knows {known}): upgrade parlor")]
    TooNew {
        /// The schema found.
        found: u32,
        /// The newest that this program knows.
        known: u32,
    },
    /// The library is not the one that this program was tested with.
    #[error("SQLite {0} is too old for WAL's guarantees: at least {1} is needed")]
    OldSqlite(&'static str, &'static str),
    /// It is not whole.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// What was committed lies behind something that nobody has written there.
    #[error(
        "{path} is damaged from byte {at} on, and what comes behind that is whole. It was left as it is: put a copy \
         of the folder back, or move this file away to go on without what is in it"
    )]
    DamagedJournal {
        /// The journal's file.
        path: String,
        /// Where.
        at: usize,
    },
    /// What is in a row was not written there by a parlor.
    #[error("the log of {room} is garbled at {seq}: somebody or something has changed its file")]
    Garbled {
        /// Where.
        room: String,
        /// The first entry that cannot be read.
        seq: u64,
    },
    /// Entries are missing that were stored once.
    #[error("the log of {room} has a hole after {after}: somebody or something has changed its file")]
    Hole {
        /// Where.
        room: String,
        /// The last entry before it.
        after: u64,
    },
    /// The server is closing.
    #[error("the log is closed")]
    Closed,
}

// Not as a source: the sentence holds it already.
impl From<rusqlite::Error> for LogError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// A room that the log knows.
#[derive(Clone, Debug)]
pub struct StoredRoom {
    /// Its name.
    pub name: RoomName,
    /// Its topic, may be empty.
    pub topic: String,
    /// The `seq` of its last entry.
    pub last: u64,
    /// The `seq` of the first entry that has not expired; 1 where none has.
    pub first: u64,
}

/// An open log.
#[derive(Debug)]
pub struct Log<T> {
    /// Of this log, for as long as it lives.
    pub id: Uuid,
    /// The rooms it knows.
    pub rooms: Vec<StoredRoom>,
    /// The highest number of a person that it knows, 0 without any: what is known of people must begin above it.
    pub last_person: u64,
    /// To write.
    pub writer: Writer<T>,
    /// What was written.
    pub committed: Commits<T>,
    /// To read.
    pub reader: Reader,
}

impl<T: Send + 'static> Log<T> {
    /// Opens the log in the folder `data`, or makes one. `disk` says who waits for it.
    ///
    /// # Errors
    /// When the folder cannot be used, is in use, or holds what this version cannot read.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn open(data: &Path, durability: Durability, disk: Disk) -> Result<Self, LogError> {
        let lock = sqlite::lock(data)?;
        let path = data.join(FILE);
        Self::open_file(data, &path, lock, durability, disk).map_err(|error| match error {
            LogError::Sqlite(error) => unusable(&path, error),
            other => other,
        })
    }

    fn open_file(
        data: &Path,
        path: &Path,
        lock: File,
        durability: Durability,
        disk: Disk,
    ) -> Result<Self, LogError> {
        let (connection, id) = sqlite::open(path, durability)?;
        let journal = Journal::open(data, id, durability)?;
        let last_person = LastPerson::read(&connection)?.number();
        let tail = Tail::default();
        let reader = Reader::open(path, tail.clone(), disk)?;
        let (writer, committed, rooms) = Writer::start(connection, journal, tail, lock, disk)?;
        Ok(Self { id, rooms, last_person, writer, committed, reader })
    }
}

/// What SQLite says at the opening, as a sentence that says what to do.
fn unusable(path: &Path, error: rusqlite::Error) -> LogError {
    let shown = path.display().to_string();
    match (Damaged::found(path, &error), error.sqlite_error_code()) {
        (Some(damaged), _) => damaged.into(),
        (None, Some(rusqlite::ErrorCode::NotADatabase)) => LogError::NotALog(shown),
        (None, Some(rusqlite::ErrorCode::DiskFull)) => LogError::Full(shown),
        (None, _) => LogError::File(shown, io::Error::other(error)),
    }
}

#[cfg(test)]
mod tests;
