//! The input: searching in what was written before, undoing, an editor, and texts that are long.

use crossterm::event::{KeyCode, KeyModifiers};
use insta::assert_snapshot;

use crate::client::tui::script::Script;
use crate::client::tui::state::composer::INPUT_BYTES;
use crate::client::tui::{Effect, Event};
use crate::protocol::command::Command;

fn room() -> Script {
    let mut script = Script::new(80, 18);
    script.online();
    script.join("#rust", 0, "", &["alice"]);
    script.join("#lobby", 0, "", &["alice", "bob"]);
    script.says("#lobby", 1, "bob", "one");
    script.effects.clear();
    script
}

fn text(script: &Script) -> &str {
    script.state.composer().text()
}

fn ctrl(script: &mut Script, c: char) {
    script.key(KeyCode::Char(c), KeyModifiers::CONTROL);
}

fn alt(script: &mut Script, c: char) {
    script.key(KeyCode::Char(c), KeyModifiers::ALT);
}

fn say(script: &mut Script, line: &str) {
    script.write(line);
    script.press(KeyCode::Enter);
}

#[test]
fn what_was_never_written_is_not_found() {
    let mut script = room();
    say(&mut script, "cargo test");
    ctrl(&mut script, 'r');
    script.write("ca");
    assert!(script.text().contains("← cargo test"), "{}", script.text());
    script.write("zz");
    assert!(script.text().contains("nothing like it"), "{}", script.text());
    script.press(KeyCode::Enter);
    assert_eq!(text(&script), "");
}

#[test]
fn a_sentence_about_what_is_gone_goes_too() {
    let mut script = room();
    say(&mut script, "/nope");
    assert!(script.text().contains("there is no command /nope"), "{}", script.text());
    script.press(KeyCode::Left);
    assert!(script.text().contains("there is no command /nope"), "it helps to correct it: {}", script.text());
    ctrl(&mut script, 'u');
    ctrl(&mut script, 'k');
    assert!(!script.text().contains("there is no command"), "{}", script.text());
}

#[test]
fn what_was_written_before_is_found_as_in_a_shell() {
    let mut script = room();
    for line in ["make test", "cargo test", "ls", "cargo test", "Make all"] {
        say(&mut script, line);
    }
    script.write("a draft");
    ctrl(&mut script, 'r');
    script.write("test");
    assert_snapshot!(script.text());
    ctrl(&mut script, 'r');
    assert!(script.text().contains("← make test"), "what says the same is passed over: {}", script.text());
    ctrl(&mut script, 'r');
    assert!(script.text().contains("← make test"), "there is nothing older");
    ctrl(&mut script, 's');
    assert!(script.text().contains("← cargo test"), "{}", script.text());
    script.press(KeyCode::Up);
    assert!(script.text().contains("← make test"), "{}", script.text());
    script.press(KeyCode::Backspace);
    assert!(script.text().contains("search: tes  ← cargo test"), "{}", script.text());
    ctrl(&mut script, 'g');
    assert_eq!(text(&script), "a draft", "what was being written is there again");
    // Enter takes it, and does not say it to everyone yet; undoing brings the draft.
    script.effects.clear();
    ctrl(&mut script, 'r');
    script.write("MAKE");
    assert!(script.text().contains("← Make all"), "{}", script.text());
    script.press(KeyCode::Enter);
    assert_eq!((text(&script), script.effects.len()), ("Make all", 0));
    ctrl(&mut script, '_');
    assert_eq!(text(&script), "a draft");
    // Any other key takes it and does what it does.
    ctrl(&mut script, 'r');
    script.write("ls");
    ctrl(&mut script, 'a');
    script.write("> ");
    assert_eq!(text(&script), "> ls");
    ctrl(&mut script, 'r');
    script.write("zzz");
    assert!(script.text().contains("nothing like it"));
    script.press(KeyCode::Esc);
    assert_eq!(text(&script), "> ls");
}

#[test]
fn what_was_found_far_behind_is_in_sight() {
    let mut script = room();
    say(&mut script, &format!("{}needle and {}", "hay ".repeat(40), "more ".repeat(40)));
    ctrl(&mut script, 'r');
    script.write("needle");
    assert!(script.text().contains("needle and more"), "{}", script.text());
    script.resize(20, 8);
    assert!(script.text().contains("search: needle"), "{}", script.text());
}

#[test]
fn passphrases_are_not_remembered() {
    let mut script = room();
    say(&mut script, "hello");
    for secret in ["/join #rust open sesame please", "/lock open sesame please", "/device 123456"] {
        script.write(secret);
        script.press(KeyCode::Enter);
        ctrl(&mut script, 'c');
        ctrl(&mut script, 'c');
        script.press(KeyCode::Esc);
        script.press(KeyCode::Esc);
        script.press(KeyCode::Up);
        assert!(!text(&script).starts_with('/'), "{}", text(&script));
        ctrl(&mut script, 'u');
    }
}

