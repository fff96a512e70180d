//! The input: the name, a prompt, and the text in as many rows as it needs, up to a third of the screen.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

use super::put_line;
use crate::client::tui::state::State;
use crate::client::tui::wrap;

/// Columns below which the name is left out of the prompt.
const NAME_FROM: u16 = 40;

/// Columns of what stands before the text.
fn prompt_columns(state: &State) -> usize {
    match state.size.0 {
        0..8 => 0,
        8..NAME_FROM => 2,
        _ => 1 + wrap::columns(state.me.as_str()) + wrap::columns(away(state)) + 3,
    }
}

/// What stands beside our name while we are away.
fn away(state: &State) -> &'static str {
    if state.company.away.is_some() { " (away)" } else { "" }
}

/// Columns that the text has; one is kept for the cursor behind it.
pub(crate) fn text_width(state: &State) -> usize {
    usize::from(state.size.0).saturating_sub(prompt_columns(state) + 1).max(1)
}

/// The column where the text begins.
pub(super) fn text_at(state: &State) -> u16 {
    u16::try_from(prompt_columns(state)).unwrap_or(u16::MAX)
}

/// Rows that the text needs.
pub(super) fn rows(state: &State) -> u16 {
    u16::try_from(wrap::edit_rows(state.composer().text(), text_width(state)).len()).unwrap_or(u16::MAX)
}

/// In which of `rows` the cursor is: the later of two that meet there.
pub(crate) fn cursor_row(rows: &[Range<usize>], cursor: usize) -> usize {
    rows.iter().rposition(|row| row.start <= cursor).unwrap_or(0)
}

/// The rows of the text, the first that is shown, and the one with the cursor.
fn window(state: &State, height: u16) -> (Vec<Range<usize>>, usize, usize) {
    let composer = state.composer();
    let rows = wrap::edit_rows(composer.text(), text_width(state));
    let row = cursor_row(&rows, composer.cursor());
    let height = usize::from(height).max(1);
    // The end of the text stays at the lower edge, unless the cursor is above.
    let first = rows.len().saturating_sub(height).min(row);
    (rows, first, row)
}

pub(super) fn draw(state: &State, area: Rect, buffer: &mut Buffer) {
    let theme = state.theme;
    let prompt = prompt_columns(state);
    let (rows, first, _) = window(state, area.height);
    let below = rows.len() > first + usize::from(area.height);
    // The signs stand at the edges, and where there is one row, in its place both.
    let sign = match (first > 0, below && area.height == 1) {
        (true, true) => "↕",
        (true, false) => "↑",
        (false, true) => "↓",
        (false, false) => "›",
    };
    if prompt > 2 {
        let name = Span::styled(state.me.as_str(), theme.own());
        let line = Line::from(vec![
            Span::raw(" "),
            name,
            Span::styled(away(state), theme.warning()),
            Span::raw(" "),
            Span::styled(sign, theme.accent()),
        ]);
        put_line(buffer, area.x, area.y, &line, area.width);
    } else if prompt > 0 {
        put_line(buffer, area.x, area.y, &Line::styled(sign, theme.accent()), area.width);
    }
    if below && area.height > 1 && prompt > 0 {
        let x = area.x + u16::try_from(prompt.saturating_sub(2)).unwrap_or(0);
        put_line(buffer, x, area.bottom() - 1, &Line::styled("↓", theme.accent()), 1);
    }
    let text = state.composer().text();
    let x = area.x + u16::try_from(prompt).unwrap_or(0);
    for (y, row) in (area.y..area.bottom()).zip(rows.into_iter().skip(first)) {
        let shown = wrap::show_edit_row(&text[row], text_width(state));
        put_line(buffer, x, y, &Line::raw(shown), area.right().saturating_sub(x));
    }
    let room_is_empty = state.room().is_some_and(|room| room.scrollback.len() == 0);
    if text.is_empty() && room_is_empty && state.question.is_none() {
        let hint = Line::styled("write here, Enter sends", theme.dim());
        put_line(buffer, x, area.y, &hint, area.right().saturating_sub(x));
    }
}

/// Where the cursor is on the screen.
pub(super) fn cursor(state: &State, area: Rect) -> Option<Position> {
    let (rows, first, row) = window(state, area.height);
    let before = &state.composer().text()[rows.get(row)?.start..state.composer().cursor()];
    let columns = wrap::columns(&wrap::show_edit_row(before, usize::MAX));
    let x = u16::try_from(prompt_columns(state) + columns).unwrap_or(u16::MAX);
    let y = area.y + u16::try_from(row.saturating_sub(first)).unwrap_or(0);
    Some(Position::new(x.min(area.right().saturating_sub(1)), y.min(area.bottom().saturating_sub(1))))
}

/// The place in the text that a cell of the input stands for, in bytes.
pub(super) fn place_at(state: &State, area: Rect, at: Position) -> usize {
    let (rows, first, _) = window(state, area.height);
    let text = state.composer().text();
    let row = rows.get(first + usize::from(at.y.saturating_sub(area.y)));
    let Some((row, shown)) = row.and_then(|row| Some((row, text.get(row.clone())?))) else {
        return text.len();
    };
    let column = usize::from(at.x.saturating_sub(text_at(state)));
    let mut used = 0;
    for (place, grapheme) in shown.grapheme_indices(true) {
        used += wrap::edit_columns(grapheme, used);
        if column < used {
            return row.start + place;
        }
    }
    row.end
}
