//! The times that are shown are the parlor's, whatever this machine's clock says.

use std::time::Duration;

use crossterm::event::KeyCode;
use insta::assert_snapshot;
use jiff::tz::TimeZone;

use crate::client::link::Update;
use crate::client::tui::script::{BEGIN, Script, entry};
use crate::protocol::command::{Command, Place};
use crate::protocol::event::Decision;
use crate::protocol::event::{Audit, Event};
use crate::protocol::text::Line;
use crate::protocol::time::Time;

const HOUR: i64 = 3_600_000;

/// The server's clock was measured.
fn measure(script: &mut Script, offset: i64) {
    let (round_trip, within) = (Duration::from_millis(2), Duration::from_millis(2));
    script.news(Update::Latency { round_trip, offset, within });
}

/// This machine's clock is so far behind that of the parlor, which says that it is the time of the script's beginning.
fn behind(columns: u16, rows: u16, hours: i64) -> Script {
    let mut script = Script::new(columns, rows);
    let mut online = script.online_update();
    if let Update::Online { welcome, .. } = &mut online {
        welcome.now = Time::from_millis(BEGIN);
    }
    script.now.time = script.now.time.shifted(-hours * HOUR);
    script.pass(Duration::ZERO);
    script.news(online);
    script.join("#a", 1, "", &["alice", "bob"]);
    script.entry(entry("#a", 1, "bob", "one"));
    script.effects.clear();
    script
}

fn ask(script: &mut Script, line: &str) -> Vec<Command> {
    script.write(line);
    script.press(KeyCode::Enter);
    script.asked()
}

