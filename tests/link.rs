//! The link keeps its promises: to a real server, and to servers that break or lie.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{Program, TestClient, TestServer, message, nick, room, soon, unlimited};
use parlor::client::link::{self, Config, Link, RETRY_FIRST, RETRY_LONGEST, Trust, Update};
use parlor::protocol::address::Address;
use parlor::protocol::command::{
    Command, History, InRoom, Join, OfNick, Ping, Place, Plain, ReadAudit, RequestId,
};
use parlor::protocol::event::{Entry, ErrorCode, Event, Failure};
use parlor::protocol::frame::{Frame, FrameReader};
use parlor::protocol::hex::Hex;
use parlor::protocol::limits::COMMAND_BYTES;
use parlor::protocol::pake::{self, Pake};
use parlor::protocol::proof::{Binding, Cost, Passphrase, ProofKey};
use parlor::protocol::text::Line;
use parlor::protocol::time::Time;
use parlor::server::config::Limits;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;
use uuid::Uuid;

/// Neither TLS nor a passphrase: what is tested here is the same with them.
fn plain() -> Trust {
    Trust { plain: true, ..Trust::default() }
}

/// A link, and what it says.
struct Talk {
    link: Link,
    updates: mpsc::Receiver<Update>,
}

impl Talk {
    fn open(port: u16, name: &str, give_up_after: Option<Duration>) -> Self {
        let address = Address::Tcp { host: "127.0.0.1".to_owned(), port };
        let agent = Line::lossy("test");
        let (link, updates) = link::open(Config {
            address,
            nick: nick(name),
            apart: false,
            trust: plain(),
            acquaintances: None,
            agent,
            give_up_after,
        });
        Self { link, updates }
    }

    fn to(port: u16) -> Self {
        Self::open(port, "alice", None)
    }

    fn join(&self, limit: Option<u64>) {
        self.link.submit(Command::Join(join(limit)));
    }

    /// Says something; gives its id.
    fn say(&self, text: &str) -> RequestId {
        let send = message("#a", text);
        let id = send.id.into();
        self.link.submit(Command::Send(send));
        id
    }

    async fn update(&mut self) -> Update {
        soon(self.updates.recv()).await.expect("the link has ended")
    }

    /// The next update that `pick` wants, skipping others.
    async fn until<T>(&mut self, mut pick: impl FnMut(Update) -> Option<T>) -> T {
        loop {
            if let Some(found) = pick(self.update().await) {
                return found;
            }
        }
    }

    async fn online(&mut self) -> String {
        self.until(|update| match update {
            Update::Online { ready, .. } => Some(ready.you.nick.to_string()),
            _ => None,
        })
        .await
    }

    /// Why it is offline, and for how long.
    async fn offline(&mut self) -> (String, Duration) {
        self.until(|update| match update {
            Update::Offline { why, retry_at } => Some((why, retry_at - Instant::now())),
            Update::Ended { why, .. } => panic!("ended: {why}"),
            _ => None,
        })
        .await
    }

    async fn entry(&mut self) -> Entry {
        self.until(|update| match update {
            Update::Event(Event::Entry(entry), _) => Some(entry),
            _ => None,
        })
        .await
    }

    async fn entries(&mut self, count: usize) -> Vec<u64> {
        let mut seqs = Vec::new();
        while seqs.len() < count {
            seqs.push(self.entry().await.seq);
        }
        seqs
    }

    /// What was measured: the round trip, how far the server's clock is ahead, and how well that is known.
    async fn latency(&mut self) -> (Duration, i64, Duration) {
        self.until(|update| match update {
            Update::Latency { round_trip, offset, within } => Some((round_trip, offset, within)),
            _ => None,
        })
        .await
    }

    async fn ok(&mut self) -> RequestId {
        self.until(|update| match update {
            Update::Event(Event::Ok(okay), _) => okay.re,
            Update::Failed(failure) => panic!("{failure}"),
            _ => None,
        })
        .await
    }

    async fn failed(&mut self) -> Failure {
        self.until(|update| match update {
            Update::Failed(failure) => Some(failure),
            _ => None,
        })
        .await
    }

