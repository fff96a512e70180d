//! Promise 7: every ending has a reason, told to the peer in its last frame, logged, and counted.
//!
//! `server_full` and `address_full` are in `limits.rs`. A peer that stalled takes no last frame; what is told
//! there is that the others see it go, and that it loses nothing when it comes back.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{Program, TestClient, TestServer, event, frame, message, seqs, soon};
use parlor::protocol::command::{Command, Plain, RequestId};
use parlor::protocol::event::{ErrorCode, Event, Failure, Reason};
use parlor::protocol::frame::Frame;
use parlor::protocol::limits::{
    COMMAND_BYTES, DEAD_AFTER, HANDSHAKE_TIME, PING_EVERY, STALL_TIME, TEXT_BYTES,
};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// The clock jumps. Only for tests on one thread.
async fn advance(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Writes what the server may already have stopped listening to.
async fn write(writer: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) {
    drop(soon(writer.write_all(bytes)).await);
}

/// All errors, and the reason in the last frame.
async fn last_words(
    reader: &mut parlor::protocol::frame::FrameReader<common::Read>,
) -> (Vec<Failure>, Reason) {
    let mut failures = Vec::new();
    loop {
        match event(reader).await.expect("the connection ended without a reason") {
            Event::Error(failure) => failures.push(failure),
            Event::Bye(bye) => {
                assert!(event(reader).await.is_none(), "bye is the last word");
                return (failures, bye.reason);
            }
            _ => {}
        }
    }
}

/// How the server answers to this instead of a hello.
async fn greeted_with(server: &TestServer, bytes: &[u8]) -> (Option<ErrorCode>, Reason) {
    let (mut reader, mut writer) = TestClient::dial(server.port).await;
    write(&mut writer, bytes).await;
    let (failures, reason) = last_words(&mut reader).await;
    assert!(failures.len() <= 1);
    (failures.first().map(|failure| failure.code), reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_let_in_is_told_why() {
    let server = TestServer::start().await;
    let _alice = server.client("alice").await;
    let said = |text: &str| frame(text.as_bytes());
    let mut too_large = u32::try_from(COMMAND_BYTES + 1).unwrap().to_be_bytes().to_vec();
    for (bytes, code, reason) in [
        (
            said(r#"{"type":"hello","protocol":1,"nick":"ALICE"}"#),
            Some(ErrorCode::NickTaken),
            Reason::Refused,
        ),
        (said(r#"{"type":"hello","protocol":1,"nick":"a b"}"#), Some(ErrorCode::BadName), Reason::Refused),
        (
            said(r#"{"type":"hello","protocol":2,"nick":"bob"}"#),
            Some(ErrorCode::UnsupportedVersion),
            Reason::Refused,
        ),
        (said(r#"{"type":"ping"}"#), Some(ErrorCode::OutOfPlace), Reason::ProtocolError),
        (said(r#"{"type":"fly"}"#), Some(ErrorCode::UnknownType), Reason::ProtocolError),
        (said("GET / HTTP/1.1"), Some(ErrorCode::BadJson), Reason::ProtocolError),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), Some(ErrorCode::FrameTooLarge), Reason::FrameTooLarge),
        (said(r#"{"type":"bye"}"#), None, Reason::Quit),
    ] {
        assert_eq!(
            greeted_with(&server, &bytes).await,
            (code, reason),
            "{}",
            String::from_utf8_lossy(&bytes)
        );
    }
    // With all that was announced behind it.
    too_large.resize(COMMAND_BYTES * 3, b'x');
    let refused = greeted_with(&server, &too_large).await;
    assert_eq!(refused, (Some(ErrorCode::FrameTooLarge), Reason::FrameTooLarge));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_hears_so_after_the_answers_that_are_owed() {
    let server = TestServer::start().await;
    // With a word, without one, and in the middle of one.
    for (ending, reason) in [
        (Frame::encode(&Command::Bye(Plain::default())).into_bytes().to_vec(), Reason::Quit),
        (vec![], Reason::Gone),
        (frame(br#"{"type":"bye"}"#)[..7].to_vec(), Reason::Gone),
    ] {
        let mut alice = server.client("alice").await;
        alice.join("#a", u64::MAX, None).await;
        let mut line = Vec::new();
        let mut ids: Vec<RequestId> = Vec::new();
        for n in 0..100 {
            let send = message("#a", &n.to_string());
            ids.push(send.id.into());
            line.extend(Frame::encode(&Command::Send(send)).into_bytes());
        }
        line.extend(ending);
        alice.write(&line).await;
        soon(alice.writer.shutdown()).await.unwrap();
        let mut answered = Vec::new();
        let last = loop {
            match alice.event().await.expect("the connection ended without a reason") {
                Event::Ok(ok) => answered.extend(ok.re),
                Event::Error(failure) => panic!("{failure}"),
                Event::Bye(bye) => break bye.reason,
                _ => {}
            }
        };
        assert_eq!((answered, last), (ids, reason));
        assert!(alice.event().await.is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_replaces_what_lingers_of_them() {
    let server = TestServer::start().await;
    let mut before = server.client("alice").await;
    before.join("#a", 0, None).await;
    let after = TestClient::try_connect(server.port, "alice", Some(before.ready.session)).await.unwrap();
    assert_eq!(before.bye().await, Reason::Replaced);
    assert_eq!(after.ready.you.nick, before.ready.you.nick);
    after.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_too_large_is_told_to_one_who_reads_late() {
    let server = TestServer::start().await;
    // More is on its way to this one than the sockets hold, and it reads nothing.
    let mut alice = TestClient::connect_narrow(server.port, "alice").await;
    alice.join("#a", 0, None).await;
    let mut bob = server.client("bob").await;
    bob.join("#a", 0, None).await;
    let text = "x".repeat(TEXT_BYTES);
    for _ in 0..400 {
        bob.say(Command::Send(message("#a", &text))).await;
    }
    bob.entries(400).await;
    // What comes after the length is never read as a command, and must not cost alice the last word.
    let mut bytes = u32::MAX.to_be_bytes().to_vec();
    bytes.resize(300_000, b'x');
    write(&mut alice.writer, &bytes).await;
    let (failures, reason) = last_words(&mut alice.reader).await;
    assert_eq!((failures[0].code, reason), (ErrorCode::FrameTooLarge, Reason::FrameTooLarge));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_is_told_to_all_who_are_in_and_all_who_come_in_meanwhile() {
    for _ in 0..10 {
        let mut server = TestServer::start().await;
        let mut inside = server.client("inside").await;
        let mut coming = Vec::new();
        for n in 0..12 {
            let (mut reader, writer) = TestClient::dial(server.port).await;
            assert!(matches!(event(&mut reader).await, Some(Event::Welcome(_))));
            let hello = Frame::encode(&common::hello(&format!("coming{n}"), None)).into_bytes();
            coming.push((reader, writer, hello));
        }
        let stopping = tokio::spawn(async move { server.stop().await });
        for (_, writer, hello) in &mut coming {
            write(writer, hello).await;
        }
        assert_eq!(inside.bye().await, Reason::Shutdown);
        drop(inside);
        for (mut reader, _writer, _) in coming {
            assert_eq!(last_words(&mut reader).await.1, Reason::Shutdown);
        }
        soon(stopping).await.unwrap();
    }
}

/// The log lacks something that was stored: nobody is given what follows as if nothing were missing.
#[tokio::test(flavor = "multi_thread")]
async fn a_hole_in_the_log_is_told_and_not_skipped() {
    let mut server = TestServer::start().await;
    for _ in 0..3 {
        let mut alice = server.client("alice").await;
        alice.join("#a", 0, None).await;
        for _ in 0..2 {
            alice.send("#a", "x").await;
        }
        // What a server leaves when it ends is settled, and two entries are one row.
        server = server.restart().await;
    }
    let mut alice = server.client("alice").await;
    alice.join("#a", 6, None).await;
    let meddler = rusqlite::Connection::open(server.data().join("parlor.db")).unwrap();
    let gone = meddler.execute("DELETE FROM batches WHERE place & 0xff = 3", []).unwrap();
    assert_eq!(gone, 1);
    // More often than there are connections to the log, none of which must be lost by it.
    for _ in 0..5 {
        let mut late = server.client("late").await;
        late.join("#a", 0, None).await;
        assert_eq!(seqs(&late.entries(2).await), [1, 2]);
        assert_eq!(late.bye().await, Reason::Storage);
    }
    assert_eq!(alice.send("#a", "goes on").await, 7);
    let mut late = server.client("late").await;
    late.join("#a", 4, None).await;
    assert_eq!(seqs(&late.entries(3).await), [5, 6, 7]);
    // Nor do pages of history jump over it: what is next to the place that was named is there, or an error.
    for (place, seq, limit, page) in [
        ("after", 0, 9, Some(vec![1, 2])),
        ("after", 2, 9, None),
        ("after", 4, 9, Some(vec![5, 6, 7])),
        ("before", 9, 9, Some(vec![5, 6, 7])),
        ("before", 5, 9, None),
        ("before", 3, 9, Some(vec![1, 2])),
        ("before", 5, 0, Some(vec![])),
        ("around", 4, 9, None),
        ("around", 6, 4, Some(vec![5, 6, 7])),
    ] {
        late.say_json(&json!({"type": "history", "room": "#a", place: seq, "limit": limit})).await;
        let read = late
            .until(|event| match event {
                Event::Page(page) => Some(Ok(seqs(&page.entries))),
                Event::Error(failure) => Some(Err(failure.code)),
                _ => None,
            })
            .await;
        assert_eq!(read, page.ok_or(ErrorCode::Storage), "{place} {seq}");
    }
}

#[tokio::test]
async fn silence_is_asked_about_and_then_ended() {
    let server = TestServer::start().await;
    let mut alice = server.client("alice").await;
    let mut bob = server.client("bob").await;
    // Answering is enough to stay.
    for _ in 0..6 {
        advance(PING_EVERY).await;
        alice.until(|event| matches!(event, Event::Ping(_)).then_some(())).await;
        alice.drain().await;
    }
    assert_eq!(bob.bye().await, Reason::Silent);
    // A frame that never ends is silence too.
    alice.write(&frame(br#"{"type":"ping"}"#)[..5]).await;
    advance(DEAD_AFTER).await;
    assert_eq!(alice.bye().await, Reason::Silent);
}

/// Bytes are not frames: one a second keeps nobody alive.
#[tokio::test]
async fn a_frame_that_drips_is_silence() {
    let server = TestServer::start().await;
    let mut witness = server.client("witness").await;
    let mut slow = server.client("slow").await;
    slow.join("#a", 0, None).await;
    let mut long = message("#a", &"x".repeat(1_000));
    let bytes = Frame::encode(&Command::Send(long.clone())).into_bytes();
    for byte in bytes.iter().take(usize::try_from(DEAD_AFTER.as_secs()).unwrap()) {
        write(&mut slow.writer, &[*byte]).await;
        // The server has had its turn: it has answered somebody else.
        witness.drain().await;
        advance(Duration::from_secs(1)).await;
    }
    assert_eq!(slow.bye().await, Reason::Silent);
    // Half of a command is none.
    let mut slow = server.client("slow").await;
    assert_eq!(slow.join("#a", 0, None).await.room.unwrap().last, 0);
    long.id = uuid::Uuid::now_v7();
    assert_eq!(slow.submit(long).await, Ok(1));
}

#[tokio::test]
async fn a_handshake_has_its_time_however_busy() {
    let server = TestServer::start().await;
    let mut witness = server.client("witness").await;
    // One says nothing; one says a byte each second, and would go on for a minute.
    let (mut silent, _writer) = TestClient::dial(server.port).await;
    let (mut slow, mut slow_writer) = TestClient::dial(server.port).await;
    for reader in [&mut silent, &mut slow] {
        assert!(matches!(event(reader).await, Some(Event::Welcome(_))));
    }
    let hello = Frame::encode(&common::hello("slow", None)).into_bytes();
    let mut said = hello.iter();
    for _ in 0..HANDSHAKE_TIME.as_secs() {
        write(&mut slow_writer, &[*said.next().unwrap()]).await;
        // The server has had its turn: it has answered somebody else.
        witness.drain().await;
        advance(Duration::from_secs(1)).await;
    }
    for reader in [&mut silent, &mut slow] {
        let (failures, reason) = last_words(reader).await;
        assert_eq!((failures[0].code, reason), (ErrorCode::HandshakeTimeout, Reason::HandshakeTimeout));
    }
    witness.quit().await;
}

#[tokio::test]
async fn who_stops_reading_for_good_is_let_go_and_can_come_back() {
    const MESSAGES: usize = 500;
    let server = TestServer::start().await;
    let mut witness = server.client("witness").await;
    witness.join("#a", 0, None).await;
    let mut stopped = TestClient::connect_narrow(server.port, "stopped").await;
    stopped.join("#a", 0, None).await;
    let text = "x".repeat(TEXT_BYTES);
    for _ in 0..MESSAGES {
        witness.say(Command::Send(message("#a", &text))).await;
    }
    witness.entries(MESSAGES).await;
    // Each jump is shorter than what ends the witness, who speaks in between; and so does the one who does not
    // read, or it would be ended for its silence.
    let ping = frame(br#"{"type":"ping"}"#);
    let mut jumps = 0;
    loop {
        let gone = witness.drain().await.into_iter().any(
            |event| matches!(event, Event::Presence(news) if news.left.iter().any(|nick| nick.as_str() == "stopped")),
        );
        if gone {
            break;
        }
        jumps += 1;
        assert!(jumps < 50, "it is never let go");
        write(&mut stopped.writer, &ping).await;
        advance(STALL_TIME / 4).await;
    }
    // It has no last word, for it took none; but what it has is whole, and the rest is there for it.
    let mut seen = Vec::new();
    while let Some(event) = stopped.event().await {
        match event {
            Event::Entry(entry) => seen.push(entry.seq),
            Event::Bye(bye) => panic!("{bye:?}"),
            _ => {}
        }
    }
    assert!(seen.len() < MESSAGES, "it was not behind");
    let mut back = server.client("stopped").await;
    back.join("#a", seen.len() as u64, None).await;
    seen.extend(seqs(&back.entries(MESSAGES - seen.len()).await));
    assert_eq!(seen, (1..=MESSAGES as u64).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn endings_are_counted_and_logged() {
    let folder = TempDir::new().unwrap();
    let mut command = Program::command(folder.path());
    command.args(["--listen", "127.0.0.1:0"]).env("RUST_LOG", "info");
    let mut program = Program::start(command, 1);
    for name in ["a", "b", "c"] {
        TestClient::connect(program.port, name).await.quit().await;
    }
    let mut inside = TestClient::connect(program.port, "inside").await;
    assert!(TestClient::try_connect(program.port, "inside", None).await.is_err());
    program.terminate();
    assert_eq!(inside.bye().await, Reason::Shutdown);
    drop(inside);
    assert!(program.exit_within(Duration::from_secs(5)).is_some_and(|exit| exit.success()));
    let log = std::fs::read_to_string(folder.path().join(common::COMPLAINTS)).unwrap();
    for count in ["connections=5", "Quit 3", "Shutdown 1", "Refused 1"] {
        assert!(log.contains(count), "{count} is not in {log}");
    }
}
