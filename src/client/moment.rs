//! A day and a time, as people type them, where they live.

use jiff::civil::{self, Weekday};
use jiff::tz::TimeZone;

use crate::protocol::time::Time;

/// Days of the week by their names. Three letters of a name are enough.
pub(super) const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// Months by their names. Three letters of a name are enough.
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Letters of the name of a day or a month that are enough.
const LETTERS: usize = 3;

/// Characters of what was typed that an error repeats: enough to know it again.
const REPEATED: usize = 30;

/// The moment that `typed` means in this zone: `2026-11-03`, `3 nov`, `yesterday`, `monday`, `14:00`, or a day and a time.
/// A day alone is its beginning. A time alone was the last one: today's, or yesterday's if today's is yet to come. A
/// day of the week is the last one before today, a day of a month the last one that was.
///
/// # Errors
/// A sentence that says what can be written.
pub fn parse(typed: &str, now: Time, zone: &TimeZone) -> Result<Time, String> {
    read(typed, now, zone).ok_or_else(|| {
        let shown: String = typed.chars().take(REPEATED).collect();
        format!(
            "{shown} is no day and no time: write 2026-11-03, 3 nov, 14:00, yesterday, monday, or a day and a time"
        )
    })
}

fn read(typed: &str, now: Time, zone: &TimeZone) -> Option<Time> {
    let here = now.timestamp().to_zoned(zone.clone());
    let today = here.date();
    let typed = typed.trim().to_lowercase();
    // As RFC 3339 has it.
    let rfc_3339 = typed.split_once('t').filter(|(day, clock)| {
        day.ends_with(|c: char| c.is_ascii_digit()) && clock.starts_with(|c: char| c.is_ascii_digit())
    });
    let words: Vec<&str> = match rfc_3339 {
        Some((day, clock)) => vec![day, clock],
        None => typed.split_whitespace().collect(),
    };
    let (days, clock) = match words.split_last() {
        Some((last, before)) if last.contains(':') => (before, Some(time_of_day(last)?)),
        _ => (words.as_slice(), None),
    };
    let (day, clock) = match (days, clock) {
        ([], Some(clock)) if clock <= here.time() => (today, clock),
        ([], Some(clock)) => (today.yesterday().ok()?, clock),
        ([one], clock) => (day(one, today)?, clock.unwrap_or_default()),
        ([one, other], clock) => (day_of_month(one, other, today)?, clock.unwrap_or_default()),
        _ => return None,
    };
    let moment = day.to_datetime(clock).to_zoned(zone.clone()).ok()?;
    Some(Time::from_millis(moment.timestamp().as_millisecond()))
}

fn time_of_day(typed: &str) -> Option<civil::Time> {
    let (hour, minute) = typed.split_once(':')?;
    let number = |digits: &str| {
        let fits = (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<i8>().ok().filter(|_| fits)
    };
    civil::Time::new(number(hour)?, number(minute).filter(|_| minute.len() == 2)?, 0, 0).ok()
}

fn day(typed: &str, today: civil::Date) -> Option<civil::Date> {
    match typed {
        "today" => return Some(today),
        "yesterday" => return today.yesterday().ok(),
        _ => {}
    }
    if let Some((_, weekday)) =
        WEEKDAYS.iter().find(|(name, _)| typed.len() >= LETTERS && name.starts_with(typed))
    {
        return today.nth_weekday(-1, *weekday).ok();
    }
    let mut parts = typed.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let only_digits = typed.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if parts.next().is_some() || year.len() != 4 || !only_digits {
        return None;
    }
    civil::Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// A day and a month, in either order: the last one that was, or is today.
fn day_of_month(one: &str, other: &str, today: civil::Date) -> Option<civil::Date> {
    let number =
        |typed: &str| typed.parse::<i8>().ok().filter(|_| typed.bytes().all(|byte| byte.is_ascii_digit()));
    let (day, month) = number(one).map(|day| (day, other)).or_else(|| Some((number(other)?, one)))?;
    let begins = |name: &&str| month.len() >= LETTERS && name.starts_with(month);
    let month = i8::try_from(MONTHS.iter().position(begins)? + 1).ok()?;
    let years = [today.year(), today.year().checked_sub(1)?];
    let days = years.into_iter().filter_map(|year| civil::Date::new(year, month, day).ok());
    days.into_iter().find(|day| *day <= today)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Saturday, 21 November 2026, 12:02 in a zone an hour east of Greenwich.
    const NOW: i64 = 1_795_258_920_000;

    fn moment(typed: &str) -> Result<String, String> {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        parse(typed, Time::from_millis(NOW), &zone).map(|time| time.to_string())
    }

    #[test]
    fn days_and_times_are_those_of_the_reader() {
        for (typed, meant) in [
            ("2026-11-03 14:00", "2026-11-03T13:00:00.000Z"),
            ("2026-11-03T14:00", "2026-11-03T13:00:00.000Z"),
            ("2026-11-03", "2026-11-02T23:00:00.000Z"),
            ("12:02", "2026-11-21T11:02:00.000Z"),
            ("9:30", "2026-11-21T08:30:00.000Z"),
            ("14:00", "2026-11-20T13:00:00.000Z"),
            ("Today", "2026-11-20T23:00:00.000Z"),
            ("yesterday", "2026-11-19T23:00:00.000Z"),
            ("yesterday 18:15", "2026-11-20T17:15:00.000Z"),
            ("monday", "2026-11-15T23:00:00.000Z"),
            ("sat", "2026-11-13T23:00:00.000Z"),
            ("tue  8:00", "2026-11-17T07:00:00.000Z"),
            ("3 nov", "2026-11-02T23:00:00.000Z"),
            ("November 3  14:00", "2026-11-03T13:00:00.000Z"),
            ("24 dec", "2025-12-23T23:00:00.000Z"),
        ] {
            assert_eq!(moment(typed).as_deref(), Ok(meant), "{typed}");
        }
    }

    #[test]
    fn a_clock_that_is_put_forward_has_a_gap_and_is_read_all_the_same() {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let read = |typed| parse(typed, Time::from_millis(NOW), &berlin).unwrap().to_string();
        assert_eq!(read("2026-03-29 02:30"), "2026-03-29T01:30:00.000Z");
        assert_eq!(read("2026-07-01"), "2026-06-30T22:00:00.000Z");
    }

    #[test]
    fn what_is_neither_is_said_to_be_neither() {
        for typed in [
            "",
            "mo",
            "soon",
            "25:00",
            "1:5",
            "2026-13-01",
            "2026-02-30",
            "26-11-03",
            "yesterday soon",
            "+1:00",
            "2026-11-3-4",
        ] {
            assert!(moment(typed).unwrap_err().contains("write 2026-11-03"), "{typed}");
        }
    }
}
