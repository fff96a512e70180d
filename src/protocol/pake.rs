//! How a client and a server find out whether both know the passphrase, and tell nothing else: SPAKE2.
//!
//! A [`proof`](super::proof) is a function of the passphrase, so whoever is given one can try words against it at home, as
//! fast as they can pay for scrypt. What goes over the wire here is not: each side's message is a random element of a group,
//! and says nothing about the key to whoever does not know it. From both messages and the key each side makes a session key;
//! these are the same if the two know the same passphrase, saw the same certificate and mean the same connection. Then each
//! shows that it has it, the client first. So whoever does not know the words can try one guess for each attempt, whichever
//! side they are, and has nothing to try another one against.
//!
//! ```text
//! C>S  pake message     X = x·B + w·M
//! S>C  pake message     Y = y·B + w·N
//! C>S  pake proof       HMAC-SHA256(session key, challenge ‖ binding)
//! S>C  pake proof       HMAC-SHA256(session key, `parlor server 1` ‖ challenge ‖ binding)
//! ```
//!
//! - w is made of the passphrase's key ([`ProofKey`]), so a server that verifies does not need the words.
//! - The group, the points M and N, the encoding and the hash are those of python-spake2 (`SPAKE2_A`, `SPAKE2_B`, with the
//!   parameters `Ed25519`). The identities are ours: they hold challenge and binding.

use serde::{Deserialize, Serialize};
use spake2::{Ed25519Group, Identity, Password, Spake2};
use thiserror::Error;

use super::hex::Hex;
use super::proof::{Binding, Challenge, Proof, ProofKey};

/// A side's message: `A` for the client or `B` for the server, and a compressed point of Ed25519.
pub type PakeMessage = Hex<33>;

/// The client's identity begins with this.
const CLIENT_CONTEXT: &[u8] = b"parlor pake client 1";
/// The server's identity begins with this.
const SERVER_CONTEXT: &[u8] = b"parlor pake server 1";

/// Which exchange a server offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// As described above.
    Spake2,
    /// One that this client does not know.
    #[serde(other)]
    Unknown,
}

/// A step of the exchange. Each side takes both, the message first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub enum Pake {
    /// From which, with the other side's and the passphrase's key, the session key is made.
    Message(PakeMessage),
    /// That one has the session key.
    Proof(Proof),
}

/// A step as it is written: exactly one of the two is there.
#[derive(Serialize, Deserialize)]
struct Fields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<PakeMessage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proof: Option<Proof>,
}

/// Neither a message nor a proof, or both.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("give one of message and proof")]
pub struct NotOne;

impl Pake {
    /// The step that is made of one of these fields.
    ///
    /// # Errors
    /// When neither is there, or both.
    pub fn of(message: Option<PakeMessage>, proof: Option<Proof>) -> Result<Self, NotOne> {
        match (message, proof) {
            (Some(message), None) => Ok(Self::Message(message)),
            (None, Some(proof)) => Ok(Self::Proof(proof)),
            _ => Err(NotOne),
        }
    }
}

impl TryFrom<Fields> for Pake {
    type Error = NotOne;

    fn try_from(fields: Fields) -> Result<Self, NotOne> {
        Self::of(fields.message, fields.proof)
    }
}

impl From<Pake> for Fields {
    fn from(step: Pake) -> Self {
        match step {
            Pake::Message(message) => Self { message: Some(message), proof: None },
            Pake::Proof(proof) => Self { message: None, proof: Some(proof) },
        }
    }
}

/// What was said is no message of the other side: the exchange is over.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("that is no message of this exchange: it is not of the other side, or no point of the curve")]
pub struct BadMessage;

/// What both sides share after the exchange, if they know the same. It proves as the passphrase's key does, and is worth
/// nothing on another connection.
#[derive(Debug)]
pub struct Agreed {
    key: ProofKey,
    challenge: Challenge,
    binding: Binding,
}

impl Agreed {
    fn new(key: &[u8], challenge: Challenge, binding: Binding) -> Result<Self, BadMessage> {
        // SHA-256 has 32 bytes.
        let key = <[u8; 32]>::try_from(key).map_err(|_| BadMessage)?;
        Ok(Self { key: ProofKey::from_bytes(key), challenge, binding })
    }

