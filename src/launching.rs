//! `parlor` alone, and `join` without an address: which parlors there are, and going to one of them.

use std::future::Future;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use parlor::client::find;
use parlor::client::known_servers::KnownServers;
use parlor::client::tui::launcher::{self, Choice, Options, Reach};
use parlor::protocol::address::Address;
use parlor::protocol::invite::Invite;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::cli::{Join, Seat, ServerArg};
use crate::signals::cancel_on_signal;
use crate::visiting::{self, Visit};
use crate::{client_folder, complain, is_dumb};

/// How long the parlor of this machine may take to accept a connection before it counts as none: it takes no tenth of it.
const AT_HOME_WITHIN: Duration = Duration::from_millis(300);

/// Whether a screen can be shown here.
pub(crate) fn has_screen() -> bool {
    !is_dumb() && std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// `parlor join`. Where nobody says where, and no parlor runs on this machine, they are shown which there are.
pub(crate) async fn join(args: Join) -> anyhow::Result<ExitCode> {
    let named = !args.destination.is_empty() || args.server.address.is_some();
    let by_environment =
        || visiting::from_environment::<String>("PARLOR_SERVER").is_ok_and(|named| named.is_none());
    if !named && !args.seat.lines && has_screen() && by_environment() && !is_at_home().await {
        return choose(args).await;
    }
    visiting::join(args).await
}

/// `parlor`.
pub(crate) async fn launch() -> anyhow::Result<ExitCode> {
    choose(Join::of(&[])?).await
}

/// Whether a parlor runs on this machine, at the usual port.
async fn is_at_home() -> bool {
    let here = Address::this_machine();
    timeout(AT_HOME_WITHIN, launcher::reach(&here)).await == Ok(Reach::Here)
}

/// Shows which parlors there are and goes to the one that is chosen. Whoever does not get in may choose again.
async fn choose(args: Join) -> anyhow::Result<ExitCode> {
    loop {
        let Some(choice) = launcher::run(options(args.seat.settings.clone())).await? else {
            return Ok(ExitCode::SUCCESS);
        };
        match go(choice, args.clone()).await {
            Ok(code) => return Ok(code),
            Err(error) if error.is::<Interrupted>() => return Ok(ExitCode::FAILURE),
            Err(error) => complain(&format!("parlor: {error:#}\n")),
        }
        if !wants_again().await {
            return Ok(ExitCode::FAILURE);
        }
    }
}

/// Goes there, and stays until the end.
async fn go(choice: Choice, args: Join) -> anyhow::Result<ExitCode> {
    let Join { server, seat, .. } = args;
    let at = |address, plain| Invite { plain, ..Invite::to(address) };
    let visit = match choice {
        #[cfg(feature = "server")]
        Choice::Host => return crate::hosting::host(crate::cli::Host::alone(seat)?).await,
        #[cfg(not(feature = "server"))]
        Choice::Host => anyhow::bail!("this parlor was built without its server"),
        Choice::Here => {
            Visit { invite: at(Address::this_machine(), server.plain), server, seat, known: None }
        }
        Choice::Typed(words) => until_asked_to_end(typed(&words, server, seat)).await??,
        Choice::Parlor { addresses, plain, known } => {
            let address = until_asked_to_end(reachable(&addresses)).await??;
            Visit { invite: at(address, plain || server.plain), server, seat, known }
        }
    };
    until_asked_to_end(visiting::enter(visit)).await??.stay().await
}

/// Where that leads which was typed, with what was said on the command line already.
async fn typed(words: &[String], server: ServerArg, seat: Seat) -> anyhow::Result<Visit> {
    let Join { destination, server: also, seat: there } =
        Join::of(words).map_err(|error| anyhow::anyhow!(error.render().to_string()))?;
    let server = ServerArg { plain: server.plain || also.plain, ..server };
    let seat = Seat { room: there.room.or(seat.room), nick: there.nick.or(seat.nick), ..seat };
    visiting::visit(Join { destination, server, seat }).await
}

/// The first of these addresses that accepts a connection; otherwise the last, and connecting says what is wrong with it.
async fn reachable(addresses: &[Address]) -> anyhow::Result<Address> {
    let (last, others) = addresses.split_last().context("this parlor has no address")?;
    for address in others {
        if launcher::reach(address).await == Reach::Here {
            return Ok(address.clone());
        }
    }
    Ok(last.clone())
}

/// What there is to choose from.
fn options(named: Option<PathBuf>) -> Options {
    let mut troubles = Vec::new();
    let known = visiting::known_rooms().map(|file| file.load()).transpose();
    let known = known.unwrap_or_else(|error| {
        troubles.push(error.to_string());
        None
    });
    let servers = client_folder().map(|folder| KnownServers::open(folder.join("known_servers"))).transpose();
    let servers = servers.unwrap_or_else(|error| {
        troubles.push(error.to_string());
        None
    });
    Options {
        look: find::look,
        settings: visiting::settings(named),
        themes: visiting::themes(),
        recent: launcher::gather(&known.unwrap_or_default(), servers.as_ref()),
        hosts: cfg!(feature = "server"),
        troubles,
    }
}

/// Whether somebody who did not get in wants to choose again.
async fn wants_again() -> bool {
    complain("Enter: back to the list. Ctrl-C: leave.");
    let asking = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    // Whoever closed the terminal, or pressed Ctrl-C, does not.
    let read = until_asked_to_end(asking).await;
    matches!(read, Ok(Ok(Ok(bytes))) if bytes > 0)
}

/// Ctrl-C ends what takes its time between two screens. The first of them has taken the signal from the system, for as long
/// as this process runs.
async fn until_asked_to_end<T>(what: impl Future<Output = T>) -> anyhow::Result<T> {
    let ending = CancellationToken::new();
    let listening = tokio::spawn(cancel_on_signal(ending.clone()));
    let done = tokio::select! {
        done = what => Some(done),
        () = ending.cancelled() => None,
    };
    listening.abort();
    done.ok_or_else(|| Interrupted.into())
}

/// Somebody pressed Ctrl-C.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
struct Interrupted;
