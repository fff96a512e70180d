//! How long it takes from starting `parlor join` to the first frame that shows what was said last, in a room with a
//! year of history: the real program in a real pseudo-terminal, and a real server on this machine.
//!
//! `cargo bench --bench start` runs it; `-- --messages 1000` with fewer, `--program PATH` with another program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use parlor::protocol::time::Time;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use uuid::Uuid;

/// Messages in the room.
const MESSAGES: u64 = 1_000_000;
/// How often it is started.
const ROUNDS: usize = 30;
/// The middle one of the times may be this long: what a person takes for at once.
const WITHIN: Duration = Duration::from_millis(50);
/// What stands in the last message and nowhere else.
const LAST: &str = "this-is-the-last-one";
/// The end of a frame.
const FRAME: &[u8] = b"\x1b[?2026l";
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() {
    let messages = option("--messages").map_or(MESSAGES, |number| number.parse().expect("a number"));
    let program = option("--program").unwrap_or_else(|| env!("CARGO_BIN_EXE_parlor").to_owned());
    let folder = tempfile::tempdir().unwrap();
    let (data, home) = (folder.path().join("data"), folder.path().join("home"));
    std::fs::create_dir_all(&home).unwrap();
    let file = folder.path().join("room.json");
    write_room(&file, messages);
    let began = Instant::now();
    let imported =
        parlor(&program, &home).args(["import", "--room", "#lobby", "--data"]).arg(&data).arg(&file).output();
    let imported = imported.unwrap();
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    println!("{messages} messages, brought in in {:.1?}", began.elapsed());

    let mut serve = parlor(&program, &home);
    serve.args(["serve", "--listen", "127.0.0.1:0", "--open", "--plain", "--unlimited", "--data"]).arg(&data);
    let mut server = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().rsplit(':').next().unwrap();
    let invite = format!("parlor://127.0.0.1:{port}/?plain");
    // The first one makes an identity, and the next one finds the files in memory.
    start(&program, &home, &invite);
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| start(&program, &home, &invite)).collect();
    server.kill().unwrap();
    server.wait().unwrap();
    times.sort_unstable();
    let middle = times[times.len() / 2];
    println!(
        "from the start to the last message on the screen: p50 {middle:.1?}, p90 {:.1?}",
        times[times.len() * 9 / 10]
    );
    println!("{} {WITHIN:?}", if middle <= WITHIN { "within" } else { "NOT within" });
}

/// A program with a home of its own.
fn parlor(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.envs(["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"].map(|name| (name, home)));
    command
}

/// A room as `parlor export` writes it: a year, in which somebody says something twice a minute.
fn write_room(file: &Path, messages: u64) {
    let mut out = BufWriter::new(File::create(file).unwrap());
    let begin = Time::now().as_millis() - i64::try_from(messages).unwrap() * 30_000;
    for seq in 1..=messages {
        let at = Time::from_millis(begin + i64::try_from(seq).unwrap() * 30_000);
        let from = ["alice", "bob", "carol", "李雷"][usize::try_from(seq % 4).unwrap()];
        let text = match seq {
            last if last == messages => LAST.to_owned(),
            seq if seq % 3 == 0 => format!("**look** at `this`, it is number {seq} 👍"),
            seq => format!("did the build pass? I have been looking at it for an hour, {seq} times"),
        };
        let id = Uuid::from_u128(u128::from(seq));
        let (at, text) = (serde_json::to_string(&at).unwrap(), serde_json::to_string(&text).unwrap());
        writeln!(
            out,
            r##"{{"type":"message","room":"#lobby","seq":{seq},"id":"{id}","at":{at},"from":"{from}","text":{text}}}"##
        )
        .unwrap();
    }
    out.flush().unwrap();
}

/// Starts it, waits for the frame with the last message, and ends it: how long that frame took.
fn start(program: &str, home: &Path, invite: &str) -> Duration {
    let size = PtySize { rows: 36, cols: 120, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(program);
    command.args(["join", invite, "--nick", "dora"]);
    command.env("TERM", "xterm-256color");
    ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"].iter().for_each(|name| command.env(name, home));
    let mut output = pair.master.try_clone_reader().unwrap();
    let began = Instant::now();
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let (mut drawn, mut space) = (Vec::new(), [0; 65536]);
    let took = loop {
        let read = output.read(&mut space).unwrap();
        assert!(read > 0 && began.elapsed() < PATIENCE, "{}", String::from_utf8_lossy(&drawn));
        drawn.extend_from_slice(&space[..read]);
        let last = find(&drawn, LAST.as_bytes());
        if last.is_some_and(|last| find(&drawn[last..], FRAME).is_some()) {
            break began.elapsed();
        }
    };
    child.kill().unwrap();
    child.wait().unwrap();
    took
}

fn find(all: &[u8], wanted: &[u8]) -> Option<usize> {
    all.windows(wanted.len()).position(|part| part == wanted)
}

fn option(name: &str) -> Option<String> {
    std::env::args().skip_while(|arg| arg != name).nth(1)
}
