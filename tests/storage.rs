//! Promise 2 on a bad day of the disk: it is full, it may not be written, or what is on it is not what was stored.
//!
//! Where this user may mount a disk of its own; `durable.rs` has a full one that needs no rights.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{COMPLAINTS, HOMES, Program, TestClient, TestServer, log_of, message, nick, seqs};
use parlor::protocol::command::{Command, RequestId, Send, SetIgnored};
use parlor::protocol::event::{ErrorCode, Event, Failure, Page, Reason};
use parlor::protocol::proof::KeyPair;
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

async fn in_room(port: u16, name: &str) -> TestClient {
    let mut client = TestClient::connect(port, name).await;
    client.join("#a", 0, None).await;
    client
}

/// The answer to `history`, with these besides.
async fn history(client: &mut TestClient, room: &str, place: &str, seq: u64) -> Result<Page, Failure> {
    client.say_json(&json!({"type": "history", "id": "h", "room": room, place: seq, "limit": 20})).await;
    client
        .until(|event| match event {
            Event::Page(page) => Some(Ok(page)),
            Event::Error(failure) => Some(Err(failure)),
            _ => None,
        })
        .await
}

/// Writes a file until the disk takes no more.
fn fill(path: &Path) {
    let mut ballast = File::create(path).unwrap();
    for size in [1 << 16, 1 << 12, 1] {
        while ballast.write_all(&vec![b'x'; size]).is_ok() {}
    }
}

/// A real disk, of 4 MB, that something else fills up and gives free again.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_keeps_nobody_from_reading_and_heals_by_itself() {
    const SENDERS: usize = 4;
    let folder = TempDir::new().unwrap();
    let Some(mut command) = Program::apart("mount -t tmpfs -o size=4m none \"$HOME\"", folder.path()) else {
        return;
    };
    command.args(["--unlimited", "--listen", "127.0.0.1:0"]);
    let mut program = Program::start(command, 1);
    let port = program.port;
    let pair = KeyPair::from_seed(&[7; 32]).unwrap();
    TestClient::try_with_key(port, "known", &pair).await.unwrap().quit().await;
    let mut bob = in_room(port, "bob").await;
    let mut sulker =
        TestClient::try_with_key(port, "sulker", &KeyPair::from_seed(&[8; 32]).unwrap()).await.unwrap();
    let mut senders = Vec::new();
    for n in 0..SENDERS {
        senders.push(in_room(port, &format!("sender{n}")).await);
    }
    let mut sent: Vec<Uuid> = Vec::new();
    for sender in &mut senders {
        let send = message("#a", "before");
        sent.push(send.id);
        sender.submit(send).await.unwrap();
    }

    let ballast: PathBuf =
        [Path::new("/proc"), Path::new(&program.child.id().to_string()), Path::new("root")].iter().collect();
    let ballast = PathBuf::from(format!("{}{}", ballast.display(), folder.path().join("ballast").display()));
    fill(&ballast);
    let mut refused: Vec<Vec<Send>> = Vec::new();
    for sender in &mut senders {
        let mut refused_of_one = Vec::new();
        while refused_of_one.len() < 5 {
            let send = message("#a", &"x".repeat(3_000));
            sent.push(send.id);
            if let Err(failure) = sender.submit(send.clone()).await {
                assert_eq!(failure.code, ErrorCode::StorageFull);
                assert!(failure.code.is_temporary());
                refused_of_one.push(send);
            }
            assert!(sent.len() < 2_000, "the disk is never full");
        }
        refused.push(refused_of_one);
    }
    // What is known of people is on the same disk.
    let set = SetIgnored { id: Some(Uuid::now_v7().into()), nick: nick("bob"), on: true };
    sulker.say(Command::Ignore(set.clone())).await;
    assert_eq!(sulker.answer(set.id.as_ref().unwrap()).await.unwrap_err().code, ErrorCode::StorageFull);

    // Reading goes on, for those who are here and for those who come: new, or known by their key.
    let seen = log_of(port, "#a").await;
    assert_eq!(bob.entries(seen.len()).await, seen);
    assert!(!history(&mut bob, "#a", "after", 0).await.unwrap().entries.is_empty());
    let known = TestClient::try_with_key(port, "known", &pair).await.unwrap();
    assert!(!known.ready.you.guest, "known as before");
    let new = TestClient::try_with_key(port, "new", &KeyPair::from_seed(&[9; 32]).unwrap()).await.unwrap();
    assert!(new.ready.you.guest, "nobody who could be remembered");
    for mut reader in [known, new] {
        reader.join("#a", 0, None).await;
        assert_eq!(reader.entries(seen.len()).await, seen);
    }
    let log = fs::read_to_string(folder.path().join(COMPLAINTS)).unwrap();
    assert!(log.contains("full"), "the host's log names it: {log}");

    // Room again: the same connections, the same ids.
    fs::remove_file(&ballast).unwrap();
    for (sender, refused) in senders.iter_mut().zip(&refused) {
        for send in refused {
            sender.submit(send.clone()).await.unwrap();
        }
    }
    sulker.say(Command::Ignore(set.clone())).await;
    assert!(sulker.answer(set.id.as_ref().unwrap()).await.is_ok());
    let all = log_of(port, "#a").await;
    assert_eq!(all[..seen.len()], seen, "nothing has another number");
    let mut ids: Vec<Uuid> = all.iter().map(|entry| entry.id).collect();
    ids.sort_unstable();
    sent.sort_unstable();
    assert_eq!(ids, sent, "each thing said is there once");
    assert_eq!(bob.entries(all.len() - seen.len()).await, all[seen.len()..]);
    program.terminate();
    drop((senders, bob, sulker));
    assert!(program.exit_within(Duration::from_secs(5)).is_some_and(|exit| exit.success()));
}

