//! The log's tables, and the statements on them.
//!
//! `place` is the room's number in the upper bits and `seq` in the lower [`SEQ_BITS`]: one integer is
//! the key of a row, a room's entries lie side by side in their order, and a page is one range.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row, params};
use uuid::Uuid;

use super::{LogError, StoredRoom};
use crate::protocol::event::{Entry, EntryKind, EntryText};
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::time::Time;
use crate::server::database;
use crate::server::private::open_private;

/// Bits of a place that hold the `seq`: a million million entries in each of eight million rooms.
pub(super) const SEQ_BITS: u32 = 40;

/// The largest number of a room that a place has bits for, besides the sign.
pub(super) const MOST_ROOMS: i64 = (1 << (63 - SEQ_BITS)) - 1;

/// The oldest SQLite whose WAL mode has no known way to lose what was committed
/// (the reset race was fixed in 3.51.3).
const OLDEST_SQLITE: (i32, &str) = (3_051_003, "3.51.3");

/// Says to SQLite's tools, and to `file`, that this is a parlor's log ("parl").
const APPLICATION_ID: u32 = 0x7061_726C;

/// Each brings the schema from its index to the next version. Only ever add to the end.
///
/// `target` and `extra` are for entries that act upon others: edits, deletions, reactions.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE meta (
        key   TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE rooms (
        id    INTEGER PRIMARY KEY,
        name  TEXT NOT NULL UNIQUE,
        topic TEXT NOT NULL DEFAULT ''
    );
    CREATE TABLE entries (
        place  INTEGER PRIMARY KEY,
        kind   INTEGER NOT NULL,
        id     BLOB    NOT NULL UNIQUE,
        at     INTEGER NOT NULL,
        author TEXT    NOT NULL,
        action INTEGER NOT NULL DEFAULT 0,
        target INTEGER,
        text   TEXT    NOT NULL,
        extra  TEXT
    );
"];

/// What an entry must survive before it counts as stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// The end of the program, however sudden: `synchronous=NORMAL`. A power cut may cost the last moments.
    #[default]
    Process,
    /// A power cut too: `synchronous=FULL`, a flush to the disk for each commit.
    Power,
}

/// Makes the folder (for its owner only) and takes it for this process, for as long as the file is open.
pub(super) fn lock(data: &Path) -> Result<File, LogError> {
    let at = |path: &Path| {
        let shown = path.display().to_string();
        move |error| LogError::File(shown, error)
    };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(data).map_err(at(data))?;
    let path = data.join("lock");
    let file = File::options().create(true).append(true).open(&path).map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::InUse(data.display().to_string())),
        Err(TryLockError::Error(error)) => Err(at(&path)(error)),
    }
}

