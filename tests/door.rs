//! Closed by default: whom the door lets in, and who stays outside however they try.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use common::tls::dial_tls;
use common::{Program, TestClient, TestServer, event, loopback, nick, soon, unlimited};
use parlor::client::link::{self, Barrier, Config, Link, Met, Secret, Trust, Update};
use parlor::protocol::command::{Command, Hello, MakeTicket, OfTicket, Plain, RequestId};
use parlor::protocol::event::{
    Allowed, Auth, AuthKind, ErrorCode, Event, Failure, Person, Ready, Reason, Scrypt, ServerInfo, Welcome,
};
use parlor::protocol::frame::Frame;
use parlor::protocol::hex::Hex;
use parlor::protocol::invite::Pin;
use parlor::protocol::pake::Method;
use parlor::protocol::proof::{Binding, Cost, Fingerprint, Identity, KeyPair, Passphrase, Proof, ProofKey};
use parlor::protocol::text::Line;
use parlor::protocol::ticket::Ticket;
use parlor::protocol::time::Time;
use parlor::server::door::Ask;
use parlor::server::tls::{Source, Tls};
use tempfile::tempdir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc;

fn words(server: &TestServer) -> Option<Secret> {
    server.words.clone().map(Secret::Words)
}

fn open(port: u16, trust: Trust) -> (Link, mpsc::Receiver<Update>) {
    link::open(Config {
        address: loopback(port),
        nick: nick("alice"),
        apart: false,
        trust,
        acquaintances: None,
        agent: Line::lossy("test"),
        give_up_after: None,
    })
}

/// Opens a link there and waits until it is in, or outside.
async fn join(port: u16, trust: Trust) -> Result<Met, (String, Option<Barrier>)> {
    let (_link, mut updates) = open(port, trust);
    loop {
        match soon(updates.recv()).await.expect("the link has ended") {
            Update::Online { met, .. } => return Ok(met),
            Update::Ended { why, barrier, .. } => return Err((why, barrier)),
            Update::Offline { why, .. } => return Err((why, None)),
            _ => {}
        }
    }
}

#[tokio::test]
async fn who_knows_the_passphrase_is_in_and_nobody_else() {
    let server = TestServer::closed().await;
    let outside = join(server.port, Trust::default()).await.unwrap_err();
    assert_eq!(outside.1, Some(Barrier::PassphraseNeeded), "{}", outside.0);
    let guess = Passphrase::new("amber otter river stone").unwrap();
    let wrong = Trust { secret: Some(Secret::Words(guess)), ..Trust::default() };
    let outside = join(server.port, wrong).await.unwrap_err();
    assert_eq!(outside.1, Some(Barrier::PassphraseWrong), "{}", outside.0);
    let met = join(server.port, Trust { secret: words(&server), ..Trust::default() }).await.unwrap();
    assert_eq!(met.fingerprint, server.fingerprint);

    // What it became opens the door again, and only the server that it was for.
    let (salt, key) = met.key.unwrap();
    let kept = Trust { secret: Some(Secret::Key(salt, key)), ..Trust::default() };
    assert!(join(server.port, kept.clone()).await.is_ok());
    let other = TestServer::closed().await;
    let outside = join(other.port, kept).await.unwrap_err();
    assert_eq!(outside.1, Some(Barrier::PassphraseNeeded), "{}", outside.0);
}

#[tokio::test]
async fn certificate_and_passphrase_outlive_a_restart_and_nobody_else_reads_them() {
    let server = TestServer::closed().await;
    let secret = words(&server);
    let met = join(server.port, Trust { secret: secret.clone(), ..Trust::default() }).await.unwrap();
    #[cfg(unix)]
    for name in ["certificate.pem", "certificate-key.pem", "passphrase"] {
        let file = std::fs::metadata(server.data().join(name)).unwrap();
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&file) & 0o777, 0o600, "{name}");
    }
    let server = server.restart().await;
    let (salt, key) = met.key.clone().unwrap();
    let pin = met.fingerprint.as_ref().map(Pin::of);
    let again = Trust { pin, secret: Some(Secret::Key(salt, key)), ..Trust::default() };
    let again = join(server.port, again).await.unwrap();
    assert_eq!((again.fingerprint, again.key), (met.fingerprint, met.key));
}

