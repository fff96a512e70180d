//! What the tests over real sockets share: a server of one's own, and a client that sees the wire.
//!
//! Nothing here sleeps: everything waits for an event, under a time that only a fault exceeds.

// Each test program uses a part of this; and what fails here must fail loudly.
#![allow(dead_code, unreachable_pub, missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

pub mod terminal;
pub mod tls;

use std::fs::File;
use std::future::Future;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command as Process, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use parlor::protocol::address::Address;
use parlor::protocol::command::{Command, Hello, InRoom, Join, Ping, Plain, RequestId, Send};
use parlor::protocol::event::{Entry, Event, Failure, Okay, Ready, Reason, Welcome};
use parlor::protocol::frame::{Frame, FrameReader};
use parlor::protocol::limits::EVENT_BYTES;
use parlor::protocol::name::{Nick, RoomName};
use parlor::protocol::proof::{Binding, Fingerprint, Identity, KeyPair, Passphrase, ProofKey, PublicKey};
use parlor::protocol::text::{Line, Text};
use parlor::server::config::{Config, Limits};
use parlor::server::door::Ask;
use parlor::server::retention::Retention;
use parlor::server::tls::Source;
use parlor::server::{Fault, Server};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Where programs find a server of [`Program`] that has neither TLS nor a passphrase.
pub fn plain_invite(port: u16) -> String {
    format!("parlor://127.0.0.1:{port}/?plain")
}

/// Longer than anything here takes on a busy machine: reaching it is a failure.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The file, beside its log, into which a program complains.
pub const COMPLAINTS: &str = "stderr";

/// Where a program finds what is its user's.
pub const HOMES: [&str; 3] = ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"];

/// What would come into a test from the environment of whoever runs it.
pub const FOREIGN: [&str; 4] = ["PARLOR_SERVER", "PARLOR_NICK", "RUST_LOG", "NO_COLOR"];

/// `parlor`, with `home` for all of its user's home, and nothing of this one's environment that it heeds.
pub fn parlor(home: &Path) -> Process {
    at_home(Process::new(env!("CARGO_BIN_EXE_parlor")), home)
}

fn at_home(mut command: Process, home: &Path) -> Process {
    for name in FOREIGN {
        command.env_remove(name);
    }
    command.envs(HOMES.map(|name| (name, home)));
    command
}

/// An address of this machine, which only it can reach.
pub fn loopback(port: u16) -> Address {
    Address::Tcp { host: "127.0.0.1".to_owned(), port }
}

/// Waits for what must happen.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it did not happen in time")
}

