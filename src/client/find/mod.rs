//! The parlors on this network: what is heard of them, as it comes.
//!
//! Two ears: multicast DNS (`mdns`) and datagrams to the whole network (`datagrams`); many a network lets only one of
//! the two through. What they hear meets in one `table`, which knows no socket and no clock.
//!
//! Nothing of it is proven: see [`crate::protocol::announcement`].

mod command;
mod datagrams;
mod listing;
mod looking;
mod mdns;
mod networks;
mod reach;
mod table;

use std::time::Duration;

use tokio::sync::mpsc;
use uuid::Uuid;

use crate::protocol::address::Address;
use crate::protocol::announcement::Announcement;

pub use command::{What, run};
pub(in crate::client) use table::is_same;

/// Parlors that are listed at once. More than a building has; an attacker's thousands fill no screen and no memory.
pub const PARLORS: usize = 200;

/// Addresses that are kept of one parlor.
pub const ADDRESSES: usize = 8;

/// Within which a parlor that says nothing any more, not even goodbye, is [`Heard::Gone`]: three questions by datagram
/// without an answer, and what multicast DNS remembers was asked after.
pub const GONE_WITHIN: Duration = Duration::from_secs(20);

/// What is heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A parlor, for the first time, or with something new about it: then [`Parlor::is_same`] says which one it was.
    Here(Parlor),
    /// Those of this id are not there any more: they said so, or do not answer. If another one claims the same id and is
    /// still there, it is told again right after this.
    Gone(Uuid),
    /// One of the ways to look does not work here: a sentence for people. The others go on.
    Trouble(String),
}

/// A parlor that was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parlor {
    /// What it says of itself.
    pub said: Announcement,
    /// Where it can be reached from here, the best first; never empty, at most [`ADDRESSES`]. Link-local IPv6 addresses
    /// have their zone.
    pub addresses: Vec<Address>,
}

impl Parlor {
    /// Whether both are one parlor, however many people are in it and wherever it is heard. Its id alone does not say so:
    /// everybody hears it, and can announce a parlor with the same id and another certificate or name.
    pub fn is_same(&self, other: &Self) -> bool {
        is_same(&self.said, &other.said)
    }
}

/// Looks on all networks of this machine, until the receiver is dropped. Must be called within a tokio runtime.
pub fn look() -> mpsc::Receiver<Heard> {
    let (heard, hearing) = mpsc::channel(PARLORS);
    tokio::spawn(looking::run(heard));
    hearing
}
