//! Joining by words: the parlor of a passphrase is found among those that are announced, and no other one is told the words.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{TestClient, TestServer, loopback, unlimited};
use parlor::client::find::{Heard, Parlor};
use parlor::client::seek::{ASKED, Found, Missed, Progress, Wanted, seek};
use parlor::protocol::address::Address;
use parlor::protocol::announcement::Announcement;
use parlor::protocol::hex::Hex;
use parlor::protocol::invite::Pin;
use parlor::protocol::proof::{Fingerprint, Passphrase};
use parlor::protocol::text::Line;
use parlor::server::door::Ask;
use tokio::sync::mpsc;
use uuid::Uuid;

fn words() -> Passphrase {
    Passphrase::new("amber otter ricotta amulet").unwrap()
}

fn announced(ports: &[u16], open: bool, fingerprint: Option<Fingerprint>) -> Heard {
    let (id, name) = (Uuid::new_v4(), Line::lossy("lab"));
    let said = Announcement { id, name, port: ports[0], people: 1, open, fingerprint };
    Heard::Here(Parlor { said, addresses: ports.iter().map(|port| loopback(*port)).collect() })
}

fn wanted(words: Passphrase) -> Wanted {
    Wanted { words, here: None, plain: false }
}

/// Hears these and no others.
async fn among(heard: Vec<Heard>, wanted: Wanted) -> (Result<Found, Missed>, Vec<Progress>) {
    let (sender, hearing) = mpsc::channel(heard.len().max(1));
    for one in heard {
        sender.send(one).await.unwrap();
    }
    drop(sender);
    let mut progress = Vec::new();
    let found = common::soon(seek(wanted, hearing, |now| progress.push(now))).await;
    (found, progress)
}

#[tokio::test]
async fn the_parlor_of_the_words_is_found_among_others_and_nobody_has_come_in() {
    let (server, other) = (TestServer::closed().await, TestServer::closed().await);
    let own_words = server.words.clone().unwrap();
    let heard = vec![
        announced(&[other.port], false, other.fingerprint),
        // Where nothing listens, or somebody else with another certificate, its next address counts.
        announced(&[1, other.port, server.port], false, server.fingerprint),
    ];
    let (found, _) = among(heard, wanted(own_words.clone())).await;
    let found = found.unwrap();
    assert_eq!(found, Found { address: loopback(server.port), fingerprint: server.fingerprint });
    let invite = found.invite(own_words.clone());
    assert_eq!(invite.pin, server.fingerprint.as_ref().map(Pin::of));
    assert!(invite.passphrase == Some(own_words) && !invite.plain);
    // Everybody's name is free, and the first who comes is alone.
    let mut alice = server.client_inside("alice").await;
    let here = alice.join("#lobby", 0, None).await.room.unwrap().here;
    assert_eq!(here, 1);
}

#[tokio::test]
async fn who_announces_the_id_of_another_does_not_hide_it() {
    let (server, other) = (TestServer::closed().await, TestServer::closed().await);
    let Heard::Here(real) = announced(&[server.port], false, server.fingerprint) else { panic!("not heard") };
    let said = |said: Announcement, port| Heard::Here(Parlor { said, addresses: vec![loopback(port)] });
    let open = Announcement { open: true, ..real.said.clone() };
    let sealed = Announcement { fingerprint: other.fingerprint, ..real.said.clone() };
    let heard = vec![said(open, other.port), said(sealed, other.port), Heard::Here(real)];
    let (found, _) = among(heard, wanted(server.words.clone().unwrap())).await;
    assert_eq!(found, Ok(Found { address: loopback(server.port), fingerprint: server.fingerprint }));
}

#[tokio::test]
async fn one_who_answers_in_its_place_and_says_nothing_does_not_hide_it() {
    let server = TestServer::closed().await;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let heard = vec![announced(&[port, server.port], false, server.fingerprint)];
    let (found, _) = among(heard, wanted(server.words.clone().unwrap())).await;
    assert_eq!(found.unwrap().address, loopback(server.port));
}

#[tokio::test]
async fn the_best_address_is_asked_though_another_was_heard_first() {
    let server = TestServer::closed().await;
    let Heard::Here(first) = announced(&[server.port], false, server.fingerprint) else {
        panic!("not heard")
    };
    let better = Address::Tcp { host: "localhost".to_owned(), port: server.port };
    let both = Parlor { addresses: vec![better.clone(), loopback(server.port)], ..first.clone() };
    let heard = vec![Heard::Here(first), Heard::Here(both)];
    let (found, _) = among(heard, wanted(server.words.clone().unwrap())).await;
    assert_eq!(found.unwrap().address, better);
}

