//! What keeps order: the commands of those who may, and the answers about people.
//!
//! What is decided is written first, and then done: a connection that outlives its ban for a moment is
//! better than a ban that is gone after a restart.

use std::num::NonZeroU32;
use std::time::Duration;

use super::own;
use crate::protocol::command::{
    Command, InRoom, Judgement, MakeTicket, OfNick, OfTicket, ReadAudit, RequestId, RuleKind, SetRole,
    SetRule,
};
use crate::protocol::event::{
    Audit, Decision, ErrorCode, Event, Failure, Okay, People, Reason, Stats, TicketInfo, Tickets, Whois,
};
use crate::protocol::limits::{KEPT_LONGEST, KEPT_SHORTEST, LIST_ITEMS};
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::text::Line;
use crate::protocol::time::Time;
use crate::protocol::words::Role;
use crate::server::Context;
use crate::server::door::{self, Lock};
use crate::server::hub::SessionId;
use crate::server::metrics::process::Process;
use crate::server::registry::{Banned, By, PersonId, Registry, RegistryError, Rule, Whom};

/// Carries out a command about people and rules, and gives the answer.
///
/// # Errors
/// What the rules, or the registry, say.
pub(super) async fn carry_out(
    context: &Context,
    session: SessionId,
    command: Command,
) -> Result<Event, Failure> {
    let re = command.request_id();
    match command {
        Command::Kick(judgement) => kick(context, session, judgement).await,
        Command::Ban(judgement) => ban(context, session, judgement).await,
        Command::Unban(judgement) => unban(context, session, judgement).await,
        Command::Mute(judgement) => mute(context, session, judgement).await,
        Command::Unmute(judgement) => unmute(context, session, judgement).await,
        Command::Role(set) => set_role(context, session, set).await,
        Command::Rule(set) => set_rule(context, session, set).await,
        Command::Passphrase(_) => return new_passphrase(context, session, re).await,
        Command::Ticket(ticket) => return make_ticket(context, session, ticket).await,
        Command::Tickets(_) => return tickets(context, session, re),
        Command::Revoke(of) => revoke(context, session, of).await,
        Command::Device(_) => return own::show_code(context, session, re).await,
        Command::Link(link) => own::link(context, session, link).await,
        Command::Unlink(of) => own::unlink(context, session, of).await,
        Command::Ignore(set) => own::ignore(context, session, set).await,
        Command::Whois(asked) => return whois(context, session, asked),
        Command::Audit(asked) => return audit(context, session, asked).await,
        Command::Stats(_) => return stats(context, session, re).await,
        _ => Err(Failure::new(ErrorCode::OutOfPlace, "this command is not about people")),
    }?;
    Ok(Event::Ok(Okay { re, ..Okay::default() }))
}

/// Who gives an order. A guest has no say: nobody could tell later who it was.
pub(super) fn by(context: &Context, session: SessionId) -> Result<By, Failure> {
    match context.hub.lock().who(session)? {
        (Some(person), known) => Ok(By::Person(person, known.nick.clone())),
        (None, _) => {
            let message = "you are a guest here: that is for those whom the parlor knows by a key";
            Err(Failure::new(ErrorCode::NotAllowed, message))
        }
    }
}

/// Whom a nick means: who is here under it, and otherwise whose name it is.
pub(super) fn whom(context: &Context, nick: &Nick) -> Result<Whom, Failure> {
    if let Some(whom) = context.hub.lock().whom(nick) {
        return Ok(whom);
    }
    let owner = context.registry.lock().owner(nick, Time::now());
    owner.map(Whom::Person).ok_or_else(|| {
        Failure::new(
            ErrorCode::NoSuchPerson,
            &format!("nobody called {nick} is here, and nobody owns that name"),
        )
    })
}

fn named(judgement: &Judgement) -> Result<&Nick, Failure> {
    let missing =
        || Failure::new(ErrorCode::BadRequest, "an address can be banned, and nothing else: give a nick");
    judgement.nick.as_ref().ok_or_else(missing)
}

fn until(seconds: Option<u64>, now: Time) -> Option<Time> {
    let milliseconds = i64::try_from(seconds?.saturating_mul(1000)).unwrap_or(i64::MAX);
    Some(now.shifted(milliseconds))
}

/// What somebody is told who has to go.
fn farewell(reason: &Line) -> Option<Line> {
    (!reason.is_empty()).then(|| reason.clone())
}

