//! Searching over real sockets: what is found, by whom, and in which order.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{TestClient, TestServer, message, nick, room, unlimited};
use parlor::protocol::command::{Command, Delete, Edit, Has, RequestId, RuleKind, Search, SetRule};
use parlor::protocol::event::{ErrorCode, Event, Failure, Found};
use parlor::protocol::limits::{SEARCH_BURST, SEARCH_HITS};
use parlor::protocol::proof::KeyPair;
use parlor::protocol::text::{Line, Text};
use parlor::protocol::time::Time;
use parlor::server::config::Limits;
use uuid::Uuid;

fn words(text: &str) -> Search {
    Search { text: Line::new(text).unwrap(), limit: SEARCH_HITS, ..Search::default() }
}

/// Searches as it is: the index may be behind.
async fn search(client: &mut TestClient, search: Search) -> Result<Found, Failure> {
    let id = RequestId::from(Uuid::now_v7());
    client.say(Command::Search(Box::new(Search { id: Some(id.clone()), ..search }))).await;
    client
        .until(|event| match event {
            Event::Found(found) if found.re.as_ref() == Some(&id) => Some(Ok(found)),
            Event::Error(failure) if failure.re.as_ref() == Some(&id) => Some(Err(failure)),
            _ => None,
        })
        .await
}

/// Searches once the index has everything.
async fn found(client: &mut TestClient, wanted: Search) -> Found {
    loop {
        let found = search(client, wanted.clone()).await.expect("it was refused");
        if found.behind == 0 {
            return found;
        }
    }
}

async fn texts(client: &mut TestClient, wanted: Search) -> Vec<String> {
    let found = found(client, wanted).await;
    found.hits.into_iter().map(|hit| hit.entry.text.as_str().to_owned()).collect()
}

/// What was said in one millisecond in two rooms has no order.
fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort_unstable();
    texts
}

async fn refused(client: &mut TestClient, wanted: Search) -> ErrorCode {
    search(client, wanted).await.expect_err("it was not refused").code
}

#[tokio::test]
async fn words_phrases_and_characters_are_found() {
    let server = TestServer::start().await;
    let mut alice = server.client("alice").await;
    alice.join("#lobby", 0, None).await;
    for text in [
        "did the build pass?",
        "pass me the BUILD log",
        "明日は会議です",
        "会 x 議",
        "Crème brûlée",
        "👍 done",
    ] {
        alice.send("#lobby", text).await;
    }
    for (query, expected) in [
        ("build", &["pass me the BUILD log", "did the build pass?"][..]),
        ("\"the build\"", &["pass me the BUILD log", "did the build pass?"]),
        ("\"build pass\"", &["did the build pass?"]),
        ("buil* log", &["pass me the BUILD log"]),
        ("buil", &[]),
        ("会議", &["明日は会議です"]),
        ("日", &["明日は会議です"]),
        ("creme BRULEE", &["Crème brûlée"]),
        ("👍", &["👍 done"]),
        ("nothing", &[]),
    ] {
        assert_eq!(texts(&mut alice, words(query)).await, expected, "{query}");
    }
    // With what stands beside it.
    let one = found(&mut alice, words("\"build log\"")).await.hits.remove(0);
    assert_eq!(one.before.unwrap().text.as_str(), "did the build pass?");
    assert_eq!(one.after.unwrap().text.as_str(), "明日は会議です");
    let first = found(&mut alice, words("did")).await.hits.remove(0);
    assert!(first.before.is_none() && first.after.is_some());

    assert_eq!(refused(&mut alice, words("?!")).await, ErrorCode::BadRequest);
    assert_eq!(refused(&mut alice, words("")).await, ErrorCode::BadRequest);
}

