//! Long messages are folded: the first rows, and how many more there are. Only how they are laid out: what is copied,
//! searched and quoted is all of it.

use crate::client::tui::styled::{Kind, Look, Styled};

/// Rows of code from which on a block is folded: more than that is read elsewhere, and pushes the talk off the screen.
const CODE_FOLDED_FROM: usize = 21;

/// Rows of a folded block of code that are shown: enough to see what it is.
const CODE_SHOWN: usize = 8;

/// Rows from which on a whole message is folded, whatever is in it: about two screens.
const TEXT_FOLDED_FROM: usize = 61;

/// Rows of such a message that are shown: less than a screen.
const TEXT_SHOWN: usize = 20;

/// What becomes of the rows of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    /// The row at this place is shown.
    Row(usize),
    /// So many are not.
    Hidden(usize),
}

/// Which rows of a message are shown, and where some are not.
pub(super) fn fold(rows: &[Styled]) -> Vec<Fold> {
    let mut folds = Vec::new();
    let mut place = 0;
    while place < rows.len() {
        let code = rows.iter().skip(place).take_while(|row| is_code(row)).count();
        let shown = if code >= CODE_FOLDED_FROM { CODE_SHOWN } else { code.max(1) };
        folds.extend((place..place + shown).map(Fold::Row));
        if shown < code {
            folds.push(Fold::Hidden(code - shown));
        }
        place += code.max(1);
    }
    if folds.len() >= TEXT_FOLDED_FROM {
        let hidden = folds.drain(TEXT_SHOWN..).map(|fold| match fold {
            Fold::Row(_) => 1,
            Fold::Hidden(many) => many,
        });
        let hidden = hidden.sum();
        folds.push(Fold::Hidden(hidden));
    }
    folds
}

/// The row that stands for so many.
pub(super) fn hidden(many: usize) -> Styled {
    Styled::new(&format!("… {many} more lines: /fold opens"), Look { kind: Kind::Sign, ..Look::default() })
}

/// Whether a row is one of code; an empty one between two is.
fn is_code(row: &Styled) -> bool {
    row.pieces().any(|(_, look)| matches!(look.kind, Kind::Block(_)))
        || row.text == "│"
        || row.text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tui::markup;

    fn folds(text: &str, width: usize) -> Vec<Fold> {
        fold(&markup::rows(text, width))
    }

    #[test]
    fn what_is_short_is_shown() {
        for lines in [1, 20] {
            let code = format!("so:\n```\n{}```\nok", "a\n\n".repeat(lines / 2));
            assert!(folds(&code, 40).iter().all(|fold| matches!(fold, Fold::Row(_))), "{lines}");
        }
        assert_eq!(folds(&"a\n".repeat(59), 40).len(), 60);
    }

    #[test]
    fn a_long_block_is_folded_and_what_is_around_it_is_not() {
        for width in [40, 3] {
            let code = format!("so:\n```rust\n{}```\nok", "a\n\n".repeat(17));
            let folds = folds(&code, width);
            assert_eq!(folds.len(), 1 + CODE_SHOWN + 1 + 1, "{folds:?}");
            assert_eq!(folds[CODE_SHOWN + 1], Fold::Hidden(34 - CODE_SHOWN));
            assert_eq!(folds.last(), Some(&Fold::Row(35)));
        }
    }

    #[test]
    fn a_line_without_an_end_is_folded() {
        let folds = folds(&"word ".repeat(12_000), 40);
        assert_eq!(folds.len(), TEXT_SHOWN + 1);
        assert_eq!(folds.last(), Some(&Fold::Hidden(1_500 - TEXT_SHOWN)));
    }
}
