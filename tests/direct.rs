//! Rooms that are only for some: these find each other there, and nobody else gets in.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::process::Stdio;
use std::time::Duration;

use common::{TestClient, TestServer, message, nick, room, unlimited};
use parlor::protocol::command::{
    Command, Delete, Direct, Edit, History, InRoom, Judgement, LinkDevice, MakeTicket, Place, Plain, ReadTo,
    RequestId, RuleKind, SetIgnored, SetRule, SetTopic,
};
use parlor::protocol::event::{ErrorCode, Event, Failure, Okay, RoomInfo};
use parlor::protocol::name::{Nick, RoomName};
use parlor::protocol::proof::KeyPair;
use parlor::protocol::text::{Line, Text};
use tempfile::TempDir;
use uuid::Uuid;

/// Whose key it is that begins with this byte.
fn key(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32]).unwrap()
}

const HOST: u8 = 1;
const ALICE: u8 = 2;
const BOB: u8 = 3;
const CAROL: u8 = 4;

/// A parlor of whoever has the key [`HOST`].
async fn parlor() -> TestServer {
    TestServer::of_host(key(HOST).public(), unlimited()).await
}

async fn come(server: &TestServer, name: &str, seed: u8) -> TestClient {
    server.client_of(name, &key(seed)).await
}

/// The same for a question whose answer is not `ok`.
async fn is_refused(
    client: &mut TestClient,
    command: impl FnOnce(Option<RequestId>) -> Command,
) -> ErrorCode {
    client.ask(command).await.unwrap_err().code
}

/// The room for somebody and these.
async fn open(client: &mut TestClient, with: &[&str]) -> Result<RoomInfo, Failure> {
    let with = with.iter().map(|name| nick(name)).collect();
    client.ask(|id| Command::Direct(Direct { id, with })).await.map(|ok| ok.room.unwrap())
}

/// Says something in it, entering first, and at another moment than whatever was said before.
async fn speak(client: &mut TestClient, with: &[&str], text: &str) -> RoomName {
    let info = open(client, with).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2)).await;
    client.join(info.room.as_str(), info.last, None).await;
    client.send(info.room.as_str(), text).await;
    info.room
}

/// Where one is called next.
async fn called(client: &mut TestClient) -> RoomInfo {
    client
        .until(|event| match event {
            Event::Direct(called) => Some(called.info),
            _ => None,
        })
        .await
}

fn nicks(names: &[&str]) -> Vec<Nick> {
    names.iter().map(|name| nick(name)).collect()
}

#[tokio::test]
async fn two_find_each_other() {
    let server = parlor().await;
    let mut alice = come(&server, "alice", ALICE).await;
    let mut bob = come(&server, "bob", BOB).await;
    let info = open(&mut alice, &["bob"]).await.unwrap();
    assert!(info.room.is_direct());
    assert_eq!((info.members.clone(), info.here, info.last), (nicks(&["alice", "bob"]), 0, 0));
    // The same from the other side, and with oneself named too.
    assert_eq!(open(&mut bob, &["alice"]).await.unwrap().room, info.room);
    assert_eq!(open(&mut bob, &["BOB", "alice", "bob"]).await.unwrap().room, info.room);
    let joined = alice.join(info.room.as_str(), 0, None).await.room.unwrap();
    assert_eq!(joined.members, nicks(&["alice", "bob"]));
    alice.send(info.room.as_str(), "psst").await;
    let call = called(&mut bob).await;
    assert_eq!((&call.room, call.last, call.members), (&info.room, 1, nicks(&["alice", "bob"])));
    bob.join(info.room.as_str(), 0, None).await;
    let entry = bob.entry().await;
    assert_eq!((entry.text.as_str(), entry.author), ("psst", Some(alice.ready.author)));
    // Who is in it is not called any more.
    alice.send(info.room.as_str(), "there you are").await;
    assert!(!bob.drain().await.iter().any(|event| matches!(event, Event::Direct(_))));
    // The topic is theirs to set, and it is in no list.
    let set = SetTopic { id: Uuid::now_v7(), room: info.room.clone(), text: Line::lossy("surprise") };
    let id = RequestId::from(set.id);
    bob.say(Command::Topic(set)).await;
    assert_eq!(bob.answer(&id).await.unwrap().seq, Some(3));
    alice.say(Command::Rooms(Plain::default())).await;
    let rooms = alice.until(|event| match event {
        Event::Rooms(rooms) => Some(rooms.rooms),
        _ => None,
    });
    assert!(rooms.await.is_empty());
    assert!(come(&server, "carol", CAROL).await.ready.rooms.is_empty());
}

