//! The real program as a service: what it tells its manager, listeners that are handed to it, new settings while it runs, and
//! how it is asked how it stands.

// What fails here must fail loudly, helpers too.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Output, Stdio};
use std::time::{Duration, Instant};

use common::{COMPLAINTS, PATIENCE, Program, TestClient, parlor, soon};
use parlor::protocol::address::Address;
use parlor::protocol::command::{Command, Plain};
use parlor::protocol::event::{ErrorCode, Event, Reason};
use parlor::protocol::text::Text;
use parlor::server::control::{SOCKET, Status};
use tempfile::TempDir;

const ONE_OF_ITS_OWN: [&str; 2] = ["--listen", "127.0.0.1:0"];

fn signal(name: &str, program: &Program) {
    let (signal, pid) = (format!("-{name}"), program.child.id().to_string());
    assert!(Process::new("kill").args([signal, pid]).status().unwrap().success());
}

/// A server with a configuration file, whose complaints begin with what is worth knowing.
fn configured(folder: &Path, settings: &str) -> Process {
    let mut command = Program::command(folder);
    command.args(ONE_OF_ITS_OWN).arg("--config").arg(settings_in(folder, settings)).env("RUST_LOG", "info");
    command
}

fn settings_in(folder: &Path, settings: &str) -> PathBuf {
    let file = folder.join("server.toml");
    fs::write(&file, settings).unwrap();
    file
}

fn complaints(folder: &Path) -> String {
    fs::read_to_string(folder.join(COMPLAINTS)).unwrap()
}

/// Waits until the log has that, so often.
async fn has_complained(folder: &Path, of: &str, times: usize) {
    let waiting = async {
        while complaints(folder).matches(of).count() < times {
            tokio::task::yield_now().await;
        }
    };
    if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
        panic!("no {of:?} in:\n{}", complaints(folder));
    }
}

/// Asks until the message of the day is that.
async fn tells(client: &mut TestClient, wanted: Option<&str>) {
    let asking = async {
        loop {
            client.say(Command::Motd(Plain::default())).await;
            let text = client.until(|event| match event {
                Event::Motd(motd) => Some(motd.text),
                _ => None,
            });
            if text.await.as_ref().map(Text::as_str) == wanted {
                return;
            }
        }
    };
    soon(asking).await;
}

fn ask(folder: &Path, options: &[&str]) -> Output {
    parlor(folder).args(["status", "--data"]).arg(folder).args(options).output().unwrap()
}

fn status(folder: &Path) -> Status {
    let asked = ask(folder, &["--json"]);
    assert!(asked.status.success(), "{asked:?}");
    serde_json::from_slice(&asked.stdout).unwrap()
}

