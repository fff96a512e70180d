//! Which settings there are: one table, from which the file is read, `/set` shows and completes, and against which a test
//! holds `assets/config.toml`.

use super::value::{quoted, switch};
use super::{Pane, Popup, Settings, TimeFormat, Value, WORD_BYTES, WORDS};
use crate::client::tui::near;
use crate::protocol::text::Line;

/// Columns of the names beside what is said: less could not be told apart, and more leaves no room for what is said.
const NAMES_WIDTH: std::ops::RangeInclusive<i64> = 4..=40;

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Of this name there is only one, whatever its section.
    pub(crate) name: &'static str,
    /// The table of the file that it stands in.
    pub(crate) section: &'static str,
    /// What it does, for `/set`.
    pub(crate) help: &'static str,
    /// What it can be set to, where that can be listed.
    pub(crate) choices: &'static [&'static str],
    get: fn(&Settings) -> Value,
    put: fn(&mut Settings, Value) -> Result<(), String>,
}

const SWITCH: &[&str] = &["on", "off"];
const PANE: &[&str] = &["auto", "on", "off"];

/// The table, in the order in which `/set` shows it.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "theme",
        section: "screen",
        help: "how everything looks; auto fits the terminal, and /theme shows each",
        choices: &[],
        get: |settings| Value::Text(settings.theme.clone()),
        put: |settings, value| {
            settings.theme = text(value, "write \"auto\", or a name that /theme shows")?;
            Ok(())
        },
    },
    Setting {
        name: "time-format",
        section: "screen",
        help: "how times are written, as strftime has it; \"\" leaves them out",
        choices: &["%H:%M", "%H:%M:%S", "%-I:%M %p"],
        get: |settings| Value::Text(settings.time_format.as_str().to_owned()),
        put: |settings, value| {
            settings.time_format = TimeFormat::new(&text(value, "write \"%H:%M\"")?)?;
            Ok(())
        },
    },
    Setting {
        name: "names-width",
        section: "screen",
        help: "columns of the names beside what is said, at most",
        choices: &[],
        get: |settings| Value::Number(i64::try_from(settings.names_width).unwrap_or(i64::MAX)),
        put: |settings, value| {
            let (least, most) = NAMES_WIDTH.into_inner();
            let number = match value {
                Value::Number(number) if NAMES_WIDTH.contains(&number) => usize::try_from(number).ok(),
                _ => None,
            };
            settings.names_width =
                number.ok_or_else(|| format!("a number from {least} to {most} fits here"))?;
            Ok(())
        },
    },
    Setting {
        name: "rooms-pane",
        section: "screen",
        help: "the rooms at the left: auto shows them where there is room",
        choices: PANE,
        get: |settings| pane_value(settings.rooms_pane),
        put: |settings, value| {
            settings.rooms_pane = pane(value)?;
            Ok(())
        },
    },
    Setting {
        name: "people-pane",
        section: "screen",
        help: "the people at the right: auto shows them where there is room",
        choices: PANE,
        get: |settings| pane_value(settings.people_pane),
        put: |settings, value| {
            settings.people_pane = pane(value)?;
            Ok(())
        },
    },
    Setting {
        name: "noise",
        section: "screen",
        help: "who comes and leaves is shown",
        choices: SWITCH,
        get: |settings| Value::Switch(settings.noise),
        put: |settings, value| {
            settings.noise = on(value)?;
            Ok(())
        },
    },
    Setting {
        name: "completion",
        section: "screen",
        help: "what a word could become is shown: auto while it is typed, tab when that is pressed",
        choices: &["auto", "tab"],
        get: |settings| {
            let word = match settings.completion_popup {
                Popup::Auto => "auto",
                Popup::Tab => "tab",
            };
            Value::Text(word.to_owned())
        },
        put: |settings, value| {
            settings.completion_popup = match value {
                Value::Text(word) if word.eq_ignore_ascii_case("auto") => Popup::Auto,
                Value::Text(word) if word.eq_ignore_ascii_case("tab") => Popup::Tab,
                _ => return Err("it is auto or tab".to_owned()),
            };
            Ok(())
        },
    },
    Setting {
        name: "mouse",
        section: "screen",
        help: "the mouse chooses, opens and selects here; off: it is the terminal's",
        choices: SWITCH,
        get: |settings| Value::Switch(settings.mouse),
        put: |settings, value| {
            settings.mouse = on(value)?;
            Ok(())
        },
    },
    Setting {
        name: "find",
        section: "screen",
        help: "plain `parlor` looks for parlors on this network; off: it sends nothing there",
        choices: SWITCH,
        get: |settings| Value::Switch(settings.find),
        put: |settings, value| {
            settings.find = on(value)?;
            Ok(())
        },
    },
    Setting {
        name: "bell",
        section: "notices",
        help: "what rings is heard",
        choices: SWITCH,
        get: |settings| Value::Switch(settings.bell),
        put: |settings, value| {
            settings.bell = on(value)?;
            Ok(())
        },
    },
    Setting {
        name: "desktop",
        section: "notices",
        help: "what rings is told on the desktop, where the terminal can",
        choices: SWITCH,
        get: |settings| Value::Switch(settings.desktop),
        put: |settings, value| {
            settings.desktop = on(value)?;
            Ok(())
        },
    },
    Setting {
        name: "words",
        section: "notices",
        help: "what counts as your name beside it",
        choices: &[],
        get: |settings| Value::Words(settings.words.clone()),
        put: |settings, value| {
            settings.words = words(value)?;
            Ok(())
        },
    },
    Setting {
        name: "typing",
        section: "notices",
        help: "others see that you are typing",
        choices: SWITCH,
        get: |settings| Value::Switch(settings.typing),
        put: |settings, value| {
            settings.typing = on(value)?;
            Ok(())
        },
    },
];