/// Somebody between client and server, with a certificate of their own, who passes on every word.
async fn man_in_the_middle(port: u16) -> (u16, Fingerprint) {
    let folder = tempdir().unwrap();
    let own = Tls::open(&Source::Own, folder.path()).unwrap().served();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let there = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = own.acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut client) = acceptor.accept(stream).await else { return };
                let mut server = dial_tls(port).await;
                drop(copy_bidirectional(&mut client, &mut server).await);
            });
        }
    });
    (there, own.fingerprint)
}

#[tokio::test]
async fn a_man_in_the_middle_is_told_apart_and_learns_nothing_that_opens_the_door() {
    let server = TestServer::closed().await;
    let (middle, shown) = man_in_the_middle(server.port).await;

    // Whoever was invited, or was there before, tells nothing to a stranger.
    let pin = server.fingerprint.as_ref().map(Pin::of);
    let pinned = Trust { pin, secret: words(&server), ..Trust::default() };
    let (why, barrier) = join(middle, pinned.clone()).await.unwrap_err();
    assert_eq!(barrier, Some(Barrier::Stranger(shown)), "{why}");
    assert!(join(server.port, pinned).await.is_ok());

    // Whoever comes for the first time takes part in an exchange, and it comes to nothing with another certificate between.
    let first = Trust { secret: words(&server), ..Trust::default() };
    let (why, barrier) = join(middle, first).await.unwrap_err();
    assert_eq!(barrier, Some(Barrier::PassphraseWrong), "{why}");
}

/// The host of a closed parlor, by their key.
async fn host_of(server: &TestServer) -> TestClient {
    server.client_with("host", Some(&KeyPair::from_seed(&[1; 32]).unwrap())).await
}

#[tokio::test]
async fn a_ticket_lets_in_as_often_as_it_says_and_whoever_came_by_it_stays_welcome() {
    let server = TestServer::closed_by(KeyPair::from_seed(&[1; 32]).unwrap().public()).await;
    let mut host = host_of(&server).await;
    let make = |uses, seconds| {
        Command::Ticket(MakeTicket {
            id: RequestId::new("t"),
            uses: NonZeroU32::new(uses),
            seconds,
            room: None,
        })
    };
    let id = RequestId::new("t").unwrap();
    host.say(make(1, None)).await;
    let ticket: Ticket = host.answer(&id).await.unwrap().ticket.unwrap();
    let pair = |seed| Some(Arc::new(KeyPair::from_seed(&[seed; 32]).unwrap()));
    let by = |ticket: &Ticket, seed| Trust {
        ticket: Some(ticket.clone()),
        identity: pair(seed),
        ..Trust::default()
    };
    let met = join(server.port, by(&ticket, 2)).await.unwrap();
    let (why, _) = join(server.port, by(&ticket, 3)).await.unwrap_err();
    assert!(why.contains("not valid"), "{why}");
    // What they were given opens the door the next time, as the passphrase would.
    let (salt, key) = met.key.unwrap();
    let again = Trust { secret: Some(Secret::Key(salt, key)), identity: pair(2), ..Trust::default() };
    assert!(join(server.port, again).await.is_ok());

    // One that is over, and one that was revoked.
    host.say(make(9, Some(0))).await;
    let over: Ticket = host.answer(&id).await.unwrap().ticket.unwrap();
    host.say(make(9, None)).await;
    let revoked: Ticket = host.answer(&id).await.unwrap().ticket.unwrap();
    host.say(Command::Revoke(OfTicket { id: Some(id.clone()), ticket: revoked.id() })).await;
    host.answer(&id).await.unwrap();
    for ticket in [over, revoked, Hex([7; 16]).into()] {
        let (why, _) = join(server.port, by(&ticket, 4)).await.unwrap_err();
        assert!(why.contains("not valid"), "{why}");
    }
}

