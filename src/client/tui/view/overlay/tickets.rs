//! The invitations that hold.

use ratatui::text::{Line, Span};

use crate::client::tui::state::State;
use crate::client::tui::wrap;
use crate::protocol::event::TicketInfo;

pub(super) fn rows(state: &State, tickets: &[TicketInfo], width: usize) -> Vec<Line<'static>> {
    let theme = state.theme;
    let mut rows = Vec::new();
    for ticket in tickets {
        let uses = match ticket.uses {
            None => "any number of times".to_owned(),
            Some(1) => "once more".to_owned(),
            Some(uses) => format!("{uses} times more"),
        };
        let until = ticket.until.map_or_else(String::new, |until| {
            let until = until.timestamp().to_zoned(state.zone.clone());
            format!(", until {}", until.strftime("%-d %b %H:%M"))
        });
        let room = ticket.room.as_ref().map_or_else(String::new, |room| format!(", to {room}"));
        let text = format!("lets in {uses}{until}{room}; made by {}", ticket.by);
        rows.push(Line::from(Span::styled(ticket.ticket.to_string(), theme.accent())));
        rows.extend(wrap::wrap(&text, width).into_iter().map(Line::raw));
    }
    let note = match tickets {
        [] => "There are none. /ticket 3 2d makes one that lets in three times within two days.",
        _ => "/revoke and the digits of one make it void; whoever came in by it stays.",
    };
    rows.extend(wrap::wrap(note, width).into_iter().map(|row| Line::styled(row, theme.dim())));
    rows
}
