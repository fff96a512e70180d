//! `say`, `tail` and `pipe`: the real program, over real sockets, as a script uses it.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command as Process, Output, Stdio};

use common::{Program, TestClient, soon};
use parlor::protocol::command::Command;
use parlor::protocol::event::{Entry, Event};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;

/// `parlor` with `args`, as a client of the server at `port`.
fn parlor(port: u16, args: &[&str]) -> Process {
    let mut process = Process::new(env!("CARGO_BIN_EXE_parlor"));
    process
        .args(args)
        .env("PARLOR_SERVER", common::plain_invite(port))
        .env("PARLOR_NICK", "script")
        .envs(common::HOMES.map(|name| (name, env!("CARGO_TARGET_TMPDIR"))))
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    process
}

async fn finish(child: Child) -> Output {
    soon(tokio::task::spawn_blocking(move || child.wait_with_output())).await.unwrap().unwrap()
}

async fn run(port: u16, args: &[&str]) -> Output {
    finish(parlor(port, args).spawn().unwrap()).await
}

/// Runs with standard input.
async fn feed(port: u16, args: &[&str], input: &[u8]) -> Output {
    let mut child = parlor(port, args).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // It may end before it has read everything: that is for the test to judge.
    std::thread::spawn(move || drop(stdin.write_all(&input)));
    finish(child).await
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn assert_done(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", err(output));
}

/// A program that runs on, with its lines as they come.
struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    out: mpsc::UnboundedReceiver<String>,
    err: mpsc::UnboundedReceiver<String>,
}

impl Running {
    fn start(port: u16, args: &[&str]) -> Self {
        let mut child = parlor(port, args).stdin(Stdio::piped()).spawn().unwrap();
        let out = lines(child.stdout.take().unwrap());
        let err = lines(child.stderr.take().unwrap());
        let stdin = child.stdin.take();
        Self { child, stdin, out, err }
    }

