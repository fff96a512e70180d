//! Where a server listens, over every family of addresses, and the sentences for those who start it wrongly.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// What this machine cannot do is said, not passed over.
#![allow(clippy::print_stdout)]
#![cfg(unix)]

mod common;

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::time::Duration;

use common::{PATIENCE, Program, TestClient, exit_within, soon};
use parlor::protocol::address::Address;
use parlor::protocol::event::Reason;
use parlor::protocol::frame::FrameReader;
use parlor::protocol::limits::EVENT_BYTES;
use tempfile::TempDir;
use tokio::net::{TcpStream, UnixStream};

async fn connect(address: &Address, name: &str) -> TestClient {
    let halves: (FrameReader<common::Read>, common::Write) = match address {
        Address::Tcp { host, port } => {
            TestClient::halves(soon(TcpStream::connect((host.as_str(), *port))).await.unwrap())
        }
        Address::Unix(path) => {
            let (read, write) = soon(UnixStream::connect(path)).await.unwrap().into_split();
            (FrameReader::new(Box::new(read), EVENT_BYTES), Box::new(write))
        }
    };
    TestClient::greet(halves, name, None).await.expect("refused")
}

fn has_ipv6() -> bool {
    let found = std::net::TcpListener::bind("[::1]:0").is_ok();
    if !found {
        println!("this machine has no ::1: IPv6 is not tested");
    }
    found
}

fn serve(folder: &Path, listen: &[&str]) -> Process {
    let mut command = Program::command(folder);
    for address in listen {
        command.args(["--listen", address]);
    }
    command
}

/// Runs a server that must end by itself, and says what is wrong.
fn assert_complains(mut command: Process, words: &[&str]) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let Some(status) = exit_within(&mut child, PATIENCE) else {
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("it runs although it must not");
    };
    let mut complaint = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    let code = status.code();
    assert!(matches!(code, Some(1 | 2)), "{code:?}: {complaint}");
    for word in words {
        assert!(complaint.contains(word), "{word:?} is not in {complaint:?}");
    }
    assert!(!complaint.contains("panicked") && !complaint.contains("Os {"), "not for people: {complaint}");
}

