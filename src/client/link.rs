//! The link to a parlor: connect, say hello, resume, try again. No terminal in it.
//!
//! [`open()`] gives a handle to say things with and a stream of [`Update`]s. Behind them one task keeps the
//! promises on this side:
//!
//! - It MUST deliver the entries of each room in order, each once, without a gap that is not announced
//!   by [`Event::Gap`]. It knows the last `seq` of each room (the cursor) and joins again from there.
//! - It MUST keep each message until the server has said `ok`, and send it again under the same id
//!   after a break, in the order in which they were submitted.
//! - It MUST NOT ask the server twice as fast because the server is in trouble: delays grow, with
//!   jitter, up to [`RETRY_LONGEST`].
//! - It MUST take orders at any time, also while it connects: whoever wants to leave leaves at once.
//!
//! What must outlive a connection, the seats and the messages, is kept in `link/memory.rs`, without a socket or
//! a clock; the task is in `link/keeper.rs`.

mod acquaintances;
mod clock;
mod connect;
mod dial;
mod ending;
mod keeper;
mod knock;
mod memory;
mod pake;
mod race;
mod strangers;
mod tls;
mod unreached;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::Instant;

pub use self::acquaintances::Acquaintances;
pub(in crate::client) use self::connect::attempt;
pub(in crate::client) use self::dial::dial;
pub use self::dial::{Dial, Dialing, Stream};
pub(in crate::client) use self::ending::Break;
use self::keeper::Keeper;
pub(in crate::client) use self::knock::{Answered, Outcome, knock};
use crate::protocol::address::Address;
use crate::protocol::command::{Command, Join};
use crate::protocol::event::{Event, Failure, Ready, Welcome};
use crate::protocol::invite::{Invite, Pin};
use crate::protocol::name::Nick;
use crate::protocol::proof::{Fingerprint, KeyPair, Passphrase, ProofKey, Salt};
use crate::protocol::text::Line;
use crate::protocol::ticket::Ticket;

/// The first delay before another attempt; each further one doubles it. Random within half of it.
pub const RETRY_FIRST: Duration = Duration::from_millis(500);
/// The longest delay between attempts: nobody should wait longer for a server that is back.
pub const RETRY_LONGEST: Duration = Duration::from_secs(20);
/// How often the round trip is measured. More often than the server pings: people look at it.
pub const MEASURE_EVERY: Duration = Duration::from_secs(15);
/// The same for the first [`MEASURES_AT_FIRST`]: times are shown by what they tell of the server's clock.
pub const MEASURE_AT_FIRST: Duration = Duration::from_millis(500);
/// Measurements that come quickly after connecting: enough that one of them is likely to meet with no delay.
pub const MEASURES_AT_FIRST: u32 = 4;
/// Time that a server which is there again gets to store the first message, however long it was away; less
/// for who has less patience in all.
pub const ANSWER_TIME: Duration = Duration::from_secs(10);
/// Messages on their way without an `ok`: enough to fill the log's commits, and few to send again.
pub const IN_FLIGHT: usize = 64;
/// Updates that wait for whoever reads them. When it is full the link stops reading, and the server
/// waits for it as for any slow reader.
const UPDATES: usize = 1024;

/// What to connect to, and as whom.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where.
    pub address: Address,
    /// What to be called. Taken already, it gets a number: the real one is in [`Update::Online`].
    pub nick: Nick,
    /// Under this nick also if the person that we are is there under another one, on another device.
    pub apart: bool,
    /// How each side is sure of the other.
    pub trust: Trust,
    /// Where to keep what is worth remembering of the server.
    pub acquaintances: Option<Acquaintances>,
    /// What program this is, for the host's log.
    pub agent: Line,
    /// How long to go on while nothing succeeds: there is no connection, or there are messages and none of
    /// them is stored. `None`: for ever.
    pub give_up_after: Option<Duration>,
}

/// How we are sure of the server, and it of us.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// TCP without TLS: sure of nothing. A Unix socket never has it.
    pub plain: bool,
    /// What the server's certificate must be. `None`: the one that it shows first, from then on; and only that one is given
    /// another proof of the passphrase than by [`crate::protocol::pake`], with the key that has opened its door before.
    pub pin: Option<Pin>,
    /// What opens the door, if it has a lock.
    pub secret: Option<Secret>,
    /// A ticket for the first time.
    pub ticket: Option<Ticket>,
    /// Who we are. `None`: a guest.
    pub identity: Option<Arc<KeyPair>>,
}

impl Trust {
    /// As far as an invite goes, as a guest. `words` go before what it says.
    pub fn by_invite(invite: &Invite, plain: bool, words: Option<Passphrase>) -> Self {
        Self {
            plain: plain || invite.plain,
            pin: invite.pin,
            secret: words.or_else(|| invite.passphrase.clone()).map(Secret::Words),
            ticket: invite.ticket.clone(),
            identity: None,
        }
    }
}

