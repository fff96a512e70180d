//! Messages are edited, deleted and reacted to: who may, what others hear of it, and what is left.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{PATIENCE, Program, TestClient, TestServer, message, nick, room, seqs, unlimited};
use parlor::protocol::command::{
    Command, Delete, Edit, History, Judgement, OfEntry, Place, React, RequestId, SetTopic,
};
use parlor::protocol::emoji::Emoji;
use parlor::protocol::event::{Entry, EntryKind, ErrorCode, Event, Failure, Present, Reaction};
use parlor::protocol::limits::{PAGE_BYTES, TEXT_BYTES};
use parlor::protocol::proof::KeyPair;
use parlor::protocol::text::{Line, Text};
use uuid::Uuid;

const ROOM: &str = "#a";

fn key(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32]).unwrap()
}

fn emoji(raw: &str) -> Emoji {
    Emoji::new(raw).unwrap()
}

fn edit(seq: u64, text: &str) -> Command {
    Command::Edit(Edit { id: Uuid::now_v7(), room: room(ROOM), seq, text: Text::new(text).unwrap() })
}

fn delete(seq: u64) -> Command {
    Command::Delete(Delete { id: Uuid::now_v7(), room: room(ROOM), seq })
}

fn react(seq: u64, raw: &str, off: bool) -> Command {
    Command::React(React { id: Uuid::now_v7(), room: room(ROOM), seq, emoji: emoji(raw), off })
}

async fn inside(server: &TestServer, name: &str) -> TestClient {
    let mut client = server.client(name).await;
    client.join(ROOM, 0, None).await;
    client
}

/// Somebody with a key.
async fn known(server: &TestServer, name: &str, seed: u8) -> TestClient {
    let mut client = server.client_of(name, &key(seed)).await;
    client.join(ROOM, 0, None).await;
    client
}

/// Says a command that adds to the log, and waits until it is stored, or not.
async fn change(client: &mut TestClient, command: Command) -> Result<u64, Failure> {
    let id = command.request_id().unwrap();
    client.say(command).await;
    Ok(client.answer(&id).await?.seq.expect("an entry has a seq"))
}

async fn refused(client: &mut TestClient, command: Command) -> ErrorCode {
    change(client, command).await.expect_err("it was stored").code
}

/// Says a command that asks for something, and waits for its answer.
async fn ask(client: &mut TestClient, command: Command) -> Result<Event, Failure> {
    let id = command.request_id().unwrap();
    client.say(command).await;
    client
        .until(|event| match event {
            Event::Error(failure) if failure.re.as_ref() == Some(&id) => Some(Err(failure)),
            Event::Page(_) | Event::Reactions(_) | Event::Earlier(_) => Some(Ok(event)),
            _ => None,
        })
        .await
}

fn id() -> Option<RequestId> {
    Some(Uuid::now_v7().into())
}

fn of(seq: u64) -> OfEntry {
    OfEntry { id: id(), room: room(ROOM), seq }
}

async fn page(client: &mut TestClient) -> Vec<Entry> {
    let history = History { id: id(), room: room(ROOM), place: Place::After(0), limit: 500 };
    match ask(client, Command::History(history)).await.unwrap() {
        Event::Page(page) => page.entries,
        other => panic!("{other:?}"),
    }
}

