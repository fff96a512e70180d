//! The thread that a message belongs to.

use crossterm::event::KeyCode;
use insta::assert_snapshot;

use super::reading_mode::{chosen, esc};
use crate::client::link::Update;
use crate::client::tui::Effect;
use crate::client::tui::script::{Script, change, entry, nick, room_name};
use crate::client::tui::state::Overlay;
use crate::protocol::command::{Command, History, Place};
use crate::protocol::event::{Entry, EntryKind, ErrorCode, Event, Failure, Page};

/// The messages of a room in which a question is answered between much else.
fn log(seq: u64) -> Entry {
    let (from, text, reply_to) = match seq {
        10 => ("bob", "does anybody know why the build is so slow since Monday?", None),
        14 => ("carol", "the cache is gone: somebody cleaned the disk", Some(10)),
        15 => ("dave", "which one? There are three, and the one that I know of is full again", Some(14)),
        22 => ("alice", "I see it too, twelve minutes", Some(10)),
        31 => ("carol", "`/srv/cache`, and it is coming back:\n```\ndu -sh /srv/cache\n41G\n```", Some(15)),
        40 => ("bob", "thanks!", Some(31)),
        _ => ("erin", "something else", None),
    };
    Entry { reply_to, ..entry("#a", seq, from, text) }
}

fn script(columns: u16, rows: u16) -> Script {
    let mut script = Script::new(columns, rows);
    script.online();
    script.join("#a", 45, "Friday: demo at 15:00", &["alice", "bob", "carol"]);
    (1..=45).for_each(|seq| script.entry(log(seq)));
    script.effects.clear();
    script
}

/// The message that is chosen in the thread.
fn chosen_there(script: &Script) -> Option<u64> {
    match &script.state.overlay {
        Some(Overlay::Thread(thread)) => Some(thread.chosen),
        _ => None,
    }
}

/// Reads the message `seq`.
fn read(script: &mut Script, seq: u64) {
    esc(script);
    while chosen(script) != Some(seq) {
        let before = chosen(script);
        script.write("k");
        assert_ne!(chosen(script), before, "{}", script.text());
    }
}

/// The one page that was asked for.
fn asked(script: &mut Script) -> History {
    let asked = script.asked();
    let [Command::History(history)] = asked.as_slice() else { panic!("{asked:?}") };
    history.clone()
}

fn page(script: &mut Script, history: &History, entries: Vec<Entry>) {
    let (re, room) = (history.id.clone(), room_name("#a"));
    script.hear(Event::Page(Page { re, room, entries, last: 900 }));
}

#[test]
fn all_of_it_is_shown_in_order() {
    for (columns, rows) in [(120, 36), (80, 24), (50, 12)] {
        let mut script = script(columns, rows);
        read(&mut script, 31);
        script.press(KeyCode::Enter);
        assert_eq!(chosen_there(&script), Some(31));
        assert_snapshot!(format!("thread_{columns}"), script.text());
    }
    for (columns, rows) in [(1, 1), (3, 2), (12, 4), (30, 6)] {
        let mut script = script(80, 24);
        read(&mut script, 31);
        script.press(KeyCode::Enter);
        script.resize(columns, rows);
        script.text();
    }
}

#[test]
fn keys_choose_in_it_answer_and_go_into_the_room() {
    let mut script = script(80, 24);
    read(&mut script, 31);
    script.press(KeyCode::Enter);
    script.write("p");
    assert_eq!(chosen_there(&script), Some(15));
    script.write("j");
    assert_eq!(chosen_there(&script), Some(22), "in the order of the room");
    script.write("g");
    assert_eq!(chosen_there(&script), Some(10));
    script.write("p");
    assert!(script.text().contains("this message answers none"), "{}", script.text());
    script.write("Gk");
    script.press(KeyCode::Enter);
    assert_eq!((chosen_there(&script), chosen(&script)), (None, Some(31)));
    // One was at the same message before: nothing to go back to but that.
    script.press(KeyCode::Enter);
    script.write("r");
    assert!(script.text().contains("answering carol"), "{}", script.text());
    script.write("good");
    script.press(KeyCode::Enter);
    let sent = script.effects.iter().find_map(|effect| match effect {
        Effect::Submit(Command::Send(send)) => Some(send.reply_to),
        _ => None,
    });
    assert_eq!(sent, Some(Some(31)));
}

