//! What is known of the parlors on this network, by whom, and since when it is in doubt. No sockets, no clock.
//!
//! - Two announcements that differ in anything but the number of people MUST be two parlors: whoever repeats the id of
//!   another one cannot change what is listed of it.
//! - Who is listed MUST stay as long as it answers, whatever else is announced.
//! - Nothing MUST be told as gone that was not told as here.

use super::reach::Reach;
use super::{ADDRESSES, Heard, PARLORS, Parlor};
use crate::protocol::announcement::Announcement;

/// Parlors that each of the two ways may bring. A flood on the one leaves room for the other.
const PARLORS_BY_ONE_WAY: usize = PARLORS / 2;

/// Questions in a row that a parlor may leave without an answer.
const PATIENCE: u8 = 3;

/// Judgements from one confirmation to the next, of what is known by multicast DNS alone.
const CONFIRMED_EVERY: u64 = 2;

/// Names of services that are asked after at once: a flood does not make a cannon of us. More than that many parlors which
/// no datagram reaches are asked in turns, and take longer to be gone.
const CONFIRMED_AT_ONCE: usize = 16;

/// Whether both are said of one parlor.
pub(in crate::client) fn is_same(one: &Announcement, other: &Announcement) -> bool {
    // Every field by name: a new one has to be thought of here.
    let Announcement { id, name, port, people: _, open, fingerprint } = one;
    (id, name, port, open, fingerprint)
        == (&other.id, &other.name, &other.port, &other.open, &other.fingerprint)
}

/// All that is known.
#[derive(Debug, Default)]
pub(super) struct Table {
    entries: Vec<Entry>,
    /// How often was judged.
    judged: u64,
}

#[derive(Debug)]
struct Entry {
    said: Announcement,
    /// At most [`ADDRESSES`] of each kind when they come; where services are forgotten they are of the other one until they are judged. Without any, the parlor is gone.
    ways: Vec<Way>,
    /// By which kind of way it came.
    first: Kind,
    /// As it was told last.
    told: Option<Parlor>,
    /// Something about it may have to be told.
    fresh: bool,
    /// At which judgement it was asked after by multicast DNS.
    confirmed: u64,
}

/// An address, and who vouches for it.
#[derive(Debug)]
struct Way {
    reach: Reach,
    by: By,
}

#[derive(Debug)]
enum By {
    /// Multicast DNS, under this name of a service.
    Service(String),
    /// A datagram from there.
    Answer {
        /// The number of the question that was answered last.
        question: u64,
        /// How many more may be left without an answer.
        patience: u8,
        /// The last question that had been asked when it came into doubt: the next one decides.
        doubted: Option<u64>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Service,
    Answer,
}

impl Way {
    fn kind(&self) -> Kind {
        match self.by {
            By::Service(_) => Kind::Service,
            By::Answer { .. } => Kind::Answer,
        }
    }
}

impl Table {
    /// A datagram came from there, in answer to the question of this number.
    pub(super) fn answered(&mut self, said: Announcement, from: Reach, question: u64) {
        let Some(entry) = self.entry(said.clone(), Kind::Answer) else { return };
        let room = entry.count(Kind::Answer) < ADDRESSES;
        let known = entry.ways.iter_mut().find(|way| way.kind() == Kind::Answer && way.reach == from);
        let by = By::Answer { question, patience: PATIENCE, doubted: None };
        match known {
            // One answer to a question is enough: more of them are noise, whatever they say.
            Some(Way { by: By::Answer { question: last, .. }, .. }) if *last >= question => return,
            Some(way) => way.by = by,
            None if room => entry.ways.push(Way { reach: from, by }),
            None => return,
        }
        entry.said = said;
        entry.fresh = true;
    }

    /// A parlor is announced under this name of a service, with these addresses.
    pub(super) fn resolved(&mut self, instance: &str, said: Announcement, mut reach: Vec<Reach>) {
        self.forget(instance);
        reach.sort_by_key(Reach::rank);
        if !reach.is_empty()
            && let Some(entry) = self.entry(said.clone(), Kind::Service)
        {
            let room = ADDRESSES.saturating_sub(entry.count(Kind::Service));
            let by = || By::Service(instance.to_owned());
            entry.ways.extend(reach.into_iter().take(room).map(|reach| Way { reach, by: by() }));
            entry.said = said;
            entry.fresh = true;
        }
        self.sweep();
    }

    /// Nothing is announced under this name any more: a goodbye, or what was remembered is too old. Anybody can say that
    /// of anybody; so those who answer datagrams are asked once more, and stay if they answer. `asked` is the number of
    /// the last question so far. Says whether anything was listed under this name.
    pub(super) fn removed(&mut self, instance: &str, asked: u64) -> bool {
        let touched = self.forget(instance);
        let any = !touched.is_empty();
        for entry in touched {
            for way in &mut entry.ways {
                if let By::Answer { doubted, .. } = &mut way.by {
                    doubted.get_or_insert(asked);
                }
            }
        }
        self.sweep();
        any
    }

    /// Whether somebody has to be asked soon.
    pub(super) fn in_doubt(&self) -> bool {
        let ways = self.entries.iter().flat_map(|entry| &entry.ways);
        ways.into_iter().any(|way| matches!(way.by, By::Answer { doubted: Some(_), .. }))
    }

