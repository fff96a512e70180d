//! What happens to the launcher's state.

use crossterm::event::{
    KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

use super::probe::Reach;
use super::rows::{self, Row};
use super::state::{Item, State};
use super::{Choice, typed, view};
use crate::client::find::Heard;
use crate::client::tui::Event as Input;
use crate::client::tui::keymap::{self, Action, Key};
use crate::client::tui::update::line;
use crate::protocol::address::Address;
use crate::protocol::limits::INVITE_BYTES;
use crate::protocol::text::Line;

/// Bytes that the input takes: the longest invite, with the command before it.
const TYPED_BYTES: usize = INVITE_BYTES + 64;

/// Something happened.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is moved once, and a box for each key costs more")]
pub(super) enum Event {
    /// At the terminal, or time passed. What only rooms know of is nothing here.
    Input(Input),
    /// On this network.
    Heard(Heard),
    /// An address was looked at.
    Seen(Address, Reach),
}

/// Something to be done outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Leave, and go there.
    Go(Choice),
    /// Leave.
    Quit,
    /// Have the terminal tell us of the mouse, or leave it to the terminal.
    Capture(bool),
    /// Give the terminal back to the shell for a while.
    Suspend,
    /// Paint everything anew.
    Repaint,
}

/// Takes in what happened. Says what is to be done outside.
pub(super) fn update(state: &mut State, event: Event) -> Vec<Effect> {
    let place = state.place(&state.rows());
    let chosen = state.chosen.clone();
    let mut effects = Vec::new();
    state.changed |= match event {
        // Time alone changes little.
        Event::Input(Input::Tick(now)) => {
            let silent = state.is_silent();
            state.now = now;
            state.fade() || silent != state.is_silent()
        }
        Event::Seen(address, seen) => see(state, &address, seen),
        Event::Heard(heard) => {
            hear(state, heard);
            true
        }
        Event::Input(input) => {
            take_in(state, input, &mut effects);
            true
        }
    };
    state.keep_choice(place);
    // What Enter does is on the screen.
    state.changed |= state.chosen != chosen;
    effects
}

fn hear(state: &mut State, heard: Heard) {
    match heard {
        Heard::Here(parlor) => state.hear(parlor),
        Heard::Gone(id) => state.lose(id),
        Heard::Trouble(sentence) => state.trouble(&sentence),
    }
}

/// An address was looked at. Says whether that is news: each is looked at again and again.
fn see(state: &mut State, address: &Address, seen: Reach) -> bool {
    let mut news = false;
    if *address == Address::this_machine() && state.here != seen {
        (state.here, news) = (seen, true);
        // A second one would find its port taken. Whoever goes back to hosting one means it.
        if seen == Reach::Here && state.chosen == Item::Host && state.input.is_empty() {
            state.chosen = Item::Here;
        }
    }
    for (_, reach) in state.recent.iter_mut().filter(|(recent, _)| recent.address == *address) {
        news |= *reach != seen;
        *reach = seen;
    }
    news
}

fn take_in(state: &mut State, input: Input, effects: &mut Vec<Effect>) {
    match input {
        Input::Key(key) if key.kind != KeyEventKind::Release => press(state, &key, effects),
        Input::Wheel(rows) => scroll(state, rows.signum()),
        Input::Mouse(mouse) => point(state, &mouse, effects),
        Input::Paste(text) if state.help.is_none() => {
            state.input.insert(Line::lossy(text.trim()).as_str());
            wrote(state);
        }
        Input::Resize(columns, rows) => state.size = (columns, rows),
        Input::Background(background) => {
            state.themes.set_background(background);
            state.look_anew();
        }
        Input::Terminate => effects.push(Effect::Quit),
        _ => {}
    }
}

