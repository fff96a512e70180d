//! The log's readers: a few connections, lent out one at a time.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, params};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::LogError;
use super::sqlite::{self, COLUMNS, entry, place};
use crate::protocol::command::Place;
use crate::protocol::event::Entry;
use crate::protocol::limits::{LOG_READERS, PAGE_BYTES, PAGE_ENTRIES};
use crate::protocol::name::RoomName;
use crate::server::batch::{Batch, Builder};

/// A handle to the readers. Clones share them.
#[derive(Clone, Debug)]
pub struct Reader {
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self, LogError> {
        // All at once, so that a server that runs out of files can still read its log.
        let connections: Vec<_> =
            (0..LOG_READERS).map(|_| sqlite::open_reader(path)).collect::<Result<_, _>>()?;
        Ok(Self { idle: Arc::new(Mutex::new(connections)), turns: Arc::new(Semaphore::new(LOG_READERS)) })
    }

    /// The entries after `cursor` up to `to`, encoded, as many as one page takes: the step of a
    /// connection that catches up. The first is `cursor + 1`. `None` when there are none.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn batch(&self, room: &RoomName, cursor: u64, to: u64) -> Result<Option<Batch>, LogError> {
        let room = room.clone();
        self.with(move |connection| {
            let mut batch = Builder::default();
            let Some(id) = sqlite::room_id(connection, &room)? else { return Ok(None) };
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM entries WHERE place > ?1 AND place <= ?2 ORDER BY place LIMIT ?3"
            ))?;
            let mut rows = statement.query(params![place(id, cursor), place(id, to), limit(PAGE_ENTRIES)])?;
            let mut next = cursor + 1;
            while batch.len() < PAGE_BYTES
                && let Some(row) = rows.next()?
            {
                let entry = entry(&room, row)?;
                if entry.seq != next {
                    // A hole. What comes before it is as it should be; the next call begins behind it.
                    if batch.is_empty() {
                        return Err(LogError::Hole { room: room.to_string(), after: cursor });
                    }
                    break;
                }
                batch.push(entry);
                next += 1;
            }
            Ok(batch.take())
        })
        .await
    }

    /// A page for whoever reads back, at most `wanted` entries and [`PAGE_ENTRIES`], contiguous and in
    /// the order of the log. Ends early when it grows over [`PAGE_BYTES`], on the side away from `at`.
    ///
    /// # Errors
    /// When the log cannot be read, or lacks what would be next to `at`.
    pub async fn page(&self, room: &RoomName, at: Place, wanted: u64) -> Result<Vec<Entry>, LogError> {
        let room = room.clone();
        let wanted = wanted.min(PAGE_ENTRIES);
        self.with(move |connection| {
            let Some(id) = sqlite::room_id(connection, &room)? else { return Ok(Vec::new()) };
            let section = Section { connection, room: &room, id };
            match at {
                Place::Before(seq) => section.before(seq, wanted, PAGE_BYTES),
                Place::After(seq) => section.after(seq, wanted, PAGE_BYTES),
                Place::Around(seq) => {
                    // Each side has its own half of the bytes, so that `seq` itself is always in it.
                    let mut page = section.before(seq, wanted / 2, PAGE_BYTES / 2)?;
                    let rest = wanted - page.len() as u64;
                    page.extend(section.after(seq.saturating_sub(1), rest, PAGE_BYTES / 2)?);
                    Ok(page)
                }
            }
        })
        .await
    }

    /// Lends out no more and closes the files, once those who read are done: the writer, closing last, can
    /// then leave the log as one file.
    pub async fn close(&self) {
        let all = u32::try_from(LOG_READERS).unwrap_or(u32::MAX);
        // Held until the end of the connections below, so that nobody finds the pool empty.
        let turns = self.turns.acquire_many(all).await;
        self.turns.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        drop(turns);
    }

    /// Runs `read` on one of the connections, on a thread that may wait.
    async fn with<R: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<R, LogError> + Send + 'static,
    ) -> Result<R, LogError> {
        // Owned by the work itself: whoever asked may be gone before it is done.
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| LogError::Closed)?;
        let idle = Arc::clone(&self.idle);
        let work = spawn_blocking(move || {
            let taken = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = taken.ok_or(LogError::Closed)?;
            let result = read(&connection);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            drop(turn);
            result
        });
        work.await.map_err(|_| LogError::Closed)?
    }
}

/// A room's log, as one connection reads it.
struct Section<'a> {
    connection: &'a Connection,
    room: &'a RoomName,
    id: i64,
}

impl Section<'_> {
    /// The last entries before `seq`, in the order of the log.
    fn before(&self, seq: u64, wanted: u64, bytes: usize) -> Result<Vec<Entry>, LogError> {
        let mut page = self.read("DESC", 0, seq.saturating_sub(1), wanted, bytes)?;
        page.reverse();
        let end = seq.saturating_sub(1);
        match page.last().map_or(0, |entry| entry.seq) {
            found if wanted == 0 || found == end => {}
            // It may be the end of the log.
            found if found == end.min(sqlite::last_seq(self.connection, self.id)?) => {}
            found => return Err(self.hole(found)),
        }
        Ok(page)
    }

    /// The first entries after `seq`.
    fn after(&self, seq: u64, wanted: u64, bytes: usize) -> Result<Vec<Entry>, LogError> {
        let page = self.read("ASC", seq, sqlite::max_seq(), wanted, bytes)?;
        match page.first() {
            Some(first) if first.seq != seq + 1 => Err(self.hole(seq)),
            _ => Ok(page),
        }
    }

    fn hole(&self, after: u64) -> LogError {
        LogError::Hole { room: self.room.to_string(), after }
    }

    fn read(
        &self,
        order: &str,
        from: u64,
        to: u64,
        wanted: u64,
        most: usize,
    ) -> Result<Vec<Entry>, LogError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM entries WHERE place > ?1 AND place <= ?2 ORDER BY place {order} LIMIT ?3"
        ))?;
        let mut rows = statement.query(params![place(self.id, from), place(self.id, to), limit(wanted)])?;
        let mut page: Vec<Entry> = Vec::new();
        let mut bytes = 0;
        while bytes < most
            && let Some(row) = rows.next()?
        {
            let entry = entry(self.room, row)?;
            // A hole. What comes before it is as it should be; the next call begins behind it.
            if page.last().is_some_and(|last| last.seq.abs_diff(entry.seq) != 1) {
                break;
            }
            // What JSON puts around a text, roughly; quotes may double it.
            bytes += 256 + 2 * entry.text.as_str().len();
            page.push(entry);
        }
        Ok(page)
    }
}

fn limit(entries: u64) -> i64 {
    i64::try_from(entries).unwrap_or(i64::MAX)
}
