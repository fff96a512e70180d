//! Finding names by a few of their letters, which may stand apart.

use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use unicode_segmentation::UnicodeSegmentation;

/// What is looked for: words, all of which must be found.
pub(super) struct Fuzzy {
    matcher: Matcher,
    atoms: Vec<Atom>,
}

impl Fuzzy {
    /// Looks for these words.
    pub(super) fn new(wanted: &str) -> Self {
        let mut config = Config::DEFAULT;
        config.prefer_prefix = true;
        let atom = |word| Atom::new(word, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy, false);
        Self { matcher: Matcher::new(config), atoms: wanted.split_whitespace().map(atom).collect() }
    }

    /// How well a name fits all that is looked for, more is better, and which of its graphemes do.
    pub(super) fn fit(&mut self, name: &str) -> Option<(u32, Vec<usize>)> {
        let letters = letters(name);
        let mut score = 0;
        let mut places = Vec::new();
        for atom in &self.atoms {
            let fits = atom.indices(Utf32Str::Unicode(&letters), &mut self.matcher, &mut places)?;
            score += u32::from(fits);
        }
        let mut marks: Vec<usize> =
            places.into_iter().filter_map(|place| usize::try_from(place).ok()).collect();
        marks.sort_unstable();
        marks.dedup();
        Some((score, marks))
    }
}

/// The first letter of each grapheme, in lower case: what is found is a place that can be drawn.
pub(super) fn letters(text: &str) -> Vec<char> {
    let firsts = text.graphemes(true).filter_map(|grapheme| grapheme.chars().next());
    firsts.map(|letter| letter.to_lowercase().next().unwrap_or(letter)).collect()
}
