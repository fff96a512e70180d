//! The palette: what is typed, and below it what fits.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_segmentation::UnicodeSegmentation;

use super::super::{panes, put_line};
use super::{clear, frame};
use crate::client::tui::palette::{Entry, SIGNS};
use crate::client::tui::state::order::News;
use crate::client::tui::state::palette::Palette;
use crate::client::tui::state::{Overlay, State};
use crate::client::tui::theme::Theme;
use crate::client::tui::wrap;

/// Columns of the widest box: a name, what it is, and a key.
const WIDEST: u16 = 84;

/// Rows of the highest box. It has these also when less fits, so that it does not jump while one types.
const HIGHEST: u16 = 22;

/// Columns of the conversation from which on the box has a place within it, and the panes stay in sight; and rows from
/// which on the conversation shows above and below.
const WITHIN_FROM: u16 = 60;
const ABOVE_FROM: u16 = 16;

/// Columns of the names beside what is said of them.
const NAME: usize = 20;

/// Columns from which on there is room to say something of a name.
const NOTE_FROM: usize = 10;

/// What stands before that which is typed.
const PROMPT: &str = "› ";

/// Rows of the box from which on it says which signs narrow the list.
const SIGNS_FROM: u16 = 9;

/// Where the box is.
fn area(state: &State) -> Rect {
    let (width, height) = state.size;
    let talk = panes(state).scrollback;
    if talk.width < WITHIN_FROM || talk.height < ABOVE_FROM {
        return Rect::new(0, 0, width, height - u16::from(height >= 3));
    }
    let columns = (talk.width - 2).min(WIDEST);
    Rect::new(talk.x + (talk.width - columns) / 2, talk.y, columns, (talk.height - 1).min(HIGHEST))
}

/// Whether there is room for a frame around something.
fn is_framed(area: Rect) -> bool {
    area.height >= 5 && area.width >= 8
}

/// Where what is typed stands in the box, and where the list.
fn parts(area: Rect) -> (Rect, Rect) {
    let inner = match is_framed(area) {
        true => Rect::new(area.x + 2, area.y + 1, area.width - 4, area.height - 2),
        false => area,
    };
    let input = Rect { height: inner.height.min(1), ..inner };
    let signs = u16::from(area.height >= SIGNS_FROM);
    let above = 1.min(inner.height);
    let list = Rect { y: inner.y + above, height: inner.height.saturating_sub(above + signs), ..inner };
    (input, list)
}

/// How many entries are in sight.
pub(crate) fn rows(state: &State) -> usize {
    usize::from(parts(area(state)).1.height)
}

pub(super) fn draw(state: &State, palette: &Palette, buffer: &mut Buffer) {
    let theme = state.theme;
    let area = area(state);
    let (input, list) = parts(area);
    clear(theme, area, buffer);
    if is_framed(area) {
        frame(theme, "go to").render(area, buffer);
    }
    let (shown, _) = window(palette, input);
    let line =
        Line::from(vec![Span::styled(PROMPT, theme.accent().add_modifier(Modifier::BOLD)), Span::raw(shown)]);
    put_line(buffer, input.x, input.y, &line, input.width);
    let height = usize::from(list.height);
    let first = (palette.chosen + 1).saturating_sub(height);
    let entries = || palette.found.iter().enumerate().skip(first).take(height);
    let names = entries().filter(|(_, entry)| !entry.note.is_empty());
    let names = names.map(|(_, entry)| wrap::columns(&entry.shown)).max().unwrap_or(0).min(NAME);
    for (y, (place, entry)) in (list.y..list.bottom()).zip(entries()) {
        let line = row(theme, entry, names, usize::from(list.width), place == palette.chosen);
        put_line(buffer, list.x, y, &line, list.width);
    }
    if palette.found.is_empty() {
        let sentence = "Nothing is called so. Fewer letters find more.";
        let rows = wrap::wrap(sentence, usize::from(list.width).max(1));
        for (y, row) in (list.y..list.bottom()).zip(rows) {
            put_line(buffer, list.x, y, &Line::styled(row, theme.dim()), list.width);
        }
    }
    if area.height >= SIGNS_FROM {
        put_line(buffer, list.x, list.bottom(), &signs(theme), list.width);
    }
}

/// Which signs narrow the list.
fn signs(theme: Theme) -> Line<'static> {
    let signs = SIGNS.into_iter().flat_map(|(sign, what)| {
        [Span::styled(sign, theme.accent()), Span::styled(format!(" {what}  "), theme.dim())]
    });
    Line::from(signs.collect::<Vec<_>>())
}

/// One entry: its name with what was typed marked, what it is, and on the right how one gets there otherwise.
fn row(theme: Theme, entry: &Entry, names: usize, width: usize, chosen: bool) -> Line<'static> {
    let base = if chosen { theme.selected() } else { Style::new() };
    let right = wrap::truncate(&entry.right, width / 2);
    let right_columns = match wrap::columns(&right) {
        0 => 0,
        columns => columns + 1,
    };
    let room = width.saturating_sub(right_columns);
    let beside = !entry.note.is_empty() && room >= names + 2 + NOTE_FROM;
    let name = wrap::truncate(&entry.shown, if beside { names } else { room });
    let mut line = Line::from(marked(&name, &entry.marks, base));
    let pad = |line: &mut Line<'static>, to: usize| {
        let columns = to.saturating_sub(line.width());
        line.push_span(Span::styled(" ".repeat(columns), base));
    };
    // Across what is chosen lies one colour.
    let style = |style: Style| if chosen { base } else { style };
    if beside {
        pad(&mut line, names + 2);
        let note = wrap::truncate(&entry.note, room.saturating_sub(names + 2));
        line.push_span(Span::styled(note, style(theme.dim())));
    }
    pad(&mut line, width.saturating_sub(wrap::columns(&right)));
    let waits = if entry.news > News::None { theme.news() } else { theme.dim() };
    line.push_span(Span::styled(right, style(waits)));
    line
}

/// A name, with some of its graphemes marked.
pub(crate) fn marked(name: &str, marks: &[usize], base: Style) -> Vec<Span<'static>> {
    let mark = base.add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
    let letters = name.graphemes(true).enumerate();
    letters
        .map(|(place, letter)| {
            let style = if marks.binary_search(&place).is_ok() { mark } else { base };
            Span::styled(letter.to_owned(), style)
        })
        .collect()
}

/// The part of what is typed that is in sight, and the column of the cursor in it.
fn window(palette: &Palette, input: Rect) -> (String, usize) {
    let width = usize::from(input.width).saturating_sub(wrap::columns(PROMPT)).max(1);
    let (text, cursor) = (palette.input.text(), palette.input.cursor());
    let before = wrap::show_edit_row(&text[..cursor], usize::MAX);
    let before = wrap::cut(&before, width.saturating_sub(1).max(1)).pop().unwrap_or_default();
    let column = wrap::columns(&before);
    let after = wrap::show_edit_row(&text[cursor..], width.saturating_sub(column));
    (before + &after, column)
}

/// Where the cursor is: in what is typed.
pub(crate) fn cursor(state: &State) -> Option<Position> {
    let Some(Overlay::Palette(palette)) = &state.overlay else { return None };
    let (input, _) = parts(area(state));
    let (_, column) = window(palette, input);
    let x = u16::try_from(wrap::columns(PROMPT) + column).unwrap_or(u16::MAX);
    let last = input.right().saturating_sub(1);
    (input.height > 0).then(|| Position::new(input.x.saturating_add(x).min(last), input.y))
}
