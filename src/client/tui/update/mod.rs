//! What happens to the state. No I/O, no clock: what is to be done outside comes out as [`Effect`]s,
//! time comes in as [`Event::Tick`].

mod arranging;
mod changing;
pub(crate) mod choosing;
mod company;
mod completing;
mod copying;
mod direct;
pub(crate) mod drafting;
mod editing;
mod finding;
mod folding;
mod following;
mod history;
mod in_room;
mod jump;
mod keys;
pub(crate) mod line;
mod link;
mod links;
mod motd;
mod mouse;
mod order;
pub(crate) mod overlays;
mod palette;
pub(crate) mod pasting;
mod quoting;
mod reading;
mod recalling;
mod ringing;
mod rooms;
mod saying;
mod setting;
mod stepping;
mod theming;
mod thread;
mod who;

pub(crate) use self::changing::fitting;
use super::event::{Effect, Event, Now};
use super::scroll::Scroll;
use super::state::{Connection, Question, State};
use super::view;
use crate::protocol::name::RoomName;

/// Entries that a room brings by itself when it is joined; the rest is loaded when it is scrolled to.
/// Six screens, so that the first turn of the wheel waits for nothing.
pub(crate) const JOIN_ENTRIES: u64 = 200;

/// Takes in one event. Says what is to be done.
pub fn update(state: &mut State, event: Event) -> Vec<Effect> {
    let mut effects = Vec::new();
    if let Event::Tick(now) = event {
        tick(state, now, &mut effects);
        let mut searches = Vec::new();
        finding::start_if_due(state, &mut searches);
        // Somebody waits for these.
        watch(state, false, &searches);
        effects.extend(searches);
        return effects;
    }
    state.changed = true;
    let heard = matches!(event, Event::Link(_));
    let writes = matches!(event, Event::Key(_) | Event::Paste(_));
    let lay_over = state.overlay.as_ref().map(std::mem::discriminant);
    let told = state.notice.clone().filter(|notice| notice.until.is_some());
    let pressed = matches!(event, Event::Key(_));
    let stood = place(state);
    let had_written = !state.composer().is_empty();
    let leaves = matches!(event, Event::Terminate | Event::Focus(false));
    let before = writes.then(|| (state.current, state.composer().revision()));
    let chosen = following::before(state);
    let moves = matches!(event, Event::Key(_) | Event::Wheel(_));
    if writes {
        mouse::forget(state);
    }
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
        Event::Paste(text) if matches!(state.question, Some(Question::InRoomSearch)) => {
            in_room::paste(state, &text, &mut effects);
        }
        Event::Mouse(event) => mouse::take_in(state, &event, &mut effects),
        Event::Line(text) => saying::give(state, &text, &mut effects),
        Event::Paste(text) => pasting::paste(state, &text),
        Event::Resize(columns, rows) => {
            mouse::forget(state);
            state.size = (columns, rows);
            // Of a size that came and went between two drawings nothing is left but what the terminal
            // lost by it.
            effects.push(Effect::Repaint);
        }
        Event::Focus(focused) => focus(state, focused),
        Event::Background(background) => theming::is_on(state, background),
        Event::Themes(own) => theming::read(state, own),
        Event::Link(news) => link::take_in(state, news, &mut effects),
        Event::Recalled(recalled) => drafting::recall(state, recalled),
        Event::Edited(written) => editing::come_back(state, written),
        Event::Settings(reading) => setting::take_in(state, *reading),
        Event::Terminate => effects.push(Effect::Quit),
    }
    if writes {
        completing::offer(state);
    }
    // What was told of something earlier says nothing of what lies over the rooms now, of where a key has led since, nor of
    // what was written and is gone.
    let covered = state.overlay.is_some() && state.overlay.as_ref().map(std::mem::discriminant) != lay_over;
    let left = pressed && (place(state) != stood || (had_written && state.composer().is_empty()));
    if (covered || left) && told.is_some() && state.notice == told {
        state.notice = None;
    }
    theming::follow(state);
    see(state);
    if before.is_some_and(|(place, then)| place == state.current && then != state.composer().revision()) {
        company::tell_typing(state, &mut effects);
    }
    following::keep_in_sight(state, chosen, moves, &mut effects);
    quoting::fetch(state, &mut effects);
    thread::fetch(state, &mut effects);
    overlays::leave_when_free(state, &mut effects);
    reading::note(state);
    reading::tell_before_leaving(state, &mut effects);
    rooms::remember_before_leaving(state, &mut effects);
    watch(state, heard, &effects);
    let left = leaves || effects.contains(&Effect::Quit);
    drafting::note(state, left, &mut effects);
    effects
}

/// Where the reader is: in which room, at which message, how far up.
fn place(state: &State) -> (usize, Option<(Option<u64>, Scroll)>) {
    (state.current, state.room().map(|room| (room.chosen, room.scroll)))
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

/// Comes back into the rooms of last time, and goes to the one that is wanted: see [`rooms::come_back`].
pub(crate) fn come_back(state: &mut State, wanted: Option<RoomName>, effects: &mut Vec<Effect>) {
    rooms::come_back(state, wanted, effects);
    watch(state, false, effects);
}

/// Asks for the entries of the room in sight before the entry `before`, `many` at most.
pub(crate) fn read_back(state: &mut State, before: u64, many: u64) -> Vec<Effect> {
    let mut effects = Vec::new();
    history::ask_before(state, before, many, &mut effects);
    watch(state, false, &effects);
    effects
}

/// Brings an entry of the room in sight onto the screen.
pub(crate) fn look_at(state: &mut State, seq: u64, effects: &mut Vec<Effect>) {
    history::look_at(state, seq, effects);
}

fn tick(state: &mut State, now: Now, effects: &mut Vec<Effect>) {
    let countdown = |state: &State| (state.retry_at().map(|at| state.seconds_until(at)), state.silence());
    let before = countdown(state);
    state.now = now;
    if countdown(state) != before {
        state.changed = true;
    }
    reading::tell_in_time(state, effects);
    drafting::keep_in_time(state, effects);
    for (place, room) in state.rooms.iter_mut().enumerate() {
        state.changed |= room.typing.pass(now.instant) && place == state.current;
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
