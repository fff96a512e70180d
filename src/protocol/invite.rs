//! What one person sends another so that they can come in: `parlor://host:7878/#room?fp=…&p=…&t=…&plain`.
//!
//! It says where the parlor is and, as far as whoever made it wishes: the room, the fingerprint of the server's
//! certificate, the passphrase, a ticket. All of it is optional but the place. White space, quotes and whatever else a
//! chat, a shell or a mail might stumble over is percent-encoded (RFC 3986).
//!
//! | parameter | what it says |
//! |---|---|
//! | `fp` | the first 16 to 32 bytes of the SHA-256 of the certificate, base64url: [`Pin`] |
//! | `p` | the passphrase |
//! | `t` | a ticket, base64url: [`Ticket`] |
//! | `plain` | TCP without TLS; has no value |
//!
//! MUST: parameters that this version does not know are ignored, so that versions can live together. One that it knows
//! and cannot read, or reads twice, makes the whole invite an error: going on without it could be going
//! on without protection. An error never repeats a passphrase or a ticket.
//!
//! Everything after the `#` is a fragment, which browsers and previews of links keep to themselves.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, percent_encode};
use thiserror::Error;

use super::DEFAULT_PORT;
use super::address::{Address, AddressError, split_zone};
use super::hex::Hex;
use super::limits::INVITE_BYTES;
use super::name::{NameError, RoomName};
use super::proof::{Fingerprint, Passphrase, PassphraseError};
use super::ticket::Ticket;

/// What an invite begins with.
pub const SCHEME: &str = "parlor://";

/// All but the characters that RFC 3986 calls unreserved.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a person types after `parlor join`, or gets from somebody who is in: a place, and how to get in.
///
/// `Display` writes all of it, the passphrase and the ticket too: for those who may come in. `Debug` does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// Where the parlor is.
    pub address: Address,
    /// The room to sit down in.
    pub room: Option<RoomName>,
    /// How its certificate begins.
    pub pin: Option<Pin>,
    /// The words that open it.
    pub passphrase: Option<Passphrase>,
    /// An invitation that the server counts.
    pub ticket: Option<Ticket>,
    /// TCP without TLS.
    pub plain: bool,
}