/// What the message `seq` said, the first text first.
async fn earlier(client: &mut TestClient, seq: u64) -> Result<Vec<String>, ErrorCode> {
    match ask(client, Command::Earlier(of(seq))).await {
        Ok(Event::Earlier(earlier)) => {
            Ok(earlier.texts.iter().map(|version| version.text.as_str().to_owned()).collect())
        }
        Err(failure) => Err(failure.code),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn everyone_hears_of_changes_in_order_and_a_page_says_what_is_now() {
    let server = TestServer::start().await;
    let (mut alice, mut bob) = (inside(&server, "alice").await, inside(&server, "bob").await);
    assert_eq!(alice.send(ROOM, "helo").await, 1);
    assert_eq!(change(&mut alice, edit(1, "hello")).await.unwrap(), 2);
    assert_eq!(change(&mut bob, react(1, "👍", false)).await.unwrap(), 3);
    assert_eq!(change(&mut alice, react(1, "👍", false)).await.unwrap(), 4);
    assert_eq!(change(&mut alice, react(1, "👍", true)).await.unwrap(), 5);
    assert_eq!(alice.send(ROOM, "oops").await, 6);
    assert_eq!(change(&mut alice, delete(6)).await.unwrap(), 7);

    let mut watcher = inside(&server, "watcher").await;
    let heard = watcher.entries(7).await;
    let told: Vec<_> =
        heard.iter().map(|entry| (entry.kind, entry.target, entry.text.as_str(), entry.off)).collect();
    use EntryKind::{Deleted, Edited, Message, Reacted};
    let expected = [
        (Message, None, "helo", false),
        (Edited, Some(1), "hello", false),
        (Reacted, Some(1), "👍", false),
        (Reacted, Some(1), "👍", false),
        (Reacted, Some(1), "👍", true),
        (Message, None, "oops", false),
        (Deleted, Some(6), "", false),
    ];
    assert_eq!(told, expected);
    let authors: Vec<_> = heard.iter().map(|entry| entry.author).collect();
    let (a, b) = (Some(alice.ready.author), Some(bob.ready.author));
    assert_eq!(authors, [a, a, b, a, a, a, a]);

    for (reader, mine) in [(&mut alice, false), (&mut bob, true)] {
        let page = page(reader).await;
        assert_eq!(seqs(&page), [1, 2, 3, 4, 5, 6, 7]);
        let reactions = vec![Reaction { emoji: emoji("👍"), count: 1, mine }];
        let now = Present { seq: 5, edited: Some(page[1].at), deleted: false, reactions };
        assert_eq!((page[0].text.as_str(), page[0].now.as_deref()), ("hello", Some(&now)));
        let now = Present { seq: 7, deleted: true, ..Present::default() };
        assert_eq!((page[5].text.as_str(), page[5].now.as_deref()), ("", Some(&now)));
        assert!(page.iter().all(|entry| entry.now.is_none() || [1, 6].contains(&entry.seq)));
    }
}

#[tokio::test]
async fn only_what_is_there_and_ones_own_can_be_changed() {
    let server = TestServer::start().await;
    let (mut alice, mut bob) = (inside(&server, "alice").await, inside(&server, "bob").await);
    assert_eq!(alice.send(ROOM, "hers").await, 1);
    let topic = SetTopic { id: Uuid::now_v7(), room: room(ROOM), text: Line::lossy("a topic") };
    assert_eq!(change(&mut alice, Command::Topic(topic)).await.unwrap(), 2);
    for command in [edit(1, "his"), delete(1)] {
        assert_eq!(refused(&mut bob, command).await, ErrorCode::NotAllowed);
    }
    for seq in [0, 2, 3, u64::MAX] {
        assert_eq!(refused(&mut alice, edit(seq, "x")).await, ErrorCode::NoSuchEntry, "{seq}");
        assert_eq!(refused(&mut alice, react(seq, "👍", false)).await, ErrorCode::NoSuchEntry, "{seq}");
    }
    assert_eq!(refused(&mut alice, react(1, "👍", true)).await, ErrorCode::NoSuchEntry);
    let mut outside = server.client("outside").await;
    assert_eq!(refused(&mut outside, react(1, "👍", false)).await, ErrorCode::NotInRoom);
    assert_eq!(change(&mut alice, delete(1)).await.unwrap(), 3);
    for command in [edit(1, "x"), delete(1), react(1, "👍", false), react(1, "👍", true)] {
        assert_eq!(refused(&mut alice, command).await, ErrorCode::Deleted);
    }
    // A guest is another one at each visit.
    assert_eq!(bob.send(ROOM, "his").await, 4);
    bob.quit().await;
    let mut bob = inside(&server, "bob").await;
    assert_eq!(refused(&mut bob, delete(4)).await, ErrorCode::NotAllowed);
    assert_eq!(page(&mut bob).await.len(), 4, "what was refused is not in the log");
}

/// What was stored is answered with its place, also to one who may not do it any more.
#[tokio::test]
async fn a_change_that_was_stored_is_known_when_a_guest_says_it_again() {
    let server = TestServer::start().await;
    let mut guest = inside(&server, "guest").await;
    for seq in 1..=2 {
        assert_eq!(guest.send(ROOM, "mine").await, seq);
    }
    let said = [edit(1, "my own"), delete(2)];
    for (seq, command) in (3..).zip(said.clone()) {
        assert_eq!(change(&mut guest, command).await.unwrap(), seq);
    }
    guest.quit().await;
    let mut guest = inside(&server, "guest").await;
    for (seq, command) in (3..).zip(said) {
        assert_eq!(change(&mut guest, command).await.unwrap(), seq);
    }
    assert_eq!(refused(&mut guest, edit(1, "other")).await, ErrorCode::NotAllowed);
    assert_eq!(page(&mut guest).await.len(), 4);
}

#[tokio::test]
async fn those_who_keep_order_delete_what_others_said_and_read_what_was_edited() {
    let server = TestServer::of_host(key(1).public(), unlimited()).await;
    let mut owner = known(&server, "owner", 2).await;
    let mut host = known(&server, "host", 1).await;
    let mut member = known(&server, "member", 3).await;
    for n in 1..=3 {
        assert_eq!(member.send(ROOM, "rude").await, n);
    }
    assert_eq!(change(&mut member, edit(3, "kind")).await.unwrap(), 4);
    let mut guest = inside(&server, "guest").await;
    assert_eq!(earlier(&mut guest, 3).await, Err(ErrorCode::NotAllowed));
    for reader in [&mut member, &mut owner, &mut host] {
        assert_eq!(earlier(reader, 3).await.unwrap(), ["rude", "kind"]);
    }
    assert_eq!(earlier(&mut host, 9).await, Err(ErrorCode::NoSuchEntry));
    assert_eq!(refused(&mut host, edit(1, "kind")).await, ErrorCode::NotAllowed);
    change(&mut host, delete(1)).await.unwrap();
    change(&mut owner, delete(2)).await.unwrap();
    assert_eq!(earlier(&mut host, 1).await, Err(ErrorCode::Deleted));

    // Who is muted changes nothing.
    let mute = Judgement { id: id(), nick: Some(nick("member")), ..Judgement::default() };
    let asked = mute.id.clone().unwrap();
    host.say(Command::Mute(mute)).await;
    host.answer(&asked).await.unwrap();
    for command in [edit(3, "x"), delete(3), react(3, "👍", false)] {
        assert_eq!(refused(&mut member, command).await, ErrorCode::Muted);
    }
    // The same person on another device, and at another time.
    let mut again = known(&server, "owner", 2).await;
    assert_eq!(owner.send(ROOM, "mine").await, 7);
    assert_eq!(change(&mut again, edit(7, "ours")).await.unwrap(), 8);
}

/// Everything that it ever said would not fit into a frame.
#[tokio::test]
async fn of_what_was_edited_often_the_oldest_texts_may_be_missing() {
    const EDITS: u64 = 40;
    let server = TestServer::start().await;
    let mut alice = inside(&server, "alice").await;
    assert_eq!(alice.send(ROOM, "first").await, 1);
    assert_eq!(earlier(&mut alice, 1).await.unwrap(), ["first"]);
    // As JSON it takes twice as much.
    let long = |n: u64| format!("{n} {}", "\"".repeat(TEXT_BYTES - 8));
    for n in 1..=EDITS {
        change(&mut alice, edit(1, &long(n))).await.unwrap();
    }
    let texts = earlier(&mut alice, 1).await.unwrap();
    let bytes = serde_json::to_vec(&texts).unwrap().len();
    assert!((PAGE_BYTES - 1024..PAGE_BYTES + 3 * TEXT_BYTES).contains(&bytes), "{bytes}");
    let expected: Vec<String> = (1..=EDITS).map(long).collect();
    assert!(expected.ends_with(&texts), "it is not the last ones that are there");
}

#[tokio::test]
async fn a_reaction_is_there_once_and_says_whose_it_is() {
    let server = TestServer::start().await;
    let mut alice = inside(&server, "alice").await;
    assert_eq!(alice.send(ROOM, "hi").await, 1);
    let said = react(1, "🎉", false);
    assert_eq!(change(&mut alice, said.clone()).await.unwrap(), 2);
    assert_eq!(change(&mut alice, said).await.unwrap(), 2, "the same command again");
    assert_eq!(change(&mut alice, react(1, "🎉", false)).await.unwrap(), 2, "the same sign again");
    let mut others = Vec::new();
    for n in 0..5 {
        let mut other = inside(&server, &format!("p{n}")).await;
        change(&mut other, react(1, "👍", false)).await.unwrap();
        others.push(other);
    }
    let Ok(Event::Reactions(told)) = ask(&mut alice, Command::Reactions(of(1))).await else { panic!() };
    let told: Vec<_> =
        told.reactions.iter().map(|one| (one.emoji.as_str(), one.count, &one.people)).collect();
    let people = (0..5).map(|n| nick(&format!("p{n}"))).collect();
    assert_eq!(told, [("🎉", 1, &vec![nick("alice")]), ("👍", 5, &people)]);
    let missing = ask(&mut alice, Command::Reactions(of(99))).await.unwrap_err();
    assert_eq!(missing.code, ErrorCode::NoSuchEntry);
}

/// What one said is changed in the same breath.
#[tokio::test]
async fn changes_keep_their_place_among_what_is_said() {
    let server = TestServer::start().await;
    let mut alice = inside(&server, "alice").await;
    assert_eq!(alice.send(ROOM, "first").await, 1);
    let mut line = Vec::new();
    let second = message(ROOM, "second");
    let last = message(ROOM, "last");
    let last_id = RequestId::from(last.id);
    for command in [Command::Send(second), edit(1, "a"), delete(1), edit(1, "b"), Command::Send(last)] {
        line.extend(parlor::protocol::frame::Frame::encode(&command).into_bytes());
    }
    alice.write(&line).await;
    let mut refused = 0;
    loop {
        match alice.event().await.unwrap() {
            Event::Ok(ok) if ok.re.as_ref() == Some(&last_id) => break,
            Event::Error(failure) => {
                assert_eq!(failure.code, ErrorCode::Deleted);
                refused += 1;
            }
            _ => {}
        }
    }
    assert_eq!(refused, 1);
    let kinds: Vec<_> = page(&mut alice).await.iter().map(|entry| entry.kind).collect();
    use EntryKind::{Deleted, Edited, Message};
    assert_eq!(kinds, [Message, Message, Edited, Deleted, Message]);
}

/// A page and what is heard after it, taken together, give what there is: no reaction is counted twice, and none is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_and_what_follows_it_fit_together() {
    const REACTORS: usize = 8;
    const TURNS: usize = 60;
    let server = TestServer::start().await;
    let mut alice = inside(&server, "alice").await;
    assert_eq!(alice.send(ROOM, "react to this").await, 1);
    let mut reactors = Vec::new();
    for n in 0..REACTORS {
        let mut reactor = inside(&server, &format!("p{n}")).await;
        reactors.push(tokio::spawn(async move {
            for turn in 0..TURNS {
                change(&mut reactor, react(1, "👍", turn % 2 == 1)).await.unwrap();
            }
            // Every other one leaves it there.
            if n % 2 == 0 {
                change(&mut reactor, react(1, "👍", false)).await.unwrap();
            }
        }));
    }
    let end = (1 + REACTORS * TURNS + REACTORS / 2) as u64;
    let mut pages: Vec<Present> = Vec::new();
    let mut changes: Vec<(u64, i64)> = Vec::new();
    let mut asked = false;
    while changes.last().is_none_or(|(seq, _)| *seq < end) || asked {
        if !asked && changes.last().is_none_or(|(seq, _)| *seq < end) {
            let history = History { id: id(), room: room(ROOM), place: Place::After(0), limit: 1 };
            alice.say(Command::History(history)).await;
            asked = true;
        }
        match alice.event().await.unwrap() {
            Event::Entry(entry) if entry.kind == EntryKind::Reacted => {
                changes.push((entry.seq, if entry.off { -1 } else { 1 }));
            }
            Event::Page(page) => {
                asked = false;
                pages.extend(page.entries[0].now.as_deref().cloned());
            }
            _ => {}
        }
    }
    for reactor in reactors {
        reactor.await.unwrap();
    }
    assert!(pages.len() > 5, "nobody looked");
    for now in pages {
        let count = now.reactions.first().map_or(0, |reaction| i64::try_from(reaction.count).unwrap());
        let later = changes.iter().filter(|(seq, _)| *seq > now.seq).map(|(_, by)| by).sum::<i64>();
        assert_eq!(count + later, (REACTORS / 2) as i64, "after {}", now.seq);
    }
}

#[tokio::test]
async fn what_has_become_of_messages_survives_a_restart() {
    let server = TestServer::start().await;
    let mut alice = known(&server, "alice", 2).await;
    for n in 1..=3 {
        assert_eq!(alice.send(ROOM, "said").await, n);
    }
    change(&mut alice, edit(1, "edited")).await.unwrap();
    change(&mut alice, react(1, "👍", false)).await.unwrap();
    change(&mut alice, delete(2)).await.unwrap();
    let before = page(&mut alice).await;
    let server = server.restart().await;
    let mut alice = known(&server, "alice", 2).await;
    assert_eq!(page(&mut alice).await, before);
    assert_eq!(change(&mut alice, edit(1, "edited again")).await.unwrap(), 7, "still hers");
    assert_eq!(refused(&mut alice, edit(2, "x")).await, ErrorCode::Deleted);
    // Whoever has nothing yet learns from the message itself that it is no more.
    let mut late = inside(&server, "late").await;
    let kept = late.entries(7).await;
    assert_eq!(kept[1].now.as_deref(), Some(&Present { seq: 6, deleted: true, ..Present::default() }));
}

/// The files below a folder that hold this.
fn holding(folder: &Path, text: &str) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let holds = |path: &std::path::PathBuf| {
        fs::read(path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(text))
    };
    files.filter(holds).map(|path| path.display().to_string()).collect()
}

