//! The entries of a room that are known here, and the gaps between them.
//!
//! Gaps are not stored. An entry's `seq` says how many there are before it, so whatever lies between
//! two neighbours that do not follow each other is a gap, and it shrinks by itself as pages arrive.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::RangeInclusive;

use super::answered::Answered;
use super::changes::{Change, Changes, Now};
use crate::protocol::event::{Entry, EntryKind};

/// Entries of one room that are kept, at most: about 10 MB. Beyond it those farthest from the reader
/// are forgotten; they are a gap then, and come back from the server when somebody scrolls there.
pub const KEPT: usize = 40_000;
/// Entries forgotten at once, so that it happens rarely.
const FORGOTTEN: usize = 10_000;
/// Of the newest entries, so many are never forgotten: the reader comes back to them at a keypress.
const NEWEST_KEPT: usize = 1_000;

/// See the module.
#[derive(Debug)]
pub struct Scrollback {
    /// In the order of `seq`, each once.
    entries: VecDeque<Entry>,
    /// The last `seq` that is known to exist.
    newest: u64,
    /// What they make of each other.
    changes: Changes,
    /// What they answer, where it is not among them.
    answered: Answered,
    /// Which of them, or of those that they answer, answer a message.
    answers: BTreeMap<u64, BTreeSet<u64>>,
    /// See [`KEPT`].
    kept: usize,
}

impl Default for Scrollback {
    fn default() -> Self {
        let (changes, answered) = (Changes::default(), Answered::default());
        let answers = BTreeMap::new();
        Self { entries: VecDeque::new(), newest: 0, changes, answered, answers, kept: KEPT }
    }
}

impl Scrollback {
    /// Keeps up to `kept` entries rather than [`KEPT`]. A measurement wants more than a reader.
    pub(crate) fn keep(&mut self, kept: usize) {
        self.kept = kept;
    }

    /// How many are known.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is known, and nothing is known to be missing.
    pub(crate) fn is_untouched(&self) -> bool {
        self.newest == 0
    }

    /// The last `seq` that is known to exist.
    pub(crate) fn newest(&self) -> u64 {
        self.newest
    }

    /// The entry at a place, counted from the oldest that is known.
    pub(crate) fn get(&self, place: usize) -> Option<&Entry> {
        self.entries.get(place)
    }

    /// The place of the entry `seq`, or where it would be.
    pub(crate) fn place_of(&self, seq: u64) -> Result<usize, usize> {
        // Without a gap in between it is a subtraction.
        if let Some(first) = self.entries.front()
            && let Some(guess) = seq.checked_sub(first.seq).and_then(|guess| usize::try_from(guess).ok())
            && self.entries.get(guess).is_some_and(|entry| entry.seq == seq)
        {
            return Ok(guess);
        }
        self.entries.binary_search_by_key(&seq, |entry| entry.seq)
    }

    /// The message `seq`, if it is known.
    pub(crate) fn message(&self, seq: u64) -> Option<&Entry> {
        let here = self.place_of(seq).ok().and_then(|place| self.entries.get(place));
        here.or_else(|| self.answered.get(seq).flatten()).filter(|entry| entry.kind == EntryKind::Message)
    }

    /// Whether it is known what the entry `seq` is, or that it is not there any more.
    pub(crate) fn is_known(&self, seq: u64) -> bool {
        self.place_of(seq).is_ok() || self.answered.get(seq).is_some()
    }

    /// Keeps what the server has under `seq`, to be quoted.
    pub(crate) fn keep_answered(&mut self, seq: u64, entry: Option<Entry>) {
        entry.iter().for_each(|entry| note_answer(&mut self.answers, entry));
        self.answered.keep(seq, entry);
    }

    /// The messages known here that answer the message `seq`, the oldest first.
    pub(crate) fn answers_to(&self, seq: u64) -> impl Iterator<Item = u64> {
        let known = |answer: &u64| self.message(*answer).is_some();
        self.answers.get(&seq).into_iter().flatten().copied().filter(known)
    }

    /// What a message is now. `me`: what our own entries carry as `author`.
    pub(crate) fn now<'a>(&'a self, message: &'a Entry, me: u64) -> Now<'a> {
        self.changes.now(message, me)
    }

    /// How many changes of a message are kept.
    #[cfg(test)]
    pub(crate) fn changes_kept(&self, target: u64) -> usize {
        self.changes.kept(target)
    }

    /// The entry `seq`, which is not here, changes the message `target`.
    pub(crate) fn note(&mut self, target: u64, seq: u64, change: Change) {
        self.changes.note(target, seq, change);
    }

    /// Adds what is newer than all before. Something older is ignored: it is here, or in a gap.
    pub(crate) fn push(&mut self, entry: Entry) {
        if entry.seq > self.newest {
            self.newest = entry.seq;
            self.changes.take_in(&entry);
            note_answer(&mut self.answers, &entry);
            self.entries.push_back(entry);
        }
    }

    /// There are entries up to `newest`, and they are not coming by themselves.
    pub(crate) fn skip_to(&mut self, newest: u64) {
        self.newest = self.newest.max(newest);
    }

    /// What is missing before the entry at `place`; behind the last, at `place == len()`.
    pub(crate) fn gap_before(&self, place: usize) -> Option<RangeInclusive<u64>> {
        let after = place.checked_sub(1).and_then(|place| self.entries.get(place)).map_or(0, |e| e.seq);
        let until = self.entries.get(place).map_or(self.newest, |entry| entry.seq - 1);
        (until > after).then(|| after + 1..=until)
    }

