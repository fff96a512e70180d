//! How others join: at the beginning of a host's room, in the heading, and by `/invite`.

use crossterm::event::KeyCode;
use insta::assert_snapshot;

use crate::client::tui::script::Script;
use crate::client::tui::theme::{Colours, Theme};
use crate::client::tui::{Effect, Event as Happening};
use crate::protocol::event::{Event, Okay};
use crate::protocol::text::Line;

const INVITE: &str = "parlor://192.168.1.7:7878/#?fp=BwcHBwcHBwcHBwcHBwcHBw&p=amber-otter-river-stone";
const WITHOUT_WORDS: &str = "parlor://192.168.1.7/#?fp=BwcHBwcHBwcHBwcHBwcHBw";

fn room(mut script: Script) -> Script {
    script.online();
    script.join("#lobby", 0, "", &["alice"]);
    script.effects.clear();
    script
}

fn host(columns: u16, rows: u16) -> Script {
    room(Script::new(columns, rows).hosting(INVITE))
}

fn enter(script: &mut Script, line: &str) {
    script.write(line);
    script.press(KeyCode::Enter);
}

#[test]
fn an_empty_room_says_how_others_join() {
    let mut script = host(80, 24);
    assert_snapshot!(script.text());
    script.resize(120, 12);
    script.says("#lobby", 1, "alice", "hello?");
    let heading = |script: &mut Script| script.text().lines().next().unwrap().to_owned();
    assert!(heading(&mut script).contains("parlor join 192.168.1.7  │"), "{}", script.text());
    script.join("#rust", 0, "", &["alice"]);
    assert!(script.text().contains("parlor join 192.168.1.7 --room rust"), "{}", script.text());
}

#[test]
fn where_the_network_knows_of_it_the_words_are_enough() {
    let host = |invite: &str, columns, rows| room(Script::new(columns, rows).hosting(invite).announced());
    assert_snapshot!(host(INVITE, 80, 24).text());
    assert_snapshot!(host(INVITE, 50, 12).text());
    // A passphrase of the host's own that is not told from an address, and none at all.
    for invite in [INVITE.replace("amber-otter-river-stone", "opensesame"), WITHOUT_WORDS.to_owned()] {
        let text = host(&invite, 80, 24).text();
        assert!(text.contains("Others join with:") && text.contains("parlor join 192.168.1.7"), "{text}");
    }
}

#[test]
fn an_empty_room_says_how_others_join_at_40_by_10() {
    assert_snapshot!(host(40, 10).text());
}

#[test]
fn without_a_passphrase_the_line_is_enough() {
    let mut script = room(Script::new(80, 24).hosting("parlor://192.168.1.7:99/#?plain"));
    let text = script.text();
    assert!(text.contains("parlor join 192.168.1.7:99 --plain"), "{text}");
    assert!(text.contains("/invite shows a line to copy") && !text.contains("passphrase"), "{text}");
}

#[test]
fn a_guest_is_shown_nothing_and_can_ask() {
    let mut script = room(Script::new(80, 24).invited(WITHOUT_WORDS));
    assert!(!script.text().contains("parlor join"));
    enter(&mut script, "/invite");
    assert!(script.text().contains("The passphrase is not in it"), "{}", script.text());
    script.press(KeyCode::Esc);
    // And may leave without a question: nobody loses the room.
    script.effects.clear();
    script.join("#rust", 0, "", &["alice", "bob"]);
    script.effects.clear();
    enter(&mut script, "/quit");
    assert_eq!(script.effects, [Effect::Quit]);
}

#[test]
fn the_invite_at_120_by_36() {
    let mut script = host(120, 36);
    enter(&mut script, "/invite #会議室");
    assert_snapshot!(script.text());
}

#[test]
fn the_invite_at_80_by_24() {
    // There is no room for a code of 23 rows, and half of one is of no use.
    let mut script = host(80, 24);
    enter(&mut script, "/invite");
    assert_snapshot!(script.text());
}

#[test]
fn the_invite_at_40_by_10() {
    let mut script = host(40, 10);
    enter(&mut script, "/invite");
    assert_snapshot!(script.text());
    script.press(KeyCode::PageDown);
    assert!(script.text().contains("may come in."), "{}", script.text());
    script.press(KeyCode::Esc);
    assert!(!script.text().contains("invite to"));
}

#[test]
fn the_code_is_light_on_dark_wherever_there_are_colours() {
    for colours in [Colours::None, Colours::Sixteen, Colours::Many] {
        let mut script = host(120, 36);
        script.state.theme = Theme::new(colours);
        enter(&mut script, "/invite");
        let (buffer, _) = script.screen();
        let light = buffer.content.iter().find(|cell| cell.symbol() == "█").unwrap();
        assert_eq!(light.bg == light.fg, colours == Colours::None);
    }
}

#[test]
fn the_line_is_copied_by_a_key() {
    let mut script = host(80, 24);
    enter(&mut script, "/invite rust");
    script.press(KeyCode::Char('c'));
    let line =
        "parlor join 'parlor://192.168.1.7:7878/#rust?fp=BwcHBwcHBwcHBwcHBwcHBw&p=amber-otter-river-stone'";
    assert_eq!(script.effects, [Effect::Copy(line.to_owned())]);
    assert!(script.text().contains("sent to the terminal, to be copied"), "{}", script.text());
    // Nowhere else is `c` anything but a letter.
    script.press(KeyCode::Esc);
    script.effects.clear();
    script.press(KeyCode::Char('c'));
    assert_eq!((script.state.composer().text(), script.effects.len()), ("c", 0));
}

#[test]
fn who_is_here_needs_no_invite() {
    let mut script = host(80, 24);
    script.join("#lobby", 0, "", &["alice", "Bob"]);
    enter(&mut script, "/invite bob");
    assert!(
        script.text().contains("Bob is here already") && script.state.overlay.is_none(),
        "{}",
        script.text()
    );
    enter(&mut script, "/invite #bob");
    assert!(script.text().contains("invite to #bob"));
}

#[test]
fn a_new_passphrase_is_the_one_that_is_passed_on() {
    let mut script = host(110, 24);
    enter(&mut script, "/passphrase new");
    let asked = script.asked().pop().unwrap();
    let words = Some(Line::lossy("new-words-for-all"));
    script.hear(Event::Ok(Okay { re: asked.request_id(), words, ..Okay::default() }));
    let told = "the passphrase is now new-words-for-all; those who are in stay";
    assert!(script.text().contains(told), "{}", script.text());
    script.pass(std::time::Duration::from_secs(600));
    assert!(script.text().contains(told), "it stays until it is read");
    script.press(KeyCode::Esc);
    let text = script.text();
    assert!(!text.contains(told) && text.contains("new-words-for-all") && !text.contains("otter"), "{text}");
    enter(&mut script, "/invite");
    assert!(script.text().contains("p=new-words-for-all'"), "{}", script.text());
}

#[test]
fn an_invite_stays_in_its_box_at_any_size() {
    let mut script = host(120, 36);
    enter(&mut script, "/invite");
    for (columns, rows) in [(1, 1), (2, 3), (5, 5), (12, 8), (46, 30), (200, 60)] {
        script.feed(Happening::Wheel(3));
        script.resize(columns, rows);
        script.screen();
    }
    assert!(script.text().contains('█'), "{}", script.text());
}
