//! What answers at an address and is no parlor, or not one that is spoken to rightly: recognised by the first that it says.
//!
//! A parlor speaks first, and so do most of the others. Web servers wait until they are spoken to, as do those who give back
//! what they hear: one that has said nothing for [`FIRST_WORD_TIME`] is asked for a page, and what it says to that is looked at. A
//! parlor never needs so long; one that does is tried again later.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::ending::Break;
use crate::protocol;
use crate::protocol::address::Address;
use crate::protocol::text::Line;

/// Bytes that are kept of what is heard first: enough for a banner, and for the version in a `welcome`.
const KEPT: usize = 96;

/// How long one may say nothing before it is asked for a page. Less than the handshake may take, so that there is time to answer.
pub(super) const FIRST_WORD_TIME: Duration = Duration::from_secs(7);

/// What a web server answers, whichever it is. It says nothing of who asks.
pub(super) const PAGE_PLEASE: &[u8] = b"GET / HTTP/1.0\r\n\r\n";

/// Characters of what a stranger says that are repeated to the person.
const QUOTED: usize = 40;

/// A connection of which the first is kept that is heard.
pub(super) struct Overheard<S> {
    inner: S,
    /// How much more is to be kept. Nothing is locked any more when that is nothing.
    missing: usize,
    heard: Heard,
}

/// The first that was heard, at most [`KEPT`] bytes.
#[derive(Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes().len())
    }
}

/// Keeps the first that is heard on `inner`.
pub(super) fn overhear<S>(inner: S) -> (Overheard<S>, Heard) {
    let heard = Heard::default();
    (Overheard { inner, missing: KEPT, heard: heard.clone() }, heard)
}

