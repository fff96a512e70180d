//! What the indexer does to the index. Each call is one transaction, and takes the index from one position in the log to the
//! next.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use uuid::Uuid;

use super::{IndexError, NUMBER_BITS, meta, number_at, place, schema};
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::term::each_term;
use crate::server::search::change::{Change, Said, Taken};

/// Messages that are taken out in one transaction, at most, when those of a time long ago go.
const FORGOTTEN_AT_ONCE: u32 = 1000;

/// Pages of a file that is written anew within some tenths of a second: 16 MiB.
const SMALL_PAGES: u32 = 4096;

/// The index, open for writing.
#[derive(Debug)]
pub(crate) struct Tables {
    connection: Connection,
    /// The newest number that is taken.
    newest: i64,
    /// Words for nicks: to make one takes longer than all the rest of a message.
    nicks: HashMap<Nick, String>,
}

/// Nicks of which the word is remembered.
const NICKS: usize = 1000;

impl Tables {
    /// Opens the index of `log`; see [`schema::open`].
    ///
    /// # Errors
    /// When there is none and none can be made.
    pub(crate) fn open(path: &Path, log: Uuid) -> Result<Self, IndexError> {
        Self::of(schema::open(path, log)?)
    }

    /// Makes an empty one in its place.
    ///
    /// # Errors
    /// When that cannot be done.
    pub(crate) fn renew(&mut self, path: &Path, log: Uuid) -> Result<(), IndexError> {
        // Closed first: at its end SQLite removes what was written ahead, by its name, and that must not be the new one's.
        self.connection = Connection::open_in_memory()?;
        *self = Self::of(schema::make(path, log)?)?;
        Ok(())
    }

    fn of(connection: Connection) -> Result<Self, IndexError> {
        let newest: Option<i64> =
            connection.query_row("SELECT max(number) FROM docs", [], |row| row.get(0))?;
        Ok(Self { connection, newest: newest.unwrap_or(0), nicks: HashMap::new() })
    }

