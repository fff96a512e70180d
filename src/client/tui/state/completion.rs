//! Completing a word: what it could become, and which of these is shown.

use std::ops::Range;

/// A completion that is under way.
#[derive(Debug)]
pub struct Completion {
    /// Where in the input the word stands, as it is now.
    pub(crate) range: Range<usize>,
    /// What it could become, the likeliest first.
    pub(crate) candidates: Vec<Candidate>,
    /// Which of these it is now.
    pub(crate) chosen: usize,
}

/// One thing that a word could become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// As a list shows it.
    pub(crate) shown: String,
    /// What is written in the place of the word.
    pub(crate) written: String,
}

/// The word at the cursor: from the last white space up to it.
pub(crate) fn word(text: &str, cursor: usize) -> Range<usize> {
    let before = &text[..cursor];
    let start = before.char_indices().rev().find(|(_, c)| c.is_whitespace());
    start.map_or(0, |(at, c)| at + c.len_utf8())..cursor
}

/// Those of `names` that begin with `stem`, capitals aside, in their order and each once.
pub(crate) fn matching<'a>(names: impl Iterator<Item = &'a str>, stem: &str) -> Vec<&'a str> {
    let stem = stem.to_lowercase();
    let mut found: Vec<&str> = Vec::new();
    for name in names {
        if name.to_lowercase().starts_with(&stem) && !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_ends_at_the_cursor() {
        assert_eq!(word("hi al there", 5), 3..5);
        assert_eq!(word("", 0), 0..0);
        assert_eq!(word("你好\u{3000}李", 12), 9..12);
    }

    #[test]
    fn order_and_capitals_are_left_to_the_caller() {
        assert_eq!(matching(["Bob", "alice", "bo", "Bob"].into_iter(), "b"), ["Bob", "bo"]);
    }
}
