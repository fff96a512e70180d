//! The beginning of a room's log is forgotten: entries that are older than they shall be kept.
//!
//! In steps, so that what is said meanwhile waits for one of them and no longer. `seq` goes on as if nothing had happened,
//! and `rooms.first` says where the log begins; an id that was stored once stays known.

use bytes::Bytes;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::moment::is_before;
use super::sqlite::{last_seq, place, seq_of};
use super::{LogError, schema};
use crate::protocol::time::Time;
use crate::server::batch::Batch;

/// Settled rows in one step, of 64 KiB or little more each: a few milliseconds.
const ROWS: usize = 16;

/// What one step has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The first entry that is still there.
    pub(super) first: u64,
    /// No settled entry is left but the last one.
    pub(super) at_end: bool,
    /// Whether anything was taken out.
    pub(super) changed: bool,
    /// There may be more to do.
    pub(super) more: bool,
}

/// Takes out what was said before a moment, up to the entry `up_to`. Ends at the first entry that is not older: where a clock
/// once ran ahead, it is kept for too long rather than not long enough. The last settled entry always stays: by it the room
/// knows how far it has counted.
pub(super) fn step(
    connection: &mut Connection,
    room: i64,
    before: Time,
    up_to: u64,
) -> Result<Step, LogError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let last = last_seq(&transaction, room)?;
    let end = up_to.min(last.saturating_sub(1));
    let rows = rows(&transaction, room, end)?;
    let begun = rows.first().map(|batch| batch.first);
    let begins: i64 =
        transaction.query_row("SELECT first FROM rooms WHERE id = ?1", [room], |row| row.get(0))?;
    let mut first = begun.unwrap_or_else(|| u64::try_from(begins).unwrap_or(1));
    let mut more = rows.len() == ROWS;
    for batch in rows {
        let stays = |(seq, json): &(u64, &[u8])| *seq > end || !is_before(json, before);
        let kept = batch.entries().iter().find(|entry| stays(entry)).map(|(seq, _)| *seq);
        if kept == Some(batch.first) {
            more = false;
            break;
        }
        transaction.execute("DELETE FROM batches WHERE place = ?1", [place(room, batch.first)])?;
        first = kept.unwrap_or(batch.last + 1);
        if kept.is_some() {
            schema::insert(&transaction, room, Some(&batch.after(first - 1)))?;
            more = false;
            break;
        }
    }
    let changed = begun.is_some_and(|begun| begun < first);
    if changed {
        forget_places(&transaction, room, first)?;
        transaction.commit()?;
    }
    Ok(Step { first, at_end: first >= last, changed, more: more && changed })
}

/// The next rows from the beginning of a room that hold anything up to `end`.
fn rows(transaction: &Transaction<'_>, room: i64, end: u64) -> Result<Vec<Batch>, LogError> {
    let mut rows = transaction.prepare_cached(
        "SELECT place, count, frames FROM batches WHERE place > ?1 AND place <= ?2 ORDER BY place LIMIT ?3",
    )?;
    let limit = i64::try_from(ROWS).unwrap_or(i64::MAX);
    let mut rows = rows.query(params![place(room, 0), place(room, end), limit])?;
    let mut batches = Vec::new();
    while let Some(row) = rows.next()? {
        let (first, count): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (first, count) = (seq_of(first), u64::try_from(count).unwrap_or(0));
        let frames = Bytes::copy_from_slice(row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?);
        let damaged = |_| LogError::Garbled { room: format!("room {room}"), seq: first };
        batches.push(Batch::of_frames(first, count, frames).map_err(damaged)?);
    }
    Ok(batches)
}

/// The room begins at `first` now: whatever is kept of the entries before it, beside the entries themselves, goes too.
fn forget_places(transaction: &Transaction<'_>, room: i64, first: u64) -> rusqlite::Result<()> {
    // Not from the list of what is to be purged, nor what is noted of it: what edited a deleted message may still be there,
    // and is found and known as deleted by these alone. The purge takes them out when it is done.
    for table in ["changed", "edits", "reactions", "tallies"] {
        let forget = format!(
            "DELETE FROM {table} WHERE target >= ?1 AND target < ?2
             AND target NOT IN (SELECT target FROM purges)"
        );
        transaction.execute(&forget, [place(room, 0), place(room, first)])?;
    }
    let first = i64::try_from(first).unwrap_or(i64::MAX);
    transaction.execute("UPDATE rooms SET first = ?2 WHERE id = ?1", [room, first]).map(drop)
}
