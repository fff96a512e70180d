//! The message of the day: what the host tells those who come in.

use crate::protocol::name::RoomName;
use crate::protocol::text::Text;

/// The message, and where it stands.
#[derive(Debug, Default)]
pub(crate) struct Motd {
    /// As it was told last.
    pub(crate) text: Option<Text>,
    /// It is to be shown in the room that is in sight.
    pub(crate) due: bool,
    /// It stands in this room behind this entry, which was the newest when we came.
    pub(crate) place: Option<(RoomName, u64)>,
}

impl Motd {
    /// We have come in. What was told before, as after a break, is not told again.
    pub(crate) fn came_in(&mut self, text: Option<Text>) {
        if self.text != text {
            self.due = text.is_some();
            self.place = None;
            self.text = text;
        }
    }

    /// A room is in sight, of which `last` is the newest entry.
    pub(crate) fn settle(&mut self, room: &RoomName, last: u64) {
        if std::mem::take(&mut self.due) {
            self.place = Some((room.clone(), last));
        }
    }

    /// Lines for people, without the tabs, which no two terminals show alike.
    pub(crate) fn lines(text: &Text) -> String {
        text.as_str().replace('\t', "    ")
    }
}
