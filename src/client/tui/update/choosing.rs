//! Choosing a message, and the keys that are about it.
//!
//! There are two ways to it, and one implementation. In **reading mode**, which Esc enters, one stays until one goes back to
//! writing. A message that was **chosen** by Alt-↑ while one writes is chosen for one action: after it one writes again.
//! Whoever moves on by letters rather than by arrows has begun to read.

use crossterm::event::{KeyCode, KeyEvent};

use super::{
    Effect, State, changing, finding, folding, following, history, in_room, jump, links, scrollback_size,
    stepping, thread,
};
use crate::client::tui::keymap::{self, ForChosen};
use crate::client::tui::state::Connection;
use crate::client::tui::state::in_room::Way;
use crate::client::tui::state::room::Room;
use crate::protocol::command::Place;
use crate::protocol::event::EntryKind;

/// What going to a day is written as.
const GO_TO: &str = "/goto ";

/// A key while a message is chosen. Says whether that was all; letters that mean nothing are not written either, since one
/// does not see them where one looks.
pub(super) fn press(state: &mut State, key: &KeyEvent, effects: &mut Vec<Effect>) -> bool {
    let Some(room) = state.room() else { return false };
    let Some(seq) = room.chosen else { return false };
    // A command may be about the message: it is written while the message stays chosen.
    if room.composer.text().starts_with('/') {
        return false;
    }
    let reading = room.reading;
    let letter = keymap::character(key);
    let Some(action) = state.keymap().for_chosen(key, reading) else {
        let begins_command = letter == Some('/') && room.composer.is_empty();
        let means_nothing = letter.is_some() && !begins_command;
        if means_nothing {
            let keys = keys(state, reading);
            state.say(keys);
        }
        return means_nothing;
    };
    let stays = matches!(key.code, KeyCode::Up | KeyCode::Down);
    if !stays && moves(action) {
        read(state);
    }
    if let Err(sentence) = act(state, action, seq, effects) {
        state.complain(sentence);
    }
    true
}

/// Whether it takes the reader elsewhere.
fn moves(action: ForChosen) -> bool {
    use ForChosen as F;
    matches!(
        action,
        F::Above
            | F::Below
            | F::Oldest
            | F::Newest
            | F::DayBefore
            | F::DayAfter
            | F::FirstUnread
            | F::MentionBefore
            | F::MentionAfter
            | F::GoToAnswered
    )
}

/// Does what a key does with the message `seq`.
///
/// # Errors
/// A sentence that says why it cannot be done.
fn act(state: &mut State, action: ForChosen, seq: u64, effects: &mut Vec<Effect>) -> Result<(), String> {
    match action {
        ForChosen::Reply => changing::begin_answer(state, seq)?,
        ForChosen::Edit => changing::begin_edit(state, seq)?,
        ForChosen::Delete => changing::ask_to_delete_if_allowed(state, seq)?,
        ForChosen::React => changing::ask_for_emoji(state, seq)?,
        ForChosen::About => changing::ask_about(state, seq, effects)?,
        ForChosen::Copy => {
            changing::copy(state, seq, effects)?;
            done_with(state);
        }
        ForChosen::OpenLinks => {
            links::show_those_of(state, seq, effects)?;
            done_with(state);
        }
        ForChosen::Thread => thread::open(state, seq)?,
        ForChosen::GoToAnswered => go_to_answered(state, seq, effects)?,
        ForChosen::GoBack => go_back(state, effects)?,
        ForChosen::Above => step(state, true, effects),
        ForChosen::Below => step(state, false, effects),
        ForChosen::PageUp => stepping::page(state, -1, 1, effects),
        ForChosen::PageDown => stepping::page(state, 1, 1, effects),
        ForChosen::HalfPageUp => stepping::page(state, -1, 2, effects),
        ForChosen::HalfPageDown => stepping::page(state, 1, 2, effects),
        ForChosen::DayBefore => stepping::by_day(state, true, effects),
        ForChosen::DayAfter => stepping::by_day(state, false, effects),
        ForChosen::Oldest => stepping::to_end(state, true, effects),
        ForChosen::Newest => stepping::to_end(state, false, effects),
        ForChosen::FirstUnread => go_to_unread(state, effects)?,
        ForChosen::MentionBefore => finding::go_by(state, 1, effects),
        ForChosen::MentionAfter => finding::go_by(state, -1, effects),
        ForChosen::Search => in_room::open(state),
        ForChosen::NextMatch => in_room::go(state, Way::Older, effects)?,
        ForChosen::PreviousMatch => in_room::go(state, Way::Newer, effects)?,
        ForChosen::GoToDate => ask_for_date(state)?,
        ForChosen::Fold => folding::toggle(state, seq, effects)?,
        ForChosen::Done => stop(state),
    }
    Ok(())
}

