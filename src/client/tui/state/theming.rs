//! The list of themes, while one looks through it.

use crate::client::tui::theme::{Listed, Themes};

/// See the module.
#[derive(Debug)]
pub(crate) struct ThemeList {
    /// At least the one that fits the terminal.
    pub(crate) themes: Vec<Listed>,
    /// Which of these is chosen, and shown.
    pub(crate) chosen: usize,
}

impl ThemeList {
    /// All of them, with the one of this name chosen, or the first.
    pub(crate) fn new(themes: &Themes, name: &str) -> Self {
        let themes = themes.list();
        let chosen = themes.iter().position(|listed| listed.name == name).unwrap_or(0);
        Self { themes, chosen }
    }

    /// The one that is chosen.
    pub(crate) fn chosen(&self) -> Option<&Listed> {
        self.themes.get(self.chosen)
    }
}
