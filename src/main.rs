//! Parses the command line, starts logging, and hands over.

mod cli;
#[cfg(feature = "server")]
mod hosting;
#[cfg(any(feature = "server", feature = "client"))]
mod signals;
#[cfg(feature = "client")]
mod visiting;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use cli::{Cli, Command};

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
    let runtime = tokio::runtime::Runtime::new().context("cannot start")?;
    let code = runtime.block_on(async {
        match cli.command {
            #[cfg(feature = "server")]
            Command::Serve(args) => hosting::serve(args).await,
            #[cfg(all(feature = "server", feature = "client"))]
            Command::Host(args) => hosting::host(args).await,
            #[cfg(feature = "client")]
            Command::Join(args) => visiting::join(args).await,
            #[cfg(feature = "client")]
            Command::Say(args) => visiting::say(args).await,
            #[cfg(feature = "client")]
            Command::Tail(args) => visiting::tail(args).await,
            #[cfg(feature = "client")]
            Command::Pipe(args) => visiting::pipe(args).await,
        }
    });
    // Reading standard input cannot be cancelled; nothing else is left to wait for.
    runtime.shutdown_background();
    code
}

/// What was asked for makes no sense: exit code 2, as for an option that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

/// A sentence for the person at the terminal.
fn complain(sentence: &str) {
    // With standard error closed there is nobody to tell.
    drop(writeln!(std::io::stderr(), "{sentence}"));
}
