//! The command line: what may be typed, and what it means.

#[cfg(feature = "client")]
use std::ops::RangeInclusive;
use std::path::PathBuf;
#[cfg(feature = "client")]
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

#[cfg(feature = "client")]
use parlor::client::{bench, place::Place};
#[cfg(feature = "server")]
use parlor::protocol::address::Address;
#[cfg(feature = "client")]
use parlor::protocol::invite::Invite;
#[cfg(feature = "client")]
use parlor::protocol::limits::TEXT_BYTES;
#[cfg(feature = "client")]
use parlor::protocol::name::{Nick, RoomName};

/// A chat room for the terminal.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    name = "parlor",
    bin_name = "parlor",
    long_about = "A chat room for the terminal: one program that hosts a room and is a pleasure to talk in.\n\n\
                  `parlor host` and you are talking; others type `parlor`, or the line that it shows, and are in.",
    after_help = "\
Examples:
  parlor                                     the parlors on this network, to join one or host
  parlor host                                a room on this machine, and you in it
  parlor join amber-otter-ricotta-amulet     the parlor of this network with this passphrase
  parlor join 192.168.1.7                    sit down in the room of that machine
  tail -F app.log | parlor say '#ops'        each line a message, none ever lost
  parlor tail '#ops' --json --follow | jq .text",
    after_long_help = "\
Examples:
  parlor                                     the parlors on this network, to join one or host
  parlor host                                a room on this machine, and you in it
  parlor join amber-otter-ricotta-amulet     the parlor of this network with this passphrase
  parlor join 192.168.1.7                    sit down in the room of that machine
  tail -F app.log | parlor say '#ops'        each line a message, none ever lost
  parlor tail '#ops' --json --follow | jq .text

Exit codes: 0 done, 1 failed, 2 wrong usage.
NO_COLOR is obeyed. RUST_LOG sets what the server logs (error, warn, info, debug)."
)]
pub(crate) struct Cli {
    /// What to do; nothing: show which parlors there are.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve here and sit down in it: the one command for a newcomer
    #[cfg(all(feature = "server", feature = "client"))]
    Host(Host),
    /// Serve, without a screen
    #[cfg(feature = "server")]
    Serve(Serve),
    /// Print the line that others type to join the parlor that runs here
    #[cfg(feature = "server")]
    Invite(Invitation),
    /// Save a parlor in one file, while it is at work
    #[cfg(feature = "server")]
    Backup(Backup),
    /// Read a room back from a file that `export --format json` wrote
    #[cfg(feature = "server")]
    Import(Import),
    /// How the parlor stands that runs here: who is in, since when, how much of everything
    #[cfg(feature = "server")]
    Status(Status),
    /// Sit down in a room
    #[cfg(feature = "client")]
    Join(Join),
    /// Print the parlors on this network
    #[cfg(feature = "client")]
    Find(Find),
    /// Say one thing, or each line of standard input; done once it is stored
    #[cfg(feature = "client")]
    Say(Say),
    /// Print what was said, and with --follow what is said from now on
    #[cfg(feature = "client")]
    Tail(Tail),
    /// Write down all that was said in a room, to read or to import elsewhere
    #[cfg(feature = "client")]
    Export(Export),
    /// Find messages by what is in them
    #[cfg(feature = "client")]
    Search(Search),
    /// Standard input and output as JSON lines, both ways: for bots
    #[cfg(feature = "client")]
    Pipe(Pipe),
    /// Measure how fast a parlor is: many connections talk and listen for a while. Use one of its own
    #[cfg(feature = "client")]
    Bench(Bench),
    /// Write the manual, and the completions of shells, into folders
    Docs(Docs),
}

/// Options of `serve`.
#[cfg(feature = "server")]
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  parlor serve                                     for everyone who can reach it and was told the passphrase
  parlor serve --listen 127.0.0.1:7878             for this machine alone
  parlor serve --tls-cert chain.pem --tls-key key.pem
  parlor serve --listen unix:/run/parlor.sock --data /var/lib/parlor
  parlor serve --listen unix:/run/parlor.sock --socket-group staff     for a group of this machine
  parlor serve --retention 90d                     forgets what is older
  parlor serve --durability power                  survives a power cut, not only a crash

