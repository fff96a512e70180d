//! Who came and who left, gathered while nobody says anything.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::time::Duration;

use tokio::time::Instant;

use super::people;
use crate::client::link::RETRY_LONGEST;
use crate::protocol::name::Nick;

/// People up to which it is told who comes and goes: in a larger room somebody always does.
pub(crate) const TOLD_UP_TO: usize = 50;

/// Groups that are remembered for a room. Who came before that nobody wants to know.
const REMEMBERED: usize = 200;

/// Names in one group. Beyond it the oldest are let go: somebody's connection is in trouble.
const NAMES: usize = 200;

/// Up to so many are told by name.
const BY_NAME: usize = 3;

/// Comings and goings of one room, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Comings {
    groups: VecDeque<Group>,
    /// Nothing was said since the last group.
    open: bool,
    /// Folded nicks of those who were here when the connection broke.
    here_before: BTreeSet<String>,
    /// Until when they only come back.
    back_until: Option<Instant>,
}

/// Those between two messages.
#[derive(Debug)]
struct Group {
    /// The last entry before them.
    after: u64,
    came: Vec<Nick>,
    left: Vec<(Nick, Instant)>,
    /// What they were called, and what they are called now.
    renamed: Vec<(Nick, Nick)>,
}

/// Whoever comes back within this time was not away, their network was.
const BACK_SOON: Duration = Duration::from_secs(15);

/// After a break of our own, whoever was here before comes back within this time: their network, or the server, broke
/// as well. Three times as long as a client waits at most before it tries again.
const BACK_AFTER_BREAK: Duration = RETRY_LONGEST.saturating_mul(3);

impl Comings {
    /// These came and these left, behind the entry `after`.
    pub(crate) fn add(&mut self, mut came: Vec<Nick>, left: Vec<Nick>, after: u64, now: Instant) {
        if self.back_until.is_some_and(|until| now >= until) {
            self.here_before.clear();
        }
        // They were back already.
        for nick in &left {
            self.here_before.remove(&people::key(nick));
        }
        came.retain(|nick| !self.here_before.remove(&people::key(nick)));
        if came.is_empty() && left.is_empty() {
            return;
        }
        let Some(group) = self.group(after) else { return };
        for nick in left {
            // Here for a moment, and nothing said: nobody need know.
            let before = group.came.len();
            group.came.retain(|known| *known != nick);
            if group.came.len() == before {
                group.left.retain(|(known, _)| *known != nick);
                group.left.push((nick, now));
            }
        }
        for nick in came {
            let back = group.left.iter().position(|(known, at)| *known == nick && now < *at + BACK_SOON);
            if let Some(place) = back {
                group.left.remove(place);
            } else if !group.came.contains(&nick) {
                group.came.push(nick);
            }
        }
        let (came, left) = (group.came.len(), group.left.len());
        group.came.drain(..came.saturating_sub(NAMES));
        group.left.drain(..left.saturating_sub(NAMES));
    }

    /// Somebody is called otherwise, behind the entry `after`.
    pub(crate) fn rename(&mut self, from: &Nick, to: &Nick, after: u64) {
        let Some(group) = self.group(after) else { return };
        if let Some(came) = group.came.iter_mut().find(|nick| *nick == from) {
            came.clone_from(to);
        } else if let Some(place) = group.renamed.iter().position(|(_, now)| now == from) {
            group.renamed[place].1.clone_from(to);
            group.renamed.retain(|(before, now)| before != now);
        } else {
            group.renamed.push((from.clone(), to.clone()));
            group.renamed.drain(..group.renamed.len().saturating_sub(NAMES));
        }
    }

