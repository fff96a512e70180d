//! In which order the rooms stand, and which of them have news.
//!
//! The order is the person's own and holds still: only what they do changes it, so the number of a room and its row
//! are where the fingers and the eyes left them. What is urgent is found by a key instead.

use super::State;
use super::company::Company;
use super::room::Room;
use crate::client::tui::known_rooms::Rule;
use crate::protocol::name::RoomName;

/// Rooms that stand together; later is further down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    /// Brought to the top, also what is only for some, also what is muted.
    Pinned,
    Room,
    MutedRoom,
    /// Only for some.
    Direct,
    MutedDirect,
}

/// What waits in a room; later is more urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum News {
    /// Nothing, or nothing that one wants to hear of.
    None,
    Unread,
    /// It says our name, or is said to us alone.
    Urgent,
}

impl Company {
    /// With which others a room stands.
    pub(crate) fn group(&self, room: &RoomName) -> Group {
        let muted = self.rule(room) == Rule::Nothing;
        match (self.known_rooms.is_pinned(self.parlor, room), room.is_direct(), muted) {
            (true, _, _) => Group::Pinned,
            (false, false, false) => Group::Room,
            (false, false, true) => Group::MutedRoom,
            (false, true, false) => Group::Direct,
            (false, true, true) => Group::MutedDirect,
        }
    }
}

impl State {
    /// Whether a room rings for nothing, and is not counted.
    pub(crate) fn is_muted(&self, room: &Room) -> bool {
        self.company.rule(&room.name) == Rule::Nothing
    }

    /// Whether a room stands below others because it is muted.
    pub(crate) fn is_muted_alone(&self, room: &RoomName) -> bool {
        matches!(self.company.group(room), Group::MutedRoom | Group::MutedDirect)
    }

    /// Whether a room was brought to the top.
    pub(crate) fn is_pinned(&self, room: &Room) -> bool {
        self.company.known_rooms.is_pinned(self.company.parlor, &room.name)
    }

    /// What waits in a room.
    pub(crate) fn news(&self, room: &Room) -> News {
        match () {
            () if self.is_muted(room) => News::None,
            () if room.mentioned => News::Urgent,
            () if room.unread > 0 => News::Unread,
            () => News::None,
        }
    }

    /// What waits in the most urgent of these rooms, and in how many of them something does.
    pub(crate) fn news_of<'a>(&self, rooms: impl Iterator<Item = &'a Room>) -> (News, usize) {
        let waiting = rooms.map(|room| self.news(room)).filter(|news| *news != News::None);
        waiting.fold((News::None, 0), |(most, many), news| (most.max(news), many + 1))
    }

    /// The rooms that are not in sight.
    pub(crate) fn other_rooms(&self) -> impl Iterator<Item = &Room> {
        self.rooms.iter().enumerate().filter(|(place, _)| *place != self.current).map(|(_, room)| room)
    }
}
