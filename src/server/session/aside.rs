//! What is carried out beside the commands that come after it, one thing at a time. It runs in the session's own task, where
//! whoever waits for the mailbox must be, and ends with the session.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// See the module. The session MUST poll it before its reader, and give it up before it waits for the last answers: what
/// is begun may hold a place.
#[derive(Default)]
pub(super) struct Aside(Mutex<Option<Work>>);

impl Aside {
    /// Begins it once what was begun before is done.
    pub(super) async fn begin(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.done().await;
        *self.lock() = Some(Box::pin(work));
        // At once: it sees what is so before the next command, and whatever it waits for wakes the task from now on.
        poll_fn(|cx| {
            self.poll(cx);
            Poll::Ready(())
        })
        .await;
    }

    /// Waits until nothing is left to do.
    pub(super) async fn done(&self) {
        poll_fn(|_| if self.lock().is_none() { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// Goes on with what was begun.
    pub(super) fn poll(&self, cx: &mut Context<'_>) {
        let mut work = self.lock();
        if work.as_mut().is_some_and(|work| work.as_mut().poll(cx).is_ready()) {
            *work = None;
        }
    }

    /// Does not finish what was begun.
    pub(super) fn give_up(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Work>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