    fn write(&mut self, text: &str) {
        self.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn command(&mut self, command: &Value) {
        self.write(&format!("{command}\n"));
    }

    async fn json(&mut self) -> Value {
        let line = soon(self.out.recv()).await.expect("it printed no more");
        serde_json::from_str(&line).unwrap()
    }

    /// The next object that has these fields.
    async fn until(&mut self, wanted: &Value) -> Value {
        loop {
            let found = self.json().await;
            if wanted.as_object().unwrap().iter().all(|(name, value)| found[name] == *value) {
                return found;
            }
        }
    }

    async fn complains(&mut self, of: &str) {
        while !soon(self.err.recv()).await.expect("it never said so").contains(of) {}
    }

    /// Waits for the end; the exit code, and what is left of both outputs.
    async fn end(mut self) -> (Option<i32>, Vec<String>, Vec<String>) {
        drop(self.stdin.take());
        let status = soon(tokio::task::spawn_blocking(move || self.child.wait())).await.unwrap().unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        while let Some(line) = soon(self.out.recv()).await {
            out.push(line);
        }
        while let Some(line) = soon(self.err.recv()).await {
            err.push(line);
        }
        (status.code(), out, err)
    }
}

fn lines(from: impl std::io::Read + Send + 'static) -> mpsc::UnboundedReceiver<String> {
    let (lines, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            if lines.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    receiver
}

fn terminate(child: &Child) {
    let status = Process::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// All entries of a room that has `count` of them.
async fn log(port: u16, room: &str, count: usize) -> Vec<Entry> {
    let mut client = TestClient::connect(port, "reader").await;
    client.join(room, 0, None).await;
    let mut entries = Vec::new();
    while entries.len() < count {
        entries.push(client.entry().await);
    }
    client.quit().await;
    entries
}

fn texts(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.text.as_str()).collect()
}

fn server(folder: &Path) -> Program {
    Program::serve(folder, 0, &["--unlimited"])
}

// --- say --------------------------------------------------------------------------------------

#[tokio::test]
async fn one_message_is_stored_when_say_has_ended() {
    let folder = TempDir::new().unwrap();
    let server = server(folder.path());
    let said = run(server.port, &["say", "#ops", "deploy is done ✅"]).await;
    assert_done(&said);
    assert!(said.stdout.is_empty() && said.stderr.is_empty());
    let entries = log(server.port, "#ops", 1).await;
    assert_eq!((texts(&entries), entries[0].from.as_str()), (vec!["deploy is done ✅"], "script"));
}

#[tokio::test]
async fn each_line_is_a_message_in_any_language() {
    let folder = TempDir::new().unwrap();
    let server = server(folder.path());
    let mut input = Vec::new();
    let mut expected = Vec::new();
    for n in 0..1000 {
        let line = match n % 4 {
            0 => format!("line {n}"),
            1 => format!("第{n}行：你好，世界"),
            2 => format!("  indented 👩‍👩‍👧‍👦 {n}"),
            _ => format!("tab\t{n}"),
        };
        input.extend_from_slice(line.as_bytes());
        input.extend_from_slice(if n % 2 == 0 { b"\n" } else { b"\r\n\n  \n" });
        expected.push(line);
    }
    input.extend_from_slice(b"caf\xe9, and no end of line");
    expected.push("caf\u{FFFD}, and no end of line".to_owned());
    let said = feed(server.port, &["say", "ops"], &input).await;
    assert_done(&said);
    assert_eq!(texts(&log(server.port, "#ops", expected.len()).await), expected);
}

#[tokio::test]
async fn a_line_that_is_too_long_becomes_several_messages() {
    let folder = TempDir::new().unwrap();
    let server = server(folder.path());
    let long = "漢字".repeat(10_000);
    assert_done(&feed(server.port, &["say", "#ops"], format!("{long}\nend").as_bytes()).await);
    let entries = log(server.port, "#ops", 5).await;
    assert_eq!(texts(&entries)[..4].concat(), long);
    assert_eq!(entries[4].text.as_str(), "end");
}

#[tokio::test]
async fn no_line_is_lost_or_doubled_when_the_server_is_killed_and_comes_back() {
    const LINES: usize = 4000;
    let folder = TempDir::new().unwrap();
    let mut server = server(folder.path());
    let port = server.port;
    let mut say = Running::start(port, &["say", "#ops"]);
    let mut stdin = say.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        for n in 0..LINES {
            writeln!(stdin, "{n} 你好 👍").unwrap();
        }
    });
    for killed_at in [300, 1500] {
        let mut watcher = TestClient::connect(port, "watcher").await;
        watcher.join("#ops", 0, None).await;
        while watcher.entry().await.seq < killed_at {}
        server.kill();
        server = Program::serve(folder.path(), port, &["--unlimited"]);
    }
    let (code, out, err) = say.end().await;
    writer.join().unwrap();
    assert_eq!((code, out), (Some(0), Vec::new()), "{err:?}");
    assert!(err.iter().any(|line| line.contains("trying again")), "{err:?}");
    assert_eq!(err.last().map(String::as_str), Some("parlor: connected again"));
    assert_eq!(run(port, &["say", "#ops", "end"]).await.status.code(), Some(0));
    let entries = log(port, "#ops", LINES + 1).await;
    let expected: Vec<String> =
        (0..LINES).map(|n| format!("{n} 你好 👍")).chain(["end".to_owned()]).collect();
    assert_eq!(texts(&entries), expected);
}

#[tokio::test]
async fn say_gives_up_in_time_and_names_the_lines() {
    let folder = TempDir::new().unwrap();
    let mut server = server(folder.path());
    let mut say = Running::start(server.port, &["say", "#ops", "--timeout", "1s"]);
    say.write("stored\n");
    log(server.port, "#ops", 1).await;
    // Not killed: it may still owe the answer.
    terminate(&server.child);
    server.child.wait().unwrap();
    say.complains("nothing listens there").await;
    say.write("lost one\n  lost 二\n");
    let (code, _, err) = say.end().await;
    assert_eq!(code, Some(1));
    let named: Vec<&str> = err.iter().filter_map(|line| line.strip_prefix("  ")).collect();
    assert_eq!(named, ["lost one", "  lost 二"], "{err:?}");
}