pub fn room(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

pub fn nick(name: &str) -> Nick {
    Nick::new(name).unwrap()
}

pub fn message(room_name: &str, text: &str) -> Send {
    let text = Text::new(text).unwrap();
    Send { id: Uuid::now_v7(), room: room(room_name), text, action: false, reply_to: None }
}

/// No limits on rates: for tests that are about something else.
pub fn unlimited() -> Limits {
    Limits::default().unlimited()
}

/// A server in this process, on a port of its own, with a folder of its own.
pub struct TestServer {
    pub port: u16,
    folder: Option<TempDir>,
    config: Config,
    /// Of its certificate, if it has one.
    pub fingerprint: Option<Fingerprint>,
    /// Its passphrase, if it has one.
    pub words: Option<Passphrase>,
    shutdown: CancellationToken,
    running: JoinHandle<Result<(), Fault>>,
}

/// A parlor on this folder that everyone may enter and where nothing is limited, at a port that the system chooses.
fn open_config(data: &Path) -> Config {
    Config {
        listen: vec![loopback(0)],
        tls: None,
        ask: Ask::Nothing,
        limits: unlimited(),
        ..Config::new(data)
    }
}

impl TestServer {
    pub async fn start() -> Self {
        Self::with(unlimited()).await
    }

    pub async fn with(limits: Limits) -> Self {
        Self::behind(None, Ask::Nothing, limits).await
    }

    /// With a certificate of its own and a passphrase: closed, as parlors are.
    pub async fn closed() -> Self {
        Self::behind(Some(Source::Own), Ask::OwnWords, unlimited()).await
    }

    /// The same on a folder that is there.
    pub async fn closed_on(folder: TempDir) -> Self {
        let (tls, ask) = (Some(Source::Own), Ask::OwnWords);
        let config = Config { tls, ask, ..open_config(folder.path()) };
        Self::on(folder, config).await
    }

    /// Open, and of the host with this key.
    pub async fn of_host(key: PublicKey, limits: Limits) -> Self {
        let folder = TempDir::new().unwrap();
        let config = Config { host: Some(key), limits, ..open_config(folder.path()) };
        Self::on(folder, config).await
    }

    /// Closed, and of the host with this key.
    pub async fn closed_by(key: PublicKey) -> Self {
        let folder = TempDir::new().unwrap();
        let (tls, ask, host) = (Some(Source::Own), Ask::OwnWords, Some(key));
        let config = Config { tls, ask, host, ..open_config(folder.path()) };
        Self::on(folder, config).await
    }

    /// Open, on a folder that is there, and of the host with this key.
    pub async fn keeping(folder: TempDir, retention: Retention, key: PublicKey) -> Self {
        let config = Config { host: Some(key), retention, ..open_config(folder.path()) };
        Self::on(folder, config).await
    }

    pub async fn behind(tls: Option<Source>, ask: Ask, limits: Limits) -> Self {
        let folder = TempDir::new().unwrap();
        let config = Config { tls, ask, limits, ..open_config(folder.path()) };
        Self::on(folder, config).await
    }

    async fn on(folder: TempDir, config: Config) -> Self {
        let server = Server::bind(config.clone()).await.unwrap();
        let Address::Tcp { port, .. } = server.addresses()[0].clone() else { panic!("no TCP") };
        let (fingerprint, words) = (server.fingerprint(), server.words().cloned());
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(server.run(shutdown.clone()));
        Self { port, folder: Some(folder), config, fingerprint, words, shutdown, running }
    }

    pub fn data(&self) -> &Path {
        self.folder.as_ref().unwrap().path()
    }

    /// Shuts it down and waits for the end.
    pub async fn stop(&mut self) {
        self.shutdown.cancel();
        soon(&mut self.running).await.unwrap().unwrap();
    }

    /// Shuts it down and starts another one on the same folder and port.
    pub async fn restart(mut self) -> Self {
        self.stop().await;
        self.start_again().await
    }

    /// Starts another one, where one was shut down.
    pub async fn start_again(mut self) -> Self {
        let listen = vec![loopback(self.port)];
        Self::on(self.folder.take().unwrap(), Config { listen, ..self.config.clone() }).await
    }

    /// A client that knows the passphrase.
    pub async fn client_inside(&self, name: &str) -> TestClient {
        self.client_with(name, None).await
    }

    /// The same, with a key.
    pub async fn client_with(&self, name: &str, pair: Option<&KeyPair>) -> TestClient {
        let (read, write) = tokio::io::split(tls::dial_tls(self.port).await);
        let (mut reader, mut writer): (FrameReader<Read>, Write) =
            (FrameReader::new(Box::new(read), EVENT_BYTES), Box::new(write));
        let Some(Event::Welcome(welcome)) = event(&mut reader).await else { panic!("no welcome") };
        let asked = welcome.auth.scrypt.unwrap();
        let key = ProofKey::derive(self.words.as_ref().unwrap(), &asked.salt, asked.cost).unwrap();
        let (challenge, binding) = (&welcome.auth.challenge, self.fingerprint.unwrap().into());
        let proof = key.prove(challenge, binding);
        let identity =
            pair.map(|pair| Identity { key: pair.public(), signature: pair.sign(challenge, binding) });
        let Command::Hello(hello) = hello(name, None) else { panic!("no hello") };
        let hello = Command::Hello(Box::new(Hello { proof: Some(proof), identity, ..*hello }));
        soon(writer.write_all(&Frame::encode(&hello).into_bytes())).await.unwrap();
        match event(&mut reader).await {
            Some(Event::Ready(ready)) => TestClient { reader, writer, ready },
            other => panic!("{other:?}"),
        }
    }

    /// A client with a key, where there is neither TLS nor a passphrase.
    pub async fn client_of(&self, name: &str, pair: &KeyPair) -> TestClient {
        let (mut reader, mut writer) = TestClient::dial(self.port).await;
        let Some(Event::Welcome(welcome)) = event(&mut reader).await else { panic!("no welcome") };
        let signature = pair.sign(&welcome.auth.challenge, Binding::NONE);
        let identity = Some(Identity { key: pair.public(), signature });
        let Command::Hello(hello) = hello(name, None) else { panic!("no hello") };
        let hello = Command::Hello(Box::new(Hello { identity, ..*hello }));
        soon(writer.write_all(&Frame::encode(&hello).into_bytes())).await.unwrap();
        match event(&mut reader).await {
            Some(Event::Ready(ready)) => TestClient { reader, writer, ready },
            other => panic!("{other:?}"),
        }
    }

    pub async fn client(&self, name: &str) -> TestClient {
        TestClient::connect(self.port, name).await
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// The real program, in a process of its own. Killed when dropped.
pub struct Program {
    pub child: Child,
    /// What it says of where it listens, in the order of `--listen`.
    pub addresses: Vec<Address>,
    /// The port of the first of them that is TCP.
    pub port: u16,
    /// Kept open: whoever closes it makes the program's own writing fail.
    stdout: BufReader<ChildStdout>,
}

impl Program {
    /// `parlor serve` on `folder`, on `port` or one that the system chooses, with further options.
    pub fn serve(folder: &Path, port: u16, options: &[&str]) -> Self {
        let mut command = Self::command(folder);
        command.args(["--listen", &format!("127.0.0.1:{port}")]).args(options);
        Self::start(command, 1)
    }

    /// `parlor serve` on `folder`, which is also all of this user's home that it sees.
    pub fn command(folder: &Path) -> Process {
        Self::command_of(parlor(folder), folder)
    }

    /// The same, started by a shell that first says `before`: limits that the program shall live under.
    pub fn under(before: &str, folder: &Path) -> Process {
        let mut shell = Process::new("sh");
        shell.args(["-c", &format!("{before}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_parlor")]);
        Self::command_of(at_home(shell, folder), folder)
    }

    /// The same where `before` may mount something, which nobody else sees and which goes with the program. Nothing,
    /// with a word of why, where this user may not.
    pub fn apart(before: &str, folder: &Path) -> Option<Process> {
        let may = ["-rm", "mount", "-t", "tmpfs", "none", "/tmp"];
        if !Process::new("unshare").args(may).output().is_ok_and(|tried| tried.status.success()) {
            skip("this user may not mount anything, and `unshare -rm` does not help");
            return None;
        }
        let mut command = Process::new("unshare");
        let script = format!("{before} && exec \"$0\" \"$@\"");
        command.args(["-rm", "sh", "-c", &script, env!("CARGO_BIN_EXE_parlor")]);
        Some(Self::command_of(at_home(command, folder), folder))
    }

    fn command_of(mut command: Process, folder: &Path) -> Process {
        command
            .args(["serve", "--plain", "--open", "--data"])
            .arg(folder)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stderr(File::options().create(true).append(true).open(folder.join(COMPLAINTS)).unwrap());
        command
    }

    /// Starts it and waits until it has said so of each of its `listeners`.
    pub fn start(mut command: Process, listeners: usize) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut addresses = Vec::new();
        for _ in 0..listeners {
            addresses.push(listening(&mut stdout));
        }
        let port = addresses.iter().find_map(|address| match address {
            Address::Tcp { port, .. } => Some(*port),
            Address::Unix(_) => None,
        });
        Self { child, addresses, port: port.unwrap_or(0), stdout }
    }

    /// Where the next one listens that a shell starts in its place.
    pub fn next_port(&mut self) -> u16 {
        match listening(&mut self.stdout) {
            Address::Tcp { port, .. } => port,
            Address::Unix(path) => panic!("{}", path.display()),
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// `kill -TERM`: asks it to end.
    pub fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Process::new("sh").args(["-c", "kill -TERM \"$0\"", &id]).status().unwrap().success());
    }

    /// Waits for its end, at most so long.
    pub fn exit_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        exit_within(&mut self.child, limit)
    }

    /// A number of kB from `/proc/PID/status`.
    pub fn memory(&self, what: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':')).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

/// What a program says of one of its listeners.
fn listening(stdout: &mut impl BufRead) -> Address {
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    line.trim_end().strip_prefix("listening on ").expect("it did not start").parse().unwrap()
}

/// A test cannot be done here: says so, and fails where `PARLOR_NO_SKIP` says that all of them can.
pub fn skip(why: &str) {
    eprintln!("skipped: {why}");
    assert!(std::env::var_os("PARLOR_NO_SKIP").is_none(), "{why}");
}

impl Drop for Program {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill();
        }
    }
}

