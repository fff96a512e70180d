//! The mouse, while it is ours: clicks, the wheel, and selecting.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use insta::assert_snapshot;
use proptest::prelude::*;
use ratatui::buffer::Cell;

use super::widths;
use crate::client::tui::script::Script;
use crate::client::tui::settings::{Change, Value};
use crate::client::tui::theme::Theme;
use crate::client::tui::{Effect, Event, view};
use crate::protocol::command::Command;

fn mouse(script: &mut Script, kind: MouseEventKind, (column, row): (u16, u16)) {
    script.feed(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
}

fn click(script: &mut Script, at: (u16, u16)) {
    mouse(script, MouseEventKind::Down(MouseButton::Left), at);
    mouse(script, MouseEventKind::Up(MouseButton::Left), at);
}

fn drag(script: &mut Script, from: (u16, u16), to: (u16, u16)) {
    mouse(script, MouseEventKind::Down(MouseButton::Left), from);
    mouse(script, MouseEventKind::Drag(MouseButton::Left), to);
    mouse(script, MouseEventKind::Up(MouseButton::Left), to);
}

/// The cell in which a text begins on the screen.
fn find(script: &mut Script, text: &str) -> (u16, u16) {
    let (buffer, _) = script.screen();
    let width = usize::from(buffer.area.width);
    let cells = buffer.content();
    let begins = |place: &usize| {
        let shown: String = cells[*place..].iter().take(text.chars().count()).map(Cell::symbol).collect();
        shown == text
    };
    let place = (0..cells.len()).find(begins).unwrap_or_else(|| panic!("{text} is not on the screen"));
    (u16::try_from(place % width).unwrap(), u16::try_from(place / width).unwrap())
}

fn after(script: &mut Script, text: &str) -> (u16, u16) {
    let (x, y) = find(script, text);
    (x + u16::try_from(text.chars().count()).unwrap() - 1, y)
}

/// Whether a cell stands on the ground of what is selected.
fn is_selected(theme: Theme, cell: &Cell) -> bool {
    Some(cell.bg) == theme.selected().bg
}

/// What is selected, a line for each row.
fn selected(script: &mut Script) -> String {
    let theme = script.state.theme;
    let (buffer, _) = script.screen();
    let mut rows = Vec::new();
    for y in 0..buffer.area.height {
        let row: String = (0..buffer.area.width)
            .map(|x| &buffer[(x, y)])
            .filter(|cell| is_selected(theme, cell))
            .map(Cell::symbol)
            .collect();
        if !row.is_empty() {
            rows.push(row);
        }
    }
    rows.join("\n")
}

fn copied(script: &mut Script) -> Option<String> {
    script.effects.drain(..).find_map(|effect| match effect {
        Effect::Copy(text) => Some(text),
        _ => None,
    })
}

fn room(columns: u16, rows: u16) -> Script {
    let mut script = Script::new(columns, rows);
    script.online();
    script.join("#rust", 0, "", &["alice"]);
    script.join("#lobby", 0, "demo at 15:00", &["alice", "bob", "carol"]);
    for (seq, from, text) in [
        (1, "bob", "good morning"),
        (
            2,
            "carol",
            "a line that is so long that it must be broken more than once in a pane as narrow as this one is",
        ),
        (3, "bob", "```rust\nfn main() {\n\n    let x = 1;\n}\n```"),
        (4, "carol", "see [the docs](https://example.org/docs) and https://example.org/a_b_c.\n- one\n- two"),
    ] {
        script.says("#lobby", seq, from, text);
    }
    script.press(KeyCode::F(4));
    script.effects.clear();
    script
}

#[test]
fn the_mouse_is_taken_and_given_back() {
    let mut script = Script::new(80, 24);
    script.online();
    script.join("#lobby", 0, "", &["alice"]);
    click(&mut script, (3, 1));
    assert!(script.state.room().is_some_and(|room| room.chosen.is_none()));
    script.effects.clear();
    script.press(KeyCode::F(4));
    assert_eq!(script.effects, [Effect::Capture(true)]);
    assert!(script.text().contains("F4 gives it back"), "{}", script.text());
    script.press(KeyCode::F(4));
    assert_eq!(script.effects, [Effect::Capture(true), Effect::Capture(false)]);
    script.effects.clear();
    script.write("/mouse on");
    script.press(KeyCode::Enter);
    assert_eq!(
        script.effects,
        [Effect::Keep(Change::Set("mouse", Some(Value::Switch(true)))), Effect::Capture(true)]
    );
}

#[test]
fn clicks_choose_rooms_people_and_messages() {
    let mut script = room(100, 24);
    let at = find(&mut script, "good morning");
    click(&mut script, at);
    assert_eq!(script.state.room().and_then(|room| room.chosen), Some(1));
    script.pass(Duration::from_secs(1));
    click(&mut script, at);
    assert_eq!(script.state.room().and_then(|room| room.chosen), None);
    let at = find(&mut script, "● carol");
    click(&mut script, at);
    assert!(matches!(&script.asked()[..], [Command::Whois(who)] if who.nick.as_str() == "carol"));
    script.press(KeyCode::Esc);
    let at = find(&mut script, "#rust");
    click(&mut script, at);
    assert_eq!(script.state.room().map(|room| room.shown.as_str()), Some("#rust"));
    script.write("over there");
    let at = find(&mut script, "there");
    click(&mut script, at);
    script.write("t");
    assert_eq!(script.state.composer().text(), "over tthere");
}

#[test]
fn links_are_opened_and_what_is_below_is_gone_to() {
    let mut script = room(100, 24);
    script.state.can_open = true;
    for (shown, link) in
        [("example.org/docs", "https://example.org/docs"), ("org/a_b", "https://example.org/a_b_c")]
    {
        let at = find(&mut script, shown);
        click(&mut script, at);
        assert_eq!(script.effects, [Effect::Open(link.to_owned())]);
        script.effects.clear();
        assert_eq!(script.state.room().and_then(|room| room.chosen), None);
        script.pass(Duration::from_secs(1));
    }
    for seq in 5..60 {
        script.says("#lobby", seq, "bob", "more");
    }
    let at = find(&mut script, "more");
    mouse(&mut script, MouseEventKind::ScrollUp, at);
    let at = find(&mut script, "further up");
    click(&mut script, at);
    assert!(!script.text().contains("further up"));
}

#[test]
fn what_is_dragged_over_is_copied_as_it_was_typed() {
    let mut script = room(60, 24);
    let (from, to) = (find(&mut script, "line that"), after(&mut script, "narrow as"));
    drag(&mut script, from, to);
    assert_snapshot!(script.text());
    assert_snapshot!(selected(&mut script), @"
    line that is so long that it must
    be broken more than once in a pane
    as narrow as
    ");
    let text = "line that is so long that it must be broken more than once in a pane as narrow as";
    assert_eq!(copied(&mut script).as_deref(), Some(text));
    // Backwards it is the same.
    script.pass(Duration::from_secs(1));
    let (from, to) = (find(&mut script, "line that"), after(&mut script, "narrow as"));
    drag(&mut script, to, from);
    assert_eq!(copied(&mut script).as_deref(), Some(text));
    // Any key ends it.
    script.press(KeyCode::Left);
    assert_eq!(selected(&mut script), "");
}

#[test]
fn code_keeps_its_indent_and_its_empty_lines() {
    let mut script = room(60, 24);
    let (from, to) = (find(&mut script, "main()"), after(&mut script, "= 1;"));
    drag(&mut script, from, to);
    assert_eq!(copied(&mut script).as_deref(), Some("main() {\n\n    let x = 1;"));
    script.pass(Duration::from_secs(1));
    let (x, y) = find(&mut script, "let x");
    let to = after(&mut script, "x = 1;");
    drag(&mut script, (x - 5, y), (to.0, to.1 + 1));
    assert_eq!(copied(&mut script).as_deref(), Some("    let x = 1;\n}"));
}

#[test]
fn whole_messages_say_whose_they_are() {
    let mut script = room(60, 24);
    let (from, to) = (find(&mut script, "morning"), after(&mut script, "• one"));
    drag(&mut script, from, to);
    assert_snapshot!(copied(&mut script).unwrap_or_default(), @"
    morning
    [11:02] carol: a line that is so long that it must be broken more than once in a pane as narrow as this one is
    [11:02] bob: ```rust
    fn main() {

        let x = 1;
    }
    ```
    see the docs (https://example.org/docs) and https://example.org/a_b_c.
    one
    ");
    assert_snapshot!(selected(&mut script), @"
    morning
    a line that is so long that it must
    be broken more than once in a pane
    as narrow as this one is
    fn main() {
    let x = 1;
    }
    see the docs
    (https://example.org/docs) and
    https://example.org/a_b_c.
    one
    ");
}

#[test]
fn two_clicks_take_a_word() {
    let mut script = room(60, 24);
    let at = find(&mut script, "orning");
    click(&mut script, at);
    click(&mut script, at);
    assert_eq!(copied(&mut script).as_deref(), Some("morning"));
    assert_eq!(selected(&mut script), "morning");
    assert!(script.text().contains("7 characters sent to the terminal"), "{}", script.text());
}

#[test]
fn dragging_beyond_the_edge_scrolls() {
    let mut script = room(60, 12);
    for seq in 5..60 {
        script.says("#lobby", seq, "bob", &format!("number {seq}"));
    }
    let from = find(&mut script, "number 58");
    mouse(&mut script, MouseEventKind::Down(MouseButton::Left), from);
    for _ in 0..20 {
        mouse(&mut script, MouseEventKind::Drag(MouseButton::Left), (from.0, 0));
    }
    mouse(&mut script, MouseEventKind::Up(MouseButton::Left), (from.0, 0));
    let text = copied(&mut script).unwrap_or_default();
    assert!(
        text.starts_with("[11:02] bob: number 3") && text.lines().count() > 20 && text.ends_with('n'),
        "{text}"
    );
}

#[test]
fn what_is_too_long_for_a_clipboard_is_refused() {
    let mut script = room(60, 12);
    for seq in 5..9 {
        script.says("#lobby", seq, "bob", &"word ".repeat(4_000));
    }
    let to = find(&mut script, "word");
    script.key(KeyCode::Home, KeyModifiers::ALT);
    let from = find(&mut script, "good");
    mouse(&mut script, MouseEventKind::Down(MouseButton::Left), from);
    script.key(KeyCode::End, KeyModifiers::ALT);
    drag(&mut script, from, to);
    let from = find(&mut script, "word");
    mouse(&mut script, MouseEventKind::Down(MouseButton::Left), from);
    for _ in 0..200 {
        mouse(&mut script, MouseEventKind::Drag(MouseButton::Left), (from.0, 0));
    }
    script.effects.clear();
    mouse(&mut script, MouseEventKind::Up(MouseButton::Left), (from.0, 0));
    assert_eq!(copied(&mut script), None);
    assert!(script.text().contains("terminals take about 56000"), "{}", script.text());
}

#[test]
fn the_wheel_scrolls_what_is_under_it() {
    let mut script = room(100, 12);
    script.press(KeyCode::F(1));
    let before = script.text();
    mouse(&mut script, MouseEventKind::ScrollDown, (50, 5));
    assert_ne!(script.text(), before);
    // Beside the box is a way out.
    click(&mut script, (1, 11));
    assert!(script.state.overlay.is_none());
    mouse(&mut script, MouseEventKind::ScrollDown, (2, 3));
    assert_eq!(script.state.room().map(|room| room.shown.as_str()), Some("#rust"));
}

/// What could be done with a mouse.
fn events() -> impl Strategy<Value = Vec<(u8, u16, u16)>> {
    proptest::collection::vec((0_u8..8, 0_u16..130, 0_u16..50), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
    #[test]
    fn nothing_but_what_was_said_is_ever_selected(
        columns in 1_u16..120,
        rows in 1_u16..40,
        from in 0_usize..20,
        events in events(),
    ) {
        let mut script = widths::room(columns, rows);
        for (seq, message) in (1..).zip(widths::messages(40).into_iter().skip(from * 10).take(8)) {
            widths::say(&mut script, seq, &message);
        }
        script.state.composer_mut().take();
        script.press(KeyCode::F(4));
        for (kind, column, row) in events {
            let kind = match kind {
                0 => MouseEventKind::Down(MouseButton::Left),
                1..=3 => MouseEventKind::Drag(MouseButton::Left),
                4 => MouseEventKind::Up(MouseButton::Left),
                5 => MouseEventKind::ScrollUp,
                6 => MouseEventKind::ScrollDown,
                _ => MouseEventKind::Moved,
            };
            mouse(&mut script, kind, (column, row));
            let panes = view::panes(&script.state);
            let over = script.state.overlay.is_some();
            let none = script.state.mouse.selection.is_none();
            let theme = script.state.theme;
            let (buffer, _) = script.screen();
            for y in (0..rows).filter(|_| !over) {
                for x in 0..columns {
                    let selected = is_selected(theme, &buffer[(x, y)]);
                    let within = panes.scrollback.contains((x, y).into());
                    prop_assert!(!selected || (within && !none), "{x}, {y}");
                }
            }
        }
    }
}
