//! The parlor of a passphrase: each one on this network is asked whether it knows the words, and told neither these nor who asks.
//!
//! What announces itself may be anybody. So whoever is asked can try one guess at the words, and is given nothing to try another one
//! against ([`crate::protocol::pake`]). To the parlors of others it is one wrong passphrase from this address.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use uuid::Uuid;

use super::find::{self, Heard, PARLORS, Parlor};
use super::link::{self, Answered, Break, Dial, Outcome};
use crate::protocol::address::Address;
use crate::protocol::announcement::Announcement;
use crate::protocol::event::{ErrorCode, Scrypt};
use crate::protocol::invite::{Invite, Pin};
use crate::protocol::proof::{Fingerprint, Passphrase, ProofKey};

/// How long one listens for parlors. Those that are there have answered twice by then.
pub const LISTEN_TIME: Duration = Duration::from_secs(5);
/// Parlors that are asked, at most: somebody who announces thousands costs so many keys and no more.
pub const ASKED: usize = 32;
/// Parlors that are asked at the same time: so one that keeps us waiting does not keep the others.
const ASKED_AT_ONCE: usize = 8;
/// Keys that are made at the same time. Each takes up to 128 MiB, and a tenth of a second or so on a core.
const KEYS_AT_ONCE: usize = 2;
/// How long one waits for more addresses of a parlor that was heard, to begin with the best of them.
const GATHERED: Duration = Duration::from_millis(250);
/// How long one address may take to connect: it is on this network.
const CONNECT_TIME: Duration = Duration::from_secs(2);
/// How long one address is waited for before the next one of the same parlor is asked as well.
const HEAD_START: Duration = Duration::from_secs(1);
/// How long one parlor may take in all, with each of its addresses. It may make us wait for 5 s, if others guessed here.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// Sentences about what does not work here that are kept: there are no more ways to look.
const TROUBLES: usize = 4;

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The words.
    pub words: Passphrase,
    /// Where to ask as well, whether or not a parlor announces itself there.
    pub here: Option<Address>,
    /// Also ask those that are served without TLS.
    pub plain: bool,
}

/// The parlor that knows the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where.
    pub address: Address,
    /// Of the certificate with which it has shown that; `None` without TLS.
    pub fingerprint: Option<Fingerprint>,
}

impl Found {
    /// What to join it by: with the words, and nobody else's certificate.
    pub fn invite(self, words: Passphrase) -> Invite {
        Invite {
            pin: self.fingerprint.as_ref().map(Pin::of),
            passphrase: Some(words),
            plain: self.fingerprint.is_none(),
            ..Invite::to(self.address)
        }
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Parlors that have answered, or will not.
    pub asked: usize,
    /// Those that are being asked, or wait for their turn.
    pub to_go: usize,
}

/// What came of it, when no parlor knows the words. Its sentence says what to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// Parlors that were found.
    pub found: usize,
    /// Those that do not know the words.
    pub strangers: usize,
    /// Those that have no words, because they are open.
    pub open: usize,
    /// Those that have heard too many wrong words from here.
    pub busy: usize,
    /// Those that cannot be reached, or give no answer that makes sense.
    pub silent: usize,
    /// Those without TLS, which were not asked.
    pub without_tls: usize,
    /// Those beyond [`ASKED`].
    pub left_out: usize,
    /// What does not work here, in sentences.
    pub troubles: Vec<String>,
}

/// Listens and asks, until one knows the words, or there is nobody left to ask. `heard` is what [`super::find::look`] gives.
///
/// # Errors
/// Nobody knows them.
pub async fn seek(
    wanted: Wanted,
    heard: mpsc::Receiver<Heard>,
    mut progress: impl FnMut(Progress),
) -> Result<Found, Missed> {
    let mut seeking = Seeking::new(wanted);
    let mut listening = Some(heard);
    let until = Instant::now() + LISTEN_TIME;
    loop {
        seeking.ask_next();
        progress(seeking.progress());
        if listening.is_none() && seeking.asking.is_empty() && seeking.waiting.is_empty() {
            return Err(seeking.missed);
        }
        let next_asked = seeking.next();
        tokio::select! {
            biased;
            Some(answer) = seeking.asking.join_next(), if !seeking.asking.is_empty() => {
                // One that panicked is one that gave no answer.
                if let Some(found) = seeking.note(answer.unwrap_or_default()) {
                    return Ok(found);
                }
            }
            () = sleep_until(next_asked.unwrap_or(until)), if next_asked.is_some() => {}
            () = sleep_until(until), if listening.is_some() => listening = None,
            heard = next(&mut listening), if listening.is_some() => match heard {
                Some(Heard::Here(parlor)) => seeking.hear(parlor),
                Some(Heard::Gone(_)) => {}
                Some(Heard::Trouble(sentence)) => {
                    if seeking.missed.troubles.len() < TROUBLES {
                        seeking.missed.troubles.push(sentence);
                    }
                }
                None => listening = None,
            },
        }
    }
}

