//! What was searched for and found, and where one was before one went there.

use tokio::time::Instant;

use super::composer::Composer;
use crate::client::tui::scroll::Scroll;
use crate::protocol::command::{Place, RequestId, Search};
use crate::protocol::event::Hit;
use crate::protocol::name::RoomName;
use crate::protocol::query::{self, Terms};

/// Messages that one search keeps, at most: more than anybody goes through. Each comes with two others, so
/// this is 10 MB of usual ones.
pub(crate) const KEPT: usize = 2_000;

/// Places that one can go back to: more than anybody remembers.
const PLACES: usize = 50;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Finding {
    /// By what one types.
    pub(crate) search: Hunt,
    /// Of one's own name.
    pub(crate) mentions: Hunt,
    /// One goes from mention to mention.
    pub(crate) walk: Option<Walk>,
    /// Where one was before each jump, the last one last; at most [`PLACES`].
    pub(crate) places: Vec<Back>,
    /// The entry that one has jumped to, until the next key.
    pub(crate) marked: Option<(RoomName, u64)>,
}

/// Which of the two searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Search,
    Mentions,
}

impl Finding {
    pub(crate) fn hunt(&self, kind: Kind) -> &Hunt {
        match kind {
            Kind::Search => &self.search,
            Kind::Mentions => &self.mentions,
        }
    }

    pub(crate) fn hunt_mut(&mut self, kind: Kind) -> &mut Hunt {
        match kind {
            Kind::Search => &mut self.search,
            Kind::Mentions => &mut self.mentions,
        }
    }

    /// The search whose answer this is.
    pub(crate) fn asked(&self, re: Option<&RequestId>) -> Option<Kind> {
        let waits = |kind: &Kind| {
            let asked = self.hunt(*kind).asked.as_ref();
            re.is_some() && asked.map(|asked| &asked.id) == re
        };
        [Kind::Search, Kind::Mentions].into_iter().find(waits)
    }

    /// Whether an answer is being waited for.
    pub(crate) fn waits(&self) -> bool {
        self.search.asked.is_some() || self.mentions.asked.is_some()
    }

    /// When a search is to begin, if the server can be asked.
    pub(crate) fn due(&self) -> Option<Instant> {
        let free = [&self.search, &self.mentions].into_iter().filter(|hunt| hunt.asked.is_none());
        free.filter_map(|hunt| hunt.due).min()
    }

    /// One stays where one is, or has gone elsewhere by oneself: there is no way back any more.
    pub(crate) fn settle(&mut self) {
        self.places.clear();
        self.walk = None;
    }

    /// Somebody goes from here to somewhere else.
    pub(crate) fn leave_from(&mut self, here: Back) {
        if self.places.last() != Some(&here) {
            self.places.push(here);
        }
        if self.places.len() > PLACES {
            self.places.remove(0);
        }
    }
}

/// One search: what is typed, and what was found.
#[derive(Debug, Default)]
pub(crate) struct Hunt {
    pub(crate) input: Composer,
    /// What is typed is from an earlier time: the first letter takes its place.
    pub(crate) selected: bool,
    /// What is typed is searched for at this time.
    pub(crate) due: Option<Instant>,
    pub(crate) asked: Option<Question>,
    /// Why there is nothing: what is typed means nothing, or the server refused it.
    pub(crate) fault: Option<String>,
    /// What was searched for last, and answered by what follows.
    pub(crate) answered: Option<Search>,
    /// The newest first.
    pub(crate) hits: Vec<Hit>,
    /// The next page, if there is one.
    pub(crate) more: Option<u64>,
    /// Entries that are not searched yet.
    pub(crate) behind: u64,
    /// Which of `hits`.
    pub(crate) chosen: usize,
    /// The words of `answered`, to be marked.
    pub(crate) terms: Terms,
}

/// What the server was asked.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) id: RequestId,
    pub(crate) search: Search,
}

impl Hunt {
    /// Nothing is searched for, and nothing was found.
    pub(crate) fn forget(&mut self) {
        *self = Self { input: std::mem::take(&mut self.input), ..Self::default() };
    }

    /// The first page of the answer to `search` takes the place of what was found before; a later one goes behind it.
    pub(crate) fn take_in(&mut self, search: Search, hits: Vec<Hit>, more: Option<u64>, behind: u64) {
        if search.before.is_none() {
            self.hits.clear();
            self.chosen = 0;
            self.behind = behind;
            self.terms = query::parse(search.text.as_str());
        }
        // Towards the oldest, and never round in a circle.
        let onwards = |more: &u64| search.before.is_none_or(|before| *more < before);
        self.hits.extend(hits);
        self.more = more.filter(onwards).filter(|_| self.hits.len() < KEPT);
        self.hits.truncate(KEPT);
        self.fault = None;
        self.answered = Some(Search { before: None, ..search });
    }
}

/// A way from mention to mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Walk {
    /// Which of the mentions comes next.
    pub(crate) to: usize,
    /// It is not here yet.
    pub(crate) waits: bool,
}

/// Where one was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Back {
    pub(crate) room: RoomName,
    pub(crate) scroll: Scroll,
    /// The message that was chosen there.
    pub(crate) chosen: Option<u64>,
    /// One was in reading mode.
    pub(crate) reading: bool,
}

/// Where one wants to go in a room, as soon as it is known what is there.
#[derive(Clone, Debug)]
pub(crate) struct Jump {
    pub(crate) place: Place,
    /// The page with it, once it was asked for.
    pub(crate) asked: Option<RequestId>,
    /// Whoever goes there is in reading mode.
    pub(crate) reading: bool,
}
