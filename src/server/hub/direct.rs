//! Rooms that are only for some: whose they are, and who of them is called when something is said there. And what else is
//! told to the sessions of one person, or of one room, beside the log.
//!
//! Who may come in is in the name itself; the registry says so. Here it is only found from the other end.

use std::collections::{BTreeSet, HashMap};

use super::{Hub, SessionId, gone};
use crate::protocol::event::{Failure, RoomInfo};
use crate::protocol::name::RoomName;
use crate::protocol::time::Time;
use crate::server::registry::PersonId;

/// The rooms for some alone that there are.
#[derive(Debug, Default)]
pub(super) struct Direct {
    /// With when something was said there last, as far as somebody has asked.
    rooms: HashMap<RoomName, Option<Time>>,
    /// Those of each person, by their number.
    of: HashMap<u64, BTreeSet<RoomName>>,
}

impl Direct {
    pub(super) fn len(&self) -> usize {
        self.rooms.len()
    }

    /// How many somebody is a member of.
    pub(super) fn count(&self, who: PersonId) -> usize {
        self.of.get(&who.number()).map_or(0, BTreeSet::len)
    }

    pub(super) fn add(&mut self, room: &RoomName) {
        self.rooms.insert(room.clone(), None);
        for member in room.members().into_iter().flatten() {
            self.of.entry(member).or_default().insert(room.clone());
        }
    }

    pub(super) fn remove(&mut self, room: &RoomName) {
        self.rooms.remove(room);
        for member in room.members().into_iter().flatten() {
            if let Some(rooms) = self.of.get_mut(&member) {
                rooms.remove(room);
                if rooms.is_empty() {
                    self.of.remove(&member);
                }
            }
        }
    }
}

/// How a sentence calls a room: the name of one for some alone says nothing to people.
pub(super) fn shown(room: &RoomName) -> &str {
    if room.is_direct() { "that room" } else { room.as_str() }
}

impl Hub {
    /// The rooms for somebody and some others alone in which something was said, with when that was last where it is known.
    /// Who else they are for is in their names.
    pub fn direct_rooms(&self, who: PersonId) -> Vec<(RoomInfo, Option<Time>)> {
        let rooms = self.direct.of.get(&who.number()).into_iter().flatten();
        let infos = rooms.filter_map(|name| {
            let info = self.rooms.get(name)?.info();
            Some((info, self.direct.rooms.get(name).copied().flatten()))
        });
        infos.filter(|(info, _)| info.last > 0).collect()
    }

    /// Something was said in a room for some alone at that time.
    pub fn note_said(&mut self, room: &RoomName, at: Time) {
        if let Some(said) = self.direct.rooms.get_mut(room) {
            *said = (*said).max(Some(at));
        }
    }

    /// The same, just now: calls those for whom it is and who are not in it, on all their devices.
    pub fn call(&mut self, room: &RoomName, now: Time) {
        self.note_said(room, now);
        let members = room.members().into_iter().flatten().filter_map(PersonId::of_number);
        let sessions = members.filter_map(|member| self.present.get(&member)).flatten();
        let absent = sessions.filter_map(|session| self.sessions.get(session));
        for session in absent.filter(|session| !session.rooms.contains(room)) {
            session.mailbox.note(|notes| notes.call(room));
        }
    }

    /// Whether a session is in a room.
    ///
    /// # Errors
    /// `not_in_room`.
    pub fn check_in(&self, session: SessionId, name: &RoomName) -> Result<(), Failure> {
        self.member(session, name).map(drop)
    }

    /// Whoever has a session has read a room up to `seq`: tells their other sessions.
    pub fn tell_read(&self, session: SessionId, room: &RoomName, seq: u64) {
        let who = self.sessions.get(&session).and_then(|session| session.who);
        let all = who.and_then(|who| self.present.get(&who)).into_iter().flatten();
        for other in all.filter(|other| **other != session).filter_map(|other| self.sessions.get(other)) {
            other.mailbox.note(|notes| notes.read(room, seq));
        }
    }

    /// Whoever has a session is writing something in a room: tells the others there, if they are few.
    ///
    /// # Errors
    /// `not_in_room`.
    pub fn tell_typing(&self, session: SessionId, name: &RoomName) -> Result<(), Failure> {
        let nick = self.member(session, name)?;
        let author = self.sessions.get(&session).ok_or_else(gone)?.author;
        if let Some(room) = self.rooms.get(name) {
            room.tell_typing(author, nick);
        }
        Ok(())
    }
}
