//! Where a parlor is: `host:port`, `[v6]:port`, `unix:/path`.

use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

use super::DEFAULT_PORT;
use super::limits::{HOST_BYTES, SOCKET_PATH_BYTES};
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
#[error("{0:?} is not an address: write host, host:port, [v6]:port, unix:/path or parlor://host:port/#room")]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(raw: &str) -> Result<Self, AddressError> {
        // Perhaps an invite that lost its beginning: then a passphrase may follow, which no error repeats.
        let error =
            || AddressError(raw.find(['?', '=']).map_or(raw.to_owned(), |end| format!("{}…", &raw[..=end])));
        // Addresses are shown, and may come out of an invite that somebody else wrote.
        if sanitise(raw) != raw {
            return Err(error());
        }
        if let Some(path) = raw.strip_prefix("unix:") {
            // They are kept one a line, too; nobody's socket has a line break in its path.
            let wrong = path.is_empty() || path.len() > SOCKET_PATH_BYTES || path.contains(char::is_control);
            return if wrong { Err(error()) } else { Ok(Self::Unix(path.into())) };
        }
        let (host, port) = if let Some(rest) = raw.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').ok_or_else(error)?;
            let bare = host.split('%').next().unwrap_or(host);
            bare.parse::<Ipv6Addr>().map_err(|_| error())?;
            match rest {
                "" => (host, None),
                _ => (host, Some(rest.strip_prefix(':').ok_or_else(error)?)),
            }
        } else if raw.parse::<Ipv6Addr>().is_ok() {
            (raw, None)
        } else {
            match raw.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (raw, None),
            }
        };
        // With `=` or `&` it is the end of an invite, perhaps with the passphrase: nothing to ask a name server for.
        let odd = |c: char| c.is_whitespace() || c.is_control() || "/#?@[]*=&".contains(c);
        // Nobody calls a machine by a number alone; a port is what is meant, and where is not said.
        let only_a_port = port.is_none() && host.chars().all(|c| c.is_ascii_digit());
        if host.is_empty() || host.len() > HOST_BYTES || host.contains(odd) || only_a_port {
            return Err(error());
        }
        // With its port it would be written, and read again, as a socket.
        if host == "unix" {
            return Err(error());
        }
        let port = port.map_or(Ok(DEFAULT_PORT), |port| port.parse().map_err(|_| error()))?;
        Ok(Self::Tcp { host: host.to_owned(), port })
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
            &"h".repeat(HOST_BYTES + 1),
            &format!("unix:/{}", "p".repeat(SOCKET_PATH_BYTES)),
        ] {
            assert!(raw.parse::<Address>().is_err(), "{raw:?}");
        }
    }
}
