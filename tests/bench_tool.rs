//! `parlor bench`: the real program, over real sockets, as an operator uses it.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::Path;
use std::process::{Command as Process, Output, Stdio};

use common::terminal::Terminal;
use common::{Program, TestClient, TestServer, plain_invite, soon, unlimited};
use parlor::protocol::command::Command;
use parlor::protocol::frame::FrameReader;
use parlor::protocol::limits::COMMAND_BYTES;
use parlor::server::config::Limits;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use uuid::Uuid;

const PERFORMANCE: &str = include_str!("../docs/performance.md");

/// A short measurement.
const SHORT: [&str; 4] = ["--duration", "1s", "--warm-up", "0s"];

fn bench(home: &Path, args: &[&str]) -> Process {
    let mut process = common::parlor(home);
    process.arg("bench").args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    process
}

async fn finish(mut process: Process) -> Output {
    let child = process.spawn().unwrap();
    soon(tokio::task::spawn_blocking(move || child.wait_with_output())).await.unwrap().unwrap()
}

/// Measures with a home of its own.
async fn measure(address: &str, args: &[&str]) -> Output {
    let home = TempDir::new().unwrap();
    finish(bench(home.path(), &[&[address], &SHORT[..], args].concat())).await
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[track_caller]
fn report(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", err(output));
    let report: Value = serde_json::from_str(out(output)).unwrap();
    assert_sound(&report);
    report
}

fn number(report: &Value, field: &str) -> u64 {
    report[field].as_u64().unwrap_or_else(|| panic!("{field}: {report}"))
}

/// What holds for every measurement that went well.
#[track_caller]
fn assert_sound(report: &Value) {
    for field in ["lost", "doubled", "out_of_order", "foreign"] {
        assert_eq!(report[field], 0, "{field}: {report}");
    }
    assert_eq!(report["trouble"], Value::Null);
    let acknowledged = number(report, "acknowledged");
    assert!(acknowledged > 0 && number(report, "sent") == acknowledged, "{report}");
    assert_eq!(number(report, "deliveries"), number(report, "deliveries_expected"), "{report}");
    assert!(report["seconds"].as_f64().unwrap() > 0.0 && report["bytes_per_second"].as_f64().unwrap() > 0.0);
    for kind in ["ok", "receipt"] {
        let latencies = ["p50", "p90", "p99", "p99.9", "max"];
        let latencies = latencies.map(|name| report["latency_ms"][kind][name].as_f64().unwrap());
        assert!(latencies[0] > 0.0 && latencies.is_sorted(), "{latencies:?}");
    }
}

#[track_caller]
fn assert_fails(output: &Output, code: i32, sentences: &[&str]) {
    assert_eq!(output.status.code(), Some(code), "{}{}", out(output), err(output));
    for sentence in sentences {
        assert!(err(output).contains(sentence), "{sentence}: {}", err(output));
    }
}

#[tokio::test]
async fn everyone_hears_all_that_one_says() {
    let folder = TempDir::new().unwrap();
    let server = Program::serve(folder.path(), 0, &["--unlimited"]);
    let address = plain_invite(server.port);
    let args = [&*address, "--connections", "20", "--in-flight", "8", "--duration", "1s", "--json"];
    // Twice, for the names must be free again.
    for _ in 0..2 {
        let measured = report(&finish(bench(folder.path(), &args)).await);
        assert_eq!(number(&measured, "deliveries"), 20 * number(&measured, "acknowledged"));
        for field in measured.as_object().unwrap().keys() {
            assert!(PERFORMANCE.contains(&format!("`{field}`")), "docs/performance.md lacks {field}");
        }
        assert!(measured["seconds"].as_f64().unwrap() >= 1.0 && measured["tls"] == false);
        assert_eq!((&measured["in_flight"], &measured["rate"]), (&json!(8), &Value::Null));
        assert!(measured["joins_per_second"].as_f64().unwrap() > 0.0);
    }
}

#[tokio::test]
async fn a_measurement_can_be_read() {
    let server = TestServer::start().await;
    let measured = measure(&plain_invite(server.port), &["--connections", "3", "--payload", "25"]).await;
    assert_eq!(measured.status.code(), Some(0), "{}", err(&measured));
    assert_eq!(err(&measured), "");
    for said in [
        "3 connections in 1 room, 1 sender, 1 on the way for each, 25 bytes a text",
        "lost 0, doubled 0, out of order 0",
        "p99.9",
    ] {
        assert!(out(&measured).contains(said), "{said}: {}", out(&measured));
    }
}

#[tokio::test]
async fn rooms_and_senders_are_spread_and_the_clock_sets_the_pace() {
    let server = TestServer::start().await;
    let args = ["--connections", "7", "--rooms", "3", "--senders", "4", "--rate", "200", "--json"];
    let measured = report(&measure(&plain_invite(server.port), &args).await);
    // At least a second of it; a busy machine may end it later.
    assert!(number(&measured, "acknowledged") + number(&measured, "unsent") >= 200, "{measured}");
    assert_eq!((&measured["rate"], &measured["in_flight"]), (&json!(200), &Value::Null));
    let mut reader = TestClient::connect(server.port, "reader").await;
    for room in ["#bench-0", "#bench-1", "#bench-2"] {
        let last = reader.join(room, 0, Some(0)).await.room.unwrap().last;
        assert!(last >= 50, "{room}: {last}");
    }
}

#[tokio::test]
async fn tls_and_a_passphrase_are_as_for_everyone() {
    let server = TestServer::closed().await;
    let words = server.data().join("words");
    std::fs::write(&words, server.words.as_ref().unwrap().reveal()).unwrap();
    let address = format!("127.0.0.1:{}", server.port);
    let home = TempDir::new().unwrap();
    let args = |more: &[&'static str]| {
        let mut args = vec![address.clone(), "--json".to_owned()];
        args.extend(SHORT.iter().chain(more).map(|arg| (*arg).to_owned()));
        args
    };
    let mut first =
        args(&["--connections", "40", "--senders", "3", "--payload", "16384", "--passphrase-file"]);
    first.push(words.to_str().unwrap().to_owned());
    let first: Vec<&str> = first.iter().map(String::as_str).collect();
    let output = finish(bench(home.path(), &first)).await;
    let measured = report(&output);
    assert_eq!(number(&measured, "deliveries"), 40 * number(&measured, "acknowledged"));
    assert_eq!((&measured["tls"], &measured["payload_bytes"]), (&json!(true), &json!(16384)));
    assert!(err(&output).contains("first time at"), "{}", err(&output));
    // What opened it is remembered, like its certificate.
    let again = args(&["--connections", "2"]);
    let again: Vec<&str> = again.iter().map(String::as_str).collect();
    report(&finish(bench(home.path(), &again)).await);

    let wrong = server.data().join("wrong");
    std::fs::write(&wrong, "not those words").unwrap();
    let refused = measure(&address, &["--passphrase-file", wrong.to_str().unwrap()]).await;
    assert_fails(&refused, 1, &["that is not the passphrase of this parlor", "--passphrase-file"]);
    assert_eq!(out(&refused), "");
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_an_address_like_others() {
    let folder = TempDir::new().unwrap();
    let socket = format!("unix:{}", folder.path().join("socket").display());
    let mut command = Program::command(folder.path());
    command.args(["--unlimited", "--listen", &socket]);
    let _server = Program::start(command, 1);
    report(&measure(&socket, &["--connections", "5", "--json"]).await);
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_ends_it_and_tells_what_was_measured() {
    let server = TestServer::start().await;
    let mut watcher = TestClient::connect(server.port, "watcher").await;
    watcher.join("#bench-0", 0, None).await;
    let home = TempDir::new().unwrap();
    let args =
        [&*plain_invite(server.port), "--connections", "4", "--warm-up", "0s", "--duration", "1h", "--json"];
    let child = bench(home.path(), &args).spawn().unwrap();
    watcher.entry().await;
    let id = child.id().to_string();
    assert!(Process::new("sh").args(["-c", "kill -INT \"$0\"", &id]).status().unwrap().success());
    let output = soon(tokio::task::spawn_blocking(move || child.wait_with_output())).await.unwrap().unwrap();
    let measured = report(&output);
    assert_eq!(measured["interrupted"], true);
    assert!(number(&measured, "acknowledged") > 0);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_terminal_a_line_says_how_far_it_is_and_with_json_none_does() {
    let server = TestServer::start().await;
    let address = plain_invite(server.port);
    let args = ["bench", &address, "--connections", "3", "--duration", "1h"];
    let mut terminal = Terminal::run(&args, 80, 24);
    terminal.shows("of 3601 s");
    terminal.until("progress", |screen| screen.contains(" delivered") && !screen.contains(" 0 delivered"));
    terminal.keys("\x03");
    let (code, drawn) = terminal.end();
    assert!(code == 0 && drawn.contains("lost 0, doubled 0, out of order 0"), "{drawn}");
    let args = [&["bench", &address, "--connections", "3", "--json"], &SHORT[..]].concat();
    let (code, drawn) = Terminal::run(&args, 80, 24).end();
    assert!(code == 0 && !drawn.contains("have joined") && !drawn.contains("[."), "{drawn}");
}

#[tokio::test]
async fn what_others_say_meanwhile_is_told_apart() {
    let server = TestServer::start().await;
    let mut other = TestClient::connect(server.port, "other").await;
    other.join("#bench-0", 0, None).await;
    let home = TempDir::new().unwrap();
    let address = plain_invite(server.port);
    let args = [&[&*address, "--connections", "4", "--json"], &SHORT[..]].concat();
    let child = bench(home.path(), &args).spawn().unwrap();
    other.entry().await;
    other.send("#bench-0", "how is it going?").await;
    let output = soon(tokio::task::spawn_blocking(move || child.wait_with_output())).await.unwrap().unwrap();
    let mut measured: Value = serde_json::from_str(out(&output)).unwrap();
    assert_eq!(measured["foreign"], 4);
    measured["foreign"] = json!(0);
    assert_sound(&measured);
    assert_eq!(output.status.code(), Some(0));
}

#[tokio::test]
async fn who_is_held_up_by_the_rate_limit_is_told_so() {
    let server = TestServer::with(Limits::default()).await;
    let home = TempDir::new().unwrap();
    let address = plain_invite(server.port);
    let args = [&*address, "--connections", "2", "--warm-up", "0s", "--duration", "3s"];
    let measured = finish(bench(home.path(), &args)).await;
    assert_eq!(measured.status.code(), Some(0), "{}", err(&measured));
    assert!(out(&measured).contains("`parlor serve --unlimited` lifts it"), "{}", out(&measured));
}

#[tokio::test]
async fn more_connections_than_one_address_may_have_are_refused_with_a_remedy() {
    let server = TestServer::with(Limits { connections_per_address: 5, ..unlimited() }).await;
    let refused = measure(&plain_invite(server.port), &["--connections", "6"]).await;
    let sentences =
        ["5 connections from your address are open", "connections_per_address", "--unlimited", "had joined"];
    assert_fails(&refused, 1, &sentences);
    let server = TestServer::with(Limits { rooms: 2, ..unlimited() }).await;
    let refused = measure(&plain_invite(server.port), &["--rooms", "4"]).await;
    assert_fails(&refused, 1, &["raise rooms"]);
}

#[tokio::test]
async fn a_parlor_that_lets_in_no_guests_or_has_such_names_is_told_apart() {
    let folder = TempDir::new().unwrap();
    let server = Program::serve(folder.path(), 0, &["--no-guests"]);
    let refused = measure(&plain_invite(server.port), &[]).await;
    assert_fails(&refused, 1, &["nobody without a key", "--no-guests"]);
    let server = TestServer::start().await;
    let _taken = TestClient::connect(server.port, "bench-1").await;
    let refused = measure(&plain_invite(server.port), &["--connections", "3"]).await;
    assert_fails(&refused, 1, &["another measurement"]);
    drop(server);
}

#[tokio::test]
async fn a_parlor_that_is_not_there_is_one_sentence() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let refused = measure(&plain_invite(nobody), &[]).await;
    assert_fails(&refused, 1, &["nothing listens there"]);
}

#[tokio::test]
async fn options_out_of_range_are_explained() {
    for (args, sentence) in [
        (&["--connections", "0"][..], "from 1 to 60000"),
        (&["--connections", "many"], "from 1 to 60000"),
        (&["--connections", "2", "--senders", "3"], "raise --connections"),
        (&["--connections", "2", "--rooms", "3"], "raise --connections"),
        (&["--payload", "24"], "from 25 to 16384"),
        (&["--payload", "16385"], "from 25 to 16384"),
        (&["--in-flight", "0"], "from 1 to 4096"),
        (&["--rate", "0"], "from 1 to 1000000"),
        (&["--rate", "5", "--in-flight", "2"], "cannot be used with"),
        (&["--duration", "0s"], "at least a second"),
        (&["--warm-up", "25h"], "at most a day"),
        (&["--duration", "soon"], "90s"),
        (&["--server", "127.0.0.1:2"], "cannot be used with"),
    ] {
        let home = TempDir::new().unwrap();
        let output = finish(bench(home.path(), &[&["127.0.0.1:1"], args].concat())).await;
        assert_fails(&output, 2, &[sentence]);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn too_few_open_files_are_told_before_anything_is_opened() {
    let home = TempDir::new().unwrap();
    let mut shell = Process::new("sh");
    shell
        .args(["-c", "ulimit -n 64; exec \"$0\" bench \"$@\"", env!("CARGO_BIN_EXE_parlor")])
        .args(["127.0.0.1:1", "--plain", "--connections", "100"])
        .envs(common::HOMES.map(|name| (name, home.path())))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let output = finish(shell).await;
    assert_fails(&output, 1, &["100 connections need", "may have 64", "ulimit -Hn", "at most 32"]);
}

/// A parlor for one that answers well, and delivers badly: of the entries it leaves out the 3rd, says the 5th twice, and the 6th
/// behind the 7th.
async fn careless(listener: TcpListener) {
    let (stream, _) = listener.accept().await.unwrap();
    let (read, mut write) = stream.into_split();
    let mut frames = FrameReader::new(read, COMMAND_BYTES);
    let now = "2026-11-21T11:02:03.456Z";
    let welcome = json!({
        "type": "welcome", "protocol": 1, "now": now,
        "server": {"name": "careless", "version": "0", "id": Uuid::nil()},
        "auth": {"kind": "open", "challenge": "07".repeat(32)},
    });
    write.write_all(&common::frame(welcome.to_string().as_bytes())).await.unwrap();
    let mut seq = 0;
    let mut late = None;
    while let Some(json) = soon(frames.next()).await.unwrap() {
        let answers = match Command::decode(&json).unwrap() {
            Command::Hello(hello) => vec![json!({
                "type": "ready", "session": Uuid::nil(), "you": {"nick": hello.nick, "guest": true}, "rooms": [],
                "limits": {"text_bytes": 16384, "frame_bytes": 102_400, "message_burst": 0,
                    "messages_per_second": 0.0, "page_entries": 500, "rooms_per_session": 50},
            })],
            Command::Join(join) => vec![
                json!({"type": "ok", "re": join.id, "room": join.room, "topic": "", "here": 1, "last": 0}),
                json!({"type": "presence", "room": join.room, "here": 1, "people": []}),
            ],
            Command::Send(send) => {
                seq += 1;
                let entry = json!({"type": "message", "room": send.room, "seq": seq, "id": send.id, "at": now,
                    "from": "bench-0", "text": send.text});
                let ok = json!({"type": "ok", "re": send.id, "seq": seq});
                match seq {
                    3 => vec![ok],
                    5 => vec![entry.clone(), entry, ok],
                    6 => {
                        late = Some(entry);
                        vec![ok]
                    }
                    _ => [Some(entry), late.take(), Some(ok)].into_iter().flatten().collect(),
                }
            }
            Command::Bye(_) => return,
            other => panic!("{other:?}"),
        };
        for answer in answers {
            write.write_all(&common::frame(answer.to_string().as_bytes())).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_lost_doubled_or_out_of_order_is_found() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(careless(listener));
    let measured = measure(&plain_invite(port), &["--connections", "1", "--json"]).await;
    soon(server).await.unwrap();
    assert_eq!(measured.status.code(), Some(1), "{}", err(&measured));
    let report: Value = serde_json::from_str(out(&measured)).unwrap();
    let faults = ["lost", "doubled", "out_of_order"].map(|field| number(&report, field));
    assert_eq!(faults, [1, 1, 1], "{report}");
    assert!(number(&report, "acknowledged") > 7);
}

#[tokio::test]
async fn a_parlor_that_ends_meanwhile_is_told_with_what_was_measured() {
    let mut server = TestServer::start().await;
    let mut watcher = TestClient::connect(server.port, "watcher").await;
    watcher.join("#bench-0", 0, None).await;
    let home = TempDir::new().unwrap();
    let address = plain_invite(server.port);
    let args = [&*address, "--connections", "4", "--warm-up", "0s", "--duration", "1h", "--json"];
    let child = bench(home.path(), &args).spawn().unwrap();
    watcher.entry().await;
    server.stop().await;
    let output = soon(tokio::task::spawn_blocking(move || child.wait_with_output())).await.unwrap().unwrap();
    assert_fails(&output, 1, &["connection", "ended"]);
    let report: Value = serde_json::from_str(out(&output)).unwrap();
    assert!(report["trouble"].as_str().unwrap().contains("ended") && number(&report, "deliveries") > 0);
}