async fn gone(folder: &Path, text: &str) {
    let start = Instant::now();
    loop {
        let holding = holding(folder, text);
        if holding.is_empty() {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{holding:?} still hold what was deleted");
        // Nothing tells of it when a file has changed.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_leaves_every_file_and_every_answer() {
    let server = TestServer::start().await;
    let mut alice = inside(&server, "alice").await;
    for n in 0..40 {
        alice.send(ROOM, &format!("kept {n}")).await;
    }
    let seq = alice.send(ROOM, "a secret of 7f3a").await;
    change(&mut alice, edit(seq, "another secret of 7f3a")).await.unwrap();
    change(&mut alice, edit(seq, "a third secret of 7f3a")).await.unwrap();
    assert!(!holding(server.data(), "of 7f3a").is_empty(), "nothing to look for");
    change(&mut alice, delete(seq)).await.unwrap();
    assert!(page(&mut alice).await.iter().all(|entry| !entry.text.as_str().contains("7f3a")), "from now on");
    gone(server.data(), "of 7f3a").await;
    let mut late = inside(&server, "late").await;
    let kept = late.entries(44).await;
    assert_eq!(seqs(&kept), (1..=44).collect::<Vec<_>>());
    for (entry, n) in kept.iter().zip(0..40) {
        assert_eq!((entry.text.as_str(), entry.now.is_none()), (format!("kept {n}").as_str(), true));
    }
    for entry in &kept[40..43] {
        let now = Present { seq: 44, deleted: true, ..Present::default() };
        assert_eq!((entry.text.as_str(), entry.now.as_deref()), ("", Some(&now)));
    }
    assert_eq!(alice.send(ROOM, "and on").await, 45);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_leaves_the_files_though_the_server_is_killed_at_once() {
    let folder = tempfile::TempDir::new().unwrap();
    for round in 0..8 {
        let mut program = Program::serve(folder.path(), 0, &["--unlimited"]);
        let mut alice = TestClient::connect(program.port, "alice").await;
        alice.join(ROOM, 0, None).await;
        let seq = alice.send(ROOM, &format!("secret {round} of 7f3a")).await;
        change(&mut alice, edit(seq, &format!("another {round} of 7f3a"))).await.unwrap();
        change(&mut alice, delete(seq)).await.unwrap();
        // In the middle of the purge too: when that is, nothing tells.
        tokio::time::sleep(Duration::from_millis(round % 4 * 170)).await;
        program.kill();
    }
    let mut program = Program::serve(folder.path(), 0, &["--unlimited"]);
    gone(folder.path(), "of 7f3a").await;
    let mut late = TestClient::connect(program.port, "late").await;
    late.join(ROOM, 0, None).await;
    let log = late.entries(24).await;
    assert_eq!(seqs(&log), (1..=24).collect::<Vec<_>>());
    for three in log.chunks(3) {
        assert!(three.iter().all(|entry| entry.text.as_str().is_empty()));
        assert_eq!((three[2].kind, three[2].target), (EntryKind::Deleted, Some(three[0].seq)));
    }
    program.terminate();
    assert!(program.exit_within(Duration::from_secs(5)).is_some_and(|exit| exit.success()));
}
