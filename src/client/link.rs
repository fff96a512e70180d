//! The link to a parlor: connect, say hello, resume, try again. No terminal in it.
//!
//! [`open`] gives a handle to say things with and a stream of [`Update`]s. Behind them one task keeps the
//! promises on this side:
//!
//! - It MUST deliver the entries of each room in order, each once, without a gap that is not announced
//!   by [`Event::Gap`]. It knows the last `seq` of each room (the cursor) and joins again from there.
//! - It MUST keep each message until the server has said `ok`, and send it again under the same id
//!   after a break, in the order in which they were submitted.
//! - It MUST NOT ask the server twice as fast because the server is in trouble: delays grow, with
//!   jitter, up to [`RETRY_LONGEST`].
//! - It MUST take orders at any time, also while it connects: whoever wants to leave leaves at once.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use uuid::Uuid;

use super::connect::{Connection, attempt};
use crate::protocol::address::Address;
use crate::protocol::command::{Command, Hello, Join, Plain, RequestId};
use crate::protocol::event::{Entry, ErrorCode, Event, Failure, Okay, Pong, Ready, Reason, Welcome};
use crate::protocol::frame::FrameError;
use crate::protocol::limits::DEAD_AFTER;
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::text::Line;
use crate::protocol::time::Time;
use crate::protocol::{self};

/// The first delay before another attempt; each further one doubles it. Random within half of it.
pub const RETRY_FIRST: Duration = Duration::from_millis(500);
/// The longest delay between attempts: nobody should wait longer for a server that is back.
pub const RETRY_LONGEST: Duration = Duration::from_secs(20);
/// How often the round trip is measured. More often than the server pings: people look at it.
pub const MEASURE_EVERY: Duration = Duration::from_secs(15);
/// Time that a server which is there again gets to store the first message, however long it was away; less
/// for who has less patience in all.
pub const ANSWER_TIME: Duration = Duration::from_secs(10);
/// Time that an attempt gets at least, however soon we give up.
const ATTEMPT_SHORTEST: Duration = Duration::from_secs(1);
/// How long a goodbye may take.
const GOODBYE_TIME: Duration = Duration::from_secs(2);
/// Messages on their way without an `ok`: enough to fill the log's commits, and few to send again.
pub const IN_FLIGHT: usize = 64;
/// Updates that wait for whoever reads them. When it is full the link stops reading, and the server
/// waits for it as for any slow reader.
const UPDATES: usize = 1024;
/// Numbers tried behind a nick that is taken.
const NICK_ATTEMPTS: u32 = 9;

/// What to connect to, and as whom.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where.
    pub address: Address,
    /// What to be called. Taken already, it gets a number: the real one is in [`Update::Online`].
    pub nick: Nick,
    /// What program this is, for the host's log.
    pub agent: Line,
    /// How long to go on while nothing succeeds: there is no connection, or there are messages and none of
    /// them is stored. `None`: for ever.
    pub give_up_after: Option<Duration>,
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
        /// Milliseconds; the server's clock minus this one.
        offset: i64,
    },
    /// The end, by our own wish or because there is no point in going on. Nothing follows.
    Ended {
        /// Why, as a sentence for people.
        why: String,
        /// Messages that the server never acknowledged.
        unsent: Vec<Command>,
        /// It is what we asked for by [`Link::quit`].
        wanted: bool,
    },
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
    /// Hands a command over. `join` and `leave` are remembered across breaks, and so are messages and
    /// topics, until they are acknowledged. Anything else is asked once, and fails when there is no
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
    let (orders, orders_in) = mpsc::unbounded_channel();
    let (updates, updates_out) = mpsc::channel(UPDATES);
    let keeper = Keeper {
        nick: config.nick.clone(),
        wished: config.nick.clone(),
        config,
        orders: orders_in,
        updates,
        rooms: BTreeMap::new(),
        waiting: VecDeque::new(),
        on_their_way: VecDeque::new(),
        questions: Vec::new(),
        measuring: None,
        resume: None,
        log_id: None,
        failures: 0,
        held_until: None,
        stuck_since: Some(Instant::now()),
    };
    tokio::spawn(keeper.run());
    (Link { orders }, updates_out)
}

