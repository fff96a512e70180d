//! Messages that answer each other, where otherwise the conversation is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use super::super::{around, panes, put_line, scrollback};
use crate::client::tui::rows::Row;
use crate::client::tui::state::room::Room;
use crate::client::tui::state::thread::Members;
use crate::client::tui::state::{Connection, State, Thread};
use crate::client::tui::wrap;
use crate::protocol::stats::grouped;

/// Rows from which on there is one for the line below the heading.
const RULE_FROM: u16 = 8;

/// Where the conversation is, and what stands above it.
fn area(state: &State) -> Rect {
    let panes = panes(state);
    let area = panes.scrollback;
    let above = panes.header.map_or(0, |header| header.height);
    Rect { y: area.y - above, height: area.height + above, ..area }
}

pub(super) fn draw(state: &State, thread: &Thread, buffer: &mut Buffer) {
    let Some(room) = state.room().filter(|room| room.name == thread.room) else { return };
    let area = area(state);
    Clear.render(area, buffer);
    buffer.set_style(area, state.theme.text());
    let members = room.thread(thread.of);
    let seqs = state.shown_of(room, &members);
    heading(state, room, seqs.len(), area, buffer);
    let mut top = area.y + 1;
    if area.height >= RULE_FROM {
        let line = Line::styled("─".repeat(usize::from(area.width)), state.theme.rule());
        put_line(buffer, area.x, top, &line, area.width);
        top += 1;
    }
    let notes = notes(state, room, &members, usize::from(area.width.saturating_sub(2)).max(1));
    let layout = state.layout(room, area.width);
    let rows = layout.thread(&seqs);
    // Of the notes as many as leave half of the screen to the messages.
    let whole = area.bottom().saturating_sub(top);
    let told = u16::try_from(notes.len()).unwrap_or(u16::MAX).min(whole / 2);
    let height = usize::from(whole - told);
    let first = first_row(&rows, thread.chosen, height);
    let mut y = top;
    for (seq, row) in rows.iter().skip(first).take(height) {
        let area = Rect { y, height: 1, ..area };
        scrollback::draw_row(state, row, layout.columns, area, buffer);
        if *seq == thread.chosen {
            around::mark(state.theme, row, area, buffer);
        }
        y += 1;
    }
    for line in notes.iter().take(usize::from(told)) {
        put_line(buffer, area.x + 1, y, line, area.width.saturating_sub(1));
        y += 1;
    }
}

/// What it is, and how much of it there is.
fn heading(state: &State, room: &Room, many: usize, area: Rect, buffer: &mut Buffer) {
    let theme = state.theme;
    let many = match many {
        1 => "1 message".to_owned(),
        many => format!("{many} messages"),
    };
    let line = Line::from(vec![
        Span::styled(" thread", theme.accent().add_modifier(Modifier::BOLD)),
        Span::styled(format!("  {many}"), theme.strong()),
        Span::styled(format!("  in {}", room.shown), theme.dim()),
    ]);
    put_line(buffer, area.x, area.y, &line, area.width);
}

/// What is not to be seen of it.
fn notes(state: &State, room: &Room, members: &Members, width: usize) -> Vec<Line<'static>> {
    let theme = state.theme;
    let online = state.connection == Connection::Online;
    let mut notes = Vec::new();
    if members.above.is_some() {
        let why = if online { "is being fetched …" } else { "is not here, and there is no connection" };
        notes.push(format!("What the first of these answers {why}"));
    } else if members.headless {
        notes.push("What the first of these answers is not there any more.".to_owned());
    }
    if members.cut {
        notes.push("There are more answers than are shown here.".to_owned());
    }
    if members.missing > 0 {
        let missing = grouped(members.missing);
        let what = if room.asked.is_some() {
            "loading …".to_owned()
        } else if online && !room.history_ends {
            "n looks further".to_owned()
        } else {
            "they cannot be loaded now".to_owned()
        };
        notes.push(format!("{missing} later messages are not here: answers may be among them · {what}"));
    }
    let rows = notes.iter().flat_map(|note| wrap::wrap(note, width));
    rows.map(|row| Line::styled(row, theme.warning())).collect()
}

/// The first row that is shown, so that the chosen message is as near to the middle as may be, and whole if it fits.
fn first_row(rows: &[(u64, Row)], chosen: u64, height: usize) -> usize {
    let from = rows.iter().position(|(seq, _)| *seq == chosen).unwrap_or(0);
    let until = rows.iter().rposition(|(seq, _)| *seq == chosen).map_or(from, |last| last + 1);
    let its = until - from;
    let above = height.saturating_sub(its) / 2;
    from.saturating_sub(above).min(rows.len().saturating_sub(height))
}
