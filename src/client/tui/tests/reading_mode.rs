//! Reading mode: every key is about messages, until one writes again.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};
use insta::assert_snapshot;
use proptest::prelude::*;

use super::history::{answer, in_sight, log, room};
use crate::client::tui::script::{Script, entry, room_name};
use crate::client::tui::settings::Popup;
use crate::client::tui::{Effect, Event as Happening};
use crate::protocol::command::{Command, Place};
use crate::protocol::event::{Entry, Event, Found, Hit};
use crate::protocol::time::Time;

const LAST: u64 = 3000;

/// Esc, after a while in which nothing was pressed.
pub(super) fn esc(script: &mut Script) {
    script.pass(Duration::from_secs(11));
    script.press(KeyCode::Esc);
}

/// The message that is chosen.
pub(super) fn chosen(script: &Script) -> Option<u64> {
    script.state.room().and_then(|room| room.chosen)
}

fn is_reading(script: &Script) -> bool {
    script.state.room().is_some_and(|room| room.reading)
}

/// Whether a message is marked on the screen, and not only a room in its list.
fn is_marked(script: &mut Script) -> bool {
    let text = script.text();
    text.match_indices('▌').any(|(at, _)| !text[at..].starts_with("▌#"))
}

/// A room in which messages of three days are.
fn days() -> Script {
    let mut script = Script::new(80, 24);
    script.online();
    script.join("#a", 90, "", &["alice", "bob"]);
    for seq in 1..=90 {
        let at = Time::from_millis(crate::client::tui::script::BEGIN)
            .shifted(1000 * i64::try_from(seq / 30 * 86_400 + seq).unwrap());
        script.entry(Entry { at, ..log(seq) });
    }
    script.effects.clear();
    script
}

#[test]
fn it_is_entered_and_left_by_esc_and_says_so() {
    let mut script = room(LAST);
    esc(&mut script);
    assert!(is_reading(&script));
    assert_eq!(chosen(&script), Some(LAST));
    let status = script.text().lines().last().unwrap().to_owned();
    assert!(status.contains("reading") && status.contains("Esc write"), "{status}");
    for (columns, rows) in [(50, 12), (120, 36)] {
        script.resize(columns, rows);
        let status = script.text().lines().last().unwrap().to_owned();
        assert!(
            status.contains("reading") && status.contains("r reply") && status.contains("Esc write"),
            "{status}"
        );
    }
    for key in ['i', 'q'] {
        script.write(&key.to_string());
        assert!(!is_reading(&script) && chosen(&script).is_none());
        script.write("x");
        assert_eq!(script.state.composer().text(), "x");
        script.press(KeyCode::Backspace);
        esc(&mut script);
        assert!(is_reading(&script));
    }
    // Whoever hammers gets out, wherever they were.
    script.press(KeyCode::Esc);
    script.press(KeyCode::Esc);
    script.press(KeyCode::Esc);
    assert!(!is_reading(&script));
}

#[test]
fn the_choice_goes_along_with_the_pages() {
    let mut script = room(LAST);
    esc(&mut script);
    for key in [KeyCode::PageUp, KeyCode::PageUp, KeyCode::PageDown, KeyCode::Char(' ')] {
        script.press(key);
        let before = chosen(&script);
        assert!(is_marked(&mut script), "{before:?} in {}", script.text());
    }
    for letter in ['b', 'u', 'f', 'd'] {
        script.key(KeyCode::Char(letter), KeyModifiers::CONTROL);
        assert!(is_marked(&mut script), "{letter}: {}", script.text());
    }
    assert!(script.state.question.is_none(), "Ctrl-D does not leave");
    script.write("G");
    script.feed(Happening::Wheel(-300));
    assert!(is_marked(&mut script) && chosen(&script).unwrap() < LAST - 100, "{}", script.text());
}

