//! The task behind a link: connects, converses, and tries again, taking orders all the while.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use uuid::Uuid;

use super::clock::{Clock, Estimate, Exchange};
use super::connect::{Connection, Greeted, attempt};
use super::dial::Dial;
use super::ending::{Break, is_a_names};
use super::memory::{Memory, Settled};
use super::{
    ANSWER_TIME, Config, MEASURE_AT_FIRST, MEASURE_EVERY, MEASURES_AT_FIRST, Met, Order, RETRY_FIRST,
    RETRY_LONGEST, Secret, Update,
};
use crate::protocol;
use crate::protocol::command::{Command, Hello, Join, Ping, Plain, RequestId};
use crate::protocol::event::{Bye, ErrorCode, Event, Failure, Okay, Pong, Reason};
use crate::protocol::invite::Pin;
use crate::protocol::limits::DEAD_AFTER;
use crate::protocol::name::Nick;
use crate::protocol::proof::Passphrase;
use crate::protocol::text::Line;
use crate::protocol::time::Time;

/// Time that an attempt gets at least, however soon we give up.
const ATTEMPT_SHORTEST: Duration = Duration::from_secs(1);
/// How long a goodbye may take.
const GOODBYE_TIME: Duration = Duration::from_secs(2);
/// Numbers tried behind a nick that is taken.
const NICK_ATTEMPTS: u32 = 9;

/// A ping of our own that is under way.
#[derive(Debug)]
struct Measuring {
    id: RequestId,
    asked: Instant,
}

/// See the module.
pub(super) struct Keeper {
    dial: Dial,
    config: Config,
    /// What we are called there.
    nick: Nick,
    /// What we would be called if nobody else were: the nick without a number.
    wished: Nick,
    orders: mpsc::UnboundedReceiver<Order>,
    updates: mpsc::Sender<Update>,
    memory: Memory,
    measuring: Option<Measuring>,
    /// What the measurements of this connection say of the server's clock.
    clock: Clock,
    resume: Option<Uuid>,
    /// How we were sure of each other the last time.
    met: Met,
    log_id: Option<Uuid>,
    /// Times that it went wrong since it last went well: what makes the delays grow.
    failures: u32,
    /// Nothing is sent before this, because the server could not store.
    held_until: Option<Instant>,
    /// Since when nothing succeeds, though it should: there is no connection, or there are messages.
    stuck_since: Option<Instant>,
}

impl Keeper {
    pub(super) fn new(
        dial: Dial,
        config: Config,
        orders: mpsc::UnboundedReceiver<Order>,
        updates: mpsc::Sender<Update>,
    ) -> Self {
        Self {
            nick: config.nick.clone(),
            wished: config.nick.clone(),
            dial,
            config,
            orders,
            updates,
            memory: Memory::default(),
            measuring: None,
            clock: Clock::default(),
            resume: None,
            met: Met::default(),
            log_id: None,
            failures: 0,
            held_until: None,
            stuck_since: Some(Instant::now()),
        }
    }

    pub(super) async fn run(mut self) {
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
            self.memory.take_back();
            self.failures += 1;
            let now = Instant::now();
            let stuck_since = *self.stuck_since.get_or_insert(now);
            let give_up_at = self.give_up_at(stuck_since);
            let hopeless = ended.is_hopeless() && self.log_id.is_none();
            if ended.is_final() || hopeless || give_up_at.is_some_and(|end| now >= end) {
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
        for question in self.memory.unanswered() {
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
            barrier: ended.barrier(),
            unsent: self.memory.unsent(),
            wanted: is_wanted(ended),
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
                biased;
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
                biased;
                done = &mut work => return Ok(done),
                order = self.orders.recv() => self.keep(order).await?,
            }
        }
    }

