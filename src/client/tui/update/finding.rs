//! Searching in all that was said, and going to what was found.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Effect, State, history, jump, line, saying};
use crate::client::moment;
use crate::client::query::{self, Rooms};
use crate::client::tui::keymap::{self, Action, Key};
use crate::client::tui::slash::Target;
use crate::client::tui::state::finding::{Kind, Question, Walk};
use crate::client::tui::state::{Connection, Overlay};
use crate::client::tui::view;
use crate::protocol::command::{Command, Place, Search};
use crate::protocol::event::{ErrorCode, Failure, Found};
use crate::protocol::limits::{SEARCH_BYTES, SEARCH_HITS};
use crate::protocol::name::Nick;
use crate::protocol::text::Line;

/// Whoever stops typing for so long wants to see what there is. Shorter, and every letter would be a question.
const PAUSE: Duration = Duration::from_millis(300);

/// So many messages before the last one that is here, the next page is asked for: a screen of them.
const LOAD_AHEAD: usize = 15;

/// Opens one of the searches as it was left; the mentions are looked for anew.
pub(super) fn open(state: &mut State, kind: Kind, effects: &mut Vec<Effect>) {
    state.overlay = Some(Overlay::Found(kind));
    let hunt = state.finding.hunt_mut(kind);
    hunt.selected = !hunt.input.is_empty();
    // What cannot be searched for is told why.
    let is_known = wanted(state, kind)
        .is_ok_and(|wanted| wanted.is_none() || wanted == state.finding.hunt(kind).answered);
    if kind == Kind::Mentions || !is_known {
        state.finding.hunt_mut(kind).due = Some(state.now.instant);
        start_if_due(state, effects);
    }
}

/// A key while a search lies over the rooms.
pub(super) fn press(state: &mut State, kind: Kind, key: &KeyEvent, effects: &mut Vec<Effect>) {
    let action = state.keymap().action(Key::of(key));
    let page = isize::try_from(view::hits_in_sight(state).max(1)).unwrap_or(1);
    let written = kind == Kind::Search;
    let letter = keymap::character(key);
    let enter = key.code == KeyCode::Enter && key.modifiers == KeyModifiers::NONE;
    match action {
        Some(Action::Close | Action::Interrupt) => state.overlay = None,
        Some(Action::Help) => state.overlay = Some(Overlay::Help(0)),
        Some(Action::Repaint) => effects.push(Effect::Repaint),
        Some(Action::Up | Action::PreviousRoom) => choose(state, kind, -1, effects),
        Some(Action::Down | Action::NextRoom) => choose(state, kind, 1, effects),
        Some(Action::PageUp) => choose(state, kind, -page, effects),
        Some(Action::PageDown) => choose(state, kind, page, effects),
        Some(Action::Oldest) => choose(state, kind, isize::MAX, effects),
        Some(Action::Newest) => choose(state, kind, isize::MIN, effects),
        _ if enter => take(state, kind, effects),
        _ if !written => match letter {
            Some('q') => state.overlay = None,
            Some('j') => choose(state, kind, 1, effects),
            Some('k') => choose(state, kind, -1, effects),
            _ => {}
        },
        _ => edit(state, action, letter),
    }
}

/// A key of what one searches for.
fn edit(state: &mut State, action: Option<Action>, letter: Option<char>) {
    let selected = std::mem::take(&mut state.finding.search.selected);
    let input = &mut state.finding.search.input;
    let before = input.text().to_owned();
    match (action, letter) {
        (None, Some(letter)) if selected => input.set(letter.encode_utf8(&mut [0; 4])),
        _ => line::edit(input, &mut state.cuttings, action, letter),
    }
    if input.text() != before {
        typed(state);
    }
}

/// Text that is pasted goes into what one searches for; `false` if one does not search.
pub(super) fn paste(state: &mut State, text: &str) -> bool {
    match state.overlay {
        Some(Overlay::Found(Kind::Search)) if state.question.is_none() => {}
        _ => return false,
    }
    let line = Line::lossy(text);
    match std::mem::take(&mut state.finding.search.selected) {
        true => state.finding.search.input.set(line.as_str()),
        false => state.finding.search.input.insert(line.as_str()),
    }
    typed(state);
    true
}

/// What is searched for has changed.
fn typed(state: &mut State) {
    let hunt = &mut state.finding.search;
    hunt.fault = None;
    if hunt.input.text().trim().is_empty() {
        hunt.forget();
    } else {
        hunt.due = Some(state.now.instant + PAUSE);
    }
}

/// Begins the searches whose time has come, one at a time each.
pub(super) fn start_if_due(state: &mut State, effects: &mut Vec<Effect>) {
    for kind in [Kind::Search, Kind::Mentions] {
        let hunt = state.finding.hunt(kind);
        let due = hunt.due.is_some_and(|due| due <= state.now.instant) && hunt.asked.is_none();
        if due && state.connection == Connection::Online {
            start(state, kind, effects);
        }
    }
}

