//! The server: rooms that are logs, and connections that are cursors over them.
//!
//! A message's way, and the file that each step is in:
//!
//! 1. [`bind`] opens listeners, [`listen`] accepts, [`handshake`] lets in, [`session`] serves one connection.
//! 2. The session's reader asks the [`hub`] whether this person may do this, and hands what one read
//!    brought to the [`log`].
//! 3. The log's one writer gives each entry its `seq`, and commits.
//! 4. [`publish`] makes one [`batch`] for each room of all that was committed, sends it along the
//!    [`room`]'s channel, and answers the senders.
//! 5. Each session's writer moves its cursor: from the channel when the batch is what comes next, and from
//!    the log otherwise.
//!
//! Beside it stand the [`registry`]: what the parlor knows of people, and what its host has decided; the [`search`]: an index
//! that follows the log; and `announce`, which tells the network that there is a parlor.

mod announce;
pub mod backup;
pub mod batch;
pub mod bind;
pub mod block;
pub mod config;
pub mod control;
pub mod database;
mod direct;
pub mod disk;
pub mod door;
mod either;
pub mod entrance;
pub mod gate;
pub mod handed;
pub mod handshake;
pub mod hub;
pub mod import;
pub mod listen;
pub mod live;
pub mod log;
pub mod mailbox;
pub mod metrics;
pub mod notes;
pub mod pake;
pub mod people;
pub mod private;
pub mod publish;
pub mod pulse;
pub mod reading;
pub mod registry;
pub mod reload;
pub mod retention;
pub mod room;
pub mod running;
pub mod search;
pub mod session;
pub mod socket;
mod steady;
pub mod throttle;
pub mod tls;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};
use uuid::Uuid;

use crate::protocol::address::Address;
use crate::protocol::announcement::Announcement;
use crate::protocol::event::{Reason, Stats};
use crate::protocol::limits::{PRESENCE_EVERY, SHUTDOWN_TIME};
use crate::protocol::proof::{Fingerprint, Passphrase, ProofKey, Salt};
use crate::protocol::time::Time;
use announce::Reach;
use bind::{ListenError, bind_all};
use config::Config;
#[cfg(unix)]
use control::Control;
use disk::Disk;
use door::{Ask, Door, DoorError};
use gate::Gate;
use handed::Handed;
use hub::{Hub, SharedHub};
use listen::{Doors, Listener};
use live::Live;
use log::{Commits, Log, LogError};
use mailbox::Slot;
use metrics::Metrics;
use metrics::process::Process;
use people::SharedRegistry;
use pulse::Pulse;
use reading::Positions;
use registry::{By, Registry, RegistryError};
use reload::{Fixed, Reloader};
use retention::Keeping;
use running::Running;
use search::Search;
use tls::{Tls, TlsError};

/// What every connection of a server shares.
#[derive(Debug)]
pub struct Context {
    hub: SharedHub,
    registry: SharedRegistry,
    positions: Positions,
    log: log::Writer<Slot>,
    reader: log::Reader,
    search: Search,
    /// What may change while it runs.
    live: watch::Sender<Live>,
    guests: bool,
    retention: Keeping,
    door: Door,
    /// `None`: TCP without TLS.
    tls: Option<Tls>,
    metrics: Metrics,
    /// Of the log.
    id: Uuid,
    /// Of the parlor.
    name: String,
    /// The folder of the log.
    data: PathBuf,
    /// Cancelled when the server begins to close.
    closing: CancellationToken,
}

