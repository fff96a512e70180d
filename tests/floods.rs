//! Promise 4, tried by those who mean harm: whoever floods the parlor, or keeps it waiting, is held up or let go, and
//! others notice nothing.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::{Duration, Instant};

use common::tls::dial_tls;
use common::{TestClient, TestServer, event, frame, soon, unlimited};
use parlor::protocol::event::{ErrorCode, Event, Reason};
use parlor::protocol::frame::{Frame, FrameReader};
use parlor::protocol::limits::{EVENT_BYTES, HANDSHAKE_TIME, PRESENCE_EVERY, ROOMS_PER_SESSION};
use parlor::server::config::Limits;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Commands of a flood.
const MANY: u32 = 60;
/// What the parlor lets everybody do: few, so that a flood need not be long.
const BURST: u32 = 10;
const PER_SECOND: u32 = 20;

/// A parlor that is about commands: messages may come as they like.
async fn parlor() -> TestServer {
    let limits = Limits { command_burst: BURST, commands_per_second: f64::from(PER_SECOND), ..unlimited() };
    TestServer::with(limits).await
}

async fn in_room(server: &TestServer, name: &str) -> TestClient {
    let mut client = server.client(name).await;
    client.join("#talk", 0, None).await;
    client
}

/// Floods with `command`, and checks that it is carried out no faster than the rate allows, while two others talk as if
/// nothing were.
async fn is_held_up(command: impl Fn(u32) -> Value) {
    let server = parlor().await;
    let (mut alice, mut bob) = (in_room(&server, "alice").await, in_room(&server, "bob").await);
    let mut mallory = in_room(&server, "mallory").await;
    let flood: Vec<u8> = (0..MANY)
        .flat_map(|n| {
            let mut command = command(n);
            command["id"] = n.to_string().into();
            frame(command.to_string().as_bytes())
        })
        .collect();
    let start = Instant::now();
    mallory.write(&flood).await;

    let flooding = tokio::spawn(async move {
        let (mut answered, mut told) = (0, 0);
        while answered < MANY {
            let re = match mallory.event().await.expect("the connection ended") {
                Event::Ok(ok) => ok.re,
                Event::Error(failure) => failure.re,
                Event::Page(page) => page.re,
                Event::Delayed(_) => {
                    told += 1;
                    continue;
                }
                _ => continue,
            };
            // In their order, and each once.
            if re.is_some_and(|re| re.as_str() == answered.to_string()) {
                answered += 1;
            }
        }
        (told, start.elapsed())
    });
    // Those who talk wait for a commit and a wake-up, and not for mallory.
    let mut spoken = 0;
    while !flooding.is_finished() {
        spoken += 1;
        assert_eq!(alice.send("#talk", "calm").await, spoken);
        assert_eq!(bob.entry().await.seq, spoken);
    }
    let (told, took) = soon(flooding).await.unwrap();
    assert_eq!(told, 1, "mallory is told once");
    // One was spent on the room.
    let fair = Duration::from_secs(1) * (MANY - BURST) / PER_SECOND;
    assert!(took >= fair, "{took:?}, and {fair:?} would be fair");
    assert!(spoken > u64::from(MANY), "{spoken} messages in {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_joins_is_held_up() {
    is_held_up(|_| json!({"type": "join", "room": "#talk", "after": 0})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_nicks_is_held_up() {
    is_held_up(|n| json!({"type": "nick", "nick": format!("mallory{n}")})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_new_rooms_is_held_up() {
    is_held_up(|n| json!({"type": "join", "room": format!("#new{n}")})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_questions_about_the_past_is_held_up() {
    is_held_up(|_| json!({"type": "history", "room": "#talk", "after": 0})).await;
}

/// Without the rate: what comes of new rooms is bounded all the same.
#[tokio::test(flavor = "multi_thread")]
async fn rooms_that_nobody_speaks_in_leave_nothing_behind() {
    let server = TestServer::start().await;
    let mut mallory = server.client("mallory").await;
    let mut refused = 0;
    for n in 0..3 * ROOMS_PER_SESSION {
        match mallory.try_join(&format!("#new{n}"), 0, None).await {
            Ok(_) => {}
            Err(failure) => {
                assert_eq!(failure.code, ErrorCode::TooManyJoined, "{failure}");
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 2 * ROOMS_PER_SESSION);
    for n in 0..ROOMS_PER_SESSION {
        mallory.leave(&format!("#new{n}")).await;
    }
    let late = server.client("late").await;
    assert!(late.ready.rooms.iter().all(|room| !room.room.as_str().starts_with("#new")), "{:?}", late.ready);
}

/// Without the rate: others are told who changed their nick no more often than a tenth of a second allows.
#[tokio::test(flavor = "multi_thread")]
async fn many_nicks_are_told_in_few_frames() {
    const NICKS: usize = 400;
    let server = TestServer::start().await;
    let (mut witness, mut mallory) = (in_room(&server, "witness").await, in_room(&server, "mallory").await);
    let start = Instant::now();
    let flood: Vec<u8> = (0..NICKS)
        .flat_map(|n| frame(json!({"type": "nick", "nick": format!("m{n}")}).to_string().as_bytes()))
        .collect();
    mallory.write(&flood).await;
    let last = format!("m{}", NICKS - 1);
    let mut frames = 0;
    loop {
        let Event::Presence(news) = witness.event().await.expect("the connection ended") else { continue };
        frames += 1;
        if news.joined.iter().any(|person| person.nick.as_str() == last) {
            break;
        }
    }
    // Besides the two lists with which one comes in.
    let fair = 3 + start.elapsed().as_millis() / PRESENCE_EVERY.as_millis();
    assert!(frames <= fair, "{frames} frames in {:?}", start.elapsed());
}

/// The clock jumps. Only for tests on one thread.
async fn advance(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// A byte, if it is still taken.
async fn drip(writer: &mut (impl AsyncWrite + Unpin), byte: u8) {
    drop(soon(writer.write_all(&[byte])).await);
    drop(soon(writer.flush()).await);
}

#[tokio::test]
async fn a_handshake_of_tls_that_drips_has_its_time_and_no_more() {
    let server = TestServer::closed().await;
    let mut slow = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    slow.set_nodelay(true).unwrap();
    // The head of a record that announces 512 bytes of a hello; they come one a second, and would for minutes.
    slow.write_all(&[22, 3, 1, 2, 0, 1, 0, 1, 252]).await.unwrap();
    for _ in 0..HANDSHAKE_TIME.as_secs() {
        drip(&mut slow, 3).await;
        // The server has had its turn: it has let somebody else in.
        server.client_inside("witness").await.quit().await;
        advance(Duration::from_secs(1)).await;
    }
    let mut rest = Vec::new();
    // Closed, or reset because of what it did not read.
    drop(soon(slow.read_to_end(&mut rest)).await);
    assert!(rest.len() < 64, "an alert at most, and no welcome: {rest:?}");
}

#[tokio::test]
async fn a_hello_that_drips_through_tls_has_its_time_and_no_more() {
    let server = TestServer::closed().await;
    let (read, mut write) = tokio::io::split(dial_tls(server.port).await);
    let mut reader: FrameReader<common::Read> = FrameReader::new(Box::new(read), EVENT_BYTES);
    assert!(matches!(event(&mut reader).await, Some(Event::Welcome(_))));
    let hello = Frame::encode(&common::hello("slow", None)).into_bytes();
    for byte in hello.iter().take(usize::try_from(HANDSHAKE_TIME.as_secs()).unwrap()) {
        drip(&mut write, *byte).await;
        server.client_inside("witness").await.quit().await;
        advance(Duration::from_secs(1)).await;
    }
    let Some(Event::Error(failure)) = event(&mut reader).await else { panic!("no error") };
    assert_eq!(failure.code, ErrorCode::HandshakeTimeout);
    let Some(Event::Bye(bye)) = event(&mut reader).await else { panic!("no bye") };
    assert_eq!(bye.reason, Reason::HandshakeTimeout);
    assert!(event(&mut reader).await.is_none());
}
