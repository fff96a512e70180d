//! Who is writing something in a room.

use tokio::time::Instant;

use crate::protocol::limits::TYPING_TOLD;
use crate::protocol::name::Nick;

/// Who is writing, and until when that counts unless it is said again.
#[derive(Debug, Default)]
pub(crate) struct Typing(Vec<(Nick, Instant)>);

impl Typing {
    /// Somebody is writing.
    pub(crate) fn heard(&mut self, nick: Nick, until: Instant) {
        self.over(&nick);
        if self.0.len() < TYPING_TOLD {
            self.0.push((nick, until));
        }
    }

    /// Somebody is not any more: they have said it, or left.
    pub(crate) fn over(&mut self, nick: &Nick) {
        self.0.retain(|(known, _)| known != nick);
    }

    /// Nothing is known any more.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Time passes. Says whether somebody is not writing any more.
    pub(crate) fn pass(&mut self, now: Instant) -> bool {
        let before = self.0.len();
        self.0.retain(|(_, until)| *until > now);
        self.0.len() < before
    }

    /// When the next one will not be writing any more.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.iter().map(|(_, until)| *until).min()
    }

    /// Who they are.
    pub(crate) fn who(&self) -> impl Iterator<Item = &Nick> {
        self.0.iter().map(|(nick, _)| nick)
    }

    /// As it is told.
    pub(crate) fn sentence(&self) -> Option<String> {
        match self.0.as_slice() {
            [] => None,
            [(one, _)] => Some(format!("{one} is typing …")),
            [(one, _), (other, _)] => Some(format!("{one} and {other} are typing …")),
            many => Some(format!("{} people are typing …", many.len())),
        }
    }
}
