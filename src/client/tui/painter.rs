//! Cells onto a terminal that may think otherwise of how wide they are.
//!
//! Terminals disagree about joined emoji, skin tones, flags, keycaps and some scripts: one draws a family in two
//! columns, another draws four people in eight. Which it is cannot be asked, so such a grapheme is drawn in a way
//! that is right for all of them:
//!
//! 1. its columns are cleared before it comes and when it goes, for a terminal that fills fewer of them;
//! 2. the cursor is put at whatever follows, for a terminal that stands elsewhere by now;
//! 3. what stands behind it, as far as the widest terminal may have painted, is painted again, also at the start of
//!    the next row, where a terminal may have gone on.
//!
//! So after each frame every other cell shows what it should, and nothing has to be known of the frame before.
//! For the third, what is on the screen is kept here: ratatui hands over only what has changed.
//!
//! Characters that are wide in East Asian fonts alone (`│`, `…`, Cyrillic) count as narrow, as everywhere since
//! terminals speak UTF-8: a terminal that is set up otherwise breaks every program with lines.

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect, Size};

use super::wrap;

/// What stands in the last row for a grapheme that could make the terminal scroll.
const TOO_WIDE: &str = "·";

/// See the module.
#[derive(Debug)]
pub(super) struct Painter<B> {
    inner: B,
    /// What is on the screen.
    shown: Buffer,
}

impl<B: Backend> Painter<B> {
    /// Paints by `inner` on a screen of so many columns and rows, which is empty.
    pub(super) fn new(inner: B, (columns, rows): (u16, u16)) -> Self {
        Self { inner, shown: Buffer::empty(Rect::new(0, 0, columns, rows)) }
    }

    /// The screen has so many columns and rows now, and is painted anew where that is another size.
    pub(super) fn fit(&mut self, (columns, rows): (u16, u16)) {
        let area = Rect::new(0, 0, columns, rows);
        if area != self.shown.area {
            self.shown = Buffer::empty(area);
        }
    }

    /// What paints.
    pub(super) fn inner_mut(&mut self) -> &mut B {
        &mut self.inner
    }

    /// Clears what a doubtful grapheme that goes away may leave beside its first column: a terminal that drew its
    /// characters one behind the other takes only the first of them away.
    fn clear_what_is_left(&mut self, x: u16, y: u16) -> Result<(), B::Error> {
        let Some(known) = self.shown.cell((x, y)).filter(|known| wrap::is_doubtful(known.symbol())) else {
            return Ok(());
        };
        let width = u16::try_from(wrap::columns_of(known.symbol())).unwrap_or(1);
        let end = x.saturating_add(width).min(self.shown.area.right());
        self.inner.draw((x + 1..end).map(|x| (x, y, &Cell::EMPTY)))
    }

    /// Remembers a cell, and that what it covers is empty.
    fn note(&mut self, x: u16, y: u16, cell: &Cell) {
        let width = wrap::columns_of(cell.symbol()).max(1);
        for (place, x) in (x..self.shown.area.right()).take(width).enumerate() {
            if let Some(known) = self.shown.cell_mut((x, y)) {
                *known = if place == 0 { cell.clone() } else { Cell::EMPTY };
            }
        }
    }

