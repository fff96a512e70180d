//! Opening long messages that are folded, and folding them again.

use super::{Effect, State, following, history, scrollback_size};
use crate::client::tui::rows::Row;
use crate::client::tui::scroll::Unit;

/// Opens the message `seq`, or folds it.
pub(super) fn toggle(state: &mut State, seq: u64, effects: &mut Vec<Effect>) -> Result<(), String> {
    let (width, height) = scrollback_size(state);
    let Some(room) = state.room() else { return Ok(()) };
    if !state.layout(room, width).can_fold(seq) {
        return Err("nothing is folded in this message".to_owned());
    }
    let Some(room) = state.room_mut() else { return Ok(()) };
    let opened = room.unfolded.insert(seq);
    if !opened {
        room.unfolded.remove(&seq);
    }
    let Some(room) = state.room() else { return Ok(()) };
    let layout = state.layout(room, width);
    let rows = layout.number(Unit::Entry(seq)).map_or(0, |number| layout.rows(number).len());
    let to = if opened && rows > height {
        // What is longer than the screen is read from its beginning.
        layout.with_in_sight(seq, height)
    } else {
        following::shown(&layout, seq, height)
    };
    history::arrive_at(state, to, effects);
    Ok(())
}

/// The same with the message that is chosen, or else with the lowest in sight that is folded, or was.
pub(super) fn toggle_latest(state: &mut State, effects: &mut Vec<Effect>) -> Result<(), String> {
    let (width, height) = scrollback_size(state);
    let Some(room) = state.room() else { return Err("you are in no room".to_owned()) };
    let layout = state.layout(room, width);
    let in_sight = layout.visible(height).into_iter().rev().find_map(|(unit, row)| {
        let Some(Unit::Entry(seq)) = layout.unit(unit) else { return None };
        let folded = matches!(row, Row::Said(said) if said.folded);
        (folded || room.unfolded.contains(&seq)).then_some(seq)
    });
    match room.chosen.or(in_sight) {
        Some(seq) => toggle(state, seq, effects),
        None => Err("nothing in sight is folded".to_owned()),
    }
}
