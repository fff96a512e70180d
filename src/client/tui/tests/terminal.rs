//! What a terminal makes of the bytes: one that counts characters and knows nothing of joined emoji.

use std::num::NonZero;

use crossterm::event::{KeyCode, KeyModifiers};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::widths::Wire;
use crate::client::tui::painter::Painter;
use crate::client::tui::script::Script;
use crate::client::tui::view;

struct Seen {
    wire: Wire,
    drawing: Terminal<Painter<CrosstermBackend<Wire>>>,
    terminal: vt100::Parser,
}

impl Seen {
    fn new(columns: u16, rows: u16) -> Self {
        let wire = Wire::default();
        let viewport = Viewport::Fixed(Rect::new(0, 0, columns, rows));
        let backend = Painter::new(CrosstermBackend::new(wire.clone()), (columns, rows));
        let drawing = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
        let [rows, columns] = [rows, columns].map(|size| NonZero::new(size).unwrap());
        Self { wire, drawing, terminal: vt100::Parser::new(rows, columns, 0) }
    }

    /// What the terminal shows after one more frame, a line for each row.
    fn after(&mut self, script: &Script) -> Vec<String> {
        self.drawing.draw(|frame| view::draw(&script.state, frame)).unwrap();
        self.terminal.process(&self.wire.0.take());
        let columns = self.terminal.screen().size().1.into();
        self.terminal.screen().rows(0, columns).map(|row| row.trim_end().to_owned()).collect()
    }
}

fn room(texts: &[&str]) -> Script {
    let mut script = Script::new(100, 24);
    script.online();
    script.join("#a", 200, "話題", &["alice", "bob", "李雷"]);
    for (seq, text) in (1..=200).zip(texts.iter().cycle()) {
        script.says("#a", seq, if seq % 3 == 0 { "李雷" } else { "bob" }, &format!("{text} {seq}"));
    }
    script
}

const JUMPS: [(KeyCode, KeyModifiers); 8] = [
    (KeyCode::PageUp, KeyModifiers::NONE),
    (KeyCode::Up, KeyModifiers::ALT),
    (KeyCode::Home, KeyModifiers::ALT),
    (KeyCode::PageDown, KeyModifiers::NONE),
    (KeyCode::F(1), KeyModifiers::NONE),
    (KeyCode::Esc, KeyModifiers::NONE),
    (KeyCode::F(3), KeyModifiers::NONE),
    (KeyCode::End, KeyModifiers::ALT),
];

#[test]
fn wide_characters_leave_nothing_behind() {
    let mut script =
        room(&["你好，世界", "a b c d e f", "한국어 mixed 日本語", "x你y好z", "e\u{301}te\u{301}"]);
    let mut seen = Seen::new(100, 24);
    for (code, modifiers) in JUMPS.into_iter().cycle().take(40) {
        script.key(code, modifiers);
        let shown = seen.after(&script);
        let wanted: Vec<String> = script.text().lines().map(str::to_owned).collect();
        assert_eq!(shown, wanted);
    }
}

#[test]
fn joined_emoji_never_break_the_frame() {
    // At every distance from the right edge.
    let at_the_edge: Vec<String> = (40..60).map(|columns| "x".repeat(columns) + " 👩‍👩‍👧‍👦❤️🇩🇪👍🏽").collect();
    let mut script = room(&at_the_edge.iter().map(String::as_str).collect::<Vec<_>>());
    let mut seen = Seen::new(100, 24);
    for (code, modifiers) in JUMPS.into_iter().cycle().take(40) {
        script.key(code, modifiers);
        seen.after(&script);
        let panes = view::panes(&script.state);
        if script.state.overlay.is_some() {
            continue;
        }
        let borders = [panes.rooms.map(Rect::right), panes.people.map(|area| area.x - 1)];
        for x in borders.into_iter().flatten() {
            for y in 0..panes.scrollback.bottom() {
                let cell = seen.terminal.screen().cell(y, x).unwrap();
                assert_eq!(cell.contents(), "│", "at {x}, {y}");
            }
        }
    }
}
