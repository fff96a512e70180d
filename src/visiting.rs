//! `join`, `say`, `tail` and `pipe`, and the client's half of `host`: from options to a link.

use std::process::ExitCode;

use anyhow::bail;
use parlor::client::link::{self, Config, Update};
use parlor::client::script::End;
use parlor::client::{pipe, say, tail, tui};
use parlor::protocol::address::{Address, Destination};
use parlor::protocol::name::{Nick, RoomName};
use parlor::protocol::text::Line;
use parlor::protocol::{self};
use tokio_util::sync::CancellationToken;

use crate::cli::{Join, Pipe, Say, ScriptArgs, Seat, Tail};
use crate::complain;
use crate::signals::cancel_on_signal;

/// `parlor join`.
pub(crate) async fn join(args: Join) -> anyhow::Result<ExitCode> {
    let destination = args.destination.or(args.server.address);
    let invited_to = destination.as_ref().and_then(|destination| destination.room.clone());
    let seat = Seat { room: args.seat.room.or(invited_to), ..args.seat };
    sit_down(address(destination), seat, None).await
}

/// Connects, and puts up the screen once that has worked: what goes wrong before is a sentence.
pub(crate) async fn sit_down(
    address: Address,
    seat: Seat,
    invite: Option<String>,
) -> anyhow::Result<ExitCode> {
    let nick = seat.nick.unwrap_or_else(own_nick);
    let (link, mut updates) =
        link::open(Config { address, nick: nick.clone(), agent: agent("join"), give_up_after: None });
    let online = loop {
        match updates.recv().await {
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
    complain("These were not sent:");
    ending.unsent.iter().for_each(|text| complain(text));
    Ok(ExitCode::FAILURE)
}

/// `parlor say`.
pub(crate) async fn say(args: Say) -> ExitCode {
    let Say { room, text, script } = args;
    exit_code(say::run(config(script, "say"), room, text, &asked_to_end()).await)
}

/// `parlor tail`.
pub(crate) async fn tail(args: Tail) -> ExitCode {
    let Tail { room, json, last, follow, script } = args;
    let what = tail::What { room, json, last, follow };
    exit_code(tail::run(config(script, "tail"), what, &asked_to_end()).await)
}

/// `parlor pipe`.
pub(crate) async fn pipe(args: Pipe) -> ExitCode {
    exit_code(pipe::run(config(args.script, "pipe"), &asked_to_end()).await)
}

fn config(args: ScriptArgs, verb: &str) -> Config {
    Config {
        address: address(args.server.address),
        nick: args.nick.unwrap_or_else(own_nick),
        agent: agent(verb),
        give_up_after: Some(args.timeout),
    }
}

/// What this program calls itself to a server.
fn agent(verb: &str) -> Line {
    Line::lossy(&format!("parlor {} {verb}", env!("CARGO_PKG_VERSION")))
}

/// Where to go: this machine, unless somewhere else was named.
fn address(destination: Option<Destination>) -> Address {
    let here = || Address::Tcp { host: "127.0.0.1".to_owned(), port: protocol::DEFAULT_PORT };
    destination.map_or_else(here, |destination| destination.address)
}

/// What this system calls its user, as a nick.
fn own_nick() -> Nick {
    let name = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    Nick::from_system(&name.unwrap_or_default())
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
