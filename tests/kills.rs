//! Promises 1, 2 and 3 under `kill -9` at any moment, many times in a row on one folder.
//!
//! Twenty people talk in four rooms, set topics and react, others listen, one changes what is known of people. Then the
//! program is killed: after a number of answers and entries that is drawn anew each time, or while it starts, or while it
//! settles what fills its journal. Whatever anybody was told
//! is written into one book, over all the rounds, and each thing that anybody is told must agree with it. What was
//! not answered is said again under the same id when the sender is back.
//!
//! `PARLOR_KILLS` says how often, 200 times if it is not set, which takes a minute. `PARLOR_SEED` draws the same
//! numbers again.

// What fails here must fail loudly, and the seed is to be seen.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Program, TestClient, join, message, soon};
use parlor::protocol::command::{Command, React, Send, SetIgnored, SetTopic};
use parlor::protocol::emoji::Emoji;
use parlor::protocol::event::{Entry, Event};
use parlor::protocol::frame::Frame;
use parlor::protocol::name::{Nick, RoomName};
use parlor::protocol::proof::KeyPair;
use parlor::protocol::text::Line;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use uuid::Uuid;

const ROUNDS: u64 = 200;
const SENDERS: usize = 20;
const READERS: usize = 2;
const ROOMS: [&str; 4] = ["#a", "#b", "#c", "#d"];
/// Messages of one sender that may be without an answer.
const WINDOW: usize = 8;
/// Answers and entries that are seen before the end, at most. Drawn evenly, so that it often comes in the first commit.
const SEEN: usize = 1_500;
/// One round in so many ends while the program starts, before it says that it listens.
const STILLBORN: usize = 8;
/// One round in so many is a flood of long texts, which have to be settled again and again: it ends during that, or between.
const FLOOD: usize = 16;
/// Bytes of each of these.
const LONG: usize = 15_000;
/// One thing in so many that somebody says is a topic, and one a reaction: they change tables.
const OTHER: usize = 16;
/// Of all reactions.
const THUMB: &str = "👍";

/// Everything that anybody was ever told.
#[derive(Default)]
struct Book {
    sent: HashMap<Uuid, Send>,
    /// From `ok` and from entries: the one place of an id.
    seqs: HashMap<Uuid, u64>,
    rooms: HashMap<RoomName, HashMap<u64, Entry>>,
    /// The last place of a room that anybody knows of.
    last: HashMap<RoomName, u64>,
}

impl Book {
    fn told(&mut self, id: Uuid, seq: u64) {
        let place = *self.seqs.entry(id).or_insert(seq);
        assert_eq!(place, seq, "{id} is stored twice, or has another number now");
        let last = self.last.entry(self.sent[&id].room.clone()).or_default();
        *last = seq.max(*last);
    }

    fn seen(&mut self, entry: &Entry) {
        let send = self.sent.get(&entry.id).expect("nobody said that");
        assert_eq!((&entry.room, entry.text.as_str()), (&send.room, send.text.as_str()));
        self.told(entry.id, entry.seq);
        let before =
            self.rooms.entry(entry.room.clone()).or_default().entry(entry.seq).or_insert(entry.clone());
        assert_eq!(before, entry, "the entry at this place is another one now");
    }
}

/// Counts what all have seen, and rings when it is enough.
struct Enough {
    left: AtomicUsize,
    bell: Notify,
}

impl Enough {
    fn of(count: usize) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(count), bell: Notify::new() })
    }

    fn count(&self) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.bell.notify_one();
        }
    }
}

/// Somebody who talks, over all the rounds.
struct Talker {
    name: String,
    cursors: BTreeMap<&'static str, u64>,
    /// Said and not answered, in the order in which it is to stand in the log.
    unanswered: VecDeque<Send>,
    said: usize,
    /// Bytes that are added to a text.
    padding: usize,
    /// A message of one's own that is stored, and that one has not reacted to.
    stored: Option<u64>,
    /// How many may be without an answer. One who only listens: none.
    window: usize,
}

