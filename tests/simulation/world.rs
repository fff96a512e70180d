//! One server, the lines to it, and what happens to them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use parlor::server::config::{Config, Limits};
use parlor::server::disk::Disk;
use parlor::server::door::Ask;
use parlor::server::gate::Gate;
use parlor::server::{Fault, Server};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::ledger::Ledger;
use super::net::{self, End, Line, Quality};

/// A server that runs.
struct Running {
    gate: Gate,
    shutdown: CancellationToken,
    run: JoinHandle<Result<(), Fault>>,
}

struct State {
    server: Option<Running>,
    /// Servers that were on a folder before, and their folders: each that is killed leaves a copy of its own.
    deaths: u32,
    /// After so many times that the server reads or writes, it is killed.
    fuse: Option<u32>,
    lines: Vec<(usize, Line)>,
    /// Clients that nothing reaches.
    apart: BTreeSet<usize>,
    calm: bool,
}

/// See the module.
pub struct World {
    pub ledger: Ledger,
    root: PathBuf,
    limits: Limits,
    disk: fn() -> Duration,
    qualities: Vec<Quality>,
    state: Mutex<State>,
    changed: Notify,
}

impl World {
    pub fn new(
        root: &Path,
        limits: Limits,
        disk: fn() -> Duration,
        qualities: Vec<Quality>,
        ledger: Ledger,
    ) -> Arc<Self> {
        let (lines, apart) = (Vec::new(), BTreeSet::new());
        let state = State { server: None, deaths: 0, fuse: None, lines, apart, calm: false };
        let (root, state, changed) = (root.to_owned(), Mutex::new(state), Notify::new());
        Arc::new(Self { ledger, root, limits, disk, qualities, state, changed })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn folder(&self, deaths: u32) -> PathBuf {
        self.root.join(deaths.to_string())
    }

    /// Starts a server where there is none, on what the last one has left.
    pub fn start(&self) {
        let mut state = self.lock();
        let config = Config {
            tls: None,
            ask: Ask::Nothing,
            limits: self.limits.clone(),
            ..Config::new(self.folder(state.deaths))
        };
        let server = Server::embed(config, Disk::Here(self.disk)).unwrap();
        let (gate, shutdown) = (server.gate(), CancellationToken::new());
        let run = tokio::spawn(server.run(shutdown.clone()));
        state.server = Some(Running { gate, shutdown, run });
        self.ledger.note("the server starts");
    }

    /// Asks the server to end, and waits until it has.
    pub async fn stop(&self) {
        let Some(Running { shutdown, run, .. }) = self.lock().server.take() else { return };
        self.ledger.note("the server is asked to end");
        shutdown.cancel();
        match run.await {
            Ok(Ok(())) => self.ledger.note("the server has ended"),
            other => self.ledger.fault(format_args!("the server ended so: {other:?}")),
        }
    }

    /// As `kill -9` does it: at this moment, whatever it is about.
    pub fn kill(&self) {
        self.kill_in(&mut self.lock());
    }

    fn kill_in(&self, state: &mut State) {
        let Some(Running { shutdown, run, .. }) = state.server.take() else { return };
        self.ledger.note("the server is killed");
        state.fuse = None;
        // What is on the disk at this moment is all that is left: the next one begins with a copy of it. The one that
        // was killed goes on as a ghost, until it has noticed, which nobody sees.
        let (from, to) = (self.folder(state.deaths), self.folder(state.deaths + 1));
        state.deaths += 1;
        fs::create_dir(&to).unwrap();
        for file in fs::read_dir(from).unwrap() {
            let file = file.unwrap();
            let name = file.file_name();
            // Which processes have in common, and not the disk.
            if !name.to_string_lossy().ends_with("-shm") {
                fs::copy(file.path(), to.join(name)).unwrap();
            }
        }
        for (_, line) in state.lines.drain(..) {
            line.orphan(if fastrand::bool() { End::Closed } else { End::Reset });
        }
        shutdown.cancel();
        drop(run);
        self.changed.notify_waiters();
    }

    /// Kills the server when it has read or written so many times more. Waits for that, but not for long.
    pub async fn light_fuse(&self, times: u32) {
        let died = self.changed.notified();
        self.lock().fuse = Some(times);
        drop(tokio::time::timeout(Duration::from_secs(4), died).await);
        self.lock().fuse = None;
    }

    fn before_io(&self, deaths: u32) {
        let mut state = self.lock();
        if state.deaths != deaths {
            return;
        }
        match state.fuse {
            Some(0) => self.kill_in(&mut state),
            Some(times) => state.fuse = Some(times - 1),
            None => {}
        }
    }

    pub fn is_up(&self) -> bool {
        self.lock().server.is_some()
    }

    /// Opens a connection for a client.
    pub async fn dial(self: Arc<Self>, who: usize) -> io::Result<net::Stream> {
        let quality = self.qualities[who];
        loop {
            let changed = self.changed.notified();
            if !self.lock().apart.contains(&who) {
                break;
            }
            changed.await;
        }
        sleep(Duration::from_millis(quality.delay * 2)).await;
        let mut state = self.lock();
        let Some(server) = &state.server else { return Err(io::ErrorKind::ConnectionRefused.into()) };
        let (world, deaths) = (Arc::downgrade(&self), state.deaths);
        let before_io = move || world.upgrade().into_iter().for_each(|world| world.before_io(deaths));
        let (near, far, line) = net::connect(quality, Arc::new(before_io));
        server.gate.admit(far, None);
        line.hold(state.apart.contains(&who));
        state.lines.retain(|(_, line)| !line.is_over());
        state.lines.push((who, line));
        Ok(near)
    }

    fn lines(&self, of: impl Fn(usize) -> bool) -> Vec<Line> {
        let state = self.lock();
        state.lines.iter().filter(|(who, _)| of(*who)).map(|(_, line)| line.clone()).collect()
    }

    /// A client's connection breaks.
    pub fn cut(&self, who: usize) {
        self.ledger.note(format_args!("the line of c{who} is cut"));
        self.lines(|client| client == who).iter().for_each(Line::cut);
    }

    /// A client's connection is silent from now on. The next one works.
    pub fn silence(&self, who: usize) {
        self.ledger.note(format_args!("the line of c{who} is dead"));
        self.lines(|client| client == who).iter().for_each(|line| line.hold(true));
        // Nobody brings it back to life.
        self.lock().lines.retain(|(client, _)| *client != who);
    }

    /// Nothing reaches these clients, nor the server from them.
    pub fn part(&self, who: &BTreeSet<usize>) {
        self.ledger.note(format_args!("cut off: {who:?}"));
        self.lock().apart.extend(who);
        self.lines(|client| who.contains(&client)).iter().for_each(|line| line.hold(true));
    }

    /// Everything gets through to these again, also what was sent before.
    pub fn heal(&self, who: &BTreeSet<usize>) {
        self.ledger.note(format_args!("reached again: {who:?}"));
        self.lock().apart.retain(|client| !who.contains(client));
        self.lines(|client| who.contains(&client)).iter().for_each(|line| line.hold(false));
        self.changed.notify_waiters();
    }

    /// From now on all goes well.
    pub fn calm(&self) {
        self.lock().calm = true;
        self.heal(&(0..self.qualities.len()).collect());
    }

    pub fn is_calm(&self) -> bool {
        self.lock().calm
    }
}
