//! Whoever comes back finds the rooms as they left them: open, in their order, the last one in sight.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::Program;
use common::terminal::Terminal;
use tempfile::tempdir;

const ALT_G: &str = "\x1bg";

/// The file in which rooms are remembered, wherever below its user's home.
fn rooms_file(home: &Path) -> Option<PathBuf> {
    fs::read_dir(home).unwrap().filter_map(Result::ok).map(|entry| entry.path()).find_map(|path| {
        if path.is_dir() { rooms_file(&path) } else { path.ends_with("rooms.toml").then_some(path) }
    })
}

fn sits_down(home: &Path, port: u16) -> Terminal {
    let args = ["join", &common::plain_invite(port), "--nick", "alice"];
    let terminal = Terminal::at(home, &args, 80, 24);
    terminal.shows("connected");
    terminal
}

fn leaves(mut terminal: Terminal) {
    terminal.line("/quit");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn the_rooms_of_last_time_are_open_again() {
    let (folder, home) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Program::serve(folder.path(), 0, &[]);
    let mut alice = sits_down(home.path(), server.port);
    alice.shows("beginning of #lobby");
    for room in ["#rust", "#ops", "#builds"] {
        alice.line(&format!("/join {room}"));
        alice.shows(&format!("beginning of {room}"));
    }
    alice.line("/pin #ops");
    alice.shows("#ops is pinned");
    alice.line("/part #builds");
    alice.hides("#builds");
    // By a few letters, and by them without a word to the room.
    alice.keys(ALT_G);
    alice.shows("go to");
    alice.keys("rs\r");
    alice.shows("beginning of #rust");
    leaves(alice);

    let alice = sits_down(home.path(), server.port);
    alice.shows("beginning of #rust");
    alice.shows(" #ops       ▴ │");
    alice.shows(" #lobby");
    alice.hides("#builds");
    leaves(alice);

    // A file that is not understood keeps nobody out, and stays as it is.
    let file = rooms_file(home.path()).unwrap();
    fs::write(&file, "damaged").unwrap();
    let mut alice = sits_down(home.path(), server.port);
    alice.shows("rooms.toml");
    alice.line("/join #later");
    alice.shows("beginning of #later");
    leaves(alice);
    assert_eq!(fs::read_to_string(&file).unwrap(), "damaged");
}