impl Talker {
    fn new(name: String, rooms: &[&'static str], window: usize) -> Self {
        let cursors = rooms.iter().map(|room| (*room, 0)).collect();
        Self { name, cursors, unanswered: VecDeque::new(), said: 0, padding: 0, stored: None, window }
    }

    /// What is to be said now: as much as may be without an answer.
    fn next(&mut self, book: &Mutex<Book>) -> Option<Send> {
        if self.unanswered.len() >= self.window {
            return None;
        }
        let room = self.cursors.keys().next().unwrap();
        let (name, said) = (&self.name, self.said);
        let send = match (said % OTHER, self.stored) {
            (0, _) => message(room, &format!("topic {said} of {name}")),
            (8, Some(_)) => Send { reply_to: self.stored.take(), ..message(room, THUMB) },
            _ => message(room, &format!("{name} {said} {}", "x".repeat(self.padding))),
        };
        self.said += 1;
        book.lock().unwrap().sent.insert(send.id, send.clone());
        self.unanswered.push_back(send.clone());
        Some(send)
    }

    fn take(&mut self, event: Event, book: &Mutex<Book>) -> bool {
        match event {
            Event::Entry(entry) => {
                let cursor = self.cursors.get_mut(entry.room.as_str()).unwrap();
                assert_eq!(entry.seq, *cursor + 1, "{} sees a gap in {}", self.name, entry.room);
                *cursor = entry.seq;
                book.lock().unwrap().seen(&entry);
            }
            Event::Ok(ok) if ok.seq.is_some() => {
                let id: Uuid = ok.re.unwrap().as_str().parse().unwrap();
                let first = self.unanswered.pop_front().expect("nothing was asked");
                assert_eq!(first.id, id, "answers come in the order of what was said");
                self.stored = ok.seq.filter(|_| is_message(&first)).or(self.stored);
                book.lock().unwrap().told(id, ok.seq.unwrap());
            }
            Event::Error(failure) => panic!("{failure}"),
            Event::Bye(bye) => panic!("{bye:?}"),
            _ => return false,
        }
        true
    }

    /// Talks and listens until the connection ends, or until all is answered and `only_old` was asked for.
    async fn talk(
        mut self,
        client: TestClient,
        book: Arc<Mutex<Book>>,
        enough: Arc<Enough>,
        only_old: bool,
    ) -> Self {
        let TestClient { mut reader, mut writer, .. } = client;
        let mut line: Vec<u8> = Vec::new();
        for (room, cursor) in &self.cursors {
            line.extend(Frame::encode(&join(room, *cursor)).into_bytes());
        }
        for send in &self.unanswered {
            line.extend(Frame::encode(&command(send)).into_bytes());
        }
        loop {
            while !only_old && let Some(send) = self.next(&book) {
                line.extend(Frame::encode(&command(&send)).into_bytes());
            }
            if !line.is_empty() && soon(writer.write_all(&line)).await.is_err() {
                return self;
            }
            line.clear();
            if only_old && self.unanswered.is_empty() {
                return self;
            }
            let Some(event) = common::event(&mut reader).await else { return self };
            if self.take(event, &book) {
                enough.count();
            }
        }
    }
}

/// As what something is said: the book knows all of it by its text.
fn command(send: &Send) -> Command {
    let Send { id, room, text, reply_to, .. } = send.clone();
    match reply_to {
        Some(seq) => Command::React(React { id, room, seq, emoji: Emoji::new(THUMB).unwrap(), off: false }),
        None if is_message(send) => Command::Send(send.clone()),
        None => Command::Topic(SetTopic { id, room, text: Line::new(text.as_str()).unwrap() }),
    }
}

fn is_message(send: &Send) -> bool {
    send.reply_to.is_none() && !send.text.as_str().starts_with("topic")
}

/// Bytes in the journal: they grow until what is in it is settled.
fn journal(folder: &Path) -> u64 {
    std::fs::metadata(folder.join("parlor.journal")).map_or(0, |file| file.len())
}

/// How many there are who are ignored.
const PESTS: u8 = 7;

fn pest(n: u8) -> Nick {
    common::nick(&format!("pest{n}"))
}

/// They come once, by which their names are theirs.
async fn let_pests_in(port: u16) {
    for n in 0..PESTS {
        let pair = KeyPair::from_seed(&[100 + n; 32]).unwrap();
        let name = pest(n);
        TestClient::try_with_key(port, name.as_str(), &pair).await.unwrap().quit().await;
    }
}

/// Somebody with a key, who ignores others and hears them again, one after the other.
struct Sulker {
    pair: KeyPair,
    ignored: BTreeSet<Nick>,
    /// Asked for and not answered.
    asked: Option<SetIgnored>,
}

impl Sulker {
    fn new(seed: u8) -> Self {
        Self { pair: KeyPair::from_seed(&[seed; 32]).unwrap(), ignored: BTreeSet::new(), asked: None }
    }