/// Waits for the end of a process, at most so long.
pub fn exit_within(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let start = Instant::now();
    loop {
        // The system has no call that waits for a child and a time.
        match child.try_wait().unwrap() {
            None if start.elapsed() < limit => std::thread::sleep(Duration::from_millis(2)),
            ended => return ended,
        }
    }
}

pub type Read = Box<dyn AsyncRead + std::marker::Send + Unpin>;
pub type Write = Box<dyn AsyncWrite + std::marker::Send + Unpin>;

/// A client that sees the wire as it is: no retries, no cursors.
pub struct TestClient {
    pub reader: FrameReader<Read>,
    pub writer: Write,
    pub ready: Box<Ready>,
}

impl TestClient {
    pub async fn connect(port: u16, name: &str) -> Self {
        Self::try_connect(port, name, None).await.expect("refused")
    }

    /// Connects without a word.
    pub async fn dial(port: u16) -> (FrameReader<Read>, Write) {
        Self::halves(soon(TcpStream::connect(("127.0.0.1", port))).await.unwrap())
    }

    /// Connects with so small a buffer that it is full soon when it does not read.
    pub async fn connect_narrow(port: u16, name: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let stream = soon(socket.connect(([127, 0, 0, 1], port).into())).await.unwrap();
        Self::greet(Self::halves(stream), name, None).await.expect("refused")
    }

