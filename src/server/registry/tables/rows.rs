//! How what is more than a number or a text is written in a row.
//!
//! Somebody is `p:17`, a guest `g:bob`, an address `a:10.0.0.1`.

use rusqlite::Row;
use rusqlite::types::Type;

use crate::protocol::name::Nick;
use crate::protocol::time::Time;
use crate::protocol::words::Role;
use crate::server::registry::{Banned, By, PersonId, Whom};

/// A value that this program did not write.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is nothing that a parlor writes there")]
struct Foreign(String);

/// The error for a column that holds something impossible.
pub(super) fn foreign(column: usize, found: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(Foreign(found.to_owned())))
}

pub(super) fn whom_text(whom: &Whom) -> String {
    match whom {
        Whom::Person(person) => format!("p:{}", person.0),
        Whom::Guest(nick) => format!("g:{nick}"),
    }
}

pub(super) fn whom(row: &Row<'_>, column: usize) -> rusqlite::Result<Whom> {
    let text: String = row.get(column)?;
    let whom = match text.split_once(':') {
        Some(("p", person)) => person.parse().ok().map(|id| Whom::Person(PersonId(id))),
        Some(("g", nick)) => Nick::new(nick).ok().map(Whom::Guest),
        _ => None,
    };
    whom.ok_or_else(|| foreign(column, &text))
}

pub(super) fn banned_text(banned: &Banned) -> String {
    match banned {
        Banned::Person(person) => format!("p:{}", person.0),
        Banned::Address(address) => format!("a:{address}"),
    }
}

pub(super) fn banned(row: &Row<'_>, column: usize) -> rusqlite::Result<Banned> {
    let text: String = row.get(column)?;
    let banned = match text.split_once(':') {
        Some(("p", person)) => person.parse().ok().map(|id| Banned::Person(PersonId(id))),
        Some(("a", address)) => address.parse().ok().map(Banned::Address),
        _ => None,
    };
    banned.ok_or_else(|| foreign(column, &text))
}

/// The two columns of who did it.
pub(super) fn by_columns(by: &By) -> (Option<i64>, Option<&str>) {
    match by {
        By::Parlor => (None, None),
        By::Person(person, nick) => (Some(person.0), Some(nick.as_str())),
    }
}

/// The same, of which the first is `column`.
pub(super) fn by(row: &Row<'_>, column: usize) -> rusqlite::Result<By> {
    let person: Option<i64> = row.get(column)?;
    Ok(match person {
        None => By::Parlor,
        Some(person) => By::Person(PersonId(person), nick(row, column + 1)?),
    })
}

pub(super) fn nick(row: &Row<'_>, column: usize) -> rusqlite::Result<Nick> {
    let raw: String = row.get(column)?;
    Nick::new(&raw).map_err(|_| foreign(column, &raw))
}

pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Time> {
    Ok(Time::from_millis(row.get(column)?))
}

pub(super) fn until(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Time>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Time::from_millis))
}

/// The number under which a role is kept. Never reuse one.
pub(super) fn role_number(role: Role) -> i64 {
    match role {
        Role::Member => 0,
        Role::Operator => 1,
        Role::Host => 2,
    }
}

pub(super) fn role(row: &Row<'_>, column: usize) -> rusqlite::Result<Role> {
    match row.get::<_, i64>(column)? {
        0 => Ok(Role::Member),
        1 => Ok(Role::Operator),
        2 => Ok(Role::Host),
        other => Err(foreign(column, &other.to_string())),
    }
}
