//! Going to an entry or a day, wherever it is in the log, and back again.

use crossterm::event::{KeyCode, KeyModifiers};
use insta::assert_snapshot;

use super::history::{answer, in_sight, log, room};
use crate::client::link::Update;
use crate::client::tui::script::{BEGIN, Script, room_name};
use crate::protocol::command::{Command, Place};
use crate::protocol::event::{ErrorCode, Event, Failure, Okay, Page, RoomInfo};
use crate::protocol::text::Line;
use crate::protocol::time::Time;

const LAST: u64 = 3000;

fn run(script: &mut Script, line: &str) {
    script.write(line);
    script.press(KeyCode::Enter);
}

/// The rows that are set off.
fn marked(script: &mut Script) -> Vec<u16> {
    let ground = script.state.theme.selected().bg;
    let (buffer, _) = script.screen();
    let width = buffer.area.width;
    let set_off = |y: &u16| (0..width).filter(|x| buffer[(*x, *y)].style().bg == ground).count() > 10;
    (0..buffer.area.height).filter(set_off).collect()
}

#[test]
fn a_number_is_in_the_middle_and_marked_until_the_next_key() {
    let mut script = room(LAST);
    run(&mut script, "/goto #1001");
    assert_eq!(script.asked().len(), 1);
    run(&mut script, "/goto #1000");
    assert_eq!(answer(&mut script, LAST), 1);
    let seen = in_sight(&mut script);
    assert!(seen.contains(&1000) && seen.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{seen:?}");
    assert_snapshot!(script.text());
    let rows = marked(&mut script);
    assert!(rows[0] >= 8 && rows[0] <= 12, "{rows:?}");
    script.write("x");
    assert!(marked(&mut script).is_empty());
}

#[test]
fn from_there_it_goes_on_both_ways_without_a_hole() {
    for key in [KeyCode::PageUp, KeyCode::PageDown] {
        let mut script = room(LAST);
        run(&mut script, "/goto #1500");
        answer(&mut script, LAST);
        let seen = in_sight(&mut script);
        let mut edge = if key == KeyCode::PageUp { seen[0] } else { *seen.last().unwrap() };
        let mut steps = 0;
        while edge != 1 && edge != LAST {
            while answer(&mut script, LAST) > 0 {}
            script.press(key);
            while answer(&mut script, LAST) > 0 {}
            let seen = in_sight(&mut script);
            assert!(seen.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{seen:?}");
            let (first, last) = (seen[0], *seen.last().unwrap());
            assert!(first <= edge + 1 && edge <= last + 1, "{edge} and then {seen:?}");
            assert!(!script.text().contains('┄'), "{}", script.text());
            edge = if key == KeyCode::PageUp { first } else { last };
            steps += 1;
            assert!(steps < 1000);
        }
    }
}

#[test]
fn esc_goes_back_and_alt_end_to_the_newest() {
    let mut script = room(LAST);
    (0..3).for_each(|_| script.press(KeyCode::PageUp));
    let before = in_sight(&mut script);
    run(&mut script, "/goto #700");
    answer(&mut script, LAST);
    run(&mut script, "/goto #720");
    // Known already: nothing is asked.
    assert_eq!(script.asked().len(), 0);
    assert!(in_sight(&mut script).contains(&720));
    script.press(KeyCode::Esc);
    assert_eq!(in_sight(&mut script), before, "to where it began, and not to the jump between");
    script.press(KeyCode::Esc);
    assert_eq!(in_sight(&mut script).last(), Some(&LAST));
    run(&mut script, "/goto #700");
    script.key(KeyCode::End, KeyModifiers::ALT);
    assert_eq!(in_sight(&mut script).last(), Some(&LAST));
    script.press(KeyCode::PageUp);
    script.press(KeyCode::Esc);
    assert_eq!(in_sight(&mut script).last(), Some(&LAST));
}

#[test]
fn a_time_is_that_of_the_reader() {
    let mut script = room(LAST);
    // The log has a message each second from 11:02:01 on.
    script.pass(std::time::Duration::from_secs(3600));
    run(&mut script, "/goto 11:30");
    let asked = script.asked();
    let moment = Time::from_millis(BEGIN).shifted(28 * 60_000);
    let Command::History(history) = &asked[0] else { panic!("{asked:?}") };
    assert_eq!(history.place, Place::At(moment));
    let entries = (1430..1930).map(log).collect();
    script.hear(Event::Page(Page { re: history.id.clone(), room: room_name("#a"), entries, last: LAST }));
    assert!(in_sight(&mut script).contains(&1680));
    assert!(script.text().contains("Saturday 21 November 2026, 11:30"), "{}", script.text());
}

#[test]
fn a_day_shows_its_line() {
    let mut script = room(LAST);
    script.pass(std::time::Duration::from_secs(3600 * 24));
    run(&mut script, "/goto yesterday");
    answer(&mut script, LAST);
    let text = script.text();
    assert!(text.contains("─ Saturday 21 November ─") && text.contains("m1.\n"), "{text}");
}

#[test]
fn first_and_last() {
    let mut script = room(LAST);
    run(&mut script, "/goto first");
    answer(&mut script, LAST);
    assert!(in_sight(&mut script).contains(&1));
    assert!(script.text().contains("This is the beginning of #a."));
    run(&mut script, "/goto last");
    assert_eq!(in_sight(&mut script).last(), Some(&LAST));
}

#[test]
fn what_cannot_be_gone_to_says_why_and_stays_in_the_input() {
    let mut script = room(LAST);
    for (line, why) in [
        ("/goto #4000", "#a has no message #4000: the newest is #3000"),
        ("/goto soon", "soon is no day and no time: write 2026-11-03"),
        ("/goto 2027-01-01", "2027-01-01 is yet to come: /goto last goes to the newest"),
        ("/goto", "say where to: /goto yesterday"),
        ("/goto #0", "a message has a number from 1 on"),
    ] {
        run(&mut script, line);
        let text = script.text();
        assert!(text.contains(why) && text.contains(line), "{line}:\n{text}");
        script.key(KeyCode::Char('u'), KeyModifiers::CONTROL);
    }
    assert_eq!(script.asked().len(), 0);
}

#[test]
fn after_a_break_one_is_taken_there_all_the_same() {
    let mut script = room(LAST);
    run(&mut script, "/goto #1000");
    let Some(Command::History(history)) = script.asked().pop() else { panic!() };
    let lost = Failure { re: history.id, ..Failure::new(ErrorCode::Offline, "the connection broke") };
    script.news(Update::Failed(lost));
    let retry_at = script.now.instant;
    script.news(Update::Offline { why: "gone".to_owned(), retry_at });
    run(&mut script, "/goto #1200");
    assert!(script.text().contains("you are taken there when the connection is back"), "{}", script.text());
    script.online();
    assert_eq!(script.asked().len(), 0, "first we must be in the room again");
    script.joined("#a", LAST, "", &["alice"]);
    assert_eq!(answer(&mut script, LAST), 1);
    assert!(in_sight(&mut script).contains(&1200));
}

#[test]
fn what_the_server_refuses_is_said_and_scrolling_goes_on() {
    let mut script = room(LAST);
    run(&mut script, "/goto #1000");
    let Some(Command::History(history)) = script.asked().pop() else { panic!() };
    script.news(Update::Failed(Failure {
        re: history.id,
        ..Failure::new(ErrorCode::Storage, "the disk is sick")
    }));
    assert!(script.text().contains("the disk is sick"));
    script.key(KeyCode::Home, KeyModifiers::ALT);
    assert_eq!(script.asked().len(), 1);
}

/// A room whose log begins at `first`.
fn shortened(first: u64) -> Script {
    let mut script = room(LAST);
    let info = RoomInfo {
        room: room_name("#a"),
        topic: Line::default(),
        here: 2,
        last: LAST,
        first: Some(first),
        members: Vec::new(),
    };
    script.hear(Event::Ok(Okay { room: Some(info), ..Okay::default() }));
    script
}

#[test]
fn what_has_expired_is_said_and_not_asked_for() {
    let mut script = shortened(LAST - 199);
    script.key(KeyCode::Home, KeyModifiers::ALT);
    script.press(KeyCode::PageUp);
    assert_eq!(script.asked().len(), 0);
    assert!(script.text().contains("┄┄ older messages have expired ┄┄"), "{}", script.text());
    run(&mut script, "/goto #5");
    assert!(script.text().contains("what is so old has expired"), "{}", script.text());
    assert_eq!(script.asked().len(), 0);
    // A part is still there.
    let mut script = shortened(2001);
    script.key(KeyCode::Home, KeyModifiers::ALT);
    assert!(script.text().contains("┄┄ 800 earlier messages"), "{}", script.text());
}

#[test]
fn what_expires_while_one_reads_is_found_out() {
    let mut script = room(LAST);
    script.key(KeyCode::Home, KeyModifiers::ALT);
    let Some(Command::History(history)) = script.asked().pop() else { panic!() };
    let page = Page { re: history.id, room: room_name("#a"), entries: Vec::new(), last: LAST };
    script.hear(Event::Page(page));
    script.press(KeyCode::PageUp);
    assert_eq!(script.asked().len(), 0);
    assert!(script.text().contains("┄┄ older messages have expired ┄┄"), "{}", script.text());
}

#[test]
fn what_is_gone_leads_to_what_is_next_to_it() {
    let mut script = room(LAST);
    run(&mut script, "/goto #1000");
    let Some(Command::History(history)) = script.asked().pop() else { panic!() };
    let entries = (1003..=1200).map(log).collect();
    script.hear(Event::Page(Page { re: history.id, room: room_name("#a"), entries, last: LAST }));
    assert!(in_sight(&mut script).contains(&1003));
    assert!(script.text().contains("#1000 is not there any more"), "{}", script.text());
}

#[test]
fn before_the_beginning_there_is_nothing() {
    let mut script = room(LAST);
    run(&mut script, "/goto 1999-12-31");
    answer(&mut script, LAST);
    assert!(script.text().contains("nothing is that old: this is the oldest"), "{}", script.text());
    assert!(in_sight(&mut script).contains(&1));
}
