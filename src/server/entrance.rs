//! Who somebody is, and whether they may come in: between `hello` and `ready`.

use std::time::Instant;

use tokio::time::sleep;

use super::Context;
use super::handshake::Peer;
use super::hub::{Entered, Known, Origin};
use super::registry::{PersonId, Registry, RegistryError, Whom};
use crate::protocol::command::Hello;
use crate::protocol::event::{ErrorCode, Failure};
use crate::protocol::name::Nick;
use crate::protocol::proof::{Challenge, Proof, ProofKey};
use crate::protocol::ticket::TicketId;
use crate::protocol::time::Time;
use crate::protocol::words::Role;

/// Somebody whom the door has let through.
#[derive(Debug)]
pub struct Admitted {
    hello: Hello,
    /// The ticket that they came by: it has one use less once they are in.
    ticket: Option<TicketId>,
    /// The server's own proof, of the key that they have shown.
    proof: Option<Proof>,
}

/// Somebody who is in.
#[derive(Debug)]
pub struct Inside {
    /// Their session.
    pub entered: Entered,
    /// They came by a ticket, which may not do again.
    pub by_ticket: bool,
    /// The server's own proof, of the key that they have shown.
    pub proof: Option<Proof>,
    /// Whom they ignore: all their names.
    pub ignored: Vec<Nick>,
}

/// Looks at what `hello` shows: the signature, and the proof of the passphrase or of a ticket, unless the passphrase was
/// `proven` before.
///
/// # Errors
/// `bad_signature`, `passphrase_needed`, `passphrase_wrong`, `no_such_ticket`, `too_many_failures`.
pub async fn admit(
    context: &Context,
    hello: Hello,
    challenge: &Challenge,
    peer: Peer,
    proven: bool,
) -> Result<Admitted, Failure> {
    if hello.identity.is_some_and(|identity| !identity.verify(challenge, peer.binding)) {
        let message = "the signature is not that of this key on this connection";
        return Err(Failure::new(ErrorCode::BadSignature, message));
    }
    if hello.identity.is_none() && !context.guests {
        let message = "this parlor lets in nobody without a key: use a client that has one";
        return Err(Failure::new(ErrorCode::NotAllowed, message));
    }
    if proven || context.door.is_open() {
        return Ok(Admitted { hello, ticket: None, proof: None });
    }
    if hello.proof.is_none() && hello.ticket.is_none() {
        return Err(Failure::new(ErrorCode::PassphraseNeeded, "this parlor has a passphrase"));
    }
    // Who was in before need not wait behind somebody who guesses at the same address.
    let is_known =
        hello.identity.is_some_and(|identity| context.registry.lock().person_of(&identity.key).is_some());
    if !is_known {
        wait_for_turn(context, peer).await?;
    }
    let key = context.door.key().map(|(_, key)| key);
    let opens = |key: &ProofKey, proof| key.verify(challenge, peer.binding, proof);
    if let (Some(key), Some(proof)) = (key, &hello.proof)
        && opens(&key, proof)
    {
        let proof = Some(key.prove_back(challenge, peer.binding));
        return Ok(Admitted { hello, ticket: None, proof });
    }
    if let Some(ticket) = hello.ticket {
        let key = context.registry.lock().ticket_key(&ticket.id, Time::now()).cloned();
        if let Some(key) = key.filter(|key| opens(key, &ticket.proof)) {
            let proof = Some(key.prove_back(challenge, peer.binding));
            return Ok(Admitted { hello, ticket: Some(ticket.id), proof });
        }
    }
    context.door.failed(peer.from, Instant::now());
    Err(match hello.ticket {
        None => wrong_passphrase(),
        Some(_) => {
            let message =
                "this invitation is not valid, or not any more: ask for another, or for the passphrase";
            Failure::new(ErrorCode::NoSuchTicket, message)
        }
    })
}

