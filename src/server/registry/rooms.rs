//! The rules of rooms: who comes in, who may set the topic, who sees that there is such a room.

use std::collections::BTreeSet;
use std::time::Duration;

use super::audit::{Deed, Record};
use super::roles::Act;
use super::state::Change;
use super::{By, PersonId, Registry, RegistryError, Whom};
use crate::protocol::event::{ErrorCode, Failure};
use crate::protocol::limits::{ALLOWED_PER_ROOM, ROOMS_RULED};
use crate::protocol::name::RoomName;
use crate::protocol::proof::{ProofKey, Salt};
use crate::protocol::time::Time;
use crate::protocol::words::Role;

/// The rules of one room. As long as nobody has set any, everyone may everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomRules {
    /// Only its owner, operators and the host set the topic.
    pub topic_locked: bool,
    /// Not in lists that those outside get to see.
    pub private: bool,
    /// Only who is in `allowed` comes in, passphrase or not.
    pub invite_only: bool,
    /// What verifies the room's own passphrase.
    pub key: Option<(Salt, ProofKey)>,
    /// Who comes in without being asked: the invited, and whoever once knew the passphrase.
    pub allowed: BTreeSet<PersonId>,
    /// May set these rules, beside operators and the host.
    pub owner: Option<PersonId>,
    /// For how long what is said is kept; `None`: for as long as the parlor keeps things.
    pub retention: Option<Duration>,
}

static NO_RULES: RoomRules = RoomRules {
    topic_locked: false,
    private: false,
    invite_only: false,
    key: None,
    allowed: BTreeSet::new(),
    owner: None,
    retention: None,
};

/// One rule, as it shall be.
#[derive(Clone, Debug)]
pub enum Rule {
    /// See [`RoomRules::topic_locked`].
    TopicLocked(bool),
    /// See [`RoomRules::private`].
    Private(bool),
    /// See [`RoomRules::invite_only`].
    InviteOnly(bool),
    /// See [`RoomRules::key`]. Whoever came in by the passphrase before stays allowed.
    Key(Option<(Salt, ProofKey)>),
    /// See [`RoomRules::owner`].
    Owner(Option<PersonId>),
    /// See [`RoomRules::retention`]. Whole seconds.
    Retention(Option<Duration>),
    /// See [`RoomRules::allowed`].
    Allow(PersonId),
    /// The same, undone. It does not put anyone out who is in the room.
    Disallow(PersonId),
}

/// Why somebody does not come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Barred {
    /// They were not invited.
    InviteOnly,
    /// They may come in with the passphrase, of which this is the salt.
    NeedsPassphrase(Salt),
    /// It is for some alone, and not for them.
    NotForThem,
}

impl Barred {
    /// What they are told.
    pub fn failure(&self, room: &RoomName) -> Failure {
        match self {
            Self::InviteOnly => {
                let message = format!("{room} is for those who were invited: ask somebody who is in it");
                Failure::new(ErrorCode::InviteOnly, &message)
            }
            Self::NeedsPassphrase(_) => {
                let message = format!("{room} has a passphrase of its own: ask somebody who is in it");
                Failure::new(ErrorCode::NeedsPassphrase, &message)
            }
            Self::NotForThem => Failure::new(
                ErrorCode::NotAllowed,
                "that room is for some alone, and you are not one of them",
            ),
        }
    }
}

impl Registry {
    /// The rules of a room.
    pub fn rules(&self, room: &RoomName) -> &RoomRules {
        self.state.rooms.get(room).unwrap_or(&NO_RULES)
    }

    /// The shortest time for which any room keeps what is said, by a rule of its own.
    pub fn shortest_retention(&self) -> Option<Duration> {
        self.state.rooms.values().filter_map(|rules| rules.retention).min()
    }

    /// Whether somebody may come into a room without more ado. `person` is `None` for a guest.
    ///
    /// # Errors
    /// What bars them; never operators, the host, or the room's owner. But a room for some alone is for nobody else,
    /// whatever they are: its name says for whom it is.
    pub fn may_enter(&self, room: &RoomName, person: Option<PersonId>) -> Result<(), Barred> {
        if let Some(members) = room.members() {
            let is_one = person.is_some_and(|person| members.contains(&person.number()));
            return if is_one { Ok(()) } else { Err(Barred::NotForThem) };
        }
        let rules = self.rules(room);
        if self.keeps(room, person) || person.is_some_and(|person| rules.allowed.contains(&person)) {
            Ok(())
        } else if rules.invite_only {
            Err(Barred::InviteOnly)
        } else if let Some((salt, _)) = &rules.key {
            Err(Barred::NeedsPassphrase(*salt))
        } else {
            Ok(())
        }
    }

    /// Whether somebody may set a room's topic, as far as its rules go.
    pub fn may_set_topic(&self, room: &RoomName, person: Option<PersonId>) -> bool {
        !self.rules(room).topic_locked || self.keeps(room, person)
    }

    /// Whether a room is for somebody to rule: its owner, an operator or the host. One for some alone is for nobody.
    pub fn keeps(&self, room: &RoomName, person: Option<PersonId>) -> bool {
        !room.is_direct()
            && person.is_some_and(|person| {
                self.rules(room).owner == Some(person)
                    || self.role(person).is_some_and(|role| role >= Role::Operator)
            })
    }