    /// Why it ended, what was not sent, and whether that was wanted.
    async fn ended(&mut self) -> (String, Vec<Command>, bool) {
        let end = self
            .until(|update| match update {
                Update::Ended { why, unsent, wanted, .. } => Some((why, unsent, wanted)),
                _ => None,
            })
            .await;
        assert!(soon(self.updates.recv()).await.is_none(), "nothing follows");
        end
    }
}

fn join(limit: Option<u64>) -> Join {
    Join { id: None, room: room("#a"), after: 0, limit, words: None }
}

/// A server that says what the test wants it to say.
struct Fake(TcpListener);

impl Fake {
    async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    async fn connection(&self) -> TcpStream {
        soon(self.0.accept()).await.unwrap().0
    }

    /// Takes the next connection, and lets it in.
    async fn accept(&self) -> Peer {
        let mut peer = Peer::new(self.connection().await);
        peer.say(welcome("open")).await;
        let Command::Hello(hello) = peer.command().await else { panic!("no hello") };
        peer.say(json!({"type": "ready", "session": Uuid::nil(), "you": {"nick": hello.nick}, "rooms": [],
            "limits": {"text_bytes": 16384, "frame_bytes": 102_400, "message_burst": 0,
                "messages_per_second": 0.0, "page_entries": 500, "rooms_per_session": 50}}))
            .await;
        peer
    }

    /// The same, and answers the join that comes first.
    async fn seat(&self, last: u64) -> (Peer, Join) {
        let mut peer = self.accept().await;
        let join = peer.joined(last).await;
        (peer, join)
    }
}

fn welcome(kind: &str) -> Value {
    json!({"type": "welcome", "protocol": 1, "auth": {"kind": kind, "challenge": "0".repeat(64)}, "now": Time::now(),
        "server": {"name": "fake", "version": "0", "id": Uuid::nil()}})
}

fn entry(seq: u64) -> Value {
    json!({"type": "message", "room": "#a", "seq": seq, "id": Uuid::now_v7(), "at": Time::now(),
        "from": "bob", "text": format!("text {seq}")})
}

