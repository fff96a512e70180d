//! Searching in the room that one reads.

use crossterm::event::KeyCode;
use insta::assert_snapshot;
use ratatui::style::Modifier;

use super::history::{answer, in_sight, log, room};
use super::reading_mode::{chosen, esc};
use crate::client::link::Update;
use crate::client::tui::Event as Happening;
use crate::client::tui::script::{Script, room_name};
use crate::protocol::command::{Command, Search};
use crate::protocol::event::{Entry, EntryText, ErrorCode, Event, Failure, Found, Hit};

const LAST: u64 = 3000;

/// Every hundredth message says it.
fn said(seq: u64) -> Entry {
    let text = if seq.is_multiple_of(100) {
        format!("m{seq}. the Needle, once more")
    } else {
        format!("m{seq}. hay")
    };
    Entry { text: EntryText::from_stored(&text), ..log(seq) }
}

/// A room with so many messages, of which the newest 450 are here.
fn haystack(columns: u16, rows: u16) -> Script {
    let mut script = Script::new(columns, rows);
    script.online();
    script.join("#a", LAST, "Friday: demo at 15:00", &["alice", "bob"]);
    script.gap("#a", 1, LAST - 450);
    (LAST - 449..=LAST).for_each(|seq| script.entry(said(seq)));
    script.effects.clear();
    script
}

/// The one search that was asked.
fn searched(script: &mut Script) -> Search {
    let asked = script.asked();
    let searches = asked.into_iter().filter_map(|command| match command {
        Command::Search(search) => Some(*search),
        _ => None,
    });
    let mut searches: Vec<Search> = searches.collect();
    assert_eq!(searches.len(), 1, "{searches:?}");
    searches.remove(0)
}

/// What a server has found.
fn find(script: &mut Script, search: &Search, seqs: &[u64], more: Option<u64>) {
    let hits = seqs.iter().map(|seq| Hit { entry: said(*seq), before: None, after: None }).collect();
    script.hear(Event::Found(Found { re: search.id.clone(), hits, more, behind: 0 }));
}

#[test]
fn every_letter_shows_the_nearest_and_how_many_there_are() {
    let mut script = haystack(80, 24);
    esc(&mut script);
    script.write("k/need");
    assert_eq!(chosen(&script), Some(2900));
    assert!(in_sight(&mut script).contains(&2900));
    assert!(script.text().contains("/need   2 of 5+"), "{}", script.text());
    let (buffer, cursor) = script.screen();
    let set_off = (0..buffer.area.height).flat_map(|y| (0..80).map(move |x| (x, y)));
    let set_off = set_off.filter(|place| buffer[*place].modifier.contains(Modifier::REVERSED)).count();
    assert_eq!(set_off % "Needle".len(), 0);
    assert!(set_off > 0 && cursor.x == 6, "{cursor:?}");
    // What is not there is said, and one stays where one was.
    script.write("x");
    assert!(script.text().contains("/needx   none here"), "{}", script.text());
    assert_eq!(chosen(&script), Some(2999));
    script.press(KeyCode::Backspace);
    assert_eq!(chosen(&script), Some(2900));
    script.press(KeyCode::Esc);
    assert_eq!(chosen(&script), Some(2999));
    let (buffer, _) = script.screen();
    assert!(!buffer.content.iter().any(|cell| cell.modifier.contains(Modifier::REVERSED)));
    assert_eq!(script.asked(), []);
}

