//! The search in one room: what is typed, what was found of it here, and what the server has found further up.

use std::collections::BTreeSet;

use super::finding::Back;
use crate::protocol::command::RequestId;
use crate::protocol::limits::SEARCH_BYTES;
use crate::protocol::query::{self, Terms};
use crate::protocol::text::Line;

/// See the module.
#[derive(Debug)]
pub(crate) struct InRoomSearch {
    /// What is typed. At most [`SEARCH_BYTES`].
    pub(crate) typed: String,
    /// Its words, to be found and marked.
    pub(crate) terms: Terms,
    /// The `seq` of every message that was found, here or by the server.
    pub(crate) found: BTreeSet<u64>,
    /// Where one was before: Esc goes back there.
    pub(crate) from: Back,
    /// From the first to the last of these `seq` all messages are here and were looked through.
    here: (u64, u64),
    /// From this `seq` on the server has told all that it found.
    told_from: u64,
    /// What the server has found, to be kept when it is looked for here once more.
    told: BTreeSet<u64>,
    /// The server's next page.
    pub(crate) more: Option<u64>,
    /// The page that is being waited for.
    pub(crate) asked: Option<RequestId>,
    /// Once it is here, one goes on: to what is older, or to what is newer.
    pub(crate) goes_on: Option<Way>,
}

/// In which direction one goes through what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Older,
    Newer,
}

impl InRoomSearch {
    /// Nothing is typed yet.
    pub(crate) fn new(from: Back) -> Self {
        Self {
            typed: String::new(),
            terms: Terms::default(),
            found: BTreeSet::new(),
            from,
            here: (0, 0),
            told_from: u64::MAX,
            told: BTreeSet::new(),
            more: None,
            asked: None,
            goes_on: None,
        }
    }

    /// Something else is typed: what was found says nothing any more. What is too long for the server is not taken.
    pub(crate) fn type_anew(&mut self, typed: String) {
        if typed.len() + 1 > SEARCH_BYTES {
            return;
        }
        let from = self.from.clone();
        *self = Self { typed, ..Self::new(from) };
        self.terms = query::parse(self.words().as_str());
    }

    /// What is searched for: a word at the end may go on.
    pub(crate) fn words(&self) -> Line {
        let unfinished = self.typed.ends_with(char::is_alphanumeric) && !self.typed.contains('"');
        Line::lossy(&format!("{}{}", self.typed.trim_start(), if unfinished { "*" } else { "" }))
    }

    /// What was looked through here: the messages from the first to the last `seq`, and those of them that were found.
    pub(crate) fn look_through(&mut self, here: (u64, u64), found: impl Iterator<Item = u64>) {
        self.here = here;
        self.found.clone_from(&self.told);
        self.found.extend(found);
    }

    /// A page of what the server has found, the newest first.
    pub(crate) fn take_in(
        &mut self,
        found: impl Iterator<Item = u64>,
        lowest: Option<u64>,
        more: Option<u64>,
    ) {
        self.told.extend(found);
        self.found.extend(&self.told);
        // Towards the oldest, and never round in a circle.
        let lower = lowest.filter(|lowest| *lowest < self.told_from);
        self.more = more.filter(|_| lower.is_some());
        self.told_from = if self.more.is_some() { lower.unwrap_or(0) } else { 0 };
    }

    /// Whether everything that fits between two entries is known.
    pub(crate) fn knows_between(&self, one: u64, other: u64) -> bool {
        let (low, high) = (one.min(other), one.max(other));
        let (first, last) = self.here;
        low >= self.told_from || (first <= low && (high <= last || last.saturating_add(1) >= self.told_from))
    }

    /// The next that was found, from `seq` on.
    pub(crate) fn next(&self, seq: u64, way: Way) -> Option<u64> {
        match way {
            Way::Older => self.found.range(..seq).next_back().copied(),
            Way::Newer => self.found.range(seq.saturating_add(1)..).next().copied(),
        }
    }

    /// How many were found, and which of them `seq` is, counted from the newest.
    pub(crate) fn count(&self, seq: Option<u64>) -> (Option<usize>, usize) {
        let place = seq.filter(|seq| self.found.contains(seq)).map(|seq| self.found.range(seq..).count());
        (place, self.found.len())
    }

    /// As people read it: `3 of 17`, with a sign behind it if there may be more between `first` and `last`.
    pub(crate) fn counted(&self, seq: Option<u64>, first: u64, last: u64) -> String {
        let more = if self.knows_between(first, last) { "" } else { "+" };
        match self.count(seq) {
            _ if self.terms.is_empty() => String::new(),
            (_, 0) if more.is_empty() => "nothing found".to_owned(),
            (_, 0) => "none here".to_owned(),
            (Some(place), many) => format!("{place} of {many}{more}"),
            (None, many) => format!("{many}{more} found"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tui::script::room_name;
    use crate::client::tui::scroll::Scroll;

    fn search() -> InRoomSearch {
        let room = room_name("#a");
        let mut search =
            InRoomSearch::new(Back { room, scroll: Scroll::Bottom, chosen: None, reading: false });
        search.type_anew("word".to_owned());
        search
    }

    #[test]
    fn what_is_not_known_is_not_counted_as_nothing() {
        let mut search = search();
        search.look_through((500, 700), [510, 690].into_iter());
        assert_eq!(search.next(700, Way::Older), Some(690));
        assert_eq!(search.next(510, Way::Newer), Some(690));
        assert!(search.knows_between(510, 690) && !search.knows_between(1, 510));
        assert_eq!(search.counted(Some(510), 1, 700), "2 of 2+");
        search.take_in([690, 510, 300].into_iter(), Some(300), Some(17));
        assert!(search.knows_between(300, 510) && !search.knows_between(299, 510));
        search.take_in([20].into_iter(), Some(20), None);
        assert_eq!(search.counted(Some(20), 1, 700), "4 of 4");
        // Looked through once more, what the server said is kept.
        search.look_through((500, 701), [510, 690, 701].into_iter());
        assert_eq!(search.counted(Some(20), 1, 701), "5 of 5");
        assert_eq!(search.counted(None, 1, 701), "5 found");
    }

    #[test]
    fn a_server_that_goes_round_in_a_circle_is_not_followed() {
        let mut search = search();
        search.take_in([300].into_iter(), Some(300), Some(17));
        search.take_in([300].into_iter(), Some(300), Some(17));
        assert_eq!(search.more, None);
        assert!(search.knows_between(0, u64::MAX));
    }

    #[test]
    fn the_last_word_may_go_on_and_what_is_too_long_is_not_taken() {
        let mut search = search();
        assert_eq!(search.words().as_str(), "word*");
        search.type_anew("two \"words\"".to_owned());
        assert_eq!(search.words().as_str(), "two \"words\"");
        search.type_anew("x".repeat(SEARCH_BYTES));
        assert_eq!(search.typed, "two \"words\"");
    }
}
