//! What is selected in the conversation: which columns of which rows, and the text as it was typed.
//!
//! Both count the characters that can be seen. A row that was wrapped and the line that it comes from differ in white
//! space, in signs of ours and in nothing else, so a place in the one is a place in the other.

use std::ops::Range;

use super::rows::Layout;
use super::state::mouse::{Point, Selection};
use super::styled::{Kind, Look, Styled};
use super::wrap;

/// Whether a grapheme counts.
fn is_seen(grapheme: &str, look: Look) -> bool {
    look.kind != Kind::Sign && wrap::columns_of(grapheme) > 0 && !grapheme.trim().is_empty()
}

fn count(row: &Styled) -> usize {
    row.graphemes().filter(|(grapheme, look)| is_seen(grapheme, *look)).count()
}

/// A selection within a layout: its units, and the characters in the first and the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    first: (usize, usize),
    last: (usize, usize),
    at_start: bool,
}

/// Where a selection is, if it is in this room and what it began and ended in is still there.
pub(crate) fn span(layout: &Layout<'_>, selection: &Selection) -> Option<Span> {
    if selection.room != layout.room.name {
        return None;
    }
    let number = |point: &Point| layout.number(point.unit).filter(|n| layout.unit(*n) == Some(point.unit));
    let (from, to) = ((number(&selection.from)?, selection.from), (number(&selection.to)?, selection.to));
    let turned = (to.0, to.1.before) < (from.0, from.1.before);
    let (from, to) = if turned { (to, from) } else { (from, to) };
    Some(Span { first: (from.0, from.1.before), last: (to.0, to.1.after), at_start: from.1.at_start })
}

impl Span {
    /// The characters of a unit that are selected.
    fn of(&self, unit: usize) -> Option<Range<usize>> {
        let start = if unit == self.first.0 { self.first.1 } else { 0 };
        let end = if unit == self.last.0 { self.last.1 } else { usize::MAX };
        (self.first.0..=self.last.0).contains(&unit).then_some(start..end)
    }

    /// The columns of a row that are selected: that at `place` of what was said in a unit.
    pub(crate) fn columns(
        &self,
        layout: &Layout<'_>,
        unit: usize,
        place: usize,
        row: &Styled,
    ) -> Option<Range<usize>> {
        let range = self.of(unit)?;
        let before = if range == (0..usize::MAX) { 0 } else { seen_before(layout, unit, place) };
        let mut seen = before;
        let mut column = 0;
        let mut selected: Option<Range<usize>> = None;
        for (grapheme, look) in row.graphemes() {
            let columns = wrap::columns_of(grapheme);
            if is_seen(grapheme, look) {
                if range.contains(&seen) {
                    let start = selected.map_or(column, |selected| selected.start);
                    selected = Some(start..column + columns);
                }
                seen += 1;
            }
            column += columns;
        }
        selected
    }
}

/// Characters of what was said in a unit before one of its rows.
fn seen_before(layout: &Layout<'_>, unit: usize, place: usize) -> usize {
    let rows = layout.saying(unit).map(|saying| saying.rows(layout.columns.text)).unwrap_or_default();
    rows.iter().take(place).map(count).sum()
}

/// The place of a column in a row of what was said in a unit.
pub(crate) fn point(
    layout: &Layout<'_>,
    number: usize,
    place: usize,
    row: &Styled,
    column: usize,
) -> Option<Point> {
    let unit = layout.unit(number)?;
    layout.saying(number)?;
    let mut seen = seen_before(layout, number, place);
    let mut at = 0;
    let mut at_start = true;
    for (grapheme, look) in row.graphemes() {
        let columns = wrap::columns_of(grapheme);
        let counts = is_seen(grapheme, look);
        if column < at + columns {
            return Some(Point { unit, before: seen, after: seen + usize::from(counts), at_start });
        }
        if counts {
            seen += 1;
            at_start = false;
        }
        at += columns;
    }
    Some(Point { unit, before: seen, after: seen, at_start: false })
}

/// The part of a row around a column that `belongs`, as a selection: a word, or a link.
pub(crate) fn around(
    layout: &Layout<'_>,
    number: usize,
    at: Point,
    belongs: impl Fn(&str, Look) -> bool,
) -> Option<(Point, Point, String)> {
    let lines = layout.saying(number)?.rows(usize::MAX);
    let mut seen = 0;
    for line in lines {
        let mut run: Option<(usize, String)> = None;
        for (grapheme, look) in line.graphemes() {
            let counts = is_seen(grapheme, look);
            if counts && belongs(grapheme, look) {
                run.get_or_insert_with(|| (seen, String::new())).1.push_str(grapheme);
            } else if let Some((start, text)) = run.take()
                && (start..seen).contains(&at.before)
            {
                return Some(ends(at, start..seen, text));
            }
            seen += usize::from(counts);
        }
        if let Some((start, text)) = run.filter(|(start, _)| (*start..seen).contains(&at.before)) {
            return Some(ends(at, start..seen, text));
        }
    }
    None
}

fn ends(at: Point, range: Range<usize>, text: String) -> (Point, Point, String) {
    let point = |before: usize| Point { unit: at.unit, before, after: before + 1, at_start: false };
    (point(range.start), point(range.end.saturating_sub(1)), text)
}

/// What is selected, as it was typed: what was wrapped is one line again. Of several messages, those that are selected
/// whole say when they were said and by whom.
pub(crate) fn text(layout: &Layout<'_>, span: Span) -> String {
    let mut parts = Vec::new();
    let several = span.first.0 != span.last.0;
    for unit in span.first.0..=span.last.0 {
        let (Some(range), Some(saying)) = (span.of(unit), layout.saying(unit)) else { continue };
        let lines = saying.rows(usize::MAX);
        let all: usize = lines.iter().map(count).sum();
        if range.start == 0 && range.end >= all {
            // Whole: with its markers too.
            parts.push(match (several, saying.action) {
                (false, _) => saying.text.to_owned(),
                (true, true) => format!("[{}] * {} {}", layout.clock(saying.at), saying.from, saying.text),
                (true, false) => format!("[{}] {}: {}", layout.clock(saying.at), saying.from, saying.text),
            });
        } else if range.start < range.end {
            let with_indent = unit != span.first.0 || span.at_start;
            parts.push(piece(&lines, &range, with_indent));
        }
    }
    parts.join("\n")
}

/// A part of some lines, with the white space that stands within it, and perhaps the indent before it.
fn piece(lines: &[Styled], range: &Range<usize>, with_indent: bool) -> String {
    let mut out = String::new();
    let mut seen = 0;
    let mut started = false;
    // What stands between two characters is part of it only if both are.
    let mut between = String::new();
    for (number, line) in lines.iter().enumerate() {
        if number > 0 {
            between.push('\n');
        }
        let mut line_begins = true;
        for (grapheme, look) in line.graphemes() {
            if look.kind == Kind::Sign {
                continue;
            }
            if !is_seen(grapheme, look) {
                between.push_str(grapheme);
                continue;
            }
            if range.contains(&seen) {
                if started {
                    out.push_str(&between);
                } else if with_indent && line_begins {
                    out.push_str(between.rsplit('\n').next().unwrap_or_default());
                }
                out.push_str(grapheme);
                started = true;
            }
            between.clear();
            line_begins = false;
            seen += 1;
        }
    }
    out
}
