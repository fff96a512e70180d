//! What a server says.
//!
//! Two kinds: **entries** of a room's log ([`Entry`]), each with a `seq`, and everything else, which is
//! passing news or an answer. A client moves its cursor by entries alone.

mod session;
mod talk;

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use super::command::RequestId;
use super::hex::Hex;
use super::name::{Nick, RoomName};
use super::pake::{Method, Pake};
use super::proof::{Challenge, Cost, Proof, PublicKey, Salt};
pub use super::stats::{Spread, Stats};
use super::text::{Line, Raw, Text};
use super::ticket::{Ticket, TicketId};
use super::time::Time;
pub use super::words::{ErrorCode, Reason, Role};
pub use session::SessionInfo;
pub use talk::{
    Called, Earlier, Found, Hit, Present, Reacted, Reaction, Reactions, ReadUpTo, Typing, Version,
};

/// One event. On the wire its name is the `type`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The first thing said: who this is, and what it asks of whoever wants in.
    Welcome(Welcome),
    /// The answer to a step of the exchange before `hello`: the server's own.
    Pake(Pake),
    /// The answer to `hello`: you are in.
    Ready(Box<Ready>),
    /// The answer to a command that was done.
    Ok(Okay),
    /// The answer to a command that was not.
    Error(Failure),
    /// Entries of the log that were left out between the cursor and what follows; they can be paged into.
    Gap(Gap),
    /// The answer to `history`.
    Page(Page),
    /// Who is in a room, or who came and went.
    Presence(Presence),
    /// The answer to `who`.
    People(People),
    /// The answer to `reactions`.
    Reactions(Reactions),
    /// The answer to `earlier`.
    Earlier(Earlier),
    /// The answer to `search`.
    Found(Found),
    /// Somebody speaks to you in a room that is only for some, and that you are not in: join it.
    Direct(Called),
    /// You have read a room up to here, on another of your devices.
    Read(ReadUpTo),
    /// Somebody is writing something. It counts for [`super::limits::TYPING_SHOWN`], or until they say something.
    Typing(Typing),
    /// The answer to `rooms`.
    Rooms(Rooms),
    /// The answer to `whois`.
    Whois(Whois),
    /// The answer to `audit`.
    Audit(Audit),
    /// The answer to `stats`.
    Stats(Box<Stats>),
    /// The answer to `motd`.
    Motd(Motd),
    /// The answer to `tickets`.
    Tickets(Tickets),
    /// You are sending faster than you may: this command is held up, not lost.
    Delayed(Delayed),
    /// Are you there?
    Ping(Pulse),
    /// The answer to `ping`.
    Pong(Pong),
    /// The last thing said.
    Bye(Bye),
    /// From a newer server, and nothing that moves a cursor.
    #[serde(skip)]
    Unknown,
    /// An entry of the log. Its `kind` is the `type`.
    #[serde(untagged)]
    Entry(Entry),
}

/// See [`Event::Welcome`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    /// Version of the protocol that the server speaks.
    pub protocol: u32,
    /// Who this is.
    pub server: ServerInfo,
    /// What `hello` must carry.
    pub auth: Auth,
    /// The server's clock.
    pub now: Time,
}

/// Who a server is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// What its host calls it.
    pub name: Line,
    /// Of the program.
    pub version: Line,
    /// Of its log: as long as this stays, so do its rooms' sequence numbers. A client that finds
    /// another one here MUST forget its cursors.
    pub id: Uuid,
}

/// What a server asks of whoever wants in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auth {
    /// What it asks for.
    pub kind: AuthKind,
    /// What proofs and signatures answer; new for each connection.
    pub challenge: Challenge,
    /// For `passphrase`: how it becomes a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrypt: Option<Scrypt>,
    /// For `passphrase`: how it can be proven without giving anything away; see [`super::pake`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pake: Option<Method>,
}

/// How a passphrase becomes a key; see [`super::proof`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scrypt {
    /// Of this server.
    pub salt: Salt,
    /// What it takes.
    #[serde(flatten)]
    pub cost: Cost,
}

/// See [`Auth`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// Everyone may come in.
    Open,
    /// Who knows the passphrase may.
    Passphrase,
    /// Something this client cannot give.
    #[serde(other)]
    Unknown,
}

