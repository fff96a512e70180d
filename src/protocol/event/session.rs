//! What those who keep order are told of the connections of others, and nobody else is.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::protocol::name::Nick;
use crate::protocol::text::Line;
use crate::protocol::time::Time;

/// One connection of somebody: in [`super::Whois`] and [`super::People`], for the host and operators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// Whose it is.
    pub nick: Nick,
    /// From where; left out for one that comes over no network, as by a Unix socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// What their program calls itself, at most [`super::super::limits::AGENT_BYTES`] of it; may be empty.
    #[serde(default, skip_serializing_if = "Line::is_empty")]
    pub agent: Line,
    /// Since when it is there, by the server's clock.
    pub since: Time,
}