    /// An order while there is no connection: kept if it can be kept, otherwise it fails.
    async fn keep(&mut self, order: Option<Order>) -> Result<(), Break> {
        match order {
            Some(Order::Submit(Command::Join(join))) => self.memory.sit_down(join, false),
            Some(Order::Follow(join)) => self.memory.sit_down(join, true),
            Some(Order::Submit(Command::Leave(leave))) => {
                self.memory.stand_up(&leave.room);
            }
            Some(Order::Submit(command)) if command.adds_to().is_some() => self.memory.keep(command),
            Some(Order::Submit(Command::Nick(set))) => self.wish_for(set.nick),
            Some(Order::Submit(other)) => {
                self.fail_offline(other.request_id(), "there is no connection to the server").await?;
            }
            Some(Order::RetryNow) => {}
            Some(Order::Quit) | None => return Err(Break::Quit),
        }
        Ok(())
    }

    fn wish_for(&mut self, nick: Nick) {
        self.wished = nick.clone();
        self.nick = nick;
    }

    async fn tell(&self, update: Update) -> Result<(), Break> {
        self.updates.send(update).await.map_err(|_| Break::Unheard)
    }

    // --- connecting -------------------------------------------------------------------------

    /// Connects and says hello, with a number behind the nick while it is taken.
    async fn connect(&mut self) -> Result<Connection, Break> {
        self.tell(Update::Connecting { attempt: self.failures + 1 }).await?;
        let mut number = 1;
        let Greeted { connection, welcome, ready, met } = loop {
            let hello = Hello {
                protocol: protocol::VERSION,
                nick: self.nick.clone(),
                resume: self.resume,
                proof: None,
                ticket: None,
                identity: None,
                apart: self.config.apart,
                agent: self.config.agent.clone(),
            };
            let patience = self.config.give_up_after.unwrap_or(Duration::MAX).max(ATTEMPT_SHORTEST);
            let Config { address, trust, .. } = self.config.clone();
            let attempt = attempt(self.dial.clone(), address, trust, self.met.key.clone(), hello, patience);
            let outcome = self.meanwhile(attempt).await?;
            match outcome {
                Err(Break::Refused(failure)) if is_a_names(&failure) && number < NICK_ATTEMPTS => {
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
            self.memory.begin_again();
        }
        if self.memory.is_all_acknowledged() {
            self.stuck_since = None;
        }
        // Whoever answers here later must be the same.
        if let Some(fingerprint) = &met.fingerprint {
            self.config.trust.pin = Some(Pin::of(fingerprint));
        }
        let news = self.remember(&met).await;
        self.met = met.clone();
        self.tell(Update::Online { welcome: Box::new(welcome), ready, met, news, new_log }).await?;
        Ok(connection)
    }

    /// Keeps what is new about the server; says it, or why it could not be kept.
    async fn remember(&self, met: &Met) -> Option<String> {
        let acquaintances = self.config.acquaintances.clone().filter(|_| self.met != *met)?;
        let (address, met) = (self.config.address.clone(), met.clone());
        let remembered = tokio::task::spawn_blocking(move || acquaintances.remember(&address, &met)).await;
        remembered.ok()?.unwrap_or_else(|error| Some(error.to_string()))
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
                Err(Break::Bye(Bye { reason: Reason::Quit, .. })) => return Break::Quit,
                Err(other) => return other,
                Ok(_) => {}
            }
        }
    }

