//! What all connections of a measurement share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use hdrhistogram::CreationError;
use tokio_util::sync::CancellationToken;

use super::plan::Plan;
use super::stamp::Mark;
use super::tally::Tally;

/// Tallies for each thread, so that two threads seldom want the same one.
const TALLIES_A_THREAD: usize = 4;

/// See the module. All moments are nanoseconds since the run began.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) mark: Mark,
    began: Instant,
    /// When the talk begins, and from when on it counts; set once all are there.
    pub(super) schedule: OnceLock<Schedule>,
    /// Nothing is said from this moment on.
    stop: AtomicU64,
    /// Nothing more will be stored: once all that is has come, there is nothing to wait for.
    pub(super) settled: CancellationToken,
    pub(super) rooms: Vec<RoomState>,
    tallies: Vec<Mutex<Tally>>,
}

/// See [`Shared::schedule`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    pub(super) start: u64,
    pub(super) counted_from: u64,
}

/// What is known of a room.
#[derive(Debug, Default)]
pub(super) struct RoomState {
    /// The last `seq` of which a sender knows that it is stored.
    last: AtomicU64,
    /// Messages that count, and are stored.
    acknowledged: AtomicU64,
}

impl Shared {
    /// Before anyone is there.
    ///
    /// # Errors
    /// See [`Tally::new`].
    pub(super) fn new(plan: &Plan) -> Result<Self, CreationError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let tallies = (0..threads * TALLIES_A_THREAD).map(|_| Tally::new().map(Mutex::new));
        Ok(Self {
            mark: Mark::random(),
            began: Instant::now(),
            schedule: OnceLock::new(),
            stop: AtomicU64::new(u64::MAX),
            settled: CancellationToken::new(),
            rooms: (0..plan.rooms).map(|_| RoomState::default()).collect(),
            tallies: tallies.collect::<Result<_, _>>()?,
        })
    }

    /// Now.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The instant of a moment.
    pub(super) fn instant(&self, moment: u64) -> Instant {
        self.began + std::time::Duration::from_nanos(moment)
    }

    /// When the talk ends; beyond all clocks as long as that is open.
    pub(super) fn stop(&self) -> u64 {
        self.stop.load(Ordering::Acquire)
    }

    /// Ends the talk now, and says when that is.
    pub(super) fn stop_now(&self) -> u64 {
        let now = self.now();
        self.stop.store(now, Ordering::Release);
        now
    }

    /// Where a connection counts.
    pub(super) fn tally(&self, connection: usize) -> MutexGuard<'_, Tally> {
        self.tallies[connection % self.tallies.len()].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that was counted until now.
    ///
    /// # Errors
    /// See [`Tally::new`].
    pub(super) fn total(&self) -> Result<Tally, CreationError> {
        let mut total = Tally::new()?;
        for tally in 0..self.tallies.len() {
            total.add(&self.tally(tally));
        }
        Ok(total)
    }

    /// How many were delivered until now.
    pub(super) fn deliveries(&self) -> u64 {
        (0..self.tallies.len()).map(|tally| self.tally(tally).receipt.len()).sum()
    }
}

impl RoomState {
    pub(super) fn stored(&self, seq: u64, counted: bool) {
        self.last.fetch_max(seq, Ordering::AcqRel);
        self.acknowledged.fetch_add(u64::from(counted), Ordering::Relaxed);
    }

    pub(super) fn last(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }
}
