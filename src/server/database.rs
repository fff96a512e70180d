//! What is asked of a file before SQLite may change it: the log, and what is known of people.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use thiserror::Error;
use tracing::warn;

/// A file that was ours and is not whole.
#[derive(Debug, Error)]
#[error(
    "{path} is damaged ({what}). It was left as it is: put a copy of it back, or move it away to begin anew; what is \
     whole in it, `sqlite3 {path} .recover` saves"
)]
pub struct Damaged {
    /// Which.
    pub path: String,
    /// What was found.
    pub what: String,
}

impl Damaged {
    /// What SQLite says, if it says that.
    pub fn found(path: &Path, error: &rusqlite::Error) -> Option<Self> {
        let is_damage = error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt);
        is_damage.then(|| Self { path: path.display().to_string(), what: error.to_string() })
    }
}

/// Looks at a file, and at what SQLite has left beside it, before SQLite does.
///
/// # Errors
/// When the file was emptied. One that was always empty is a new one: so a first start leaves it that is killed.
pub fn examine(path: &Path) -> Result<(), Damaged> {
    let ahead = write_ahead(path);
    let Ok(found) = fs::metadata(&ahead) else { return Ok(()) };
    // SQLite would throw away the write-ahead log of an empty file.
    if found.len() > 0 && fs::metadata(path).is_ok_and(|file| file.len() == 0) {
        let what = "it is empty, and its write-ahead log is not".to_owned();
        return Err(Damaged { path: path.display().to_string(), what });
    }
    if found.len() > 0 && !begins_as_it_should(&ahead) {
        warn!(path = %ahead.display(), "this is no write-ahead log any more: what was in it is lost");
    }
    Ok(())
}

/// Whether this is a new file, or has this `application_id`.
///
/// # Errors
/// When it is no file of SQLite, or a damaged one.
pub fn is_ours(connection: &Connection, application_id: u32) -> rusqlite::Result<bool> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: u32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(application == application_id || (version, application, tables) == (0, 0, 0))
}

fn write_ahead(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// The number that SQLite begins a write-ahead log with; the last bit says in which order the bytes are summed up.
const WRITE_AHEAD: u32 = 0x377f_0682;

fn begins_as_it_should(ahead: &Path) -> bool {
    let mut first = [0; 4];
    let read = File::open(ahead).and_then(|mut file| file.read_exact(&mut first));
    read.is_ok() && u32::from_be_bytes(first) & !1 == WRITE_AHEAD
}
