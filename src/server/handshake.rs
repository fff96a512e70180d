//! The first two frames of a connection: `welcome`, and `hello` or the door.

use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{timeout, timeout_at};
use tracing::info;

use super::Context;
use super::direct;
use super::entrance::{self, Inside};
use super::hub::Entered;
use super::live::Live;
use super::pake;
use crate::protocol;
use crate::protocol::command::{Command, Hello};
use crate::protocol::event::{Allowed, DoorKey, ErrorCode, Event, Failure, Ready, Reason};
use crate::protocol::event::{RoomInfo, ServerInfo, Welcome};
use crate::protocol::frame::{Frame, FrameError, FrameReader};
use crate::protocol::hex::Hex;
use crate::protocol::limits::{
    COMMAND_BYTES, HANDSHAKE_TIME, PAGE_ENTRIES, ROOMS_PER_SESSION, STALL_TIME, TEXT_BYTES,
};
use crate::protocol::proof::{Binding, Challenge};
use crate::protocol::text::Line;
use crate::protocol::time::Time;

/// Who is at the other end, as far as the socket tells.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// From where; `None` on a Unix socket.
    pub address: Option<IpAddr>,
    /// The address, or the customer's block of addresses.
    pub from: Option<IpAddr>,
    /// What proofs are bound to.
    pub binding: Binding,
    /// When the time for the handshake is over.
    pub deadline: tokio::time::Instant,
}

/// Greets, listens, and lets in. Whoever is not let in has been told why when this returns.
///
/// # Errors
/// The reason for which the connection is over.
pub async fn run<R, W>(
    frames: &mut FrameReader<R>,
    writer: &mut W,
    context: &Context,
    peer: Peer,
) -> Result<Entered, Reason>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let greeting = timeout_at(peer.deadline, async {
        let challenge = Challenge::random().map_err(|_| (None, Reason::Storage))?;
        write(writer, &Event::Welcome(welcome(context, challenge))).await?;
        let mut proven = false;
        let hello = loop {
            match command(frames).await? {
                Command::Hello(hello) => break current(*hello)?,
                Command::Pake(step) if !proven => {
                    pake::exchange(frames, writer, context, &challenge, peer, step).await?;
                    proven = true;
                }
                Command::Bye(_) => return Err((None, Reason::Quit)),
                _ => return Err(out_of_place("the first thing to say is hello")),
            }
        };
        info!(nick = %hello.nick, agent = ?hello.agent.as_str(), "hello");
        let admitted = entrance::admit(context, hello, &challenge, peer, proven).await;
        admitted.map_err(|failure| {
            let reason = failure.reason();
            (Some(failure), reason)
        })
    });
    let outcome = tokio::select! {
        biased;
        () = context.closing.cancelled() => Err((None, Reason::Shutdown)),
        outcome = greeting => outcome.unwrap_or_else(|_| Err(no_hello_in_time())),
    };
    let refusal = match outcome {
        Ok(admitted) => {
            entrance::enter(context, admitted, peer).await.map_err(|failure| (Some(failure), Reason::Refused))
        }
        Err(refusal) => Err(refusal),
    };
    match refusal {
        Ok(inside) => {
            let direct = direct::list(context, inside.entered.session).await;
            let ready = Box::new(ready(context, &inside, direct, peer.binding));
            if let Err((_, reason)) = write(writer, &Event::Ready(ready)).await {
                context.hub.lock().leave(inside.entered.session);
                return Err(reason);
            }
            Ok(inside.entered)
        }
        Err((failure, reason)) => {
            refuse(writer, failure, reason).await;
            Err(reason)
        }
    }
}

/// Why somebody is not let in: what to tell them, and for which reason the connection is over.
pub type Refusal = (Option<Failure>, Reason);

/// The next command of somebody who is not in yet.
///
/// # Errors
/// The connection is over, or what came is no command.
pub async fn command<R: AsyncRead + Unpin>(frames: &mut FrameReader<R>) -> Result<Command, Refusal> {
    let json = match frames.next().await {
        Ok(Some(json)) => json,
        Ok(None) | Err(FrameError::Io(_) | FrameError::Cut) => return Err((None, Reason::Gone)),
        Err(error @ FrameError::TooLarge { .. }) => {
            return Err((Some(too_large(&error)), Reason::FrameTooLarge));
        }
    };
    Command::decode(&json).map_err(|failure| {
        let reason = failure.reason();
        (Some(failure), reason)
    })
}

