//! The exchange before `hello`, from this side: the parlor learns whether we know its passphrase, we learn whether it does, and
//! neither learns anything else.

use super::connect::Opened;
use super::ending::Break;
use crate::protocol::address::Address;
use crate::protocol::command::Command;
use crate::protocol::event::{Event, Welcome};
use crate::protocol::pake::{Asking, Method, Pake};
use crate::protocol::proof::ProofKey;
use crate::protocol::text::Line;

/// Whether this parlor takes part in one.
pub(super) fn is_offered(welcome: &Welcome) -> bool {
    welcome.auth.pake == Some(Method::Spake2)
}

/// Carries it out. Afterwards the parlor has shown that it knows the passphrase, and was told nothing of us.
///
/// # Errors
/// [`Break::Revealing`] when the parlor does not offer it, [`Break::Impostor`] when it does not know the passphrase,
/// [`Break::Refused`] when we do not.
pub(super) async fn prove(opened: &mut Opened, address: &Address, key: &ProofKey) -> Result<(), Break> {
    if !is_offered(&opened.welcome) {
        return Err(Break::Revealing(address.clone()));
    }
    let (asking, message) = Asking::begin(key, opened.welcome.auth.challenge, opened.binding());
    let Pake::Message(answer) = step(opened, Pake::Message(message)).await? else {
        return Err(no_answer());
    };
    let agreed = asking.finish(&answer).map_err(|_| no_answer())?;
    match step(opened, Pake::Proof(agreed.client_proof())).await? {
        Pake::Proof(proof) if agreed.is_servers(&proof) => Ok(()),
        Pake::Proof(_) => Err(Break::Impostor(address.clone())),
        Pake::Message(_) => Err(no_answer()),
    }
}

/// Says one, and waits for the other side's.
async fn step(opened: &mut Opened, ours: Pake) -> Result<Pake, Break> {
    opened.connection.say(&Command::Pake(ours));
    match opened.connection.event().await? {
        Event::Pake(theirs) => Ok(theirs),
        Event::Error(failure) => Err(Break::Refused(failure)),
        Event::Bye(bye) => Err(Break::Bye(bye)),
        _ => Err(no_answer()),
    }
}

fn no_answer() -> Break {
    Break::Nonsense(Line::lossy("no answer to the proof of the passphrase"))
}
