//! Into the tables: one transaction for all changes that belong together.

use rusqlite::{Connection, Params, Transaction, params};

use super::rows::{banned_text, by_columns, role_number, whom_text};
use crate::protocol::name::RoomName;
use crate::protocol::time::Time;
use crate::server::registry::state::Change;

/// All of it, or nothing: a transaction that is not committed is rolled back when it is dropped.
pub(super) fn all(connection: &mut Connection, changes: &[Change]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for change in changes {
        write(&transaction, change)?;
    }
    transaction.commit()
}

fn run(transaction: &Transaction<'_>, sql: &str, params: impl Params) -> rusqlite::Result<()> {
    transaction.prepare_cached(sql)?.execute(params).map(|_| ())
}

fn write(to: &Transaction<'_>, change: &Change) -> rusqlite::Result<()> {
    match change {
        // Not REPLACE, which would take away all that refers to the row.
        Change::Person(person, role, since) => run(
            to,
            "INSERT INTO people (id, role, since) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET role = excluded.role, since = excluded.since",
            params![person.0, role_number(*role), since.as_millis()],
        ),
        Change::ForgetPerson(person) => run(to, "DELETE FROM people WHERE id = ?1", [person.0]),
        Change::Key(key, person, since) => run(
            to,
            "REPLACE INTO keys (key, person, since) VALUES (?1, ?2, ?3)",
            params![key.0, person.0, since.as_millis()],
        ),
        Change::ForgetKey(key) => run(to, "DELETE FROM keys WHERE key = ?1", [key.0]),
        Change::Name(person, nick, used) => run(
            to,
            "REPLACE INTO names (person, nick, used) VALUES (?1, ?2, ?3)",
            params![person.0, nick.as_str(), used.as_millis()],
        ),
        Change::ForgetName(person, nick) => run(
            to,
            "DELETE FROM names WHERE person = ?1 AND nick = ?2",
            params![person.0, nick.as_str()],
        ),
        Change::Ignore(person, whom) => run(
            to,
            "REPLACE INTO ignores (person, target) VALUES (?1, ?2)",
            params![person.0, whom_text(whom)],
        ),
        Change::Unignore(person, whom) => run(
            to,
            "DELETE FROM ignores WHERE person = ?1 AND target = ?2",
            params![person.0, whom_text(whom)],
        ),
        Change::Ban(ban) => {
            let (by_person, by_nick) = by_columns(&ban.by);
            run(
                to,
                "REPLACE INTO bans (subject, reason, by_person, by_nick, at, until)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    banned_text(&ban.subject),
                    ban.reason.as_str(),
                    by_person,
                    by_nick,
                    ban.at.as_millis(),
                    ban.until.map(Time::as_millis)
                ],
            )
        }
        Change::Unban(subject) => {
            run(to, "DELETE FROM bans WHERE subject = ?1", [banned_text(subject)])
        }
        Change::Mute(mute) => {
            let (by_person, by_nick) = by_columns(&mute.by);
            run(
                to,
                "REPLACE INTO mutes (subject, room, reason, by_person, by_nick, at, until)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    whom_text(&mute.whom),
                    everywhere_or(mute.room.as_ref()),
                    mute.reason.as_str(),
                    by_person,
                    by_nick,
                    mute.at.as_millis(),
                    mute.until.map(Time::as_millis)
                ],
            )
        }
        Change::Unmute(whom, room) => run(
            to,
            "DELETE FROM mutes WHERE subject = ?1 AND room = ?2",
            params![whom_text(whom), everywhere_or(room.as_ref())],
        ),
        // Not REPLACE: see above.
        Change::Rules(room, rules) => run(
            to,
            "INSERT INTO rooms (name, topic_locked, private, invite_only, salt, key, owner, retention)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (name) DO UPDATE SET topic_locked = excluded.topic_locked, private = excluded.private,
                 invite_only = excluded.invite_only, salt = excluded.salt, key = excluded.key,
                 owner = excluded.owner, retention = excluded.retention",
            params![
                room.as_str(),
                rules.topic_locked,
                rules.private,
                rules.invite_only,
                rules.key.as_ref().map(|(salt, _)| salt.0),
                rules.key.as_ref().map(|(_, key)| key.as_bytes()),
                rules.owner.map(|owner| owner.0),
                rules.retention.map(|kept| i64::try_from(kept.as_secs()).unwrap_or(i64::MAX))
            ],
        ),
        Change::ForgetRoom(room) => run(to, "DELETE FROM rooms WHERE name = ?1", [room.as_str()]),
        Change::Allow(room, person) => run(
            to,
            "REPLACE INTO allowed (room, person) VALUES (?1, ?2)",
            params![room.as_str(), person.0],
        ),
        Change::Disallow(room, person) => run(
            to,
            "DELETE FROM allowed WHERE room = ?1 AND person = ?2",
            params![room.as_str(), person.0],
        ),
        Change::Ticket(ticket) => {
            let (by_person, by_nick) = by_columns(&ticket.by);
            run(
                to,
                "REPLACE INTO tickets (id, key, by_person, by_nick, at, uses, until, room)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    ticket.id.0,
                    ticket.key.as_bytes(),
                    by_person,
                    by_nick,
                    ticket.at.as_millis(),
                    ticket.uses.map(u32::from),
                    ticket.until.map(Time::as_millis),
                    ticket.room.as_ref().map(RoomName::as_str)
                ],
            )
        }
        Change::ForgetTicket(id) => run(to, "DELETE FROM tickets WHERE id = ?1", [id.0]),
        Change::Door(None) => run(to, "DELETE FROM door", []),
        Change::Door(Some(door)) => run(
            to,
            "REPLACE INTO door (one, salt, n, r, p, key) VALUES (1, ?1, ?2, ?3, ?4, ?5)",
            params![door.salt.0, door.cost.n, door.cost.r, door.cost.p, door.key.as_bytes()],
        ),
        Change::Audit(record) => {
            let (by_person, by_nick) = by_columns(&record.by);
            run(
                to,
                "INSERT INTO audit (at, by_person, by_nick, deed, subject, particulars)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    record.at.as_millis(),
                    by_person,
                    by_nick,
                    record.deed.as_str(),
                    record.subject.as_str(),
                    record.particulars.as_str()
                ],
            )
        }
        // Not of somebody who was forgotten in between: that would keep what is written with it from being kept.
        Change::Read(mark) => run(
            to,
            "REPLACE INTO read (person, room, seq, at) SELECT id, ?2, ?3, ?4 FROM people WHERE id = ?1",
            params![
                mark.person.0,
                mark.room.as_str(),
                i64::try_from(mark.seq).unwrap_or(i64::MAX),
                mark.at.as_millis()
            ],
        ),
        Change::ForgetRead(person, room) => run(
            to,
            "DELETE FROM read WHERE person = ?1 AND room = ?2",
            params![person.0, room.as_str()],
        ),
    }
}

fn everywhere_or(room: Option<&RoomName>) -> &str {
    room.map_or("", RoomName::as_str)
}