/// Why a server could not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// Its log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Its listeners.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Its certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Its passphrase.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// What it knows of people.
    #[error(transparent)]
    Registry(#[from] registry::OpenError),
    /// The same, which cannot be written.
    #[error(transparent)]
    Unwritten(#[from] RegistryError),
}

/// A part of the server that ended before its time.
#[derive(Debug, Error)]
#[error("{0} has failed: the server was closed. Its log says more")]
pub struct Fault(&'static str);

/// A server that listens and does not answer yet: the caller binds, [`Server::run`] serves.
#[derive(Debug)]
pub struct Server {
    context: Arc<Context>,
    gate: Gate,
    listeners: Vec<Listener>,
    /// `None`: nothing is announced.
    reach: Option<Reach>,
    words: Option<Passphrase>,
    committed: Commits<Slot>,
    bell: Arc<Notify>,
    fixed: Arc<Fixed>,
    /// Where the owner of the folder asks; `None` for a server that is embedded.
    #[cfg(unix)]
    control: Option<std::io::Result<Control>>,
}

impl Server {
    /// Opens the log and the listeners.
    ///
    /// # Errors
    /// When either cannot be opened; the sentence says what to do.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        Self::bind_beside(config, Vec::new()).await
    }

    /// The same with listeners that are open already. Beside them it listens where `config` says so, and by default nowhere.
    ///
    /// # Errors
    /// As [`Server::bind`].
    pub async fn bind_beside(config: Config, handed: Vec<Handed>) -> Result<Self, StartError> {
        raise_file_limit();
        let closed = config.tls.is_some() && config.ask != Ask::Nothing;
        let mut listeners = handed.into_iter().map(Listener::adopt).collect::<Result<Vec<_>, _>>()?;
        if listeners.is_empty() || !config.listen.is_empty() {
            listeners.extend(bind_all(&config.listen, closed, &config.socket_access).await?);
        }
        #[cfg(unix)]
        let data = config.data.clone();
        let server = Self::open(config, listeners, Disk::Threads)?;
        // Only now is the folder ours.
        #[cfg(unix)]
        let server = Self { control: Some(Control::open(&data)), ..server };
        Ok(server)
    }

    /// Opens the log, and no listener: for one who has the connections already and lets them in by [`Server::gate`].
    /// What `config` says of listening and of TLS goes unused.
    ///
    /// # Errors
    /// When the log cannot be opened; the sentence says what to do.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn embed(config: Config, disk: Disk) -> Result<Self, StartError> {
        Self::open(Config { tls: None, ..config }, Vec::new(), disk)
    }

    fn open(config: Config, listeners: Vec<Listener>, disk: Disk) -> Result<Self, StartError> {
        let fixed = Arc::new(Fixed::of(&config));
        let log = Log::open(&config.data, config.durability, disk)?;
        let tls = config.tls.map(|source| Tls::open(&source, &config.data)).transpose()?;
        let words_file = (config.ask == Ask::OwnWords).then(|| config.data.join(door::WORDS_FILE));
        let mut registry = Registry::open(&config.data, config.durability, Time::now())?;
        registry.begin_above(log.last_person);
        if let Some(key) = config.host {
            registry.make_host(key, Time::now())?;
        }
        let door = door::prepare(&config.ask, &config.data, registry.door().cloned())?;
        if door.lock.is_some() {
            registry.set_door(&By::Parlor, door.lock.clone(), Time::now())?;
        }
        let search = Search::open(&config.data, log.id, &log.rooms, log.reader.clone(), disk);
        let listening = || listeners.iter().flat_map(Listener::sockets);
        let reach = config.announce.then(|| Reach::of(listening())).flatten();
        let bell = Arc::new(Notify::new());
        let hub = Hub::new(config.limits.clone(), log.rooms, Arc::clone(&bell));
        let positions = Positions::new(registry.read_marks()?);
        positions.sweep(|room| hub.published(room));
        let doors = Doors::new(config.limits.connections, config.limits.connections_per_address);
        let context = Arc::new(Context {
            hub: SharedHub::new(hub),
            registry: SharedRegistry::new(registry, disk),
            positions,
            log: log.writer,
            reader: log.reader,
            search,
            live: watch::Sender::new(Live { limits: config.limits, motd: config.motd }),
            guests: config.guests,
            retention: Keeping::new(config.retention),
            door: Door::new(door.lock, words_file),
            tls,
            metrics: Metrics::new(),
            id: log.id,
            name: config.name,
            data: config.data,
            closing: CancellationToken::new(),
        });
        let words = door.words;
        let gate =
            Gate { context: Arc::clone(&context), doors: Arc::new(doors), sessions: TaskTracker::new() };
        let server = Self {
            context,
            gate,
            listeners,
            reach,
            words,
            committed: log.committed,
            bell,
            fixed,
            #[cfg(unix)]
            control: None,
        };
        if let Err(error) = server.running().write(&server.context.data) {
            // The disk is full, for all else has been written: who wants to read what is there can.
            warn!(%error, "`parlor invite` and `parlor status` do not know of this parlor until it is started again");
            Running::remove(&server.context.data);
        }
        Ok(server)
    }

    /// The passphrase, where the words are known: to be told to the host, who tells it to others.
    pub fn words(&self) -> Option<&Passphrase> {
        self.words.as_ref()
    }

    /// The certificate that clients see; `None` without TLS.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.context.tls.as_ref().map(|tls| tls.served().fingerprint)
    }

    /// What `parlor invite` goes by.
    pub fn running(&self) -> Running {
        Running {
            listening: self.addresses().iter().map(ToString::to_string).collect(),
            fingerprint: self.fingerprint(),
            locked: self.key().is_some(),
        }
    }

    /// What takes new settings while it runs.
    pub fn reloader(&self) -> Reloader {
        let (context, doors) = (Arc::clone(&self.context), Arc::clone(&self.gate.doors));
        Reloader { context, doors, fixed: Arc::clone(&self.fixed) }
    }

    /// What tells whether it still does its work.
    pub fn pulse(&self) -> Pulse {
        Pulse { context: Arc::clone(&self.context), stood: None }
    }

    /// What tells all that is counted, as it is at each call, for whoever may block for a moment.
    pub fn stats(&self) -> impl Fn() -> Stats + Clone + Send + 'static {
        let context = Arc::clone(&self.context);
        move || context.stats(Process::read())
    }

    /// What opens the door, for one in the same process; `None` if it is open.
    pub fn key(&self) -> Option<(Salt, ProofKey)> {
        self.context.door.key()
    }

    /// The way in for connections that come from elsewhere than a listener.
    pub fn gate(&self) -> Gate {
        self.gate.clone()
    }

    /// Where it listens, with the ports that the system chose.
    pub fn addresses(&self) -> Vec<Address> {
        self.listeners.iter().map(Listener::address).collect()
    }

    /// Whether only this machine can reach it.
    pub fn is_local(&self) -> bool {
        self.listeners.iter().all(Listener::is_local)
    }

    /// What others on its networks are told of it; `None`: nothing.
    pub fn announced(&self) -> Option<Announcement> {
        self.reach.as_ref().map(|reach| self.context.announcement(reach))
    }

    /// Serves until `shutdown`, then tells everyone, stores what was accepted, and returns.
    ///
    /// # Errors
    /// When a part that all depends on has ended before its time: then everything is closed in the same
    /// order, and whoever supervises the server can start it again.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Fault> {
        #[cfg(unix)]
        let running = self.running();
        #[cfg(unix)]
        let control = self.control;
        let Self { context, gate: Gate { doors, sessions, .. }, listeners, reach, committed, bell, .. } =
            self;
        let accepting = TaskTracker::new();
        #[cfg(unix)]
        match control {
            Some(Ok(control)) => {
                accepting.spawn(control.run(Arc::clone(&context), running));
            }
            Some(Err(error)) => {
                warn!(%error, "no {}: `parlor status` cannot ask this server", control::SOCKET);
            }
            None => {}
        }
        for listener in listeners {
            accepting.spawn(listener.run(Arc::clone(&context), Arc::clone(&doors), sessions.clone()));
        }
        accepting.close();
        let announcing = reach.map(|reach| tokio::spawn(announce::run(Arc::clone(&context), reach)));
        let mut publisher = tokio::spawn({
            let context = Arc::clone(&context);
            async move { publish::run(committed, &context).await }
        });
        let mut presence = tokio::spawn(tell_news(Arc::clone(&context), bell));
        let tidying = tokio::spawn(tidy(Arc::clone(&context)));
        let keeping_up = tokio::spawn({
            let context = Arc::clone(&context);
            async move { context.positions.keep_up(&context.registry).await }
        });
        let expiring = tokio::spawn({
            let context = Arc::clone(&context);
            async move { retention::run(&context).await }
        });

        let fault = tokio::select! {
            biased;
            () = shutdown.cancelled() => None,
            _ = &mut publisher => Some(Fault("the log's writer or the publisher")),
            _ = &mut presence => Some(Fault("the teller of presence")),
        };
        info!("closing");
        expiring.abort();
        context.closing.cancel();
        context.hub.lock().close(Reason::Shutdown);
        accepting.wait().await;
        sessions.close();
        if timeout(SHUTDOWN_TIME, sessions.wait()).await.is_err() {
            warn!(left = sessions.len(), "some connections did not end in time");
        }
        if let Some(announcing) = announcing
            && let Err(error) = announcing.await
        {
            warn!(%error, "the announcing did not end in order");
        }
        context.search.close().await;
        context.reader.close().await;
        context.log.close().await;
        context.positions.keep(&context.registry).await;
        context.registry.close().await;
        keeping_up.abort();
        presence.abort();
        tidying.abort();
        if fault.is_none()
            && let Err(error) = publisher.await
        {
            warn!(%error, "the publisher did not end in order");
        }
        Running::remove(&context.data);
        context.metrics.log();
        fault.map_or(Ok(()), Err)
    }
}

/// How often what is over is taken out of what is known of people. It counts no more before; this gives its place back.
const TIDY_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

async fn tidy(context: Arc<Context>) {
    loop {
        sleep(TIDY_EVERY).await;
        let swept =
            context.registry.change(|registry, now| registry.sweep(now).map_err(|error| error.failure()));
        if let Err(error) = swept.await {
            warn!(%error, "what is over could not be taken out");
        }
    }
}

/// Tells each room who came and went, at most every [`PRESENCE_EVERY`], and sleeps while nobody does.
async fn tell_news(context: Arc<Context>, bell: Arc<Notify>) {
    loop {
        bell.notified().await;
        sleep(PRESENCE_EVERY).await;
        context.hub.lock().tell_news();
    }
}

/// A connection is a file, and the usual soft limit of 1,024 is for programs that use `select`.
fn raise_file_limit() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => debug!(limit, "open files"),
        Err(error) => warn!(%error, "the limit of open files stays as it is"),
    }
}
