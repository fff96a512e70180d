//! The clients: most have the real link, some see the wire as it is, read slowly or not at all for a while, and say
//! things twice.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use parlor::client::link::{self, Config, Dial, Dialing, Link, Trust, Update};
use parlor::protocol::address::Address;
use parlor::protocol::command::{Command, Delete, Edit, Hello, Join, Plain, React, RequestId, Send};
use parlor::protocol::emoji::Emoji;
use parlor::protocol::event::{EntryKind, ErrorCode, Event};
use parlor::protocol::frame::{Frame, FrameReader};
use parlor::protocol::limits::{DEAD_AFTER, EVENT_BYTES, HANDSHAKE_TIME};
use parlor::protocol::name::{Nick, RoomName};
use parlor::protocol::proof::KeyPair;
use parlor::protocol::text::{Line, Text};
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use uuid::Uuid;

use super::ledger::{Change, Gaps, Over};
use super::net::Stream;
use super::world::World;

/// What a client is like.
#[derive(Clone, Debug)]
pub struct Person {
    pub who: usize,
    pub rooms: Vec<(RoomName, Gaps)>,
    /// How long to wait before each message.
    pub says: Vec<Duration>,
}

impl Person {
    /// Makes up something to say, and where.
    fn message(&self, world: &World) -> Send {
        let (room, _) = &self.rooms[fastrand::usize(..self.rooms.len())];
        let length = if fastrand::u8(..) < 8 { fastrand::usize(1..6_000) } else { fastrand::usize(1..120) };
        let text = "x".repeat(length);
        let id = world.ledger.says(self.who, room, &text);
        let text = Text::new(&text).unwrap();
        Send { id, room: room.clone(), text, action: false, reply_to: None }
    }

    fn begin(&self, world: &World) {
        world.ledger.will_say(self.says.len());
        self.rooms.iter().for_each(|(room, gaps)| world.ledger.follows(self.who, room, *gaps));
    }
}

// --- those with a link ---------------------------------------------------------------------------

/// Somebody with a link, and with a key if the number is odd.
pub fn link(world: &Arc<World>, person: Person) {
    person.begin(world);
    let who = person.who;
    let dial: Dial = {
        let world = Arc::clone(world);
        Arc::new(move |_: &Address| -> Dialing {
            let dialing = Arc::clone(&world).dial(who);
            Box::pin(async move { Ok(Box::new(dialing.await?) as Box<dyn link::Stream>) })
        })
    };
    let key = (who % 2 == 1).then(|| KeyPair::from_seed(&[u8::try_from(who).unwrap(); 32]).unwrap());
    let trust = Trust { plain: true, identity: key.map(Arc::new), ..Trust::default() };
    let (link, updates) = link::open_over(
        dial,
        Config {
            address: Address::Tcp { host: "simulated".to_owned(), port: 1 },
            nick: Nick::new(&format!("c{who}")).unwrap(),
            apart: false,
            trust,
            acquaintances: None,
            agent: Line::lossy("simulation"),
            give_up_after: None,
        },
    );
    for (room, gaps) in &person.rooms {
        let join = |limit| Join { id: None, room: room.clone(), after: 0, limit, words: None };
        match gaps {
            Gaps::Never => link.submit(Command::Join(join(None))),
            Gaps::First(limit) => link.follow(join(Some(*limit))),
            Gaps::Always(limit) => link.submit(Command::Join(join(Some(*limit)))),
        }
    }
    tokio::spawn(hear(Arc::clone(world), who, updates));
    tokio::spawn(talk(Arc::clone(world), person, link));
}

async fn talk(world: Arc<World>, person: Person, link: Link) {
    for wait in &person.says {
        sleep(*wait).await;
        link.submit(Command::Send(person.message(&world)));
    }
    // The link ends with its last handle.
    std::future::pending::<()>().await;
}

async fn hear(world: Arc<World>, who: usize, mut updates: mpsc::Receiver<Update>) {
    let ledger = &world.ledger;
    while let Some(update) = updates.recv().await {
        match update {
            Update::Event(Event::Entry(entry), _) => ledger.got(who, &entry),
            Update::Event(Event::Gap(gap), _) => ledger.left_out(who, &gap),
            Update::Event(Event::Ok(okay), _) => match (okay.room, okay.seq, okay.re) {
                (Some(room), _, _) => ledger.joined(who, &room.room, room.last),
                (None, Some(seq), Some(re)) => ledger.acked(who, id_of(&re), seq),
                _ => {}
            },
            Update::Offline { why, .. } => ledger.broke(who, &why),
            Update::Online { new_log, .. } => {
                ledger.note(format_args!("c{who} online"));
                if new_log {
                    ledger.fault(format_args!("c{who} takes it for another log"));
                }
            }
            Update::Held { failure, .. } | Update::Failed(failure) => {
                ledger.fault(format_args!("c{who} was told: {failure}"));
            }
            Update::Ended { why, .. } => ledger.fault(format_args!("the link of c{who} ended: {why}")),
            Update::Event(..) | Update::Latency { .. } | Update::Connecting { .. } => {}
        }
    }
}

