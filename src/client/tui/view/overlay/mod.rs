//! What lies over the conversation: the help, who is here, how others join, the rooms that there are.

mod about;
mod audit;
mod found;
mod help;
mod invite;
mod links;
mod motd;
mod palette;
mod settings;
mod stats;
mod themes;
mod thread;
mod tickets;
pub(crate) mod who;
mod whois;

use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Widget};

pub(crate) use self::found::{cursor as found_cursor, hits_in_sight};
pub(crate) use self::palette::{cursor as palette_cursor, marked, rows as palette_rows};
use super::{panes, put_line};
use crate::client::tui::state::{About, Decisions, Overlay, State, Who};
use crate::client::tui::theme::Theme;
use crate::client::tui::wrap;
use crate::protocol::limits::ROOM_COLUMNS;

/// Columns of the widest box; a line that is longer is tiring to read.
const WIDEST: u16 = 86;

/// Where the box may be.
fn room_for_it(state: &State) -> Rect {
    let height = panes(state).scrollback.bottom();
    // A line that is to be copied should not be broken: for it the box is as wide as it must be.
    let line = match (&state.overlay, &state.inviting) {
        (Some(Overlay::Invite { room, ticket, .. }), Some(inviting)) => {
            wrap::columns(&inviting.line(room, ticket.as_ref())) + 4
        }
        _ => 0,
    };
    let width = u16::try_from(line).unwrap_or(u16::MAX).max(WIDEST).min(state.size.0);
    Rect::new((state.size.0 - width) / 2, 0, width, height)
}

/// Where the box is: as high as what is in it, if there is room.
fn area(state: &State) -> Rect {
    let area = room_for_it(state);
    let (width, height) = inside(area);
    let rows = match &state.overlay {
        Some(Overlay::Rooms { rooms: Some(rooms), .. }) => rooms.len(),
        Some(Overlay::Themes(list)) => return themes::area(state, list, area),
        _ => rows(state, width, height).len(),
    };
    let rows = u16::try_from(rows.max(1)).unwrap_or(u16::MAX);
    Rect { height: area.height.min(rows.saturating_add(2)), ..area }
}

/// Columns and rows inside the box.
fn inner_size(state: &State) -> (usize, usize) {
    inside(area(state))
}

fn inside(area: Rect) -> (usize, usize) {
    (usize::from(area.width.saturating_sub(4)), usize::from(area.height.saturating_sub(2)))
}

/// What lies there in rows, of which those are shown that have a place. The list of rooms has none: one goes through
/// it by choosing.
fn rows(state: &State, width: usize, height: usize) -> Vec<Line<'static>> {
    match &state.overlay {
        Some(Overlay::Help(_)) => help::rows(state, width),
        Some(Overlay::Who(who)) => who::rows(state, who, width),
        Some(Overlay::Invite { room, ticket, .. }) => {
            let inviting = state.inviting.as_ref();
            inviting
                .map(|inviting| invite::rows(state.theme, inviting, (room, ticket.as_ref()), width, height))
                .unwrap_or_default()
        }
        Some(Overlay::Whois { answer: Some(answer), .. }) => whois::rows(state, answer, width),
        Some(Overlay::Tickets { answer: Some(answer), .. }) => tickets::rows(state, answer, width),
        Some(Overlay::Stats { answer: Some(answer), .. }) => stats::rows(state.theme, answer, width),
        Some(Overlay::Motd { answer: Some(answer), .. }) => motd::rows(state.theme, answer, width),
        Some(
            Overlay::Whois { answer: None, .. }
            | Overlay::Tickets { answer: None, .. }
            | Overlay::Stats { answer: None, .. }
            | Overlay::Motd { answer: None, .. }
            | Overlay::Rooms { rooms: None, .. },
        ) => vec![asking(state)],
        Some(Overlay::Audit(decisions)) => audit::rows(state, decisions, width),
        Some(Overlay::Settings(_)) => settings::rows(state, width),
        Some(Overlay::Links(links)) => links::rows(state, links, width, height),
        Some(Overlay::About(about)) => about::rows(state, about, width),
        Some(
            Overlay::Rooms { rooms: Some(_), .. }
            | Overlay::Themes(_)
            | Overlay::Found(_)
            | Overlay::Palette(_)
            | Overlay::Thread(_),
        )
        | None => Vec::new(),
    }
}

