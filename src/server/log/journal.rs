//! The journal: what was committed and is not settled yet, in the order of time.
//!
//! A file of its own, to which a commit is added by one write: the cheapest way there is to keep something. A
//! transaction of SQLite's writes whole pages, each of them twice, and what is taken out again a third time.
//!
//! What a commit does to tables besides, by an edit or in a new room, belongs into one transaction with its entries. These
//! go to the table `journal` then, and take with them what was in the file alone. So the tables hold, at any moment, all that
//! was committed up to some commit, and the file what comes after it:
//!
//! - Commits are numbered: 1, 2, 3, … The tables know which was their last one.
//! - Of the file counts what follows that one without a gap. What the tables have too is passed over.
//! - What was not written to its end is at the end of the file, nobody has heard of it, and it is passed over. Whatever else
//!   is no commit is damage: at the end of the file it is told and passed over, before others it is left as it is.
//! - When all is settled the file is emptied, and what is deleted is not in it any more.

mod record;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bytes::{Buf, BufMut, Bytes};
use rusqlite::{Connection, OptionalExtension as _, params};
use tracing::{error, warn};
use uuid::Uuid;

use super::LogError;
use super::sqlite::{Durability, place, room_of, seq_of};
use crate::server::batch::Batch;
use crate::server::private::open_private;
use record::Ending;

/// The file in the data folder. Where a log was closed in order there is none.
pub const FILE: &str = "parlor.journal";

/// Under which the number of the last settled commit stands in `meta`.
const SETTLED: &str = "settled";

/// Bytes that are kept for the next record: a larger one gives them back.
const KEPT: usize = 256 << 10;

/// See the module. The one who has it also has the writing connection.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// The log's id.
    log: Uuid,
    durability: Durability,
    /// Bytes of the file that count.
    end: u64,
    /// There may be more behind them, which is to be cut off before anything is added.
    is_torn: bool,
    /// The number of the last commit.
    last: u64,
    /// The number of the last commit that is settled.
    settled: u64,
    /// What is in no table.
    alone: Vec<(i64, Batch)>,
    /// The next record, while it is made.
    record: Vec<u8>,
}

impl Journal {
    /// Opens the file in the folder of the log with this id, or makes it.
    pub(super) fn open(folder: &Path, log: Uuid, durability: Durability) -> Result<Self, LogError> {
        let path = folder.join(FILE);
        let at = |error| LogError::File(path.display().to_string(), error);
        let file = open_private(&path).map_err(at)?;
        #[cfg(unix)]
        if durability == Durability::Power {
            // A new file is there after a power cut if its folder says so.
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(at)?;
        }
        let (end, is_torn, last, settled) = (0, false, 0, 0);
        let (alone, record) = (Vec::new(), Vec::new());
        Ok(Self { path, file, log, durability, end, is_torn, last, settled, alone, record })
    }

