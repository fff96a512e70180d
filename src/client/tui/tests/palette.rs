//! The palette: rooms, people, commands, days and keys by a few letters.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};
use insta::assert_snapshot;
use ratatui::style::Modifier;

use crate::client::link::Update;
use crate::client::tui::known_rooms::{RoomChange, Rule, What};
use crate::client::tui::palette::find;
use crate::client::tui::script::{Script, nick, room_name};
use crate::client::tui::{Event as Happening, update};
use crate::protocol::command::{Command, Place};
use crate::protocol::event::{Event, RoomInfo, Rooms};
use crate::protocol::text::Line;

fn info(room: &str, topic: &str, here: usize) -> RoomInfo {
    let (room, topic) = (room_name(room), Line::lossy(topic));
    RoomInfo { room, topic, here, last: 1, first: None, members: Vec::new() }
}

/// A parlor with rooms that one is in, and others.
fn parlor(columns: u16, rows: u16) -> Script {
    let mut script = Script::new(columns, rows);
    script.online();
    for (room, topic) in [
        ("#lobby", "Friday: demo at 15:00"),
        ("#rust", "edition 2024"),
        ("#ops", "who is on call: carol"),
        ("#builds", ""),
    ] {
        script.join(room, 0, topic, &["alice", "bob", "carol", "lars", "李雷"]);
        script.pass(Duration::from_secs(60));
    }
    script.state.listed =
        vec![info("#lobby", "", 5), info("#gardens", "tomatoes", 2), info("#会議室", "", 1)];
    script.key(KeyCode::Char('1'), KeyModifiers::ALT);
    script.pass(Duration::from_secs(60));
    script.says("#ops", 1, "carol", "alice: the disk is full again");
    script.says("#builds", 1, "bob", "passed");
    script.effects.clear();
    script
}

fn open(script: &mut Script) {
    script.key(KeyCode::Char('g'), KeyModifiers::ALT);
}

/// What is found, by its names.
fn found(script: &Script, typed: &str) -> Vec<String> {
    find(&script.state, typed).into_iter().map(|entry| entry.shown).collect()
}

fn first(script: &Script, typed: &str) -> String {
    found(script, typed).into_iter().next().unwrap_or_default()
}

/// Everything that is asked of the server, but for the list of rooms, for which nobody waits.
fn submitted(script: &mut Script) -> Vec<Command> {
    script.asked().into_iter().filter(|command| !matches!(command, Command::Rooms(_))).collect()
}

#[test]
fn the_palette_at_120_by_36() {
    let mut script = parlor(120, 36);
    open(&mut script);
    assert_snapshot!(script.text());
    script.write("ru");
    assert_snapshot!(script.text());
}

#[test]
fn the_palette_at_80_by_24() {
    let mut script = parlor(80, 24);
    open(&mut script);
    assert_snapshot!(script.text());
    script.write("/mo");
    assert_snapshot!(script.text());
}

#[test]
fn the_palette_at_50_by_12() {
    let mut script = parlor(50, 12);
    open(&mut script);
    assert_snapshot!(script.text());
    script.write(">news");
    assert_snapshot!(script.text());
    for size in [(30, 8), (20, 5), (12, 3), (4, 2), (1, 1)] {
        script.resize(size.0, size.1);
        script.text();
    }
}

#[test]
fn a_few_letters_find_what_people_expect() {
    let script = parlor(80, 24);
    for (typed, expected) in [
        ("rs", "#rust"),
        ("rust", "#rust"),
        ("bui", "#builds"),
        ("bds", "#builds"),
        ("garden", "#gardens"),
        ("jo", "/join"),
        ("j", "/join"),
        ("leave", "/part"),
        ("dm", "/msg"),
        ("bob", "@bob"),
        ("car", "@carol"),
        ("李", "@李雷"),
        ("会議", "#会議室"),
        ("CAR", "@carol"),
        ("yest", "yesterday"),
        ("monday", "monday"),
        ("3 nov", "3 nov"),
        ("10:30", "10:30"),
        ("tomatoes", "#gardens"),
        ("full screen of nothing", ""),
    ] {
        assert_eq!(first(&script, typed), expected, "{typed}: {:?}", found(&script, typed));
    }
    // Where another name was meant, it is said.
    let part = find(&script.state, "leave").into_iter().next().unwrap();
    assert!(part.note.starts_with("or /leave: leave this room"), "{}", part.note);
    // A word of a sentence finds what keys do, a few letters of it do not.
    assert!(found(&script, "links").contains(&"the links in sight, to open or copy one".to_owned()));
    let sentences = |name: &String| name.contains(' ') && !name.starts_with("/set ");
    assert!(!found(&script, "rs").iter().any(sentences), "{:?}", found(&script, "rs"));
    // What is yet to come is no place.
    assert!(!found(&script, "2027-01-01").contains(&"2027-01-01".to_owned()));
}

