//! Going up and down through more history than is here.

use crossterm::event::{KeyCode, KeyModifiers};

use crate::client::link::Update;
use crate::client::tui::Event as TuiEvent;
use crate::client::tui::script::{Script, entry, room_name};
use crate::protocol::command::{Command, Place};
use crate::protocol::event::{Entry, Event, Page};

/// What the log of the room holds.
pub(super) fn log(seq: u64) -> Entry {
    let from = ["bob", "carol", "李雷"][usize::try_from(seq / 3 % 3).unwrap()];
    let tail = match seq % 7 {
        0 => " with a tail that is long enough to be wrapped at eighty columns, or so one would think",
        3 => "\n    and a second line",
        _ => "",
    };
    entry("#a", seq, from, &format!("m{seq}.{tail}"))
}

/// A room with `last` entries, of which the newest 200 are here.
pub(super) fn room(last: u64) -> Script {
    let mut script = Script::new(80, 24);
    script.online();
    script.join("#a", last, "", &["alice", "bob"]);
    let first = last.saturating_sub(200) + 1;
    if first > 1 {
        script.gap("#a", 1, first - 1);
    }
    (first..=last).for_each(|seq| script.entry(log(seq)));
    script.effects.clear();
    script
}

/// Answers what was asked, as a server would whose log ends at `last`.
pub(super) fn answer(script: &mut Script, last: u64) -> usize {
    let asked = script.asked();
    for command in &asked {
        let Command::History(history) = command else { panic!("{command:?}") };
        let (first, end) = match history.place {
            Place::Before(seq) => (seq.saturating_sub(history.limit).max(1), seq - 1),
            Place::After(seq) => (seq + 1, (seq + history.limit).min(last)),
            Place::Around(seq) => around(seq, history.limit, last),
            Place::At(time) => {
                around((1..=last).find(|seq| log(*seq).at >= time).unwrap_or(last + 1), history.limit, last)
            }
        };
        let entries = (first..=end).map(log).collect();
        let page = Page { re: history.id.clone(), room: room_name("#a"), entries, last };
        script.hear(Event::Page(page));
    }
    asked.len()
}

fn around(seq: u64, limit: u64, last: u64) -> (u64, u64) {
    (seq.saturating_sub(limit / 2).max(1), (seq + limit / 2).min(last))
}

/// The numbers of the messages in sight.
pub(super) fn in_sight(script: &mut Script) -> Vec<u64> {
    let text = script.text();
    let starts = text.match_indices(" m").filter_map(|(at, _)| {
        let (number, _) = text[at + 2..].split_once('.')?;
        number.parse().ok()
    });
    starts.collect()
}