/// See [`Event::Ready`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ready {
    /// A secret between the two: shown as `resume` in a later `hello`, it takes over this session.
    pub session: Uuid,
    /// Who you are.
    pub you: Person,
    /// What the entries that you make carry as `author`; 0 from a server that has no such numbers.
    #[serde(default)]
    pub author: u64,
    /// Rooms there are, the fullest first, at most [`super::limits::LIST_ITEMS`].
    pub rooms: Vec<RoomInfo>,
    /// The rooms in which you speak with some alone, the one that was spoken in last first, at most
    /// [`super::limits::LIST_ITEMS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub direct: Vec<RoomInfo>,
    /// Whom you ignore: all their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<Nick>,
    /// For whoever showed a proof: the server's own, of the same key; see [`super::proof`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// For whoever came by a ticket, over TLS: what opens the door the next time, as the passphrase's key would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<DoorKey>,
    /// The message of the day: what the host tells those who come in, at most [`super::limits::MOTD_BYTES`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub motd: Option<Text>,
    /// What this server allows.
    pub limits: Allowed,
}

/// The key of a passphrase, with its salt.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorKey {
    /// Of this server.
    pub salt: Salt,
    /// What proves; see [`super::proof`].
    pub key: Hex<32>,
}

impl fmt::Debug for DoorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DoorKey(…)")
    }
}

/// What a server allows; see [`super::limits`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Allowed {
    /// Bytes of UTF-8 in a text.
    pub text_bytes: usize,
    /// Bytes of JSON in a frame from a client.
    pub frame_bytes: usize,
    /// Messages at once; 0 for no limit.
    pub message_burst: u32,
    /// Messages each second after that; 0 for no limit.
    pub messages_per_second: f64,
    /// Entries in a page of history.
    pub page_entries: u64,
    /// Rooms that one connection may be in.
    pub rooms_per_session: usize,
}

/// A person, as others see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// What they are called.
    pub nick: Nick,
    /// The name is not kept for them: they have shown no key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guest: bool,
    /// What they are beyond a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// They are away, and why, which may be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<Line>,
}

/// A room, as a list tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomInfo {
    /// Its name.
    pub room: RoomName,
    /// Its topic, may be empty.
    pub topic: Line,
    /// People in it.
    pub here: usize,
    /// The `seq` of its last entry; 0 when nothing was said yet.
    pub last: u64,
    /// The `seq` of the first entry that is still there, where those before it have expired; otherwise left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// Of a room that is only for some: all whom it is for, as they are called now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Nick>,
}

/// [`Event::Ok`] for what was stored, as it is encoded: nearly all that a busy server answers, and most of [`Okay`] is empty then.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "type", rename = "ok")]
pub struct Stored {
    /// The `id` of the command, which the entry has too.
    pub re: Uuid,
    /// The number that the entry got.
    pub seq: u64,
}

/// See [`Event::Ok`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Okay {
    /// The `id` of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<RequestId>,
    /// For `send` and `topic`: the number that the entry got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// For `join` and `direct`: the room as it is now.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomInfo>,
    /// For `join`: how far one has read it, on whichever device; left out if one never has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<u64>,
    /// For `join`, beside `read`: messages of others after that, counted up to [`super::limits::COUNTED_ENTRIES`] entries.
    /// Left out with the mentions when the server is busy, or one was in the room already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<u64>,
    /// For `join`, beside `read`: how many of these say one's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mentions: Option<u64>,
    /// For `nick`: who you are now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub you: Option<Person>,
    /// For `passphrase`: the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<Line>,
    /// For `ticket`: the secret; it is told this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Ticket>,
    /// For `device`: what to type on the other one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Line>,
}

/// See [`Event::Error`].
#[derive(Clone, Debug, PartialEq, Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct Failure {
    /// The `id` of the command, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<RequestId>,
    /// For programs.
    pub code: ErrorCode,
    /// For people.
    pub message: Line,
}

impl Failure {
    /// A failure that answers no particular command yet.
    pub fn new(code: ErrorCode, message: &str) -> Self {
        Self { re: None, code, message: Line::lossy(message) }
    }

    /// The reason for which a session ends over this, when it happens in the handshake.
    pub fn reason(&self) -> Reason {
        match self.code {
            ErrorCode::NickTaken
            | ErrorCode::NameOwned
            | ErrorCode::BadName
            | ErrorCode::Banned
            | ErrorCode::NotAllowed
            | ErrorCode::NoSuchTicket
            | ErrorCode::TooMany
            | ErrorCode::UnsupportedVersion
            | ErrorCode::TlsExpected
            | ErrorCode::PassphraseNeeded
            | ErrorCode::PassphraseWrong
            | ErrorCode::BadSignature => Reason::Refused,
            ErrorCode::TooManyFailures => Reason::AddressFull,
            _ => Reason::ProtocolError,
        }
    }
}

