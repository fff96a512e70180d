//! The command about settings.

use super::{Completes, Entry, Slash};

/// What is asked of the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    /// To show them all.
    ShowAll,
    /// To show one.
    Show(String),
    /// To set one to what was typed.
    To(String, String),
    /// To give one its default again.
    Default(String),
}

/// The table.
pub(crate) const COMMANDS: &[Entry] = &[Entry {
    name: "set",
    short: &["settings"],
    arguments: "[NAME] [VALUE]",
    help: "show all settings, or one, or change it and keep it; VALUE default takes it back",
    completes: Completes::Settings,
    parse: |rest| {
        let (name, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        // In the file there is a sign between them, which fingers may write.
        let value = value.trim_start().trim_start_matches('=').trim_start();
        let name = name.to_owned();
        Ok(Slash::Set(match (name.as_str(), value) {
            ("", _) => Set::ShowAll,
            (_, "") => Set::Show(name),
            (_, "default") => Set::Default(name),
            (_, value) => Set::To(name, value.to_owned()),
        }))
    },
}];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tui::slash::{Input, parse};

    #[test]
    fn a_setting_is_named_and_set() {
        let set = |text: &str| match parse(text) {
            Ok(Input::Command(Slash::Set(set))) => set,
            other => panic!("{other:?}"),
        };
        let bell = || "bell".to_owned();
        assert_eq!(set("/set"), Set::ShowAll);
        assert_eq!(set("/set bell"), Set::Show(bell()));
        assert_eq!(set("/set bell  off "), Set::To(bell(), "off".to_owned()));
        assert_eq!(set("/set bell = off"), Set::To(bell(), "off".to_owned()));
        assert_eq!(set("/settings bell default"), Set::Default(bell()));
        assert_eq!(set("/set time-format %a %H"), Set::To("time-format".to_owned(), "%a %H".to_owned()));
    }
}
