//! The half that listens: reads commands, asks the hub, hands messages to the log.
//!
//! All messages that one read brought are handed over together: what arrives together is committed
//! together. It MUST reserve the place of an answer before it carries out a command.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncRead;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::warn;
use uuid::Uuid;

use super::aside::Aside;
use super::company::{self, Typed};
use super::{Follow, Heard, Out, changes, order, search};
use crate::protocol::command::{Command, History, Join, Ping, RequestId, Search, Send, SetTopic};
use crate::protocol::event::{
    Delayed, EntryKind, ErrorCode, Event, Failure, Gap, Motd, Okay, Page, Pong, Reason, RoomInfo, Rooms,
};
use crate::protocol::frame::{self, Frame, FrameError, FrameReader};
use crate::protocol::limits::{DELAY_TOLD_AFTER, SUBMISSION_ENTRIES};
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::proof::{Cost, ProofKey};
use crate::protocol::text::Line;
use crate::protocol::time::Time;
use crate::server::Context;
use crate::server::direct;
use crate::server::entrance;
use crate::server::handshake::too_large;
use crate::server::hub::{SessionId, Speaker};
use crate::server::live::Live;
use crate::server::log::Draft;
use crate::server::mailbox::Mailbox;
use crate::server::registry::{Barred, PersonId, Registry, Whom};
use crate::server::throttle::Throttle;

pub(super) struct Reader<'a, R> {
    frames: FrameReader<R>,
    mailbox: &'a Mailbox,
    heard: &'a Heard,
    /// Carries out searches.
    aside: &'a Aside,
    context: &'a Arc<Context>,
    /// What may change while we are here.
    live: watch::Receiver<Live>,
    session: SessionId,
    /// What counts as our address.
    block: Option<IpAddr>,
    /// Messages of this read that were not handed over yet.
    drafts: Vec<Draft>,
    messages: Pace,
    others: Pace,
    /// Searches, which are among the others too.
    searches: Throttle,
    typed: Typed,
}

impl<'a, R: AsyncRead + Unpin> Reader<'a, R> {
    pub(super) fn new(
        frames: FrameReader<R>,
        mailbox: &'a Mailbox,
        heard: &'a Heard,
        aside: &'a Aside,
        context: &'a Arc<Context>,
        session: SessionId,
        block: Option<IpAddr>,
    ) -> Self {
        let live = context.live.subscribe();
        let limits = live.borrow().limits.clone();
        let now = now();
        Self {
            frames,
            mailbox,
            heard,
            aside,
            context,
            live,
            session,
            block,
            drafts: Vec::new(),
            messages: Pace::new(Throttle::new(limits.message_burst, limits.messages_per_second, now), now),
            others: Pace::new(Throttle::new(limits.command_burst, limits.commands_per_second, now), now),
            searches: search::throttle(&limits, now),
            typed: Typed::default(),
        }
    }

    /// Listens no more, and gives back what it listened to.
    pub(super) fn into_stream(self) -> R {
        self.frames.into_inner()
    }

    /// Listens until there is nothing more to hear, and says why.
    pub(super) async fn run(&mut self) -> Reason {
        let reason = match self.listen().await {
            Ok(never) => match never {},
            Err(reason) => reason,
        };
        // What was asked before the end is answered.
        self.aside.done().await;
        reason
    }

    async fn listen(&mut self) -> Result<std::convert::Infallible, Reason> {
        loop {
            self.heard.listen();
            let read = self.frames.next().await;
            self.heard.heard();
            // On the heap: one who listens is as large as the waiting for the next frame, and not as the work on it.
            Box::pin(self.take(read)).await?;
        }
    }