async fn next(listening: &mut Option<mpsc::Receiver<Heard>>) -> Option<Heard> {
    match listening {
        Some(heard) => heard.recv().await,
        None => None,
    }
}

/// One to ask.
#[derive(Debug)]
struct Candidate {
    addresses: Vec<Address>,
    plain: bool,
    /// The certificate that it has announced. At one of its addresses there may be somebody else, who has said the same.
    pin: Option<Pin>,
    /// What it has announced. `None`: nobody has said that there is a parlor.
    said: Option<Announcement>,
    /// When it is asked.
    from: Instant,
}

/// Whom we asked, and what they said. Nothing, where nobody does.
#[derive(Debug, Default)]
struct Answer {
    answered: Option<(Address, Answered)>,
    supposed: bool,
}

struct Seeking {
    wanted: Wanted,
    keys: Arc<Semaphore>,
    waiting: VecDeque<Candidate>,
    asking: JoinSet<Answer>,
    asked: usize,
    /// Those that were announced and are asked.
    queued: usize,
    /// Those that were announced. Of several with the same id all but one are somebody else: everybody hears it.
    heard: Vec<Announcement>,
    /// Their ids.
    announced: HashSet<Uuid>,
    /// Those that have answered: this machine's parlor may announce itself as well, and is still one.
    answered: HashSet<Uuid>,
    /// Those that were announced when enough were.
    beyond: HashSet<Uuid>,
    missed: Missed,
}

impl Seeking {
    fn new(wanted: Wanted) -> Self {
        let here = wanted.here.iter().map(|here| Candidate {
            addresses: vec![here.clone()],
            plain: wanted.plain,
            pin: None,
            said: None,
            from: Instant::now(),
        });
        Self {
            waiting: here.collect(),
            wanted,
            keys: Arc::new(Semaphore::new(KEYS_AT_ONCE)),
            asking: JoinSet::new(),
            asked: 0,
            queued: 0,
            heard: Vec::new(),
            announced: HashSet::new(),
            answered: HashSet::new(),
            beyond: HashSet::new(),
            missed: Missed::default(),
        }
    }

    /// A parlor has announced itself.
    fn hear(&mut self, Parlor { said, addresses }: Parlor) {
        if self.heard.iter().any(|heard| find::is_same(heard, &said)) {
            let is_it = |said: &Announcement, other: &Candidate| {
                other.said.as_ref().is_some_and(|other| find::is_same(other, said))
            };
            if let Some(waiting) = self.waiting.iter_mut().find(|waiting| is_it(&said, waiting)) {
                waiting.addresses = addresses;
            }
            return;
        }
        let plain = said.fingerprint.is_none();
        let is_asked = !said.open && (!plain || self.wanted.plain);
        if self.heard.len() >= PARLORS || (is_asked && self.queued >= ASKED) {
            // Each once, and not more of them than are listed anywhere.
            if self.beyond.len() < PARLORS {
                self.beyond.insert(said.id);
                self.missed.left_out = self.beyond.len();
            }
            return;
        }
        self.heard.push(said.clone());
        self.announced.insert(said.id);
        self.missed.found += usize::from(!self.answered.contains(&said.id));
        if said.open {
            self.missed.open += usize::from(!self.answered.contains(&said.id));
        } else if plain && !self.wanted.plain {
            self.missed.without_tls += 1;
        } else {
            self.queued += 1;
            let (pin, from) = (said.fingerprint.as_ref().map(Pin::of), Instant::now() + GATHERED);
            self.waiting.push_back(Candidate { addresses, plain, pin, said: Some(said), from });
        }
    }

    fn ask_next(&mut self) {
        while self.asking.len() < ASKED_AT_ONCE
            && let Some(candidate) = self.waiting.pop_front_if(|candidate| candidate.from <= Instant::now())
        {
            self.asking.spawn(ask(candidate, self.wanted.words.clone(), Arc::clone(&self.keys)));
        }
    }

    /// When the next one is to be asked, if there is room for it.
    fn next(&self) -> Option<Instant> {
        self.waiting.front().map(|next| next.from).filter(|_| self.asking.len() < ASKED_AT_ONCE)
    }

    fn progress(&self) -> Progress {
        Progress { asked: self.asked, to_go: self.asking.len() + self.waiting.len() }
    }

