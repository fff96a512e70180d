//! The highest number of a person that the log knows. Direct rooms and messages are theirs who have the numbers in them,
//! and the log may outlive what is known of people: then nobody else may be given a number that somebody had.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::protocol::name::RoomName;
use crate::server::hub::GUESTS;

/// Under which it stands in `meta`.
const KEY: &str = "last_person";

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LastPerson {
    number: u64,
    /// It is higher than what is in the file.
    rose: bool,
}

impl LastPerson {
    /// As the file has it: of those who added entries, and of those for whom there are rooms.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let query = "SELECT value FROM meta WHERE key = ?1";
        let noted: Option<i64> = connection.query_row(query, [KEY], |row| row.get(0)).optional()?;
        let number = noted.and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
        let mut last = Self { number, rose: false };
        let mut names = connection.prepare("SELECT name FROM rooms WHERE name >= '@' AND name < 'A'")?;
        let mut rows = names.query([])?;
        while let Some(row) = rows.next()? {
            let members = RoomName::new(row.get_ref(0)?.as_str()?).ok().and_then(|room| room.members());
            members.into_iter().flatten().for_each(|member| last.note(member));
        }
        Ok(last)
    }

    /// 0 if there is none.
    pub(super) fn number(self) -> u64 {
        self.number
    }

    /// Somebody adds an entry; guests do not count.
    pub(super) fn note(&mut self, author: u64) {
        if !self.covers(author) {
            *self = Self { number: author, rose: true };
        }
    }

    /// Whether it stays what it is when this one adds an entry.
    pub(super) fn covers(self, author: u64) -> bool {
        author <= self.number || author >= GUESTS
    }

    /// Whether there is anything to write.
    pub(super) fn has_risen(self) -> bool {
        self.rose
    }

    /// Writes it, if it has risen; it holds once the transaction is committed.
    pub(super) fn write(&mut self, transaction: &Connection) -> rusqlite::Result<()> {
        if std::mem::take(&mut self.rose) {
            let number = i64::try_from(self.number).unwrap_or(i64::MAX);
            let sql = "REPLACE INTO meta (key, value) VALUES (?1, ?2)";
            transaction.prepare_cached(sql)?.execute(params![KEY, number])?;
        }
        Ok(())
    }
}
