//! Promise 2, where the end is not sudden (`kills.rs` has those that are): a shutdown stores what was accepted and tells
//! everyone, and a log that cannot take more says so and keeps what it has.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::HashMap;
use std::process::Command as Process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use common::{Program, TestClient, TestServer, frame, log_of, message, room, seqs, soon, texts};
use parlor::protocol::command::{Command, SetTopic};
use parlor::protocol::event::{Entry, ErrorCode, Event, Reason};
use parlor::protocol::frame::Frame;
use parlor::protocol::limits::TEXT_BYTES;
use parlor::protocol::text::Line;
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use uuid::Uuid;

const SENDERS: usize = 4;

/// What somebody knows to be in the log.
#[derive(Debug, Default)]
struct Witness {
    /// From `ok`: which place an id has.
    told: Vec<(Uuid, u64)>,
    /// From entries.
    seen: Vec<Entry>,
    /// The last word, if there was one.
    bye: Option<Reason>,
}

/// Counts what all witnesses have seen, and rings when it is enough.
#[derive(Debug)]
struct Enough {
    seen: AtomicUsize,
    of: usize,
    bell: Notify,
}

impl Enough {
    fn of(count: usize) -> Arc<Self> {
        Arc::new(Self { seen: AtomicUsize::new(0), of: count, bell: Notify::new() })
    }

    fn count(&self) {
        if self.seen.fetch_add(1, Ordering::Relaxed) + 1 == self.of {
            self.bell.notify_one();
        }
    }
}

/// Writes down what a client gets until its connection ends.
fn witness(client: &mut Option<TestClient>, enough: Arc<Enough>) -> JoinHandle<Witness> {
    let TestClient { mut reader, writer, .. } = client.take().unwrap();
    tokio::spawn(async move {
        let _open = writer;
        witness_of(&mut reader, &enough).await
    })
}

async fn witness_of(
    reader: &mut parlor::protocol::frame::FrameReader<common::Read>,
    enough: &Enough,
) -> Witness {
    let mut witness = Witness::default();
    while let Some(event) = common::event(reader).await {
        assert_eq!(witness.bye, None, "bye is the last word");
        match event {
            Event::Ok(ok) => {
                if let (Some(re), Some(seq)) = (ok.re, ok.seq) {
                    witness.told.push((re.as_str().parse().unwrap(), seq));
                    enough.count();
                }
            }
            Event::Entry(entry) => {
                witness.seen.push(entry);
                enough.count();
            }
            Event::Bye(bye) => witness.bye = Some(bye.reason),
            Event::Error(failure) => panic!("{failure}"),
            _ => {}
        }
    }
    witness
}

/// Sends without end, as fast as it can, and writes down what it gets. Says what it sent.
fn flood(
    client: TestClient,
    name: String,
    enough: Arc<Enough>,
) -> JoinHandle<(HashMap<Uuid, String>, Witness)> {
    let TestClient { mut reader, mut writer, .. } = client;
    tokio::spawn(async move {
        let over = AtomicBool::new(false);
        let sending = async {
            use tokio::io::AsyncWriteExt;
            let mut sent = HashMap::new();
            for n in 0.. {
                let send = message("#a", &format!("{name}:{n}"));
                sent.insert(send.id, send.text.as_str().to_owned());
                let bytes = Frame::encode(&Command::Send(send)).into_bytes();
                if over.load(Ordering::Relaxed) || soon(writer.write_all(&bytes)).await.is_err() {
                    break;
                }
            }
            sent
        };
        let reading = async {
            let witness = witness_of(&mut reader, &enough).await;
            over.store(true, Ordering::Relaxed);
            witness
        };
        tokio::join!(sending, reading)
    })
}

