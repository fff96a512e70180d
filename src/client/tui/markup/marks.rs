//! Where stars, underlines and tildes are marks, and where they are what they are. Their tests are those of `inline`.

use unicode_width::UnicodeWidthChar;

/// Whether there is something between two marks that they can be about. "(*_*)" is a face, and `__init__`, in which they
/// are `underlines`, is a name.
pub(super) fn is_worth_marking(mut inside: impl Iterator<Item = char> + Clone, underlines: bool) -> bool {
    let says = inside.clone().any(|c| c.is_alphanumeric() || is_wide(c));
    let name = underlines && inside.all(|c| c.is_ascii_alphanumeric() || c == '_');
    says && !name
}

/// Whether a mark between these can begin something: at the beginning of a word, and not in a calculation, a path or
/// a face.
pub(super) fn may_open(before: &str, after: &str) -> bool {
    let outside = before
        .chars()
        .next_back()
        .is_none_or(|c| c.is_whitespace() || is_wide(c) || "([{<\"'“‘„«—–-…,.;:!?*_~".contains(c));
    let inside = after.chars().next().is_some_and(|c| !c.is_whitespace() && !".,;:!?)]}>-…".contains(c));
    outside && inside
}

/// Whether a mark between these can end something: at the end of a word.
pub(super) fn may_close(before: &str, after: &str) -> bool {
    let inside = before.chars().next_back().is_some_and(|c| !c.is_whitespace() && !"([{<,;-".contains(c));
    let mut after = after.chars();
    let outside = after.next().is_none_or(|c| match c {
        // "*a*." ends a sentence, "*a*.b" is something else.
        '.' | '-' => after.next().is_none_or(|next| !next.is_alphanumeric()),
        _ => c.is_whitespace() || is_wide(c) || ")]}>\"'”’“»—–…,;:!?*_~".contains(c),
    });
    inside && outside
}

/// Wide scripts are written without spaces: a mark may stand anywhere in them.
fn is_wide(c: char) -> bool {
    c.width() == Some(2)
}