/// One entry of a room's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What it does; the `type` on the wire.
    #[serde(rename = "type")]
    pub kind: EntryKind,
    /// Whose log it is in.
    pub room: RoomName,
    /// Its place: 1, 2, 3, … in each room, without gaps.
    pub seq: u64,
    /// Chosen by its sender.
    pub id: Uuid,
    /// When the server stored it, by the server's clock.
    pub at: Time,
    /// Who.
    pub from: Nick,
    /// What wrote it, by a number: the same for all that one person says, whatever they are called and on whichever
    /// device; another one at each visit of a guest. Left out in entries of parlors that did not know it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<u64>,
    /// The text of a message, the new topic, the new text of an edited message, or the emoji of a reaction.
    /// [`super::text::sanitise`]d; at most [`super::limits::TEXT_BYTES`].
    #[serde(default)]
    pub text: EntryText,
    /// Told as an act, as by `/me`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub action: bool,
    /// The `seq` that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// The `seq` of the message that it changes: for all kinds but messages and topics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<u64>,
    /// A reaction is taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off: bool,
    /// What later entries have made of it, in pages and search results; left out where nothing has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Box<Present>>,
}

/// What an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Somebody said something.
    Message,
    /// Somebody set the topic.
    Topic,
    /// Somebody changed a message of theirs.
    Edited,
    /// Somebody took a message back.
    Deleted,
    /// Somebody reacted to a message.
    Reacted,
    /// From a newer server: it has its place in the order, and nothing to show.
    #[serde(other)]
    Unknown,
}

/// The text of an entry: sanitised, and possibly empty, as a cleared topic is.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct EntryText(std::sync::Arc<str>);

impl EntryText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// From the log, which holds nothing unsanitised; cheap to be sure of all the same.
    pub fn from_stored(raw: &str) -> Self {
        Self(super::text::sanitise(raw).into())
    }
}

impl From<super::text::Text> for EntryText {
    fn from(text: super::text::Text) -> Self {
        Self(text.into())
    }
}

impl From<Line> for EntryText {
    fn from(line: Line) -> Self {
        Self(line.into())
    }
}

impl std::fmt::Debug for EntryText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EntryText({} bytes)", self.0.len())
    }
}

impl<'de> Deserialize<'de> for EntryText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?;
        Ok(Self(super::text::sanitise(&raw).into()))
    }
}

/// See [`Event::Gap`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Where.
    pub room: RoomName,
    /// The first `seq` that was left out.
    pub from: u64,
    /// The last.
    pub to: u64,
}

/// See [`Event::Page`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The `id` of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<RequestId>,
    /// Whose log.
    pub room: RoomName,
    /// Contiguous, in the order of the log. Empty: there is nothing there.
    pub entries: Vec<Entry>,
    /// The `seq` of the room's last entry now.
    pub last: u64,
}

/// See [`Event::Presence`]. Applied in the order in which they come, these give who is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Where.
    pub room: RoomName,
    /// People in it, all of them counted.
    pub here: usize,
    /// Forget who you thought was there: these are, at most [`super::limits::LIST_ITEMS`] of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<Vec<Person>>,
    /// These came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<Person>,
    /// These left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<Nick>,
    /// Who of those in `left` is who of those in `joined`: the same person under a new nick.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renamed: Vec<Renamed>,
}

/// A person's new nick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renamed {
    /// The old one.
    pub from: Nick,
    /// The new one.
    pub to: Nick,
}

/// See [`Event::People`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// The `id` of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<RequestId>,
    /// Where.
    pub room: RoomName,
    /// People in it, all of them counted.
    pub here: usize,
    /// At most [`super::limits::LIST_ITEMS`] of them, by nick.
    pub people: Vec<Person>,
    /// The connections that are in it, for those who keep order: at most [`super::limits::LIST_ITEMS`], by nick.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<SessionInfo>,
}

/// See [`Event::Rooms`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rooms {
    /// The `id` of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<RequestId>,
    /// The fullest first, at most [`super::limits::LIST_ITEMS`].
    pub rooms: Vec<RoomInfo>,
}

/// See [`Event::Delayed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delayed {
    /// The `id` of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<RequestId>,
    /// By how many milliseconds.
    pub ms: u64,
    /// For people.
    pub message: Line,
}

/// See [`Event::Ping`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulse {
    /// The server's clock.
    pub now: Time,
}

