//! The list of rooms: its order, pins, muting, the way from news to news, and coming back.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};
use insta::assert_snapshot;

use crate::client::link::Update;
use crate::client::tui::known_rooms::{RoomChange, Rule, What};
use crate::client::tui::script::{Script, nick, presence, room_name};
use crate::client::tui::{Effect, Event as Happening, update};
use crate::protocol::command::{Command, RequestId};
use crate::protocol::event::{Called, ErrorCode, Event, Failure, RoomInfo};
use crate::protocol::name::RoomName;
use crate::protocol::text::Line;

/// In five rooms and with two people, the lobby in sight.
fn house(columns: u16, rows: u16) -> Script {
    let mut script = Script::new(columns, rows);
    script.online();
    for room in ["#lobby", "#rust", "#ops", "#random", "#builds"] {
        script.join(room, 0, "", &["alice", "bob", "carol"]);
        script.pass(Duration::from_secs(1));
    }
    for (number, other) in [(17, "bob"), (40, "carol")] {
        let room = RoomName::direct(&[3, number].into()).unwrap();
        let members = vec![nick("alice"), nick(other)];
        let info = RoomInfo { room, topic: Line::default(), here: 2, last: 0, first: None, members };
        script.hear(Event::Direct(Called { info: info.clone() }));
        script.hear(Event::Ok(crate::protocol::event::Okay { room: Some(info), ..Default::default() }));
    }
    alt(&mut script, '1');
    script.state.notice = None;
    script.effects.clear();
    script
}

fn alt(script: &mut Script, key: char) {
    script.key(KeyCode::Char(key), KeyModifiers::ALT);
}

fn type_line(script: &mut Script, line: &str) {
    script.write(line);
    script.press(KeyCode::Enter);
}

/// The names in the pane, from above.
fn order(script: &Script) -> String {
    let shown: Vec<&str> = script.state.rooms.iter().map(|room| room.shown.as_str()).collect();
    shown.join(" ")
}

fn remembered(script: &mut Script) -> Vec<What> {
    std::mem::take(&mut script.remembered).into_iter().map(|change| change.what).collect()
}

fn remember(script: &mut Script, what: What) {
    let parlor = script.state.company.parlor;
    script.state.company.known_rooms.apply(&RoomChange { parlor, what }).unwrap();
}

fn rooms(names: &[&str]) -> Vec<RoomName> {
    names.iter().map(|name| room_name(name)).collect()
}

/// Which rooms we ask to be let into.
fn joins(script: &mut Script) -> Vec<(RoomName, Option<RequestId>)> {
    let asked = script.asked().into_iter();
    asked
        .filter_map(|command| match command {
            Command::Join(join) => Some((join.room, join.id)),
            _ => None,
        })
        .collect()
}

fn arranged(columns: u16, rows: u16) -> Script {
    let mut script = house(columns, rows);
    type_line(&mut script, "/pin #ops");
    type_line(&mut script, "/pin @carol");
    type_line(&mut script, "/join #random");
    type_line(&mut script, "/notify nothing");
    script.says("#random", 1, "bob", "alice, nobody counts this");
    script.says("#builds", 1, "bob", "passed");
    script.says("#ops", 1, "carol", "alice: the disk is full again");
    type_line(&mut script, "/join #lobby");
    script.state.notice = None;
    script
}

#[test]
fn pins_and_muted_rooms_at_120_by_36() {
    assert_snapshot!(arranged(120, 36).text());
}

#[test]
fn pins_and_muted_rooms_at_80_by_24() {
    assert_snapshot!(arranged(80, 24).text());
}

#[test]
fn pins_and_muted_rooms_at_50_by_12() {
    let mut script = arranged(50, 12);
    assert_snapshot!(script.text());
    script.press(KeyCode::F(2));
    assert_snapshot!(script.text());
    script.resize(1, 1);
    script.text();
}

