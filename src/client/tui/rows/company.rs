//! What is told about people between the messages: who came and left, and whom one does not hear.

use super::{Layout, Row};
use crate::client::tui::wrap::wrap;
use crate::protocol::event::{Entry, EntryKind};
use crate::protocol::name::Nick;

/// Messages in a row that are counted. It is done for each drawing, and more than this is "many".
const COUNTED: usize = 1_000;

impl Layout<'_> {
    /// Who came and left between the entry before `place` and the one there.
    pub(super) fn comings(&self, place: usize) -> Vec<Row> {
        if !self.company.settings.noise || self.room.scrollback.gap_before(place).is_some() {
            return Vec::new();
        }
        let before = place.checked_sub(1).and_then(|place| self.room.scrollback.get(place));
        let after = before.map_or(0, |entry| entry.seq);
        let until = self.room.scrollback.get(place).map_or(u64::MAX, |entry| entry.seq);
        let told = self.room.comings.between(after..until);
        told.flat_map(|text| wrap(&text, self.columns.text)).map(Row::Note).collect()
    }

    /// What stands in the place of the messages of somebody who is not heard: how many there are in a row.
    pub(super) fn not_shown(&self, place: usize, first: &Entry) -> String {
        let from = &first.from;
        let many = match self.run(place, first) {
            1 => "a message".to_owned(),
            many if many > COUNTED => format!("more than {COUNTED} messages"),
            many => format!("{many} messages"),
        };
        format!("{many} of {from} not shown: /unignore {from}")
    }

    /// How many messages of one person follow each other from `place` on, with nothing drawn between them.
    fn run(&self, place: usize, first: &Entry) -> usize {
        let day = self.day(first.at.timestamp());
        let mut many = 1;
        let mut before = first.seq;
        for next in place + 1.. {
            let Some(entry) = self.room.scrollback.get(next) else { break };
            let new = self.room.new_after.is_some_and(|seen| (before..entry.seq).contains(&seen));
            let parted = new
                || self.room.scrollback.gap_before(next).is_some()
                || !self.comings(next).is_empty()
                || match entry.kind {
                    EntryKind::Message => entry.from != first.from || self.day(entry.at.timestamp()) != day,
                    EntryKind::Topic => true,
                    _ => false,
                };
            if parted || many > COUNTED {
                break;
            }
            many += usize::from(entry.kind == EntryKind::Message);
            before = entry.seq;
        }
        many
    }

    /// Whether somebody names us by this text.
    pub(super) fn names_us(&self, from: &Nick, text: &str) -> bool {
        from != self.me && self.company.names_us(self.room, self.me, from, text)
    }

    /// What stands at the beginning of a room that is only for some.
    pub(super) fn beginning(&self) -> String {
        let room = self.room;
        if !room.name.is_direct() {
            return format!("This is the beginning of {}.", room.shown);
        }
        let others: Vec<&str> =
            room.members.iter().filter(|nick| *nick != self.me).map(Nick::as_str).collect();
        match others.as_slice() {
            [] => "Your notes: nobody but you can come in here.".to_owned(),
            others => format!("Only you and {} can come in here.", others.join(", ")),
        }
    }
}
