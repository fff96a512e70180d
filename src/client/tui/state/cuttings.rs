//! What was cut out of inputs, to be put back there or elsewhere: one store for all rooms.

use std::collections::VecDeque;

/// Pieces that are kept.
const KEPT: usize = 20;

/// The pieces, and which of them was put back last.
#[derive(Debug, Default)]
pub(crate) struct Cuttings {
    /// The newest first.
    pieces: VecDeque<String>,
    shown: usize,
}

impl Cuttings {
    /// A piece was cut.
    pub(crate) fn add(&mut self, piece: String) {
        self.pieces.push_front(piece);
        self.pieces.truncate(KEPT);
        self.shown = 0;
    }

    /// What was cut next stood before the newest piece, and belongs to it.
    pub(crate) fn put_before(&mut self, piece: &str) {
        match self.pieces.front_mut() {
            Some(newest) => newest.insert_str(0, piece),
            None => self.add(piece.to_owned()),
        }
    }

    /// What was cut next stood behind the newest piece, and belongs to it.
    pub(crate) fn put_behind(&mut self, piece: &str) {
        match self.pieces.front_mut() {
            Some(newest) => newest.push_str(piece),
            None => self.add(piece.to_owned()),
        }
    }

    /// The newest piece.
    pub(crate) fn newest(&mut self) -> Option<&str> {
        self.shown = 0;
        self.pieces.front().map(String::as_str)
    }

    /// The piece before the one that was asked for last; behind the oldest comes the newest again.
    pub(crate) fn older(&mut self) -> Option<&str> {
        self.shown = (self.shown + 1) % self.pieces.len().max(1);
        self.pieces.get(self.shown).map(String::as_str)
    }
}