/// Why a connection, or the attempt at one, ended.
#[derive(Debug, Error)]
pub(super) enum Break {
    #[error("{0}")]
    Connect(String),
    #[error("the connection broke: {0}")]
    Frame(#[from] FrameError),
    #[error("nothing was heard from the server for {} s", DEAD_AFTER.as_secs())]
    Silent,
    #[error("{}", .0.sentence())]
    Bye(Reason),
    #[error("the server closed the connection")]
    Closed,
    #[error("the server refused us: {0}")]
    Refused(Failure),
    #[error("the server said something that makes no sense here: {0}")]
    Nonsense(String),
    #[error("the server left out entries of {0} without saying so")]
    Hole(RoomName),
    #[error("the server has stored nothing for {} s", .0.as_secs())]
    Stuck(Duration),
    #[error("you left")]
    Quit,
    #[error("nobody listens any more")]
    Unheard,
}

impl Break {
    /// Whether trying again has no point, or is not wanted.
    fn is_final(&self) -> bool {
        match self {
            Self::Quit | Self::Unheard | Self::Stuck(_) => true,
            Self::Refused(failure) => failure.code != ErrorCode::NickTaken && failure.ends_with().is_final(),
            Self::Bye(reason) => reason.is_final(),
            _ => false,
        }
    }
}

/// A room that we want to be in.
#[derive(Debug)]
struct Seat {
    /// The last `seq` that was delivered.
    cursor: u64,
    /// See [`Join::limit`].
    limit: Option<u64>,
    /// The limit is for the beginning only; see [`Link::follow`].
    follow: bool,
    /// The beginning is over: the cursor has moved, or there was nothing to move over.
    begun: bool,
    /// The `re` of the join that is to come or under way. It stays the same until it is answered, so that
    /// whoever asked hears of it, also after a break.
    joining: Option<RequestId>,
    /// The cursor that the last join gave.
    joined_after: u64,
}

impl Seat {
    fn limit(&self) -> Option<u64> {
        if self.follow && self.begun { None } else { self.limit }
    }

    fn move_to(&mut self, cursor: u64) {
        self.cursor = cursor;
        self.begun = true;
    }
}

/// A ping of our own that is under way.
#[derive(Debug)]
struct Measuring {
    id: RequestId,
    asked: Instant,
    asked_at: Time,
}

struct Keeper {
    config: Config,
    /// What we are called there.
    nick: Nick,
    /// What we would be called if nobody else were: the nick without a number.
    wished: Nick,
    orders: mpsc::UnboundedReceiver<Order>,
    updates: mpsc::Sender<Update>,
    rooms: BTreeMap<RoomName, Seat>,
    /// Messages not yet sent on this connection.
    waiting: VecDeque<Command>,
    /// Messages sent on this connection and not acknowledged.
    on_their_way: VecDeque<Command>,
    /// Questions asked on this connection and not answered: they are not asked again.
    questions: Vec<RequestId>,
    measuring: Option<Measuring>,
    resume: Option<Uuid>,
    log_id: Option<Uuid>,
    /// Times that it went wrong since it last went well: what makes the delays grow.
    failures: u32,
    /// Nothing is sent before this, because the server could not store.
    held_until: Option<Instant>,
    /// Since when nothing succeeds, though it should: there is no connection, or there are messages.
    stuck_since: Option<Instant>,
}

impl Keeper {
    async fn run(mut self) {
        loop {
            let ended = match self.connect().await {
                Ok(connection) => {
                    let online_since = Instant::now();
                    let ended = self.converse(connection).await;
                    if online_since.elapsed() > RETRY_LONGEST {
                        self.failures = 0;
                    }
                    ended
                }
                Err(ended) => ended,
            };
            self.take_back_what_was_on_its_way();
            self.failures += 1;
            let now = Instant::now();
            let stuck_since = *self.stuck_since.get_or_insert(now);
            let give_up_at = self.give_up_at(stuck_since);
            if ended.is_final() || give_up_at.is_some_and(|end| now >= end) {
                return self.end(&ended).await;
            }
            let retry_at = now + self.delay();
            // The last attempt is at the very end.
            let retry_at = give_up_at.map_or(retry_at, |end| retry_at.min(end));
            if self.report_break(ended.to_string(), retry_at).await.is_err() {
                return;
            }
            if let Err(ended) = self.wait_until(retry_at).await {
                return self.end(&ended).await;
            }
        }
    }

