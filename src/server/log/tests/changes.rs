//! What entries make of messages before them, and what leaves the files.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::protocol::emoji::Emoji;
use crate::protocol::event::{Entry, Present, Reaction};
use crate::protocol::limits::{EDITS_PER_MESSAGE, PAGE_BYTES, REACTIONS_PER_MESSAGE, TEXT_BYTES};
use crate::server::batch::Builder;

/// Longer than a purge takes on a busy machine: reaching it is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

fn edit(name: &str, target: u64, text: &str) -> Draft {
    Draft { kind: EntryKind::Edited, target: Some(target), ..draft(name, text) }
}

fn delete(name: &str, target: u64) -> Draft {
    Draft { kind: EntryKind::Deleted, target: Some(target), ..draft(name, "") }
}

fn react(name: &str, target: u64, emoji: &str, author: u64) -> Draft {
    Draft { kind: EntryKind::Reacted, target: Some(target), author: Some(author), ..draft(name, emoji) }
}

fn error(outcome: Outcome) -> StoreError {
    match outcome {
        Outcome::Failed { error, .. } => error,
        other => panic!("{other:?}"),
    }
}

async fn page(open: &Open, name: &str) -> Vec<Entry> {
    open.log.reader.page(&room(name), Place::After(0), 500, Some(7)).await.unwrap()
}

fn now(entry: &Entry) -> &Present {
    entry.now.as_deref().expect("nothing has changed it")
}

#[tokio::test]
async fn a_page_says_what_has_become_of_messages_also_after_a_restart() {
    let mut open = open();
    open.append(vec![draft("#a", "one"), draft("#a", "two"), draft("#a", "three")]).await;
    let drafts = vec![
        edit("#a", 1, "first"),
        edit("#a", 1, "last"),
        react("#a", 1, "👍", 8),
        react("#a", 1, "🎉", 7),
        react("#a", 1, "👍", 7),
        delete("#a", 2),
    ];
    let outcomes = open.append(drafts).await;
    assert_eq!(outcomes.iter().map(seq).collect::<Vec<_>>(), [4, 5, 6, 7, 8, 9]);
    for _ in 0..2 {
        let page = page(&open, "#a").await;
        assert_eq!(page.len(), 9);
        assert_eq!((page[0].text.as_str(), now(&page[0]).seq), ("last", 8));
        assert_eq!(now(&page[0]).edited, Some(page[4].at));
        let reaction = |emoji: &str, count| Reaction { emoji: Emoji::new(emoji).unwrap(), count, mine: true };
        assert_eq!(now(&page[0]).reactions, [reaction("👍", 2), reaction("🎉", 1)]);
        let deleted = Present { seq: 9, deleted: true, ..Present::default() };
        assert_eq!((page[1].text.as_str(), now(&page[1])), ("", &deleted));
        assert_eq!((page[2].text.as_str(), &page[2].now), ("three", &None));
        assert_eq!(open.log.reader.entry(&room("#a"), 1, Some(7)).await.unwrap().as_ref(), Some(&page[0]));
        assert_eq!(open.log.reader.entry(&room("#a"), 10, None).await.unwrap(), None);
        open = open.reopened().await;
    }
}

#[tokio::test]
async fn what_was_stored_is_known_though_it_would_be_refused_now() {
    let mut open = open();
    let said = edit("#a", 1, "one");
    open.append(vec![draft("#a", "on"), said.clone()]).await;
    let refusal = Some(StoreError::NoSuchEntry);
    let again = Draft { refusal, ..said.clone() };
    let other = Draft { refusal, ..edit("#a", 1, "two") };
    let outcomes = open.append(vec![other.clone(), again]).await;
    let refused = Outcome::Failed { id: other.id, error: StoreError::NoSuchEntry };
    assert_eq!(outcomes, [refused, Outcome::Known { id: said.id, seq: 2 }]);
    assert_eq!(page(&open, "#a").await.len(), 2);
}