    /// The connection broke while these were here.
    pub(crate) fn broke<'a>(&mut self, here: impl Iterator<Item = &'a Nick>) {
        self.here_before.extend(here.map(people::key));
        self.back_until = None;
    }

    /// It is known again who is here.
    pub(crate) fn back(&mut self, now: Instant) {
        self.back_until.get_or_insert(now + BACK_AFTER_BREAK);
    }

    /// Those between the last message and the next.
    fn group(&mut self, after: u64) -> Option<&mut Group> {
        if !self.open {
            self.groups.push_back(Group { after, came: Vec::new(), left: Vec::new(), renamed: Vec::new() });
            self.open = true;
            if self.groups.len() > REMEMBERED {
                self.groups.pop_front();
            }
        }
        self.groups.back_mut()
    }

    /// Something was said: who comes now comes after it.
    pub(crate) fn close(&mut self) {
        self.open = false;
    }

    /// What was known is in another log.
    pub(crate) fn clear(&mut self) {
        self.groups.clear();
        self.open = false;
    }

    /// What is told of those behind the entries in `after`.
    pub(crate) fn between(&self, after: Range<u64>) -> impl Iterator<Item = String> {
        let first = self.groups.partition_point(|group| group.after < after.start);
        self.groups
            .range(first..)
            .take_while(move |group| group.after < after.end)
            .filter_map(Group::sentence)
    }
}

impl Group {
    fn sentence(&self) -> Option<String> {
        let (came, left, renamed) = (self.came.len(), self.left.len(), self.renamed.len());
        if came + left + renamed == 0 {
            return None;
        }
        if came + left + renamed <= BY_NAME {
            let came = self.came.iter().map(|nick| format!("{nick} came"));
            let left = self.left.iter().map(|(nick, _)| format!("{nick} left"));
            let renamed = self.renamed.iter().map(|(from, to)| format!("{from} is {to} now"));
            return Some(came.chain(left).chain(renamed).collect::<Vec<_>>().join(" · "));
        }
        let people = |many: usize| if many == 1 { "1 person".to_owned() } else { format!("{many} people") };
        let moved = match (came, left) {
            (0, 0) => None,
            (came, 0) => Some(format!("{} came", people(came))),
            (0, left) => Some(format!("{} left", people(left))),
            (came, left) => Some(format!("{} came, {left} left", people(came))),
        };
        let renamed = (renamed > 0).then(|| format!("{} called otherwise now", people(renamed)));
        Some(moved.into_iter().chain(renamed).collect::<Vec<_>>().join(" · "))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::client::tui::script::nick;

    fn nicks(names: &[&str]) -> Vec<Nick> {
        names.iter().map(|name| nick(name)).collect()
    }

    fn told(comings: &Comings) -> Vec<String> {
        comings.between(0..u64::MAX).collect()
    }

    #[test]
    fn who_comes_and_goes_is_gathered_until_somebody_speaks() {
        let now = Instant::now();
        let mut comings = Comings::default();
        comings.add(nicks(&["bob"]), Vec::new(), 4, now);
        comings.add(Vec::new(), nicks(&["carol"]), 5, now);
        assert_eq!(told(&comings), ["bob came · carol left"]);
        comings.close();
        comings.add(nicks(&["d", "e", "f", "g"]), nicks(&["h"]), 6, now);
        assert_eq!(told(&comings), ["bob came · carol left", "4 people came, 1 left"]);
        assert_eq!(comings.between(5..7).count(), 1);
        assert_eq!(comings.between(4..5).count(), 1);
    }

    #[test]
    fn whose_network_blinked_was_not_away() {
        let now = Instant::now();
        let mut comings = Comings::default();
        comings.add(Vec::new(), nicks(&["bob"]), 1, now);
        comings.add(nicks(&["bob"]), Vec::new(), 1, now + Duration::from_secs(3));
        assert_eq!(told(&comings), [""; 0]);
        comings.add(Vec::new(), nicks(&["bob"]), 1, now);
        comings.add(nicks(&["bob"]), Vec::new(), 1, now + Duration::from_secs(60));
        assert_eq!(told(&comings), ["bob came · bob left"]);
    }
}
