//! What is in the scrollback, as rows: pure layout, before colours.
//!
//! A scrollback is a line of **units**: the beginning of the room, each entry with the lines that are
//! drawn above it (day, gap, "new"), the gap behind the last entry, and what we said that the room does
//! not have yet. [`Layout::rows`] lays out one of them; nobody lays out all.

mod around;
mod company;
mod day;
mod fold;
mod motd;
mod saying;
mod thread;
mod welcome;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub(crate) use self::around::{CHIP_GAP, Chip, EDITED};
pub(crate) use self::saying::Saying;
use super::markup;
use super::scroll::Unit;
use super::settings::Settings;
use super::state::changes::Deleted;
use super::state::company::Company;
use super::state::ignored::Ignored;
use super::state::inviting::Inviting;
use super::state::motd::Motd;
use super::state::room::{Delivery, Room};
use super::styled::Styled;
use super::wrap::{truncate, wrap};
use crate::protocol::event::{Entry, EntryKind};
use crate::protocol::name::Nick;

/// Messages of one person that follow each other within this time are one group.
const GROUP_SECONDS: i64 = 5 * 60;

/// One row of the scrollback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    Empty,
    /// A sentence of the program's own.
    Note(String),
    /// What others are told so that they can join.
    Invite(String),
    /// So many messages are not here; whether they are the room's first; whether they are on their way.
    Gap {
        missing: u64,
        first: bool,
        asked: bool,
    },
    /// What was here has expired.
    Expired,
    Day(String),
    New,
    Said(Said),
    /// What the message below answers.
    Answered(String),
    /// Reactions to the message above.
    Reactions(Vec<Chip>),
}

/// One row of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// Empty where it would only repeat what stands above.
    pub(crate) time: String,
    /// Empty where it would only repeat what stands above.
    pub(crate) name: String,
    pub(crate) text: Styled,
    pub(crate) from: Option<Nick>,
    /// What their entries carry as `author`, where this one does.
    pub(crate) author: Option<u64>,
    pub(crate) tone: Tone,
    /// The first row of its message.
    pub(crate) first: bool,
    /// It says our name.
    pub(crate) mention: bool,
    /// Behind it stands that the message was changed.
    pub(crate) edited: bool,
    /// Which row of what was said it is, those counted that are folded away; `None` for all that was not said.
    pub(crate) place: Option<usize>,
    /// It stands for rows that are folded away.
    pub(crate) folded: bool,
}

/// How a row is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    #[default]
    Plain,
    /// By the program.
    News,
    /// Not sent yet.
    Sending,
    /// Not sent at all.
    Failed,
    /// Taken back.
    Deleted,
}

/// Columns of the parts of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    /// With the space behind it; 0 where there is no room for it.
    pub(crate) time: usize,
    /// Without the gap behind it; 0 where names have rows of their own.
    pub(crate) name: usize,
    /// Between name and text, with a place for a sign.
    pub(crate) gap: usize,
    pub(crate) text: usize,
}

/// Columns left of everything.
pub(crate) const MARGIN: usize = 1;

impl Columns {
    pub(crate) fn fit(width: usize, widest_name: usize, settings: &Settings) -> Self {
        let most = settings.names_width;
        let time = match settings.time_format.columns() {
            0 => 0,
            columns => columns + 1,
        };
        let (time, most, gap) = match width {
            70.. => (time, most, 3),
            50.. => (time, most.min(12), 3),
            30.. => (0, most.min(8), 2),
            _ => (0, 0, 0),
        };
        let name = widest_name.clamp(4.min(most), most);
        let text = width.saturating_sub(MARGIN + time + name + gap + 1).max(1);
        Self { time, name, gap, text }
    }

    /// Columns in front of the text.
    pub(crate) fn indent(self) -> usize {
        MARGIN + self.time + self.name + self.gap
    }
}

/// A room, and what else its rows depend on.
pub(crate) struct Layout<'a> {
    pub(crate) room: &'a Room,
    pub(crate) me: &'a Nick,
    /// What our own entries carry as `author`.
    pub(crate) author: u64,
    /// Whose messages are not shown.
    pub(crate) ignored: &'a Ignored,
    /// What names us, and what is told of people.
    pub(crate) company: &'a Company,
    pub(crate) zone: &'a TimeZone,
    /// Now, by which a day of another year says its year.
    pub(crate) now: Timestamp,
    /// How others join, for the beginning of a host's room.
    pub(crate) inviting: Option<&'a Inviting>,
    /// The message of the day, and where it stands.
    pub(crate) motd: &'a Motd,
    /// How one begins is said at the end.
    pub(crate) welcome: bool,
    pub(crate) columns: Columns,
}

