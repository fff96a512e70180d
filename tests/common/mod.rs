//! What the tests over real sockets share: a server of one's own, and a client that sees the wire.
//!
//! Nothing here sleeps: everything waits for an event, under a time that only a fault exceeds.

// Each test program uses a part of this; and what fails here must fail loudly.
#![allow(dead_code, unreachable_pub, missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod terminal;

use std::future::Future;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::time::Duration;

use parlor::protocol::address::Address;
use parlor::protocol::command::{Command, Hello, InRoom, Join, Plain, RequestId, Send};
use parlor::protocol::event::{Entry, Event, Failure, Ready, Reason};
use parlor::protocol::frame::{Frame, FrameReader};
use parlor::protocol::limits::EVENT_BYTES;
use parlor::protocol::name::{Nick, RoomName};
use parlor::protocol::text::{Line, Text};
use parlor::server::Server;
use parlor::server::config::{Config, Limits};
use parlor::server::log::Durability;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Longer than anything here takes on a busy machine: reaching it is a failure.
pub const PATIENCE: Duration = Duration::from_secs(60);

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
    limits: Limits,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::with(unlimited()).await
    }

    pub async fn with(limits: Limits) -> Self {
        Self::on(TempDir::new().unwrap(), limits, 0).await
    }

    async fn on(folder: TempDir, limits: Limits, port: u16) -> Self {
        let config = Config {
            listen: vec![Address::Tcp { host: "127.0.0.1".to_owned(), port }],
            data: folder.path().to_owned(),
            name: "test".to_owned(),
            durability: Durability::Process,
            limits: limits.clone(),
        };
        let server = Server::bind(config).await.unwrap();
        let Address::Tcp { port, .. } = server.addresses()[0].clone() else { panic!("no TCP") };
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(server.run(shutdown.clone()));
        Self { port, folder: Some(folder), limits, shutdown, running }
    }

    pub fn data(&self) -> &Path {
        self.folder.as_ref().unwrap().path()
    }

    /// Shuts it down and waits for the end.
    pub async fn stop(&mut self) {
        self.shutdown.cancel();
        soon(&mut self.running).await.unwrap();
    }

    /// Shuts it down and starts another one on the same folder and port.
    pub async fn restart(mut self) -> Self {
        self.stop().await;
        Self::on(self.folder.take().unwrap(), self.limits.clone(), self.port).await
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
    pub port: u16,
}

impl Program {
    /// `parlor serve` on `folder`, on `port` or one that the system chooses, with further options.
    pub fn serve(folder: &Path, port: u16, options: &[&str]) -> Self {
        let mut child = Process::new(env!("CARGO_BIN_EXE_parlor"))
            .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data"])
            .arg(folder)
            .args(options)
            .env("RUST_LOG", "warn")
            .env("HOME", folder)
            .env("XDG_CONFIG_HOME", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().unwrap().parse().expect(&line);
        Self { child, port }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill();
        }
    }
}

/// A client that sees the wire as it is: no retries, no cursors.
pub struct TestClient {
    pub reader: FrameReader<OwnedReadHalf>,
    pub writer: OwnedWriteHalf,
    pub ready: Box<Ready>,
}

impl TestClient {
    pub async fn connect(port: u16, name: &str) -> Self {
        Self::try_connect(port, name, None).await.expect("refused")
    }

    /// Connects without a word.
    pub async fn dial(port: u16) -> (FrameReader<OwnedReadHalf>, OwnedWriteHalf) {
        let stream = soon(TcpStream::connect(("127.0.0.1", port))).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (read, write) = stream.into_split();
        (FrameReader::new(read, EVENT_BYTES), write)
    }

    pub async fn try_connect(port: u16, name: &str, resume: Option<Uuid>) -> Result<Self, Failure> {
        let (mut reader, mut writer) = Self::dial(port).await;
        match event(&mut reader).await {
            Some(Event::Welcome(_)) => {}
            Some(Event::Error(failure)) => return Err(failure),
            other => panic!("{other:?}"),
        }
        let hello = Hello { protocol: 1, nick: nick(name), resume, agent: Line::lossy("test") };
        let bytes = Frame::encode(&Command::Hello(hello)).into_bytes();
        writer.write_all(&bytes).await.unwrap();
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

    /// Joins and waits for the answer.
    pub async fn join(&mut self, name: &str, after: u64, limit: Option<u64>) {
        let id = RequestId::from(Uuid::now_v7());
        self.say(Command::Join(Join { id: Some(id.clone()), room: room(name), after, limit })).await;
        self.until(|event| match event {
            Event::Ok(ok) => (ok.re.as_ref() == Some(&id)).then_some(()),
            Event::Error(failure) => panic!("{failure}"),
            _ => None,
        })
        .await;
    }

    pub async fn leave(&mut self, name: &str) {
        self.say(Command::Leave(InRoom { id: None, room: room(name) })).await;
    }

    /// Sends and waits until it is stored; says its `seq`.
    pub async fn send(&mut self, name: &str, text: &str) -> u64 {
        let send = message(name, text);
        let id = RequestId::from(send.id);
        self.say(Command::Send(send)).await;
        self.until(|event| match event {
            Event::Ok(ok) if ok.re.as_ref() == Some(&id) => ok.seq,
            Event::Error(failure) => panic!("{failure}"),
            _ => None,
        })
        .await
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

/// The next event; `None` at the end.
pub async fn event(reader: &mut FrameReader<OwnedReadHalf>) -> Option<Event> {
    let json = soon(reader.next()).await.ok()??;
    Some(Event::decode(&json).unwrap())
}