#[test]
fn undoing_can_be_undone_and_what_was_cut_goes_anywhere() {
    let mut script = room();
    script.write("one two three");
    ctrl(&mut script, 'u');
    ctrl(&mut script, '_');
    ctrl(&mut script, '_');
    assert_eq!(text(&script), "one two");
    alt(&mut script, '_');
    assert_eq!(text(&script), "one two three");
    ctrl(&mut script, 'c');
    assert_eq!(text(&script), "");
    ctrl(&mut script, '_');
    assert_eq!(text(&script), "one two three", "thrown away by mistake");
    ctrl(&mut script, 'w');
    ctrl(&mut script, 'a');
    ctrl(&mut script, 'k');
    // In another room.
    ctrl(&mut script, 'n');
    ctrl(&mut script, 'y');
    assert_eq!(text(&script), "one two ");
    alt(&mut script, 'y');
    assert_eq!(text(&script), "three");
    ctrl(&mut script, 'e');
    alt(&mut script, 'y');
    assert_eq!(text(&script), "three");
    assert!(script.text().contains("first Ctrl-Y puts back what was cut"), "{}", script.text());
}

#[test]
fn an_editor_gets_the_draft_and_gives_it_back() {
    let mut script = room();
    script.write("a dra");
    alt(&mut script, 'e');
    assert_eq!(script.effects, [Effect::Edit("a dra".to_owned())]);
    script.feed(Event::Edited(Ok("a draft\x1b[2J\r\nof two lines\n\n".to_owned())));
    assert_eq!(text(&script), "a draft\u{FFFD}[2J\nof two lines");
    ctrl(&mut script, '_');
    assert_eq!(text(&script), "a dra");
    alt(&mut script, 'e');
    script.feed(Event::Edited(Err("vi ended with exit status: 1. The message is as it was".to_owned())));
    assert!(script.text().contains("vi ended with exit status: 1"));
    assert_eq!(text(&script), "a dra");
    ctrl(&mut script, 'c');
    script.effects.clear();
    say(&mut script, "/editor so");
    assert_eq!((text(&script), script.effects.as_slice()), ("", &[Effect::Edit("so".to_owned())][..]));
    // Meanwhile the room went away.
    let room = script.state.room().unwrap().name.clone();
    script.write("x");
    ctrl(&mut script, 'u');
    say(&mut script, "/part");
    assert!(script.state.place_of(&room).is_none());
    script.feed(Event::Edited(Ok("what was written".to_owned())));
    assert!(script.text().contains("you are not in #lobby any more"), "{}", script.text());
    script.press(KeyCode::Up);
    assert_eq!(text(&script), "what was written");
    script.feed(Event::Edited(Ok("x".repeat(INPUT_BYTES + 1))));
    assert_eq!(text(&script), "what was written");
}

#[test]
fn what_comes_near_the_limit_is_counted_and_what_is_too_long_stays() {
    let mut script = room();
    script.feed(Event::Paste("x".repeat(13_000)));
    assert!(!script.text().contains("16,384"));
    script.feed(Event::Paste("x".repeat(1_000)));
    assert!(script.text().contains("14,000 of 16,384 bytes"), "{}", script.text());
    script.feed(Event::Paste("x".repeat(3_000)));
    script.write("/");
    assert_snapshot!(script.text());
    script.press(KeyCode::Enter);
    assert_eq!(script.effects, []);
    assert!(script.text().contains("at most 16384 are allowed"));
    assert_eq!(text(&script).len(), 17_001);
    for _ in 0..617 {
        script.press(KeyCode::Backspace);
    }
    assert!(script.text().contains("16,384 of 16,384 bytes"));
    script.press(KeyCode::Enter);
    assert!(matches!(script.effects.as_slice(), [Effect::Submit(Command::Send(_))]));
}

#[test]
fn a_huge_paste_is_refused_and_nothing_is_lost_by_it() {
    let mut script = room();
    script.write("a draft");
    script.feed(Event::Paste("word 李 ".repeat(1 << 17)));
    assert!(script.text().contains("KiB were pasted and a message holds 16"), "{}", script.text());
    assert_eq!(text(&script), "a draft");
}

#[test]
fn an_input_of_many_rows_shows_where_there_is_more() {
    let mut script = room();
    for line in 1..=9 {
        script.write(&format!("line {line}"));
        script.key(KeyCode::Enter, KeyModifiers::ALT);
    }
    script.write("end");
    for _ in 0..6 {
        script.press(KeyCode::Up);
    }
    let above_and_below = script.text();
    assert_snapshot!(above_and_below);
    for _ in 0..3 {
        script.press(KeyCode::Up);
    }
    assert!(script.text().contains("alice › line 1"), "{}", script.text());
    script.resize(50, 5);
    assert!(script.text().contains("alice ↓ line 1"), "{}", script.text());
    script.press(KeyCode::Down);
    assert!(script.text().contains("alice ↕ line 2"), "{}", script.text());
}