struct Peer {
    reader: FrameReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Peer {
    fn new(stream: TcpStream) -> Self {
        let (reader, writer) = stream.into_split();
        Self { reader: FrameReader::new(reader, COMMAND_BYTES), writer }
    }

    async fn say(&mut self, event: Value) {
        self.writer.write_all(&Frame::encode(&event).into_bytes()).await.unwrap();
    }

    /// The next command that is not about whether we are there.
    async fn command(&mut self) -> Command {
        loop {
            let json = soon(self.reader.next()).await.unwrap().expect("the client has gone");
            match Command::decode(&json).unwrap() {
                Command::Ping(_) | Command::Pong(_) => {}
                command => return command,
            }
        }
    }

    async fn joined(&mut self, last: u64) -> Join {
        let Command::Join(join) = self.command().await else { panic!("no join") };
        let room = &join.room;
        self.say(json!({"type": "ok", "re": &join.id, "room": room, "topic": "", "here": 1, "last": last}))
            .await;
        join
    }

    async fn ok(&mut self, re: &RequestId, seq: u64) {
        self.say(json!({"type": "ok", "re": re, "seq": seq})).await;
    }

    /// The ids of the next sends.
    async fn sends(&mut self, count: usize) -> Vec<RequestId> {
        let mut ids = Vec::new();
        while ids.len() < count {
            let Command::Send(send) = self.command().await else { panic!("no send") };
            ids.push(send.id.into());
        }
        ids
    }
}

// --- with a real server -----------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_it_gets_exactly_what_it_missed() {
    let server = TestServer::start().await;
    let mut talk = Talk::to(server.port);
    talk.join(None);
    let mut bob = server.client("bob").await;
    bob.join("#a", 0, None).await;
    for n in 1..=3 {
        bob.send("#a", &n.to_string()).await;
    }
    assert_eq!(talk.entries(3).await, [1, 2, 3]);
    let server = server.restart().await;
    assert!(talk.offline().await.0.contains("shut down"));
    let mut bob = server.client("bob").await;
    bob.join("#a", 3, None).await;
    for n in 4..=9 {
        bob.send("#a", &n.to_string()).await;
    }
    assert_eq!(talk.entries(6).await, (4..=9).collect::<Vec<_>>());
    bob.send("#a", "now").await;
    assert_eq!(talk.entries(1).await, [10]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_around_restarts_is_stored_once_and_in_order() {
    const MESSAGES: usize = 1500;
    let mut server = TestServer::start().await;
    let mut talk = Talk::to(server.port);
    talk.join(Some(0));
    let mut expected = Vec::new();
    for third in 0..3 {
        for n in 0..MESSAGES / 3 {
            let text = format!("{third}.{n}");
            talk.say(&text);
            expected.push(text);
        }
        if third < 2 {
            // Some of them are stored, some are on their way, some wait.
            talk.until(|update| {
                matches!(update, Update::Event(Event::Ok(ok), _) if ok.seq.is_some()).then_some(())
            })
            .await;
            server = server.restart().await;
        }
    }
    let mut reader = server.client("reader").await;
    reader.join("#a", 0, None).await;
    let drain = tokio::spawn(async move { while talk.updates.recv().await.is_some() {} });
    for text in expected {
        assert_eq!(reader.entry().await.text.as_str(), text);
    }
    drain.abort();
}

#[tokio::test]
async fn a_nick_that_is_taken_gets_a_number() {
    let server = TestServer::start().await;
    let _bob = server.client("bob").await;
    let _bob2 = server.client("Bob2").await;
    assert_eq!(Talk::open(server.port, "bob", None).online().await, "bob3");
}

#[tokio::test]
async fn a_full_server_is_a_sentence_and_another_attempt() {
    let server = TestServer::with(Limits { connections: 1, ..unlimited() }).await;
    let bob = server.client("bob").await;
    let mut talk = Talk::to(server.port);
    let (why, _) = talk.offline().await;
    assert!(why.contains("this parlor is full"), "{why}");
    bob.quit().await;
    assert_eq!(talk.online().await, "alice");
}

#[tokio::test]
async fn quitting_ends_it_when_all_was_handed_over() {
    let server = TestServer::start().await;
    let mut talk = Talk::to(server.port);
    talk.join(Some(0));
    talk.ok().await;
    talk.say("the last word");
    talk.link.quit();
    let (_, unsent, wanted) = talk.ended().await;
    assert!(wanted && unsent.is_empty());
    let mut reader = server.client("reader").await;
    reader.join("#a", 0, None).await;
    assert_eq!(reader.entry().await.text.as_str(), "the last word");
}

#[tokio::test]
async fn dropping_the_handle_ends_it() {
    let server = TestServer::start().await;
    let mut talk = Talk::to(server.port);
    talk.online().await;
    let Talk { link, updates } = talk;
    drop(link);
    let mut talk = Talk { link: Talk::to(1).link, updates };
    assert!(talk.ended().await.2);
}

// --- with none --------------------------------------------------------------------------------

#[tokio::test]
async fn delays_grow_to_their_limit() {
    let mut talk = Talk::to(1);
    let mut full = RETRY_FIRST;
    let mut delay = Duration::ZERO;
    for _ in 0..10 {
        let why;
        (why, delay) = talk.offline().await;
        assert!(why.contains("nothing listens there"), "{why}");
        assert!(delay <= full, "{delay:?} of {full:?}");
        full = (full * 2).min(RETRY_LONGEST);
        talk.link.retry_now();
    }
    // Half of it is sure; on a busy machine a part of that has passed before we look.
    assert!(full == RETRY_LONGEST && delay >= RETRY_LONGEST / 4, "{delay:?}");
}

#[tokio::test]
async fn without_a_server_messages_wait_and_questions_fail() {
    let mut talk = Talk::open(1, "alice", Some(Duration::from_secs(1)));
    talk.offline().await;
    talk.say("kept");
    talk.link.submit(Command::Rooms(Plain { id: RequestId::new("q") }));
    let failure = talk.failed().await;
    assert_eq!((failure.code, failure.re), (ErrorCode::Offline, RequestId::new("q")));
    let (why, unsent, wanted) = talk.ended().await;
    assert!(why.contains("nothing listens there") && !wanted);
    assert!(matches!(&unsent[..], [Command::Send(send)] if send.text.as_str() == "kept"));
}

#[tokio::test]
async fn what_is_no_parlor_is_named_and_not_tried_again() {
    for (words, named) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "is not a parlor but a web server"),
        (b"\0\0\0\x02{}", "is not a parlor: check"),
        (b"\0\0\0\x03abc", "is not a parlor: check"),
        (b"hi", "is not a parlor, it says \"hi\": check"),
    ] {
        let fake = Fake::start().await;
        let mut talk = Talk::to(fake.port());
        let mut stream = fake.connection().await;
        stream.write_all(words).await.unwrap();
        stream.shutdown().await.unwrap();
        let (why, _, wanted) = talk.ended().await;
        assert!(why.contains(named) && why.contains(&fake.port().to_string()) && !wanted, "{why}");
    }
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    drop(fake.connection().await);
    let (why, _) = talk.offline().await;
    assert!(why.ends_with("closed the connection without a greeting: is it a parlor?"), "{why}");
}

