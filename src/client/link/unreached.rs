//! Why there is no connection to an address: a sentence for each way in which that fails, and what to do about it.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::dial::{Dialing, Stream};
use super::ending::Break;
use super::race::Unreached;
use crate::protocol::address::Address;
use crate::resolve::{ResolveError, is_family_missing};

/// What to do about a connection that does not come about.
enum Remedy {
    /// It may pass: a server starts, a network comes back.
    Later(String),
    /// It will not pass by itself.
    Never(String),
}

fn later(sentence: &str) -> Remedy {
    Remedy::Later(sentence.to_owned())
}

fn never(sentence: &str) -> Remedy {
    Remedy::Never(sentence.to_owned())
}

const SILENT: &str = "it does not answer: check the address, and whether a firewall is between";

/// Waits for a connection to `address`, so long at most, and says in a sentence why there is none.
pub(super) async fn within(
    time: Duration,
    address: &Address,
    dialing: Dialing,
) -> Result<Box<dyn Stream>, Break> {
    let remedy = match timeout(time, dialing).await {
        Ok(Ok(socket)) => return Ok(socket),
        Err(_) => later(SILENT),
        Ok(Err(error)) => match address {
            Address::Tcp { .. } => over_tcp(address, &error),
            Address::Unix(path) => at_a_socket(path, &error),
        },
    };
    Err(match remedy {
        Remedy::Later(remedy) => Break::Connect(format!("cannot connect to {address}: {remedy}")),
        Remedy::Never(remedy) => Break::Hopeless(format!("cannot connect to {address}: {remedy}")),
    })
}

fn over_tcp(address: &Address, error: &io::Error) -> Remedy {
    let inner = error.get_ref();
    if let Some(why) = inner.and_then(|inner| inner.downcast_ref::<ResolveError>()) {
        return match why {
            ResolveError::NoAnswer | ResolveError::Failed(_) => Remedy::Later(why.to_string()),
            _ => Remedy::Never(why.to_string()),
        };
    }
    let Some(unreached) = inner.and_then(|inner| inner.downcast_ref::<Unreached>()) else {
        return Remedy::Later(of_an_attempt(address.ip().is_some_and(|ip| ip.is_ipv6()), error));
    };
    let remedy = of_an_attempt(unreached.at.is_ipv6(), &unreached.error);
    Remedy::Later(match unreached.tried {
        0 | 1 => remedy,
        tried => format!("{remedy} (of {tried} addresses that it has, none can be reached)"),
    })
}

/// Why one attempt over TCP failed.
fn of_an_attempt(v6: bool, error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens there: is the parlor running?",
        io::ErrorKind::TimedOut => SILENT,
        io::ErrorKind::HostUnreachable => "no machine answers there: is it on, and in this network?",
        _ if is_family_missing(error) && v6 => "this machine has no IPv6: use an IPv4 address of it",
        _ if is_family_missing(error) => "this machine has no IPv4: use an IPv6 address of it",
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::AddrNotAvailable if v6 => {
            "this machine has no way to it over IPv6: use an IPv4 address of it, or check the network"
        }
        io::ErrorKind::NetworkUnreachable => "there is no way to it from here: check the network",
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no port left to leave by: close some connections"
        }
        io::ErrorKind::PermissionDenied => {
            "this machine does not let it out: check its firewall, and that this is the address of one machine"
        }
        io::ErrorKind::ConnectionReset => {
            "it broke the connection at once: is a firewall between, or too much going on there?"
        }
        _ => return error.to_string(),
    };
    remedy.to_owned()
}

/// Why nobody answers at a Unix socket. The system says the same of a socket that was left behind, a file and a folder.
fn at_a_socket(path: &Path, error: &io::Error) -> Remedy {
    let found = std::fs::symlink_metadata(path).and_then(|_| std::fs::metadata(path));
    let stale = "nobody listens at that socket any more: is the parlor running?";
    match (error.kind(), found) {
        (io::ErrorKind::NotFound, _) => later("there is no such socket: is the parlor running?"),
        (io::ErrorKind::PermissionDenied, _) => never(
            "this user may not use that socket: its host says who may, by --socket-mode and --socket-group",
        ),
        (io::ErrorKind::Unsupported, _) => never("this system has no Unix sockets"),
        (_, Ok(found)) if found.is_dir() => never("that is a folder: name the socket in it"),
        (_, Ok(found)) if found.is_file() => never("that is a file and no socket: check the path"),
        (io::ErrorKind::ConnectionRefused, _) => later(stale),
        (io::ErrorKind::WouldBlock, _) => later("too many wait at that socket already: try again later"),
        (io::ErrorKind::NotADirectory, _) => {
            never("what stands before the last / is no folder: check the path")
        }
        _ => Remedy::Later(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(address: &str, error: io::Error) -> String {
        let address: Address = address.parse().unwrap();
        let dialing: Dialing = Box::pin(async move { Err(error) });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        match runtime.block_on(within(Duration::from_secs(60), &address, dialing)) {
            Err(Break::Connect(why)) => format!("later: {why}"),
            Err(Break::Hopeless(why)) => format!("never: {why}"),
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("connected"),
        }
    }

    fn of_several(kind: io::ErrorKind, tried: usize) -> io::Error {
        let at = "[::1]:7878".parse().unwrap();
        io::Error::new(kind, Unreached { error: kind.into(), at, tried })
    }

    #[test]
    fn each_way_to_fail_has_its_sentence() {
        use io::ErrorKind::{
            AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable, PermissionDenied,
            TimedOut,
        };
        let mut all = Vec::new();
        for (kind, words) in [
            (
                ConnectionRefused,
                "later: cannot connect to lab:7878: nothing listens there: is the parlor running?",
            ),
            (TimedOut, "it does not answer: check the address, and whether a firewall is between"),
            (HostUnreachable, "no machine answers there: is it on, and in this network?"),
            (NetworkUnreachable, "no way to it over IPv6: use an IPv4 address of it"),
            (PermissionDenied, "does not let it out: check its firewall"),
        ] {
            let said = sentence("lab", of_several(kind, 1));
            assert!(said.contains(words), "{said}");
            assert!(!all.contains(&said), "twice: {said}");
            all.push(said);
        }
        assert_eq!(sentence("[::1]", AddrNotAvailable.into()), sentence("[::1]", NetworkUnreachable.into()));
        assert!(sentence("1.0.0.1", AddrNotAvailable.into()).contains("no port left"));
        assert!(sentence("1.0.0.1", NetworkUnreachable.into()).contains("no way to it from here"));
        assert!(
            sentence("lab", of_several(ConnectionRefused, 3))
                .ends_with("is the parlor running? (of 3 addresses that it has, none can be reached)")
        );
        let unresolved = |why| sentence("lab", io::Error::new(io::ErrorKind::NotFound, why));
        assert!(
            unresolved(ResolveError::NoAnswer)
                .starts_with("later: cannot connect to lab:7878: the name server does not")
        );
        assert!(
            unresolved(ResolveError::NoSuchName)
                .starts_with("never: cannot connect to lab:7878: no such name")
        );
    }

    #[test]
    fn a_name_that_does_not_answer_in_time_is_told() {
        let address: Address = "lab".parse().unwrap();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let never: Dialing = Box::pin(std::future::pending());
        let why = runtime.block_on(within(Duration::from_secs(10), &address, never)).err().unwrap();
        assert_eq!(why.to_string(), format!("cannot connect to lab:7878: {SILENT}"));
    }
}
