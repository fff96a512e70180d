//! What a word could become: the list above the input, and the line that says what a command takes.

use crossterm::event::{KeyCode, KeyModifiers};
use insta::assert_snapshot;

use crate::client::tui::Effect;
use crate::client::tui::script::{Script, person, presence};
use crate::client::tui::settings::Popup;
use crate::protocol::command::Command;
use crate::protocol::event::{Event as News, Role};
use crate::protocol::text::Line;

fn room(columns: u16, rows: u16) -> Script {
    let mut script = Script::new(columns, rows);
    script.online();
    script.join("#rust", 0, "all about crabs", &["alice", "bob"]);
    script.join("#lobby", 0, "Friday: demo at 15:00", &["alice", "bob"]);
    let mut news = presence("#lobby", &["alice", "bob", "bea", "Bartholomew"]);
    for person in news.people.iter_mut().flatten() {
        match person.nick.as_str() {
            "bob" => person.away = Some(Line::lossy("lunch, back at two")),
            "bea" => person.role = Some(Role::Operator),
            _ => {}
        }
    }
    script.hear(News::Presence(news));
    for (seq, text) in
        (1..).zip(["did the build pass?", "it did", "then let us have some cake 蛋糕蛋糕蛋糕蛋糕"])
    {
        script.says("#lobby", seq, "bob", text);
    }
    script.effects.clear();
    script
}

fn text(script: &Script) -> &str {
    script.state.composer().text()
}

fn commands_sent(script: &Script) -> usize {
    script.effects.iter().filter(|effect| matches!(effect, Effect::Submit(_))).count()
}

#[test]
fn commands_are_listed_as_soon_as_one_is_begun() {
    let mut script = room(120, 36);
    script.write("/to");
    assert_snapshot!(script.text());
}

#[test]
fn a_list_that_is_longer_scrolls() {
    let mut script = room(80, 24);
    script.write("/");
    for _ in 0..9 {
        script.press(KeyCode::Tab);
    }
    assert_snapshot!(script.text());
}

#[test]
fn names_are_listed_with_who_they_are() {
    let mut script = room(80, 24);
    script.write("hi @b");
    assert_snapshot!(script.text());
    script.press(KeyCode::Tab);
    assert_eq!(text(&script), "hi @bob ");
}

#[test]
fn emoji_are_listed_on_a_small_screen() {
    let mut script = room(50, 12);
    script.write("well :ta");
    script.press(KeyCode::Down);
    assert_snapshot!(script.text());
}

#[test]
fn rooms_are_listed_with_their_topics_and_a_command_says_what_it_takes() {
    let mut script = room(80, 18);
    script.write("/join #r");
    assert_snapshot!(script.text());
    script.write("ust ope");
    assert!(script.text().contains("/join ROOM ‹[WORDS]›  enter a room"), "{}", script.text());
    script.write("n sesame");
    assert!(script.text().contains("/join ROOM ‹[WORDS]›"), "the last one takes all that follows");
}

#[test]
fn what_there_is_no_room_for_is_left_out() {
    for (columns, rows) in
        [(50, 12), (40, 10), (30, 7), (20, 6), (12, 5), (9, 4), (5, 3), (2, 2), (1, 1), (1, 30), (200, 1)]
    {
        for written in ["/", "/join #r", ":ta", "@b", "/notify ", "/jion #x"] {
            let mut script = room(columns, rows);
            script.write(written);
            script.text();
            for key in [KeyCode::Tab, KeyCode::Down, KeyCode::Up, KeyCode::BackTab, KeyCode::Esc] {
                script.press(key);
                script.text();
            }
        }
    }
    // Without a place above the input, what is offered stands in the last row.
    let mut script = room(80, 4);
    script.write("@b");
    assert!(script.text().lines().last().unwrap().contains("bob  Bartholomew  bea"), "{}", script.text());
}

#[test]
fn enter_sends_unless_the_arrows_went_into_the_list() {
    let mut script = room(80, 24);
    script.write("/me @b");
    script.press(KeyCode::Enter);
    assert_eq!((text(&script), commands_sent(&script)), ("", 1), "it was only offered");
    script.write("@b");
    script.press(KeyCode::Tab);
    script.press(KeyCode::Enter);
    assert_eq!((text(&script), commands_sent(&script)), ("", 2), "Tab has written it");
    script.write("@b");
    script.press(KeyCode::Down);
    script.press(KeyCode::Down);
    assert!(script.text().contains("› Bartholomew"), "{}", script.text());
    assert_eq!(text(&script), "@Bartholomew ");
    script.press(KeyCode::Enter);
    let sent = commands_sent(&script);
    assert_eq!((text(&script), sent), ("@Bartholomew ", 2), "Enter takes what the arrows chose");
    assert!(!script.text().contains("› Bartholomew"));
    script.press(KeyCode::Enter);
    assert_eq!((text(&script), commands_sent(&script)), ("", 3));
}