#[tokio::test]
async fn nobody_else_gets_in_whatever_they_are() {
    let server = parlor().await;
    let mut alice = come(&server, "alice", ALICE).await;
    let _bob = come(&server, "bob", BOB).await;
    let theirs = speak(&mut alice, &["bob"], "psst").await;
    let mut host = come(&server, "host", HOST).await;
    let mut guest = server.client("guest").await;
    // Of a room that there is and of one that there is not they hear the same.
    let none = RoomName::direct(&[alice.ready.author, alice.ready.author + 1, 99].into()).unwrap();
    for stranger in [&mut host, &mut guest] {
        for room in [&theirs, &none] {
            let in_room = |id| InRoom { id, room: room.clone() };
            let joined = stranger.try_join(room.as_str(), 0, None).await;
            assert_eq!(joined.unwrap_err().code, ErrorCode::NotAllowed);
            assert_eq!(is_refused(stranger, |id| Command::Who(in_room(id))).await, ErrorCode::NotAllowed);
            let page = History { id: None, room: room.clone(), place: Place::After(0), limit: 9 };
            let page = |id| Command::History(History { id, ..page });
            assert_eq!(is_refused(stranger, page).await, ErrorCode::NotAllowed);
            let sent = stranger.submit(message(room.as_str(), "x")).await;
            assert_eq!(sent.unwrap_err().code, ErrorCode::NotInRoom);
            let read = |id| Command::Read(ReadTo { id, room: room.clone(), seq: 1 });
            assert_eq!(is_refused(stranger, read).await, ErrorCode::NotInRoom);
            assert_eq!(is_refused(stranger, |id| Command::Typing(in_room(id))).await, ErrorCode::NotInRoom);
        }
        assert!(!stranger.drain().await.iter().any(|event| matches!(event, Event::Direct(_))));
    }
    // Nor does anybody rule there, from without or within.
    for client in [&mut host, &mut alice] {
        let rule = SetRule {
            id: None,
            room: theirs.clone(),
            rule: RuleKind::InviteOnly,
            on: true,
            nick: None,
            words: None,
            seconds: None,
        };
        let rule = |id| Command::Rule(SetRule { id, ..rule });
        assert_eq!(is_refused(client, rule).await, ErrorCode::NotAllowed);
        let of_alice =
            Judgement { nick: Some(nick("alice")), room: Some(theirs.clone()), ..Judgement::default() };
        let mute = |id| Command::Mute(Judgement { id, ..of_alice });
        assert_eq!(is_refused(client, mute).await, ErrorCode::NotAllowed);
        let ticket =
            |id| Command::Ticket(MakeTicket { id, room: Some(theirs.clone()), ..MakeTicket::default() });
        assert_eq!(is_refused(client, ticket).await, ErrorCode::NotAllowed);
    }
    // One's own number in a name makes no room with people who are not there.
    let with_nobody = RoomName::direct(&[alice.ready.author, 99].into()).unwrap();
    let made = alice.try_join(with_nobody.as_str(), 0, None).await;
    assert_eq!(made.unwrap_err().code, ErrorCode::NoSuchPerson);
}

#[tokio::test]
async fn guests_have_none() {
    let server = parlor().await;
    let mut alice = come(&server, "alice", ALICE).await;
    let mut guest = server.client("guest").await;
    assert_eq!(open(&mut guest, &["alice"]).await.unwrap_err().code, ErrorCode::NotAllowed);
    let with_guest = open(&mut alice, &["guest"]).await.unwrap_err();
    assert_eq!(with_guest.code, ErrorCode::NoSuchPerson);
    assert!(with_guest.message.as_str().contains("guest"), "{with_guest}");
    assert_eq!(open(&mut alice, &["nobody"]).await.unwrap_err().code, ErrorCode::NoSuchPerson);
    assert!(guest.ready.direct.is_empty());
}

