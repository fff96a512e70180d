//! So many answers each second, in all and to each address. It knows no clock.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Answers in a second, by each family of addresses: a class that looks at once gets them, and a flood of questions
/// costs 50 kB/s at most.
const IN_ALL: u32 = 100;
/// Of these to one address. A program asks once or twice a second; some are behind one address, as those in containers are.
const TO_EACH: u32 = 8;

/// What was given out in this second. What is refused is not counted: who asks too often gets answers again in the next one.
#[derive(Debug)]
pub(super) struct Quota {
    since: Instant,
    given: u32,
    /// Never more than [`IN_ALL`], whoever asks.
    to: HashMap<IpAddr, u32>,
}

impl Quota {
    /// Nothing is given out yet.
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, given: 0, to: HashMap::new() }
    }

    /// Whether this address gets an answer; then it is counted.
    pub(super) fn take(&mut self, to: IpAddr, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= Duration::from_secs(1) {
            *self = Self::new(now);
        }
        if self.given >= IN_ALL || self.to.get(&to).is_some_and(|given| *given >= TO_EACH) {
            return false;
        }
        self.given += 1;
        *self.to.entry(to).or_default() += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_takes_nothing_from_the_others() {
        let now = Instant::now();
        let mut quota = Quota::new(now);
        let address = |n: u32| IpAddr::from(n.to_be_bytes());
        assert_eq!((0..1000).filter(|_| quota.take(address(1), now)).count(), TO_EACH as usize);
        assert!(quota.take(address(2), now));
    }

    #[test]
    fn a_flood_of_addresses_costs_neither_answers_nor_memory() {
        let now = Instant::now();
        let mut quota = Quota::new(now);
        let given = (0_u32..100_000).filter(|n| quota.take(IpAddr::from(n.to_be_bytes()), now)).count();
        assert_eq!((given, quota.to.len()), (IN_ALL as usize, IN_ALL as usize));
        let later = now + Duration::from_secs(1);
        assert!(quota.take(IpAddr::from([10, 0, 0, 1]), later), "the next second is another one");
        assert_eq!(quota.to.len(), 1);
    }
}
