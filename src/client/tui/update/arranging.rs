//! The order of the rooms: pinning, moving, muting, and how it was last time.

use super::{Effect, State, rooms};
use crate::client::tui::known_rooms::What;
use crate::client::tui::slash::{Step, Which};
use crate::protocol::name::RoomName;

/// Rooms that have a number by which a key goes there.
const NUMBERED: usize = 10;

/// Pins a room, or unpins it.
///
/// # Errors
/// A sentence, when there is no such room here or it is so already.
pub(super) fn pin(
    state: &mut State,
    which: &Which,
    pinned: bool,
    effects: &mut Vec<Effect>,
) -> Result<(), String> {
    let place = find(state, which)?;
    let Some(room) = state.rooms.get(place) else { return Ok(()) };
    let (name, shown) = (room.name.clone(), room.shown.clone());
    match (pinned, state.is_pinned(room)) {
        (true, true) => return Err(format!("{shown} is pinned already: /unpin lets it go")),
        (false, false) => return Err(format!("{shown} is not pinned: /pin brings it to the top")),
        _ => {}
    }
    rooms::remember(state, What::Pinned(name.clone(), pinned), effects)?;
    sort_in(state, &name, effects)?;
    let done = if pinned { "is pinned: it stays at the top" } else { "is not pinned any more" };
    state.say(format!("{shown} {done}{}", numbered(state, &name)));
    Ok(())
}

/// Moves the room in sight among those that it stands with.
///
/// # Errors
/// A sentence, when it can go no further.
pub(super) fn shift(state: &mut State, step: Step, effects: &mut Vec<Effect>) -> Result<(), String> {
    let Some(room) = state.room() else { return Err("you are in no room: /join enters one".to_owned()) };
    let (name, shown) = (room.name.clone(), room.shown.clone());
    let group = state.company.group(&name);
    let together =
        |place: &usize| state.rooms.get(*place).is_some_and(|room| state.company.group(&room.name) == group);
    let first = (0..=state.current).rev().take_while(together).last().unwrap_or(state.current);
    let last = (state.current..state.rooms.len()).take_while(together).last().unwrap_or(state.current);
    let wanted = match step {
        Step::Up => state.current.saturating_sub(1),
        Step::Down => state.current.saturating_add(1),
        Step::To(number) => number.get() - 1,
    };
    let to = wanted.clamp(first, last);
    if to == state.current {
        return Err(match step {
            _ if state.is_muted_alone(&name) => {
                format!("{shown} is muted and stays below the others: /notify mentions or /pin changes that")
            }
            Step::Up => format!("{shown} is the first of those it stands with: /pin brings it to the top"),
            Step::Down => format!("{shown} is the last of those it stands with: pinned, rooms, people"),
            Step::To(_) => {
                format!("{shown} is there already, or can get no nearer: pinned ones come first, people last")
            }
        });
    }
    let room = state.rooms.remove(state.current);
    state.rooms.insert(to, room);
    state.current = to;
    remember_order(state, effects)?;
    state.say(format!("{shown} has moved{}", numbered(state, &name)));
    Ok(())
}

/// Puts a room behind those that it stands with from now on: it was pinned, or muted.
pub(super) fn sort_in(state: &mut State, name: &RoomName, effects: &mut Vec<Effect>) -> Result<(), String> {
    let Some(place) = state.place_of(name) else { return Ok(()) };
    let in_sight = state.room().map(|room| room.name.clone());
    let room = state.rooms.remove(place);
    let to = rooms::end_of_group(state, name);
    state.rooms.insert(to, room);
    state.current = in_sight.and_then(|name| state.place_of(&name)).unwrap_or(0);
    remember_order(state, effects)
}

/// Puts the rooms into the order of last time. What was not open then stands behind those that were.
pub(super) fn as_last_time(state: &mut State) {
    let in_sight = state.room().map(|room| room.name.clone());
    let company = &state.company;
    let open = company.known_rooms.open(company.parlor);
    state.rooms.sort_by_cached_key(|room| {
        let place = open.iter().position(|name| *name == room.name);
        (company.group(&room.name), place.unwrap_or(usize::MAX))
    });
    state.current = in_sight.and_then(|name| state.place_of(&name)).unwrap_or(0);
}

fn remember_order(state: &mut State, effects: &mut Vec<Effect>) -> Result<(), String> {
    let order = state.rooms.iter().map(|room| room.name.clone()).collect();
    rooms::remember(state, What::Order(order), effects)
}

/// Which place a room that is named has.
fn find(state: &State, which: &Which) -> Result<usize, String> {
    match which {
        Which::InSight if state.rooms.is_empty() => Err("you are in no room: /join enters one".to_owned()),
        Which::InSight => Ok(state.current),
        Which::Room(name) => {
            state.place_of(name).ok_or_else(|| format!("you are not in {name}: /join {name} enters it"))
        }
        Which::With(people) => state.direct_with(people).ok_or_else(|| {
            let names: Vec<&str> = people.iter().map(crate::protocol::name::Nick::as_str).collect();
            format!("nothing is open with {}: /msg {} opens it", names.join(", "), names.join(","))
        }),
    }
}

/// Which number a room has, if it has one.
fn numbered(state: &State, name: &RoomName) -> String {
    match state.place_of(name) {
        Some(place) if place + 1 < NUMBERED => format!("; Alt-{} goes there", place + 1),
        Some(place) if place + 1 == NUMBERED => "; Alt-0 goes there".to_owned(),
        _ => String::new(),
    }
}
