//! Going through the scrollback, and loading what is missing before the reader gets there.

use super::{Effect, State, jump, scrollback_size};
use crate::client::tui::scroll::{Anchor, Scroll, Unit};
use crate::protocol::command::{Command, History, Place};
use crate::protocol::limits::PAGE_ENTRIES;

/// A gap that is so many entries away from what is in sight is loaded: three screens, so that the
/// page is here before the reader.
const LOAD_AHEAD: usize = 100;

/// Goes by so many rows, up if negative.
pub(super) fn scroll(state: &mut State, rows: isize, effects: &mut Vec<Effect>) {
    let (width, height) = scrollback_size(state);
    let Some(room) = state.room() else { return };
    let to = state.layout(room, width).scrolled(rows, height);
    arrive_at(state, to, effects);
}

/// Goes by a page, of which one row stays.
pub(super) fn scroll_page(state: &mut State, direction: isize, effects: &mut Vec<Effect>) {
    let (_, height) = scrollback_size(state);
    let rows = isize::try_from(height.saturating_sub(1).max(1)).unwrap_or(1);
    scroll(state, rows * direction, effects);
}

/// Goes to the oldest that is here.
pub(super) fn to_oldest(state: &mut State, effects: &mut Vec<Effect>) {
    let (width, height) = scrollback_size(state);
    let Some(room) = state.room() else { return };
    let to = state.layout(room, width).top(height);
    arrive_at(state, to, effects);
}

pub(super) fn to_newest(state: &mut State) {
    state.finding.settle();
    if let Some(room) = state.room_mut() {
        room.scroll = Scroll::Bottom;
        room.jump = None;
    }
}

/// Goes to the line "new".
pub(super) fn to_first_unread(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(room) = state.room() else { return };
    let Some(seen) = room.new_after else { return state.say("nothing is new here") };
    let (name, next) = (room.name.clone(), (seen + 1).max(room.first));
    if room.scrollback.place_of(next).is_err_and(|place| room.gap_before(place).is_some()) {
        jump::jump(state, name, Place::Around(next), effects);
        // Until it is here, one sees that it is missing.
        let (width, height) = scrollback_size(state);
        if let Some(to) = state.room().map(|room| state.layout(room, width).with_in_sight(next, height))
            && let Some(room) = state.room_mut()
        {
            room.scroll = to;
        }
    } else {
        look_at(state, next, effects);
    }
}

/// Brings the entry `seq` onto the screen.
pub(super) fn look_at(state: &mut State, seq: u64, effects: &mut Vec<Effect>) {
    let (width, height) = scrollback_size(state);
    let Some(room) = state.room() else { return };
    let to = state.layout(room, width).with_in_sight(seq, height);
    arrive_at(state, to, effects);
}

pub(super) fn arrive_at(state: &mut State, to: Scroll, effects: &mut Vec<Effect>) {
    if let Some(room) = state.room_mut() {
        room.scroll = to;
    }
    load(state, effects);
}

/// Asks for the page that closes, in part or whole, the gap nearest to the reader.
pub(super) fn load(state: &mut State, effects: &mut Vec<Effect>) {
    let (width, height) = scrollback_size(state);
    let Some(room) = state.room() else { return };
    if room.asked.is_some() || room.history_ends || !room.joined {
        return;
    }
    let rows = state.layout(room, width).visible(height);
    let first = rows.first().map_or(0, |(unit, _)| *unit);
    let last = rows.last().map_or(0, |(unit, _)| *unit);
    let known = room.scrollback.len();
    // Units and entries are one apart: the unit 0 is the beginning.
    let sought = first.saturating_sub(LOAD_AHEAD + 1)..=(last + LOAD_AHEAD).min(known);
    let is_gap = |place: &usize| room.gap_before(*place).is_some();
    let middle = last.saturating_sub(1);
    let above = sought.clone().rev().filter(|place| *place <= middle).find(is_gap);
    let below = || sought.clone().filter(|place| *place > middle).find(is_gap);
    let Some(gap) = above.or_else(below).and_then(|place| room.gap_before(place).map(|gap| (place, gap)))
    else {
        return;
    };
    let (place, gap) = gap;
    // Whoever comes down from older entries wants those that follow them.
    let from_above = place > middle || (place > 0 && ends_at_gap(room.scroll, &rows));
    let place = if from_above && *gap.start() > 1 {
        Place::After(gap.start() - 1)
    } else {
        Place::Before(gap.end() + 1)
    };
    let at_gap = ends_at_gap(room.scroll, &rows);
    if let (Place::After(seq), true, Some(room)) = (place, at_gap, state.room_mut()) {
        // The page goes between this entry and the gap: stay with the entry.
        room.scroll = Scroll::At(Anchor { unit: Unit::Entry(seq), below: 0 });
    }
    ask(state, place, PAGE_ENTRIES, effects);
}

/// Asks for what was before the entry `before`, `many` entries at most, unless a page is on its way.
pub(super) fn ask_before(state: &mut State, before: u64, many: u64, effects: &mut Vec<Effect>) {
    if state.room().is_some_and(|room| room.asked.is_none() && room.joined) {
        ask(state, Place::Before(before), many, effects);
    }
}

fn ask(state: &mut State, place: Place, many: u64, effects: &mut Vec<Effect>) {
    let most = state.allowed.map_or(PAGE_ENTRIES, |allowed| allowed.page_entries).clamp(1, PAGE_ENTRIES);
    let id = state.request_id();
    let Some(room) = state.room_mut() else { return };
    room.asked = Some(id.clone());
    room.asked_for = Some((id.clone(), place));
    let (room, limit) = (room.name.clone(), many.clamp(1, most));
    effects.push(Effect::Submit(Command::History(History { id: Some(id), room, place, limit })));
}

/// Whether the lowest row in sight is that of a gap, and the reader is not at the newest.
fn ends_at_gap(scroll: Scroll, rows: &[(usize, crate::client::tui::rows::Row)]) -> bool {
    use crate::client::tui::rows::Row;
    scroll != Scroll::Bottom && matches!(rows.last(), Some((_, Row::Gap { .. })))
}
