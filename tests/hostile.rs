//! Promise 8, and frames from people who mean harm or know no better: nothing from the network reaches a terminal
//! unsanitised, and whatever one sends, it harms no other.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{COMPLAINTS, Program, TestClient, TestServer, event, frame, message, soon};
use parlor::protocol::command::Command;
use parlor::protocol::event::{ErrorCode, Event, Reason};
use parlor::protocol::frame::{Frame, FrameReader};
use parlor::protocol::limits::COMMAND_BYTES;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Two who talk all the while and notice nothing. Ends when told to, and says how often they spoke.
fn conversation(alice: TestClient, bob: TestClient) -> (JoinHandle<u64>, tokio::sync::oneshot::Sender<()>) {
    let (stop, mut stopped) = tokio::sync::oneshot::channel();
    let talking = tokio::spawn(async move {
        let (mut alice, mut bob) = (alice, bob);
        let mut spoken = 0;
        // Once more after the word to stop: that is after all the harm.
        loop {
            let last = stopped.try_recv().is_ok();
            spoken += 1;
            assert_eq!(alice.send("#talk", "calm").await, spoken);
            assert_eq!(bob.entry().await.seq, spoken);
            if last {
                return spoken;
            }
        }
    });
    (talking, stop)
}

async fn conversation_at(server: &TestServer) -> (JoinHandle<u64>, tokio::sync::oneshot::Sender<()>) {
    let (mut alice, mut bob) = (server.client("talker-a").await, server.client("talker-b").await);
    alice.join("#talk", 0, None).await;
    bob.join("#talk", 0, None).await;
    conversation(alice, bob)
}

/// The next frame as it is on the wire: our own types would sanitise what they read.
async fn raw(reader: &mut FrameReader<common::Read>) -> String {
    let json = soon(reader.next()).await.unwrap().expect("the connection ended");
    String::from_utf8(json.to_vec()).unwrap()
}

