//! What a client says.
//!
//! Every command may carry an `id`, and its answer carries it back as `re`. For those that add to a
//! room's log the `id` is required and is a UUID (version 7, by RFC 9562, so that ids sort by time):
//! sent again after a lost answer, it is stored once.

use std::borrow::Cow;
use std::net::IpAddr;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::event::{ErrorCode, Failure};
use super::hex::Hex;
use super::limits::{REQUEST_ID_BYTES, TOPIC_BYTES};
use super::name::{NameError, Nick, RoomName};
use super::proof::{Identity, Passphrase, Proof, PublicKey};
use super::text::{Line, Text, TextError};
use super::ticket::TicketId;
use super::words::Role;

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
    /// Enter a room; it is made if there is none. Answered by `ok`, `presence`, perhaps `gap`, then the
    /// entries after `after`, then all that is said.
    Join(Join),
    /// Leave a room. Answered by `ok`; nothing of the room follows.
    Leave(InRoom),
    /// Say something. Answered by `ok` once it is stored.
    Send(Send),
    /// Set the topic of a room, an entry of its log. Answered by `ok` once it is stored.
    Topic(SetTopic),
    /// Take another nick. Answered by `ok`.
    Nick(SetNick),
    /// A page of a room's log. Answered by `page`.
    History(History),
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
    /// Are you there, and what time is it? Answered by `pong`.
    Ping(Plain),
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
    /// The topic, at most [`TOPIC_BYTES`] bytes; empty for none.
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
    /// Which part of it. On the wire one of the fields `before`, `after` and `around`.
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
}

impl Command {
    /// What its answer will carry as `re`.
    pub fn request_id(&self) -> Option<RequestId> {
        match self {
            Self::Hello(_) => None,
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
            | Self::Rooms(Plain { id })
            | Self::Ping(Plain { id })
            | Self::Pong(Plain { id })
            | Self::Bye(Plain { id }) => id.clone(),
            Self::Send(Send { id, .. }) | Self::Topic(SetTopic { id, .. }) => Some((*id).into()),
        }
    }

    /// Reads one command from JSON. Unknown fields are ignored.
    ///
    /// # Errors
    /// What to answer: `bad_json`, `unknown_type`, `bad_request`, `bad_name`, `text_too_long`,
    /// `text_empty`, with the `re` of the command where it could be told.
    pub fn decode(json: &[u8]) -> Result<Self, Failure> {
        let fields = Fields::parse(json)?;
        let re = fields.request_id()?;
        fields.command(re.clone()).map_err(|mut failure| {
            failure.re = re;
            failure
        })
    }
}

/// All that any command may carry: one pass over the JSON, then each command takes what it needs.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    room: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    nick: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    agent: Option<Cow<'a, str>>,
    #[serde(default)]
    protocol: Option<u32>,
    #[serde(borrow, default)]
    resume: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    proof: Option<Cow<'a, str>>,
    #[serde(default)]
    identity: Option<Identity>,
    #[serde(borrow, default)]
    address: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    reason: Option<Cow<'a, str>>,
    #[serde(default)]
    seconds: Option<u64>,
    #[serde(default)]
    apart: Option<bool>,
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    ticket: Option<TicketField>,
    #[serde(borrow, default)]
    words: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    code: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    key: Option<Cow<'a, str>>,
    #[serde(default)]
    uses: Option<NonZeroU32>,
    #[serde(default)]
    rule: Option<RuleKind>,
    #[serde(default)]
    on: Option<bool>,
    #[serde(default)]
    action: Option<bool>,
    #[serde(default)]
    reply_to: Option<u64>,
    #[serde(default)]
    after: Option<u64>,
    #[serde(default)]
    before: Option<u64>,
    #[serde(default)]
    around: Option<u64>,
    #[serde(default)]
    limit: Option<u64>,
}

/// In `hello` a ticket is shown, in `revoke` it is named.
#[derive(Deserialize)]
#[serde(untagged)]
enum TicketField {
    Named(TicketId),
    Shown(TicketProof),
}

