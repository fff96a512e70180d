//! What was said, what was acknowledged, and what each client got, in the order in which it happened: and whether the
//! promises hold for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use parlor::protocol::event::{Entry, EntryKind, Gap};
use parlor::protocol::name::RoomName;
use tokio::time::Instant;
use uuid::Uuid;

use super::tally::{Tried, count};

/// The two whose lines are good all the time: what they say to each other tells whether anyone slows another.
pub const TALKERS: [usize; 2] = [0, 1];

/// When a gap may be left out for a client in a room, and how many entries it wants behind it.
#[derive(Clone, Copy, Debug)]
pub enum Gaps {
    Never,
    /// Before the first entry.
    First(u64),
    /// At each join.
    Always(u64),
}

/// What somebody does to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub kind: EntryKind,
    pub target: u64,
    pub off: bool,
}

/// What becomes of a change that has no `ok`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// It may be in the log, at any place.
    GivenUp,
    /// It is not in the log.
    Refused,
}

#[derive(Debug)]
struct Said {
    by: usize,
    number: usize,
    room: RoomName,
    text: String,
    /// Nothing for a message.
    change: Option<Change>,
    over: Option<Over>,
    at: Instant,
    acked: Option<u64>,
    /// Behind others of the same sender, who may be held up by the rate after a break.
    queued: bool,
}

impl Said {
    /// Whether its sender waits for an answer.
    fn is_open(&self) -> bool {
        self.acked.is_none() && self.over.is_none()
    }
}

#[derive(Debug)]
struct Cursor {
    seq: u64,
    gaps: Gaps,
    left_out: Vec<(u64, u64)>,
    /// The last `seq` of the room, as the last join was told.
    last: Option<u64>,
}

/// The log as it is in the end: of each room all entries, from 1.
pub type Logs = BTreeMap<RoomName, Vec<Entry>>;

#[derive(Debug)]
struct Books {
    start: Instant,
    said: BTreeMap<Uuid, Said>,
    /// Messages that are to be said in all.
    to_say: usize,
    /// What anyone saw in each place.
    places: BTreeMap<(RoomName, u64), Uuid>,
    cursors: BTreeMap<(usize, RoomName), Cursor>,
    /// Since when a client is in all its rooms, without a break.
    steady: BTreeMap<usize, Instant>,
    /// What there may be between saying and hearing.
    patience: Duration,
    trace: Vec<String>,
    faults: Vec<String>,
}

/// See the module.
#[derive(Debug)]
pub struct Ledger(Mutex<Books>);

