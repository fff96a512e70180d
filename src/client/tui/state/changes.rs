//! What later entries make of a message: edits, a deletion, reactions.
//!
//! Entries come in any order, because gaps are filled later, and some come twice. So nothing is added up as it comes:
//! each change is kept under its own `seq`, and what a message is now follows from those that are later than what the
//! message itself carries. The order in which they came makes no difference.

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::emoji::Emoji;
use crate::protocol::event::{Entry, EntryKind, EntryText, Reaction};
use crate::protocol::name::Nick;

/// Changes of one message that are kept: a few hundred people who react several times. What goes beyond it is seen
/// when the message comes in a page.
const KEPT: usize = 2_000;

/// What one entry makes of a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// It says this now.
    Edited(EntryText),
    /// It was taken back.
    Deleted {
        /// By whom.
        by: Nick,
        /// What their entries carry as `author`.
        author: Option<u64>,
    },
    /// Somebody reacted to it.
    Reacted {
        /// What their entries carry as `author`.
        author: u64,
        emoji: Emoji,
        /// `false`: taken back.
        on: bool,
    },
}

impl Change {
    /// The message that an entry changes, and how; `None` if it changes none.
    fn by(entry: &Entry) -> Option<(u64, Self)> {
        let change = match entry.kind {
            // What was edited and then deleted is empty: the deletion says more.
            EntryKind::Edited if entry.text.as_str().is_empty() => return None,
            EntryKind::Edited => Self::Edited(entry.text.clone()),
            EntryKind::Deleted => Self::Deleted { by: entry.from.clone(), author: entry.author },
            EntryKind::Reacted => Self::Reacted {
                author: entry.author?,
                emoji: Emoji::new(entry.text.as_str()).ok()?,
                on: !entry.off,
            },
            EntryKind::Message | EntryKind::Topic | EntryKind::Unknown => return None,
        };
        Some((entry.target?, change))
    }
}

/// What a message is now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Now<'a> {
    pub(crate) text: &'a str,
    pub(crate) edited: bool,
    pub(crate) deleted: Option<Deleted<'a>>,
    /// In the order in which each emoji came first.
    pub(crate) reactions: Vec<Reaction>,
    /// We wish it to be so, and the server has not answered yet.
    pub(crate) wished: bool,
}

/// Who took a message back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deleted<'a> {
    /// Whoever wrote it, or nobody knows.
    Plainly,
    /// Somebody who keeps order.
    By(&'a Nick),
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// By the message, then by the `seq` of the change.
    of: BTreeMap<u64, BTreeMap<u64, Change>>,
}

impl Changes {
    /// Keeps what `entry` changes, if it does.
    pub(crate) fn take_in(&mut self, entry: &Entry) {
        if let Some((target, change)) = Change::by(entry) {
            self.note(target, entry.seq, change);
        }
    }

    /// Keeps one change, made by the entry `seq`.
    pub(crate) fn note(&mut self, target: u64, seq: u64, change: Change) {
        let changes = self.of.entry(target).or_default();
        if changes.len() >= KEPT {
            thin_out(changes);
        }
        // Of the others few are left each time.
        if changes.len() < KEPT || !matches!(change, Change::Reacted { .. }) {
            changes.insert(seq, change);
        }
    }

    /// Forgets what is about messages for which `keep` says no.
    pub(crate) fn retain(&mut self, keep: impl Fn(u64) -> bool) {
        self.of.retain(|target, _| keep(*target));
    }

    /// The log ends at `last`: what was changed after it never was.
    pub(crate) fn cut_after(&mut self, last: u64) {
        for changes in self.of.values_mut() {
            changes.retain(|seq, _| *seq <= last);
        }
        self.of.retain(|_, changes| !changes.is_empty());
    }

    pub(crate) fn clear(&mut self) {
        self.of.clear();
    }

    /// How many changes of a message are kept.
    #[cfg(test)]
    pub(crate) fn kept(&self, target: u64) -> usize {
        self.of.get(&target).map_or(0, BTreeMap::len)
    }