impl<'a> Fields<'a> {
    fn parse(json: &'a [u8]) -> Result<Self, Failure> {
        // To serde the fields of an object may also be the items of an array, in their order.
        if json.trim_ascii_start().first() == Some(&b'[') {
            return Err(Failure::new(ErrorCode::BadRequest, "not a command: an object is expected"));
        }
        serde_json::from_slice(json).map_err(|error| {
            let code = if error.is_data() { ErrorCode::BadRequest } else { ErrorCode::BadJson };
            let mut failure = Failure::new(code, &format!("not a command: {error}"));
            // The fields may be wrong and the id right: then the client can tell what went wrong.
            #[derive(Deserialize)]
            struct Id {
                id: Option<String>,
            }
            failure.re = serde_json::from_slice::<Id>(json).ok().and_then(|found| RequestId::new(&found.id?));
            failure
        })
    }

    fn request_id(&self) -> Result<Option<RequestId>, Failure> {
        let Some(id) = &self.id else { return Ok(None) };
        RequestId::new(id)
            .map(Some)
            .ok_or_else(|| self.bad(&format!("an id has at most {REQUEST_ID_BYTES} bytes")))
    }

    fn command(self, id: Option<RequestId>) -> Result<Command, Failure> {
        Ok(match &*self.kind {
            "hello" => Command::Hello(Box::new(Hello {
                protocol: self.protocol.ok_or_else(|| self.missing("protocol"))?,
                nick: self.nick()?,
                resume: self.resume.as_deref().map(|raw| self.uuid("resume", raw)).transpose()?,
                proof: self.proof.as_deref().map(|raw| self.hex("proof", raw)).transpose()?,
                ticket: match self.ticket {
                    Some(TicketField::Shown(ticket)) => Some(ticket),
                    Some(TicketField::Named(_)) => return Err(self.bad("ticket must have id and proof")),
                    None => None,
                },
                identity: self.identity,
                apart: self.apart.unwrap_or(false),
                agent: Line::lossy(self.agent.as_deref().unwrap_or_default()),
            })),
            "join" => Command::Join(Join {
                id,
                room: self.room()?,
                after: self.after.unwrap_or(0),
                limit: self.limit,
                words: self.words()?,
            }),
            "leave" => Command::Leave(InRoom { id, room: self.room()? }),
            "send" => Command::Send(Send {
                id: self.entry_id()?,
                room: self.room()?,
                text: Text::new(self.text.as_deref().ok_or_else(|| self.missing("text"))?)?,
                action: self.action.unwrap_or(false),
                reply_to: self.reply_to,
            }),
            "topic" => Command::Topic(SetTopic {
                id: self.entry_id()?,
                room: self.room()?,
                text: topic(self.text.as_deref().ok_or_else(|| self.missing("text"))?)?,
            }),
            "nick" => Command::Nick(SetNick { id, nick: self.nick()? }),
            "history" => Command::History(History {
                id,
                room: self.room()?,
                place: match (self.before, self.after, self.around) {
                    (Some(seq), None, None) => Place::Before(seq),
                    (None, Some(seq), None) => Place::After(seq),
                    (None, None, Some(seq)) => Place::Around(seq),
                    _ => return Err(self.bad("give one of before, after and around")),
                },
                limit: self.limit.unwrap_or(super::limits::PAGE_ENTRIES),
            }),
            "who" => Command::Who(InRoom { id, room: self.room()? }),
            "rooms" => Command::Rooms(Plain { id }),
            "kick" => Command::Kick(self.judgement(id)?),
            "ban" => Command::Ban(self.judgement(id)?),
            "unban" => Command::Unban(self.judgement(id)?),
            "mute" => Command::Mute(self.judgement(id)?),
            "unmute" => Command::Unmute(self.judgement(id)?),
            "role" => Command::Role(SetRole {
                id,
                nick: self.nick()?,
                role: self.role.ok_or_else(|| self.missing("role"))?,
            }),
            "rule" => Command::Rule(SetRule {
                id,
                room: self.room()?,
                rule: self.rule.ok_or_else(|| self.missing("rule"))?,
                on: self.on.ok_or_else(|| self.missing("on"))?,
                nick: self.nick.is_some().then(|| self.nick()).transpose()?,
                words: self.words()?,
            }),
            "passphrase" => Command::Passphrase(Plain { id }),
            "ticket" => Command::Ticket(MakeTicket {
                id,
                uses: self.uses,
                seconds: self.seconds,
                room: self.room.is_some().then(|| self.room()).transpose()?,
            }),
            "tickets" => Command::Tickets(Plain { id }),
            "revoke" => match self.ticket {
                Some(TicketField::Named(ticket)) => Command::Revoke(OfTicket { id, ticket }),
                _ => return Err(self.missing("ticket")),
            },
            "device" => Command::Device(Plain { id }),
            "link" => {
                let code = self.code.as_deref().ok_or_else(|| self.missing("code"))?;
                Command::Link(LinkDevice { id, code: Line::lossy(code) })
            }
            "unlink" => {
                let key = self.key.as_deref().ok_or_else(|| self.missing("key"))?;
                Command::Unlink(OfKey { id, key: self.hex("key", key)? })
            }
            "ignore" => Command::Ignore(SetIgnored {
                id,
                nick: self.nick()?,
                on: self.on.ok_or_else(|| self.missing("on"))?,
            }),
            "whois" => Command::Whois(OfNick { id, nick: self.nick()? }),
            "audit" => Command::Audit(ReadAudit {
                id,
                before: self.before,
                limit: self.limit.unwrap_or(super::limits::PAGE_ENTRIES),
            }),
            "ping" => Command::Ping(Plain { id }),
            "pong" => Command::Pong(Plain { id }),
            "bye" => Command::Bye(Plain { id }),
            unknown => {
                let message = format!("this server knows no command {unknown:?}");
                return Err(Failure::new(ErrorCode::UnknownType, &message));
            }
        })
    }

