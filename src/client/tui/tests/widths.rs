//! Hard texts on terminals that disagree about their widths: whatever they believe, the frame stands and nothing stays
//! behind.

use std::cell::RefCell;
use std::io::{self, Write};
use std::num::NonZero;
use std::rc::Rc;

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect, Size};
use ratatui::{Terminal, TerminalOptions, Viewport};

use crate::client::tui::painter::Painter;
use crate::client::tui::script::{Script, entry, presence};
use crate::client::tui::{Event, view, wrap};
use crate::protocol::event::{EntryKind, Event as News};
use crate::protocol::name::Nick;

/// The texts, a line each; what begins with `# ` says what they are.
pub(super) fn corpus() -> Vec<&'static str> {
    let files = [
        include_str!("../../../../tests/corpus/bidi.txt"),
        include_str!("../../../../tests/corpus/combining.txt"),
        include_str!("../../../../tests/corpus/widths.txt"),
        include_str!("../../../../tests/corpus/scripts.txt"),
        include_str!("../../../../tests/corpus/emoji.txt"),
    ];
    files.iter().flat_map(|file| file.lines()).filter(|line| !line.starts_with("# ")).collect()
}

/// What was written and not read yet.
#[derive(Clone, Default)]
pub(super) struct Wire(pub(super) Rc<RefCell<Vec<u8>>>);

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a terminal believes of a grapheme whose width is doubtful.
#[derive(Clone, Copy, Debug)]
enum Belief {
    /// It has one column.
    Narrow,
    /// It is one thing, as wide as all its characters.
    Wide,
    /// It is its characters, one behind the other.
    Apart,
}

/// A terminal: cells, each with what stands there and how far behind its beginning.
#[derive(Debug)]
struct Grid {
    belief: Belief,
    /// At the end of a row it goes on in the next one.
    wraps: bool,
    size: (u16, u16),
    cells: Vec<(String, u16)>,
    cursor: (u16, u16),
}

impl Grid {
    fn new(belief: Belief, wraps: bool, size: (u16, u16)) -> Self {
        let cells = vec![(String::new(), 0); usize::from(size.0) * usize::from(size.1)];
        Self { belief, wraps, size, cells, cursor: (0, 0) }
    }

    fn index(&self, x: u16, y: u16) -> usize {
        usize::from(y) * usize::from(self.size.0) + usize::from(x)
    }

    /// Empties a cell, and with it all of what stands in it.
    fn erase(&mut self, x: u16, y: u16) {
        let mut x = x - self.cells[self.index(x, y)].1;
        let mut offset = 0;
        while x < self.size.0 && self.cells[self.index(x, y)].1 == offset {
            let index = self.index(x, y);
            self.cells[index] = (String::new(), 0);
            (x, offset) = (x + 1, offset + 1);
        }
    }

    fn put(&mut self, symbol: &str, columns: u16) {
        let (width, height) = self.size;
        let columns = columns.min(width);
        if self.cursor.0 + columns > width {
            if self.wraps {
                self.cursor = (0, self.cursor.1 + 1);
                if self.cursor.1 == height {
                    self.cells.drain(..usize::from(width));
                    self.cells.resize(usize::from(width) * usize::from(height), (String::new(), 0));
                    self.cursor.1 -= 1;
                }
            } else {
                // What is left of it goes where there is room.
                self.cursor.0 = self.cursor.0.min(width - columns.min(2));
            }
        }
        let (x, y) = self.cursor;
        let columns = columns.min(width - x);
        for x in x..x + columns {
            self.erase(x, y);
        }
        for offset in 0..columns {
            let index = self.index(x + offset, y);
            self.cells[index] = (if offset == 0 { symbol.trim().to_owned() } else { String::new() }, offset);
        }
        self.cursor.0 += columns;
    }

