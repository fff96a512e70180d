//! A file's text into settings. What is not understood is told with its line, and the rest holds all the same.

use std::collections::BTreeMap;
use std::fmt;

use toml_edit::{Document, Item, TableLike};

use super::Settings;
use super::table::{SETTINGS, setting, unknown};
use super::value::{Value, quoted};
use crate::client::tui::keymap::{Action, ForChosen, Key, NONE};
use crate::client::tui::near;
use crate::protocol::text::Line;

/// Faults that are told of one file. Whoever has so many begins with the first ones.
const FAULTS: usize = 50;

/// Tables beside those of the settings: the keys, and under them those about a chosen message.
const KEYS: &str = "keys";
const READING: &str = "reading";

/// What stands for a value that no setting has, a date for example: each refuses it in its own words.
const NO_VALUE: Value = Value::Number(-1);

/// Something in a file that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// From 1 on; `None` where it is about the whole file.
    pub(crate) line: Option<usize>,
    pub(crate) says: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.says),
            None => write!(f, "{}", self.says),
        }
    }
}

/// Where settings come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The file with its folders, safe for a terminal; empty if there is none.
    pub(crate) path: String,
    /// The file alone.
    pub(crate) name: String,
    /// It is there.
    pub(crate) exists: bool,
    /// In which line a setting stands, by its name.
    pub(crate) lines: BTreeMap<&'static str, usize>,
    /// What is wrong with it.
    pub(crate) faults: Vec<Fault>,
}

impl Origin {
    /// What is wrong, in a sentence; `None` if nothing is.
    pub(crate) fn complaint(&self) -> Option<String> {
        let first = self.faults.first()?;
        let name = &self.name;
        let more = match self.faults.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more: /set shows them"),
        };
        Some(match first.line {
            Some(line) => format!("{name}, line {line}: {}{more}", first.says),
            None => format!("{name}: {}{more}", first.says),
        })
    }
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// `None` where the text is no TOML at all: what held before holds on.
    pub(crate) settings: Option<Settings>,
    pub(crate) origin: Origin,
}

/// Reads a text. Whatever it is, something comes of it.
pub(super) fn read(text: &str) -> Reading {
    let mut reader =
        Reader { text, settings: Settings::default(), lines: BTreeMap::new(), faults: Vec::new() };
    let settings = match Document::parse(text) {
        Ok(document) => {
            reader.document(document.as_table());
            Some(reader.settings)
        }
        Err(error) => {
            let why = Line::lossy(error.message());
            let line = error.span().map(|span| line_of(text, span.start));
            let says =
                format!("this is not TOML ({}): nothing in it holds until that is right", why.as_str());
            reader.faults.push(Fault { line, says });
            None
        }
    };
    let origin = Origin { lines: reader.lines, faults: reader.faults, exists: true, ..Origin::default() };
    Reading { settings, origin }
}