async fn kick(context: &Context, session: SessionId, judgement: Judgement) -> Result<(), Failure> {
    let by = by(context, session)?;
    let nick = named(&judgement)?;
    if judgement.room.is_some() {
        let message =
            "kick is from the parlor and not from a room: leave room out, or make the room invite-only";
        return Err(Failure::new(ErrorCode::BadRequest, message));
    }
    let whom = context
        .hub
        .lock()
        .whom(nick)
        .ok_or_else(|| Failure::new(ErrorCode::NoSuchPerson, &format!("nobody called {nick} is here")))?;
    let (kicked, reason) = (whom.clone(), judgement.reason.clone());
    let kick = move |registry: &mut Registry, now| {
        registry.kick(&by, &kicked, None, &reason, now).map_err(|error| error.failure())
    };
    context.registry.change(kick).await?;
    context.hub.lock().end_all(&whom, Reason::Kicked, farewell(&judgement.reason).as_ref());
    Ok(())
}

async fn ban(context: &Context, session: SessionId, judgement: Judgement) -> Result<(), Failure> {
    let by = by(context, session)?;
    let subject = subject(context, &judgement)?;
    let Judgement { reason, seconds, .. } = judgement;
    let (told, banned) = (farewell(&reason), subject.clone());
    let ban = move |registry: &mut Registry, now| {
        let until = until(seconds, now);
        registry.ban(&by, banned, reason, until, now).map_err(|error| error.failure())
    };
    context.registry.change(ban).await?;
    match subject {
        Banned::Person(person) => {
            context.hub.lock().end_all(&Whom::Person(person), Reason::Banned, told.as_ref());
        }
        Banned::Address(address) => {
            context.hub.lock().end_from(address, Reason::Banned, told.as_ref());
        }
    }
    Ok(())
}

async fn unban(context: &Context, session: SessionId, judgement: Judgement) -> Result<(), Failure> {
    let by = by(context, session)?;
    let subject = subject(context, &judgement)?;
    let unban = move |registry: &mut Registry, now| {
        registry.unban(&by, subject, now).map_err(|error| error.failure())
    };
    if context.registry.change(unban).await? {
        Ok(())
    } else {
        Err(Failure::new(ErrorCode::NoSuchPerson, "nobody of that name, or from there, is banned"))
    }
}

fn subject(context: &Context, judgement: &Judgement) -> Result<Banned, Failure> {
    if let Some(address) = judgement.address {
        return Ok(Banned::Address(address));
    }
    let nick = named(judgement)?;
    match whom(context, nick)? {
        Whom::Person(person) => Ok(Banned::Person(person)),
        Whom::Guest(_) => {
            let message =
                format!("{nick} is a guest, whom nothing but an address keeps out: see /whois {nick}");
            Err(Failure::new(ErrorCode::NoSuchPerson, &message))
        }
    }
}

async fn mute(context: &Context, session: SessionId, judgement: Judgement) -> Result<(), Failure> {
    let by = by(context, session)?;
    if judgement.room.as_ref().is_some_and(RoomName::is_direct) {
        let message = "nobody keeps order in a room for some alone: ignore them, or mute them everywhere";
        return Err(Failure::new(ErrorCode::NotAllowed, message));
    }
    let whom = whom(context, named(&judgement)?)?;
    let Judgement { room, reason, seconds, .. } = judgement;
    let mute = move |registry: &mut Registry, now| {
        let until = until(seconds, now);
        registry.mute(&by, whom, room, reason, until, now).map_err(|error| error.failure())
    };
    context.registry.change(mute).await
}

async fn unmute(context: &Context, session: SessionId, judgement: Judgement) -> Result<(), Failure> {
    let by = by(context, session)?;
    let nick = named(&judgement)?;
    // A guest who has gone may be muted still.
    let whom = whom(context, nick).unwrap_or_else(|_| Whom::Guest(nick.clone()));
    let room = judgement.room;
    let unmute = move |registry: &mut Registry, now| {
        registry.unmute(&by, &whom, room.as_ref(), now).map_err(|error| error.failure())
    };
    if context.registry.change(unmute).await? {
        Ok(())
    } else {
        Err(Failure::new(ErrorCode::NoSuchPerson, "nobody of that name is muted there"))
    }
}

/// The person that a nick means, who must have a key.
pub(super) fn person(context: &Context, nick: &Nick) -> Result<PersonId, Failure> {
    match whom(context, nick)? {
        Whom::Person(person) => Ok(person),
        Whom::Guest(_) => {
            let message = format!("{nick} is a guest, whom nobody could tell from another later");
            Err(Failure::new(ErrorCode::NoSuchPerson, &message))
        }
    }
}

async fn set_role(context: &Context, session: SessionId, set: SetRole) -> Result<(), Failure> {
    let by = by(context, session)?;
    let person = person(context, &set.nick)?;
    let role = set.role;
    let change = move |registry: &mut Registry, now| {
        registry.set_role(&by, person, role, now).map_err(|error| error.failure())
    };
    context.registry.change(change).await?;
    context.hub.lock().set_role(person, role);
    Ok(())
}

