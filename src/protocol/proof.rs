//! How a client shows that it knows the passphrase, and whose key it holds, without giving away either.
//!
//! Both answers cover a challenge, so that they are worth nothing a second time, and the server's
//! certificate (`tls-server-end-point`, RFC 5929), so that they are worth nothing elsewhere: whoever stands between
//! the two with a certificate of their own gets an answer for that one.
//!
//! - key = scrypt(passphrase, salt; RFC 7914), proof = HMAC-SHA256(key, challenge ‖ binding)
//! - the server's own proof = HMAC-SHA256(key, `parlor server 1` ‖ challenge ‖ binding)
//! - signature = Ed25519(`parlor identity 1` ‖ challenge ‖ binding; RFC 8032)

use std::fmt;
use std::str::FromStr;

use ring::signature::KeyPair as _;
use ring::{digest, hmac, signature};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

use super::hex::Hex;
use super::limits::{PASSPHRASE_BYTES, PASSPHRASE_SHORTEST};

/// What a server asks, new for each connection.
pub type Challenge = Hex<32>;
/// What makes the same passphrase another key on another server.
pub type Salt = Hex<16>;
/// The answer about the passphrase.
pub type Proof = Hex<32>;
/// An Ed25519 public key: who somebody is.
pub type PublicKey = Hex<32>;
/// An Ed25519 signature.
pub type Signature = Hex<64>;

/// What the server proves begins with this, so that it cannot give back what a client has said.
const SERVER_CONTEXT: &[u8] = b"parlor server 1";

/// What is signed begins with this, so that no other use of the key can be mistaken for it.
const IDENTITY_CONTEXT: &[u8] = b"parlor identity 1";

/// The SHA-256 of a certificate in DER.
pub type Fingerprint = Hex<32>;

/// The fingerprint of a certificate.
pub fn fingerprint(certificate: &[u8]) -> Fingerprint {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, certificate).as_ref());
    Hex(bytes)
}

/// What a proof is bound to: the certificate of the connection, or nothing where there is no TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding([u8; 32]);

impl Binding {
    /// Without TLS: 32 zero bytes.
    pub const NONE: Self = Self([0; 32]);
}

impl AsRef<[u8]> for Binding {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Fingerprint> for Binding {
    fn from(fingerprint: Fingerprint) -> Self {
        Self(fingerprint.0)
    }
}

/// The words that open a parlor.
///
/// They are spoken and typed by people, so white space or dashes between the words and the case of letters make no
/// difference: normalised to NFC, in lower case, the words joined by `-`.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(String);

/// No passphrase.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PassphraseError {
    /// Too short to keep anyone out.
    #[error("a passphrase has at least {PASSPHRASE_SHORTEST} characters: several words are best")]
    TooShort,
    /// Too long.
    #[error("a passphrase has at most {PASSPHRASE_BYTES} bytes")]
    TooLong,
}

impl Passphrase {
    /// The words as typed.
    ///
    /// # Errors
    /// Shorter than [`PASSPHRASE_SHORTEST`] characters, longer than [`PASSPHRASE_BYTES`] bytes.
    pub fn new(typed: &str) -> Result<Self, PassphraseError> {
        // What is read must not depend on how much of it there is; the limit proper is below.
        if typed.len() > 4 * PASSPHRASE_BYTES {
            return Err(PassphraseError::TooLong);
        }
        let lower: String = typed.nfc().flat_map(char::to_lowercase).nfc().collect();
        let between = |c: char| c.is_whitespace() || c == '-';
        let words: Vec<&str> = lower.split(between).filter(|word| !word.is_empty()).collect();
        let words = words.join("-");
        if words.chars().count() < PASSPHRASE_SHORTEST {
            return Err(PassphraseError::TooShort);
        }
        if words.len() > PASSPHRASE_BYTES {
            return Err(PassphraseError::TooLong);
        }
        Ok(Self(words))
    }

    /// The words, joined by `-`. To be shown to those who may know them, and to nobody else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Passphrase {
    type Err = PassphraseError;

    fn from_str(typed: &str) -> Result<Self, PassphraseError> {
        Self::new(typed)
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// What scrypt shall cost: the parameters of RFC 7914.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Work and memory: a power of two.
    pub n: u32,
    /// The block size.
    pub r: u32,
    /// How often.
    pub p: u32,
}

impl Cost {
    /// What this program asks for: 32 MiB and a tenth of a second, once for each passphrase that one tries. Of four words
    /// out of 7,776 there are 2^51.
    pub const USUAL: Self = Self { n: 1 << 15, r: 8, p: 1 };

