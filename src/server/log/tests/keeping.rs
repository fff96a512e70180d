//! What comes into a log from elsewhere, where it is found by its date, and what is forgotten.

use super::*;
use crate::protocol::event::{Entry, Present};
use crate::protocol::text::TextError;
use crate::server::log::import::{Import, ImportError};

/// A moment, so many seconds after an old one.
fn at(seconds: i64) -> Time {
    Time::from_millis(1_600_000_000_000).shifted(seconds * 1000)
}

/// An entry as an export has it.
fn entry(seq: u64, at: Time, text: &str) -> Entry {
    Entry {
        kind: EntryKind::Message,
        room: room("#elsewhere"),
        seq,
        id: Uuid::now_v7(),
        at,
        from: Nick::new("alice").unwrap(),
        text: EntryText::from_stored(text),
        action: false,
        reply_to: None,
        author: Some(5),
        target: None,
        off: false,
        now: None,
    }
}

fn import(folder: &Path, name: &str, entries: Vec<Entry>) -> Result<u64, ImportError> {
    let mut import = Import::begin(folder, &room(name))?;
    entries.into_iter().try_for_each(|entry| import.add(entry))?;
    import.finish()
}

/// A log in which `#a` has entries of these moments, in seconds.
fn imported(times: impl Iterator<Item = i64>, text: impl Fn(u64) -> String) -> Open {
    let folder = tempfile::tempdir().unwrap();
    let entries = (1..).zip(times).map(|(seq, time)| entry(seq, at(time), &text(seq)));
    import(folder.path(), "#a", entries.collect()).unwrap();
    Open { log: Log::open(folder.path(), Durability::Process, Disk::Threads).unwrap(), folder }
}

async fn page(open: &Open, at: Place, wanted: u64) -> Vec<Entry> {
    open.log.reader.page(&room("#a"), at, wanted, None).await.unwrap()
}

fn seqs(page: &[Entry]) -> Vec<u64> {
    page.iter().map(|entry| entry.seq).collect()
}

