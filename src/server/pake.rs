//! The exchange before `hello`: somebody shows that they know the passphrase, and is told nothing before they have.

use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};

use super::Context;
use super::entrance;
use super::handshake::{Peer, Refusal, command, out_of_place, write};
use crate::protocol::command::Command;
use crate::protocol::event::{ErrorCode, Event, Failure, Reason};
use crate::protocol::frame::FrameReader;
use crate::protocol::pake::{self, Agreed, Pake, PakeMessage};
use crate::protocol::proof::Challenge;

/// Carries it out, from the client's first step on: in the end the client has shown what it knows, and then the server.
///
/// One exchange is one guess, which counts where it is seen to be wrong. A client that only fetches the server's message has
/// learned nothing by it: the message fits every passphrase.
///
/// # Errors
/// `passphrase_wrong`, `too_many_failures`, `bad_request` for what is no message, `out_of_place`; or the connection is over.
pub async fn exchange<R, W>(
    frames: &mut FrameReader<R>,
    writer: &mut W,
    context: &Context,
    challenge: &Challenge,
    peer: Peer,
    first: Pake,
) -> Result<(), Refusal>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let Pake::Message(message) = first else {
        return Err(out_of_place("the exchange begins with a message"));
    };
    let (agreed, ours) = answer(context, challenge, peer, &message)?;
    write(writer, &Event::Pake(Pake::Message(ours))).await?;
    let proof = match command(frames).await? {
        Command::Pake(Pake::Proof(proof)) => proof,
        Command::Bye(_) => return Err((None, Reason::Quit)),
        _ => return Err(out_of_place("after the message comes the proof")),
    };
    entrance::wait_for_turn(context, peer).await.map_err(refused)?;
    if !agreed.is_clients(&proof) {
        context.door.failed(peer.from, Instant::now());
        return Err(refused(entrance::wrong_passphrase()));
    }
    write(writer, &Event::Pake(Pake::Proof(agreed.server_proof()))).await
}

fn answer(
    context: &Context,
    challenge: &Challenge,
    peer: Peer,
    message: &PakeMessage,
) -> Result<(Agreed, PakeMessage), Refusal> {
    let Some((_, key)) = context.door.key() else {
        return Err(out_of_place("this parlor has no passphrase: say hello"));
    };
    // No longer than TLS takes, so it stays on this thread.
    pake::answer(&key, *challenge, peer.binding, message).map_err(|error| {
        // No client of anybody's says this by mistake.
        context.door.failed(peer.from, Instant::now());
        refused(Failure::new(ErrorCode::BadRequest, &format!("pake: {error}")))
    })
}

fn refused(failure: Failure) -> Refusal {
    let reason = failure.reason();
    (Some(failure), reason)
}
