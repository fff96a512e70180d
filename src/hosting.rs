//! `serve` and `host`: from options to a running server, and to its end.

use anyhow::Context as _;
use etcetera::AppStrategy as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

use crate::cli::{DurabilityArg, LogFormat, Serve};
use crate::signals::cancel_on_signal;
use crate::{Usage, complain, counters, folders, logging, passphrase, service};
#[cfg(feature = "client")]
use parlor::client::link::{Secret, Trust};
#[cfg(feature = "client")]
use parlor::client::tui::state::inviting::Inviting;
use parlor::protocol::address::Address;
#[cfg(feature = "client")]
use parlor::protocol::invite::shell_word;
use parlor::protocol::invite::{Invite, Pin};
use parlor::protocol::name::RoomName;
use parlor::protocol::proof::{Fingerprint, Passphrase};
use parlor::protocol::wordlist::spell;
use parlor::server::config::{Config, File};
use parlor::server::door::{self, Ask};
use parlor::server::handed::Handed;
use parlor::server::log::Durability;
#[cfg(feature = "client")]
use parlor::server::private::open_private;
use parlor::server::retention::Retention;
use parlor::server::running::Running;
use parlor::server::socket::SocketAccess;
use parlor::server::{Server, tls};

/// `parlor serve`.
pub(crate) async fn serve(args: Serve, handed: Vec<Handed>) -> anyhow::Result<ExitCode> {
    let questions = counters::questions()?;
    let log = logging::start(args.log_format, std::io::stderr())?;
    let server = start(&args, config(&args)?, handed).await?;
    // Before it is said that it listens: whoever reads that may ask it to end.
    let shutdown = CancellationToken::new();
    tokio::spawn(cancel_on_signal(shutdown.clone()));
    let service = service::attend(&server, args.clone(), &shutdown)?;
    counters::answer(questions, &server, args.log_format, log.lines());
    let mut out = std::io::stdout();
    for address in server.addresses() {
        writeln!(out, "listening on {address}").context("cannot say on standard output where it listens")?;
    }
    out.flush()?;
    match args.log_format {
        LogFormat::Text => {
            complain(&who_can_come(&server));
            announced(&server).iter().for_each(|sentence| complain(sentence));
            server.fingerprint().iter().for_each(say_certificate);
            // A log that is kept is no place for a passphrase.
            if std::io::stderr().is_terminal() {
                complain(&format!(
                    "Others join with:\n\n  {}\n",
                    command(invite(&server.running(), server.words(), None))
                ));
            } else {
                complain("`parlor invite` prints the line that others type.");
            }
        }
        LogFormat::Json => {
            tracing::warn!("{}", who_can_come(&server));
            announced(&server).iter().for_each(|sentence| tracing::info!("{sentence}"));
        }
    }
    let service = tokio::spawn(service);
    let outcome = server.run(shutdown.clone()).await;
    // Also when it ended by itself.
    shutdown.cancel();
    service.await.context("the service did not end in order")?;
    outcome?;
    Ok(ExitCode::SUCCESS)
}

/// Opens the server.
pub(crate) async fn start(args: &Serve, config: Config, handed: Vec<Handed>) -> anyhow::Result<Server> {
    let server = Server::bind_beside(config, handed).await?;
    if args.unlimited && !server.is_local() {
        let why =
            "--unlimited is for measuring on this machine: listen on a loopback address or a Unix socket";
        return Err(Usage(why.to_owned()).into());
    }
    Ok(server)
}

/// Sentences that say who can come in and read along.
fn who_can_come(server: &Server) -> String {
    let reach = if server.is_local() { "this machine" } else { "the network" };
    let open = server.key().is_none();
    let plain = server.fingerprint().is_none() && !server.is_local();
    match (open, plain) {
        (false, false) => format!("Who knows the passphrase can come in, from {reach}."),
        (false, true) => format!(
            "Who knows the passphrase can come in, from {reach}; whoever is on the way can read along, because there is no TLS."
        ),
        (true, false) => format!("Everyone on {reach} can come in: there is no passphrase."),
        (true, true) => format!(
            "Everyone on {reach} can come in, and whoever is on the way can read along: there is neither passphrase nor TLS."
        ),
    }
}