    /// Comes in: what was answered is so, and what was not is so or not.
    async fn enter(&mut self, port: u16) -> Option<TestClient> {
        let client = TestClient::try_with_key(port, "sulker", &self.pair).await?;
        let now: BTreeSet<Nick> = client.ready.ignored.iter().cloned().collect();
        let mut perhaps = self.ignored.clone();
        if let Some(SetIgnored { nick, on, .. }) = self.asked.take() {
            if on {
                perhaps.insert(nick)
            } else {
                perhaps.remove(&nick)
            };
        }
        assert!(now == self.ignored || now == perhaps, "{now:?}, and it was {:?}", self.ignored);
        self.ignored = now;
        Some(client)
    }

    async fn sulk(mut self, mut client: TestClient) -> Self {
        for n in (0..PESTS).cycle() {
            let nick = pest(n);
            let on = !self.ignored.contains(&nick);
            let set = SetIgnored { id: Some(Uuid::now_v7().into()), nick, on };
            self.asked = Some(set.clone());
            let bytes = Frame::encode(&Command::Ignore(set)).into_bytes();
            if soon(client.writer.write_all(&bytes)).await.is_err() {
                break;
            }
            loop {
                match client.event().await {
                    Some(Event::Ok(_)) => break,
                    Some(Event::Error(failure)) => panic!("{failure}"),
                    Some(_) => {}
                    None => return self,
                }
            }
            let SetIgnored { nick, on, .. } = self.asked.take().unwrap();
            if on {
                self.ignored.insert(nick)
            } else {
                self.ignored.remove(&nick)
            };
        }
        self
    }
}

/// Reads each room from `from` to its end, against the book, and says where the ends are.
async fn audit(
    port: u16,
    book: &Mutex<Book>,
    from: &BTreeMap<&'static str, u64>,
) -> BTreeMap<&'static str, u64> {
    let mut ends = BTreeMap::new();
    for (name, after) in from {
        let mut auditor = TestClient::connect(port, &format!("auditor-{}", &name[1..])).await;
        let last = auditor.join(name, *after, None).await.room.unwrap().last;
        let known = book.lock().unwrap().last.get(&common::room(name)).copied().unwrap_or(0);
        assert!(last >= known, "{name} ends at {last}, and {known} was seen");
        for seq in after + 1..=last {
            let entry = auditor.entry().await;
            assert_eq!(entry.seq, seq, "1, 2, 3, …");
            book.lock().unwrap().seen(&entry);
        }
        ends.insert(*name, last);
    }
    ends
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().expect("not a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_doubled_or_renumbered_however_often_it_is_killed() {
    let seed = number("PARLOR_SEED", fastrand::u64(..));
    let rounds = usize::try_from(number("PARLOR_KILLS", ROUNDS)).unwrap();
    eprintln!("PARLOR_SEED={seed} PARLOR_KILLS={rounds}");
    let mut chance = fastrand::Rng::with_seed(seed);
    let start = Instant::now();
    let folder = TempDir::new().unwrap();
    let book = Arc::new(Mutex::new(Book::default()));
    let mut talkers: Vec<Talker> = (0..SENDERS)
        .map(|n| Talker::new(format!("sender{n}"), &[ROOMS[n % ROOMS.len()]], WINDOW))
        .chain((0..READERS).map(|n| Talker::new(format!("reader{n}"), &ROOMS, 0)))
        .collect();
    let mut sulker = Sulker::new(7);
    // Where the rooms ended one restart ago, and two ago: what came since then is read again at each.
    let nothing: BTreeMap<_, _> = ROOMS.iter().map(|name| (*name, 0)).collect();
    let (mut before, mut ends) = (nothing.clone(), nothing.clone());
    // Rounds in which the journal was settled.
    let mut floods = 0;

    for round in 0..rounds {
        if chance.usize(..STILLBORN) == 0 {
            let mut command = Program::command(folder.path());
            command.args(["--unlimited", "--listen", "127.0.0.1:0"]).stdout(std::process::Stdio::null());
            let mut child = command.spawn().unwrap();
            // The one thing here that nothing tells of: how far it has come. So the moment is drawn.
            tokio::time::sleep(Duration::from_micros(chance.u64(..40_000))).await;
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let mut program = Program::serve(folder.path(), 0, &["--unlimited"]);
        let port = program.port;
        (before, ends) = (ends, audit(port, &book, &before).await);
        if round == 0 {
            let_pests_in(port).await;
        }
        let enough = Enough::of(chance.usize(1..=SEEN));
        let is_flood = round % FLOOD == FLOOD / 2;
        talkers.iter_mut().for_each(|talker| talker.padding = if is_flood { LONG } else { 0 });
        let mut talking = JoinSet::new();
        for talker in talkers.drain(..) {
            let (book, enough) = (Arc::clone(&book), Arc::clone(&enough));
            talking.spawn(async move {
                // The end may come before somebody is in.
                match TestClient::connect_unless_killed(port, &talker.name).await {
                    Some(client) => talker.talk(client, book, enough, false).await,
                    None => talker,
                }
            });
        }
        let sulking = tokio::spawn(async move {
            match sulker.enter(port).await {
                Some(client) => sulker.sulk(client).await,
                None => sulker,
            }
        });
        if is_flood {
            let filling = async {
                let mut most = 0;
                while journal(folder.path()) >= most {
                    most = most.max(journal(folder.path()));
                    tokio::time::sleep(Duration::from_micros(200)).await;
                }
            };
            // It was settled once. Nothing tells when it is again.
            soon(filling).await;
            floods += 1;
            tokio::time::sleep(Duration::from_micros(chance.u64(..400_000))).await;
        } else {
            soon(enough.bell.notified()).await;
        }
        program.kill();
        while let Some(talker) = soon(talking.join_next()).await {
            talkers.push(talker.unwrap());
        }
        sulker = soon(sulking).await.unwrap();
        if round % 50 == 49 {
            let stored = book.lock().unwrap().seqs.len();
            eprintln!("{} kills, {stored} messages, {:.1?}", round + 1, start.elapsed());
        }
    }

    // What is still without an answer is said once more, and then the whole log is read.
    let mut program = Program::serve(folder.path(), 0, &["--unlimited"]);
    sulker.enter(program.port).await.unwrap();
    for talker in talkers {
        let client = TestClient::connect(program.port, &talker.name).await;
        let done = soon(talker.talk(client, Arc::clone(&book), Enough::of(usize::MAX), true)).await;
        assert!(done.unanswered.is_empty(), "{} has no answer", done.name);
    }
    let ends = audit(program.port, &book, &nothing).await;
    let book = book.lock().unwrap();
    let stored = usize::try_from(ends.values().sum::<u64>()).unwrap();
    assert_eq!(stored, book.sent.len(), "each thing said is there once");
    assert!(book.sent.keys().all(|id| book.seqs.contains_key(id)));
    assert!(stored > rounds * SENDERS, "there was no load");
    program.terminate();
    assert!(program.exit_within(Duration::from_secs(5)).is_some_and(|exit| exit.success()));
    eprintln!("{rounds} kills, {floods} in a flood, {stored} messages, {:.1?}", start.elapsed());
}
