use std::fs;

use tempfile::TempDir;

use super::marks::Work;
use super::*;
use crate::protocol::event::{EntryKind, EntryText};
use crate::protocol::query;
use crate::server::hub::Speaker;
use crate::server::log::{Draft, Durability, Log};

/// A log and its index, without a server: what is stored counts as published.
struct Open {
    log: Log<()>,
    search: Search,
    folder: TempDir,
}

impl Open {
    fn new() -> Self {
        Self::on(TempDir::new().unwrap())
    }

    fn on(folder: TempDir) -> Self {
        let log: Log<()> = Log::open(folder.path(), Durability::Process, Disk::Threads).unwrap();
        let search = Search::open(folder.path(), log.id, &log.rooms, log.reader.clone(), Disk::Threads);
        Self { log, search, folder }
    }

    async fn closed(self) -> TempDir {
        self.search.close().await;
        self.log.reader.close().await;
        self.log.writer.close().await;
        self.folder
    }

    async fn reopened(self) -> Self {
        Self::on(self.closed().await)
    }

    async fn append(&mut self, drafts: Vec<Draft>) {
        self.log.writer.append(drafts, ()).await.unwrap();
        for fresh in self.log.committed.recv().await.unwrap().fresh {
            let last = fresh.batches.last().unwrap().last;
            self.search.published(&fresh.room, last);
        }
    }

    /// Appends, and waits until the index has it.
    async fn say(&mut self, drafts: Vec<Draft>) {
        self.append(drafts).await;
        self.search.caught_up().await;
    }

    async fn find_in(&self, rooms: &[&str], query: &str) -> Vec<u64> {
        let found = self.search.find(wanted(rooms, query)).await.unwrap();
        found.into_iter().map(|found| found.seq).collect()
    }

    /// The places of what is found in `#a`.
    async fn find(&self, query: &str) -> Vec<u64> {
        self.find_in(&["#a"], query).await
    }

    /// Whether the files of the index have a word in them.
    fn holds(&self, word: &str) -> bool {
        [FILE.to_owned(), format!("{FILE}-wal")].iter().any(|name| {
            let bytes = fs::read(self.folder.path().join(name)).unwrap_or_default();
            bytes.windows(word.len()).any(|window| window == word.as_bytes())
        })
    }
}