#[tokio::test]
async fn say_names_also_the_lines_that_it_had_no_place_for() {
    let input: String = (0..600).map(|n| format!("{n}\n")).collect();
    let said = feed(1, &["say", "#ops", "--timeout", "1"], input.as_bytes()).await;
    assert_eq!(said.status.code(), Some(1));
    let named: Vec<&str> = err(&said).lines().filter_map(|line| line.strip_prefix("  ")).collect();
    assert_eq!(named, (0..600).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn say_that_is_asked_to_end_names_what_is_not_stored() {
    let folder = TempDir::new().unwrap();
    // With the usual limits: twenty at once, and then five a second.
    let server = Program::serve(folder.path(), 0, &[]);
    let mut say = Running::start(server.port, &["say", "#ops"]);
    let all: Vec<String> = (0..60).map(|n| format!("line {n}")).collect();
    say.write(&(all.join("\n") + "\n"));
    say.complains("held up").await;
    terminate(&say.child);
    let (code, _, err) = say.end().await;
    assert_eq!(code, Some(1), "{err:?}");
    let named: Vec<&str> = err.iter().filter_map(|line| line.strip_prefix("  ")).collect();
    assert!(!named.is_empty() && named.len() < all.len());
    assert_eq!(named, all[all.len() - named.len()..], "{err:?}");
    let stored = log(server.port, "#ops", all.len() - named.len()).await;
    assert_eq!(texts(&stored), all[..stored.len()]);
}

#[tokio::test]
async fn say_with_nothing_to_say_is_done() {
    assert_done(&feed(1, &["say", "#ops"], b"\n \n").await);
}

#[tokio::test]
async fn what_the_server_refuses_is_said() {
    let folder = TempDir::new().unwrap();
    let server = server(folder.path());
    assert_done(&run(server.port, &["say", "#lobby", "x"]).await);
    let refused = run(server.port, &["say", "#lоbby", "with a Cyrillic о"]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("looks like #lobby"), "{}", err(&refused));
    assert!(err(&refused).contains("  with a Cyrillic о"), "{}", err(&refused));
}

#[tokio::test]
async fn wrong_usage_is_exit_code_2() {
    let long = "x".repeat(20_000);
    for args in [
        &["say"][..],
        &["say", "#ops", " "],
        &["say", "#ops", &long],
        &["say", "# #", "x"],
        &["say", "#ops", "x", "--reply-to", "0"],
        &["tail"],
        &["tail", "#ops", "--last", "-1"],
        &["tail", "#ops", "--timeout", "soon"],
        &["pipe", "#ops"],
        &["pipe", "--server", "http://example.org"],
    ] {
        let output = run(1, args).await;
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}

// --- tail -------------------------------------------------------------------------------------

#[tokio::test]
async fn tail_prints_the_last_entries_for_people() {
    let folder = TempDir::new().unwrap();
    let server = server(folder.path());
    let mut alice = TestClient::connect(server.port, "alice").await;
    alice.join("#ops", 0, None).await;
    for text in ["one", "two", "three\nand its second line"] {
        alice.send("#ops", text).await;
    }
    let mut act = common::message("#ops", "waves");
    act.action = true;
    alice.say(Command::Send(act)).await;
    while alice.entry().await.seq < 4 {}
    let tail = run(server.port, &["tail", "#ops", "--last", "3"]).await;
    assert_done(&tail);
    let lines: Vec<(&str, &str)> = out(&tail).lines().map(|line| line.split_at(16)).collect();
    assert_eq!(
        lines.iter().map(|(_, text)| *text).collect::<Vec<_>>(),
        [" alice  two", " alice  three", "        and its second line", " * alice waves"]
    );
    let (at, digits) = (lines[0].0, |part: &str| part.chars().all(|c| c.is_ascii_digit()));
    assert!(at.split(['-', ' ', ':']).all(digits) && at.as_bytes()[10] == b' ', "{at}");
    // All of them, the usual ten, none, and a room that there is not, which does not come to be by it.
    for (args, lines) in [(&["tail", "ops", "--last", "99"][..], 5), (&["tail", "ops"], 5)] {
        assert_eq!(out(&run(server.port, args).await).lines().count(), lines);
    }
    let none = run(server.port, &["tail", "ops", "--last", "0"]).await;
    assert_done(&none);
    assert!(none.stdout.is_empty());
    for args in [&["tail", "#nowhere"][..], &["search", "x", "in:#nowhere"]] {
        let refused = run(server.port, args).await;
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(1), 0));
        assert!(err(&refused).contains("there is no room #nowhere"), "{}", err(&refused));
    }
}

#[tokio::test]
async fn an_answer_says_what_it_answers() {
    let folder = TempDir::new().unwrap();
    let server = server(folder.path());
    assert_done(&run(server.port, &["say", "#ops", "did the build pass?"]).await);
    assert_done(&run(server.port, &["say", "#ops", "yes", "--reply-to", "1"]).await);
    let tail = run(server.port, &["tail", "#ops"]).await;
    let lines: Vec<&str> = out(&tail).lines().map(|line| &line[16..]).collect();
    assert_eq!(lines[1..], [" script  ↪ script: did the build pass?", "         yes"]);
}

#[tokio::test]
async fn tail_json_prints_the_objects_of_the_wire() {
    let folder = TempDir::new().unwrap();
    let server = server(folder.path());
    let mut alice = TestClient::connect(server.port, "alice").await;
    alice.join("#ops", 0, None).await;
    for text in ["one", "漢字 \"quoted\"\nnext line"] {
        alice.send("#ops", text).await;
    }
    let tail = run(server.port, &["tail", "#ops", "--json"]).await;
    assert_done(&tail);
    let printed: Vec<Value> = out(&tail).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let wire: Vec<Value> = log(server.port, "#ops", 2)
        .await
        .into_iter()
        .map(|entry| serde_json::to_value(parlor::protocol::event::Event::Entry(entry)).unwrap())
        .collect();
    assert_eq!(printed, wire);
    assert_eq!(printed[1]["text"], "漢字 \"quoted\"\nnext line");
}

#[tokio::test]
async fn tail_that_follows_misses_nothing_over_a_restart() {
    let folder = TempDir::new().unwrap();
    let mut server = server(folder.path());
    let port = server.port;
    assert_done(&feed(port, &["say", "#ops"], b"1\n2\n3\n4\n5\n").await);
    let mut tail = Running::start(port, &["tail", "#ops", "--json", "--follow", "--last", "2"]);
    assert_eq!(tail.json().await["text"], "4");
    assert_eq!(tail.json().await["text"], "5");
    assert_done(&run(port, &["say", "#ops", "6"]).await);
    assert_eq!(tail.json().await["text"], "6");
    server.kill();
    // Elsewhere, so that the follower cannot be back before more was said than it asked for at first.
    let mut elsewhere = Program::serve(folder.path(), 0, &["--unlimited"]);
    let missed: String = (7..=100).map(|n| format!("{n}\n")).collect();
    assert_done(&feed(elsewhere.port, &["say", "#ops"], missed.as_bytes()).await);
    elsewhere.kill();
    let _server = Program::serve(folder.path(), port, &["--unlimited"]);
    assert_done(&run(port, &["say", "#ops", "101"]).await);
    for n in 7..=101 {
        let entry = tail.json().await;
        assert_eq!((entry["seq"].as_u64(), entry["text"].as_str()), (Some(n), Some(n.to_string().as_str())));
    }
    terminate(&tail.child);
    let (code, out, err) = tail.end().await;
    assert_eq!((code, out.len()), (Some(0), 0), "{err:?}");
}

#[tokio::test]
async fn tail_ends_quietly_when_nobody_reads_it() {
    let folder = TempDir::new().unwrap();
    let server = server(folder.path());
    assert_done(&run(server.port, &["say", "#ops", "1"]).await);
    let mut child = parlor(server.port, &["tail", "#ops", "--follow"]).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.ends_with("script  1\n"), "{line}");
    // Nothing more is said: it finds out all the same.
    drop(stdout);
    let tail = finish(child).await;
    assert_done(&tail);
    assert_eq!(err(&tail), "");
}

