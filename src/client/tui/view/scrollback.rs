//! The conversation: the rows in sight, and only these.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::{around, put_line, styled};
use crate::client::tui::keymap::Action;
use crate::client::tui::rows::{Columns, MARGIN, Row, Said, Tone};
use crate::client::tui::scroll::Unit;
use crate::client::tui::selection;
use crate::client::tui::state::State;
use crate::client::tui::wrap;
use crate::protocol::name::RoomName;
use crate::protocol::query;
use crate::protocol::stats::grouped;

pub(super) fn draw(state: &State, area: Rect, buffer: &mut Buffer) {
    let Some(room) = state.room() else {
        let text =
            format!("You are in no room. /join {} enters one, /list shows what there is.", RoomName::lobby());
        let rows = wrap::wrap(&text, usize::from(area.width.saturating_sub(2)));
        for (y, row) in (area.y + area.height / 3..area.bottom()).zip(rows) {
            put_line(buffer, area.x + 1, y, &Line::styled(row, state.theme.dim()), area.width);
        }
        return;
    };
    let layout = state.layout(room, area.width);
    let rows = layout.visible(usize::from(area.height));
    // Few rows stand at the bottom, next to the input that the answers are written in.
    let first = area.bottom() - u16::try_from(rows.len()).unwrap_or(area.height).min(area.height);
    let chosen = around::chosen(&layout);
    let marked = state.finding.marked.as_ref().filter(|(name, _)| *name == room.name);
    let selected = state.mouse.selection.as_ref().and_then(|selection| selection::span(&layout, selection));
    for (y, (unit, row)) in (first..area.bottom()).zip(&rows) {
        let area = Rect { y, height: 1, ..area };
        draw_row(state, row, layout.columns, area, buffer);
        if matches!(row, Row::Said(_))
            && let Some((_, seq)) = marked
            && layout.unit(*unit) == Some(Unit::Entry(*seq))
        {
            buffer.set_style(area, state.theme.selected());
        }
        if let (Some(span), Row::Said(said)) = (selected, row)
            && let Some(place) = said.place
            && let Some(columns) = span.columns(&layout, *unit, place, &said.text)
        {
            let offset = |column: usize| u16::try_from(layout.columns.indent() + column).unwrap_or(u16::MAX);
            let (from, to) = (offset(columns.start), offset(columns.end).min(area.width));
            let cells = Rect { x: area.x + from.min(area.width), width: to.saturating_sub(from), ..area };
            // In one colour: a selection is one thing, whatever is in it.
            buffer.set_style(cells, Style::reset().patch(state.theme.selected()));
        }
        if chosen == Some(*unit) {
            around::mark(state.theme, row, area, buffer);
        }
    }
}

pub(super) fn draw_row(state: &State, row: &Row, columns: Columns, area: Rect, buffer: &mut Buffer) {
    let theme = state.theme;
    let indented = area.x + u16::try_from(columns.indent()).unwrap_or(0);
    match row {
        Row::Empty => {}
        Row::Note(text) => put_line(
            buffer,
            indented,
            area.y,
            &Line::styled(text, theme.dim()),
            area.right() - indented.min(area.right()),
        ),
        Row::Invite(text) => {
            let line = Line::styled(text, theme.accent().add_modifier(Modifier::BOLD));
            put_line(buffer, indented, area.y, &line, area.right() - indented.min(area.right()));
        }
        Row::Gap { missing, first, asked } => {
            let missing = grouped(*missing);
            let kind = if *first { "earlier messages" } else { "messages not shown" };
            let text = if *asked {
                format!("┄┄ {missing} {kind} · loading … ┄┄")
            } else {
                let key = state.key_for(Action::PageUp);
                let loads = if key.is_empty() { key } else { format!(" · {key} loads them") };
                format!("┄┄ {missing} {kind}{loads} ┄┄")
            };
            centred(buffer, area, &wrap::truncate(&text, usize::from(area.width)), theme.warning());
        }
        Row::Expired => {
            let text = "┄┄ older messages have expired ┄┄";
            centred(buffer, area, &wrap::truncate(text, usize::from(area.width)), theme.dim());
        }
        Row::Day(day) => across(buffer, area, day, theme.rule(), theme.dim()),
        Row::New => across(buffer, area, "new", theme.news(), theme.news().add_modifier(Modifier::BOLD)),
        Row::Said(said) => draw_said(state, said, columns, area, buffer),
        Row::Answered(_) | Row::Reactions(_) => around::draw(state.theme, row, columns, area, buffer),
    }
}

