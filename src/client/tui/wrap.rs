//! Text into rows of a given width, measured in columns and cut only between graphemes.
//!
//! Pure functions, used by the view and by scrolling alike, so that the two cannot disagree about
//! how many rows a message takes. A row MUST NOT be wider than asked for, whatever the text.

use std::ops::Range;

use ratatui::buffer::CellWidth;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

use super::styled::{Look, Styled};

/// Columns from one tab stop to the next. Narrow, because the text column is.
pub(crate) const TAB: usize = 4;

/// What stands for a grapheme that is wider than the whole row.
const TOO_WIDE: &str = "·";

/// Columns that a grapheme takes on the screen, exactly as ratatui counts them.
pub(crate) fn columns_of(grapheme: &str) -> usize {
    if grapheme.chars().any(char::is_control) { 0 } else { usize::from(grapheme.cell_width()) }
}

/// Columns that a grapheme takes on a terminal that knows nothing of joining and draws each character for itself.
pub(crate) fn most_columns(grapheme: &str) -> usize {
    let alone = |c: char| match c.width() {
        // What is joined or said to be another kind of emoji shows there, but marks stand on their letter everywhere.
        Some(0) | None => usize::from(!is_combining_mark(c)),
        Some(columns) => columns,
    };
    let wide = if grapheme.chars().any(changes_width) { 2 } else { 0 };
    grapheme.chars().map(alone).sum::<usize>().max(wide).max(columns_of(grapheme))
}

/// Whether terminals may disagree about the width of a grapheme.
pub(crate) fn is_doubtful(grapheme: &str) -> bool {
    grapheme.len() > 2
        && (grapheme.chars().any(changes_width) || most_columns(grapheme) != columns_of(grapheme))
}

/// Whether a character is wide or narrow by the terminal's opinion: selectors of a kind of emoji, keycaps, and the
/// planes of emoji, of which old terminals do not know all.
fn changes_width(c: char) -> bool {
    matches!(c, '\u{FE0E}' | '\u{FE0F}' | '\u{20E3}' | '\u{1F000}'..='\u{1FFFF}')
}

/// Columns that a text without tabs and line breaks takes.
pub(crate) fn columns(text: &str) -> usize {
    text.graphemes(true).map(columns_of).sum()
}

/// The beginning of `text`, in at most `width` columns, with `…` at its end if that is not all of it.
pub(crate) fn truncate(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let Some(room) = width.checked_sub(1) else { return String::new() };
    let mut used = 0;
    let mut cut: String = text
        .graphemes(true)
        .take_while(|grapheme| {
            used += columns_of(grapheme);
            used <= room
        })
        .collect();
    cut.push('…');
    cut
}

/// A line of several styles in at most `width` columns.
pub(crate) fn truncate_line(
    line: ratatui::text::Line<'static>,
    width: usize,
) -> ratatui::text::Line<'static> {
    let mut left = width;
    let mut cut = ratatui::text::Line::default();
    for span in line {
        let text = truncate(&span.content, left);
        left -= columns(&text);
        let ends = text != span.content;
        cut.push_span(ratatui::text::Span::styled(text, span.style));
        if ends {
            break;
        }
    }
    cut
}

/// A message in rows: broken at white space, which then goes away, or beside a wide character;
/// inside a word only where the word is wider than a row. Lines and their indents stay.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut wrapper = Wrapper::new(width);
    for line in text.split('\n') {
        wrapper.line(line.graphemes(true).map(|grapheme| (grapheme, Look::default())));
    }
    wrapper.rows.into_iter().map(|row| row.text).collect()
}

/// The same for one line with its looks.
pub(crate) fn wrap_styled(line: &Styled, width: usize) -> Vec<Styled> {
    let mut wrapper = Wrapper::new(width);
    wrapper.line(line.graphemes());
    wrapper.rows
}

/// A line in rows, each filled to its end, whatever is cut by that: put together again they are the line, and no white
/// space was lost or won.
pub(crate) fn cut(line: &str, width: usize) -> Vec<String> {
    let rows = cut_styled(&Styled::new(line, Look::default()), width);
    rows.into_iter().map(|row| row.text).collect()
}

/// The same for a line with its looks.
pub(crate) fn cut_styled(line: &Styled, width: usize) -> Vec<Styled> {
    let width = width.max(1);
    let mut rows = Vec::new();
    let mut row = Part::default();
    for (grapheme, look) in line.graphemes() {
        let columns = columns_of(grapheme);
        let (grapheme, columns) = if columns > width { (TOO_WIDE, 1) } else { (grapheme, columns) };
        if row.columns + columns > width {
            rows.push(std::mem::take(&mut row).content);
        }
        row.push(grapheme, look, columns);
    }
    rows.push(row.content);
    rows
}

