//! Completing a word: what it could become, and which of these is shown.

use std::ops::Range;

use crate::protocol::emoji;

/// Letters of an emoji's name from which on it is looked for.
const EMOJI_FROM: usize = 2;

/// Emoji that are offered: more than anyone steps through.
const EMOJI_OFFERED: usize = 40;

/// What a word could become: offered, or under way.
#[derive(Debug)]
pub struct Completion {
    /// Where in the input the word stands, as it is now.
    pub(crate) range: Range<usize>,
    /// The word as it was typed.
    pub(crate) typed: String,
    /// The word as it is now.
    pub(crate) now: String,
    /// What it could become, the likeliest first; at least one.
    pub(crate) candidates: Vec<Candidate>,
    /// Which of these it is now; `None`: they are only offered.
    pub(crate) chosen: Option<usize>,
    /// The arrows went there: then Enter takes it, and does not send yet.
    pub(crate) by_arrows: bool,
}

impl Completion {
    /// These are offered for a word of the input.
    pub(crate) fn offered(text: &str, range: Range<usize>, candidates: Vec<Candidate>) -> Self {
        let typed = text.get(range.clone()).unwrap_or_default().to_owned();
        Self { range, now: typed.clone(), typed, candidates, chosen: None, by_arrows: false }
    }

    /// Whether the word still stands in the input.
    pub(crate) fn is_of(&self, text: &str) -> bool {
        text.get(self.range.clone()) == Some(self.now.as_str())
    }
}

/// One thing that a word could become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// As a list shows it.
    pub(crate) shown: String,
    /// What is written in the place of the word.
    pub(crate) written: String,
    /// What there is to know about it; sanitised, since a list shows it.
    pub(crate) about: String,
}

/// Whether the text ends within code, where words stay what they are.
pub(crate) fn is_in_code(text: &str) -> bool {
    text.matches('`').count() % 2 == 1
}

/// The word at the cursor: from the last white space up to it.
pub(crate) fn word(text: &str, cursor: usize) -> Range<usize> {
    let before = &text[..cursor];
    let start = before.char_indices().rev().find(|(_, c)| c.is_whitespace());
    start.map_or(0, |(at, c)| at + c.len_utf8())..cursor
}

/// The emoji whose name is begun at the cursor, as in `:ta`, and where that stands. Not in code, where it stays what it is.
pub(crate) fn emoji(text: &str, cursor: usize) -> Option<(Range<usize>, Vec<Candidate>)> {
    let before = text.get(..cursor)?;
    let colon = before.rfind(':')?;
    let (earlier, stem) = (&before[..colon], &before[colon + 1..]);
    // "std::io" and "10:30" are something else.
    let begins = !earlier.ends_with(|c: char| c.is_alphanumeric() || c == ':');
    if stem.len() < EMOJI_FROM || !stem.chars().all(emoji::is_in_name) || !begins || is_in_code(earlier) {
        return None;
    }
    let found = emoji::beginning(&stem.to_ascii_lowercase()).into_iter().take(EMOJI_OFFERED);
    let candidates: Vec<Candidate> = found
        .map(|(name, emoji)| Candidate {
            shown: format!("{emoji} {name}"),
            written: emoji.to_owned(),
            ..Candidate::default()
        })
        .collect();
    (!candidates.is_empty()).then_some((colon..cursor, candidates))
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
    fn an_emoji_is_found_by_the_beginning_of_its_name() {
        let (range, candidates) = emoji("done (:Tad", 10).unwrap();
        assert_eq!((range, candidates[0].written.as_str()), (6..10, "🎉"));
        assert!(emoji(":ta and", 3).is_some());
        assert!(emoji("`a` :ta", 7).is_some());
        for text in ["", ":", ":t", "std::io", "10:30", "http://ta", "`:ta", ":zzzz", ": ta"] {
            assert_eq!(emoji(text, text.len()), None, "{text}");
        }
    }

    #[test]
    fn order_and_capitals_are_left_to_the_caller() {
        assert_eq!(matching(["Bob", "alice", "bo", "Bob"].into_iter(), "b"), ["Bob", "bo"]);
    }
}
