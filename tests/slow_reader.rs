//! Promise 4: no one slows another. A reader that stops reading changes neither the memory nor the latency of
//! the others, and misses nothing when it reads again.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::cell::Cell;
use std::time::{Duration, Instant};

use common::{Program, TestClient, message, seqs, soon};
use parlor::protocol::command::Command;
use parlor::protocol::event::Event;
use parlor::protocol::frame::Frame;
use parlor::protocol::limits::STALL_TIME;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

const MESSAGES: usize = 6_000;
/// With what is around it, 6,000 of these are more than the sockets between two hold (some 3 MB on Linux).
const TEXT: usize = 1_200;
/// Readers that stop. If something were kept for each of them, it would be their number times 8 MB.
const STOPPED: usize = 12;

/// Two who talk in a room of their own, while others do something else.
struct Talkers {
    alice: TestClient,
    bob: TestClient,
}

impl Talkers {
    /// How long it takes to say something and see it answered.
    async fn round_trip(&mut self) -> Duration {
        let (question, answer) = (message("#talk", "?"), message("#talk", "!"));
        let ids = [question.id, answer.id];
        let start = Instant::now();
        self.alice.say(Command::Send(question)).await;
        while self.bob.entry().await.id != ids[0] {}
        self.bob.say(Command::Send(answer)).await;
        while self.alice.entry().await.id != ids[1] {}
        start.elapsed()
    }

    /// The median of the round trips that begin while `work` is done.
    async fn round_trip_during(&mut self, work: impl Future<Output = ()>) -> Duration {
        let done = Cell::new(false);
        let work = async {
            work.await;
            done.set(true);
        };
        let talking = async {
            let mut times = Vec::new();
            while !done.get() {
                times.push(self.round_trip().await);
            }
            times
        };
        let ((), times) = tokio::join!(work, talking);
        median(times)
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Says so much in a room, as fast as the server takes it, until all is stored, and one who reads it has it all.
async fn flood(port: u16, room: &str) {
    let mut sender = TestClient::connect(port, &format!("sender-{}", &room[1..])).await;
    let mut reader = TestClient::connect(port, &format!("reader-{}", &room[1..])).await;
    sender.join(room, 0, None).await;
    reader.join(room, 0, None).await;
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
            match common::event(&mut answers).await.expect("the connection ended") {
                Event::Ok(ok) if ok.seq.is_some() => stored += 1,
                Event::Error(failure) => panic!("{failure}"),
                _ => {}
            }
        }
    };
    tokio::join!(sending, storing);
    assert_eq!(soon(reading).await.unwrap(), all());
}

fn all() -> Vec<u64> {
    (1..=MESSAGES as u64).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_reading_delays_nobody_costs_nothing_and_misses_nothing() {
    let folder = TempDir::new().unwrap();
    let program = Program::serve(folder.path(), 0, &["--unlimited"]);
    let alice = TestClient::connect(program.port, "alice").await;
    let bob = TestClient::connect(program.port, "bob").await;
    let mut talkers = Talkers { alice, bob };
    for talker in [&mut talkers.alice, &mut talkers.bob] {
        talker.join("#talk", 0, None).await;
    }
    // What such a flood costs by itself, in time and in memory: there is as much to do without the stopped ones.
    let alone = talkers.round_trip_during(flood(program.port, "#alone")).await;
    let memory_before = program.memory("VmHWM");

    let mut stopped = Vec::new();
    for n in 0..STOPPED {
        let mut reader = TestClient::connect_narrow(program.port, &format!("stopped{n}")).await;
        reader.join("#flood", 0, None).await;
        stopped.push(reader);
    }
    let stopped_at = Instant::now();
    let beside = talkers.round_trip_during(flood(program.port, "#flood")).await;
    // Those who read have everything, while those who stopped have not read a byte.
    let took = stopped_at.elapsed();
    assert!(
        took < STALL_TIME / 2,
        "the flood took {took:?}: this machine is too slow for this test, for who takes nothing for \
         {STALL_TIME:?} is closed, and one is to read on"
    );
    assert!(
        beside < alone * 5 + Duration::from_millis(100),
        "in a flood a round trip took {alone:?} when all were reading, and {beside:?} beside {STOPPED} who were not"
    );
    if cfg!(target_os = "linux") {
        let grown = program.memory("VmHWM") - memory_before;
        assert!(grown < 32 * 1024, "{STOPPED} who do not read cost {grown} kB");
    }

    // Now one reads, and the rest hang up without ever having read.
    let mut back = stopped.pop().unwrap();
    drop(stopped);
    assert_eq!(seqs(&back.entries(MESSAGES).await), all());
    let mut alice = talkers.alice;
    alice.join("#flood", u64::MAX, None).await;
    let next = alice.send("#flood", "and on").await;
    assert_eq!(back.entry().await.seq, next);
}