/// What lies there as plain lines, all of it, where it is something to read.
pub(crate) fn texts(state: &State, width: usize) -> Vec<String> {
    let rows = rows(state, width, usize::MAX).into_iter().map(|row| row.to_string());
    rows.map(|row| row.trim_end().to_owned()).collect()
}

fn asking(state: &State) -> Line<'static> {
    Line::styled("asking the server …", state.theme.dim())
}

/// How far one can go down in what lies over the rooms: the last row at the top, or the last room.
pub(crate) fn last(state: &State) -> usize {
    let (width, height) = inner_size(state);
    match &state.overlay {
        Some(Overlay::Links(links)) => links.found.len().saturating_sub(1),
        Some(Overlay::Themes(list)) => list.themes.len().saturating_sub(1),
        Some(Overlay::Rooms { rooms, .. }) => rooms.as_ref().map_or(0, Vec::len).saturating_sub(1),
        _ => rows(state, width, height).len().saturating_sub(height),
    }
}

/// How far one has gone down, where it is rows that one reads.
pub(super) fn place(overlay: &Overlay) -> Option<usize> {
    match overlay {
        Overlay::Help(top)
        | Overlay::Who(Who { top, .. })
        | Overlay::Settings(top)
        | Overlay::Invite { top, .. }
        | Overlay::Whois { top, .. }
        | Overlay::Tickets { top, .. }
        | Overlay::Stats { top, .. }
        | Overlay::Motd { top, .. }
        | Overlay::Audit(Decisions { top, .. })
        | Overlay::About(About { top, .. }) => Some(*top),
        Overlay::Rooms { .. }
        | Overlay::Links(_)
        | Overlay::Themes(_)
        | Overlay::Found(_)
        | Overlay::Palette(_)
        | Overlay::Thread(_) => None,
    }
}

/// What one reads about, and the rows in sight.
fn content(state: &State, overlay: &Overlay) -> (String, Vec<Line<'static>>) {
    let (width, height) = inner_size(state);
    let from = |top: &usize| rows(state, width, height).into_iter().skip(*top).take(height).collect();
    match overlay {
        Overlay::Help(top) => ("keys and commands".to_owned(), from(top)),
        Overlay::Settings(top) => ("settings".to_owned(), from(top)),
        Overlay::Who(who) => (who::title(state, who), from(&who.top)),
        Overlay::Invite { room, top, .. } => (format!("invite to {room}"), from(top)),
        Overlay::Tickets { top, .. } => ("invitations".to_owned(), from(top)),
        Overlay::Stats { top, .. } => ("what the server counts".to_owned(), from(top)),
        Overlay::Motd { top, .. } => ("message of the day".to_owned(), from(top)),
        Overlay::Whois { nick, answer, top, .. } => {
            (answer.as_ref().map_or(nick, |answer| &answer.nick).to_string(), from(top))
        }
        Overlay::Audit(decisions) => ("what was decided".to_owned(), from(&decisions.top)),
        Overlay::Themes(list) => ("themes".to_owned(), themes::rows(state, list, width, height)),
        Overlay::Links(_) => ("links in sight".to_owned(), from(&0)),
        Overlay::About(about) => ("about a message".to_owned(), from(&about.top)),
        // Drawn in their own ways.
        Overlay::Found(_) | Overlay::Palette(_) | Overlay::Thread(_) => (String::new(), Vec::new()),
        Overlay::Rooms { rooms: None, .. } => ("rooms".to_owned(), from(&0)),
        Overlay::Rooms { rooms: Some(rooms), chosen, .. } => {
            let first = (chosen + 1).saturating_sub(height);
            let lines = rooms.iter().enumerate().skip(first).take(height).map(|(place, info)| {
                let name = info.room.as_str();
                // By columns: what `format!` pads by is characters.
                let padding = " ".repeat((ROOM_COLUMNS + 2).saturating_sub(wrap::columns(name)));
                let sign = if state.place_of(&info.room).is_some() { '●' } else { ' ' };
                let text = format!("{sign} {name}{padding}{:>4} here  {}", info.here, info.topic);
                let text = wrap::truncate(&text, width);
                if place == *chosen {
                    let rest = " ".repeat(width.saturating_sub(wrap::columns(&text)));
                    Line::styled(text + &rest, state.theme.selected())
                } else {
                    Line::raw(text)
                }
            });
            ("rooms".to_owned(), lines.collect())
        }
    }
}

