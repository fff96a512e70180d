//! What the writer knows of the log, and what it does to it: one commit after the other, and settling, purging and expiring
//! between them.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rusqlite::{Connection, ErrorCode as SqliteCode, TransactionBehavior};
use tracing::{debug, error};

use super::checkpoint::Checkpointer;
use super::growing::{Grew, Growing, Room};
use super::ids::Ids;
use super::journal::Journal;
use super::people::LastPerson;
use super::purge::Purging;
use super::sqlite::{self, place};
use super::tail::Tail;
use super::{Commit, Committed, Draft, Fresh, LogError, Outcome, StoreError, expiry, schema};
use crate::protocol::event::{Entry, EntryKind};
use crate::protocol::name::RoomName;
use crate::protocol::time::Time;
use crate::server::batch::{Batch, join};
use crate::server::metrics::CommitCounts;

/// Entries, and bytes of them, that may be unsettled: some milliseconds of work for the writer, once in so many messages,
/// and at a start after a crash.
const UNSETTLED_ENTRIES: usize = 16_384;
const UNSETTLED_BYTES: usize = 4 << 20;
/// Bytes that may be unsettled when the disk does not let them be settled: beyond it nothing more is taken, or memory
/// would fill up.
const UNSETTLED_MOST: usize = 64 << 20;
/// Bytes in one settled row, at most, or one commit's: what is read for one page need not be much more than the page.
pub(super) const SETTLED_BYTES: usize = 64 << 10;

/// Bytes of text that are stored quickly: copied into the file's pages in memory within some ten microseconds.
const QUICK_BYTES: usize = 16 << 10;

/// Turns of purging that the log still takes when it is closed: less than a second.
const PURGES_AT_END: usize = 16;

/// Settles all of a log that nobody else uses.
pub(super) fn take_up(connection: Connection, journal: Journal) -> Result<Connection, LogError> {
    let mut store = Store::open(connection, journal, Tail::default())?;
    // Was that not possible, this says why.
    store.try_to_settle()?;
    store.journal.close();
    Ok(store.connection)
}

/// See the module.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) connection: Connection,
    journal: Journal,
    pub(super) rooms: HashMap<RoomName, Room>,
    ids: Ids,
    tail: Tail,
    /// Bytes in the tail.
    unsettled: usize,
    /// Something was overwritten in the file, and what it was may be in the write-ahead log still.
    overwritten: bool,
    pub(super) counts: Arc<CommitCounts>,
    pub(super) purging: Purging,
    last_person: LastPerson,
    /// `None`: the writer does it all itself.
    checkpointer: Option<Checkpointer>,
}

impl Store {
    /// Knows what the log holds, and settles what the last server left.
    pub(super) fn open(connection: Connection, journal: Journal, tail: Tail) -> Result<Self, LogError> {
        let mut rooms = HashMap::new();
        for (id, room) in sqlite::rooms(&connection)? {
            rooms.insert(room.name, Room { id, last: room.last });
        }
        let (ids, counts) = (Ids::open(&connection)?, Arc::new(CommitCounts::default()));
        let purging = Purging::new(&connection)?;
        let last_person = LastPerson::read(&connection)?;
        let mut store = Self {
            connection,
            journal,
            rooms,
            ids,
            tail,
            unsettled: 0,
            overwritten: false,
            counts,
            purging,
            last_person,
            checkpointer: None,
        };
        store.take_up_journal()?;
        Ok(store)
    }

    /// Has a thread of its own write what was settled into the file.
    pub(super) fn checkpoint_apart(&mut self) -> Result<(), LogError> {
        if let Some(path) = self.connection.path().map(Path::new) {
            self.checkpointer = Some(Checkpointer::start(path)?);
            sqlite::leave_checkpoints(&self.connection)?;
        }
        Ok(())
    }

    /// Settles and purges what is left, and closes the files.
    pub(super) fn close(mut self) {
        self.settle();
        // What takes longer, or does not work now, is left to the next start.
        for _ in 0..PURGES_AT_END {
            if !self.purging.is_due() || !self.purge() {
                break;
            }
        }
        self.journal.close();
        self.checkpointer = None;
        // Empties the write-ahead log into the file, so that the file alone is the whole log.
        if let Err((_, error)) = self.connection.close() {
            error!(%error, "the log could not be closed in order; the next start repairs it");
        }
    }

    /// From now on the tables, or the journal's file, cannot be written, as on a disk that the system has made read-only; or
    /// they can again.
    #[cfg(test)]
    pub(super) fn make_read_only(&mut self, tables: bool, journal: bool) {
        self.connection.pragma_update(None, "query_only", tables).unwrap();
        self.journal.make_read_only(journal);
    }

    /// Settles what is unsettled, when it is enough.
    pub(super) fn settle_in_time(&mut self) {
        if self.is_due() {
            self.settle();
        }
    }