fn room(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

fn wanted(rooms: &[&str], query: &str) -> Wanted {
    Wanted {
        words: Words::All(query::parse(query).phrases().to_vec()),
        rooms: rooms.iter().map(|name| room(name)).collect(),
        nick: None,
        not_by: None,
        has: Vec::new(),
        since: None,
        until: None,
        before: None,
        limit: 5_000,
    }
}

fn said_by(name: &str, author: u64, room_name: &str, text: &str) -> Draft {
    let by = Speaker { nick: Nick::new(name).unwrap(), who: None, author };
    Draft::new(EntryKind::Message, room(room_name), Uuid::now_v7(), by, EntryText::from_stored(text))
}

fn said(text: &str) -> Draft {
    said_by("alice", 7, "#a", text)
}

fn changed(kind: EntryKind, target: u64, text: &str) -> Draft {
    Draft { kind, target: Some(target), ..said(text) }
}

#[tokio::test]
async fn what_was_said_is_found_the_newest_first() {
    let mut open = Open::new();
    open.say(vec![said("the build passes"), said("BUILD it"), said("nothing")]).await;
    open.say(vec![Draft { kind: EntryKind::Topic, ..said("build") }, said("rebuild")]).await;
    assert_eq!(open.find("build").await, [2, 1]);
    assert_eq!(open.find("\"the build\"").await, [1]);
    assert_eq!(open.find("buil*").await, [2, 1]);
    assert_eq!(open.find("build it").await, [2]);
}

#[tokio::test]
async fn rooms_nicks_authors_and_links_narrow_it() {
    let mut open = Open::new();
    let drafts = vec![
        said_by("alice", 1, "#a", "hello https://a.example/"),
        said_by("Bob-Cat", 2, "#a", "hello bob"),
        said_by("alice", 1, "#b", "hello bob"),
    ];
    open.say(drafts).await;
    let number = |found: &Match| (found.room.as_str().to_owned(), found.seq);
    let both = open.search.find(wanted(&["#a", "#b", "#none"], "hello")).await.unwrap();
    let mut both: Vec<_> = both.iter().map(number).collect();
    both.sort_unstable();
    assert_eq!(both, [("#a".to_owned(), 1), ("#a".to_owned(), 2), ("#b".to_owned(), 1)]);
    assert_eq!(open.find_in(&["#b"], "hello").await, [1]);
    assert_eq!(open.find_in(&["#none"], "hello").await, [0_u64; 0]);

    let find = async |wanted: Wanted| -> Vec<u64> {
        open.search.find(wanted).await.unwrap().into_iter().map(|found| found.seq).collect()
    };
    let by = Nick::new("bob-cat").unwrap();
    assert_eq!(find(Wanted { nick: Some(by), ..wanted(&["#a"], "hello") }).await, [2]);
    assert_eq!(find(Wanted { not_by: Some(2), ..wanted(&["#a"], "hello") }).await, [1]);
    assert_eq!(find(Wanted { has: vec![Has::Link], ..wanted(&["#a"], "") }).await, [1]);
    assert_eq!(find(Wanted { has: vec![Has::File], ..wanted(&["#a"], "") }).await, [0_u64; 0]);
    let any = Words::Any(query::parse("bob example").phrases().to_vec());
    assert_eq!(find(Wanted { words: any, ..wanted(&["#a"], "") }).await.len(), 2);
    // What stands beside a text is not in it.
    assert_eq!(open.find("a1 r1 l").await, [0_u64; 0]);
}

#[tokio::test]
async fn what_is_typed_is_never_more_than_words() {
    let mut open = Open::new();
    open.say(vec![said("plain words or not near a meta star"), said("other")]).await;
    for query in [
        "plain\") OR (\"other",
        "NOT plain",
        "plain NOT",
        "NEAR(plain words)",
        "meta : plain",
        "{meta text} : plain",
        "^plain",
        "plain + words",
        "plain''",
        "\u{0}plain",
        "-plain",
        "(plain",
        "plain) --",
        "*",
        "\"\"",
        "AND",
        "*:*",
        "plain*words*",
    ] {
        let phrases = query::parse(query);
        let found = open.find(query).await;
        let texts = [(2, "other"), (1, "plain words or not near a meta star")];
        let expected: Vec<u64> =
            texts.iter().filter(|(_, text)| phrases.are_in(text)).map(|(seq, _)| *seq).collect();
        assert_eq!(found, expected, "{query}");
    }
}

/// What is marked in a text that was found is what the index found.
#[tokio::test]
async fn the_index_finds_what_is_in_the_texts() {
    const PARTS: [&str; 22] = [
        "build",
        "Büild",
        "BUILDS",
        "b",
        "a",
        "b.a",
        "a_b",
        "don't",
        "你好",
        "好",
        "がく",
        "か\u{3099}",
        "한국",
        "ไทย",
        "👍",
        "👍🏽",
        "straße",
        "STRASSE",
        "½",
        "ﷺ",
        "می\u{200C}خواهم",
        "\u{1F1E9}\u{1F1EA}",
    ];
    const BETWEEN: [&str; 5] = [" ", " ", "", "-", "\n"];
    let mut chance = fastrand::Rng::with_seed(7);
    let mut text = |most: usize| -> String {
        let parts = chance.usize(1..=most);
        (0..parts).flat_map(|_| [PARTS[chance.usize(..PARTS.len())], BETWEEN[chance.usize(..5)]]).collect()
    };
    let long = "x".repeat(90) + " y";
    let mut texts: Vec<String> = (0..150).map(|_| text(6)).collect();
    texts.push(long.clone());
    let mut queries: Vec<String> = (0..150).map(|_| text(2)).collect();
    queries.extend((0..40).map(|_| format!("\"{}\"", text(3))));
    queries.extend((0..40).map(|_| format!("{}*", text(1).trim_end())));
    queries.extend([long, "x".repeat(70), "bui* bü*".to_owned(), "\"b a".to_owned()]);
    let mut open = Open::new();
    open.say(texts.iter().map(|text| said(text)).collect()).await;
    for query in queries {
        let terms = query::parse(&query);
        if terms.is_empty() {
            continue;
        }
        let expected: Vec<u64> = (1..)
            .zip(&texts)
            .filter(|(_, text)| terms.are_in(text))
            .inspect(|(_, text)| assert!(!query::find(text, &terms).is_empty()))
            .map(|(seq, _)| seq)
            .collect();
        let mut found = open.find(&query).await;
        found.sort_unstable();
        assert_eq!(found, expected, "{query:?}");
    }
}

#[tokio::test]
async fn edits_and_deletions_are_followed() {
    let mut open = Open::new();
    // In one step, and in a later one.
    let edit = |target, text| changed(EntryKind::Edited, target, text);
    open.say(vec![
        said("first"),
        said("second https://a.example"),
        said("third"),
        edit(1, "one"),
        edit(1, "uno"),
    ])
    .await;
    // The last two are refused, by the log.
    open.say(vec![edit(2, "two"), changed(EntryKind::Deleted, 3, ""), edit(3, "three"), edit(99, "none")])
        .await;
    assert_eq!(open.find("uno").await, [1]);
    assert_eq!(open.find("two").await, [2]);
    for gone in ["first", "one", "second", "third", "three", "none"] {
        assert_eq!(open.find(gone).await, [0_u64; 0], "{gone}");
    }
    let linked = Wanted { has: vec![Has::Link], ..wanted(&["#a"], "") };
    assert_eq!(open.search.find(linked).await.unwrap(), []);
    // Said and taken back in one step. The log took neither the edit of what was deleted nor that of nothing.
    open.say(vec![said("oops"), changed(EntryKind::Deleted, 8, "")]).await;
    assert_eq!(open.find("oops").await, [0_u64; 0]);
}

#[tokio::test]
async fn what_was_deleted_is_in_no_file() {
    let mut open = Open::new();
    let secrets: Vec<String> = (0..40).map(|n| format!("geheim{n}wort")).collect();
    open.say((0..500).map(|n| said(&format!("ordinary words number {n}"))).collect()).await;
    open.say(secrets.iter().map(|secret| said(&format!("it is {secret} here"))).collect()).await;
    open.say((0..500).map(|n| said(&format!("more of them {n}"))).collect()).await;
    assert!(open.holds("wort"));
    let deleted = (501..=540).map(|target| changed(EntryKind::Deleted, target, ""));
    open.say(deleted.collect()).await;
    // It is wiped at the latest when the index is closed, and that waits for it.
    let mut open = open.reopened().await;
    for secret in secrets {
        assert!(!open.holds(&secret), "{secret}");
    }
    assert!(!open.holds("geheim") && !open.holds("wort"));
    open.say(vec![said("and on it goes")]).await;
    assert_eq!((open.find("ordinary").await.len(), open.find("goes").await), (500, vec![1081]));
}

/// In any order, among texts of any length, which SQLite moves about.
#[tokio::test]
async fn what_was_deleted_in_any_order_is_in_no_file() {
    for seed in 0..6 {
        let mut chance = fastrand::Rng::with_seed(seed);
        let mut open = Open::new();
        let texts: Vec<String> = (0..400)
            .map(|n| {
                format!(
                    "{} geheim{n}wort {}",
                    "vor ".repeat(chance.usize(..60)),
                    "nach ".repeat(chance.usize(..60))
                )
            })
            .collect();
        for texts in texts.chunks(57) {
            open.say(texts.iter().map(|text| said(text)).collect()).await;
        }
        let mut targets: Vec<u64> = (1..=400).filter(|seq| seq % 7 != 0).collect();
        chance.shuffle(&mut targets);
        for targets in targets.chunks(90) {
            open.say(targets.iter().map(|target| changed(EntryKind::Deleted, *target, "")).collect()).await;
        }
        let open = open.reopened().await;
        for target in targets {
            assert!(!open.holds(&format!("geheim{}wort", target - 1)), "{target} with {seed}");
        }
        assert_eq!(open.find("geheim*").await.len(), 57);
    }
}

#[tokio::test]
async fn what_has_expired_is_forgotten() {
    let mut open = Open::new();
    open.say(
        (0..2_500).map(|n| said(&format!("word {n}"))).chain([said_by("bob", 2, "#b", "word")]).collect(),
    )
    .await;
    open.search.forget(&room("#a"), 2_401);
    open.search.caught_up().await;
    assert_eq!(open.find("word").await.len(), 100);
    assert_eq!(open.find_in(&["#b"], "word").await, [1]);
    let mut open = open.reopened().await;
    open.say(vec![said("word")]).await;
    assert_eq!(open.find("word").await.len(), 101, "nothing comes back");
}

#[tokio::test]
async fn it_goes_on_where_it_was() {
    let mut open = Open::new();
    open.say(vec![said("one word")]).await;
    let mut open = open.reopened().await;
    open.say(vec![said("another word")]).await;
    assert_eq!(open.find("word").await, [2, 1]);
    // Ended before the index had it.
    open.append(vec![said("the last word")]).await;
    let open = open.reopened().await;
    open.search.caught_up().await;
    assert_eq!(open.find("word").await, [3, 2, 1]);
}

#[tokio::test]
async fn a_missing_or_damaged_index_is_made_anew() {
    let mut open = Open::new();
    open.say((0..2_000).map(|n| said(&format!("word {n}"))).collect()).await;
    let spoil: [fn(&Path); 5] = [
        |path| fs::remove_file(path).unwrap(),
        |path| fs::write(path, "this is no index").unwrap(),
        |path| fs::write(path, "").unwrap(),
        |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        },
        |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[4096..].fill(0x5A);
            fs::write(path, bytes).unwrap();
        },
    ];
    for (index, spoil) in spoil.into_iter().enumerate() {
        let folder = open.closed().await;
        let path = folder.path().join(FILE);
        assert!(!folder.path().join(format!("{FILE}-wal")).exists(), "closed, the index is one file");
        spoil(&path);
        open = Open::on(folder);
        open.search.caught_up().await;
        // Some damage is found by whoever meets it.
        while open.search.find(wanted(&["#a"], "word")).await.is_err() {
            open.search.caught_up().await;
        }
        open.say(vec![said("and a word")]).await;
        open.search.caught_up().await;
        assert_eq!(open.find("word").await.len(), 2_001 + index);
    }
}