/// Waits until a proof of this address may be looked at.
///
/// # Errors
/// `too_many_failures`, when that is longer than anyone waits.
pub async fn wait_for_turn(context: &Context, peer: Peer) -> Result<(), Failure> {
    let wait = context.door.wait(peer.from, Instant::now())?;
    // Also no time at all is a moment in which others would come as far as this, before the first has failed.
    if !wait.is_zero() {
        sleep(wait).await;
    }
    Ok(())
}

/// What to say to whoever does not know the passphrase.
pub fn wrong_passphrase() -> Failure {
    Failure::new(ErrorCode::PassphraseWrong, "that is not the passphrase of this parlor")
}

/// Brings somebody in as who they are: unless they are banned, or their name is another's.
///
/// # Errors
/// `banned`, `nick_taken`, `name_owned`, `no_such_ticket`, and what keeps the registry from writing.
pub async fn enter(context: &Context, admitted: Admitted, peer: Peer) -> Result<Inside, Failure> {
    let Admitted { hello: Hello { nick, resume, identity, apart, agent, .. }, ticket, proof } = admitted;
    let known = identity.and_then(|identity| context.registry.lock().person_of(&identity.key));
    if let Some(ban) = context.registry.lock().banned(known, peer.address, Time::now()) {
        return Err(ban.failure());
    }
    let who = match (identity, known) {
        (Some(identity), None) => {
            let identify = move |registry: &mut Registry, now| match registry.identify(identity.key, now) {
                Ok(who) => Ok(Some(who)),
                // With as many people as there may be, and with a full disk, whoever is new is a guest, and not shut
                // out.
                Err(RegistryError::TooMany { .. } | RegistryError::Store(_)) => Ok(None),
                Err(error) => Err(error.failure()),
            };
            context.registry.change(identify).await?
        }
        (_, known) => known,
    };
    // Whoever is here on another device has their name already.
    let has_name = {
        let hub = context.hub.lock();
        let has_name = !apart && who.is_some_and(|who| hub.nick_of(who).is_some());
        let resumes = resume.is_some_and(|token| hub.is_session(&token));
        if !has_name && !resumes {
            hub.is_free(&nick, who)?;
        }
        has_name
    };
    if !has_name {
        claim(context, who, &nick).await?;
    }
    if let Some(ticket) = ticket {
        let used = context.registry.change(move |registry, now| {
            let room = registry.use_ticket(&ticket, now);
            let admitted = room.and_then(|room| match (room, who) {
                (Some(room), Some(who)) => registry.admit(&room, who),
                _ => Ok(()),
            });
            admitted.map_err(|error| error.failure())
        });
        used.await?;
    }
    let known = who.zip(identity).map(|(id, identity)| {
        let role = context.registry.lock().role(id).unwrap_or(Role::Member);
        Known { id, key: identity.key, role }
    });
    let origin = Origin::new(peer.address, &agent, Time::now());
    let entered = context.hub.lock().enter(nick, resume, known, apart, origin)?;
    let ignored = who.map(|who| ignored(context, who)).unwrap_or_default();
    Ok(Inside { entered, by_ticket: ticket.is_some(), proof, ignored })
}

/// Whether a nick may be somebody's; from now on it is, if they have a key.
///
/// # Errors
/// `name_owned`, and what keeps the registry from writing.
pub async fn claim(context: &Context, who: Option<PersonId>, nick: &Nick) -> Result<(), Failure> {
    let Some(who) = who else {
        return match context.registry.lock().owner(nick, Time::now()) {
            None => Ok(()),
            Some(_) => {
                let message = format!("{nick} belongs to somebody who has a key: choose another nick");
                Err(Failure::new(ErrorCode::NameOwned, &message))
            }
        };
    };
    let nick = nick.clone();
    let claim =
        move |registry: &mut Registry, now| registry.claim(who, &nick, now).map_err(|error| error.failure());
    context.registry.change(claim).await
}

fn ignored(context: &Context, who: PersonId) -> Vec<Nick> {
    let registry = context.registry.lock();
    let names = registry.ignored(who).into_iter().flat_map(|whom| match whom {
        Whom::Person(person) => registry.names(person).into_iter().map(|(name, _)| name).collect(),
        Whom::Guest(nick) => vec![nick],
    });
    names.collect()
}
