//! One room: what was said in it, who is there, how far it has been read, what is being written.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use uuid::Uuid;

use super::changes::{Deleted, Now};
use super::comings::Comings;
use super::composer::Composer;
use super::finding::{Back, Jump};
use super::in_room::InRoomSearch;
use super::people::People;
use super::reading::Counts;
use super::scrollback::Scrollback;
use super::typing::Typing;
use super::wishes::{Composing, Wish, Wished};
use crate::client::tui::scroll::{Anchor, Scroll, Unit};
use crate::client::tui::wrap;
use crate::protocol::command::{Place, RequestId};
use crate::protocol::event::{Entry, EntryKind, Gap, RoomInfo};
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::text::{Line, Text};
use crate::protocol::time::Time;

/// Speakers that completion remembers, the last one first.
const SPEAKERS: usize = 100;

/// See the module.
#[derive(Debug)]
pub struct Room {
    pub(crate) name: RoomName,
    /// What people read in its place: of a direct room, who is in it.
    pub(crate) shown: String,
    /// Whom it is for, if it is only for some.
    pub(crate) members: Vec<Nick>,
    pub(crate) topic: Line,
    pub(crate) people: People,
    /// Of a direct room: who is not here, or away, and we were told so since.
    pub(crate) told_gone: Vec<Nick>,
    /// Who is writing.
    pub(crate) typing: Typing,
    pub(crate) comings: Comings,
    /// The server has said that we are in.
    pub(crate) joined: bool,
    /// It was open last time, and is entered again without having been asked for.
    pub(crate) reopened: bool,
    /// The question to be let in, for its answer.
    pub(crate) entering: Option<RequestId>,
    /// We were in before: what is missed from now on is news and not history.
    returning: bool,
    /// The last entry at the moment of joining; up to here it is catching up.
    caught_up_at: u64,
    /// The first missed entry that arrives moves the line "new".
    pub(super) missing: bool,
    /// Up to here the server has counted what is unread.
    pub(super) counted_to: u64,
    /// Up to here the server knows that we have read.
    pub(crate) told_read: u64,
    pub(crate) scrollback: Scrollback,
    pub(crate) pending: Vec<Pending>,
    pub(crate) scroll: Scroll,
    /// The last `seq` that was in sight.
    pub(super) seen: u64,
    /// The line "new" stands behind this `seq`.
    pub(crate) new_after: Option<u64>,
    /// Messages of others since `seen`.
    pub(crate) unread: u64,
    /// One of them says our name.
    pub(crate) mentioned: bool,
    pub(crate) composer: Composer,
    /// It was looked whether there is a draft from an earlier time.
    pub(crate) recalled: bool,
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
    /// What shall become of messages, and the server has not answered yet.
    pub(crate) wishes: Vec<Wish>,
    /// The message that keys are about.
    pub(crate) chosen: Option<u64>,
    /// Long messages that were opened; each costs a key, so they are few.
    pub(crate) unfolded: BTreeSet<u64>,
    /// What the input is for, if it is not simply said.
    pub(crate) composing: Option<Composing>,
    /// Reading mode: keys choose messages and act on them until one goes back to writing.
    pub(crate) reading: bool,
    /// What is searched for in this room, while one reads.
    pub(crate) search: Option<InRoomSearch>,
    /// The message that is being fetched to be quoted.
    pub(crate) quoting: Option<(RequestId, u64)>,
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
    /// The message that it answers.
    pub(crate) reply_to: Option<u64>,
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

/// Whether a message names us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named(pub(crate) bool);

impl Room {
    /// A room that nothing is known of yet.
    pub(crate) fn new(name: RoomName) -> Self {
        Self {
            // What it is called is not known before its people are.
            shown: if name.is_direct() { "@…".to_owned() } else { name.to_string() },
            members: Vec::new(),
            name,
            topic: Line::default(),
            people: People::default(),
            told_gone: Vec::new(),
            typing: Typing::default(),
            comings: Comings::default(),
            joined: false,
            reopened: false,
            entering: None,
            returning: false,
            caught_up_at: 0,
            missing: false,
            counted_to: 0,
            told_read: 0,
            scrollback: Scrollback::default(),
            pending: Vec::new(),
            scroll: Scroll::Bottom,
            seen: 0,
            new_after: None,
            unread: 0,
            mentioned: false,
            composer: Composer::default(),
            recalled: false,
            speakers: Vec::new(),
            widest_name: 0,
            asked: None,
            asked_for: None,
            history_ends: false,
            first: 1,
            jump: None,
            wishes: Vec::new(),
            chosen: None,
            unfolded: BTreeSet::new(),
            composing: None,
            reading: false,
            search: None,
            quoting: None,
        }
    }

