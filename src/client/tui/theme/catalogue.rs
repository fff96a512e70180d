//! Which themes there are: ours, and people's own.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::sync::LazyLock;

use super::file::{self, Background, Definition, Fault};
use super::legible::{self, Faint};
use super::{AUTO, Colours, Found, Theme};
use crate::protocol::text::Line;

/// Ours, in the order in which they are listed.
const FILES: [(&str, &str); 10] = [
    ("parlor-dark", include_str!("../../../../assets/themes/parlor-dark.toml")),
    ("parlor-light", include_str!("../../../../assets/themes/parlor-light.toml")),
    ("ember", include_str!("../../../../assets/themes/ember.toml")),
    ("night-train", include_str!("../../../../assets/themes/night-train.toml")),
    ("morning", include_str!("../../../../assets/themes/morning.toml")),
    ("letterpress", include_str!("../../../../assets/themes/letterpress.toml")),
    ("high-contrast", include_str!("../../../../assets/themes/high-contrast.toml")),
    ("high-contrast-light", include_str!("../../../../assets/themes/high-contrast-light.toml")),
    (TERMINAL, include_str!("../../../../assets/themes/terminal.toml")),
    (MONOCHROME, include_str!("../../../../assets/themes/monochrome.toml")),
];

/// The one that keeps to the terminal's own colours.
const TERMINAL: &str = "terminal";

/// The one without colours.
const MONOCHROME: &str = "monochrome";

/// Themes of one's own: more would be a list that nobody goes through.
const OWN: usize = 100;

/// Bytes of a theme's file: ours have two thousand.
const FILE_BYTES: u64 = 64 * 1024;

/// Bytes of a theme's name, which is written behind `/theme`.
const NAME_BYTES: usize = 40;

/// How many themes may extend one another in a row.
const DEPTH: usize = 8;

/// Ours.
pub(super) fn built_in() -> &'static [Definition] {
    static BUILT_IN: LazyLock<Vec<Definition>> = LazyLock::new(|| {
        // A test reads them all: one that cannot be read would be missing here, and nothing worse.
        FILES.iter().filter_map(|(name, text)| file::read(name, text, &ours).ok()).collect()
    });
    &BUILT_IN
}

/// A theme of ours. Ours extend nothing, so that each file shows all there is.
fn ours(name: &str) -> Result<Definition, String> {
    let text = FILES.iter().find(|(known, _)| *known == name).map(|(_, text)| text);
    let text = text.ok_or_else(|| no_theme(name))?;
    file::read(name, text, &|name| Err(no_theme(name))).map_err(|fault| fault.what)
}

/// That there is no theme of this name.
fn no_theme(name: &str) -> String {
    let shown = Line::lossy(&name.chars().take(NAME_BYTES).collect::<String>());
    format!("there is no theme {shown}: /theme lists them")
}

/// People's own themes, as they were read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnThemes {
    themes: Vec<Definition>,
    /// What is wrong with the others: by name, and as a sentence.
    faults: Vec<(String, String)>,
}

impl OwnThemes {
    /// Reads the themes in this folder. There need not be one. What cannot be read is told of in the list of themes.
    pub fn read(folder: &Path) -> Self {
        let mut own = Self::default();
        let mut texts = BTreeMap::new();
        let Ok(entries) = fs::read_dir(folder) else { return own };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
            let shown = Line::lossy(&entry.file_name().to_string_lossy()).to_string();
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
            if name.is_empty() || name == AUTO || name.len() > NAME_BYTES || !name.chars().all(plain) {
                let what = format!(
                    "{shown}: call it by lower-case letters, digits, - and _, at most {NAME_BYTES}, and not {AUTO}"
                );
                own.faults.push((name, what));
            } else if texts.len() >= OWN {
                own.faults.push((name, format!("{shown}: {OWN} themes are enough; remove some")));
            } else {
                match read_text(&path) {
                    Ok(text) => {
                        texts.insert(name, text);
                    }
                    Err(why) => own.faults.push((name, format!("{shown}: {why}"))),
                }
            }
        }
        own.take_in(&texts);
        own
    }

    /// Takes in themes by their names.
    fn take_in(&mut self, texts: &BTreeMap<String, String>) {
        for name in texts.keys() {
            match load(name, texts, DEPTH) {
                Ok(theme) => self.themes.push(theme),
                Err(Fault { line, what }) => {
                    let line = line.map(|line| format!(", line {line}")).unwrap_or_default();
                    self.faults.push((name.clone(), format!("{name}.toml{line}: {what}")));
                }
            }
        }
        self.faults.sort();
    }
}

fn read_text(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(FILE_BYTES + 1).read_to_string(&mut text));
    match read {
        Ok(_) if u64::try_from(text.len()).is_ok_and(|bytes| bytes <= FILE_BYTES) => Ok(text),
        Ok(_) => Err(format!("a theme has at most {FILE_BYTES} bytes")),
        Err(error) => Err(format!("it cannot be read: {error}")),
    }
}

