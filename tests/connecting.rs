//! Each way in which connecting fails, over real sockets: the sentence that a person gets, and whether scripts try again.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// What this machine cannot do is said, not passed over.
#![allow(clippy::print_stdout)]

mod common;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command as Process, Output, Stdio};
use std::time::Duration;

use common::{TestServer, loopback, nick, soon, unlimited};
use parlor::client::link::{self, Config, Trust, Update};
use parlor::protocol::address::Address;
use parlor::protocol::frame::Frame;
use parlor::protocol::text::Line;
use parlor::server::door::Ask;
use parlor::server::tls::{Source, Tls};
use serde_json::json;
use tempfile::{TempDir, tempdir};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// What answers.
#[derive(Clone, Debug)]
enum Peer {
    /// Says this at once, and waits.
    Says(Vec<u8>),
    /// Says this once it has heard something, and closes.
    Answers(&'static [u8]),
    /// The same behind TLS.
    AnswersOverTls(&'static [u8]),
    /// Gives back what it hears.
    Echo,
    /// Closes at once.
    Closes,
    /// Says nothing at all.
    Silent,
}

impl Peer {
    /// Its port. It is there until the test ends.
    async fn start(self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let folder = tempdir().unwrap();
        let tls = Tls::open(&Source::Own, folder.path()).unwrap().served().acceptor;
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (peer, tls) = (self.clone(), tls.clone());
                tokio::spawn(async move {
                    match peer {
                        Self::AnswersOverTls(_) => {
                            let Ok(stream) = tls.accept(stream).await else { return };
                            peer.talk(stream).await;
                        }
                        peer => peer.talk(stream).await,
                    }
                });
            }
        });
        port
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(self, mut stream: S) {
        let mut heard = [0; 4096];
        match self {
            Self::Says(words) => {
                drop(stream.write_all(&words).await);
                while stream.read(&mut heard).await.is_ok_and(|length| length > 0) {}
            }
            Self::Answers(words) | Self::AnswersOverTls(words) => {
                drop(stream.read(&mut heard).await);
                drop(stream.write_all(words).await);
                drop(stream.shutdown().await);
            }
            Self::Echo => {
                while let Ok(length @ 1..) = stream.read(&mut heard).await {
                    if stream.write_all(&heard[..length]).await.is_err() {
                        return;
                    }
                }
            }
            Self::Closes => {}
            Self::Silent => while stream.read(&mut heard).await.is_ok_and(|length| length > 0) {},
        }
    }
}

/// Tries to connect; says what came of it, and whether it is tried again.
async fn attempt(address: Address, plain: bool, patience: Duration) -> (String, bool) {
    let (_link, mut updates) = link::open(Config {
        address,
        nick: nick("alice"),
        apart: false,
        trust: Trust { plain, ..Trust::default() },
        acquaintances: None,
        agent: Line::lossy("test"),
        give_up_after: Some(patience),
    });
    loop {
        match soon(updates.recv()).await.expect("it has ended without a word") {
            Update::Offline { why, .. } => return (why, true),
            Update::Ended { why, .. } => return (why, false),
            Update::Online { .. } => panic!("that is a parlor"),
            _ => {}
        }
    }
}