#[test]
fn what_comes_does_not_push_the_choice_out_of_sight() {
    let mut script = room(LAST);
    esc(&mut script);
    for seq in LAST + 1..LAST + 60 {
        script.entry(log(seq));
        assert_eq!(chosen(&script), Some(LAST));
        assert!(in_sight(&mut script).contains(&LAST), "{}", script.text());
    }
    script.write("G");
    assert_eq!(chosen(&script), Some(LAST + 59));
    assert_eq!(in_sight(&mut script).last(), Some(&(LAST + 59)));
    script.resize(50, 12);
    assert!(in_sight(&mut script).contains(&(LAST + 59)));
}

#[test]
fn the_oldest_loads_what_is_older() {
    let mut script = room(LAST);
    esc(&mut script);
    script.write("g");
    assert_eq!(chosen(&script), Some(LAST - 199));
    let mut oldest = LAST - 199;
    for _ in 0..20 {
        answer(&mut script, LAST);
        script.write("g");
        assert!(chosen(&script).unwrap() <= oldest);
        oldest = chosen(&script).unwrap();
    }
    assert_eq!(oldest, 1);
    assert!(in_sight(&mut script).contains(&1));
    // Back from there, place by place.
    script.write("b");
    assert!(chosen(&script).unwrap() > 1);
}

#[test]
fn days_are_gone_through() {
    let mut script = days();
    esc(&mut script);
    let mut stops = Vec::new();
    for key in "{{{{}}}}".chars() {
        script.write(&key.to_string());
        stops.push(chosen(&script).unwrap());
        assert!(in_sight(&mut script).contains(&chosen(&script).unwrap()), "{}", script.text());
    }
    assert_eq!(stops, [60, 30, 1, 1, 30, 60, 90, 90]);
}

#[test]
fn a_date_is_asked_for_where_one_writes() {
    let mut script = room(LAST);
    script.pass(Duration::from_secs(3600));
    esc(&mut script);
    script.write("t11:30");
    assert_eq!(script.state.composer().text(), "/goto 11:30");
    // Esc gives it up, and one reads on.
    script.press(KeyCode::Esc);
    assert!(is_reading(&script) && script.state.composer().is_empty());
    script.write(":11:30");
    script.press(KeyCode::Enter);
    answer(&mut script, LAST);
    assert!(is_reading(&script));
    assert_eq!(chosen(&script), Some(1680));
    assert!(in_sight(&mut script).contains(&1680));
    script.write("b");
    assert_eq!((chosen(&script), in_sight(&mut script).last().copied()), (Some(LAST), Some(LAST)));
}

#[test]
fn every_jump_can_be_taken_back() {
    let mut script = room(LAST);
    esc(&mut script);
    script.write("kk");
    let first = chosen(&script).unwrap();
    script.entry(Entry { reply_to: Some(700), ..log(LAST + 1) });
    script.write("Gp");
    answer(&mut script, LAST + 1);
    assert_eq!(chosen(&script), Some(700));
    script.write("b");
    assert_eq!(chosen(&script), Some(LAST + 1));
    script.write("b");
    assert_eq!(chosen(&script), Some(first));
    script.write("b");
    assert!(script.text().contains("there is nothing to go back to"), "{}", script.text());
    assert!(is_reading(&script));
}

#[test]
fn mentions_are_gone_through_and_one_goes_on_reading_there() {
    let mut script = room(LAST);
    script.join("#b", 3, "", &["alice", "bob"]);
    (1..=3).for_each(|seq| script.says("#b", seq, "bob", "hi alice"));
    script.key(KeyCode::Char('1'), KeyModifiers::ALT);
    script.asked();
    esc(&mut script);
    script.write("m");
    let asked = script.asked();
    let [Command::Search(search)] = asked.as_slice() else { panic!("{asked:?}") };
    let hit = Hit { entry: entry("#b", 2, "bob", "hi alice"), before: None, after: None };
    script.hear(Event::Found(Found { re: search.id.clone(), hits: vec![hit], more: None, behind: 0 }));
    assert_eq!(script.state.room().unwrap().name, room_name("#b"));
    assert!(is_reading(&script) && chosen(&script) == Some(2));
    script.write("b");
    assert_eq!(script.state.room().unwrap().name, room_name("#a"));
    assert!(is_reading(&script) && chosen(&script) == Some(LAST));
    script.press(KeyCode::Esc);
    script.key(KeyCode::Char('2'), KeyModifiers::ALT);
    assert!(!is_reading(&script), "one reads in one place");
}

