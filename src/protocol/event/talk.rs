//! What a server says around what was said: what has become of it, who reads and types, and what was found.

use serde::{Deserialize, Serialize};

use super::{Entry, EntryText, RoomInfo};
use crate::protocol::command::RequestId;
use crate::protocol::emoji::Emoji;
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::time::Time;

/// What later entries have made of a message. Only pages and search results carry it; whoever has the later entries
/// knows it from them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    /// The `seq` of the last entry that changed it: whoever gets a later one applies that, and no earlier one.
    pub seq: u64,
    /// When its text was changed last; the `text` beside it is the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited: Option<Time>,
    /// It was deleted; its `text` is empty.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// Reactions to it, in the order in which each emoji came first, at most
    /// [`super::super::limits::REACTIONS_PER_MESSAGE`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
}

/// One emoji at a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// Which.
    pub emoji: Emoji,
    /// By how many.
    pub count: u64,
    /// By oneself too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mine: bool,
}

/// See [`super::Event::Reactions`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reactions {
    /// The `id` of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<RequestId>,
    /// Where.
    pub room: RoomName,
    /// To which message.
    pub seq: u64,
    /// Each emoji with who.
    pub reactions: Vec<Reacted>,
}

/// Who reacted by one emoji.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reacted {
    /// Which.
    pub emoji: Emoji,
    /// By how many.
    pub count: u64,
    /// Who, as they were called then, at most [`super::super::limits::LIST_ITEMS`] in the whole answer.
    pub people: Vec<Nick>,
}

/// See [`super::Event::Earlier`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// The `id` of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<RequestId>,
    /// Where.
    pub room: RoomName,
    /// Which message.
    pub seq: u64,
    /// What it said, the first text first, the one that holds now last. Beyond [`super::super::limits::PAGE_BYTES`] the oldest
    /// are missing.
    pub texts: Vec<Version>,
}

/// One text of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// From when on.
    pub at: Time,
    /// What.
    pub text: EntryText,
}

/// See [`super::Event::Typing`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typing {
    /// Where.
    pub room: RoomName,
    /// Who.
    pub nick: Nick,
}

/// See [`super::Event::Read`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadUpTo {
    /// Where.
    pub room: RoomName,
    /// Up to which entry.
    pub seq: u64,
}

/// See [`super::Event::Direct`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called {
    /// The room, with those in it.
    #[serde(flatten)]
    pub info: RoomInfo,
}

/// See [`super::Event::Found`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The `id` of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<RequestId>,
    /// What was found, the newest first.
    pub hits: Vec<Hit>,
    /// There may be more: to be given as `before` for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<u64>,
    /// So many entries of the rooms that were searched are not in the index yet: what was said in them is not found yet.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub behind: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One message that was found, and what stands beside it in its room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// The message, as it is now.
    pub entry: Entry,
    /// The nearest message before it, if there is one near.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Entry>,
    /// The nearest message after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Entry>,
}
