//! What is written from right to left stays in its pane.
//!
//! Terminals do it in two ways. Most draw the letters in the order in which they were written, each in its cell, and
//! nothing moves. Some turn around what is written from right to left, and go by the whole row: between a text and a
//! name beside it, both in Hebrew, they would turn the line between the panes around as well. So a mark that counts as
//! written from left to right stands behind each such line, and between names and texts. It has no width, and where
//! nothing is turned around nothing is seen of it. The order within a text is the terminal's to find: only there is it
//! known whether it finds one.

use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use super::{Panes, composer, sides};
use crate::client::tui::state::State;

/// The mark.
const LEFT_TO_RIGHT: char = '\u{200E}';

/// Puts the marks into all rows in which something is written from right to left.
pub(super) fn keep(state: &State, panes: &Panes, buffer: &mut Buffer) {
    let width = usize::from(buffer.area.width).max(1);
    let text = state.room().map(|room| state.layout(room, panes.scrollback.width).columns.indent());
    let text_at = text.and_then(|indent| u16::try_from(indent).ok()).filter(|indent| *indent > 0);
    let gap = text_at.map(|indent| panes.scrollback.x + indent - 1);
    let sides = sides(panes);
    for (y, row) in (0..).zip(buffer.content.chunks_mut(width)) {
        if !row.iter().any(|cell| is_right_to_left(cell.symbol())) {
            continue;
        }
        let gap = gap.filter(|_| panes.scrollback.contains(Position::new(panes.scrollback.x, y)));
        let prompt = (panes.composer.top()..panes.composer.bottom())
            .contains(&y)
            .then(|| composer::text_at(state))
            .and_then(|x| x.checked_sub(1));
        let rules = sides.into_iter().flatten().filter(|_| y < panes.scrollback.bottom());
        for x in rules.chain(gap).chain(prompt) {
            // Not under what lies over the rooms, nor in the half of a wide character.
            if let Some(cell) = row.get_mut(usize::from(x)).filter(|cell| matches!(cell.symbol(), "│" | " "))
            {
                let marked = format!("{}{LEFT_TO_RIGHT}", cell.symbol());
                cell.set_symbol(&marked);
            }
        }
    }
}

/// Whether a grapheme begins with a letter of Hebrew, Arabic or their neighbours.
fn is_right_to_left(grapheme: &str) -> bool {
    // Cells are many, and most hold one byte.
    grapheme.len() > 1
        && grapheme.chars().any(|c| {
            matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFE}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
        })
}

#[cfg(test)]
mod tests {
    use crate::client::tui::script::Script;

    #[test]
    fn marks_stand_only_where_something_is_turned_around() {
        let mut script = Script::new(100, 12);
        script.online();
        script.join("#lobby", 0, "", &["alice", "דוד"]);
        script.says("#lobby", 1, "bob", "hello");
        script.says("#lobby", 2, "דוד", "שלום");
        let text = script.text();
        let marks = |wanted: &str| {
            let row = text.lines().find(|row| row.contains(wanted)).unwrap_or_default();
            row.matches('\u{200E}').count()
        };
        // Beside "hello" stands a name in Hebrew.
        assert_eq!((marks("שלום"), marks("#lobby  "), marks("Saturday")), (3, 0, 0), "{text}");
    }
}
