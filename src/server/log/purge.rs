//! What was deleted leaves the files: not only the tables, but also what SQLite keeps of former states.
//!
//! A message is deleted by an entry like any other; what it said is purged a moment later, many at once, and never before
//! what waits to be stored. The list of what is to be purged is in the log too, and is struck off only when all is
//! done, so that a crash in between costs a repetition and no secret. In this order:
//!
//! 1. What was said is settled: the journal is empty, its table and its file.
//! 2. The frames of the message, and of the entries that edited it, lose their text where they stand. They keep their places,
//!    and whoever catches up learns from them that it was deleted.
//! 3. The write-ahead log, which holds the former state of all these pages, is written back and cut to nothing.
//!
//! All this in turns, each of which rewrites a few rows: what is said meanwhile waits for one of them and no longer. A message
//! stays on the list until nothing of it is left, and `edits` says until then which of its edits still have their text.
//!
//! That is enough because nothing else in the file holds copies. SQLite overwrites what it gives free, for which it is told
//! when the file is opened. But within pages that are in use it
//! leaves copies of rows where it has moved them, and no setting keeps it from that. So no text stands in rows that
//! are moved: see [`pad`].

use std::collections::BTreeMap;
use std::iter;
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

/// Settled rows that one turn rewrites, of 64 KiB or little more each: a few milliseconds.
pub(super) const ROWS: usize = 16;

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

    /// One turn of purging what is on the list: looks at [`PURGED_AT_ONCE`] messages at most, and rewrites [`ROWS`] rows at most.
    /// All that was said MUST be settled. Whether it is worth going on at once, if anything is left.
    pub(super) fn purge(&mut self, connection: &mut Connection) -> Result<bool, LogError> {
        let done = clear(connection)?;
        // Whoever reads a former state of the log still holds it up; reads are short.
        let emptied = sqlite::empty_write_ahead(connection)?;
        if emptied {
            strike_off(connection, &done)?;
            debug!(messages = done.len(), "purged");
        }
        self.since = None;
        self.due = is_listed(connection)?;
        // What is left goes on as soon as nobody waits.
        let next = if emptied { Duration::ZERO } else { PURGE_AFTER };
        self.remind = self.due.then_some(next);
        Ok(emptied)
    }
}

fn is_listed(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM purges LIMIT 1")?.exists([])
}

/// Takes out the texts of one turn. The messages of which none is left in the tables.
fn clear(connection: &mut Connection) -> rusqlite::Result<Vec<i64>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let targets: Vec<i64> = {
        let mut targets = transaction.prepare_cached("SELECT target FROM purges ORDER BY target LIMIT ?1")?;
        let limit = i64::try_from(PURGED_AT_ONCE).unwrap_or(i64::MAX);
        targets.query_map(params![limit], |row| row.get(0))?.collect::<Result<_, _>>()?
    };
    let (mut turn, mut done) = (Turn::default(), Vec::new());
    for target in targets {
        if turn.take(&transaction, target)? {
            done.push(target);
        }
    }
    for (first, doomed) in turn.rows {
        blank(&transaction, first, &doomed.entries)?;
    }
    transaction.commit()?;
    Ok(done)
}

/// Takes messages off the list. What was noted of one that has expired meanwhile stayed for the purge alone.
fn strike_off(connection: &mut Connection, done: &[i64]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for target in done {
        transaction.prepare_cached("DELETE FROM purges WHERE target = ?1")?.execute(params![target])?;
        let seq = i64::try_from(seq_of(*target)).unwrap_or(i64::MAX);
        transaction
            .prepare_cached(
                "DELETE FROM changed WHERE target = ?1 AND ?2 < (SELECT first FROM rooms WHERE id = ?3)",
            )?
            .execute(params![target, seq, room_of(*target)])?;
    }
    transaction.commit()
}

/// What one turn takes out: at most [`ROWS`] rows by their places, each with all that is to be blanked in it.
#[derive(Default)]
struct Turn {
    rows: BTreeMap<i64, Doomed>,
}

/// What is to be blanked in one row.
struct Doomed {
    /// The place of the row's last entry.
    last: i64,
    /// By `seq`, with that of the deletion.
    entries: BTreeMap<u64, u64>,
}

