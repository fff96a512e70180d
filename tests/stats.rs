//! What the server counts is what happened: asked over the wire by those who may, and by a signal.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;

use common::{PATIENCE, TestClient, TestServer, message, nick, soon, unlimited};
use parlor::protocol::command::{Command, Judgement, Plain, RequestId, SetRole};
use parlor::protocol::event::{ErrorCode, Event, Failure, Reason, Role, Spread, Stats};
use parlor::protocol::frame::Frame;
use parlor::protocol::limits::{CHANNEL_BATCHES, PAGE_BYTES, TEXT_BYTES};
use parlor::protocol::proof::KeyPair;
use parlor::server::config::Limits;
use uuid::Uuid;

fn key(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32]).unwrap()
}

const HOST: u8 = 1;

/// An open parlor, and its host in it.
async fn parlor(limits: Limits) -> (TestServer, TestClient) {
    let server = TestServer::of_host(key(HOST).public(), limits).await;
    let ada = server.client_of("ada", &key(HOST)).await;
    (server, ada)
}

async fn try_stats(client: &mut TestClient) -> Result<Box<Stats>, Failure> {
    let re = Some(RequestId::from(Uuid::now_v7()));
    client.say(Command::Stats(Plain { id: re.clone() })).await;
    let answer = client.until(|event| match event {
        Event::Stats(stats) if stats.re == re => Some(Ok(stats)),
        Event::Error(failure) if failure.re == re => Some(Err(failure)),
        _ => None,
    });
    answer.await
}

async fn stats(client: &mut TestClient) -> Box<Stats> {
    try_stats(client).await.expect("may not see them")
}

