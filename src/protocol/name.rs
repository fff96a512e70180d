//! Nicks and room names: what is allowed, what counts as the same, and what merely looks the same.
//!
//! MUST: a name has no control or invisible character, is in NFC, takes 1 to a known number of
//! columns, and cannot be mistaken for the syntax around it (no white space, `#`, `@`, `:`, `/`).
//! Two names of which [`keys`] share one MUST NOT be in use at the same time for two things.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::GeneralSecurityProfile;
use unicode_security::confusable_detection::skeleton;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::limits::{DIRECT_PEOPLE, MARKS_ON_A_LETTER, NAME_BYTES, NICK_COLUMNS, ROOM_COLUMNS};
use super::text::Raw;

/// Why a name was refused, as a sentence that says what to do.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NameError {
    /// Nothing there.
    #[error("a name needs at least one letter or digit")]
    Empty,
    /// A character that a name must not have.
    #[error("{} cannot be part of a name: use letters, digits, - _ and .", shown(*.0))]
    Character(char),
    /// Not a letter or a digit in front.
    #[error("a name starts with a letter or a digit, not with {}", shown(*.0))]
    Start(char),
    /// Wider than the columns allowed.
    #[error("the name is {columns} columns wide and at most {max} are allowed: choose a shorter one")]
    TooWide {
        /// Columns that it takes.
        columns: usize,
        /// Columns that it may take.
        max: usize,
    },
    /// More bytes, or more marks on one letter, than a name may have.
    #[error("the name is too long: choose a shorter one")]
    TooLong,
    /// An `@`, and then not the numbers of people.
    #[error("a room for some alone is named by the server: ask it for one by `direct`")]
    NotDirect,
    /// A room name without its `#`.
    #[error("a room name starts with #, as in #lobby")]
    NoHash,
}

/// A character as an error may print it: itself if one can see it, otherwise its code point.
fn shown(c: char) -> String {
    if c.width().is_some_and(|w| w > 0) && GeneralSecurityProfile::identifier_allowed(c)
        || c.is_ascii_graphic()
    {
        format!("'{c}'")
    } else if c == ' ' {
        "a space".to_owned()
    } else {
        format!("U+{:04X}", c as u32)
    }
}

/// What a person is called: NFC, 1 to [`NICK_COLUMNS`] columns, as its owner spells it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nick(Arc<str>);

/// What a room is called: `@` and the numbers of people if it is only for these, and otherwise with its `#`: NFC and case folded, so that `#Rust` and `#rust` are one room;
/// 1 to [`ROOM_COLUMNS`] columns after the `#`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomName(Arc<str>);

impl Nick {
    /// Checks and normalises.
    ///
    /// # Errors
    /// A sentence that says what a nick may be.
    pub fn new(raw: &str) -> Result<Self, NameError> {
        if is_plain(raw, NICK_COLUMNS) {
            return Ok(Self(raw.into()));
        }
        let name: String = checked_length(raw)?.nfc().collect();
        check(&name, NICK_COLUMNS)?;
        Ok(Self(name.into()))
    }

    /// The nearest nick to what a system calls its user; `guest` where there is none.
    pub fn from_system(raw: &str) -> Self {
        let mut name = String::new();
        for c in raw.nfc().filter(|c| allowed(*c)).skip_while(|c| !c.is_alphanumeric()) {
            if name.width() + c.width().unwrap_or(0) > NICK_COLUMNS || name.len() + c.len_utf8() > NAME_BYTES
            {
                break;
            }
            name.push(c);
        }
        Self::new(&name).unwrap_or_else(|_| Self("guest".into()))
    }

    /// This nick with a number behind it, shortened where it must be: for one whose nick is taken.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        let suffix = number.to_string();
        let mut stem = self.0.to_string();
        while stem.width() + suffix.len() > NICK_COLUMNS || stem.len() + suffix.len() > NAME_BYTES {
            stem.pop();
        }
        Self::new(&(stem + &suffix)).unwrap_or_else(|_| self.clone())
    }

    /// The nick.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands for this nick where nicks are compared; see [`keys`].
    pub fn keys(&self) -> [String; 2] {
        keys(&self.0)
    }
}

