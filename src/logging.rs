//! The host's log, written by a thread of its own: a terminal that was stopped, a pipe that nobody reads and a disk
//! that is full hold up nobody but the log.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;

/// Lines that wait for being written, at most: some hundred kilobytes. Further ones are counted and left out.
const WAITING: usize = 1024;
/// How long the end of the program waits for the last lines.
const LAST_LINES: Duration = Duration::from_secs(1);

enum Order {
    Line(Vec<u8>),
    /// Tell whoever waits that all before this was written.
    Tell(Sender<()>),
}

/// What the threads of the program write to. It never waits, and never fails.
#[derive(Clone)]
struct Lines {
    orders: Sender<Order>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    waiting: AtomicUsize,
    lost: AtomicUsize,
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let waiting = self.counts.waiting.fetch_add(1, Ordering::Relaxed);
        if waiting >= WAITING || self.orders.send(Order::Line(line.to_vec())).is_err() {
            self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log. Dropped, it waits until the last lines are written, but not for long.
pub(crate) struct Log(Lines);

impl Log {
    /// A way into it, for what is more than a line: each write comes in one piece.
    pub(crate) fn lines(&self) -> impl Write + Send + 'static {
        self.0.clone()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let (told, done) = channel();
        if self.0.orders.send(Order::Tell(told)).is_ok() {
            // Either it is written, or nobody takes it.
            let _ended = done.recv_timeout(LAST_LINES);
        }
    }
}

/// Starts logging to `out`.
///
/// # Errors
/// When there is no thread for it.
pub(crate) fn start(format: LogFormat, out: impl Write + Send + 'static) -> anyhow::Result<Log> {
    let (orders, taken) = channel();
    let lines = Lines { orders, counts: Arc::default() };
    let counts = Arc::clone(&lines.counts);
    let writing = move || write(&taken, out, &counts);
    thread::Builder::new().name("host's log".to_owned()).spawn(writing).context("cannot write a log")?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let to = lines.clone();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || to.clone());
    match format {
        LogFormat::Text => builder.with_ansi(false).init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(Log(lines))
}

fn write(orders: &Receiver<Order>, mut out: impl Write, counts: &Counts) {
    while let Ok(order) = orders.recv() {
        match order {
            Order::Line(line) => {
                counts.waiting.fetch_sub(1, Ordering::Relaxed);
                if out.write_all(&line).and_then(|()| out.flush()).is_err() {
                    counts.lost.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                // Not before what waits was taken, or what is said of lost lines would be lost, and said again, for ever.
                if counts.waiting.load(Ordering::Relaxed) > 0 {
                    continue;
                }
                let lost = counts.lost.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    tracing::warn!(lines = lost, "nobody took the log for a while: some of it is lost");
                }
            }
            Order::Tell(told) => drop(told.send(())),
        }
    }
}
