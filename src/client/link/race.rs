//! A name that stands for several addresses: whichever takes the connection first (RFC 8305, "happy eyeballs").
//!
//! IPv6 and IPv4 take turns, IPv6 first. Each next address is tried when the one before has failed, or has not answered for a
//! moment; so a family that is broken on the way costs that moment, and not the time of a whole attempt.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::resolve::is_family_missing;

/// How long one address is waited for before the next is tried too (RFC 8305, section 5).
pub(super) const NEXT_AFTER: Duration = Duration::from_millis(250);

/// Addresses of one name that are tried. With more, the last would begin when the first is given up.
pub(super) const ADDRESSES: usize = 8;

/// How long one address may take: TCP asks a second, a third and a fourth time within it, after 1, 3 and 7 s.
pub(super) const ADDRESS_TIME: Duration = Duration::from_secs(8);

/// Why none of the addresses took the connection: what the most telling of them said.
#[derive(Debug)]
pub(super) struct Unreached {
    /// What it said.
    pub(super) error: io::Error,
    /// Which it was.
    pub(super) at: SocketAddr,
    /// How many were tried.
    pub(super) tried: usize,
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.error)
    }
}

impl std::error::Error for Unreached {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// The order in which they are tried: IPv6 and IPv4 in turns, each family as the resolver has sorted it; at most [`ADDRESSES`].
pub(super) fn in_order(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let mut v6 = addresses.iter().filter(|address| address.is_ipv6());
    let mut v4 = addresses.iter().filter(|address| address.is_ipv4());
    let mut order = Vec::new();
    while order.len() < ADDRESSES {
        let both = [v6.next(), v4.next()];
        if both == [None, None] {
            break;
        }
        order.extend(both.into_iter().flatten().copied());
    }
    order.truncate(ADDRESSES);
    order
}

/// The first connection that any of `addresses` takes, tried in this order. The others are dropped.
pub(super) async fn first<T, F>(
    addresses: &[SocketAddr],
    connect: impl Fn(SocketAddr) -> F,
) -> Result<T, Unreached>
where
    T: Send + 'static,
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    let mut waiting = addresses.iter().copied();
    let mut attempts = JoinSet::new();
    let mut most_telling: Option<Unreached> = None;
    let mut next_at = Instant::now();
    loop {
        tokio::select! {
            biased;
            Some(done) = attempts.join_next() => {
                let (at, error) = match done {
                    Ok((_, Ok(connected))) => return Ok(connected),
                    Ok((at, Err(error))) => (at, error),
                    // The runtime ends, and nobody waits for this any more.
                    Err(_) => continue,
                };
                let tried = most_telling.as_ref().map_or(0, |unreached| unreached.tried) + 1;
                let failed = Unreached { error, at, tried };
                most_telling = Some(match most_telling {
                    Some(before) if reticence(&before.error) <= reticence(&failed.error) => Unreached { tried, ..before },
                    _ => failed,
                });
                next_at = Instant::now();
            }
            () = sleep_until(next_at), if waiting.len() > 0 => {
                if let Some(at) = waiting.next() {
                    let connecting = connect(at);
                    attempts.spawn(async move {
                        let late = || Err(io::ErrorKind::TimedOut.into());
                        (at, timeout(ADDRESS_TIME, connecting).await.unwrap_or_else(|_| late()))
                    });
                }
                next_at = Instant::now() + NEXT_AFTER;
            }
            else => break,
        }
    }
    Err(most_telling.unwrap_or_else(|| Unreached {
        error: io::ErrorKind::AddrNotAvailable.into(),
        at: SocketAddr::from(([0, 0, 0, 0], 0)),
        tried: 0,
    }))
}

