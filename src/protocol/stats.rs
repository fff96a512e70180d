//! What a server counts: one snapshot, with a name for each number.
//!
//! The same snapshot answers `stats`, is printed where the server logs when its operator asks by a signal, and lies
//! before whoever types `/stats`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::command::RequestId;
use super::words::Reason;

/// The counters of a server at one moment. What is not said to be so now is counted since its start. A field that a
/// server of another version does not send is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stats {
    /// The `id` of the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub re: Option<RequestId>,
    /// Seconds since the start.
    pub uptime_seconds: u64,
    /// Connections that are open now, also those that have not come in yet.
    pub connections: u64,
    /// Connections accepted.
    pub connections_in_all: u64,
    /// Connections for which there was no place, or that were not let in.
    pub connections_refused: u64,
    /// Connections that are in, now.
    pub sessions: u64,
    /// Who they are, now: each person counts once, on however many devices, and each guest.
    pub people: u64,
    /// Rooms that there are now.
    pub rooms: u64,
    /// Entries stored.
    pub entries: u64,
    /// Entries sent again that were stored before: their senders got the `ok` that they had missed.
    pub duplicates: u64,
    /// Entries that the log could not store, by the fault of its disk.
    pub failed: u64,
    /// Entries given to connections: one entry for ten readers is ten.
    pub deliveries: u64,
    /// Bytes of frames written to those who are in, before encryption.
    pub bytes_written: u64,
    /// How often a connection was so far behind its room that it had to read the log.
    pub lagged: u64,
    /// Pages of the log read for connections that were behind: fallen behind, come back or just joined.
    pub pages_read: u64,
    /// Transactions of the log.
    pub commits: u64,
    /// Entries in one commit.
    pub commit_entries: Spread,
    /// Microseconds that one commit took.
    pub commit_micros: Spread,
    /// Hand-overs that wait for the log now.
    pub log_waiting: u64,
    /// Connections ended, for each reason that there was.
    pub endings: BTreeMap<Reason, u64>,
    /// Bytes of memory that the process occupies now; absent where the system does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Files, sockets among them, that the process has open now; absent where the system does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_files: Option<u64>,
}

/// How values are spread, each at most a quarter too high. All are 0 when there were none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spread {
    /// Half of them are not above this.
    pub p50: u64,
    /// 90 of 100 are not above this.
    pub p90: u64,
    /// 99 of 100 are not above this.
    pub p99: u64,
    /// The highest, exactly.
    pub max: u64,
}

/// Columns of the widest word that [`Stats::rows`] begins a row with, and of the space behind it.
pub const LABEL_COLUMNS: usize = 13;

impl Stats {
    /// The same for people: a word or two for each row, and what stands beside it.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let spread = |spread: &Spread, show: fn(u64) -> String| {
            let Spread { p50, p90, p99, max } = spread;
            format!("p50 {}, p90 {}, p99 {}, max {}", show(*p50), show(*p90), show(*p99), show(*max))
        };
        let now_and_ever = [self.connections, self.connections_in_all, self.connections_refused].map(grouped);
        let [now, in_all, refused] = now_and_ever;
        let [stored, known, failed] = [self.entries, self.duplicates, self.failed].map(grouped);
        let [lagged, pages] = [self.lagged, self.pages_read].map(grouped);
        let (deliveries, written) = (grouped(self.deliveries), bytes(self.bytes_written));
        let (memory, files) = (self.memory_bytes.map(bytes), self.open_files.map(grouped));
        let unknown = || "unknown".to_owned();
        let endings: Vec<String> =
            self.endings.iter().map(|(reason, times)| format!("{reason} {}", grouped(*times))).collect();
        let endings = if endings.is_empty() { "none".to_owned() } else { endings.join(", ") };
        vec![
            ("up", time(self.uptime_seconds)),
            ("connections", format!("{now} now, {in_all} in all, {refused} refused")),
            ("sessions", format!("{}, people {}", grouped(self.sessions), grouped(self.people))),
            ("rooms", grouped(self.rooms)),
            ("entries", format!("{stored} stored, {known} known already, {failed} failed")),
            ("deliveries", format!("{deliveries}, {written} written")),
            ("fell behind", format!("{lagged} times, {pages} pages read")),
            ("commits", format!("{}, {} waiting", grouped(self.commits), grouped(self.log_waiting))),
            ("commit size", spread(&self.commit_entries, grouped)),
            ("commit time", spread(&self.commit_micros, micros)),
            ("memory", memory.unwrap_or_else(unknown)),
            ("open files", files.unwrap_or_else(unknown)),
            ("endings", endings),
        ]
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows().iter().try_for_each(|(label, text)| writeln!(f, "  {label:<LABEL_COLUMNS$}{text}"))
    }
}

/// A number with a comma before every three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in the largest unit that leaves something before the point, rounded down.
pub fn bytes(size: u64) -> String {
    let unit =
        [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")].into_iter().find(|(unit, _)| size >= *unit);
    match unit {
        Some((unit, name)) => format!("{}.{} {name}", grouped(size / unit), size % unit * 10 / unit),
        None => format!("{size} B"),
    }
}

/// A short time.
fn micros(time: u64) -> String {
    let (whole, hundredths) = (time / 1000, time % 1000 / 10);
    if whole < 10 { format!("{whole}.{hundredths:02} ms") } else { format!("{} ms", grouped(whole)) }
}

/// A long time, in its two largest units.
pub fn time(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", grouped(seconds / 86_400), seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_as_people_say_them() {
        let said = [0, 12, 999, 1000, 45_678, 1_234_567].map(grouped);
        assert_eq!(said, ["0", "12", "999", "1,000", "45,678", "1,234,567"]);
        let said = [0, 1023, 1024, 1 << 20, (1 << 20) * 34 / 10, 5 << 40].map(bytes);
        assert_eq!(said, ["0 B", "1023 B", "1.0 KiB", "1.0 MiB", "3.3 MiB", "5,120.0 GiB"]);
        let said = [0, 850, 9_999, 10_000, 1_234_567].map(micros);
        assert_eq!(said, ["0.00 ms", "0.85 ms", "9.99 ms", "10 ms", "1,234 ms"]);
        let said = [59, 61, 3599, 7260, 86_400, 10_000_000].map(time);
        assert_eq!(said, ["59 s", "1 min 1 s", "59 min 59 s", "2 h 1 min", "1 d 0 h", "115 d 17 h"]);
        for most in [grouped, bytes, micros, time] {
            assert!(!most(u64::MAX).is_empty());
        }
    }

    #[test]
    fn every_word_fits_its_columns_and_is_there_once() {
        let rows = Stats::default().rows();
        let labels: std::collections::BTreeSet<_> = rows.iter().map(|(label, _)| label).collect();
        assert_eq!(labels.len(), rows.len());
        assert!(labels.into_iter().all(|label| label.len() < LABEL_COLUMNS));
    }

    #[test]
    fn a_server_of_another_version_may_say_less_and_have_other_reasons() {
        let json = r#"{"rooms":3,"later":true,"endings":{"quit":2,"melted":1},"commit_micros":{"p50":9}}"#;
        let stats: Stats = serde_json::from_str(json).unwrap();
        assert_eq!((stats.rooms, stats.sessions, stats.commit_micros.p50), (3, 0, 9));
        assert_eq!(stats.endings, BTreeMap::from([(Reason::Quit, 2), (Reason::Unknown, 1)]));
        assert!(stats.to_string().contains("quit 2, unknown 1"), "{stats}");
    }
}
