//! Keys that are about a message that is chosen.

use crossterm::event::{KeyCode as K, KeyEvent};

use super::{Key, alt_key, plain};

/// What a key does with the message that is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForChosen {
    Reply,
    Edit,
    Delete,
    React,
    About,
    Copy,
    GoToAnswered,
    GoBack,
    Above,
    Below,
    Oldest,
    Newest,
    Done,
    Fold,
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Binding {
    /// Any of these. The first is shown.
    keys: &'static [Key],
    pub(crate) action: ForChosen,
    /// For the status line.
    pub(crate) does: &'static str,
    pub(crate) help: &'static str,
}

impl Binding {
    /// The key, as people call it.
    pub(crate) fn name(&self) -> String {
        match self.keys.first().map(|key| key.code) {
            // A letter without Shift, or it would be taken for a capital.
            Some(K::Char(c)) => c.to_string(),
            _ => self.keys.first().map(|key| key.name()).unwrap_or_default(),
        }
    }
}

const fn row(keys: &'static [Key], action: ForChosen, does: &'static str, help: &'static str) -> Binding {
    Binding { keys, action, does, help }
}

/// The table, in the order in which the status line shows it.
#[rustfmt::skip]
pub(crate) const FOR_CHOSEN: &[Binding] = &[
    row(&[plain(K::Char('r'))], ForChosen::Reply, "reply", "answer it"),
    row(&[plain(K::Char('+'))], ForChosen::React, "react", "react by an emoji; once more takes it back"),
    row(&[plain(K::Char('e'))], ForChosen::Edit, "edit", "change what it says, if it is yours"),
    row(&[plain(K::Enter)], ForChosen::GoToAnswered, "what it answers", "go to the message that it answers; if it answers none, choose no more"),
    row(&[plain(K::Char('b'))], ForChosen::GoBack, "back", "back to where you came from by that"),
    row(&[plain(K::Char('d')), plain(K::Delete)], ForChosen::Delete, "delete", "take it back: yours, or anybody's if you keep order"),
    row(&[plain(K::Char('c')), plain(K::Char('y'))], ForChosen::Copy, "copy", "send its text to the terminal, to be copied"),
    row(&[plain(K::Char('w'))], ForChosen::About, "who", "who reacted, and what it said before"),
    row(&[plain(K::Up), alt_key(K::Up), plain(K::Char('k'))], ForChosen::Above, "above", "the message above"),
    row(&[plain(K::Down), alt_key(K::Down), plain(K::Char('j'))], ForChosen::Below, "below", "the message below; behind the last, the end of choosing"),
    row(&[plain(K::Char('g'))], ForChosen::Oldest, "oldest", "the oldest message that is here"),
    row(&[plain(K::Char('G'))], ForChosen::Newest, "newest", "the newest message"),
    row(&[plain(K::Esc)], ForChosen::Done, "done", "choose no more"),
    row(&[plain(K::Char('z'))], ForChosen::Fold, "fold", "open a long message that is folded, or fold it again"),
];

/// What a key does with the message that is chosen.
pub(crate) fn for_chosen(event: &KeyEvent) -> Option<ForChosen> {
    let key = Key::of(event);
    FOR_CHOSEN.iter().find(|binding| binding.keys.contains(&key)).map(|binding| binding.action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_does_two_things_with_a_message() {
        let keys: Vec<Key> = FOR_CHOSEN.iter().flat_map(|binding| binding.keys).copied().collect();
        for (place, key) in keys.iter().enumerate() {
            assert!(!keys[..place].contains(key), "{}", key.name());
        }
        assert_eq!(FOR_CHOSEN.first().map(Binding::name).as_deref(), Some("r"));
    }
}