    /// All that is not settled, with the numbers of the rooms. `None` for what is no batch, where it ends.
    pub(super) fn take_up(&mut self, connection: &Connection) -> Result<Vec<(i64, Option<Batch>)>, LogError> {
        self.settled = settled(connection)?;
        self.last = last(connection)?;
        let mut all = Vec::new();
        let mut rows = connection.prepare("SELECT batches FROM journal ORDER BY number")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            batches(
                Bytes::copy_from_slice(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?),
                &mut all,
            );
        }
        let file = Bytes::from(fs::read(&self.path).map_err(|error| self.failed(error))?);
        let (records, ending) = record::read(&file, self.log);
        if let Ending::Damaged(at) = ending {
            return Err(LogError::DamagedJournal { path: self.path.display().to_string(), at });
        }
        let in_tables = all.len();
        for record in records {
            if record.number > self.last + 1 {
                error!(
                    path = %self.path.display(),
                    after = self.last,
                    "the log ends before the journal goes on: what is in it is lost"
                );
                break;
            }
            if record.number > self.last {
                self.last = record.number;
                batches(record.content, &mut all);
            }
            self.end = record.end as u64;
        }
        self.alone =
            all[in_tables..].iter().filter_map(|(room, batch)| Some((*room, batch.clone()?))).collect();
        self.is_torn = self.end < file.len() as u64;
        if self.is_torn {
            let bytes = file.len() as u64 - self.end;
            let path = self.path.display();
            if ending == Ending::Spoilt {
                error!(%path, bytes, "the end of the journal is damaged: what was said last is lost");
            } else {
                warn!(%path, bytes, "the end of the journal is no whole commit: it is cut off");
            }
        }
        Ok(all)
    }

    /// Stores a commit that changes no table: batches, and the numbers of their rooms.
    pub(super) fn add(&mut self, commit: Vec<(i64, Batch)>) -> Result<(), LogError> {
        if commit.is_empty() {
            return Ok(());
        }
        record::begin(&mut self.record);
        put(&mut self.record, &commit);
        record::finish(&mut self.record, self.log, self.last + 1);
        let written = self.write();
        let bytes = self.record.len() as u64;
        if self.record.capacity() > KEPT {
            self.record = Vec::new();
        }
        if let Err(error) = written {
            // What was written of it is in the way, of others too. Where this fails it is tried again before the next one.
            drop(self.cut());
            return Err(self.failed(error));
        }
        self.end += bytes;
        self.last += 1;
        self.alone.extend(commit);
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        self.cut()?;
        self.is_torn = true;
        self.file.write_all(&self.record)?;
        if self.durability == Durability::Power {
            self.file.sync_data()?;
        }
        self.is_torn = false;
        Ok(())
    }

    /// Cuts off what does not count.
    fn cut(&mut self) -> io::Result<()> {
        if self.is_torn {
            self.file.set_len(self.end)?;
            self.is_torn = false;
        }
        Ok(())
    }

    /// Puts a commit that changes tables into the transaction that does so, and what was in the file alone before it.
    /// Once that is committed, [`Journal::added`] must be called.
    pub(super) fn add_to_tables(
        &self,
        transaction: &Connection,
        commit: &[(i64, Batch)],
    ) -> rusqlite::Result<()> {
        let mut row = Vec::new();
        put(&mut row, &self.alone);
        put(&mut row, commit);
        insert(transaction, self.last + 1, &row)
    }

    /// See [`Journal::add_to_tables`].
    pub(super) fn added(&mut self) {
        self.last += 1;
        self.alone.clear();
    }

    /// Takes everything out of the tables, in the transaction that settles it. Once that is committed,
    /// [`Journal::empty`] must be called.
    pub(super) fn settle(&self, transaction: &Connection) -> rusqlite::Result<()> {
        transaction.execute("DELETE FROM journal", [])?;
        if self.last > self.settled {
            let last = i64::try_from(self.last).unwrap_or(i64::MAX);
            let sql = "REPLACE INTO meta (key, value) VALUES (?1, ?2)";
            transaction.prepare_cached(sql)?.execute(params![SETTLED, last])?;
        }
        Ok(())
    }

    /// Empties the file. Where that fails, all is settled nevertheless, and it is emptied before anything is added.
    pub(super) fn empty(&mut self) -> Result<(), LogError> {
        self.settled = self.last;
        self.alone = Vec::new();
        self.is_torn |= self.end > 0;
        self.end = 0;
        self.cut_off()
    }

    /// Cuts off what does not count, if that failed when it should have been done.
    pub(super) fn cut_off(&mut self) -> Result<(), LogError> {
        self.cut().map_err(|error| self.failed(error))
    }

    /// Whether adding a commit is but a write to the file, and no waiting for the disk.
    pub(super) fn is_quick(&self) -> bool {
        self.durability == Durability::Process && !self.is_torn
    }

    /// Whether nothing stands in the file.
    pub(super) fn is_empty(&self) -> bool {
        self.end == 0 && !self.is_torn
    }

    /// Closes the file, and removes it if nothing stands in it.
    pub(super) fn close(self) {
        if self.is_empty() {
            drop(self.file);
            if let Err(error) = fs::remove_file(&self.path) {
                warn!(path = %self.path.display(), %error, "the journal is empty and stays there");
            }
        }
    }

    /// From now on the file is one that can only be read, or one that can be written again.
    #[cfg(test)]
    pub(super) fn make_read_only(&mut self, is_read_only: bool) {
        let file = if is_read_only { File::open(&self.path) } else { open_private(&self.path) };
        self.file = file.unwrap();
    }

    fn failed(&self, error: io::Error) -> LogError {
        LogError::File(self.path.display().to_string(), error)
    }
}

