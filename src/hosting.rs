//! `serve` and `host`: from options to a running server, and to its end.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use etcetera::{AppStrategy as _, AppStrategyArgs, choose_app_strategy};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::cli::{DurabilityArg, LogFormat, Serve};
use crate::complain;
use crate::signals::cancel_on_signal;
use parlor::protocol::address::Address;
use parlor::server::Server;
use parlor::server::config::{Config, File};
use parlor::server::log::Durability;

/// `parlor serve`.
pub(crate) async fn serve(args: Serve) -> anyhow::Result<ExitCode> {
    start_logging(args.log_format, std::io::stderr);
    let server = start(&args).await?;
    let mut out = std::io::stdout();
    for address in server.addresses() {
        writeln!(out, "listening on {address}")?;
    }
    out.flush()?;
    complain(&who_can_come(&server));
    let shutdown = CancellationToken::new();
    tokio::spawn(cancel_on_signal(shutdown.clone()));
    server.run(shutdown).await;
    Ok(ExitCode::SUCCESS)
}

/// Puts the settings together and opens the server.
pub(crate) async fn start(args: &Serve) -> anyhow::Result<Server> {
    let config = config(args)?;
    let server = Server::bind(config).await?;
    if args.unlimited && !server.is_local() {
        bail!("--unlimited is for measuring on this machine: listen on a loopback address or a Unix socket");
    }
    Ok(server)
}

/// A sentence that says who can reach the server.
pub(crate) fn who_can_come(server: &Server) -> String {
    if server.is_local() {
        "Only this machine can reach it; --listen 0.0.0.0:7878 lets the network in.".to_owned()
    } else {
        "Whoever can reach it can come in and read along: there is no passphrase and no encryption yet."
            .to_owned()
    }
}

/// Starts logging to `writer`.
pub(crate) fn start_logging<W>(format: LogFormat, writer: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    match format {
        LogFormat::Text => builder.with_ansi(false).init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// Command line over configuration file over defaults.
fn config(args: &Serve) -> anyhow::Result<Config> {
    let folders = choose_app_strategy(AppStrategyArgs {
        top_level_domain: "io.github".to_owned(),
        author: "parlor".to_owned(),
        app_name: "parlor".to_owned(),
    });
    let file = match (&args.config, &folders) {
        (Some(path), _) => File::read(path)?,
        (None, Ok(folders)) if folders.in_config_dir("config.toml").exists() => {
            File::read(&folders.in_config_dir("config.toml"))?
        }
        _ => File::default(),
    };
    let listen = if args.listen.is_empty() {
        let parse = |raw: &String| raw.parse::<Address>();
        file.listen.iter().map(parse).collect::<Result<_, _>>().context("in the configuration")?
    } else {
        args.listen.clone()
    };
    let data: Option<PathBuf> = args.data.clone().or(file.data);
    let data = match data {
        Some(data) => data,
        None => folders.context("this system has no folder for data: give one with --data")?.data_dir(),
    };
    let durability = match args.durability {
        Some(DurabilityArg::Process) => Durability::Process,
        Some(DurabilityArg::Power) => Durability::Power,
        None => file.durability.unwrap_or_default(),
    };
    let limits = if args.unlimited { file.limits.unlimited() } else { file.limits };
    let name = args.name.clone().or(file.name).unwrap_or_else(machine_name);
    Ok(Config { listen, data, name, durability, limits })
}

/// What this machine calls itself.
fn machine_name() -> String {
    let from_file = || std::fs::read_to_string("/etc/hostname").ok();
    let name = std::env::var("HOSTNAME").ok().or_else(from_file).unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "parlor".to_owned() } else { name.to_owned() }
}