#[test]
fn a_sign_narrows_it() {
    let script = parlor(80, 24);
    let all = |typed: &str, sign: char| found(&script, typed).iter().all(|name| name.starts_with(sign));
    for (typed, sign) in [("#", '#'), ("#o", '#'), ("@", '@'), ("@a", '@'), ("/", '/'), ("/o", '/')] {
        assert!(
            all(typed, sign) && !found(&script, typed).is_empty(),
            "{typed}: {:?}",
            found(&script, typed)
        );
    }
    assert!(found(&script, "> page").contains(&"a page down".to_owned()));
    assert!(found(&script, ">").iter().all(|name| !name.starts_with(['#', '@', '/'])));
    // A room that nobody knows can be made, where a room is meant.
    assert_eq!(found(&script, "#garage"), ["#garage"]);
    assert!(!found(&script, "garage").contains(&"#garage".to_owned()));
}

#[test]
fn with_nothing_typed_the_recent_comes_first() {
    let mut script = parlor(80, 24);
    script.state.input_history.add("/whois bob");
    script.state.input_history.add("/list");
    let parlor = script.state.company.parlor;
    let remember = |script: &mut Script, what| {
        script.state.company.known_rooms.apply(&RoomChange { parlor, what }).unwrap();
    };
    let names = found(&script, "");
    assert_eq!(names[..5], ["#ops", "#builds", "#rust", "/list", "/whois"], "{names:?}");
    assert!(!names.contains(&"#lobby".to_owned()), "one is there");
    // What is muted waits for nobody.
    remember(&mut script, What::Rule(room_name("#ops"), Rule::Nothing));
    assert_eq!(found(&script, "")[..3], ["#builds", "#ops", "#rust"]);
    // Of names that fit alike it is the one where one was last.
    script.join("#rust-embedded", 0, "", &["alice"]);
    script.pass(Duration::from_secs(60));
    script.key(KeyCode::Char('1'), KeyModifiers::ALT);
    assert_eq!(first(&script, "rus"), "#rust-embedded");
    assert_eq!(first(&script, "rust"), "#rust", "but a whole name is that name");
}

#[test]
fn enter_goes_there() {
    let mut script = parlor(80, 24);
    script.write("half a sen");
    for (typed, room) in [("rus", "#rust"), ("#op", "#ops")] {
        open(&mut script);
        script.write(typed);
        script.press(KeyCode::Enter);
        assert_eq!(script.state.room().unwrap().shown, room);
    }
    assert_eq!(submitted(&mut script), []);
    open(&mut script);
    script.write("gard");
    script.press(KeyCode::Enter);
    let asked = submitted(&mut script);
    assert!(matches!(&asked[..], [Command::Join(join)] if join.room == room_name("#gardens")), "{asked:?}");
    script.key(KeyCode::Char('1'), KeyModifiers::ALT);
    open(&mut script);
    script.write("@bo");
    script.press(KeyCode::Enter);
    let asked = submitted(&mut script);
    assert!(matches!(&asked[..], [Command::Direct(direct)] if direct.with == [nick("bob")]), "{asked:?}");
    // What was being written is where it was.
    assert!(script.text().contains("alice › half a sen"), "{}", script.text());
}

#[test]
fn enter_goes_to_a_day() {
    let mut script = parlor(80, 24);
    script.write("a draft");
    open(&mut script);
    script.write("yesterday 18:15");
    script.press(KeyCode::Enter);
    let asked = submitted(&mut script);
    assert!(
        matches!(&asked[..], [Command::History(history)] if matches!(history.place, Place::At(_))),
        "{asked:?}"
    );
    assert!(script.text().contains("a draft"), "{}", script.text());
}

#[test]
fn commands_are_done_or_written() {
    let mut script = parlor(80, 24);
    script.write("a draft");
    open(&mut script);
    script.write("/help");
    assert!(script.text().contains("Enter do it"), "{}", script.text());
    script.press(KeyCode::Enter);
    assert!(script.text().contains("keys and commands"), "{}", script.text());
    script.press(KeyCode::Esc);
    assert!(script.text().contains("alice › a draft"), "{}", script.text());
    open(&mut script);
    script.write("whois");
    assert!(script.text().contains("Enter write it"), "{}", script.text());
    script.press(KeyCode::Enter);
    assert!(script.text().contains("alice › /whois"), "{}", script.text());
    assert!(script.text().contains("what you were writing waits"), "{}", script.text());
    script.key(KeyCode::Char('u'), KeyModifiers::CONTROL);
    script.press(KeyCode::Up);
    assert!(script.text().contains("alice › a draft"), "{}", script.text());
}

