//! Answers, edits, deletions, reactions: how they are seen, and what is done by choosing a message.

use crossterm::event::{KeyCode, KeyModifiers};
use insta::assert_snapshot;

use crate::client::link::Update;
use crate::client::tui::script::{Script, change, entry, nick, presence, room_name};
use crate::client::tui::{Effect, Event as Happening};
use crate::protocol::command::{Command, Place};
use crate::protocol::emoji::Emoji;
use crate::protocol::event::{
    Earlier, Entry, EntryKind, EntryText, ErrorCode, Event, Failure, Okay, Page, Present, Reacted, Reaction,
    Reactions, Role, Version,
};
use crate::protocol::time::Time;

/// What somebody said.
fn said(seq: u64, (from, author): (&str, u64), text: &str) -> Entry {
    Entry { author: Some(author), ..entry("#lobby", seq, from, text) }
}

const ALICE: (&str, u64) = ("alice", 1);
const BOB: (&str, u64) = ("bob", 2);
const CAROL: (&str, u64) = ("carol", 3);

fn changed(seq: u64, who: (&str, u64), kind: EntryKind, target: u64, text: &str) -> Entry {
    change("#lobby", seq, who, kind, target, text)
}

/// A talk in which much was changed.
pub(super) fn talk(columns: u16, rows: u16) -> Script {
    let mut script = Script::new(columns, rows);
    script.online();
    script.join("#lobby", 16, "Friday: demo at 15:00", &["alice", "bob", "carol"]);
    let mut answer = said(4, CAROL, "yes, in 3 minutes");
    answer.reply_to = Some(2);
    let mut to_gone = said(8, BOB, "who needs that?");
    to_gone.reply_to = Some(6);
    for entry in [
        said(1, ALICE, "good morning"),
        said(
            2,
            BOB,
            "did the build pass? I cannot see it from here, because the network at home is down and the phone is slow",
        ),
        changed(3, CAROL, EntryKind::Reacted, 1, "👋"),
        answer,
        said(5, ALICE, "the log:\n    cargo build\n    Finished"),
        said(6, CAROL, "buy my coins!"),
        said(7, BOB, "something wrong"),
        to_gone,
        changed(9, BOB, EntryKind::Edited, 7, "something right"),
        changed(10, ALICE, EntryKind::Deleted, 6, ""),
        changed(11, ALICE, EntryKind::Reacted, 4, "👍"),
        changed(12, BOB, EntryKind::Reacted, 4, "👍"),
        changed(13, BOB, EntryKind::Reacted, 4, "🎉"),
        changed(14, BOB, EntryKind::Reacted, 1, "👋"),
        said(15, BOB, "oops"),
        changed(16, BOB, EntryKind::Deleted, 15, ""),
    ] {
        script.entry(entry);
    }
    script.effects.clear();
    script
}

fn alt(script: &mut Script, code: KeyCode) {
    script.key(code, KeyModifiers::ALT);
}

fn composer(script: &Script) -> &str {
    script.state.composer().text()
}

/// The one command that was asked.
fn only(script: &mut Script) -> Command {
    let submitted = script.effects.drain(..).filter_map(|effect| match effect {
        Effect::Submit(command) => Some(command),
        _ => None,
    });
    let mut submitted: Vec<Command> = submitted.collect();
    assert_eq!(submitted.len(), 1, "{submitted:?}");
    submitted.remove(0)
}

/// Goes up to the message with this text.
fn choose(script: &mut Script, text: &str) {
    for _ in 0..50 {
        alt(script, KeyCode::Up);
        if script.text().lines().any(|line| line.contains('▌') && line.contains(text)) {
            return;
        }
    }
    panic!("{text} is not there:\n{}", script.text());
}

#[test]
fn what_has_become_of_a_talk() {
    assert_snapshot!("talk_120", talk(120, 36).text());
    assert_snapshot!("talk_80", talk(80, 24).text());
    assert_snapshot!("talk_50", talk(50, 12).text());
    assert_snapshot!("talk_24", talk(24, 12).text());
}