    /// Carries out what one read brought.
    async fn take(&mut self, read: Result<Option<bytes::Bytes>, FrameError>) -> Result<(), Reason> {
        let mut next = self.checked(read).await?;
        while let Some(json) = next {
            match Command::decode(&json) {
                Ok(command) => self.carry_out(command).await?,
                Err(failure) => {
                    // Nonsense costs what sense does, or it would be a way around the rate.
                    self.hold_up(false, || failure.re.clone()).await?;
                    self.fail(failure).await;
                }
            }
            let ready = self.frames.next_ready();
            next = match ready {
                Ok(None) => None,
                other => self.checked(other).await?,
            };
        }
        self.hand_over().await
    }

    /// The frame that was read, or why there will be no other.
    async fn checked(
        &mut self,
        read: Result<Option<bytes::Bytes>, FrameError>,
    ) -> Result<Option<bytes::Bytes>, Reason> {
        match read {
            Ok(Some(json)) => Ok(Some(json)),
            Err(error @ FrameError::TooLarge { .. }) => {
                self.hand_over().await?;
                self.fail(too_large(&error)).await;
                Err(Reason::FrameTooLarge)
            }
            Ok(None) | Err(FrameError::Cut | FrameError::Io(_)) => {
                // What was said before the end counts.
                self.hand_over().await?;
                Err(Reason::Gone)
            }
        }
    }

    async fn carry_out(&mut self, command: Command) -> Result<(), Reason> {
        // Before it is held up, and after what came before it was handed over: that is no time under way.
        let pinged = matches!(command, Command::Ping(_)).then(Time::now);
        if !matches!(command, Command::Bye(_)) {
            let is_message = matches!(
                command,
                Command::Send(_)
                    | Command::Topic(_)
                    | Command::Edit(_)
                    | Command::Delete(_)
                    | Command::React(_)
            );
            self.hold_up(is_message, || command.request_id()).await?;
        }
        match command {
            Command::Send(Send { id, room, text, action, reply_to }) => {
                if let Some(Err(failure)) = reply_to.map(|seq| self.may_answer(&room, seq)) {
                    self.fail(Failure { re: Some(id.into()), ..failure }).await;
                    return Ok(());
                }
                let message = |by: Speaker| Draft {
                    action,
                    reply_to,
                    ..Draft::new(EntryKind::Message, room.clone(), id, by, text)
                };
                self.draft(&room, id, message).await
            }
            Command::Topic(SetTopic { id, room, text }) => {
                let who = self.context.hub.lock().who(self.session).ok().and_then(|(who, _)| who);
                if !self.context.registry.lock().may_set_topic(&room, who) {
                    let message =
                        format!("the topic of {room} is locked: its owner and the operators set it");
                    let failure = Failure::new(ErrorCode::NotAllowed, &message);
                    self.fail(Failure { re: Some(id.into()), ..failure }).await;
                    return Ok(());
                }
                let topic = |by| Draft::new(EntryKind::Topic, room.clone(), id, by, text);
                self.draft(&room, id, topic).await
            }
            change @ (Command::Edit(_) | Command::Delete(_) | Command::React(_)) => {
                // What was said before need not wait for the log to be read.
                self.hand_over().await?;
                let re = change.request_id();
                match Box::pin(changes::draft(self.context, self.session, change)).await {
                    Ok(draft) => self.drafts.push(draft),
                    Err(failure) => self.fail(Failure { re, ..failure }).await,
                }
                Ok(())
            }
            Command::Ping(Ping { id: re, sent }) => {
                self.hand_over().await?;
                let received = sent.and(pinged);
                self.say(&Event::Pong(Pong { re, sent, received, now: Time::now() })).await;
                Ok(())
            }
            other => {
                // In the order in which they were said.
                self.hand_over().await?;
                let re = other.request_id();
                match Box::pin(self.answer(other)).await {
                    Ok(()) => Ok(()),
                    Err(Stop::Failed(failure)) => {
                        self.fail(Failure { re, ..failure }).await;
                        Ok(())
                    }
                    Err(Stop::Over(reason)) => Err(reason),
                }
            }
        }
    }

