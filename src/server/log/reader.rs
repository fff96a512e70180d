//! The log's readers: a few connections, lent out one at a time.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rusqlite::{Connection, Row, params};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::present::Folder;
use super::sqlite::{self, place, seq_of};
use super::tail::Tail;
use super::unread::{Count, Unread, Whose};
use super::{LogError, moment};
use crate::protocol::command::Place;
use crate::protocol::event::{Entry, Reacted, Version};
use crate::protocol::limits::{
    CATCH_UP_BYTES, COUNT_WAIT, COUNTED_BYTES, LOG_READERS, PAGE_BYTES, PAGE_ENTRIES,
};
use crate::protocol::name::RoomName;
use crate::protocol::time::Time;
use crate::server::batch::{Batch, Builder};
use crate::server::disk::Disk;

/// A handle to the readers. Clones share them.
#[derive(Clone, Debug)]
pub struct Reader {
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
    /// For [`Reader::unread`], so that most connections are there for those who catch up.
    pub(super) counting: Arc<Semaphore>,
    pub(super) tail: Tail,
    disk: Disk,
}

impl Reader {
    pub(super) fn open(path: &Path, tail: Tail, disk: Disk) -> Result<Self, LogError> {
        // All at once, so that a server that runs out of files can still read its log.
        let connections: Vec<_> =
            (0..LOG_READERS).map(|_| sqlite::open_reader(path)).collect::<Result<_, _>>()?;
        let turns = Arc::new(Semaphore::new(LOG_READERS));
        let counting = Arc::new(Semaphore::new(1));
        Ok(Self { idle: Arc::new(Mutex::new(connections)), turns, counting, tail, disk })
    }

