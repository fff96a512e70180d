//! What is kept, for how long, and how it is taken elsewhere: over real sockets, real files and the real program.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::Path;
use std::process::{Command as Process, Output, Stdio};
use std::time::Duration;

use common::{Program, TestClient, TestServer, log_of, message, parlor, room, seqs, soon, texts};
use parlor::protocol::command::{Command, History, Place, Plain, RequestId, RuleKind, SetRule, SetTopic};
use parlor::protocol::event::{Entry, EntryKind, ErrorCode, Event, Failure, Gap, Okay};
use parlor::protocol::proof::KeyPair;
use parlor::protocol::text::Line;
use parlor::protocol::time::Time;
use parlor::server::import::import;
use parlor::server::retention::Retention;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use uuid::Uuid;

const DAY: i64 = 24 * 60 * 60 * 1000;

fn host() -> KeyPair {
    KeyPair::from_seed(&[1; 32]).unwrap()
}

/// What an export has of messages that were said so many days ago.
fn exported(days: impl IntoIterator<Item = i64>) -> String {
    let line = |(seq, days): (u64, i64)| {
        let at = Time::now().shifted(-days * DAY);
        let (id, text) = (Uuid::now_v7(), format!("the {seq}th secret"));
        let entry = json!({"type": "message", "room": "#old", "seq": seq, "id": id, "at": at, "from": "ada", "text": text});
        format!("{entry}\n")
    };
    (1..).zip(days).map(line).collect()
}

/// A folder whose log has such messages in `#a`.
fn with_messages(days: impl IntoIterator<Item = i64>) -> TempDir {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("export.json");
    std::fs::write(&file, exported(days)).unwrap();
    import(&file, &room("#a"), folder.path()).unwrap();
    folder
}

