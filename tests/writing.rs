//! Writing through real pseudo-terminals: in an editor, and with a client that is killed in the middle of a sentence.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use common::terminal::Terminal;
use common::{PATIENCE, Program};
use tempfile::tempdir;

const ALT_E: &str = "\x1be";
const CTRL_C: &str = "\x03";
const UP: &str = "\x1b[A";

/// What a file of this folder, somewhere in this home, says; `None` if there is none.
fn kept(home: &Path, folder: &str) -> Option<(PathBuf, String)> {
    let mut folders = vec![home.to_owned()];
    while let Some(looked_into) = folders.pop() {
        for entry in std::fs::read_dir(&looked_into).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if looked_into.ends_with(folder) && path.extension().is_none_or(|kind| kind != "lock") {
                return std::fs::read_to_string(&path).ok().map(|text| (path, text));
            }
        }
    }
    None
}

/// Waits until what is kept is as `wanted`.
fn until_kept(home: &Path, folder: &str, wanted: impl Fn(Option<&str>) -> bool) {
    let give_up = Instant::now() + PATIENCE;
    loop {
        let kept = kept(home, folder);
        if wanted(kept.as_ref().map(|(_, text)| text.as_str())) {
            return;
        }
        assert!(Instant::now() < give_up, "this is kept: {kept:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_message_is_written_in_an_editor_while_the_link_goes_on() {
    let (folder, home) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Program::serve(folder.path(), 0, &[]);
    let invite = common::plain_invite(server.port);
    // It reads a line from the terminal, as editors read keys, and looks at what it was given.
    let editor = home.path().join("an editor");
    let script = "ls -l \"$1\" | cut -c 1-10\necho the editor is here\nIFS= read -r line\ntest \"$line\" != q || exit 3\nprintf '%s\\033[2J\\n' \"$line\" >> \"$1\"\n";
    std::fs::write(&editor, script).unwrap();
    let name = format!("sh '{}'", editor.display());
    let variables = [("VISUAL", ""), ("EDITOR", name.as_str())];
    let mut alice = Terminal::with(home.path(), &["join", &invite, "--nick", "alice"], (200, 24), &variables);
    alice.shows("connected");
    let mut bob = Terminal::run(&["join", &invite, "--nick", "bob"], 80, 24);
    bob.shows("connected");
    alice.shows("bob");

    alice.keys("a draft");
    alice.keys(ALT_E);
    alice.draws("the editor is here", 1);
    alice.shows("-rw-------");
    bob.line("said meanwhile");
    bob.shows("said meanwhile");
    alice.line(" of more");
    alice.shows("alice › a draft of more[2J");
    alice.shows("said meanwhile");
    alice.keys("\r");
    bob.shows("a draft of more");

    // It gives up: the message is as it was, and keys come here again.
    alice.keys("another");
    alice.keys(ALT_E);
    alice.draws("the editor is here", 2);
    alice.line("q");
    alice.shows("exit status: 3. The message is as it was");
    alice.line(" one");
    bob.shows("another one");

    // Ctrl-C there is not ours; asked to end, we end and give the terminal back.
    alice.keys(ALT_E);
    alice.draws("the editor is here", 3);
    alice.keys(CTRL_C);
    alice.shows("The message is as it was");
    alice.keys(ALT_E);
    alice.draws("the editor is here", 4);
    let asked = Command::new("kill").args(["-TERM", &alice.pid().to_string()]).status().unwrap();
    assert!(asked.success());
    assert_eq!(alice.end().0, 0);
}

#[test]
fn a_draft_outlives_a_client_that_is_killed() {
    let (folder, home) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Program::serve(folder.path(), 0, &[]);
    let invite = common::plain_invite(server.port);
    let args = ["join", &invite, "--nick", "alice"];
    let mut alice = Terminal::at(home.path(), &args, 80, 24);
    alice.shows("connected");
    alice.line("good morning");
    alice.shows("good morning");
    alice.line("/lock open sesame please");
    alice.keys("half a thought 李");
    until_kept(home.path(), "drafts", |text| text.is_some_and(|text| text.contains("half a thought 李")));
    let killed = Command::new("kill").args(["-KILL", &alice.pid().to_string()]).status().unwrap();
    assert!(killed.success());
    drop(alice);

    let mut alice = Terminal::at(home.path(), &args, 80, 24);
    alice.shows("alice › half a thought 李");
    alice.line(" and the rest");
    alice.shows("half a thought 李 and the rest");
    until_kept(home.path(), "drafts", |text| text.is_none());
    // What was written before is one key away, but for what nobody may read.
    alice.keys(UP);
    alice.shows("alice › half a thought 李 and the rest");
    alice.keys(UP);
    alice.shows("alice › good morning");
    let (path, inputs) = kept(home.path(), "inputs").unwrap();
    assert!(!inputs.contains("sesame"), "{}: {inputs}", path.display());
    // Left in order, a draft stays too.
    alice.line("!");
    alice.keys("to be continued");
    alice.shows("alice › to be continued");
    let asked = Command::new("kill").args(["-TERM", &alice.pid().to_string()]).status().unwrap();
    assert!(asked.success());
    assert_eq!(alice.end().0, 0);
    let alice = Terminal::at(home.path(), &args, 80, 24);
    alice.shows("alice › to be continued");
}
