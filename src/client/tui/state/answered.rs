//! Messages that others answer and that are not in the scrollback: a few, beside it.

use std::collections::VecDeque;

use crate::protocol::event::Entry;

/// Messages kept: more than answers fit on a screen, so that none is fetched, forgotten and fetched again.
const KEPT: usize = 500;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    /// The one that was fetched last is last. `None`: the server does not have it any more.
    messages: VecDeque<(u64, Option<Entry>)>,
}

impl Answered {
    /// Keeps what the server has under `seq`.
    pub(crate) fn keep(&mut self, seq: u64, entry: Option<Entry>) {
        self.messages.retain(|(known, _)| *known != seq);
        self.messages.push_back((seq, entry));
        if self.messages.len() > KEPT {
            self.messages.pop_front();
        }
    }

    /// What is known of the message `seq`; `Some(None)` if it is known not to be there.
    pub(crate) fn get(&self, seq: u64) -> Option<Option<&Entry>> {
        self.messages.iter().find(|(known, _)| *known == seq).map(|(_, entry)| entry.as_ref())
    }

    /// All that are kept.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &Entry> {
        self.messages.iter().filter_map(|(_, entry)| entry.as_ref())
    }

    pub(crate) fn clear(&mut self) {
        self.messages.clear();
    }
}
