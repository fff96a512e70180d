//! Keys while something lies over the rooms, or while a question waits for its answer.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{
    Effect, State, changing, finding, history, in_room, links, order, palette, pasting, recalling, rooms,
    saying, theming, thread,
};
use crate::client::tui::keymap::{self, Action, Key};
use crate::client::tui::state::composer::Motion;
use crate::client::tui::state::{About, Connection, Decisions, Overlay, Question, Who};
use crate::client::tui::view;

/// Rows of a page in help and lists: what fits on the smallest of usual screens.
const PAGE: isize = 15;

/// What is said when something was sent to the terminal, for its clipboard.
pub(super) const COPIED: &str = "sent to the terminal, to be copied; not every terminal takes it";

/// Leaves, and asks first where that loses something: what is not sent, or the room of others.
pub(super) fn leave(state: &mut State) {
    state.question = Some(Question::Leave { decided: true });
}

/// Leaves if that was decided and nothing holds us back any more: what was on its way has been stored.
pub(super) fn leave_when_free(state: &mut State, effects: &mut Vec<Effect>) {
    let lost = state.unsent() > 0 && !matches!(state.connection, Connection::Ended { .. });
    if matches!(state.question, Some(Question::Leave { decided: true }))
        && !lost
        && state.others_thrown_out() == 0
    {
        state.question = None;
        effects.push(Effect::Quit);
    }
}

/// A key while `state.question` waits. A letter that is no answer goes into the input, as fingers
/// expect that were writing already; other keys that are none do nothing.
pub(super) fn answer(state: &mut State, question: Question, key: &KeyEvent, effects: &mut Vec<Effect>) {
    let action = state.keymap().action(Key::of(key));
    let yes = key.code == KeyCode::Enter && key.modifiers.is_empty();
    let no = matches!(action, Some(Action::Close | Action::Interrupt));
    let letter = keymap::character(key);
    match question {
        Question::Leave { decided } => match action {
            _ if yes || matches!(action, Some(Action::Interrupt | Action::EndOfInput)) => {
                effects.push(Effect::Quit);
            }
            Some(Action::Close) => {}
            _ if letter.is_some() => super::keys::press(state, key, effects),
            _ => state.question = Some(Question::Leave { decided }),
        },
        Question::Word(word) => {
            if yes {
                leave(state);
            } else if letter == Some('s') {
                saying::submit(state, &word, effects);
            } else if letter.is_some() {
                super::keys::press(state, key, effects);
            } else if !no {
                state.question = Some(Question::Word(word));
            }
        }
        Question::Paste(text) => pasting::answer(state, text, key, effects),
        Question::Code(text) => pasting::answer_code(state, text, key, effects),
        Question::Delete(seq) => changing::answer_delete(state, seq, key, effects),
        Question::React { seq, wanted, chosen } => {
            changing::answer_react(state, (seq, wanted, chosen), key, effects);
        }
        Question::InRoomSearch => in_room::answer(state, key, effects),
        Question::Search { wanted, found } => recalling::answer(state, (wanted, found), key, effects),
    }
}

/// A key while an overlay lies over the rooms.
pub(super) fn press(state: &mut State, key: &KeyEvent, effects: &mut Vec<Effect>) {
    if let Some(Overlay::Found(kind)) = state.overlay {
        finding::press(state, kind, key, effects);
        return;
    }
    match state.overlay {
        Some(Overlay::Thread(_)) => return thread::press(state, key, effects),
        Some(Overlay::Palette(_)) => return palette::press(state, key, effects),
        _ => {}
    }
    let action = state.keymap().action(Key::of(key));
    let letter = keymap::character(key);
    let rows = match (action, letter) {
        (Some(Action::Close | Action::Help | Action::Interrupt), _) | (_, Some('q')) => {
            state.overlay = None;
            return;
        }
        (Some(Action::Up | Action::PreviousRoom), _) | (_, Some('k')) => -1,
        (Some(Action::Down | Action::NextRoom), _) | (_, Some('j')) => 1,
        (Some(Action::PageUp), _) => -PAGE,
        (Some(Action::PageDown), _) | (_, Some(' ')) => PAGE,
        (Some(Action::Oldest | Action::Go(Motion::LineStart)), _) | (_, Some('g')) => isize::MIN,
        (Some(Action::Newest | Action::Go(Motion::LineEnd)), _) | (_, Some('G')) => isize::MAX,
        (Some(Action::Repaint), _) => {
            effects.push(Effect::Repaint);
            0
        }
        _ => 0,
    };
    scroll(state, rows, effects);
    if letter == Some('c') {
        copy(state, effects);
    }
    let alone = key.modifiers == KeyModifiers::NONE
        || matches!(state.overlay, Some(Overlay::Links(_) | Overlay::Themes(_)));
    if key.code == KeyCode::Enter && alone {
        take_chosen(state, effects);
    }
}

/// Opens the link that is chosen, enters the room, or keeps the theme.
pub(super) fn take_chosen(state: &mut State, effects: &mut Vec<Effect>) {
    if matches!(state.overlay, Some(Overlay::Links(_))) {
        links::open(state, effects);
    } else if matches!(state.overlay, Some(Overlay::Themes(_))) {
        theming::keep(state, effects);
    } else if let Some(Overlay::Rooms { rooms: Some(list), chosen, .. }) = &state.overlay {
        let room = list.get(*chosen).map(|info| info.room.clone());
        state.overlay = None;
        if let Some(room) = room {
            rooms::join(state, room, None, effects);
            history::load(state, effects);
        }
    }
}

/// Goes up or down by so many rows.
pub(super) fn scroll(state: &mut State, rows: isize, effects: &mut Vec<Effect>) {
    let last = view::overlay_last(state);
    let place = match &mut state.overlay {
        Some(
            Overlay::Help(top)
            | Overlay::Who(Who { top, .. })
            | Overlay::Settings(top)
            | Overlay::Invite { top, .. }
            | Overlay::Whois { top, .. }
            | Overlay::Tickets { top, .. }
            | Overlay::Stats { top, .. }
            | Overlay::Motd { top, .. }
            | Overlay::Audit(Decisions { top, .. })
            | Overlay::About(About { top, .. }),
        ) => top,
        Some(Overlay::Rooms { chosen, .. }) => chosen,
        Some(Overlay::Links(links)) => &mut links.chosen,
        Some(Overlay::Themes(list)) => &mut list.chosen,
        Some(Overlay::Found(kind)) => {
            let kind = *kind;
            finding::choose(state, kind, rows, effects);
            return;
        }
        Some(Overlay::Thread(_)) => {
            thread::choose_by(state, rows);
            return;
        }
        Some(Overlay::Palette(_)) => {
            palette::choose(state, rows);
            return;
        }
        None => return,
    };
    *place = place.saturating_add_signed(rows).min(last);
    if rows > 0 {
        order::read_on(state, effects);
    }
}

/// Sends the line by which others join, or the link that is chosen, to the terminal.
fn copy(state: &mut State, effects: &mut Vec<Effect>) {
    if let Some(Overlay::Links(_)) = &state.overlay {
        links::copy(state, effects);
        return;
    }
    let (Some(Overlay::Invite { room, ticket, .. }), Some(inviting)) = (&state.overlay, &state.inviting)
    else {
        return;
    };
    effects.push(Effect::Copy(inviting.line(room, ticket.as_ref())));
    state.say(COPIED);
}