/// More than one attempt takes, so that an end is not one of patience.
const PATIENT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn whatever_answers_and_is_no_parlor_is_named() {
    let http: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\r\n<html>";
    let says = |words: &[u8]| Peer::Says(words.to_vec());
    let later = Frame::encode(&json!({"type": "welcome", "protocol": 9, "doors": []})).into_bytes().to_vec();
    let mut rows = JoinSet::new();
    // The peer; whether TLS is left out; what is said; whether another attempt may help.
    for (peer, plain, words, again) in [
        (
            Peer::Answers(http),
            false,
            "is not a parlor but a web server: check the address and the port",
            false,
        ),
        (Peer::Answers(http), true, "is not a parlor but a web server", false),
        (Peer::AnswersOverTls(http), false, "is not a parlor but a web server", false),
        (says(b"SSH-2.0-OpenSSH_9.6\r\n"), false, "is not a parlor but an SSH server", false),
        (says(b"SSH-2.0-OpenSSH_9.6\r\n"), true, "is not a parlor but an SSH server", false),
        (says(b"220 mail.example ESMTP\r\n"), false, "is not a parlor but a mail server", false),
        (says(b"220 (vsFTPd 3.0.5)\r\n"), true, "is not a parlor but an FTP server", false),
        (says(b"good morning\r\n"), true, "is not a parlor, it says \"good morning\"", false),
        (says(b"\x1b]0;gotcha\x07\r\n"), false, "is not a parlor: check the address", false),
        (Peer::Echo, false, "is not a parlor but gives back what it is told", false),
        (Peer::Echo, true, "is not a parlor but gives back what it is told", false),
        (Peer::Closes, false, "closed the connection without a greeting: is it a parlor?", true),
        (Peer::Closes, true, "closed the connection without a greeting: is it a parlor?", true),
        (Peer::Silent, false, "takes connections and does not greet: is it a parlor?", true),
        (Peer::Silent, true, "takes connections and does not greet: is it a parlor?", true),
        // An alert: handshake_failure.
        (
            Peer::Answers(&[21, 3, 3, 0, 2, 2, 40]),
            false,
            "speaks another TLS than parlors do, which is 1.3",
            false,
        ),
        (
            Peer::Answers(&[21, 3, 3, 0, 2, 2, 40]),
            true,
            "or is one that speaks TLS: leave out --plain",
            false,
        ),
        (says(&later), true, "speaks version 9 of the protocol, and this program version 1", false),
        (says(&later), false, "speaks version 9 of the protocol, and this program version 1", false),
    ] {
        rows.spawn(async move {
            let port = peer.clone().start().await;
            let (why, tries_again) = attempt(loopback(port), plain, PATIENT).await;
            let row = format!("{peer:?}, plain: {plain}: {why}");
            assert!(why.contains(words) && why.contains(&port.to_string()), "{row}");
            assert_eq!(tries_again, again, "{row}");
            assert!(!why.contains(char::is_control), "{row}");
        });
    }
    while let Some(row) = rows.join_next().await {
        row.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parlor_that_is_spoken_to_wrongly_says_how() {
    let plain = TestServer::start().await;
    let (why, again) = attempt(loopback(plain.port), false, PATIENT).await;
    assert!(why.contains("speaks no TLS") && why.contains("join it with --plain") && !again, "{why}");
    let sealed = TestServer::behind(Some(Source::Own), Ask::Nothing, unlimited()).await;
    let (why, again) = attempt(loopback(sealed.port), true, PATIENT).await;
    assert!(why.contains("connect without --plain") && !again, "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_leads_nowhere_is_told_from_a_parlor_that_is_not_running() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    for (raw, words, again) in [
        (&*format!("127.0.0.1:{nobody}"), "nothing listens there: is the parlor running?", true),
        // Both addresses that it has.
        (&*format!("localhost:{nobody}"), "nothing listens there: is the parlor running?", true),
        ("[fe80::1]:7878", "say of which, as in [fe80::1%", false),
        ("[fe80::1%nowhere]:7878", "this machine has no network \"nowhere\": it has ", false),
    ] {
        let address: Address = raw.parse().unwrap();
        let (why, tries_again) = attempt(address, true, PATIENT).await;
        assert!(why.starts_with("cannot connect to ") && why.contains(words), "{raw}: {why}");
        assert_eq!(tries_again, again, "{why}");
    }
    // Which of the two it is depends on whether a name server can be asked here.
    let (why, _) = attempt("no-such-host.invalid".parse().unwrap(), true, PATIENT).await;
    assert!(why.contains("no such name") || why.contains("the name server does not answer"), "{why}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_path_at_which_no_parlor_listens_is_told_by_what_is_there() {
    use std::os::unix::net::{UnixDatagram, UnixListener};
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("file"), "precious").unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    drop(UnixListener::bind(at("stale")).unwrap());
    let _datagrams = UnixDatagram::bind(at("datagrams")).unwrap();
    for (name, words, again) in [
        ("none", "there is no such socket: is the parlor running?", true),
        ("stale", "nobody listens at that socket any more: is the parlor running?", true),
        ("file", "that is a file and no socket: check the path", false),
        ("folder", "that is a folder: name the socket in it", false),
        ("file/socket", "what stands before the last / is no folder", false),
        ("datagrams", "cannot connect to unix:", true),
    ] {
        let (why, tries_again) = attempt(Address::Unix(at(name)), false, PATIENT).await;
        assert!(why.contains(words), "{name}: {why}");
        assert_eq!(tries_again, again, "{name}: {why}");
    }
}

fn parlor(home: &Path, server: &str, args: &[&str]) -> Process {
    let mut parlor = common::parlor(home);
    parlor.args(args).args(["--server", server, "--nick", "ada"]).stdin(Stdio::null());
    parlor.stdout(Stdio::piped()).stderr(Stdio::piped());
    parlor
}

async fn finish(mut process: Process) -> Output {
    let child = process.spawn().unwrap();
    soon(tokio::task::spawn_blocking(move || child.wait_with_output())).await.unwrap().unwrap()
}

/// Scripts go on trying for as long as they were told, where that may help, and end at once where it cannot.
#[tokio::test(flavor = "multi_thread")]
async fn scripts_try_again_where_that_may_help() {
    let home = TempDir::new().unwrap();
    let ssh = format!("127.0.0.1:{}", Peer::Says(b"SSH-2.0-x\r\n".to_vec()).start().await);
    for args in [&["say", "#a", "hello"][..], &["tail", "#a", "--follow"], &["join"]] {
        let began = Instant::now();
        let ended = finish(parlor(home.path(), &ssh, args)).await;
        let complaint = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{args:?}: {complaint}");
        assert!(
            complaint.contains("but an SSH server") && !complaint.contains("trying again"),
            "{complaint}"
        );
        assert!(began.elapsed() < PATIENT, "it went on trying");
    }
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let say = parlor(home.path(), &nobody.to_string(), &["say", "#a", "hello", "--timeout", "1s"]);
    let ended = finish(say).await;
    let complaint = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains("nothing listens there") && complaint.contains("trying again"), "{complaint}");
}

/// The program with `args` in a network of its own, which `before` sets up. Nothing, with a word of why, where this user may
/// not make one.
fn in_a_network(before: &str, home: &Path, args: &[&str]) -> Option<Process> {
    // All that runs in it ends with the first.
    let apart = ["-rn", "--pid", "--fork", "--kill-child"];
    let tried = Process::new("unshare").args(apart).args(["ip", "link", "set", "lo", "up"]).output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        println!("this user may not make a network: what only one shows is not tested");
        return None;
    }
    let script = format!("ip link set lo up && {before} && exec \"$0\" \"$@\"");
    let mut process = Process::new("unshare");
    process.args(apart).args(["sh", "-c", &script, env!("CARGO_BIN_EXE_parlor")]).args(args);
    for name in common::FOREIGN {
        process.env_remove(name);
    }
    process.envs(common::HOMES.map(|name| (name, home)));
    process.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Some(process)
}

