//! How far a room has been read, here and on one's other devices.

use super::room::Room;
use crate::protocol::event::{Entry, Okay};

/// What the server knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Up to which entry it has been read.
    pub(crate) read: u64,
    /// Messages of others after that.
    pub(crate) unread: u64,
    /// How many of these say our name.
    pub(crate) mentions: u64,
}

impl Counts {
    /// What the answer to a join says, if it was ever read. A busy server does not count: then all that follows is unread.
    pub(crate) fn of(okay: &Okay) -> Option<Self> {
        let read = okay.read?;
        let after = okay.room.as_ref().map_or(0, |room| room.last.saturating_sub(read));
        Some(Self { read, unread: okay.unread.unwrap_or(after), mentions: okay.mentions.unwrap_or(0) })
    }
}

impl Room {
    /// Takes over what the server has counted up to its entry `last`, unless we have read further and it does not know
    /// that yet.
    pub(crate) fn take_counts(&mut self, counts: Counts, last: u64) {
        let read = counts.read.min(last);
        self.told_read = read;
        if read < self.seen {
            return;
        }
        self.seen = read;
        self.counted_to = last;
        self.missing = false;
        self.unread = counts.unread;
        self.mentioned = counts.mentions > 0 || (self.name.is_direct() && counts.unread > 0);
        if counts.unread > 0 {
            self.new_after = Some(read);
        }
    }

    /// It was read up to `seq` on another device.
    pub(crate) fn read_elsewhere(&mut self, seq: u64, (unread, mentioned): (u64, bool), in_sight: bool) {
        self.told_read = self.told_read.max(seq);
        if seq <= self.seen {
            return;
        }
        self.seen = seq;
        self.unread = unread;
        self.mentioned = mentioned;
        if !in_sight {
            self.new_after = (unread > 0).then_some(seq);
        }
    }

    /// How many after `seq` count as unread, and whether one of them names us. What is not known here counts.
    pub(crate) fn unread_after(
        &self,
        seq: u64,
        counts: impl Fn(&Entry) -> bool,
        names_us: impl Fn(&Entry) -> bool,
    ) -> (u64, bool) {
        let first = self.scrollback.place_of(seq.saturating_add(1)).unwrap_or_else(|place| place);
        let (mut unread, mut mentioned) = (0_u64, false);
        for place in first..=self.scrollback.len() {
            if let Some(gap) = self.gap_before(place) {
                let from = (*gap.start()).max(seq.saturating_add(1));
                unread = unread.saturating_add((gap.end() + 1).saturating_sub(from));
            }
            let Some(entry) = self.scrollback.get(place) else { break };
            if counts(entry) {
                unread = unread.saturating_add(1);
                mentioned |= self.name.is_direct() || names_us(entry);
            }
        }
        (unread, mentioned)
    }

    /// How far we have read, if the server does not know it.
    pub(crate) fn untold(&self) -> Option<u64> {
        (self.joined && self.seen > self.told_read).then_some(self.seen)
    }
}