#[test]
fn what_is_copied_is_counted_and_as_it_was_typed() {
    let mut script = Script::new(50, 12);
    script.online();
    script.join("#a", 1, "", &["alice", "bob"]);
    let text = "a **long** line that is wrapped on this screen for sure, twice\n    and code";
    script.says("#a", 1, "bob", text);
    script.effects.clear();
    esc(&mut script);
    script.write("y");
    assert_eq!(script.effects, [Effect::Copy(text.to_owned())]);
    let told: Vec<String> = script.text().split_whitespace().map(str::to_owned).collect();
    assert!(told.join(" ").contains("75 characters; some terminals take none"), "{told:?}");
    assert!(is_reading(&script), "one reads on");
    // Chosen while one writes, it is for one action.
    script.press(KeyCode::Esc);
    script.key(KeyCode::Up, KeyModifiers::ALT);
    assert!(!is_reading(&script) && chosen(&script) == Some(1));
    script.write("y");
    assert_eq!(chosen(&script), None);
    script.write("hello");
    assert_eq!(script.state.composer().text(), "hello");
}

#[test]
fn esc_that_is_pressed_slowly_reads_in_the_end() {
    let mut script = room(LAST);
    script.write("a");
    script.press(KeyCode::Backspace);
    // It leaves something, here reading itself, and what follows at once leads nowhere new.
    script.press(KeyCode::Esc);
    script.press(KeyCode::Esc);
    assert!(!is_reading(&script));
    script.pass(Duration::from_millis(500));
    script.press(KeyCode::Esc);
    assert!(!is_reading(&script));
    script.pass(Duration::from_millis(500));
    script.press(KeyCode::Esc);
    assert!(is_reading(&script), "{}", script.text());
}

#[test]
fn a_sentence_that_passes_by_itself_takes_no_key() {
    let mut script = room(LAST);
    script.state.say("something has changed");
    script.press(KeyCode::Esc);
    assert!(is_reading(&script), "{}", script.text());
    script.state.say("something is so here");
    script.write("k");
    assert!(!script.text().contains("something is so here"), "{}", script.text());
}

#[test]
fn the_link_of_a_message_is_opened() {
    let mut script = Script::new(80, 24);
    script.online();
    script.state.can_open = true;
    script.join("#a", 3, "", &["alice", "bob"]);
    script.says("#a", 1, "bob", "see https://example.org/a");
    script.says("#a", 2, "bob", "https://example.org/b or https://example.org/c");
    script.says("#a", 3, "bob", "none");
    script.effects.clear();
    esc(&mut script);
    script.write("o");
    assert!(script.text().contains("there is no link in this message"), "{}", script.text());
    script.write("ko");
    assert!(script.text().contains("links in sight") && script.effects.is_empty());
    script.press(KeyCode::Esc);
    script.write("ko");
    assert_eq!(script.effects, [Effect::Open("https://example.org/a".to_owned())]);
}

#[test]
fn where_one_left_off_is_one_letter_away() {
    let mut script = room(LAST);
    script.feed(Happening::Focus(false));
    (LAST + 1..LAST + 50).for_each(|seq| script.entry(log(seq)));
    esc(&mut script);
    script.write("u");
    assert_eq!(chosen(&script), Some(LAST + 1));
    assert!(in_sight(&mut script).contains(&(LAST + 1)));
    script.write("b");
    assert_eq!(chosen(&script), Some(LAST + 49));
}

