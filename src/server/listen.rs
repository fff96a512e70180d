//! Connections that come to a server: over TCP on IPv4 and IPv6, and through Unix sockets.
//!
//! Accepting MUST survive whatever a single connection, or the lack of files, makes of it.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_rustls::server::TlsStream;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span, debug, info_span, warn};

use super::bind::ListenError;
use super::block::block_of;
use super::gate::Stream;
use super::handed::Handed;
use super::handshake::{self, Peer};
#[cfg(unix)]
use super::socket::SocketFile;
use super::tls::Served;
use super::{Context, session};
use crate::protocol::address::Address;
use crate::protocol::event::{ErrorCode, Failure, Reason};
use crate::protocol::limits::HANDSHAKE_TIME;
use crate::protocol::proof::Binding;
use crate::resolve::with_zone;

/// The first pause after an accept that failed for want of something; each further one doubles it.
const PAUSE_FIRST: Duration = Duration::from_millis(1);
/// The longest. By then somebody may have left.
const PAUSE_LONGEST: Duration = Duration::from_millis(64);

/// One open listener.
#[derive(Debug)]
pub enum Listener {
    /// TCP, on IPv4 or IPv6.
    Tcp(TcpListener),
    /// A Unix socket, removed when it is dropped, unless another has made it.
    #[cfg(unix)]
    Unix(UnixListener, Option<SocketFile>),
}

impl Listener {
    /// Listens at what is open already. MUST be called within a runtime.
    ///
    /// # Errors
    /// When the system does not let us wait at it.
    pub(super) fn adopt(handed: Handed) -> Result<Self, ListenError> {
        let adopted = handed.set_nonblocking().and_then(|()| {
            Ok(match handed {
                Handed::Tcp(listener) => Self::Tcp(TcpListener::from_std(listener)?),
                #[cfg(unix)]
                Handed::Unix(listener) => Self::Unix(UnixListener::from_std(listener)?, None),
            })
        });
        adopted.map_err(|error| ListenError {
            address: Address::Tcp { host: "?".to_owned(), port: 0 },
            remedy: format!("it was handed over, and cannot be used: {error}"),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> Address {
        match self {
            Self::Tcp(listener) => {
                listener.local_addr().map_or(Address::Tcp { host: "?".to_owned(), port: 0 }, |address| {
                    Address::Tcp { host: with_zone(&address), port: address.port() }
                })
            }
            #[cfg(unix)]
            Self::Unix(listener, _) => {
                let path = listener.local_addr().ok().and_then(|own| Some(own.as_pathname()?.to_owned()));
                // Only one that was handed over can have no name in the file system.
                Address::Unix(path.unwrap_or_else(|| PathBuf::from("?")))
            }
        }
    }

    /// The addresses and the port of TCP. One that was handed over may be for both families.
    pub(super) fn sockets(&self) -> Vec<SocketAddr> {
        match self {
            Self::Tcp(listener) => {
                let own = listener.local_addr().ok();
                let is_both = own.is_some_and(|own| own.is_ipv6() && own.ip().is_unspecified())
                    && SockRef::from(listener).only_v6().is_ok_and(|only| !only);
                let v4 = own.filter(|_| is_both).map(|own| (Ipv4Addr::UNSPECIFIED, own.port()).into());
                own.into_iter().chain(v4).collect()
            }
            #[cfg(unix)]
            Self::Unix(..) => Vec::new(),
        }
    }

    /// Whether only this machine can reach it.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(listener) => listener.local_addr().is_ok_and(|address| address.ip().is_loopback()),
            #[cfg(unix)]
            Self::Unix(..) => true,
        }
    }

    /// Accepts until the server closes.
    pub(super) async fn run(self, context: Arc<Context>, doors: Arc<Doors>, sessions: TaskTracker) {
        let mut pause = PAUSE_FIRST;
        loop {
            let accepted = tokio::select! {
                () = context.closing.cancelled() => return,
                accepted = self.accept() => accepted,
            };
            match accepted {
                Ok(socket) => {
                    pause = PAUSE_FIRST;
                    context.metrics.connected();
                    admit(socket, &context, &doors, &sessions);
                }
                Err(error) if is_the_peers(&error) => debug!(%error, "gone before it was accepted"),
                Err(error) => {
                    // No files left, most likely: those who are here stay, new ones wait in the backlog.
                    if pause == PAUSE_FIRST {
                        warn!(%error, "cannot accept connections for now; is the limit of open files too low?");
                    }
                    sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_LONGEST);
                }
            }
        }
    }

    async fn accept(&self) -> io::Result<Socket> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok(Socket::Tcp(stream, peer))
            }
            #[cfg(unix)]
            Self::Unix(listener, _) => Ok(Socket::Unix(listener.accept().await?.0)),
        }
    }
}

/// An error that concerns the one connection only.
fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

/// A connection to serve.
pub(super) enum Socket {
    /// TCP, and from where.
    Tcp(TcpStream, SocketAddr),
    #[cfg(unix)]
    /// From this machine.
    Unix(UnixStream),
    /// From [`Gate::admit`](super::gate::Gate::admit), with what counts as its address.
    Other(Box<dyn Stream>, Option<IpAddr>),
}

