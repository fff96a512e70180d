//! The log's one writer: a thread that takes all that waits, commits once, and hands it on.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use rusqlite::{Connection, ErrorCode as SqliteCode, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, error};

use super::sqlite::{self, MOST_ROOMS, kind_number, place, room_of, seq_of};
use super::{Commits, Committed, Draft, LogError, Outcome, StoreError};
use crate::protocol::event::{Entry, EntryKind};
use crate::protocol::limits::{COMMIT_ENTRIES, COMMITS_AHEAD, LOG_QUEUE};
use crate::protocol::name::RoomName;
use crate::protocol::time::Time;
use crate::server::metrics::CommitCounts;

/// The handle of the writer. Clones hand over to the same thread.
#[derive(Debug)]
pub struct Writer<T> {
    orders: mpsc::Sender<Order<T>>,
    counts: Arc<CommitCounts>,
}

impl<T> Clone for Writer<T> {
    fn clone(&self) -> Self {
        Self { orders: self.orders.clone(), counts: Arc::clone(&self.counts) }
    }
}

#[derive(Debug)]
enum Order<T> {
    Append { drafts: Vec<Draft>, tag: T },
    Close(oneshot::Sender<()>),
}

impl<T: Send + 'static> Writer<T> {
    pub(super) fn start(connection: Connection, lock: File) -> Result<(Self, Commits<T>), LogError> {
        let (orders, orders_in) = mpsc::channel(LOG_QUEUE);
        let (committed, committed_out) = mpsc::channel(COMMITS_AHEAD);
        let counts = Arc::new(CommitCounts::default());
        let mut state = State { rooms: HashMap::new(), connection, counts: Arc::clone(&counts) };
        for (id, room) in sqlite::rooms(&state.connection)? {
            state.rooms.insert(room.name, Room { id, last: room.last });
        }
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || state.run(orders_in, &committed, lock))
            .map_err(|error| LogError::File("the log's thread".to_owned(), error))?;
        Ok((Self { orders, counts }, committed_out))
    }

    /// Its commits so far.
    pub fn counts(&self) -> &CommitCounts {
        &self.counts
    }

    /// Hand-overs that wait.
    pub fn waiting(&self) -> usize {
        self.orders.max_capacity() - self.orders.capacity()
    }

    /// Hands over drafts, which get consecutive places as far as they share a room. Waits while too
    /// many hand-overs are waiting before it. What becomes of them arrives as [`Committed`], with `tag`.
    ///
    /// # Errors
    /// When the log is closed.
    pub async fn append(&self, drafts: Vec<Draft>, tag: T) -> Result<(), LogError> {
        self.orders.send(Order::Append { drafts, tag }).await.map_err(|_| LogError::Closed)
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

/// What the writer knows of a room.
#[derive(Clone, Copy, Debug)]
struct Room {
    id: i64,
    last: u64,
}

struct State {
    connection: Connection,
    rooms: HashMap<RoomName, Room>,
    counts: Arc<CommitCounts>,
}

impl State {
    fn run<T>(
        mut self,
        mut orders: mpsc::Receiver<Order<T>>,
        committed: &mpsc::Sender<Vec<Committed<T>>>,
        lock: File,
    ) {
        let mut close = None;
        while close.is_none() {
            let Some(first) = orders.blocking_recv() else { break };
            let mut group: Vec<(Vec<Draft>, T)> = Vec::new();
            let mut entries = 0;
            let mut next = Some(first);
            while let Some(order) = next.take() {
                match order {
                    Order::Append { drafts, tag } => {
                        entries += drafts.len();
                        group.push((drafts, tag));
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
                let group = self.commit(group);
                if committed.blocking_send(group).is_err() {
                    error!("nobody publishes what is stored: the log ends");
                    break;
                }
            }
        }
        orders.close();
        // Empties the write-ahead log into the file, so that the file alone is the whole log.
        if let Err((_, error)) = self.connection.close() {
            error!(%error, "the log could not be closed in order; the next start repairs it");
        }
        drop(lock);
        drop(close);
    }

    /// Stores a group in one transaction: all of it, or nothing.
    fn commit<T>(&mut self, group: Vec<(Vec<Draft>, T)>) -> Vec<Committed<T>> {
        let drafts = || group.iter().map(|(drafts, _)| drafts.as_slice());
        let mut changed = HashMap::new();
        let start = Instant::now();
        let outcomes = match store(&mut self.connection, &self.rooms, &mut changed, drafts()) {
            Ok(outcomes) => {
                self.counts.committed(drafts().map(<[Draft]>::len).sum(), start.elapsed());
                self.rooms.extend(changed);
                outcomes
            }
            Err(error) => {
                error!(%error, "nothing of a group could be stored");
                let reason = match error.sqlite_error_code() {
                    Some(SqliteCode::DiskFull) => StoreError::Full,
                    _ => StoreError::Failed,
                };
                let failed = |draft: &Draft| Outcome::Failed { id: draft.id, error: reason };
                drafts().map(|drafts| drafts.iter().map(failed).collect()).collect()
            }
        };
        debug!(hand_overs = group.len(), "committed");
        let tags = group.into_iter().map(|(_, tag)| tag);
        outcomes.into_iter().zip(tags).map(|(outcomes, tag)| Committed { outcomes, tag }).collect()
    }
}

/// One transaction. What it changes about the rooms is in `changed`, and holds only if it succeeds.
fn store<'a>(
    connection: &mut Connection,
    known: &HashMap<RoomName, Room>,
    changed: &mut HashMap<RoomName, Room>,
    group: impl Iterator<Item = &'a [Draft]>,
) -> rusqlite::Result<Vec<Vec<Outcome>>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let now = Time::now();
    let mut all = Vec::new();
    for drafts in group {
        let mut outcomes = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let there = changed.get(&draft.room).or_else(|| known.get(&draft.room)).copied();
            let mut room = there.map_or_else(|| new_room(&transaction, &draft.room), Ok)?;
            let outcome = insert(&transaction, &mut room, draft, now)?;
            if there.is_some() || matches!(outcome, Outcome::Stored(_)) {
                changed.insert(draft.room.clone(), room);
            } else {
                // A room comes to be by what is said in it, and nothing was.
                transaction.prepare_cached("DELETE FROM rooms WHERE id = ?1")?.execute(params![room.id])?;
            }
            outcomes.push(outcome);
        }
        all.push(outcomes);
    }
    transaction.commit()?;
    Ok(all)
}

