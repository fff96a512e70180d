//! Which of a server's listeners others on the network can reach.

use std::net::{IpAddr, SocketAddr};

/// One port, and the addresses of this machine at which it is listened on. A service has one port (RFC 2782): of several
/// it is that of the first listener that others can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    port: u16,
    /// An unspecified address stands for all of its family.
    at: Vec<IpAddr>,
}

impl Reach {
    /// Of these listeners; `None` when only this machine can reach them.
    pub(crate) fn of(listeners: impl Iterator<Item = SocketAddr>) -> Option<Self> {
        let mut reachable = listeners.filter(|listener| !listener.ip().to_canonical().is_loopback());
        let first = reachable.next()?;
        let (port, mut at) = (first.port(), vec![first.ip()]);
        at.extend(reachable.filter(|listener| listener.port() == port).map(|listener| listener.ip()));
        Some(Self { port, at })
    }

    /// The port to connect to.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Whether who connects to this address of the machine gets here.
    pub(crate) fn covers(&self, own: IpAddr) -> bool {
        self.is_everywhere(own) || self.at.contains(&own)
    }

    /// Whether who connects to any address of the same family gets here.
    pub(crate) fn is_everywhere(&self, family: IpAddr) -> bool {
        self.at.iter().any(|at| at.is_unspecified() && at.is_ipv4() == family.is_ipv4())
    }

    /// Whether anybody gets here by IPv4, or by IPv6.
    pub(crate) fn has_family(&self, v4: bool) -> bool {
        self.at.iter().any(|at| at.is_ipv4() == v4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(listeners: &[&str]) -> Option<Reach> {
        Reach::of(listeners.iter().map(|listener| listener.parse().unwrap()))
    }

    #[test]
    fn what_only_this_machine_can_reach_is_not_announced() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["127.0.0.1:7878", "127.3.0.1:7878", "[::1]:7878", "[::ffff:127.0.0.1]:1"]), None);
    }

    #[test]
    fn an_unspecified_address_is_all_of_its_family() {
        let reach = of(&["127.0.0.1:1", "0.0.0.0:99"]).unwrap();
        assert_eq!(reach.port(), 99);
        assert!(reach.covers("10.0.0.5".parse().unwrap()) && !reach.covers("fe80::1".parse().unwrap()));
        assert!(reach.has_family(true) && !reach.has_family(false));
        assert!(of(&["0.0.0.0:99", "[::]:99"]).unwrap().covers("fe80::1".parse().unwrap()));
    }

    #[test]
    fn one_address_is_that_address_alone_and_another_port_does_not_count() {
        let reach = of(&["10.0.0.5:99", "10.0.0.6:98", "[fd00::5]:99"]).unwrap();
        assert_eq!(reach.port(), 99);
        assert!(reach.covers("10.0.0.5".parse().unwrap()) && reach.covers("fd00::5".parse().unwrap()));
        assert!(
            !reach.covers("10.0.0.6".parse().unwrap()) && !reach.is_everywhere("10.0.0.5".parse().unwrap())
        );
    }
}