#[test]
fn what_is_changed_and_answered_may_be_marked_up() {
    let mut script = Script::new(80, 20);
    script.online();
    script.join("#lobby", 9, "", &["alice", "bob", "carol"]);
    let answer = |seq, to, text: &str| Entry { reply_to: Some(to), ..said(seq, CAROL, text) };
    for entry in [
        said(1, BOB, "**bold** words"),
        changed(2, BOB, EntryKind::Edited, 1, "**bolder** words for `alice`"),
        said(3, ALICE, "```rust\nlet a = 1;\n```"),
        changed(4, ALICE, EntryKind::Edited, 3, "```rust\nlet a = 2;\nlet b = \"alice\";\n```"),
        changed(5, BOB, EntryKind::Reacted, 3, "👍"),
        answer(6, 1, "> bolder\nno, *alice*"),
        answer(7, 3, "- one\n- two"),
        said(8, BOB, "see https://example.org/old"),
        changed(9, BOB, EntryKind::Edited, 8, "see https://example.org/new"),
    ] {
        script.entry(entry);
    }
    assert_snapshot!(script.text());
    alt(&mut script, KeyCode::Char('o'));
    let text = script.text();
    assert!(text.contains("example.org/new") && !text.contains("example.org/old"), "{text}");
}

#[test]
fn many_reactions_take_several_rows() {
    let mut script = Script::new(50, 12);
    script.online();
    script.join("#lobby", 0, "", &["alice"]);
    let emoji = ["👍", "🎉", "👀", "❤️", "😂", "👋", "✅", "🚀", "🔥", "🙏", "💯", "🤔"];
    let reactions = emoji.iter().zip(1..).map(|(emoji, count)| Reaction {
        emoji: Emoji::new(emoji).unwrap(),
        count,
        mine: count % 4 == 0,
    });
    let now = Present {
        seq: 40,
        edited: Some(Time::from_millis(0)),
        reactions: reactions.collect(),
        deleted: false,
    };
    script.entry(Entry { now: Some(Box::new(now)), ..said(1, BOB, "as a page has it") });
    assert_snapshot!(script.text());
}

#[test]
fn changes_are_not_news() {
    let mut script = talk(80, 24);
    script.feed(Happening::Focus(false));
    for (seq, kind, text) in [
        (17, EntryKind::Reacted, "🚀"),
        (18, EntryKind::Edited, "alice: look at this"),
        (19, EntryKind::Deleted, ""),
    ] {
        script.entry(changed(seq, BOB, kind, 2, text));
    }
    assert!(!script.effects.contains(&Effect::Bell));
    assert_eq!(script.state.title(), "#lobby · parlor");
    script.entry(said(20, BOB, "and now"));
    assert_eq!(script.state.title(), "* #lobby · parlor");
    script.feed(Happening::Focus(true));
    let text = script.text();
    assert!(text.contains("bob   and now"), "below the line \"new\" stands who it was: {text}");
}

#[test]
fn a_message_is_chosen_by_keys_and_the_status_line_says_what_to_do() {
    let mut script = talk(120, 24);
    alt(&mut script, KeyCode::Up);
    choose(&mut script, "yes, in 3 minutes");
    assert_snapshot!(script.text());
    script.press(KeyCode::Down);
    assert!(script.text().lines().any(|line| line.contains("▌") && line.contains("the log:")));
    script.write("hx");
    // A letter that is no key of it is not written where nobody looks.
    assert!(script.text().contains("a message is chosen: r reply"), "{}", script.text());
    script.pass(std::time::Duration::from_secs(11));
    script.press(KeyCode::Esc);
    assert!(!script.text().contains("r reply"));
    script.pass(std::time::Duration::from_secs(11));
    script.press(KeyCode::Esc);
    assert!(script.text().contains("r reply"), "nothing else is open: {}", script.text());
    script.write("hx");
    assert_eq!(composer(&script), "");
    assert!(script.text().contains("you are reading: r reply"), "{}", script.text());
    let chosen = |script: &Script| script.state.room().and_then(|room| room.chosen);
    script.write("g");
    assert_eq!(chosen(&script), Some(1));
    script.write("j");
    assert_eq!(chosen(&script), Some(2));
    script.write("G");
    assert_eq!(chosen(&script), Some(8));
    script.write("i");
    assert_eq!(chosen(&script), None);
    script.write("hello");
    assert_eq!(composer(&script), "hello");
}

