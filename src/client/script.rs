//! What the commands for scripts have in common: their output, their notices, and when to end.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::link::{Config, Update};
use crate::protocol::event::Event;
use crate::protocol::name::Nick;

/// How a command for scripts ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Exit code 0.
    Done,
    /// Exit code 1. Standard error says why.
    Failed,
}

/// Bytes of output that are gathered before they are written, while more is waiting.
const OUTPUT_BYTES: usize = 64 * 1024;

/// Time that a reader of our output gets to take the rest, once we were asked to end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Says one sentence on standard error.
pub fn notice(sentence: impl Display) {
    // With standard error closed there is nobody to tell.
    drop(writeln!(io::stderr(), "parlor: {sentence}"));
}

/// Says on standard error how the connection is, in calm sentences and each once.
#[derive(Debug)]
pub struct Weather {
    timeout: Duration,
    /// What we would be called.
    wished: Nick,
    /// What was said last, while it is bad.
    last: Option<String>,
}

impl Weather {
    /// For a command with this link.
    pub fn new(config: &Config) -> Self {
        let timeout = config.give_up_after.unwrap_or_default();
        Self { timeout, wished: config.nick.clone(), last: None }
    }

    /// Tells what an update says of the connection, if it says anything.
    pub fn tell(&mut self, update: &Update) {
        let patience = self.timeout.as_secs();
        match update {
            Update::Offline { why, .. } => self.bad(format!("{why} (trying again, for up to {patience} s)")),
            Update::Held { failure, .. } => {
                self.bad(format!("{failure} (kept, and trying again, for up to {patience} s)"));
            }
            Update::Event(Event::Delayed(delayed), _) => notice(&delayed.message),
            Update::Online { new_log, ready, news, .. } => {
                if let Some(news) = news {
                    notice(news);
                }
                let nick = &ready.you.nick;
                if *nick != self.wished {
                    notice(format!("{} is taken: you are {nick}", self.wished));
                    self.wished = nick.clone();
                }
                if self.last.take().is_some() {
                    notice("connected again");
                }
                if *new_log {
                    notice(
                        "this is not the log that was here before: what it holds comes from its beginning",
                    );
                }
            }
            _ => {}
        }
    }

    fn bad(&mut self, sentence: String) {
        if self.last.as_ref() != Some(&sentence) {
            notice(&sentence);
            self.last = Some(sentence);
        }
    }
}

/// Waits until whoever reads our standard output has gone, as `head` does; for ever where that cannot be
/// told, as with a file. Without it, a command that has nothing to print would never find out.
pub async fn reader_gone() {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd as _;
        use tokio::io::Interest;
        use tokio::net::unix::pipe::Sender;
        // Unchecked, which leaves the pipe blocking as it is: it is only watched here, and written elsewhere.
        let watched = io::stdout().as_fd().try_clone_to_owned().and_then(Sender::from_owned_fd_unchecked);
        if let Ok(watched) = watched
            && watched.ready(Interest::ERROR).await.is_ok()
        {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// Standard output: gathers lines, and writes them when nothing more is waiting.
#[derive(Debug)]
pub struct Output<W> {
    out: W,
    gathered: Vec<u8>,
    closed: bool,
    ending: CancellationToken,
}

/// Why there is no more output.
#[derive(Debug)]
pub enum OutputError {
    /// Whoever read it has gone, as `head` does: no fault.
    Closed,
    /// We were asked to end while nobody took it.
    Interrupted,
    /// Anything else.
    Io(io::Error),
}

impl<W: AsyncWrite + Unpin> Output<W> {
    /// Writes to `out`; soon after `ending` is cancelled it waits for no one any more.
    pub fn new(out: W, ending: CancellationToken) -> Self {
        Self { out, gathered: Vec::new(), closed: false, ending }
    }

    /// One line more; written when a lot has gathered.
    ///
    /// # Errors
    /// See [`OutputError`].
    pub async fn line(&mut self, line: &str) -> Result<(), OutputError> {
        self.gathered.extend_from_slice(line.as_bytes());
        self.gathered.push(b'\n');
        if self.gathered.len() >= OUTPUT_BYTES { self.flush().await } else { Ok(()) }
    }

    /// Some text that is not the end of a line.
    ///
    /// # Errors
    /// See [`OutputError`].
    pub async fn text(&mut self, text: &str) -> Result<(), OutputError> {
        self.gathered.extend_from_slice(text.as_bytes());
        if self.gathered.len() >= OUTPUT_BYTES { self.flush().await } else { Ok(()) }
    }

    /// From now on everything is thrown away: nobody reads it.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Writes all that was gathered.
    ///
    /// # Errors
    /// See [`OutputError`].
    pub async fn flush(&mut self) -> Result<(), OutputError> {
        if self.gathered.is_empty() || self.closed {
            self.gathered.clear();
            return Ok(());
        }
        let write = async {
            self.out.write_all(&self.gathered).await?;
            self.out.flush().await
        };
        let written = tokio::select! {
            written = write => written,
            () = async { self.ending.cancelled().await; sleep(LAST_WORDS).await } => {
                return Err(OutputError::Interrupted);
            }
        };
        self.gathered.clear();
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => OutputError::Closed,
            _ => OutputError::Io(error),
        })
    }
}

impl OutputError {
    /// How a command ends over this.
    pub fn end(self) -> End {
        match self {
            Self::Closed | Self::Interrupted => End::Done,
            Self::Io(error) => {
                notice(format!("cannot write to standard output: {error}"));
                End::Failed
            }
        }
    }
}
