//! What a client says.
//!
//! Every command may carry an `id`, and its answer carries it back as `re`. For those that add to a
//! room's log the `id` is required and is a UUID (version 7, by RFC 9562, so that ids sort by time):
//! sent again after a lost answer, it is stored once.

mod decode;
mod talk;

use std::net::IpAddr;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::limits::REQUEST_ID_BYTES;
use super::name::{Nick, RoomName};
use super::pake::Pake;
use super::proof::{Identity, Passphrase, Proof, PublicKey};
use super::text::{Line, Text};
use super::ticket::TicketId;
use super::time::Time;
use super::words::Role;
pub use talk::{Delete, Direct, Edit, Has, OfEntry, React, ReadTo, Search, SetAway};

/// The `id` of a command, chosen by the client, at most [`REQUEST_ID_BYTES`] bytes: any words that help it
/// to match answers with questions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequestId(String);

impl RequestId {
    /// An id, unless it is too long.
    pub fn new(raw: &str) -> Option<Self> {
        (raw.len() <= REQUEST_ID_BYTES).then(|| Self(raw.to_owned()))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Uuid> for RequestId {
    fn from(id: Uuid) -> Self {
        Self(id.to_string())
    }
}

/// One command. On the wire its name is the `type`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Command {
    /// The first thing said: who is there. Answered by `ready`, or by `error` and `bye`.
    Hello(Box<Hello>),
    /// Before `hello`: a step of proving the passphrase without giving anything away. Answered by `pake`, or by `error` and
    /// `bye`.
    Pake(Pake),
    /// Enter a room; it is made if there is none. Answered by `ok`, `presence`, perhaps `gap`, then the
    /// entries after `after`, then all that is said.
    Join(Join),
    /// Leave a room. Answered by `ok`; nothing of the room follows.
    Leave(InRoom),
    /// Say something. Answered by `ok` once it is stored.
    Send(Send),
    /// Say something else instead, in a message of one's own. Answered by `ok` once it is stored.
    Edit(Edit),
    /// Take a message back: its text is removed for good. Answered by `ok` once that is stored.
    Delete(Delete),
    /// React to a message by an emoji, or take that back. Answered by `ok` once it is stored.
    React(React),
    /// Set the topic of a room, an entry of its log. Answered by `ok` once it is stored.
    Topic(SetTopic),
    /// Take another nick. Answered by `ok`.
    Nick(SetNick),
    /// A page of a room's log. Answered by `page`.
    History(History),
    /// Who reacted to a message. Answered by `reactions`.
    Reactions(OfEntry),
    /// What a message said before it was changed, for those who keep order. Answered by `earlier`.
    Earlier(OfEntry),
    /// Messages that were said, by what is in them. Answered by `found`.
    Search(Box<Search>),
    /// The room in which one speaks with somebody, or with a few, alone; it is made if there is none. Answered by `ok` with
    /// the room, to be joined like any other.
    Direct(Direct),
    /// One has read a room up to here. All one's devices are told. Answered by `ok`.
    Read(ReadTo),
    /// One is writing something in a room. Not answered, and told on as long as few are in it.
    Typing(InRoom),
    /// One is away, or back again. Answered by `ok`.
    Away(SetAway),
    /// Who is in a room. Answered by `people`.
    Who(InRoom),
    /// The rooms there are. Answered by `rooms`.
    Rooms(Plain),
    /// End somebody's connections. Answered by `ok`.
    Kick(Judgement),
    /// Keep somebody out, or an address. Answered by `ok`.
    Ban(Judgement),
    /// Let them in again. Answered by `ok`.
    Unban(Judgement),
    /// Keep somebody from speaking, in one room or in all. Answered by `ok`.
    Mute(Judgement),
    /// Let them speak again. Answered by `ok`.
    Unmute(Judgement),
    /// Make somebody an operator, or a member again. Answered by `ok`.
    Role(SetRole),
    /// Set a rule of a room. Answered by `ok`.
    Rule(SetRule),
    /// Make a new passphrase. Answered by `ok` with `words`.
    Passphrase(Plain),
    /// Make a counted invitation. Answered by `ok` with `ticket`.
    Ticket(MakeTicket),
    /// The invitations that hold. Answered by `tickets`.
    Tickets(Plain),
    /// Make an invitation void. Answered by `ok`.
    Revoke(OfTicket),
    /// Show a code for another device of one's own. Answered by `ok` with `code`.
    Device(Plain),
    /// Say the code that another device shows: from now on both are one person. Answered by `ok`, and then the
    /// connection ends, to be opened again as that person.
    Link(LinkDevice),
    /// A device is one's own no more. Answered by `ok`.
    Unlink(OfKey),
    /// Hear nothing of somebody, or hear them again, on all one's devices. Answered by `ok`.
    Ignore(SetIgnored),
    /// Who somebody is. Answered by `whois`.
    Whois(OfNick),
    /// What was decided, the latest first. Answered by `audit`.
    Audit(ReadAudit),
    /// What the server has counted. Answered by `stats`.
    Stats(Plain),
    /// The message of the day, as it is now. Answered by `motd`.
    Motd(Plain),
    /// Are you there, and what time is it? Answered by `pong`.
    Ping(Ping),
    /// The answer to the server's `ping`.
    Pong(Plain),
    /// The last thing said. Answered by `bye`.
    Bye(Plain),
}

/// See [`Command::Hello`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hello {
    /// Version of the protocol that the client speaks.
    pub protocol: u32,
    /// What to be called.
    pub nick: Nick,
    /// The `session` of an earlier `ready` on a connection that broke: should it still linger on the
    /// server, its place, and its nick, are this one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<Uuid>,
    /// The answer about the passphrase; see [`super::proof`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// A ticket instead of the passphrase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<TicketProof>,
    /// Who one is. Without it, a guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// Under this nick also if the person is here under another one, on another device: a bot, for example.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub apart: bool,
    /// What program this is, for the host's log.
    #[serde(skip_serializing_if = "Line::is_empty")]
    pub agent: Line,
}