/// Adds to a copy of a log what its journal's file holds beyond it; whether that is whole. The file MUST have been read
/// before the copy was made: then nothing is missing between the two, whatever was settled meanwhile.
///
/// # Errors
/// When the copy cannot be read or written.
pub fn complete(copy: &Path, file: Vec<u8>) -> rusqlite::Result<bool> {
    if file.is_empty() {
        return Ok(true);
    }
    let connection = Connection::open(copy)?;
    let query = "SELECT value FROM meta WHERE key = 'id'";
    let log: [u8; 16] = connection.query_row(query, [], |row| row.get(0))?;
    let (records, ending) = record::read(&file.into(), Uuid::from_bytes(log));
    if let Ending::Damaged(_) = ending {
        return Ok(false);
    }
    let (mut last, mut row) = (last(&connection)?, Vec::new());
    for record in records {
        if record.number == last + 1 {
            last = record.number;
            row.put_slice(&record.content);
        }
    }
    if !row.is_empty() {
        insert(&connection, last, &row)?;
    }
    connection.close().map_err(|(_, error)| error)?;
    Ok(true)
}

/// The number of the last settled commit; 0 without any.
fn settled(connection: &Connection) -> rusqlite::Result<u64> {
    let query = "SELECT value FROM meta WHERE key = ?1";
    let settled: Option<i64> = connection.query_row(query, [SETTLED], |row| row.get(0)).optional()?;
    Ok(settled.and_then(|number| u64::try_from(number).ok()).unwrap_or(0))
}

/// The number of the last commit that the tables have.
fn last(connection: &Connection) -> rusqlite::Result<u64> {
    let query = "SELECT max(number) FROM journal";
    let last: Option<i64> = connection.query_row(query, [], |row| row.get(0))?;
    Ok(settled(connection)?.max(last.and_then(|number| u64::try_from(number).ok()).unwrap_or(0)))
}

fn insert(connection: &Connection, number: u64, row: &[u8]) -> rusqlite::Result<()> {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let sql = "INSERT INTO journal (number, batches) VALUES (?1, ?2)";
    connection.prepare_cached(sql)?.execute(params![number, row]).map(drop)
}

/// Adds batches, and the numbers of their rooms.
pub(super) fn put(row: &mut Vec<u8>, batches: &[(i64, Batch)]) {
    for (room, batch) in batches {
        row.put_i64(place(*room, batch.first));
        row.put_u64(batch.last - batch.first + 1);
        row.put_u64(batch.bytes.len() as u64);
        row.put_slice(&batch.bytes);
    }
}

/// The batches of a row or a record, behind those that there are already. `None` for what is none, where it ends.
fn batches(mut row: Bytes, all: &mut Vec<(i64, Option<Batch>)>) {
    while !row.is_empty() {
        let (room, batch) = batch(&mut row).unwrap_or_default();
        let is_last = batch.is_none();
        all.push((room, batch));
        if is_last {
            return;
        }
    }
}

/// The next batch of a row, and the number of its room.
fn batch(row: &mut Bytes) -> Option<(i64, Option<Batch>)> {
    let (place, count) = (row.try_get_i64().ok()?, row.try_get_u64().ok()?);
    let length = usize::try_from(row.try_get_u64().ok()?).ok().filter(|length| *length <= row.len())?;
    Some((room_of(place), Batch::of_frames(seq_of(place), count, row.split_to(length)).ok()))
}
