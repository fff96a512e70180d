//! What a parlor tells the network of itself: as the TXT record of a service (DNS-SD, RFC 6763) and in datagrams.
//!
//! Datagrams are for networks on which multicast DNS does not work. One side sends a [`query`] to the whole network at UDP port
//! [`DISCOVERY_PORT`], and each parlor answers whoever asked. A query is as long as the longest answer, so that nobody can have
//! a parlor send more to a third party than they send themselves.
//!
//! Nothing here is proven: anybody can announce anything. It says where to ask; the certificate and the passphrase say whom
//! one has found.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::hex::Hex;
use super::proof::Fingerprint;
use super::text::Line;

/// The type of service that parlors announce.
pub const SERVICE: &str = "_parlor._tcp.local.";

/// Where datagrams ask for parlors, whatever the port that these accept connections at.
pub const DISCOVERY_PORT: u16 = 7878;

/// Bytes of a name that is announced: a label of DNS holds no more (RFC 1035, section 2.3.4).
pub const ANNOUNCED_NAME_BYTES: usize = 63;

/// Bytes of a query, and of an answer at most. Far below what any network cuts in pieces.
pub const DATAGRAM_BYTES: usize = 512;

const QUESTION: &[u8; 8] = b"parlor?1";
const ANSWER: &[u8; 8] = b"parlor!1";
/// The version of the fields below.
const VERSION: &str = "1";

/// Ties an answer to its question.
pub type Nonce = Hex<8>;

/// What a parlor says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// Of its log, as `welcome` has it: one parlor, however many networks and ways it is heard on.
    pub id: Uuid,
    /// What it is called.
    #[serde(deserialize_with = "short_name")]
    pub name: Line,
    /// The TCP port at which it accepts connections.
    pub port: u16,
    /// How many people were there when it was said.
    pub people: u32,
    /// Whether it lets in everyone, without a passphrase.
    pub open: bool,
    /// The SHA-256 of its certificate; `None`: TCP without TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
}

impl Announcement {
    /// The fields of its TXT record, in their order.
    pub fn to_txt(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("txtvers", VERSION.to_owned()),
            ("id", self.id.to_string()),
            ("name", shortened(&self.name).as_str().to_owned()),
            ("people", self.people.to_string()),
            ("open", if self.open { "1" } else { "0" }.to_owned()),
        ];
        fields.extend(self.fingerprint.map(|fingerprint| ("fp", fingerprint.to_string())));
        fields
    }

    /// Reads a TXT record by its fields. `None`: not of a parlor, or of a version that is not ours.
    pub fn from_txt<'a>(port: u16, field: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        if field("txtvers") != Some(VERSION) || port == 0 {
            return None;
        }
        Some(Self {
            id: field("id")?.parse().ok()?,
            name: shortened(&Line::lossy(field("name").unwrap_or_default())),
            port,
            people: field("people").and_then(|people| people.parse().ok()).unwrap_or_default(),
            open: field("open") == Some("1"),
            // What is there and is no fingerprint is not the same as TCP without TLS.
            fingerprint: field("fp").map(str::parse).transpose().ok()?,
        })
    }

    /// The datagram that answers a query.
    pub fn answer(&self, nonce: Nonce) -> Vec<u8> {
        let said = Self { name: shortened(&self.name), ..self.clone() };
        let mut datagram = [&ANSWER[..], nonce.as_ref()].concat();
        // Numbers, digits and a name: there is nothing in it that JSON could not say.
        datagram.extend(serde_json::to_vec(&said).unwrap_or_default());
        datagram
    }
}

/// A question to all parlors of a network.
pub fn query(nonce: Nonce) -> [u8; DATAGRAM_BYTES] {
    let mut datagram = [0; DATAGRAM_BYTES];
    datagram[..8].copy_from_slice(QUESTION);
    datagram[8..16].copy_from_slice(nonce.as_ref());
    datagram
}

