//! Frames, as cheaply as a load makes and reads them: the load shares a core with nobody but itself, and must not be what is
//! measured.

use parlor::protocol::command::{Command, Hello, Join, Ping, Send};
use parlor::protocol::event::{Entry, EntryKind, EntryText, Event};
use parlor::protocol::frame::{Frame, HEADER};
use parlor::protocol::name::{Nick, RoomName};
use parlor::protocol::text::{Line, Text};
use parlor::protocol::time::Time;
use uuid::Uuid;

use crate::job::Kind;

/// Bytes of each text.
pub(crate) const TEXT: usize = 100;
/// Digits at the end of a text: its sender, and when it was sent.
const SENDER: usize = 6;
const SENT: usize = 14;
/// What stands behind the text, in a command and in an event.
const END: &[u8] = br#""}"#;

pub(crate) fn room(number: usize) -> RoomName {
    RoomName::new(&format!("#r{number}")).unwrap()
}

/// `hello`, and `join` if there is a room: with at most so much of what was said before.
pub(crate) fn enter(name: &str, room: Option<RoomName>, limit: Option<u64>) -> Vec<u8> {
    let hello = Hello {
        protocol: 1,
        nick: Nick::new(name).unwrap(),
        resume: None,
        proof: None,
        ticket: None,
        identity: None,
        apart: false,
        agent: Line::default(),
    };
    let mut bytes = Frame::encode(&Command::Hello(Box::new(hello))).into_bytes().to_vec();
    if let Some(room) = room {
        let join = Join { id: None, room, after: 0, limit, words: None };
        bytes.extend_from_slice(&Frame::encode(&Command::Join(join)).into_bytes());
    }
    bytes
}

pub(crate) fn ping() -> Vec<u8> {
    let id = Some(Uuid::now_v7().into());
    Frame::encode(&Command::Ping(Ping { id, sent: None })).into_bytes().to_vec()
}

/// Messages of one sender: a frame whose id and text are changed each time.
pub(crate) struct Template {
    bytes: Vec<u8>,
    id: usize,
}

impl Template {
    /// For parlor a command, for the relay the very bytes that parlor makes of it.
    pub(crate) fn new(kind: Kind, sender: usize, room: RoomName) -> Self {
        let id = Uuid::now_v7();
        let text = format!("{}{sender:0SENDER$}{:0SENT$}", "x".repeat(TEXT - SENDER - SENT), 0);
        let frame = match kind {
            Kind::Relay => Frame::encode(&Event::Entry(Entry {
                kind: EntryKind::Message,
                room,
                seq: 123_456,
                id,
                at: Time::now(),
                from: Nick::new(&format!("p{sender}")).unwrap(),
                text: EntryText::from_stored(&text),
                action: false,
                reply_to: None,
                author: None,
                target: None,
                off: false,
                now: None,
            })),
            Kind::Plain | Kind::Tls => {
                let text = Text::new(&text).unwrap();
                Frame::encode(&Command::Send(Send { id, room, text, action: false, reply_to: None }))
            }
        };
        let bytes = frame.into_bytes().to_vec();
        let written = id.to_string();
        let id = bytes.windows(written.len()).position(|window| window == written.as_bytes()).unwrap();
        Self { bytes, id }
    }

    /// The next message, sent so many nanoseconds after the start.
    pub(crate) fn next(&mut self, nanoseconds: u64, out: &mut Vec<u8>) {
        Uuid::now_v7().hyphenated().encode_lower(&mut self.bytes[self.id..]);
        let sent = self.bytes.len() - END.len() - SENT;
        put(nanoseconds, &mut self.bytes[sent..sent + SENT]);
        out.extend_from_slice(&self.bytes);
    }
}

fn put(mut number: u64, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap();
        number /= 10;
    }
}

/// A message that came: who sent it, and when, in nanoseconds after the start.
pub(crate) fn origin(json: &[u8]) -> (usize, u64) {
    let end = json.len() - END.len();
    let number =
        |digits: &[u8]| digits.iter().fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
    let sender = number(&json[end - SENT - SENDER..end - SENT]);
    (usize::try_from(sender).unwrap(), number(&json[end - SENT..end]))
}

/// What a frame is, without looking at more of it than that takes.
pub(crate) fn is(json: &[u8], kind: &str) -> bool {
    json.strip_prefix(br#"{"type":""#).is_some_and(|rest| rest.starts_with(kind.as_bytes()))
}

/// How many a `presence` says are here.
pub(crate) fn here(json: &[u8]) -> usize {
    let key = br#""here":"#;
    let place = json.windows(key.len()).position(|window| window == key).unwrap() + key.len();
    let digits = json[place..].iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}

/// The whole frames in `bytes`, one after the other, and how many bytes they take.
pub(crate) fn frames(bytes: &[u8], mut each: impl FnMut(&[u8])) -> usize {
    let mut whole = 0;
    while let Some(header) = bytes.get(whole..whole + HEADER) {
        let length = u32::from_be_bytes(header.try_into().unwrap()) as usize;
        let Some(json) = bytes.get(whole + HEADER..whole + HEADER + length) else { break };
        each(json);
        whole += HEADER + length;
    }
    whole
}
