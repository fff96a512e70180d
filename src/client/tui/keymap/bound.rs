//! The keys as they are bound here: the table, and what people changed of it.

use crossterm::event::{KeyCode, KeyEvent};

use super::key::plain;
use super::{Action, BINDINGS, Binding, FOR_CHOSEN, ForChosen, Key, chosen};

/// Keys that can be changed in each of the two tables: more than keyboards have, and few enough to go through for each
/// key.
pub(crate) const CHANGES: usize = 300;

/// See the module. What it holds is what differs from the tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keymap {
    keys: Vec<(Key, Option<Action>)>,
    chosen: Vec<(Key, Option<ForChosen>)>,
}

impl Keymap {
    /// Binds a key, or takes it away. Without a change, which the table says already, nothing is kept.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(crate) fn bind(&mut self, key: Key, action: Option<Action>) -> Result<(), String> {
        if key.writes() {
            return Err("this key writes a letter: add ctrl or alt to it".to_owned());
        }
        put(&mut self.keys, key, action, usual(key))
    }

    /// The same for the keys about a chosen message.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(crate) fn bind_chosen(&mut self, key: Key, action: Option<ForChosen>) -> Result<(), String> {
        put(&mut self.chosen, key, action, usual_for_chosen(key))
    }

    /// Gives Enter and Esc back, if otherwise no key would send, or close what is open. Says which were given back.
    pub(crate) fn keep_needed(&mut self) -> Vec<(Key, Action)> {
        let mut needed = vec![(plain(KeyCode::Enter), Action::Send), (plain(KeyCode::Esc), Action::Close)];
        needed.retain(|(_, action)| self.key_for(*action).is_empty());
        self.keys.retain(|(key, _)| !needed.iter().any(|(needed, _)| needed == key));
        needed
    }

    /// What a key does.
    pub(crate) fn action(&self, key: Key) -> Option<Action> {
        let changed = self.keys.iter().find(|(known, _)| *known == key);
        changed.map_or_else(|| usual(key), |(_, action)| *action)
    }

    /// What a key does with the message that is chosen. `reading`: in reading mode, where every key is one of these.
    pub(crate) fn for_chosen(&self, event: &KeyEvent, reading: bool) -> Option<ForChosen> {
        let key = Key::of(event);
        let changed = self.chosen.iter().find(|(known, _)| *known == key);
        let action = changed.map_or_else(|| usual_for_chosen(key), |(_, action)| *action)?;
        let only = FOR_CHOSEN.iter().any(|binding| binding.action == action && binding.reading_only);
        (reading || !only).then_some(action)
    }

    /// The name of the first key that does this with a message; empty if none does.
    pub(crate) fn chosen_key_for(&self, action: ForChosen) -> String {
        let binding = FOR_CHOSEN.iter().find(|binding| binding.action == action);
        binding.map(|binding| self.chosen_name(binding)).unwrap_or_default()
    }

    /// The name of the first key that does this, one's own before all; empty if none does.
    pub(crate) fn key_for(&self, action: Action) -> String {
        let binding = BINDINGS.iter().find(|binding| binding.action == action);
        let own = self.own(action).next();
        own.or_else(|| self.left(binding?).next()).map(Key::name).unwrap_or_default()
    }

    /// The keys of a row as the help shows them; empty if there is none left.
    pub(crate) fn names(&self, binding: &Binding) -> String {
        let keys = self.own(binding.action).chain(self.left(binding).take(binding.shown));
        keys.map(Key::name).collect::<Vec<_>>().join(", ")
    }

    /// What the help says of a row: where it says nothing, because the row before does, a key of one's own is named alone.
    pub(crate) fn help(&self, binding: &Binding) -> Option<String> {
        match binding.help {
            "" => self.own(binding.action).next().map(|_| binding.action.name().replace('-', " ")),
            help => Some(help.to_owned()),
        }
    }

    /// The first key of a row about a chosen message; empty if there is none left.
    pub(crate) fn chosen_name(&self, binding: &chosen::Binding) -> String {
        let mut keys = self.own_chosen(binding).chain(self.left_chosen(binding));
        keys.next().map(Key::letter_name).unwrap_or_default()
    }

    /// The keys of a row about a chosen message as the help shows them; empty if there is none left.
    pub(crate) fn chosen_names(&self, binding: &chosen::Binding) -> String {
        let keys = self.own_chosen(binding).chain(self.left_chosen(binding).take(binding.shown));
        keys.map(Key::letter_name).collect::<Vec<_>>().join(", ")
    }

    fn own_chosen(&self, binding: &chosen::Binding) -> impl Iterator<Item = Key> {
        let action = Some(binding.action);
        self.chosen.iter().filter(move |(_, bound)| *bound == action).map(|(key, _)| *key)
    }

    fn left_chosen(&self, binding: &chosen::Binding) -> impl Iterator<Item = Key> {
        let changed = |key: &Key| self.chosen.iter().any(|(known, _)| known == key);
        binding.keys.iter().copied().filter(move |key| !changed(key))
    }

    fn own(&self, action: Action) -> impl Iterator<Item = Key> {
        self.keys.iter().filter(move |(_, bound)| *bound == Some(action)).map(|(key, _)| *key)
    }

    /// The keys of a row that still do what it says.
    fn left(&self, binding: &Binding) -> impl Iterator<Item = Key> {
        let changed = |key: &Key| self.keys.iter().any(|(known, _)| known == key);
        binding.keys.iter().copied().filter(move |key| !changed(key))
    }
}