/// Counts who is connected, in all and from each address.
#[derive(Debug)]
pub struct Doors {
    open: Mutex<Open>,
    /// Places for those who are told that there is none.
    turning_away: Arc<Semaphore>,
    /// Numbers the connections in the host's log.
    next: AtomicU64,
}

#[derive(Debug, Default)]
struct Open {
    /// How many there may be in all.
    connections: usize,
    /// How many from one address.
    per_address: usize,
    all: usize,
    from: HashMap<IpAddr, usize>,
}

/// A connection that was counted; uncounted when dropped.
struct Pass {
    doors: Arc<Doors>,
    from: Option<IpAddr>,
}

impl Doors {
    /// Doors for so many in all, and so many from each address.
    pub fn new(connections: usize, per_address: usize) -> Self {
        Self {
            open: Mutex::new(Open { connections, per_address, ..Open::default() }),
            turning_away: Arc::new(Semaphore::new(TURNED_AWAY)),
            next: AtomicU64::new(1),
        }
    }

    /// From now on so many in all, and so many from each address. Those who are here stay.
    pub(super) fn set(&self, connections: usize, per_address: usize) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        (open.connections, open.per_address) = (connections, per_address);
    }

    fn admit(self: &Arc<Self>, from: Option<IpAddr>) -> Result<Pass, (Failure, Reason)> {
        let from = from.map(block_of);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= open.connections {
            let message = format!("this parlor is full: {} are connected. Try again later", open.all);
            return Err((Failure::new(ErrorCode::ServerFull, &message), Reason::ServerFull));
        }
        if let Some(from) = from {
            let per_address = open.per_address;
            let count = open.from.entry(from).or_default();
            if *count >= per_address {
                let message = format!("{count} connections from your address are open: close one first");
                return Err((Failure::new(ErrorCode::AddressFull, &message), Reason::AddressFull));
            }
            *count += 1;
        }
        open.all += 1;
        Ok(Pass { doors: Arc::clone(self), from })
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut open = self.doors.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        if let Some(from) = self.from
            && let Some(count) = open.from.get_mut(&from)
        {
            *count -= 1;
            if *count == 0 {
                open.from.remove(&from);
            }
        }
    }
}

pub(super) fn admit(socket: Socket, context: &Arc<Context>, doors: &Arc<Doors>, sessions: &TaskTracker) {
    let number = doors.next.fetch_add(1, Ordering::Relaxed);
    let (from, peer) = match &socket {
        Socket::Tcp(_, peer) => (Some(peer.ip()), peer.to_string()),
        #[cfg(unix)]
        Socket::Unix(_) => (None, "unix".to_owned()),
        Socket::Other(_, from) => (*from, "embedded".to_owned()),
    };
    let span = info_span!("connection", n = number, %peer);
    let pass = match doors.admit(from) {
        Ok(pass) => pass,
        Err((failure, reason)) => {
            span.in_scope(|| debug!(?reason, "refused"));
            context.metrics.ended(reason);
            turn_away(socket, failure, reason, context, doors, sessions);
            return;
        }
    };
    let peer = Peer {
        address: from,
        from: from.map(block_of),
        binding: Binding::NONE,
        deadline: Instant::now() + HANDSHAKE_TIME,
    };
    let serving = Serving { context: Arc::clone(context), pass, span, peer };
    match socket {
        Socket::Tcp(stream, _) => {
            if let Err(error) = stream.set_nodelay(true) {
                debug!(%error, "no TCP_NODELAY");
            }
            match &context.tls {
                None => serving.spawn(sessions, stream.into_split()),
                Some(tls) => serving.spawn_tls(sessions, stream, tls.served()),
            }
        }
        // What the file system lets nobody else open needs no TLS.
        #[cfg(unix)]
        Socket::Unix(stream) => serving.spawn(sessions, stream.into_split()),
        Socket::Other(stream, _) => serving.spawn(sessions, tokio::io::split(stream)),
    }
}

/// A connection that is let in. Each kind of socket has a task of its own kind: one for all would be as large as the
/// largest, for everyone.
struct Serving {
    context: Arc<Context>,
    pass: Pass,
    span: Span,
    peer: Peer,
}

impl Serving {
    fn spawn<R, W>(self, sessions: &TaskTracker, (read, write): (R, W))
    where
        R: AsyncRead + Send + Sync + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let Self { context, pass, span, peer } = self;
        let serving = async move {
            let reason = session::serve(read, write, Arc::clone(&context), peer).await;
            ended(&context, reason, pass);
        };
        sessions.spawn(serving.instrument(span));
    }

    fn spawn_tls(self, sessions: &TaskTracker, stream: TcpStream, served: Served) {
        let Self { context, pass, span, peer } = self;
        let serving = async move {
            let peer = Peer { binding: served.fingerprint.into(), ..peer };
            let accepted = Box::pin(accept_tls(stream, served, &context, peer)).await;
            let reason = match accepted {
                Ok((read, write)) => session::serve(read, write, Arc::clone(&context), peer).await,
                Err(reason) => reason,
            };
            ended(&context, reason, pass);
        };
        sessions.spawn(serving.instrument(span));
    }
}

