//! What is between people beside what they say: rooms for some alone, how far one has read, that one is typing.

use std::collections::BTreeSet;
use std::time::Instant;

use tracing::warn;

use super::order::person;
use crate::protocol::command::{Direct, ReadTo, SetAway};
use crate::protocol::event::{ErrorCode, Event, Failure, Okay, RoomInfo};
use crate::protocol::limits::{COUNTED_ENTRIES, DIRECT_PEOPLE, TYPING_EVERY};
use crate::protocol::name::RoomName;
use crate::protocol::text::Line;
use crate::protocol::time::Time;
use crate::server::Context;
use crate::server::direct;
use crate::server::hub::SessionId;
use crate::server::log::{Unread, Whose};
use crate::server::registry::{PersonId, Whom};
use crate::server::room::Room;

/// The room for these people and oneself. It is there once somebody joins it.
///
/// # Errors
/// `not_allowed` for guests, and with guests; `no_such_person`.
pub(super) fn open(context: &Context, session: SessionId, asked: Direct) -> Result<Event, Failure> {
    let Some(me) = context.hub.lock().who(session)?.0 else {
        let message = "you are a guest here: only those speak alone whom the parlor knows by a key";
        return Err(Failure::new(ErrorCode::NotAllowed, message));
    };
    let mut people = BTreeSet::from([me.number()]);
    for nick in &asked.with {
        people.insert(person(context, nick)?.number());
    }
    let Some(room) = RoomName::direct(&people) else {
        let message = format!("more than {DIRECT_PEOPLE} people need a room with a name");
        return Err(Failure::new(ErrorCode::TooMany, &message));
    };
    let there = context.hub.lock().room(&room).ok().map(Room::info);
    let info = there.unwrap_or_else(|| RoomInfo {
        room,
        topic: Line::default(),
        here: 0,
        last: 0,
        first: None,
        members: Vec::new(),
    });
    Ok(Event::Ok(Okay { re: asked.id, room: Some(direct::told(context, info)), ..Okay::default() }))
}

/// One has read a room up to an entry that there is; all one's devices are told. Of guests nothing is kept.
///
/// # Errors
/// `not_in_room`; `too_many`.
pub(super) fn read(context: &Context, session: SessionId, read: ReadTo) -> Result<Event, Failure> {
    let (who, seq) = {
        let hub = context.hub.lock();
        hub.check_in(session, &read.room)?;
        (hub.who(session)?.0, read.seq.min(hub.published(&read.room).unwrap_or(0)))
    };
    if let Some(who) = who.filter(|_| seq > 0)
        && context.positions.read(who, &read.room, seq, Time::now())?
    {
        context.hub.lock().tell_read(session, &read.room, seq);
    }
    Ok(Event::Ok(Okay { re: read.id, ..Okay::default() }))
}

/// The answer to a join with how far one has read the room, if one ever has, and what of it one has not. Whoever never
/// has costs no look into the log, nor who `was_in` it before; and the numbers are left out when too many ask for them.
pub(super) async fn with_unread(
    context: &Context,
    session: SessionId,
    who: Option<PersonId>,
    was_in: bool,
    ok: Okay,
) -> Okay {
    let Some((who, room)) = who.zip(ok.room.as_ref()) else { return ok };
    let Some(read) = context.positions.of(who, &room.room) else { return ok };
    let Ok(nick) = context.hub.lock().who(session).map(|(_, person)| person.nick.clone()) else { return ok };
    // What has expired is not unread, and not there to be counted.
    let gone = room.first.map_or(0, |first| first.saturating_sub(1));
    let after = read.max(gone).max(room.last.saturating_sub(COUNTED_ENTRIES));
    let unread = if after >= room.last {
        Ok(Some(Unread::default()))
    } else if was_in {
        Ok(None)
    } else {
        context.reader.unread(&room.room, after, room.last, Whose { author: who.number(), nick }).await
    };
    let unread =
        unread.inspect_err(|error| warn!(%error, "what is not read cannot be counted")).ok().flatten();
    Okay {
        read: Some(read),
        unread: unread.map(|unread| unread.messages),
        mentions: unread.map(|unread| unread.mentions),
        ..ok
    }
}

/// One is away, or back again. The text is told in all rooms, so it is for those who may speak in all.
///
/// # Errors
/// `muted`.
pub(super) fn away(context: &Context, session: SessionId, set: SetAway) -> Result<Event, Failure> {
    if set.text.as_ref().is_some_and(|text| !text.as_str().is_empty()) {
        let (who, nick) = context.hub.lock().who(session).map(|(who, person)| (who, person.nick.clone()))?;
        let whom = who.map_or(Whom::Guest(nick), Whom::Person);
        context.registry.muted_anywhere(&whom).map_or(Ok(()), Err)?;
    }
    context.hub.lock().set_away(session, set.text.as_ref())?;
    Ok(Event::Ok(Okay { re: set.id, ..Okay::default() }))
}

/// One is typing in a room; whoever may not speak there does not type.
///
/// # Errors
/// `not_in_room`.
pub(super) fn tell_typing(context: &Context, session: SessionId, room: &RoomName) -> Result<(), Failure> {
    let (who, nick) = context.hub.lock().who(session).map(|(who, person)| (who, person.nick.clone()))?;
    if context.registry.muted(|| who.map_or(Whom::Guest(nick), Whom::Person), room).is_some() {
        return Ok(());
    }
    context.hub.lock().tell_typing(session, room)
}

/// In which rooms one was typing a moment ago; what is said again within [`TYPING_EVERY`] is not told.
#[derive(Debug, Default)]
pub(super) struct Typed(Vec<(RoomName, Instant)>);

impl Typed {
    /// Whether it is time to tell it of this room again.
    pub(super) fn is_due(&mut self, room: &RoomName, now: Instant) -> bool {
        self.0.retain(|(_, at)| now.saturating_duration_since(*at) < TYPING_EVERY);
        if self.0.iter().any(|(typed, _)| typed == room) {
            return false;
        }
        self.0.push((room.clone(), now));
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn typing_is_told_now_and_then() {
        let (mut typed, start) = (Typed::default(), Instant::now());
        let [a, b] = ["#a", "#b"].map(|name| RoomName::new(name).unwrap());
        assert!(typed.is_due(&a, start) && typed.is_due(&b, start));
        let later = start + TYPING_EVERY;
        assert!(!typed.is_due(&a, later - Duration::from_millis(1)));
        assert!(typed.is_due(&a, later));
        assert!(typed.is_due(&b, later) && !typed.is_due(&a, later));
        typed.is_due(&a, later + TYPING_EVERY);
        assert_eq!(typed.0.len(), 1, "what was long ago is forgotten");
    }
}
