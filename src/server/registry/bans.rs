//! Who is kept out: people with all their keys, and addresses.

use std::fmt;
use std::net::IpAddr;

use super::audit::{Deed, Record};
use super::roles::Act;
use super::state::Change;
use super::{By, PersonId, Registry, RegistryError, Whom};
use crate::protocol::event::{ErrorCode, Failure};
use crate::protocol::limits::BANS;
use crate::protocol::text::Line;
use crate::protocol::time::Time;
use crate::protocol::words::Role;
use crate::server::block::block_of;

/// Who is kept out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Banned {
    /// With every key that they have.
    Person(PersonId),
    /// With everyone behind it: an IPv4 address, or an IPv6 /64.
    Address(IpAddr),
}

impl Banned {
    /// An address as it is counted.
    fn in_blocks(self) -> Self {
        match self {
            Self::Address(address) => Self::Address(block_of(address)),
            person @ Self::Person(_) => person,
        }
    }
}

impl fmt::Display for Banned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(person) => write!(f, "person {}", person.0),
            Self::Address(v6 @ IpAddr::V6(_)) => write!(f, "{v6}/64"),
            Self::Address(v4) => v4.fmt(f),
        }
    }
}

/// One ban.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Of whom.
    pub subject: Banned,
    /// Why; may be empty.
    pub reason: Line,
    /// Who said so.
    pub by: By,
    /// Since when.
    pub at: Time,
    /// Up to when, for ever if it is `None`.
    pub until: Option<Time>,
}

impl Ban {
    pub(super) fn holds(&self, now: Time) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// What its subject is told.
    pub fn failure(&self) -> Failure {
        let sentence = sentence("you may not come in here", &self.reason, self.until);
        Failure::new(ErrorCode::Banned, &sentence)
    }
}

/// Something that holds up to a moment, for a reason.
pub(super) fn sentence(what: &str, reason: &Line, until: Option<Time>) -> String {
    let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
    if reason.is_empty() { format!("{what}{until}") } else { format!("{what}{until}: {reason}") }
}

impl Registry {
    /// Keeps somebody out. A ban of the same subject that there is already is replaced. Whoever is connected still
    /// is for the caller to end.
    ///
    /// # Errors
    /// `not_allowed`, see [`may`](super::may); `no_such_person`; `too_many` beyond [`BANS`]; when it cannot be
    /// written.
    pub fn ban(
        &mut self,
        by: &By,
        subject: Banned,
        reason: Line,
        until: Option<Time>,
        now: Time,
    ) -> Result<(), RegistryError> {
        let subject = subject.in_blocks();
        match subject {
            Banned::Person(person) => self.check_whom(by, Act::Ban, &Whom::Person(person))?,
            Banned::Address(_) => self.check(by, Act::Ban, None)?,
        }
        let mut changes = Vec::new();
        if self.state.bans.len() >= BANS && !self.state.bans.contains_key(&subject) {
            changes = self.state.over(now);
            if !changes.iter().any(|change| matches!(change, Change::Unban(_))) {
                let remedy = "lift some first, or close the door by a passphrase";
                return Err(RegistryError::TooMany { what: "bans", max: BANS, remedy });
            }
        }
        let particulars = sentence("banned", &reason, until);
        let record = Record::new(Deed::Ban, by.clone(), &self.banned_called(&subject), &particulars, now);
        changes.push(Change::Ban(Ban { subject, reason, by: by.clone(), at: now, until }));
        self.decide(changes, record)
    }

    /// Lets somebody in again. Says whether they were kept out.
    ///
    /// # Errors
    /// `not_allowed`; when it cannot be written.
    pub fn unban(&mut self, by: &By, subject: Banned, now: Time) -> Result<bool, RegistryError> {
        let subject = subject.in_blocks();
        self.check(by, Act::Ban, None)?;
        if !self.state.bans.contains_key(&subject) {
            return Ok(false);
        }
        let record = Record::new(Deed::Unban, by.clone(), &self.banned_called(&subject), "", now);
        self.decide(vec![Change::Unban(subject)], record)?;
        Ok(true)
    }

    /// Why somebody is kept out, if they are. The host never is, and an operator not by their address: else any
    /// operator could lock out the others who sit behind the same one. So ask this when it is known who it is.
    pub fn banned(&self, person: Option<PersonId>, address: Option<IpAddr>, now: Time) -> Option<&Ban> {
        let role = person.and_then(|person| self.role(person));
        let ban_of = |subject| self.state.bans.get(&subject).filter(|ban| ban.holds(now));
        match role {
            Some(Role::Host) => None,
            Some(Role::Operator) => person.and_then(|person| ban_of(Banned::Person(person))),
            Some(Role::Member) | None => person
                .and_then(|person| ban_of(Banned::Person(person)))
                .or_else(|| address.and_then(|address| ban_of(Banned::Address(block_of(address))))),
        }
    }

    /// The bans that hold, the latest first.
    pub fn bans(&self, now: Time) -> Vec<&Ban> {
        let mut bans: Vec<&Ban> = self.state.bans.values().filter(|ban| ban.holds(now)).collect();
        bans.sort_by_key(|ban| std::cmp::Reverse(ban.at));
        bans
    }

    fn banned_called(&self, subject: &Banned) -> String {
        match subject {
            Banned::Person(person) => self.called(&Whom::Person(*person)),
            Banned::Address(_) => subject.to_string(),
        }
    }
}
