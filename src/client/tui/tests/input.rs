//! Writing: keys, completion, pastes, commands.

use crossterm::event::{KeyCode, KeyModifiers};
use insta::assert_snapshot;

use crate::client::tui::script::Script;
use crate::client::tui::{Effect, Event};
use crate::protocol::command::Command;

fn room() -> Script {
    let mut script = Script::new(80, 18);
    script.online();
    script.join("#lobby", 0, "", &["alice", "bob", "Bartholomew", "李雷"]);
    script.says("#lobby", 1, "bob", "one");
    script.says("#lobby", 2, "Bartholomew", "two");
    script.says("#lobby", 3, "李雷", "three");
    script.effects.clear();
    script
}

fn text(script: &Script) -> &str {
    script.state.composer().text()
}

fn said(script: &Script) -> Vec<String> {
    let said = script.effects.iter().filter_map(|effect| match effect {
        Effect::Submit(Command::Send(send)) => Some(send.text.to_string()),
        _ => None,
    });
    said.collect()
}

#[test]
fn names_are_completed_by_who_spoke_last() {
    let mut script = room();
    script.write("b");
    script.press(KeyCode::Tab);
    assert_eq!(text(&script), "Bartholomew: ");
    assert!(
        script.text().contains("│› Bartholomew") && script.text().contains("│  bob"),
        "{}",
        script.text()
    );
    script.press(KeyCode::Tab);
    assert_eq!(text(&script), "bob: ");
    script.press(KeyCode::BackTab);
    script.write("and @b");
    script.press(KeyCode::BackTab);
    assert_eq!(text(&script), "Bartholomew: and @bob ");
    script.write("李");
    script.press(KeyCode::Tab);
    assert_eq!(text(&script), "Bartholomew: and @bob 李雷 ");
}

#[test]
fn a_completion_in_the_middle_takes_the_space_that_is_there() {
    let mut script = room();
    script.write("say to ba today");
    for _ in " today".chars() {
        script.press(KeyCode::Left);
    }
    script.press(KeyCode::Tab);
    assert_eq!(text(&script), "say to Bartholomew today");
    script.key(KeyCode::Char('u'), KeyModifiers::CONTROL);
    script.write("b");
    script.press(KeyCode::Tab);
    assert_eq!(text(&script), "Bartholomew: today");
    script.press(KeyCode::Tab);
    assert_eq!(text(&script), "bob: today");
}

#[test]
fn commands_and_rooms_are_completed() {
    let mut script = room();
    script.join("#rust", 0, "", &[]);
    script.write("/jo");
    script.press(KeyCode::Tab);
    script.write("ru");
    script.press(KeyCode::Tab);
    assert_eq!(text(&script), "/join #rust ");
    script.press(KeyCode::Enter);
    script.write("see #lo");
    script.press(KeyCode::Tab);
    assert_eq!(text(&script), "see #lobby ");
    script.write("xyz");
    script.press(KeyCode::Tab);
    assert_eq!(text(&script), "see #lobby xyz");
}

#[test]
fn an_empty_line_does_nothing() {
    let mut script = room();
    let before = script.text();
    script.press(KeyCode::Enter);
    script.write("  ");
    script.press(KeyCode::Enter);
    assert_eq!(script.effects, []);
    script.key(KeyCode::Char('u'), KeyModifiers::CONTROL);
    assert_eq!(script.text(), before);
}

#[test]
fn exit_alone_asks_whether_to_leave() {
    for (answer, said_it, leaves) in
        [(KeyCode::Esc, false, false), (KeyCode::Char('s'), true, false), (KeyCode::Enter, false, true)]
    {
        let mut script = room();
        script.write("exit");
        script.press(KeyCode::Enter);
        assert!(script.text().contains("You wrote \"exit\": leave parlor?"));
        assert!(script.text().contains("Enter leave · s say it · Esc go back"));
        assert_eq!(script.effects, []);
        script.press(answer);
        assert_eq!(said(&script) == ["exit"], said_it);
        assert_eq!(script.effects.contains(&Effect::Quit), leaves);
    }
    let mut script = room();
    script.write("we quit");
    script.press(KeyCode::Enter);
    assert_eq!(said(&script), ["we quit"]);
}

#[test]
fn a_short_paste_is_written_and_a_long_one_is_asked_about() {
    let mut script = room();
    script.feed(Event::Paste("a\r\nb\n".to_owned()));
    assert_eq!(text(&script), "a\nb");
    script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    let page = (1..=12).map(|line| format!("\tline {line}")).collect::<Vec<_>>().join("\n");
    script.feed(Event::Paste(page.clone()));
    assert_snapshot!(script.text());
    script.press(KeyCode::Left);
    script.press(KeyCode::Esc);
    assert_eq!((text(&script), said(&script).len()), ("", 0));
    script.feed(Event::Paste(page.clone()));
    script.press(KeyCode::Tab);
    assert_eq!(text(&script), page);
    script.key(KeyCode::Char('_'), KeyModifiers::CONTROL);
    assert_eq!(text(&script), "");
    script.feed(Event::Paste(page.clone()));
    script.press(KeyCode::Enter);
    assert_eq!(said(&script), [page]);
}

#[test]
fn a_paste_cannot_smuggle_in_a_command_or_an_escape() {
    let mut script = room();
    script.feed(Event::Paste(format!("/quit\x1b[2J{}", "\nx".repeat(6))));
    script.press(KeyCode::Enter);
    assert_eq!(said(&script), [format!("/quit\u{FFFD}[2J{}", "\nx".repeat(6))]);
}

