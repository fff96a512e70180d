//! A row of a message in colours.

use std::ops::Range;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::client::tui::styled::{Kind, Styled};
use crate::client::tui::theme::Theme;

/// Where a text means us first.
pub(super) type Finds<'a> = &'a dyn Fn(&str) -> Option<Range<usize>>;

/// The row, in which everything looks like `base` and then as it is marked, who acts like `name`, and what `us` finds
/// set off.
pub(super) fn line<'a>(
    theme: Theme,
    row: &'a Styled,
    base: Style,
    name: Style,
    us: Option<Finds<'_>>,
) -> Line<'a> {
    let said = us.and_then(|us| find(row, us));
    let mut spans = Vec::new();
    let mut start = 0;
    for (text, look) in row.pieces() {
        let style = if look.kind == Kind::Name { name } else { base.patch(theme.look(look)) };
        let end = start + text.len();
        let cut = |at: usize| at.clamp(start, end) - start;
        let (from, to) = said.as_ref().map_or((0, 0), |said| (cut(said.start), cut(said.end)));
        let parts = [(0..from, style), (from..to, style.patch(theme.mention())), (to..text.len(), style)];
        let parts = parts.into_iter().filter_map(|(range, style)| Some((text.get(range)?, style)));
        spans.extend(
            parts.filter(|(text, _)| !text.is_empty()).map(|(text, style)| Span::styled(text, style)),
        );
        start = end;
    }
    Line::from(spans)
}

/// Where somebody is meant first, outside of code.
fn find(row: &Styled, finds: Finds<'_>) -> Option<Range<usize>> {
    let mut from = 0;
    loop {
        let said = finds(row.text.get(from..)?)?;
        let said = from + said.start..from + said.end;
        let mut hidden = row.looks.iter().filter(|(_, look)| !look.kind.can_name_us());
        if said.is_empty() || !hidden.any(|(range, _)| range.start < said.end && said.start < range.end) {
            return Some(said);
        }
        from = said.end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tui::markup;
    use crate::protocol::mention;

    fn bob(text: &str) -> Option<Range<usize>> {
        mention::find(text, "bob")
    }

    #[test]
    fn we_are_named_in_bold_and_not_in_code() {
        for (text, expected) in [
            ("`bob` and **bob**", Some(8..11)),
            ("```\nbob\n```", None),
            ("hi bob", Some(3..6)),
            ("bob* `bob`", Some(0..3)),
        ] {
            let rows = markup::rows(text, 40);
            assert_eq!(rows.first().and_then(|row| find(row, &bob)), expected, "{text}");
        }
        let rows = markup::act("bob", "calls bob", 40);
        assert_eq!(find(&rows[0], &bob), Some(10..13));
    }
}