#[tokio::test]
async fn what_makes_no_sense_any_more_is_refused_and_takes_no_number() {
    let mut open = open();
    open.append(vec![draft("#a", "one"), draft("#a", "two")]).await;
    let once = react("#a", 1, "👍", 7);
    let off = |author| Draft { off: true, ..react("#a", 1, "👍", author) };
    let outcomes = open
        .append(vec![
            once.clone(),
            react("#a", 1, "👍", 7),
            off(8),
            delete("#a", 2),
            edit("#a", 2, "again"),
            delete("#a", 2),
            react("#a", 2, "👍", 7),
            edit("#a", 99, "x"),
            edit("#nowhere", 1, "x"),
        ])
        .await;
    assert_eq!((seq(&outcomes[0]), seq(&outcomes[3])), (3, 4));
    assert!(matches!(outcomes[1], Outcome::Known { seq: 3, .. }), "it is there already");
    let errors: Vec<_> = [2, 4, 5, 6, 7, 8].map(|at| error(outcomes[at])).into();
    let [deleted, missing] = [StoreError::Deleted, StoreError::NoSuchEntry];
    assert_eq!(errors, [StoreError::NotReacted, deleted, deleted, deleted, missing, missing]);
    let taken = off(7);
    let outcomes = open.append(vec![taken.clone(), taken, once]).await;
    assert_eq!(seq(&outcomes[0]), 5);
    assert!(matches!(outcomes[1], Outcome::Known { seq: 5, .. }), "said twice, it is one");
    assert!(matches!(outcomes[2], Outcome::Known { seq: 3, .. }), "an old one does not come back");
    let first = &page(&open, "#a").await[0];
    assert_eq!((now(first).seq, now(first).reactions.len()), (5, 0));
    assert_eq!(open.log.rooms.len(), 0, "what was refused makes no room");
}

#[tokio::test]
async fn a_message_has_so_many_edits_and_emoji_and_no_more() {
    let mut open = open();
    open.append(vec![draft("#a", "one")]).await;
    let edits = (0..=EDITS_PER_MESSAGE).map(|n| edit("#a", 1, &n.to_string())).collect();
    let outcomes = open.append(edits).await;
    assert_eq!(error(outcomes[EDITS_PER_MESSAGE]), StoreError::TooManyEdits);
    let versions = open.log.reader.versions(&room("#a"), 1).await.unwrap().unwrap();
    assert_eq!(versions.len(), 1 + EDITS_PER_MESSAGE);
    let emoji: Vec<&str> =
        emojis::iter().map(emojis::Emoji::as_str).take(REACTIONS_PER_MESSAGE + 1).collect();
    let reactions = emoji.iter().map(|emoji| react("#a", 1, emoji, 7)).collect();
    let outcomes = open.append(reactions).await;
    assert_eq!(error(outcomes[REACTIONS_PER_MESSAGE]), StoreError::TooManyReactions);
    let others = open.append(vec![react("#a", 1, emoji[0], 8)]).await;
    assert!(matches!(others[0], Outcome::Stored { .. }), "one that is there can be joined");
    let named = open.log.reader.who_reacted(&room("#a"), 1, 2).await.unwrap();
    assert_eq!((named.len(), named[0].count, named[0].people.len()), (REACTIONS_PER_MESSAGE, 2, 2));
    assert!(named[1].people.is_empty(), "so many names and no more");
}

#[tokio::test]
async fn a_page_of_texts_that_grew_ends_early() {
    let mut open = open();
    open.append((0..40).map(|_| draft("#a", "x")).collect()).await;
    let long = "\"".repeat(TEXT_BYTES);
    open.append((1..=40).map(|n| edit("#a", n, &long)).collect()).await;
    let after = open.log.reader.page(&room("#a"), Place::After(0), 40, None).await.unwrap();
    let before = open.log.reader.page(&room("#a"), Place::Before(41), 40, None).await.unwrap();
    for page in [&after, &before] {
        let bytes = serde_json::to_vec(page).unwrap().len();
        assert!(page.len() > 1 && bytes < PAGE_BYTES + 3 * TEXT_BYTES, "{bytes}");
    }
    assert_eq!((after[0].seq, before.last().unwrap().seq), (1, 40));
}

