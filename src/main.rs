//! Parses the command line, starts logging, and hands over.

#[cfg(feature = "client")]
mod by_words;
mod cli;
#[cfg(feature = "server")]
mod counters;
mod docs;
#[cfg(feature = "server")]
mod hosting;
#[cfg(feature = "server")]
mod keeping;
#[cfg(feature = "client")]
mod launching;
#[cfg(feature = "server")]
mod logging;
#[cfg(feature = "server")]
mod service;
#[cfg(any(feature = "server", feature = "client"))]
mod signals;
#[cfg(feature = "server")]
mod status;
#[cfg(feature = "client")]
mod visiting;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{CommandFactory as _, Parser as _};
use cli::{Cli, Command};
use etcetera::{AppStrategy, AppStrategyArgs, choose_app_strategy};
use parlor::protocol::proof::Passphrase;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("parlor: {error:#}"));
            if error.is::<Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    // Before there are other threads.
    #[cfg(feature = "server")]
    let handed = match &cli.command {
        Some(Command::Serve(_)) => parlor::server::handed::take()?,
        _ => Vec::new(),
    };
    let runtime = tokio::runtime::Runtime::new().context("cannot start")?;
    let code = runtime.block_on(async {
        let Some(command) = cli.command else { return without_command().await };
        match command {
            #[cfg(feature = "server")]
            Command::Serve(args) => hosting::serve(args, handed).await,
            #[cfg(feature = "server")]
            Command::Invite(args) => hosting::print_invite(args),
            #[cfg(all(feature = "server", feature = "client"))]
            Command::Host(args) => hosting::host(args).await,
            #[cfg(feature = "server")]
            Command::Backup(args) => keeping::backup(args),
            #[cfg(feature = "server")]
            Command::Import(args) => keeping::import(args),
            #[cfg(feature = "server")]
            Command::Status(args) => status::status(args),
            #[cfg(feature = "client")]
            Command::Join(args) => launching::join(args).await,
            #[cfg(feature = "client")]
            Command::Say(args) => visiting::say(args).await,
            #[cfg(feature = "client")]
            Command::Tail(args) => visiting::tail(args).await,
            #[cfg(feature = "client")]
            Command::Export(args) => visiting::export(args).await,
            #[cfg(feature = "client")]
            Command::Search(args) => visiting::search(args).await,
            #[cfg(feature = "client")]
            Command::Pipe(args) => visiting::pipe(args).await,
            #[cfg(feature = "client")]
            Command::Bench(args) => visiting::bench(args).await,
            Command::Docs(args) => docs::docs(&args),
            #[cfg(feature = "client")]
            Command::Find(args) => visiting::find(args).await,
        }
    });
    // Reading standard input cannot be cancelled; nothing else is left to wait for.
    runtime.shutdown_background();
    code
}

/// `parlor` alone: a list of parlors to choose from, or where that cannot be shown, of what can be done.
async fn without_command() -> anyhow::Result<ExitCode> {
    #[cfg(feature = "client")]
    if launching::has_screen() {
        return launching::launch().await;
    }
    complain(&Cli::command().render_help().to_string());
    Ok(ExitCode::from(2))
}

/// What was asked for makes no sense: exit code 2, as for an option that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

/// Where this system wants what is ours; `None` when there is no home.
fn folders() -> Option<impl AppStrategy> {
    choose_app_strategy(AppStrategyArgs {
        top_level_domain: "io.github".to_owned(),
        author: "parlor".to_owned(),
        app_name: "parlor".to_owned(),
    })
    .ok()
}

/// Where the client keeps what is its user's.
#[cfg(feature = "client")]
fn client_folder() -> Option<std::path::PathBuf> {
    folders().map(|folders| folders.in_data_dir("client"))
}

/// The passphrase in the first line of a file.
fn passphrase(path: &Path) -> anyhow::Result<Passphrase> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read the passphrase in {shown}"))?;
    Passphrase::new(text.lines().next().unwrap_or_default())
        .with_context(|| format!("the passphrase in {shown}"))
}

/// Whether the terminal says that it can show no screen.
#[cfg(feature = "client")]
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// A sentence for the person at the terminal.
fn complain(sentence: &str) {
    // With standard error closed there is nobody to tell.
    drop(writeln!(std::io::stderr(), "{sentence}"));
}
