//! What people set on the screen and want to find again: what they hear of, and how. One file on this machine, for
//! people to read and to edit.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::client::StoreError;
use crate::client::store::{lock, replace};
use crate::protocol::mention;
use crate::protocol::name::Nick;

/// The file in the client's folder.
const FILE: &str = "screen.toml";

/// What stands at the top of it.
const ABOUT: &str = "# What you set in parlor by /notify, /highlight, /typing, /noise and /mouse.\n";

/// Words of one's own that count as one's name. Each message is looked through for all of them.
pub const WORDS: usize = 50;

/// Bytes of one of them: as much as a name has.
const WORD_BYTES: usize = crate::protocol::limits::NAME_BYTES;

/// Rooms with a rule of their own. Beyond it the file would be long to read, and nobody has an opinion of so many.
const RULES: usize = 1_000;

/// What is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// What rings is told on the desktop too, where the terminal can do that.
    pub desktop: bool,
    /// Others are told that we are writing.
    pub typing: bool,
    /// Who came and who left is shown.
    pub noise: bool,
    /// The mouse is ours from the start: it chooses, opens and selects here, and not for the terminal.
    pub mouse: bool,
    /// What counts as our name, in lower case.
    pub words: Vec<String>,
    /// What a room rings for, where that is not the usual: by `room_key`.
    pub rooms: BTreeMap<String, Rule>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            desktop: true,
            typing: true,
            noise: true,
            mouse: false,
            words: Vec::new(),
            rooms: BTreeMap::new(),
        }
    }
}

/// What a room rings for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Whatever is said.
    All,
    /// What says our name.
    Mentions,
    /// Nothing.
    Nothing,
}

impl Rule {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mentions => "mentions",
            Self::Nothing => "nothing",
        }
    }
}

/// One thing is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// See [`Settings::desktop`].
    Desktop(bool),
    /// See [`Settings::typing`].
    Typing(bool),
    /// See [`Settings::noise`].
    Noise(bool),
    /// See [`Settings::mouse`].
    Mouse(bool),
    /// A word counts as our name, or does not any more.
    Word(String, bool),
    /// What the room of this key rings for.
    Rule(String, Rule),
}

/// Under what a room is found: names alone are the same in many parlors.
pub(crate) fn room_key(parlor: uuid::Uuid, room: &crate::protocol::name::RoomName) -> String {
    format!("{parlor} {room}")
}

impl Settings {
    /// Sets one thing.
    ///
    /// # Errors
    /// A sentence that says what to do, when there is no place for it.
    pub fn apply(&mut self, change: &Change) -> Result<(), String> {
        match change {
            Change::Desktop(on) => self.desktop = *on,
            Change::Typing(on) => self.typing = *on,
            Change::Noise(on) => self.noise = *on,
            Change::Mouse(on) => self.mouse = *on,
            Change::Word(word, on) => {
                let word = word.to_lowercase();
                if word.len() > WORD_BYTES {
                    return Err(format!("a word has at most {WORD_BYTES} bytes: choose a shorter one"));
                }
                self.words.retain(|known| *known != word);
                if *on && self.words.len() >= WORDS {
                    return Err(format!("{WORDS} words are enough: /highlight -WORD removes one"));
                }
                if *on {
                    self.words.push(word);
                }
            }
            Change::Rule(room, rule) => {
                if self.rooms.len() >= RULES && !self.rooms.contains_key(room) {
                    return Err(format!("{RULES} rooms have a rule: remove some from {FILE}"));
                }
                self.rooms.insert(room.clone(), *rule);
            }
        }
        Ok(())
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

/// The file that keeps them.
#[derive(Clone, Debug)]
pub struct SettingsFile {
    path: PathBuf,
}

impl SettingsFile {
    /// The one in this folder, which is made when there is something to keep.
    pub fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join(FILE) }
    }

    /// What is set; the usual where there is no file.
    ///
    /// # Errors
    /// When there is one and it cannot be read or understood.
    pub fn load(&self) -> Result<Settings, StoreError> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Settings::default()),
            Err(error) => return Err(StoreError::reading(&self.path, error)),
        };
        toml::from_str(&text).map_err(|error| {
            let error = io::Error::new(io::ErrorKind::InvalidData, error.message().to_owned());
            StoreError::reading(&self.path, error)
        })
    }

    /// Keeps one change. What another client has changed meanwhile stays; so does a file that is not understood.
    ///
    /// # Errors
    /// When the file cannot be read, understood or written.
    pub fn keep(&self, change: &Change) -> Result<(), StoreError> {
        let _lock = lock(&self.path)?;
        let mut settings = self.load()?;
        // What there is no place for was refused where it was asked.
        if settings.apply(change).is_err() {
            return Ok(());
        }
        let text = toml::to_string(&settings).map_err(|error| {
            StoreError::reading(&self.path, io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
        })?;
        replace(&self.path, &format!("{ABOUT}{text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tui::script::nick;

    #[test]
    fn what_is_set_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = SettingsFile::in_folder(&folder.path().join("made"));
        assert_eq!(file.load().unwrap(), Settings::default());
        let changes = [
            Change::Desktop(false),
            Change::Noise(false),
            Change::Word("Ferris".to_owned(), true),
            Change::Word("crab".to_owned(), true),
            Change::Word("crab".to_owned(), false),
            Change::Rule("id #rust".to_owned(), Rule::All),
        ];
        let mut expected = Settings::default();
        for change in &changes {
            expected.apply(change).unwrap();
            file.keep(change).unwrap();
        }
        assert_eq!(file.load().unwrap(), expected);
        assert_eq!((expected.words, expected.typing), (vec!["ferris".to_owned()], true));
    }

    #[test]
    fn a_file_that_is_not_understood_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = SettingsFile::in_folder(folder.path());
        std::fs::write(folder.path().join(FILE), "noise = maybe").unwrap();
        assert!(file.load().unwrap_err().to_string().contains(FILE));
        assert!(file.keep(&Change::Noise(true)).is_err());
        assert_eq!(std::fs::read_to_string(folder.path().join(FILE)).unwrap(), "noise = maybe");
    }

    #[test]
    fn words_have_an_end() {
        let mut settings = Settings::default();
        for number in 0..WORDS {
            settings.apply(&Change::Word(format!("word{number}"), true)).unwrap();
        }
        assert!(settings.apply(&Change::Word("more".to_owned(), true)).is_err());
        assert!(settings.apply(&Change::Word("x".repeat(WORD_BYTES + 1), true)).is_err());
    }

    #[test]
    fn names_words_and_everyone() {
        let mut settings = Settings::default();
        settings.apply(&Change::Word("Ferris".to_owned(), true)).unwrap();
        let found = |text: &str| settings.find(text, &nick("alice"));
        assert_eq!(found("hi @Alice"), Some(4..9));
        assert_eq!(found("FERRIS!"), Some(0..6));
        assert_eq!(found("well, @here"), Some(6..11));
        for text in ["me@here", "@hereby", "write to x@here.org", "ferrisy", "here"] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
