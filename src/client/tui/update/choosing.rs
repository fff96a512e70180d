//! Choosing a message, and the keys that are about it.

use crossterm::event::KeyEvent;

use super::{Effect, State, changing, folding, history, jump, scrollback_size};
use crate::client::tui::keymap::{self, ForChosen};
use crate::client::tui::rows::Layout;
use crate::client::tui::scroll::Scroll;
use crate::client::tui::state::Connection;
use crate::protocol::command::Place;
use crate::protocol::event::EntryKind;

/// A key while a message is chosen. Says whether that was all; letters that mean nothing are not written either, since one
/// does not see them where one looks.
pub(super) fn press(state: &mut State, key: &KeyEvent, effects: &mut Vec<Effect>) -> bool {
    let Some(room) = state.room() else { return false };
    let Some(seq) = room.chosen else { return false };
    // A command may be about the message: it is written while the message stays chosen.
    if room.composer.text().starts_with('/') {
        return false;
    }
    let letter = keymap::character(key);
    let Some(action) = keymap::for_chosen(key) else {
        let means_nothing = letter.is_some() && !(letter == Some('/') && room.composer.is_empty());
        if means_nothing {
            state.say(keys());
        }
        return means_nothing;
    };
    let done = match action {
        ForChosen::Reply => changing::begin_answer(state, seq),
        ForChosen::Edit => changing::begin_edit(state, seq),
        ForChosen::Delete => changing::ask_to_delete_if_allowed(state, seq),
        ForChosen::React => changing::ask_for_emoji(state, seq),
        ForChosen::About => changing::ask_about(state, seq, effects),
        ForChosen::Copy => changing::copy(state, seq, effects),
        ForChosen::GoToAnswered if answers_none(state, seq) => {
            stop(state);
            Ok(())
        }
        ForChosen::GoToAnswered => go_to_answered(state, seq, effects),
        ForChosen::GoBack => {
            match state.room_mut().and_then(crate::client::tui::state::room::Room::jump_back) {
                Some(from) => go_to(state, from, effects),
                None => {
                    Err("there is nothing to go back to: Enter goes to what a message answers".to_owned())
                }
            }
        }
        ForChosen::Above => {
            step(state, true, effects);
            Ok(())
        }
        ForChosen::Below => {
            step(state, false, effects);
            Ok(())
        }
        ForChosen::Oldest => {
            to_end(state, true, effects);
            Ok(())
        }
        ForChosen::Newest => {
            to_end(state, false, effects);
            Ok(())
        }
        ForChosen::Done => {
            stop(state);
            Ok(())
        }
        ForChosen::Fold => folding::toggle(state, seq, effects),
    };
    if let Err(sentence) = done {
        state.complain(sentence);
    }
    true
}

/// What the keys do, in a sentence.
fn keys() -> String {
    let is_said = |binding: &&keymap::chosen::Binding| {
        matches!(
            binding.action,
            ForChosen::Reply | ForChosen::React | ForChosen::Copy | ForChosen::About | ForChosen::Done
        )
    };
    let said = keymap::FOR_CHOSEN.iter().filter(is_said);
    let said: Vec<String> = said.map(|binding| format!("{} {}", binding.name(), binding.does)).collect();
    format!("a message is chosen: {}. Then one writes again", said.join(", "))
}

/// Whether the message `seq` is here and answers none.
fn answers_none(state: &State, seq: u64) -> bool {
    let message = state.room().and_then(|room| room.scrollback.message(seq));
    message.is_some_and(|message| message.reply_to.is_none())
}

/// Whether there is a message that could be chosen.
pub(crate) fn has_choosable(state: &State) -> bool {
    let heard = |entry: &crate::protocol::event::Entry| !state.is_ignored(&entry.from);
    state.room().is_some_and(|room| room.latest(state.author, heard).is_some())
}

/// To the oldest message that is here, or to the newest.
fn to_end(state: &mut State, oldest: bool, effects: &mut Vec<Effect>) {
    let Some(room) = state.room() else { return };
    let mut places = 0..room.scrollback.len();
    let place = match oldest {
        true => places.find(|place| is_choosable(state, *place)),
        false => places.rfind(|place| is_choosable(state, *place)),
    };
    let seq = place.and_then(|place| room.scrollback.get(place)).map(|entry| entry.seq);
    if let Some(room) = state.room_mut() {
        room.chosen = seq.or(room.chosen);
    }
    if oldest {
        history::to_oldest(state, effects);
    } else {
        history::to_newest(state);
    }
}

