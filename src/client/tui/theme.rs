//! Colours and signs. What a colour says is also said by a sign or by its place, so that nothing is
//! lost without colours.

use ratatui::style::{Color, Modifier, Style};

use super::styled::{Kind, Look, Token};

/// How many colours there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colours {
    /// None: `NO_COLOR` is set. Bold, dim and signs remain.
    None,
    /// The terminal's own 16, which its theme has made readable on its background.
    #[default]
    Sixteen,
    /// 256. The ones used have a contrast of about 4 to 1 on black and on white.
    Many,
}

/// Colours of people: far from both black and white, and apart from each other.
const PEOPLE_MANY: [u8; 10] = [33, 166, 98, 64, 168, 136, 30, 133, 131, 29];
const PEOPLE_SIXTEEN: [Color; 6] =
    [Color::Cyan, Color::Green, Color::Magenta, Color::Yellow, Color::Blue, Color::Red];

/// FNV-1a, and then murmur's last step, which spreads short names well: stable between runs and
/// machines, unlike the standard library's.
fn hash(name: &str) -> u32 {
    let mut hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// The look of everything on the screen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Theme {
    colours: Colours,
}

impl Theme {
    /// A theme of so many colours.
    pub fn new(colours: Colours) -> Self {
        Self { colours }
    }

    /// The theme that fits what the environment says; `variable` looks one up.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let many = || {
            set("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit")
                || set("TERM").is_some_and(|value| value.contains("256color") || value.contains("direct"))
        };
        Self::new(if set("NO_COLOR").is_some() || set("TERM").as_deref() == Some("dumb") {
            Colours::None
        } else if many() {
            Colours::Many
        } else {
            Colours::Sixteen
        })
    }

    fn pick(self, many: u8, sixteen: Color) -> Style {
        match self.colours {
            Colours::None => Style::new(),
            Colours::Sixteen => Style::new().fg(sixteen),
            Colours::Many => Style::new().fg(Color::Indexed(many)),
        }
    }

    /// Another person's name: the same colour for the same name, everywhere and always.
    pub(crate) fn person(self, nick: &str) -> Style {
        let place = hash(nick) as usize;
        match self.colours {
            Colours::None => Style::new(),
            Colours::Sixteen => Style::new().fg(PEOPLE_SIXTEEN[place % PEOPLE_SIXTEEN.len()]),
            Colours::Many => Style::new().fg(Color::Indexed(PEOPLE_MANY[place % PEOPLE_MANY.len()])),
        }
    }

    /// One's own name.
    pub(crate) fn own(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is read only when looked for: times, separators' captions, hints.
    pub(crate) fn dim(self) -> Style {
        match self.colours {
            Colours::Many => Style::new().fg(Color::Indexed(244)),
            // The theme's own grey is the background of some themes; faint never is.
            Colours::None | Colours::Sixteen => Style::new().add_modifier(Modifier::DIM),
        }
    }

    /// Lines between panes.
    pub(crate) fn rule(self) -> Style {
        match self.colours {
            Colours::Many => Style::new().fg(Color::Indexed(242)).add_modifier(Modifier::DIM),
            Colours::None | Colours::Sixteen => Style::new().add_modifier(Modifier::DIM),
        }
    }

    /// Headings, and the room in sight.
    pub(crate) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Where the eye should go: the prompt, the marker of the room in sight, a key to press.
    pub(crate) fn accent(self) -> Style {
        self.pick(37, Color::Cyan)
    }

    /// The line "new", unread counts.
    pub(crate) fn news(self) -> Style {
        self.pick(166, Color::Yellow)
    }

    /// Somebody said our name.
    pub(crate) fn mention(self) -> Style {
        self.pick(162, Color::Magenta).add_modifier(Modifier::BOLD)
    }

    /// What is searched for, where it stands in a message.
    pub(crate) fn found(self) -> Style {
        self.news().add_modifier(Modifier::REVERSED)
    }

    /// All is well.
    pub(crate) fn good(self) -> Style {
        self.pick(71, Color::Green)
    }

    /// Wait, it will pass.
    pub(crate) fn warning(self) -> Style {
        self.pick(136, Color::Yellow)
    }

    /// It went wrong.
    pub(crate) fn error(self) -> Style {
        self.pick(167, Color::Red)
    }

    /// A QR code, which is light squares on a dark ground: there are readers that cannot read its negative.
    pub(crate) fn code(self) -> Style {
        match self.colours {
            Colours::None => Style::new(),
            Colours::Sixteen => Style::new().fg(Color::White).bg(Color::Black),
            Colours::Many => Style::new().fg(Color::Indexed(231)).bg(Color::Indexed(16)),
        }
    }

    /// A part of a message.
    pub(crate) fn look(self, look: Look) -> Style {
        let mut style = match look.kind {
            Kind::Text | Kind::Name | Kind::Block(Token::Plain) => Style::new(),
            Kind::Link => Style::new().add_modifier(Modifier::UNDERLINED),
            // Its backticks are gone, so without colours something else must say that it is code.
            Kind::Code if self.colours == Colours::None => Style::new().add_modifier(Modifier::REVERSED),
            Kind::Code => self.pick(67, Color::Cyan),
            Kind::Block(Token::Keyword) => self.pick(133, Color::Magenta).add_modifier(Modifier::BOLD),
            Kind::Block(Token::String) => self.pick(64, Color::Green),
            Kind::Block(Token::Number) => self.pick(136, Color::Yellow),
            Kind::Block(Token::Comment) => self.dim().add_modifier(Modifier::ITALIC),
            Kind::Sign => self.dim(),
        };
        for (wanted, modifier) in [
            (look.bold, Modifier::BOLD),
            (look.italic, Modifier::ITALIC),
            // Not every terminal strikes through; faint is what is left then.
            (look.strike, Modifier::CROSSED_OUT | Modifier::DIM),
        ] {
            if wanted {
                style = style.add_modifier(modifier);
            }
        }
        style
    }

    /// One chosen line of a list.
    pub(crate) fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colours(variables: &[(&str, &str)]) -> Colours {
        let look_up = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Theme::from_environment(look_up).colours
    }

    #[test]
    fn the_environment_decides() {
        assert_eq!(colours(&[("TERM", "xterm-256color")]), Colours::Many);
        assert_eq!(colours(&[("TERM", "xterm"), ("COLORTERM", "truecolor")]), Colours::Many);
        assert_eq!(colours(&[("TERM", "linux")]), Colours::Sixteen);
        assert_eq!(colours(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), Colours::None);
        assert_eq!(colours(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), Colours::Many);
    }

    #[test]
    fn a_name_keeps_its_colour() {
        let theme = Theme::new(Colours::Many);
        assert_eq!(theme.person("alice"), theme.person("alice"));
        assert_ne!(theme.person("alice"), theme.person("bob"));
        assert_eq!(Theme::new(Colours::None).person("alice"), Style::new());
    }
}
