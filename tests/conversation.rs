//! One whole conversation of three people through real pseudo-terminals, with a server that dies in the middle.

mod common;

use common::Program;
use common::terminal::Terminal;
use tempfile::tempdir;

fn sit_down(port: u16, nick: &str, columns: u16, rows: u16) -> Terminal {
    let terminal = Terminal::run(&["join", &common::plain_invite(port), "--nick", nick], columns, rows);
    terminal.shows("#lobby");
    terminal
}

#[test]
fn three_people_talk_and_nothing_is_lost() {
    let folder = tempdir().unwrap();
    let mut server = Program::serve(folder.path(), 0, &[]);
    let port = server.port;
    let mut alice = sit_down(port, "alice", 120, 36);
    let mut bob = sit_down(port, "bob", 80, 24);
    let mut carol = sit_down(port, "carol", 50, 12);
    alice.shows("carol");

    // Everyone sees what everyone says, whatever the width of their window.
    alice.line("did the build pass?");
    bob.shows("did the build pass?");
    bob.line("yes 编译成功 👩‍👩‍👧‍👦 e\u{301}");
    for person in [&alice, &carol] {
        person.shows("编译成功");
    }
    carol.line("/me cheers");
    alice.shows("carol cheers");

    // A page is asked about before it is sent, and arrives whole.
    bob.paste("one\ntwo\nthree\nfour\nfive\nsix\nseven");
    bob.shows("Enter");
    bob.keys("\r");
    alice.shows("seven");

    // Another room: unread there is counted here.
    for person in [&mut bob, &mut alice] {
        person.line("/join rust");
        person.shows("beginning of #rust");
    }
    alice.keys("\x1b1");
    alice.shows("did the build pass?");
    bob.line("alice: look at this");
    alice.until("a mention of alice", |screen| {
        screen.lines().any(|line| line.contains("#rust") && line.contains('1'))
    });

    // The server dies. What is said meanwhile waits, and arrives once.
    server.kill();
    for person in [&alice, &carol] {
        person.shows("Trying again");
    }
    carol.line("said into the dark");
    let server = Program::serve(folder.path(), port, &[]);
    carol.keys("\r");
    alice.keys("\r");
    alice.shows("said into the dark");
    carol.shows("said into the dark");
    let times = |screen: &str| screen.matches("said into the dark").count();
    assert_eq!((times(&alice.contents()), times(&carol.contents())), (1, 1));

    // Windows change their size at any moment, down to nothing and back.
    for (columns, rows) in [(40, 10), (1, 1), (200, 50), (120, 36)] {
        alice.resize(columns, rows);
    }
    alice.shows("said into the dark");

    // Leaving restores the terminal and says goodbye.
    alice.line("/quit");
    let (code, drawn) = alice.end();
    assert_eq!(code, 0);
    assert!(drawn.contains("\x1b[?1049l") && drawn.contains("\x1b[?2004l"), "the terminal is as it was");
    carol.line("/names");
    carol.until("alice gone from the names", |screen| screen.contains("bob"));
    drop(server);
}

#[test]
fn a_host_is_in_the_room_at_once_and_ends_in_order() {
    let folder = tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut host =
        Terminal::run(&["host", "--listen", "127.0.0.1:0", "--data", data, "--nick", "ada"], 100, 30);
    host.shows("#lobby");
    // What can be said aloud, and then the line that holds everything.
    host.shows("parlor join 127.0.0.1:");
    host.shows("and the passphrase");
    host.line("/invite");
    host.shows("parlor join 'parlor://127.0.0.1:");
    host.keys("c");
    host.shows("sent to the terminal");
    host.draws("\x1b]52;c;", 1);
    host.keys("\x1b");
    host.hides("invite to");
    host.line("/whois ada");
    host.shows("the host, here now");
    host.keys("\x1b");
    host.hides("the host, here now");
    host.line("remember this");
    host.until("what was said, stored", |screen| {
        screen.contains("ada   remember this") && !screen.contains('◌')
    });
    host.line("/quit");
    assert_eq!(host.end().0, 0);
    let host = Terminal::run(&["host", "--listen", "127.0.0.1:0", "--data", data, "--nick", "ada"], 100, 30);
    host.shows("remember this");
}

