//! The thread that follows the log. It runs when nobody else wants to, gathers for [`INDEX_EVERY`], and takes up what was said
//! in steps of [`INDEX_STEP_BYTES`].

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::{info, warn};
use uuid::Uuid;

use super::Shared;
use super::change::Taken;
use super::marks::Work;
use super::tables::{IndexError, Tables};
use crate::protocol::limits::{INDEX_EVERY, INDEX_STEP_BYTES};
use crate::protocol::name::RoomName;
use crate::server::log::{LogError, Reader};

/// After what could not be done: so soon it is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// Messages a second beyond which it is a flood: then the server needs its processors itself, and nobody looks for what was
/// said just now. Lowest priority alone leaves the index a fifteenth of a processor that is busy, for what it takes in
/// the moments between.
const FLOOD_PER_SECOND: f64 = 20_000.0;
/// In a flood the thread rests for so many times as it worked, and at most for so long.
const FLOOD_REST: u32 = 50;
/// See [`FLOOD_REST`].
const FLOOD_PAUSE: Duration = Duration::from_secs(10);

/// So soon what was taken out is wiped away, at the earliest, or when that took long before, after so many times of it: the whole
/// file is written anew.
const CLEAN_EVERY: Duration = Duration::from_secs(1);
/// See [`CLEAN_EVERY`].
const CLEAN_SHARE: u32 = 60;
/// So soon it is tried again when it could not be done, and then after twice the time that was waited before, up to
/// [`CLEAN_RETRY_MOST`]: each attempt may write as much as the whole file.
const CLEAN_RETRY: Duration = Duration::from_secs(2 * 60);
/// See [`CLEAN_RETRY`].
const CLEAN_RETRY_MOST: Duration = Duration::from_secs(6 * 60 * 60);

/// See the module.
pub(super) struct Indexer {
    tables: Tables,
    path: PathBuf,
    log: Uuid,
    reader: Reader,
    shared: Arc<Shared>,
    /// Something that was taken out may still stand somewhere in the file.
    is_unclean: bool,
    /// When it was last wiped, and how long to wait from then.
    cleaned: Instant,
    clean_after: Duration,
    /// It was told that there is not enough room on the disk for it.
    is_room_missed: bool,
}

impl Indexer {
    /// Opens the index and starts the thread. What is returned closes when it has ended.
    pub(super) fn start(
        path: PathBuf,
        log: Uuid,
        reader: Reader,
        shared: Arc<Shared>,
    ) -> Result<watch::Receiver<()>, IndexError> {
        let mut tables = Tables::open(&path, log)?;
        if !take_positions(&tables, &shared)? {
            info!("the index of the search knows what the log does not: it is made anew");
            tables.renew(&path, log)?;
            shared.marks.none_indexed();
        }
        // It may have ended before it had cleaned up.
        let is_unclean = tables.is_unclean()?;
        let indexer = Self {
            tables,
            path,
            log,
            reader,
            shared,
            is_unclean,
            cleaned: Instant::now(),
            clean_after: CLEAN_EVERY,
            is_room_missed: false,
        };
        let (running, ended) = watch::channel(());
        let runtime = Handle::current();
        thread::Builder::new().name("search".to_owned()).spawn(move || {
            give_way();
            indexer.run(&runtime);
            drop(running);
        })?;
        Ok(ended)
    }

    fn run(mut self, runtime: &Handle) {
        let shared = Arc::clone(&self.shared);
        let marks = &shared.marks;
        let mut is_behind = false;
        let mut taken = Instant::now();
        while !marks.are_closing() {
            marks.wait_for_work(self.is_unclean.then_some(self.clean_after));
            if !is_behind {
                marks.pause(INDEX_EVERY);
            }
            if marks.are_closing() {
                break;
            }
            let (mut work, said) = marks.take();
            let now = Instant::now();
            let is_flood = said as f64 > now.duration_since(taken).as_secs_f64() * FLOOD_PER_SECOND;
            taken = now;
            let result = self.step(&mut work, runtime);
            let cleaned = if result.is_ok() { self.clean() } else { Ok(()) };
            work.anew |= [&result, &cleaned].iter().any(|done| matches!(done, Err(IndexError::Damaged(_))));
            if let Err(error) = cleaned {
                // The index goes on all the same.
                warn!(%error, again_in = ?self.clean_after, "what was deleted cannot be wiped from the index yet");
            }
            is_behind = !work.is_empty();
            marks.done(work);
            shared.done.notify_waiters();
            if let Err(error) = result {
                warn!(%error, "what was said cannot be searched yet");
                marks.pause(RETRY);
            } else if is_flood {
                marks.pause((FLOOD_REST * taken.elapsed()).min(FLOOD_PAUSE));
            }
        }
        // What takes longer is done at the next start: the server does not wait for it.
        self.clean_after = Duration::ZERO;
        if self.tables.is_small().unwrap_or(false)
            && let Err(error) = self.clean()
        {
            warn!(%error, "what was deleted is wiped from the index at the next start");
        }
    }

