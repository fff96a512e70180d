//! Searching, going through what was found, and from mention to mention.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};
use insta::assert_snapshot;

use super::history::log;
use crate::client::link::Update;
use crate::client::tui::script::{Script, entry, room_name};
use crate::client::tui::theme::{Colours, Theme};
use crate::client::tui::{Effect, Event as Happening};
use crate::protocol::command::{Command, Place, Search};
use crate::protocol::event::{Entry, ErrorCode, Event, Failure, Found, Hit, Page};

/// Long enough for whoever types to be taken for done.
const PAUSE: Duration = Duration::from_millis(300);

fn room(columns: u16, rows: u16) -> Script {
    let mut script = Script::new(columns, rows);
    script.online();
    script.join("#rust", 0, "", &["alice", "bob"]);
    script.join("#a", 20, "", &["alice", "bob"]);
    (1..=20).for_each(|seq| script.entry(log(seq)));
    script.effects.clear();
    script
}

fn ctrl_s(script: &mut Script) {
    script.key(KeyCode::Char('s'), KeyModifiers::CONTROL);
}

/// What was asked for since this was looked at last: at most one search, and nothing else.
fn searched(script: &mut Script) -> Option<Search> {
    let mut asked = script.asked();
    assert!(asked.len() <= 1, "{asked:?}");
    match asked.pop() {
        Some(Command::Search(search)) => Some(*search),
        Some(other) => panic!("{other:?}"),
        None => None,
    }
}

fn answer(script: &mut Script, search: &Search, hits: Vec<Hit>, more: Option<u64>, behind: u64) {
    script.hear(Event::Found(Found { re: search.id.clone(), hits, more, behind }));
}

fn hit(room: &str, seq: u64, from: &str, text: &str) -> Hit {
    let said = |seq: u64, from: &str, text: &str| -> Entry {
        let mut entry = entry(room, seq, from, text);
        entry.at = entry.at.shifted(-7 * 3_600_000 * i64::try_from(100 - seq.min(100)).unwrap());
        entry
    };
    Hit {
        entry: said(seq, from, text),
        before: (seq > 1).then(|| said(seq - 1, "carol", "shall we go on?")),
        after: Some(said(
            seq + 1,
            "李雷",
            "你好！家里的网络修好了，明天可以一起看演示 👩‍👩‍👧‍👦 and a lot more that does not fit into one line",
        )),
    }
}

fn hits() -> Vec<Hit> {
    let long =
        "there is much to say about it before one comes to the point, and whoever reads it is tired by then. "
            .repeat(4)
            + "The build, though, was fine: build 4711 is on the server and everybody may have a look at it before noon";
    vec![
        hit("#a", 99, "bob", "did the build pass?"),
        hit("#rust", 80, "alice", "The Build of today:\n\tcargo build\nthat is all"),
        hit("#a", 60, "Олена", &long),
        hit("#a", 1, "李雷", "build 漢字 build"),
    ]
}

/// A search that has found something.
fn found(columns: u16, rows: u16) -> Script {
    let mut script = room(columns, rows);
    ctrl_s(&mut script);
    script.write("build");
    script.press(KeyCode::Enter);
    let search = searched(&mut script).unwrap();
    answer(&mut script, &search, hits(), None, 0);
    script
}

#[test]
fn what_was_found_at_120_by_36() {
    assert_snapshot!(found(120, 36).text());
}

#[test]
fn what_was_found_at_80_by_24() {
    let mut script = found(80, 24);
    script.press(KeyCode::Down);
    script.press(KeyCode::Down);
    assert_snapshot!(script.text());
}

#[test]
fn what_was_found_at_50_by_12_and_30_by_8() {
    assert_snapshot!(found(50, 12).text());
    let mut script = found(30, 8);
    script.press(KeyCode::PageDown);
    assert_snapshot!(script.text());
}

/// What stands on the screen in the colour of what was found, in all its rows.
fn marked_text(script: &mut Script) -> String {
    let mark = Theme::new(Colours::Many).mention();
    let (buffer, _) = script.screen();
    let marked = buffer.content.iter().filter(|cell| cell.style().fg == mark.fg);
    marked.map(ratatui::buffer::Cell::symbol).collect()
}

#[test]
fn what_was_found_is_marked_where_it_stands() {
    assert_eq!(marked_text(&mut found(80, 40)), "buildBuildbuildbuildbuildbuildbuild");
    let mut script = room(80, 24);
    script.write("/mentions");
    script.press(KeyCode::Enter);
    let search = searched(&mut script).unwrap();
    answer(&mut script, &search, vec![hit("#a", 18, "bob", "Alice, alice: look at malice")], None, 0);
    assert_eq!(marked_text(&mut script), "Alicealice");
}

