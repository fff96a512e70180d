//! Text that a terminal can be trusted with.
//!
//! MUST: nothing that came over the network is shown unless it is a [`Text`], a [`Line`] or a name
//! (`name.rs`). Each of these can only be made here, through [`sanitise`], also by serde. So the
//! server stores only such text, and a client does not depend on the server for it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;
use unicode_normalization::char::is_combining_mark;

use super::limits::{LINE_BYTES, MARKS_ON_A_LETTER, TEXT_BYTES};

/// Tag characters behind a black flag, at most: a region, a subdivision of it, and the end.
const TAGS_IN_A_FLAG: usize = 7;

/// Stands where something was taken out, so that taking out is never silent.
pub const MARK: char = '\u{FFFD}';

/// A string of somebody's JSON, not looked at yet: copied only where it has escapes. Of a plain [`Cow`] serde always makes a
/// copy, but in a field of just that type.
#[derive(Deserialize)]
pub(super) struct Raw<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Raw<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Why a text was refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TextError {
    /// Nothing in it that anyone could see.
    #[error("the text is empty: say something")]
    Empty,
    /// More bytes of UTF-8 than a text may have.
    #[error("the text has {bytes} bytes and at most {max} are allowed: send it in parts")]
    TooLong {
        /// Bytes that it has.
        bytes: usize,
        /// Bytes that it may have.
        max: usize,
    },
}

/// The text of a message: any number of lines, sanitised, 1 to [`TEXT_BYTES`] bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Text(Arc<str>);

/// A text of one line: a topic, a reason, a sentence for people. Sanitised, at most
/// [`LINE_BYTES`] bytes, may be empty.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Line(Arc<str>);