fn id_of(re: &RequestId) -> Uuid {
    re.as_str().parse().unwrap_or_default()
}

// --- those without -------------------------------------------------------------------------------

/// How somebody without a link reads.
#[derive(Clone, Copy, Debug)]
pub enum Habit {
    Steady,
    /// Rests after each frame.
    Slow(Duration),
    /// Stops now and then, for so long.
    Stops(Duration),
}

/// One connection, past its greeting.
pub struct Wire {
    pub reader: FrameReader<ReadHalf<Stream>>,
    pub writer: WriteHalf<Stream>,
}

impl Wire {
    /// Connects, and comes in under a nick that nobody has.
    pub async fn open(world: &Arc<World>, who: usize) -> io::Result<Self> {
        let (read, writer) = tokio::io::split(Arc::clone(world).dial(who).await?);
        let mut wire = Self { reader: FrameReader::new(read, EVENT_BYTES), writer };
        let nick = Nick::new(&format!("r{who}n{}", fastrand::u32(..1_000_000))).unwrap();
        wire.next().await?;
        let hello = Hello {
            protocol: 1,
            nick,
            resume: None,
            proof: None,
            ticket: None,
            identity: None,
            apart: false,
            agent: Line::lossy("simulation"),
        };
        wire.say(&Command::Hello(Box::new(hello))).await?;
        match wire.next().await? {
            Event::Ready(_) => Ok(wire),
            _ => Err(io::ErrorKind::ConnectionRefused.into()),
        }
    }

    /// The next event. Cancel safe.
    pub async fn next(&mut self) -> io::Result<Event> {
        let json = self.reader.next().await.map_err(io::Error::other)?;
        Ok(Event::decode(&json.ok_or(io::ErrorKind::UnexpectedEof)?)?)
    }

    pub async fn say(&mut self, command: &Command) -> io::Result<()> {
        let bytes = Frame::encode(command).into_bytes();
        // Whoever does not read may not be heard either.
        timeout(Duration::from_secs(20), self.writer.write_all(&bytes)).await?
    }
}

/// Somebody who sees the wire as it is.
pub fn wire(world: &Arc<World>, person: Person, habit: Habit) {
    person.begin(world);
    let world = Arc::clone(world);
    tokio::spawn(async move {
        let mut mind = Mind::default();
        mind.plan(&person);
        loop {
            let broken = visit(&world, &person, habit, &mut mind).await;
            let why = broken.err().map_or_else(String::new, |error| error.to_string());
            world.ledger.broke(person.who, &why);
            sleep(Duration::from_millis(fastrand::u64(100..2_000))).await;
        }
    });
}

/// What outlives a connection.
struct Mind {
    /// Which message comes next, and when.
    next: usize,
    say_at: Instant,
    unanswered: Vec<Command>,
    /// What this one has said in this visit, and where it is: a guest is another one at the next.
    said: BTreeSet<Uuid>,
    own: Vec<(RoomName, u64)>,
    /// What it has reacted to in this visit, and in all.
    reacted: Vec<(RoomName, u64)>,
    ever_reacted: BTreeSet<(RoomName, u64)>,
}

impl Default for Mind {
    fn default() -> Self {
        let (said, own, reacted, ever_reacted) = Default::default();
        Self { next: 0, say_at: Instant::now(), unanswered: Vec::new(), said, own, reacted, ever_reacted }
    }
}

impl Mind {
    /// A new visit: nobody knows any more that what was said before was said by this one.
    fn come(&mut self, person: &Person, world: &World) {
        self.said.clear();
        self.own.clear();
        self.reacted.clear();
        self.unanswered.retain(|command| {
            // Nor can another one take back a reaction.
            let (Command::Edit(Edit { id, .. })
            | Command::Delete(Delete { id, .. })
            | Command::React(React { id, off: true, .. })) = command
            else {
                return true;
            };
            world.ledger.over(person.who, *id, Over::GivenUp);
            false
        });
    }

    /// Makes up something to do to a message of one's own, once in a while.
    fn change_own(&mut self, person: &Person, world: &World) -> Option<Command> {
        if fastrand::u8(..2) > 0 || self.own.is_empty() {
            return None;
        }
        let (room, target) = self.own[fastrand::usize(..self.own.len())].clone();
        let does = |kind, text: &str| {
            let change = Change { kind, target, off: false };
            world.ledger.changes(person.who, &room, text, change)
        };
        Some(if fastrand::bool() {
            let text = "y".repeat(fastrand::usize(1..300));
            let id = does(EntryKind::Edited, &text);
            let text = Text::new(&text).unwrap();
            Command::Edit(Edit { id, room, seq: target, text })
        } else {
            let id = does(EntryKind::Deleted, "");
            Command::Delete(Delete { id, room, seq: target })
        })
    }