    /// How far each room is in the index.
    ///
    /// # Errors
    /// When the index cannot be used.
    pub(crate) fn positions(&self) -> Result<Vec<(String, u64)>, IndexError> {
        let mut statement = self.connection.prepare("SELECT name, upto FROM rooms")?;
        let rows = statement.query_map([], |row| {
            let upto: i64 = row.get(1)?;
            Ok((row.get(0)?, u64::try_from(upto).unwrap_or(0)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Takes up what was read from the log. Says whether anything was taken out for it.
    ///
    /// # Errors
    /// When the index cannot be written; then nothing was taken up.
    pub(crate) fn take_up(&mut self, taken: &[Taken]) -> Result<bool, IndexError> {
        if self.nicks.len() > NICKS {
            self.nicks.clear();
        }
        let Self { connection, newest, nicks } = self;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut took_out = false;
        // What was said and changed in one go needs to be taken up once only.
        let mut fresh: BTreeMap<i64, &Said> = BTreeMap::new();
        let mut edited: HashMap<i64, &str> = HashMap::new();
        for Taken { room, changes, upto } in taken {
            let id = room_id(&transaction, room)?;
            for change in changes {
                match change {
                    Change::Said(said) => {
                        fresh.insert(place(id, said.seq), said);
                    }
                    Change::Edited { target, text } if fresh.contains_key(&place(id, *target)) => {
                        edited.insert(place(id, *target), text);
                    }
                    Change::Edited { target, text } => {
                        took_out |= replace(&transaction, place(id, *target), text)?;
                    }
                    Change::Deleted { target } => {
                        let place = place(id, *target);
                        took_out |= fresh.remove(&place).is_none() && take_out(&transaction, place)?;
                    }
                }
            }
            let upto = i64::try_from(*upto).unwrap_or(i64::MAX);
            transaction
                .prepare_cached("UPDATE rooms SET upto = ?2 WHERE id = ?1")?
                .execute(params![id, upto])?;
        }
        // In the order of time, in which the index grows at its end.
        let mut fresh: Vec<(i64, &Said)> = fresh.into_iter().collect();
        fresh.sort_by_key(|(_, said)| said.at);
        let mut last = *newest;
        for (place, said) in fresh {
            let number = free_number(&transaction, number_at(said.at), last)?;
            last = last.max(number);
            let text = edited.get(&place).copied().unwrap_or(&said.text);
            let nick = nicks.entry(said.nick.clone()).or_insert_with(|| meta::nick(&said.nick));
            let mut words = vec![meta::room(super::room_of(place)), nick.clone()];
            words.extend(said.author.map(meta::author));
            insert(&transaction, number, place, &words.join(" "), text)?;
        }
        if took_out {
            note_unclean(&transaction)?;
        }
        transaction.commit()?;
        *newest = last;
        Ok(took_out)
    }

    /// Takes out what a room had before `below`, as much as one transaction takes. Says whether there may be more.
    ///
    /// # Errors
    /// When the index cannot be used.
    pub(crate) fn forget(&mut self, room: &RoomName, below: u64) -> Result<bool, IndexError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let id = room_id(&transaction, room)?;
        let places: Vec<i64> = transaction
            .prepare_cached("SELECT place FROM docs WHERE place >= ?1 AND place < ?2 LIMIT ?3")?
            .query_map(params![place(id, 0), place(id, below), FORGOTTEN_AT_ONCE], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for place in &places {
            take_out(&transaction, *place)?;
        }
        if !places.is_empty() {
            note_unclean(&transaction)?;
        }
        transaction.commit()?;
        Ok(places.len() >= FORGOTTEN_AT_ONCE as usize)
    }

    /// Whether something was taken out since [`Self::clean`].
    ///
    /// # Errors
    /// When the index cannot be used.
    pub(crate) fn is_unclean(&self) -> Result<bool, IndexError> {
        Ok(self.connection.query_row("SELECT unclean FROM origin", [], |row| row.get(0))?)
    }

    /// Whether [`Self::clean`] takes a moment only.
    ///
    /// # Errors
    /// When the index cannot be used.
    pub(crate) fn is_small(&self) -> Result<bool, IndexError> {
        Ok(self.pages()? <= SMALL_PAGES)
    }

    /// Bytes on the disk that [`Self::clean`] takes while it runs: a copy, and as much written ahead.
    ///
    /// # Errors
    /// When the index cannot be used.
    pub(crate) fn needed_to_clean(&self) -> Result<u64, IndexError> {
        let page: u32 = self.connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        Ok(2 * u64::from(self.pages()?) * u64::from(page))
    }

    fn pages(&self) -> Result<u32, IndexError> {
        Ok(self.connection.pragma_query_value(None, "page_count", |row| row.get(0))?)
    }

    /// Writes the whole file anew, without anything that was taken out, and empties what is written ahead. SQLite overwrites what
    /// it gives free, but leaves copies of rows that it moves within its pages. Says whether it could: somebody may be
    /// reading what is written ahead.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub(crate) fn clean(&self) -> Result<bool, IndexError> {
        let rewritten = self.connection.execute_batch("VACUUM");
        // Also after a failure, which leaves as much as it had written ahead.
        let busy =
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        rewritten?;
        let busy = busy?;
        if busy == 0 {
            self.connection.execute("UPDATE origin SET unclean = 0", [])?;
        }
        Ok(busy == 0)
    }
}

fn note_unclean(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute("UPDATE origin SET unclean = 1", []).map(drop)
}

fn room_id(transaction: &Transaction<'_>, room: &RoomName) -> rusqlite::Result<i64> {
    let mut known = transaction.prepare_cached("SELECT id FROM rooms WHERE name = ?1")?;
    if let Some(id) = known.query_row(params![room.as_str()], |row| row.get(0)).optional()? {
        return Ok(id);
    }
    transaction.prepare_cached("INSERT INTO rooms (name) VALUES (?1)")?.execute(params![room.as_str()])?;
    Ok(transaction.last_insert_rowid())
}

/// A number for a moment that nobody has, the first that follows those of the same moment. `newest` is taken.
fn free_number(transaction: &Transaction<'_>, moment: i64, newest: i64) -> rusqlite::Result<i64> {
    if moment > newest {
        return Ok(moment);
    }
    let mut last =
        transaction.prepare_cached("SELECT max(number) FROM docs WHERE number BETWEEN ?1 AND ?2")?;
    let mut moment = moment;
    loop {
        let end = moment | ((1 << NUMBER_BITS) - 1);
        let taken: Option<i64> = last.query_row(params![moment, end], |row| row.get(0))?;
        match taken {
            None => return Ok(moment),
            Some(taken) if taken < end => return Ok(taken + 1),
            Some(_) => moment = end + 1,
        }
    }
}

fn insert(
    transaction: &Transaction<'_>,
    number: i64,
    place: i64,
    words: &str,
    text: &str,
) -> rusqlite::Result<()> {
    let meta = meta::of_text(text).map_or_else(|| words.to_owned(), |has| format!("{words} {has}"));
    let text = terms_of(text);
    transaction
        .prepare_cached("INSERT INTO docs (number, place, meta, text) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![number, place, meta, text])?;
    transaction
        .prepare_cached("INSERT INTO found (rowid, meta, text) VALUES (?1, ?2, ?3)")?
        .execute(params![number, meta, text])?;
    Ok(())
}

fn terms_of(text: &str) -> String {
    let mut terms = String::with_capacity(text.len());
    each_term(text, |_, term| {
        if !terms.is_empty() {
            terms.push(' ');
        }
        terms.push_str(term);
    });
    terms
}

/// A message says something else. Whether it is in the index.
fn replace(transaction: &Transaction<'_>, place: i64, text: &str) -> rusqlite::Result<bool> {
    let Some((number, meta)) = remove(transaction, place)? else { return Ok(false) };
    let words: Vec<&str> = meta.split(' ').filter(|word| *word != meta::has(super::Has::Link)).collect();
    insert(transaction, number, place, &words.join(" "), text)?;
    Ok(true)
}

/// A message is not found any more. Whether it was.
fn take_out(transaction: &Transaction<'_>, place: i64) -> rusqlite::Result<bool> {
    Ok(remove(transaction, place)?.is_some())
}

/// Takes a message out, and says its number and its words for what is not in its text.
fn remove(transaction: &Transaction<'_>, place: i64) -> rusqlite::Result<Option<(i64, String)>> {
    let found: Option<(i64, String, String)> = transaction
        .prepare_cached("SELECT number, meta, text FROM docs WHERE place = ?1")?
        .query_row(params![place], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((number, meta, text)) = found else { return Ok(None) };
    transaction
        .prepare_cached("INSERT INTO found (found, rowid, meta, text) VALUES ('delete', ?1, ?2, ?3)")?
        .execute(params![number, meta, text])?;
    transaction.prepare_cached("DELETE FROM docs WHERE number = ?1")?.execute(params![number])?;
    Ok(Some((number, meta)))
}
