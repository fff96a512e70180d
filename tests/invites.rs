//! The line that others type: what `parlor invite` prints lets in, and what it let in is remembered.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::Path;
use std::process::Output;

use common::Program;
use tempfile::TempDir;

/// A parlor as `parlor serve` makes it, closed, on a port of its own.
fn closed(folder: &Path) -> Program {
    let mut command = common::parlor(folder);
    let complaints = std::fs::File::create(folder.join(common::COMPLAINTS)).unwrap();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.join("data"));
    command.stdin(std::process::Stdio::null()).stderr(complaints);
    Program::start(command, 1)
}

fn run(home: &Path, args: &[&str]) -> Output {
    common::parlor(home).args(args).stdin(std::process::Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> (bool, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

/// What `parlor invite` prints, without `parlor join` and quotes.
fn invite(host: &Path, options: &[&str]) -> String {
    let data = host.join("data");
    let args = [&["invite", "--data", data.to_str().unwrap()], options].concat();
    let (done, line, complaint) = said(&run(host, &args));
    assert!(done, "{complaint}");
    let url = line.lines().last().unwrap().strip_prefix("parlor join '").unwrap();
    url.strip_suffix('\'').unwrap().to_owned()
}

#[test]
fn what_invite_prints_lets_a_script_in_and_is_remembered() {
    let [host, guest] = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let server = closed(host.path());
    let address = format!("127.0.0.1:{}", server.port);
    let say = |server: &str| said(&run(guest.path(), &["say", "#ops", "done", "--server", server]));

    let (done, _, complaint) = say(&address);
    assert!(!done && complaint.contains("has a passphrase") && complaint.contains("--passphrase-file"));
    let (done, _, complaint) = say(&invite(host.path(), &[]));
    assert!(done && complaint.contains("first time at 127.0.0.1"), "{complaint}");
    // Neither the invite nor the words are needed again, and there is nothing more to tell.
    assert_eq!(say(&address), (true, String::new(), String::new()));

    // The words are not in the client's files, which are its user's alone.
    let words = std::fs::read_to_string(host.path().join("data/passphrase")).unwrap();
    let kept = guest.path().join("parlor/client");
    for name in ["known_servers", "passphrases", "identity"] {
        let file = std::fs::read_to_string(kept.join(name)).unwrap();
        assert!(!file.contains(words.trim()), "{name}");
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(kept.join(name)).unwrap()) & 0o777,
            0o600
        );
    }
}

#[test]
fn a_passphrase_in_a_file_opens_the_door() {
    let [host, guest] = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let server = closed(host.path());
    let file = host.path().join("data/passphrase");
    let url = invite(host.path(), &["--without-passphrase", "--room", "demo"]);
    assert!(url.contains("/#demo?fp=") && !url.contains("p=amber") && !url.contains("&p="), "{url}");
    let args = ["say", "#ops", "done", "--server", &url, "--passphrase-file", file.to_str().unwrap()];
    assert!(said(&run(guest.path(), &args)).0);
    drop(server);
}

#[test]
fn another_certificate_stops_and_says_the_one_command_that_accepts_it() {
    let [host, guest] = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let mut server = closed(host.path());
    let say = |server: &str| said(&run(guest.path(), &["say", "#ops", "done", "--server", server]));
    assert!(say(&invite(host.path(), &[])).0);
    server.terminate();
    assert!(server.exit_within(common::PATIENCE).unwrap().success());
    for name in ["certificate.pem", "certificate-key.pem"] {
        std::fs::remove_file(host.path().join("data").join(name)).unwrap();
    }
    let mut command = common::parlor(host.path());
    let listen = format!("127.0.0.1:{}", server.port);
    command.args(["serve", "--listen", &listen, "--data"]).arg(host.path().join("data"));
    let _server = Program::start(command, 1);

    let (done, _, complaint) = say(&listen);
    assert!(!done && complaint.contains("another certificate") && complaint.contains("nothing was told"));
    let (done, _, complaint) = said(&run(guest.path(), &["join", &listen]));
    assert!(!done && complaint.contains("Only if those are the host's words"), "{complaint}");
    let accept = complaint.split('\'').find(|word| word.starts_with("parlor://")).unwrap();
    assert!(invite(host.path(), &[]).contains(accept), "it is the fingerprint of the new one: {accept}");
    let (done, _, complaint) = say(accept);
    assert!(done && complaint.contains("has another certificate than before"), "{complaint}");
    assert_eq!(say(&listen), (true, String::new(), String::new()));
}

#[test]
fn an_invite_does_not_take_away_the_encryption() {
    let [host, guest] = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let server = closed(host.path());
    let say = |server: &str| said(&run(guest.path(), &["say", "#ops", "done", "--server", server]));
    assert!(say(&invite(host.path(), &[])).0);
    let (done, _, complaint) = say(&common::plain_invite(server.port));
    assert!(!done && complaint.contains("speaks no TLS, and it did before"), "{complaint}");
}

#[test]
fn a_host_may_let_in_nobody_without_a_key() {
    let [host, person] = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let server = Program::serve(host.path(), 0, &["--no-guests"]);
    let say = |home: &Path| {
        said(&run(home, &["say", "#ops", "done", "--server", &common::plain_invite(server.port)]))
    };
    assert!(say(person.path()).0);
    #[cfg(target_os = "linux")]
    {
        let (done, _, complaint) = say(Path::new("/proc/nowhere"));
        assert!(!done && complaint.contains("nobody without a key"), "{complaint}");
    }
}

#[test]
fn without_a_parlor_there_is_nothing_to_invite_to() {
    let host = TempDir::new().unwrap();
    let (done, _, complaint) = said(&run(host.path(), &["invite", "--data", host.path().to_str().unwrap()]));
    assert!(!done && complaint.contains("no parlor runs on"), "{complaint}");
    // Nor after one that was killed, and left everything as it was.
    let mut server = closed(host.path());
    assert!(invite(host.path(), &[]).starts_with("parlor://127.0.0.1:"));
    server.kill();
    let data = host.path().join("data");
    let (done, _, complaint) = said(&run(host.path(), &["invite", "--data", data.to_str().unwrap()]));
    assert!(!done && complaint.contains("no parlor runs on"), "{complaint}");
}

#[test]
fn an_invite_can_be_a_code_on_the_wall() {
    let host = TempDir::new().unwrap();
    let _server = closed(host.path());
    let data = host.path().join("data");
    let (done, code, _) = said(&run(host.path(), &["invite", "--qr", "--data", data.to_str().unwrap()]));
    assert!(done && code.lines().filter(|row| row.starts_with("\x1b[97;40m")).count() > 20);
    assert!(code.lines().last().unwrap().starts_with("parlor join 'parlor://"));
}

#[cfg(target_os = "linux")]
#[test]
fn who_has_nowhere_to_write_speaks_as_a_guest() {
    let host = TempDir::new().unwrap();
    let _server = closed(host.path());
    // Where nobody makes folders, root neither.
    let nowhere = Path::new("/proc/nowhere");
    let url = invite(host.path(), &[]);
    let (done, _, complaint) = said(&run(nowhere, &["say", "#ops", "done", "--server", &url]));
    assert!(done && complaint.contains("as a guest"), "{complaint}");
}