    /// Counts an answer; gives it back if it is the one.
    fn note(&mut self, Answer { answered, supposed }: Answer) -> Option<Found> {
        let Some((address, Answered { id, outcome })) = answered else {
            if !supposed {
                self.asked += 1;
                self.missed.silent += 1;
            }
            return None;
        };
        if let Outcome::Knows { fingerprint } = outcome {
            return Some(Found { address, fingerprint });
        }
        self.asked += 1;
        let is_new = self.answered.insert(id);
        if supposed && !self.announced.contains(&id) {
            self.missed.found += 1;
        }
        if is_new {
            match outcome {
                Outcome::Knows { .. } => {}
                Outcome::Open => self.missed.open += usize::from(!self.announced.contains(&id)),
                Outcome::No(Break::Refused(failure)) if failure.code == ErrorCode::PassphraseWrong => {
                    self.missed.strangers += 1;
                }
                Outcome::No(Break::Refused(failure)) if failure.code == ErrorCode::TooManyFailures => {
                    self.missed.busy += 1;
                }
                Outcome::No(Break::Impostor(_)) => self.missed.strangers += 1,
                Outcome::No(_) => self.missed.silent += 1,
            }
        }
        None
    }
}

/// Asks one parlor at its addresses, each a little after the one before. Who shows its certificate is that parlor; where it has none,
/// who knows the words.
async fn ask(candidate: Candidate, words: Passphrase, keys: Arc<Semaphore>) -> Answer {
    let Candidate { addresses, plain, pin, said, .. } = candidate;
    let mut waiting = addresses.into_iter();
    let asking = async {
        let (mut asked, mut other) = (JoinSet::new(), None);
        loop {
            if let Some(address) = waiting.next() {
                asked.spawn(ask_at(address, plain, pin, words.clone(), Arc::clone(&keys)));
            } else if asked.is_empty() {
                return other;
            }
            let answered = tokio::select! {
                biased;
                answered = asked.join_next() => answered,
                () = sleep(HEAD_START), if waiting.len() > 0 => None,
            };
            if let Some(Ok(Some((address, answered)))) = answered {
                if pin.is_some() || matches!(answered.outcome, Outcome::Knows { .. }) {
                    return Some((address, answered));
                }
                other = other.or(Some((address, answered)));
            }
        }
    };
    Answer { answered: timeout(ANSWER_TIME, asking).await.unwrap_or_default(), supposed: said.is_none() }
}

async fn ask_at(
    address: Address,
    plain: bool,
    pin: Option<Pin>,
    words: Passphrase,
    keys: Arc<Semaphore>,
) -> Option<(Address, Answered)> {
    let key = async |scrypt| key(words, scrypt, keys).await;
    let answered = link::knock(quickly(), &address, plain, pin.as_ref(), ANSWER_TIME, key).await;
    Some((address, answered.ok()?))
}

/// By the sockets of the system, and not for long.
fn quickly() -> Dial {
    Arc::new(|address| {
        let dialing = link::dial(address);
        Box::pin(async move { timeout(CONNECT_TIME, dialing).await.map_err(io::Error::from)? })
    })
}

/// The words' key for one parlor.
async fn key(
    words: Passphrase,
    Scrypt { salt, cost }: Scrypt,
    keys: Arc<Semaphore>,
) -> Result<ProofKey, Break> {
    // Nobody closes it.
    let turn = keys.acquire_owned().await.map_err(|_| Break::Quit)?;
    let derive = move || {
        // Also when nobody waits for it any more: it takes as much memory.
        let _turn = turn;
        ProofKey::derive(&words, &salt, cost)
    };
    Ok(tokio::task::spawn_blocking(derive).await.map_err(|_| Break::Quit)??)
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.found == 0 {
            f.write_str(
                "no parlor was found on this network, so there was none to ask for these words. Some networks keep \
                 machines apart, as those for guests do: ask the host for the address, and type `parlor join ADDRESS`",
            )?;
        } else {
            match self.found {
                1 => f.write_str("1 parlor was found, and it does not know these words")?,
                found => write!(f, "{found} parlors were found, and none of them knows these words")?,
            }
            let parts = [
                // Where all of them said so, it goes without saying.
                (if self.strangers == self.found { 0 } else { self.strangers }, "said so"),
                (self.open, "without a passphrase"),
                (self.without_tls, "without TLS, asked only with --plain"),
                (self.busy, "that heard too many wrong words from here: try again in a minute"),
                (self.silent, "gave no answer"),
            ];
            let parts = parts.iter().filter(|(number, _)| *number > 0);
            let parts: Vec<String> = parts.map(|(number, what)| format!("{number} {what}")).collect();
            if !parts.is_empty() {
                write!(f, " ({})", parts.join("; "))?;
            }
            if self.left_out > 0 {
                write!(f, ". At most {ASKED} are asked, and {} more were left out", self.left_out)?;
            }
            f.write_str(". Check the words; or look with `parlor find`, and type `parlor join ADDRESS`")?;
        }
        self.troubles.iter().try_for_each(|trouble| write!(f, "\n{trouble}"))
    }
}
