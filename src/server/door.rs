//! Who may come in: the passphrase, and the patience with those who guess.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use thiserror::Error;

use super::private::write_private;
use crate::protocol::event::{Auth, AuthKind, ErrorCode, Failure, Scrypt};
use crate::protocol::pake::Method;
use crate::protocol::proof::{Challenge, Cost, Passphrase, PassphraseError, ProofKey, Salt};
use crate::protocol::wordlist;

/// What is needed to verify the passphrase, and no more than that: not the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Makes the same words another key on another server.
    pub salt: Salt,
    /// What the key took.
    pub cost: Cost,
    /// The words' key.
    pub key: ProofKey,
}

impl Lock {
    /// A new lock for these words. Takes a tenth of a second or so.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(words: &Passphrase) -> Result<Self, DoorError> {
        let (salt, cost) = (Salt::random().map_err(|_| DoorError::Randomness)?, Cost::USUAL);
        let key = ProofKey::derive(words, &salt, cost).map_err(|_| DoorError::Randomness)?;
        Ok(Self { salt, cost, key })
    }

    /// Whether these words open it. Takes as long.
    pub fn opens(&self, words: &Passphrase) -> bool {
        ProofKey::derive(words, &self.salt, self.cost).is_ok_and(|key| key == self.key)
    }
}

/// What a server shall ask of those who want in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ask {
    /// The words that the first start made, and keeps in the folder of the log.
    #[default]
    OwnWords,
    /// These words.
    Words(Passphrase),
    /// Nothing.
    Nothing,
}

/// Why there is no door.
#[derive(Debug, Error)]
pub enum DoorError {
    /// The file of the words.
    #[error("cannot use {0}: {1}")]
    File(PathBuf, io::Error),
    /// What is in it.
    #[error("{0} holds no passphrase: {1}")]
    Words(PathBuf, PassphraseError),
    /// No passphrase could be made.
    #[error("this system gives no randomness to make a passphrase of")]
    Randomness,
}

/// What was found out at the start.
#[derive(Debug)]
pub struct Prepared {
    /// To verify with.
    pub lock: Option<Lock>,
    /// To be shown to the host, where they are known: who only verifies does not need them.
    pub words: Option<Passphrase>,
}

/// The file of the words: for the host to read aloud. Without it the parlor opens to those who know them all the same.
pub const WORDS_FILE: &str = "passphrase";

/// Finds the words, or makes them at the first start, and the lock that they open. `kept` is the lock of the last time.
/// Takes a tenth of a second or so.
///
/// # Errors
/// When the file of the words cannot be used.
pub fn prepare(ask: &Ask, data: &Path, kept: Option<Lock>) -> Result<Prepared, DoorError> {
    let path = data.join(WORDS_FILE);
    let words = match ask {
        Ask::Nothing => return Ok(Prepared { lock: None, words: None }),
        Ask::Words(words) => words.clone(),
        Ask::OwnWords => match (read_words(data)?, &kept) {
            (Some(words), _) => words,
            (None, Some(lock)) => return Ok(Prepared { lock: Some(lock.clone()), words: None }),
            (None, None) => make_words(&path)?,
        },
    };
    let lock = match kept.filter(|lock| lock.opens(&words)) {
        Some(lock) => lock,
        None => Lock::new(&words)?,
    };
    Ok(Prepared { lock: Some(lock), words: Some(words) })
}

