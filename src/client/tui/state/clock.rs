//! The parlor's clock: what is shown are its times, in the zone of whoever reads them.

use std::time::Duration;

use super::{Connection, State};
use crate::client::tui::wrap;
use crate::protocol::time::Time;

/// By how much a clock may be wrong before it is said: whoever trusts it comes late.
const WRONG: u64 = 60_000;

/// Milliseconds that are no difference: nobody sees them, and few measure them.
const NONE: u64 = 10;

/// What is known of the server's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ServerClock {
    /// Milliseconds to add to this machine's clock to get the server's.
    offset: i64,
    /// By how much that may be wrong, once it was measured.
    within: Option<Duration>,
    /// It was said that this machine's clock is wrong.
    told: bool,
}

impl ServerClock {
    /// The server has said what time it is, `now` by our clock: a beginning, until it is measured.
    pub(crate) fn greeted(&mut self, theirs: Time, now: Time) {
        (self.offset, self.within) = (theirs.as_millis().saturating_sub(now.as_millis()), None);
    }

    /// It was measured.
    pub(crate) fn measured(&mut self, offset: i64, within: Duration) {
        (self.offset, self.within) = (offset, Some(within));
    }

    /// How our clock stands to the server's.
    fn compared(self) -> Option<String> {
        let within = u64::try_from(self.within?.as_millis()).unwrap_or(u64::MAX);
        let difference = self.offset.unsigned_abs();
        if difference <= within.max(NONE) {
            let most = span(difference.max(within).max(NONE));
            return Some(format!("your clock and the parlor's agree within {most}"));
        }
        let side = if self.offset > 0 { "behind" } else { "ahead of" };
        Some(format!("your clock is {} {side} the parlor's", span(difference)))
    }
}

impl State {
    /// What the server's clock says now, as well as we know it.
    pub(crate) fn server_time(&self) -> Time {
        self.now.time.shifted(self.clock.offset)
    }

    /// Says once that this machine's clock is wrong; not in the place of something that must be read first.
    pub(crate) fn tell_wrong_clock(&mut self) {
        if self.clock.told || self.notice.is_some() || self.clock.offset.unsigned_abs() <= WRONG {
            return;
        }
        if let Some(compared) = self.clock.compared() {
            self.clock.told = true;
            self.complain(format!("{compared}: the times here are the parlor's; /time compares them"));
        }
    }

    /// What time it is in the parlor, and how that is known.
    ///
    /// # Errors
    /// A sentence, before there ever was a connection.
    pub(crate) fn tell_time(&self) -> Result<String, String> {
        let Some(compared) = self.clock.compared() else {
            return Err(
                "the parlor's clock is not known yet: ask again once there is a connection".to_owned()
            );
        };
        let now = self.server_time().timestamp().to_zoned(self.zone.clone());
        let zone = match self.zone.iana_name() {
            Some(name) => wrap::truncate(name, ZONE_COLUMNS),
            None => now.strftime("UTC%:z").to_string(),
        };
        let mut told = format!("{}, {zone}; {compared}", now.strftime("%H:%M:%S on %A %-d %B %Y"));
        match (&self.connection, self.round_trip) {
            (Connection::Online, Some(time)) => told += &format!("; round trip {}", round_trip(time)),
            (Connection::Online, None) => {}
            _ => told += ", when there was a connection",
        }
        Ok(told)
    }
}

/// Columns for the name of a zone: the longest of the database has 32.
const ZONE_COLUMNS: usize = 32;

/// The time to the server and back, as it is shown.
pub(crate) fn round_trip(time: Duration) -> String {
    match time.as_millis() {
        0 => "<1 ms".to_owned(),
        millis => format!("{millis} ms"),
    }
}

/// A span of milliseconds, as exactly as anybody wants it.
fn span(millis: u64) -> String {
    let (seconds, days) = (millis / 1000, millis / (24 * 60 * 60 * 1000));
    match (seconds, days) {
        (0, _) => format!("{millis} ms"),
        (1..60, _) => format!("{seconds}.{} s", millis % 1000 / 100),
        (60..3600, _) => format!("{} min{}", seconds / 60, rest(seconds % 60, "s")),
        (_, 0) => format!("{} h{}", seconds / 3600, rest(seconds / 60 % 60, "min")),
        (_, 1) => format!("1 day{}", rest(seconds / 3600 % 24, "h")),
        (_, days) => format!("{days} days"),
    }
}

/// What is left in the next smaller unit, if anything is.
fn rest(number: u64, unit: &str) -> String {
    if number == 0 { String::new() } else { format!(" {number} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_the_units_that_it_needs() {
        let told =
            [3, 999, 2_449, 60_000, 61_000, 10_800_000, 93_600_000, 31_536_000_000, u64::MAX].map(span);
        assert_eq!(
            told.join(", "),
            "3 ms, 999 ms, 2.4 s, 1 min, 1 min 1 s, 3 h, 1 day 2 h, 365 days, 213503982334 days"
        );
    }

    #[test]
    fn two_clocks_are_compared_by_what_was_measured() {
        let clock =
            |offset, within| ServerClock { offset, within: Some(Duration::from_millis(within)), told: false };
        let compared = [(0, 1), (-9, 1), (150, 180), (2_400, 3), (-90_000, 3), (i64::MIN, 0)]
            .map(|(offset, within)| clock(offset, within).compared().unwrap());
        insta::assert_snapshot!(compared.join("\n"), @r"
        your clock and the parlor's agree within 10 ms
        your clock and the parlor's agree within 10 ms
        your clock and the parlor's agree within 180 ms
        your clock is 2.4 s behind the parlor's
        your clock is 1 min 30 s ahead of the parlor's
        your clock is 106751991167 days ahead of the parlor's
        ");
        assert_eq!(ServerClock::default().compared(), None);
    }
}
