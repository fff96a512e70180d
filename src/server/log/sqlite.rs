//! The log's tables, and the statements on them.
//!
//! `place` is the room's number in the upper bits and `seq` in the lower [`SEQ_BITS`]. A row holds what was committed together
//! of one room, as the frames that were sent, under the place of the first of them: a room's entries lie side by side in
//! their order, a page is one range, and whoever catches up is sent what is read. The columns are in `schema.rs`.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};
use uuid::Uuid;

use super::{LogError, StoredRoom, schema};
use crate::protocol::name::RoomName;
use crate::server::database;
use crate::server::private::open_private;

/// Bits of a place that hold the `seq`: a million million entries in each of eight million rooms.
pub(super) const SEQ_BITS: u32 = 40;

/// The largest number of a room that a place has bits for, besides the sign.
pub(super) const MOST_ROOMS: i64 = (1 << (63 - SEQ_BITS)) - 1;

/// The oldest SQLite whose WAL mode has no known way to lose what was committed
/// (the reset race was fixed in 3.51.3).
const OLDEST_SQLITE: (i32, &str) = (3_051_003, "3.51.3");

/// How long one waits for another who uses the file.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the writer waits for readers who are in the middle of the write-ahead log, where that can be tried again later.
const SHORT_PATIENCE: Duration = Duration::from_millis(20);

/// What an entry must survive before it counts as stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// The end of the program, however sudden: SQLite's `synchronous=NORMAL`. A power cut may cost the last moments.
    #[default]
    Process,
    /// A power cut too: SQLite's `synchronous=FULL`, a flush to the disk for each commit.
    Power,
}

impl Durability {
    /// What SQLite calls it.
    pub(in crate::server) fn synchronous(self) -> &'static str {
        match self {
            Self::Process => "NORMAL",
            Self::Power => "FULL",
        }
    }
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
    let file = open_private(&path).map_err(at(&path))?;
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
    if !database::is_ours(&connection, schema::APPLICATION_ID)? {
        return Err(LogError::NotALog(path.display().to_string()));
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", durability.synchronous())?;
    // A writer alone never waits; this is for a backup tool that holds the file for a moment.
    connection.busy_timeout(PATIENCE)?;
    checkpoint_by_itself(&connection, AT_ONCE)?;
    // 8 MiB: what is settled at once, or SQLite writes pages in the middle of it that it changes again.
    connection.pragma_update(None, "cache_size", -8192)?;
    // After a burst the write-ahead log gives its space back.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    // What is taken out is overwritten, also in pages that are free from then on: see `purge.rs`.
    connection.pragma_update(None, "secure_delete", true)?;
    schema::migrate(&mut connection)?;
    let id = log_id(&connection)?;
    Ok((connection, id))
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

/// After how many pages of the write-ahead log a writer itself brings them into the file: 16 MiB, so that what is written
/// again and again in between goes there once.
const AT_ONCE: u32 = 4096;

/// The same where a thread does so: 64 MiB, which it reaches only if the disk is slower than the writer.
const AT_LAST: u32 = 16_384;

fn checkpoint_by_itself(connection: &Connection, pages: u32) -> rusqlite::Result<()> {
    connection.pragma_update(None, "wal_autocheckpoint", pages)
}

/// Leaves bringing the write-ahead log into the file to somebody else, as long as they keep up.
pub(super) fn leave_checkpoints(connection: &Connection) -> rusqlite::Result<()> {
    checkpoint_by_itself(connection, AT_LAST)
}

/// Opens the log beside the writer, for checkpoints.
pub(super) fn open_beside(path: &Path) -> Result<Connection, LogError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

/// Opens the log for reading, beside the writer.
pub(super) fn open_reader(path: &Path) -> Result<Connection, LogError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    // SQLite opens the write-ahead log at the first read: now there is a file left for it, later perhaps not.
    connection.query_row("SELECT count(*) FROM meta", [], |_| Ok(()))?;
    Ok(connection)
}

/// Brings all of the write-ahead log into the file and gives its space back, so that nothing that was overwritten is left
/// in it; whether nobody was in the way.
pub(super) fn empty_write_ahead(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(SHORT_PATIENCE)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
    connection.busy_timeout(PATIENCE)?;
    busy.map(|busy| !busy)
}

/// All rooms, with their numbers and their last `seq`.
pub(super) fn rooms(connection: &Connection) -> Result<Vec<(i64, StoredRoom)>, LogError> {
    let mut statement = connection.prepare("SELECT id, name, topic, first FROM rooms ORDER BY id")?;
    let rows: Vec<(i64, String, String, i64)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
        .collect::<Result<_, _>>()?;
    rows.into_iter()
        .map(|(id, name, topic, begin)| {
            let name = RoomName::new(&name).map_err(|error| schema::unreadable(1, error))?;
            Ok((id, StoredRoom { name, topic, last: last_seq(connection, id)?, first: first(begin) }))
        })
        .collect()
}

/// The last `seq` of a room; 0 when nothing was said there.
pub(super) fn last_seq(connection: &Connection, room: i64) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare_cached(
        "SELECT place, count FROM batches WHERE place BETWEEN ?1 AND ?2 ORDER BY place DESC LIMIT 1",
    )?;
    let mut rows = statement.query(params![place(room, 0), place(room, max_seq())])?;
    let Some(row) = rows.next()? else { return Ok(0) };
    let (first, count): (i64, i64) = (row.get(0)?, row.get(1)?);
    Ok(seq_of(first) + u64::try_from(count - 1).unwrap_or(0))
}

/// The number of a room, if the log knows it, and the `seq` of the first entry that it may still have.
pub(super) fn room_start(connection: &Connection, room: &RoomName) -> rusqlite::Result<Option<(i64, u64)>> {
    let mut statement = connection.prepare_cached("SELECT id, first FROM rooms WHERE name = ?1")?;
    let mut rows = statement.query(params![room.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some((row.get(0)?, first(row.get(1)?))))
}

/// From its column.
fn first(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(1).max(1)
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
