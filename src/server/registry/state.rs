//! All that is known, in memory, and every change that can be made to it.
//!
//! A [`Change`] means the same here and in the tables: whatever is loaded again is what was there. To make one cannot
//! fail; whether it may be made was decided before.

use crate::server::door::Lock;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::audit::Record;
use super::bans::{Ban, Banned};
use super::mutes::Mute;
use super::names::is_stale;
use super::reading::ReadMark;
use super::rooms::RoomRules;
use super::tickets::{Invitation, TicketId};
use super::{PersonId, Whom};
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::proof::PublicKey;
use crate::protocol::time::Time;
use crate::protocol::words::Role;

/// Somebody.
#[derive(Debug, PartialEq)]
pub(super) struct Person {
    pub(super) role: Role,
    /// First seen.
    pub(super) since: Time,
    pub(super) keys: BTreeSet<PublicKey>,
    /// With when each was last used. Some may share what they look like.
    pub(super) names: BTreeMap<Nick, Time>,
    pub(super) ignored: BTreeSet<Whom>,
}

/// See the [module](self).
#[derive(Debug, Default, PartialEq)]
pub(super) struct State {
    pub(super) people: BTreeMap<PersonId, Person>,
    /// The highest number that anybody ever had, also as the log knows it.
    pub(super) last_person: i64,
    pub(super) keys: HashMap<PublicKey, PersonId>,
    /// Whose name something looks like: the keys of all names.
    pub(super) looks: HashMap<String, PersonId>,
    pub(super) bans: BTreeMap<Banned, Ban>,
    /// By whom and where; nowhere in particular is everywhere.
    pub(super) mutes: BTreeMap<(Whom, Option<RoomName>), Mute>,
    /// Which guests are muted that look like this.
    pub(super) muted_looks: HashMap<String, BTreeSet<Nick>>,
    pub(super) rooms: BTreeMap<RoomName, RoomRules>,
    pub(super) tickets: BTreeMap<TicketId, Invitation>,
    pub(super) door: Option<Lock>,
}

/// One change. Those that take something away do nothing where it is not.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// New, or with another role.
    Person(PersonId, Role, Time),
    /// With all that is theirs.
    ForgetPerson(PersonId),
    /// New, or somebody else's from now on; the time is when it was added.
    Key(PublicKey, PersonId, Time),
    ForgetKey(PublicKey),
    /// New, or used again.
    Name(PersonId, Nick, Time),
    ForgetName(PersonId, Nick),
    Ignore(PersonId, Whom),
    Unignore(PersonId, Whom),
    Ban(Ban),
    Unban(Banned),
    Mute(Mute),
    Unmute(Whom, Option<RoomName>),
    /// All but who is allowed in.
    Rules(RoomName, RoomRules),
    ForgetRoom(RoomName),
    Allow(RoomName, PersonId),
    Disallow(RoomName, PersonId),
    Ticket(Invitation),
    ForgetTicket(TicketId),
    Door(Option<Lock>),
    /// Only in the tables.
    Audit(Record),
    /// The same. Of somebody who was forgotten it is none.
    Read(ReadMark),
    ForgetRead(PersonId, RoomName),
}

