//! How long the first page of a search takes among a million messages, and what the index costs those who talk meanwhile.
//!
//! The messages are lines of whatever text there is: this repository's own, and the documentation of the system. The searches go
//! over a socket to a real server, as a client's do. `cargo bench --bench search` runs it; `-- --messages 100000` with
//! fewer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use parlor::protocol::address::Address;
use parlor::protocol::command::{Command, Has, Hello, Join, Search as Asked};
use parlor::protocol::event::{EntryKind, EntryText, Event, Found};
use parlor::protocol::frame::{Frame, FrameReader};
use parlor::protocol::limits::{EVENT_BYTES, SEARCH_TIME};
use parlor::protocol::name::{Nick, RoomName};
use parlor::protocol::text::Line;
use parlor::server::Server;
use parlor::server::config::{Config, Limits};
use parlor::server::disk::Disk;
use parlor::server::door::Ask;
use parlor::server::hub::Speaker;
use parlor::server::log::{Draft, Durability, Log};
use parlor::server::retention::Retention;
use parlor::server::search::{FILE, Search};
use parlor::server::socket::SocketAccess;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Messages, rooms they are in, and people who said them.
const MESSAGES: usize = 1_000_000;
const ROOMS: usize = 10;
const PEOPLE: usize = 50;
/// How often each search is asked for.
const ROUNDS: usize = 15;
/// The middle one of a search's times may be this long.
const WITHIN: Duration = Duration::from_millis(50);
/// What is stored in one second with the index may be this part of what is stored without it.
const RATIO: f64 = 0.9;
/// Messages handed to the log at once, and each second where that is said.
const TOGETHER: usize = 64;
const RATE: f64 = 5_000.0;
/// Messages of one round of writing.
const WRITTEN: usize = 50_000;

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip_while(|arg| arg != "--messages").skip(1);
    let messages = args.next().map_or(MESSAGES, |number| number.parse().expect("a number of messages"));
    let texts = Texts::new();
    let data = tempfile::tempdir().unwrap();
    let began = Instant::now();
    fill(data.path(), &texts, messages).await;
    println!("{messages} messages from {} lines, stored in {:.1?}", texts.lines.len(), began.elapsed());
    let kept = searches(data.path()).await;
    let ratio = writing(&texts).await;
    let all_kept = kept && ratio >= RATIO;
    println!("{}", if all_kept { "within the limits" } else { "NOT within the limits" });
}

/// What people say.
struct Texts {
    lines: Vec<String>,
}

impl Texts {
    fn new() -> Self {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut folders: Vec<PathBuf> = vec!["/usr/share/doc".into(), own.join("docs"), own.join("src")];
        let mut lines = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                    Ok(kind) if kind.is_file() && lines.len() < 400_000 => {
                        let text = fs::read_to_string(entry.path()).unwrap_or_default();
                        let usable =
                            text.lines().map(str::trim).filter(|line| (20..=300).contains(&line.len()));
                        lines.extend(usable.map(ToOwned::to_owned));
                    }
                    _ => {}
                }
            }
        }
        assert!(lines.len() > 1_000, "there is no text to take messages from");
        Self { lines }
    }

    /// A line, or two halves; some in Chinese, some with a link, and a few with a word that few have.
    fn text(&self, number: usize) -> String {
        const HAN: [&str; 12] =
            ["你好", "会议", "明天", "今天", "我们", "大家", "项目", "完成", "谢谢", "问题", "什么", "可以"];
        let line = |chance: usize| self.lines[chance % self.lines.len()].as_str();
        let half = |line: &str| line[..line.floor_char_boundary(line.len() / 2)].to_owned();
        let chance = fastrand::usize(..);
        match number {
            _ if number % 20_000 == 77 => format!("{} zanzibar", line(chance)),
            _ if number % 20 == 3 => (0..8).map(|_| HAN[fastrand::usize(..HAN.len())]).collect(),
            _ if number % 50 == 7 => format!("{} https://example.org/{number}", half(line(chance))),
            _ if number.is_multiple_of(3) => half(line(chance)) + " " + &half(line(chance >> 20)),
            _ => line(chance).to_owned(),
        }
    }
}

