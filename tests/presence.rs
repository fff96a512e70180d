//! Who is here: passing news, gathered so that a crowd is no flood, and a list that everybody ends up agreeing on.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::time::Instant;

use common::{TestClient, TestServer, join, nick, room};
use parlor::protocol::command::{Command, RequestId, SetNick};
use parlor::protocol::event::{ErrorCode, Event, Okay, Presence, Renamed};
use parlor::protocol::limits::PRESENCE_EVERY;
use parlor::protocol::name::Nick;

/// Who is in a room, as a client knows it from what it was told.
#[derive(Debug, Default)]
struct List {
    people: BTreeSet<Nick>,
    here: usize,
    /// Frames of news, without the first list.
    told: usize,
}

impl List {
    fn take(&mut self, presence: Presence) {
        assert_eq!(presence.room, room("#a"));
        match presence.people {
            Some(people) => self.people = people.into_iter().map(|person| person.nick).collect(),
            None => self.told += 1,
        }
        for nick in presence.left {
            self.people.remove(&nick);
        }
        self.people.extend(presence.joined.into_iter().map(|person| person.nick));
        self.here = presence.here;
    }

    /// Takes news until exactly these are here.
    async fn becomes(&mut self, client: &mut TestClient, nicks: &[&str]) {
        let wanted: BTreeSet<Nick> = nicks.iter().map(|name| nick(name)).collect();
        while self.people != wanted || self.here != wanted.len() {
            self.take(news(client).await);
        }
    }
}

/// The next news of who is here.
async fn news(client: &mut TestClient) -> Presence {
    client
        .until(|event| match event {
            Event::Presence(presence) => Some(presence),
            Event::Error(failure) => panic!("{failure}"),
            _ => None,
        })
        .await
}