/// What is wrong with one of those that are committed together takes nothing of the others with it, and leaves nothing.
#[tokio::test]
async fn a_commit_that_fails_takes_its_changes_back() {
    let mut open = open();
    open.append(vec![draft("#a", "one")]).await;
    let meddler = rusqlite::Connection::open(open.folder.path().join("parlor.db")).unwrap();
    let curse = "CREATE TRIGGER curse BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'no'); END";
    meddler.execute_batch(curse).unwrap();
    let outcomes = open.append(vec![edit("#a", 1, "two"), react("#a", 1, "👍", 7)]).await;
    assert_eq!(error(outcomes[0]), StoreError::Failed);
    meddler.execute_batch("DROP TRIGGER curse").unwrap();
    assert_eq!(page(&open, "#a").await[0].now, None);
    assert_eq!(seq(&open.append(vec![react("#a", 1, "👍", 7)]).await[0]), 2);
}

#[tokio::test]
async fn a_log_of_the_second_schema_is_read_on() {
    let mut open = open();
    open.append(vec![draft("#a", "one"), draft("#a", "two")]).await;
    let before = page(&open, "#a").await;
    open.log.reader.close().await;
    open.log.writer.close().await;
    let second = rusqlite::Connection::open(open.folder.path().join("parlor.db")).unwrap();
    schema::to_the_second(&second);
    // It ended suddenly: the last that was said is in the journal alone.
    let number: i64 = second.query_row("SELECT id FROM rooms", [], |row| row.get(0)).unwrap();
    let unsettled = [3, 4].map(|seq| {
        let (mut builder, id) = (Builder::default(), Uuid::now_v7());
        builder.push(&Entry { seq, id, text: EntryText::from_stored("unsettled"), ..before[0].clone() });
        (builder.take().unwrap(), id)
    });
    for (batch, _) in &unsettled {
        let mut row = Vec::new();
        journal::put(&mut row, &[(number, batch.clone())]);
        second.execute("INSERT INTO journal (batches) VALUES (?1)", [row]).unwrap();
    }
    // It left what it gave free as it was.
    second
        .execute_batch(
            "CREATE TABLE former (text); INSERT INTO former VALUES ('doomed' || hex(zeroblob(9000)) || 'doomed');
             DROP TABLE former;",
        )
        .unwrap();
    drop(second);
    assert!(holds(open.folder.path(), "doomed").is_some());
    let log = Log::open(open.folder.path(), Durability::Process, Disk::Threads).unwrap();
    let mut open = Open { log, folder: open.folder };
    assert_eq!((open.log.rooms[0].first, open.log.rooms[0].last), (1, 4));
    let after = page(&open, "#a").await;
    assert_eq!(after[..2], before);
    assert_eq!(after[2..].iter().map(|entry| (entry.seq, entry.id)).collect::<Vec<_>>(), {
        [(3, unsettled[0].1), (4, unsettled[1].1)]
    });
    let again = Draft { id: unsettled[1].1, ..draft("#a", "again") };
    assert!(matches!(open.append(vec![again]).await[0], Outcome::Known { seq: 4, .. }));
    let drafts = vec![edit("#a", 2, "changed"), delete("#a", 1), edit("#a", 3, "settled")];
    assert_eq!(open.append(drafts).await.iter().map(seq).collect::<Vec<_>>(), [5, 6, 7]);
    let after = page(&open, "#a").await;
    assert_eq!([1, 2, 3].map(|at| after[at].text.as_str()), ["changed", "settled", "unsettled"]);
    gone(open.folder.path(), "doomed").await;
}

/// Whether any file in a folder holds these bytes.
fn holds(folder: &Path, text: &str) -> Option<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut holds =
        files.filter(|file| String::from_utf8_lossy(&std::fs::read(file).unwrap_or_default()).contains(text));
    holds.next().map(|file| file.display().to_string())
}

