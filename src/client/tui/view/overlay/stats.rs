//! What the server counts.

use ratatui::text::Line;

use super::labelled;
use crate::client::tui::theme::Theme;
use crate::client::tui::wrap;
use crate::protocol::stats::{LABEL_COLUMNS, Stats};

pub(super) fn rows(theme: Theme, stats: &Stats, width: usize) -> Vec<Line<'static>> {
    let counted = stats.rows();
    let mut rows: Vec<Line<'static>> =
        counted.iter().flat_map(|(label, text)| labelled(theme, label, LABEL_COLUMNS, text, width)).collect();
    rows.push(Line::default());
    let note = "As it was when you asked; what is counted, since the server was started.";
    rows.extend(wrap::wrap(note, width).into_iter().map(|row| Line::styled(row, theme.dim())));
    rows
}
