//! Going to an entry or a moment, wherever it is in the log: it is loaded first, and stands in the middle of the
//! screen then. What lies between there and the newest is a gap like any other.

use super::{Effect, State, history, rooms, scrollback_size};
use crate::client::tui::scroll::Scroll;
use crate::client::tui::state::Connection;
use crate::client::tui::state::finding::{Back, Jump};
use crate::protocol::command::{Command, History, Place};
use crate::protocol::event::{Entry, EntryKind, Page};
use crate::protocol::limits::PAGE_ENTRIES;
use crate::protocol::name::RoomName;

/// Goes to a place in a room, which is entered if need be.
pub(super) fn jump(state: &mut State, room: RoomName, place: Place, effects: &mut Vec<Effect>) {
    let here = state.room().map(|room| Back { room: room.name.clone(), scroll: room.scroll });
    let back = state.finding.back.take().or(here);
    let walk = state.finding.walk;
    match state.place_of(&room) {
        Some(place) => rooms::go_to(state, place),
        None => {
            state.company.closed.remove(&room);
            rooms::join(state, room, None, effects);
        }
    }
    (state.finding.back, state.finding.walk) = (back, walk);
    state.finding.marked = None;
    if let Some(room) = state.room_mut() {
        room.jump = Some(Jump { place, asked: None });
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
    let Some(Jump { place, asked: None }) = room.jump else { return };
    if let Place::Around(seq) = place {
        if room.scrollback.place_of(seq).is_ok() {
            land(state, seq, effects);
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
        room.jump = Some(Jump { place, asked: Some(id.clone()) });
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
    land(state, seq, effects);
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

/// Puts the entry `seq` of the room in sight into the middle of the screen.
fn land(state: &mut State, seq: u64, effects: &mut Vec<Effect>) {
    give_up(state);
    let (width, height) = scrollback_size(state);
    let Some(room) = state.room() else { return };
    let to = state.layout(room, width).with_in_the_middle(seq, height);
    let marked = (room.name.clone(), seq);
    let chosen = room.chosen.and_then(|_| room.scrollback.message(seq)).map(|message| message.seq);
    state.finding.marked = Some(marked);
    // Whoever chooses messages goes on with the one that is there.
    if let (Some(room), Some(seq)) = (state.room_mut(), chosen) {
        room.chosen = Some(seq);
    }
    history::arrive_at(state, to, effects);
}

/// Nobody waits to be taken anywhere in the room in sight any more.
fn give_up(state: &mut State) {
    if let Some(room) = state.room_mut() {
        room.jump = None;
    }
}

/// Goes back to where one was before the first jump; `false` if there was none.
pub(super) fn go_back(state: &mut State, effects: &mut Vec<Effect>) -> bool {
    let Some(Back { room, scroll }) = state.finding.back.take() else { return false };
    let Some(place) = state.place_of(&room) else { return false };
    give_up(state);
    rooms::go_to(state, place);
    state.finding.settle();
    match scroll {
        Scroll::Bottom => history::to_newest(state),
        scroll @ Scroll::At(_) => history::arrive_at(state, scroll, effects),
    }
    true
}
