//! Reading one command from JSON.

use std::borrow::Cow;
use std::net::IpAddr;
use std::num::NonZeroU32;

use serde::Deserialize;
use uuid::Uuid;

use super::{
    Command, Delete, Direct, Edit, Has, Hello, History, InRoom, Join, Judgement, LinkDevice, MakeTicket,
    OfEntry, OfKey, OfNick, OfTicket, Ping, Place, Plain, React, ReadAudit, ReadTo, RequestId, RuleKind,
    Search, Send, SetAway, SetIgnored, SetNick, SetRole, SetRule, SetTopic, TicketProof,
};
use crate::protocol::emoji::Emoji;
use crate::protocol::event::{ErrorCode, Failure};
use crate::protocol::hex::Hex;
use crate::protocol::limits::{
    AWAY_BYTES, DIRECT_PEOPLE, PAGE_ENTRIES, REQUEST_ID_BYTES, SEARCH_BYTES, SEARCH_HITS, TOPIC_BYTES,
};
use crate::protocol::name::{NameError, Nick, RoomName};
use crate::protocol::pake::Pake;
use crate::protocol::proof::{Identity, Passphrase};
use crate::protocol::text::{Line, Raw, Text, TextError};
use crate::protocol::ticket::TicketId;
use crate::protocol::time::Time;
use crate::protocol::words::Role;

impl Command {
    /// Reads one command from JSON. Unknown fields are ignored.
    ///
    /// # Errors
    /// What to answer: `bad_json`, `unknown_type`, `bad_request`, `bad_name`, `text_too_long`,
    /// `text_empty`, with the `re` of the command where it could be told.
    pub fn decode(json: &[u8]) -> Result<Self, Failure> {
        let said: Said<'_> = parse(json)?;
        if said.kind == "send" {
            return said
                .command()
                .map_err(|failure| Failure { re: said.id.as_deref().and_then(RequestId::new), ..failure });
        }
        let fields: Fields<'_> = parse(json)?;
        fields.command().map_err(|mut failure| {
            failure.re = fields.request_id().ok().flatten();
            failure
        })
    }
}

/// The fields of a command.
fn parse<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, Failure> {
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

/// All that `send` may carry. Nearly all commands are that, and [`Fields`] takes twice as long.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Option<Raw<'a>>,
    #[serde(borrow, default)]
    room: Option<Raw<'a>>,
    #[serde(borrow, default)]
    text: Option<Raw<'a>>,
    #[serde(default)]
    action: Option<bool>,
    #[serde(default)]
    reply_to: Option<u64>,
}

impl Said<'_> {
    fn command(&self) -> Result<Command, Failure> {
        Ok(Command::Send(Send {
            id: uuid("send", "id", given("send", "id", self.id.as_deref())?)?,
            room: RoomName::new(given("send", "room", self.room.as_deref())?)?,
            text: Text::new(given("send", "text", self.text.as_deref())?)?,
            action: self.action.unwrap_or(false),
            reply_to: self.reply_to,
        }))
    }
}

/// All that any other command may carry: one pass over the JSON, then each command takes what it needs.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Option<Raw<'a>>,
    #[serde(borrow, default)]
    room: Option<Raw<'a>>,
    #[serde(borrow, default)]
    text: Option<Raw<'a>>,
    #[serde(borrow, default)]
    nick: Option<Raw<'a>>,
    #[serde(borrow, default)]
    agent: Option<Raw<'a>>,
    #[serde(default)]
    protocol: Option<u32>,
    #[serde(borrow, default)]
    resume: Option<Raw<'a>>,
    #[serde(borrow, default)]
    proof: Option<Raw<'a>>,
    #[serde(borrow, default)]
    message: Option<Raw<'a>>,
    #[serde(default)]
    identity: Option<Identity>,
    #[serde(borrow, default)]
    address: Option<Raw<'a>>,
    #[serde(borrow, default)]
    reason: Option<Raw<'a>>,
    #[serde(default)]
    seconds: Option<u64>,
    #[serde(default)]
    apart: Option<bool>,
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    ticket: Option<TicketField>,
    #[serde(borrow, default)]
    words: Option<Raw<'a>>,
    #[serde(borrow, default)]
    code: Option<Raw<'a>>,
    #[serde(borrow, default)]
    key: Option<Raw<'a>>,
    #[serde(default)]
    uses: Option<NonZeroU32>,
    #[serde(default)]
    rule: Option<RuleKind>,
    #[serde(default)]
    on: Option<bool>,
    #[serde(default)]
    after: Option<u64>,
    #[serde(default)]
    before: Option<u64>,
    #[serde(default)]
    around: Option<u64>,
    #[serde(default)]
    at: Option<Time>,
    #[serde(default)]
    limit: Option<u64>,
    #[serde(default)]
    seq: Option<u64>,
    #[serde(borrow, default)]
    emoji: Option<Raw<'a>>,
    #[serde(default)]
    off: Option<bool>,
    #[serde(default)]
    with: Option<Vec<String>>,
    #[serde(default)]
    since: Option<Time>,
    #[serde(default)]
    until: Option<Time>,
    #[serde(default)]
    has: Option<Vec<Has>>,
    #[serde(default)]
    mentions: Option<bool>,
    #[serde(default)]
    sent: Option<Time>,
}

