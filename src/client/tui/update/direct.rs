//! Speaking with some alone.

use super::{Effect, State, changing, rooms, saying};
use crate::client::tui::state::room::Room;
use crate::client::tui::state::{Asked, Then};
use crate::protocol::command::{Command, Direct};
use crate::protocol::event::RoomInfo;
use crate::protocol::name::Nick;
use crate::protocol::text::Text;

/// Direct rooms that are entered at the start, those first that were spoken in last. A few people keep up with more;
/// the others open when somebody speaks, or by `/msg`.
const AT_START: usize = 20;

/// Turns to these people, and says `text` to them.
pub(super) fn speak(
    state: &mut State,
    with: Vec<Nick>,
    text: Option<Text>,
    line: &str,
    effects: &mut Vec<Effect>,
) -> Result<(), String> {
    if let Some(place) = state.direct_with(&with) {
        saying::written(state);
        rooms::go_to(state, place);
        return match text {
            Some(text) => {
                // What was being changed there is something else.
                changing::stop_composing(state);
                saying::say(state, text.as_str(), false, effects)
            }
            None => Ok(()),
        };
    }
    saying::written(state);
    let id = state.request_id();
    let asked = Asked { id: id.clone(), line: line.to_owned(), done: None, then: Some(Then::Direct(text)) };
    state.asked.push(asked);
    effects.push(Effect::Submit(Command::Direct(Direct { id: Some(id), with })));
    Ok(())
}

/// The room that was asked for.
pub(super) fn opened(state: &mut State, info: &RoomInfo, text: Option<Text>, effects: &mut Vec<Effect>) {
    let place = seat(state, info);
    enter(state, place, effects);
    rooms::go_to(state, place);
    if let Some(text) = text
        && let Err(sentence) = saying::say(state, text.as_str(), false, effects)
    {
        state.composer_mut().set(text.as_str());
        state.complain(sentence);
    }
}

/// Somebody speaks in a room that we are not in. Says where it is, if that is news.
pub(super) fn called(state: &mut State, info: &RoomInfo, effects: &mut Vec<Effect>) -> Option<usize> {
    if !info.room.is_direct() || state.place_of(&info.room).is_some() {
        return None;
    }
    let place = seat(state, info);
    enter(state, place, effects);
    // Of somebody whom we do not hear there is nothing to tell.
    let others = info.members.iter().filter(|nick| **nick != state.me);
    let heard = others.clone().count() == 0 || others.clone().any(|nick| !state.is_ignored(nick));
    heard.then_some(place)
}

/// The direct rooms that there are, when the connection stands: those that are not open here and may have news.
pub(super) fn at_start(state: &mut State, direct: &[RoomInfo], effects: &mut Vec<Effect>) {
    for info in direct.iter().take(AT_START) {
        if let Some(place) = state.place_of(&info.room) {
            state.rooms[place].members.clone_from(&info.members);
        } else if info.room.is_direct()
            && info.last > state.company.closed.get(&info.room).copied().unwrap_or(0)
        {
            let place = seat(state, info);
            enter(state, place, effects);
        }
    }
    state.name_rooms();
}

/// Closes the room that is only for us and these people. It opens again when somebody speaks.
pub(super) fn close(state: &mut State, with: &[Nick], effects: &mut Vec<Effect>) {
    match state.direct_with(with) {
        Some(place) => {
            let name = state.rooms[place].name.clone();
            rooms::part(state, &name, effects);
        }
        None => {
            let names: Vec<&str> = with.iter().map(Nick::as_str).collect();
            state.complain(format!("nothing is open with {}: /msg NAME opens it", names.join(", ")));
        }
    }
}

/// An order that names no room that others can be brought into: this one is only for some.
pub(super) fn refuse_invite(state: &State) -> Option<String> {
    let room = state.room().filter(|room| room.name.is_direct())?;
    Some(format!(
        "nobody else can come in here, where {} speak: /msg NAME,NAME speaks with a few, /invite #ROOM says how others join",
        room.shown.trim_start_matches('@')
    ))
}

fn seat(state: &mut State, info: &RoomInfo) -> usize {
    state.company.closed.remove(&info.room);
    let place = match state.place_of(&info.room) {
        Some(place) => place,
        None => {
            let mut room = Room::new(info.room.clone());
            // What somebody said to us before we ever looked is news.
            room.called();
            rooms::seat(state, room)
        }
    };
    state.rooms[place].members.clone_from(&info.members);
    state.name_rooms();
    place
}

fn enter(state: &mut State, place: usize, effects: &mut Vec<Effect>) {
    rooms::ask_in(state, place, None, effects);
}
