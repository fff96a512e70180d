//! The links in sight. The chosen one is shown in full, however long: one should see where one goes.

use ratatui::text::{Line, Span};

use crate::client::tui::state::{Links, State};
use crate::client::tui::styled::{Kind, Look};
use crate::client::tui::wrap;

/// Columns for whose link it is.
const FROM: usize = 12;

/// As many rows as there is room for, that of the chosen link among them.
pub(super) fn rows(state: &State, links: &Links, width: usize, height: usize) -> Vec<Line<'static>> {
    lay_out(state, links, width, height).into_iter().map(|(_, row)| row).collect()
}

/// Which link stands in a row.
pub(super) fn at(state: &State, links: &Links, width: usize, height: usize, row: usize) -> Option<usize> {
    lay_out(state, links, width, height).get(row).map(|(place, _)| *place)
}

/// The rows, each with the place of its link.
fn lay_out(state: &State, links: &Links, width: usize, height: usize) -> Vec<(usize, Line<'static>)> {
    let theme = state.theme;
    let from_width = FROM.min(width / 4);
    let link_width = width.saturating_sub(from_width).max(1);
    let mut rows = Vec::new();
    for (place, (from, link)) in links.found.iter().enumerate() {
        let from = wrap::truncate(from.as_str(), from_width.saturating_sub(1));
        let mut lead = from.clone() + &" ".repeat(from_width.saturating_sub(wrap::columns(&from)));
        let chosen = place == links.chosen;
        let shown = if chosen { wrap::cut(link, link_width) } else { vec![wrap::truncate(link, link_width)] };
        let style =
            if chosen { theme.selected() } else { theme.look(Look { kind: Kind::Link, ..Look::default() }) };
        let above = rows.len();
        for row in shown {
            let line = Line::from(vec![Span::styled(lead, theme.dim()), Span::styled(row, style)]);
            rows.push((place, line));
            lead = " ".repeat(from_width);
        }
        if chosen {
            // What is too much goes at the top, but for where the chosen link leads: that is its beginning.
            rows.drain(..rows.len().saturating_sub(height).min(above));
        }
    }
    rows.truncate(height);
    rows
}
