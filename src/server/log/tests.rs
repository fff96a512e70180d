mod changes;

use std::collections::HashSet;

use super::*;
use crate::protocol::command::Place;
use crate::protocol::time::Time;

mod journaling;
mod keeping;
mod migrating;
mod read_only;
mod settling;
mod unread;

struct Open {
    log: Log<u32>,
    folder: tempfile::TempDir,
}

fn open() -> Open {
    let folder = tempfile::tempdir().unwrap();
    Open { log: Log::open(folder.path(), Durability::Process, Disk::Threads).unwrap(), folder }
}

impl Open {
    async fn reopened(self) -> Self {
        self.log.reader.close().await;
        self.log.writer.close().await;
        for file in ["parlor.db-wal", "parlor.journal"] {
            assert!(!self.folder.path().join(file).exists(), "closed, the log is one file");
        }
        let log = Log::open(self.folder.path(), Durability::Power, Disk::Threads).unwrap();
        Self { log, folder: self.folder }
    }

    async fn append(&mut self, drafts: Vec<Draft>) -> Vec<Outcome> {
        self.log.writer.append(drafts, 7).await.unwrap();
        let mut commit = self.log.committed.recv().await.unwrap();
        assert_eq!((commit.answers.len(), commit.answers[0].tag), (1, 7));
        commit.answers.remove(0).outcomes
    }
}

/// The log's files as they are at this moment: what a sudden end leaves.
fn copied(open: &Open) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in [FILE, "parlor.db-wal", JOURNAL] {
        std::fs::copy(open.folder.path().join(file), copy.path().join(file)).unwrap();
    }
    copy
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
        author: Some(7),
        target: None,
        off: false,
        refusal: None,
    }
}

fn topic(name: &str, text: &str) -> Draft {
    Draft { kind: EntryKind::Topic, ..draft(name, text) }
}

fn seq(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Stored { seq, .. } => *seq,
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
    let drafts = [stored, topic];
    let outcomes = open.append(drafts.to_vec()).await;
    let page = open.log.reader.page(&room("#会議"), Place::After(0), 10, None).await.unwrap();
    assert_eq!(page.len(), 2);
    for ((outcome, draft), read) in outcomes.iter().zip(drafts).zip(page) {
        assert_eq!(
            (read.seq, read.kind, read.id, read.from),
            (seq(outcome), draft.kind, draft.id, draft.from)
        );
        assert_eq!((read.text, read.action, read.reply_to), (draft.text, draft.action, draft.reply_to));
    }
    let open = open.reopened().await;
    assert_eq!(open.log.rooms[0].topic, "新しい");
}

#[tokio::test]
async fn what_is_published_is_what_is_stored() {
    let mut open = open();
    let topic = Draft { kind: EntryKind::Topic, ..draft("#b", "news") };
    open.log.writer.append(vec![draft("#a", "1"), topic, draft("#a", "2")], 0).await.unwrap();
    let commit = open.log.committed.recv().await.unwrap();
    for (fresh, (name, last, topic)) in commit.fresh.iter().zip([("#a", 2, None), ("#b", 1, Some("news"))]) {
        assert_eq!((fresh.room.as_str(), fresh.topic.as_ref().map(EntryText::as_str)), (name, topic));
        let [published] = &fresh.batches[..] else { panic!("one batch") };
        let stored = open.log.reader.batch(&room(name), 0, last).await.unwrap().unwrap();
        assert_eq!((published.first, published.last, &published.bytes), (1, last, &stored.bytes));
    }
}

