//! What must hold for whatever comes over the network: one function for each fuzz target, which panics when it does not.
//!
//! `tests/seeds.rs` compiles this file too, and runs the same functions over the seeds: so nothing here may need a
//! nightly compiler or libFuzzer.

// A finding is a panic. For the fuzz targets this is a crate, and for that test a module.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

use std::fmt::Debug;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use parlor::protocol::address::Address;
use parlor::protocol::announcement::{
    ANNOUNCED_NAME_BYTES, Announcement, DATAGRAM_BYTES, Nonce, read_answer, read_query,
};
use parlor::protocol::command::{Command, RequestId};
use parlor::protocol::event::{Event, Failure};
use parlor::protocol::frame::{FrameError, FrameReader, HEADER};
use parlor::protocol::hex::Hex;
use parlor::protocol::invite::Invite;
use parlor::protocol::limits::{
    LINE_BYTES, MARKS_ON_A_LETTER, NAME_BYTES, REQUEST_ID_BYTES, TEXT_BYTES, TOPIC_BYTES,
};
use parlor::protocol::name::{Nick, RoomName};
use parlor::protocol::proof::Passphrase;
use parlor::protocol::text::{Line, Text, escape_json, sanitise};
use serde_json::Value;
use tokio::io::{AsyncRead, ReadBuf};

/// Bytes that arrive in pieces, with pauses between them.
struct Pieces<'a> {
    rest: &'a [u8],
    /// Bytes of one piece after the other, over and over; 0 is a pause, and then one byte.
    lengths: std::iter::Cycle<std::slice::Iter<'a, u8>>,
    paused: bool,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let length = if self.paused { 1 } else { usize::from(self.lengths.next().copied().unwrap_or(1)) };
        self.paused = length == 0;
        if self.paused {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let (piece, rest) = self.rest.split_at(length.min(self.rest.len()).min(buf.remaining()));
        buf.put_slice(piece);
        self.rest = rest;
        Poll::Ready(Ok(()))
    }
}

/// The longest piece that arrives at once.
const PIECE: usize = u8::MAX as usize;

/// `data` is the cap, the number of lengths modulo 8, the lengths, and the stream, which is cut into pieces of these
/// lengths. What comes out is what was framed; nothing over the cap is waited for, or given memory; and it makes no
/// difference how often the reader is interrupted.
pub fn frame_reader(data: &[u8]) {
    let [cap, lengths, rest @ ..] = data else { return };
    let cap = usize::from(*cap);
    let (lengths, mut expected) = rest.split_at(rest.len().min(usize::from(lengths % 8)));
    let mut reader =
        FrameReader::new(Pieces { rest: expected, lengths: lengths.iter().cycle(), paused: false }, cap);
    loop {
        let mut got = None;
        let used = allocation_counter::measure(|| got = Some(next(&mut reader)));
        // A frame and a piece of the next, twice while the buffer grows, and some for what is smaller.
        let fair = 4 * (HEADER + cap + PIECE) + 256;
        assert!(
            used.bytes_max <= u64::try_from(fair).unwrap(),
            "{} bytes for a cap of {cap}",
            used.bytes_max
        );
        let got = got.unwrap();
        let Some((header, rest)) = expected.split_first_chunk::<HEADER>() else {
            match got {
                Ok(None) => assert!(expected.is_empty()),
                Err(FrameError::Cut) => assert!(!expected.is_empty()),
                other => panic!("{other:?} for {expected:?}"),
            }
            return;
        };
        let announced = u32::from_be_bytes(*header) as usize;
        if announced > cap {
            assert!(
                matches!(got, Err(FrameError::TooLarge { length, max }) if length == announced && max == cap),
                "{got:?}"
            );
            return;
        }
        let Some((frame, rest)) = rest.split_at_checked(announced) else {
            assert!(matches!(got, Err(FrameError::Cut)), "{got:?}");
            return;
        };
        assert_eq!(got.unwrap().as_deref(), Some(frame));
        expected = rest;
    }
}

/// The next frame, asked for anew after each pause: what was read must not be lost with the future.
fn next<R: AsyncRead + Unpin>(reader: &mut FrameReader<R>) -> Result<Option<Vec<u8>>, FrameError> {
    if let Some(json) = reader.next_ready()? {
        return Ok(Some(json.to_vec()));
    }
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        let next = pin!(reader.next());
        if let Poll::Ready(json) = next.poll(&mut cx) {
            return Ok(json?.map(|json| json.to_vec()));
        }
    }
}