/// A piece of text and the columns that it takes.
#[derive(Default)]
struct Part {
    content: Styled,
    columns: usize,
}

impl Part {
    fn push(&mut self, grapheme: &str, look: Look, columns: usize) {
        self.content.push(grapheme, look);
        self.columns += columns;
    }
}

struct Wrapper {
    width: usize,
    rows: Vec<Styled>,
    row: Part,
    /// What cannot be broken and is not yet known to fit into the row.
    word: Part,
}

impl Wrapper {
    fn new(width: usize) -> Self {
        Self { width: width.max(1), rows: Vec::new(), row: Part::default(), word: Part::default() }
    }

    fn line<'a>(&mut self, graphemes: impl Iterator<Item = (&'a str, Look)>) {
        // After a break the white space that caused it is skipped.
        let mut skip_space = false;
        for (grapheme, look) in graphemes {
            let is_space = grapheme == " " || grapheme == "\t";
            if is_space && skip_space {
                continue;
            }
            skip_space = false;
            if is_space {
                self.end_word();
                let mut spaces = if grapheme == " " { 1 } else { TAB - self.row.columns % TAB };
                while spaces > 0 && self.row.columns < self.width {
                    self.row.push(" ", look, 1);
                    spaces -= 1;
                }
                if spaces > 0 {
                    self.end_row();
                    skip_space = true;
                }
                continue;
            }
            let (grapheme, columns) = match columns_of(grapheme) {
                0 => continue,
                columns if columns > self.width => (TOO_WIDE, 1),
                columns => (grapheme, columns),
            };
            if columns > 1 {
                // Text that is written without spaces can be broken anywhere.
                self.end_word();
                self.word.push(grapheme, look, columns);
                self.end_word();
            } else {
                if self.word.columns + columns > self.width {
                    self.end_word();
                }
                self.word.push(grapheme, look, columns);
            }
        }
        self.end_word();
        self.end_row();
    }

    fn end_word(&mut self) {
        let word = std::mem::take(&mut self.word);
        if self.row.columns + word.columns <= self.width {
            self.row.content.append(&word.content);
            self.row.columns += word.columns;
        } else if self.row.content.text.bytes().all(|byte| byte == b' ') {
            // Behind an indent: better a broken word than a row of nothing.
            for (grapheme, look) in word.content.graphemes() {
                let columns = columns_of(grapheme);
                if self.row.columns + columns > self.width {
                    self.end_row();
                }
                self.row.push(grapheme, look, columns);
            }
        } else {
            self.end_row();
            self.row = word;
        }
    }

    fn end_row(&mut self) {
        let mut row = std::mem::take(&mut self.row).content;
        row.trim_end();
        self.rows.push(row);
    }
}

/// The rows of a text that is being edited, as ranges of bytes. Nothing goes away but the line breaks,
/// which belong to no row: every place of the cursor has its cell.
pub(crate) fn edit_rows(text: &str, width: usize) -> Vec<Range<usize>> {
    let width = width.max(1);
    let mut rows = Vec::new();
    let mut start = 0;
    for line in text.split('\n') {
        let end = start + line.len();
        let mut row = start;
        let mut used = 0;
        // Where the row may be broken, and what stands before that in it.
        let mut fold = None;
        for (at, grapheme) in line.grapheme_indices(true) {
            let at = start + at;
            let columns = edit_columns(grapheme, used);
            if columns > 1 && at > row {
                fold = Some((at, used));
            }
            if used + columns > width && at > row {
                let (place, before) = fold.take().unwrap_or((at, used));
                rows.push(row..place);
                row = place;
                used -= before;
            }
            used += columns;
            if (grapheme == " " || columns > 1) && used <= width {
                fold = Some((at + grapheme.len(), used));
            }
        }
        rows.push(row..end);
        start = end + 1;
    }
    rows
}

/// Columns of a grapheme in a text that is being edited, of which `used` columns stand before it.
pub(crate) fn edit_columns(grapheme: &str, used: usize) -> usize {
    if grapheme == "\t" { TAB - used % TAB } else { columns_of(grapheme) }
}

/// As much of a row of [`edit_rows`] as `width` columns hold.
pub(crate) fn edit_prefix(row: &str, width: usize) -> &str {
    let mut used = 0;
    let beyond = row.grapheme_indices(true).find(|(_, grapheme)| {
        used += edit_columns(grapheme, used);
        used > width
    });
    beyond.map_or(row, |(end, _)| &row[..end])
}

