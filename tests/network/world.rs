//! Machines and the networks between them: namespaces of this kernel, each with its own interfaces, addresses and ports.
//!
//! Nothing of it touches the networks of the machine that the tests run on, and nothing is left behind: a namespace lives as
//! long as the process that holds it, which ends with its standard input, so with this one, however that ends.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command as Process, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::common::{COMPLAINTS, PATIENCE, Program, parlor, skip};
use crate::finder::Finder;

/// How one may make namespaces here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// As the superuser.
    Root,
    /// In a namespace of users, in which everyone is the superuser.
    Users,
}

impl Way {
    /// The first that works, or none, which is said once.
    fn found() -> Option<Self> {
        static WAY: OnceLock<Option<Way>> = OnceLock::new();
        *WAY.get_or_init(|| {
            let works = |options: &str| {
                let probe = "ip link add parlor0 type veth peer name parlor1";
                let mut tried = Process::new("unshare");
                tried.args([options, "sh", "-c", probe]).stderr(Stdio::null());
                tried.status().is_ok_and(|status| status.success())
            };
            let way = match (works("-n"), works("-rn")) {
                (true, _) => Some(Self::Root),
                (false, true) => Some(Self::Users),
                (false, false) => None,
            };
            if way.is_none() {
                skip("this user may not make networks of their own, or there is no `ip`");
            }
            way
        })
    }
}

/// Where hosts are made. Those of one world can be connected.
pub struct World {
    way: Way,
    /// Holds the users that all hosts share.
    ground: Holder,
}

impl World {
    /// Nothing, with a word of why, where one may not.
    pub fn new() -> Option<Self> {
        let way = Way::found()?;
        let mut first = Process::new("unshare");
        first.arg(if way == Way::Root { "-n" } else { "-rn" });
        Some(Self { way, ground: Holder::of(first) })
    }

    /// Nothing, with a word of why, where a program that the test needs is missing.
    pub fn with(program: &str) -> Option<Self> {
        let found = Process::new(program).arg("--version").stdout(Stdio::null()).status();
        if !found.is_ok_and(|status| status.success()) {
            skip(&format!("there is no `{program}`"));
            return None;
        }
        Self::new()
    }

    /// A machine of its own, with a home of its own, on no network yet.
    pub fn host(&self) -> Host {
        let mut command = Process::new("nsenter");
        enter(&mut command, self.way, &self.ground, "-U");
        command.args(["unshare", "-n"]);
        let host = Host { way: self.way, holder: Holder::of(command), home: TempDir::new().unwrap() };
        host.run("ip link set lo up");
        // Link-local addresses can be used at once: nobody else has them here.
        host.run("for file in all default; do echo 0 > /proc/sys/net/ipv6/conf/$file/accept_dad; done");
        host
    }

    /// A network to which hosts can be connected.
    pub fn network(&self) -> Network {
        let switch = self.host();
        switch.run("ip link add switch type bridge mcast_snooping 0 && ip link set switch up");
        Network { switch }
    }
}

/// Options of `nsenter`: into the namespaces of a process.
fn enter(command: &mut Process, way: Way, holder: &Holder, kinds: &str) {
    command.arg(format!("--target={}", holder.0.id()));
    match way {
        // There are no others to enter.
        Way::Root if kinds == "-U" => command.arg("-n"),
        Way::Root => command.arg(kinds),
        Way::Users => command.args(["-U", "--preserve-credentials", kinds]),
    };
}

/// The process that keeps a namespace.
struct Holder(Child);

impl Holder {
    /// `enter` is a command that goes into the namespace and then runs what follows.
    fn of(mut enter: Process) -> Self {
        enter.args(["sh", "-c", "echo ready && exec cat"]);
        let mut child = enter.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // Before, it would be the namespace of this machine.
        let mut ready = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        assert_eq!(ready, "ready\n");
        Self(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// One machine.
pub struct Host {
    way: Way,
    holder: Holder,
    home: TempDir,
}

impl Host {
    /// The same program, on this machine.
    pub fn here(&self, program: &Process) -> Process {
        let mut command = Process::new("nsenter");
        enter(&mut command, self.way, &self.holder, "-n");
        command.arg("--").arg(program.get_program()).args(program.get_args()).stdin(Stdio::null());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// `parlor` with these arguments, on this machine, of a user who has their home here.
    pub fn parlor(&self, arguments: &[&str]) -> Process {
        let mut command = parlor(self.home.path());
        command.args(arguments);
        self.here(&command)
    }

    /// What a shell on this machine does; it must succeed.
    pub fn run(&self, script: &str) {
        let mut shell = Process::new("sh");
        shell.args(["-ec", script]);
        let done = self.here(&shell).output().unwrap();
        assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// `parlor serve`, for everyone who can reach this machine, without TLS and without a passphrase.
    pub fn serve(&self, name: &str, port: u16) -> Program {
        let (v4, v6) = (format!("0.0.0.0:{port}"), format!("[::]:{port}"));
        self.serve_at(name, &[&v4, &v6])
    }

    /// The same at these addresses.
    pub fn serve_at(&self, name: &str, addresses: &[&str]) -> Program {
        self.serve_with(name, addresses, &[])
    }

    /// The same with further options.
    pub fn serve_with(&self, name: &str, addresses: &[&str], options: &[&str]) -> Program {
        let data = self.home.path().join(format!("data{}", addresses.join("+").replace('/', "+")));
        let mut command = self.parlor(&["serve", "--plain", "--open", "--name", name, "--data"]);
        command.arg(&data).args(options);
        for address in addresses {
            command.args(["--listen", address]);
        }
        let complaints = self.home.path().join(COMPLAINTS);
        let complaints = File::options().create(true).append(true).open(complaints).unwrap();
        command.env("RUST_LOG", "parlor=debug").stderr(complaints);
        Program::start(command, addresses.len())
    }

    /// What the servers of this machine have complained about.
    pub fn complaints(&self) -> String {
        std::fs::read_to_string(self.home.path().join(COMPLAINTS)).unwrap_or_default()
    }

    /// Waits until a server of this machine complains in these words.
    pub fn until_complained(&self, words: &str) {
        let start = Instant::now();
        while !self.complaints().contains(words) {
            assert!(start.elapsed() < PATIENCE, "no {words:?} in {}", self.complaints());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// `parlor find`, which goes on.
    pub fn find(&self) -> Finder {
        Finder::start(self.parlor(&["find", "--json", "--follow"]))
    }

    /// Says something to a parlor, with what `find` says of it.
    pub fn say(&self, address: &str, text: &str) {
        let said = self.parlor(&["say", "--plain", "--server", address, "#lobby", text]).output().unwrap();
        let complaint = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "say {address}: {complaint}");
    }
}

/// Machines that hear each other.
pub struct Network {
    switch: Host,
}

impl Network {
    /// Connects a machine by an interface of this name, which has these addresses beside that of its link.
    pub fn connect(&self, host: &Host, interface: &str, addresses: &[&str]) {
        let port = format!("to{}", host.holder.0.id());
        let there = host.holder.0.id();
        self.switch.run(&format!(
            "ip link add {port} type veth peer name {interface} netns {there}
             ip link set {port} master switch up"
        ));
        for address in addresses {
            host.run(&format!("ip address add {address} dev {interface}"));
        }
        host.run(&format!("ip link set {interface} up"));
    }
}
