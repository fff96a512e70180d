//! Who is here, and what they may do: plain synchronous state, behind one short lock.
//!
//! Given a command it answers what to do, or which error. It knows no socket, no clock and no log, and
//! is never held across an await.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;
use uuid::Uuid;

use super::block::block_of;
use super::config::Limits;
use super::ending::Ending;
use super::log::StoredRoom;
use super::registry::{PersonId, Whom};
use super::room::{Channel, Joined, Room};
use crate::protocol::event::{ErrorCode, Failure, Person, Reason, RoomInfo};
use crate::protocol::limits::{LIST_ITEMS, ROOMS_PER_SESSION};
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::proof::PublicKey;
use crate::protocol::text::Line;
use crate::protocol::words::Role;

/// Names a session for as long as the server runs.
pub type SessionId = u64;

/// The hub behind its lock.
#[derive(Debug)]
pub struct SharedHub(Mutex<Hub>);

impl SharedHub {
    /// Puts the lock around it.
    pub fn new(hub: Hub) -> Self {
        Self(Mutex::new(hub))
    }

    /// Takes the lock. Do not hold it across an await.
    pub fn lock(&self) -> MutexGuard<'_, Hub> {
        // Nothing in here panics half-way; if it did, the state of the others is still the best there is.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Session {
    person: Person,
    /// Whose key was shown; nobody's for a guest.
    who: Option<PersonId>,
    /// That key.
    key: Option<PublicKey>,
    /// The secret that takes over this session.
    token: Uuid,
    /// Under its own nick, whatever the person is called elsewhere.
    apart: bool,
    /// From where; `None` for a Unix socket.
    from: Option<IpAddr>,
    rooms: BTreeSet<RoomName>,
    ending: Ending,
}

/// All that is known of people and rooms.
#[derive(Debug)]
pub struct Hub {
    limits: Limits,
    sessions: HashMap<SessionId, Session>,
    last_session: SessionId,
    tokens: HashMap<Uuid, SessionId>,
    /// Who has a nick, by what it looks like: of somebody's sessions, which share it, one.
    nicks: HashMap<String, SessionId>,
    /// The sessions of each person with a key. All of them are that one person to the others.
    present: HashMap<PersonId, BTreeSet<SessionId>>,
    rooms: HashMap<RoomName, Room>,
    /// Which room has a name, by what it looks like.
    looks: HashMap<String, RoomName>,
    /// Rooms with news to tell.
    news: BTreeSet<RoomName>,
    /// Rung when there is the first of them.
    bell: Arc<Notify>,
}

/// Somebody who has shown a key.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Who.
    pub id: PersonId,
    /// Their key on this device.
    pub key: PublicKey,
    /// What they are.
    pub role: Role,
}

/// What a session gets when it comes in.
#[derive(Debug)]
pub struct Entered {
    /// Its number.
    pub session: SessionId,
    /// Who it is.
    pub you: Person,
    /// The secret for `resume`.
    pub token: Uuid,
    /// How others end it.
    pub ending: Ending,
}

impl Hub {
    /// A hub with the rooms that the log knows. `bell` is rung when there is news to tell.
    pub fn new(limits: Limits, stored: Vec<StoredRoom>, bell: Arc<Notify>) -> Self {
        let mut hub = Self {
            limits,
            sessions: HashMap::new(),
            last_session: 0,
            tokens: HashMap::new(),
            nicks: HashMap::new(),
            present: HashMap::new(),
            rooms: HashMap::new(),
            looks: HashMap::new(),
            news: BTreeSet::new(),
            bell,
        };
        for room in stored {
            hub.add_room(Room::new(room.name.clone(), Line::lossy(&room.topic), room.last), &room.name);
        }
        hub
    }

    /// What somebody with a key is called while they are here, on whichever device; not what runs apart from them.
    pub fn nick_of(&self, who: PersonId) -> Option<&Nick> {
        let mut sessions = self.present.get(&who)?.iter().filter_map(|session| self.sessions.get(session));
        sessions.find(|session| !session.apart).map(|session| &session.person.nick)
    }