/// See [`Command::Join`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Join {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Which room.
    pub room: RoomName,
    /// The last `seq` that the client has: the cursor. 0 for one who has nothing.
    pub after: u64,
    /// How many entries it wants at once, at most. Where more are missed, a `gap` names those left
    /// out and the last `limit` follow. Absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The words of a room that has a passphrase of its own.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "revealed")]
    pub words: Option<Passphrase>,
}

/// A command that names a room and nothing more.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InRoom {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Which room.
    pub room: RoomName,
}

/// A command without particulars.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Plain {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
}

/// See [`Command::Ping`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Ping {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// When it is said, by the client's clock. The answer says it again, with the server's moments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<Time>,
}

/// See [`Command::Send`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Send {
    /// Of this message, for ever.
    pub id: Uuid,
    /// Where.
    pub room: RoomName,
    /// What.
    pub text: Text,
    /// Told as an act ("alice waves"), as by `/me`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub action: bool,
    /// The `seq` of the entry that this answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
}

/// See [`Command::Topic`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SetTopic {
    /// Of this entry, for ever.
    pub id: Uuid,
    /// Which room.
    pub room: RoomName,
    /// The topic, at most [`super::limits::TOPIC_BYTES`] bytes; empty for none.
    pub text: Line,
}

/// See [`Command::Nick`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SetNick {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// What to be called from now on.
    pub nick: Nick,
}

/// What is to become of somebody: `kick`, `ban`, `unban`, `mute`, `unmute`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Judgement {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Of whom: what they are called, or were called last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nick: Option<Nick>,
    /// Of which address, instead: for `ban` and `unban`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// In which room only: for `mute` and `unmute`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomName>,
    /// Why: they are told.
    #[serde(skip_serializing_if = "Line::is_empty")]
    pub reason: Line,
    /// For so long, in seconds: for `ban` and `mute`. Absent: until it is lifted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}

/// See [`Command::Role`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SetRole {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Whose.
    pub nick: Nick,
    /// `operator` or `member`.
    pub role: Role,
}

/// See [`Command::Rule`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SetRule {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Which room.
    pub room: RoomName,
    /// Which rule.
    pub rule: RuleKind,
    /// Whether it shall hold.
    pub on: bool,
    /// For `allowed`: who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nick: Option<Nick>,
    /// For `passphrase`: the words.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "revealed")]
    pub words: Option<Passphrase>,
    /// For `retention`: for so long, in seconds, from [`super::limits::KEPT_SHORTEST`] to [`super::limits::KEPT_LONGEST`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}

/// A passphrase on its way to who must know it.
#[expect(clippy::ref_option, reason = "serde calls it so")]
fn revealed<S: serde::Serializer>(words: &Option<Passphrase>, serializer: S) -> Result<S::Ok, S::Error> {
    words.as_ref().map(Passphrase::reveal).serialize(serializer)
}

/// What can be set about a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// Only its owner and operators set the topic.
    TopicLocked,
    /// It is in no list but for those who are in it.
    Private,
    /// Only those come in who are allowed.
    InviteOnly,
    /// Somebody may come in.
    Allowed,
    /// Those come in who know a passphrase of its own.
    Passphrase,
    /// What is said in it is kept for a time of its own, and not for as long as the parlor keeps things.
    Retention,
}