/// On the disk that is full it is killed, and the next one starts there.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_parlor_that_ended_on_a_full_disk_starts_there_and_can_be_read() {
    let folder = TempDir::new().unwrap();
    let mount = "mount -t tmpfs -o size=4m none \"$HOME\" && { \"$0\" \"$@\"; touch \"$HOME\"; }";
    let Some(mut command) = Program::apart(mount, folder.path()) else { return };
    command.args(["--unlimited", "--listen", "127.0.0.1:0"]);
    let mut program = Program::start(command, 1);
    let mut alice = in_room(program.port, "alice").await;
    let said: Vec<Send> = (0..20).map(|n| message("#a", &format!("{n} {}", "x".repeat(1_000)))).collect();
    for send in &said {
        alice.submit(send.clone()).await.unwrap();
    }
    let shell = program.child.id();
    let ballast = format!("/proc/{shell}/root{}", folder.path().join("ballast").display());
    fill(Path::new(&ballast));
    let server = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
    let killed = std::process::Command::new("sh").args(["-c", "kill -9 $0", server.trim()]).status();
    assert!(killed.unwrap().success());

    let port = program.next_port();
    let stored = log_of(port, "#a").await;
    assert_eq!(
        stored.iter().map(|entry| entry.id).collect::<Vec<_>>(),
        said.iter().map(|send| send.id).collect::<Vec<_>>()
    );
    let mut alice = in_room(port, "alice").await;
    let mut next = message("#a", "x");
    loop {
        match alice.submit(next.clone()).await {
            Ok(seq) => assert!(seq > 20 && seq < 2_000, "the disk is never full"),
            Err(failure) => break assert_eq!(failure.code, ErrorCode::StorageFull),
        }
        next = message("#a", &"x".repeat(3_000));
    }
    fs::remove_file(&ballast).unwrap();
    let after = alice.submit(next.clone()).await.unwrap();
    assert_eq!(log_of(port, "#a").await.last().map(|entry| (entry.seq, entry.id)), Some((after, next.id)));
    program.kill();
}