    /// Does a part of what there is to do, and leaves the rest of it.
    fn step(&mut self, work: &mut Work, runtime: &Handle) -> Result<(), IndexError> {
        if work.anew {
            let Self { tables, path, log, shared, .. } = &mut *self;
            shared.pool.renew(|| tables.renew(path, *log))?;
            self.shared.marks.none_indexed();
            work.anew = false;
        }
        while let Some((room, below)) = work.expired.iter().next().map(|(room, below)| (room.clone(), *below))
        {
            let is_more = self.tables.forget(&room, below)?;
            self.is_unclean = self.tables.is_unclean()?;
            if is_more {
                // Others are waiting too.
                break;
            }
            work.expired.remove(&room);
        }
        let (taken, left) = runtime.block_on(self.read(&work.rooms));
        self.is_unclean |= self.tables.take_up(&taken)?;
        for Taken { room, upto, .. } in &taken {
            self.shared.marks.indexed(room, *upto);
        }
        work.rooms = left;
        Ok(())
    }

    /// Reads what the index does not have of these rooms, as much as one step takes, and says which have more.
    async fn read(&self, rooms: &HashSet<RoomName>) -> (Vec<Taken>, HashSet<RoomName>) {
        let (mut all, mut left, mut bytes) = (Vec::new(), HashSet::new(), 0);
        for room in rooms {
            let (from, to) = self.shared.marks.of(room);
            let mut taken = Taken::nothing(room.clone(), from);
            while taken.upto < to && bytes < INDEX_STEP_BYTES {
                match self.reader.batch(room, taken.upto, to).await {
                    Ok(Some(batch)) => {
                        bytes += batch.bytes.len();
                        taken.add(&batch);
                    }
                    Ok(None) => break,
                    Err(error @ (LogError::Hole { .. } | LogError::Garbled { .. })) => {
                        let missing = taken.upto + 1;
                        taken.upto = self.skip(room, taken.upto, to).await;
                        warn!(%error, %room, from = missing, to = taken.upto, "these entries cannot be searched");
                    }
                    Err(error) => {
                        warn!(%error, %room, "the log cannot be read, and not be searched either");
                        break;
                    }
                }
            }
            if taken.upto < to && bytes >= INDEX_STEP_BYTES {
                left.insert(room.clone());
            }
            if taken.upto > from {
                all.push(taken);
            }
        }
        (all, left)
    }

    /// The end of what cannot be read behind `at`: it is sought in steps that double, and then between the last two.
    async fn skip(&self, room: &RoomName, at: u64, to: u64) -> u64 {
        let (mut bad, mut good, mut step) = (at, to, 1);
        while at + step < to {
            if self.reader.batch(room, at + step, to).await.is_ok() {
                good = at + step;
                break;
            }
            bad = at + step;
            step *= 2;
        }
        while good - bad > 1 {
            let middle = bad.midpoint(good);
            if self.reader.batch(room, middle, to).await.is_ok() {
                good = middle;
            } else {
                bad = middle;
            }
        }
        good
    }

    /// Wipes what was taken out, if it is time to, and sets the time for the next.
    fn clean(&mut self) -> Result<(), IndexError> {
        if !self.is_unclean || self.cleaned.elapsed() < self.clean_after {
            return Ok(());
        }
        let began = Instant::now();
        let result = self.clean_now();
        let rest = began.elapsed() * CLEAN_SHARE;
        self.clean_after = match result {
            Ok(true) => rest.max(CLEAN_EVERY),
            Ok(false) | Err(_) => rest.max(longer(self.clean_after)),
        };
        self.cleaned = Instant::now();
        result.map(drop)
    }

