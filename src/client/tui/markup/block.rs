//! A message as lines of text and blocks of code.

use crate::protocol::code::Fence;

/// Quotes within quotes that are shown as such; what is deeper is shown as it was typed.
const DEEPEST_QUOTE: usize = 3;

/// Columns of the deepest indent of a list.
const DEEPEST_INDENT: usize = 8;

/// Digits of the longest number of a list. What is longer is no place in a list.
const DIGITS: usize = 3;

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block<'a> {
    /// Between fences.
    Code { language: &'a str, text: &'a str },
    /// One line.
    Line {
        /// How deep it is quoted.
        quotes: usize,
        /// The spaces before the mark of a list; elsewhere they are part of the text.
        indent: &'a str,
        mark: Mark<'a>,
        text: &'a str,
    },
}

/// What makes a line part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark<'a> {
    None,
    Dot,
    /// A number as it was typed, with its stop or bracket.
    Number(&'a str),
}

/// Reads the lines of a message.
pub(super) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut rest = Some(text);
    while let Some(from) = rest {
        let (line, after) = split_line(from);
        let Some(fence) = Fence::opens(line) else {
            blocks.push(self::line(line));
            rest = after;
            continue;
        };
        // What is never closed goes to the end.
        let code = after.unwrap_or_default();
        let mut end = 0;
        rest = None;
        let mut inside = after;
        while let Some(from) = inside {
            let (line, after) = split_line(from);
            if fence.is_closed_by(line) {
                rest = after;
                break;
            }
            end = code.len() - from.len() + line.len();
            inside = after;
        }
        blocks.push(Block::Code { language: fence.language, text: code.get(..end).unwrap_or_default() });
    }
    blocks
}

fn split_line(text: &str) -> (&str, Option<&str>) {
    text.split_once('\n').map_or((text, None), |(line, rest)| (line, Some(rest)))
}

fn line(line: &str) -> Block<'_> {
    let mut text = line;
    let mut quotes = 0;
    while quotes < DEEPEST_QUOTE
        && let Some(rest) = quoted(text)
    {
        quotes += 1;
        text = rest;
    }
    let unindented = text.trim_start_matches(' ');
    let indent = &text[..text.len() - unindented.len()];
    match mark(unindented).filter(|_| indent.len() <= DEEPEST_INDENT) {
        Some((mark, text)) => Block::Line { quotes, indent, mark, text },
        None => Block::Line { quotes, indent: "", mark: Mark::None, text },
    }
}

/// What a line quotes. ">_<" is a face, and no quote.
fn quoted(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('>')?;
    match rest.strip_prefix(' ') {
        Some(text) => Some(text),
        None => (rest.is_empty() || quoted_further(rest)).then_some(rest),
    }
}

/// Whether all that stands between the start of a line and its first space are signs of quotes.
fn quoted_further(rest: &str) -> bool {
    let signs = rest.len() - rest.trim_start_matches('>').len();
    (1..DEEPEST_QUOTE).contains(&signs) && matches!(rest.as_bytes().get(signs), None | Some(b' '))
}

/// The mark of a list, and the text behind it.
fn mark(line: &str) -> Option<(Mark<'_>, &str)> {
    let item = |rest: &'_ str| !rest.trim_start().is_empty();
    if let Some(rest) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
        return item(rest).then_some((Mark::Dot, rest));
    }
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let behind = line.get(digits + 1..)?;
    let numbered = (1..=DIGITS).contains(&digits) && matches!(line.as_bytes().get(digits), Some(b'.' | b')'));
    let rest = behind.strip_prefix(' ').filter(|rest| numbered && item(rest))?;
    Some((Mark::Number(&line[..=digits]), rest))
}

/// Whether a line is a heading: shown bold, and otherwise as it was typed.
pub(super) fn is_heading(line: &str) -> bool {
    let rest = line.trim_start_matches('#');
    let signs = line.len() - rest.len();
    (1..=6).contains(&signs) && rest.starts_with(' ') && !rest.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Block<'_> {
        let mut blocks = blocks(text);
        assert_eq!(blocks.len(), 1, "{text}");
        blocks.remove(0)
    }

    fn text(text: &str) -> Block<'_> {
        Block::Line { quotes: 0, indent: "", mark: Mark::None, text }
    }

    #[test]
    fn code_stands_between_fences() {
        let code = |language, text| Block::Code { language, text };
        assert_eq!(
            blocks("so:\n```rust\nfn a() {}\n\n  b\n```\nok"),
            [text("so:"), code("rust", "fn a() {}\n\n  b"), text("ok")]
        );
        assert_eq!(only("```\nnever closed\n"), code("", "never closed\n"));
        assert_eq!(only("````\n```\n````"), code("", "```"));
        assert_eq!(only("```\n```"), code("", ""));
        assert_eq!(only("```"), code("", ""));
        assert_eq!(only("```a```"), text("```a```"));
        assert_eq!(blocks("```what a mess\nb").len(), 2);
    }

    #[test]
    fn quotes_are_no_faces() {
        let quote = |quotes, text| Block::Line { quotes, indent: "", mark: Mark::None, text };
        assert_eq!(only("> so"), quote(1, "so"));
        assert_eq!(only(">> so"), quote(2, "so"));
        assert_eq!(only("> > so"), quote(2, "so"));
        assert_eq!(only(">"), quote(1, ""));
        assert_eq!(only("> > > > so"), quote(3, "> so"));
        for typed in [">_<", ">:(", ">.<", "a > b", ">>=", ">>>> x"] {
            assert_eq!(only(typed), text(typed), "{typed}");
        }
    }

    #[test]
    fn lists_have_marks_and_texts() {
        let item = |indent, mark, text| Block::Line { quotes: 0, indent, mark, text };
        assert_eq!(only("- so"), item("", Mark::Dot, "so"));
        assert_eq!(only("  * so"), item("  ", Mark::Dot, "so"));
        assert_eq!(only("12) so"), item("", Mark::Number("12)"), "so"));
        assert_eq!(
            only("> 1. so"),
            Block::Line { quotes: 1, indent: "", mark: Mark::Number("1."), text: "so" }
        );
        for typed in
            ["-so", "- ", "1.5 is it", "2026. it", "-- a", "3", "1.", "1234 a", "+ 1", "¹. a", "1。 a"]
        {
            assert_eq!(only(typed), text(typed), "{typed}");
        }
    }
}
