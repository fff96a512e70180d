//! Who may do what to whom.

use super::audit::{Deed, Record};
use super::state::Change;
use super::{By, PersonId, Registry, RegistryError, Whom};
use crate::protocol::name::Nick;
use crate::protocol::proof::PublicKey;
use crate::protocol::time::Time;
use crate::protocol::words::Role;

/// Something that not everyone may do. Who may do it may also undo it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// End somebody's connections, once.
    Kick,
    /// Keep somebody out, or an address.
    Ban,
    /// Keep somebody from speaking.
    Mute,
    /// Make an operator, or unmake one.
    SetRole,
    /// Set the rules of a room: its topic lock, private, by invitation, passphrase, who is allowed in.
    RuleRoom,
    /// Make invitations to the parlor, and revoke them.
    Invite,
    /// Change the parlor's passphrase.
    SetDoor,
    /// Read the audit log.
    Audit,
    /// See what the server counts.
    Stats,
}

impl Act {
    /// Whether it is done to somebody.
    fn is_to_somebody(self) -> bool {
        matches!(self, Self::Kick | Self::Ban | Self::Mute | Self::SetRole)
    }

    /// Why one may not, after "you may not do that: ".
    fn refusal(self) -> &'static str {
        match self {
            Self::SetRole => "only the host makes and unmakes operators, of those who have shown a key",
            Self::SetDoor => "only the host changes the passphrase",
            Self::Kick | Self::Ban | Self::Mute => {
                "operators and the host keep order; operators not with each other, and nobody with the host"
            }
            Self::RuleRoom => "a room's rules are for its owner, the operators and the host",
            Self::Invite | Self::Audit | Self::Stats => "that is for the operators and the host",
        }
    }
}

/// The rules, all of them. `target` is the role of whom it is done to: `None` is a guest, an address, or nobody.
pub fn may(actor: Role, act: Act, target: Option<Role>) -> bool {
    if act.is_to_somebody() && target == Some(Role::Host) {
        // Not by another host, and not by themself: somebody must be left who may.
        return false;
    }
    match act {
        Act::Kick | Act::Ban | Act::Mute => {
            actor == Role::Host || actor == Role::Operator && target != Some(Role::Operator)
        }
        // A guest has no key by which the role could be known again.
        Act::SetRole => actor == Role::Host && target.is_some(),
        Act::SetDoor => actor == Role::Host,
        Act::RuleRoom | Act::Invite | Act::Audit | Act::Stats => actor >= Role::Operator,
    }
}

impl Registry {
    /// What somebody is, if they are known.
    pub fn role(&self, person: PersonId) -> Option<Role> {
        self.state.people.get(&person).map(|person| person.role)
    }

    /// Whose key this is, is the host, whatever they were before. For whoever starts the parlor, who
    /// finds a place also where there are as many people as there may be. Twice is the same as once.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn make_host(&mut self, key: PublicKey, now: Time) -> Result<PersonId, RegistryError> {
        let record = |subject: &str| Record::new(Deed::Role, By::Parlor, subject, Role::Host.as_str(), now);
        let Some(id) = self.person_of(&key) else {
            let also = vec![Change::Audit(record(&key.to_string()))];
            return self.add_person(key, Role::Host, also, now);
        };
        let person = self.person(id)?;
        if person.role != Role::Host {
            let changes = vec![Change::Person(id, Role::Host, person.since)];
            let record = record(&self.called(&Whom::Person(id)));
            self.decide(changes, record)?;
        }
        Ok(id)
    }

    /// Makes somebody an operator, or a member again. What they are already is no change.
    ///
    /// # Errors
    /// `not_allowed` but for the host, for the host themself, and for the role of host; `no_such_person`; when it
    /// cannot be written.
    pub fn set_role(
        &mut self,
        by: &By,
        person: PersonId,
        role: Role,
        now: Time,
    ) -> Result<(), RegistryError> {
        let (is, since) = self.person(person).map(|person| (person.role, person.since))?;
        self.check(by, Act::SetRole, Some(is))?;
        if role == Role::Host {
            return Err(RegistryError::NotAllowed("the host is whoever starts the parlor"));
        }
        if role == is {
            return Ok(());
        }
        let subject = self.called(&Whom::Person(person));
        let record = Record::new(Deed::Role, by.clone(), &subject, role.as_str(), now);
        self.decide(vec![Change::Person(person, role, since)], record)
    }

    /// Who has a role beyond that of a member, with what they were called last.
    pub fn staff(&self) -> Vec<(PersonId, Role, Option<Nick>)> {
        let staff = self.state.people.iter().filter(|(_, person)| person.role > Role::Member);
        staff.map(|(id, person)| (*id, person.role, self.latest_name(*id).cloned())).collect()
    }

    /// Whether somebody may see what the server counts.
    ///
    /// # Errors
    /// `not_allowed`, but for operators and the host.
    pub fn may_see_stats(&self, by: &By) -> Result<(), RegistryError> {
        self.check(by, Act::Stats, None)
    }

    /// Whether this may be done.
    pub(super) fn check(&self, by: &By, act: Act, target: Option<Role>) -> Result<(), RegistryError> {
        let actor = match by {
            By::Parlor => Some(Role::Host),
            By::Person(person, _) => self.role(*person),
        };
        if actor.is_some_and(|actor| may(actor, act, target)) {
            Ok(())
        } else {
            Err(RegistryError::NotAllowed(act.refusal()))
        }
    }

    /// The same for something that is done to somebody.
    pub(super) fn check_whom(&self, by: &By, act: Act, whom: &Whom) -> Result<(), RegistryError> {
        let target = match whom {
            Whom::Person(person) => Some(self.person(*person)?.role),
            Whom::Guest(_) => None,
        };
        self.check(by, act, target)
    }
}
