//! What the entries of the log mean to the index: messages, and what became of them. Topics and reactions are not searched.

use tracing::warn;

use crate::protocol::event::{Entry, EntryKind};
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::time::Time;
use crate::server::batch::Batch;

/// What one room's log brought between two positions.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) room: RoomName,
    /// In the order of the log.
    pub(super) changes: Vec<Change>,
    /// The `seq` of the last entry that was looked at.
    pub(super) upto: u64,
}

/// One entry, as the index takes it.
#[derive(Debug)]
pub(super) enum Change {
    /// Somebody said something.
    Said(Said),
    /// They meant something else.
    Edited {
        /// The `seq` of the message.
        target: u64,
        /// What it says now.
        text: String,
    },
    /// It was taken back.
    Deleted {
        /// The `seq` of the message.
        target: u64,
    },
}

/// A message.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) seq: u64,
    pub(super) at: Time,
    pub(super) nick: Nick,
    pub(super) author: Option<u64>,
    pub(super) text: String,
}

impl Taken {
    pub(super) fn nothing(room: RoomName, upto: u64) -> Self {
        Self { room, changes: Vec::new(), upto }
    }

    /// Adds the entries that follow.
    pub(super) fn add(&mut self, batch: &Batch) {
        for (seq, json) in batch.entries() {
            match serde_json::from_slice::<Entry>(json) {
                Ok(entry) if entry.seq == seq => self.changes.extend(change(entry)),
                // Whoever reads the log is told of it; here it is only not found.
                Ok(_) | Err(_) => warn!(room = %self.room, seq, "an entry is garbled and cannot be searched"),
            }
        }
        self.upto = batch.last;
    }
}

fn change(entry: Entry) -> Option<Change> {
    let text = entry.text.as_str();
    // What was deleted keeps its place in the log, without its text.
    let is_gone = text.is_empty() || entry.now.is_some_and(|now| now.deleted);
    match (entry.kind, entry.target) {
        (EntryKind::Message, _) if !is_gone => {
            let (seq, at, nick, author) = (entry.seq, entry.at, entry.from, entry.author);
            Some(Change::Said(Said { seq, at, nick, author, text: text.to_owned() }))
        }
        (EntryKind::Edited, Some(target)) if !is_gone => {
            Some(Change::Edited { target, text: text.to_owned() })
        }
        (EntryKind::Deleted, Some(target)) => Some(Change::Deleted { target }),
        _ => None,
    }
}
