//! Drafts: what is being written is kept for the next time, and is there again then.

use std::time::Duration;

use super::{Effect, State};
use crate::client::tui::state::composer::INPUT_BYTES;
use crate::client::tui::state::drafts::{Draft, Recalled, Seen, is_unsent};
use crate::client::tui::state::room::Room;
use crate::client::tui::state::wishes::Composing;
use crate::protocol::name::RoomName;
use crate::protocol::text::sanitise;

/// How much of an afternoon's writing a crash may take: what nobody minds typing again.
const EVERY: Duration = Duration::from_secs(3);

/// After so long what was sent is on the server, mostly, and needs to be kept no longer.
const SENT_AFTER: Duration = Duration::from_millis(500);

/// What was kept of this parlor has been read.
pub(super) fn recall(state: &mut State, recalled: Recalled) {
    state.drafts.parlor = Some(recalled.parlor);
    state.drafts.kept = recalled.drafts;
    state.drafts.seen = seen(state);
    let inputs = recalled.inputs.iter().map(|input| sanitise(input));
    state.input_history.recall(inputs.collect());
    if let Some(wrong) = recalled.wrong {
        state.insist(wrong);
    }
    state.rooms.iter_mut().for_each(|room| room.recalled = false);
}

/// Looks after each event at what is being written: what was kept comes into the rooms that have just been entered, and
/// what has changed is kept at once, or soon.
pub(super) fn note(state: &mut State, left: bool, effects: &mut Vec<Effect>) {
    let Some(parlor) = state.drafts.parlor else { return };
    restore(state);
    for input in std::mem::take(&mut state.drafts.inputs) {
        effects.push(Effect::KeepInput(parlor, input));
    }
    let now = seen(state);
    let went = now.room != state.drafts.seen.room;
    if now != state.drafts.seen {
        let wait = if state.composer().is_empty() { SENT_AFTER } else { EVERY };
        let due = state.now.instant + wait;
        state.drafts.due = Some(state.drafts.due.map_or(due, |earlier| earlier.min(due)));
        state.drafts.seen = now;
    }
    if ((left || went) && state.drafts.due.is_some()) || is_stored(state) {
        keep(state, effects);
    }
}

/// Whether something that is kept as not stored is stored by now: kept longer it would be said twice.
fn is_stored(state: &State) -> bool {
    let known = state.drafts.kept.iter().filter(|(_, draft)| !draft.unsent.is_empty());
    let mut rooms = known.filter_map(|(room, draft)| {
        let place = state.place_of(room)?;
        Some((state.rooms.get(place)?, draft.unsent.len()))
    });
    rooms.any(|(room, unsent)| room.pending.iter().filter(|pending| is_unsent(pending)).count() < unsent)
}

/// Keeps what has changed, if it is time to.
pub(super) fn keep_in_time(state: &mut State, effects: &mut Vec<Effect>) {
    if state.drafts.due.is_some_and(|due| due <= state.now.instant) {
        keep(state, effects);
    }
}

/// Keeps what has changed.
pub(crate) fn keep(state: &mut State, effects: &mut Vec<Effect>) {
    state.drafts.due = None;
    let Some(parlor) = state.drafts.parlor else { return };
    let mut changes: Vec<(RoomName, Option<Draft>)> = Vec::new();
    for room in state.rooms.iter().filter(|room| room.recalled) {
        let now = Draft::of(room);
        if now.as_ref() != state.drafts.kept.get(&room.name) {
            changes.push((room.name.clone(), now));
        }
    }
    for (room, draft) in &changes {
        match draft {
            Some(draft) => state.drafts.kept.insert(room.clone(), draft.clone()),
            None => state.drafts.kept.remove(room),
        };
    }
    if !changes.is_empty() {
        effects.push(Effect::KeepDrafts(parlor, changes));
    }
}

fn seen(state: &State) -> Seen {
    let composing = state.room().and_then(|room| room.composing.as_ref());
    let about = composing.map(|composing| match composing {
        Composing::Answer(seq) | Composing::Edit { seq, .. } => *seq,
    });
    let composer = state.composer();
    Seen { room: state.current, revision: composer.revision(), cursor: composer.cursor(), about }
}

/// Puts what was kept into the rooms that are new here.
fn restore(state: &mut State) {
    let mut unsent = Vec::new();
    for room in state.rooms.iter_mut().filter(|room| !room.recalled) {
        room.recalled = true;
        let Some(draft) = state.drafts.kept.get(&room.name) else { continue };
        if !draft.unsent.is_empty() {
            unsent.push(room.shown.clone());
        }
        let draft = draft.clone().with_unsent_written();
        if room.composer.is_empty() && room.composing.is_none() {
            put(room, &draft);
        } else {
            // Somebody was quicker. Nothing is lost: it is one key away.
            state.input_history.add(&sanitise(&draft.text));
        }
    }
    if !unsent.is_empty() {
        state.insist(format!(
            "what was not stored when you left is in the input of {} again: Enter sends it",
            unsent.join(", ")
        ));
    }
}

fn put(room: &mut Room, draft: &Draft) {
    let mut text = sanitise(&draft.text);
    text.truncate(text.floor_char_boundary(INPUT_BYTES));
    room.composer.set(&text);
    room.composer.go_to(draft.cursor.min(text.len()));
    room.composing = match (draft.edits, draft.answers) {
        (Some(seq), _) => Some(Composing::Edit { seq, draft: sanitise(&draft.before) }),
        (None, Some(seq)) => Some(Composing::Answer(seq)),
        (None, None) => None,
    };
}