struct Reader<'a> {
    text: &'a str,
    settings: Settings,
    lines: BTreeMap<&'static str, usize>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, line: usize, says: String) {
        if self.faults.len() < FAULTS {
            self.faults.push(Fault { line: Some(line), says });
        }
    }

    fn document(&mut self, document: &dyn TableLike) {
        for (line, name, item) in self.entries(document) {
            match (name, item.as_table_like()) {
                (KEYS, Some(keys)) => self.keys(keys),
                (section, Some(table)) if SETTINGS.iter().any(|setting| setting.section == section) => {
                    for (line, name, item) in self.entries(table) {
                        self.setting(section, line, name, item);
                    }
                }
                (_, Some(_)) => self.fault(line, unknown_section(name)),
                (name, None) => self.setting("", line, name, item),
            }
        }
        let keys = document.get(KEYS).and_then(Item::as_table_like);
        let keys = keys.map(|keys| self.entries(keys)).unwrap_or_default();
        for (key, action) in self.settings.keys.keep_needed() {
            let taken = keys.iter().rfind(|(_, name, _)| Key::read(name) == Ok(key));
            let line = taken.map_or(1, |(line, _, _)| *line);
            let (key, action) = (key.written(), action.name());
            self.fault(
                line,
                format!("no key was left for \"{action}\": {key} has it again, bind another one to it"),
            );
        }
        // Faults are read from the top.
        self.faults.sort_by_key(|fault| fault.line);
    }

    /// What stands in a table, with the number of its line.
    fn entries<'t>(&self, table: &'t dyn TableLike) -> Vec<(usize, &'t str, &'t Item)> {
        let line = |name: &str, item: &Item| {
            let span = table.key(name).and_then(toml_edit::Key::span).or_else(|| item.span());
            span.map_or(1, |span| line_of(self.text, span.start))
        };
        table.iter().map(|(name, item)| (line(name, item), name, item)).collect()
    }

    fn setting(&mut self, section: &str, line: usize, name: &str, item: &Item) {
        let Some(setting) = setting(name) else { return self.fault(line, unknown(name)) };
        if setting.section != section {
            return self.fault(line, format!("{name} belongs under [{}]: put it there", setting.section));
        }
        let value = item.as_value().and_then(Value::of_toml).unwrap_or(NO_VALUE);
        match setting.put(&mut self.settings, value) {
            Ok(()) => drop(self.lines.insert(setting.name, line)),
            Err(says) => self.fault(line, format!("{name}: {says}")),
        }
    }

    fn keys(&mut self, keys: &dyn TableLike) {
        for (line, name, item) in self.entries(keys) {
            if let (READING, Some(reading)) = (name, item.as_table_like()) {
                for (line, name, item) in self.entries(reading) {
                    self.key(line, name, item, |settings, key, action| {
                        let action = (action != NONE).then(|| ForChosen::named(action)).transpose()?;
                        settings.keys.bind_chosen(key, action)
                    });
                }
            } else {
                self.key(line, name, item, |settings, key, action| {
                    let action = (action != NONE).then(|| Action::named(action)).transpose()?;
                    settings.keys.bind(key, action)
                });
            }
        }
    }

    fn key(
        &mut self,
        line: usize,
        name: &str,
        item: &Item,
        bind: impl FnOnce(&mut Settings, Key, &str) -> Result<(), String>,
    ) {
        let bound = Key::read(name).map_err(|says| format!("{}: {says}", quoted(name))).and_then(|key| {
            let action =
                item.as_str().ok_or_else(|| format!("{} = \"help\" would be right", quoted(name)))?;
            let done = bind(&mut self.settings, key, action);
            done.map_err(|says| format!("{} = {}: {says}", quoted(name), quoted(action)))
        });
        if let Err(says) = bound {
            self.fault(line, says);
        }
    }
}

fn unknown_section(name: &str) -> String {
    let mut known: Vec<&str> = SETTINGS.iter().map(|setting| setting.section).collect();
    known.dedup();
    known.push(KEYS);
    match near::nearest(name, known.iter().copied()) {
        Some(near) => format!("there is no section {}: did you mean [{near}]?", quoted(name)),
        None => format!("there is no section {}: there are [{}]", quoted(name), known.join("], [")),
    }
}

