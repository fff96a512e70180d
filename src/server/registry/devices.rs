//! Several devices, one person: a code that one of them shows and the other says.

use std::collections::HashMap;
use std::fmt;

use ring::digest::{SHA256, digest};

use super::audit::{Deed, Record};
use super::bans::Banned;
use super::state::Change;
use super::{By, PersonId, Registry, RegistryError, Whom};
use crate::protocol::hex::Hex;
use crate::protocol::limits::{DEVICE_CODE_TIME, IGNORED, KEYS_PER_PERSON, NAMES_PER_PERSON, WRONG_CODES};
use crate::protocol::name::Nick;
use crate::protocol::proof::PublicKey;
use crate::protocol::time::Time;
use crate::protocol::words::Role;

/// Digits and letters of which none can be taken for another (Crockford's base 32): no I, L, O, U.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters in a code: 2^40 codes.
const CODE_LETTERS: usize = 8;

/// What one device shows, as `XXXX-XXXX`, and the other says within [`DEVICE_CODE_TIME`]. Whoever knows it becomes
/// this person.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceCode([u8; CODE_LETTERS]);

impl DeviceCode {
    fn random() -> Result<Self, RegistryError> {
        let Hex(bytes) = Hex::<CODE_LETTERS>::random().map_err(|_| RegistryError::NoRandomness)?;
        Ok(Self(bytes.map(|byte| LETTERS[usize::from(byte % 32)])))
    }

    /// As typed: in either case, with dashes and spaces wherever they are, and the letters that there are none of
    /// taken for the digits that they look like.
    fn typed(raw: &str) -> Option<Self> {
        let mut code = [0; CODE_LETTERS];
        let mut letters = raw.chars().filter(|c| !c.is_whitespace() && *c != '-');
        for place in &mut code {
            let letter = match letters.next()?.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            *place = *LETTERS.iter().find(|known| char::from(**known) == letter)?;
        }
        letters.next().is_none().then_some(Self(code))
    }

    fn hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, &self.0).as_ref());
        hash
    }
}

impl fmt::Display for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters: String = self.0.map(char::from).into_iter().collect();
        let (first, second) = letters.split_at(CODE_LETTERS / 2);
        write!(f, "{first}-{second}")
    }
}

impl fmt::Debug for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceCode(…)")
    }
}

/// Codes that are being shown: their SHA-256, and since when.
#[derive(Debug, Default)]
pub(super) struct Codes {
    shown: HashMap<PersonId, ([u8; 32], Time)>,
    /// Wrong ones that were said since there was last no code at all. A right one does not make them good, or a
    /// guesser would say their own in between.
    wrong: u32,
}

impl Codes {
    fn show(&mut self, person: PersonId, code: &DeviceCode, now: Time) {
        self.drop_old(now);
        self.shown.insert(person, (code.hash(), now));
    }

    /// Who shows this code.
    fn shown_by(&mut self, code: &DeviceCode, now: Time) -> Option<PersonId> {
        self.drop_old(now);
        let hash = code.hash();
        let found = self.shown.iter().find(|(_, (shown, _))| *shown == hash).map(|(person, _)| *person);
        if found.is_none() && !self.shown.is_empty() {
            self.wrong += 1;
            if self.wrong >= WRONG_CODES {
                self.shown.clear();
                self.wrong = 0;
            }
        }
        found
    }

    fn done(&mut self, person: PersonId) {
        self.shown.remove(&person);
        if self.shown.is_empty() {
            self.wrong = 0;
        }
    }

    fn drop_old(&mut self, now: Time) {
        let valid = i64::try_from(DEVICE_CODE_TIME.as_millis()).unwrap_or(i64::MAX);
        // With a clock that was set back nobody knows for how long it has been shown.
        self.shown.retain(|_, (_, since)| *since <= now && now < since.shifted(valid));
        if self.shown.is_empty() {
            self.wrong = 0;
        }
    }
}

impl Registry {
    /// A person wants to use another device: the code to say there. One that they had before is void.
    ///
    /// # Errors
    /// `no_such_person`, `too_many` keys; when the system has no randomness.
    pub fn start_device(&mut self, person: PersonId, now: Time) -> Result<DeviceCode, RegistryError> {
        self.check_keys(person)?;
        let code = DeviceCode::random()?;
        self.codes.show(person, &code, now);
        Ok(code)
    }