    pub fn halves(stream: TcpStream) -> (FrameReader<Read>, Write) {
        stream.set_nodelay(true).unwrap();
        let (read, write) = stream.into_split();
        (FrameReader::new(Box::new(read), EVENT_BYTES), Box::new(write))
    }

    pub async fn try_connect(port: u16, name: &str, resume: Option<Uuid>) -> Result<Self, Failure> {
        Self::greet(Self::dial(port).await, name, resume).await
    }

    /// The same while the server may be killed: nothing, if it was.
    pub async fn connect_unless_killed(port: u16, name: &str) -> Option<Self> {
        Self::enter(port, |_| hello(name, None)).await?.ok()
    }

    /// With a key, where there is no TLS; nothing, if the server was killed.
    pub async fn try_with_key(port: u16, name: &str, pair: &KeyPair) -> Option<Self> {
        Self::knock_with_key(port, name, pair).await.map(|entered| entered.expect("refused"))
    }

    /// The same for one who may be refused.
    pub async fn knock_with_key(port: u16, name: &str, pair: &KeyPair) -> Option<Result<Self, Failure>> {
        Self::enter(port, |welcome| {
            let Command::Hello(hello) = hello(name, None) else { panic!("no hello") };
            let signature = pair.sign(&welcome.auth.challenge, Binding::NONE);
            let identity = Some(Identity { key: pair.public(), signature });
            Command::Hello(Box::new(Hello { identity, ..*hello }))
        })
        .await
    }

