//! What others give to a session: answers to its commands, news of what it is not looking at, and the word to end.
//!
//! - A place is reserved before a command is carried out, so whoever answers never waits; and one who does not read
//!   its answers is not asked for more: places, and bytes, are bounded.
//! - The first reason to end that anyone gives is the one that counts.
//! - It MUST hold no memory for a session that is owed nothing. A channel of tokio's holds 2 kB.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::notes::Notes;
use super::session::Out;
use crate::protocol::event::{Bye, Reason};
use crate::protocol::limits::{REPLIES_OWED, REPLY_BYTES_OWED};
use crate::protocol::text::Line;

/// The mailbox of one session. Clones lead to the same one.
///
/// The session is one task, so there is one waker: whoever waits for what is in the mailbox waits in that task.
#[derive(Clone, Debug, Default)]
pub struct Mailbox(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Out>,
    /// Places that are reserved or in use.
    places: usize,
    /// Bytes of answers that wait, as far as they are counted.
    bytes: usize,
    /// Somebody waits for a place or for bytes.
    is_full: bool,
    /// On the heap, and only while there are any.
    notes: Option<Box<Notes>>,
    last_word: Option<Bye>,
    session: Option<Waker>,
}

/// A place among the answers of one session; given back when it is dropped unused.
#[derive(Debug)]
pub struct Slot(Mailbox);

impl Mailbox {
    /// Ends the session, unless it was ended before. `message` is for the person.
    pub fn end(&self, reason: Reason, message: Option<Line>) {
        let mut state = self.lock();
        if state.last_word.is_none() {
            state.last_word = Some(Bye { reason, message });
            state.wake();
        }
    }

    /// Waits until somebody ends the session.
    pub async fn ended(&self) -> Bye {
        poll_fn(|cx| {
            let mut state = self.lock();
            match &state.last_word {
                Some(last_word) => Poll::Ready(last_word.clone()),
                None => state.wait(cx),
            }
        })
        .await
    }

    /// Waits for a place.
    pub async fn place(&self) -> Slot {
        poll_fn(|cx| {
            let mut state = self.lock();
            if state.places < REPLIES_OWED {
                state.places += 1;
                return Poll::Ready(());
            }
            state.is_full = true;
            state.wait(cx)
        })
        .await;
        Slot(self.clone())
    }

    /// Waits until so many bytes more may be owed, or nothing is: one answer may be as large as it is.
    pub async fn room_for(&self, bytes: usize) {
        poll_fn(|cx| {
            let mut state = self.lock();
            if state.bytes == 0 || state.bytes + bytes <= REPLY_BYTES_OWED {
                state.bytes += bytes;
                return Poll::Ready(());
            }
            state.is_full = true;
            state.wait(cx)
        })
        .await;
    }

    /// The next of what was given; pending when there is nothing. The session's writer takes it.
    pub fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Out> {
        let mut state = self.lock();
        let Some(out) = state.waiting.pop_front() else { return state.wait(cx) };
        state.places -= 1;
        state.bytes -= out.counted();
        if state.waiting.is_empty() {
            state.waiting = VecDeque::new();
        }
        if state.is_full {
            state.is_full = false;
            state.wake();
        }
        Poll::Ready(out)
    }

