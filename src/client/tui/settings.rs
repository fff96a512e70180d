//! What people set on the screen and want to find again: what they hear of, how it looks, and which key does what. One
//! file on this machine, `config.toml`, which is people's own: the program changes the lines that it is asked to change
//! and leaves the others as they are.
//!
//! | file | what it does |
//! |---|---|
//! | `table` | which settings there are, with their sections and what they mean |
//! | `value` | what a setting can be set to: in the file, typed, shown |
//! | `time_format` | how times are written |
//! | `read` | a file's text into settings, and into sentences about what is wrong with it |
//! | `edit` | one line of a text changed, and nothing else |
//! | `file` | the file: read, looked at, changed |

mod edit;
mod file;
mod read;
mod table;
mod time_format;
mod value;

use std::ops::Range;

pub use self::file::SettingsFile;
pub use self::read::{Fault, Origin, Reading};
pub(crate) use self::table::{SETTINGS, Setting, setting, unknown};
pub(crate) use self::time_format::TimeFormat;
pub use self::value::Value;
use super::keymap::Keymap;
use super::theme::AUTO;
use crate::protocol::mention;
use crate::protocol::name::Nick;

/// Words of one's own that count as one's name. Each message is looked through for all of them.
pub const WORDS: usize = 50;

/// Bytes of one of them: as much as a name has.
const WORD_BYTES: usize = crate::protocol::limits::NAME_BYTES;

/// What is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What rings is told on the desktop too, where the terminal can do that.
    pub desktop: bool,
    /// What rings is heard: the terminal's bell.
    pub bell: bool,
    /// Others are told that we are writing.
    pub typing: bool,
    /// Who came and who left is shown.
    pub noise: bool,
    /// The theme's name, or `auto` for the one that fits the terminal.
    pub theme: String,
    /// The mouse is ours from the start: it chooses, opens and selects here, and not for the terminal.
    pub mouse: bool,
    /// What counts as our name, in lower case.
    pub words: Vec<String>,
    /// How the time of a message is written.
    pub(crate) time_format: TimeFormat,
    /// Columns of the names beside what is said, at most.
    pub names_width: usize,
    /// Whether the rooms are shown at the side.
    pub rooms_pane: Pane,
    /// Whether the people are shown at the side.
    pub people_pane: Pane,
    /// What the keys do.
    pub(crate) keys: Keymap,
    /// When a list of what a word could become comes up.
    pub completion_popup: Popup,
    /// The launcher looks for parlors on this network.
    pub find: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            desktop: true,
            bell: true,
            typing: true,
            noise: true,
            words: Vec::new(),
            time_format: TimeFormat::default(),
            names_width: 16,
            rooms_pane: Pane::Auto,
            people_pane: Pane::Auto,
            keys: Keymap::default(),
            completion_popup: Popup::Auto,
            theme: AUTO.to_owned(),
            mouse: false,
            find: true,
        }
    }
}

/// Whether something is shown at the side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// Where the terminal is wide enough.
    Auto,
    /// Always.
    On,
    /// Never, unless a key asks for it.
    Off,
}

impl Pane {
    /// What was asked for; `None`: as the width allows.
    pub(crate) fn asked(self) -> Option<bool> {
        match self {
            Self::Auto => None,
            Self::On => Some(true),
            Self::Off => Some(false),
        }
    }
}

/// When a list of what a word could become comes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Popup {
    /// As soon as `/` begins a command, `:ta` an emoji or `@na` a name.
    Auto,
    /// When Tab is pressed.
    Tab,
}

/// One thing is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The setting of this name has this value, or its default again. The name MUST be one of the table's.
    Set(&'static str, Option<Value>),
}

impl Settings {
    /// Sets one thing.
    ///
    /// # Errors
    /// A sentence that says what to do, when it cannot be so.
    pub fn apply(&mut self, change: &Change) -> Result<(), String> {
        let Change::Set(name, value) = change;
        let setting = setting(name).ok_or_else(|| unknown(name))?;
        setting.put(self, value.clone().unwrap_or_else(|| setting.default()))
    }

    /// The words with one more, or without it.
    pub(crate) fn words_with(&self, word: &str, on: bool) -> Value {
        let word = word.to_lowercase();
        let mut words = self.words.clone();
        words.retain(|known| *known != word);
        if on {
            words.push(word);
        }
        Value::Words(words)
    }

    /// Where a text says our name, or a word of ours, or calls all who are here.
    pub(crate) fn find(&self, text: &str, me: &Nick) -> Option<Range<usize>> {
        mention::find(text, me.as_str()).or_else(|| self.find_word(text)).or_else(|| find_here(text))
    }

    /// Where a text says a word of ours.
    pub(crate) fn find_word(&self, text: &str) -> Option<Range<usize>> {
        self.words.iter().take(WORDS).find_map(|word| mention::find(text, word))
    }
}

/// Where a text calls all who are here.
pub(crate) fn find_here(text: &str) -> Option<Range<usize>> {
    // Most texts have no such sign, and are not looked through twice.
    if !text.contains('@') {
        return None;
    }
    let range = mention::find(text, "@here")?;
    let before = text[..range.start].chars().next_back();
    before.is_none_or(|c| !c.is_alphanumeric()).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tui::script::nick;

    fn words(words: &[&str]) -> Change {
        Change::Set("words", Some(Value::Words(words.iter().map(|word| (*word).to_owned()).collect())))
    }

    #[test]
    fn words_have_an_end() {
        let mut settings = Settings::default();
        let many: Vec<String> = (0..=WORDS).map(|number| format!("word{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(settings.apply(&words(&many)).is_err());
        settings.apply(&words(&many[1..])).unwrap();
        assert!(settings.apply(&words(&["x".repeat(WORD_BYTES + 1).as_str()])).is_err());
        for word in ["", "two words", "bell\u{7}"] {
            assert!(settings.apply(&words(&[word])).is_err(), "{word:?}");
        }
        assert_eq!(settings.words.len(), WORDS, "what is refused changes nothing");
    }

    #[test]
    fn names_words_and_everyone() {
        let mut settings = Settings::default();
        settings.apply(&words(&["Ferris", "ferris"])).unwrap();
        assert_eq!(settings.words, ["ferris"]);
        let found = |text: &str| settings.find(text, &nick("alice"));
        assert_eq!(found("hi @Alice"), Some(4..9));
        assert_eq!(found("FERRIS!"), Some(0..6));
        assert_eq!(found("well, @here"), Some(6..11));
        for text in ["me@here", "@hereby", "write to x@here.org", "ferrisy", "here"] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn a_setting_has_its_default_again() {
        let mut settings = Settings::default();
        settings.apply(&Change::Set("bell", Some(Value::Switch(false)))).unwrap();
        assert!(!settings.bell);
        settings.apply(&Change::Set("bell", None)).unwrap();
        assert_eq!(settings, Settings::default());
    }
}