impl Layout<'_> {
    /// How many units there are; at least two.
    pub(crate) fn units(&self) -> usize {
        self.room.scrollback.len() + 2 + self.room.pending.len()
    }

    /// The unit with this number.
    pub(crate) fn unit(&self, number: usize) -> Option<Unit> {
        let known = self.room.scrollback.len();
        match number {
            0 => Some(Unit::Start),
            _ if number <= known => self.room.scrollback.get(number - 1).map(|e| Unit::Entry(e.seq)),
            _ if number == known + 1 => Some(Unit::Tail),
            _ => self.room.pending.get(number - known - 2).map(|pending| Unit::Pending(pending.id)),
        }
    }

    /// The number of a unit. An entry that is no longer known is the next one that is.
    pub(crate) fn number(&self, unit: Unit) -> Option<usize> {
        let known = self.room.scrollback.len();
        match unit {
            Unit::Start => Some(0),
            Unit::Entry(seq) => Some(1 + self.room.scrollback.place_of(seq).unwrap_or_else(|place| place)),
            Unit::Tail => Some(known + 1),
            Unit::Pending(id) => {
                let place = self.room.pending.iter().position(|pending| pending.id == id)?;
                Some(known + 2 + place)
            }
        }
    }

    /// The rows of a unit, from the top. Many units have none.
    pub(crate) fn rows(&self, number: usize) -> Vec<Row> {
        let known = self.room.scrollback.len();
        match number {
            0 => self.start(),
            _ if number <= known => self.entry(number - 1),
            _ if number == known + 1 => {
                let end = self.gap(known).into_iter().chain(self.comings(known));
                end.chain(self.motd(known)).chain(self.welcome()).collect()
            }
            _ => self.pending(number - known - 2),
        }
    }

    fn start(&self) -> Vec<Row> {
        let room = self.room;
        if room.scrollback.gap_before(0).is_some() {
            return Vec::new();
        }
        let empty = room.scrollback.len() == 0;
        let note = |text: String| wrap(&text, self.columns.text).into_iter().map(Row::Note);
        if !room.joined && empty {
            return note(format!("Joining {} …", room.shown)).collect();
        }
        let mut rows = vec![Row::Empty];
        rows.extend(note(self.beginning()));
        if empty {
            rows.extend(note("Nothing has been said here yet: be the first, write a line below.".to_owned()));
        }
        if let Some(inviting) = self.inviting {
            let told = |text: &str| wrap(text, self.columns.text).into_iter().map(Row::Invite);
            rows.push(Row::Empty);
            let by_words = inviting.by_words(&room.name);
            if let Some(line) = &by_words {
                rows.extend(note("Others on this network join with:".to_owned()));
                rows.extend(told(line));
                rows.extend(note("or, where that finds nothing:".to_owned()));
            } else {
                rows.extend(note("Others join with:".to_owned()));
            }
            rows.extend(told(&inviting.spoken(&room.name)));
            let next = match (inviting.words(), inviting.locked) {
                (Some(_), _) if by_words.is_some() => "/invite shows one line that holds both",
                (Some(words), _) => {
                    rows.extend(note("and the passphrase".to_owned()));
                    rows.extend(told(words));
                    "/invite shows one line that holds both"
                }
                (None, true) => "and the passphrase, which is not known here; /invite shows a line to copy",
                (None, false) => "/invite shows a line to copy",
            };
            rows.extend(note(next.to_owned()));
        }
        rows.push(Row::Empty);
        rows
    }

    fn gap(&self, place: usize) -> Option<Row> {
        self.room.scrollback.gap_before(place)?;
        let Some(gap) = self.room.gap_before(place) else { return Some(Row::Expired) };
        let missing = gap.end() - gap.start() + 1;
        Some(Row::Gap { missing, first: *gap.start() == self.room.first, asked: self.room.asked.is_some() })
    }

    fn entry(&self, place: usize) -> Vec<Row> {
        let Some(entry) = self.room.scrollback.get(place) else { return Vec::new() };
        let mut rows = self.comings(place);
        rows.extend(self.motd(place));
        let mut before = self.shown_before(place).filter(|_| rows.is_empty());
        let last_seq = place.checked_sub(1).and_then(|place| self.room.scrollback.get(place)).map(|e| e.seq);
        let gap = self.gap(place);
        if let Some(seen) = self.room.new_after
            && last_seq.unwrap_or(0) <= seen
            && seen < entry.seq
            && (last_seq.is_some() || gap.is_some())
        {
            rows.push(Row::New);
            before = None;
        }
        if let Some(gap) = gap {
            rows.push(gap);
            before = None;
        }
        if !matches!(entry.kind, EntryKind::Message | EntryKind::Topic) {
            return rows;
        }
        if let Some(day) = self.day_begins(place, entry) {
            rows.push(Row::Day(self.day_name(day)));
            before = None;
        }
        // The line "new" may stand above an entry between the two that shows nothing.
        let is_first_new =
            |b: &&Entry| self.room.new_after.is_some_and(|seen| (b.seq..entry.seq).contains(&seen));
        let before = before.filter(|b| b.kind == EntryKind::Message && !is_first_new(b)).map(|b| Before {
            from: &b.from,
            at: b.at.timestamp(),
            action: b.action,
        });
        match entry.kind {
            EntryKind::Message if self.ignored.contains(&entry.from) => {
                // One line for as many as come in a row.
                if before.is_none_or(|before| *before.from != entry.from) {
                    let (from, author) = (&entry.from, entry.author);
                    let (at, tone) = (entry.at.timestamp(), Tone::News);
                    let text = self.not_shown(place, entry);
                    self.said(
                        &Saying { from, author, at, text: &text, action: false, tone, open: false },
                        None,
                        &mut rows,
                    );
                }
            }
            EntryKind::Message => {
                self.message(entry, before, entry.reply_to.is_some(), self.answers(place), &mut rows);
            }
            EntryKind::Topic => {
                let news = match entry.text.as_str() {
                    "" => format!("{} cleared the topic", entry.from),
                    topic => format!("{} set the topic: {topic}", entry.from),
                };
                let (from, at, tone) = (&entry.from, entry.at.timestamp(), Tone::News);
                let author = entry.author;
                self.said(
                    &Saying { from, author, at, text: &news, action: false, tone, open: false },
                    None,
                    &mut rows,
                );
            }
            EntryKind::Edited | EntryKind::Deleted | EntryKind::Reacted | EntryKind::Unknown => {}
        }
        rows
    }

    /// The rows of a message. `quotes`: above it stands what it answers; `answers`: below it stands this.
    fn message(
        &self,
        entry: &Entry,
        before: Option<Before<'_>>,
        quotes: bool,
        answers: Option<String>,
        rows: &mut Vec<Row>,
    ) {
        let now = self.room.now(entry, self.author);
        let deleted = now.deleted.map(|deleted| match deleted {
            Deleted::Plainly => "message deleted".to_owned(),
            Deleted::By(nick) => format!("message deleted by {nick}"),
        });
        let tone = match deleted {
            _ if now.wished => Tone::Sending,
            Some(_) => Tone::Deleted,
            None => Tone::Plain,
        };
        // Who answers says so above their name; and what is gone is not said about the message before.
        let answered = entry.reply_to.filter(|_| quotes && deleted.is_none());
        let before = before.filter(|_| answered.is_none() && deleted.is_none());
        rows.extend(answered.map(|seq| self.answered(seq)));
        let text = deleted.as_deref().unwrap_or(now.text);
        let (from, action) = (&entry.from, entry.action && deleted.is_none());
        let author = entry.author;
        let open = self.room.unfolded.contains(&entry.seq);
        let said = Saying { from, author, at: entry.at.timestamp(), text, action, tone, open };
        self.said(&said, before, rows);
        if now.edited {
            self.mark_edited(rows);
        }
        self.reactions(&now.reactions, answers.filter(|_| deleted.is_none()), rows);
    }

    fn pending(&self, place: usize) -> Vec<Row> {
        let mut rows = Vec::new();
        let Some(pending) = self.room.pending.get(place) else { return rows };
        let before = match place.checked_sub(1).and_then(|place| self.room.pending.get(place)) {
            Some(earlier) => Some((earlier.at, earlier.action)),
            None => self
                .shown_before(self.room.scrollback.len())
                .filter(|entry| entry.kind == EntryKind::Message && entry.from == *self.me)
                .map(|entry| (entry.at, entry.action)),
        };
        let before = before.map(|(at, action)| Before { from: self.me, at: at.timestamp(), action });
        let tone = match pending.delivery {
            Delivery::Failed(_) => Tone::Failed,
            Delivery::Stored(_) => Tone::Plain,
            Delivery::Sending => Tone::Sending,
        };
        rows.extend(pending.reply_to.map(|seq| self.answered(seq)));
        let before = before.filter(|_| pending.reply_to.is_none());
        let (at, action, text) = (pending.at.timestamp(), pending.action, pending.text.as_str());
        let author = Some(self.author);
        self.said(&Saying { from: self.me, author, at, text, action, tone, open: false }, before, &mut rows);
        if let Delivery::Failed(why) = &pending.delivery {
            let note = format!("not sent: {why} · ↑ takes it back into the input");
            rows.extend(said_rows(markup::plain(&note, self.columns.text), Tone::Failed));
        }
        rows
    }

    /// What was said in a unit, and by whom. Nothing if it is not shown.
    pub(crate) fn text(&self, number: usize) -> Option<(&Nick, &str)> {
        match self.unit(number)? {
            Unit::Entry(_) => {
                let entry = self.room.scrollback.get(number - 1)?;
                let said = matches!(entry.kind, EntryKind::Message | EntryKind::Topic);
                let text = self.room.now(entry, self.author).text;
                (said && !self.ignored.contains(&entry.from)).then_some((&entry.from, text))
            }
            Unit::Pending(id) => {
                let pending = self.room.pending.iter().find(|pending| pending.id == id)?;
                Some((self.me, pending.text.as_str()))
            }
            Unit::Start | Unit::Tail => None,
        }
    }

    /// Puts name and time in front of a row of the unit `number`, which has nothing above it that
    /// says them.
    pub(crate) fn say_who(&self, number: usize, row: &mut Row) {
        let entry = number.checked_sub(1).and_then(|place| self.room.scrollback.get(place));
        if let (Some(entry), Row::Said(said)) = (entry, row)
            && entry.kind == EntryKind::Message
            && self.columns.name > 0
            && said.name.is_empty()
        {
            let name = if entry.action { "*" } else { entry.from.as_str() };
            said.name = truncate(name, self.columns.name);
            if self.columns.time > 0 {
                said.time = self.clock(entry.at.timestamp());
            }
        }
    }

    /// The nearest entry before `place` that shows anything, unless a gap lies between.
    fn shown_before(&self, place: usize) -> Option<&Entry> {
        let mut place = place;
        loop {
            if self.room.scrollback.gap_before(place).is_some() {
                return None;
            }
            place = place.checked_sub(1)?;
            let entry = self.room.scrollback.get(place)?;
            if matches!(entry.kind, EntryKind::Message | EntryKind::Topic) {
                return Some(entry);
            }
        }
    }

    pub(crate) fn clock(&self, at: Timestamp) -> String {
        self.company.settings.time_format.tell(&at.to_zoned(self.zone.clone()))
    }

    /// The rows of one message. What stands `before` it decides what need not be said again.
    fn said(&self, saying: &Saying<'_>, before: Option<Before<'_>>, rows: &mut Vec<Row>) {
        let time = self.clock(saying.at);
        let grouped = before.as_ref().is_some_and(|before| {
            before.from == saying.from
                && !before.action
                && !saying.action
                && (0..GROUP_SECONDS).contains(&saying.at.duration_since(before.at).as_secs())
        });
        let same_minute = grouped && before.is_some_and(|before| self.clock(before.at) == time);
        let time = if same_minute { String::new() } else { time };
        let name = match saying.tone {
            _ if grouped => String::new(),
            _ if saying.action => "*".to_owned(),
            Tone::News => "·".to_owned(),
            _ => saying.from.as_str().to_owned(),
        };
        let mention = saying.tone == Tone::Plain && self.names_us(saying.from, saying.text);
        let text = saying.rows(self.columns.text);
        let (from, tone) = (Some(saying.from), saying.tone);
        let author = saying.author;
        let row = |text: Styled| Said { text, tone, from: from.cloned(), author, mention, ..Said::default() };
        let mut said: Vec<Row> = if saying.open || matches!(tone, Tone::News | Tone::Deleted) {
            let rows = text.into_iter().enumerate();
            rows.map(|(place, text)| Row::Said(Said { place: Some(place), ..row(text) })).collect()
        } else {
            let folds = fold::fold(&text);
            let mut text: Vec<Option<Styled>> = text.into_iter().map(Some).collect();
            let mut take = |place: usize| text.get_mut(place).and_then(Option::take).unwrap_or_default();
            let rows = folds.into_iter().map(|fold| match fold {
                fold::Fold::Row(place) => Said { place: Some(place), ..row(take(place)) },
                fold::Fold::Hidden(many) => Said { folded: true, ..row(fold::hidden(many)) },
            });
            rows.map(Row::Said).collect()
        };
        if self.columns.name == 0 && !grouped && !saying.action && saying.tone != Tone::News {
            // Too narrow for columns: the name has a row of its own.
            let name = truncate(&name, self.columns.text);
            let (from, author, tone) = (Some(saying.from.clone()), saying.author, saying.tone);
            rows.push(Row::Said(Said { name, from, author, tone, first: true, mention, ..Said::default() }));
        } else if let Some(Row::Said(first)) = said.first_mut() {
            first.first = true;
            first.time = if self.columns.time > 0 { time } else { String::new() };
            first.name = truncate(&name, self.columns.name);
        }
        rows.extend(said);
    }
}

fn said_rows(rows: Vec<Styled>, tone: Tone) -> impl Iterator<Item = Row> {
    rows.into_iter().map(move |text| Row::Said(Said { text, tone, ..Said::default() }))
}

/// What stands above it.
struct Before<'a> {
    from: &'a Nick,
    at: Timestamp,
    action: bool,
}
