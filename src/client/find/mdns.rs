//! The ear for multicast DNS: the library's daemon, a thread of this process, and what it says of parlors.
//!
//! - The thread MUST end when this is dropped.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use mdns_sd::{MDNS_PORT, Receiver, ResolvedService, ScopedIp, ServiceDaemon, ServiceEvent};

use super::reach::{Reach, Zone};
use crate::multicast::{remembers_too_much, try_port};
use crate::protocol::announcement::{Announcement, SERVICE};

/// Names of services that one daemon is let remember. Whoever announces more of them fills memory and makes us ask for
/// each: then the daemon is ended, with all that it remembers.
const INSTANCES: usize = 1_000;

/// Time in which a parlor must confirm what is remembered of it. Two questions, a second apart, are sent.
pub(super) const CONFIRMED_WITHIN: Duration = Duration::from_secs(6);

/// Orders to look that may be on their way at once: the last one finds all that the next one would.
const ORDERS: usize = 2;

/// What is heard.
#[derive(Debug)]
pub(super) enum News {
    /// A parlor is announced under this name of a service.
    Resolved { instance: String, said: Announcement, reach: Vec<Reach> },
    /// Nothing is announced under this name any more.
    Removed { instance: String },
    /// So much was announced that this daemon is of no use any more.
    Flooded,
}

/// A daemon that looks for parlors.
pub(super) struct Services {
    daemon: ServiceDaemon,
    /// Of all our orders to look; the last of them is the one that holds. What the others still hold is not lost.
    events: VecDeque<Receiver<ServiceEvent>>,
    found: HashSet<String>,
}

impl Services {
    /// # Errors
    /// A sentence for people.
    pub(super) fn start() -> Result<Self, String> {
        let alone = |error| format!("multicast DNS cannot be heard ({error}): going on by broadcast");
        // The daemon does not say so when it hears nothing.
        try_port(true).map_err(|error| alone(format!("UDP port {MDNS_PORT}: {error}")))?;
        let daemon = ServiceDaemon::new().map_err(|error| alone(error.to_string()))?;
        // From here on it is stopped, whatever happens.
        let mut services = Self { daemon, events: VecDeque::new(), found: HashSet::new() };
        let events = services.daemon.browse(SERVICE).map_err(|error| alone(error.to_string()))?;
        services.events.push_back(events);
        Ok(services)
    }

    /// Waits for news. Safe to cancel.
    pub(super) async fn news(&mut self) -> News {
        loop {
            let Some(events) = self.events.front() else { return News::Flooded };
            let Ok(event) = events.recv_async().await else {
                // A later order has taken its place. Or it was the last: the daemon closes the channel of somebody who
                // does not keep up with it.
                self.events.pop_front();
                continue;
            };
            match event {
                ServiceEvent::ServiceFound(_, instance) => {
                    self.found.insert(instance);
                    if self.found.len() > INSTANCES {
                        return News::Flooded;
                    }
                }
                ServiceEvent::ServiceResolved(service) => {
                    let field = |key: &str| service.get_property_val_str(key);
                    match Announcement::from_txt(service.get_port(), field) {
                        Some(said) => {
                            let reach = reach(&service);
                            return News::Resolved { instance: service.fullname, said, reach };
                        }
                        // It may have been one before.
                        None => return News::Removed { instance: service.fullname },
                    }
                }
                ServiceEvent::ServiceRemoved(_, instance) => {
                    self.found.remove(&instance);
                    return News::Removed { instance };
                }
                _ => {}
            }
        }
    }

    /// Whether so much was announced, of whatever kind, that this daemon is of no use any more.
    pub(super) async fn is_flooded(&self) -> bool {
        remembers_too_much(&self.daemon).await
    }

    /// Asks whether this is there still; if not, it is removed after [`CONFIRMED_WITHIN`].
    pub(super) fn confirm(&self, instance: String) {
        // Not taken, or taken by a daemon that has ended: it is asked again the next time.
        drop(self.daemon.verify(instance, CONFIRMED_WITHIN));
    }

    /// Looks anew, soon and often: for one that may have been removed because its answer was lost.
    pub(super) fn again(&mut self) {
        if self.events.len() < ORDERS
            && let Ok(events) = self.daemon.browse(SERVICE)
        {
            self.events.push_back(events);
        }
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        // Its queue holds a hundred orders, and we give far fewer in the time in which it takes all of them: it has room
        // for this one. And if it has ended by itself, so much the better.
        drop(self.daemon.shutdown());
    }
}

/// Where it says that it is. Loopback addresses are left out: anybody on the network can announce them, and they would lead to
/// this machine. A parlor that runs here is heard at its other addresses, and answers datagrams.
fn reach(service: &ResolvedService) -> Vec<Reach> {
    let reach = service.get_addresses().iter().filter_map(|address| {
        let zone = match address {
            ScopedIp::V6(v6) => Some(v6.scope_id()),
            _ => None,
        };
        let zone = zone.map(|zone| Zone { name: zone.name.clone(), index: zone.index });
        Reach::new(address.to_ip_addr(), zone)
    });
    reach.filter(|reach| !reach.is_loopback()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mdns_sd::ServiceInfo;

    #[test]
    fn nobody_is_on_this_machine_by_saying_so() {
        let addresses = "127.0.0.1,192.168.1.66,::1,127.9.9.9,2001:db8::1";
        let properties = [("txtvers", "1")];
        let service = ServiceInfo::new(SERVICE, "x", "x.local.", addresses, 7878, &properties[..]).unwrap();
        let mut found: Vec<String> = reach(&service.as_resolved_service())
            .into_iter()
            .map(|reach| reach.address(7878).to_string())
            .collect();
        found.sort();
        assert_eq!(found, ["192.168.1.66:7878", "[2001:db8::1]:7878"]);
    }
}
