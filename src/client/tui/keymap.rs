//! Which key does what: one table, from which keys are looked up, the help is made, the status line takes its words and
//! `docs/keys.md` is written, so that these cannot disagree. [`Keymap`] is the table with what people changed of it.

mod bound;
pub(crate) mod chosen;
#[cfg(test)]
mod document;
mod key;
mod names;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

pub(crate) use self::bound::Keymap;
pub(crate) use self::chosen::{FOR_CHOSEN, ForChosen};
pub(crate) use self::key::Key;
use self::key::{alt, alt_key, alt_shift, ctrl, ctrl_key, plain, shift};
pub(crate) use self::names::NONE;
use super::state::composer::Motion;

/// What a key does while nothing lies over the rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Send,
    NewLine,
    Go(Motion),
    Delete(Motion),
    Cut(Motion),
    PasteCut,
    /// What was cut before that, in its place.
    PasteOlderCut,
    Transpose,
    Undo,
    Redo,
    /// The message is written in an editor.
    Editor,
    /// A line up in the input, or to what was said before.
    Up,
    Down,
    SearchInputs,
    Complete,
    CompleteBack,
    Close,
    Interrupt,
    /// Deletes, or leaves where there is nothing to delete.
    EndOfInput,
    PageUp,
    PageDown,
    RowsUp,
    RowsDown,
    Oldest,
    Newest,
    FirstUnread,
    /// The links in sight.
    Links,
    /// Chooses the message above, or below; see [`ForChosen`].
    ChooseAbove,
    ChooseBelow,
    EditLast,
    Search,
    PreviousMention,
    NextMention,
    /// Rooms, people, commands and all else by a few letters.
    Palette,
    RoomNumber(usize),
    NextRoom,
    PreviousRoom,
    NextNews,
    /// Moves the room in sight in the list.
    MoveRoomUp,
    MoveRoomDown,
    ToggleRooms,
    TogglePeople,
    Help,
    Repaint,
    Suspend,
    /// Takes the mouse from the terminal, or gives it back.
    Mouse,
}

/// Part of the help that a key stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Writing,
    Reading,
    Rooms,
    Program,
}

impl Section {
    pub(crate) const ALL: [Self; 4] = [Self::Writing, Self::Reading, Self::Rooms, Self::Program];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Writing => "Writing",
            Self::Reading => "Reading",
            Self::Rooms => "Rooms",
            Self::Program => "parlor",
        }
    }
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Binding {
    /// Any of these. The help names those that `shown` counts, the status line the first.
    pub(crate) keys: &'static [Key],
    shown: usize,
    pub(crate) action: Action,
    pub(crate) section: Section,
    /// For the help; empty where the line before says it.
    pub(crate) help: &'static str,
}

const fn row(
    keys: &'static [Key],
    shown: usize,
    action: Action,
    section: Section,
    help: &'static str,
) -> Binding {
    Binding { keys, shown, action, section, help }
}

use KeyCode as K;
use Section::{Program, Reading, Rooms, Writing};

