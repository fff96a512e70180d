//! The thread of answers over the rooms: choosing in it, and fetching what of it is not here.

use crossterm::event::{KeyEvent, KeyModifiers};

use super::{Effect, State, changing, choosing, folding, links};
use crate::client::tui::keymap::{self, Action, ForChosen, Key};
use crate::client::tui::state::room::Room;
use crate::client::tui::state::{Connection, Overlay, Thread};
use crate::protocol::command::{Command, History, Place};
use crate::protocol::limits::PAGE_ENTRIES;

/// Pages of history that are looked through for answers by themselves, at most: some 2,000 entries. Most answers come
/// soon.
const PAGES: u8 = 4;

/// What is said of a key that does nothing here.
const KEYS: &str = "a thread is open: r answers, Enter goes to the message in the room, Esc closes";

/// Messages of one page up or down.
const PAGE: isize = 5;

/// Opens the thread that the message `seq` belongs to.
///
/// # Errors
/// A sentence, when it belongs to none.
pub(super) fn open(state: &mut State, seq: u64) -> Result<(), String> {
    let room = state.room().ok_or("you are in no room: /join #lobby enters one")?;
    if !room.has_thread(seq) {
        let known = if room.missing_after(seq) > 0 { ", as far as is loaded" } else { "" };
        return Err(format!("this message answers none, and nobody has answered it{known}: r does"));
    }
    let room = room.name.clone();
    state.overlay = Some(Overlay::Thread(Thread { room, of: seq, chosen: seq, pages: PAGES }));
    Ok(())
}

/// A key while a thread lies over the rooms.
pub(super) fn press(state: &mut State, key: &KeyEvent, effects: &mut Vec<Effect>) {
    let done = match state.keymap().for_chosen(key, true) {
        Some(action) => act(state, action, effects),
        None => other(state, key, effects),
    };
    if let Err(sentence) = done {
        state.complain(sentence);
    }
}

/// Does what a key does with the message that is chosen in the thread.
fn act(state: &mut State, action: ForChosen, effects: &mut Vec<Effect>) -> Result<(), String> {
    let Some(Overlay::Thread(thread)) = &state.overlay else { return Ok(()) };
    let seq = thread.chosen;
    match action {
        ForChosen::Done | ForChosen::GoBack => close(state),
        ForChosen::Above => choose_by(state, -1),
        ForChosen::Below => choose_by(state, 1),
        ForChosen::PageUp | ForChosen::HalfPageUp => choose_by(state, -PAGE),
        ForChosen::PageDown | ForChosen::HalfPageDown => choose_by(state, PAGE),
        ForChosen::Oldest => choose_by(state, isize::MIN),
        ForChosen::Newest => choose_by(state, isize::MAX),
        ForChosen::Thread => {
            state.overlay = None;
            choosing::enter(state, effects);
            choosing::go_to(state, seq, effects)?;
        }
        ForChosen::GoToAnswered => choose_parent(state, seq)?,
        ForChosen::Reply => {
            changing::begin_answer(state, seq)?;
            close(state);
        }
        ForChosen::Edit => {
            changing::begin_edit(state, seq)?;
            close(state);
        }
        ForChosen::React => changing::ask_for_emoji(state, seq)?,
        ForChosen::Delete => changing::ask_to_delete_if_allowed(state, seq)?,
        ForChosen::Copy => changing::copy(state, seq, effects)?,
        ForChosen::OpenLinks => links::show_those_of(state, seq, effects)?,
        ForChosen::About => changing::ask_about(state, seq, effects)?,
        ForChosen::Fold => folding::toggle(state, seq, effects)?,
        ForChosen::NextMatch => look_further(state)?,
        ForChosen::Search
        | ForChosen::PreviousMatch
        | ForChosen::FirstUnread
        | ForChosen::MentionBefore
        | ForChosen::MentionAfter
        | ForChosen::GoToDate
        | ForChosen::DayBefore
        | ForChosen::DayAfter => return Err(KEYS.to_owned()),
    }
    Ok(())
}

