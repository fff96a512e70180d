//! Whether the entries of a room came in order, each once, without a gap: at every connection.

use std::collections::BTreeMap;

/// What was wrong with what came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Faults {
    pub(super) lost: u64,
    pub(super) doubled: u64,
    /// Came, but behind a later one.
    pub(super) out_of_order: u64,
}

impl Faults {
    pub(super) fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.out_of_order += other.out_of_order;
    }
}

/// What has come to one connection.
#[derive(Debug)]
pub(super) struct Order {
    /// The highest `seq`.
    cursor: u64,
    /// Those below it that were left out: the first and the last of each row.
    missing: BTreeMap<u64, u64>,
    faults: Faults,
}

impl Order {
    /// For one who has all up to `cursor`.
    pub(super) fn after(cursor: u64) -> Self {
        Self { cursor, missing: BTreeMap::new(), faults: Faults::default() }
    }

    /// Whether all up to `last` would have come, if it came in order.
    pub(super) fn has_reached(&self, last: u64) -> bool {
        self.cursor >= last
    }

    /// An entry came.
    pub(super) fn came(&mut self, seq: u64) {
        if seq > self.cursor {
            if seq > self.cursor + 1 {
                self.missing.insert(self.cursor + 1, seq - 1);
            }
            self.cursor = seq;
            return;
        }
        let row = self.missing.range(..=seq).next_back().map(|(first, last)| (*first, *last));
        let Some((first, last)) = row.filter(|(_, last)| *last >= seq) else {
            self.faults.doubled += 1;
            return;
        };
        self.faults.out_of_order += 1;
        self.missing.remove(&first);
        if first < seq {
            self.missing.insert(first, seq - 1);
        }
        if seq < last {
            self.missing.insert(seq + 1, last);
        }
    }

    /// What was wrong, now that all up to `last` should have come.
    pub(super) fn end(&self, last: u64) -> Faults {
        let left_out: u64 = self.missing.iter().map(|(first, last)| last - first + 1).sum();
        Faults { lost: left_out + last.saturating_sub(self.cursor), ..self.faults }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn faults(after: u64, came: &[u64], last: u64) -> (u64, u64, u64) {
        let mut order = Order::after(after);
        came.iter().for_each(|seq| order.came(*seq));
        let Faults { lost, doubled, out_of_order } = order.end(last);
        (lost, doubled, out_of_order)
    }

    #[test]
    fn each_fault_has_its_name() {
        assert_eq!(faults(10, &[11, 12, 13], 13), (0, 0, 0));
        assert_eq!(faults(0, &[1, 2], 5), (3, 0, 0));
        assert_eq!(faults(0, &[1, 5], 5), (3, 0, 0));
        assert_eq!(faults(0, &[1, 2, 2, 1], 2), (0, 2, 0));
        assert_eq!(faults(0, &[1, 5, 3, 2, 4], 5), (0, 0, 3));
        assert_eq!(faults(0, &[3, 2, 2], 3), (1, 1, 1));
        assert_eq!(faults(7, &[7], 7), (0, 1, 0));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_accounted_for(came in proptest::collection::vec(1_u64..30, 0..60)) {
            let distinct = came.iter().collect::<std::collections::BTreeSet<_>>().len() as u64;
            let (lost, doubled, _) = faults(0, &came, 30);
            prop_assert_eq!((lost, doubled), (30 - distinct, came.len() as u64 - distinct));
        }
    }
}