#[tokio::test]
async fn the_index_of_another_log_is_not_used() {
    let mut open = Open::new();
    open.say(vec![said("a word"), said("a word"), said("a word")]).await;
    let folder = open.closed().await;
    let kept = fs::read(folder.path().join(FILE)).unwrap();
    let mut open = Open::new();
    open.say(vec![said("something else")]).await;
    let folder = open.closed().await;
    fs::write(folder.path().join(FILE), kept).unwrap();
    let open = Open::on(folder);
    open.search.caught_up().await;
    assert_eq!((open.find("word").await, open.find("else").await), (vec![], vec![1]));
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    let mut open = Open::new();
    // More than have a place in one millisecond.
    for _ in 0..4 {
        open.say((0..1_000).map(|_| said("same")).collect()).await;
    }
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let page = open.search.find(Wanted { before, limit: 300, ..wanted(&["#a"], "same") }).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.number);
        all.extend(page.into_iter().map(|found| found.seq));
    }
    assert_eq!(all, (1..=4_000).rev().collect::<Vec<_>>());
    let now = Time::now();
    let later =
        Wanted { since: Some(Time::from_millis(now.as_millis() + 60_000)), ..wanted(&["#a"], "same") };
    assert_eq!(open.search.find(later).await.unwrap(), []);
    let earlier =
        Wanted { until: Some(Time::from_millis(now.as_millis() - 3_600_000)), ..wanted(&["#a"], "same") };
    assert_eq!(open.search.find(earlier).await.unwrap(), []);
}

