//! The index in SQLite: `schema.rs` its file, `write.rs` what the indexer does to it, `read.rs` what a search asks it,
//! `pool.rs` the connections for that.

pub(super) mod pool;
mod read;
mod schema;
mod write;

use std::io;

use thiserror::Error;

use crate::protocol::command::Has;
use crate::protocol::link::links;
use crate::protocol::name::Nick;
use crate::protocol::time::Time;

pub(super) use write::Tables;

/// Why the index could not be used.
#[derive(Debug, Error)]
pub(super) enum IndexError {
    /// What is in its file is no index, or not a whole one: it must be made anew.
    #[error("the index of the search is damaged: {0}")]
    Damaged(rusqlite::Error),
    /// Somebody did not want to wait for the end.
    #[error("it was interrupted")]
    Interrupted,
    /// Anything else that SQLite says.
    #[error("the index of the search cannot be used: {0}")]
    Sqlite(rusqlite::Error),
    /// Its file.
    #[error("the file of the index of the search cannot be used: {0}")]
    File(#[from] io::Error),
}

impl From<rusqlite::Error> for IndexError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, OperationInterrupted};
        // A table that is missing was there once.
        let is_table_missing = matches!(error, rusqlite::Error::SqlInputError { .. });
        match error.sqlite_error_code() {
            Some(OperationInterrupted) => Self::Interrupted,
            Some(DatabaseCorrupt | NotADatabase) => Self::Damaged(error),
            _ if is_table_missing => Self::Damaged(error),
            _ => Self::Sqlite(error),
        }
    }
}

/// Bits of a number below the milliseconds. What has no place among 1,024 in its millisecond goes on in the next one. A moment of this
/// century fits with them into the 53 bits that a number of JavaScript has.
const NUMBER_BITS: u32 = 10;

/// Bits of a place that hold the `seq`, as in the log.
const SEQ_BITS: u32 = 40;

/// The first number of a moment.
fn number_at(at: Time) -> i64 {
    at.as_millis().clamp(0, i64::MAX >> NUMBER_BITS) << NUMBER_BITS
}

fn place(room: i64, seq: u64) -> i64 {
    let most = (1 << SEQ_BITS) - 1;
    (room << SEQ_BITS) | i64::try_from(seq.min(most)).unwrap_or(i64::MAX)
}

fn room_of(place: i64) -> i64 {
    place >> SEQ_BITS
}

fn seq_of(place: i64) -> u64 {
    u64::try_from(place).unwrap_or(0) & ((1 << SEQ_BITS) - 1)
}

/// The words for what is not in the text of a message: room, nick, author, and what is in it. They begin with a
/// character that a text cannot have, so a search for a text never finds them.
mod meta {
    use super::{Has, Nick, links};

    pub(super) fn room(id: i64) -> String {
        format!("\u{E000}r{id}")
    }

    /// By what it looks like, and in capitals or not; in digits, because a nick may have signs that end a word.
    pub(super) fn nick(nick: &Nick) -> String {
        let [_, folded] = nick.keys();
        let digits: String = folded.bytes().map(|byte| format!("{byte:02x}")).collect();
        format!("\u{E000}n{digits}")
    }

    pub(super) fn author(author: u64) -> String {
        format!("\u{E000}a{author}")
    }

    pub(super) fn has(has: Has) -> &'static str {
        match has {
            Has::Link => "\u{E000}l",
            // Nobody can share a file yet, so no message has this.
            Has::File => "\u{E000}f",
        }
    }

    /// Those for what is in a text.
    pub(super) fn of_text(text: &str) -> Option<&'static str> {
        (!links(text).is_empty()).then_some(has(Has::Link))
    }
}

/// Changes an index behind the back of its server.
#[cfg(test)]
pub(super) fn change(path: impl AsRef<std::path::Path>, sql: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}
