//! A theme's file, read: `assets/themes/parlor-dark.toml` says how one is written.

use ratatui::style::Modifier;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::colour::Ink;
use super::{PEOPLE, ROLES, Role};
use crate::protocol::text::Line;

/// What a theme was made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Background {
    /// Light letters on a dark ground.
    #[default]
    Dark,
    /// Dark letters on a light one.
    Light,
}

impl Background {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }
}

/// How something looks, as it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) fg: Option<Ink>,
    pub(super) bg: Option<Ink>,
    pub(super) modifiers: Modifier,
}

/// A theme, before it is known how many colours there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Definition {
    pub(super) name: String,
    /// A few words for the list.
    pub(super) about: String,
    /// `None`: for any.
    pub(super) background: Option<Background>,
    /// The ground that it was made for.
    pub(super) ground: Option<Ink>,
    /// That ground is painted; otherwise the terminal's own stays.
    pub(super) paint: bool,
    pub(super) roles: [Written; ROLES.len()],
    /// Colours of names; none, where names look like text.
    pub(super) people: Vec<Ink>,
}

impl Definition {
    pub(super) fn role(&self, role: Role) -> Written {
        self.roles.get(role as usize).copied().unwrap_or_default()
    }
}

/// Why a file is not a theme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Counted from 1; `None`, where it is no line's fault.
    pub(super) line: Option<usize>,
    pub(super) what: String,
}

const MODIFIERS: [(&str, Modifier); 6] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
    ("struck", Modifier::CROSSED_OUT),
];

/// How a colour is written, for those who wrote it otherwise.
const COLOURS: &str = "write #rrggbb, a number from 0 to 255, or a name as red or bright-red";

/// Reads the theme `name`. `find` gives the one that it extends, or says why there is none.
pub(super) fn read(
    name: &str,
    text: &str,
    find: &dyn Fn(&str) -> Result<Definition, String>,
) -> Result<Definition, Fault> {
    let line = |place: usize| Some(1 + text.bytes().take(place).filter(|byte| *byte == b'\n').count());
    let table = DeTable::parse(text).map_err(|error| {
        let what = format!("this is not TOML: {}", error.message());
        Fault { line: error.span().and_then(|span| line(span.start)), what }
    })?;
    let mut theme = Definition::default();
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    // What it extends comes first, wherever it stands.
    entries.sort_by_key(|(key, _)| (key.get_ref() != "extends", key.span().start));
    for (key, value) in entries {
        set(&mut theme, key.get_ref(), value, find)
            .map_err(|what| Fault { line: line(value.span().start), what })?;
    }
    theme.name = name.to_owned();
    Ok(theme)
}

/// Takes in one line.
fn set(
    theme: &mut Definition,
    key: &str,
    value: &Spanned<DeValue<'_>>,
    find: &dyn Fn(&str) -> Result<Definition, String>,
) -> Result<(), String> {
    let value = value.get_ref();
    let word = || value.as_str().ok_or_else(|| format!("put what {key} is between quotes"));
    match key {
        "extends" => {
            let about = std::mem::take(&mut theme.about);
            *theme = Definition { about, ..find(word()?)? };
        }
        "about" => theme.about = Line::lossy(word()?).to_string(),
        "background" => {
            theme.background = match word()? {
                "dark" => Some(Background::Dark),
                "light" => Some(Background::Light),
                "any" => None,
                _ => return Err("background is \"dark\", \"light\" or \"any\"".to_owned()),
            };
        }
        "ground" => theme.ground = Some(ink(value)?),
        "paint" => theme.paint = value.as_bool().ok_or("paint is true or false")?,
        "people" => {
            let inks = value.as_array().ok_or("people is a list: people = [\"#8ec5ec\", \"green\"]")?;
            if inks.len() > PEOPLE {
                return Err(format!("{PEOPLE} colours for people are enough: leave some out"));
            }
            theme.people = inks.iter().map(|value| ink(value.get_ref())).collect::<Result<_, _>>()?;
        }
        role => {
            let place = ROLES.iter().position(|(_, name)| *name == role);
            let Some(slot) = place.and_then(|place| theme.roles.get_mut(place)) else {
                let names: Vec<&str> = ROLES.iter().map(|(_, name)| *name).collect();
                let shown: String = role.chars().take(20).collect();
                return Err(format!("nothing is called {shown}: what has a look is {}", names.join(", ")));
            };
            *slot = match value {
                DeValue::Integer(_) => Written { fg: Some(ink(value)?), ..Written::default() },
                _ => look(word()?)?,
            };
        }
    }
    Ok(())
}

