//! What is new in the state, as lines: each thing once, in the order in which it came.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{answers, presence, wording};
use crate::client::days::Days;
use crate::client::link::Update;
use crate::client::tui::event::Event;
use crate::client::tui::known_rooms::Rule;
use crate::client::tui::state::motd::Motd;
use crate::client::tui::state::room::{Delivery, Room};
use crate::client::tui::state::wishes::Composing;
use crate::client::tui::state::{Connection, Question, State};
use crate::client::tui::view;
use crate::protocol::event::{Entry, EntryKind, Event as News, Gap};
use crate::protocol::name::RoomName;
use crate::protocol::stats::grouped;
use crate::protocol::time::Time;

/// Messages of a room that are printed when one comes in: what one can listen to.
const AT_FIRST: usize = 20;

/// People who are named when one comes in: `/names` names them all.
const NAMED: usize = 10;

/// Messages that are printed when one comes back to a room: beyond it `/history` goes on.
const AT_RETURN: usize = 200;

/// See the module.
#[derive(Debug)]
pub(super) struct Teller {
    lines: Vec<String>,
    clock: Clock,
    seats: BTreeMap<RoomName, Seat>,
    /// The room that was told to be in sight.
    in_sight: Option<RoomName>,
    weather: Weather,
    before: presence::Before,
    /// What we say ourselves is printed when it comes back: it stands nowhere else.
    echoes: bool,
    answers: Answers,
    /// Messages of ours that are printed all the same: they were not written in a row.
    unseen: BTreeSet<Uuid>,
    asked: Option<String>,
    composing: Option<String>,
    /// Messages of ours of which it was told that they were not sent.
    failed: BTreeSet<Uuid>,
}

/// By what questions are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    Keys,
    Lines,
    /// Nobody is there, and they are not asked.
    Nobody,
}

/// How far a room has been printed.
#[derive(Debug, Default)]
struct Seat {
    /// What there was when we came in is known: what comes now is printed as it comes.
    begun: bool,
    /// It has been in sight.
    visited: bool,
    /// The first and the last entry that were printed, or passed over; 0 where none was.
    oldest: u64,
    newest: u64,
    /// So many entries before the oldest are waited for.
    back: Option<u64>,
    /// It was told who is here.
    people: bool,
}

/// How it stood with the server when that was told last.
#[derive(Debug, Default)]
struct Weather {
    met: bool,
    broken: bool,
    held: bool,
    silent: bool,
}

/// Which day and which minute it was.
#[derive(Debug, Default)]
struct Clock {
    days: Days,
    minute: String,
    /// Each line has its time.
    every: bool,
}

impl Clock {
    /// What stands before a line of this moment; the day has a line of its own.
    fn stamp(&mut self, state: &State, at: Time) -> (Option<String>, String) {
        let at = at.timestamp().to_zoned(state.zone.clone());
        let this_year = state.server_time().timestamp().to_zoned(state.zone.clone()).year() == at.year();
        let new_day = self.days.next(&at);
        let new_day = new_day
            .map(|day| day.strftime(if this_year { "* %A %-d %B" } else { "* %A %-d %B %Y" }).to_string());
        let minute = at.strftime("%H:%M").to_string();
        let told = new_day.is_none() && self.minute == minute && !self.every;
        let stamp = if told { String::new() } else { format!("{minute} ") };
        self.minute = minute;
        (new_day, stamp)
    }
}

/// What is known of an event before the state has taken it in.
#[derive(Debug)]
pub(super) enum Before {
    Entry {
        entry: Box<Entry>,
        /// We have just said it here.
        ours: bool,
        /// The message that it changes.
        quote: String,
    },
    Gap(Gap),
    Nothing,
}

impl Teller {
    /// `echoes`: what we say ourselves is printed too.
    pub(super) fn new(every_time: bool, echoes: bool, answers: Answers) -> Self {
        Self {
            lines: Vec::new(),
            clock: Clock { every: every_time, ..Clock::default() },
            seats: BTreeMap::new(),
            in_sight: None,
            weather: Weather::default(),
            before: presence::Before::default(),
            echoes,
            answers,
            unseen: BTreeSet::new(),
            asked: None,
            composing: None,
            failed: BTreeSet::new(),
        }
    }

    /// What is to be printed.
    pub(super) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// These of our own are printed when they come back.
    pub(super) fn tell_back(&mut self, messages: impl Iterator<Item = Uuid>) {
        self.unseen.extend(messages);
    }

    /// Something that must be known.
    pub(super) fn warn(&mut self, sentence: &str) {
        self.lines.push(format!("! {sentence}"));
    }

