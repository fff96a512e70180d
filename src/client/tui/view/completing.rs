//! What a word could become, in a list above the input; and on the line above it what a command takes. Both lie over
//! what is there, so that nothing moves.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Widget};

use super::{Panes, overlay, put_line};
use crate::client::tui::slash;
use crate::client::tui::state::State;
use crate::client::tui::state::completion::Completion;
use crate::client::tui::wrap;

/// Rows of the list: what the eye takes in without reading.
const ROWS: u16 = 8;

/// Columns of the widest list: a longer line is tiring to read.
const WIDEST: u16 = 86;

/// Columns between what is offered and what there is to know about it.
const GAP: usize = 2;

/// What is offered now, if there is a place for it.
pub(super) fn shown<'a>(state: &'a State, panes: &Panes) -> Option<(&'a Completion, Rect)> {
    let completion =
        state.completion.as_ref().filter(|_| state.question.is_none() && state.overlay.is_none())?;
    let over = panes.scrollback;
    let rows = u16::try_from(completion.candidates.len()).unwrap_or(ROWS).min(ROWS);
    let height = (rows + 2).min(over.height);
    // A border, and a row in it.
    if height < 3 || over.width < 12 {
        return None;
    }
    let columns = u16::try_from(names(completion) + about(completion) + 6).unwrap_or(WIDEST);
    let width = columns.min(WIDEST).min(over.width);
    Some((completion, Rect::new(over.x, over.bottom() - height, width, height)))
}

/// Columns of the widest name.
fn names(completion: &Completion) -> usize {
    completion.candidates.iter().map(|candidate| wrap::columns(&candidate.shown)).max().unwrap_or(0)
}

/// Columns of the longest of what there is to know, and the gap before it.
fn about(completion: &Completion) -> usize {
    let longest = completion.candidates.iter().map(|candidate| wrap::columns(&candidate.about)).max();
    longest.filter(|columns| *columns > 0).map_or(0, |columns| columns + GAP)
}

pub(super) fn draw(state: &State, panes: &Panes, buffer: &mut Buffer) {
    let Some((completion, area)) = shown(state, panes) else { return };
    let theme = state.theme;
    overlay::clear(state.theme, area, buffer);
    let rows = usize::from(area.height - 2);
    let many = completion.candidates.len();
    let first = completion.chosen.map_or(0, |chosen| (chosen + 1).saturating_sub(rows));
    let mut block = Block::bordered().border_type(BorderType::Rounded).border_style(theme.rule());
    if many > rows {
        let place = completion.chosen.map_or("↓".to_owned(), |chosen| (chosen + 1).to_string());
        block = block.title_bottom(Line::styled(format!(" {place} of {many} "), theme.dim()).right_aligned());
    }
    block.render(area, buffer);
    let width = usize::from(area.width.saturating_sub(4));
    // What is offered is more than what is known about it, but a long name leaves some room.
    let names = names(completion).min(if about(completion) > 0 { width * 2 / 3 } else { width });
    for (y, (place, candidate)) in
        (area.y + 1..area.bottom() - 1).zip(completion.candidates.iter().enumerate().skip(first))
    {
        let name = wrap::truncate(&candidate.shown, names);
        let padding = " ".repeat(names.saturating_sub(wrap::columns(&name)) + GAP);
        let left = width.saturating_sub(names + GAP);
        let known = wrap::truncate(&candidate.about, left);
        let line = if completion.chosen == Some(place) {
            let text = format!("› {name}{padding}{known}");
            let rest = " ".repeat((width + 2).saturating_sub(wrap::columns(&text)));
            Line::styled(text + &rest, theme.selected())
        } else {
            Line::from(vec![Span::raw("  "), Span::raw(name + &padding), Span::styled(known, theme.dim())])
        };
        put_line(buffer, area.x + 1, y, &line, area.width.saturating_sub(2));
    }
}

/// What the command that is being written takes, what of it is being written now, and what it does.
pub(super) fn arguments(state: &State) -> Option<Line<'static>> {
    let composer = state.composer();
    let before = composer.text().get(..composer.cursor())?.strip_prefix('/')?;
    let (word, rest) = before.split_once(char::is_whitespace)?;
    let entry = slash::command(&word.to_lowercase())?;
    let begun = rest.split_whitespace().count();
    let at =
        if rest.is_empty() || rest.ends_with(char::is_whitespace) { begun } else { begun.saturating_sub(1) };
    let tokens: Vec<&str> = entry.arguments.split_whitespace().collect();
    // The last one takes all that follows.
    let at = at.min(tokens.len().saturating_sub(1));
    let theme = state.theme;
    let mut spans = vec![Span::styled(format!("/{}", entry.name), theme.accent())];
    for (place, token) in tokens.into_iter().enumerate() {
        spans.push(Span::raw(" "));
        spans.push(if place == at {
            Span::styled(format!("‹{token}›"), theme.accent().add_modifier(Modifier::BOLD))
        } else {
            Span::styled(token, theme.dim())
        });
    }
    spans.push(Span::styled(format!("  {}", entry.help), theme.dim()));
    Some(Line::from(spans))
}
