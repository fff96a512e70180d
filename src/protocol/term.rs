//! What counts as one word where texts are searched. The index and whoever marks what was found go by this alone, so they
//! agree.
//!
//! A term is a run of letters and digits, in small letters and without accents: "Café" is `cafe`. Scripts that are written
//! without spaces have no such runs: there each character is a term of its own, and so is each emoji.

use std::ops::Range;

use caseless::Caseless as _;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use super::limits::TERM_BYTES;

/// Gives each term of a text, and where it stands, to `each`.
pub fn each_term(text: &str, mut each: impl FnMut(Range<usize>, &str)) {
    let mut word = Word::default();
    for (start, c) in text.char_indices() {
        let end = start + c.len_utf8();
        match kind(c) {
            Kind::Part => word.add(start, end, c),
            Kind::Alone => {
                word.finish(&mut each);
                word.add(start, end, c);
                word.finish(&mut each);
            }
            Kind::Silent => word.end = end,
            Kind::Between => word.finish(&mut each),
        }
    }
    word.finish(&mut each);
}

/// What a character is to the words around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Part of a word.
    Part,
    /// A term by itself.
    Alone,
    /// Changes nothing: an accent, a joiner.
    Silent,
    /// Ends a word.
    Between,
}

fn kind(c: char) -> Kind {
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() { Kind::Part } else { Kind::Between };
    }
    let is_letter = || c.is_alphanumeric() || is_combining_mark(c);
    if is_silent(c) {
        Kind::Silent
    } else if is_emoji(c) || is_unspaced(c) && is_letter() {
        Kind::Alone
    } else if is_letter() {
        Kind::Part
    } else {
        Kind::Between
    }
}

/// Accents and points that people leave out when they type, and what shows nothing. Not the signs of Indic scripts, which are
/// marks too: without them other words are left.
fn is_silent(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}'
        | '\u{FE20}'..='\u{FE2F}'
        // Hebrew and Arabic points, and the stroke that makes an Arabic word longer.
        | '\u{591}'..='\u{5BD}' | '\u{5BF}' | '\u{5C1}' | '\u{5C2}' | '\u{5C4}' | '\u{5C5}' | '\u{5C7}'
        | '\u{64B}'..='\u{65F}' | '\u{670}' | '\u{640}'
        // Voicing marks apart from their kana.
        | '\u{3099}' | '\u{309A}' | '\u{FF9E}' | '\u{FF9F}'
        | '\u{200C}'..='\u{200F}' | '\u{061C}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0000}'..='\u{E01EF}')
}

/// Scripts that are written without spaces; Korean has them, and yet its words are looked for by their parts.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        // Thai and Lao, Burmese, Khmer.
        '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}'
        // Hangul.
        | '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}'
        // Kana.
        | '\u{3040}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{FF66}'..='\u{FFDC}'
        // Han, and the signs that repeat and abbreviate it.
        | '\u{3005}'..='\u{3007}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}')
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27BF}' | '\u{1F000}'..='\u{1FAFF}')
}

/// A word that is being read.
#[derive(Default)]
struct Word {
    start: usize,
    end: usize,
    term: String,
}

impl Word {
    fn add(&mut self, start: usize, end: usize, c: char) {
        if self.term.is_empty() {
            self.start = start;
        }
        self.end = end;
        if c.is_ascii() {
            self.term.push(c.to_ascii_lowercase());
        } else if is_emoji(c)
            || matches!(c, '\u{1100}'..='\u{11FF}' | '\u{3040}'..='\u{30FF}' | '\u{AC00}'..='\u{D7FF}')
        {
            // As they are: taken apart, a syllable would be three letters, and a voiced kana another one.
            self.term.push(c);
        } else {
            let term = &mut self.term;
            decompose_compatible(c, |part| {
                let folded = std::iter::once(part).default_case_fold();
                term.extend(
                    folded.filter(|c| c.is_alphanumeric() || is_combining_mark(*c) && !is_silent(*c)),
                );
            });
        }
    }

    fn finish(&mut self, each: &mut impl FnMut(Range<usize>, &str)) {
        if !self.term.is_empty() {
            self.term.truncate(self.term.floor_char_boundary(TERM_BYTES));
            each(self.start..self.end, &self.term);
            self.term.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn terms(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        each_term(text, |_, term| all.push(term.to_owned()));
        all
    }

    #[test]
    fn capitals_and_accents_make_no_difference() {
        assert_eq!(terms("Café CAFE\u{301} cafe"), ["cafe", "cafe", "cafe"]);
        assert_eq!(
            terms("Straße STRASSE Ｗｉｄｅ ΣΊΣΥΦΟΣ σίσυφος"),
            ["strasse", "strasse", "wide", "σισυφοσ", "σισυφοσ"]
        );
        assert_eq!(terms("שָׁלוֹם שלום"), ["שלום", "שלום"]);
    }

    #[test]
    fn words_end_at_what_is_no_letter() {
        assert_eq!(terms("don't foo_bar, bob.js (x-1)"), ["don", "t", "foo", "bar", "bob", "js", "x", "1"]);
    }

    #[test]
    fn signs_that_make_another_word_stay() {
        assert_ne!(terms("की"), terms("का"));
        assert_eq!(terms("می\u{200C}خواهم"), terms("میخواهم"));
    }

    #[test]
    fn scripts_without_spaces_are_taken_apart() {
        assert_eq!(terms("你好rust世界"), ["你", "好", "rust", "世", "界"]);
        assert_eq!(terms("がくｶ 한국"), ["が", "く", "カ", "한", "국"]);
        assert_eq!(terms("ok👍🏽!"), ["ok", "👍", "🏽"]);
    }

    proptest! {
        /// What SQLite's tokenizer, which knows ASCII alone, leaves in one piece.
        #[test]
        fn a_term_is_one_short_word(text in any::<String>()) {
            let mut end = 0;
            each_term(&text, |range, term| {
                assert!(!term.is_empty() && term.len() <= TERM_BYTES);
                assert!(term.chars().all(|c| !c.is_ascii() || c.is_ascii_alphanumeric()), "{term:?}");
                assert!(range.start >= end && text.get(range.clone()).is_some());
                end = range.end;
            });
        }
    }
}
