//! The answers to those who ask the whole network by a datagram, where multicast DNS does not get through.
//!
//! Several parlors of one machine share the port, and each of them hears what was sent to everyone.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::sleep;
use tracing::{debug, warn};

use super::nearby::Networks;
use super::quota::Quota;
use super::{Context, RETRY, Reach};
use crate::protocol::announcement::{DATAGRAM_BYTES, DISCOVERY_PORT, read_query};

/// After an error of the socket, which must not become a busy loop: a network went down, most likely.
const PAUSE: Duration = Duration::from_millis(200);
/// For how long what is said is said again as it is: a flood of questions does not make us count people for each.
const FRESH: Duration = Duration::from_secs(1);

/// A family of addresses. Each has a socket of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Asked by broadcast.
    V4,
    /// Asked by `ff02::1`, in which every machine is on all of its networks: so nothing has to be joined when these come and go.
    V6,
}

/// Answers for ever, if anybody can come by this family. `told`: it was said already that the port is taken.
pub(super) async fn run(context: &Context, reach: &Reach, family: Family, told: &AtomicBool) {
    if !reach.has_family(family == Family::V4) {
        return;
    }
    let socket = loop {
        match listen(family) {
            Ok(socket) => break socket,
            // A machine without IPv6 misses nothing.
            Err(error) if family == Family::V6 && error.kind() != io::ErrorKind::AddrInUse => {
                debug!(%error, "no questions by IPv6");
            }
            Err(error) if !told.swap(true, Ordering::Relaxed) => warn!(
                %error,
                "UDP port {DISCOVERY_PORT} cannot be used for now: those whom multicast DNS does not reach will not find this parlor"
            ),
            Err(error) => debug!(%error, "UDP port {DISCOVERY_PORT} cannot be used"),
        }
        sleep(RETRY).await;
    };
    answer_all(context, reach, &socket).await;
}

async fn answer_all(context: &Context, reach: &Reach, socket: &UdpSocket) {
    let (mut networks, mut quota) = (Networks::default(), Quota::new(Instant::now()));
    let (mut since, mut said) = (Instant::now(), context.announcement(reach));
    // What is longer than a question is cut to one that is longer, and so is none.
    let mut datagram = [0; DATAGRAM_BYTES + 1];
    loop {
        let (asked, them) = match socket.recv_from(&mut datagram).await {
            Ok((length, them)) => (datagram.get(..length).and_then(read_query), them),
            Err(error) => {
                debug!(%error, "a question was not received");
                sleep(PAUSE).await;
                continue;
            }
        };
        let (Some(nonce), now) = (asked, Instant::now()) else { continue };
        let Some(own) = networks.own_address_towards(them, reach, now) else { continue };
        if !quota.take(them.ip(), now) {
            continue;
        }
        if now.saturating_duration_since(since) >= FRESH {
            (since, said) = (now, context.announcement(reach));
        }
        let answer = said.answer(nonce);
        // Who gets it connects to where it comes from, and at other addresses nobody may listen.
        let sent = if reach.is_everywhere(own) {
            socket.send_to(&answer, them).await
        } else {
            answer_from(own, &answer, them).await
        };
        if let Err(error) = sent {
            debug!(%error, %them, "an answer was not sent");
        }
    }
}

fn listen(family: Family) -> io::Result<UdpSocket> {
    let (domain, all) = match family {
        Family::V4 => (Domain::IPV4, IpAddr::from(Ipv4Addr::UNSPECIFIED)),
        Family::V6 => (Domain::IPV6, IpAddr::from(Ipv6Addr::UNSPECIFIED)),
    };
    let socket = Socket::new(domain, Type::DGRAM, None)?;
    if family == Family::V6 {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    // Elsewhere that alone does not share it. On Linux this would have each question go to one of those who share it.
    #[cfg(all(unix, not(target_os = "linux")))]
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::new(all, DISCOVERY_PORT).into())?;
    UdpSocket::from_std(socket.into())
}

async fn answer_from(own: IpAddr, answer: &[u8], them: SocketAddr) -> io::Result<usize> {
    let from = match (own, them) {
        (IpAddr::V6(own), SocketAddr::V6(them)) => {
            SocketAddr::V6(std::net::SocketAddrV6::new(own, 0, 0, them.scope_id()))
        }
        _ => SocketAddr::new(own, 0),
    };
    UdpSocket::bind(from).await?.send_to(answer, them).await
}
