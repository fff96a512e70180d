//! A token bucket: so many at once, so many each second after that. It knows no clock.

use std::time::{Duration, Instant};

/// One bucket.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    burst: f64,
    per_second: f64,
    /// May be negative: what was taken ahead of its time.
    tokens: f64,
    at: Instant,
}

impl Throttle {
    /// A full bucket of `burst` tokens that gains `per_second` each second. A rate of 0 never limits.
    pub fn new(burst: u32, per_second: f64, now: Instant) -> Self {
        Self { burst: f64::from(burst), per_second, tokens: f64::from(burst), at: now }
    }

    /// Another burst and another rate, from now on. What was taken ahead of its time stays owed.
    pub fn set(&mut self, burst: u32, per_second: f64) {
        (self.burst, self.per_second) = (f64::from(burst), per_second);
    }

    /// Takes one token and says how long to wait until it is there.
    pub fn take(&mut self, now: Instant) -> Duration {
        if self.per_second <= 0.0 {
            return Duration::ZERO;
        }
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * self.per_second;
        self.tokens = (self.tokens + gained).min(self.burst.max(1.0)) - 1.0;
        self.at = now;
        Duration::try_from_secs_f64(-self.tokens / self.per_second).unwrap_or(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_burst_is_free_and_the_rest_waits_its_turn() {
        let start = Instant::now();
        let mut throttle = Throttle::new(20, 5.0, start);
        for _ in 0..20 {
            assert_eq!(throttle.take(start), Duration::ZERO);
        }
        assert_eq!(throttle.take(start), Duration::from_millis(200));
        assert_eq!(throttle.take(start), Duration::from_millis(400));
        assert_eq!(throttle.take(start + Duration::from_millis(600)), Duration::ZERO);
    }

    #[test]
    fn rest_refills_to_the_burst_and_not_beyond() {
        let start = Instant::now();
        let mut throttle = Throttle::new(2, 5.0, start);
        let later = start + Duration::from_secs(3600);
        assert_eq!(throttle.take(later), Duration::ZERO);
        assert_eq!(throttle.take(later), Duration::ZERO);
        assert!(throttle.take(later) > Duration::ZERO);
    }

    #[test]
    fn another_rate_holds_from_the_next_token_on() {
        let start = Instant::now();
        let mut throttle = Throttle::new(20, 5.0, start);
        throttle.set(1, 10.0);
        assert_eq!(throttle.take(start), Duration::ZERO);
        assert_eq!(throttle.take(start), Duration::from_millis(100));
        throttle.set(1, 0.0);
        assert_eq!(throttle.take(start), Duration::ZERO);
    }

    #[test]
    fn no_rate_is_no_limit() {
        let start = Instant::now();
        let mut throttle = Throttle::new(0, 0.0, start);
        assert!((0..1000).all(|_| throttle.take(start) == Duration::ZERO));
    }
}
