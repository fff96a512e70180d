//! What actions are called in a settings file. The names are stable: people's files hold them.

use super::{Action, BINDINGS, FOR_CHOSEN, ForChosen};
use crate::client::tui::near;
use crate::client::tui::state::composer::Motion;

/// The name for doing nothing.
pub(crate) const NONE: &str = "none";

impl Action {
    /// What a settings file calls it.
    pub(crate) fn name(self) -> String {
        let name = match self {
            Self::Send => "send",
            Self::NewLine => "new-line",
            Self::Go(motion) => return motion_name(motion).to_owned(),
            Self::Delete(motion) => return format!("delete-{}", motion_name(motion)),
            Self::Cut(motion) => return format!("cut-{}", motion_name(motion)),
            Self::PasteCut => "paste-cut",
            Self::Transpose => "transpose",
            Self::Undo => "undo",
            Self::Redo => "redo",
            Self::PasteOlderCut => "paste-older-cut",
            Self::Editor => "editor",
            Self::Up => "line-up",
            Self::Down => "line-down",
            Self::SearchInputs => "search-inputs",
            Self::Complete => "complete",
            Self::CompleteBack => "complete-back",
            Self::Close => "close",
            Self::Interrupt => "interrupt",
            Self::EndOfInput => "end-of-input",
            Self::PageUp => "page-up",
            Self::PageDown => "page-down",
            Self::RowsUp => "rows-up",
            Self::RowsDown => "rows-down",
            Self::Oldest => "oldest",
            Self::Newest => "newest",
            Self::FirstUnread => "first-unread",
            Self::Links => "links",
            Self::ChooseAbove => "choose-above",
            Self::ChooseBelow => "choose-below",
            Self::EditLast => "edit-last",
            Self::Search => "search",
            Self::PreviousMention => "previous-mention",
            Self::NextMention => "next-mention",
            Self::RoomNumber(place) => return format!("room-{}", place + 1),
            Self::NextRoom => "next-room",
            Self::PreviousRoom => "previous-room",
            Self::NextNews => "next-news",
            Self::Palette => "palette",
            Self::Mouse => "mouse",
            Self::MoveRoomUp => "move-room-up",
            Self::MoveRoomDown => "move-room-down",
            Self::ToggleRooms => "toggle-rooms",
            Self::TogglePeople => "toggle-people",
            Self::Help => "help",
            Self::Repaint => "repaint",
            Self::Suspend => "suspend",
        };
        name.to_owned()
    }

    /// The action of this name.
    ///
    /// # Errors
    /// A sentence with the name that is most like it.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let mut all = BINDINGS.iter().map(|binding| binding.action);
        all.find(|action| action.name() == name)
            .ok_or_else(|| unknown(name, BINDINGS.iter().map(|binding| binding.action.name())))
    }
}

fn motion_name(motion: Motion) -> &'static str {
    match motion {
        Motion::Left => "left",
        Motion::Right => "right",
        Motion::WordLeft => "word-left",
        Motion::WordRight => "word-right",
        Motion::SpaceLeft => "space-left",
        Motion::LineStart => "line-start",
        Motion::LineEnd => "line-end",
    }
}

impl ForChosen {
    /// What a settings file calls it.
    pub(crate) fn name(self) -> &'static str {
        let row = FOR_CHOSEN.iter().find(|binding| binding.action == self);
        row.map_or(NONE, |binding| binding.id)
    }

    /// The action of this name.
    ///
    /// # Errors
    /// A sentence with the name that is most like it.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let mut all = FOR_CHOSEN.iter().map(|binding| binding.action);
        all.find(|action| action.name() == name)
            .ok_or_else(|| unknown(name, FOR_CHOSEN.iter().map(|binding| binding.action.name().to_owned())))
    }
}

fn unknown(name: &str, all: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = all.chain([NONE.to_owned()]).collect();
    match near::nearest(name, all.iter().map(String::as_str)) {
        Some(near) => format!("no key can do that: did you mean \"{near}\"?"),
        None => format!("no key can do that: \"{NONE}\" does nothing, and docs/keys.md lists what there is"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_name_of_its_own() {
        for binding in BINDINGS {
            assert_eq!(Action::named(&binding.action.name()), Ok(binding.action));
        }
        for binding in FOR_CHOSEN {
            assert_eq!(ForChosen::named(binding.action.name()), Ok(binding.action));
        }
        assert!(Action::named("next-rom").unwrap_err().contains("\"next-room\""));
        assert!(ForChosen::named("x").unwrap_err().contains("docs/keys.md"));
    }
}
