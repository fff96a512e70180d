//! What entries make of messages before them: the tables of it, as the writer keeps them.
//!
//! They are written in the transaction that stores the entry, so they are never behind the log and never ahead of it. The
//! rules that need an order are decided here, because here is one: whoever looks at a message before that may see it
//! as it was a moment ago.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::sqlite::{place, seq_of};
use super::{Draft, StoreError};
use crate::protocol::event::EntryKind;
use crate::protocol::limits::{EDITS_PER_MESSAGE, REACTIONS_PER_MESSAGE};

/// `changed` has a row for each message that is not as it was sent: the `seq` of the last entry that changed it. `edits` says
/// which entries have its later texts, `reactions` who reacted by what, and `tallies` how many, so that a page of
/// messages with a thousand reactions each costs no more than their emoji. No text stands in any of them: one place is
/// enough to purge. `purges` names deleted messages whose text may still be in the files: see `purge.rs`, which takes out of `edits`
/// what has no text any more.
pub(super) const TABLES: &str = "
    CREATE TABLE changed (
        target  INTEGER PRIMARY KEY,
        last    INTEGER NOT NULL,
        deleted INTEGER NOT NULL
    );
    CREATE TABLE edits (
        target INTEGER NOT NULL,
        place  INTEGER NOT NULL,
        PRIMARY KEY (target, place)
    ) WITHOUT ROWID;
    CREATE TABLE reactions (
        target INTEGER NOT NULL,
        emoji  TEXT    NOT NULL,
        author INTEGER NOT NULL,
        nick   TEXT    NOT NULL,
        place  INTEGER NOT NULL,
        PRIMARY KEY (target, emoji, author)
    ) WITHOUT ROWID;
    CREATE TABLE tallies (
        target INTEGER NOT NULL,
        emoji  TEXT    NOT NULL,
        count  INTEGER NOT NULL,
        first  INTEGER NOT NULL,
        PRIMARY KEY (target, emoji)
    ) WITHOUT ROWID;
    CREATE TABLE purges (
        target INTEGER PRIMARY KEY
    );
";

/// Whether entries of this kind change a message before them.
pub(super) fn is_change(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::Edited | EntryKind::Deleted | EntryKind::Reacted)
}

/// What is to become of a draft that changes a message.
pub(super) enum Verdict {
    /// It is noted: now it must be stored, at the place that it was noted for.
    Noted,
    /// It says what the log says already, at this `seq`.
    Known(u64),
    /// It may not be stored.
    Refused(StoreError),
}

/// A draft that changes a message, on its way to its place.
pub(super) struct Change<'a> {
    transaction: &'a Connection,
    /// Of the message.
    target: i64,
    /// Of the entry.
    place: i64,
    draft: &'a Draft,
}

impl<'a> Change<'a> {
    /// What `draft` changes; nothing where there can be no such message. It will be the entry `seq` of the room with the
    /// number `room`.
    pub(super) fn new(transaction: &'a Connection, room: i64, seq: u64, draft: &'a Draft) -> Option<Self> {
        let target = draft.target.filter(|target| (1..seq).contains(target))?;
        Some(Self { transaction, target: place(room, target), place: place(room, seq), draft })
    }

    /// Decides, and notes what the entry changes.
    pub(super) fn note(&self) -> rusqlite::Result<Verdict> {
        if self.is_deleted()? {
            return Ok(Verdict::Refused(StoreError::Deleted));
        }
        let verdict = match self.draft.kind {
            EntryKind::Edited => self.edit()?,
            EntryKind::Deleted => self.delete()?,
            _ if self.draft.off => self.take_back()?,
            _ => self.react()?,
        };
        if matches!(verdict, Verdict::Noted) {
            let deleted = self.draft.kind == EntryKind::Deleted;
            self.execute(
                "INSERT INTO changed (target, last, deleted) VALUES (?1, ?2, ?3)
                 ON CONFLICT (target) DO UPDATE SET last = excluded.last, deleted = excluded.deleted",
                params![self.target, seq(self.place), deleted],
            )?;
        }
        Ok(verdict)
    }

