//! What becomes of messages: whether somebody may change one, and who has.

use tracing::warn;

use super::reader::speaker;
use crate::protocol::command::{Command, Delete, Edit, OfEntry, React};
use crate::protocol::event::{Earlier, Entry, EntryKind, EntryText, ErrorCode, Event, Failure, Reactions};
use crate::protocol::limits::LIST_ITEMS;
use crate::protocol::name::RoomName;
use crate::protocol::text::Line;
use crate::server::Context;
use crate::server::direct;
use crate::server::hub::SessionId;
use crate::server::log::{Draft, LogError};

/// The entry that a command adds to the log, if it may. What depends on what others do at the same time is decided there.
///
/// # Errors
/// `not_in_room`, `muted`, `no_such_entry`, `no_such_person`, `not_allowed`; when the log cannot be read.
pub(super) async fn draft(context: &Context, session: SessionId, command: Command) -> Result<Draft, Failure> {
    let (kind, id, room, seq, text, off) = match command {
        Command::Edit(Edit { id, room, seq, text }) => {
            (EntryKind::Edited, id, room, seq, EntryText::from(text), false)
        }
        Command::Delete(Delete { id, room, seq }) => {
            (EntryKind::Deleted, id, room, seq, EntryText::default(), false)
        }
        Command::React(React { id, room, seq, emoji, off }) => {
            (EntryKind::Reacted, id, room, seq, Line::lossy(emoji.as_str()).into(), off)
        }
        _ => return Err(Failure::new(ErrorCode::OutOfPlace, "this command changes no message")),
    };
    context.hub.lock().member(session, &room)?;
    let message = message(context, &room, seq).await?;
    // What is deleted nobody needs to read.
    if kind != EntryKind::Deleted {
        direct::check_readers(context, &room)?;
    }
    // Only now is an entry on its way, for which the room must stay.
    let by = speaker(context, session, &room)?;
    let is_own = message.author == Some(by.author);
    match kind {
        EntryKind::Edited if !is_own => {
            return Err(Failure::new(
                ErrorCode::NotAllowed,
                "only who said it can edit it: this message is not yours, or from a former visit as a guest",
            ));
        }
        EntryKind::Deleted if !is_own && !context.registry.lock().keeps(&room, by.who) => {
            return Err(Failure::new(
                ErrorCode::NotAllowed,
                "this message is not yours: ask who said it, the room's owner or an operator to delete it",
            ));
        }
        _ => {}
    }
    Ok(Draft { target: Some(seq), off, ..Draft::new(kind, room, id, by, text) })
}

/// Who reacted to a message.
///
/// # Errors
/// `no_such_entry`; when the log cannot be read.
pub(super) async fn reactions(context: &Context, of: OfEntry) -> Result<Event, Failure> {
    let OfEntry { id: re, room, seq } = of;
    message(context, &room, seq).await?;
    let reactions = context.reader.who_reacted(&room, seq, LIST_ITEMS).await.map_err(unreadable)?;
    Ok(Event::Reactions(Reactions { re, room, seq, reactions }))
}

/// What a message said, from the first text to the one that holds: for who said it, and for those who keep order. Where that
/// is more than a page holds, the oldest texts are missing.
///
/// # Errors
/// `no_such_entry`, `not_allowed`, `deleted`; when the log cannot be read.
pub(super) async fn earlier(context: &Context, session: SessionId, of: OfEntry) -> Result<Event, Failure> {
    let OfEntry { id: re, room, seq } = of;
    let message = message(context, &room, seq).await?;
    let (who, author) = {
        let hub = context.hub.lock();
        (hub.who(session)?.0, hub.author(session)?)
    };
    if message.author != Some(author) && !context.registry.lock().keeps(&room, who) {
        let message = "former texts are for who said it, the room's owner and the operators";
        return Err(Failure::new(ErrorCode::NotAllowed, message));
    }
    let texts = context.reader.versions(&room, seq).await.map_err(unreadable)?;
    let deleted = || Failure::new(ErrorCode::Deleted, "that message was deleted: what it said is gone");
    Ok(Event::Earlier(Earlier { re, room, seq, texts: texts.ok_or_else(deleted)? }))
}

/// A message that everybody in the room may have heard of.
async fn message(context: &Context, room: &RoomName, seq: u64) -> Result<Entry, Failure> {
    let published = context.hub.lock().room(room)?.channel().published();
    let entry = match seq {
        0 => None,
        _ if seq > published => None,
        _ => context.reader.entry(room, seq, None).await.map_err(unreadable)?,
    };
    entry.filter(|entry| entry.kind == EntryKind::Message).ok_or_else(|| {
        let message = format!("there is no message {seq} in {room}: it may have expired");
        Failure::new(ErrorCode::NoSuchEntry, &message)
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it is called by map_err")]
fn unreadable(error: LogError) -> Failure {
    warn!(%error, "a message could not be read");
    Failure::new(ErrorCode::Storage, "the server could not read its log: try again later")
}
