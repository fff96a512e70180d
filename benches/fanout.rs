//! Deliveries each second from one sender to many receivers, beside a bare relay in the same run.
//!
//! The relay parses nothing but frames, stores nothing, and writes the very same bytes to the same
//! number of sockets, all that is pending in one write to each. It is what the kernel allows; the ratio to it
//! says how near parlor comes, on any machine. Server and load are processes of their own, each pinned to a
//! core where `taskset` is there.
//!
//! `cargo bench --bench fanout` runs it; `-- --rounds 5` for more rounds, `-- --receivers 100` for one size.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::time::Instant;

use bytes::{Buf, BytesMut};
use parlor::protocol::command::{Command, Hello, Join, Send};
use parlor::protocol::event::{Entry, EntryKind, EntryText, Event};
use parlor::protocol::frame::{self, Frame, HEADER};
use parlor::protocol::name::{Nick, RoomName};
use parlor::protocol::text::{Line, Text};
use parlor::protocol::time::Time;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Barrier;
use uuid::Uuid;

/// Messages sent and not yet come back to their sender.
const IN_FLIGHT: usize = 64;
/// Bytes of each text.
const TEXT: usize = 100;
/// Deliveries in one measurement; a second or more of work.
const DELIVERIES: usize = 2_000_000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("relay") => relay(args[1].parse().unwrap()),
        Some("load") => load(&args[1], args[2].parse().unwrap(), args[3].parse().unwrap()),
        _ => compare(&args),
    }
}

/// Runs both, in turn, and prints what came of it.
fn compare(args: &[String]) {
    let option = |name: &str| {
        let place = args.iter().position(|arg| arg == name)?;
        args.get(place + 1)?.parse::<usize>().ok()
    };
    let rounds = option("--rounds").unwrap_or(3);
    let sizes = option("--receivers").map_or_else(|| vec![100, 1_000], |size| vec![size]);
    let pinned = Process::new("taskset").arg("--version").output().is_ok();
    println!(
        "1 sender, {TEXT} bytes, {IN_FLIGHT} in flight, {rounds} rounds, medians; {}",
        match pinned {
            true => "server on core 0, load on core 1",
            false => "not pinned: no taskset here",
        }
    );
    println!("{:>9}  {:>14}  {:>14}  {:>6}", "receivers", "relay/s", "parlor/s", "ratio");
    for receivers in sizes {
        let mut rates: Vec<(f64, f64)> = Vec::new();
        for _ in 0..rounds {
            rates.push((measure_relay(receivers, pinned), measure_parlor(receivers, pinned)));
        }
        let median = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let relay = median(rates.iter().map(|rates| rates.0).collect());
        let parlor = median(rates.iter().map(|rates| rates.1).collect());
        let ratio = median(rates.iter().map(|rates| rates.1 / rates.0).collect());
        println!("{receivers:>9}  {relay:>14.0}  {parlor:>14.0}  {ratio:>6.2}");
    }
}

fn process(program: &str, core: &str, pinned: bool) -> Process {
    if pinned {
        let mut process = Process::new("taskset");
        process.args(["-c", core, program]);
        process
    } else {
        Process::new(program)
    }
}

/// A server that is killed when it goes out of scope, and the port it listens on.
struct Running(Child, u16);

