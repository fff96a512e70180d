//! `parlor` alone, in a real terminal: which parlors there are, hosting one, joining one. Each in a network of its own, so that
//! nothing is sent into the one around, and whatever runs on this machine is not there.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::print_stderr)]
#![cfg(target_os = "linux")]

mod common;

use std::process::{Command, Stdio};

use common::terminal::{PARLOR, Terminal};
use common::{FOREIGN, HOMES};
use tempfile::{TempDir, tempdir};

/// A program in a network and with process numbers of its own: what it has started ends with it.
const APART: [&str; 4] = ["--net", "--pid", "--fork", "--kill-child"];

/// Whether this user may make networks: as root, or as root of a namespace.
fn apart() -> Option<Vec<&'static str>> {
    let ways = [APART.to_vec(), [&["--map-root-user"], &APART[..]].concat()];
    let works = |way: &Vec<&'static str>| {
        let mut command = Command::new("unshare");
        command.args(way).args(["sh", "-c", "ip link set lo up"]).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let found = ways.into_iter().find(works);
    if found.is_none() {
        common::skip("this user may not make a network of its own (unshare --net, ip)");
    }
    found
}

/// Where the home is, and a parlor's folder.
struct Place {
    home: TempDir,
    way: Vec<&'static str>,
}

impl Place {
    fn new() -> Option<Self> {
        Some(Self { way: apart()?, home: tempdir().unwrap() })
    }

    /// Runs a shell's script in which `parlor` is the program, in a terminal of its own.
    fn run(&self, script: &str) -> Terminal {
        let script = format!("parlor() {{ {PARLOR} \"$@\"; }}; ip link set lo up && {script}");
        let mut process = Command::new("unshare");
        process.args(&self.way).args(["sh", "-c", &script]);
        process.envs(HOMES.map(|name| (name, self.home.path())));
        for name in FOREIGN {
            process.env_remove(name);
        }
        Terminal::of_process(&process, 100, 30)
    }

    /// The same beside a parlor that everyone on this machine may enter, at this port, once it listens.
    fn beside(&self, port: u16, script: &str) -> Terminal {
        let data = self.home.path().join("served");
        let out = self.home.path().join("out");
        let (data, out) = (data.display(), out.display());
        self.run(&format!(
            "rm -f {out} && mkfifo {out} && {{ parlor serve --open --listen 127.0.0.1:{port} --data {data} >{out} 2>{out}.log & }} \
             && exec 3<{out} && read listening <&3 && {script}"
        ))
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.home.path().join("parlor/client").join(name)).unwrap()
    }
}

const ESC: &str = "\x1b";

#[test]
fn whoever_is_alone_hosts_one() {
    let Some(place) = Place::new() else { return };
    let mut alice = place.run("PARLOR_NICK=alice parlor");
    alice.shows("host one here");
    alice.shows("Enter host");
    alice.keys("\r");
    alice.shows("alice \u{203a}");
    alice.line("hello");
    alice.until("what was said", |screen| {
        screen.lines().any(|line| line.contains(" alice ") && line.contains(" hello"))
    });
    alice.line("/quit");
    let (code, drawn) = alice.end();
    assert_eq!(code, 0);
    assert!(drawn.contains("`parlor host` opens them again"), "{drawn}");
}

#[test]
fn the_one_on_this_machine_is_joined_and_known_the_next_time() {
    let Some(place) = Place::new() else { return };
    let mut alice = place.beside(7878, "PARLOR_NICK=alice parlor");
    alice.shows("join the one on this machine");
    alice.shows("Enter join");
    alice.keys("\r");
    alice.shows("alice \u{203a}");
    alice.line("/quit");
    assert_eq!(alice.end().0, 0);
    assert!(place.file("rooms.toml").contains("address = \"127.0.0.1:7878\""));
    // With one there, nobody needs to choose.
    let mut bob = place.beside(7878, "PARLOR_NICK=bob parlor join");
    bob.shows("bob \u{203a}");
    bob.line("/quit");
    let (code, drawn) = bob.end();
    assert!(code == 0 && !drawn.contains("this machine"), "{drawn}");
}

#[test]
fn an_address_that_is_typed_is_joined_and_listed_from_then_on() {
    let Some(place) = Place::new() else { return };
    let mut alice = place.beside(9000, "PARLOR_NICK=alice parlor join");
    alice.shows("host one here");
    // Nobody listens there: one learns that, and chooses again.
    alice.keys("127.0.0.1:1");
    alice.shows("join 127.0.0.1:1");
    alice.keys("\r");
    alice.shows("cannot connect to 127.0.0.1:1");
    alice.shows("Enter: back to the list");
    alice.keys("\r");
    alice.shows("host one here");
    alice.line("127.0.0.1:9000");
    alice.shows("alice \u{203a}");
    alice.line("/quit");
    assert_eq!(alice.end().0, 0);

    let mut alice = place.beside(9000, "PARLOR_NICK=alice parlor");
    alice.shows("visited before");
    alice.shows("today");
    alice.until("a parlor that listens", |screen| {
        screen.lines().any(|line| line.contains("127.0.0.1:9000") && line.contains("\u{25cf} here"))
    });
    alice.keys("\x1b[B");
    alice.shows("Enter join");
    alice.keys("\r");
    alice.shows("alice \u{203a}");
    alice.line("/quit");
    assert_eq!(alice.end().0, 0);
}

#[test]
fn leaving_the_list_leaves_and_so_does_ctrl_c_after_it() {
    let Some(place) = Place::new() else { return };
    for keys in ["\x03", "\x04", ESC] {
        let mut alice = place.run("parlor");
        alice.shows("host one here");
        alice.keys(keys);
        assert_eq!(alice.end().0, 0, "{keys:?}");
    }
    // The screen has taken Ctrl-C from the system, and must give it back.
    let mut alice = place.run("parlor");
    alice.shows("host one here");
    alice.line("127.0.0.1:1");
    alice.shows("Enter: back to the list");
    alice.keys("\x03");
    assert_ne!(alice.end().0, 0);
}

#[test]
fn nothing_is_sent_and_it_is_said_where_people_do_not_want_to_look() {
    let Some(place) = Place::new() else { return };
    let folder = place.home.path().join("parlor");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), "[screen]\nfind = false\n").unwrap();
    let mut alice = place.run("parlor");
    alice.shows("not looked for: the settings say find = false");
    alice.keys(ESC);
    assert_eq!(alice.end().0, 0);
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let home = tempdir().unwrap();
    let output = common::parlor(home.path()).stdin(Stdio::null()).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{error}");
    assert!(error.contains("Usage: parlor") && error.contains("parlor host"), "{error}");

    // Such a terminal can show no screen.
    let dumb = Terminal::with(home.path(), &[], (100, 60), &[("TERM", "dumb")]);
    dumb.shows("Usage: parlor");
    assert_eq!(dumb.end().0, 2);
}
