//! Entries that are sent together: encoded once, for however many receive them.

use bytes::Bytes;
use thiserror::Error;

use crate::protocol::event::Entry;
use crate::protocol::frame::{self, HEADER};

/// What should be frames, and is not.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("what should be {expected} frames is not")]
pub struct NotFrames {
    /// How many.
    expected: u64,
}

/// Consecutive entries of one room, from `first` to `last`, as frames end to end. Clones share the bytes.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The `seq` of its first entry.
    pub first: u64,
    /// The `seq` of its last entry.
    pub last: u64,
    /// The frames.
    pub bytes: Bytes,
}

impl Batch {
    /// What `frames` hold, `count` entries from `first` on.
    ///
    /// # Errors
    /// When they hold something else.
    pub fn of_frames(first: u64, count: u64, frames: Bytes) -> Result<Self, NotFrames> {
        let batch = Self { first, last: first.saturating_add(count.saturating_sub(1)), bytes: frames };
        let mut places = batch.frames();
        let found = places.by_ref().count() as u64;
        if count == 0 || found != count || places.0.len() != places.1 {
            return Err(NotFrames { expected: count });
        }
        Ok(batch)
    }

    /// The frames, one by one.
    fn frames(&self) -> Frames<'_> {
        Frames(&self.bytes, 0)
    }

    /// The `seq` and the JSON of each entry.
    pub fn entries(&self) -> Vec<(u64, &[u8])> {
        (self.first..).zip(self.frames().map(|frame| &frame[HEADER..])).collect()
    }

    /// Those after `seq`; all of them if it comes before.
    #[must_use]
    pub fn after(self, seq: u64) -> Self {
        let bytes = self.bytes.slice(self.bytes_up_to(seq)..);
        Self { first: self.first.max(seq.saturating_add(1)), last: self.last, bytes }
    }

    /// Those up to `seq`; all of them if it comes after.
    #[must_use]
    pub fn up_to(self, seq: u64) -> Self {
        let bytes = self.bytes.slice(..self.bytes_up_to(seq));
        Self { first: self.first, last: self.last.min(seq), bytes }
    }

    /// Bytes of the frames up to that of `seq`.
    fn bytes_up_to(&self, seq: u64) -> usize {
        let entries = seq.saturating_add(1).saturating_sub(self.first);
        self.frames().take(usize::try_from(entries).unwrap_or(usize::MAX)).map(<[u8]>::len).sum()
    }
}

/// Frames end to end, and how many bytes of them were given.
struct Frames<'a>(&'a [u8], usize);

impl<'a> Iterator for Frames<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.0.get(self.1..)?;
        let length = u32::from_be_bytes(*rest.first_chunk::<HEADER>()?) as usize;
        let frame = rest.get(..HEADER + length)?;
        self.1 += frame.len();
        Some(frame)
    }
}

/// Encodes entries one after the other.
#[derive(Debug, Default)]
pub struct Builder {
    ends: Option<(u64, u64)>,
    bytes: Vec<u8>,
}

impl Builder {
    /// Whether this `seq` may come next.
    pub fn is_followed_by(&self, seq: u64) -> bool {
        self.ends.is_none_or(|(_, last)| last + 1 == seq)
    }

    /// Adds the entry that follows the last one added.
    pub fn push(&mut self, entry: &Entry) {
        debug_assert!(self.is_followed_by(entry.seq), "entries of a batch are consecutive");
        self.ends = Some((self.ends.map_or(entry.seq, |(first, _)| first), entry.seq));
        frame::append(&mut self.bytes, entry);
    }

    /// Adds entries that were encoded already, and follow the last one added.
    pub fn append(&mut self, batch: &Batch) {
        debug_assert!(self.is_followed_by(batch.first), "entries of a batch are consecutive");
        self.ends = Some((self.ends.map_or(batch.first, |(first, _)| first), batch.last));
        self.bytes.extend_from_slice(&batch.bytes);
    }

    /// Bytes encoded so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.ends.is_none()
    }

    /// What was added, and an empty builder; `None` when nothing was.
    pub fn take(&mut self) -> Option<Batch> {
        let (first, last) = self.ends.take()?;
        Some(Batch { first, last, bytes: std::mem::take(&mut self.bytes).into() })
    }
}

/// As few batches as these make, which follow each other, without one that grows over `bytes` by joining.
pub fn join(batches: Vec<Batch>, bytes: usize) -> Vec<Batch> {
    if batches.len() <= 1 {
        return batches;
    }
    let (mut joined, mut open) = (Vec::new(), Builder::default());
    for batch in batches {
        if open.len() + batch.bytes.len() > bytes {
            joined.extend(open.take());
        }
        open.append(&batch);
    }
    joined.extend(open.take());
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::event::{EntryKind, EntryText, Event};
    use crate::protocol::time::Time;

    fn batch(first: u64, count: u64) -> Batch {
        let mut builder = Builder::default();
        for seq in first..first + count {
            builder.push(&Entry {
                kind: EntryKind::Message,
                room: "#a".parse().unwrap(),
                seq,
                id: uuid::Uuid::nil(),
                at: Time::from_millis(0),
                from: "alice".parse().unwrap(),
                text: EntryText::from_stored(&"x".repeat(usize::try_from(seq).unwrap())),
                action: false,
                reply_to: None,
                author: None,
                target: None,
                off: false,
                now: None,
            });
        }
        builder.take().unwrap()
    }

    fn seqs(batch: &Batch) -> Vec<u64> {
        let seq = |(seq, json): (u64, &[u8])| match Event::decode(json).unwrap() {
            Event::Entry(entry) if entry.seq == seq => seq,
            other => panic!("{other:?}"),
        };
        batch.entries().into_iter().map(seq).collect()
    }

    #[test]
    fn a_batch_is_cut_between_its_entries() {
        for (after, up_to) in [(0, 9), (4, 9), (5, 7), (6, 6), (8, 100)] {
            let cut = batch(5, 4).after(after).up_to(up_to);
            let expected: Vec<u64> = (5..9).filter(|seq| *seq > after && *seq <= up_to).collect();
            assert_eq!(seqs(&cut), expected, "after {after}, up to {up_to}");
            if let (Some(first), Some(last)) = (expected.first(), expected.last()) {
                assert_eq!((cut.first, cut.last), (*first, *last));
            }
        }
    }

    #[test]
    fn what_is_not_as_many_frames_is_refused() {
        let Batch { bytes, .. } = batch(1, 3);
        assert!(Batch::of_frames(1, 3, bytes.clone()).is_ok());
        for count in [0, 2, 4] {
            assert!(Batch::of_frames(1, count, bytes.clone()).is_err());
        }
        for end in 0..bytes.len() {
            assert!(Batch::of_frames(1, 3, bytes.slice(..end)).is_err());
        }
    }
}
