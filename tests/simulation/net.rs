//! A network in memory, in the time of the runtime: each direction of a connection is a pipe with a delay, a rate and a
//! window, and can be cut, held up for a while, or be silent for ever; or the client loses it, and the server gets what is on
//! its way late. What chance decides comes from `fastrand`, which a run has seeded.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, Sleep};

/// How good a line is.
#[derive(Clone, Copy, Debug)]
pub struct Quality {
    /// Milliseconds that a byte is on its way, at least.
    pub delay: u64,
    /// And so many more at most, by chance.
    pub jitter: u64,
    /// Bytes a second; 0: no limit.
    pub rate: u64,
    /// Bytes that may be on their way, or wait to be read.
    pub window: usize,
}

impl Quality {
    fn travel(&self, bytes: usize) -> (Duration, Duration) {
        let delay = Duration::from_millis(self.delay + fastrand::u64(0..=self.jitter));
        let micros = (bytes as u64 * 1_000_000).checked_div(self.rate).unwrap_or(0);
        (delay, Duration::from_micros(micros))
    }
}

/// How a direction ends, for the one who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// In order, after all that was sent.
    Closed,
    /// By an error, before what was still on its way.
    Reset,
}

/// Is shown what was written to where nobody is.
pub type Eavesdropper = Box<dyn Fn(&[u8]) + Send>;

/// One direction.
struct Pipe {
    quality: Quality,
    /// What is on its way, and when it arrives.
    chunks: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
    /// When the last of it arrives, and the end, if that was sent.
    last: Instant,
    end: Option<End>,
    /// Nothing arrives, and nobody notices.
    held: bool,
    /// From when on the writer knows that nobody reads any more.
    unread: Option<Instant>,
    eavesdropper: Option<Eavesdropper>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    fn new(quality: Quality) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            quality,
            chunks: VecDeque::new(),
            bytes: 0,
            last: Instant::now(),
            end: None,
            held: false,
            unread: None,
            eavesdropper: None,
            reader: None,
            writer: None,
        }))
    }

    fn wake(&mut self) {
        self.reader.take().into_iter().chain(self.writer.take()).for_each(Waker::wake);
    }

    fn push(&mut self, bytes: &[u8]) {
        let (delay, takes) = self.quality.travel(bytes.len());
        // In order: what was sent later does not arrive earlier.
        self.last = self.last.max(Instant::now() + delay) + takes;
        self.chunks.push_back((self.last, bytes.to_vec()));
        self.bytes += bytes.len();
        self.reader.take().into_iter().for_each(Waker::wake);
    }

    /// The writer is done.
    fn close(&mut self) {
        if self.end.is_none() {
            let (delay, _) = self.quality.travel(0);
            self.last = self.last.max(Instant::now() + delay);
            self.end(End::Closed);
        }
    }

    fn end(&mut self, end: End) {
        if self.end == Some(End::Reset) {
            return;
        }
        if end == End::Reset {
            (self.bytes, self.last) = (0, Instant::now());
            self.chunks.clear();
        }
        self.end = Some(end);
        self.wake();
    }
}

/// A connection, for those who make trouble on its way.
#[derive(Clone)]
pub struct Line {
    up: Arc<Mutex<Pipe>>,
    down: Arc<Mutex<Pipe>>,
}

fn lock(pipe: &Mutex<Pipe>) -> MutexGuard<'_, Pipe> {
    pipe.lock().unwrap()
}

impl Line {
    /// Both ends hear that it is over. What was on its way is lost.
    pub fn cut(&self) {
        [&self.up, &self.down].into_iter().for_each(|pipe| lock(pipe).end(End::Reset));
    }

    /// Nothing arrives at either end until it is let go on.
    pub fn hold(&self, held: bool) {
        for pipe in [&self.up, &self.down] {
            let mut pipe = lock(pipe);
            pipe.held = held;
            pipe.wake();
        }
    }

    /// What the client says is stuck on its way, until it loses the line.
    pub fn stick(&self) {
        lock(&self.up).held = true;
    }

    /// The client hears that it is over. The server does not, before all that is on its way to it has arrived, which takes
    /// so much longer. Gives what that is; nothing if the line was over already.
    pub fn lose(&self, delay: Duration) -> Option<Vec<u8>> {
        let mut up = lock(&self.up);
        up.held = false;
        up.wake();
        if up.end.is_some() {
            return None;
        }
        up.last = up.last.max(Instant::now()) + delay;
        // Each as much later as the end: answers to what was stuck before the line was lost are still overheard.
        up.chunks.iter_mut().for_each(|(arrival, _)| *arrival += delay);
        up.end = Some(End::Closed);
        let mut down = lock(&self.down);
        down.end(End::Reset);
        down.unread = Some(up.last);
        Some(up.chunks.iter().flat_map(|(_, chunk)| chunk).copied().collect())
    }

    /// What the server says on a line that the client has lost is shown to this one.
    pub fn overhear(&self, eavesdropper: Eavesdropper) {
        lock(&self.down).eavesdropper = Some(eavesdropper);
    }

    /// The server is dead: what it sent before ends so for the client, and nothing that it does is ever seen.
    pub fn orphan(&self, end: End) {
        lock(&self.down).end(end);
        lock(&self.up).end(End::Reset);
    }