    /// Whether a client should answer a server that asks for this. Not for more than 128 MiB, and not for less than
    /// 16: whoever is not the server that we take it for would try words with the answer, and should have to work for it.
    pub fn is_fair(self) -> bool {
        let memory = 128 * u64::from(self.n) * u64::from(self.r);
        self.n.is_power_of_two()
            && (8..=16).contains(&self.r)
            && (1..=4).contains(&self.p)
            && (16 << 20..=128 << 20).contains(&memory)
    }
}

/// No key is made with this cost.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("this parlor asks for a proof that no client should give: the passphrase was not used")]
pub struct Unfair;

/// What a passphrase becomes: all that a server keeps of it to verify, and a client to be let in again.
#[derive(Clone, PartialEq, Eq)]
pub struct ProofKey([u8; 32]);

impl ProofKey {
    /// Derives it. Takes a tenth of a second or so: not on a thread of the runtime.
    ///
    /// # Errors
    /// When `cost` is out of bounds; see [`Cost::is_fair`].
    pub fn derive(passphrase: &Passphrase, salt: &Salt, cost: Cost) -> Result<Self, Unfair> {
        if !cost.is_fair() {
            return Err(Unfair);
        }
        let log_n = u8::try_from(cost.n.trailing_zeros()).map_err(|_| Unfair)?;
        let params = scrypt::Params::new(log_n, cost.r, cost.p).map_err(|_| Unfair)?;
        let mut key = [0; 32];
        scrypt::scrypt(passphrase.0.as_bytes(), &salt.0, &params, &mut key).map_err(|_| Unfair)?;
        Ok(Self(key))
    }

    /// A key that was kept.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// To be kept.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether both are the same. Takes the same time for every one that is not.
    pub fn is_same(&self, other: &Self) -> bool {
        let challenge = Hex([0; 32]);
        other.verify(&challenge, Binding::NONE, &self.prove(&challenge, Binding::NONE))
    }

    /// The answer to a challenge.
    pub fn prove(&self, challenge: &Challenge, binding: Binding) -> Proof {
        let mut context = hmac::Context::with_key(&self.hmac());
        context.update(&challenge.0);
        context.update(&binding.0);
        let mut proof = [0; 32];
        proof.copy_from_slice(context.sign().as_ref());
        Hex(proof)
    }

    /// Whether an answer is right. Takes the same time for every wrong one.
    pub fn verify(&self, challenge: &Challenge, binding: Binding, proof: &Proof) -> bool {
        let asked = [challenge.0, binding.0].concat();
        hmac::verify(&self.hmac(), &asked, &proof.0).is_ok()
    }

    /// The server's answer: that it knows the key as well.
    pub fn prove_back(&self, challenge: &Challenge, binding: Binding) -> Proof {
        let mut context = hmac::Context::with_key(&self.hmac());
        [SERVER_CONTEXT, &challenge.0, &binding.0].iter().for_each(|part| context.update(part));
        let mut proof = [0; 32];
        proof.copy_from_slice(context.sign().as_ref());
        Hex(proof)
    }

    /// Whether the server's answer is right.
    pub fn verify_back(&self, challenge: &Challenge, binding: Binding, proof: &Proof) -> bool {
        let asked = [SERVER_CONTEXT, &challenge.0, &binding.0].concat();
        hmac::verify(&self.hmac(), &asked, &proof.0).is_ok()
    }

    fn hmac(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.0)
    }
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProofKey(…)")
    }
}

/// A key of one's own: who one is.
pub struct KeyPair(signature::Ed25519KeyPair);

impl KeyPair {
    /// The pair of a secret seed. `None` never happens for a seed of this length, and is not assumed to.
    pub fn from_seed(seed: &[u8; 32]) -> Option<Self> {
        signature::Ed25519KeyPair::from_seed_unchecked(seed).ok().map(Self)
    }

    /// The half that others may know.
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        Hex(bytes)
    }

    /// The answer to a challenge.
    pub fn sign(&self, challenge: &Challenge, binding: Binding) -> Signature {
        let mut bytes = [0; 64];
        bytes.copy_from_slice(self.0.sign(&signed(challenge, binding)).as_ref());
        Hex(bytes)
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({})", self.public())
    }
}

/// Who somebody says to be, and the signature that shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Who.
    pub key: PublicKey,
    /// Of the challenge and the binding.
    pub signature: Signature,
}

