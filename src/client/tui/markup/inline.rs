//! What is within a line: bold, italic, struck, code, links.

use super::marks::{is_worth_marking, may_close, may_open};
use crate::client::tui::styled::{Kind, Look, Styled};
use crate::protocol::code::{TICKS, closing_ticks, run};
use crate::protocol::link;

/// Marks that may be open at a time. Beyond it they are shown as typed; so a line costs what its length does.
const OPEN: usize = 32;

/// Puts a line behind `out`, without its markers.
pub(super) fn inline(line: &str, base: Look, out: &mut Styled) {
    let mut reader = Reader {
        line,
        base,
        at: 0,
        shown: 0,
        pieces: Vec::new(),
        open: Vec::new(),
        unclosed: [false; TICKS + 1],
        label: None,
    };
    reader.read();
    for piece in reader.pieces {
        out.push(piece.text, piece.look);
    }
}

/// A part of the line that is shown.
struct Piece<'a> {
    text: &'a str,
    look: Look,
}

/// A run of marks that something may close.
struct Open {
    /// Where it stands in the pieces.
    piece: usize,
    mark: u8,
    /// How many marks of it are left.
    count: usize,
}

/// The end of the label of a link that is being read.
struct Label {
    /// Where the label ends.
    end: usize,
    /// Where the link's address is.
    link: std::ops::Range<usize>,
}