    fn room(&self) -> Result<RoomName, Failure> {
        Ok(RoomName::new(self.room.as_deref().ok_or_else(|| self.missing("room"))?)?)
    }

    fn nick(&self) -> Result<Nick, Failure> {
        Ok(Nick::new(self.nick.as_deref().ok_or_else(|| self.missing("nick"))?)?)
    }

    fn judgement(&self, id: Option<RequestId>) -> Result<Judgement, Failure> {
        let address = self.address.as_deref().map(str::parse::<IpAddr>).transpose();
        let judgement = Judgement {
            id,
            nick: self.nick.is_some().then(|| self.nick()).transpose()?,
            address: address.map_err(|_| self.bad("address must be an IP address"))?,
            room: self.room.is_some().then(|| self.room()).transpose()?,
            reason: Line::lossy(self.reason.as_deref().unwrap_or_default()),
            seconds: self.seconds,
        };
        match (&judgement.nick, &judgement.address) {
            (Some(_), None) | (None, Some(_)) => Ok(judgement),
            _ => Err(self.bad("give either nick or address")),
        }
    }

    fn entry_id(&self) -> Result<Uuid, Failure> {
        self.uuid("id", self.id.as_deref().ok_or_else(|| self.missing("id"))?)
    }

    fn uuid(&self, field: &str, raw: &str) -> Result<Uuid, Failure> {
        Uuid::try_parse(raw).map_err(|_| self.bad(&format!("{field} must be a UUID")))
    }

    fn hex<const N: usize>(&self, field: &str, raw: &str) -> Result<Hex<N>, Failure> {
        raw.parse().map_err(|error| self.bad(&format!("{field}: {error}")))
    }

    fn words(&self) -> Result<Option<Passphrase>, Failure> {
        let words = self.words.as_deref().map(Passphrase::new).transpose();
        words.map_err(|error| self.bad(&format!("words: {error}")))
    }

    fn missing(&self, field: &str) -> Failure {
        self.bad(&format!("{field} is missing"))
    }

    fn bad(&self, what: &str) -> Failure {
        Failure::new(ErrorCode::BadRequest, &format!("{}: {what}", self.kind))
    }
}

fn topic(raw: &str) -> Result<Line, TextError> {
    let line = Line::new(raw)?;
    match line.as_str().len() {
        bytes if bytes > TOPIC_BYTES => Err(TextError::TooLong { bytes, max: TOPIC_BYTES }),
        _ => Ok(line),
    }
}

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        Self::new(ErrorCode::BadName, &error.to_string())
    }
}

