//! Messages that answer each other, below each other and without what was said between them.

use super::{Before, Layout, Row};
use crate::protocol::event::Entry;

/// A single answer within so many entries is seen without being counted.
const NEAR: usize = 20;

impl Layout<'_> {
    /// The rows of these messages, each with the `seq` of its message.
    pub(crate) fn thread(&self, seqs: &[u64]) -> Vec<(u64, Row)> {
        let mut rows = Vec::new();
        let mut above: Option<&Entry> = None;
        let root = seqs.first().copied();
        for entry in seqs.iter().filter_map(|seq| self.room.scrollback.message(*seq)) {
            let mut its = Vec::new();
            let day = self.day(entry.at.timestamp());
            let same_day = above.is_some_and(|above| self.day(above.at.timestamp()) == day);
            if !same_day {
                its.push(Row::Day(self.day_name(day)));
            }
            // What most of them answer stands at the top.
            let quotes = entry.reply_to.is_some() && entry.reply_to != root;
            let before = above.filter(|_| same_day).map(|above| Before {
                from: &above.from,
                at: above.at.timestamp(),
                action: above.action,
            });
            self.message(entry, before, quotes, None, &mut its);
            rows.extend(its.into_iter().map(|row| (entry.seq, row)));
            above = Some(entry);
        }
        rows
    }

    /// How many answers the message at a place has, in words: not said of a single one that is near.
    pub(super) fn answers(&self, place: usize) -> Option<String> {
        let scrollback = &self.room.scrollback;
        let standing = |answer: &u64| {
            let standing = self.room.standing(*answer, self.author);
            standing.is_some_and(|(entry, _)| !self.ignored.contains(&entry.from))
        };
        let mut answers = scrollback.answers_to(scrollback.get(place)?.seq).filter(standing);
        let first = answers.next()?;
        match 1 + answers.count() {
            1 if scrollback.place_of(first).is_ok_and(|answer| answer <= place + NEAR) => None,
            1 => Some("↳ 1 answer".to_owned()),
            many => Some(format!("↳ {many} answers")),
        }
    }
}