/// The theme `name` among `texts`, which may extend others of them or of ours.
fn load(name: &str, texts: &BTreeMap<String, String>, depth: usize) -> Result<Definition, Fault> {
    let Some(text) = texts.get(name) else {
        return ours(name).map_err(|what| Fault { line: None, what });
    };
    file::read(name, text, &|base| {
        if depth == 0 {
            return Err(format!(
                "at most {DEPTH} themes extend one another, and none itself: write this one out"
            ));
        }
        // One that is called like ours, and extends it, means ours.
        if base == name {
            return ours(base);
        }
        load(base, texts, depth - 1).map_err(|fault| fault.what)
    })
}

/// All the themes, on this terminal.
#[derive(Clone, Debug, Default)]
pub struct Themes {
    found: Found,
    own: OwnThemes,
}

/// A theme in the list.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) about: String,
    /// What it is for: dark, light, or any.
    pub(crate) background: &'static str,
    pub(crate) theme: Theme,
    /// What in it is hard to read, as a sentence.
    pub(crate) faint: Option<String>,
}

impl Themes {
    /// Those of ours, on such a terminal.
    pub fn new(found: Found) -> Self {
        Self { found, own: OwnThemes::default() }
    }

    /// With these of one's own, in the place of any that were there.
    pub fn set_own(&mut self, own: OwnThemes) {
        self.own = own;
    }

    /// The terminal has said whether it is dark or light.
    pub(crate) fn set_background(&mut self, background: Background) {
        self.found.background = background;
    }

    /// Whether there are any colours.
    pub(crate) fn in_colours(&self) -> bool {
        self.found.colours != Colours::None
    }

    /// What is wrong with files that are no themes, as sentences.
    pub(crate) fn faults(&self) -> impl Iterator<Item = &str> {
        self.own.faults.iter().map(|(_, fault)| fault.as_str())
    }

    fn find(&self, name: &str) -> Option<&Definition> {
        let all = self.own.themes.iter().chain(built_in());
        let name = if name == AUTO { self.auto() } else { name };
        all.into_iter().find(|theme| theme.name == name)
    }

