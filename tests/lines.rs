//! `join --lines`: the real program over pipes, in a terminal that can do nothing, and in one that gives keys.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::mpsc;

use common::terminal::Terminal;
use common::{PATIENCE, Program};
use tempfile::{TempDir, tempdir};

/// A `--lines` whose input and output are ours.
struct Piped {
    child: Child,
    input: Option<ChildStdin>,
    output: mpsc::Receiver<String>,
    _home: TempDir,
}

impl Piped {
    fn join(port: u16, nick: &str) -> Self {
        let home = tempdir().unwrap();
        let mut command = common::parlor(home.path());
        command.args(["join", &common::plain_invite(port), "--nick", nick, "--lines"]);
        command.env("TZ", "UTC").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (lines, output) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines() {
                if lines.send(line.unwrap() + "\n").is_err() {
                    return;
                }
            }
        });
        Self { child, input, output, _home: home }
    }

    fn line(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The next line in which `text` stands.
    fn says(&self, text: &str) -> String {
        let mut all = String::new();
        loop {
            let Ok(line) = self.output.recv_timeout(PATIENCE) else { panic!("no {text} in:\n{all}") };
            if line.contains(text) {
                return line;
            }
            all.push_str(&line);
        }
    }

    /// The rest of what it says once its input has ended, and how it ends.
    fn end(mut self) -> (ExitStatus, String) {
        drop(self.input.take());
        let rest = self.output.iter().collect();
        (self.child.wait().unwrap(), rest)
    }
}

#[test]
fn two_talk_over_pipes_and_everything_is_sent_before_the_end() {
    let folder = tempdir().unwrap();
    let server = Program::serve(folder.path(), 0, &["--unlimited"]);
    let mut alice = Piped::join(server.port, "alice");
    alice.says("nothing was said here yet");
    let mut bob = Piped::join(server.port, "bob");
    alice.says("* bob came");
    bob.line("did the build pass?");
    alice.says("bob: did the build pass?");
    alice.line("/about bob");
    alice.line("/reply yes, bob");
    bob.says("alice names you: yes, bob (answers bob: did the build pass?)");
    bob.line("/edit did it pass?");
    alice.says("* bob edited: did it pass?");
    alice.line("/react tada");
    bob.says("* alice reacted \u{1f389} to");
    // Far more than fits anywhere, and the end of the input right behind it.
    for number in 0..3_000 {
        bob.line(&format!("line {number}"));
    }
    let (status, said) = bob.end();
    assert!(status.success());
    assert!(said.contains("line 2999"), "what one says comes back");
    for number in 0..3_000 {
        alice.says(&format!("bob: line {number}\n"));
    }
    alice.says("* bob left");
    let (status, _) = alice.end();
    assert!(status.success());
}

#[test]
fn what_was_said_before_is_told_at_first_and_on_request() {
    let folder = tempdir().unwrap();
    let server = Program::serve(folder.path(), 0, &["--unlimited"]);
    let mut bob = Piped::join(server.port, "bob");
    for number in 1..=1_000 {
        bob.line(&format!("line {number}"));
    }
    assert!(bob.end().0.success());
    let mut alice = Piped::join(server.port, "alice");
    alice.says("* 980 earlier; /history shows more");
    alice.says("bob: line 981\n");
    alice.says("bob: line 1000\n");
    alice.line("/history 300");
    assert!(alice.says("line 681\n").starts_with("#681 "));
    alice.says("#980");
    alice.says("680 earlier");
    assert!(alice.end().0.success());
}

#[test]
fn a_break_and_the_return_are_told_and_what_is_said_meanwhile_waits() {
    let folder = tempdir().unwrap();
    let mut server = Program::serve(folder.path(), 0, &[]);
    let port = server.port;
    let mut alice = Piped::join(port, "alice");
    alice.says("nothing was said here yet");
    server.kill();
    alice.says("! no connection");
    alice.line("said into the dark");
    let _server = Program::serve(folder.path(), port, &[]);
    alice.says("* connected again");
    alice.says("alice: said into the dark");
    assert!(alice.end().0.success());
}

#[test]
fn what_makes_no_sense_without_a_screen_says_so() {
    let folder = tempdir().unwrap();
    let server = Program::serve(folder.path(), 0, &[]);
    let mut alice = Piped::join(server.port, "alice");
    alice.line("/nonsense");
    alice.says("! there is no command /nonsense");
    alice.line("/goto first");
    alice.says("there is none here");
    let (status, _) = alice.end();
    assert!(status.success(), "what is not understood is no message");
}

