//! Promise 3: each message carries an id chosen by its sender; sent again after a lost answer, it appears once.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::HashMap;

use common::{TestClient, TestServer, join, log_of, message, nick, soon};
use parlor::protocol::command::{Command, RequestId, Send};
use parlor::protocol::event::{Entry, ErrorCode, Event};
use parlor::protocol::frame::Frame;
use uuid::Uuid;

fn bytes_of(send: &Send) -> Vec<u8> {
    Frame::encode(&Command::Send(send.clone())).into_bytes().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_has_the_same_seq_wherever_and_whenever_it_is_sent_again() {
    let server = TestServer::start().await;
    let mut alice = server.client("alice").await;
    let mut bob = server.client("bob").await;
    alice.join("#a", 0, None).await;
    bob.join("#a", 0, None).await;
    let sends: Vec<Send> = (0..4).map(|n| message("#a", &format!("text {n}"))).collect();

    // Twice in one write, so that both are in one commit.
    alice.write(&[bytes_of(&sends[0]), bytes_of(&sends[0])].concat()).await;
    let id = RequestId::from(sends[0].id);
    for _ in 0..2 {
        assert_eq!(alice.answer(&id).await.unwrap().seq, Some(1));
    }
    // One after the other; with another text, which changes nothing.
    assert_eq!(alice.submit(sends[1].clone()).await, Ok(2));
    assert_eq!(alice.submit(sends[1].clone()).await, Ok(2));
    assert_eq!(alice.submit(Send { text: sends[2].text.clone(), ..sends[1].clone() }).await, Ok(2));
    // On another connection, and by somebody else.
    alice.quit().await;
    let mut alice = server.client("alice").await;
    alice.join("#a", 0, None).await;
    assert_eq!(alice.submit(sends[0].clone()).await, Ok(1));
    assert_eq!(bob.submit(sends[1].clone()).await, Ok(2));
    assert_eq!(alice.submit(sends[2].clone()).await, Ok(3));
    // By two at once.
    let both = tokio::join!(alice.submit(sends[3].clone()), bob.submit(sends[3].clone()));
    assert_eq!(both, (Ok(4), Ok(4)));

    // After a restart.
    drop((alice, bob));
    let server = server.restart().await;
    let mut alice = server.client("alice").await;
    alice.join("#a", 0, None).await;
    for (send, seq) in sends.iter().zip(1..) {
        assert_eq!(alice.submit(send.clone()).await, Ok(seq));
    }
    assert_eq!(alice.send("#a", "new").await, 5);
    let log = log_of(server.port, "#a").await;
    let ids: Vec<Uuid> = log.iter().map(|entry| entry.id).collect();
    assert_eq!(ids[..4], sends.iter().map(|send| send.id).collect::<Vec<_>>());
    assert_eq!(log.len(), 5);
    assert_eq!(log[1].text.as_str(), "text 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_another_room_is_refused_and_stores_nothing() {
    let server = TestServer::start().await;
    let mut alice = server.client("alice").await;
    alice.join("#a", 0, None).await;
    alice.join("#b", 0, None).await;
    let send = message("#a", "here");
    assert_eq!(alice.submit(send.clone()).await, Ok(1));
    let there = Send { room: common::room("#b"), ..send };
    assert_eq!(alice.submit(there).await.unwrap_err().code, ErrorCode::BadRequest);
    assert_eq!(alice.send("#b", "first").await, 1);
    assert_eq!(log_of(server.port, "#a").await.len(), 1);
}

/// The connection ends after each byte of a message in turn; the client comes back and sends again what it has
/// no answer for.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_cut_anywhere_and_sent_again_appears_once() {
    let server = TestServer::start().await;
    let mut expected = Vec::new();
    let mut token = None;
    let mut cut = 0;
    loop {
        let first = message("#a", &format!("first {cut}"));
        let second = message("#a", &format!("second {cut}"));
        let second_bytes = bytes_of(&second);
        if cut > second_bytes.len() {
            break;
        }
        let mut broken = TestClient::try_connect(server.port, "alice", token).await.unwrap();
        broken.join("#a", u64::MAX, None).await;
        broken.write(&[&bytes_of(&first), &second_bytes[..cut]].concat()).await;
        // At times the first answer is lost too.
        if cut % 2 == 0 {
            assert!(broken.answer(&first.id.into()).await.is_ok());
        }
        let lingering = broken.ready.session;
        drop(broken);
        let mut back = TestClient::try_connect(server.port, "alice", Some(lingering)).await.unwrap();
        back.join("#a", u64::MAX, None).await;
        let seq = back.submit(first.clone()).await.unwrap();
        assert_eq!(back.submit(second.clone()).await, Ok(seq + 1));
        token = Some(back.ready.session);
        expected.extend([first.id, second.id]);
        cut += 1;
    }
    let log: Vec<Uuid> = log_of(server.port, "#a").await.iter().map(|entry| entry.id).collect();
    assert_eq!(log, expected);
}

/// What a client must keep over a break: what it has no answer for, and its cursor.
#[derive(Default)]
struct Memory {
    unanswered: Vec<Send>,
    seen: Vec<Entry>,
    token: Option<Uuid>,
}

impl Memory {
    fn take(&mut self, event: Event) {
        match event {
            Event::Entry(entry) => {
                assert_eq!(entry.seq, self.seen.len() as u64 + 1, "the next one, after a break too");
                self.seen.push(entry);
            }
            Event::Ok(ok) if ok.seq.is_some() => {
                self.unanswered.retain(|send| Some(RequestId::from(send.id)) != ok.re);
            }
            Event::Error(failure) => panic!("{failure}"),
            _ => {}
        }
    }
}

/// A bad line: it breaks again and again, in the middle of a frame, and with answers on their way.
#[tokio::test(flavor = "multi_thread")]
async fn over_a_line_that_keeps_breaking_everything_is_said_and_seen_once() {
    const MESSAGES: usize = 150;
    let mut chance = fastrand::Rng::with_seed(7);
    let server = TestServer::start().await;
    let sends: Vec<Send> = (0..MESSAGES).map(|n| message("#a", &n.to_string())).collect();
    let mut memory = Memory { unanswered: sends.clone(), ..Memory::default() };
    let mut breaks = 0;
    while !memory.unanswered.is_empty() {
        let mut client = TestClient::try_connect(server.port, "alice", memory.token).await.unwrap();
        memory.token = Some(client.ready.session);
        let cursor = memory.seen.len() as u64;
        client.say(join("#a", cursor)).await;
        let mut line: Vec<u8> = Vec::new();
        let mut ends = Vec::new();
        for send in memory.unanswered.iter().take(10) {
            line.extend(bytes_of(send));
            ends.push(line.len());
        }
        let cut = chance.usize(1..=line.len());
        let whole = ends.iter().filter(|end| **end <= cut).count();
        client.write(&line[..cut]).await;
        // Some of the answers that must come are waited for, the others are lost.
        let mut wait_for = chance.usize(0..=whole);
        while wait_for > 0 {
            let event = client.event().await.expect("the connection ended");
            wait_for -= usize::from(matches!(&event, Event::Ok(ok) if ok.seq.is_some()));
            memory.take(event);
        }
        drop(client);
        breaks += 1;
    }
    assert!(breaks > 20, "the line was not that bad");
    let mut back = TestClient::try_connect(server.port, "alice", memory.token).await.unwrap();
    back.join("#a", memory.seen.len() as u64, None).await;
    while memory.seen.len() < MESSAGES {
        memory.take(back.event().await.unwrap());
    }
    for event in back.drain().await {
        memory.take(event);
    }
    let said: Vec<Uuid> = sends.iter().map(|send| send.id).collect();
    assert_eq!(memory.seen.iter().map(|entry| entry.id).collect::<Vec<_>>(), said);
    back.quit().await;
    let log = soon(log_of(server.port, "#a")).await;
    assert_eq!(log, memory.seen);
    let by: HashMap<_, usize> = log.iter().fold(HashMap::new(), |mut by, entry| {
        *by.entry(entry.from.clone()).or_default() += 1;
        by
    });
    assert_eq!(by, HashMap::from([(nick("alice"), MESSAGES)]));
}