/// A row of [`edit_rows`] as it is shown: tabs expanded, and no wider than `width`.
pub(crate) fn show_edit_row(row: &str, width: usize) -> String {
    let mut shown = String::new();
    let mut used = 0;
    for grapheme in edit_prefix(row, width).graphemes(true) {
        let columns = edit_columns(grapheme, used);
        if grapheme == "\t" {
            shown.extend(std::iter::repeat_n(' ', columns));
        } else if columns > 0 {
            shown.push_str(grapheme);
        }
        used += columns;
    }
    shown
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_stay_whole_and_lines_keep_their_indent() {
        assert_eq!(wrap("the quick brown fox", 10), ["the quick", "brown fox"]);
        assert_eq!(wrap("if x:\n    return 1\n\nend", 20), ["if x:", "    return 1", "", "end"]);
        assert_eq!(wrap("a  b", 10), ["a  b"]);
        assert_eq!(wrap("abcdefghijkl", 5), ["abcde", "fghij", "kl"]);
        assert_eq!(wrap("go abcdefghijkl", 5), ["go", "abcde", "fghij", "kl"]);
        assert_eq!(wrap("\tx\ty", 20), ["    x   y"]);
    }

    #[test]
    fn what_has_no_columns_counts_in_the_bytes_of_a_prefix() {
        // A soft hyphen, which is not shown.
        let row = "a\u{ad}你好";
        assert_eq!(show_edit_row(row, 3), "a你");
        for (width, prefix) in [(0, ""), (1, "a\u{ad}"), (2, "a\u{ad}"), (3, "a\u{ad}你"), (9, row)] {
            assert_eq!(edit_prefix(row, width), prefix, "{width}");
        }
    }

    #[test]
    fn wide_characters_are_never_halved() {
        assert_eq!(wrap("你好世界", 5), ["你好", "世界"]);
        assert_eq!(wrap("a你好", 3), ["a你", "好"]);
        assert_eq!(wrap("你", 1), ["·"]);
        assert_eq!(wrap("👩‍👩‍👧‍👦👍🏽", 2), ["👩‍👩‍👧‍👦", "👍🏽"]);
    }

    #[test]
    fn what_stands_on_a_space_keeps_it() {
        assert_eq!(wrap("\u{1193F} ", 8), ["\u{1193F} "]);
    }

    #[test]
    fn what_is_copied_is_cut_anywhere() {
        assert_eq!(cut("go abcdefghijkl", 5), ["go ab", "cdefg", "hijkl"]);
        assert_eq!(cut("a你好 ", 3), ["a你", "好 "]);
        assert_eq!(cut("你", 1), ["·"]);
        assert_eq!(cut("", 3), [""]);
    }

    #[test]
    fn a_name_is_cut_with_an_ellipsis() {
        assert_eq!(truncate("alexandra", 5), "alex…");
        assert_eq!(truncate("李雷李雷", 4), "李…");
        assert_eq!(truncate("bob", 3), "bob");
        assert_eq!(truncate("bob", 0), "");
    }

    #[test]
    fn what_is_edited_keeps_every_byte() {
        assert_eq!(edit_rows("hello world", 8), [0..6, 6..11]);
        assert_eq!(edit_rows("a\n\nb", 8), [0..1, 2..2, 3..4]);
        assert_eq!(edit_rows("", 8).len(), 1);
        assert_eq!(edit_rows("abcdef", 3), [0..3, 3..6]);
    }

    /// Text of the kinds that break layouts: joined emoji, wide characters, marks, tabs, lines.
    pub(crate) fn odd_text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[a-z]{1,14}",
            " {1,3}",
            Just("\n".to_owned()),
            Just("\t".to_owned()),
            Just("👩‍👩‍👧‍👦".to_owned()),
            Just("漢字".to_owned()),
            Just("e\u{301}".to_owned()),
            Just("\u{200D}".to_owned()),
            Just("❤️".to_owned()),
            Just("🇩🇪".to_owned()),
            Just("क्षि".to_owned()),
            "\\PC{1,4}",
        ];
        proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_row_is_too_wide_and_nothing_visible_is_lost(text in odd_text(), width in 1_usize..40) {
            let rows = wrap(&text, width);
            for row in &rows {
                prop_assert!(columns(row) <= width, "{row:?} in {width}");
            }
            // Characters, not graphemes: a mark behind a tab stands on the space that the tab becomes.
            let visible = |text: &str| -> String {
                let graphemes = text.graphemes(true).filter(|grapheme| columns_of(grapheme) > 0);
                graphemes.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect()
            };
            if width >= 8 {
                let shown: String = rows.iter().map(|row| visible(row)).collect();
                prop_assert_eq!(shown, visible(&text));
            }
        }

        #[test]
        fn edited_rows_hold_every_byte_in_order(text in odd_text(), width in 1_usize..40) {
            let rows = edit_rows(&text, width);
            let mut next = 0;
            for row in &rows {
                prop_assert!(row.start == next || (row.start == next + 1 && &text[next..=next] == "\n"));
                prop_assert!(columns(&show_edit_row(&text[row.clone()], width)) <= width);
                next = row.end;
            }
            prop_assert_eq!(next, text.len());
        }
    }
}