#[tokio::test]
async fn pages_are_contiguous_and_end_where_they_should() {
    let mut open = open();
    for batch in [1..3, 3..4, 4..15, 15..21] {
        open.append(batch.map(|n| draft("#a", &n.to_string())).collect()).await;
    }
    open.append(vec![draft("#b", "another room")]).await;
    let page = async |place, limit| -> Vec<u64> {
        let page = open.log.reader.page(&room("#a"), place, limit, None).await.unwrap();
        page.iter().map(|entry| entry.seq).collect()
    };
    assert_eq!(page(Place::After(17), 10).await, [18, 19, 20]);
    assert!(page(Place::After(20), 10).await.is_empty());
    assert_eq!(page(Place::Before(4), 2).await, [2, 3]);
    assert!(page(Place::Before(1), 2).await.is_empty());
    assert_eq!(page(Place::Before(u64::MAX), 1).await, [20]);
    assert_eq!(page(Place::Around(10), 4).await, [8, 9, 10, 11]);
    assert!(page(Place::After(u64::MAX), 4).await.is_empty());
    assert!(open.log.reader.page(&room("#none"), Place::After(0), 9, None).await.unwrap().is_empty());
    for (cursor, to) in [(0, 20), (5, 9), (2, 15), (19, 20), (14, 15)] {
        let batch = open.log.reader.batch(&room("#a"), cursor, to).await.unwrap().unwrap();
        assert_eq!((batch.first, batch.last, batch.entries().len() as u64), (cursor + 1, to, to - cursor));
    }
    assert!(open.log.reader.batch(&room("#a"), 20, 20).await.unwrap().is_none());
}

/// A log as the first version of the schema kept it, one row for each entry.
#[tokio::test]
async fn a_log_of_the_first_schema_is_read_on() {
    let mut open = open();
    // It did not know yet who has written what.
    let draft = |name: &str, text: &str| Draft { author: None, ..draft(name, text) };
    let drafts: Vec<Draft> = (0..2000).map(|n| draft("#a", &format!("{n} {}", "x".repeat(n)))).collect();
    for some in drafts.chunks(64) {
        open.append(some.to_vec()).await;
    }
    open.append(vec![Draft { action: true, reply_to: Some(3), ..draft("#b", "other") }]).await;
    let all = async |log: &Log<u32>, name: &str| {
        let (mut all, mut cursor) = (Vec::new(), 0);
        while let Some(batch) = log.reader.batch(&room(name), cursor, u64::MAX).await.unwrap() {
            all.extend_from_slice(&batch.bytes);
            cursor = batch.last;
        }
        all
    };
    let before = [all(&open.log, "#a").await, all(&open.log, "#b").await];
    open.log.reader.close().await;
    open.log.writer.close().await;
    schema::to_the_first(&rusqlite::Connection::open(open.folder.path().join("parlor.db")).unwrap());
    let log = Log::open(open.folder.path(), Durability::Process, Disk::Threads).unwrap();
    let mut open = Open { log, folder: open.folder };
    assert_eq!([all(&open.log, "#a").await, all(&open.log, "#b").await], before);
    let again = drafts[1234].clone();
    assert_eq!(open.append(vec![again.clone()]).await, [Outcome::Known { id: again.id, seq: 1235 }]);
    assert_eq!(seq(&open.append(vec![draft("#a", "on")]).await[0]), 2001);
}

/// Whatever was settled meanwhile, a page goes from the file into memory without a seam.
#[tokio::test]
async fn what_is_settled_and_what_is_not_are_one_log() {
    let mut open = open();
    for n in 0..30 {
        open.append((0..7).map(|m| draft("#a", &(7 * n + m).to_string())).collect()).await;
        if n % 8 == 3 {
            open = open.reopened().await;
        }
    }
    let reader = &open.log.reader;
    assert_eq!(reader.tail.of(&room("#a"))[0].first, 28 * 7 + 1);
    for (at, limit, expected) in [
        (Place::After(190), 500, 191..=210),
        (Place::Before(205), 20, 185..=204),
        (Place::Before(190), 3, 187..=189),
        (Place::Around(197), 6, 194..=199),
    ] {
        let page = reader.page(&room("#a"), at, limit, None).await.unwrap();
        let seqs: Vec<u64> = page.iter().map(|entry| entry.seq).collect();
        assert_eq!(seqs, expected.collect::<Vec<_>>());
        assert!(page.iter().all(|entry| entry.text.as_str() == (entry.seq - 1).to_string()));
    }
    for cursor in 180..210 {
        let batch = reader.batch(&room("#a"), cursor, 210).await.unwrap().unwrap();
        assert_eq!((batch.first, batch.entries()[0].0), (cursor + 1, cursor + 1));
    }
}

