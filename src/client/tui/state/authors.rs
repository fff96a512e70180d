//! Who is who, by the number that stands for a person whatever they are called: for their colour.

use std::collections::HashMap;

use super::people::key;
use crate::protocol::event::Entry;
use crate::protocol::name::Nick;

/// Names kept: more people than anybody tells apart by a colour. Beyond it a new one has the colour of their name.
const KEPT: usize = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Authors {
    by_name: HashMap<String, u64>,
}

impl Authors {
    /// An entry came, and says who is called what now.
    pub(crate) fn note(&mut self, entry: &Entry) {
        if let Some(author) = entry.author {
            self.set(key(&entry.from), author);
        }
    }

    /// The same of an entry that is older than what is known.
    pub(crate) fn note_earlier(&mut self, entry: &Entry) {
        if !self.by_name.contains_key(&key(&entry.from)) {
            self.note(entry);
        }
    }

    /// Somebody is called otherwise from now on.
    pub(crate) fn renamed(&mut self, from: &Nick, to: &Nick) {
        if let Some(author) = self.of(from) {
            self.set(key(to), author);
        }
    }

    /// The number of whoever is called so, if they have said anything that we know of.
    pub(crate) fn of(&self, nick: &Nick) -> Option<u64> {
        self.by_name.get(&key(nick)).copied()
    }

    fn set(&mut self, name: String, author: u64) {
        if self.by_name.len() < KEPT || self.by_name.contains_key(&name) {
            self.by_name.insert(name, author);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tui::script::{entry, nick};

    #[test]
    fn a_name_belongs_to_whoever_bore_it_last() {
        let by = |seq, from, author| Entry { author, ..entry("#a", seq, from, "hi") };
        let mut authors = Authors::default();
        authors.note(&by(5, "bob", Some(7)));
        authors.note_earlier(&by(1, "Bob", Some(3)));
        authors.note(&by(6, "carol", None));
        authors.renamed(&nick("bob"), &nick("rob"));
        authors.renamed(&nick("carol"), &nick("bob"));
        assert_eq!((authors.of(&nick("ROB")), authors.of(&nick("bob"))), (Some(7), Some(7)));
        assert_eq!(authors.of(&nick("carol")), None);
        authors.note(&by(8, "bob", Some(9)));
        assert_eq!((authors.of(&nick("rob")), authors.of(&nick("bob"))), (Some(7), Some(9)));
    }
}