impl Turn {
    /// Takes a message and its edits in, as far as there is room for their rows; whether that was all.
    fn take(&mut self, connection: &Connection, target: i64) -> rusqlite::Result<bool> {
        let Some(deletion) = deletion(connection, target)? else { return Ok(true) };
        let edits: Vec<i64> = {
            let mut edits =
                connection.prepare_cached("SELECT place FROM edits WHERE target = ?1 ORDER BY place")?;
            edits.query_map(params![target], |row| row.get(0))?.collect::<Result<_, _>>()?
        };
        let mut done = connection.prepare_cached("DELETE FROM edits WHERE target = ?1 AND place = ?2")?;
        let mut is_all = true;
        for at in iter::once(target).chain(edits) {
            if self.take_entry(connection, at, deletion)? {
                done.execute(params![target, at])?;
            } else {
                is_all = false;
            }
        }
        Ok(is_all)
    }

    /// Takes one entry in; whether it was possible. There is nothing to do for one that has expired.
    fn take_entry(&mut self, connection: &Connection, at: i64, deletion: u64) -> rusqlite::Result<bool> {
        let known = self.rows.range_mut(..=at).next_back().filter(|(_, row)| at <= row.last);
        if let Some((_, row)) = known {
            row.entries.insert(seq_of(at), deletion);
            return Ok(true);
        }
        if self.rows.len() >= ROWS {
            return Ok(false);
        }
        let mut row = connection.prepare_cached(
            "SELECT place, place + count - 1 FROM batches WHERE place BETWEEN ?1 AND ?2
             ORDER BY place DESC LIMIT 1",
        )?;
        let row = row.query_row(params![place(room_of(at), 0), at], |row| Ok((row.get(0)?, row.get(1)?)));
        if let Some((first, last)) = row.optional()?.filter(|(_, last)| at <= *last) {
            self.rows.insert(first, Doomed { last, entries: BTreeMap::from([(seq_of(at), deletion)]) });
        }
        Ok(true)
    }
}

/// Takes the texts out of entries of the row at `first`, where there still are any.
fn blank(connection: &Connection, first: i64, doomed: &BTreeMap<u64, u64>) -> rusqlite::Result<()> {
    let mut row = connection.prepare_cached("SELECT count, frames FROM batches WHERE place = ?1")?;
    let (count, frames): (i64, Vec<u8>) =
        row.query_row(params![first], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let count = u64::try_from(count).unwrap_or(0);
    let batch = match Batch::of_frames(seq_of(first), count, frames.into()) {
        Ok(batch) => batch,
        Err(error) => {
            let seq = seq_of(first);
            error!(%error, seq, "a row of the log is garbled: what was deleted in it stays there");
            return Ok(());
        }
    };
    let Some(batch) = without_texts(&batch, doomed) else { return Ok(()) };
    connection
        .prepare_cached("UPDATE batches SET frames = ?2 WHERE place = ?1")?
        .execute(params![first, &*batch.bytes])?;
    Ok(())
}

/// A batch of which some entries, by `seq` and that of the deletion, have no text any more; nothing if they had none already.
fn without_texts(batch: &Batch, doomed: &BTreeMap<u64, u64>) -> Option<Batch> {
    let (mut rebuilt, mut rest) = (Builder::default(), batch.clone());
    let mut has_changed = false;
    for (seq, json) in batch.entries() {
        let Some(deletion) = doomed.get(&seq) else { continue };
        let entry: Entry = match serde_json::from_slice(json) {
            Ok(entry) => entry,
            Err(error) => {
                error!(%error, seq, "an entry of the log is garbled: what was deleted in it stays there");
                continue;
            }
        };
        if entry.text.as_str().is_empty() {
            continue;
        }
        let before = rest.clone().up_to(seq - 1);
        if !before.bytes.is_empty() {
            rebuilt.append(&before);
        }
        rebuilt.push(&blanked(entry, *deletion));
        rest = rest.after(seq);
        has_changed = true;
    }
    if !rest.bytes.is_empty() {
        rebuilt.append(&rest);
    }
    if has_changed { rebuilt.take() } else { None }
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
