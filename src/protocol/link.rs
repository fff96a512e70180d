//! Where the addresses of the web stand in a text.

use std::ops::Range;

/// What an address begins with, in capitals or not. Others are not shown as links: a client may have to open them.
const SCHEMES: [&str; 5] = ["http://", "https://", "ftp://", "mailto:", "parlor://"];

/// The addresses in a text, in order. What ends a sentence is not part of one, and neither is a bracket that was opened
/// before it.
pub fn links(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    while let Some(colon) = text[from..].find(':').map(|at| from + at) {
        from = colon + 1;
        let start = text[..colon].rfind(|c: char| !c.is_ascii_alphanumeric());
        let start = start.map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
        if found.last().is_some_and(|last| start < last.end) {
            continue;
        }
        let begins = |scheme: &&&str| {
            text.get(start..start + scheme.len()).is_some_and(|said| said.eq_ignore_ascii_case(scheme))
        };
        let Some(scheme) = SCHEMES.iter().find(begins) else { continue };
        let body = start + scheme.len();
        let end = body + text[body..].find(ends).unwrap_or(text.len() - body);
        let end = body + trimmed(&text[body..end]).len();
        let first = text[body..end].chars().next();
        if first.is_some_and(|c| c.is_alphanumeric() || c == '[') {
            found.push(start..end);
            from = end;
        }
    }
    found
}

/// What no address has in it.
fn ends(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '"' | '`' | '|' | '\\' | '^' | '\u{FFFD}')
        // Brackets, stops and quotation marks of East Asia, and typographic quotation marks.
        || matches!(c, '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{FF01}'..='\u{FF0F}' | '\u{FF1A}'..='\u{FF1F}')
        || matches!(c, '“' | '”' | '„' | '«' | '»')
}

/// Without what belongs to the sentence around it.
fn trimmed(mut address: &str) -> &str {
    // Counted once: a text may be nothing but brackets.
    let mut unopened = BRACKETS
        .map(|(open, close)| address.matches(close).count().saturating_sub(address.matches(open).count()));
    while let Some(last) = address.chars().next_back() {
        let bracket = BRACKETS.iter().zip(&mut unopened).find(|((_, close), _)| *close == last);
        let is_around = match (bracket, last) {
            (Some((_, unopened)), _) => {
                let is_unopened = *unopened > 0;
                *unopened = unopened.saturating_sub(1);
                is_unopened
            }
            (None, '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | '…' | '’') => true,
            (None, _) => false,
        };
        if !is_around {
            break;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address
}

/// What may stand around an address, and within one.
const BRACKETS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &str) -> Vec<&str> {
        links(text).into_iter().map(|place| &text[place]).collect()
    }

    #[test]
    fn an_address_ends_where_the_sentence_goes_on() {
        for (text, address) in [
            ("see https://a.example/x.", "https://a.example/x"),
            ("(http://a.example/b_(c))", "http://a.example/b_(c)"),
            ("[x](https://a.example/y), or", "https://a.example/y"),
            ("<HTTPS://A.example>", "HTTPS://A.example"),
            ("看http://a.example/路。好", "http://a.example/路"),
            ("**https://a.example/?q=1&r=2#f**!", "https://a.example/?q=1&r=2#f"),
            ("http://[::1]:80/", "http://[::1]:80/"),
            ("write to mailto:a@b.example?", "mailto:a@b.example"),
            ("http://a.example:8080/http://b.example", "http://a.example:8080/http://b.example"),
        ] {
            assert_eq!(found(text), [address], "{text}");
        }
        assert_eq!(found("http://a.example and http://b.example"), ["http://a.example", "http://b.example"]);
    }

    #[test]
    fn what_only_looks_so_is_none() {
        for text in [
            "",
            "http://",
            "https:// x",
            "xhttp://a",
            "note: this",
            "javascript://a",
            "://",
            "http://...",
            "a:b:c",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in any::<String>(), tail in "[ -~é。]{0,30}") {
            let text = format!("{text}http://{tail}");
            let mut end = 0;
            for place in links(&text) {
                prop_assert!(place.start >= end && !text[place.clone()].is_empty());
                end = place.end;
            }
        }
    }
}
