//! Tab: names by who spoke last, rooms, commands.

use super::{State, fitting};
use crate::client::tui::slash::{self, Completes};
use crate::client::tui::state::completion::{Candidate, Completion, matching, word};

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
            let range = word(composer.text(), composer.cursor());
            let candidates = candidates(state, composer.text(), range.start, &composer.text()[range.clone()]);
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
        let joined = state.rooms.iter().map(|room| room.name.as_str());
        let names = joined.chain(state.listed.iter().map(|info| info.room.as_str()));
        return matching(names, &stem).into_iter().map(|name| candidate(name, format!("{name} "))).collect();
    }
    let Some(room) = state.room() else { return Vec::new() };
    let (at, stem) = stem.strip_prefix('@').map_or(("", stem), |stem| ("@", stem));
    let spoke = room.speakers.iter().map(crate::protocol::name::Nick::as_str);
    let here = room.people.iter().map(|person| person.nick.as_str());
    let others = spoke.chain(here).filter(|nick| *nick != state.me.as_str());
    let behind = if start == 0 && at.is_empty() { ": " } else { " " };
    matching(others, stem).into_iter().map(|nick| candidate(nick, format!("{at}{nick}{behind}"))).collect()
}