/// Whoever was in may be behind a gate that answers for everybody until one has logged in there.
#[tokio::test]
async fn what_was_a_parlor_is_tried_again_also_where_something_else_answers() {
    let server = TestServer::start().await;
    let port = server.port;
    let mut talk = Talk::to(port);
    talk.online().await;
    let mut server = server;
    server.stop().await;
    let gate = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let answering = tokio::spawn(async move {
        loop {
            let (mut stream, _) = gate.accept().await.unwrap();
            drop(stream.write_all(b"HTTP/1.1 302 Found\r\n\r\n").await);
        }
    });
    loop {
        let (why, _) = talk.offline().await;
        if why.contains("but a web server") {
            break;
        }
        talk.link.retry_now();
    }
    answering.abort();
    drop(answering.await);
    let _server = server.start_again().await;
    talk.link.retry_now();
    talk.online().await;
}

#[tokio::test]
async fn what_takes_connections_and_says_nothing_is_left_in_time() {
    let fake = Fake::start().await;
    let mut talk = Talk::open(fake.port(), "alice", Some(Duration::from_secs(1)));
    let (why, _, wanted) = talk.ended().await;
    assert!(why.contains("does not greet") && !wanted, "{why}");
}

#[tokio::test]
async fn quitting_does_not_wait_for_a_server_that_says_nothing() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    talk.say("unsent");
    let _connection = fake.connection().await;
    let asked = Instant::now();
    talk.link.quit();
    let (_, unsent, wanted) = talk.ended().await;
    assert!(wanted && unsent.len() == 1);
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}

// --- with one that breaks or lies -------------------------------------------------------------

#[tokio::test]
async fn what_cannot_work_is_not_tried_again() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    let mut peer = Peer::new(fake.connection().await);
    peer.say(welcome("riddle")).await;
    assert!(talk.ended().await.0.contains("newer parlor"));

    let mut talk = Talk::to(fake.port());
    let mut peer = Peer::new(fake.connection().await);
    peer.say(welcome("open")).await;
    peer.command().await;
    peer.say(json!({"type": "error", "code": "unsupported_version", "message": "use a newer client"})).await;
    assert!(talk.ended().await.0.contains("use a newer client"));

    for reason in ["replaced", "refused"] {
        let mut talk = Talk::to(fake.port());
        fake.accept().await.say(json!({"type": "bye", "reason": reason})).await;
        assert!(!talk.ended().await.2);
    }
    let mut talk = Talk::to(fake.port());
    fake.accept().await.say(json!({"type": "bye", "reason": "a later one"})).await;
    talk.offline().await;
}

#[tokio::test]
async fn messages_without_an_answer_are_sent_again_under_the_same_ids() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    talk.join(None);
    let said: Vec<_> = (0..5).map(|n| talk.say(&n.to_string())).collect();
    let (mut peer, _) = fake.seat(0).await;
    assert_eq!(peer.sends(5).await, said);
    // The first is stored, and the answer to the second is lost.
    peer.ok(&said[0], 1).await;
    while talk.ok().await != said[0] {}
    drop(peer);
    talk.offline().await;
    let later = talk.say("said while offline");
    let (mut peer, _) = fake.seat(2).await;
    let again = peer.sends(5).await;
    assert_eq!(again, [&said[1..], &[later]].concat());
    for (seq, id) in (2..).zip(&again) {
        peer.ok(id, seq).await;
    }
    while talk.ok().await != again[4] {}
    talk.link.quit();
    assert!(talk.ended().await.1.is_empty());
}

