//! What was deleted leaves the files: not only the tables, but also what SQLite keeps of former states.
//!
//! A message is deleted by an entry like any other; what it said is purged a moment later, many at once, and never before
//! what waits to be stored. The list of what is to be purged is in the log too, and is struck off only when all is
//! done, so that a crash in between costs a repetition and no secret. In this order:
//!
//! 1. What was said is settled: the journal is empty.
//! 2. The frames of the message, and of the entries that edited it, lose their text where they stand. They keep their places,
//!    and whoever catches up learns from them that it was deleted.
//! 3. The write-ahead log, which holds the former state of all these pages, is written back and cut to nothing.
//!
//! That is enough because nothing else in the file holds copies. SQLite overwrites what it gives free, for which it is told
//! when the file is opened: the journal at each settling, which writes a little more for it. But within pages that are in use it
//! leaves copies of rows where it has moved them, and no setting keeps it from that. So no text stands in rows that
//! are moved: see [`pad`].

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use tokio::time::Instant;
use tracing::{debug, error};

use super::LogError;
use super::present::{blanked, deletion};
use super::sqlite::{self, place, room_of, seq_of};
use crate::protocol::event::Entry;
use crate::protocol::limits::{PURGE_AFTER, PURGE_AT_LAST, PURGED_AT_ONCE};
use crate::server::batch::{Batch, Builder};

/// Bytes that one row of zeros has at most, when free pages are overwritten: SQLite takes up to a thousand million.
const ZEROS: i64 = 64 << 20;

/// `batches` gets something before the frames that takes all the bytes of a row that a page of 4096 bytes can hold, 4061: what
/// comes behind them is on pages of its own, which are never moved, and are overwritten as a whole when they are given
/// free. The rows are long, so this costs little.
const PADDED: &str = "
    CREATE TABLE padded (
        place  INTEGER PRIMARY KEY,
        count  INTEGER NOT NULL,
        pad    BLOB    NOT NULL DEFAULT (zeroblob(4061)),
        frames BLOB    NOT NULL
    );
    INSERT INTO padded (place, count, frames) SELECT place, count, frames FROM batches ORDER BY place;
    DROP TABLE batches;
    ALTER TABLE padded RENAME TO batches;
";

/// Brings the file into a state in which nothing but the rows themselves holds what was said.
pub(super) fn pad(transaction: &Connection) -> rusqlite::Result<()> {
    overwrite_free(transaction)?;
    transaction.execute_batch(PADDED)
}

/// When to purge.
#[derive(Debug)]
pub(super) struct Purging {
    /// Something is on the list.
    due: bool,
    /// How long until it is to be tried, where nobody was reminded of it yet.
    remind: Option<Duration>,
    /// Since when it is time.
    since: Option<Instant>,
}

impl Purging {
    /// Goes on with what the last server left to do.
    pub(super) fn new(connection: &Connection) -> rusqlite::Result<Self> {
        let due = is_listed(connection)?;
        Ok(Self { due, remind: due.then_some(PURGE_AFTER), since: None })
    }

    /// A message was deleted.
    pub(super) fn deleted(&mut self) {
        if !self.due {
            (self.due, self.remind) = (true, Some(PURGE_AFTER));
        }
    }

    /// How long until the writer is to be reminded, once for each time.
    pub(super) fn remind(&mut self) -> Option<Duration> {
        self.remind.take()
    }

