//! Entries that are sent together: encoded once, for however many receive them.

use bytes::{Bytes, BytesMut};

use crate::protocol::event::{Entry, Event};
use crate::protocol::frame;

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

/// Encodes entries one after the other.
#[derive(Debug, Default)]
pub struct Builder {
    ends: Option<(u64, u64)>,
    bytes: BytesMut,
}

impl Builder {
    /// Adds the entry that follows the last one added.
    pub fn push(&mut self, entry: Entry) {
        let seq = entry.seq;
        debug_assert!(
            self.ends.is_none_or(|(_, last)| last + 1 == seq),
            "entries of a batch are consecutive"
        );
        let first = self.ends.map_or(seq, |(first, _)| first);
        self.ends = Some((first, seq));
        frame::append(&mut self.bytes, &Event::Entry(entry));
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
        Some(Batch { first, last, bytes: self.bytes.split().freeze() })
    }
}
