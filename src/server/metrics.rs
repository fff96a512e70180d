//! Counts of what happened, for the host's log.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::protocol::event::Reason;

/// The counters of one server. Each only grows.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Connections accepted, refused ones among them.
    connections: AtomicU64,
    /// Entries stored.
    entries: AtomicU64,
    /// Connections ended, for each reason.
    endings: [AtomicU64; Reason::ALL.len()],
}

impl Metrics {
    /// A connection was accepted.
    pub fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// So many entries were stored.
    pub fn stored(&self, entries: u64) {
        self.entries.fetch_add(entries, Ordering::Relaxed);
    }

    /// A connection ended.
    pub fn ended(&self, reason: Reason) {
        if let Some(counter) = self.endings.get(reason as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Connections ended for `reason`.
    pub fn endings(&self, reason: Reason) -> u64 {
        self.endings.get(reason as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    /// Writes them to the host's log.
    pub fn log(&self) {
        let endings: Vec<String> = Reason::ALL
            .into_iter()
            .filter(|reason| self.endings(*reason) > 0)
            .map(|reason| format!("{reason:?} {}", self.endings(reason)))
            .collect();
        tracing::info!(
            connections = self.connections.load(Ordering::Relaxed),
            entries = self.entries.load(Ordering::Relaxed),
            endings = endings.join(", "),
            "in all"
        );
    }
}