#[tokio::test]
async fn a_new_passphrase_is_asked_of_whoever_comes_next() {
    let server = TestServer::closed_by(KeyPair::from_seed(&[1; 32]).unwrap().public()).await;
    let mut host = host_of(&server).await;
    let mut member = server.client_with("member", None).await;
    let id = RequestId::new("p").unwrap();
    let change = Command::Passphrase(Plain { id: Some(id.clone()) });
    member.say(change.clone()).await;
    assert_eq!(member.answer(&id).await.unwrap_err().code, ErrorCode::NotAllowed);
    let old = Trust { secret: words(&server), ..Trust::default() };
    assert!(join(server.port, old.clone()).await.is_ok());
    host.say(change).await;
    let new = host.answer(&id).await.unwrap().words.unwrap();
    let new = Some(Secret::Words(Passphrase::new(new.as_str()).unwrap()));
    let (why, barrier) = join(server.port, old.clone()).await.unwrap_err();
    assert_eq!(barrier, Some(Barrier::PassphraseWrong), "{why}");
    assert!(join(server.port, Trust { secret: new.clone(), ..Trust::default() }).await.is_ok());
    // Those who are in stay.
    member.join("#a", 0, None).await;
    let server = server.restart().await;
    assert!(join(server.port, Trust { secret: new, ..Trust::default() }).await.is_ok());
    assert!(join(server.port, old).await.is_err());
}

/// Takes the place of a parlor: greets, asks for a proof as the parlor would, and lets in.
async fn impostor(asked: Scrypt, back: Option<Proof>) -> (u16, Fingerprint) {
    let folder = tempdir().unwrap();
    let own = Tls::open(&Source::Own, folder.path()).unwrap().served();
    let fingerprint = own.fingerprint;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let there = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = own.acceptor.accept(stream).await.unwrap();
        let id = uuid::Uuid::nil();
        let server = ServerInfo { name: Line::lossy("lab"), version: Line::lossy("0"), id };
        let auth = Auth {
            kind: AuthKind::Passphrase,
            challenge: Hex([7; 32]),
            scrypt: Some(asked),
            pake: Some(Method::Spake2),
        };
        let welcome = Welcome { protocol: 1, server, auth, now: Time::now() };
        let mut words = Frame::encode(&Event::Welcome(welcome)).into_bytes().to_vec();
        let you = Person { nick: nick("alice"), guest: true, role: None, away: None };
        let limits = Allowed {
            text_bytes: 1,
            frame_bytes: 1,
            message_burst: 1,
            messages_per_second: 1.0,
            page_entries: 1,
            rooms_per_session: 1,
        };
        let (rooms, ignored) = (Vec::new(), Vec::new());
        let ready = Ready {
            session: id,
            you,
            author: 1,
            direct: Vec::new(),
            rooms,
            ignored,
            proof: back,
            key: None,
            motd: None,
            limits,
        };
        words.extend_from_slice(&Frame::encode(&Event::Ready(Box::new(ready))).into_bytes());
        stream.write_all(&words).await.unwrap();
        // Hears what it was waiting for, and has nothing of it.
        drop(tokio::io::copy(&mut stream, &mut tokio::io::sink()).await);
    });
    (there, fingerprint)
}

#[tokio::test]
async fn whoever_does_not_know_the_passphrase_cannot_be_the_parlor_whatever_their_certificate() {
    let words = Passphrase::new("amber otter river stone").unwrap();
    let asked = Scrypt { salt: Hex([3; 16]), cost: Cost::USUAL };
    let key = ProofKey::derive(&words, &asked.salt, asked.cost).unwrap();
    // Somebody has stolen the certificate with its key: it is the one that was expected.
    let trust = |fingerprint: &Fingerprint| {
        let secret = Some(Secret::Key(asked.salt, key.clone()));
        Trust { pin: Some(Pin::of(fingerprint)), secret, ..Trust::default() }
    };
    for back in [None, Some(Hex([0; 32]))] {
        let (port, fingerprint) = impostor(asked, back).await;
        let (why, _) = join(port, trust(&fingerprint)).await.unwrap_err();
        assert!(why.contains("without knowing the passphrase"), "{why}");
    }
    // One that makes the trying of words cheap is not told any.
    let cheap = Scrypt { cost: Cost { n: 2, r: 8, p: 1 }, ..asked };
    let (port, _) = impostor(cheap, None).await;
    let secret = Some(Secret::Words(words));
    let (why, _) = join(port, Trust { secret, ..Trust::default() }).await.unwrap_err();
    assert!(why.contains("was not used"), "{why}");
}

