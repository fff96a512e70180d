//! One measurement from its beginning to its end: all come in, some talk, and what was said is waited for.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{interval, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::enter::{Seated, enter, room_name, sentence};
use super::member::Member;
use super::order::Faults;
use super::pacemaker;
use super::plan::{Pace, Plan};
use super::progress::{EVERY, Progress};
use super::report::{Circumstances, Report};
use super::sender::{Sender, Template};
use super::shared::{Schedule, Shared};
use crate::client::link::{Break, Config, Met, Secret};
use crate::client::script::notice;
use crate::protocol::event::Welcome;
use crate::protocol::invite::Pin;

/// Connections that come in at the same time: enough to keep a parlor busy, and few enough that it greets each in time.
const AT_ONCE: usize = 32;
/// How long answers are waited for at the end.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// Files that this program has open besides its connections: standard input and output, and the runtime's.
const OTHER_FILES: u64 = 32;

/// How a connection ended; which one, if it did not end well.
type Ended = Result<Faults, (usize, Break)>;

/// Measures.
///
/// # Errors
/// A sentence that says why nothing was measured, and what to do.
pub(super) async fn measure(
    mut config: Config,
    plan: &Plan,
    show: bool,
    ending: &CancellationToken,
) -> Result<Report, String> {
    raise_file_limit(plan.connections)?;
    config.trust.identity = None;
    let cannot_count = |error| format!("cannot count: {error}");
    let shared = Arc::new(Shared::new(plan).map_err(cannot_count)?);
    let (first, welcome, met) = tokio::select! {
        entered = enter(&config, 0, room_name(0)?) => {
            entered.map_err(|why| sentence(&why))?
        }
        () = ending.cancelled() => return Err(INTERRUPTED.to_owned()),
    };
    remember(&mut config, &met);
    let progress = Progress::new(show);
    let mut run = Run::new(plan, &shared, &progress, ending);
    let joining = run.gather(config.clone(), first).await?;
    run.talk().await?;
    let stopped = run.finish().await;
    let Run { faults, interrupted, trouble, .. } = run;
    drop(progress);
    let Welcome { server, .. } = welcome;
    let circumstances = Circumstances {
        address: config.address.to_string(),
        server: server.name,
        version: server.version,
        tls: met.fingerprint.is_some(),
        joining,
        stopped,
        faults,
        interrupted,
        trouble,
    };
    Ok(Report::new(plan, &shared, &shared.total().map_err(cannot_count)?, circumstances))
}

const INTERRUPTED: &str = "interrupted before all were there: nothing was measured";

/// A connection is a file, and the usual soft limit of 1,024 is for programs that use `select`.
fn raise_file_limit(connections: usize) -> Result<(), String> {
    let needed = connections as u64 + OTHER_FILES;
    match rlimit::increase_nofile_limit(needed) {
        Ok(limit) if limit < needed => Err(format!(
            "{connections} connections need {needed} open files, and this process may have {limit}: raise the hard \
             limit (`ulimit -Hn`), or ask for at most {} --connections",
            limit.saturating_sub(OTHER_FILES)
        )),
        Ok(_) => Ok(()),
        Err(error) => Err(format!("the limit of open files cannot be raised to {needed}: {error}")),
    }
}

/// The others go by what the first has met: its certificate, and the key that the passphrase has become.
fn remember(config: &mut Config, met: &Met) {
    if let Some(acquaintances) = &config.acquaintances {
        match acquaintances.remember(&config.address, met) {
            Ok(news) => news.iter().for_each(notice),
            Err(error) => notice(error),
        }
    }
    config.trust.pin = met.fingerprint.as_ref().map(Pin::of);
    if let Some((salt, key)) = &met.key {
        config.trust.secret = Some(Secret::Key(*salt, key.clone()));
    }
}

struct Run<'a> {
    plan: &'a Plan,
    shared: &'a Arc<Shared>,
    progress: &'a Progress,
    ending: &'a CancellationToken,
    tasks: JoinSet<Ended>,
    bells: Vec<Arc<Notify>>,
    /// Held by those who talk, until all that they said is answered.
    talking: Option<mpsc::Sender<Infallible>>,
    quiet: mpsc::Receiver<Infallible>,
    faults: Faults,
    interrupted: bool,
    trouble: Option<String>,
}

impl<'a> Run<'a> {
    fn new(
        plan: &'a Plan,
        shared: &'a Arc<Shared>,
        progress: &'a Progress,
        ending: &'a CancellationToken,
    ) -> Self {
        let (talking, quiet) = mpsc::channel(1);
        Self {
            plan,
            shared,
            progress,
            ending,
            tasks: JoinSet::new(),
            bells: (0..plan.senders).map(|_| Arc::default()).collect(),
            talking: Some(talking),
            quiet,
            faults: Faults::default(),
            interrupted: false,
            trouble: None,
        }
    }

