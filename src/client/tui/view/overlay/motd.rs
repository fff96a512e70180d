//! The message of the day.

use ratatui::text::Line;

use crate::client::tui::state::motd::Motd;
use crate::client::tui::theme::Theme;
use crate::client::tui::wrap;
use crate::protocol::event;

pub(super) fn rows(theme: Theme, motd: &event::Motd, width: usize) -> Vec<Line<'static>> {
    match &motd.text {
        Some(text) => wrap::wrap(&Motd::lines(text), width).into_iter().map(Line::raw).collect(),
        None => {
            let none = wrap::wrap("This parlor has no message of the day.", width);
            none.into_iter().map(|row| Line::styled(row, theme.dim())).collect()
        }
    }
}