#[test]
fn an_answer_says_what_it_answers() {
    let mut script = talk(80, 24);
    choose(&mut script, "something right");
    script.press(KeyCode::Char('r'));
    script.write("indeed");
    assert_snapshot!(script.text());
    script.press(KeyCode::Enter);
    let Command::Send(send) = only(&mut script) else { panic!() };
    assert_eq!((send.reply_to, send.text.as_str()), (Some(7), "indeed"));
    assert!(!script.text().contains("answering"));
    assert!(script.text().contains("↪ bob: something right"), "{}", script.text());
    // Without a choice it is the last thing that others said.
    script.write("/reply and again");
    script.press(KeyCode::Enter);
    let Command::Send(send) = only(&mut script) else { panic!() };
    assert_eq!(send.reply_to, Some(8));
    // Esc stops it, and the text stays.
    script.write("/reply");
    script.press(KeyCode::Enter);
    script.write("no answer");
    assert!(script.text().contains("answering bob: who needs that?  Esc stops"), "{}", script.text());
    script.press(KeyCode::Esc);
    script.press(KeyCode::Enter);
    let Command::Send(send) = only(&mut script) else { panic!() };
    assert_eq!((send.reply_to, send.text.as_str()), (None, "no answer"));
}

#[test]
fn each_room_keeps_what_its_draft_answers() {
    let mut script = talk(80, 24);
    choose(&mut script, "who needs that?");
    script.press(KeyCode::Char('r'));
    script.write("a draft");
    script.join("#rust", 0, "", &["alice"]);
    assert!(!script.text().contains("answering"));
    script.key(KeyCode::Char('p'), KeyModifiers::CONTROL);
    assert!(script.text().contains("answering bob"), "{}", script.text());
    assert_eq!(composer(&script), "a draft");
}

#[test]
fn an_edit_is_seen_at_once_and_taken_back_when_it_is_refused() {
    let mut script = talk(80, 24);
    script.write("a draft");
    script.key(KeyCode::Up, KeyModifiers::CONTROL);
    assert_eq!(composer(&script), "the log:\n    cargo build\n    Finished");
    assert!(script.text().contains("editing alice: the log: …  Esc stops"), "{}", script.text());
    script.write("!");
    script.press(KeyCode::Enter);
    assert_eq!(composer(&script), "a draft", "it is back");
    let command = only(&mut script);
    let Command::Edit(edit) = &command else { panic!("{command:?}") };
    assert_eq!((edit.seq, edit.text.as_str()), (5, "the log:\n    cargo build\n    Finished!"));
    assert!(script.text().contains("Finished! (edited)") && script.text().contains('◌'), "{}", script.text());
    let why = Failure::new(ErrorCode::TooMany, "a message can be edited 100 times");
    script.news(Update::Failed(Failure { re: command.request_id(), ..why }));
    let text = script.text();
    assert!(text.contains("not changed: a message can be edited 100 times"), "{text}");
    assert!(!text.contains("Finished!") && !text.contains("Finished (edited)"), "{text}");
}

#[test]
fn what_was_stored_stays_also_where_its_entry_lies_in_a_gap() {
    let mut script = talk(80, 24);
    script.write("/edit the end of the log");
    script.press(KeyCode::Enter);
    let re = only(&mut script).request_id();
    script.gap("#lobby", 17, 30);
    script.hear(Event::Ok(Okay { re, seq: Some(20), ..Okay::default() }));
    assert!(script.text().contains("the end of the log (edited)"));
    assert!(!script.text().contains('◌'));
    assert_eq!(script.state.unsent(), 0);
}

#[test]
fn only_ones_own_messages_can_be_edited() {
    let mut script = talk(80, 24);
    choose(&mut script, "who needs that?");
    script.press(KeyCode::Char('e'));
    assert!(script.text().contains("bob wrote that: only your own messages can be edited"));
    assert_eq!(composer(&script), "");
    assert!(script.effects.is_empty());
}

