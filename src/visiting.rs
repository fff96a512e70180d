//! `join`, `say`, `tail` and `pipe`, and the client's half of `host`: from options to a link.

use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use anyhow::bail;
use parlor::client::link::{self, Config, Update};
use parlor::client::script::End;
use parlor::client::{pipe, say, tail, tui};
use parlor::protocol;
use parlor::protocol::address::Address;
use parlor::protocol::invite::Invite;
use parlor::protocol::name::{Nick, RoomName};
use parlor::protocol::text::{Line, Text};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::cli::{Join, Pipe, Say, ScriptArgs, Seat, Tail};
use crate::signals::cancel_on_signal;
use crate::{Usage, complain};

/// How long connecting may take before it is mentioned.
const SILENT_AT_FIRST: Duration = Duration::from_millis(500);

/// `parlor join`.
pub(crate) async fn join(args: Join) -> anyhow::Result<ExitCode> {
    let destination = destination(args.destination.or(args.server.address))?;
    let seat = Seat { room: args.seat.room.or(destination.room), ..args.seat };
    sit_down(destination.address, seat, None).await
}

/// Connects, and puts up the screen once that has worked: what goes wrong before is a sentence.
pub(crate) async fn sit_down(
    address: Address,
    seat: Seat,
    invite: Option<String>,
) -> anyhow::Result<ExitCode> {
    let nick = nick(seat.nick)?;
    let shown = address.to_string();
    let (link, mut updates) =
        link::open(Config { address, nick: nick.clone(), agent: agent("join"), give_up_after: None });
    let mut told_at = Some(Instant::now() + SILENT_AT_FIRST);
    let online = loop {
        let update = tokio::select! {
            update = updates.recv() => update,
            () = sleep_until(told_at.unwrap_or_else(Instant::now)), if told_at.is_some() => {
                told_at = None;
                complain(&format!("Connecting to {shown} …"));
                continue;
            }
        };
        match update {
            Some(online @ Update::Online { .. }) => break online,
            Some(Update::Offline { why, .. } | Update::Ended { why, .. }) => bail!(why),
            Some(_) => {}
            None => bail!("the connection ended before it began"),
        }
    };
    let room = seat.room.unwrap_or_else(RoomName::lobby);
    let ending =
        tui::run(tui::Options { link, updates, first: vec![online], room, wished: nick, invite }).await?;
    if !ending.wanted {
        complain(&format!("parlor: {}", ending.why));
    }
    if ending.unsent.is_empty() {
        return Ok(if ending.wanted { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    complain("These were not stored, or the answer was lost:");
    ending.unsent.iter().for_each(|text| complain(text));
    Ok(ExitCode::FAILURE)
}

/// `parlor say`.
pub(crate) async fn say(args: Say) -> anyhow::Result<ExitCode> {
    let Say { room, text, script } = args;
    let text = (!text.is_empty()).then(|| Text::new(&text.join(" "))).transpose();
    let text = text.map_err(|error| Usage(error.to_string()))?;
    Ok(exit_code(say::run(config(script, "say")?, room, text, &asked_to_end()).await))
}

/// `parlor tail`.
pub(crate) async fn tail(args: Tail) -> anyhow::Result<ExitCode> {
    let Tail { room, json, last, follow, script } = args;
    let what = tail::What { room, json, last, follow };
    Ok(exit_code(tail::run(config(script, "tail")?, what, &asked_to_end()).await))
}

/// `parlor pipe`.
pub(crate) async fn pipe(args: Pipe) -> anyhow::Result<ExitCode> {
    Ok(exit_code(pipe::run(config(args.script, "pipe")?, &asked_to_end()).await))
}

fn config(args: ScriptArgs, verb: &str) -> Result<Config, Usage> {
    Ok(Config {
        address: destination(args.server.address)?.address,
        nick: nick(args.nick)?,
        agent: agent(verb),
        give_up_after: Some(args.timeout),
    })
}

/// What this program calls itself to a server.
fn agent(verb: &str) -> Line {
    Line::lossy(&format!("parlor {} {verb}", env!("CARGO_PKG_VERSION")))
}

/// Where to go: what was named, or what the environment names, or this machine.
fn destination(named: Option<Invite>) -> Result<Invite, Usage> {
    let here = || Address::Tcp { host: "127.0.0.1".to_owned(), port: protocol::DEFAULT_PORT };
    let named = named.map_or_else(|| from_environment("PARLOR_SERVER"), |named| Ok(Some(named)))?;
    Ok(named.unwrap_or_else(|| Invite::to(here())))
}

/// What to be called: what was given, or what the environment says, or what this system calls its user.
fn nick(given: Option<Nick>) -> Result<Nick, Usage> {
    let of_system = || ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    let given = given.map_or_else(|| from_environment("PARLOR_NICK"), |given| Ok(Some(given)))?;
    Ok(given.unwrap_or_else(|| Nick::from_system(&of_system().unwrap_or_default())))
}

/// A setting of the environment. An empty one is none.
fn from_environment<T>(name: &str) -> Result<Option<T>, Usage>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    let value = std::env::var(name).unwrap_or_default();
    if value.is_empty() {
        return Ok(None);
    }
    value.parse().map(Some).map_err(|error| Usage(format!("the environment's {name}: {error}")))
}

fn asked_to_end() -> CancellationToken {
    let ending = CancellationToken::new();
    tokio::spawn(cancel_on_signal(ending.clone()));
    ending
}

fn exit_code(end: End) -> ExitCode {
    match end {
        End::Done => ExitCode::SUCCESS,
        End::Failed => ExitCode::FAILURE,
    }
}
