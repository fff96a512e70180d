//! The search in the room that one reads: over what is here with every letter, and by the server where that ends.

use crossterm::event::{KeyCode, KeyEvent};

use super::{Effect, State, choosing, following, history, jump, scrollback_size};
use crate::client::tui::keymap::{self, Action, Key};
use crate::client::tui::state::in_room::{InRoomSearch, Way};
use crate::client::tui::state::room::Room;
use crate::client::tui::state::{Connection, Question};
use crate::protocol::command::{Command, Place, RequestId, Search};
use crate::protocol::event::{ErrorCode, Failure, Found};
use crate::protocol::limits::SEARCH_HITS;
use crate::protocol::text::sanitise;

/// Messages above and below the reader that are looked through with every letter: some milliseconds. The server finds
/// what is further away.
const LOOKED_THROUGH: usize = 5_000;

/// Messages that the server may find, at most: more than anybody steps through.
const FOUND: usize = 2_000;

/// What is said until the server has answered.
const LOOKING: &str = "looking further up …";

/// Asks what to search for.
pub(super) fn open(state: &mut State) {
    if let Some(room) = state.room_mut() {
        room.search = Some(InRoomSearch::new(room.here()));
        state.question = Some(Question::InRoomSearch);
    }
}

/// A key of what one searches for.
pub(super) fn answer(state: &mut State, key: &KeyEvent, effects: &mut Vec<Effect>) {
    let Some(search) = state.room().and_then(|room| room.search.as_ref()) else { return };
    let mut typed = search.typed.clone();
    match (state.keymap().action(Key::of(key)), keymap::character(key)) {
        (Some(Action::Close | Action::Interrupt), _) => return give_up(state, effects),
        (Some(Action::Send), _) => return keep(state, effects),
        (Some(Action::Up), _) => return ask_again(state, Way::Older, effects),
        (Some(Action::Down), _) => return ask_again(state, Way::Newer, effects),
        // Nothing is left to take away.
        (Some(Action::Delete(_) | Action::Cut(_)), _) if typed.is_empty() => return give_up(state, effects),
        (Some(Action::Cut(_)), _) => typed.clear(),
        (Some(Action::Delete(_)), _) => drop(typed.pop()),
        (None, Some(letter)) if key.code != KeyCode::Enter => typed.push(letter),
        _ => {}
    }
    state.question = Some(Question::InRoomSearch);
    type_anew(state, typed, effects);
}

/// Text that is pasted is searched for.
pub(super) fn paste(state: &mut State, text: &str, effects: &mut Vec<Effect>) {
    let Some(search) = state.room().and_then(|room| room.search.as_ref()) else { return };
    let typed = format!("{}{}", search.typed, sanitise(text).trim().replace(['\n', '\t'], " "));
    type_anew(state, typed, effects);
}

/// Something else is typed: the nearest that is found, further up rather than further down, comes into sight.
fn type_anew(state: &mut State, typed: String, effects: &mut Vec<Effect>) {
    let Some(room) = state.room_mut() else { return };
    let Some(search) = &mut room.search else { return };
    if search.typed == typed {
        return;
    }
    search.type_anew(typed);
    let from = search.from.clone();
    look_through(state);
    let Some(search) = state.room().and_then(|room| room.search.as_ref()) else { return };
    let start = from.chosen.unwrap_or(u64::MAX);
    let older = search.next(start.saturating_add(1), Way::Older);
    match older.or_else(|| search.next(start, Way::Newer)) {
        Some(seq) => show(state, seq, effects),
        None => stay_at(state, from.chosen, from.scroll, effects),
    }
}

/// Steps on while one still types.
fn ask_again(state: &mut State, way: Way, effects: &mut Vec<Effect>) {
    state.question = Some(Question::InRoomSearch);
    if let Err(sentence) = go(state, way, effects) {
        state.complain(sentence);
    }
}