#[test]
fn a_deletion_is_asked_about() {
    let mut script = talk(80, 24);
    script.write("/delete");
    script.press(KeyCode::Enter);
    assert!(script.text().contains("Delete for everyone? alice: the log: …"), "{}", script.text());
    script.press(KeyCode::Esc);
    assert!(script.effects.is_empty());
    choose(&mut script, "who needs that?");
    assert!(!script.text().contains("d delete"), "{}", script.text());
    script.press(KeyCode::Char('d'));
    assert!(script.text().contains("bob wrote that: only operators"), "{}", script.text());
    // Who owns the room is not known here: the server is asked.
    script.write("/delete");
    script.press(KeyCode::Enter);
    script.press(KeyCode::Enter);
    let command = only(&mut script);
    let Command::Delete(delete) = &command else { panic!() };
    assert_eq!(delete.seq, 8);
    assert!(!script.text().contains("who needs that?"));
    let why = Failure::new(ErrorCode::NotAllowed, "only operators delete what others said");
    script.news(Update::Failed(Failure { re: command.request_id(), ..why }));
    let text = script.text();
    assert!(text.contains("who needs that?") && text.contains("not deleted: only operators"), "{text}");
}

#[test]
fn whoever_keeps_order_deletes_by_a_key_what_others_said() {
    let mut script = talk(120, 24);
    let mut news = presence("#lobby", &["alice", "bob", "carol"]);
    for person in news.people.iter_mut().flatten().filter(|person| person.nick == script.state.me) {
        person.role = Some(Role::Operator);
    }
    script.hear(Event::Presence(news));
    choose(&mut script, "who needs that?");
    assert!(script.text().contains("d delete"), "{}", script.text());
    script.write("d");
    assert!(script.text().contains("Delete for everyone?"), "{}", script.text());
}

#[test]
fn a_reaction_by_its_number_its_name_and_once_more() {
    let mut script = talk(80, 24);
    choose(&mut script, "who needs that?");
    script.press(KeyCode::Char('+'));
    assert_snapshot!(script.text());
    script.press(KeyCode::Char('2'));
    let Command::React(react) = only(&mut script) else { panic!() };
    assert_eq!((react.seq, react.emoji.as_str(), react.off), (8, "❤️", false));
    assert!(script.text().contains("[❤️ 1]"), "{}", script.text());
    // Chosen once, it is for one action.
    choose(&mut script, "who needs that?");
    script.press(KeyCode::Char('+'));
    script.write("tad");
    assert!(script.text().contains("tad  ← 🎉 tada"), "{}", script.text());
    script.press(KeyCode::Enter);
    let Command::React(react) = only(&mut script) else { panic!() };
    assert_eq!(react.emoji.as_str(), "🎉");
    // What is ours already is taken back.
    choose(&mut script, "yes, in 3 minutes");
    script.write("/react +1");
    script.press(KeyCode::Enter);
    let command = only(&mut script);
    let Command::React(react) = &command else { panic!() };
    assert_eq!((react.seq, react.emoji.as_str(), react.off), (4, "👍", true));
    assert!(script.text().contains("👍 1  🎉 1"), "{}", script.text());
    let mut stored = changed(17, ALICE, EntryKind::Reacted, 4, "👍");
    (stored.off, stored.id) = (true, react.id);
    script.entry(stored);
    script.hear(Event::Ok(Okay { re: command.request_id(), seq: Some(17), ..Okay::default() }));
    assert!(script.text().contains("👍 1  🎉 1"), "it counts once: {}", script.text());
}

#[test]
fn emoji_are_completed_by_their_names() {
    let mut script = talk(80, 24);
    script.write("/react tad");
    script.press(KeyCode::Tab);
    assert_eq!(composer(&script), "/react 🎉 ");
    script.press(KeyCode::Enter);
    assert!(matches!(only(&mut script), Command::React(_)));
    script.write("/react nosuchthing");
    script.press(KeyCode::Enter);
    assert!(script.text().contains("there is no such emoji"));
}

