//! What came of it: for people, and for programs. `docs/performance.md` says what each number means.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::order::Faults;
use super::plan::{Pace, Plan};
use super::shared::Shared;
use super::tally::Tally;
use crate::protocol::stats::grouped;
use crate::protocol::text::Line;

/// What came of it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    address: String,
    server: Line,
    version: Line,
    tls: bool,
    connections: usize,
    rooms: usize,
    senders: usize,
    in_flight: Option<usize>,
    rate: Option<usize>,
    payload_bytes: usize,
    join_seconds: f64,
    joins_per_second: f64,
    seconds: f64,
    sent: u64,
    unsent: u64,
    acknowledged: u64,
    messages_per_second: f64,
    deliveries: u64,
    deliveries_expected: u64,
    deliveries_per_second: f64,
    bytes_per_second: f64,
    lost: u64,
    doubled: u64,
    out_of_order: u64,
    foreign: u64,
    held_up: u64,
    latency_ms: Latencies,
    interrupted: bool,
    /// Why it did not come to its end, if it did not.
    pub(super) trouble: Option<String>,
}

#[derive(Debug, Serialize)]
struct Latencies {
    receipt: Latency,
    ok: Latency,
}

/// Milliseconds.
#[derive(Debug, Serialize)]
struct Latency {
    p50: f64,
    p90: f64,
    p99: f64,
    #[serde(rename = "p99.9")]
    p999: f64,
    max: f64,
}

impl Latency {
    fn of(histogram: &Histogram<u64>) -> Self {
        let milliseconds = |nanoseconds: u64| (nanoseconds as f64 / 1e3).round() / 1e3;
        let at = |quantile| milliseconds(histogram.value_at_quantile(quantile));
        Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: milliseconds(histogram.max()),
        }
    }
}

/// What is known besides what was counted.
#[derive(Debug)]
pub(super) struct Circumstances {
    pub(super) address: String,
    pub(super) server: Line,
    pub(super) version: Line,
    pub(super) tls: bool,
    /// That all but the first took to join.
    pub(super) joining: Duration,
    /// When the talk ended; nanoseconds since the run began.
    pub(super) stopped: u64,
    pub(super) faults: Faults,
    pub(super) interrupted: bool,
    pub(super) trouble: Option<String>,
}

impl Report {
    pub(super) fn new(plan: &Plan, shared: &Shared, total: &Tally, known: Circumstances) -> Self {
        let counted_from = shared.schedule.get().map_or(known.stopped, |schedule| schedule.counted_from);
        // What was still on its way at the end took its time as well.
        let until = known.stopped.max(total.last_receipt);
        let seconds = Duration::from_nanos(until.saturating_sub(counted_from)).as_secs_f64();
        let rate = |count: u64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
        let acknowledged = shared.rooms.iter().map(super::shared::RoomState::acknowledged).sum();
        let of_room = |(room, state): (usize, &super::shared::RoomState)| {
            state.acknowledged() * plan.members_of(room) as u64
        };
        let join_seconds = known.joining.as_secs_f64();
        let joined = plan.connections.saturating_sub(1) as f64;
        let (in_flight, by_clock) = match plan.pace {
            Pace::Answers { in_flight } => (Some(in_flight), None),
            Pace::Clock { rate } => (None, Some(rate)),
        };
        Self {
            address: known.address,
            server: known.server,
            version: known.version,
            tls: known.tls,
            connections: plan.connections,
            rooms: plan.rooms,
            senders: plan.senders,
            in_flight,
            rate: by_clock,
            payload_bytes: plan.payload,
            join_seconds,
            joins_per_second: if join_seconds > 0.0 { joined / join_seconds } else { 0.0 },
            seconds,
            sent: total.sent,
            unsent: total.unsent,
            acknowledged,
            messages_per_second: rate(acknowledged),
            deliveries: total.receipt.len(),
            deliveries_expected: shared.rooms.iter().enumerate().map(of_room).sum(),
            deliveries_per_second: rate(total.receipt.len()),
            bytes_per_second: rate(total.bytes),
            lost: known.faults.lost,
            doubled: known.faults.doubled,
            out_of_order: known.faults.out_of_order,
            foreign: total.foreign,
            held_up: total.held_up,
            latency_ms: Latencies { receipt: Latency::of(&total.receipt), ok: Latency::of(&total.okay) },
            interrupted: known.interrupted,
            trouble: known.trouble,
        }
    }

