//! `parlor status`: how the parlor stands that runs on a folder.

use std::io::Write as _;
use std::process::ExitCode;

use crate::cli;
use crate::hosting::data_folder;
use parlor::protocol::stats::{LABEL_COLUMNS, bytes, grouped, time};
use parlor::protocol::time::Time;
use parlor::protocol::wordlist::spell;
use parlor::server::control::{self, Status};

/// `parlor status`.
pub(crate) fn status(args: cli::Status) -> anyhow::Result<ExitCode> {
    let status = control::ask(&data_folder(args.data)?)?;
    let mut out = std::io::stdout();
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&status)?)?;
    } else {
        write!(out, "{}", shown(&status, Time::now()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The same for people: a word or two for each row, and what stands beside it.
fn shown(status: &Status, now: Time) -> String {
    let Status { name, version, pid, .. } = status;
    let mut text = format!("{name}: parlor {version}, process {pid}\n");
    for (label, row) in rows(status, now) {
        text += &format!("  {label:<LABEL_COLUMNS$}{row}\n");
    }
    text
}

fn rows(status: &Status, now: Time) -> Vec<(&'static str, String)> {
    let stats = &status.stats;
    let unknown = || "unknown".to_owned();
    let mut rows = vec![("since", format!("{}, {} ago", moment(status.since), time(stats.uptime_seconds)))];
    for (place, address) in status.listening.iter().enumerate() {
        rows.push((if place == 0 { "listening" } else { "" }, address.to_string()));
    }
    let words = status.certificate.map(|fingerprint| spell(&fingerprint.0));
    rows.push((
        "certificate",
        words.unwrap_or_else(|| "none: whoever is on the way can read along".to_owned()),
    ));
    let who = if status.passphrase { "who knows the passphrase" } else { "everyone who can reach it" };
    let guests = if status.guests { "guests too" } else { "nobody without a key" };
    rows.push(("comes in", format!("{who}, {guests}")));
    let rooms = if stats.rooms == 1 { "room" } else { "rooms" };
    rows.push(("people", format!("{} in {} {rooms}", grouped(stats.people), grouped(stats.rooms))));
    let [connections, allowed, refused] =
        [stats.connections, status.connections_allowed, stats.connections_refused].map(grouped);
    rows.push(("connections", format!("{connections} of {allowed}, {refused} refused so far")));
    let [stored, failed] = [stats.entries, stats.failed].map(grouped);
    let kept =
        status.kept_seconds.map_or_else(|| "for ever".to_owned(), |kept| format!("for {}", time(kept)));
    rows.push(("entries", format!("{stored} stored since the start, {failed} failed, kept {kept}")));
    let (memory, files) = (stats.memory_bytes.map(bytes), stats.open_files.map(grouped));
    rows.push((
        "memory",
        format!("{}, open files {}", memory.unwrap_or_else(unknown), files.unwrap_or_else(unknown)),
    ));
    rows.push(("on disk", bytes(status.disk_bytes)));
    rows.push((
        "last backup",
        match status.last_backup {
            Some(at) => format!("{}, {} ago", moment(at), time(seconds_between(at, now))),
            None => "none yet: `parlor backup` makes one".to_owned(),
        },
    ));
    rows
}

/// A moment without its milliseconds.
fn moment(at: Time) -> String {
    at.timestamp().strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// None, if the clock was put back.
fn seconds_between(earlier: Time, later: Time) -> u64 {
    u64::try_from((later.as_millis() - earlier.as_millis()) / 1000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor::protocol::event::Stats;
    use parlor::protocol::hex::Hex;
    use parlor::protocol::text::Line;

    fn lab() -> Status {
        Status {
            name: Line::lossy("lab"),
            version: Line::lossy("0.1.0"),
            pid: 1234,
            since: Time::from_millis(1_790_000_000_123),
            listening: vec![Line::lossy("0.0.0.0:7878"), Line::lossy("[::]:7878")],
            certificate: Some(Hex([7; 32])),
            passphrase: true,
            guests: true,
            connections_allowed: 5_000,
            kept_seconds: Some(90 * 24 * 60 * 60),
            disk_bytes: 12_900_000,
            last_backup: Some(Time::from_millis(1_790_000_005_000)),
            stats: Stats {
                uptime_seconds: 11_520,
                people: 9,
                rooms: 4,
                connections: 12,
                connections_refused: 3,
                entries: 10_234,
                memory_bytes: Some(23 << 20),
                open_files: Some(31),
                ..Stats::default()
            },
        }
    }

    #[test]
    fn an_operator_sees_it_at_a_glance() {
        let now = Time::from_millis(1_790_000_000_123).shifted(11_520_000);
        insta::assert_snapshot!(shown(&lab(), now), @"
        lab: parlor 0.1.0, process 1234
          since        2026-09-21 14:13:20 UTC, 3 h 12 min ago
          listening    0.0.0.0:7878
                       [::]:7878
          certificate  rickety baboon showgirl opal floral starlet
          comes in     who knows the passphrase, guests too
          people       9 in 4 rooms
          connections  12 of 5,000, 3 refused so far
          entries      10,234 stored since the start, 0 failed, kept for 90 d 0 h
          memory       23.0 MiB, open files 31
          on disk      12.3 MiB
          last backup  2026-09-21 14:13:25 UTC, 3 h 11 min ago
        ");
    }

    #[test]
    fn what_is_not_there_is_said() {
        let bare = Status {
            listening: Vec::new(),
            certificate: None,
            passphrase: false,
            guests: false,
            kept_seconds: None,
            last_backup: None,
            stats: Stats::default(),
            ..lab()
        };
        insta::assert_snapshot!(shown(&bare, bare.since), @"
        lab: parlor 0.1.0, process 1234
          since        2026-09-21 14:13:20 UTC, 0 s ago
          certificate  none: whoever is on the way can read along
          comes in     everyone who can reach it, nobody without a key
          people       0 in 0 rooms
          connections  0 of 5,000, 0 refused so far
          entries      0 stored since the start, 0 failed, kept for ever
          memory       unknown, open files unknown
          on disk      12.3 MiB
          last backup  none yet: `parlor backup` makes one
        ");
    }

    #[test]
    fn a_clock_that_was_put_back_makes_nothing_negative() {
        assert_eq!(seconds_between(Time::from_millis(5_000), Time::from_millis(2_000)), 0);
        assert_eq!(seconds_between(Time::from_millis(2_000), Time::from_millis(5_500)), 3);
    }

    #[test]
    fn what_a_program_reads_is_the_whole_of_it() {
        let json = serde_json::to_string(&lab()).unwrap();
        assert_eq!(serde_json::from_str::<Status>(&json).unwrap(), lab());
        assert!(json.contains("\"people\":9"));
    }
}