    fn print(&mut self, symbol: &str) {
        let columns = |symbol: &str| u16::try_from(wrap::columns_of(symbol)).unwrap();
        match self.belief {
            _ if !wrap::is_doubtful(symbol) => self.put(symbol, columns(symbol)),
            Belief::Narrow => self.put(symbol, 1),
            Belief::Wide => self.put(symbol, u16::try_from(wrap::most_columns(symbol)).unwrap()),
            Belief::Apart => {
                for c in symbol.chars() {
                    let mut bytes = [0; 4];
                    let c = &*c.encode_utf8(&mut bytes);
                    if wrap::columns_of(c) > 0 {
                        self.put(c, columns(c));
                    }
                }
            }
        }
    }
}

/// All of these at once, by the calls and by the bytes of the backend that draws.
struct Terminals {
    bytes: CrosstermBackend<Wire>,
    grids: Vec<Grid>,
}

impl Backend for Terminals {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let content: Vec<_> = content.collect();
        for grid in &mut self.grids {
            // As the backend does: what follows to the right is written without moving.
            let mut last = None;
            for (x, y, cell) in &content {
                if last.is_none_or(|last| Some(last) != x.checked_sub(1).map(|x| (x, *y))) {
                    grid.cursor = (*x, *y);
                }
                last = Some((*x, *y));
                grid.print(cell.symbol());
            }
        }
        self.bytes.draw(content.into_iter())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(Position::new(0, 0))
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.bytes.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        for grid in &mut self.grids {
            grid.cells.fill((String::new(), 0));
        }
        self.bytes.clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        Ok(Size::new(0, 0))
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: Size::new(0, 0), pixels: Size::new(0, 0) })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The screen on all of these terminals.
pub(super) struct Seen {
    pub(super) wire: Wire,
    screen: Terminal<Painter<Terminals>>,
    vt100: vt100::Parser,
    frames: usize,
}

impl Seen {
    pub(super) fn new(columns: u16, rows: u16) -> Self {
        let size = (columns, rows);
        let wire = Wire::default();
        let mut grids = Vec::new();
        for belief in [Belief::Narrow, Belief::Wide, Belief::Apart] {
            grids.extend([true, false].map(|wraps| Grid::new(belief, wraps, size)));
        }
        let backend = Terminals { bytes: CrosstermBackend::new(wire.clone()), grids };
        let viewport = Viewport::Fixed(Rect::new(0, 0, columns, rows));
        let options = TerminalOptions { viewport };
        let screen = Terminal::with_options(Painter::new(backend, size), options).unwrap();
        let [rows, columns] = [rows, columns].map(|size| NonZero::new(size).unwrap());
        Self { wire, screen, vt100: vt100::Parser::new(rows, columns, 0), frames: 0 }
    }

    /// Draws a frame. Gives its bytes.
    pub(super) fn draw(&mut self, script: &Script) -> Vec<u8> {
        self.screen.draw(|frame| view::draw(&script.state, frame)).unwrap();
        self.frames += 1;
        let bytes = self.wire.0.take();
        self.vt100.process(&bytes);
        bytes
    }

    /// Whether each cell shows what it should, on each terminal, but for what is doubtful itself.
    fn check(&mut self, script: &mut Script) {
        let (wanted, _) = script.screen();
        let wanted: Buffer = wanted.clone();
        for y in 0..wanted.area.height {
            let mut x = 0;
            while x < wanted.area.width {
                let symbol = wanted[(x, y)].symbol();
                let columns = u16::try_from(wrap::columns_of(symbol).max(1)).unwrap();
                if !wrap::is_doubtful(symbol) {
                    for grid in &self.screen.backend_mut().inner_mut().grids {
                        let (shown, offset) = &grid.cells[grid.index(x, y)];
                        let place = format!("at {x}, {y} of frame {}", self.frames);
                        let who = (grid.belief, grid.wraps);
                        assert_eq!((shown.as_str(), *offset), (symbol.trim(), 0), "{who:?} {place}");
                    }
                }
                x += columns;
            }
        }
        let panes = view::panes(&script.state);
        for x in [panes.rooms.map(Rect::right), panes.people.map(|area| area.x - 1)].into_iter().flatten() {
            for y in 0..panes.scrollback.bottom() {
                let cell = self.vt100.screen().cell(y, x).unwrap();
                assert!(cell.contents().starts_with('│'), "vt100 at {x}, {y}: {:?}", cell.contents());
            }
        }
    }
}

