//! What is what in code: keywords, strings, numbers, comments.
//!
//! As much as sixteen colours can show, read in one pass from the first byte to the last. It is done anew for each
//! drawing, so nothing is kept; a library with whole grammars takes some 23 ms to load and a few for a screen of
//! code, and knows hundreds of kinds for which there are no colours here.

use unicode_segmentation::UnicodeSegmentation;

use super::languages::{Language, find};
use crate::client::tui::styled::{Kind, Look, Styled, Token};
use crate::client::tui::wrap::{TAB, columns_of};

/// Characters of the longest letter in quotes: `'\u{10FFFF}'`.
const LONGEST_LETTER: usize = 12;

/// The lines of a block of code, with their tabs as spaces. A language that is not known has no looks.
pub(super) fn highlight(language: &str, code: &str) -> Vec<Styled> {
    let mut page = Page { lines: vec![Styled::default()], columns: 0 };
    match find(language) {
        Some(language) if language.line_marks.is_empty() => read(language, code, &mut page),
        Some(language) => {
            for line in code.split_inclusive('\n') {
                let mark = language.line_marks.iter().find(|(mark, _)| line.starts_with(mark));
                page.write(line, mark.map_or(Token::Plain, |(_, token)| *token));
            }
        }
        None => page.write(code, Token::Plain),
    }
    page.lines
}

/// What has been written so far.
struct Page {
    lines: Vec<Styled>,
    /// Columns of the last line.
    columns: usize,
}

impl Page {
    fn write(&mut self, text: &str, token: Token) {
        let look = Look { kind: Kind::Block(token), ..Look::default() };
        for (place, part) in text.split('\n').enumerate() {
            if place > 0 {
                self.lines.push(Styled::default());
                self.columns = 0;
            }
            let Some(line) = self.lines.last_mut() else { return };
            for (place, part) in part.split('\t').enumerate() {
                if place > 0 {
                    let spaces = TAB - self.columns % TAB;
                    line.push(&" ".repeat(spaces), look);
                    self.columns += spaces;
                }
                line.push(part, look);
                self.columns += part.graphemes(true).map(columns_of).sum::<usize>();
            }
        }
    }
}

/// Takes the code apart from its beginning to its end.
fn read(language: &Language, code: &str, page: &mut Page) {
    let mut at = 0;
    // What stands before this is on the page. What is plain is put there together.
    let mut written = 0;
    let mut before = None;
    let mut unclosed = false;
    while let Some((rest, first)) = code.get(at..).and_then(|rest| Some((rest, rest.chars().next()?))) {
        let in_word = before.is_some_and(is_in_word);
        let (length, token) = comment(language, rest, before)
            .map(|length| (length, Token::Comment))
            .or_else(|| string(language, rest, in_word, &mut unclosed).map(|length| (length, Token::String)))
            .unwrap_or_else(|| word(language, rest, first, in_word));
        let part = rest.get(..length).unwrap_or(rest);
        if token != Token::Plain {
            page.write(code.get(written..at).unwrap_or_default(), Token::Plain);
            page.write(part, token);
            written = at + part.len();
        }
        unclosed &= !part.contains('\n');
        before = part.chars().next_back();
        at += part.len();
    }
    page.write(code.get(written..).unwrap_or_default(), Token::Plain);
}

/// Bytes of the comment that begins here.
fn comment(language: &Language, rest: &str, before: Option<char>) -> Option<usize> {
    if let Some((open, close)) = language.block_comment
        && let Some(inside) = rest.strip_prefix(open)
    {
        return Some(inside.find(close).map_or(rest.len(), |at| open.len() + at + close.len()));
    }
    let begins = language.line_comments.iter().any(|mark| rest.starts_with(mark));
    // "#" stands in the middle of a shell's words, and "--" of options.
    let free = !language.spaced_comments || before.is_none_or(char::is_whitespace);
    (begins && free).then(|| rest.find('\n').unwrap_or(rest.len()))
}

/// Bytes of the string that begins here. `unclosed`: quotes on this line were looked for, and are not closed.
fn string(language: &Language, rest: &str, in_word: bool, unclosed: &mut bool) -> Option<usize> {
    if let Some(quote) = language.long_quotes.iter().find(|quote| rest.starts_with(**quote)) {
        return Some(until(rest, quote, true, usize::MAX).unwrap_or(rest.len()));
    }
    let quote = language.quotes.iter().find(|quote| rest.starts_with(**quote))?;
    if language.letters_in_quotes && *quote == "'" {
        // A character, and not a lifetime or the mark of thousands.
        let end = until(rest, quote, false, LONGEST_LETTER).filter(|_| !in_word)?;
        let written = rest.get(1..end - 1)?;
        let one = written.starts_with('\\') || written.chars().nth(1).is_none();
        return (one && !written.is_empty()).then_some(end);
    }
    if *unclosed {
        return None;
    }
    let end = until(rest, quote, false, usize::MAX);
    *unclosed = end.is_none();
    end
}

