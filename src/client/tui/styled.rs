//! Text and how its parts look, before colours.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// How a part of a text looks. What these words mean in colours is the theme's to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) bold: bool,
    pub(crate) italic: bool,
    pub(crate) strike: bool,
    pub(crate) kind: Kind,
}

/// What a part of a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Text,
    /// Whoever acts, at the beginning of what they do.
    Name,
    Link,
    /// Code within a line.
    Code,
    /// Code in a block, and what is what in it.
    Block(Token),
    /// A sign of ours: the bar beside code or a quote, the dot of a list.
    Sign,
}

/// What a part of code is: as many kinds as sixteen colours can tell apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Token {
    #[default]
    Plain,
    Keyword,
    String,
    Number,
    Comment,
}

impl Kind {
    /// Whether names said here mean somebody: not in code, nor in what is not said.
    pub(crate) fn can_name_us(self) -> bool {
        matches!(self, Self::Text | Self::Link)
    }
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Styled {
    pub(crate) text: String,
    /// Bytes of `text` that do not look as usual, in order, none empty, none in two.
    pub(crate) looks: Vec<(Range<usize>, Look)>,
}

impl Styled {
    /// A text that looks the same from end to end.
    pub(crate) fn new(text: &str, look: Look) -> Self {
        let mut styled = Self::default();
        styled.push(text, look);
        styled
    }

    /// Puts a text behind it.
    pub(crate) fn push(&mut self, text: &str, look: Look) {
        let start = self.text.len();
        self.text.push_str(text);
        let end = self.text.len();
        if look == Look::default() || start == end {
            return;
        }
        match self.looks.last_mut() {
            Some((range, before)) if range.end == start && *before == look => range.end = end,
            _ => self.looks.push((start..end, look)),
        }
    }

    /// Puts another behind it.
    pub(crate) fn append(&mut self, other: &Self) {
        if other.looks.is_empty() {
            self.text.push_str(&other.text);
        } else {
            for (text, look) in other.pieces() {
                self.push(text, look);
            }
        }
    }

    /// Takes away the white space at the end.
    pub(crate) fn trim_end(&mut self) {
        // By graphemes: a sign that stands on the space behind it would be lost with that.
        let spaces = self.text.graphemes(true).rev().take_while(|grapheme| grapheme.trim().is_empty());
        let spaces: usize = spaces.map(str::len).sum();
        self.text.truncate(self.text.len() - spaces);
        let end = self.text.len();
        self.looks.retain_mut(|(range, _)| {
            range.end = range.end.min(end);
            range.start < range.end
        });
    }

    /// The parts that each look the same, from the start to the end.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = (&str, Look)> {
        let mut at = 0;
        let mut looks = self.looks.iter().peekable();
        std::iter::from_fn(move || {
            let start = at;
            let (end, look) = match looks.peek() {
                Some((range, look)) if range.start <= at => {
                    let end = range.end;
                    looks.next();
                    (end, *look)
                }
                Some((range, _)) => (range.start, Look::default()),
                None => (self.text.len(), Look::default()),
            };
            at = end;
            self.text.get(start..end).filter(|piece| !piece.is_empty()).map(|piece| (piece, look))
        })
    }

    /// The text with a space for each part in which names mean nobody.
    pub(crate) fn spoken(&self) -> String {
        self.pieces().map(|(text, look)| if look.kind.can_name_us() { text } else { " " }).collect()
    }

    /// The graphemes, each with how its beginning looks: where a mark stands on a letter of another look, they look
    /// the same.
    pub(crate) fn graphemes(&self) -> impl Iterator<Item = (&str, Look)> {
        let mut looks = self.looks.iter().peekable();
        self.text.grapheme_indices(true).map(move |(at, grapheme)| {
            while looks.next_if(|(range, _)| range.end <= at).is_some() {}
            let look = looks.peek().filter(|(range, _)| range.start <= at).map(|(_, look)| *look);
            (grapheme, look.unwrap_or_default())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOLD: Look = Look { bold: true, italic: false, strike: false, kind: Kind::Text };

    #[test]
    fn the_pieces_are_the_text() {
        let mut styled = Styled::new("one ", Look::default());
        styled.push("two", BOLD);
        styled.push("", BOLD);
        styled.push(" three", BOLD);
        styled.push(" four ", Look::default());
        let pieces: Vec<_> = styled.pieces().collect();
        assert_eq!(pieces, [("one ", Look::default()), ("two three", BOLD), (" four ", Look::default())]);
        let mut twice = styled.clone();
        twice.append(&styled);
        assert_eq!(twice.text, "one two three four one two three four ");
        assert_eq!(twice.looks, [(4..13, BOLD), (23..32, BOLD)]);
        twice.trim_end();
        assert_eq!(twice.text.len(), 37);
    }

    #[test]
    fn a_mark_looks_as_the_letter_it_stands_on() {
        let mut styled = Styled::new("e", BOLD);
        styled.push("\u{301}x", Look::default());
        assert_eq!(styled.graphemes().collect::<Vec<_>>(), [("e\u{301}", BOLD), ("x", Look::default())]);
    }
}