    /// The other device says the code: its key is that person's from now on. Whoever it was before is nobody any more;
    /// their names and what they ignore go along as far as the limits allow, and so does what others have decided
    /// about them. `nick` is what they are called now. The caller MUST have seen the key's signature.
    ///
    /// # Errors
    /// `wrong_code`: after [`WRONG_CODES`] of them no code is valid any more; `too_many` keys; `not_allowed` when the
    /// key's person has a role, other keys, a ban or a mute; when it cannot be written.
    pub fn link_device(
        &mut self,
        code: &str,
        key: PublicKey,
        nick: &Nick,
        now: Time,
    ) -> Result<PersonId, RegistryError> {
        // What can be no code is a slip, not a guess.
        let code = DeviceCode::typed(code).ok_or(RegistryError::WrongCode)?;
        let person = self.codes.shown_by(&code, now).ok_or(RegistryError::WrongCode)?;
        let before = self.person_of(&key);
        if before != Some(person) {
            self.check_keys(person)?;
            let mut changes = match before {
                Some(before) => self.swallow(before, person)?,
                None => Vec::new(),
            };
            changes.push(Change::Key(key, person, now));
            changes.extend(before.map(Change::ForgetPerson));
            let by = By::Person(person, nick.clone());
            let subject = self.called(&Whom::Person(person));
            self.decide(changes, Record::new(Deed::DeviceAdded, by, &subject, &key.to_string(), now))?;
        }
        self.codes.done(person);
        Ok(person)
    }

    /// The keys of a person.
    pub fn devices(&self, person: PersonId) -> Vec<PublicKey> {
        self.state.people.get(&person).map_or_else(Vec::new, |person| person.keys.iter().copied().collect())
    }

    /// A person loses a key: lost, sold, or stolen. `nick` is what they are called now.
    ///
    /// # Errors
    /// `no_such_person` when it is not theirs; `not_allowed` when it is their last; when it cannot be written.
    pub fn remove_device(
        &mut self,
        person: PersonId,
        key: PublicKey,
        nick: &Nick,
        now: Time,
    ) -> Result<(), RegistryError> {
        let keys = &self.person(person)?.keys;
        if !keys.contains(&key) {
            return Err(RegistryError::NoSuchPerson);
        }
        if keys.len() == 1 {
            return Err(RegistryError::NotAllowed("it is your only device"));
        }
        let by = By::Person(person, nick.clone());
        let subject = self.called(&Whom::Person(person));
        let record = Record::new(Deed::DeviceRemoved, by, &subject, &key.to_string(), now);
        self.decide(vec![Change::ForgetKey(key)], record)
    }

    fn check_keys(&self, person: PersonId) -> Result<(), RegistryError> {
        if self.person(person)?.keys.len() >= KEYS_PER_PERSON {
            let remedy = "remove one first";
            return Err(RegistryError::TooMany { what: "devices of yours", max: KEYS_PER_PERSON, remedy });
        }
        Ok(())
    }

    /// What is to be changed so that all of `old` is `new`'s, but for the key and `old` themself.
    fn swallow(&self, old: PersonId, new: PersonId) -> Result<Vec<Change>, RegistryError> {
        let is_muted = self.state.mutes.keys().any(|(whom, _)| *whom == Whom::Person(old));
        let (from, to) = (self.person(old)?, self.person(new)?);
        // Nobody gets rid of a role, a ban or a mute in this way, and no second device loses its person unasked.
        if from.role != Role::Member
            || from.keys.len() > 1
            || is_muted
            || self.state.bans.contains_key(&Banned::Person(old))
        {
            return Err(RegistryError::NotAllowed(
                "this device belongs to somebody with a role, other devices, a ban or a mute",
            ));
        }
        let mut changes = Vec::new();
        let free = NAMES_PER_PERSON.saturating_sub(to.names.len());
        for (nick, used) in self.names(old).into_iter().take(free) {
            changes.push(Change::ForgetName(old, nick.clone()));
            changes.push(Change::Name(new, nick, used));
        }
        let more = from.ignored.difference(&to.ignored).filter(|whom| **whom != Whom::Person(new));
        let more = more.take(IGNORED.saturating_sub(to.ignored.len()));
        changes.extend(more.map(|whom| Change::Ignore(new, whom.clone())));
        // Who was ignored stays so.
        for (id, person) in &self.state.people {
            if person.ignored.contains(&Whom::Person(old)) {
                changes.push(Change::Unignore(*id, Whom::Person(old)));
                if *id != new {
                    changes.push(Change::Ignore(*id, Whom::Person(new)));
                }
            }
        }
        for (name, rules) in &self.state.rooms {
            if rules.owner == Some(old) {
                let mut rules = rules.clone();
                rules.owner = Some(new);
                changes.push(Change::Rules(name.clone(), rules));
            }
            if rules.allowed.contains(&old) {
                changes.push(Change::Allow(name.clone(), new));
            }
        }
        Ok(changes)
    }
}