#[tokio::test]
async fn a_nick_that_is_taken_is_told() {
    let folder = TempDir::new().unwrap();
    let server = server(folder.path());
    let _holder = TestClient::connect(server.port, "script").await;
    let said = run(server.port, &["say", "#ops", "1"]).await;
    assert_done(&said);
    assert_eq!(err(&said), "parlor: script is taken: you are script2\n");
}

#[tokio::test]
async fn tail_gives_up_in_time() {
    let tail = run(1, &["tail", "#ops", "--timeout", "1"]).await;
    assert_eq!(tail.status.code(), Some(1));
    assert!(err(&tail).contains("nothing listens there"));
}

// --- pipe -------------------------------------------------------------------------------------

#[tokio::test]
async fn pipe_goes_both_ways_and_comes_back() {
    let folder = TempDir::new().unwrap();
    let mut server = server(folder.path());
    let port = server.port;
    let mut pipe = Running::start(port, &["pipe", "--nick", "bot"]);
    let welcome = pipe.json().await;
    assert_eq!((&welcome["type"], &welcome["protocol"]), (&json!("welcome"), &json!(1)));
    assert_eq!(pipe.json().await["you"]["nick"], "bot");
    pipe.command(&json!({"type": "join", "id": "j", "room": "#ops", "limit": 0}));
    assert_eq!(pipe.until(&json!({"type": "ok"})).await["re"], "j");
    assert_done(&run(port, &["say", "#ops", "hello"]).await);
    let said = pipe.until(&json!({"type": "message"})).await;
    assert_eq!((&said["text"], &said["from"]), (&json!("hello"), &json!("script")));
    // Without an id: it gets one.
    pipe.command(&json!({"type": "send", "room": "#ops", "text": "hi", "reply_to": said["seq"]}));
    let ok = pipe.until(&json!({"type": "ok", "seq": 2})).await;
    let own = pipe.until(&json!({"type": "message"})).await;
    assert_eq!((&own["id"], &own["reply_to"]), (&ok["re"], &json!(1)));

    server.kill();
    pipe.complains("trying again").await;
    let _server = Program::serve(folder.path(), port, &["--unlimited"]);
    assert_done(&run(port, &["say", "#ops", "while you were away"]).await);
    assert_eq!(pipe.until(&json!({"type": "message"})).await["seq"], 3);
    pipe.command(&json!({"type": "who", "id": "w", "room": "#ops"}));
    pipe.command(&json!({"type": "send", "room": "#ops", "text": "the last"}));
    let (code, out, err) = pipe.end().await;
    assert_eq!(code, Some(0), "{err:?}");
    let out: Vec<Value> = out.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(out.iter().any(|event| event["type"] == "people" && event["re"] == "w"));
    assert!(out.iter().any(|event| event["type"] == "ok" && event["seq"] == 4));
    assert_eq!(out.last(), Some(&json!({"type": "bye", "reason": "quit"})));
}