fn ended(context: &Context, reason: Reason, pass: Pass) {
    debug!(?reason, "ended");
    context.metrics.ended(reason);
    drop(pass);
}

/// How long a client may take for its first byte before it is taken for one that speaks no TLS and waits for us
/// to speak first.
const FIRST_BYTE_TIME: Duration = Duration::from_secs(3);
/// What every TLS connection begins with: a record of the handshake (RFC 8446, section 5.1).
const TLS_HANDSHAKE_RECORD: u8 = 22;

type TlsHalves = (ReadHalf<TlsStream<TcpStream>>, WriteHalf<TlsStream<TcpStream>>);

async fn accept_tls(
    stream: TcpStream,
    served: Served,
    context: &Context,
    peer: Peer,
) -> Result<TlsHalves, Reason> {
    let mut first = [0];
    let peeked = tokio::select! {
        () = context.closing.cancelled() => return Err(Reason::Shutdown),
        peeked = timeout(FIRST_BYTE_TIME, stream.peek(&mut first)) => peeked,
    };
    match peeked {
        Ok(Err(_) | Ok(0)) => return Err(Reason::Gone),
        Ok(Ok(_)) if first[0] == TLS_HANDSHAKE_RECORD => {}
        Ok(Ok(_)) | Err(_) => {
            let message = "this parlor speaks TLS at this port: connect without --plain";
            let failure = Failure::new(ErrorCode::TlsExpected, message);
            let mut stream = stream;
            handshake::refuse(&mut stream, Some(failure), Reason::Refused).await;
            return Err(Reason::Refused);
        }
    }
    let accepted = tokio::select! {
        () = context.closing.cancelled() => return Err(Reason::Shutdown),
        accepted = timeout_at(peer.deadline, served.acceptor.accept(stream)) => accepted,
    };
    match accepted {
        Ok(Ok(stream)) => Ok(tokio::io::split(stream)),
        // Rustls has told the peer by an alert.
        Ok(Err(error)) => {
            debug!(%error, "no TLS");
            Err(Reason::TlsFailed)
        }
        Err(_) => Err(Reason::HandshakeTimeout),
    }
}

/// Connections at once that are told over TLS that there is no room for them: to say it takes a handshake, and
/// they are those whom we have no room for.
const TURNED_AWAY: usize = 64;
/// How long that may take.
const TURN_AWAY_TIME: Duration = Duration::from_secs(3);

/// Says why not, and closes: without TLS as far as the socket takes it at once, with TLS in the time that there is.
/// Nobody can hold us here.
fn turn_away(
    socket: Socket,
    failure: Failure,
    reason: Reason,
    context: &Arc<Context>,
    doors: &Doors,
    sessions: &TaskTracker,
) {
    let words = handshake::refusal(Some(failure.clone()), reason);
    let said = match (socket, &context.tls) {
        (Socket::Tcp(stream, _), Some(tls)) => {
            let Ok(place) = Arc::clone(&doors.turning_away).try_acquire_owned() else { return };
            let acceptor = tls.served().acceptor;
            sessions.spawn(async move {
                let _place = place;
                let telling = async {
                    let mut stream = acceptor.accept(stream).await?;
                    handshake::refuse(&mut stream, Some(failure), reason).await;
                    io::Result::Ok(())
                };
                // Whoever does not hear us out is not waited for.
                drop(timeout(TURN_AWAY_TIME, telling).await);
            });
            return;
        }
        (Socket::Tcp(stream, _), None) => stream.try_write(&words),
        #[cfg(unix)]
        (Socket::Unix(stream), _) => stream.try_write(&words),
        (Socket::Other(mut stream, _), _) => {
            let Ok(place) = Arc::clone(&doors.turning_away).try_acquire_owned() else { return };
            sessions.spawn(async move {
                let _place = place;
                let telling = handshake::refuse(&mut stream, Some(failure), reason);
                drop(timeout(TURN_AWAY_TIME, telling).await);
            });
            return;
        }
    };
    if let Err(error) = said {
        debug!(%error, "could not say why");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_all_doors() {
        let doors = Arc::new(Doors::new(3, 2));
        let [here, there] = ["10.0.0.1", "10.0.0.2"].map(|ip| Some(ip.parse().unwrap()));
        let first = doors.admit(here).ok();
        let _second = doors.admit(here).ok();
        assert!(matches!(doors.admit(here), Err((_, Reason::AddressFull))));
        let _third = doors.admit(there).ok();
        assert!(matches!(doors.admit(there), Err((_, Reason::ServerFull))));
        drop(first);
        assert!(doors.admit(here).is_ok());
        // Those who are here stay, and nobody else comes in until there are less.
        doors.set(1, 1);
        assert!(matches!(doors.admit(here), Err((_, Reason::ServerFull))));
        doors.set(9, 9);
        assert!(doors.admit(here).is_ok());
    }
}
