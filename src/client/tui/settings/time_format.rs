//! How times are written.

use jiff::Zoned;
use jiff::civil::date;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use crate::client::tui::wrap;
use crate::protocol::text::Line;

/// Bytes of a format. Each directive is two or three.
const FORMAT_BYTES: usize = 32;

/// Columns of a time at most: as much as `Wed 12:34:56` needs, and what is said needs the others.
const TIME_COLUMNS: usize = 12;

/// A format that can be written in so many columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TimeFormat {
    format: String,
    columns: usize,
}

impl Default for TimeFormat {
    fn default() -> Self {
        Self { format: "%H:%M".to_owned(), columns: 5 }
    }
}

impl TimeFormat {
    /// Takes a format of strftime. An empty one writes no times at all.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(super) fn new(format: &str) -> Result<Self, String> {
        if format.len() > FORMAT_BYTES {
            return Err(format!("a format has at most {FORMAT_BYTES} bytes: as in \"%H:%M\""));
        }
        // Late on a Wednesday in September: no other moment has longer words and numbers.
        let longest = date(2026, 9, 30).at(22, 58, 58, 999_999_999).to_zoned(TimeZone::UTC);
        let written = longest.ok().and_then(|longest| strtime::format(format, &longest).ok());
        let written =
            written.ok_or("this is no format of strftime: write \"%H:%M\", \"%H:%M:%S\" or \"%-I:%M %p\"")?;
        if Line::new(&written).map(|line| line.as_str() != written) != Ok(false) {
            return Err("a time is one line of letters, digits and signs: write \"%H:%M\"".to_owned());
        }
        let columns = wrap::columns(&written);
        if columns > TIME_COLUMNS {
            return Err(format!(
                "it takes {columns} columns, and a time has {TIME_COLUMNS}: leave something out"
            ));
        }
        Ok(Self { format: format.to_owned(), columns })
    }

    /// As it was given.
    pub(super) fn as_str(&self) -> &str {
        &self.format
    }

    /// Columns that a time needs.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Writes a time.
    pub(crate) fn tell(&self, at: &Zoned) -> String {
        // It was tried; a zone with a name that is longer than UTC's is cut.
        let told = strtime::format(&self.format, at).unwrap_or_default();
        wrap::truncate(&told, self.columns)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment() -> Zoned {
        date(2026, 11, 21).at(9, 2, 3, 0).to_zoned(TimeZone::UTC).unwrap()
    }

    #[test]
    fn times_are_written_as_one_likes() {
        for (format, told, columns) in [
            ("%H:%M", "09:02", 5),
            ("%H:%M:%S", "09:02:03", 8),
            ("%-I:%M %p", "9:02 AM", 8),
            ("%a %H:%M", "Sat 09:02", 9),
            ("", "", 0),
        ] {
            let format = TimeFormat::new(format).unwrap();
            assert_eq!((format.tell(&moment()).as_str(), format.columns()), (told, columns));
        }
        assert_eq!(TimeFormat::new("%H:%M"), Ok(TimeFormat::default()));
    }

    #[test]
    fn what_is_no_time_is_refused_in_words() {
        for format in ["%!", "%", "%A, %d %B %Y", "\u{1b}[31m%H", "%H\n%M", "%n", &"x".repeat(100)] {
            assert!(TimeFormat::new(format).is_err(), "{format:?}");
        }
    }

    proptest! {
        #[test]
        fn any_format_fits_or_is_refused(format in "(%[-_0^#]?[0-9]{0,3}[a-zA-Z%]|\\PC){0,6}") {
            if let Ok(format) = TimeFormat::new(&format) {
                prop_assert!(wrap::columns(&format.tell(&moment())) <= TIME_COLUMNS);
            }
        }
    }
}
