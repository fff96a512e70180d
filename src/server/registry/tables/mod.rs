//! The tables in SQLite: a row for everything that is known, and nothing else.
//!
//! One connection reads and writes. What is committed survives the end of the program, however sudden
//! (`synchronous=NORMAL` in WAL mode); a power cut may cost the last moments, unless [`Durability::Power`] is asked for.

mod read;
mod rows;
mod schema;
mod write;

use std::path::Path;

use rusqlite::Connection;
use tracing::error;

use super::audit::AuditEntry;
use super::error::OpenError;
use super::state::{Change, State};
use crate::server::log::{Durability, StoreError};
use crate::server::registry::ReadMark;

/// An open file.
#[derive(Debug)]
pub(super) struct Tables {
    connection: Connection,
}

impl Tables {
    /// Opens a file, or makes one, for its owner only.
    pub(super) fn open(path: &Path, durability: Durability) -> Result<Self, OpenError> {
        schema::open(path, durability).map(|connection| Self { connection })
    }

    /// All that they hold, but for the audit log.
    pub(super) fn load(&self) -> Result<State, OpenError> {
        let path = Path::new(self.connection.path().unwrap_or(super::FILE));
        read::state(&self.connection).map_err(|error| schema::unreadable(path, &error))
    }

    /// Writes all of it, or nothing.
    pub(super) fn write(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        write::all(&mut self.connection, changes).map_err(|error| failed(&error))
    }

    /// The audit log, newest first.
    pub(super) fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        read::audit(&self.connection, before, limit).map_err(|error| failed(&error))
    }

    /// How far people have read the rooms.
    pub(super) fn read_marks(&self) -> Result<Vec<ReadMark>, StoreError> {
        read::read_marks(&self.connection).map_err(|error| failed(&error))
    }

    /// Empties the write-ahead log into the file, so that the file alone is all there is. From now on nothing can be
    /// read or written.
    pub(super) fn close(&mut self) {
        let closed = Connection::open_in_memory().and_then(|nothing| {
            std::mem::replace(&mut self.connection, nothing).close().map_err(|(_, error)| error)
        });
        if let Err(error) = closed {
            error!(%error, "what is known of people could not be closed in order; the next start repairs it");
        }
    }

    /// From now on nothing can be written.
    #[cfg(test)]
    pub(super) fn break_down(&self) {
        self.connection.pragma_update(None, "query_only", true).unwrap();
    }

    /// Brings a file up to date that can get no more than so many further pages.
    #[cfg(test)]
    pub(super) fn migrate_within(path: &Path, pages: i64) -> Result<(), OpenError> {
        schema::open_within(path, pages)
    }

    /// What is flushed to the disk, and when, by SQLite's number for it.
    #[cfg(test)]
    pub(super) fn synchronous(&self) -> i64 {
        self.connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap()
    }

    /// Something else than this program does to the file.
    #[cfg(test)]
    pub(super) fn tamper(&self, sql: &str) -> Result<(), String> {
        self.connection.execute_batch(sql).map_err(|error| error.to_string())
    }
}

/// The particulars are for the host's log; what is said to people is in the error.
fn failed(error: &rusqlite::Error) -> StoreError {
    error!(%error, "what is known of people could not be stored or read");
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => StoreError::Full,
        _ => StoreError::Failed,
    }
}
