//! Who is in a room, in rows; for those who keep order with from where.

use std::collections::HashMap;

use ratatui::text::Line;

use super::asking;
use crate::client::tui::state::room::Room;
use crate::client::tui::state::{State, Who};
use crate::client::tui::view::people;
use crate::client::tui::wrap;
use crate::protocol::event::{Person, SessionInfo};
use crate::protocol::name::Nick;

/// What it is called.
pub(crate) fn title(state: &State, who: &Who) -> String {
    let here = match (state.place_of(&who.room), &who.answer) {
        (Some(place), _) => state.rooms.get(place).map(|room| room.people.here()),
        (None, answer) => answer.as_ref().map(|answer| answer.here),
    };
    let room = state.place_of(&who.room).and_then(|place| state.rooms.get(place));
    let name = room.map_or(who.room.as_str(), |room| room.shown.as_str());
    here.map_or_else(|| name.to_owned(), |here| format!("{name}: {here} here"))
}

pub(super) fn rows(state: &State, who: &Who, width: usize) -> Vec<Line<'static>> {
    let theme = state.theme;
    let mut rows = Vec::new();
    let mut sessions: HashMap<&Nick, Vec<&SessionInfo>> = HashMap::new();
    for session in who.answer.iter().flat_map(|answer| &answer.sessions) {
        sessions.entry(&session.nick).or_default().push(session);
    }
    for person in listed(state, who) {
        rows.push(people::line_with_reason(state, person, width));
        for session in sessions.get(&person.nick).into_iter().flatten() {
            let told = wrap::wrap(&told(state, session), width.saturating_sub(INDENT.len()));
            rows.extend(told.into_iter().map(|row| Line::styled(format!("{INDENT}{row}"), theme.dim())));
        }
    }
    let room = state.place_of(&who.room).and_then(|place| state.rooms.get(place));
    rows.extend(room.into_iter().flat_map(Room::absent).map(|nick| people::absent(state, nick, width)));
    if who.asked.is_some() {
        rows.push(asking(state));
    } else if rows.is_empty() {
        rows.push(Line::styled("Nobody is here.", theme.dim()));
    }
    let more = more(state, who);
    rows.extend((more > 0).then(|| Line::styled(format!("and {more} more"), theme.dim())));
    rows
}

/// In front of from where somebody is here.
const INDENT: &str = "    ";

/// Those who are in the room, as far as they are known by name.
pub(crate) fn listed<'a>(state: &'a State, who: &'a Who) -> Vec<&'a Person> {
    match state.place_of(&who.room).and_then(|place| state.rooms.get(place)) {
        Some(room) => room.people.iter().collect(),
        None => {
            let mut people: Vec<&Person> = who.answer.iter().flat_map(|answer| &answer.people).collect();
            people.sort_by_cached_key(|person| person.nick.as_str().to_lowercase());
            people
        }
    }
}

/// How many are there beside these.
pub(crate) fn more(state: &State, who: &Who) -> usize {
    let here = match state.place_of(&who.room).and_then(|place| state.rooms.get(place)) {
        Some(room) => room.people.here(),
        None => who.answer.as_ref().map_or(0, |answer| answer.here),
    };
    here.saturating_sub(listed(state, who).len())
}

/// From where a connection comes, by which program, and since when.
pub(crate) fn told(state: &State, session: &SessionInfo) -> String {
    let from = session.address.map_or_else(|| "this machine".to_owned(), |address| address.to_string());
    let zoned = |time: crate::protocol::time::Time| time.timestamp().to_zoned(state.zone.clone());
    let (since, now) = (zoned(session.since), zoned(state.server_time()));
    let since = since.strftime(match (since.date() == now.date(), since.year() == now.year()) {
        (true, _) => "%H:%M",
        (false, true) => "%-d %b %H:%M",
        (false, false) => "%-d %b %Y %H:%M",
    });
    match session.agent.as_str() {
        "" => format!("{from}, since {since}"),
        agent => format!("{from}, {agent}, since {since}"),
    }
}