    /// Delays a sender who is over the rate, and tells it when that goes on.
    async fn hold_up(
        &mut self,
        is_message: bool,
        re: impl FnOnce() -> Option<RequestId>,
    ) -> Result<(), Reason> {
        if self.live.has_changed().unwrap_or(false) {
            let limits = self.live.borrow_and_update().limits.clone();
            self.messages.throttle.set(limits.message_burst, limits.messages_per_second);
            self.others.throttle.set(limits.command_burst, limits.commands_per_second);
            self.searches = search::throttle(&limits, now());
        }
        let pace = if is_message { &mut self.messages } else { &mut self.others };
        let (wait, tell) = pace.take(now());
        if wait.is_zero() {
            return Ok(());
        }
        self.hand_over().await?;
        if let Some(held_up) = tell {
            let message = {
                let limits = &self.live.borrow().limits;
                if is_message {
                    format!(
                        "you are sending faster than {} messages a second: they are held up, none is lost",
                        limits.messages_per_second
                    )
                } else {
                    format!("more than {} commands a second: they are held up", limits.commands_per_second)
                }
            };
            let ms = u64::try_from(held_up.as_millis()).unwrap_or(u64::MAX);
            let delayed = Delayed { re: re(), ms, message: Line::lossy(&message) };
            self.say(&Event::Delayed(delayed)).await;
        }
        sleep(wait).await;
        Ok(())
    }

    /// Whether there is, or was, an entry that a message can answer.
    fn may_answer(&self, room: &RoomName, seq: u64) -> Result<(), Failure> {
        let hub = self.context.hub.lock();
        hub.check_in(self.session, room)?;
        if (1..=hub.published(room).unwrap_or(0)).contains(&seq) {
            return Ok(());
        }
        let message = format!("there is no message {seq} in that room to answer: leave reply_to out");
        Err(Failure::new(ErrorCode::NoSuchEntry, &message))
    }

    /// Takes what is to be added to a log, if we may.
    async fn draft(
        &mut self,
        room: &RoomName,
        id: Uuid,
        draft: impl FnOnce(Speaker) -> Draft,
    ) -> Result<(), Reason> {
        let speaker = speaker(self.context, self.session, room);
        match speaker.and_then(|by| direct::check_readers(self.context, room).map(|()| by)) {
            Ok(by) => self.drafts.push(draft(by)),
            Err(failure) => {
                self.fail(Failure { re: Some(id.into()), ..failure }).await;
                return Ok(());
            }
        }
        if self.drafts.len() >= SUBMISSION_ENTRIES {
            self.hand_over().await?;
        }
        Ok(())
    }

    /// Hands the messages that were gathered to the log.
    async fn hand_over(&mut self) -> Result<(), Reason> {
        if self.drafts.is_empty() {
            return Ok(());
        }
        let slot = self.mailbox.place().await;
        let drafts = std::mem::take(&mut self.drafts);
        self.context.log.append(drafts, slot).await.map_err(|_| Reason::Shutdown)
    }

