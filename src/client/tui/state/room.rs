//! One room: what was said in it, who is there, how far it has been read, what is being written.

use std::ops::RangeInclusive;

use uuid::Uuid;

use super::composer::Composer;
use super::finding::Jump;
use super::people::People;
use super::scrollback::Scrollback;
use crate::client::tui::scroll::{Anchor, Scroll, Unit};
use crate::client::tui::wrap;
use crate::protocol::command::{Place, RequestId};
use crate::protocol::event::{Entry, EntryKind, Gap, RoomInfo};
use crate::protocol::mention;
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::text::{Line, Text};
use crate::protocol::time::Time;

/// Speakers that completion remembers, the last one first.
const SPEAKERS: usize = 100;

/// See the module.
#[derive(Debug)]
pub struct Room {
    pub(crate) name: RoomName,
    pub(crate) topic: Line,
    pub(crate) people: People,
    /// The server has said that we are in.
    pub(crate) joined: bool,
    /// The question to be let in, for its answer.
    pub(crate) entering: Option<RequestId>,
    /// We were in before: what is missed from now on is news and not history.
    returning: bool,
    /// The last entry at the moment of joining; up to here it is catching up.
    caught_up_at: u64,
    /// The first missed entry that arrives moves the line "new".
    missing: bool,
    pub(crate) scrollback: Scrollback,
    pub(crate) pending: Vec<Pending>,
    pub(crate) scroll: Scroll,
    /// The last `seq` that was in sight.
    seen: u64,
    /// The line "new" stands behind this `seq`.
    pub(crate) new_after: Option<u64>,
    /// Messages of others since `seen`.
    pub(crate) unread: u64,
    /// One of them says our name.
    pub(crate) mentioned: bool,
    pub(crate) composer: Composer,
    /// Who spoke, the last one first.
    pub(crate) speakers: Vec<Nick>,
    /// Columns of the widest name among those who spoke.
    pub(crate) widest_name: usize,
    /// The page of history that is being waited for.
    pub(crate) asked: Option<RequestId>,
    /// Where that page lies, if it is of a gap that a reader came across.
    pub(crate) asked_for: Option<(RequestId, Place)>,
    /// The server had nothing where a gap is: it is not asked again by itself.
    pub(crate) history_ends: bool,
    /// Where the log begins, as far as we know: what was before that has expired.
    pub(crate) first: u64,
    /// Where we want to be taken, once it is known what is there.
    pub(crate) jump: Option<Jump>,
}

/// What we said and the room does not have yet.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) id: Uuid,
    pub(crate) text: Text,
    pub(crate) action: bool,
    /// By the server's clock, as well as we know it.
    pub(crate) at: Time,
    pub(crate) delivery: Delivery,
}

/// How far a message of ours has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// On its way, or waiting for the connection.
    Sending,
    /// The server has it, as this `seq`, and it is yet to come back.
    Stored(u64),
    /// It will not be sent, and why.
    Failed(String),
}

impl Room {
    /// A room that nothing is known of yet.
    pub(crate) fn new(name: RoomName) -> Self {
        Self {
            name,
            topic: Line::default(),
            people: People::default(),
            joined: false,
            entering: None,
            returning: false,
            caught_up_at: 0,
            missing: false,
            scrollback: Scrollback::default(),
            pending: Vec::new(),
            scroll: Scroll::Bottom,
            seen: 0,
            new_after: None,
            unread: 0,
            mentioned: false,
            composer: Composer::default(),
            speakers: Vec::new(),
            widest_name: 0,
            asked: None,
            asked_for: None,
            history_ends: false,
            first: 1,
            jump: None,
        }
    }

    /// We are in, and `info` is what the room is now.
    pub(crate) fn join(&mut self, info: RoomInfo) {
        self.joined = true;
        self.entering = None;
        self.returning = !self.scrollback.is_untouched() || self.returning;
        self.topic = info.topic;
        self.people.count(info.here);
        self.missing = self.returning && info.last > self.scrollback.newest();
        self.caught_up_at = info.last;
        self.history_ends = false;
        self.first = info.first.unwrap_or(1);
        if info.last < self.scrollback.newest() {
            self.scrollback.cut_after(info.last);
            self.seen = self.seen.min(info.last);
        }
        if info.last == 0 {
            self.returning = true;
        }
    }

    /// The server's log is another one: nothing that was shown is in it.
    pub(crate) fn forget(&mut self) {
        self.scrollback.clear();
        self.scrollback.cut_after(0);
        self.scroll = Scroll::Bottom;
        self.seen = 0;
        self.new_after = None;
        self.unread = 0;
        self.mentioned = false;
        self.returning = false;
        self.first = 1;
        self.jump = None;
    }

