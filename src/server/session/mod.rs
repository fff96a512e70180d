//! One connection, from its first byte to its last.
//!
//! A connection is a cursor over each of its rooms' logs. Two halves run side by side in one task, so that
//! a write that waits never stops the reading: the reader takes commands, the writer moves the
//! cursors. A search runs beside the reader. A session fails alone, and every end has a [`Reason`].

mod aside;
mod changes;
mod company;
mod order;
mod own;
mod reader;
mod search;
mod writer;

use std::future::poll_fn;
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
use aside::Aside;
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
    let mailbox = &entered.mailbox;
    if context.closing.is_cancelled() {
        // Those who were inside by then have been told.
        mailbox.end(Reason::Shutdown, None);
    }
    let heard = Heard::default();
    let aside = Aside::default();
    let mut reader = Reader::new(frames, mailbox, &heard, &aside, &context, entered.session, peer.from);
    let mut writer = Writer::new(write, &entered, &heard, &context);
    let last_word = {
        let (reading, writing) = (pin!(reader.run()), pin!(writer.run()));
        let mut running = pin!(either(reading, writing));
        let running = poll_fn(|cx| {
            aside.poll(cx);
            running.as_mut().poll(cx)
        });
        tokio::select! {
            biased;
            last_word = mailbox.ended() => last_word,
            reason = running => reason.into(),
        }
    };
    aside.give_up();
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

/// Since when nothing was heard: the reader listens, and the writer keeps the time, so that one timer does for both.
#[derive(Debug)]
struct Heard {
    start: Instant,
    /// Milliseconds after the start, or [`Heard::BUSY`].
    since: AtomicU64,
}

impl Default for Heard {
    fn default() -> Self {
        Self { start: Instant::now(), since: AtomicU64::new(0) }
    }
}

impl Heard {
    /// Nobody listens: what was heard is still being carried out.
    const BUSY: u64 = u64::MAX;

    /// The reader listens from now on.
    fn listen(&self) {
        let since = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(0);
        self.since.store(since, Ordering::Relaxed);
    }

    /// The reader has heard something, and does not listen until it is done with it.
    fn heard(&self) {
        self.since.store(Self::BUSY, Ordering::Relaxed);
    }

    /// Since when nothing was heard although somebody listened.
    fn silent_since(&self) -> Instant {
        match self.since.load(Ordering::Relaxed) {
            Self::BUSY => Instant::now(),
            since => self.start + Duration::from_millis(since),
        }
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
    use crate::protocol::command::{Command, Hello, Ping, Plain, RequestId, Search};
    use crate::protocol::event::Event;
    use crate::protocol::frame::Frame;
    use crate::protocol::limits::{DEAD_AFTER, EVENT_BYTES, HANDSHAKE_TIME};
    use crate::protocol::name::Nick;
    use crate::protocol::proof::Binding;
    use crate::protocol::text::Line;
    use crate::server::Server;
    use crate::server::config::{Config, Limits};
    use crate::server::door::Ask;
    use std::time::Duration;
    use tokio::io::{AsyncWriteExt as _, BufWriter};
    use tokio::time::Instant;

    type Near = tokio::io::WriteHalf<tokio::io::DuplexStream>;
    type Far = FrameReader<tokio::io::ReadHalf<tokio::io::DuplexStream>>;

    /// A session over a pipe of 1 KiB, which keeps all that is written, as TLS does while the system takes no more.
    struct Inside {
        serving: tokio::task::JoinHandle<Reason>,
        write: Near,
        frames: Far,
        context: Arc<Context>,
        _folder: tempfile::TempDir,
    }

    impl Inside {
        async fn come(limits: Limits) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let server = Server::bind(Config {
                listen: vec!["127.0.0.1:0".parse().unwrap()],
                tls: None,
                ask: Ask::Nothing,
                limits,
                ..Config::new(folder.path())
            });
            let context = Arc::clone(&server.await.unwrap().context);
            let (near, far) = tokio::io::duplex(1024);
            let (read, write) = tokio::io::split(near);
            let deadline = Instant::now() + HANDSHAKE_TIME;
            let peer = Peer { address: None, from: None, binding: Binding::NONE, deadline };
            let serving =
                tokio::spawn(serve(read, BufWriter::with_capacity(256, write), Arc::clone(&context), peer));
            let (read, write) = tokio::io::split(far);
            let frames = FrameReader::new(read, EVENT_BYTES);
            let mut inside = Self { serving, write, frames, context, _folder: folder };
            assert!(matches!(inside.hears().await, Event::Welcome(_)));
            inside
                .says(&Command::Hello(Box::new(Hello {
                    protocol: 1,
                    nick: Nick::new("alice").unwrap(),
                    resume: None,
                    proof: None,
                    ticket: None,
                    identity: None,
                    apart: false,
                    agent: Line::lossy("test"),
                })))
                .await;
            assert!(matches!(inside.hears().await, Event::Ready(_)));
            inside
        }

        async fn says(&mut self, command: &Command) {
            self.write.write_all(&Frame::encode(command).into_bytes()).await.unwrap();
        }

        async fn hears(&mut self) -> Event {
            let json = timeout(Duration::from_secs(60), self.frames.next()).await.expect("it was kept back");
            Event::decode(&json.unwrap().unwrap()).unwrap()
        }

        async fn quits(mut self) {
            self.says(&Command::Bye(Plain::default())).await;
            while !matches!(self.hears().await, Event::Bye(_)) {}
            drop((self.write, self.frames));
            assert_eq!(self.serving.await.unwrap(), Reason::Quit);
        }
    }

