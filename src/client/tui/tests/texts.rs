//! How texts look, and what is done with what stands in them.

use crossterm::event::{KeyCode, KeyModifiers};
use insta::assert_snapshot;
use ratatui::style::Modifier;

use crate::client::tui::script::{Script, entry};
use crate::client::tui::theme::{Colours, Theme};
use crate::client::tui::{Effect, Event};
use crate::protocol::command::Command;

/// A talk in which everything is used.
fn talk(columns: u16, rows: u16) -> Script {
    let mut script = Script::new(columns, rows);
    script.online();
    script.join("#lobby", 0, "*not* bold", &["alice", "bob", "carol"]);
    for (seq, from, text) in [
        (1, "bob", "**bold**, *italic*, ~~struck~~, `code`; snake_case and 2*3*4 as typed"),
        (2, "bob", "**Alice**, look: `alice` is a variable"),
        (
            3,
            "carol",
            "```rust\nfn main() {\n\tlet x = 42; // a comment that goes on for quite a while, far beyond any edge\n    println!(\"{x}\");\n}\n```\nthat is all",
        ),
        (
            4,
            "bob",
            "> did the build pass? I have been waiting for it since nine o'clock this morning\n> > no\nyes",
        ),
        (
            5,
            "carol",
            "to do:\n- milk\n- a list item that is long enough to be wrapped at most of the widths there are here, is it not\n  - within\n10. ten",
        ),
        (
            6,
            "bob",
            "see [the docs](https://example.org/docs/markdown_(syntax)) and https://example.org/a_b_c.",
        ),
        (7, "bob", "# Heading\n| no | table |\n<b>no html</b> &amp; ![no image](x.png)"),
    ] {
        script.says("#lobby", seq, from, text);
    }
    let mut act = entry("#lobby", 8, "carol", "waves at *alice*");
    act.action = true;
    act.at = script.now.time;
    script.entry(act);
    script
}

#[test]
fn a_talk_at_120_by_36() {
    assert_snapshot!(talk(120, 36).text());
}

#[test]
fn a_talk_at_80_by_24() {
    assert_snapshot!(talk(80, 24).text());
}

#[test]
fn a_talk_at_50_by_12() {
    assert_snapshot!(talk(50, 12).text());
}

#[test]
fn a_talk_at_30_by_40() {
    assert_snapshot!(talk(30, 40).text());
}

/// How the first cell looks in which `text` begins on the screen.
fn modifiers(script: &mut Script, text: &str) -> Modifier {
    let (buffer, _) = script.screen();
    let cells = buffer.content();
    let first = (0..cells.len()).find(|place| {
        let shown: String =
            cells[*place..].iter().take(text.chars().count()).map(ratatui::buffer::Cell::symbol).collect();
        shown == text
    });
    cells[first.unwrap_or_else(|| panic!("{text} is not on the screen"))].modifier
}

#[test]
fn everything_is_told_apart_without_colours() {
    let mut script = talk(120, 36);
    script.state.theme = Theme::new(Colours::None);
    for (text, modifier) in [
        ("bold,", Modifier::BOLD),
        ("italic,", Modifier::ITALIC),
        ("struck,", Modifier::CROSSED_OUT | Modifier::DIM),
        ("code;", Modifier::REVERSED),
        ("Alice,", Modifier::BOLD),
        ("is a variable", Modifier::empty()),
        ("let x", Modifier::BOLD),
        ("// a comment", Modifier::DIM | Modifier::ITALIC),
        ("https://example.org/a", Modifier::UNDERLINED),
        ("# Heading", Modifier::BOLD),
        ("not* bold", Modifier::empty()),
    ] {
        assert_eq!(modifiers(&mut script, text), modifier, "{text}");
    }
}

#[test]
fn links_in_sight_are_listed_opened_and_copied() {
    let mut script = talk(80, 36);
    script.says("#lobby", 9, "carol", "parlor://example.org:7878 or https://example.org/a_b_c");
    let links = |script: &mut Script| {
        script.effects.clear();
        script.key(KeyCode::Char('o'), KeyModifiers::ALT);
    };
    links(&mut script);
    assert_snapshot!(script.text());
    // Here nothing can be opened.
    script.press(KeyCode::Enter);
    assert_eq!(script.effects, [Effect::Copy("https://example.org/a_b_c".to_owned())]);
    script.state.can_open = true;
    links(&mut script);
    script.press(KeyCode::Down);
    script.press(KeyCode::Enter);
    assert_eq!(script.effects, [Effect::Copy("parlor://example.org:7878".to_owned())]);
    links(&mut script);
    script.press(KeyCode::End);
    script.press(KeyCode::Enter);
    let docs = "https://example.org/docs/markdown_(syntax)".to_owned();
    assert_eq!(script.effects, [Effect::Open(docs.clone())]);
    links(&mut script);
    script.press(KeyCode::End);
    script.press(KeyCode::Char('c'));
    assert_eq!(script.effects, [Effect::Copy(docs)]);
    assert!(!script.text().contains("links in sight"));
    // Of what is not in sight there is none.
    script.resize(80, 9);
    for seq in 10..30 {
        script.says("#lobby", seq, "bob", "nothing");
    }
    links(&mut script);
    assert!(script.text().contains("there are no links in sight"), "{}", script.text());
}

