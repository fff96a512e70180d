//! Who is here, on the right.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::put_line;
use crate::client::tui::state::State;
use crate::client::tui::wrap;
use crate::protocol::event::{Person, Role};
use crate::protocol::name::Nick;

/// Columns that the pane wants.
pub(super) fn columns(state: &State) -> u16 {
    let widest = state.room().and_then(|room| {
        let nicks = room.people.iter().map(|person| &person.nick).chain(room.absent());
        nicks.map(|nick| wrap::columns(nick.as_str())).max()
    });
    u16::try_from((widest.unwrap_or(0) + 4).clamp(14, 20)).unwrap_or(20)
}

pub(super) fn draw(state: &State, area: Rect, buffer: &mut Buffer) {
    let Some(room) = state.room() else { return };
    let theme = state.theme;
    let here = room.people.here();
    let title = Line::styled(format!("here {here}"), theme.dim());
    put_line(buffer, area.x + 1, area.y, &title, area.width.saturating_sub(1));
    let (rows, shown) = rows(area, here);
    let mut listed = 0;
    for person in room.people.iter().take(shown) {
        listed += 1;
        let line = line(state, person, usize::from(area.width.saturating_sub(1)));
        put_line(buffer, area.x + 1, area.y + listed, &line, area.width.saturating_sub(1));
    }
    for nick in room.absent().take(rows.saturating_sub(usize::from(listed))) {
        listed += 1;
        let line = absent(state, nick, usize::from(area.width.saturating_sub(1)));
        put_line(buffer, area.x + 1, area.y + listed, &line, area.width.saturating_sub(1));
    }
    if here > usize::from(listed) && usize::from(listed) < rows {
        let more = format!("+ {} more", here - usize::from(listed));
        put_line(buffer, area.x + 1, area.y + 1 + listed, &Line::styled(more, theme.dim()), area.width);
    }
}

/// Rows below the heading, and how many of those who are here have one.
fn rows(area: Rect, here: usize) -> (usize, usize) {
    let rows = usize::from(area.height.saturating_sub(1));
    // The last row says how many there is no row for.
    (rows, if here > rows { rows.saturating_sub(1) } else { rows })
}

/// Who has a row of the screen.
pub(super) fn person_at(state: &State, area: Rect, y: u16) -> Option<Nick> {
    let room = state.room()?;
    let row = usize::from(y.checked_sub(area.y + 1)?);
    let (rows, shown) = rows(area, room.people.here());
    let here = room.people.iter().take(shown).map(|person| &person.nick);
    here.chain(room.absent()).take(rows).nth(row).cloned()
}

/// A person in at most `width` columns.
pub(super) fn line(state: &State, person: &Person, width: usize) -> Line<'static> {
    let theme = state.theme;
    let style = match person.nick == state.me {
        _ if person.away.is_some() => theme.dim(),
        true => theme.own(),
        // A colour is for a name that stays.
        false if person.guest => theme.dim(),
        false => state.person(None, &person.nick),
    };
    let (sign, sign_style) = match (person.guest, person.role) {
        (true, _) => ("~ ", theme.dim()),
        (false, Some(Role::Host)) => ("& ", theme.accent().add_modifier(Modifier::BOLD)),
        (false, Some(Role::Operator)) => ("@ ", theme.accent().add_modifier(Modifier::BOLD)),
        (false, Some(Role::Member) | None) if person.away.is_some() => ("○ ", style),
        (false, Some(Role::Member) | None) => ("● ", style),
    };
    let name = wrap::truncate(person.nick.as_str(), width.saturating_sub(3));
    Line::from(vec![Span::styled(sign, sign_style), Span::styled(name, style)])
}

/// Somebody who is not here, in at most `width` columns.
pub(super) fn absent(state: &State, nick: &Nick, width: usize) -> Line<'static> {
    let name = wrap::truncate(nick.as_str(), width.saturating_sub(3));
    Line::styled(format!("○ {name}"), state.theme.dim())
}

/// The same with why they are away.
pub(super) fn line_with_reason(state: &State, person: &Person, width: usize) -> Line<'static> {
    let mut line = line(state, person, width);
    if let Some(why) = &person.away {
        let text = if why.is_empty() { "  away".to_owned() } else { format!("  away: {why}") };
        let left = width.saturating_sub(line.width());
        line.push_span(Span::styled(wrap::truncate(&text, left), state.theme.dim()));
    }
    line
}
