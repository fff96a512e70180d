//! When something was said: read from the first bytes of a frame, and looked for in a room's log.

use rusqlite::{Connection, params};

use super::sqlite::{last_seq, place, seq_of};
use crate::protocol::time::Time;
use crate::server::batch::Batch;

/// Bytes of a frame in which its moment stands: behind the type, the room, the number and the id.
const HEAD: i64 = 512;

/// The moment of an entry, by its JSON or the beginning of it; of the first one where several lie end to end. Nothing
/// else in a frame can look like it: before it stand a name and numbers, and a quote within them would be escaped.
pub(super) fn moment(json: &[u8]) -> Option<Time> {
    const FIELD: &[u8] = b"\"at\":\"";
    let begin = json.windows(FIELD.len()).position(|window| window == FIELD)? + FIELD.len();
    let rest = json.get(begin..)?;
    let text = rest.get(..rest.iter().position(|byte| *byte == b'"')?)?;
    let moment: jiff::Timestamp = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(Time::from_millis(moment.as_millisecond()))
}

/// Whether an entry was said before a moment. One of which that cannot be read was not.
pub(super) fn is_before(json: &[u8], at: Time) -> bool {
    moment(json).is_some_and(|moment| moment < at)
}

/// The `seq` of the first entry that was said at a moment or after it; one more than the last where there is none. Where
/// the clock was set back in between, one of those that could be meant.
pub(super) fn find(connection: &Connection, room: i64, tail: &[Batch], at: Time) -> rusqlite::Result<u64> {
    let begun = tail.partition_point(|batch| is_before(&batch.bytes, at));
    if let Some(batch) = begun.checked_sub(1).and_then(|last| tail.get(last)) {
        return Ok(within(batch, at));
    }
    let settled = last_seq(connection, room)?;
    let end = tail.first().map_or(settled, |batch| settled.min(batch.first.saturating_sub(1)));
    Ok(last_row_before(connection, room, end, at)?.map_or(1, |row| within(&row, at)))
}

/// The first entry of a batch that was not said before a moment, or the one that follows the batch.
fn within(batch: &Batch, at: Time) -> u64 {
    let entries = batch.entries().into_iter();
    entries.filter(|(_, json)| !is_before(json, at)).map(|(seq, _)| seq).next().unwrap_or(batch.last + 1)
}

/// The last settled row, up to the entry `end`, that begins before a moment. Of the others only the first bytes are read.
fn last_row_before(
    connection: &Connection,
    room: i64,
    end: u64,
    at: Time,
) -> rusqlite::Result<Option<Batch>> {
    let mut begin_of = connection.prepare_cached(
        "SELECT place, substr(frames, 1, ?3) FROM batches WHERE place > ?1 AND place <= ?2
         ORDER BY place DESC LIMIT 1",
    )?;
    // Every row up to `low` begins before `at`, and none behind `high` does.
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        let mut rows = begin_of.query(params![place(room, low), place(room, middle), HEAD])?;
        match rows.next()? {
            Some(row) if !is_before(row.get_ref(1)?.as_blob()?, at) => {
                high = seq_of(row.get(0)?).saturating_sub(1);
            }
            _ => low = middle,
        }
    }
    let mut row = connection.prepare_cached(
        "SELECT place, count, frames FROM batches WHERE place > ?1 AND place <= ?2 ORDER BY place DESC LIMIT 1",
    )?;
    let mut rows = row.query(params![place(room, 0), place(room, high)])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (first, count): (i64, i64) = (row.get(0)?, row.get(1)?);
    let (first, count) = (seq_of(first), u64::try_from(count).unwrap_or(0));
    let bytes = row.get_ref(2)?.as_blob()?.to_vec().into();
    Ok(Some(Batch { first, last: first + count.saturating_sub(1), bytes }))
}