At SIGHUP a service reads its configuration and its certificate again. It takes listeners from a service manager (systemd), \
and tells it how it goes: docs/operating.md says how to run it as one.")]
pub(crate) struct Serve {
    /// Where to listen: host:port, [v6]:port or unix:/path; may be given several times [default: port 7878 of all addresses, and with --open or --plain of this machine alone]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Vec<Address>,
    /// The folder of the log [default: the system's data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// What to call this parlor [default: the name of this machine]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Let everyone in who can reach it, without a passphrase
    #[arg(long)]
    pub(crate) open: bool,
    /// A file with the passphrase, in its first line [default: four words, made at the first start]
    #[arg(long, value_name = "FILE", conflicts_with = "open")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Let in nobody without a key, whom nobody could tell from another later; clients make themselves one
    #[arg(long)]
    pub(crate) no_guests: bool,
    /// TCP without TLS: whoever is on the way can read along
    #[arg(long)]
    pub(crate) plain: bool,
    /// A certificate and its chain, in PEM; a service reads it again at SIGHUP [default: one of its own, made at the first start]
    #[arg(long, value_name = "FILE", requires = "tls_key", conflicts_with = "plain")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// The server's configuration file [default: server.toml in the system's configuration folder, if it is there]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What a message that was acknowledged must survive
    #[arg(long, value_enum)]
    pub(crate) durability: Option<DurabilityArg>,
    /// Tell nobody on the network that this parlor is there; `parlor find` will not show it
    #[arg(long)]
    pub(crate) no_announce: bool,
    /// Keep what is said for so long, as in 90d, 8w, 12h or 30m; a room may have its own rule [default: for ever]
    #[arg(long, value_name = "TIME", value_parser = parlor::server::retention::parse)]
    pub(crate) retention: Option<std::time::Duration>,
    /// Lift the limits of rates and connections, for measuring; refused unless only this machine can reach it
    #[arg(long)]
    pub(crate) unlimited: bool,
    /// How to write the log on standard error
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// The message of the day: what those who come in are told, in as many lines as it has
    #[arg(long, value_name = "TEXT", value_parser = parlor::server::live::motd)]
    pub(crate) motd: Option<parlor::protocol::text::Text>,
    /// Who may use the Unix sockets of --listen, as chmod has it: 0666 is every user of this machine [default: 0600, and 0660 with --socket-group]
    #[arg(long, value_name = "MODE", value_parser = parlor::server::socket::parse_mode)]
    pub(crate) socket_mode: Option<u32>,
    /// The group of these sockets, by name or number [default: that of whoever starts it]
    #[arg(long, value_name = "GROUP")]
    pub(crate) socket_group: Option<String>,
}

/// What an acknowledged message must survive.
#[cfg(feature = "server")]
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DurabilityArg {
    /// The end of the program, however sudden (SQLite's synchronous=NORMAL); the default
    Process,
    /// A power cut too (synchronous=FULL): a flush to the disk for each commit
    Power,
}

/// How to write the log.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// Options of `host`.
#[cfg(all(feature = "server", feature = "client"))]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  parlor host                              for everyone on the network who is given the line that it shows
  parlor host --listen 127.0.0.1:7878      for this machine alone
  parlor host --room '#demo' --nick ada")]
pub(crate) struct Host {
    /// How to serve.
    #[command(flatten)]
    pub(crate) serve: Serve,
    /// How to sit down.
    #[command(flatten)]
    pub(crate) seat: Seat,
}

/// Options of `invite`.
#[cfg(feature = "server")]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  parlor invite                            with the passphrase: for those who may come in
  parlor invite --without-passphrase       for a public page: the passphrase is told otherwise
  parlor invite --room '#demo' --qr        as a code, for telephones and the wall")]
pub(crate) struct Invitation {
    /// The folder of the parlor [default: the system's data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The room to invite to
    #[arg(long, value_parser = parlor::protocol::name::RoomName::typed)]
    pub(crate) room: Option<parlor::protocol::name::RoomName>,
    /// Leave the passphrase out
    #[arg(long)]
    pub(crate) without_passphrase: bool,
    /// Draw it as a QR code as well
    #[cfg(feature = "client")]
    #[arg(long)]
    pub(crate) qr: bool,
}