impl Ledger {
    pub fn new(patience: Duration) -> Self {
        Self(Mutex::new(Books {
            start: Instant::now(),
            said: BTreeMap::new(),
            to_say: 0,
            places: BTreeMap::new(),
            cursors: BTreeMap::new(),
            steady: BTreeMap::new(),
            patience,
            trace: Vec::new(),
            faults: Vec::new(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap()
    }

    pub fn note(&self, what: impl Display) {
        self.lock().note(what);
    }

    pub fn fault(&self, what: impl Display) {
        self.lock().fault(what);
    }

    /// Somebody is going to say so many messages.
    pub fn will_say(&self, messages: usize) {
        self.lock().to_say += messages;
    }

    pub fn follows(&self, who: usize, room: &RoomName, gaps: Gaps) {
        let cursor = Cursor { seq: 0, gaps, left_out: Vec::new(), last: None };
        self.lock().cursors.insert((who, room.clone()), cursor);
    }

    /// Where a client is in a room.
    pub fn cursor(&self, who: usize, room: &RoomName) -> u64 {
        self.lock().cursors[&(who, room.clone())].seq
    }

    /// The id of what is said. Ids need not be random, and these are in no order.
    pub fn says(&self, who: usize, room: &RoomName, text: &str) -> Uuid {
        self.adds(who, room, text, None)
    }

    /// The same for what is done to a message.
    pub fn changes(&self, who: usize, room: &RoomName, text: &str, change: Change) -> Uuid {
        self.adds(who, room, text, Some(change))
    }

    fn adds(&self, who: usize, room: &RoomName, text: &str, change: Option<Change>) -> Uuid {
        let mut books = self.lock();
        let number = books.said.len();
        let queued = books.said.values().any(|said| said.by == who && said.is_open());
        let id = Uuid::from_u64_pair(fastrand::u64(..), number as u64);
        let said = Said {
            by: who,
            number,
            room: room.clone(),
            text: text.to_owned(),
            change,
            over: None,
            at: Instant::now(),
            acked: None,
            queued,
        };
        books.said.insert(id, said);
        match change {
            None => books.note(format_args!("c{who} says {number} in {room}")),
            Some(change) => books.note(format_args!("c{who} does {number} in {room}: {change:?}")),
        }
        id
    }

    /// Nobody waits any more for the `ok` of a change.
    pub fn over(&self, who: usize, id: Uuid, over: Over) {
        let mut books = self.lock();
        let Some(said) = books.said.get_mut(&id).filter(|said| said.change.is_some()) else {
            return books.fault(format_args!("c{who} is refused what it said"));
        };
        said.over = Some(over);
        let (number, acked) = (said.number, said.acked);
        books.note(format_args!("c{who}: {number} is {over:?}"));
        if over == Over::Refused {
            count(Tried::Refused);
            if acked.is_some() {
                books.fault(format_args!("c{who}: {number} was ok, and is refused now"));
            }
        }
    }

    /// Of what a client waits for an answer to, all whose ids stand in these bytes.
    pub fn open_in(&self, who: usize, bytes: &[u8]) -> Vec<Uuid> {
        let (books, text) = (self.lock(), String::from_utf8_lossy(bytes));
        let open = books.said.iter().filter(|(_, said)| said.by == who && said.is_open());
        open.map(|(id, _)| *id).filter(|id| text.contains(&id.to_string())).collect()
    }

    /// The server has said something on a line that a client had lost, with these of its messages on their way.
    pub fn overheard(&self, who: usize, bytes: &[u8], overdue: &[Uuid]) {
        let (mut books, text) = (self.lock(), String::from_utf8_lossy(bytes));
        for id in overdue {
            if !text.contains(&format!(r#""type":"ok","re":"{id}""#)) {
                continue;
            }
            let Some(Said { number, acked, .. }) = books.said.get(id) else { continue };
            let (number, acked) = (*number, *acked);
            count(Tried::OverdueTaken);
            if acked.is_some() {
                count(Tried::Overtaken);
            }
            books.note(format_args!("{number} of c{who} was taken from its old line; it knew of {acked:?}"));
        }
    }

    pub fn acked(&self, who: usize, id: Uuid, seq: u64) {
        let mut books = self.lock();
        let Some(said) = books.said.get_mut(&id) else {
            return books.fault(format_args!("c{who}: ok for what nobody said"));
        };
        let (number, room, before) = (said.number, said.room.clone(), said.acked.replace(seq));
        books.note(format_args!("c{who} ok {number}: {room} {seq}"));
        if before.is_some_and(|before| before != seq) {
            books.fault(format_args!("c{who}: {number} was ok as {before:?}, and now as {seq}"));
        }
        books.saw(who, &room, seq, id);
    }

    pub fn joined(&self, who: usize, room: &RoomName, last: u64) {
        let mut books = self.lock();
        books.note(format_args!("c{who} joined {room}, which has {last}"));
        if let Some(cursor) = books.cursors.get_mut(&(who, room.clone())) {
            cursor.last = Some(last);
            if cursor.seq > 0 && last > cursor.seq {
                count(Tried::CaughtUp);
            }
            if last < cursor.seq {
                let had = cursor.seq;
                books.fault(format_args!("c{who} saw {room} {had}, and it goes up to {last} only"));
            }
        }
        let mut own = books.cursors.iter().filter(|((client, _), _)| *client == who);
        if own.all(|(_, cursor)| cursor.last.is_some()) {
            books.steady.insert(who, Instant::now());
        }
    }

    /// The connection of a client broke.
    pub fn broke(&self, who: usize, why: &str) {
        let mut books = self.lock();
        books.note(format_args!("c{who} offline: {why}"));
        books.steady.remove(&who);
        let own = books.cursors.iter_mut().filter(|((client, _), _)| *client == who);
        own.for_each(|(_, cursor)| cursor.last = None);
        if why.contains("left out entries") || why.contains("makes no sense") {
            books.fault(format_args!("c{who}: {why}"));
        }
    }

    pub fn got(&self, who: usize, entry: &Entry) {
        let (mut books, now) = (self.lock(), Instant::now());
        let (room, seq) = (&entry.room, entry.seq);
        let Some(said) = books.is_as_said(entry) else {
            return books.fault(format_args!("c{who} got in {room} {seq} what nobody said there: {entry:?}"));
        };
        let Said { by, number, at, queued, .. } = *said;
        books.note(format_args!("c{who} got {room} {seq}: {number} of c{by}"));
        books.saw(who, room, seq, entry.id);
        match books.cursors.get_mut(&(who, room.clone())) {
            Some(cursor) if cursor.seq + 1 == seq => cursor.seq = seq,
            cursor => {
                let at = cursor.map(|cursor| cursor.seq);
                return books.fault(format_args!("c{who} got {room} {seq} at cursor {at:?}"));
            }
        }
        let steady = |who: usize| books.steady.get(&who).is_some_and(|since| *since < at);
        let are_talkers = TALKERS.contains(&who) && TALKERS.contains(&by);
        if are_talkers && !queued && steady(who) && steady(by) {
            count(Tried::Timed);
            if now - at > books.patience {
                books.fault(format_args!("c{who} waited {:?} for {number} of c{by}", now - at));
            }
        }
    }

    pub fn left_out(&self, who: usize, gap: &Gap) {
        let mut books = self.lock();
        let Gap { room, from, to } = gap;
        books.note(format_args!("c{who} gap in {room}: {from} to {to}"));
        let Some(cursor) = books.cursors.get_mut(&(who, room.clone())) else { return };
        let limit = match cursor.gaps {
            Gaps::Always(limit) => Some(limit),
            Gaps::First(limit) if cursor.seq == 0 => Some(limit),
            Gaps::First(_) | Gaps::Never => None,
        };
        let is_just_that = limit.zip(cursor.last).is_some_and(|(limit, last)| last == to + limit);
        if !is_just_that || *from != cursor.seq + 1 || to < from {
            let fault = format!("c{who} at {cursor:?} was left out {gap:?}");
            return books.fault(fault);
        }
        count(Tried::Gap);
        cursor.seq = *to;
        cursor.left_out.push((*from, *to));
    }

    /// All is said and done: nobody lacks anything.
    pub fn is_settled(&self) -> bool {
        self.lock().lacking().is_empty()
    }

    /// What was left out for anyone.
    pub fn gaps(&self) -> BTreeSet<(RoomName, u64, u64)> {
        let books = self.lock();
        let gaps = books.cursors.iter().flat_map(|((_, room), cursor)| {
            cursor.left_out.iter().map(|(from, to)| (room.clone(), *from, *to))
        });
        gaps.collect()
    }

    /// Compares all of it with the log, and gives what happened, in its order, and what should not have.
    pub fn close(&self, logs: &Logs) -> (Vec<String>, Vec<String>) {
        let mut books = self.lock();
        for lack in books.lacking() {
            books.fault(format_args!("at the end, {lack}"));
        }
        let mut ids = BTreeSet::new();
        let mut last_of = BTreeMap::new();
        for (room, log) in logs {
            for (seq, entry) in (1..).zip(log) {
                count(match entry.kind {
                    EntryKind::Edited => Tried::Edited,
                    EntryKind::Deleted => Tried::Deleted,
                    EntryKind::Reacted if entry.off => Tried::TakenBack,
                    EntryKind::Reacted => Tried::Reacted,
                    _ => Tried::Message,
                });
                if !ids.insert(entry.id) {
                    books.fault(format_args!("{room} {seq} is in the log twice"));
                }
                let Some(Said { by, number, over, .. }) = books.is_as_said(entry) else {
                    books.fault(format_args!("{room} {seq} is in the log, and nobody said it there"));
                    continue;
                };
                let (by, number, over) = (*by, *number, *over);
                match over {
                    None => {}
                    Some(Over::GivenUp) => continue,
                    Some(Over::Refused) => {
                        books.fault(format_args!("{room} {seq} is in the log, and was refused"));
                    }
                }
                if last_of.insert((by, room), number).is_some_and(|last| last > number) {
                    books.fault(format_args!(
                        "{room} {seq}: {number} of c{by} comes after what it said later"
                    ));
                }
            }
        }
        let kept = |room: &RoomName, seq: u64| Some(logs.get(room)?.get(usize::try_from(seq).ok()? - 1)?.id);
        let seen: Vec<_> = books.places.clone().into_iter().collect();
        for ((room, seq), id) in seen {
            if kept(&room, seq) != Some(id) {
                books.fault(format_args!("{room} {seq} was seen, and is not what the log holds"));
            }
        }
        (std::mem::take(&mut books.trace), std::mem::take(&mut books.faults))
    }
}

impl Books {
    fn note(&mut self, what: impl Display) {
        let line = format!("{:>7} {what}", self.start.elapsed().as_millis());
        self.trace.push(line);
    }

    fn fault(&mut self, what: impl Display) {
        self.note(format_args!("FAULT {what}"));
        self.faults.push(what.to_string());
    }

    /// What an entry was said as. Its text may be gone only if somebody has deleted it.
    fn is_as_said(&self, entry: &Entry) -> Option<&Said> {
        let message = entry.target.unwrap_or(entry.seq);
        let deletes = |said: &Said| {
            let deletes = |change: Change| change.kind == EntryKind::Deleted && change.target == message;
            said.room == entry.room && said.change.is_some_and(deletes)
        };
        let said = self.said.get(&entry.id).filter(|said| said.room == entry.room)?;
        let change = entry.target.map(|target| Change { kind: entry.kind, target, off: entry.off });
        let is_gone = entry.text.as_str().is_empty()
            && entry.now.as_ref().is_some_and(|now| now.deleted)
            && self.said.values().any(deletes);
        (said.change == change && (said.text == entry.text.as_str() || is_gone)).then_some(said)
    }

    /// Somebody was told that this is what stands there.
    fn saw(&mut self, who: usize, room: &RoomName, seq: u64, id: Uuid) {
        let place = (room.clone(), seq);
        if *self.places.entry(place).or_insert(id) != id {
            self.fault(format_args!("c{who} sees in {room} {seq} another entry than others"));
        }
    }

    fn lacking(&self) -> Vec<String> {
        let unstored = self.said.values().filter(|said| said.is_open());
        let unstored = unstored.map(|said| format!("{} of c{} was not stored", said.number, said.by));
        let behind = self.cursors.iter().filter_map(|((who, room), cursor)| {
            let last = self.places.range((room.clone(), 0)..=(room.clone(), u64::MAX)).next_back();
            let last = last.map_or(0, |((_, seq), _)| *seq);
            (cursor.seq < last).then(|| format!("c{who} is at {} in {room}, of {last}", cursor.seq))
        });
        let unsaid = self.to_say - self.said.values().filter(|said| said.change.is_none()).count();
        let unsaid = (unsaid > 0).then(|| format!("{unsaid} messages were not even said"));
        unstored.chain(behind).chain(unsaid).collect()
    }
}