/// A whole conversation, and how many answers to what it holds are due.
fn script(name: &str) -> (Vec<Vec<u8>>, usize) {
    let frames = vec![
        Frame::encode(&common::hello(name, None)).into_bytes().to_vec(),
        frame(br##"{"type":"join","id":"j","room":"#a"}"##),
        Frame::encode(&Command::Send(message("#a", "漢字 👩‍👩‍👧"))).into_bytes().to_vec(),
        frame(br#"{"type":"fly","id":"f"}"#),
        frame(br#"{"type":"ping","id":"p"}"#),
    ];
    let answers = frames.len();
    (frames, answers)
}

/// Whether an event answers a command of the script.
fn is_answer(event: &Event) -> bool {
    match event {
        Event::Ready(_) | Event::Ok(_) | Event::Pong(_) => true,
        Event::Error(failure) => {
            assert_eq!(failure.code, ErrorCode::UnknownType);
            true
        }
        Event::Bye(bye) => panic!("{bye:?}"),
        _ => false,
    }
}

async fn answers(reader: &mut FrameReader<common::Read>, mut count: usize) {
    while count > 0 {
        let event = event(reader).await.expect("the connection ended");
        count -= usize::from(is_answer(&event));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_said_byte_by_byte_is_understood() {
    let server = TestServer::start().await;
    let (talking, stop) = conversation_at(&server).await;
    let (mut reader, mut writer) = TestClient::dial(server.port).await;
    let (frames, due) = script("slow");
    for byte in frames.concat() {
        writer.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    answers(&mut reader, due).await;
    stop.send(()).unwrap();
    assert!(soon(talking).await.unwrap() > 0);
}

/// In two parts, cut at every byte; the second is sent when all that the first holds has been answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_cut_at_any_byte_is_understood() {
    let server = TestServer::start().await;
    let (talking, stop) = conversation_at(&server).await;
    for cut in 0.. {
        let (frames, due) = script(&format!("cut{cut:04}"));
        let line = frames.concat();
        if cut > line.len() {
            break;
        }
        let mut end = 0;
        let ends = frames.iter().map(|frame| {
            end += frame.len();
            end
        });
        let whole = ends.filter(|end| *end <= cut).count();
        let (mut reader, mut writer) = TestClient::dial(server.port).await;
        writer.write_all(&line[..cut]).await.unwrap();
        answers(&mut reader, whole).await;
        writer.write_all(&line[cut..]).await.unwrap();
        answers(&mut reader, due - whole).await;
    }
    stop.send(()).unwrap();
    soon(talking).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_answered_by_its_error_and_the_session_goes_on() {
    let server = TestServer::start().await;
    let (talking, stop) = conversation_at(&server).await;
    let mut mallory = server.client("mallory").await;
    mallory.join("#a", 0, None).await;
    // Also the news that they are there, which comes a moment later: from then on nothing comes unasked.
    let arrived = |event| matches!(event, Event::Presence(news) if !news.joined.is_empty()).then_some(());
    mallory.until(arrived).await;
    let deep = |open: &str, close: &str, depth: usize| [open.repeat(depth), close.repeat(depth)].concat();
    let id = Uuid::now_v7();
    let send = |fields: &str| format!(r##"{{"type":"send","room":"#a","id":"{id}","text":"x",{fields}}}"##);
    use ErrorCode::{BadJson, BadName, BadRequest, UnknownType};
    let cases: Vec<(Vec<u8>, ErrorCode)> = vec![
        // Not JSON.
        (b"".to_vec(), BadJson),
        (b" ".to_vec(), BadJson),
        (b"{".to_vec(), BadJson),
        (b"\0\0\0\0".to_vec(), BadJson),
        (b"nonsense".to_vec(), BadJson),
        (br#"{"type":"ping"} x"#.to_vec(), BadJson),
        (br#"{"type":"ping"}{"type":"ping"}"#.to_vec(), BadJson),
        (b"{\"type\":\"send\",\"text\":\"\n\"}".to_vec(), BadJson),
        (br#"{"type":"nick","nick":"\ud800"}"#.to_vec(), BadJson),
        (br#"{"type":"nick","nick":"\x41"}"#.to_vec(), BadJson),
        (format!(r#"{{"type":"ping","id":{}"#, deep("[", "", 50_000)).into_bytes(), BadRequest),
        // Not UTF-8: bare bytes, cut, overlong, a surrogate.
        (b"{\"type\":\"nick\",\"nick\":\"\xff\"}".to_vec(), BadJson),
        (b"{\"type\":\"nick\",\"nick\":\"\xe2\x82\"}".to_vec(), BadJson),
        (b"{\"type\":\"nick\",\"nick\":\"\xc0\xaf\"}".to_vec(), BadJson),
        (b"{\"type\":\"nick\",\"nick\":\"\xed\xa0\x80\"}".to_vec(), BadJson),
        (b"\xff\xfe{\0}\0".to_vec(), BadJson),
        // JSON, and no command.
        (b"null".to_vec(), BadRequest),
        (b"5".to_vec(), BadRequest),
        (b"\"ping\"".to_vec(), BadRequest),
        (b"{}".to_vec(), BadRequest),
        (br#"{"type":5}"#.to_vec(), BadRequest),
        (br#"{"type":null}"#.to_vec(), BadRequest),
        (br#"{"type":["ping"]}"#.to_vec(), BadRequest),
        (br#"{"type":"ping","type":"bye"}"#.to_vec(), BadRequest),
        (br#"{"type":"fly"}"#.to_vec(), UnknownType),
        (br#"{"type":"PING"}"#.to_vec(), UnknownType),
        (br#"{"type":""}"#.to_vec(), UnknownType),
        (br#"{"type":"ready"}"#.to_vec(), UnknownType),
        // Fields of the wrong kind, or out of range.
        (br#"{"type":"ping","id":5}"#.to_vec(), BadRequest),
        (br#"{"type":"join","room":5}"#.to_vec(), BadRequest),
        (br##"{"type":"join","room":["#a"]}"##.to_vec(), BadRequest),
        (br##"{"type":"join","room":"#a","after":-1}"##.to_vec(), BadRequest),
        (br##"{"type":"join","room":"#a","after":1.5}"##.to_vec(), BadRequest),
        (br##"{"type":"join","room":"#a","after":18446744073709551616}"##.to_vec(), BadRequest),
        (br##"{"type":"join","room":"#a","after":"1"}"##.to_vec(), BadRequest),
        (br##"{"type":"history","room":"#a"}"##.to_vec(), BadRequest),
        (br##"{"type":"history","room":"#a","before":1,"after":1}"##.to_vec(), BadRequest),
        (send(r#""action":"yes""#).into_bytes(), BadRequest),
        (send(r#""reply_to":-1"#).into_bytes(), BadRequest),
        (send(r#""text":"twice""#).into_bytes(), BadRequest),
        (deep("[", "]", 50_000).into_bytes(), BadRequest),
        (deep(r#"{"a":"#, "}", 10_000).into_bytes(), BadJson),
        // Names that are none.
        (br#"{"type":"join","room":"lobby"}"#.to_vec(), BadName),
        (br##"{"type":"join","room":"#"}"##.to_vec(), BadName),
        (br##"{"type":"join","room":"#../../etc"}"##.to_vec(), BadName),
        (br##"{"type":"join","room":"#a b"}"##.to_vec(), BadName),
        (br##"{"type":"join","room":"#\u202ea"}"##.to_vec(), BadName),
        (br#"{"type":"nick","nick":"\u001b[31m"}"#.to_vec(), BadName),
        (br#"{"type":"nick","nick":"a\u200bb"}"#.to_vec(), BadName),
        (br#"{"type":"nick","nick":"@op"}"#.to_vec(), BadName),
        (br#"{"type":"nick","nick":"a\u0000"}"#.to_vec(), BadName),
    ];
    for (content, code) in cases {
        assert!(content.len() <= COMMAND_BYTES);
        let shown = String::from_utf8_lossy(&content[..content.len().min(80)]).into_owned();
        mallory.write(&frame(&content)).await;
        let failure = mallory.failure().await;
        assert_eq!(failure.code, code, "{shown}: {failure}");
        assert!(mallory.drain().await.is_empty(), "one answer for {shown}");
    }
    // What is unknown and can be ignored is, however deep.
    let ignored = format!(r#"{{"type":"ping","id":"deep","x":{}}}"#, deep("[", "]", 40_000));
    mallory.write(&frame(ignored.as_bytes())).await;
    mallory.until(|event| matches!(event, Event::Pong(_)).then_some(())).await;
    // Not one of them was stored.
    assert_eq!(mallory.send("#a", "first").await, 1);
    stop.send(()).unwrap();
    soon(talking).await.unwrap();
}

/// Noise, from before and from behind the handshake.
#[tokio::test(flavor = "multi_thread")]
async fn noise_harms_nobody() {
    let server = TestServer::start().await;
    let (talking, stop) = conversation_at(&server).await;
    let mut chance = fastrand::Rng::with_seed(11);
    for round in 0..150 {
        let mut noise: Vec<u8> = (0..chance.usize(1..2_000)).map(|_| chance.u8(..)).collect();
        if round % 3 == 0 {
            // Frames of noise, rather than a noise of frames.
            noise = noise.chunks(97).flat_map(frame).collect();
        }
        let (mut reader, mut writer) = if round % 2 == 0 {
            TestClient::dial(server.port).await
        } else {
            let client = server.client("noise").await;
            (client.reader, client.writer)
        };
        // The server may hang up in the middle of it.
        drop(soon(writer.write_all(&noise)).await);
        drop(soon(writer.shutdown()).await);
        let reason = loop {
            match event(&mut reader).await.expect("the connection ended without a reason") {
                Event::Bye(bye) => break bye.reason,
                Event::Welcome(_) | Event::Error(_) | Event::Ok(_) | Event::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        };
        assert!(matches!(reason, Reason::Gone | Reason::FrameTooLarge | Reason::ProtocolError), "{reason:?}");
        // Its name is free for the next one when its own end of the line is closed.
        drop((reader, writer));
    }
    stop.send(()).unwrap();
    soon(talking).await.unwrap();
}

/// Controls, bidi overrides and what is invisible, but for the line breaks and tabs of a text.
fn is_harmful(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}' | '\u{feff}' | '\u{2028}')
}

fn assert_harmless(json: &str) {
    fn walk(value: &Value) {
        match value {
            Value::String(text) => assert!(!text.chars().any(is_harmful), "{text:?}"),
            Value::Array(values) => values.iter().for_each(walk),
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                assert!(!name.chars().any(is_harmful));
                walk(value);
            }),
            _ => {}
        }
    }
    walk(&serde_json::from_str(json).unwrap());
}

const HARM: &str =
    "\u{1b}[31mred\u{1b}]52;c;AAAA\u{7}\u{9b}2J\u{202e}drow\u{2066}\u{200b}\r\u{feff}\u{8}\u{7f}end";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_harmful_gets_to_another_terminal() {
    let server = TestServer::start().await;
    let mut victim = server.client("victim").await;
    victim.join("#a", 0, None).await;

    let (mut reader, mut writer) = TestClient::dial(server.port).await;
    let uuid = || Uuid::now_v7().to_string();
    for command in [
        json!({"type": "hello", "protocol": 1, "nick": "mallory", "agent": HARM}),
        json!({"type": "join", "room": "#a"}),
        json!({"type": "send", "id": uuid(), "room": "#a", "text": HARM}),
        json!({"type": "topic", "id": uuid(), "room": "#a", "text": HARM}),
        // Each of these comes back in an error, to mallory alone, who may be a bot that quotes others.
        json!({"type": HARM}),
        json!({"type": "ping", "id": 5, "x": HARM}),
        json!({"type": "nick", "nick": HARM}),
        json!({"type": "join", "room": format!("#{HARM}")}),
        json!({"type": "ping", "id": "end"}),
    ] {
        soon(writer.write_all(&frame(command.to_string().as_bytes()))).await.unwrap();
    }
    loop {
        let json = raw(&mut reader).await;
        assert_harmless(&json);
        if json.contains("pong") {
            break;
        }
    }
    let mut entries = 0;
    while entries < 2 {
        let json = raw(&mut victim.reader).await;
        assert_harmless(&json);
        if json.contains(r#""from":"mallory""#) {
            assert!(json.contains("red") && json.contains("end") && json.contains('\u{fffd}'), "{json}");
            entries += 1;
        }
    }
    // From the log it is the same; and so is the topic in the lists.
    let mut late = server.client("late").await;
    late.write(&frame(br##"{"type":"join","room":"#a"}"##)).await;
    late.write(&frame(br#"{"type":"rooms"}"#)).await;
    late.write(&frame(br##"{"type":"history","room":"#a","after":0}"##)).await;
    loop {
        let json = raw(&mut late.reader).await;
        assert_harmless(&json);
        if json.contains(r#""type":"page""#) {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_log_has_no_word_of_what_was_said_and_cannot_be_forged() {
    let folder = TempDir::new().unwrap();
    let mut command = Program::command(folder.path());
    command.args(["--unlimited", "--listen", "127.0.0.1:0"]).env("RUST_LOG", "debug,parlor=trace");
    let mut program = Program::start(command, 1);
    let (mut reader, mut writer) = TestClient::dial(program.port).await;
    let forged = "agent\r\n2026-01-01T00:00:00Z  INFO forged\u{1b}[2J\u{202e}";
    let uuid = || Uuid::now_v7().to_string();
    for command in [
        json!({"type": "hello", "protocol": 1, "nick": "mallory", "agent": forged}),
        json!({"type": "join", "room": "#a"}),
        json!({"type": "send", "id": uuid(), "room": "#a", "text": "xyzzy said"}),
        json!({"type": "topic", "id": uuid(), "room": "#a", "text": "xyzzy topic"}),
        json!({"type": "send", "id": "xyzzy", "room": "#a", "text": "xyzzy refused"}),
        json!({"type": "send", "id": uuid(), "room": "#b", "text": "xyzzy not in room"}),
        json!({"type": "xyzzy\nunknown"}),
        json!({"type": "nick", "nick": "xyzzy\n2026-01-01T00:00:00Z  INFO forged"}),
        json!({"type": "join", "room": "#xyzzy\n2026-01-01T00:00:00Z  INFO forged"}),
        json!({"type": "kick", "nick": "mallory", "reason": "xyzzy\n2026-01-01T00:00:00Z  INFO forged"}),
        json!(["xyzzy"]),
        json!({"type": "history", "room": "#a", "after": 0}),
        json!({"type": "bye"}),
    ] {
        soon(writer.write_all(&frame(command.to_string().as_bytes()))).await.unwrap();
    }
    loop {
        if let Event::Bye(bye) = event(&mut reader).await.expect("the connection ended without a reason") {
            assert_eq!(bye.reason, Reason::Quit);
            break;
        }
    }
    drop((reader, writer));
    for refused in [
        b"{\"xyzzy\n\x1b[2J".to_vec(),
        json!({"type": "hello", "protocol": 1, "nick": "xyzzy\n2026-01-01T00:00:00Z  INFO forged"})
            .to_string()
            .into_bytes(),
        json!({"type": "xyzzy\r\n2026-01-01T00:00:00Z  INFO forged"}).to_string().into_bytes(),
    ] {
        let (mut reader, mut writer) = TestClient::dial(program.port).await;
        soon(writer.write_all(&frame(&refused))).await.unwrap();
        while event(&mut reader).await.is_some() {}
    }
    program.terminate();
    assert!(program.exit_within(std::time::Duration::from_secs(5)).is_some_and(|exit| exit.success()));
    let log = std::fs::read_to_string(folder.path().join(COMPLAINTS)).unwrap();
    assert!(log.contains("mallory") && log.contains("agent"), "there is something to look at: {log}");
    assert!(!log.contains("xyzzy"), "{log}");
    for line in log.lines() {
        assert!(!line.chars().any(|c| is_harmful(c) || c == '\t'), "{line:?}");
        assert!(!line.trim_start().starts_with("2026-01-01"), "{line:?} was forged");
    }
}
