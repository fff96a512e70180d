//! Who is on a network of this machine, and by which of its addresses they can come.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use if_addrs::{IfAddr, Interface, get_if_addrs};
use tracing::debug;

use super::Reach;

/// For how long the list of this machine's addresses is taken for true: a flood of questions does not make us ask the
/// system for each.
const FRESH: Duration = Duration::from_secs(2);

/// The addresses of this machine, as they were a moment ago.
#[derive(Debug, Default)]
pub(super) struct Networks {
    interfaces: Vec<Interface>,
    read: Option<Instant>,
}

impl Networks {
    /// By which address of this machine somebody can reach the parlor, if they are on one of its networks. Others
    /// cannot have heard of it by a question to their own network; who they say they are is somebody else.
    pub(super) fn own_address_towards(
        &mut self,
        them: SocketAddr,
        reach: &Reach,
        now: Instant,
    ) -> Option<IpAddr> {
        if self.read.is_none_or(|read| now.saturating_duration_since(read) >= FRESH) {
            match get_if_addrs() {
                Ok(interfaces) => self.interfaces = interfaces,
                Err(error) => debug!(%error, "cannot tell the addresses of this machine"),
            }
            self.read = Some(now);
        }
        own_address_towards(&self.interfaces, them, reach)
    }
}

fn own_address_towards(interfaces: &[Interface], them: SocketAddr, reach: &Reach) -> Option<IpAddr> {
    let near = |own: &&Interface| reach.covers(own.ip()) && is_on(own, them);
    interfaces.iter().find(near).map(Interface::ip)
}

/// Whether somebody's address is in the network of one of ours.
fn is_on(own: &Interface, them: SocketAddr) -> bool {
    match (&own.addr, them) {
        (IfAddr::V4(own), SocketAddr::V4(them)) => {
            let mask = u32::from(own.netmask);
            // A network that is everything is none of ours.
            mask != 0 && u32::from(own.ip) & mask == u32::from(*them.ip()) & mask
        }
        (IfAddr::V6(own_address), SocketAddr::V6(them)) => {
            let mask = u128::from(own_address.netmask);
            let same = mask != 0 && u128::from(own_address.ip) & mask == u128::from(*them.ip()) & mask;
            // All links have the same link-local network.
            same && (!own_address.is_link_local() || own.index == Some(them.scope_id()))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use if_addrs::{IfOperStatus, Ifv4Addr, Ifv6Addr};

    fn interface(index: u32, address: &str, prefixlen: u8) -> Interface {
        let addr = match address.parse().unwrap() {
            IpAddr::V4(ip) => {
                let netmask = u32::MAX.checked_shl(u32::from(32 - prefixlen)).unwrap_or(0).into();
                IfAddr::V4(Ifv4Addr { ip, netmask, prefixlen, broadcast: None })
            }
            IpAddr::V6(ip) => {
                let netmask = u128::MAX.checked_shl(u32::from(128 - prefixlen)).unwrap_or(0).into();
                IfAddr::V6(Ifv6Addr { ip, netmask, prefixlen, broadcast: None })
            }
        };
        let (name, oper_status) = (format!("if{index}"), IfOperStatus::Up);
        Interface { name, addr, index: Some(index), oper_status, is_p2p: false }
    }

    #[test]
    fn an_answer_goes_to_networks_of_this_machine_alone() {
        let interfaces = [
            interface(2, "10.1.2.3", 16),
            interface(2, "fe80::3", 64),
            interface(3, "fe80::4", 64),
            interface(3, "fd00::3", 64),
            // Tunnels for everything.
            interface(4, "192.0.2.1", 0),
            interface(4, "2001:db8:1::1", 0),
        ];
        let everywhere = Reach::of(["0.0.0.0:1", "[::]:1"].iter().map(|at| at.parse().unwrap())).unwrap();
        let only = |at: &str| Reach::of(std::iter::once(at.parse().unwrap())).unwrap();
        for (them, reach, own) in [
            ("10.1.9.9:5", &everywhere, Some("10.1.2.3")),
            ("10.2.9.9:5", &everywhere, None),
            ("8.8.8.8:5", &everywhere, None),
            ("[fe80::9%2]:5", &everywhere, Some("fe80::3")),
            ("[fe80::9%3]:5", &everywhere, Some("fe80::4")),
            ("[fe80::9%4]:5", &everywhere, None),
            ("[fd00::9]:5", &everywhere, Some("fd00::3")),
            ("[2001:db8::9]:5", &everywhere, None),
            ("10.1.9.9:5", &only("10.1.2.3:1"), Some("10.1.2.3")),
            ("[fd00::9]:5", &only("10.1.2.3:1"), None),
        ] {
            let found = own_address_towards(&interfaces, them.parse().unwrap(), reach);
            assert_eq!(found, own.map(|own| own.parse().unwrap()), "{them} {reach:?}");
        }
    }
}