/// Bytes up to the end of the quote that `rest` begins with, if it is among the next characters. What a backslash stands
/// before does not end it.
fn until(rest: &str, quote: &str, lines: bool, characters: usize) -> Option<usize> {
    let mut chars = rest.char_indices().take(characters).skip(quote.chars().count());
    while let Some((at, c)) = chars.next() {
        match c {
            '\n' if !lines => return None,
            '\\' => {
                chars.next();
            }
            _ if rest.get(at..)?.starts_with(quote) => return Some(at + quote.len()),
            _ => {}
        }
    }
    None
}

/// The word, the number or the sign that begins here.
fn word(language: &Language, rest: &str, first: char, in_word: bool) -> (usize, Token) {
    if !is_in_word(first) {
        return (first.len_utf8(), Token::Plain);
    }
    let end = |text: &str| text.find(|c| !is_in_word(c)).unwrap_or(text.len());
    let mut length = end(rest);
    if first.is_ascii_digit() && !in_word {
        // "1.5", but not the range "1..5".
        while rest[length..].starts_with('.') && rest[length + 1..].starts_with(|c: char| c.is_ascii_digit())
        {
            length += 1 + end(&rest[length + 1..]);
        }
        return (length, Token::Number);
    }
    let said = &rest[..length];
    let known = |keyword: &&str| {
        if language.any_case { keyword.eq_ignore_ascii_case(said) } else { **keyword == *said }
    };
    let keyword = language.keywords.iter().any(known);
    (length, if keyword { Token::Keyword } else { Token::Plain })
}

fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::client::tui::markup::languages::LANGUAGES;

    /// The code with what it is in front of each part that is anything.
    fn read(language: &str, code: &str) -> String {
        let mut out = String::new();
        for line in highlight(language, code) {
            for (text, look) in line.pieces() {
                let sign = match look.kind {
                    Kind::Block(Token::Keyword) => "K",
                    Kind::Block(Token::String) => "S",
                    Kind::Block(Token::Number) => "N",
                    Kind::Block(Token::Comment) => "C",
                    _ => "",
                };
                out.push_str(&if sign.is_empty() { text.to_owned() } else { format!("{sign}«{text}»") });
            }
            out.push('\n');
        }
        out
    }

    #[test]
    fn parts_of_code_are_known() {
        for (language, code, expected) in [
            ("rust", "let x = \"a\\\"b\"; // c", "K«let» x = S«\"a\\\"b\"»; C«// c»\n"),
            (
                "rust",
                "fn f<'a>(c: char) { c == 'x' || 1..2.5 }",
                "K«fn» f<'a>(c: char) { c == S«'x'» || N«1»..N«2.5» }\n",
            ),
            ("rs", "/* a\nb */ x1", "C«/* a»\nC«b */» x1\n"),
            (
                "python",
                "def f():\n\treturn '''a\nb''' # c",
                "K«def» f():\n    K«return» S«'''a»\nS«b'''» C«# c»\n",
            ),
            ("sh", "echo $# \"a b\" # c", "K«echo» $# S«\"a b\"» C«# c»\n"),
            ("SQL", "Select 1 -- x", "K«Select» N«1» C«-- x»\n"),
            ("json", "{\"a\": [1, true]}", "{S«\"a\"»: [N«1», K«true»]}\n"),
            ("diff", "-a\n+b\n c", "N«-a»\nS«+b»\n c\n"),
            ("js", "it's `a\nb`", "it's S«`a»\nS«b`»\n"),
            ("", "let x = 1", "let x = 1\n"),
            ("klingon", "let x = 1", "let x = 1\n"),
        ] {
            assert_eq!(read(language, code), expected, "{code}");
        }
    }

    #[test]
    fn code_made_to_be_slow_is_not() {
        for piece in ["'", "\"", "/*", "'''", "`", "a'", "# ", "1.", "\"\\"] {
            let code = piece.repeat(16 * 1024 / piece.len());
            for language in [LANGUAGES.first(), LANGUAGES.get(1)].into_iter().flatten() {
                assert!(!highlight(language.names[0], &code).is_empty());
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_in_any_language(
            code in "([a-z]{1,3}|[0-9.]{1,3}|[\"'`#/*\\\\+@{};: -]|//|/\\*|\\*/|'''|\\PC|\n){0,60}",
            language in proptest::sample::select(LANGUAGES),
        ) {
            let lines: Vec<String> = highlight(language.names[0], &code).into_iter().map(|line| line.text).collect();
            prop_assert_eq!(lines.join("\n"), code);
        }
    }
}
