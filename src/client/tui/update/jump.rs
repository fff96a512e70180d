//! Going to an entry or a moment, wherever it is in the log: it is loaded first, and stands in the middle of the
//! screen then. What lies between there and the newest is a gap like any other.

use super::{Effect, State, choosing, following, history, rooms, scrollback_size};
use crate::client::tui::state::Connection;
use crate::client::tui::state::finding::{Back, Jump};
use crate::client::tui::state::room::Room;
use crate::protocol::command::{Command, History, Place};
use crate::protocol::event::{Entry, EntryKind, Page};
use crate::protocol::limits::PAGE_ENTRIES;
use crate::protocol::name::RoomName;

/// Goes to a place in a room, which is entered if need be. One can go back from there.
pub(super) fn jump(state: &mut State, room: RoomName, place: Place, effects: &mut Vec<Effect>) {
    if let Some(here) = state.room().map(Room::here) {
        state.finding.leave_from(here);
    }
    go_there(state, room, place, effects);
}

/// The same as a further step of one jump.
pub(super) fn go_there(state: &mut State, room: RoomName, place: Place, effects: &mut Vec<Effect>) {
    let (places, walk) = (std::mem::take(&mut state.finding.places), state.finding.walk);
    let reading = state.room().is_some_and(|room| room.reading);
    // Whoever reads goes on reading there, and no longer here.
    state.room_mut().into_iter().filter(|here| here.name != room).for_each(Room::stop_choosing);
    match state.place_of(&room) {
        Some(place) => rooms::go_to(state, place),
        None => {
            state.company.closed.remove(&room);
            rooms::join(state, room, None, effects);
        }
    }
    (state.finding.places, state.finding.walk) = (places, walk);
    state.finding.marked = None;
    if let Some(room) = state.room_mut() {
        room.jump = Some(Jump { place, asked: None, reading });
    }
    go_on(state, effects);
    let waits = state.room().is_some_and(|room| room.jump.is_some());
    if waits && state.connection != Connection::Online {
        state.say("not loaded yet: you are taken there when the connection is back");
    }
}

/// Goes on with what was wished for, as far as one can.
pub(super) fn go_on(state: &mut State, effects: &mut Vec<Effect>) {
    let current = state.current;
    // Who has gone elsewhere meanwhile wants to be there.
    for (place, room) in state.rooms.iter_mut().enumerate() {
        room.jump.take_if(|_| place != current);
    }
    let Some(room) = state.room() else { return };
    let Some(Jump { place, asked: None, reading }) = room.jump else { return };
    if let Place::Around(seq) = place {
        if room.scrollback.place_of(seq).is_ok() {
            land(state, seq, reading, effects);
            return;
        }
        if seq < room.first {
            give_up(state);
            state.complain("that message is not there any more: what is so old has expired");
            return;
        }
    }
    if !room.is_caught_up() {
        return;
    }
    let (room, id) = (room.name.clone(), state.request_id());
    let limit = state.allowed.map_or(PAGE_ENTRIES, |allowed| allowed.page_entries).clamp(1, PAGE_ENTRIES);
    if let Some(room) = state.room_mut() {
        // Another page that is on its way is not waited for: it is asked for again where it is missed.
        room.asked = Some(id.clone());
        room.jump = Some(Jump { place, asked: Some(id.clone()), reading });
    }
    effects.push(Effect::Submit(Command::History(History { id: Some(id), room, place, limit })));
}

/// The page has come for which a jump waits.
pub(super) fn arrive(state: &mut State, at: usize, jump: &Jump, page: Page, effects: &mut Vec<Effect>) {
    let room = &mut state.rooms[at];
    // What was said since it was asked for comes by itself.
    let newest = room.scrollback.newest();
    let entries: Vec<Entry> = page.entries.into_iter().filter(|entry| entry.seq <= newest).collect();
    let wanted = sought(jump.place, &entries);
    room.fill(entries);
    let Some(seq) = wanted else {
        let name = room.shown.clone();
        room.forget_what_is_far();
        state.complain(format!("there is nothing in {name} to go to"));
        return;
    };
    let here = room.scrollback.get(room.scrollback.place_of(seq).unwrap_or_else(|place| place));
    let at_last = here.map(|entry| entry.at);
    if state.current != at {
        return;
    }
    land(state, seq, jump.reading, effects);
    if let Some(room) = state.room_mut() {
        room.forget_what_is_far();
    }
    match (jump.place, at_last) {
        (Place::Around(asked), _) if asked != seq => {
            state.say(format!("#{asked} is not there any more; this is what is next to it"));
        }
        (Place::At(moment), Some(time)) => {
            let day =
                time.timestamp().to_zoned(state.zone.clone()).strftime("%A %-d %B %Y, %H:%M").to_string();
            if time > moment && is_oldest(state, seq) {
                state.say(format!("nothing is that old: this is the oldest, {day}"));
            } else {
                state.say(day);
            }
        }
        _ => {}
    }
}