/// Whatever is a command is written and read as the same one, and what is in it is clean. So is what is said of whatever
/// is none.
pub fn command(data: &[u8]) {
    match Command::decode(data) {
        Ok(command) => {
            let json = serde_json::to_vec(&command).unwrap();
            assert_eq!(Command::decode(&json).as_ref(), Ok(&command));
            assert!(command.request_id().is_none_or(|id| id.as_str().len() <= REQUEST_ID_BYTES));
            let mut said: Value = serde_json::from_slice(&json).unwrap();
            // A passphrase may have whatever its owner can type; it is compared, and shown to nobody.
            said.as_object_mut().map(|fields| fields.remove("words"));
            assert_all_clean(&said);
            assert_within_limits(&command);
        }
        Err(failure) => assert_failure(&failure),
    }
}

fn assert_within_limits(command: &Command) {
    match command {
        Command::Send(send) => assert!((1..=TEXT_BYTES).contains(&send.text.as_str().len())),
        Command::Topic(topic) => assert!(topic.text.as_str().len() <= TOPIC_BYTES),
        Command::Hello(hello) => assert!(hello.agent.as_str().len() <= LINE_BYTES),
        _ => {}
    }
}

fn assert_failure(failure: &Failure) {
    assert!(failure.re.as_ref().is_none_or(|re| RequestId::new(re.as_str()).is_some()));
    assert!(failure.message.as_str().len() <= LINE_BYTES);
    assert_clean_line(failure.message.as_str());
    assert_clean_line(&failure.to_string());
}

/// The same for what a server says.
pub fn event(data: &[u8]) {
    match Event::decode(data) {
        // It has no form of its own.
        Ok(Event::Unknown) => {}
        Ok(event) => {
            let json = serde_json::to_vec(&event).unwrap();
            let mut again = Event::decode(&json).unwrap();
            if let (Event::Ready(again), Event::Ready(ready)) = (&mut again, &event) {
                // JSON is read a hair less exactly than a fraction is written.
                let (one, other) = (again.limits.messages_per_second, ready.limits.messages_per_second);
                assert!((one - other).abs() <= other.abs() * 4.0 * f64::EPSILON, "{one} {other}");
                again.limits.messages_per_second = other;
            }
            assert_eq!(again, event);
            assert_all_clean(&serde_json::from_slice(&json).unwrap());
        }
        // Whoever shows this to somebody makes a line of it first.
        Err(error) => assert_clean_line(Line::lossy(&error.to_string()).as_str()),
    }
}

