//! How the link gets to a server: by the system's sockets, or by whatever it is given.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::race;
use crate::protocol::address::Address;
use crate::resolve::resolve;

/// Both directions of a connection.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection that is being opened.
pub type Dialing = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>;

/// Opens a connection to an address. Called for every attempt; dropped unfinished, it must leave nothing behind.
pub type Dial = Arc<dyn Fn(&Address) -> Dialing + Send + Sync>;

/// By the sockets of the system. Why there is no connection is told by [`super::unreached`].
pub(in crate::client) fn dial(address: &Address) -> Dialing {
    let address = address.clone();
    Box::pin(async move {
        Ok::<Box<dyn Stream>, io::Error>(match address {
            Address::Tcp { host, port } => {
                let found = resolve(&host, port).await;
                Box::new(to_any(&found.map_err(|why| io::Error::new(io::ErrorKind::NotFound, why))?).await?)
            }
            #[cfg(unix)]
            Address::Unix(path) => Box::new(tokio::net::UnixStream::connect(path).await?),
            #[cfg(not(unix))]
            Address::Unix(_) => return Err(io::ErrorKind::Unsupported.into()),
        })
    })
}

/// To whichever of `addresses` takes the connection first.
async fn to_any(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let connected = race::first(&race::in_order(addresses), TcpStream::connect).await;
    let socket = connected.map_err(|unreached| io::Error::new(unreached.error.kind(), unreached))?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::net::{TcpListener, TcpSocket};
    use tokio::time::{Instant, timeout};

    /// A listener whose queue is full, so that it answers nobody: what a firewall that drops everything looks like. Both must be kept.
    async fn black_hole(at: SocketAddr) -> Option<(TcpListener, Vec<TcpStream>)> {
        let socket = if at.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() };
        let socket = socket.ok()?;
        socket.bind(at).ok()?;
        let listener = socket.listen(1).ok()?;
        let at = listener.local_addr().ok()?;
        let mut waiting = Vec::new();
        // Two or three fit in; one that is not taken within this is not taken until somebody accepts.
        while let Ok(taken) = timeout(Duration::from_millis(500), TcpStream::connect(at)).await {
            waiting.push(taken.ok()?);
            if waiting.len() > 8 {
                return None;
            }
        }
        Some((listener, waiting))
    }

    #[tokio::test]
    async fn a_name_of_which_one_family_is_a_black_hole_is_reached_by_the_other() {
        let Some((hole, _waiting)) = black_hole("[::1]:0".parse().unwrap()).await else {
            println!("this system has no ::1, or makes no black holes: not tested");
            return;
        };
        let there = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let both = [there.local_addr().unwrap(), hole.local_addr().unwrap()];
        let asked = Instant::now();
        let connected = to_any(&both).await.unwrap();
        assert_eq!(connected.peer_addr().unwrap(), both[0]);
        assert!(asked.elapsed() >= race::NEXT_AFTER, "IPv6 goes first");
    }

    #[tokio::test]
    async fn a_name_of_which_one_family_refuses_is_reached_by_the_other() {
        let there = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = there.local_addr().unwrap();
        let nobody = SocketAddr::new("::1".parse().unwrap(), 1);
        assert_eq!(to_any(&[at, nobody]).await.unwrap().peer_addr().unwrap(), at);
        drop(there);
        let unreached = to_any(&[at, nobody]).await.unwrap_err();
        assert_eq!(unreached.kind(), io::ErrorKind::ConnectionRefused);
    }
}
