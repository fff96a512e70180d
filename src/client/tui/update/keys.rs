//! Keys while the input has them.

use std::time::Duration;

use crossterm::event::{KeyEvent, KeyEventKind};

use super::{
    Effect, State, arranging, changing, choosing, completing, editing, finding, history, jump, links, mouse,
    overlays, palette, rooms, saying,
};
use crate::client::tui::keymap::{self, Action, Key};
use crate::client::tui::scroll::Scroll;
use crate::client::tui::slash::Step;
use crate::client::tui::state::composer::{Composer, Motion};
use crate::client::tui::state::cuttings::Cuttings;
use crate::client::tui::state::finding::Kind;
use crate::client::tui::state::room::Room;
use crate::client::tui::state::{Overlay, Question};
use crate::client::tui::{view, wrap};

/// Esc and Esc again within this time is one wish: faster than anybody looks what the first has done.
const HAMMERING: Duration = Duration::from_millis(700);

/// Rows of one step of [`Action::RowsUp`].
const A_LITTLE: isize = 3;

/// A key was pressed.
pub(super) fn press(state: &mut State, key: &KeyEvent, effects: &mut Vec<Effect>) {
    if key.kind == KeyEventKind::Release {
        return;
    }
    // Not every terminal tells of the focus when it comes, and fingers do not press keys elsewhere.
    state.focused = true;
    state.finding.marked = None;
    let read = is_reading(state);
    let hammered = hammers(state);
    take(state, key, effects);
    let entered = !read && is_reading(state);
    let escapes = state.keymap().action(Key::of(key)) == Some(Action::Close) && !entered;
    // One that was let pass does not begin the time anew: then Esc, pressed slowly, would never do anything again.
    if !(escapes && hammered) {
        state.escaped = escapes.then_some(state.now.instant);
    }
}

fn is_reading(state: &State) -> bool {
    state.room().is_some_and(|room| room.reading)
}

/// The key goes to whoever has the keys now.
fn take(state: &mut State, key: &KeyEvent, effects: &mut Vec<Effect>) {
    if let Some(question) = state.question.take() {
        overlays::answer(state, question, key, effects);
        return;
    }
    if state.overlay.is_some() {
        overlays::press(state, key, effects);
        return;
    }
    if choosing::press(state, key, effects) {
        state.completion = None;
        return;
    }
    let action = state.keymap().action(Key::of(key));
    if completing::press(state, action) {
        state.input_history.stay();
        return;
    }
    state.completion = None;
    if !matches!(action, Some(Action::Up | Action::Down)) {
        state.input_history.stay();
    }
    if let Some(action) = action {
        act(state, action, effects);
    } else if let Some(c) = keymap::character(key) {
        state.composer_mut().insert(c.encode_utf8(&mut [0; 4]));
    }
}

