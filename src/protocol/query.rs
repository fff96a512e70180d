//! The words of a search: what they mean, and where they stand in a text.
//!
//! Words stand by themselves or, between quotation marks, side by side; all of them must be there. A word that ends in
//! `*` means all that begin so. What is typed as one word and is several terms, as `foo_bar` or `你好`, is found as it is
//! typed: side by side.

use std::ops::Range;

use super::term::each_term;

/// What a search looks for. See [`parse`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms(Vec<Phrase>);

/// Terms that stand side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    terms: Vec<String>,
    is_prefix: bool,
}

impl Terms {
    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All that must be there.
    pub fn phrases(&self) -> &[Phrase] {
        &self.0
    }

    /// Whether all of it is in a text.
    pub fn are_in(&self, text: &str) -> bool {
        let words = words(text);
        self.0.iter().all(|phrase| phrase.places(&words).next().is_some())
    }

    /// Whether any of it is in a text.
    pub fn is_any_in(&self, text: &str) -> bool {
        let words = words(text);
        self.0.iter().any(|phrase| phrase.places(&words).next().is_some())
    }
}

impl Phrase {
    /// What is said, word for word; `None` if there is no word in it.
    pub fn exactly(text: &str) -> Option<Self> {
        let terms: Vec<String> = words(text).into_iter().map(|(_, term)| term).collect();
        (!terms.is_empty()).then_some(Self { terms, is_prefix: false })
    }

    /// Its terms: letters and digits, in small letters and without accents, and emoji.
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// Whether the last term may go on.
    pub fn is_prefix(&self) -> bool {
        self.is_prefix
    }

    /// Where it stands.
    fn places<'a>(&'a self, words: &'a [(Range<usize>, String)]) -> impl Iterator<Item = Range<usize>> + 'a {
        words.windows(self.terms.len().max(1)).filter_map(|window| {
            let is_same = window.iter().zip(&self.terms).enumerate().all(|(index, ((_, word), term))| {
                let may_go_on = self.is_prefix && index + 1 == self.terms.len();
                word == term || may_go_on && word.starts_with(term.as_str())
            });
            let ((first, _), (last, _)) = (window.first()?, window.last()?);
            is_same.then_some(first.start..last.end)
        })
    }
}

/// Reads the words of a search. A quotation mark that is not closed goes to the end. Nothing in it is an error; without a
/// letter, a digit or an emoji there is nothing to look for.
pub fn parse(text: &str) -> Terms {
    // Every other part stands in quotation marks.
    let parts = text.split(['"', '“', '”', '„']).enumerate();
    let phrases = parts.flat_map(|(index, part)| {
        let is_quoted = index % 2 == 1;
        let words: Vec<&str> = if is_quoted { vec![part] } else { part.split_whitespace().collect() };
        words.into_iter().filter_map(move |word| {
            let is_prefix = !is_quoted && word.ends_with('*');
            Phrase::exactly(word).map(|phrase| Phrase { is_prefix, ..phrase })
        })
    });
    Terms(phrases.collect())
}

/// Where any of the terms stands in a text, in order; what overlaps or touches is one.
pub fn find(text: &str, terms: &Terms) -> Vec<Range<usize>> {
    let words = words(text);
    let mut places: Vec<_> = terms.0.iter().flat_map(|phrase| phrase.places(&words)).collect();
    places.sort_unstable_by_key(|place| (place.start, place.end));
    let mut found: Vec<Range<usize>> = Vec::with_capacity(places.len());
    for place in places {
        match found.last_mut() {
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            _ => found.push(place),
        }
    }
    found
}

fn words(text: &str) -> Vec<(Range<usize>, String)> {
    let mut words = Vec::new();
    each_term(text, |place, term| words.push((place, term.to_owned())));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found<'a>(text: &'a str, query: &str) -> Vec<&'a str> {
        find(text, &parse(query)).into_iter().map(|place| &text[place]).collect()
    }

    fn read(query: &str) -> Vec<String> {
        let shown = |phrase: &Phrase| phrase.terms().join("+") + if phrase.is_prefix() { "*" } else { "" };
        parse(query).phrases().iter().map(shown).collect()
    }

    #[test]
    fn words_phrases_and_beginnings() {
        assert_eq!(
            read(r#"Did the "Build  pass" dep* foo_bar"#),
            ["did", "the", "build+pass", "dep*", "foo+bar"]
        );
        assert_eq!(read(r#"a"b c"#), ["a", "b+c"]);
        assert_eq!(read("“naïve plan” 你好 👍"), ["naive+plan", "你+好", "👍"]);
        assert_eq!(read(r#""no*" "" * ( ) AND"#), ["no", "and"]);
        assert!(parse("-- \"?!\" *").is_empty());
    }

    #[test]
    fn what_was_found_is_marked_as_it_is_written() {
        assert_eq!(found("The CAFÉ, the café!", "cafe"), ["CAFÉ", "café"]);
        assert_eq!(found("deploy deployed redeploy", "deploy*"), ["deploy", "deployed"]);
        assert_eq!(found("a b c a b", r#""a b""#), ["a b", "a b"]);
        assert_eq!(found("明日は会議です。会議室", "会議"), ["会議", "会議"]);
        assert_eq!(found("x y z", "x y"), ["x", "y"]);
        assert_eq!(found("哈哈哈", "哈"), ["哈哈哈"]);
        assert!(
            found("nothing", "else").is_empty() && found("", "x").is_empty() && found("x", "").is_empty()
        );
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_read(query in any::<String>(), text in any::<String>()) {
            let terms = parse(&query);
            for place in find(&text, &terms) {
                prop_assert!(text.get(place).is_some());
            }
            prop_assert_eq!(terms.is_any_in(&text), !find(&text, &terms).is_empty());
        }

        #[test]
        fn a_text_has_its_own_words(text in "[a-zß你好がé ,.]{0,40}") {
            prop_assert!(parse(&text).are_in(&text));
        }
    }
}
