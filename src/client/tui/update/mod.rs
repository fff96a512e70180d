//! What happens to the state. No I/O, no clock: what is to be done outside comes out as [`Effect`]s,
//! time comes in as [`Event::Tick`].

mod completing;
mod finding;
mod history;
mod jump;
mod keys;
mod link;
mod order;
pub(crate) mod overlays;
mod rooms;
mod saying;

use super::event::{Effect, Event, Now};
use super::scroll::Scroll;
use super::state::{Connection, Question, State};
use super::view;
use crate::protocol::name::RoomName;

/// Entries that a room brings by itself when it is joined; the rest is loaded when it is scrolled to.
/// Six screens, so that the first turn of the wheel waits for nothing.
pub(crate) const JOIN_ENTRIES: u64 = 200;

/// Lines from which on a paste is asked about.
const PASTE_LINES: usize = 5;

/// Bytes of a paste that is taken at all. More than a message holds, so that it can be cut down here.
const PASTE_BYTES: usize = 64 * 1024;

/// Takes in one event. Says what is to be done.
pub fn update(state: &mut State, event: Event) -> Vec<Effect> {
    let mut effects = Vec::new();
    if let Event::Tick(now) = event {
        tick(state, now);
        finding::start_if_due(state, &mut effects);
        watch(state, false, &effects);
        return effects;
    }
    state.changed = true;
    let heard = matches!(event, Event::Link(_));
    match event {
        Event::Tick(_) => {}
        Event::Key(key) => keys::press(state, &key, &mut effects),
        Event::Wheel(rows) => {
            if state.overlay.is_some() {
                overlays::scroll(state, rows, &mut effects);
            } else {
                history::scroll(state, rows, &mut effects);
            }
        }
        Event::Paste(text) => paste(state, &text),
        Event::Resize(columns, rows) => {
            state.size = (columns, rows);
            // Of a size that came and went between two drawings nothing is left but what the terminal
            // lost by it.
            effects.push(Effect::Repaint);
        }
        Event::Focus(focused) => focus(state, focused),
        Event::Link(news) => link::take_in(state, news, &mut effects),
        Event::Terminate => effects.push(Effect::Quit),
    }
    see(state);
    overlays::leave_when_free(state, &mut effects);
    watch(state, heard, &effects);
    effects
}

/// Keeps in mind since when the server owes us an answer. `heard`: it has just said something.
fn watch(state: &mut State, heard: bool, effects: &[Effect]) {
    if state.connection != Connection::Online {
        state.unanswered_since = None;
    } else if heard {
        state.unanswered_since = state.waits_for_an_answer().then_some(state.now.instant);
    } else if effects.iter().any(|effect| matches!(effect, Effect::Submit(_))) && state.held.is_none() {
        state.unanswered_since.get_or_insert(state.now.instant);
    }
}

/// Enters a room, or goes to it.
pub(crate) fn enter(state: &mut State, room: RoomName, effects: &mut Vec<Effect>) {
    rooms::join(state, room, None, effects);
    watch(state, false, effects);
}

/// Brings an entry of the room in sight onto the screen.
pub(crate) fn look_at(state: &mut State, seq: u64, effects: &mut Vec<Effect>) {
    history::look_at(state, seq, effects);
}

fn tick(state: &mut State, now: Now) {
    let countdown = |state: &State| (state.retry_at().map(|at| state.seconds_until(at)), state.silence());
    let before = countdown(state);
    state.now = now;
    if countdown(state) != before {
        state.changed = true;
    }
    if state.silence().is_some() {
        // What was measured before says nothing now, nor does it when the server is back.
        state.round_trip = None;
    }
    if state.notice.as_ref().and_then(|notice| notice.until).is_some_and(|until| until <= now.instant) {
        state.notice = None;
        state.changed = true;
    }
}

fn paste(state: &mut State, text: &str) {
    if finding::paste(state, text) {
        return;
    }
    let before = match state.question.take() {
        // There is a question already, and what it is about is not complete.
        Some(Question::Paste(before)) => before + "\n",
        Some(search @ Question::Search { .. }) => {
            state.question = Some(search);
            return;
        }
        Some(Question::Leave { .. } | Question::Word(_)) | None => String::new(),
    };
    state.overlay = None;
    state.completion = None;
    let clean = crate::protocol::text::sanitise(text);
    let clean = before + clean.trim_end_matches('\n');
    if clean.len() > PASTE_BYTES {
        let max = state.text_bytes() / 1024;
        state.complain(format!(
            "{} KiB were pasted and a message holds {max}: send it in parts",
            clean.len() / 1024
        ));
        return;
    }
    if clean.split('\n').count() > PASTE_LINES {
        state.question = Some(Question::Paste(clean));
    } else {
        state.composer_mut().insert(&clean);
    }
}

fn focus(state: &mut State, focused: bool) {
    state.focused = focused;
    if !focused && let Some(room) = state.room_mut() {
        room.leave_sight();
    }
}

/// Whether what arrives in the room in sight is seen there.
fn sees(state: &State) -> bool {
    state.focused && state.room().is_some_and(|room| room.scroll == Scroll::Bottom)
}

/// The room in sight has been read if its end is on the screen and somebody is there.
fn see(state: &mut State) {
    if sees(state)
        && let Some(room) = state.room_mut()
    {
        room.see_all();
    }
}

/// The columns and rows that the scrollback has.
fn scrollback_size(state: &State) -> (u16, usize) {
    let area = view::panes(state).scrollback;
    (area.width, usize::from(area.height))
}
