//! What somebody types to say where they want to go: an address, an invite, or the words of a passphrase.

use thiserror::Error;

use super::tui::near::nearest;
use crate::protocol::invite::{Invite, InviteError};
use crate::protocol::proof::{Passphrase, PassphraseError};
use crate::protocol::wordlist::{self, PASSPHRASE_WORDS};

/// So many of four must be of the list for a name with dashes to be taken for a passphrase: a host's own need not be all of it.
pub const LISTED: usize = 2;
/// What addresses and invites have, and words do not.
const NOT_IN_WORDS: [char; 3] = [':', '/', '.'];

/// Where somebody wants to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To this place.
    There(Box<Invite>),
    /// To the parlor of this passphrase, wherever on this network it is.
    Words(Passphrase),
}

/// What was typed is neither.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DestinationError {
    /// No address and no invite.
    #[error(transparent)]
    Invite(#[from] InviteError),
    /// No passphrase.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// Three of four words are of the list. The others are not repeated: they are most of a passphrase.
    #[error("{}", misspelled(.word, *.near))]
    Misspelled {
        /// The fourth.
        word: String,
        /// The one that was probably meant.
        near: Option<&'static str>,
    },
    /// Most of a passphrase, or more than one. It is not repeated, and no name server is asked for it.
    #[error(
        "that is {0} words, and a passphrase that a parlor made has {PASSPHRASE_WORDS}. (A machine of that name: add the port, as in NAME:7878. A passphrase \
         of the host's own: type the address, and it is asked for.)"
    )]
    Count(usize),
    /// An address, and something else beside it.
    #[error("give one address, or the words of one passphrase")]
    Several,
}

fn misspelled(word: &str, near: Option<&'static str>) -> String {
    let meant = near.map(|near| format!(": did you mean {near:?}?")).unwrap_or_default();
    format!(
        "{word:?} is no word of the list that passphrases are made of{meant} (A machine of that name: add the port, as in \
         NAME:7878. A passphrase of the host's own: type the address, and it is asked for.)"
    )
}

impl Destination {
    /// Reads what was typed, in one argument or several; `None` if nothing was.
    ///
    /// One argument is an address or an invite, unless it has white space or is four words joined by dashes, of which at least
    /// [`LISTED`] are of the list: few machines have such names. Several are words.
    ///
    /// # Errors
    /// What was typed is neither; or it is a passphrase with a slip of the finger.
    pub fn read(typed: &[String]) -> Result<Option<Self>, DestinationError> {
        let place = |raw: &str| Ok(Some(Self::There(Box::new(raw.parse()?))));
        let typed: Vec<&str> = typed.iter().map(|raw| raw.trim()).collect();
        match typed.as_slice() {
            [] => Ok(None),
            [one] if one.contains(NOT_IN_WORDS) => place(one),
            [one] if !one.contains(char::is_whitespace) => {
                let known = known(one);
                let listed = known.iter().filter(|(_, is_listed)| *is_listed).count();
                let is_words = known.len() == PASSPHRASE_WORDS && listed >= LISTED;
                // With a port or a dot it is an address, however many words it has.
                let is_name = !one.contains([':', '/', '.', '[', '?']);
                if is_name && known.len() != PASSPHRASE_WORDS && listed > LISTED {
                    return Err(DestinationError::Count(known.len()));
                }
                if is_words { Ok(Some(Self::Words(words(one)?))) } else { place(one) }
            }
            several if several.iter().any(|raw| raw.contains(NOT_IN_WORDS)) => Err(DestinationError::Several),
            several => Ok(Some(Self::Words(words(&several.join(" "))?))),
        }
    }
}

/// The passphrase, unless one of its four words is misspelled.
fn words(typed: &str) -> Result<Passphrase, DestinationError> {
    let known = known(typed);
    let mut unknown = known.iter().filter(|(_, is_known)| !is_known);
    if let (PASSPHRASE_WORDS, Some((word, _)), None) = (known.len(), unknown.next(), unknown.next()) {
        let near = nearest(word, wordlist::words());
        return Err(DestinationError::Misspelled { word: word.clone(), near });
    }
    Ok(Passphrase::new(typed)?)
}

/// The words of it, and whether each is of the list.
fn known(typed: &str) -> Vec<(String, bool)> {
    let between = |c: char| c.is_whitespace() || c == '-';
    let words = typed.split(between).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let word = word.to_lowercase();
            let is_known = wordlist::words().any(|listed| listed == word);
            (word, is_known)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(typed: &[&str]) -> Result<Option<Destination>, DestinationError> {
        Destination::read(&typed.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn four_words_are_a_passphrase_however_they_are_typed() {
        let words = Passphrase::new("amber-otter-ricotta-amulet").unwrap();
        for typed in [
            &["amber-otter-ricotta-amulet"][..],
            &["Amber-OTTER-ricotta-amulet"],
            &["amber otter  ricotta amulet"],
            &["amber", "Otter", "ricotta", "amulet"],
            &["amber-otter", "ricotta-amulet"],
        ] {
            assert_eq!(read(typed), Ok(Some(Destination::Words(words.clone()))), "{typed:?}");
        }
        // Of a host's own making: two of the four are not of the list.
        for own in ["amber-otter-river-stone", "correct horse battery"] {
            assert!(matches!(read(&[own]), Ok(Some(Destination::Words(_)))), "{own}");
        }
    }

    #[test]
    fn a_slip_of_the_finger_is_told_and_the_other_words_are_not() {
        for typed in [&["amber-ottre-ricotta-amulet"][..], &["amber", "ottre", "ricotta", "amulet"]] {
            let error = read(typed).unwrap_err();
            assert_eq!(
                error,
                DestinationError::Misspelled { word: "ottre".to_owned(), near: Some("otter") },
                "{typed:?}"
            );
            let said = error.to_string();
            assert!(said.contains("did you mean \"otter\"?") && !said.contains("ricotta"), "{said}");
        }
        let error = read(&["amber-otter-ricotta-zzzzzzzz"]).unwrap_err();
        assert!(matches!(error, DestinationError::Misspelled { near: None, .. }));
    }

    #[test]
    fn most_of_a_passphrase_is_no_name_of_a_machine() {
        for (typed, count) in [("amber-otter-ricotta", 3), ("amber-otter-ricotta-amulet-acorn", 5)] {
            let error = read(&[typed]).unwrap_err();
            assert_eq!(error, DestinationError::Count(count));
            assert!(!error.to_string().contains("otter"), "{error}");
            assert!(matches!(read(&[&format!("{typed}:7878")]), Ok(Some(Destination::There(_)))), "{typed}");
        }
    }

    #[test]
    fn an_address_is_an_address() {
        assert_eq!(read(&[]), Ok(None));
        for typed in [
            "lab",
            "pc-of-the-lab",
            "amber-otter-ricotta-amulet:7878",
            "192.168.1.7",
            "lab.example:9",
            "parlor://lab/#demo",
            "unix:/run/p",
        ] {
            assert!(matches!(read(&[typed]), Ok(Some(Destination::There(_)))), "{typed}");
        }
        assert_eq!(read(&["lab.example", "stone"]), Err(DestinationError::Several));
        assert!(matches!(read(&["a b"]), Err(DestinationError::Passphrase(PassphraseError::TooShort))));
        assert!(matches!(read(&[""]), Err(DestinationError::Invite(_))));
    }
}