/// See [`Event::Whois`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whois {
    /// The `id` of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<RequestId>,
    /// What they are called.
    pub nick: Nick,
    /// Whether they are here.
    pub here: bool,
    /// They have shown no key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guest: bool,
    /// What they are beyond a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// They are away, and why, which may be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<Line>,
    /// Their keys: one for each device. What people compare is each one's SHA-256, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<PublicKey>,
    /// Their other names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Nick>,
    /// Where from, for those who keep order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
    /// Each of their connections, for those who keep order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<SessionInfo>,
}

/// See [`Event::Tickets`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tickets {
    /// The `id` of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<RequestId>,
    /// Those that hold.
    pub tickets: Vec<TicketInfo>,
}

/// A counted invitation, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketInfo {
    /// Names it, for `revoke`.
    pub ticket: TicketId,
    /// Who made it.
    pub by: Line,
    /// When.
    pub at: Time,
    /// How often it still lets in; left out for any number of times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u32>,
    /// Up to when; left out for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// The room into which it lets as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomName>,
}

/// See [`Event::Motd`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Motd {
    /// The `id` of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<RequestId>,
    /// The message of the day; left out when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
}

/// See [`Event::Audit`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// The `id` of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<RequestId>,
    /// What was decided, the latest first.
    pub decisions: Vec<Decision>,
}

/// A line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// 1, 2, 3, …
    pub number: u64,
    /// When.
    pub at: Time,
    /// Who decided it.
    pub by: Line,
    /// What: a stable word.
    pub act: Line,
    /// About whom or what.
    pub subject: Line,
    /// More of it, such as the reason.
    pub particulars: Line,
}

/// See [`Event::Pong`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong {
    /// The `id` of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<RequestId>,
    /// What the command said as `sent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Time>,
    /// When the command came, by the server's clock; where it said `sent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<Time>,
    /// The server's clock, at the answer.
    pub now: Time,
}

/// See [`Event::Bye`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bye {
    /// Why.
    pub reason: Reason,
    /// More of it, for people: what whoever ended it has to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Line>,
}

impl From<Reason> for Bye {
    fn from(reason: Reason) -> Self {
        Self { reason, message: None }
    }
}

