//! The rooms on the left, and the heading of the one in sight.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Panes, put_line};
use crate::client::tui::state::State;
use crate::client::tui::state::order::{Group, News};
use crate::client::tui::state::room::Room;
use crate::client::tui::wrap;

/// Columns of another room's name in the heading: of a room of many people it is long.
const OTHER_COLUMNS: usize = 20;

/// What stands beside a room that is pinned, and beside one that is muted.
const PINNED: &str = "▴";
const MUTED: &str = "⊘";

/// Columns that the pane wants.
pub(super) fn columns(state: &State) -> u16 {
    let widest = state.rooms.iter().map(|room| wrap::columns(&room.shown)).max().unwrap_or(0);
    u16::try_from((widest + 7).clamp(14, 24)).unwrap_or(24)
}

pub(super) fn draw(state: &State, area: Rect, buffer: &mut Buffer) {
    let theme = state.theme;
    let items = items(state);
    let many = items.len();
    let (first, shown) = window(state, &items, area);
    let hidden =
        |items: &[Item]| -> Vec<&Room> { items.iter().filter_map(|item| item.room(state)).collect() };
    let above = hidden(&items[..first.min(many)]);
    // What is above takes the place of the heading: there is not always room for both.
    if above.is_empty() {
        let heading = Line::styled("rooms", theme.dim());
        put_line(buffer, area.x + 1, area.y, &heading, area.width.saturating_sub(1));
    }
    draw_hidden(state, "↑", &above, Rect { height: 1, ..area }, buffer);
    let below = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
    draw_hidden(state, "↓", &hidden(&items[(first + shown).min(many)..]), below, buffer);
    for (row, item) in items.iter().skip(first).take(shown).enumerate() {
        let y = area.y + 1 + u16::try_from(row).unwrap_or(0);
        let Some(room) = item.room(state) else {
            let heading = Line::styled("direct", theme.dim());
            put_line(buffer, area.x + 1, y, &heading, area.width.saturating_sub(1));
            continue;
        };
        let in_sight = *item == Item::Room(state.current);
        let marker = if in_sight { "▌" } else { " " };
        let name_style = match () {
            () if !room.joined => theme.dim(),
            () if in_sight || state.news(room) > News::None => theme.strong(),
            () if state.is_muted(room) => theme.dim(),
            () => Style::new(),
        };
        let mut news = news(state, room);
        for sign in signs(state, room).rev() {
            let gap = if news.spans.is_empty() { "" } else { " " };
            news.spans.insert(0, Span::styled(format!("{sign}{gap}"), theme.dim()));
        }
        let columns = usize::from(area.width).saturating_sub(3 + news.width());
        let name = wrap::truncate(&room.shown, columns);
        let line = Line::from(vec![Span::styled(marker, theme.accent()), Span::styled(name, name_style)]);
        put_line(buffer, area.x, y, &line, area.width);
        let width = u16::try_from(news.width()).unwrap_or(0);
        put_line(buffer, area.right().saturating_sub(width + 1), y, &news, width);
    }
}

/// Which item is the first that has a row, and how many have one.
fn window(state: &State, items: &[Item], area: Rect) -> (usize, usize) {
    let rows = usize::from(area.height.saturating_sub(1));
    let many = items.len();
    let current = items.iter().position(|item| *item == Item::Room(state.current)).unwrap_or(0);
    // The room in sight is always among those shown, above the line that tells of those below.
    let last = if current + 1 < many { rows.saturating_sub(1).max(1) } else { rows };
    let first = if many <= rows { 0 } else { (current + 1).saturating_sub(last) };
    let shown = if first + rows < many { last } else { rows };
    (first, shown)
}

/// The place of the room that has a row of the screen.
pub(super) fn room_at(state: &State, area: Rect, y: u16) -> Option<usize> {
    let items = items(state);
    let (first, shown) = window(state, &items, area);
    let row = usize::from(y.checked_sub(area.y + 1)?);
    match items.get(first + row).filter(|_| row < shown)? {
        Item::Room(place) => Some(*place),
        Item::Heading => None,
    }
}

/// One row of the pane.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Item {
    /// The room at this place.
    Room(usize),
    /// What stands above the rooms that are only for some.
    Heading,
}

impl Item {
    fn room(self, state: &State) -> Option<&Room> {
        match self {
            Self::Room(place) => state.rooms.get(place),
            Self::Heading => None,
        }
    }
}

