//! Whole screens, at the sizes that matter.

use std::time::Duration;

use crossterm::event::KeyCode;
use insta::assert_snapshot;

use crate::client::tui::script::{Script, entry, presence, room_name};
use crate::protocol::event::{Event, RoomInfo, Rooms};
use crate::protocol::text::Line;

/// An afternoon in three rooms.
pub(super) fn conversation(columns: u16, rows: u16) -> Script {
    let mut script = Script::new(columns, rows);
    script.online();
    let people = ["alice", "bob", "carol", "李雷", "Олена"];
    script.join("#lobby", 7, "Friday: demo at 15:00", &people);
    for (seq, from, minutes, text) in [
        (1, "carol", -1500, "good evening, everyone"),
        (2, "bob", -80, "did the build pass?"),
        (3, "alice", -79, "yes, in 3 min 👍"),
        (4, "alice", -79, "the log:"),
        (5, "alice", -78, "fn main() {\n    println!(\"hello\");\n}"),
        (6, "李雷", -30, "你好！家里的网络修好了，明天可以一起看演示 👩‍👩‍👧‍👦"),
        (
            7,
            "carol",
            -10,
            "a long line that has to be broken somewhere, because nobody has a terminal that is as \
             wide as what people want to say to each other on a Saturday morning",
        ),
    ] {
        let mut entry = entry("#lobby", seq, from, text);
        entry.at = script.now.time.shifted(minutes * 60_000);
        script.entry(entry);
    }
    script.join("#rust", 0, "", &["alice", "bob"]);
    script.join("#ops", 0, "", &["alice", "carol"]);
    script.join("#lobby", 7, "Friday: demo at 15:00", &people);
    script.says("#rust", 1, "bob", "edition 2024!");
    script.says("#ops", 1, "carol", "alice: the disk is full again");
    script.feed(crate::client::tui::Event::Focus(false));
    script.pass(Duration::from_secs(60));
    script.says("#lobby", 8, "bob", "Alice, can you look at it?");
    script.feed(crate::client::tui::Event::Focus(true));
    script
}

#[test]
fn an_afternoon_at_120_by_36() {
    assert_snapshot!(conversation(120, 36).text());
}

#[test]
fn an_afternoon_at_80_by_24() {
    assert_snapshot!(conversation(80, 24).text());
}

#[test]
fn an_afternoon_at_40_by_10() {
    assert_snapshot!(conversation(40, 10).text());
}

#[test]
fn one_cell_is_enough_not_to_fall_over() {
    assert_snapshot!(conversation(1, 1).text(), @"");
    assert_snapshot!(conversation(20, 3).text());
}

#[test]
fn the_help_is_a_key_away() {
    let mut script = conversation(80, 24);
    script.press(KeyCode::F(1));
    assert_snapshot!(script.text());
    script.press(KeyCode::Char('G'));
    assert!(script.text().contains("somebody said your name"), "{}", script.text());
    script.press(KeyCode::Esc);
    assert!(!script.text().contains("keys and commands"));
}

#[test]
fn side_panes_come_and_go_by_a_key() {
    let mut script = conversation(50, 12);
    assert!(!script.text().contains("rooms"));
    script.press(KeyCode::F(2));
    script.press(KeyCode::F(3));
    assert_snapshot!(script.text());
    script.press(KeyCode::F(2));
    script.press(KeyCode::F(3));
    assert!(!script.text().contains("rooms"));
}

#[test]
fn a_list_of_rooms_to_choose_from() {
    let mut script = conversation(80, 24);
    script.effects.clear();
    script.write("/list");
    script.press(KeyCode::Enter);
    let asked = script.asked().pop().unwrap();
    let info = |room: &str, topic: &str, here| RoomInfo {
        room: room_name(room),
        topic: Line::lossy(topic),
        here,
        last: 1,
        first: None,
        members: Vec::new(),
    };
    let rooms = vec![info("#lobby", "Friday: demo at 15:00", 5), info("#会議室", "", 2)];
    script.hear(Event::Rooms(Rooms { re: asked.request_id(), rooms }));
    script.press(KeyCode::Down);
    assert_snapshot!(script.text());
    script.press(KeyCode::Enter);
    assert!(script.text().contains("Joining #会議室"));
}

