//! What has been read, what is new, and when the bell rings.

use crossterm::event::{KeyCode, KeyModifiers};

use crate::client::tui::script::{Script, change};
use crate::client::tui::{Effect, Event};
use crate::protocol::event::{EntryKind, Event as News};

fn rooms() -> Script {
    let mut script = Script::new(100, 20);
    script.online();
    script.join("#a", 3, "", &["alice", "bob"]);
    for seq in 1..=3 {
        script.says("#a", seq, "bob", "history, alice");
    }
    script.join("#b", 0, "", &["alice", "bob"]);
    script.effects.clear();
    script
}

/// The line of the rooms pane that shows this room.
fn listed(script: &mut Script, room: &str) -> String {
    let text = script.text();
    let line = text.lines().find(|line| line.trim_start_matches(['▌', ' ']).starts_with(room)).unwrap();
    line.split('│').next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn bells(script: &Script) -> usize {
    script.effects.iter().filter(|effect| **effect == Effect::Bell).count()
}

fn line_with(script: &mut Script, wanted: &str) -> Option<usize> {
    script.text().lines().position(|line| line.contains(wanted))
}

#[test]
fn history_is_neither_unread_nor_rung_for() {
    let mut script = rooms();
    assert_eq!(listed(&mut script, "#a"), "#a");
    assert!(!script.effects.contains(&Effect::Bell));
}

#[test]
fn what_was_taken_back_is_not_unread() {
    let mut script = rooms();
    script.says("#a", 4, "bob", "hey alice");
    script.says("#a", 5, "bob", "no, later");
    assert_eq!(listed(&mut script, "#a"), "#a 2!");
    for (seq, target) in [(6, 4), (7, 5)] {
        let taken_back = change("#a", seq, ("bob", 2), EntryKind::Deleted, target, "");
        script.hear(News::Entry(taken_back));
    }
    assert_eq!(listed(&mut script, "#a"), "#a");
    script.says("#a", 8, "bob", "hello");
    assert_eq!(listed(&mut script, "#a"), "#a 1");
}

#[test]
fn in_code_a_name_means_nobody() {
    let mut script = rooms();
    script.says("#a", 4, "bob", "```\nlet alice = 1;\n```\nand `alice`");
    assert_eq!(listed(&mut script, "#a"), "#a 1");
    assert_eq!(bells(&script), 0);
    script.says("#a", 5, "bob", "`alice` is you, alice");
    assert_eq!(listed(&mut script, "#a"), "#a 2!");
}

#[test]
fn rooms_count_what_is_unread_and_mark_our_name() {
    let mut script = rooms();
    script.says("#a", 4, "bob", "one");
    assert_eq!(listed(&mut script, "#a"), "#a 1");
    script.says("#a", 5, "bob", "hey ALICE");
    script.says("#a", 6, "alice", "our own does not count");
    assert_eq!(listed(&mut script, "#a"), "#a 2!");
    assert_eq!(bells(&script), 1, "once");
    script.key(KeyCode::Char('a'), KeyModifiers::ALT);
    assert_eq!(listed(&mut script, "#a"), "▌#a");
    let (new, first) = (line_with(&mut script, " new "), line_with(&mut script, "one"));
    assert_eq!(new.map(|line| line + 1), first);
    // Coming back later, there is nothing to set apart.
    script.key(KeyCode::Char('2'), KeyModifiers::ALT);
    script.key(KeyCode::Char('1'), KeyModifiers::ALT);
    assert_eq!(line_with(&mut script, " new "), None);
}

#[test]
fn what_is_in_sight_is_read_as_it_comes() {
    let mut script = rooms();
    script.says("#b", 1, "bob", "alice!");
    assert_eq!(listed(&mut script, "#b"), "▌#b");
    assert_eq!(script.effects, []);
    assert_eq!(line_with(&mut script, " new "), None);
}

#[test]
fn a_window_without_the_focus_is_not_in_sight() {
    let mut script = rooms();
    script.says("#b", 1, "bob", "before");
    script.feed(Event::Focus(false));
    script.says("#b", 2, "bob", "alice?");
    assert_eq!((listed(&mut script, "#b").as_str(), bells(&script)), ("▌#b 1!", 1));
    script.feed(Event::Focus(true));
    assert_eq!(listed(&mut script, "#b"), "▌#b");
    let (new, first) = (line_with(&mut script, " new "), line_with(&mut script, "alice?"));
    assert_eq!(new.map(|line| line + 1), first, "{}", script.text());
}

#[test]
fn further_up_the_new_ones_are_counted_below() {
    let mut script = rooms();
    for seq in 1..=40 {
        script.says("#b", seq, "bob", &format!("message {seq}"));
    }
    script.press(KeyCode::PageUp);
    let before = script.text();
    script.says("#b", 41, "bob", "message 41");
    script.says("#b", 42, "bob", "message 42");
    let after = script.text();
    assert!(after.contains("2 new below · Alt-End"), "{after}");
    let talk = |text: &str| text.lines().filter(|line| line.contains("message")).count();
    assert_eq!(talk(&before), talk(&after));
    assert!(!after.contains("message 41"), "what is read does not move");
    script.says("#b", 43, "bob", "alice: message 43");
    assert!(script.text().contains("3 new below, naming you"));
    script.press(KeyCode::End);
    assert!(script.text().contains("message 42") && !script.text().contains("new below"));
    assert!(script.text().contains(" new "));
    // Whoever answers has read.
    script.write("ok");
    script.press(KeyCode::Enter);
    assert!(!script.text().contains(" new "));
}

#[test]
fn each_room_keeps_its_place_and_its_draft() {
    let mut script = rooms();
    for seq in 1..=60 {
        script.says("#b", seq, "bob", &format!("message {seq}"));
    }
    script.press(KeyCode::PageUp);
    script.write("half a sen");
    let before = script.text();
    script.key(KeyCode::Char('n'), KeyModifiers::CONTROL);
    script.write("other");
    assert!(script.text().contains("alice › other"));
    script.key(KeyCode::Left, KeyModifiers::ALT);
    // In the other one something is left in the input.
    assert_eq!(script.text(), before.replacen(" #a           │", " #a         ✎ │", 1));
}

#[test]
fn to_where_one_left_off() {
    let mut script = rooms();
    for seq in 4..=80 {
        script.says("#a", seq, "bob", &format!("message {seq}"));
    }
    script.key(KeyCode::Char('a'), KeyModifiers::ALT);
    assert_eq!(line_with(&mut script, " new "), None, "it is far above");
    script.key(KeyCode::Char('u'), KeyModifiers::ALT);
    let (new, first) = (line_with(&mut script, " new "), line_with(&mut script, "message 4"));
    assert!(new.is_some() && new.map(|line| line + 1) == first, "{}", script.text());
}