    async fn resume_and_listen(&mut self, connection: &mut Connection) -> Result<Infallible, Break> {
        for join in self.memory.rejoin_all() {
            connection.say(&join);
        }
        let online_since = Instant::now();
        let mut heard_at = online_since;
        let (mut measure_at, mut measured) = (online_since, 0_u32);
        self.measuring = None;
        // Another server, perhaps, or another day: the machine may have slept.
        self.clock = Clock::default();
        loop {
            self.send_what_waits(connection);
            let held_until = self.held_until;
            let give_up_at = self.stuck_since.and_then(|since| self.give_up_at(since));
            let patience = self.config.give_up_after.unwrap_or_default();
            let give_up_at = give_up_at.map(|end| end.max(online_since + ANSWER_TIME.min(patience)));
            // In this order, and not in that of chance, so that a run can be repeated. A busy room always has another frame,
            // so what is rarer comes before it: orders, whose number whoever gives them bounds, and times.
            tokio::select! {
                biased;
                order = self.orders.recv() => match order {
                    Some(Order::Submit(command)) => self.carry_out(command, connection),
                    Some(Order::Follow(join)) => self.join(join, true, connection),
                    Some(Order::RetryNow) => self.held_until = None,
                    Some(Order::Quit) | None => return Err(Break::Quit),
                },
                // Not behind messages that the server holds up: that would measure the wrong thing.
                () = sleep_until(measure_at), if self.measuring.is_none() && !self.memory.is_any_on_its_way() => {
                    measured = measured.saturating_add(1);
                    let next = if measured < MEASURES_AT_FIRST { MEASURE_AT_FIRST } else { MEASURE_EVERY };
                    measure_at = Instant::now() + next;
                    self.measure(connection);
                }
                () = sleep_until(held_until.unwrap_or(heard_at)), if held_until.is_some() => self.held_until = None,
                () = sleep_until(give_up_at.unwrap_or(heard_at)), if give_up_at.is_some() => {
                    return Err(Break::Stuck(patience));
                }
                frame = connection.next() => {
                    let Some(json) = frame? else { return Err(Break::Closed) };
                    if let Heard::Ping = self.hear(json).await? {
                        connection.say(&Command::Pong(Plain::default()));
                    }
                    // After the hearing: what waited for whoever listens to us was not the server's silence.
                    heard_at = Instant::now();
                }
                // After a machine has slept, what came meanwhile counts.
                () = sleep_until(heard_at + DEAD_AFTER) => return Err(Break::Silent),
            }
        }
    }

    fn measure(&mut self, connection: &mut Connection) {
        let id = RequestId::from(Uuid::now_v7());
        connection.say(&Command::Ping(Ping { id: Some(id.clone()), sent: Some(Time::now()) }));
        self.measuring = Some(Measuring { id, asked: Instant::now() });
    }

    fn join(&mut self, join: Join, follow: bool, connection: &mut Connection) {
        let room = join.room.clone();
        self.memory.sit_down(join, follow);
        if let Some(join) = self.memory.rejoin(&room) {
            connection.say(&join);
        }
    }

    fn carry_out(&mut self, command: Command, connection: &mut Connection) {
        match command {
            command if command.adds_to().is_some() => {
                self.stuck_since.get_or_insert_with(Instant::now);
                self.memory.keep(command);
            }
            Command::Join(join) => self.join(join, false, connection),
            question => {
                if let Command::Leave(leave) = &question {
                    self.memory.stand_up(&leave.room);
                }
                self.memory.ask(&question);
                connection.say(&question);
            }
        }
    }

    fn send_what_waits(&mut self, connection: &mut Connection) {
        if self.held_until.is_some() {
            return;
        }
        while let Some(message) = self.memory.next_to_send() {
            connection.say(message);
        }
    }

