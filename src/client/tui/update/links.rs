//! The links in sight: listed, opened, copied.

use super::{Effect, State, copying, overlays, scrollback_size};
use crate::client::tui::state::{Links, Overlay};
use crate::protocol::link;
use crate::protocol::name::Nick;

/// Lists the links in sight, the newest first.
pub(super) fn show(state: &mut State) {
    let (width, height) = scrollback_size(state);
    let Some(room) = state.room() else { return };
    let layout = state.layout(room, width);
    let mut units: Vec<usize> = layout.visible(height).into_iter().map(|(unit, _)| unit).collect();
    units.dedup();
    let mut found = Vec::new();
    for (from, text) in units.into_iter().rev().filter_map(|unit| layout.text(unit)) {
        for range in link::links(text).into_iter().rev() {
            let link = text.get(range).unwrap_or_default();
            if !found.iter().any(|(_, known)| known == link) {
                found.push((from.clone(), link.to_owned()));
            }
        }
    }
    if found.is_empty() {
        state.say("there are no links in sight");
    } else {
        state.overlay = Some(Overlay::Links(Links { found, chosen: 0 }));
    }
}

/// Opens the link in the message `seq`; of several, lists them.
///
/// # Errors
/// A sentence, when there is none.
pub(super) fn show_those_of(state: &mut State, seq: u64, effects: &mut Vec<Effect>) -> Result<(), String> {
    let said = state.room().and_then(|room| room.standing(seq, state.author));
    let (entry, now) = said.ok_or("that message was deleted, or is not here")?;
    let mut found: Vec<(Nick, String)> = Vec::new();
    for range in link::links(now.text) {
        let link = now.text.get(range).unwrap_or_default();
        if !found.iter().any(|(_, known)| known == link) {
            found.push((entry.from.clone(), link.to_owned()));
        }
    }
    let many = found.len();
    if many == 0 {
        return Err("there is no link in this message".to_owned());
    }
    state.overlay = Some(Overlay::Links(Links { found, chosen: 0 }));
    if many == 1 {
        open(state, effects);
    }
    Ok(())
}

fn take_chosen(state: &mut State) -> Option<String> {
    let Some(Overlay::Links(mut links)) = state.overlay.take() else { return None };
    (links.chosen < links.found.len()).then(|| links.found.swap_remove(links.chosen).1)
}

/// Opens the chosen link, or has it copied where it cannot be opened, and says which.
pub(super) fn open(state: &mut State, effects: &mut Vec<Effect>) {
    if let Some(link) = take_chosen(state) {
        follow(state, link, effects);
    }
}

/// Opens a link, or has it copied where it cannot be opened, and says which.
pub(super) fn follow(state: &mut State, link: String, effects: &mut Vec<Effect>) {
    let invite = link.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("parlor:"));
    let told = if invite {
        "sent to the terminal, to be copied: `parlor join` and an invite enters another parlor"
    } else if state.can_open {
        state.say(format!("opening {link}"));
        effects.push(Effect::Open(link));
        return;
    } else {
        "no screen to open it on is known here: sent to the terminal, to be copied"
    };
    copying::copy(state, link, told, effects);
}

/// Sends the chosen link to the terminal.
pub(super) fn copy(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(link) = take_chosen(state) else { return };
    copying::copy(state, link, overlays::COPIED, effects);
}