/// A key that is not about messages.
fn other(state: &mut State, key: &KeyEvent, effects: &mut Vec<Effect>) -> Result<(), String> {
    match state.keymap().action(Key::of(key)) {
        Some(Action::Close | Action::Interrupt) => close(state),
        Some(Action::Help) => state.overlay = Some(Overlay::Help(0)),
        Some(Action::Repaint) => effects.push(Effect::Repaint),
        _ if keymap::character(key).is_some() && key.modifiers == KeyModifiers::NONE => {
            return Err(KEYS.to_owned());
        }
        _ => {}
    }
    Ok(())
}

fn close(state: &mut State) {
    state.overlay = None;
    choosing::done_with(state);
}

/// Chooses another message of the thread, so many further down.
pub(super) fn choose_by(state: &mut State, by: isize) {
    let Some((thread, room)) = in_sight(state) else { return };
    let members = room.thread(thread.of);
    let seqs = state.shown_of(room, &members);
    let place = seqs.iter().position(|seq| *seq == thread.chosen).unwrap_or(0);
    let next = seqs.get(place.saturating_add_signed(by).min(seqs.len().saturating_sub(1))).copied();
    choose(state, next);
}

fn choose_parent(state: &mut State, seq: u64) -> Result<(), String> {
    let Some((thread, room)) = in_sight(state) else { return Ok(()) };
    let members = room.thread(thread.of);
    let parent = room.scrollback.message(seq).and_then(|message| message.reply_to);
    let parent = parent.ok_or("this message answers none")?;
    let here = state.shown_of(room, &members).contains(&parent);
    choose(state, here.then_some(parent));
    if here { Ok(()) } else { Err("what it answers is not here".to_owned()) }
}

fn choose(state: &mut State, seq: Option<u64>) {
    if let (Some(Overlay::Thread(thread)), Some(seq)) = (&mut state.overlay, seq) {
        thread.chosen = seq;
    }
}

/// Looks for answers in more of the history.
fn look_further(state: &mut State) -> Result<(), String> {
    let missing = in_sight(state).is_some_and(|(thread, room)| room.thread(thread.of).missing > 0);
    if !missing {
        return Err("all of this thread is here".to_owned());
    }
    if let Some(Overlay::Thread(thread)) = &mut state.overlay {
        thread.pages = PAGES;
    }
    Ok(())
}

/// The thread that lies over the rooms, and its room.
fn in_sight(state: &State) -> Option<(&Thread, &Room)> {
    let Some(Overlay::Thread(thread)) = &state.overlay else { return None };
    state.room().filter(|room| room.name == thread.room).map(|room| (thread, room))
}

/// What the oldest message of the thread in sight answers, and is yet to be fetched.
pub(super) fn wanted(state: &State) -> Option<u64> {
    let (thread, room) = in_sight(state)?;
    room.thread(thread.of).above
}

/// Asks for the next page in which answers may be. A thread of a room that is not in sight any more is closed.
pub(super) fn fetch(state: &mut State, effects: &mut Vec<Effect>) {
    if matches!(state.overlay, Some(Overlay::Thread(_))) && in_sight(state).is_none() {
        state.overlay = None;
    }
    let Some((thread, room)) = in_sight(state) else { return };
    let free = room.asked.is_none() && room.quoting.is_none() && room.joined && !room.history_ends;
    if !free || thread.pages == 0 || state.connection != Connection::Online {
        return;
    }
    let Some(first) = room.thread(thread.of).seqs.first().copied() else { return };
    let Some((from, _)) = room.gaps_after(first).next() else { return };
    let (place, name) = (Place::After(from.saturating_sub(1)), room.name.clone());
    let id = state.request_id();
    let limit = state.allowed.map_or(PAGE_ENTRIES, |allowed| allowed.page_entries).clamp(1, PAGE_ENTRIES);
    if let Some(Overlay::Thread(thread)) = &mut state.overlay {
        thread.pages -= 1;
    }
    let Some(room) = state.room_mut() else { return };
    room.asked = Some(id.clone());
    room.asked_for = Some((id.clone(), place));
    effects.push(Effect::Submit(Command::History(History { id: Some(id), room: name, place, limit })));
}
