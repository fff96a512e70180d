//! Opening listeners: all that were asked for, or none and a sentence that says what to do.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Type};
use thiserror::Error;
use tokio::net::TcpSocket;
use tracing::warn;

use super::listen::Listener;
use super::socket::SocketAccess;
use crate::protocol::DEFAULT_PORT;
use crate::protocol::address::Address;
use crate::resolve::{is_family_missing, own_addresses, resolve};

/// Connections that the system may hold for us until we accept them.
pub(super) const BACKLOG: i32 = 1024;

/// The first port that is for everyone (on Linux by `net.ipv4.ip_unprivileged_port_start`, elsewhere for ever).
const FIRST_PORT_FOR_ALL: u16 = 1024;

/// An address that cannot be listened on, and what to do about it.
#[derive(Debug, Error)]
#[error("cannot listen on {address}: {remedy}")]
pub struct ListenError {
    /// Where.
    pub address: Address,
    /// Why, and what to do.
    pub remedy: String,
}

/// One of the addresses that were asked for.
struct Wanted {
    /// As it was written; `None` for the usual ones.
    address: Option<Address>,
    /// What it stands for, if it is not a Unix socket.
    tcp: Vec<SocketAddr>,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.address, self.tcp.first()) {
            (Some(address), _) => address.fmt(f),
            (None, Some(first)) => first.fmt(f),
            (None, None) => Ok(()),
        }
    }
}

/// Listens where it was told, or else for everyone if what is said there is safe with us (`closed`), and otherwise for this
/// machine alone. `access` is for the Unix sockets among them.
///
/// Of a name that stands for addresses of both families, and of the usual addresses, one family will do where this machine
/// has no other.
///
/// # Errors
/// A sentence that says what to do. Nothing listens then.
pub(super) async fn bind_all(
    addresses: &[Address],
    closed: bool,
    access: &SocketAccess,
) -> Result<Vec<Listener>, ListenError> {
    let mut wanted = Vec::new();
    if addresses.is_empty() {
        wanted.push(usual(closed));
    }
    for address in addresses {
        let tcp = match address {
            Address::Tcp { host, port } => resolve(host, *port)
                .await
                .map_err(|why| ListenError { address: address.clone(), remedy: why.to_string() })?,
            Address::Unix(_) => Vec::new(),
        };
        wanted.push(Wanted { address: Some(address.clone()), tcp });
    }
    check_apart(&wanted)?;
    let mut listeners = Vec::new();
    for one in &wanted {
        match &one.address {
            Some(address @ Address::Unix(path)) => {
                #[cfg(unix)]
                let bound = super::socket::bind(path, access).await;
                #[cfg(unix)]
                let remedy = |error: &io::Error| super::socket::remedy(path, error);
                #[cfg(not(unix))]
                let (bound, remedy) = {
                    let _ = (path, access);
                    (Err(io::ErrorKind::Unsupported.into()), |_: &io::Error| {
                        "this system has no Unix sockets".to_owned()
                    })
                };
                listeners.push(
                    bound
                        .map_err(|error| ListenError { address: address.clone(), remedy: remedy(&error) })?,
                );
            }
            _ => listeners.extend(bind_tcp(one)?),
        }
    }
    Ok(listeners)
}

/// Where a server listens that was not told where.
fn usual(closed: bool) -> Wanted {
    let (v4, v6) = if closed {
        (Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED)
    } else {
        (Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST)
    };
    let tcp = [IpAddr::from(v4), v6.into()].map(|ip| SocketAddr::new(ip, DEFAULT_PORT));
    Wanted { address: None, tcp: tcp.to_vec() }
}

/// That no two of them are the same, or one a part of the other. The system would say of the second that it is in use.
fn check_apart(wanted: &[Wanted]) -> Result<(), ListenError> {
    for (number, one) in wanted.iter().enumerate() {
        for before in wanted.iter().take(number) {
            let overlaps = match (&one.address, &before.address) {
                (Some(Address::Unix(path)), Some(Address::Unix(other))) => path == other,
                _ => one.tcp.iter().any(|at| before.tcp.iter().any(|other| overlap(at, other))),
            };
            let Some(address) = one.address.clone().filter(|_| overlaps) else { continue };
            let remedy = if one.address == before.address {
                "it is given twice: leave one of them out".to_owned()
            } else {
                format!(
                    "{before} is listened on as well, and has the same connections: leave one of the two out"
                )
            };
            return Err(ListenError { address, remedy });
        }
    }
    Ok(())
}

/// Whether a connection could be for both. Port 0 is another one each time.
fn overlap(one: &SocketAddr, other: &SocketAddr) -> bool {
    let both = [one.ip(), other.ip()];
    let same = one == other || one.is_ipv4() == other.is_ipv4() && both.iter().any(IpAddr::is_unspecified);
    same && one.port() == other.port() && one.port() != 0
}

/// On all the addresses that one stands for; on those of one family alone where this machine has no other.
fn bind_tcp(wanted: &Wanted) -> Result<Vec<Listener>, ListenError> {
    let mut listeners = Vec::new();
    let mut without = None;
    for at in &wanted.tcp {
        let error = match listen(*at) {
            Ok(listener) => {
                listeners.push(listener);
                continue;
            }
            Err(error) => error,
        };
        let usual = Address::Tcp { host: at.ip().to_string(), port: at.port() };
        let address = wanted.address.clone().unwrap_or(usual);
        let failed = ListenError { remedy: remedy(&address, *at, &error), address };
        if is_family_off(*at, &error) && wanted.tcp.len() > 1 {
            without = Some(failed);
        } else {
            return Err(failed);
        }
    }
    match without {
        Some(failed) if listeners.is_empty() => Err(failed),
        Some(failed) => {
            warn!(address = %failed.address, "going on with the other family of addresses alone: {}", failed.remedy);
            Ok(listeners)
        }
        None => Ok(listeners),
    }
}