async fn gone(folder: &Path, text: &str) {
    let start = std::time::Instant::now();
    while let Some(file) = holds(folder, text) {
        assert!(start.elapsed() < PATIENCE, "{file} still holds what was deleted");
        // Nothing tells of it when a file has changed.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Many rooms, short messages and long ones, settled in small portions and in large ones, deleted in any order.
#[tokio::test]
async fn nothing_that_was_deleted_stays_in_the_files() {
    fastrand::seed(17);
    let mut open = open();
    // Of each room what is to be deleted, with what it says.
    let mut doomed: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut said = 0;
    for round in 0..12 {
        for _ in 0..40 {
            let name = format!("#r{}", fastrand::u8(..30));
            let mut drafts = Vec::new();
            for _ in 0..fastrand::u8(1..4) {
                let length = if fastrand::u8(..20) == 0 { 9_000 } else { fastrand::usize(..200) };
                let word = if fastrand::bool() { "doomed" } else { "kept" };
                drafts.push(draft(&name, &format!("{word}-{said} {}", word.repeat(length / 6))));
                said += 1;
            }
            for (outcome, draft) in open.append(drafts.clone()).await.iter().zip(&drafts) {
                if draft.text.as_str().starts_with("doomed") {
                    doomed.entry(name.clone()).or_default().push(seq(outcome));
                    if fastrand::u8(..4) == 0 {
                        open.append(vec![edit(&name, seq(outcome), "doomed, edited")]).await;
                    }
                }
            }
        }
        if round % 3 == 1 {
            open = open.reopened().await;
        }
        // Some of it at once, the rest in the end.
        for (name, seqs) in &mut doomed {
            let now = seqs.split_off(seqs.len() - seqs.len().min(fastrand::usize(..4)));
            for target in now {
                open.append(vec![delete(name, target)]).await;
            }
        }
    }
    let rest = doomed.iter().flat_map(|(name, seqs)| seqs.iter().map(move |seq| delete(name, *seq)));
    open.append(rest.collect()).await;
    gone(open.folder.path(), "doomed").await;
    assert!(holds(open.folder.path(), "kept").is_some());
    let open = open.reopened().await;
    for name in doomed.keys() {
        for entry in page(&open, name).await {
            let is_blank = entry.text.as_str().is_empty() && entry.now.is_some_and(|now| now.deleted);
            assert!(is_blank || entry.kind == EntryKind::Deleted || entry.text.as_str().starts_with("kept"));
        }
    }
}

/// More than is purged at once, and than the journal keeps.
#[tokio::test]
async fn thousands_are_purged_and_the_file_stays_whole() {
    let mut open = open();
    open.append(vec![draft("#a", "doomed at first")]).await;
    for _ in 0..5 {
        open.append((0..1000).map(|_| draft("#a", "doomed, doomed, doomed")).collect()).await;
    }
    open.append((0..5001).map(|n| delete("#a", n + 1)).collect()).await;
    gone(open.folder.path(), "doomed").await;
    let file = rusqlite::Connection::open(open.folder.path().join("parlor.db")).unwrap();
    let whole: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
}

/// Two messages whose edits are all over the file: it takes several turns, and each row is rewritten once.
#[tokio::test]
async fn one_turn_of_a_purge_rewrites_a_few_rows() {
    const ROWS: i64 = 40;
    let mut open = open();
    open.append(vec![draft("#a", "doomed"), draft("#a", "doomed too")]).await;
    for _ in 0..ROWS {
        let mut row = vec![edit("#a", 1, "doomed, edited"), edit("#a", 2, "doomed too, edited")];
        row.extend((0..4).map(|_| draft("#a", &"kept".repeat(TEXT_BYTES / 4 - 256))));
        open.append(row).await;
    }
    open.log.reader.close().await;
    open.log.writer.close().await;
    let (mut file, _) = sqlite::open(&open.folder.path().join("parlor.db"), Durability::Process).unwrap();
    let room: i64 = file.query_row("SELECT id FROM rooms", [], |row| row.get(0)).unwrap();
    for target in [1, 2].map(|seq| sqlite::place(room, seq)) {
        file.execute("UPDATE changed SET last = 9999, deleted = 1 WHERE target = ?1", [target]).unwrap();
        file.execute("INSERT INTO purges (target) VALUES (?1)", [target]).unwrap();
    }
    let count = "CREATE TEMP TABLE rewritten (place);
                 CREATE TEMP TRIGGER counts AFTER UPDATE ON main.batches
                 BEGIN INSERT INTO rewritten VALUES (new.place); END";
    file.execute_batch(count).unwrap();
    let number =
        |file: &rusqlite::Connection, sql| file.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let (mut purging, mut turns, mut before) = (purge::Purging::new(&file).unwrap(), 0, 0);
    while purging.is_due() {
        assert_eq!(number(&file, "SELECT count(*) FROM purges"), 2, "struck off too early");
        purging.purge(&mut file).unwrap();
        let rewritten = number(&file, "SELECT count(*) FROM rewritten");
        assert!((1..=16).contains(&(rewritten - before)), "{before}, {rewritten}");
        (turns, before) = (turns + 1, rewritten);
    }
    assert!(turns > 1);
    assert_eq!(number(&file, "SELECT count(DISTINCT place) FROM rewritten"), before);
    assert!(before >= ROWS, "{before}");
    assert_eq!(number(&file, "SELECT count(*) FROM edits"), 0);
    drop(file);
    assert_eq!(holds(open.folder.path(), "doomed"), None);
    let log = Log::<u32>::open(open.folder.path(), Durability::Process, Disk::Threads).unwrap();
    let all = log.reader.page(&super::room("#a"), Place::After(0), 14, None).await.unwrap();
    assert!(all.iter().all(|entry| entry.text.as_str().starts_with("kept") || now(entry).deleted));
}

/// The message expires between its deletion and the purge, and what edited it does not.
#[tokio::test]
async fn what_was_deleted_is_purged_also_when_the_message_expires_before() {
    let mut open = open();
    open.append(vec![draft("#a", "doomed"), draft("#a", "kept"), edit("#a", 1, "doomed, edited")]).await;
    open.append(vec![edit("#a", 1, "doomed, edited again"), edit("#a", 2, "kept, edited")]).await;
    open.append(vec![delete("#a", 1)]).await;
    let later = Time::now().shifted(60_000);
    assert_eq!(open.log.writer.expire(&room("#a"), later, 2).await.unwrap(), 3);
    let after = page(&open, "#a").await;
    assert!(after[..2].iter().all(|entry| entry.text.as_str().is_empty() && now(entry).deleted));
    gone(open.folder.path(), "doomed").await;
    // Closed, it is done with the list, and nothing is left of what was noted of the message.
    let open = open.reopened().await;
    let after = page(&open, "#a").await;
    assert_eq!(after.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [3, 4, 5, 6]);
    assert!(after[..2].iter().all(|entry| entry.text.as_str().is_empty() && now(entry).deleted));
    assert_eq!(after[2].text.as_str(), "kept, edited");
    let file = rusqlite::Connection::open(open.folder.path().join("parlor.db")).unwrap();
    for table in ["purges", "changed", "edits"] {
        let count = format!("SELECT count(*) FROM {table}");
        assert_eq!(file.query_row(&count, [], |row| row.get::<_, i64>(0)).unwrap(), 0, "{table}");
    }
}

/// A crash between the deletion and the purge: the next server goes on with it.
#[tokio::test]
async fn what_a_crash_has_left_to_purge_is_purged() {
    let mut open = open();
    open.append(vec![draft("#a", "doomed"), edit("#a", 1, "doomed, edited")]).await;
    open.append(vec![delete("#a", 1)]).await;
    let copy = copied(&open);
    assert!(holds(copy.path(), "doomed").is_some(), "it was purged before the crash");
    let log = Log::<u32>::open(copy.path(), Durability::Process, Disk::Threads).unwrap();
    gone(copy.path(), "doomed").await;
    let batch = log.reader.batch(&room("#a"), 0, 3).await.unwrap().unwrap();
    let kept: Vec<Entry> =
        batch.entries().into_iter().map(|(_, json)| serde_json::from_slice(json).unwrap()).collect();
    assert_eq!(kept.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(kept[..2].iter().all(|entry| now(entry).deleted && now(entry).seq == 3));
}

/// Somebody who reads an old state for long delays the purge, and nobody who speaks.
#[tokio::test]
async fn a_purge_waits_for_who_reads_and_nobody_waits_for_it() {
    let mut open = open();
    open.append(vec![draft("#a", "doomed")]).await;
    let tool = rusqlite::Connection::open(open.folder.path().join("parlor.db")).unwrap();
    let moment = tool.unchecked_transaction().unwrap();
    moment.query_row("SELECT count(*) FROM journal", [], |row| row.get::<_, i64>(0)).unwrap();
    open.append(vec![delete("#a", 1)]).await;
    let start = std::time::Instant::now();
    while start.elapsed() < Duration::from_millis(1_500) {
        let asked = std::time::Instant::now();
        open.append(vec![draft("#a", "said meanwhile")]).await;
        assert!(asked.elapsed() < Duration::from_secs(2), "it waited for the purge");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(holds(open.folder.path(), "doomed").is_some(), "the reader was not in the way");
    drop(moment);
    gone(open.folder.path(), "doomed").await;
}