    /// Comes in with a key, or as a guest, from the address 127.0.0.`from`, and changes what is said of it before.
    pub async fn come_from(
        (port, from): (u16, u8),
        name: &str,
        pair: Option<&KeyPair>,
        change: impl FnOnce(Hello) -> Hello,
    ) -> Result<Self, Failure> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, from], 0).into()).unwrap();
        let stream = soon(socket.connect(([127, 0, 0, 1], port).into())).await.unwrap();
        let entered = Self::enter_by(stream, |welcome| {
            let Command::Hello(hello) = hello(name, None) else { panic!("no hello") };
            let sign = |pair: &KeyPair| pair.sign(&welcome.auth.challenge, Binding::NONE);
            let identity = pair.map(|pair| Identity { key: pair.public(), signature: sign(pair) });
            Command::Hello(Box::new(change(Hello { identity, ..*hello })))
        });
        entered.await.expect("the connection ended")
    }

    async fn enter(port: u16, hello: impl FnOnce(&Welcome) -> Command) -> Option<Result<Self, Failure>> {
        Self::enter_by(soon(TcpStream::connect(("127.0.0.1", port))).await.ok()?, hello).await
    }

    async fn enter_by(
        stream: TcpStream,
        hello: impl FnOnce(&Welcome) -> Command,
    ) -> Option<Result<Self, Failure>> {
        let (mut reader, mut writer) = Self::halves(stream);
        let welcome = match event(&mut reader).await? {
            Event::Welcome(welcome) => welcome,
            Event::Error(failure) => return Some(Err(failure)),
            other => panic!("{other:?}"),
        };
        soon(writer.write_all(&Frame::encode(&hello(&welcome)).into_bytes())).await.ok()?;
        match event(&mut reader).await? {
            Event::Ready(ready) => Some(Ok(Self { reader, writer, ready })),
            Event::Error(failure) => Some(Err(failure)),
            other => panic!("{other:?}"),
        }
    }

    /// The handshake, over whatever there is.
    pub async fn greet(
        (mut reader, mut writer): (FrameReader<Read>, Write),
        name: &str,
        resume: Option<Uuid>,
    ) -> Result<Self, Failure> {
        match event(&mut reader).await {
            Some(Event::Welcome(_)) => {}
            Some(Event::Error(failure)) => return Err(failure),
            other => panic!("{other:?}"),
        }
        let bytes = Frame::encode(&hello(name, resume)).into_bytes();
        soon(writer.write_all(&bytes)).await.unwrap();
        match event(&mut reader).await {
            Some(Event::Ready(ready)) => Ok(Self { reader, writer, ready }),
            Some(Event::Error(failure)) => Err(failure),
            other => panic!("{other:?}"),
        }
    }

    pub async fn say(&mut self, command: Command) {
        self.write(&Frame::encode(&command).into_bytes()).await;
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        soon(self.writer.write_all(bytes)).await.unwrap();
    }

    /// The next event; `None` at the end.
    pub async fn event(&mut self) -> Option<Event> {
        event(&mut self.reader).await
    }

    /// The next event that `pick` wants, skipping others.
    pub async fn until<T>(&mut self, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        loop {
            let event = self.event().await.expect("the connection ended");
            if let Some(found) = pick(event) {
                return found;
            }
        }
    }

    /// Says something that may not be a command.
    pub async fn say_json(&mut self, json: &serde_json::Value) {
        self.write(&frame(json.to_string().as_bytes())).await;
    }

    /// The answer to the command with this id, skipping events.
    pub async fn answer(&mut self, id: &RequestId) -> Result<Okay, Failure> {
        self.until(|event| match event {
            Event::Ok(ok) if ok.re.as_ref() == Some(id) => Some(Ok(ok)),
            Event::Error(failure) if failure.re.as_ref() == Some(id) => Some(Err(failure)),
            Event::Error(failure) => panic!("{failure}"),
            _ => None,
        })
        .await
    }

    /// Says a command that is made for an id, and waits for its answer.
    pub async fn ask(&mut self, command: impl FnOnce(Option<RequestId>) -> Command) -> Result<Okay, Failure> {
        let id = RequestId::from(Uuid::now_v7());
        self.say(command(Some(id.clone()))).await;
        self.answer(&id).await
    }

    /// Joins and waits for the answer.
    pub async fn join(&mut self, name: &str, after: u64, limit: Option<u64>) -> Okay {
        self.try_join(name, after, limit).await.expect("may not join")
    }

    pub async fn try_join(&mut self, name: &str, after: u64, limit: Option<u64>) -> Result<Okay, Failure> {
        let id = RequestId::from(Uuid::now_v7());
        self.say(Command::Join(Join { id: Some(id.clone()), room: room(name), after, limit, words: None }))
            .await;
        self.answer(&id).await
    }

    /// Leaves and waits for the answer.
    pub async fn leave(&mut self, name: &str) {
        let id = RequestId::from(Uuid::now_v7());
        self.say(Command::Leave(InRoom { id: Some(id.clone()), room: room(name) })).await;
        self.answer(&id).await.expect("may not leave");
    }

    /// Sends and waits until it is stored; says its `seq`.
    pub async fn send(&mut self, name: &str, text: &str) -> u64 {
        self.submit(message(name, text)).await.expect("not stored")
    }

    /// The same for a message of one's own making.
    pub async fn submit(&mut self, send: Send) -> Result<u64, Failure> {
        let id = RequestId::from(send.id);
        self.say(Command::Send(send)).await;
        Ok(self.answer(&id).await?.seq.expect("an entry has a seq"))
    }

    /// All that was on its way to this client: what arrives until the server has answered twice. Once is
    /// not enough, for the writer takes answers before it looks at the rooms.
    pub async fn drain(&mut self) -> Vec<Event> {
        let mut drained = Vec::new();
        for _ in 0..2 {
            let id = RequestId::from(Uuid::now_v7());
            self.say(Command::Ping(Ping { id: Some(id.clone()), sent: None })).await;
            loop {
                match self.event().await.expect("the connection ended") {
                    Event::Pong(pong) if pong.re.as_ref() == Some(&id) => break,
                    other => drained.push(other),
                }
            }
        }
        drained
    }

    /// The next entries, so many.
    pub async fn entries(&mut self, count: usize) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(count);
        while entries.len() < count {
            entries.push(self.entry().await);
        }
        entries
    }

    /// The next entry.
    pub async fn entry(&mut self) -> Entry {
        self.until(|event| match event {
            Event::Entry(entry) => Some(entry),
            _ => None,
        })
        .await
    }

    /// The next error.
    pub async fn failure(&mut self) -> Failure {
        self.until(|event| match event {
            Event::Error(failure) => Some(failure),
            _ => None,
        })
        .await
    }

    /// Waits for the last word, and for the end.
    pub async fn bye(&mut self) -> Reason {
        let reason = self
            .until(|event| match event {
                Event::Bye(bye) => Some(bye.reason),
                _ => None,
            })
            .await;
        assert!(self.event().await.is_none(), "bye is the last word");
        reason
    }

    pub async fn quit(mut self) {
        self.say(Command::Bye(Plain::default())).await;
        assert_eq!(self.bye().await, Reason::Quit);
    }
}