const WITHOUT_IPV6: &str = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6";

#[tokio::test(flavor = "multi_thread")]
async fn what_the_network_says_of_an_address_is_told() {
    let home = TempDir::new().unwrap();
    // Addresses that are reserved for documentation, in a network that has none of them.
    for (before, server, words) in [
        ("true", "192.0.2.1", "there is no way to it from here: check the network"),
        ("true", "[2001:db8::1]", "no way to it over IPv6: use an IPv4 address"),
        (WITHOUT_IPV6, "[::1]", "no way to it over IPv6: use an IPv4 address"),
        ("ip route add unreachable 192.0.2.0/24", "192.0.2.1", "no machine answers there"),
        ("ip route add prohibit 192.0.2.0/24", "192.0.2.1", "does not let it out: check its firewall"),
        // Nobody is at the other end of that cable.
        (
            "ip link add p0 type veth peer name p1 && ip addr add 192.0.2.1/24 dev p0 && ip link set p0 up && ip link set p1 up",
            "192.0.2.2",
            "it does not answer: check the address, and whether a firewall is between",
        ),
        ("true", "lab.example", "the name server does not answer: check the network"),
    ] {
        let args = ["say", "#a", "hello", "--timeout", "1s", "--plain", "--server", server];
        let Some(process) = in_a_network(before, home.path(), &args) else { return };
        let ended = finish(process).await;
        let complaint = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{before}: {complaint}");
        assert!(complaint.contains(words), "{before}: {complaint}");
    }
}

