//! How near parlor comes to what the kernel allows, and what a connection costs.
//!
//! Beside parlor runs a bare relay, which parses nothing but frames, stores nothing, and writes the very same bytes to
//! the same sockets, all that is pending in one write. Both take turns in one run; the ratio says how near parlor
//! comes, on any machine. Server and load are processes of their own, each pinned to a core where `taskset` is there.
//! Every entry is in the log before anyone sees it.
//!
//! `cargo bench --bench yardstick` runs the cases of the table; `-- NAME…` those whose names begin so, `-- --rounds 5` more
//! rounds. `-- list` names them all: some take minutes and run only when they are asked for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod cases;
mod job;
mod keys;
mod load;
mod relay;
mod servers;
mod wire;

fn main() {
    // Cargo says `--bench` to every bench.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.first().map(String::as_str) {
        Some("relay") => relay::run(args[1].parse().unwrap()),
        Some("load") => load::run(serde_json::from_str(&args[1]).unwrap()),
        _ => cases::run(&args),
    }
}