#[test]
fn one_steps_through_what_is_here_and_then_through_what_the_server_finds() {
    let mut script = haystack(80, 24);
    esc(&mut script);
    script.write("/needle");
    script.press(KeyCode::Enter);
    assert!(script.text().lines().last().unwrap().contains("reading 1 of 5+"), "{}", script.text());
    assert_eq!(chosen(&script), Some(3000));
    script.write("nnnn");
    assert_eq!(chosen(&script), Some(2600));
    assert!(script.asked().iter().all(|command| matches!(command, Command::History(_))));
    script.write("n");
    let search = searched(&mut script);
    assert_eq!((search.text.as_str(), search.room.as_ref()), ("needle*", Some(&room_name("#a"))));
    find(&mut script, &search, &[3000, 2900, 2800], Some(40));
    // That was here already: the next page.
    let search = searched(&mut script);
    assert_eq!(search.before, Some(40));
    find(&mut script, &search, &[2700, 2600, 700, 300], None);
    // The room has the page with it, and then it is there.
    answer(&mut script, LAST);
    assert_eq!(chosen(&script), Some(700));
    assert!(in_sight(&mut script).contains(&700), "{}", script.text());
    assert!(script.text().lines().last().unwrap().contains("reading 6 of 7"), "{}", script.text());
    script.write("n");
    assert_eq!(
        chosen(&script),
        Some(300).filter(|_| script.state.room().unwrap().jump.is_none()).or(chosen(&script))
    );
    answer(&mut script, LAST);
    script.write("n");
    assert!(script.text().contains("that is the oldest that was found"), "{}", script.text());
    script.write("NN");
    assert_eq!(chosen(&script), Some(2600));
    // Back to where the search began.
    script.write("b");
    assert_eq!(chosen(&script), Some(3000));
}

#[test]
fn what_is_not_here_is_looked_for_by_the_server() {
    let mut script = haystack(80, 24);
    esc(&mut script);
    script.write("/pin");
    assert_eq!(script.asked(), []);
    script.press(KeyCode::Enter);
    let search = searched(&mut script);
    assert_eq!(search.text.as_str(), "pin*");
    assert!(script.text().contains("looking further up"), "{}", script.text());
    find(&mut script, &search, &[], None);
    assert!(script.text().contains("nobody has said pin here"), "{}", script.text());
    assert_eq!(chosen(&script), Some(LAST));
}

#[test]
fn without_a_connection_one_is_told_so() {
    let mut script = haystack(80, 24);
    esc(&mut script);
    script.write("/pin");
    script.press(KeyCode::Enter);
    let search = searched(&mut script);
    let lost = Failure { re: search.id, ..Failure::new(ErrorCode::Offline, "the connection broke") };
    script.news(Update::Failed(lost));
    let retry_at = script.now.instant;
    script.news(Update::Offline { why: "gone".to_owned(), retry_at });
    assert!(script.text().contains("searched when it is back"), "{}", script.text());
    script.write("n");
    assert_eq!(script.asked(), []);
    // A server that refuses is believed.
    let mut script = haystack(80, 24);
    esc(&mut script);
    script.write("/pin");
    script.press(KeyCode::Enter);
    let search = searched(&mut script);
    script
        .news(Update::Failed(Failure { re: search.id, ..Failure::new(ErrorCode::TooMany, "one at a time") }));
    assert!(script.text().contains("one at a time"), "{}", script.text());
}

#[test]
fn what_means_nothing_is_no_search() {
    let mut script = room(LAST);
    esc(&mut script);
    script.write("n");
    assert!(script.text().contains("nothing is searched for: / begins a search"), "{}", script.text());
    script.write("/--");
    script.press(KeyCode::Enter);
    assert!(script.text().contains("nothing can be found by it"), "{}", script.text());
    script.write("/");
    script.feed(Happening::Paste("m29\n99".to_owned()));
    assert!(script.text().contains("/m29 99"), "{}", script.text());
    (0..6).for_each(|_| script.press(KeyCode::Backspace));
    script.press(KeyCode::Backspace);
    assert!(script.state.question.is_none(), "nothing is left to take away");
}

#[test]
fn how_it_looks() {
    for (columns, rows) in [(120, 36), (80, 24), (50, 12)] {
        let mut script = haystack(columns, rows);
        esc(&mut script);
        script.write("/needle");
        assert_snapshot!(format!("in_room_{columns}"), script.text());
        script.press(KeyCode::Enter);
        script.write("n");
        assert_snapshot!(format!("in_room_kept_{columns}"), script.text());
    }
}
