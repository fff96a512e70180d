//! Fetching what is answered on the screen and is not here: one message after the other.

use super::{Effect, State, scrollback_size, thread};
use crate::client::tui::scroll::{Anchor, Scroll, Unit};
use crate::client::tui::state::Connection;
use crate::protocol::command::{Command, History, Place, RequestId};
use crate::protocol::event::Page;

/// Entries that are looked at, at most: those that may be on a tall screen. Cheap enough to be done after every event.
const LOOKED_AT: usize = 200;

/// Asks for a message that is answered on the screen, if one is not known.
pub(super) fn fetch(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(room) = state.room() else { return };
    if room.quoting.is_some() || !room.joined || state.connection != Connection::Online {
        return;
    }
    let (_, height) = scrollback_size(state);
    let known = room.scrollback.len();
    let lowest = match room.scroll {
        Scroll::At(Anchor { unit: Unit::Entry(seq), .. }) => {
            room.scrollback.place_of(seq).unwrap_or_else(|place| place).saturating_add(1).min(known)
        }
        // The beginning is at the lower edge only where little is below it.
        Scroll::At(Anchor { unit: Unit::Start, .. }) => known.min(height),
        Scroll::At(_) | Scroll::Bottom => known,
    };
    // An entry that is shown has a row, and some are not shown.
    let looked_at = lowest.saturating_sub((2 * height).min(LOOKED_AT))..lowest;
    let answered = looked_at.rev().filter_map(|place| room.scrollback.get(place)?.reply_to);
    let answered = thread::wanted(state).into_iter().chain(answered);
    let Some(seq) = answered.into_iter().find(|seq| !room.scrollback.is_known(*seq)) else { return };
    let name = room.name.clone();
    let id = state.request_id();
    if let Some(room) = state.room_mut() {
        room.quoting = Some((id.clone(), seq));
    }
    let around = History { id: Some(id), room: name, place: Place::Around(seq), limit: 1 };
    effects.push(Effect::Submit(Command::History(around)));
}

/// A page has come. Says whether it is the message that was asked for.
pub(super) fn take_in(state: &mut State, page: &mut Page) -> bool {
    let Some(place) = state.place_of(&page.room) else { return false };
    let room = &mut state.rooms[place];
    let Some((_, seq)) = room.quoting.take_if(|(asked, _)| Some(&*asked) == page.re.as_ref()) else {
        return false;
    };
    let entry = page.entries.iter().position(|entry| entry.seq == seq).map(|at| page.entries.swap_remove(at));
    room.scrollback.keep_answered(seq, entry);
    true
}

/// The question was refused. Says whether it was this one.
pub(super) fn refused(state: &mut State, re: &RequestId, for_good: bool) -> bool {
    for room in &mut state.rooms {
        if let Some((_, seq)) = room.quoting.take_if(|(asked, _)| asked == re) {
            if for_good {
                room.scrollback.keep_answered(seq, None);
            }
            return true;
        }
    }
    false
}
