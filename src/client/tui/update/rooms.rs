//! Entering, leaving and changing rooms.

use super::{Effect, JOIN_ENTRIES, State, reading};
use crate::client::tui::known_rooms::{RoomChange, What};
use crate::client::tui::state::room::Room;
use crate::protocol::command::{Command, InRoom, Join};
use crate::protocol::name::RoomName;
use crate::protocol::proof::Passphrase;

pub(super) fn join(state: &mut State, name: RoomName, words: Option<Passphrase>, effects: &mut Vec<Effect>) {
    let place = if let Some(place) = state.place_of(&name) { place } else { seat(state, Room::new(name)) };
    ask_in(state, place, words, effects);
    go_to(state, place);
}

/// Puts a room on the list: those with a name before those that are only for some. Says at which place.
pub(super) fn seat(state: &mut State, room: Room) -> usize {
    let end = state.rooms.len();
    let direct = state.rooms.iter().position(|other| other.name.is_direct() && !room.name.is_direct());
    let place = direct.unwrap_or(end);
    state.rooms.insert(place, room);
    if end > 0 && place <= state.current {
        state.current += 1;
    }
    place
}

/// Asks to be let into the room at `place`, unless we are in.
pub(super) fn ask_in(state: &mut State, place: usize, words: Option<Passphrase>, effects: &mut Vec<Effect>) {
    if !state.rooms[place].joined {
        let id = Some(state.request_id());
        let room = &mut state.rooms[place];
        room.entering.clone_from(&id);
        let join = Join { id, room: room.name.clone(), after: 0, limit: Some(JOIN_ENTRIES), words };
        effects.push(Effect::Submit(Command::Join(join)));
    }
}

pub(super) fn part(state: &mut State, name: &RoomName, effects: &mut Vec<Effect>) {
    let Some(place) = state.place_of(name) else {
        state.complain(format!("you are not in {name}"));
        return;
    };
    // What was read in it is told while it is there.
    reading::tell(state, effects);
    let room = &state.rooms[place];
    if room.name.is_direct() {
        state.company.closed.insert(room.name.clone(), room.scrollback.newest());
    }
    let id = Some(state.request_id());
    effects.push(Effect::Submit(Command::Leave(InRoom { id, room: name.clone() })));
    remove(state, place);
}

/// Takes a room off the list. Was it in sight, then the one before it comes back.
pub(super) fn remove(state: &mut State, place: usize) {
    let in_sight = state.room().map(|room| room.name.clone());
    let removed = state.rooms.remove(place);
    if in_sight.as_ref() == Some(&removed.name) {
        state.finding.settle();
    }
    let next = if in_sight.as_ref() == Some(&removed.name) { state.previous.take() } else { in_sight };
    let next = next.and_then(|name| state.place_of(&name));
    state.current = next.unwrap_or(place.min(state.rooms.len().saturating_sub(1)));
}

/// Remembers something of the rooms of this parlor, here and for the next time.
///
/// # Errors
/// A sentence, when there is no place for it.
pub(super) fn remember(state: &mut State, what: What, effects: &mut Vec<Effect>) -> Result<(), String> {
    let change = RoomChange { parlor: state.company.parlor, what };
    state.company.known_rooms.apply(&change)?;
    effects.push(Effect::Remember(change));
    Ok(())
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
