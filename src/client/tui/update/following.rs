//! The chosen message and what is in sight belong together: whoever scrolls takes the choice along, and whatever else
//! happens leaves it in sight.

use super::{Effect, State, choosing, history, scrollback_size};
use crate::client::tui::rows::{Layout, Row};
use crate::client::tui::scroll::{Anchor, Scroll, Unit};

/// What was chosen and in sight before something happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    room: usize,
    chosen: Option<u64>,
    scroll: Scroll,
}

/// As it is now.
pub(super) fn before(state: &State) -> Before {
    let (chosen, scroll) = state.room().map_or((None, Scroll::Bottom), |room| (room.chosen, room.scroll));
    Before { room: state.current, chosen, scroll }
}

/// Something has happened. `moves`: it may have been the reader, who scrolled.
pub(super) fn keep_in_sight(state: &mut State, before: Before, moves: bool, effects: &mut Vec<Effect>) {
    let Some(room) = state.room() else { return };
    let Some(seq) = room.chosen else { return };
    if is_in_sight(state, seq) {
        return;
    }
    let scrolled =
        moves && before.room == state.current && before.chosen == room.chosen && before.scroll != room.scroll;
    if room.scrollback.place_of(seq).is_ok() && !scrolled {
        let (width, height) = scrollback_size(state);
        let to = shown(&state.layout(room, width), seq, height);
        history::arrive_at(state, to, effects);
        if !is_in_sight(state, seq) {
            // On a screen of a few rows, which the lines above the message fill.
            let to = Scroll::At(Anchor { unit: Unit::Entry(seq), below: 0 });
            history::arrive_at(state, to, effects);
        }
    } else {
        choose_in_sight(state, effects);
    }
}

/// Whether something of the message `seq` is on the screen.
pub(super) fn is_in_sight(state: &State, seq: u64) -> bool {
    let (width, height) = scrollback_size(state);
    let Some(room) = state.room() else { return false };
    let Ok(place) = room.scrollback.place_of(seq) else { return false };
    let visible = state.layout(room, width).visible(height);
    visible.iter().any(|(unit, row)| *unit == place + 1 && is_of_a_message(row))
}

/// The places of the messages on the screen that can be chosen, from the top.
pub(super) fn in_sight(state: &State) -> Vec<usize> {
    let (width, height) = scrollback_size(state);
    let Some(room) = state.room() else { return Vec::new() };
    let visible = state.layout(room, width).visible(height);
    let units = visible
        .into_iter()
        .filter(|(_, row)| is_of_a_message(row))
        .filter_map(|(unit, _)| unit.checked_sub(1));
    let mut places: Vec<usize> = units.filter(|place| choosing::is_choosable(state, *place)).collect();
    places.dedup();
    places
}

/// Those of them of which all rows are on the screen.
fn whole_in_sight(state: &State) -> Vec<usize> {
    let (width, height) = scrollback_size(state);
    let Some(room) = state.room() else { return Vec::new() };
    let layout = state.layout(room, width);
    let visible = layout.visible(height);
    let seen = |place: usize| {
        visible.iter().filter(|(unit, row)| *unit == place + 1 && is_of_a_message(row)).count()
    };
    let its = |place: usize| layout.rows(place + 1).iter().filter(|row| is_of_a_message(row)).count();
    in_sight(state).into_iter().filter(|place| seen(*place) == its(*place)).collect()
}

/// Where what is chosen cannot be chosen, as a topic cannot, the nearest message is.
pub(super) fn choose_nearest(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(seq) = state.room().and_then(|room| room.chosen) else { return };
    let place = state.room().and_then(|room| room.scrollback.place_of(seq).ok());
    if !place.is_some_and(|place| choosing::is_choosable(state, place)) {
        choose_in_sight(state, effects);
    }
}

/// Chooses the message in sight that is nearest to the chosen one; if there is none in sight, the nearest at all.
fn choose_in_sight(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(room) = state.room() else { return };
    let from = room.chosen.map_or(0, |seq| room.scrollback.place_of(seq).unwrap_or_else(|place| place));
    let (places, whole) = (in_sight(state), whole_in_sight(state));
    let nearest = if whole.is_empty() { &places } else { &whole };
    let nearest = nearest.iter().min_by_key(|place| place.abs_diff(from)).copied();
    if let Some(seq) = nearest.and_then(|place| room.scrollback.get(place)).map(|entry| entry.seq) {
        choosing::choose(state, seq);
        return;
    }
    // On a low screen there may be nothing but the line of a day.
    let (width, height) = scrollback_size(state);
    let visible = state.layout(room, width).visible(height);
    let edge = visible.last().map_or(0, |(unit, _)| unit.saturating_sub(1));
    let below = (edge..room.scrollback.len()).find(|place| choosing::is_choosable(state, *place));
    let above = || (0..edge.min(room.scrollback.len())).rfind(|place| choosing::is_choosable(state, *place));
    match below.or_else(above).and_then(|place| room.scrollback.get(place)).map(|entry| entry.seq) {
        Some(seq) => {
            let to = shown(&state.layout(room, width), seq, height);
            choosing::choose(state, seq);
            history::arrive_at(state, to, effects);
        }
        None => choosing::stop(state),
    }
}

/// Where the reader is once all of the message `seq` is in sight, by as few rows as possible; of one that is higher than
/// the screen, its beginning.
pub(super) fn shown(layout: &Layout<'_>, seq: u64, height: usize) -> Scroll {
    let Ok(place) = layout.room.scrollback.place_of(seq) else { return layout.room.scroll };
    let unit = place + 1;
    let rows = layout.rows(unit);
    if rows.len() > height {
        // Lines above it are let go first.
        let first = rows.iter().position(is_of_a_message).unwrap_or(0);
        let below = rows.len().saturating_sub(first + height);
        return Scroll::At(Anchor { unit: Unit::Entry(seq), below });
    }
    unit_shown(layout, unit, height)
}

/// The same for any unit, as a gap is one.
pub(super) fn unit_shown(layout: &Layout<'_>, unit: usize, height: usize) -> Scroll {
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

/// Whether a row belongs to a message, and not to what is drawn above it.
fn is_of_a_message(row: &Row) -> bool {
    matches!(row, Row::Said(_) | Row::Answered(_) | Row::Reactions(_))
}