    /// Whether there was room on the disk for it.
    fn clean_now(&mut self) -> Result<bool, IndexError> {
        let needed = self.tables.needed_to_clean()?;
        if let Some(free) = free_beside(&self.path).filter(|free| *free < needed) {
            if !self.is_room_missed {
                warn!(free, needed, "what was deleted stays in the index until there is room on the disk");
            }
            self.is_room_missed = true;
            return Ok(false);
        }
        self.is_room_missed = false;
        self.is_unclean = !self.tables.clean()?;
        Ok(true)
    }
}

/// How long to wait after what could not be cleaned, when that long was waited before.
fn longer(before: Duration) -> Duration {
    (2 * before).clamp(CLEAN_RETRY, CLEAN_RETRY_MOST)
}

/// Bytes that are free on the disk where a file is, where the system says.
fn free_beside(path: &Path) -> Option<u64> {
    #[cfg(target_os = "linux")]
    if let Ok(disk) = rustix::fs::statvfs(path) {
        return Some(disk.f_bavail.saturating_mul(disk.f_frsize));
    }
    // Then it is tried.
    #[cfg(not(target_os = "linux"))]
    let _ = path;
    None
}

/// Notes how far the index is. Whether that can be: one that is ahead of the log is of another one, which was put back from a
/// copy perhaps.
fn take_positions(tables: &Tables, shared: &Shared) -> Result<bool, IndexError> {
    for (room, upto) in tables.positions()? {
        let Ok(room) = RoomName::new(&room) else { return Ok(false) };
        let (_, last) = shared.marks.of(&room);
        if upto > last {
            return Ok(false);
        }
        shared.marks.indexed(&room, upto);
    }
    Ok(true)
}

/// This thread runs when nobody else wants to.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        // It would only be in the way now and then.
        info!(%error, "the search has the priority of all the rest");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tokio::sync::Notify;

    use super::*;
    use crate::server::disk::Disk;
    use crate::server::log::{Durability, Log};
    use crate::server::search::tables::pool::Pool;
    use crate::server::search::tests::{allow_cleaning, forbid_cleaning};
    use crate::server::search::{FILE, Marks};

    #[tokio::test]
    async fn what_cannot_be_cleaned_is_tried_again_much_later() {
        let folder = tempfile::tempdir().unwrap();
        let log: Log<()> = Log::open(folder.path(), Durability::Process, Disk::Threads).unwrap();
        let path = folder.path().join(FILE);
        let shared = Shared { marks: Marks::new(&[]), pool: Pool::new(&path), done: Notify::new() };
        let mut indexer = Indexer {
            tables: Tables::open(&path, log.id).unwrap(),
            path: path.clone(),
            log: log.id,
            reader: log.reader.clone(),
            shared: Arc::new(shared),
            is_unclean: true,
            cleaned: Instant::now(),
            clean_after: Duration::ZERO,
            is_room_missed: false,
        };
        forbid_cleaning(&path);
        assert!(indexer.clean().is_err());
        assert!(indexer.is_unclean && indexer.clean_after >= CLEAN_RETRY);
        assert_eq!(fs::metadata(folder.path().join(format!("{FILE}-wal"))).unwrap().len(), 0);
        assert!(indexer.clean().is_ok(), "it was tried again at once");
        allow_cleaning(&path);
        indexer.clean_after = Duration::ZERO;
        indexer.clean().unwrap();
        assert!(!indexer.is_unclean && indexer.clean_after < CLEAN_RETRY);
    }

    #[test]
    fn the_time_to_the_next_attempt_doubles_up_to_a_limit() {
        assert_eq!(longer(CLEAN_EVERY), CLEAN_RETRY);
        assert_eq!(longer(CLEAN_RETRY), 2 * CLEAN_RETRY);
        assert_eq!(longer(CLEAN_RETRY_MOST), CLEAN_RETRY_MOST);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_room_on_the_disk_is_known() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_beside(folder.path()).is_some());
    }
}
