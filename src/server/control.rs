//! What whoever owns a parlor's folder can ask the server that runs on it: `parlor status`.
//!
//! A socket of its own in that folder, for its owner alone. It takes no orders: whoever connects gets one line of JSON, and the
//! connection is closed.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::running::NotRunning;
use crate::protocol::event::Stats;
use crate::protocol::proof::Fingerprint;
use crate::protocol::text::Line;
use crate::protocol::time::Time;

#[cfg(unix)]
pub(super) use socket::Control;

/// The name of the socket in the folder.
pub const SOCKET: &str = "control.sock";

/// How things stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// What the parlor is called.
    pub name: Line,
    /// Of the program.
    pub version: Line,
    /// The number of its process.
    pub pid: u32,
    /// When it was started.
    pub since: Time,
    /// Where it listens.
    pub listening: Vec<Line>,
    /// The fingerprint of its certificate; nothing without TLS.
    pub certificate: Option<Fingerprint>,
    /// Whether it has a passphrase.
    pub passphrase: bool,
    /// Whether it lets in those who show no key.
    pub guests: bool,
    /// Connections that there may be at once.
    pub connections_allowed: u64,
    /// For how long what is said is kept, in seconds, where a room has no rule of its own; nothing: for ever.
    pub kept_seconds: Option<u64>,
    /// Bytes of all files in its folder.
    pub disk_bytes: u64,
    /// When the newest backup was made on this machine.
    pub last_backup: Option<Time>,
    /// What is counted.
    pub stats: Stats,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// There is nobody to ask.
    #[error(transparent)]
    NotRunning(#[from] NotRunning),
    /// There is, but not to be reached.
    #[error("a parlor runs on {0}, but cannot be asked: {1}")]
    Unreachable(String, io::Error),
    /// It has no socket.
    #[error("a parlor runs on {0}, but has no {SOCKET} to be asked by: its log says why")]
    NoSocket(String),
    /// It says nothing that is understood.
    #[error(
        "the parlor on {0} gives no answer that is understood: is it of another version than this program?"
    )]
    Unclear(String),
}

/// Asks the server that runs on this folder.
///
/// # Errors
/// When none does, or when it does not answer.
#[cfg(unix)]
pub fn ask(data: &Path) -> Result<Status, AskError> {
    socket::ask(data)
}

/// There are no such sockets here.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub fn ask(data: &Path) -> Result<Status, AskError> {
    super::running::Running::read(data)?;
    Err(AskError::Unreachable(data.display().to_string(), io::ErrorKind::Unsupported.into()))
}

#[cfg(unix)]
mod socket {
    use std::fs;
    use std::io::{self, Read as _};
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
    use std::os::unix::net::UnixStream as Caller;
    use std::path::Path;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use socket2::{Domain, SockAddr, Socket, Type};
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::{UnixListener, UnixStream};
    use tokio::task::{JoinSet, spawn_blocking};
    use tokio::time::{sleep, timeout};
    use tracing::debug;

    use super::{AskError, SOCKET, Status};
    use crate::protocol::text::Line;
    use crate::protocol::time::Time;
    use crate::server::metrics::process::Process;
    use crate::server::running::Running;
    use crate::server::socket::SocketFile;
    use crate::server::{Context, backup};

    /// Answers at once. It is one person who asks, or a program that watches; more wait.
    const AT_ONCE: usize = 8;
    /// Callers that the system holds for us until then.
    const BACKLOG: i32 = 16;
    /// How long one answer may take, there and here: it is a few kilobytes on one machine.
    const ANSWER_TIME: Duration = Duration::from_secs(5);
    /// Bytes of an answer, at most. One with a hundred listeners and all reasons for an end has 10,000.
    const ANSWER_BYTES: u64 = 256 * 1024;
    /// How long a server that starts may have its folder and no socket yet: a large log is opened within it.
    const STARTING_TIME: Duration = Duration::from_secs(2);
    /// How long it is not listened after an accept that failed, for want of files most likely; and not asked again.
    const PAUSE: Duration = Duration::from_millis(100);

    /// The socket, removed when it is dropped.
    #[derive(Debug)]
    pub(in crate::server) struct Control {
        listener: UnixListener,
        _file: SocketFile,
        since: Time,
    }

