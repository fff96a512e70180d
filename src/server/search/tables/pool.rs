//! The connections for searching: a few, so that searches wait for each other and nobody else for them; and an end to those that take
//! too long, or that nobody waits for any more.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, InterruptHandle};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::{IndexError, read, schema};
use crate::protocol::limits::{SEARCH_TIME, SEARCHES_AT_ONCE};
use crate::server::search::{Match, SearchError, Wanted};

/// See the module.
#[derive(Debug)]
pub(crate) struct Pool {
    idle: Arc<Mutex<Idle>>,
    turns: Arc<Semaphore>,
}

#[derive(Debug)]
struct Idle {
    path: PathBuf,
    connections: Vec<Connection>,
    /// How often the file was made anew: what was opened before is of no use.
    generation: u64,
}

impl Pool {
    pub(crate) fn new(path: &Path) -> Self {
        let idle = Idle { path: path.to_owned(), connections: Vec::new(), generation: 0 };
        Self { idle: Arc::new(Mutex::new(idle)), turns: Arc::new(Semaphore::new(SEARCHES_AT_ONCE)) }
    }

    /// Waits for its turn, and searches, each for at most [`SEARCH_TIME`].
    ///
    /// # Errors
    /// When that is not enough, and when the index cannot be read.
    pub(crate) async fn find(&self, wanted: Wanted) -> Result<Vec<Match>, SearchError> {
        let turn = timeout(SEARCH_TIME, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| SearchError::Busy)?.map_err(|_| SearchError::Closed)?;
        let idle = Arc::clone(&self.idle);
        let asked = Asked(Arc::new(Mutex::new(Course::Waiting)));
        let course = Arc::clone(&asked.0);
        let work = spawn_blocking(move || {
            let found = search(&idle, &course, &wanted);
            drop(turn);
            found
        });
        match timeout(SEARCH_TIME, work).await {
            Ok(Ok(Err(IndexError::Interrupted))) | Err(_) => Err(SearchError::TooWide),
            Ok(Ok(Err(IndexError::Damaged(error)))) => Err(SearchError::Damaged(error.to_string())),
            Ok(Ok(Err(error))) => Err(SearchError::Failed(error.to_string())),
            Ok(Ok(Ok(found))) => Ok(found),
            Ok(Err(error)) => Err(SearchError::Failed(error.to_string())),
        }
    }

    /// Lets `make` replace the file. Nobody opens it meanwhile, and what was opened before is of no use.
    pub(crate) fn renew<T>(&self, make: impl FnOnce() -> T) -> T {
        let mut idle = lock(&self.idle);
        idle.connections.clear();
        idle.generation += 1;
        make()
    }

    /// Lets nobody search while what it gives is held.
    #[cfg(test)]
    pub(crate) async fn hold(&self) -> tokio::sync::OwnedSemaphorePermit {
        let all = u32::try_from(SEARCHES_AT_ONCE).unwrap();
        Arc::clone(&self.turns).acquire_many_owned(all).await.unwrap()
    }

    /// Searches no more, and closes the file once those who search are done.
    pub(crate) async fn close(&self) {
        let turns = self.turns.acquire_many(u32::try_from(SEARCHES_AT_ONCE).unwrap_or(u32::MAX)).await;
        self.turns.close();
        self.renew(|| ());
        drop(turns);
    }
}

fn search(idle: &Mutex<Idle>, course: &Mutex<Course>, wanted: &Wanted) -> Result<Vec<Match>, IndexError> {
    let (connection, generation) = {
        let mut idle = lock(idle);
        let opened = idle.connections.pop().map_or_else(|| schema::open_reader(&idle.path), Ok)?;
        (opened, idle.generation)
    };
    {
        let mut course = lock(course);
        if matches!(*course, Course::Over) {
            return Err(IndexError::Interrupted);
        }
        *course = Course::Running(connection.get_interrupt_handle());
    }
    let found = read::find(&connection, wanted);
    // From here on nobody interrupts it, who might meet the next one.
    *lock(course) = Course::Over;
    let mut idle = lock(idle);
    if idle.generation == generation && !matches!(found, Err(IndexError::Damaged(_))) {
        idle.connections.push(connection);
    }
    found
}

/// How far a search is.
enum Course {
    Waiting,
    Running(InterruptHandle),
    Over,
}

/// Somebody waits for a search; whoever waits no longer ends it.
struct Asked(Arc<Mutex<Course>>);

impl Drop for Asked {
    fn drop(&mut self) {
        let mut course = lock(&self.0);
        if let Course::Running(handle) = &*course {
            handle.interrupt();
        }
        *course = Course::Over;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