#[test]
fn the_order_holds_still_whatever_is_said() {
    let mut script = house(80, 24);
    let before = order(&script);
    assert_eq!(before, "#lobby #rust #ops #random #builds @bob @carol");
    script.says("#builds", 1, "bob", "alice!");
    script.says("#rust", 1, "bob", "well");
    assert_eq!(order(&script), before);
}

#[test]
fn pins_stand_first_in_the_order_in_which_they_were_pinned() {
    let mut script = house(80, 24);
    remembered(&mut script);
    type_line(&mut script, "/pin builds");
    type_line(&mut script, "/pin @bob");
    alt(&mut script, '5');
    type_line(&mut script, "/pin");
    assert_eq!(order(&script), "#builds @bob #ops #lobby #rust #random @carol");
    assert!(
        script.text().contains("#ops is pinned: it stays at the top; Alt-3 goes there"),
        "{}",
        script.text()
    );
    assert!(remembered(&mut script).contains(&What::Pinned(room_name("#ops"), true)));
    // Who comes in later stands behind those that are like it.
    script.join("#later", 0, "", &["alice"]);
    assert_eq!(order(&script), "#builds @bob #ops #lobby #rust #random #later @carol");
    type_line(&mut script, "/unpin #builds");
    assert_eq!(order(&script), "@bob #ops #lobby #rust #random #later #builds @carol");
    for (line, told) in [
        ("/unpin #builds", "is not pinned"),
        ("/pin #ops", "is pinned already"),
        ("/pin #nowhere", "/join #nowhere enters it"),
        ("/pin @dora", "/msg dora opens it"),
    ] {
        type_line(&mut script, line);
        assert!(script.text().contains(told), "{}", script.text());
        script.key(KeyCode::Char('u'), KeyModifiers::CONTROL);
    }
}

#[test]
fn a_room_moves_among_those_that_it_stands_with() {
    let mut script = house(80, 24);
    alt(&mut script, '3');
    script.write("a draft");
    remembered(&mut script);
    script.key(KeyCode::Up, KeyModifiers::ALT | KeyModifiers::SHIFT);
    assert_eq!(order(&script), "#lobby #ops #rust #random #builds @bob @carol");
    let [What::Order(names)] = &remembered(&mut script)[..] else { panic!("not remembered") };
    assert_eq!(names[..3], rooms(&["#lobby", "#ops", "#rust"]));
    assert!(script.text().contains("▌#ops") && script.text().contains("a draft"), "{}", script.text());
    script.key(KeyCode::Char('u'), KeyModifiers::CONTROL);
    type_line(&mut script, "/move 1");
    assert_eq!(order(&script), "#ops #lobby #rust #random #builds @bob @carol");
    type_line(&mut script, "/move up");
    assert!(script.text().contains("#ops is the first of those"), "{}", script.text());
    script.key(KeyCode::Char('u'), KeyModifiers::CONTROL);
    type_line(&mut script, "/move 99");
    assert_eq!(order(&script), "#lobby #rust #random #builds #ops @bob @carol");
    script.key(KeyCode::Down, KeyModifiers::ALT | KeyModifiers::SHIFT);
    assert!(script.text().contains("#ops is the last of those"), "{}", script.text());
}

#[test]
fn what_is_muted_goes_down_and_is_not_counted() {
    let mut script = house(80, 24);
    alt(&mut script, '2');
    type_line(&mut script, "/notify nothing");
    assert_eq!(order(&script), "#lobby #ops #random #builds #rust @bob @carol");
    alt(&mut script, '1');
    script.state.notice = None;
    script.says("#rust", 1, "bob", "alice!");
    assert_eq!(script.state.title(), "#lobby · parlor");
    assert!(!script.text().contains("Alt-A") && !script.text().contains("1!"), "{}", script.text());
    alt(&mut script, 'a');
    assert!(script.text().contains("no news in the other rooms"), "{}", script.text());
    // It is there for whoever goes there.
    alt(&mut script, '5');
    assert!(script.text().contains("▎ alice!"), "{}", script.text());
    type_line(&mut script, "/notify mentions");
    assert_eq!(order(&script), "#lobby #ops #random #builds #rust @bob @carol");
}

