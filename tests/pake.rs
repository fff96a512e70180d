//! Proving the passphrase without giving anything away: to a parlor, and to whoever takes its place.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;
use common::{Read, TestClient, TestServer, Write, event, frame, hello, loopback, nick, soon, unlimited};
use parlor::client::link::{self, Barrier, Config, Secret, Trust, Update};
use parlor::protocol::command::{Command, Hello};
use parlor::protocol::event::{
    Auth, AuthKind, ErrorCode, Event, Failure, Ready, Scrypt, ServerInfo, Welcome,
};
use parlor::protocol::frame::{Frame, FrameReader};
use parlor::protocol::hex::Hex;
use parlor::protocol::invite::Pin;
use parlor::protocol::limits::COMMAND_BYTES;
use parlor::protocol::pake::{self, Agreed, Asking, Method, Pake, PakeMessage};
use parlor::protocol::proof::{Binding, Challenge, Cost, Fingerprint, KeyPair, Passphrase, Proof, ProofKey};
use parlor::protocol::text::Line;
use parlor::protocol::time::Time;
use parlor::server::door::Ask;
use parlor::server::tls::{Source, Tls};
use serde_json::{Value, json};
use tempfile::tempdir;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

fn words() -> Passphrase {
    Passphrase::new("amber otter ricotta amulet").unwrap()
}

/// A parlor without TLS and with these words: to see the exchange itself.
async fn without_tls() -> TestServer {
    TestServer::behind(None, Ask::Words(words()), unlimited()).await
}

/// A connection over which nothing was said yet, without TLS.
struct Knocking {
    reader: FrameReader<Read>,
    writer: Write,
    welcome: Box<Welcome>,
}

impl Knocking {
    async fn at(port: u16, from: Ipv4Addr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        let stream = soon(socket.connect(([127, 0, 0, 1], port).into())).await.unwrap();
        let (mut reader, writer) = TestClient::halves(stream);
        let Some(Event::Welcome(welcome)) = event(&mut reader).await else { panic!("no welcome") };
        Self { reader, writer, welcome: Box::new(welcome) }
    }

    fn key(&self, words: &Passphrase) -> ProofKey {
        let asked = self.welcome.auth.scrypt.unwrap();
        ProofKey::derive(words, &asked.salt, asked.cost).unwrap()
    }

    fn begin(&self, key: &ProofKey) -> (Asking, PakeMessage) {
        Asking::begin(key, self.welcome.auth.challenge, Binding::NONE)
    }

    async fn say(&mut self, command: &Command) {
        soon(self.writer.write_all(&Frame::encode(command).into_bytes())).await.unwrap();
    }

    async fn step(&mut self, ours: Pake) -> Result<Pake, Failure> {
        self.say(&Command::Pake(ours)).await;
        self.heard().await
    }

    async fn heard(&mut self) -> Result<Pake, Failure> {
        match event(&mut self.reader).await {
            Some(Event::Pake(step)) => Ok(step),
            Some(Event::Error(failure)) => {
                assert!(matches!(event(&mut self.reader).await, Some(Event::Bye(_))));
                Err(failure)
            }
            other => panic!("{other:?}"),
        }
    }

    /// The whole exchange, as far as it goes: what the two agreed on, and what was said.
    async fn prove(&mut self, key: &ProofKey) -> Result<(Agreed, PakeMessage, Proof), Failure> {
        let (asking, message) = self.begin(key);
        let Pake::Message(answer) = self.step(Pake::Message(message)).await? else { panic!("no message") };
        let agreed = asking.finish(&answer).unwrap();
        let proof = agreed.client_proof();
        match self.step(Pake::Proof(proof)).await? {
            Pake::Proof(theirs) => assert!(agreed.is_servers(&theirs)),
            Pake::Message(_) => panic!("a second message"),
        }
        Ok((agreed, message, proof))
    }

    /// Says something, and how it is refused.
    async fn refused(&mut self, said: &Value) -> ErrorCode {
        soon(self.writer.write_all(&frame(said.to_string().as_bytes()))).await.unwrap();
        self.heard().await.unwrap_err().code
    }