/// A sentence that says by what name others find it, if they do.
fn announced(server: &Server) -> Option<String> {
    let name = server.announced()?.name;
    Some(format!(
        "`parlor find` on the same network shows it as \"{name}\"; --no-announce keeps it to itself."
    ))
}

/// The words that the host reads aloud to one who is shown a certificate and wants to be sure of it.
fn say_certificate(fingerprint: &Fingerprint) {
    complain(&format!("Its certificate is \"{}\".", spell(&fingerprint.0)));
}

/// `parlor invite`.
pub(crate) fn print_invite(args: crate::cli::Invitation) -> anyhow::Result<ExitCode> {
    let data = data_folder(args.data)?;
    let running = Running::read(&data)?;
    let words = if running.locked && !args.without_passphrase { door::read_words(&data)? } else { None };
    if running.locked && !args.without_passphrase && words.is_none() {
        complain("The passphrase is not in this line: it is kept elsewhere, and must be told to others.");
    }
    running.fingerprint.iter().for_each(say_certificate);
    let invite = invite(&running, words.as_ref(), args.room);
    let mut out = std::io::stdout();
    #[cfg(feature = "client")]
    if args.qr {
        let url = invite.as_ref().map(ToString::to_string).unwrap_or_default();
        let code = parlor::client::qr::qr(&url).context("this invite is too long for a QR code")?;
        // White on black, whatever the colours of the terminal: readers want the light squares light.
        code.iter().try_for_each(|row| writeln!(out, "\x1b[97;40m{row}\x1b[0m"))?;
    }
    writeln!(out, "{}", command(invite))?;
    Ok(ExitCode::SUCCESS)
}

/// The key of whoever runs this, who is the host.
#[cfg(feature = "client")]
fn own_key() -> anyhow::Result<Option<parlor::protocol::proof::PublicKey>> {
    // A service that runs without a home has no person behind it.
    let Some(folder) = crate::client_folder() else { return Ok(None) };
    Ok(Some(parlor::client::identity::load_or_create(&folder)?.public()))
}

#[cfg(not(feature = "client"))]
fn own_key() -> anyhow::Result<Option<parlor::protocol::proof::PublicKey>> {
    Ok(None)
}

/// The configuration file that was named, or that is in its place, or none.
fn settings(named: Option<&Path>) -> anyhow::Result<File> {
    Ok(match (named, folders()) {
        (Some(path), _) => File::read(path)?,
        (None, Some(folders)) if folders.in_config_dir("server.toml").exists() => {
            File::read(&folders.in_config_dir("server.toml"))?
        }
        _ => File::default(),
    })
}

/// The folder of the parlor that is meant: the one that is named, or that the configuration names, or the system's.
pub(crate) fn data_folder(named: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    match named {
        Some(data) => Ok(data),
        None => settings(None)?.data.map_or_else(folder, Ok),
    }
}

/// The folder of the log, where none is named.
fn folder() -> anyhow::Result<PathBuf> {
    let folders = folders().context("this system has no folder for data: give one with --data")?;
    Ok(folders.data_dir())
}

