//! Which entries fit a few letters, and which of them fit best.

use std::cmp::Reverse;

use unicode_segmentation::UnicodeSegmentation;

use super::{Entry, Target};
use crate::client::tui::fuzzy::{Fuzzy, letters};

/// How well an entry fits; less is better.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    tier: Tier,
    /// It is not called exactly so.
    inexact: bool,
    score: Reverse<u32>,
    recency: Reverse<i64>,
    /// Of names that fit alike, the shorter one is more of what was typed.
    length: usize,
}

/// What of an entry fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tier {
    Name,
    /// What is said of it.
    Words,
    /// Nothing is there yet that is called so.
    Made,
}

/// Those entries that fit what is `wanted`, the best first, with what fits marked. In a name letters may stand apart; in
/// a sentence, where a few letters are found anywhere, words must begin with what was typed.
pub(super) fn rank(entries: Vec<Entry>, wanted: &str) -> Vec<Entry> {
    let mut search = Search {
        names: Fuzzy::new(wanted),
        words: wanted.split_whitespace().map(letters).collect(),
        wanted: wanted.to_lowercase(),
    };
    let mut found: Vec<(Fit, Entry)> = entries.into_iter().filter_map(|entry| search.fit(entry)).collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found.into_iter().map(|(_, entry)| entry).collect()
}

struct Search {
    names: Fuzzy,
    words: Vec<Vec<char>>,
    wanted: String,
}

impl Search {
    fn fit(&mut self, mut entry: Entry) -> Option<(Fit, Entry)> {
        let (tier, score) = match entry.target {
            Target::Action(_) => {
                let (score, marks) = self.in_sentence(&entry.shown)?;
                entry.marks = marks;
                (Tier::Words, score)
            }
            Target::Make(_) => (Tier::Made, 0),
            _ => self
                .in_names(&mut entry)
                .or_else(|| self.in_sentence(&entry.note).map(|(score, _)| (Tier::Words, score)))?,
        };
        let is_called = |name: &str| name.to_lowercase() == self.wanted;
        let inexact = !is_called(bare(&entry.shown)) && !entry.also.iter().any(|name| is_called(name));
        let (recency, length) = (Reverse(entry.recency), entry.shown.len());
        Some((Fit { tier, inexact, score: Reverse(score), recency, length }, entry))
    }

    /// How well the names of an entry fit. What fits is marked in the one that is shown.
    fn in_names(&mut self, entry: &mut Entry) -> Option<(Tier, u32)> {
        let sign = entry.shown.graphemes(true).count() - bare(&entry.shown).graphemes(true).count();
        let shown = self.names.fit(bare(&entry.shown));
        // Another name is not what one sees: it fits a little less.
        let also = entry.also.iter().filter_map(|name| Some((self.names.fit(name)?.0 / 4 * 3, *name)));
        let also = also.max_by_key(|(score, _)| *score);
        match (shown, also) {
            (Some((score, marks)), also) if also.is_none_or(|(other, _)| other <= score) => {
                entry.marks = marks.into_iter().map(|place| place + sign).collect();
                Some((Tier::Name, score))
            }
            (_, Some((score, name))) => {
                entry.note = format!("or /{name}: {}", entry.note);
                Some((Tier::Name, score))
            }
            (_, None) => None,
        }
    }

    /// How early words of a sentence begin with each word that was typed, and which of its graphemes that are.
    fn in_sentence(&self, sentence: &str) -> Option<(u32, Vec<usize>)> {
        let letters = letters(sentence);
        let mut marks = Vec::new();
        for word in &self.words {
            let begins = |place: &usize| {
                // What is written without spaces has no such beginnings.
                let is_beginning = *place == 0
                    || letters.get(place - 1).is_some_and(|before| !before.is_alphanumeric())
                    || word.first().is_some_and(|letter| !letter.is_ascii());
                is_beginning && letters.get(*place..).is_some_and(|rest| rest.starts_with(word))
            };
            let place = (0..letters.len()).find(begins)?;
            marks.extend(place..place + word.len());
        }
        marks.sort_unstable();
        marks.dedup();
        let first = marks.first().and_then(|place| u32::try_from(*place).ok()).unwrap_or(u32::MAX);
        Some((u32::MAX - first, marks))
    }
}

/// A name without the sign before it, which nobody types.
fn bare(name: &str) -> &str {
    name.trim_start_matches(['#', '@', '/'])
}
