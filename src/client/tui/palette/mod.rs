//! What one can go to or do, found by a few letters of its name. Pure: the state and what is typed go in, a list comes
//! out.

mod gather;
mod rank;

use self::gather::{actions, commands, joinable, moments, open_rooms, people, settings};
use super::keymap::Action;
use super::slash;
use super::state::State;
use super::state::order::News;
use crate::protocol::name::{Nick, RoomName};

/// Entries that are listed: more than anybody goes through, and one letter more makes them fewer.
const LISTED: usize = 100;

/// Bytes of what is typed that are looked for: longer than any name.
pub(crate) const TYPED_BYTES: usize = 200;

/// One thing to go to or to do.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) target: Target,
    /// Its name.
    pub(crate) shown: String,
    /// Which graphemes of the name are what was typed, in their order.
    pub(crate) marks: Vec<usize>,
    /// What it is, in words.
    pub(crate) note: String,
    /// What stands on the right: a key, how much is unread, what Enter does.
    pub(crate) right: String,
    /// What waits there.
    pub(crate) news: News,
    /// Other names for it.
    also: &'static [&'static str],
    /// When it was used last; more is later, 0 is never.
    recency: i64,
}

/// What becomes of an entry.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A room that is open here.
    Room(RoomName),
    /// One that is not.
    Join(RoomName),
    /// One that nobody knows: entering it makes it.
    Make(RoomName),
    /// Somebody, to speak with alone.
    Person(Nick),
    Command(&'static slash::Entry),
    /// A place in the room in sight.
    Moment(slash::Target),
    /// A setting, by its name.
    Setting(&'static str),
    Action(Action),
}

/// What one looks for, by the sign before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rooms,
    People,
    Commands,
    Actions,
}

/// The signs that narrow what is listed, and what for.
pub(crate) const SIGNS: [(&str, &str); 4] =
    [("#", "rooms"), ("@", "people"), ("/", "commands"), (">", "what keys do")];

impl Entry {
    fn new(target: Target, shown: impl Into<String>) -> Self {
        Self {
            target,
            shown: shown.into(),
            marks: Vec::new(),
            note: String::new(),
            right: String::new(),
            news: News::None,
            also: &[],
            recency: 0,
        }
    }

    /// How soon it is listed while nothing is typed: what waits, where one was, what one did, and then all the rest.
    fn class(&self) -> u8 {
        match (&self.target, self.news) {
            (_, News::Urgent) => 0,
            (_, News::Unread) => 1,
            (Target::Room(_), _) if self.recency > 0 => 2,
            (Target::Command(_), _) if self.recency > 0 => 3,
            (Target::Room(_), _) => 4,
            (Target::Join(_) | Target::Make(_), _) => 5,
            (Target::Person(_), _) => 6,
            (Target::Command(_) | Target::Setting(_), _) => 7,
            (Target::Action(_) | Target::Moment(_), _) => 8,
        }
    }
}

/// What fits what is typed, the likeliest first.
pub(crate) fn find(state: &State, typed: &str) -> Vec<Entry> {
    let typed = typed.trim_start();
    let (kind, wanted) = narrowed(typed);
    let wanted = wanted.trim();
    let of = |kinds: &[Kind]| kind.is_none_or(|kind| kinds.contains(&kind));
    let mut entries: Vec<Entry> = Vec::new();
    if of(&[Kind::Rooms, Kind::People]) {
        let named = |entry: &Entry| match (&entry.target, kind) {
            (Target::Room(name), Some(Kind::Rooms)) => !name.is_direct(),
            (Target::Room(name), Some(Kind::People)) => name.is_direct(),
            _ => true,
        };
        entries.extend(open_rooms(state).filter(named));
    }
    if of(&[Kind::Rooms]) {
        entries.extend(joinable(state, wanted, kind.is_some()));
    }
    if of(&[Kind::People]) {
        entries.extend(people(state));
    }
    if of(&[Kind::Commands]) {
        entries.extend(commands(state));
        entries.extend(settings(state));
    }
    if of(&[Kind::Actions]) {
        entries.extend(actions(state));
    }
    if kind.is_none() {
        entries.extend(moments(state, wanted));
    }
    let mut found = if wanted.is_empty() {
        // One is here already.
        entries.retain(|entry| !is_in_sight(state, entry));
        entries.sort_by_key(|entry| (entry.class(), std::cmp::Reverse(entry.recency)));
        entries
    } else {
        rank::rank(entries, wanted)
    };
    found.truncate(LISTED);
    found
}

/// What is typed without the sign that narrows it.
fn narrowed(typed: &str) -> (Option<Kind>, &str) {
    let kinds = [Kind::Rooms, Kind::People, Kind::Commands, Kind::Actions];
    let signs = SIGNS.into_iter().zip(kinds);
    let found = signs.filter_map(|((sign, _), kind)| Some((kind, typed.strip_prefix(sign)?))).next();
    found.map_or((None, typed), |(kind, wanted)| (Some(kind), wanted))
}

fn is_in_sight(state: &State, entry: &Entry) -> bool {
    match &entry.target {
        Target::Room(name) => state.room().is_some_and(|room| room.name == *name),
        _ => false,
    }
}
