//! Where a day begins among what was said, in the order in which it was said.
//!
//! The order is that of the log, whatever the host's clock does. One that is set a little back at midnight, as clocks are that
//! are kept right, does not end a day that has begun; one that was wrong by more shows what it said.

use jiff::Zoned;
use jiff::civil::Date;

/// Seconds by which a clock may be set back within a day: what a clock is set by that is mostly right.
const SET_BACK: i64 = 60;

/// Reads moments one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Days {
    /// The day that goes on, and the last moment that was within it.
    last: Option<(Date, Zoned)>,
}

impl Days {
    /// The day that begins with this moment; `None` while it is the same as before.
    pub(crate) fn next(&mut self, at: &Zoned) -> Option<Date> {
        let day = at.date();
        match &mut self.last {
            Some((current, _)) if *current == day => {
                self.last = Some((day, at.clone()));
                None
            }
            // It is measured from the last moment within the day that goes on.
            Some((current, within))
                if day < *current && (0..=SET_BACK).contains(&within.duration_since(at).as_secs()) =>
            {
                None
            }
            last => {
                *last = Some((day, at.clone()));
                Some(day)
            }
        }
    }

    /// What comes next is of another time: its day is told, whatever it is.
    pub(crate) fn forget(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::protocol::time::Time;

    /// The days that begin, of moments in seconds after noon on the 21st of November.
    fn days(moments: &[i64]) -> Vec<Option<i8>> {
        let mut days = Days::default();
        let zoned = |seconds: &i64| {
            Time::from_millis(1_795_262_400_000 + seconds * 1000).timestamp().to_zoned(TimeZone::UTC)
        };
        moments.iter().map(|seconds| days.next(&zoned(seconds)).map(Date::day)).collect()
    }

    const MIDNIGHT: i64 = 12 * 60 * 60;

    #[test]
    fn a_day_begins_once() {
        assert_eq!(
            days(&[0, 9, MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + 5]),
            [Some(21), None, None, Some(22), None]
        );
    }

    #[test]
    fn a_clock_that_is_kept_right_ends_no_day() {
        let around = [
            MIDNIGHT - 1,
            MIDNIGHT,
            MIDNIGHT - 1,
            MIDNIGHT - 30,
            MIDNIGHT - 20,
            MIDNIGHT,
            MIDNIGHT - 2,
            MIDNIGHT + 90,
        ];
        assert_eq!(days(&around), [Some(21), Some(22), None, None, None, None, None, None]);
    }

    #[test]
    fn a_clock_that_was_wrong_shows_what_it_said() {
        let year = 365 * 2 * MIDNIGHT;
        assert_eq!(days(&[0, year, year + 1, 60, 120]), [Some(21), Some(21), None, Some(21), None]);
        assert_eq!(days(&[0, 2 * MIDNIGHT, 9]), [Some(21), Some(22), Some(21)]);
    }
}
