//! One attempt at a connection: to the socket, and past the greeting.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::dial::{self, Dial, Stream};
use super::ending::Break;
use super::{Met, Secret, Trust, tls};
use crate::protocol;
use crate::protocol::address::Address;
use crate::protocol::command::{Command, Hello, TicketProof};
use crate::protocol::event::{AuthKind, ErrorCode, Event, Failure, Ready, Welcome};
use crate::protocol::frame::{FrameError, FrameReader};
use crate::protocol::limits::{EVENT_BYTES, HANDSHAKE_TIME};
use crate::protocol::proof::{Binding, Fingerprint, Identity, ProofKey, Salt};
use crate::protocol::text::Line;
use crate::protocol::ticket::Ticket;

/// How long one attempt may take to connect.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// An open connection past its handshake.
pub(in crate::client) struct Connection {
    reader: FrameReader<tokio::io::ReadHalf<Box<dyn Stream>>>,
    writer: tokio::io::WriteHalf<Box<dyn Stream>>,
    /// Said and not yet taken by the socket.
    out: BytesMut,
    /// Taken by the socket, and perhaps not handed on.
    unflushed: bool,
}

impl Connection {
    /// The socket, for one who reads and writes for itself, and what was read of it already.
    pub(in crate::client) fn into_parts(self) -> (Box<dyn Stream>, BytesMut) {
        let (read, rest) = self.reader.into_parts();
        (read.unsplit(self.writer), rest)
    }

    /// Writes what was said, and reads the next event.
    pub(in crate::client) async fn event(&mut self) -> Result<Event, Break> {
        let json = self.next().await?.ok_or(Break::Closed)?;
        Ok(Event::decode(&json)?)
    }

    /// Puts `command` behind what is on its way out; [`Connection::next`] writes it.
    pub(in crate::client) fn say(&mut self, command: &Command) {
        protocol::frame::append(&mut self.out, command);
    }

    /// Writes what was said, and reads the next frame: both at once, so that neither side ever waits
    /// for the other to read. Cancel safe.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, FrameError> {
        loop {
            let Self { reader, writer, out, unflushed } = self;
            tokio::select! {
                // First what was said, which has an end: what there is to read may have none.
                biased;
                written = write(writer, out, unflushed), if !out.is_empty() || *unflushed => written?,
                frame = reader.next() => return frame,
            }
        }
    }
}

/// Writes a part of `out`, or once there is no more flushes: TLS keeps what the system does not take at once, and hands it on only
/// when asked. Cancel safe.
async fn write<W>(writer: &mut W, out: &mut BytesMut, unflushed: &mut bool) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    if out.is_empty() {
        writer.flush().await?;
        *unflushed = false;
    } else {
        if writer.write_buf(out).await? == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        *unflushed = true;
    }
    Ok(())
}

/// A connection that was let in.
pub(in crate::client) struct Greeted {
    pub(in crate::client) connection: Connection,
    pub(in crate::client) welcome: Welcome,
    pub(super) ready: Box<Ready>,
    pub(in crate::client) met: Met,
}

/// One attempt: connects and says `hello`. Each of the two steps may take `patience`, and its own limit.
/// `known` is the key that opened the door the last time.
pub(in crate::client) async fn attempt(
    dial: Dial,
    address: Address,
    trust: Trust,
    known: Option<(Salt, ProofKey)>,
    hello: Hello,
    patience: Duration,
) -> Result<Greeted, Break> {
    let dialed = dial::within(CONNECT_TIME.min(patience), &address, dial(&address)).await;
    let socket = dialed.map_err(Break::Connect)?;
    let greeting = async {
        let speaks_tls = !trust.plain && matches!(address, Address::Tcp { .. });
        if speaks_tls {
            let (stream, fingerprint) = tls::begin(socket, &address, trust.pin.as_ref()).await?;
            greet(Box::new(stream), &address, &trust, known, hello, Some(fingerprint)).await
        } else {
            greet(socket, &address, &trust, known, hello, None).await
        }
    };
    timeout(HANDSHAKE_TIME.min(patience), greeting).await.unwrap_or_else(|_| {
        let why = format!("{address} takes connections and does not greet: is it a parlor?");
        Err(Break::Connect(why))
    })
}

