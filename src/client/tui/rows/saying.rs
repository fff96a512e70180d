//! What somebody said, before it is laid out, and whether some of it is folded away.

use jiff::Timestamp;

use super::{Layout, Row, Tone};
use crate::client::tui::markup;
use crate::client::tui::scroll::Unit;
use crate::client::tui::styled::Styled;
use crate::protocol::event::EntryKind;
use crate::protocol::name::Nick;

/// What is to be laid out.
pub(crate) struct Saying<'a> {
    pub(crate) from: &'a Nick,
    /// Who that is, where it is known.
    pub(crate) author: Option<u64>,
    pub(crate) at: Timestamp,
    pub(crate) text: &'a str,
    pub(crate) action: bool,
    pub(super) tone: Tone,
    /// Nothing of it is folded away.
    pub(super) open: bool,
}

impl Saying<'_> {
    /// Its rows in so many columns, before any are folded away.
    pub(crate) fn rows(&self, width: usize) -> Vec<Styled> {
        match self.tone {
            Tone::News | Tone::Deleted => markup::plain(self.text, width),
            _ if self.action => markup::act(self.from.as_str(), self.text, width),
            _ => markup::rows(self.text, width),
        }
    }
}

impl Layout<'_> {
    /// What somebody said in a unit, if it is a message, whole and heard: that of which parts can be selected.
    pub(crate) fn saying(&self, number: usize) -> Option<Saying<'_>> {
        let tone = Tone::Plain;
        match self.unit(number)? {
            Unit::Entry(_) => {
                let entry = self.room.scrollback.get(number - 1)?;
                let now = self.room.now(entry, self.author);
                let heard = entry.kind == EntryKind::Message && !self.ignored.contains(&entry.from);
                let (from, at, action) = (&entry.from, entry.at.timestamp(), entry.action);
                (heard && now.deleted.is_none()).then_some(Saying {
                    from,
                    author: entry.author,
                    at,
                    text: now.text,
                    action,
                    tone,
                    open: true,
                })
            }
            Unit::Pending(id) => {
                let pending = self.room.pending.iter().find(|pending| pending.id == id)?;
                let (at, text, action) = (pending.at.timestamp(), pending.text.as_str(), pending.action);
                let author = Some(self.author);
                Some(Saying { from: self.me, author, at, text, action, tone, open: true })
            }
            Unit::Start | Unit::Tail => None,
        }
    }

    /// Whether some of the message `seq` is folded away, or was.
    pub(crate) fn can_fold(&self, seq: u64) -> bool {
        let rows = || self.number(Unit::Entry(seq)).map(|number| self.rows(number)).unwrap_or_default();
        self.room.unfolded.contains(&seq)
            || rows().iter().any(|row| matches!(row, Row::Said(said) if said.folded))
    }
}