#[test]
fn what_is_too_long_stays_in_the_input() {
    let mut script = room();
    script.feed(Event::Paste("x".repeat(17_000)));
    script.press(KeyCode::Enter);
    assert_eq!(said(&script).len(), 0);
    assert!(script.text().contains("at most 16384 are allowed"), "{}", script.text());
    assert_eq!(text(&script).len(), 17_000);
}

#[test]
fn the_input_grows_to_a_third_of_the_screen_and_follows_the_cursor() {
    let mut script = room();
    for line in 1..=9 {
        script.write(&format!("line {line}"));
        script.key(KeyCode::Enter, KeyModifiers::ALT);
    }
    script.write("end");
    assert_snapshot!(script.text());
    for _ in 0..8 {
        script.press(KeyCode::Up);
    }
    let (_, cursor) = script.screen();
    let screen = script.text();
    let row = screen.lines().nth(usize::from(cursor.y)).unwrap();
    assert!(row.contains("line 2"), "{row}");
    assert_eq!(usize::from(cursor.x), " alice › ".chars().count() + 3);
}

#[test]
fn the_cursor_is_where_the_text_is() {
    let mut script = room();
    script.write("李雷👍e\u{301}");
    let prompt = u16::try_from(" alice › ".chars().count()).unwrap();
    assert_eq!(script.screen().1.x, prompt + 7);
    script.press(KeyCode::Left);
    assert_eq!(script.screen().1.x, prompt + 6);
    script.press(KeyCode::Left);
    assert_eq!(script.screen().1.x, prompt + 4);
}

#[test]
fn what_was_said_before_comes_back() {
    let mut script = room();
    for line in ["one", "two, in two\nlines"] {
        script.feed(Event::Paste(line.to_owned()));
        script.press(KeyCode::Enter);
    }
    script.write("draft");
    script.press(KeyCode::Up);
    assert_eq!(text(&script), "two, in two\nlines");
    script.press(KeyCode::Up);
    script.press(KeyCode::Up);
    assert_eq!(text(&script), "one");
    script.press(KeyCode::Down);
    script.press(KeyCode::Down);
    assert_eq!(text(&script), "draft");
    script.key(KeyCode::Char('r'), KeyModifiers::CONTROL);
    script.write("ON");
    assert!(script.text().contains("search: ON  ← one"), "{}", script.text());
    script.press(KeyCode::Enter);
    assert_eq!(text(&script), "one");
}

#[test]
fn a_command_that_is_none_stays_and_says_what_was_meant() {
    let mut script = room();
    script.write("/jion #rust");
    script.press(KeyCode::Enter);
    assert!(script.text().contains("there is no command /jion: did you mean /join?"));
    assert_eq!((text(&script), script.effects.len()), ("/jion #rust", 0));
    script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    script.write("/join #a b");
    script.press(KeyCode::Enter);
    assert!(script.text().contains("a space cannot be part of a name"));
    script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    script.write("//etc");
    script.press(KeyCode::Enter);
    assert_eq!(said(&script), ["/etc"]);
}

#[test]
fn leaving_by_keys_is_asked_about() {
    let mut script = room();
    script.write("x");
    script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert!(script.text().contains("Leave parlor?"));
    assert_eq!(script.effects, []);
    script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(script.effects, [Effect::Quit]);
}

#[test]
fn whoever_writes_on_stays_and_loses_no_letter() {
    for leave in ['c', 'd'] {
        let mut script = room();
        script.key(KeyCode::Char(leave), KeyModifiers::CONTROL);
        assert!(script.text().contains("Leave parlor?"));
        script.write("text after");
        assert_eq!(text(&script), "text after");
        script.press(KeyCode::Enter);
        assert_eq!(
            (said(&script), script.effects.contains(&Effect::Quit)),
            (vec!["text after".into()], false)
        );
    }
    let mut script = room();
    script.write("exit");
    script.press(KeyCode::Enter);
    script.write(" here");
    assert_eq!(text(&script), "exit here");
}

#[test]
fn whoever_writes_on_behind_a_paste_loses_no_letter() {
    let mut script = room();
    let lines = "line\n".repeat(7);
    script.feed(Event::Paste(lines.clone()));
    assert!(script.text().contains("Tab edits first"), "{}", script.text());
    script.write("see this");
    assert_eq!(text(&script), format!("{lines}see this"));
    // Another paste while it is asked is part of it.
    script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    script.feed(Event::Paste(lines.clone()));
    script.feed(Event::Paste("end".to_owned()));
    script.press(KeyCode::Enter);
    assert_eq!(said(&script), [format!("{lines}end")]);
}

#[test]
fn a_host_is_asked_before_others_lose_the_room() {
    let mut script = Script::new(80, 18).hosting("192.168.1.7");
    script.online();
    script.join("#lobby", 0, "", &["alice", "bob", "carol"]);
    script.join("#rust", 0, "", &["alice", "bob"]);
    script.effects.clear();
    script.write("/quit");
    script.press(KeyCode::Enter);
    assert_eq!(script.effects, []);
    assert!(script.text().contains("2 others are here and will lose the room"), "{}", script.text());
    script.press(KeyCode::Esc);
    script.key(KeyCode::Char('d'), KeyModifiers::CONTROL);
    assert!(script.text().contains("2 others are here and will lose the room"));
    script.press(KeyCode::Enter);
    assert_eq!(script.effects, [Effect::Quit]);
    // Alone, or as a guest, nobody loses anything.
    let mut script = Script::new(80, 18).hosting("192.168.1.7");
    script.online();
    script.join("#lobby", 0, "", &["alice"]);
    script.effects.clear();
    script.write("/quit");
    script.press(KeyCode::Enter);
    assert_eq!(script.effects, [Effect::Quit]);
}
