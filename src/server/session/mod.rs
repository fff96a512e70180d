//! One connection, from its first byte to its last.
//!
//! A connection is a cursor over each of its rooms' logs. Two halves run side by side in one task, so that
//! a write that waits never stops the reading: the reader takes commands, the writer moves the
//! cursors. A session fails alone, and every end has a [`Reason`].

mod order;
mod own;
mod reader;
mod writer;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::time::{Instant, timeout};
use tracing::info;

use super::Context;
use super::either::either;
use super::handshake::{self, Peer};
use super::room::Joined;
use crate::protocol::event::{Bye, Reason};
use crate::protocol::frame::FrameReader;
use crate::protocol::limits::{COMMAND_BYTES, LINGER_TIME};
use crate::protocol::name::RoomName;
use reader::Reader;
use writer::Writer;

/// What the reader, or the publisher on its behalf, gives to the writer.
#[derive(Debug)]
pub enum Out {
    /// Frames to send, small ones.
    Frames(Bytes),
    /// An answer, whose bytes count to what one connection may be owed.
    Answer(Bytes),
    /// A room to follow from a cursor, and the frames that come before its entries, which count.
    Follow(Box<Follow>),
    /// A room to follow no more, and the answer.
    Unfollow(RoomName, Bytes),
}

impl Out {
    /// Bytes that count to what one connection may be owed.
    pub(super) fn counted(&self) -> usize {
        match self {
            Self::Answer(bytes) => bytes.len(),
            Self::Follow(follow) => follow.before.len(),
            Self::Frames(_) | Self::Unfollow(..) => 0,
        }
    }
}

/// See [`Out::Follow`].
#[derive(Debug)]
pub struct Follow {
    /// Which room.
    room: RoomName,
    /// Its channel.
    joined: Joined,
    /// The last `seq` that this connection has.
    cursor: u64,
    /// To send first.
    before: Bytes,
}

/// Serves one connection until it ends, and says why.
pub async fn serve<R, W>(read: R, mut write: W, context: Arc<Context>, peer: Peer) -> Reason
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut frames = FrameReader::new(read, COMMAND_BYTES);
    // On the heap, as everything that a connection does seldom: an idle one is as large as the largest of the rest.
    let entered = match Box::pin(handshake::run(&mut frames, &mut write, &context, peer)).await {
        Ok(entered) => entered,
        Err(reason) => {
            drop(timeout(LINGER_TIME, hear_out(frames.into_inner())).await);
            return reason;
        }
    };
    let guard = Guard { session: entered.session, context: &context };
    let mailbox = entered.mailbox;
    if context.closing.is_cancelled() {
        // Those who were inside by then have been told.
        mailbox.end(Reason::Shutdown, None);
    }
    let heard = Heard::default();
    let mut reader = Reader::new(frames, &mailbox, &heard, &context, entered.session, peer.from);
    let mut writer = Writer::new(write, &mailbox, &heard, &context);
    let last_word = {
        let (reading, writing) = (pin!(reader.run()), pin!(writer.run()));
        let running = pin!(either(reading, writing));
        tokio::select! {
            biased;
            last_word = mailbox.ended() => last_word,
            reason = running => reason.into(),
        }
    };
    let reason = last_word.reason;
    info!(nick = %entered.you.nick, ?reason, "bye");
    // The answers that are owed still come; those who are here need not wait for that.
    let rest = reader.into_stream();
    drop(guard);
    Box::pin(part(rest, &mut writer, last_word)).await;
    reason
}

/// Says the last word, and hears the peer out.
async fn part<R, W>(rest: R, writer: &mut Writer<'_, W>, last_word: Bye)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut hearing = pin!(hear_out(rest));
    let mut finishing = pin!(writer.finish(last_word));
    // At the same time, or a peer that cannot write, and so does not read, would hold up both.
    tokio::select! {
        biased;
        () = &mut finishing => drop(timeout(LINGER_TIME, hearing).await),
        () = &mut hearing => finishing.await,
    }
}