#[test]
fn from_news_to_news_and_back() {
    let mut script = house(80, 24);
    alt(&mut script, '4');
    script.says("#lobby", 1, "bob", "well");
    script.says("#ops", 1, "bob", "alice?");
    script.says("#builds", 1, "bob", "passed");
    let mut way = Vec::new();
    for _ in 0..5 {
        alt(&mut script, 'a');
        way.push(script.state.room().unwrap().shown.clone());
    }
    assert_eq!(way, ["#ops", "#builds", "#lobby", "#random", "#random"]);
    assert!(script.text().contains("no news in the other rooms"), "{}", script.text());
    // Whoever goes elsewhere by themselves has left that way.
    script.says("#lobby", 2, "bob", "well");
    alt(&mut script, 'a');
    assert!(script.text().contains("Alt-A go back"), "{}", script.text());
    alt(&mut script, '3');
    alt(&mut script, 'a');
    assert_eq!(script.state.room().unwrap().shown, "#ops");
}

#[test]
fn news_that_have_no_row_are_told_at_the_edges() {
    let mut script = house(80, 10);
    let pane = |script: &mut Script| -> Vec<String> {
        let text = script.text();
        let rows = text.lines().take(7).map(|line| line.split('│').next().unwrap().trim_end().to_owned());
        rows.collect()
    };
    assert_eq!(pane(&mut script)[6], "     ↓ 2 more");
    let room = RoomName::direct(&[3, 17].into()).unwrap();
    let mut said = crate::client::tui::script::entry("#x", 1, "bob", "are you there?");
    said.room = room;
    script.entry(said);
    assert_eq!(pane(&mut script)[6], "     ↓ 1 new!");
    alt(&mut script, '7');
    script.says("#lobby", 1, "bob", "well");
    let rows = pane(&mut script);
    assert_eq!((rows[0].as_str(), rows[6].as_str()), ("      ↑ 1 new", "▌@carol"), "{rows:#?}");
}

#[test]
fn the_rooms_of_last_time_are_open_again() {
    let mut script = Script::new(80, 24);
    script.online();
    let at = |seconds: i64| script.now.time.shifted(seconds * 1000 - 3_600_000);
    let visits = vec![(room_name("#rust"), at(2)), (room_name("#ops"), at(1))];
    for what in [
        What::Order(rooms(&["#lobby", "#ops", "#rust"])),
        What::Pinned(room_name("#ops"), true),
        What::Rule(room_name("#lobby"), Rule::Nothing),
        What::Visited(visits),
    ] {
        remember(&mut script, what);
    }
    update::come_back(&mut script.state, None, &mut script.effects);
    assert_eq!(order(&script), "#ops #rust #lobby");
    assert!(script.text().contains("▌#rust"), "{}", script.text());
    let names: Vec<RoomName> = joins(&mut script).into_iter().map(|(room, _)| room).collect();
    assert_eq!(names, rooms(&["#lobby", "#ops", "#rust"]));
    // Nothing new is to be remembered of them.
    script.joined("#ops", 0, "", &["alice"]);
    assert_eq!(remembered(&mut script), []);
    type_line(&mut script, "/part #ops");
    assert_eq!(remembered(&mut script), [What::Closed(room_name("#ops"))]);
}

#[test]
fn what_was_said_since_in_a_room_that_was_empty_is_unread() {
    let mut script = Script::new(80, 24);
    script.online();
    remember(&mut script, What::Order(rooms(&["#lobby", "#rust"])));
    update::come_back(&mut script.state, None, &mut script.effects);
    script.joined("#lobby", 0, "", &["alice"]);
    script.joined("#rust", 1, "", &["alice"]);
    script.says("#rust", 1, "bob", "alice: look");
    assert!(script.text().contains(" #rust     1! │"), "{}", script.text());
}