#[tokio::test]
async fn who_is_asked_in_vain_is_counted_and_said() {
    let other = TestServer::closed().await;
    let heard = vec![
        announced(&[other.port], false, other.fingerprint),
        announced(&[2], true, Some(Hex([1; 32]))),
        announced(&[3], false, None),
        announced(&[1], false, Some(Hex([1; 32]))),
        Heard::Trouble("multicast does not work here".to_owned()),
    ];
    let (missed, progress) = among(heard, wanted(words())).await;
    let missed = missed.unwrap_err();
    let troubles = vec!["multicast does not work here".to_owned()];
    let expected =
        Missed { found: 4, strangers: 1, open: 1, without_tls: 1, silent: 1, troubles, ..Missed::default() };
    assert_eq!(missed, expected);
    assert_eq!(
        missed.to_string(),
        "4 parlors were found, and none of them knows these words (1 said so; 1 without a passphrase; 1 without TLS, \
         asked only with --plain; 1 gave no answer). Check the words; or look with `parlor find`, and type \
         `parlor join ADDRESS`\nmulticast does not work here"
    );
    assert_eq!(progress.last(), Some(&Progress { asked: 2, to_go: 0 }));
    assert!(
        progress.contains(&Progress { asked: 0, to_go: 2 })
            || progress.contains(&Progress { asked: 1, to_go: 1 })
    );
}

#[tokio::test]
async fn where_there_is_none_it_is_said_what_else_to_type() {
    let wanted = Wanted { here: Some(loopback(1)), ..wanted(words()) };
    let (missed, _) = among(Vec::new(), wanted).await;
    let said = missed.unwrap_err().to_string();
    assert!(
        said.starts_with("no parlor was found on this network") && said.contains("parlor join ADDRESS"),
        "{said}"
    );
}

#[tokio::test]
async fn this_machine_is_asked_although_nobody_announces_it() {
    let server = TestServer::closed().await;
    let here = Some(loopback(server.port));
    let (found, _) =
        among(Vec::new(), Wanted { here: here.clone(), ..wanted(server.words.clone().unwrap()) }).await;
    assert_eq!(found.unwrap().fingerprint, server.fingerprint);
    let (missed, _) = among(Vec::new(), Wanted { here, ..wanted(words()) }).await;
    let missed = missed.unwrap_err();
    assert_eq!((missed.found, missed.strangers), (1, 1));
    assert!(
        missed.to_string().starts_with("1 parlor was found, and it does not know these words. Check"),
        "{missed}"
    );
    // An open one is not the parlor of any words, whatever it announces.
    let open = TestServer::start().await;
    let wanted = Wanted { here: Some(loopback(open.port)), plain: true, ..wanted(words()) };
    let (missed, _) = among(vec![announced(&[open.port], false, None)], wanted).await;
    let missed = missed.unwrap_err();
    assert_eq!((missed.strangers, missed.open), (0, 1), "{missed:?}");
}

#[tokio::test]
async fn one_without_tls_is_asked_when_that_is_wished() {
    let server = TestServer::behind(None, Ask::Words(words()), unlimited()).await;
    let heard = || vec![announced(&[server.port], false, None)];
    let (found, _) = among(heard(), Wanted { plain: true, ..wanted(words()) }).await;
    let found = found.unwrap();
    assert_eq!(found, Found { address: loopback(server.port), fingerprint: None });
    assert!(found.invite(words()).plain);
    assert_eq!(among(heard(), wanted(words())).await.0.unwrap_err().without_tls, 1);
    drop(TestClient::dial(server.port).await);
}

#[tokio::test]
async fn who_announces_very_many_is_not_asked_very_often() {
    // Open ones need not be asked, and take nobody's place.
    let open = (0..ASKED).map(|_| announced(&[1], true, Some(Hex([1; 32]))));
    let heard: Vec<_> =
        open.chain((0..ASKED + 8).map(|_| announced(&[1], false, Some(Hex([1; 32]))))).collect();
    let (missed, progress) = among(heard, wanted(words())).await;
    let missed = missed.unwrap_err();
    assert_eq!((missed.found, missed.open, missed.silent, missed.left_out), (2 * ASKED, ASKED, ASKED, 8));
    assert_eq!(progress.last(), Some(&Progress { asked: ASKED, to_go: 0 }));
    assert!(missed.to_string().contains("At most 32 are asked, and 8 more were left out"), "{missed}");
}

/// Before anything is looked for, what was typed must make sense.
#[test]
fn what_is_neither_words_nor_an_address_is_wrong_usage() {
    let home = tempfile::tempdir().unwrap();
    for (typed, said) in [
        (&["amber-ottre-ricotta-amulet"][..], "did you mean \"otter\"?"),
        (&["amber", "ottre", "ricotta", "amulet"], "did you mean \"otter\"?"),
        (&["lab.example", "amber"], "give one address, or the words"),
        (&["a", "b"], "a passphrase has at least"),
        (&["amber-otter-ricotta-amulet", "--passphrase-file", "x"], "not both"),
        (&["amber-otter-ricotta-amulet", "--server", "lab"], "cannot be used with"),
    ] {
        let output = common::parlor(home.path()).arg("join").args(typed).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && complaint.contains(said), "{typed:?}: {complaint}");
    }
}
