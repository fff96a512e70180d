//! One attempt at a connection: to the socket, and past the greeting.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::dial::{Dial, Stream};
use super::ending::Break;
use super::{Met, Secret, Trust, pake, strangers, tls, unreached};
use crate::protocol::address::Address;
use crate::protocol::command::{Command, Hello, TicketProof};
use crate::protocol::event::{AuthKind, ErrorCode, Event, Failure, Ready, Scrypt, Welcome};
use crate::protocol::frame::{Frame, FrameError, FrameReader};
use crate::protocol::invite::Pin;
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

    /// The first event. Where none comes, what answers is asked as a web server would be, so that it can be recognised.
    async fn first_event(&mut self, address: &Address) -> Result<Event, Break> {
        if let Ok(event) = timeout(strangers::FIRST_WORD_TIME, self.event()).await {
            return event;
        }
        self.out.extend_from_slice(strangers::PAGE_PLEASE);
        self.event().await?;
        // A parlor after all, to which we have just said what it cannot understand.
        Err(Break::Connect(format!("{address} took too long to greet")))
    }

    /// Puts `command` behind what is on its way out; [`Connection::next`] writes it.
    pub(in crate::client) fn say(&mut self, command: &Command) {
        self.out.extend_from_slice(&Frame::encode(command).into_bytes());
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

/// A connection that was welcomed, and over which nothing was said yet.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) welcome: Welcome,
    /// Of the certificate that was shown; `None` without TLS.
    pub(super) fingerprint: Option<Fingerprint>,
}

impl Opened {
    /// What proofs are bound to.
    pub(super) fn binding(&self) -> Binding {
        self.fingerprint.map_or(Binding::NONE, Binding::from)
    }
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
    let greeting = async |opened| greet(opened, &address, &trust, known, hello).await;
    reach(dial, &address, trust.plain, trust.pin.as_ref(), patience, greeting).await
}

/// Connects, hears the welcome, and goes on with `then`. Connecting may take `patience`, and its own limit; so may all the rest.
pub(super) async fn reach<T>(
    dial: Dial,
    address: &Address,
    plain: bool,
    pin: Option<&Pin>,
    patience: Duration,
    then: impl AsyncFnOnce(Opened) -> Result<T, Break>,
) -> Result<T, Break> {
    let socket = unreached::within(CONNECT_TIME.min(patience), address, dial(address)).await?;
    let greeting = async {
        let speaks_tls = !plain && matches!(address, Address::Tcp { .. });
        let opened = if speaks_tls {
            let (socket, heard) = strangers::overhear(socket);
            let begun = tls::begin(socket, address, pin).await;
            let (stream, fingerprint) =
                begun.map_err(|why| strangers::instead_of_tls(why, address, &heard))?;
            welcome(Box::new(stream), address, Some(fingerprint)).await?
        } else {
            welcome(socket, address, None).await?
        };
        then(opened).await
    };
    timeout(HANDSHAKE_TIME.min(patience), greeting).await.unwrap_or_else(|_| {
        let why = format!("{address} takes connections and does not greet: is it a parlor?");
        Err(Break::Connect(why))
    })
}

/// How the passphrase becomes a key here; `None` where nobody asks for one.
pub(super) fn asked(welcome: &Welcome) -> Result<Option<Scrypt>, Break> {
    match (welcome.auth.kind, welcome.auth.scrypt) {
        (AuthKind::Open, _) => Ok(None),
        (AuthKind::Passphrase, Some(asked)) => Ok(Some(asked)),
        (AuthKind::Passphrase | AuthKind::Unknown, _) => {
            let why = "this parlor asks for something that this version cannot give: use a newer parlor";
            Err(Break::Refused(Failure::new(ErrorCode::UnsupportedVersion, why)))
        }
    }
}

/// What opens a door.
struct Opener {
    salt: Salt,
    key: ProofKey,
    /// It has opened this one before, and whoever is behind it has shown then that they know it too.
    kept: bool,
}

