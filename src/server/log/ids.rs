//! Which ids the log holds, for ever, without a lookup on the disk for each message.
//!
//! - The newest ids, by their own order, are in memory. An id that is greater than all that were ever left out of memory
//!   is in the log only if it is there; for any other the table is asked. Ids are UUIDs of version 7, which grow with time,
//!   so a message that was just written is decided in memory. Whatever else somebody sends as an id costs a lookup and
//!   changes no answer.
//! - The table gets them when what they belong to is settled, many at once and in their order: one by one they would cost
//!   as much as all the rest of a commit.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use uuid::Uuid;

/// Ids in memory, at least, where there are so many: some minutes of a busy parlor, 3 MiB.
const KEPT: usize = 32 * 1024;

/// Rows of the table that one statement writes.
const AT_ONCE: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// The newest, and all that are not in the table yet, with their places.
    recent: BTreeMap<Uuid, i64>,
    /// Every id of the log from here on is in `recent`.
    from: Uuid,
    /// Not in the table yet, in the order of the log.
    waiting: Vec<(Uuid, i64)>,
}

impl Ids {
    /// What the table holds.
    pub(super) fn open(connection: &Connection) -> rusqlite::Result<Self> {
        let mut ids = Self::default();
        let mut newest = connection.prepare("SELECT id, place FROM ids ORDER BY id DESC LIMIT ?1")?;
        let rows = newest.query_map(params![i64::try_from(KEPT).unwrap_or(i64::MAX)], |row| {
            Ok((Uuid::from_bytes(row.get(0)?), row.get(1)?))
        })?;
        ids.recent = rows.collect::<Result<_, _>>()?;
        if ids.recent.len() == KEPT {
            ids.from = ids.recent.first_key_value().map_or(Uuid::nil(), |(id, _)| *id);
        }
        Ok(ids)
    }

    /// The place of an id that the log holds, or that was noted.
    pub(super) fn find(&self, connection: &Connection, id: Uuid) -> rusqlite::Result<Option<i64>> {
        if let Some(place) = self.recent.get(&id) {
            return Ok(Some(*place));
        }
        if id >= self.from {
            return Ok(None);
        }
        let mut statement = connection.prepare_cached("SELECT place FROM ids WHERE id = ?1")?;
        let mut rows = statement.query(params![id.as_bytes()])?;
        rows.next()?.map(|row| row.get(0)).transpose()
    }

    /// Whether [`Ids::find`] knows of this one without the table.
    pub(super) fn is_in_memory(&self, id: Uuid) -> bool {
        id >= self.from || self.recent.contains_key(&id)
    }

    /// An id comes into the log, unless [`Ids::forget`] is called for it.
    pub(super) fn note(&mut self, id: Uuid, place: i64) {
        self.recent.insert(id, place);
        self.waiting.push((id, place));
    }

    /// How many are noted and not in the table: to go back to, by [`Ids::forget`].
    pub(super) fn mark(&self) -> usize {
        self.waiting.len()
    }

    /// What was noted since the mark did not come into the log.
    pub(super) fn forget(&mut self, mark: usize) {
        for (id, _) in self.waiting.drain(mark..) {
            self.recent.remove(&id);
        }
    }

    /// Puts those that are not in the table there.
    pub(super) fn insert(&self, connection: &Connection) -> rusqlite::Result<()> {
        // In their own order: neighbours in the table are written together.
        let mut sorted = self.waiting.clone();
        sorted.sort_unstable();
        let (many, rest) = sorted.as_chunks::<AT_ONCE>();
        for ids in many {
            insert(connection, ids)?;
        }
        rest.iter().try_for_each(|id| insert(connection, &[*id]))
    }

    /// What was put into the table is there for good: no more than the newest are kept.
    pub(super) fn inserted(&mut self) {
        self.waiting.clear();
        if self.recent.len() > 2 * KEPT {
            let oldest = self.recent.len() - KEPT;
            if let Some(from) = self.recent.keys().nth(oldest).copied() {
                self.recent = self.recent.split_off(&from);
                self.from = from;
            }
        }
    }
}

/// So many at once: SQLite finds the place of each but the first from that of the one before.
fn insert<const N: usize>(connection: &Connection, ids: &[(Uuid, i64); N]) -> rusqlite::Result<()> {
    let sql = format!("INSERT INTO ids (id, place) VALUES (?, ?){}", ", (?, ?)".repeat(N - 1));
    let mut insert = connection.prepare_cached(&sql)?;
    for (row, (id, place)) in ids.iter().enumerate() {
        insert.raw_bind_parameter(2 * row + 1, id.as_bytes())?;
        insert.raw_bind_parameter(2 * row + 2, place)?;
    }
    insert.raw_execute().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        let schema = "CREATE TABLE ids (id BLOB PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID;";
        connection.execute_batch(schema).unwrap();
        connection
    }

    /// The `number`th id in their order.
    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number << 64)
    }

    #[test]
    fn every_id_is_found_wherever_it_is_kept() {
        let connection = table();
        let mut ids = Ids::open(&connection).unwrap();
        let count = i64::try_from(3 * KEPT).unwrap();
        // In an order of their own, as from clocks that differ.
        let number = |place: i64| u128::try_from(place * 7919 % (count + 1)).unwrap();
        for place in 1..=count {
            assert_eq!(ids.find(&connection, id(number(place))).unwrap(), None, "{place}");
            ids.note(id(number(place)), place);
            if place % 1000 == 0 {
                ids.insert(&connection).unwrap();
                ids.inserted();
            }
        }
        assert!(ids.recent.len() <= 2 * KEPT && ids.from > Uuid::nil());
        let again = Ids::open(&connection).unwrap();
        for place in 1..=count {
            let id = id(number(place));
            assert_eq!(ids.find(&connection, id).unwrap(), Some(place));
            let known = again.find(&connection, id).unwrap();
            assert!(known == Some(place) || ids.waiting.contains(&(id, place)));
        }
    }

    #[test]
    fn what_was_not_stored_is_not_known() {
        let connection = table();
        let mut ids = Ids::open(&connection).unwrap();
        ids.note(id(1), 1);
        let mark = ids.mark();
        ids.note(id(2), 2);
        ids.forget(mark);
        assert_eq!(ids.find(&connection, id(1)).unwrap(), Some(1));
        assert_eq!(ids.find(&connection, id(2)).unwrap(), None);
        ids.insert(&connection).unwrap();
        let stored: i64 = connection.query_row("SELECT count(*) FROM ids", [], |row| row.get(0)).unwrap();
        assert_eq!(stored, 1);
    }
}
