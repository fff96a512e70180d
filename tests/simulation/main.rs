//! Promises 1 to 5, in a world where everything goes wrong: one server and twenty clients on one thread, in a network
//! and a time that are made up, so that what happens follows from a number, the seed, and happens again just so.
//!
//! The server, its log in SQLite and the clients' links are the real ones. Lines are slow, narrow, cut, silent or parted
//! for a while, and what was said on one that is lost may still arrive, behind what is said on the next; the server is asked to end, or killed between any two steps, and started again on what the disk held
//! at that moment; some readers are slow and some stop. Then all goes well, everyone comes to rest, the server is killed
//! once more, and what it has then is compared with all that was said, acknowledged and seen. What went wrong is counted
//! too, and must be enough of each kind.
//!
//! `PARLOR_SEED=17 cargo test --test simulation -- --nocapture` runs one seed and prints what happened. `PARLOR_SEEDS=1000`
//! runs more of them than usual.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]
#![allow(unreachable_pub, missing_docs)]

mod ledger;
mod net;
mod people;
mod tally;
mod world;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::env;
use std::io;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::thread;
use std::time::Duration;

use ledger::{Gaps, Ledger, Logs, TALKERS};
use net::Quality;
use parlor::protocol::command::{Command, History, Join, Place};
use parlor::protocol::event::{Entry, EntryKind, Event};
use parlor::protocol::name::RoomName;
use parlor::server::config::Limits;
use people::{Habit, Person, Wire};
use tally::Tally;
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};
use world::World;

/// Seeds of one test run.
const SEEDS: u64 = 200;
const CLIENTS: usize = 20;
/// The first of those without a link, who talks more than the others of them.
const WITHOUT_LINK: usize = 16;
/// Who looks at the log in the end.
const AUDITOR: usize = CLIENTS;
const ROOMS: [&str; 3] = ["#all", "#some", "#few"];
/// How long things go wrong.
const TROUBLE: Duration = Duration::from_secs(45);
/// Milliseconds that clients are out of reach: mostly less than it takes either end to notice, which is 90 seconds.
const PART: Range<u64> = 500..35_000;
const LONG_PART: Range<u64> = 80_000..120_000;
/// How long it may take until everyone has everything, after that. Some are out of reach for two minutes more, a client
/// notices a line that is silent for ever after 90 seconds, and the link tries again every 20.
const REST: Duration = Duration::from_secs(400);

thread_local! {
    /// How long the disk takes at most, in microseconds.
    static DISK: Cell<u64> = const { Cell::new(0) };
    /// What tasks of this thread have said when they panicked.
    static PANICS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn disk() -> Duration {
    Duration::from_micros(fastrand::u64(0..=DISK.get()))
}

/// What happened, and what should not have.
#[derive(Debug, Default, PartialEq, Eq)]
struct Run {
    trace: Vec<String>,
    faults: Vec<String>,
    tally: Tally,
}

/// Runs a seed, on this thread.
fn run(seed: u64) -> Run {
    // A panic in a task of the server would otherwise be one more connection that breaks.
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            PANICS.with_borrow_mut(|panics| panics.push(panic.to_string()));
            usual(panic);
        }));
    });
    // In memory where there is such a place: what is tried here is not the disk.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
    std::fs::create_dir(folder.path().join("0")).unwrap();
    PANICS.take();
    Tally::take();
    fastrand::seed(seed);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    // What panics here has no trace any more, and still its seed.
    let life = AssertUnwindSafe(|| runtime.block_on(life(folder.path())));
    let mut run = panic::catch_unwind(life).unwrap_or_default();
    drop(runtime);
    run.faults.extend(PANICS.take());
    run.tally = Tally::take();
    run
}