fn drafts(texts: &Texts, numbers: std::ops::Range<usize>) -> Vec<Draft> {
    let draft = |number: usize| {
        let author = number * 7 % PEOPLE;
        let by = Speaker {
            nick: Nick::new(&format!("person{author}")).unwrap(),
            who: None,
            author: author as u64,
        };
        let room = RoomName::new(&format!("#room{}", number % ROOMS)).unwrap();
        let text = EntryText::from_stored(&texts.text(number));
        Draft::new(EntryKind::Message, room, Uuid::now_v7(), by, text)
    };
    numbers.map(draft).collect()
}

/// A log with so many messages, and no index.
async fn fill(data: &Path, texts: &Texts, messages: usize) {
    let mut log: Log<()> = Log::open(data, Durability::Process, Disk::Threads).unwrap();
    for first in (0..messages).step_by(1_000) {
        log.writer.append(drafts(texts, first..messages.min(first + 1_000)), ()).await.unwrap();
        log.committed.recv().await.unwrap();
    }
    log.reader.close().await;
    log.writer.close().await;
}

/// The first pages of some searches, on a server that has just made its index.
async fn searches(data: &Path) -> bool {
    let config = Config {
        listen: vec![Address::Tcp { host: "127.0.0.1".to_owned(), port: 0 }],
        socket_access: SocketAccess::default(),
        data: data.to_owned(),
        name: "bench".to_owned(),
        tls: None,
        ask: Ask::Nothing,
        guests: true,
        host: None,
        durability: Durability::Process,
        limits: Limits::default().unlimited(),
        motd: None,
        retention: Retention::default(),
        announce: false,
    };
    let server = Server::bind(config).await.unwrap();
    let Address::Tcp { port, .. } = server.addresses()[0] else { panic!("no TCP") };
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(server.run(shutdown.clone()));
    let mut client = Client::come(port).await;
    let began = Instant::now();
    while client.search(words("zanzibar")).await.behind > 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let size = |name: &str| fs::metadata(data.join(name)).map_or(0, |file| file.len()) >> 20;
    println!(
        "index made in {:.1?}: {} MiB, of a log of {} MiB",
        began.elapsed(),
        size(FILE),
        size("parlor.db")
    );
    let in_room = |asked: Asked| Asked { room: Some(RoomName::new("#room3").unwrap()), ..asked };
    let by = |asked: Asked| Asked { nick: Some(Nick::new("person7").unwrap()), ..asked };
    let cases = [
        ("a rare word", words("zanzibar")),
        ("a common word", words("the")),
        ("a common word in one room", in_room(words("the"))),
        ("two common words", words("the file")),
        ("a phrase", words("\"of the\"")),
        ("a rare and a common word", words("the zanzibar")),
        ("the beginning of a word", words("conf*")),
        ("somebody", by(words(""))),
        ("somebody and a common word", by(words("the"))),
        ("two Chinese characters", words("会议")),
        ("one Chinese character", words("议")),
        ("a link", Asked { has: vec![Has::Link], ..words("") }),
        ("a link by somebody in one room", in_room(by(Asked { has: vec![Has::Link], ..words("") }))),
        ("what nobody said", words("qqqq")),
        ("a phrase that nobody said", words("\"the of the of\"")),
        ("two words that never meet", words("会议 zanzibar")),
    ];
    // What is in nearly everything takes its time, which has a limit of its own.
    let wide =
        [("the beginning of many words", words("a*")), ("the beginnings of most", words("s* t* a* c*"))];
    let all = cases.into_iter().map(|case| (case, WITHIN)).chain(wide.map(|case| (case, SEARCH_TIME)));
    let mut kept = true;
    for ((what, asked), within) in all {
        let (mut times, mut hits) = (Vec::new(), 0);
        for _ in 0..ROUNDS {
            let began = Instant::now();
            hits = client.search(asked.clone()).await.hits.len();
            times.push(began.elapsed());
        }
        times.sort_unstable();
        let (middle, slowest) = (times[ROUNDS / 2], times[ROUNDS - 1]);
        kept &= middle <= within;
        println!("{what:<32} {hits:>3} hits   middle {middle:>9.1?}   slowest {slowest:>9.1?}");
    }
    shutdown.cancel();
    running.await.unwrap().unwrap();
    kept
}

fn words(text: &str) -> Asked {
    Asked { text: Line::lossy(text), limit: 50, ..Asked::default() }
}