    impl Control {
        /// Opens it in a folder that is ours: a socket that is there was left by a server that had no time to clean up.
        pub(in crate::server) fn open(data: &Path) -> io::Result<Self> {
            let path = data.join(SOCKET);
            if fs::symlink_metadata(&path).is_ok_and(|found| found.file_type().is_socket()) {
                fs::remove_file(&path)?;
            }
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.bind(&SockAddr::unix(&path)?)?;
            let file = SocketFile::of(path);
            // Nobody can connect before it listens, and so nobody for whom it is not.
            fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600))?;
            socket.listen(BACKLOG)?;
            socket.set_nonblocking(true)?;
            let listener = UnixListener::from_std(OwnedFd::from(socket).into())?;
            Ok(Self { listener, _file: file, since: Time::now() })
        }

        /// Answers until the server closes.
        pub(in crate::server) async fn run(self, context: Arc<Context>, running: Running) {
            let mut answering = JoinSet::new();
            loop {
                let accepted = tokio::select! {
                    () = context.closing.cancelled() => return,
                    Some(_) = answering.join_next() => continue,
                    accepted = self.listener.accept(), if answering.len() < AT_ONCE => accepted,
                };
                match accepted {
                    Ok((caller, _)) => {
                        let asked = (Arc::clone(&context), running.clone(), self.since);
                        answering.spawn(async move {
                            let (context, running, since) = asked;
                            if timeout(ANSWER_TIME, answer(caller, context, running, since)).await.is_err() {
                                debug!("somebody asked for the status, and did not take it");
                            }
                        });
                    }
                    Err(error) => {
                        debug!(%error, "nobody can ask for the status for now");
                        sleep(PAUSE).await;
                    }
                }
            }
        }
    }

    async fn answer(mut caller: UnixStream, context: Arc<Context>, running: Running, since: Time) {
        // It looks at files and waits for locks.
        let Ok(status) = spawn_blocking(move || status(&context, &running, since)).await else { return };
        let said = async {
            let mut line = serde_json::to_vec(&status)?;
            line.push(b'\n');
            caller.write_all(&line).await?;
            caller.shutdown().await
        };
        if let Err(error) = said.await {
            debug!(%error, "the status was not taken");
        }
    }

    fn status(context: &Context, running: &Running, since: Time) -> Status {
        let live = context.live.borrow().clone();
        Status {
            name: Line::lossy(&context.name),
            version: Line::lossy(env!("CARGO_PKG_VERSION")),
            pid: std::process::id(),
            since,
            listening: running.listening.iter().map(|address| Line::lossy(address)).collect(),
            // It may be another one by now.
            certificate: context.tls.as_ref().map(|tls| tls.served().fingerprint),
            passphrase: !context.door.is_open(),
            guests: context.guests,
            connections_allowed: live.limits.connections as u64,
            kept_seconds: context.retention.setting().keep.map(|keep| keep.as_secs()),
            disk_bytes: bytes_in(&context.data),
            last_backup: backup::last(&context.data),
            stats: context.stats(Process::read()),
        }
    }

    /// Bytes of the files in a folder. One that goes meanwhile counts nothing.
    fn bytes_in(folder: &Path) -> u64 {
        let files = fs::read_dir(folder).into_iter().flatten().flatten();
        files
            .filter_map(|file| file.metadata().ok())
            .filter(fs::Metadata::is_file)
            .map(|file| file.len())
            .sum()
    }

    pub(super) fn ask(data: &Path) -> Result<Status, AskError> {
        let folder = data.display().to_string();
        let path = data.join(SOCKET);
        let asked = Instant::now();
        loop {
            Running::read(data)?;
            let error = match hear(&path) {
                Ok(heard) => return serde_json::from_slice(&heard).map_err(|_| AskError::Unclear(folder)),
                Err(error) => error,
            };
            match error.kind() {
                // One that is just starting has the folder already, and has not opened its socket yet.
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                    if asked.elapsed() < STARTING_TIME =>
                {
                    std::thread::sleep(PAUSE);
                }
                // The latter: its path is too long for a socket.
                io::ErrorKind::NotFound | io::ErrorKind::InvalidInput => {
                    return Err(AskError::NoSocket(folder));
                }
                _ => return Err(AskError::Unreachable(folder, error)),
            }
        }
    }

    /// All that is said to whoever connects.
    fn hear(path: &Path) -> io::Result<Vec<u8>> {
        let caller = Caller::connect(path)?;
        caller.set_read_timeout(Some(ANSWER_TIME))?;
        let mut heard = Vec::new();
        caller.take(ANSWER_BYTES).read_to_end(&mut heard)?;
        Ok(heard)
    }
}
