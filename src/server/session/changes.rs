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
use crate::server::log::{Draft, LogError, StoreError};

/// The entry that a command adds to the log, if it may. What depends on what others do at the same time is decided there,
/// and so is whether it was stored before: then it does not matter that it may not be stored any more.
///
/// # Errors
/// `not_in_room`, `muted`, `no_such_entry`, `no_such_person`; when the log cannot be read.
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
    if !is_published(context, &room, seq)? {
        return Err(no_such(&room, seq));
    }
    let message = find(context, &room, seq).await?;
    // What is deleted nobody needs to read.
    if kind != EntryKind::Deleted {
        direct::check_readers(context, &room)?;
    }
    // Only now is an entry on its way, for which the room must stay.
    let by = speaker(context, session, &room)?;
    let is_own = message.map(|message| message.author == Some(by.author));
    let refusal = match (kind, is_own) {
        (_, None) => Some(StoreError::NoSuchEntry),
        (EntryKind::Edited, Some(false)) => Some(StoreError::EditsOthers),
        (EntryKind::Deleted, Some(false)) if !context.registry.lock().keeps(&room, by.who) => {
            Some(StoreError::DeletesOthers)
        }
        _ => None,
    };
    Ok(Draft { target: Some(seq), off, refusal, ..Draft::new(kind, room, id, by, text) })
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
    let message = if is_published(context, room, seq)? { find(context, room, seq).await? } else { None };
    message.ok_or_else(|| no_such(room, seq))
}

/// Whether everybody in the room may have heard of an entry, which may have expired since.
fn is_published(context: &Context, room: &RoomName, seq: u64) -> Result<bool, Failure> {
    let published = context.hub.lock().room(room)?.channel().published();
    Ok((1..=published).contains(&seq))
}

/// A message that is there.
async fn find(context: &Context, room: &RoomName, seq: u64) -> Result<Option<Entry>, Failure> {
    let entry = context.reader.entry(room, seq, None).await.map_err(unreadable)?;
    Ok(entry.filter(|entry| entry.kind == EntryKind::Message))
}

fn no_such(room: &RoomName, seq: u64) -> Failure {
    let message = format!("there is no message {seq} in {room}: it may have expired");
    Failure::new(ErrorCode::NoSuchEntry, &message)
}

#[expect(clippy::needless_pass_by_value, reason = "it is called by map_err")]
fn unreadable(error: LogError) -> Failure {
    warn!(%error, "a message could not be read");
    Failure::new(ErrorCode::Storage, "the server could not read its log: try again later")
}
