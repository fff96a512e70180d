//! What both sides ask of the library that speaks multicast DNS: whether it can be heard, and whether it remembers too much.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use mdns_sd::{MDNS_PORT, ServiceDaemon};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::time::timeout;

/// Records that a daemon is let remember. It keeps what anybody announces of anything, and some of that for ever; a large network
/// has some thousands.
const REMEMBERED: i64 = 10_000;

/// How long a daemon may take to say how much it remembers. One that is so busy is asked again.
const ANSWERED_WITHIN: Duration = Duration::from_secs(1);

/// Tries to share the port with those who listen there already, as the daemon does. It does not say so when it cannot.
///
/// # Errors
/// The system's.
pub(crate) fn try_port(v4: bool) -> io::Result<()> {
    let (domain, all) = if v4 {
        (Domain::IPV4, IpAddr::from(Ipv4Addr::UNSPECIFIED))
    } else {
        (Domain::IPV6, IpAddr::from(Ipv6Addr::UNSPECIFIED))
    };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    if !v4 {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    socket.bind(&SocketAddr::new(all, MDNS_PORT).into())
}

/// Whether a daemon remembers more than can be true. Then it is to be ended, with all that it remembers.
pub(crate) async fn remembers_too_much(daemon: &ServiceDaemon) -> bool {
    let Ok(asked) = daemon.get_metrics() else { return false };
    let Ok(Ok(metrics)) = timeout(ANSWERED_WITHIN, asked.recv_async()).await else { return false };
    let remembered = metrics.iter().filter(|(name, _)| name.starts_with("cached-")).map(|(_, count)| *count);
    remembered.fold(0, i64::saturating_add) > REMEMBERED
}