#[test]
fn what_is_wished_for_is_in_sight() {
    let mut script = Script::new(80, 24);
    script.online();
    remember(&mut script, What::Order(rooms(&["#lobby", "#ops"])));
    update::come_back(&mut script.state, Some(room_name("#rust")), &mut script.effects);
    assert_eq!(order(&script), "#lobby #ops #rust");
    assert_eq!(script.state.room().unwrap().shown, "#rust");
    script.joined("#rust", 0, "", &["alice"]);
    assert_eq!(remembered(&mut script), [What::Opened(room_name("#rust"))]);
}

#[test]
fn whoever_comes_first_comes_into_the_lobby() {
    let mut script = Script::new(80, 24);
    script.online();
    update::come_back(&mut script.state, None, &mut script.effects);
    assert_eq!(order(&script), "#lobby");
    assert_eq!(joins(&mut script).len(), 1);
}

#[test]
fn too_many_rooms_of_last_time_are_those_seen_last() {
    let mut script = Script::new(80, 24);
    script.online();
    let names: Vec<RoomName> = (0..60).map(|number| room_name(&format!("#r{number:02}"))).collect();
    remember(&mut script, What::Order(names.clone()));
    let visits = names.iter().enumerate();
    let visits =
        visits.map(|(number, name)| (name.clone(), script.now.time.shifted(-(number as i64)))).collect();
    remember(&mut script, What::Visited(visits));
    update::come_back(&mut script.state, None, &mut script.effects);
    let asked: Vec<RoomName> = joins(&mut script).into_iter().map(|(room, _)| room).collect();
    assert_eq!(asked, names[..25]);
}

#[test]
fn a_room_that_lets_us_in_no_more_is_forgotten() {
    let mut script = Script::new(80, 24);
    script.online();
    remember(&mut script, What::Order(rooms(&["#ops"])));
    update::come_back(&mut script.state, None, &mut script.effects);
    let refuse = |script: &mut Script, code: ErrorCode| {
        let id = joins(script).pop().unwrap().1;
        let message = Line::lossy("only those come in who are invited");
        script.news(Update::Failed(Failure { re: id, code, message }));
    };
    refuse(&mut script, ErrorCode::InviteOnly);
    assert!(script.text().contains("#ops was open last time: only those"), "{}", script.text());
    assert_eq!(
        (order(&script), remembered(&mut script)),
        ("#lobby".to_owned(), vec![What::Closed(room_name("#ops"))])
    );
    // One that is only full may let us in next time.
    remember(&mut script, What::Order(rooms(&["#full"])));
    update::come_back(&mut script.state, None, &mut script.effects);
    refuse(&mut script, ErrorCode::RoomFull);
    assert_eq!(remembered(&mut script), []);
}

#[test]
fn when_rooms_were_seen_is_written_at_the_end() {
    let mut script = house(80, 24);
    remembered(&mut script);
    script.pass(Duration::from_secs(9));
    alt(&mut script, '2');
    script.pass(Duration::from_secs(9));
    assert_eq!(remembered(&mut script), []);
    script.feed(Happening::Terminate);
    assert_eq!(script.effects.last(), Some(&Effect::Quit));
    let [What::Visited(visits)] = &remembered(&mut script)[..] else { panic!("not remembered") };
    let last = visits.iter().max_by_key(|(_, at)| *at).unwrap();
    assert_eq!(last, &(room_name("#rust"), script.now.time));
    assert!(visits.contains(&(room_name("#lobby"), script.now.time.shifted(-9000))), "{visits:?}");
}

#[test]
fn keys_go_through_pinned_and_muted_rooms_alike() {
    let mut script = arranged(80, 24);
    let mut seen = Vec::new();
    for _ in 0..7 {
        script.key(KeyCode::Char('n'), KeyModifiers::CONTROL);
        seen.push(script.state.room().unwrap().shown.clone());
    }
    assert_eq!(seen.join(" "), "#rust #builds #random @bob #ops @carol #lobby");
    script.hear(Event::Presence(presence("#lobby", &["alice"])));
}
