//! The newcomer's minute: somebody hosts, two who have never seen parlor find it, come in, and all three talk. Nobody types
//! more than is on a screen.

use std::time::{Duration, Instant};

use crate::common::terminal::Terminal;
use crate::world::{Host, World};

/// What it may take, with all that people would do between typing left out: the title says a minute.
const A_MINUTE: Duration = Duration::from_secs(60);

const COLUMNS: u16 = 100;
const ROWS: u16 = 30;

impl Host {
    /// `parlor` in a terminal on this machine.
    fn sits_at(&self, arguments: &[&str]) -> Terminal {
        Terminal::of_process(&self.parlor(arguments), COLUMNS, ROWS)
    }
}

#[test]
fn from_nothing_to_a_talk_of_three_within_a_minute() {
    let Some(world) = World::new() else { return };
    let (host, one, other, network) = (world.host(), world.host(), world.host(), world.network());
    for (machine, address) in [(&host, "10.0.0.1/24"), (&one, "10.0.0.2/24"), (&other, "10.0.0.3/24")] {
        network.connect(machine, "lan", &[address]);
    }
    let began = Instant::now();
    let mut ada = host.sits_at(&["host", "--nick", "ada", "--name", "lab"]);
    ada.shows("Others on this network join with:");
    // It is read off the screen of the host, and typed.
    let screen = ada.contents();
    let words = screen.split_whitespace().find(|word| is_passphrase(word)).expect(&screen).to_owned();
    let hosted = began.elapsed();
    let mut guests = [by_words(&one, "bob", &words), by_the_list(&other, "eve", &words)];
    let in_it = began.elapsed();
    ada.line("welcome, both of you");
    guests.iter().for_each(|guest| guest.shows("welcome, both of you"));
    let [bob, eve] = &mut guests;
    bob.line("hello from bob");
    eve.line("and from eve");
    for screen in [&ada, bob, eve] {
        screen.shows("hello from bob");
        screen.shows("and from eve");
    }
    let talked = began.elapsed();
    eprintln!(
        "hosting after {hosted:.1?}, all three in after {in_it:.1?}, all heard each other after {talked:.1?}"
    );
    assert!(talked < A_MINUTE, "{talked:?}");
    guests.into_iter().for_each(leave);
    // With nobody left whose room it would end, it ends without a question.
    ada.shows("here 1");
    leave(ada);
}

/// Types what stands on the host's screen.
fn by_words(machine: &Host, nick: &str, words: &str) -> Terminal {
    let seat = machine.sits_at(&["join", words, "--nick", nick]);
    seat.shows("connected");
    seat
}

/// Types `parlor`, sees the one parlor that there is, and is asked for the words.
fn by_the_list(machine: &Host, nick: &str, words: &str) -> Terminal {
    let mut parlor = machine.parlor(&[]);
    parlor.env("PARLOR_NICK", nick);
    let mut seat = Terminal::of_process(&parlor, COLUMNS, ROWS);
    seat.shows("lab");
    seat.line("lab");
    seat.shows("Passphrase of 10.0.0.1");
    seat.line(words);
    seat.shows("connected");
    seat
}

fn leave(mut person: Terminal) {
    person.line("/quit");
    assert_eq!(person.end().0, 0);
}

fn is_passphrase(word: &str) -> bool {
    let words: Vec<&str> = word.split('-').collect();
    words.len() == 4
        && words.iter().all(|word| word.len() > 2 && word.chars().all(|c| c.is_ascii_lowercase()))
}