    /// The theme that fits the terminal.
    fn auto(&self) -> &'static str {
        match (self.found.colours, self.found.background) {
            (Colours::None, _) => MONOCHROME,
            (Colours::Sixteen, _) => TERMINAL,
            (_, Background::Dark) => "parlor-dark",
            (_, Background::Light) => "parlor-light",
        }
    }

    /// The theme of this name, or the one that fits.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn pick(&self, name: &str) -> Result<Theme, String> {
        let Some(theme) = self.find(name) else {
            let fault = self.own.faults.iter().find(|(faulty, _)| faulty == name);
            return Err(fault.map_or_else(|| no_theme(name), |(_, fault)| fault.clone()));
        };
        Ok(self.shown(theme))
    }

    /// The theme of this name; where there is none, the one that fits.
    pub(crate) fn pick_or_auto(&self, name: &str) -> Theme {
        let plain = || Theme::of(&Definition::default(), Colours::None);
        self.pick(name).or_else(|_| self.pick(AUTO)).unwrap_or_else(|_| plain())
    }

    fn shown(&self, theme: &Definition) -> Theme {
        // Without colours a theme that counts on them would not say what it says.
        let plain = built_in().iter().find(|theme| theme.name == MONOCHROME);
        let theme = plain.filter(|_| !self.in_colours()).unwrap_or(theme);
        Theme::of(theme, self.found.colours)
    }

    /// What in a theme is hard to read, as a sentence.
    pub(crate) fn faint(&self, name: &str) -> Option<String> {
        // Ours are measured by a test.
        let theme = self.own.themes.iter().find(|theme| theme.name == name)?;
        let faint = legible::faint(theme, self.found.colours);
        let Faint { what, contrast } = *faint.iter().min_by(|a, b| a.contrast.total_cmp(&b.contrast))?;
        let others = match faint.len() {
            1 => String::new(),
            many => format!(" and {} more", many - 1),
        };
        Some(format!("hard to read: {what} ({contrast:.1} to 1){others}; 4.5 is enough"))
    }

    /// The names of all, as they are listed.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let own = self.own.themes.iter().map(|theme| theme.name.as_str());
        let hidden = |name: &str| self.own.themes.iter().any(|theme| theme.name == name);
        let ours = built_in().iter().map(|theme| theme.name.as_str()).filter(move |name| !hidden(name));
        std::iter::once(AUTO).chain(ours).chain(own)
    }

    /// All of them.
    pub(crate) fn list(&self) -> Vec<Listed> {
        let listed = |name: &str| {
            let theme = self.find(name)?;
            let (about, background) = match name {
                AUTO => (format!("fits this terminal: {}", theme.name), None),
                _ => (theme.about.clone(), theme.background),
            };
            let background = if name == AUTO { "" } else { background.map_or("any", Background::word) };
            let (name, faint) = (name.to_owned(), self.faint(name));
            Some(Listed { name, about, background, theme: self.shown(theme), faint })
        };
        self.names().filter_map(listed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<const N: usize>(texts: [(&str, &str); N]) -> OwnThemes {
        let mut own = OwnThemes::default();
        own.take_in(&texts.map(|(name, text)| (name.to_owned(), text.to_owned())).into());
        own
    }

    fn with(own: OwnThemes) -> Themes {
        let mut themes = Themes::new(Found { colours: Colours::True, ..Found::default() });
        themes.set_own(own);
        themes
    }

    #[test]
    fn all_of_ours_are_read_and_say_what_they_are() {
        for (name, text) in FILES {
            let theme = file::read(name, text, &ours).unwrap_or_else(|fault| panic!("{name}: {fault:?}"));
            assert!(!theme.about.is_empty() && theme.ground.is_some() == theme.paint, "{name}");
        }
        assert_eq!(built_in().len(), FILES.len());
    }

    #[test]
    fn the_terminal_decides_unless_one_is_named() {
        for (colours, background, name) in [
            (Colours::None, Background::Light, MONOCHROME),
            (Colours::Sixteen, Background::Light, TERMINAL),
            (Colours::Many, Background::Light, "parlor-light"),
            (Colours::True, Background::Dark, "parlor-dark"),
        ] {
            let themes = Themes::new(Found { colours, background });
            assert_eq!(themes.auto(), name);
            assert_eq!(themes.pick(AUTO), themes.pick(name));
        }
        // Without colours each is the one without colours.
        let themes = Themes::new(Found { colours: Colours::None, ..Found::default() });
        assert_eq!(themes.pick("ember"), themes.pick(MONOCHROME));
    }

    #[test]
    fn themes_of_ones_own_are_read_from_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("mine.toml", "extends = 'night-train'\naccent = '#ff0000'\nabout = \"mine\\u0007\"");
        write("broken.toml", "extends = 'mine'\n\naccent = 'blu'");
        write("Big Name.toml", "");
        write("auto.toml", "");
        write("long.toml", &"#".repeat(70_000));
        write("notes.txt", "no theme");
        fs::write(folder.path().join("bytes.toml"), [0xff, 0xfe]).unwrap();
        let themes = with(OwnThemes::read(folder.path()));
        assert_eq!(themes.names().last(), Some("mine"));
        let (mine, base) = (themes.pick("mine").unwrap(), themes.pick("night-train").unwrap());
        assert_eq!((mine.dim(), mine.text()), (base.dim(), base.text()));
        assert_ne!(mine.accent(), base.accent());
        insta::assert_snapshot!(themes.faults().collect::<Vec<_>>().join("\n"), @r"
        Big Name.toml: call it by lower-case letters, digits, - and _, at most 40, and not auto
        auto.toml: call it by lower-case letters, digits, - and _, at most 40, and not auto
        broken.toml, line 3: blu is neither a colour nor one of bold, dim, italic, underlined, reversed, struck: write #rrggbb, a number from 0 to 255, or a name as red or bright-red
        bytes.toml: it cannot be read: stream did not contain valid UTF-8
        long.toml: a theme has at most 65536 bytes
        ");
        assert!(themes.pick("broken").unwrap_err().starts_with("broken.toml, line 3: "));
        assert_eq!(with(OwnThemes::read(&folder.path().join("none"))).faults().count(), 0);
    }

    #[test]
    fn one_may_take_the_place_of_ours_but_not_extend_itself() {
        let own = texts([
            ("ember", "extends = 'ember'\naccent = 9"),
            ("round", "extends = 'about'"),
            ("about", "extends = 'round'"),
        ]);
        let themes = with(own);
        assert_eq!(themes.names().filter(|name| *name == "ember").count(), 1);
        let ours = Themes::new(Found { colours: Colours::True, ..Found::default() });
        assert_eq!(themes.pick("ember").unwrap().news(), ours.pick("ember").unwrap().news());
        assert_ne!(themes.pick("ember"), ours.pick("ember"));
        assert!(themes.pick("round").unwrap_err().contains("none itself"));
    }

    #[test]
    fn what_is_hard_to_read_is_said_and_shown_all_the_same() {
        let themes = with(texts([("fog", "background = 'light'\ndim = '#dddddd'\ncode = '#cccccc'")]));
        assert_eq!(themes.faint("fog").unwrap(), "hard to read: dim (1.2 to 1) and 1 more; 4.5 is enough");
        assert_eq!((themes.pick("fog").is_ok(), themes.faint("ember")), (true, None));
    }
}