    /// What the client shows.
    pub fn client_proof(&self) -> Proof {
        self.key.prove(&self.challenge, self.binding)
    }

    /// What the server shows, once the client has.
    pub fn server_proof(&self) -> Proof {
        self.key.prove_back(&self.challenge, self.binding)
    }

    /// Whether the client's is right. Takes the same time for every wrong one.
    pub fn is_clients(&self, proof: &Proof) -> bool {
        self.key.verify(&self.challenge, self.binding, proof)
    }

    /// Whether the server's is right. Takes the same time for every wrong one.
    pub fn is_servers(&self, proof: &Proof) -> bool {
        self.key.verify_back(&self.challenge, self.binding, proof)
    }
}

/// The client's side, between the two messages.
pub struct Asking {
    state: Spake2<Ed25519Group>,
    challenge: Challenge,
    binding: Binding,
}

impl Asking {
    /// Begins an exchange on the connection with this challenge and binding; says what to tell the server. Takes less than a
    /// tenth of a millisecond.
    pub fn begin(key: &ProofKey, challenge: Challenge, binding: Binding) -> (Self, PakeMessage) {
        let (client, server) = identities(&challenge, binding);
        let (state, message) = Spake2::start_a(&Password::new(key.as_bytes()), &client, &server);
        (Self { state, challenge, binding }, sized(&message))
    }

    /// Takes the server's message, in less than a tenth of a millisecond.
    ///
    /// # Errors
    /// When it is no message.
    pub fn finish(self, answer: &PakeMessage) -> Result<Agreed, BadMessage> {
        let key = self.state.finish(answer.as_ref()).map_err(|_| BadMessage)?;
        Agreed::new(&key, self.challenge, self.binding)
    }
}

/// The server's side: takes the client's message, and says what to answer. Takes a seventh of a millisecond.
///
/// # Errors
/// When it is no message.
pub fn answer(
    key: &ProofKey,
    challenge: Challenge,
    binding: Binding,
    message: &PakeMessage,
) -> Result<(Agreed, PakeMessage), BadMessage> {
    let (client, server) = identities(&challenge, binding);
    let (state, answer) = Spake2::start_b(&Password::new(key.as_bytes()), &client, &server);
    let agreed = finished(state, message, challenge, binding)?;
    Ok((agreed, sized(&answer)))
}

fn finished(
    state: Spake2<Ed25519Group>,
    message: &PakeMessage,
    challenge: Challenge,
    binding: Binding,
) -> Result<Agreed, BadMessage> {
    let key = state.finish(message.as_ref()).map_err(|_| BadMessage)?;
    Agreed::new(&key, challenge, binding)
}

/// Both are in what the session key is made of: so it is for this connection, and for two who saw the same certificate.
fn identities(challenge: &Challenge, binding: Binding) -> (Identity, Identity) {
    let identity = |context: &[u8]| Identity::new(&[context, &challenge.0, binding.as_ref()].concat());
    (identity(CLIENT_CONTEXT), identity(SERVER_CONTEXT))
}