    fn is_due(&self) -> bool {
        self.ids.mark() >= UNSETTLED_ENTRIES || self.unsettled >= UNSETTLED_BYTES
    }

    /// Whether to store these takes no longer than a small write to a file: no table is asked or changed for it, and nothing else
    /// is due.
    pub(super) fn is_quick(&self, drafts: &[Draft]) -> bool {
        let bytes: usize = drafts.iter().map(|draft| draft.text.as_str().len()).sum();
        let is_quick = |draft: &Draft| {
            draft.kind == EntryKind::Message
                && self.rooms.contains_key(&draft.room)
                && self.ids.is_in_memory(draft.id)
                && draft.author.is_none_or(|author| self.last_person.covers(author))
        };
        bytes <= QUICK_BYTES && self.journal.is_quick() && !self.is_due() && drafts.iter().all(is_quick)
    }

    /// Puts what is in the journal where it is read.
    fn settle(&mut self) {
        match self.try_to_settle() {
            Ok(()) => {
                self.checkpointer.iter().for_each(Checkpointer::ring);
                self.empty_write_ahead();
            }
            // Nothing is lost by it, and it can be read: it is tried again, at the latest by the next start.
            Err(error) => error!(%error, "what was said stays in the journal"),
        }
    }

    /// Takes what was deleted out of the files, as much as is done at once; whether it is worth going on at once.
    pub(super) fn purge(&mut self) -> bool {
        let settled = self.try_to_settle();
        let _pause = self.checkpointer.as_ref().map(Checkpointer::pause);
        let purged = settled.and_then(|()| self.purging.purge(&mut self.connection));
        purged.unwrap_or_else(|error| {
            error!(%error, "what was deleted is still in the files; it is tried again");
            self.purging.failed();
            false
        })
    }

    /// One step of taking out what has expired.
    pub(super) fn expire(
        &mut self,
        room: &RoomName,
        before: Time,
        up_to: u64,
    ) -> Result<expiry::Step, LogError> {
        let Some(Room { id, .. }) = self.rooms.get(room).copied() else {
            return Ok(expiry::Step { first: 1, at_end: true, changed: false, more: false });
        };
        let mut step = expiry::step(&mut self.connection, id, before, up_to)?;
        self.overwritten |= step.changed;
        // Only what is settled can be taken out, and the last of it stays: perhaps there is more.
        if step.at_end && !self.tail.of(room).is_empty() {
            self.settle();
            step.more = self.tail.of(room).is_empty();
        }
        if !step.more {
            self.cut_journal();
            self.empty_write_ahead();
        }
        Ok(step)
    }

    /// Takes what is settled out of the journal's file too, where that failed before: nobody may say anything for a long time, and
    /// what has expired would stay there.
    fn cut_journal(&mut self) {
        if let Err(error) = self.journal.cut_off() {
            error!(%error, "the journal still holds what is settled; it is tried again");
        }
    }

    /// Takes what was overwritten out of the write-ahead log too. With a reader in the way it is tried again, after the
    /// next settling at the latest.
    fn empty_write_ahead(&mut self) {
        if self.overwritten {
            let _pause = self.checkpointer.as_ref().map(Checkpointer::pause);
            match sqlite::empty_write_ahead(&self.connection) {
                Ok(emptied) => self.overwritten = !emptied,
                Err(error) => error!(%error, "the write-ahead log could not be emptied"),
            }
        }
    }