#[test]
fn what_keys_do_is_done_and_the_key_is_told() {
    let mut script = parlor(80, 24);
    open(&mut script);
    script.write("hide the people");
    assert!(script.text().contains("F3"), "{}", script.text());
    script.press(KeyCode::Enter);
    assert!(script.text().contains("│ here 5"), "{}", script.text());
}

#[test]
fn keys_of_the_palette() {
    let mut script = parlor(80, 24);
    let before = script.text();
    for close in [(KeyCode::Esc, KeyModifiers::NONE), (KeyCode::Char('g'), KeyModifiers::ALT)] {
        open(&mut script);
        assert!(script.text().contains(" go to "), "{}", script.text());
        script.key(close.0, close.1);
        assert_eq!(script.text(), before);
    }
    open(&mut script);
    let chosen = |script: &mut Script| {
        let ground = script.state.theme.selected().bg;
        let (buffer, _) = script.screen();
        let row = (0..buffer.area.height).find(|y| Some(buffer[(20, *y)].bg) == ground);
        row.unwrap()
    };
    let top = chosen(&mut script);
    script.press(KeyCode::Down);
    script.key(KeyCode::Char('n'), KeyModifiers::CONTROL);
    script.feed(Happening::Wheel(1));
    assert_eq!(chosen(&mut script), top + 3);
    script.press(KeyCode::Up);
    script.key(KeyCode::Char('p'), KeyModifiers::CONTROL);
    assert_eq!(chosen(&mut script), top + 1);
    script.press(KeyCode::PageDown);
    script.press(KeyCode::PageDown);
    assert!(chosen(&mut script) > top + 10);
    script.press(KeyCode::PageUp);
    script.feed(Happening::Wheel(-100));
    assert_eq!(chosen(&mut script), top);
    script.press(KeyCode::Down);
    script.write("r");
    assert_eq!(chosen(&mut script), top, "another list begins at its top");
    // A long paste is cut, and what is typed scrolls.
    script.feed(Happening::Paste("x\u{1b}[31m\n".repeat(1000)));
    assert!(script.text().contains("Nothing is called so"), "{}", script.text());
    script.key(KeyCode::Char('u'), KeyModifiers::CONTROL);
    script.feed(Happening::Paste("rus".to_owned()));
    script.press(KeyCode::Enter);
    assert_eq!(script.state.room().unwrap().shown, "#rust");
}

#[test]
fn what_was_typed_is_marked_in_what_was_found() {
    let mut script = parlor(80, 24);
    open(&mut script);
    script.write("rs");
    let (buffer, _) = script.screen();
    let marked = |modifier: Modifier| -> String {
        let cells = buffer.content.iter().filter(|cell| cell.modifier.contains(modifier));
        cells.map(ratatui::buffer::Cell::symbol).collect()
    };
    assert!(marked(Modifier::UNDERLINED).starts_with("rs"), "{}", marked(Modifier::UNDERLINED));
}

#[test]
fn nothing_moves_while_one_chooses() {
    let mut script = parlor(80, 24);
    open(&mut script);
    let before = script.text();
    script.says("#rust", 1, "bob", "alice!");
    let asked = script.asked();
    let [Command::Rooms(asked)] = &asked[..] else { panic!("{asked:?}") };
    script.hear(Event::Rooms(Rooms { re: asked.id.clone(), rooms: vec![info("#new", "", 1)] }));
    let list = |text: &str| text.lines().skip(3).take(10).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(list(&script.text()), list(&before));
    assert!(script.state.company.quiet.is_empty());
    script.write("#ne");
    assert!(script.text().contains("#new"), "{}", script.text());
}

#[test]
fn it_is_there_without_a_connection_and_without_a_room() {
    let mut script = Script::new(80, 24);
    open(&mut script);
    assert_eq!(script.asked(), []);
    assert!(script.text().contains("/join"), "{}", script.text());
    script.write("yesterday");
    assert!(!found(&script, "yesterday").contains(&"yesterday".to_owned()));
    script.write(" zzz");
    assert!(script.text().contains("Nothing is called so"), "{}", script.text());
    script.press(KeyCode::Enter);
    assert!(script.text().contains("Nothing is called so"), "{}", script.text());
    let mut script = parlor(80, 24);
    let retry_at = script.now.instant + Duration::from_secs(5);
    script.news(Update::Offline { why: "the cable".to_owned(), retry_at });
    open(&mut script);
    script.write("ops");
    script.press(KeyCode::Enter);
    assert_eq!(script.state.room().unwrap().shown, "#ops");
}

#[test]
fn a_room_that_is_gone_is_said_to_be() {
    let mut script = parlor(80, 24);
    open(&mut script);
    script.write("#ops");
    let place = script.state.place_of(&room_name("#ops")).unwrap();
    script.state.rooms.remove(place);
    script.press(KeyCode::Enter);
    assert!(script.text().contains("/join #ops enters it"), "{}", script.text());
    update::come_back(&mut script.state, None, &mut script.effects);
}
