//! `parlor bench`: how fast a parlor is, on the machine of whoever asks.
//!
//! Many connections sit down, some of them talk for a while, and all of them listen. What is said carries the
//! moment at which it was said (`stamp.rs`), so each receipt is a latency; and its `seq`, so nothing can be lost
//! unnoticed.
//!
//! - It MUST check the order of every entry at every connection.
//! - It MUST NOT be what is measured: one task for each connection, and no JSON is decoded of what comes by the thousand
//!   (`scan.rs`).
//! - What is said by the clock is measured from the moment at which it should have been said, or a parlor that stands still
//!   would hold up the questions about it as well (coordinated omission).

mod enter;
mod frames;
mod member;
mod order;
mod pacemaker;
mod plan;
mod progress;
mod report;
mod run;
mod scan;
mod sender;
mod shared;
mod stamp;
mod tally;

use std::io::{self, Write as _};

use tokio_util::sync::CancellationToken;

pub use self::plan::{CONNECTIONS, IN_FLIGHT, LONGEST, PAYLOAD_SHORTEST, Pace, Plan, RATE, Unsound};
use self::report::Report;
use super::link::Config;
use super::script::{End, notice};

/// Measures, and prints what came of it to standard output: for people, or as one JSON object. Once `ending` is cancelled it
/// tells what was measured so far. Fails when the parlor does not let us in or breaks off, and when anything was lost,
/// doubled or out of order.
pub async fn run(config: Config, plan: Plan, json: bool, ending: &CancellationToken) -> End {
    let report = match run::measure(config, &plan, !json, ending).await {
        Ok(report) => report,
        Err(why) => {
            notice(why);
            return End::Failed;
        }
    };
    if let Err(error) = print(&report, json) {
        notice(format!("cannot write to standard output: {error}"));
        return End::Failed;
    }
    if let Some(why) = &report.trouble {
        notice(why);
    }
    if report.is_sound() { End::Done } else { End::Failed }
}

fn print(report: &Report, json: bool) -> io::Result<()> {
    let mut out = io::stdout();
    if json { writeln!(out, "{}", serde_json::to_string(report)?) } else { write!(out, "{report}") }
}
