//! Promise 6: everything has a limit, each with an error of its own name to the one who exceeds it, and no one
//! else notices.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{Program, TestClient, TestServer, event, message, nick, seqs, soon, texts, unlimited};
use parlor::protocol::command::{Command, RequestId, SetNick};
use parlor::protocol::event::{ErrorCode, Event, Failure, Reason};
use parlor::protocol::limits::{
    COMMAND_BYTES, DELAY_TOLD_AFTER, LINE_BYTES, PAGE_ENTRIES, REPLIES_OWED, REQUEST_ID_BYTES,
    ROOMS_PER_SESSION, TEXT_BYTES,
};
use parlor::server::config::Limits;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpSocket;
use uuid::Uuid;

fn id(raw: &str) -> Option<RequestId> {
    RequestId::new(raw)
}

fn assert_is(failure: &Failure, code: ErrorCode, re: Option<&RequestId>) {
    assert_eq!((failure.code, failure.re.as_ref()), (code, re), "{failure}");
    assert!(failure.message.as_str().len() > 10, "a sentence for people");
}

/// What a client in the room noticed of what others did: nothing but people who come and go.
async fn assert_undisturbed(witness: &mut TestClient) {
    for event in witness.drain().await {
        assert!(matches!(event, Event::Presence(_)), "{event:?}");
    }
}

