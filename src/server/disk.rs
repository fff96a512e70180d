//! Where the waiting for the disk is done: on threads of its own, or in the task that asks.

use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// Who waits for the disk.
#[derive(Clone, Copy, Debug, Default)]
pub enum Disk {
    /// Threads that do nothing else, so that no connection waits for the files of another.
    #[default]
    Threads,
    /// The task that asks, so that all that a server does happens on one thread and in one order: for a simulation,
    /// which must be able to repeat itself. The function says how long the disk is said to take, before it has done
    /// its work and again after: the time of a simulation passes only where somebody sleeps.
    Here(fn() -> Duration),
}

impl Disk {
    /// Does what may have to wait. `None` if it panicked.
    pub(super) async fn run<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        match self {
            Self::Threads => spawn_blocking(work).await.ok(),
            Self::Here(_) => {
                self.take().await;
                let done = work();
                self.take().await;
                Some(done)
            }
        }
    }

    /// Lets the time pass that the disk is said to take; on a thread it takes its own.
    pub(super) async fn take(self) {
        if let Self::Here(takes) = self {
            sleep(takes()).await;
        }
    }
}
