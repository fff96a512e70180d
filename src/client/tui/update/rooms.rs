//! Entering, leaving and changing rooms.

use super::{Effect, JOIN_ENTRIES, State};
use crate::client::tui::state::room::Room;
use crate::protocol::command::{Command, InRoom, Join};
use crate::protocol::name::RoomName;
use crate::protocol::proof::Passphrase;

pub(super) fn join(state: &mut State, name: RoomName, words: Option<Passphrase>, effects: &mut Vec<Effect>) {
    let place = if let Some(place) = state.place_of(&name) {
        place
    } else {
        state.rooms.push(Room::new(name.clone()));
        state.rooms.len() - 1
    };
    if !state.rooms[place].joined {
        let id = Some(state.request_id());
        state.rooms[place].entering.clone_from(&id);
        let join = Join { id, room: name, after: 0, limit: Some(JOIN_ENTRIES), words };
        effects.push(Effect::Submit(Command::Join(join)));
    }
    go_to(state, place);
}

pub(super) fn part(state: &mut State, name: &RoomName, effects: &mut Vec<Effect>) {
    let Some(place) = state.place_of(name) else {
        state.complain(format!("you are not in {name}"));
        return;
    };
    let id = Some(state.request_id());
    effects.push(Effect::Submit(Command::Leave(InRoom { id, room: name.clone() })));
    remove(state, place);
}

/// Takes a room off the list. Was it in sight, then the one before it comes back.
pub(super) fn remove(state: &mut State, place: usize) {
    let in_sight = state.room().map(|room| room.name.clone());
    let removed = state.rooms.remove(place);
    let next = if in_sight.as_ref() == Some(&removed.name) { state.previous.take() } else { in_sight };
    let next = next.and_then(|name| state.place_of(&name));
    state.current = next.unwrap_or(place.min(state.rooms.len().saturating_sub(1)));
}

pub(super) fn go_to(state: &mut State, place: usize) {
    if place >= state.rooms.len() || place == state.current {
        return;
    }
    state.completion = None;
    state.input_history.stay();
    state.finding.settle();
    state.previous = state.room().map(|room| room.name.clone());
    if let Some(room) = state.room_mut() {
        room.leave_sight();
    }
    state.current = place;
}

pub(super) fn go_by(state: &mut State, step: isize) {
    let many = state.rooms.len();
    if many > 0 {
        go_to(state, (state.current + many).saturating_add_signed(step) % many);
    }
}

/// To the next room where we were named, or else to the next where something was said.
pub(super) fn go_to_news(state: &mut State) {
    let many = state.rooms.len();
    let others = || (1..many).map(|step| (state.current + step) % many);
    let named = others().find(|place| state.rooms[*place].mentioned);
    match named.or_else(|| others().find(|place| state.rooms[*place].unread > 0)) {
        Some(place) => go_to(state, place),
        None => state.say("no news in the other rooms"),
    }
}
