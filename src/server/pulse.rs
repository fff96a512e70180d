//! Whether a server still does its work: for whoever starts it again when it does not.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Context;
use super::metrics::process::Process;
use crate::protocol::event::Stats;

/// How long an answer may take. What is asked takes a millisecond; so long a machine that swaps may need.
const ANSWER_TIME: Duration = Duration::from_secs(5);

/// Feels whether a server lives.
#[derive(Debug)]
pub struct Pulse {
    pub(super) context: Arc<Context>,
    /// What the log had done the last time, if something waited for it.
    pub(super) stood: Option<Work>,
}

/// What becomes of the entries that are handed to the log, counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Work {
    commits: u64,
    known: u64,
    failed: u64,
}

impl Pulse {
    /// What is counted now; `None` if the server is stuck: if it does not come to its locks in time, or if since the
    /// last call something waited for the log and the log has done nothing.
    pub async fn feel(&mut self) -> Option<Stats> {
        let context = Arc::clone(&self.context);
        let asked = spawn_blocking(move || {
            drop(context.registry.lock());
            context.stats(Process::read())
        });
        let stats = timeout(ANSWER_TIME, asked).await.ok()?.ok()?;
        let work = Work { commits: stats.commits, known: stats.duplicates, failed: stats.failed };
        let is_stuck = stats.log_waiting > 0 && self.stood == Some(work);
        self.stood = (stats.log_waiting > 0).then_some(work);
        (!is_stuck).then_some(stats)
    }
}
