//! The look of everything on the screen. What a colour says is also said by a sign or by its place, so that nothing is
//! lost without colours.
//!
//! Themes are files: ours in `assets/themes`, people's own beside their settings. One says of each `Role` how it
//! looks; a [`Theme`] is that, for as many colours as this terminal has.
//!
//! | file | what it does |
//! |---|---|
//! | `colour` | how colours are written, and which of fewer comes nearest |
//! | `file` | reads a theme |
//! | `catalogue` | which themes there are |
//! | `legible` | measures whether one can read what they write |
//! | `detect` | what the terminal can show, and whether it is dark |
//! | `late` | what the terminal answers when we have stopped waiting |

mod catalogue;
mod colour;
mod detect;
mod file;
pub(super) mod late;
mod legible;

use ratatui::style::{Color, Modifier, Style};

pub(crate) use self::catalogue::Listed;
pub use self::catalogue::{OwnThemes, Themes};
pub use self::detect::{Colours, Found};
pub use self::file::Background;
use self::file::Definition;
use super::styled::{Kind, Look, Token};

/// The theme that fits the terminal.
pub const AUTO: &str = "auto";

/// Colours that a theme may have for people: more are not told apart.
const PEOPLE: usize = 32;

/// What has a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Text,
    Strong,
    Own,
    Dim,
    Rule,
    Accent,
    News,
    Mention,
    Good,
    Warning,
    Error,
    Link,
    Code,
    Keyword,
    String,
    Number,
    Comment,
    Sign,
    Selected,
    Chosen,
    Qr,
}

/// What they are called in a theme's file, in the order of [`Role`].
const ROLES: [(Role, &str); 21] = [
    (Role::Text, "text"),
    (Role::Strong, "strong"),
    (Role::Own, "own"),
    (Role::Dim, "dim"),
    (Role::Rule, "rule"),
    (Role::Accent, "accent"),
    (Role::News, "news"),
    (Role::Mention, "mention"),
    (Role::Good, "good"),
    (Role::Warning, "warning"),
    (Role::Error, "error"),
    (Role::Link, "link"),
    (Role::Code, "code"),
    (Role::Keyword, "keyword"),
    (Role::String, "string"),
    (Role::Number, "number"),
    (Role::Comment, "comment"),
    (Role::Sign, "sign"),
    (Role::Selected, "selected"),
    (Role::Chosen, "chosen"),
    (Role::Qr, "qr"),
];

/// FNV-1a, and then murmur's last step, which spreads short names well: stable between runs and
/// machines, unlike the standard library's.
fn hash(name: &str) -> u32 {
    let mut hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// How everything looks on this terminal. A few hundred bytes, copied for each pane and never for each cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Theme {
    roles: [Style; ROLES.len()],
    people: [Color; PEOPLE],
    /// How many of `people` there are.
    many: u8,
}

impl Default for Theme {
    fn default() -> Self {
        Self::new(Colours::default())
    }
}

impl Theme {
    /// What is shown on a dark terminal of so many colours where nothing else was wished.
    pub fn new(colours: Colours) -> Self {
        Themes::new(Found { colours, ..Found::default() }).pick_or_auto(AUTO)
    }

    /// A theme in so many colours.
    fn of(theme: &Definition, colours: Colours) -> Self {
        let color = |ink: colour::Ink| ink.among(colours).map(colour::Ink::color);
        let mut roles = [Style::new(); ROLES.len()];
        for (style, (role, _)) in roles.iter_mut().zip(ROLES) {
            let written = theme.role(role);
            style.fg = written.fg.and_then(color);
            style.bg = written.bg.and_then(color);
            style.add_modifier = written.modifiers;
            if colours == Colours::Sixteen && role != Role::Qr {
                let quiet = matches!(role, Role::Dim | Role::Rule | Role::Comment | Role::Sign);
                if quiet && written.fg.is_some() && style.fg.is_none() {
                    // Its grey is not among them, and the terminal's own grey is the ground of some terminals.
                    style.add_modifier |= Modifier::DIM;
                }
                if written.bg.is_some_and(|ink| !matches!(ink, colour::Ink::Index(0..16))) {
                    (style.fg, style.bg) = (None, None);
                    // What is a shade of the ground elsewhere is none here; the sign beside it remains.
                    if role != Role::Chosen {
                        style.add_modifier |= Modifier::REVERSED;
                    }
                }
            }
        }
        if theme.paint
            && matches!(colours, Colours::Many | Colours::True)
            && let Some(text) = roles.get_mut(Role::Text as usize)
        {
            text.bg = theme.ground.and_then(color);
        }
        let (mut people, mut many) = ([Color::Reset; PEOPLE], 0);
        for (place, color) in people.iter_mut().zip(theme.people.iter().filter_map(|ink| color(*ink))) {
            *place = color;
            many += 1;
        }
        Self { roles, people, many }
    }

    fn role(&self, role: Role) -> Style {
        self.roles.get(role as usize).copied().unwrap_or_default()
    }