async fn set_rule(context: &Context, session: SessionId, set: SetRule) -> Result<(), Failure> {
    let by = by(context, session)?;
    let SetRule { room, rule, on, nick, words, seconds, .. } = set;
    if room.is_direct() {
        let message = "a room for some alone has no rules: nobody else comes in";
        return Err(Failure::new(ErrorCode::NotAllowed, message));
    }
    context.hub.lock().room(&room)?;
    let rule = match rule {
        RuleKind::TopicLocked => Rule::TopicLocked(on),
        RuleKind::Private => Rule::Private(on),
        RuleKind::InviteOnly => Rule::InviteOnly(on),
        RuleKind::Allowed => {
            let missing = || Failure::new(ErrorCode::BadRequest, "rule: nick is missing");
            let person = person(context, &nick.ok_or_else(missing)?)?;
            if on { Rule::Allow(person) } else { Rule::Disallow(person) }
        }
        RuleKind::Passphrase if on => {
            let missing = || Failure::new(ErrorCode::BadRequest, "rule: words is missing");
            let words = words.ok_or_else(missing)?;
            let lock = tokio::task::spawn_blocking(move || Lock::new(&words)).await;
            let lock = lock.ok().and_then(Result::ok).ok_or(RegistryError::NoRandomness);
            let lock = lock.map_err(|error| error.failure())?;
            Rule::Key(Some((lock.salt, lock.key)))
        }
        RuleKind::Passphrase => Rule::Key(None),
        RuleKind::Retention if on => Rule::Retention(Some(kept(seconds)?)),
        RuleKind::Retention => Rule::Retention(None),
    };
    let is_retention = matches!(rule, Rule::Retention(_));
    let change = move |registry: &mut Registry, now| {
        registry.rule(&by, &room, rule, now).map_err(|error| error.failure())
    };
    context.registry.change(change).await?;
    if is_retention {
        context.retention.changed();
    }
    Ok(())
}

/// For how long what is said is kept.
fn kept(seconds: Option<u64>) -> Result<Duration, Failure> {
    let kept = seconds.map(Duration::from_secs);
    kept.filter(|kept| (KEPT_SHORTEST..=KEPT_LONGEST).contains(kept)).ok_or_else(|| {
        let (shortest, longest) = (KEPT_SHORTEST.as_secs(), KEPT_LONGEST.as_secs());
        let message = format!("rule: for retention give seconds, from {shortest} to {longest}");
        Failure::new(ErrorCode::BadRequest, &message)
    })
}

/// Makes new words. Those who are in stay; whoever comes back needs the new ones.
async fn new_passphrase(
    context: &Context,
    session: SessionId,
    re: Option<RequestId>,
) -> Result<Event, Failure> {
    let by = by(context, session)?;
    let Some(file) = context.door.words_file() else {
        let message =
            "this passphrase was given when the parlor was started, or there is none: change it there";
        return Err(Failure::new(ErrorCode::NotAllowed, message));
    };
    let file = file.to_owned();
    // Whether one may is asked first: the words must not change for one who may not.
    let asker = by.clone();
    let may = context.registry.change(move |registry, now| {
        registry.set_door(&asker, registry.door().cloned(), now).map_err(|error| error.failure())
    });
    may.await?;
    // A tenth of a second or so, for which nobody else may wait.
    let made = tokio::task::spawn_blocking(move || {
        let words = door::make_words(&file)?;
        let lock = Lock::new(&words)?;
        Ok::<_, door::DoorError>((words, lock))
    });
    let made = made.await.ok().and_then(Result::ok);
    let (words, lock) = made.ok_or_else(|| RegistryError::NoRandomness.failure())?;
    let new = Some(lock.clone());
    let set = context
        .registry
        .change(move |registry, now| registry.set_door(&by, new, now).map_err(|error| error.failure()));
    set.await?;
    context.door.change(Some(lock));
    Ok(Event::Ok(Okay { re, words: Some(Line::lossy(words.reveal())), ..Okay::default() }))
}

async fn make_ticket(context: &Context, session: SessionId, make: MakeTicket) -> Result<Event, Failure> {
    let by = by(context, session)?;
    let MakeTicket { id: re, uses, seconds, room } = make;
    if room.as_ref().is_some_and(RoomName::is_direct) {
        let message = "nobody can be invited into a room for some alone: make one with them, by direct";
        return Err(Failure::new(ErrorCode::NotAllowed, message));
    }
    let made = context.registry.change(move |registry, now| {
        let until = until(seconds, now);
        registry.make_ticket(&by, uses, until, room, now).map_err(|error| error.failure())
    });
    let ticket = Some(made.await?);
    Ok(Event::Ok(Okay { re, ticket, ..Okay::default() }))
}

