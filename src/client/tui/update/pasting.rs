//! Text that is pasted: written where it is short, asked about where it is long or looks like code.

use crossterm::event::{KeyCode, KeyEvent};

use super::{Effect, State, finding, keys, palette, saying};
use crate::client::tui::keymap::{self, Action, Key};
use crate::client::tui::pasted;
use crate::client::tui::state::Question;

/// Lines from which on a paste is asked about.
const PASTE_LINES: usize = 5;

/// Bytes of a paste that is taken at all. More than a message holds, so that it can be cut down here.
const PASTE_BYTES: usize = 64 * 1024;

/// Takes a paste that is asked about into the input. No letter: whoever goes on writing means none.
pub(crate) const EDIT_PASTE: Action = Action::Complete;

/// Something was pasted.
pub(super) fn paste(state: &mut State, text: &str) {
    if finding::paste(state, text) || palette::paste(state, text) {
        return;
    }
    let before = match state.question.take() {
        // There is a question already, and what it is about is not complete.
        Some(Question::Paste(before) | Question::Code(before)) => before + "\n",
        Some(search @ (Question::Search { .. } | Question::InRoomSearch)) => {
            state.question = Some(search);
            return;
        }
        Some(Question::React { seq, wanted, .. }) => {
            let wanted = wanted + crate::protocol::text::sanitise(text).trim();
            state.question = Some(Question::React { seq, wanted, chosen: 0 });
            return;
        }
        Some(Question::Leave { .. } | Question::Word(_) | Question::Delete(_)) | None => String::new(),
    };
    state.overlay = None;
    state.completion = None;
    let clean = crate::protocol::text::sanitise(text);
    let clean = before + clean.trim_end_matches('\n');
    if clean.len() > PASTE_BYTES {
        let max = state.text_bytes() / 1024;
        state.complain(format!(
            "{} KiB were pasted and a message holds {max}: send it in parts",
            clean.len() / 1024
        ));
        return;
    }
    let composer = state.composer();
    let fenced = pasted::ends_in_code(&composer.text()[..composer.cursor()]);
    if !fenced && pasted::is_code(&clean) {
        state.question = Some(Question::Code(clean));
    } else if clean.split('\n').count() > PASTE_LINES {
        state.question = Some(Question::Paste(clean));
    } else {
        state.composer_mut().insert(&clean);
    }
}

/// A key while it is asked what becomes of a text.
pub(super) fn answer(state: &mut State, text: String, key: &KeyEvent, effects: &mut Vec<Effect>) {
    let action = state.keymap().action(Key::of(key));
    if is_enter(key) {
        send(state, &text, effects);
    } else if action == Some(EDIT_PASTE) {
        state.composer_mut().insert(&text);
    } else if keymap::character(key).is_some() {
        // On a line of its own: it is said about the paste.
        state.composer_mut().insert(&(text + "\n"));
        keys::press(state, key, effects);
    } else if !is_no(action) {
        state.question = Some(Question::Paste(text));
    }
}

/// A key while it is asked what becomes of code. Letters are answers, and those that are none do nothing: whoever
/// pastes code does not go on writing within it.
pub(super) fn answer_code(state: &mut State, text: String, key: &KeyEvent, effects: &mut Vec<Effect>) {
    let action = state.keymap().action(Key::of(key));
    match keymap::character(key) {
        Some('c') => send(state, &block(state, &text), effects),
        _ if is_enter(key) => send(state, &block(state, &text), effects),
        Some('t') => send(state, &text, effects),
        Some('e') => edit(state, &text),
        _ if action == Some(EDIT_PASTE) => edit(state, &text),
        _ if is_no(action) => {}
        _ => state.question = Some(Question::Code(text)),
    }
}

fn is_enter(key: &KeyEvent) -> bool {
    key.code == KeyCode::Enter && key.modifiers.is_empty()
}

fn is_no(action: Option<Action>) -> bool {
    matches!(action, Some(Action::Close | Action::Interrupt))
}

/// The code between fences that stand on lines of their own, wherever the cursor is.
fn block(state: &State, code: &str) -> String {
    let composer = state.composer();
    let (before, after) = composer.text().split_at(composer.cursor());
    let above = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    let below = if after.is_empty() || after.starts_with('\n') { "" } else { "\n" };
    format!("{above}{}{below}", pasted::fenced(code))
}

fn edit(state: &mut State, code: &str) {
    let block = block(state, code);
    state.composer_mut().insert(&block);
}

/// Says what is in the input, with this put into it.
fn send(state: &mut State, text: &str, effects: &mut Vec<Effect>) {
    state.composer_mut().insert(text);
    let all = state.composer().text().to_owned();
    // What is pasted is said as it is, whatever it begins with.
    if let Err(sentence) = saying::say(state, &all, false, effects) {
        state.complain(sentence);
    }
}