    /// Waits until all are there, and says how long it took without the first.
    async fn gather(&mut self, config: Config, first: Seated) -> Result<Duration, String> {
        let began = Instant::now();
        let (config, mut first) = (Arc::new(config), Some(first));
        let (there, mut arrivals) = mpsc::unbounded_channel();
        let doors = Arc::new(Semaphore::new(AT_ONCE));
        for number in 0..self.plan.connections {
            let room = self.plan.room_of(number);
            let name = room_name(room)?;
            let sender = self.sender(number)?;
            let (config, seated) = (Arc::clone(&config), first.take());
            let (doors, there, shared) = (Arc::clone(&doors), there.clone(), Arc::clone(self.shared));
            let converse = async move {
                let seated = match seated {
                    Some(seated) => seated,
                    None => {
                        // Nobody closes it.
                        let _door = doors.acquire().await;
                        // Boxed, so that the room for a handshake is not kept for the whole run.
                        Box::pin(enter(&config, number, name)).await?.0
                    }
                };
                let member = Member::new(seated, number, room, sender, shared)?;
                // Nobody listens any more when another one has failed.
                let _ = there.send(());
                drop((config, there));
                member.run().await
            };
            self.tasks.spawn(async move { converse.await.map_err(|why| (number, why)) });
        }
        self.talking = None;
        let mut ticks = interval(EVERY);
        let mut joined = 0;
        while joined < self.plan.connections {
            tokio::select! {
                Some(()) = arrivals.recv() => joined += 1,
                Some(ended) = self.tasks.join_next() => {
                    return Err(format!("{joined} had joined when {}", why(ended).unwrap_or_default()));
                }
                _ = ticks.tick() => self.progress.joining(joined, self.plan.connections),
                () = self.ending.cancelled() => return Err(INTERRUPTED.to_owned()),
            }
        }
        Ok(began.elapsed())
    }

    fn sender(&self, number: usize) -> Result<Option<Sender>, String> {
        let Some(bell) = self.bells.get(number) else { return Ok(None) };
        let room = room_name(self.plan.room_of(number))?;
        Ok(Some(Sender {
            number,
            senders: self.plan.senders,
            pace: self.plan.pace,
            template: Template::new(room, self.plan.payload).map_err(|error| error.to_string())?,
            bell: Arc::clone(bell),
            in_flight: std::collections::VecDeque::new(),
            said: 0,
            talking: self.talking.clone(),
        }))
    }

    /// Lets them talk, until the time is over or something comes between.
    async fn talk(&mut self) -> Result<(), String> {
        let start = self.shared.now();
        let warm_up = u64::try_from(self.plan.warm_up.as_nanos()).unwrap_or(u64::MAX);
        let counted_from = start.saturating_add(warm_up);
        if self.shared.schedule.set(Schedule { start, counted_from }).is_err() {
            return Err("it has begun already".to_owned());
        }
        let began = self.shared.instant(start);
        let _pacemaker = match self.plan.pace {
            Pace::Answers { .. } => {
                self.bells.iter().for_each(|bell| bell.notify_one());
                None
            }
            Pace::Clock { rate } => Some(pacemaker::start(began, rate, self.bells.clone())),
        };
        let whole = self.plan.warm_up + self.plan.duration;
        let end = (began + whole).into();
        let mut ticks = interval(EVERY);
        loop {
            tokio::select! {
                () = sleep_until(end) => return Ok(()),
                () = self.ending.cancelled() => {
                    self.interrupted = true;
                    return Ok(());
                }
                Some(ended) = self.tasks.join_next() => {
                    self.trouble = why(ended);
                    return Ok(());
                }
                _ = ticks.tick() => self.progress.talking(began.elapsed(), whole, self.shared.deliveries()),
            }
        }
    }

    /// Ends the talk, waits for what was said, and says when the talk ended.
    async fn finish(&mut self) -> u64 {
        let stopped = self.shared.stop_now();
        self.bells.iter().for_each(|bell| bell.notify_one());
        // Without an answer by then, they are told as such.
        drop(timeout(ANSWER_TIME, self.quiet.recv()).await);
        self.shared.settled.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            match ended {
                Ok(Ok(faults)) => self.faults.add(faults),
                broken => {
                    self.trouble = self.trouble.take().or_else(|| why(broken));
                }
            }
        }
        stopped
    }
}

/// How a connection came to an end that it should not have come to.
fn why(ended: Result<Ended, JoinError>) -> Option<String> {
    match ended {
        Ok(Ok(_)) => None,
        Ok(Err((number, why))) => Some(format!("connection {number} ended: {}", sentence(&why))),
        Err(error) => Some(format!("a connection failed: {error}")),
    }
}
