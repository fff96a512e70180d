//! Whatever way entries take, they are folded to the same.

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
        let messages: Vec<u64> = log.iter().filter(|e| e.kind == EntryKind::Message).map(|e| e.seq).collect();
        let target = |back: &usize| messages.iter().rev().nth(*back).copied();
        let gone = |target: u64| log.iter().any(|e| e.kind == EntryKind::Deleted && e.target == Some(target));
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