fn assert_kept(log: &[Entry], witness: &Witness) {
    let at = |seq: u64| log.get(usize::try_from(seq).unwrap() - 1).expect("it is lost");
    for (id, seq) in &witness.told {
        assert_eq!(at(*seq).id, *id, "what was acknowledged is another one now");
    }
    for entry in &witness.seen {
        assert_eq!(at(entry.seq), entry, "what was seen is another one now");
        assert_eq!(at(entry.seq).text.as_str(), entry.text.as_str());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_tells_everyone_and_keeps_what_was_accepted() {
    let folder = TempDir::new().unwrap();
    let mut program = Program::serve(folder.path(), 0, &["--unlimited"]);

    // One who never reads, and has more to take than all the buffers on the way hold.
    let mut deaf = TestClient::connect_narrow(program.port, "deaf").await;
    deaf.join("#big", 0, None).await;
    let mut loud = TestClient::connect(program.port, "loud").await;
    loud.join("#big", 0, None).await;
    for _ in 0..50 {
        let text = "x".repeat(TEXT_BYTES);
        for _ in 0..8 {
            loud.say(Command::Send(message("#big", &text))).await;
        }
        loud.entries(8).await;
    }
    // Two who have not said who they are: one silent, one in the middle of its hello.
    let (mut silent, _silent_writer) = TestClient::dial(program.port).await;
    let (mut half, mut half_writer) = TestClient::dial(program.port).await;
    let hello = Frame::encode(&common::hello("half", None)).into_bytes();
    tokio::io::AsyncWriteExt::write_all(&mut half_writer, &hello[..9]).await.unwrap();
    for greeted in [&mut silent, &mut half] {
        assert!(matches!(common::event(greeted).await, Some(Event::Welcome(_))));
    }

    let enough = Enough::of(1_000);
    let mut quiet = TestClient::connect(program.port, "quiet").await;
    quiet.join("#a", 0, None).await;
    let quiet = witness(&mut Some(quiet), Arc::clone(&enough));
    let mut flooding = Vec::new();
    for n in 0..SENDERS {
        let mut sender = TestClient::connect(program.port, &format!("sender{n}")).await;
        sender.join("#a", 0, None).await;
        flooding.push(flood(sender, n.to_string(), Arc::clone(&enough)));
    }
    soon(enough.bell.notified()).await;

    program.terminate();
    let exit = tokio::task::spawn_blocking(move || program.exit_within(Duration::from_secs(5)));
    for mut greeted in [silent, half] {
        match common::event(&mut greeted).await {
            Some(Event::Bye(bye)) => assert_eq!(bye.reason, Reason::Shutdown),
            other => panic!("{other:?}"),
        }
    }
    let mut witnesses = vec![soon(quiet).await.unwrap()];
    for sender in flooding {
        witnesses.push(soon(sender).await.unwrap().1);
    }
    for witness in &witnesses {
        assert_eq!(witness.bye, Some(Reason::Shutdown));
    }
    let exit = exit.await.unwrap().expect("it takes more than 5 seconds to end");
    assert!(exit.success(), "{exit}");
    for file in ["parlor.db-wal", "parlor.journal"] {
        assert!(!folder.path().join(file).exists(), "the log is one file again");
    }

    let program = Program::serve(folder.path(), 0, &["--unlimited"]);
    let log = log_of(program.port, "#a").await;
    for witness in &witnesses {
        assert_kept(&log, witness);
    }
    assert_eq!(log_of(program.port, "#big").await.len(), 400);
    drop(deaf);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_stored_is_seen_by_nobody_and_takes_no_number() {
    let server = TestServer::start().await;
    let mut alice = server.client("alice").await;
    let mut bob = server.client("bob").await;
    alice.join("#a", 0, None).await;
    bob.join("#a", 0, None).await;
    assert_eq!(alice.send("#a", "before").await, 1);

    let meddler = rusqlite::Connection::open(server.data().join("parlor.db")).unwrap();
    meddler
        .execute_batch(
            "CREATE TRIGGER curse BEFORE INSERT ON journal WHEN instr(new.batches, CAST('cursed' AS BLOB))
             BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
        .unwrap();
    // What changes the tables too: the topic of a room, and a room of its own, which must not come to be by half.
    let topic = SetTopic { id: Uuid::now_v7(), room: room("#a"), text: Line::lossy("cursed") };
    let elsewhere = message("#b", "cursed");
    alice.join("#b", 0, None).await;
    for (id, command) in
        [(topic.id, Command::Topic(topic.clone())), (elsewhere.id, Command::Send(elsewhere.clone()))]
    {
        alice.say(command).await;
        let failure = alice.answer(&id.into()).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::Storage);
        assert!(failure.code.is_temporary());
    }
    assert_eq!(alice.send("#a", "after").await, 2);
    meddler.execute_batch("DROP TRIGGER curse").unwrap();
    alice.say(Command::Topic(topic.clone())).await;
    assert_eq!(alice.answer(&topic.id.into()).await.unwrap().seq, Some(3));
    assert_eq!(alice.submit(elsewhere).await, Ok(1));

    let seen = bob.entries(3).await;
    assert_eq!((seqs(&seen), texts(&seen)), (vec![1, 2, 3], vec!["before", "after", "cursed"]));
    drop((alice, bob));
    let server = server.restart().await;
    assert_eq!(log_of(server.port, "#a").await, seen);
}

/// Messages that were committed together do not fail together, where only one of them is at fault.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_stored_of_one_is_not_for_others_to_feel() {
    const MESSAGES: u64 = 200;
    let server = TestServer::start().await;
    let meddler = rusqlite::Connection::open(server.data().join("parlor.db")).unwrap();
    meddler
        .execute_batch(
            "CREATE TRIGGER curse BEFORE INSERT ON journal WHEN instr(new.batches, CAST('cursed' AS BLOB))
             BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
        .unwrap();
    let mut mallory = server.client("mallory").await;
    mallory.join("#b", 0, None).await;
    let mut talking = Vec::new();
    for n in 0..8 {
        let mut client = server.client(&format!("client{n}")).await;
        client.join("#a", u64::MAX, None).await;
        talking.push(tokio::spawn(async move {
            for n in 0..MESSAGES {
                client.submit(message("#a", &n.to_string())).await.unwrap();
            }
        }));
    }
    while !talking.iter().all(JoinHandle::is_finished) {
        let failure = mallory.submit(message("#b", "cursed")).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::Storage);
    }
    for done in talking {
        soon(done).await.unwrap();
    }
    assert_eq!(log_of(server.port, "#a").await.len() as u64, 8 * MESSAGES);
}

/// A disk that takes no more: here a file that may not grow, which is as full to the one who writes.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_costs_nothing_that_was_stored() {
    let folder = TempDir::new().unwrap();
    // Ignoring the signal makes the write fail instead of the program; 1,000 blocks of 512 bytes.
    let mut command = Program::under("trap '' XFSZ; ulimit -S -f 1000", folder.path());
    command.args(["--unlimited", "--listen", "127.0.0.1:0"]);
    let mut program = Program::start(command, 1);
    let mut alice = TestClient::connect(program.port, "alice").await;
    let mut bob = TestClient::connect(program.port, "bob").await;
    alice.join("#a", 0, None).await;
    bob.join("#a", 0, None).await;
    let text = "x".repeat(TEXT_BYTES);
    let mut stored = 0;
    let failure = loop {
        match alice.submit(message("#a", &text)).await {
            Ok(seq) => {
                assert_eq!(seq, stored + 1);
                stored = seq;
                assert!(stored < 100, "the disk is never full");
            }
            Err(failure) => break failure,
        }
    };
    assert!(failure.code.is_temporary(), "{:?}", failure.code);
    assert!(stored > 3, "the disk was full from the start");
    // It goes on for those who read.
    let seen = bob.entries(usize::try_from(stored).unwrap()).await;
    assert_eq!(log_of(program.port, "#a").await, seen);
    bob.write(&frame(br#"{"type":"ping","id":"still here"}"#)).await;
    bob.until(|event| matches!(event, Event::Pong(_)).then_some(())).await;
    // With room again it goes on by itself, and after a sudden end too.
    let id = program.child.id().to_string();
    assert!(Process::new("prlimit").args(["--fsize=unlimited:", "--pid", &id]).status().unwrap().success());
    assert_eq!(alice.send("#a", "room again").await, stored + 1);
    let last = bob.entry().await;
    assert_eq!(last.seq, stored + 1);
    program.kill();
    let program = Program::serve(folder.path(), 0, &["--unlimited"]);
    assert_eq!(log_of(program.port, "#a").await, [seen, vec![last]].concat());
}
