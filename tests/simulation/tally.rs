//! What was tried, and how often: promises that hold prove nothing where nothing went wrong. What is counted here has
//! happened, and was not only ordered: a line that nobody uses is not cut.
//!
//! A run counts on its own thread, as everything in it happens there.

use std::cell::Cell;
use std::fmt;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// The server was killed, by a fuse too.
    Killed,
    /// It was killed by a fuse: at one of its reads and writes.
    FuseBurned,
    /// It was killed with something in its journal, which the next one had to take up.
    JournalTakenUp,
    /// It ended when it was asked to.
    Stopped,
    /// It ended so, and what was in its journal went into its tables.
    Settled,
    /// While it ran, what was deleted left its files.
    Purged,
    /// A line was cut.
    Cut,
    /// A line was silent for good.
    Silenced,
    /// A client was out of reach for a while.
    Parted,
    /// And for longer than either end waits for the other.
    PartedForLong,
    /// A server ended a connection because nothing was heard.
    FoundSilent,
    /// A server ended a connection because its client came back.
    Replaced,
    /// What was said was still on its way when its sender came back and said it again.
    Overdue,
    /// It arrived all the same, and the server took it: over a connection that its sender had lost.
    OverdueTaken,
    /// The same, and before that it had come over a newer connection.
    Overtaken,
    /// What a server had in its log was sent to it again.
    Resent,
    /// A server had to read its log for a connection that had missed something of the channel.
    Lagged,
    /// A client came back to a room and got what it had missed.
    CaughtUp,
    /// A client was told what was left out.
    Gap,
    /// A message in the log, and what was done to it.
    Message,
    Edited,
    Deleted,
    Reacted,
    /// A reaction that was taken back.
    TakenBack,
    /// A change that somebody else's deletion was faster than.
    Refused,
    /// A message between the talkers that no trouble of their own held up, and how long it took was looked at.
    Timed,
}

/// Kinds of what is counted.
const KINDS: usize = Tried::Timed as usize + 1;

/// What 100 seeds must come to, at least: about a third of what they came to when this was written.
const LEAST: [(Tried, u64); KINDS] = [
    (Tried::Killed, 300),
    (Tried::FuseBurned, 100),
    (Tried::JournalTakenUp, 250),
    (Tried::Stopped, 120),
    (Tried::Settled, 90),
    (Tried::Purged, 60),
    (Tried::Cut, 200),
    (Tried::Silenced, 40),
    (Tried::Parted, 500),
    (Tried::PartedForLong, 50),
    (Tried::FoundSilent, 2),
    (Tried::Replaced, 5),
    (Tried::Overdue, 80),
    (Tried::OverdueTaken, 60),
    (Tried::Overtaken, 10),
    (Tried::Resent, 1_500),
    (Tried::Lagged, 5),
    (Tried::CaughtUp, 3_000),
    (Tried::Gap, 250),
    (Tried::Message, 10_000),
    (Tried::Edited, 120),
    (Tried::Deleted, 120),
    (Tried::Reacted, 600),
    (Tried::TakenBack, 120),
    (Tried::Refused, 40),
    (Tried::Timed, 2_000),
];

/// Seeds below which chance decides what was tried.
const ENOUGH_SEEDS: u64 = 100;

thread_local! {
    static COUNTS: Cell<[u64; KINDS]> = const { Cell::new([0; KINDS]) };
}

/// It has happened once more in this run.
pub fn count(what: Tried) {
    count_all(what, 1);
}

/// It has happened so many times more.
pub fn count_all(what: Tried, times: u64) {
    let mut counts = COUNTS.get();
    counts[what as usize] += times;
    COUNTS.set(counts);
}

/// How often everything happened, in a run or in many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally([u64; KINDS]);

impl Tally {
    /// What was counted on this thread, which begins again at nothing.
    pub fn take() -> Self {
        Self(COUNTS.take())
    }

    pub fn add(&mut self, more: &Self) {
        self.0.iter_mut().zip(more.0).for_each(|(sum, more)| *sum += more);
    }

    /// What so many seeds have hardly tried.
    pub fn lacking(&self, seeds: u64) -> Vec<String> {
        if seeds < ENOUGH_SEEDS {
            return Vec::new();
        }
        let lacking = LEAST.iter().filter_map(|(what, least)| {
            let (times, least) = (self.0[*what as usize], least * seeds / 100);
            (times < least).then(|| format!("{what:?} {times} of {least}"))
        });
        lacking.collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = LEAST.iter().map(|(what, _)| format!("{what:?} {}", self.0[*what as usize]));
        f.write_str(&all.collect::<Vec<_>>().join(", "))
    }
}

#[test]
fn every_kind_has_its_minimum() {
    let kinds: Vec<_> = LEAST.iter().map(|(what, _)| *what as usize).collect();
    assert_eq!(kinds, (0..KINDS).collect::<Vec<_>>());
    assert!(LEAST.iter().all(|(_, least)| *least > 0));
    let nothing = Tally::default();
    assert_eq!(nothing.lacking(100).len(), KINDS);
    assert!(nothing.lacking(1).is_empty());
}
