//! How far the server's clock is from ours, by the four moments of a ping and its answer (RFC 5905, section 8). It has no
//! clock of its own.
//!
//! Nobody can tell a way there that is slower than the way back from a clock that is wrong; but half of the time that was
//! spent under way is the most by which one exchange can err. So of the last few those count that took the shortest.

use std::collections::VecDeque;
use std::time::Duration;

use crate::protocol::time::Time;

/// Exchanges that are remembered: NTP's clock filter has as many. At one in 15 s they are two minutes.
const KEPT: usize = 8;

/// Microseconds by which two exchanges may differ beyond what their ways explain: their moments are whole milliseconds, and
/// over the time of [`KEPT`] clocks drift apart by what a poor quartz does, 300 parts in a million.
const TOLERANCE: i64 = 40_000;

/// A ping and its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange {
    /// When the server had the ping, by its clock.
    pub(super) received: Time,
    /// When it answered, by its clock.
    pub(super) answered: Time,
    /// When we had the answer, by our clock.
    pub(super) heard: Time,
    /// How long that was after the ping, by a clock that nobody sets.
    pub(super) took: Duration,
}

/// What is to be added to our clock to get the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Estimate {
    /// Milliseconds; the server's clock minus ours.
    pub(super) offset: i64,
    /// By how much that may be wrong, at most.
    pub(super) within: Duration,
}

/// One exchange, in microseconds.
#[derive(Clone, Copy, Debug)]
struct Sample {
    offset: i64,
    /// Time under way, there and back.
    delay: i64,
}

impl Sample {
    /// Whether two clocks that nobody has set can have given both.
    fn agrees(self, other: Self) -> bool {
        let most = self.delay / 2 + other.delay / 2 + TOLERANCE;
        self.offset.abs_diff(other.offset) <= most.unsigned_abs()
    }
}

impl Exchange {
    /// `None` where the server's clock was set in between, so that it says nothing.
    fn sample(self) -> Option<Sample> {
        let took = i64::try_from(self.took.as_micros()).ok()?;
        let micros = |time: Time| time.as_millis().saturating_mul(1000);
        let (received, answered, heard) = (micros(self.received), micros(self.answered), micros(self.heard));
        // By the clock that nobody sets, so that ours may jump while the ping is under way.
        let sent = heard.saturating_sub(took);
        let held = answered.saturating_sub(received);
        // A millisecond, because its moments are whole ones.
        if held < 0 || held > took.saturating_add(1000) {
            return None;
        }
        let there = received.saturating_sub(sent);
        let back = answered.saturating_sub(heard);
        Some(Sample { offset: there / 2 + back / 2, delay: took.saturating_sub(held).max(0) })
    }
}

/// What the exchanges of one connection say together.
#[derive(Debug, Default)]
pub(super) struct Clock {
    samples: VecDeque<Sample>,
}

impl Clock {
    /// Takes in an exchange. Earlier ones that contradict it are forgotten: a clock was set in between.
    pub(super) fn add(&mut self, exchange: Exchange) {
        let Some(sample) = exchange.sample() else { return };
        self.samples.retain(|earlier| earlier.agrees(sample));
        self.samples.push_back(sample);
        if self.samples.len() > KEPT {
            self.samples.pop_front();
        }
    }