#[tokio::test]
async fn damage_that_a_search_meets_is_mended_while_it_runs() {
    let mut open = Open::new();
    open.say((0..2_000).map(|n| said(&format!("word {n}"))).collect()).await;
    for _ in 0..3 {
        // One file, which is as large as it was then, with nothing in it.
        open = open.reopened().await;
        let path = open.folder.path().join(FILE);
        let length = fs::metadata(&path).unwrap().len();
        fs::write(&path, vec![0x5A; usize::try_from(length).unwrap()]).unwrap();
        open.search.0.as_ref().unwrap().shared.pool.renew(|| ());
        let mut found = open.search.find(wanted(&["#a"], "word")).await;
        assert!(found.is_err(), "it was damaged");
        while found.is_err() {
            open.search.caught_up().await;
            found = open.search.find(wanted(&["#a"], "word")).await;
        }
        assert_eq!(found.unwrap().len(), 2_000);
    }
    open.say(vec![said("one more word")]).await;
    let open = open.reopened().await;
    assert_eq!(open.find("word").await.len(), 2_001);
}

#[tokio::test]
async fn a_search_that_nobody_waits_for_is_ended_and_no_other() {
    let mut open = Open::new();
    open.say((0..3_000).map(|n| said(&format!("word {n}"))).collect()).await;
    for _ in 0..200 {
        let asked = std::pin::pin!(open.search.find(wanted(&["#a"], "wor*")));
        tokio::select! {
            biased;
            found = asked => drop(found),
            () = tokio::task::yield_now() => {}
        }
        assert_eq!(open.find("2999").await, [3_000]);
    }
}

