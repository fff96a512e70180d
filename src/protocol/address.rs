//! Where a parlor is: `host:port`, `[v6]:port`, `unix:/path`.
//!
//! IPv6 addresses are kept in their one form (RFC 5952), however they are typed, so that a server which is known is known again.
//! One that is good in one network alone has its zone behind it, `[fe80::1%eth0]` (RFC 4007, section 11), which is a network as this
//! machine calls it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

use super::DEFAULT_PORT;
use super::limits::{HOST_BYTES, SOCKET_PATH_BYTES, ZONE_BYTES};
use super::text::sanitise;

/// Where to listen or to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A name or an IP address (IPv6 without its brackets, with its zone if any), and a TCP port.
    Tcp {
        /// Name or IP address.
        host: String,
        /// TCP port; 0 lets the system choose, when listening.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
}

/// An address that could not be understood.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AddressError {
    /// It has none of the forms.
    #[error(
        "{0:?} is not an address: write host, host:port, [v6]:port, unix:/path or parlor://host:port/#room"
    )]
    Malformed(String),
    /// More than [`SOCKET_PATH_BYTES`].
    #[error(
        "the path of a socket has at most {SOCKET_PATH_BYTES} bytes, and this one has {0}: choose a shorter one"
    )]
    PathTooLong(usize),
}

impl Address {
    /// The usual port of this machine.
    pub fn this_machine() -> Self {
        Self::Tcp { host: "127.0.0.1".to_owned(), port: DEFAULT_PORT }
    }

    /// Its IP address, without the zone; `None` for a name and for a Unix socket.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp { host, .. } => split_zone(host).0.parse().ok(),
            Self::Unix(_) => None,
        }
    }
}

/// An IP address and its zone, apart: `fe80::1%eth0`.
pub fn split_zone(host: &str) -> (&str, Option<&str>) {
    host.split_once('%').map_or((host, None), |(bare, zone)| (bare, Some(zone)))
}