#[tokio::test]
async fn pipe_says_what_nobody_answers_and_does_not_wait_for_it() {
    let folder = TempDir::new().unwrap();
    let server = server(folder.path());
    let mut other = TestClient::connect(server.port, "other").await;
    other.join("#ops", 0, None).await;
    let mut pipe = Running::start(server.port, &["pipe", "--nick", "bot"]);
    pipe.command(&json!({"type": "join", "room": "#ops", "limit": 0}));
    pipe.until(&json!({"type": "ok", "here": 2})).await;
    for command in ["typing", "read", "away"] {
        pipe.command(&json!({"type": command, "id": command, "room": "#ops", "seq": 1, "text": "lunch"}));
    }
    let is_typing =
        |event| matches!(event, Event::Typing(typing) if typing.nick.as_str() == "bot").then_some(());
    other.until(is_typing).await;
    let (code, out, err) = pipe.end().await;
    assert_eq!(code, Some(0), "{err:?}");
    let events = out.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let answered: Vec<Value> =
        events.filter(|event| event["type"] == "ok").map(|ok| ok["re"].clone()).collect();
    assert_eq!(answered, ["read", "away"]);
}

#[tokio::test]
async fn pipe_answers_what_is_wrong_as_the_server_would() {
    let folder = TempDir::new().unwrap();
    let server = server(folder.path());
    let long = format!("{}\n", "x".repeat(300_000));
    let input = [
        "nonsense\n",
        "\n  \n",
        "[]\n",
        &long,
        &format!("{}\n", json!({"type": "fly", "id": "f"})),
        &format!("{}\n", json!({"type": "send", "id": "s", "room": "#ops", "text": "x"})),
        &format!("{}\n", json!({"type": "send", "room": "#ops", "text": " "})),
        &format!("{}\n", json!({"type": "hello", "id": "h", "protocol": 1, "nick": "x"})),
        &format!("{}\n", json!({"type": "pong", "id": "p"})),
        &format!("{}\n", json!({"type": "who", "id": "w", "room": "#nowhere"})),
        &format!("{}\n", json!({"type": "ping", "id": "alive"})),
        &format!("{}\n", json!({"type": "bye"})),
        &format!("{}\n", json!({"type": "ping", "id": "after bye"})),
    ]
    .concat();
    let pipe = feed(server.port, &["pipe"], input.as_bytes()).await;
    assert_done(&pipe);
    let printed: Vec<Value> = out(&pipe).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let codes: Vec<&str> = printed.iter().filter_map(|event| event["code"].as_str()).collect();
    assert_eq!(
        codes,
        [
            "bad_json",
            "bad_request",
            "frame_too_large",
            "unknown_type",
            "bad_request",
            "text_empty",
            "out_of_place",
            "out_of_place",
            "no_such_room"
        ]
    );
    let with = |field: &str, value: &str| printed.iter().any(|event| event[field] == value);
    assert!(with("re", "f") && with("re", "h") && with("re", "p") && with("re", "w"));
    assert!(printed.iter().any(|event| event["type"] == "pong" && event["re"] == "alive"));
    assert!(!with("re", "after bye"));
    // Nothing of it was a fault of the connection.
    assert_eq!(err(&pipe), "");
}