#[tokio::test]
async fn no_more_is_on_its_way_than_may_be() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    talk.join(None);
    let said: Vec<_> = (0..link::IN_FLIGHT + 1).map(|n| talk.say(&n.to_string())).collect();
    let (mut peer, _) = fake.seat(0).await;
    assert_eq!(peer.sends(link::IN_FLIGHT).await, said[..link::IN_FLIGHT]);
    // The next thing that is said, and not the message that has to wait.
    talk.link.submit(Command::Rooms(Plain::default()));
    assert!(matches!(peer.command().await, Command::Rooms(_)));
    peer.ok(&said[0], 1).await;
    assert_eq!(peer.sends(1).await, said[link::IN_FLIGHT..]);
    talk.ok().await;
}

#[tokio::test]
async fn a_hole_is_never_delivered() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    talk.join(None);
    let (mut peer, _) = fake.seat(3).await;
    peer.say(entry(1)).await;
    peer.say(entry(1)).await;
    peer.say(entry(3)).await;
    assert_eq!(talk.entry().await.seq, 1);
    let why = loop {
        match talk.update().await {
            Update::Offline { why, .. } => break why,
            Update::Event(Event::Entry(entry), _) => panic!("{} was delivered", entry.seq),
            _ => {}
        }
    };
    assert!(why.contains("left out"), "{why}");
    let (mut peer, join) = fake.seat(3).await;
    assert_eq!(join.after, 1);
    for seq in [2, 3] {
        peer.say(entry(seq)).await;
    }
    assert_eq!(talk.entries(2).await, [2, 3]);
    // A gap that does not begin where we are is a hole as well.
    peer.say(json!({"type": "gap", "room": "#a", "from": 5, "to": 9})).await;
    assert!(talk.offline().await.0.contains("left out"));
}

#[tokio::test]
async fn a_gap_to_the_end_of_all_numbers_is_the_last() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    talk.join(None);
    let (mut peer, _) = fake.seat(u64::MAX).await;
    for from in [1, 0] {
        peer.say(json!({"type": "gap", "room": "#a", "from": from, "to": u64::MAX})).await;
    }
    assert!(talk.offline().await.0.contains("left out"));
    fake.accept().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_told_without_its_control_characters() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    let mut nonsense = entry(1);
    nonsense["id"] = "\u{9d}0;title\u{9c}".into();
    fake.accept().await.say(nonsense).await;
    let (why, _) = talk.offline().await;
    assert!(why.contains("makes no sense") && !why.contains(char::is_control), "{why:?}");
    // In the greeting too.
    let mut peer = Peer::new(fake.connection().await);
    peer.say(welcome("open")).await;
    peer.command().await;
    peer.say(json!({"type": "ready", "session": "\u{9d}"})).await;
    let (why, _) = talk.offline().await;
    assert!(why.contains("makes no sense") && !why.contains(char::is_control), "{why:?}");
}

#[tokio::test]
async fn a_gap_moves_the_cursor() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    talk.join(Some(1));
    let (mut peer, join) = fake.seat(9).await;
    assert_eq!((join.after, join.limit), (0, Some(1)));
    peer.say(json!({"type": "gap", "room": "#a", "from": 1, "to": 8})).await;
    peer.say(entry(9)).await;
    assert_eq!(talk.entry().await.seq, 9);
    drop(peer);
    let (_peer, join) = fake.seat(9).await;
    assert_eq!((join.after, join.limit), (9, Some(1)), "a join keeps its limit");
}