/// An invite that could not be understood.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InviteError {
    /// Where it leads is no address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Longer than [`INVITE_BYTES`].
    #[error("an invite has at most {INVITE_BYTES} bytes")]
    TooLong,
    /// The room has a name that no room can have.
    #[error("the room of this invite: {0}")]
    Room(#[from] NameError),
    /// The passphrase cannot be one.
    #[error("p= in this invite: {0}")]
    Passphrase(#[from] PassphraseError),
    /// A parameter that cannot be read.
    #[error("{name} in this invite {wanted}: copy the invite once more, to its end")]
    Malformed {
        /// Which.
        name: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// A parameter that is there more than once.
    #[error("{0} is in this invite twice: copy the invite once more, and nothing else")]
    Repeated(&'static str),
}

impl Invite {
    /// To a place, without anything else.
    pub fn to(address: Address) -> Self {
        Self { address, room: None, pin: None, passphrase: None, ticket: None, plain: false }
    }

    /// The line that others type. The shortest that does: the address alone if there is nothing else to say, without
    /// the port if it is the usual one. Quoted for a POSIX shell where one would misread it.
    pub fn command(&self) -> String {
        let there = match &self.address {
            _ if *self != Self::to(self.address.clone()) => self.to_string(),
            Address::Tcp { host, port: DEFAULT_PORT } if !host.contains(':') => host.clone(),
            address => address.to_string(),
        };
        format!("parlor join {}", shell_word(&there))
    }

    /// The line that can be said aloud: the same place and room, without what nobody could spell, which is the
    /// fingerprint, the passphrase and the ticket. The lobby goes without saying.
    pub fn spoken(&self) -> String {
        self.spoken_after(Self::to(self.address.clone()).command())
    }

    /// The same for those who find it by something else than its address.
    pub fn spoken_at(&self, place: &str) -> String {
        self.spoken_after(format!("parlor join {}", shell_word(place)))
    }

    fn spoken_after(&self, mut line: String) -> String {
        if self.plain {
            line += " --plain";
        }
        if let Some(room) = self.room.as_ref().filter(|room| **room != RoomName::lobby()) {
            line += &format!(" --room {}", shell_word(room.as_str().trim_start_matches('#')));
        }
        line
    }

    /// Reads `fp=…&p=…` into this invite.
    fn read_parameters(&mut self, parameters: &str) -> Result<(), InviteError> {
        for parameter in parameters.split('&') {
            let (name, value) = match parameter.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (parameter, None),
            };
            match name {
                "fp" => {
                    let wanted = "is not the beginning of a fingerprint, 22 to 43 letters and digits";
                    let pin = value.and_then(Pin::parse);
                    set(&mut self.pin, "fp=", pin.ok_or(InviteError::Malformed { name: "fp=", wanted })?)?;
                }
                "p" => {
                    let words = value.and_then(|value| percent_decode_str(value).decode_utf8().ok());
                    let wanted = "is not a passphrase in UTF-8";
                    let words = words.ok_or(InviteError::Malformed { name: "p=", wanted })?;
                    set(&mut self.passphrase, "p=", Passphrase::new(&words)?)?;
                }
                "t" => {
                    let wanted = "is not a ticket, 22 letters and digits";
                    let ticket = value.and_then(parse_ticket);
                    set(
                        &mut self.ticket,
                        "t=",
                        ticket.ok_or(InviteError::Malformed { name: "t=", wanted })?,
                    )?;
                }
                "plain" if value.is_some() => {
                    return Err(InviteError::Malformed { name: "plain", wanted: "has no value" });
                }
                "plain" if self.plain => return Err(InviteError::Repeated("plain")),
                "plain" => self.plain = true,
                _ => {}
            }
        }
        Ok(())
    }
}

fn set<T>(place: &mut Option<T>, name: &'static str, value: T) -> Result<(), InviteError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(InviteError::Repeated(name)),
    }
}

impl FromStr for Invite {
    type Err = InviteError;

    /// An invite, or an address alone: `host`, `host:port`, `[v6]:port`, `unix:/path`.
    fn from_str(raw: &str) -> Result<Self, InviteError> {
        if raw.len() > INVITE_BYTES {
            return Err(InviteError::TooLong);
        }
        let Some(rest) = raw.strip_prefix(SCHEME) else {
            return Ok(Self::to(raw.parse()?));
        };
        let (authority, rest) = rest.split_at(rest.find(['/', '#', '?']).unwrap_or(rest.len()));
        let (room, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let mut invite = Self::to(address(authority)?);
        // `#room`, and also `room`, for those who forget that a room begins with `#`, or whose shell did.
        let room = room.strip_prefix('/').unwrap_or(room);
        if !matches!(room, "" | "#") {
            // What is no UTF-8 becomes a character that no name may have.
            invite.room = Some(RoomName::typed(&percent_decode_str(room).decode_utf8_lossy())?);
        }
        invite.read_parameters(parameters)?;
        Ok(invite)
    }
}

/// What stands between `parlor://` and the next `/`. The slashes in the path of a Unix socket are escaped, and so is a zone with the
/// percent sign before it (RFC 6874): `[fe80::1%25eth0]`. A zone as people write it, `[fe80::1%eth0]`, is taken too.
fn address(authority: &str) -> Result<Address, AddressError> {
    if let Some(path) = authority.strip_prefix("unix:") {
        return format!("unix:{}", percent_decode_str(path).decode_utf8_lossy()).parse();
    }
    match authority.split_once("%25") {
        Some((ip, zone)) if ip.starts_with('[') && !zone.starts_with(']') => {
            format!("{ip}%{}", percent_decode_str(zone).decode_utf8_lossy()).parse()
        }
        _ => authority.parse(),
    }
}

fn escaped(bytes: &[u8]) -> PercentEncode<'_> {
    percent_encode(bytes, ESCAPED)
}

impl fmt::Display for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Unix(path) => write!(f, "{SCHEME}unix:{}/", escaped(path.to_string_lossy().as_bytes()))?,
            tcp @ Address::Tcp { host, port } => match split_zone(host) {
                (ip, Some(zone)) => write!(f, "{SCHEME}[{ip}%25{}]:{port}/", escaped(zone.as_bytes()))?,
                (_, None) => write!(f, "{SCHEME}{tcp}/")?,
            },
        }
        let parameters: Vec<String> = [
            self.pin.map(|pin| format!("fp={pin}")),
            self.passphrase.as_ref().map(|words| format!("p={}", escaped(words.reveal().as_bytes()))),
            self.ticket.as_ref().map(|ticket| format!("t={}", URL_SAFE_NO_PAD.encode(ticket.reveal()))),
            self.plain.then(|| "plain".to_owned()),
        ]
        .into_iter()
        .flatten()
        .collect();
        match &self.room {
            Some(room) => write!(f, "#{}", escaped(&room.as_str().as_bytes()[1..]))?,
            None if parameters.is_empty() => {}
            None => f.write_str("#")?,
        }
        if parameters.is_empty() { Ok(()) } else { write!(f, "?{}", parameters.join("&")) }
    }
}

