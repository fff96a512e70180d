//! The themes: each with some of its colours, while everything else looks like the chosen one.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::inside;
use crate::client::tui::state::State;
use crate::client::tui::state::theming::ThemeList;
use crate::client::tui::wrap;

/// Columns of the box: around it there should be something to look at.
const WIDEST: u16 = 72;

/// Rows of the box, at the least: the chosen one and a neighbour.
const LOWEST: u16 = 4;

/// Columns of a name, of what the theme is for, and of the words about it, at the least.
const NAME: usize = 21;
const FOR: usize = 7;
const ABOUT: usize = 20;

/// Where the list is, of what there is room for: not on the latest of what is said, by which themes are judged.
pub(super) fn area(state: &State, list: &ThemeList, room: Rect) -> Rect {
    let width = room.width.min(WIDEST);
    let (columns, _) = inside(Rect { width, ..room });
    let rows = u16::try_from(list.themes.len() + notes(state, list, columns).len()).unwrap_or(u16::MAX);
    let height = rows.saturating_add(2).min((room.height * 3 / 5).max(LOWEST)).min(room.height);
    Rect { x: room.x + (room.width - width) / 2, y: room.y, width, height }
}

/// The rows in sight.
pub(super) fn rows(state: &State, list: &ThemeList, width: usize, height: usize) -> Vec<Line<'static>> {
    let mut notes = notes(state, list, width);
    // The list comes first, where there is no room for both.
    notes.truncate(height.saturating_sub(2));
    let height = height - notes.len();
    let first = (list.chosen + 1).saturating_sub(height);
    let listed = list.themes.iter().enumerate().skip(first).take(height);
    let mut rows: Vec<Line<'static>> = listed
        .map(|(place, listed)| {
            let chosen = place == list.chosen;
            let (theme, own) = (state.theme, listed.theme);
            let mut spans = vec![if chosen { Span::styled("▌", theme.accent()) } else { Span::raw(" ") }];
            if state.themes.in_colours() {
                let looks = [own.accent(), own.news(), own.mention(), own.good()];
                // Colours, and nothing that a chosen row does to them.
                let plain = Style::new().remove_modifier(Modifier::REVERSED);
                spans.extend(looks.map(|look| Span::styled("•", Style { fg: look.fg, ..plain })));
                spans.push(Span::raw(" "));
            }
            let padded = |text: &str, columns: usize| {
                let text = wrap::truncate(text, columns.saturating_sub(1));
                let padding = " ".repeat(columns.saturating_sub(wrap::columns(&text)));
                text + &padding
            };
            spans.push(Span::raw(padded(&listed.name, NAME)));
            spans.push(Span::styled(padded(listed.background, FOR), theme.dim()));
            let mark = if listed.faint.is_some() { "! " } else { "" };
            spans.push(Span::styled(mark, theme.warning()));
            let left = width.saturating_sub(Line::from(spans.clone()).width());
            // A few letters of it say nothing.
            let about = if left < ABOUT { String::new() } else { wrap::truncate(&listed.about, left) };
            let padding = " ".repeat(left.saturating_sub(wrap::columns(&about)));
            spans.push(Span::styled(about + &padding, theme.dim()));
            let line = Line::from(spans);
            if chosen { line.style(theme.selected()) } else { line }
        })
        .collect();
    rows.extend(notes);
    rows
}

/// What is to be known of the chosen one, and of those that could not be read.
fn notes(state: &State, list: &ThemeList, width: usize) -> Vec<Line<'static>> {
    let mut notes = Vec::new();
    if !state.themes.in_colours() {
        notes.push("NO_COLOR is set, or TERM is dumb: no theme has colours.".to_owned());
    }
    notes.extend(list.chosen().and_then(|listed| Some(format!("! {}", listed.faint.as_ref()?))));
    notes.extend(state.themes.faults().map(str::to_owned));
    let rows = notes.iter().flat_map(|note| wrap::wrap(note, width));
    rows.map(|row| Line::styled(row, state.theme.warning())).collect()
}