/// Opens the log for writing, brings its schema up to date, and says its id.
pub(super) fn open(path: &Path, durability: Durability) -> Result<(Connection, Uuid), LogError> {
    if rusqlite::version_number() < OLDEST_SQLITE.0 {
        return Err(LogError::OldSqlite(rusqlite::version(), OLDEST_SQLITE.1));
    }
    // Before SQLite makes it, which would leave it to the umask: a folder that was there may be open to others.
    open_private(path).map_err(|error| LogError::File(path.display().to_string(), error))?;
    database::examine(path)?;
    let mut connection = Connection::open(path)?;
    if !database::is_ours(&connection, APPLICATION_ID)? {
        return Err(LogError::NotALog(path.display().to_string()));
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = match durability {
        Durability::Process => "NORMAL",
        Durability::Power => "FULL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // A writer alone never waits; this is for a backup tool that holds the file for a moment.
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    // After a burst the write-ahead log gives its space back.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    migrate(&mut connection)?;
    let id = log_id(&connection)?;
    Ok((connection, id))
}

fn migrate(connection: &mut Connection) -> Result<(), LogError> {
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(LogError::TooNew { found, known });
    }
    for (version, migration) in (1..=known).zip(MIGRATIONS).skip(found as usize) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

fn log_id(connection: &Connection) -> Result<Uuid, LogError> {
    connection.execute(
        "INSERT INTO meta (key, value) VALUES ('id', ?1) ON CONFLICT DO NOTHING",
        params![Uuid::new_v4().into_bytes()],
    )?;
    let bytes: [u8; 16] =
        connection.query_row("SELECT value FROM meta WHERE key = 'id'", [], |row| row.get(0))?;
    Ok(Uuid::from_bytes(bytes))
}

/// Opens the log for reading, beside the writer.
pub(super) fn open_reader(path: &Path) -> Result<Connection, LogError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    // SQLite opens the write-ahead log at the first read: now there is a file left for it, later perhaps not.
    connection.query_row("SELECT count(*) FROM meta", [], |_| Ok(()))?;
    Ok(connection)
}

/// All rooms, with their numbers and their last `seq`.
pub(super) fn rooms(connection: &Connection) -> Result<Vec<(i64, StoredRoom)>, LogError> {
    let mut statement = connection.prepare("SELECT id, name, topic FROM rooms ORDER BY id")?;
    let rows: Vec<(i64, String, String)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    rows.into_iter()
        .map(|(id, name, topic)| {
            let name = RoomName::new(&name).map_err(|error| unreadable(1, error))?;
            Ok((id, StoredRoom { name, topic, last: last_seq(connection, id)? }))
        })
        .collect()
}

/// The last `seq` of a room; 0 when nothing was said there.
pub(super) fn last_seq(connection: &Connection, room: i64) -> rusqlite::Result<u64> {
    let mut statement =
        connection.prepare_cached("SELECT max(place) FROM entries WHERE place BETWEEN ?1 AND ?2")?;
    let last: Option<i64> =
        statement.query_row(params![place(room, 0), place(room, max_seq())], |row| row.get(0))?;
    Ok(last.map_or(0, seq_of))
}

/// The number of a room, if the log knows it.
pub(super) fn room_id(connection: &Connection, room: &RoomName) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached("SELECT id FROM rooms WHERE name = ?1")?;
    let mut rows = statement.query(params![room.as_str()])?;
    rows.next()?.map(|row| row.get(0)).transpose()
}

/// The key of an entry.
pub(super) fn place(room: i64, seq: u64) -> i64 {
    (room << SEQ_BITS) | i64::try_from(seq.min(max_seq())).unwrap_or(i64::MAX)
}

/// The `seq` in a key.
pub(super) fn seq_of(place: i64) -> u64 {
    u64::try_from(place).unwrap_or(0) & max_seq()
}

/// The room's number in a key.
pub(super) fn room_of(place: i64) -> i64 {
    place >> SEQ_BITS
}

pub(super) fn max_seq() -> u64 {
    (1 << SEQ_BITS) - 1
}

/// What [`entry`] reads, in its order.
pub(super) const COLUMNS: &str = "place, kind, id, at, author, action, target, text";

/// One row of [`COLUMNS`].
pub(super) fn entry(room: &RoomName, row: &Row<'_>) -> rusqlite::Result<Entry> {
    let author: String = row.get(4)?;
    Ok(Entry {
        room: room.clone(),
        seq: seq_of(row.get(0)?),
        kind: kind(row.get(1)?),
        id: Uuid::from_bytes(row.get(2)?),
        at: Time::from_millis(row.get(3)?),
        from: Nick::new(&author).map_err(|error| unreadable(4, error))?,
        action: row.get(5)?,
        reply_to: row.get::<_, Option<i64>>(6)?.and_then(|seq| u64::try_from(seq).ok()),
        text: EntryText::from_stored(row.get_ref(7)?.as_str()?),
    })
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}

fn kind(number: i64) -> EntryKind {
    match number {
        1 => EntryKind::Message,
        2 => EntryKind::Topic,
        _ => EntryKind::Unknown,
    }
}

/// The number under which the log keeps a kind. Never reuse one.
pub(super) fn kind_number(kind: EntryKind) -> i64 {
    match kind {
        EntryKind::Unknown => 0,
        EntryKind::Message => 1,
        EntryKind::Topic => 2,
    }
}