/// A service manager that listens.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    fn listening_in(folder: &Path) -> Self {
        let path = folder.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, path }
    }

    /// What it is told next, but for how it goes.
    fn hears(&self) -> Vec<String> {
        loop {
            let mut news = vec![0; 64 * 1024];
            let bytes = self.socket.recv(&mut news).expect("it was told nothing");
            let news = String::from_utf8(news[..bytes].to_vec()).unwrap();
            let news: Vec<_> = news.lines().map(str::to_owned).collect();
            if !news[0].starts_with("STATUS=") {
                return news;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_manager_hears_how_it_goes() {
    let folder = TempDir::new().unwrap();
    let manager = Manager::listening_in(folder.path());
    let mut command = configured(folder.path(), "motd = 'one'\n");
    command.env("NOTIFY_SOCKET", &manager.path);
    let mut program = Program::start(command, 1);
    assert_eq!(manager.hears(), ["READY=1"]);

    let reloads = |said: &[String]| {
        let [first, then] = said else { panic!("{said:?}") };
        assert_eq!(first, "RELOADING=1");
        then.strip_prefix("MONOTONIC_USEC=").expect("no time").parse::<u64>().unwrap()
    };
    settings_in(folder.path(), "motd = 'two'\n");
    signal("HUP", &program);
    let first = reloads(&manager.hears());
    assert_eq!(manager.hears(), ["READY=1"]);
    settings_in(folder.path(), "motd = 'three'\n\n[limits]\nromms = 3\n");
    signal("HUP", &program);
    assert!(reloads(&manager.hears()) > first);
    let [ready, sentence] = &manager.hears()[..] else { panic!("not two lines") };
    assert_eq!(ready, "READY=1");
    for part in ["STATUS=nothing was changed", "server.toml", "line 4", "romms"] {
        assert!(sentence.contains(part), "{sentence}");
    }

    program.terminate();
    assert_eq!(manager.hears(), ["STOPPING=1"]);
    assert!(program.exit_within(PATIENCE).unwrap().success());
}

#[test]
fn a_manager_that_asks_hears_that_it_lives() {
    let folder = TempDir::new().unwrap();
    let manager = Manager::listening_in(folder.path());
    let mut command = configured(folder.path(), "");
    command.env("NOTIFY_SOCKET", &manager.path).env("WATCHDOG_USEC", "400000");
    let program = Program::start(command, 1);
    let mut beats = Vec::new();
    let mut news = [0; 4096];
    while beats.len() < 3 {
        let bytes = manager.socket.recv(&mut news).expect("it was told nothing");
        let news = std::str::from_utf8(&news[..bytes]).unwrap();
        match news {
            "WATCHDOG=1\n" => beats.push(Instant::now()),
            "READY=1\n" | "STATUS=people: 0, rooms: 0, connections: 0\n" => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(beats[2] - beats[0] >= Duration::from_millis(100), "it is told too often");
    drop(program);
}

#[test]
fn one_whose_manager_does_not_listen_runs_all_the_same() {
    let folder = TempDir::new().unwrap();
    let mut command = configured(folder.path(), "");
    command.env("NOTIFY_SOCKET", folder.path().join("nobody"));
    let mut program = Program::start(command, 1);
    assert!(status(folder.path()).listening.len() == 1);
    program.terminate();
    assert!(program.exit_within(PATIENCE).unwrap().success());
    let said = complaints(folder.path());
    assert_eq!(said.matches("the service manager cannot be told").count(), 1, "{said}");
}

/// Started as by systemd: with these two as its files 3 and 4.
fn with_sockets(folder: &Path, third: OwnedFd, fourth: OwnedFd, count: u8) -> Process {
    let before = format!(
        "exec 3<&0 4<&2 0</dev/null 2>>'{}'; export LISTEN_PID=$$ LISTEN_FDS={count} LISTEN_FDNAMES=a:b",
        folder.join(COMPLAINTS).display()
    );
    let mut command = Program::under(&before, folder);
    command.stdin(Stdio::from(third)).stderr(Stdio::from(fourth));
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn it_listens_at_what_was_handed_to_it_and_nowhere_else() {
    let folder = TempDir::new().unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port();
    let path = folder.path().join("handed.sock");
    let unix = UnixListener::bind(&path).unwrap();
    // Before there is anybody to answer.
    let early = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let command = with_sockets(folder.path(), tcp.into(), unix.into(), 2);
    let mut program = Program::start(command, 2);
    let expected = [common::loopback(port), Address::Unix(path.clone())];
    assert_eq!(program.addresses, expected);
    early.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut length, mut early) = ([0; 4], early);
    early.read_exact(&mut length).unwrap();
    let alice = TestClient::connect(port, "alice").await;
    let listening = status(folder.path()).listening;
    assert_eq!(listening.len(), 2, "{listening:?}");
    alice.quit().await;
    drop(early);
    program.terminate();
    assert!(program.exit_within(PATIENCE).unwrap().success());
    assert!(path.exists(), "its maker removes it");
}

#[test]
fn where_it_is_told_to_listen_it_listens_beside_that() {
    let folder = TempDir::new().unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port();
    let unused = fs::File::open("/dev/null").unwrap();
    let mut command = with_sockets(folder.path(), tcp.into(), unused.into(), 1);
    command.args(ONE_OF_ITS_OWN);
    let program = Program::start(command, 2);
    let [Address::Tcp { port: handed, .. }, Address::Tcp { port: own, .. }] = &program.addresses[..] else {
        panic!()
    };
    assert!(*handed == port && *own != port);
}

#[test]
fn what_cannot_be_listened_at_is_said() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let connection = std::net::TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
    let file = || OwnedFd::from(fs::File::open("/dev/null").unwrap());
    for (socket, remedy) in [
        (OwnedFd::from(connection), "Accept=no"),
        (
            OwnedFd::from(std::net::UdpSocket::bind("127.0.0.1:0").unwrap()),
            "socket 1 of those that were handed over cannot be used",
        ),
        (file(), "is not a socket"),
    ] {
        let folder = TempDir::new().unwrap();
        let mut command = with_sockets(folder.path(), socket, file(), 1);
        let ended = command.stdout(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(1));
        let said = complaints(folder.path());
        assert!(said.contains(remedy) && !said.contains("panicked"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_settings_hold_from_the_next_one_who_comes() {
    let folder = TempDir::new().unwrap();
    let settings = "name = 'lab'\nmotd = 'one'\n";
    let program = Program::start(configured(folder.path(), settings), 1);
    let mut alice = TestClient::connect(program.port, "alice").await;
    assert_eq!(alice.ready.motd.as_ref().map(Text::as_str), Some("one"));
    assert_eq!(alice.ready.limits.message_burst, 20);
    let mut bob = TestClient::connect(program.port, "bob").await;
    bob.join("#a", 0, None).await;
    assert_eq!(status(folder.path()).kept_seconds, None);

    let limits = "[limits]\nconnections = 2\nrooms = 1\nmembers_per_room = 1\nmessage_burst = 7\nmessages_per_second = 3.5\n";
    let settings = format!("name = 'lab'\nmotd = '''two\nlines'''\nretention = '90d'\n{limits}");
    settings_in(folder.path(), &settings);
    signal("HUP", &program);
    tells(&mut alice, Some("two\nlines")).await;
    let full = TestClient::try_connect(program.port, "carol", None).await.err().expect("she came in");
    assert_eq!(full.code, ErrorCode::ServerFull);
    assert_eq!(alice.try_join("#a", 0, None).await.unwrap_err().code, ErrorCode::RoomFull);
    assert_eq!(alice.try_join("#b", 0, None).await.unwrap_err().code, ErrorCode::TooManyRooms);
    assert_eq!(status(folder.path()).kept_seconds, Some(90 * 24 * 60 * 60));
    assert_eq!(status(folder.path()).connections_allowed, 2);
    // She may burst no more than is allowed by now, though she was here before.
    bob.leave("#a").await;
    alice.join("#a", 0, None).await;
    for _ in 0..12 {
        alice.say(Command::Send(common::message("#a", "now"))).await;
    }
    alice.until(|event| matches!(event, Event::Delayed(_)).then_some(())).await;

    // With a mistake nothing is another one, also what is right.
    settings_in(folder.path(), "motd = 'three'\nname = 'lab'\n[limits]\nconnections = 'many'\n");
    signal("HUP", &program);
    has_complained(folder.path(), "nothing was changed", 1).await;
    let said = complaints(folder.path());
    let line = said.lines().find(|line| line.contains("nothing was changed")).unwrap();
    assert!(line.contains("server.toml") && line.contains("line 4") && line.contains("WARN"), "{line}");
    tells(&mut alice, Some("two\nlines")).await;
    assert_eq!(status(folder.path()).connections_allowed, 2);
    fs::remove_file(folder.path().join("server.toml")).unwrap();
    signal("HUP", &program);
    has_complained(folder.path(), "nothing was changed", 2).await;

    // What cannot change while it runs is named, and the rest is taken.
    settings_in(folder.path(), "name = 'other'\nno_guests = true\n");
    signal("HUP", &program);
    has_complained(folder.path(), "start the server again for what else has changed: name, no_guests", 1)
        .await;
    tells(&mut alice, None).await;
    assert_eq!(status(folder.path()).name.as_str(), "lab");
    let carol = TestClient::connect(program.port, "carol").await;
    assert_eq!((&carol.ready.motd, carol.ready.limits.message_burst), (&None, 20));
}

#[test]
fn whoever_owns_the_folder_can_ask_how_it_stands() {
    let folder = TempDir::new().unwrap();
    let nobody = ask(folder.path(), &[]);
    let said = String::from_utf8_lossy(&nobody.stderr).into_owned();
    assert!(nobody.status.code() == Some(1) && said.contains("no parlor runs on"), "{nobody:?}");

    let mut program = Program::serve(folder.path(), 0, &["--name", "the\x1b[2Jlab"]);
    let seen = status(folder.path());
    assert_eq!((seen.name.as_str(), seen.pid), ("the\u{FFFD}[2Jlab", program.child.id()));
    assert_eq!(seen.listening[0].as_str(), format!("127.0.0.1:{}", program.port));
    assert!(!seen.passphrase && seen.guests && seen.certificate.is_none() && seen.last_backup.is_none());
    assert!(seen.disk_bytes > 0 && seen.stats.connections == 0, "{seen:?}");
    let shown = ask(folder.path(), &[]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("lab: parlor") && !shown.contains('\x1b'), "{shown}");
    let mode = fs::metadata(folder.path().join(SOCKET)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let saved = folder.path().join("saved.tar");
    let backup =
        parlor(folder.path()).arg("backup").arg(&saved).arg("--data").arg(folder.path()).output().unwrap();
    assert!(backup.status.success(), "{backup:?}");
    assert!(status(folder.path()).last_backup.is_some());

    // Killed, it leaves its socket behind. Nobody is there to be asked, and the next one takes its place.
    program.kill();
    assert!(folder.path().join(SOCKET).exists());
    assert_eq!(ask(folder.path(), &["--json"]).status.code(), Some(1));
    let mut program = Program::serve(folder.path(), 0, &[]);
    assert_eq!(status(folder.path()).pid, program.child.id());
    program.terminate();
    assert!(program.exit_within(PATIENCE).unwrap().success());
    assert!(!folder.path().join(SOCKET).exists());
    assert_eq!(ask(folder.path(), &[]).status.code(), Some(1));
}

#[test]
fn whoever_asks_gives_no_orders() {
    let folder = TempDir::new().unwrap();
    let mut program = Program::serve(folder.path(), 0, &[]);
    let mut caller = UnixStream::connect(folder.path().join(SOCKET)).unwrap();
    // It may have said what it says and hung up already: then this is not even taken.
    drop(caller.write_all(b"shutdown\n"));
    assert_eq!(status(folder.path()).pid, program.child.id());
    program.terminate();
    assert!(program.exit_within(PATIENCE).unwrap().success());
}

#[test]
fn a_server_that_is_stopped_is_not_waited_for() {
    let folder = TempDir::new().unwrap();
    let program = Program::serve(folder.path(), 0, &[]);
    signal("STOP", &program);
    let asked = ask(folder.path(), &[]);
    signal("CONT", &program);
    let said = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(asked.status.code() == Some(1) && said.contains("does not answer within 5 s"), "{said}");
    assert_eq!(status(folder.path()).pid, program.child.id());
}

#[test]
fn a_folder_that_is_too_deep_for_a_socket_is_served_without() {
    let folder = TempDir::new().unwrap();
    let deep = folder.path().join("d".repeat(120));
    fs::create_dir(&deep).unwrap();
    let mut program = Program::serve(&deep, 0, &[]);
    let asked = ask(&deep, &[]);
    let said = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(asked.status.code() == Some(1) && said.contains("has no control.sock"), "{said}");
    program.terminate();
    assert!(program.exit_within(PATIENCE).unwrap().success());
    assert!(complaints(&deep).contains("no control.sock: `parlor status` cannot ask this server"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_of_what_has_no_configuration_ends_nobody() {
    let folder = TempDir::new().unwrap();
    let mut command = Program::command(folder.path());
    command.args(ONE_OF_ITS_OWN).args(["--motd", "from the command line"]).env("RUST_LOG", "info");
    let mut program = Program::start(command, 1);
    let mut alice = TestClient::connect(program.port, "alice").await;
    signal("HUP", &program);
    has_complained(folder.path(), "settings read again", 1).await;
    tells(&mut alice, Some("from the command line")).await;
    program.terminate();
    assert_eq!(alice.bye().await, Reason::Shutdown);
    assert!(program.exit_within(PATIENCE).unwrap().success());
    let said = complaints(folder.path());
    assert!(!said.contains("start the server again"), "{said}");
}

/// More than that, and the sandbox was opened. Of 10, which is none.
const EXPOSURE: &str = "1.5";

#[test]
fn the_units_are_sound_and_their_sandbox_is_tight() {
    let found = Process::new("systemd-analyze").arg("--version").output();
    if !found.is_ok_and(|found| found.status.success()) {
        common::skip("there is no systemd-analyze here (package systemd)");
        return;
    }
    let folder = TempDir::new().unwrap();
    let service = include_str!("../assets/parlor.service");
    let own = format!("ExecStart={} serve\n", env!("CARGO_BIN_EXE_parlor"));
    assert!(service.contains("ExecStart=parlor serve\n"));
    let units = [
        ("parlor.service", service.replace("ExecStart=parlor serve\n", &own)),
        ("parlor.socket", include_str!("../assets/parlor.socket").to_owned()),
    ];
    let paths: Vec<_> = units
        .iter()
        .map(|(name, unit)| {
            let path = folder.path().join(name);
            fs::write(&path, unit).unwrap();
            path
        })
        .collect();
    let verified =
        Process::new("systemd-analyze").args(["verify", "--man=no"]).args(&paths).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success() && !said.contains("parlor."), "{said}");
    let mut security = Process::new("systemd-analyze");
    security.args(["security", "--no-pager", "--offline=true"]);
    let threshold = EXPOSURE.replace('.', "");
    let looked = security.arg(format!("--threshold={threshold}")).arg(&paths[0]).output().unwrap();
    assert!(looked.status.success(), "{}", String::from_utf8_lossy(&looked.stdout));
}
