//! A clock that does not jump ahead at once: for what cannot be undone, as forgetting what is old.
//!
//! A machine that wakes up, or whose clock was never set, may believe for a while that it is another year. A clock that is
//! kept right is set back soon; until then time goes on here as if nothing had happened.
//!
//! This covers jumps while the server runs, and no others: what a clock says when the server starts is believed, for there is
//! nothing to hold against it. On a machine that starts with a wrong clock, the server is to be started when it is set.

use std::time::Duration;

use tokio::time::Instant;

use crate::protocol::time::Time;

/// Milliseconds by which a clock may be ahead of what has passed: more than one drifts and is set by between two looks.
const SLACK: i64 = 5 * 60 * 1000;

/// How long a clock must stay ahead before it is believed: time for a machine to find its network and the right time, and not
/// long for whoever waits that something is forgotten.
const BELIEVED_AFTER: Duration = Duration::from_secs(60 * 60);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steady {
    /// What the clock said when it was believed last, and when that was.
    believed: (Time, Instant),
    /// Since when it is too far ahead.
    ahead_since: Option<Instant>,
}

impl Steady {
    /// Believes what the clock says.
    pub(super) fn new(clock: Time, now: Instant) -> Self {
        Self { believed: (clock, now), ahead_since: None }
    }

    /// What time it is, where the clock says this. Back it goes at once: then less is old.
    pub(super) fn tell(&mut self, clock: Time, now: Instant) -> Time {
        let (time, at) = self.believed;
        let passed = i64::try_from(now.saturating_duration_since(at).as_millis()).unwrap_or(i64::MAX);
        let expected = time.shifted(passed);
        if clock > expected.shifted(SLACK) {
            let since = *self.ahead_since.get_or_insert(now);
            if now.saturating_duration_since(since) < BELIEVED_AFTER {
                return expected;
            }
        }
        *self = Self::new(clock, now);
        clock
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;
    const YEAR: i64 = 365 * 24 * 60 * MINUTE;

    #[test]
    fn a_clock_that_jumps_ahead_is_not_believed_at_once() {
        let start = Instant::now();
        let after = |minutes: u64| start + Duration::from_secs(60 * minutes);
        let clock = |minutes: i64| Time::from_millis(1_795_258_920_000 + minutes * MINUTE);
        let mut steady = Steady::new(clock(0), start);
        assert_eq!(steady.tell(clock(12), after(10)), clock(12), "a little ahead");
        // A year ahead, and set right after half an hour: nobody has noticed.
        let wrong = |minutes| clock(minutes).shifted(YEAR);
        assert_eq!(steady.tell(wrong(20), after(20)), clock(22));
        assert_eq!(steady.tell(wrong(40), after(40)), clock(42));
        assert_eq!(steady.tell(clock(50), after(50)), clock(50));
        // It stays ahead: after an hour that is the time. The machine may have slept.
        assert_eq!(steady.tell(wrong(60), after(60)), clock(60));
        assert_eq!(steady.tell(wrong(119), after(119)), clock(119));
        assert_eq!(steady.tell(wrong(120), after(120)), wrong(120));
        assert_eq!(steady.tell(wrong(130), after(130)), wrong(130));
        assert_eq!(steady.tell(clock(140), after(140)), clock(140), "back at once");
    }
}