/// An IPv6 address in its one form, with its zone if it has one. What is allowed in a zone is for the caller to look at.
fn ipv6(raw: &str) -> Option<String> {
    let (bare, zone) = split_zone(raw);
    let ip: Ipv6Addr = bare.parse().ok()?;
    match zone {
        None => Some(ip.to_string()),
        Some(zone) => (1..=ZONE_BYTES).contains(&zone.len()).then(|| format!("{ip}%{zone}")),
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(raw: &str) -> Result<Self, AddressError> {
        // Perhaps an invite that lost its beginning: then a passphrase may follow, which no error repeats.
        let error = || {
            AddressError::Malformed(
                raw.find(['?', '=']).map_or(raw.to_owned(), |end| format!("{}…", &raw[..=end])),
            )
        };
        // Addresses are shown, and may come out of an invite that somebody else wrote.
        if sanitise(raw) != raw {
            return Err(error());
        }
        if let Some(path) = raw.strip_prefix("unix:") {
            // They are kept one a line, too; nobody's socket has a line break in its path.
            return match path.len() {
                _ if path.is_empty() || path.contains(char::is_control) => Err(error()),
                ..=SOCKET_PATH_BYTES => Ok(Self::Unix(path.into())),
                bytes => Err(AddressError::PathTooLong(bytes)),
            };
        }
        let (host, port) = if let Some(rest) = raw.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').ok_or_else(error)?;
            let port = match rest {
                "" => None,
                _ => Some(rest.strip_prefix(':').ok_or_else(error)?),
            };
            (ipv6(host).ok_or_else(error)?, port)
        } else if let Some(host) = ipv6(raw) {
            (host, None)
        } else {
            match raw.split_once(':') {
                Some((host, port)) => (host.to_owned(), Some(port)),
                None => (raw.to_owned(), None),
            }
        };
        let (name, zone) = match split_zone(&host) {
            (ip, Some(zone)) if ip.contains(':') => (ip, zone),
            _ => (host.as_str(), ""),
        };
        // With `=` or `&` it is the end of an invite, perhaps with the passphrase: nothing to ask a name server for.
        let odd = |c: char| c.is_whitespace() || c.is_control() || "/#?@[]*=&%".contains(c);
        // Nobody calls a machine by a number alone; a port is what is meant, and where is not said.
        let only_a_port = port.is_none() && name.chars().all(|c| c.is_ascii_digit());
        if name.is_empty() || name.len() > HOST_BYTES || only_a_port {
            return Err(error());
        }
        if name.contains(odd) || zone.contains(odd) {
            return Err(error());
        }
        // With its port it would be written, and read again, as a socket.
        if host == "unix" {
            return Err(error());
        }
        let port = port.map_or(Ok(DEFAULT_PORT), |port| port.parse().map_err(|_| error()))?;
        Ok(Self::Tcp { host, port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> Address {
        Address::Tcp { host: host.to_owned(), port }
    }

    #[test]
    fn every_form_is_understood_and_prints_as_it_is_read() {
        for (raw, address, printed) in [
            ("example.org", tcp("example.org", 7878), "example.org:7878"),
            ("127.0.0.1:0", tcp("127.0.0.1", 0), "127.0.0.1:0"),
            ("[::1]:99", tcp("::1", 99), "[::1]:99"),
            ("::1", tcp("::1", 7878), "[::1]:7878"),
            ("[fe80::1%eth0]", tcp("fe80::1%eth0", 7878), "[fe80::1%eth0]:7878"),
            ("fe80::1%eth0.100", tcp("fe80::1%eth0.100", 7878), "[fe80::1%eth0.100]:7878"),
            ("[fe80::1%2]:9", tcp("fe80::1%2", 9), "[fe80::1%2]:9"),
            // However it is typed, it is one server, and known by one name.
            ("[FE80:0:0::0001%wlan0]", tcp("fe80::1%wlan0", 7878), "[fe80::1%wlan0]:7878"),
            ("unix:/run/parlor", Address::Unix("/run/parlor".into()), "unix:/run/parlor"),
        ] {
            assert_eq!(raw.parse::<Address>().as_ref(), Ok(&address), "{raw}");
            assert_eq!(address.to_string(), printed);
            assert_eq!(printed.parse::<Address>(), Ok(address));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for raw in [
            "",
            ":7878",
            "a:b",
            "a:70000",
            "a b",
            "[::1",
            "[zz]:1",
            "unix:",
            "http://x",
            "[::1]x",
            "a/b",
            "7878",
            "*:7878",
            "unix:/a\nb",
            "unix:/\u{1b}[2J",
            "unix",
            // Turned round, this is shown as another one; and what cannot be seen makes two that look the same.
            "bank\u{202e}moc.live",
            "unix:/run/\u{200b}parlor",
            "fp=-_v7-_v7-_v7-_v7-_v7-w&p=amber-otter-river-stone",
            // A zone is something, belongs to an IPv6 address, and is a word.
            "[fe80::1%]",
            "[fe80::1%a b]",
            "[fe80::1%a%b]",
            "lab%eth0",
            "127.0.0.1%eth0",
            &format!("[fe80::1%{}]", "z".repeat(ZONE_BYTES + 1)),
            &"h".repeat(HOST_BYTES + 1),
            &format!("unix:/{}", "p".repeat(SOCKET_PATH_BYTES)),
        ] {
            assert!(raw.parse::<Address>().is_err(), "{raw:?}");
        }
        let long =
            format!("unix:/{}", "p".repeat(SOCKET_PATH_BYTES)).parse::<Address>().unwrap_err().to_string();
        assert!(long.contains("this one has 108: choose a shorter one"), "{long}");
    }

    #[test]
    fn an_ip_address_is_told_from_a_name() {
        let ip = |raw: &str| raw.parse::<Address>().unwrap().ip().map(|ip| ip.to_string());
        assert_eq!(ip("[fe80::1%eth0]"), Some("fe80::1".to_owned()));
        assert_eq!(ip("10.0.0.1:9"), Some("10.0.0.1".to_owned()));
        assert_eq!(ip("lab"), None);
        assert_eq!(ip("unix:/run/parlor"), None);
    }
}