/// The library's messages have 33 bytes each.
fn sized(message: &[u8]) -> PakeMessage {
    let mut bytes = [0; 33];
    bytes.iter_mut().zip(message).for_each(|(byte, said)| *byte = *said);
    Hex(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::{CryptoRng, RngCore};

    /// Gives the same byte for ever: for messages that can be compared with what others compute.
    struct Same(u8);

    impl RngCore for Same {
        fn next_u32(&mut self) -> u32 {
            u32::from_ne_bytes([self.0; 4])
        }

        fn next_u64(&mut self) -> u64 {
            u64::from_ne_bytes([self.0; 8])
        }

        fn fill_bytes(&mut self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
            self.fill_bytes(bytes);
            Ok(())
        }
    }

    impl CryptoRng for Same {}

    const CHALLENGE: Challenge = Hex([7; 32]);

    fn binding(byte: u8) -> Binding {
        Binding::from(Hex([byte; 32]))
    }

    fn key(byte: u8) -> ProofKey {
        ProofKey::from_bytes([byte; 32])
    }

    /// Both sides of an exchange, each with its key, challenge and binding.
    fn exchange(client: (u8, u8, u8), server: (u8, u8, u8)) -> (Agreed, Agreed) {
        let (asking, message) = Asking::begin(&key(client.0), Hex([client.1; 32]), binding(client.2));
        let (servers, message) =
            answer(&key(server.0), Hex([server.1; 32]), binding(server.2), &message).unwrap();
        (asking.finish(&message).unwrap(), servers)
    }

    /// What python-spake2 0.9 makes of the key of `amber-otter-river-stone` in `proof.rs`, with x and y 64 times
    /// the bytes 11 and 12, modulo the order of the group.
    #[test]
    fn a_stranger_computes_the_same_exchange() {
        let key: Hex<32> =
            "a62573743194d6963d5408b04722a31e465fcbd43080c65b4ff66baba639ea6d".parse().unwrap();
        let password = Password::new(key);
        let (client, server) = identities(&CHALLENGE, binding(9));
        let (a, from_a) = Spake2::start_a_with_rng(&password, &client, &server, Same(11));
        let (b, from_b) = Spake2::start_b_with_rng(&password, &client, &server, Same(12));
        let (from_a, from_b) = (sized(&from_a), sized(&from_b));
        assert_eq!(from_a.to_string(), "419feb919a47ccfdb887619bc6091d5a97575519530b75b8973fa5d0bae9af8a81");
        assert_eq!(from_b.to_string(), "4207fe0c3007f27302b0dba26a8781ac7c1f6029d6328867de74291cb4822ec4af");
        let clients = finished(a, &from_b, CHALLENGE, binding(9)).unwrap();
        let servers = finished(b, &from_a, CHALLENGE, binding(9)).unwrap();
        assert_eq!(
            Hex(*clients.key.as_bytes()).to_string(),
            "1fbb3836817c41bfefa7101acc8ced68f81a4a62c2ddfe60f2d0ab77747de610"
        );
        let (clients, servers) = (clients.client_proof().to_string(), servers.server_proof().to_string());
        assert_eq!(clients, "27bc9373fda00ebe40b6c9772f432f9cfe91ad0704c09ae4ddd439829787d9a8");
        assert_eq!(servers, "d57977d5e799980fac21a172132d42fec40380c13243595a6e39b1932812868e");
    }

    #[test]
    fn who_knows_the_same_agrees_and_nobody_else() {
        let (client, server) = exchange((1, 2, 3), (1, 2, 3));
        assert!(server.is_clients(&client.client_proof()) && client.is_servers(&server.server_proof()));
        assert!(!client.is_servers(&client.client_proof()), "what was said is no answer");
        // Another key, another connection, another certificate.
        for other in [(9, 2, 3), (1, 9, 3), (1, 2, 9)] {
            let (client, server) = exchange((1, 2, 3), other);
            assert!(!server.is_clients(&client.client_proof()), "{other:?}");
            assert!(!client.is_servers(&server.server_proof()), "{other:?}");
        }
        // The same again is another exchange.
        let (again, _) = exchange((1, 2, 3), (1, 2, 3));
        assert!(!server.is_clients(&again.client_proof()));
    }

    #[test]
    fn what_is_no_message_of_the_other_side_is_refused() {
        let (_, clients) = Asking::begin(&key(1), CHALLENGE, binding(3));
        let (_, servers) = answer(&key(1), CHALLENGE, binding(3), &clients).unwrap();
        // A client's own, with the letter of the other side; y = 2, which is no point of the curve; nothing at all.
        let mut no_point = [0; 33];
        no_point[..2].copy_from_slice(&[b'A', 2]);
        for bad in [servers, Hex(no_point), Hex([0; 33]), Hex([255; 33])] {
            assert!(answer(&key(1), CHALLENGE, binding(3), &bad).is_err(), "{bad}");
        }
        no_point[0] = b'B';
        for bad in [clients, Hex(no_point)] {
            let (asking, _) = Asking::begin(&key(1), CHALLENGE, binding(3));
            assert!(asking.finish(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_step_has_one_of_the_two() {
        let step = Pake::Proof(Hex([7; 32]));
        let json = serde_json::to_value(step).unwrap();
        assert_eq!(json, serde_json::json!({"proof": Hex([7; 32]).to_string()}));
        assert_eq!(serde_json::from_value::<Pake>(json).unwrap(), step);
        assert!(serde_json::from_str::<Pake>("{}").is_err());
        assert!(serde_json::from_str::<Pake>(r#"{"later":1,"message":null}"#).is_err());
    }
}
