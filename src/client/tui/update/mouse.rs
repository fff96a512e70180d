//! The mouse, while it is ours: choosing, opening, selecting by dragging, and the wheel.

use std::time::Duration;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::{
    Effect, State, choosing, copying, folding, history, links, order, overlays, rooms, setting, who,
};
use crate::client::tui::keymap::Action;
use crate::client::tui::scroll::Unit;
use crate::client::tui::selection;
use crate::client::tui::settings::{Change, Value};
use crate::client::tui::state::mouse::{Point, Selection};
use crate::client::tui::state::room::Room;
use crate::client::tui::state::{Connection, Overlay, Question};
use crate::client::tui::styled::{Kind, Look};
use crate::client::tui::view::{self, Hit};

/// Rows of one notch of the wheel, as in terminals.
const NOTCH: isize = 3;

/// Two clicks within this time are a double click, as on most desktops.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);

/// Rows by which it is scrolled at most for one movement beyond the edge.
const FASTEST: u16 = 5;

/// Takes the mouse from the terminal, or gives it back, until the end.
pub(super) fn capture(state: &mut State, on: bool, effects: &mut Vec<Effect>) {
    if state.mouse.captured != on {
        forget(state);
        state.mouse.captured = on;
        effects.push(Effect::Capture(on));
    }
    let key = state.key_for(Action::Mouse);
    state.say(match on {
        true => format!(
            "the mouse is parlor's: click, drag to copy, turn the wheel; with Shift it selects as the terminal \
             does, and {key} gives it back"
        ),
        false => format!("the mouse is the terminal's; {key} takes it to click and to select here"),
    });
}

/// The same for the next time too; without a wish it says how it stands.
pub(super) fn set(state: &mut State, on: Option<bool>, effects: &mut Vec<Effect>) {
    if let Some(on) = on {
        let change = Change::Set("mouse", Some(Value::Switch(on)));
        if let Err(sentence) = setting::set(state, change, effects) {
            return state.complain(sentence);
        }
    }
    capture(state, on.unwrap_or(state.mouse.captured), effects);
}

/// Nothing is pressed and nothing is selected any more.
pub(super) fn forget(state: &mut State) {
    (state.mouse.pressed, state.mouse.selection) = (None, None);
}

/// Something was done with the mouse.
pub(super) fn take_in(state: &mut State, event: &MouseEvent, effects: &mut Vec<Effect>) {
    // What was on its way when it was given back.
    if !state.mouse.captured || state.size.0 == 0 || state.size.1 == 0 {
        return;
    }
    let at = (event.column.min(state.size.0 - 1), event.row.min(state.size.1 - 1));
    match event.kind {
        MouseEventKind::ScrollUp => wheel(state, at, -NOTCH, effects),
        MouseEventKind::ScrollDown => wheel(state, at, NOTCH, effects),
        // With Shift it is the terminal's, where the terminal does not see to that itself.
        MouseEventKind::Down(MouseButton::Left) if !event.modifiers.contains(KeyModifiers::SHIFT) => {
            state.focused = true;
            press(state, at, effects);
        }
        MouseEventKind::Drag(MouseButton::Left) => drag(state, at, effects),
        MouseEventKind::Up(MouseButton::Left) => release(state, effects),
        _ => {}
    }
}

/// The wheel goes through what is under it.
fn wheel(state: &mut State, at: (u16, u16), rows: isize, effects: &mut Vec<Effect>) {
    match view::hit(state, at.0, at.1) {
        Hit::Overlay(_) | Hit::Beside => {
            // Where one goes by choosing, a notch is one thing.
            let chooses =
                matches!(state.overlay, Some(Overlay::Rooms { .. } | Overlay::Links(_) | Overlay::Found(_)));
            overlays::scroll(state, if chooses { rows.signum() } else { rows }, effects);
        }
        Hit::Rooms(_) => rooms::go_by(state, rows.signum()),
        // There is no more to see in the pane than its first rows: the whole list is.
        Hit::People(_) => who::open(state, None, "/names", effects),
        _ => history::scroll(state, rows, effects),
    }
}

fn press(state: &mut State, at: (u16, u16), effects: &mut Vec<Effect>) {
    forget(state);
    let before = state.mouse.clicked.take();
    let twice = before.is_some_and(|(when, place)| {
        place == at && state.now.instant.saturating_duration_since(when) <= DOUBLE_CLICK
    });
    match view::hit(state, at.0, at.1) {
        Hit::Said(said) => {
            if let Some(point) = said.point.filter(|point| twice && point.before < point.after) {
                // The first of the two was no choice.
                state.room_mut().into_iter().for_each(Room::stop_choosing);
                select_word(state, point, effects);
                return;
            }
            state.mouse.clicked = Some((state.now.instant, at));
            state.mouse.pressed = Some((said.point.or_else(|| view::nearest_point(state, at.0, at.1)), at));
        }
        Hit::Overlay(Some(item)) => click_item(state, item, twice, at, effects),
        // Somewhere else is where one wants to be. A search is all of the screen, and has its own way out.
        Hit::Beside if !matches!(state.overlay, Some(Overlay::Found(_))) => state.overlay = None,
        // An answer is given by a key, and not by a click that was meant for something else.
        _ if state.question.is_some() => {}
        Hit::Rooms(Some(place)) => rooms::go_to(state, place),
        Hit::People(Some(nick)) => {
            let line = format!("/whois {nick}");
            order::who_is(state, nick, &line, effects);
        }
        Hit::NewsBelow => history::to_newest(state),
        Hit::Banner => {
            if state.notice.take().is_none() && matches!(state.connection, Connection::Offline { .. }) {
                effects.push(Effect::RetryNow);
            }
        }
        Hit::Composer(place) => state.composer_mut().go_to(place),
        Hit::Nothing | Hit::Beside | Hit::Rooms(None) | Hit::People(None) | Hit::Overlay(None) => {}
    }
}

