//! `say`, `tail` and `pipe`: from options to a link.

use std::process::ExitCode;

use parlor::client::link::Config;
use parlor::client::script::End;
use parlor::client::{pipe, say, tail};
use parlor::protocol::address::{Address, Destination};
use parlor::protocol::name::Nick;
use parlor::protocol::text::Line;
use parlor::protocol::{self};
use tokio_util::sync::CancellationToken;

use crate::cli::{Pipe, Say, ScriptArgs, Tail};
use crate::signals::cancel_on_signal;

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
        agent: Line::lossy(&format!("parlor {} {verb}", env!("CARGO_PKG_VERSION"))),
        give_up_after: Some(args.timeout),
    }
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
