//! The search: an index that follows the log, in a file of its own, `search.db`.
//!
//! - It MUST NOT be in the way of those who talk: a thread that runs when nobody else wants to takes up what was said, a little
//!   later and many messages at once. What it lacks, it says.
//! - It MUST hold nothing that the log does not: all of it can be made again, and is, when the file is missing or damaged. How far it
//!   is stands in the same transaction as what it took up, so a crash costs some work and nothing else.
//! - What was deleted MUST be gone from its file too.
//!
//! `marks.rs` knows how far the log and the index are, `indexer.rs` is the thread, `change.rs` says what an entry means to the
//! index, and `tables/` alone knows SQLite.

mod change;
mod indexer;
mod marks;
mod tables;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tracing::warn;
use uuid::Uuid;

use super::disk::Disk;
use super::log::{Reader, StoredRoom};
use crate::protocol::command::Has;
use crate::protocol::event::{ErrorCode, Failure};
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::query::Phrase;
use crate::protocol::time::Time;
use indexer::Indexer;
use marks::Marks;
use tables::pool::Pool;

/// The file of the index, in the data folder.
pub const FILE: &str = "search.db";

/// Time that the end of a server waits for the index.
const CLOSING: Duration = Duration::from_secs(1);

/// What is looked for. All that is given must hold.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What is said.
    pub words: Words,
    /// In any of these rooms.
    pub rooms: Vec<RoomName>,
    /// Under this nick.
    pub nick: Option<Nick>,
    /// Not by this author.
    pub not_by: Option<u64>,
    /// What is in it.
    pub has: Vec<Has>,
    /// At this moment or later.
    pub since: Option<Time>,
    /// Before this moment.
    pub until: Option<Time>,
    /// Before this match: the [`Match::number`] of the last one that is known.
    pub before: Option<u64>,
    /// How many, at most.
    pub limit: u32,
}

/// What is said.
#[derive(Clone, Debug)]
pub enum Words {
    /// All of these; anything, if there are none.
    All(Vec<Phrase>),
    /// One of these; anything, if there are none.
    Any(Vec<Phrase>),
}

/// A message that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Its place in the order of time.
    pub number: u64,
    /// Where.
    pub room: RoomName,
    /// Its place there.
    pub seq: u64,
}

/// Why a search found nothing to say.
#[derive(Debug, Error)]
pub enum SearchError {
    /// It took too long.
    #[error(
        "there is too much to look through: say more of what you look for, or in which room or when it was said"
    )]
    TooWide,
    /// Others search, and its turn did not come.
    #[error("too many search at the moment: try again in a few seconds")]
    Busy,
    /// There is no index.
    #[error("this server has no search")]
    Off,
    /// The server ends.
    #[error("the server is closing")]
    Closed,
    /// The index is made anew.
    #[error("the index of the search was damaged and is being made anew: try again later")]
    Damaged(String),
    /// It cannot be read; the server's log has the particulars.
    #[error("the index of the search cannot be read: try again later")]
    Failed(String),
}

impl SearchError {
    /// The same for the wire.
    pub fn failure(&self) -> Failure {
        let code = match self {
            Self::TooWide | Self::Busy => ErrorCode::TooMany,
            Self::Off => ErrorCode::UnknownType,
            Self::Closed | Self::Damaged(_) | Self::Failed(_) => ErrorCode::Storage,
        };
        Failure::new(code, &self.to_string())
    }
}

/// The index as a server has it.
#[derive(Debug)]
pub struct Search(Option<Running>);

#[derive(Debug)]
struct Running {
    shared: Arc<Shared>,
    /// Closed when the thread has ended.
    ended: watch::Receiver<()>,
}

/// What the thread shares with those who talk and search.
#[derive(Debug)]
struct Shared {
    marks: Marks,
    pool: Pool,
    /// Rung when something was done.
    done: Notify,
}

impl Search {
    /// A server without a search.
    pub fn off() -> Self {
        Self(None)
    }

    /// Opens the index of the log `log`, which has these `rooms`, and begins to follow it. Where it cannot be opened, and in a
    /// simulation, which has no other threads, there is no search.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn open(data: &Path, log: Uuid, rooms: &[StoredRoom], reader: Reader, disk: Disk) -> Self {
        if matches!(disk, Disk::Here(_)) {
            return Self::off();
        }
        let path = data.join(FILE);
        let shared =
            Arc::new(Shared { marks: Marks::new(rooms), pool: Pool::new(&path), done: Notify::new() });
        match Indexer::start(path, log, reader, Arc::clone(&shared)) {
            Ok(ended) => Self(Some(Running { shared, ended })),
            Err(error) => {
                warn!(%error, "this server has no search");
                Self::off()
            }
        }
    }

    /// A room's log was sent to everyone up to `last`. Called for each batch: it costs a lock that is held for a moment.
    pub fn published(&self, room: &RoomName, last: u64) {
        if let Some(Running { shared, .. }) = &self.0 {
            shared.marks.published(room, last);
        }
    }

    /// What a room had before `below` has expired.
    pub fn forget(&self, room: &RoomName, below: u64) {
        if let Some(Running { shared, .. }) = &self.0 {
            shared.marks.forget(room, below);
        }
    }

    /// What matches, the newest first.
    ///
    /// # Errors
    /// When it takes too long, and when there is no index that could be read.
    pub async fn find(&self, wanted: Wanted) -> Result<Vec<Match>, SearchError> {
        let Some(Running { shared, .. }) = &self.0 else { return Err(SearchError::Off) };
        let found = shared.pool.find(wanted).await;
        match &found {
            Err(SearchError::Damaged(error)) => {
                warn!(%error, "the index of the search is damaged");
                shared.marks.damaged();
            }
            Err(SearchError::Failed(error)) => warn!(%error, "a search failed"),
            _ => {}
        }
        found
    }

    /// Lets nobody search while what it gives is held.
    #[cfg(test)]
    pub(crate) async fn hold(&self) -> tokio::sync::OwnedSemaphorePermit {
        self.0.as_ref().unwrap().shared.pool.hold().await
    }

    /// Entries of these rooms that the index does not have yet.
    pub fn behind<'a>(&self, rooms: impl IntoIterator<Item = &'a RoomName>) -> u64 {
        self.0.as_ref().map_or(0, |running| running.shared.marks.behind(rooms))
    }

    /// Waits until the index has done all that there is to do.
    pub async fn caught_up(&self) {
        let Some(Running { shared, .. }) = &self.0 else { return };
        loop {
            let mut done = std::pin::pin!(shared.done.notified());
            // Before it is asked, or what is done in between would not be heard.
            done.as_mut().enable();
            if shared.marks.are_even() {
                return;
            }
            done.await;
        }
    }

    /// Ends the thread, which first finishes what it has begun, and closes the file. Waits for that, but not for long: what ends with
    /// the program in the middle of its work is not done, and is done again.
    pub async fn close(&self) {
        let Some(Running { shared, ended }) = &self.0 else { return };
        shared.pool.close().await;
        shared.marks.close();
        let mut ended = ended.clone();
        // Nothing is ever sent: it ends when the thread does.
        if timeout(CLOSING, ended.changed()).await.is_err() {
            warn!("the index of the search did not end in time");
        }
    }
}

impl Drop for Running {
    /// Whoever goes without closing it leaves no thread behind.
    fn drop(&mut self) {
        self.shared.marks.close();
    }
}

#[cfg(test)]
mod tests;