    /// Something is about to be taken in.
    pub(super) fn note(&mut self, state: &State, event: &Event) -> Before {
        match event {
            Event::Link(Update::Event(News::Entry(entry), _)) => {
                let room = state.place_of(&entry.room).and_then(|place| state.rooms.get(place));
                let ours = room.is_some_and(|room| room.pending.iter().any(|pending| pending.id == entry.id));
                let quote = room.zip(entry.target).map(|(room, seq)| wording::quote(state, room, seq));
                return Before::Entry {
                    entry: Box::new(entry.clone()),
                    ours,
                    quote: quote.unwrap_or_default(),
                };
            }
            Event::Link(Update::Event(News::Gap(gap), _)) => return Before::Gap(gap.clone()),
            Event::Link(Update::Event(News::Presence(news), _)) => {
                let lines = self.before.tell(state, news);
                self.lines.extend(lines);
            }
            Event::Link(Update::Offline { .. }) => self.before.broke(state),
            Event::Link(Update::Online { new_log, .. }) => {
                self.before.back(state.now.instant);
                if *new_log {
                    self.seats.clear();
                    self.in_sight = None;
                }
            }
            _ => {}
        }
        Before::Nothing
    }

    /// The state has taken it in.
    pub(super) fn tell(&mut self, state: &mut State, before: Before) {
        self.weather(state);
        self.motd(state);
        match before {
            Before::Entry { entry, ours, quote } => self.came(state, &entry, ours, &quote),
            Before::Gap(gap) => self.left_out(state, &gap),
            Before::Nothing => {}
        }
        self.begin(state);
        self.went_back(state);
        self.refused(state);
        if let Some(notice) = state.notice.take() {
            let sign = if notice.bad { '!' } else { '*' };
            self.lines.push(format!("{sign} {}", notice.text));
        }
        self.lines.extend(answers::take(state));
        self.composing(state);
        self.question(state);
    }

    /// Shows `many` entries before the oldest that was printed. What is not here must be fetched: it says so by where
    /// it would have to begin.
    pub(super) fn go_back(&mut self, state: &State, many: u64) -> Option<u64> {
        let room = state.room()?;
        let seat = self.seats.entry(room.name.clone()).or_default();
        let oldest = if seat.oldest == 0 { room.scrollback.newest() + 1 } else { seat.oldest };
        if oldest <= room.first {
            self.lines.push(format!("* that is the beginning of {}", room.shown));
            return None;
        }
        seat.oldest = oldest;
        seat.back = Some(many);
        let from = oldest.saturating_sub(many).max(room.first);
        let is_here = |seq: u64| room.scrollback.place_of(seq).ok();
        let whole = is_here(from).zip(is_here(oldest - 1)).is_some_and(|(first, last)| {
            u64::try_from(last.saturating_sub(first)).is_ok_and(|between| between == oldest - 1 - from)
        });
        (!whole).then_some(oldest)
    }

    /// Whether something that was asked for is still to come.
    pub(super) fn waits(&self) -> bool {
        self.seats.values().any(|seat| seat.back.is_some())
    }

    // --- the rooms ------------------------------------------------------------------------------

    /// An entry has come.
    fn came(&mut self, state: &State, entry: &Entry, ours: bool, quote: &str) {
        let Some(place) = state.place_of(&entry.room) else { return };
        let Some(room) = state.rooms.get(place) else { return };
        let Some(seat) = self.seats.get_mut(&room.name).filter(|seat| seat.begun) else { return };
        let in_sight = place == state.current;
        if !in_sight && state.company.rule(&room.name) == Rule::Nothing {
            // One who wants to hear nothing of it is told when they go there.
            return;
        }
        if entry.seq <= seat.newest {
            return;
        }
        if in_sight || seat.visited {
            seat.newest = entry.seq;
        }
        if ours && !self.echoes && !self.unseen.remove(&entry.id) {
            return;
        }
        let line =
            wording::message(state, room, entry).or_else(|| wording::change(state, room, entry, quote));
        let Some(line) = line else { return };
        let (day, stamp) = self.clock.stamp(state, entry.at);
        let where_to = if in_sight { String::new() } else { format!("{} ", room.shown) };
        self.lines.extend(day);
        self.lines.push(format!("{stamp}{where_to}{line}"));
    }

    /// Entries were left out: after a break, more than come by themselves.
    fn left_out(&mut self, state: &State, gap: &Gap) {
        let Some(room) = state.place_of(&gap.room).and_then(|place| state.rooms.get(place)) else { return };
        if let Some(seat) = self.seats.get_mut(&gap.room).filter(|seat| seat.begun) {
            let many = gap.to.saturating_sub(gap.from).saturating_add(1);
            seat.oldest = gap.to.saturating_add(1);
            let (shown, many) = (&room.shown, grouped(many));
            self.lines.push(format!(
                "! {shown}: {many} entries were left out here; /history shows them, from the last"
            ));
        }
    }

