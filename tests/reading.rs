//! How far people have read: one number for each room, on all their devices, over restarts.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::{PATIENCE, Program, TestClient, TestServer, message, room};
use parlor::protocol::command::{Command, ReadTo, RequestId};
use parlor::protocol::event::{ErrorCode, Event, Failure, Okay, ReadUpTo};
use parlor::protocol::frame::Frame;
use parlor::protocol::limits::COUNTED_ENTRIES;
use parlor::protocol::proof::KeyPair;
use uuid::Uuid;

/// Whose key it is that begins with this byte.
fn key(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32]).unwrap()
}

const ALICE: u8 = 2;
const BOB: u8 = 3;

async fn come(server: &TestServer, name: &str, seed: u8) -> TestClient {
    server.client_of(name, &key(seed)).await
}

async fn read(client: &mut TestClient, name: &str, seq: u64) -> Result<Okay, Failure> {
    let id = RequestId::from(Uuid::now_v7());
    client.say(Command::Read(ReadTo { id: Some(id.clone()), room: room(name), seq })).await;
    client.answer(&id).await
}

/// What a join says of it: how far one has read, what is left, and how often one is named there.
async fn found(client: &mut TestClient, name: &str) -> (Option<u64>, Option<u64>, Option<u64>) {
    let ok = client.join(name, 0, Some(0)).await;
    (ok.read, ok.unread, ok.mentions)
}

#[tokio::test]
async fn what_one_device_has_read_the_others_know() {
    let server = TestServer::start().await;
    let mut alice = come(&server, "alice", ALICE).await;
    let mut phone = come(&server, "alice", ALICE).await;
    let mut bob = come(&server, "bob", BOB).await;
    bob.join("#a", 0, None).await;
    assert_eq!(read(&mut alice, "#a", 1).await.unwrap_err().code, ErrorCode::NotInRoom);
    assert_eq!(found(&mut alice, "#a").await, (None, None, None), "nobody has read nothing");
    for text in ["one", "two, alice", "three"] {
        bob.send("#a", text).await;
    }
    alice.send("#a", "alice is my name").await;
    read(&mut alice, "#a", 1).await.unwrap();
    let told = phone.until(|event| match event {
        Event::Read(read) => Some(read),
        _ => None,
    });
    assert_eq!(told.await, ReadUpTo { room: room("#a"), seq: 1 });
    assert_eq!(found(&mut phone, "#a").await, (Some(1), Some(2), Some(1)), "what others said");
    assert_eq!(found(&mut phone, "#a").await, (Some(1), None, None), "in it already, nothing is counted");
    // It does not go back, nor beyond what there is.
    read(&mut phone, "#a", 0).await.unwrap();
    read(&mut phone, "#a", u64::MAX).await.unwrap();
    read(&mut alice, "#a", 2).await.unwrap();
    assert_eq!(found(&mut alice, "#a").await, (Some(4), Some(0), Some(0)));
    let told: Vec<u64> = phone
        .drain()
        .await
        .into_iter()
        .filter_map(|event| match event {
            Event::Read(read) => Some(read.seq),
            _ => None,
        })
        .collect();
    assert_eq!(told, Vec::<u64>::new(), "one's own words are not news");
    // Somebody else's reading is their own.
    assert!(!bob.drain().await.iter().any(|event| matches!(event, Event::Read(_))));
    assert_eq!(found(&mut bob, "#a").await, (None, None, None));
}

#[tokio::test]
async fn it_is_there_after_a_restart_and_under_another_name() {
    let server = TestServer::start().await;
    let mut alice = come(&server, "alice", ALICE).await;
    alice.join("#a", 0, None).await;
    for text in ["one", "two"] {
        alice.send("#a", text).await;
    }
    read(&mut alice, "#a", 2).await.unwrap();
    // At once: what is orderly loses nothing.
    let server = server.restart().await;
    let mut bob = come(&server, "bob", BOB).await;
    bob.join("#a", 2, None).await;
    bob.send("#a", "where is ally?").await;
    let mut ally = come(&server, "ally", ALICE).await;
    assert_eq!(found(&mut ally, "#a").await, (Some(2), Some(1), Some(1)));
}

#[tokio::test]
async fn of_guests_nothing_is_kept() {
    let server = TestServer::start().await;
    let mut guest = server.client("guest").await;
    guest.join("#a", 0, None).await;
    guest.send("#a", "hi").await;
    read(&mut guest, "#a", 1).await.unwrap();
    assert_eq!(found(&mut guest, "#a").await, (None, None, None));
}

#[tokio::test]
async fn counting_has_an_end() {
    const AT_ONCE: usize = 202;
    let server = TestServer::start().await;
    let mut alice = come(&server, "alice", ALICE).await;
    let mut bob = come(&server, "bob", BOB).await;
    bob.join("#a", 0, None).await;
    bob.send("#a", "the first").await;
    alice.join("#a", 0, None).await;
    read(&mut alice, "#a", 1).await.unwrap();
    alice.leave("#a").await;
    let mut sent = 1;
    while sent < COUNTED_ENTRIES + 10 {
        let frames = |text: &str| Frame::encode(&Command::Send(message("#a", text))).into_bytes();
        let burst: Vec<u8> = (0..AT_ONCE).flat_map(|_| frames("hi alice").to_vec()).collect();
        bob.write(&burst).await;
        sent += AT_ONCE as u64;
        let stored =
            |event| matches!(event, Event::Ok(Okay { seq: Some(seq), .. }) if seq == sent).then_some(());
        bob.until(stored).await;
    }
    let counted = (Some(1), Some(COUNTED_ENTRIES), Some(COUNTED_ENTRIES));
    assert_eq!(found(&mut alice, "#a").await, counted);
}

/// What is in the file of somebody else's process.
fn kept(folder: &Path) -> Option<i64> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let file = rusqlite::Connection::open_with_flags(folder.join("people.db"), flags).ok()?;
    file.busy_timeout(PATIENCE).ok()?;
    file.query_row("SELECT max(seq) FROM read", [], |row| row.get::<_, Option<i64>>(0)).ok()?
}

#[tokio::test]
async fn a_kill_costs_no_more_than_the_last_moment() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Program::serve(folder.path(), 0, &[]);
    let mut alice = TestClient::try_with_key(server.port, "alice", &key(ALICE)).await.unwrap();
    alice.join("#a", 0, None).await;
    for text in ["one", "two", "three"] {
        alice.send("#a", text).await;
    }
    read(&mut alice, "#a", 2).await.unwrap();
    let began = Instant::now();
    while kept(folder.path()) != Some(2) {
        assert!(began.elapsed() < PATIENCE, "it was not written");
        // Another process writes it: there is nothing to wait for but the file.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    read(&mut alice, "#a", 3).await.unwrap();
    server.kill();
    let server = Program::serve(folder.path(), 0, &[]);
    let mut alice = TestClient::try_with_key(server.port, "alice", &key(ALICE)).await.unwrap();
    let (read, unread, _) = found(&mut alice, "#a").await;
    assert!(matches!(read, Some(2 | 3)), "{read:?}");
    assert_eq!(unread, Some(0), "one's own");
}