/// Enter: what was found stays marked. Where nothing is found here, the server is asked.
fn keep(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(room) = state.room_mut() else { return };
    let Some(search) = &room.search else { return };
    if search.terms.is_empty() {
        if !search.typed.is_empty() {
            state.complain("there is no letter and no digit in that: nothing can be found by it");
        }
        return give_up(state, effects);
    }
    let (from, nothing) = (search.from.clone(), search.found.is_empty());
    state.finding.leave_from(from);
    if nothing && let Err(sentence) = go(state, Way::Older, effects) {
        state.complain(sentence);
    }
}

/// Back to where one was, and nothing is searched for.
fn give_up(state: &mut State, effects: &mut Vec<Effect>) {
    let search = state.room_mut().and_then(|room| room.search.take());
    if let Some(InRoomSearch { from, .. }) = search {
        stay_at(state, from.chosen, from.scroll, effects);
    }
}

fn stay_at(
    state: &mut State,
    chosen: Option<u64>,
    scroll: crate::client::tui::scroll::Scroll,
    effects: &mut Vec<Effect>,
) {
    if let Some(room) = state.room_mut() {
        room.chosen = chosen;
    }
    history::arrive_at(state, scroll, effects);
}

/// To the next that was found. Where it is not known whether there is one, the server is asked, and then one goes on.
///
/// # Errors
/// A sentence, when there is none in this direction or it cannot be known.
pub(super) fn go(state: &mut State, way: Way, effects: &mut Vec<Effect>) -> Result<(), String> {
    look_through(state);
    let Some(room) = state.room_mut() else { return Ok(()) };
    let (first, newest) = (room.first, room.scrollback.newest());
    let here = room.chosen.unwrap_or(newest);
    let Some(search) = &mut room.search else {
        return Err(format!(
            "nothing is searched for: {} begins a search",
            state.keymap().chosen_key_for(keymap::ForChosen::Search)
        ));
    };
    search.goes_on = None;
    let next = search.next(here, way);
    let until = next.unwrap_or(if way == Way::Older { first } else { newest });
    if search.knows_between(here, until) {
        return match next {
            Some(seq) => {
                show(state, seq, effects);
                Ok(())
            }
            None if search.found.is_empty() => Err(format!("nobody has said {} here", search.typed)),
            None if way == Way::Older => Err("that is the oldest that was found".to_owned()),
            None => Err("that is the newest that was found".to_owned()),
        };
    }
    search.goes_on = Some(way);
    if search.asked.is_some() {
        return Ok(());
    }
    if search.found.len() >= FOUND {
        search.goes_on = None;
        return Err("too much was found to go on: search for more words".to_owned());
    }
    match &state.connection {
        Connection::Online => {}
        Connection::Ended { why } => {
            return Err(format!("{why}: what is further up cannot be searched any more"));
        }
        _ => return Err("there is no connection: what is further up is searched when it is back".to_owned()),
    }
    ask(state, effects);
    Ok(())
}

/// Asks the server for what it has found, page by page.
fn ask(state: &mut State, effects: &mut Vec<Effect>) {
    let id = state.request_id();
    let Some(room) = state.room_mut() else { return };
    let name = room.name.clone();
    let Some(search) = &mut room.search else { return };
    search.asked = Some(id.clone());
    let search = Search {
        id: Some(id),
        text: search.words(),
        room: Some(name),
        before: search.more,
        limit: SEARCH_HITS,
        ..Search::default()
    };
    effects.push(Effect::Submit(Command::Search(Box::new(search))));
    state.say(LOOKING);
}

/// The search that waits for the answer to `re`.
fn asked<'a>(state: &'a mut State, re: Option<&RequestId>) -> Option<&'a mut InRoomSearch> {
    let mut searches = state.rooms.iter_mut().filter_map(|room| room.search.as_mut());
    let search = searches.find(|search| re.is_some() && search.asked.as_ref() == re)?;
    search.asked = None;
    Some(search)
}

