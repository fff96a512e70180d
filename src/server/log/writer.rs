//! The log's one writer: takes all that waits, commits once, and hands it on. It has a thread of its own, or is a task
//! where [`Disk`] says so.
//!
//! While nobody else wants anything of it, whoever hands over a few messages stores them at once instead: that is a write to a
//! file, and two changes of thread would take several times as long.

use std::fs::File;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use tracing::error;

use super::journal::Journal;
use super::store::Store;
use super::tail::Tail;
use super::{Commit, Commits, Draft, LogError, StoredRoom, expiry, sqlite};
use crate::protocol::limits::{COMMIT_ENTRIES, COMMITS_AHEAD, LOG_QUEUE};
use crate::protocol::name::RoomName;
use crate::protocol::time::Time;
use crate::server::disk::Disk;
use crate::server::metrics::CommitCounts;

/// The handle of the writer. Clones hand over to the same one.
#[derive(Debug)]
pub struct Writer<T> {
    orders: mpsc::Sender<Order<T>>,
    counts: Arc<CommitCounts>,
    desk: Arc<Desk<T>>,
    /// Hand-overs that are not committed.
    waiting: Arc<AtomicUsize>,
    /// Whether there is a thread that whoever hands over can do without.
    is_apart: bool,
}

/// Where one sits at a time: the thread, or whoever stores something at once. Empty once the log is closed.
#[derive(Debug)]
struct Desk<T>(Mutex<Option<Open<T>>>);

#[derive(Debug)]
struct Open<T> {
    store: Store,
    committed: mpsc::Sender<Commit<T>>,
    /// Until then all is for the thread.
    slow_until: Option<Instant>,
}

/// Storing something at once takes some microseconds. One that took so long had to wait for the disk, and a task must not.
const SLOW: Duration = Duration::from_millis(1);
/// For how long it is left to the thread then.
const SLOW_FOR: Duration = Duration::from_secs(1);

impl<T> Desk<T> {
    fn lock(&self) -> MutexGuard<'_, Option<Open<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the log, if it is open.
    fn with<R>(&self, work: impl FnOnce(&mut Store) -> R) -> Option<R> {
        self.lock().as_mut().map(|open| work(&mut open.store))
    }
}

/// The thread's: when it ends, however it ends, the log is closed for all.
struct Keeper<T>(Arc<Desk<T>>);

impl<T> Drop for Keeper<T> {
    fn drop(&mut self) {
        drop(self.0.lock().take());
    }
}

/// Whoever has one is waiting to be stored: nobody who comes later may be before it.
#[derive(Debug)]
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn begin(waiting: &Arc<AtomicUsize>) -> Self {
        waiting.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(waiting))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<T> Clone for Writer<T> {
    fn clone(&self) -> Self {
        Self {
            orders: self.orders.clone(),
            counts: Arc::clone(&self.counts),
            desk: Arc::clone(&self.desk),
            waiting: Arc::clone(&self.waiting),
            is_apart: self.is_apart,
        }
    }
}

#[derive(Debug)]
enum Order<T> {
    Append {
        drafts: Vec<Draft>,
        tag: T,
        waiting: Waiting,
    },
    Expire(Expire),
    /// It is time to purge what was deleted.
    Purge,
    Close(oneshot::Sender<()>),
}

/// One step of [`Writer::expire`].
#[derive(Debug)]
struct Expire {
    room: RoomName,
    before: Time,
    up_to: u64,
    done: oneshot::Sender<Result<expiry::Step, LogError>>,
}