/// What the keys do, in a sentence.
fn keys(state: &State, reading: bool) -> String {
    use ForChosen::{Copy, Done, React, Reply, Search, Thread};
    let wanted: &[ForChosen] =
        if reading { &[Reply, Thread, Search, Copy, Done] } else { &[Reply, React, Copy, Thread, Done] };
    let said = keymap::FOR_CHOSEN.iter().filter(|binding| wanted.contains(&binding.action));
    let said = said.map(|binding| (state.keymap().chosen_name(binding), binding.does));
    let said = said.filter(|(key, _)| !key.is_empty());
    let said: Vec<String> = said.map(|(key, does)| format!("{key} {does}")).collect();
    let how = if reading { "you are reading" } else { "a message is chosen" };
    format!("{how}: {}; {} shows all keys", said.join(", "), state.key_for(keymap::Action::Help))
}

/// Whether there is a message that could be chosen.
pub(crate) fn has_choosable(state: &State) -> bool {
    let heard = |entry: &crate::protocol::event::Entry| !state.is_ignored(&entry.from);
    state.room().is_some_and(|room| room.latest(state.author, heard).is_some())
}

/// Enters reading mode, at the message that is chosen or the lowest in sight. Says whether there was one.
pub(super) fn enter(state: &mut State, effects: &mut Vec<Effect>) -> bool {
    if state.room().is_some_and(|room| room.chosen.is_none()) {
        step(state, true, effects);
    }
    read(state);
    state.room().is_some_and(|room| room.reading)
}

/// Whoever has chosen a message reads from now on.
fn read(state: &mut State) {
    if let Some(room) = state.room_mut() {
        room.reading |= room.chosen.is_some();
    }
}

pub(super) fn stop(state: &mut State) {
    state.room_mut().into_iter().for_each(Room::stop_choosing);
}

/// Something was done with the message that is chosen: whoever does not read writes again.
pub(super) fn done_with(state: &mut State) {
    state.room_mut().into_iter().filter(|room| !room.reading).for_each(Room::stop_choosing);
}

/// Chooses the message `seq` of the room in sight.
pub(super) fn choose(state: &mut State, seq: u64) {
    if let Some(room) = state.room_mut() {
        room.chosen = Some(seq);
    }
}

/// To the next message above or below; at first, to the lowest in sight.
pub(super) fn step(state: &mut State, up: bool, effects: &mut Vec<Effect>) {
    let (width, height) = scrollback_size(state);
    let Some(room) = state.room() else { return };
    let layout = state.layout(room, width);
    let known = room.scrollback.len();
    let from = room.chosen.map(|seq| room.scrollback.place_of(seq).unwrap_or_else(|place| place));
    let next = match from {
        Some(from) if up => next_message(state, (0..from).rev().map(|place| (place, place + 1))),
        Some(from) => next_message(state, (from + 1..known).map(|place| (place, place))),
        None if up => {
            let lowest = following::in_sight(state).last().copied();
            lowest.map_or(Next::None, Next::Message)
        }
        None => {
            state.say("↑ with Alt chooses a message; then r answers it, + reacts to it");
            return;
        }
    };
    match next {
        Next::Message(place) => {
            let Some(seq) = room.scrollback.get(place).map(|entry| entry.seq) else { return };
            let scroll = following::shown(&layout, seq, height);
            choose(state, seq);
            history::arrive_at(state, scroll, effects);
        }
        // What is missing comes into sight, and is loaded by that.
        Next::Gap(place) => {
            let scroll = following::unit_shown(&layout, if up { place } else { place + 1 }, height);
            history::arrive_at(state, scroll, effects);
        }
        Next::None if up => history::to_oldest(state, effects),
        // Whoever reads stays with the newest.
        Next::None if room.reading => stepping::to_newest(state),
        Next::None => {
            stop(state);
            history::to_newest(state);
        }
    }
}