/// The moment to which one goes.
fn went(asked: &[Command]) -> String {
    match asked {
        [Command::History(history)] => match history.place {
            Place::At(moment) => moment.to_string(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_clock_that_is_wrong_by_hours_changes_nothing_that_is_shown() {
    // Late in the evening before, by this machine.
    let mut script = behind(100, 14, 13);
    measure(&mut script, 13 * HOUR);
    assert_snapshot!(script.text());
    // What is said from here stands at once where it will stand: by the parlor's clock.
    ask(&mut script, "two");
    assert!(script.text().contains("11:02 alice"), "{}", script.text());
    // Days are counted from the parlor's.
    assert_eq!(went(&ask(&mut script, "/goto yesterday")), "2026-11-20T00:00:00.000Z");
    assert_eq!(went(&ask(&mut script, "/goto 10:30")), "2026-11-21T10:30:00.000Z");
    let mut asked = ask(&mut script, "/search before:yesterday");
    script.press(KeyCode::Enter);
    script.pass(Duration::from_secs(2));
    asked.extend(script.asked());
    let searched = asked.into_iter().find_map(|command| match command {
        Command::Search(search) => search.until,
        _ => None,
    });
    assert_eq!(searched.unwrap().to_string(), "2026-11-20T00:00:00.000Z");
}

#[test]
fn a_clock_that_is_ahead_does_not_make_what_is_new_look_old() {
    // By this machine it is the next year.
    let mut script = behind(80, 14, -41 * 24);
    measure(&mut script, -41 * 24 * HOUR);
    let text = script.text();
    assert!(text.contains("Saturday 21 November ") && !text.contains("November 2026"), "{text}");
    let asked = ask(&mut script, "/audit");
    let decision = Decision {
        number: 1,
        at: Time::from_millis(BEGIN),
        by: Line::lossy("alice"),
        act: Line::lossy("ban"),
        subject: Line::lossy("mallory"),
        particulars: Line::default(),
    };
    script.hear(Event::Audit(Audit { re: asked[0].request_id(), decisions: vec![decision] }));
    assert!(script.text().contains("21 Nov 11:02"), "{}", script.text());
    script.press(KeyCode::Esc);
    // The break is told by the clock by which the messages are.
    let retry_at = script.now.instant + Duration::from_secs(9);
    script.news(Update::Offline { why: "the connection broke".to_owned(), retry_at });
    assert!(script.text().contains("11:02: the connection broke"), "{}", script.text());
}

#[test]
fn that_the_clock_is_wrong_is_said_once() {
    let mut script = behind(80, 14, 0);
    measure(&mut script, 59_000);
    assert!(!script.text().contains("your clock"));
    measure(&mut script, 3 * HOUR);
    assert!(script.text().contains("your clock is 3 h behind the parlor's"), "{}", script.text());
    script.pass(Duration::from_secs(11));
    measure(&mut script, 3 * HOUR);
    assert!(!script.text().contains("your clock"), "{}", script.text());
    // Not in the place of something that must be read.
    let mut script = behind(80, 14, 0);
    script.state.announce("the passphrase is now nine green mice");
    measure(&mut script, 3 * HOUR);
    assert!(script.text().contains("nine green mice"));
    script.press(KeyCode::Esc);
    measure(&mut script, 3 * HOUR);
    assert!(script.text().contains("your clock is 3 h"), "{}", script.text());
}

#[test]
fn the_time_of_the_parlor_can_be_asked_for() {
    let mut script = Script::new(80, 12);
    script.state.zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    let mut told = Vec::new();
    let mut time = |script: &mut Script| {
        script.press(KeyCode::Esc);
        assert!(ask(script, "/time").is_empty(), "the server is asked already, again and again");
        told.push(script.state.notice.as_ref().unwrap().text.clone());
    };
    time(&mut script);
    script.online();
    time(&mut script);
    measure(&mut script, -2_400);
    time(&mut script);
    script.news(Update::Offline { why: "it broke".to_owned(), retry_at: script.now.instant });
    time(&mut script);
    assert_snapshot!(told.join("\n"));
    let mut script = behind(50, 12, 0);
    measure(&mut script, 0);
    ask(&mut script, "/time");
    assert_snapshot!(script.text());
}

/// The days between the messages.
fn days(moments: &[i64]) -> String {
    let mut script = Script::new(80, 40);
    script.online();
    script.join("#a", u64::try_from(moments.len()).unwrap(), "", &["alice", "bob"]);
    for (seq, minutes) in (1..).zip(moments) {
        let mut entry = entry("#a", seq, "bob", &format!("message {seq}"));
        entry.at = Time::from_millis(BEGIN).shifted(minutes * 60_000);
        script.entry(entry);
    }
    let text = script.text();
    let lines = text.lines().filter(|line| line.contains("message") || line.contains("day"));
    let lines: Vec<&str> = lines.map(|line| line.split('│').nth(1).unwrap_or(line).trim_end()).collect();
    lines.join("\n")
}

#[test]
fn a_host_whose_clock_jumps_disorders_nothing() {
    // The order is that of the log; each day is told where it begins, also the wrong one.
    const YEAR: i64 = 365 * 24 * 60;
    assert_snapshot!(days(&[0, 1, YEAR, YEAR + 1, 3, 4]));
    // At midnight it is set back by half a minute, twice: the day begins once.
    let midnight = 778;
    let text = days(&[0, midnight, midnight - 1, midnight, midnight - 1, midnight, midnight + 9]);
    assert_eq!(text.matches("Sunday").count(), 1, "{text}");
    assert_eq!(text.matches("Saturday").count(), 1, "{text}");
    let place = |seq: u64| text.find(&format!("message {seq}")).unwrap();
    assert!((1..7).all(|seq| place(seq) < place(seq + 1)), "{text}");
}

#[test]
fn what_was_said_while_the_clock_was_wrong_is_gone_to_like_anything_else() {
    let mut script = Script::new(80, 14);
    script.online();
    script.join("#a", 4, "", &["alice", "bob"]);
    for (seq, hours) in (1..).zip([0, 30 * 24, 1, 2]) {
        let mut entry = entry("#a", seq, "bob", &format!("message {seq}"));
        entry.at = Time::from_millis(BEGIN).shifted(hours * HOUR);
        script.entry(entry);
    }
    script.pass(Duration::from_secs(3 * 3600));
    script.effects.clear();
    let asked = ask(&mut script, "/goto 12:30");
    let Some(Command::History(history)) = asked.first() else { panic!("{asked:?}") };
    // The server gives what it finds around the moment, in the order of the log.
    let known = (0..4).filter_map(|place| script.state.rooms[0].scrollback.get(place).cloned()).collect();
    let page = crate::protocol::event::Page {
        re: history.id.clone(),
        room: history.room.clone(),
        entries: known,
        last: 4,
    };
    script.hear(Event::Page(page));
    let text = script.text();
    assert!((1..=4).all(|seq| text.contains(&format!("message {seq}"))), "{text}");
    assert_eq!(script.state.rooms[0].unread, 0);
}
