//! `serve` and `host`: from options to a running server, and to its end.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use etcetera::{AppStrategy as _, AppStrategyArgs, choose_app_strategy};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::cli::{DurabilityArg, LogFormat, Serve};
use crate::signals::cancel_on_signal;
use crate::{Usage, complain};
use parlor::protocol::address::Address;
use parlor::server::Server;
use parlor::server::config::{Config, File};
use parlor::server::log::Durability;

/// `parlor serve`.
pub(crate) async fn serve(args: Serve) -> anyhow::Result<ExitCode> {
    start_logging(args.log_format, std::io::stderr);
    let server = start(&args, config(&args)?).await?;
    let mut out = std::io::stdout();
    for address in server.addresses() {
        writeln!(out, "listening on {address}")?;
    }
    out.flush()?;
    match args.log_format {
        LogFormat::Text => complain(&who_can_come(&server)),
        LogFormat::Json => tracing::warn!("{}", who_can_come(&server)),
    }
    let shutdown = CancellationToken::new();
    tokio::spawn(cancel_on_signal(shutdown.clone()));
    server.run(shutdown).await?;
    Ok(ExitCode::SUCCESS)
}

/// Opens the server.
pub(crate) async fn start(args: &Serve, config: Config) -> anyhow::Result<Server> {
    let server = Server::bind(config).await?;
    if args.unlimited && !server.is_local() {
        let why =
            "--unlimited is for measuring on this machine: listen on a loopback address or a Unix socket";
        return Err(Usage(why.to_owned()).into());
    }
    Ok(server)
}

/// A sentence that says who can reach the server.
pub(crate) fn who_can_come(server: &Server) -> String {
    if server.is_local() {
        let port = server.addresses().iter().find_map(|address| match address {
            Address::Tcp { port, .. } => Some(*port),
            Address::Unix(_) => None,
        });
        let port = port.unwrap_or(parlor::protocol::DEFAULT_PORT);
        format!("Only this machine can reach it; --listen 0.0.0.0:{port} lets the network in.")
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

/// `parlor host`: the server in this process, and a seat in it.
#[cfg(feature = "client")]
pub(crate) async fn host(args: crate::cli::Host) -> anyhow::Result<ExitCode> {
    let config = config(&args.serve)?;
    let data = config.data.clone();
    let server = start(&args.serve, config).await?;
    // The screen is taken: the log goes beside the rooms, that of the last run only.
    start_logging(args.serve.log_format, std::fs::File::create(data.join("host.log"))?);
    let again = again(&args.serve);
    let addresses = server.addresses();
    let own = addresses.iter().find_map(reachable_from_here).context("nowhere to listen")?;
    let invite = invite(&addresses, args.seat.room.as_ref());
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(server.run(shutdown.clone()));
    let outcome = crate::visiting::sit_down(own, args.seat, Some(invite)).await;
    shutdown.cancel();
    running.await.context("the server did not end in order")??;
    if outcome.is_ok() {
        let data = data.display();
        complain(&format!("Nothing is lost: {data} keeps the rooms, and `{again}` opens them again."));
    }
    outcome
}

/// The command that opens the same parlor again.
#[cfg(feature = "client")]
fn again(args: &Serve) -> String {
    let mut command = "parlor host".to_owned();
    for address in &args.listen {
        command += &format!(" --listen {address}");
    }
    if let Some(data) = &args.data {
        command += &format!(" --data '{}'", data.display());
    }
    command
}

/// The address at which this process reaches its own listener.
#[cfg(feature = "client")]
fn reachable_from_here(address: &Address) -> Option<Address> {
    Some(match address {
        Address::Tcp { host, port } => {
            let ip: std::net::IpAddr = host.parse().ok()?;
            let host = match ip {
                ip if !ip.is_unspecified() => host.clone(),
                std::net::IpAddr::V4(_) => "127.0.0.1".to_owned(),
                std::net::IpAddr::V6(_) => "::1".to_owned(),
            };
            Address::Tcp { host, port: *port }
        }
        unix @ Address::Unix(_) => unix.clone(),
    })
}

/// The line that others type to join: from the network if they can, otherwise from this machine.
#[cfg(feature = "client")]
fn invite(addresses: &[Address], room: Option<&parlor::protocol::name::RoomName>) -> String {
    let lan = || addresses.iter().find_map(reachable_from_the_network);
    let Some(address) = lan().or_else(|| addresses.iter().find_map(reachable_from_here)) else {
        return "parlor join".to_owned();
    };
    match (&address, room) {
        (Address::Tcp { .. }, Some(room)) => format!("parlor join 'parlor://{address}/{room}'"),
        (_, Some(room)) => format!("parlor join {address} --room '{room}'"),
        (Address::Tcp { host, port: parlor::protocol::DEFAULT_PORT }, None) if !host.contains(':') => {
            format!("parlor join {host}")
        }
        (_, None) => format!("parlor join {address}"),
    }
}

/// The address at which others on the network reach a listener, if they can.
#[cfg(feature = "client")]
fn reachable_from_the_network(address: &Address) -> Option<Address> {
    let Address::Tcp { host, port } = address else { return None };
    let ip: std::net::IpAddr = host.parse().ok()?;
    if ip.is_loopback() {
        return None;
    }
    let ip = if ip.is_unspecified() { own_address_on_the_network(ip.is_ipv4())? } else { ip };
    Some(Address::Tcp { host: ip.to_string(), port: *port })
}

/// The address that this machine would use to reach others. Connecting a UDP socket sends nothing; the
/// addresses are those reserved for documentation (RFC 5737, RFC 3849).
#[cfg(feature = "client")]
fn own_address_on_the_network(v4: bool) -> Option<std::net::IpAddr> {
    let (own, far) = if v4 { ("0.0.0.0:0", "192.0.2.1:9") } else { ("[::]:0", "[2001:db8::1]:9") };
    let socket = std::net::UdpSocket::bind(own).ok()?;
    socket.connect(far).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback())
}

#[cfg(all(test, feature = "client"))]
mod tests {
    use super::*;
    use parlor::protocol::name::RoomName;

    fn tcp(host: &str, port: u16) -> Address {
        Address::Tcp { host: host.to_owned(), port }
    }

    #[test]
    fn the_invite_is_a_line_that_works() {
        let room = RoomName::typed("demo").ok();
        for (addresses, room, line) in [
            (vec![tcp("127.0.0.1", 7878)], None, "parlor join 127.0.0.1"),
            (vec![tcp("127.0.0.1", 99)], None, "parlor join 127.0.0.1:99"),
            (vec![tcp("127.0.0.1", 7878), tcp("10.0.0.5", 7878)], None, "parlor join 10.0.0.5"),
            (vec![tcp("::1", 7878)], None, "parlor join [::1]:7878"),
            (vec![tcp("10.0.0.5", 99)], room.as_ref(), "parlor join 'parlor://10.0.0.5:99/#demo'"),
            (vec![Address::Unix("/run/p".into())], None, "parlor join unix:/run/p"),
        ] {
            assert_eq!(invite(&addresses, room), line);
        }
    }
}