fn start(state: &mut State, kind: Kind, effects: &mut Vec<Effect>) {
    state.changed = true;
    let wanted = wanted(state, kind);
    let hunt = state.finding.hunt_mut(kind);
    hunt.due = None;
    match wanted {
        Ok(Some(search)) => ask(state, kind, search, effects),
        Ok(None) => hunt.forget(),
        Err(sentence) => hunt.fault = Some(sentence),
    }
}

/// What is to be searched for; `None` for nothing.
fn wanted(state: &State, kind: Kind) -> Result<Option<Search>, String> {
    if kind == Kind::Mentions {
        return Ok(Some(Search {
            mentions: true,
            text: our_words(state),
            limit: SEARCH_HITS,
            ..Search::default()
        }));
    }
    let typed = state.finding.search.input.text();
    let with = |people: &[Nick]| state.direct_with(people).map(|place| state.rooms[place].name.clone());
    let rooms = Rooms { here: state.room().map(|room| &room.name), with: &with };
    let search = query::parse(typed, state.server_time(), &state.zone, rooms)?;
    Ok(search.map(|search| match search.mentions {
        true => Search { text: our_words(state), ..search },
        false if is_unfinished(typed, &search) => begun(search),
        false => search,
    }))
}

/// The words that count as our name, as many as a search takes, but for those that it would take for signs.
fn our_words(state: &State) -> Line {
    let mut text = String::new();
    let is_word = |word: &&String| word.contains(char::is_alphanumeric) && !word.contains('"');
    for word in state.company.settings.words.iter().filter(is_word) {
        if text.len() + 1 + word.len() <= SEARCH_BYTES {
            text.push_str(if text.is_empty() { "" } else { " " });
            text.push_str(word);
        }
    }
    Line::lossy(&text)
}

/// Whether what was typed ends in a word that may go on. Of one letter too much would be found.
fn is_unfinished(typed: &str, search: &Search) -> bool {
    let last = typed.rsplit(char::is_whitespace).next().unwrap_or_default();
    let is_word = last.ends_with(char::is_alphanumeric) && last.chars().nth(1).is_some();
    is_word
        && !last.contains('"')
        && typed.matches('"').count().is_multiple_of(2)
        && search.text.as_str().ends_with(last)
}

/// The same for all that begins with its last word.
fn begun(search: Search) -> Search {
    if search.text.as_str().len() >= SEARCH_BYTES {
        return search;
    }
    Search { text: Line::lossy(&format!("{}*", search.text)), ..search }
}

fn ask(state: &mut State, kind: Kind, search: Search, effects: &mut Vec<Effect>) {
    let id = state.request_id();
    let command = Search { id: Some(id.clone()), ..search.clone() };
    state.finding.hunt_mut(kind).asked = Some(Question { id, search });
    effects.push(Effect::Submit(Command::Search(Box::new(command))));
}

/// Asks for the next page if the reader gets near the end of what is here.
fn read_on(state: &mut State, kind: Kind, effects: &mut Vec<Effect>) {
    let hunt = state.finding.hunt(kind);
    let near = hunt.chosen + LOAD_AHEAD >= hunt.hits.len();
    let free = hunt.asked.is_none() && hunt.due.is_none() && state.connection == Connection::Online;
    if near
        && free
        && let (Some(more), Some(search)) = (hunt.more, &hunt.answered)
    {
        let next = Search { before: Some(more), ..search.clone() };
        ask(state, kind, next, effects);
    }
}

/// Chooses another message, so many further down.
pub(super) fn choose(state: &mut State, kind: Kind, by: isize, effects: &mut Vec<Effect>) {
    let hunt = state.finding.hunt_mut(kind);
    let last = hunt.hits.len().saturating_sub(1);
    hunt.chosen = hunt.chosen.saturating_add_signed(by).min(last);
    read_on(state, kind, effects);
}

/// Enter: searches for what has just been typed, or goes to what is chosen.
fn take(state: &mut State, kind: Kind, effects: &mut Vec<Effect>) {
    let now = state.now.instant;
    let hunt = state.finding.hunt_mut(kind);
    if hunt.due.is_some() {
        hunt.due = Some(now);
        start_if_due(state, effects);
        return;
    }
    // What is being searched for is not what is shown.
    if hunt.asked.as_ref().is_some_and(|asked| asked.search.before.is_none()) {
        return;
    }
    if let Some(hit) = hunt.hits.get(hunt.chosen) {
        let (room, seq) = (hit.entry.room.clone(), hit.entry.seq);
        let chosen = hunt.chosen;
        state.overlay = None;
        jump::jump(state, room, Place::Around(seq), effects);
        // From here one can go on from mention to mention.
        state.finding.walk = (kind == Kind::Mentions).then_some(Walk { to: chosen, waits: false });
    }
}

