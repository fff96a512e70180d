//! The server is told how far we have read, and tells what was read on another device.

use std::time::Duration;

use super::{Effect, State, sees};
use crate::client::tui::state::Connection;
use crate::protocol::command::{Command, ReadTo};
use crate::protocol::event::{Entry, EntryKind, ReadUpTo};

/// How long reading is gathered before it is told: in a lively room each message would be another command.
const GATHERED: Duration = Duration::from_secs(2);

/// Keeps in mind to tell what the server does not know yet.
pub(super) fn note(state: &mut State) {
    let online = state.connection == Connection::Online && !state.company.reads_refused;
    if online && state.company.read_due.is_none() && state.rooms.iter().any(|room| room.untold().is_some()) {
        state.company.read_due = Some(state.now.instant + GATHERED);
    }
}

/// Tells it when it is time.
pub(super) fn tell_in_time(state: &mut State, effects: &mut Vec<Effect>) {
    if state.company.read_due.is_some_and(|due| due <= state.now.instant) {
        tell(state, effects);
    }
}

/// Tells it now.
pub(super) fn tell(state: &mut State, effects: &mut Vec<Effect>) {
    state.company.read_due = None;
    if state.connection != Connection::Online || state.company.reads_refused {
        return;
    }
    for place in 0..state.rooms.len() {
        let Some(seq) = state.rooms[place].untold() else { continue };
        state.rooms[place].told_read = seq;
        let id = state.request_id();
        state.company.quiet.push(id.clone());
        let room = state.rooms[place].name.clone();
        effects.push(Effect::Submit(Command::Read(ReadTo { id: Some(id), room, seq })));
    }
}

/// Whoever leaves has read what was on the screen.
pub(super) fn tell_before_leaving(state: &mut State, effects: &mut Vec<Effect>) {
    if let Some(place) = effects.iter().position(|effect| *effect == Effect::Quit) {
        let mut told = Vec::new();
        tell(state, &mut told);
        effects.splice(place..place, told);
    }
}

/// A room was read on another device.
pub(super) fn elsewhere(state: &mut State, news: &ReadUpTo) {
    let Some(place) = state.place_of(&news.room) else { return };
    let in_sight = place == state.current && sees(state);
    let room = &state.rooms[place];
    let counts = |entry: &Entry| {
        entry.kind == EntryKind::Message
            && !state.is_mine(entry)
            && !state.is_ignored(&entry.from)
            && room.standing(entry.seq, state.author).is_some()
    };
    let names_us = |entry: &Entry| state.company.names_us(room, &state.me, &entry.from, entry.text.as_str());
    let unread = room.unread_after(news.seq, counts, names_us);
    state.rooms[place].read_elsewhere(news.seq, unread, in_sight);
}
