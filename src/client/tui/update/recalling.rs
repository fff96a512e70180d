//! Searching in what was written before, as a shell does it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Effect, State, keys};
use crate::client::tui::keymap::{self, Action, Key};
use crate::client::tui::state::Question;

/// A key of the search: `wanted` is what was typed of it, `found` the place of what it found. What was being written stays
/// in the input until something is taken, so whoever goes back has it again.
pub(super) fn answer(
    state: &mut State,
    (mut wanted, found): (String, Option<usize>),
    key: &KeyEvent,
    effects: &mut Vec<Effect>,
) {
    // What the shell goes back by, and nothing else here.
    let is_bell = key.code == KeyCode::Char('g') && key.modifiers == KeyModifiers::CONTROL;
    let found = match state.keymap().action(Key::of(key)) {
        Some(Action::Close | Action::Interrupt) => return,
        _ if is_bell => return,
        Some(Action::SearchInputs | Action::Up) => older(state, &wanted, found),
        Some(Action::Search | Action::Down) => newer(state, &wanted, found),
        Some(Action::Delete(_)) => {
            wanted.pop();
            first(state, &wanted, usize::MAX)
        }
        _ => {
            let Some(c) = keymap::character(key) else {
                // Any other key takes what was found, and does what it does. To send it takes a second Enter: it would
                // be said to everyone, and one sees it only now.
                if let Some(text) = found.and_then(|place| state.input_history.get(place)) {
                    let text = text.to_owned();
                    state.composer_mut().set(&text);
                }
                if key.code != KeyCode::Enter {
                    keys::press(state, key, effects);
                }
                return;
            };
            wanted.push(c);
            // What was found may still be it.
            let from = found.map_or(usize::MAX, |place| place.saturating_add(1));
            first(state, &wanted, from)
        }
    };
    state.question = Some(Question::Search { wanted, found });
}

fn first(state: &State, wanted: &str, before: usize) -> Option<usize> {
    if wanted.is_empty() {
        return None;
    }
    state.input_history.search(wanted, before).map(|(place, _)| place)
}

/// The place of an older input that says something else; that of this one if there is none.
fn older(state: &State, wanted: &str, found: Option<usize>) -> Option<usize> {
    let Some(from) = found else { return first(state, wanted, usize::MAX) };
    let mut place = from;
    loop {
        match state.input_history.search(wanted, place) {
            Some((next, text)) if Some(text) != state.input_history.get(from) => return Some(next),
            Some((next, _)) => place = next,
            None => return found,
        }
    }
}

/// The place of a newer input that says something else; that of this one if there is none.
fn newer(state: &State, wanted: &str, found: Option<usize>) -> Option<usize> {
    let from = found?;
    let mut place = from;
    loop {
        match state.input_history.search_newer(wanted, place) {
            Some((next, text)) if Some(text) != state.input_history.get(from) => return Some(next),
            Some((next, _)) => place = next,
            None => return found,
        }
    }
}
