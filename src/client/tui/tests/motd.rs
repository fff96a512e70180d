//! The message of the day.

use crossterm::event::KeyCode;
use insta::assert_snapshot;

use crate::client::link::Update;
use crate::client::tui::script::{Script, entry};
use crate::protocol::command::Command;
use crate::protocol::event::{Event, Motd};
use crate::protocol::text::Text;

const TEXT: &str = "Welcome to the lab.\n\tThe printer is on the second floor.";

fn comes_in(script: &mut Script, text: Option<&str>) {
    let mut online = script.online_update();
    if let Update::Online { ready, .. } = &mut online {
        ready.motd = text.map(|text| Text::new(text).unwrap());
    }
    script.news(online);
}

fn room(columns: u16, rows: u16, text: Option<&str>) -> Script {
    let mut script = Script::new(columns, rows);
    comes_in(&mut script, text);
    script.join("#a", 2, "", &["alice", "bob"]);
    script.entry(entry("#a", 1, "bob", "one"));
    script.entry(entry("#a", 2, "bob", "two"));
    script.effects.clear();
    script
}

fn ask(script: &mut Script) -> Command {
    script.write("/motd");
    script.press(KeyCode::Enter);
    script.asked().pop().unwrap()
}

#[test]
fn it_is_told_where_one_comes_in_and_stays_there() {
    let mut script = room(80, 16, Some(TEXT));
    script.says("#a", 3, "bob", "three");
    assert_snapshot!(script.text());
    // Not again after a break, and not in other rooms.
    script.news(Update::Offline { why: "it broke".to_owned(), retry_at: script.now.instant });
    comes_in(&mut script, Some(TEXT));
    script.joined("#a", 3, "", &["alice", "bob"]);
    assert_eq!(script.text().matches("second floor").count(), 1, "{}", script.text());
    script.join("#b", 0, "", &["alice"]);
    assert!(!script.text().contains("second floor"), "{}", script.text());
    // Another one is told where one is.
    script.news(Update::Offline { why: "it broke".to_owned(), retry_at: script.now.instant });
    comes_in(&mut script, Some("The printer is broken."));
    script.joined("#a", 3, "", &["alice", "bob"]);
    script.joined("#b", 0, "", &["alice"]);
    assert!(script.text().contains("The printer is broken."), "{}", script.text());
    // Whoever wants an empty screen has one.
    script.write("/clear");
    script.press(KeyCode::Enter);
    assert!(!script.text().contains("The printer is broken."), "{}", script.text());
}

#[test]
fn a_long_one_leaves_room_for_what_was_said() {
    let lines: Vec<String> = (1..=40).map(|number| format!("line {number} of many")).collect();
    let mut script = room(50, 14, Some(&lines.join("\n")));
    assert_snapshot!(script.text());
    let asked = ask(&mut script);
    let text = Text::new(&lines.join("\n")).ok();
    script.hear(Event::Motd(Motd { re: asked.request_id(), text }));
    assert!(script.text().contains("line 1 of many") && script.text().contains("more"), "{}", script.text());
    script.key(KeyCode::Char('G'), crossterm::event::KeyModifiers::NONE);
    assert!(script.text().contains("line 40 of many"), "{}", script.text());
    script.resize(1, 1);
    script.text();
}

#[test]
fn it_can_be_asked_for_and_there_may_be_none() {
    let mut script = room(50, 12, None);
    assert!(!script.text().contains("message of the day"));
    let asked = ask(&mut script);
    assert!(script.text().contains("asking the server"));
    script.hear(Event::Motd(Motd { re: asked.request_id(), text: None }));
    assert_snapshot!(script.text());
    script.press(KeyCode::Esc);
    let asked = ask(&mut script);
    script.hear(Event::Motd(Motd { re: asked.request_id(), text: Text::new(TEXT).ok() }));
    assert!(script.text().contains("The printer is on the second floor."), "{}", script.text());
    script.press(KeyCode::Esc);
    // It was read: not told once more after a break.
    comes_in(&mut script, Some(TEXT));
    script.joined("#a", 2, "", &["alice", "bob"]);
    assert!(!script.text().contains("second floor") && script.state.asked.is_empty(), "{}", script.text());
}