    async fn answer(&mut self, command: Command) -> Result<(), Stop> {
        match command {
            Command::Join(join) => self.join(join).await?,
            Command::Leave(leave) => {
                self.context.hub.lock().part(self.session, &leave.room)?;
                let ok = Event::Ok(Okay { re: leave.id, ..Okay::default() });
                self.give(Out::Unfollow(leave.room, Frame::encode(&ok).into_bytes())).await;
            }
            Command::Nick(set) => {
                self.claim(&set.nick).await?;
                let you = self.context.hub.lock().rename(self.session, set.nick)?;
                self.say(&Event::Ok(Okay { re: set.id, you: Some(you), ..Okay::default() })).await;
            }
            Command::History(history) => self.history(history).await?,
            Command::Search(search) => self.search(*search).await?,
            Command::Who(who) => {
                self.may_look_into(&who.room)?;
                self.say(&order::who(self.context, self.session, who)?).await;
            }
            Command::Rooms(plain) => {
                let rooms = self.list();
                self.say(&Event::Rooms(Rooms { re: plain.id, rooms })).await;
            }
            order @ (Command::Kick(_)
            | Command::Ban(_)
            | Command::Unban(_)
            | Command::Mute(_)
            | Command::Unmute(_)
            | Command::Role(_)
            | Command::Rule(_)
            | Command::Passphrase(_)
            | Command::Ticket(_)
            | Command::Tickets(_)
            | Command::Revoke(_)
            | Command::Device(_)
            | Command::Link(_)
            | Command::Unlink(_)
            | Command::Ignore(_)
            | Command::Whois(_)
            | Command::Audit(_)
            | Command::Stats(_)) => {
                let leaves = matches!(order, Command::Link(_));
                let answer = order::carry_out(self.context, self.session, order).await?;
                self.say(&answer).await;
                if leaves {
                    return Err(Stop::Over(Reason::Relinked));
                }
            }
            Command::Motd(plain) => {
                let text = self.live.borrow().motd.clone();
                self.say(&Event::Motd(Motd { re: plain.id, text })).await;
            }
            Command::Bye(_) => return Err(Stop::Over(Reason::Quit)),
            Command::Hello(_) => {
                return Err(Failure::new(ErrorCode::OutOfPlace, "hello was said already").into());
            }
            Command::Pake(_) => {
                return Err(Failure::new(ErrorCode::OutOfPlace, "pake comes before hello").into());
            }
            Command::Reactions(of) => {
                self.may_look_into(&of.room)?;
                self.say(&changes::reactions(self.context, of).await?).await;
            }
            Command::Earlier(of) => {
                self.may_look_into(&of.room)?;
                self.say(&changes::earlier(self.context, self.session, of).await?).await;
            }
            Command::Direct(asked) => {
                let answer = company::open(self.context, self.session, asked)?;
                self.say(&answer).await;
            }
            Command::Read(read) => {
                let answer = company::read(self.context, self.session, read)?;
                self.say(&answer).await;
            }
            Command::Away(set) => {
                let answer = company::away(self.context, self.session, set)?;
                self.say(&answer).await;
            }
            Command::Typing(typing) => {
                // First, so that what is remembered is bounded by the rooms that one is in.
                self.context.hub.lock().check_in(self.session, &typing.room)?;
                if self.typed.is_due(&typing.room, now()) {
                    company::tell_typing(self.context, self.session, &typing.room)?;
                }
            }
            Command::Ping(_)
            | Command::Pong(_)
            | Command::Send(_)
            | Command::Edit(_)
            | Command::Delete(_)
            | Command::React(_)
            | Command::Topic(_) => {}
        }
        Ok(())
    }

    /// Whether this nick may be ours; from now on it is, if we have a key.
    async fn claim(&self, nick: &Nick) -> Result<(), Failure> {
        let who = {
            let hub = self.context.hub.lock();
            let (who, _) = hub.who(self.session)?;
            hub.is_free(nick, who)?;
            who
        };
        entrance::claim(self.context, who, nick).await
    }