fn is_in_log(folder: &Path, text: &str) -> bool {
    ["parlor.db", "parlor.db-wal", "parlor.journal"].iter().any(|name| {
        let bytes = std::fs::read(folder.join(name)).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

async fn page(client: &mut TestClient, place: Place) -> Vec<Entry> {
    let id = RequestId::from(Uuid::now_v7());
    let history = History { id: Some(id.clone()), room: room("#a"), place, limit: 100 };
    client.say(Command::History(history)).await;
    client
        .until(|event| match event {
            Event::Page(page) if page.re.as_ref() == Some(&id) => Some(page.entries),
            Event::Error(failure) => panic!("{failure}"),
            _ => None,
        })
        .await
}

/// Asks until the log begins there.
async fn begins_at(client: &mut TestClient, first: Option<u64>) {
    soon(async {
        loop {
            client.say(Command::Rooms(Plain::default())).await;
            let rooms = client.until(|event| match event {
                Event::Rooms(rooms) => Some(rooms.rooms),
                _ => None,
            });
            if rooms.await.iter().any(|info| info.room == room("#a") && info.first == first) {
                return;
            }
        }
    })
    .await;
}

async fn retention(client: &mut TestClient, seconds: Option<u64>) -> Result<Okay, Failure> {
    let id = RequestId::from(Uuid::now_v7());
    let (rule, on, room) = (RuleKind::Retention, seconds.is_some(), room("#a"));
    let rule = SetRule { id: Some(id.clone()), room, rule, on, nick: None, words: None, seconds };
    client.say(Command::Rule(rule)).await;
    client.answer(&id).await
}

#[tokio::test]
async fn what_is_older_than_the_parlor_keeps_things_is_gone_at_the_start() {
    let folder = with_messages([200, 120, 91, 89, 30, 0]);
    let keep = Some(Duration::from_secs(90 * 24 * 60 * 60));
    let server =
        TestServer::keeping(folder, Retention { keep, ..Retention::default() }, host().public()).await;
    let mut ada = server.client("ada").await;
    begins_at(&mut ada, Some(4)).await;
    assert!(!is_in_log(server.data(), "the 1th secret") && !is_in_log(server.data(), "the 3th secret"));
    assert_eq!(seqs(&page(&mut ada, Place::After(0)).await), [4, 5, 6]);
    assert_eq!(seqs(&page(&mut ada, Place::Before(6)).await), [4, 5]);
    assert!(page(&mut ada, Place::Before(4)).await.is_empty());
    let month_ago = Time::now().shifted(-40 * DAY);
    assert_eq!(seqs(&page(&mut ada, Place::At(month_ago)).await), [4, 5, 6]);
    // Whoever had less than what is left is told what is not there, and nobody else is.
    for (after, limit, gap) in [
        (0, None, Some((1, 3))),
        (2, None, Some((3, 3))),
        (3, None, None),
        (1, Some(1), Some((2, 5))),
        (0, Some(9), Some((1, 3))),
    ] {
        let info = ada.join("#a", after, limit).await.room.unwrap();
        assert_eq!((info.first, info.last), (Some(4), 6));
        let mut told = None;
        let next = ada.until(|event| match event {
            Event::Gap(Gap { from, to, .. }) => {
                told = Some((from, to));
                None
            }
            Event::Entry(entry) => Some(entry.seq),
            _ => None,
        });
        assert_eq!(next.await, gap.map_or(after, |(_, to)| to) + 1);
        assert_eq!(told, gap, "after {after}, at most {limit:?}");
        ada.leave("#a").await;
    }
    // It is so after a restart, and the room counts on.
    let server = server.restart().await;
    let mut ada = server.client("ada").await;
    let info = ada.join("#a", 6, None).await.room.unwrap();
    assert_eq!((info.first, info.last), (Some(4), 6));
    assert_eq!(ada.send("#a", "on").await, 7);
}

#[tokio::test]
async fn a_room_has_a_rule_of_its_own() {
    let folder = with_messages([9, 8, 3, 2]);
    let server = TestServer::keeping(folder, Retention::default(), host().public()).await;
    let mut host = server.client_of("host", &host()).await;
    let mut guest = server.client("guest").await;
    begins_at(&mut host, None).await;
    assert_eq!(retention(&mut guest, Some(3600)).await.unwrap_err().code, ErrorCode::NotAllowed);
    for wrong in [0, 59, u64::MAX] {
        assert_eq!(retention(&mut host, Some(wrong)).await.unwrap_err().code, ErrorCode::BadRequest);
    }
    // Somebody who is in the room and has all of it hears on, with nothing between.
    guest.join("#a", 4, None).await;
    retention(&mut host, Some(5 * 24 * 60 * 60)).await.unwrap();
    begins_at(&mut host, Some(3)).await;
    host.join("#a", 4, None).await;
    assert_eq!(host.send("#a", "still here").await, 5);
    assert_eq!(guest.entry().await.seq, 5);
    // The newest stays, however old: it is how far the room has counted.
    retention(&mut host, Some(60)).await.unwrap();
    begins_at(&mut host, Some(5)).await;
    // The rule outlives a restart, and can be taken back.
    let server = server.restart().await;
    let mut host = server.client_of("host", &self::host()).await;
    retention(&mut host, None).await.unwrap();
    host.say(Command::Audit(parlor::protocol::command::ReadAudit { id: None, before: None, limit: 9 })).await;
    let decided = host.until(|event| match event {
        Event::Audit(audit) => {
            Some(audit.decisions.into_iter().take(3).map(|entry| entry.particulars).collect::<Vec<_>>())
        }
        _ => None,
    });
    let told = ["kept as the parlor keeps things", "kept for 60 s", "kept for 432000 s"];
    assert_eq!(decided.await, told.map(Line::lossy));
}

#[tokio::test]
async fn a_short_rule_does_not_wait_for_the_next_hour() {
    let keep = Some(Duration::from_secs(1));
    let often = Retention { keep, pause: Duration::from_millis(10), ..Retention::default() };
    let server = TestServer::keeping(TempDir::new().unwrap(), often, host().public()).await;
    let mut ada = server.client("ada").await;
    ada.join("#a", 0, None).await;
    for seq in 1..=3 {
        assert_eq!(ada.send("#a", "said in passing").await, seq);
    }
    begins_at(&mut ada, Some(3)).await;
}

/// Runs the real program to its end.
async fn run(mut program: Process) -> Output {
    let child = program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    soon(tokio::task::spawn_blocking(move || child.wait_with_output())).await.unwrap().unwrap()
}

/// `parlor export #a`, with further options.
async fn export(port: u16, home: &Path, options: &[&str]) -> Output {
    let mut program = parlor(home);
    program.args(["export", "#a", "--nick", "clerk", "--timeout", "0s"]).args(options);
    run(program_at(program, port)).await
}

fn program_at(mut program: Process, port: u16) -> Process {
    program.env("PARLOR_SERVER", common::plain_invite(port)).env("TZ", "UTC");
    program
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[tokio::test]
async fn a_room_is_exported_and_imported_elsewhere() {
    let server = TestServer::start().await;
    let home = TempDir::new().unwrap();
    let file = home.path().join("a.json");
    let output = file.to_str().unwrap();
    let missing = export(server.port, home.path(), &["--format", "json", "--output", output]).await;
    assert_eq!(missing.status.code(), Some(1));
    assert!(err(&missing).contains("there is no room #a"), "{}", err(&missing));
    assert_eq!(
        std::fs::read_dir(home.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("a.json"))
            .count(),
        0,
        "nothing is left of it"
    );

    let mut ada = server.client("ada").await;
    ada.join("#a", 0, None).await;
    // More than a page.
    for n in 1..=700 {
        let reply_to = (n == 700).then_some(3);
        let send =
            parlor::protocol::command::Send { reply_to, ..message("#a", &format!("<b>{n}</b>\n\u{1b}[2J")) };
        ada.submit(send).await.unwrap();
    }
    let id = Uuid::now_v7();
    ada.say(Command::Topic(SetTopic { id, room: room("#a"), text: Line::lossy("Friday: demo") })).await;
    ada.answer(&id.into()).await.unwrap();
    let there = log_of(server.port, "#a").await;

    let done = export(server.port, home.path(), &["--format", "json", "--output", output]).await;
    assert!(done.status.success(), "{}", err(&done));
    assert!(done.stdout.is_empty() && done.stderr.is_empty(), "{}", err(&done));
    let json = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<Entry> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, there);
    assert!(!json.contains('\u{1b}'));

    let html = export(server.port, home.path(), &["--format", "html"]).await;
    let html = String::from_utf8(html.stdout).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</body></html>\n"));
    assert!(
        html.contains("&lt;b&gt;700&lt;/b&gt;")
            && !html.contains("<b>700")
            && html.contains("set the topic: Friday: demo")
    );
    let md = export(server.port, home.path(), &[]).await;
    let md = String::from_utf8(md.stdout).unwrap();
    assert!(
        md.starts_with("# \\#a\n") && md.contains("> \\<b>700\\</b>") || md.contains("> \\<b>700"),
        "{md}"
    );

    // Elsewhere it is the same, but for who is behind the names.
    let elsewhere = TempDir::new().unwrap();
    let import = || {
        let mut program = parlor(elsewhere.path());
        program.args(["import", output, "--room", "b", "--data"]).arg(elsewhere.path());
        program
    };
    let done = run(import()).await;
    assert!(done.status.success() && err(&done).contains("701 entries are in #b now"), "{}", err(&done));
    let again = run(import()).await;
    assert_eq!(again.status.code(), Some(1));
    assert!(err(&again).contains("#b has entries already"), "{}", err(&again));
    let other = Program::serve(elsewhere.path(), 0, &[]);
    let read = log_of(other.port, "#b").await;
    let same = there.into_iter().map(|entry| Entry { room: room("#b"), author: None, ..entry });
    assert_eq!(read, same.collect::<Vec<_>>());
    assert_eq!(read.last().unwrap().kind, EntryKind::Topic);
    let used = run(import()).await;
    assert_eq!(used.status.code(), Some(1));
    assert!(err(&used).contains("is in use by another parlor"), "{}", err(&used));
}

#[tokio::test]
async fn what_cannot_be_imported_is_named_by_its_line() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("export.json");
    let three = exported([3, 2, 1]);
    for (content, complaint) in [
        (format!("{three}\n{{\"type\":\"message\"}}\n"), "export.json, line 5: this is no entry of a log"),
        (format!("{three}{three}"), "export.json, line 4: the entry 1 comes after 3"),
        (three.replace("the 2th secret", ""), "export.json, line 2: the text is empty"),
        (three.replace("\"ada\"", "\"a da\""), "export.json, line 1: this is no entry of a log"),
        (
            three.replace("the 3th secret", &"x".repeat(2 << 20)),
            "line 3: this is no entry of a log, as `parlor export --format json` writes them: it has more than",
        ),
        ("# not JSON\n".to_owned(), "export.json, line 1: this is no entry"),
        ("\n".to_owned(), "there is nothing to import in it"),
    ] {
        std::fs::write(&file, &content).unwrap();
        let refused = import(&file, &room("#a"), folder.path()).unwrap_err().to_string();
        assert!(refused.contains(complaint), "{refused}");
    }
    let missing = import(&folder.path().join("none"), &room("#a"), folder.path()).unwrap_err().to_string();
    assert!(missing.starts_with("cannot read "), "{missing}");
    // Nothing of it has come in.
    std::fs::write(&file, &three).unwrap();
    assert_eq!(import(&file, &room("#a"), folder.path()).unwrap(), 3);
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_of_a_parlor_at_work_is_a_parlor() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = TestServer::closed().await;
    let pair = KeyPair::from_seed(&[7; 32]).unwrap();
    let mut ada = server.client_with("ada", Some(&pair)).await;
    ada.join("#a", 0, None).await;
    ada.send("#a", "before").await;
    let home = TempDir::new().unwrap();
    let file = home.path().join("parlor.tar");
    let backup = |options: &[&str]| {
        let mut program = parlor(home.path());
        program.arg("backup").arg(&file).arg("--data").arg(server.data()).args(options);
        program
    };
    let done = run(backup(&[])).await;
    assert!(done.status.success() && done.stdout.is_empty() && done.stderr.is_empty(), "{}", err(&done));
    ada.send("#a", "after").await;
    let refused = run(backup(&[])).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        err(&refused).contains("is there already") && err(&refused).contains("--force"),
        "{}",
        err(&refused)
    );
    assert!(run(backup(&["--force"])).await.status.success());
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let beside: Vec<_> =
        std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside, ["parlor.tar"], "nothing else is left");

    let restored = TempDir::new().unwrap();
    let mut unpack = Process::new("tar");
    unpack.arg("-xf").arg(&file).arg("-C").arg(restored.path());
    assert!(run(unpack).await.status.success());
    let mut names: Vec<_> = std::fs::read_dir(restored.path())
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            entry.file_name().into_string().unwrap()
        })
        .collect();
    names.sort();
    assert_eq!(names, ["certificate-key.pem", "certificate.pem", "parlor.db", "passphrase", "people.db"]);
    let (fingerprint, words, id) = (server.fingerprint, server.words.clone(), ada.ready.author);
    let again = TestServer::closed_on(restored).await;
    assert_eq!(
        (again.fingerprint, again.words.as_ref().map(|words| words.reveal().to_owned())),
        (fingerprint, words.map(|words| words.reveal().to_owned()))
    );
    let mut ada = again.client_with("ada", Some(&pair)).await;
    assert_eq!(ada.ready.author, id, "the same person");
    ada.join("#a", 0, None).await;
    assert_eq!(texts(&ada.entries(2).await), ["before", "after"]);

    let mut program = parlor(home.path());
    let nowhere = home.path().join("nowhere");
    program.arg("backup").arg(nowhere.join("parlor.tar")).arg("--data").arg(again.data());
    let lost = run(program).await;
    assert_eq!(lost.status.code(), Some(1));
    assert!(err(&lost).contains(&format!("cannot use {}: ", nowhere.display())), "{}", err(&lost));

    let nothing = TempDir::new().unwrap();
    let mut program = parlor(home.path());
    program.arg("backup").arg(home.path().join("none.tar")).arg("--data").arg(nothing.path());
    let none = run(program).await;
    assert_eq!(none.status.code(), Some(1));
    assert!(err(&none).contains("there is no parlor in"), "{}", err(&none));
    assert_eq!(std::fs::read_dir(nothing.path()).unwrap().count(), 0);
}

