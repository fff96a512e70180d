//! What is measured.

use crate::job::{Beside, Figures, Job, Kind};
use crate::keys::Seat;
use crate::servers::{Server, can_pin};
use crate::wire::TEXT;

/// A crowd in one room, and as many messages as take a second or so.
const CROWD: Job = Job {
    kind: Kind::Plain,
    port: 0,
    rooms: 1,
    members: 100,
    senders: 1,
    in_flight: 64,
    messages: 20_000,
    rate: 0.0,
    beside: Beside::Nothing,
};

/// A case of the first table: parlor beside the relay, deliveries each second.
struct Race {
    name: &'static str,
    what: &'static str,
    aim: f64,
    job: Job,
}

fn races() -> Vec<Race> {
    let race = |name, what, aim, job| Race { name, what, aim, job };
    vec![
        race(
            "crowd",
            "1 sender to 1,000, 64 in flight",
            0.60,
            Job { members: 1_000, messages: 3_000, ..CROWD },
        ),
        race("room", "1 sender to 100, 64 in flight", 0.50, CROWD),
        race(
            "talk",
            "8 senders to 100, 64 in flight each",
            0.35,
            Job { senders: 8, messages: 3_000, ..CROWD },
        ),
        race("single", "1 sender to 100, 1 in flight", 0.85, Job { in_flight: 1, messages: 4_000, ..CROWD }),
        race(
            "rooms",
            "100 rooms of 10, all talking, 4 in flight each",
            0.45,
            Job { rooms: 100, members: 10, senders: 10, in_flight: 4, messages: 200, ..CROWD },
        ),
    ]
}

/// The others, by name: what they are, whether they run unasked, and how.
type Case = (&'static str, &'static str, bool, fn(usize));
const OTHERS: [Case; 10] = [
    ("delay", "p99 from send to receipt, 100 messages/s into a room of 500, over the relay's", true, delay),
    ("memory", "memory of an idle connection, 5,000 of them in rooms of 10", true, memory),
    ("coming", "connections and joins each second, 2,000 into one room, presence told", true, coming),
    ("flood", "10,000 connections that join one room", true, flood),
    (
        "catch-up",
        "one who reads 100,000 entries while 100 others talk: the others' p99, over without",
        true,
        catch_up,
    ),
    ("tls", "the fan-out over TLS, over plain", true, tls),
    ("keys", "from a key to the screen that shows it, 10,000 messages/s coming in", true, keys),
    ("deaf", "1,000 readers that stop reading while 100 others talk for a minute", false, deaf),
    (
        "soak",
        "half an hour at half of what the server can do by the clock: memory, files, delays",
        false,
        soak,
    ),
    ("idle", "an idle server with 1,000 connections, for a minute", false, idle),
];