#[test]
fn more_rooms_than_rows() {
    let mut script = Script::new(80, 12);
    script.online();
    for number in 1..=30 {
        script.join(&format!("#room{number:02}"), 0, "", &["alice", "bob"]);
    }
    let columns = |script: &mut Script| {
        let text = script.text();
        text.lines()
            .take(9)
            .map(|line| line.split('│').next().unwrap().trim_end().to_owned())
            .collect::<Vec<_>>()
    };
    let pane = columns(&mut script);
    assert_eq!((pane[0].as_str(), pane[8].as_str()), ("    ↑ 22 more", "▌#room30"), "{pane:#?}");
    script.says("#room01", 1, "bob", "alice!");
    script.says("#room29", 1, "bob", "well");
    assert_eq!(columns(&mut script)[0], "     ↑ 1 new!");
    for (_, number) in (0..10).zip((1..30).rev()) {
        script.key(KeyCode::Char('p'), crossterm::event::KeyModifiers::CONTROL);
        let pane = columns(&mut script);
        assert!(pane.contains(&format!("▌#room{number:02}")), "{pane:#?}");
    }
    let pane = columns(&mut script);
    assert!(pane[0].ends_with("↑ 1 new!") && pane[8].ends_with("↓ 10 more"), "{pane:#?}");
    script.key(KeyCode::Char('1'), crossterm::event::KeyModifiers::ALT);
    let pane = columns(&mut script);
    assert_eq!(pane[0], " rooms");
    assert!(pane[1].starts_with("▌#room01") && pane[8].ends_with("↓ 23 more"), "{pane:#?}");
}

#[test]
fn the_help_is_offered_to_the_last() {
    for columns in [40, 50] {
        let mut script = conversation(columns, 12);
        let text = script.text();
        assert!(text.lines().last().unwrap().ends_with("F1 help"), "{text}");
    }
}

#[test]
fn an_overlay_offers_only_what_there_is() {
    let mut script = conversation(80, 24);
    script.write("/names");
    script.press(KeyCode::Enter);
    assert!(script.text().contains("Esc close") && !script.text().contains("PgDn"), "{}", script.text());
    script.press(KeyCode::Esc);
    script.press(KeyCode::F(1));
    let first = script.text();
    assert!(first.contains("PgDn further · Esc close"));
    script.press(KeyCode::End);
    assert!(script.text().contains("somebody said your name"));
    assert!(script.text().contains("PgUp back · Esc close") && !script.text().contains("PgDn further"));
    script.press(KeyCode::Home);
    assert_eq!(script.text(), first);
}

#[test]
fn more_people_than_rows() {
    let mut script = conversation(120, 12);
    let names: Vec<String> = (1..=30).map(|number| format!("guest{number:02}")).collect();
    let mut news = presence("#lobby", &names.iter().map(String::as_str).collect::<Vec<_>>());
    news.here = 612;
    script.hear(Event::Presence(news));
    let text = script.text();
    assert!(text.contains("here 612") && text.contains("+ 605 more"), "{text}");
    script.write("/names");
    script.press(KeyCode::Enter);
    script.press(KeyCode::PageDown);
    script.press(KeyCode::PageDown);
    assert!(script.text().contains("guest30"), "{}", script.text());
}

#[test]
fn acts_and_topics_are_told_apart_from_talk() {
    let mut script = Script::new(60, 12);
    script.online();
    script.join("#a", 3, "", &["alice", "bob"]);
    script.says("#a", 1, "bob", "so");
    let mut act = entry("#a", 2, "bob", "waves");
    act.action = true;
    script.entry(act);
    let mut topic = entry("#a", 3, "bob", "new: rules");
    topic.kind = crate::protocol::event::EntryKind::Topic;
    script.entry(topic);
    assert_snapshot!(script.text());
}

#[test]
fn what_a_later_version_says_keeps_its_place_and_shows_nothing() {
    let mut script = Script::new(60, 10);
    script.online();
    script.join("#a", 3, "", &["alice", "bob"]);
    script.says("#a", 1, "bob", "one");
    let mut later = entry("#a", 2, "bob", "something");
    later.kind = crate::protocol::event::EntryKind::Unknown;
    script.entry(later);
    script.says("#a", 3, "bob", "three");
    let text = script.text();
    assert!(text.contains("one") && text.contains("three") && !text.contains("something"));
    assert!(!text.contains("┄"), "and it is no gap");
}

#[test]
fn the_last_room_can_be_left() {
    let mut script = Script::new(80, 10);
    script.online();
    script.join("#a", 0, "", &["alice"]);
    script.write("/part");
    script.press(KeyCode::Enter);
    script.write("/who");
    script.press(KeyCode::Enter);
    assert!(script.text().contains("you are in no room: /who #ROOM says who is in one"), "{}", script.text());
    script.write("hello?");
    script.press(KeyCode::Enter);
    assert_snapshot!(script.text());
}
