//! The bots in examples/ do what they say, against a real server.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::Path;
use std::process::{Child, Command as Process, Stdio};

use common::{Program, TestClient, TestServer};
use parlor::protocol::command::{Command, Delete, Edit};
use parlor::protocol::event::{Entry, EntryKind, Event};
use parlor::protocol::invite::{Invite, Pin};
use parlor::protocol::text::Text;
use tempfile::TempDir;
use uuid::Uuid;

/// A bot in a process of its own. Killed when dropped.
struct Bot(Child);

impl Bot {
    fn start(script: &str, port: u16, args: &[&str]) -> Self {
        let parlor = Path::new(env!("CARGO_BIN_EXE_parlor"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(
            std::iter::once(parlor.parent().unwrap().to_owned()).chain(std::env::split_paths(&path)),
        );
        let child = Process::new("python3")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(script))
            .args(args)
            .env("PATH", path.unwrap())
            .envs(common::HOMES.map(|name| (name, env!("CARGO_TARGET_TMPDIR"))))
            .env("PARLOR_SERVER", common::plain_invite(port))
            .stdin(Stdio::null())
            .spawn();
        Self(child.expect("python3 cannot be run: the examples are tested with it, install it"))
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Waits until `nick` is in the room.
async fn comes(client: &mut TestClient, nick: &str) {
    client
        .until(|event| match event {
            Event::Presence(presence) => {
                let mut here = presence.people.iter().flatten().chain(&presence.joined);
                here.any(|person| person.nick.as_str() == nick).then_some(())
            }
            _ => None,
        })
        .await;
}

/// The next entry from `nick`.
async fn from(client: &mut TestClient, nick: &str) -> Entry {
    loop {
        let entry = client.entry().await;
        if entry.from.as_str() == nick {
            return entry;
        }
    }
}

#[tokio::test]
async fn the_bot_written_from_the_document_answers_and_comes_back() {
    let folder = TempDir::new().unwrap();
    let mut server = Program::serve(folder.path(), 0, &[]);
    let port = server.port;
    let mut alice = TestClient::connect(port, "alice").await;
    alice.join("#bots", 0, None).await;
    alice.send("#bots", "!echo before it came").await;
    let _bot = Bot::start("bot.py", port, &[&format!("parlor://127.0.0.1:{port}/#Bots?plain")]);
    comes(&mut alice, "bot").await;
    let asked = alice.send("#bots", "!echo 你好 👩‍👩‍👧").await;
    let answer = from(&mut alice, "bot").await;
    assert_eq!((answer.text.as_str(), answer.reply_to), ("你好 👩‍👩‍👧", Some(asked)));
    alice.send("#bots", "!time").await;
    assert!(from(&mut alice, "bot").await.text.as_str().ends_with('Z'));

    // It follows what becomes of a question, likes thanks, and finds what was said.
    let (seq, room) = (asked, common::room("#bots"));
    let text = Text::new("!echo 再见").unwrap();
    alice.say(Command::Edit(Edit { id: Uuid::now_v7(), room: room.clone(), seq, text })).await;
    let edited = from(&mut alice, "bot").await;
    assert_eq!((edited.kind, edited.target), (EntryKind::Edited, Some(answer.seq)));
    assert_eq!(edited.text.as_str(), "再见");
    alice.say(Command::Delete(Delete { id: Uuid::now_v7(), room, seq })).await;
    let deleted = from(&mut alice, "bot").await;
    assert_eq!((deleted.kind, deleted.target), (EntryKind::Deleted, Some(answer.seq)));
    let thanks = alice.send("#bots", "thanks").await;
    let liked = from(&mut alice, "bot").await;
    assert_eq!((liked.kind, liked.target, liked.text.as_str()), (EntryKind::Reacted, Some(thanks), "❤️"));
    alice.send("#bots", "the needle is here").await;
    // The index may be a moment behind.
    let found = loop {
        alice.send("#bots", "!find needle").await;
        let found = from(&mut alice, "bot").await;
        if found.text.as_str() != "nothing" {
            break found;
        }
    };
    assert_eq!(found.text.as_str(), "the needle is here");

    server.kill();
    let mut elsewhere = Program::serve(folder.path(), 0, &[]);
    let mut alice = TestClient::connect(elsewhere.port, "alice").await;
    alice.join("#bots", 0, Some(0)).await;
    let missed = alice.send("#bots", "!echo while it was away").await;
    elsewhere.kill();
    let _server = Program::serve(folder.path(), port, &[]);
    let mut alice = TestClient::connect(port, "alice").await;
    alice.join("#bots", missed, None).await;
    let answer = from(&mut alice, "bot").await;
    assert_eq!((answer.text.as_str(), answer.reply_to), ("while it was away", Some(missed)));
    alice.send("#bots", "!echo once").await;
    assert_eq!(from(&mut alice, "bot").await.text.as_str(), "once");
}

#[tokio::test]
async fn the_bot_written_from_the_document_comes_in_through_a_closed_door() {
    let server = TestServer::closed().await;
    let invite = |port, fingerprint| Invite {
        room: Some(common::room("#bots")),
        pin: Some(Pin::of(&fingerprint)),
        passphrase: server.words.clone(),
        ..Invite::to(common::loopback(port))
    };
    let line = invite(server.port, server.fingerprint.unwrap());
    let _bot = Bot::start("bot.py", server.port, &[&line.to_string()]);
    let mut alice = server.client_inside("alice").await;
    alice.join("#bots", 0, None).await;
    comes(&mut alice, "bot").await;
    alice.send("#bots", "!echo inside").await;
    assert_eq!(from(&mut alice, "bot").await.text.as_str(), "inside");

    // And keeps away from a server that is not the one of its invite.
    let other = TestServer::closed().await;
    let mut bot =
        Bot::start("bot.py", other.port, &[&invite(other.port, server.fingerprint.unwrap()).to_string()]);
    // Not on this thread: the server is on it.
    let ended = tokio::task::spawn_blocking(move || common::exit_within(&mut bot.0, common::PATIENCE));
    assert_eq!(ended.await.unwrap().unwrap().code(), Some(1));
}

#[tokio::test]
async fn the_bot_takes_another_nick_when_its_own_is_taken() {
    let folder = TempDir::new().unwrap();
    let server = Program::serve(folder.path(), 0, &[]);
    let mut bot = TestClient::connect(server.port, "bot").await;
    bot.join("#lobby", 0, None).await;
    let _bot = Bot::start("bot.py", server.port, &[&common::plain_invite(server.port)]);
    let came = bot
        .until(|event| match event {
            Event::Presence(presence) => {
                presence.joined.into_iter().map(|person| person.nick).find(|nick| nick.as_str() != "bot")
            }
            _ => None,
        })
        .await;
    assert!(came.as_str().starts_with("bot"), "{came}");
}

#[tokio::test]
async fn a_bot_of_ten_lines_works_over_pipe() {
    let source = include_str!("../examples/echo.py");
    assert!(source.lines().count() <= 10);
    assert!(include_str!("../examples/bot.py").lines().count() <= 90);
    let folder = TempDir::new().unwrap();
    let server = Program::serve(folder.path(), 0, &[]);
    let mut alice = TestClient::connect(server.port, "alice").await;
    alice.join("#lobby", 0, None).await;
    let _bot = Bot::start("echo.py", server.port, &[]);
    comes(&mut alice, "echo").await;
    let asked = alice.send("#lobby", "!echo 漢字").await;
    let answer = from(&mut alice, "echo").await;
    assert_eq!((answer.text.as_str(), answer.reply_to), ("漢字", Some(asked)));
}
