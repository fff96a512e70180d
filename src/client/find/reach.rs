//! Where a parlor can be reached from here, and which of its addresses to try first.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::protocol::address::Address;

/// An IP address, and for a link-local one of IPv6 the network of this machine on which it means anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    ip: IpAddr,
    zone: Option<Zone>,
}

/// An interface of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Zone {
    pub(super) name: String,
    pub(super) index: u32,
}

impl Reach {
    /// `None`: nothing can be reached there, or nobody could say on which network.
    pub(super) fn new(ip: IpAddr, zone: Option<Zone>) -> Option<Self> {
        // IPv4 in the clothes of IPv6 is IPv4.
        let ip = ip.to_canonical();
        let nowhere = ip.is_unspecified() || ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST);
        let zone = zone.filter(|_| needs_zone(ip));
        (!nowhere && needs_zone(ip) == zone.is_some()).then_some(Self { ip, zone })
    }

    /// The lower, the sooner it is tried: private IPv4 addresses are those of this building, global ones may lead around
    /// it, IPv6 with a zone is the longest to type, and loopback is of use for a machine without any network.
    pub(super) fn rank(&self) -> u8 {
        match self.ip {
            ip if ip.is_loopback() => 5,
            IpAddr::V4(ip) if ip.is_private() => 0,
            IpAddr::V4(ip) if ip.is_link_local() => 2,
            IpAddr::V4(_) => 1,
            IpAddr::V6(_) if self.zone.is_none() => 3,
            IpAddr::V6(_) => 4,
        }
    }

    /// Whether it is this machine, whoever says it.
    pub(super) fn is_loopback(&self) -> bool {
        self.ip.is_loopback()
    }

    /// To connect to.
    pub(super) fn address(&self, port: u16) -> Address {
        let Some(zone) = &self.zone else { return Address::Tcp { host: self.ip.to_string(), port } };
        let named = Address::Tcp { host: format!("{}%{}", self.ip, zone.name), port };
        // What can be read again can be typed and be given to others. Some systems' interfaces are named in sentences.
        if named.to_string().parse().as_ref() == Ok(&named) {
            return named;
        }
        Address::Tcp { host: format!("{}%{}", self.ip, zone.index), port }
    }
}

fn needs_zone(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => is_link_local(ip),
    }
}

/// In fe80::/10.
pub(super) fn is_link_local(ip: Ipv6Addr) -> bool {
    ip.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(ip: &str, zone: Option<&str>) -> Option<Reach> {
        let zone = zone.map(|name| Zone { name: name.to_owned(), index: 3 });
        Reach::new(ip.parse().unwrap(), zone)
    }

    #[test]
    fn the_best_address_comes_first() {
        let mut all = [
            ("127.0.0.1", None),
            ("fe80::1", Some("eth0")),
            ("2001:db8::1", None),
            ("203.0.113.9", None),
            ("192.168.1.7", None),
            ("169.254.3.4", None),
        ]
        .map(|(ip, zone)| reach(ip, zone).unwrap());
        all.sort_by_key(Reach::rank);
        assert_eq!(
            all.map(|reach| reach.address(7878).to_string()),
            [
                "192.168.1.7:7878",
                "203.0.113.9:7878",
                "169.254.3.4:7878",
                "[2001:db8::1]:7878",
                "[fe80::1%eth0]:7878",
                "127.0.0.1:7878"
            ]
        );
    }

    #[test]
    fn what_leads_nowhere_is_no_address() {
        for ip in ["0.0.0.0", "::", "255.255.255.255", "224.0.0.251", "ff02::1", "fe80::1"] {
            assert_eq!(reach(ip, None), None, "{ip}");
        }
        assert_eq!(reach("::ffff:10.0.0.1", None), reach("10.0.0.1", Some("eth0")));
    }

    #[test]
    fn a_zone_that_cannot_be_typed_is_told_by_its_number() {
        let odd = reach("fe80::1", Some("Local Area Connection* 2")).unwrap();
        assert_eq!(odd.address(1).to_string(), "[fe80::1%3]:1");
    }
}
