//! How far a room has been read, on whichever device.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};

use crate::client::link::Update;
use crate::client::tui::script::{Script, entry, presence, room_name};
use crate::client::tui::{Effect, Event as Happening};
use crate::protocol::command::{Command, Place, ReadTo};
use crate::protocol::event::{EntryKind, ErrorCode, Event, Failure, Okay, Page, ReadUpTo, RoomInfo};
use crate::protocol::text::Line;

/// The server lets us into a room that was read up to `read`.
fn let_in(script: &mut Script, room: &str, last: u64, read: u64, unread: u64, mentions: u64) {
    let (topic, here) = (Line::default(), 2);
    let info = RoomInfo { room: room_name(room), topic, here, last, first: None, members: Vec::new() };
    let (read, unread, mentions) = (Some(read), Some(unread), Some(mentions));
    script.hear(Event::Ok(Okay { room: Some(info), read, unread, mentions, ..Okay::default() }));
    script.hear(Event::Presence(presence(room, &["alice", "bob"])));
}

fn start() -> Script {
    let mut script = Script::new(100, 20);
    script.online();
    script.join("#a", 0, "", &["alice", "bob"]);
    script.join("#b", 0, "", &["alice", "bob"]);
    script
}

/// What the server was told of our reading.
fn told(script: &mut Script) -> Vec<(String, u64)> {
    let told = script.passing.drain(..).filter_map(|command| match command {
        Command::Read(ReadTo { room, seq, .. }) => Some((room.to_string(), seq)),
        _ => None,
    });
    told.collect()
}

