//! What is told of people in passing: that they are typing, and that they are away.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{TestClient, TestServer, nick, room, unlimited};
use parlor::protocol::command::{Command, InRoom, Judgement, OfNick, SetAway};
use parlor::protocol::event::{ErrorCode, Event, Typing};
use parlor::protocol::limits::TYPING_TOLD;
use parlor::protocol::proof::KeyPair;
use parlor::protocol::text::Line;

/// Whose key it is that begins with this byte.
fn key(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32]).unwrap()
}

const HOST: u8 = 1;
const ALICE: u8 = 2;

async fn parlor() -> TestServer {
    TestServer::of_host(key(HOST).public(), unlimited()).await
}

async fn types(client: &mut TestClient, name: &str) {
    client.say(Command::Typing(InRoom { id: None, room: room(name) })).await;
}

/// What a client has been told of those who type, once all of it has come.
async fn typing(client: &mut TestClient) -> Vec<Typing> {
    let told = client.drain().await.into_iter().filter_map(|event| match event {
        Event::Typing(typing) => Some(typing),
        _ => None,
    });
    told.collect()
}

#[tokio::test]
async fn the_others_hear_that_somebody_types_and_not_too_often() {
    let server = parlor().await;
    let mut alice = server.client_of("alice", &key(ALICE)).await;
    let mut phone = server.client_of("alice", &key(ALICE)).await;
    let mut guest = server.client("guest").await;
    types(&mut alice, "#a").await;
    assert_eq!(alice.failure().await.code, ErrorCode::NotInRoom);
    for client in [&mut alice, &mut phone, &mut guest] {
        client.join("#a", 0, None).await;
    }
    let told = |name: &str| Typing { room: room("#a"), nick: nick(name) };
    for _ in 0..5 {
        types(&mut alice, "#a").await;
    }
    // Nothing is answered, and nobody is told of themself.
    let is_told = |event: &Event| matches!(event, Event::Ok(_) | Event::Error(_) | Event::Typing(_));
    assert!(!alice.drain().await.iter().any(is_told));
    assert_eq!(typing(&mut guest).await, [told("alice")]);
    types(&mut guest, "#a").await;
    assert_eq!(typing(&mut guest).await, []);
    assert_eq!(typing(&mut alice).await, [told("guest")]);
    let mut late = server.client("late").await;
    let late_last = late.join("#a", 0, None).await.room.unwrap().last;
    assert_eq!((late_last, typing(&mut late).await), (0, vec![]), "it is in no log");
    // The other device is the same person.
    assert_eq!(typing(&mut phone).await, [told("guest")]);
}

#[tokio::test]
async fn a_guest_is_heard_and_who_is_muted_is_not() {
    let server = parlor().await;
    let mut host = server.client_of("host", &key(HOST)).await;
    let mut guest = server.client("guest").await;
    for client in [&mut host, &mut guest] {
        client.join("#a", 0, None).await;
        client.join("#b", 0, None).await;
    }
    types(&mut guest, "#a").await;
    guest.drain().await;
    assert_eq!(typing(&mut host).await, [Typing { room: room("#a"), nick: nick("guest") }]);
    let muted = Judgement { nick: Some(nick("guest")), ..Judgement::default() };
    host.ask(|id| Command::Mute(Judgement { id, ..muted })).await.unwrap();
    types(&mut guest, "#b").await;
    guest.drain().await;
    assert_eq!(typing(&mut host).await, []);
}

#[tokio::test]
async fn in_a_crowd_nobody_is_told() {
    let server = parlor().await;
    let mut crowd = Vec::new();
    for n in 0..=TYPING_TOLD {
        let mut client = server.client(&format!("p{n}")).await;
        client.join("#a", 0, None).await;
        crowd.push(client);
    }
    types(&mut crowd[0], "#a").await;
    crowd[0].drain().await;
    assert_eq!(typing(&mut crowd[1]).await, []);
}

#[tokio::test]
async fn who_is_away_is_so_on_all_devices_until_they_are_back() {
    let server = parlor().await;
    let mut alice = server.client_of("alice", &key(ALICE)).await;
    let mut guest = server.client("guest").await;
    for client in [&mut alice, &mut guest] {
        client.join("#a", 0, None).await;
    }
    let lunch = Line::lossy("lunch");
    let gone = Some(lunch.clone());
    alice.ask(|id| Command::Away(SetAway { id, text: gone })).await.unwrap();
    let alices_away = |event| match event {
        Event::Presence(told) => {
            let people = told.joined.into_iter().chain(told.people.into_iter().flatten());
            people.filter(|person| person.nick == nick("alice")).map(|person| person.away).next_back()
        }
        _ => None,
    };
    while guest.until(alices_away).await != Some(lunch.clone()) {}
    // To speak is not to be back.
    alice.send("#a", "one more thing").await;
    let phone = server.client_of("alice", &key(ALICE)).await;
    assert_eq!(phone.ready.you.away, Some(lunch.clone()));
    guest.say(Command::Whois(OfNick { id: None, nick: nick("alice") })).await;
    let whois = guest.until(|event| match event {
        Event::Whois(whois) => Some(whois),
        _ => None,
    });
    assert_eq!(whois.await.away, Some(lunch));
    alice.ask(|id| Command::Away(SetAway { id, text: None })).await.unwrap();
    while guest.until(alices_away).await.is_some() {}
    assert_eq!(server.client_of("alice", &key(ALICE)).await.ready.you.away, None);
}
