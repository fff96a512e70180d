//! Promise 4, by numbers: ten thousand who connect and say nothing, and a thousand who stop reading, are nobody's
//! concern but their own, and what they cost is known.

// What fails here must fail loudly, and what was measured is to be seen.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]
#![cfg(target_os = "linux")]

mod common;

use std::time::{Duration, Instant};

use common::{COMPLAINTS, Program, Read, TestClient, Write, event, message, seqs, soon};
use parlor::protocol::command::Command;
use parlor::protocol::event::{ErrorCode, Event, Reason};
use parlor::protocol::frame::{Frame, FrameReader};
use parlor::protocol::limits::{EVENT_BYTES, HANDSHAKE_TIME, PAGE_BYTES, STALL_TIME};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::task::JoinSet;

/// Who connect and never say hello, where the limit of open files lets this program have so many.
const SILENT: usize = 10_000;
/// What one of them may cost, in memory.
const SILENT_BYTES: u64 = 16 * 1024;
/// What somebody who comes in waits, and a message takes, beside them: generous, for a busy machine.
const BESIDE: Duration = Duration::from_secs(5);

/// Somebody who says nothing, and hears at last why that ends.
async fn say_nothing(port: u16) {
    let (mut reader, _writer) = TestClient::dial(port).await;
    assert!(matches!(event(&mut reader).await, Some(Event::Welcome(_))));
    match event(&mut reader).await {
        Some(Event::Error(failure)) => assert_eq!(failure.code, ErrorCode::HandshakeTimeout),
        other => panic!("{other:?}"),
    }
    match event(&mut reader).await {
        Some(Event::Bye(bye)) => assert_eq!(bye.reason, Reason::HandshakeTimeout),
        other => panic!("{other:?}"),
    }
}

/// Files that this program may have open, and each server that it starts: a connection is one to both.
fn files() -> usize {
    usize::try_from(rlimit::increase_nofile_limit(u64::MAX).unwrap()).unwrap()
}

