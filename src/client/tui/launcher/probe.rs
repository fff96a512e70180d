//! Whether something listens at an address: a connection is opened and closed again, and nothing is said.

use std::io;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::client::link::dial;
use crate::protocol::address::Address;

/// How long an answer may take: on a network that one can talk over it takes no tenth of it.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Addresses that are looked at together.
const AT_ONCE: usize = 4;

/// The time between two looks at all of them. Whoever watches such a list waits for somebody to open; and to a parlor each
/// look is a connection that says nothing.
const AGAIN: Duration = Duration::from_secs(10);

/// How it stands with an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// It was not looked at yet.
    #[default]
    Unknown,
    /// Something accepts connections.
    Here,
    /// The machine is there, and nothing listens.
    Nothing,
    /// There is no answer.
    Silent,
    /// There is no way to it: no such name, no such network.
    NoWay,
}

/// Looks at one address.
pub async fn reach(address: &Address) -> Reach {
    match timeout(ANSWERS_WITHIN, dial(address)).await {
        Ok(Ok(_)) => Reach::Here,
        Err(_) => Reach::Silent,
        Ok(Err(error)) => match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => Reach::Nothing,
            io::ErrorKind::TimedOut => Reach::Silent,
            _ => Reach::NoWay,
        },
    }
}

/// Looks at all of them, again and again, until the receiver is dropped. Must be called within a tokio runtime.
pub(super) fn watch(addresses: Vec<Address>) -> mpsc::Receiver<(Address, Reach)> {
    let (seen, seeing) = mpsc::channel(AT_ONCE);
    tokio::spawn(async move {
        tokio::select! {
            () = seen.closed() => {}
            () = go_round(&addresses, &seen) => {}
        }
    });
    seeing
}

async fn go_round(addresses: &[Address], seen: &mpsc::Sender<(Address, Reach)>) {
    loop {
        for some in addresses.chunks(AT_ONCE) {
            let mut looking = JoinSet::new();
            for address in some.iter().cloned() {
                looking.spawn(async move {
                    let reach = reach(&address).await;
                    (address, reach)
                });
            }
            while let Some(Ok(found)) = looking.join_next().await {
                if seen.send(found).await.is_err() {
                    return;
                }
            }
        }
        sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn who_listens_is_seen_and_who_does_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open: Address = listener.local_addr().unwrap().to_string().parse().unwrap();
        let closing = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed: Address = closing.local_addr().unwrap().to_string().parse().unwrap();
        drop(closing);
        assert_eq!((reach(&open).await, reach(&closed).await), (Reach::Here, Reach::Nothing));
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(reach(&Address::Unix(folder.path().join("none"))).await, Reach::Nothing);
        let mut seeing = watch(vec![open.clone(), closed.clone()]);
        let (one, other) = (seeing.recv().await.unwrap(), seeing.recv().await.unwrap());
        for expected in [(open, Reach::Here), (closed, Reach::Nothing)] {
            assert!(one == expected || other == expected, "{expected:?}");
        }
    }
}
