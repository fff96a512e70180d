//! The half that speaks: holds the cursors, and sends what comes after them.
//!
//! - It MUST send the entries of a room in order, each once, without a gap: entry `cursor + 1` from the
//!   channel as it is, and whatever is not that from the log.
//! - Behind, coming back and just joined are one case: the cursor is behind what was published.
//! - It MUST take all that is ready before it writes, up to a bound, and write that at once.
//! - It MUST leave nothing of that with a socket that keeps it back, as TLS does.
//! - It MUST end when a write stands still, and hold no more than one gathering meanwhile.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::IoSlice;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};
use tokio_stream::Stream;
use tokio_stream::wrappers::BroadcastStream;
use tracing::error;

use super::{Follow, Out};
use crate::protocol::event::{Bye, Event, Pulse, Reason};
use crate::protocol::frame::Frame;
use crate::protocol::limits::{PAGE_BYTES, PING_EVERY, SHUTDOWN_TIME, STALL_TIME};
use crate::protocol::name::RoomName;
use crate::protocol::time::Time;
use crate::server::Context;
use crate::server::batch::Batch;
use crate::server::room::{Channel, Passing};

/// Buffers in one vectored write.
const SLICES: usize = 64;

/// A room that this connection follows.
struct Seat {
    room: RoomName,
    channel: Arc<Channel>,
    passing: BroadcastStream<Passing>,
    /// The last `seq` that was sent.
    cursor: u64,
    /// The channel cannot go on from the cursor: the log must.
    behind: bool,
}

impl Seat {
    /// Takes a batch from the channel: what to send of it, if it is just what comes next.
    fn take(&mut self, batch: Batch) -> Option<Bytes> {
        if batch.last <= self.cursor {
            return None;
        }
        if batch.first != self.cursor + 1 {
            self.behind = true;
            return None;
        }
        self.cursor = batch.last;
        Some(batch.bytes)
    }
}

pub(super) struct Writer<'a, W> {
    io: W,
    context: &'a Context,
    replies: mpsc::Receiver<Out>,
    seats: Vec<Seat>,
    /// The seat that is asked first, another one each time, so that a loud room does not silence a quiet one.
    turn: usize,
    /// Gathered and not yet taken by the socket.
    pending: VecDeque<Bytes>,
    pending_bytes: usize,
    ping: Interval,
}

