//! Whether somebody's name is said in a text.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use super::code;

/// Where `nick` is said first in `text`, as a word of its own, in capitals or not.
pub fn find(text: &str, nick: &str) -> Option<Range<usize>> {
    text.char_indices().find_map(|(start, _)| {
        let before = text[..start].chars().next_back();
        let length = prefix(&text[start..], nick)?;
        let (said, after) = text[start..].split_at(length);
        let mut after = after.chars();
        let next = after.next();
        // "bob." ends a sentence, "bob.js" is something else.
        let end = match next {
            Some('.' | '-') => after.next(),
            other => other,
        };
        let parted = parted(before, said.chars().next()) && parted(said.chars().next_back(), end);
        parted.then_some(start..start + length)
    })
}

/// Whether somebody is named: in code a name means nobody.
pub fn is_named(text: &str, nick: &str) -> bool {
    // Most texts name nobody, and most that do hold no code.
    find(text, nick).is_some()
        && (!text.contains('`') || code::outside(text).iter().any(|part| find(part, nick).is_some()))
}

/// Bytes at the start of `text` that spell `nick`, capitals aside.
fn prefix(text: &str, nick: &str) -> Option<usize> {
    let mut wanted = nick.chars().flat_map(char::to_lowercase);
    let mut length = 0;
    let mut next = wanted.next();
    for c in text.chars() {
        if next.is_none() {
            break;
        }
        for lower in c.to_lowercase() {
            if Some(lower) != next {
                return None;
            }
            next = wanted.next();
        }
        length += c.len_utf8();
    }
    next.is_none().then_some(length)
}

/// Whether a word may end between two characters. Wide scripts are written without spaces, so
/// there it may always.
fn parted(left: Option<char>, right: Option<char>) -> bool {
    let (Some(left), Some(right)) = (left, right) else { return true };
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    let wide = |c: char| c.width() == Some(2);
    !letter(left) || !letter(right) || wide(left) || wide(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_as_a_word() {
        for text in ["bob", "hi Bob!", "(BOB)", "well, bob.", "@bob", "x bobby bob", "bob- no", "谢谢bob"] {
            assert!(find(text, "bob").is_some(), "{text}");
        }
        for text in ["bobby", "bob_2", "bob2", "bob.js", "bob-cat", "kabob", ""] {
            assert!(find(text, "bob").is_none(), "{text}");
        }
        assert!(find("李雷你好", "李雷").is_some());
        assert_eq!(find("ok, Éva?", "éva"), Some(4..8));
    }

    #[test]
    fn in_code_a_name_means_nobody() {
        for text in ["bob", "`bob` is you, bob", "```\nbob\n```\nbob", "`bob"] {
            assert!(is_named(text, "bob"), "{text}");
        }
        for text in ["`bob`", "x ``a bob`` y", "```\nlet bob = 1;\n```\nand `bob`", "```\nbob", "alice"] {
            assert!(!is_named(text, "bob"), "{text}");
        }
    }
}
