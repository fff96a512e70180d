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
mod tests;