#[test]
fn a_link_that_is_longer_than_the_screen_is_shown_in_full() {
    let mut script = talk(50, 12);
    script.says("#lobby", 9, "carol", &format!("https://example.org/{}/the-end", "x".repeat(300)));
    script.key(KeyCode::Char('o'), KeyModifiers::ALT);
    assert_snapshot!(script.text());
    script.press(KeyCode::Down);
    script.press(KeyCode::Up);
    script.resize(20, 5);
    assert!(script.text().contains("https://e"), "{}", script.text());
}

fn said(script: &Script) -> Vec<String> {
    let said = script.effects.iter().filter_map(|effect| match effect {
        Effect::Submit(Command::Send(send)) => Some(send.text.to_string()),
        _ => None,
    });
    said.collect()
}

fn room() -> Script {
    let mut script = Script::new(80, 18);
    script.online();
    script.join("#lobby", 0, "", &["alice", "bob"]);
    script.effects.clear();
    script
}

#[test]
fn names_of_emoji_are_offered_and_replaced() {
    let mut script = room();
    script.write("done :tad");
    assert!(script.text().contains("│  🎉 tada  │"), "{}", script.text());
    script.press(KeyCode::Tab);
    assert_eq!(script.state.composer().text(), "done 🎉");
    script.write(" :+1: `:tada:`");
    script.press(KeyCode::Enter);
    script.write("/me dances :tada:");
    script.press(KeyCode::Enter);
    assert_eq!(said(&script), ["done 🎉 👍 `:tada:`", "dances 🎉"]);
    // As it was typed, to be changed.
    script.press(KeyCode::Up);
    assert_eq!(script.state.composer().text(), "/me dances :tada:");
}

const CODE: &str = "fn main() {\n    println!(\"hello\");\n}";

#[test]
fn pasted_code_is_sent_as_a_block() {
    let block = format!("```\n{CODE}\n```");
    for (key, expected) in [
        (KeyCode::Enter, Some(format!("see:\n{block}"))),
        (KeyCode::Char('c'), Some(format!("see:\n{block}"))),
        (KeyCode::Char('t'), Some(format!("see:{CODE}"))),
        (KeyCode::Esc, None),
    ] {
        let mut script = room();
        script.write("see:");
        script.feed(Event::Paste(CODE.to_owned()));
        if key == KeyCode::Enter {
            assert_snapshot!(script.text());
        }
        // No answer.
        script.press(KeyCode::Char('x'));
        script.press(key);
        assert_eq!(said(&script), expected.clone().into_iter().collect::<Vec<_>>(), "{key:?}");
        assert_eq!(script.state.composer().text(), if expected.is_some() { "" } else { "see:" });
    }
}

#[test]
fn pasted_code_can_be_edited_and_goes_on_where_it_was_begun() {
    let mut script = room();
    script.feed(Event::Paste(CODE.to_owned()));
    script.press(KeyCode::Char('e'));
    assert_eq!(script.state.composer().text(), format!("```\n{CODE}\n```"));
    script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    script.write("```rust");
    assert!(script.text().contains("Alt-Enter new line"), "{}", script.text());
    script.key(KeyCode::Enter, KeyModifiers::ALT);
    script.feed(Event::Paste(CODE.to_owned()));
    assert_eq!(script.state.composer().text(), format!("```rust\n{CODE}"));
}

#[test]
fn a_link_can_be_opened_where_one_sits() {
    let can_open =
        |set: &[&str]| crate::client::tui::can_open(|name| set.contains(&name).then(|| "x".to_owned()));
    assert!(can_open(&["DISPLAY"]) && can_open(&["WAYLAND_DISPLAY"]));
    assert!(!can_open(&["DISPLAY", "SSH_CONNECTION"]));
}
