//! When it rings.

use std::time::Duration;

use super::{Effect, State};
use crate::client::tui::known_rooms::Rule;
use crate::client::tui::state::room::Named;
use crate::protocol::event::Entry;

/// The shortest time between two rings: whoever has heard one is coming.
const BETWEEN: Duration = Duration::from_secs(1);

/// What a notice says of a message.
pub(super) struct Told {
    title: String,
    body: String,
}

/// What a notice would say of a message that is about to arrive in the room at `place`, unless somebody looks at it.
pub(super) fn told(state: &State, place: usize, entry: &Entry) -> Option<Told> {
    let room = &state.rooms[place];
    if place == state.current && state.focused {
        return None;
    }
    let title = match room.name.is_direct() && room.members.len() <= 2 {
        true => entry.from.to_string(),
        false => format!("{} in {}", entry.from, room.shown),
    };
    let body = match entry.action {
        true => format!("{} {}", entry.from, entry.text.as_str()),
        false => entry.text.as_str().to_owned(),
    };
    Some(Told { title, body })
}

/// Rings for a message of this moment, if the room's rule says so.
pub(super) fn ring_for(state: &mut State, place: usize, named: Named, told: Told, effects: &mut Vec<Effect>) {
    let rings = match state.company.rule(&state.rooms[place].name) {
        Rule::All => true,
        Rule::Mentions => named.0,
        Rule::Nothing => false,
    };
    if rings {
        ring(state, told, effects);
    }
}

/// Rings because somebody speaks to us in a room that is open from now on.
pub(super) fn ring_for_call(state: &mut State, place: usize, effects: &mut Vec<Effect>) {
    if state.company.rule(&state.rooms[place].name) != Rule::Nothing {
        let people = state.rooms[place].shown.trim_start_matches('@').to_owned();
        ring(state, Told { title: people, body: "says something to you".to_owned() }, effects);
    }
}

fn ring(state: &mut State, told: Told, effects: &mut Vec<Effect>) {
    if state.company.rung_at.is_some_and(|at| state.now.instant < at + BETWEEN) {
        return;
    }
    state.company.rung_at = Some(state.now.instant);
    if state.company.settings.bell {
        effects.push(Effect::Bell);
    }
    if state.company.settings.desktop {
        effects.push(Effect::Notice { title: told.title, body: told.body });
    }
}
