//! From the tables: every row is the change that would make it again.

use crate::server::door::Lock;
use std::num::NonZeroU32;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::rows::{banned, by, foreign, nick, role, time, until, whom};
use crate::protocol::hex::Hex;
use crate::protocol::name::RoomName;
use crate::protocol::proof::{Cost, ProofKey};
use crate::protocol::text::Line;
use crate::server::registry::audit::{AuditEntry, Deed};
use crate::server::registry::state::{Change, State};
use crate::server::registry::{Ban, Invitation, Mute, PersonId, ReadMark, RoomRules};

/// All there is, but for the audit log. What others refer to is read first.
pub(super) fn state(connection: &Connection) -> rusqlite::Result<State> {
    let mut state = State::default();
    let mut load = |sql: &str, change: fn(&Row<'_>) -> rusqlite::Result<Change>| {
        for change in rows(connection, sql, [], change)? {
            state.apply(change);
        }
        Ok::<(), rusqlite::Error>(())
    };
    load("SELECT id, role, since FROM people", |row| {
        Ok(Change::Person(PersonId(row.get(0)?), role(row, 1)?, time(row, 2)?))
    })?;
    load("SELECT key, person, since FROM keys", |row| {
        Ok(Change::Key(Hex(row.get(0)?), PersonId(row.get(1)?), time(row, 2)?))
    })?;
    load("SELECT person, nick, used FROM names", |row| {
        Ok(Change::Name(PersonId(row.get(0)?), nick(row, 1)?, time(row, 2)?))
    })?;
    load("SELECT person, target FROM ignores", |row| {
        Ok(Change::Ignore(PersonId(row.get(0)?), whom(row, 1)?))
    })?;
    load("SELECT subject, reason, by_person, by_nick, at, until FROM bans", |row| {
        Ok(Change::Ban(Ban {
            subject: banned(row, 0)?,
            reason: line(row, 1)?,
            by: by(row, 2)?,
            at: time(row, 4)?,
            until: until(row, 5)?,
        }))
    })?;
    load("SELECT subject, nullif(room, ''), reason, by_person, by_nick, at, until FROM mutes", |row| {
        Ok(Change::Mute(Mute {
            whom: whom(row, 0)?,
            room: perhaps_room(row, 1)?,
            reason: line(row, 2)?,
            by: by(row, 3)?,
            at: time(row, 5)?,
            until: until(row, 6)?,
        }))
    })?;
    load("SELECT name, topic_locked, private, invite_only, salt, key, owner, retention FROM rooms", |row| {
        let salt: Option<[u8; 16]> = row.get(4)?;
        let key: Option<[u8; 32]> = row.get(5)?;
        let rules = RoomRules {
            topic_locked: row.get(1)?,
            private: row.get(2)?,
            invite_only: row.get(3)?,
            key: salt.zip(key).map(|(salt, key)| (Hex(salt), ProofKey::from_bytes(key))),
            owner: row.get::<_, Option<i64>>(6)?.map(PersonId),
            retention: row.get::<_, Option<i64>>(7)?.map(|kept| Duration::from_secs(kept.unsigned_abs())),
            ..RoomRules::default()
        };
        Ok(Change::Rules(room(row, 0)?, rules))
    })?;
    load("SELECT room, person FROM allowed", |row| Ok(Change::Allow(room(row, 0)?, PersonId(row.get(1)?))))?;
    load("SELECT id, key, by_person, by_nick, at, uses, until, room FROM tickets", |row| {
        Ok(Change::Ticket(Invitation {
            id: Hex(row.get(0)?),
            key: ProofKey::from_bytes(row.get(1)?),
            by: by(row, 2)?,
            at: time(row, 4)?,
            uses: row.get::<_, Option<u32>>(5)?.and_then(NonZeroU32::new),
            until: until(row, 6)?,
            room: perhaps_room(row, 7)?,
        }))
    })?;
    load("SELECT salt, n, r, p, key FROM door", |row| {
        let cost = Cost { n: row.get(1)?, r: row.get(2)?, p: row.get(3)? };
        let key = ProofKey::from_bytes(row.get(4)?);
        Ok(Change::Door(Some(Lock { salt: Hex(row.get(0)?), cost, key })))
    })?;
    // The highest that was ever given, also to somebody who was forgotten since.
    let last: Option<i64> = connection
        .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'people'", [], |row| row.get(0))
        .optional()?;
    state.last_person = last.unwrap_or(0);
    Ok(state)
}

/// The audit log, newest first, from before a number or from its end.
pub(super) fn audit(
    connection: &Connection,
    before: Option<u64>,
    limit: usize,
) -> rusqlite::Result<Vec<AuditEntry>> {
    let sql = "SELECT number, at, by_person, by_nick, deed, subject, particulars FROM audit
        WHERE number < ?1 ORDER BY number DESC LIMIT ?2";
    let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    rows(connection, sql, params![before, limit], |row| {
        Ok(AuditEntry {
            number: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
            at: time(row, 1)?,
            by: by(row, 2)?,
            deed: Deed::from_word(row.get_ref(4)?.as_str()?),
            subject: line(row, 5)?,
            particulars: line(row, 6)?,
        })
    })
}

/// How far people have read the rooms.
pub(super) fn read_marks(connection: &Connection) -> rusqlite::Result<Vec<ReadMark>> {
    rows(connection, "SELECT person, room, seq, at FROM read", [], |row| {
        let seq = u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
        Ok(ReadMark { person: PersonId(row.get(0)?), room: room(row, 1)?, seq, at: time(row, 3)? })
    })
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(params, read)?.collect()
}

/// Sanitised when it was made; cheap to be sure of all the same.
fn line(row: &Row<'_>, column: usize) -> rusqlite::Result<Line> {
    Ok(Line::lossy(row.get_ref(column)?.as_str()?))
}

fn room(row: &Row<'_>, column: usize) -> rusqlite::Result<RoomName> {
    let raw: String = row.get(column)?;
    RoomName::new(&raw).map_err(|_| foreign(column, &raw))
}

fn perhaps_room(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<RoomName>> {
    if row.get_ref(column)? == rusqlite::types::ValueRef::Null {
        Ok(None)
    } else {
        room(row, column).map(Some)
    }
}
