//! What the load does, told from one process to the other as JSON.

use serde::{Deserialize, Serialize};

/// Whom the load talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// The bare relay.
    Relay,
    /// parlor over TCP.
    Plain,
    /// parlor over TLS.
    Tls,
}

/// A crowd, and what it does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Whom to talk to.
    pub(crate) kind: Kind,
    /// Where, on the loopback address.
    pub(crate) port: u16,
    /// Rooms.
    pub(crate) rooms: usize,
    /// People in each of them.
    pub(crate) members: usize,
    /// Those in each room who talk.
    pub(crate) senders: usize,
    /// Messages of one sender that were sent and have not come back to them.
    pub(crate) in_flight: usize,
    /// Messages of one sender.
    pub(crate) messages: usize,
    /// Messages each second of one sender; 0: as fast as they come back.
    pub(crate) rate: f64,
    /// What else there is.
    pub(crate) beside: Beside,
}

/// What happens beside the talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Beside {
    /// Nothing.
    Nothing,
    /// One asks the server over and over for an answer while the others come in, and all wait until everyone has
    /// been told of everyone.
    Settling,
    /// So many, in the first room, read nothing after they came in.
    Deaf(usize),
    /// One comes into the room called `#long` and reads so many entries of its log.
    CatchUp(u64),
}

/// What came of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Seconds until everyone was in.
    pub(crate) joined: f64,
    /// Seconds until everyone had been told of everyone.
    pub(crate) settled: f64,
    /// The longest that an answer took meanwhile, in seconds.
    pub(crate) answer: f64,
    /// Deliveries each second.
    pub(crate) rate: f64,
    /// Seconds from send to receipt, the middle one.
    pub(crate) p50: f64,
    /// The same, of a hundred the slowest.
    pub(crate) p99: f64,
    /// Seconds for what [`Beside::CatchUp`] read.
    pub(crate) caught_up: f64,
}
