//! From an address as people write it to those that sockets take: names by the system's resolver, zones by its networks.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use if_addrs::get_if_addrs;
use thiserror::Error;
use tokio::net::lookup_host;
use tokio::time::timeout;

use crate::protocol::address::split_zone;

/// How long a name may take. Resolvers ask a second server after 5 seconds, and a person wants to know by then.
pub const RESOLVE_TIME: Duration = Duration::from_secs(6);

/// Networks and addresses that a sentence lists at most. A machine full of containers has hundreds.
const LISTED: usize = 6;

/// Why there is no address to go to: what is wrong, and what to do about it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ResolveError {
    /// The resolver says that there is none.
    #[error("no such name: check the spelling, or give the address in numbers")]
    NoSuchName,
    /// The resolver says nothing, or that it cannot know.
    #[error("the name server does not answer: check the network, or give the address in numbers")]
    NoAnswer,
    /// The resolver cannot do its work here.
    #[error("the name cannot be looked up: {0}. Give the address in numbers")]
    Failed(String),
    /// A zone that is no network of this machine.
    #[error("this machine has no network {zone:?}{}", there(.networks))]
    NoSuchZone {
        /// As it was written.
        zone: String,
        /// Those that there are.
        networks: Vec<String>,
    },
    /// A link-local address alone: every network has those of its own.
    #[error("such an address is one of a single network: say of which, as in [{ip}%{}]", .networks.first().map_or("eth0", String::as_str))]
    ZoneNeeded {
        /// The address.
        ip: Ipv6Addr,
        /// The networks that there are.
        networks: Vec<String>,
    },
}

fn there(networks: &[String]) -> String {
    match networks {
        [] => ": it is in no network".to_owned(),
        [only] => format!(": it has {only}"),
        several => format!(": it has {}", several.join(", ")),
    }
}

/// The addresses that `host` stands for, in the order of the system, each once: a name, or an IP address with its zone if it has one.
///
/// # Errors
/// When there is none; within [`RESOLVE_TIME`].
pub async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, ResolveError> {
    let (bare, zone) = split_zone(host);
    match bare.parse() {
        Ok(IpAddr::V4(ip)) => return Ok(vec![(ip, port).into()]),
        Ok(IpAddr::V6(ip)) => {
            let scope = scope(ip, zone, &networks())?;
            return Ok(vec![SocketAddrV6::new(ip, port, 0, scope).into()]);
        }
        Err(_) => {}
    }
    let found = match timeout(RESOLVE_TIME, lookup_host((host, port))).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => return Err(why_unresolved(&error)),
        Err(_) => return Err(ResolveError::NoAnswer),
    };
    let mut addresses = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(ResolveError::NoSuchName) } else { Ok(addresses) }
}

/// An IP address with the zone that a socket has: by the name of the network, or by its number where it has none any more.
pub fn with_zone(address: &SocketAddr) -> String {
    match address {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => {
            let found = networks().into_iter().find(|network| network.index == v6.scope_id());
            let zone = found.map_or_else(|| v6.scope_id().to_string(), |network| network.name);
            format!("{}%{zone}", v6.ip())
        }
        address => address.ip().to_string(),
    }
}

/// The addresses of this machine at which others may reach it, a few of them.
pub fn own_addresses() -> Vec<String> {
    let own = get_if_addrs().unwrap_or_default().into_iter();
    let own = own.filter(|own| !own.is_loopback() && !own.is_link_local());
    own.map(|own| own.ip().to_string()).take(LISTED).collect()
}

/// Whether this machine has no addresses of that family at all (EAFNOSUPPORT), for which [`io::ErrorKind`] has no word.
pub fn is_family_missing(error: &io::Error) -> bool {
    let number = if cfg!(windows) {
        10047
    } else if cfg!(any(target_os = "linux", target_os = "android")) {
        97
    } else {
        47
    };
    error.raw_os_error() == Some(number)
}

/// A network that this machine is in.
struct Network {
    name: String,
    index: u32,
}

/// Those that have an address. A zone of another one would lead nowhere.
fn networks() -> Vec<Network> {
    let mut networks: Vec<Network> = Vec::new();
    for own in get_if_addrs().unwrap_or_default() {
        if let Some(index) = own.index
            && !networks.iter().any(|network| network.index == index)
        {
            networks.push(Network { name: own.name, index });
        }
    }
    networks
}