#[tokio::test]
async fn a_link_stays_with_the_certificate_that_it_has_met() {
    let mut server = TestServer::closed().await;
    let trust = Trust { secret: words(&server), ..Trust::default() };
    let (_link, mut updates) = open(server.port, trust);
    while !matches!(soon(updates.recv()).await.unwrap(), Update::Online { .. }) {}
    server.stop().await;
    // Another one with another certificate, at the same place.
    for name in ["certificate.pem", "certificate-key.pem"] {
        std::fs::remove_file(server.data().join(name)).unwrap();
    }
    let server = server.start_again().await;
    let barrier = loop {
        if let Update::Ended { barrier, .. } = soon(updates.recv()).await.unwrap() {
            break barrier;
        }
    };
    assert_eq!(barrier, server.fingerprint.map(Barrier::Stranger));
}

/// A parlor without TLS and with a passphrase, whose key a test may have: to see the proofs themselves.
async fn without_tls() -> (TestServer, Passphrase) {
    let words = Passphrase::new("amber otter river stone").unwrap();
    (TestServer::behind(None, Ask::Words(words.clone()), unlimited()).await, words)
}

/// Connects from an address of this machine, up to the welcome.
async fn knock(port: u16, from: Ipv4Addr) -> (TestClientHalves, Box<Welcome>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let stream = soon(socket.connect(([127, 0, 0, 1], port).into())).await.unwrap();
    let mut halves = TestClient::halves(stream);
    match event(&mut halves.0).await {
        Some(Event::Welcome(welcome)) => (halves, Box::new(welcome)),
        other => panic!("{other:?}"),
    }
}

type TestClientHalves = (parlor::protocol::frame::FrameReader<common::Read>, common::Write);

/// Answers, and waits for what becomes of it.
async fn answer(
    (mut reader, mut writer): TestClientHalves,
    name: &str,
    proof: Option<Proof>,
    identity: Option<Identity>,
) -> Result<(), Failure> {
    let agent = Line::lossy("test");
    let hello = Command::Hello(Box::new(Hello {
        protocol: 1,
        nick: nick(name),
        resume: None,
        proof,
        ticket: None,
        identity,
        apart: false,
        agent,
    }));
    writer.write_all(&Frame::encode(&hello).into_bytes()).await.unwrap();
    match event(&mut reader).await {
        Some(Event::Ready(_)) => Ok(()),
        Some(Event::Error(failure)) => {
            assert!(matches!(event(&mut reader).await, Some(Event::Bye(_))));
            Err(failure)
        }
        other => panic!("{other:?}"),
    }
}

fn key(welcome: &Welcome, words: &Passphrase) -> ProofKey {
    let asked = welcome.auth.scrypt.unwrap();
    ProofKey::derive(words, &asked.salt, asked.cost).unwrap()
}

#[tokio::test]
async fn a_proof_that_was_overheard_is_worth_nothing() {
    let (server, words) = without_tls().await;
    let (halves, welcome) = knock(server.port, Ipv4Addr::LOCALHOST).await;
    let key = key(&welcome, &words);
    let proof = key.prove(&welcome.auth.challenge, Binding::NONE);
    assert_eq!(answer(halves, "alice", Some(proof), None).await, Ok(()));
    let (halves, again) = knock(server.port, Ipv4Addr::LOCALHOST).await;
    assert_ne!(again.auth.challenge, welcome.auth.challenge);
    let failure = answer(halves, "mallory", Some(proof), None).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::PassphraseWrong);
}