/// The words that are kept in the folder of the log, if they are.
///
/// # Errors
/// When the file cannot be read, or holds no passphrase.
pub fn read_words(data: &Path) -> Result<Option<Passphrase>, DoorError> {
    let path = &data.join(WORDS_FILE);
    match std::fs::read_to_string(path) {
        Ok(text) => {
            Passphrase::new(&text).map(Some).map_err(|error| DoorError::Words(path.to_owned(), error))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(DoorError::File(path.to_owned(), error)),
    }
}

/// Makes new words and keeps them in the file.
///
/// # Errors
/// When the file cannot be written.
pub fn make_words(path: &Path) -> Result<Passphrase, DoorError> {
    let words = wordlist::passphrase().map_err(|_| DoorError::Randomness)?;
    let kept = write_private(path, &format!("{}\n", words.reveal()));
    kept.map_err(|error| DoorError::File(path.to_owned(), error))?;
    Ok(words)
}

/// The door of a server.
#[derive(Debug)]
pub struct Door {
    /// `None`: open to everyone.
    lock: RwLock<Option<Lock>>,
    /// The file of the words, if they are the parlor's own.
    words_file: Option<PathBuf>,
    guesses: Guesses,
}

impl Door {
    /// A door with this lock, or an open one.
    pub fn new(lock: Option<Lock>, words_file: Option<PathBuf>) -> Self {
        Self { lock: RwLock::new(lock), words_file, guesses: Guesses::default() }
    }

    /// Where new words go, if they are the parlor's own to change.
    pub fn words_file(&self) -> Option<&Path> {
        self.words_file.as_deref()
    }

    /// Exchanges the lock. Those who are in stay.
    pub fn change(&self, lock: Option<Lock>) {
        *self.lock.write().unwrap_or_else(PoisonError::into_inner) = lock;
    }

    /// What opens it; `None` if it is open.
    pub fn key(&self) -> Option<(Salt, ProofKey)> {
        let lock = self.lock.read().unwrap_or_else(PoisonError::into_inner);
        lock.as_ref().map(|lock| (lock.salt, lock.key.clone()))
    }

    /// What to ask of whoever knocks.
    pub fn asks(&self, challenge: Challenge) -> Auth {
        match &*self.lock.read().unwrap_or_else(PoisonError::into_inner) {
            None => Auth { kind: AuthKind::Open, challenge, scrypt: None, pake: None },
            Some(Lock { salt, cost, .. }) => {
                let scrypt = Some(Scrypt { salt: *salt, cost: *cost });
                Auth { kind: AuthKind::Passphrase, challenge, scrypt, pake: Some(Method::Spake2) }
            }
        }
    }

    /// How long somebody from this address must wait before an answer is looked at.
    ///
    /// # Errors
    /// `too_many_failures`, when that is longer than anyone waits.
    pub fn wait(&self, from: Option<IpAddr>, now: Instant) -> Result<Duration, Failure> {
        from.map_or(Ok(Duration::ZERO), |from| self.guesses.wait(from, now))
    }

    /// Somebody at this address guessed wrong.
    pub fn failed(&self, from: Option<IpAddr>, now: Instant) {
        if let Some(from) = from {
            self.guesses.failed(from, now);
        }
    }

    /// Whether it lets everyone through.
    pub fn is_open(&self) -> bool {
        self.lock.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

/// The wait after the first wrong passphrase of an address; each further one doubles it.
const WAIT_FIRST: Duration = Duration::from_millis(250);
/// The longest wait after one. A day has 1,440 guesses then.
const WAIT_LONGEST: Duration = Duration::from_secs(60);
/// Who would have to wait longer than this is told so at once; that leaves room within the handshake's time.
const PATIENCE: Duration = Duration::from_secs(5);
/// Failures are forgotten this long after the last wait was over.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);
/// Addresses that are remembered. Beyond that those whose wait is over are forgotten, and then the one whose wait
/// ends first: a network that has so many addresses has other ways as well.
const ADDRESSES: usize = 10_000;

/// Who guessed wrong, and from when on they may guess again.
#[derive(Debug, Default)]
struct Guesses(Mutex<HashMap<IpAddr, Guesser>>);

#[derive(Debug)]
struct Guesser {
    failures: u32,
    free_at: Instant,
}

impl Guesses {
    /// How long an answer from there must wait. Answers that come together wait one behind the other.
    fn wait(&self, from: IpAddr, now: Instant) -> Result<Duration, Failure> {
        let mut guessers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(guesser) = guessers.get_mut(&from) else { return Ok(Duration::ZERO) };
        if now.saturating_duration_since(guesser.free_at) > FORGOTTEN_AFTER {
            guessers.remove(&from);
            return Ok(Duration::ZERO);
        }
        let wait = guesser.free_at.saturating_duration_since(now);
        if wait > PATIENCE {
            let seconds = wait.as_secs() + 1;
            let message = format!(
                "{} wrong passphrases came from your address: try again in {seconds} s",
                guesser.failures
            );
            return Err(Failure::new(ErrorCode::TooManyFailures, &message));
        }
        // Whoever comes next waits for the turn after this one.
        guesser.free_at = now + wait + Self::penalty(guesser.failures);
        Ok(wait)
    }

    fn failed(&self, from: IpAddr, now: Instant) {
        let mut guessers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if guessers.len() >= ADDRESSES && !guessers.contains_key(&from) {
            guessers.retain(|_, guesser| guesser.free_at > now);
            if guessers.len() >= ADDRESSES
                && let Some(first) =
                    guessers.iter().min_by_key(|(_, guesser)| guesser.free_at).map(|(from, _)| *from)
            {
                guessers.remove(&first);
            }
        }
        let guesser = guessers.entry(from).or_insert(Guesser { failures: 0, free_at: now });
        guesser.failures = guesser.failures.saturating_add(1);
        guesser.free_at = guesser.free_at.max(now + Self::penalty(guesser.failures));
    }

    fn penalty(failures: u32) -> Duration {
        WAIT_FIRST.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(WAIT_LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_made_once_and_their_lock_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let prepare = |ask: Ask, kept: &Option<Lock>| prepare(&ask, folder.path(), kept.clone()).unwrap();
        let first = prepare(Ask::OwnWords, &None);
        let again = prepare(Ask::OwnWords, &first.lock);
        assert_eq!((&again.words, &again.lock), (&first.words, &first.lock));
        // The host's word goes: in the file, and on the command line.
        let other = Passphrase::new("other words than those").unwrap();
        let changed = prepare(Ask::Words(other.clone()), &first.lock);
        assert_ne!(changed.lock, first.lock);
        std::fs::write(folder.path().join(WORDS_FILE), "Other Words than those\n").unwrap();
        let edited = prepare(Ask::OwnWords, &first.lock);
        assert!(edited.words == Some(other.clone()) && edited.lock.unwrap().opens(&other));
        // What the server needs to verify does not need the words.
        std::fs::remove_file(folder.path().join(WORDS_FILE)).unwrap();
        let without = prepare(Ask::OwnWords, &first.lock);
        assert_eq!((without.words, without.lock), (None, first.lock.clone()));
        assert!(prepare(Ask::Nothing, &first.lock).lock.is_none());
        std::fs::write(folder.path().join(WORDS_FILE), "short").unwrap();
        let error = super::prepare(&Ask::OwnWords, folder.path(), first.lock).unwrap_err().to_string();
        assert!(error.contains("passphrase holds no passphrase"), "{error}");
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn each_failure_of_an_address_is_slower_than_the_last_and_others_notice_nothing() {
        let guesses = Guesses::default();
        let mut now = Instant::now();
        let mut last = Duration::ZERO;
        for _ in 0..5 {
            guesses.failed(address(1), now);
            let wait = guesses.wait(address(1), now).unwrap();
            assert!(wait > last, "{wait:?} after {last:?}");
            assert_eq!(guesses.wait(address(2), now).unwrap(), Duration::ZERO);
            last = wait;
            now += wait;
        }
    }

    #[test]
    fn who_guesses_at_many_doors_at_once_is_turned_away() {
        let guesses = Guesses::default();
        let now = Instant::now();
        guesses.failed(address(1), now);
        let answers: Vec<_> = (0..1000).map(|_| guesses.wait(address(1), now)).collect();
        let waiting = answers.iter().filter(|answer| answer.is_ok()).count();
        assert!((2..30).contains(&waiting), "{waiting}");
        assert_eq!(answers[999].as_ref().unwrap_err().code, ErrorCode::TooManyFailures);
        let later = now + WAIT_LONGEST + FORGOTTEN_AFTER + Duration::from_secs(1);
        assert_eq!(guesses.wait(address(1), later).unwrap(), Duration::ZERO);
    }

    #[test]
    fn a_network_of_many_addresses_does_not_fill_the_memory() {
        let guesses = Guesses::default();
        let now = Instant::now();
        for n in 0..ADDRESSES + 100 {
            guesses.failed(IpAddr::from(u32::try_from(n).unwrap().to_be_bytes()), now);
        }
        assert_eq!(guesses.0.lock().unwrap().len(), ADDRESSES);
    }
}