/// Something was found, or nothing.
pub(super) fn found(state: &mut State, found: Found, effects: &mut Vec<Effect>) {
    let Some(kind) = state.finding.asked(found.re.as_ref()) else { return };
    let ignored = &state.ignored;
    let heard = found.hits.into_iter().filter(|hit| !ignored.contains(&hit.entry.from)).collect();
    let hunt = state.finding.hunt_mut(kind);
    let Some(Question { search, .. }) = hunt.asked.take() else { return };
    hunt.take_in(search, heard, found.more, found.behind);
    start_if_due(state, effects);
    if kind == Kind::Mentions {
        walk_on(state, effects);
    }
    if state
        .overlay
        .as_ref()
        .is_some_and(|overlay| matches!(overlay, Overlay::Found(shown) if *shown == kind))
    {
        read_on(state, kind, effects);
    }
}

/// A search was refused, or lost with the connection; `false` if the failure is of something else.
pub(super) fn failed(state: &mut State, failure: &Failure) -> bool {
    let Some(kind) = state.finding.asked(failure.re.as_ref()) else { return false };
    let now = state.now.instant;
    let sentence = state.readable(failure.message.to_string());
    let hunt = state.finding.hunt_mut(kind);
    let Some(Question { search, .. }) = hunt.asked.take() else { return false };
    if failure.code == ErrorCode::Offline {
        // A first page is searched again when there is a connection, a further one when somebody goes there.
        if search.before.is_none() {
            hunt.due.get_or_insert(now + PAUSE);
        }
        return true;
    }
    hunt.fault = Some(sentence.clone());
    hunt.more = None;
    let walks = kind == Kind::Mentions && state.finding.walk.take_if(|walk| walk.waits).is_some();
    if walks {
        state.complain(sentence);
    }
    true
}

/// Goes to the mention before the one where one is, or with -1 after it. The first time it is the newest.
pub(super) fn go_by(state: &mut State, by: isize, effects: &mut Vec<Effect>) {
    let now = state.now.instant;
    match state.finding.walk {
        // What was asked for may be lost with a connection.
        Some(Walk { waits: true, .. }) => walk_on(state, effects),
        None => {
            state.finding.walk = Some(Walk { to: 0, waits: true });
            state.finding.mentions.due = Some(now);
            if state.connection == Connection::Online {
                start_if_due(state, effects);
            } else {
                state.say("there is no connection: you are taken there when it is back");
            }
        }
        Some(_) => {
            let Some(to) = state.finding.mentions.chosen.checked_add_signed(by) else {
                state.say("this is the newest that names you");
                return;
            };
            state.finding.walk = Some(Walk { to, waits: true });
            walk_on(state, effects);
        }
    }
}

/// Goes to the mention that comes next, once it is here.
fn walk_on(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(Walk { to, waits: true }) = state.finding.walk else { return };
    let hunt = &mut state.finding.mentions;
    if let Some(hit) = hunt.hits.get(to) {
        let (room, seq) = (hit.entry.room.clone(), hit.entry.seq);
        hunt.chosen = to;
        state.finding.walk = Some(Walk { to, waits: false });
        jump::jump(state, room, Place::Around(seq), effects);
    } else if hunt.asked.is_none() && hunt.more.is_none() {
        state.finding.walk = (to > 0).then_some(Walk { to: to.saturating_sub(1), waits: false });
        state.say(if to > 0 {
            "this is the oldest that names you"
        } else {
            "nobody has said your name in your rooms"
        });
    } else {
        hunt.chosen = hunt.hits.len().saturating_sub(1);
        read_on(state, Kind::Mentions, effects);
    }
}

/// Goes to a place of the room in sight.
///
/// # Errors
/// A sentence, when there is no such place.
pub(super) fn go(state: &mut State, target: Target, effects: &mut Vec<Effect>) -> Result<(), String> {
    let Some(room) = state.room() else { return Err("you are in no room: /join enters one".to_owned()) };
    let (name, shown) = (room.name.clone(), room.shown.clone());
    let (newest, first) = (room.scrollback.newest(), room.first);
    let place = match target {
        Target::Last => {
            saying::written(state);
            history::to_newest(state);
            return Ok(());
        }
        Target::First => Place::Around(first),
        Target::Entry(seq) if seq > newest => {
            return Err(format!("{shown} has no message #{seq}: the newest is #{newest}"));
        }
        Target::Entry(seq) => Place::Around(seq),
        Target::Moment(typed) => {
            let moment = moment::parse(&typed, state.server_time(), &state.zone)?;
            if moment > state.server_time() {
                return Err(format!("{typed} is yet to come: /goto last goes to the newest"));
            }
            Place::At(moment)
        }
    };
    if let Connection::Ended { why } = &state.connection {
        return Err(format!("{why}: nothing can be loaded any more, Ctrl-C leaves"));
    }
    saying::written(state);
    jump::jump(state, name, place, effects);
    Ok(())
}