struct Client {
    frames: FrameReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
}

impl Client {
    async fn come(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (read, write) = stream.into_split();
        let mut client = Self { frames: FrameReader::new(read, EVENT_BYTES), write };
        client
            .say(&Command::Hello(Box::new(Hello {
                protocol: 1,
                nick: Nick::new("seeker").unwrap(),
                resume: None,
                proof: None,
                ticket: None,
                identity: None,
                apart: false,
                agent: Line::lossy("bench"),
            })))
            .await;
        for number in 0..ROOMS {
            let room = RoomName::new(&format!("#room{number}")).unwrap();
            let join = Join { id: None, room, after: u64::MAX, limit: None, words: None };
            client.say(&Command::Join(join)).await;
        }
        client
    }

    async fn say(&mut self, command: &Command) {
        self.write.write_all(&Frame::encode(command).into_bytes()).await.unwrap();
    }

    async fn search(&mut self, asked: Asked) -> Found {
        self.say(&Command::Search(Box::new(asked))).await;
        loop {
            let json = self.frames.next().await.unwrap().expect("the connection ended");
            match Event::decode(&json).unwrap() {
                Event::Found(found) => return found,
                Event::Error(failure) => panic!("{failure}"),
                _ => {}
            }
        }
    }
}

/// What is stored each second with the index, over what is without it; both take turns.
async fn writing(texts: &Texts) -> f64 {
    let (mut without, mut with) = (Vec::new(), Vec::new());
    let (mut paced_without, mut paced_with) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        without.push(write(texts, false, None).await.0);
        with.push(write(texts, true, None).await.0);
        paced_without.push(write(texts, false, Some(RATE)).await);
        paced_with.push(write(texts, true, Some(RATE)).await);
    }
    let middle = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let (without, with) = (middle(without), middle(with));
    println!(
        "stored as fast as it goes: {without:.0}/s without the index, {with:.0}/s with it, ratio {:.2}",
        with / without
    );
    let rate = |runs: &[(f64, f64)]| middle(runs.iter().map(|run| run.0).collect());
    let late = |runs: &[(f64, f64)]| middle(runs.iter().map(|run| run.1).collect()) * 1e3;
    let ratio = rate(&paced_with) / rate(&paced_without);
    println!(
        "at {RATE}/s: {:.0}/s without, {:.0}/s with, ratio {ratio:.2}; p99 of a commit {:.2} ms without, {:.2} ms with",
        rate(&paced_without),
        rate(&paced_with),
        late(&paced_without),
        late(&paced_with)
    );
    ratio
}

/// Messages stored each second, and the seconds that 99 of 100 commits took at most.
async fn write(texts: &Texts, with: bool, rate: Option<f64>) -> (f64, f64) {
    let data = tempfile::tempdir().unwrap();
    let mut log: Log<()> = Log::open(data.path(), Durability::Process, Disk::Threads).unwrap();
    let reader = log.reader.clone();
    let index = || Search::open(data.path(), log.id, &log.rooms, reader, Disk::Threads);
    let search = if with { index() } else { Search::off() };
    let messages = rate.map_or(WRITTEN, |rate| (rate * 3.0) as usize);
    let ready: Vec<Vec<Draft>> =
        (0..messages).step_by(TOGETHER).map(|first| drafts(texts, first..first + TOGETHER)).collect();
    let began = Instant::now();
    let mut times = Vec::new();
    for (number, drafts) in ready.into_iter().enumerate() {
        if let Some(rate) = rate {
            let due = began + Duration::from_secs_f64((number * TOGETHER) as f64 / rate);
            tokio::time::sleep_until(due.into()).await;
        }
        let handed = Instant::now();
        log.writer.append(drafts, ()).await.unwrap();
        let commit = log.committed.recv().await.unwrap();
        times.push(handed.elapsed().as_secs_f64());
        for fresh in commit.fresh {
            search.published(&fresh.room, fresh.batches.last().unwrap().last);
        }
    }
    let per_second = messages as f64 / began.elapsed().as_secs_f64();
    search.close().await;
    log.reader.close().await;
    log.writer.close().await;
    times.sort_by(f64::total_cmp);
    (per_second, times[times.len() * 99 / 100])
}