    /// The entries after `cursor` up to `to`, encoded, as many as one step takes: what a
    /// connection that catches up is sent at a time. The first is `cursor + 1`, or a later one where those before it have
    /// expired. `None` when there are none.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn batch(&self, room: &RoomName, cursor: u64, to: u64) -> Result<Option<Batch>, LogError> {
        let mut batch = Builder::default();
        if let Some(tail) = self.tail.from(room, cursor + 1, CATCH_UP_BYTES) {
            tail.into_iter()
                .take_while(|next| next.first <= to)
                .for_each(|next| batch.append(&next.after(cursor).up_to(to)));
            return Ok(batch.take());
        }
        let room = room.clone();
        self.with(move |connection| {
            // One state of the file, whatever expires while it is read.
            let moment = connection.unchecked_transaction()?;
            let Some(section) = Section::open(&moment, &room, Vec::new())? else { return Ok(None) };
            let read = section.forward(cursor + 1, |next| {
                if next.first > to {
                    return Ok(false);
                }
                batch.append(&next.up_to(to));
                Ok(batch.len() < CATCH_UP_BYTES)
            });
            match read {
                // What comes before it is as it should be; the next call begins there.
                Err(_) if !batch.is_empty() => Ok(batch.take()),
                read => read.map(|()| batch.take()),
            }
        })
        .await
    }

    /// A page for whoever reads back, at most `wanted` entries and [`PAGE_ENTRIES`], contiguous and in
    /// the order of the log. Ends early when it grows over [`PAGE_BYTES`], on the side away from `at`. The messages are as
    /// they are now, also by entries that nobody was told of yet; the reactions of the author `asker` are `mine`.
    ///
    /// # Errors
    /// When the log cannot be read, or lacks what would be next to `at`.
    pub async fn page(
        &self,
        room: &RoomName,
        at: Place,
        wanted: u64,
        asker: Option<u64>,
    ) -> Result<Vec<Entry>, LogError> {
        let wanted = wanted.min(PAGE_ENTRIES);
        let page = self.look(room, move |section| {
            let now = &mut section.folder(asker)?;
            match at {
                Place::Before(seq) => section.before(now, seq, wanted, PAGE_BYTES),
                Place::After(seq) => section.after(now, seq, wanted, PAGE_BYTES),
                Place::Around(seq) => section.around(now, seq, wanted),
                Place::At(time) => section.around(now, section.at(time)?, wanted),
            }
        });
        Ok(page.await?.unwrap_or_default())
    }

    /// One entry, as it is now; see [`Reader::page`]. `None` when there is none at this place.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn entry(
        &self,
        room: &RoomName,
        seq: u64,
        asker: Option<u64>,
    ) -> Result<Option<Entry>, LogError> {
        let entry = self.look(room, move |section| {
            let Some(entry) = section.raw(seq)? else { return Ok(None) };
            let (entry, _) = section.folder(asker)?.fold(entry, 0)?;
            Ok(Some(entry))
        });
        Ok(entry.await?.flatten())
    }

    /// What a message said from when on, the first text first; `None` when there is none, or it was deleted. Beyond
    /// [`PAGE_BYTES`] the oldest texts are left out.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn versions(&self, room: &RoomName, seq: u64) -> Result<Option<Vec<Version>>, LogError> {
        let versions = self.look(room, move |section| {
            let Some(entry) = section.raw(seq)? else { return Ok(None) };
            let mut folder = section.folder(None)?;
            let versions = folder.versions(&entry, PAGE_BYTES)?;
            let (now, _) = folder.fold(entry, 0)?;
            Ok((!now.now.is_some_and(|now| now.deleted)).then_some(versions))
        });
        Ok(versions.await?.flatten())
    }

    /// Who reacted to a message, each emoji in the order in which it came first, at most `most` names in all.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn who_reacted(
        &self,
        room: &RoomName,
        seq: u64,
        most: usize,
    ) -> Result<Vec<Reacted>, LogError> {
        let reacted = self.look(room, move |section| Ok(section.folder(None)?.who_reacted(seq, most)?));
        Ok(reacted.await?.unwrap_or_default())
    }

    /// Looks at one room at one moment; `None` when the log knows no such room.
    async fn look<R: Send + 'static>(
        &self,
        room: &RoomName,
        look: impl FnOnce(&Section<'_>) -> Result<R, LogError> + Send + 'static,
    ) -> Result<Option<R>, LogError> {
        let room = room.clone();
        // Before the file is looked at: what is settled in between is in both, and never in neither.
        let tail = self.tail.of(&room);
        self.with(move |connection| {
            // One moment for all: what a message has become belongs together.
            let moment = connection.unchecked_transaction()?;
            Section::open(&moment, &room, tail)?.map(|section| look(&section)).transpose()
        })
        .await
    }

    /// What somebody has not read of the entries after `after` up to `to`: of the last ones, if they have more than
    /// [`COUNTED_BYTES`]. One is counted for at a time; `None` when that takes the others longer than [`COUNT_WAIT`].
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn unread(
        &self,
        room: &RoomName,
        after: u64,
        to: u64,
        whose: Whose,
    ) -> Result<Option<Unread>, LogError> {
        let turn = timeout(COUNT_WAIT, Arc::clone(&self.counting).acquire_owned()).await;
        let Ok(turn) = turn else { return Ok(None) };
        let turn = turn.map_err(|_| LogError::Closed)?;
        let unread = self.look(room, move |section| {
            // Owned by the work itself: see `with`.
            let _turn = turn;
            let (mut batches, mut bytes) = (Vec::new(), 0);
            section.backward(to, |batch| {
                if batch.last <= after {
                    return Ok(false);
                }
                let batch = batch.after(after);
                bytes += batch.bytes.len();
                batches.push(batch);
                Ok(bytes < COUNTED_BYTES)
            })?;
            let mut count = Count::new(whose);
            for batch in batches.iter().rev() {
                batch.entries().into_iter().for_each(|(seq, json)| count.look_at(seq, json));
            }
            Ok(count.end())
        });
        Ok(Some(unread.await?.unwrap_or_default()))
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

    /// Runs `read` on one of the connections, where one may wait.
    async fn with<R: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<R, LogError> + Send + 'static,
    ) -> Result<R, LogError> {
        // Owned by the work itself: whoever asked may be gone before it is done.
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| LogError::Closed)?;
        let idle = Arc::clone(&self.idle);
        let work = self.disk.run(move || {
            let taken = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = taken.ok_or(LogError::Closed)?;
            let result = read(&connection);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            drop(turn);
            result
        });
        work.await.ok_or(LogError::Closed)?
    }
}