/// What a datagram asks, if it is a whole query.
pub fn read_query(datagram: &[u8]) -> Option<Nonce> {
    let rest = datagram.strip_prefix(QUESTION).filter(|_| datagram.len() == DATAGRAM_BYTES)?;
    Some(Hex(*rest.first_chunk()?))
}

/// The answer in a datagram, and to which question.
pub fn read_answer(datagram: &[u8]) -> Option<(Nonce, Announcement)> {
    let rest = datagram.strip_prefix(ANSWER).filter(|_| datagram.len() <= DATAGRAM_BYTES)?;
    let (nonce, json) = rest.split_first_chunk()?;
    let said: Announcement = serde_json::from_slice(json).ok()?;
    (said.port != 0).then_some((Hex(*nonce), said))
}

/// The beginning of a name, as much of it as is announced.
fn shortened(name: &Line) -> Line {
    let name = name.as_str();
    Line::lossy(&name[..name.floor_char_boundary(ANNOUNCED_NAME_BYTES)])
}

fn short_name<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Line, D::Error> {
    Ok(shortened(&Line::lossy(&String::deserialize(deserializer)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parlor(name: &str) -> Announcement {
        Announcement {
            id: Uuid::from_u128(7),
            name: Line::lossy(name),
            port: 7878,
            people: 3,
            open: false,
            fingerprint: Some(Hex([9; 32])),
        }
    }

    fn by_txt(said: &Announcement) -> Option<Announcement> {
        let fields = said.to_txt();
        Announcement::from_txt(said.port, |key| {
            fields.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str())
        })
    }

    #[test]
    fn what_is_said_is_read_in_both_ways() {
        for said in [parlor("lab"), Announcement { fingerprint: None, open: true, ..parlor("") }] {
            assert_eq!(by_txt(&said).as_ref(), Some(&said));
            let datagram = said.answer(Hex([1; 8]));
            assert_eq!(read_answer(&datagram), Some((Hex([1; 8]), said)));
        }
        assert_eq!(read_query(&query(Hex([5; 8]))), Some(Hex([5; 8])));
    }

    #[test]
    fn an_answer_is_never_longer_than_its_question() {
        // The worst that JSON does to a name.
        let said = Announcement { port: u16::MAX, people: u32::MAX, ..parlor(&"\"".repeat(500)) };
        assert!(said.answer(Hex([1; 8])).len() <= DATAGRAM_BYTES);
        // A question that is cut short is none.
        assert_eq!(read_query(&query(Hex([5; 8]))[..DATAGRAM_BYTES - 1]), None);
    }

    #[test]
    fn what_anybody_may_announce_does_nothing_to_a_terminal() {
        let said = parlor("a");
        let mut fields = said.to_txt();
        fields[2].1 = format!("\u{1b}[2J\u{202e}{}", "x".repeat(4_000));
        let read = Announcement::from_txt(1, |key| {
            fields.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str())
        });
        let name = read.unwrap().name;
        assert!(
            name.as_str().len() <= ANNOUNCED_NAME_BYTES && !name.as_str().contains(['\u{1b}', '\u{202e}'])
        );
    }

    #[test]
    fn what_is_not_of_a_parlor_is_nothing() {
        for (key, value) in [("txtvers", "2"), ("id", "x"), ("fp", "00")] {
            let mut fields = parlor("a").to_txt();
            for field in &mut fields {
                if field.0 == key {
                    value.clone_into(&mut field.1);
                }
            }
            let read = Announcement::from_txt(1, |key| {
                fields.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str())
            });
            assert_eq!(read, None, "{key}");
        }
        assert_eq!(by_txt(&Announcement { port: 0, ..parlor("a") }), None);
    }

    proptest! {
        #[test]
        fn no_datagram_is_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..600), answer: bool) {
            let whole = [if answer { &ANSWER[..] } else { &[] }, &bytes].concat();
            drop(read_answer(&whole));
            prop_assert_eq!(read_query(&whole), None);
        }
    }
}