#[tokio::test]
async fn who_is_not_here_finds_it_when_they_come_also_after_a_restart() {
    let server = parlor().await;
    come(&server, "bob", BOB).await.quit().await;
    let mut carol = come(&server, "carol", CAROL).await;
    let mut alice = come(&server, "alice", ALICE).await;
    let with_bob = speak(&mut alice, &["bob"], "for later").await;
    let with_carol = speak(&mut alice, &["carol"], "now").await;
    let notes = speak(&mut alice, &["alice"], "milk").await;
    assert_eq!(called(&mut carol).await.room, with_carol);
    // One in which nothing was said is none.
    let empty = open(&mut carol, &["bob"]).await.unwrap().room;
    carol.join(empty.as_str(), 0, None).await;
    assert_eq!(speak(&mut alice, &["bob"], "and this").await, with_bob);
    alice.quit().await;
    carol.quit().await;
    let mut server = server;
    for restarted in [false, true] {
        if restarted {
            server = server.restart().await;
        }
        let bob = come(&server, "bob", BOB).await;
        let direct = &bob.ready.direct;
        assert_eq!(direct.len(), 1);
        assert_eq!((&direct[0].room, direct[0].last), (&with_bob, 2));
        // By their numbers, and as they were called last.
        assert_eq!(direct[0].members, nicks(&["bob", if restarted { "ally" } else { "alice" }]));
        bob.quit().await;
        let alice = come(&server, "ally", ALICE).await;
        let rooms: Vec<&RoomName> = alice.ready.direct.iter().map(|info| &info.room).collect();
        assert_eq!(rooms, [&with_bob, &notes, &with_carol], "the latest first");
        assert_eq!(alice.ready.direct[1].members, nicks(&["ally"]), "as they are called now");
        alice.quit().await;
    }
    let mut bob = come(&server, "bob", BOB).await;
    bob.join(with_bob.as_str(), 0, None).await;
    assert_eq!(common::texts(&bob.entries(2).await), ["for later", "and this"]);
}

#[tokio::test]
async fn a_group_and_the_other_device_are_called() {
    let server = parlor().await;
    let mut alice = come(&server, "alice", ALICE).await;
    let mut phone = come(&server, "alice", ALICE).await;
    let mut bob = come(&server, "bob", BOB).await;
    let mut carol = come(&server, "carol", CAROL).await;
    let ours = speak(&mut alice, &["bob", "carol"], "all of us").await;
    for client in [&mut phone, &mut bob, &mut carol] {
        let call = called(client).await;
        assert_eq!((call.room.clone(), call.members.len()), (ours.clone(), 3));
        client.join(ours.as_str(), 0, None).await;
        assert_eq!(client.entry().await.text.as_str(), "all of us");
    }
    // Two of them have another one.
    assert_ne!(open(&mut bob, &["carol"]).await.unwrap().room, ours);
    // Who leaves is called again.
    bob.leave(ours.as_str()).await;
    carol.send(ours.as_str(), "bob?").await;
    assert_eq!(called(&mut bob).await.last, 2);
}

#[tokio::test]
async fn who_ignores_somebody_is_not_called_by_them_alone() {
    let server = parlor().await;
    let mut alice = come(&server, "alice", ALICE).await;
    let mut bob = come(&server, "bob", BOB).await;
    let _carol = come(&server, "carol", CAROL).await;
    bob.ask(|id| Command::Ignore(SetIgnored { id, nick: nick("alice"), on: true })).await.unwrap();
    speak(&mut alice, &["bob"], "hear me").await;
    assert!(!bob.drain().await.iter().any(|event| matches!(event, Event::Direct(_))));
    let three = speak(&mut alice, &["bob", "carol"], "all of us").await;
    assert_eq!(called(&mut bob).await.room, three);
}

/// Answers wait for who does not read, up to their bound; a call waits beside them.
#[tokio::test]
async fn a_call_is_not_lost_behind_answers_that_wait() {
    const PAGES: usize = 60;
    let server = parlor().await;
    let mut alice = come(&server, "alice", ALICE).await;
    let mut bob = come(&server, "bob", BOB).await;
    alice.join("#a", 0, None).await;
    for _ in 0..20 {
        alice.send("#a", &"x".repeat(16_000)).await;
    }
    for _ in 0..PAGES {
        let page = History { id: None, room: room("#a"), place: Place::After(0), limit: 20 };
        bob.say(Command::History(page)).await;
    }
    let ours = speak(&mut alice, &["bob"], "psst").await;
    let (mut pages, mut calls) = (0, Vec::new());
    while pages < PAGES || calls.is_empty() {
        match bob.event().await.unwrap() {
            Event::Page(_) => pages += 1,
            Event::Direct(call) => calls.push(call.info.room),
            _ => {}
        }
    }
    assert_eq!(calls, [ours]);
}

/// Tries to change what a message says.
async fn edit(client: &mut TestClient, room: &RoomName, seq: u64) -> Result<Okay, Failure> {
    let id = Uuid::now_v7();
    client.say(Command::Edit(Edit { id, room: room.clone(), seq, text: Text::new("edited").unwrap() })).await;
    client.answer(&id.into()).await
}

