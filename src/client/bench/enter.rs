//! Coming in: one connection past the door and into its room.

use std::sync::Arc;

use bytes::BytesMut;
use tokio::time::Duration;

use crate::client::link::{Break, Config, Met, Stream, attempt, dial};
use crate::protocol;
use crate::protocol::command::{Command, Hello, Join, RequestId};
use crate::protocol::event::{ErrorCode, Event, Welcome};
use crate::protocol::name::{Nick, RoomName};

/// How long a connection may take in each step: as long as the link's own limits allow.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection that sits in its room.
pub(super) struct Seated {
    pub(super) socket: Box<dyn Stream>,
    /// What was read of it and not looked at.
    pub(super) rest: BytesMut,
    /// The `seq` of the last entry before it came.
    pub(super) last: u64,
}

/// The name of a room.
pub(super) fn room_name(number: usize) -> Result<RoomName, String> {
    RoomName::new(&format!("#bench-{number}")).map_err(|error| error.to_string())
}

/// Connects as a guest, and joins. Also says what was met.
pub(super) async fn enter(
    config: &Config,
    number: usize,
    room: RoomName,
) -> Result<(Seated, Welcome, Met), Break> {
    let nick = Nick::new(&format!("bench-{number}")).map_err(|error| Break::Connect(error.to_string()))?;
    let hello = Hello {
        protocol: protocol::VERSION,
        nick,
        resume: None,
        proof: None,
        ticket: None,
        identity: None,
        apart: false,
        agent: config.agent.clone(),
    };
    let greeted =
        attempt(Arc::new(dial), config.address.clone(), config.trust.clone(), None, hello, PATIENCE).await?;
    let mut connection = greeted.connection;
    // What was said here before is not wanted.
    let join = Join { id: RequestId::new("join"), room, after: 0, limit: Some(0), words: None };
    connection.say(&Command::Join(join));
    loop {
        match connection.event().await? {
            Event::Ok(okay) => {
                let last = okay.room.map_or(0, |info| info.last);
                let (socket, rest) = connection.into_parts();
                return Ok((Seated { socket, rest, last }, greeted.welcome, greeted.met));
            }
            Event::Error(failure) => return Err(Break::Refused(failure)),
            Event::Bye(bye) => return Err(Break::Bye(bye)),
            _ => {}
        }
    }
}

/// Why somebody is not let in, or was put out, with what can be done about it.
pub(super) fn sentence(why: &Break) -> String {
    let Break::Refused(failure) = why else { return why.to_string() };
    let remedy = match failure.code {
        ErrorCode::AddressFull => {
            "raise connections_per_address in the configuration of that parlor, or serve one with --unlimited to measure"
        }
        ErrorCode::ServerFull => {
            "raise connections in the configuration of that parlor, or serve one with --unlimited to measure"
        }
        ErrorCode::RoomFull => {
            "raise members_per_room in the configuration of that parlor, serve one with --unlimited, or spread them with --rooms"
        }
        ErrorCode::TooManyRooms => {
            "raise rooms in the configuration of that parlor, or ask for fewer --rooms"
        }
        ErrorCode::NickTaken | ErrorCode::NameOwned => {
            "the connections are called bench-0, bench-1 and so on: is another measurement going on there?"
        }
        ErrorCode::NotAllowed => "the connections are guests: serve a parlor without --no-guests to measure",
        ErrorCode::PassphraseWrong => "give the right one with --passphrase-file",
        _ => return why.to_string(),
    };
    format!("{why}. What to do: {remedy}")
}