    /// The next of what is still to come; `None` when all reserved places have been used or given back.
    pub async fn take_last(&self) -> Option<Out> {
        poll_fn(|cx| match self.poll_take(cx) {
            Poll::Ready(out) => Poll::Ready(Some(out)),
            Poll::Pending if self.lock().places == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// Leaves news for the session. Takes no place and never waits.
    pub fn note(&self, write: impl FnOnce(&mut Notes)) {
        let mut state = self.lock();
        write(state.notes.get_or_insert_default());
        state.wake();
    }

    /// The news that were left since the last time. The session's writer takes them, after [`Mailbox::poll_take`] said
    /// that it would wake it.
    pub fn take_notes(&self) -> Option<Notes> {
        self.lock().notes.take().map(|notes| *notes)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics half-way in here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wait<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        match &mut self.session {
            Some(session) => session.clone_from(cx.waker()),
            None => self.session = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    fn wake(&self) {
        if let Some(session) = &self.session {
            session.wake_by_ref();
        }
    }
}

impl Slot {
    /// Puts into the place what it was reserved for.
    pub fn send(self, out: Out) {
        // Used now: it is given back when the session takes what is in it.
        let mut state = self.0.lock();
        state.places += 1;
        state.waiting.push_back(out);
        state.wake();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.places -= 1;
        if state.is_full || state.places == 0 {
            state.is_full = false;
            state.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use bytes::Bytes;

    use super::*;
    use crate::protocol::name::RoomName;

    fn poll<T>(future: impl Future<Output = T>) -> Poll<T> {
        pin!(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    fn take(mailbox: &Mailbox) -> Poll<Out> {
        mailbox.poll_take(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn places_are_bounded_and_come_back() {
        let mailbox = Mailbox::default();
        let place = || match poll(mailbox.place()) {
            Poll::Ready(slot) => slot,
            Poll::Pending => panic!("no place"),
        };
        let mut slots: Vec<Slot> = (0..REPLIES_OWED).map(|_| place()).collect();
        assert!(poll(mailbox.place()).is_pending());
        slots.pop();
        let slot = place();
        slot.send(Out::Frames(Bytes::new()));
        assert!(poll(mailbox.place()).is_pending(), "what waits has its place");
        assert!(take(&mailbox).is_ready() && take(&mailbox).is_pending());
        drop(place());
        assert!(poll(mailbox.take_last()).is_pending(), "there may be more");
        slots.clear();
        assert!(matches!(poll(mailbox.take_last()), Poll::Ready(None)));
    }

    #[test]
    fn bytes_are_bounded_except_for_one_answer() {
        let mailbox = Mailbox::default();
        let large = Bytes::from(vec![0; 2 * REPLY_BYTES_OWED]);
        assert!(poll(mailbox.room_for(large.len())).is_ready());
        assert!(poll(mailbox.room_for(1)).is_pending());
        let Poll::Ready(slot) = poll(mailbox.place()) else { panic!() };
        slot.send(Out::Answer(large));
        assert!(take(&mailbox).is_ready());
        assert!(poll(mailbox.room_for(1)).is_ready());
    }

    #[test]
    fn news_find_their_way_while_there_is_no_place_and_hold_nothing_when_they_are_taken() {
        let mailbox = Mailbox::default();
        let slots: Vec<Slot> = (0..REPLIES_OWED)
            .map(|_| match poll(mailbox.place()) {
                Poll::Ready(slot) => slot,
                Poll::Pending => panic!("no place"),
            })
            .collect();
        assert!(take(&mailbox).is_pending() && mailbox.take_notes().is_none());
        let room = RoomName::lobby();
        mailbox.note(|notes| notes.call(&room));
        mailbox.note(|notes| notes.read(&room, 3));
        let notes = mailbox.take_notes().unwrap();
        assert_eq!((notes.called.len(), notes.read.get(&room)), (1, Some(&3)));
        assert!(mailbox.lock().notes.is_none() && mailbox.take_notes().is_none());
        drop(slots);
    }

    /// What a session that is owed nothing costs here, beside the task itself.
    #[test]
    fn an_empty_mailbox_is_small() {
        assert!(size_of::<State>() <= 160, "{}", size_of::<State>());
    }

    #[test]
    fn the_first_reason_counts() {
        let mailbox = Mailbox::default();
        assert!(poll(mailbox.ended()).is_pending());
        mailbox.end(Reason::Replaced, None);
        mailbox.end(Reason::Shutdown, None);
        assert!(matches!(poll(mailbox.ended()), Poll::Ready(Bye { reason: Reason::Replaced, .. })));
    }
}
