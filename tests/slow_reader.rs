//! Promise 4: no one slows another. A reader that stops reading changes neither the memory nor the latency of
//! the others, and misses nothing when it reads again.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::{Duration, Instant};

use common::{Program, TestClient, message, seqs, soon};
use parlor::protocol::command::Command;
use parlor::protocol::event::Event;
use parlor::protocol::frame::Frame;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

const MESSAGES: usize = 20_000;
/// With what is around it, 20,000 of these are more than the sockets between two hold (some 3 MB on Linux).
const TEXT: usize = 240;
/// Readers that stop. If something were kept for each of them, it would be their number times 8 MB.
const STOPPED: usize = 12;

/// How long it takes to say something and see it answered, the median of many.
async fn round_trip(alice: &mut TestClient, bob: &mut TestClient) -> Duration {
    let mut times = Vec::new();
    for n in 0..60 {
        let (question, answer) = (message("#talk", &format!("{n}?")), message("#talk", &format!("{n}!")));
        let ids = [question.id, answer.id];
        let start = Instant::now();
        alice.say(Command::Send(question)).await;
        while bob.entry().await.id != ids[0] {}
        bob.say(Command::Send(answer)).await;
        while alice.entry().await.id != ids[1] {}
        times.push(start.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_reading_delays_nobody_costs_nothing_and_misses_nothing() {
    let folder = TempDir::new().unwrap();
    let program = Program::serve(folder.path(), 0, &["--unlimited"]);
    let mut alice = TestClient::connect(program.port, "alice").await;
    let mut bob = TestClient::connect(program.port, "bob").await;
    for talker in [&mut alice, &mut bob] {
        talker.join("#talk", 0, None).await;
    }
    let before = round_trip(&mut alice, &mut bob).await;

    let mut stopped = Vec::new();
    for n in 0..STOPPED {
        let mut reader = TestClient::connect_narrow(program.port, &format!("stopped{n}")).await;
        reader.join("#flood", 0, None).await;
        stopped.push(reader);
    }
    let mut sender = TestClient::connect(program.port, "sender").await;
    let mut reader = TestClient::connect(program.port, "reader").await;
    sender.join("#flood", 0, None).await;
    reader.join("#flood", 0, None).await;
    let memory_before = program.memory("VmHWM");

    let reading = tokio::spawn(async move { seqs(&reader.entries(MESSAGES).await) });
    let TestClient { reader: mut answers, mut writer, .. } = sender;
    let sending = async {
        let text = "x".repeat(TEXT);
        for _ in 0..MESSAGES {
            let bytes = Frame::encode(&Command::Send(message("#flood", &text))).into_bytes();
            soon(writer.write_all(&bytes)).await.unwrap();
        }
    };
    let storing = async {
        let mut stored = 0;
        while stored < MESSAGES {
            match common::event(&mut answers).await.expect("the connection ended") {
                Event::Ok(ok) if ok.seq.is_some() => stored += 1,
                Event::Error(failure) => panic!("{failure}"),
                _ => {}
            }
        }
    };
    tokio::join!(sending, storing);
    // Those who read have everything, while those who stopped have not read a byte.
    let all: Vec<u64> = (1..=MESSAGES as u64).collect();
    assert_eq!(soon(reading).await.unwrap(), all);

    let after = round_trip(&mut alice, &mut bob).await;
    assert!(
        after < before * 5 + Duration::from_millis(20),
        "a round trip took {before:?} before they stopped reading, and {after:?} after"
    );
    if cfg!(target_os = "linux") {
        let grown = program.memory("VmHWM") - memory_before;
        assert!(grown < 32 * 1024, "{STOPPED} who do not read cost {grown} kB");
    }

    // Now one reads, and the rest hang up without ever having read.
    let mut back = stopped.pop().unwrap();
    drop(stopped);
    assert_eq!(seqs(&back.entries(MESSAGES).await), all);
    alice.join("#flood", u64::MAX, None).await;
    let next = alice.send("#flood", "and on").await;
    assert_eq!(back.entry().await.seq, next);
}
