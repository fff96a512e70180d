//! Entering, leaving and changing rooms.

use super::{Effect, JOIN_ENTRIES, State, arranging, reading};
use crate::client::tui::known_rooms::{RoomChange, What};
use crate::client::tui::state::order::News;
use crate::client::tui::state::room::Room;
use crate::protocol::command::{Command, InRoom, Join};
use crate::protocol::event::ErrorCode::{self, Offline, RoomFull, TooManyJoined, Unknown};
use crate::protocol::name::RoomName;
use crate::protocol::proof::Passphrase;

/// Rooms that are entered again at the start, those first that were in sight last. With those that are only for some it
/// is less than one connection may be in, and there is room to join others.
const AT_START: usize = 25;

pub(super) fn join(state: &mut State, name: RoomName, words: Option<Passphrase>, effects: &mut Vec<Effect>) {
    let place = if let Some(place) = state.place_of(&name) { place } else { seat(state, Room::new(name)) };
    ask_in(state, place, words, effects);
    go_to(state, place);
}

/// Puts a room on the list, behind those that it stands with. Says at which place.
pub(super) fn seat(state: &mut State, room: Room) -> usize {
    let place = end_of_group(state, &room.name);
    let some = !state.rooms.is_empty();
    state.rooms.insert(place, room);
    if some && place <= state.current {
        state.current += 1;
    }
    place
}

/// The place behind those that a room stands with.
pub(super) fn end_of_group(state: &State, name: &RoomName) -> usize {
    let group = state.company.group(name);
    let behind = state.rooms.iter().position(|other| state.company.group(&other.name) > group);
    behind.unwrap_or(state.rooms.len())
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
    close(state, name.clone(), effects);
}

/// The room at `place` did not let us in.
pub(super) fn refused(
    state: &mut State,
    place: usize,
    code: ErrorCode,
    sentence: &str,
    effects: &mut Vec<Effect>,
) {
    let Some(room) = state.rooms.get(place) else { return };
    let (name, shown, reopened) = (room.name.clone(), room.shown.clone(), room.reopened);
    remove(state, place);
    let may_pass = code.is_temporary() || matches!(code, TooManyJoined | RoomFull | Offline | Unknown);
    if !may_pass {
        close(state, name, effects);
    }
    if !reopened {
        state.complain(format!("{shown}: {sentence}"));
        return;
    }
    // Nobody has asked for it just now: what must not pass unread stays.
    if state.notice.as_ref().is_none_or(|notice| notice.until.is_some()) {
        state.say(format!("{shown} was open last time: {sentence}"));
    }
    if state.rooms.is_empty() {
        join(state, RoomName::lobby(), None, effects);
    }
}

/// The room at `place` has let us in: next time it is open again.
pub(super) fn opened(state: &mut State, place: usize, effects: &mut Vec<Effect>) {
    let Some(room) = state.rooms.get(place) else { return };
    let known = state.company.known_rooms.open(state.company.parlor);
    // What is only for some is told by the server.
    if !room.name.is_direct() && !known.contains(&room.name) {
        let what = What::Opened(room.name.clone());
        remember_if_possible(state, what, effects);
    }
}

/// A room is not to be opened next time.
fn close(state: &mut State, name: RoomName, effects: &mut Vec<Effect>) {
    if state.company.known_rooms.open(state.company.parlor).contains(&name) {
        remember_if_possible(state, What::Closed(name), effects);
    }
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

/// Remembers what one would not miss if there were no place for it.
fn remember_if_possible(state: &mut State, what: What, effects: &mut Vec<Effect>) {
    if let Err(sentence) = remember(state, what, effects) {
        state.complain(sentence);
    }
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
    state.news_from = None;
    note_visit(state);
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

/// To the next room where we were named, or else to the next where something was said; when there is none any more,
/// back to where that way began.
pub(super) fn go_to_news(state: &mut State) {
    let many = state.rooms.len();
    let others = (1..many).map(|step| (state.current + step) % many);
    let waiting = others.map(|place| (state.news(&state.rooms[place]), place));
    let next = |wanted: News| waiting.clone().find(|(news, _)| *news == wanted).map(|(_, place)| place);
    let next = next(News::Urgent).or_else(|| next(News::Unread));
    let began = state.news_from.take();
    if let Some(place) = next {
        let began = began.or_else(|| state.room().map(|room| room.name.clone()));
        go_to(state, place);
        state.news_from = began;
        return;
    }
    match began.and_then(|name| state.place_of(&name)).filter(|place| *place != state.current) {
        Some(place) => {
            go_to(state, place);
            state.say("no more news: this is where you were");
        }
        None => state.say("no news in the other rooms"),
    }
}

/// Comes back into the rooms that were open last time. Goes to the one that is wanted, or else to the one that was in
/// sight last, or else to the lobby.
pub(super) fn come_back(state: &mut State, wanted: Option<RoomName>, effects: &mut Vec<Effect>) {
    let (known, parlor) = (&state.company.known_rooms, state.company.parlor);
    let visited = |name: &RoomName| known.visited(parlor, name);
    let mut open: Vec<RoomName> =
        known.open(parlor).iter().filter(|name| !name.is_direct()).cloned().collect();
    if open.len() > AT_START {
        let mut latest = open.clone();
        latest.sort_by_key(|name| std::cmp::Reverse(visited(name)));
        latest.truncate(AT_START);
        open.retain(|name| latest.contains(name));
    }
    // Those that are only for some are here already.
    let here = state.rooms.iter().map(|room| &room.name);
    let last = here.chain(&open).filter(|name| visited(name).is_some()).max_by_key(|name| visited(name));
    let last = last.or(open.first()).cloned();
    for name in &open {
        if state.place_of(name).is_none() {
            let mut room = Room::new(name.clone());
            room.reopened = wanted.as_ref() != Some(name);
            // Of one where nothing had been said when we left, the server does not know that we have read it.
            if !state.company.guest {
                room.called();
            }
            let place = seat(state, room);
            ask_in(state, place, None, effects);
        }
    }
    let in_sight = wanted.or_else(|| last.filter(|_| !open.is_empty())).unwrap_or_else(RoomName::lobby);
    state.current = state.place_of(&in_sight).unwrap_or_else(|| {
        let place = seat(state, Room::new(in_sight));
        ask_in(state, place, None, effects);
        place
    });
    arranging::as_last_time(state);
}

/// Keeps in mind when the room in sight was seen.
fn note_visit(state: &mut State) {
    let Some(room) = state.room() else { return };
    let what = What::Visited(vec![(room.name.clone(), state.now.time)]);
    let change = RoomChange { parlor: state.company.parlor, what };
    // Where there is no place for it, it is of no use either.
    state.company.known_rooms.apply(&change).unwrap_or_default();
}

/// Whoever leaves wants to find the rooms as they were: when each was seen is written once, at the end.
pub(super) fn remember_before_leaving(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(place) = effects.iter().position(|effect| *effect == Effect::Quit) else { return };
    note_visit(state);
    let (known, parlor) = (&state.company.known_rooms, state.company.parlor);
    let names = state.rooms.iter().map(|room| &room.name);
    let visits: Vec<_> =
        names.filter_map(|name| Some((name.clone(), known.visited(parlor, name)?))).collect();
    if !visits.is_empty() {
        effects.insert(place, Effect::Remember(RoomChange { parlor, what: What::Visited(visits) }));
    }
}
