//! `join`, `say`, `tail`, `search`, `pipe` and `bench`, and the client's half of `host`: from options to a link.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use etcetera::AppStrategy as _;
use parlor::client::StoreError;
use parlor::client::destination::Destination;
use parlor::client::link::{self, Acquaintances, Barrier, Config, Link, Met, Secret, Trust, Update};
use parlor::client::script::End;
use parlor::client::tui::known_rooms::{self, KnownRoomsFile, RoomChange, What};
use parlor::client::tui::settings::SettingsFile;
use parlor::client::tui::state::inviting::Inviting;
use parlor::client::{bench, export, find, pipe, query, say, search, tail, tui};
use parlor::protocol;
use parlor::protocol::address::Address;
use parlor::protocol::invite::{Invite, Pin};
use parlor::protocol::name::Nick;
use parlor::protocol::proof::{Fingerprint, Passphrase};
use parlor::protocol::text::{Line, Text};
use parlor::protocol::wordlist::spell;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::cli::{
    Bench, Export, Find, FormatArg, Join, Pipe, Say, ScriptArgs, Search, Seat, ServerArg, Tail,
};
use crate::signals::cancel_on_signal;
use crate::{Usage, by_words, client_folder, complain, folders, is_dumb, passphrase};

/// How long connecting may take before it is mentioned.
const SILENT_AT_FIRST: Duration = Duration::from_millis(500);

/// `parlor join`.
pub(crate) async fn join(args: Join) -> anyhow::Result<ExitCode> {
    enter(visit(args).await?).await?.stay().await
}

/// Where `parlor join` goes. Where words were said it looks for the parlor that knows them.
pub(crate) async fn visit(args: Join) -> anyhow::Result<Visit> {
    let Join { destination: typed, mut server, seat } = args;
    let invite = match Destination::read(&typed).map_err(|error| Usage(error.to_string()))? {
        Some(Destination::Words(_)) if server.passphrase_file.is_some() => {
            bail!(Usage("give the words, or --passphrase-file: not both".to_owned()));
        }
        Some(Destination::Words(words)) => {
            let invite = by_words::find(words, server.plain).await?;
            // One that shows a certificate is not joined without it, whatever was said of the others.
            server.plain = invite.plain;
            invite
        }
        Some(Destination::There(invite)) => *invite,
        None => destination(server.address.clone())?,
    };
    Ok(Visit { invite, server, seat, known: None })
}

/// What somebody wants who goes to a parlor.
pub(crate) struct Visit {
    /// Where it is, and how one gets in.
    pub(crate) invite: Invite,
    /// What was said of the server beside that. Its address is in the invite.
    pub(crate) server: ServerArg,
    /// Who to be, and where to sit.
    pub(crate) seat: Seat,
    /// It claims to be the parlor that was visited at this address, and is not talked to unless it shows that certificate.
    pub(crate) known: Option<Address>,
}

/// Somebody who has come in, and has not sat down yet.
pub(crate) struct Inside {
    connected: Connected,
    seat: Seat,
    nick: Nick,
    inviting: Inviting,
}

impl Inside {
    /// Sits down until the end.
    pub(crate) async fn stay(self) -> anyhow::Result<ExitCode> {
        stay(self.connected, self.seat, self.nick, self.inviting).await
    }
}

/// Goes to a parlor; asks for its passphrase, if there is somebody to ask. Whoever stays outside learns why, and what to do.
pub(crate) async fn enter(visit: Visit) -> anyhow::Result<Inside> {
    let Visit { invite, server, seat, known } = visit;
    let seat = Seat { room: seat.room.or(invite.room.clone()), ..seat };
    let acquaintances = acquaintances()?;
    let words = words(&server)?;
    let mut trust = match &known {
        Some(known) => acquaintances.trust_as(known, &invite, words)?,
        None => acquaintances.trust(&invite, server.plain, words)?,
    };
    let (nick, apart) = nick(seat.nick.clone())?;
    for attempt in 1.. {
        let config = Config {
            address: invite.address.clone(),
            nick: nick.clone(),
            apart,
            trust: trust.clone(),
            acquaintances: Some(acquaintances.clone()),
            agent: agent("join"),
            give_up_after: None,
        };
        let (why, barrier) = match connect(config).await? {
            Ok(connected) => {
                remember(&invite.address, &trust, &connected.2);
                let inviting = passed_on(&invite, &trust, &connected.2);
                return Ok(Inside { connected, seat, nick, inviting });
            }
            Err(outside) => outside,
        };
        match barrier {
            Some(Barrier::PassphraseNeeded | Barrier::PassphraseWrong)
                if std::io::stdin().is_terminal() && attempt <= PASSPHRASE_ATTEMPTS =>
            {
                if barrier == Some(Barrier::PassphraseWrong) || trust.secret.is_some() {
                    complain(&format!("parlor: {why}"));
                }
                trust.secret = Some(Secret::Words(ask_for_passphrase(&invite.address).await?));
            }
            Some(Barrier::Stranger(shown)) => bail!(stranger(&invite, &acquaintances, &shown)?),
            _ => bail!(why),
        }
    }
    bail!("three times was not the passphrase")
}

