//! What can be changed while the server runs. Nobody who is in is disturbed by it.

use serde::{Deserialize as _, Deserializer, de};

use super::config::Limits;
use crate::protocol::limits::MOTD_BYTES;
use crate::protocol::text::{Text, TextError};

/// What holds now.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    /// How much of everything.
    pub limits: Limits,
    /// The message of the day: those hear it who come in.
    pub motd: Option<Text>,
}

/// A message of the day, as it is typed.
///
/// # Errors
/// A sentence that says what to do.
pub fn motd(typed: &str) -> Result<Text, String> {
    match Text::new(typed) {
        Ok(text) if text.as_str().len() <= MOTD_BYTES => Ok(text),
        Err(TextError::Empty) => Err("the message of the day is empty: leave it out for none".to_owned()),
        Ok(_) | Err(TextError::TooLong { .. }) => {
            let bytes = typed.len();
            Err(format!(
                "the message of the day has {bytes} bytes, and at most {MOTD_BYTES} are allowed: make it shorter"
            ))
        }
    }
}

/// The same in a configuration file.
pub(super) fn in_file<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    let typed = String::deserialize(deserializer)?;
    motd(&typed).map(Some).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_the_day_is_text_for_a_screen() {
        assert_eq!(motd("Welcome.\r\n\x1b[2JBe kind.\n").unwrap().as_str(), "Welcome.\n\u{FFFD}[2JBe kind.");
        assert!(motd(" \n").unwrap_err().contains("leave it out"));
        assert!(motd(&"x".repeat(MOTD_BYTES)).is_ok());
        for long in [MOTD_BYTES + 1, 1 << 20] {
            let error = motd(&"x".repeat(long)).unwrap_err();
            assert!(error.contains(&long.to_string()) && error.contains("4096"), "{error}");
        }
    }
}
