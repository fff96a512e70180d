//! The audit log: who decided what, and when. Lines are only ever added.

use super::roles::Act;
use super::{By, Registry, RegistryError};
use crate::protocol::limits::LIST_ITEMS;
use crate::protocol::text::Line;
use crate::protocol::time::Time;

/// What was done: stable words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// Somebody is kept out.
    Ban,
    /// Somebody is let in again.
    Unban,
    /// Somebody's connections were ended.
    Kick,
    /// Somebody may not speak.
    Mute,
    /// Somebody may speak again.
    Unmute,
    /// Somebody has another role.
    Role,
    /// A room's topic was locked, or freed.
    TopicLock,
    /// Another rule of a room.
    RoomRule,
    /// An invitation was made.
    TicketMade,
    /// An invitation was revoked.
    TicketRevoked,
    /// The parlor's passphrase was changed, or taken away.
    Passphrase,
    /// Somebody has one more device.
    DeviceAdded,
    /// Somebody has one device less.
    DeviceRemoved,
    /// A word that this version does not know.
    Unknown,
}

impl Deed {
    const ALL: [Self; 13] = [
        Self::Ban,
        Self::Unban,
        Self::Kick,
        Self::Mute,
        Self::Unmute,
        Self::Role,
        Self::TopicLock,
        Self::RoomRule,
        Self::TicketMade,
        Self::TicketRevoked,
        Self::Passphrase,
        Self::DeviceAdded,
        Self::DeviceRemoved,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ban => "ban",
            Self::Unban => "unban",
            Self::Kick => "kick",
            Self::Mute => "mute",
            Self::Unmute => "unmute",
            Self::Role => "role",
            Self::TopicLock => "topic_lock",
            Self::RoomRule => "room_rule",
            Self::TicketMade => "ticket_made",
            Self::TicketRevoked => "ticket_revoked",
            Self::Passphrase => "passphrase",
            Self::DeviceAdded => "device_added",
            Self::DeviceRemoved => "device_removed",
            Self::Unknown => "unknown",
        }
    }

    pub(super) fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|deed| deed.as_str() == word).unwrap_or(Self::Unknown)
    }
}

/// A line that is to be added.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) at: Time,
    pub(super) by: By,
    pub(super) deed: Deed,
    pub(super) subject: Line,
    pub(super) particulars: Line,
}

impl Record {
    /// Whatever is in the words, it is one line, and harmless to a terminal.
    pub(super) fn new(deed: Deed, by: By, subject: &str, particulars: &str, at: Time) -> Self {
        Self { at, by, deed, subject: Line::lossy(subject), particulars: Line::lossy(particulars) }
    }
}

/// A line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place: 1, 2, 3, …
    pub number: u64,
    /// When.
    pub at: Time,
    /// Who did it.
    pub by: By,
    /// What.
    pub deed: Deed,
    /// To whom, or to what, as it was called then.
    pub subject: Line,
    /// How, why, until when.
    pub particulars: Line,
}

impl Registry {
    /// The audit log, newest first, from before a number or from its end; at most `limit` and [`LIST_ITEMS`]. Reads the
    /// file.
    ///
    /// # Errors
    /// `not_allowed`; when it cannot be read.
    pub fn audit(
        &self,
        by: &By,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, RegistryError> {
        self.check(by, Act::Audit, None)?;
        Ok(self.tables.audit(before, limit.min(LIST_ITEMS))?)
    }
}
