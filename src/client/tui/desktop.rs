//! Notices on the desktop, for terminals that pass them on: which one does, and what is written to it.

use super::wrap;

/// Columns of a notice. Desktops show a line or two.
const COLUMNS: usize = 160;

/// Columns of its title.
const TITLE_COLUMNS: usize = 60;

/// How a terminal is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Desktop {
    /// By OSC 9, which has no title.
    Osc9,
    /// By OSC 777.
    Osc777,
}

impl Desktop {
    /// How this terminal is told, if it is known to pass notices on: others would show them as text, or take them for
    /// something else. Within tmux or screen nobody knows whether they get through, and the bell does.
    pub(crate) fn from_environment(look_up: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let variable = |name: &str| look_up(name).filter(|value| !value.is_empty());
        let term = variable("TERM").unwrap_or_default();
        if variable("TMUX").is_some() || variable("STY").is_some() {
            return None;
        }
        if ["tmux", "screen"].iter().any(|multiplexer| term.starts_with(multiplexer)) {
            return None;
        }
        match variable("TERM_PROGRAM").as_deref() {
            Some("iTerm.app" | "WezTerm") => return Some(Self::Osc9),
            Some("ghostty") => return Some(Self::Osc777),
            _ => {}
        }
        let known = ["xterm-kitty", "foot", "rxvt-unicode", "xterm-ghostty"];
        known.iter().any(|name| term.starts_with(name)).then_some(Self::Osc777)
    }

    /// What is written to the terminal.
    pub(crate) fn sequence(self, title: &str, body: &str) -> String {
        // A semicolon would end the title.
        let title = bounded(&title.replace(';', ","), TITLE_COLUMNS);
        let body = bounded(body, COLUMNS);
        match self {
            Self::Osc9 => format!("\x1b]9;{title}: {body}\x07"),
            Self::Osc777 => format!("\x1b]777;notify;{title};{body}\x07"),
        }
    }
}

/// One line without control characters, which would end the sequence and begin another one.
fn bounded(text: &str, columns: usize) -> String {
    // Nobody reads further, so no more is looked at.
    let text: String = text.chars().take(4 * columns).map(|c| if c.is_control() { ' ' } else { c }).collect();
    wrap::truncate(text.trim(), columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(variables: &[(&str, &str)]) -> Option<Desktop> {
        Desktop::from_environment(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn only_terminals_that_are_known_are_told() {
        assert_eq!(told(&[("TERM", "xterm-kitty")]), Some(Desktop::Osc777));
        assert_eq!(told(&[("TERM", "foot")]), Some(Desktop::Osc777));
        assert_eq!(told(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")]), Some(Desktop::Osc9));
        for variables in [
            &[("TERM", "xterm-256color")][..],
            &[("TERM", "linux")],
            &[],
            &[("TERM", "tmux-256color"), ("TERM_PROGRAM", "WezTerm")],
            &[("TERM", "xterm-kitty"), ("TMUX", "/tmp/x,1,0")],
        ] {
            assert_eq!(told(variables), None, "{variables:?}");
        }
    }

    #[test]
    fn nothing_gets_out_of_its_sequence() {
        let sequence = Desktop::Osc777.sequence("bob; in #a", "x\x1b]0;evil\x07\ny");
        assert_eq!(sequence, "\x1b]777;notify;bob, in #a;x ]0;evil  y\x07");
        let long = Desktop::Osc9.sequence("bob", &"long ".repeat(1000));
        assert!(long.starts_with("\x1b]9;bob: long") && long.chars().count() < COLUMNS + 20);
    }
}
