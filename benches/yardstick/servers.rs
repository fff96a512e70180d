//! The processes: a server on one core, the load on the other.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command as Process, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::job::{Figures, Job, Kind};
use crate::load::CERTIFICATE;

/// Whether processes can be told their core.
pub(crate) fn can_pin() -> bool {
    Process::new("taskset").arg("--version").output().is_ok()
}

fn process(program: &str, core: &str) -> Process {
    if can_pin() {
        let mut process = Process::new("taskset");
        process.args(["-c", core, program]);
        process
    } else {
        Process::new(program)
    }
}

fn this_program() -> String {
    std::env::current_exe().unwrap().to_str().unwrap().to_owned()
}

/// A server that is killed when it goes out of scope.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) port: u16,
    kind: Kind,
    data: TempDir,
}

impl Server {
    /// The bare relay for rooms of so many, or parlor.
    pub(crate) fn start(kind: Kind, members: usize) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut server;
        if kind == Kind::Relay {
            server = process(&this_program(), "0");
            server.args(["relay", &members.to_string()]);
        } else {
            server = process(&program(), "0");
            server.args(["serve", "--listen", "127.0.0.1:0", "--open", "--unlimited", "--data"]);
            server.arg(data.path());
            if kind == Kind::Plain {
                server.arg("--plain");
            } else {
                let (cert, key) = certificate(data.path());
                server.arg("--tls-cert").arg(cert).arg("--tls-key").arg(key);
            }
        }
        server.env("RUST_LOG", "error").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = server.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().unwrap().parse().expect(&line);
        Self { child, port, kind, data }
    }

    /// Bytes that it has in memory.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Files, sockets among them, that it has open.
    pub(crate) fn files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// Waits until it has let go of whoever left: but for its own files, all are closed.
    pub(crate) fn emptied(&self) {
        const OWN: usize = 64;
        let end = Instant::now() + Duration::from_secs(30);
        while self.files() > OWN {
            assert!(Instant::now() < end, "{} files are still open", self.files());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Seconds that it has had a processor.
    pub(crate) fn processor(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        // Fields 14 and 15 of proc_pid_stat(5), in hundredths of a second.
        (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
    }

    /// Lets a crowd come and talk. It stays until the answer is dropped.
    pub(crate) fn load(&self, job: &Job) -> (Figures, Load) {
        let job = Job { port: self.port, kind: self.kind, ..job.clone() };
        let mut load = process(&this_program(), "1");
        load.args(["load", &serde_json::to_string(&job).unwrap()]);
        load.env(CERTIFICATE, self.data.path().join("cert.pem"));
        let mut child = load.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stay = child.stdin.take();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let figures = serde_json::from_str(&line).expect("the load failed");
        (figures, Load { child, stay, _said: said })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A crowd that is still connected.
pub(crate) struct Load {
    child: Child,
    stay: Option<ChildStdin>,
    _said: BufReader<ChildStdout>,
}

impl Drop for Load {
    fn drop(&mut self) {
        drop(self.stay.take());
        self.child.wait().unwrap();
    }
}

/// The parlor that is measured; another build of it may be named, to compare the two.
pub(crate) fn program() -> String {
    std::env::var("YARDSTICK_PARLOR").unwrap_or_else(|_| env!("CARGO_BIN_EXE_parlor").to_owned())
}

/// A certificate for this machine, and its key.
fn certificate(folder: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let paths = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&paths.0, made.cert.pem()).unwrap();
    std::fs::write(&paths.1, made.signing_key.serialize_pem()).unwrap();
    paths
}