#[test]
fn up_through_all_of_it_without_a_hitch_and_down_again() {
    let last = 3000;
    let mut script = room(last);
    let mut oldest = *in_sight(&mut script).first().unwrap();
    let mut steps = 0;
    while oldest > 1 {
        script.press(KeyCode::PageUp);
        // The page comes while the reader reads: what is in sight does not move.
        let before = in_sight(&mut script);
        answer(&mut script, last);
        let seen = in_sight(&mut script);
        assert_eq!(before, seen);
        assert!(seen.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{seen:?}");
        assert!(seen.last().unwrap() + 2 >= oldest, "nothing was left out: {seen:?} and then {oldest}");
        assert!(!script.text().contains('┄'), "the page was here in time:\n{}", script.text());
        oldest = seen[0];
        steps += 1;
        assert!(steps < 1000);
    }
    script.press(KeyCode::PageUp);
    assert!(script.text().contains("This is the beginning of #a."));
    let mut newest = *in_sight(&mut script).last().unwrap();
    while newest < last {
        script.press(KeyCode::PageDown);
        let seen = in_sight(&mut script);
        assert!(seen[0] <= newest + 1 && seen.windows(2).all(|pair| pair[0] + 1 == pair[1]));
        newest = *seen.last().unwrap();
        steps += 1;
        assert!(steps < 2000);
    }
    assert!(!script.text().contains("further up"));
}

#[test]
fn nothing_is_asked_twice_and_nothing_without_a_connection() {
    let mut script = room(3000);
    script.key(KeyCode::Home, KeyModifiers::ALT);
    script.press(KeyCode::PageUp);
    script.press(KeyCode::PageUp);
    assert_eq!(script.asked().len(), 1);
    assert!(script.text().contains("2,800 earlier messages · loading"), "{}", script.text());
    let retry_at = script.now.instant;
    script.news(Update::Offline { why: "gone".to_owned(), retry_at });
    script.press(KeyCode::PageUp);
    assert_eq!(script.asked().len(), 0);
    assert!(script.text().contains("2,800 earlier messages · PgUp loads them"), "{}", script.text());
    script.online();
    script.joined("#a", 3000, "", &["alice"]);
    script.press(KeyCode::PageUp);
    assert_eq!(script.asked().len(), 1);
}

/// Back after a break in which more was missed than is wanted at once.
fn after_a_break() -> (Script, u64) {
    let (known, last) = (100, 2100);
    let mut script = room(known);
    script.online();
    script.joined("#a", last, "", &["alice", "bob"]);
    script.gap("#a", known + 1, last - 200);
    (last - 199..=last).for_each(|seq| script.entry(log(seq)));
    (script, last)
}

#[test]
fn a_gap_in_the_middle_is_opened_from_below() {
    let (mut script, last) = after_a_break();
    let mut oldest = *in_sight(&mut script).first().unwrap();
    let mut steps = 0;
    while oldest > 1 {
        script.press(KeyCode::PageUp);
        let before = in_sight(&mut script);
        answer(&mut script, last);
        assert_eq!(before, in_sight(&mut script));
        oldest = *before.first().unwrap();
        steps += 1;
        assert!(steps < 1000);
    }
    assert_eq!(script.state.rooms[0].scrollback.len(), 2100);
}

#[test]
fn a_gap_in_the_middle_is_opened_from_above() {
    let (mut script, last) = after_a_break();
    script.key(KeyCode::Home, KeyModifiers::ALT);
    let mut newest = *in_sight(&mut script).last().unwrap();
    let mut steps = 0;
    while newest < last {
        script.press(KeyCode::PageDown);
        while answer(&mut script, last) > 0 {}
        let seen = in_sight(&mut script);
        assert!(seen[0] <= newest + 1, "{newest} and then {seen:?}");
        newest = *seen.last().unwrap();
        steps += 1;
        assert!(steps < 1000);
    }
    assert_eq!(script.state.rooms[0].scrollback.len(), 2100);
}

#[test]
fn a_gap_says_that_it_is_one() {
    let (mut script, _) = after_a_break();
    script.key(KeyCode::Char('u'), KeyModifiers::ALT);
    let text = script.text();
    assert!(text.contains("┄┄ 1,800 messages not shown · loading … ┄┄"), "{text}");
    assert!(text.contains(" new "), "{text}");
}

#[test]
fn clearing_takes_nothing_away_but_the_sight_of_it() {
    let mut script = room(300);
    script.write("/clear");
    script.press(KeyCode::Enter);
    assert!(script.text().contains("┄┄ 300 earlier messages · PgUp loads them ┄┄"), "{}", script.text());
    script.entry(log(301));
    assert_eq!(in_sight(&mut script), [301]);
    script.press(KeyCode::PageUp);
    answer(&mut script, 301);
    script.press(KeyCode::PageUp);
    assert!(in_sight(&mut script).contains(&280), "{}", script.text());
}

#[test]
fn an_empty_page_is_not_asked_for_again_and_again() {
    let mut script = room(300);
    script.key(KeyCode::Home, KeyModifiers::ALT);
    let Some(Command::History(history)) = script.asked().pop() else { panic!() };
    let page = Page { re: history.id, room: room_name("#a"), entries: Vec::new(), last: 300 };
    script.hear(Event::Page(page));
    script.press(KeyCode::PageUp);
    assert_eq!(script.asked().len(), 0);
}

#[test]
fn the_first_row_says_who_and_when() {
    let mut script = Script::new(80, 16);
    script.online();
    script.join("#a", 60, "", &["alice", "bob"]);
    (1..=60).for_each(|seq| script.says("#a", seq, "bob", &format!("m{seq}.")));
    assert!(script.text().lines().nth(1).unwrap().contains("11:02  bob   m"), "{}", script.text());
}

#[test]
fn the_wheel_and_a_new_size_keep_the_place() {
    let mut script = room(100);
    script.feed(TuiEvent::Wheel(-30));
    let bottom = *in_sight(&mut script).last().unwrap();
    for (columns, rows) in [(120, 36), (40, 10), (1, 1), (25, 30), (80, 24)] {
        script.resize(columns, rows);
        if columns > 30 {
            assert_eq!(in_sight(&mut script).last(), Some(&bottom));
        }
    }
    script.feed(TuiEvent::Wheel(1000));
    assert_eq!(in_sight(&mut script).last(), Some(&100));
}