    /// A person comes in. With the token of a session of theirs that still lingers, takes its place. Whoever is here
    /// already on another device is called here what they are called there.
    ///
    /// # Errors
    /// `nick_taken`.
    pub fn enter(
        &mut self,
        nick: Nick,
        resume: Option<Uuid>,
        who: Option<Known>,
        apart: bool,
        from: Option<IpAddr>,
    ) -> Result<Entered, Failure> {
        let (key, role) = (who.map(|known| known.key), who.map(|known| known.role));
        let who = who.map(|known| known.id);
        if let Some(old) = resume.and_then(|token| self.tokens.get(&token).copied())
            && self.sessions.get(&old).is_some_and(|session| session.who == who)
        {
            self.end(old, Reason::Replaced);
            self.leave(old);
        }
        let nick = match who.filter(|_| !apart).and_then(|who| self.nick_of(who)) {
            Some(nick) => nick.clone(),
            None => {
                self.is_free(&nick, who)?;
                nick
            }
        };
        self.last_session += 1;
        let session = self.last_session;
        let person = Person { nick, guest: who.is_none(), role: role.filter(|role| *role > Role::Member) };
        let token = Uuid::new_v4();
        let ending = Ending::default();
        self.take_nick(&person.nick, session);
        self.tokens.insert(token, session);
        let entered = Entered { session, you: person.clone(), token, ending: ending.clone() };
        self.sessions.insert(
            session,
            Session { person, who, key, token, apart, from, rooms: BTreeSet::new(), ending },
        );
        if let Some(who) = who {
            self.present.entry(who).or_default().insert(session);
        }
        Ok(entered)
    }

    /// A session is over, in all its rooms. Doing it twice is the same as once.
    pub fn leave(&mut self, session: SessionId) {
        let Some(gone) = self.sessions.remove(&session) else { return };
        self.tokens.remove(&gone.token);
        if let Some(who) = gone.who
            && let Some(present) = self.present.get_mut(&who)
        {
            present.remove(&session);
            if present.is_empty() {
                self.present.remove(&who);
            }
        }
        let others = self.others_of(gone.who, &gone.person.nick, session);
        match others.first() {
            None => self.release_nick(&gone.person.nick, session),
            Some(other) => self.take_nick(&gone.person.nick, *other),
        }
        for room in gone.rooms {
            self.leave_room(&room, &gone.person.nick, &others);
        }
    }

    /// The other sessions that are one with this one to the others: of the same person, under the same nick.
    fn others_of(&self, who: Option<PersonId>, nick: &Nick, session: SessionId) -> Vec<SessionId> {
        let all = who.and_then(|who| self.present.get(&who)).into_iter().flatten().copied();
        let is_same = |other: &SessionId| {
            *other != session && self.sessions.get(other).is_some_and(|other| other.person.nick == *nick)
        };
        all.filter(is_same).collect()
    }

    /// Whether any of these sessions is in a room.
    fn is_any_in(&self, sessions: &[SessionId], room: &RoomName) -> bool {
        let mut sessions = sessions.iter().filter_map(|session| self.sessions.get(session));
        sessions.any(|session| session.rooms.contains(room))
    }

    /// A nick, with all that it looks like, is this session's.
    fn take_nick(&mut self, nick: &Nick, session: SessionId) {
        for key in nick.keys() {
            self.nicks.insert(key, session);
        }
    }

    /// Makes a session end.
    pub fn end(&self, session: SessionId, reason: Reason) {
        if let Some(session) = self.sessions.get(&session) {
            session.ending.end(reason, None);
        }
    }

    /// Makes all sessions of somebody end; `message` is what they are told.
    pub fn end_all(&self, whom: &Whom, reason: Reason, message: Option<&Line>) {
        for session in self.sessions_of(whom) {
            session.ending.end(reason, message.cloned());
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
            session.ending.end(reason, None);
        }
    }

    /// Makes all sessions from an address, or its block, end, but for those of operators and the host.
    pub fn end_from(&self, address: IpAddr, reason: Reason, message: Option<&Line>) {
        let from = Some(block_of(address));
        let there = self.sessions.values().filter(|session| session.from.map(block_of) == from);
        for session in there.filter(|session| session.person.role.is_none()) {
            session.ending.end(reason, message.cloned());
        }
    }

    /// Who is here under a nick.
    pub fn whom(&self, nick: &Nick) -> Option<Whom> {
        let holder = nick.keys().iter().find_map(|key| self.nicks.get(key)).copied()?;
        let holder = self.sessions.get(&holder)?;
        Some(holder.who.map_or_else(|| Whom::Guest(holder.person.nick.clone()), Whom::Person))
    }

