//! Brings what was settled from SQLite's write-ahead log into the file, on a thread beside the writer.
//!
//! SQLite would do so within the writer's commit, and flush both files to the disk: for a moment, and for seconds where the
//! disk is busy, nobody's message would be stored.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tracing::warn;

use super::{LogError, sqlite};

/// See the module. Dropped, it waits for what is on its way.
#[derive(Debug)]
pub(super) struct Checkpointer {
    /// `None` once it is to end.
    bell: Option<SyncSender<()>>,
    /// Whose turn it is to bring something.
    turn: Arc<Mutex<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread, with a connection of its own to the log at `path`.
    pub(super) fn start(path: &Path) -> Result<Self, LogError> {
        let connection = sqlite::open_beside(path)?;
        // One is enough: whoever rings while it works is heard when it is done.
        let (bell, rings) = sync_channel(1);
        let turn = Arc::new(Mutex::new(()));
        let thread = thread::Builder::new().name("checkpoint".to_owned());
        let turns = Arc::clone(&turn);
        let thread = thread.spawn(move || run(&connection, &rings, &turns));
        let thread = thread.map_err(|error| LogError::File("the log's thread".to_owned(), error))?;
        Ok(Self { bell: Some(bell), turn, thread: Some(thread) })
    }

    /// There is something to bring.
    pub(super) fn ring(&self) {
        // When it was rung already it will see this too; and it ends only with us.
        self.bell.as_ref().and_then(|bell| bell.try_send(()).ok());
    }

    /// Waits for what is on its way, and lets nothing begin meanwhile: two cannot bring at once.
    pub(super) fn pause(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.bell = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            warn!("the log's checkpoints had failed; what is in the write-ahead log is not lost");
        }
    }
}

fn run(connection: &Connection, rings: &Receiver<()>, turn: &Mutex<()>) {
    while rings.recv().is_ok() {
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        // In nobody's way: it leaves alone what others read or write just now, and comes again.
        if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            warn!(%error, "what was settled stays in the write-ahead log for now");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::log::Durability;
    use std::time::{Duration, Instant};

    #[test]
    fn what_was_written_is_in_the_file_though_the_writer_did_not_bring_it_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("parlor.db");
        let (writer, _) = sqlite::open(&path, Durability::Process).unwrap();
        sqlite::leave_checkpoints(&writer).unwrap();
        let checkpointer = Checkpointer::start(&path).unwrap();
        let size = || std::fs::metadata(&path).unwrap().len();
        let before = size();
        writer.execute_batch("CREATE TABLE large AS SELECT zeroblob(20 << 20)").unwrap();
        assert_eq!(size(), before, "the writer has brought it there itself");
        checkpointer.ring();
        let start = Instant::now();
        while size() < before + (20 << 20) {
            assert!(start.elapsed() < Duration::from_secs(60), "nobody brings it there");
            thread::yield_now();
        }
    }
}
