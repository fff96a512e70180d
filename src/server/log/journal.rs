//! The journal: what was committed and is not settled yet, in the order of time.
//!
//! One row for each commit, whatever rooms it has entries of: rows side by side in the file, and nothing between them, are
//! the cheapest write that there is. A row for each room of each commit wrote three times as much.

use bytes::{Buf, BufMut, Bytes};
use rusqlite::{Connection, params};

use super::sqlite::{place, room_of, seq_of};
use crate::server::batch::Batch;

/// Adds what a commit has brought: batches, and the numbers of their rooms.
pub(super) fn add<'a>(
    connection: &Connection,
    commit: impl Iterator<Item = (i64, &'a Batch)>,
) -> rusqlite::Result<()> {
    let mut row = Vec::new();
    for (room, batch) in commit {
        row.put_i64(place(room, batch.first));
        row.put_u64(batch.last - batch.first + 1);
        row.put_u64(batch.bytes.len() as u64);
        row.put_slice(&batch.bytes);
    }
    if !row.is_empty() {
        connection.prepare_cached("INSERT INTO journal (batches) VALUES (?1)")?.execute(params![row])?;
    }
    Ok(())
}

/// All that is in it, with the numbers of the rooms. `None` for what is no batch, where it ends.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Vec<(i64, Option<Batch>)>> {
    let mut all = Vec::new();
    let mut rows = connection.prepare("SELECT batches FROM journal ORDER BY number")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let mut row = Bytes::copy_from_slice(row.get_ref(0)?.as_blob()?);
        while !row.is_empty() {
            let (room, batch) = batch(&mut row).unwrap_or_default();
            let is_last = batch.is_none();
            all.push((room, batch));
            if is_last {
                return Ok(all);
            }
        }
    }
    Ok(all)
}

/// The next batch of a row, and the number of its room.
fn batch(row: &mut Bytes) -> Option<(i64, Option<Batch>)> {
    let (place, count) = (row.try_get_i64().ok()?, row.try_get_u64().ok()?);
    let length = usize::try_from(row.try_get_u64().ok()?).ok().filter(|length| *length <= row.len())?;
    Some((room_of(place), Batch::of_frames(seq_of(place), count, row.split_to(length)).ok()))
}

/// Takes everything out of it.
pub(super) fn clear(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM journal", []).map(drop)
}
