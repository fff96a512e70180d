//! What lies over the rooms on a screen, and is read there: here it is printed once it is whole.

use super::{command, wording};
use crate::client::tui::slash::TABLES;
use crate::client::tui::state::finding::Kind;
use crate::client::tui::state::room::Room;
use crate::client::tui::state::{Connection, Overlay, State, Who};
use crate::client::tui::view;
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::stats::grouped;
use crate::protocol::ticket::Ticket;
use crate::protocol::time::Time;

/// Messages of a search that are printed: more than that one narrows.
const FOUND: usize = 20;

/// Takes away what was asked for, once it is there, as lines.
pub(super) fn take(state: &mut State) -> Vec<String> {
    let Some(overlay) = &state.overlay else { return Vec::new() };
    let lines = match overlay {
        Overlay::Help(_) => help(),
        Overlay::Invite { room, ticket, .. } => invite(state, room, ticket.as_ref()),
        Overlay::Found(kind) => match found(state, *kind) {
            Some(lines) => lines,
            None => return Vec::new(),
        },
        overlay if overlay.asked().is_some() => return Vec::new(),
        Overlay::Who(who) => names(state, who),
        Overlay::Rooms { .. } => rooms(state),
        _ => match view::overlay_texts(state, usize::from(state.size.0)) {
            texts if texts.is_empty() => {
                vec!["! that is about what is seen on a screen, and there is none here".to_owned()]
            }
            texts => texts,
        },
    };
    state.overlay = None;
    lines
}

fn help() -> Vec<String> {
    let mut lines = Vec::new();
    for (title, table) in TABLES {
        lines.push(format!("* {title}"));
        for entry in table.iter().filter(|entry| !command::is_for_screens(entry.name)) {
            let words: Vec<String> =
                std::iter::once(&entry.name).chain(entry.short).map(|word| format!("/{word}")).collect();
            let typed = format!("{} {}", words.join(", "), entry.arguments);
            lines.push(format!("  {}: {}", typed.trim_end(), entry.help));
        }
    }
    lines.push("* Without a screen".to_owned());
    lines.extend(command::HELP.map(|(typed, does)| format!("  {typed}: {does}")));
    lines
}

fn names(state: &State, who: &Who) -> Vec<String> {
    let room = state.place_of(&who.room).and_then(|place| state.rooms.get(place));
    if let Some(room) = room.filter(|room| room.people.here() == 0) {
        return vec![format!("! it is not known yet who is in {}", room.shown)];
    }
    let mut lines = vec![format!("* {}", view::who::title(state, who))];
    let sessions = who.answer.as_ref().map(|answer| answer.sessions.as_slice()).unwrap_or_default();
    for person in view::who::listed(state, who) {
        lines.push(format!("  {}", wording::person(person)));
        let theirs = sessions.iter().filter(|session| session.nick == person.nick);
        lines.extend(theirs.map(|session| format!("    from {}", view::who::told(state, session))));
    }
    let more = view::who::more(state, who);
    lines.extend((more > 0).then(|| format!("  and {more} more")));
    let absent = room.into_iter().flat_map(Room::absent);
    lines.extend(absent.map(|nick: &Nick| format!("  {nick} is not here")));
    lines
}

fn invite(state: &State, room: &RoomName, ticket: Option<&Ticket>) -> Vec<String> {
    let Some(inviting) = &state.inviting else { return Vec::new() };
    let whom = if inviting.is_local() { "from this machine " } else { "" };
    // A line to be copied stands alone and whole.
    vec![format!("* others {whom}join {room} by this line:"), inviting.line(room, ticket)]
}

fn rooms(state: &State) -> Vec<String> {
    let mut lines = vec![format!("* rooms: {}", state.listed.len())];
    for info in &state.listed {
        let here = state.place_of(&info.room).map(|place| match state.rooms.get(place) {
            Some(room) if room.unread > 0 => format!(", you are in, {} new", room.unread),
            _ => ", you are in".to_owned(),
        });
        let topic = if info.topic.is_empty() { String::new() } else { format!(": {}", info.topic) };
        lines.push(format!("  {}, {} here{}{topic}", info.room, info.here, here.unwrap_or_default()));
    }
    lines
}

/// What was found, the newest first; `None` while it is being searched.
fn found(state: &State, kind: Kind) -> Option<Vec<String>> {
    let hunt = state.finding.hunt(kind);
    if hunt.asked.is_some() {
        return None;
    }
    if let Some(fault) = &hunt.fault {
        return Some(vec![format!("! {fault}")]);
    }
    if hunt.due.is_some() {
        let offline = state.connection != Connection::Online;
        return offline.then(|| vec!["! there is no connection: search again when it is back".to_owned()]);
    }
    let Some(_) = &hunt.answered else {
        return Some(vec!["! say what to look for: /search build failed".to_owned()]);
    };
    let mut lines = match hunt.hits.len() {
        0 => vec!["* nothing was found".to_owned()],
        1 => vec!["* 1 message was found".to_owned()],
        many if hunt.more.is_some() => {
            vec![format!("* more than {many} messages were found, the newest first; more words narrow it")]
        }
        many => vec![format!("* {many} messages were found, the newest first")],
    };
    for hit in hunt.hits.iter().take(FOUND) {
        let entry = &hit.entry;
        let place = state.place_of(&entry.room).and_then(|place| state.rooms.get(place));
        let room = place.map_or(entry.room.as_str(), |room| room.shown.as_str());
        let between = if entry.action { " " } else { ": " };
        let text = wording::set_in(entry.text.as_str());
        lines.push(format!(
            "  {} {room} #{} {}{between}{text}",
            when(state, entry.at),
            entry.seq,
            entry.from
        ));
    }
    if hunt.hits.len() > FOUND {
        lines.push(format!("  and {} older", hunt.hits.len() - FOUND));
    }
    if hunt.behind > 0 {
        lines.push(format!("* newer messages that are not searched yet: {}", grouped(hunt.behind)));
    }
    Some(lines)
}

/// A day and a time, with the year where it is another one.
fn when(state: &State, at: Time) -> String {
    let zoned = |time: Time| time.timestamp().to_zoned(state.zone.clone());
    let (at, now) = (zoned(at), zoned(state.server_time()));
    at.strftime(if at.year() == now.year() { "%-d %b %H:%M" } else { "%-d %b %Y %H:%M" }).to_string()
}