/// What opens this door, if it has a lock and we have the words or their key.
async fn key_for(
    welcome: &Welcome,
    trust: &Trust,
    known: Option<(Salt, ProofKey)>,
) -> Result<Option<(Salt, ProofKey)>, Break> {
    let asked = match (welcome.auth.kind, welcome.auth.scrypt) {
        (AuthKind::Open, _) => return Ok(None),
        (AuthKind::Passphrase, Some(asked)) => asked,
        (AuthKind::Passphrase | AuthKind::Unknown, _) => {
            let why = "this parlor asks for something that this version cannot give: use a newer parlor";
            return Err(Break::Refused(Failure::new(ErrorCode::UnsupportedVersion, why)));
        }
    };
    let kept = match &trust.secret {
        Some(Secret::Key(salt, key)) => Some((*salt, key.clone())),
        _ => known,
    };
    match (kept.filter(|(salt, _)| *salt == asked.salt), &trust.secret) {
        (Some(kept), _) => Ok(Some(kept)),
        (None, Some(Secret::Words(words))) => {
            let words = words.clone();
            let derive = move || ProofKey::derive(&words, &asked.salt, asked.cost);
            let key = tokio::task::spawn_blocking(derive).await.map_err(|_| Break::Quit)??;
            Ok(Some((asked.salt, key)))
        }
        (None, _) if trust.ticket.is_some() => Ok(None),
        (None, secret) => {
            let why = match secret {
                Some(_) => "the passphrase of this parlor has changed",
                None => {
                    "this parlor has a passphrase: `parlor join` asks for it and remembers it, and scripts take --passphrase-file"
                }
            };
            Err(Break::Refused(Failure::new(ErrorCode::PassphraseNeeded, why)))
        }
    }
}

async fn greet(
    socket: Box<dyn Stream>,
    address: &Address,
    trust: &Trust,
    known: Option<(Salt, ProofKey)>,
    mut hello: Hello,
    fingerprint: Option<Fingerprint>,
) -> Result<Greeted, Break> {
    let (reader, writer) = tokio::io::split(socket);
    let reader = FrameReader::new(reader, EVENT_BYTES);
    let mut connection = Connection { reader, writer, out: BytesMut::new(), unflushed: false };
    let welcome = match connection.event().await {
        Ok(Event::Welcome(welcome)) => welcome,
        Ok(Event::Error(failure)) => return Err(Break::Refused(failure)),
        Ok(Event::Bye(bye)) => return Err(Break::Bye(bye)),
        Ok(_) | Err(Break::Nonsense(_) | Break::Frame(FrameError::TooLarge { .. } | FrameError::Cut)) => {
            return Err(Break::Connect(format!("what answers at {address} is not a parlor")));
        }
        Err(Break::Closed) => {
            let why = format!("{address} closed the connection without a greeting: is it a parlor?");
            return Err(Break::Connect(why));
        }
        Err(other) => return Err(other),
    };
    let key = key_for(&welcome, trust, known).await?;
    let asks = welcome.auth.kind == AuthKind::Passphrase;
    let challenge = &welcome.auth.challenge;
    let binding = fingerprint.map_or(Binding::NONE, Binding::from);
    hello.proof = key.as_ref().map(|(_, key)| key.prove(challenge, binding));
    hello.ticket = trust
        .ticket
        .as_ref()
        .filter(|_| hello.proof.is_none())
        .map(|ticket| TicketProof { id: ticket.id(), proof: ticket.key().prove(challenge, binding) });
    hello.identity = trust
        .identity
        .as_ref()
        .map(|pair| Identity { key: pair.public(), signature: pair.sign(challenge, binding) });
    connection.say(&Command::Hello(Box::new(hello)));
    match connection.event().await? {
        Event::Ready(ready) => {
            // Whoever does not know what we have proven is not the parlor that we were told of.
            let ticket_key = trust.ticket.as_ref().map(Ticket::key);
            let shown = key.as_ref().map(|(_, key)| key).or(ticket_key.as_ref()).filter(|_| asks);
            let answered =
                |key: &ProofKey| ready.proof.is_some_and(|proof| key.verify_back(challenge, binding, &proof));
            if !shown.is_none_or(answered) {
                return Err(Break::Impostor(address.clone()));
            }
            let given = ready.key.as_ref().map(|given| (given.salt, ProofKey::from_bytes(given.key.0)));
            let met = Met { fingerprint, key: key.or(given) };
            Ok(Greeted { connection, welcome, ready, met })
        }
        Event::Error(failure) => Err(Break::Refused(failure)),
        Event::Bye(bye) => Err(Break::Bye(bye)),
        _ => Err(Break::Nonsense(Line::lossy("no answer to hello"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::command::Ping;

    #[tokio::test]
    async fn what_was_said_is_handed_on_by_a_socket_that_keeps_it() {
        let (near, far) = tokio::io::duplex(1024);
        let socket: Box<dyn Stream> = Box::new(tokio::io::BufWriter::new(near));
        let (reader, writer) = tokio::io::split(socket);
        let reader = FrameReader::new(reader, EVENT_BYTES);
        let mut connection = Connection { reader, writer, out: BytesMut::new(), unflushed: false };
        connection.say(&Command::Ping(Ping::default()));
        let mut far = FrameReader::new(far, EVENT_BYTES);
        let heard = async {
            tokio::select! {
                heard = far.next() => heard.unwrap(),
                heard = connection.next() => panic!("{heard:?}"),
            }
        };
        let heard = timeout(Duration::from_secs(60), heard).await.expect("it was kept");
        assert_eq!(heard.unwrap(), &br#"{"type":"ping"}"#[..]);
    }
}