/// What it says when it does not start.
fn refusal(mut command: std::process::Command, folder: &Path) -> String {
    let complaints = folder.join(COMPLAINTS);
    drop(fs::remove_file(&complaints));
    let told = File::options().create(true).append(true).open(&complaints).unwrap();
    command.args(["--listen", "127.0.0.1:0"]).stdout(std::process::Stdio::null()).stderr(told);
    let mut child = command.spawn().unwrap();
    let exit = common::exit_within(&mut child, Duration::from_secs(10));
    if exit.is_none() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let said = fs::read_to_string(complaints).unwrap();
    assert_eq!(exit.and_then(|exit| exit.code()), Some(1), "{said}");
    said
}

/// A folder in which something was said, and somebody with a key was.
async fn furnished() -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut program = Program::serve(folder.path(), 0, &["--unlimited"]);
    let pair = KeyPair::from_seed(&[7; 32]).unwrap();
    let mut alice = TestClient::try_with_key(program.port, "alice", &pair).await.unwrap();
    alice.join("#a", 0, None).await;
    for n in 1..=20 {
        assert_eq!(alice.send("#a", &"x".repeat(1_000)).await, n);
    }
    alice.quit().await;
    program.terminate();
    assert!(program.exit_within(Duration::from_secs(5)).is_some_and(|exit| exit.success()));
    folder
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_may_not_be_written_is_named() {
    let mount = "mount --bind \"$DATA\" \"$DATA\" && mount -o remount,bind,ro \"$DATA\"";
    let home = TempDir::new().unwrap();
    for folder in [TempDir::new().unwrap(), furnished().await] {
        let Some(mut command) = Program::apart(mount, folder.path()) else { return };
        command.envs(HOMES.map(|name| (name, home.path()))).env("DATA", folder.path());
        let said = refusal(command, folder.path());
        assert!(said.contains("Read-only") && said.contains("--data"), "{said}");
        assert!(said.contains(&folder.path().display().to_string()), "{said}");
    }
}