#[test]
fn a_terminal_that_can_do_nothing_gets_no_escape() {
    let folder = tempdir().unwrap();
    let server = Program::serve(folder.path(), 0, &[]);
    let mut bob = Piped::join(server.port, "bob");
    let home = tempdir().unwrap();
    let args = ["join", &common::plain_invite(server.port), "--nick", "alice", "--lines"];
    let mut alice = Terminal::with(home.path(), &args, (80, 24), &[("TERM", "dumb")]);
    alice.shows("#lobby> ");
    alice.keys("hello from below\n");
    bob.says("alice: hello from below");
    bob.line("alice: **hello** above");
    alice.shows("bob names you: alice: **hello** above");
    alice.keys("/delete\n");
    alice.shows("Delete for everyone?");
    alice.keys("\n");
    bob.says("* alice deleted a message");
    alice.keys("/quit\n");
    let (code, drawn) = alice.end();
    assert_eq!(code, 0, "{drawn}");
    assert!(!drawn.contains('\x1b'), "{drawn:?}");
    assert_eq!(drawn.matches("hello above").count(), 0, "nothing is made of what was written: {drawn}");
}

#[test]
fn what_comes_while_one_writes_does_not_garble_it() {
    let folder = tempdir().unwrap();
    let server = Program::serve(folder.path(), 0, &[]);
    let mut bob = Piped::join(server.port, "bob");
    let args = ["join", &common::plain_invite(server.port), "--nick", "alice", "--lines"];
    let mut alice = Terminal::run(&args, 60, 12);
    alice.shows("#lobby> ");
    alice.keys("hello wo");
    alice.shows("#lobby> hello wo");
    bob.line("good morning");
    alice.until("what was written below what came", |screen| {
        let lines: Vec<&str> = screen.lines().map(str::trim_end).collect();
        let came = lines.iter().position(|line| line.contains("bob: good morning"));
        came.zip(lines.iter().rposition(|line| *line == "#lobby> hello wo")).is_some_and(|(a, b)| a < b)
            && lines.iter().filter(|line| line.contains("hello wo")).count() == 1
    });
    // Editing, and completion.
    alice.keys("\x17bo\t\r");
    bob.says("alice names you: hello bob");
    alice.shows("#lobby> hello bob");
    alice.paste("one\ntwo\nthree\nfour\nfive\nsix\nseven");
    alice.shows("Enter: send");
    alice.keys("\r");
    bob.says("alice: one");
    alice.shows("seven");
    // What is sent is where it was written, and nowhere else.
    bob.line("that was a page");
    alice.shows("that was a page");
    assert!(!alice.raw().contains("alice: hello bob"), "{}", alice.contents());
    alice.keys("\x03");
    let (code, drawn) = alice.end();
    assert_eq!(code, 0, "{drawn}");
    let escapes: Vec<&str> = drawn.split('\x1b').skip(1).map(|rest| &rest[..7.min(rest.len())]).collect();
    assert!(
        escapes.iter().all(|escape| escape.starts_with("[?2004")),
        "only pastes are asked for: {escapes:?}"
    );
}

#[test]
fn who_is_asked_to_end_says_what_was_not_sent() {
    let folder = tempdir().unwrap();
    let mut server = Program::serve(folder.path(), 0, &[]);
    let args = ["join", &common::plain_invite(server.port), "--nick", "alice", "--lines"];
    let mut alice = Terminal::run(&args, 80, 24);
    alice.shows("#lobby> ");
    server.kill();
    alice.shows("! no connection");
    alice.line("said into the dark");
    alice.shows("that waits here until there is a connection");
    alice.keys("\x03");
    alice.shows("One message is not sent yet: it will be in the input when you");
    alice.keys("\r");
    let (code, drawn) = alice.end();
    assert_eq!(code, 1, "{drawn}");
    assert!(drawn.contains("These were not stored"), "{drawn}");
}

#[cfg(unix)]
#[test]
fn a_host_may_do_without_a_screen() {
    let folder = tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let args = ["host", "--listen", "127.0.0.1:0", "--data", data, "--nick", "ada", "--lines"];
    let mut host = Terminal::run(&args, 200, 24);
    host.shows("#lobby> ");
    host.line("/invite");
    host.shows("parlor join 'parlor://127.0.0.1:");
    host.line("/quit");
    assert_eq!(host.end().0, 0);
}