/// A room's log, as one connection reads it.
pub(super) struct Section<'a> {
    pub(super) connection: &'a Connection,
    room: &'a str,
    /// The room's number.
    pub(super) id: i64,
    /// The first entry that has not expired.
    first: u64,
    /// What may not be in the file yet.
    tail: Vec<Batch>,
}

impl<'a> Section<'a> {
    /// A room's log, if it has one. `tail` was taken before.
    fn open(
        connection: &'a Connection,
        room: &'a RoomName,
        tail: Vec<Batch>,
    ) -> Result<Option<Self>, LogError> {
        let Some((id, first)) = sqlite::room_start(connection, room)? else { return Ok(None) };
        // What has expired since then is in it still.
        let tail = tail.into_iter().filter(|batch| batch.last >= first).map(|batch| batch.after(first - 1));
        Ok(Some(Self { connection, room: room.as_str(), id, first, tail: tail.collect() }))
    }

    /// Half of what is wanted before `seq`, it, and the rest after it.
    fn around(&self, now: &mut Folder<'_>, seq: u64, wanted: u64) -> Result<Vec<Entry>, LogError> {
        // Each side has its own half of the bytes, so that `seq` itself is always in it.
        let mut page = self.before(now, seq, wanted / 2, PAGE_BYTES / 2)?;
        let rest = wanted - page.len() as u64;
        page.extend(self.after(now, seq.saturating_sub(1), rest, PAGE_BYTES / 2)?);
        Ok(page)
    }

    /// The entry that was the next to be said at a moment; the last one for a moment after that.
    fn at(&self, time: Time) -> Result<u64, LogError> {
        let found = moment::find(self.connection, self.id, &self.tail, time)?;
        Ok(found.min(self.last()?).max(self.first))
    }

    /// The last entry.
    fn last(&self) -> Result<u64, LogError> {
        let settled = || sqlite::last_seq(self.connection, self.id);
        Ok(self.tail.last().map_or_else(settled, |batch| Ok(batch.last))?)
    }