fn ink(value: &DeValue<'_>) -> Result<Ink, String> {
    let word = match value {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
        value => value.as_str().unwrap_or_default(),
    };
    Ink::parse(word).ok_or_else(|| format!("{} is no colour: {COLOURS}", shown(word)))
}

/// Reads `#8ec5ec bold on #202020`: colours and modifiers, in any order.
fn look(text: &str) -> Result<Written, String> {
    let mut written = Written::default();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        if let Some((_, modifier)) = MODIFIERS.iter().find(|(name, _)| *name == word) {
            written.modifiers |= *modifier;
        } else if word == "on" {
            let ground = words.next().unwrap_or_default();
            let ink = Ink::parse(ground);
            written.bg = Some(ink.ok_or_else(|| format!("behind \"on\" comes a colour: {COLOURS}"))?);
        } else if let Some(ink) = Ink::parse(word) {
            written.fg = Some(ink);
        } else {
            let names = MODIFIERS.map(|(name, _)| name).join(", ");
            return Err(format!("{} is neither a colour nor one of {names}: {COLOURS}", shown(word)));
        }
    }
    Ok(written)
}

/// As much of a word as a sentence bears, and nothing in it that a terminal would obey.
fn shown(word: &str) -> String {
    if word.is_empty() {
        return "this".to_owned();
    }
    Line::lossy(&word.chars().take(20).collect::<String>()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> Result<Definition, String> {
        match name {
            "base" => read("base", "accent = 'green'\ndim = 244\nbackground = 'light'", &known)
                .map_err(|fault| fault.what),
            _ => Err(format!("there is no theme {name}")),
        }
    }

    #[test]
    fn a_theme_is_read_and_extends_another() {
        let text = "accent = \"bold #ff0000 on 17\"\nextends = \"base\"\npeople = [1, \"#010203\"]\npaint = true\nground = 255";
        let theme = read("mine", text, &known).unwrap();
        let accent =
            Written { fg: Some(Ink::Rgb([255, 0, 0])), bg: Some(Ink::Index(17)), modifiers: Modifier::BOLD };
        assert_eq!(theme.role(Role::Accent), accent);
        assert_eq!(theme.role(Role::Dim).fg, Some(Ink::Index(244)));
        assert_eq!((theme.background, theme.paint), (Some(Background::Light), true));
        assert_eq!((theme.people.len(), theme.name.as_str()), (2, "mine"));
    }

    #[test]
    fn what_is_wrong_says_where_and_what_to_do() {
        let wrong = |text: &str| {
            let fault = read("mine", text, &known).unwrap_err();
            format!("{}: {}", fault.line.unwrap_or(0), fault.what)
        };
        let many = format!("people = [{}]", "1, ".repeat(PEOPLE + 1));
        insta::assert_snapshot!([
            wrong("\n\naccent = 'blu'"),
            wrong("accent = 'red on'"),
            wrong("accent = 256"),
            wrong("accent = true"),
            wrong("# a\nacent = 'red'"),
            wrong("background = 'grey'"),
            wrong("paint = 1"),
            wrong("people = 'red'"),
            wrong(&many),
            wrong("dim = 1\nextends = 'nothing'"),
            wrong("accent = 'red"),
            wrong("accent = '\u{1b}]0;x'"),
        ].join("\n"), @r##"
        3: blu is neither a colour nor one of bold, dim, italic, underlined, reversed, struck: write #rrggbb, a number from 0 to 255, or a name as red or bright-red
        1: behind "on" comes a colour: write #rrggbb, a number from 0 to 255, or a name as red or bright-red
        1: 256 is no colour: write #rrggbb, a number from 0 to 255, or a name as red or bright-red
        1: put what accent is between quotes
        2: nothing is called acent: what has a look is text, strong, own, dim, rule, accent, news, mention, good, warning, error, link, code, keyword, string, number, comment, sign, selected, chosen, qr
        1: background is "dark", "light" or "any"
        1: paint is true or false
        1: people is a list: people = ["#8ec5ec", "green"]
        1: 32 colours for people are enough: leave some out
        2: there is no theme nothing
        1: this is not TOML: invalid literal string, expected `'`
        1: this is not TOML: invalid literal string, expected non-single-quote visible characters
        "##);
    }
}