impl Running {
    fn start(mut process: Process) -> Self {
        let mut child =
            process.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().unwrap().parse().expect(&line);
        Self(child, port)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn this_program() -> String {
    std::env::current_exe().unwrap().to_str().unwrap().to_owned()
}

fn measure_relay(receivers: usize, pinned: bool) -> f64 {
    let mut relay = process(&this_program(), "0", pinned);
    relay.args(["relay", &(receivers + 1).to_string()]);
    let relay = Running::start(relay);
    measure("relay", relay.1, receivers, pinned)
}

fn measure_parlor(receivers: usize, pinned: bool) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut server = process(env!("CARGO_BIN_EXE_parlor"), "0", pinned);
    server.args(["serve", "--listen", "127.0.0.1:0", "--plain", "--open", "--unlimited", "--data"]);
    server.arg(folder.path()).env("RUST_LOG", "error");
    let server = Running::start(server);
    measure("parlor", server.1, receivers, pinned)
}

/// Deliveries each second, as the load process measures them.
fn measure(kind: &str, port: u16, receivers: usize, pinned: bool) -> f64 {
    let mut load = process(&this_program(), "1", pinned);
    let load = load.args(["load", kind, &port.to_string(), &receivers.to_string()]).output().unwrap();
    let printed = String::from_utf8(load.stdout).unwrap();
    printed.trim().parse().unwrap_or_else(|_| panic!("{printed}{}", String::from_utf8_lossy(&load.stderr)))
}

// --- the bare relay -------------------------------------------------------------------------

/// Takes `sockets` connections, the last of which sends, and writes all frames that it sends to all of them.
fn relay(sockets: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("listening on {}", listener.local_addr().unwrap());
    let mut sockets: Vec<TcpStream> = (0..sockets).map(|_| listener.accept().unwrap().0).collect();
    sockets.iter().for_each(|socket| socket.set_nodelay(true).unwrap());
    let mut sender = sockets.last().unwrap().try_clone().unwrap();
    let mut pending = Vec::with_capacity(1 << 20);
    let mut space = vec![0; 1 << 18];
    loop {
        let read = sender.read(&mut space).unwrap();
        if read == 0 {
            return;
        }
        pending.extend_from_slice(&space[..read]);
        let mut whole = 0;
        while let Some(header) = pending.get(whole..whole + HEADER) {
            let length = u32::from_be_bytes(header.try_into().unwrap()) as usize;
            if pending.len() < whole + HEADER + length {
                break;
            }
            whole += HEADER + length;
        }
        for socket in &mut sockets {
            if socket.write_all(&pending[..whole]).is_err() {
                return;
            }
        }
        pending.drain(..whole);
    }
}

// --- the load -------------------------------------------------------------------------------

/// Connects, measures, and prints deliveries each second.
fn load(kind: &str, port: u16, receivers: usize) {
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let messages = DELIVERIES / receivers;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rate = runtime.block_on(async {
        // The sender and everyone else start together, and end when the last one has all.
        let start = Arc::new(Barrier::new(receivers + 1));
        let mut tasks = Vec::new();
        for n in 0..receivers {
            let member = enter(kind, port, &format!("r{n}")).await;
            let start = Arc::clone(&start);
            tasks.push(tokio::spawn(async move {
                start.wait().await;
                receive(member, messages).await;
            }));
        }
        let sender = enter(kind, port, "sender").await;
        start.wait().await;
        let began = Instant::now();
        send(kind, sender, messages).await;
        for task in tasks {
            task.await.unwrap();
        }
        (messages * receivers) as f64 / began.elapsed().as_secs_f64()
    });
    println!("{rate}");
}

/// A connection on which messages arrive.
struct Member {
    socket: tokio::net::TcpStream,
    buffer: BytesMut,
}

/// Connects, and with parlor also enters the room.
async fn enter(kind: &str, port: u16, name: &str) -> Member {
    let socket = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    socket.set_nodelay(true).unwrap();
    let mut member = Member { socket, buffer: BytesMut::new() };
    if kind == "parlor" {
        let hello = Hello {
            protocol: 1,
            nick: Nick::new(name).unwrap(),
            resume: None,
            proof: None,
            ticket: None,
            identity: None,
            apart: false,
            agent: Line::default(),
        };
        let join = Join { id: None, room: room(), after: 0, limit: None, words: None };
        for command in [Command::Hello(Box::new(hello)), Command::Join(join)] {
            member.socket.write_all(&Frame::encode(&command).into_bytes()).await.unwrap();
        }
        // `ok` is followed by the list of people, and after that messages may come.
        while member.count("presence").await == 0 {}
    }
    member
}

fn room() -> RoomName {
    RoomName::new("#bench").unwrap()
}

impl Member {
    /// Reads once and counts the frames of one type among what came whole, without looking at more of
    /// them than it must.
    async fn count(&mut self, kind: &str) -> usize {
        self.buffer.reserve(64 * 1024);
        assert!(self.socket.read_buf(&mut self.buffer).await.unwrap() > 0, "the server hung up");
        let mut found = 0;
        let mut whole = 0;
        while let Some(header) = self.buffer.get(whole..whole + HEADER) {
            let length = u32::from_be_bytes(header.try_into().unwrap()) as usize;
            let Some(json) = self.buffer.get(whole + HEADER..whole + HEADER + length) else { break };
            let name = json.strip_prefix(br#"{"type":""#).unwrap();
            found += usize::from(name.starts_with(kind.as_bytes()));
            whole += HEADER + length;
        }
        self.buffer.advance(whole);
        found
    }
}

/// Reads until `messages` messages have come.
async fn receive(mut member: Member, messages: usize) {
    let mut left = messages;
    while left > 0 {
        left -= member.count("message").await;
    }
}

/// Sends all messages, never more than [`IN_FLIGHT`] before the first of them has come back.
async fn send(kind: &str, mut member: Member, messages: usize) {
    let (mut sent, mut back) = (0, 0);
    let mut out = BytesMut::new();
    while back < messages {
        while sent < messages && sent - back < IN_FLIGHT {
            sent += 1;
            if kind == "parlor" {
                frame::append(&mut out, &command());
            } else {
                frame::append(&mut out, &event(sent));
            }
        }
        member.socket.write_all_buf(&mut out).await.unwrap();
        back += member.count("message").await;
    }
}

fn text() -> String {
    "x".repeat(TEXT)
}

fn command() -> Command {
    let text = Text::new(&text()).unwrap();
    Command::Send(Send { id: Uuid::now_v7(), room: room(), text, action: false, reply_to: None })
}

/// The very bytes that parlor makes of the command.
fn event(seq: usize) -> Event {
    Event::Entry(Entry {
        kind: EntryKind::Message,
        room: room(),
        seq: seq as u64,
        id: Uuid::now_v7(),
        at: Time::now(),
        from: Nick::new("sender").unwrap(),
        text: EntryText::from_stored(&text()),
        action: false,
        reply_to: None,
    })
}