impl RoomName {
    /// Checks, normalises and folds.
    ///
    /// # Errors
    /// A sentence that says what a room name may be.
    pub fn new(raw: &str) -> Result<Self, NameError> {
        if raw.strip_prefix('#').is_some_and(|name| is_plain(name, ROOM_COLUMNS)) {
            return Ok(Self(raw.to_ascii_lowercase().into()));
        }
        if raw.starts_with('@') {
            let people = members(raw).and_then(|people| Self::direct(&people));
            return people.filter(|name| name.as_str() == raw).ok_or(NameError::NotDirect);
        }
        let name = checked_length(raw)?.strip_prefix('#').ok_or(NameError::NoHash)?;
        let name = fold(&name.nfc().collect::<String>());
        check(&name, ROOM_COLUMNS)?;
        let name = format!("#{name}");
        if name.len() > NAME_BYTES {
            return Err(NameError::TooLong);
        }
        Ok(Self(name.into()))
    }

    /// The room that everyone knows: a client that was told no other joins this one.
    pub fn lobby() -> Self {
        Self("#lobby".into())
    }

    /// The same for what a person typed, who may leave out the `#`.
    ///
    /// # Errors
    /// A sentence that says what a room name may be.
    pub fn typed(raw: &str) -> Result<Self, NameError> {
        if raw.starts_with('#') { Self::new(raw) } else { Self::new(&format!("#{raw}")) }
    }

    /// The room that is only for these people, by their numbers: one (for notes to oneself) to [`DIRECT_PEOPLE`]. What it is
    /// called to its members are their names.
    pub fn direct(people: &BTreeSet<u64>) -> Option<Self> {
        if people.is_empty() || people.len() > DIRECT_PEOPLE {
            return None;
        }
        let people: Vec<String> = people.iter().map(u64::to_string).collect();
        Some(Self(format!("@{}", people.join("+")).into()))
    }

    /// Whom it is for, if it is only for some.
    pub fn members(&self) -> Option<BTreeSet<u64>> {
        members(&self.0)
    }

    /// Whether it is only for some, and its name the numbers of these.
    pub fn is_direct(&self) -> bool {
        self.0.starts_with('@')
    }

    /// The name with its `#`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands for this name where room names are compared; see [`keys`].
    pub fn keys(&self) -> [String; 2] {
        keys(&self.0[1..])
    }
}

/// The numbers in the name of a room that is only for some.
fn members(name: &str) -> Option<BTreeSet<u64>> {
    // Digits that say nothing cost nothing more.
    let numbers = name.strip_prefix('@').filter(|numbers| numbers.len() <= DIRECT_PEOPLE * 21)?;
    numbers.split('+').map(|number| number.parse().ok()).collect()
}

/// What stands for a name where names are compared: its skeleton by UTS #39 ("paypaI" with a capital i
/// has that of "paypal"), as it is spelled and after case folding. Two names that share a key look
/// alike or are the same.
pub fn keys(name: &str) -> [String; 2] {
    let as_spelled: String = skeleton(name).collect();
    let folded: String = skeleton(&fold(name)).collect();
    // Skeletons of skeletons may hold capitals again ("rn" for "m" does not, "O" for "0" does).
    [fold(&as_spelled), fold(&folded)]
}

fn fold(name: &str) -> String {
    caseless::default_case_fold_str(name).nfc().collect()
}

fn checked_length(raw: &str) -> Result<&str, NameError> {
    // Before anything that costs time in proportion.
    if raw.len() > NAME_BYTES { Err(NameError::TooLong) } else { Ok(raw) }
}

