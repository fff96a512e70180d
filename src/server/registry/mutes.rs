//! Who may not speak, in one room or in all; and kicks, of which nothing stays but a line in the audit log.

use super::audit::{Deed, Record};
use super::bans::sentence;
use super::roles::Act;
use super::state::Change;
use super::{By, Registry, RegistryError, Whom};
use crate::protocol::event::{ErrorCode, Failure};
use crate::protocol::limits::MUTES;
use crate::protocol::name::RoomName;
use crate::protocol::text::Line;
use crate::protocol::time::Time;
use crate::protocol::words::Role;

/// One mute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    /// Of whom.
    pub whom: Whom,
    /// Where: everywhere if it is `None`.
    pub room: Option<RoomName>,
    /// Why; may be empty.
    pub reason: Line,
    /// Who said so.
    pub by: By,
    /// Since when.
    pub at: Time,
    /// Up to when, for ever if it is `None`.
    pub until: Option<Time>,
}

impl Mute {
    pub(super) fn holds(&self, now: Time) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// What its subject is told.
    pub fn failure(&self) -> Failure {
        let place = self.room.as_ref().map_or("here", RoomName::as_str);
        let sentence = sentence(&format!("you may not speak in {place}"), &self.reason, self.until);
        Failure::new(ErrorCode::Muted, &sentence.replace("speak in here", "speak here"))
    }
}

impl Registry {
    /// Keeps somebody from speaking, in one room or, with `None`, in all. One of the same person in the same place
    /// that there is already is replaced.
    ///
    /// # Errors
    /// `not_allowed`, see [`may`](super::may); `no_such_person`; `too_many` beyond [`MUTES`]; when it cannot be
    /// written.
    pub fn mute(
        &mut self,
        by: &By,
        whom: Whom,
        room: Option<RoomName>,
        reason: Line,
        until: Option<Time>,
        now: Time,
    ) -> Result<(), RegistryError> {
        self.check_whom(by, Act::Mute, &whom)?;
        let mut changes = Vec::new();
        if self.state.mutes.len() >= MUTES && !self.state.mutes.contains_key(&(whom.clone(), room.clone())) {
            changes = self.state.over(now);
            if !changes.iter().any(|change| matches!(change, Change::Unmute(..))) {
                let remedy = "lift some first";
                return Err(RegistryError::TooMany { what: "mutes", max: MUTES, remedy });
            }
        }
        let particulars = sentence(&placed("muted", room.as_ref()), &reason, until);
        let record = Record::new(Deed::Mute, by.clone(), &self.called(&whom), &particulars, now);
        changes.push(Change::Mute(Mute { whom, room, reason, by: by.clone(), at: now, until }));
        self.decide(changes, record)
    }

    /// Lets somebody speak again in the place where they were muted, and every guest that looks like them. Says
    /// whether there was anyone.
    ///
    /// # Errors
    /// `not_allowed`; when it cannot be written.
    pub fn unmute(
        &mut self,
        by: &By,
        whom: &Whom,
        room: Option<&RoomName>,
        now: Time,
    ) -> Result<bool, RegistryError> {
        self.check(by, Act::Mute, None)?;
        let places = self.state.mutes.keys();
        let muted = places.filter(|(muted, place)| place.as_ref() == room && muted.is_like(whom));
        let changes: Vec<_> =
            muted.map(|(muted, place)| Change::Unmute(muted.clone(), place.clone())).collect();
        if changes.is_empty() {
            return Ok(false);
        }
        let particulars = placed("may speak again", room);
        let record = Record::new(Deed::Unmute, by.clone(), &self.called(whom), &particulars, now);
        self.decide(changes, record)?;
        Ok(true)
    }

    /// Why somebody may not speak in a room, if they may not; the host always may. Asked for every message, so it looks nobody through.
    pub fn muted(&self, whom: &Whom, room: &RoomName, now: Time) -> Option<&Mute> {
        if self.state.mutes.is_empty() {
            return None;
        }
        match whom {
            Whom::Person(person) if self.role(*person) == Some(Role::Host) => None,
            Whom::Person(_) => self.mute_of(whom.clone(), room, now),
            Whom::Guest(nick) => {
                let looks = nick.keys();
                let mut alike = looks.iter().filter_map(|look| self.state.muted_looks.get(look)).flatten();
                alike.find_map(|nick| self.mute_of(Whom::Guest(nick.clone()), room, now))
            }
        }
    }

    /// Why somebody may not speak in some room, if there is one where they may not. It looks all mutes through.
    pub fn muted_anywhere(&self, whom: &Whom, now: Time) -> Option<&Mute> {
        if matches!(whom, Whom::Person(person) if self.role(*person) == Some(Role::Host)) {
            return None;
        }
        self.state.mutes.values().find(|mute| mute.whom.is_like(whom) && mute.holds(now))
    }

    fn mute_of(&self, whom: Whom, room: &RoomName, now: Time) -> Option<&Mute> {
        let in_room = (whom.clone(), Some(room.clone()));
        let mutes = [in_room, (whom, None)];
        mutes.iter().filter_map(|place| self.state.mutes.get(place)).find(|mute| mute.holds(now))
    }

    /// The mutes that hold, the latest first.
    pub fn mutes(&self, now: Time) -> Vec<&Mute> {
        let mut mutes: Vec<&Mute> = self.state.mutes.values().filter(|mute| mute.holds(now)).collect();
        mutes.sort_by_key(|mute| std::cmp::Reverse(mute.at));
        mutes
    }

    /// Whether somebody may be kicked, and a line of it in the audit log. To do it is for the caller.
    ///
    /// # Errors
    /// `not_allowed`, see [`may`](super::may); `no_such_person`; when it cannot be written.
    pub fn kick(
        &mut self,
        by: &By,
        whom: &Whom,
        room: Option<&RoomName>,
        reason: &Line,
        now: Time,
    ) -> Result<(), RegistryError> {
        self.check_whom(by, Act::Kick, whom)?;
        let particulars = sentence(&placed("kicked", room), reason, None);
        self.decide(Vec::new(), Record::new(Deed::Kick, by.clone(), &self.called(whom), &particulars, now))
    }
}

fn placed(what: &str, room: Option<&RoomName>) -> String {
    room.map_or_else(|| what.to_owned(), |room| format!("{what} in {room}"))
}
