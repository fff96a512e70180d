//! What a setting can be set to.

use crate::client::tui::wrap;
use crate::protocol::text::Line;

/// Columns of what a sentence repeats of somebody's file or line: enough to know it again.
const QUOTED: usize = 30;

/// A value, whichever way it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// On or off.
    Switch(bool),
    /// A number.
    Number(i64),
    /// A word or a line.
    Text(String),
    /// Several words.
    Words(Vec<String>),
}

impl Value {
    /// The value that stands in a file. `None` for what is no setting's value, a date for example.
    pub(super) fn of_toml(value: &toml_edit::Value) -> Option<Self> {
        match value {
            toml_edit::Value::Boolean(on) => Some(Self::Switch(*on.value())),
            toml_edit::Value::Integer(number) => Some(Self::Number(*number.value())),
            toml_edit::Value::String(text) => Some(Self::Text(text.value().clone())),
            toml_edit::Value::Array(words) => {
                let words = words.iter().map(|word| word.as_str().map(str::to_owned));
                words.collect::<Option<_>>().map(Self::Words)
            }
            _ => None,
        }
    }

    /// As it stands in a file.
    pub(super) fn to_toml(&self) -> String {
        let value: toml_edit::Value = match self {
            Self::Switch(on) => (*on).into(),
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
            Self::Words(words) => words.iter().map(String::as_str).collect::<toml_edit::Array>().into(),
        };
        value.to_string().trim().to_owned()
    }

    /// What was typed, as the same kind of value as this one; what is not of that kind comes as a text, and is refused
    /// where it is put.
    pub(super) fn typed(&self, typed: &str) -> Self {
        match self {
            Self::Switch(_) => switch(typed).map(Self::Switch),
            Self::Number(_) => typed.parse().ok().map(Self::Number),
            Self::Text(_) => Some(Self::Text(unquoted(typed).to_owned())),
            Self::Words(_) => {
                let words = typed.split([',', ' ']).filter(|word| !word.is_empty());
                Some(Self::Words(words.map(str::to_owned).collect()))
            }
        }
        .unwrap_or_else(|| Self::Text(typed.to_owned()))
    }

    /// As people read it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Switch(true) => "on".to_owned(),
            Self::Switch(false) => "off".to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) if text.is_empty() => "\"\"".to_owned(),
            Self::Text(text) => text.clone(),
            Self::Words(words) if words.is_empty() => "none".to_owned(),
            Self::Words(words) => words.join(", "),
        }
    }
}

/// On or off, as people write it.
pub(super) fn switch(typed: &str) -> Option<bool> {
    match typed.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" => Some(true),
        "off" | "false" | "no" => Some(false),
        _ => None,
    }
}

/// A text may be typed with quotation marks, as in the file; an empty one must.
fn unquoted(typed: &str) -> &str {
    ['"', '\''].iter().find_map(|mark| typed.strip_prefix(*mark)?.strip_suffix(*mark)).unwrap_or(typed)
}

/// What somebody's file or line says, safe for a terminal and short.
pub(crate) fn quoted(raw: &str) -> String {
    // What is not shown need not be cleaned.
    let beginning: String = raw.chars().take(4 * QUOTED).collect();
    format!("\"{}\"", wrap::truncate(Line::lossy(&beginning).as_str(), QUOTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_of_the_settings_kind() {
        let words = Value::Words(Vec::new());
        assert_eq!(Value::Switch(true).typed("OFF"), Value::Switch(false));
        assert_eq!(Value::Switch(true).typed("maybe"), Value::Text("maybe".to_owned()));
        assert_eq!(Value::Number(1).typed("20"), Value::Number(20));
        assert_eq!(Value::Text(String::new()).typed("\"\""), Value::Text(String::new()));
        assert_eq!(words.typed("a, b c"), Value::Words(["a", "b", "c"].map(str::to_owned).to_vec()));
    }

    #[test]
    fn nothing_of_a_file_reaches_a_terminal_as_it_is() {
        let shown = quoted(&format!("a\u{1b}[31m\u{202e}{}", "long ".repeat(1000)));
        assert!(!shown.contains(['\u{1b}', '\u{202e}']) && wrap::columns(&shown) <= QUOTED + 2, "{shown}");
    }
}