/// Options of `status`.
#[cfg(feature = "server")]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  parlor status
  parlor status --data /var/lib/parlor
  parlor status --json | jq .stats.people

Exit code 0: it runs. 1: none runs there, or it could not be asked; standard error says which.
Whoever may open the folder may ask, and nobody else.")]
pub(crate) struct Status {
    /// The folder of the parlor [default: the system's data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Print one JSON object, with all that is counted
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `backup`.
#[cfg(feature = "server")]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  parlor backup parlor.tar
  parlor backup --force --data /var/lib/parlor /backup/parlor.tar      each night, say

In it are the log, what is known of people, the certificate with its key and the passphrase: keep it as you would \
keep these. To go back to it, unpack it into a new folder:
  mkdir -m 700 /var/lib/parlor
  tar -xf parlor.tar -C /var/lib/parlor
  parlor serve --data /var/lib/parlor")]
pub(crate) struct Backup {
    /// Where to write it: a tar archive, for its owner only
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The folder of the parlor [default: the system's data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// Options of `import`.
#[cfg(feature = "server")]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  parlor export '#ops' --format json --output ops.json
  parlor import ops.json --room '#ops' --data /var/lib/parlor

No server may use the folder meanwhile. All of the file comes in, or nothing of it. Messages keep their ids, times and \
names, and their texts are those that held at the export. Deleted ones stay behind, and so do reactions and who was \
behind a name: in this parlor somebody else may be.")]
pub(crate) struct Import {
    /// What `parlor export --format json` wrote
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The room that it becomes, in which nothing was said yet
    #[arg(long, value_parser = parlor::protocol::name::RoomName::typed)]
    pub(crate) room: parlor::protocol::name::RoomName,
    /// The folder of the parlor [default: the system's data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// Who to be, and where to sit.
#[cfg(feature = "client")]
#[derive(Clone, Debug, Args)]
pub(crate) struct Seat {
    /// What to be called [default: $PARLOR_NICK, or your name on this system]
    #[arg(long)]
    pub(crate) nick: Option<Nick>,
    /// The room to sit down in [default: #lobby]
    #[arg(long, value_parser = RoomName::typed)]
    pub(crate) room: Option<RoomName>,
    /// The file of what you set on the screen [default: $PARLOR_CONFIG, or config.toml in the system's configuration folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// No screen: lines, and a prompt; for screen readers, simple terminals and logs
    #[arg(long)]
    pub(crate) lines: bool,
    /// With --lines: the time before each line, and not only where the minute has changed
    #[arg(long, requires = "lines")]
    pub(crate) times: bool,
}

/// Options of `join`.
#[cfg(feature = "client")]
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  parlor join                               the parlor on this machine, or else the list of those that there are
  parlor join 192.168.1.7                   port 7878 unless said otherwise
  parlor join parlor://lab.example/#demo
  parlor join amber-otter-ricotta-amulet    the parlor of this network whose passphrase that is
  parlor join unix:/run/parlor.sock --nick 李雷

The words are told to no parlor. Each one that is found is asked whether it knows them.")]
pub(crate) struct Join {
    /// Where: host, host:port, [v6]:port, unix:/path, parlor://host:port/#room, or the words of a passphrase [default: $PARLOR_SERVER, or this machine, or what you choose from a list]
    #[arg(value_name = "ADDR|WORDS", conflicts_with = "address")]
    pub(crate) destination: Vec<String>,
    /// The server, where ADDR is not given.
    #[command(flatten)]
    pub(crate) server: ServerArg,
    /// Who to be, and where to sit.
    #[command(flatten)]
    pub(crate) seat: Seat,
}

#[cfg(feature = "client")]
impl Join {
    /// What `parlor join` with these words behind it would be.
    ///
    /// # Errors
    /// When they make no sense.
    pub(crate) fn of(arguments: &[String]) -> Result<Self, clap::Error> {
        let words = ["parlor", "join"].into_iter().map(str::to_owned).chain(arguments.iter().cloned());
        match Cli::try_parse_from(words)?.command {
            Some(Command::Join(join)) => Ok(join),
            _ => Err(clap::Error::new(clap::error::ErrorKind::InvalidSubcommand)),
        }
    }
}

#[cfg(all(feature = "server", feature = "client"))]
impl Host {
    /// What `parlor host` alone would be, for somebody who sits down like this.
    ///
    /// # Errors
    /// Never, as long as nothing that it needs has no default.
    pub(crate) fn alone(seat: Seat) -> Result<Self, clap::Error> {
        match Cli::try_parse_from(["parlor", "host"])?.command {
            Some(Command::Host(host)) => Ok(Self { seat, ..host }),
            _ => Err(clap::Error::new(clap::error::ErrorKind::InvalidSubcommand)),
        }
    }
}

/// Which server, for all commands of the client.
#[cfg(feature = "client")]
#[derive(Clone, Debug, Args)]
pub(crate) struct ServerArg {
    /// Where the parlor is [default: $PARLOR_SERVER, or this machine]
    #[arg(long = "server", value_name = "ADDR")]
    pub(crate) address: Option<Invite>,
    /// A file with the passphrase of the parlor, in its first line [default: what opened it the last time]
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// TCP without TLS, for a parlor that is served so
    #[arg(long)]
    pub(crate) plain: bool,
}

/// Which server and who to be, for scripts.
#[cfg(feature = "client")]
#[derive(Debug, Args)]
pub(crate) struct ScriptArgs {
    /// Which server.
    #[command(flatten)]
    pub(crate) server: ServerArg,
    /// What to be called [default: $PARLOR_NICK, or your name on this system]
    #[arg(long)]
    pub(crate) nick: Option<Nick>,
    /// How long to go on trying while the server cannot be reached, or stores nothing; as in 90s, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub(crate) timeout: Duration,
}

/// Options of `say`.
#[cfg(feature = "client")]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  parlor say '#ops' 'deploy is done'
  parlor say @bob 'deploy is done'          to bob alone
  make 2>&1 | parlor say '#ops' --nick builder
  tail -F app.log | parlor say '#ops'       goes on through a restart of the server

Blank lines are left out, and a line of more than 16 KiB becomes several messages.
Lines go as fast as the server takes them: 20 at once and then 5 a second, unless its host allows more.
Exit code 0: everything was stored. 1: standard error says why not, and names the lines.")]
pub(crate) struct Say {
    /// The room, with or without its #; or @NAME, or @NAME,NAME: those with whom you speak alone
    #[arg(value_name = "ROOM")]
    pub(crate) place: Place,
    /// What to say, in one word or several; without it, each line of standard input is a message
    #[arg(value_name = "TEXT")]
    pub(crate) text: Vec<String>,
    /// The message that it answers: its seq, as tail --json prints it
    #[arg(long, value_name = "SEQ", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) reply_to: Option<u64>,
    /// Which server and who to be.
    #[command(flatten)]
    pub(crate) script: ScriptArgs,
}

/// Options of `tail`.
#[cfg(feature = "client")]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  parlor tail '#ops'                         the last 10 messages
  parlor tail '#ops' --last 100 --follow
  parlor tail '#ops' --json --follow | jq -r .text

What --json prints is described in docs/protocol.md.
With --follow it goes on through a restart of the server, and leaves nothing out.")]
pub(crate) struct Tail {
    /// The room, with or without its #; or @NAME, or @NAME,NAME: those with whom you speak alone
    #[arg(value_name = "ROOM")]
    pub(crate) place: Place,
    /// The wire's own objects, one a line
    #[arg(long)]
    pub(crate) json: bool,
    /// How many of the last entries to begin with
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) last: u64,
    /// Go on with what is said from now on
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Which server and who to be.
    #[command(flatten)]
    pub(crate) script: ScriptArgs,
}

/// Options of `export`.
#[cfg(feature = "client")]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  parlor export '#ops' --format html --output ops.html
  parlor export '#ops' --format json | jq -r .text
  parlor export '#ops' --format json --output ops.json      what `parlor import` reads

Each message has the text that holds now, and says whether it was edited. Of a deleted one only its place is left.
What --format json prints is described in docs/protocol.md; it holds the changes too, as entries of their own.")]
pub(crate) struct Export {
    /// The room, with or without its #; or @NAME, or @NAME,NAME: those with whom you speak alone
    #[arg(value_name = "ROOM")]
    pub(crate) place: Place,
    /// For people, or for programs: the wire's own objects, one a line
    #[arg(long, value_enum, default_value = "md")]
    pub(crate) format: FormatArg,
    /// Where to write it, all at once in the end [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Which server and who to be.
    #[command(flatten)]
    pub(crate) script: ScriptArgs,
}

/// How to write down a room.
#[cfg(feature = "client")]
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FormatArg {
    /// One JSON object a line
    Json,
    /// Markdown
    Md,
    /// One page that needs nothing else
    Html,
}

/// Options of `search`.
#[cfg(feature = "client")]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  parlor search build failed                 messages with both words, the newest first
  parlor search '\"build failed\"' in:#ops    with the phrase, in one room
  parlor search from:bob after:yesterday has:link
  parlor search build in:@bob                what you and bob said alone
  parlor search mentions:me --json | jq -r .text

Filters: from:NAME in:ROOM before:DAY after:DAY has:link has:file mentions:me. A DAY is 2026-11-03, yesterday, monday, \
14:00, or a day and a time in quotation marks. Without in: all rooms are searched that the server lists.
Each line is room, number, time, name and text; `/goto #NUMBER` goes there. Finding nothing is no failure.")]
pub(crate) struct Search {
    /// Words and filters
    #[arg(required = true)]
    pub(crate) words: Vec<String>,
    /// The wire's own objects, one a line
    #[arg(long)]
    pub(crate) json: bool,
    /// How many to print, at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: u64,
    /// Which server and who to be.
    #[command(flatten)]
    pub(crate) script: ScriptArgs,
}

/// Options of `pipe`.
#[cfg(feature = "client")]
#[derive(Debug, Args)]
#[command(after_help = "\
Standard input: the commands of docs/protocol.md, one JSON object a line.
Standard output: the events, likewise.
The greeting, pings and coming back after a break are taken care of, and a command without an id gets one.
It ends with its input, once everything was answered and what was joined has come.

Example:
  echo '{\"type\":\"rooms\"}' | parlor pipe
  coproc parlor pipe                        a bot in bash; see examples/ for more")]
pub(crate) struct Pipe {
    /// Which server and who to be.
    #[command(flatten)]
    pub(crate) script: ScriptArgs,
}

/// Options of `bench`.
#[cfg(feature = "client")]
#[derive(Debug, Args)]
#[command(after_help = "\
It writes what it says into the log of that parlor, in the rooms #bench-0, #bench-1, …, where it \
stays. So measure one of its own, whose limits on rates and connections are lifted:
  parlor serve --listen 127.0.0.1:7000 --plain --open --unlimited \\
    --data \"$(mktemp -d)\"

Examples:
  parlor bench 127.0.0.1:7000 --plain                    how long a message takes
  parlor bench 127.0.0.1:7000 --plain --in-flight 64     how many messages get through
  parlor bench 127.0.0.1:7000 --plain --rate 1000        how long each takes at 1,000 a second
  parlor bench 127.0.0.1:7000 --plain --connections 2000 --rooms 100 --json
  parlor bench 'parlor://lab.example/#?fp=…&p=…'         over TLS, by an invite

With --rate they talk by the clock, and each latency counts from when the message was due.
What the numbers mean, and the fields of --json, is in docs/performance.md.
Exit code 0: all that was stored came to everyone, in order. 1: standard error says what did not.")]
pub(crate) struct Bench {
    /// Where: host:port, [v6]:port, unix:/path or parlor://… [default: $PARLOR_SERVER, or this machine]
    #[arg(value_name = "ADDR", conflicts_with = "address")]
    pub(crate) destination: Option<Invite>,
    /// The server, where ADDR is not given.
    #[command(flatten)]
    pub(crate) server: ServerArg,
    /// Connections in all; each hears its room
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = number(bench::CONNECTIONS))]
    pub(crate) connections: usize,
    /// Rooms over which they are spread evenly
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = number(bench::CONNECTIONS))]
    pub(crate) rooms: usize,
    /// Connections that talk [default: one for each room]
    #[arg(long, value_name = "N", value_parser = number(bench::CONNECTIONS))]
    pub(crate) senders: Option<usize>,
    /// Messages that each sender has on their way: it says the next one when an answer comes
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = number(bench::IN_FLIGHT), conflicts_with = "rate")]
    pub(crate) in_flight: usize,
    /// Messages a second of all senders together, by the clock and without waiting for answers
    #[arg(long, value_name = "R", value_parser = number(bench::RATE))]
    pub(crate) rate: Option<usize>,
    /// Bytes of each text
    #[arg(long, value_name = "BYTES", default_value_t = 100, value_parser = number(bench::PAYLOAD_SHORTEST..=TEXT_BYTES))]
    pub(crate) payload: usize,
    /// How long to measure; as in 90s, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time_to_measure)]
    pub(crate) duration: Duration,
    /// How long to talk before that, uncounted
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = time_of_a_day)]
    pub(crate) warm_up: Duration,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `docs`.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
