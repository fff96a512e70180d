//! What a search asks of the index.
//!
//! All that narrows a search is words of the index, also the rooms and who said it, so the index intersects them, from the newest on;
//! nothing is looked at that is not found. What somebody typed goes in as terms between quotation marks and as nothing else:
//! a term has neither quotation marks nor anything else that means something there.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{IndexError, meta, number_at, room_of, seq_of};
use crate::protocol::name::RoomName;
use crate::protocol::query::Phrase;
use crate::server::search::{Match, Wanted, Words};

/// What matches, the newest first, at most `wanted.limit`.
///
/// # Errors
/// When the index cannot be read, and when it was interrupted.
pub(super) fn find(connection: &Connection, wanted: &Wanted) -> Result<Vec<Match>, IndexError> {
    // The rooms and what is in them at one moment.
    let transaction = connection.unchecked_transaction()?;
    let mut rooms: HashMap<i64, RoomName> = HashMap::new();
    for room in &wanted.rooms {
        let mut known = transaction.prepare_cached("SELECT id FROM rooms WHERE name = ?1")?;
        if let Some(id) = known.query_row(params![room.as_str()], |row| row.get(0)).optional()? {
            rooms.insert(id, room.clone());
        }
    }
    if rooms.is_empty() {
        return Ok(Vec::new());
    }
    let all: i64 = transaction.query_row("SELECT count(*) FROM rooms", [], |row| row.get(0))?;
    let is_everywhere = usize::try_from(all).is_ok_and(|all| all == rooms.len());
    let expression = expression(wanted, rooms.keys().copied(), is_everywhere);
    let from = wanted.since.map_or(0, number_at);
    let until = wanted.until.map_or(i64::MAX, number_at);
    let before = wanted.before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
    let mut statement = transaction.prepare_cached(
        "SELECT found.rowid, docs.place FROM found CROSS JOIN docs ON docs.number = found.rowid
         WHERE found MATCH ?1 AND found.rowid >= ?2 AND found.rowid < ?3 ORDER BY found.rowid DESC LIMIT ?4",
    )?;
    let mut rows = statement.query(params![expression, from, until.min(before), wanted.limit])?;
    let mut matches = Vec::new();
    while let Some(row) = rows.next()? {
        let (number, place): (i64, i64) = (row.get(0)?, row.get(1)?);
        if let Some(room) = rooms.get(&room_of(place)) {
            let number = u64::try_from(number).unwrap_or(0);
            matches.push(Match { number, room: room.clone(), seq: seq_of(place) });
        }
    }
    Ok(matches)
}

/// What is looked for, in the language of the index.
fn expression(wanted: &Wanted, rooms: impl Iterator<Item = i64>, is_everywhere: bool) -> String {
    let mut all: Vec<String> = wanted.has.iter().map(|has| quoted(meta::has(*has))).collect();
    all.extend(wanted.nick.as_ref().map(|nick| quoted(&meta::nick(nick))));
    match &wanted.words {
        Words::All(phrases) => all.extend(phrases.iter().map(phrase)),
        Words::Any(phrases) => all.extend(any(phrases.iter().map(phrase))),
    }
    // What holds for all would only cost time, unless nothing else is said.
    if !is_everywhere || all.is_empty() {
        all.extend(any(rooms.map(|id| quoted(&meta::room(id)))));
    }
    let all = all.join(" AND ");
    match wanted.not_by {
        Some(author) => format!("({all}) NOT {}", quoted(&meta::author(author))),
        None => all,
    }
}

fn any(one: impl Iterator<Item = String>) -> Option<String> {
    let one: Vec<String> = one.collect();
    (!one.is_empty()).then(|| format!("({})", one.join(" OR ")))
}

fn phrase(phrase: &Phrase) -> String {
    let said = quoted(&phrase.terms().join(" "));
    if phrase.is_prefix() { format!("{said} *") } else { said }
}

fn quoted(words: &str) -> String {
    format!("\"{words}\"")
}
