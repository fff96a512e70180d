//! The file of the index: its tables, and how it is opened. What is in it can be made again from the log, so a file that is not as
//! it should be is made anew.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use tracing::{info, warn};
use uuid::Uuid;

use super::IndexError;
use crate::server::private::open_private;

/// Says to SQLite's tools that this is the index of a parlor ("pars").
const APPLICATION_ID: u32 = 0x7061_7273;

/// Of the tables below, and of what counts as a term. A file with another one is made anew.
const VERSION: u32 = 1;

/// `docs` has a row for each message: `number` is its time in milliseconds, then [`super::NUMBER_BITS`] bits that tell those of one
/// millisecond apart, so that the order of the keys is that of time; `place` is the number of its room, then its `seq`; `text` are
/// its terms and `meta` what else it is found by, in words that no text has (see [`super::meta`]). What is deleted must not
/// be left anywhere in the file, which is `secure-delete`, and needs `docs` to have the very words of the index. `unclean` says that
/// something was taken out of which SQLite may have left a copy: see [`super::Tables::clean`].
///
/// The tokenizer takes all beyond ASCII for letters: the terms were made before.
const TABLES: &str = "
    CREATE TABLE origin (log BLOB NOT NULL, unclean INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE rooms (
        id   INTEGER PRIMARY KEY,
        name TEXT    NOT NULL UNIQUE,
        upto INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE docs (
        number INTEGER PRIMARY KEY,
        place  INTEGER NOT NULL UNIQUE,
        meta   TEXT    NOT NULL,
        text   TEXT    NOT NULL
    );
    CREATE VIRTUAL TABLE found USING fts5(
        meta, text, content='docs', content_rowid='number', tokenize='ascii', columnsize=0
    );
    INSERT INTO found (found, rank) VALUES ('secure-delete', 1);
";

/// Opens the index of the log `log` for writing. One that is missing, damaged or of another log is made anew.
///
/// # Errors
/// When it cannot be made either.
pub(crate) fn open(path: &Path, log: Uuid) -> Result<Connection, IndexError> {
    if path.exists() {
        match open_as_it_is(path).and_then(|connection| Ok((is_whole(&connection, log)?, connection))) {
            Ok((true, connection)) => return Ok(connection),
            Ok((false, _)) => info!("the index of the search is of another log or version: it is made anew"),
            Err(error) => warn!(%error, "the index of the search is damaged: it is made anew"),
        }
    }
    make(path, log)
}

/// Makes an empty one, in place of whatever is there.
///
/// # Errors
/// When the folder does not take it.
pub(crate) fn make(path: &Path, log: Uuid) -> Result<Connection, IndexError> {
    for beside in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(beside);
        match fs::remove_file(PathBuf::from(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    let mut connection = open_as_it_is(path)?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.execute("INSERT INTO origin (log) VALUES (?1)", params![log.as_bytes()])?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(connection)
}

fn open_as_it_is(path: &Path) -> Result<Connection, IndexError> {
    // Before SQLite makes it, which would leave it to the umask.
    open_private(path)?;
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What a power cut takes is taken from the log again.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    // 16 MiB, and what was used for a burst is given back.
    connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

/// Whether it is ours, of this version and of this log. Looks into each table: some damage shows there.
fn is_whole(connection: &Connection, log: Uuid) -> Result<bool, IndexError> {
    let application: u32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if (application, version) != (APPLICATION_ID, VERSION) {
        return Ok(false);
    }
    let origin: Option<Vec<u8>> =
        connection.query_row("SELECT log FROM origin", [], |row| row.get(0)).optional()?;
    connection.query_row("SELECT count(*) FROM rooms", [], |_| Ok(()))?;
    connection.query_row("SELECT max(number) FROM docs", [], |_| Ok(()))?;
    let mut statement = connection.prepare("SELECT rowid FROM found WHERE found MATCH 'x' LIMIT 1")?;
    statement.query([])?.next()?;
    Ok(origin.as_deref() == Some(log.as_bytes()))
}

/// Opens it for reading, beside the writer.
///
/// # Errors
/// When it is not there, or no index.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, IndexError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(1))?;
    connection.pragma_update(None, "cache_size", -8192)?;
    Ok(connection)
}
