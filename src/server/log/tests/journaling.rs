//! The journal beside the tables: what is in which of them, and what a sudden end, at whatever moment, leaves of both.

use std::fs;
use std::path::Path;

use super::*;

/// All that a log holds of a room: how many entries, and the frames as they were sent.
pub(super) async fn all(log: &Log<u32>, room: &RoomName) -> (u64, Vec<u8>) {
    let (mut frames, mut cursor) = (Vec::new(), 0);
    while let Some(batch) = log.reader.batch(room, cursor, u64::MAX).await.unwrap() {
        frames.extend_from_slice(&batch.bytes);
        cursor = batch.last;
    }
    (cursor, frames)
}

fn reopened(folder: &Path) -> Result<Log<u32>, LogError> {
    Log::open(folder, Durability::Process, Disk::Threads)
}

fn file(folder: &Path) -> Vec<u8> {
    fs::read(folder.join(JOURNAL)).unwrap()
}

fn rows(folder: &Path) -> i64 {
    let tables = rusqlite::Connection::open(folder.join(FILE)).unwrap();
    tables.query_row("SELECT count(*) FROM journal", [], |row| row.get(0)).unwrap()
}

/// What is left when it ends between any two commits: of messages, of what changes tables, of both, and after settling.
#[tokio::test]
async fn a_sudden_end_leaves_all_that_was_committed() {
    let mut open = open();
    let once = draft("#a", "said before");
    open.append(vec![draft("#a", "before"), once.clone()]).await;
    let mut count = 2;
    for step in 0..30 {
        let drafts = match step % 5 {
            0 => vec![topic("#a", "topic"), draft("#a", "with it")],
            1 => vec![draft(&format!("#new{step}"), "elsewhere")],
            _ => vec![draft("#a", "alone"), draft("#b", "beside it")],
        };
        count += drafts.iter().filter(|draft| draft.room == room("#a")).count() as u64;
        open.append(drafts).await;
        if step == 17 {
            // Nothing has expired, but what was said is settled.
            open.log.writer.expire(&room("#a"), Time::from_millis(0), u64::MAX).await.unwrap();
            assert!(file(open.folder.path()).is_empty() && rows(open.folder.path()) == 0);
        }
        let copy = copied(&open);
        let mut again = Open { log: reopened(copy.path()).unwrap(), folder: copy };
        let last = again.log.rooms.iter().find(|stored| stored.name == room("#a")).unwrap().last;
        assert_eq!(last, count, "{step}");
        for stored in &again.log.rooms {
            let (held, was) = (all(&again.log, &stored.name).await, all(&open.log, &stored.name).await);
            assert_eq!((stored.last, &held), (was.0, &was), "{step}, {}", stored.name);
        }
        assert!(file(again.folder.path()).is_empty(), "it is settled at the opening");
        assert_eq!(again.append(vec![once.clone()]).await, [Outcome::Known { id: once.id, seq: 2 }]);
        assert_eq!(seq(&again.append(vec![draft("#a", "after")]).await[0]), count + 1);
    }
}

/// Messages go into the file alone; a commit that changes tables takes them along.
#[tokio::test]
async fn the_tables_hold_a_whole_beginning_of_what_was_committed() {
    let mut open = open();
    open.append(vec![draft("#a", "1")]).await;
    assert_eq!((file(open.folder.path()).len(), rows(open.folder.path())), (0, 1));
    open.append(vec![draft("#a", "2")]).await;
    open.append(vec![draft("#a", "3")]).await;
    let before = file(open.folder.path()).len();
    assert!(before > 0 && rows(open.folder.path()) == 1);
    open.append(vec![topic("#a", "4")]).await;
    assert_eq!((file(open.folder.path()).len(), rows(open.folder.path())), (before, 2));
    // Whatever became of the file, nothing is missing in the middle.
    let copy = copied(&open);
    fs::remove_file(copy.path().join(JOURNAL)).unwrap();
    assert_eq!(reopened(copy.path()).unwrap().rooms[0].last, 4);
}

/// A commit that was not written to its end is none: nobody has heard of it.
#[tokio::test]
async fn what_was_cut_off_ends_with_the_last_whole_commit() {
    let mut open = open();
    open.append(vec![draft("#a", "1")]).await;
    let mut ends = vec![0];
    for text in ["2", "3", "4"] {
        open.append(vec![draft("#a", text)]).await;
        ends.push(file(open.folder.path()).len());
    }
    for cut in (0..=ends[3]).step_by(7).chain(ends.clone()) {
        let copy = copied(&open);
        let journal = fs::File::options().write(true).open(copy.path().join(JOURNAL)).unwrap();
        journal.set_len(cut as u64).unwrap();
        let whole = ends.iter().filter(|end| **end <= cut).count() as u64;
        let mut again = Open { log: reopened(copy.path()).unwrap(), folder: copy };
        assert_eq!(again.log.rooms[0].last, whole, "{cut}");
        assert_eq!(seq(&again.append(vec![draft("#a", "on")]).await[0]), whole + 1);
        let again = again.reopened().await;
        assert_eq!(all(&again.log, &room("#a")).await.0, whole + 1);
    }
}