fn draw_said(state: &State, said: &Said, columns: Columns, area: Rect, buffer: &mut Buffer) {
    let theme = state.theme;
    let own = said.from.as_ref() == Some(&state.me);
    let name_style = match &said.from {
        _ if matches!(said.tone, Tone::News) => theme.dim(),
        Some(_) if own => theme.own(),
        Some(nick) => state.person(said.author, nick).add_modifier(Modifier::BOLD),
        None => Style::new(),
    };
    let text_style = match said.tone {
        Tone::Plain => Style::new(),
        Tone::News => theme.dim().add_modifier(Modifier::ITALIC),
        Tone::Sending | Tone::Deleted => theme.dim(),
        Tone::Failed => theme.error(),
    };
    let offset = |columns: usize| area.x + u16::try_from(columns).unwrap_or(0);
    if columns.time > 0 {
        put_in(buffer, area, offset(MARGIN), &said.time, theme.dim());
    }
    let text_at = offset(columns.indent());
    let name_columns = wrap::columns(&said.name);
    let name_at = if columns.name > 0 {
        offset((MARGIN + columns.time + columns.name).saturating_sub(name_columns))
    } else {
        offset(MARGIN)
    };
    put_in(buffer, area, name_at, &said.name, name_style);
    let (sign, sign_style) = match said.tone {
        Tone::Sending if said.first => ("◌", theme.dim()),
        Tone::Failed if said.first => ("✗", theme.error()),
        _ if said.mention => ("▎", theme.mention()),
        _ => ("", Style::new()),
    };
    let sign_at = if columns.name > 0 { text_at.saturating_sub(2) } else { area.x };
    put_in(buffer, area, sign_at, sign, sign_style);
    if columns.name == 0 && said.text.text.is_empty() && !said.edited {
        return;
    }
    let finds_us = |text: &str| state.company.settings.find(text, &state.me);
    let us = said.mention.then_some(&finds_us as styled::Finds<'_>);
    let mut line = styled::line(theme, &said.text, text_style, name_style, us);
    if said.edited {
        line.push_span(around::edited(theme, said));
    }
    put_line(buffer, text_at, area.y, &line, area.right().saturating_sub(text_at));
    mark_found(state, said, text_at, area, buffer);
}

/// Marks what is searched for in the room in sight.
fn mark_found(state: &State, said: &Said, text_at: u16, area: Rect, buffer: &mut Buffer) {
    let Some(search) = state.room().and_then(|room| room.search.as_ref()) else { return };
    if search.terms.is_empty() || !matches!(said.tone, Tone::Plain | Tone::Sending) {
        return;
    }
    let text = &said.text.text;
    let columns = |range: std::ops::Range<usize>| {
        u16::try_from(wrap::columns(text.get(range).unwrap_or_default())).unwrap_or(u16::MAX)
    };
    for found in query::find(text, &search.terms) {
        let x = text_at.saturating_add(columns(0..found.start));
        let width = columns(found).min(area.right().saturating_sub(x));
        let marked = Rect { x: x.min(area.right()), y: area.y, width, height: area.height.min(1) };
        buffer.set_style(marked, state.theme.found());
    }
}

/// Writes a text that must not leave `area`.
fn put_in(buffer: &mut Buffer, area: Rect, x: u16, text: &str, style: Style) {
    put_line(buffer, x, area.y, &Line::styled(text, style), area.right().saturating_sub(x));
}

/// A text in the middle of a line across the pane.
fn across(buffer: &mut Buffer, area: Rect, text: &str, rule: Style, style: Style) {
    let width = usize::from(area.width.saturating_sub(2));
    let text = wrap::truncate(text, width.saturating_sub(4));
    let columns = wrap::columns(&text) + 2;
    let left = width.saturating_sub(columns) / 2;
    let line = Line::from(vec![
        Span::styled("─".repeat(left), rule),
        Span::styled(format!(" {text} "), style),
        Span::styled("─".repeat(width.saturating_sub(left + columns)), rule),
    ]);
    put_line(buffer, area.x + 1, area.y, &line, area.width.saturating_sub(2));
}

fn centred(buffer: &mut Buffer, area: Rect, text: &str, style: Style) {
    let columns = u16::try_from(wrap::columns(text)).unwrap_or(area.width);
    put_in(buffer, area, area.x + area.width.saturating_sub(columns) / 2, text, style);
}