struct Reader<'a> {
    line: &'a str,
    base: Look,
    at: usize,
    /// What stands before this is in the pieces.
    shown: usize,
    pieces: Vec<Piece<'a>>,
    open: Vec<Open>,
    /// Runs of backticks of which there is none further on, by their length.
    unclosed: [bool; TICKS + 1],
    label: Option<Label>,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        let links = link::links(self.line);
        let mut next_link = links.iter().peekable();
        while let Some(byte) = self.line.as_bytes().get(self.at).copied() {
            while next_link.next_if(|link| link.start < self.at).is_some() {}
            if let Some(link) = next_link.next_if(|link| link.start == self.at) {
                self.link(link.clone());
            } else if self.label.as_ref().is_some_and(|label| label.end == self.at) {
                self.end_label();
            } else {
                match byte {
                    b'`' => self.code(),
                    b'[' => self.begin_label(&links),
                    b'*' | b'_' | b'~' => self.marks(byte),
                    _ => self.at += 1,
                }
            }
        }
        self.show(self.line.len());
    }

    /// Shows what was read up to `end` and is not shown yet.
    fn show(&mut self, end: usize) {
        self.push(self.shown, end, self.base);
        self.shown = end;
    }

    fn push(&mut self, start: usize, end: usize, look: Look) {
        if let Some(text) = self.line.get(start..end).filter(|text| !text.is_empty()) {
            self.pieces.push(Piece { text, look });
        }
    }

    /// Goes on behind what is hidden.
    fn skip_to(&mut self, at: usize) {
        self.at = at;
        self.shown = at;
    }

    fn link(&mut self, link: std::ops::Range<usize>) {
        self.show(link.start);
        self.push(link.start, link.end, Look { kind: Kind::Link, ..self.base });
        self.skip_to(link.end);
    }

    fn code(&mut self) {
        let ticks = run(self.line, self.at, b'`');
        let (start, line) = (self.at + ticks, self.line);
        let Some(unclosed) = self.unclosed.get_mut(ticks).filter(|unclosed| !**unclosed) else {
            self.at = start;
            return;
        };
        let Some(end) = closing_ticks(line, start, ticks) else {
            *unclosed = true;
            self.at = start;
            return;
        };
        self.show(self.at);
        // A space on both sides is there so that code can begin with a backtick.
        let code = &line[start..end];
        let padded =
            code.len() > 2 && code.starts_with(' ') && code.ends_with(' ') && !code.trim().is_empty();
        let space = usize::from(padded);
        self.push(start + space, end - space, Look { kind: Kind::Code, ..self.base });
        self.skip_to(end + ticks);
    }

    /// `[label](address)` is shown as "label (address)": nobody is led elsewhere than they read.
    fn begin_label(&mut self, links: &[std::ops::Range<usize>]) {
        let (start, line) = (self.at + 1, self.line);
        self.at = start;
        let Some(end) = line[start..].find(['[', ']']).map(|at| start + at) else { return };
        let label = &line[start..end];
        if self.label.is_some()
            || label.trim().is_empty()
            || label.contains('`')
            || !line[end..].starts_with("](")
        {
            return;
        }
        let place = links.binary_search_by_key(&(end + 2), |link| link.start).ok();
        let link = place.and_then(|place| links.get(place)).filter(|link| line[link.end..].starts_with(')'));
        let Some(link) = link.cloned() else { return };
        self.show(start - 1);
        self.skip_to(start);
        if *label == line[link.clone()] {
            self.push(link.start, link.end, Look { kind: Kind::Link, ..self.base });
            self.skip_to(link.end + 1);
        } else {
            self.label = Some(Label { end, link });
        }
    }

    fn end_label(&mut self) {
        let Some(Label { end, link }) = self.label.take() else { return };
        self.show(end);
        self.pieces.push(Piece { text: " ", look: self.base });
        self.push(link.start - 1, link.start, self.base);
        self.push(link.start, link.end, Look { kind: Kind::Link, ..self.base });
        self.push(link.end, link.end + 1, self.base);
        self.skip_to(link.end + 1);
    }

    /// A run of marks: closes what is open, or opens something, or is shown.
    fn marks(&mut self, mark: u8) {
        let start = self.at;
        let mut count = run(self.line, start, mark);
        self.at = start + count;
        let fits = if mark == b'~' { count == 2 } else { count <= 3 };
        if !fits {
            return;
        }
        let (before, after) = (&self.line[..start], &self.line[self.at..]);
        let (opens, closes) = (may_open(before, after), may_close(before, after));
        if !opens && !closes {
            return;
        }
        self.show(start);
        while closes && count > 0 {
            let Some(used) = self.close(mark, count) else { break };
            count -= used;
        }
        if count > 0 {
            if opens && self.open.len() < OPEN {
                self.open.push(Open { piece: self.pieces.len(), mark, count });
            }
            self.push(self.at - count, self.at, self.base);
        }
        self.shown = self.at;
    }

    /// Closes the last run of this mark that is open. Says how many marks that took.
    fn close(&mut self, mark: u8, count: usize) -> Option<usize> {
        let place = self.open.iter().rposition(|open| open.mark == mark)?;
        let (first, there) = self.open.get(place).map(|open| (open.piece, open.count))?;
        let used = if mark == b'~' || (count >= 2 && there >= 2) { 2 } else { 1 };
        let inside = self.pieces.get_mut(first + 1..)?;
        let texts = inside.iter().flat_map(|piece| piece.text.chars());
        if !is_worth_marking(texts, mark == b'_' && used == 2) {
            self.open.truncate(place);
            return None;
        }
        for piece in inside {
            match (mark, used) {
                (b'~', _) => piece.look.strike = true,
                (_, 2) => piece.look.bold = true,
                _ => piece.look.italic = true,
            }
        }
        let opening = self.pieces.get_mut(first)?;
        opening.text = opening.text.get(used..)?;
        self.open.truncate(place + 1);
        if there == used {
            self.open.pop();
        } else if let Some(open) = self.open.last_mut() {
            open.count -= used;
        }
        Some(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line as shown, with `<b>`, `<i>`, `<s>`, `<c>` and `<l>` around what looks so.
    fn shown(line: &str) -> String {
        let mut styled = Styled::default();
        inline(line, Look::default(), &mut styled);
        let mut out = String::new();
        for (text, look) in styled.pieces() {
            let tags = [
                (look.bold, "b"),
                (look.italic, "i"),
                (look.strike, "s"),
                (look.kind == Kind::Code, "c"),
                (look.kind == Kind::Link, "l"),
            ];
            let tags: String = tags.into_iter().filter_map(|(is, tag)| is.then_some(tag)).collect();
            match tags.as_str() {
                "" => out.push_str(text),
                tags => out.push_str(&format!("<{tags}>{text}</>")),
            }
        }
        out
    }

    #[test]
    fn marks_make_words_bold_italic_and_struck() {
        for (line, expected) in [
            ("a **b** c", "a <b>b</> c"),
            ("a *b c*, d", "a <i>b c</>, d"),
            ("_a_ ~~b~~", "<i>a</> <s>b</>"),
            ("***a***", "<bi>a</>"),
            ("**a *b* c**", "<b>a </><bi>b</><b> c</>"),
            ("***a** b*", "<bi>a</><i> b</>"),
            ("**a _b** c_", "<b>a _b</> c_"),
            ("(**a**)!", "(<b>a</>)!"),
            ("这是**重要**的", "这是<b>重要</>的"),
            ("__very much__", "<b>very much</>"),
            ("_snake_case_", "<i>snake_case</>"),
            ("*a*.", "<i>a</>."),
            ("**👍**", "<b>👍</>"),
            ("*a* *b*", "<i>a</> <i>b</>"),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_meant_otherwise_is_left_alone() {
        for line in [
            "snake_case and more_snake_case",
            "2*3*4",
            "2 * 3 * 4",
            "a ** b ** c",
            "**",
            "****",
            "* a",
            "**a",
            "a** b**",
            "__init__ and __main__.py",
            "f(*args, **kwargs)",
            "*.rs and *.toml",
            "/*comment*/",
            "¯\\_(ツ)_/¯",
            "(*_*) ;_; and ;_; -_- ^_^ T_T",
            "~/bin ~~",
            "~a~ b~~c~~d",
            "a_b* c_d*",
            "`a",
            "``a`",
            "[a](b)",
            "[a](javascript:alert(1))",
            "<b>a</b> &amp; ![",
            "*a\u{a0}*",
        ] {
            assert_eq!(shown(line), line);
        }
    }

    #[test]
    fn code_is_what_it_is() {
        for (line, expected) in [
            ("run `a *b* c`", "run <c>a *b* c</>"),
            ("``a ` b``", "<c>a ` b</>"),
            ("`` `a` ``", "<c>`a`</>"),
            ("**`a`**", "<bc>a</>"),
            ("*a `b* c`", "*a <c>b* c</>"),
            ("`a` `b", "<c>a</> `b"),
            ("``` a ```", "<c>a</>"),
            ("`https://a.b`", "<c>https://a.b</>"),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
    }

    #[test]
    fn links_say_where_they_lead() {
        for (line, expected) in [
            ("see https://a.b/c_d_e*f*.", "see <l>https://a.b/c_d_e*f</>*."),
            ("**https://a.b**", "<bl>https://a.b</>"),
            ("[the *docs*](https://a.b/c_(d))!", "the <i>docs</> (<l>https://a.b/c_(d)</>)!"),
            ("[https://a.b](https://a.b)", "<l>https://a.b</>"),
            (
                "[https://bank.example](https://evil.example)",
                "<l>https://bank.example</> (<l>https://evil.example</>)",
            ),
            ("[a] (https://a.b)", "[a] (<l>https://a.b</>)"),
            ("[](https://a.b)", "[](<l>https://a.b</>)"),
            ("[[a](https://a.b)]", "[a (<l>https://a.b</>)]"),
            ("*[a*](https://a.b)", "<i>a</> (<l>https://a.b</>)"),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
    }

    #[test]
    fn a_line_made_to_be_slow_is_not() {
        for piece in ["*a ", "*a* ", "_*", "[", "[a](", "`", "`a``b```c", "**a*", "http://", "*a_b~~", "(_a"]
        {
            let line = piece.repeat(16 * 1024 / piece.len());
            let mut styled = Styled::default();
            inline(&line, Look::default(), &mut styled);
            assert!(styled.text.len() <= line.len());
        }
    }
}