#[test]
fn what_can_be_written_stands_where_nothing_is() {
    let mut script = room(80, 24);
    ctrl_s(&mut script);
    assert_eq!(searched(&mut script), None);
    assert_snapshot!(script.text());
    let mut script = room(30, 8);
    ctrl_s(&mut script);
    assert_snapshot!(script.text());
}

#[test]
fn the_cursor_stands_behind_what_is_typed() {
    for (columns, rows) in [(80, 24), (30, 8), (10, 4), (1, 1)] {
        let mut script = room(columns, rows);
        ctrl_s(&mut script);
        script.write("a 漢字 and so on, further than any line");
        let (buffer, cursor) = script.screen();
        assert!(cursor.x < columns && cursor.y == 0);
        if columns == 80 {
            assert_eq!(buffer[(cursor.x - 1, 0)].symbol(), "e");
        }
    }
}

#[test]
fn one_search_at_a_time_once_the_fingers_rest() {
    let mut script = room(80, 24);
    ctrl_s(&mut script);
    for letter in ["b", "u", "i"] {
        script.write(letter);
        script.pass(PAUSE / 2);
        assert_eq!(searched(&mut script), None);
    }
    assert_eq!(script.state.deadline(), Some(script.now.instant + PAUSE / 2));
    script.pass(PAUSE / 2);
    let first = searched(&mut script).unwrap();
    assert_eq!(first.text.as_str(), "bui*");
    assert!(script.text().contains("searching …"));
    script.write("ld");
    script.pass(PAUSE);
    assert_eq!(searched(&mut script), None, "the first is not answered");
    answer(&mut script, &first, vec![hit("#a", 7, "bob", "built")], None, 0);
    let second = searched(&mut script).unwrap();
    assert_eq!(second.text.as_str(), "build*");
    // Taken by the old answer, Enter would lead elsewhere than was meant.
    script.press(KeyCode::Enter);
    assert!(script.text().contains("search › build"));
    answer(&mut script, &second, hits(), None, 0);
    assert!(script.text().contains("1 of 4"), "{}", script.text());
    assert_eq!(script.state.finding.due(), None);
}

#[test]
fn the_last_word_may_go_on_until_something_stands_behind_it() {
    for (typed, text) in [
        ("the bu", "the bu*"),
        ("b", "b"),
        ("the build ", "the build"),
        ("\"the bu", "\"the bu"),
        ("\"the build\"", "\"the build\""),
        ("build from:bo", "build"),
        ("漢字", "漢字*"),
    ] {
        let mut script = room(80, 24);
        ctrl_s(&mut script);
        script.write(typed);
        script.press(KeyCode::Enter);
        assert_eq!(searched(&mut script).unwrap().text.as_str(), text);
    }
}

#[test]
fn filters_go_to_the_server_and_mistakes_do_not() {
    let mut script = room(80, 24);
    script.write("/search build from:bob in:#rust after:yesterday");
    script.press(KeyCode::Enter);
    let search = searched(&mut script).unwrap();
    assert_eq!(search.nick.as_ref().unwrap().as_str(), "bob");
    assert_eq!(search.room, Some(room_name("#rust")));
    assert_eq!(search.since.unwrap().to_string(), "2026-11-20T00:00:00.000Z");
    answer(&mut script, &search, Vec::new(), None, 14_000);
    let text = script.text();
    assert!(text.contains("14,000 newer messages are not searched yet."), "{text}");
    assert!(text.contains("Nothing was found. Try fewer words"), "{text}");
    script.write(" before:soon");
    script.press(KeyCode::Enter);
    assert_eq!(searched(&mut script), None);
    assert!(script.text().contains("soon is no day and no time"), "{}", script.text());
    script.key(KeyCode::Char('u'), KeyModifiers::CONTROL);
    assert!(script.text().contains("messages with all of them"), "{}", script.text());
    script.write("x");
    script.press(KeyCode::Enter);
    let search = searched(&mut script).unwrap();
    script.news(Update::Failed(Failure {
        re: search.id,
        ..Failure::new(ErrorCode::Storage, "the index is sick")
    }));
    assert!(script.text().contains("the index is sick"), "{}", script.text());
}