/// In `hello` a ticket is shown, in `revoke` it is named.
#[derive(Deserialize)]
#[serde(untagged)]
enum TicketField {
    Named(TicketId),
    Shown(TicketProof),
}

impl Fields<'_> {
    fn request_id(&self) -> Result<Option<RequestId>, Failure> {
        let Some(id) = &self.id else { return Ok(None) };
        RequestId::new(id)
            .map(Some)
            .ok_or_else(|| self.bad(&format!("an id has at most {REQUEST_ID_BYTES} bytes")))
    }

    fn command(&self) -> Result<Command, Failure> {
        let id = self.request_id()?;
        Ok(match &*self.kind {
            "hello" => Command::Hello(Box::new(Hello {
                protocol: self.given("protocol", self.protocol)?,
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
            "pake" => {
                let message = self.message.as_deref().map(|raw| self.hex("message", raw)).transpose()?;
                let proof = self.proof.as_deref().map(|raw| self.hex("proof", raw)).transpose()?;
                Command::Pake(Pake::of(message, proof).map_err(|error| self.bad(&error.to_string()))?)
            }
            "join" => Command::Join(Join {
                id,
                room: self.room()?,
                after: self.after.unwrap_or(0),
                limit: self.limit,
                words: self.words()?,
            }),
            "leave" => Command::Leave(InRoom { id, room: self.room()? }),
            "edit" => Command::Edit(Edit {
                id: self.entry_id()?,
                room: self.room()?,
                seq: self.seq()?,
                text: self.text()?,
            }),
            "delete" => {
                Command::Delete(Delete { id: self.entry_id()?, room: self.room()?, seq: self.seq()? })
            }
            "react" => Command::React(React {
                id: self.entry_id()?,
                room: self.room()?,
                seq: self.seq()?,
                emoji: Emoji::new(self.given("emoji", self.emoji.as_deref())?)
                    .map_err(|error| self.bad(&error.to_string()))?,
                off: self.off.unwrap_or(false),
            }),
            "reactions" => Command::Reactions(OfEntry { id, room: self.room()?, seq: self.seq()? }),
            "earlier" => Command::Earlier(OfEntry { id, room: self.room()?, seq: self.seq()? }),
            "search" => Command::Search(Box::new(self.search(id)?)),
            "direct" => {
                let with = self.given("with", self.with.as_ref())?;
                // Before anything that costs time in proportion.
                if with.is_empty() || with.len() >= DIRECT_PEOPLE {
                    let message = format!("with names at least one and at most {}", DIRECT_PEOPLE - 1);
                    return Err(self.bad(&message));
                }
                let with = with.iter().map(|nick| Nick::new(nick)).collect::<Result<_, _>>()?;
                Command::Direct(Direct { id, with })
            }
            "read" => Command::Read(ReadTo { id, room: self.room()?, seq: self.seq()? }),
            "typing" => Command::Typing(InRoom { id, room: self.room()? }),
            "away" => Command::Away(SetAway {
                id,
                text: self.text.as_deref().map(|raw| line(raw, AWAY_BYTES)).transpose()?,
            }),
            "topic" => Command::Topic(SetTopic {
                id: self.entry_id()?,
                room: self.room()?,
                text: line(self.given("text", self.text.as_deref())?, TOPIC_BYTES)?,
            }),
            "nick" => Command::Nick(SetNick { id, nick: self.nick()? }),
            "history" => Command::History(History {
                id,
                room: self.room()?,
                place: match (self.before, self.after, self.around, self.at) {
                    (Some(seq), None, None, None) => Place::Before(seq),
                    (None, Some(seq), None, None) => Place::After(seq),
                    (None, None, Some(seq), None) => Place::Around(seq),
                    (None, None, None, Some(time)) => Place::At(time),
                    _ => return Err(self.bad("give one of before, after, around and at")),
                },
                limit: self.limit.unwrap_or(PAGE_ENTRIES),
            }),
            "who" => Command::Who(InRoom { id, room: self.room()? }),
            "rooms" => Command::Rooms(Plain { id }),
            "kick" => Command::Kick(self.judgement(id)?),
            "ban" => Command::Ban(self.judgement(id)?),
            "unban" => Command::Unban(self.judgement(id)?),
            "mute" => Command::Mute(self.judgement(id)?),
            "unmute" => Command::Unmute(self.judgement(id)?),
            "role" => Command::Role(SetRole { id, nick: self.nick()?, role: self.given("role", self.role)? }),
            "rule" => Command::Rule(SetRule {
                id,
                room: self.room()?,
                rule: self.given("rule", self.rule)?,
                on: self.given("on", self.on)?,
                nick: self.nick.is_some().then(|| self.nick()).transpose()?,
                words: self.words()?,
                seconds: self.seconds,
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
                _ => return Err(self.bad("ticket is missing")),
            },
            "device" => Command::Device(Plain { id }),
            "link" => {
                let code = self.given("code", self.code.as_deref())?;
                Command::Link(LinkDevice { id, code: Line::lossy(code) })
            }
            "unlink" => {
                let key = self.given("key", self.key.as_deref())?;
                Command::Unlink(OfKey { id, key: self.hex("key", key)? })
            }
            "ignore" => {
                Command::Ignore(SetIgnored { id, nick: self.nick()?, on: self.given("on", self.on)? })
            }
            "whois" => Command::Whois(OfNick { id, nick: self.nick()? }),
            "audit" => Command::Audit(ReadAudit {
                id,
                before: self.before,
                limit: self.limit.unwrap_or(PAGE_ENTRIES),
            }),
            "stats" => Command::Stats(Plain { id }),
            "motd" => Command::Motd(Plain { id }),
            "ping" => Command::Ping(Ping { id, sent: self.sent }),
            "pong" => Command::Pong(Plain { id }),
            "bye" => Command::Bye(Plain { id }),
            unknown => {
                let message = format!("this server knows no command {unknown:?}");
                return Err(Failure::new(ErrorCode::UnknownType, &message));
            }
        })
    }

    fn room(&self) -> Result<RoomName, Failure> {
        Ok(RoomName::new(self.given("room", self.room.as_deref())?)?)
    }

    fn text(&self) -> Result<Text, Failure> {
        Ok(Text::new(self.given("text", self.text.as_deref())?)?)
    }

    fn nick(&self) -> Result<Nick, Failure> {
        Ok(Nick::new(self.given("nick", self.nick.as_deref())?)?)
    }

    fn seq(&self) -> Result<u64, Failure> {
        self.given("seq", self.seq)
    }

    fn search(&self, id: Option<RequestId>) -> Result<Search, Failure> {
        Ok(Search {
            id,
            text: line(self.text.as_deref().unwrap_or_default(), SEARCH_BYTES)?,
            nick: self.nick.is_some().then(|| self.nick()).transpose()?,
            room: self.room.is_some().then(|| self.room()).transpose()?,
            until: self.until,
            since: self.since,
            has: self.has()?,
            mentions: self.mentions.unwrap_or(false),
            before: self.before,
            limit: self.limit.unwrap_or(SEARCH_HITS),
        })
    }

    /// Each kind once: the index is asked for each that is given.
    fn has(&self) -> Result<Vec<Has>, Failure> {
        let given = self.has.as_deref().unwrap_or_default();
        if given.len() > Has::ALL.len() {
            return Err(self.bad(&format!("has names at most {} kinds", Has::ALL.len())));
        }
        Ok(Has::ALL.into_iter().filter(|kind| given.contains(kind)).collect())
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
        self.uuid("id", self.given("id", self.id.as_deref())?)
    }

    fn uuid(&self, field: &str, raw: &str) -> Result<Uuid, Failure> {
        uuid(&self.kind, field, raw)
    }

    fn hex<const N: usize>(&self, field: &str, raw: &str) -> Result<Hex<N>, Failure> {
        raw.parse().map_err(|error| self.bad(&format!("{field}: {error}")))
    }

    fn words(&self) -> Result<Option<Passphrase>, Failure> {
        let words = self.words.as_deref().map(Passphrase::new).transpose();
        words.map_err(|error| self.bad(&format!("words: {error}")))
    }

    fn given<T>(&self, field: &str, value: Option<T>) -> Result<T, Failure> {
        given(&self.kind, field, value)
    }

    fn bad(&self, what: &str) -> Failure {
        bad(&self.kind, what)
    }
}

/// A field that a command of this kind must have.
fn given<T>(kind: &str, field: &str, value: Option<T>) -> Result<T, Failure> {
    value.ok_or_else(|| bad(kind, &format!("{field} is missing")))
}

fn uuid(kind: &str, field: &str, raw: &str) -> Result<Uuid, Failure> {
    Uuid::try_parse(raw).map_err(|_| bad(kind, &format!("{field} must be a UUID")))
}

fn bad(kind: &str, what: &str) -> Failure {
    Failure::new(ErrorCode::BadRequest, &format!("{kind}: {what}"))
}

fn line(raw: &str, max: usize) -> Result<Line, TextError> {
    let line = Line::new(raw)?;
    match line.as_str().len() {
        bytes if bytes > max => Err(TextError::TooLong { bytes, max }),
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
            Command::Pake(Pake::Message(Hex([7; 33]))),
            Command::Pake(Pake::Proof(Hex([7; 32]))),
            Command::Join(Join { id: id.clone(), room: room(), after: 3, limit: Some(50), words: words() }),
            Command::Leave(InRoom { id: id.clone(), room: room() }),
            Command::Send(Send { id: uuid, room: room(), text, action: true, reply_to: Some(2) }),
            Command::Topic(SetTopic { id: uuid, room: room(), text: Line::lossy("t") }),
            Command::Nick(SetNick { id: id.clone(), nick }),
            Command::History(History { id: id.clone(), room: room(), place, limit: 9 }),
            Command::History(History {
                id: id.clone(),
                room: room(),
                place: Place::At(Time::from_millis(5)),
                limit: 9,
            }),
            Command::Edit(Edit { id: uuid, room: room(), seq: 4, text: Text::new("ho").unwrap() }),
            Command::Delete(Delete { id: uuid, room: room(), seq: 4 }),
            Command::React(React {
                id: uuid,
                room: room(),
                seq: 4,
                emoji: Emoji::new("👍").unwrap(),
                off: true,
            }),
            Command::Reactions(OfEntry { id: id.clone(), room: room(), seq: 4 }),
            Command::Earlier(OfEntry { id: id.clone(), room: room(), seq: 4 }),
            Command::Search(Box::new(Search {
                id: id.clone(),
                text: Line::lossy("\"two words\" 好"),
                nick: Some(bob()),
                room: Some(room()),
                until: Some(Time::from_millis(7)),
                since: Some(Time::from_millis(5)),
                has: vec![Has::Link, Has::File],
                mentions: true,
                before: Some(99),
                limit: 20,
            })),
            Command::Direct(Direct { id: id.clone(), with: vec![bob()] }),
            Command::Read(ReadTo { id: id.clone(), room: room(), seq: 4 }),
            Command::Typing(InRoom { id: id.clone(), room: room() }),
            Command::Away(SetAway { id: id.clone(), text: Some(Line::lossy("lunch")) }),
            Command::Away(SetAway { id: id.clone(), text: None }),
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
                seconds: Some(60),
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
            Command::Stats(Plain { id: id.clone() }),
            Command::Motd(Plain { id: id.clone() }),
            Command::Ping(Ping { id: id.clone(), sent: None }),
            Command::Ping(Ping { id: id.clone(), sent: Some(Time::from_millis(1_795_258_920_123)) }),
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
        assert_eq!(
            code(r##"{"type":"send","room":"#a","text":"x","id":"1","action":"yes"}"##),
            ErrorCode::BadRequest
        );
        let proof = Hex([7; 32]).to_string();
        for step in [
            json!({}),
            json!({"message": proof}),
            json!({"message": Hex([7; 33]).to_string(), "proof": proof}),
        ] {
            let mut step = step;
            step["type"] = "pake".into();
            assert_eq!(code(&step.to_string()), ErrorCode::BadRequest, "{step}");
        }
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
    fn a_search_asks_for_each_kind_once() {
        let decode =
            |has: &[&str]| Command::decode(json!({"type":"search","has":has}).to_string().as_bytes());
        let Command::Search(search) = decode(&["link", "link"]).unwrap() else { panic!() };
        assert_eq!(search.has, [Has::Link]);
        let Command::Search(search) = decode(&["file", "link"]).unwrap() else { panic!() };
        assert_eq!(search.has, Has::ALL);
        for many in [3, 20_000] {
            assert_eq!(decode(&vec!["link"; many]).unwrap_err().code, ErrorCode::BadRequest);
        }
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