/// All families at once, in one conversation.
#[tokio::test(flavor = "multi_thread")]
async fn every_family_leads_into_the_same_room() {
    let folder = TempDir::new().unwrap();
    let unix = format!("unix:{}", folder.path().join("socket").display());
    let mut listen = vec!["127.0.0.1:0", "localhost:0", &unix];
    if has_ipv6() {
        listen.push("[::1]:0");
    }
    let mut program = Program::start(serve(folder.path(), &listen), listen.len());
    let mut addresses = program.addresses.clone();
    addresses.dedup();
    let mut clients = Vec::new();
    for (n, address) in addresses.iter().enumerate() {
        let mut client = connect(address, &format!("p{n}")).await;
        client.join("#a", 0, None).await;
        clients.push(client);
    }
    for n in 0..clients.len() {
        clients[n].send("#a", &n.to_string()).await;
        for client in
            clients.iter_mut().enumerate().filter(|(other, _)| *other != n).map(|(_, client)| client)
        {
            while client.entry().await.text.as_str() != n.to_string() {}
        }
    }
    program.terminate();
    for mut client in clients {
        assert_eq!(client.bye().await, Reason::Shutdown);
    }
    assert!(program.exit_within(Duration::from_secs(5)).is_some_and(|exit| exit.success()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unix_socket_comes_and_goes_with_its_server() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("socket");
    let address = format!("unix:{}", socket.display());
    let is_socket = || fs::symlink_metadata(&socket).is_ok_and(|found| found.file_type().is_socket());

    let mut program = Program::start(serve(folder.path(), &[&address]), 1);
    assert_eq!(program.addresses, [Address::Unix(socket.clone())]);
    connect(&program.addresses[0], "alice").await.quit().await;
    // Another server must not take it away from one that lives.
    let other = TempDir::new().unwrap();
    assert_complains(serve(other.path(), &[&address]), &["in use", "parlor join"]);
    connect(&program.addresses[0], "alice").await.quit().await;
    // One that had no time to clean up leaves it behind; the next one takes it.
    program.kill();
    assert!(is_socket());
    let mut program = Program::start(serve(folder.path(), &[&address]), 1);
    connect(&program.addresses[0], "alice").await.quit().await;
    program.terminate();
    assert!(program.exit_within(Duration::from_secs(5)).is_some_and(|exit| exit.success()));
    assert!(!socket.exists(), "it is taken away at the end");
    // What is no socket is somebody's file.
    fs::write(&socket, "precious").unwrap();
    assert_complains(serve(folder.path(), &[&address]), &["cannot listen on unix:"]);
    assert_eq!(fs::read_to_string(&socket).unwrap(), "precious");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unix_socket_is_for_those_who_were_named() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("socket");
    let address = format!("unix:{}", socket.display());
    let mode_with = |options: &[&str]| {
        let mut command = Program::under("umask 0", folder.path());
        command.args(["--listen", &address]).args(options);
        let mut program = Program::start(command, 1);
        let mode = fs::metadata(&socket).unwrap().permissions().mode() & 0o777;
        program.terminate();
        assert!(program.exit_within(PATIENCE).is_some());
        mode
    };
    assert_eq!(mode_with(&[]), 0o600, "whatever the umask says");
    assert_eq!(mode_with(&["--socket-mode", "0666"]), 0o666);
    let complaining = |options: &[&str], words: &[&str]| {
        let mut command = serve(folder.path(), &[&address]);
        command.args(options);
        assert_complains(command, words);
        assert!(!socket.exists(), "nothing is left of a server that did not start");
    };
    complaining(&["--socket-mode", "rw"], &["is no mode", "as in 0660"]);
    complaining(&["--socket-group", "no-such-group"], &["no group", "no-such-group", "its number"]);
    complaining(&["--listen", &address], &["it is given twice", "leave one of them out"]);
    // Paths at which no socket can be.
    let at = |path: &str| format!("unix:{}", folder.path().join(path).display());
    let deep = at(&"p".repeat(200));
    for (address, words) in [
        (at("none/socket"), &["there is no folder", "make it first"][..]),
        (at("lock/socket"), &["is no folder"]),
        (at("."), &["is a folder: name a socket in it"]),
        (at("lock"), &["a file that is no socket is there"]),
        (deep, &["at most 107 bytes", "choose a shorter one"]),
    ] {
        assert_complains(serve(folder.path(), &[&address]), words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_use_is_told_with_what_to_do() {
    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let program = Program::serve(first.path(), 0, &[]);
    let taken = format!("127.0.0.1:{}", program.port);
    assert_complains(serve(second.path(), &[&taken]), &["cannot listen on", &taken, "in use", "--listen"]);
    assert_complains(serve(second.path(), &["192.0.2.1:0"]), &["does not have that address"]);
    assert_complains(serve(second.path(), &["nonsense at all"]), &["is not an address"]);
    TestClient::connect(program.port, "alice").await.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_belongs_to_one_server_at_a_time() {
    let folder = TempDir::new().unwrap();
    let mut program = Program::serve(folder.path(), 0, &[]);
    let shown = folder.path().display().to_string();
    assert_complains(serve(folder.path(), &["127.0.0.1:0"]), &[&shown, "in use by another parlor", "--data"]);
    let mut alice = TestClient::connect(program.port, "alice").await;
    alice.join("#a", 0, None).await;
    assert_eq!(alice.send("#a", "undisturbed").await, 1);
    // However it ends, the next one may have it.
    program.kill();
    drop(Program::serve(folder.path(), 0, &[]));
}

#[test]
fn unlimited_is_for_this_machine_alone() {
    let folder = TempDir::new().unwrap();
    for address in ["0.0.0.0:0", "[::]:0"] {
        let mut command = serve(folder.path(), &["127.0.0.1:0", address]);
        command.arg("--unlimited");
        if address.starts_with('[') && !has_ipv6() {
            continue;
        }
        assert_complains(command, &["--unlimited", "loopback"]);
    }
}

#[test]
fn mistakes_in_the_configuration_are_named_with_their_line() {
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("mine.toml");
    let with = |config: &Path| {
        let mut command = serve(folder.path(), &["127.0.0.1:0"]);
        command.arg("--config").arg(config);
        command
    };
    for (text, words) in [
        ("name = 'x'\n[limits]\nromms = 5\n", &["line 3", "romms", "rooms"][..]),
        ("name = 'x'\n\nrooms = 5\n", &["line 3", "rooms"]),
        ("name = 5\n", &["line 1", "string"]),
        ("[limits]\nrooms = -1\n", &["line 2"]),
        ("[limits]\nrooms = 'many'\n", &["line 2"]),
        ("durability = 'none'\n", &["line 1", "process", "power"]),
        ("name = \n", &["line 1"]),
    ] {
        fs::write(&config, text).unwrap();
        assert_complains(with(&config), &[words, &["mine.toml"]].concat());
    }
    fs::write(&config, "listen = ['no address']\n").unwrap();
    let mut command = serve(folder.path(), &[]);
    command.arg("--config").arg(&config);
    assert_complains(command, &["configuration", "no address"]);
    assert_complains(with(&folder.path().join("missing.toml")), &["missing.toml", "cannot read"]);
}

#[test]
fn a_log_of_a_later_version_is_left_alone() {
    let folder = TempDir::new().unwrap();
    drop(Program::serve(folder.path(), 0, &[]));
    let file = folder.path().join("parlor.db");
    let log = rusqlite::Connection::open(&file).unwrap();
    log.pragma_update(None, "user_version", 99).unwrap();
    drop(log);
    assert_complains(serve(folder.path(), &["127.0.0.1:0"]), &["newer parlor", "99", "upgrade"]);
    let log = rusqlite::Connection::open(&file).unwrap();
    let version: u32 = log.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 99);
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let folder = TempDir::new().unwrap();
    let with = |data: PathBuf| {
        let mut command = common::parlor(folder.path());
        command.args(["serve", "--plain", "--open", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        command
    };
    let file = folder.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    assert_complains(with(file.join("data")), &["file/data"]);
    assert_complains(with(file), &["file"]);
    let garbage = folder.path().join("garbage");
    fs::create_dir(&garbage).unwrap();
    fs::write(garbage.join("parlor.db"), "this is no log at all, but somebody's novel\n".repeat(100))
        .unwrap();
    assert_complains(with(garbage.clone()), &["log"]);
    assert!(fs::read_to_string(garbage.join("parlor.db")).unwrap().starts_with("this is no log"));
    // For the superuser every folder is writable.
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(closed.join("probe"), "").is_err() {
        assert_complains(with(closed), &["closed"]);
    } else {
        println!("this user may write everywhere: a closed folder is not tested");
    }
}

#[test]
fn what_was_said_is_for_the_host_alone_to_read() {
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("new");
    let mut command = common::parlor(parent.path());
    command.args(["serve", "--plain", "--open", "--listen", "127.0.0.1:0", "--data"]).arg(&folder);
    command.env("RUST_LOG", "off").stderr(Stdio::null());
    drop(Program::start(command, 1));
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    // A folder that was there is left as it is: then the files in it are closed.
    let open = parent.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = common::parlor(parent.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&open);
    command.env("RUST_LOG", "off").stderr(Stdio::null());
    let _program = Program::start(command, 1);
    let files: Vec<_> = fs::read_dir(&open).unwrap().map(|file| file.unwrap()).collect();
    let name = |file: &fs::DirEntry| file.file_name().into_string().unwrap();
    for wanted in
        ["parlor.db", "parlor.db-wal", "parlor.journal", "people.db", "passphrase", "certificate-key.pem"]
    {
        assert!(files.iter().any(|file| name(file) == wanted), "no {wanted}");
    }
    for file in files.iter().filter(|file| name(file) != "lock") {
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", name(file));
    }
}