    /// The median of the half that was under way for the shortest time; `None` before the first exchange.
    pub(super) fn estimate(&self) -> Option<Estimate> {
        let mut best: Vec<Sample> = self.samples.iter().copied().collect();
        best.sort_by_key(|sample| sample.delay);
        best.truncate(best.len().div_ceil(2));
        let slowest = best.last()?.delay;
        best.sort_by_key(|sample| sample.offset);
        let median = best.get(best.len() / 2)?.offset;
        // The moments are cut off to milliseconds.
        let within =
            Duration::from_micros(u64::try_from(slowest / 2).unwrap_or(0)) + Duration::from_millis(1);
        Some(Estimate { offset: (median + 500).div_euclid(1000), within })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const BEGIN: i64 = 1_795_258_920_000;

    /// A ping at `at` (ours), with a server that is `offset` milliseconds ahead and needs `held`; ways in milliseconds.
    fn exchange(at: i64, offset: i64, (there, held, back): (u32, u32, u32)) -> Exchange {
        let received = at + i64::from(there) + offset;
        let answered = received + i64::from(held);
        let took = there + held + back;
        Exchange {
            received: Time::from_millis(received),
            answered: Time::from_millis(answered),
            heard: Time::from_millis(at + i64::from(took)),
            took: Duration::from_millis(took.into()),
        }
    }

    fn offset(clock: &Clock) -> i64 {
        clock.estimate().unwrap().offset
    }

    #[test]
    fn what_takes_the_shortest_counts() {
        let mut clock = Clock::default();
        assert_eq!(clock.estimate(), None);
        clock.add(exchange(BEGIN, 5_000, (400, 0, 0)));
        assert_eq!(clock.estimate(), Some(Estimate { offset: 5_200, within: Duration::from_millis(201) }));
        for (number, ways) in (1..).zip([(2, 0, 2), (3, 40, 1), (300, 0, 20), (1, 0, 1)]) {
            clock.add(exchange(BEGIN + number * 15_000, 5_000, ways));
        }
        assert_eq!(clock.estimate(), Some(Estimate { offset: 5_000, within: Duration::from_millis(3) }));
    }

    #[test]
    fn our_clock_may_jump_while_a_ping_is_under_way() {
        let mut clock = Clock::default();
        clock.add(exchange(BEGIN, 0, (2, 0, 2)));
        // It is set an hour back meanwhile: from then on the server is an hour ahead.
        let late = exchange(BEGIN + 15_000, 0, (2, 0, 2));
        clock.add(Exchange { heard: late.heard.shifted(-3_600_000), ..late });
        assert_eq!(offset(&clock), 3_600_000);
    }

    #[test]
    fn a_server_that_makes_no_sense_is_not_believed() {
        let mut clock = Clock::default();
        let usual = exchange(BEGIN, 70, (2, 1, 2));
        for (received, answered) in [(5_000, 0), (0, 5_000), (i64::MAX, i64::MIN), (i64::MIN, i64::MAX)] {
            let (received, answered) = (Time::from_millis(received), Time::from_millis(answered));
            clock.add(Exchange { received, answered, ..usual });
        }
        assert_eq!(clock.estimate(), None);
        let (first, last) = (Time::from_millis(i64::MIN), Time::from_millis(i64::MAX));
        clock.add(Exchange { received: first, answered: first, heard: last, took: Duration::MAX });
        clock.add(Exchange { received: first, answered: first, heard: last, took: Duration::from_secs(1) });
        clock.add(Exchange { received: last, answered: last, heard: first, took: Duration::from_secs(1) });
        clock.add(usual);
        assert_eq!(offset(&clock), 70);
    }

    fn ways(most: u32) -> impl Strategy<Value = (u32, u32, u32)> {
        (0..=most, 0..=50_u32, 0..=most)
    }

    proptest! {
        /// However much slower one way is than the other, by up to `most`, the error is at most half of that.
        #[test]
        fn the_error_is_at_most_half_of_the_jitter(
            (most, all) in (0..2_000_u32).prop_flat_map(|most| (Just(most), vec(ways(most), 1..30))),
            truth in -10_000_000_000..10_000_000_000_i64,
        ) {
            let mut clock = Clock::default();
            for (number, ways) in (0..).zip(all) {
                clock.add(exchange(BEGIN + number * 15_000, truth, ways));
                let Estimate { offset, within } = clock.estimate().unwrap();
                let error = (offset - truth).abs();
                prop_assert!(error <= i64::from(most / 2) + 1, "{error} ms with {most}");
                prop_assert!(u128::from(error.unsigned_abs()) <= within.as_millis(), "{error} ms, and {within:?} was promised");
            }
        }

        /// Whoever's clock jumps, by however much: a jump that cannot be jitter is followed at once, and any other once all
        /// that was measured before it is forgotten.
        #[test]
        fn a_jump_is_followed(
            before in vec(ways(50), 0..12),
            behind in vec(ways(50), KEPT..12),
            truth in -10_000_000..10_000_000_i64,
            jump in -10_000_000..10_000_000_i64,
        ) {
            let mut clock = Clock::default();
            for (number, ways) in (0..).zip(before) {
                clock.add(exchange(BEGIN + number * 15_000, truth, ways));
            }
            for (number, ways) in (0..).zip(behind) {
                clock.add(exchange(BEGIN + 1_000_000 + number * 15_000, truth + jump, ways));
                let error = (offset(&clock) - truth - jump).abs();
                let seen = jump.abs() > 2 * 50 + TOLERANCE / 1000;
                if seen || number + 1 >= i64::try_from(KEPT).unwrap() {
                    prop_assert!(error <= 26, "{error} ms after {} pings", number + 1);
                }
            }
        }
    }
}