#[test]
fn a_list_that_was_closed_stays_closed_for_this_word() {
    let mut script = room(80, 24);
    script.write("hi @b");
    script.press(KeyCode::Up);
    assert_eq!(text(&script), "hi @bea ");
    script.press(KeyCode::Esc);
    assert_eq!(text(&script), "hi @b", "what was typed is there again");
    assert!(!script.text().contains("operator"));
    script.write("e");
    assert!(!script.text().contains("operator"));
    script.write(" and @b");
    assert!(script.text().contains("operator"), "{}", script.text());
    // Tab lists them all the same.
    script.press(KeyCode::Esc);
    script.press(KeyCode::Tab);
    assert!(script.text().contains("› bob"), "{}", script.text());
}

#[test]
fn the_arrows_are_the_historys_where_one_goes_through_it_and_the_inputs_where_it_has_rows() {
    let mut script = room(80, 24);
    for line in ["one", "@b"] {
        script.write(line);
        script.press(KeyCode::Enter);
    }
    script.press(KeyCode::Up);
    assert_eq!(text(&script), "@b");
    assert!(!script.text().contains("operator"));
    script.press(KeyCode::Up);
    assert_eq!(text(&script), "one");
    script.key(KeyCode::Enter, KeyModifiers::ALT);
    script.write("@b");
    assert!(script.text().contains("operator"));
    script.press(KeyCode::Up);
    assert_eq!((text(&script), script.state.composer().cursor()), ("one\n@b", 2));
}

#[test]
fn who_wants_no_list_gets_one_by_tab() {
    let mut script = room(80, 24);
    script.state.company.settings.completion_popup = Popup::Tab;
    script.write("@b");
    assert!(!script.text().contains("operator"));
    script.press(KeyCode::Tab);
    assert!(script.text().contains("operator"), "{}", script.text());
}

#[test]
fn tab_puts_the_command_in_the_place_of_what_is_none() {
    let mut script = room(80, 24);
    script.write("/jion #rust");
    script.press(KeyCode::Enter);
    assert!(script.text().contains("did you mean /join?"));
    script.press(KeyCode::Tab);
    assert_eq!(text(&script), "/join #rust");
    assert_eq!(script.state.composer().cursor(), "/join #rust".len());
    assert!(!script.text().contains("did you mean"));
    script.press(KeyCode::Enter);
    assert_eq!(text(&script), "");
    script.write("/quti");
    script.press(KeyCode::Tab);
    assert_eq!(text(&script), "/quit ");
    script.key(KeyCode::Char('u'), KeyModifiers::CONTROL);
    // By another name of it too; and what is like nothing stays.
    script.write("/lea");
    script.press(KeyCode::Tab);
    assert_eq!(text(&script), "/leave ");
    script.key(KeyCode::Char('u'), KeyModifiers::CONTROL);
    script.write("/xyzzy a");
    script.press(KeyCode::Tab);
    assert!(text(&script).starts_with("/xyzzy "));
}

#[test]
fn a_list_is_gone_when_its_word_is() {
    let mut script = room(80, 24);
    script.write("@b");
    script.press(KeyCode::Tab);
    script.key(KeyCode::Char('n'), KeyModifiers::CONTROL);
    script.write("@");
    script.text();
    script.press(KeyCode::Tab);
    script.key(KeyCode::Char('p'), KeyModifiers::CONTROL);
    script.press(KeyCode::Tab);
    script.text();
    assert!(matches!(text(&script), "@bob " | "@bob bob "), "{}", text(&script));
    // In code, and within words, nothing is offered.
    for written in ["`@b", "a@b", "x #", "//to", " /to"] {
        script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
        script.write(written);
        assert!(script.state.completion.is_none(), "{written}");
    }
}

#[test]
fn somebody_who_is_many_does_not_slow_the_typing() {
    let mut script = room(80, 24);
    let mut news = presence("#lobby", &[]);
    news.people = Some((0..5000).map(|number| person(&format!("bot{number}"))).collect());
    script.hear(News::Presence(news));
    script.write("@b");
    assert!(script.state.completion.as_ref().unwrap().candidates.len() <= 100);
    assert!(script.effects.iter().all(|effect| !matches!(effect, Effect::Submit(Command::Send(_)))));
}