impl From<TextError> for Failure {
    fn from(error: TextError) -> Self {
        let code = match error {
            TextError::Empty => ErrorCode::TextEmpty,
            TextError::TooLong { .. } => ErrorCode::TextTooLong,
        };
        Self::new(code, &error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn room() -> RoomName {
        RoomName::new("#lobby").unwrap()
    }

    fn words() -> Option<Passphrase> {
        Passphrase::new("amber-otter-river-stone").ok()
    }

    fn bob() -> Nick {
        Nick::new("bob").unwrap()
    }

    fn judgement() -> Judgement {
        Judgement { nick: Some(bob()), reason: Line::lossy("why"), ..Judgement::default() }
    }

    fn code(json: &str) -> ErrorCode {
        Command::decode(json.as_bytes()).unwrap_err().code
    }

    #[test]
    fn every_command_is_read_as_it_is_written() {
        let id = RequestId::new("q1");
        let uuid = Uuid::now_v7();
        let text = Text::new("hi\nthere").unwrap();
        let nick = Nick::new("李雷").unwrap();
        let agent = Line::lossy("test");
        let place = Place::Around(7);
        for command in [
            Command::Hello(Box::new(Hello {
                protocol: 1,
                nick: nick.clone(),
                resume: Some(uuid),
                proof: Some(Hex([7; 32])),
                ticket: Some(TicketProof { id: Hex([5; 8]), proof: Hex([6; 32]) }),
                identity: Some(Identity { key: Hex([8; 32]), signature: Hex([9; 64]) }),
                apart: true,
                agent,
            })),
            Command::Join(Join { id: id.clone(), room: room(), after: 3, limit: Some(50), words: words() }),
            Command::Leave(InRoom { id: id.clone(), room: room() }),
            Command::Send(Send { id: uuid, room: room(), text, action: true, reply_to: Some(2) }),
            Command::Topic(SetTopic { id: uuid, room: room(), text: Line::lossy("t") }),
            Command::Nick(SetNick { id: id.clone(), nick }),
            Command::History(History { id: id.clone(), room: room(), place, limit: 9 }),
            Command::Who(InRoom { id: id.clone(), room: room() }),
            Command::Rooms(Plain { id: id.clone() }),
            Command::Kick(Judgement { id: id.clone(), nick: Some(bob()), ..judgement() }),
            Command::Ban(Judgement {
                nick: None,
                address: "::1".parse().ok(),
                seconds: Some(60),
                ..judgement()
            }),
            Command::Unban(judgement()),
            Command::Mute(Judgement { room: Some(room()), ..judgement() }),
            Command::Unmute(judgement()),
            Command::Role(SetRole { id: id.clone(), nick: bob(), role: Role::Operator }),
            Command::Rule(SetRule {
                id: id.clone(),
                room: room(),
                rule: RuleKind::Allowed,
                on: true,
                nick: Some(bob()),
                words: words(),
            }),
            Command::Ticket(MakeTicket {
                id: id.clone(),
                uses: NonZeroU32::new(3),
                seconds: Some(60),
                room: Some(room()),
            }),
            Command::Tickets(Plain { id: id.clone() }),
            Command::Revoke(OfTicket { id: id.clone(), ticket: Hex([7; 8]) }),
            Command::Device(Plain { id: id.clone() }),
            Command::Link(LinkDevice { id: id.clone(), code: Line::lossy("ABCD-EFGH") }),
            Command::Unlink(OfKey { id: id.clone(), key: Hex([8; 32]) }),
            Command::Ignore(SetIgnored { id: id.clone(), nick: bob(), on: true }),
            Command::Passphrase(Plain { id: id.clone() }),
            Command::Whois(OfNick { id: id.clone(), nick: bob() }),
            Command::Audit(ReadAudit { id: id.clone(), before: Some(9), limit: 5 }),
            Command::Ping(Plain { id: id.clone() }),
            Command::Pong(Plain::default()),
            Command::Bye(Plain::default()),
        ] {
            let json = serde_json::to_vec(&command).unwrap();
            assert_eq!(Command::decode(&json).unwrap(), command);
        }
    }

    #[test]
    fn what_is_wrong_has_a_name() {
        assert_eq!(code("{"), ErrorCode::BadJson);
        assert_eq!(code("\"\u{7f}"), ErrorCode::BadJson);
        assert_eq!(code("[]"), ErrorCode::BadRequest);
        assert_eq!(code(r#" ["ping"]"#), ErrorCode::BadRequest);
        assert_eq!(code("{}"), ErrorCode::BadRequest);
        assert_eq!(code(r##"{"type":"fly"}"##), ErrorCode::UnknownType);
        assert_eq!(code(r##"{"type":"join"}"##), ErrorCode::BadRequest);
        assert_eq!(code(r##"{"type":"join","room":"lobby"}"##), ErrorCode::BadName);
        assert_eq!(code(r##"{"type":"send","room":"#a","text":"x","id":"1"}"##), ErrorCode::BadRequest);
        let id = Uuid::now_v7();
        assert_eq!(
            code(&json!({"type":"send","room":"#a","text":" ","id":id}).to_string()),
            ErrorCode::TextEmpty
        );
        let long = json!({"type":"send","room":"#a","text":"x".repeat(20_000),"id":id}).to_string();
        assert_eq!(code(&long), ErrorCode::TextTooLong);
        let long = json!({"type":"topic","room":"#a","text":"x".repeat(TOPIC_BYTES + 1),"id":id}).to_string();
        assert_eq!(code(&long), ErrorCode::TextTooLong);
        assert_eq!(code(r##"{"type":"history","room":"#a","before":1,"after":2}"##), ErrorCode::BadRequest);
        assert_eq!(code(r##"{"type":"history","room":"#a","before":-1}"##), ErrorCode::BadRequest);
    }

    #[test]
    fn deep_nesting_is_harmless() {
        let deep = format!("{}1{}", "[".repeat(40_000), "]".repeat(40_000));
        let ignored = format!(r#"{{"type":"ping","x":{deep}}}"#);
        assert!(Command::decode(ignored.as_bytes()).is_ok(), "what is ignored is skipped without a stack");
        assert_eq!(code(&deep), ErrorCode::BadRequest);
        assert_eq!(code(&format!(r#"{{"type":"ping","id":{deep}}}"#)), ErrorCode::BadRequest);
        assert_eq!(code(&"[".repeat(90_000)), ErrorCode::BadRequest);
    }

    #[test]
    fn bad_utf8_is_refused() {
        assert_eq!(
            Command::decode(b"{\"type\":\"nick\",\"nick\":\"\xff\xfe\"}").unwrap_err().code,
            ErrorCode::BadJson
        );
    }

    #[test]
    fn an_error_says_which_command_it_answers() {
        let failure = Command::decode(br##"{"type":"join","id":"q9","room":5}"##).unwrap_err();
        assert_eq!(failure.re, RequestId::new("q9"));
        let failure = Command::decode(br##"{"type":"join","id":"q9","room":"# "}"##).unwrap_err();
        assert_eq!(failure.re, RequestId::new("q9"));
    }

    #[test]
    fn null_is_the_same_as_nothing() {
        let absent = Command::decode(
            br##"{"type":"send","id":"00000000-0000-0000-0000-000000000000","room":"#a","text":"x"}"##,
        );
        let null = Command::decode(
            br##"{"type":"send","id":"00000000-0000-0000-0000-000000000000","room":"#a","text":"x",
                "action":null,"reply_to":null,"agent":null,"limit":null,"nick":null}"##,
        );
        assert_eq!(absent.unwrap(), null.unwrap());
    }

    #[test]
    fn unknown_fields_are_ignored() {
        assert!(Command::decode(br##"{"type":"ping","later":{"a":[1,null]}}"##).is_ok());
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_command_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(Command::decode(&bytes));
        }

        #[test]
        fn any_fields_give_a_command_or_an_error(
            kind in "hello|join|send|topic|nick|history|\\PC{0,5}",
            room in any::<String>(), text in any::<String>(), number in any::<i64>(),
        ) {
            let json = json!({"type": kind, "room": room, "text": text, "nick": text, "before": number, "protocol": 1,
                "id": Uuid::nil()});
            drop(Command::decode(json.to_string().as_bytes()));
        }
    }
}