    async fn join(&mut self, join: Join) -> Result<(), Stop> {
        let who = self.may_enter(&join).await?;
        direct::check(self.context, &join.room)?;
        let (was_in, joined) = {
            let mut hub = self.context.hub.lock();
            (hub.is_in(self.session, &join.room), hub.join(self.session, &join.room)?)
        };
        if let Some(who) = who.filter(|_| joined.made && !join.room.is_direct()) {
            let room = join.room.clone();
            let found = move |registry: &mut Registry, _| {
                // What was decided about a room that nobody spoke in is over with it.
                registry.forget_room(&room).and_then(|()| registry.founded(&room, who))
            };
            // A room without an owner is one all the same.
            let founded = self
                .context
                .registry
                .change(move |registry, now| found(registry, now).map_err(|error| error.failure()));
            if let Err(failure) = founded.await {
                warn!(%failure, "a room has no owner");
            }
        }
        let last = joined.info.last;
        let mut cursor = join.after.min(last);
        let mut before = Vec::new();
        let ok = Okay {
            re: join.id,
            room: Some(direct::told(self.context, joined.info.clone())),
            ..Okay::default()
        };
        let ok = company::with_unread(self.context, self.session, who, was_in, ok).await;
        frame::append(&mut before, &Event::Ok(ok));
        before.extend_from_slice(&joined.people);
        let unwanted = join.limit.map_or(0, |limit| last.saturating_sub(limit));
        let expired = joined.info.first.map_or(0, |first| first - 1);
        if unwanted.max(expired) > cursor {
            let gap = Gap { room: join.room.clone(), from: cursor + 1, to: unwanted.max(expired) };
            cursor = gap.to;
            frame::append(&mut before, &Event::Gap(gap));
        }
        let follow = Follow { room: join.room, joined, cursor, before: before.into() };
        self.give(Out::Follow(Box::new(follow))).await;
        Ok(())
    }

    /// Whether we may come into a room, with its words if it has any and they are given. Says who we are.
    async fn may_enter(&self, join: &Join) -> Result<Option<PersonId>, Failure> {
        let barred = match self.may_look_into(&join.room) {
            Ok(who) => return Ok(who),
            Err(barred) => barred,
        };
        let (who, may) = {
            let who = self.context.hub.lock().who(self.session)?.0;
            (who, self.context.registry.lock().may_enter(&join.room, who))
        };
        let (Err(Barred::NeedsPassphrase(salt)), Some(words)) = (may, join.words.clone()) else {
            return Err(barred);
        };
        // Guessing is as slow as at the door of the parlor.
        let wait = self.context.door.wait(self.block, now())?;
        if !wait.is_zero() {
            sleep(wait).await;
        }
        // A tenth of a second or so, for which nobody else may wait: before the registry is asked.
        let derived = spawn_blocking(move || ProofKey::derive(&words, &salt, Cost::USUAL)).await;
        let derived = derived.ok().and_then(Result::ok);
        let room = join.room.clone();
        let shown = self.context.registry.change(move |registry, _| {
            let key = registry.rules(&room).key.as_ref().filter(|(current, _)| *current == salt);
            let is_same = |key: &ProofKey| derived.as_ref().is_some_and(|derived| derived.is_same(key));
            if !key.is_some_and(|(_, key)| is_same(key)) {
                return Ok(false);
            }
            who.map_or(Ok(()), |who| registry.admit(&room, who)).map_err(|error| error.failure())?;
            Ok(true)
        });
        if shown.await? {
            return Ok(who);
        }
        self.context.door.failed(self.block, now());
        let message = format!("that is not the passphrase of {}", join.room);
        Err(Failure::new(ErrorCode::PassphraseWrong, &message))
    }

    /// Whether we may come into a room, and so see what is in it. Says who we are.
    fn may_look_into(&self, room: &RoomName) -> Result<Option<PersonId>, Failure> {
        let (who, is_in) = {
            let hub = self.context.hub.lock();
            (hub.who(self.session)?.0, hub.is_in(self.session, room))
        };
        if !is_in {
            let registry = self.context.registry.lock();
            registry.may_enter(room, who).map_err(|barred| barred.failure(room))?;
        }
        Ok(who)
    }

    /// The rooms that there are for us: the private ones only if we are in them.
    fn list(&self) -> Vec<RoomInfo> {
        let registry = self.context.registry.lock();
        let hub = self.context.hub.lock();
        hub.list(|room| !registry.rules(room).private || hub.is_in(self.session, room))
    }