/// The program's kB, and at least 1.
fn kilobytes(now: u64, before: u64) -> u64 {
    now.saturating_sub(before).max(1)
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_who_never_say_hello_disturb_nobody_and_are_let_go() {
    let silent = SILENT.min(files() * 2 / 3);
    let folder = TempDir::new().unwrap();
    let mut command = Program::command(folder.path());
    command.args(["--unlimited", "--listen", "127.0.0.1:0"]).env("RUST_LOG", "info");
    let mut program = Program::start(command, 1);
    let port = program.port;
    let mut alice = TestClient::connect(port, "alice").await;
    alice.join("#a", 0, None).await;
    let before = program.memory("VmRSS");
    let mut peaks = Vec::new();
    // Twice: what the first ones took serves the second ones.
    for _ in 0..2 {
        let start = Instant::now();
        let mut crowd = JoinSet::new();
        let (mut slowest, mut came) = (Duration::ZERO, 0);
        while came < silent || !crowd.is_empty() {
            if came < silent {
                let more = (silent - came).min(500);
                (0..more).for_each(|_| drop(crowd.spawn(say_nothing(port))));
                came += more;
            } else {
                soon(crowd.join_next()).await.unwrap().unwrap();
                if crowd.len() % 500 != 0 {
                    continue;
                }
            }
            // In between somebody comes, talks, and goes.
            let asked = Instant::now();
            let mut bob = TestClient::connect(port, "bob").await;
            bob.join("#a", u64::MAX, None).await;
            let seq = bob.send("#a", "beside them").await;
            assert_eq!(alice.entry().await.seq, seq);
            bob.quit().await;
            slowest = slowest.max(asked.elapsed());
        }
        peaks.push(program.memory("VmHWM"));
        eprintln!(
            "{silent} silent, {:.1?}: {} bytes each; slowest visit {slowest:.1?}",
            start.elapsed(),
            kilobytes(peaks[peaks.len() - 1], before) * 1024 / silent as u64,
        );
        assert!(start.elapsed() > HANDSHAKE_TIME);
        assert!(slowest < BESIDE, "somebody waited for {slowest:?}");
    }
    let each = kilobytes(peaks[0], before) * 1024 / silent as u64;
    assert!(each < SILENT_BYTES, "{each} bytes for each that says nothing");
    assert!(peaks[1] < peaks[0] + peaks[0] / 4, "what they took is not given back: {peaks:?} kB");
    program.terminate();
    drop(alice);
    assert!(program.exit_within(Duration::from_secs(5)).is_some_and(|exit| exit.success()));
    let log = std::fs::read_to_string(folder.path().join(COMPLAINTS)).unwrap();
    let count = format!("HandshakeTimeout {}", 2 * silent);
    assert!(log.contains(&count), "{count} is not in the log");
}

/// Who stop reading while others talk, where there are so many files.
const STOPPED: usize = 1_000;
/// What one of them may cost: its buffers, and a share of what the room's channel keeps.
const STOPPED_BYTES: u64 = 32 * 1024;
/// Who stop reading while they catch up. Each may hold one page of the log.
const STOPPED_BEHIND: usize = 100;
const STOPPED_BEHIND_BYTES: u64 = 2 * PAGE_BYTES as u64;
const MESSAGES: usize = 3_000;
/// So many of these are several times what a Unix socket holds (some 200 KB) and one gathering has.
const TEXT: usize = 1_200;

/// Comes in through a Unix socket: what the system keeps for one of those does not grow, as it does for TCP.
async fn come_in(path: &std::path::Path, name: String) -> TestClient {
    let (read, write) = soon(UnixStream::connect(path)).await.unwrap().into_split();
    let halves: (FrameReader<Read>, Write) = (FrameReader::new(Box::new(read), EVENT_BYTES), Box::new(write));
    TestClient::greet(halves, &name, None).await.unwrap()
}

/// Says so much, as fast as the server takes it; one who reads has all of it.
async fn flood(port: u16, room: &str) {
    let mut sender = TestClient::connect(port, "sender").await;
    let mut reader = TestClient::connect(port, "reader").await;
    let last = sender.join(room, u64::MAX, None).await.room.unwrap().last;
    reader.join(room, u64::MAX, None).await;
    let reading = tokio::spawn(async move { seqs(&reader.entries(MESSAGES).await) });
    let TestClient { reader: mut answers, mut writer, .. } = sender;
    let sending = async {
        let text = "x".repeat(TEXT);
        for _ in 0..MESSAGES {
            let bytes = Frame::encode(&Command::Send(message(room, &text))).into_bytes();
            soon(writer.write_all(&bytes)).await.unwrap();
        }
    };
    let storing = async {
        let mut stored = 0;
        while stored < MESSAGES {
            match event(&mut answers).await.expect("the connection ended") {
                Event::Ok(ok) if ok.seq.is_some() => stored += 1,
                Event::Error(failure) => panic!("{failure}"),
                _ => {}
            }
        }
    };
    tokio::join!(sending, storing);
    assert_eq!(soon(reading).await.unwrap(), (last + 1..=last + MESSAGES as u64).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_who_stop_reading_cost_what_is_known_and_miss_nothing() {
    let stopping = STOPPED.min(files() / 5);
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("socket");
    let mut command = Program::command(folder.path());
    command
        .args(["--unlimited", "--listen", "127.0.0.1:0", "--listen"])
        .arg(format!("unix:{}", socket.display()));
    let program = Program::start(command, 2);
    // What such a flood costs where nobody stops.
    flood(program.port, "#a").await;
    let before = program.memory("VmHWM");

    let mut stopped = Vec::new();
    for n in 0..stopping {
        let mut client = come_in(&socket, format!("stopped{n}")).await;
        client.join("#a", u64::MAX, None).await;
        stopped.push(client);
    }
    let stopped_at = Instant::now();
    flood(program.port, "#a").await;
    let grown = kilobytes(program.memory("VmHWM"), before) * 1024;
    eprintln!("{stopping} stopped: {} bytes each", grown / stopping as u64);
    assert!(grown < stopping as u64 * STOPPED_BYTES, "{stopping} who do not read cost {grown} bytes");

    // Who never reads what came before them either: a page of the log is on its way to each.
    let before = program.memory("VmRSS");
    let mut behind = Vec::new();
    for n in 0..STOPPED_BEHIND {
        let mut client = come_in(&socket, format!("behind{n}")).await;
        client.say(common::join("#a", 0)).await;
        behind.push(client);
    }
    flood(program.port, "#b").await;
    let grown = kilobytes(program.memory("VmHWM"), before) * 1024;
    eprintln!("{STOPPED_BEHIND} stopped behind: {} bytes each", grown / STOPPED_BEHIND as u64);
    assert!(
        grown < STOPPED_BEHIND as u64 * STOPPED_BEHIND_BYTES,
        "{STOPPED_BEHIND} who do not read cost {grown} bytes"
    );
    let took = stopped_at.elapsed();
    assert!(took < STALL_TIME, "after {took:?} they are let go: this machine is too slow for this test");

    // They read on, some of them, and have everything.
    for client in stopped.iter_mut().step_by(100) {
        let all = seqs(&client.entries(MESSAGES).await);
        assert_eq!(all, (MESSAGES as u64 + 1..=2 * MESSAGES as u64).collect::<Vec<_>>());
    }
    let all = seqs(&behind[0].entries(2 * MESSAGES).await);
    assert_eq!(all, (1..=2 * MESSAGES as u64).collect::<Vec<_>>());
}