    fn sessions_of(&self, whom: &Whom) -> Vec<&Session> {
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
        let addresses = self.sessions_of(whom).into_iter().filter_map(|session| session.from);
        addresses.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Whether a session is in a room.
    pub fn is_in(&self, session: SessionId, room: &RoomName) -> bool {
        self.sessions.get(&session).is_some_and(|session| session.rooms.contains(room))
    }

    /// Somebody has another role, in all their sessions and rooms.
    pub fn set_role(&mut self, who: PersonId, role: Role) {
        let sessions: Vec<SessionId> = self.present.get(&who).into_iter().flatten().copied().collect();
        for session in sessions {
            let Some(session) = self.sessions.get_mut(&session) else { continue };
            session.person.role = Some(role).filter(|role| *role > Role::Member);
            let (person, rooms) = (session.person.clone(), session.rooms.clone());
            for name in rooms {
                if let Some(room) = self.rooms.get_mut(&name) {
                    room.update(person.clone());
                }
                self.ring(name);
            }
        }
    }

    /// A session enters a room, which is made if there is none, and listens to it. In it already, it
    /// only listens anew.
    ///
    /// # Errors
    /// `too_many_joined`, `too_many_rooms`, `room_looks_alike`, `room_full`.
    pub fn join(&mut self, session: SessionId, name: &RoomName) -> Result<Joined, Failure> {
        let Some(joining) = self.sessions.get(&session) else { return Err(gone()) };
        let person = joining.person.clone();
        let is_new_here = !joining.rooms.contains(name);
        let is_person_new =
            is_new_here && !self.is_any_in(&self.others_of(joining.who, &person.nick, session), name);
        if is_new_here && joining.rooms.len() >= ROOMS_PER_SESSION {
            let message = format!("one connection can be in {ROOMS_PER_SESSION} rooms: leave one first");
            return Err(Failure::new(ErrorCode::TooManyJoined, &message));
        }
        if !self.rooms.contains_key(name) {
            self.check_new_room(name)?;
            self.add_room(Room::new(name.clone(), Line::default(), 0), name);
        }
        let Some(room) = self.rooms.get_mut(name) else { return Err(gone()) };
        if is_person_new {
            if room.here() >= self.limits.members_per_room {
                let message = format!("{name} is full: {} people are in it", room.here());
                return Err(Failure::new(ErrorCode::RoomFull, &message));
            }
            room.enter(person);
        }
        let joined = room.listen();
        if is_new_here {
            if let Some(joining) = self.sessions.get_mut(&session) {
                joining.rooms.insert(name.clone());
            }
            self.ring(name.clone());
        }
        Ok(joined)
    }

    /// A session leaves a room.
    ///
    /// # Errors
    /// `not_in_room`.
    pub fn part(&mut self, session: SessionId, name: &RoomName) -> Result<(), Failure> {
        let nick = self.member(session, name)?;
        let Some(leaving) = self.sessions.get_mut(&session) else { return Err(gone()) };
        leaving.rooms.remove(name);
        let who = leaving.who;
        self.leave_room(name, &nick, &self.others_of(who, &nick, session));
        Ok(())
    }

    /// Whether nobody else is here under this nick, or one that looks like it.
    ///
    /// # Errors
    /// `nick_taken`.
    pub fn is_free(&self, nick: &Nick, who: Option<PersonId>) -> Result<(), Failure> {
        let own: Vec<SessionId> =
            who.and_then(|who| self.present.get(&who)).into_iter().flatten().copied().collect();
        self.check_nick(nick, &own)
    }

    /// Whether this is the token of a session that is here, or lingers.
    pub fn is_session(&self, token: &Uuid) -> bool {
        self.tokens.contains_key(token)
    }

    /// Who has a session.
    ///
    /// # Errors
    /// When it is over.
    pub fn who(&self, session: SessionId) -> Result<(Option<PersonId>, &Person), Failure> {
        self.sessions.get(&session).map(|session| (session.who, &session.person)).ok_or_else(gone)
    }

    /// Whether a session may add to a room's log, and as whom. From then on the room stays, whoever leaves
    /// it: an entry of it is on its way.
    ///
    /// # Errors
    /// `not_in_room`.
    pub fn speaker(
        &mut self,
        session: SessionId,
        name: &RoomName,
    ) -> Result<(Nick, Option<PersonId>), Failure> {
        let nick = self.member(session, name)?;
        if let Some(room) = self.rooms.get_mut(name) {
            room.note_spoken();
        }
        Ok((nick, self.sessions.get(&session).and_then(|session| session.who)))
    }

    fn member(&self, session: SessionId, name: &RoomName) -> Result<Nick, Failure> {
        let session = self.sessions.get(&session).ok_or_else(gone)?;
        if session.rooms.contains(name) {
            Ok(session.person.nick.clone())
        } else {
            Err(Failure::new(ErrorCode::NotInRoom, &format!("you are not in {name}: join it first")))
        }
    }

    /// Whoever has a session takes another nick, in all their sessions and rooms.
    ///
    /// # Errors
    /// `nick_taken`.
    pub fn rename(&mut self, session: SessionId, nick: Nick) -> Result<Person, Failure> {
        let renaming = self.sessions.get(&session).ok_or_else(gone)?;
        let mut all = self.others_of(renaming.who, &renaming.person.nick, session);
        all.push(session);
        match renaming.who {
            None => self.check_nick(&nick, &[session])?,
            who => self.is_free(&nick, who)?,
        }
        let (old, mut person) = (renaming.person.nick.clone(), renaming.person.clone());
        if old == nick {
            return Ok(person);
        }
        person.nick = nick;
        let mut rooms = BTreeSet::new();
        for session in &all {
            self.release_nick(&old, *session);
            if let Some(renaming) = self.sessions.get_mut(session) {
                renaming.person = person.clone();
                rooms.extend(renaming.rooms.iter().cloned());
            }
        }
        self.take_nick(&person.nick, session);
        for name in rooms {
            if let Some(room) = self.rooms.get_mut(&name) {
                room.rename(&old, person.clone());
            }
            self.ring(name);
        }
        Ok(person)
    }

    /// The rooms there are of those that `listed` wants, the fullest first, at most [`LIST_ITEMS`].
    pub fn list(&self, listed: impl Fn(&RoomName) -> bool) -> Vec<RoomInfo> {
        let rooms = self.rooms.iter().filter(|(name, _)| listed(name));
        let mut rooms: Vec<RoomInfo> = rooms.map(|(_, room)| room.info()).collect();
        rooms.sort_by(|a, b| b.here.cmp(&a.here).then_with(|| a.room.cmp(&b.room)));
        rooms.truncate(LIST_ITEMS);
        rooms
    }

    /// A room that there is.
    ///
    /// # Errors
    /// `no_such_room`.
    pub fn room(&self, name: &RoomName) -> Result<&Room, Failure> {
        let missing = || Failure::new(ErrorCode::NoSuchRoom, &format!("there is no room {name}"));
        self.rooms.get(name).ok_or_else(missing)
    }

    /// The list of people of a room as it was last told, for a connection that missed news.
    pub fn told(&self, name: &RoomName) -> Option<Bytes> {
        self.rooms.get(name).map(Room::told)
    }

    /// The way to everyone in a room, for the publisher.
    pub fn channel(&self, name: &RoomName) -> Option<Arc<Channel>> {
        self.rooms.get(name).map(|room| Arc::clone(room.channel()))
    }

    /// An entry of the log set a topic.
    pub fn set_topic(&mut self, name: &RoomName, topic: Line) {
        if let Some(room) = self.rooms.get_mut(name) {
            room.set_topic(topic);
        }
    }

    /// Tells everyone who came and went since the last time.
    pub fn tell_news(&mut self) {
        for name in std::mem::take(&mut self.news) {
            if let Some(room) = self.rooms.get_mut(&name) {
                room.tell_news();
            }
        }
    }

    /// How many sessions there are.
    #[cfg(test)]
    fn sessions(&self) -> usize {
        self.sessions.len()
    }

    fn check_nick(&self, nick: &Nick, except: &[SessionId]) -> Result<(), Failure> {
        // Each key: one may be this very session's, and the other somebody else's.
        let keys = nick.keys();
        let mut holders = keys.iter().filter_map(|key| self.nicks.get(key)).copied();
        let holder = holders.find(|holder| !except.contains(holder));
        match holder.and_then(|holder| self.sessions.get(&holder)) {
            None => Ok(()),
            Some(holder) if holder.person.nick == *nick => {
                let message = format!("{nick} is taken: choose another nick");
                Err(Failure::new(ErrorCode::NickTaken, &message))
            }
            Some(holder) => {
                let message =
                    format!("{nick} looks like {}, who is here: choose another nick", holder.person.nick);
                Err(Failure::new(ErrorCode::NickTaken, &message))
            }
        }
    }

    fn release_nick(&mut self, nick: &Nick, session: SessionId) {
        for key in nick.keys() {
            if self.nicks.get(&key) == Some(&session) {
                self.nicks.remove(&key);
            }
        }
    }

    fn check_new_room(&self, name: &RoomName) -> Result<(), Failure> {
        if let Some(alike) = name.keys().iter().find_map(|key| self.looks.get(key)) {
            let message =
                format!("{name} looks like {alike}, which is there: join that, or choose another name");
            return Err(Failure::new(ErrorCode::RoomLooksAlike, &message));
        }
        if self.rooms.len() >= self.limits.rooms {
            let message = format!("there are {} rooms and no more can be made", self.rooms.len());
            return Err(Failure::new(ErrorCode::TooManyRooms, &message));
        }
        Ok(())
    }

    fn add_room(&mut self, room: Room, name: &RoomName) {
        for key in name.keys() {
            self.looks.insert(key, name.clone());
        }
        self.rooms.insert(name.clone(), room);
    }

    /// Somebody leaves a room, unless they are in it with one of their `others`.
    fn leave_room(&mut self, name: &RoomName, nick: &Nick, others: &[SessionId]) {
        if self.is_any_in(others, name) {
            return;
        }
        let Some(room) = self.rooms.get_mut(name) else { return };
        room.leave(nick);
        if room.is_empty() && !room.was_spoken_in() {
            // Nothing was ever said there: as if it had never been.
            self.rooms.remove(name);
            self.looks.retain(|_, looks| looks != name);
        } else {
            self.ring(name.clone());
        }
    }

    fn ring(&mut self, name: RoomName) {
        if self.news.is_empty() {
            self.bell.notify_one();
        }
        self.news.insert(name);
    }
}

/// The session is over, and something of it was still on its way.
fn gone() -> Failure {
    Failure::new(ErrorCode::OutOfPlace, "this session is over")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub() -> Hub {
        let limits = Limits { rooms: 3, members_per_room: 2, ..Limits::default() };
        Hub::new(limits, Vec::new(), Arc::new(Notify::new()))
    }

    fn nick(name: &str) -> Nick {
        Nick::new(name).unwrap()
    }

    fn room(name: &str) -> RoomName {
        RoomName::new(name).unwrap()
    }

    fn code<T: std::fmt::Debug>(result: Result<T, Failure>) -> ErrorCode {
        result.unwrap_err().code
    }

    #[test]
    fn one_nick_for_one_person_and_none_that_looks_like_it() {
        let mut hub = hub();
        let alice = hub.enter(nick("alice"), None, None, false, None).unwrap();
        for alike in ["alice", "ALICE", "аlice"] {
            assert_eq!(
                code(hub.enter(nick(alike), None, None, false, None)),
                ErrorCode::NickTaken,
                "{alike}"
            );
        }
        hub.leave(alice.session);
        assert!(hub.enter(nick("ALICE"), None, None, false, None).is_ok());
    }

    #[test]
    fn who_comes_back_takes_their_own_place() {
        let mut hub = hub();
        let before = hub.enter(nick("alice"), None, None, false, None).unwrap();
        hub.join(before.session, &room("#a")).unwrap();
        let after = hub.enter(nick("alice"), Some(before.token), None, false, None).unwrap();
        assert_ne!(before.session, after.session);
        assert_eq!(hub.sessions(), 1);
        hub.leave(before.session);
        assert_eq!(hub.sessions(), 1, "the old session's own end changes nothing");
        assert_eq!(
            code(hub.enter(nick("alice"), Some(before.token), None, false, None)),
            ErrorCode::NickTaken
        );
    }

    #[test]
    fn a_new_nick_frees_the_old_one_and_may_differ_only_in_case() {
        let mut hub = hub();
        let alice = hub.enter(nick("alice"), None, None, false, None).unwrap().session;
        let bob = hub.enter(nick("bob"), None, None, false, None).unwrap().session;
        assert_eq!(code(hub.rename(bob, nick("Alice"))), ErrorCode::NickTaken);
        assert!(hub.rename(alice, nick("Alice")).is_ok());
        assert!(hub.rename(alice, nick("carol")).is_ok());
        assert!(hub.rename(bob, nick("alice")).is_ok());
    }

    #[test]
    fn a_nick_half_ones_own_and_half_anothers_is_the_others() {
        // Capital i looks like l: "ALICE" shares one key with "allce" and the other with "alice".
        let mut hub = hub();
        let alice = hub.enter(nick("alice"), None, None, false, None).unwrap().session;
        let mallory = hub.enter(nick("allce"), None, None, false, None).unwrap().session;
        assert_eq!(code(hub.rename(mallory, nick("ALICE"))), ErrorCode::NickTaken);
        hub.leave(mallory);
        assert_eq!(code(hub.enter(nick("alice"), None, None, false, None)), ErrorCode::NickTaken);
        hub.leave(alice);
        assert!(hub.enter(nick("alice"), None, None, false, None).is_ok());
    }

    #[test]
    fn a_room_that_was_spoken_in_stays_while_the_word_is_on_its_way() {
        let mut hub = hub();
        let alice = hub.enter(nick("alice"), None, None, false, None).unwrap().session;
        for name in ["#a", "#b", "#c"] {
            hub.join(alice, &room(name)).unwrap();
            hub.speaker(alice, &room(name)).unwrap();
            hub.part(alice, &room(name)).unwrap();
            assert!(hub.channel(&room(name)).is_some());
        }
        assert_eq!(code(hub.join(alice, &room("#d"))), ErrorCode::TooManyRooms);
    }

    #[test]
    fn only_members_may_speak() {
        let mut hub = hub();
        let alice = hub.enter(nick("alice"), None, None, false, None).unwrap().session;
        assert_eq!(code(hub.speaker(alice, &room("#a"))), ErrorCode::NotInRoom);
        hub.join(alice, &room("#a")).unwrap();
        assert_eq!(hub.speaker(alice, &room("#a")).unwrap(), (nick("alice"), None));
        hub.part(alice, &room("#a")).unwrap();
        assert_eq!(code(hub.part(alice, &room("#a"))), ErrorCode::NotInRoom);
    }

    #[test]
    fn limits_have_names() {
        let mut hub = hub();
        let people: Vec<_> = ["a1", "b2", "c3"]
            .map(|name| hub.enter(nick(name), None, None, false, None).unwrap().session)
            .into();
        hub.join(people[0], &room("#a")).unwrap();
        hub.join(people[1], &room("#a")).unwrap();
        assert_eq!(code(hub.join(people[2], &room("#a"))), ErrorCode::RoomFull);
        assert!(hub.join(people[0], &room("#a")).is_ok(), "in it already");
        hub.join(people[0], &room("#b")).unwrap();
        hub.join(people[0], &room("#c")).unwrap();
        assert_eq!(code(hub.join(people[0], &room("#d"))), ErrorCode::TooManyRooms);
        hub.part(people[0], &room("#c")).unwrap();
        assert!(hub.join(people[0], &room("#d")).is_ok(), "an empty room without a word does not count");
    }

    #[test]
    fn rooms_that_look_alike_do_not_stand_side_by_side() {
        let mut hub = hub();
        let alice = hub.enter(nick("alice"), None, None, false, None).unwrap().session;
        hub.join(alice, &room("#lobby")).unwrap();
        assert_eq!(code(hub.join(alice, &room("#lоbby"))), ErrorCode::RoomLooksAlike);
    }

    #[test]
    fn rooms_of_the_log_are_there_from_the_start() {
        let stored = StoredRoom { name: room("#old"), topic: "t".to_owned(), last: 9 };
        let hub = Hub::new(Limits::default(), vec![stored], Arc::new(Notify::new()));
        let list = hub.list(|_| true);
        assert_eq!((list[0].last, list[0].here, list[0].topic.as_str()), (9, 0, "t"));
    }
}