impl<T: Send + 'static> Writer<T> {
    pub(super) fn start(
        connection: Connection,
        journal: Journal,
        tail: Tail,
        lock: File,
        disk: Disk,
    ) -> Result<(Self, Commits<T>, Vec<StoredRoom>), LogError> {
        let (orders, orders_in) = mpsc::channel(LOG_QUEUE);
        let (committed, committed_out) = mpsc::channel(COMMITS_AHEAD);
        let mut store = Store::open(connection, journal, tail)?;
        if matches!(disk, Disk::Threads) {
            store.checkpoint_apart()?;
        }
        let counts = Arc::clone(&store.counts);
        let last = |room: &StoredRoom| store.rooms.get(&room.name).map_or(room.last, |known| known.last);
        let stored = sqlite::rooms(&store.connection)?.into_iter();
        let stored = stored.map(|(_, room)| StoredRoom { last: last(&room), ..room }).collect();
        let open = Open { store, committed: committed.clone(), slow_until: None };
        let desk = Arc::new(Desk(Mutex::new(Some(open))));
        let bell = Bell { orders: orders.downgrade() };
        let (runtime, run) =
            (Handle::current(), run(Arc::clone(&desk), disk, orders_in, bell, committed, lock));
        let is_apart = matches!(disk, Disk::Threads);
        match disk {
            Disk::Here(_) => drop(runtime.spawn(run)),
            Disk::Threads => {
                let thread = thread::Builder::new().name("log".to_owned());
                let started = thread.spawn(move || runtime.block_on(run));
                drop(started.map_err(|error| LogError::File("the log's thread".to_owned(), error))?);
            }
        }
        Ok((Self { orders, counts, desk, waiting: Arc::default(), is_apart }, committed_out, stored))
    }

    /// Its commits so far.
    pub fn counts(&self) -> &CommitCounts {
        &self.counts
    }

    /// Does something with what the writer writes to.
    #[cfg(test)]
    pub(super) fn with_store<R>(&self, work: impl FnOnce(&mut Store) -> R) -> R {
        self.desk.with(work).unwrap()
    }

    /// Hand-overs that wait.
    pub fn waiting(&self) -> usize {
        self.orders.max_capacity() - self.orders.capacity()
    }

    /// Hands over drafts, which get consecutive places as far as they share a room. Waits while too
    /// many hand-overs are waiting before it. What becomes of them arrives as [`Committed`](super::Committed), with `tag`.
    ///
    /// # Errors
    /// When the log is closed.
    pub async fn append(&self, drafts: Vec<Draft>, tag: T) -> Result<(), LogError> {
        let Err((drafts, tag)) = self.store_at_once(drafts, tag) else { return Ok(()) };
        let waiting = Waiting::begin(&self.waiting);
        self.orders.send(Order::Append { drafts, tag, waiting }).await.map_err(|_| LogError::Closed)
    }

    /// Stores drafts before it returns, or gives them back: when that might take long, and when anything is on its way, so that
    /// what comes together is committed together, and nothing is before what was handed over before it.
    fn store_at_once(&self, drafts: Vec<Draft>, tag: T) -> Result<(), (Vec<Draft>, T)> {
        if !self.is_apart {
            return Err((drafts, tag));
        }
        let Ok(mut open) = self.desk.0.try_lock() else { return Err((drafts, tag)) };
        let Some(Open { store, committed, slow_until }) = open.as_mut() else { return Err((drafts, tag)) };
        let start = Instant::now();
        if slow_until.is_some_and(|until| start < until) {
            return Err((drafts, tag));
        }
        let is_idle = self.waiting.load(Ordering::Acquire) == 0 && committed.capacity() == COMMITS_AHEAD;
        match committed.try_reserve() {
            Ok(place) if is_idle && store.is_quick(&drafts) => {
                place.send(store.commit(vec![(drafts, tag)]));
                let end = Instant::now();
                *slow_until = (end - start > SLOW).then(|| end + SLOW_FOR);
                Ok(())
            }
            _ => Err((drafts, tag)),
        }
    }

    /// Takes out what was said in a room before a moment, from its beginning on and up to the entry `up_to`, and says
    /// which entry is its first one now. What it held is overwritten. The newest entry stays, and so does what follows one
    /// that is not older. What is handed over meanwhile is stored in between.
    ///
    /// # Errors
    /// When the log cannot be read or written, or is closed; what was taken out until then stays so.
    pub async fn expire(&self, room: &RoomName, before: Time, up_to: u64) -> Result<u64, LogError> {
        loop {
            let (done, step) = oneshot::channel();
            let order = Order::Expire(Expire { room: room.clone(), before, up_to, done });
            self.orders.send(order).await.map_err(|_| LogError::Closed)?;
            let step = step.await.map_err(|_| LogError::Closed)??;
            if !step.more {
                return Ok(step.first);
            }
        }
    }

    /// Stores all that was handed over, then closes the file. Later hand-overs fail.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.orders.send(Order::Close(done)).await.is_ok() {
            // The thread drops its end after it has closed the file, either way.
            drop(closed.await);
        }
    }
}