fn items(state: &State) -> Vec<Item> {
    let direct = state.rooms.iter().position(|room| state.company.group(&room.name) >= Group::Direct);
    let mut items: Vec<Item> = (0..state.rooms.len()).map(Item::Room).collect();
    if let Some(place) = direct {
        items.insert(place, Item::Heading);
    }
    items
}

/// Whether a room is pinned, and whether it is muted.
fn signs(state: &State, room: &Room) -> impl DoubleEndedIterator<Item = &'static str> {
    let pinned = state.is_pinned(room).then_some(PINNED);
    let muted = state.is_muted(room).then_some(MUTED);
    [pinned, muted].into_iter().flatten()
}

/// How many rooms have no place in a direction; or, where there is news in them, in how many there is.
fn draw_hidden(state: &State, arrow: &str, rooms: &[&Room], area: Rect, buffer: &mut Buffer) {
    if rooms.is_empty() {
        return;
    }
    let theme = state.theme;
    let mut spans = match state.news_of(rooms.iter().copied()) {
        (News::None, _) => vec![Span::styled(format!("{arrow} {} more", rooms.len()), theme.dim())],
        (_, many) => vec![Span::styled(format!("{arrow} {many} new"), theme.news())],
    };
    if state.news_of(rooms.iter().copied()).0 == News::Urgent {
        spans.push(Span::styled("!", theme.mention()));
    }
    let line = Line::from(spans);
    let width = u16::try_from(line.width()).unwrap_or(0);
    let x = area.right().saturating_sub(width + 1).max(area.x);
    put_line(buffer, x, area.y, &line, area.right().saturating_sub(x));
}

/// How much is unread in a room, and a mark if our name was said.
fn news(state: &State, room: &Room) -> Line<'static> {
    let mut spans = Vec::new();
    let waits = state.news(room);
    let counted = waits > News::None && room.unread > 0;
    if !room.composer.is_empty() && state.room().is_some_and(|in_sight| in_sight.name != room.name) {
        let sign = if counted || waits == News::Urgent { "✎ " } else { "✎" };
        spans.push(Span::styled(sign, state.theme.dim()));
    }
    if counted {
        spans.push(Span::styled(count(room.unread), state.theme.news()));
    }
    if waits == News::Urgent {
        spans.push(Span::styled("!", state.theme.mention()));
    }
    Line::from(spans)
}

fn count(unread: u64) -> String {
    if unread > 999 { "999+".to_owned() } else { unread.to_string() }
}

pub(super) fn draw_header(state: &State, panes: &Panes, area: Rect, buffer: &mut Buffer) {
    let theme = state.theme;
    let Some(room) = state.room() else { return };
    let mut right: Vec<Span<'_>> = Vec::new();
    if panes.rooms.is_none() {
        for other in state.other_rooms() {
            if state.news(other) > News::None {
                right.push(Span::styled(
                    format!("{} ", wrap::truncate(&other.shown, OTHER_COLUMNS)),
                    theme.strong(),
                ));
                right.extend(news(state, other).spans);
                right.push(Span::raw("  "));
            }
        }
    }
    // The command for others is what a host looks for while nobody is there yet.
    let inviting = state.inviting.as_ref().filter(|inviting| inviting.hosting);
    if let Some(inviting) =
        inviting.filter(|_| panes.people.is_some() && room.scrollback.len() > 0 && !room.name.is_direct())
    {
        right.push(Span::styled(format!("{}  ", inviting.spoken(&room.name)), theme.dim()));
    }
    if panes.people.is_none() && area.width >= 24 {
        right.push(Span::styled(format!("{} here ", room.people.here()), theme.dim()));
    }
    let right = Line::from(right);
    let name = wrap::truncate(&room.shown, usize::from(area.width).saturating_sub(2));
    let left_over = usize::from(area.width).saturating_sub(wrap::columns(&name) + 4);
    let right = if right.width() <= left_over { right } else { Line::default() };
    let topic = wrap::truncate(room.topic.as_str(), left_over.saturating_sub(right.width() + 1));
    let left = Line::from(vec![
        Span::raw(" "),
        Span::styled(name, theme.strong()),
        Span::raw("  "),
        Span::raw(topic),
    ]);
    put_line(buffer, area.x, area.y, &left, area.width);
    let width = u16::try_from(right.width()).unwrap_or(0);
    put_line(buffer, area.right().saturating_sub(width), area.y, &right, width);
}