fn allowed(c: char) -> bool {
    match c {
        '-' | '_' | '.' => true,
        _ if c.is_ascii() => c.is_ascii_alphanumeric(),
        // UTS #39: letters, marks and digits of the scripts in modern use. Joiners are among them.
        _ => {
            GeneralSecurityProfile::identifier_allowed(c)
                && !matches!(c, '\u{200C}' | '\u{200D}')
                && (c.width().is_some_and(|w| w > 0) || is_combining_mark(c))
        }
    }
}

/// Whether this is a name in ASCII, as nearly all are: to look it up in Unicode's tables would cost as much as all the
/// rest of a message that is said in a room.
fn is_plain(name: &str, max: usize) -> bool {
    name.len() <= max
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
}

fn check(name: &str, max: usize) -> Result<(), NameError> {
    let Some(first) = name.chars().next() else { return Err(NameError::Empty) };
    if let Some(bad) = name.chars().find(|c| !allowed(*c)) {
        return Err(NameError::Character(bad));
    }
    if !first.is_alphanumeric() || is_combining_mark(first) {
        return Err(NameError::Start(first));
    }
    let mut marks = 0;
    for c in name.chars() {
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        if marks > MARKS_ON_A_LETTER {
            return Err(NameError::TooLong);
        }
    }
    match name.width() {
        0 => Err(NameError::Empty),
        columns if columns > max => Err(NameError::TooWide { columns, max }),
        _ if name.len() > NAME_BYTES => Err(NameError::TooLong),
        _ => Ok(()),
    }
}

