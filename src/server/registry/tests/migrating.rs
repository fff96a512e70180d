//! Files of earlier versions, and those that could not be brought up to date at once.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::restart::furnished;
use super::*;

/// The version that this program writes.
const NEWEST: u32 = 3;

/// From each version to the one before it.
const THIRD_TO_SECOND: &str = "ALTER TABLE rooms DROP COLUMN retention; PRAGMA user_version = 2;";
const SECOND_TO_FIRST: &str = "DROP TABLE read; PRAGMA user_version = 1;";
/// Pages that are free would be used first, and the file would never be full.
const SQUEEZE: &str = "VACUUM; PRAGMA wal_checkpoint(TRUNCATE);";

fn mark(person: i64, seq: u64) -> ReadMark {
    ReadMark { person: PersonId(person), room: room("#a"), seq, at: at(7) }
}

fn audit(registry: &Registry) -> Vec<AuditEntry> {
    registry.audit(&By::Parlor, None, usize::MAX).unwrap()
}

fn version(connection: &Connection) -> u32 {
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

/// The statements that made what is in a file.
fn schema(connection: &Connection) -> Vec<String> {
    let mut statements =
        connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").unwrap();
    let statements = statements.query_map([], |row| row.get(0)).unwrap();
    statements.collect::<Result<_, _>>().unwrap()
}

/// A file as the first version would have left it, with something of everything, and what is in it.
fn first() -> House {
    let mut house = furnished();
    for down in [THIRD_TO_SECOND, SECOND_TO_FIRST, SQUEEZE] {
        house.registry.tables.tamper(down).unwrap();
    }
    house.registry.close();
    house
}

fn copied(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::copy(folder.join(FILE), copy.path().join(FILE)).unwrap();
    copy
}

/// The file is up to date, holds what `house` knew, and takes what only the newest version can hold.
fn assert_it_goes_on(folder: &Path, house: &House, records: &[AuditEntry], case: &str) {
    let mut registry = Registry::open(folder, Durability::Process, at(0)).unwrap();
    assert_eq!(registry.state, house.registry.state, "{case}");
    assert_eq!(audit(&registry), records, "{case}");
    registry.keep_read(vec![mark(1, 3)], Vec::new()).unwrap();
    let day = Some(Duration::from_secs(86_400));
    registry.rule(&By::Parlor, &room("#a"), Rule::Retention(day), at(0)).unwrap();
    registry.close();
    let again = Registry::open(folder, Durability::Process, at(0)).unwrap();
    assert_eq!(again.rules(&room("#a")).retention, day, "{case}");
    assert_eq!(again.read_marks().unwrap(), [mark(1, 3)], "{case}");
    let file = Connection::open(folder.join(FILE)).unwrap();
    assert_eq!(version(&file), NEWEST, "{case}");
    let sound: String = file.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok", "{case}");
}

#[test]
fn a_file_of_each_earlier_version_is_read_on() {
    let fresh = House::new();
    let newest = schema(&Connection::open(fresh.folder.path().join(FILE)).unwrap());
    for downs in [&[THIRD_TO_SECOND][..], &[THIRD_TO_SECOND, SECOND_TO_FIRST]] {
        let mut house = furnished();
        let records = audit(&house.registry);
        assert!(!records.is_empty() && !house.registry.state.rooms.is_empty());
        house.registry.keep_read(vec![mark(1, 2), mark(2, 5)], Vec::new()).unwrap();
        for down in downs {
            house.registry.tables.tamper(down).unwrap();
        }
        house.registry.close();
        let mut registry = house.reopened(at(0));
        // Who has read what came with the second version.
        let kept = if downs.len() == 1 { vec![mark(1, 2), mark(2, 5)] } else { Vec::new() };
        assert_eq!(registry.read_marks().unwrap(), kept);
        registry.keep_read(Vec::new(), vec![(PersonId(2), room("#a"))]).unwrap();
        registry.close();
        assert_eq!(schema(&Connection::open(house.folder.path().join(FILE)).unwrap()), newest);
        assert_it_goes_on(house.folder.path(), &house, &records, &format!("{} down", downs.len()));
    }
}

/// Wherever the disk is full, the file stands at one of the versions, whole.
#[test]
fn a_full_disk_in_the_middle_of_migrating_loses_nothing() {
    let house = first();
    let path = house.folder.path().join(FILE);
    let records =
        audit(&Registry::open(copied(house.folder.path()).path(), Durability::Process, at(0)).unwrap());
    let before = schema(&Connection::open(&path).unwrap());
    let mut failures = 0;
    for spare in 0.. {
        assert!(spare < 100, "it never has enough");
        let attempt = copied(house.folder.path());
        let path = attempt.path().join(FILE);
        let migrated = Tables::migrate_within(&path, spare);
        if let Err(error) = &migrated {
            assert!(matches!(error, OpenError::Full(_)), "{error:?}");
            assert!(error.to_string().contains(&path.display().to_string()), "{error}");
            let file = Connection::open(&path).unwrap();
            let (at, now) = (version(&file), schema(&file));
            assert!(at < NEWEST && (at > 1 || now == before), "version {at}: {now:?}");
            failures += 1;
        }
        assert_it_goes_on(attempt.path(), &house, &records, &format!("{spare} pages"));
        if migrated.is_ok() {
            break;
        }
    }
    assert!(failures > 0, "it was never full");
}

/// What is in the way of each step, how it is removed, and at which version the file stands until then.
const OBSTACLES: [(&str, &str, u32); 2] = [
    ("CREATE TABLE read (a)", "DROP TABLE read", 1),
    ("ALTER TABLE rooms ADD COLUMN retention", "ALTER TABLE rooms DROP COLUMN retention", 2),
];

#[test]
fn what_is_in_the_way_of_migrating_stops_it_between_two_versions() {
    let house = first();
    let records =
        audit(&Registry::open(copied(house.folder.path()).path(), Durability::Process, at(0)).unwrap());
    for (obstacle, removal, stops_at) in OBSTACLES {
        let attempt = copied(house.folder.path());
        let file = Connection::open(attempt.path().join(FILE)).unwrap();
        file.execute_batch(obstacle).unwrap();
        for _ in 0..2 {
            let refused = Registry::open(attempt.path(), Durability::Process, at(0));
            assert!(matches!(refused, Err(OpenError::Unreadable(_))), "{obstacle}: {refused:?}");
            assert_eq!(version(&file), stops_at, "{obstacle}");
        }
        file.execute_batch(removal).unwrap();
        drop(file);
        assert_it_goes_on(attempt.path(), &house, &records, obstacle);
    }
}