#[test]
fn pages_come_before_the_reader_does() {
    let mut script = room(80, 24);
    ctrl_s(&mut script);
    script.write("m");
    script.press(KeyCode::Enter);
    let search = searched(&mut script).unwrap();
    let page = |from: u64| (0..50).map(|below| hit("#a", from - below, "bob", "m")).collect::<Vec<_>>();
    answer(&mut script, &search, page(900), Some(33), 0);
    assert_eq!(searched(&mut script), None);
    let mut pressed = 0;
    let next = loop {
        script.press(KeyCode::PageDown);
        pressed += 1;
        if let Some(next) = searched(&mut script) {
            break next;
        }
    };
    assert!(pressed > 5);
    assert_eq!((next.before, next.text.as_str()), (Some(33), "m"));
    answer(&mut script, &next, page(700), Some(22), 0);
    assert!(script.text().contains("of 100+"), "{}", script.text());
    // A break costs nothing but the page that was on its way.
    script.key(KeyCode::Home, KeyModifiers::ALT);
    let third = searched(&mut script).unwrap();
    script.news(Update::Failed(Failure { re: third.id, ..Failure::new(ErrorCode::Offline, "gone") }));
    assert!(script.text().contains("of 100+"), "{}", script.text());
    script.press(KeyCode::Down);
    let again = searched(&mut script).unwrap();
    // A server that goes round in a circle is not followed.
    answer(&mut script, &again, Vec::new(), Some(22), 0);
    script.press(KeyCode::Down);
    assert_eq!(searched(&mut script), None);
}

#[test]
fn without_a_connection_it_waits() {
    let mut script = found(80, 24);
    let retry_at = script.now.instant;
    script.news(Update::Offline { why: "gone".to_owned(), retry_at });
    assert!(script.text().contains("No connection: this is what was found before."), "{}", script.text());
    script.write("s");
    script.pass(PAUSE * 3);
    assert_eq!(searched(&mut script), None);
    assert!(
        script.text().contains("No connection: the search goes on when it is back."),
        "{}",
        script.text()
    );
    script.online();
    assert_eq!(searched(&mut script).unwrap().text.as_str(), "builds*");
}

#[test]
fn enter_goes_there_and_the_search_is_as_it_was_when_it_is_opened_again() {
    let mut script = found(80, 24);
    let before = script.state.current;
    script.press(KeyCode::Down);
    script.press(KeyCode::Enter);
    assert!(matches!(script.asked()[..], [Command::History(_)]));
    ctrl_s(&mut script);
    assert_eq!(script.asked().len(), 0);
    assert!(script.text().contains("2 of 4"), "{}", script.text());
    script.press(KeyCode::Esc);
    assert_ne!(script.state.current, before);
    script.press(KeyCode::Esc);
    assert_eq!(script.state.current, before, "back to where one searched");
}