impl State {
    /// Makes a change.
    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::Person(id, role, since) => {
                self.last_person = self.last_person.max(id.0);
                let new = Person {
                    role,
                    since,
                    keys: BTreeSet::new(),
                    names: BTreeMap::new(),
                    ignored: BTreeSet::new(),
                };
                let person = self.people.entry(id).or_insert(new);
                (person.role, person.since) = (role, since);
            }
            Change::ForgetPerson(id) => self.forget_person(id),
            Change::Key(key, id, _) => {
                self.forget_key(&key);
                if let Some(person) = self.people.get_mut(&id) {
                    person.keys.insert(key);
                    self.keys.insert(key, id);
                }
            }
            Change::ForgetKey(key) => self.forget_key(&key),
            Change::Name(id, nick, used) => {
                if let Some(person) = self.people.get_mut(&id) {
                    self.looks.extend(nick.keys().map(|look| (look, id)));
                    person.names.insert(nick, used);
                }
            }
            Change::ForgetName(id, nick) => self.forget_name(id, &nick),
            Change::Ignore(id, whom) => {
                if let Some(person) = self.people.get_mut(&id) {
                    person.ignored.insert(whom);
                }
            }
            Change::Unignore(id, whom) => {
                if let Some(person) = self.people.get_mut(&id) {
                    person.ignored.remove(&whom);
                }
            }
            Change::Ban(ban) => {
                self.bans.insert(ban.subject.clone(), ban);
            }
            Change::Unban(subject) => {
                self.bans.remove(&subject);
            }
            Change::Mute(mute) => {
                if let Whom::Guest(nick) = &mute.whom {
                    for look in nick.keys() {
                        self.muted_looks.entry(look).or_default().insert(nick.clone());
                    }
                }
                self.mutes.insert((mute.whom.clone(), mute.room.clone()), mute);
            }
            Change::Unmute(whom, room) => self.unmute(whom, room),
            Change::Rules(name, rules) => {
                let room = self.rooms.entry(name).or_default();
                let allowed = std::mem::take(&mut room.allowed);
                *room = RoomRules { allowed, ..rules };
            }
            Change::ForgetRoom(name) => {
                self.rooms.remove(&name);
            }
            Change::Allow(name, id) => {
                self.rooms.entry(name).or_default().allowed.insert(id);
            }
            Change::Disallow(name, id) => {
                if let Some(room) = self.rooms.get_mut(&name) {
                    room.allowed.remove(&id);
                }
            }
            Change::Ticket(ticket) => {
                self.tickets.insert(ticket.id, ticket);
            }
            Change::ForgetTicket(id) => {
                self.tickets.remove(&id);
            }
            Change::Door(door) => self.door = door,
            Change::Audit(_) | Change::Read(_) | Change::ForgetRead(..) => {}
        }
    }

    fn forget_person(&mut self, id: PersonId) {
        let Some(person) = self.people.get(&id) else { return };
        let (keys, names) = (person.keys.clone(), person.names.clone());
        keys.iter().for_each(|key| self.forget_key(key));
        names.keys().for_each(|nick| self.forget_name(id, nick));
        self.people.remove(&id);
        for room in self.rooms.values_mut() {
            room.allowed.remove(&id);
            room.owner = room.owner.filter(|owner| *owner != id);
        }
    }

    fn forget_key(&mut self, key: &PublicKey) {
        let owner = self.keys.remove(key);
        if let Some(person) = owner.and_then(|owner| self.people.get_mut(&owner)) {
            person.keys.remove(key);
        }
    }

    fn forget_name(&mut self, id: PersonId, nick: &Nick) {
        let Some(person) = self.people.get_mut(&id) else { return };
        if person.names.remove(nick).is_none() {
            return;
        }
        for look in nick.keys() {
            // Another name of theirs may look the same.
            if !person.names.keys().any(|other| other.keys().contains(&look)) {
                self.looks.remove(&look);
            }
        }
    }

    fn unmute(&mut self, whom: Whom, room: Option<RoomName>) {
        let place = (whom, room);
        self.mutes.remove(&place);
        let Whom::Guest(nick) = place.0 else { return };
        // Perhaps muted in another room still: those of one guest lie side by side.
        let first = (Whom::Guest(nick.clone()), None);
        if self.mutes.range(&first..).next().is_some_and(|((whom, _), _)| *whom == first.0) {
            return;
        }
        for look in nick.keys() {
            if let Some(nicks) = self.muted_looks.get_mut(&look) {
                nicks.remove(&nick);
                if nicks.is_empty() {
                    self.muted_looks.remove(&look);
                }
            }
        }
    }

    /// What does not count any more.
    pub(super) fn over(&self, now: Time) -> Vec<Change> {
        let bans = self.bans.values().filter(|ban| !ban.holds(now));
        let mutes = self.mutes.values().filter(|mute| !mute.holds(now));
        let tickets = self.tickets.values().filter(|ticket| !ticket.is_valid(now));
        let names = self.people.iter().flat_map(|(id, person)| {
            let stale = person.names.iter().filter(|(_, used)| is_stale(**used, now));
            stale.map(|(nick, _)| Change::ForgetName(*id, nick.clone()))
        });
        bans.map(|ban| Change::Unban(ban.subject.clone()))
            .chain(mutes.map(|mute| Change::Unmute(mute.whom.clone(), mute.room.clone())))
            .chain(tickets.map(|ticket| Change::ForgetTicket(ticket.id)))
            .chain(names)
            .collect()
    }

    /// People of whom there is nothing but a key that was first seen long ago.
    pub(super) fn forgotten(&self, now: Time) -> Vec<Change> {
        let muted: BTreeSet<&Whom> = self.mutes.keys().map(|(whom, _)| whom).collect();
        let known_in_rooms: BTreeSet<PersonId> =
            self.rooms.values().flat_map(|room| room.allowed.iter().copied().chain(room.owner)).collect();
        let forgotten = self.people.iter().filter(|(id, person)| {
            person.role == Role::Member
                && is_stale(person.since, now)
                && person.names.is_empty()
                && person.ignored.is_empty()
                && !known_in_rooms.contains(id)
                && !self.bans.contains_key(&Banned::Person(**id))
                && !muted.contains(&Whom::Person(**id))
        });
        forgotten.map(|(id, _)| Change::ForgetPerson(*id)).collect()
    }
}