    /// All that will come in it is news, also what was said before we came, unless the server knows that we have read it.
    pub(crate) fn called(&mut self) {
        self.returning = true;
    }

    /// We are in, and `info` is what the room is now; `counts` is what the server knows of our reading.
    pub(crate) fn join(&mut self, info: RoomInfo, counts: Option<Counts>) {
        self.joined = true;
        self.reopened = false;
        self.entering = None;
        self.returning = !self.scrollback.is_untouched() || self.returning;
        self.topic = info.topic;
        self.people.count(info.here);
        self.missing = self.returning && info.last > self.scrollback.newest();
        self.caught_up_at = info.last;
        self.counted_to = 0;
        self.told_read = 0;
        self.history_ends = false;
        self.first = info.first.unwrap_or(1);
        if info.last < self.scrollback.newest() {
            self.scrollback.cut_after(info.last);
            self.seen = self.seen.min(info.last);
            self.comings.clear();
        }
        if info.last == 0 {
            self.returning = true;
        }
        if !info.members.is_empty() {
            self.members = info.members;
        }
        if let Some(counts) = counts {
            self.take_counts(counts, info.last);
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
        self.counted_to = 0;
        self.told_read = 0;
        self.comings.clear();
        self.first = 1;
        // The numbers mean other messages, or none.
        self.jump = None;
        self.wishes.clear();
        self.stop_choosing();
        self.composing = None;
    }

    /// Takes in the next entry. `heard`: it is from somebody whom we want to hear, or takes back what such a one said;
    /// `named`: it says our name; `in_sight`: the reader sees it arrive. Says whether it is news of this moment, and
    /// whether that names us.
    pub(crate) fn arrive(&mut self, entry: Entry, heard: bool, named: bool, in_sight: bool) -> Option<Named> {
        let live = entry.seq > self.caught_up_at;
        let counted = entry.seq <= self.counted_to;
        let history = !live && !self.returning && !counted;
        let message = entry.kind == EntryKind::Message;
        let news = !history && !counted && heard && message && entry.seq > self.seen;
        let mention = news && (named || self.name.is_direct());
        if message {
            self.comings.close();
            self.typing.over(&entry.from);
        }
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
        self.wishes.retain(|wish| wish.id != entry.id);
        if news {
            self.put_new_line(in_sight);
            self.unread += 1;
            self.mentioned |= mention;
        }
        let unsaid = entry.target.filter(|target| {
            let takes_back = entry.kind == EntryKind::Deleted && heard && !history && !counted;
            takes_back && *target > self.seen
        });
        if unsaid.is_some() {
            self.unread = self.unread.saturating_sub(1);
            self.mentioned &= self.unread > 0;
        }
        self.scrollback.push(entry);
        if in_sight || history {
            self.see_all();
        }
        (news && live).then_some(Named(mention))
    }

    /// Entries were left out.
    pub(crate) fn skip(&mut self, gap: &Gap, in_sight: bool) {
        let counted = gap.to <= self.counted_to;
        if self.returning && !counted {
            self.put_new_line(in_sight);
            let left_out = gap.to.saturating_sub(gap.from).saturating_add(1);
            self.unread = self.unread.saturating_add(left_out);
        }
        self.scrollback.skip_to(gap.to);
        self.pending.retain(|pending| !matches!(pending.delivery, Delivery::Stored(seq) if seq <= gap.to));
        if in_sight || (!self.returning && !counted) {
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

    /// The server has stored `id`, a message or what becomes of one, as `seq`. `author`: what our entries carry.
    pub(crate) fn stored(&mut self, id: Uuid, seq: u64, author: u64, me: &Nick) {
        if let Some(place) = self.wishes.iter().position(|wish| wish.id == id) {
            let wish = self.wishes.remove(place);
            // The entry itself may lie in a gap.
            self.scrollback.note(wish.target, seq, wish.change(author, me));
        }
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
        self.seen = self.seen.max(self.scrollback.newest());
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
        let pending = self.pending.remove(place);
        self.composing = pending.reply_to.map(Composing::Answer);
        Some(pending.text)
    }

    /// Messages, and changes of messages, that the server has not stored.
    pub(crate) fn unsent(&self) -> usize {
        let stored = |pending: &&Pending| matches!(pending.delivery, Delivery::Stored(_));
        self.pending.iter().filter(|pending| !stored(pending)).count() + self.wishes.len()
    }

    /// What a message is now, with what we wish for it. `author`: what our own entries carry.
    pub(crate) fn now<'a>(&'a self, message: &'a Entry, author: u64) -> Now<'a> {
        let mut now = self.scrollback.now(message, author);
        for wish in self.wishes.iter().filter(|wish| wish.target == message.seq) {
            if now.deleted.is_some() {
                break;
            }
            match &wish.what {
                Wished::Edit(text) => (now.text, now.edited, now.wished) = (text.as_str(), true, true),
                Wished::Delete => {
                    (now.deleted, now.wished) = (Some(Deleted::Plainly), true);
                    (now.text, now.edited, now.reactions) = ("", false, Vec::new());
                }
                Wished::React(emoji, on) => wish.react(emoji, *on, &mut now.reactions),
            }
        }
        now
    }

    /// A message that is there and was not taken back.
    pub(crate) fn standing(&self, seq: u64, author: u64) -> Option<(&Entry, Now<'_>)> {
        let message = self.scrollback.message(seq)?;
        let now = self.now(message, author);
        now.deleted.is_none().then_some((message, now))
    }

    /// The latest message in the scrollback that was not taken back and for which `wanted` holds.
    pub(crate) fn latest(&self, author: u64, wanted: impl Fn(&Entry) -> bool) -> Option<u64> {
        let entries = (0..self.scrollback.len()).rev().filter_map(|place| self.scrollback.get(place));
        let messages = entries.filter(|entry| entry.kind == EntryKind::Message && wanted(entry));
        messages.map(|entry| entry.seq).find(|seq| self.standing(*seq, author).is_some())
    }

    /// No message is chosen any more, nothing is read and nothing searched for.
    pub(crate) fn stop_choosing(&mut self) {
        self.chosen = None;
        self.reading = false;
        self.search = None;
    }

    /// Where one is, to come back to it.
    pub(crate) fn here(&self) -> Back {
        let (room, scroll) = (self.name.clone(), self.scroll);
        Back { room, scroll, chosen: self.chosen, reading: self.reading }
    }

    /// Those for whom a direct room is and who are not here, once it is known who is.
    pub(crate) fn absent(&self) -> impl Iterator<Item = &Nick> {
        let known = self.name.is_direct() && self.people.iter().next().is_some();
        self.members.iter().filter(move |nick| known && !self.people.contains(nick))
    }

    /// Remembers who spoke.
    fn notice(&mut self, entry: &Entry) {
        if matches!(entry.kind, EntryKind::Message | EntryKind::Topic) {
            self.widen(&entry.from);
        }
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