impl<S: AsyncRead + Unpin> AsyncRead for Overheard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        if self.missing > 0 {
            let new = buf.filled().get(before..).unwrap_or_default();
            let new = new.get(..self.missing).unwrap_or(new);
            self.missing -= new.len();
            self.heard.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(new);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Overheard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// Who answers, by the first that it says.
#[derive(Debug, PartialEq, Eq)]
enum Stranger {
    /// A server of another kind.
    Of(&'static str),
    /// Gives back what it hears.
    Echo,
    /// Speaks TLS, and is spoken to without.
    Tls,
    /// A parlor, which speaks no TLS.
    Plain,
    /// A parlor of another version of the protocol.
    Version(u32),
    /// Whatever else; what it says, if that can be read.
    Unknown(Option<Line>),
}

/// What servers say first, and what they are then.
const BANNERS: [(&[u8], &str); 14] = [
    (b"HTTP/", "a web server"),
    (b"<!DOCTYPE", "a web server"),
    (b"<html", "a web server"),
    (b"SSH-", "an SSH server"),
    (b"220", "a mail or FTP server"),
    (b"+OK", "a mail server"),
    (b"* OK", "a mail server"),
    (b"RFB ", "a screen that is shared (VNC)"),
    (b"NOTICE ", "an IRC server"),
    (b"-ERR", "a Redis server"),
    (b"-DENIED", "a Redis server"),
    (b"INFO {", "a NATS server"),
    (b"AMQP", "a message broker (AMQP)"),
    (b"@RSYNCD", "an rsync server"),
];

/// The record types of TLS (RFC 8446, section 5.1), and the message that a client begins with (section 4).
const TLS_ALERT: u8 = 21;
const TLS_HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;

/// Bytes before which TLS cannot tell that it is spoken to in another language.
const TLS_HEADER: usize = 5;

/// Bytes before the JSON of a frame.
const LENGTH: usize = protocol::frame::HEADER;

fn recognise(first: &[u8]) -> Stranger {
    if let Some((_, name)) = BANNERS.iter().find(|(banner, _)| first.starts_with(banner)) {
        return Stranger::Of(match *name {
            _ if first.starts_with(b"220") && contains(first, b"FTP") => "an FTP server",
            _ if first.starts_with(b"220") && contains(first, b"SMTP") => "a mail server",
            name => name,
        });
    }
    if first.starts_with(b":") && contains(first, b" NOTICE ") {
        return Stranger::Of("an IRC server");
    }
    if first.starts_with(PAGE_PLEASE.get(..14).unwrap_or(PAGE_PLEASE)) {
        return Stranger::Echo;
    }
    match first {
        [TLS_HANDSHAKE, 3, _, _, _, CLIENT_HELLO, ..] => return Stranger::Echo,
        [TLS_ALERT | TLS_HANDSHAKE, 3, ..] => return Stranger::Tls,
        _ => {}
    }
    let json = first.get(LENGTH..).unwrap_or_default();
    if json.starts_with(b"{") && contains(json, br#""type":"welcome""#) {
        return match version(json) {
            Some(version) if version != protocol::VERSION => Stranger::Version(version),
            _ => Stranger::Plain,
        };
    }
    Stranger::Unknown(readable(first))
}

fn contains(first: &[u8], word: &[u8]) -> bool {
    first.windows(word.len()).any(|window| window == word)
}

/// The version that a `welcome` names near its beginning.
fn version(json: &[u8]) -> Option<u32> {
    let json = String::from_utf8_lossy(json);
    let (_, rest) = json.split_once(r#""protocol":"#)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The first line of it, if it is one that a person can read.
fn readable(first: &[u8]) -> Option<Line> {
    let text = String::from_utf8_lossy(first);
    let line: String = text.lines().next()?.chars().take(QUOTED).collect();
    let is_text = |c: char| c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric();
    (line.chars().filter(char::is_ascii_graphic).count() > 1 && line.chars().all(is_text))
        .then(|| Line::lossy(line.trim()))
}

/// Why there is no talking to what answers at `address`, given what was heard of it.
pub(super) fn instead_of_a_parlor(address: &Address, heard: &Heard) -> Break {
    let no_parlor = format!("what answers at {address} is not a parlor");
    let check = match address {
        Address::Tcp { .. } => {
            format!("check the address and the port, which is {} for most parlors", protocol::DEFAULT_PORT)
        }
        Address::Unix(_) => "check the path".to_owned(),
    };
    Break::Hopeless(match recognise(&heard.bytes()) {
        Stranger::Of(name) => format!("{no_parlor} but {name}: {check}"),
        Stranger::Echo => format!("{no_parlor} but gives back what it is told: {check}"),
        Stranger::Tls => format!("{no_parlor}, or is one that speaks TLS: leave out --plain, or {check}"),
        Stranger::Version(version) => format!(
            "the parlor at {address} speaks version {version} of the protocol, and this program version {}: \
             use the newer one on both sides",
            protocol::VERSION
        ),
        Stranger::Unknown(Some(says)) => format!("{no_parlor}, it says \"{says}\": {check}"),
        // One that begins as a parlor does and goes on otherwise is none either.
        Stranger::Plain | Stranger::Unknown(None) => format!("{no_parlor}: {check}"),
    })
}

/// One that closed the connection, or lost it, before it has greeted.
pub(super) fn hung_up(address: &Address) -> Break {
    Break::Connect(format!("{address} closed the connection without a greeting: is it a parlor?"))
}

/// One that did so in the middle of a frame. A parlor that was ended or cut off may have; a banner has ended as it should.
pub(super) fn cut_short(address: &Address, heard: &Heard) -> Break {
    match recognise(&heard.bytes()) {
        Stranger::Plain | Stranger::Unknown(None) => hung_up(address),
        _ => instead_of_a_parlor(address, heard),
    }
}

/// Why TLS did not begin: what was heard says more than `why`, unless it is TLS, or too little.
pub(super) fn instead_of_tls(why: Break, address: &Address, heard: &Heard) -> Break {
    let first = heard.bytes();
    if first.is_empty() || matches!(why, Break::Stranger { .. }) {
        return why;
    }
    match recognise(&first) {
        Stranger::Tls => why,
        Stranger::Unknown(None) if first.len() < TLS_HEADER => why,
        Stranger::Plain => Break::Hopeless(format!(
            "the parlor at {address} speaks no TLS, so whoever is on the way can read along: \
             if its host says that this is meant so, join it with --plain"
        )),
        _ => instead_of_a_parlor(address, heard),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[test]
    fn whoever_speaks_first_is_known_by_it() {
        for (first, stranger) in [
            (&b"HTTP/1.1 400 Bad Request\r\n"[..], Stranger::Of("a web server")),
            (b"SSH-2.0-OpenSSH_9.6\r\n", Stranger::Of("an SSH server")),
            (b"220 mail.example ESMTP Postfix\r\n", Stranger::Of("a mail server")),
            (b"220 (vsFTPd 3.0.5)\r\n", Stranger::Of("an FTP server")),
            (b"220 welcome\r\n", Stranger::Of("a mail or FTP server")),
            (b":irc.example NOTICE * :*** Looking up", Stranger::Of("an IRC server")),
            (PAGE_PLEASE, Stranger::Echo),
            (&[22, 3, 1, 2, 0, 1, 0], Stranger::Echo),
            (&[22, 3, 3, 0, 122, 2, 0], Stranger::Tls),
            (&[21, 3, 1, 0, 2, 2, 70], Stranger::Tls),
            (b"\0\0\x02\0{\"type\":\"welcome\",\"protocol\":1,\"server", Stranger::Plain),
            (b"\0\0\x02\0{\"type\":\"welcome\",\"protocol\":2,\"server", Stranger::Version(2)),
            (b"hello there\nand more", Stranger::Unknown(Some(Line::lossy("hello there")))),
            (b"\x1b[2Jgone", Stranger::Unknown(None)),
            (b"\0\0\0\x02{}", Stranger::Unknown(None)),
            (b"", Stranger::Unknown(None)),
        ] {
            assert_eq!(recognise(first), stranger, "{}", String::from_utf8_lossy(first));
        }
    }

    #[test]
    fn any_cut_of_a_beginning_is_looked_at_without_harm() {
        for whole in [PAGE_PLEASE, b"220 FTP", b"\0\0\x02\0{\"type\":\"welcome\",\"protocol\":99999999999"] {
            for end in 0..=whole.len() {
                recognise(&whole[..end]);
            }
        }
    }

    #[test]
    fn a_parlor_that_is_cut_off_in_its_greeting_is_tried_again() {
        let address: Address = "lab".parse().unwrap();
        let welcome = b"\0\0\x02\0{\"type\":\"welcome\",\"protocol\":1,\"server\":{";
        let heard = |first: &[u8]| Heard(Arc::new(Mutex::new(first.to_vec())));
        for cut in 1..welcome.len() {
            let why = cut_short(&address, &heard(&welcome[..cut]));
            assert!(matches!(why, Break::Connect(_)), "{cut}: {why}");
        }
        let why = cut_short(&address, &heard(b"SSH-2.0-x\r\n"));
        assert!(matches!(why, Break::Hopeless(_)), "{why}");
        let why = instead_of_tls(hung_up(&address), &address, &heard(&welcome[..3]));
        assert!(matches!(why, Break::Connect(_)), "{why}");
    }

    #[tokio::test]
    async fn the_first_is_kept_and_the_rest_only_passed_on() {
        let (mut near, far) = tokio::io::duplex(1024);
        let (mut overheard, heard) = overhear(far);
        near.write_all(&[7; KEPT - 1]).await.unwrap();
        near.write_all(&[8; 100]).await.unwrap();
        drop(near);
        let mut all = Vec::new();
        overheard.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), KEPT + 99);
        assert_eq!(heard.bytes(), all[..KEPT]);
    }
}