/// The number of the line in which a byte stands, from 1 on.
pub(super) fn line_of(text: &str, byte: usize) -> usize {
    1 + text.as_bytes().iter().take(byte).filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn faults(text: &str) -> String {
        let reading = read(text);
        reading.origin.faults.iter().map(|fault| format!("{fault}\n")).collect()
    }

    #[test]
    fn what_is_right_holds_beside_what_is_wrong() {
        let text = "\
            bell = false\n\
            [screen]\n\
            time-format = \"%H:%M:%S\" # mine\n\
            time-fromat = \"%H\"\n\
            names-width = 100\n\
            noise = \"off\"\n\
            rooms-pane = 2026-11-21\n\
            [sceen]\n\
            x = 1\n\
            [notices]\n\
            words = [\"ferris\", 3]\n\
            desktop = \"off\"\n\
            [keys]\n\
            \"f5\" = \"next-news\"\n\
            \"ctrl-i\" = \"help\"\n\
            \"f6\" = \"next-rom\"\n\
            f7 = 3\n\
            x = \"help\"\n\
            [keys.reading]\n\
            x = \"delete\"\n\
            \"\\u001b[31m\" = \"evil\"\n";
        insta::assert_snapshot!(faults(text), @r#"
        line 1: bell belongs under [notices]: put it there
        line 4: there is no setting "time-fromat": did you mean time-format?
        line 5: names-width: a number from 4 to 40 fits here
        line 7: rooms-pane: it is auto, on or off
        line 8: there is no section "sceen": did you mean [screen]?
        line 11: words: words are a list: ["ferris", "crab"]
        line 15: "ctrl-i": to most terminals this is tab: name that, or another key
        line 16: "f6" = "next-rom": no key can do that: did you mean "next-room"?
        line 17: "f7" = "help" would be right
        line 18: "x" = "help": this key writes a letter: add ctrl or alt to it
        line 21: "�[31m": this is no key: they are called ctrl-x, alt-g, shift-up, f4, pgup, space and so on
        "#);
        let reading = read(text);
        let settings = reading.settings.unwrap();
        assert_eq!((settings.time_format.as_str(), settings.noise), ("%H:%M:%S", false));
        assert_eq!((settings.bell, settings.desktop, settings.names_width), (true, false, 16));
        assert_eq!(settings.keys.key_for(Action::NextNews), "F5");
        assert_eq!(reading.origin.lines.get("time-format"), Some(&3));
        let complaint = Origin { name: "config.toml".to_owned(), ..reading.origin }.complaint().unwrap();
        assert!(
            complaint.starts_with("config.toml, line 1: ") && complaint.ends_with("more: /set shows them")
        );
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        insta::assert_snapshot!(faults("[screen]\nnoise = maybe\n"), @"line 2: this is not TOML (string values must be quoted, expected literal string): nothing in it holds until that is right");
        assert_eq!(read("[screen").settings, None);
        assert_eq!(read("").settings, Some(Settings::default()));
    }

    #[test]
    fn enter_and_esc_come_back_where_nothing_else_is_left() {
        insta::assert_snapshot!(faults("[keys]\nenter = \"new-line\"\nesc = \"none\"\n"), @r#"
        line 2: no key was left for "send": enter has it again, bind another one to it
        line 3: no key was left for "close": esc has it again, bind another one to it
        "#);
        assert_eq!(faults("[keys]\nenter = \"new-line\"\nalt-enter = \"send\"\n"), "");
    }

    #[test]
    fn a_file_of_faults_ends() {
        let text: String = (0..10_000).map(|number| format!("a{number} = 1\n")).collect();
        assert_eq!(read(&text).origin.faults.len(), FAULTS);
    }

    /// The example with its settings uncommented.
    fn example() -> String {
        let example = include_str!("../../../../assets/config.toml");
        example.replace("\n#: ", "\n")
    }

    #[test]
    fn the_example_is_complete_and_true() {
        let reading = read(&example());
        assert_eq!(reading.origin.faults, []);
        assert_eq!(reading.settings, Some(Settings::default()), "it says another default");
        for setting in SETTINGS {
            assert!(reading.origin.lines.contains_key(setting.name), "{} is missing", setting.name);
        }
        let as_it_is = read(include_str!("../../../../assets/config.toml"));
        assert_eq!((as_it_is.origin.faults, as_it_is.origin.lines.len()), (Vec::new(), 0));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,80}|((\\[(screen|notices|keys|keys.reading)\\]|(bell|words|time-format|\"?(ctrl|alt)-\\PC\"?|\"[^\"]{0,3}\") ?= ?(true|7|\"\\PC{0,5}\"|\\[\"a\"\\]|\\{ a = 1 \\}))\r?\n){0,6}") {
            let reading = read(&text);
            prop_assert!(reading.settings.is_some() || !reading.origin.faults.is_empty());
            for fault in reading.origin.faults {
                prop_assert!(!fault.to_string().contains(char::is_control));
            }
        }
    }
}
