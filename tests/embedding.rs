//! A server without listeners serves the connections that it is given, as if they had come in by the door.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{TestClient, soon, unlimited};
use parlor::protocol::event::{ErrorCode, Event, Reason};
use parlor::protocol::frame::FrameReader;
use parlor::protocol::limits::EVENT_BYTES;
use parlor::server::Server;
use parlor::server::config::{Config, Limits};
use parlor::server::disk::Disk;
use parlor::server::door::Ask;
use parlor::server::gate::Gate;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// So narrow that everything is written in parts.
const WIDTH: usize = 64;

fn embed(folder: &TempDir, limits: Limits, disk: Disk) -> Server {
    let config = Config { tls: None, ask: Ask::Nothing, limits, ..Config::new(folder.path()) };
    Server::embed(config, disk).unwrap()
}

/// Brings a connection to the gate and gives its other end.
fn enter(gate: &Gate) -> (FrameReader<common::Read>, common::Write) {
    let (near, far) = tokio::io::duplex(WIDTH);
    gate.admit(far, None);
    let (read, write) = tokio::io::split(near);
    (FrameReader::new(Box::new(read), EVENT_BYTES), Box::new(write))
}

async fn talk(disk: Disk) {
    let folder = TempDir::new().unwrap();
    let limits = Limits { connections: 2, ..unlimited() };
    let server = embed(&folder, limits, disk);
    assert!(server.addresses().is_empty());
    let (gate, shutdown) = (server.gate(), CancellationToken::new());
    let running = tokio::spawn(server.run(shutdown.clone()));
    let mut alice = TestClient::greet(enter(&gate), "alice", None).await.unwrap();
    let mut bob = TestClient::greet(enter(&gate), "bob", None).await.unwrap();
    alice.join("#a", 0, None).await;
    bob.join("#a", 0, None).await;
    assert_eq!(alice.send("#a", "hello").await, 1);
    assert_eq!(bob.entry().await.text.as_str(), "hello");

    let (mut third, _writer) = enter(&gate);
    match common::event(&mut third).await {
        Some(Event::Error(failure)) => assert_eq!(failure.code, ErrorCode::ServerFull),
        other => panic!("{other:?}"),
    }
    alice.quit().await;
    shutdown.cancel();
    assert_eq!(bob.bye().await, Reason::Shutdown);
    drop(bob);
    soon(running).await.unwrap().unwrap();
    for file in ["parlor.db-wal", "parlor.journal"] {
        assert!(!folder.path().join(file).exists(), "the log is one file again");
    }
    let (mut late, _writer) = enter(&gate);
    assert!(common::event(&mut late).await.is_none(), "nobody is served any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_brought_are_served() {
    talk(Disk::Threads).await;
}

#[tokio::test]
async fn and_on_one_thread_as_well() {
    talk(Disk::Here(|| Duration::from_micros(100))).await;
}
