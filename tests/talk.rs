//! Three people use all that one can do with what was said, through real pseudo-terminals: answers, edits, deletions,
//! reactions, words to somebody alone, mentions, search, and a place that is kept for each of them.

// What fails here must fail loudly, helpers too.
#![allow(clippy::unwrap_used)]

mod common;

use common::Program;
use common::terminal::Terminal;
use tempfile::{TempDir, tempdir};

/// One of three, with a home of their own that outlives their visits.
struct Person {
    home: TempDir,
    nick: &'static str,
    size: (u16, u16),
}

impl Person {
    fn new(nick: &'static str, columns: u16, rows: u16) -> Self {
        Self { home: tempdir().unwrap(), nick, size: (columns, rows) }
    }

    fn sits_down(&self, port: u16) -> Terminal {
        let args = ["join", &common::plain_invite(port), "--nick", self.nick];
        let terminal = Terminal::at(self.home.path(), &args, self.size.0, self.size.1);
        terminal.shows("connected");
        terminal
    }
}

fn leaves(mut terminal: Terminal) {
    terminal.line("/quit");
    assert_eq!(terminal.end().0, 0);
}

const ALT_UP: &str = "\x1b[1;3A";
const ESC: &str = "\x1b";
const CTRL_S: &str = "\x13";

#[test]
fn three_people_use_all_of_it() {
    let folder = tempdir().unwrap();
    let mut server = Program::serve(folder.path(), 0, &[]);
    let port = server.port;
    let people = [Person::new("alice", 120, 36), Person::new("bob", 80, 24), Person::new("carol", 50, 12)];
    let [mut alice, mut bob, mut carol] = people.each_ref().map(|person| person.sits_down(port));
    alice.shows("carol");

    // Somebody writes, and is seen to until they have said it.
    carol.shows("3 here");
    carol.keys("good mor");
    alice.shows("carol is typing");
    carol.line("ning");
    alice.shows("good morning");
    alice.hides("is typing");

    // An answer quotes what it answers; an edit takes its place, and so does a deletion.
    alice.line("did the build pass?");
    bob.shows("did the build pass?");
    bob.keys(ALT_UP);
    bob.shows("r reply");
    bob.keys("r");
    bob.shows("answering alice");
    bob.line("yes, in 3 min");
    for person in [&alice, &carol] {
        person.shows("\u{21aa} alice: did the build pass?");
        person.shows("yes, in 3 min");
    }
    // Others may hear of it before he does that it is stored.
    bob.hides("◌");
    bob.line("/edit yes, in 5 min");
    for person in [&alice, &carol] {
        person.shows("yes, in 5 min (edited)");
        person.hides("in 3 min");
    }
    carol.line("the password is hunter2");
    alice.shows("hunter2");
    carol.shows("hunter2");
    carol.hides("◌");
    carol.line("/delete");
    carol.shows("keep it");
    carol.keys("\r");
    for person in [&alice, &bob, &carol] {
        person.shows("message deleted");
        person.hides("hunter2");
    }

    // A reaction is counted, and one's own is marked.
    bob.line("it passed :tada: and **nobody** had to wait");
    carol.shows("it passed \u{1f389} and nobody had to");
    carol.line("/react +1");
    alice.shows("\u{1f44d} 1");
    alice.line("/react thumbsup");
    alice.shows("[\u{1f44d} 2]");
    bob.shows("\u{1f44d} 2");

    // A word to one of them alone, who is here.
    alice.line("/msg bob psst, a surprise for carol");
    alice.shows("psst");
    bob.shows("@alice");
    bob.keys("\x1ba");
    bob.shows("psst, a surprise for carol");
    bob.line("what is it?");
    alice.shows("what is it?");
    // And to one who is not: it waits.
    leaves(carol);
    alice.line("/msg carol happy birthday");
    alice.shows("happy birthday");
    server.kill();
    let _server = Program::serve(folder.path(), port, &[]);
    let mut carol = people[2].sits_down(port);
    carol.shows("@alice 1!");
    carol.keys("\x1ba");
    carol.shows("happy birthday");
    assert!(!carol.contents().contains("psst"));

    // What one has read is known when one comes again, also elsewhere.
    alice.keys("\x1b1");
    alice.shows("it passed");
    carol.keys("\x1b1");
    carol.shows("it passed");
    leaves(carol);
    bob.keys("\x1b1");
    bob.shows("it passed");
    bob.line("carol: the cake is here");
    alice.shows("the cake is here");
    let mut carol = people[2].sits_down(port);
    carol.until("the line new above what came", |screen| {
        let new = screen.lines().position(|line| line.contains(" new "));
        let cake = screen.lines().position(|line| line.contains("the cake is here"));
        new.zip(cake).is_some_and(|(new, cake)| new < cake)
    });

    // What was said is found, and one goes there; mentions too.
    carol.line("/mentions");
    carol.shows("the cake is here");
    carol.keys(ESC);
    alice.keys(CTRL_S);
    alice.shows("search");
    alice.keys("\"the build\"");
    alice.shows("1 of 1");
    alice.keys("\r");
    alice.hides("1 of 1");
    alice.shows("did the build pass?");
    alice.keys(ESC);
    alice.line("/goto first");
    alice.shows("did the build pass?");

    // Away, and back.
    bob.line("/away lunch");
    alice.line("/whois bob");
    alice.shows("lunch");
    alice.keys(ESC);
    bob.line("/back");

    // Code that is pasted is offered as such.
    bob.paste("fn main() {\n    println!(\"hi\");\n}\n");
    bob.shows("code");
    bob.keys("\r");
    alice.shows("println!");

    for person in [alice, bob, carol] {
        leaves(person);
    }
}