impl Text {
    /// Sanitises `raw` and takes the white space off its ends (not the indent of its first line).
    ///
    /// # Errors
    /// When nothing visible is left, or when it is too long.
    pub fn new(raw: &str) -> Result<Self, TextError> {
        if raw.len() > TEXT_BYTES {
            return Err(TextError::TooLong { bytes: raw.len(), max: TEXT_BYTES });
        }
        let clean = sanitise(raw);
        let trimmed = clean.trim_end().trim_start_matches('\n');
        if trimmed.chars().all(|c| c.is_whitespace() || is_invisible(c)) {
            return Err(TextError::Empty);
        }
        if trimmed.len() > TEXT_BYTES {
            return Err(TextError::TooLong { bytes: trimmed.len(), max: TEXT_BYTES });
        }
        Ok(Self(trimmed.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Line {
    /// Sanitises `raw`; line breaks and tabs become spaces.
    ///
    /// # Errors
    /// When it is too long.
    pub fn new(raw: &str) -> Result<Self, TextError> {
        let line = Self::lossy(raw);
        if raw.len() > LINE_BYTES || line.0.len() > LINE_BYTES {
            return Err(TextError::TooLong { bytes: raw.len().max(line.0.len()), max: LINE_BYTES });
        }
        Ok(line)
    }

    /// Sanitises `raw` and cuts it where it is too long: for our own sentences, which may quote
    /// what somebody sent.
    pub fn lossy(raw: &str) -> Self {
        let mut clean = sanitise(raw).replace(['\n', '\t'], " ");
        if clean.len() > LINE_BYTES {
            clean.truncate(clean.floor_char_boundary(LINE_BYTES - '…'.len_utf8()));
            clean.push('…');
        }
        Self(clean.trim().into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Makes `raw` harmless to a terminal, and marks with [`MARK`] where something was taken out:
///
/// - control characters (C0, DEL, C1), so escape sequences too; `\n` and `\t` stay, `\r\n` and the
///   Unicode line separators become `\n`;
/// - bidirectional overrides, embeddings and isolates, which make text read as what it is not;
/// - invisible characters that carry nothing (zero-width space, word joiner, byte order mark, soft
///   hyphen, tags outside a flag, …). Joiners and variation selectors stay: emoji and Persian need them;
/// - marks beyond [`MARKS_ON_A_LETTER`] on one letter;
/// - noncharacters and private use, which every font draws differently.
pub fn sanitise(raw: &str) -> String {
    // Most texts, in some languages nearly all, at a tenth of the cost.
    if raw.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')) {
        return raw.to_owned();
    }
    let mut out = String::with_capacity(raw.len());
    let mut marks = 0;
    let mut flag_tags = None;
    let mut chars = raw.chars().peekable();
    while let Some(c) = in_order(&mut chars) {
        let tag = ('\u{E0020}'..='\u{E007F}').contains(&c);
        flag_tags = match flag_tags {
            _ if c == '\u{1F3F4}' => Some(0),
            Some(tags) if tag && tags < TAGS_IN_A_FLAG => Some(tags + 1),
            _ => None,
        };
        marks = match c {
            _ if is_combining_mark(c) => marks + 1,
            // A joiner between two marks ends no tower.
            _ if is_invisible(c) => marks,
            _ => 0,
        };
        let keep = match c {
            '\n' | '\t' => true,
            _ if tag => flag_tags.is_some(),
            _ => !c.is_control() && !is_forbidden(c) && marks <= MARKS_ON_A_LETTER,
        };
        if keep {
            out.push(c);
        } else if !out.ends_with(MARK) {
            out.push(MARK);
        }
    }
    out
}

/// The next character, with all the ways to end a line made one.
fn in_order(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    Some(match chars.next()? {
        '\r' => {
            chars.next_if_eq(&'\n');
            '\n'
        }
        '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        c => c,
    })
}

/// Characters that a text must not have, besides controls, tags and towers of marks.
fn is_forbidden(c: char) -> bool {
    matches!(c,
        // Bidirectional embeddings, overrides and isolates (UAX #9). The marks (LRM, RLM, ALM) stay:
        // they only say which way a neutral character leans, and Hebrew and Arabic use them.
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
        // Invisible and meaningless in a chat: deprecated format controls, fillers, annotations.
        | '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}' | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}'
        | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E001F}' | '\u{E0080}'..='\u{E00FF}' | '\u{E01F0}'..='\u{E0FFF}'
        // Private use.
        | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}')
        // Noncharacters: the last two of each plane, and a block of their own.
        || (c as u32) & 0xFFFE == 0xFFFE
        || matches!(c, '\u{FDD0}'..='\u{FDEF}')
}

/// Characters that stay in a text but show nothing when they are alone.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200C}'..='\u{200F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
        || is_combining_mark(c)
}

/// Makes one line of JSON that came over the network fit to print to a terminal, and leaves its
/// meaning as it was: what [`sanitise`] would take out is written as `\uXXXX`. So are the ends of a line that only
/// some programs take for one, so that to all of them it is one line.
pub fn escape_json(json: &str) -> String {
    use fmt::Write as _;
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        let ends_a_line = matches!(c, '\u{2028}' | '\u{2029}');
        if c.is_control() || ends_a_line || is_forbidden(c) || ('\u{E0000}'..='\u{E007F}').contains(&c) {
            if c.is_ascii_whitespace() {
                // JSON allows raw white space only between its tokens, where a space means the same.
                out.push(' ');
                continue;
            }
            for unit in c.encode_utf16(&mut [0; 2]) {
                let written = write!(out, "\\u{unit:04x}");
                debug_assert!(written.is_ok(), "writing to a String does not fail");
            }
        } else {
            out.push(c);
        }
    }
    out
}

macro_rules! text_type {
    ($type:ident) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$type> for Arc<str> {
            fn from(text: $type) -> Self {
                text.0
            }
        }

        // What people say does not belong into a log by way of `{:?}`.
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({} bytes)", stringify!($type), self.0.len())
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let raw = Raw::deserialize(deserializer)?;
                Self::new(&raw).map_err(de::Error::custom)
            }
        }
    };
}
text_type!(Text);
text_type!(Line);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_string_is_copied_only_where_it_has_escapes() {
        let read = |json| serde_json::from_str::<Option<Raw<'_>>>(json).unwrap().unwrap().0;
        assert!(matches!(read(r#""漢字""#), Cow::Borrowed("漢字")));
        assert!(matches!(read(r#""a\tb""#), Cow::Owned(owned) if owned == "a\tb"));
    }

    #[test]
    fn escape_sequences_lose_their_teeth() {
        assert_eq!(sanitise("\x1b[31mred\x1b[0m"), "\u{FFFD}[31mred\u{FFFD}[0m");
        assert_eq!(sanitise("a\u{9b}2Jb"), "a\u{FFFD}2Jb");
        assert_eq!(sanitise("\x1b]52;c;AAAA\x07"), "\u{FFFD}]52;c;AAAA\u{FFFD}");
    }

    #[test]
    fn overrides_and_invisible_characters_leave_a_mark() {
        assert_eq!(sanitise("a\u{202E}b\u{2066}\u{200B}c"), "a\u{FFFD}b\u{FFFD}c");
        // Controls of shorthand, which nothing draws.
        assert_eq!(sanitise("a\u{1BCA0}\u{1BCA3}"), "a\u{FFFD}");
    }

    #[test]
    fn emoji_flags_and_persian_stay_whole() {
        for whole in ["👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "❤️", "👍🏽", "می‌خواهم", "e\u{301}", "漢字", "tab\tbed"]
        {
            assert_eq!(sanitise(whole), whole);
        }
    }

    #[test]
    fn tags_outside_a_flag_are_taken_out() {
        assert_eq!(sanitise("a\u{E0041}\u{E0042}"), "a\u{FFFD}");
    }

    #[test]
    fn joiners_do_not_make_towers_higher_and_flags_carry_no_letters() {
        let tower = format!("x{}", format!("{}\u{200C}", "\u{301}".repeat(8)).repeat(9));
        assert_eq!(sanitise(&tower).chars().filter(|c| *c == '\u{301}').count(), MARKS_ON_A_LETTER);
        let payload = format!("\u{1F3F4}{}", "\u{E0041}".repeat(100));
        assert_eq!(sanitise(&payload).chars().filter(|c| *c == '\u{E0041}').count(), TAGS_IN_A_FLAG);
    }

    #[test]
    fn all_line_ends_are_one() {
        assert_eq!(sanitise("a\r\nb\rc\u{2028}d"), "a\nb\nc\nd");
    }

    #[test]
    fn towers_of_marks_are_cut() {
        let tower = format!("x{}", "\u{301}".repeat(50));
        assert_eq!(sanitise(&tower).chars().filter(|c| *c == '\u{301}').count(), MARKS_ON_A_LETTER);
    }

    #[test]
    fn nothing_visible_is_empty() {
        for raw in ["", "  \n\t ", "\u{200D}\u{FE0F}", "\u{301}"] {
            assert_eq!(Text::new(raw), Err(TextError::Empty), "{raw:?}");
        }
    }

    #[test]
    fn the_longest_text_is_taken_and_one_more_byte_is_not() {
        assert!(Text::new(&"x".repeat(TEXT_BYTES)).is_ok());
        assert!(matches!(Text::new(&"x".repeat(TEXT_BYTES + 1)), Err(TextError::TooLong { .. })));
    }

    #[test]
    fn serde_goes_the_same_way() {
        let text: Text = serde_json::from_str(r#""\u001b[2Jhi""#).unwrap();
        assert_eq!(text.as_str(), "\u{FFFD}[2Jhi");
        assert!(serde_json::from_str::<Text>(r#""\n""#).is_err());
    }

    #[test]
    fn escaped_json_means_the_same() {
        let json = "{\"text\": \"a\u{9b}b\u{202e}c\u{E0041}d\u{2028}e\u{2029}\"}\n";
        let escaped = escape_json(json);
        assert!(!escaped.contains(['\u{9b}', '\u{202e}', '\n', '\u{2028}', '\u{2029}']));
        let (before, after): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(json).unwrap(), serde_json::from_str(&escaped).unwrap());
        assert_eq!(before, after);
    }

    proptest! {
        #[test]
        fn sanitised_text_is_safe_and_stays_so(raw in any::<String>()) {
            let clean = sanitise(&raw);
            prop_assert!(clean.chars().all(|c| c == '\n' || c == '\t' || (!c.is_control() && !is_forbidden(c))));
            prop_assert_eq!(sanitise(&clean), clean);
        }

        #[test]
        fn a_text_survives_the_wire(raw in any::<String>()) {
            if let Ok(text) = Text::new(&raw) {
                let json = serde_json::to_string(&text).unwrap();
                prop_assert_eq!(serde_json::from_str::<Text>(&json).unwrap(), text);
            }
        }
    }
}
