//! Counts of what happens: for the host's log, and for whoever keeps order.
//!
//! - Counting MUST cost nothing that a message would feel: an atomic addition, relaxed, and where many connections
//!   send the same, one for a batch or for a write. No lock, and nothing that grows.
//! - What has its number elsewhere, such as who is here, is asked for there when somebody wants to know.

pub mod histogram;
pub mod process;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::Context;
use super::log::{Outcome, StoreError};
use crate::protocol::event::{Reason, Stats};
use histogram::Histogram;
use process::Process;

/// The counters of one server. Each only grows.
#[derive(Debug)]
pub struct Metrics {
    started: Instant,
    /// Connections accepted, refused ones among them.
    connections: AtomicU64,
    /// Entries stored.
    entries: AtomicU64,
    /// Entries that were stored before.
    duplicates: AtomicU64,
    /// Entries that the log could not store.
    failed: AtomicU64,
    /// Connections ended, for each reason.
    endings: [AtomicU64; Reason::ALL.len()],
    sent: Sent,
}

/// What the connections add to, on cache lines that nothing else is on: they run on all processors at once.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Sent {
    deliveries: AtomicU64,
    bytes: AtomicU64,
    lagged: AtomicU64,
    pages: AtomicU64,
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Metrics {
    /// Nothing has happened yet.
    pub fn new() -> Self {
        let [connections, entries, duplicates, failed] = Default::default();
        let (endings, sent) = (Default::default(), Sent::default());
        Self { started: Instant::now(), connections, entries, duplicates, failed, endings, sent }
    }

    /// A connection was accepted.
    pub fn connected(&self) {
        add(&self.connections, 1);
    }

    /// The log has done with an entry.
    pub fn settled(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Stored { .. } => add(&self.entries, 1),
            Outcome::Known { .. } => add(&self.duplicates, 1),
            Outcome::Failed { error: StoreError::Full | StoreError::Failed, .. } => add(&self.failed, 1),
            // Its sender's mistake, or somebody was faster.
            Outcome::Failed { .. } => {}
        }
    }

    /// So many entries are on their way to one connection.
    pub fn delivered(&self, entries: u64) {
        add(&self.sent.deliveries, entries);
    }

    /// One connection took so many bytes.
    pub fn wrote(&self, bytes: usize) {
        add(&self.sent.bytes, bytes as u64);
    }

    /// A connection has missed something of a room's channel.
    pub fn lagged(&self) {
        add(&self.sent.lagged, 1);
    }

    /// A connection that was behind has got so many entries from the log.
    pub fn caught_up(&self, entries: u64) {
        add(&self.sent.pages, 1);
        self.delivered(entries);
    }

    /// A connection ended.
    pub fn ended(&self, reason: Reason) {
        if let Some(counter) = self.endings.get(reason as usize) {
            add(counter, 1);
        }
    }

    /// Connections ended, for each reason that there was.
    fn endings(&self) -> BTreeMap<Reason, u64> {
        let endings = Reason::ALL.into_iter().zip(self.endings.iter().map(read));
        endings.filter(|(_, times)| *times > 0).collect()
    }

    /// Writes the last of it to the host's log.
    pub fn log(&self) {
        let endings: Vec<String> =
            self.endings().into_iter().map(|(reason, times)| format!("{reason:?} {times}")).collect();
        tracing::info!(
            connections = read(&self.connections),
            entries = read(&self.entries),
            endings = endings.join(", "),
            "in all"
        );
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// The counters of a log's writer, which only its thread adds to.
#[derive(Debug, Default)]
pub struct CommitCounts {
    entries: Histogram,
    micros: Histogram,
}

impl CommitCounts {
    /// One transaction is done.
    pub fn committed(&self, entries: usize, took: Duration) {
        self.entries.record(entries as u64);
        self.micros.record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }
}

/// Connections that were told that they may not come in.
const REFUSED: [Reason; 3] = [Reason::Refused, Reason::ServerFull, Reason::AddressFull];

impl Context {
    /// All that is counted, as it is now. The numbers are read one after the other, while things go on.
    pub(super) fn stats(&self, process: Process) -> Stats {
        let metrics = &self.metrics;
        let sent = &metrics.sent;
        // Before those accepted, or one that comes and goes meanwhile would be missing.
        let endings = metrics.endings();
        let connections_in_all = read(&metrics.connections);
        let census = self.hub.lock().census();
        let commits = self.log.counts();
        let refused = REFUSED.iter().filter_map(|reason| endings.get(reason));
        Stats {
            re: None,
            uptime_seconds: metrics.started.elapsed().as_secs(),
            connections: connections_in_all.saturating_sub(endings.values().sum()),
            connections_in_all,
            connections_refused: refused.sum(),
            sessions: census.sessions as u64,
            people: census.people as u64,
            rooms: census.rooms as u64,
            entries: read(&metrics.entries),
            duplicates: read(&metrics.duplicates),
            failed: read(&metrics.failed),
            deliveries: read(&sent.deliveries),
            bytes_written: read(&sent.bytes),
            lagged: read(&sent.lagged),
            pages_read: read(&sent.pages),
            commits: commits.entries.count(),
            commit_entries: commits.entries.spread(),
            commit_micros: commits.micros.spread(),
            log_waiting: self.log.waiting() as u64,
            endings,
            memory_bytes: process.memory_bytes,
            open_files: process.open_files,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn what_the_log_could_not_store_is_told_from_its_senders_mistakes() {
        let metrics = Metrics::new();
        let id = Uuid::nil();
        metrics.settled(&Outcome::Known { id, seq: 1 });
        for error in [StoreError::Full, StoreError::Failed, StoreError::IdInUse] {
            metrics.settled(&Outcome::Failed { id, error });
        }
        let counted = [&metrics.entries, &metrics.duplicates, &metrics.failed].map(read);
        assert_eq!(counted, [0, 1, 2]);
    }

    #[test]
    fn only_the_reasons_that_there_were_are_told() {
        let metrics = Metrics::new();
        for reason in [Reason::Gone, Reason::Quit, Reason::Gone, Reason::Unknown] {
            metrics.ended(reason);
        }
        let endings = [(Reason::Quit, 1), (Reason::Gone, 2), (Reason::Unknown, 1)];
        assert_eq!(metrics.endings(), BTreeMap::from(endings));
    }
}