async fn life(folder: &Path) -> Run {
    DISK.set([1_000, 4_000, 30_000][fastrand::usize(..3)]);
    let patience = Duration::from_millis(250) + 12 * Duration::from_micros(DISK.get());
    let limits = if fastrand::bool() { Limits::default() } else { Limits::default().unlimited() };
    let qualities = (0..=AUDITOR).map(quality).collect();
    let world = World::new(folder, limits, disk, qualities, Ledger::new(patience));
    world.start();
    let chatterbox = fastrand::usize(2..WITHOUT_LINK);
    for who in 0..CLIENTS {
        let person = person(who, who == chatterbox);
        match who {
            ..WITHOUT_LINK => people::link(&world, person),
            WITHOUT_LINK => people::wire(&world, person, Habit::Steady),
            17 => people::wire(&world, person, Habit::Slow(Duration::from_millis(fastrand::u64(50..800)))),
            _ => people::wire(&world, person, Habit::Stops(Duration::from_secs(fastrand::u64(5..40)))),
        }
    }
    trouble(&world).await;
    world.calm();
    let end = Instant::now() + REST;
    while (world.is_anything_overdue() || !world.ledger.is_settled()) && Instant::now() < end {
        sleep(Duration::from_millis(250)).await;
    }
    world.kill();
    world.start();
    let mut logs = Logs::new();
    match timeout(REST, read_all(&world, &mut logs)).await {
        Ok(Ok(())) => {}
        wrong => world.ledger.fault(format_args!("the log cannot be read: {wrong:?}")),
    }
    let (trace, faults) = world.ledger.close(&logs);
    Run { trace, faults, ..Run::default() }
}

/// A line by chance: that of the talkers is good.
fn quality(who: usize) -> Quality {
    let good = Quality { delay: 1, jitter: 4, rate: 0, window: 65_536 };
    if TALKERS.contains(&who) || who == AUDITOR {
        return good;
    }
    match fastrand::u8(..5) {
        0 => Quality { delay: 300, jitter: 200, ..good },
        1 => Quality { rate: 4_000, window: 8_192, ..good },
        2 => Quality { window: fastrand::usize(64..3_000), ..good },
        _ => Quality { jitter: 40, ..good },
    }
}

/// Somebody by chance: in the first room, and perhaps in others.
fn person(who: usize, is_chatterbox: bool) -> Person {
    let rooms = ROOMS.iter().enumerate().filter(|(n, _)| *n == 0 || fastrand::bool());
    let gaps = || match fastrand::u8(..6) {
        0 => Gaps::First(fastrand::u64(..20)),
        1 => Gaps::Always(fastrand::u64(..20)),
        _ => Gaps::Never,
    };
    let is_whole = TALKERS.contains(&who) || who >= WITHOUT_LINK;
    let rooms = rooms.map(|(_, room)| (room_of(room), if is_whole { Gaps::Never } else { gaps() })).collect();
    let within = |from: u64, to: u64| Duration::from_millis(fastrand::u64(from..to));
    let trouble = u64::try_from(TROUBLE.as_millis()).unwrap();
    let says = match who {
        _ if TALKERS.contains(&who) => (0..30).map(|_| within(500, 2_500)).collect(),
        _ if is_chatterbox => (0..80).map(|_| within(0, 600)).collect(),
        WITHOUT_LINK => (0..25).map(|_| within(0, 3_500)).collect(),
        // Some of it together.
        _ => (0..fastrand::u64(1..8))
            .map(|_| if fastrand::bool() { within(0, 3) } else { within(0, trouble / 4) })
            .collect(),
    };
    Person { who, rooms, says }
}