fn new_room(connection: &Connection, name: &RoomName) -> rusqlite::Result<Room> {
    connection.prepare_cached("INSERT INTO rooms (name) VALUES (?1)")?.execute(params![name.as_str()])?;
    let id = connection.last_insert_rowid();
    if id > MOST_ROOMS {
        return Err(rusqlite::Error::IntegralValueOutOfRange(0, id));
    }
    Ok(Room { id, last: 0 })
}

fn insert(connection: &Connection, room: &mut Room, draft: &Draft, now: Time) -> rusqlite::Result<Outcome> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO entries (place, kind, id, at, author, action, target, text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO NOTHING",
    )?;
    let seq = room.last + 1;
    let target = draft.reply_to.and_then(|seq| i64::try_from(seq).ok());
    let stored = statement.execute(params![
        place(room.id, seq),
        kind_number(draft.kind),
        draft.id.as_bytes(),
        now.as_millis(),
        draft.from.as_str(),
        draft.action,
        target,
        draft.text.as_str(),
    ])?;
    if stored == 0 {
        let mut statement = connection.prepare_cached("SELECT place FROM entries WHERE id = ?1")?;
        let found: i64 = statement.query_row(params![draft.id.as_bytes()], |row| row.get(0))?;
        return Ok(if room_of(found) == room.id {
            Outcome::Known { id: draft.id, seq: seq_of(found) }
        } else {
            Outcome::Failed { id: draft.id, error: StoreError::IdInUse }
        });
    }
    if draft.kind == EntryKind::Topic {
        let mut statement = connection.prepare_cached("UPDATE rooms SET topic = ?2 WHERE id = ?1")?;
        statement.execute(params![room.id, draft.text.as_str()])?;
    }
    room.last = seq;
    Ok(Outcome::Stored(Entry {
        kind: draft.kind,
        room: draft.room.clone(),
        seq,
        id: draft.id,
        at: now,
        from: draft.from.clone(),
        text: draft.text.clone(),
        action: draft.action,
        // As it is stored, so that those who hear it now and those who read it later get the same.
        reply_to: target.and_then(|seq| u64::try_from(seq).ok()),
    }))
}