/// What was done to a file, and what is said of it.
type Case = (&'static str, &'static str, fn(&Path), &'static str);

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_whole_is_named_and_left_as_it_is() {
    let garbage: fn(&Path) = |path| {
        let mut bytes = fs::read(path).unwrap();
        bytes[..100].fill(0xa5);
        fs::write(path, bytes).unwrap();
    };
    let cut: fn(&Path) = |path| {
        let file = File::options().write(true).open(path).unwrap();
        file.set_len(file.metadata().unwrap().len() / 8192 * 4096).unwrap();
    };
    let stump: fn(&Path) = |path| File::options().write(true).open(path).unwrap().set_len(50).unwrap();
    let foreign: fn(&Path) = |path| {
        fs::remove_file(path).unwrap();
        Connection::open(path).unwrap().execute_batch("CREATE TABLE theirs (a)").unwrap();
    };
    let emptied: fn(&Path) = |path| {
        fs::copy(path, path.with_extension("db-wal")).unwrap();
        File::create(path).unwrap();
    };
    let cases: [Case; 10] = [
        ("parlor.db", "garbage", garbage, "is not the log of a parlor"),
        ("parlor.db", "cut", cut, "is damaged"),
        ("parlor.db", "stump", stump, "is damaged"),
        ("parlor.db", "foreign", foreign, "is not the log of a parlor"),
        ("parlor.db", "emptied", emptied, "is damaged"),
        ("people.db", "garbage", garbage, "is not what a parlor knows of people"),
        ("people.db", "cut", cut, "is damaged"),
        ("people.db", "stump", stump, "is damaged"),
        ("people.db", "foreign", foreign, "is not what a parlor knows of people"),
        ("people.db", "emptied", emptied, "is damaged"),
    ];
    let whole = furnished().await;
    for file in ["parlor.db-wal", "people.db-wal"] {
        assert!(!whole.path().join(file).exists(), "after an orderly end each is one file");
    }
    for (file, name, spoil, sentence) in cases {
        let folder = TempDir::new().unwrap();
        for file in ["parlor.db", "people.db"] {
            fs::copy(whole.path().join(file), folder.path().join(file)).unwrap();
        }
        let path = folder.path().join(file);
        spoil(&path);
        let before = fs::read(&path).unwrap();
        let said = refusal(Program::command(folder.path()), folder.path());
        assert!(said.contains(&path.display().to_string()), "{file}, {name}: {said}");
        assert!(said.contains(sentence) && said.contains("move it away"), "{file}, {name}: {said}");
        assert!(fs::read(&path).unwrap() == before, "{file}, {name} was changed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_damaged_costs_what_is_in_it_and_nothing_else() {
    let mut server = TestServer::start().await;
    let mut alice = in_room(server.port, "alice").await;
    alice.join("#b", 0, None).await;
    // One to a page, more or less.
    for n in 1..=400 {
        let text = format!("number {n}. {}", "x".repeat(3_000));
        assert_eq!(alice.send("#a", &text).await, n);
        if n % 20 == 0 {
            alice.send("#b", "beside it").await;
        }
    }
    alice.quit().await;
    server.stop().await;
    let path = server.data().join("parlor.db");
    let mut bytes = fs::read(&path).unwrap();
    // It may also stand where the journal was, which nobody reads any more.
    let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"number 200.")).collect();
    for at in places {
        let page = at / 4096 * 4096;
        bytes[page..page + 4096].fill(0xa5);
    }
    fs::write(&path, bytes).unwrap();

    let server = server.start_again().await;
    let mut bob = in_room(server.port, "bob").await;
    // Who reads there has what is before it, and a reason.
    let mut seen = Vec::new();
    let reason = loop {
        match bob.event().await.expect("the connection ended without a reason") {
            Event::Entry(entry) => seen.push(entry.seq),
            Event::Bye(bye) => break bye.reason,
            _ => {}
        }
    };
    assert_eq!(reason, Reason::Storage);
    assert_eq!(seen, (1..=seen.len() as u64).collect::<Vec<_>>());
    assert!((50..200).contains(&seen.len()), "{}", seen.len());
    let mut carol = TestClient::connect(server.port, "carol").await;
    for (place, seq) in [("around", 200), ("after", 195), ("before", 205)] {
        let failure = history(&mut carol, "#a", place, seq).await.unwrap_err();
        assert_eq!((failure.code, failure.re), (ErrorCode::Storage, Some(request("h"))));
    }
    // Before it, behind it, and beside it all is as ever: what is settled together is 64 KiB.
    for (place, seq, first) in [("before", 170, 150), ("after", 230, 231)] {
        let page = history(&mut carol, "#a", place, seq).await.unwrap();
        assert_eq!(page.entries.len(), 20);
        assert_eq!(page.entries[0].seq, first);
    }
    carol.join("#a", 230, None).await;
    assert_eq!(seqs(&carol.entries(170).await), (231..=400).collect::<Vec<_>>());
    assert_eq!(carol.send("#a", "and on").await, 401);
    assert_eq!(carol.entry().await.seq, 401);
    assert_eq!(log_of(server.port, "#b").await.len(), 20);
    carol.join("#b", 20, None).await;
    assert_eq!(carol.send("#b", "here too").await, 21);
}

fn request(id: &str) -> RequestId {
    serde_json::from_value(id.into()).unwrap()
}

/// What was not yet written into the one file is lost with another: it is said, and the rest is as it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_lost_beside_the_log_costs_what_was_in_it_and_nothing_else() {
    type Loss = fn(&Path);
    let remove: Loss = |path| fs::remove_file(path).unwrap();
    let spoil: Loss = |path| fs::write(path, vec![0xa5; 100_000]).unwrap();
    for (file, lose, told) in [
        ("parlor.db-wal", remove, Some("the log ends before the journal goes on")),
        ("parlor.db-wal", spoil, Some("no write-ahead log any more")),
        ("parlor.journal", remove, None),
        ("parlor.journal", spoil, Some("the end of the journal is damaged")),
    ] {
        let folder = furnished().await;
        let before = log_of(Program::serve(folder.path(), 0, &[]).port, "#a").await;
        let mut program = Program::serve(folder.path(), 0, &["--unlimited"]);
        let mut bob = in_room(program.port, "bob").await;
        bob.join("#b", 0, None).await;
        for n in 21..=25 {
            assert_eq!(bob.send("#a", "in the journal").await, n);
        }
        // A new room is in the tables, and all that was said before it.
        assert_eq!(bob.send("#b", "in the write-ahead log").await, 1);
        for n in 26..=30 {
            assert_eq!(bob.send("#a", "in the journal alone").await, n);
        }
        program.kill();
        lose(&folder.path().join(file));
        let program = Program::serve(folder.path(), 0, &["--unlimited"]);
        let after = log_of(program.port, "#a").await;
        assert_eq!((after.len(), &after[..20]), (25, &before[..]), "{file}");
        // A client that has seen more is told where the log ends.
        let mut bob = TestClient::connect(program.port, "bob").await;
        assert_eq!(bob.join("#a", 30, None).await.room.unwrap().last, 25);
        assert_eq!(bob.send("#a", "goes on").await, 26);
        assert_eq!(bob.entry().await.seq, 26);
        bob.join("#b", 0, None).await;
        let last = if file == "parlor.journal" { 1 } else { 0 };
        assert_eq!(bob.send("#b", "goes on").await, last + 1);
        let said = fs::read_to_string(folder.path().join(COMPLAINTS)).unwrap();
        let sentences =
            ["the log ends before", "no write-ahead log any more", "the end of the journal is damaged"];
        assert_eq!(sentences.iter().any(|sentence| said.contains(sentence)), told.is_some(), "{said}");
        assert!(told.is_none_or(|told| said.contains(told)), "{file}: {said}");
    }
}

