//! Bytes of a fixed length, on the wire and in files as lowercase hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// `N` bytes. Compared in a time that depends on their values: for what is public.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hex<const N: usize>(pub [u8; N]);

/// Not as many hexadecimal digits as there should be, or something else among them.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{0} hexadecimal digits are expected")]
pub struct HexError(usize);

impl<const N: usize> Hex<N> {
    /// Bytes that nobody can foresee.
    ///
    /// # Errors
    /// When the system has no randomness to give, which no system in order says.
    pub fn random() -> Result<Self, ring::error::Unspecified> {
        let mut bytes = [0; N];
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl<const N: usize> AsRef<[u8]> for Hex<N> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<const N: usize> FromStr for Hex<N> {
    type Err = HexError;

    fn from_str(raw: &str) -> Result<Self, HexError> {
        let error = HexError(2 * N);
        let digits = raw.as_bytes();
        if digits.len() != 2 * N {
            return Err(error);
        }
        let mut bytes = [0; N];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else { return Err(error) };
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
        raw.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_as_they_are_written() {
        let bytes = Hex([0, 1, 0xab, 0xff]);
        assert_eq!(bytes.to_string(), "0001abff");
        assert_eq!("0001ABff".parse(), Ok(bytes));
        assert_eq!(serde_json::from_str::<Hex<4>>("\"0001abff\"").unwrap(), bytes);
        for wrong in ["", "0001abf", "0001abff0", "0001abfg", "+001abff", "0001ab\u{e9}"] {
            assert_eq!(wrong.parse::<Hex<4>>(), Err(HexError(8)), "{wrong}");
        }
    }
}