async fn in_room(server: &TestServer, name: &str) -> TestClient {
    let mut client = server.client(name).await;
    client.join("#a", 0, None).await;
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn each_command_over_a_limit_gets_its_error_and_the_session_goes_on() {
    let server = TestServer::start().await;
    let mut witness = in_room(&server, "witness").await;
    let mut alice = in_room(&server, "alice").await;
    let uuid = || Uuid::now_v7().to_string();
    let too_long = "x".repeat(TEXT_BYTES + 1);
    let cases: Vec<(Value, ErrorCode)> = vec![
        (json!({"type": "send", "room": "#a", "id": uuid(), "text": too_long}), ErrorCode::TextTooLong),
        (
            json!({"type": "topic", "room": "#a", "id": uuid(), "text": "x".repeat(LINE_BYTES + 1)}),
            ErrorCode::TextTooLong,
        ),
        (json!({"type": "send", "room": "#a", "id": uuid(), "text": " \n "}), ErrorCode::TextEmpty),
        (json!({"type": "nick", "id": "wide", "nick": "x".repeat(21)}), ErrorCode::BadName),
        (json!({"type": "nick", "id": "long", "nick": "x".repeat(65)}), ErrorCode::BadName),
        (json!({"type": "nick", "id": "none", "nick": ""}), ErrorCode::BadName),
        (json!({"type": "join", "id": "wide", "room": format!("#{}", "x".repeat(25))}), ErrorCode::BadName),
        (
            json!({"type": "join", "id": "towers", "room": format!("#x{}", "\u{301}".repeat(9))}),
            ErrorCode::BadName,
        ),
        (json!({"type": "send", "room": "#a", "id": "not a uuid", "text": "x"}), ErrorCode::BadRequest),
        (json!({"type": "send", "room": "#nowhere", "id": uuid(), "text": "x"}), ErrorCode::NotInRoom),
        (json!({"type": "leave", "id": "l", "room": "#nowhere"}), ErrorCode::NotInRoom),
        (json!({"type": "who", "id": "w", "room": "#nowhere"}), ErrorCode::NoSuchRoom),
        (json!({"type": "history", "id": "h", "room": "#nowhere", "after": 0}), ErrorCode::NoSuchRoom),
        (json!({"type": "hello", "protocol": 1, "nick": "again"}), ErrorCode::OutOfPlace),
    ];
    for (command, code) in cases {
        alice.say_json(&command).await;
        let re = command["id"].as_str().and_then(id);
        assert_is(&alice.failure().await, code, re.as_ref());
    }
    // An id that is too long cannot be told back.
    alice.say_json(&json!({"type": "ping", "id": "x".repeat(REQUEST_ID_BYTES + 1)})).await;
    assert_is(&alice.failure().await, ErrorCode::BadRequest, None);

    assert_undisturbed(&mut witness).await;
    // Exactly at the limit all is well.
    alice.say_json(&json!({"type": "ping", "id": "x".repeat(REQUEST_ID_BYTES)})).await;
    alice.until(|event| matches!(event, Event::Pong(pong) if pong.re.is_some()).then_some(())).await;
    alice.send("#a", &"x".repeat(TEXT_BYTES)).await;
    assert_eq!(witness.entry().await.text.as_str().len(), TEXT_BYTES);
    // However it is written.
    let written: String = "\\u0078".repeat(TEXT_BYTES);
    let long = format!(r##"{{"type":"send","room":"#a","id":"{}","text":"{written}"}}"##, uuid());
    assert!(long.len() <= COMMAND_BYTES);
    alice.write(&common::frame(long.as_bytes())).await;
    assert_eq!(witness.entry().await.text.as_str().len(), TEXT_BYTES);
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_and_their_members_are_counted() {
    let server = TestServer::with(Limits { rooms: 2, members_per_room: 2, ..unlimited() }).await;
    let mut witness = in_room(&server, "witness").await;
    let mut alice = in_room(&server, "alice").await;
    let mut bob = server.client("bob").await;
    assert_eq!(bob.try_join("#a", 0, None).await.unwrap_err().code, ErrorCode::RoomFull);
    bob.join("#b", 0, None).await;
    assert_eq!(bob.try_join("#c", 0, None).await.unwrap_err().code, ErrorCode::TooManyRooms);
    assert_undisturbed(&mut witness).await;
    alice.leave("#a").await;
    bob.join("#a", 0, None).await;
    // An empty room in which nothing was said is no room.
    bob.leave("#b").await;
    bob.join("#c", 0, None).await;
    bob.send("#c", "said").await;
    bob.leave("#c").await;
    assert_eq!(bob.try_join("#b", 0, None).await.unwrap_err().code, ErrorCode::TooManyRooms);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_is_in_so_many_rooms() {
    let server = TestServer::start().await;
    let mut alice = server.client("alice").await;
    for n in 0..ROOMS_PER_SESSION {
        alice.join(&format!("#room{n}"), 0, None).await;
    }
    assert_eq!(alice.try_join("#more", 0, None).await.unwrap_err().code, ErrorCode::TooManyJoined);
    // Again into one of them is not one more.
    alice.join("#room0", 0, None).await;
    alice.leave("#room0").await;
    alice.join("#more", 0, None).await;
}

/// Comes in as soon as there is a place: the server notices that somebody left in its own time.
async fn connect_in_time(server: &TestServer, name: &str) -> TestClient {
    soon(async {
        loop {
            match TestClient::try_connect(server.port, name, None).await {
                Ok(client) => return client,
                Err(failure) => assert!(
                    matches!(failure.code, ErrorCode::ServerFull | ErrorCode::AddressFull),
                    "{failure}"
                ),
            }
        }
    })
    .await
}

/// Refused at the door: an error, `bye`, and the end.
async fn assert_turned_away(port: u16, code: ErrorCode, reason: Reason) {
    let (mut reader, _writer) = TestClient::dial(port).await;
    match event(&mut reader).await {
        Some(Event::Error(failure)) => assert_is(&failure, code, None),
        other => panic!("{other:?}"),
    }
    match event(&mut reader).await {
        Some(Event::Bye(bye)) => assert_eq!(bye.reason, reason),
        other => panic!("{other:?}"),
    }
    assert!(event(&mut reader).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_connections_are_told_so_and_those_inside_stay() {
    let server = TestServer::with(Limits { connections: 3, ..unlimited() }).await;
    let mut witness = in_room(&server, "witness").await;
    let alice = in_room(&server, "alice").await;
    // One that says nothing counts too.
    let (mut silent, silent_writer) = TestClient::dial(server.port).await;
    assert!(matches!(event(&mut silent).await, Some(Event::Welcome(_))));
    for _ in 0..20 {
        assert_turned_away(server.port, ErrorCode::ServerFull, Reason::ServerFull).await;
    }
    assert_undisturbed(&mut witness).await;
    drop((silent, silent_writer));
    let bob = connect_in_time(&server, "bob").await;
    assert_turned_away(server.port, ErrorCode::ServerFull, Reason::ServerFull).await;
    alice.quit().await;
    connect_in_time(&server, "carol").await;
    bob.quit().await;
}

/// Linux has all of 127.0.0.0/8 on its loopback, and so a second address to come from.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn one_address_cannot_take_all_places() {
    let server = TestServer::with(Limits { connections_per_address: 2, ..unlimited() }).await;
    let alice = in_room(&server, "alice").await;
    let mut witness = in_room(&server, "witness").await;
    for _ in 0..20 {
        assert_turned_away(server.port, ErrorCode::AddressFull, Reason::AddressFull).await;
    }
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 2], 0).into()).unwrap();
    let stream = soon(socket.connect(([127, 0, 0, 1], server.port).into())).await.unwrap();
    let elsewhere = TestClient::greet(TestClient::halves(stream), "elsewhere", None).await.unwrap();
    assert_undisturbed(&mut witness).await;
    alice.quit().await;
    connect_in_time(&server, "bob").await;
    elsewhere.quit().await;
}

/// Over the rate a sender is held up, and told when that goes on; nothing is lost, nothing overtakes.
#[tokio::test(flavor = "multi_thread")]
async fn who_sends_too_fast_is_held_up_and_told_and_loses_nothing() {
    const MESSAGES: usize = 60;
    let limits = Limits { message_burst: 10, messages_per_second: 40.0, ..Limits::default() };
    let server = TestServer::with(limits).await;
    let mut witness = in_room(&server, "witness").await;
    let mut alice = in_room(&server, "alice").await;
    let mut bob = in_room(&server, "bob").await;
    assert_eq!(alice.ready.limits.message_burst, 10);
    for n in 0..MESSAGES {
        alice.say(Command::Send(message("#a", &n.to_string()))).await;
    }
    // Others are not held up by it.
    bob.send("#a", "bob").await;
    let mut delayed = Vec::new();
    let mut stored = Vec::new();
    while stored.len() < MESSAGES {
        match alice.event().await.expect("the connection ended") {
            Event::Delayed(told) => delayed.push(told),
            Event::Ok(ok) => stored.extend(ok.seq),
            Event::Error(failure) => panic!("{failure}"),
            _ => {}
        }
    }
    assert_eq!(delayed.len(), 1, "told once");
    // More than that, and told in whole milliseconds.
    assert!(delayed[0].re.is_some() && u128::from(delayed[0].ms) >= DELAY_TOLD_AFTER.as_millis());
    assert!(stored.is_sorted());
    let seen = witness.entries(MESSAGES + 1).await;
    let said: Vec<&str> = texts(&seen).into_iter().filter(|text| *text != "bob").collect();
    assert_eq!(said, (0..MESSAGES).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_ne!(texts(&seen).last(), Some(&"bob"), "bob did not have to wait for alice");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_commands_have_a_rate_too() {
    let limits = Limits { command_burst: 5, commands_per_second: 40.0, ..Limits::default() };
    let server = TestServer::with(limits).await;
    // What makes no sense has the same one.
    for kind in ["rooms", "nonsense"] {
        let mut alice = server.client(kind).await;
        for n in 0..50 {
            alice.say_json(&json!({"type": kind, "id": n.to_string()})).await;
        }
        let mut answered = Vec::new();
        let mut told = 0;
        while answered.len() < 50 {
            match alice.event().await.expect("the connection ended") {
                Event::Rooms(rooms) => answered.push(rooms.re),
                Event::Error(failure) => answered.push(failure.re),
                Event::Delayed(_) => told += 1,
                _ => {}
            }
        }
        assert_eq!(answered, (0..50).map(|n| id(&n.to_string())).collect::<Vec<_>>(), "in their order");
        assert_eq!(told, 1, "told once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_an_end() {
    let server = TestServer::start().await;
    let mut alice = in_room(&server, "alice").await;
    let more = usize::try_from(PAGE_ENTRIES).unwrap() + 20;
    for n in 0..more {
        alice.say(Command::Send(message("#a", &n.to_string()))).await;
    }
    alice.entries(more).await;
    alice.say_json(&json!({"type": "history", "room": "#a", "after": 0, "limit": u64::MAX})).await;
    let page = alice
        .until(|event| match event {
            Event::Page(page) => Some(page),
            _ => None,
        })
        .await;
    assert_eq!(seqs(&page.entries), (1..=PAGE_ENTRIES).collect::<Vec<_>>());
    assert_eq!(page.last, more as u64);
}

/// Who asks and does not listen to the answers is not asked for more, and what waits for it is bounded in bytes.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_its_answers_costs_little() {
    let folder = TempDir::new().unwrap();
    let program = Program::serve(folder.path(), 0, &["--unlimited"]);
    let mut witness = TestClient::connect(program.port, "witness").await;
    witness.join("#a", 0, None).await;
    // Quotes double in JSON: a page of these is a quarter of a megabyte.
    let text = "\"".repeat(TEXT_BYTES);
    for _ in 0..16 {
        witness.send("#a", &text).await;
    }
    // Fewer than one may be owed answers, and together 20 MB.
    let pages = REPLIES_OWED / 3;
    // What it costs to serve one who reads.
    read_pages(&mut witness, 8).await;
    let before = program.memory("VmHWM");
    let mut greedy = TestClient::connect_narrow(program.port, "greedy").await;
    for n in 0..pages {
        ask_for_page(&mut greedy, n).await;
    }
    // Who asks for as much after it has it all, twice: the server has had the time to do the same for the other.
    for _ in 0..2 {
        read_pages(&mut witness, pages).await;
    }
    let grown = program.memory("VmHWM") - before;
    assert!(grown < 8 * 1024, "{grown} kB wait for one who does not read");
    witness.send("#a", "undisturbed").await;
    for n in 0..pages {
        assert_eq!(answered_page(&mut greedy).await, id(&n.to_string()));
    }
}

#[cfg(target_os = "linux")]
async fn ask_for_page(client: &mut TestClient, n: usize) {
    client.say_json(&json!({"type": "history", "id": n.to_string(), "room": "#a", "after": 0})).await;
}

/// The `re` of the next page.
#[cfg(target_os = "linux")]
async fn answered_page(client: &mut TestClient) -> Option<RequestId> {
    let page = client.until(|event| match event {
        Event::Page(page) => Some(page.re),
        _ => None,
    });
    page.await
}

#[cfg(target_os = "linux")]
async fn read_pages(client: &mut TestClient, count: usize) {
    for n in 0..count {
        ask_for_page(client, n).await;
        assert_eq!(answered_page(client).await, id(&n.to_string()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_too_large_ends_the_session_that_sent_it_and_no_other() {
    let server = TestServer::start().await;
    let mut witness = in_room(&server, "witness").await;
    let length = u32::try_from(COMMAND_BYTES + 1).unwrap();
    for body in [0, 100, COMMAND_BYTES + 1] {
        let mut alice = in_room(&server, "alice").await;
        // What was said before it counts.
        let send = message("#a", "before");
        alice.say(Command::Send(send.clone())).await;
        alice.write(&[&length.to_be_bytes()[..], &vec![b'x'; body]].concat()).await;
        let (mut answers, mut failures) = (Vec::new(), Vec::new());
        let reason = loop {
            match alice.event().await.expect("the connection ended without a reason") {
                Event::Ok(ok) => answers.extend(ok.re),
                Event::Error(failure) => failures.push(failure),
                Event::Bye(bye) => break bye.reason,
                _ => {}
            }
        };
        assert_eq!((answers, reason), (vec![send.id.into()], Reason::FrameTooLarge));
        assert_is(&failures[0], ErrorCode::FrameTooLarge, None);
        assert!(alice.event().await.is_none());
        assert_eq!(witness.entry().await.id, send.id);
    }
    assert_undisturbed(&mut witness).await;
    // Exactly as large as allowed is no fault, and spaces are JSON.
    let mut largest = br#"{"type":"ping","id":"large"}"#.to_vec();
    largest.resize(COMMAND_BYTES, b' ');
    witness.write(&common::frame(&largest)).await;
    witness.until(|event| matches!(event, Event::Pong(pong) if pong.re == id("large")).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nick_that_cannot_be_is_refused_at_the_door() {
    let server = TestServer::start().await;
    for (nick, code) in [("x".repeat(21), ErrorCode::BadName), ("a b".to_owned(), ErrorCode::BadName)] {
        let (mut reader, mut writer) = TestClient::dial(server.port).await;
        assert!(matches!(event(&mut reader).await, Some(Event::Welcome(_))));
        let hello = json!({"type": "hello", "protocol": 1, "nick": nick}).to_string();
        soon(tokio::io::AsyncWriteExt::write_all(&mut writer, &common::frame(hello.as_bytes())))
            .await
            .unwrap();
        match event(&mut reader).await {
            Some(Event::Error(failure)) => assert_eq!(failure.code, code),
            other => panic!("{other:?}"),
        }
        match event(&mut reader).await {
            Some(Event::Bye(bye)) => assert_eq!(bye.reason, Reason::Refused),
            other => panic!("{other:?}"),
        }
    }
    let mut alice = server.client("alice").await;
    alice.say(Command::Nick(SetNick { id: id("n"), nick: nick("x".repeat(20).as_str()) })).await;
    assert!(alice.answer(&id("n").unwrap()).await.is_ok());
}

/// No files left: those who are in stay in, and when some leave, those who wait get in.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_out_of_files_goes_on() {
    let folder = TempDir::new().unwrap();
    let mut command = Program::under("ulimit -n 40", folder.path());
    command.args(["--unlimited", "--listen", "127.0.0.1:0"]);
    let mut program = Program::start(command, 1);
    let mut alice = TestClient::connect(program.port, "alice").await;
    let mut bob = TestClient::connect(program.port, "bob").await;
    alice.join("#a", 0, None).await;
    bob.join("#a", 0, None).await;
    // The system connects them all; the server has files for some.
    let mut crowd = Vec::new();
    for _ in 0..60 {
        crowd.push(TestClient::dial(program.port).await);
    }
    soon(async {
        let complaint = "cannot accept connections for now";
        while !std::fs::read_to_string(folder.path().join(common::COMPLAINTS)).unwrap().contains(complaint) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    for n in 1..=20 {
        assert_eq!(alice.send("#a", "still here").await, n);
        assert_eq!(bob.entry().await.seq, n);
    }
    // The log can be read too.
    bob.say_json(&json!({"type": "history", "room": "#a", "after": 0})).await;
    let page = bob.until(|event| match event {
        Event::Page(page) => Some(page),
        Event::Error(failure) => panic!("{failure}"),
        _ => None,
    });
    assert_eq!(page.await.entries.len(), 20);
    // The first ones leave; the last one, who waits all the while, gets in.
    let last = crowd.pop().unwrap();
    crowd.truncate(10);
    drop(crowd);
    let mut last = TestClient::greet(last, "last", None).await.unwrap();
    last.join("#a", 0, None).await;
    assert_eq!(last.entries(20).await.len(), 20);
    program.terminate();
    drop((alice, bob, last));
    assert!(program.exit_within(Duration::from_secs(5)).is_some_and(|exit| exit.success()));
}