#[test]
fn into_a_room_that_one_is_not_in() {
    let mut script = room(80, 24);
    script.write("/search m7");
    script.press(KeyCode::Enter);
    let search = searched(&mut script).unwrap();
    answer(&mut script, &search, vec![hit("#b", 70, "bob", "m7")], None, 0);
    script.press(KeyCode::Enter);
    assert!(matches!(script.asked()[..], [Command::Join(_)]));
    script.joined("#b", 900, "", &["alice"]);
    assert!(script.asked().is_empty(), "what is new comes first");
    script.gap("#b", 1, 899);
    assert!(script.asked().is_empty());
    script.says("#b", 900, "bob", "m900.");
    let asked = script.asked();
    let [Command::History(history)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(history.place, Place::Around(70));
    let entries = (20..120).map(|seq| entry("#b", seq, "bob", &format!("m{seq}."))).collect();
    script.hear(Event::Page(Page { re: history.id.clone(), room: room_name("#b"), entries, last: 900 }));
    assert!(super::history::in_sight(&mut script).contains(&70), "{}", script.text());
}

#[test]
fn letters_and_pastes_are_searched_for() {
    let mut script = room(80, 24);
    ctrl_s(&mut script);
    script.write("jkqgG");
    script.feed(Happening::Paste("two\nlines".to_owned()));
    assert!(script.text().contains("search › jkqgGtwo lines"), "{}", script.text());
    script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert!(!script.effects.contains(&Effect::Quit));
    assert!(script.state.overlay.is_none() && script.state.composer().is_empty());
}

#[test]
fn from_mention_to_mention() {
    let mut script = room(80, 24);
    script.key(KeyCode::Char('p'), KeyModifiers::ALT);
    let search = searched(&mut script).unwrap();
    assert!(search.mentions);
    let named = |seq| hit("#a", seq, "bob", "alice, look");
    answer(&mut script, &search, vec![named(18), named(9)], Some(5), 0);
    let marked = |script: &Script| script.state.finding.marked.as_ref().map(|(_, seq)| *seq);
    assert_eq!(marked(&script), Some(18));
    script.key(KeyCode::Char('p'), KeyModifiers::ALT);
    assert_eq!(marked(&script), Some(9));
    script.key(KeyCode::Char('p'), KeyModifiers::ALT);
    let more = searched(&mut script).unwrap();
    assert_eq!(more.before, Some(5));
    answer(&mut script, &more, vec![named(2)], None, 0);
    assert_eq!(marked(&script), Some(2));
    script.key(KeyCode::Char('p'), KeyModifiers::ALT);
    assert!(script.text().contains("this is the oldest that names you"), "{}", script.text());
    script.key(KeyCode::Char('n'), KeyModifiers::ALT);
    assert_eq!(marked(&script), Some(9));
    script.key(KeyCode::Char('n'), KeyModifiers::ALT);
    script.key(KeyCode::Char('n'), KeyModifiers::ALT);
    assert!(script.text().contains("this is the newest that names you"), "{}", script.text());
    // Back at the newest it begins anew: there may be others by then.
    script.key(KeyCode::End, KeyModifiers::ALT);
    script.key(KeyCode::Char('p'), KeyModifiers::ALT);
    let search = searched(&mut script).unwrap();
    answer(&mut script, &search, Vec::new(), None, 0);
    assert!(script.text().contains("nobody has said your name in your rooms"), "{}", script.text());
}

#[test]
fn the_mentions_as_a_list() {
    let mut script = room(80, 24);
    script.write("/highlight ferris");
    script.press(KeyCode::Enter);
    script.effects.clear();
    script.write("/mentions");
    script.press(KeyCode::Enter);
    let search = searched(&mut script).unwrap();
    assert!(search.mentions);
    assert_eq!(search.text.as_str(), "ferris", "what counts as our name is looked for too");
    let named = |room, seq, text| hit(room, seq, "bob", text);
    answer(
        &mut script,
        &search,
        vec![named("#a", 18, "Alice, alice: look"), named("#rust", 9, "ask alice, or ferris")],
        None,
        0,
    );
    assert_snapshot!(script.text());
    script.press(KeyCode::Char('j'));
    script.press(KeyCode::Char('q'));
    assert!(script.state.overlay.is_none());
}

#[test]
fn what_ignored_people_said_is_not_shown() {
    let mut script = room(80, 24);
    script.state.ignored.insert(&crate::client::tui::script::nick("bob"));
    ctrl_s(&mut script);
    script.write("build");
    script.press(KeyCode::Enter);
    let search = searched(&mut script).unwrap();
    answer(&mut script, &search, hits(), None, 0);
    assert!(!script.text().contains("did the build pass?"), "{}", script.text());
    assert!(script.text().contains("1 of 3"));
}

#[test]
fn the_last_search_comes_back_to_be_replaced_or_changed() {
    let typed = |script: &Script| script.state.finding.search.input.text().to_owned();
    let mut script = found(80, 24);
    script.press(KeyCode::Esc);
    ctrl_s(&mut script);
    script.write("ca");
    assert_eq!(typed(&script), "ca");
    script.press(KeyCode::Esc);
    ctrl_s(&mut script);
    script.press(KeyCode::Backspace);
    script.write("r");
    assert_eq!(typed(&script), "cr");
    script.press(KeyCode::Esc);
    ctrl_s(&mut script);
    script.press(KeyCode::Left);
    script.write("a");
    assert_eq!(typed(&script), "car");
    script.press(KeyCode::Esc);
    ctrl_s(&mut script);
    script.feed(Happening::Paste("pasted".to_owned()));
    assert_eq!(typed(&script), "pasted");
    script.press(KeyCode::Esc);
    script.write("/search words");
    script.press(KeyCode::Enter);
    script.write(" more");
    assert_eq!(typed(&script), "words more");
}

#[test]
fn a_count_is_of_what_is_typed_and_of_nothing_before() {
    let mut script = found(80, 24);
    assert!(script.text().contains("1 of 4"));
    let retry_at = script.now.instant + Duration::from_secs(5);
    script.news(Update::Offline { why: "gone".to_owned(), retry_at });
    script.write("x");
    let text = script.text();
    assert!(text.contains("the search goes on when it is back") && !text.contains("1 of 4"), "{text}");
}

#[test]
fn one_message_is_not_several() {
    let mut script = room(80, 24);
    script.write("/search build");
    script.press(KeyCode::Enter);
    let search = searched(&mut script).unwrap();
    answer(&mut script, &search, hits(), None, 1);
    assert!(script.text().contains("1 newer message is not searched yet."), "{}", script.text());
}
