//! SIGUSR1: whoever runs a server asks what it has counted, and is told where it logs.

use std::io::Write;

use crate::cli::LogFormat;
use parlor::protocol::event::Stats;
use parlor::protocol::time::Time;
use parlor::server::Server;

/// Somebody who may have asked already.
#[cfg(unix)]
pub(crate) type Questions = tokio::signal::unix::Signal;

/// Where there are no such signals.
#[cfg(not(unix))]
pub(crate) struct Questions;

/// Takes the signal from now on, so that it ends nobody: call it first of all. Who asks before there is an answer
/// gets it when there is one.
///
/// # Errors
/// When the system gives no signals.
#[cfg(unix)]
pub(crate) fn questions() -> std::io::Result<Questions> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::user_defined1())
}

#[cfg(not(unix))]
pub(crate) fn questions() -> std::io::Result<Questions> {
    Ok(Questions)
}

/// Writes the counters to `log` whenever they are asked for, in one piece, so that nothing else comes between.
#[cfg(unix)]
pub(crate) fn answer(
    mut questions: Questions,
    server: &Server,
    format: LogFormat,
    mut log: impl Write + Send + 'static,
) {
    let stats = server.stats();
    tokio::spawn(async move {
        while questions.recv().await.is_some() {
            // With nobody to tell there is nobody to tell of that.
            drop(log.write_all(told(&stats(), Time::now(), format).as_bytes()));
        }
    });
}

#[cfg(not(unix))]
pub(crate) fn answer(_: Questions, _: &Server, _: LogFormat, _: impl Write) {}

fn told(stats: &Stats, now: Time, format: LogFormat) -> String {
    match format {
        LogFormat::Text => format!("{now} counters\n{stats}"),
        // As the other lines of the log are.
        LogFormat::Json => {
            let fields = serde_json::json!({ "message": "counters", "stats": stats });
            let line = serde_json::json!({
                "timestamp": now, "level": "INFO", "fields": fields, "target": "parlor::counters",
            });
            format!("{line}\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor::protocol::event::{Reason, Spread};

    fn stats() -> Stats {
        Stats {
            uptime_seconds: 11_520,
            connections: 12,
            connections_in_all: 1_340,
            connections_refused: 3,
            sessions: 11,
            people: 9,
            rooms: 4,
            entries: 10_234,
            duplicates: 12,
            deliveries: 98_765,
            bytes_written: 12_900_000,
            lagged: 3,
            pages_read: 17,
            commits: 9_001,
            commit_entries: Spread { p50: 1, p90: 2, p99: 11, max: 64 },
            commit_micros: Spread { p50: 850, p90: 1_900, p99: 12_000, max: 310_000 },
            endings: [(Reason::Quit, 1_300), (Reason::Gone, 25), (Reason::Refused, 3)].into(),
            memory_bytes: Some(23 << 20),
            open_files: Some(31),
            ..Stats::default()
        }
    }

    #[test]
    fn a_person_reads_a_block() {
        insta::assert_snapshot!(told(&stats(), Time::from_millis(0), LogFormat::Text), @"
        1970-01-01T00:00:00.000Z counters
          up           3 h 12 min
          connections  12 now, 1,340 in all, 3 refused
          sessions     11, people 9
          rooms        4
          entries      10,234 stored, 12 known already, 0 failed
          deliveries   98,765, 12.3 MiB written
          fell behind  3 times, 17 pages read
          commits      9,001, 0 waiting
          commit size  p50 1, p90 2, p99 11, max 64
          commit time  p50 0.85 ms, p90 1.90 ms, p99 12 ms, max 310 ms
          memory       23.0 MiB
          open files   31
          endings      quit 1,300, gone 25, refused 3
        ");
    }

    #[test]
    fn a_program_reads_a_line() {
        let line = told(&stats(), Time::from_millis(0), LogFormat::Json);
        assert_eq!(line.trim_end().lines().count(), 1);
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&line["timestamp"], &line["level"]),
            (&"1970-01-01T00:00:00.000Z".into(), &"INFO".into())
        );
        assert_eq!(serde_json::from_value::<Stats>(line["fields"]["stats"].clone()).unwrap(), stats());
    }
}