    /// What a message is now. `me`: what our own entries carry as `author`.
    pub(crate) fn now<'a>(&'a self, message: &'a Entry, me: u64) -> Now<'a> {
        let carried = message.now.as_deref();
        let mut now = Now {
            text: message.text.as_str(),
            edited: carried.is_some_and(|carried| carried.edited.is_some()),
            deleted: carried.is_some_and(|carried| carried.deleted).then_some(Deleted::Plainly),
            reactions: carried.map(|carried| carried.reactions.clone()).unwrap_or_default(),
            wished: false,
        };
        let Some(changes) = self.of.get(&message.seq) else { return now };
        // A deletion counts whenever it was: nothing follows it.
        for change in changes.values() {
            if let Change::Deleted { by, author } = change {
                let other = author.is_some() && *author != message.author;
                now.deleted = Some(if other { Deleted::By(by) } else { Deleted::Plainly });
            }
        }
        if now.deleted.is_some() {
            (now.text, now.edited, now.reactions) = ("", false, Vec::new());
            return now;
        }
        let later = || {
            let from = carried.map_or(0, |carried| carried.seq.saturating_add(1));
            changes.range(from..).map(|(_, change)| change)
        };
        for change in later() {
            if let Change::Edited(text) = change {
                (now.text, now.edited) = (text.as_str(), true);
            }
        }
        add_up(&mut now.reactions, later(), me);
        now
    }
}

/// Adds the reactions of `changes`, which are in the order of the log, to those that were there before.
///
/// What one person does with one emoji alternates: so the first of it says how it was before, and the last how it is
/// now. What is missing between them makes no difference.
fn add_up<'a>(reactions: &mut Vec<Reaction>, changes: impl Iterator<Item = &'a Change>, me: u64) {
    let mut spans: BTreeMap<(u64, &Emoji), (bool, bool)> = BTreeMap::new();
    let mut order: Vec<&Emoji> = Vec::new();
    for change in changes {
        let Change::Reacted { author, emoji, on } = change else { continue };
        spans.entry((*author, emoji)).and_modify(|(_, last)| *last = *on).or_insert((!on, *on));
        if !order.contains(&emoji) {
            order.push(emoji);
        }
    }
    for emoji in order {
        if !reactions.iter().any(|reaction| reaction.emoji == *emoji) {
            reactions.push(Reaction { emoji: emoji.clone(), count: 0, mine: false });
        }
    }
    for ((author, emoji), (before, last)) in spans {
        let Some(reaction) = reactions.iter_mut().find(|reaction| reaction.emoji == *emoji) else { continue };
        if author == me {
            reaction.mine = last;
        }
        match (before, last) {
            (false, true) => reaction.count = reaction.count.saturating_add(1),
            (true, false) => reaction.count = reaction.count.saturating_sub(1),
            (true, true) | (false, false) => {}
        }
    }
    reactions.retain(|reaction| reaction.count > 0);
}

/// Takes out what makes no difference: of each person's reactions by one emoji all but the first and the last, every
/// edit but the last, and every deletion but one.
fn thin_out(changes: &mut BTreeMap<u64, Change>) {
    let mut firsts = BTreeMap::new();
    let mut lasts = BTreeMap::new();
    for (seq, change) in &*changes {
        let key = match change {
            Change::Edited(_) => Key::Text,
            Change::Deleted { .. } => Key::Deletion,
            Change::Reacted { author, emoji, .. } => Key::Reaction(*author, emoji.clone()),
        };
        if matches!(key, Key::Reaction(..)) {
            firsts.entry(key.clone()).or_insert(*seq);
        }
        lasts.insert(key, *seq);
    }
    let kept: BTreeSet<u64> = firsts.into_values().chain(lasts.into_values()).collect();
    changes.retain(|seq, _| kept.contains(seq));
}