/// The number of the network that a zone names.
fn scope(ip: Ipv6Addr, zone: Option<&str>, networks: &[Network]) -> Result<u32, ResolveError> {
    let names = || networks.iter().map(|network| network.name.clone()).take(LISTED);
    match zone {
        None if ip.is_unicast_link_local() => {
            // The loopback has no link-local addresses, and would be no example.
            let networks = names().filter(|name| !name.starts_with("lo")).collect();
            Err(ResolveError::ZoneNeeded { ip, networks })
        }
        None => Ok(0),
        Some(zone) => networks
            .iter()
            .find(|network| network.name == zone || network.index.to_string() == zone)
            .map(|network| network.index)
            .ok_or_else(|| ResolveError::NoSuchZone { zone: zone.to_owned(), networks: names().collect() }),
    }
}

/// The resolver's errors have no kind of their own, and its words differ from system to system.
fn why_unresolved(error: &io::Error) -> ResolveError {
    let words = error.to_string().to_lowercase();
    // glibc and BSD; musl; Windows.
    let silent = ["temporary failure", "try again", "temporary error", "timed out"];
    let unknown = [
        "not known",
        "not provided",
        "does not resolve",
        "no address",
        "no such host",
        "no data",
        "not found",
    ];
    let says = |one_of: &[&str]| one_of.iter().any(|said| words.contains(said));
    if says(&silent) {
        ResolveError::NoAnswer
    } else if says(&unknown) {
        ResolveError::NoSuchName
    } else {
        // No files left, say: that may pass.
        ResolveError::Failed(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> [Network; 2] {
        [("lo", 1), ("eth0", 7)].map(|(name, index)| Network { name: name.to_owned(), index })
    }

    #[test]
    fn a_zone_is_a_network_by_name_or_number() {
        let ip: Ipv6Addr = "fe80::1".parse().unwrap();
        assert_eq!(scope(ip, Some("eth0"), &two()), Ok(7));
        assert_eq!(scope(ip, Some("7"), &two()), Ok(7));
        assert_eq!(scope("::1".parse().unwrap(), None, &two()), Ok(0));
        let why = |zone, networks: &[Network]| scope(ip, zone, networks).unwrap_err().to_string();
        assert_eq!(why(Some("wlan9"), &two()), "this machine has no network \"wlan9\": it has lo, eth0");
        assert_eq!(why(Some("0"), &two()), "this machine has no network \"0\": it has lo, eth0");
        assert_eq!(why(Some("eth0"), &[]), "this machine has no network \"eth0\": it is in no network");
        assert!(why(None, &two()).ends_with("say of which, as in [fe80::1%eth0]"));
    }

    #[test]
    fn a_resolver_that_says_no_is_told_from_one_that_says_nothing() {
        for (words, why) in [
            ("failed to lookup address information: Name or service not known", ResolveError::NoSuchName),
            ("failed to lookup address information: Name does not resolve", ResolveError::NoSuchName),
            (
                "failed to lookup address information: Temporary failure in name resolution",
                ResolveError::NoAnswer,
            ),
            ("failed to lookup address information: Try again", ResolveError::NoAnswer),
            ("Too many open files", ResolveError::Failed("Too many open files".to_owned())),
        ] {
            assert_eq!(why_unresolved(&io::Error::other(words)), why, "{words}");
        }
    }

    #[tokio::test]
    async fn an_address_in_numbers_asks_nobody() {
        assert_eq!(resolve("127.0.0.1", 9).await, Ok(vec!["127.0.0.1:9".parse().unwrap()]));
        assert_eq!(resolve("::1", 9).await, Ok(vec!["[::1]:9".parse().unwrap()]));
        assert_eq!(with_zone(&"[::1]:9".parse().unwrap()), "::1");
        // A network that nobody has.
        let gone = SocketAddrV6::new("fe80::1".parse().unwrap(), 9, 0, u32::MAX).into();
        assert_eq!(with_zone(&gone), format!("fe80::1%{}", u32::MAX));
    }
}