impl Identity {
    /// Whether it is shown.
    pub fn verify(&self, challenge: &Challenge, binding: Binding) -> bool {
        let key = signature::UnparsedPublicKey::new(&signature::ED25519, &self.key.0);
        key.verify(&signed(challenge, binding), &self.signature.0).is_ok()
    }
}

fn signed(challenge: &Challenge, binding: Binding) -> Vec<u8> {
    [IDENTITY_CONTEXT, &challenge.0, &binding.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What RFC 7914, RFC 2104 and RFC 8032 make of these, computed with Python's hashlib and hmac.
    #[test]
    fn a_stranger_computes_the_same_proof() {
        let passphrase = Passphrase::new("amber-otter-river-stone").unwrap();
        let salt = Hex(std::array::from_fn(|n| u8::try_from(n).unwrap()));
        let key = ProofKey::derive(&passphrase, &salt, Cost::USUAL).unwrap();
        assert_eq!(
            Hex(key.0).to_string(),
            "a62573743194d6963d5408b04722a31e465fcbd43080c65b4ff66baba639ea6d"
        );
        let proof = key.prove(&Hex([7; 32]), Binding([9; 32]));
        assert_eq!(proof.to_string(), "926106fa07fe1c652d0dd9417d42198a661592d0eb7d9885739c26bced22c133");
    }

    #[test]
    fn a_proof_is_for_one_challenge_and_one_certificate() {
        let key = ProofKey([1; 32]);
        let (challenge, binding) = (Hex([2; 32]), Binding([3; 32]));
        let proof = key.prove(&challenge, binding);
        assert!(key.verify(&challenge, binding, &proof));
        assert!(!key.verify(&Hex([4; 32]), binding, &proof));
        assert!(!key.verify(&challenge, Binding::NONE, &proof));
        assert!(key.is_same(&ProofKey([1; 32])) && !key.is_same(&ProofKey([0; 32])));
        assert!(!ProofKey([0; 32]).verify(&challenge, binding, &proof));
        let back = key.prove_back(&challenge, binding);
        assert!(key.verify_back(&challenge, binding, &back) && !key.verify(&challenge, binding, &back));
        assert!(!key.verify_back(&challenge, binding, &proof), "what was said is no answer");
        assert!(!key.verify_back(&challenge, Binding::NONE, &back));
    }

    #[test]
    fn a_signature_is_for_one_challenge_and_one_certificate() {
        let pair = KeyPair::from_seed(&[5; 32]).unwrap();
        let (challenge, binding) = (Hex([2; 32]), Binding([3; 32]));
        let identity = Identity { key: pair.public(), signature: pair.sign(&challenge, binding) };
        assert!(identity.verify(&challenge, binding));
        assert!(!identity.verify(&Hex([4; 32]), binding));
        assert!(!identity.verify(&challenge, Binding::NONE));
        let other = KeyPair::from_seed(&[6; 32]).unwrap().public();
        assert!(!Identity { key: other, ..identity }.verify(&challenge, binding));
    }

    #[test]
    fn words_are_the_same_however_they_are_typed() {
        let words = Passphrase::new("amber-otter-river-stone").unwrap();
        for typed in ["Amber Otter\u{3000}River  stone\n", " amber--otter -river- stone-"] {
            assert_eq!(Passphrase::new(typed).unwrap(), words, "{typed:?}");
        }
        assert_eq!(Passphrase::new("E\u{301}COLE normale").unwrap().reveal(), "école-normale");
        assert_eq!(Passphrase::new("a - b - c"), Err(PassphraseError::TooShort));
        assert_eq!(Passphrase::new(&"x".repeat(PASSPHRASE_BYTES + 1)), Err(PassphraseError::TooLong));
        // Some letters are longer in lower case: what was accepted is accepted again.
        assert_eq!(Passphrase::new(&"\u{23a}".repeat(PASSPHRASE_BYTES / 2)), Err(PassphraseError::TooLong));
        let longest = Passphrase::new(&"\u{23a}".repeat(PASSPHRASE_BYTES / 3)).unwrap();
        assert_eq!(Passphrase::new(longest.reveal()), Ok(longest));
        assert!(!format!("{words:?}").contains("otter"));
    }

    #[test]
    fn neither_a_hostile_cost_nor_a_cheap_one_is_accepted() {
        for (n, r, p) in [(1 << 20, 8, 1), (3, 8, 1), (0, 8, 1), (1, 8, 1), (1 << 15, 0, 1), (1 << 15, 8, 9)]
        {
            assert!(!Cost { n, r, p }.is_fair(), "{n} {r} {p}");
        }
        assert!(Cost::USUAL.is_fair());
    }
}
