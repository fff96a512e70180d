//! How values are spread, in a fixed number of counters.
//!
//! The buckets grow with the values: four for each power of two, so that what is read is at most a quarter above what
//! was recorded. Values below 8 have a bucket each.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::protocol::event::Spread;

/// Buckets for each power of two, and its logarithm.
const PARTS: usize = 4;
const PARTS_LOG: u32 = 2;
/// Values from here on share the last bucket: 2^32, which is more than an hour in microseconds.
const END_LOG: u32 = 32;
/// One for each value below [`PARTS`], and [`PARTS`] for each power of two from there on.
const BUCKETS: usize = PARTS + PARTS * (END_LOG - PARTS_LOG) as usize;

/// Counts of values. Adding to it neither waits nor asks for memory.
#[derive(Debug)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    max: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: array::from_fn(|_| AtomicU64::new(0)), max: AtomicU64::new(0) }
    }
}

impl Histogram {
    /// Counts one value.
    pub fn record(&self, value: u64) {
        if let Some(bucket) = self.buckets.get(bucket_of(value)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.max.fetch_max(value, Ordering::Relaxed);
    }

    /// How many values there were.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }

    /// What there is to say of them.
    pub fn spread(&self) -> Spread {
        let counts: [u64; BUCKETS] = array::from_fn(|place| self.buckets[place].load(Ordering::Relaxed));
        let max = self.max.load(Ordering::Relaxed);
        let all: u64 = counts.iter().sum();
        let at_most = |percent: u64| {
            let wanted = all.saturating_mul(percent).div_ceil(100).max(1);
            let mut seen = 0;
            let bucket = counts.iter().position(|count| {
                seen += count;
                seen >= wanted
            });
            bucket.map_or(0, |bucket| highest(bucket).min(max))
        };
        Spread { p50: at_most(50), p90: at_most(90), p99: at_most(99), max }
    }
}

/// The place of a value.
fn bucket_of(value: u64) -> usize {
    let log = value.checked_ilog2().unwrap_or(0);
    if log < PARTS_LOG {
        // Fewer than `PARTS`.
        return usize::try_from(value).unwrap_or(0);
    }
    let part = usize::try_from((value >> (log - PARTS_LOG)) % PARTS as u64).unwrap_or(0);
    let bucket = PARTS + PARTS * (log - PARTS_LOG) as usize + part;
    bucket.min(BUCKETS - 1)
}

/// The highest value that has this place.
fn highest(bucket: usize) -> u64 {
    let Some(above) = bucket.checked_sub(PARTS) else { return bucket as u64 };
    if bucket == BUCKETS - 1 {
        return u64::MAX;
    }
    let (power, part) = (above / PARTS, (above % PARTS) as u64);
    ((PARTS as u64 + part + 1) << power) - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spread_of(values: impl IntoIterator<Item = u64>) -> Spread {
        let histogram = Histogram::default();
        values.into_iter().for_each(|value| histogram.record(value));
        histogram.spread()
    }

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        for bucket in 0..BUCKETS - 1 {
            let highest = highest(bucket);
            assert_eq!((bucket_of(highest), bucket_of(highest + 1)), (bucket, bucket + 1), "{highest}");
        }
        assert_eq!((bucket_of(0), bucket_of(7), bucket_of(u64::MAX)), (0, 7, BUCKETS - 1));
    }

    #[test]
    fn nothing_and_little_are_told_exactly() {
        assert_eq!(spread_of([]), Spread::default());
        assert_eq!(spread_of([5]), Spread { p50: 5, p90: 5, p99: 5, max: 5 });
        assert_eq!(spread_of([1, 2, 3, 4]), Spread { p50: 2, p90: 4, p99: 4, max: 4 });
        // One in a hundred is not among the 99, and two are.
        let mostly = |many| std::iter::repeat_n(1, 100 - many).chain(std::iter::repeat_n(900, many));
        assert_eq!(spread_of(mostly(1)), Spread { p50: 1, p90: 1, p99: 1, max: 900 });
        assert_eq!(spread_of(mostly(2)), Spread { p50: 1, p90: 1, p99: 900, max: 900 });
    }

    #[test]
    fn a_value_beyond_the_end_is_counted_and_kept_as_the_highest() {
        let spread = spread_of([3, u64::MAX]);
        assert_eq!((spread.p50, spread.max), (3, u64::MAX));
    }

    proptest! {
        #[test]
        fn what_is_read_is_never_below_and_at_most_a_quarter_above(
            mut values in proptest::collection::vec((0_u32..32).prop_flat_map(|log| 0..1_u64 << log), 1..300),
        ) {
            let spread = spread_of(values.iter().copied());
            values.sort_unstable();
            for (percent, read) in [(50, spread.p50), (90, spread.p90), (99, spread.p99)] {
                let exact = values[(values.len() * percent).div_ceil(100) - 1];
                prop_assert!(read >= exact && read <= exact + exact / 4, "p{percent}: {read} for {exact}");
            }
            prop_assert_eq!(Some(&spread.max), values.last());
        }
    }
}