/// An invite is written and read as the same one, in characters that no shell or chat stumbles over; and what opens the
/// door is neither in what is printed for debugging nor in what is said of an invite that is none.
pub fn invite(data: &[u8]) {
    let Ok(raw) = std::str::from_utf8(data) else { return };
    let read = raw.parse::<Invite>();
    match &read {
        Ok(invite) => {
            let written = invite.to_string();
            assert_clean_line(&written);
            // All but the name of the host, which some write in letters of their own.
            let host = Address::Tcp { host: "h".to_owned(), port: 1 };
            let beside = match invite.address {
                Address::Tcp { .. } => Invite { address: host, ..invite.clone() }.to_string(),
                Address::Unix(_) => written.clone(),
            };
            assert!(beside.is_ascii() && !beside.contains([' ', '\'', '"', '`', '$', '\\']), "{written:?}");
            assert_eq!(written.parse::<Invite>().as_ref(), Ok(invite), "{written}");
            assert_clean_line(&invite.command());
            assert_secretive(invite);
        }
        Err(error) => assert_clean_line(&error.to_string()),
    }
    // The same again with secrets that nobody could think of, in front and at the end.
    if raw.contains("zebra") || raw.contains("canary") {
        return;
    }
    let secrets = format!("p={CANARY}&t={CANARY}");
    for with in [raw.replacen('?', &format!("?{secrets}&"), 1), format!("{raw}&{secrets}")] {
        let said = match with.parse::<Invite>() {
            // Without its `?` an invite has no secrets, and a socket may be called like one.
            Ok(_) if !raw.contains('?') => continue,
            Ok(invite) if invite.passphrase.is_none() && invite.ticket.is_none() => continue,
            Ok(invite) => format!("{invite:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(!said.contains(CANARY), "{said}");
    }
}

/// A passphrase, and what base64 makes of no ticket.
const CANARY: &str = "zebra-or-canary";

/// With another passphrase and another ticket it looks the same.
fn assert_secretive(invite: &Invite) {
    let other = Invite {
        passphrase: invite.passphrase.as_ref().map(|_| Passphrase::new("something else").unwrap()),
        ticket: invite.ticket.as_ref().map(|_| "00".repeat(16).parse().unwrap()),
        ..invite.clone()
    };
    assert_eq!(format!("{invite:?}"), format!("{other:?}"));
}

/// Whatever is an answer is written and read as the same one, is never longer than a question, and what is in it is clean;
/// nothing is both a question and an answer. The same for the bytes as a TXT record: lines of `key=value`.
pub fn announcement(data: &[u8]) {
    let asked = read_query(data);
    assert!(asked.is_none() || data.len() == DATAGRAM_BYTES);
    if let Some((nonce, said)) = read_answer(data) {
        assert!(asked.is_none() && data.len() <= DATAGRAM_BYTES);
        assert_announcement(&said, nonce);
    }
    let record = String::from_utf8_lossy(data);
    let field = |key: &str| {
        record.lines().filter_map(|line| line.split_once('=')).find(|(name, _)| *name == key).map(|(_, v)| v)
    };
    if let Some(said) = Announcement::from_txt(7878, field) {
        assert_announcement(&said, Hex([0; 8]));
    }
}

fn assert_announcement(said: &Announcement, nonce: Nonce) {
    assert!(said.name.as_str().len() <= ANNOUNCED_NAME_BYTES);
    assert_clean_line(said.name.as_str());
    let datagram = said.answer(nonce);
    assert!(datagram.len() <= DATAGRAM_BYTES, "{said:?}");
    assert_eq!(read_answer(&datagram), Some((nonce, said.clone())));
    let fields = said.to_txt();
    let field = |key: &str| fields.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str());
    assert_eq!(Announcement::from_txt(said.port, field).as_ref(), Some(said));
    // A string of a TXT record (RFC 6763, section 6.1).
    assert!(fields.iter().all(|(key, value)| key.len() + 1 + value.len() <= 255));
}

/// Nothing that could harm a terminal or a reader is left in a text, a line or a name, and to clean it once more changes
/// nothing.
pub fn text(data: &[u8]) {
    let lossy = String::from_utf8_lossy(data);
    let raw = &*lossy;

    let clean = sanitise(raw);
    assert_clean(&clean);
    assert_eq!(sanitise(&clean), clean);

    if let Ok(text) = Text::new(raw) {
        assert_clean(text.as_str());
        assert!((1..=TEXT_BYTES).contains(&text.as_str().len()));
        assert!(!text.as_str().trim().is_empty());
        assert_eq!(Text::new(text.as_str()).as_ref(), Ok(&text));
        assert_same_over_the_wire(&text);
    }

    let line = Line::lossy(raw);
    assert_clean_line(line.as_str());
    assert!(line.as_str().len() <= LINE_BYTES);
    assert_eq!(Line::lossy(line.as_str()), line);
    assert_eq!(Line::new(line.as_str()).as_ref(), Ok(&line));
    assert_same_over_the_wire(&line);

    // As a string in JSON, with everything written as it is that may be; and as JSON, if it is some.
    for json in [serde_json::to_string(raw).unwrap(), raw.to_owned()] {
        let escaped = escape_json(&json);
        assert!(!escaped.contains(is_harmful), "{escaped:?}");
        let value: Result<Value, _> = serde_json::from_str(&json);
        if let Ok(value) = value {
            assert_eq!(serde_json::from_str::<Value>(&escaped).unwrap(), value, "{escaped}");
        }
    }

    if let Ok(nick) = Nick::new(raw) {
        assert_name(nick.as_str());
        assert_eq!(Nick::new(nick.as_str()).as_ref(), Ok(&nick));
        assert_same_over_the_wire(&nick);
        let numbered = nick.numbered(7);
        assert_name(numbered.as_str());
        assert_eq!(Nick::new(numbered.as_str()).as_ref(), Ok(&numbered));
    }
    let nick = Nick::from_system(raw);
    assert_name(nick.as_str());
    assert_eq!(Nick::new(nick.as_str()).as_ref(), Ok(&nick));

    if let Ok(room) = RoomName::typed(raw) {
        let bare = room.as_str().strip_prefix('#').expect("a room begins with #");
        assert_name(bare);
        assert!(room.as_str().len() <= NAME_BYTES);
        assert_eq!(RoomName::new(room.as_str()).as_ref(), Ok(&room));
        assert_eq!(RoomName::typed(bare).as_ref(), Ok(&room));
        assert_same_over_the_wire(&room);
    }
}

fn assert_same_over_the_wire<T>(value: &T)
where
    T: Debug + PartialEq + serde::Serialize + serde::de::DeserializeOwned,
{
    let json = serde_json::to_vec(value).unwrap();
    assert_eq!(&serde_json::from_slice::<T>(&json).unwrap(), value);
}

/// A name is one word, and no part of the syntax around it.
fn assert_name(name: &str) {
    assert_clean_line(name);
    assert!((1..=NAME_BYTES).contains(&name.len()), "{name:?}");
    let syntax = |c: char| c.is_whitespace() || is_invisible(c) || "#@:/\\\"'<>&?%".contains(c);
    assert!(!name.contains(syntax), "{name:?}");
    // `.` and `..` are no names, and nobody's option begins like one.
    assert!(name.starts_with(char::is_alphanumeric), "{name:?}");
}

/// All the strings in it. Those in which people speak may have more than one line; the `id` of a command, and `re`, are
/// for the program that chose them, and are shown to nobody.
fn assert_all_clean(value: &Value) {
    match value {
        Value::String(text) => assert_clean_line(text),
        Value::Array(values) => values.iter().for_each(assert_all_clean),
        Value::Object(fields) => {
            for (name, value) in fields {
                assert_clean_line(name);
                match (name.as_str(), value) {
                    ("id" | "re", Value::String(_)) => {}
                    ("text", Value::String(text)) => assert_clean(text),
                    _ => assert_all_clean(value),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn assert_clean_line(text: &str) {
    assert_clean(text);
    assert!(!text.contains(['\n', '\t']), "{text:?}");
}

/// Harmless to a terminal and to its reader. Written from the standards, and not from the sanitiser.
fn assert_clean(text: &str) {
    let (mut marks, mut tags) = (0, None);
    for c in text.chars() {
        assert!(!is_harmful(c) || matches!(c, '\n' | '\t'), "{c:?} in {text:?}");
        // A tower on one letter; only what certainly is a mark is counted.
        marks = if matches!(c, '\u{300}'..='\u{34e}' | '\u{350}'..='\u{36f}') { marks + 1 } else { 0 };
        assert!(marks <= MARKS_ON_A_LETTER, "{text:?}");
        // Tags are letters that nobody sees: only in the flag of a region, which has few.
        tags = match c {
            '\u{1f3f4}' => Some(0),
            '\u{e0020}'..='\u{e007f}' => tags.map(|tags| tags + 1),
            _ => None,
        };
        assert!(!matches!(c, '\u{e0020}'..='\u{e007f}') || tags.is_some_and(|tags| tags < 8), "{text:?}");
    }
}

/// What no text may have: controls, other ends of a line, what turns the direction (UAX #9), what has no meaning that
/// two people share, and what shows nothing (`Default_Ignorable_Code_Point`), but for what letters and emoji are made with.
fn is_harmful(c: char) -> bool {
    let code = u32::from(c);
    let is_part_of_writing = matches!(c,
        // Joiners, marks of direction, variation selectors, tags in flags.
        '\u{200c}'..='\u{200f}' | '\u{61c}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'
        | '\u{e0020}'..='\u{e007f}');
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' | '\u{fdd0}'..='\u{fdef}')
        || code & 0xfffe == 0xfffe
        || matches!(c, '\u{fff9}'..='\u{fffb}')
        || (is_invisible(c) && !is_part_of_writing)
}

/// `Default_Ignorable_Code_Point` of Unicode 16 (DerivedCoreProperties.txt).
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
