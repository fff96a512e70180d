//! What is being written in each room, as it is kept for the next time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use super::room::{Delivery, Pending, Room};
use super::wishes::Composing;
use crate::client::tui::slash;
use crate::protocol::name::RoomName;

/// What was being written in one room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    /// What was in the input.
    pub text: String,
    /// Where in it the cursor was, in bytes.
    pub cursor: usize,
    /// The `seq` of the message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<u64>,
    /// The `seq` of the message that it was to take the place of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edits: Option<u64>,
    /// What was being written before that edit.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub before: String,
    /// What was sent, and the server has not said that it is stored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unsent: Vec<String>,
}

impl Draft {
    /// What there is to keep of a room, if anything.
    pub(crate) fn of(room: &Room) -> Option<Self> {
        let unsent: Vec<String> =
            room.pending.iter().filter(|pending| is_unsent(pending)).map(typed).collect();
        let written = room.composer.text();
        // A passphrase that is half typed is none of a file's business.
        let text = if slash::is_secret(written) { "" } else { written };
        let (answers, edits, before) = match &room.composing {
            _ if text.is_empty() && unsent.is_empty() => (None, None, ""),
            Some(Composing::Answer(seq)) => (Some(*seq), None, ""),
            Some(Composing::Edit { seq, draft }) => (None, Some(*seq), draft.as_str()),
            None => (None, None, ""),
        };
        let draft = Self {
            cursor: room.composer.cursor().min(text.len()),
            text: text.to_owned(),
            answers,
            edits,
            before: before.to_owned(),
            unsent,
        };
        (draft != Self::default()).then_some(draft)
    }

    /// What was not stored is to be said again: it comes before what was being written.
    pub(crate) fn with_unsent_written(mut self) -> Self {
        if self.unsent.is_empty() {
            return self;
        }
        let unsent = self.unsent.join("\n");
        let below = if self.edits.is_some() { &mut self.before } else { &mut self.text };
        *below = if below.is_empty() { unsent } else { format!("{unsent}\n{below}") };
        self.unsent = Vec::new();
        self.cursor = self.text.len();
        self
    }
}

/// Whether the server has not said that it has stored a message.
pub(crate) fn is_unsent(pending: &Pending) -> bool {
    !matches!(pending.delivery, Delivery::Stored(_))
}

/// A message of ours as one types it.
fn typed(pending: &Pending) -> String {
    match pending.text.as_str() {
        text if pending.action => format!("/me {text}"),
        text if text.starts_with('/') => format!("/{text}"),
        text => text.to_owned(),
    }
}

/// What is known of the drafts that are kept, and what is yet to be kept.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    /// The parlor whose drafts were read, and for which they are kept.
    pub(crate) parlor: Option<Uuid>,
    /// What the file says, as far as we know.
    pub(crate) kept: BTreeMap<RoomName, Draft>,
    /// When what has changed is to be kept.
    pub(crate) due: Option<Instant>,
    /// What was in the input when it was looked at last.
    pub(crate) seen: Seen,
    /// Inputs that are to be kept.
    pub(crate) inputs: Vec<String>,
}

/// Tells whether somebody has written something since.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Place of the room in sight.
    pub(crate) room: usize,
    /// Of what is written there.
    pub(crate) revision: u64,
    /// Where the cursor is in it.
    pub(crate) cursor: usize,
    /// The message that it is about.
    pub(crate) about: Option<u64>,
}

/// What was kept of a parlor when we were here last.
#[derive(Debug, Default)]
pub struct Recalled {
    /// Which parlor.
    pub parlor: Uuid,
    /// By room.
    pub drafts: BTreeMap<RoomName, Draft>,
    /// What was written, the newest last.
    pub inputs: Vec<String>,
    /// What could not be read, and what to do about it.
    pub wrong: Option<String>,
}