    /// The time is over.
    pub(super) fn asked(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    /// Whether to do it now: it may wait for as long as others do.
    pub(super) fn is_time(&self, nobody_waits: bool) -> bool {
        let waited = |since: Instant| nobody_waits || since.elapsed() >= PURGE_AT_LAST;
        self.due && self.since.is_some_and(waited)
    }

    /// Whether there is anything to do.
    pub(super) fn is_due(&self) -> bool {
        self.due
    }

    /// It did not work.
    pub(super) fn failed(&mut self) {
        // Not at once: what was wrong, a full disk for example, is wrong for a while.
        (self.since, self.remind) = (None, Some(PURGE_AT_LAST));
    }

    /// Purges what is on the list, at most [`PURGED_AT_ONCE`]. All that was said MUST be settled.
    pub(super) fn purge(&mut self, connection: &mut Connection) -> Result<(), LogError> {
        let targets: Vec<i64> = {
            let mut targets =
                connection.prepare_cached("SELECT target FROM purges ORDER BY target LIMIT ?1")?;
            let limit = i64::try_from(PURGED_AT_ONCE).unwrap_or(i64::MAX);
            targets.query_map(params![limit], |row| row.get(0))?.collect::<Result<_, _>>()?
        };
        clear(connection, &targets)?;
        // Whoever reads a former state of the log still holds it up; reads are short.
        if sqlite::empty_write_ahead(connection)? {
            let last = targets.last().copied().unwrap_or(0);
            connection.execute("DELETE FROM purges WHERE target <= ?1", params![last])?;
            debug!(messages = targets.len(), "purged");
        }
        self.since = None;
        self.due = is_listed(connection)?;
        self.remind = self.due.then_some(PURGE_AFTER);
        Ok(())
    }
}

fn is_listed(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM purges LIMIT 1")?.exists([])
}

fn clear(connection: &mut Connection, targets: &[i64]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for target in targets {
        let Some(deletion) = deletion(&transaction, *target)? else { continue };
        let edits: Vec<i64> = {
            let mut edits = transaction.prepare_cached("SELECT place FROM edits WHERE target = ?1")?;
            edits.query_map(params![target], |row| row.get(0))?.collect::<Result<_, _>>()?
        };
        for place in edits.iter().chain([target]) {
            blank(&transaction, *place, deletion)?;
        }
        transaction.prepare_cached("DELETE FROM edits WHERE target = ?1")?.execute(params![target])?;
    }
    transaction.commit()
}

/// Takes the text out of an entry, where there is still one.
fn blank(connection: &Connection, at: i64, deletion: u64) -> rusqlite::Result<()> {
    let mut row = connection.prepare_cached(
        "SELECT place, count, frames FROM batches WHERE place BETWEEN ?1 AND ?2 ORDER BY place DESC LIMIT 1",
    )?;
    let row = row.query_row(params![place(room_of(at), 0), at], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?))
    });
    let Some((first, count, frames)) = row.optional()? else { return Ok(()) };
    let seq = seq_of(at);
    let count = u64::try_from(count).unwrap_or(0);
    let batch = match Batch::of_frames(seq_of(first), count, frames.into()) {
        Ok(batch) if batch.last >= seq => batch,
        Ok(_) => return Ok(()),
        Err(error) => {
            error!(%error, seq, "a row of the log is garbled: what was deleted in it stays there");
            return Ok(());
        }
    };
    let Some(batch) = without_text(&batch, seq, deletion) else { return Ok(()) };
    connection
        .prepare_cached("UPDATE batches SET frames = ?2 WHERE place = ?1")?
        .execute(params![first, &*batch.bytes])?;
    Ok(())
}

/// A batch whose entry `seq` has no text any more; nothing if it has none already.
fn without_text(batch: &Batch, seq: u64, deletion: u64) -> Option<Batch> {
    let mut rebuilt = Builder::default();
    let [before, after] = [batch.clone().up_to(seq - 1), batch.clone().after(seq)];
    let json = batch.entries().into_iter().find_map(|(at, json)| (at == seq).then_some(json))?;
    let entry: Entry = match serde_json::from_slice(json) {
        Ok(entry) => entry,
        Err(error) => {
            error!(%error, seq, "an entry of the log is garbled: what was deleted in it stays there");
            return None;
        }
    };
    if entry.text.as_str().is_empty() {
        return None;
    }
    if !before.bytes.is_empty() {
        rebuilt.append(&before);
    }
    rebuilt.push(&blanked(entry, deletion));
    if !after.bytes.is_empty() {
        rebuilt.append(&after);
    }
    rebuilt.take()
}

/// Overwrites the pages that the file has free: with zeros that take them all, and are given free again.
fn overwrite_free(connection: &Connection) -> rusqlite::Result<()> {
    let free: i64 = connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    connection.execute_batch("CREATE TABLE blank (zeros BLOB NOT NULL)")?;
    let mut left = free.saturating_mul(page);
    while left > 0 {
        let zeros = left.min(ZEROS);
        connection.execute("INSERT INTO blank (zeros) VALUES (zeroblob(?1))", params![zeros])?;
        left -= zeros;
    }
    connection.execute_batch("DROP TABLE blank")
}
