//! What stands in a cell of the screen. Asked of the same layout that is drawn, so that the two cannot disagree.

use ratatui::layout::Position;

use super::{composer, news_place, overlay, panes, people, rooms};
use crate::client::tui::rows::Row;
use crate::client::tui::selection;
use crate::client::tui::state::State;
use crate::client::tui::state::mouse::Point;
use crate::protocol::name::Nick;

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hit {
    Nothing,
    /// The pane of the rooms, and the place of the room in this row.
    Rooms(Option<usize>),
    /// The pane of the people, and who is in this row.
    People(Option<Nick>),
    /// The conversation.
    Said(Said),
    /// How much is new below, or that one is further up.
    NewsBelow,
    Banner,
    /// The input, and the place in its text, in bytes.
    Composer(usize),
    /// The box that lies over the rooms, and which of the things in it that can be chosen.
    Overlay(Option<usize>),
    /// Beside that box.
    Beside,
}

/// What stands in a cell of the conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// The number of the unit whose row it is.
    pub(crate) unit: Option<usize>,
    /// The place in what was said, where something was.
    pub(crate) point: Option<Point>,
    /// The row stands for what is folded away.
    pub(crate) folded: bool,
    /// Left of the text, or right of its end.
    pub(crate) outside: bool,
}

/// What stands in the cell at a column and a row.
pub(crate) fn hit(state: &State, column: u16, row: u16) -> Hit {
    let at = Position::new(column, row);
    let panes = panes(state);
    if state.overlay.is_some() {
        return match overlay::row_at(state, at) {
            Some(item) => Hit::Overlay(item),
            None => Hit::Beside,
        };
    }
    if let Some(area) = panes.rooms.filter(|area| area.contains(at)) {
        return Hit::Rooms(rooms::room_at(state, area, row));
    }
    if let Some(area) = panes.people.filter(|area| area.contains(at)) {
        return Hit::People(people::person_at(state, area, row));
    }
    if panes.scrollback.contains(at) {
        return Hit::Said(said(state, column, row));
    }
    if news_place(state, &panes).is_some_and(|(area, _)| area.contains(at)) {
        return Hit::NewsBelow;
    }
    if panes.banner.contains(at) {
        return Hit::Banner;
    }
    if panes.composer.contains(at) {
        return Hit::Composer(composer::place_at(state, panes.composer, at));
    }
    Hit::Nothing
}

/// What stands in a cell of the conversation; the cell is taken to be in it.
fn said(state: &State, column: u16, row: u16) -> Said {
    let area = panes(state).scrollback;
    let Some(room) = state.room() else { return Said::default() };
    let layout = state.layout(room, area.width);
    let rows = layout.visible(usize::from(area.height));
    let first = area.bottom() - u16::try_from(rows.len()).unwrap_or(area.height).min(area.height);
    let Some((unit, shown)) = row.checked_sub(first).and_then(|row| rows.get(usize::from(row))) else {
        return Said::default();
    };
    let unit = *unit;
    let Row::Said(said) = shown else { return Said { unit: Some(unit), ..Said::default() } };
    let text = usize::from(area.x) + layout.columns.indent();
    let within = usize::from(column).checked_sub(text);
    let end = crate::client::tui::wrap::columns(&said.text.text);
    let outside = within.is_none_or(|column| column >= end);
    let point = said.place.and_then(|place| {
        selection::point(&layout, unit, place, &said.text, within.unwrap_or(0)).map(|point| match within {
            Some(_) => point,
            // Left of the text: before all of its first character.
            None => Point { after: point.before, at_start: true, ..point },
        })
    });
    Said { unit: Some(unit), point, folded: said.folded, outside }
}

/// The place in what was said that is nearest to a cell, above it first: where a selection that is dragged goes.
pub(crate) fn nearest_point(state: &State, column: u16, row: u16) -> Option<Point> {
    let area = panes(state).scrollback;
    if area.is_empty() {
        return None;
    }
    let column = column.clamp(area.x, area.right() - 1);
    let row = row.clamp(area.y, area.bottom() - 1);
    let exact = said(state, column, row).point;
    let above = || (area.y..row).rev().find_map(|row| said(state, area.right() - 1, row).point);
    let below = || (row + 1..area.bottom()).find_map(|row| said(state, area.x, row).point);
    exact.or_else(above).or_else(below)
}