/// What opens this door, if it has a lock and we have the words or their key.
async fn opener(
    welcome: &Welcome,
    address: &Address,
    trust: &Trust,
    known: Option<(Salt, ProofKey)>,
) -> Result<Option<Opener>, Break> {
    let Some(asked) = asked(welcome)? else { return Ok(None) };
    let kept = match &trust.secret {
        Some(Secret::Key(salt, key)) => Some((*salt, key.clone())),
        _ => known,
    };
    match (kept.filter(|(salt, _)| *salt == asked.salt), &trust.secret) {
        (Some((salt, key)), _) => Ok(Some(Opener { salt, key, kept: true })),
        // Before the work that the key is.
        (None, Some(Secret::Words(_))) if !pake::is_offered(welcome) => {
            Err(Break::Revealing(address.clone()))
        }
        (None, Some(Secret::Words(words))) => {
            let words = words.clone();
            let derive = move || ProofKey::derive(&words, &asked.salt, asked.cost);
            let key = tokio::task::spawn_blocking(derive).await.map_err(|_| Break::Quit)??;
            Ok(Some(Opener { salt: asked.salt, key, kept: false }))
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

/// Waits until the parlor has said who it is.
async fn welcome(
    socket: Box<dyn Stream>,
    address: &Address,
    fingerprint: Option<Fingerprint>,
) -> Result<Opened, Break> {
    let (socket, heard) = strangers::overhear(socket);
    let (reader, writer) = tokio::io::split(Box::new(socket) as Box<dyn Stream>);
    let reader = FrameReader::new(reader, EVENT_BYTES);
    let mut connection = Connection { reader, writer, out: BytesMut::new(), unflushed: false };
    match connection.first_event(address).await {
        Ok(Event::Welcome(welcome)) => Ok(Opened { connection, welcome, fingerprint }),
        Ok(Event::Error(failure)) => Err(Break::Refused(failure)),
        Ok(Event::Bye(bye)) => Err(Break::Bye(bye)),
        Ok(_) | Err(Break::Nonsense(_) | Break::Frame(FrameError::TooLarge { .. })) => {
            Err(strangers::instead_of_a_parlor(address, &heard))
        }
        Err(Break::Frame(FrameError::Cut)) => Err(strangers::cut_short(address, &heard)),
        Err(Break::Closed | Break::Frame(FrameError::Io(_))) => Err(strangers::hung_up(address)),
        Err(other) => Err(other),
    }
}

/// Proves what is to be proven, says who we are, and waits to be let in.
async fn greet(
    mut opened: Opened,
    address: &Address,
    trust: &Trust,
    known: Option<(Salt, ProofKey)>,
    mut hello: Hello,
) -> Result<Greeted, Break> {
    // Without TLS nothing is held to a pin.
    let pinned = opened.fingerprint.is_some() && trust.pin.is_some();
    let asks = opened.welcome.auth.kind == AuthKind::Passphrase;
    if !pinned && opened.welcome.auth.kind == AuthKind::Open && matches!(trust.secret, Some(Secret::Words(_)))
    {
        return Err(Break::Unlocked(address.clone()));
    }
    let opener = opener(&opened.welcome, address, trust, known).await?;
    // A pin alone may be from a visit to a parlor that was open, and so be anybody's. To the certificate that has shown before that it
    // knows the key, the short way gives nothing away.
    let by_pake = opener.as_ref().filter(|opener| !(pinned && opener.kept));
    if let Some(opener) = by_pake {
        pake::prove(&mut opened, address, &opener.key).await?;
    }
    let shown = opener.as_ref().filter(|_| by_pake.is_none()).map(|opener| &opener.key);
    let binding = opened.binding();
    let Opened { mut connection, welcome, fingerprint } = opened;
    let challenge = &welcome.auth.challenge;
    hello.proof = shown.map(|key| key.prove(challenge, binding));
    hello.ticket = trust
        .ticket
        .as_ref()
        .filter(|_| opener.is_none())
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
            let shown = shown.or(ticket_key.as_ref().filter(|_| asks && opener.is_none()));
            let answered =
                |key: &ProofKey| ready.proof.is_some_and(|proof| key.verify_back(challenge, binding, &proof));
            if !shown.is_none_or(answered) {
                return Err(Break::Impostor(address.clone()));
            }
            let given = ready.key.as_ref().map(|given| (given.salt, ProofKey::from_bytes(given.key.0)));
            let used = opener.map(|opener| (opener.salt, opener.key));
            let met = Met { fingerprint, key: used.or(given) };
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
