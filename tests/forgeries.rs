//! Whoever wants to be taken for somebody else, to write where nothing of theirs belongs, or to put words into the host's
//! mouth: names, reasons, logs and files.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use common::{TestClient, frame, loopback, soon, unlimited};
use parlor::protocol::address::Address;
use parlor::protocol::event::{ErrorCode, Event, Failure, Reason};
use parlor::protocol::proof::{Binding, KeyPair};
use parlor::server::Server;
use parlor::server::config::Config;
use parlor::server::door::Ask;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::{CancellationToken, DropGuard};

/// An open parlor with a host, and the folder that it is in.
struct Parlor {
    port: u16,
    folder: TempDir,
    host: KeyPair,
    _running: DropGuard,
}

impl Parlor {
    async fn start() -> Self {
        Self::start_in(TempDir::new().unwrap()).await
    }

    async fn start_in(folder: TempDir) -> Self {
        let host = KeyPair::from_seed(&[1; 32]).unwrap();
        let config = Config {
            listen: vec![loopback(0)],
            tls: None,
            ask: Ask::Nothing,
            host: Some(host.public()),
            limits: unlimited(),
            ..Config::new(folder.path())
        };
        let server = Server::bind(config).await.unwrap();
        let Address::Tcp { port, .. } = server.addresses()[0].clone() else { panic!("no TCP") };
        let shutdown = CancellationToken::new();
        tokio::spawn(server.run(shutdown.clone()));
        Self { port, folder, host, _running: shutdown.drop_guard() }
    }

    /// Comes in with a key, or as a guest.
    async fn enter(&self, name: &str, pair: Option<&KeyPair>) -> Result<TestClient, Failure> {
        let (mut reader, mut writer) = TestClient::dial(self.port).await;
        let Some(Event::Welcome(welcome)) = common::event(&mut reader).await else { panic!("no welcome") };
        let challenge = &welcome.auth.challenge;
        let identity =
            pair.map(|pair| json!({"key": pair.public(), "signature": pair.sign(challenge, Binding::NONE)}));
        let hello = json!({"type": "hello", "protocol": 1, "nick": name, "identity": identity});
        soon(writer.write_all(&frame(hello.to_string().as_bytes()))).await.unwrap();
        match common::event(&mut reader).await {
            Some(Event::Ready(ready)) => Ok(TestClient { reader, writer, ready }),
            Some(Event::Error(failure)) => Err(failure),
            other => panic!("{other:?}"),
        }
    }

    async fn host(&self) -> TestClient {
        self.enter("ada", Some(&self.host)).await.unwrap()
    }
}

/// Says something, and waits for its answer.
async fn ask(client: &mut TestClient, mut command: Value) -> Value {
    command["id"] = "asked".into();
    client.say_json(&command).await;
    loop {
        let answer = raw(client).await;
        if answer["re"] == "asked" {
            return answer;
        }
    }
}

/// The next frame as it is on the wire: our own types would clean what they read. Every string in it is one line, and
/// harmless.
async fn raw(client: &mut TestClient) -> Value {
    let json = soon(client.reader.next()).await.unwrap().expect("the connection ended");
    let value = serde_json::from_slice(&json).unwrap();
    assert_harmless(&value);
    value
}

fn assert_harmless(value: &Value) {
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}' | '\u{feff}' | '\u{2028}')
    };
    match value {
        Value::String(text) => assert!(!text.contains(harmful), "{text:?}"),
        Value::Array(values) => values.iter().for_each(assert_harmless),
        Value::Object(fields) => fields.values().for_each(assert_harmless),
        _ => {}
    }
}

/// Clears the screen, writes to the clipboard, turns the text round, and begins a line of its own.
const REASON: &str =
    "spam\u{1b}[2J\u{1b}]52;c;AAAA\u{7}\u{9b}1A\u{202e}x\u{200b}\r\n2026-01-01 ada  ban  bob\u{2028}end";