/// It was sent some of it, and what comes next is not there any more when it is to be sent.
#[tokio::test]
async fn what_expires_while_somebody_catches_up_is_told_as_a_gap() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("export.json");
    // More than what sockets hold.
    let days = (0..6000).map(|n| if n < 5990 { 9 } else { 1 });
    std::fs::write(&file, exported(days).replace("secret", &"x".repeat(2000))).unwrap();
    import(&file, &room("#a"), folder.path()).unwrap();
    let server = TestServer::keeping(folder, Retention::default(), host().public()).await;
    let mut host = server.client_of("host", &host()).await;
    let mut slow = TestClient::connect_narrow(server.port, "slow").await;
    slow.join("#a", 0, None).await;
    assert_eq!(slow.entry().await.seq, 1);
    retention(&mut host, Some(5 * 24 * 60 * 60)).await.unwrap();
    begins_at(&mut host, Some(5991)).await;
    let (mut cursor, mut gaps) = (1, 0);
    while cursor < 6000 {
        match slow.event().await.expect("the connection ended") {
            Event::Entry(entry) => {
                assert_eq!(entry.seq, cursor + 1);
                cursor = entry.seq;
            }
            Event::Gap(Gap { from, to, .. }) => {
                assert!(from == cursor + 1 && (from..=5990).contains(&to), "{from} to {to} after {cursor}");
                (cursor, gaps) = (to, gaps + 1);
            }
            _ => {}
        }
    }
    // More than one, if it was quicker than the log between two steps.
    assert!(gaps > 0);
    assert_eq!(host.join("#a", 6000, None).await.room.unwrap().first, Some(5991));
    assert_eq!(host.send("#a", "on").await, 6001);
    assert_eq!(slow.entry().await.seq, 6001);
}