#[tokio::test]
async fn a_signature_that_was_overheard_is_worth_nothing() {
    let (server, words) = without_tls().await;
    let pair = KeyPair::from_seed(&[7; 32]).unwrap();
    let (halves, welcome) = knock(server.port, Ipv4Addr::LOCALHOST).await;
    let key = key(&welcome, &words);
    let signature = pair.sign(&welcome.auth.challenge, Binding::NONE);
    let identity = Identity { key: pair.public(), signature };
    let proof = key.prove(&welcome.auth.challenge, Binding::NONE);
    assert_eq!(answer(halves, "alice", Some(proof), Some(identity)).await, Ok(()));
    let (halves, again) = knock(server.port, Ipv4Addr::LOCALHOST).await;
    let proof = key.prove(&again.auth.challenge, Binding::NONE);
    let failure = answer(halves, "mallory", Some(proof), Some(identity)).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::BadSignature);
}

#[tokio::test]
async fn a_thousand_wrong_passphrases_from_one_address_disturb_nobody() {
    let (server, words) = without_tls().await;
    let port = server.port;
    let attacker = Ipv4Addr::new(127, 0, 0, 2);
    // One after the other, as fast as they are answered, until they are not even looked at any more.
    let guessing = tokio::spawn(async move {
        let mut codes = Vec::new();
        while codes.len() < 1000 {
            let (halves, _) = knock(port, attacker).await;
            let failure = answer(halves, "mallory", Some(Hex([0; 32])), None).await.unwrap_err();
            codes.push(failure.code);
        }
        codes
    });
    let (_, welcome) = knock(port, Ipv4Addr::LOCALHOST).await;
    let key = key(&welcome, &words);
    let mut longest = Duration::ZERO;
    let mut others = 0;
    while !guessing.is_finished() {
        let start = std::time::Instant::now();
        let (halves, welcome) = knock(port, Ipv4Addr::LOCALHOST).await;
        let proof = key.prove(&welcome.auth.challenge, Binding::NONE);
        assert_eq!(answer(halves, &format!("n{others}"), Some(proof), None).await, Ok(()));
        longest = longest.max(start.elapsed());
        others += 1;
    }
    let codes = guessing.await.unwrap();
    let looked_at = codes.iter().filter(|code| **code == ErrorCode::PassphraseWrong).count();
    let turned_away = codes.iter().filter(|code| **code == ErrorCode::TooManyFailures).count();
    assert_eq!(looked_at + turned_away, 1000);
    assert!(looked_at < 20, "{looked_at} guesses were looked at");
    assert!(others > 10, "{others} came in, the slowest in {longest:?}");
}

/// Many answers at the same moment, on connections that were opened before: the first failure must be known to the
/// second. On one thread, so that the server finds them all there when it has its turn.
#[tokio::test]
async fn guesses_at_the_same_moment_are_looked_at_no_more_often() {
    const AT_ONCE: usize = 200;
    let (server, words) = without_tls().await;
    let mut knocking = Vec::new();
    for _ in 0..AT_ONCE {
        knocking.push(knock(server.port, Ipv4Addr::new(127, 0, 0, 2)).await.0);
    }
    let guesses =
        knocking.into_iter().map(|halves| tokio::spawn(answer(halves, "mallory", Some(Hex([0; 32])), None)));
    let guesses: Vec<_> = guesses.collect();
    let mut looked_at = 0;
    for guess in guesses {
        let failure = soon(guess).await.unwrap().unwrap_err();
        looked_at += usize::from(failure.code == ErrorCode::PassphraseWrong);
    }
    // The first, and those who have the patience to wait one behind the other.
    assert!(looked_at < 25, "{looked_at} of {AT_ONCE} guesses were looked at");
    // Those who know the words come from elsewhere and wait for nobody.
    let (halves, welcome) = knock(server.port, Ipv4Addr::LOCALHOST).await;
    let proof = key(&welcome, &words).prove(&welcome.auth.challenge, Binding::NONE);
    assert_eq!(answer(halves, "alice", Some(proof), None).await, Ok(()));
}