fn assert_is_the_reason(text: &Value) {
    let text = text.as_str().unwrap();
    assert!(text.contains("spam") && text.contains("end") && text.contains('\u{fffd}'), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_is_one_harmless_line_to_everyone_who_reads_it() {
    let parlor = Parlor::start().await;
    let mut ada = parlor.host().await;
    let mut guest = parlor.enter("guest", None).await.unwrap();
    let mallory = KeyPair::from_seed(&[2; 32]).unwrap();
    let mut member = parlor.enter("mallory", Some(&mallory)).await.unwrap();

    // Whoever is muted is told why.
    assert_eq!(ask(&mut guest, json!({"type": "join", "room": "#a"})).await["type"], "ok");
    let mute = json!({"type": "mute", "nick": "guest", "reason": REASON});
    assert_eq!(ask(&mut ada, mute).await["type"], "ok");
    let id = "00000000-0000-7000-8000-000000000000";
    guest.say_json(&json!({"type": "send", "id": id, "room": "#a", "text": "x"})).await;
    let refused = loop {
        let answer = raw(&mut guest).await;
        if answer["re"] == id {
            break answer;
        }
    };
    assert_eq!(refused["code"], "muted");
    assert_is_the_reason(&refused["message"]);

    // Whoever is kicked or banned, too: with the last word, and when they come again.
    for (judgement, client, reason) in
        [("kick", &mut guest, Reason::Kicked), ("ban", &mut member, Reason::Banned)]
    {
        let nick = if judgement == "kick" { "guest" } else { "mallory" };
        let command = json!({"type": judgement, "nick": nick, "reason": REASON});
        assert_eq!(ask(&mut ada, command).await["type"], "ok");
        let bye = loop {
            let last = raw(client).await;
            if last["type"] == "bye" {
                break last;
            }
        };
        assert_eq!(bye["reason"], serde_json::to_value(reason).unwrap());
        assert_is_the_reason(&bye["message"]);
    }
    let failure = parlor.enter("mallory", Some(&mallory)).await.err().expect("they are banned");
    assert_eq!(failure.code, ErrorCode::Banned);
    assert_is_the_reason(&failure.message.as_str().into());

    // And the audit log has one line for each, which says who it was.
    let audit = ask(&mut ada, json!({"type": "audit"})).await;
    let acts: Vec<_> = audit["decisions"].as_array().unwrap().iter().collect();
    for act in ["mute", "kick", "ban"] {
        let lines: Vec<_> = acts.iter().filter(|line| line["act"] == act).collect();
        assert_eq!(lines.len(), 1, "{act}: {audit}");
        assert_eq!(lines[0]["by"], "ada");
        assert_is_the_reason(&lines[0]["particulars"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_keeps_no_order_whatever_they_say() {
    let parlor = Parlor::start().await;
    let mut ada = parlor.host().await;
    let mut guest = parlor.enter("guest", None).await.unwrap();
    for command in [
        json!({"type": "kick", "nick": "ada", "reason": REASON}),
        json!({"type": "ban", "nick": "ada", "reason": REASON}),
        json!({"type": "ban", "address": "127.0.0.1", "reason": REASON}),
        json!({"type": "mute", "nick": "ada", "reason": REASON}),
        json!({"type": "role", "nick": "guest", "role": "host"}),
        json!({"type": "passphrase"}),
        json!({"type": "audit"}),
        json!({"type": "stats"}),
    ] {
        let answer = ask(&mut guest, command.clone()).await;
        assert_eq!(answer["code"], "not_allowed", "{command}: {answer}");
    }
    let audit = ask(&mut ada, json!({"type": "audit"})).await;
    let by_ada_or_the_parlor = |line: &Value| line["by"] != "guest";
    assert!(audit["decisions"].as_array().unwrap().iter().all(by_ada_or_the_parlor), "{audit}");
}

/// Names of files below a folder.
fn files(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_leads_to_a_file() {
    let above = TempDir::new().unwrap();
    let parlor = Parlor::start_in(TempDir::new_in(above.path()).unwrap()).await;
    let mut mallory = parlor.enter("mallory", None).await.unwrap();
    let before = (files(above.path()), files(parlor.folder.path()));
    for trick in [
        "..",
        ".",
        "../x",
        "../../etc/passwd",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "..\\x",
        "C:\\x",
        "a:b",
        "~",
        "~root",
        "%2e%2e%2f",
        "..%2fx",
        "-rf",
        "a\0.db",
        "a\n",
        "\u{ff0e}\u{ff0e}\u{ff0f}x",
        "\u{2024}\u{2024}\u{2215}x",
        ".hidden",
        "$HOME",
        "a;b",
        "`id`",
        "*",
        "",
    ] {
        let join = ask(&mut mallory, json!({"type": "join", "room": format!("#{trick}")})).await;
        assert_eq!(join["code"], "bad_name", "{trick:?}: {join}");
        let nick = ask(&mut mallory, json!({"type": "nick", "nick": trick})).await;
        assert_eq!(nick["code"], "bad_name", "{trick:?}: {nick}");
    }
    // Names that are harmless, and those of our own files among them: no room is a file.
    for name in ["passphrase", "parlor.db", "people.db", "lock", "nul", "con.txt", "a..b"] {
        let join = ask(&mut mallory, json!({"type": "join", "room": format!("#{name}")})).await;
        assert_eq!(join["type"], "ok", "{name}: {join}");
        mallory.send(&format!("#{name}"), "x").await;
    }
    assert_eq!((files(above.path()), files(parlor.folder.path())), before);
    // Beside the socket at which the folder's owner asks how the parlor stands.
    let is_ours = |path: &Path| path.is_file() || path.ends_with("control.sock");
    assert!(fs::read_dir(parlor.folder.path()).unwrap().all(|file| is_ours(&file.unwrap().path())));
}

/// A folder into which somebody else could write before it was a parlor's: what is secret goes through none of their
/// links.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_written_through_a_link_that_was_there() {
    let elsewhere = TempDir::new().unwrap();
    let precious = elsewhere.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    let folder = TempDir::new().unwrap();
    for name in ["passphrase.new", "certificate.new", "certificate-key.new", "running.new"] {
        std::os::unix::fs::symlink(&precious, folder.path().join(name)).unwrap();
    }
    let mut command = common::parlor(elsewhere.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path());
    // Also as one may write it: up, and down again.
    command.arg("--name").arg("up\u{1b}[2J\nand down");
    command.stderr(fs::File::create(elsewhere.path().join("log")).unwrap());
    drop(common::Program::start(command, 1));
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    for name in ["passphrase", "certificate.pem", "certificate-key.pem"] {
        assert!(fs::symlink_metadata(folder.path().join(name)).unwrap().is_file(), "{name}");
    }
    let log = fs::read_to_string(elsewhere.path().join("log")).unwrap();
    assert!(!log.contains('\u{1b}'), "{log:?}");
    let words = fs::read_to_string(folder.path().join("passphrase")).unwrap();
    assert!(!log.contains(words.trim()), "no log has the passphrase: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_may_be_written_in_any_way_and_is_one_folder() {
    let above = TempDir::new().unwrap();
    let below = above.path().join("a folder's").join("deep");
    let roundabout = below.join("..").join("deep").join(".");
    fs::create_dir_all(&below).unwrap();
    let mut command = common::parlor(above.path());
    command.args(["serve", "--plain", "--open", "--listen", "127.0.0.1:0", "--data"]).arg(&roundabout);
    command.env("RUST_LOG", "off").stderr(std::process::Stdio::null());
    let program = common::Program::start(command, 1);
    TestClient::connect(program.port, "alice").await.quit().await;
    assert!(files(&below).contains("parlor.db"));
    // All else is the user's own key, in the user's home.
    assert_eq!(files(above.path()), BTreeSet::from(["a folder's".to_owned(), "parlor".to_owned()]));
    assert_eq!(files(&above.path().join("parlor")), BTreeSet::from(["client".to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_script_has_letters_to_look_like_somebody() {
    let parlor = Parlor::start().await;
    let mut ada = parlor.host().await;
    assert_eq!(ask(&mut ada, json!({"type": "join", "room": "#scope"})).await["type"], "ok");
    let owner = KeyPair::from_seed(&[3; 32]).unwrap();
    parlor.enter("paypal", Some(&owner)).await.unwrap().quit().await;
    let _alice = parlor.enter("alice", None).await.unwrap();
    let refusal = async |name: &str, pair| match parlor.enter(name, pair).await {
        Ok(_) => panic!("{name} came in"),
        Err(failure) => failure.code,
    };
    let stranger = KeyPair::from_seed(&[4; 32]).unwrap();
    for name in [
        "ALICE",
        "\u{430}lice",       // Cyrillic а
        "al\u{456}ce",       // Ukrainian і
        "ali\u{441}\u{435}", // Cyrillic с and е
        "\u{251}lice",       // Latin alpha
        "a1ice",             // one
        "aIice",             // capital i
        "\u{430}l\u{456}\u{441}\u{435}",
    ] {
        for pair in [None, Some(&stranger)] {
            let code = refusal(name, pair).await;
            // Some letters are of no script in modern use.
            assert!(matches!(code, ErrorCode::NickTaken | ErrorCode::BadName), "{name}: {code:?}");
        }
    }
    // Letters in other clothes are no letters of a name at all.
    for name in ["\u{ff41}lice", "\u{1d41a}lice", "\u{24d0}lice", "al\u{200d}ice", "al\u{ad}ice"] {
        assert_eq!(refusal(name, None).await, ErrorCode::BadName, "{name}");
    }
    // Names that are owned are kept for who is away.
    for name in ["paypal", "PayPal", "paypaI", "p\u{430}ypal", "\u{440}\u{430}\u{443}\u{440}\u{430}l"] {
        for pair in [None, Some(&stranger)] {
            assert_eq!(refusal(name, pair).await, ErrorCode::NameOwned, "{name}");
        }
    }
    // Nor is there a second room that looks like the first: all of it in Cyrillic, and one letter.
    let mut mallory = parlor.enter("mallory", None).await.unwrap();
    for room in ["#\u{455}\u{441}\u{43e}\u{440}\u{435}", "#sc\u{43e}pe", "#5cope", "#sc0pe"] {
        let join = ask(&mut mallory, json!({"type": "join", "room": room})).await;
        let code = join["code"].as_str();
        // Digits that look like a letter in some typefaces only are other names.
        assert!(code == Some("room_looks_alike") || room.starts_with("#5"), "{room}: {join}");
    }
}