#[command(after_help = "\
Examples:
  parlor docs --man ~/.local/share/man/man1           then: man parlor
  parlor docs --completions ~/.local/share/bash-completion/completions
  parlor docs --completions ~/.config/fish/completions

bash reads parlor.bash, zsh _parlor, which belongs into a folder of its fpath, and fish parlor.fish. \
What an earlier parlor wrote there is replaced.")]
pub(crate) struct Docs {
    /// The folder for the manual: parlor.1, and a page for each command, such as parlor-join.1
    #[arg(long, value_name = "DIR")]
    pub(crate) man: Option<PathBuf>,
    /// The folder for the completions of bash, zsh and fish
    #[arg(long, value_name = "DIR")]
    pub(crate) completions: Option<PathBuf>,
}

/// Options of `find`.
#[cfg(feature = "client")]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  parlor find                                what is heard within two seconds
  parlor find --follow                       + who comes, ~ what changes, - who goes; until Ctrl-C
  parlor find --json | jq -r '.addresses[0]'

What --json prints is described in docs/protocol.md.
Anybody on a network can announce a parlor under any name: the certificate and the passphrase say whom you have found.
Exit code 0: at least one was found. 1: none, and standard error says why that may be.")]
pub(crate) struct Find {
    /// An object a line, with all that is known of each parlor
    #[arg(long)]
    pub(crate) json: bool,
    /// How long to look, as in 2s or 1m
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = time_to_look)]
    pub(crate) wait: Duration,
    /// Go on looking, and say what changes
    #[arg(long, short, conflicts_with = "wait")]
    pub(crate) follow: bool,
}

