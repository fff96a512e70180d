//! Links in a text: addresses that begin with `http://`, `https://`, `mailto:` or `parlor://`.

use std::ops::Range;

use super::invite::SCHEME;

/// What a link begins with, in capitals or not.
const SCHEMES: [&str; 4] = ["http://", "https://", "mailto:", SCHEME];

/// Where the links of a text are, in bytes, from the first to the last, none within another.
///
/// A link ends at white space, at quotes, angle brackets and backticks, and at the punctuation of Chinese and
/// Japanese, which stands behind a link without a space. The stop or the bracket that closes the sentence around it
/// is not part of it.
pub fn links(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(colon) = text[from..].find(':').map(|at| from + at) {
        match link_at(text, from, colon) {
            Some(link) => {
                from = link.end;
                found.push(link);
            }
            None => from = colon + 1,
        }
    }
    found
}

/// The link with its scheme's colon at `colon`, if it begins at `from` or behind it.
fn link_at(text: &str, from: usize, colon: usize) -> Option<Range<usize>> {
    let (start, scheme) = SCHEMES.iter().find_map(|scheme| {
        let start = colon.checked_sub(scheme.find(':')?)?;
        let said = text.get(start..start + scheme.len())?;
        (start >= from && said.eq_ignore_ascii_case(scheme)).then_some((start, scheme))
    })?;
    // "xhttp://" is another scheme.
    if text[..start].ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    let body = start + scheme.len();
    if !text[body..].starts_with(|c: char| c.is_alphanumeric() || c == '[') {
        return None;
    }
    let link = text[body..].split(ends_a_link).next().unwrap_or_default();
    // The address of another link, of which this is the label.
    let link = link.split("](").next().unwrap_or_default();
    Some(start..body + without_the_sentence(link))
}

fn ends_a_link(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '"' | '`' | '\u{FFFD}')
        || matches!(
            c,
            '\u{3000}'
                ..='\u{301F}'
                    | '\u{FF01}'
                    | '\u{FF08}'
                    | '\u{FF09}'
                    | '\u{FF0C}'
                    | '\u{FF1A}'
                    | '\u{FF1B}'
                    | '\u{FF1F}'
        )
        || matches!(c, '“' | '”' | '„' | '«' | '»')
}

/// Bytes of a link without what belongs to the sentence that it stands in.
fn without_the_sentence(link: &str) -> usize {
    let mut open = [0_isize; 3];
    let bracket = |c: char| match c {
        '(' | ')' => Some(0),
        '[' | ']' => Some(1),
        '{' | '}' => Some(2),
        _ => None,
    };
    for c in link.chars() {
        if let Some(count) = bracket(c).and_then(|kind| open.get_mut(kind)) {
            *count += if matches!(c, '(' | '[' | '{') { 1 } else { -1 };
        }
    }
    let mut end = link.len();
    for (at, c) in link.char_indices().rev() {
        // A bracket that closes what was opened outside.
        let closes = bracket(c).and_then(|kind| open.get_mut(kind)).filter(|_| matches!(c, ')' | ']' | '}'));
        match closes {
            Some(count) if *count < 0 => *count += 1,
            Some(_) => break,
            None if matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '~' | '…' | '’' | '|') =>
                {}
            None => break,
        }
        end = at;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &str) -> Vec<&str> {
        links(text).into_iter().map(|link| &text[link]).collect()
    }

    #[test]
    fn a_link_ends_where_its_sentence_goes_on() {
        for (text, expected) in [
            ("see https://example.org/a?b=c#d.", &["https://example.org/a?b=c#d"][..]),
            ("(http://a.b/c)", &["http://a.b/c"]),
            (
                "https://en.wikipedia.org/wiki/Rust_(language)",
                &["https://en.wikipedia.org/wiki/Rust_(language)"],
            ),
            ("(see https://a.b/c_(d)), ok", &["https://a.b/c_(d)"]),
            ("[x](https://a.b/c)", &["https://a.b/c"]),
            ("[https://a.b](https://c.d)", &["https://a.b", "https://c.d"]),
            ("<https://a.b>, \"https://c.d\"", &["https://a.b", "https://c.d"]),
            ("看https://a.b/c。好", &["https://a.b/c"]),
            ("https://a.b/,https://c.d", &["https://a.b/,https://c.d"]),
            ("HTTPS://A.B mailto:me@a.b parlor://a.b:1", &["HTTPS://A.B", "mailto:me@a.b", "parlor://a.b:1"]),
            ("http://[::1]:80/", &["http://[::1]:80/"]),
            ("**https://a.b/c**", &["https://a.b/c"]),
            ("", &[]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_link_is_none() {
        for text in [
            "http://",
            "https:// a",
            "xhttp://a.b",
            "a:b",
            "ftp://a.b",
            "javascript:alert(1)",
            "http:///etc",
            "file:///etc",
        ] {
            assert!(links(text).is_empty(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn links_are_in_order_and_without_white_space(
            text in "(http://|https://|mailto:|[a-c.:/()*]{1,3}|\\PC| |\n){0,30}",
        ) {
            let mut end = 0;
            for link in links(&text) {
                prop_assert!(end <= link.start && link.start < link.end);
                prop_assert!(!text[link.clone()].contains(char::is_whitespace));
                end = link.end;
            }
        }
    }
}
