//! The first two frames of a connection: `welcome`, and `hello` or the door.

use std::net::IpAddr;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout, timeout_at};
use tracing::info;

use super::Context;
use super::hub::Entered;
use super::registry::{PersonId, Registry};
use crate::protocol;
use crate::protocol::command::{Command, Hello};
use crate::protocol::event::{Allowed, ErrorCode, Event, Failure, Ready, Reason};
use crate::protocol::event::{ServerInfo, Welcome};
use crate::protocol::frame::{Frame, FrameError, FrameReader};
use crate::protocol::limits::{
    COMMAND_BYTES, HANDSHAKE_TIME, PAGE_ENTRIES, ROOMS_PER_SESSION, STALL_TIME, TEXT_BYTES,
};
use crate::protocol::name::Nick;
use crate::protocol::proof::{Binding, Challenge};
use crate::protocol::text::Line;
use crate::protocol::time::Time;
use crate::protocol::words::Role;

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
        let hello = hello(frames).await?;
        let refused = |failure: Failure| {
            let reason = failure.reason();
            (Some(failure), reason)
        };
        if hello.proof.is_some() {
            let wait = context.door.wait(peer.from, Instant::now()).map_err(refused)?;
            // Also no time at all is a moment in which others would come as far as this, before the first has failed.
            if !wait.is_zero() {
                sleep(wait).await;
            }
        }
        let checked = context.door.check(&hello, &challenge, peer.binding, peer.from, Instant::now());
        checked.map(|()| hello).map_err(refused)
    });
    let outcome = tokio::select! {
        () = context.closing.cancelled() => Err((None, Reason::Shutdown)),
        outcome = greeting => outcome.unwrap_or_else(|_| Err(no_hello_in_time())),
    };
    let refusal = match outcome {
        Ok(hello) => {
            info!(nick = %hello.nick, agent = %hello.agent, "hello");
            enter(context, hello, peer).await.map_err(|failure| (Some(failure), Reason::Refused))
        }
        Err(refusal) => Err(refusal),
    };
    match refusal {
        Ok(entered) => {
            let ready = write(writer, &Event::Ready(Box::new(ready(context, &entered)))).await;
            if let Err((_, reason)) = ready {
                context.hub.lock().leave(entered.session);
                return Err(reason);
            }
            Ok(entered)
        }
        Err((failure, reason)) => {
            refuse(writer, failure, reason).await;
            Err(reason)
        }
    }
}

type Refusal = (Option<Failure>, Reason);

async fn hello<R: AsyncRead + Unpin>(frames: &mut FrameReader<R>) -> Result<Hello, Refusal> {
    let json = match frames.next().await {
        Ok(Some(json)) => json,
        Ok(None) | Err(FrameError::Io(_) | FrameError::Cut) => return Err((None, Reason::Gone)),
        Err(error @ FrameError::TooLarge { .. }) => {
            return Err((Some(too_large(&error)), Reason::FrameTooLarge));
        }
    };
    match Command::decode(&json) {
        Ok(Command::Hello(hello)) if hello.protocol == protocol::VERSION => Ok(hello),
        Ok(Command::Hello(hello)) => {
            let message = format!(
                "this server speaks version {} of the protocol and not {}: use a client of its time",
                protocol::VERSION,
                hello.protocol
            );
            Err((Some(Failure::new(ErrorCode::UnsupportedVersion, &message)), Reason::Refused))
        }
        Ok(Command::Bye(_)) => Err((None, Reason::Quit)),
        Ok(_) => {
            let failure = Failure::new(ErrorCode::OutOfPlace, "the first thing to say is hello");
            Err((Some(failure), Reason::ProtocolError))
        }
        Err(failure) => {
            let reason = failure.reason();
            Err((Some(failure), reason))
        }
    }
}

/// Somebody who may come in does so, as who they are: unless they are banned, or their name is another's.
async fn enter(context: &Context, hello: Hello, peer: Peer) -> Result<Entered, Failure> {
    let Hello { nick, resume, identity, .. } = hello;
    let known = identity.and_then(|identity| context.registry.lock().person_of(&identity.key));
    if let Some(ban) = context.registry.lock().banned(known, peer.from, Time::now()) {
        return Err(ban.failure());
    }
    let who = match (identity, known) {
        (Some(identity), None) => {
            let identify = move |registry: &mut Registry, now| {
                registry.identify(identity.key, now).map_err(|error| error.failure())
            };
            Some(context.registry.change(identify).await?)
        }
        (_, known) => known,
    };
    // Whoever is here on another device has their name already.
    let has_name = {
        let hub = context.hub.lock();
        let has_name = who.is_some_and(|who| hub.nick_of(who).is_some());
        let resumes = resume.is_some_and(|token| hub.is_session(&token));
        if !has_name && !resumes {
            hub.is_free(&nick, who)?;
        }
        has_name
    };
    if !has_name {
        claim(context, who, &nick).await?;
    }
    let who = who.map(|who| (who, context.registry.lock().role(who).unwrap_or(Role::Member)));
    context.hub.lock().enter(nick, resume, who, peer.address)
}

/// Whether a nick may be somebody's; from now on it is, if they have a key.
///
/// # Errors
/// `name_owned`, and what keeps the registry from writing.
pub async fn claim(context: &Context, who: Option<PersonId>, nick: &Nick) -> Result<(), Failure> {
    let Some(who) = who else {
        return match context.registry.lock().owner(nick, Time::now()) {
            None => Ok(()),
            Some(_) => {
                let message = format!("{nick} belongs to somebody who has a key: choose another nick");
                Err(Failure::new(ErrorCode::NameOwned, &message))
            }
        };
    };
    let nick = nick.clone();
    context
        .registry
        .change(move |registry, now| registry.claim(who, &nick, now).map_err(|error| error.failure()))
        .await
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
    let mut last_words = refusal(failure, reason);
    let words = async {
        writer.write_all_buf(&mut last_words).await?;
        writer.shutdown().await
    };
    drop(timeout(STALL_TIME.min(HANDSHAKE_TIME), words).await);
}

/// The frames of a refusal.
pub fn refusal(failure: Option<Failure>, reason: Reason) -> bytes::BytesMut {
    let mut bytes = bytes::BytesMut::new();
    if let Some(failure) = failure {
        protocol::frame::append(&mut bytes, &Event::Error(failure));
    }
    protocol::frame::append(&mut bytes, &Event::Bye(reason.into()));
    bytes
}

async fn write<W: AsyncWrite + Unpin>(writer: &mut W, event: &Event) -> Result<(), Refusal> {
    let mut bytes = Frame::encode(event).into_bytes();
    match timeout(HANDSHAKE_TIME, writer.write_all_buf(&mut bytes)).await {
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

fn ready(context: &Context, entered: &Entered) -> Ready {
    let limits = &context.limits;
    Ready {
        session: entered.token,
        you: entered.you.clone(),
        rooms: {
            let registry = context.registry.lock();
            context.hub.lock().list(|room| !registry.rules(room).private)
        },
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
