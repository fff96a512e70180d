//! Drafts: kept while they are written, there again when one comes back, gone when they are sent.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};
use uuid::Uuid;

use crate::client::link::Update;
use crate::client::tui::script::{Script, room_name};
use crate::client::tui::state::drafts::{Draft, Recalled};
use crate::client::tui::{Effect, Event};
use crate::protocol::command::{Command, RequestId};
use crate::protocol::event::{Event as News, Okay};

fn draft(text: &str) -> Draft {
    Draft { text: text.to_owned(), cursor: text.len(), ..Draft::default() }
}

fn recalled(drafts: &[(&str, Draft)]) -> Event {
    let drafts = drafts.iter().map(|(room, draft)| (room_name(room), draft.clone()));
    Event::Recalled(Recalled { parlor: Uuid::nil(), drafts: drafts.collect(), ..Recalled::default() })
}

fn room(drafts: &[(&str, Draft)]) -> Script {
    let mut script = Script::new(80, 18);
    script.online();
    script.feed(recalled(drafts));
    script.join("#rust", 0, "", &["alice"]);
    script.join("#lobby", 0, "", &["alice", "bob"]);
    script.says("#lobby", 1, "bob", "did the build pass?");
    script.effects.clear();
    script
}

/// What was kept since it was asked last: rooms with their drafts.
fn kept(script: &mut Script) -> Vec<(String, Option<Draft>)> {
    let kept = std::mem::take(&mut script.kept).into_iter().filter_map(|effect| match effect {
        Effect::KeepDrafts(_, changes) => Some(changes),
        _ => None,
    });
    kept.flatten().map(|(room, draft)| (room.to_string(), draft)).collect()
}

fn lobby(draft: Draft) -> (String, Option<Draft>) {
    ("#lobby".to_owned(), Some(draft))
}

#[test]
fn what_is_written_is_kept_every_few_seconds() {
    let mut script = room(&[]);
    script.write("yes, ");
    script.pass(Duration::from_secs(2));
    assert_eq!(kept(&mut script), []);
    script.write("in");
    assert!(script.state.deadline().is_some(), "somebody wakes up for it");
    script.pass(Duration::from_secs(1));
    assert_eq!(kept(&mut script), [lobby(draft("yes, in"))]);
    script.pass(Duration::from_secs(60));
    assert_eq!(kept(&mut script), [], "it is kept already");
    script.press(KeyCode::Left);
    script.feed(Event::Focus(false));
    assert_eq!(kept(&mut script), [lobby(Draft { cursor: 6, ..draft("yes, in") })]);
    script.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    script.pass(Duration::from_millis(500));
    assert_eq!(kept(&mut script), [("#lobby".to_owned(), None)]);
}

#[test]
fn it_is_kept_at_once_when_one_goes() {
    let mut script = room(&[]);
    script.write("half a thou");
    script.key(KeyCode::Char('n'), KeyModifiers::CONTROL);
    assert_eq!(kept(&mut script), [lobby(draft("half a thou"))]);
    script.says("#lobby", 2, "bob", "well?");
    let screen = script.text();
    let row = screen.lines().find(|row| row.contains("#lobby")).unwrap_or_default();
    assert!(row.contains("✎ 1"), "{screen}");
    script.write("x");
    script.feed(Event::Terminate);
    assert_eq!(kept(&mut script), [("#rust".to_owned(), Some(draft("x")))]);
}

#[test]
fn it_is_there_again_with_what_it_is_about() {
    let mut script = room(&[
        ("#lobby", Draft { answers: Some(1), cursor: 3, ..draft("yes, in 3\x1b[2J min") }),
        ("#rust", Draft { edits: Some(7), before: "a draft".to_owned(), ..draft("corrected") }),
        ("#later", draft("of another day")),
    ]);
    assert!(script.text().contains("answering bob: did the build pass?"), "{}", script.text());
    assert_eq!(script.state.composer().text(), "yes, in 3\u{FFFD}[2J min");
    assert_eq!(script.state.composer().cursor(), 3);
    script.key(KeyCode::Char('n'), KeyModifiers::CONTROL);
    assert_eq!(script.state.composer().text(), "corrected");
    script.press(KeyCode::Esc);
    assert_eq!(script.state.composer().text(), "a draft");
    // Entered later, left and entered again.
    script.join("#later", 0, "", &["alice"]);
    assert_eq!(script.state.composer().text(), "of another day");
    script.write("!");
    script.feed(Event::Focus(false));
    script.key(KeyCode::Char('n'), KeyModifiers::CONTROL);
    script.write("/part #later");
    script.press(KeyCode::Enter);
    script.join("#later", 0, "", &["alice"]);
    assert_eq!(script.state.composer().text(), "of another day!");
}

#[test]
fn what_was_sent_is_kept_until_it_is_stored() {
    let mut script = room(&[]);
    script.write("/me waves");
    script.press(KeyCode::Enter);
    let Some(Effect::Submit(Command::Send(send))) = script.effects.pop() else { panic!() };
    script.write("and");
    script.pass(Duration::from_secs(3));
    let unsent = Draft { unsent: vec!["/me waves".to_owned()], ..draft("and") };
    assert_eq!(kept(&mut script), [lobby(unsent.clone())]);
    script.hear(News::Ok(Okay { re: Some(RequestId::from(send.id)), seq: Some(2), ..Okay::default() }));
    assert_eq!(kept(&mut script), [lobby(draft("and"))]);
    // Stored or not: whoever comes back decides.
    let mut script = room(&[("#lobby", unsent)]);
    assert_eq!(script.state.composer().text(), "/me waves\nand");
    assert!(script.text().contains("what was not stored when you left is in the input of #lobby again"));
}

#[test]
fn leaving_says_that_nothing_is_lost() {
    let mut script = room(&[]);
    let retry_at = script.now.instant + Duration::from_secs(9);
    script.news(Update::Offline { why: "it broke".to_owned(), retry_at });
    script.write("hi");
    script.press(KeyCode::Enter);
    script.write("/quit");
    script.press(KeyCode::Enter);
    let text = script.text().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("it will be in the input when you come back"), "{text}");
}

#[test]
fn passphrases_are_not_kept() {
    let mut script = room(&[]);
    script.write("/lock open sesame please");
    script.feed(Event::Focus(false));
    assert_eq!(script.kept, []);
    script.press(KeyCode::Enter);
    script.write("/topic x");
    script.press(KeyCode::Enter);
    script.pass(Duration::from_secs(3));
    let inputs = script.kept.iter().filter(|effect| matches!(effect, Effect::KeepInput(..)));
    assert_eq!(inputs.collect::<Vec<_>>(), [&Effect::KeepInput(Uuid::nil(), "/topic x".to_owned())]);
}

#[test]
fn what_was_written_in_earlier_sessions_is_one_key_away() {
    let mut script = room(&[]);
    let inputs = ["old\x1b", "newer"].map(str::to_owned).to_vec();
    let wrong = Some("drafts are not kept this time: move the file away".to_owned());
    script.feed(Event::Recalled(Recalled { parlor: Uuid::nil(), inputs, wrong, ..Recalled::default() }));
    assert!(script.text().contains("drafts are not kept this time"));
    script.press(KeyCode::Up);
    script.press(KeyCode::Up);
    assert_eq!(script.state.composer().text(), "old\u{FFFD}");
}
