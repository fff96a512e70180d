//! The way in: the parlor's passphrase, and counted invitations. What is kept verifies the secrets and does not hold
//! them.

use std::num::NonZeroU32;

use super::audit::{Deed, Record};
use super::roles::Act;
use super::state::Change;
use super::{By, Registry, RegistryError};
use crate::protocol::limits::TICKETS;
use crate::protocol::name::RoomName;
use crate::protocol::proof::ProofKey;
use crate::protocol::ticket::Ticket;
pub(super) use crate::protocol::ticket::TicketId;
use crate::protocol::time::Time;
use crate::server::door::Lock;

/// A counted invitation, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Names it.
    pub id: TicketId,
    /// Verifies it.
    pub(super) key: ProofKey,
    /// Who made it.
    pub by: By,
    /// When.
    pub at: Time,
    /// How often it can still be used; any number of times if it is `None`.
    pub uses: Option<NonZeroU32>,
    /// Up to when, for ever if it is `None`.
    pub until: Option<Time>,
    /// The room that it leads to: into which it also lets somebody who is not allowed there yet.
    pub room: Option<RoomName>,
}

impl Invitation {
    pub(super) fn is_valid(&self, now: Time) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Registry {
    /// What verifies the parlor's passphrase; `None` where it has none.
    pub fn door(&self) -> Option<&Lock> {
        self.state.door.as_ref()
    }

    /// Changes the passphrase, or takes it away.
    ///
    /// # Errors
    /// `not_allowed` but for the host; when it cannot be written.
    pub fn set_door(&mut self, by: &By, door: Option<Lock>, now: Time) -> Result<(), RegistryError> {
        self.check(by, Act::SetDoor, None)?;
        if self.state.door == door {
            return Ok(());
        }
        let particulars = if door.is_some() { "set" } else { "taken away" };
        let record = Record::new(Deed::Passphrase, by.clone(), "the parlor", particulars, now);
        self.decide(vec![Change::Door(door)], record)
    }

    /// Makes an invitation. Its secret is in what is returned, and nowhere else.
    ///
    /// # Errors
    /// `not_allowed` for members; `too_many` beyond [`TICKETS`]; when it cannot be written, or the system has no
    /// randomness.
    pub fn make_ticket(
        &mut self,
        by: &By,
        uses: Option<NonZeroU32>,
        until: Option<Time>,
        room: Option<RoomName>,
        now: Time,
    ) -> Result<Ticket, RegistryError> {
        self.check(by, Act::Invite, None)?;
        let mut changes = Vec::new();
        if self.state.tickets.len() >= TICKETS {
            changes = self.state.over(now);
            if !changes.iter().any(|change| matches!(change, Change::ForgetTicket(_))) {
                let remedy = "revoke some, or make one that many may use";
                return Err(RegistryError::TooMany { what: "invitations", max: TICKETS, remedy });
            }
        }
        let ticket = Ticket::random().map_err(|_| RegistryError::NoRandomness)?;
        let (id, key, by) = (ticket.id(), ticket.key(), by.clone());
        let times = uses.map_or_else(|| "any number of times".to_owned(), |uses| format!("{uses} times"));
        let until_when = until.map(|until| format!(", until {until}")).unwrap_or_default();
        let place = room.as_ref().map(|room| format!(", to {room}")).unwrap_or_default();
        let particulars = format!("{times}{until_when}{place}");
        let record = Record::new(Deed::TicketMade, by.clone(), &id.to_string(), &particulars, now);
        changes.push(Change::Ticket(Invitation { id, key, by, at: now, uses, until, room }));
        self.decide(changes, record)?;
        Ok(ticket)
    }

    /// What verifies an invitation; `None` when it is unknown, used up, expired or revoked.
    pub fn ticket_key(&self, id: &TicketId, now: Time) -> Option<&ProofKey> {
        self.valid_ticket(id, now).map(|ticket| &ticket.key)
    }

    /// Somebody comes in by an invitation: one use less. Says to which room it leads.
    ///
    /// # Errors
    /// `no_such_ticket`, also when somebody else had the last use since its key was asked for; when it cannot be
    /// written.
    pub fn use_ticket(&mut self, id: &TicketId, now: Time) -> Result<Option<RoomName>, RegistryError> {
        let ticket = self.valid_ticket(id, now).ok_or(RegistryError::NoSuchTicket)?;
        let room = ticket.room.clone();
        if let Some(uses) = ticket.uses {
            let left = NonZeroU32::new(uses.get() - 1);
            let used = match left {
                Some(_) => Change::Ticket(Invitation { uses: left, ..ticket.clone() }),
                None => Change::ForgetTicket(*id),
            };
            self.commit(vec![used])?;
        }
        Ok(room)
    }

    /// The invitations that are valid, the latest first.
    ///
    /// # Errors
    /// `not_allowed` for members.
    pub fn tickets(&self, by: &By, now: Time) -> Result<Vec<&Invitation>, RegistryError> {
        self.check(by, Act::Invite, None)?;
        let valid = self.state.tickets.values().filter(|ticket| ticket.is_valid(now));
        let mut tickets: Vec<&Invitation> = valid.collect();
        tickets.sort_by_key(|ticket| std::cmp::Reverse(ticket.at));
        Ok(tickets)
    }

    /// An invitation is not valid any more.
    ///
    /// # Errors
    /// `not_allowed` for members; `no_such_ticket`; when it cannot be written.
    pub fn revoke(&mut self, by: &By, id: &TicketId, now: Time) -> Result<(), RegistryError> {
        self.check(by, Act::Invite, None)?;
        self.valid_ticket(id, now).ok_or(RegistryError::NoSuchTicket)?;
        let record = Record::new(Deed::TicketRevoked, by.clone(), &id.to_string(), "", now);
        self.decide(vec![Change::ForgetTicket(*id)], record)
    }

    fn valid_ticket(&self, id: &TicketId, now: Time) -> Option<&Invitation> {
        self.state.tickets.get(id).filter(|ticket| ticket.is_valid(now))
    }
}