/// How the fingerprint of a certificate begins: its first 16 to 32 bytes.
///
/// Sixteen are enough, and short enough for a line: whoever wants to stand in for the server needs another
/// certificate that begins like this one, which takes 2^128 attempts. That one could make *two* certificates with the
/// same beginning in 2^64 helps nobody but the server itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// Zero after the first `length`.
    bytes: [u8; 32],
    length: usize,
}

impl Pin {
    /// Bytes of a pin, at least, and in those that this program makes.
    pub const SHORTEST: usize = 16;

    /// The first 16 bytes of a fingerprint.
    pub fn of(fingerprint: &Fingerprint) -> Self {
        let mut bytes = [0; 32];
        bytes[..Self::SHORTEST].copy_from_slice(&fingerprint.0[..Self::SHORTEST]);
        Self { bytes, length: Self::SHORTEST }
    }

    /// From base64url without padding. `None` for anything else, and for fewer than 16 or more than 32 bytes.
    pub fn parse(raw: &str) -> Option<Self> {
        let decoded = URL_SAFE_NO_PAD.decode(raw).ok()?;
        let length = decoded.len();
        let mut bytes = [0; 32];
        bytes.get_mut(..length)?.copy_from_slice(&decoded);
        (length >= Self::SHORTEST).then_some(Self { bytes, length })
    }