/// Where a server says first that it listens, if it does, and what it complains of; and how it ends by itself if it does not.
async fn serve_for_a_moment(before: &str, options: &[&str]) -> Option<(Option<String>, String, Option<i32>)> {
    let home = TempDir::new().unwrap();
    let args = [&["serve", "--plain", "--open", "--data", home.path().to_str().unwrap()], options].concat();
    let mut child = in_a_network(before, home.path(), &args)?.spawn().unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if !line.is_empty() {
            child.kill().unwrap();
        }
        (line, child.wait_with_output().unwrap())
    });
    let (line, output) = soon(ended).await.unwrap();
    let said = (!line.is_empty()).then(|| line.trim_end().to_owned());
    Some((said, String::from_utf8(output.stderr).unwrap(), output.status.code()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_ipv6_serves_by_ipv4_and_says_so() {
    let Some((said, complaint, _)) = serve_for_a_moment(WITHOUT_IPV6, &[]).await else { return };
    assert_eq!(said.as_deref(), Some("listening on 127.0.0.1:7878"), "{complaint}");
    assert!(complaint.contains("IPv6 is switched off on this machine"), "{complaint}");
    // Asked for by name, it is an error.
    let Some((said, complaint, code)) = serve_for_a_moment(WITHOUT_IPV6, &["--listen", "[::1]:0"]).await
    else {
        return;
    };
    assert!(said.is_none() && code == Some(1), "{said:?} {code:?}");
    assert!(complaint.contains("cannot listen on [::1]:0: IPv6 is switched off"), "{complaint}");
}

/// A zone names a network of this machine, by its name and by its number, on both sides.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_local_address_is_reached_with_its_zone() {
    let network = "ip link add p0 type veth peer name p1 && ip link set p1 up && \
                   ip addr add fe80::7/64 dev p0 nodad && ip link set p0 up";
    let Some((said, complaint, _)) = serve_for_a_moment(network, &["--listen", "[fe80::7%p0]:4711"]).await
    else {
        return;
    };
    assert_eq!(said.as_deref(), Some("listening on [fe80::7%p0]:4711"), "{complaint}");
    // Both in one network: the shell starts the server, waits for its line, and becomes the client.
    let home = TempDir::new().unwrap();
    let line = home.path().join("line").display().to_string();
    for server in ["[fe80::7%p0]:4711", "parlor://[fe80::7%25p0]:4711/#?plain"] {
        let data = TempDir::new().unwrap();
        let serve = format!(
            "\"$0\" serve --plain --open --data {} --listen '[fe80::7%p0]:4711'",
            data.path().display()
        );
        let both = format!(
            "{network} && rm -f {line} && mkfifo {line} && {{ {serve} > {line} & }} && read said < {line}"
        );
        let args = ["say", "#a", "hello", "--plain", "--timeout", "30s", "--server", server];
        let Some(process) = in_a_network(&both, home.path(), &args) else { return };
        let ended = finish(process).await;
        let complaint = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(0), "{server}: {complaint}");
    }
}
