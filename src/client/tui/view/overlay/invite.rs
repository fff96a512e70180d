//! How others join: a code for telephones where there is room for one, and the line.

use ratatui::text::{Line, Span};

use crate::client::qr::qr;
use crate::client::tui::state::inviting::Inviting;
use crate::client::tui::theme::Theme;
use crate::client::tui::wrap;
use crate::protocol::name::RoomName;
use crate::protocol::ticket::Ticket;

pub(super) fn rows(
    theme: Theme,
    inviting: &Inviting,
    (room, ticket): (&RoomName, Option<&Ticket>),
    width: usize,
    height: usize,
) -> Vec<Line<'static>> {
    let mut rows = Vec::new();
    // A code that is cut off is no code.
    let fits = |code: &Vec<String>| {
        code.len() <= height && code.first().is_some_and(|row| wrap::columns(row) <= width)
    };
    if let Some(code) = qr(&inviting.url(room, ticket)).filter(fits) {
        let margin = code.first().map_or(0, |row| width.saturating_sub(wrap::columns(row)) / 2);
        rows.extend(
            code.into_iter()
                .map(|row| Line::from(vec![Span::raw(" ".repeat(margin)), Span::styled(row, theme.code())])),
        );
    }
    let notes = |notes: Vec<&str>| -> Vec<Line<'static>> {
        let rows = notes.into_iter().flat_map(|note| wrap::wrap(note, width));
        rows.map(|row| Line::styled(row, theme.dim())).collect()
    };
    let line = wrap::cut(&inviting.line(room, ticket), width);
    rows.extend(line.into_iter().map(|row| Line::styled(row, theme.accent())));
    rows.extend(notes(vec!["c copies it."]));
    rows.extend(notes(match (inviting.words(), inviting.locked) {
        _ if ticket.is_some() => vec!["It is counted, and needs no passphrase. It is shown this once."],
        (Some(_), _) => vec!["The passphrase is in it: for those who may come in."],
        (None, true) => vec!["The passphrase is not in it, because it is not known here: tell it besides."],
        (None, false) => vec![],
    }));
    if inviting.is_local() {
        rows.extend(notes(vec!["It leads nowhere but to this machine."]));
    }
    rows
}
