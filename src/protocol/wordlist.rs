//! Words instead of digits: passphrases that can be remembered, fingerprints that can be read aloud.
//!
//! The words are the long list of the Electronic Frontier Foundation (2016): 7,776 English words of 3 to 9 letters,
//! of which no one begins another, numbered from 0 (`abacus`) to 7,775 (`zoom`).

use diceware_wordlists::EFF_LONG_WORDLIST;
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};

use super::proof::{Passphrase, PublicKey, fingerprint};

/// Words of a new passphrase: 7,772 to the fourth is 2^51.7, and whoever guesses pays for scrypt each time, or asks
/// the server each time.
pub const PASSPHRASE_WORDS: usize = 4;

/// Words of a fingerprint: 7,776 to the sixth is 2^77.5. Whoever wants to be taken for another needs a key
/// of their own with the same words, and cannot try that many.
const FINGERPRINT_WORDS: usize = 6;

/// A new passphrase: four words, each of the 7,772 without a dash with the same probability. Those four with one
/// (drop-down, felt-tip, t-shirt, yo-yo) are never chosen, because words are told apart by dashes.
///
/// # Errors
/// When the system has no randomness to give, which no system in order says.
pub fn passphrase() -> Result<Passphrase, Unspecified> {
    let random = SystemRandom::new();
    let words: Vec<&str> = (0..PASSPHRASE_WORDS).map(|_| word(&random)).collect::<Result<_, _>>()?;
    // Four words are never too short or too long; the test below knows the shortest and the longest.
    Passphrase::new(&words.join("-")).map_err(|_| Unspecified)
}

/// The words of which passphrases are made: those of the list without a dash.
pub fn words() -> impl Iterator<Item = &'static str> {
    EFF_LONG_WORDLIST.iter().copied().filter(|word| !word.contains('-'))
}

/// One word. What 13 random bits name is taken if it is a word without a dash, and otherwise they are drawn again:
/// so all words are equally likely. One draw in twenty is in vain.
fn word(random: &SystemRandom) -> Result<&'static str, Unspecified> {
    loop {
        let mut bytes = [0; 2];
        random.fill(&mut bytes)?;
        let number = u16::from_be_bytes(bytes) & 0x1fff;
        match EFF_LONG_WORDLIST.get(usize::from(number)) {
            Some(word) if !word.contains('-') => return Ok(word),
            _ => {}
        }
    }
}

/// The fingerprint of a key or of a certificate, its SHA-256, in six words for two people to compare aloud.
///
/// The 32 bytes are one number, the first byte the most significant. It is divided by 7,776 six times; each remainder is
/// the number of a word, the first remainder that of the first word. The words are separated by a space and
/// written without their dashes, so that nobody wonders how to say one.
///
/// `yo-yo` then reads like `yoyo`, which is a word of the list too: of 7,776 words 7,775 differ, and the
/// strength is the same 77 bits.
pub fn spell(bytes: &[u8; 32]) -> String {
    let mut number = *bytes;
    let words: Vec<String> = (0..FINGERPRINT_WORDS)
        .map(|_| EFF_LONG_WORDLIST[divide(&mut number, EFF_LONG_WORDLIST.len())].replace('-', ""))
        .collect();
    words.join(" ")
}

/// Divides a number of 256 bits, the most significant byte first, and returns the remainder.
fn divide(number: &mut [u8; 32], by: usize) -> usize {
    let mut remainder = 0;
    for byte in number {
        let part = remainder * 256 + usize::from(*byte);
        // The quotient of what is below `by` × 256 is a byte.
        *byte = u8::try_from(part / by).unwrap_or(u8::MAX);
        remainder = part % by;
    }
    remainder
}

/// Who somebody is, in six words: [`spell`] of the SHA-256 of the public key.
pub fn fingerprint_words(key: &PublicKey) -> String {
    spell(&fingerprint(&key.0).0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::hex::Hex;
    use crate::protocol::limits::{PASSPHRASE_BYTES, PASSPHRASE_SHORTEST};

    /// Another list would be other words for the same key: an update of the crate must not bring one.
    #[test]
    fn the_list_is_the_one_of_2016() {
        let lines: String = EFF_LONG_WORDLIST.iter().flat_map(|word| [word, "\n"]).collect();
        assert_eq!(
            fingerprint(lines.as_bytes()).to_string(),
            "6d557f0693958fb5e650b68b5bee585eb82cf4da32965505c789e924743bc522"
        );
    }

    #[test]
    fn a_passphrase_is_four_words_that_stay_apart() {
        for _ in 0..200 {
            let passphrase = passphrase().unwrap();
            let words: Vec<&str> = passphrase.reveal().split('-').collect();
            assert_eq!(words.len(), 4, "{words:?}");
            assert!(words.iter().all(|word| EFF_LONG_WORDLIST.contains(word)), "{words:?}");
        }
        assert_ne!(passphrase().unwrap(), passphrase().unwrap());
        let lengths = || EFF_LONG_WORDLIST.iter().filter(|word| !word.contains('-')).map(|word| word.len());
        assert_eq!(lengths().count(), 7772);
        assert!(4 * lengths().min().unwrap() + 3 >= PASSPHRASE_SHORTEST);
        assert!(4 * lengths().max().unwrap() + 3 <= PASSPHRASE_BYTES);
    }

    #[test]
    fn no_part_of_the_list_is_drawn_more_than_another() {
        let random = SystemRandom::new();
        let drawn: Vec<&str> = (0..80_000).map(|_| word(&random).unwrap()).collect();
        let low = drawn.iter().filter(|word| **word < "m").count();
        let expected = EFF_LONG_WORDLIST.iter().filter(|word| **word < "m").count() * 80_000 / 7_776;
        // Five standard deviations are 700.
        assert!(low.abs_diff(expected) < 1000, "{low} of {expected}");
        // Not one of the last hundred: a chance of e^-1000.
        assert!(drawn.iter().any(|word| *word >= EFF_LONG_WORDLIST[7_675]));
    }

    /// The same computed with Python: `n, digit = divmod(n, 7776)`, six times.
    #[test]
    fn a_stranger_spells_the_same_words() {
        assert_eq!(spell(&[0; 32]), "abacus abacus abacus abacus abacus abacus");
        assert_eq!(spell(&[255; 32]), "unwatched defection overhand pushpin dotted nacho");
        let counted = std::array::from_fn(|n| u8::try_from(n).unwrap());
        assert_eq!(spell(&counted), "muster mumbo crucial heroism multitude foe");
        assert_eq!(fingerprint_words(&Hex(counted)), "eloquent impure crablike tripod porthole elderly");
    }

    #[test]
    fn a_word_with_a_dash_is_spelled_without_it() {
        let mut bytes = [0; 32];
        bytes[30..].copy_from_slice(&6639_u16.to_be_bytes());
        assert!(spell(&bytes).starts_with("tshirt abacus"));
    }
}
