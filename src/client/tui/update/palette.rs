//! The palette: looking for something by a few letters, and going there or doing it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Effect, State, direct, finding, history, keys, line, rooms, saying};
use crate::client::tui::keymap::{self, Action, Key};
use crate::client::tui::palette::{self, TYPED_BYTES, Target};
use crate::client::tui::state::palette::Palette;
use crate::client::tui::state::{Connection, Overlay};
use crate::client::tui::view;
use crate::protocol::command::{Command, Plain};
use crate::protocol::text::Line;

/// Opens it. The rooms of the server may have changed since it told them: it is asked again, and nobody waits for it.
pub(super) fn open(state: &mut State, effects: &mut Vec<Effect>) {
    let found = palette::find(state, "");
    state.overlay = Some(Overlay::Palette(Palette { found, ..Palette::default() }));
    if state.connection == Connection::Online {
        let id = state.request_id();
        state.company.quiet.push(id.clone());
        effects.push(Effect::Submit(Command::Rooms(Plain { id: Some(id) })));
    }
}

/// A key while it lies over the rooms.
pub(super) fn press(state: &mut State, key: &KeyEvent, effects: &mut Vec<Effect>) {
    let action = state.keymap().action(Key::of(key));
    let page = isize::try_from(view::palette_rows(state).max(1)).unwrap_or(1);
    match action {
        _ if key.code == KeyCode::Enter && key.modifiers == KeyModifiers::NONE => take(state, effects),
        Some(Action::Close | Action::Interrupt | Action::Palette) => state.overlay = None,
        Some(Action::Help) => state.overlay = Some(Overlay::Help(0)),
        Some(Action::Repaint) => effects.push(Effect::Repaint),
        Some(Action::Up | Action::PreviousRoom | Action::CompleteBack) => choose(state, -1),
        Some(Action::Down | Action::NextRoom | Action::Complete) => choose(state, 1),
        Some(Action::PageUp) => choose(state, -page),
        Some(Action::PageDown) => choose(state, page),
        Some(Action::Oldest) => choose(state, isize::MIN),
        Some(Action::Newest) => choose(state, isize::MAX),
        _ => edit(state, action, keymap::character(key)),
    }
}

/// Chooses another entry, so many further down.
pub(super) fn choose(state: &mut State, by: isize) {
    if let Some(Overlay::Palette(palette)) = &mut state.overlay {
        let last = palette.found.len().saturating_sub(1);
        palette.chosen = palette.chosen.saturating_add_signed(by).min(last);
    }
}

/// Text that is pasted is looked for; `false` if the palette is not open.
pub(super) fn paste(state: &mut State, text: &str) -> bool {
    let Some(Overlay::Palette(palette)) = &mut state.overlay else { return false };
    palette.input.insert(Line::lossy(text).as_str());
    typed(state);
    true
}

/// A key of what is typed.
fn edit(state: &mut State, action: Option<Action>, letter: Option<char>) {
    let Some(Overlay::Palette(Palette { input, .. })) = &mut state.overlay else { return };
    let before = input.text().to_owned();
    line::edit(input, &mut state.cuttings, action, letter);
    if input.text() != before {
        typed(state);
    }
}

/// Something else is looked for.
fn typed(state: &mut State) {
    let Some(Overlay::Palette(Palette { input, .. })) = &mut state.overlay else { return };
    if input.text().len() > TYPED_BYTES {
        let end = input.text().floor_char_boundary(TYPED_BYTES);
        let kept = input.text()[..end].to_owned();
        input.set(&kept);
    }
    let text = input.text().to_owned();
    let found = palette::find(state, &text);
    if let Some(Overlay::Palette(palette)) = &mut state.overlay {
        (palette.found, palette.chosen) = (found, 0);
    }
}

/// Enter: goes to what is chosen, or does it.
fn take(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(Overlay::Palette(palette)) = &state.overlay else { return };
    let Some(entry) = palette.found.get(palette.chosen) else { return };
    let target = entry.target.clone();
    state.overlay = None;
    match target {
        Target::Room(name) => match state.place_of(&name) {
            Some(place) => rooms::go_to(state, place),
            None => state.complain(format!("you are not in {name} any more: /join {name} enters it")),
        },
        Target::Join(name) | Target::Make(name) => {
            rooms::join(state, name, None, effects);
            history::load(state, effects);
        }
        Target::Person(nick) => {
            let line = format!("/msg {nick}");
            aside(state, effects, |state, effects| direct::speak(state, vec![nick], None, &line, effects));
        }
        Target::Moment(moment) => {
            aside(state, effects, |state, effects| finding::go(state, moment, effects));
        }
        Target::Command(command) if command.arguments.is_empty() => {
            let line = format!("/{}", command.name);
            state.remember(&line);
            aside(state, effects, |state, effects| {
                saying::submit(state, &line, effects);
                Ok(())
            });
        }
        Target::Command(command) => write(state, &format!("/{} ", command.name)),
        Target::Setting(name) => write(state, &format!("/set {name} ")),
        Target::Action(action) => keys::act(state, action, effects),
    }
}

/// Puts a command into the input, for its arguments to be written.
fn write(state: &mut State, command: &str) {
    let draft = state.composer().text().to_owned();
    if !draft.trim().is_empty() {
        state.remember(&draft);
        state.say(format!("what you were writing waits: {} brings it back", state.key_for(Action::Up)));
    }
    state.composer_mut().set(command);
}

/// Does what a command would do, and leaves what is being written where it is.
fn aside(
    state: &mut State,
    effects: &mut Vec<Effect>,
    act: impl FnOnce(&mut State, &mut Vec<Effect>) -> Result<(), String>,
) {
    let room = state.room().map(|room| room.name.clone());
    let draft = std::mem::take(state.composer_mut());
    let done = act(state, effects);
    let place = room.and_then(|name| state.place_of(&name));
    let composer = match place.and_then(|place| state.rooms.get_mut(place)) {
        Some(room) => &mut room.composer,
        None => state.composer_mut(),
    };
    if composer.is_empty() {
        *composer = draft;
    } else if !draft.text().trim().is_empty() {
        let text = draft.text().to_owned();
        state.remember(&text);
    }
    if let Err(sentence) = done {
        state.complain(sentence);
    }
}
