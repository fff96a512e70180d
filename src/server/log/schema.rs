//! The log's schema, and how a log of an earlier version comes to it.

use rusqlite::{Connection, Row, Transaction, params};
use uuid::Uuid;

use super::sqlite::{max_seq, place, seq_of};
use super::{LogError, changes, purge};
use crate::protocol::event::{Entry, EntryKind, EntryText};
use crate::protocol::limits::BATCH_BYTES;
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::time::Time;
use crate::server::batch::{Batch, Builder};

/// Says to SQLite's tools, and to `file`, that this is a parlor's log ("parl").
pub(super) const APPLICATION_ID: u32 = 0x7061_726C;

type Migration = fn(&Transaction<'_>) -> rusqlite::Result<()>;

/// Each brings the schema from its index to the next version. Only ever add to the end.
const MIGRATIONS: &[Migration] = &[
    |transaction| transaction.execute_batch(FIRST),
    batch_entries,
    |transaction| {
        purge::pad(transaction)?;
        transaction.execute_batch(changes::TABLES)
    },
    // A room's log may begin later than at 1.
    |transaction| transaction.execute_batch("ALTER TABLE rooms ADD COLUMN first INTEGER NOT NULL DEFAULT 1"),
    // The tables are as they were. But what was committed last may be in a file beside them, for which no earlier version looks.
    |_| Ok(()),
];

/// One row for each entry.
const FIRST: &str = "
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
";

/// What is committed with changes of tables goes into `journal`, a row for each such commit: see `journal.rs`. Later it is
/// settled: `batches` has it by room, `count` entries from `place` on, as the frames that went to everyone, end to end, and `ids` says where an id is.
const BATCHES: &str = "
    CREATE TABLE journal (
        number  INTEGER PRIMARY KEY,
        batches BLOB NOT NULL
    );
    CREATE TABLE batches (
        place  INTEGER PRIMARY KEY,
        count  INTEGER NOT NULL,
        frames BLOB    NOT NULL
    );
    CREATE TABLE ids (
        id    BLOB    PRIMARY KEY,
        place INTEGER NOT NULL
    ) WITHOUT ROWID;
";

/// Brings the schema up to date, one version at a time, each wholly or not at all.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), LogError> {
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(LogError::TooNew { found, known });
    }
    Ok(migrate_to(connection, found, known)?)
}

/// Brings the schema from the version `found` to the version `to`.
pub(super) fn migrate_to(connection: &mut Connection, found: u32, to: u32) -> rusqlite::Result<()> {
    for (version, migration) in (1..=to).zip(MIGRATIONS).skip(found as usize) {
        let transaction = connection.transaction()?;
        migration(&transaction)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

/// From a row for each entry to a row for each batch.
fn batch_entries(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(BATCHES)?;
    let mut rooms = transaction.prepare("SELECT id, name FROM rooms")?;
    let rooms: Vec<(i64, String)> =
        rooms.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (id, name) in rooms {
        let name = RoomName::new(&name).map_err(|error| unreadable(1, error))?;
        let mut entries = transaction.prepare(
            "SELECT place, kind, id, at, author, action, target, text FROM entries
             WHERE place BETWEEN ?1 AND ?2 ORDER BY place",
        )?;
        let mut rows = entries.query(params![place(id, 0), place(id, max_seq())])?;
        let mut batch = Builder::default();
        while let Some(row) = rows.next()? {
            let entry = entry(&name, row)?;
            if !batch.is_followed_by(entry.seq) || batch.len() >= BATCH_BYTES / 4 {
                insert(transaction, id, batch.take().as_ref())?;
            }
            batch.push(&entry);
        }
        insert(transaction, id, batch.take().as_ref())?;
    }
    transaction.execute_batch(
        "INSERT INTO ids (id, place) SELECT id, place FROM entries ORDER BY id;
         DROP TABLE entries;",
    )
}

/// Settles a batch behind all that its room has.
pub(super) fn insert(connection: &Connection, room: i64, batch: Option<&Batch>) -> rusqlite::Result<()> {
    let Some(batch) = batch else { return Ok(()) };
    connection
        .prepare_cached("INSERT INTO batches (place, count, frames) VALUES (?1, ?2, ?3)")?
        .execute(params![place(room, batch.first), count(batch), &*batch.bytes])?;
    Ok(())
}

fn count(batch: &Batch) -> i64 {
    i64::try_from(batch.last - batch.first + 1).unwrap_or(i64::MAX)
}

/// One row of the first schema.
fn entry(room: &RoomName, row: &Row<'_>) -> rusqlite::Result<Entry> {
    let author: String = row.get(4)?;
    Ok(Entry {
        room: room.clone(),
        seq: seq_of(row.get(0)?),
        kind: match row.get(1)? {
            1 => EntryKind::Message,
            2 => EntryKind::Topic,
            _ => EntryKind::Unknown,
        },
        id: Uuid::from_bytes(row.get(2)?),
        at: Time::from_millis(row.get(3)?),
        from: Nick::new(&author).map_err(|error| unreadable(4, error))?,
        action: row.get(5)?,
        reply_to: row.get::<_, Option<i64>>(6)?.and_then(|seq| u64::try_from(seq).ok()),
        text: EntryText::from_stored(row.get_ref(7)?.as_str()?),
        author: None,
        target: None,
        off: false,
        now: None,
    })
}

/// A value in a row that is not what it must be.
pub(super) fn unreadable(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}

/// Makes a log as the first version would have left it.
#[cfg(test)]
pub(super) fn to_the_first(connection: &Connection) {
    connection.execute_batch(&FIRST[FIRST.find("CREATE TABLE entries").unwrap()..]).unwrap();
    let mut batches = connection.prepare("SELECT place, count, frames FROM batches").unwrap();
    let mut rows = batches.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let (at, count): (i64, i64) = (row.get(0).unwrap(), row.get(1).unwrap());
        let frames: Vec<u8> = row.get(2).unwrap();
        let batch = Batch::of_frames(seq_of(at), u64::try_from(count).unwrap(), frames.into()).unwrap();
        for (seq, json) in batch.entries() {
            let entry: Entry = serde_json::from_slice(json).unwrap();
            connection
                .execute(
                    "INSERT INTO entries (place, kind, id, at, author, action, target, text)
                     VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![
                        place(super::sqlite::room_of(at), seq),
                        entry.id.as_bytes(),
                        entry.at.as_millis(),
                        entry.from.as_str(),
                        entry.action,
                        entry.reply_to.map(|seq| i64::try_from(seq).unwrap()),
                        entry.text.as_str(),
                    ],
                )
                .unwrap();
        }
    }
    drop(rows);
    drop(batches);
    to_the_second(connection);
    connection
        .execute_batch("DROP TABLE journal; DROP TABLE batches; DROP TABLE ids; PRAGMA user_version = 1;")
        .unwrap();
}

/// Makes a log as the second version would have left it.
#[cfg(test)]
pub(super) fn to_the_second(connection: &Connection) {
    connection
        .execute_batch(
            "DROP TABLE changed; DROP TABLE edits; DROP TABLE reactions; DROP TABLE tallies; DROP TABLE purges;
             ALTER TABLE batches DROP COLUMN pad; ALTER TABLE rooms DROP COLUMN first;
             PRAGMA user_version = 2;",
        )
        .unwrap();
}
