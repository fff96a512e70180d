//! What the real program writes to its terminal, byte for byte, and what becomes of it when the terminal goes.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::io::Read as _;
use std::sync::mpsc;
use std::time::Duration;

use common::terminal::{PARLOR, Terminal, command, size};
use common::{PATIENCE, Program};
use portable_pty::native_pty_system;
use tempfile::tempdir;

/// Around each frame: the terminal shows what is between the two at once.
const BEGIN: &str = "\x1b[?2026h";
const END: &str = "\x1b[?2026l";

/// Time in which an idle screen is watched: shorter than that between two measurements of the round trip.
const IDLE: Duration = Duration::from_secs(3);

/// Within which a program whose terminal is gone has ended, also on a busy machine: it gives the link's goodbye 2.5 s.
const SOON: Duration = Duration::from_secs(10);

/// What was written beside the frames, without the titles of the window.
fn beside_frames(drawn: &str) -> String {
    let mut beside = String::new();
    let mut frames = drawn.split(BEGIN);
    beside.push_str(frames.next().unwrap_or_default());
    for frame in frames {
        let (_, after) = frame.split_once(END).expect("a frame that does not end");
        beside.push_str(after);
    }
    let mut titles = beside.split("\x1b]0;");
    let mut rest = titles.next().unwrap_or_default().to_owned();
    for title in titles {
        rest.push_str(title.split_once('\x07').expect("a title that does not end").1);
    }
    rest
}

#[test]
fn an_idle_screen_writes_nothing() {
    let folder = tempdir().unwrap();
    let server = Program::serve(folder.path(), 0, &[]);
    let mut alice = Terminal::run(&["join", &common::plain_invite(server.port), "--nick", "alice"], 120, 36);
    alice.shows(" ms");
    let drawn = alice.drawn_while_idle(IDLE);
    // The round trip is measured now and then, and may have changed.
    assert!(drawn.matches(BEGIN).count() <= 1, "{drawn:?}");
    assert_eq!(beside_frames(&drawn), "");
    alice.line("/quit");
    assert_eq!(alice.end().0, 0);
}

#[test]
fn in_a_flood_every_byte_is_in_a_frame() {
    let folder = tempdir().unwrap();
    let server = Program::serve(folder.path(), 0, &["--unlimited"]);
    let invite = common::plain_invite(server.port);
    let mut alice = Terminal::run(&["join", &invite, "--nick", "alice"], 100, 30);
    alice.shows("alice \u{203a}");
    alice.draws(END, 1);
    let before = alice.raw().rfind(END).expect("a frame") + END.len();
    let home = tempdir().unwrap();
    let text: String = (0..5_000).map(|number| format!("line {number}\n")).collect();
    let file = home.path().join("lines");
    std::fs::write(&file, text).unwrap();
    let mut bob = common::parlor(home.path());
    bob.args(["say", "#lobby", "--server", &invite, "--nick", "bob"]);
    let bob = bob.stdin(std::fs::File::open(&file).unwrap()).spawn().unwrap();
    for (columns, rows) in [(40, 10), (1, 1), (200, 50), (100, 30)] {
        alice.resize(columns, rows);
        alice.keys("x");
    }
    alice.keys("\x15");
    assert!(bob.wait_with_output().unwrap().status.success());
    alice.shows("line 4999");
    let drawn = alice.raw();
    let whole = drawn.rfind(END).expect("a frame") + END.len();
    assert_eq!(beside_frames(&drawn[before..whole]), "");
    alice.line("/quit");
    assert_eq!(alice.end().0, 0);
}

#[cfg(unix)]
#[test]
fn a_program_whose_terminal_is_closed_ends_as_a_failure() {
    let folder = tempdir().unwrap();
    let server = Program::serve(folder.path(), 0, &[]);
    let invite = common::plain_invite(server.port);
    for mode in [&[][..], &["--lines"]] {
        let home = tempdir().unwrap();
        let args = [&["join", &invite, "--nick", "alice"], mode].concat();
        let pair = native_pty_system().openpty(size(80, 24)).unwrap();
        let mut child = pair.slave.spawn_command(command(PARLOR, home.path(), &args)).unwrap();
        drop(pair.slave);
        let mut output = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (told, up) = mpsc::channel();
        // The window is closed where nobody reads and nobody writes any more.
        let reading = std::thread::spawn(move || {
            let (mut all, mut space) = (Vec::new(), [0; 4096]);
            while !String::from_utf8_lossy(&all).contains("#lobby") {
                let read = output.read(&mut space).unwrap();
                assert!(read > 0, "it ended: {}", String::from_utf8_lossy(&all));
                all.extend_from_slice(&space[..read]);
            }
            told.send(()).unwrap();
        });
        up.recv_timeout(PATIENCE).unwrap();
        reading.join().unwrap();
        drop((keys, pair.master));
        let mut killer = child.clone_killer();
        let (ended, end) = mpsc::channel();
        std::thread::spawn(move || ended.send(child.wait().unwrap().exit_code()));
        let code = end.recv_timeout(SOON);
        if code.is_err() {
            killer.kill().unwrap();
        }
        assert_eq!(code, Ok(1), "with {mode:?}");
    }
}

#[cfg(unix)]
#[test]
fn the_shell_gets_its_terminal_and_gives_it_back() {
    let folder = tempdir().unwrap();
    let server = Program::serve(folder.path(), 0, &[]);
    let invite = common::plain_invite(server.port);
    for (mode, ready) in [("", "alice \u{203a} "), ("--lines", "#lobby> ")] {
        let home = tempdir().unwrap();
        let mut shell = Terminal::shell(home.path(), 100, 30);
        shell.shows("shell> ");
        shell.line(&format!("{PARLOR} join '{invite}' --nick alice {mode}"));
        shell.shows(ready);
        shell.keys("half a");
        shell.shows(&format!("{ready}half a"));
        shell.keys("\x1a");
        shell.until("the shell", |screen| screen.trim_end().ends_with("shell>"));
        // A terminal in raw mode would show nothing of it, and the shell would not get it.
        shell.line("echo $((6 * 7)) is shown");
        shell.shows("42 is shown");
        shell.line("fg");
        shell.until("what was being written", |screen| {
            screen.lines().any(|line| line.trim_end().ends_with(&format!("{ready}half a")))
        });
        shell.keys(" line");
        shell.shows(&format!("{ready}half a line"));
        shell.keys("\x15");
        shell.line("/quit");
        shell.until("the shell", |screen| screen.trim_end().ends_with("shell>"));
        shell.line("exit");
        assert_eq!(shell.end().0, 0);
    }
}