#[test]
fn how_it_looks() {
    for (columns, rows) in [(120, 36), (80, 24), (50, 12)] {
        let mut script = days();
        script.resize(columns, rows);
        esc(&mut script);
        script.write("{k");
        assert_snapshot!(format!("reading_{columns}"), script.text());
    }
}

#[derive(Clone, Debug)]
enum Step {
    Key(KeyCode, KeyModifiers),
    Wheel(isize),
    Size(u16, u16),
    Says(bool),
    Answers(u64),
    Page,
}

fn step() -> impl Strategy<Value = Step> {
    let letters = prop::sample::select("jkgGmMnNurwpoy+{}t:/be dxi1".chars().collect::<Vec<_>>());
    let held = prop::sample::select("bfdu".chars().collect::<Vec<_>>());
    let codes = prop::sample::select(vec![
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Enter,
        KeyCode::Backspace,
        KeyCode::Esc,
    ]);
    prop_oneof![
        8 => letters.prop_map(|letter| Step::Key(KeyCode::Char(letter), KeyModifiers::NONE)),
        2 => held.prop_map(|letter| Step::Key(KeyCode::Char(letter), KeyModifiers::CONTROL)),
        4 => codes.prop_map(|code| Step::Key(code, KeyModifiers::NONE)),
        1 => prop::sample::select(vec![KeyCode::Up, KeyCode::PageUp, KeyCode::End, KeyCode::Home])
            .prop_map(|code| Step::Key(code, KeyModifiers::ALT)),
        1 => (-30_isize..30).prop_map(Step::Wheel),
        1 => (40_u16..130, 12_u16..40).prop_map(|(columns, rows)| Step::Size(columns, rows)),
        2 => any::<bool>().prop_map(Step::Says),
        1 => (0_u64..60).prop_map(Step::Answers),
        3 => Just(Step::Page),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_chosen_message_is_always_in_sight(steps in prop::collection::vec(step(), 1..60)) {
        let mut last = 700;
        let mut script = room(last);
        // A list of what a word could become may lie over it.
        script.state.company.settings.completion_popup = Popup::Tab;
        esc(&mut script);
        for step in steps {
            match step {
                Step::Key(code, modifiers) => script.key(code, modifiers),
                Step::Wheel(rows) => script.feed(Happening::Wheel(rows)),
                Step::Size(columns, rows) => script.resize(columns, rows),
                Step::Says(own) => {
                    last += 1;
                    let from = if own { "alice" } else { "bob" };
                    script.entry(Entry { from: crate::client::tui::script::nick(from), ..log(last) });
                }
                Step::Answers(back) => {
                    last += 1;
                    script.entry(Entry { reply_to: Some(last - 1 - back), ..log(last) });
                }
                Step::Page => {
                    for command in script.asked() {
                        if let Command::History(history) = command {
                            let (first, end) = match history.place {
                                Place::Before(seq) => (seq.saturating_sub(100).max(1), seq - 1),
                                Place::After(seq) => (seq + 1, (seq + 100).min(last)),
                                Place::Around(seq) => (seq.saturating_sub(50).max(1), (seq + 50).min(last)),
                                Place::At(_) => (1, 50),
                            };
                            let entries = (first..=end).map(log).collect();
                            let (re, room) = (history.id, room_name("#a"));
                            script.hear(Event::Page(crate::protocol::event::Page { re, room, entries, last }));
                        }
                    }
                }
            }
            if let Some(chosen) = chosen(&script)
                && script.state.overlay.is_none()
                && is_reading(&script)
            {
                prop_assert!(is_marked(&mut script), "{chosen}:\n{}", script.text());
            }
        }
        (0..4).for_each(|_| script.press(KeyCode::Esc));
        prop_assert!(!is_reading(&script) && script.state.overlay.is_none() && script.state.question.is_none());
    }
}
