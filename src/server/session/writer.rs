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
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout};
use tokio_stream::Stream;
use tokio_stream::wrappers::BroadcastStream;
use tracing::error;

use super::{Follow, Heard, Out};
use crate::protocol::event::{Bye, Event, Gap, Pulse, ReadUpTo, Reason};
use crate::protocol::frame::Frame;
use crate::protocol::limits::{DEAD_AFTER, PAGE_BYTES, PING_EVERY, SHUTDOWN_TIME, STALL_TIME};
use crate::protocol::name::RoomName;
use crate::protocol::time::Time;
use crate::server::Context;
use crate::server::batch::Batch;
use crate::server::direct;
use crate::server::hub::{Entered, SessionId};
use crate::server::mailbox::Mailbox;
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
    mailbox: &'a Mailbox,
    heard: &'a Heard,
    session: SessionId,
    /// Of what this session says: it is not told of its own typing.
    author: u64,
    seats: Vec<Seat>,
    /// The seat that is asked first, another one each time, so that a loud room does not silence a quiet one.
    turn: usize,
    /// Gathered and not yet taken by the socket.
    pending: VecDeque<Bytes>,
    pending_bytes: usize,
    ping_at: Instant,
    /// Rings when it is time for a ping, or the peer may have been silent for too long.
    alarm: Pin<Box<Sleep>>,
    /// Rings when a write has stood still for too long; there is one only while it does.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<'a, W: AsyncWrite + Unpin> Writer<'a, W> {
    pub(super) fn new(io: W, entered: &'a Entered, heard: &'a Heard, context: &'a Context) -> Self {
        let ping_at = Instant::now() + PING_EVERY;
        Self {
            io,
            context,
            mailbox: &entered.mailbox,
            heard,
            session: entered.session,
            author: entered.author,
            seats: Vec::new(),
            turn: 0,
            pending: VecDeque::new(),
            pending_bytes: 0,
            ping_at,
            alarm: Box::pin(sleep_until(ping_at)),
            stalled: None,
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
            Poll::Pending if busy => Poll::Ready(Ok(())),
            gathered => gathered,
        })
        .await?;
        self.write().await?;
        if let Some(seat) = self.in_turn().find(|seat| self.seats[*seat].behind) {
            Box::pin(self.catch_up(seat)).await?;
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
            while let Some(out) = self.mailbox.take_last().await {
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
    fn poll_gather(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Reason>> {
        let mut gathered = false;
        while self.pending_bytes < PAGE_BYTES
            && let Poll::Ready(out) = self.mailbox.poll_take(cx)
        {
            self.take_reply(out);
            gathered = true;
        }
        gathered |= self.take_notes();
        self.turn = self.turn.wrapping_add(1);
        for seat in self.in_turn() {
            gathered |= self.gather_from(seat, cx);
        }
        gathered |= self.keep_time(cx)?;
        if gathered { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Takes the news that others left; whether there was something to tell.
    fn take_notes(&mut self) -> bool {
        if self.pending_bytes >= PAGE_BYTES {
            return false;
        }
        let Some(notes) = self.mailbox.take_notes() else { return false };
        let calls = notes.called.iter().filter_map(|room| direct::call(self.context, self.session, room));
        let read = notes.read.into_iter().map(|(room, seq)| Event::Read(ReadUpTo { room, seq }));
        let told: Vec<Bytes> = calls.chain(read).map(|event| Frame::encode(&event).into_bytes()).collect();
        let any = !told.is_empty();
        told.into_iter().for_each(|bytes| self.push(bytes));
        any
    }

    /// Asks whether the peer is alive when it is time to; whether it asked.
    fn keep_time(&mut self, cx: &mut TaskContext<'_>) -> Result<bool, Reason> {
        let mut asked = false;
        while self.alarm.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            let silent_at = self.heard.silent_since() + DEAD_AFTER;
            if now >= silent_at {
                return Err(Reason::Silent);
            }
            if now >= self.ping_at {
                self.push(Frame::encode(&Event::Ping(Pulse { now: Time::now() })).into_bytes());
                self.ping_at = now + PING_EVERY;
                asked = true;
            }
            self.alarm.as_mut().reset(self.ping_at.min(silent_at));
        }
        Ok(asked)
    }

    /// Takes what is ready from one room's channel.
    fn gather_from(&mut self, seat: usize, cx: &mut TaskContext<'_>) -> bool {
        let mut gathered = false;
        while self.pending_bytes < PAGE_BYTES
            && let Some(seat) = self.seats.get_mut(seat)
            && let Poll::Ready(Some(passing)) = Pin::new(&mut seat.passing).poll_next(cx)
        {
            gathered = true;
            let before = seat.cursor;
            let send = match passing {
                Ok(Passing::Entries(batch)) => seat.take(batch),
                Ok(Passing::News(news)) => Some(news),
                Ok(Passing::Typing(author, news)) => (author != self.author).then_some(news),
                Err(_lagged) => {
                    seat.behind = true;
                    self.context.metrics.lagged();
                    self.context.hub.lock().told(&seat.room)
                }
            };
            self.context.metrics.delivered(seat.cursor - before);
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
                self.context.metrics.caught_up(batch.last + 1 - batch.first);
                let gap = (batch.first > seat.cursor + 1).then(|| Gap {
                    room: seat.room.clone(),
                    from: seat.cursor + 1,
                    to: batch.first - 1,
                });
                seat.cursor = batch.last;
                // What has expired since the connection came.
                if let Some(gap) = gap {
                    self.push(Frame::encode(&Event::Gap(gap)).into_bytes());
                }
                self.push(batch.bytes);
                Ok(())
            }
            // All up to there has expired, because more was published meanwhile: once more, up to that.
            Ok(None) if seat.channel.published() > published => Ok(()),
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
            // What is pending has a bound of its own: its place is free for the next answer.
            Out::Frames(bytes) | Out::Answer(bytes) => self.push(bytes),
            Out::Follow(follow) => {
                let Follow { room, joined, cursor, before } = *follow;
                self.seats.retain(|seat| seat.room != room);
                // Most are in one room, and a vector would make itself four times as large.
                self.seats.reserve_exact(1);
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
            let bytes = poll_fn(|cx| self.poll_write(cx)).await?;
            self.context.metrics.wrote(bytes);
            self.forget(bytes);
        }
        if self.seats.is_empty() || self.pending.capacity() > SLICES {
            self.pending = VecDeque::new();
        }
        // TLS takes what the socket does not, and hands it on only when it is told to.
        poll_fn(|cx| match Pin::new(&mut self.io).poll_flush(cx) {
            Poll::Ready(flushed) => Poll::Ready(flushed.map_err(|_| Reason::Gone)),
            Poll::Pending => self.poll_stalled(cx),
        })
        .await?;
        self.stalled = None;
        Ok(())
    }

    /// One write of as much as goes into one: how many bytes the socket has taken.
    fn poll_write(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<usize, Reason>> {
        let io = Pin::new(&mut self.io);
        let written = if self.pending.len() == 1 {
            io.poll_write(cx, &self.pending[0])
        } else {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let mut count = 0;
            for (slice, bytes) in slices.iter_mut().zip(&self.pending) {
                *slice = IoSlice::new(bytes);
                count += 1;
            }
            io.poll_write_vectored(cx, &slices[..count])
        };
        match written {
            Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(Err(Reason::Gone)),
            Poll::Ready(Ok(bytes)) => {
                self.stalled = None;
                Poll::Ready(Ok(bytes))
            }
            Poll::Pending => self.poll_stalled(cx),
        }
    }

    /// The socket takes nothing: ready when it has not for too long.
    fn poll_stalled<T>(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<T, Reason>> {
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(STALL_TIME)));
        stalled.as_mut().poll(cx).map(|()| Err(Reason::Stalled))
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