/// Command line over configuration file over defaults.
pub(crate) fn config(args: &Serve) -> anyhow::Result<Config> {
    let file = settings(args.config.as_deref())?;
    let listen = if args.listen.is_empty() {
        let parse = |raw: &String| raw.parse::<Address>();
        file.listen.iter().map(parse).collect::<Result<_, _>>().context("in the configuration")?
    } else {
        args.listen.clone()
    };
    let socket_access = SocketAccess {
        mode: args.socket_mode.or(file.socket_mode),
        group: args.socket_group.clone().or(file.socket_group),
    };
    let data: Option<PathBuf> = args.data.clone().or(file.data);
    let data = data.map_or_else(folder, Ok)?;
    let pair = args.tls_cert.clone().zip(args.tls_key.clone()).or(file.tls_cert.zip(file.tls_key));
    let tls = match pair {
        _ if args.plain || (file.plain && args.tls_cert.is_none()) => None,
        Some((certificate, key)) => Some(tls::Source::Files { certificate, key }),
        None => Some(tls::Source::Own),
    };
    let words = args.passphrase_file.clone().or(file.passphrase_file.filter(|_| !args.open));
    let ask = match words {
        Some(path) => Ask::Words(passphrase(&path)?),
        None if args.open || file.open => Ask::Nothing,
        None => Ask::OwnWords,
    };
    let durability = match args.durability {
        Some(DurabilityArg::Process) => Durability::Process,
        Some(DurabilityArg::Power) => Durability::Power,
        None => file.durability.unwrap_or_default(),
    };
    let retention = Retention { keep: args.retention.or(file.retention), ..Retention::default() };
    let limits = if args.unlimited { file.limits.unlimited() } else { file.limits };
    let guests = !(args.no_guests || file.no_guests);
    let name = args.name.clone().or(file.name).unwrap_or_else(machine_name);
    let announce = !args.no_announce && file.announce.unwrap_or(true);
    let (host, motd) = (own_key()?, args.motd.clone().or(file.motd));
    Ok(Config {
        listen,
        socket_access,
        data,
        name,
        tls,
        ask,
        guests,
        host,
        durability,
        retention,
        limits,
        motd,
        announce,
    })
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
    let questions = counters::questions()?;
    let config = config(&args.serve)?;
    let data = config.data.clone();
    let server = start(&args.serve, config, Vec::new()).await?;
    // The screen is taken: the log goes beside the rooms, that of the last run only.
    let log = open_private(&data.join("host.log"))?;
    log.set_len(0)?;
    let log = logging::start(args.serve.log_format, log)?;
    counters::answer(questions, &server, args.serve.log_format, log.lines());
    let again = again(&args.serve);
    let addresses = server.addresses();
    let own = addresses.iter().find_map(reachable_from_here).context("nowhere to listen")?;
    let running = server.running();
    let invite = invite(&running, server.words(), None).unwrap_or_else(|| Invite::to(own.clone()));
    let announced = server.announced().is_some();
    let inviting = Inviting { invite, locked: running.locked, hosting: true, announced };
    let pin = server.fingerprint().as_ref().map(Pin::of);
    let secret = server.key().map(|(salt, key)| Secret::Key(salt, key));
    let identity = Some(crate::visiting::identity()?);
    let trust = Trust { plain: server.fingerprint().is_none(), pin, secret, ticket: None, identity };
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(server.run(shutdown.clone()));
    let outcome = crate::visiting::sit_down_at_home(own, trust, args.seat, inviting).await;
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
        command += &format!(" --listen {}", shell_word(&address.to_string()));
    }
    if let Some(mode) = args.socket_mode {
        command += &format!(" --socket-mode {mode:04o}");
    }
    if let Some(group) = &args.socket_group {
        command += &format!(" --socket-group {}", shell_word(group));
    }
    if let Some(data) = &args.data {
        command += &format!(" --data {}", shell_word(&data.to_string_lossy()));
    }
    let files = [
        ("passphrase-file", &args.passphrase_file),
        ("tls-cert", &args.tls_cert),
        ("tls-key", &args.tls_key),
        ("config", &args.config),
    ];
    for (option, file) in files {
        if let Some(file) = file {
            command += &format!(" --{option} {}", shell_word(&file.to_string_lossy()));
        }
    }
    if let Some(kept) = args.retention {
        command += &format!(" --retention {}m", kept.as_secs() / 60);
    }
    if let Some(motd) = &args.motd {
        command += &format!(" --motd {}", shell_word(motd.as_str()));
    }
    let switches = [
        ("open", args.open),
        ("plain", args.plain),
        ("no-guests", args.no_guests),
        ("no-announce", args.no_announce),
    ];
    for (option, given) in switches {
        if given {
            command += &format!(" --{option}");
        }
    }
    command
}

/// The address at which this process reaches its own listener.
fn reachable_from_here(address: &Address) -> Option<Address> {
    Some(match address {
        Address::Tcp { host, port } => {
            let host = match address.ip()? {
                ip if !ip.is_unspecified() => host.clone(),
                std::net::IpAddr::V4(_) => "127.0.0.1".to_owned(),
                std::net::IpAddr::V6(_) => "::1".to_owned(),
            };
            Address::Tcp { host, port: *port }
        }
        unix @ Address::Unix(_) => unix.clone(),
    })
}