/// Runs what was asked for.
pub(crate) fn run(args: &[String]) {
    if args.first().is_some_and(|arg| arg == "list") {
        races().iter().for_each(|race| println!("{:<9} {}", race.name, race.what));
        OTHERS.iter().for_each(|(name, what, ..)| println!("{name:<9} {what}"));
        return;
    }
    let rounds =
        args.iter().position(|arg| arg == "--rounds").map_or(3, |place| args[place + 1].parse().unwrap());
    let named: Vec<&String> = args.iter().take_while(|arg| *arg != "--rounds").collect();
    let asked = |name: &str| named.iter().any(|asked| name.starts_with(asked.as_str()));
    println!(
        "texts of {TEXT} bytes, {rounds} rounds, medians; {}",
        if can_pin() { "server on core 0, load on core 1" } else { "not pinned: no taskset here" }
    );
    for race in races().iter().filter(|race| named.is_empty() || asked(race.name)) {
        race.run(rounds);
    }
    for (name, what, unasked, case) in OTHERS {
        if asked(name) || (named.is_empty() && unasked) {
            println!("{name}: {what}");
            case(rounds);
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn measure(kind: Kind, job: &Job) -> Figures {
    Server::start(kind, job.members).load(job).0
}

/// The ratio of what two jobs give, the second over the first, and both.
fn compare(rounds: usize, first: impl Fn() -> f64, second: impl Fn() -> f64) -> (f64, f64, f64) {
    let pairs: Vec<(f64, f64)> = (0..rounds).map(|_| (first(), second())).collect();
    let ratio = median(pairs.iter().map(|(first, second)| second / first).collect());
    let all = |pick: fn(&(f64, f64)) -> f64| median(pairs.iter().map(pick).collect());
    (ratio, all(|pair| pair.0), all(|pair| pair.1))
}

impl Race {
    fn run(&self, rounds: usize) {
        let rate = |kind| measure(kind, &self.job).rate;
        let (ratio, relay, parlor) = compare(rounds, || rate(Kind::Relay), || rate(Kind::Plain));
        println!(
            "{:<9} {:<48} relay {relay:>9.0}/s  parlor {parlor:>9.0}/s  ratio {ratio:.2} (aim {:.2})",
            self.name, self.what, self.aim
        );
    }
}

fn delay(rounds: usize) {
    let job = Job { members: 500, messages: 500, rate: 100.0, ..CROWD };
    let p99 = |kind| measure(kind, &job).p99 * 1e3;
    let (ratio, relay, parlor) = compare(rounds, || p99(Kind::Relay), || p99(Kind::Plain));
    println!("          relay {relay:.2} ms  parlor {parlor:.2} ms  ratio {ratio:.2} (aim 1.50)");
}

fn memory(_: usize) {
    let job = Job { rooms: 500, members: 10, messages: 0, ..CROWD };
    for (kind, aim) in [(Kind::Plain, 4.0), (Kind::Tls, 20.0)] {
        let server = Server::start(kind, 0);
        // What a server keeps once it has served at all is not a connection's.
        drop(server.load(&Job { rooms: 10, ..job.clone() }));
        let before = server.memory();
        let (_, crowd) = server.load(&job);
        // Presence is told every tenth of a second; then all is quiet.
        std::thread::sleep(std::time::Duration::from_secs(2));
        let each = (server.memory() - before) as f64 / (job.rooms * job.members) as f64 / 1e3;
        println!("          {kind:?}: {each:.1} kB (aim {aim:.0})");
        drop(crowd);
    }
}

fn coming(rounds: usize) {
    let job = Job { members: 2_000, messages: 0, ..CROWD };
    for kind in [Kind::Plain, Kind::Tls] {
        let rate = median((0..rounds).map(|_| 2_000.0 / measure(kind, &job).joined).collect());
        println!("          {kind:?}: {rate:.0}/s{}", if kind == Kind::Plain { " (aim 8,000)" } else { "" });
    }
}

fn flood(_: usize) {
    let job = Job { members: 10_000, messages: 0, beside: Beside::Settling, ..CROWD };
    let Figures { joined, settled, answer, .. } = measure(Kind::Plain, &job);
    println!(
        "          all in after {joined:.2} s, presence settled after {settled:.2} s, the slowest answer meanwhile {answer:.3} s (aim 2)"
    );
}

fn catch_up(rounds: usize) {
    const LONG: u64 = 100_000;
    let server = Server::start(Kind::Plain, 0);
    crate::load::fill(server.port, LONG);
    let without = Job { senders: 100, messages: 50, rate: 10.0, ..CROWD };
    let with = Job { beside: Beside::CatchUp(LONG), ..without.clone() };
    let seconds = std::cell::Cell::new(0.0);
    let p99 = |job: &Job| {
        let figures = server.load(job).0;
        seconds.set(figures.caught_up);
        figures.p99 * 1e3
    };
    let (ratio, alone, beside) = compare(rounds, || p99(&without), || p99(&with));
    println!(
        "          without {alone:.2} ms  with {beside:.2} ms  ratio {ratio:.2} (aim 1.20); {LONG} entries in {:.2} s",
        seconds.get()
    );
}

fn tls(rounds: usize) {
    for (members, messages) in [(100, 20_000), (1_000, 2_000)] {
        let job = Job { members, messages, ..CROWD };
        let rate = |kind| measure(kind, &job).rate;
        let (ratio, plain, tls) = compare(rounds, || rate(Kind::Plain), || rate(Kind::Tls));
        println!("          to {members}: plain {plain:.0}/s  TLS {tls:.0}/s  ratio {ratio:.2}");
    }
}

fn deaf(_: usize) {
    const DEAF: usize = 1_000;
    let job = |deaf| Job {
        members: 100 + deaf,
        senders: 100,
        // A minute of ten messages each second from each. Of that counts what is between the moment at which their sockets
        // are full and that at which they are let go.
        messages: 600,
        rate: 10.0,
        beside: Beside::Deaf(deaf),
        ..CROWD
    };
    let alone = measure(Kind::Plain, &job(0)).p99 * 1e3;
    let server = Server::start(Kind::Plain, 0);
    let before = server.memory();
    let (beside, grown) = std::thread::scope(|scope| {
        let server = &server;
        let load = scope.spawn(move || server.load(&job(DEAF)).0.p99 * 1e3);
        let mut grown = Vec::new();
        while !load.is_finished() {
            std::thread::sleep(std::time::Duration::from_secs(1));
            grown.push(server.memory().saturating_sub(before) as f64 / 1e6);
        }
        (load.join().unwrap(), grown)
    });
    let at = |second: usize| grown.get(second).copied().unwrap_or(0.0);
    println!(
        "          p99 without {alone:.2} ms  with {beside:.2} ms  ratio {:.2} (aim 1.20); memory grew by {:.1} MB after 10 s, {:.1} after 20, {:.1} after 30, {:.1} after 55, {:.1} at most",
        beside / alone,
        at(10),
        at(20),
        at(30),
        at(55),
        grown.iter().copied().fold(0.0, f64::max)
    );
}

fn idle(_: usize) {
    let server = Server::start(Kind::Plain, 0);
    let (_, crowd) = server.load(&Job { rooms: 100, members: 10, messages: 0, ..CROWD });
    std::thread::sleep(std::time::Duration::from_secs(2));
    let before = server.processor();
    std::thread::sleep(std::time::Duration::from_secs(60));
    println!("          {:.2} s of a processor in a minute", server.processor() - before);
    drop(crowd);
}

fn keys(_: usize) {
    let server = Server::start(Kind::Plain, 0);
    let mut seat = Seat::take(server.port, "#r0");
    let (pressed, p50, p99) = std::thread::scope(|scope| {
        // Two who only make it a room, and 20 s of talk.
        let job = Job { members: 2, messages: 200_000, rate: 10_000.0, ..CROWD };
        let server = &server;
        let load = scope.spawn(move || drop(server.load(&job)));
        seat.press(|| !load.is_finished())
    });
    println!("          {pressed} keys: p50 {p50:.1} ms  p99 {p99:.1} ms (aim 16)");
}

/// The crowd of one minute of the soak, and how many minutes there are.
fn soak(_: usize) {
    const MINUTES: usize = 30;
    // A crowd: in small rooms as many deliveries would fill the disk.
    let job = Job { members: 1_000, senders: 10, ..CROWD };
    let server = Server::start(Kind::Plain, 0);
    // Messages of one sender each second, for so many deliveries: everyone gets those of ten.
    let by_the_clock = |deliveries: f64, seconds: f64| {
        let rate = deliveries / (1_000.0 * 10.0);
        Job { messages: (rate * seconds) as usize, rate, ..job.clone() }
    };
    let together = server.load(&Job { senders: 1, messages: 5_000, ..job.clone() }).0.rate;
    // Perhaps that is more than what comes through in time for those who wait for no answer.
    let keeps_up = |deliveries: &f64| {
        server.emptied();
        server.load(&by_the_clock(*deliveries, 10.0)).0.p99 < 0.5
    };
    let most = (0..20).map(|step| together * 0.85_f64.powi(step)).find(keeps_up).expect("it never keeps up");
    let minute = by_the_clock(most / 2.0, 60.0);
    println!("          at most {most:.0} deliveries/s by the clock; half of it for {MINUTES} minutes");
    for number in 1..=MINUTES {
        // Their names are free again when the server knows that they are gone.
        server.emptied();
        let (figures, crowd) = server.load(&minute);
        println!(
            "          minute {number:>2}: {:.0}/s  p50 {:.2} ms  p99 {:.2} ms  {:.1} MB  {} files",
            figures.rate,
            figures.p50 * 1e3,
            figures.p99 * 1e3,
            server.memory() as f64 / 1e6,
            server.files()
        );
        drop(crowd);
    }
    server.emptied();
    println!("          all gone: {:.1} MB  {} files", server.memory() as f64 / 1e6, server.files());
}