/// The entry of a page that is meant.
fn sought(place: Place, entries: &[Entry]) -> Option<u64> {
    let shown = |entry: &&Entry| matches!(entry.kind, EntryKind::Message | EntryKind::Topic);
    let seq = |entry: &Entry| entry.seq;
    match place {
        Place::Around(wanted) => {
            let exact = entries.iter().find(|entry| entry.seq == wanted).map(seq);
            exact.or_else(|| {
                entries.iter().filter(shown).min_by_key(|entry| entry.seq.abs_diff(wanted)).map(seq)
            })
        }
        Place::At(moment) => {
            let then = entries.iter().filter(shown).find(|entry| entry.at >= moment).map(seq);
            then.or_else(|| entries.iter().rev().find(shown).map(seq))
        }
        Place::Before(_) | Place::After(_) => None,
    }
}

/// Whether nothing that is shown is older than the entry `seq` of the room in sight.
fn is_oldest(state: &State, seq: u64) -> bool {
    let Some(room) = state.room() else { return false };
    let place = room.scrollback.place_of(seq).unwrap_or_else(|place| place);
    let mut older = (0..place).filter_map(|place| room.scrollback.get(place));
    (0..=place).all(|place| room.gap_before(place).is_none())
        && !older.any(|entry| matches!(entry.kind, EntryKind::Message | EntryKind::Topic))
}

/// Puts the entry `seq` of the room in sight into the middle of the screen. `reading`: it is chosen there.
fn land(state: &mut State, seq: u64, reading: bool, effects: &mut Vec<Effect>) {
    give_up(state);
    let (width, height) = scrollback_size(state);
    let Some(room) = state.room() else { return };
    let to = state.layout(room, width).with_in_the_middle(seq, height);
    let marked = (room.name.clone(), seq);
    // Whoever chooses messages goes on with the one that is there, and sees by the choice which it is.
    let chooses = reading || room.chosen.is_some();
    state.finding.marked = (!chooses).then_some(marked);
    if let Some(room) = state.room_mut().filter(|_| chooses) {
        room.chosen = Some(seq);
        room.reading |= reading;
    }
    history::arrive_at(state, to, effects);
    following::choose_nearest(state, effects);
}

/// Nobody waits to be taken anywhere in the room in sight any more.
fn give_up(state: &mut State) {
    if let Some(room) = state.room_mut() {
        room.jump = None;
    }
}

/// Goes back to where one was before the first jump; `false` if there was none.
pub(super) fn go_back(state: &mut State, effects: &mut Vec<Effect>) -> bool {
    let mut places = std::mem::take(&mut state.finding.places);
    if places.is_empty() {
        return false;
    }
    let went = return_to(state, &places.swap_remove(0), effects);
    state.finding.settle();
    went
}

/// Goes back to a place, of which those before it stay; `false` if one is not in its room any more. Whoever reads goes on
/// reading there.
pub(super) fn return_to(state: &mut State, back: &Back, effects: &mut Vec<Effect>) -> bool {
    let Some(place) = state.place_of(&back.room) else { return false };
    give_up(state);
    let reading = state.room().is_some_and(|room| room.reading);
    let places = std::mem::take(&mut state.finding.places);
    state.room_mut().into_iter().filter(|here| here.name != back.room).for_each(Room::stop_choosing);
    rooms::go_to(state, place);
    state.finding.places = places;
    if let Some(room) = state.room_mut() {
        room.jump = None;
        (room.chosen, room.reading) = (back.chosen.filter(|_| reading), reading && back.chosen.is_some());
    }
    history::arrive_at(state, back.scroll, effects);
    if reading {
        choosing::enter(state, effects);
    }
    true
}