#[tokio::test]
async fn who_where_when_and_what_narrow_it() {
    let server = TestServer::start().await;
    let (mut alice, mut bob) = (server.client("alice").await, server.client("Bob").await);
    for client in [&mut alice, &mut bob] {
        client.join("#a", 0, None).await;
        client.join("#b", 0, None).await;
    }
    alice.send("#a", "hello from alice").await;
    bob.send("#a", "hello, see https://a.example/x.").await;
    bob.send("#b", "hello in b").await;
    let by = |name: &str| Search { nick: Some(nick(name)), ..words("") };
    assert_eq!(sorted(texts(&mut alice, by("bob")).await), ["hello in b", "hello, see https://a.example/x."]);
    assert_eq!(texts(&mut alice, Search { room: Some(room("#b")), ..words("hello") }).await, ["hello in b"]);
    let linked = Search { has: vec![Has::Link], ..words("") };
    assert_eq!(texts(&mut alice, linked.clone()).await, ["hello, see https://a.example/x."]);
    assert_eq!(texts(&mut alice, Search { has: vec![Has::Link, Has::File], ..linked }).await, [""; 0]);

    let all = found(&mut alice, words("hello")).await;
    let at: Vec<Time> = all.hits.iter().map(|hit| hit.entry.at).collect();
    assert!(at.is_sorted_by(|a, b| a >= b));
    let since = Search { since: Some(at[0]), ..words("hello") };
    let expected = at.iter().filter(|moment| **moment >= at[0]).count();
    assert_eq!(texts(&mut alice, since).await.len(), expected);
    let until = Search { until: Some(at[0]), ..words("hello") };
    assert_eq!(texts(&mut alice, until).await.len(), 3 - expected);
}

#[tokio::test]
async fn mentions_are_what_others_said_to_one() {
    let server = TestServer::start().await;
    let (mut alice, mut bob) = (server.client("alice").await, server.client("bob").await);
    alice.join("#a", 0, None).await;
    bob.join("#a", 0, None).await;
    for text in ["bob, are you there?", "bob.js is a file", "bobby is here", "the deploy is done", "nothing"]
    {
        alice.send("#a", text).await;
    }
    bob.send("#a", "I am bob, and I deploy").await;
    let mentions = |text: &str| Search { mentions: true, ..words(text) };
    assert_eq!(texts(&mut bob, mentions("")).await, ["bob, are you there?"]);
    assert_eq!(texts(&mut bob, mentions("deploy*")).await, ["the deploy is done", "bob, are you there?"]);
    assert_eq!(texts(&mut alice, mentions("")).await, [""; 0]);
}

#[tokio::test]
async fn what_is_found_comes_in_pages() {
    let server = TestServer::start().await;
    let mut alice = server.client("alice").await;
    alice.join("#a", 0, None).await;
    for number in 1..=130 {
        alice.say(Command::Send(message("#a", &format!("number {number}")))).await;
    }
    alice.send("#a", "the end").await;
    let (mut all, mut sizes, mut before) = (Vec::new(), Vec::new(), None);
    loop {
        let page = found(&mut alice, Search { before, ..words("number") }).await;
        sizes.push(page.hits.len());
        all.extend(page.hits.into_iter().map(|hit| hit.entry.seq));
        before = page.more;
        if before.is_none() {
            break;
        }
    }
    assert_eq!((sizes, all), (vec![50, 50, 30], (1..=130).rev().collect()));
    let few = found(&mut alice, Search { limit: 2, ..words("number") }).await;
    assert_eq!((few.hits.len(), few.more.is_some()), (2, true));
    // Exactly as many as there are: there is no other page.
    let one = found(&mut alice, Search { limit: 1, ..words("130") }).await;
    assert_eq!((one.hits.len(), one.more), (1, None));

    // Long ones come in pages that fit into a frame.
    let long = "\\\"long ".repeat(2_000);
    for _ in 0..30 {
        alice.send("#a", &long).await;
    }
    let (mut hits, mut pages, mut before) = (0, 0, None);
    loop {
        let page = found(&mut alice, Search { before, ..words("long") }).await;
        (hits, pages, before) = (hits + page.hits.len(), pages + 1, page.more);
        if before.is_none() {
            break;
        }
    }
    assert!(hits == 30 && pages > 1, "{hits} in {pages}");
}

