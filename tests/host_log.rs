//! What becomes of the host's log must be nobody's misfortune: a full disk, a pipe without a reader, and a terminal that
//! somebody has stopped.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::time::Duration;

use common::{Program, TestClient};
use tempfile::TempDir;

/// How many come and go: more lines of the log than a pipe holds (64 KiB) and may wait.
const VISITS: usize = 400;

fn serve(folder: &Path, stderr: Stdio) -> Program {
    let mut command: Process = Program::command(folder);
    // Two lines or more for everyone who comes and goes.
    command.args(["--unlimited", "--listen", "127.0.0.1:0"]).env("RUST_LOG", "debug").stderr(stderr);
    Program::start(command, 1)
}

/// People come, talk and go, and are served.
async fn visit(port: u16) {
    let mut alice = TestClient::connect(port, "alice").await;
    alice.join("#a", u64::MAX, None).await;
    for _ in 0..VISITS {
        let mut bob = TestClient::connect(port, "bob").await;
        bob.join("#a", u64::MAX, None).await;
        assert_eq!(bob.send("#a", "hello").await, alice.entry().await.seq);
        bob.quit().await;
    }
}

/// The server ends in order.
fn end(mut program: Program) {
    program.terminate();
    let exit = program.exit_within(Duration::from_secs(5)).expect("it takes more than 5 seconds to end");
    assert!(exit.success(), "{exit}");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_log_on_a_full_disk_ends_nothing() {
    let folder = TempDir::new().unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let program = serve(folder.path(), full.into());
    visit(program.port).await;
    end(program);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_takes_ends_nothing() {
    let folder = TempDir::new().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let program = serve(folder.path(), writer.into());
    visit(program.port).await;
    end(program);
}

/// As a terminal does after Ctrl-S, or a pager that shows its first page.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_stands_still_holds_up_nothing_and_says_what_it_left_out() {
    let folder = TempDir::new().unwrap();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let program = serve(folder.path(), writer.into());
    visit(program.port).await;
    // Somebody reads on.
    let reading = std::thread::spawn(move || {
        let mut log = String::new();
        reader.read_to_string(&mut log).map(|_| log)
    });
    visit(program.port).await;
    end(program);
    let log = reading.join().unwrap().unwrap();
    assert!(log.contains("some of it is lost"), "the pipe was never full: this tests nothing");
    assert!(log.trim_end().ends_with('"'), "it has its end: {}", &log[log.len() - 200..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_ever_takes_does_not_hold_up_the_end() {
    let folder = TempDir::new().unwrap();
    let (_reader, writer) = std::io::pipe().unwrap();
    let program = serve(folder.path(), writer.into());
    visit(program.port).await;
    end(program);
}