    /// One of the colours for people.
    fn nth(&self, place: u64) -> Style {
        let place = place.checked_rem(u64::from(self.many)).and_then(|place| usize::try_from(place).ok());
        let color = place.and_then(|place| self.people.get(place));
        color.map_or_else(Style::new, |color| Style::new().fg(*color))
    }

    /// The name of somebody of whom nothing but the name is known: the same colour for the same name.
    pub(crate) fn person(self, nick: &str) -> Style {
        self.nth(u64::from(hash(&nick.to_lowercase())))
    }

    /// The name of somebody whose entries carry `author`, whatever they are called. Servers count these numbers, so
    /// people who came one after the other have different colours, and not neighbours in the list.
    pub(crate) fn author(self, author: u64) -> Style {
        let step = [5, 7, 11].into_iter().find(|step| !self.many.is_multiple_of(*step)).unwrap_or(1);
        self.nth(author.wrapping_mul(u64::from(step)))
    }

    /// What lies under everything: the letters of the talk, and the ground where it is painted.
    pub(crate) fn text(self) -> Style {
        self.role(Role::Text)
    }

    /// One's own name.
    pub(crate) fn own(self) -> Style {
        self.role(Role::Own)
    }

    /// What is read only when looked for: times, separators' captions, hints.
    pub(crate) fn dim(self) -> Style {
        self.role(Role::Dim)
    }

    /// Lines between panes.
    pub(crate) fn rule(self) -> Style {
        self.role(Role::Rule)
    }

    /// Headings, and the room in sight.
    pub(crate) fn strong(self) -> Style {
        self.role(Role::Strong)
    }

    /// A heading that stands on a line, and has not the line's colour.
    pub(crate) fn title(self) -> Style {
        Style::new().fg(Color::Reset).patch(self.text()).patch(self.strong())
    }

    /// Where the eye should go: the prompt, the marker of the room in sight, a key to press.
    pub(crate) fn accent(self) -> Style {
        self.role(Role::Accent)
    }

    /// The line "new", unread counts.
    pub(crate) fn news(self) -> Style {
        self.role(Role::News)
    }

    /// Somebody said our name.
    pub(crate) fn mention(self) -> Style {
        self.role(Role::Mention)
    }

    /// What is searched for, where it stands in a message.
    pub(crate) fn found(self) -> Style {
        self.news().add_modifier(Modifier::REVERSED)
    }

    /// All is well.
    pub(crate) fn good(self) -> Style {
        self.role(Role::Good)
    }

    /// Wait, it will pass.
    pub(crate) fn warning(self) -> Style {
        self.role(Role::Warning)
    }

    /// It went wrong.
    pub(crate) fn error(self) -> Style {
        self.role(Role::Error)
    }

    /// A QR code, which is light squares on a dark ground: there are readers that cannot read its negative.
    pub(crate) fn code(self) -> Style {
        self.role(Role::Qr)
    }

    /// A part of a message.
    pub(crate) fn look(self, look: Look) -> Style {
        let mut style = match look.kind {
            Kind::Text | Kind::Name | Kind::Block(Token::Plain) => Style::new(),
            Kind::Link => self.role(Role::Link),
            Kind::Code => self.role(Role::Code),
            Kind::Block(Token::Keyword) => self.role(Role::Keyword),
            Kind::Block(Token::String) => self.role(Role::String),
            Kind::Block(Token::Number) => self.role(Role::Number),
            Kind::Block(Token::Comment) => self.role(Role::Comment),
            Kind::Sign => self.role(Role::Sign),
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
        self.role(Role::Selected)
    }

    /// The message that is chosen, behind what it says: a sign stands beside it.
    pub(crate) fn chosen(self) -> Style {
        self.role(Role::Chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_its_place() {
        for (place, (role, name)) in ROLES.iter().enumerate() {
            assert_eq!(*role as usize, place, "{name}");
        }
    }

    #[test]
    fn a_person_keeps_a_colour() {
        let theme = Theme::new(Colours::Many);
        assert_eq!(theme.person("alice"), theme.person("Alice"));
        assert_ne!(theme.person("alice"), theme.person("bob"));
        assert_eq!(Theme::new(Colours::None).person("alice"), Style::new());
        assert_eq!(Theme::new(Colours::None).author(7), Style::new());
        // Who came one after the other is told apart.
        let colours: Vec<Style> = (u64::MAX - 11..=u64::MAX).map(|author| theme.author(author)).collect();
        for (place, style) in colours.iter().enumerate() {
            assert!(!colours[..place].contains(style), "{place}");
        }
    }

    #[test]
    fn what_sixteen_colours_cannot_show_is_shown_otherwise() {
        let themes = Themes::new(Found { colours: Colours::Sixteen, ..Found::default() });
        let theme = themes.pick("ember").unwrap();
        assert_eq!(theme.text().bg, None);
        assert_eq!(theme.dim().add_modifier, Modifier::DIM);
        assert_eq!(
            (theme.selected().bg, theme.selected().add_modifier),
            (None, Modifier::REVERSED | Modifier::BOLD)
        );
        assert_eq!(theme.chosen(), Style::new());
        assert_eq!(theme.error().fg, Some(Color::Red));
    }
}
