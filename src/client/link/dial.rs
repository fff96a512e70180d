//! How the link gets to a server: by the system's sockets, or by whatever it is given.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::protocol::address::Address;

/// Both directions of a connection.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection that is being opened.
pub type Dialing = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>;

/// Opens a connection to an address. Called for every attempt; dropped unfinished, it must leave nothing behind.
pub type Dial = Arc<dyn Fn(&Address) -> Dialing + Send + Sync>;

/// By the sockets of the system.
pub(in crate::client) fn dial(address: &Address) -> Dialing {
    let address = address.clone();
    Box::pin(async move {
        Ok::<Box<dyn Stream>, io::Error>(match address {
            Address::Tcp { host, port } => {
                let socket = tokio::net::TcpStream::connect((host.as_str(), port)).await?;
                socket.set_nodelay(true)?;
                Box::new(socket)
            }
            #[cfg(unix)]
            Address::Unix(path) => Box::new(tokio::net::UnixStream::connect(path).await?),
            #[cfg(not(unix))]
            Address::Unix(_) => return Err(io::ErrorKind::Unsupported.into()),
        })
    })
}

/// Waits for a connection to `address`, so long at most, and says in a sentence why there is none.
pub(super) async fn within(
    time: Duration,
    address: &Address,
    dialing: Dialing,
) -> Result<Box<dyn Stream>, String> {
    let remedy = match timeout(time, dialing).await {
        Ok(Ok(socket)) => return Ok(socket),
        Err(_) => "it does not answer: check the address, and whether a firewall is between".to_owned(),
        Ok(Err(error)) => match error.kind() {
            io::ErrorKind::ConnectionRefused => "nothing listens there: is the parlor running?".to_owned(),
            io::ErrorKind::NotFound if matches!(address, Address::Unix(_)) => {
                "there is no such socket: is the parlor running?".to_owned()
            }
            io::ErrorKind::PermissionDenied => "this user may not connect there".to_owned(),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                "there is no way to it from here: check the network".to_owned()
            }
            io::ErrorKind::AddrNotAvailable => {
                "this machine has no port left to leave by: close some connections".to_owned()
            }
            io::ErrorKind::Unsupported => "this system has no Unix sockets".to_owned(),
            // The resolver's errors have no kind of their own.
            _ if error.to_string().contains("lookup") => "no such name: check the spelling".to_owned(),
            _ => error.to_string(),
        },
    };
    Err(format!("cannot connect to {address}: {remedy}"))
}