    /// Rooms of which it is known now what was said in them, and the room that has come into sight.
    fn begin(&mut self, state: &State) {
        for (place, room) in state.rooms.iter().enumerate() {
            if self.seats.get(&room.name).is_some_and(|seat| seat.begun) {
                continue;
            }
            let seat = self.seats.entry(room.name.clone()).or_default();
            if room.is_caught_up() {
                seat.begun = true;
                if place != state.current && room.unread > 0 {
                    let news = if room.unread == 1 {
                        "1 new message".to_owned()
                    } else {
                        format!("{} new messages", room.unread)
                    };
                    let go = if room.name.is_direct() { "/msg" } else { "/join" };
                    let name = room.shown.trim_start_matches('@').replace(", ", ",");
                    self.lines.push(format!("* {}: {news}; {go} {name} goes there", room.shown));
                }
            }
        }
        self.seats.retain(|name, _| state.place_of(name).is_some());
        let Some(room) = state.room() else {
            if self.in_sight.take().is_some() {
                self.lines.push("* you are in no room: /join #lobby enters one".to_owned());
            }
            return;
        };
        let begun = self.seats.get(&room.name).is_some_and(|seat| seat.begun);
        if begun && self.in_sight.as_ref() != Some(&room.name) {
            self.in_sight = Some(room.name.clone());
            self.enter(state, room);
        }
        self.who_is_here(room);
    }

    /// Who is here is known a moment after one came in.
    fn who_is_here(&mut self, room: &Room) {
        let Some(seat) = self.seats.get_mut(&room.name).filter(|seat| seat.visited && !seat.people) else {
            return;
        };
        let names: Vec<String> = room.people.iter().take(NAMED).map(wording::person).collect();
        if names.is_empty() {
            return;
        }
        seat.people = true;
        let more = match room.people.here().saturating_sub(names.len()) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        self.lines.push(format!("* {} here: {}{more}", room.people.here(), names.join(", ")));
    }

    /// A room has come into sight.
    fn enter(&mut self, state: &State, room: &Room) {
        let topic = if room.topic.is_empty() { String::new() } else { format!(". Topic: {}", room.topic) };
        self.lines.push(format!("* {}{topic}", room.shown));
        let Some(seat) = self.seats.get_mut(&room.name) else { return };
        // Who comes and goes elsewhere is not told.
        seat.people = false;
        let most = if seat.visited { AT_RETURN } else { AT_FIRST };
        let (newest, first) = (seat.newest, !seat.visited);
        let mut entries: Vec<&Entry> = Vec::new();
        let known = (0..room.scrollback.len()).rev().filter_map(|place| room.scrollback.get(place));
        for entry in known.take_while(|entry| entry.seq > newest) {
            let said = matches!(entry.kind, EntryKind::Message | EntryKind::Topic);
            if said && entries.len() < most {
                entries.push(entry);
            }
        }
        seat.visited = true;
        seat.newest = room.scrollback.newest();
        let passed = entries.last().map_or(room.scrollback.newest() + 1, |oldest| oldest.seq);
        if first || passed > newest + 1 {
            seat.oldest = passed;
        }
        let earlier = passed.saturating_sub(newest.max(room.first.saturating_sub(1)) + 1);
        if earlier > 0 {
            self.lines.push(format!("* {} earlier; /history shows more", grouped(earlier)));
        } else if first && room.scrollback.newest() == 0 {
            self.lines.push("* nothing was said here yet".to_owned());
        }
        for entry in entries.into_iter().rev() {
            if let Some(line) = wording::message(state, room, entry) {
                let (day, stamp) = self.clock.stamp(state, entry.at);
                self.lines.extend(day);
                self.lines.push(stamp + &line);
            }
        }
    }

