//! One server, the lines to it, and what happens to them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use parlor::protocol::limits::DEAD_AFTER;
use parlor::protocol::stats::Stats;
use parlor::protocol::words::Reason;
use parlor::server::config::{Config, Limits};
use parlor::server::disk::Disk;
use parlor::server::door::Ask;
use parlor::server::gate::Gate;
use parlor::server::{Fault, Server};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::ledger::Ledger;
use super::net::{self, End, Line, Quality};
use super::tally::{Tried, count, count_all};

/// What a server has of its log beside SQLite's file, and SQLite's own log.
const JOURNAL: &str = "parlor.journal";
const WRITE_AHEAD_LOG: &str = "parlor.db-wal";

/// A server that runs.
struct Running {
    gate: Gate,
    shutdown: CancellationToken,
    run: JoinHandle<Result<(), Fault>>,
    stats: Box<dyn Fn() -> Stats + Send>,
    /// How long SQLite's log was when somebody last looked.
    write_ahead: u64,
}

impl Running {
    /// The server is over.
    fn count(&self) {
        let stats = (self.stats)();
        let ended = |why| stats.endings.get(&why).copied().unwrap_or(0);
        count_all(Tried::Resent, stats.duplicates);
        count_all(Tried::Lagged, stats.lagged);
        count_all(Tried::FoundSilent, ended(Reason::Silent));
        count_all(Tried::Replaced, ended(Reason::Replaced));
    }
}

struct State {
    server: Option<Running>,
    /// Servers that were on a folder before, and their folders: each that is killed leaves a copy of its own.
    deaths: u32,
    /// After so many times that the server reads or writes, it is killed.
    fuse: Option<u32>,
    lines: Vec<(usize, Line)>,
    /// Those that their clients have lost, and the server has not.
    lost: Vec<Line>,
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
        let (lines, lost, apart) = (Vec::new(), Vec::new(), BTreeSet::new());
        let state = State { server: None, deaths: 0, fuse: None, lines, lost, apart, calm: false };
        let (root, state, changed) = (root.to_owned(), Mutex::new(state), Notify::new());
        Arc::new(Self { ledger, root, limits, disk, qualities, state, changed })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn folder(&self, deaths: u32) -> PathBuf {
        self.root.join(deaths.to_string())
    }

    /// Bytes in a file of a server; nothing without such a file.
    fn size(&self, deaths: u32, file: &str) -> Option<u64> {
        Some(fs::metadata(self.folder(deaths).join(file)).ok()?.len())
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
        let (gate, shutdown, stats) = (server.gate(), CancellationToken::new(), Box::new(server.stats()));
        let run = tokio::spawn(server.run(shutdown.clone()));
        state.server = Some(Running { gate, shutdown, run, stats, write_ahead: 0 });
        self.ledger.note("the server starts");
    }

    /// Asks the server to end, and waits until it has.
    pub async fn stop(&self) {
        let (server, deaths) = {
            let mut state = self.lock();
            (state.server.take(), state.deaths)
        };
        let Some(mut server) = server else { return };
        self.ledger.note("the server is asked to end");
        let has_journal = self.size(deaths, JOURNAL).is_some_and(|bytes| bytes > 0);
        server.shutdown.cancel();
        let ended = (&mut server.run).await;
        server.count();
        match ended {
            Ok(Ok(())) => {
                self.ledger.note("the server has ended");
                count(Tried::Stopped);
                if has_journal && self.size(deaths, JOURNAL).is_none() {
                    count(Tried::Settled);
                }
            }
            other => self.ledger.fault(format_args!("the server ended so: {other:?}")),
        }
    }

    /// As `kill -9` does it: at this moment, whatever it is about.
    pub fn kill(&self) {
        self.kill_in(&mut self.lock());
    }

    fn kill_in(&self, state: &mut State) {
        let Some(server) = state.server.take() else { return };
        self.ledger.note("the server is killed");
        count(Tried::Killed);
        if self.size(state.deaths, JOURNAL).is_some_and(|bytes| bytes > 0) {
            count(Tried::JournalTakenUp);
        }
        server.count();
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
        state.lost.drain(..).for_each(|line| line.orphan(End::Reset));
        server.shutdown.cancel();
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
            Some(0) => {
                if state.server.is_some() {
                    count(Tried::FuseBurned);
                }
                self.kill_in(&mut state);
            }
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
        let lines = self.lines(|client| client == who);
        if lines.iter().any(Line::is_used) {
            count(Tried::Cut);
        }
        lines.iter().for_each(Line::cut);
    }