/// The whole log of a room, as one who comes new reads it.
pub async fn log_of(port: u16, room: &str) -> Vec<Entry> {
    let mut late = TestClient::connect(port, "late").await;
    let last = late.join(room, 0, None).await.room.unwrap().last;
    let log = late.entries(usize::try_from(last).unwrap()).await;
    assert_eq!(seqs(&log), (1..=last).collect::<Vec<_>>(), "1, 2, 3, …");
    late.quit().await;
    log
}

/// The next event; `None` at the end.
pub async fn event(reader: &mut FrameReader<Read>) -> Option<Event> {
    let json = soon(reader.next()).await.ok()??;
    Some(Event::decode(&json).unwrap())
}

/// The first thing that a client says.
pub fn hello(name: &str, resume: Option<Uuid>) -> Command {
    Command::Hello(Box::new(Hello {
        protocol: 1,
        nick: nick(name),
        resume,
        proof: None,
        ticket: None,
        identity: None,
        apart: false,
        agent: Line::lossy("test"),
    }))
}

/// Enters a room; the answer is of no interest.
pub fn join(name: &str, after: u64) -> Command {
    Command::Join(Join { id: None, room: room(name), after, limit: None, words: None })
}

/// A frame with whatever in it.
pub fn frame(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap();
    [&length.to_be_bytes(), content].concat()
}

/// The places of entries, in the order in which they came.
pub fn seqs(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq).collect()
}

/// The texts of entries, in the order in which they came.
pub fn texts(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.text.as_str()).collect()
}
