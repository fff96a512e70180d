//! What is in a frame, without decoding what comes by the thousand.
//!
//! In JSON without white space the bytes `"seq":` cannot stand within a string, where the quote would be escaped, nor be one that is a
//! value, which no colon follows: wherever they are found they are a key. What is written otherwise is decoded.

use super::stamp::{Mark, Stamp};
use crate::protocol::event::{Entry, Event, Okay};

/// Bytes of a UUID as text.
pub(super) const ID_BYTES: usize = 36;

/// What a frame says, as far as it matters here.
#[derive(Debug, PartialEq)]
pub(super) enum Heard {
    /// An entry of the room, with its stamp if it is of this measurement.
    Entry(u64, Option<Stamp>),
    /// A message is stored: its id and its `seq`.
    Stored([u8; ID_BYTES], u64),
    /// Who comes and goes, which is much when many do.
    Presence,
    /// Anything else.
    Event(Box<Event>),
}

/// Looks into a frame.
///
/// # Errors
/// What is not an event.
pub(super) fn scan(json: &[u8], mark: Mark) -> Result<Heard, serde_json::Error> {
    if let Some(heard) = known(json, mark) {
        return Ok(heard);
    }
    Ok(match Event::decode(json)? {
        Event::Entry(Entry { seq, text, .. }) => {
            Heard::Entry(seq, Stamp::read(mark, text.as_str().as_bytes()))
        }
        Event::Ok(Okay { re: Some(re), seq: Some(seq), .. })
            if let Ok(id) = re.as_str().as_bytes().try_into() =>
        {
            Heard::Stored(id, seq)
        }
        other => Heard::Event(Box::new(other)),
    })
}

/// The frames that come by the thousand, in the form in which parlor writes them.
fn known(json: &[u8], mark: Mark) -> Option<Heard> {
    let rest = json.strip_prefix(br#"{"type":""#)?;
    if let Some(rest) = rest.strip_prefix(br#"message","#) {
        let behind = behind(rest, br#""seq":"#)?;
        let text = self::behind(behind, br#""text":""#).or_else(|| self::behind(rest, br#""text":""#))?;
        return Some(Heard::Entry(number(behind)?, Stamp::read(mark, text)));
    }
    if let Some(rest) = rest.strip_prefix(br#"ok","#) {
        let id = behind(rest, br#""re":""#)?.first_chunk()?;
        return Some(Heard::Stored(*id, number(behind(rest, br#""seq":"#)?)?));
    }
    rest.starts_with(br#"presence""#).then_some(Heard::Presence)
}

/// What comes behind the first `key`.
fn behind<'a, const N: usize>(json: &'a [u8], key: &[u8; N]) -> Option<&'a [u8]> {
    let at = json.windows(N).position(|window| window == key)?;
    json.get(at + N..)
}

/// The digits at the beginning.
fn number(json: &[u8]) -> Option<u64> {
    let digits = json.iter().take_while(|byte| byte.is_ascii_digit());
    let mut value: Option<u64> = None;
    for digit in digits {
        value = Some(value.unwrap_or(0).checked_mul(10)?.checked_add(u64::from(digit - b'0'))?);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::event::{EntryKind, EntryText};
    use crate::protocol::frame::Frame;
    use crate::protocol::name::{Nick, RoomName};
    use crate::protocol::time::Time;
    use uuid::Uuid;

    fn mark() -> Mark {
        Mark::random()
    }

    fn text(mark: Mark, stamp: Stamp) -> String {
        let mut text = [b'x'; 40];
        stamp.write(mark, &mut text);
        String::from_utf8(text.to_vec()).unwrap()
    }

    fn entry(text: &str) -> Event {
        Event::Entry(Entry {
            kind: EntryKind::Message,
            room: RoomName::new("#bench-0").unwrap(),
            seq: 1234,
            id: Uuid::now_v7(),
            at: Time::now(),
            from: Nick::new("bench-7").unwrap(),
            text: EntryText::from_stored(text),
            action: false,
            reply_to: Some(77),
            author: None,
            target: None,
            off: false,
            now: None,
        })
    }

    #[test]
    fn what_the_server_writes_is_found_without_decoding() {
        let (mark, stamp) = (mark(), Stamp { at: 987_654_321, counted: true });
        let json = Frame::encode(&entry(&text(mark, stamp))).json();
        assert_eq!(known(&json, mark), Some(Heard::Entry(1234, Some(stamp))));
        let id = Uuid::now_v7();
        let okay = Okay { re: Some(id.into()), seq: Some(42), ..Okay::default() };
        let json = Frame::encode(&Event::Ok(okay)).json();
        let id: [u8; ID_BYTES] = id.to_string().as_bytes().try_into().unwrap();
        assert_eq!(known(&json, mark), Some(Heard::Stored(id, 42)));
        let news = br##"{"type":"presence","room":"#a","here":2}"##;
        assert_eq!(known(news, mark), Some(Heard::Presence));
    }

    #[test]
    fn white_space_and_another_order_of_fields_change_nothing() {
        let (mark, stamp) = (mark(), Stamp { at: 5, counted: false });
        let value = serde_json::to_value(entry(&text(mark, stamp))).unwrap();
        for json in [serde_json::to_string_pretty(&value).unwrap(), value.to_string()] {
            assert_eq!(scan(json.as_bytes(), mark).unwrap(), Heard::Entry(1234, Some(stamp)), "{json}");
        }
        let id = Uuid::now_v7();
        let json = format!(r#"{{ "seq": 3, "re": "{id}", "type": "ok" }}"#);
        let id: [u8; ID_BYTES] = id.to_string().as_bytes().try_into().unwrap();
        assert_eq!(scan(json.as_bytes(), mark).unwrap(), Heard::Stored(id, 3));
    }

    #[test]
    fn a_text_cannot_pass_for_a_field() {
        let mark = mark();
        for said in [r#""seq":99"#, r#"{"type":"ok","seq":1}"#, "seq", r#"\"seq\":"#, r#"","text":""#] {
            let json = Frame::encode(&entry(said)).json();
            assert_eq!(scan(&json, mark).unwrap(), Heard::Entry(1234, None), "{said}");
        }
        assert!(scan(b"{", mark).is_err());
    }

    #[test]
    fn numbers_end_where_they_end() {
        assert_eq!((number(b"12,"), number(b"0}"), number(b"x")), (Some(12), Some(0), None));
        assert_eq!(number(b"99999999999999999999"), None);
    }
}
