//! The one form of a moment on the wire: RFC 3339, UTC, milliseconds.

use std::fmt;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment, as milliseconds since the Unix epoch, which is how the log keeps it.
///
/// On the wire it reads `2026-11-21T11:02:03.456Z`: always UTC, always three digits, so that
/// moments sort as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// This machine's clock. The server's is the reference: clients learn their offset from `pong`.
    pub fn now() -> Self {
        Self(Timestamp::now().as_millisecond())
    }

    /// From milliseconds since the Unix epoch. What is out of jiff's range (years −9999 to 9999) is
    /// brought into it, so that a log made by a broken clock can still be read.
    pub fn from_millis(millis: i64) -> Self {
        // Whole seconds: of the milliseconds in its last second jiff makes no moment.
        let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        Self(millis.clamp(first * 1000, last * 1000))
    }

    /// Milliseconds since the Unix epoch.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// The same moment for calendar arithmetic.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// This moment moved by `millis`, kept in range.
    #[must_use]
    pub fn shifted(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
        // jiff prints into its own kind of writer, which fails only if ours does.
        PRINTER.print_timestamp(&self.timestamp(), jiff::fmt::StdFmtWrite(f)).map_err(|_| fmt::Error)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let moment = Timestamp::deserialize(deserializer).map_err(de::Error::custom)?;
        Ok(Self::from_millis(moment.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_the_same_on_both_sides() {
        let time = Time::from_millis(1_795_258_923_007);
        let json = serde_json::to_string(&time).unwrap();
        assert_eq!(json, r#""2026-11-21T11:02:03.007Z""#);
        assert_eq!(serde_json::from_str::<Time>(&json).unwrap(), time);
    }

    #[test]
    fn whole_seconds_keep_their_three_digits() {
        assert_eq!(Time::from_millis(0).to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_broken_clock_is_brought_into_range() {
        for (millis, year) in [(i64::MIN, "-009999-"), (i64::MAX, "9999-")] {
            let time = Time::from_millis(millis);
            assert!(time.to_string().starts_with(year), "{time}");
            assert_eq!(time.timestamp().as_millisecond(), time.as_millis());
            let json = serde_json::to_string(&time).unwrap();
            assert_eq!(serde_json::from_str::<Time>(&json).unwrap(), time, "{json}");
        }
        // The last moment that RFC 3339 can write is read as one that can be written.
        let last: Time = serde_json::from_str(r#""9999-12-30T22:00:00.999Z""#).unwrap();
        assert!(last.to_string().starts_with("9999-12-30T22:00:00"), "{last}");
    }
}