/// The numbers of people are all that their rooms and messages know them by.
#[tokio::test]
async fn who_comes_when_people_were_forgotten_is_none_of_them() {
    let mut server = parlor().await;
    let mut alice = come(&server, "alice", ALICE).await;
    let bob = come(&server, "bob", BOB).await;
    let theirs = speak(&mut alice, &["bob"], "psst").await;
    alice.join("#a", 0, None).await;
    alice.send("#a", "hers").await;
    let before = [alice.ready.author, bob.ready.author];
    server.stop().await;
    std::fs::rename(server.data().join("people.db"), server.data().join("lost.db")).unwrap();
    let server = server.start_again().await;
    for (name, seed) in [("alice", 11), ("bob", 12)] {
        let mut stranger = come(&server, name, seed).await;
        assert!(!before.contains(&stranger.ready.author), "{}", stranger.ready.author);
        assert!(stranger.ready.direct.is_empty());
        let joined = stranger.try_join(theirs.as_str(), 0, None).await;
        assert_eq!(joined.unwrap_err().code, ErrorCode::NotAllowed);
        stranger.join("#a", 0, None).await;
        assert_eq!(edit(&mut stranger, &room("#a"), 1).await.unwrap_err().code, ErrorCode::NotAllowed);
        let id = Uuid::now_v7();
        stranger.say(Command::Delete(Delete { id, room: room("#a"), seq: 1 })).await;
        assert_eq!(stranger.answer(&id.into()).await.unwrap_err().code, ErrorCode::NotAllowed);
    }
}

#[tokio::test]
async fn what_somebody_would_never_read_is_refused() {
    let server = parlor().await;
    let mut alice = come(&server, "alice", ALICE).await;
    let mut bob = come(&server, "bob", BOB).await;
    let mut carol = come(&server, "carol", CAROL).await;
    let theirs = speak(&mut alice, &["bob"], "psst").await;
    // What was bob is one more device of carol's.
    let code = carol.ask(|id| Command::Device(Plain { id })).await.unwrap().code.unwrap();
    bob.ask(|id| Command::Link(LinkDevice { id, code })).await.unwrap();
    let refused = alice.submit(message(theirs.as_str(), "still there?")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NoSuchPerson);
    assert!(refused.message.as_str().contains("never read"), "{refused}");
    assert_eq!(edit(&mut alice, &theirs, 1).await.unwrap_err().code, ErrorCode::NoSuchPerson);
    // It can be read still, also by whoever comes in anew, and taken back.
    alice.leave(theirs.as_str()).await;
    alice.join(theirs.as_str(), 0, None).await;
    assert_eq!(alice.entry().await.text.as_str(), "psst");
    let id = Uuid::now_v7();
    alice.say(Command::Delete(Delete { id, room: theirs.clone(), seq: 1 })).await;
    assert_eq!(alice.answer(&id.into()).await.unwrap().seq, Some(2));
    let anew = speak(&mut alice, &["carol"], "there you are").await;
    assert_ne!(anew, theirs);
    assert_eq!(called(&mut carol).await.room, anew);
}

#[tokio::test]
async fn what_was_said_alone_can_be_taken_along_and_searched() {
    let server = parlor().await;
    let _bob = come(&server, "bob", BOB).await;
    let home = TempDir::new().unwrap();
    // The exit code, and what went to standard output or, if it failed, to standard error.
    let run = async |args: &[&str]| {
        let mut program = common::parlor(home.path());
        program.args(args).args(["--nick", "alice"]).stdin(Stdio::null());
        program.env("PARLOR_SERVER", common::plain_invite(server.port));
        let ended =
            common::soon(tokio::task::spawn_blocking(move || program.output())).await.unwrap().unwrap();
        let code = ended.status.code();
        let told = if code == Some(0) { ended.stdout } else { ended.stderr };
        (code, String::from_utf8(told).unwrap())
    };
    let nothing = run(&["export", "@bob"]).await;
    assert_eq!(nothing, (Some(1), "parlor: nothing was said there yet\n".to_owned()));
    assert_eq!(run(&["say", "@bob", "the build passed"]).await, (Some(0), String::new()));
    assert_eq!(run(&["say", "#a", "the build failed"]).await, (Some(0), String::new()));
    let (code, page) = run(&["export", "@bob", "--format", "html"]).await;
    assert_eq!(code, Some(0), "{page}");
    assert!(page.contains("<h1>@bob</h1>") && page.contains("the build passed"), "{page}");
    common::soon(async {
        loop {
            let (code, found) = run(&["search", "build", "in:@bob"]).await;
            assert_eq!(code, Some(0), "{found}");
            assert!(!found.contains("failed"), "{found}");
            // The index takes up what was said a moment later.
            if found.starts_with("@bob 1 ") && found.ends_with(" alice  the build passed\n") {
                break;
            }
        }
    })
    .await;
    for args in [&["export", "@carol"][..], &["search", "build", "in:@carol"]] {
        let (code, why) = run(args).await;
        assert_eq!(code, Some(1));
        assert!(why.contains("nobody called carol is here"), "{why}");
    }
}
