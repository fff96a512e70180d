//! The host and operators see from where others are here; nobody else does. And what time it is there.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{TestClient, TestServer, nick, room, unlimited};
use parlor::protocol::command::{Command, Hello, InRoom, OfNick, Ping, RequestId, SetRole};
use parlor::protocol::event::{Event, Role, SessionInfo};
use parlor::protocol::frame::Frame;
use parlor::protocol::limits::AGENT_BYTES;
use parlor::protocol::proof::KeyPair;
use parlor::protocol::text::Line;
use parlor::protocol::time::Time;

/// Whose key it is that begins with this byte.
fn key(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32]).unwrap()
}

const HOST: u8 = 1;

/// Comes in with a key, or as a guest, from an address of this machine, by a program that calls itself so.
async fn come(server: &TestServer, name: &str, seed: Option<u8>, from: u8, agent: &str) -> TestClient {
    let agent = Line::lossy(agent);
    let pair = seed.map(key);
    let come =
        TestClient::come_from((server.port, from), name, pair.as_ref(), |hello| Hello { agent, ..hello });
    come.await.expect("refused")
}

fn id() -> Option<RequestId> {
    Some(RequestId::from(uuid::Uuid::now_v7()))
}

/// What is told of the connections of somebody, and of those in #a, to this one; with all that was said of them as JSON.
async fn told(client: &mut TestClient, name: &str) -> (Vec<SessionInfo>, Vec<SessionInfo>, String) {
    client.say(Command::Whois(OfNick { id: id(), nick: nick(name) })).await;
    let whois = client.until(|event| if let Event::Whois(whois) = event { Some(whois) } else { None }).await;
    client.say(Command::Who(InRoom { id: id(), room: room("#a") })).await;
    let people =
        client.until(|event| if let Event::People(people) = event { Some(people) } else { None }).await;
    assert_eq!(people.here, 3);
    let json = [Frame::encode(&Event::Whois(whois.clone())), Frame::encode(&Event::People(people.clone()))];
    let json = json.map(|frame| String::from_utf8(frame.json().to_vec()).unwrap()).concat();
    (whois.sessions, people.sessions, json)
}

#[tokio::test]
async fn only_those_who_keep_order_are_told_from_where_others_are_here() {
    let before = Time::now();
    let server = TestServer::of_host(key(HOST).public(), unlimited()).await;
    let mut host = come(&server, "host", Some(HOST), 1, "parlor host").await;
    let mut bob = come(&server, "bob", Some(2), 7, "parlor 9").await;
    let long = "x".repeat(500);
    let mut guest = come(&server, "guest", None, 8, &long).await;
    // On another device, which sits in no room.
    let _phone = come(&server, "bob", Some(2), 9, "").await;
    for client in [&mut host, &mut bob, &mut guest] {
        client.join("#a", 0, None).await;
    }

    let (bobs, in_room, _) = told(&mut host, "bob").await;
    let is = |info: &SessionInfo| {
        assert!((before..=Time::now()).contains(&info.since), "{info:?}");
        (info.nick.to_string(), info.address.unwrap().to_string(), info.agent.to_string())
    };
    let mut bobs: Vec<_> = bobs.iter().map(is).collect();
    bobs.sort();
    let row = |nick: &str, from: &str, agent: &str| (nick.to_owned(), from.to_owned(), agent.to_owned());
    assert_eq!(bobs, [row("bob", "127.0.0.7", "parlor 9"), row("bob", "127.0.0.9", "")]);
    let in_room: Vec<_> = in_room.iter().map(is).collect();
    let short = long[..AGENT_BYTES].to_owned();
    let guests = row("guest", "127.0.0.8", &short);
    assert_eq!(
        in_room,
        [row("bob", "127.0.0.7", "parlor 9"), guests, row("host", "127.0.0.1", "parlor host")]
    );

    // Nobody else, not even about themselves; not in the answers nor in what comes by itself.
    for client in [&mut bob, &mut guest] {
        for name in ["bob", "guest", "host"] {
            let (theirs, in_room, json) = told(client, name).await;
            assert_eq!((theirs, in_room), (vec![], vec![]), "{json}");
            let tells = ["127.0.0", "sessions", "addresses", "agent", "parlor 9", "since"];
            assert!(!tells.iter().any(|told| json.contains(told)), "{json}");
        }
    }
    // Whoever becomes an operator sees it from then on, and no longer than that.
    for (role, sees) in [(Role::Operator, true), (Role::Member, false)] {
        let re = id();
        host.say(Command::Role(SetRole { id: re.clone(), nick: nick("bob"), role })).await;
        host.until(|event| matches!(event, Event::Ok(okay) if okay.re == re).then_some(())).await;
        let (theirs, in_room, json) = told(&mut bob, "guest").await;
        assert_eq!((theirs.len(), in_room.len()), if sees { (1, 3) } else { (0, 0) }, "{json}");
    }
}

#[tokio::test]
async fn a_ping_that_says_when_it_was_sent_is_told_when_it_came() {
    let server = TestServer::of_host(key(HOST).public(), unlimited()).await;
    let mut alice = come(&server, "alice", None, 1, "").await;
    let sent = Time::from_millis(1_000_000_000_123);
    let before = Time::now();
    alice.say(Command::Ping(Ping { id: id(), sent: Some(sent) })).await;
    let pong = alice.until(|event| if let Event::Pong(pong) = event { Some(pong) } else { None }).await;
    let received = pong.received.unwrap();
    assert_eq!(pong.sent, Some(sent));
    assert!(before <= received && received <= pong.now && pong.now <= Time::now(), "{pong:?}");
    // One that does not, as of a bot, is answered as ever.
    alice.say(Command::Ping(Ping { id: id(), sent: None })).await;
    let pong = alice.until(|event| if let Event::Pong(pong) = event { Some(pong) } else { None }).await;
    assert_eq!((pong.sent, pong.received), (None, None));
}