    /// Whether it is the same one.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.up, &other.up)
    }

    /// Whether the client still says and hears something by it.
    pub fn is_used(&self) -> bool {
        lock(&self.up).end.is_none() && lock(&self.down).unread.is_none()
    }

    /// Whether both ends have let go of it.
    pub fn is_over(&self) -> bool {
        [&self.up, &self.down].into_iter().all(|pipe| lock(pipe).unread.is_some())
    }
}

/// One end of a connection.
pub struct Stream {
    reads: Arc<Mutex<Pipe>>,
    writes: Arc<Mutex<Pipe>>,
    arrival: Pin<Box<Sleep>>,
    /// Called before each reading and writing, if anyone wants to know.
    before: Option<Arc<dyn Fn() + Send + Sync>>,
}

/// A connection: the client's end, the server's, and what lies between.
pub fn connect(quality: Quality, before_io: Arc<dyn Fn() + Send + Sync>) -> (Stream, Stream, Line) {
    let (up, down) = (Pipe::new(quality), Pipe::new(quality));
    let end = |reads: &Arc<Mutex<Pipe>>, writes: &Arc<Mutex<Pipe>>, before| Stream {
        reads: Arc::clone(reads),
        writes: Arc::clone(writes),
        arrival: Box::pin(tokio::time::sleep(Duration::ZERO)),
        before,
    };
    let (client, server) = (end(&down, &up, None), end(&up, &down, Some(before_io)));
    (client, server, Line { up, down })
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.before.iter().for_each(|before| before());
        loop {
            let mut pipe = lock(&this.reads);
            pipe.reader = Some(cx.waker().clone());
            if pipe.end == Some(End::Reset) {
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            let arrival = match (pipe.chunks.front(), pipe.end) {
                (None, None) => return Poll::Pending,
                _ if pipe.held => return Poll::Pending,
                (Some((arrival, _)), _) => *arrival,
                (None, Some(_)) => pipe.last,
            };
            if arrival > Instant::now() {
                drop(pipe);
                this.arrival.as_mut().reset(arrival);
                ready!(this.arrival.as_mut().poll(cx));
                continue;
            }
            // One that has ended in order gives nothing more, which says so.
            if let Some((_, mut chunk)) = pipe.chunks.pop_front() {
                let count = chunk.len().min(buf.remaining());
                buf.put_slice(&chunk[..count]);
                pipe.bytes -= count;
                if count < chunk.len() {
                    chunk.drain(..count);
                    pipe.chunks.push_front((arrival, chunk));
                }
                pipe.writer.take().into_iter().for_each(Waker::wake);
            }
            return Poll::Ready(Ok(()));
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.before.iter().for_each(|before| before());
        let mut pipe = lock(&self.writes);
        let is_over = match pipe.unread {
            // Of an end that is not its own, the writer learns when it learns that nobody reads.
            Some(since) => since <= Instant::now() || pipe.end == Some(End::Closed),
            None => pipe.end.is_some(),
        };
        if is_over {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if pipe.unread.is_some() {
            // On its way to where nobody is.
            pipe.eavesdropper.iter().for_each(|eavesdropper| eavesdropper(bytes));
            return Poll::Ready(Ok(bytes.len()));
        }
        let count = bytes.len().min(pipe.quality.window - pipe.bytes);
        if count == 0 {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        pipe.push(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut bytes = Vec::new();
        slices.iter().for_each(|slice| bytes.extend_from_slice(slice));
        self.poll_write(cx, &bytes)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        lock(&self.writes).close();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        lock(&self.writes).close();
        let mut pipe = lock(&self.reads);
        let (delay, _) = pipe.quality.travel(0);
        // The writer of a line that was lost learns of it later.
        pipe.unread = pipe.unread.max(Some(Instant::now() + delay));
        pipe.wake();
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_on_its_way_on_a_lost_line_arrives_late() {
    let quality = Quality { delay: 10, jitter: 0, rate: 0, window: 1_000 };
    let (mut client, mut server, line) = connect(quality, Arc::new(|| ()));
    let overheard = Arc::new(Mutex::new(Vec::new()));
    client.write_all(b"before").await.unwrap();
    let mut said = [0; 6];
    server.read_exact(&mut said).await.unwrap();
    line.stick();
    client.write_all(b"stuck").await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let lost = Instant::now();
    assert_eq!(line.lose(Duration::from_secs(3)).as_deref(), Some(&b"stuck"[..]));
    assert_eq!(line.lose(Duration::ZERO), None, "it is lost once");
    let heard = Arc::clone(&overheard);
    line.overhear(Box::new(move |bytes| heard.lock().unwrap().extend_from_slice(bytes)));
    // At once for the client, and nobody tells the server.
    assert_eq!(client.read_u8().await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(client.write_all(b"more").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    drop(client);
    server.write_all(b"to nobody").await.unwrap();
    assert_eq!(lost.elapsed(), Duration::ZERO);
    let mut late = String::new();
    server.read_to_string(&mut late).await.unwrap();
    assert_eq!((late.as_str(), lost.elapsed().as_secs()), ("stuck", 3));
    assert_eq!(server.write_all(b"more").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(*overheard.lock().unwrap(), b"to nobody");
}
