//! The schema, how it grows, and how the file is opened.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use crate::server::database::{self, Damaged};
use crate::server::log::Durability;
use crate::server::private::open_private;
use crate::server::registry::error::OpenError;

/// Says to SQLite's tools, and to `file`, that this is what a parlor knows of people ("parp").
const APPLICATION_ID: u32 = 0x7061_7270;

/// Each brings the schema from its index to the next version. Only ever add to the end.
///
/// Times are milliseconds since the Unix epoch. `by_person` and `by_nick` are both null where the program itself did
/// it. Subjects and targets are written as [`rows`](super::rows) says; a mute of the room '' is one everywhere.
const MIGRATIONS: &[&str] = &[
    "
    -- AUTOINCREMENT: the number of somebody forgotten is never given to another.
    CREATE TABLE people (
        id    INTEGER PRIMARY KEY AUTOINCREMENT,
        role  INTEGER NOT NULL,
        since INTEGER NOT NULL
    );
    CREATE TABLE keys (
        key    BLOB    PRIMARY KEY,
        person INTEGER NOT NULL REFERENCES people ON DELETE CASCADE,
        since  INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX keys_of ON keys (person);
    CREATE TABLE names (
        person INTEGER NOT NULL REFERENCES people ON DELETE CASCADE,
        nick   TEXT    NOT NULL,
        used   INTEGER NOT NULL,
        PRIMARY KEY (person, nick)
    ) WITHOUT ROWID;
    CREATE TABLE ignores (
        person INTEGER NOT NULL REFERENCES people ON DELETE CASCADE,
        target TEXT    NOT NULL,
        PRIMARY KEY (person, target)
    ) WITHOUT ROWID;
    CREATE TABLE bans (
        subject   TEXT    PRIMARY KEY,
        reason    TEXT    NOT NULL,
        by_person INTEGER,
        by_nick   TEXT,
        at        INTEGER NOT NULL,
        until     INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE mutes (
        subject   TEXT    NOT NULL,
        room      TEXT    NOT NULL,
        reason    TEXT    NOT NULL,
        by_person INTEGER,
        by_nick   TEXT,
        at        INTEGER NOT NULL,
        until     INTEGER,
        PRIMARY KEY (subject, room)
    ) WITHOUT ROWID;
    CREATE TABLE rooms (
        name         TEXT    PRIMARY KEY,
        topic_locked INTEGER NOT NULL,
        private      INTEGER NOT NULL,
        invite_only  INTEGER NOT NULL,
        salt         BLOB,
        key          BLOB,
        owner        INTEGER REFERENCES people ON DELETE SET NULL
    ) WITHOUT ROWID;
    CREATE INDEX rooms_of ON rooms (owner);
    CREATE TABLE allowed (
        room   TEXT    NOT NULL REFERENCES rooms  ON DELETE CASCADE,
        person INTEGER NOT NULL REFERENCES people ON DELETE CASCADE,
        PRIMARY KEY (room, person)
    ) WITHOUT ROWID;
    CREATE INDEX allowed_to ON allowed (person);
    CREATE TABLE tickets (
        id        BLOB    PRIMARY KEY,
        key       BLOB    NOT NULL,
        by_person INTEGER,
        by_nick   TEXT,
        at        INTEGER NOT NULL,
        uses      INTEGER,
        until     INTEGER,
        room      TEXT
    ) WITHOUT ROWID;
    CREATE TABLE door (
        one  INTEGER PRIMARY KEY CHECK (one = 1),
        salt BLOB    NOT NULL,
        n    INTEGER NOT NULL,
        r    INTEGER NOT NULL,
        p    INTEGER NOT NULL,
        key  BLOB    NOT NULL
    );
    CREATE TABLE audit (
        number      INTEGER PRIMARY KEY AUTOINCREMENT,
        at          INTEGER NOT NULL,
        by_person   INTEGER,
        by_nick     TEXT,
        deed        TEXT    NOT NULL,
        subject     TEXT    NOT NULL,
        particulars TEXT    NOT NULL
    );
    CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
    CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
",
    "
    -- How far people have read the rooms, and since when.
    CREATE TABLE read (
        person INTEGER NOT NULL REFERENCES people ON DELETE CASCADE,
        room   TEXT    NOT NULL,
        seq    INTEGER NOT NULL,
        at     INTEGER NOT NULL,
        PRIMARY KEY (person, room)
    ) WITHOUT ROWID;
",
    "
    -- For how long what is said in the room is kept, in seconds.
    ALTER TABLE rooms ADD COLUMN retention INTEGER;
",
];

pub(super) fn open(path: &Path, durability: Durability) -> Result<Connection, OpenError> {
    let shown = || path.display().to_string();
    // Before SQLite makes it, which would leave it to the umask.
    open_private(path).map_err(|error| OpenError::File(shown(), error))?;
    database::examine(path)?;
    let (mut connection, version) = prepare(path, durability).map_err(|error| unreadable(path, &error))?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    match version {
        None => Err(OpenError::NotPeople(shown())),
        Some(found) if found > known => Err(OpenError::TooNew { path: shown(), found, known }),
        Some(found) => {
            migrate(&mut connection, found, known).map_err(|error| unreadable(path, &error))?;
            Ok(connection)
        }
    }
}

/// What SQLite says at the opening, as a sentence that says what to do.
pub(super) fn unreadable(path: &Path, error: &rusqlite::Error) -> OpenError {
    match (Damaged::found(path, error), error.sqlite_error_code()) {
        (Some(damaged), _) => damaged.into(),
        (None, Some(rusqlite::ErrorCode::NotADatabase)) => OpenError::NotPeople(path.display().to_string()),
        (None, Some(rusqlite::ErrorCode::DiskFull)) => OpenError::Full(path.display().to_string()),
        (None, _) => OpenError::Unreadable(error.to_string()),
    }
}

/// Opens, and says which version of the schema it has: none if it is somebody else's.
fn prepare(path: &Path, durability: Durability) -> rusqlite::Result<(Connection, Option<u32>)> {
    let connection = Connection::open(path)?;
    if !database::is_ours(&connection, APPLICATION_ID)? {
        return Ok((connection, None));
    }
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", durability.synchronous())?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // One connection never waits for itself; this is for a backup tool that holds the file for a moment.
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok((connection, Some(version)))
}

fn migrate(connection: &mut Connection, found: u32, known: u32) -> rusqlite::Result<()> {
    for (version, migration) in (1..=known).zip(MIGRATIONS).skip(found as usize) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Opens a file that can get no more than so many further pages, as on a disk that is almost full.
#[cfg(test)]
pub(super) fn open_within(path: &Path, pages: i64) -> Result<(), OpenError> {
    let (mut connection, version) = prepare(path, Durability::Process).unwrap();
    let had: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    connection.pragma_update(None, "max_page_count", had + pages).unwrap();
    let known = u32::try_from(MIGRATIONS.len()).unwrap();
    migrate(&mut connection, version.unwrap(), known).map_err(|error| unreadable(path, &error))
}