    async fn report_break(&mut self, why: String, retry_at: Instant) -> Result<(), Break> {
        for question in std::mem::take(&mut self.questions) {
            self.fail_offline(Some(question), "the connection broke before the answer came").await?;
        }
        self.tell(Update::Offline { why, retry_at }).await
    }

    async fn fail_offline(&self, re: Option<RequestId>, why: &str) -> Result<(), Break> {
        self.tell(Update::Failed(Failure { re, ..Failure::new(ErrorCode::Offline, why) })).await
    }

    async fn end(self, ended: &Break) {
        let update = Update::Ended {
            why: ended.to_string(),
            unsent: self.waiting.into(),
            wanted: matches!(ended, Break::Quit | Break::Bye(Reason::Quit)),
        };
        // Nobody there to hear it is one of the ways to end.
        drop(self.updates.send(update).await);
    }

    /// When our patience ends. One that is beyond all clocks never does.
    fn give_up_at(&self, stuck_since: Instant) -> Option<Instant> {
        stuck_since.checked_add(self.config.give_up_after?)
    }

    /// Half of the doubling delay, and a random part of the other half.
    fn delay(&self) -> Duration {
        let full =
            RETRY_FIRST.saturating_mul(1 << self.failures.min(10).saturating_sub(1)).min(RETRY_LONGEST);
        full / 2 + full.mul_f64(fastrand::f64() / 2.0)
    }

    /// Waits for the next attempt and takes orders meanwhile.
    async fn wait_until(&mut self, retry_at: Instant) -> Result<(), Break> {
        loop {
            tokio::select! {
                () = sleep_until(retry_at) => return Ok(()),
                order = self.orders.recv() => match order {
                    Some(Order::RetryNow) => return Ok(()),
                    order => self.keep(order).await?,
                },
            }
        }
    }

