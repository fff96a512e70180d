//! Tab: names by who spoke last, rooms, commands, emoji.

use super::{State, fitting};
use crate::client::tui::slash::{self, Completes};
use crate::client::tui::state::completion::{Candidate, Completion, emoji, matching, word};
use crate::protocol::name::Nick;

/// Completes the word at the cursor; again: the next candidate in the direction of `step`.
pub(super) fn complete(state: &mut State, step: isize) {
    let mut completion = match state.completion.take() {
        Some(mut under_way) => {
            let many = under_way.candidates.len();
            under_way.chosen = (under_way.chosen + many).saturating_add_signed(step) % many;
            under_way
        }
        None => {
            let composer = state.composer();
            let (text, cursor) = (composer.text(), composer.cursor());
            let (range, candidates) = emoji(text, cursor).unwrap_or_else(|| {
                let range = word(text, cursor);
                (range.clone(), candidates(state, text, range.start, &text[range]))
            });
            let chosen = if step < 0 { candidates.len().saturating_sub(1) } else { 0 };
            Completion { range, candidates, chosen }
        }
    };
    let Some(candidate) = completion.candidates.get(completion.chosen) else { return };
    let mut written = candidate.written.clone();
    // In the middle of a line the space is there already.
    if state.composer().text()[completion.range.end..].starts_with(char::is_whitespace) {
        written.truncate(written.trim_end().len());
    }
    state.composer_mut().replace(completion.range.clone(), &written);
    completion.range.end = completion.range.start + written.len();
    if completion.candidates.len() > 1 {
        state.completion = Some(completion);
    }
}

fn candidates(state: &State, text: &str, start: usize, stem: &str) -> Vec<Candidate> {
    let candidate = |shown: &str, written: String| Candidate { shown: shown.to_owned(), written };
    if let Some(stem) = stem.strip_prefix('/').filter(|_| start == 0) {
        let names = matching(slash::commands().map(|entry| entry.name), stem);
        return names.into_iter().map(|name| candidate(&format!("/{name}"), format!("/{name} "))).collect();
    }
    // The word right behind a command.
    let command = text[..start].trim_end().strip_prefix('/').and_then(slash::command);
    if let Some(Completes::Words(words)) = command.map(|entry| entry.completes) {
        let words = matching(words.iter().copied(), stem);
        return words.into_iter().map(|word| candidate(word, format!("{word} "))).collect();
    }
    if command.is_some_and(|entry| entry.completes == Completes::Themes) {
        let names = matching(state.themes.names(), stem).into_iter();
        return names.map(|name| candidate(name, name.to_owned())).collect();
    }
    let people = command.is_some_and(|entry| entry.completes == Completes::People);
    let people =
        people || (stem.starts_with('@') && command.is_some_and(|entry| entry.completes == Completes::Rooms));
    if people {
        return people_alone(state, stem);
    }
    if command.is_some_and(|entry| entry.completes == Completes::Emoji) {
        if stem.is_empty() {
            let offered = state.favourites.offered().into_iter();
            return offered.map(|emoji| candidate(emoji.as_str(), format!("{emoji} "))).collect();
        }
        let found = fitting(stem).into_iter();
        return found
            .map(|(name, emoji)| candidate(&format!("{emoji} {name}"), format!("{emoji} ")))
            .collect();
    }
    if stem.starts_with('#') || command.is_some_and(|entry| entry.completes == Completes::Rooms) {
        let stem = format!("#{}", stem.trim_start_matches('#'));
        let joined = state.rooms.iter().filter(|room| !room.name.is_direct()).map(|room| room.name.as_str());
        let names = joined.chain(state.listed.iter().map(|info| info.room.as_str()));
        return matching(names, &stem).into_iter().map(|name| candidate(name, format!("{name} "))).collect();
    }
    let Some(room) = state.room() else { return Vec::new() };
    let (at, stem) = stem.strip_prefix('@').map_or(("", stem), |stem| ("@", stem));
    let spoke = room.speakers.iter().map(Nick::as_str);
    let here = room.people.iter().map(|person| person.nick.as_str());
    let others = spoke.chain(here).filter(|nick| *nick != state.me.as_str());
    let behind = if start == 0 && at.is_empty() { ": " } else { " " };
    matching(others, stem).into_iter().map(|nick| candidate(nick, format!("{at}{nick}{behind}"))).collect()
}

/// People to speak with alone, of all rooms: those named before, with commas between them, stay.
fn people_alone(state: &State, typed: &str) -> Vec<Candidate> {
    let (before, stem) = typed.rsplit_once(',').map_or(("", typed), |(before, stem)| (before, stem));
    let before = if before.is_empty() { String::new() } else { format!("{before},") };
    let (at, stem) = stem.strip_prefix('@').map_or(("", stem), |stem| ("@", stem));
    let in_sight_first = state.room().into_iter().chain(&state.rooms);
    let people = in_sight_first.flat_map(|room| {
        let spoke = room.speakers.iter().map(Nick::as_str);
        spoke
            .chain(room.people.iter().map(|person| person.nick.as_str()))
            .chain(room.members.iter().map(Nick::as_str))
    });
    let named = |nick: &str| before.split(',').any(|known| known.trim_start_matches('@') == nick);
    let others = people.filter(|nick| *nick != state.me.as_str() && !named(nick));
    let found = matching(others, stem).into_iter();
    found.map(|nick| Candidate { shown: nick.to_owned(), written: format!("{before}{at}{nick} ") }).collect()
}
