//! What stands around a message, and the mark of the one that is chosen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::put_line;
use crate::client::tui::rows::{CHIP_GAP, Columns, EDITED, Layout, Row, Said};
use crate::client::tui::scroll::Unit;
use crate::client::tui::theme::Theme;

/// The number of the unit that is chosen.
pub(super) fn chosen(layout: &Layout<'_>) -> Option<usize> {
    let seq = layout.room.chosen?;
    layout.room.scrollback.place_of(seq).ok()?;
    layout.number(Unit::Entry(seq))
}

/// Marks a row of the message that is chosen.
pub(super) fn mark(theme: Theme, row: &Row, area: Rect, buffer: &mut Buffer) {
    if matches!(row, Row::Said(_) | Row::Answered(_) | Row::Reactions(_)) {
        buffer.set_style(area, theme.chosen());
        put_line(buffer, area.x, area.y, &Line::styled("▌", theme.accent()), area.width);
    }
}

/// What stands behind a message that was changed.
pub(super) fn edited(theme: Theme, said: &Said) -> Span<'static> {
    let text = if said.text.text.is_empty() { EDITED.trim_start() } else { EDITED };
    Span::styled(text, theme.dim())
}

/// Draws a row above or below a message.
pub(super) fn draw(theme: Theme, row: &Row, columns: Columns, area: Rect, buffer: &mut Buffer) {
    let x = area.x.saturating_add(u16::try_from(columns.indent()).unwrap_or(u16::MAX));
    let line = match row {
        Row::Answered(text) => Line::styled(text.as_str(), theme.dim()),
        Row::Reactions(chips) => {
            let mut spans = Vec::new();
            for chip in chips {
                if !spans.is_empty() {
                    spans.push(Span::raw(" ".repeat(CHIP_GAP)));
                }
                let style = if chip.mine { theme.accent() } else { theme.dim() };
                spans.push(Span::styled(chip.text.as_str(), style));
            }
            Line::from(spans)
        }
        _ => return,
    };
    put_line(buffer, x, area.y, &line, area.right().saturating_sub(x));
}