#[test]
fn who_reacted_and_what_it_said_before() {
    let mut script = talk(80, 24);
    choose(&mut script, "something right");
    script.press(KeyCode::Char('w'));
    let asked = script.asked();
    let [Command::Reactions(reactions), Command::Earlier(earlier)] = &asked[..] else { panic!("{asked:?}") };
    let people = vec![nick("alice"), nick("carol")];
    let reacted = Reacted { emoji: Emoji::new("👍").unwrap(), count: 5, people };
    let room = room_name("#lobby");
    script.hear(Event::Reactions(Reactions {
        re: reactions.id.clone(),
        room: room.clone(),
        seq: 7,
        reactions: vec![reacted],
    }));
    let version = |text: &str| Version { at: script.now.time, text: EntryText::from_stored(text) };
    let texts = vec![version("something wrong"), version("something right")];
    script.hear(Event::Earlier(Earlier { re: earlier.id.clone(), room, seq: 7, texts }));
    assert_snapshot!(script.text());
    script.press(KeyCode::Esc);
    // What it said before is not for everyone.
    script.press(KeyCode::Char('w'));
    let asked = script.asked();
    let why = Failure::new(ErrorCode::NotAllowed, "only operators may read that");
    script.news(Update::Failed(Failure { re: asked[1].request_id(), ..why }));
    assert!(!script.text().contains("only operators"), "{}", script.text());
    assert!(script.text().contains("asking the server"));
}

#[test]
fn the_text_of_a_message_is_copied() {
    let mut script = talk(80, 24);
    choose(&mut script, "something right");
    script.press(KeyCode::Char('y'));
    assert_eq!(script.effects, [Effect::Copy("something right".to_owned())]);
}

/// Entry `seq` of a long room in which 995 answers 10, and 10 says so.
fn long(seq: u64) -> Entry {
    let mut entry = said(seq, BOB, &format!("m{seq}."));
    entry.reply_to = (seq == 995).then_some(10);
    entry
}

#[test]
fn what_is_answered_is_fetched_and_gone_to_and_back() {
    let mut script = Script::new(80, 24);
    script.online();
    script.join("#lobby", 1000, "", &["alice", "bob"]);
    script.gap("#lobby", 1, 900);
    script.effects.clear();
    (901..=1000).for_each(|seq| script.entry(long(seq)));
    let page = |re, from: u64, to: u64| Page {
        re,
        room: room_name("#lobby"),
        entries: (from..=to).map(long).collect(),
        last: 1000,
    };
    let mut asked = script.asked();
    assert_eq!(asked.len(), 1, "one, and once: {asked:?}");
    let Some(Command::History(history)) = asked.pop() else { panic!() };
    assert_eq!((history.place, history.limit), (Place::Around(10), 1));
    assert!(script.text().contains("↪ an earlier message"));
    script.hear(Event::Page(page(history.id, 10, 10)));
    assert!(script.text().contains("↪ bob: m10."), "{}", script.text());
    script.press(KeyCode::Left);
    assert_eq!(script.asked(), []);

    choose(&mut script, "m995.");
    script.press(KeyCode::Char('p'));
    let mut asked = script.asked();
    let Some(Command::History(history)) = asked.pop() else { panic!("{asked:?}") };
    assert_eq!(history.place, Place::Around(10));
    script.hear(Event::Page(page(history.id, 1, 110)));
    assert!(
        script.text().lines().any(|line| line.contains('▌') && line.contains("m10.")),
        "{}",
        script.text()
    );
    assert!(script.text().contains("b back"));
    // Down from there it goes on: what lies between is loaded before the reader gets there.
    let mut asked = script.asked();
    let Some(Command::History(history)) = asked.pop() else { panic!() };
    assert_eq!(history.place, Place::After(110));
    script.hear(Event::Page(page(history.id, 111, 900)));
    (0..4).for_each(|_| script.press(KeyCode::PageDown));
    assert!(!script.text().contains('┄'), "{}", script.text());
    script.press(KeyCode::Char('b'));
    assert!(
        script.text().lines().any(|line| line.contains('▌') && line.contains("m995.")),
        "{}",
        script.text()
    );
    // Where one has jumped and stops reading, Esc goes back to where all this began, as after every jump.
    script.press(KeyCode::Char('p'));
    script.press(KeyCode::Esc);
    assert!(script.text().contains("Esc back"), "{}", script.text());
    script.press(KeyCode::Esc);
    assert!(script.text().contains("m1000."), "{}", script.text());
}