impl<'a, W: AsyncWrite + Unpin> Writer<'a, W> {
    pub(super) fn new(io: W, replies: mpsc::Receiver<Out>, context: &'a Context) -> Self {
        let mut ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            io,
            context,
            replies,
            seats: Vec::new(),
            turn: 0,
            pending: VecDeque::new(),
            pending_bytes: 0,
            ping,
        }
    }

    /// Speaks until that is no longer possible, and says why. Cancelled, it can go on or
    /// [`Writer::finish`].
    pub(super) async fn run(&mut self) -> Reason {
        loop {
            if let Err(reason) = self.turn().await {
                return reason;
            }
        }
    }

    /// What is ready first, then a page of the log for one that is behind: answers and other rooms do not
    /// wait for the end of a long catch-up.
    async fn turn(&mut self) -> Result<(), Reason> {
        // With a log to read or something to write there is no waiting for more.
        let busy = !self.pending.is_empty() || self.seats.iter().any(|seat| seat.behind);
        poll_fn(|cx| match self.poll_gather(cx) {
            Poll::Pending if busy => Poll::Ready(()),
            gathered => gathered,
        })
        .await;
        self.write().await?;
        if let Some(seat) = self.in_turn().find(|seat| self.seats[*seat].behind) {
            self.catch_up(seat).await?;
            self.write().await?;
        }
        Ok(())
    }

    /// The seats, another one first each time.
    fn in_turn(&self) -> impl Iterator<Item = usize> + use<W> {
        let (seats, turn) = (self.seats.len(), self.turn);
        (0..seats).map(move |offset| turn.wrapping_add(offset) % seats)
    }

    /// Sends the answers that are still owed, and the last word.
    pub(super) async fn finish(&mut self, last_word: Bye) {
        self.seats.clear();
        let last_words = async {
            if last_word.reason == Reason::Stalled {
                return Err(Reason::Stalled);
            }
            self.write().await?;
            while let Some(out) = self.replies.recv().await {
                self.take_reply(out);
                self.seats.clear();
                self.write().await?;
            }
            self.push(Frame::encode(&Event::Bye(last_word)).into_bytes());
            self.write().await?;
            self.io.shutdown().await.map_err(|_| Reason::Gone)
        };
        // A peer that does not listen any more has its reason already.
        drop(timeout(SHUTDOWN_TIME, last_words).await);
    }

    /// Takes all that is ready, up to the bound; pending when nothing is.
    fn poll_gather(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        let mut gathered = false;
        while self.pending_bytes < PAGE_BYTES
            && let Poll::Ready(Some(out)) = self.replies.poll_recv(cx)
        {
            self.take_reply(out);
            gathered = true;
        }
        self.turn = self.turn.wrapping_add(1);
        for seat in self.in_turn() {
            gathered |= self.gather_from(seat, cx);
        }
        if self.ping.poll_tick(cx).is_ready() {
            self.push(Frame::encode(&Event::Ping(Pulse { now: Time::now() })).into_bytes());
            gathered = true;
        }
        if gathered { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Takes what is ready from one room's channel.
    fn gather_from(&mut self, seat: usize, cx: &mut TaskContext<'_>) -> bool {
        let mut gathered = false;
        while self.pending_bytes < PAGE_BYTES
            && let Some(seat) = self.seats.get_mut(seat)
            && let Poll::Ready(Some(passing)) = std::pin::Pin::new(&mut seat.passing).poll_next(cx)
        {
            gathered = true;
            let send = match passing {
                Ok(Passing::Entries(batch)) => seat.take(batch),
                Ok(Passing::News(news)) => Some(news),
                Err(_lagged) => {
                    seat.behind = true;
                    self.context.hub.lock().told(&seat.room)
                }
            };
            if let Some(bytes) = send {
                self.push(bytes);
            }
        }
        gathered
    }

    /// Reads the log from a cursor: one page, or nothing when the cursor has met the channel again.
    async fn catch_up(&mut self, seat: usize) -> Result<(), Reason> {
        let Some(seat) = self.seats.get_mut(seat) else { return Ok(()) };
        let published = seat.channel.published();
        if seat.cursor >= published {
            seat.behind = false;
            return Ok(());
        }
        match self.context.reader.batch(&seat.room, seat.cursor, published).await {
            Ok(Some(batch)) => {
                seat.cursor = batch.last;
                self.push(batch.bytes);
                Ok(())
            }
            Ok(None) => {
                error!(room = %seat.room, cursor = seat.cursor, published, "the log lacks its end");
                Err(Reason::Storage)
            }
            Err(error) => {
                error!(room = %seat.room, %error, "the log cannot be read");
                Err(Reason::Storage)
            }
        }
    }

    fn take_reply(&mut self, out: Out) {
        match out {
            // What is pending has a bound of its own: the share is free for the next answer.
            Out::Frames(bytes) | Out::Answer(bytes, _) => self.push(bytes),
            Out::Follow(follow) => {
                let Follow { room, joined, cursor, before, .. } = *follow;
                self.seats.retain(|seat| seat.room != room);
                self.seats.push(Seat {
                    room,
                    channel: joined.channel,
                    passing: BroadcastStream::new(joined.receiver),
                    cursor,
                    behind: cursor < joined.info.last,
                });
                self.push(before);
            }
            Out::Unfollow(room, ok) => {
                self.seats.retain(|seat| seat.room != room);
                self.push(ok);
            }
        }
    }

    fn push(&mut self, bytes: Bytes) {
        self.pending_bytes += bytes.len();
        self.pending.push_back(bytes);
    }

    /// Writes all that is pending. Cancelled between two writes, it knows how far it came.
    async fn write(&mut self) -> Result<(), Reason> {
        while !self.pending.is_empty() {
            let written = {
                let mut slices = [IoSlice::new(&[]); SLICES];
                let mut count = 0;
                for (slice, bytes) in slices.iter_mut().zip(&self.pending) {
                    *slice = IoSlice::new(bytes);
                    count += 1;
                }
                timeout(STALL_TIME, self.io.write_vectored(&slices[..count])).await
            };
            match written {
                Ok(Ok(0) | Err(_)) => return Err(Reason::Gone),
                Ok(Ok(bytes)) => self.forget(bytes),
                Err(_) => return Err(Reason::Stalled),
            }
        }
        if self.seats.is_empty() || self.pending.capacity() > SLICES {
            self.pending = VecDeque::new();
        }
        // TLS keeps what the system does not take at once, and hands it on only when asked.
        match timeout(STALL_TIME, self.io.flush()).await {
            Ok(flushed) => flushed.map_err(|_| Reason::Gone),
            Err(_) => Err(Reason::Stalled),
        }
    }

    /// The socket has taken the first `bytes` of what is pending.
    fn forget(&mut self, mut bytes: usize) {
        self.pending_bytes -= bytes;
        while let Some(first) = self.pending.front_mut() {
            if first.len() > bytes {
                first.advance(bytes);
                return;
            }
            bytes -= first.len();
            self.pending.pop_front();
        }
    }
}
