//! Whoever asks: the file says that a server runs, its socket says how it stands.

use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket, Type};

use super::{ANSWER_TIME, AskError, SOCKET, Status};
use crate::server::running::{NotRunning, Running};

/// Bytes of an answer, at most. One with a hundred listeners and all reasons for an end has 10,000.
const ANSWER_BYTES: usize = 256 * 1024;

/// Bytes that are taken at once: most answers.
const PIECE: usize = 16 * 1024;

/// How long a server that starts may have its folder and no socket yet: a large log is opened within it.
const STARTING_TIME: Duration = Duration::from_secs(2);

/// How long such a one is not asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// Asks the server that runs on this folder. Takes no longer than a server may need to start, and then to answer.
pub(super) fn ask(data: &Path) -> Result<Status, AskError> {
    let folder = || data.display().to_string();
    let path = data.join(SOCKET);
    let asked = Instant::now();
    loop {
        Running::read(data).map_err(|error| not_running(folder(), error))?;
        let error = match hear(&path, ANSWER_TIME) {
            Ok(heard) => return serde_json::from_slice(&heard).map_err(|_| AskError::Unclear(folder())),
            Err(error) => error,
        };
        match error.kind() {
            // One that is just starting has the folder already, and has not opened its socket yet.
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused if asked.elapsed() < STARTING_TIME => {
                thread::sleep(PAUSE);
            }
            _ => return Err(unheard(folder(), error)),
        }
    }
}

/// Who may not look into the folder does not learn whether a server runs there.
fn not_running(folder: String, error: NotRunning) -> AskError {
    match error {
        NotRunning::File(_, error) if error.kind() == io::ErrorKind::PermissionDenied => {
            AskError::NotOurs(folder)
        }
        error => error.into(),
    }
}

/// Why nothing was heard, for people.
fn unheard(folder: String, error: io::Error) -> AskError {
    match error.kind() {
        // The latter: its path is too long for a socket.
        io::ErrorKind::NotFound | io::ErrorKind::InvalidInput => AskError::NoSocket(folder),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => AskError::Slow(folder),
        io::ErrorKind::PermissionDenied => AskError::NotOurs(folder),
        _ => AskError::Unreachable(folder, error),
    }
}

/// All that is said to whoever connects, within `time`.
fn hear(path: &Path, time: Duration) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + time;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // For connecting too: where nobody accepts and others wait already, the system lets us wait with them.
    socket.set_write_timeout(Some(time))?;
    socket.connect(&SockAddr::unix(path)?)?;
    let mut caller = UnixStream::from(OwnedFd::from(socket));
    let (mut heard, mut piece) = (Vec::new(), [0; PIECE]);
    while heard.len() < ANSWER_BYTES {
        // For what is left: a server that says a byte now and then does not hold us up either.
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        caller.set_read_timeout(Some(left))?;
        match caller.read(&mut piece) {
            Ok(0) => break,
            Ok(bytes) => heard.extend(piece.iter().take(bytes)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(heard)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::net::UnixListener;
    use std::sync::mpsc;

    use tempfile::TempDir;

    use super::*;

    /// Short, for a test that waits for it in earnest: the time is the system's own.
    const TIME: Duration = Duration::from_millis(200);

    /// So long nobody may take who has `TIME`: between this and for ever is only a machine that is slow.
    const TOO_LONG: Duration = Duration::from_secs(20);

    /// What asking comes to, in a thread of its own: one that hangs fails, and does not hang the test.
    fn heard(path: &Path) -> io::Result<Vec<u8>> {
        let (told, answer) = mpsc::channel();
        let path = path.to_owned();
        thread::spawn(move || told.send(hear(&path, TIME)));
        answer.recv_timeout(TOO_LONG).expect("asking takes for ever")
    }

    /// Whether that is told as an answer that takes too long.
    fn waits(error: io::Error) -> bool {
        matches!(unheard("lab".to_owned(), error), AskError::Slow(_))
    }

    #[test]
    fn whoever_asks_a_server_that_is_stopped_does_not_wait_for_ever() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(SOCKET);
        // It accepts nobody. One may wait, who is connected and hears nothing; the next cannot even connect.
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        socket.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        socket.listen(0).unwrap();
        assert!(waits(heard(&path).unwrap_err()), "connected, and told nothing");
        if cfg!(target_os = "linux") {
            assert!(waits(heard(&path).unwrap_err()), "not even connected");
        }
    }

    #[test]
    fn whoever_is_told_a_byte_now_and_then_does_not_wait_for_ever() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(SOCKET);
        let listener = UnixListener::bind(&path).unwrap();
        // Always in time for one read, until nobody listens any more.
        thread::spawn(move || {
            let (mut caller, _) = listener.accept().unwrap();
            while caller.write_all(b" ").is_ok() {
                thread::sleep(TIME / 10);
            }
        });
        assert!(waits(heard(&path).unwrap_err()));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_do() {
        let folder = || "/srv/lab".to_owned();
        for (error, sentence) in [
            (
                unheard(folder(), io::ErrorKind::WouldBlock.into()),
                "the parlor on /srv/lab runs and does not answer within 5 s: its log may say why; start it again",
            ),
            (
                unheard(folder(), io::ErrorKind::PermissionDenied.into()),
                "the parlor on /srv/lab tells its owner alone how it stands: ask as its owner",
            ),
            (
                not_running(folder(), NotRunning::File(folder(), io::ErrorKind::PermissionDenied.into())),
                "the parlor on /srv/lab tells its owner alone how it stands: ask as its owner",
            ),
        ] {
            assert_eq!(error.to_string(), sentence);
        }
    }
}