    fn execute(&self, sql: &str, with: impl rusqlite::Params) -> rusqlite::Result<usize> {
        self.transaction.prepare_cached(sql)?.execute(with)
    }

    /// One number, if there is any.
    fn number(&self, sql: &str, with: impl rusqlite::Params) -> rusqlite::Result<Option<i64>> {
        self.transaction.prepare_cached(sql)?.query_row(with, |row| row.get(0)).optional()
    }

    fn is_deleted(&self) -> rusqlite::Result<bool> {
        let deleted = self.number("SELECT deleted FROM changed WHERE target = ?1", params![self.target])?;
        Ok(deleted.is_some_and(|deleted| deleted != 0))
    }

    fn edit(&self) -> rusqlite::Result<Verdict> {
        let edits = self.number("SELECT count(*) FROM edits WHERE target = ?1", params![self.target])?;
        if edits.is_some_and(|edits| is_over(edits, EDITS_PER_MESSAGE)) {
            return Ok(Verdict::Refused(StoreError::TooManyEdits));
        }
        self.execute("INSERT INTO edits (target, place) VALUES (?1, ?2)", params![self.target, self.place])?;
        Ok(Verdict::Noted)
    }

    /// Its texts stay until they are purged, which finds by them what there is to purge.
    fn delete(&self) -> rusqlite::Result<Verdict> {
        self.execute("DELETE FROM reactions WHERE target = ?1", params![self.target])?;
        self.execute("DELETE FROM tallies WHERE target = ?1", params![self.target])?;
        self.execute("INSERT INTO purges (target) VALUES (?1)", params![self.target])?;
        Ok(Verdict::Noted)
    }

    fn react(&self) -> rusqlite::Result<Verdict> {
        let emoji = self.draft.text.as_str();
        let before = self.number(
            "SELECT place FROM reactions WHERE target = ?1 AND emoji = ?2 AND author = ?3",
            params![self.target, emoji, self.author()],
        )?;
        if let Some(before) = before {
            return Ok(Verdict::Known(seq_of(before)));
        }
        let counted = self.execute(
            "UPDATE tallies SET count = count + 1 WHERE target = ?1 AND emoji = ?2",
            params![self.target, emoji],
        )?;
        if counted == 0 {
            let kinds =
                self.number("SELECT count(*) FROM tallies WHERE target = ?1", params![self.target])?;
            if kinds.is_some_and(|kinds| is_over(kinds, REACTIONS_PER_MESSAGE)) {
                return Ok(Verdict::Refused(StoreError::TooManyReactions));
            }
            self.execute(
                "INSERT INTO tallies (target, emoji, count, first) VALUES (?1, ?2, 1, ?3)",
                params![self.target, emoji, self.place],
            )?;
        }
        self.execute(
            "INSERT INTO reactions (target, emoji, author, nick, place) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![self.target, emoji, self.author(), self.draft.from.as_str(), self.place],
        )?;
        Ok(Verdict::Noted)
    }

    fn take_back(&self) -> rusqlite::Result<Verdict> {
        let emoji = self.draft.text.as_str();
        let taken = self.execute(
            "DELETE FROM reactions WHERE target = ?1 AND emoji = ?2 AND author = ?3",
            params![self.target, emoji, self.author()],
        )?;
        if taken == 0 {
            return Ok(Verdict::Refused(StoreError::NotReacted));
        }
        self.execute(
            "UPDATE tallies SET count = count - 1 WHERE target = ?1 AND emoji = ?2",
            params![self.target, emoji],
        )?;
        self.execute(
            "DELETE FROM tallies WHERE target = ?1 AND emoji = ?2 AND count = 0",
            params![self.target, emoji],
        )?;
        Ok(Verdict::Noted)
    }

    fn author(&self) -> i64 {
        number(self.draft.author.unwrap_or(0))
    }
}

fn is_over(count: i64, limit: usize) -> bool {
    usize::try_from(count).is_ok_and(|count| count >= limit)
}

/// The `seq` in a place, as a row keeps it.
fn seq(place: i64) -> i64 {
    number(seq_of(place))
}

/// A number of the wire as a row keeps it: those that we give out all fit.
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