/// Whether something stands in any of the log's files.
pub(super) fn is_on_disk(open: &Open, text: &str) -> bool {
    [FILE, "parlor.db-wal", JOURNAL].iter().any(|name| {
        let bytes = std::fs::read(open.folder.path().join(name)).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[tokio::test]
async fn a_page_around_a_moment_has_half_of_it_before() {
    // 40 rows or so; each second says two things.
    let mut open = imported((0..6000).map(|n| n / 2), |_| "x".repeat(300));
    for (second, middle) in [(0, 1), (1, 3), (17, 35), (1500, 3001), (2999, 5999)] {
        let found = seqs(&page(&open, Place::At(at(second)), 10).await);
        let first = middle.max(6) - 5;
        let expected: Vec<u64> = (first..).take(10).filter(|seq| *seq <= 6000).collect();
        assert!(found.contains(&middle), "{second}: {found:?}");
        if middle > 5 {
            assert_eq!(found, expected, "{second}");
        }
    }
    assert_eq!(seqs(&page(&open, Place::At(at(-1)), 3).await), [1, 2, 3]);
    assert_eq!(seqs(&page(&open, Place::At(Time::now()), 4).await), [5998, 5999, 6000]);
    // Also where it is not settled yet.
    let before = Time::now();
    let outcomes = open.append((0..10).map(|n| draft("#a", &n.to_string())).collect()).await;
    assert_eq!(seq(&outcomes[0]), 6001);
    assert_eq!(seqs(&page(&open, Place::At(before), 4).await), [5999, 6000, 6001, 6002]);
    assert_eq!(seqs(&page(&open, Place::At(at(1500)), 4).await), [2999, 3000, 3001, 3002]);
    assert!(open.log.reader.page(&room("#b"), Place::At(before), 4, None).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_clock_that_jumped_keeps_no_one_from_a_page() {
    // Ahead by a year for a while, and then right again.
    let year = 365 * 24 * 60 * 60;
    let times = (0..3000).map(move |n| if (1000..1100).contains(&n) { n + year } else { n });
    let open = imported(times, |_| "x".repeat(300));
    for second in [-1, 0, 5, 1000, 1050, 1100, 2999, year, year + 1050, 2 * year] {
        let found = page(&open, Place::At(at(second)), 10).await;
        assert!(found.len() >= 5 && found.windows(2).all(|two| two[0].seq + 1 == two[1].seq), "{second}");
    }
    let found = seqs(&page(&open, Place::At(at(400)), 2).await);
    assert_eq!(found, [400, 401], "what comes before it goes by the clock");
}

#[tokio::test]
async fn what_has_expired_is_gone_and_the_room_goes_on() {
    // More than two steps, of 16 rows of 64 KiB each.
    let open = imported(0..6000, |seq| format!("the {seq}th secret {}", "x".repeat(300)));
    assert!(is_on_disk(&open, "the 10th secret") && is_on_disk(&open, "the 4321th secret"));
    let gone = page(&open, Place::After(9), 1).await.remove(0);
    let first = open.log.writer.expire(&room("#a"), at(4444), u64::MAX).await.unwrap();
    assert_eq!(first, 4445);
    for secret in [1, 10, 2000, 4000, 4321, 4444] {
        assert!(!is_on_disk(&open, &format!("the {secret}th secret")), "{secret}");
    }
    assert!(is_on_disk(&open, "the 4445th secret"));
    // Pages begin where the log does, and so does whoever catches up.
    assert_eq!(seqs(&page(&open, Place::After(0), 3).await), [4445, 4446, 4447]);
    assert_eq!(seqs(&page(&open, Place::Before(4447), 9).await), [4445, 4446]);
    assert_eq!(seqs(&page(&open, Place::Around(9), 2).await), [4445, 4446]);
    assert_eq!(seqs(&page(&open, Place::At(at(7)), 2).await), [4445, 4446]);
    assert!(page(&open, Place::Before(4445), 9).await.is_empty());
    let batch = open.log.reader.batch(&room("#a"), 17, 6000).await.unwrap().unwrap();
    assert_eq!(batch.first, 4445);
    let batch = open.log.reader.batch(&room("#a"), 4999, 5001).await.unwrap().unwrap();
    assert_eq!((batch.first, batch.last), (5000, 5001));
    // The same again changes nothing, and an earlier moment brings nothing back.
    for again in [4444, 12] {
        assert_eq!(open.log.writer.expire(&room("#a"), at(again), u64::MAX).await.unwrap(), 4445);
    }
    let mut open = open.reopened().await;
    assert_eq!((open.log.rooms[0].first, open.log.rooms[0].last), (4445, 6000));
    assert_eq!(seq(&open.append(vec![draft("#a", "on")]).await[0]), 6001);
    // Once is for ever: what has expired is not said again by being sent again.
    let again = Draft { id: gone.id, ..draft("#a", "again") };
    assert!(matches!(open.append(vec![again]).await[0], Outcome::Known { seq: 10, .. }));
}

#[tokio::test]
async fn the_newest_entry_stays_and_nothing_is_left_of_the_others() {
    let mut open = open();
    for n in 0..40 {
        open.append(vec![draft("#a", &format!("the {n}th secret")), draft("#b", "other")]).await;
    }
    // They are in the journal alone, and in memory.
    let first = open.log.writer.expire(&room("#a"), Time::now().shifted(60_000), u64::MAX).await.unwrap();
    assert_eq!(first, 40);
    assert!((0..39).all(|n| !is_on_disk(&open, &format!("the {n}th secret"))));
    assert_eq!(seqs(&page(&open, Place::After(0), 9).await), [40]);
    let others = open.log.reader.page(&room("#b"), Place::After(0), 99, None).await.unwrap();
    assert_eq!(others.len(), 40);
    // No further than it is told, and not where there is nothing.
    open.append((0..5).map(|_| draft("#a", "more")).collect()).await;
    let later = Time::now().shifted(60_000);
    assert_eq!(open.log.writer.expire(&room("#a"), later, 42).await.unwrap(), 43);
    assert_eq!(open.log.writer.expire(&room("#none"), later, u64::MAX).await.unwrap(), 1);
    assert_eq!(seq(&open.append(vec![draft("#a", "on")]).await[0]), 46);
    assert_eq!(seqs(&page(&open, Place::After(0), 9).await), [43, 44, 45, 46]);
}

#[tokio::test]
async fn what_is_said_meanwhile_is_stored_in_between() {
    let mut open = imported(0..20_000, |_| "x".repeat(300));
    let writer = open.log.writer.clone();
    let expiring = tokio::spawn(async move { writer.expire(&room("#a"), at(19_000), u64::MAX).await });
    let mut said = 0;
    while !expiring.is_finished() {
        open.append(vec![draft("#a", "meanwhile")]).await;
        said += 1;
    }
    assert_eq!(expiring.await.unwrap().unwrap(), 19_001);
    assert!(said > 1, "a hand-over waited for all of it");
    let last = 20_000 + said;
    assert_eq!(seqs(&page(&open, Place::Before(u64::MAX), 1).await), [last]);
}

#[tokio::test]
async fn what_is_imported_is_counted_anew() {
    let folder = tempfile::tempdir().unwrap();
    let deleted = Entry {
        text: EntryText::default(),
        now: Some(Box::new(Present { seq: 9, deleted: true, ..Present::default() })),
        ..entry(5, at(3), "")
    };
    let change = Entry { kind: EntryKind::Edited, target: Some(3), ..entry(7, at(4), "newer") };
    let topic = Entry { kind: EntryKind::Topic, ..entry(8, at(5), "news") };
    let answer = |seq, to| Entry { reply_to: Some(to), ..entry(seq, at(6), "yes") };
    let first = entry(3, at(2), "older");
    let id = first.id;
    let all = vec![first, deleted, change, topic, answer(9, 3), answer(10, 5), answer(11, 99)];
    assert_eq!(import(folder.path(), "#a", all).unwrap(), 5);
    let log = Log::open(folder.path(), Durability::Process, Disk::Threads).unwrap();
    let mut open = Open { log, folder };
    assert_eq!((open.log.rooms[0].topic.as_str(), open.log.rooms[0].last), ("news", 5));
    let read = page(&open, Place::After(0), 9).await;
    assert_eq!(seqs(&read), [1, 2, 3, 4, 5]);
    assert_eq!(
        read.iter().map(|entry| entry.reply_to).collect::<Vec<_>>(),
        [None, None, Some(1), None, None]
    );
    assert_eq!((read[0].id, read[0].at, read[0].author), (id, at(2), None));
    assert!(read.iter().all(|entry| entry.room == room("#a")));
    let again = Draft { id, ..draft("#a", "again") };
    assert!(matches!(open.append(vec![again]).await[0], Outcome::Known { seq: 1, .. }));
}

#[tokio::test]
async fn an_import_that_fails_leaves_the_log_as_it_was() {
    let mut open = open();
    open.append(vec![draft("#a", "there")]).await;
    assert!(matches!(
        Import::begin(open.folder.path(), &room("#b")),
        Err(ImportError::Log(LogError::InUse(_)))
    ));
    let taken = page(&open, Place::After(0), 1).await.remove(0);
    open.log.reader.close().await;
    open.log.writer.close().await;
    let folder = open.folder.path();
    let try_in = |name, entries| import(folder, name, entries).unwrap_err();
    let fine = || entry(1, at(0), "fine");
    assert!(matches!(try_in("#a", vec![fine()]), ImportError::NotEmpty(_)));
    assert!(matches!(try_in("#а", vec![fine()]), ImportError::LooksAlike { .. }));
    assert!(matches!(try_in("#b", vec![]), ImportError::Nothing));
    let out_of_order = vec![fine(), entry(1, at(1), "again")];
    assert!(matches!(try_in("#b", out_of_order), ImportError::Order { seq: 1, after: 1 }));
    let known = vec![fine(), Entry { seq: 2, ..taken }];
    assert!(matches!(try_in("#b", known), ImportError::Known(_)));
    let twice = fine();
    let twice = vec![twice.clone(), Entry { seq: 2, ..twice }];
    assert!(matches!(try_in("#b", twice), ImportError::Known(_)));
    let empty = vec![fine(), entry(2, at(1), " ")];
    assert!(matches!(try_in("#b", empty), ImportError::Text(TextError::Empty)));
    let long = Entry { kind: EntryKind::Topic, ..entry(2, at(1), &"x".repeat(301)) };
    assert!(matches!(try_in("#b", vec![fine(), long]), ImportError::Text(TextError::TooLong { .. })));
    let later = Entry { kind: EntryKind::Unknown, ..entry(2, at(1), "x") };
    assert!(matches!(try_in("#b", vec![fine(), later]), ImportError::Kind));
    let log = Log::<u32>::open(folder, Durability::Process, Disk::Threads).unwrap();
    assert_eq!(log.rooms.iter().map(|room| room.name.as_str()).collect::<Vec<_>>(), ["#a"]);
}

#[tokio::test]
async fn the_highest_number_of_a_person_is_known_for_good() {
    let mut open = open();
    assert_eq!(open.log.last_person, 0);
    let by = |author| Draft { author, ..draft("#a", "x") };
    open.append(vec![by(Some(9)), by(Some(4)), by(None), by(Some(1 << 52))]).await;
    let mut open = open.reopened().await;
    assert_eq!(open.log.last_person, 9, "guests have no number that stays");
    open.append(vec![draft("@3+90", "x")]).await;
    let open = open.reopened().await;
    assert_eq!(open.log.last_person, 90, "also of whom a room is for who never spoke");
    let mut open = open.reopened().await;
    open.append(vec![by(Some(91))]).await;
    assert_eq!(open.reopened().await.log.last_person, 91);
}