/// The setting of this name.
pub(crate) fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// What is said of a name that no setting has.
pub(crate) fn unknown(name: &str) -> String {
    if name == "keys" {
        return "keys are bound in the settings file, under [keys]: /set says where it is".to_owned();
    }
    match near::nearest(name, SETTINGS.iter().map(|setting| setting.name)) {
        Some(near) => format!("there is no setting {}: did you mean {near}?", quoted(name)),
        None => format!("there is no setting {}: /set shows them all", quoted(name)),
    }
}

impl Setting {
    /// What it is set to.
    pub(crate) fn value(&self, settings: &Settings) -> Value {
        (self.get)(settings)
    }

    /// What it is without being set.
    pub(crate) fn default(&self) -> Value {
        (self.get)(&Settings::default())
    }

    /// What was typed behind it.
    pub(crate) fn typed(&self, typed: &str) -> Value {
        self.default().typed(typed)
    }

    /// Sets it. What is refused changes nothing.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(crate) fn put(&self, settings: &mut Settings, value: Value) -> Result<(), String> {
        (self.put)(settings, value)
    }
}

fn on(value: Value) -> Result<bool, String> {
    let wrong = || "it is on or off".to_owned();
    match value {
        Value::Switch(on) => Ok(on),
        Value::Text(word) => switch(&word).ok_or_else(wrong),
        Value::Number(_) | Value::Words(_) => Err(wrong()),
    }
}

fn text(value: Value, example: &str) -> Result<String, String> {
    match value {
        Value::Text(text) => Ok(text),
        _ => Err(format!("this is no text: {example}")),
    }
}

fn pane(value: Value) -> Result<Pane, String> {
    let wrong = || "it is auto, on or off".to_owned();
    match value {
        Value::Text(word) if word.eq_ignore_ascii_case("auto") => Ok(Pane::Auto),
        value => on(value).map(|on| if on { Pane::On } else { Pane::Off }).map_err(|_| wrong()),
    }
}

fn pane_value(pane: Pane) -> Value {
    Value::Text(
        match pane {
            Pane::Auto => "auto",
            Pane::On => "on",
            Pane::Off => "off",
        }
        .to_owned(),
    )
}

fn words(value: Value) -> Result<Vec<String>, String> {
    let given = match value {
        Value::Words(words) => words,
        Value::Text(word) => vec![word],
        Value::Switch(_) | Value::Number(_) => {
            return Err("words are a list: [\"ferris\", \"crab\"]".to_owned());
        }
    };
    let mut words: Vec<String> = Vec::new();
    for word in given {
        let word = word.to_lowercase();
        if word.len() > WORD_BYTES {
            return Err(format!("a word has at most {WORD_BYTES} bytes: choose a shorter one"));
        }
        let is_plain = Line::new(&word).is_ok_and(|line| line.as_str() == word);
        if word.is_empty() || !is_plain || word.contains(char::is_whitespace) {
            return Err("a word is one word, of letters and signs".to_owned());
        }
        if !words.contains(&word) {
            words.push(word);
        }
        if words.len() > WORDS {
            return Err(format!("{WORDS} words are enough: take some away"));
        }
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_put_as_it_is_shown() {
        for setting in SETTINGS {
            let mut settings = Settings::default();
            setting.put(&mut settings, setting.default()).unwrap();
            assert_eq!(settings, Settings::default(), "{}", setting.name);
            for choice in setting.choices {
                setting.put(&mut settings, setting.typed(choice)).unwrap();
                assert_eq!(setting.value(&settings).shown(), *choice, "{}", setting.name);
            }
        }
    }

    #[test]
    fn what_it_cannot_be_is_refused_in_words() {
        let refused = |name: &str, typed: &str| {
            let setting = setting(name).unwrap();
            let mut settings = Settings::default();
            let sentence = setting.put(&mut settings, setting.typed(typed)).unwrap_err();
            assert_eq!(settings, Settings::default());
            sentence
        };
        assert_eq!(refused("bell", "loud"), "it is on or off");
        assert_eq!(refused("rooms-pane", "left"), "it is auto, on or off");
        assert_eq!(refused("names-width", "3"), "a number from 4 to 40 fits here");
        assert_eq!(refused("names-width", "many"), "a number from 4 to 40 fits here");
        assert!(refused("time-format", "%!").contains("strftime"));
        assert_eq!(unknown("time-fromat"), "there is no setting \"time-fromat\": did you mean time-format?");
    }
}