fn press(state: &mut State, key: &KeyEvent, effects: &mut Vec<Effect>) {
    let action = state.keymap.action(Key::of(key));
    let page = isize::try_from(view::list_rows(state).max(1)).unwrap_or(1);
    match action {
        // Whatever the keys are bound to, these two lead out.
        _ if is_ctrl(key, 'c') || is_ctrl(key, 'd') => effects.push(Effect::Quit),
        Some(Action::Help) => state.help = if state.help.is_some() { None } else { Some(0) },
        Some(Action::Repaint) => effects.push(Effect::Repaint),
        Some(Action::Suspend) => effects.push(Effect::Suspend),
        Some(Action::Mouse) => {
            state.mouse = !state.mouse;
            effects.push(Effect::Capture(state.mouse));
        }
        Some(Action::Close) if state.help.is_some() => state.help = None,
        Some(Action::Close) if state.input.is_empty() => effects.push(Effect::Quit),
        Some(Action::Close) => {
            state.input.take();
        }
        Some(Action::Up | Action::PreviousRoom | Action::CompleteBack) => scroll(state, -1),
        Some(Action::Down | Action::NextRoom | Action::Complete) => scroll(state, 1),
        Some(Action::PageUp) => scroll(state, -page),
        Some(Action::PageDown) => scroll(state, page),
        Some(Action::Oldest) => scroll(state, isize::MIN),
        Some(Action::Newest) => scroll(state, isize::MAX),
        _ if state.help.is_some() => {}
        _ if key.code == KeyCode::Enter && key.modifiers == KeyModifiers::NONE => take(state, effects),
        _ => edit(state, action, keymap::character(key)),
    }
}

fn is_ctrl(key: &KeyEvent, letter: char) -> bool {
    key.code == KeyCode::Char(letter) && key.modifiers == KeyModifiers::CONTROL
}

/// Chooses another row, so many further down, or goes through the help.
fn scroll(state: &mut State, by: isize) {
    if let Some(top) = state.help {
        state.help = Some(top.saturating_add_signed(by).min(view::help_last(state)));
        return;
    }
    let rows = state.rows();
    let last = rows.len().saturating_sub(1);
    let place = state.place(&rows).saturating_add_signed(by).min(last);
    if let Some(row) = rows.get(place) {
        state.chosen = row.item.clone();
    }
}

/// Something was done with the mouse: the first click chooses, the next one takes.
fn point(state: &mut State, mouse: &MouseEvent, effects: &mut Vec<Effect>) {
    // What was on its way when it was given back.
    if !state.mouse {
        return;
    }
    match mouse.kind {
        MouseEventKind::ScrollUp => scroll(state, -1),
        MouseEventKind::ScrollDown => scroll(state, 1),
        MouseEventKind::Down(MouseButton::Left) => match view::hit(state, mouse.column, mouse.row) {
            Some(item) if item == state.chosen => take(state, effects),
            Some(item) => state.chosen = item,
            None => {}
        },
        _ => {}
    }
}

/// A key of what is typed.
fn edit(state: &mut State, action: Option<Action>, letter: Option<char>) {
    let before = state.input.revision();
    line::edit(&mut state.input, &mut state.cuttings, action, letter);
    if state.input.revision() != before {
        wrote(state);
    }
}

/// Something else is typed: what fits it best is chosen.
fn wrote(state: &mut State) {
    if state.input.text().len() > TYPED_BYTES {
        let end = state.input.text().floor_char_boundary(TYPED_BYTES);
        let kept = state.input.text()[..end].to_owned();
        state.input.set(&kept);
    }
    if !state.input.text().trim().is_empty()
        && let Some(item) = rows::best(&state.rows())
    {
        state.chosen = item;
    }
}

/// Enter: goes to what is chosen.
fn take(state: &State, effects: &mut Vec<Effect>) {
    let rows = state.rows();
    let row = rows.iter().find(|row| row.item == state.chosen);
    effects.extend(row.and_then(|row| choice(state, row)).map(Effect::Go));
}

fn choice(state: &State, row: &Row) -> Option<Choice> {
    Some(match &row.item {
        Item::Typed => Choice::Typed(typed::read(state.input.text())?.ok()?.arguments),
        Item::Here => Choice::Here,
        Item::Host => Choice::Host,
        Item::Found(said) => {
            let found = state.found(said)?;
            let known = state.known(found).map(|recent| recent.address.clone());
            let plain = found.parlor.said.fingerprint.is_none();
            Choice::Parlor { addresses: found.parlor.addresses.clone(), plain, known }
        }
        Item::Recent(address) => {
            Choice::Parlor { addresses: vec![address.clone()], plain: row.plain, known: None }
        }
    })
}