fn put<A: Copy + PartialEq>(
    changes: &mut Vec<(Key, Option<A>)>,
    key: Key,
    action: Option<A>,
    usual: Option<A>,
) -> Result<(), String> {
    changes.retain(|(known, _)| *known != key);
    if action == usual {
        return Ok(());
    }
    if changes.len() >= CHANGES {
        return Err(format!("{CHANGES} keys are enough: take some away"));
    }
    changes.push((key, action));
    Ok(())
}

fn usual(key: Key) -> Option<Action> {
    BINDINGS.iter().find(|binding| binding.keys.contains(&key)).map(|binding| binding.action)
}

fn usual_for_chosen(key: Key) -> Option<ForChosen> {
    FOR_CHOSEN.iter().find(|binding| binding.keys.contains(&key)).map(|binding| binding.action)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(written: &str) -> Key {
        Key::read(written).unwrap()
    }

    #[test]
    fn a_key_of_ones_own_comes_first() {
        let mut keymap = Keymap::default();
        keymap.bind(key("f5"), Some(Action::NextRoom)).unwrap();
        keymap.bind(key("ctrl-n"), None).unwrap();
        assert_eq!(keymap.action(key("f5")), Some(Action::NextRoom));
        assert_eq!(keymap.action(key("ctrl-n")), None);
        assert_eq!(keymap.key_for(Action::NextRoom), "F5");
        let row = BINDINGS.iter().find(|binding| binding.action == Action::NextRoom).unwrap();
        assert_eq!(keymap.names(row), "F5, Alt-→");
    }

    #[test]
    fn what_the_table_says_is_no_change() {
        let mut keymap = Keymap::default();
        keymap.bind(key("ctrl-n"), None).unwrap();
        keymap.bind(key("ctrl-n"), Some(Action::NextRoom)).unwrap();
        keymap.bind_chosen(key("r"), Some(ForChosen::Reply)).unwrap();
        keymap.bind(key("f9"), None).unwrap();
        assert_eq!(keymap, Keymap::default());
    }

    #[test]
    fn no_letter_is_taken_from_whoever_writes() {
        let mut keymap = Keymap::default();
        assert!(keymap.bind(key("x"), Some(Action::Help)).is_err());
        assert!(keymap.bind(key("space"), None).is_err());
        keymap.bind_chosen(key("x"), Some(ForChosen::Delete)).unwrap();
    }

    #[test]
    fn something_always_sends_and_closes() {
        let mut keymap = Keymap::default();
        keymap.bind(key("enter"), Some(Action::NewLine)).unwrap();
        keymap.bind(key("esc"), None).unwrap();
        assert_eq!(keymap.keep_needed(), [(key("enter"), Action::Send), (key("esc"), Action::Close)]);
        assert_eq!(keymap, Keymap::default());
        keymap.bind(key("enter"), Some(Action::NewLine)).unwrap();
        keymap.bind(key("alt-enter"), Some(Action::Send)).unwrap();
        assert_eq!(keymap.keep_needed(), []);
        assert_eq!(keymap.key_for(Action::Send), "Alt-Enter");
        assert_eq!(keymap.key_for(Action::NewLine), "Enter");
    }

    #[test]
    fn a_row_that_the_help_leaves_out_shows_when_it_has_a_key() {
        let mut keymap = Keymap::default();
        let row = BINDINGS.iter().find(|binding| binding.action == Action::RoomNumber(1)).unwrap();
        assert_eq!(keymap.help(row), None);
        keymap.bind(key("f6"), Some(Action::RoomNumber(1))).unwrap();
        assert_eq!((keymap.names(row), keymap.help(row)), ("F6".to_owned(), Some("room 2".to_owned())));
    }
}