    /// All that was known by multicast DNS has nobody who could say that it is gone: it has to be heard again.
    pub(super) fn forget_services(&mut self, asked: u64) {
        for entry in &mut self.entries {
            for way in entry.ways.iter_mut().filter(|way| way.kind() == Kind::Service) {
                way.by = By::Answer { question: asked, patience: PATIENCE, doubted: None };
                // Which address is the best may depend on it.
                entry.fresh = true;
            }
        }
    }

    /// The time for answers to this question is over. `counts`: it is one of those that a parlor may miss only a few of.
    /// Says which names of services to ask after.
    pub(super) fn judge(&mut self, asked: u64, counts: bool) -> Vec<String> {
        for entry in &mut self.entries {
            let before = entry.ways.len();
            entry.ways.retain_mut(|way| match &mut way.by {
                By::Service(_) => true,
                By::Answer { question, .. } if *question >= asked => true,
                By::Answer { doubted: Some(since), .. } if *since < asked => false,
                By::Answer { patience, .. } => {
                    *patience = patience.saturating_sub(u8::from(counts));
                    *patience > 0
                }
            });
            entry.fresh |= entry.ways.len() != before;
        }
        self.sweep();
        if !counts {
            return Vec::new();
        }
        self.judged += 1;
        self.unconfirmed(asked)
    }

    /// The names of those that are known by multicast DNS and did not answer this question; who waits the longest comes first.
    fn unconfirmed(&mut self, asked: u64) -> Vec<String> {
        let judged = self.judged;
        let answers =
            |way: &Way| matches!(way.by, By::Answer { question, doubted: None, .. } if question >= asked);
        let mut doubtful: Vec<&mut Entry> = self
            .entries
            .iter_mut()
            .filter(|entry| judged >= entry.confirmed + CONFIRMED_EVERY && !entry.ways.iter().any(answers))
            .collect();
        doubtful.sort_by_key(|entry| entry.confirmed);
        let mut names: Vec<String> = Vec::new();
        for entry in doubtful {
            let mut of_it: Vec<&String> = entry.ways.iter().filter_map(Way::service).collect();
            of_it.dedup();
            if of_it.is_empty() || names.len() + of_it.len() > CONFIRMED_AT_ONCE {
                continue;
            }
            entry.confirmed = judged;
            names.extend(of_it.into_iter().cloned());
        }
        names
    }

    /// The next thing to tell, if there is any.
    pub(super) fn next(&mut self) -> Option<Heard> {
        while let Some(place) = self.entries.iter().position(|entry| entry.fresh) {
            let entry = self.entries.get_mut(place)?;
            entry.fresh = false;
            if entry.ways.is_empty() {
                let gone = self.entries.remove(place);
                if gone.told.is_none() {
                    continue;
                }
                let id = gone.said.id;
                // Whoever listens cannot tell which one of this id it was.
                for other in self.entries.iter_mut().filter(|other| other.said.id == id) {
                    other.fresh |= other.told.take().is_some();
                }
                return Some(Heard::Gone(id));
            }
            let now = entry.parlor();
            if entry.told.as_ref() != Some(&now) {
                entry.told = Some(now.clone());
                return Some(Heard::Here(now));
            }
        }
        None
    }

    /// Whether there is something to look at for telling.
    pub(super) fn has_news(&self) -> bool {
        self.entries.iter().any(|entry| entry.fresh)
    }

    /// The entry of a parlor, a new one if there is room.
    fn entry(&mut self, said: Announcement, kind: Kind) -> Option<&mut Entry> {
        if let Some(place) = self.entries.iter().position(|entry| is_same(&entry.said, &said)) {
            return self.entries.get_mut(place);
        }
        if self.entries.iter().filter(|entry| entry.first == kind).count() >= PARLORS_BY_ONE_WAY {
            return None;
        }
        let (ways, confirmed) = (Vec::new(), self.judged);
        self.entries.push(Entry { said, ways, first: kind, told: None, fresh: false, confirmed });
        self.entries.last_mut()
    }

    /// Takes all addresses away that this name vouched for, and says whose they were.
    fn forget(&mut self, instance: &str) -> Vec<&mut Entry> {
        let mut touched = Vec::new();
        for entry in &mut self.entries {
            let before = entry.ways.len();
            entry.ways.retain(|way| way.service().is_none_or(|name| name != instance));
            if entry.ways.len() != before {
                entry.fresh = true;
                touched.push(entry);
            }
        }
        touched
    }

    /// Those that nobody was told of are gone without a word.
    fn sweep(&mut self) {
        self.entries.retain(|entry| !entry.ways.is_empty() || entry.told.is_some());
    }
}

impl Way {
    fn service(&self) -> Option<&String> {
        match &self.by {
            By::Service(name) => Some(name),
            By::Answer { .. } => None,
        }
    }
}

impl Entry {
    fn count(&self, kind: Kind) -> usize {
        self.ways.iter().filter(|way| way.kind() == kind).count()
    }

    fn parlor(&self) -> Parlor {
        let mut ways: Vec<&Way> = self.ways.iter().collect();
        // Of two alike, the one that has answered from there, and then the one that was heard first.
        ways.sort_by_key(|way| (way.reach.rank(), way.kind() == Kind::Service));
        let mut addresses = Vec::new();
        for way in ways {
            let address = way.reach.address(self.said.port);
            if !addresses.contains(&address) && addresses.len() < ADDRESSES {
                addresses.push(address);
            }
        }
        Parlor { said: self.said.clone(), addresses }
    }
}

#[cfg(test)]
mod tests;
