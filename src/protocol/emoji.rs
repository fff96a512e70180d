//! Emoji: which there are, and what people call them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use super::link;
use super::text::Raw;

/// One emoji of Unicode, as a reaction: with its skin tone, if it has one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Emoji(Arc<str>);

/// Not one emoji, but none, several, or a word.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("that is not an emoji: give one, as in 👍 or :thumbsup:")]
pub struct NotAnEmoji;

impl Emoji {
    /// One of those that Unicode has.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn new(raw: &str) -> Result<Self, NotAnEmoji> {
        // The table's spelling, so that the same emoji with and without its variation selector is one.
        emojis::get(raw).map(|emoji| Self(emoji.as_str().into())).ok_or(NotAnEmoji)
    }

    /// An emoji, or what people call it: `:tada:`, `tada`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn typed(raw: &str) -> Result<Self, NotAnEmoji> {
        Self::new(raw).or_else(|error| {
            let name = raw.strip_prefix(':').and_then(|name| name.strip_suffix(':')).unwrap_or(raw);
            named(name).map(|emoji| Self(emoji.into())).ok_or(error)
        })
    }

    /// The emoji.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The emoji that is called so, as `tada` is 🎉.
pub fn named(shortcode: &str) -> Option<&'static str> {
    emojis::get_by_shortcode(shortcode).map(emojis::Emoji::as_str)
}

/// The emoji whose names begin so, with their names, in the order of the names; the shortest name first.
pub fn beginning(start: &str) -> Vec<(&'static str, &'static str)> {
    let mut found: Vec<(&str, &str)> = emojis::iter()
        .flat_map(|emoji| emoji.shortcodes().map(move |name| (name, emoji.as_str())))
        .filter(|(name, _)| name.starts_with(start))
        .collect();
    found.sort_unstable_by_key(|(name, _)| (name.len(), *name));
    found
}

/// Puts an emoji in the place of each `:name:` that there is one for, but not within `code` nor in a link.
pub fn replace_shortcodes(text: &str) -> String {
    let links = link::links(text);
    let mut links = links.iter().peekable();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_code = false;
    while let Some(at) = rest.find([':', '`']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let here = text.len() - from.len();
        while links.next_if(|link| link.end <= here).is_some() {}
        let taken = if from.starts_with('`') {
            in_code = !in_code;
            from.bytes().take_while(|byte| *byte == b'`').count()
        } else if in_code || links.peek().is_some_and(|link| link.start <= here) {
            1
        } else if let Some((length, emoji)) = shortcode(from) {
            out.push_str(emoji);
            rest = &from[length..];
            continue;
        } else {
            1
        };
        let (shown, after) = from.split_at(taken);
        out.push_str(shown);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The emoji that `text` begins with the name of, and the bytes of that. "10:30:00" is a time, and "std::io" a path: only
/// what has a name is one.
fn shortcode(text: &str) -> Option<(usize, &'static str)> {
    let name = text.strip_prefix(':')?;
    let end = name.find(|c: char| !is_in_name(c)).filter(|end| name[*end..].starts_with(':'))?;
    named(&name[..end]).map(|emoji| (end + 2, emoji))
}

/// Whether a character may stand in the name of an emoji.
pub fn is_in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+')
}

impl fmt::Display for Emoji {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Emoji {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Emoji({})", self.0)
    }
}

impl Serialize for Emoji {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Emoji {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?;
        Self::new(&raw).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_is_one_of_unicode() {
        for raw in ["👍", "👍🏽", "👩‍👩‍👧", "🇨🇳", "❤️", "❤", "#️⃣"] {
            assert!(Emoji::new(raw).is_ok(), "{raw}");
        }
        for raw in ["", "a", "👍👍", ":)", "好", "\u{1b}[31m", "1"] {
            assert_eq!(Emoji::new(raw), Err(NotAnEmoji), "{raw}");
        }
        assert_eq!(Emoji::new("❤️"), Emoji::new("❤"));
        assert_eq!(Emoji::typed(":tada:").unwrap().as_str(), "🎉");
        assert_eq!(Emoji::typed("+1"), Emoji::new("👍"));
        assert!(Emoji::typed("no such thing").is_err());
    }

    #[test]
    fn names_become_emoji_and_nothing_else_does() {
        for (text, expected) in [
            ("done :tada:!", "done 🎉!"),
            (":+1::+1:", "👍👍"),
            ("at 10:30:00", "at 10:30:00"),
            ("std::io::Read", "std::io::Read"),
            (":nosuchthing: `:tada:` :tada:", ":nosuchthing: `:tada:` 🎉"),
            ("```\n:tada:\n``` :", "```\n:tada:\n``` :"),
            ("http://a:80/", "http://a:80/"),
            ("http://a.b/:tada:/ :tada:", "http://a.b/:tada:/ 🎉"),
            (":", ":"),
        ] {
            assert_eq!(replace_shortcodes(text), expected);
        }
    }

    #[test]
    fn names_are_completed_the_shortest_first() {
        let found = beginning("tad");
        assert_eq!(found.first(), Some(&("tada", "🎉")));
        assert!(beginning("").len() > 1000);
        assert!(beginning("zzzz").is_empty());
    }
}
