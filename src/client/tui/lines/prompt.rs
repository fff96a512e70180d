//! The row in which one writes, changed without an escape sequence: by going back, writing over, and blanks. Only what
//! is different is written, so that a screen reader speaks the letter that was typed and not the line.

use unicode_segmentation::UnicodeSegmentation;

use crate::client::tui::wrap::{columns, cut, show_edit_row};

/// Goes back by a column.
const BACK: &str = "\x08";

/// What stands in a row of a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    text: String,
    /// The column of the cursor.
    cursor: usize,
}

impl Row {
    /// `label`, and behind it what is written, of which the part around `cursor` is shown that fits into `width`
    /// columns. One of them stays free, or the terminal would go on in the next row.
    pub(super) fn new(label: &str, written: &str, cursor: usize, width: usize) -> Self {
        let whole = width.saturating_sub(1).max(1);
        let label = cut(label, whole).into_iter().next().unwrap_or_default();
        let left = whole.saturating_sub(columns(&label)).max(1);
        let one_row = |text: &str| text.replace('\n', "⏎");
        let (before, after) = written.split_at_checked(cursor).unwrap_or((written, ""));
        // One column is the cursor's.
        let before = cut(&show_edit_row(&one_row(before), usize::MAX), left.saturating_sub(1).max(1));
        let before = before.last().cloned().unwrap_or_default();
        let after = show_edit_row(&one_row(after), left.saturating_sub(columns(&before)));
        let cursor = columns(&label) + columns(&before);
        Self { text: label + &before + &after, cursor }
    }
}

/// The row as it is on the terminal.
#[derive(Debug, Default)]
pub(super) struct Prompt {
    shown: Row,
    /// Somebody else had the terminal: the cursor may be anywhere in its row.
    lost: bool,
}

impl Prompt {
    /// What must be written so that the row is `row`.
    pub(super) fn change(&mut self, row: Row) -> String {
        let old = std::mem::replace(&mut self.shown, row);
        if std::mem::take(&mut self.lost) {
            let new = &self.shown;
            return format!("\r{}{}", new.text, BACK.repeat(columns(&new.text).saturating_sub(new.cursor)));
        }
        let new = &self.shown;
        if old.text == new.text && new.cursor <= old.cursor {
            return BACK.repeat(old.cursor - new.cursor);
        }
        // What is the same and stands before the cursor need not be written again.
        let (mut same, mut from) = (0, 0);
        for (was, is) in old.text.graphemes(true).zip(new.text.graphemes(true)) {
            if was != is || from + columns(is) > old.cursor {
                break;
            }
            same += is.len();
            from += columns(is);
        }
        let mut written = BACK.repeat(old.cursor.saturating_sub(from));
        let rest = new.text.get(same..).unwrap_or_default();
        if old.text == new.text {
            // Only the cursor goes to the right.
            let mut at = from;
            let passed = rest.graphemes(true).take_while(|grapheme| {
                at += columns(grapheme);
                at <= new.cursor
            });
            written.extend(passed);
            return written;
        }
        written.push_str(rest);
        let blanks = columns(&old.text).saturating_sub(columns(&new.text));
        written.push_str(&" ".repeat(blanks));
        written.push_str(&BACK.repeat((columns(&new.text) + blanks).saturating_sub(new.cursor)));
        written
    }

    /// What must be written so that the row is empty.
    pub(super) fn clear(&mut self) -> String {
        let old = std::mem::take(&mut self.shown);
        if std::mem::take(&mut self.lost) {
            return "\r".to_owned();
        }
        if old.text.is_empty() { String::new() } else { format!("\r{}\r", " ".repeat(columns(&old.text))) }
    }

    /// Nobody knows any more what stands in the row: the shell had it, or it is still there.
    pub(super) fn forget(&mut self) {
        self.shown = Row::default();
        self.lost = true;
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_letter_at_the_end_costs_a_letter() {
        let mut prompt = Prompt::default();
        assert_eq!(prompt.change(Row::new("#a> ", "hell", 4, 80)), "#a> hell");
        assert_eq!(prompt.change(Row::new("#a> ", "hello", 5, 80)), "o");
        assert_eq!(prompt.change(Row::new("#a> ", "hello", 3, 80)), "\x08\x08");
        assert_eq!(prompt.change(Row::new("#a> ", "hello", 4, 80)), "l");
        assert_eq!(prompt.change(Row::new("#a> ", "helo", 3, 80)), "\x08o \x08\x08");
        assert_eq!(prompt.clear(), "\r        \r");
        assert_eq!(prompt.clear(), "");
        prompt.change(Row::new("#a> ", "hello", 5, 80));
        prompt.forget();
        assert_eq!(prompt.change(Row::new("#a> ", "hello", 4, 80)), "\r#a> hello\x08");
    }

    #[test]
    fn of_a_long_text_the_part_around_the_cursor_is_shown() {
        let row = Row::new("#a> ", "abcdefghij", 10, 10);
        assert!(row.text.ends_with('j') && columns(&row.text) < 10, "{row:?}");
        let row = Row::new("#a> ", "a\nb", 0, 10);
        assert_eq!((row.text.as_str(), row.cursor), ("#a> a⏎b", 4));
        // No terminal is too narrow to write in.
        for width in 0..6 {
            assert!(columns(&Row::new("#lobby> ", "漢字", 6, width).text) <= width.max(3));
        }
    }

    proptest! {
        #[test]
        fn the_terminal_shows_what_it_should(
            steps in proptest::collection::vec(("[a-c漢é ]{0,12}", 0_usize..13), 1..12),
        ) {
            let size = |size: u16| NonZero::new(size).unwrap();
            let mut terminal = vt100::Parser::new(size(3), size(40), 0);
            let mut prompt = Prompt::default();
            for (text, cursor) in steps {
                let cursor = text.char_indices().map(|(at, _)| at).nth(cursor).unwrap_or(text.len());
                let row = Row::new("#a> ", &text, cursor, 40);
                terminal.process(prompt.change(row.clone()).as_bytes());
                let shown = terminal.screen().contents();
                prop_assert_eq!(shown.trim_end(), row.text.trim_end());
                prop_assert_eq!(usize::from(terminal.screen().cursor_position().1), row.cursor);
            }
        }
    }
}