    /// Reacts to a message that was heard, or takes back what one did before, once in a while.
    fn react(&mut self, person: &Person, world: &World, heard: (RoomName, u64)) -> Option<Command> {
        if fastrand::u8(..12) > 0 {
            return None;
        }
        let off = !self.reacted.is_empty() && fastrand::u8(..3) == 0;
        let (room, target) = if off {
            self.reacted.swap_remove(fastrand::usize(..self.reacted.len()))
        } else if self.ever_reacted.insert(heard.clone()) {
            self.reacted.push(heard.clone());
            heard
        } else {
            return None;
        };
        // By the same one each time, so that it can be taken back.
        let emoji = Emoji::new(["👍", "🎉"][usize::try_from(target % 2).unwrap()]).unwrap();
        let change = Change { kind: EntryKind::Reacted, target, off };
        let id = world.ledger.changes(person.who, &room, emoji.as_str(), change);
        Some(Command::React(React { id, room, seq: target, emoji, off }))
    }

    /// The answer to a command has come.
    fn answered(&mut self, re: &RequestId) -> Option<Command> {
        let place = self.unanswered.iter().position(|command| command.request_id().as_ref() == Some(re))?;
        Some(self.unanswered.remove(place))
    }

    fn plan(&mut self, person: &Person) {
        // When there is nothing more to say: not within this run.
        let wait = person.says.get(self.next).copied().unwrap_or(Duration::from_secs(86_400));
        self.say_at = Instant::now() + wait;
    }
}

async fn visit(world: &Arc<World>, person: &Person, habit: Habit, mind: &mut Mind) -> io::Result<()> {
    let (who, ledger) = (person.who, &world.ledger);
    let mut wire = timeout(HANDSHAKE_TIME, Wire::open(world, who)).await??;
    for (room, _) in &person.rooms {
        let after = ledger.cursor(who, room);
        let join = Join { id: None, room: room.clone(), after, limit: None, words: None };
        wire.say(&Command::Join(join)).await?;
    }
    mind.come(person, world);
    for command in mind.unanswered.clone() {
        wire.say(&command).await?;
    }
    let mut frames = 0_u32;
    loop {
        let event = tokio::select! {
            biased;
            () = sleep_until(mind.say_at) => {
                let send = person.message(world);
                mind.said.insert(send.id);
                let send = Command::Send(send);
                mind.unanswered.push(send.clone());
                (mind.next, mind.say_at) = (mind.next + 1, Instant::now());
                mind.plan(person);
                // Once or twice, it is one.
                for _ in 0..fastrand::u8(1..=2) {
                    wire.say(&send).await?;
                }
                continue;
            }
            event = timeout(DEAD_AFTER, wire.next()) => event??,
        };
        let mut change = None;
        match event {
            Event::Entry(entry) => {
                ledger.got(who, &entry);
                if entry.kind == EntryKind::Message && !world.is_calm() {
                    change = mind.react(person, world, (entry.room, entry.seq));
                }
            }
            Event::Gap(gap) => ledger.left_out(who, &gap),
            Event::Ping(_) => wire.say(&Command::Pong(Plain::default())).await?,
            Event::Bye(_) => return Ok(()),
            Event::Ok(okay) => match (okay.room, okay.seq, okay.re) {
                (Some(room), _, _) => ledger.joined(who, &room.room, room.last),
                (None, Some(seq), Some(re)) => {
                    if let Some(Command::Send(send)) = mind.answered(&re) {
                        if mind.said.contains(&send.id) {
                            mind.own.push((send.room, seq));
                        }
                        if !world.is_calm() {
                            change = mind.change_own(person, world);
                        }
                    }
                    ledger.acked(who, id_of(&re), seq);
                }
                _ => {}
            },
            Event::Error(failure) if failure.code != ErrorCode::NickTaken => {
                let answered = failure.re.as_ref().and_then(|re| mind.answered(re));
                match (answered, failure.code) {
                    (
                        Some(Command::Edit(Edit { id, .. }) | Command::Delete(Delete { id, .. })),
                        ErrorCode::Deleted,
                    )
                    | (Some(Command::React(React { id, .. })), ErrorCode::Deleted)
                    | (Some(Command::React(React { id, off: true, .. })), ErrorCode::NoSuchEntry) => {
                        ledger.over(who, id, Over::Refused);
                    }
                    _ => ledger.fault(format_args!("c{who} was told: {failure}")),
                }
            }
            _ => {}
        }
        if let Some(change) = change {
            mind.unanswered.push(change.clone());
            wire.say(&change).await?;
        }
        frames += 1;
        match habit {
            _ if world.is_calm() => {}
            Habit::Slow(rest) => sleep(rest).await,
            Habit::Stops(rest) if frames % 64 == 20 => {
                ledger.note(format_args!("c{who} stops reading for {rest:?}"));
                sleep(rest).await;
            }
            Habit::Steady | Habit::Stops(_) => {}
        }
    }
}