impl Event {
    /// Reads one event from JSON. Unknown fields are ignored, and a type that is unknown is
    /// [`Event::Unknown`], or an entry of unknown kind if it has a place in a log.
    ///
    /// # Errors
    /// When it is no JSON, or lacks what its type must have.
    pub fn decode(json: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Head<'a> {
            #[serde(rename = "type", borrow)]
            kind: std::borrow::Cow<'a, str>,
            seq: Option<u64>,
            room: Option<serde::de::IgnoredAny>,
        }
        let head: Head<'_> = serde_json::from_slice(json)?;
        Ok(match &*head.kind {
            "message" | "topic" | "edited" | "deleted" | "reacted" => {
                Self::Entry(serde_json::from_slice(json)?)
            }
            "welcome" => Self::Welcome(serde_json::from_slice(json)?),
            "pake" => Self::Pake(serde_json::from_slice(json)?),
            "ready" => Self::Ready(serde_json::from_slice(json)?),
            "ok" => Self::Ok(serde_json::from_slice(json)?),
            "error" => Self::Error(serde_json::from_slice(json)?),
            "gap" => Self::Gap(serde_json::from_slice(json)?),
            "page" => Self::Page(serde_json::from_slice(json)?),
            "presence" => Self::Presence(serde_json::from_slice(json)?),
            "people" => Self::People(serde_json::from_slice(json)?),
            "rooms" => Self::Rooms(serde_json::from_slice(json)?),
            "reactions" => Self::Reactions(serde_json::from_slice(json)?),
            "earlier" => Self::Earlier(serde_json::from_slice(json)?),
            "found" => Self::Found(serde_json::from_slice(json)?),
            "direct" => Self::Direct(serde_json::from_slice(json)?),
            "read" => Self::Read(serde_json::from_slice(json)?),
            "typing" => Self::Typing(serde_json::from_slice(json)?),
            "whois" => Self::Whois(serde_json::from_slice(json)?),
            "audit" => Self::Audit(serde_json::from_slice(json)?),
            "stats" => Self::Stats(serde_json::from_slice(json)?),
            "motd" => Self::Motd(serde_json::from_slice(json)?),
            "tickets" => Self::Tickets(serde_json::from_slice(json)?),
            "delayed" => Self::Delayed(serde_json::from_slice(json)?),
            "ping" => Self::Ping(serde_json::from_slice(json)?),
            "pong" => Self::Pong(serde_json::from_slice(json)?),
            "bye" => Self::Bye(serde_json::from_slice(json)?),
            _ if head.seq.is_some() && head.room.is_some() => Self::Entry(serde_json::from_slice(json)?),
            _ => Self::Unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn round_trip(event: &Event) -> Value {
        let json = serde_json::to_vec(event).unwrap();
        assert_eq!(&Event::decode(&json).unwrap(), event);
        serde_json::from_slice(&json).unwrap()
    }

    fn entry(kind: EntryKind) -> Entry {
        Entry {
            kind,
            room: RoomName::new("#lobby").unwrap(),
            seq: 7,
            id: Uuid::nil(),
            at: Time::from_millis(0),
            from: Nick::new("alice").unwrap(),
            text: EntryText::from_stored("hi"),
            author: None,
            action: false,
            reply_to: None,
            target: None,
            off: false,
            now: None,
        }
    }

    #[test]
    fn an_entry_says_its_kind_as_its_type() {
        assert_eq!(
            round_trip(&Event::Entry(entry(EntryKind::Message))),
            json!({"type": "message", "room": "#lobby", "seq": 7, "id": Uuid::nil(),
                "at": "1970-01-01T00:00:00.000Z", "from": "alice", "text": "hi"})
        );
        assert_eq!(round_trip(&Event::Entry(entry(EntryKind::Topic)))["type"], "topic");
    }

    #[test]
    fn an_answer_to_join_holds_the_room() {
        let topic = Line::lossy("all");
        let name = RoomName::new("#a").unwrap();
        let room = RoomInfo { room: name, topic, here: 2, last: 9, first: None, members: Vec::new() };
        let ok = Okay { re: RequestId::new("1"), room: Some(room), ..Okay::default() };
        assert_eq!(
            round_trip(&Event::Ok(ok)),
            json!({"type": "ok", "re": "1", "room": "#a", "topic": "all", "here": 2, "last": 9})
        );
        round_trip(&Event::Ok(Okay::default()));
        round_trip(&Event::Ok(Okay { seq: Some(4), ..Okay::default() }));
    }

    #[test]
    fn an_entry_of_a_later_version_keeps_its_place() {
        let mut json = serde_json::to_value(entry(EntryKind::Message)).unwrap();
        json["type"] = "later".into();
        json.as_object_mut().unwrap().remove("text");
        let Event::Entry(entry) = Event::decode(json.to_string().as_bytes()).unwrap() else { panic!() };
        assert_eq!((entry.kind, entry.seq), (EntryKind::Unknown, 7));
        assert_eq!(Event::decode(br#"{"type":"later"}"#).unwrap(), Event::Unknown);
        let error = br#"{"type":"error","code":"later","message":"x"}"#;
        assert!(matches!(Event::decode(error), Ok(Event::Error(Failure { code: ErrorCode::Unknown, .. }))));
    }

    #[test]
    fn what_a_hostile_server_says_is_sanitised() {
        let json = br##"{"type":"topic","room":"#a","seq":1,"id":"00000000-0000-0000-0000-000000000000",
            "at":"2026-01-01T00:00:00Z","from":"bob","text":"\u001b]0;x\u0007"}"##;
        let Event::Entry(entry) = Event::decode(json).unwrap() else { panic!() };
        assert_eq!(entry.text.as_str(), "\u{FFFD}]0;x\u{FFFD}");
        let name = br##"{"type":"presence","room":"#a","here":1,"left":["\u202ebob"]}"##;
        assert!(Event::decode(name).is_err());
    }

    #[test]
    fn there_may_be_no_message_of_the_day() {
        let none = Motd { re: RequestId::new("1"), text: None };
        assert_eq!(round_trip(&Event::Motd(none)), json!({"type": "motd", "re": "1"}));
        let text = Text::new("Welcome.\n\tBe kind.").ok();
        let some = round_trip(&Event::Motd(Motd { re: None, text }));
        assert_eq!(some, json!({"type": "motd", "text": "Welcome.\n\tBe kind."}));
        let Event::Motd(hostile) = Event::decode(br#"{"type":"motd","text":"\u001b[2J!"}"#).unwrap() else {
            panic!()
        };
        assert_eq!(hostile.text.as_ref().map(Text::as_str), Some("\u{FFFD}[2J!"));
    }

    #[test]
    fn what_people_say_is_not_in_debug_output() {
        assert!(!format!("{:?}", entry(EntryKind::Message)).contains("hi\""));
    }
}