/// The table.
#[rustfmt::skip]
pub(crate) const BINDINGS: &[Binding] = &[
    row(&[plain(K::Enter)], 1, Action::Send, Writing, "send; on an empty line, try to connect now"),
    row(&[alt_key(K::Enter), shift(K::Enter), ctrl('j')], 2, Action::NewLine, Writing, "new line in the message"),
    row(&[plain(K::Tab)], 1, Action::Complete, Writing, "complete a name, a room, a command or an emoji, or correct a command; again: the next one"),
    row(&[plain(K::BackTab)], 1, Action::CompleteBack, Writing, "the completion before"),
    row(&[plain(K::Up)], 1, Action::Up, Writing, "line up; on the first, what you said before"),
    row(&[plain(K::Down)], 1, Action::Down, Writing, "line down; on the last, what you said after that"),
    row(&[ctrl_key(K::Up)], 1, Action::EditLast, Writing, "edit what you said last"),
    row(&[ctrl('r')], 1, Action::SearchInputs, Writing, "search in what you wrote before; again: older"),
    row(&[plain(K::Left), ctrl('b')], 2, Action::Go(Motion::Left), Writing, "character left"),
    row(&[plain(K::Right), ctrl('f')], 2, Action::Go(Motion::Right), Writing, "character right"),
    row(&[alt('b'), ctrl_key(K::Left)], 2, Action::Go(Motion::WordLeft), Writing, "word left"),
    row(&[alt('f'), ctrl_key(K::Right)], 2, Action::Go(Motion::WordRight), Writing, "word right"),
    row(&[ctrl('a'), plain(K::Home)], 2, Action::Go(Motion::LineStart), Writing, "start of the line"),
    row(&[ctrl('e'), plain(K::End)], 2, Action::Go(Motion::LineEnd), Writing, "end of the line; on an empty one, the newest message"),
    row(&[plain(K::Backspace), ctrl('h'), shift(K::Backspace)], 1, Action::Delete(Motion::Left), Writing, "delete to the left"),
    row(&[plain(K::Delete)], 1, Action::Delete(Motion::Right), Writing, "delete to the right"),
    row(&[ctrl('w')], 1, Action::Cut(Motion::SpaceLeft), Writing, "cut to the white space before"),
    row(&[alt_key(K::Backspace), ctrl_key(K::Backspace)], 1, Action::Cut(Motion::WordLeft), Writing, "cut the word before"),
    row(&[alt('d'), ctrl_key(K::Delete)], 1, Action::Cut(Motion::WordRight), Writing, "cut the word after"),
    row(&[ctrl('u')], 1, Action::Cut(Motion::LineStart), Writing, "cut to the start of the line"),
    row(&[ctrl('k')], 1, Action::Cut(Motion::LineEnd), Writing, "cut to the end of the line"),
    row(&[ctrl('y')], 1, Action::PasteCut, Writing, "put back what was cut, in any room"),
    row(&[alt('y')], 1, Action::PasteOlderCut, Writing, "right after that: what was cut before it instead"),
    row(&[ctrl('t')], 1, Action::Transpose, Writing, "swap two characters"),
    row(&[ctrl('_')], 1, Action::Undo, Writing, "undo"),
    row(&[alt('_')], 1, Action::Redo, Writing, "take back what was undone"),
    row(&[alt('e')], 1, Action::Editor, Writing, "write the message in your editor: $VISUAL or $EDITOR"),
    row(&[plain(K::PageUp)], 1, Action::PageUp, Reading, "a page up; at a gap, load what is missing"),
    row(&[plain(K::PageDown)], 1, Action::PageDown, Reading, "a page down"),
    row(&[alt_key(K::PageUp), shift(K::Up)], 2, Action::RowsUp, Reading, "a little up (so does the wheel)"),
    row(&[alt_key(K::PageDown), shift(K::Down)], 2, Action::RowsDown, Reading, "a little down"),
    row(&[alt_key(K::Home)], 1, Action::Oldest, Reading, "the oldest that is loaded"),
    row(&[alt_key(K::End)], 1, Action::Newest, Reading, "the newest"),
    row(&[alt('u')], 1, Action::FirstUnread, Reading, "where you left off"),
    row(&[alt('o')], 1, Action::Links, Reading, "the links in sight, to open or copy one"),
    row(&[alt_key(K::Up)], 1, Action::ChooseAbove, Reading, "choose a message, to answer it, react to it, change it …"),
    row(&[alt_key(K::Down)], 1, Action::ChooseBelow, Reading, "the message below"),
    row(&[ctrl('s')], 1, Action::Search, Reading, "search in all that was said; again: the last search"),
    row(&[alt('p')], 1, Action::PreviousMention, Reading, "where somebody said your name; again: before that"),
    row(&[alt('n')], 1, Action::NextMention, Reading, "where they said it after that"),
    row(&[alt('a')], 1, Action::NextNews, Rooms, "the next room with news, mentions first; at the end, back to where you were"),
    row(&[ctrl('n'), alt_key(K::Right)], 2, Action::NextRoom, Rooms, "the next room"),
    row(&[ctrl('p'), alt_key(K::Left)], 2, Action::PreviousRoom, Rooms, "the room before"),
    row(&[alt('g')], 1, Action::Palette, Rooms, "go to a room, somebody, a command, a day …, by a few letters"),
    row(&[alt('1')], 1, Action::RoomNumber(0), Rooms, "the first room, and so on to Alt-0, the tenth"),
    row(&[alt('2')], 0, Action::RoomNumber(1), Rooms, ""),
    row(&[alt('3')], 0, Action::RoomNumber(2), Rooms, ""),
    row(&[alt('4')], 0, Action::RoomNumber(3), Rooms, ""),
    row(&[alt('5')], 0, Action::RoomNumber(4), Rooms, ""),
    row(&[alt('6')], 0, Action::RoomNumber(5), Rooms, ""),
    row(&[alt('7')], 0, Action::RoomNumber(6), Rooms, ""),
    row(&[alt('8')], 0, Action::RoomNumber(7), Rooms, ""),
    row(&[alt('9')], 0, Action::RoomNumber(8), Rooms, ""),
    row(&[alt('0')], 0, Action::RoomNumber(9), Rooms, ""),
    row(&[alt_shift(K::Up)], 1, Action::MoveRoomUp, Rooms, "move this room up in the list"),
    row(&[alt_shift(K::Down)], 1, Action::MoveRoomDown, Rooms, "move this room down"),
    row(&[plain(K::F(2))], 1, Action::ToggleRooms, Rooms, "show or hide the rooms"),
    row(&[plain(K::F(3))], 1, Action::TogglePeople, Rooms, "show or hide the people"),
    row(&[plain(K::F(1))], 1, Action::Help, Program, "this help"),
    row(&[plain(K::Esc)], 1, Action::Close, Program, "close what is open; after a jump, back to where you were; then, read: every key is about messages"),
    row(&[ctrl('l')], 1, Action::Repaint, Program, "paint the screen anew"),
    row(&[ctrl('z')], 1, Action::Suspend, Program, "back to the shell for a while"),
    row(&[plain(K::F(4))], 1, Action::Mouse, Program, "the mouse chooses, opens and selects here; again: it is the terminal's"),
    row(&[ctrl('c')], 1, Action::Interrupt, Program, "throw the input away; on an empty line, leave"),
    row(&[ctrl('d')], 1, Action::EndOfInput, Program, "delete to the right; on an empty line, leave"),
];