/// Reminds the writer of what is to be done later.
struct Bell<T> {
    orders: mpsc::WeakSender<Order<T>>,
}

impl<T: Send + 'static> Bell<T> {
    /// Rings once, for the purge.
    fn ring_after(&self, time: Duration) {
        let orders = self.orders.clone();
        drop(tokio::spawn(async move {
            sleep(time).await;
            // When nobody can hand over anything more, the writer comes to its end, and purges there.
            if let Some(orders) = orders.upgrade() {
                drop(orders.send(Order::Purge).await);
            }
        }));
    }
}

/// Writes until the log is closed, or nobody can hand over anything any more.
async fn run<T: Send + 'static>(
    desk: Arc<Desk<T>>,
    disk: Disk,
    mut orders: mpsc::Receiver<Order<T>>,
    bell: Bell<T>,
    committed: mpsc::Sender<Commit<T>>,
    lock: File,
) {
    let keeper = Keeper(desk);
    let desk = &*keeper.0;
    let mut close = None;
    if let Some(time) = desk.with(|store| store.purging.remind()).flatten() {
        bell.ring_after(time);
    }
    while close.is_none() {
        let Some(first) = orders.recv().await else { break };
        if matches!(disk, Disk::Threads) {
            // Where there is but one processor for both, whoever rang goes on first, and what comes meanwhile comes along: or each
            // would be a commit of its own, and two changes of thread.
            thread::yield_now();
        }
        let (mut group, mut waited): (Vec<(Vec<Draft>, T)>, Vec<Waiting>) = (Vec::new(), Vec::new());
        let (mut entries, mut expire, mut purges) = (0, None, false);
        let mut next = Some(first);
        while let Some(order) = next.take() {
            match order {
                Order::Purge => purges = true,
                Order::Append { drafts, tag, waiting } => {
                    entries += drafts.len();
                    group.push((drafts, tag));
                    waited.push(waiting);
                }
                Order::Expire(step) => {
                    expire = Some(step);
                    break;
                }
                Order::Close(done) => {
                    close = Some(done);
                    break;
                }
            }
            if entries < COMMIT_ENTRIES {
                next = orders.try_recv().ok();
            }
        }
        if !group.is_empty() {
            disk.take().await;
            let Some(commit) = desk.with(|store| store.commit(group)) else { break };
            disk.take().await;
            if committed.send(commit).await.is_err() {
                error!("nobody publishes what is stored: the log ends");
                break;
            }
            // Not before it is on its way: what is stored at once now comes behind it.
            drop(waited);
            desk.with(Store::settle_in_time);
        }
        if let Some(Expire { room, before, up_to, done }) = expire {
            disk.take().await;
            let Some(step) = desk.with(|store| store.expire(&room, before, up_to)) else { break };
            disk.take().await;
            // Whoever asked may be gone; it is done all the same.
            drop(done.send(step));
        }
        let nobody_waits = orders.is_empty();
        let remind = desk.with(|store| {
            if purges {
                store.purging.asked();
            }
            if store.purging.is_time(nobody_waits) {
                store.purge();
            }
            store.purging.remind()
        });
        if let Some(time) = remind.flatten() {
            bell.ring_after(time);
        }
    }
    orders.close();
    let open = desk.lock().take();
    if let Some(Open { store, .. }) = open {
        store.close();
    }
    drop(lock);
    drop(close);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::event::{EntryKind, EntryText};
    use crate::protocol::name::Nick;
    use crate::server::hub::Speaker;
    use crate::server::log::{Durability, Log, Outcome};
    use uuid::Uuid;

    fn draft(kind: EntryKind, text: &str) -> Draft {
        let by = Speaker { nick: Nick::new("alice").unwrap(), who: None, author: 7 };
        Draft::new(kind, RoomName::lobby(), Uuid::now_v7(), by, EntryText::from_stored(text))
    }

    fn message() -> Draft {
        draft(EntryKind::Message, "a message")
    }

    fn open(folder: &tempfile::TempDir) -> Log<u32> {
        Log::open(folder.path(), Durability::Process, Disk::Threads).unwrap()
    }

    /// Makes the room by a first message.
    async fn make_room(log: &mut Log<u32>) {
        log.writer.append(vec![message()], 0).await.unwrap();
        log.committed.recv().await.unwrap();
    }

    /// Stores a message at once, as soon as the thread is done with what was before.
    async fn say(log: &Log<u32>) {
        let mut drafts = vec![message()];
        let start = Instant::now();
        while let Err((given_back, _)) = log.writer.store_at_once(drafts, 0) {
            assert!(start.elapsed() < Duration::from_secs(60), "it never stores anything at once");
            drafts = given_back;
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_message_is_stored_at_once_while_nothing_is_on_its_way() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = open(&folder);
        make_room(&mut log).await;
        say(&log).await;
        // It is not published yet: the next ones gather.
        assert!(log.writer.store_at_once(vec![message()], 0).is_err());
        let commit = log.committed.try_recv().unwrap();
        assert!(matches!(commit.answers[0].outcomes[0], Outcome::Stored { seq: 2, .. }));
        say(&log).await;
        drop(log.committed.try_recv().unwrap());
        // One who waits is first.
        let waiting = Waiting::begin(&log.writer.waiting);
        assert!(log.writer.store_at_once(vec![message()], 0).is_err());
        drop(waiting);
        say(&log).await;
    }

    #[tokio::test]
    async fn what_may_take_long_is_for_the_thread() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = open(&folder);
        assert!(log.writer.store_at_once(vec![message()], 0).is_err(), "the room is new");
        make_room(&mut log).await;
        say(&log).await;
        drop(log.committed.try_recv().unwrap());
        let topic = draft(EntryKind::Topic, "a topic");
        let long = draft(EntryKind::Message, &"x".repeat(20_000));
        let of_another = Draft { author: Some(8), ..message() };
        for drafts in [vec![message(), topic], vec![long], vec![of_another]] {
            assert!(log.writer.store_at_once(drafts, 0).is_err());
        }
        log.writer.close().await;
        assert!(log.writer.store_at_once(vec![message()], 0).is_err());
        assert!(matches!(log.writer.append(vec![message()], 0).await, Err(LogError::Closed)));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn what_one_hands_over_stays_in_its_order_whoever_stores_it() {
        const WRITERS: u32 = 8;
        const EACH: u32 = 300;
        let folder = tempfile::tempdir().unwrap();
        let mut log = open(&folder);
        for name in 0..WRITERS {
            let writer = log.writer.clone();
            tokio::spawn(async move {
                for n in 0..EACH {
                    let kind = if n % 50 == 49 { EntryKind::Topic } else { EntryKind::Message };
                    writer.append(vec![draft(kind, "x")], name * EACH + n).await.unwrap();
                    if n % 3 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
            });
        }
        let (mut next, mut seq) = ([0; WRITERS as usize], 0);
        while seq < u64::from(WRITERS * EACH) {
            for answer in log.committed.recv().await.unwrap().answers {
                seq += 1;
                assert!(matches!(answer.outcomes[0], Outcome::Stored { seq: stored, .. } if stored == seq));
                let (name, n) = (answer.tag / EACH, answer.tag % EACH);
                assert_eq!(n, next[name as usize], "of {name}");
                next[name as usize] += 1;
            }
        }
    }
}