/// What comes next.
pub(super) enum Next {
    /// The message at this place.
    Message(usize),
    /// Something that is not here; the place of the entry that we come to before it.
    Gap(usize),
    None,
}

/// The first message among `places`, each with the place before which a gap may lie between it and the one before.
pub(super) fn next_message(state: &State, places: impl Iterator<Item = (usize, usize)>) -> Next {
    let Some(room) = state.room() else { return Next::None };
    for (place, edge) in places {
        if room.scrollback.gap_before(edge).is_some() {
            return Next::Gap(edge);
        }
        if is_choosable(state, place) {
            return Next::Message(place);
        }
    }
    Next::None
}

/// Chooses the message `seq`, or no more if it is chosen: by a click. Says whether it is one that can be.
pub(super) fn click(state: &mut State, seq: u64) -> bool {
    let place = state.room().and_then(|room| room.scrollback.place_of(seq).ok());
    if !place.is_some_and(|place| is_choosable(state, place)) {
        return false;
    }
    if state.room().is_some_and(|room| room.chosen == Some(seq)) {
        stop(state);
    } else if let Some(room) = state.room_mut() {
        room.chosen = Some(seq);
    }
    true
}

/// Whether there is a message at a place that somebody could want to choose.
pub(super) fn is_choosable(state: &State, place: usize) -> bool {
    let entry = state.room().and_then(|room| Some((room, room.scrollback.get(place)?)));
    entry.is_some_and(|(room, entry)| {
        entry.kind == EntryKind::Message
            && !state.is_ignored(&entry.from)
            && room.standing(entry.seq, state.author).is_some()
    })
}

/// To the message that the message `seq` answers.
fn go_to_answered(state: &mut State, seq: u64, effects: &mut Vec<Effect>) -> Result<(), String> {
    let answered = state.room().and_then(|room| room.scrollback.message(seq)?.reply_to);
    let Some(answered) = answered else { return Err("this message answers none".to_owned()) };
    go_to(state, answered, effects)
}

/// To the message `seq`, however far back it is: it is chosen when it is there.
///
/// # Errors
/// A sentence, when it is not here and nothing can be loaded any more.
pub(super) fn go_to(state: &mut State, seq: u64, effects: &mut Vec<Effect>) -> Result<(), String> {
    let Some(room) = state.room() else { return Ok(()) };
    if let Connection::Ended { why } = &state.connection
        && room.scrollback.place_of(seq).is_err()
    {
        return Err(format!("{why}: nothing can be loaded any more, Ctrl-C leaves"));
    }
    jump::jump(state, room.name.clone(), Place::Around(seq), effects);
    Ok(())
}

/// To the line "new".
fn go_to_unread(state: &mut State, effects: &mut Vec<Effect>) -> Result<(), String> {
    let new_after = state.room().and_then(|room| Some((room.new_after?, room.first)));
    let Some((seen, first)) = new_after else { return Err("nothing is new here".to_owned()) };
    go_to(state, (seen + 1).max(first), effects)
}

/// Back to where one was before the last jump.
fn go_back(state: &mut State, effects: &mut Vec<Effect>) -> Result<(), String> {
    while let Some(back) = state.finding.places.pop() {
        let here = state.room().map(Room::here);
        // Where nothing has come of a jump, one is there already.
        if here.as_ref() != Some(&back) && jump::return_to(state, &back, effects) {
            return Ok(());
        }
    }
    Err("there is nothing to go back to: you have not jumped anywhere".to_owned())
}

/// The day to go to is written where everything is written.
fn ask_for_date(state: &mut State) -> Result<(), String> {
    if !state.composer().is_empty() {
        return Err("something is written already: sent or thrown away, it makes room for /goto".to_owned());
    }
    state.composer_mut().set(GO_TO);
    state.say("write a day, a time or both: yesterday, monday 14:00, 2026-11-03; Esc stays here");
    Ok(())
}