#[tokio::test]
async fn what_was_changed_in_the_file_is_named() {
    let mut open = open();
    open.append(vec![draft("#a", "1"), draft("#a", "2")]).await;
    let mut open = open.reopened().await;
    open.append(vec![draft("#a", "3")]).await;
    open.append(vec![draft("#a", "4")]).await;
    let open = open.reopened().await;
    let file = rusqlite::Connection::open(open.folder.path().join("parlor.db")).unwrap();
    file.execute("UPDATE batches SET frames = zeroblob(9) WHERE place & 0xFF = 1", []).unwrap();
    let damaged = open.log.reader.page(&room("#a"), Place::After(0), 9, None).await;
    assert!(matches!(damaged, Err(LogError::Garbled { seq: 1, .. })), "{damaged:?}");
    let behind = open.log.reader.batch(&room("#a"), 2, 4).await.unwrap().unwrap();
    assert_eq!((behind.first, behind.last), (3, 4), "what lies behind it can be read");
    file.execute("DELETE FROM batches WHERE place & 0xFF = 1", []).unwrap();
    let hole = open.log.reader.batch(&room("#a"), 0, 4).await;
    assert!(matches!(hole, Err(LogError::Hole { after: 0, .. })), "{hole:?}");
    let page = open.log.reader.page(&room("#a"), Place::Before(9), 9, None).await.unwrap();
    assert_eq!(page.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [3, 4]);
}

#[tokio::test]
async fn a_page_of_long_texts_ends_early_on_the_far_side() {
    let mut open = open();
    let long = "x".repeat(16_000);
    open.append((0..40).map(|_| draft("#a", &long)).collect()).await;
    let before = open.log.reader.page(&room("#a"), Place::Before(41), 40, None).await.unwrap();
    assert!(before.len() < 20 && before.last().unwrap().seq == 40);
    let after = open.log.reader.page(&room("#a"), Place::After(0), 40, None).await.unwrap();
    assert!(after.len() < 20 && after[0].seq == 1);
    let batch = open.log.reader.batch(&room("#a"), 0, 40).await.unwrap().unwrap();
    assert!(batch.last < 20);
}

/// A disk that is full, as SQLite sees it: no further page can be had.
#[tokio::test]
async fn a_full_disk_stores_nothing_takes_no_number_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("parlor.db");
    let (connection, id) = sqlite::open(&path, Durability::Process).unwrap();
    let journal = Journal::open(folder.path(), id, Durability::Process).unwrap();
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    connection.pragma_update(None, "max_page_count", pages + 4).unwrap();
    let lock = sqlite::lock(folder.path()).unwrap();
    let (writer, mut committed, _) =
        Writer::start(connection, journal, Tail::default(), lock, Disk::Threads).unwrap();
    let mut stored = 0;
    let failed = loop {
        writer.append(vec![topic("#a", &"x".repeat(2000))], 0).await.unwrap();
        match committed.recv().await.unwrap().answers[0].outcomes[0] {
            Outcome::Stored { seq, .. } => stored = seq,
            Outcome::Failed { error, .. } => break error,
            Outcome::Known { .. } => panic!(),
        }
        assert!(stored < 100, "it was never full");
    };
    assert_eq!(failed, StoreError::Full);
    writer.close().await;
    let mut log = Log::<u32>::open(folder.path(), Durability::Process, Disk::Threads).unwrap();
    log.writer.append(vec![draft("#a", "room again")], 0).await.unwrap();
    assert_eq!(seq(&log.committed.recv().await.unwrap().answers[0].outcomes[0]), stored + 1);
}