/// A `hello` of our version.
fn current(hello: Hello) -> Result<Hello, Refusal> {
    if hello.protocol == protocol::VERSION {
        return Ok(hello);
    }
    let message = format!(
        "this server speaks version {} of the protocol and not {}: use a client of its time",
        protocol::VERSION,
        hello.protocol
    );
    Err((Some(Failure::new(ErrorCode::UnsupportedVersion, &message)), Reason::Refused))
}

/// What was said makes no sense at this point of the handshake.
pub fn out_of_place(why: &str) -> Refusal {
    (Some(Failure::new(ErrorCode::OutOfPlace, why)), Reason::ProtocolError)
}

/// The error for a frame that announces too much.
pub fn too_large(error: &FrameError) -> Failure {
    Failure::new(ErrorCode::FrameTooLarge, &error.to_string())
}

fn no_hello_in_time() -> Refusal {
    let message = format!("no hello within {} s", HANDSHAKE_TIME.as_secs());
    (Some(Failure::new(ErrorCode::HandshakeTimeout, &message)), Reason::HandshakeTimeout)
}

/// Says no: an error if there is one to tell, and `bye`. A peer that does not even take that is left.
pub async fn refuse<W: AsyncWrite + Unpin>(writer: &mut W, failure: Option<Failure>, reason: Reason) {
    let last_words = refusal(failure, reason);
    let words = async {
        writer.write_all(&last_words).await?;
        writer.shutdown().await
    };
    drop(timeout(STALL_TIME.min(HANDSHAKE_TIME), words).await);
}

/// The frames of a refusal.
pub fn refusal(failure: Option<Failure>, reason: Reason) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(failure) = failure {
        protocol::frame::append(&mut bytes, &Event::Error(failure));
    }
    protocol::frame::append(&mut bytes, &Event::Bye(reason.into()));
    bytes
}

/// Says one thing to somebody who is not in yet.
///
/// # Errors
/// They are gone, or take nothing.
pub async fn write<W: AsyncWrite + Unpin>(writer: &mut W, event: &Event) -> Result<(), Refusal> {
    let mut bytes = Frame::encode(event).into_bytes();
    let said = async {
        writer.write_all_buf(&mut bytes).await?;
        writer.flush().await
    };
    match timeout(HANDSHAKE_TIME, said).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err((None, Reason::Gone)),
        Err(_) => Err((None, Reason::Stalled)),
    }
}

fn welcome(context: &Context, challenge: Challenge) -> Welcome {
    Welcome {
        protocol: protocol::VERSION,
        server: ServerInfo {
            name: Line::lossy(&context.name),
            version: Line::lossy(env!("CARGO_PKG_VERSION")),
            id: context.id,
        },
        auth: context.door.asks(challenge),
        now: Time::now(),
    }
}

fn ready(context: &Context, inside: &Inside, direct: Vec<RoomInfo>, binding: Binding) -> Ready {
    let Live { limits, motd } = context.live.borrow().clone();
    Ready {
        session: inside.entered.token,
        you: inside.entered.you.clone(),
        author: inside.entered.author,
        direct,
        rooms: {
            let registry = context.registry.lock();
            context.hub.lock().list(|room| !registry.rules(room).private)
        },
        ignored: inside.ignored.clone(),
        proof: inside.proof,
        // Not where somebody on the way could read it.
        key: context
            .door
            .key()
            .filter(|_| inside.by_ticket && binding != Binding::NONE)
            .map(|(salt, key)| DoorKey { salt, key: Hex(*key.as_bytes()) }),
        motd,
        limits: Allowed {
            text_bytes: TEXT_BYTES,
            frame_bytes: COMMAND_BYTES,
            message_burst: if limits.messages_per_second > 0.0 { limits.message_burst } else { 0 },
            messages_per_second: limits.messages_per_second,
            page_entries: PAGE_ENTRIES,
            rooms_per_session: ROOMS_PER_SESSION,
        },
    }
}