    /// Takes in the next entry. `in_sight`: the reader sees it arrive. Says whether it is a reason
    /// to ring: somebody said our name just now.
    pub(crate) fn arrive(&mut self, entry: Entry, me: &Nick, ignored: bool, in_sight: bool) -> bool {
        let live = entry.seq > self.caught_up_at;
        let history = !live && !self.returning;
        let news = !history && !ignored && entry.kind == EntryKind::Message && entry.from != *me;
        let mention = news && mention::find(entry.text.as_str(), me.as_str()).is_some();
        self.notice(&entry);
        if entry.kind == EntryKind::Topic {
            self.topic = Line::lossy(entry.text.as_str());
        }
        if let Some(place) = self.pending.iter().position(|pending| pending.id == entry.id) {
            self.pending.remove(place);
            if let Scroll::At(Anchor { unit: Unit::Pending(id), below }) = self.scroll
                && id == entry.id
            {
                self.scroll = Scroll::At(Anchor { unit: Unit::Entry(entry.seq), below });
            }
        }
        if news {
            self.put_new_line(in_sight);
            self.unread += 1;
            self.mentioned |= mention;
        }
        self.scrollback.push(entry);
        if in_sight || history {
            self.see_all();
        }
        mention && live
    }

    /// Entries were left out.
    pub(crate) fn skip(&mut self, gap: &Gap, in_sight: bool) {
        if self.returning {
            self.put_new_line(in_sight);
            let left_out = gap.to.saturating_sub(gap.from).saturating_add(1);
            self.unread = self.unread.saturating_add(left_out);
        }
        self.scrollback.skip_to(gap.to);
        self.pending.retain(|pending| !matches!(pending.delivery, Delivery::Stored(seq) if seq <= gap.to));
        if in_sight || !self.returning {
            self.see_all();
        }
    }

    fn put_new_line(&mut self, in_sight: bool) {
        if self.missing || (!in_sight && self.unread == 0) {
            self.new_after = Some(self.seen);
        }
        self.missing = false;
    }

    /// We are in, and have got what we missed.
    pub(crate) fn is_caught_up(&self) -> bool {
        self.joined && self.scrollback.newest() >= self.caught_up_at
    }

    /// What is missing before the entry at `place`, and the server may have; see [`Scrollback::gap_before`].
    pub(crate) fn gap_before(&self, place: usize) -> Option<RangeInclusive<u64>> {
        let gap = self.scrollback.gap_before(place)?;
        let (first, last) = (self.first.max(*gap.start()), *gap.end());
        (first <= last).then_some(first..=last)
    }

    /// A page of the past has come.
    pub(crate) fn fill(&mut self, page: Vec<Entry>) {
        for entry in &page {
            self.widen(&entry.from);
        }
        self.scrollback.fill(page);
    }

    /// Forgets what is far from the reader, if there is too much.
    pub(crate) fn forget_what_is_far(&mut self) {
        let reader = match self.scroll {
            Scroll::At(Anchor { unit: Unit::Entry(seq), .. }) => {
                self.scrollback.place_of(seq).unwrap_or_else(|place| place)
            }
            Scroll::At(Anchor { unit: Unit::Start, .. }) => 0,
            Scroll::At(_) | Scroll::Bottom => usize::MAX,
        };
        self.scrollback.forget_far_from(reader);
    }

    /// The server has stored the message `id` as `seq`.
    pub(crate) fn stored(&mut self, id: Uuid, seq: u64) {
        let Some(place) = self.pending.iter().position(|pending| pending.id == id) else { return };
        if seq <= self.scrollback.newest() {
            // It lies in a gap.
            self.pending.remove(place);
        } else {
            self.pending[place].delivery = Delivery::Stored(seq);
        }
    }

    /// Everything up to the newest has been in sight.
    pub(crate) fn see_all(&mut self) {
        self.seen = self.scrollback.newest();
        self.unread = 0;
        self.mentioned = false;
    }

    /// The reader turns to something else: what was read needs no line any more.
    pub(crate) fn leave_sight(&mut self) {
        if self.unread == 0 {
            self.new_after = None;
        }
    }

    /// What was said last and failed, taken back to be said again.
    pub(crate) fn take_back(&mut self) -> Option<Text> {
        let failed = |pending: &Pending| matches!(pending.delivery, Delivery::Failed(_));
        let place = self.pending.iter().rposition(failed)?;
        Some(self.pending.remove(place).text)
    }

    /// Messages that the server has not stored.
    pub(crate) fn unsent(&self) -> usize {
        self.pending.iter().filter(|pending| !matches!(pending.delivery, Delivery::Stored(_))).count()
    }

    /// Remembers who spoke.
    fn notice(&mut self, entry: &Entry) {
        self.widen(&entry.from);
        if entry.kind == EntryKind::Message && self.speakers.first() != Some(&entry.from) {
            self.speakers.retain(|nick| *nick != entry.from);
            self.speakers.insert(0, entry.from.clone());
            self.speakers.truncate(SPEAKERS);
        }
    }

    pub(crate) fn widen(&mut self, nick: &Nick) {
        self.widest_name = self.widest_name.max(wrap::columns(nick.as_str()));
    }
}
