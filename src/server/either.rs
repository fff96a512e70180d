//! Two futures side by side, each of which is done for both.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Polls two futures until one of them is done, and gives what it gives.
///
/// Each is asked first every other time: what tokio lets a task do at a time is shared by both, and the second of them
/// would get what the first has left. By turns and not by chance, as `select!` does it, so that a run can be repeated.
///
/// They are pinned by the caller: a future that is handed over is kept twice.
pub(super) async fn either<T>(
    mut one: Pin<&mut impl Future<Output = T>>,
    mut other: Pin<&mut impl Future<Output = T>>,
) -> T {
    let mut is_ones_turn = false;
    poll_fn(|cx| {
        is_ones_turn = !is_ones_turn;
        if is_ones_turn && let Poll::Ready(done) = one.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        if let Poll::Ready(done) = other.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        if is_ones_turn { Poll::Pending } else { one.as_mut().poll(cx) }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::pin::pin;

    use super::*;

    #[tokio::test]
    async fn each_is_asked_first_every_other_time() {
        let asked = RefCell::new(String::new());
        let asks = |name: char, done_after: usize| {
            let asked = &asked;
            let mut times = 0;
            poll_fn(move |cx| {
                asked.borrow_mut().push(name);
                times += 1;
                cx.waker().wake_by_ref();
                if times > done_after { Poll::Ready(name) } else { Poll::Pending }
            })
        };
        assert_eq!(either(pin!(asks('a', 4)), pin!(asks('b', 3))).await, 'b');
        assert_eq!(*asked.borrow(), "abbaabb");
    }
}