/// Keeps where a parlor is that let us in, for the next time that somebody looks for it.
fn remember(address: &Address, trust: &Trust, online: &Update) {
    let (Some(file), Update::Online { welcome, .. }) = (known_rooms(), online) else { return };
    let (server, now) = (&welcome.server, protocol::time::Time::now());
    let visit = known_rooms::Visit::new(server.name.clone(), address, trust.plain, now);
    if let Err(error) = file.keep(&RoomChange { parlor: server.id, what: What::Came(visit) }) {
        complain(&format!("parlor: {error}. This visit will not be in the list of parlors"));
    }
}

/// How somebody who has come in brings in others: by the address that worked for them, the certificate that they
/// have seen, and the passphrase if they know its words. A ticket is not passed on, the host counts those.
fn passed_on(invite: &Invite, trust: &Trust, online: &Update) -> Inviting {
    let met = match online {
        Update::Online { met, .. } => met.clone(),
        _ => Met::default(),
    };
    let passphrase = match &trust.secret {
        Some(Secret::Words(words)) if met.key.is_some() => Some(words.clone()),
        _ => None,
    };
    let is_tcp = matches!(invite.address, Address::Tcp { .. });
    let pin = met.fingerprint.as_ref().map(Pin::of);
    let invite =
        Invite { pin, passphrase, plain: trust.plain && is_tcp, ..Invite::to(invite.address.clone()) };
    Inviting { invite, locked: met.key.is_some(), hosting: false, announced: false }
}

/// How often one is asked for the passphrase.
const PASSPHRASE_ATTEMPTS: u32 = 3;

/// Asks without showing what is typed.
async fn ask_for_passphrase(address: &Address) -> anyhow::Result<Passphrase> {
    let prompt = format!("Passphrase of {address}: ");
    loop {
        let prompt = prompt.clone();
        let typed = tokio::task::spawn_blocking(move || rpassword::prompt_password(prompt)).await?;
        match Passphrase::new(&typed.context("no passphrase was given")?) {
            Ok(words) => return Ok(words),
            Err(error) => complain(&format!("parlor: {error}")),
        }
    }
}

/// What to say, and to do, about a server that shows another certificate than it should.
fn stranger(invite: &Invite, known: &Acquaintances, shown: &Fingerprint) -> anyhow::Result<String> {
    let address = &invite.address;
    let words = spell(&shown.0);
    let accept = Invite { pin: Some(Pin::of(shown)), passphrase: None, ..invite.clone() }.command();
    let expected = match (&invite.pin, known.certificate(address)?) {
        (Some(_), _) => "the one that the invite names",
        (None, _) => "the one that it had before",
    };
    Ok(format!(
        "{address} shows another certificate than {expected}. Nothing was told to it.\n\
         Either that parlor was set up anew, or somebody stands between you and it. Its host can say which: the\n\
         certificate that is shown here has the words\n\n    {words}\n\n\
         Only if those are the host's words, accept it:\n\n    {accept}\n"
    ))
}

/// The client's half of `host`: `trust` is as sure as can be, since the server is in this process.
#[cfg(feature = "server")]
pub(crate) async fn sit_down_at_home(
    address: Address,
    trust: Trust,
    seat: Seat,
    inviting: Inviting,
) -> anyhow::Result<ExitCode> {
    let (nick, apart) = nick(seat.nick.clone())?;
    let config = Config {
        address,
        nick: nick.clone(),
        apart,
        trust,
        acquaintances: None,
        agent: agent("host"),
        give_up_after: None,
    };
    let connected = connect(config).await?.map_err(|(why, _)| anyhow::anyhow!(why))?;
    stay(connected, seat, nick, inviting).await
}

/// How one sits there.
#[derive(Clone, Copy, Debug)]
enum How {
    Screen,
    Lines { every_time: bool },
}

impl How {
    fn of(seat: &Seat) -> Self {
        if seat.lines || is_dumb() { Self::Lines { every_time: seat.times } } else { Self::Screen }
    }
}

type Connected = (Link, mpsc::Receiver<Update>, Update);

