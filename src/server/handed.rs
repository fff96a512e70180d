//! Listeners that somebody else has opened for us: a service manager, before it started us (systemd.socket(5)). So a port is
//! open before we are, and stays open while we are started again; and who may open it need not be who serves.

use std::io;
use std::net::TcpListener;
#[cfg(unix)]
use std::os::unix::net::UnixListener;

use thiserror::Error;

/// One such listener.
#[derive(Debug)]
pub enum Handed {
    /// TCP, on IPv4 or IPv6.
    Tcp(TcpListener),
    /// A Unix socket, whose name in the file system is for its maker to remove.
    #[cfg(unix)]
    Unix(UnixListener),
}

/// Something that was handed over and that nobody can listen at.
#[derive(Debug, Error)]
#[error("socket {number} of those that were handed over cannot be used: {remedy}")]
pub struct HandedError {
    /// Its place, from 1.
    number: usize,
    /// Why, and what to do.
    remedy: String,
}

/// Takes all listeners that were handed over to this process. It takes them out of the environment, so that no program that
/// is started from here takes them for its own, and therefore MUST be called before there are other threads.
///
/// # Errors
/// When one of them is no listener for a stream of bytes.
#[cfg(unix)]
pub fn take() -> Result<Vec<Handed>, HandedError> {
    let mut sockets = listenfd::ListenFd::from_env();
    let mut listeners = Vec::new();
    for place in 0..sockets.len() {
        let wrong = |remedy: String| HandedError { number: place + 1, remedy };
        let taken = match sockets.take_unix_listener(place) {
            Ok(unix) => unix.map(Handed::Unix),
            // Or it is of the other kind.
            Err(_) => {
                sockets.take_tcp_listener(place).map_err(|error| wrong(error.to_string()))?.map(Handed::Tcp)
            }
        };
        if let Some(listener) = taken {
            if listener.is_connection() {
                return Err(wrong(
                    "it is one connection and no listener. Say Accept=no in the socket unit".to_owned(),
                ));
            }
            listeners.push(listener);
        }
    }
    Ok(listeners)
}

/// There is nobody who could hand any over.
#[cfg(not(unix))]
pub fn take() -> Result<Vec<Handed>, HandedError> {
    Ok(Vec::new())
}

impl Handed {
    /// Whether somebody is at its other end already.
    #[cfg(unix)]
    fn is_connection(&self) -> bool {
        let socket = match self {
            Self::Tcp(listener) => socket2::SockRef::from(listener),
            Self::Unix(listener) => socket2::SockRef::from(listener),
        };
        socket.peer_addr().is_ok()
    }

    /// Waiting at it is for the runtime.
    pub(super) fn set_nonblocking(&self) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => listener.set_nonblocking(true),
            #[cfg(unix)]
            Self::Unix(listener) => listener.set_nonblocking(true),
        }
    }
}