/// How little an error says of the parlor: first what comes from its machine, last what is only about this one.
fn reticence(error: &io::Error) -> u8 {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => 0,
        io::ErrorKind::TimedOut => 2,
        io::ErrorKind::HostUnreachable => 3,
        io::ErrorKind::NetworkUnreachable => 4,
        io::ErrorKind::AddrNotAvailable => 5,
        _ if is_family_missing(error) => 5,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tokio::time::sleep;

    fn addresses(raw: &[&str]) -> Vec<SocketAddr> {
        raw.iter().map(|raw| raw.parse().unwrap()).collect()
    }

    /// What an address does, and after how many milliseconds.
    type Acts = fn(SocketAddr) -> (u64, io::Result<&'static str>);

    /// Runs the race; also says when which address was tried, and how long it took.
    async fn race(raw: &[&str], acts: Acts) -> (Result<&'static str, Unreached>, Vec<(u16, u64)>, u64) {
        let started = Instant::now();
        let now = move || u64::try_from(started.elapsed().as_millis()).unwrap();
        let tried = Arc::new(Mutex::new(Vec::new()));
        let outcome = first(&addresses(raw), |at| {
            tried.lock().unwrap().push((at.port(), now()));
            async move {
                let (after, outcome) = acts(at);
                sleep(Duration::from_millis(after)).await;
                outcome
            }
        })
        .await;
        let tried = tried.lock().unwrap().clone();
        (outcome, tried, now())
    }

    fn refused() -> io::Result<&'static str> {
        Err(io::ErrorKind::ConnectionRefused.into())
    }

    const FOREVER: u64 = 3_600_000;

    #[test]
    fn the_families_take_turns_and_many_are_not_tried() {
        let four = addresses(&["1.0.0.1:1", "1.0.0.2:1", "[::1]:1", "1.0.0.3:1"]);
        let order: Vec<String> = in_order(&four).iter().map(|at| at.ip().to_string()).collect();
        assert_eq!(order, ["::1", "1.0.0.1", "1.0.0.2", "1.0.0.3"]);
        let many: Vec<SocketAddr> = (1..100).map(|n| SocketAddr::from(([1, 0, 0, n], 1))).collect();
        assert_eq!(in_order(&many), many[..ADDRESSES]);
        assert!(in_order(&[]).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_family_that_is_a_black_hole_costs_a_moment() {
        let acts: Acts = |at| if at.is_ipv6() { (FOREVER, Ok("v6")) } else { (20, Ok("v4")) };
        let (outcome, tried, took) = race(&["[::1]:1", "1.0.0.1:2"], acts).await;
        assert_eq!(outcome.unwrap(), "v4");
        assert_eq!((tried, took), (vec![(1, 0), (2, 250)], 270));
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_is_tried_at_once_where_one_fails() {
        let acts: Acts = |at| if at.port() < 3 { (10, refused()) } else { (10, Ok("third")) };
        let (outcome, tried, took) = race(&["[::1]:1", "1.0.0.1:2", "[::2]:3", "1.0.0.2:4"], acts).await;
        assert_eq!(outcome.unwrap(), "third");
        assert_eq!((tried, took), (vec![(1, 0), (2, 10), (3, 20)], 30));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_slow_may_still_be_the_first() {
        let acts: Acts = |at| if at.port() == 1 { (300, Ok("first")) } else { (500, Ok("second")) };
        let (outcome, tried, took) = race(&["[::1]:1", "1.0.0.1:2"], acts).await;
        assert_eq!(outcome.unwrap(), "first");
        assert_eq!((tried.len(), took), (2, 300));
    }

    #[tokio::test(start_paused = true)]
    async fn what_says_most_is_told() {
        let acts: Acts = |at| match at.port() {
            1 => (0, Err(io::ErrorKind::NetworkUnreachable.into())),
            2 => (FOREVER, Ok("never")),
            3 => (40, refused()),
            _ => (0, Err(io::ErrorKind::HostUnreachable.into())),
        };
        let (outcome, _, took) = race(&["[::1]:1", "1.0.0.1:2", "[::2]:3", "1.0.0.2:4"], acts).await;
        let unreached = outcome.unwrap_err();
        assert_eq!(unreached.error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!((unreached.at.port(), unreached.tried), (3, 4));
        assert_eq!(took, 8000, "each has its time, and no more");
    }

    #[tokio::test(start_paused = true)]
    async fn no_address_is_no_connection() {
        let unreached = race(&[], |_| (0, Ok("nowhere"))).await.0.unwrap_err();
        assert_eq!(unreached.tried, 0);
    }
}