#[tokio::test]
async fn what_was_changed_is_found_as_it_is_now() {
    let server = TestServer::start().await;
    let mut alice = server.client("alice").await;
    alice.join("#a", 0, None).await;
    let (first, second) =
        (alice.send("#a", "the first draft").await, alice.send("#a", "the second draft").await);
    let id = Uuid::now_v7();
    let edit = Edit { id, room: room("#a"), seq: first, text: Text::new("the final version").unwrap() };
    alice.say(Command::Edit(edit)).await;
    alice.answer(&id.into()).await.unwrap();
    let id = Uuid::now_v7();
    alice.say(Command::Delete(Delete { id, room: room("#a"), seq: second })).await;
    alice.answer(&id.into()).await.unwrap();
    assert_eq!(texts(&mut alice, words("draft")).await, [""; 0]);
    let hit = found(&mut alice, words("version")).await.hits.remove(0);
    assert_eq!(hit.entry.text.as_str(), "the final version");
    assert!(hit.entry.now.is_some_and(|now| now.edited.is_some()) && hit.after.is_none());
}

fn rule(name: &str, rule: RuleKind) -> (RequestId, Command) {
    let id = RequestId::from(Uuid::now_v7());
    let set = SetRule {
        id: Some(id.clone()),
        room: room(name),
        rule,
        on: true,
        nick: None,
        words: None,
        seconds: None,
    };
    (id, Command::Rule(set))
}

#[tokio::test]
async fn nothing_is_found_that_one_could_not_read() {
    let server = TestServer::with(unlimited()).await;
    let mut owner = server.client_of("owner", &KeyPair::from_seed(&[1; 32]).unwrap()).await;
    let mut guest = server.client("guest").await;
    owner.join("#club", 0, None).await;
    owner.join("#open", 0, None).await;
    guest.join("#lobby", 0, None).await;
    owner.send("#club", "the word in the club").await;
    owner.send("#open", "the word in the open").await;
    guest.send("#lobby", "the word in the lobby").await;
    let (id, invite_only) = rule("#club", RuleKind::InviteOnly);
    owner.say(invite_only).await;
    owner.answer(&id).await.unwrap();

    let in_room = |name: &str| Search { room: Some(room(name)), ..words("word") };
    assert_eq!(
        sorted(texts(&mut owner, words("word")).await),
        ["the word in the club", "the word in the open"]
    );
    assert_eq!(texts(&mut guest, words("word")).await, ["the word in the lobby"]);
    assert_eq!(refused(&mut guest, in_room("#club")).await, ErrorCode::InviteOnly);
    assert_eq!(refused(&mut guest, in_room("#none")).await, ErrorCode::NoSuchRoom);
    assert_eq!(texts(&mut guest, in_room("#open")).await, ["the word in the open"]);
    // Whoever is in none finds nothing without a room.
    guest.leave("#lobby").await;
    assert_eq!(texts(&mut guest, words("word")).await, [""; 0]);
}

#[tokio::test]
async fn a_restart_loses_nothing_of_it() {
    let server = TestServer::start().await;
    let mut alice = server.client("alice").await;
    alice.join("#a", 0, None).await;
    alice.send("#a", "before the end").await;
    let server = server.restart().await;
    let mut alice = server.client("alice").await;
    alice.join("#a", 0, None).await;
    alice.send("#a", "after the end").await;
    assert_eq!(texts(&mut alice, words("end")).await, ["after the end", "before the end"]);
    let mut server = server;
    server.stop().await;
    std::fs::write(server.data().join("search.db"), "not an index").unwrap();
    let server = server.start_again().await;
    let mut alice = server.client("alice").await;
    alice.join("#a", 0, None).await;
    assert_eq!(texts(&mut alice, words("end")).await, ["after the end", "before the end"]);
}

#[tokio::test]
async fn who_searches_too_often_waits() {
    let server =
        TestServer::with(Limits { commands_per_second: 1e6, command_burst: 1_000_000, ..unlimited() }).await;
    let mut alice = server.client("alice").await;
    alice.join("#a", 0, None).await;
    let began = tokio::time::Instant::now();
    // The first ones at once, the others at their rate.
    for _ in 0..SEARCH_BURST + 4 {
        search(&mut alice, words("x")).await.unwrap();
    }
    assert!(began.elapsed() >= std::time::Duration::from_millis(900), "{:?}", began.elapsed());
}
