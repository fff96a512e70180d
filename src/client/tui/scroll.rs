//! Where the reader is, and how that moves.
//!
//! The place is kept as what stands at the lower edge of the scrollback, never as a count of rows:
//! so it stays where it is while entries come in below and pages above. To draw, or to scroll, only
//! the rows around it are laid out, however long the scrollback is.

use uuid::Uuid;

use super::rows::{Layout, Row};

/// Where the reader is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Scroll {
    /// At the newest, and it stays there.
    #[default]
    Bottom,
    /// Somewhere else.
    At(Anchor),
}

/// What stands at the lower edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    /// Which unit.
    pub(crate) unit: Unit,
    /// Rows of it that are below the edge.
    pub(crate) below: usize,
}

/// One thing in the scrollback, with the lines drawn above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// The beginning of the room.
    Start,
    /// The entry with this `seq`.
    Entry(u64),
    /// The gap behind the last entry.
    Tail,
    /// What we said and the room does not have yet.
    Pending(Uuid),
}

/// A place while it is being worked with: the unit by its number, and the rows of it below the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    unit: usize,
    below: usize,
}

impl Layout<'_> {
    /// The rows on a screen of `height` rows, from the top; fewer if there are fewer. Each with the
    /// number of its unit.
    pub(crate) fn visible(&self, height: usize) -> Vec<(usize, Row)> {
        let place = self.place();
        let mut rows = Vec::with_capacity(height);
        let mut unit = place.unit;
        let mut below = place.below;
        while rows.len() < height {
            rows.extend(self.rows(unit).into_iter().rev().skip(below).map(|row| (unit, row)));
            below = 0;
            if unit == 0 {
                break;
            }
            unit -= 1;
        }
        rows.truncate(height);
        rows.reverse();
        if rows.len() < height {
            // The beginning is in sight: what is left of the screen goes to what is below.
            let hidden = self.rows(place.unit).len().saturating_sub(place.below);
            rows.extend(self.rows(place.unit).into_iter().skip(hidden).map(|row| (place.unit, row)));
            for unit in place.unit + 1..self.units() {
                if rows.len() >= height {
                    break;
                }
                rows.extend(self.rows(unit).into_iter().map(|row| (unit, row)));
            }
            rows.truncate(height);
        }
        if let Some((unit, row)) = rows.first_mut() {
            self.say_who(*unit, row);
        }
        rows
    }

    /// Where the reader is after going `by` rows, up if negative, on a screen of `height` rows.
    pub(crate) fn scrolled(&self, by: isize, height: usize) -> Scroll {
        let start = self.place();
        let place = if by < 0 {
            let (up, _) = self.up(start, by.unsigned_abs());
            self.below_the_top(up, height)
        } else {
            // A screen that has grown at the beginning shows more than what stands above the edge.
            self.down(self.below_the_top(start, height), by.unsigned_abs())
        };
        self.scroll_to(place)
    }

    /// The beginning of what is known.
    pub(crate) fn top(&self, height: usize) -> Scroll {
        self.scroll_to(self.below_the_top(self.highest(), height))
    }

    /// The entry `seq`, or what follows where it would be, a third below the upper edge.
    pub(crate) fn with_in_sight(&self, seq: u64, height: usize) -> Scroll {
        self.with_at(seq, height / 3, height)
    }

    /// The entry `seq`, or what follows where it would be, in the middle.
    pub(crate) fn with_in_the_middle(&self, seq: u64, height: usize) -> Scroll {
        self.with_at(seq, height / 2, height)
    }

    /// The entry `seq`, or what follows where it would be, with so many rows above it.
    fn with_at(&self, seq: u64, above: usize, height: usize) -> Scroll {
        let unit = 1 + self.room.scrollback.place_of(seq).unwrap_or_else(|place| place);
        let unit = unit.min(self.last());
        let top = Place { unit, below: self.rows(unit).len().saturating_sub(1) };
        let place = self.down(top, height.saturating_sub(above + 1));
        self.scroll_to(self.below_the_top(place, height))
    }

    fn last(&self) -> usize {
        self.units() - 1
    }

    fn bottom(&self) -> Place {
        Place { unit: self.last(), below: 0 }
    }

    /// Where the lower edge is now.
    fn place(&self) -> Place {
        let Scroll::At(anchor) = self.room.scroll else { return self.bottom() };
        let Some(unit) = self.number(anchor.unit) else { return self.bottom() };
        let height = self.rows(unit).len();
        Place { unit, below: anchor.below.min(height.saturating_sub(1)) }
    }

    fn scroll_to(&self, place: Place) -> Scroll {
        let (lowest, _) = self.up(self.bottom(), 0);
        if (place.unit, std::cmp::Reverse(place.below)) >= (lowest.unit, std::cmp::Reverse(lowest.below)) {
            return Scroll::Bottom;
        }
        self.unit(place.unit).map_or(Scroll::Bottom, |unit| Scroll::At(Anchor { unit, below: place.below }))
    }

    /// Up by so many rows, to a place that has a row; and how many rows that was.
    fn up(&self, from: Place, rows: usize) -> (Place, usize) {
        let mut place = from;
        let mut left = rows;
        loop {
            let height = self.rows(place.unit).len();
            let above = height.saturating_sub(place.below);
            if left < above {
                return (Place { below: place.below + left, ..place }, rows);
            }
            if place.unit == 0 {
                return (self.highest(), (rows - left + above).saturating_sub(1));
            }
            left -= above;
            place = Place { unit: place.unit - 1, below: 0 };
        }
    }

    /// The first place that has a row.
    fn highest(&self) -> Place {
        let heights = (0..self.units()).map(|unit| Place { unit, below: self.rows(unit).len() });
        let first = heights.into_iter().find(|place| place.below > 0);
        first.map_or(self.bottom(), |place| Place { below: place.below - 1, ..place })
    }

    fn down(&self, from: Place, rows: usize) -> Place {
        let mut place = from;
        let mut left = rows;
        loop {
            if left <= place.below {
                return Place { below: place.below - left, ..place };
            }
            if place.unit >= self.last() {
                return self.bottom();
            }
            left -= place.below;
            place = Place { unit: place.unit + 1, below: self.rows(place.unit + 1).len() };
        }
    }

    /// The lowest place at or below `place` that leaves no empty rows above.
    fn below_the_top(&self, place: Place, height: usize) -> Place {
        let wanted = height.saturating_sub(1);
        let (_, above) = self.up(place, wanted);
        self.down(place, wanted - above.min(wanted))
    }
}
