//! What is written with a little Markdown, as rows.
//!
//! A subset, read by the rules of a chat and not of a document: a line break is one, `snake_case` and `2*3*4` are what
//! they are, and whatever is not understood is shown as it was typed. Nothing visible goes away but the markers.
//! That is why the parser is our own: one for documents joins lines, takes `#`, `<`, `&` and an indent for more than
//! they are meant to be, and knows no way to leave them alone.
//!
//! | file | what it reads |
//! |---|---|
//! | `block` | lines: code, quotes, lists |
//! | `inline`, `marks` | what is within a line: bold, italic, struck, code, links |
//! | `highlight`, `languages` | what is what in code |

mod block;
mod highlight;
mod inline;
mod languages;
mod marks;

use super::styled::{Kind, Look, Styled};
use super::wrap;

/// The signs at the left edge of code and of quotes. Without colours they alone say what it is.
const CODE: &str = "│ ";
const QUOTE: &str = "▌ ";
/// The sign of a list.
const DOT: &str = "• ";

/// The rows of a message.
pub(crate) fn rows(text: &str, width: usize) -> Vec<Styled> {
    if is_plain(text) {
        return plain(text, width);
    }
    let mut rows = Vec::new();
    for block in block::blocks(text) {
        lay_out(&block, width, &mut rows);
    }
    rows
}

/// The rows of what somebody does, which begin with who it is. It is one sentence, so there are no blocks in it.
pub(crate) fn act(name: &str, text: &str, width: usize) -> Vec<Styled> {
    let mut rows = Vec::new();
    let mut lead = Styled::new(name, Look { kind: Kind::Name, ..Look::default() });
    lead.push(" ", Look::default());
    for line in text.split('\n') {
        let mut styled = std::mem::take(&mut lead);
        inline::inline(line, Look::default(), &mut styled);
        rows.extend(wrap::wrap_styled(&styled, width));
    }
    rows
}

/// The rows of a text without any looks.
pub(crate) fn plain(text: &str, width: usize) -> Vec<Styled> {
    wrap::wrap(text, width).into_iter().map(|text| Styled { text, looks: Vec::new() }).collect()
}

/// Whether there is nothing in a text that could be a marker: so it is with most.
fn is_plain(text: &str) -> bool {
    let mut line_starts = true;
    let mut spaces = true;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'*' | b'_' | b'`' | b'~' | b'[' => return false,
            // A link, perhaps: "http://", "mailto:me@example.org".
            b':' if text.as_bytes().get(at + 1).is_some_and(|next| !next.is_ascii_whitespace()) => {
                return false;
            }
            // At the start of a line, perhaps behind an indent.
            b'>' | b'-' | b'#' | b'0'..=b'9' if line_starts => return false,
            _ => {}
        }
        spaces = byte == b'\n' || (spaces && byte == b' ');
        line_starts = spaces;
    }
    true
}

fn lay_out(block: &block::Block<'_>, width: usize, rows: &mut Vec<Styled>) {
    let sign = Look { kind: Kind::Sign, ..Look::default() };
    match block {
        block::Block::Code { language, text } => {
            let bar = if wrap::columns(CODE) * 2 <= width { CODE } else { "" };
            for line in highlight::highlight(language, text) {
                for row in wrap::cut_styled(&line, width - wrap::columns(bar)) {
                    let mut styled = Styled::new(bar, sign);
                    styled.append(&row);
                    styled.trim_end();
                    rows.push(styled);
                }
            }
        }
        block::Block::Line { quotes, indent, mark, text } => {
            let mut first = Styled::default();
            first.push(&QUOTE.repeat(*quotes), sign);
            let mut others = first.clone();
            first.push(indent, Look::default());
            match mark {
                block::Mark::None => {}
                block::Mark::Dot => first.push(DOT, sign),
                block::Mark::Number(number) => {
                    first.push(number, Look::default());
                    first.push(" ", Look::default());
                }
            }
            // What goes on in the next row stands below the text and not below its mark.
            if *mark != block::Mark::None {
                let hang = wrap::columns(&first.text).saturating_sub(wrap::columns(&others.text));
                others.push(&" ".repeat(hang), Look::default());
            }
            let bold = matches!(mark, block::Mark::None) && block::is_heading(text);
            let mut line = Styled::default();
            inline::inline(text, Look { bold, ..Look::default() }, &mut line);
            let lead = wrap::columns(&first.text);
            if lead * 2 > width {
                // Too narrow for a margin: the signs stand in the text.
                first.append(&line);
                rows.extend(wrap::wrap_styled(&first, width));
                return;
            }
            let narrower = width - lead;
            for (place, row) in wrap::wrap_styled(&line, narrower).into_iter().enumerate() {
                let mut styled = if place == 0 { first.clone() } else { others.clone() };
                styled.append(&row);
                styled.trim_end();
                rows.push(styled);
            }
        }
    }
}

#[cfg(test)]
mod tests;