    /// Puts a page where it belongs. What is known already stays as it is, unless the page knows of later changes.
    pub(crate) fn fill(&mut self, page: Vec<Entry>) {
        let Some((first, last)) = page.first().zip(page.last()).map(|(a, b)| (a.seq, b.seq)) else { return };
        if page.windows(2).any(|pair| pair[0].seq >= pair[1].seq) || first == 0 || last > self.newest {
            // Not a page of this log.
            return;
        }
        let from = self.place_of(first).unwrap_or_else(|place| place);
        let until = self.place_of(last).map_or_else(|place| place, |place| place + 1);
        let tail = self.entries.split_off(until);
        let mut known = self.entries.split_off(from).into_iter().peekable();
        for entry in page {
            while let Some(earlier) = known.next_if(|k| k.seq < entry.seq) {
                self.entries.push_back(earlier);
            }
            self.changes.take_in(&entry);
            note_answer(&mut self.answers, &entry);
            let known = known.next_if(|k| k.seq == entry.seq).filter(|k| changed(k) >= changed(&entry));
            self.entries.push_back(known.unwrap_or(entry));
        }
        self.entries.extend(known);
        self.entries.extend(tail);
    }

    /// Takes everything out of sight: it becomes a gap.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.changes.clear();
        self.answered.clear();
        self.answers.clear();
    }

    /// The log ends at `last`: the server has come back from an older copy of it.
    pub(crate) fn cut_after(&mut self, last: u64) {
        self.entries.truncate(self.place_of(last).map_or_else(|place| place, |place| place + 1));
        self.newest = self.newest.min(last);
        self.changes.cut_after(last);
        self.answered.clear();
        self.note_answers_anew();
    }

    /// Forgets what is far from the place `reader`, if there is too much.
    pub(crate) fn forget_far_from(&mut self, reader: usize) {
        if self.entries.len() <= self.kept {
            return;
        }
        let many = FORGOTTEN.min(self.entries.len() / 2);
        if reader > self.entries.len() / 2 {
            self.entries.drain(..many);
        } else {
            let end = self.entries.len().saturating_sub(NEWEST_KEPT).max(many);
            self.entries.drain(end - many..end);
        }
        let mut changes = std::mem::take(&mut self.changes);
        changes.retain(|target| self.is_known(target));
        self.changes = changes;
        self.note_answers_anew();
    }

    /// Notes who answers whom as if nothing of it were known.
    fn note_answers_anew(&mut self) {
        let mut answers = BTreeMap::new();
        self.entries
            .iter()
            .chain(self.answered.messages())
            .for_each(|entry| note_answer(&mut answers, entry));
        self.answers = answers;
    }
}

/// Notes what an entry answers, if it does.
fn note_answer(answers: &mut BTreeMap<u64, BTreeSet<u64>>, entry: &Entry) {
    if let (EntryKind::Message, Some(answered)) = (entry.kind, entry.reply_to) {
        answers.entry(answered).or_default().insert(entry.seq);
    }
}

/// The last change that an entry carries.
fn changed(entry: &Entry) -> u64 {
    entry.now.as_ref().map_or(0, |now| now.seq)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tui::script::entry;

    fn seqs(scrollback: &Scrollback) -> Vec<u64> {
        scrollback.entries.iter().map(|entry| entry.seq).collect()
    }

    fn page(seqs: RangeInclusive<u64>) -> Vec<Entry> {
        seqs.map(|seq| entry("#lobby", seq, "bob", "hi")).collect()
    }

    #[test]
    fn a_gap_shrinks_from_both_ends_and_closes() {
        let mut scrollback = Scrollback::default();
        page(1..=2).into_iter().for_each(|entry| scrollback.push(entry));
        scrollback.skip_to(9);
        assert_eq!(scrollback.gap_before(2), Some(3..=9), "behind the last");
        page(10..=11).into_iter().for_each(|entry| scrollback.push(entry));
        assert_eq!((scrollback.gap_before(0), scrollback.gap_before(2)), (None, Some(3..=9)));
        scrollback.fill(page(8..=9));
        scrollback.fill(page(3..=4));
        assert_eq!(scrollback.gap_before(4), Some(5..=7));
        scrollback.fill(page(4..=8));
        assert_eq!(seqs(&scrollback), (1..=11).collect::<Vec<_>>());
        assert!((0..=11).all(|place| scrollback.gap_before(place).is_none()));
    }

    #[test]
    fn pages_that_lie_are_not_taken() {
        let mut scrollback = Scrollback::default();
        scrollback.skip_to(5);
        scrollback.fill(page(4..=6));
        scrollback.fill(page(3..=4).into_iter().rev().collect());
        assert_eq!(scrollback.len(), 0);
    }

    #[test]
    fn what_is_far_from_the_reader_becomes_a_gap() {
        for (reader, first, last) in [(49_999, 10_001, 50_000), (0, 1, 50_000)] {
            let mut scrollback = Scrollback::default();
            page(1..=50_000).into_iter().for_each(|entry| scrollback.push(entry));
            scrollback.forget_far_from(reader);
            assert_eq!(scrollback.len(), 40_000);
            assert_eq!((seqs(&scrollback)[0], *seqs(&scrollback).last().unwrap()), (first, last));
        }
    }

    #[test]
    fn an_older_log_cuts_the_newer_end() {
        let mut scrollback = Scrollback::default();
        page(1..=9).into_iter().for_each(|entry| scrollback.push(entry));
        scrollback.cut_after(4);
        assert_eq!((seqs(&scrollback), scrollback.newest()), (vec![1, 2, 3, 4], 4));
    }
}