    /// The entries that were asked for are here, or will not come.
    fn went_back(&mut self, state: &State) {
        let Some(room) = state.room().filter(|room| room.asked.is_none()) else { return };
        let Some(seat) = self.seats.get_mut(&room.name) else { return };
        let Some(many) = seat.back.take() else { return };
        let from = seat.oldest.saturating_sub(many).max(room.first);
        // As far as there is no gap: the server may give fewer at once.
        let before = room.scrollback.place_of(seat.oldest).unwrap_or_else(|place| place);
        let known = (0..before).rev().filter_map(|place| room.scrollback.get(place));
        let mut entries: Vec<&Entry> = Vec::new();
        for entry in known.take_while(|entry| entry.seq >= from) {
            if entry.seq + 1 == entries.last().map_or(seat.oldest, |later| later.seq) {
                entries.push(entry);
            }
        }
        // The numbers are for /about.
        let mut clock = Clock { every: true, ..Clock::default() };
        let mut lines = Vec::new();
        let here = entries.last().map(|oldest| oldest.seq);
        for entry in entries.into_iter().rev() {
            if let Some(line) = wording::message(state, room, entry) {
                let (day, stamp) = clock.stamp(state, entry.at);
                lines.extend(day);
                lines.push(format!("#{} {stamp}{line}", entry.seq));
            }
        }
        seat.oldest = here.unwrap_or(seat.oldest);
        lines.push(match seat.oldest.saturating_sub(room.first) {
            _ if here.is_none() => "! those entries are not here: /history asks again".to_owned(),
            0 => format!("* that is the beginning of {}", room.shown),
            earlier => format!("* end of the history that was asked for, {} earlier", grouped(earlier)),
        });
        self.lines.append(&mut lines);
        // What comes next is of another time.
        self.clock.days.forget();
    }

    // --- how it stands ----------------------------------------------------------------------------

    fn weather(&mut self, state: &State) {
        let online = state.connection == Connection::Online;
        let was = &mut self.weather;
        if online && !was.met {
            was.met = true;
            self.lines.push(format!("* connected to {} as {}", state.server, state.me));
        }
        match (&state.broken, was.broken) {
            (Some((why, _)), false) => {
                was.broken = true;
                self.lines.push(format!(
                    "! no connection: {why}. It is tried again until there is one; what you say waits here"
                ));
            }
            (None, true) => {
                was.broken = false;
                self.lines.push("* connected again".to_owned());
            }
            _ => {}
        }
        match (&state.held, was.held) {
            (Some((why, _)), false) => {
                was.held = true;
                self.lines.push(format!("! {why}. What you say waits here and is sent again"));
            }
            (None, true) => {
                was.held = false;
                if online {
                    self.lines.push("* the server stores again".to_owned());
                }
            }
            _ => {}
        }
        match (state.silence(), was.silent) {
            (Some(seconds), false) => {
                was.silent = true;
                self.lines.push(format!("! no answer of the server for {seconds} s"));
            }
            (None, true) => {
                was.silent = false;
                if online {
                    self.lines.push("* the server answers again".to_owned());
                }
            }
            _ => {}
        }
    }

    /// The message of the day, when one has come in.
    fn motd(&mut self, state: &mut State) {
        if let Some(text) = state.motd.text.as_ref().filter(|_| state.motd.due) {
            let text = wording::set_in(&format!("the message of the day:\n{}", Motd::lines(text)));
            self.lines.push(format!("* {text}"));
        }
        state.motd.due = false;
    }

    /// Messages of ours that will not be sent. At the end they are told by whoever ends.
    fn refused(&mut self, state: &State) {
        if matches!(state.connection, Connection::Ended { .. }) {
            return;
        }
        for pending in state.rooms.iter().flat_map(|room| &room.pending) {
            if let Delivery::Failed(why) = &pending.delivery
                && self.failed.insert(pending.id)
            {
                self.lines.push(format!("! not sent: {why}: {}", wording::set_in(pending.text.as_str())));
            }
        }
    }

    /// What is written next is for something else than to be said.
    fn composing(&mut self, state: &State) {
        let composing = state.room().and_then(|room| Some((room, room.composing.as_ref()?)));
        let told = composing.map(|(room, composing)| match composing {
            Composing::Answer(seq) => {
                format!("* what you write next answers {}", wording::quote(state, room, *seq))
            }
            Composing::Edit { seq, .. } => format!("* change {}", wording::quote(state, room, *seq)),
        });
        if told != self.composing {
            self.lines.extend(told.clone());
            self.composing = told;
        }
    }

    /// What is asked. A search in what was said before has its place in the row in which one writes.
    fn question(&mut self, state: &State) {
        if self.answers == Answers::Nobody {
            return;
        }
        let question =
            state.question.as_ref().filter(|question| !matches!(question, Question::Search { .. }));
        let told = question.map(|_| {
            let (lines, answers) = view::question(state);
            let answers = answers.into_iter().map(|(key, does)| {
                // A line has no Esc.
                let key = if key == "Esc" && self.answers == Answers::Lines { "no".to_owned() } else { key };
                format!("{key}: {does}")
            });
            let between = if lines.len() > 1 { "\n  " } else { " " };
            format!("! {}{between}{}", lines.join("\n  "), answers.collect::<Vec<_>>().join(", "))
        });
        if told != self.asked {
            self.lines.extend(told.clone());
            self.asked = told;
        }
    }
}
