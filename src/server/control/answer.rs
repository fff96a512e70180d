//! The server's side: one line of JSON for whoever connects.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixListener;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};
use tracing::debug;

use super::{ANSWER_TIME, SOCKET, Status};
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

/// How long it is not listened after an accept that failed, for want of files most likely.
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
                    let (context, running, since) = (Arc::clone(&context), running.clone(), self.since);
                    answering.spawn(answer(caller, move || status(&context, &running, since)));
                }
                Err(error) => {
                    debug!(%error, "nobody can ask for the status for now");
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Looks, and tells it. It looks at files and waits for locks, in a thread that nobody can end: so this goes on as long as
/// that does, and not more than [`AT_ONCE`] such threads hang on a disk that hangs. Who asked has gone by then.
async fn answer(caller: impl AsyncWrite + Unpin, look: impl FnOnce() -> Status + Send + 'static) {
    let Ok(status) = spawn_blocking(look).await else { return };
    match timeout(ANSWER_TIME, tell(caller, &status)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%error, "the status was not taken"),
        Err(_) => debug!("somebody asked for the status, and did not take it"),
    }
}

async fn tell(mut caller: impl AsyncWrite + Unpin, status: &Status) -> io::Result<()> {
    let mut line = serde_json::to_vec(status)?;
    line.push(b'\n');
    caller.write_all(&line).await?;
    caller.shutdown().await
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

/// Bytes of the files in a folder, without those in folders below it. One that goes meanwhile counts nothing.
fn bytes_in(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).filter(fs::Metadata::is_file).map(|file| file.len()).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::io::{AsyncReadExt as _, duplex};
    use tokio::task::yield_now;
    use tokio::time::{Instant, advance};

    use super::*;
    use crate::protocol::event::Stats;

    fn any() -> Status {
        Status {
            name: Line::lossy("lab"),
            version: Line::lossy("0.1.0"),
            pid: 7,
            since: Time::from_millis(0),
            listening: Vec::new(),
            certificate: None,
            passphrase: true,
            guests: true,
            connections_allowed: 5,
            kept_seconds: None,
            disk_bytes: 0,
            last_backup: None,
            stats: Stats::default(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_asks_and_does_not_listen_is_let_go_in_time() {
        // The first byte goes nowhere: nobody reads, and nobody hangs up.
        let (caller, _silent) = duplex(1);
        let asked = Instant::now();
        timeout(ANSWER_TIME * 10, answer(caller, any)).await.expect("it waits for ever");
        assert!(asked.elapsed() >= ANSWER_TIME, "{:?}", asked.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_its_time_keeps_its_place_until_it_is_done() {
        let (caller, mut asking) = duplex(64 * 1024);
        let (release, held) = mpsc::channel();
        let answering = tokio::spawn(answer(caller, move || {
            held.recv().unwrap();
            any()
        }));
        for _ in 0..10 {
            advance(ANSWER_TIME).await;
            yield_now().await;
        }
        assert!(!answering.is_finished(), "its thread goes on, and its place is free");
        release.send(()).unwrap();
        let mut line = Vec::new();
        asking.read_to_end(&mut line).await.unwrap();
        answering.await.unwrap();
        assert_eq!(serde_json::from_slice::<Status>(&line).unwrap(), any());
    }

    #[test]
    fn folders_in_the_folder_are_not_counted() {
        let folder = tempfile::TempDir::new().unwrap();
        fs::write(folder.path().join("a"), [0; 30]).unwrap();
        fs::write(folder.path().join("b"), [0; 12]).unwrap();
        fs::create_dir(folder.path().join("client")).unwrap();
        fs::write(folder.path().join("client/key"), [0; 1000]).unwrap();
        assert_eq!(bytes_in(folder.path()), 42);
    }
}
