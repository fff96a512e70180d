//! Who is here, and what they may do: plain synchronous state, behind one short lock.
//!
//! Given a command it answers what to do, or which error. It knows no socket, no clock and no log, and
//! is never held across an await.

mod direct;
mod origin;
mod people;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;
use uuid::Uuid;

use super::config::Limits;
use super::log::StoredRoom;
use super::mailbox::Mailbox;
use super::registry::PersonId;
use super::room::{Channel, Joined, Room};
use crate::protocol::event::{ErrorCode, Failure, Person, Reason, RoomInfo};
use crate::protocol::limits::{DIRECT_ROOMS, DIRECT_ROOMS_PER_PERSON, LIST_ITEMS, ROOMS_PER_SESSION};
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::proof::PublicKey;
use crate::protocol::text::Line;
use crate::protocol::words::Role;
use direct::Direct;
pub use origin::Origin;

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

/// Guests get numbers from here up to twice as much; people have lower ones.
pub(super) const GUESTS: u64 = 1 << 52;

#[derive(Debug)]
struct Session {
    person: Person,
    /// Whose key was shown; nobody's for a guest.
    who: Option<PersonId>,
    /// That key.
    key: Option<PublicKey>,
    /// What its entries carry as `author`.
    author: u64,
    /// The secret that takes over this session.
    token: Uuid,
    /// Under its own nick, whatever the person is called elsewhere.
    apart: bool,
    from: Origin,
    rooms: BTreeSet<RoomName>,
    mailbox: Mailbox,
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
    /// Which of the rooms are only for some.
    direct: Direct,
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

/// Somebody who may add to a room's log.
#[derive(Clone, Debug)]
pub struct Speaker {
    /// What they are called.
    pub nick: Nick,
    /// Who they are, unless they are a guest.
    pub who: Option<PersonId>,
    /// What their entries carry as `author`.
    pub author: u64,
}

/// What a session gets when it comes in.
#[derive(Debug)]
pub struct Entered {
    /// Its number.
    pub session: SessionId,
    /// Who it is.
    pub you: Person,
    /// What its entries carry as `author`.
    pub author: u64,
    /// The secret for `resume`.
    pub token: Uuid,
    /// What others give to it.
    pub mailbox: Mailbox,
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
            direct: Direct::default(),
            news: BTreeSet::new(),
            bell,
        };
        for room in stored {
            hub.add_room(Room::new(room.name.clone(), Line::lossy(&room.topic), room.last), &room.name);
            hub.set_first(&room.name, room.first);
        }
        hub
    }

    /// Other limits, from now on. Rooms with more people than may be in them lose nobody.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// What somebody with a key is called while they are here, on whichever device; not what runs apart from them.
    pub fn nick_of(&self, who: PersonId) -> Option<&Nick> {
        self.elsewhere(who).map(|person| &person.nick)
    }

    /// The same with all that others see of them.
    fn elsewhere(&self, who: PersonId) -> Option<&Person> {
        let mut sessions = self.present.get(&who)?.iter().filter_map(|session| self.sessions.get(session));
        sessions.find(|session| !session.apart).map(|session| &session.person)
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
        from: Origin,
    ) -> Result<Entered, Failure> {
        let (key, role) = (who.map(|known| known.key), who.map(|known| known.role));
        let who = who.map(|known| known.id);
        // Beyond the numbers of people, and what a number of JavaScript can hold.
        let mut author = who.map_or_else(|| GUESTS + fastrand::u64(..GUESTS), PersonId::number);
        let mut away = None;
        if let Some(old) = resume.and_then(|token| self.tokens.get(&token).copied())
            && self.sessions.get(&old).is_some_and(|session| session.who == who)
        {
            if let Some(old) = self.sessions.get(&old) {
                (author, away) = (old.author, old.person.away.clone());
            }
            self.end(old, Reason::Replaced);
            self.leave(old);
        }
        let nick = match who.filter(|_| !apart).and_then(|who| self.elsewhere(who)) {
            Some(there) => {
                away = there.away.clone();
                there.nick.clone()
            }
            None => {
                self.is_free(&nick, who)?;
                nick
            }
        };
        self.last_session += 1;
        let session = self.last_session;
        let person =
            Person { nick, guest: who.is_none(), role: role.filter(|role| *role > Role::Member), away };
        let token = Uuid::new_v4();
        let mailbox = Mailbox::default();
        self.take_nick(&person.nick, session);
        self.tokens.insert(token, session);
        let entered = Entered { session, you: person.clone(), author, token, mailbox: mailbox.clone() };
        self.sessions.insert(
            session,
            Session { person, who, key, author, token, apart, from, rooms: BTreeSet::new(), mailbox },
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
            session.mailbox.end(reason, None);
        }
    }

    /// Makes all of them end, because the server does; in the order in which they came.
    pub fn close(&self, reason: Reason) {
        let mut sessions: Vec<_> = self.sessions.iter().collect();
        sessions.sort_unstable_by_key(|(number, _)| **number);
        sessions.iter().for_each(|(_, session)| session.mailbox.end(reason, None));
    }

    /// Whether a session is in a room.
    pub fn is_in(&self, session: SessionId, room: &RoomName) -> bool {
        self.sessions.get(&session).is_some_and(|session| session.rooms.contains(room))
    }

    /// Who looks for something, by the number in their entries, and the rooms that this session is in.
    ///
    /// # Errors
    /// When it is over.
    pub fn seeker(&self, session: SessionId) -> Result<(&Nick, u64, Vec<RoomName>), Failure> {
        let seeking = self.sessions.get(&session).ok_or_else(gone)?;
        Ok((&seeking.person.nick, seeking.author, seeking.rooms.iter().cloned().collect()))
    }

    /// A session enters a room, which is made if there is none, and listens to it. In it already, it
    /// only listens anew.
    ///
    /// # Errors
    /// `too_many_joined`, `too_many_rooms`, `too_many` rooms for oneself and some others alone, `room_looks_alike`,
    /// `room_full`.
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
        let made = !self.rooms.contains_key(name);
        if made {
            self.check_new_room(name, joining.who)?;
            self.add_room(Room::new(name.clone(), Line::default(), 0), name);
        }
        let Some(room) = self.rooms.get_mut(name) else { return Err(gone()) };
        if is_person_new {
            if room.here() >= self.limits.members_per_room {
                let message = format!("{} is full: {} people are in it", direct::shown(name), room.here());
                return Err(Failure::new(ErrorCode::RoomFull, &message));
            }
            room.enter(person);
        }
        let joined = Joined { made, ..room.listen() };
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

    /// What the entries of a session carry as `author`.
    ///
    /// # Errors
    /// When it is over.
    pub fn author(&self, session: SessionId) -> Result<u64, Failure> {
        self.sessions.get(&session).map(|session| session.author).ok_or_else(gone)
    }

    /// Whether a session may add to a room's log, and as whom. From then on the room stays, whoever leaves
    /// it: an entry of it is on its way.
    ///
    /// # Errors
    /// `not_in_room`.
    pub fn speaker(&mut self, session: SessionId, name: &RoomName) -> Result<Speaker, Failure> {
        let nick = self.member(session, name)?;
        if let Some(room) = self.rooms.get_mut(name) {
            room.note_spoken();
        }
        let speaking = self.sessions.get(&session).ok_or_else(gone)?;
        Ok(Speaker { nick, who: speaking.who, author: speaking.author })
    }

    /// What somebody is called who is in a room.
    ///
    /// # Errors
    /// `not_in_room`.
    pub fn member(&self, session: SessionId, name: &RoomName) -> Result<Nick, Failure> {
        let session = self.sessions.get(&session).ok_or_else(gone)?;
        if session.rooms.contains(name) {
            Ok(session.person.nick.clone())
        } else {
            let message = format!("you are not in {}: join it first", direct::shown(name));
            Err(Failure::new(ErrorCode::NotInRoom, &message))
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

    /// The rooms there are of those that `listed` wants, the fullest first, at most [`LIST_ITEMS`]. Rooms for some alone
    /// are in no list but that of [`Hub::direct_rooms`].
    pub fn list(&self, listed: impl Fn(&RoomName) -> bool) -> Vec<RoomInfo> {
        let rooms = self.rooms.iter().filter(|(name, _)| !name.is_direct() && listed(name));
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
        let missing = || {
            let message = if name.is_direct() {
                "nobody was in that room yet: join it first".to_owned()
            } else {
                format!("there is no room {name}")
            };
            Failure::new(ErrorCode::NoSuchRoom, &message)
        };
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

    /// The last `seq` of a room that everyone may know of, if there is such a room.
    pub fn published(&self, name: &RoomName) -> Option<u64> {
        self.rooms.get(name).map(|room| room.channel().published())
    }

    /// An entry of the log set a topic.
    pub fn set_topic(&mut self, name: &RoomName, topic: Line) {
        if let Some(room) = self.rooms.get_mut(name) {
            room.set_topic(topic);
        }
    }

    /// The beginning of a room's log has expired: what comes before `first`.
    pub fn set_first(&mut self, name: &RoomName, first: u64) {
        if let Some(room) = self.rooms.get_mut(name) {
            room.set_first(first);
        }
    }

    /// The rooms in which anything was said, each with the last `seq` that was sent to those in it.
    pub fn spoken_in(&self) -> Vec<(RoomName, u64)> {
        let rooms = self.rooms.iter().map(|(name, room)| (name.clone(), room.channel().published()));
        rooms.filter(|(_, published)| *published > 0).collect()
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

    fn check_new_room(&self, name: &RoomName, maker: Option<PersonId>) -> Result<(), Failure> {
        if name.is_direct() {
            if self.direct.len() >= DIRECT_ROOMS {
                let message =
                    format!("there are {DIRECT_ROOMS} rooms for some alone and no more can be made");
                return Err(Failure::new(ErrorCode::TooManyRooms, &message));
            }
            if maker.is_some_and(|maker| self.direct.count(maker) >= DIRECT_ROOMS_PER_PERSON) {
                let message = format!(
                    "there are {DIRECT_ROOMS_PER_PERSON} rooms for you and some others alone: use one of those, or wait \
                     for the others to begin"
                );
                return Err(Failure::new(ErrorCode::TooMany, &message));
            }
            return Ok(());
        }
        if let Some(alike) = name.keys().iter().find_map(|key| self.looks.get(key)) {
            let message =
                format!("{name} looks like {alike}, which is there: join that, or choose another name");
            return Err(Failure::new(ErrorCode::RoomLooksAlike, &message));
        }
        let rooms = self.rooms.len() - self.direct.len();
        if rooms >= self.limits.rooms {
            let message = format!("there are {rooms} rooms and no more can be made");
            return Err(Failure::new(ErrorCode::TooManyRooms, &message));
        }
        Ok(())
    }

    fn add_room(&mut self, room: Room, name: &RoomName) {
        if name.is_direct() {
            // Nobody types its name: it looks like nothing.
            self.direct.add(name);
        } else {
            for key in name.keys() {
                self.looks.insert(key, name.clone());
            }
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
            if name.is_direct() {
                self.direct.remove(name);
            } else {
                self.looks.retain(|_, looks| looks != name);
            }
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
mod tests;
