//! Whom a name means, and what becomes of them: by the decisions of those who keep order, on all their devices.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{Hub, Session, SessionId, gone};
use crate::protocol::event::{Failure, Person, Reason};
use crate::protocol::name::Nick;
use crate::protocol::proof::PublicKey;
use crate::protocol::text::Line;
use crate::protocol::words::Role;
use crate::server::block::block_of;
use crate::server::registry::{PersonId, Whom};

/// How many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Census {
    /// Connections that are in.
    pub(crate) sessions: usize,
    /// Who they are: each person counts once, on however many devices, and each guest.
    pub(crate) people: usize,
    /// Rooms.
    pub(crate) rooms: usize,
}

impl Hub {
    /// Counts who and what is here.
    pub(crate) fn census(&self) -> Census {
        let guests = self.sessions.values().filter(|session| session.who.is_none()).count();
        let (sessions, rooms) = (self.sessions.len(), self.rooms.len());
        Census { sessions, people: guests + self.present.len(), rooms }
    }

    /// Makes all sessions of somebody end; `message` is what they are told.
    pub fn end_all(&self, whom: &Whom, reason: Reason, message: Option<&Line>) {
        for session in self.sessions_of(whom) {
            session.mailbox.end(reason, message.cloned());
        }
    }

    /// The key that a session has shown.
    ///
    /// # Errors
    /// For a guest, and when it is over.
    pub fn key(&self, session: SessionId) -> Result<PublicKey, Failure> {
        self.sessions.get(&session).and_then(|session| session.key).ok_or_else(gone)
    }

    /// Makes the other sessions of somebody end.
    pub fn end_others(&self, who: PersonId, but: SessionId, reason: Reason) {
        for other in self.present.get(&who).into_iter().flatten().filter(|other| **other != but) {
            self.end(*other, reason);
        }
    }

    /// Makes the sessions with a key end.
    pub fn end_key(&self, key: &PublicKey, reason: Reason) {
        for session in self.sessions.values().filter(|session| session.key.as_ref() == Some(key)) {
            session.mailbox.end(reason, None);
        }
    }

    /// Makes all sessions from an address, or its block, end, but for those of operators and the host.
    pub fn end_from(&self, address: IpAddr, reason: Reason, message: Option<&Line>) {
        let from = Some(block_of(address));
        let there = self.sessions.values().filter(|session| session.from.address.map(block_of) == from);
        for session in there.filter(|session| session.person.role.is_none()) {
            session.mailbox.end(reason, message.cloned());
        }
    }

    /// Who is here under a nick.
    pub fn whom(&self, nick: &Nick) -> Option<Whom> {
        let holder = nick.keys().iter().find_map(|key| self.nicks.get(key)).copied()?;
        let holder = self.sessions.get(&holder)?;
        Some(holder.who.map_or_else(|| Whom::Guest(holder.person.nick.clone()), Whom::Person))
    }

    pub(super) fn sessions_of(&self, whom: &Whom) -> Vec<&Session> {
        let ids: Vec<SessionId> = match whom {
            Whom::Person(who) => self.present.get(who).into_iter().flatten().copied().collect(),
            Whom::Guest(nick) => {
                nick.keys().iter().find_map(|key| self.nicks.get(key)).copied().into_iter().collect()
            }
        };
        let sessions = ids.into_iter().filter_map(|session| self.sessions.get(&session));
        sessions.filter(|session| matches!(whom, Whom::Person(_)) || session.who.is_none()).collect()
    }

    /// What somebody is called, if they are here.
    pub fn nick_of_whom(&self, whom: &Whom) -> Option<&Nick> {
        self.sessions_of(whom).first().map(|session| &session.person.nick)
    }

    /// From where somebody is here.
    pub fn addresses(&self, whom: &Whom) -> Vec<IpAddr> {
        let addresses = self.sessions_of(whom).into_iter().filter_map(|session| session.from.address);
        addresses.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Why somebody is away, if they are.
    pub fn away_of_whom(&self, whom: &Whom) -> Option<&Line> {
        self.sessions_of(whom).first().and_then(|session| session.person.away.as_ref())
    }

    /// Somebody has another role, in all their sessions and rooms.
    pub fn set_role(&mut self, who: PersonId, role: Role) {
        let sessions: Vec<SessionId> = self.present.get(&who).into_iter().flatten().copied().collect();
        let role = Some(role).filter(|role| *role > Role::Member);
        self.update(sessions, |person| person.role = role);
    }

    /// Whoever has a session is away, or back again, in all their sessions and rooms but for what runs apart from them. The
    /// others are told with who came and went. It ends by being said, and with the last of the sessions.
    ///
    /// # Errors
    /// When the session is over.
    pub fn set_away(&mut self, session: SessionId, away: Option<&Line>) -> Result<(), Failure> {
        let saying = self.sessions.get(&session).ok_or_else(gone)?;
        let mut sessions = self.others_of(saying.who, &saying.person.nick, session);
        sessions.push(session);
        self.update(sessions, |person| person.away = away.cloned());
        Ok(())
    }

    /// What others see of somebody has changed.
    fn update(&mut self, sessions: Vec<SessionId>, change: impl Fn(&mut Person)) {
        for session in sessions {
            let Some(session) = self.sessions.get_mut(&session) else { continue };
            change(&mut session.person);
            let (person, rooms) = (session.person.clone(), session.rooms.clone());
            for name in rooms {
                if let Some(room) = self.rooms.get_mut(&name) {
                    room.update(person.clone());
                }
                self.ring(name);
            }
        }
    }
}
