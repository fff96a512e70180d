//! Rings for those who talk by the clock, a thread of its own: the runtime's timers go by whole milliseconds, and a local
//! parlor answers within a fraction of one.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

const SECOND: u128 = 1_000_000_000;

/// Rings the bells in turn, so many times a second in all, until what is returned is dropped.
pub(super) fn start(start: Instant, rate: usize, bells: Vec<Arc<Notify>>) -> Sender<()> {
    let (alive, ended) = channel();
    std::thread::spawn(move || {
        for (turn, bell) in bells.iter().cycle().enumerate() {
            let after = u64::try_from(turn as u128 * SECOND / rate as u128).unwrap_or(u64::MAX);
            let due = start + Duration::from_nanos(after);
            let wait = due.saturating_duration_since(Instant::now());
            if ended.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            bell.notify_one();
        }
    });
    alive
}
