//! What the terminal can show, and whether it is dark or light.

use std::time::Duration;

use terminal_colorsaurus::{Error, QueryOptions, background_color};

use super::AUTO;
use super::file::Background;

/// How long the start waits for the terminal to say its ground: longer than a terminal on this machine needs, and
/// shorter than anybody notices. An answer from further away comes later, and is taken then: see [`super::late`].
const PATIENCE: Duration = Duration::from_millis(15);

/// How many colours there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colours {
    /// None: `NO_COLOR` is set. Bold, dim and signs remain.
    None,
    /// The terminal's own 16, which its theme has made readable on its background.
    #[default]
    Sixteen,
    /// 256.
    Many,
    /// As many as there are.
    True,
}

/// Beginnings of what terminals call themselves that show all colours, for where the environment does not come along,
/// as over ssh.
const TRUE: [&str; 6] = ["xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour"];

impl Colours {
    /// What the environment says; `variable` looks one up.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        if set("NO_COLOR").is_some() || term == "dumb" {
            return Self::None;
        }
        // GNU screen hands on what the terminal around it said of itself, and mixes such colours up.
        let handed_on = set("STY").is_some();
        let says = set("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit");
        let known = TRUE.iter().any(|known| term.starts_with(known)) || term.contains("direct");
        if !handed_on && (says || known || set("WT_SESSION").is_some()) {
            Self::True
        } else if term.contains("256color") || says {
            Self::Many
        } else {
            Self::Sixteen
        }
    }
}

/// What is known of the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// How many colours it has.
    pub colours: Colours,
    /// Whether it is dark; where nobody says, it is.
    pub background: Background,
}

impl Found {
    /// What the environment says; `variable` looks one up.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let background = variable("COLORFGBG").as_deref().and_then(colorfgbg).unwrap_or_default();
        Self { colours: Colours::from_environment(variable), background }
    }

    /// Asks the terminal for its ground, if something depends on it: no theme is named, and there are colours to choose
    /// from. Linux's console is not asked, which has no answer. Must come before anything else reads the terminal.
    pub(in crate::client::tui) async fn ask(
        &mut self,
        wished: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Answer {
        let linux = variable("TERM").is_some_and(|term| term == "linux");
        if wished != AUTO || linux || !matches!(self.colours, Colours::Many | Colours::True) {
            return Answer::Nothing;
        }
        // The connection goes on meanwhile.
        let answer = tokio::task::spawn_blocking(ask).await.unwrap_or(Answer::Nothing);
        if let Answer::Is(background) = answer {
            self.background = background;
        }
        answer
    }
}

/// What `COLORFGBG` says, which some terminals set: the numbers of the letters' colour and of the ground's.
fn colorfgbg(value: &str) -> Option<Background> {
    match value.rsplit(';').next()?.parse().ok()? {
        0..=6 | 8 => Some(Background::Dark),
        7 | 9..=15 => Some(Background::Light),
        _ => None,
    }
}

/// What the terminal answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client::tui) enum Answer {
    Is(Background),
    /// It does not say.
    Nothing,
    /// Not yet: what it says will come as if it were typed.
    NotYet,
}

/// Asks the terminal for its ground. Waits for at most [`PATIENCE`].
fn ask() -> Answer {
    let mut options = QueryOptions::default();
    options.timeout = PATIENCE;
    match background_color(options) {
        Ok(color) if color.perceived_lightness() > 0.5 => Answer::Is(Background::Light),
        Ok(_) => Answer::Is(Background::Dark),
        Err(Error::Timeout(_)) => Answer::NotYet,
        Err(_) => Answer::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)]) -> Found {
        Found::from_environment(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_says_how_many_colours_there_are() {
        for (variables, colours) in [
            (&[("TERM", "xterm-256color")][..], Colours::Many),
            (&[("TERM", "xterm"), ("COLORTERM", "truecolor")], Colours::True),
            (&[("TERM", "screen"), ("COLORTERM", "truecolor"), ("STY", "1.x")], Colours::Many),
            (&[("TERM", "screen"), ("STY", "1.x")], Colours::Sixteen),
            (&[("TERM", "xterm-kitty")], Colours::True),
            (&[("TERM", "linux")], Colours::Sixteen),
            (&[("TERM", "dumb"), ("COLORTERM", "truecolor")], Colours::None),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "1")], Colours::None),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "")], Colours::Many),
        ] {
            assert_eq!(found(variables).colours, colours, "{variables:?}");
        }
    }

    #[test]
    fn the_environment_may_say_what_the_ground_is() {
        for (value, background) in [
            ("15;0", Background::Dark),
            ("0;15", Background::Light),
            ("0;default;7", Background::Light),
            ("12;8", Background::Dark),
            ("0;default", Background::Dark),
            ("", Background::Dark),
        ] {
            assert_eq!(found(&[("COLORFGBG", value)]).background, background, "{value}");
        }
    }
}
