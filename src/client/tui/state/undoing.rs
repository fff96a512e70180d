//! What a text was before each change, and what it was before that was undone.

use std::collections::VecDeque;

/// States that can be gone back to.
const STEPS: usize = 200;

/// Bytes that they may have together: a few screens of text, changed for an afternoon.
const BYTES: usize = 2 * 1024 * 1024;

/// A text and the cursor in it.
type Moment = (String, usize);

/// The way back and the way forth.
#[derive(Clone, Debug, Default)]
pub(super) struct Undoing {
    /// The oldest first.
    before: VecDeque<Moment>,
    /// The next one last.
    after: Vec<Moment>,
    /// Of both.
    bytes: usize,
}

impl Undoing {
    /// The text is about to be changed: this can be gone back to, and what was undone is over.
    pub(super) fn remember(&mut self, text: &str, cursor: usize) {
        let over: usize = self.after.drain(..).map(|(text, _)| text.len()).sum();
        self.bytes -= over;
        self.bytes += text.len();
        self.before.push_back((text.to_owned(), cursor));
        while self.before.len() > STEPS || (self.bytes > BYTES && self.before.len() > 1) {
            self.bytes -= self.before.pop_front().map_or(0, |(text, _)| text.len());
        }
    }

    /// What it was before this.
    pub(super) fn back(&mut self, text: &str, cursor: usize) -> Option<Moment> {
        let moment = self.before.pop_back()?;
        self.bytes = self.bytes + text.len() - moment.0.len();
        self.after.push((text.to_owned(), cursor));
        Some(moment)
    }

    /// What it was before that was undone.
    pub(super) fn forth(&mut self, text: &str, cursor: usize) -> Option<Moment> {
        let moment = self.after.pop()?;
        self.bytes = self.bytes + text.len() - moment.0.len();
        self.before.push_back((text.to_owned(), cursor));
        Some(moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_remembered_less_often() {
        let mut undoing = Undoing::default();
        let text = "x".repeat(BYTES / 4);
        for cursor in 0..10 {
            undoing.remember(&text, cursor);
        }
        assert_eq!(undoing.before.len(), 4);
        let cursors: Vec<usize> =
            std::iter::from_fn(|| undoing.back("", 0)).map(|(_, cursor)| cursor).collect();
        assert_eq!(cursors, [9, 8, 7, 6]);
        assert_eq!(undoing.bytes, 0);
        let mut undoing = Undoing::default();
        for cursor in 0..2 * STEPS {
            undoing.remember("", cursor);
        }
        assert_eq!(undoing.before.len(), STEPS);
    }
}
