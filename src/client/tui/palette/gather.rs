//! All that there is to choose from.

use std::collections::BTreeSet;

use super::{Entry, Target, is_in_sight};
use crate::client::moment;
use crate::client::tui::keymap::{Action, BINDINGS};
use crate::client::tui::settings::SETTINGS;
use crate::client::tui::slash;
use crate::client::tui::state::State;
use crate::client::tui::state::order::News;
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::time::Time;

/// People who are looked through: those of a large room, of which one knows a name anyway.
const PEOPLE: usize = 2_000;

/// Commands that count as used lately.
const LATELY: usize = 5;

/// Letters from which on the names of days are offered: fewer begin too much else.
const DAY_LETTERS: usize = 2;

/// Places of a room that have names, beside days of the week.
const PLACES: [(&str, &str); 4] = [
    ("first", "the beginning of this room"),
    ("last", "the newest message of this room"),
    ("today", ""),
    ("yesterday", ""),
];

/// The rooms that are open here.
pub(super) fn open_rooms(state: &State) -> impl Iterator<Item = Entry> {
    state.rooms.iter().map(|room| {
        let known = &state.company.known_rooms;
        let visited = known.visited(state.company.parlor, &room.name).map_or(0, Time::as_millis);
        let news = state.news(room);
        let right = match news {
            News::None if state.is_muted(room) => "muted".to_owned(),
            News::None => String::new(),
            News::Unread => format!("{} new", room.unread),
            News::Urgent => format!("{} new !", room.unread),
        };
        let entry = Entry::new(Target::Room(room.name.clone()), room.shown.clone());
        let mut entry = Entry { note: room.topic.to_string(), right, news, recency: visited, ..entry };
        if is_in_sight(state, &entry) {
            // Whoever looks for something looks elsewhere.
            (entry.recency, entry.right) = (-1, "here".to_owned());
        }
        entry
    })
}

/// The rooms of the server that are not open here; and the one that was typed, where a room was meant.
pub(super) fn joinable(state: &State, wanted: &str, room_meant: bool) -> impl Iterator<Item = Entry> {
    let others = state.listed.iter().filter(|info| state.place_of(&info.room).is_none());
    let named = RoomName::typed(wanted).ok().filter(|name| {
        let known = state.listed.iter().any(|info| info.room == *name);
        room_meant && !known && state.place_of(name).is_none()
    });
    let others = others.map(|info| {
        let entry = Entry::new(Target::Join(info.room.clone()), info.room.as_str());
        Entry { note: info.topic.to_string(), right: "join".to_owned(), ..entry }
    });
    others.chain(named.map(|name| {
        let entry = Entry::new(Target::Make(name.clone()), name.as_str());
        Entry { note: "is not known here".to_owned(), right: "make it".to_owned(), ..entry }
    }))
}

/// Those whom one could speak with alone, and does not yet.
pub(super) fn people(state: &State) -> Vec<Entry> {
    let mut known = BTreeSet::new();
    let rooms = || state.room().into_iter().chain(&state.rooms);
    let here = rooms().flat_map(|room| room.people.iter().map(|person| &person.nick));
    let others = rooms().flat_map(|room| room.speakers.iter().chain(&room.members));
    let all = here.chain(others).filter(|nick| known.insert((*nick).clone())).take(PEOPLE);
    let apart = |nick: &&Nick| {
        **nick != state.me && !state.is_ignored(nick) && state.direct_with(&[(*nick).clone()]).is_none()
    };
    let entry = |nick: &Nick| {
        let person = state.rooms.iter().find_map(|room| room.people.get(nick));
        let note = match person {
            None => "not here now",
            Some(person) if person.away.is_some() => "away",
            Some(_) => "here",
        };
        let entry = Entry::new(Target::Person(nick.clone()), format!("@{nick}"));
        Entry { note: note.to_owned(), ..entry }
    };
    all.filter(apart).map(entry).collect()
}

/// The commands, those first that were used lately.
pub(super) fn commands(state: &State) -> Vec<Entry> {
    let mut used: Vec<&'static str> = Vec::new();
    for input in state.input_history.newest() {
        let word = input.strip_prefix('/').and_then(|line| line.split_whitespace().next());
        let Some(command) = word.and_then(slash::command) else { continue };
        if !used.contains(&command.name) {
            used.push(command.name);
        }
        if used.len() >= LATELY {
            break;
        }
    }
    let entry = |command: &'static slash::Entry| {
        let place = used.iter().position(|name| *name == command.name);
        let recency = place.and_then(|place| i64::try_from(LATELY - place).ok()).unwrap_or(0);
        let entry = Entry::new(Target::Command(command), format!("/{}", command.name));
        Entry { note: command.help.to_owned(), also: command.short, recency, ..entry }
    };
    slash::commands().map(entry).collect()
}

/// What can be set.
pub(super) fn settings(state: &State) -> impl Iterator<Item = Entry> {
    SETTINGS.iter().map(|setting| {
        let value = setting.value(&state.company.settings).shown();
        let entry = Entry::new(Target::Setting(setting.name), format!("/set {}", setting.name));
        Entry { note: format!("{value}: {}", setting.help), ..entry }
    })
}

/// What keys do that are of use without having been pressed: not those that write.
pub(super) fn actions(state: &State) -> impl Iterator<Item = Entry> {
    let useful = BINDINGS.iter().filter(|binding| !binding.help.is_empty() && is_useful(binding.action));
    useful.map(move |binding| {
        let entry = Entry::new(Target::Action(binding.action), binding.help);
        Entry { right: state.keymap().names(binding), ..entry }
    })
}

fn is_useful(action: Action) -> bool {
    !matches!(
        action,
        Action::Send
            | Action::NewLine
            | Action::Go(_)
            | Action::Delete(_)
            | Action::Cut(_)
            | Action::Transpose
            | Action::Up
            | Action::Down
            | Action::Complete
            | Action::CompleteBack
            | Action::Close
            | Action::Interrupt
            | Action::EndOfInput
            | Action::RoomNumber(_)
            | Action::Palette
    )
}

/// Days and times, and what else is a place in the room in sight.
pub(super) fn moments(state: &State, wanted: &str) -> Vec<Entry> {
    let wanted = wanted.to_lowercase();
    if state.room().is_none() || wanted.chars().count() < DAY_LETTERS {
        return Vec::new();
    }
    let places = PLACES.into_iter().chain(moment::WEEKDAYS.map(|(name, _)| (name, "")));
    let begun = places.filter(|(name, _)| name.starts_with(&wanted));
    let mut entries: Vec<Entry> = begun.filter_map(|(name, note)| entry(state, name, note)).collect();
    if entries.is_empty() {
        entries.extend(entry(state, &wanted, ""));
    }
    entries
}

/// A moment that was, by its day where nothing else is said of it.
fn entry(state: &State, typed: &str, note: &str) -> Option<Entry> {
    let (target, note) = match typed {
        "first" => (slash::Target::First, note.to_owned()),
        "last" => (slash::Target::Last, note.to_owned()),
        typed => {
            let moment = moment::parse(typed, state.server_time(), &state.zone).ok()?;
            if moment > state.server_time() {
                return None;
            }
            let day = moment.timestamp().to_zoned(state.zone.clone());
            (slash::Target::Moment(typed.to_owned()), day.strftime("%A %-d %B %Y, %H:%M").to_string())
        }
    };
    let entry = Entry::new(Target::Moment(target), typed);
    Some(Entry { note, right: "go to".to_owned(), ..entry })
}
