//! The settings file of somebody who sits there, in a real terminal: written by `/set`, read again when it is changed,
//! and named on the command line.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::Program;
use common::terminal::Terminal;
use tempfile::tempdir;

const FOCUS: &str = "\x1b[I";
const F5: &str = "\x1b[15~";

#[test]
fn settings_are_kept_and_read_again() {
    let (folder, home) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Program::serve(folder.path(), 0, &[]);
    let invite = common::plain_invite(server.port);
    let file = home.path().join("parlor/config.toml");

    // Somebody new is welcomed until they have said something, and not again.
    let mut alice = Terminal::at(home.path(), &["join", &invite, "--nick", "alice"], 90, 24);
    alice.shows("Welcome!");
    alice.line("hello");
    alice.hides("Welcome!");
    assert!(!file.exists(), "nobody has asked for it");

    alice.line("/set time-format %H.%M.%S");
    alice.shows("time-format is %H.%M.%S");
    let kept = fs::read_to_string(&file).unwrap();
    assert!(
        kept.starts_with("# parlor's settings") && kept.ends_with("time-format = \"%H.%M.%S\"\n"),
        "{kept}"
    );

    // What an editor saves holds at once, and comments stay.
    fs::write(&file, "# mine\n[notices]\nbell = true # loud\n[keys]\nf5 = \"help\"\nf1 = \"none\"\n")
        .unwrap();
    alice.keys(FOCUS);
    alice.shows("config.toml has changed: time-format %H:%M, keys");
    alice.shows("F5 help");
    alice.keys(F5);
    alice.shows("keys and commands");
    alice.keys(F5);
    alice.hides("keys and commands");
    alice.line("/set bell off");
    alice.shows("bell is off");
    let kept = fs::read_to_string(&file).unwrap();
    assert_eq!(kept, "# mine\n[notices]\nbell = false # loud\n[keys]\nf5 = \"help\"\nf1 = \"none\"\n");

    // What is wrong is told, and is not written over.
    fs::write(&file, "[notices\n").unwrap();
    alice.keys(FOCUS);
    alice.shows("config.toml, line 1");
    alice.line("/set bell on");
    alice.shows("this holds until you leave: config.toml, line 1");
    assert_eq!(fs::read_to_string(&file).unwrap(), "[notices\n");
    alice.line("/quit");
    assert_eq!(alice.end().0, 0);

    let other = home.path().join("other.toml");
    let other = other.to_str().unwrap();
    let mut alice =
        Terminal::at(home.path(), &["join", &invite, "--nick", "alice", "--settings", other], 90, 24);
    alice.shows("other.toml: it is not there: /set makes it");
    assert!(!alice.contents().contains("Welcome!"));
    alice.line("/set noise off");
    alice.shows("noise is off");
    assert!(fs::read_to_string(other).unwrap().contains("noise = false"));
    alice.line("/quit");
    assert_eq!(alice.end().0, 0);
}
