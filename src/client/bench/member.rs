//! One connection while it is measured: hears all, and says what its sender has to say.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until, timeout};

use super::enter::Seated;
use super::frames::Frames;
use super::order::{Faults, Order};
use super::scan::{Heard, scan};
use super::sender::Sender;
use super::shared::Shared;
use super::tally::Tally;
use crate::client::link::{Break, Stream};
use crate::protocol::command::{Command, Plain};
use crate::protocol::event::Event;
use crate::protocol::frame::{Frame, HEADER};

/// Bytes asked of the socket in one read. On the stack: with thousands of connections nobody holds a buffer.
const READ_BYTES: usize = 64 * 1024;
/// How long nothing may come of what is stored before it is lost.
const LOST_AFTER: Duration = Duration::from_secs(10);
/// How long a goodbye may take.
const GOODBYE_TIME: Duration = Duration::from_secs(2);

/// One connection.
pub(super) struct Member {
    socket: Box<dyn Stream>,
    frames: Frames,
    /// Taken by the socket, and perhaps not handed on: TLS keeps what the system does not take at once.
    unflushed: bool,
    ears: Ears,
}

/// All of a connection but its socket.
struct Ears {
    number: usize,
    room: usize,
    order: Order,
    sender: Option<Sender>,
    /// Said, and not taken by the socket.
    out: BytesMut,
    shared: Arc<Shared>,
}

impl Member {
    pub(super) fn new(
        seated: Seated,
        number: usize,
        room: usize,
        sender: Option<Sender>,
        shared: Arc<Shared>,
    ) -> Result<Self, Break> {
        let order = Order::after(seated.last);
        let ears = Ears { number, room, order, sender, out: BytesMut::new(), shared };
        let mut member = Self { socket: seated.socket, frames: Frames::default(), unflushed: false, ears };
        member.take(&seated.rest)?;
        Ok(member)
    }

    /// Converses until all is said and heard, and says what was wrong.
    pub(super) async fn run(mut self) -> Result<Faults, Break> {
        // Of its own, so that thousands do not meet at one lock.
        let settled = self.ears.shared.settled.child_token();
        let bell = self.ears.sender.as_ref().map(|sender| Arc::clone(&sender.bell));
        let mut lost_at: Option<Instant> = None;
        while lost_at.is_none() || !self.ears.has_all() {
            let lost = async {
                match lost_at {
                    Some(at) => sleep_until(at).await,
                    None => settled.cancelled().await,
                }
            };
            let rung = async {
                match &bell {
                    Some(bell) => bell.notified().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                step = std::future::poll_fn(|cx| self.poll_step(cx)) => {
                    step?;
                    lost_at = lost_at.map(|_| Instant::now() + LOST_AFTER);
                }
                () = rung => self.ears.speak(),
                () = lost => match lost_at {
                    Some(_) => break,
                    None => lost_at = Some(Instant::now() + LOST_AFTER),
                },
            }
        }
        let faults = self.ears.order.end(self.ears.room_last());
        // So that the nick is free for whoever measures next. There is nothing to do about one that fails.
        self.ears.say(&Command::Bye(Plain::default()));
        let goodbye = async { while std::future::poll_fn(|cx| self.poll_step(cx)).await.is_ok() {} };
        drop(timeout(GOODBYE_TIME, goodbye).await);
        Ok(faults)
    }

    /// Writes what there is to write, as far as the socket takes it, and hears what has come; pending while
    /// nothing has.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Break>> {
        if let Poll::Ready(Err(error)) = self.poll_write(cx) {
            return Poll::Ready(Err(broken(error)));
        }
        let mut space = [MaybeUninit::<u8>::uninit(); READ_BYTES];
        let mut read = ReadBuf::uninit(&mut space);
        if let Err(error) = ready!(Pin::new(&mut self.socket).poll_read(cx, &mut read)) {
            return Poll::Ready(Err(broken(error)));
        }
        if read.filled().is_empty() {
            return Poll::Ready(Err(Break::Closed));
        }
        Poll::Ready(self.take(read.filled()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.ears.out.is_empty() {
            let written = ready!(Pin::new(&mut self.socket).poll_write(cx, &self.ears.out))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.ears.out.advance(written);
            self.unflushed = true;
        }
        if self.unflushed {
            ready!(Pin::new(&mut self.socket).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Looks at what was read: all of it came at the same moment.
    fn take(&mut self, bytes: &[u8]) -> Result<(), Break> {
        let Self { frames, ears, .. } = self;
        let shared = Arc::clone(&ears.shared);
        let now = shared.now();
        let mut tally = shared.tally(ears.number);
        frames.feed(bytes, |json| ears.hear(json, now, &mut tally))
    }
}

fn broken(error: io::Error) -> Break {
    Break::Frame(error.into())
}

impl Ears {
    fn say(&mut self, command: &Command) {
        self.out.extend_from_slice(&Frame::encode(command).into_bytes());
    }

    fn hear(&mut self, json: &[u8], now: u64, tally: &mut Tally) -> Result<(), Break> {
        match scan(json, self.shared.mark)? {
            Heard::Entry(seq, stamp) => {
                self.order.came(seq);
                match stamp {
                    Some(stamp) if stamp.counted => tally.received(stamp.at, now, HEADER + json.len()),
                    Some(_) => {}
                    None => tally.foreign += 1,
                }
            }
            Heard::Stored(id, seq) => {
                let Some(sender) = &mut self.sender else { return Ok(()) };
                if let Some(stamp) = sender.answered(&id) {
                    self.shared.rooms[self.room].stored(seq, stamp.counted);
                    if stamp.counted {
                        tally.stored(stamp.at, now);
                    }
                }
                sender.speak(&self.shared, tally, &mut self.out);
            }
            Heard::Presence => {}
            Heard::Event(event) => match *event {
                Event::Ping(_) => self.say(&Command::Pong(Plain::default())),
                Event::Delayed(_) => tally.held_up += 1,
                Event::Error(failure) => return Err(Break::Refused(failure)),
                Event::Bye(bye) => return Err(Break::Bye(bye)),
                _ => {}
            },
        }
        Ok(())
    }

    fn speak(&mut self) {
        let shared = Arc::clone(&self.shared);
        if let Some(sender) = &mut self.sender {
            sender.speak(&shared, &mut shared.tally(self.number), &mut self.out);
        }
    }

    fn room_last(&self) -> u64 {
        self.shared.rooms[self.room].last()
    }

    fn has_all(&self) -> bool {
        self.order.has_reached(self.room_last())
    }
}