    fn try_to_settle(&mut self) -> Result<(), LogError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut all = self.tail.all();
        // Side by side in the file, if they are.
        all.sort_by_cached_key(|(name, _)| self.rooms.get(name).map(|room| room.id));
        for (name, batches) in all {
            let Some(room) = self.rooms.get(&name) else { continue };
            for batch in join(batches, SETTLED_BYTES) {
                schema::insert(&transaction, room.id, Some(&batch))?;
            }
        }
        self.ids.insert(&transaction)?;
        self.journal.settle(&transaction)?;
        transaction.commit()?;
        self.ids.inserted();
        self.tail.clear();
        self.unsettled = 0;
        self.journal.empty()
    }

    /// What the last server left unsettled, because it ended too suddenly.
    fn take_up_journal(&mut self) -> Result<(), LogError> {
        let names: HashMap<i64, RoomName> =
            self.rooms.iter().map(|(name, room)| (room.id, name.clone())).collect();
        for (room, batch) in self.journal.take_up(&self.connection)? {
            let name = names.get(&room);
            let damaged =
                |seq| LogError::Garbled { room: name.map_or("?", RoomName::as_str).to_owned(), seq };
            let (Some(name), Some(batch)) = (name, batch) else { return Err(damaged(0)) };
            for (seq, json) in batch.entries() {
                let entry: Entry = serde_json::from_slice(json).map_err(|_| damaged(seq))?;
                self.ids.note(entry.id, place(room, seq));
            }
            if let Some(room) = self.rooms.get_mut(name) {
                room.last = room.last.max(batch.last);
            }
            self.tail.add(name, &[batch]);
        }
        if self.ids.mark() > 0 || !self.journal.is_empty() {
            self.settle();
        }
        Ok(())
    }

    /// Stores a group together: all of it, or nothing.
    pub(super) fn commit<T>(&mut self, group: Vec<(Vec<Draft>, T)>) -> Commit<T> {
        if self.unsettled >= UNSETTLED_MOST {
            self.settle();
            if self.unsettled > 0 {
                return refused(group, StoreError::Failed);
            }
        }
        let mark = self.ids.mark();
        let start = Instant::now();
        match self.store(group.iter().map(|(drafts, _)| drafts.as_slice())) {
            Ok((fresh, outcomes)) => {
                self.counts.committed(outcomes.iter().map(Vec::len).sum(), start.elapsed());
                debug!(hand_overs = group.len(), "committed");
                let tags = group.into_iter().map(|(_, tag)| tag);
                let answers =
                    outcomes.into_iter().zip(tags).map(|(outcomes, tag)| Committed { outcomes, tag });
                Commit { fresh, answers: answers.collect() }
            }
            // What is wrong with one of them is not for the others to feel.
            Err(error) if group.len() > 1 && is_of_one(&error) => {
                self.ids.forget(mark);
                let (mut fresh, mut answers) = (Vec::new(), Vec::new());
                for alone in group {
                    let commit = self.commit(vec![alone]);
                    fresh.extend(commit.fresh);
                    answers.extend(commit.answers);
                }
                Commit { fresh, answers }
            }
            Err(error) => {
                self.ids.forget(mark);
                if is_full(&error) {
                    error!(%error, "the disk is full: nothing of a group could be stored");
                    return refused(group, StoreError::Full);
                }
                error!(%error, "nothing of a group could be stored");
                refused(group, StoreError::Failed)
            }
        }
    }

    /// One commit. Of what it changes, the rooms' ends and the last person are taken over only if it succeeds; the ids that it
    /// noted are for the caller to forget if it does not.
    fn store<'a>(
        &mut self,
        group: impl Iterator<Item = &'a [Draft]>,
    ) -> Result<(Vec<Fresh>, Vec<Vec<Outcome>>), LogError> {
        let Self { connection, journal, rooms, ids, tail, unsettled, purging, last_person, .. } = self;
        let mut all = Vec::new();
        let mut growing = Growing::new(connection, rooms, ids, *last_person);
        for drafts in group {
            all.push(drafts.iter().map(|draft| growing.add(draft)).collect::<rusqlite::Result<_>>()?);
        }
        let deletes = growing.deletes();
        let Grew { fresh, last_person: last, transaction } = growing.finish()?;
        let batches =
            fresh.iter().flat_map(|(room, fresh)| fresh.batches.iter().map(|batch| (room.id, batch)));
        let batches: Vec<(i64, Batch)> = batches.map(|(room, batch)| (room, batch.clone())).collect();
        match transaction {
            None => journal.add(batches)?,
            Some(transaction) if batches.is_empty() => transaction.commit()?,
            Some(transaction) => {
                journal.add_to_tables(&transaction, &batches)?;
                transaction.commit()?;
                journal.added();
            }
        }
        *last_person = last;
        if deletes {
            purging.deleted();
        }
        for (room, fresh) in &fresh {
            rooms.insert(fresh.room.clone(), *room);
            // Before anyone hears of it, or one who is behind would look for it in vain.
            tail.add(&fresh.room, &fresh.batches);
            *unsettled += fresh.batches.iter().map(|batch| batch.bytes.len()).sum::<usize>();
        }
        Ok((fresh.into_iter().map(|(_, fresh)| fresh).collect(), all))
    }
}

/// Nothing of a group was stored.
fn refused<T>(group: Vec<(Vec<Draft>, T)>, error: StoreError) -> Commit<T> {
    let refuse = |(drafts, tag): (Vec<Draft>, T)| {
        let outcomes = drafts.iter().map(|draft| Outcome::Failed { id: draft.id, error }).collect();
        Committed { outcomes, tag }
    };
    Commit { fresh: Vec::new(), answers: group.into_iter().map(refuse).collect() }
}

/// Whether an error may be that of a single draft: of the rows that it touches, and not of the disk.
fn is_of_one(error: &LogError) -> bool {
    let LogError::Sqlite(error) = error else { return false };
    matches!(error.sqlite_error_code(), Some(SqliteCode::ConstraintViolation | SqliteCode::DatabaseCorrupt))
}

/// Whether there is no room on the disk, or none that we may have.
fn is_full(error: &LogError) -> bool {
    match error {
        LogError::Sqlite(error) => error.sqlite_error_code() == Some(SqliteCode::DiskFull),
        LogError::File(_, error) => {
            matches!(
                error.kind(),
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
            )
        }
        _ => false,
    }
}
