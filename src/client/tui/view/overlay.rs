//! What lies over the conversation: the help, who is here, the rooms that there are.

use ratatui::buffer::{Buffer, CellWidth};
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use super::{panes, people, put_line};
use crate::client::tui::keymap::{BINDINGS, Section};
use crate::client::tui::slash::COMMANDS;
use crate::client::tui::state::{Overlay, State};
use crate::client::tui::wrap;
use crate::protocol::limits::ROOM_COLUMNS;

/// Columns of the widest box; a line that is longer is tiring to read.
const WIDEST: u16 = 86;
/// Columns for the keys and commands in the help.
const KEYS: usize = 27;

fn area(state: &State) -> Rect {
    let height = panes(state).scrollback.bottom();
    let width = state.size.0.min(WIDEST);
    Rect::new((state.size.0 - width) / 2, 0, width, height)
}

/// Columns and rows inside the box.
fn inner_size(state: &State) -> (usize, usize) {
    let area = area(state);
    (usize::from(area.width.saturating_sub(4)), usize::from(area.height.saturating_sub(2)))
}

/// How far one can go down in what lies over the rooms: the last row at the top, or the last room.
pub(crate) fn last(state: &State) -> usize {
    let (width, height) = inner_size(state);
    match &state.overlay {
        Some(Overlay::Help(_)) => help(width).len().saturating_sub(height),
        Some(Overlay::Names(_)) => {
            state.room().map_or(0, |room| room.people.iter().count()).saturating_sub(height)
        }
        Some(Overlay::Rooms { rooms, .. }) => rooms.as_ref().map_or(0, Vec::len).saturating_sub(1),
        None => 0,
    }
}

pub(super) fn draw(state: &State, buffer: &mut Buffer) {
    let Some(overlay) = &state.overlay else { return };
    let theme = state.theme;
    let (width, height) = inner_size(state);
    let (title, lines) = match overlay {
        Overlay::Help(top) => {
            let lines = help(width).into_iter().skip(*top).take(height);
            let lines = lines.map(|row| match row {
                HelpRow::Title(title) => Line::styled(title, theme.strong()),
                HelpRow::Keys(keys, text) => {
                    Line::from(vec![Span::styled(keys, theme.accent()), Span::raw(text)])
                }
            });
            (" keys and commands ".to_owned(), lines.collect::<Vec<_>>())
        }
        Overlay::Names(top) => {
            let Some(room) = state.room() else { return };
            let lines = room.people.iter().skip(*top).take(height).map(|p| people::line(state, p, width));
            (format!(" {}: {} here ", room.name, room.people.here()), lines.collect())
        }
        Overlay::Rooms { rooms: None, .. } => {
            (" rooms ".to_owned(), vec![Line::styled("asking the server …", theme.dim())])
        }
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
                    Line::styled(text + &rest, theme.selected())
                } else {
                    Line::raw(text)
                }
            });
            (" rooms ".to_owned(), lines.collect())
        }
    };
    let area = area(state);
    Clear.render(area, buffer);
    // Half of a wide character is left where the edge cuts it: the other half goes as well.
    for y in area.y..area.bottom() {
        if let Some(cell) = area.x.checked_sub(1).and_then(|x| buffer.cell_mut((x, y)))
            && cell.cell_width() > 1
        {
            cell.set_symbol(" ");
        }
    }
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(theme.rule())
        .title(Span::styled(title, theme.strong().remove_modifier(Modifier::DIM)));
    block.render(area, buffer);
    for (y, line) in (area.y + 1..area.bottom().saturating_sub(1)).zip(lines) {
        put_line(buffer, area.x + 2, y, &line, area.width.saturating_sub(4));
    }
}

enum HelpRow {
    Title(String),
    /// What is pressed or typed, padded, and what it does.
    Keys(String, String),
}

fn help(width: usize) -> Vec<HelpRow> {
    let mut parts: Vec<(&str, Vec<(String, &str)>)> = Vec::new();
    let commands = COMMANDS.iter().map(|entry| {
        let words = std::iter::once(&entry.name).chain(entry.short);
        let words: Vec<String> = words.map(|word| format!("/{word}")).collect();
        (format!("{} {}", words.join(", "), entry.arguments).trim_end().to_owned(), entry.help)
    });
    parts.push(("Commands", commands.collect()));
    for section in Section::ALL {
        let keys = BINDINGS.iter().filter(|binding| binding.section == section && !binding.help.is_empty());
        parts.push((section.title(), keys.map(|binding| (binding.names(), binding.help)).collect()));
    }
    let signs = [
        ("◌ ✗", "a message of yours that is on its way, that was not sent"),
        ("▎ !", "somebody said your name: in a message, in a room"),
        ("●", "you are in: with the server, in a room of the list"),
    ];
    parts.push(("Signs", signs.map(|(sign, text)| (sign.to_owned(), text)).to_vec()));

    let keys_width = KEYS.min(width / 2);
    let mut rows = Vec::new();
    for (title, lines) in parts {
        if !rows.is_empty() {
            rows.push(HelpRow::Title(String::new()));
        }
        rows.push(HelpRow::Title(title.to_owned()));
        for (keys, text) in lines {
            let mut keys = wrap::truncate(&keys, keys_width.saturating_sub(1));
            for text in wrap::wrap(text, width - keys_width) {
                let padding = " ".repeat(keys_width - wrap::columns(&keys));
                rows.push(HelpRow::Keys(std::mem::take(&mut keys) + &padding, text));
            }
        }
    }
    rows
}