/// Asks until it is so: what others do is counted when the server has come to it.
async fn stats_when(client: &mut TestClient, wanted: impl Fn(&Stats) -> bool) -> Box<Stats> {
    let asking = async {
        loop {
            let stats = stats(client).await;
            if wanted(&stats) {
                return stats;
            }
        }
    };
    soon(asking).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_counted() {
    let (server, mut ada) = parlor(unlimited()).await;
    let mut bob = server.client("bob").await;
    // On two devices, and one person.
    let mut elsewhere = server.client_of("ada", &key(HOST)).await;
    ada.join("#a", 0, None).await;
    bob.join("#a", 0, None).await;
    elsewhere.join("#b", 0, None).await;
    for text in ["one", "two", "three"] {
        ada.send("#a", text).await;
    }
    let again = message("#a", "four");
    assert_eq!(bob.submit(again.clone()).await, Ok(4));
    assert_eq!(bob.submit(again.clone()).await, Ok(4));
    // With an id of another room: its sender's mistake, and no failure of the log.
    let stolen = parlor::protocol::command::Send { id: again.id, ..message("#b", "five") };
    assert_eq!(elsewhere.submit(stolen).await.unwrap_err().code, ErrorCode::BadRequest);
    let mut carol = server.client("carol").await;
    carol.join("#a", 0, None).await;
    carol.entries(4).await;
    for client in [&mut ada, &mut bob] {
        client.drain().await;
    }

    let stats = stats(&mut ada).await;
    assert!(stats.bytes_written > 0 && stats.uptime_seconds <= PATIENCE.as_secs());
    // Each was handed over alone, because it was waited for.
    assert_eq!((stats.commits, stats.commit_entries), (6, Spread { p50: 1, p90: 1, p99: 1, max: 1 }));
    let Spread { p50, p90, p99, max } = stats.commit_micros;
    assert!(0 < p50 && p50 <= p90 && p90 <= p99 && p99 <= max && max < 60_000_000, "{stats}");
    if cfg!(target_os = "linux") {
        // Four connections, a listener, and what the log has open.
        assert!(stats.memory_bytes > Some(1 << 20) && stats.open_files > Some(6), "{stats}");
    }
    let expected = Stats {
        connections: 4,
        connections_in_all: 4,
        sessions: 4,
        people: 3,
        rooms: 2,
        entries: 4,
        duplicates: 1,
        // Four to each of three, and to the last of them as one page.
        deliveries: 12,
        pages_read: 1,
        re: stats.re.clone(),
        uptime_seconds: stats.uptime_seconds,
        bytes_written: stats.bytes_written,
        commits: stats.commits,
        commit_entries: stats.commit_entries,
        commit_micros: stats.commit_micros,
        memory_bytes: stats.memory_bytes,
        open_files: stats.open_files,
        ..Stats::default()
    };
    assert_eq!(*stats, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_is_counted() {
    let (_server, mut ada) = parlor(unlimited()).await;
    let mut heard = 0;
    let mut hear = async |ada: &mut TestClient, wanted: fn(&Event) -> bool| loop {
        let event = ada.event().await.expect("the connection ended");
        heard += Frame::encode(&event).into_bytes().len() as u64;
        if wanted(&event) {
            return;
        }
    };
    ada.say(common::join("#a", 0)).await;
    // The news that she is here comes last, and then there is nothing left to tell.
    hear(&mut ada, |event| matches!(event, Event::Presence(news) if !news.joined.is_empty())).await;
    for _ in 0..3 {
        ada.say(Command::Send(message("#a", "héllo"))).await;
        // The answer and the entry, in whatever order.
        for _ in 0..2 {
            hear(&mut ada, |event| matches!(event, Event::Ok(_) | Event::Entry(_))).await;
        }
    }
    let stats = stats(&mut ada).await;
    // But for those of the handshake, and those of this answer.
    assert_eq!(stats.bytes_written, heard);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_falls_behind_and_catches_up_is_counted() {
    // More than the sockets between two hold (some 3 MB on Linux), a gathering, and the channel.
    const MESSAGES: usize = 500;
    let (server, mut ada) = parlor(unlimited()).await;
    ada.join("#a", 0, None).await;
    let mut slow = TestClient::connect_narrow(server.port, "slow").await;
    slow.join("#a", 0, None).await;
    let text = "x".repeat(TEXT_BYTES);
    for _ in 0..MESSAGES {
        ada.send("#a", &text).await;
    }
    let alone = stats_when(&mut ada, |stats| stats.deliveries >= MESSAGES as u64).await;
    assert!(alone.deliveries < 2 * MESSAGES as u64, "nobody is behind: {alone}");
    assert_eq!(alone.entries, MESSAGES as u64);

    slow.entries(MESSAGES).await;
    let all = 2 * MESSAGES as u64;
    let stats = stats_when(&mut ada, |stats| stats.deliveries >= all).await;
    assert_eq!(stats.deliveries, all, "{stats}");
    // Whoever lags has missed more than the channel keeps, and reads that in pages.
    let least = (CHANNEL_BATCHES * TEXT_BYTES / PAGE_BYTES) as u64 / 2;
    assert!(stats.lagged >= 1 && (least..=MESSAGES as u64).contains(&stats.pages_read), "{stats}");
    assert!(stats.bytes_written > all * TEXT_BYTES as u64, "{stats}");
}

#[tokio::test(flavor = "multi_thread")]
async fn endings_are_counted_by_their_reasons() {
    let limits = Limits { connections_per_address: 4, ..unlimited() };
    let (server, mut ada) = parlor(limits).await;
    for name in ["one", "two"] {
        server.client(name).await.quit().await;
    }
    drop(server.client("broken").await);
    let is_alone = |stats: &Stats| stats.connections == 1 && stats.sessions == 1;
    stats_when(&mut ada, is_alone).await;
    // Told no in the handshake, and at the door.
    assert!(TestClient::try_connect(server.port, "ada", None).await.is_err());
    stats_when(&mut ada, is_alone).await;
    let mut pest = server.client("pest").await;
    let mut large = server.client("large").await;
    let idle = server.client("idle").await;
    let failure = TestClient::try_connect(server.port, "late", None).await.err().expect("there is no place");
    assert_eq!(failure.code, ErrorCode::AddressFull);
    let full = stats(&mut ada).await;
    assert_eq!((full.connections, full.sessions, full.connections_refused), (4, 4, 2));

    ada.say(Command::Kick(Judgement { nick: Some(nick("pest")), ..Judgement::default() })).await;
    assert_eq!(pest.bye().await, Reason::Kicked);
    large.write(&u32::MAX.to_be_bytes()).await;
    assert_eq!(large.bye().await, Reason::FrameTooLarge);
    idle.quit().await;
    drop((pest, large));
    let stats = stats_when(&mut ada, is_alone).await;
    let endings = [
        (Reason::Quit, 3),
        (Reason::Gone, 1),
        (Reason::Refused, 1),
        (Reason::AddressFull, 1),
        (Reason::Kicked, 1),
        (Reason::FrameTooLarge, 1),
    ];
    assert_eq!(stats.endings, BTreeMap::from(endings));
    assert_eq!((stats.connections_in_all, stats.connections_refused), (9, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_keep_order_may_see_them() {
    let (server, mut ada) = parlor(unlimited()).await;
    let mut guest = server.client("guest").await;
    let mut bob = server.client_of("bob", &key(2)).await;
    for client in [&mut guest, &mut bob] {
        assert_eq!(try_stats(client).await.unwrap_err().code, ErrorCode::NotAllowed);
    }
    for (role, may) in [(Role::Operator, true), (Role::Member, false)] {
        let id = RequestId::from(Uuid::now_v7());
        ada.say(Command::Role(SetRole { id: Some(id.clone()), nick: nick("bob"), role })).await;
        ada.answer(&id).await.unwrap();
        assert_eq!(try_stats(&mut bob).await.is_ok(), may);
    }
    assert!(try_stats(&mut ada).await.is_ok());
}

#[cfg(unix)]
mod by_signal {
    use std::fs::File;
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command as Process, Stdio};
    use std::sync::mpsc;
    use std::time::Duration;

    use parlor::protocol::frame::FrameReader;
    use parlor::protocol::limits::EVENT_BYTES;
    use serde_json::Value;
    use tempfile::TempDir;
    use tokio::net::UnixStream;

    use super::*;
    use crate::common::Program;

    /// Asks the program to print its counters.
    fn ask(program: &Program) {
        let id = program.child.id().to_string();
        assert!(Process::new("sh").args(["-c", "kill -USR1 \"$0\"", &id]).status().unwrap().success());
    }

    /// What a program says on standard error, line by line, for as long as it runs.
    struct Log(mpsc::Receiver<String>);

    impl Log {
        fn of(program: &mut Program) -> Self {
            let lines = BufReader::new(program.child.stderr.take().unwrap()).lines();
            let (told, hear) = mpsc::channel();
            std::thread::spawn(move || {
                for line in lines.map_while(Result::ok) {
                    drop(told.send(line));
                }
            });
            Self(hear)
        }

        /// The next line with these words.
        fn line_with(&self, words: &str) -> String {
            loop {
                let line =
                    self.0.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("it never said {words:?}"));
                if line.contains(words) {
                    return line;
                }
            }
        }

        /// Waits for the counters, which must be whole, and gives the row of this name.
        fn row(&self, label: &str) -> String {
            self.line_with(" counters");
            let rows: Vec<String> = std::iter::from_fn(|| self.0.recv_timeout(PATIENCE).ok())
                .take(Stats::default().rows().len())
                .collect();
            let wanted = |row: &&String| row.trim_start().starts_with(label);
            rows.iter().find(wanted).unwrap_or_else(|| panic!("no {label} in {rows:#?}")).clone()
        }
    }

    fn start(folder: &TempDir, options: &[&str]) -> (Program, Log) {
        let mut command = Program::command(folder.path());
        command.args(["--listen", "127.0.0.1:0"]).args(options).stderr(Stdio::piped());
        let mut program = Program::start(command, 1);
        let log = Log::of(&mut program);
        (program, log)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_counters_are_printed_and_the_server_goes_on() {
        let folder = TempDir::new().unwrap();
        let (mut program, log) = start(&folder, &[]);
        let mut alice = TestClient::connect(program.port, "alice").await;
        alice.join("#a", 0, None).await;
        for stored in ["1 stored", "2 stored"] {
            alice.send("#a", "hello").await;
            ask(&program);
            let row = log.row("entries");
            assert!(row.contains(stored), "{row}");
        }
        program.terminate();
        assert_eq!(alice.bye().await, Reason::Shutdown);
        drop(alice);
        assert!(program.exit_within(Duration::from_secs(5)).is_some_and(|exit| exit.success()));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_log_for_programs_gets_them_as_one_line() {
        let folder = TempDir::new().unwrap();
        let (program, log) = start(&folder, &["--log-format", "json"]);
        let mut alice = TestClient::connect(program.port, "alice").await;
        alice.join("#a", 0, None).await;
        alice.send("#a", "hello").await;
        ask(&program);
        let line: Value = serde_json::from_str(&log.line_with("\"counters\"")).unwrap();
        let stats: Stats = serde_json::from_value(line["fields"]["stats"].clone()).unwrap();
        assert_eq!((stats.entries, stats.connections, stats.people), (1, 1, 1), "{line}");
        alice.send("#a", "and on").await;
    }

    /// It reads its configuration from a pipe: as long as nobody writes there, it has started and does not listen.
    #[tokio::test(flavor = "multi_thread")]
    async fn who_asks_before_it_listens_is_answered_when_it_does() {
        let folder = TempDir::new().unwrap();
        let (config, socket) = (folder.path().join("config"), folder.path().join("socket"));
        assert!(Process::new("mkfifo").arg(&config).status().unwrap().success());
        let mut command = Program::command(folder.path());
        let listen = format!("unix:{}", socket.display());
        command.args(["--listen", &listen, "--config"]).arg(&config).stderr(Stdio::piped());
        let mut program = Program::start(command, 0);
        let log = Log::of(&mut program);
        // Opening one end waits for the other. A thread of its own, for nothing can interrupt it.
        let (opened, open) = mpsc::channel();
        std::thread::spawn(move || drop(opened.send(File::options().write(true).open(config).unwrap())));
        let pipe = open.recv_timeout(PATIENCE).expect("it does not read its configuration");
        ask(&program);
        assert!(!socket.exists());
        drop(pipe);
        let row = log.row("connections");
        assert!(row.contains("0 now, 0 in all"), "{row}");
        let (read, write) = soon(UnixStream::connect(socket)).await.unwrap().into_split();
        let halves: (FrameReader<common::Read>, common::Write) =
            (FrameReader::new(Box::new(read), EVENT_BYTES), Box::new(write));
        TestClient::greet(halves, "alice", None).await.unwrap().quit().await;
    }
}