#[test]
fn new_answers_come_in_and_the_choice_stays() {
    let mut script = script(80, 24);
    read(&mut script, 40);
    script.press(KeyCode::Enter);
    script.entry(Entry { reply_to: Some(40), ..entry("#a", 46, "dave", "you are welcome") });
    assert!(
        script.text().contains("you are welcome") && script.text().contains("7 messages"),
        "{}",
        script.text()
    );
    assert_eq!(chosen_there(&script), Some(40));
    script.entry(change("#a", 47, ("dave", 4), EntryKind::Deleted, 46, ""));
    assert!(script.text().contains("message deleted"), "{}", script.text());
    script.state.ignored.insert(&nick("dave"));
    assert!(script.text().contains("5 messages"), "{}", script.text());
    script.press(KeyCode::Esc);
    assert_eq!((chosen_there(&script), chosen(&script)), (None, Some(40)));
}

#[test]
fn a_message_alone_says_so() {
    let mut script = script(80, 24);
    esc(&mut script);
    script.press(KeyCode::Enter);
    assert!(script.text().contains("this message answers none, and nobody has answered it: r does"));
    script.press(KeyCode::Esc);
    script.write("/thread");
    script.press(KeyCode::Enter);
    assert_eq!(chosen_there(&script), Some(40), "the last that is in one");
    script.press(KeyCode::Esc);
    script.write("/thread 7");
    script.press(KeyCode::Enter);
    assert!(script.text().contains("/thread shows the last thread"), "{}", script.text());
}

#[test]
fn what_is_not_here_is_fetched_and_what_cannot_be_is_told() {
    let mut script = Script::new(80, 24);
    script.online();
    script.join("#a", 900, "", &["alice", "bob"]);
    script.gap("#a", 1, 700);
    script.effects.clear();
    (701..=899).for_each(|seq| script.entry(log(seq)));
    script.entry(Entry { reply_to: Some(31), ..entry("#a", 900, "dave", "late, but yes") });
    // What is answered on the screen is fetched to be quoted.
    let quoted = asked(&mut script);
    assert_eq!(quoted.place, Place::Around(31));
    esc(&mut script);
    script.press(KeyCode::Enter);
    assert!(script.text().contains("is being fetched"), "{}", script.text());
    page(&mut script, &quoted, vec![log(31)]);
    for (seq, above) in [(15, 14), (14, 10)] {
        let parent = asked(&mut script);
        assert_eq!((parent.place, parent.limit), (Place::Around(seq), 1));
        page(&mut script, &parent, vec![log(seq)]);
        assert!(above < seq);
    }
    let root = asked(&mut script);
    page(&mut script, &root, vec![log(10)]);
    // Now what was said since is looked through.
    let mut next = 11;
    for _ in 0..4 {
        let further = asked(&mut script);
        assert_eq!(further.place, Place::After(next - 1));
        page(&mut script, &further, (next..next + 100).map(log).collect());
        next += 100;
    }
    assert_eq!(script.asked(), []);
    let text = script.text();
    assert!(text.contains("290 later messages are not here") && text.contains("looks further"), "{text}");
    assert!(text.contains("thanks!") && text.contains("I see it too"), "{text}");
    script.write("n");
    let further = asked(&mut script);
    let refused = Failure { re: further.id, ..Failure::new(ErrorCode::Storage, "the disk is sick") };
    script.news(Update::Failed(refused));
    assert_eq!(script.asked(), []);
    assert!(script.text().contains("cannot be loaded now"), "{}", script.text());
}

#[test]
fn answers_are_counted_below_a_message() {
    let mut script = script(80, 36);
    let text = script.text();
    assert!(!text.contains("2 answers"), "it is further up");
    read(&mut script, 10);
    let text = script.text();
    assert!(text.contains("↳ 2 answers"), "{text}");
    assert!(!text.contains("1 answer"), "one that is near is seen: {text}");
    script.entry(Entry { reply_to: Some(14), ..entry("#a", 46, "erin", "and again") });
    assert_eq!(script.text().matches("↳ 2 answers").count(), 2, "{}", script.text());
    script.entry(Entry { reply_to: Some(11), ..entry("#a", 47, "erin", "what?") });
    assert_eq!(script.text().matches("↳ 1 answer").count(), 1, "{}", script.text());
    script.entry(change("#a", 48, ("erin", 5), EntryKind::Deleted, 47, ""));
    assert_eq!(script.text().matches("↳ 1 answer").count(), 0, "{}", script.text());
}

#[test]
fn a_new_room_closes_it() {
    let mut script = script(80, 24);
    read(&mut script, 40);
    script.press(KeyCode::Enter);
    script.join("#b", 0, "", &["alice"]);
    assert_eq!(chosen_there(&script), None);
}
