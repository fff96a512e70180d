//! Messages that answer each other, as far as they are known here.

use std::collections::BTreeSet;

use super::State;
use super::room::Room;

/// Messages of one thread that are shown, at most: more than anybody answers to one, and laid out for each drawing.
const SHOWN: usize = 500;

/// Answers that are gone up, at most: as deep as threads get, and no way round in a circle.
const DEEP: usize = 1_000;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Members {
    /// In the order in which they were said.
    pub(crate) seqs: Vec<u64>,
    /// What the oldest of them answers, and is yet to be fetched.
    pub(crate) above: Option<u64>,
    /// The oldest of them answers one that is not there any more.
    pub(crate) headless: bool,
    /// Entries after the oldest of them that are not here: answers may be among them.
    pub(crate) missing: u64,
    /// There are more than are shown.
    pub(crate) cut: bool,
}

impl Room {
    /// The thread that the message `of` belongs to.
    pub(crate) fn thread(&self, of: u64) -> Members {
        let mut members = Members::default();
        let mut seqs = BTreeSet::new();
        let mut root = of;
        while let Some(message) = self.scrollback.message(root) {
            seqs.insert(root);
            // What answers something later is not of this log.
            let Some(parent) = message.reply_to.filter(|parent| *parent < root) else { break };
            if seqs.len() >= DEEP {
                break;
            }
            if self.scrollback.message(parent).is_none() {
                let gone = self.scrollback.is_known(parent) || parent < self.first;
                (members.headless, members.above) = (gone, (!gone).then_some(parent));
                break;
            }
            root = parent;
        }
        let mut open: Vec<u64> = seqs.iter().copied().collect();
        while let Some(seq) = open.pop() {
            for answer in self.scrollback.answers_to(seq) {
                if seqs.len() >= SHOWN {
                    members.cut = true;
                    break;
                }
                if seqs.insert(answer) {
                    open.push(answer);
                }
            }
        }
        members.missing = self.missing_after(root);
        members.seqs = seqs.into_iter().collect();
        members
    }

    /// Whether the message `seq` answers another, or is answered, as far as that is known.
    pub(crate) fn has_thread(&self, seq: u64) -> bool {
        let answers = self.scrollback.message(seq).is_some_and(|message| message.reply_to.is_some());
        answers || self.scrollback.answers_to(seq).next().is_some()
    }

    /// Entries after `seq` that the server has and that are not here.
    pub(crate) fn missing_after(&self, seq: u64) -> u64 {
        self.gaps_after(seq).map(|(from, to)| to - from + 1).sum()
    }

    /// The gaps after `seq`: the first and the last entry of each, the oldest first.
    pub(crate) fn gaps_after(&self, seq: u64) -> impl Iterator<Item = (u64, u64)> {
        let place = self.scrollback.place_of(seq).map_or_else(|place| place, |place| place + 1);
        let gaps = (place..=self.scrollback.len()).filter_map(|place| self.gap_before(place));
        gaps.map(move |gap| ((*gap.start()).max(seq.saturating_add(1)), *gap.end()))
            .filter(|(from, to)| from <= to)
    }
}

impl State {
    /// Those messages of a thread that are shown: not those of people whom one ignores.
    pub(crate) fn shown_of(&self, room: &Room, members: &Members) -> Vec<u64> {
        let heard = |seq: &u64| {
            let message = room.scrollback.message(*seq);
            message.is_some_and(|message| !self.is_ignored(&message.from))
        };
        members.seqs.iter().copied().filter(heard).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tui::script::{entry, room_name};
    use crate::protocol::event::Entry;

    /// A room in which each answers the one named.
    fn room(answers: &[(u64, u64)]) -> Room {
        let mut room = Room::new(room_name("#a"));
        for (seq, to) in answers {
            let reply_to = (*to > 0).then_some(*to);
            room.scrollback.push(Entry { reply_to, ..entry("#a", *seq, "bob", "said") });
        }
        room
    }

    #[test]
    fn a_thread_is_the_same_from_each_of_its_messages() {
        let room = room(&[(1, 0), (2, 0), (3, 1), (4, 2), (5, 3), (6, 0), (7, 1)]);
        for seq in [1, 3, 5, 7] {
            let members = room.thread(seq);
            assert_eq!((members.seqs, members.missing, members.above), (vec![1, 3, 5, 7], 0, None));
        }
        assert_eq!(room.thread(4).seqs, [2, 4]);
        assert!(room.has_thread(2) && !room.has_thread(6));
    }

    #[test]
    fn what_is_not_here_is_counted_and_told() {
        let room = room(&[(50, 0), (51, 20), (60, 51)]);
        let members = room.thread(60);
        assert_eq!((members.seqs, members.above, members.missing), (vec![51, 60], Some(20), 8));
        assert_eq!(room.gaps_after(20).collect::<Vec<_>>(), [(21, 49), (52, 59)]);
        assert!(room.thread(9).seqs.is_empty());
    }

    #[test]
    fn numbers_that_lie_lead_nowhere() {
        let room = room(&[(1, 1), (2, 3), (3, 2)]);
        assert_eq!(room.thread(1).seqs, [1]);
        assert_eq!(room.thread(3).seqs, [2, 3]);
        let many: Vec<_> = (1..=2_000).map(|seq| (seq, u64::from(seq > 1))).collect();
        let members = super::tests::room(&many).thread(1);
        assert!(members.cut && members.seqs.len() == SHOWN);
    }
}