#[tokio::test]
async fn who_follows_wants_all_of_it_after_the_beginning() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    talk.link.follow(join(Some(1)));
    // Broken off before the beginning: it is still to come.
    let (peer, join) = fake.seat(9).await;
    assert_eq!((join.after, join.limit), (0, Some(1)));
    talk.ok().await;
    drop(peer);
    let (mut peer, join) = fake.seat(9).await;
    assert_eq!((join.after, join.limit), (0, Some(1)));
    peer.say(json!({"type": "gap", "room": "#a", "from": 1, "to": 8})).await;
    talk.until(|update| matches!(update, Update::Event(Event::Gap(_), _)).then_some(())).await;
    drop(peer);
    let (_peer, join) = fake.seat(9).await;
    assert_eq!((join.after, join.limit), (8, None));
}

#[tokio::test]
async fn who_follows_an_empty_room_wants_all_of_it() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    talk.link.follow(join(Some(1)));
    let (peer, _) = fake.seat(0).await;
    talk.ok().await;
    drop(peer);
    let (_peer, join) = fake.seat(7).await;
    assert_eq!((join.after, join.limit), (0, None));
}

#[tokio::test]
async fn joining_again_delivers_nothing_twice() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    talk.join(None);
    let (mut peer, _) = fake.seat(1).await;
    peer.say(entry(1)).await;
    assert_eq!(talk.entry().await.seq, 1);
    talk.join(None);
    let Command::Join(join) = peer.command().await else { panic!("no join") };
    // What the old seat had on its way comes first, then the answer as it was true before that, and then
    // what comes after the cursor that we gave.
    peer.say(entry(2)).await;
    peer.say(json!({"type": "ok", "re": join.id, "room": "#a", "topic": "", "here": 1, "last": 1})).await;
    peer.say(entry(2)).await;
    peer.say(entry(3)).await;
    assert_eq!(talk.entries(2).await, [2, 3]);
}

#[tokio::test]
async fn a_log_that_is_shorter_than_we_remember_is_followed_from_its_end() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    talk.join(None);
    let (mut peer, _) = fake.seat(2).await;
    peer.say(entry(1)).await;
    peer.say(entry(2)).await;
    assert_eq!(talk.entries(2).await, [1, 2]);
    drop(peer);
    let (mut peer, join) = fake.seat(1).await;
    assert_eq!(join.after, 2);
    peer.say(entry(2)).await;
    assert_eq!(talk.entries(1).await, [2]);
}

#[tokio::test]
async fn a_join_said_before_there_is_a_connection_keeps_its_id() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    talk.link.submit(Command::Join(Join { id: RequestId::new("mine"), ..join(None) }));
    let mut peer = fake.accept().await;
    assert_eq!(peer.command().await.request_id(), RequestId::new("mine"));
    drop(peer);
    let (_peer, join) = fake.seat(0).await;
    assert_eq!(join.id, RequestId::new("mine"), "not answered yet");
    assert_eq!(Some(talk.ok().await), RequestId::new("mine"));
}

#[tokio::test]
async fn a_refused_join_is_told_and_not_tried_again() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    talk.join(None);
    let mut peer = fake.accept().await;
    let Command::Join(join) = peer.command().await else { panic!("no join") };
    peer.say(json!({"type": "error", "re": &join.id, "code": "room_full", "message": "#a is full"})).await;
    let failure = talk.failed().await;
    assert_eq!((failure.code, failure.re), (ErrorCode::RoomFull, join.id));
    drop(peer);
    let mut peer = fake.accept().await;
    talk.online().await;
    talk.link.submit(Command::Who(InRoom { id: None, room: room("#b") }));
    assert!(matches!(peer.command().await, Command::Who(_)), "no join");
}

#[tokio::test]
async fn a_join_that_is_refused_after_a_break_names_its_room() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    talk.join(None);
    let (peer, _) = fake.seat(0).await;
    talk.ok().await;
    drop(peer);
    let mut peer = fake.accept().await;
    let Command::Join(join) = peer.command().await else { panic!("no join") };
    peer.say(json!({"type": "error", "re": join.id, "code": "room_full", "message": "it is full"})).await;
    assert_eq!(talk.failed().await.message.as_str(), "#a: it is full");
    // One that says so itself is not told twice.
    talk.join(None);
    let Command::Join(join) = peer.command().await else { panic!("no join") };
    peer.say(json!({"type": "error", "re": join.id, "code": "room_full", "message": "#a is full"})).await;
    assert_eq!(talk.failed().await.message.as_str(), "#a is full");
}