/// What was said waits in the journal for being settled, and in memory; not without an end.
#[tokio::test]
async fn a_journal_that_cannot_be_settled_takes_no_more_at_some_point() {
    let mut open = open();
    let meddler = rusqlite::Connection::open(open.folder.path().join("parlor.db")).unwrap();
    let curse = "CREATE TRIGGER curse BEFORE INSERT ON batches BEGIN SELECT RAISE(ABORT, 'no'); END";
    meddler.execute_batch(curse).unwrap();
    let text = "x".repeat(160_000);
    let mut stored = 0;
    loop {
        let outcomes = open.append((0..8).map(|_| draft("#a", &text)).collect()).await;
        match outcomes[0] {
            Outcome::Stored { seq, .. } => assert_eq!(seq, stored + 1),
            Outcome::Failed { error: StoreError::Failed, .. } => break,
            other => panic!("{other:?}"),
        }
        stored += 8;
        assert!(stored * 160_000 < 80 << 20, "it goes on for ever");
    }
    assert!(stored * 160_000 > 60 << 20, "{stored}");
    let page = open.log.reader.page(&room("#a"), Place::Before(u64::MAX), 3, None).await.unwrap();
    assert_eq!(page.last().unwrap().seq, stored, "it can be read");
    meddler.execute_batch("DROP TRIGGER curse").unwrap();
    assert_eq!(seq(&open.append(vec![draft("#a", "on")]).await[0]), stored + 1);
    assert_eq!(open.log.reader.tail.of(&room("#a")).len(), 1, "the rest is settled");
    let batch = open.log.reader.batch(&room("#a"), stored - 1, stored).await.unwrap().unwrap();
    assert_eq!((batch.first, batch.last), (stored, stored));
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
        for committed in open.log.committed.recv().await.unwrap().answers {
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
    let second = Log::<()>::open(open.folder.path(), Durability::Process, Disk::Threads);
    assert!(matches!(second, Err(LogError::InUse(_))));
}

/// Also one that an earlier version has made, which left it to the umask.
#[cfg(unix)]
#[test]
fn the_lock_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let _lock = sqlite::lock(folder.path()).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_log_of_a_later_version_is_left_alone() {
    let open = open();
    open.log.writer.close().await;
    let path = open.folder.path().join("parlor.db");
    rusqlite::Connection::open(path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let later = Log::<()>::open(open.folder.path(), Durability::Process, Disk::Threads);
    assert!(matches!(later, Err(LogError::TooNew { found: 99, .. })));
}

#[cfg(unix)]
#[tokio::test]
async fn the_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("a").join("b");
    let log = Log::<()>::open(&data, Durability::Process, Disk::Threads).unwrap();
    assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    log.writer.close().await;
}

/// The order is that of `seq`. A moment is what the clock said, and not what would look better.
#[tokio::test]
async fn a_clock_that_was_set_back_changes_no_order() {
    let mut open = open();
    open.append(vec![draft("#a", "1"), draft("#a", "2")]).await;
    let ahead = Time::now().shifted(50 * 365 * 24 * 60 * 60 * 1000);
    let mut open = open.reopened().await;
    let meddler = rusqlite::Connection::open(open.folder.path().join("parlor.db")).unwrap();
    let mut stored: Vec<u8> = meddler.query_row("SELECT frames FROM batches", [], |row| row.get(0)).unwrap();
    let told = open.log.reader.page(&room("#a"), Place::After(0), 10, None).await.unwrap()[0].at.to_string();
    for at in 0..stored.len() {
        if stored[at..].starts_with(told.as_bytes()) {
            stored[at..at + told.len()].copy_from_slice(ahead.to_string().as_bytes());
        }
    }
    meddler.execute("UPDATE batches SET frames = ?1", [stored]).unwrap();
    drop(meddler);
    let outcomes = open.append(vec![draft("#a", "3")]).await;
    assert_eq!(seq(&outcomes[0]), 3);
    let page = open.log.reader.page(&room("#a"), Place::After(0), 10, None).await.unwrap();
    assert_eq!(page.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(page[1].at, ahead);
    assert!(page[2].at < ahead, "one that was said now was not said in fifty years");
}

#[tokio::test]
async fn ids_of_logs_differ() {
    let ids: HashSet<Uuid> = [open().log.id, open().log.id].into();
    assert_eq!(ids.len(), 2);
}