    /// Whether it came to its end, or was ended by whoever began it, and all that was stored was delivered in order.
    pub(super) fn is_sound(&self) -> bool {
        self.trouble.is_none() && self.lost + self.doubled + self.out_of_order == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tls = if self.tls { "TLS" } else { "no TLS" };
        writeln!(f, "{} (parlor {}) at {}, {tls}", self.server, self.version, self.address)?;
        let pace = match (self.in_flight, self.rate) {
            (_, Some(rate)) => format!("{} messages a second by the clock", grouped(rate as u64)),
            (in_flight, _) => format!("{} on the way for each", in_flight.unwrap_or_default()),
        };
        let (connections, rooms) = (counted(self.connections, "connection"), counted(self.rooms, "room"));
        let senders = counted(self.senders, "sender");
        writeln!(f, "{connections} in {rooms}, {senders}, {pace}, {} bytes a text\n", self.payload_bytes)?;
        let (seconds, joining) = (self.seconds, self.join_seconds);
        row(f, "joined", self.connections as u64, &format!("in {joining:.2} s"), self.joins_per_second)?;
        row(f, "acknowledged", self.acknowledged, &format!("in {seconds:.2} s"), self.messages_per_second)?;
        let bytes = format!("{:.1} MB/s", self.bytes_per_second / 1e6);
        row(f, "delivered", self.deliveries, &bytes, self.deliveries_per_second)?;
        let Self { lost, doubled, out_of_order, .. } = self;
        writeln!(f, "lost {lost}, doubled {doubled}, out of order {out_of_order}\n")?;
        writeln!(
            f,
            "{:<14}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "latency in ms", "p50", "p90", "p99", "p99.9", "max"
        )?;
        self.latency_ms.ok.row(f, "to its ok")?;
        self.latency_ms.receipt.row(f, "to receipts")?;
        self.remarks(f)
    }
}

impl Report {
    /// What must be known to read the numbers.
    fn remarks(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut remarks = Vec::new();
        if self.held_up > 0 {
            remarks.push(
                "The parlor's limit on rates held senders up, so it is that limit which was measured. \
                 `parlor serve --unlimited` lifts it."
                    .to_owned(),
            );
        }
        if self.unsent > 0 {
            remarks.push(format!(
                "{} messages were due and not sent: the parlor did not keep up with --rate.",
                grouped(self.unsent)
            ));
        }
        if self.sent > self.acknowledged {
            remarks.push(format!(
                "{} messages had no answer at the end.",
                grouped(self.sent - self.acknowledged)
            ));
        }
        if self.foreign > 0 {
            remarks.push(format!("{} deliveries were of what others said there.", grouped(self.foreign)));
        }
        if self.interrupted {
            remarks.push("It was ended early.".to_owned());
        }
        if !remarks.is_empty() {
            writeln!(f)?;
        }
        remarks.iter().try_for_each(|remark| writeln!(f, "{remark}"))
    }
}

impl Latency {
    fn row(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        let Self { p50, p90, p99, p999, max } = self;
        writeln!(f, "{name:<14}{p50:>10.3}{p90:>10.3}{p99:>10.3}{p999:>10.3}{max:>10.3}")
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, count: u64, among: &str, rate: f64) -> fmt::Result {
    writeln!(f, "{name:<14}{:>14}  {among:>12}{:>14} a second", grouped(count), grouped(rate as u64))
}

fn counted(count: usize, what: &str) -> String {
    format!("{} {what}{}", grouped(count as u64), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_can_be_read() {
        assert_eq!((counted(1, "room"), counted(2_000, "room")), ("1 room".into(), "2,000 rooms".into()));
    }
}