/// What opens a door.
#[derive(Clone, Debug)]
pub enum Secret {
    /// The words.
    Words(Passphrase),
    /// What they became with this salt, when they were used the last time.
    Key(Salt, ProofKey),
}

/// What is worth remembering of a server for the next time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Met {
    /// Its certificate; `None` without TLS.
    pub fingerprint: Option<Fingerprint>,
    /// What opened its door; `None` where it has no lock.
    pub key: Option<(Salt, ProofKey)>,
}

/// What the link has to say.
#[derive(Debug)]
pub enum Update {
    /// An attempt begins.
    Connecting {
        /// 1 for the first since the last connection.
        attempt: u32,
    },
    /// In. The rooms are being joined again, and what was not acknowledged is sent again.
    Online {
        /// Who the server is.
        welcome: Box<Welcome>,
        /// Who we are there, and what it allows.
        ready: Box<Ready>,
        /// How we were sure of each other.
        met: Met,
        /// What is new about that, or could not be kept: a sentence for people.
        news: Option<String>,
        /// Not the log that we knew: cursors and what was shown mean nothing any more.
        new_log: bool,
    },
    /// The connection is sound and the server's log is not (its disk is full, say): what was not
    /// acknowledged is kept and sent again.
    Held {
        /// What the server said.
        failure: Failure,
        /// When it is sent again.
        retry_at: Instant,
    },
    /// No connection.
    Offline {
        /// Why, as a sentence for people.
        why: String,
        /// When the next attempt begins.
        retry_at: Instant,
    },
    /// Said by the server, in order. Its JSON as it came, for those who pass it on.
    Event(Event, Bytes),
    /// A command that will not be done: refused by the server, or there is no connection for a
    /// question. A message that meets a passing fault of the server is not among them, it is sent again.
    Failed(Failure),
    /// How long a question and its answer take, and what to add to this machine's clock to get the server's.
    Latency {
        /// Round trip.
        round_trip: Duration,
        /// Milliseconds; the server's clock minus this one, by the best of the last measurements.
        offset: i64,
        /// By how much `offset` may be wrong, at most, unless a clock has just been set.
        within: Duration,
    },
    /// The end, by our own wish or because there is no point in going on. Nothing follows.
    Ended {
        /// Why, as a sentence for people.
        why: String,
        /// What is in the way of coming in, where somebody can do something about it.
        barrier: Option<Barrier>,
        /// Messages that the server never acknowledged.
        unsent: Vec<Command>,
        /// It is what we asked for by [`Link::quit`].
        wanted: bool,
    },
}

/// What is in the way of coming in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barrier {
    /// The door has a lock, and nothing was given to open it.
    PassphraseNeeded,
    /// What was given does not open it.
    PassphraseWrong,
    /// The server shows another certificate than it should.
    Stranger(Fingerprint),
}

/// The handle. Dropped, it ends the link as [`Link::quit`] does.
#[derive(Clone, Debug)]
pub struct Link {
    orders: mpsc::UnboundedSender<Order>,
}

#[derive(Debug)]
enum Order {
    Submit(Command),
    Follow(Join),
    RetryNow,
    Quit,
}

impl Link {
    /// Hands a command over. `join` and `leave` are remembered across breaks, and so is whatever adds to a
    /// room's log, as messages do, until it is acknowledged. Anything else is asked once, and fails when there is no
    /// connection or it breaks before the answer. Does not wait: what bounds the queue is the caller (a
    /// person types; `say` counts).
    pub fn submit(&self, command: Command) {
        self.order(Order::Submit(command));
    }

    /// Joins a room for one who wants all of it from now on: the `limit` holds only until the first entries
    /// (or the gap before them) have come. What a break makes us miss then comes whole, however much it is.
    pub fn follow(&self, join: Join) {
        self.order(Order::Follow(join));
    }

    /// Do not wait for the countdown.
    pub fn retry_now(&self) {
        self.order(Order::RetryNow);
    }

    /// Say goodbye and end, once what is on its way has been handed to the socket.
    pub fn quit(&self) {
        self.order(Order::Quit);
    }

    fn order(&self, order: Order) {
        // The task is gone only after it has said `Ended`, and then there is nothing to order.
        drop(self.orders.send(order));
    }
}

/// Opens a link. Must be called within a tokio runtime.
pub fn open(config: Config) -> (Link, mpsc::Receiver<Update>) {
    open_over(Arc::new(dial), config)
}

/// The same over connections that the system does not open: `dial` gets to the address of `config`, each time that
/// the link connects.
pub fn open_over(dial: Dial, config: Config) -> (Link, mpsc::Receiver<Update>) {
    let (orders, orders_in) = mpsc::unbounded_channel();
    let (updates, updates_out) = mpsc::channel(UPDATES);
    tokio::spawn(Keeper::new(dial, config, orders_in, updates).run());
    (Link { orders }, updates_out)
}