/// What others need to join: from the network if they can, otherwise from this machine.
fn invite(running: &Running, words: Option<&Passphrase>, room: Option<RoomName>) -> Option<Invite> {
    let addresses = running.addresses();
    // An address of a single network has another zone on each machine there: the last resort.
    let lan = || addresses.iter().filter_map(reachable_from_the_network).min_by_key(is_link_local);
    let address = lan().or_else(|| addresses.iter().find_map(reachable_from_here))?;
    let is_tcp = matches!(address, Address::Tcp { .. });
    Some(Invite {
        room,
        pin: running.fingerprint.as_ref().filter(|_| is_tcp).map(Pin::of),
        // The door asks everyone, also those who come through a Unix socket.
        passphrase: words.cloned(),
        plain: running.fingerprint.is_none() && is_tcp,
        ..Invite::to(address)
    })
}

/// The line that others type to join.
fn command(invite: Option<Invite>) -> String {
    invite.map_or_else(|| "parlor join".to_owned(), |invite| invite.command())
}

/// The address at which others on the network reach a listener, if they can.
fn reachable_from_the_network(address: &Address) -> Option<Address> {
    let Address::Tcp { port, .. } = address else { return None };
    match address.ip()? {
        ip if ip.is_loopback() => None,
        ip if ip.is_unspecified() => {
            let host = own_address_on_the_network(ip.is_ipv4())?.to_string();
            Some(Address::Tcp { host, port: *port })
        }
        _ => Some(address.clone()),
    }
}

fn is_link_local(address: &Address) -> bool {
    matches!(address.ip(), Some(std::net::IpAddr::V6(ip)) if ip.is_unicast_link_local())
}

/// The address of this machine that others on its network reach: the one that it would use to reach others far away, or, where
/// no way leads out, as between computers on one table, the first that it has.
fn own_address_on_the_network(v4: bool) -> Option<std::net::IpAddr> {
    own_address_outwards(v4).or_else(|| {
        let mut own = if_addrs::get_if_addrs().ok()?.into_iter();
        let is_ours = |it: &if_addrs::Interface| {
            it.is_oper_up()
                && !it.is_p2p
                && !it.is_loopback()
                && it.ip().is_ipv4() == v4
                && !it.is_link_local()
        };
        own.find(is_ours).map(|interface| interface.ip())
    })
}

/// Connecting a UDP socket sends nothing; the addresses are those reserved for documentation (RFC 5737, RFC 3849).
fn own_address_outwards(v4: bool) -> Option<std::net::IpAddr> {
    let (own, far) = if v4 { ("0.0.0.0:0", "192.0.2.1:9") } else { ("[::]:0", "[2001:db8::1]:9") };
    let socket = std::net::UdpSocket::bind(own).ok()?;
    socket.connect(far).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor::protocol::hex::Hex;

    #[test]
    fn the_invite_is_a_line_that_works() {
        let room = || RoomName::typed("demo").ok();
        let words = Passphrase::new("amber otter river stone").ok();
        let sealed = Some(Hex([7; 32]));
        for (listening, fingerprint, words, room, line) in [
            (vec!["127.0.0.1:7878"], None, None, None, "parlor join 'parlor://127.0.0.1:7878/#?plain'"),
            (vec!["unix:/run/p"], None, None, None, "parlor join unix:/run/p"),
            (
                vec!["unix:/run/p"],
                sealed,
                words.as_ref(),
                None,
                "parlor join 'parlor://unix:%2Frun%2Fp/#?p=amber-otter-river-stone'",
            ),
            (
                vec!["127.0.0.1:99", "10.0.0.5:99"],
                sealed,
                words.as_ref(),
                room(),
                "parlor join 'parlor://10.0.0.5:99/#demo?fp=BwcHBwcHBwcHBwcHBwcHBw&p=amber-otter-river-stone'",
            ),
            (
                vec!["[::1]:7878"],
                sealed,
                None,
                None,
                "parlor join 'parlor://[::1]:7878/#?fp=BwcHBwcHBwcHBwcHBwcHBw'",
            ),
            (
                vec!["[fe80::1%eth0]:99", "10.0.0.5:99"],
                None,
                None,
                None,
                "parlor join 'parlor://10.0.0.5:99/#?plain'",
            ),
            (
                vec!["[fe80::1%eth0]:99"],
                None,
                None,
                None,
                "parlor join 'parlor://[fe80::1%25eth0]:99/#?plain'",
            ),
        ] {
            let listening = listening.into_iter().map(str::to_owned).collect();
            let running = Running { listening, fingerprint, locked: words.is_some() };
            assert_eq!(command(invite(&running, words, room)), line);
        }
    }
}