#[tokio::test]
async fn who_speaks_no_tls_is_told_so() {
    let server = TestServer::closed().await;
    // A client that waits to be greeted, and one that speaks at once.
    for first in [&b""[..], b"\0\0\0\x02{}"] {
        let (mut reader, mut writer) = TestClient::dial(server.port).await;
        writer.write_all(first).await.unwrap();
        assert!(matches!(
            event(&mut reader).await,
            Some(Event::Error(Failure { code: ErrorCode::TlsExpected, .. }))
        ));
        assert!(matches!(event(&mut reader).await, Some(Event::Bye(bye)) if bye.reason == Reason::Refused));
    }
    let plain = Trust { plain: true, ..Trust::default() };
    let (why, _) = join(server.port, plain).await.unwrap_err();
    assert!(why.contains("connect without --plain"), "{why}");
}

#[tokio::test]
async fn who_speaks_tls_to_a_parlor_without_it_is_told_so() {
    let server = TestServer::start().await;
    let (why, _) = join(server.port, Trust::default()).await.unwrap_err();
    assert!(why.contains("speaks no TLS") && why.contains("--plain"), "{why}");
}

#[tokio::test]
async fn a_full_parlor_says_so_over_tls_too() {
    let mut limits = unlimited();
    limits.connections = 1;
    let server = TestServer::behind(Some(Source::Own), Ask::Nothing, limits).await;
    let mut first = dial_tls(server.port).await;
    let mut greeting = [0; 4];
    soon(first.read_exact(&mut greeting)).await.unwrap();
    let (why, _) = join(server.port, Trust::default()).await.unwrap_err();
    assert!(why.contains("this parlor is full"), "{why}");
}

/// Everything that [docs/security.md](../docs/security.md) says of a certificate that has changed, with the real program.
#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_a_certificate_are_the_same_to_host_and_guest_and_one_command_accepts_a_new_one() {
    let (served, visiting) = (tempdir().unwrap(), tempdir().unwrap());
    let start = |port: u16| {
        let mut command = common::parlor(served.path());
        command.args(["serve", "--open", "--listen", &format!("127.0.0.1:{port}"), "--data"]);
        command.arg(served.path()).stderr(std::process::Stdio::null());
        Program::start(command, 1)
    };
    let run = |mut command: std::process::Command| {
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let quoted = |text: &str| text.split('"').nth(1).unwrap_or_default().to_owned();
    let words_of_the_host = || {
        let mut command = common::parlor(served.path());
        command.args(["invite", "--data"]).arg(served.path());
        quoted(&run(command).1)
    };
    let say = |to: &str| {
        let mut command = common::parlor(visiting.path());
        command.args(["say", "#a", "x", "--nick", "guest", "--timeout", "5s", "--server", to]);
        run(command)
    };
    let mut program = start(0);
    let (port, at) = (program.port, format!("127.0.0.1:{}", program.port));
    let first = words_of_the_host();
    assert_eq!(first.split(' ').count(), 6, "{first}");
    let (stored, news) = say(&at);
    assert!(stored && news.contains(&first), "the first visit says the words {first}: {news}");

    program.kill();
    for name in ["certificate.pem", "certificate-key.pem"] {
        std::fs::remove_file(served.path().join(name)).unwrap();
    }
    let program = start(port);
    let second = words_of_the_host();
    assert_ne!(first, second);
    let (stored, why) = say(&at);
    assert!(!stored && !why.contains(&first), "{why}");
    // `parlor join` shows the words and the command; what is in its quotes is the address for any other command, too.
    let mut join = common::parlor(visiting.path());
    join.args(["join", &at, "--nick", "guest"]);
    let (joined, why) = run(join);
    assert!(!joined && why.contains(&second), "{second}: {why}");
    let (_, command) = why.split_once("parlor join '").expect("a command with an address in quotes");
    let accept = command.split('\'').next().unwrap_or_default();
    let (stored, news) = say(accept);
    assert!(stored && news.contains(&second), "{news}");
    let (stored, news) = say(&at);
    assert!(stored && news.is_empty(), "from then on it is known: {news}");
    drop(program);
}