#[test]
fn what_is_not_there_any_more_is_asked_for_once() {
    let mut script = talk(80, 24);
    script.gap("#lobby", 17, 40);
    script.entry(Entry { reply_to: Some(30), ..said(41, BOB, "as I said") });
    let Command::History(history) = only(&mut script) else { panic!() };
    let room = room_name("#lobby");
    script.hear(Event::Page(Page { re: history.id, room, entries: Vec::new(), last: 41 }));
    script.press(KeyCode::Left);
    assert!(script.effects.is_empty(), "{:?}", script.effects);
    assert!(script.text().contains("↪ an earlier message"));
}

#[test]
fn what_was_wished_outlives_a_break() {
    let mut script = talk(80, 24);
    script.write("/edit later");
    let retry_at = script.now.instant + std::time::Duration::from_secs(3);
    script.news(Update::Offline { why: "the connection broke".to_owned(), retry_at });
    script.press(KeyCode::Enter);
    let command = only(&mut script);
    let Command::Edit(edit) = &command else { panic!() };
    assert!(script.text().contains("later (edited)"));
    assert_eq!(script.state.unsent(), 1);
    script.online();
    script.joined("#lobby", 16, "", &["alice", "bob"]);
    assert!(script.text().contains("later (edited)"));
    let mut stored = changed(17, ALICE, EntryKind::Edited, 5, "later");
    stored.id = edit.id;
    script.entry(stored);
    assert_eq!(script.state.unsent(), 0);
    assert!(script.text().contains("later (edited)") && !script.text().contains('◌'));
}

#[test]
fn somebody_who_is_ignored_is_not_quoted() {
    let mut script = talk(80, 24);
    script.state.ignored.insert(&nick("bob"));
    assert!(!script.text().contains("did the build pass"), "{}", script.text());
    assert!(script.text().contains("↪ somebody whom you ignore"));
}

#[test]
fn the_new_log_knows_nothing_of_the_old_choices() {
    let mut script = talk(80, 24);
    choose(&mut script, "something right");
    script.press(KeyCode::Char('r'));
    let Update::Online { welcome, ready, met, news, .. } = script.online_update() else { panic!() };
    script.news(Update::Online { welcome, ready, met, news, new_log: true });
    assert!(!script.text().contains("answering"));
}

#[test]
fn choosing_goes_on_into_history_and_leaves_nothing_out() {
    let mut script = Script::new(80, 24);
    script.online();
    script.join("#lobby", 700, "", &["alice", "bob"]);
    script.gap("#lobby", 1, 690);
    script.effects.clear();
    (691..=700).for_each(|seq| script.entry(long(seq)));
    let mut expected = 700;
    for _ in 0..800 {
        alt(&mut script, KeyCode::Up);
        for command in script.asked() {
            let Command::History(history) = command else { panic!("{command:?}") };
            let Place::Before(before) = history.place else { panic!("{history:?}") };
            let entries = (before.saturating_sub(history.limit).max(1)..before).map(long).collect();
            script.hear(Event::Page(Page { re: history.id, room: room_name("#lobby"), entries, last: 700 }));
        }
        let chosen = script.state.room().and_then(|room| room.chosen);
        if chosen == Some(expected - 1) {
            expected -= 1;
        }
        assert_eq!(chosen, Some(expected));
        let message = format!("m{expected}.");
        let marked = |line: &str| line.contains('▌') && line.contains(&message);
        assert!(script.text().lines().any(marked), "it is in sight: {}", script.text());
    }
    assert_eq!(expected, 1);
    assert!(script.text().contains("This is the beginning"), "{}", script.text());
}
