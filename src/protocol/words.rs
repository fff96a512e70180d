//! The stable words of the wire: why a command was not done, and why a connection ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a command was not done: stable words for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The frame held no JSON, or not UTF-8, or nested too deep.
    BadJson,
    /// A field is missing, of the wrong type, or out of range.
    BadRequest,
    /// No such command.
    UnknownType,
    /// No common version of the protocol.
    UnsupportedVersion,
    /// Not a nick or a room name.
    BadName,
    /// Somebody has this nick, or one that looks like it.
    NickTaken,
    /// There is a room whose name looks like this one.
    RoomLooksAlike,
    /// No room of that name.
    NoSuchRoom,
    /// No message has that `seq` in the room.
    NoSuchEntry,
    /// The message was deleted.
    Deleted,
    /// One must be in a room to do that.
    NotInRoom,
    /// Nothing visible in the text.
    TextEmpty,
    /// More bytes than a text may have.
    TextTooLong,
    /// The parlor has as many rooms as it may have.
    TooManyRooms,
    /// This connection is in as many rooms as it may be.
    TooManyJoined,
    /// The room is full.
    RoomFull,
    /// As many connections as the parlor may have.
    ServerFull,
    /// As many connections as one address may have.
    AddressFull,
    /// No `hello` in time.
    HandshakeTimeout,
    /// The server speaks TLS at this port, and the client did not.
    TlsExpected,
    /// The parlor has a passphrase, and `hello` held no proof of it.
    PassphraseNeeded,
    /// The proof is not that of the passphrase.
    PassphraseWrong,
    /// The signature is not that of the key.
    BadSignature,
    /// Too many wrong passphrases came from this address; it may work later.
    TooManyFailures,
    /// A frame larger than allowed.
    FrameTooLarge,
    /// `hello` was said already, or something else was said before it.
    OutOfPlace,
    /// The log could not store it; it may work later.
    Storage,
    /// The disk of the server is full; it may work later.
    StorageFull,
    /// The name belongs to somebody else, by the key with which they first used it.
    NameOwned,
    /// One may not do that, or not to this person.
    NotAllowed,
    /// Kept out, by name or by address.
    Banned,
    /// May read, but not speak.
    Muted,
    /// Nobody of that kind is known.
    NoSuchPerson,
    /// No such invitation, or none any more.
    NoSuchTicket,
    /// Not the code that the other device shows, or not any more.
    WrongCode,
    /// As many of something as there may be; the message says of what.
    TooMany,
    /// Only those who were invited come into the room.
    InviteOnly,
    /// The room has a passphrase of its own.
    NeedsPassphrase,
    /// The client's own: it is not connected.
    Offline,
    /// From a newer server.
    #[serde(other)]
    Unknown,
}

impl ErrorCode {
    /// Whether the very same command may well succeed later.
    pub fn is_temporary(self) -> bool {
        matches!(self, Self::Storage | Self::StorageFull)
    }
}

/// What somebody is in a parlor, beyond being there. Later is more. Guests, who showed no key, have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Known by a key.
    Member,
    /// Keeps order among members and guests.
    Operator,
    /// Whose parlor it is.
    Host,
}

impl Role {
    /// The word of the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Operator => "operator",
            Self::Host => "host",
        }
    }
}

/// Why a connection ended: told in the last frame, logged, and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The server is closing.
    Shutdown,
    /// The client said `bye`.
    Quit,
    /// The client closed the connection, or it broke, without a word.
    Gone,
    /// The same client came back and took over.
    Replaced,
    /// Nothing was heard for [`super::limits::DEAD_AFTER`].
    Silent,
    /// It took nothing for [`super::limits::STALL_TIME`].
    Stalled,
    /// No `hello` within [`super::limits::HANDSHAKE_TIME`].
    HandshakeTimeout,
    /// The handshake was understood and refused; the `error` before says why.
    Refused,
    /// Something was said that this protocol does not know how to go on from.
    ProtocolError,
    /// A frame larger than allowed.
    FrameTooLarge,
    /// As many connections as the parlor may have.
    ServerFull,
    /// As many connections as one address may have.
    AddressFull,
    /// The server could not read its log.
    Storage,
    /// No TLS came about.
    TlsFailed,
    /// This key is another person's from now on: come in again as they.
    Relinked,
    /// The host, or an operator, has ended it.
    Kicked,
    /// The host, or an operator, keeps one out.
    Banned,
    /// From a newer server.
    #[serde(other)]
    Unknown,
}

impl Reason {
    /// All of them, in the order of their discriminants: for counting.
    pub const ALL: [Self; 18] = [
        Self::Shutdown,
        Self::Quit,
        Self::Gone,
        Self::Replaced,
        Self::Silent,
        Self::Stalled,
        Self::HandshakeTimeout,
        Self::Refused,
        Self::ProtocolError,
        Self::FrameTooLarge,
        Self::ServerFull,
        Self::AddressFull,
        Self::Storage,
        Self::TlsFailed,
        Self::Relinked,
        Self::Kicked,
        Self::Banned,
        Self::Unknown,
    ];

    /// Whether a client that was told this should leave it at that, rather than connect again.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Quit | Self::Replaced | Self::Refused | Self::Kicked | Self::Banned)
    }

    /// The reason as a sentence for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Shutdown => "the server was shut down",
            Self::Quit => "you left",
            Self::Gone => "the connection broke",
            Self::Replaced => "you connected from elsewhere",
            Self::Silent => "the server heard nothing from here for too long",
            Self::Stalled => "this side took nothing from the server for too long",
            Self::HandshakeTimeout => "the greeting took too long",
            Self::Refused => "the server refused the connection",
            Self::ProtocolError => "the server did not understand this client",
            Self::FrameTooLarge => "more was sent at once than the server takes",
            Self::ServerFull => "the server is full",
            Self::AddressFull => "too many connections from this address",
            Self::Storage => "the server cannot read its log",
            Self::TlsFailed => "the encryption could not be agreed on",
            Self::Relinked => "this device is yours now",
            Self::Kicked => "you were asked to leave",
            Self::Banned => "you may not come in here any more",
            Self::Unknown => "the server gave a reason that this version does not know",
        }
    }
}

impl fmt::Display for Reason {
    /// The word of the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_in_order_and_say_their_word() {
        assert!(Role::Member < Role::Operator && Role::Operator < Role::Host);
        for role in [Role::Member, Role::Operator, Role::Host] {
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
    }

    #[test]
    fn reasons_are_all_counted() {
        for (index, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.to_string());
        }
    }
}