/// The statements that made the tables of a file.
fn schema(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut statement =
        connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid").unwrap();
    let statements = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    statements.filter(|sql| !sql.as_ref().unwrap().contains("sqlite_sequence")).map(Result::unwrap).collect()
}

/// A start that was killed while it made the tables, after each of them in turn. The next one makes them.
#[tokio::test(flavor = "multi_thread")]
async fn tables_that_were_not_finished_are_made_again() {
    let whole = furnished().await;
    for file in ["parlor.db", "people.db"] {
        let statements = schema(&whole.path().join(file));
        assert!(statements.len() >= 3, "{statements:?}");
        for made in 0..=statements.len() {
            let (workshop, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
            let path = workshop.path().join(file);
            File::create(&path).unwrap();
            if made > 0 {
                let connection = Connection::open(&path).unwrap();
                // Nothing waits in memory: what was done is in the files.
                connection.execute_batch("PRAGMA journal_mode=WAL; PRAGMA cache_size=1; BEGIN;").unwrap();
                connection.execute_batch(&statements[..made].join(";\n")).unwrap();
                connection
                    .execute_batch("CREATE TABLE filler (a); INSERT INTO filler VALUES (zeroblob(100000));")
                    .unwrap();
                for suffix in ["", "-wal"] {
                    let name = format!("{file}{suffix}");
                    fs::copy(workshop.path().join(&name), folder.path().join(&name)).unwrap();
                }
                assert!(fs::metadata(folder.path().join(format!("{file}-wal"))).unwrap().len() > 50_000);
            } else {
                fs::copy(&path, folder.path().join(file)).unwrap();
            }
            let mut program = Program::serve(folder.path(), 0, &["--unlimited"]);
            let mut alice = in_room(program.port, "alice").await;
            assert_eq!(alice.send("#a", "works").await, 1);
            alice.quit().await;
            program.kill();
            assert_eq!(schema(&folder.path().join(file)), statements, "after {made} statements");
        }
    }
}