async fn rename(client: &mut TestClient, name: &str) -> Result<Okay, ErrorCode> {
    let id = RequestId::new(name).unwrap();
    client.say(Command::Nick(SetNick { id: Some(id.clone()), nick: nick(name) })).await;
    client.answer(&id).await.map_err(|failure| failure.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_comes_and_goes_is_told_in_few_frames_and_all_agree() {
    const CROWD: usize = 200;
    let server = TestServer::start().await;
    let mut observer = server.client("observer").await;
    observer.join("#a", 0, None).await;
    let mut list = List::default();
    list.becomes(&mut observer, &["observer"]).await;
    list.told = 0;
    let mut crowd = Vec::new();
    for n in 0..CROWD {
        crowd.push(server.client(&format!("p{n}")).await);
    }
    let start = Instant::now();
    for one in &mut crowd {
        one.say(join("#a", 0)).await;
    }
    let everyone: BTreeSet<Nick> =
        (0..CROWD).map(|n| nick(&format!("p{n}"))).chain([nick("observer")]).collect();
    while list.people != everyone {
        list.take(news(&mut observer).await);
    }
    assert_eq!(list.here, CROWD + 1);
    // At most one frame for each time that news are told, however many come.
    let most = |start: Instant| start.elapsed().as_millis() / PRESENCE_EVERY.as_millis() + 2;
    assert!((list.told as u128) <= most(start), "{} frames for {CROWD} people", list.told);
    for one in &mut crowd {
        let mut own = List::default();
        while own.people != everyone {
            own.take(news(one).await);
        }
        assert_eq!(own.here, CROWD + 1);
    }
    list.told = 0;
    let start = Instant::now();
    drop(crowd);
    list.becomes(&mut observer, &["observer"]).await;
    assert!((list.told as u128) <= most(start), "{} frames for {CROWD} people", list.told);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_in_whatever_way_is_gone_for_the_others() {
    let server = TestServer::start().await;
    let mut observer = server.client("observer").await;
    observer.join("#a", 0, None).await;
    let mut list = List::default();
    let mut clients = Vec::new();
    for name in ["leaves", "quits", "drops", "cut"] {
        let mut client = server.client(name).await;
        client.join("#a", 0, None).await;
        clients.push(client);
    }
    list.becomes(&mut observer, &["observer", "leaves", "quits", "drops", "cut"]).await;
    let [mut leaves, quits, drops, mut cut] = <[TestClient; 4]>::try_from(clients).ok().unwrap();
    leaves.leave("#a").await;
    list.becomes(&mut observer, &["observer", "quits", "drops", "cut"]).await;
    quits.quit().await;
    list.becomes(&mut observer, &["observer", "drops", "cut"]).await;
    drop(drops);
    list.becomes(&mut observer, &["observer", "cut"]).await;
    cut.write(&[0, 0]).await;
    drop(cut);
    list.becomes(&mut observer, &["observer"]).await;
    // Their names are free again, but for that of the one who only left the room.
    for name in ["quits", "drops", "cut"] {
        server.client(name).await.quit().await;
    }
    let taken = TestClient::try_connect(server.port, "leaves", None).await.err().unwrap();
    assert_eq!(taken.code, ErrorCode::NickTaken);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_nick_is_told_as_one_person_in_every_room() {
    let server = TestServer::start().await;
    let mut alice = server.client("alice").await;
    let mut bob = server.client("bob").await;
    let mut list = List::default();
    alice.join("#a", 0, None).await;
    bob.join("#a", 0, None).await;
    list.becomes(&mut bob, &["alice", "bob"]).await;
    let ok = rename(&mut alice, "李雷").await.unwrap();
    assert_eq!(ok.you.unwrap().nick, nick("李雷"));
    let presence = news(&mut bob).await;
    assert_eq!(presence.renamed, [Renamed { from: nick("alice"), to: nick("李雷") }]);
    list.take(presence);
    assert_eq!(list.people, BTreeSet::from([nick("bob"), nick("李雷")]));
    // What is said from now on is said under the new name, and the old one is free.
    alice.send("#a", "hi").await;
    assert_eq!(bob.entry().await.from, nick("李雷"));
    server.client("alice").await.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nick_that_looks_like_one_who_is_here_is_refused() {
    let server = TestServer::start().await;
    let alice = server.client("alice").await;
    let mut mallory = server.client("mallory").await;
    // The same, in capitals, with a Cyrillic а, with a capital i for the l.
    for alike in ["alice", "ALICE", "Alice", "\u{430}lice", "aIice"] {
        let refused = TestClient::try_connect(server.port, alike, None).await.err().expect(alike);
        assert_eq!(refused.code, ErrorCode::NickTaken, "{alike}");
        assert_eq!(rename(&mut mallory, alike).await, Err(ErrorCode::NickTaken), "{alike}");
    }
    // A token is no way around it, and neither is one that never was.
    for token in [mallory.ready.session, uuid::Uuid::new_v4()] {
        assert!(TestClient::try_connect(server.port, "alice", Some(token)).await.is_err());
    }
    alice.quit().await;
    server.client("\u{430}lice").await.quit().await;
}

/// One whose line broke comes back before the server has noticed: it has its nick and its place, and the
/// others do not see it come and go twice.
#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_with_its_token_is_there_once() {
    let server = TestServer::start().await;
    let mut observer = server.client("observer").await;
    observer.join("#a", 0, None).await;
    let mut list = List::default();
    let mut alice = server.client("alice").await;
    alice.join("#a", 0, None).await;
    list.becomes(&mut observer, &["alice", "observer"]).await;
    for _ in 0..5 {
        let mut back =
            TestClient::try_connect(server.port, "alice", Some(alice.ready.session)).await.unwrap();
        assert_ne!(back.ready.session, alice.ready.session, "a token is good for once");
        back.join("#a", 0, None).await;
        alice = back;
    }
    list.becomes(&mut observer, &["alice", "observer"]).await;
    alice.say(Command::Who(parlor::protocol::command::InRoom { id: None, room: room("#a") })).await;
    let people = alice
        .until(|event| match event {
            Event::People(people) => Some(people),
            _ => None,
        })
        .await;
    let nicks: Vec<&str> = people.people.iter().map(|person| person.nick.as_str()).collect();
    assert_eq!((nicks, people.here), (vec!["alice", "observer"], 2));
}