/// The character that a key writes.
pub(crate) fn character(event: &KeyEvent) -> Option<char> {
    match event.code {
        // AltGr is told as both at once by some terminals.
        KeyCode::Char(c)
            if !event.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
                || event.modifiers.contains(KeyModifiers::CONTROL | KeyModifiers::ALT) =>
        {
            Some(c)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_does_two_things() {
        let keys: Vec<Key> = BINDINGS.iter().flat_map(|binding| binding.keys).copied().collect();
        for (place, key) in keys.iter().enumerate() {
            assert!(!keys[..place].contains(key), "{}", key.name());
        }
    }

    #[test]
    fn keys_are_called_as_people_call_them() {
        for (action, name) in [
            (Action::Newest, "Alt-End"),
            (Action::PageUp, "PgUp"),
            (Action::Help, "F1"),
            (Action::CompleteBack, "Shift-Tab"),
            (Action::Go(Motion::LineStart), "Ctrl-A"),
            (Action::NewLine, "Alt-Enter"),
            (Action::Close, "Esc"),
        ] {
            assert_eq!(Keymap::default().key_for(action), name);
        }
    }

    #[test]
    fn terminals_that_tell_more_are_understood() {
        let action = |key: Key| Keymap::default().action(key);
        let event = KeyEvent::new(KeyCode::Char('A'), KeyModifiers::CONTROL | KeyModifiers::SHIFT);
        assert_eq!(action(Key::of(&event)), Some(Action::Go(Motion::LineStart)));
        let event = KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(action(Key::of(&event)), Some(Action::CompleteBack));
        let event = KeyEvent::new(KeyCode::Char('Ä'), KeyModifiers::SHIFT);
        assert_eq!((action(Key::of(&event)), character(&event)), (None, Some('Ä')));
    }
}
