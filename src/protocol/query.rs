//! The words of a search: what they are, and where they stand in a text.

use std::ops::Range;

/// What is looked for: words, and phrases that stood in quotation marks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    words: Vec<String>,
}

/// Reads the words and "phrases" of a search. A quotation mark that is not closed reaches to the end.
pub fn parse(text: &str) -> Terms {
    let mut words = Vec::new();
    for (place, part) in text.split('"').enumerate() {
        if place % 2 == 1 {
            words.push(part.trim().to_lowercase());
        } else {
            words.extend(part.split_whitespace().map(|word| word.trim_end_matches('*').to_lowercase()));
        }
    }
    words.retain(|word| !word.is_empty());
    Terms { words }
}

/// Where the words stand in `text`, capitals aside: in order, and none within another.
pub fn find(text: &str, terms: &Terms) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let Some(c) = rest.chars().next() else { break };
        let longest = terms.words.iter().filter_map(|word| spelled(rest, word)).max();
        if let Some(length) = longest {
            found.push(at..at + length);
        }
        at += longest.unwrap_or(c.len_utf8());
    }
    found
}

/// Bytes at the start of `text` that spell `word`, which is in small letters.
fn spelled(text: &str, word: &str) -> Option<usize> {
    let mut wanted = word.chars();
    let mut next = wanted.next();
    let mut length = 0;
    for c in text.chars() {
        if next.is_none() {
            break;
        }
        for lower in c.to_lowercase() {
            if next != Some(lower) {
                return None;
            }
            next = wanted.next();
        }
        length += c.len_utf8();
    }
    (next.is_none() && length > 0).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_phrases_are_found_where_they_stand() {
        let text = "The build passed. the Build";
        assert_eq!(find(text, &parse("build")), [4..9, 22..27]);
        assert_eq!(find(text, &parse("\"the build\"")), [0..9, 18..27]);
        assert_eq!(find("漢字とかな字", &parse("字")), [3..6, 15..18]);
        assert_eq!(find(text, &parse("bui*")), [4..7, 22..25]);
        assert!(find(text, &parse("  ")).is_empty());
    }
}