/// When the peer was last heard: the reader hears it, and the writer keeps the time, so that one timer does for both.
struct Heard {
    start: Instant,
    /// Milliseconds after the start.
    last: AtomicU64,
}

impl Default for Heard {
    fn default() -> Self {
        Self { start: Instant::now(), last: AtomicU64::new(0) }
    }
}

impl Heard {
    fn now(&self) {
        let since = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(since, Ordering::Relaxed);
    }

    fn last(&self) -> Instant {
        self.start + Duration::from_millis(self.last.load(Ordering::Relaxed))
    }
}

/// Takes, and throws away, what still comes until the peer closes; see [`LINGER_TIME`].
async fn hear_out<R: AsyncRead + Unpin>(mut stream: R) {
    // On the heap: a future carries its arrays from its first moment.
    let mut unheard = vec![0; 4096];
    while matches!(stream.read(&mut unheard).await, Ok(1..)) {}
}

/// Leaves the rooms, whatever ended the session.
struct Guard<'a> {
    session: super::hub::SessionId,
    context: &'a Context,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.context.hub.lock().leave(self.session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::command::{Command, Hello, Plain};
    use crate::protocol::event::Event;
    use crate::protocol::frame::Frame;
    use crate::protocol::limits::{EVENT_BYTES, HANDSHAKE_TIME};
    use crate::protocol::name::Nick;
    use crate::protocol::proof::Binding;
    use crate::protocol::text::Line;
    use crate::server::Server;
    use crate::server::config::{Config, Limits};
    use crate::server::door::Ask;
    use crate::server::log::Durability;
    use std::time::Duration;
    use tokio::io::{AsyncWriteExt as _, BufWriter};
    use tokio::time::Instant;

    #[tokio::test]
    async fn nothing_stays_with_a_socket_that_keeps_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::bind(Config {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            data: folder.path().to_owned(),
            name: "test".to_owned(),
            tls: None,
            ask: Ask::Nothing,
            guests: true,
            host: None,
            durability: Durability::Process,
            limits: Limits::default(),
        });
        let context = Arc::clone(&server.await.unwrap().context);
        let (near, far) = tokio::io::duplex(1024);
        let (read, write) = tokio::io::split(near);
        let deadline = Instant::now() + HANDSHAKE_TIME;
        let peer = Peer { address: None, from: None, binding: Binding::NONE, deadline };
        // It keeps all that is written, as TLS does while the system takes no more.
        let serving = tokio::spawn(serve(read, BufWriter::new(write), context, peer));
        let (read, mut write) = tokio::io::split(far);
        let mut frames = FrameReader::new(read, EVENT_BYTES);
        let mut heard = async || {
            let json = timeout(Duration::from_secs(60), frames.next()).await.expect("it was kept back");
            Event::decode(&json.unwrap().unwrap()).unwrap()
        };
        assert!(matches!(heard().await, Event::Welcome(_)));
        let hello = Command::Hello(Box::new(Hello {
            protocol: 1,
            nick: Nick::new("alice").unwrap(),
            resume: None,
            proof: None,
            ticket: None,
            identity: None,
            apart: false,
            agent: Line::lossy("test"),
        }));
        write.write_all(&Frame::encode(&hello).into_bytes()).await.unwrap();
        assert!(matches!(heard().await, Event::Ready(_)));
        // A pong within the time in which the server says nothing of its own.
        let ping = Frame::encode(&Command::Ping(Plain::default())).into_bytes();
        write.write_all(&ping).await.unwrap();
        let asked = Instant::now();
        assert!(matches!(heard().await, Event::Pong(_)));
        assert!(asked.elapsed() < crate::protocol::limits::PING_EVERY / 2);
        write.write_all(&Frame::encode(&Command::Bye(Plain::default())).into_bytes()).await.unwrap();
        assert!(matches!(heard().await, Event::Bye(_)));
        drop((write, frames));
        assert_eq!(serving.await.unwrap(), Reason::Quit);
    }
}