/// A number of a range.
#[cfg(feature = "client")]
fn number(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> + Clone + Send + Sync {
    move |raw| {
        let number = raw.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("write a number from {} to {}", range.start(), range.end()))
    }
}

#[cfg(feature = "client")]
fn time_of_a_day(raw: &str) -> Result<Duration, String> {
    let time = duration(raw)?;
    if time > bench::LONGEST { Err("at most a day".to_owned()) } else { Ok(time) }
}

#[cfg(feature = "client")]
fn time_to_measure(raw: &str) -> Result<Duration, String> {
    let time = time_of_a_day(raw)?;
    if time.is_zero() { Err("at least a second".to_owned()) } else { Ok(time) }
}

#[cfg(feature = "client")]
fn time_to_look(raw: &str) -> Result<Duration, String> {
    // Nothing answers in no time.
    time_to_measure(raw)
}

#[cfg(feature = "client")]
fn duration(raw: &str) -> Result<Duration, String> {
    let number_ends = raw.find(|c: char| !c.is_ascii_digit()).unwrap_or(raw.len());
    let (number, unit) = raw.split_at(number_ends);
    let seconds: u64 = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("write a time as in 90s, 5m or 1h".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "write a time as in 90s, 5m or 1h".to_owned())?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    /// One that ends within a sentence would be wrapped a second time by a narrow terminal.
    #[test]
    fn a_help_is_not_wrapped_by_hand() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in help.lines().filter(|line| !line.starts_with(' ')) {
                assert!(line.is_empty() || line.ends_with(['.', ':']), "{}: {line}", command.get_name());
            }
        }
    }

    #[cfg(feature = "client")]
    #[test]
    fn times_have_units() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert!(duration("5 m").is_err() && duration("").is_err() && duration("1d").is_err());
        assert!(time_to_measure("1s").is_ok() && time_to_measure("24h").is_ok());
        assert!(time_to_measure("0").is_err() && time_to_measure("25h").is_err());
        assert!(time_of_a_day("0").is_ok() && time_of_a_day("99999999999999999999h").is_err());
    }
}