#[test]
fn a_host_keeps_order_and_makes_another_passphrase() {
    let folder = tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut host =
        Terminal::run(&["host", "--listen", "127.0.0.1:0", "--data", data, "--nick", "ada"], 120, 36);
    host.shows("and the passphrase");
    host.line("/invite");
    host.shows("The passphrase is in it");
    let contents = host.contents();
    let start = contents.find("parlor://").unwrap();
    let rows: Vec<&str> = contents[start..].lines().map(|row| row.trim_matches(['│', ' '])).collect();
    let invite = rows.concat().split('\'').next().unwrap().to_owned();
    host.keys("\x1b");
    host.hides("invite to");
    let mut bob = Terminal::run(&["join", &invite, "--nick", "bob"], 80, 24);
    bob.shows("#lobby");
    host.shows("● bob");
    host.shows("& ada");
    host.line("/op bob");
    host.shows("bob is an operator now");
    host.shows("@ bob");
    host.line("/deop bob");
    host.shows("● bob");
    host.line("/topic-lock on");
    host.shows("only the owner and operators set the topic of #lobby now");
    bob.line("/topic bob was here");
    bob.until("the topic come back into the input", |screen| screen.contains("bob › /topic bob was here"));
    bob.keys("\x15");
    bob.line("/invite");
    bob.shows("The passphrase is in it");
    bob.keys("\x1b");
    bob.hides("invite to");

    host.line("/passphrase new");
    host.shows("the passphrase is now");
    host.keys("\x1b");
    host.hides("the passphrase is now");
    host.line("/kick bob be kind");
    host.shows("bob was asked to leave");
    bob.shows("You were asked to leave: be kind. There will be no further attempt");
    bob.keys("\x03");
    bob.shows("Leave parlor?");
    bob.keys("\r");
    assert_eq!(bob.end().0, 1);
    host.line("/audit");
    host.shows("kick bob");
    host.shows("passphrase the parlor");
    host.keys("\x1b");
    host.hides("what was decided");
    host.line("/quit");
    assert_eq!(host.end().0, 0);
}

#[test]
fn an_unreachable_parlor_is_a_sentence_and_not_a_screen() {
    let terminal = Terminal::run(&["join", "127.0.0.1:1"], 80, 24);
    let (code, drawn) = terminal.end();
    assert_eq!(code, 1);
    assert!(drawn.contains("nothing listens there"), "{drawn}");
    assert!(!drawn.contains("\x1b[?1049h"), "no screen was put up");
}

#[cfg(unix)]
#[test]
fn a_server_whose_terminal_is_closed_ends_and_a_service_reads_its_certificate_again() {
    let folder = tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let terminal = Terminal::run(&["serve", "--listen", "127.0.0.1:0", "--data", data], 100, 30);
    terminal.shows("parlor join 'parlor://127.0.0.1:");
    let hang_up = |pid: u32| {
        let command = ["-c", "kill -HUP \"$0\"", &pid.to_string()].map(str::to_owned);
        assert!(std::process::Command::new("sh").args(command).status().unwrap().success());
    };
    hang_up(terminal.pid());
    assert_eq!(terminal.end().0, 0);

    let service = Program::serve(folder.path(), 0, &[]);
    hang_up(service.child.id());
    let mut alice = sit_down(service.port, "alice", 80, 24);
    alice.line("/quit");
    assert_eq!(alice.end().0, 0);
}

#[cfg(unix)]
#[test]
fn a_host_sees_what_is_counted_and_a_signal_puts_it_into_the_log_and_not_on_the_screen() {
    let folder = tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut host =
        Terminal::run(&["host", "--listen", "127.0.0.1:0", "--data", data, "--nick", "ada"], 100, 30);
    host.shows("ada ›");
    host.line("remember this");
    host.until("what was said, stored", |screen| {
        screen.contains("ada   remember this") && !screen.contains('◌')
    });
    host.line("/stats");
    host.shows("1 stored");
    host.shows("commit time");
    host.keys("\x1b");
    host.hides("commit time");
    let command = ["-c", "kill -USR1 \"$0\"", &host.pid().to_string()].map(str::to_owned);
    assert!(std::process::Command::new("sh").args(command).status().unwrap().success());
    let (log, start) = (folder.path().join("host.log"), std::time::Instant::now());
    // A file has nothing to wait for.
    while !std::fs::read_to_string(&log).unwrap().contains("  endings ") {
        assert!(start.elapsed() < common::PATIENCE, "the counters are not in the log");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(std::fs::read_to_string(&log).unwrap().contains("1 stored"));
    host.line("still here");
    host.shows("still here");
    assert!(!host.contents().contains("commit time"), "{}", host.contents());
    host.line("/quit");
    assert_eq!(host.end().0, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn who_was_stopped_from_outside_takes_the_terminal_again() {
    use std::process::Command;

    let run = |words: &[&str]| assert!(Command::new(words[0]).args(&words[1..]).status().unwrap().success());
    let folder = tempdir().unwrap();
    let server = Program::serve(folder.path(), 0, &[]);
    let mut dora = sit_down(server.port, "dora", 80, 24);
    dora.shows("dora ›");
    let pid = dora.pid().to_string();
    let tty = std::fs::read_link(format!("/proc/{pid}/fd/0")).unwrap();

    run(&["kill", "-STOP", &pid]);
    // What a shell does when it comes to the front.
    run(&["stty", "-F", tty.to_str().unwrap(), "sane"]);
    run(&["kill", "-CONT", &pid]);
    dora.draws("\x1b[?1049h", 2);
    // Without an Enter: only a terminal in raw mode passes this on, and only a screen shows it there.
    dora.keys("still here");
    dora.shows("dora › still here");
    dora.keys("\x15");
    dora.line("/quit");
    assert_eq!(dora.end().0, 0);
}