/// A word that says what stands beside it, in so many `columns`, and the text, in as many rows as it needs.
fn labelled(theme: Theme, label: &str, columns: usize, text: &str, width: usize) -> Vec<Line<'static>> {
    let label_width = columns.min(width / 2);
    let mut label = wrap::truncate(label, label_width.saturating_sub(1));
    let rows = wrap::wrap(text, width.saturating_sub(label_width)).into_iter().map(|row| {
        let padding = " ".repeat(label_width.saturating_sub(wrap::columns(&label)));
        Line::from(vec![Span::styled(std::mem::take(&mut label) + &padding, theme.dim()), Span::raw(row)])
    });
    rows.collect()
}

/// Whether a cell is in what lies over the rooms, and which of the things that can be chosen there stands in it.
pub(super) fn row_at(state: &State, at: Position) -> Option<Option<usize>> {
    if matches!(state.overlay, Some(Overlay::Found(_))) {
        return (at.y + 1 < state.size.1).then_some(None);
    }
    let area = area(state);
    if !area.contains(at) {
        return None;
    }
    let (width, height) = inner_size(state);
    let row = at.y.checked_sub(area.y + 1).map(usize::from).filter(|row| *row < height);
    Some(row.and_then(|row| match &state.overlay {
        Some(Overlay::Links(links)) => links::at(state, links, width, height, row),
        Some(Overlay::Rooms { rooms: Some(rooms), chosen, .. }) => {
            let place = (chosen + 1).saturating_sub(height) + row;
            (place < rooms.len()).then_some(place)
        }
        _ => None,
    }))
}

fn is_of_a_word(cell: &Cell) -> bool {
    cell.cell_width() > 1 || cell.symbol().starts_with(|c: char| c.is_alphanumeric() || "#:.,-_'".contains(c))
}

pub(super) fn draw(state: &State, buffer: &mut Buffer) {
    let Some(overlay) = &state.overlay else { return };
    match overlay {
        Overlay::Found(kind) => return found::draw(state, *kind, buffer),
        Overlay::Palette(palette) => return palette::draw(state, palette, buffer),
        Overlay::Thread(thread) => return thread::draw(state, thread, buffer),
        _ => {}
    }
    let theme = state.theme;
    let (title, lines) = content(state, overlay);
    let area = area(state);
    clear(theme, area, buffer);
    let mut block = frame(theme, &title);
    if place(overlay).is_some_and(|top| top < last(state)) {
        block = block.title_bottom(Line::styled(" ↓ more ", theme.dim()).right_aligned());
    }
    block.render(area, buffer);
    for (y, line) in (area.y + 1..area.bottom().saturating_sub(1)).zip(lines) {
        put_line(buffer, area.x + 2, y, &line, area.width.saturating_sub(4));
    }
}

/// The frame of what lies over the conversation.
fn frame(theme: Theme, title: &str) -> Block<'static> {
    Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(theme.rule())
        .title(Span::styled(format!(" {title} "), theme.title().remove_modifier(Modifier::DIM)))
}

/// Makes room for a box.
pub(super) fn clear(theme: Theme, area: Rect, buffer: &mut Buffer) {
    Clear.render(area, buffer);
    buffer.set_style(area, theme.text());
    // What is left of a word, a number or a wide character that the edge cuts goes as well.
    for y in area.y..area.bottom() {
        for x in (0..area.x).rev() {
            let Some(cell) = buffer.cell_mut((x, y)).filter(|cell| is_of_a_word(cell)) else { break };
            cell.set_symbol(" ");
        }
        for x in area.right()..buffer.area.right() {
            let Some(cell) = buffer.cell_mut((x, y)).filter(|cell| is_of_a_word(cell)) else { break };
            cell.set_symbol(" ");
        }
    }
}