fn listen(at: SocketAddr) -> io::Result<Listener> {
    let socket = socket2::Socket::new(Domain::for_address(at), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    if at.is_ipv6() {
        // So that `[::]` leaves the port of `0.0.0.0` alone, and an IPv4 peer shows its own address.
        socket.set_only_v6(true)?;
    }
    let socket = TcpSocket::from_std_stream(socket.into());
    // A restart need not wait for the last connections of the one before to time out.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(at)?;
    Ok(Listener::Tcp(socket.listen(BACKLOG.unsigned_abs())?))
}

/// Whether it failed because this machine does not use that family. Switched off by a setting, the sockets are there and the
/// addresses are not, not even the one that every machine has.
fn is_family_off(at: SocketAddr, error: &io::Error) -> bool {
    is_family_missing(error) || error.kind() == io::ErrorKind::AddrNotAvailable && at.ip().is_loopback()
}

/// What to do about an address that cannot be listened on.
fn remedy(address: &Address, at: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        _ if is_family_off(at, error) => {
            let (family, others) = if at.is_ipv6() { ("IPv6", "IPv4") } else { ("IPv4", "IPv6") };
            format!("{family} is switched off on this machine: listen on {others} addresses alone")
        }
        io::ErrorKind::AddrInUse => format!(
            "it is in use. If a parlor runs there already, `parlor join {address}` joins it; \
             otherwise choose another port with --listen"
        ),
        io::ErrorKind::PermissionDenied if at.port() < FIRST_PORT_FOR_ALL && at.port() != 0 => format!(
            "this user may not use ports below {FIRST_PORT_FOR_ALL}: choose a higher one with --listen, or have systemd \
             listen there and hand it over"
        ),
        io::ErrorKind::PermissionDenied => {
            "this system does not allow it: ask whoever looks after it".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => match own_addresses().as_slice() {
            [] => "this machine does not have that address".to_owned(),
            own => format!("this machine does not have that address, but {}", own.join(", ")),
        },
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn bound(addresses: &[&str]) -> Result<Vec<String>, String> {
        let addresses: Vec<Address> = addresses.iter().map(|raw| raw.parse().unwrap()).collect();
        let listeners = bind_all(&addresses, false, &SocketAccess::default()).await;
        let listeners = listeners.map_err(|error| error.to_string())?;
        Ok(listeners.iter().map(|listener| listener.address().to_string()).collect())
    }

    /// A port that was free a moment ago.
    async fn port() -> u16 {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    }

    #[tokio::test]
    async fn what_is_given_twice_is_told() {
        let port = port().await;
        let [here, all, named] = ["127.0.0.1", "0.0.0.0", "localhost"].map(|host| format!("{host}:{port}"));
        for (addresses, words) in [
            ([&here, &here], "it is given twice: leave one of them out".to_owned()),
            ([&all, &here], format!("cannot listen on {here}: {all} is listened on as well")),
            ([&here, &all], format!("cannot listen on {all}: {here} is listened on as well")),
            ([&here, &named], format!("cannot listen on {named}: {here} is listened on as well")),
        ] {
            let why = bound(&addresses.map(String::as_str)).await.unwrap_err();
            assert!(why.contains(&words), "{why}");
        }
        // Ports that the system chooses are others each time.
        assert_eq!(bound(&["127.0.0.1:0", "127.0.0.1:0"]).await.unwrap().len(), 2);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn nothing_is_left_half_open() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let unix = format!("unix:{}", socket.display());
        let why = bound(&[&unix, &unix]).await.unwrap_err();
        assert!(why.ends_with("it is given twice: leave one of them out"), "{why}");
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = taken.local_addr().map(|at| (at.to_string(), taken)).unwrap();
        let why = bound(&[&unix, &taken.0]).await.unwrap_err();
        assert!(why.contains("it is in use"), "{why}");
        assert!(!socket.exists());
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_told_with_those_of_this_one() {
        let why = bound(&["192.0.2.1:0"]).await.unwrap_err();
        assert!(why.contains("this machine does not have that address"), "{why}");
        let why = bound(&["[fe80::1%nowhere]:0"]).await.unwrap_err();
        assert!(why.contains("has no network \"nowhere\""), "{why}");
        let why = bound(&["[fe80::1]:0"]).await.unwrap_err();
        assert!(why.contains("say of which"), "{why}");
    }

    #[test]
    fn a_family_that_is_switched_off_is_named() {
        let address: Address = "[::1]:7878".parse().unwrap();
        let off = remedy(&address, "[::1]:7878".parse().unwrap(), &io::ErrorKind::AddrNotAvailable.into());
        assert_eq!(off, "IPv6 is switched off on this machine: listen on IPv4 addresses alone");
        let low = remedy(&address, "1.0.0.1:80".parse().unwrap(), &io::ErrorKind::PermissionDenied.into());
        assert!(low.contains("ports below 1024: choose a higher one"), "{low}");
    }
}
