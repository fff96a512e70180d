//! Promise 1: all members see a room's entries in the same order, each `seq` once, no gaps.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{TestClient, TestServer, message, room};
use parlor::protocol::command::{Command, History, Place, Send, SetTopic};
use parlor::protocol::event::{Entry, EntryKind, ErrorCode, Event};
use parlor::protocol::text::{Line, Text};
use uuid::Uuid;

const SENDERS: usize = 50;
const EACH: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_senders_and_everyone_agrees_on_the_order() {
    let server = TestServer::start().await;
    let mut watchers = Vec::new();
    for n in 0..3 {
        let mut watcher = server.client(&format!("watcher{n}")).await;
        watcher.join("#a", 0, None).await;
        watchers.push(tokio::spawn(async move { take(&mut watcher).await }));
    }
    let mut senders = Vec::new();
    for n in 0..SENDERS {
        let mut sender = server.client(&format!("sender{n}")).await;
        sender.join("#a", 0, None).await;
        senders.push(tokio::spawn(async move {
            for text in 0..EACH {
                sender.say(Command::Send(message("#a", &format!("{n}:{text}")))).await;
            }
            take(&mut sender).await
        }));
    }
    let mut views = Vec::new();
    for view in senders.into_iter().chain(watchers) {
        views.push(view.await.unwrap());
    }
    // One who comes later reads it all from the log.
    let mut late = server.client("late").await;
    late.join("#a", 0, None).await;
    let log = take(&mut late).await;
    assert_eq!(log.iter().map(|entry| entry.seq).collect::<Vec<_>>(), (1..=2000).collect::<Vec<_>>());
    for view in views {
        assert_eq!(view, log);
        assert!(view.iter().zip(&log).all(|(a, b)| a.text == b.text));
    }
    for n in 0..SENDERS {
        let name = format!("sender{n}");
        let own: Vec<_> = log.iter().filter(|entry| entry.from.as_str() == name).collect();
        let said: Vec<_> = own.iter().map(|entry| entry.text.as_str().to_owned()).collect();
        assert_eq!(said, (0..EACH).map(|text| format!("{n}:{text}")).collect::<Vec<_>>());
    }
}

/// Heard as it is said, read from the log, read as a page, before a restart and after: the same in every field.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_the_same_by_whatever_way_it_comes() {
    let server = TestServer::start().await;
    let mut alice = server.client("alice").await;
    alice.join("#a", 0, None).await;
    let plain = message("#a", "plain");
    let send = |text: &str| Send { id: Uuid::now_v7(), text: Text::new(text).unwrap(), ..plain.clone() };
    let topic = |text: &str| SetTopic { id: Uuid::now_v7(), room: room("#a"), text: Line::lossy(text) };
    let commands = vec![
        Command::Send(plain.clone()),
        Command::Send(send("two\n\tlines, \"quotes\", \u{7f} and 👩‍👩‍👧")),
        Command::Send(Send { action: true, ..send("waves") }),
        Command::Topic(topic("a topic")),
        Command::Topic(topic("")),
        Command::Topic(topic("the last one")),
    ];
    let count = commands.len() + 1;
    for command in commands {
        alice.say(command).await;
    }
    let mut heard = alice.entries(count - 1).await;
    assert_eq!(heard[3].kind, EntryKind::Topic);
    alice.submit(Send { reply_to: Some(1), ..send("to the first") }).await.unwrap();
    heard.extend(alice.entries(1).await);
    assert_eq!(heard[count - 1].reply_to, Some(1));
    alice.quit().await;

    let mut server = server;
    for restarts in 0..2 {
        let mut late = server.client("late").await;
        let ok = late.join("#a", 0, None).await;
        assert_eq!(ok.room.unwrap().topic.as_str(), "the last one");
        for (live, stored) in heard.iter().zip(late.entries(count).await) {
            assert_eq!(live, &stored, "after {restarts} restarts");
            assert_eq!(live.text.as_str(), stored.text.as_str());
        }
        let page =
            Command::History(History { id: None, room: room("#a"), place: Place::After(0), limit: 99 });
        late.say(page).await;
        let page = late.until(|event| match event {
            Event::Page(page) => Some(page.entries),
            _ => None,
        });
        assert_eq!(page.await, heard);
        late.quit().await;
        server = server.restart().await;
    }
}

#[tokio::test]
async fn only_what_was_said_can_be_answered() {
    let server = TestServer::start().await;
    let mut alice = server.client("alice").await;
    alice.join("#a", 0, None).await;
    for (seq, reply_to, answer) in [
        (0, 1, None),
        (0, u64::MAX, None),
        (0, 0, None),
        (1, 1, Some(2)),
        (2, 3, None),
        (2, 0, None),
        (2, u64::MAX, None),
    ] {
        if seq == 1 {
            assert_eq!(alice.send("#a", "first").await, 1);
        }
        let send = Send { reply_to: Some(reply_to), ..message("#a", "an answer") };
        let id = send.id;
        alice.say(Command::Send(send)).await;
        let answered = alice.answer(&id.into()).await;
        let answered = answered.map(|ok| ok.seq).map_err(|failure| failure.code);
        assert_eq!(answered, answer.map(Some).ok_or(ErrorCode::NoSuchEntry), "{reply_to} after {seq}");
    }
}

/// What was said by one who came, spoke and left at once is there, in a room that only came to be by it.
#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_and_leaves_at_once_has_spoken() {
    let server = TestServer::start().await;
    for n in 0..20 {
        let name = format!("#room{n}");
        let mut hasty = server.client("hasty").await;
        let said = message(&name, "said");
        let topic = SetTopic { id: Uuid::now_v7(), room: room(&name), text: Line::lossy("in haste") };
        let join = common::join(&name, 0);
        let mut line = Vec::new();
        for command in
            [join, Command::Send(said.clone()), Command::Topic(topic), Command::Bye(Default::default())]
        {
            line.extend(parlor::protocol::frame::Frame::encode(&command).into_bytes());
        }
        hasty.write(&line).await;
        hasty.bye().await;
        let mut late = server.client("late").await;
        let found = late.join(&name, 0, None).await.room.unwrap();
        assert_eq!((found.last, found.topic.as_str()), (2, "in haste"), "{name}");
        assert_eq!(late.entries(2).await[0].id, said.id);
        late.quit().await;
    }
}

async fn take(client: &mut TestClient) -> Vec<Entry> {
    let mut entries = Vec::new();
    while entries.len() < SENDERS * EACH {
        entries.push(client.entry().await);
    }
    entries
}