macro_rules! name_type {
    ($type:ident) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $type {
            type Err = NameError;
            fn from_str(raw: &str) -> Result<Self, NameError> {
                Self::new(raw)
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
name_type!(Nick);
name_type!(RoomName);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn alike(a: &str, b: &str) -> bool {
        let (a, b) = (Nick::new(a).unwrap().keys(), Nick::new(b).unwrap().keys());
        a.iter().any(|key| b.contains(key))
    }

    #[test]
    fn letters_of_all_the_world_are_welcome() {
        for name in ["alice", "李雷", "Łukasz", "Ольга", "さくら", "محمد", "नेहा", "x86-64", "a.b_c", "7of9"]
        {
            assert!(Nick::new(name).is_ok(), "{name}: {:?}", Nick::new(name));
        }
    }

    #[test]
    fn what_cannot_be_seen_or_could_mislead_is_refused() {
        for name in [
            "",
            " ",
            "a b",
            "a\u{200B}b",
            "a\u{200D}b",
            "\u{202E}evil",
            "a\u{7}b",
            "#a",
            "@a",
            "a:b",
            "a/b",
            "-a",
            ".a",
            "\u{301}a",
            "a\u{AD}b",
            "👍",
            "a\u{3164}",
            "ａ",
        ] {
            assert!(Nick::new(name).is_err(), "{name:?}");
        }
    }

    proptest! {
        /// What is decided without Unicode's tables is decided as by them.
        #[test]
        fn plain_names_are_names(name in "[ -~]{0,26}") {
            let by_the_tables = |name: &str, max| check(&fold(name), max).is_ok();
            prop_assert_eq!(Nick::new(&name).is_ok(), by_the_tables(&name, NICK_COLUMNS));
            let room = RoomName::new(&format!("#{name}"));
            prop_assert_eq!(room.as_ref().is_ok(), by_the_tables(&name, ROOM_COLUMNS));
            if let Ok(room) = room {
                prop_assert_eq!(room.as_str(), format!("#{}", fold(&name)));
            }
        }
    }

    #[test]
    fn a_room_for_some_is_named_by_their_numbers() {
        let name = RoomName::direct(&BTreeSet::from([17, 3])).unwrap();
        assert_eq!((name.as_str(), name.is_direct()), ("@3+17", true));
        assert_eq!(RoomName::new("@3+17"), Ok(name.clone()));
        assert_eq!(name.members(), Some(BTreeSet::from([3, 17])));
        for wrong in
            ["@", "@17+3", "@3+3", "@03", "@+3", "@3+", "@bob", "@3+-1", "@99999999999999999999", "@ 3"]
        {
            assert_eq!(RoomName::new(wrong), Err(NameError::NotDirect), "{wrong}");
        }
        let many: BTreeSet<u64> = (0..13).collect();
        assert_eq!(RoomName::direct(&many), None);
        assert_eq!(RoomName::direct(&BTreeSet::new()), None);
        assert!(!RoomName::lobby().is_direct() && RoomName::lobby().members().is_none());
    }

    #[test]
    fn width_is_counted_in_columns() {
        assert!(Nick::new(&"漢".repeat(10)).is_ok());
        assert_eq!(Nick::new(&"漢".repeat(11)), Err(NameError::TooWide { columns: 22, max: 20 }));
        assert_eq!(Nick::new(&"a".repeat(65)), Err(NameError::TooLong));
    }

    #[test]
    fn names_that_look_alike_share_a_key() {
        assert!(alike("alice", "ALICE"));
        assert!(alike("alice", "аlice"), "Cyrillic а");
        assert!(alike("paypal", "paypaI"), "capital i");
        assert!(alike("modern", "modem"), "rn and m");
        assert!(alike("bob0", "bobO"), "zero and O");
        assert!(alike("straße", "strasse"));
        assert!(!alike("alice", "alicia"));
        assert!(!alike("bob", "bob2"));
    }

    #[test]
    fn composed_and_decomposed_are_one() {
        assert_eq!(Nick::new("e\u{301}va").unwrap(), Nick::new("éva").unwrap());
    }

    #[test]
    fn rooms_are_folded_and_keep_their_hash() {
        assert_eq!(RoomName::new("#Rust").unwrap().as_str(), "#rust");
        assert_eq!(RoomName::typed("Rust").unwrap().as_str(), "#rust");
        assert_eq!(RoomName::new("#lobby").unwrap(), RoomName::lobby());
        assert_eq!(RoomName::new("rust"), Err(NameError::NoHash));
        assert_eq!(RoomName::new("#"), Err(NameError::Empty));
        assert!(RoomName::new("#会議室").is_ok());
    }

    #[test]
    fn a_number_finds_its_place() {
        assert_eq!(Nick::new("bob").unwrap().numbered(2).as_str(), "bob2");
        let long = Nick::new(&"漢".repeat(10)).unwrap().numbered(12);
        assert!(long.as_str().ends_with("12") && long.as_str().width() <= NICK_COLUMNS);
    }

    #[test]
    fn every_system_name_becomes_a_nick() {
        assert_eq!(Nick::from_system("John Smith").as_str(), "JohnSmith");
        assert_eq!(Nick::from_system("").as_str(), "guest");
        assert_eq!(Nick::from_system("-.@").as_str(), "guest");
    }

    proptest! {
        #[test]
        fn an_accepted_name_is_accepted_again_unchanged(raw in "\\PC{1,24}") {
            if let Ok(nick) = Nick::new(&raw) {
                prop_assert_eq!(&Nick::new(nick.as_str()).unwrap(), &nick);
                prop_assert!((1..=NICK_COLUMNS).contains(&nick.as_str().width()));
                prop_assert_eq!(Nick::from_system(nick.as_str()), nick);
            }
        }

        #[test]
        fn folding_a_room_twice_changes_nothing(raw in "#\\w{1,12}") {
            if let Ok(room) = RoomName::new(&raw) {
                prop_assert_eq!(RoomName::new(room.as_str()).unwrap(), room);
            }
        }

        #[test]
        fn any_system_name_gives_a_nick(raw in any::<String>()) {
            let nick = Nick::from_system(&raw);
            prop_assert!(Nick::new(nick.as_str()).is_ok());
        }
    }
}