/// The server has found something, or nothing. Says whether that was asked here.
pub(super) fn found(state: &mut State, found: &Found, effects: &mut Vec<Effect>) -> bool {
    let asked_here = state.room().and_then(|room| room.search.as_ref()?.asked.clone());
    let in_sight = asked_here.is_some() && asked_here == found.re;
    let ignored = std::mem::take(&mut state.ignored);
    let search = asked(state, found.re.as_ref());
    let is_ours = search.is_some();
    if let Some(search) = search {
        let heard = found.hits.iter().filter(|hit| !ignored.contains(&hit.entry.from));
        let lowest = found.hits.iter().map(|hit| hit.entry.seq).min();
        search.take_in(heard.map(|hit| hit.entry.seq), lowest, found.more);
    }
    state.ignored = ignored;
    let goes_on = state.room().and_then(|room| room.search.as_ref()?.goes_on);
    if in_sight && let Some(way) = goes_on {
        state.notice.take_if(|notice| notice.text == LOOKING);
        if let Err(sentence) = go(state, way, effects) {
            state.complain(sentence);
        }
    }
    is_ours
}

/// The server refused, or the connection is gone. Says whether that was asked here.
pub(super) fn failed(state: &mut State, failure: &Failure) -> bool {
    let Some(search) = asked(state, failure.re.as_ref()) else { return false };
    search.goes_on = None;
    let sentence = match failure.code {
        ErrorCode::Offline => {
            "there is no connection: what is further up is searched when it is back".to_owned()
        }
        _ => state.readable(failure.message.to_string()),
    };
    state.complain(sentence);
    true
}

/// Chooses a message that was found, wherever it is.
fn show(state: &mut State, seq: u64, effects: &mut Vec<Effect>) {
    let Some(room) = state.room() else { return };
    if room.scrollback.place_of(seq).is_err() {
        jump::go_there(state, room.name.clone(), Place::Around(seq), effects);
        return;
    }
    let seen = following::is_in_sight(state, seq);
    let (width, height) = scrollback_size(state);
    let layout = state.layout(room, width);
    let to =
        if seen { following::shown(&layout, seq, height) } else { layout.with_in_the_middle(seq, height) };
    choosing::choose(state, seq);
    history::arrive_at(state, to, effects);
}

/// Looks through what is here without a gap around the reader.
fn look_through(state: &mut State) {
    let Some(room) = state.room() else { return };
    let Some(search) = &room.search else { return };
    if search.terms.is_empty() {
        return;
    }
    let (places, here) = around(room);
    let found: Vec<u64> = places
        .filter(|place| choosing::is_choosable(state, *place))
        .filter_map(|place| room.scrollback.get(place))
        .filter(|entry| search.terms.are_in(room.now(entry, state.author).text))
        .map(|entry| entry.seq)
        .collect();
    if let Some(search) = state.room_mut().and_then(|room| room.search.as_mut()) {
        search.look_through(here, found.into_iter());
    }
}

/// The places around the reader that follow each other without a gap, and which entries that means.
fn around(room: &Room) -> (std::ops::Range<usize>, (u64, u64)) {
    let known = room.scrollback.len();
    let centre = room.chosen.map_or(known, |seq| room.scrollback.place_of(seq).unwrap_or_else(|place| place));
    let centre = centre.min(known.saturating_sub(1));
    let is_whole = |place: &usize| room.gap_before(*place).is_none();
    let above =
        (1..=centre).rev().take(LOOKED_THROUGH).take_while(is_whole).last().map_or(centre, |place| place - 1);
    let below = (centre + 1..known).take(LOOKED_THROUGH).take_while(is_whole).last().unwrap_or(centre);
    let seq = |place: usize| room.scrollback.get(place).map_or(0, |entry| entry.seq);
    // Before the first that there is, there is nothing; and behind the last neither.
    let first = if above == 0 && is_whole(&0) { 0 } else { seq(above) };
    let last = if below + 1 >= known && is_whole(&known) { room.scrollback.newest() } else { seq(below) };
    (above..(below + 1).min(known), (first, last))
}
