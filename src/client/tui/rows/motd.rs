//! The message of the day, where we came in.

use super::{Layout, Row};
use crate::client::tui::state::motd::Motd;
use crate::client::tui::wrap::wrap;

/// Rows that it has in the room: what was said there shall be in sight beside it.
const ROWS: usize = 8;

impl Layout<'_> {
    /// It stands above the entry at `place`, which is the first that came after us, or at the end.
    pub(super) fn motd(&self, place: usize) -> Vec<Row> {
        let Some((room, last)) = &self.motd.place else { return Vec::new() };
        let Some(text) = self.motd.text.as_ref().filter(|_| *room == self.room.name && self.room.joined)
        else {
            return Vec::new();
        };
        let before = place.checked_sub(1).and_then(|place| self.room.scrollback.get(place));
        let after = before.map_or(0, |entry| entry.seq);
        let until = self.room.scrollback.get(place).map_or(u64::MAX, |entry| entry.seq);
        if !(after..until).contains(last) {
            return Vec::new();
        }
        let mut rows = vec![Row::Empty];
        rows.extend(wrap("The message of the day:", self.columns.text).into_iter().map(Row::Note));
        let mut lines = wrap(&Motd::lines(text), self.columns.text);
        if lines.len() > ROWS {
            lines.truncate(ROWS - 1);
            lines.push("… /motd shows all of it".to_owned());
        }
        rows.extend(lines.into_iter().map(Row::Note));
        rows.push(Row::Empty);
        rows
    }
}
