//! Through a room by more than a message at once: by pages, by days, to its ends.

use super::choosing::{self, Next, choose, is_choosable, next_message};
use super::{Effect, State, following, history, scrollback_size};
use crate::client::tui::scroll::Scroll;
use crate::client::tui::state::room::Room;

/// By a page, or a part of it; `direction` is -1 for up. Where it goes no further, to the last message on the screen.
pub(super) fn page(state: &mut State, direction: isize, part: usize, effects: &mut Vec<Effect>) {
    let (_, height) = scrollback_size(state);
    let before = state.room().map(|room| room.scroll);
    // Of a whole page one row stays.
    let rows = if part == 1 { height.saturating_sub(1) } else { height / part }.max(1);
    history::scroll(state, isize::try_from(rows).unwrap_or(1) * direction, effects);
    if state.room().map(|room| room.scroll) == before {
        let places = following::in_sight(state);
        let place = if direction < 0 { places.first() } else { places.last() };
        choose_at(state, place.copied());
    }
}

/// To the oldest message that is here, or to the newest. At the oldest, what is older is loaded.
pub(super) fn to_end(state: &mut State, oldest: bool, effects: &mut Vec<Effect>) {
    let Some(here) = state.room().map(Room::here) else { return };
    let known = state.room().map_or(0, |room| room.scrollback.len());
    let mut places = 0..known;
    let place = match oldest {
        true => places.find(|place| is_choosable(state, *place)),
        false => places.rfind(|place| is_choosable(state, *place)),
    };
    choose_at(state, place);
    if oldest {
        history::to_oldest(state, effects);
    } else {
        to_newest(state);
    }
    if state.room().map(Room::here).as_ref() != Some(&here) {
        state.finding.leave_from(here);
    }
}

/// To the newest, from where one can still go back.
pub(super) fn to_newest(state: &mut State) {
    if let Some(room) = state.room_mut() {
        room.scroll = Scroll::Bottom;
        room.jump = None;
    }
}

/// To the first message of the day, or of the one before; or to the first of the next day.
pub(super) fn by_day(state: &mut State, before: bool, effects: &mut Vec<Effect>) {
    let Some(room) = state.room() else { return };
    let Some(seq) = room.chosen else { return };
    let from = room.scrollback.place_of(seq).unwrap_or_else(|place| place);
    let day = |place: usize| {
        let entry = room.scrollback.get(place)?;
        Some(entry.at.timestamp().to_zoned(state.zone.clone()).date())
    };
    let next = |from: usize| match before {
        true => next_message(state, (0..from).rev().map(|place| (place, place + 1))),
        false => next_message(state, (from + 1..room.scrollback.len()).map(|place| (place, place))),
    };
    let mut at = from;
    // The day on which one goes on; the first step upwards may lead into the day before.
    let mut of_day = None;
    while let Next::Message(place) = next(at) {
        let other = day(place) != day(at);
        if before {
            if other && of_day.is_some() {
                break;
            }
            of_day = day(place);
        } else if other {
            at = place;
            break;
        }
        at = place;
    }
    if at == from {
        // What is missing comes into sight, or the end.
        choosing::step(state, before, effects);
        return;
    }
    let (width, height) = scrollback_size(state);
    let Some(seq) = room.scrollback.get(at).map(|entry| entry.seq) else { return };
    let to = following::shown(&state.layout(room, width), seq, height);
    choose(state, seq);
    history::arrive_at(state, to, effects);
}

/// Chooses the message at a place, if there is one.
fn choose_at(state: &mut State, place: Option<usize>) {
    let seq = state.room().and_then(|room| room.scrollback.get(place?)).map(|entry| entry.seq);
    if let Some(seq) = seq {
        choose(state, seq);
    }
}
