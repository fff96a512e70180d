//! From where somebody is here: for those who keep order.

use std::net::IpAddr;

use super::{Hub, Session};
use crate::protocol::event::SessionInfo;
use crate::protocol::limits::{AGENT_BYTES, LIST_ITEMS};
use crate::protocol::name::RoomName;
use crate::protocol::text::Line;
use crate::protocol::time::Time;
use crate::server::registry::Whom;

/// Where a session comes from.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The address, never an IPv4 address in the clothes of IPv6; `None` for a Unix socket.
    pub(super) address: Option<IpAddr>,
    agent: Line,
    since: Time,
}

impl Origin {
    /// From `address`, by a program that calls itself `agent`, of which the beginning is kept, since now.
    pub fn new(address: Option<IpAddr>, agent: &Line, now: Time) -> Self {
        let end = agent.as_str().floor_char_boundary(AGENT_BYTES);
        let agent = agent.as_str().get(..end).unwrap_or_default();
        Self { address: address.map(|address| address.to_canonical()), agent: Line::lossy(agent), since: now }
    }
}

impl Session {
    fn info(&self) -> SessionInfo {
        let Origin { address, agent, since } = self.from.clone();
        SessionInfo { nick: self.person.nick.clone(), address, agent, since }
    }
}

impl Hub {
    /// The connections of somebody, the oldest first, at most [`LIST_ITEMS`].
    pub fn connections_of(&self, whom: &Whom) -> Vec<SessionInfo> {
        listed(self.sessions_of(whom).into_iter())
    }

    /// The connections that are in a room, by nick, at most [`LIST_ITEMS`].
    pub fn connections_in(&self, room: &RoomName) -> Vec<SessionInfo> {
        listed(self.sessions.values().filter(|session| session.rooms.contains(room)))
    }
}

fn listed<'a>(sessions: impl Iterator<Item = &'a Session>) -> Vec<SessionInfo> {
    let mut infos: Vec<SessionInfo> = sessions.map(Session::info).collect();
    infos.sort_by(|a, b| a.nick.cmp(&b.nick).then(a.since.cmp(&b.since)));
    infos.truncate(LIST_ITEMS);
    infos
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_short_and_says_which_address_it_is() {
        let agent = Line::lossy(&"ö".repeat(AGENT_BYTES));
        let origin = Origin::new("::ffff:10.0.0.1".parse().ok(), &agent, Time::default());
        assert_eq!(origin.address.map(|address| address.to_string()).as_deref(), Some("10.0.0.1"));
        assert_eq!(origin.agent.as_str().len(), AGENT_BYTES);
    }
}
