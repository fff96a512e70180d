//! A parlor as a service of multicast DNS (RFC 6762, RFC 6763), as printers are announced. `mdns-sd` does it on a thread of
//! its own, which follows the networks of this machine as they come and go; here is what it is told, and its end.

use std::io;
use std::time::Duration;

use mdns_sd::{DaemonStatus, Error, IfKind, IfPredicate, MDNS_PORT, ServiceDaemon, ServiceInfo};
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::{Context, RETRY, Reach};
use crate::multicast::{remembers_too_much, try_port};
use crate::protocol::announcement::{ANNOUNCED_NAME_BYTES, Announcement, SERVICE};

/// How often it is looked whether there is something new to say: people come and go, and each change is told to everyone on
/// the network.
const NEWS_EVERY: Duration = Duration::from_secs(5);
/// For the goodbye, of the 5 s in which a server ends. It takes some milliseconds.
const GOODBYE_TIME: Duration = Duration::from_secs(1);
/// How long it may take to say that it is alive.
const STATUS_TIME: Duration = Duration::from_secs(1);
/// Digits of the id that make the name of a service unlike all others.
const ID_DIGITS: usize = 8;

/// The voice of one parlor. The thread ends with it, whatever path it goes.
#[derive(Debug)]
pub(super) struct Voice {
    reach: Reach,
    daemon: Option<Daemon>,
}

/// Ends its thread when dropped; that says goodbye first.
struct Daemon(ServiceDaemon);

impl std::fmt::Debug for Daemon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Daemon")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            debug!(%error, "multicast DNS has ended already");
        }
    }
}

/// Why nothing is said.
#[derive(Debug, thiserror::Error)]
enum Mute {
    /// Another program has the port, and does not share it.
    #[error("UDP port {MDNS_PORT} cannot be used: {0}")]
    Port(io::Error),
    /// The thread.
    #[error(transparent)]
    Daemon(#[from] Error),
}

impl Voice {
    /// Says nothing yet.
    pub(super) fn new(reach: Reach) -> Self {
        Self { reach, daemon: None }
    }

    /// Says what there is to say, and again when it changes, for ever.
    pub(super) async fn keep_up(&mut self, context: &Context) {
        let (mut said, mut told) = (None, false);
        loop {
            if !self.is_alive().await {
                said = None;
            }
            let now = context.announcement(&self.reach);
            let done = if said.as_ref() == Some(&now) { Ok(()) } else { self.say(&now) };
            match done {
                Ok(()) => {
                    (said, told) = (Some(now), false);
                    sleep(NEWS_EVERY).await;
                }
                Err(error) => {
                    if told {
                        debug!(%error, "still not announced by multicast DNS");
                    } else {
                        warn!(%error, "this parlor is not announced by multicast DNS; `parlor find` may find it nevertheless");
                    }
                    told = true;
                    sleep(RETRY).await;
                }
            }
        }
    }

    /// Whether there is a thread that says what it was told. One that was told too much by others is ended: it hears all that
    /// is announced, and need not.
    async fn is_alive(&mut self) -> bool {
        let Some(Daemon(daemon)) = &self.daemon else { return false };
        let alive = match daemon.status() {
            Ok(status) => match timeout(STATUS_TIME, status.recv_async()).await {
                Ok(status) => matches!(status, Ok(DaemonStatus::Running)),
                Err(_) => true,
            },
            // It has much to do, and will get to it.
            Err(Error::Again) => true,
            Err(_) => false,
        };
        let flooded = alive && remembers_too_much(daemon).await;
        if flooded {
            warn!(
                "more is announced by multicast DNS than can be true: it is forgotten, and this parlor announced anew"
            );
        }
        if !alive || flooded {
            self.daemon = None;
        }
        self.daemon.is_some()
    }

    fn say(&mut self, announcement: &Announcement) -> Result<(), Mute> {
        if self.daemon.is_none() {
            is_possible(&self.reach).map_err(Mute::Port)?;
            self.daemon = Some(Daemon(ServiceDaemon::new()?));
        }
        if let Some(Daemon(daemon)) = &self.daemon {
            daemon.register(service(announcement, &self.reach)?)?;
        }
        Ok(())
    }

    /// Tells everyone that the parlor is not there any more, and ends the thread.
    pub(super) async fn say_goodbye(self) {
        let Some(Daemon(daemon)) = &self.daemon else { return };
        if let Ok(ended) = daemon.shutdown()
            && timeout(GOODBYE_TIME, ended.recv_async()).await.is_err()
        {
            debug!("multicast DNS took too long to say goodbye");
        }
    }
}

/// The service that an announcement is.
fn service(announcement: &Announcement, reach: &Reach) -> Result<ServiceInfo, Error> {
    let host = format!("parlor-{}.local.", announcement.id.simple());
    let (none, port) = ((), announcement.port);
    let service =
        ServiceInfo::new(SERVICE, &instance(announcement), &host, none, port, &announcement.to_txt()[..])?;
    let mut service = service.enable_addr_auto();
    // Both of its names hold the id of the log: nobody else has them, so nobody is asked. Whoever could answer that
    // they are taken would keep the parlor from being found.
    service.set_requires_probe(false);
    let reach = reach.clone();
    let here = IfPredicate::new(move |interface| reach.covers(interface.ip()));
    service.set_interfaces(vec![IfKind::Predicate(here)]);
    Ok(service)
}

/// The name of the service: two parlors may be called the same.
fn instance(announcement: &Announcement) -> String {
    let id = announcement.id.simple().to_string();
    let digits = id.get(..ID_DIGITS).unwrap_or(&id);
    let name = announcement.name.as_str();
    // In the label there must be room for the space and the parentheses, too.
    let name = &name[..name.floor_char_boundary(ANNOUNCED_NAME_BYTES - ID_DIGITS - 3)];
    let name = if name.is_empty() { "parlor" } else { name };
    format!("{name} ({digits})")
}

/// Tries the port. The thread would say nothing if it did not get it, and not try again.
fn is_possible(reach: &Reach) -> io::Result<()> {
    if reach.has_family(true) {
        try_port(true)?;
    }
    if reach.has_family(false) {
        let tried = try_port(false);
        // A machine without IPv6 misses nothing.
        return tried
            .or_else(|error| if error.kind() == io::ErrorKind::AddrInUse { Err(error) } else { Ok(()) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::text::Line;
    use uuid::Uuid;

    fn announcement(name: &str) -> Announcement {
        Announcement {
            id: Uuid::from_u128(0x1234_5678 << 96),
            name: Line::lossy(name),
            port: 7878,
            people: 3,
            open: true,
            fingerprint: None,
        }
    }

    #[test]
    fn whatever_it_is_called_it_is_a_service_with_a_name_of_its_own() {
        let reach = Reach::of(std::iter::once("0.0.0.0:7878".parse().unwrap())).unwrap();
        for (name, shown) in [
            ("lab", "lab (12345678)"),
            ("", "parlor (12345678)"),
            ("a.host.of.mine\\", "a.host.of.mine\\ (12345678)"),
            (&"\u{e9}".repeat(100), &format!("{} (12345678)", "\u{e9}".repeat(26))),
        ] {
            let said = announcement(name);
            assert_eq!(instance(&said), shown);
            assert!(instance(&said).len() <= ANNOUNCED_NAME_BYTES);
            let service = service(&said, &reach).unwrap();
            assert_eq!(service.get_property_val_str("people"), Some("3"));
            assert_eq!(service.get_hostname(), "parlor-12345678000000000000000000000000.local.");
        }
    }
}
