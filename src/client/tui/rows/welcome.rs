//! What is said to somebody who has never said anything from here.

use super::{Layout, Row};
use crate::client::tui::keymap::Action;
use crate::client::tui::wrap::wrap;

impl Layout<'_> {
    /// A few lines at the end of the room, until we or somebody else say something.
    pub(super) fn welcome(&self) -> Vec<Row> {
        if !self.welcome || !self.room.joined {
            return Vec::new();
        }
        let keymap = &self.company.settings.keys;
        let or = |action, command: &str| match keymap.key_for(action) {
            key if key.is_empty() => command.to_owned(),
            key => key,
        };
        let send = or(Action::Send, "Enter");
        let lines = [
            format!("Welcome! What you write below, everyone here reads once you press {send}."),
            format!(
                "{} shows all keys and commands; {} completes names.",
                or(Action::Help, "/help"),
                or(Action::Complete, "Tab")
            ),
            "/set shows what you can change, /quit leaves.".to_owned(),
        ];
        let lines = lines.iter().flat_map(|line| wrap(line, self.columns.text)).map(Row::Note);
        std::iter::once(Row::Empty).chain(lines).collect()
    }
}