#[tokio::test(start_paused = true)]
async fn whose_turn_does_not_come_is_told() {
    let open = Open::new();
    let turns = open.search.hold().await;
    let failure = open.search.find(wanted(&["#a"], "word")).await.unwrap_err().failure();
    assert_eq!(failure.code, ErrorCode::TooMany);
    drop(turns);
    assert_eq!(open.find("word").await, [0_u64; 0]);
}

/// From now on SQLite can do all with an index but write it anew: then it would make an index of its own that it cannot sort.
pub(super) fn forbid_cleaning(path: &Path) {
    let spoil = "CREATE TABLE spoilt (x);
        CREATE INDEX spoilt_x ON spoilt (x);
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = 'CREATE INDEX spoilt_x ON spoilt (x COLLATE nosuch)' WHERE name = 'spoilt_x';";
    super::tables::change(path, spoil);
}

/// It can again.
pub(super) fn allow_cleaning(path: &Path) {
    super::tables::change(path, "DROP TABLE spoilt");
}

#[tokio::test]
async fn the_index_goes_on_where_it_cannot_be_cleaned() {
    let mut open = Open::new();
    open.say(vec![said("geheim"), said("word")]).await;
    let folder = open.closed().await;
    let path = folder.path().join(FILE);
    forbid_cleaning(&path);
    let mut open = Open::on(folder);
    open.say(vec![changed(EntryKind::Deleted, 1, "")]).await;
    // Longer than until it is tried.
    let (began, mut count) = (std::time::Instant::now(), 1);
    while began.elapsed() < Duration::from_millis(2_500) {
        count += 1;
        timeout(Duration::from_secs(8), open.say(vec![said("word")])).await.expect("the index stands still");
        assert_eq!(open.find("word").await.len(), count);
    }
    let folder = open.closed().await;
    allow_cleaning(&path);
    let open = Open::on(folder).reopened().await;
    assert!(!open.holds("geheim"));
    assert_eq!(open.find("word").await.len(), count);
}

#[tokio::test]
async fn where_there_is_no_search_it_is_said() {
    let search = Search::off();
    search.published(&room("#a"), 1);
    search.forget(&room("#a"), 1);
    search.caught_up().await;
    let failure = search.find(wanted(&["#a"], "word")).await.unwrap_err().failure();
    assert_eq!((failure.code, search.behind(&[room("#a")])), (ErrorCode::UnknownType, 0));
    search.close().await;
}

#[test]
fn what_the_index_lacks_is_counted() {
    let stored = |name: &str, last| StoredRoom { name: room(name), topic: String::new(), last, first: 1 };
    let marks = Marks::new(&[stored("#a", 5), stored("#b", 3), stored("#c", 0)]);
    let rooms = [room("#a"), room("#b"), room("#c"), room("#d")];
    assert_eq!(marks.behind(&rooms), 8);
    marks.indexed(&rooms[0], 5);
    marks.published(&rooms[3], 2);
    assert_eq!((marks.behind(&rooms), marks.behind(&rooms[..1])), (5, 0));
    let (work, said) = marks.take();
    assert_eq!((work.rooms.len(), said), (3, 2));
    assert!(!marks.are_even(), "taken is not done");
    marks.done(Work::default());
    assert!(marks.are_even());
}