/// What follows each other.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Text,
    Deletion,
    Reaction(u64, Emoji),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::client::tui::script::{change, entry};
    use crate::client::tui::state::scrollback::Scrollback;
    use crate::protocol::event::Present;
    use crate::protocol::time::Time;

    const ME: u64 = 1;

    /// What somebody tries to do with the message that is so many messages back.
    #[derive(Clone, Debug)]
    enum Act {
        Say,
        Edit(usize),
        Delete(usize),
        /// Who, by what.
        React(usize, u64, usize),
    }

    /// How entries reach us.
    #[derive(Clone, Debug)]
    enum Step {
        Live(usize),
        Gap(usize),
        /// A page that the server made when the log ended so far back.
        Page(usize, usize, usize),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            2 => Just(Act::Say),
            2 => (0_usize..6).prop_map(Act::Edit),
            1 => (0_usize..12).prop_map(Act::Delete),
            6 => (0_usize..6, 1_u64..4, 0_usize..3).prop_map(|(back, who, what)| Act::React(back, who, what)),
        ]
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (1_usize..6).prop_map(Step::Live),
            1 => (1_usize..20).prop_map(Step::Gap),
            3 => (0_usize..80, 1_usize..20, 0_usize..8).prop_map(|(at, many, ago)| Step::Page(at, many, ago)),
        ]
    }

    /// A log as a server keeps it: nothing is done to what is deleted, and reactions alternate.
    fn log(acts: &[Act]) -> Vec<Entry> {
        let mut log: Vec<Entry> = vec![entry("#a", 1, "bob", "first")];
        for act in acts {
            let seq = log.len() as u64 + 1;
            let messages: Vec<u64> =
                log.iter().filter(|e| e.kind == EntryKind::Message).map(|e| e.seq).collect();
            let target = |back: &usize| messages.iter().rev().nth(*back).copied();
            let gone =
                |target: u64| log.iter().any(|e| e.kind == EntryKind::Deleted && e.target == Some(target));
            let next = match act {
                Act::Say => Some(entry("#a", seq, "bob", &format!("message {seq}"))),
                Act::Edit(back) => target(back).filter(|target| !gone(*target)).map(|target| {
                    change("#a", seq, ("bob", 2), EntryKind::Edited, target, &format!("edited by {seq}"))
                }),
                Act::Delete(back) => target(back)
                    .filter(|target| !gone(*target))
                    .map(|target| change("#a", seq, ("carol", 3), EntryKind::Deleted, target, "")),
                Act::React(back, who, what) => target(back).filter(|target| !gone(*target)).map(|target| {
                    let emoji = ["👍", "🎉", "👀"][*what];
                    let mut next = change("#a", seq, ("dave", *who), EntryKind::Reacted, target, emoji);
                    let same = |e: &&Entry| {
                        (e.kind, e.target, e.author, e.text.as_str())
                            == (EntryKind::Reacted, Some(target), Some(*who), emoji)
                    };
                    next.off = log.iter().rev().find(same).is_some_and(|last| !last.off);
                    next
                }),
            };
            log.extend(next);
        }
        log
    }

    /// A message as a page has it when the log ends with `until`, reckoned in the simplest way.
    fn in_a_page(log: &[Entry], seq: u64, until: u64) -> Entry {
        let mut entry = log[usize::try_from(seq).unwrap() - 1].clone();
        let mut now = Present::default();
        let mut people: Vec<(Emoji, Vec<u64>)> = Vec::new();
        let later = log.iter().filter(|e| e.target == Some(seq) && e.seq <= until);
        for change in later {
            now.seq = change.seq;
            match change.kind {
                EntryKind::Edited => {
                    now.edited = Some(Time::from_millis(0));
                    entry.text = change.text.clone();
                }
                EntryKind::Deleted => {
                    (now.deleted, now.edited) = (true, None);
                    entry.text = EntryText::default();
                    people.clear();
                }
                _ => {
                    let emoji = Emoji::new(change.text.as_str()).unwrap();
                    let author = change.author.unwrap();
                    let place = people.iter().position(|(known, _)| *known == emoji).unwrap_or_else(|| {
                        people.push((emoji, Vec::new()));
                        people.len() - 1
                    });
                    people[place].1.retain(|known| *known != author);
                    if !change.off {
                        people[place].1.push(author);
                    }
                }
            }
        }
        let reaction = |(emoji, who): (Emoji, Vec<u64>)| Reaction {
            emoji,
            count: who.len() as u64,
            mine: who.contains(&ME),
        };
        now.reactions = people.into_iter().map(reaction).filter(|reaction| reaction.count > 0).collect();
        entry.now = (now.seq > 0).then(|| Box::new(now));
        entry
    }

    /// What the reader sees of a message. The order of the emoji is that of their first coming, as far as it is known
    /// here, so it does not count.
    fn seen(scrollback: &Scrollback, seq: u64) -> (String, bool, bool, BTreeMap<String, (u64, bool)>) {
        let message = scrollback.message(seq).unwrap();
        let now = scrollback.now(message, ME);
        let reactions = now.reactions.iter().map(|r| (r.emoji.to_string(), (r.count, r.mine))).collect();
        (now.text.to_owned(), now.edited, now.deleted.is_some(), reactions)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_comes_when_the_end_is_the_same(
            acts in prop::collection::vec(act(), 1..80),
            steps in prop::collection::vec(step(), 1..40),
        ) {
            let log = log(&acts);
            let last = log.len() as u64;
            let mut in_order = Scrollback::default();
            log.iter().for_each(|entry| in_order.push(entry.clone()));
            let mut scrollback = Scrollback::default();
            let mut come = 0;
            let page = |scrollback: &mut Scrollback, from: u64, to: u64, until: u64| {
                scrollback.fill((from..=to).map(|seq| in_a_page(&log, seq, until)).collect());
            };
            let everything_live = [Step::Live(log.len())];
            for step in steps.iter().chain(&everything_live) {
                match step {
                    Step::Live(many) => {
                        for _ in 0..*many {
                            if let Some(entry) = log.get(come) {
                                scrollback.push(entry.clone());
                                come += 1;
                            }
                        }
                    }
                    Step::Gap(many) => {
                        come = (come + many).min(log.len());
                        scrollback.skip_to(come as u64);
                    }
                    Step::Page(at, many, ago) => {
                        let until = come.saturating_sub(*ago) as u64;
                        let from = *at as u64 + 1;
                        let to = (from + *many as u64).min(until);
                        if from <= to {
                            page(&mut scrollback, from, to, until);
                        }
                    }
                }
            }
            // What is known is not read again: the rest is.
            while let Some(gap) = (0..=scrollback.len()).find_map(|place| scrollback.gap_before(place)) {
                page(&mut scrollback, *gap.start(), *gap.end(), last);
            }
            for entry in log.iter().filter(|entry| entry.kind == EntryKind::Message) {
                let expected = seen(&in_order, entry.seq);
                prop_assert_eq!(&seen(&scrollback, entry.seq), &expected, "message {}", entry.seq);
                let carried = in_a_page(&log, entry.seq, last);
                let nothing = Changes::default();
                let now = nothing.now(&carried, ME);
                prop_assert_eq!(now.text, &*expected.0);
                prop_assert_eq!((now.edited, now.reactions.len()), (expected.1, expected.3.len()));
            }
        }
    }

    #[test]
    fn what_somebody_does_again_and_again_is_kept_in_few_places() {
        let mut scrollback = Scrollback::default();
        scrollback.push(entry("#a", 1, "bob", "first"));
        let many = 3 * KEPT as u64 + 1;
        for seq in 2..many {
            let mut next = change("#a", seq, ("dave", 4), EntryKind::Reacted, 1, "👍");
            next.off = seq % 2 == 1;
            scrollback.push(next);
        }
        scrollback.push(change("#a", many, ("bob", 2), EntryKind::Edited, 1, "changed"));
        let (text, edited, _, reactions) = seen(&scrollback, 1);
        assert_eq!((&*text, edited, reactions["👍"]), ("changed", true, (1, false)));
        assert!(scrollback.changes_kept(1) <= KEPT + 1);
    }

    #[test]
    fn a_log_from_an_older_copy_has_not_seen_the_change() {
        let mut scrollback = Scrollback::default();
        scrollback.push(entry("#a", 1, "bob", "first"));
        scrollback.push(change("#a", 2, ("bob", 2), EntryKind::Edited, 1, "second"));
        scrollback.push(change("#a", 3, ("bob", 2), EntryKind::Deleted, 1, ""));
        assert!(seen(&scrollback, 1).2);
        scrollback.cut_after(2);
        assert_eq!(seen(&scrollback, 1).0, "second");
    }
}