    /// What a client says is stuck for a while. Then it loses its line, and what was on its way still arrives, so
    /// much later: before the client has come back, or after.
    pub fn lose(self: &Arc<Self>, who: usize, stuck: Duration, delay: Duration) {
        let Some(line) = self.lines(|client| client == who).pop() else { return };
        if self.lock().apart.contains(&who) {
            return;
        }
        self.ledger.note(format_args!("what c{who} says is stuck"));
        line.stick();
        let world = Arc::clone(self);
        tokio::spawn(async move {
            sleep(stuck).await;
            world.lose_line(who, &line, delay);
        });
    }

    fn lose_line(self: &Arc<Self>, who: usize, line: &Line, delay: Duration) {
        let mut state = self.lock();
        // Other trouble may have been faster.
        let place = state.lines.iter().position(|(_, other)| other.is(line));
        let (Some(place), false) = (place, state.apart.contains(&who)) else { return };
        let Some(bytes) = line.lose(delay) else { return };
        let overdue = self.ledger.open_in(who, &bytes);
        self.ledger.note(format_args!("c{who} loses its line, with {} on their way", overdue.len()));
        count_all(Tried::Overdue, overdue.len() as u64);
        let world = Arc::downgrade(self);
        line.overhear(Box::new(move |bytes| {
            world.upgrade().into_iter().for_each(|world| world.ledger.overheard(who, bytes, &overdue));
        }));
        let (_, line) = state.lines.swap_remove(place);
        state.lost.push(line);
    }

    /// Whether something may still arrive from lines that their clients have lost.
    pub fn is_anything_overdue(&self) -> bool {
        let mut state = self.lock();
        state.lost.retain(|line| !line.is_over());
        !state.lost.is_empty()
    }

    /// Looks whether what was deleted has left the files since the last look: SQLite's log becomes shorter by nothing else
    /// while a server runs.
    pub fn look(&self) {
        let mut state = self.lock();
        let Some(bytes) = self.size(state.deaths, WRITE_AHEAD_LOG) else { return };
        let Some(server) = &mut state.server else { return };
        if bytes < server.write_ahead {
            count(Tried::Purged);
        }
        server.write_ahead = bytes;
    }

    /// A client's connection is silent from now on. The next one works.
    pub fn silence(&self, who: usize) {
        self.ledger.note(format_args!("the line of c{who} is dead"));
        let lines = self.lines(|client| client == who);
        if lines.iter().any(Line::is_used) {
            count(Tried::Silenced);
        }
        lines.iter().for_each(|line| line.hold(true));
        // Nobody brings it back to life.
        self.lock().lines.retain(|(client, _)| *client != who);
    }

    /// Nothing reaches those of these clients that something reached, nor the server from them, for so long.
    pub fn part(self: &Arc<Self>, mut who: BTreeSet<usize>, time: Duration) {
        who.retain(|client| self.lock().apart.insert(*client));
        self.ledger.note(format_args!("cut off: {who:?}"));
        self.lines(|client| who.contains(&client)).iter().for_each(|line| line.hold(true));
        let (world, since) = (Arc::clone(self), Instant::now());
        tokio::spawn(async move {
            sleep(time).await;
            let kind = if since.elapsed() > DEAD_AFTER { Tried::PartedForLong } else { Tried::Parted };
            count_all(kind, who.len() as u64);
            world.heal(&who);
        });
    }

    /// Everything gets through to these again, also what was sent before.
    fn heal(&self, who: &BTreeSet<usize>) {
        self.ledger.note(format_args!("reached again: {who:?}"));
        self.lock().apart.retain(|client| !who.contains(client));
        self.lines(|client| who.contains(&client)).iter().for_each(|line| line.hold(false));
        self.changed.notify_waiters();
    }

    /// From now on nothing more goes wrong. Whoever is out of reach still is, for their time.
    pub fn calm(&self) {
        self.lock().calm = true;
    }

    pub fn is_calm(&self) -> bool {
        self.lock().calm
    }
}