    /// Somebody has made a room: it is theirs, unless there are rules for it already, or it is for some alone.
    ///
    /// # Errors
    /// `no_such_person`; `too_many` beyond [`ROOMS_RULED`]; when it cannot be written.
    pub fn founded(&mut self, room: &RoomName, person: PersonId) -> Result<(), RegistryError> {
        self.person(person)?;
        if room.is_direct() || self.state.rooms.contains_key(room) {
            return Ok(());
        }
        let rules = RoomRules { owner: Some(person), ..RoomRules::default() };
        self.check_ruled(room)?;
        self.commit(vec![Change::Rules(room.clone(), rules)])
    }

    /// A room is no more, and its rules neither.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn forget_room(&mut self, room: &RoomName) -> Result<(), RegistryError> {
        if self.state.rooms.contains_key(room) {
            self.commit(vec![Change::ForgetRoom(room.clone())])?;
        }
        Ok(())
    }

    /// Somebody has shown a room's passphrase: they need not do so again.
    ///
    /// # Errors
    /// `no_such_person`; `too_many` beyond [`ALLOWED_PER_ROOM`]; when it cannot be written.
    pub fn admit(&mut self, room: &RoomName, person: PersonId) -> Result<(), RegistryError> {
        if self.rules(room).allowed.contains(&person) {
            return Ok(());
        }
        let changes = self.allow(room, person)?;
        self.commit(changes)
    }

    /// Sets a rule. What it is already is no change.
    ///
    /// # Errors
    /// `not_allowed` but for the room's owner, operators and the host, and for everyone where it is for some alone;
    /// `no_such_person`; `too_many` beyond [`ROOMS_RULED`] or [`ALLOWED_PER_ROOM`]; when it cannot be written.
    pub fn rule(&mut self, by: &By, room: &RoomName, rule: Rule, now: Time) -> Result<(), RegistryError> {
        if room.is_direct() {
            return Err(RegistryError::NotAllowed("a room for some alone has no rules"));
        }
        if !self.keeps(room, by.person()) {
            self.check(by, Act::RuleRoom, None)?;
        }
        if let Rule::Owner(Some(person)) = rule {
            self.person(person)?;
        }
        let deed = if matches!(rule, Rule::TopicLocked(_)) { Deed::TopicLock } else { Deed::RoomRule };
        let record = Record::new(deed, by.clone(), room.as_str(), &self.told(&rule), now);
        let allowed = |person| self.rules(room).allowed.contains(&person);
        let changes = match rule {
            Rule::Allow(person) if allowed(person) => return Ok(()),
            Rule::Allow(person) => self.allow(room, person)?,
            Rule::Disallow(person) if !allowed(person) => return Ok(()),
            Rule::Disallow(person) => vec![Change::Disallow(room.clone(), person)],
            rule => {
                self.check_ruled(room)?;
                let mut rules = self.rules(room).clone();
                match rule {
                    Rule::TopicLocked(locked) => rules.topic_locked = locked,
                    Rule::Private(private) => rules.private = private,
                    Rule::InviteOnly(invite_only) => rules.invite_only = invite_only,
                    Rule::Key(key) => rules.key = key,
                    Rule::Owner(owner) => rules.owner = owner,
                    Rule::Retention(retention) => rules.retention = retention,
                    Rule::Allow(_) | Rule::Disallow(_) => {}
                }
                if rules == *self.rules(room) {
                    return Ok(());
                }
                vec![Change::Rules(room.clone(), rules)]
            }
        };
        self.decide(changes, record)
    }

    fn allow(&self, room: &RoomName, person: PersonId) -> Result<Vec<Change>, RegistryError> {
        self.person(person)?;
        self.check_ruled(room)?;
        let rules = self.rules(room);
        if rules.allowed.len() >= ALLOWED_PER_ROOM && !rules.allowed.contains(&person) {
            let (what, remedy) = ("people allowed into this room", "take somebody off the list first");
            return Err(RegistryError::TooMany { what, max: ALLOWED_PER_ROOM, remedy });
        }
        let mut changes = Vec::new();
        if !self.state.rooms.contains_key(room) {
            changes.push(Change::Rules(room.clone(), RoomRules::default()));
        }
        changes.push(Change::Allow(room.clone(), person));
        Ok(changes)
    }

    fn check_ruled(&self, room: &RoomName) -> Result<(), RegistryError> {
        if self.state.rooms.len() >= ROOMS_RULED && !self.state.rooms.contains_key(room) {
            let remedy = "use a room that is there";
            return Err(RegistryError::TooMany { what: "rooms with rules", max: ROOMS_RULED, remedy });
        }
        Ok(())
    }

    /// A rule in the words of the audit log.
    fn told(&self, rule: &Rule) -> String {
        let called = |person: &PersonId| self.called(&Whom::Person(*person));
        match rule {
            Rule::TopicLocked(true) => "topic locked".to_owned(),
            Rule::TopicLocked(false) => "topic free".to_owned(),
            Rule::Private(true) => "private".to_owned(),
            Rule::Private(false) => "listed".to_owned(),
            Rule::InviteOnly(true) => "by invitation only".to_owned(),
            Rule::InviteOnly(false) => "without invitation".to_owned(),
            Rule::Key(Some(_)) => "passphrase set".to_owned(),
            Rule::Key(None) => "passphrase taken away".to_owned(),
            Rule::Owner(Some(owner)) => format!("owner: {}", called(owner)),
            Rule::Owner(None) => "no owner".to_owned(),
            Rule::Retention(Some(kept)) => format!("kept for {} s", kept.as_secs()),
            Rule::Retention(None) => "kept as the parlor keeps things".to_owned(),
            Rule::Allow(person) => format!("allowed: {}", called(person)),
            Rule::Disallow(person) => format!("not allowed any more: {}", called(person)),
        }
    }
}
