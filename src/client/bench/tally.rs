//! What was counted and how long it took.

use hdrhistogram::{CreationError, Histogram};

/// Nanoseconds that are told apart: below a microsecond it is the tool that is measured.
const FINEST: u64 = 1_000;
/// The longest latency that is told: ten minutes, in nanoseconds. Longer ones count as this one.
const LONGEST: u64 = 600_000_000_000;
/// Significant digits of a latency.
const DIGITS: u8 = 3;

/// Counts and latencies. Each is added to by several connections, and all are put together at the end: one for each
/// connection would be hundreds of kilobytes for each, and a single one would be fought for.
#[derive(Debug)]
pub(super) struct Tally {
    /// From the moment of saying to each receipt.
    pub(super) receipt: Histogram<u64>,
    /// From the moment of saying to the answer that it is stored.
    pub(super) okay: Histogram<u64>,
    pub(super) sent: u64,
    /// Due by the clock, and never said: too many were on their way.
    pub(super) unsent: u64,
    /// Bytes of the frames that were delivered.
    pub(super) bytes: u64,
    /// When the last of them came; nanoseconds since the run began.
    pub(super) last_receipt: u64,
    /// Messages that others said in the same rooms, as often as they were delivered.
    pub(super) foreign: u64,
    /// Times that a sender was told that the rate limit holds it up.
    pub(super) held_up: u64,
}

impl Tally {
    /// Nothing yet.
    ///
    /// # Errors
    /// None with these constants.
    pub(super) fn new() -> Result<Self, CreationError> {
        Ok(Self {
            receipt: Histogram::new_with_bounds(FINEST, LONGEST, DIGITS)?,
            okay: Histogram::new_with_bounds(FINEST, LONGEST, DIGITS)?,
            sent: 0,
            unsent: 0,
            bytes: 0,
            last_receipt: 0,
            foreign: 0,
            held_up: 0,
        })
    }

    /// A message that was said at `at` came at `now`, in so many bytes.
    pub(super) fn received(&mut self, at: u64, now: u64, bytes: usize) {
        self.receipt.saturating_record(now.saturating_sub(at));
        self.bytes += bytes as u64;
        self.last_receipt = self.last_receipt.max(now);
    }

    /// A message that was said at `at` is stored, and its sender heard of it at `now`.
    pub(super) fn stored(&mut self, at: u64, now: u64) {
        self.okay.saturating_record(now.saturating_sub(at));
    }

    /// Adds another one.
    pub(super) fn add(&mut self, other: &Self) {
        // They have the same bounds, so that there is nothing that does not fit.
        let _ = self.receipt.add(&other.receipt);
        let _ = self.okay.add(&other.okay);
        self.sent += other.sent;
        self.unsent += other.unsent;
        self.bytes += other.bytes;
        self.last_receipt = self.last_receipt.max(other.last_receipt);
        self.foreign += other.foreign;
        self.held_up += other.held_up;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_counted_is_put_together() {
        let (mut one, mut other) = (Tally::new().unwrap(), Tally::new().unwrap());
        one.received(1_000_000, 3_000_000, 200);
        other.received(1_000_000, 5_000_000, 100);
        // A clock that seems to run backwards, and a latency beyond all bounds.
        other.received(9, 8, 0);
        other.received(0, u64::MAX, 0);
        one.add(&other);
        assert_eq!((one.receipt.len(), one.bytes, one.last_receipt), (4, 300, u64::MAX));
        let median = one.receipt.value_at_quantile(0.5);
        assert!((1_990_000..2_010_000).contains(&median), "{median}");
        assert!(one.receipt.max() >= LONGEST);
    }
}
