//! Writing in an editor: what is in the input goes there and comes back changed.

use super::{Effect, State};
use crate::client::tui::state::composer::INPUT_BYTES;
use crate::protocol::text::sanitise;

/// Opens an editor with this text, for the room in sight.
pub(super) fn open(state: &mut State, text: &str, effects: &mut Vec<Effect>) {
    state.editing = Some(state.room().map(|room| room.name.clone()));
    effects.push(Effect::Edit(text.to_owned()));
}

/// The editor was left: with a text, or a sentence that says why there is none.
pub(super) fn come_back(state: &mut State, written: Result<String, String>) {
    let room = state.editing.take().flatten();
    let text = match written {
        Ok(text) => sanitise(&text),
        Err(sentence) => return state.complain(sentence),
    };
    // Editors end the last line.
    let text = text.trim_end_matches('\n');
    if text.len() > INPUT_BYTES {
        // Only what was taken out of it made it longer.
        return state.complain(format!("the input holds {} KiB: write less", INPUT_BYTES / 1024));
    }
    let place = room.as_ref().and_then(|room| state.place_of(room));
    let composer = match (&room, place) {
        (_, Some(place)) => &mut state.rooms[place].composer,
        (None, None) => state.composer_mut(),
        (Some(room), None) => {
            let sentence = format!("you are not in {room} any more: Up brings back what you wrote for it");
            state.remember(text);
            return state.complain(sentence);
        }
    };
    if composer.text() != text {
        composer.set(text);
    }
}