    #[tokio::test]
    async fn nothing_stays_with_a_socket_that_keeps_it_back() {
        let mut alice = Inside::come(Limits::default()).await;
        // A pong within the time in which the server says nothing of its own.
        alice.says(&Command::Ping(Ping::default())).await;
        let asked = Instant::now();
        assert!(matches!(alice.hears().await, Event::Pong(_)));
        assert!(asked.elapsed() < crate::protocol::limits::PING_EVERY / 2);
        alice.quits().await;
    }

    #[tokio::test]
    async fn a_search_holds_up_nothing_but_the_next_one() {
        let mut alice = Inside::come(Limits::default()).await;
        let context = Arc::clone(&alice.context);
        let turns = context.search.hold().await;
        let search = |id: &str| {
            let (id, text) = (RequestId::new(id), Line::lossy("word"));
            Command::Search(Box::new(Search { id, text, limit: 5, ..Search::default() }))
        };
        alice.says(&search("one")).await;
        alice.says(&Command::Ping(Ping::default())).await;
        assert!(matches!(alice.hears().await, Event::Pong(_)));
        alice.says(&search("two")).await;
        alice.says(&Command::Bye(Plain::default())).await;
        drop(turns);
        for id in ["one", "two"] {
            let Event::Found(found) = alice.hears().await else { panic!("{id} was not answered") };
            assert_eq!(found.re, RequestId::new(id));
        }
        assert!(matches!(alice.hears().await, Event::Bye(_)));
    }

    /// What is being looked for is not owed to one whose session somebody else ends.
    #[tokio::test]
    async fn a_search_does_not_keep_a_session_that_is_over() {
        let mut alice = Inside::come(Limits::default()).await;
        let context = Arc::clone(&alice.context);
        let _turns = context.search.hold().await;
        let text = Line::lossy("word");
        alice.says(&Command::Search(Box::new(Search { text, limit: 5, ..Search::default() }))).await;
        alice.says(&Command::Ping(Ping::default())).await;
        assert!(matches!(alice.hears().await, Event::Pong(_)));
        let ended = Instant::now();
        context.hub.lock().close(Reason::Shutdown);
        assert!(matches!(alice.hears().await, Event::Bye(_)));
        assert!(ended.elapsed() < crate::protocol::limits::SEARCH_TIME);
    }

    /// Whom we do not listen to, because it takes so long over its answers, is not taken for silent.
    #[tokio::test(start_paused = true)]
    async fn who_takes_answers_slowly_is_not_silent() {
        const ASKED: usize = 1_000;
        let mut alice = Inside::come(Limits::default().unlimited()).await;
        let pings = Frame::encode(&Command::Ping(Ping::default())).into_bytes().repeat(ASKED);
        let (read, mut write) = (alice.frames, alice.write);
        let asking = tokio::spawn(async move {
            write.write_all(&pings).await.unwrap();
            write
        });
        alice.frames = read;
        let began = Instant::now();
        let mut answers = 0;
        while answers < ASKED {
            // Not to the end: once all is answered we are listened to, and are silent.
            if answers < ASKED - 300 {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            match alice.frames.next().await.unwrap().map(|json| Event::decode(&json).unwrap()) {
                Some(Event::Pong(_)) => answers += 1,
                Some(Event::Ping(_)) => {}
                other => panic!("{other:?} after {answers}"),
            }
        }
        assert!(began.elapsed() > 2 * DEAD_AFTER);
        alice.write = asking.await.unwrap();
        alice.quits().await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_silent_when_it_is_time() {
        let mut alice = Inside::come(Limits::default()).await;
        let began = Instant::now();
        let mut pings = 0;
        let reason = loop {
            match alice.hears().await {
                Event::Ping(_) => pings += 1,
                Event::Bye(bye) => break bye.reason,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!((reason, pings), (Reason::Silent, 2));
        assert!((DEAD_AFTER..DEAD_AFTER + Duration::from_secs(1)).contains(&began.elapsed()));
    }
}