/// A click chooses one of several things that lie over the rooms; the next one takes it.
fn click_item(state: &mut State, item: usize, twice: bool, at: (u16, u16), effects: &mut Vec<Effect>) {
    let take = twice || matches!(state.overlay, Some(Overlay::Rooms { chosen, .. }) if chosen == item);
    match &mut state.overlay {
        Some(Overlay::Links(links)) => links.chosen = item,
        Some(Overlay::Rooms { chosen, .. }) => *chosen = item,
        _ => return,
    }
    if take {
        overlays::take_chosen(state, effects);
    } else {
        state.mouse.clicked = Some((state.now.instant, at));
    }
}

fn drag(state: &mut State, at: (u16, u16), effects: &mut Vec<Effect>) {
    let Some((Some(from), pressed)) = state.mouse.pressed else { return };
    if at == pressed && state.mouse.selection.is_none() {
        return;
    }
    state.mouse.clicked = None;
    let area = view::panes(state).scrollback;
    let above = area.y.saturating_sub(at.1).min(FASTEST);
    let below = (at.1 + 1).saturating_sub(area.bottom()).min(FASTEST);
    // The terminal's edge is an edge too: there is nothing beyond it to drag to.
    let above = if at.1 == 0 { above.max(1) } else { above };
    if above > 0 || below > 0 {
        history::scroll(
            state,
            isize::from(u8::try_from(below).unwrap_or(0)) - isize::from(u8::try_from(above).unwrap_or(0)),
            effects,
        );
    }
    let to = view::nearest_point(state, at.0, at.1);
    let room = state.room().map(|room| room.name.clone());
    if let (Some(to), Some(room)) = (to, room) {
        state.mouse.selection = Some(Selection { room, from, to });
    }
}

fn release(state: &mut State, effects: &mut Vec<Effect>) {
    let Some((_, at)) = state.mouse.pressed.take() else { return };
    if state.mouse.selection.is_some() {
        copy_selection(state, effects);
    } else {
        click(state, at, effects);
    }
}

/// A click in the conversation.
fn click(state: &mut State, at: (u16, u16), effects: &mut Vec<Effect>) {
    let Hit::Said(said) = view::hit(state, at.0, at.1) else { return };
    if !said.outside
        && let Some(link) = said.point.and_then(|point| link_at(state, point))
    {
        links::follow(state, link, effects);
        return;
    }
    let width = view::panes(state).scrollback.width;
    let unit = state.room().zip(said.unit).and_then(|(room, unit)| state.layout(room, width).unit(unit));
    let Some(Unit::Entry(seq)) = unit else { return };
    if matches!(state.question, Some(Question::Delete(_) | Question::React { .. })) {
        return;
    }
    if said.folded {
        if let Err(sentence) = folding::toggle(state, seq, effects) {
            state.complain(sentence);
        }
    } else {
        choosing::click(state, seq);
    }
}

/// The link at a place in what was said.
fn link_at(state: &State, point: Point) -> Option<String> {
    let room = state.room()?;
    let layout = state.layout(room, view::panes(state).scrollback.width);
    let number = layout.number(point.unit)?;
    let is_link = |_: &str, look: Look| look.kind == Kind::Link;
    let (_, _, shown) = selection::around(&layout, number, point, is_link)?;
    let text = layout.saying(number)?.text;
    let mut links = crate::protocol::link::links(text).into_iter().filter_map(|range| text.get(range));
    links.find(|link| *link == shown).map(str::to_owned)
}

fn select_word(state: &mut State, point: Point, effects: &mut Vec<Effect>) {
    let Some(room) = state.room() else { return };
    let layout = state.layout(room, view::panes(state).scrollback.width);
    let in_word = |grapheme: &str, look: Look| {
        look.kind == Kind::Link || grapheme.chars().next().is_some_and(|c| c.is_alphanumeric() || c == '_')
    };
    let word = layout.number(point.unit).and_then(|number| {
        let found = selection::around(&layout, number, point, in_word);
        // A sign between words is one for itself.
        found.map_or(Some((point, point)), |(from, to, _)| Some((from, to)))
    });
    let room = room.name.clone();
    if let Some((from, to)) = word {
        state.mouse.selection = Some(Selection { room, from, to });
        copy_selection(state, effects);
    }
}

/// Sends what is selected to the terminal.
fn copy_selection(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(room) = state.room() else { return };
    let layout = state.layout(room, view::panes(state).scrollback.width);
    let span = state.mouse.selection.as_ref().and_then(|selection| selection::span(&layout, selection));
    let text = span.map(|span| selection::text(&layout, span)).unwrap_or_default();
    if text.is_empty() {
        state.mouse.selection = None;
        return;
    }
    let characters = match text.chars().count() {
        1 => "one character".to_owned(),
        many => format!("{many} characters"),
    };
    let key = state.key_for(Action::Mouse);
    let told =
        format!("{characters} sent to the terminal; if it takes none, {key} gives the mouse back to it");
    copying::copy(state, text, told, effects);
}