fn stop(state: &mut State) {
    if let Some(room) = state.room_mut() {
        room.stop_choosing();
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
            let lowest = layout.visible(height).iter().rev().find_map(|(unit, _)| {
                let place = unit.checked_sub(1)?;
                is_choosable(state, place).then_some(place)
            });
            lowest.map_or(Next::None, Next::Message)
        }
        None => {
            state.say("↑ with Alt chooses a message; then r answers it, + reacts to it");
            return;
        }
    };
    match next {
        Next::Message(place) => {
            let scroll = shown(&layout, place + 1, height);
            let seq = room.scrollback.get(place).map(|entry| entry.seq);
            if let Some(room) = state.room_mut() {
                room.chosen = seq;
            }
            history::arrive_at(state, scroll, effects);
        }
        // What is missing comes into sight, and is loaded by that.
        Next::Gap(place) => {
            let scroll = shown(&layout, if up { place } else { place + 1 }, height);
            history::arrive_at(state, scroll, effects);
        }
        Next::None if up => history::to_oldest(state, effects),
        Next::None => {
            stop(state);
            history::to_newest(state);
        }
    }
}

/// What comes next.
enum Next {
    /// The message at this place.
    Message(usize),
    /// Something that is not here; the place of the entry that we come to before it.
    Gap(usize),
    None,
}

/// The first message among `places`, each with the place before which a gap may lie between it and the one before.
fn next_message(state: &State, places: impl Iterator<Item = (usize, usize)>) -> Next {
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

/// Chooses the message `seq`, or no more if it is chosen. Says whether it is one that can be.
pub(super) fn choose(state: &mut State, seq: u64) -> bool {
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

fn is_choosable(state: &State, place: usize) -> bool {
    let entry = state.room().and_then(|room| Some((room, room.scrollback.get(place)?)));
    entry.is_some_and(|(room, entry)| {
        entry.kind == EntryKind::Message
            && !state.is_ignored(&entry.from)
            && room.standing(entry.seq, state.author).is_some()
    })
}

/// Where the reader is once all of a unit is in sight, by as few rows as possible.
fn shown(layout: &Layout<'_>, unit: usize, height: usize) -> Scroll {
    let visible = layout.visible(height);
    let (Some((first, _)), Some((last, _))) = (visible.first(), visible.last()) else {
        return layout.room.scroll;
    };
    if unit + height < *first || unit > *last + height {
        let entry = unit.checked_sub(1).and_then(|place| layout.room.scrollback.get(place));
        return entry.map_or(layout.room.scroll, |entry| layout.with_in_sight(entry.seq, height));
    }
    let hidden = |unit: usize| {
        let seen = visible.iter().filter(|(number, _)| *number == unit).count();
        isize::try_from(layout.rows(unit).len().saturating_sub(seen)).unwrap_or(0)
    };
    let by = if unit <= *first {
        -(unit..=*first).map(hidden).sum::<isize>()
    } else if unit >= *last {
        (*last..=unit).map(hidden).sum()
    } else {
        0
    };
    if by == 0 { layout.room.scroll } else { layout.scrolled(by, height) }
}

/// To the message that the message `seq` answers.
fn go_to_answered(state: &mut State, seq: u64, effects: &mut Vec<Effect>) -> Result<(), String> {
    let answered = state.room().and_then(|room| room.scrollback.message(seq)?.reply_to);
    let Some(answered) = answered else { return Err("this message answers none".to_owned()) };
    go_to(state, answered, effects)?;
    // Not if it is known to be gone.
    if let Some(room) = state.room_mut().filter(|room| room.jump.is_some() || room.chosen != Some(seq)) {
        room.jump_from(seq);
    }
    Ok(())
}

/// To the message `seq`, however far back it is: it is chosen when it is there.
fn go_to(state: &mut State, seq: u64, effects: &mut Vec<Effect>) -> Result<(), String> {
    let Some(room) = state.room() else { return Ok(()) };
    if let Connection::Ended { why } = &state.connection
        && room.scrollback.place_of(seq).is_err()
    {
        return Err(format!("{why}: nothing can be loaded any more, Ctrl-C leaves"));
    }
    jump::jump(state, room.name.clone(), Place::Around(seq), effects);
    Ok(())
}
