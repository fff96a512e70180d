//! The days between the messages.

use jiff::Timestamp;
use jiff::civil::Date;

use super::Layout;
use crate::client::days::Days;
use crate::protocol::event::{Entry, EntryKind};

/// Entries before one that are looked at for the day in which it is. It is done for each drawing, and only around midnight or
/// where the host's clock was set.
const LOOKED_AT: usize = 32;

impl Layout<'_> {
    /// The day that begins with the entry at `place`, as those who read the room from above see it.
    pub(super) fn day_begins(&self, place: usize, entry: &Entry) -> Option<Date> {
        let zoned = |entry: &Entry| entry.at.timestamp().to_zoned(self.zone.clone());
        let at = zoned(entry);
        let Some(before) = self.shown_before(place) else { return Some(at.date()) };
        let clock_is_right = before.at <= entry.at;
        if clock_is_right && zoned(before).date() == at.date() {
            return None;
        }
        let first = place.saturating_sub(LOOKED_AT);
        let mut days = Days::default();
        for earlier in first..place {
            if self.room.scrollback.gap_before(earlier).is_some() {
                days.forget();
            }
            let entry = self.room.scrollback.get(earlier);
            if let Some(entry) =
                entry.filter(|entry| matches!(entry.kind, EntryKind::Message | EntryKind::Topic))
            {
                days.next(&zoned(entry));
            }
        }
        days.next(&at)
    }

    pub(super) fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    pub(super) fn day_name(&self, day: Date) -> String {
        let this_year = self.day(self.now).year() == day.year();
        day.strftime(if this_year { "%A %-d %B" } else { "%A %-d %B %Y" }).to_string()
    }
}