    /// Takes in one event: moves cursors, ticks off messages, and passes it on.
    async fn hear(&mut self, json: Bytes) -> Result<Heard, Break> {
        let event = Event::decode(&json)?;
        match &event {
            Event::Entry(entry) if !self.memory.move_cursor(entry)? => return Ok(Heard::Nothing),
            Event::Gap(gap) if !self.memory.skip(gap)? => return Ok(Heard::Nothing),
            Event::Ok(okay) => self.note(okay),
            Event::Error(failure) => {
                if failure.code.is_temporary() && self.memory.is_ours(failure.re.as_ref()) {
                    return self.hold(failure.clone()).await;
                }
                let mut failure = failure.clone();
                // Whoever joined long ago must be told which room it was.
                if let Some(room) = failure.re.as_ref().and_then(|re| self.memory.refuse(re))
                    && !failure.message.as_str().contains(room.as_str())
                {
                    failure.message = Line::lossy(&format!("{room}: {}", failure.message));
                }
                self.tick_off(failure.re.as_ref());
                self.tell(Update::Failed(failure)).await?;
                return Ok(Heard::Nothing);
            }
            Event::Page(page) => self.tick_off(page.re.as_ref()),
            Event::People(people) => self.tick_off(people.re.as_ref()),
            Event::Rooms(rooms) => self.tick_off(rooms.re.as_ref()),
            Event::Whois(whois) => self.tick_off(whois.re.as_ref()),
            Event::Audit(audit) => self.tick_off(audit.re.as_ref()),
            Event::Stats(stats) => self.tick_off(stats.re.as_ref()),
            Event::Motd(motd) => self.tick_off(motd.re.as_ref()),
            Event::Tickets(tickets) => self.tick_off(tickets.re.as_ref()),
            Event::Reactions(reactions) => self.tick_off(reactions.re.as_ref()),
            Event::Earlier(earlier) => self.tick_off(earlier.re.as_ref()),
            Event::Found(found) => self.tick_off(found.re.as_ref()),
            Event::Ping(_) => return Ok(Heard::Ping),
            Event::Pong(pong) => {
                if let Some(ours) = self.measuring.take_if(|ours| Some(&ours.id) == pong.re.as_ref()) {
                    if let Some(latency) = self.measured(&ours, pong) {
                        self.tell(latency).await?;
                    }
                    return Ok(Heard::Nothing);
                }
                self.tick_off(pong.re.as_ref());
            }
            Event::Bye(bye) => return Err(Break::Bye(bye.clone())),
            _ => {}
        }
        self.tell(Update::Event(event, json)).await?;
        Ok(Heard::Nothing)
    }

    fn note(&mut self, okay: &Okay) {
        self.memory.note(okay);
        if let Some(you) = &okay.you {
            self.wish_for(you.nick.clone());
        }
        // Whoever makes a new passphrase must find the way back in.
        if let Some(words) = okay.words.as_ref().and_then(|words| Passphrase::new(words.as_str()).ok()) {
            self.config.trust.secret = Some(Secret::Words(words));
        }
        self.tick_off(okay.re.as_ref());
    }

    /// What our own ping has measured; nothing where the answer makes no sense.
    fn measured(&mut self, ours: &Measuring, pong: &Pong) -> Option<Update> {
        let (round_trip, heard) = (ours.asked.elapsed(), Time::now());
        // An older server says only when it answered.
        let received = pong.received.unwrap_or(pong.now);
        self.clock.add(Exchange { received, answered: pong.now, heard, took: round_trip });
        let Estimate { offset, within } = self.clock.estimate()?;
        Some(Update::Latency { round_trip, offset, within })
    }

    /// The server could not store: everything is kept, in its order, and sent again after a while.
    /// What was stored after all is answered `ok` again, because the ids are the same.
    async fn hold(&mut self, failure: Failure) -> Result<Heard, Break> {
        self.memory.take_back();
        if self.held_until.is_none() {
            self.failures += 1;
            let retry_at = Instant::now() + self.delay();
            self.held_until = Some(retry_at);
            self.tell(Update::Held { failure, retry_at }).await?;
        }
        Ok(Heard::Nothing)
    }

    /// `re` was answered.
    fn tick_off(&mut self, re: Option<&RequestId>) {
        let Some(re) = re else { return };
        match self.memory.tick_off(re, self.held_until.is_some()) {
            Settled::Nothing => return,
            Settled::Sent => self.failures = 0,
            Settled::Waiting => {}
        }
        self.stuck_since = (!self.memory.is_all_acknowledged()).then(Instant::now);
    }
}

/// Whether it ended as it should.
fn is_wanted(ended: &Break) -> bool {
    matches!(ended, Break::Quit | Break::Bye(Bye { reason: Reason::Quit, .. }))
}

/// What the connection itself must answer.
enum Heard {
    Nothing,
    Ping,
}
