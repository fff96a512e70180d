//! Files of earlier versions that could not be brought up to date at once: nothing of them is lost, and the next start goes on
//! where they stand.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;

use super::*;

/// The version that this program writes.
const NEWEST: u32 = 5;

/// Pages that are free would be used first, and the file would never be full.
const SQUEEZE: &str = "VACUUM; PRAGMA wal_checkpoint(TRUNCATE);";

/// All that a file holds: its tables by their names, what made them, and their rows.
type Held = Vec<(String, String, Vec<Vec<Value>>)>;

fn held(connection: &Connection) -> Held {
    let mut tables =
        connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
    let tables = tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let tables: Vec<(String, String)> = tables.collect::<Result<_, _>>().unwrap();
    let rows = |table: &str| {
        let mut rows = connection.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let columns = rows.column_count();
        let rows = rows.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    tables.into_iter().map(|(name, sql)| (name.clone(), sql, rows(&name))).collect()
}

fn version(connection: &Connection) -> u32 {
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

/// A log of the first version, with more than one batch in a room, and what it and each later version must hold; at 0 is
/// nothing.
async fn old() -> (tempfile::TempDir, Vec<Held>) {
    let mut open = open();
    for hand_over in 0..6 {
        let text = |n: usize| format!("{hand_over}, {n} {}", "x".repeat(37 * n));
        open.append((0..40).map(|n| draft(if n % 5 == 0 { "#b" } else { "#a" }, &text(n))).collect()).await;
    }
    open.append(vec![Draft { action: true, reply_to: Some(3), ..topic("#c", "a topic") }]).await;
    open.log.reader.close().await;
    open.log.writer.close().await;
    let file = Connection::open(open.folder.path().join(FILE)).unwrap();
    schema::to_the_first(&file);
    file.execute_batch(SQUEEZE).unwrap();
    let (workshop, mut expected) = (copied_file(open.folder.path()), vec![Vec::new(), held(&file)]);
    let mut connection = Connection::open(workshop.path().join(FILE)).unwrap();
    for to in 2..=NEWEST {
        schema::migrate_to(&mut connection, to - 1, to).unwrap();
        assert_eq!(version(&connection), to);
        expected.push(held(&connection));
    }
    schema::migrate(&mut connection).unwrap();
    assert_eq!(version(&connection), NEWEST, "there is a newer one: it belongs here");
    let rows: i64 = connection.query_row("SELECT count(*) FROM batches", [], |row| row.get(0)).unwrap();
    assert!(rows > 3, "each room is but one row");
    (open.folder, expected)
}

/// The tables alone, closed in order.
fn copied_file(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::copy(folder.join(FILE), copy.path().join(FILE)).unwrap();
    copy
}

/// The next start has room, and brings all of it up to date.
async fn assert_it_goes_on(folder: tempfile::TempDir, expected: &Held, case: &str) {
    let log = Log::open(folder.path(), Durability::Process, Disk::Threads).unwrap();
    let mut open = Open { log, folder };
    let file = Connection::open(open.folder.path().join(FILE)).unwrap();
    assert_eq!(version(&file), NEWEST, "{case}");
    assert!(held(&file) == *expected, "{case}: it holds something else");
    let sound: String = file.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok", "{case}");
    drop(file);
    let page = open.log.reader.page(&room("#a"), Place::Before(u64::MAX), 1, None).await.unwrap();
    assert_eq!((page[0].seq, page[0].text.as_str().split_once(' ').unwrap().0), (192, "5,"), "{case}");
    assert_eq!(seq(&open.append(vec![draft("#a", "on")]).await[0]), 193, "{case}");
}

/// Wherever the disk is full, the file stands at one of the versions, whole; also if the program is killed in that moment.
#[tokio::test]
async fn a_full_disk_in_the_middle_of_migrating_loses_nothing() {
    let (folder, expected) = old().await;
    // Only the first two steps need room: they copy all that was said.
    for from in [1, 2] {
        let start = copied_file(folder.path());
        let mut connection = Connection::open(start.path().join(FILE)).unwrap();
        schema::migrate_to(&mut connection, 1, from).unwrap();
        connection.execute_batch(SQUEEZE).unwrap();
        drop(connection);
        let mut failures = 0;
        for spare in (0..).step_by(11) {
            assert!(spare < 5000, "it never has enough");
            let attempt = copied_file(start.path());
            let mut connection = Connection::open(attempt.path().join(FILE)).unwrap();
            // Little is kept in memory, so that what is not committed is in the files too.
            connection
                .execute_batch(
                    "PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON; PRAGMA cache_size = 10;",
                )
                .unwrap();
            let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
            connection.pragma_update(None, "max_page_count", pages + spare).unwrap();
            let Err(error) = schema::migrate(&mut connection) else { break };
            let LogError::Sqlite(error) = error else { panic!("{error}") };
            assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull), "{error}");
            assert_eq!(version(&connection), from, "{spare} pages");
            assert!(held(&connection) == expected[from as usize], "{from} is not whole, {spare} pages");
            failures += 1;
            let killed = copied_file(attempt.path());
            fs::copy(attempt.path().join("parlor.db-wal"), killed.path().join("parlor.db-wal")).unwrap();
            drop(connection);
            for (folder, how) in [(attempt, "closed"), (killed, "killed")] {
                let case = format!("{how} at {from} with {spare} pages");
                assert_it_goes_on(folder, &expected[NEWEST as usize], &case).await;
            }
        }
        assert!(failures > 3, "{failures} from {from}");
    }
}

/// What is in the way, how it is removed, and at which version the file stands until then.
const OBSTACLES: [(&str, &str, u32); 6] = [
    ("CREATE TABLE journal (a)", "DROP TABLE journal", 1),
    ("CREATE TABLE ids (a)", "DROP TABLE ids", 1),
    // One of the last rows is garbled.
    (
        "UPDATE entries SET author = 'a b' WHERE place & 0xFFFF = 190",
        "UPDATE entries SET author = 'alice' WHERE place & 0xFFFF = 190",
        1,
    ),
    ("CREATE TABLE padded (a)", "DROP TABLE padded", 2),
    ("CREATE TABLE purges (a)", "DROP TABLE purges", 2),
    ("ALTER TABLE rooms ADD COLUMN first", "ALTER TABLE rooms DROP COLUMN first", 3),
];

/// What fails for another reason than the disk, at the beginning of a step and at its end.
#[tokio::test]
async fn what_is_in_the_way_of_migrating_stops_it_between_two_versions() {
    let (folder, expected) = old().await;
    for (obstacle, removal, stops_at) in OBSTACLES {
        let attempt = copied_file(folder.path());
        let tables = Connection::open(attempt.path().join(FILE)).unwrap();
        tables.execute_batch(obstacle).unwrap();
        let refused = Log::<u32>::open(attempt.path(), Durability::Process, Disk::Threads);
        assert!(matches!(refused, Err(LogError::File(..))), "{obstacle}: {refused:?}");
        assert_eq!(version(&tables), stops_at, "{obstacle}");
        tables.execute_batch(removal).unwrap();
        assert!(held(&tables) == expected[stops_at as usize], "{obstacle}");
        drop(tables);
        assert_it_goes_on(attempt, &expected[NEWEST as usize], obstacle).await;
    }
}

/// What the host is told.
#[test]
fn a_disk_that_is_full_at_the_opening_is_told_with_what_to_do() {
    let full = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), None);
    let told = unusable(Path::new("/data/parlor.db"), full).to_string();
    assert!(told.contains("/data/parlor.db") && told.contains("make some"), "{told}");
}