/// A way to the server at `port` whose first connection ends after so many bytes.
async fn broken_way(port: u16, bytes: u64) -> u16 {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let own = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut left = bytes;
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let (mut from_client, mut to_client) = client.into_split();
            let (from_server, mut to_server) = server.into_split();
            let mut from_server = from_server.take(std::mem::replace(&mut left, u64::MAX));
            tokio::spawn(async move {
                tokio::select! {
                    _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
                    _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
                }
            });
        }
    });
    own
}

#[tokio::test]
async fn an_export_goes_on_after_a_break() {
    let folder = with_messages((0..2500).map(|n| 2500 - n));
    let mut server = TestServer::keeping(folder, Retention::default(), host().public()).await;
    let home = TempDir::new().unwrap();
    let file = home.path().join("a.json");
    // In the middle of the third page.
    let port = broken_way(server.port, 200_000).await;
    let mut program = parlor(home.path());
    program.args(["export", "#a", "--nick", "clerk", "--format", "json", "--output"]).arg(&file);
    let done = run(program_at(program, port)).await;
    assert!(done.status.success(), "{}", err(&done));
    assert!(err(&done).contains("connected again"), "{}", err(&done));
    let json = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<Entry> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(seqs(&lines), (1..=2500).collect::<Vec<_>>());
    // One that finds nobody any more says so, and leaves nothing behind.
    server.stop().await;
    let given_up =
        export(server.port, home.path(), &["--format", "json", "--output", file.to_str().unwrap()]).await;
    assert_eq!(given_up.status.code(), Some(1));
    assert!(!err(&given_up).is_empty());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), json, "the one before it is as it was");
    let files = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(files.filter(|name| name.to_string_lossy().starts_with("a.json")).count(), 1);
}
