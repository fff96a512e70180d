//! A disk that can only be read from some moment on, as systems make it when they find it damaged. A full one is different:
//! there the end of the journal can be cut off.

use super::*;

/// All that a room holds, for whoever catches up.
async fn all(open: &Open, name: &str) -> (u64, Vec<u8>) {
    journaling::all(&open.log, &room(name)).await
}

fn make_read_only(open: &Open, tables: bool, journal: bool) {
    open.log.writer.with_store(|store| store.make_read_only(tables, journal));
}

/// A log of which some is settled, some in tables, and some in the journal's file alone.
async fn furnished() -> Open {
    let mut open = open();
    open.append(vec![draft("#a", "1"), draft("#b", "1")]).await;
    let mut open = open.reopened().await;
    open.append(vec![topic("#a", "2")]).await;
    open.append(vec![draft("#a", "3")]).await;
    open
}

/// Of each kind of commit: into the file alone, into the tables, and both together.
fn kinds() -> [Vec<Draft>; 5] {
    [
        vec![draft("#a", "a message")],
        vec![topic("#a", "a topic")],
        vec![draft("#new", "a room")],
        vec![draft("#b", "a message"), Draft { author: Some(9), ..draft("#a", "a new person") }],
        vec![Draft { kind: EntryKind::Edited, target: Some(3), ..draft("#a", "an edit") }],
    ]
}

#[tokio::test]
async fn what_cannot_be_written_is_told_takes_no_number_and_can_be_said_again() {
    let mut open = furnished().await;
    let before = [all(&open, "#a").await, all(&open, "#b").await];
    make_read_only(&open, true, true);
    let drafts = kinds();
    for _ in 0..2 {
        for drafts in &drafts {
            for (outcome, draft) in open.append(drafts.clone()).await.into_iter().zip(drafts) {
                assert_eq!(outcome, Outcome::Failed { id: draft.id, error: StoreError::Failed });
                assert_eq!(StoreError::Failed.failure(draft.id).code, ErrorCode::Storage);
            }
        }
        // What was stored before is known as such, and everything can be read.
        assert_eq!([all(&open, "#a").await, all(&open, "#b").await], before);
        let page = open.log.reader.page(&room("#a"), Place::After(0), 9, None).await.unwrap();
        assert_eq!(page.iter().map(|entry| entry.text.as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
        let known = Draft { id: page[2].id, ..draft("#a", "3") };
        assert_eq!(open.append(vec![known.clone()]).await, [Outcome::Known { id: known.id, seq: 3 }]);
    }
    make_read_only(&open, false, false);
    let mut stored = Vec::new();
    for drafts in &drafts {
        stored.extend(open.append(drafts.clone()).await.iter().map(seq));
    }
    assert_eq!(stored, [4, 5, 1, 2, 6, 7], "nothing that failed has a number");
    let after = [all(&open, "#a").await, all(&open, "#b").await];
    let copy = copied(&open);
    let log = Log::open(copy.path(), Durability::Process, Disk::Threads).unwrap();
    let again = Open { log, folder: copy };
    assert_eq!([all(&again, "#a").await, all(&again, "#b").await], after, "after a sudden end");
    let again = open.reopened().await;
    assert_eq!([all(&again, "#a").await, all(&again, "#b").await], after, "after an orderly one");
}

/// Settling and expiring meet it too, and go on later. Also where only one of the two files cannot be written.
#[tokio::test]
async fn what_cannot_be_tidied_up_is_tidied_up_later() {
    for (tables, journal) in [(true, true), (true, false), (false, true)] {
        let mut open = furnished().await;
        let before = all(&open, "#a").await;
        make_read_only(&open, tables, journal);
        let case = format!("tables {tables}, journal {journal}");
        for _ in 0..2 {
            let expired = open.log.writer.expire(&room("#a"), Time::from_millis(0), u64::MAX).await;
            assert!(expired.is_err() == tables, "{case}: {expired:?}");
            assert_eq!(all(&open, "#a").await, before, "{case}");
            // A message goes into the journal's file alone.
            let outcome = open.append(vec![draft("#b", "x")]).await[0];
            assert_eq!(matches!(outcome, Outcome::Failed { .. }), journal, "{case}: {outcome:?}");
        }
        let copy = copied(&open);
        let log = Log::open(copy.path(), Durability::Process, Disk::Threads).unwrap();
        assert_eq!(all(&Open { log, folder: copy }, "#a").await, before, "{case}, after a sudden end");
        make_read_only(&open, false, false);
        open.log.writer.expire(&room("#a"), Time::from_millis(0), u64::MAX).await.unwrap();
        assert!(open.log.reader.tail.of(&room("#a")).is_empty(), "{case}: it is settled");
        let file = std::fs::metadata(open.folder.path().join(JOURNAL)).unwrap();
        assert_eq!(file.len(), 0, "{case}");
        let said = if journal { 1 } else { 3 };
        assert_eq!(seq(&open.append(vec![draft("#b", "on")]).await[0]), said + 1, "{case}");
        let open = open.reopened().await;
        assert_eq!((all(&open, "#a").await, all(&open, "#b").await.0), (before, said + 1), "{case}");
    }
}

/// What was deleted is in the files until then, and not forgotten to be taken out.
#[tokio::test]
async fn what_was_deleted_leaves_the_files_when_they_can_be_written() {
    for (tables, journal) in [(true, true), (true, false), (false, true)] {
        let mut open = furnished().await;
        open.append(vec![draft("#a", "a secret")]).await;
        open.append(vec![Draft { kind: EntryKind::Deleted, target: Some(4), ..draft("#a", "") }]).await;
        make_read_only(&open, tables, journal);
        for _ in 0..2 {
            assert!(!open.log.writer.with_store(store::Store::purge), "tables {tables}, journal {journal}");
            assert!(keeping::is_on_disk(&open, "a secret"), "tables {tables}, journal {journal}");
        }
        make_read_only(&open, false, false);
        assert!(open.log.writer.with_store(store::Store::purge), "tables {tables}, journal {journal}");
        assert!(!keeping::is_on_disk(&open, "a secret"), "tables {tables}, journal {journal}");
        assert_eq!(all(&open, "#a").await.0, 5);
    }
}

/// It is closed as it is: what is not settled waits in the journal for a disk that can be written.
#[tokio::test]
async fn a_log_that_cannot_be_written_any_more_can_be_closed() {
    let open = furnished().await;
    let before = all(&open, "#a").await;
    make_read_only(&open, true, true);
    open.log.reader.close().await;
    open.log.writer.close().await;
    let log = Log::open(open.folder.path(), Durability::Process, Disk::Threads).unwrap();
    let again = Open { log, folder: open.folder };
    assert_eq!(all(&again, "#a").await, before);
}