fn listed(script: &mut Script, room: &str) -> String {
    let text = script.text();
    let line = text.lines().find(|line| line.trim_start_matches(['▌', ' ']).starts_with(room)).unwrap();
    line.split('│').next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn line_with(script: &mut Script, wanted: &str) -> Option<usize> {
    script.text().lines().position(|line| line.contains(wanted))
}

#[test]
fn what_was_seen_is_told_not_too_often() {
    let mut script = start();
    script.says("#b", 1, "bob", "one");
    script.says("#b", 2, "bob", "two");
    script.says("#a", 1, "bob", "elsewhere");
    assert_eq!(told(&mut script), []);
    let due = script.state.deadline().unwrap();
    script.pass(due - script.now.instant);
    assert_eq!(told(&mut script), [("#b".to_owned(), 2)]);
    script.pass(Duration::from_secs(60));
    assert_eq!(told(&mut script), [], "once");
    // Without the focus nothing is seen, and further up neither.
    script.feed(Happening::Focus(false));
    script.says("#b", 3, "bob", "three");
    script.pass(Duration::from_secs(60));
    assert_eq!(told(&mut script), []);
    script.feed(Happening::Focus(true));
    script.pass(Duration::from_secs(2));
    assert_eq!(told(&mut script), [("#b".to_owned(), 3)]);
}

#[test]
fn whoever_leaves_has_read() {
    let mut script = start();
    script.says("#b", 1, "bob", "one");
    script.effects.clear();
    script.feed(Happening::Terminate);
    assert_eq!(
        (told(&mut script), script.effects.as_slice()),
        (vec![("#b".to_owned(), 1)], &[Effect::Quit][..])
    );
    let mut script = start();
    script.says("#b", 1, "bob", "one");
    script.write("/part");
    script.press(KeyCode::Enter);
    assert_eq!(told(&mut script), [("#b".to_owned(), 1)]);
}

#[test]
fn what_is_new_at_the_start_is_what_was_not_read() {
    let mut script = start();
    script.join("#c", 0, "", &["alice"]);
    script.state.rooms[0].joined = false;
    let_in(&mut script, "#a", 9, 6, 3, 1);
    for seq in 1..=9 {
        script.says("#a", seq, "bob", &format!("message {seq}"));
    }
    assert_eq!(listed(&mut script, "#a"), "#a 3!");
    script.key(KeyCode::Char('a'), KeyModifiers::ALT);
    let (new, first) = (line_with(&mut script, " new "), line_with(&mut script, "message 7"));
    assert!(new.is_some() && new.map(|line| line + 1) == first, "{}", script.text());
    script.pass(Duration::from_secs(2));
    assert_eq!(told(&mut script), [("#a".to_owned(), 9)]);
    assert!(!script.effects.contains(&Effect::Bell), "it was said before");
}

#[test]
fn the_room_in_sight_shows_where_one_left_off() {
    let mut script = Script::new(100, 20);
    script.online();
    crate::client::tui::update::enter(&mut script.state, room_name("#a"), &mut script.effects);
    let_in(&mut script, "#a", 3, 2, 1, 0);
    for seq in 1..=3 {
        script.says("#a", seq, "bob", &format!("message {seq}"));
    }
    assert_eq!(listed(&mut script, "#a"), "▌#a");
    let (new, first) = (line_with(&mut script, " new "), line_with(&mut script, "message 3"));
    assert!(new.is_some() && new.map(|line| line + 1) == first, "{}", script.text());
}

#[test]
fn what_is_read_elsewhere_is_read_here() {
    let mut script = start();
    for seq in 1..=4 {
        script.says("#a", seq, "bob", if seq == 2 { "alice!" } else { "well" });
    }
    assert_eq!(listed(&mut script, "#a"), "#a 4!");
    script.hear(Event::Read(ReadUpTo { room: room_name("#a"), seq: 1 }));
    assert_eq!(listed(&mut script, "#a"), "#a 3!");
    script.hear(Event::Read(ReadUpTo { room: room_name("#a"), seq: 2 }));
    assert_eq!(listed(&mut script, "#a"), "#a 2");
    script.hear(Event::Read(ReadUpTo { room: room_name("#a"), seq: 1 }));
    assert_eq!(listed(&mut script, "#a"), "#a 2", "nobody reads backwards");
    script.hear(Event::Read(ReadUpTo { room: room_name("#a"), seq: 4 }));
    assert_eq!(listed(&mut script, "#a"), "#a");
    script.pass(Duration::from_secs(2));
    assert_eq!(told(&mut script), [], "it comes from the server");
    script.key(KeyCode::Char('1'), KeyModifiers::ALT);
    assert_eq!(line_with(&mut script, " new "), None);
}

#[test]
fn what_changes_a_message_is_not_unread() {
    let mut script = start();
    for (seq, kind) in [(1, EntryKind::Edited), (2, EntryKind::Deleted), (3, EntryKind::Reacted)] {
        let mut entry = entry("#a", seq, "bob", "alice");
        (entry.kind, entry.target) = (kind, Some(1));
        script.entry(entry);
    }
    assert_eq!(listed(&mut script, "#a"), "#a");
}

#[test]
fn where_one_left_off_is_fetched_if_it_is_far() {
    let mut script = start();
    script.state.rooms[0].joined = false;
    let_in(&mut script, "#a", 900, 100, 800, 0);
    script.gap("#a", 1, 700);
    for seq in 701..=900 {
        script.says("#a", seq, "bob", &format!("message {seq}"));
    }
    assert_eq!(listed(&mut script, "#a"), "#a 800");
    script.key(KeyCode::Char('1'), KeyModifiers::ALT);
    script.asked();
    script.key(KeyCode::Char('u'), KeyModifiers::ALT);
    let asked = script.asked();
    let [Command::History(history)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(history.place, Place::Around(101));
    let entries = (101..=600).map(|seq| entry("#a", seq, "bob", &format!("message {seq}"))).collect();
    script.hear(Event::Page(Page { re: history.id.clone(), room: room_name("#a"), entries, last: 900 }));
    let (new, first) = (line_with(&mut script, " new "), line_with(&mut script, "message 101"));
    assert!(new.is_some() && first.is_some() && new < first, "{}", script.text());
}

#[test]
fn a_server_that_keeps_nothing_for_us_is_told_once() {
    let mut script = start();
    script.says("#b", 1, "bob", "one");
    script.pass(Duration::from_secs(2));
    let re = script.passing.first().and_then(Command::request_id);
    script.passing.clear();
    script.news(Update::Failed(Failure { re, ..Failure::new(ErrorCode::NotAllowed, "guests have none") }));
    assert!(!script.text().contains("guests have none"));
    script.says("#b", 2, "bob", "two");
    script.pass(Duration::from_secs(60));
    assert_eq!(told(&mut script), []);
}

#[test]
fn what_a_busy_server_has_not_counted_is_all_unread() {
    let mut script = start();
    script.state.rooms[0].joined = false;
    let (room, topic) = (room_name("#a"), Line::default());
    let info = RoomInfo { room, topic, here: 2, last: 9, first: None, members: Vec::new() };
    script.hear(Event::Ok(Okay { room: Some(info), read: Some(4), ..Okay::default() }));
    script.hear(Event::Presence(presence("#a", &["alice", "bob"])));
    for seq in 1..=9 {
        script.says("#a", seq, "bob", "said");
    }
    assert_eq!(listed(&mut script, "#a"), "#a 5");
    assert_eq!(told(&mut script), [], "nobody has read it");
}