    /// Paints a doubtful grapheme and what it may have painted over. Says up to which column that was.
    fn paint_doubtful(&mut self, x: u16, y: u16, cell: &Cell) -> Result<u16, B::Error> {
        let right = self.shown.area.right();
        let columns = |symbol: &str| u16::try_from(wrap::columns_of(symbol).max(1)).unwrap_or(1);
        let most = |x: u16, symbol: &str| {
            x.saturating_add(u16::try_from(wrap::most_columns(symbol)).unwrap_or(u16::MAX))
        };
        let mut at = x;
        let mut end = x;
        let mut in_the_next_row = 0;
        let mut next = Some(cell.clone());
        while let Some(cell) = next {
            let symbol = cell.symbol();
            if wrap::is_doubtful(symbol) {
                let mut blank = cell.clone();
                blank.set_symbol(" ");
                let blanks = (at..right).take(usize::from(columns(symbol)));
                self.inner.draw(blanks.map(|x| (x, y, &blank)))?;
                end = end.max(most(at, symbol));
                if most(at, symbol) > right {
                    in_the_next_row = in_the_next_row.max(most(0, symbol));
                }
            }
            // Behind the end of the last row there is nothing to go on in, and the terminal would scroll.
            if most(at, symbol) > right && y + 1 >= self.shown.area.bottom() && wrap::is_doubtful(symbol) {
                let mut instead = cell.clone();
                instead.set_symbol(TOO_WIDE);
                self.inner.draw(std::iter::once((at, y, &instead)))?;
            } else {
                self.inner.draw(std::iter::once((at, y, &cell)))?;
            }
            at = at.saturating_add(columns(symbol));
            next = (at < end.min(right)).then(|| self.shown.cell((at, y)).cloned()).flatten();
        }
        if in_the_next_row > 0 && y + 1 < self.shown.area.bottom() {
            self.paint_again(0, in_the_next_row, y + 1)?;
        }
        Ok(at)
    }

    /// Paints again what is known to stand in a row from one column to another.
    fn paint_again(&mut self, from: u16, to: u16, y: u16) -> Result<(), B::Error> {
        let mut x = from;
        while x < to.min(self.shown.area.right()) {
            let Some(cell) = self.shown.cell((x, y)).cloned() else { return Ok(()) };
            if wrap::is_doubtful(cell.symbol()) {
                x = self.paint_doubtful(x, y, &cell)?;
            } else {
                self.inner.draw(std::iter::once((x, y, &cell)))?;
                x += u16::try_from(wrap::columns_of(cell.symbol()).max(1)).unwrap_or(1);
            }
        }
        Ok(())
    }
}

impl<B: Backend> Backend for Painter<B> {
    type Error = B::Error;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), B::Error>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut changed: Vec<(u16, u16, &Cell)> = content.collect();
        // What a wide grapheme covers is not painted, or half of it would be lost again.
        let mut covered = (0, 0);
        changed.retain(|(x, y, cell)| {
            if *y == covered.0 && *x < covered.1 {
                return false;
            }
            covered = (*y, x.saturating_add(u16::try_from(wrap::columns_of(cell.symbol())).unwrap_or(1)));
            true
        });
        for (x, y, cell) in &changed {
            for x in (*x..self.shown.area.right()).take(wrap::columns_of(cell.symbol()).max(1)) {
                self.clear_what_is_left(x, *y)?;
            }
            self.note(*x, *y, cell);
        }
        // Up to here the row is done.
        let mut done = (0, 0);
        let mut rest = changed.as_slice();
        while let Some(((x, y, cell), others)) = rest.split_first() {
            if *y == done.0 && *x < done.1 {
                rest = others;
            } else if wrap::is_doubtful(cell.symbol()) {
                done = (*y, self.paint_doubtful(*x, *y, cell)?);
                rest = others;
            } else {
                let sure = rest.iter().take_while(|(_, _, cell)| !wrap::is_doubtful(cell.symbol())).count();
                let (run, others) = rest.split_at(sure);
                self.inner.draw(run.iter().copied())?;
                rest = others;
            }
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> Result<(), B::Error> {
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), B::Error> {
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, B::Error> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), B::Error> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), B::Error> {
        self.shown.reset();
        self.inner.clear()
    }

    /// Clears a part, of which it is not known how large it is: what is not cleared is painted before it counts.
    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), B::Error> {
        self.shown.reset();
        self.inner.clear_region(clear_type)
    }

    fn size(&self) -> Result<Size, B::Error> {
        self.inner.size()
    }

    fn window_size(&mut self) -> Result<WindowSize, B::Error> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> Result<(), B::Error> {
        self.inner.flush()
    }
}
