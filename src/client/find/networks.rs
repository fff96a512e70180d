//! The networks of this machine, as they are at this moment.

use std::net::{Ipv4Addr, SocketAddrV6};

use if_addrs::{IfAddr, Interface};

use super::reach::{Zone, is_link_local};
use crate::protocol::announcement::DISCOVERY_PORT;

/// Addresses of this machine that are looked at: also one full of containers has fewer networks that matter.
const INTERFACES: usize = 64;

/// Every machine on a link (RFC 4291, section 2.7.1). Nobody need join it, so it goes wherever IPv6 does.
const ALL_NODES: std::net::Ipv6Addr = std::net::Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// A network that is asked by IPv4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct V4 {
    /// Ours there.
    pub(super) ip: Ipv4Addr,
    /// Where a question reaches all of it, and this machine.
    pub(super) all: Vec<Ipv4Addr>,
}

/// All networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Networks {
    pub(super) v4: Vec<V4>,
    /// The interfaces that are asked by IPv6.
    pub(super) v6: Vec<Zone>,
}

impl Networks {
    /// # Errors
    /// When the system does not say which there are.
    pub(super) fn now() -> std::io::Result<Self> {
        Ok(Self::of(if_addrs::get_if_addrs()?))
    }

    fn of(interfaces: Vec<Interface>) -> Self {
        let mut networks = Self::default();
        // What leads to one machine alone is a tunnel: there is nobody else on it to be found.
        let there = |it: &Interface| it.is_oper_up() && !it.is_p2p;
        for interface in interfaces.into_iter().filter(there).take(INTERFACES) {
            match &interface.addr {
                IfAddr::V4(v4) => networks.v4.push(V4 { ip: v4.ip, all: everyone(v4.ip, v4.netmask) }),
                IfAddr::V6(v6) if is_link_local(v6.ip) => {
                    let zone = interface.index.map(|index| Zone { name: interface.name.clone(), index });
                    networks.v6.extend(zone.filter(|zone| !networks.v6.contains(zone)));
                }
                IfAddr::V6(_) => {}
            }
        }
        networks
    }

    /// Whether there is any beside the one that every machine has within itself.
    pub(super) fn any_beyond_loopback(&self) -> bool {
        !self.v6.is_empty() || self.v4.iter().any(|network| !network.ip.is_loopback())
    }

    /// The interface of this number.
    pub(super) fn zone(&self, index: u32) -> Option<&Zone> {
        self.v6.iter().find(|zone| zone.index == index)
    }
}

/// Where to ask everyone of a network. Some networks let the one broadcast through and some the other; and one's own
/// address is for systems that do not hear their own broadcasts.
fn everyone(ip: Ipv4Addr, mask: Ipv4Addr) -> Vec<Ipv4Addr> {
    let directed = Ipv4Addr::from(u32::from(ip) | !u32::from(mask));
    let mut all = vec![ip];
    // A network of two has no broadcast (RFC 3021), and one that is everything is none of ours.
    all.extend((u32::from(mask).count_ones() < 31 && mask != Ipv4Addr::UNSPECIFIED).then_some(directed));
    all.extend((!ip.is_loopback()).then_some(Ipv4Addr::BROADCAST));
    all
}

/// Everyone on a link, by IPv6.
pub(super) fn everyone_on(zone: &Zone) -> SocketAddrV6 {
    SocketAddrV6::new(ALL_NODES, DISCOVERY_PORT, 0, zone.index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(ip: &str, mask: &str) -> Vec<String> {
        everyone(ip.parse().unwrap(), mask.parse().unwrap()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn everyone_on_a_network_is_asked() {
        assert_eq!(all("192.168.1.7", "255.255.255.0"), ["192.168.1.7", "192.168.1.255", "255.255.255.255"]);
        assert_eq!(all("127.0.0.1", "255.0.0.0"), ["127.0.0.1", "127.255.255.255"]);
        assert_eq!(all("10.0.0.2", "255.255.255.254"), ["10.0.0.2", "255.255.255.255"]);
    }
}
