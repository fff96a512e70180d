use std::collections::HashSet;

use super::*;
use crate::protocol::command::Place;
use crate::protocol::time::Time;

struct Open {
    log: Log<u32>,
    folder: tempfile::TempDir,
}

fn open() -> Open {
    let folder = tempfile::tempdir().unwrap();
    Open { log: Log::open(folder.path(), Durability::Process).unwrap(), folder }
}

impl Open {
    async fn reopened(self) -> Self {
        self.log.reader.close().await;
        self.log.writer.close().await;
        assert!(!self.folder.path().join("parlor.db-wal").exists(), "closed, the log is one file");
        let log = Log::open(self.folder.path(), Durability::Power).unwrap();
        Self { log, folder: self.folder }
    }

    async fn append(&mut self, drafts: Vec<Draft>) -> Vec<Outcome> {
        self.log.writer.append(drafts, 7).await.unwrap();
        let mut group = self.log.committed.recv().await.unwrap();
        assert_eq!((group.len(), group[0].tag), (1, 7));
        group.remove(0).outcomes
    }
}

fn room(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

fn draft(name: &str, text: &str) -> Draft {
    Draft {
        room: room(name),
        kind: EntryKind::Message,
        id: Uuid::now_v7(),
        from: Nick::new("alice").unwrap(),
        text: EntryText::from_stored(text),
        action: false,
        reply_to: None,
    }
}

fn seq(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Stored(entry) => entry.seq,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_room_counts_for_itself_and_on_through_a_restart() {
    let mut open = open();
    let outcomes = open.append(vec![draft("#a", "1"), draft("#b", "2"), draft("#a", "3")]).await;
    assert_eq!(outcomes.iter().map(seq).collect::<Vec<_>>(), [1, 1, 2]);
    let id = open.log.id;
    let mut open = open.reopened().await;
    assert_eq!(open.log.id, id);
    let outcomes = open.append(vec![draft("#a", "4")]).await;
    assert_eq!(seq(&outcomes[0]), 3);
    let last: Vec<_> = open.log.rooms.iter().map(|room| (room.name.as_str(), room.last)).collect();
    assert_eq!(last, [("#a", 2), ("#b", 1)]);
}

#[tokio::test]
async fn an_id_is_stored_once_however_often_it_comes() {
    let mut open = open();
    let once = draft("#a", "x");
    let outcomes = open.append(vec![once.clone(), once.clone(), draft("#a", "y")]).await;
    assert!(matches!(outcomes[1], Outcome::Known { seq: 1, .. }));
    assert_eq!(seq(&outcomes[2]), 2, "what was known took no number");
    let mut open = open.reopened().await;
    assert!(matches!(open.append(vec![once.clone()]).await[0], Outcome::Known { seq: 1, .. }));
    let elsewhere = Draft { room: room("#b"), ..once };
    let outcomes = open.append(vec![elsewhere]).await;
    assert!(matches!(outcomes[0], Outcome::Failed { error: StoreError::IdInUse, .. }));
    let mut open = open.reopened().await;
    assert_eq!(open.log.rooms.len(), 1, "a refused message makes no room");
    assert_eq!(seq(&open.append(vec![draft("#b", "now")]).await[0]), 1);
}

#[tokio::test]
async fn all_of_an_entry_comes_back() {
    let mut open = open();
    let stored =
        Draft { action: true, reply_to: Some(1), ..draft("#会議", "漢字 👩‍👩‍👧\n\tx") };
    let topic = Draft { kind: EntryKind::Topic, ..draft("#会議", "新しい") };
    let outcomes = open.append(vec![stored, topic]).await;
    let page = open.log.reader.page(&room("#会議"), Place::After(0), 10).await.unwrap();
    for (outcome, read) in outcomes.iter().zip(&page) {
        let Outcome::Stored(entry) = outcome else { panic!() };
        assert_eq!(entry, read);
        assert_eq!(entry.text, read.text);
    }
    let open = open.reopened().await;
    assert_eq!(open.log.rooms[0].topic, "新しい");
}

#[tokio::test]
async fn pages_are_contiguous_and_end_where_they_should() {
    let mut open = open();
    open.append((0..20).map(|n| draft("#a", &n.to_string())).collect()).await;
    let page = async |place, limit| -> Vec<u64> {
        let page = open.log.reader.page(&room("#a"), place, limit).await.unwrap();
        page.iter().map(|entry| entry.seq).collect()
    };
    assert_eq!(page(Place::After(17), 10).await, [18, 19, 20]);
    assert!(page(Place::After(20), 10).await.is_empty());
    assert_eq!(page(Place::Before(4), 2).await, [2, 3]);
    assert!(page(Place::Before(1), 2).await.is_empty());
    assert_eq!(page(Place::Before(u64::MAX), 1).await, [20]);
    assert_eq!(page(Place::Around(10), 4).await, [8, 9, 10, 11]);
    assert!(page(Place::After(u64::MAX), 4).await.is_empty());
    assert!(open.log.reader.page(&room("#none"), Place::After(0), 9).await.unwrap().is_empty());
    let batch = open.log.reader.batch(&room("#a"), 5, 9).await.unwrap().unwrap();
    assert_eq!((batch.first, batch.last), (6, 9));
}

#[tokio::test]
async fn a_page_of_long_texts_ends_early_on_the_far_side() {
    let mut open = open();
    let long = "x".repeat(16_000);
    open.append((0..40).map(|_| draft("#a", &long)).collect()).await;
    let before = open.log.reader.page(&room("#a"), Place::Before(41), 40).await.unwrap();
    assert!(before.len() < 20 && before.last().unwrap().seq == 40);
    let after = open.log.reader.page(&room("#a"), Place::After(0), 40).await.unwrap();
    assert!(after.len() < 20 && after[0].seq == 1);
    let batch = open.log.reader.batch(&room("#a"), 0, 40).await.unwrap().unwrap();
    assert!(batch.last < 20);
}

/// A disk that is full, as SQLite sees it: no further page can be had.
#[tokio::test]
async fn a_full_disk_stores_nothing_takes_no_number_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("parlor.db");
    let (connection, _) = sqlite::open(&path, Durability::Process).unwrap();
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    connection.pragma_update(None, "max_page_count", pages + 4).unwrap();
    let lock = sqlite::lock(folder.path()).unwrap();
    let (writer, mut committed) = Writer::start(connection, lock).unwrap();
    let mut stored = 0;
    let failed = loop {
        writer.append(vec![draft("#a", &"x".repeat(2000))], 0).await.unwrap();
        match committed.recv().await.unwrap().remove(0).outcomes.remove(0) {
            Outcome::Stored(entry) => stored = entry.seq,
            Outcome::Failed { error, .. } => break error,
            Outcome::Known { .. } => panic!(),
        }
        assert!(stored < 100, "it was never full");
    };
    assert_eq!(failed, StoreError::Full);
    writer.close().await;
    let mut log = Log::<u32>::open(folder.path(), Durability::Process).unwrap();
    log.writer.append(vec![draft("#a", "room again")], 0).await.unwrap();
    assert_eq!(seq(&log.committed.recv().await.unwrap()[0].outcomes[0]), stored + 1);
}

#[tokio::test]
async fn what_waits_is_committed_together_and_in_order() {
    let mut open = open();
    let writers: Vec<_> = (0..50)
        .map(|_| {
            let writer = open.log.writer.clone();
            tokio::spawn(async move {
                for n in 0..20 {
                    writer.append(vec![draft("#a", "x"), draft("#b", "y")], n).await.unwrap();
                }
            })
        })
        .collect();
    let mut seqs: Vec<u64> = Vec::new();
    while seqs.len() < 1000 {
        for committed in open.log.committed.recv().await.unwrap() {
            seqs.push(seq(&committed.outcomes[0]));
            assert_eq!(seq(&committed.outcomes[0]), seq(&committed.outcomes[1]));
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(seqs, (1..=1000).collect::<Vec<_>>());
}

#[tokio::test]
async fn one_folder_serves_one_parlor() {
    let open = open();
    let second = Log::<()>::open(open.folder.path(), Durability::Process);
    assert!(matches!(second, Err(LogError::InUse(_))));
}

#[tokio::test]
async fn a_log_of_a_later_version_is_left_alone() {
    let open = open();
    open.log.writer.close().await;
    let path = open.folder.path().join("parlor.db");
    rusqlite::Connection::open(path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let later = Log::<()>::open(open.folder.path(), Durability::Process);
    assert!(matches!(later, Err(LogError::TooNew { found: 99, .. })));
}

#[cfg(unix)]
#[tokio::test]
async fn the_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("a").join("b");
    let log = Log::<()>::open(&data, Durability::Process).unwrap();
    assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    log.writer.close().await;
}

/// The order is that of `seq`. A moment is what the clock said, and not what would look better.
#[tokio::test]
async fn a_clock_that_was_set_back_changes_no_order() {
    let mut open = open();
    open.append(vec![draft("#a", "1"), draft("#a", "2")]).await;
    let ahead = Time::now().shifted(50 * 365 * 24 * 60 * 60 * 1000);
    let meddler = rusqlite::Connection::open(open.folder.path().join("parlor.db")).unwrap();
    meddler.execute("UPDATE entries SET at = ?1", [ahead.as_millis()]).unwrap();
    drop(meddler);
    let mut open = open.reopened().await;
    let outcomes = open.append(vec![draft("#a", "3")]).await;
    assert_eq!(seq(&outcomes[0]), 3);
    let page = open.log.reader.page(&room("#a"), Place::After(0), 10).await.unwrap();
    assert_eq!(page.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(page[1].at, ahead);
    assert!(page[2].at < ahead, "one that was said now was not said in fifty years");
}

#[tokio::test]
async fn ids_of_logs_differ() {
    let ids: HashSet<Uuid> = [open().log.id, open().log.id].into();
    assert_eq!(ids.len(), 2);
}
