//! Who is in a room.

use std::collections::BTreeMap;

use crate::protocol::event::{Person, Presence, Role};
use crate::protocol::name::Nick;

/// The people of one room, as far as they are known by name, and the count of them all.
#[derive(Debug, Default)]
pub struct People {
    /// By lower-case nick, which is the order in which they are listed.
    known: BTreeMap<String, Person>,
    here: usize,
}

impl People {
    /// Takes in a piece of news about who is here.
    pub(crate) fn take_in(&mut self, news: Presence) {
        self.here = news.here;
        if let Some(people) = news.people {
            self.known.clear();
            people.into_iter().for_each(|person| self.add(person));
        }
        // Whoever is renamed is among both, and may differ from before in the case of letters alone.
        for nick in &news.left {
            self.known.remove(&key(nick));
        }
        news.joined.into_iter().for_each(|person| self.add(person));
    }

    /// Whether somebody is among those known by name.
    pub(crate) fn contains(&self, nick: &Nick) -> bool {
        self.known.contains_key(&key(nick))
    }

    /// Somebody who is known by name.
    pub(crate) fn get(&self, nick: &Nick) -> Option<&Person> {
        self.known.get(&key(nick))
    }

    /// Whether somebody keeps order: the host, or an operator.
    pub(crate) fn keeps_order(&self, nick: &Nick) -> bool {
        self.get(nick).is_some_and(|person| matches!(person.role, Some(Role::Host | Role::Operator)))
    }

    fn add(&mut self, person: Person) {
        self.known.insert(key(&person.nick), person);
    }

    /// Only the count is known so far.
    pub(crate) fn count(&mut self, here: usize) {
        self.here = here;
    }

    /// How many people are here, the unnamed included.
    pub fn here(&self) -> usize {
        self.here.max(self.known.len())
    }

    /// Those known by name, in the order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Person> {
        self.known.values()
    }
}

/// What stands for a nick where people are listed.
pub(super) fn key(nick: &Nick) -> String {
    nick.as_str().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tui::script::{nick, person, presence};
    use crate::protocol::event::Renamed;

    #[test]
    fn news_adds_up_to_who_is_here() {
        let mut people = People::default();
        let mut news = presence("#a", &["carol", "Bob"]);
        news.here = 700;
        people.take_in(news);
        let mut news = presence("#a", &[]);
        news.people = None;
        news.joined = vec![person("alice"), person("rob")];
        news.left = vec![nick("carol"), nick("bob")];
        news.renamed = vec![Renamed { from: nick("bob"), to: nick("rob") }];
        news.here = 700;
        people.take_in(news);
        let names: Vec<&str> = people.iter().map(|person| person.nick.as_str()).collect();
        assert_eq!((names, people.here()), (vec!["alice", "rob"], 700));
    }
}
