//! Keys that are about the message that is chosen: all of reading mode, and most of them also where one message was
//! chosen while one writes.

use crossterm::event::KeyCode as K;

use super::{Key, alt_key, ctrl, plain};

/// What a key does with the message that is chosen, or to choose another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForChosen {
    Reply,
    React,
    Edit,
    /// The thread of answers that it belongs to.
    Thread,
    GoToAnswered,
    Search,
    /// Towards the older ones, as one searches.
    NextMatch,
    PreviousMatch,
    GoBack,
    Copy,
    OpenLinks,
    About,
    Delete,
    FirstUnread,
    MentionBefore,
    MentionAfter,
    GoToDate,
    Above,
    Below,
    PageUp,
    PageDown,
    HalfPageUp,
    HalfPageDown,
    DayBefore,
    DayAfter,
    Oldest,
    Newest,
    Done,
    Fold,
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Binding {
    /// What a settings file calls it. It stays as it is: people have it in their files.
    pub(super) id: &'static str,
    /// Any of these. The first is shown in the status line, the help names those that `shown` counts.
    pub(super) keys: &'static [Key],
    pub(super) shown: usize,
    pub(crate) action: ForChosen,
    /// It is not for a message that was chosen while one writes: there the key has its usual meaning.
    pub(crate) reading_only: bool,
    /// For the status line.
    pub(crate) does: &'static str,
    pub(crate) help: &'static str,
}

const fn row(
    id: &'static str,
    keys: &'static [Key],
    shown: usize,
    action: ForChosen,
    does: &'static str,
    help: &'static str,
) -> Binding {
    Binding { id, keys, shown, action, reading_only: false, does, help }
}

/// The same for a key that has another meaning while one writes.
const fn read(
    id: &'static str,
    keys: &'static [Key],
    shown: usize,
    action: ForChosen,
    does: &'static str,
    help: &'static str,
) -> Binding {
    Binding { id, keys, shown, action, reading_only: true, does, help }
}

const fn c(letter: char) -> Key {
    plain(K::Char(letter))
}

/// The table, in the order in which the status line shows it.
#[rustfmt::skip]
pub(crate) const FOR_CHOSEN: &[Binding] = &[
    row("reply", &[c('r')], 1, ForChosen::Reply, "reply", "answer it"),
    row("thread", &[plain(K::Enter)], 1, ForChosen::Thread, "thread", "the thread that it belongs to: what it answers, and all answers"),
    row("next-match", &[c('n')], 1, ForChosen::NextMatch, "next", "the next of what was found, further up"),
    row("previous-match", &[c('N')], 1, ForChosen::PreviousMatch, "before", "the one before it, further down"),
    row("back", &[c('b')], 1, ForChosen::GoBack, "back", "back to where you were before the last jump"),
    read("search-here", &[c('/')], 1, ForChosen::Search, "search", "search in this room; Enter keeps what was found"),
    row("react", &[c('+')], 1, ForChosen::React, "react", "react by an emoji; once more takes it back"),
    row("copy", &[c('y'), c('c')], 2, ForChosen::Copy, "copy", "send its text to the terminal, to be copied"),
    row("edit", &[c('e')], 1, ForChosen::Edit, "edit", "change what it says, if it is yours"),
    row("parent", &[c('p')], 1, ForChosen::GoToAnswered, "parent", "go to the message that it answers"),
    row("open-links", &[c('o')], 1, ForChosen::OpenLinks, "open", "open the link in it; of several, one"),
    row("about", &[c('w')], 1, ForChosen::About, "who", "who reacted, and what it said before"),
    row("delete", &[c('d'), plain(K::Delete)], 2, ForChosen::Delete, "delete", "take it back: yours, or anybody's if you keep order"),
    row("unread", &[c('u')], 1, ForChosen::FirstUnread, "unread", "where you left off"),
    row("mention-before", &[c('m')], 1, ForChosen::MentionBefore, "mentions", "where somebody said your name; again: before that"),
    row("mention-after", &[c('M')], 1, ForChosen::MentionAfter, "mention after", "where they said it after that"),
    row("date", &[c('t'), c(':')], 2, ForChosen::GoToDate, "date", "go to a day or a time of this room"),
    row("above", &[c('k'), plain(K::Up), alt_key(K::Up)], 3, ForChosen::Above, "above", "the message above"),
    row("below", &[c('j'), plain(K::Down), alt_key(K::Down)], 3, ForChosen::Below, "below", "the message below; chosen by Alt-↑, behind the last, choose no more"),
    read("page-up", &[plain(K::PageUp), ctrl('b')], 2, ForChosen::PageUp, "page up", "a page up"),
    read("page-down", &[c(' '), plain(K::PageDown), ctrl('f')], 3, ForChosen::PageDown, "page down", "a page down"),
    read("half-page-up", &[ctrl('u')], 1, ForChosen::HalfPageUp, "half a page up", "half a page up"),
    read("half-page-down", &[ctrl('d')], 1, ForChosen::HalfPageDown, "half a page down", "half a page down"),
    row("day-before", &[c('{')], 1, ForChosen::DayBefore, "day before", "the beginning of the day; again: of the day before"),
    row("day-after", &[c('}')], 1, ForChosen::DayAfter, "day after", "the beginning of the next day"),
    row("oldest-loaded", &[c('g')], 1, ForChosen::Oldest, "oldest", "the oldest message that is here; again: load older ones"),
    row("newest-loaded", &[c('G')], 1, ForChosen::Newest, "newest", "the newest message"),
    row("done", &[plain(K::Esc), c('i'), c('q')], 3, ForChosen::Done, "write", "back to writing"),
    row("fold", &[c('z')], 1, ForChosen::Fold, "fold", "open a long message that is folded, or fold it again"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_does_two_things_with_a_message() {
        let keys: Vec<Key> = FOR_CHOSEN.iter().flat_map(|binding| binding.keys).copied().collect();
        for (place, key) in keys.iter().enumerate() {
            assert!(!keys[..place].contains(key), "{}", key.name());
        }
        let first = FOR_CHOSEN.first().map(|binding| super::super::Keymap::default().chosen_name(binding));
        assert_eq!(first.as_deref(), Some("r"));
    }

    #[test]
    fn every_row_has_a_name_of_its_own_and_does_one_thing() {
        for (place, binding) in FOR_CHOSEN.iter().enumerate() {
            let plain = binding.id.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
            assert!(plain && !binding.id.is_empty(), "{}", binding.id);
            let others = &FOR_CHOSEN[..place];
            assert!(others.iter().all(|other| other.id != binding.id && other.action != binding.action));
            assert!((1..=binding.keys.len()).contains(&binding.shown), "{}", binding.id);
        }
        let page = FOR_CHOSEN.iter().find(|binding| binding.action == ForChosen::PageDown);
        let keymap = super::super::Keymap::default();
        assert_eq!(page.map(|page| keymap.chosen_names(page)).as_deref(), Some("Space, PgDn, Ctrl-F"));
        assert_eq!(keymap.chosen_key_for(ForChosen::Newest), "G");
    }
}