    async fn history(&mut self, history: History) -> Result<(), Stop> {
        self.may_look_into(&history.room)?;
        let (last, author) = {
            let hub = self.context.hub.lock();
            (hub.room(&history.room)?.channel().published(), hub.author(self.session)?)
        };
        let page = self.context.reader.page(&history.room, history.place, history.limit, Some(author)).await;
        let mut entries = page.map_err(|error| {
            warn!(%error, room = %history.room, "a page could not be read");
            Failure::new(ErrorCode::Storage, "the server could not read its log: try again later")
        })?;
        // The log may be ahead of what was sent along the channel; nobody is told of that before the others.
        entries.retain(|entry| entry.seq <= last);
        let page = Page { re: history.id, room: history.room, entries, last };
        self.say(&Event::Page(page)).await;
        Ok(())
    }

    /// Begins a search. It may take seconds, for which what is said meanwhile does not wait.
    async fn search(&mut self, search: Search) -> Result<(), Stop> {
        sleep(self.searches.take(now())).await;
        self.aside.done().await;
        if let Some(room) = &search.room {
            self.may_look_into(room)?;
        }
        let slot = self.mailbox.place().await;
        let (context, mailbox, session) = (Arc::clone(self.context), self.mailbox.clone(), self.session);
        let work = async move {
            let re = search.id.clone();
            let answer = match search::carry_out(&context, session, search).await {
                Ok(found) => Event::Found(found),
                Err(failure) => Event::Error(Failure { re, ..failure }),
            };
            let out = Out::Answer(Frame::encode(&answer).into_bytes());
            mailbox.room_for(out.counted()).await;
            slot.send(out);
        };
        self.aside.begin(work).await;
        Ok(())
    }

    fn fail(&self, failure: Failure) -> impl Future<Output = ()> + use<'a, R> {
        self.say(&Event::Error(failure))
    }

    /// Encodes at once: what waits for a place is the bytes.
    fn say(&self, event: &Event) -> impl Future<Output = ()> + use<'a, R> {
        self.give(Out::Answer(Frame::encode(event).into_bytes()))
    }

    fn give(&self, out: Out) -> impl Future<Output = ()> + use<'a, R> {
        let mailbox = self.mailbox;
        async move {
            mailbox.room_for(out.counted()).await;
            mailbox.place().await.send(out);
        }
    }
}

/// As whom a session may add to the log of a room, if it may.
///
/// # Errors
/// `not_in_room`, `muted`.
pub(super) fn speaker(context: &Context, session: SessionId, room: &RoomName) -> Result<Speaker, Failure> {
    let speaker = context.hub.lock().speaker(session, room)?;
    let whom = || speaker.who.map_or_else(|| Whom::Guest(speaker.nick.clone()), Whom::Person);
    context.registry.muted(whom, room).map_or(Ok(()), Err)?;
    Ok(speaker)
}

/// By the clock that sleeps go by too.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// A bucket, and how long its sender has been held up by it.
struct Pace {
    throttle: Throttle,
    /// In all, until it was not for a while.
    held_up: Duration,
    /// When it last was.
    at: Instant,
    /// Whether it was told.
    told: bool,
}

impl Pace {
    fn new(throttle: Throttle, now: Instant) -> Self {
        Self { throttle, held_up: Duration::ZERO, at: now, told: false }
    }

    /// How long to wait for the next command, and, when the sender is to be told, how long that goes on.
    fn take(&mut self, now: Instant) -> (Duration, Option<Duration>) {
        let wait = self.throttle.take(now);
        // Not at the first one that came through: a wait that took too long lets the next one through.
        if now.saturating_duration_since(self.at) > DELAY_TOLD_AFTER {
            (self.held_up, self.told) = (Duration::ZERO, false);
        }
        if wait.is_zero() {
            return (wait, None);
        }
        self.held_up += wait;
        self.at = now + wait;
        let tell = self.held_up > DELAY_TOLD_AFTER && !self.told;
        self.told |= tell;
        (wait, tell.then_some(self.held_up))
    }
}

/// Why a command was not carried out: it failed, or the session is over.
enum Stop {
    Failed(Failure),
    Over(Reason),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Over(reason)
    }
}