/// See [`Command::Ticket`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MakeTicket {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// How often it lets in. Absent: any number of times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uses: Option<NonZeroU32>,
    /// For how long, in seconds. Absent: until it is revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// A room into which it lets as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomName>,
}

/// See [`Command::Revoke`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfTicket {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Which; not the secret.
    pub ticket: TicketId,
}

/// See [`Command::Link`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LinkDevice {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// As the other device shows it.
    pub code: Line,
}

/// See [`Command::Unlink`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfKey {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Which device.
    pub key: PublicKey,
}

/// See [`Command::Ignore`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SetIgnored {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Whom.
    pub nick: Nick,
    /// Whether.
    pub on: bool,
}

/// A ticket, shown as the passphrase is; see [`super::ticket`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketProof {
    /// Which.
    pub id: TicketId,
    /// The answer to the challenge.
    pub proof: Proof,
}

/// A command that names somebody and nothing more.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfNick {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Who.
    pub nick: Nick,
}

/// See [`Command::Audit`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReadAudit {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Those with a smaller number than this. Absent: from the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// How many, at most; the server may take fewer.
    pub limit: u64,
}

/// See [`Command::History`]. The page is contiguous, in the order of the log, and ends early at
/// [`super::limits::PAGE_BYTES`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct History {
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Which room.
    pub room: RoomName,
    /// Which part of it. On the wire one of the fields `before`, `after`, `around` and `at`.
    #[serde(flatten)]
    pub place: Place,
    /// Entries, at most; the server may take fewer.
    pub limit: u64,
}

/// Which part of a log a page is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The entries up to, and without, this `seq`.
    Before(u64),
    /// Those that follow this `seq`.
    After(u64),
    /// Half before this `seq`, it, and half after.
    Around(u64),
    /// Half before this moment, and half at it or after.
    At(Time),
}

impl Command {
    /// The room to whose log it adds an entry; `None` if it adds to none.
    pub fn adds_to(&self) -> Option<&RoomName> {
        match self {
            Self::Send(Send { room, .. })
            | Self::Edit(Edit { room, .. })
            | Self::Delete(Delete { room, .. })
            | Self::React(React { room, .. })
            | Self::Topic(SetTopic { room, .. }) => Some(room),
            _ => None,
        }
    }

    /// What its answer will carry as `re`.
    pub fn request_id(&self) -> Option<RequestId> {
        match self {
            Self::Hello(_) | Self::Pake(_) => None,
            Self::Join(Join { id, .. })
            | Self::Leave(InRoom { id, .. })
            | Self::Nick(SetNick { id, .. })
            | Self::History(History { id, .. })
            | Self::Who(InRoom { id, .. })
            | Self::Kick(Judgement { id, .. })
            | Self::Ban(Judgement { id, .. })
            | Self::Unban(Judgement { id, .. })
            | Self::Mute(Judgement { id, .. })
            | Self::Unmute(Judgement { id, .. })
            | Self::Role(SetRole { id, .. })
            | Self::Rule(SetRule { id, .. })
            | Self::Passphrase(Plain { id })
            | Self::Ticket(MakeTicket { id, .. })
            | Self::Tickets(Plain { id })
            | Self::Revoke(OfTicket { id, .. })
            | Self::Device(Plain { id })
            | Self::Link(LinkDevice { id, .. })
            | Self::Unlink(OfKey { id, .. })
            | Self::Ignore(SetIgnored { id, .. })
            | Self::Whois(OfNick { id, .. })
            | Self::Audit(ReadAudit { id, .. })
            | Self::Reactions(OfEntry { id, .. })
            | Self::Earlier(OfEntry { id, .. })
            | Self::Direct(Direct { id, .. })
            | Self::Read(ReadTo { id, .. })
            | Self::Typing(InRoom { id, .. })
            | Self::Away(SetAway { id, .. })
            | Self::Stats(Plain { id })
            | Self::Motd(Plain { id })
            | Self::Rooms(Plain { id })
            | Self::Ping(Ping { id, .. })
            | Self::Pong(Plain { id })
            | Self::Bye(Plain { id }) => id.clone(),
            Self::Search(search) => search.id.clone(),
            Self::Send(Send { id, .. })
            | Self::Edit(Edit { id, .. })
            | Self::Delete(Delete { id, .. })
            | Self::React(React { id, .. })
            | Self::Topic(SetTopic { id, .. }) => Some((*id).into()),
        }
    }
}
