//! What a message tells of itself, at the beginning of its text: which measurement it belongs to, whether it counts, and when it
//! was said. All of it is ASCII that JSON leaves as it is.

/// Bytes of a stamp.
pub(super) const STAMP_BYTES: usize = MARK_BYTES + 1 + DIGITS;

const MARK_BYTES: usize = 8;
/// Nanoseconds in so many digits: more than a hundred days.
const DIGITS: usize = 16;
const COUNTED: u8 = b'm';
const WARM_UP: u8 = b'w';

/// Tells the messages of one measurement from those of others who talk in the same rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark([u8; MARK_BYTES]);

impl Mark {
    /// One that is most likely nobody else's.
    pub(super) fn random() -> Self {
        Self(std::array::from_fn(|_| fastrand::alphanumeric() as u8))
    }
}

/// When something was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Nanoseconds since the run began; by the clock, when it should have been said.
    pub(super) at: u64,
    /// Said after the warm-up.
    pub(super) counted: bool,
}

impl Stamp {
    /// Writes it over the beginning of `text`, which is long enough.
    pub(super) fn write(self, mark: Mark, text: &mut [u8]) {
        let (head, digits) = text.split_at_mut(MARK_BYTES + 1);
        head[..MARK_BYTES].copy_from_slice(&mark.0);
        head[MARK_BYTES] = if self.counted { COUNTED } else { WARM_UP };
        let mut rest = self.at;
        for digit in digits[..DIGITS].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }

    /// Reads what a text begins with; `None` for what is not of this measurement.
    pub(super) fn read(mark: Mark, text: &[u8]) -> Option<Self> {
        let (flag, digits) = text.strip_prefix(&mark.0)?.split_first()?;
        let counted = match *flag {
            COUNTED => true,
            WARM_UP => false,
            _ => return None,
        };
        let mut at = 0;
        for digit in digits.get(..DIGITS)? {
            at = at * 10 + u64::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
        }
        Some(Self { at, counted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mark = Mark::random();
        for (at, counted) in [(0, true), (1_234_567_890, false), (9_999_999_999_999_999, true)] {
            let mut text = [b'x'; STAMP_BYTES + 3];
            Stamp { at, counted }.write(mark, &mut text);
            assert!(text.is_ascii() && text.ends_with(b"xxx"));
            assert_eq!(Stamp::read(mark, &text), Some(Stamp { at, counted }));
        }
    }

    #[test]
    fn what_others_say_is_no_stamp() {
        let (mark, other) = (Mark(*b"abcdefgh"), Mark(*b"abcdefgi"));
        let mut text = [0; STAMP_BYTES];
        Stamp { at: 7, counted: true }.write(mark, &mut text);
        assert!(Stamp::read(other, &text).is_none());
        assert!(Stamp::read(mark, &text[..STAMP_BYTES - 1]).is_none());
        for foreign in ["", "abcdefgh", "abcdefghx0000000000000007", "abcdefghm000000000000000x"] {
            assert!(Stamp::read(mark, foreign.as_bytes()).is_none(), "{foreign}");
        }
    }
}
