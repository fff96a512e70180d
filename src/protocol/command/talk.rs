//! The commands around what was said: changing it, answering it by a sign, finding it, and how far one has read.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::RequestId;
use crate::protocol::emoji::Emoji;
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::text::{Line, Text};
use crate::protocol::time::Time;

/// See [`Command::Edit`](super::Command::Edit).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Edit {
    /// Of this entry, for ever.
    pub id: Uuid,
    /// Where.
    pub room: RoomName,
    /// The `seq` of the message, which must be one's own.
    pub seq: u64,
    /// What it says from now on.
    pub text: Text,
}

/// See [`Command::Delete`](super::Command::Delete).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Delete {
    /// Of this entry, for ever.
    pub id: Uuid,
    /// Where.
    pub room: RoomName,
    /// The `seq` of the message: one's own, or anybody's for those who keep order in the room.
    pub seq: u64,
}

/// See [`Command::React`](super::Command::React).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct React {
    /// Of this entry, for ever.
    pub id: Uuid,
    /// Where.
    pub room: RoomName,
    /// The `seq` of the message.
    pub seq: u64,
    /// By what.
    pub emoji: Emoji,
    /// Taken back.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub off: bool,
}

/// A command that names an entry and nothing more.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfEntry {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Where.
    pub room: RoomName,
    /// Which.
    pub seq: u64,
}

/// See [`Command::Direct`](super::Command::Direct).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Direct {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// With whom: one, or a few, beside oneself; at most [`super::super::limits::DIRECT_PEOPLE`] in all.
    pub with: Vec<Nick>,
}

/// See [`Command::Read`](super::Command::Read).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReadTo {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Where.
    pub room: RoomName,
    /// Up to which entry.
    pub seq: u64,
}

/// See [`Command::Away`](super::Command::Away).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SetAway {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Why, at most [`super::super::limits::AWAY_BYTES`] bytes, may be empty. Absent: back again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Line>,
}

/// See [`Command::Search`](super::Command::Search). Whatever is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Search {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Words, and "phrases" in quotation marks; see [`super::super::query`]. At most
    /// [`super::super::limits::SEARCH_BYTES`] bytes.
    #[serde(skip_serializing_if = "Line::is_empty")]
    pub text: Line,
    /// Said by whom: the nick that stands at the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nick: Option<Nick>,
    /// Where. Absent: in all rooms that one is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomName>,
    /// Before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// At this moment or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// What is in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub has: Vec<Has>,
    /// Not said by oneself, and saying one's name or one of the words in `text`: one's mentions.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mentions: bool,
    /// The next page: the `more` of the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// How many, at most; the server may take fewer.
    pub limit: u64,
}

/// What may be in a message, for [`Search::has`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Has {
    /// An address of the web.
    Link,
    /// A file that was shared.
    File,
}

impl Has {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Link, Self::File];
}

impl fmt::Display for Has {
    /// The word of the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
