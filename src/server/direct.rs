//! Rooms that are only for some, as these are told of them: with what the others are called now, wherever they are.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use tracing::warn;

use super::Context;
use super::hub::SessionId;
use super::registry::{PersonId, Whom};
use crate::protocol::command::Place;
use crate::protocol::event::{Called, ErrorCode, Event, Failure, RoomInfo};
use crate::protocol::limits::{LIST_ITEMS, PAGE_BYTES};
use crate::protocol::name::{Nick, RoomName};

/// The room with whom it is for, if it is only for some.
pub(super) fn told(context: &Context, info: RoomInfo) -> RoomInfo {
    match info.room.members() {
        Some(people) => RoomInfo { members: nicks(context, &people), ..info },
        None => info,
    }
}

/// What people are called: here, or else last.
fn nicks(context: &Context, people: &BTreeSet<u64>) -> Vec<Nick> {
    let registry = context.registry.lock();
    let hub = context.hub.lock();
    let nick = |number: &u64| {
        let person = PersonId::of_number(*number)?;
        let nick = hub.nick_of(person).or_else(|| registry.latest_name(person)).cloned();
        // All their names were given up long ago.
        nick.or_else(|| Nick::new(&format!("person-{number}")).ok())
    };
    people.iter().filter_map(nick).collect()
}

/// The rooms in which whoever has a session speaks with some alone, the one that was spoken in last first: as many as a
/// list has, and fewer where their names and topics would outgrow a frame. Guests have none.
pub(super) async fn list(context: &Context, session: SessionId) -> Vec<RoomInfo> {
    let rooms = {
        let hub = context.hub.lock();
        hub.who(session).ok().and_then(|(who, _)| who).map_or_else(Vec::new, |who| hub.direct_rooms(who))
    };
    let mut dated = Vec::with_capacity(rooms.len());
    for (info, at) in rooms {
        let at = match at {
            // The log knows it, and is asked once.
            None => {
                let last = context.reader.page(&info.room, Place::Before(u64::MAX), 1, None).await;
                let last = last.inspect_err(|error| warn!(%error, "a room cannot be read"));
                let at = last.ok().and_then(|page| page.last().map(|entry| entry.at));
                at.inspect(|at| context.hub.lock().note_said(&info.room, *at))
            }
            known => known,
        };
        dated.push((at, info));
    }
    dated.sort_by_key(|(at, _)| Reverse(*at));
    as_many_as_fit(dated.into_iter().take(LIST_ITEMS).map(|(_, info)| told(context, info)))
}

/// Others choose names, topics and members: whoever is in many rooms must not get a frame that no client takes.
fn as_many_as_fit(rooms: impl Iterator<Item = RoomInfo>) -> Vec<RoomInfo> {
    let mut left = PAGE_BYTES;
    let fits = |info: &RoomInfo| {
        // JSON doubles a topic at worst, and writes a hundred bytes around it.
        let members: usize = info.members.iter().map(|nick| nick.as_str().len() + 3).sum();
        let bytes = info.room.as_str().len() + 2 * info.topic.as_str().len() + members + 100;
        left.checked_sub(bytes).map(|rest| left = rest).is_some()
    };
    rooms.take_while(fits).collect()
}

/// What a session is told when something is said in a room that is for it too; nothing if it is there by now, or if its
/// owner ignores the only other one.
pub(super) fn call(context: &Context, session: SessionId, room: &RoomName) -> Option<Event> {
    let (who, info) = {
        let hub = context.hub.lock();
        let (who, _) = hub.who(session).ok()?;
        (who?, hub.room(room).ok().filter(|_| !hub.is_in(session, room))?.info())
    };
    let mut others = room.members()?.into_iter().filter(|member| *member != who.number());
    if let (Some(other), None) = (others.next().and_then(PersonId::of_number), others.next())
        && context.registry.lock().ignored(who).contains(&Whom::Person(other))
    {
        return None;
    }
    Some(Event::Direct(Called { info: told(context, info) }))
}

/// Whether a room for some alone may be made, if there is none: all whom it is for are known.
///
/// # Errors
/// `no_such_person`.
pub(super) fn check(context: &Context, room: &RoomName) -> Result<(), Failure> {
    let Some(people) = room.members() else { return Ok(()) };
    if context.hub.lock().published(room).is_some() {
        return Ok(());
    }
    let message = "somebody whom that room would be for is not known here: ask for it by their nicks";
    all_known(context, &people, message)
}

/// Whether what is said in a room would be read by all whom it is for, if it is only for some. Whoever linked their only
/// device to another person has another number now, and so has whoever was forgotten and came back.
///
/// # Errors
/// `no_such_person`.
pub(super) fn check_readers(context: &Context, room: &RoomName) -> Result<(), Failure> {
    let Some(people) = room.members() else { return Ok(()) };
    let message = "somebody whom this room is for is not known here any more and would never read it: they may be \
                   somebody else by now. Speak to them anew, by their present nick (/msg)";
    all_known(context, &people, message)
}

fn all_known(context: &Context, people: &BTreeSet<u64>, message: &str) -> Result<(), Failure> {
    let registry = context.registry.lock();
    let is_known =
        |number: &u64| PersonId::of_number(*number).is_some_and(|person| registry.role(person).is_some());
    if people.iter().all(is_known) { Ok(()) } else { Err(Failure::new(ErrorCode::NoSuchPerson, message)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::limits::{DIRECT_PEOPLE, TOPIC_BYTES};
    use crate::protocol::text::Line;

    #[test]
    fn a_list_fits_into_a_frame_whatever_others_make_of_it() {
        let people: BTreeSet<u64> = (0..DIRECT_PEOPLE as u64).map(|n| u64::MAX / 4 + n).collect();
        let info = RoomInfo {
            room: RoomName::direct(&people).unwrap(),
            topic: Line::lossy(&"\"".repeat(TOPIC_BYTES)),
            here: usize::MAX,
            last: u64::MAX,
            first: Some(u64::MAX),
            members: vec![Nick::new(&"李".repeat(10)).unwrap(); DIRECT_PEOPLE],
        };
        let rooms = as_many_as_fit(std::iter::repeat_n(info, LIST_ITEMS));
        let bytes = serde_json::to_vec(&rooms).unwrap().len();
        let usual = PAGE_BYTES / 2..PAGE_BYTES + PAGE_BYTES / 8;
        assert!(usual.contains(&bytes), "{bytes} for {}", rooms.len());
    }
}
