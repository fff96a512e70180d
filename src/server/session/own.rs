//! What people decide for themselves: which devices are theirs, and whom they do not want to hear.

use crate::protocol::command::{LinkDevice, OfKey, RequestId, SetIgnored};
use crate::protocol::event::{ErrorCode, Event, Failure, Okay, Reason};
use crate::protocol::name::Nick;
use crate::protocol::text::Line;
use crate::server::Context;
use crate::server::hub::SessionId;
use crate::server::registry::{By, PersonId, Registry, Whom};

use super::order::{by, whom};

/// Who somebody with a key is, and what they are called.
fn myself(context: &Context, session: SessionId) -> Result<(PersonId, Nick), Failure> {
    match by(context, session)? {
        By::Person(person, nick) => Ok((person, nick)),
        By::Parlor => Err(Failure::new(ErrorCode::NotAllowed, "that is for people")),
    }
}

pub(super) async fn show_code(
    context: &Context,
    session: SessionId,
    re: Option<RequestId>,
) -> Result<Event, Failure> {
    let (person, _) = myself(context, session)?;
    let shown = context
        .registry
        .change(move |registry, now| registry.start_device(person, now).map_err(|error| error.failure()));
    let code = Some(Line::lossy(&shown.await?.to_string()));
    Ok(Event::Ok(Okay { re, code, ..Okay::default() }))
}

/// The key of this connection is another person's from now on. Whoever it was before is here no more.
pub(super) async fn link(context: &Context, session: SessionId, link: LinkDevice) -> Result<(), Failure> {
    let (before, nick) = myself(context, session)?;
    let key = context.hub.lock().key(session)?;
    let linked = context.registry.change(move |registry, now| {
        registry.link_device(link.code.as_str(), key, &nick, now).map_err(|error| error.failure())
    });
    if linked.await? != before {
        context.hub.lock().end_others(before, session, Reason::Relinked);
    }
    Ok(())
}

pub(super) async fn unlink(context: &Context, session: SessionId, of: OfKey) -> Result<(), Failure> {
    let (person, nick) = myself(context, session)?;
    let unlink = move |registry: &mut Registry, now| {
        registry.remove_device(person, of.key, &nick, now).map_err(|error| error.failure())
    };
    context.registry.change(unlink).await?;
    context.hub.lock().end_key(&of.key, Reason::Relinked);
    Ok(())
}

pub(super) async fn ignore(context: &Context, session: SessionId, set: SetIgnored) -> Result<(), Failure> {
    let (person, _) = myself(context, session)?;
    let SetIgnored { nick, on, .. } = set;
    let whom = match whom(context, &nick) {
        Ok(whom) => whom,
        // A guest who has gone can be heard again.
        Err(_) if !on => Whom::Guest(nick),
        Err(nobody) => return Err(nobody),
    };
    let ignore = move |registry: &mut Registry, _| {
        let done =
            if on { registry.ignore(person, whom).map(|()| true) } else { registry.unignore(person, &whom) };
        done.map_err(|error| error.failure())
    };
    if context.registry.change(ignore).await? {
        Ok(())
    } else {
        Err(Failure::new(ErrorCode::NoSuchPerson, "nobody of that name is ignored"))
    }
}