fn room_of(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

/// One thing after the other goes wrong.
async fn trouble(world: &Arc<World>) {
    let end = Instant::now() + TROUBLE;
    let calm = [500, 2_000, 8_000][fastrand::usize(..3)];
    while Instant::now() < end {
        sleep(Duration::from_millis(fastrand::u64(0..calm))).await;
        world.look();
        // The lines of the talkers are good.
        let who = fastrand::usize(TALKERS.len()..CLIENTS);
        match fastrand::u8(..14) {
            0..5 => world.cut(who),
            5..8 => lose(world),
            8 => world.silence(who),
            9 | 10 => part(world),
            11 => world.stop().await,
            12 => world.kill(),
            _ => world.light_fuse(fastrand::u32(..80)).await,
        }
        if !world.is_up() {
            sleep(Duration::from_millis(fastrand::u64(0..3_000))).await;
            world.start();
        }
    }
}

/// Some clients are out of reach for a while, and few for long.
fn part(world: &Arc<World>) {
    let (one_of, time) = if fastrand::u8(..4) == 0 { (8, LONG_PART) } else { (4, PART) };
    let some = (TALKERS.len()..CLIENTS).filter(|_| fastrand::u8(..one_of) == 0).collect();
    world.part(some, Duration::from_millis(fastrand::u64(time)));
}

/// A client loses its line, and what it has said arrives late. Often one without a link, whose old connection the server
/// goes on hearing when there is a new one: where a link comes back, it ends the old one.
fn lose(world: &Arc<World>) {
    let who = if fastrand::bool() { fastrand::usize(TALKERS.len()..CLIENTS) } else { WITHOUT_LINK };
    let latest = [1_000, 4_000, 20_000][fastrand::usize(..3)];
    let [stuck, delay] = [6_000, latest].map(|most| Duration::from_millis(fastrand::u64(0..most)));
    world.lose(who, stuck, delay);
}

/// The log, as a stranger reads it who comes only now; and each gap that anyone was left with must open.
async fn read_all(world: &Arc<World>, logs: &mut Logs) -> io::Result<()> {
    let mut wire = Wire::open(world, AUDITOR).await?;
    for name in ROOMS {
        let room = room_of(name);
        let join = Join { id: None, room: room.clone(), after: 0, limit: None, words: None };
        wire.say(&Command::Join(join)).await?;
        let (mut last, mut log) = (None, Vec::<Entry>::new());
        while last.is_none_or(|last| (log.len() as u64) < last) {
            match wire.next().await? {
                Event::Ok(okay) => last = okay.room.map(|room| room.last),
                Event::Entry(entry) if entry.room == room => log.push(entry),
                _ => {}
            }
        }
        if log.iter().map(|entry| entry.seq).ne(1..=log.len() as u64) {
            world.ledger.fault(format_args!("{room} is not whole in the log"));
        }
        for (now, then) in pages(&mut wire, &room, log.len()).await?.iter().zip(states(&log)) {
            if State::of(now) != then {
                let seq = now.seq;
                world.ledger.fault(format_args!("{room} {seq} should be {then:?}, and a page says {now:?}"));
            }
        }
        logs.insert(room, log);
    }
    for (room, from, to) in world.ledger.gaps() {
        let (limit, place) = (to - from + 1, Place::After(from - 1));
        let history = History { id: None, room: room.clone(), place, limit };
        wire.say(&Command::History(history)).await?;
        let page = loop {
            if let Event::Page(page) = wire.next().await? {
                break page.entries;
            }
        };
        let (from, to) = (usize::try_from(from).unwrap(), usize::try_from(to).unwrap());
        let kept = logs[&room][from - 1..to].iter().map(|entry| entry.id);
        if page.iter().map(|entry| entry.id).ne(kept) {
            world.ledger.fault(format_args!("the gap in {room} from {from} to {to} does not open"));
        }
    }
    Ok(())
}

/// A whole room, page by page.
async fn pages(wire: &mut Wire, room: &RoomName, entries: usize) -> io::Result<Vec<Entry>> {
    let mut all = Vec::new();
    while all.len() < entries {
        let place = Place::After(all.len() as u64);
        wire.say(&Command::History(History { id: None, room: room.clone(), place, limit: 500 })).await?;
        let page = loop {
            if let Event::Page(page) = wire.next().await? {
                break page.entries;
            }
        };
        if page.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        all.extend(page);
    }
    Ok(all)
}

/// What an entry is now.
#[derive(Debug, Default, PartialEq)]
struct State {
    text: String,
    /// The last entry that changed it.
    changed: Option<u64>,
    deleted: bool,
    reactions: BTreeMap<String, u64>,
}

impl State {
    /// As a page says it.
    fn of(entry: &Entry) -> Self {
        let text = entry.text.as_str().to_owned();
        // An entry that edited a message says of the message that it is gone, and nothing of itself.
        let Some(now) = entry.now.as_deref().filter(|_| entry.kind == EntryKind::Message) else {
            return Self { text, ..Self::default() };
        };
        let reactions = now.reactions.iter().map(|one| (one.emoji.as_str().to_owned(), one.count));
        Self { text, changed: Some(now.seq), deleted: now.deleted, reactions: reactions.collect() }
    }
}

/// What becomes of each entry of a log by those that follow it.
fn states(log: &[Entry]) -> Vec<State> {
    let mut states: Vec<State> =
        log.iter().map(|entry| State { text: entry.text.as_str().to_owned(), ..State::default() }).collect();
    for entry in log {
        let Some(target) = entry.target else { continue };
        let Some(state) = states.get_mut(usize::try_from(target).unwrap() - 1) else { continue };
        state.changed = Some(entry.seq);
        match entry.kind {
            EntryKind::Edited => entry.text.as_str().clone_into(&mut state.text),
            EntryKind::Deleted => {
                *state = State { changed: state.changed, deleted: true, ..State::default() };
                for (state, edit) in states.iter_mut().zip(log) {
                    if edit.kind == EntryKind::Edited && edit.target == Some(target) {
                        state.text.clear();
                    }
                }
            }
            EntryKind::Reacted => {
                let count = state.reactions.entry(entry.text.as_str().to_owned()).or_default();
                *count = if entry.off { *count - 1 } else { *count + 1 };
                state.reactions.retain(|_, count| *count > 0);
            }
            _ => {}
        }
    }
    states
}

fn seeds() -> Range<u64> {
    let number = |name| env::var(name).ok().map(|value| value.parse::<u64>().expect("a number"));
    match number("PARLOR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("PARLOR_SEEDS").unwrap_or(SEEDS),
    }
}

#[test]
fn the_promises_hold_whatever_goes_wrong() {
    let seeds = seeds();
    let next = AtomicU64::new(seeds.start);
    let failed = Mutex::new(Vec::new());
    let tally = Mutex::new(Tally::default());
    let work = || {
        while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < seeds.end) {
            let Run { trace, faults, tally: tried } = run(seed);
            tally.lock().unwrap().add(&tried);
            if seeds.end - seeds.start == 1 {
                trace.iter().for_each(|line| eprintln!("{line}"));
            }
            if !faults.is_empty() {
                let shown = faults.iter().take(5).map(|fault| format!("\n    {fault}")).collect::<String>();
                eprintln!("PARLOR_SEED={seed} cargo test --test simulation -- --nocapture{shown}");
                failed.lock().unwrap().push(seed);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    eprintln!("in {} seeds: {}", seeds.end - seeds.start, tally.lock().unwrap());
    let mut failed = failed.into_inner().unwrap();
    failed.sort_unstable();
    assert!(failed.is_empty(), "these seeds failed: {failed:?}");
    let lacking = tally.into_inner().unwrap().lacking(seeds.end - seeds.start);
    assert!(lacking.is_empty(), "hardly tried: {lacking:?}");
}

#[test]
fn a_seed_is_the_same_run_each_time() {
    for seed in 0..3 {
        let (once, again) = (run(seed), run(seed));
        assert!(once.trace.len() > 500, "too little happened: {}", once.trace.len());
        let parted = once.trace.iter().zip(&again.trace).position(|(once, again)| once != again);
        let near = parted.map(|line| (line, &once.trace[line], &again.trace[line]));
        assert_eq!(near, None, "seed {seed} went another way");
        assert_eq!(once, again);
        assert_ne!(once.trace, run(seed + 10).trace, "another seed is the same run");
    }
}