/// Does what a key stands for.
pub(super) fn act(state: &mut State, action: Action, effects: &mut Vec<Effect>) {
    match action {
        Action::Send => saying::enter(state, effects),
        Action::NewLine => state.composer_mut().insert("\n"),
        // Nothing is written to go to the end of.
        Action::Go(Motion::LineEnd) if state.composer().is_empty() => history::to_newest(state),
        Action::Go(motion) => state.composer_mut().go(motion),
        Action::Delete(motion) => state.composer_mut().delete(motion),
        Action::Cut(motion) => with_cuttings(state, |composer, cuttings| composer.cut(motion, cuttings)),
        Action::PasteCut => with_cuttings(state, Composer::put_back),
        Action::PasteOlderCut => {
            if !with_cuttings(state, Composer::put_back_older) {
                state.say(format!("first {} puts back what was cut", state.key_for(Action::PasteCut)));
            }
        }
        Action::Transpose => state.composer_mut().transpose(),
        Action::Undo => state.composer_mut().undo(),
        Action::Redo => state.composer_mut().redo(),
        Action::Editor => {
            let text = state.composer().text().to_owned();
            editing::open(state, &text, effects);
        }
        Action::Up => up(state, effects),
        Action::Down => down(state, effects),
        Action::SearchInputs => {
            state.question = Some(Question::Search { wanted: String::new(), found: None });
        }
        // These were taken before.
        Action::Complete | Action::CompleteBack => {}
        Action::Close => {
            // What passes by itself needs no key of its own.
            let told = state.notice.take().is_some_and(|notice| notice.until.is_none());
            if changing::stop_composing(state) {
                return;
            }
            if state.room().is_some_and(|room| room.chosen.is_some()) {
                if is_reading(state) {
                    // A command was begun, and is given up: one goes on reading.
                    saying::written(state);
                }
                choosing::done_with(state);
            } else if state.composer().is_empty() && !jump::go_back(state, effects) {
                let at_newest = state.room().is_some_and(|room| room.scroll == Scroll::Bottom);
                if !at_newest {
                    history::to_newest(state);
                } else if !told && !hammers(state) && choosing::has_choosable(state) {
                    // There is nothing else to close.
                    choosing::enter(state, effects);
                }
            }
        }
        Action::Interrupt if state.composer().is_empty() => ask_to_leave(state),
        Action::Interrupt => {
            let text = state.composer().text().to_owned();
            // Thrown away by mistake, it is one key away: by undoing, or by going up.
            state.composer_mut().set("");
            state.remember(&text);
        }
        Action::EndOfInput if state.composer().is_empty() => ask_to_leave(state),
        Action::EndOfInput => state.composer_mut().delete(Motion::Right),
        Action::PageUp => history::scroll_page(state, -1, effects),
        Action::PageDown => history::scroll_page(state, 1, effects),
        Action::RowsUp => history::scroll(state, -A_LITTLE, effects),
        Action::RowsDown => history::scroll(state, A_LITTLE, effects),
        Action::Oldest => history::to_oldest(state, effects),
        Action::Newest => history::to_newest(state),
        Action::FirstUnread => history::to_first_unread(state, effects),
        Action::Links => links::show(state),
        Action::ChooseAbove => choosing::step(state, true, effects),
        Action::ChooseBelow => choosing::step(state, false, effects),
        Action::EditLast => {
            if let Err(sentence) = saying::edit_last(state) {
                state.complain(sentence);
            }
        }
        Action::Search => finding::open(state, Kind::Search, effects),
        Action::PreviousMention => finding::go_by(state, 1, effects),
        Action::NextMention => finding::go_by(state, -1, effects),
        Action::Palette => palette::open(state, effects),
        Action::RoomNumber(number) => rooms::go_to(state, number),
        Action::NextRoom => rooms::go_by(state, 1),
        Action::PreviousRoom => rooms::go_by(state, -1),
        Action::NextNews => rooms::go_to_news(state),
        Action::MoveRoomUp => move_room(state, Step::Up, effects),
        Action::MoveRoomDown => move_room(state, Step::Down, effects),
        Action::ToggleRooms => state.rooms_pane = Some(view::panes(state).rooms.is_none()),
        Action::TogglePeople => state.people_pane = Some(view::panes(state).people.is_none()),
        Action::Help => state.overlay = Some(Overlay::Help(0)),
        Action::Repaint => effects.push(Effect::Repaint),
        Action::Suspend => effects.push(Effect::Suspend),
        Action::Mouse => mouse::capture(state, !state.mouse.captured, effects),
    }
}

fn move_room(state: &mut State, step: Step, effects: &mut Vec<Effect>) {
    if let Err(sentence) = arranging::shift(state, step, effects) {
        state.complain(sentence);
    }
}

/// Whether Esc is pressed again and again, to get out of whatever it is: then it leads nowhere new.
fn hammers(state: &State) -> bool {
    state.escaped.is_some_and(|at| state.now.instant.saturating_duration_since(at) < HAMMERING)
}

fn ask_to_leave(state: &mut State) {
    state.question = Some(Question::Leave { decided: false });
}

/// Does something with the input that takes from what was cut, or adds to it.
fn with_cuttings<T>(state: &mut State, does: impl FnOnce(&mut Composer, &mut Cuttings) -> T) -> T {
    let mut cuttings = std::mem::take(&mut state.cuttings);
    let done = does(state.composer_mut(), &mut cuttings);
    state.cuttings = cuttings;
    done
}

/// Whether the arrows scroll: the reader is up in the history and writes nothing. That is also what
/// the wheel sends.
fn arrows_scroll(state: &State) -> bool {
    state.room().is_some_and(|room| room.scroll != Scroll::Bottom && room.composer.is_empty())
}

fn up(state: &mut State, effects: &mut Vec<Effect>) {
    if arrows_scroll(state) {
        history::scroll(state, -1, effects);
    } else if !move_by_row(state, -1) {
        if state.composer().is_empty()
            && let Some(text) = state.room_mut().and_then(Room::take_back)
        {
            state.composer_mut().set(text.as_str());
            return;
        }
        let draft = state.composer().text().to_owned();
        if let Some(text) = state.input_history.older(&draft) {
            state.composer_mut().set(&text);
        }
    }
}

fn down(state: &mut State, effects: &mut Vec<Effect>) {
    if arrows_scroll(state) {
        history::scroll(state, 1, effects);
    } else if !move_by_row(state, 1)
        && let Some(text) = state.input_history.newer()
    {
        state.composer_mut().set(&text);
    }
}

/// Moves the cursor to the row above or below it in the input; `false` if there is none.
fn move_by_row(state: &mut State, by: isize) -> bool {
    let width = view::composer_width(state);
    let composer = state.composer();
    let (text, cursor) = (composer.text(), composer.cursor());
    let rows = wrap::edit_rows(text, width);
    let row = view::cursor_row(&rows, cursor);
    let Some(target) = row.checked_add_signed(by).and_then(|row| rows.get(row)) else { return false };
    let column = wrap::columns(&text[rows[row].start..cursor]);
    let before = wrap::edit_prefix(&text[target.clone()], column).len();
    let place = (target.start + before).min(target.end);
    state.composer_mut().go_to(place);
    true
}