#[tokio::test]
async fn damage_before_a_whole_commit_is_named_and_left_as_it_is() {
    let mut open = open();
    for text in ["1", "2", "3", "4"] {
        open.append(vec![draft("#a", text)]).await;
    }
    let copy = copied(&open);
    let path = copy.path().join(JOURNAL);
    let whole = fs::read(&path).unwrap();
    let third = whole.len() / 3;
    for at in [0, 9, third / 2, third + 3, 2 * third - 1] {
        let mut spoilt = whole.clone();
        spoilt[at] ^= 1;
        fs::write(&path, &spoilt).unwrap();
        let refused = reopened(copy.path());
        let Err(LogError::DamagedJournal { path: named, at: from }) = refused else { panic!("{refused:?}") };
        assert_eq!((named, from), (path.display().to_string(), at / third * third));
        assert!(fs::read(&path).unwrap() == spoilt, "it was changed");
    }
    // In the last one it is what a sudden end may leave.
    let mut spoilt = whole.clone();
    spoilt[2 * third + 9] ^= 1;
    fs::write(&path, &spoilt).unwrap();
    assert_eq!(reopened(copy.path()).unwrap().rooms[0].last, 3);
}

#[tokio::test]
async fn the_journal_of_another_log_or_of_a_later_time_is_not_taken_for_ones_own() {
    let (mut open, mut other) = (open(), super::open());
    for log in [&mut open, &mut other] {
        log.append(vec![draft("#a", "1")]).await;
    }
    let early = copied(&open);
    for log in [&mut open, &mut other] {
        log.append(vec![draft("#a", "2")]).await;
    }
    let copy = copied(&open);
    fs::copy(other.folder.path().join(JOURNAL), copy.path().join(JOURNAL)).unwrap();
    assert_eq!(reopened(copy.path()).unwrap().rooms[0].last, 1, "it is another's");
    // Commits are missing between the two.
    open.log.writer.expire(&room("#a"), Time::from_millis(0), u64::MAX).await.unwrap();
    open.append(vec![draft("#a", "3")]).await;
    fs::copy(open.folder.path().join(JOURNAL), early.path().join(JOURNAL)).unwrap();
    let mut open = Open { log: reopened(early.path()).unwrap(), folder: early };
    assert_eq!(open.log.rooms[0].last, 1);
    assert_eq!(seq(&open.append(vec![draft("#a", "on")]).await[0]), 2);
    assert_eq!(all(&open.reopened().await.log, &room("#a")).await.0, 2);
}

/// Killed between settling and emptying the file: what is in it is in the tables too.
#[tokio::test]
async fn what_is_settled_already_does_not_come_twice() {
    let mut open = open();
    for text in ["1", "2", "3"] {
        open.append(vec![draft("#a", text)]).await;
    }
    let unsettled = file(open.folder.path());
    let open = open.reopened().await;
    let copy = tempfile::tempdir().unwrap();
    fs::copy(open.folder.path().join(FILE), copy.path().join(FILE)).unwrap();
    fs::write(copy.path().join(JOURNAL), unsettled).unwrap();
    let mut again = Open { log: reopened(copy.path()).unwrap(), folder: copy };
    assert_eq!(again.log.rooms[0].last, 3);
    assert!(file(again.folder.path()).is_empty(), "what was deleted might be in it");
    assert_eq!(seq(&again.append(vec![draft("#a", "on")]).await[0]), 4);
}

/// As the version before left it: all that is not settled in rows, and no file.
#[tokio::test]
async fn a_journal_of_rows_is_settled() {
    let mut open = open();
    open.append(vec![draft("#a", "1")]).await;
    open.append(vec![draft("#a", "2")]).await;
    open.append(vec![topic("#a", "3")]).await;
    let copy = copied(&open);
    fs::remove_file(copy.path().join(JOURNAL)).unwrap();
    let tables = rusqlite::Connection::open(copy.path().join(FILE)).unwrap();
    tables.execute_batch("DELETE FROM meta WHERE key = 'settled'; PRAGMA user_version = 4;").unwrap();
    assert_eq!(rows(copy.path()), 2);
    let mut again = Open { log: reopened(copy.path()).unwrap(), folder: copy };
    let version: i64 = tables.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!((again.log.rooms[0].last, rows(again.folder.path()), version), (3, 0, 5));
    drop(tables);
    assert_eq!(seq(&again.append(vec![draft("#a", "on")]).await[0]), 4);
    assert_eq!(all(&again.reopened().await.log, &room("#a")).await.0, 4);
}

/// The file is read, then the tables are copied, and whatever happens in between the two belong together.
#[tokio::test]
async fn a_copy_is_completed_by_the_journal_that_was_read_before_it() {
    for between in 0..6 {
        let mut open = open();
        open.append(vec![draft("#a", "1")]).await;
        open.append(vec![draft("#a", "2")]).await;
        let read = file(open.folder.path());
        let last = match between {
            0 => 2,
            1 => seq(&open.append(vec![draft("#a", "3")]).await[0]),
            2 => seq(&open.append(vec![topic("#a", "3")]).await[0]),
            3 | 4 => {
                open.log.writer.expire(&room("#a"), Time::from_millis(0), u64::MAX).await.unwrap();
                if between == 4 { seq(&open.append(vec![draft("#a", "3")]).await[0]) } else { 2 }
            }
            _ => {
                open.append(vec![draft("#a", "3")]).await;
                seq(&open.append(vec![topic("#a", "4")]).await[0])
            }
        };
        // What is said after the reading need not be in it.
        let last = if matches!(between, 1 | 4) { 2 } else { last };
        let copy = tempfile::tempdir().unwrap();
        let to = copy.path().join(FILE);
        let tables = rusqlite::Connection::open(open.folder.path().join(FILE)).unwrap();
        tables.execute("VACUUM INTO ?1", [to.to_str().unwrap()]).unwrap();
        assert!(complete(&to, read).unwrap());
        assert_eq!(fs::read_dir(copy.path()).unwrap().count(), 1, "it is one file");
        let log = reopened(copy.path()).unwrap();
        assert_eq!(all(&log, &room("#a")).await.0, last, "{between}");
    }
}