/// Room and people for hard texts.
pub(super) fn room(columns: u16, rows: u16) -> Script {
    let mut script = Script::new(columns, rows);
    script.online();
    script.join("#b", 0, "", &["alice"]);
    script.join("#a", 0, "話題", &["alice", "bob", "李雷", "דוד"]);
    script
}

/// The texts, as many in one message as stand in about two rows, each at another distance from the edge.
pub(super) fn messages(columns: usize) -> Vec<String> {
    let mut messages = Vec::new();
    let mut message = String::new();
    for text in corpus() {
        if wrap::columns(&message) > columns {
            messages.push(std::mem::take(&mut message));
            message = "x".repeat(messages.len() % 7);
        }
        message.push_str(text);
        if messages.len() % 2 == 0 {
            message.push(' ');
        }
    }
    messages.push(message);
    messages
}

/// One more message, from a name that is as hard where there is such a name, with a topic and an input like it.
pub(super) fn say(script: &mut Script, seq: u64, message: &str) {
    let names: Vec<&str> = message.split(' ').filter(|name| Nick::new(name).is_ok()).collect();
    let from = *names.first().unwrap_or(&"bob");
    script.says("#a", 2 * seq - 1, from, message);
    let mut topic = entry("#a", 2 * seq, from, message);
    topic.kind = EntryKind::Topic;
    script.entry(topic);
    if let Some(name) = names.last() {
        script.hear(News::Presence(presence("#a", &["alice", from, name])));
    }
    script.state.composer_mut().set(message);
}

fn walk(columns: u16, rows: u16) {
    let mut script = room(columns, rows);
    let mut seen = Seen::new(columns, rows);
    for (seq, message) in (1..).zip(messages(usize::from(columns))) {
        say(&mut script, seq, &message);
        seen.draw(&script);
        seen.check(&mut script);
    }
    script.state.composer_mut().take();
    for _ in 0..300 {
        script.feed(Event::Wheel(-1));
        seen.draw(&script);
        seen.check(&mut script);
    }
    // And with what lies over them.
    for code in [crossterm::event::KeyCode::F(1), crossterm::event::KeyCode::Esc] {
        script.press(code);
        seen.draw(&script);
    }
    seen.check(&mut script);
}

#[test]
fn nothing_stays_behind_with_side_panes() {
    walk(100, 14);
}

#[test]
fn nothing_stays_behind_on_a_narrow_screen() {
    walk(50, 12);
}

#[test]
fn the_smallest_screens_take_any_text() {
    for (columns, rows) in [(1, 1), (3, 2), (8, 4), (20, 6)] {
        let mut script = room(columns, rows);
        let mut seen = Seen::new(columns, rows);
        for (seq, message) in (1..).zip(messages(40).into_iter().step_by(5)) {
            say(&mut script, seq, &message);
            seen.draw(&script);
        }
    }
}

#[test]
fn a_word_of_ten_thousand_characters_stays_in_its_column() {
    let mut script = room(50, 12);
    let mut seen = Seen::new(50, 12);
    for (seq, text) in (1..).zip(["a".repeat(10_000), "👍🏽".repeat(2_000), "क्षि".repeat(1_000)])
    {
        say(&mut script, seq, &text);
        script.state.composer_mut().take();
        for _ in 0..20 {
            script.feed(Event::Wheel(-7));
            seen.draw(&script);
            seen.check(&mut script);
        }
    }
}