#[tokio::test]
async fn what_was_told_about_people_is_an_answer() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    let mut peer = fake.accept().await;
    talk.online().await;
    let id = RequestId::new;
    talk.link.submit(Command::Whois(OfNick { id: id("who"), nick: nick("bob") }));
    talk.link.submit(Command::Audit(ReadAudit { id: id("what"), before: None, limit: 5 }));
    talk.link.submit(Command::Tickets(Plain { id: id("tickets") }));
    talk.link.submit(Command::Stats(Plain { id: id("stats") }));
    talk.link.submit(Command::Rooms(Plain { id: id("rooms") }));
    for _ in 0..5 {
        peer.command().await;
    }
    peer.say(json!({"type": "stats", "re": "stats"})).await;
    peer.say(json!({"type": "whois", "re": "who", "nick": "bob", "here": true})).await;
    peer.say(json!({"type": "audit", "re": "what", "decisions": []})).await;
    peer.say(json!({"type": "tickets", "re": "tickets", "tickets": []})).await;
    talk.until(|update| matches!(update, Update::Event(Event::Tickets(_), _)).then_some(())).await;
    drop(peer);
    assert_eq!(talk.failed().await.re, id("rooms"), "and nothing else is unanswered");
    talk.offline().await;
}

#[tokio::test]
async fn who_makes_a_passphrase_comes_back_with_it() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    let mut peer = fake.accept().await;
    talk.online().await;
    let id = RequestId::new("new");
    talk.link.submit(Command::Passphrase(Plain { id: id.clone() }));
    peer.command().await;
    peer.say(json!({"type": "ok", "re": id, "words": "amber-otter-river-stone"})).await;
    talk.until(|update| matches!(update, Update::Event(Event::Ok(_), _)).then_some(())).await;
    drop(peer);
    let mut peer = Peer::new(fake.connection().await);
    let mut asking = welcome("passphrase");
    let (salt, cost) = (Hex([7; 16]), Cost::USUAL);
    asking["auth"]["scrypt"] = json!({"salt": salt, "n": cost.n, "r": cost.r, "p": cost.p});
    asking["auth"]["pake"] = json!("spake2");
    peer.say(asking).await;
    let Command::Pake(Pake::Message(message)) = peer.command().await else { panic!("no exchange") };
    let words = Passphrase::new("amber otter river stone").unwrap();
    let key = ProofKey::derive(&words, &salt, cost).unwrap();
    let (agreed, ours) = pake::answer(&key, Hex([0; 32]), Binding::NONE, &message).unwrap();
    peer.say(json!({"type": "pake", "message": ours})).await;
    let Command::Pake(Pake::Proof(proof)) = peer.command().await else { panic!("no proof") };
    assert!(agreed.is_clients(&proof));
    peer.say(json!({"type": "pake", "proof": agreed.server_proof()})).await;
    let Command::Hello(hello) = peer.command().await else { panic!("no hello") };
    assert_eq!(hello.proof, None);
}

#[tokio::test]
async fn a_question_that_a_break_leaves_unanswered_fails() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    let mut peer = fake.accept().await;
    talk.online().await;
    for id in ["answered", "unanswered"] {
        let id = RequestId::new(id);
        talk.link.submit(Command::History(History {
            id,
            room: room("#a"),
            place: Place::Before(9),
            limit: 1,
        }));
        peer.command().await;
    }
    peer.say(json!({"type": "page", "re": "answered", "room": "#a", "entries": [], "last": 0})).await;
    talk.until(|update| matches!(update, Update::Event(Event::Page(_), _)).then_some(())).await;
    drop(peer);
    let failure = talk.failed().await;
    assert_eq!((failure.code, failure.re), (ErrorCode::Offline, RequestId::new("unanswered")));
    talk.offline().await;
}