#[tokio::test]
async fn pipe_waits_for_all_that_it_joined() {
    let folder = TempDir::new().unwrap();
    let server = server(folder.path());
    let input: String = (1..=2000).map(|n| format!("{n}\n")).collect();
    assert_done(&feed(server.port, &["say", "#ops"], input.as_bytes()).await);
    let join = format!("{}\n", json!({"type": "join", "room": "#ops", "after": 500}));
    let pipe = feed(server.port, &["pipe"], join.as_bytes()).await;
    assert_done(&pipe);
    let seqs: Vec<u64> = out(&pipe)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["type"] == "message")
        .filter_map(|event| event["seq"].as_u64())
        .collect();
    assert_eq!(seqs, (501..=2000).collect::<Vec<_>>());
}

#[tokio::test]
async fn pipe_ends_when_it_was_told_who_somebody_is() {
    let folder = TempDir::new().unwrap();
    let server = server(folder.path());
    let asked = format!("{}\n", json!({"type": "whois", "id": "w", "nick": "bot"}));
    let pipe = feed(server.port, &["pipe", "--nick", "bot"], asked.as_bytes()).await;
    assert_done(&pipe);
    let told = out(&pipe).lines().filter(|line| line.contains("\"whois\"")).count();
    assert_eq!(told, 1, "{}", out(&pipe));
}

#[tokio::test]
async fn pipe_tells_the_host_what_the_server_counts() {
    let folder = TempDir::new().unwrap();
    let server = server(folder.path());
    let mut pipe = parlor(server.port, &["pipe", "--nick", "ada"]);
    // At home where the server was started: the key there is the host's.
    pipe.envs(common::HOMES.map(|name| (name, folder.path()))).stdin(Stdio::piped());
    let mut child = pipe.spawn().unwrap();
    let asked = format!("{}\n", json!({"type": "stats", "id": "s"}));
    child.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
    let pipe = finish(child).await;
    assert_done(&pipe);
    let mut events = out(&pipe).lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let told = events.find(|event| event["type"] == "stats").unwrap();
    assert_eq!((&told["re"], &told["sessions"], &told["entries"]), (&json!("s"), &json!(1), &json!(0)));
}

#[tokio::test]
async fn pipe_gives_up_in_time() {
    let pipe = feed(1, &["pipe", "--timeout", "1"], b"{\"type\":\"rooms\"}\n").await;
    assert_eq!(pipe.status.code(), Some(1));
    assert!(err(&pipe).contains("nothing listens there"));
}

// --- search -----------------------------------------------------------------------------------

#[tokio::test]
async fn a_search_that_means_nothing_is_wrong_usage() {
    for (args, why) in [
        (&["search", "before:soon"][..], "soon is no day and no time"),
        (&["search", " "], "say what to look for"),
        (&["search", "in:here"], "you look at no room"),
        (&["search", "x", "--limit", "0"], "0 is not in 1.."),
        (&["search"], "Usage"),
    ] {
        let refused = run(1, args).await;
        assert_eq!(refused.status.code(), Some(2), "{}", err(&refused));
        assert!(err(&refused).contains(why), "{}", err(&refused));
    }
}