fn tickets(context: &Context, session: SessionId, re: Option<RequestId>) -> Result<Event, Failure> {
    let by = by(context, session)?;
    let registry = context.registry.lock();
    let tickets = registry.tickets(&by, Time::now()).map_err(|error| error.failure())?;
    let tickets = tickets.into_iter().take(LIST_ITEMS).map(|ticket| TicketInfo {
        ticket: ticket.id,
        by: Line::lossy(&ticket.by.to_string()),
        at: ticket.at,
        uses: ticket.uses.map(NonZeroU32::get),
        until: ticket.until,
        room: ticket.room.clone(),
    });
    Ok(Event::Tickets(Tickets { re, tickets: tickets.collect() }))
}

async fn revoke(context: &Context, session: SessionId, of: OfTicket) -> Result<(), Failure> {
    let by = by(context, session)?;
    let revoke = move |registry: &mut Registry, now| {
        registry.revoke(&by, &of.ticket, now).map_err(|error| error.failure())
    };
    context.registry.change(revoke).await
}

/// Whether one may know from where others are here: an operator, or the host. Whoever is one no longer may not any more,
/// so this is asked each time.
fn keeps_order(context: &Context, session: SessionId) -> Result<bool, Failure> {
    let who = context.hub.lock().who(session)?.0;
    let registry = context.registry.lock();
    Ok(who.and_then(|who| registry.role(who)).is_some_and(|role| role >= Role::Operator))
}

/// Who is in a room that one may look into; for those who keep order also from where.
pub(super) fn who(context: &Context, session: SessionId, asked: InRoom) -> Result<Event, Failure> {
    let InRoom { id: re, room } = asked;
    let keeps_order = keeps_order(context, session)?;
    let hub = context.hub.lock();
    let known = hub.room(&room)?;
    let (here, people) = (known.here(), known.people());
    let sessions = if keeps_order { hub.connections_in(&room) } else { Vec::new() };
    Ok(Event::People(People { re, room, here, people, sessions }))
}

fn whois(context: &Context, session: SessionId, asked: OfNick) -> Result<Event, Failure> {
    let whom = whom(context, &asked.nick)?;
    let keeps_order = keeps_order(context, session)?;
    let registry = context.registry.lock();
    let (nick, away, addresses, sessions) = {
        let hub = context.hub.lock();
        let (addresses, sessions) = match keeps_order {
            true => (hub.addresses(&whom), hub.connections_of(&whom)),
            false => (Vec::new(), Vec::new()),
        };
        (hub.nick_of_whom(&whom).cloned(), hub.away_of_whom(&whom).cloned(), addresses, sessions)
    };
    let here = nick.is_some();
    let (guest, role, keys, names) = match &whom {
        Whom::Guest(_) => (true, None, Vec::new(), Vec::new()),
        Whom::Person(person) => {
            let role = registry.role(*person).filter(|role| *role > Role::Member);
            let names = registry.names(*person).into_iter().map(|(name, _)| name);
            (false, role, registry.devices(*person), names.collect())
        }
    };
    let nick = nick.unwrap_or(asked.nick);
    let names = names.into_iter().filter(|name| *name != nick).collect();
    Ok(Event::Whois(Whois { re: asked.id, nick, here, guest, role, away, keys, names, addresses, sessions }))
}

async fn audit(context: &Context, session: SessionId, asked: ReadAudit) -> Result<Event, Failure> {
    let by = by(context, session)?;
    let limit = usize::try_from(asked.limit).unwrap_or(usize::MAX);
    let read = context
        .registry
        .change(move |registry, _| registry.audit(&by, asked.before, limit).map_err(|error| error.failure()));
    let decisions = read.await?.into_iter().map(|entry| Decision {
        number: entry.number,
        at: entry.at,
        by: Line::lossy(&entry.by.to_string()),
        act: Line::lossy(entry.deed.as_str()),
        subject: entry.subject,
        particulars: entry.particulars,
    });
    Ok(Event::Audit(Audit { re: asked.id, decisions: decisions.collect() }))
}

async fn stats(context: &Context, session: SessionId, re: Option<RequestId>) -> Result<Event, Failure> {
    let by = by(context, session)?;
    context.registry.lock().may_see_stats(&by).map_err(|error| error.failure())?;
    // Files are read, if only those of the system.
    let process = tokio::task::spawn_blocking(Process::read).await.unwrap_or_default();
    Ok(Event::Stats(Box::new(Stats { re, ..context.stats(process) })))
}