#[tokio::test]
async fn a_full_disk_holds_messages_and_loses_none() {
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    talk.join(None);
    let said: Vec<_> = (0..3).map(|n| talk.say(&n.to_string())).collect();
    let (mut peer, _) = fake.seat(0).await;
    assert_eq!(peer.sends(3).await, said);
    peer.ok(&said[0], 1).await;
    for id in &said[1..] {
        peer.say(json!({"type": "error", "re": id, "code": "storage_full", "message": "the disk is full"}))
            .await;
    }
    let held = talk
        .until(|update| match update {
            Update::Held { failure, .. } => Some(failure),
            Update::Failed(failure) => panic!("given up: {failure}"),
            _ => None,
        })
        .await;
    assert_eq!(held.message.as_str(), "the disk is full");
    let later = talk.say("later");
    let again = peer.sends(3).await;
    assert_eq!(again, [&said[1..], &[later]].concat());
    for (seq, id) in (2..).zip(&again) {
        peer.ok(id, seq).await;
    }
    while talk.ok().await != again[2] {}
    talk.link.quit();
    assert!(talk.ended().await.1.is_empty());
}

#[tokio::test]
async fn patience_ends_also_for_a_server_that_stores_nothing() {
    let fake = Fake::start().await;
    let mut talk = Talk::open(fake.port(), "alice", Some(Duration::from_secs(1)));
    talk.join(None);
    let (mut peer, _) = fake.seat(0).await;
    let said = talk.say("never stored");
    assert_eq!(peer.sends(1).await, [said]);
    let (why, unsent, wanted) = talk.ended().await;
    assert!(why.contains("stored nothing for 1 s") && unsent.len() == 1 && !wanted, "{why}");
}

#[tokio::test]
async fn the_round_trip_and_the_servers_clock_are_measured() {
    const HOUR: i64 = 3_600_000;
    let fake = Fake::start().await;
    let mut talk = Talk::to(fake.port());
    let mut peer = fake.accept().await;
    let json = soon(peer.reader.next()).await.unwrap().unwrap();
    let Command::Ping(Ping { id, sent: Some(_) }) = Command::decode(&json).unwrap() else {
        panic!("no ping")
    };
    // An older server: an hour ahead of us, and it says only when it answered.
    peer.say(json!({"type": "pong", "re": id, "now": Time::now().shifted(HOUR)})).await;
    let (round_trip, offset, within) = talk.latency().await;
    assert!(u128::from((offset - HOUR).unsigned_abs()) <= within.as_millis(), "{offset} with {round_trip:?}");
    // The next one comes soon. By now somebody has set the server's clock right; it says how long it kept the ping.
    let json = soon(peer.reader.next()).await.unwrap().unwrap();
    let Command::Ping(Ping { id, sent }) = Command::decode(&json).unwrap() else { panic!("no ping") };
    let received = Time::now();
    peer.say(json!({"type": "pong", "re": id, "sent": sent, "received": received, "now": Time::now()})).await;
    let (_, offset, within) = talk.latency().await;
    assert!(u128::from(offset.unsigned_abs()) <= within.as_millis(), "{offset}");
    // Somebody else's ping is somebody else's pong.
    talk.link.submit(Command::Ping(Ping { id: RequestId::new("mine"), sent: None }));
    peer.say(json!({"type": "pong", "re": "mine", "now": Time::now()})).await;
    let re = talk
        .until(|update| match update {
            Update::Event(Event::Pong(pong), _) => Some(pong.re),
            _ => None,
        })
        .await;
    assert_eq!(re, RequestId::new("mine"));
}

#[tokio::test]
async fn another_log_is_begun_from_its_beginning() {
    let [old, new] = [(); 2].map(|()| TempDir::new().unwrap());
    let mut server = Program::serve(old.path(), 0, &[]);
    let port = server.port;
    let mut talk = Talk::to(port);
    talk.join(None);
    let mut bob = TestClient::connect(port, "bob").await;
    bob.join("#a", 0, None).await;
    bob.send("#a", "in the old one").await;
    assert_eq!(talk.entry().await.text.as_str(), "in the old one");
    server.kill();
    let _server = Program::serve(new.path(), port, &[]);
    let mut bob = TestClient::connect(port, "bob").await;
    bob.join("#a", 0, None).await;
    bob.send("#a", "in the new one").await;
    talk.until(|update| matches!(update, Update::Online { new_log: true, .. }).then_some(())).await;
    let entry = talk.entry().await;
    assert_eq!((entry.seq, entry.text.as_str()), (1, "in the new one"));
}