    /// Whether a fingerprint begins like this.
    pub fn matches(&self, fingerprint: &Fingerprint) -> bool {
        fingerprint.0.starts_with(&self.bytes[..self.length])
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(&self.bytes[..self.length]))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

/// A ticket, from base64url without padding. `None` for anything but 16 bytes of it.
fn parse_ticket(raw: &str) -> Option<Ticket> {
    let bytes = URL_SAFE_NO_PAD.decode(raw).ok()?.try_into().ok()?;
    Some(Hex(bytes).into())
}

/// A word as a person types it into a POSIX shell: as it is, or in single quotes where the shell would take it for
/// something else.
pub fn shell_word(raw: &str) -> Cow<'_, str> {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-._:/%@+,".contains(c);
    if !raw.is_empty() && raw.chars().all(harmless) {
        Cow::Borrowed(raw)
    } else {
        Cow::Owned(format!("'{}'", raw.replace('\'', r"'\''")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::limits::{PASSPHRASE_BYTES, SOCKET_PATH_BYTES};
    use proptest::prelude::*;

    fn tcp(host: &str, port: u16) -> Address {
        Address::Tcp { host: host.to_owned(), port }
    }

    fn full() -> Invite {
        Invite {
            address: tcp("host", 7878),
            room: RoomName::typed("会議室").ok(),
            pin: Some(Pin::of(&Hex([0xfb; 32]))),
            passphrase: Passphrase::new("sesame & 100% öl?").ok(),
            ticket: Some(Hex([0xff; 16]).into()),
            plain: true,
        }
    }

    const FULL: &str = "parlor://host:7878/#%E4%BC%9A%E8%AD%B0%E5%AE%A4?fp=-_v7-_v7-_v7-_v7-_v7-w\
                        &p=sesame-%26-100%25-%C3%B6l%3F&t=_____________________w&plain";

    #[test]
    fn everything_that_an_invite_can_say() {
        assert_eq!(full().to_string(), FULL);
        assert_eq!(FULL.parse(), Ok(full()));
    }

    #[test]
    fn an_invite_names_address_and_room() {
        let read = |raw: &str| {
            let invite: Invite = raw.parse().unwrap();
            (invite.address, invite.room)
        };
        let rust = RoomName::new("#rust").ok();
        assert_eq!(read("parlor://[::1]:7/#Rust"), (tcp("::1", 7), rust.clone()));
        assert_eq!(read("parlor://host/Rust"), (tcp("host", 7878), rust.clone()));
        assert_eq!(read("parlor://host/%23Rust?later=1"), (tcp("host", 7878), rust.clone()));
        assert_eq!(read("parlor://host#Rust"), (tcp("host", 7878), rust));
        for no_room in ["parlor://host/", "parlor://host", "parlor://host/#", "parlor://host/#?plain", "host"]
        {
            assert_eq!(read(no_room), (tcp("host", 7878), None), "{no_room}");
        }
        assert_eq!(read("parlor://[fe80::1%25]:7/"), (tcp("fe80::1%25", 7), None));
        assert_eq!(read("unix:/x/#a"), (Address::Unix("/x/#a".into()), None));
        for wrong in
            ["parlor://unix:/x/#a", "parlor://h/# #", "parlor://h/##a", "parlor://h/#%ff", "parlor://a@b/"]
        {
            assert!(wrong.parse::<Invite>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_zone_is_written_as_urls_write_it() {
        let zoned = Invite { plain: true, ..Invite::to(tcp("fe80::1%eth0", 7)) };
        assert_eq!(zoned.to_string(), "parlor://[fe80::1%25eth0]:7/#?plain");
        for written in [
            &*zoned.to_string(),
            "parlor://[fe80::1%eth0]:7/#?plain",
            "parlor://[FE80::1%25%65th0]:7/#?plain",
        ] {
            assert_eq!(written.parse().as_ref(), Ok(&zoned), "{written}");
        }
        // Alone it is an address, and written as people write those.
        assert_eq!(Invite::to(tcp("fe80::1%eth0", 7878)).command(), "parlor join '[fe80::1%eth0]:7878'");
        let odd = Invite { plain: true, ..Invite::to(tcp("fe80::1%é~.", 7)) };
        assert_eq!(odd.to_string().parse(), Ok(odd));
    }

    #[test]
    fn what_a_later_version_says_is_passed_over() {
        let invite: Invite = "parlor://h/#a?v=2&&later&plain&fp2=x".parse().unwrap();
        assert_eq!(
            invite,
            Invite { room: RoomName::typed("a").ok(), plain: true, ..Invite::to(tcp("h", 7878)) }
        );
    }

    #[test]
    fn what_is_wrong_is_named_and_secrets_are_not() {
        for (parameters, name) in [
            ("fp=-_v7-_v7-_v7-_v7-_v7-w&fp=-_v7-_v7-_v7-_v7-_v7-w", "fp="),
            ("fp", "fp="),
            ("fp=", "fp="),
            ("fp=-_v7-_v7-_v7-_v7-_v7", "fp="),
            ("fp=-_v7-_v7-_v7-_v7-_v7-w==", "fp="),
            // Not zero after the last byte: written in two ways, it could be told apart by no one.
            ("fp=-_v7-_v7-_v7-_v7-_v7-x", "fp="),
            ("fp=+/v7+/v7+/v7+/v7+/v7+w", "fp="),
            (&format!("fp={}", URL_SAFE_NO_PAD.encode([1; 33])), "fp="),
            ("p=topsecret&p=topsecret", "p="),
            ("p=secret", "p="),
            ("p=topsecret%ff", "p="),
            ("p", "p="),
            ("t=secret", "t="),
            ("t=secretaaaaaaaaaaaaaaA&t=secretaaaaaaaaaaaaaaA", "t="),
            ("plain=secret", "plain"),
            ("plain&plain", "plain"),
        ] {
            let error = format!("parlor://h/#a?{parameters}").parse::<Invite>().unwrap_err();
            assert!(error.to_string().starts_with(name), "{parameters}: {error}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
        let shown = format!("{:?}", full());
        assert!(!shown.contains("sesame") && !shown.contains("___") && !shown.contains("ffff"), "{shown}");
        for raw in [
            "parlor://h:x/#a?p=topsecret",
            "h/#a?p=topsecret",
            "PARLOR://h/#a?p=topsecret",
            // What is left of an invite when a shell has cut it at its `&`.
            "p=topsecret",
            "fp=-_v7-_v7-_v7-_v7-_v7-w&p=topsecret",
            "parlor://h&p=topsecret/",
        ] {
            let error = raw.parse::<Invite>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_longest_invite_is_read_again() {
        let path = format!("/{}", "é".repeat((SOCKET_PATH_BYTES - 1) / 2));
        let longest = Invite {
            address: Address::Unix(path.into()),
            room: RoomName::typed(&format!("e{}", "\u{301}\u{302}e".repeat(12))).ok(),
            pin: Pin::parse(&URL_SAFE_NO_PAD.encode([0xff; 32])),
            passphrase: Passphrase::new(&"ü".repeat(PASSPHRASE_BYTES / 2)).ok(),
            ..full()
        };
        let written = longest.to_string();
        assert_eq!(written.parse(), Ok(longest), "{} bytes", written.len());
        // Longer ones could be written and not read.
        assert!(format!("unix:/{}", "é".repeat(400)).parse::<Invite>().is_err());
    }

    #[test]
    fn an_invite_ends_somewhere() {
        let long = |length: usize| format!("parlor://h/#a?x={}", "x".repeat(length - 16));
        assert!(long(INVITE_BYTES).parse::<Invite>().is_ok());
        assert_eq!(long(INVITE_BYTES + 1).parse::<Invite>(), Err(InviteError::TooLong));
    }

    #[test]
    fn a_pin_knows_its_certificate() {
        let fingerprint: Fingerprint = Hex(std::array::from_fn(|n| u8::try_from(n).unwrap()));
        let mut other = fingerprint;
        other.0[20] = 0;
        let pin = Pin::of(&fingerprint);
        assert!(pin.matches(&fingerprint) && pin.matches(&other));
        assert_eq!(pin.to_string().len(), 22);
        let whole = Pin::parse(&URL_SAFE_NO_PAD.encode(fingerprint)).unwrap();
        assert!(whole.matches(&fingerprint) && !whole.matches(&other));
        other.0[15] = 0;
        assert!(!pin.matches(&other));
    }

    #[test]
    fn the_command_is_the_shortest_that_a_shell_takes() {
        let room = RoomName::typed("demo").ok();
        let with_room = |address| Invite { room: room.clone(), ..Invite::to(address) };
        for (invite, line) in [
            (Invite::to(tcp("10.0.0.5", 7878)), "parlor join 10.0.0.5"),
            (Invite::to(tcp("10.0.0.5", 99)), "parlor join 10.0.0.5:99"),
            (Invite::to(tcp("::1", 7878)), "parlor join '[::1]:7878'"),
            (Invite::to(Address::Unix("/run/p".into())), "parlor join unix:/run/p"),
            (Invite::to(Address::Unix("/a b's".into())), r"parlor join 'unix:/a b'\''s'"),
            (with_room(tcp("10.0.0.5", 99)), "parlor join 'parlor://10.0.0.5:99/#demo'"),
            (with_room(Address::Unix("/run/p".into())), "parlor join 'parlor://unix:%2Frun%2Fp/#demo'"),
            (Invite { plain: true, ..Invite::to(tcp("h", 7878)) }, "parlor join 'parlor://h:7878/#?plain'"),
        ] {
            assert_eq!(invite.command(), line);
        }
    }

    #[test]
    fn what_is_said_aloud_is_what_one_can_say() {
        let room = RoomName::typed("demo").ok();
        for (invite, line) in [
            (
                Invite { address: tcp("10.0.0.5", 7878), ..full() },
                "parlor join 10.0.0.5 --plain --room '会議室'",
            ),
            (Invite { plain: false, room, ..full() }, "parlor join host --room demo"),
            (Invite { plain: false, room: Some(RoomName::lobby()), ..full() }, "parlor join host"),
            (Invite::to(tcp("10.0.0.5", 99)), "parlor join 10.0.0.5:99"),
            (Invite::to(Address::Unix("/run/p".into())), "parlor join unix:/run/p"),
        ] {
            assert_eq!(invite.spoken(), line);
        }
    }

    fn addresses() -> impl Strategy<Value = Address> {
        prop_oneof![
            ("[a-z][a-z0-9.-]{0,20}", any::<u16>()).prop_map(|(host, port)| tcp(&host, port)),
            (any::<std::net::Ipv6Addr>(), any::<u16>()).prop_map(|(ip, port)| tcp(&ip.to_string(), port)),
            // Invisible characters in a path make it no address.
            "/\\PC{1,20}".prop_filter_map("an address", |path| format!("unix:{path}").parse().ok()),
        ]
    }

    prop_compose! {
        fn invites()(
            address in addresses(),
            room in proptest::option::of("[\\w.-]{1,12}"),
            pin in proptest::option::of((any::<[u8; 32]>(), Pin::SHORTEST..=32)),
            passphrase in proptest::option::of("\\PC{8,30}"),
            ticket in proptest::option::of(any::<[u8; 16]>()),
            plain in any::<bool>(),
        ) -> Invite {
            Invite {
                address,
                room: room.and_then(|room| RoomName::typed(&room).ok()),
                pin: pin.and_then(|(bytes, length)| Pin::parse(&URL_SAFE_NO_PAD.encode(&bytes[..length]))),
                passphrase: passphrase.and_then(|words| Passphrase::new(&words).ok()),
                ticket: ticket.map(|bytes| Hex(bytes).into()),
                plain,
            }
        }
    }

    proptest! {
        #[test]
        fn an_invite_is_read_as_it_was_written(invite in invites()) {
            let written = invite.to_string();
            prop_assert!(written.is_ascii() && !written.contains(['\'', '"', ' ']), "{}", written);
            prop_assert_eq!(written.parse::<Invite>(), Ok(invite), "{}", written);
        }

        #[test]
        fn anything_may_be_pasted(raw in "(parlor://)?(unix:)?[a-z:%/#?&=\\[\\]\\PC]{0,40}") {
            if let Ok(invite) = raw.parse::<Invite>() {
                prop_assert_eq!(invite.to_string().parse::<Invite>(), Ok(invite));
            }
        }
    }
}