    /// Does `work` and takes orders meanwhile.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Break> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                order = self.orders.recv() => self.keep(order).await?,
            }
        }
    }

    /// An order while there is no connection: kept if it can be kept, otherwise it fails.
    async fn keep(&mut self, order: Option<Order>) -> Result<(), Break> {
        match order {
            Some(Order::Submit(Command::Join(join))) => self.sit_down(join, false),
            Some(Order::Follow(join)) => self.sit_down(join, true),
            Some(Order::Submit(Command::Leave(leave))) => {
                self.rooms.remove(&leave.room);
            }
            Some(Order::Submit(command @ (Command::Send(_) | Command::Topic(_)))) => {
                self.waiting.push_back(command);
            }
            Some(Order::Submit(Command::Nick(set))) => self.wish_for(set.nick),
            Some(Order::Submit(other)) => {
                self.fail_offline(other.request_id(), "there is no connection to the server").await?;
            }
            Some(Order::RetryNow) => {}
            Some(Order::Quit) | None => return Err(Break::Quit),
        }
        Ok(())
    }

    /// Takes a seat in a room, or keeps the cursor of the one that there is; [`Keeper::rejoin`] tells the server.
    fn sit_down(&mut self, join: Join, follow: bool) {
        let cursor = self.rooms.get(&join.room).map_or(join.after, |seat| seat.cursor);
        let joining = Some(join.id.unwrap_or_else(|| Uuid::now_v7().into()));
        let seat = Seat { cursor, limit: join.limit, follow, begun: false, joining, joined_after: cursor };
        self.rooms.insert(join.room, seat);
    }

    fn wish_for(&mut self, nick: Nick) {
        self.wished = nick.clone();
        self.nick = nick;
    }

    async fn tell(&self, update: Update) -> Result<(), Break> {
        self.updates.send(update).await.map_err(|_| Break::Unheard)
    }

    fn take_back_what_was_on_its_way(&mut self) {
        while let Some(command) = self.on_their_way.pop_back() {
            self.waiting.push_front(command);
        }
    }

    // --- connecting -------------------------------------------------------------------------

    /// Connects and says hello, with a number behind the nick while it is taken.
    async fn connect(&mut self) -> Result<Connection, Break> {
        self.tell(Update::Connecting { attempt: self.failures + 1 }).await?;
        let mut number = 1;
        let (connection, welcome, ready) = loop {
            let hello = Hello {
                protocol: protocol::VERSION,
                nick: self.nick.clone(),
                resume: self.resume,
                agent: self.config.agent.clone(),
            };
            let patience = self.config.give_up_after.unwrap_or(Duration::MAX).max(ATTEMPT_SHORTEST);
            let outcome = self.meanwhile(attempt(self.config.address.clone(), hello, patience)).await?;
            match outcome {
                Err(Break::Refused(failure))
                    if failure.code == ErrorCode::NickTaken && number < NICK_ATTEMPTS =>
                {
                    number += 1;
                    self.nick = self.wished.numbered(number);
                }
                outcome => break outcome?,
            }
        };
        self.resume = Some(ready.session);
        self.nick = ready.you.nick.clone();
        let new_log = self.log_id.is_some_and(|known| known != welcome.server.id);
        self.log_id = Some(welcome.server.id);
        if new_log {
            for seat in self.rooms.values_mut() {
                (seat.cursor, seat.begun) = (0, false);
            }
        }
        if self.waiting.is_empty() {
            self.stuck_since = None;
        }
        self.tell(Update::Online { welcome: Box::new(welcome), ready, new_log }).await?;
        Ok(connection)
    }

    // --- conversing -------------------------------------------------------------------------

    async fn converse(&mut self, mut connection: Connection) -> Break {
        match self.resume_and_listen(&mut connection).await {
            Ok(never) => match never {},
            Err(Break::Quit) => {
                // The server answers `bye` after everything before it; what it still says is heard.
                let goodbye = timeout(GOODBYE_TIME, self.say_goodbye(&mut connection)).await;
                goodbye.unwrap_or(Break::Quit)
            }
            Err(ended) => ended,
        }
    }

    async fn say_goodbye(&mut self, connection: &mut Connection) -> Break {
        connection.say(&Command::Bye(Plain::default()));
        loop {
            let heard = match connection.next().await {
                Ok(Some(json)) => self.hear(json).await,
                Ok(None) => return Break::Quit,
                Err(error) => return error.into(),
            };
            match heard {
                Err(Break::Bye(Reason::Quit)) => return Break::Quit,
                Err(other) => return other,
                Ok(_) => {}
            }
        }
    }

    async fn resume_and_listen(
        &mut self,
        connection: &mut Connection,
    ) -> Result<std::convert::Infallible, Break> {
        let rooms: Vec<RoomName> = self.rooms.keys().cloned().collect();
        for room in rooms {
            if let Some(join) = self.rejoin(&room) {
                connection.say(&join);
            }
        }
        let online_since = Instant::now();
        let mut heard_at = online_since;
        let mut measure_at = online_since;
        self.measuring = None;
        loop {
            self.send_what_waits(connection);
            let held_until = self.held_until;
            let give_up_at = self.stuck_since.and_then(|since| self.give_up_at(since));
            let patience = self.config.give_up_after.unwrap_or_default();
            let give_up_at = give_up_at.map(|end| end.max(online_since + ANSWER_TIME.min(patience)));
            tokio::select! {
                frame = connection.next() => {
                    let Some(json) = frame? else { return Err(Break::Closed) };
                    if let Heard::Ping = self.hear(json).await? {
                        connection.say(&Command::Pong(Plain::default()));
                    }
                    // After the hearing: what waited for whoever listens to us was not the server's silence.
                    heard_at = Instant::now();
                }
                order = self.orders.recv() => match order {
                    Some(Order::Submit(command)) => self.carry_out(command, connection),
                    Some(Order::Follow(join)) => self.join(join, true, connection),
                    Some(Order::RetryNow) => self.held_until = None,
                    Some(Order::Quit) | None => return Err(Break::Quit),
                },
                // Not behind messages that the server holds up: that would measure the wrong thing.
                () = sleep_until(measure_at), if self.measuring.is_none() && self.on_their_way.is_empty() => {
                    measure_at = Instant::now() + MEASURE_EVERY;
                    self.measure(connection);
                }
                () = sleep_until(held_until.unwrap_or(heard_at)), if held_until.is_some() => self.held_until = None,
                () = sleep_until(give_up_at.unwrap_or(heard_at)), if give_up_at.is_some() => {
                    return Err(Break::Stuck(patience));
                }
                () = sleep_until(heard_at + DEAD_AFTER) => return Err(Break::Silent),
            }
        }
    }

    fn measure(&mut self, connection: &mut Connection) {
        let id = RequestId::from(Uuid::now_v7());
        connection.say(&Command::Ping(Plain { id: Some(id.clone()) }));
        self.measuring = Some(Measuring { id, asked: Instant::now(), asked_at: Time::now() });
    }

    /// The command that takes our seat in `room` again, from the cursor.
    fn rejoin(&mut self, room: &RoomName) -> Option<Command> {
        let seat = self.rooms.get_mut(room)?;
        let id = seat.joining.get_or_insert_with(|| Uuid::now_v7().into()).clone();
        seat.joined_after = seat.cursor;
        let (after, limit) = (seat.cursor, seat.limit());
        Some(Command::Join(Join { id: Some(id), room: room.clone(), after, limit }))
    }

    fn join(&mut self, join: Join, follow: bool, connection: &mut Connection) {
        let room = join.room.clone();
        self.sit_down(join, follow);
        if let Some(join) = self.rejoin(&room) {
            connection.say(&join);
        }
    }

    fn carry_out(&mut self, command: Command, connection: &mut Connection) {
        match command {
            Command::Send(_) | Command::Topic(_) => {
                self.stuck_since.get_or_insert_with(Instant::now);
                self.waiting.push_back(command);
            }
            Command::Join(join) => self.join(join, false, connection),
            question => {
                if let Command::Leave(leave) = &question {
                    self.rooms.remove(&leave.room);
                }
                self.questions.extend(question.request_id());
                connection.say(&question);
            }
        }
    }

    fn send_what_waits(&mut self, connection: &mut Connection) {
        if self.held_until.is_some() {
            return;
        }
        while self.on_their_way.len() < IN_FLIGHT {
            // A message goes only where we already sit: the join's answer comes first.
            let ready = self.waiting.front().is_some_and(|command| match command {
                Command::Send(protocol::command::Send { room, .. })
                | Command::Topic(protocol::command::SetTopic { room, .. }) => {
                    self.rooms.get(room).is_none_or(|seat| seat.joining.is_none())
                }
                _ => true,
            });
            let Some(command) = self.waiting.pop_front_if(|_| ready) else { break };
            connection.say(&command);
            self.on_their_way.push_back(command);
        }
    }

    /// Takes in one event: moves cursors, ticks off messages, and passes it on.
    async fn hear(&mut self, json: Bytes) -> Result<Heard, Break> {
        let event = Event::decode(&json).map_err(|error| Break::Nonsense(error.to_string()))?;
        match &event {
            Event::Entry(entry) if !self.move_cursor(entry)? => return Ok(Heard::Nothing),
            Event::Gap(gap) => {
                let Some(seat) = self.rooms.get_mut(&gap.room) else { return Ok(Heard::Nothing) };
                if gap.from != seat.cursor + 1 || gap.to < gap.from {
                    return Err(Break::Hole(gap.room.clone()));
                }
                seat.move_to(gap.to);
            }
            Event::Ok(okay) => self.note(okay),
            Event::Error(failure) => {
                if failure.code.is_temporary() && self.is_ours(failure.re.as_ref()) {
                    return self.hold(failure.clone()).await;
                }
                if let Some(re) = &failure.re {
                    self.rooms.retain(|_, seat| seat.joining.as_ref() != Some(re));
                }
                self.tick_off(failure.re.as_ref());
                self.tell(Update::Failed(failure.clone())).await?;
                return Ok(Heard::Nothing);
            }
            Event::Page(page) => self.tick_off(page.re.as_ref()),
            Event::People(people) => self.tick_off(people.re.as_ref()),
            Event::Rooms(rooms) => self.tick_off(rooms.re.as_ref()),
            Event::Ping(_) => return Ok(Heard::Ping),
            Event::Pong(pong) => {
                if let Some(latency) = self.measured(pong) {
                    self.tell(latency).await?;
                    return Ok(Heard::Nothing);
                }
                self.tick_off(pong.re.as_ref());
            }
            Event::Bye(bye) => return Err(Break::Bye(bye.reason)),
            _ => {}
        }
        self.tell(Update::Event(event, json)).await?;
        Ok(Heard::Nothing)
    }

    fn note(&mut self, okay: &Okay) {
        if let Some(info) = &okay.room
            && let Some(seat) = self.rooms.get_mut(&info.room)
            && seat.joining == okay.re
        {
            seat.joining = None;
            // A log that is shorter than we remember was restored from an older copy.
            if info.last < seat.joined_after {
                seat.cursor = info.last;
            }
            seat.begun |= seat.cursor >= info.last;
        }
        if let Some(you) = &okay.you {
            self.wish_for(you.nick.clone());
        }
        self.tick_off(okay.re.as_ref());
    }

    /// What our own ping has measured, if this is the answer to it.
    fn measured(&mut self, pong: &Pong) -> Option<Update> {
        let Measuring { asked, asked_at, .. } =
            self.measuring.take_if(|ours| Some(&ours.id) == pong.re.as_ref())?;
        let round_trip = asked.elapsed();
        let half = i64::try_from(round_trip.as_millis() / 2).unwrap_or(0);
        let offset = pong.now.as_millis() - (asked_at.as_millis() + half);
        Some(Update::Latency { round_trip, offset })
    }

    /// Whether `entry` is the next of a room that we sit in. One that came already is not, and a hole
    /// ends the connection: the next one starts from the cursor.
    fn move_cursor(&mut self, entry: &Entry) -> Result<bool, Break> {
        let Some(seat) = self.rooms.get_mut(&entry.room) else { return Ok(false) };
        if entry.seq <= seat.cursor {
            return Ok(false);
        }
        if entry.seq != seat.cursor + 1 {
            return Err(Break::Hole(entry.room.clone()));
        }
        seat.move_to(entry.seq);
        Ok(true)
    }

    /// The server could not store: everything is kept, in its order, and sent again after a while.
    /// What was stored after all is answered `ok` again, because the ids are the same.
    async fn hold(&mut self, failure: Failure) -> Result<Heard, Break> {
        self.take_back_what_was_on_its_way();
        if self.held_until.is_none() {
            self.failures += 1;
            let retry_at = Instant::now() + self.delay();
            self.held_until = Some(retry_at);
            self.tell(Update::Held { failure, retry_at }).await?;
        }
        Ok(Heard::Nothing)
    }

    fn is_ours(&self, re: Option<&RequestId>) -> bool {
        let mut ours = self.on_their_way.iter().chain(&self.waiting);
        re.is_some() && ours.any(|command| command.request_id().as_ref() == re)
    }

    /// `re` was answered.
    fn tick_off(&mut self, re: Option<&RequestId>) {
        let Some(re) = re else { return };
        let is_it = |command: &Command| command.request_id().as_ref() == Some(re);
        if let Some(place) = self.questions.iter().position(|question| question == re) {
            self.questions.swap_remove(place);
        } else if let Some(place) = self.on_their_way.iter().position(is_it) {
            // The oldest is the likeliest.
            self.on_their_way.remove(place);
            self.failures = 0;
            self.progressed();
        } else if self.held_until.is_some() {
            // Stored after all. Only then is a long line of waiting ones searched.
            self.waiting.retain(|command| !is_it(command));
            self.progressed();
        }
    }

    fn progressed(&mut self) {
        let done = self.on_their_way.is_empty() && self.waiting.is_empty();
        self.stuck_since = (!done).then(Instant::now);
    }
}

/// What the connection itself must answer.
enum Heard {
    Nothing,
    Ping,
}