/// Connects. Whoever stays outside learns why, and what could be done about it.
async fn connect(config: Config) -> anyhow::Result<Result<Connected, (String, Option<Barrier>)>> {
    let shown = config.address.to_string();
    let (link, mut updates) = link::open(config);
    let mut told_at = Some(Instant::now() + SILENT_AT_FIRST);
    loop {
        let update = tokio::select! {
            update = updates.recv() => update,
            () = sleep_until(told_at.unwrap_or_else(Instant::now)), if told_at.is_some() => {
                told_at = None;
                complain(&format!("Connecting to {shown} …"));
                continue;
            }
        };
        match update {
            Some(online @ Update::Online { .. }) => return Ok(Ok((link, updates, online))),
            Some(Update::Offline { why, .. }) => return Ok(Err((why, None))),
            Some(Update::Ended { why, barrier, .. }) => return Ok(Err((why, barrier))),
            Some(_) => {}
            None => bail!("the connection ended before it began"),
        }
    }
}

/// Sits down, on a screen or without: what went wrong before was a sentence.
async fn stay(
    (link, updates, online): Connected,
    seat: Seat,
    wished: Nick,
    inviting: Inviting,
) -> anyhow::Result<ExitCode> {
    let how = How::of(&seat);
    let options = tui::Options {
        link,
        updates,
        first: vec![online],
        room: seat.room,
        wished,
        data: client_folder(),
        settings: settings(seat.settings),
        welcomed: welcomed(),
        known_rooms: known_rooms(),
        themes: themes(),
        inviting,
    };
    let ending = match how {
        How::Screen => tui::run(options).await?,
        How::Lines { every_time } => tui::lines::run(options, every_time).await?,
    };
    if !ending.wanted {
        complain(&format!("parlor: {}", ending.why));
    }
    if ending.unsent.is_empty() {
        return Ok(if ending.wanted { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    complain("These were not stored, or the answer was lost:");
    ending.unsent.iter().for_each(|text| complain(text));
    if ending.kept {
        complain("What of this was to be said is in the input when you come back.");
    }
    Ok(ExitCode::FAILURE)
}

/// `parlor say`.
pub(crate) async fn say(args: Say) -> anyhow::Result<ExitCode> {
    let Say { place, text, reply_to, script } = args;
    let text = (!text.is_empty()).then(|| Text::new(&text.join(" "))).transpose();
    let text = text.map_err(|error| Usage(error.to_string()))?;
    Ok(exit_code(
        say::run(config(script, "say")?, say::What { place, text, reply_to }, &asked_to_end()).await,
    ))
}

/// `parlor tail`.
pub(crate) async fn tail(args: Tail) -> anyhow::Result<ExitCode> {
    let Tail { place, json, last, follow, script } = args;
    let what = tail::What { place, json, last, follow };
    Ok(exit_code(tail::run(config(script, "tail")?, what, &asked_to_end()).await))
}

/// `parlor export`.
pub(crate) async fn export(args: Export) -> anyhow::Result<ExitCode> {
    let Export { place, format, output, script } = args;
    let format = match format {
        FormatArg::Json => export::Format::Json,
        FormatArg::Md => export::Format::Markdown,
        FormatArg::Html => export::Format::Html,
    };
    let what = export::What { place, format, output };
    Ok(exit_code(export::run(config(script, "export")?, what, &asked_to_end()).await))
}

/// `parlor search`.
pub(crate) async fn search(args: Search) -> anyhow::Result<ExitCode> {
    let Search { words, json, limit, script } = args;
    let zone = jiff::tz::TimeZone::system();
    let typed = words.join(" ");
    let read = query::read(&typed, protocol::time::Time::now(), &zone, None).map_err(Usage)?;
    let (search, place) =
        read.ok_or_else(|| Usage("say what to look for: parlor search build failed".to_owned()))?;
    let what = search::What { typed, search, place, json, limit };
    Ok(exit_code(search::run(config(script, "search")?, what, &asked_to_end()).await))
}

/// `parlor pipe`.
pub(crate) async fn pipe(args: Pipe) -> anyhow::Result<ExitCode> {
    Ok(exit_code(pipe::run(config(args.script, "pipe")?, &asked_to_end()).await))
}

/// `parlor bench`.
pub(crate) async fn bench(args: Bench) -> anyhow::Result<ExitCode> {
    let plan = bench::Plan {
        connections: args.connections,
        rooms: args.rooms,
        senders: args.senders.unwrap_or(args.rooms),
        pace: match args.rate {
            Some(rate) => bench::Pace::Clock { rate },
            None => bench::Pace::Answers { in_flight: args.in_flight },
        },
        payload: args.payload,
        duration: args.duration,
        warm_up: args.warm_up,
    };
    plan.check().map_err(|error| Usage(error.to_string()))?;
    let invite = destination(args.destination.or(args.server.address.clone()))?;
    let (trust, acquaintances) = trust(&invite, &args.server)?;
    let config = Config {
        address: invite.address,
        // Each connection has a name of its own.
        nick: Nick::from_system("bench"),
        apart: false,
        trust,
        acquaintances,
        agent: agent("bench"),
        give_up_after: None,
    };
    Ok(exit_code(bench::run(config, plan, args.json, &asked_to_end()).await))
}

/// `parlor find`.
pub(crate) async fn find(args: Find) -> anyhow::Result<ExitCode> {
    let Find { json, wait, follow } = args;
    Ok(exit_code(find::run(find::What { json, wait, follow }, &asked_to_end()).await))
}

fn config(args: ScriptArgs, verb: &str) -> anyhow::Result<Config> {
    let invite = destination(args.server.address.clone())?;
    let (trust, acquaintances) = trust(&invite, &args.server)?;
    let (nick, apart) = nick(args.nick)?;
    Ok(Config {
        nick,
        apart,
        trust,
        address: invite.address,
        acquaintances,
        agent: agent(verb),
        give_up_after: Some(args.timeout),
    })
}

/// How a command for scripts is sure of a server, and where it keeps what is worth remembering.
fn trust(invite: &Invite, args: &ServerArg) -> anyhow::Result<(Trust, Option<Acquaintances>)> {
    let (words, plain) = (words(args)?, args.plain);
    let acquaintances = acquaintances()?;
    // A service may have no place of its own to write to, and something to say all the same.
    match acquaintances.trust(invite, plain, words.clone()) {
        Ok(trust) => Ok((trust, Some(acquaintances))),
        Err(error @ StoreError::Write { .. }) => {
            complain(&format!("parlor: {error}. Going on as a guest, who remembers nothing"));
            Ok((Trust::by_invite(invite, plain, words), None))
        }
        Err(error) => Err(error.into()),
    }
}

/// What is kept of servers, in this user's folder for data.
fn acquaintances() -> anyhow::Result<Acquaintances> {
    Ok(Acquaintances::in_folder(&folder()?))
}

fn folder() -> anyhow::Result<PathBuf> {
    client_folder().context("this system has no folder for data: HOME is not set")
}

/// Where the screen keeps what people set: the file that was named, or that the environment names, or the system's.
pub(crate) fn settings(named: Option<PathBuf>) -> Option<SettingsFile> {
    let of_environment =
        || std::env::var_os("PARLOR_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
    match named.or_else(of_environment) {
        Some(path) => Some(SettingsFile::named(path)),
        None => folders().map(|folders| SettingsFile::at(folders.in_config_dir("config.toml"))),
    }
}

/// The file that is there once somebody has said something from here.
fn welcomed() -> Option<PathBuf> {
    client_folder().map(|folder| folder.join("welcomed"))
}

/// Where it is kept what is remembered of rooms.
pub(crate) fn known_rooms() -> Option<KnownRoomsFile> {
    client_folder().map(|folder| KnownRoomsFile::in_folder(&folder))
}

/// Where the screen looks for themes of one's own: beside the configuration.
pub(crate) fn themes() -> Option<PathBuf> {
    folders().map(|folders| folders.in_config_dir("themes"))
}

/// Who we are.
#[cfg(feature = "server")]
pub(crate) fn identity() -> anyhow::Result<std::sync::Arc<parlor::protocol::proof::KeyPair>> {
    Ok(std::sync::Arc::new(parlor::client::identity::load_or_create(&folder()?)?))
}

/// The passphrase that was given in a file.
fn words(args: &ServerArg) -> anyhow::Result<Option<Passphrase>> {
    args.passphrase_file.as_deref().map(passphrase).transpose()
}

/// What this program calls itself to a server.
fn agent(verb: &str) -> Line {
    Line::lossy(&format!("parlor {} {verb}", env!("CARGO_PKG_VERSION")))
}

/// Where to go: what was named, or what the environment names, or this machine.
fn destination(named: Option<Invite>) -> Result<Invite, Usage> {
    let named = named.map_or_else(|| from_environment("PARLOR_SERVER"), |named| Ok(Some(named)))?;
    Ok(named.unwrap_or_else(|| Invite::to(Address::this_machine())))
}

/// What to be called: what was given, or what the environment says, or what this system calls its user. And whether
/// that was said, so that it holds although the same person may be there under another name.
fn nick(given: Option<Nick>) -> Result<(Nick, bool), Usage> {
    let of_system = || ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    let given = given.map_or_else(|| from_environment("PARLOR_NICK"), |given| Ok(Some(given)))?;
    let apart = given.is_some();
    Ok((given.unwrap_or_else(|| Nick::from_system(&of_system().unwrap_or_default())), apart))
}

/// A setting of the environment. An empty one is none.
pub(crate) fn from_environment<T>(name: &str) -> Result<Option<T>, Usage>
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