    async fn enter(mut self, hello: &Command) -> Result<Box<Ready>, Failure> {
        self.say(hello).await;
        match event(&mut self.reader).await {
            Some(Event::Ready(ready)) => Ok(ready),
            Some(Event::Error(failure)) => Err(failure),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn both_show_that_they_know_the_words_before_anybody_says_who_they_are() {
    let server = without_tls().await;
    let mut knocking = Knocking::at(server.port, Ipv4Addr::LOCALHOST).await;
    assert_eq!(knocking.welcome.auth.pake, Some(Method::Spake2));
    let key = knocking.key(&words());
    knocking.prove(&key).await.unwrap();
    // All was proven: another proof is neither needed nor looked at.
    let Command::Hello(plain) = hello("alice", None) else { panic!("no hello") };
    let ready =
        knocking.enter(&Command::Hello(Box::new(Hello { proof: Some(Hex([0; 32])), ..*plain }))).await;
    assert_eq!(ready.unwrap().proof, None);
}

#[tokio::test]
async fn one_exchange_is_one_guess_and_the_servers_message_alone_is_none() {
    const AT_ONCE: usize = 80;
    let server = without_tls().await;
    let attacker = Ipv4Addr::new(127, 0, 0, 2);
    let wrong = ProofKey::from_bytes([7; 32]);
    for _ in 0..AT_ONCE {
        let mut fetching = Knocking::at(server.port, attacker).await;
        let (_, message) = fetching.begin(&wrong);
        assert!(matches!(fetching.step(Pake::Message(message)).await, Ok(Pake::Message(_))));
    }
    let mut guessing = Knocking::at(server.port, attacker).await;
    assert_eq!(guessing.prove(&wrong).await.unwrap_err().code, ErrorCode::PassphraseWrong);

    let mut knocking = Vec::new();
    for _ in 0..AT_ONCE {
        knocking.push(Knocking::at(server.port, attacker).await);
    }
    let guesses = knocking.into_iter().map(|mut guessing| {
        tokio::spawn(async move { guessing.prove(&ProofKey::from_bytes([7; 32])).await.unwrap_err().code })
    });
    let mut looked_at = 0;
    for guess in guesses.collect::<Vec<_>>() {
        match soon(guess).await.unwrap() {
            ErrorCode::PassphraseWrong => looked_at += 1,
            code => assert_eq!(code, ErrorCode::TooManyFailures),
        }
    }
    // Those who have the patience to wait one behind the other.
    assert!(looked_at < 25, "{looked_at} of {AT_ONCE} guesses were looked at");
    // Those who know the words come from elsewhere and wait for nobody.
    let mut knocking = Knocking::at(server.port, Ipv4Addr::LOCALHOST).await;
    let key = knocking.key(&words());
    knocking.prove(&key).await.unwrap();
}

#[tokio::test]
async fn what_was_overheard_is_worth_nothing() {
    let server = without_tls().await;
    let mut knocking = Knocking::at(server.port, Ipv4Addr::LOCALHOST).await;
    let key = knocking.key(&words());
    let (_, message, proof) = knocking.prove(&key).await.unwrap();
    let mut again = Knocking::at(server.port, Ipv4Addr::LOCALHOST).await;
    assert!(matches!(again.step(Pake::Message(message)).await, Ok(Pake::Message(_))));
    assert_eq!(again.step(Pake::Proof(proof)).await.unwrap_err().code, ErrorCode::PassphraseWrong);
}

#[tokio::test]
async fn what_is_out_of_order_or_malformed_is_refused() {
    let server = without_tls().await;
    let at = || Knocking::at(server.port, Ipv4Addr::LOCALHOST);
    let no_point = format!("4102{}", "00".repeat(31));
    for (said, code) in [
        (json!({"type": "pake"}), ErrorCode::BadRequest),
        (json!({"type": "pake", "message": "41"}), ErrorCode::BadRequest),
        (json!({"type": "pake", "message": no_point}), ErrorCode::BadRequest),
        (json!({"type": "pake", "message": "42".repeat(33)}), ErrorCode::BadRequest),
        (json!({"type": "pake", "proof": "00".repeat(32)}), ErrorCode::OutOfPlace),
    ] {
        assert_eq!(at().await.refused(&said).await, code, "{said}");
    }
    let (_, message) = at().await.begin(&ProofKey::from_bytes([1; 32]));
    let message = Pake::Message(message);
    let mut twice = at().await;
    twice.step(message).await.unwrap();
    assert_eq!(twice.step(message).await.unwrap_err().code, ErrorCode::OutOfPlace);
    let mut hello_between = at().await;
    hello_between.step(message).await.unwrap();
    hello_between.say(&hello("alice", None)).await;
    assert_eq!(hello_between.heard().await.unwrap_err().code, ErrorCode::OutOfPlace);
    // One exchange for one connection; and none where there is nothing to prove.
    let mut proven = at().await;
    let key = proven.key(&words());
    proven.prove(&key).await.unwrap();
    assert_eq!(proven.step(message).await.unwrap_err().code, ErrorCode::OutOfPlace);
    let open = TestServer::start().await;
    let mut knocking = Knocking::at(open.port, Ipv4Addr::LOCALHOST).await;
    assert_eq!(knocking.welcome.auth.pake, None);
    assert_eq!(knocking.step(message).await.unwrap_err().code, ErrorCode::OutOfPlace);
}

/// Opens a link there, as a person with a key, and waits until it is in or outside.
async fn join(port: u16, secret: Secret) -> Result<(), (String, Option<Barrier>)> {
    join_pinned(port, secret, None).await
}

async fn join_pinned(port: u16, secret: Secret, pin: Option<Pin>) -> Result<(), (String, Option<Barrier>)> {
    let identity = Some(Arc::new(person()));
    let trust = Trust { secret: Some(secret), identity, pin, ..Trust::default() };
    let (_link, mut updates) = link::open(Config {
        address: loopback(port),
        nick: nick("alice"),
        apart: false,
        trust,
        acquaintances: None,
        agent: Line::lossy("alices-program"),
        give_up_after: None,
    });
    loop {
        match soon(updates.recv()).await.expect("the link has ended") {
            Update::Online { .. } => return Ok(()),
            Update::Ended { why, barrier, .. } => return Err((why, barrier)),
            Update::Offline { why, .. } => return Err((why, None)),
            _ => {}
        }
    }
}

fn person() -> KeyPair {
    KeyPair::from_seed(&[3; 32]).unwrap()
}

/// What the false parlor below asks with.
const CHALLENGE: Challenge = Hex([7; 32]);
const ASKED: Scrypt = Scrypt { salt: Hex([3; 16]), cost: Cost::USUAL };

/// Takes the place of a parlor, with a certificate of its own and a guess at the words. Gives back all that it was told.
async fn false_parlor(
    kind: AuthKind,
    pake: Option<Method>,
    guess: ProofKey,
) -> (u16, Fingerprint, JoinHandle<Vec<Bytes>>) {
    let folder = tempdir().unwrap();
    let own = Tls::open(&Source::Own, folder.path()).unwrap().served();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let fingerprint = own.fingerprint;
    let told = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (reader, mut writer) = tokio::io::split(own.acceptor.accept(stream).await.unwrap());
        let server =
            ServerInfo { name: Line::lossy("lab"), version: Line::lossy("0"), id: uuid::Uuid::nil() };
        let auth = Auth { kind, challenge: CHALLENGE, scrypt: Some(ASKED), pake };
        say(&mut writer, &Event::Welcome(Welcome { protocol: 1, server, auth, now: Time::now() })).await;
        let mut reader = FrameReader::new(reader, COMMAND_BYTES);
        let mut told = Vec::new();
        while let Ok(Some(json)) = reader.next().await {
            match Command::decode(&json) {
                Ok(Command::Pake(Pake::Message(message))) => {
                    let (_, ours) = pake::answer(&guess, CHALLENGE, fingerprint.into(), &message).unwrap();
                    say(&mut writer, &Event::Pake(Pake::Message(ours))).await;
                }
                Ok(Command::Pake(Pake::Proof(_))) => {
                    say(&mut writer, &Event::Pake(Pake::Proof(Hex([9; 32])))).await;
                }
                _ => {}
            }
            told.push(json);
        }
        told
    });
    (port, fingerprint, told)
}

async fn say(writer: &mut (impl AsyncWrite + Unpin), event: &Event) {
    writer.write_all(&Frame::encode(event).into_bytes()).await.unwrap();
    writer.flush().await.unwrap();
}

#[tokio::test]
async fn a_false_parlor_learns_neither_who_comes_nor_anything_to_try_words_against() {
    let key = ProofKey::derive(&words(), &ASKED.salt, ASKED.cost).unwrap();
    let mut messages = Vec::new();
    for secret in [Secret::Words(words()), Secret::Key(ASKED.salt, key.clone())] {
        let guess = ProofKey::from_bytes([1; 32]);
        let (port, fingerprint, told) = false_parlor(AuthKind::Passphrase, Some(Method::Spake2), guess).await;
        let (why, _) = join(port, secret).await.unwrap_err();
        assert!(why.contains("without knowing the passphrase"), "{why}");
        let told = soon(told).await.unwrap();
        let steps: Vec<Command> = told.iter().map(|json| Command::decode(json).unwrap()).collect();
        let [Command::Pake(Pake::Message(message)), Command::Pake(Pake::Proof(proof))] = steps[..] else {
            panic!("{steps:?}");
        };
        // Not the proof that those get who are known, which is a function of the words.
        assert_ne!(proof, key.prove(&CHALLENGE, fingerprint.into()));
        messages.push(message);
        let all: String = told.iter().map(|json| String::from_utf8_lossy(json).into_owned()).collect();
        for secret in ["alice", &person().public().to_string(), "amber"] {
            assert!(!all.contains(secret), "{secret} is in {all}");
        }
    }
    assert_ne!(messages[0], messages[1], "the same words at the same salt are another message each time");
}

#[tokio::test]
async fn a_false_parlor_that_asks_for_less_is_told_nothing_at_all() {
    for (kind, pake, sentence) in [
        (AuthKind::Passphrase, None, "gives nothing away"),
        (AuthKind::Passphrase, Some(Method::Unknown), "gives nothing away"),
        (AuthKind::Open, None, "asks for no passphrase"),
    ] {
        let (port, _, told) = false_parlor(kind, pake, ProofKey::from_bytes([1; 32])).await;
        let (why, barrier) = join(port, Secret::Words(words())).await.unwrap_err();
        assert!(why.contains(sentence) && barrier.is_none(), "{why}");
        assert!(soon(told).await.unwrap().is_empty());
    }
}

/// Its certificate may be known from a visit at which it was open, and proved nothing.
#[tokio::test]
async fn a_certificate_that_was_seen_before_is_not_given_more_for_that() {
    for pake in [Some(Method::Spake2), None] {
        let (port, fingerprint, told) =
            false_parlor(AuthKind::Passphrase, pake, ProofKey::from_bytes([1; 32])).await;
        let pin = Some(Pin::of(&fingerprint));
        join_pinned(port, Secret::Words(words()), pin).await.unwrap_err();
        for json in soon(told).await.unwrap() {
            assert!(matches!(Command::decode(&json), Ok(Command::Pake(_))), "{json:?}");
        }
    }
}

/// One guess for each attempt is what nobody can keep them from: whoever knows the words is the parlor to a first visitor.
#[tokio::test]
async fn only_who_knows_the_words_is_told_who_comes() {
    let key = ProofKey::derive(&words(), &ASKED.salt, ASKED.cost).unwrap();
    let server = TestServer::closed().await;
    let words = server.words.clone().unwrap();
    assert!(join(server.port, Secret::Words(words)).await.is_ok());
    // The same words, but not this parlor's: refused by it, and not told who it was.
    let (_, barrier) = join(server.port, Secret::Words(self::words())).await.unwrap_err();
    assert_eq!(barrier, Some(Barrier::PassphraseWrong));
    // A key that was kept is for the salt that it was made with.
    let (_, barrier) = join(server.port, Secret::Key(ASKED.salt, key)).await.unwrap_err();
    assert_eq!(barrier, Some(Barrier::PassphraseNeeded));
}