    /// What makes its entries what they are now.
    fn folder(&self, asker: Option<u64>) -> rusqlite::Result<Folder<'_>> {
        Folder::new(self, asker)
    }

    /// One entry as it was sent, if it is there.
    pub(super) fn raw(&self, seq: u64) -> Result<Option<Entry>, LogError> {
        if seq < self.first {
            return Ok(None);
        }
        let mut row = self.connection.prepare_cached(
            "SELECT place, count, frames FROM batches WHERE place BETWEEN ?1 AND ?2 ORDER BY place DESC LIMIT 1",
        )?;
        let mut rows = row.query(params![place(self.id, 0), place(self.id, seq)])?;
        let settled = rows.next()?.map(|row| self.batch(row)).transpose()?;
        let holds = |batch: &&Batch| (batch.first..=batch.last).contains(&seq);
        let Some(batch) = settled.iter().chain(&self.tail).find(holds) else { return Ok(None) };
        let json = batch.entries().into_iter().find_map(|(at, json)| (at == seq).then_some(json));
        json.map(|json| self.entry(seq, json)).transpose()
    }

    /// The last entries before `seq`, in the order of the log. Ends at a hole; whoever begins there is told.
    fn before(
        &self,
        now: &mut Folder<'_>,
        seq: u64,
        wanted: u64,
        bytes: usize,
    ) -> Result<Vec<Entry>, LogError> {
        let mut page = Vec::new();
        if wanted == 0 {
            return Ok(page);
        }
        let mut left = Room { entries: wanted, bytes };
        self.backward(seq.saturating_sub(1), |batch| {
            for (seq, json) in batch.entries().into_iter().rev() {
                if left.is_none() {
                    return Ok(false);
                }
                let (entry, bytes) = now.fold(self.entry(seq, json)?, json.len())?;
                left.take(bytes);
                page.push(entry);
            }
            Ok(true)
        })?;
        page.reverse();
        Ok(page)
    }

    /// The first entries after `seq`.
    fn after(
        &self,
        now: &mut Folder<'_>,
        seq: u64,
        wanted: u64,
        bytes: usize,
    ) -> Result<Vec<Entry>, LogError> {
        let mut page = Vec::new();
        let mut room_left = Room { entries: wanted, bytes };
        self.forward(seq.saturating_add(1), |batch| {
            for (seq, json) in batch.entries() {
                if room_left.is_none() {
                    return Ok(false);
                }
                let (entry, bytes) = now.fold(self.entry(seq, json)?, json.len())?;
                room_left.take(bytes);
                page.push(entry);
            }
            Ok(true)
        })?;
        Ok(page)
    }

    /// Reads what was committed together, from the entry `first` on, for as long as `each` wants more. Ends at a hole;
    /// whoever begins there is told.
    fn forward(
        &self,
        first: u64,
        mut each: impl FnMut(Batch) -> Result<bool, LogError>,
    ) -> Result<(), LogError> {
        let first = first.max(self.first);
        let mut statement = self.connection.prepare_cached(
            "SELECT place, count, frames FROM batches
             WHERE place >= coalesce((SELECT max(place) FROM batches WHERE place BETWEEN ?1 AND ?2), ?2)
             AND place <= ?3 ORDER BY place",
        )?;
        let ends = params![place(self.id, 0), place(self.id, first), place(self.id, sqlite::max_seq())];
        let mut rows = statement.query(ends)?;
        let mut next = first;
        // `each` has had what comes before `next`: whether it wants the batch.
        let mut go_on = |batch: Batch| {
            if batch.last < next {
                return Ok(true);
            }
            let batch = batch.after(next - 1);
            if batch.first != next {
                if next == first {
                    return Err(self.hole(first - 1));
                }
                return Ok(false);
            }
            next = batch.last + 1;
            each(batch)
        };
        while let Some(row) = rows.next()? {
            if !go_on(self.batch(row)?)? {
                return Ok(());
            }
        }
        for batch in &self.tail {
            if !go_on(batch.clone())? {
                break;
            }
        }
        Ok(())
    }

    /// The same from the entry `last` back, or from the last one that there is.
    fn backward(
        &self,
        last: u64,
        mut each: impl FnMut(Batch) -> Result<bool, LogError>,
    ) -> Result<(), LogError> {
        let end = last.min(self.last()?);
        if end < self.first {
            return Ok(());
        }
        let mut next = end;
        // `each` has had what comes after `next`: whether it wants what comes before the batch.
        let mut go_on = |batch: Batch| {
            let batch = batch.up_to(next);
            if batch.last != next {
                return if next == end { Err(self.hole(batch.last)) } else { Ok(false) };
            }
            next = batch.first - 1;
            Ok(each(batch)? && next > 0)
        };
        for batch in self.tail.iter().rev().filter(|batch| batch.first <= end) {
            if !go_on(batch.clone())? {
                return Ok(());
            }
        }
        let end = self.tail.first().map_or(end, |batch| end.min(batch.first - 1));
        let mut statement = self.connection.prepare_cached(
            "SELECT place, count, frames FROM batches WHERE place > ?1 AND place <= ?2 ORDER BY place DESC",
        )?;
        let mut rows = statement.query(params![place(self.id, 0), place(self.id, end)])?;
        while let Some(row) = rows.next()?
            && go_on(self.batch(row)?)?
        {}
        Ok(())
    }

    fn hole(&self, after: u64) -> LogError {
        LogError::Hole { room: self.room.to_owned(), after }
    }

    fn batch(&self, row: &Row<'_>) -> Result<Batch, LogError> {
        let (place, count): (i64, i64) = (row.get(0)?, row.get(1)?);
        let frames = Bytes::copy_from_slice(row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?);
        let damaged = |_| LogError::Garbled { room: self.room.to_owned(), seq: seq_of(place) };
        Batch::of_frames(seq_of(place), u64::try_from(count).unwrap_or(0), frames).map_err(damaged)
    }

    fn entry(&self, seq: u64, json: &[u8]) -> Result<Entry, LogError> {
        let entry: Option<Entry> = serde_json::from_slice(json).ok();
        entry
            .filter(|entry| entry.seq == seq)
            .ok_or_else(|| LogError::Garbled { room: self.room.to_owned(), seq })
    }
}

/// How much more goes into a page.
struct Room {
    entries: u64,
    bytes: usize,
}

impl Room {
    fn is_none(&self) -> bool {
        self.entries == 0 || self.bytes == 0
    }

    fn take(&mut self, bytes: usize) {
        self.entries -= 1;
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
