//! Looking for messages: in the rooms that one is in, or in one that one may look into.

use std::time::Instant;

use tracing::warn;

use crate::protocol::command::{Place, Search};
use crate::protocol::event::{Entry, EntryKind, ErrorCode, Failure, Found, Hit};
use crate::protocol::limits::{PAGE_BYTES, SEARCH_BURST, SEARCH_HITS, SEARCH_TIME, SEARCHES_PER_SECOND};
use crate::protocol::mention;
use crate::protocol::name::Nick;
use crate::protocol::query::{self, Phrase, Terms};
use crate::server::Context;
use crate::server::config::Limits;
use crate::server::hub::SessionId;
use crate::server::search::{Match, Wanted, Words};
use crate::server::throttle::Throttle;

/// Entries around a message among which the messages beside it are looked for.
const AROUND: u64 = 11;

/// How often the index is asked for one page, when some of what it finds is not shown; not again after [`SEARCH_TIME`].
const ROUNDS: usize = 5;

/// How fast one connection may search.
pub(super) fn throttle(limits: &Limits, now: Instant) -> Throttle {
    // Whoever lifts the rate of the commands measures, or is alone.
    let per_second = if limits.commands_per_second > 0.0 { SEARCHES_PER_SECOND } else { 0.0 };
    Throttle::new(SEARCH_BURST, per_second, now)
}

/// Carries out a search of one who may look into `search.room`, if there is one.
pub(super) async fn carry_out(
    context: &Context,
    session: SessionId,
    search: Search,
) -> Result<Found, Failure> {
    let (nick, author, rooms) = {
        let hub = context.hub.lock();
        if let Some(room) = &search.room {
            hub.room(room)?;
        }
        let (nick, author, rooms) = hub.seeker(session)?;
        (nick.clone(), author, search.room.clone().map_or(rooms, |room| vec![room]))
    };
    let terms = query::parse(search.text.as_str());
    check(&search, &terms)?;
    let behind = context.search.behind(&rooms);
    let limit = u32::try_from(search.limit.clamp(1, SEARCH_HITS)).unwrap_or(1);
    let mut wanted = Wanted {
        words: words(&search, &terms, &nick),
        rooms,
        nick: search.nick.clone(),
        not_by: search.mentions.then_some(author),
        has: search.has.clone(),
        since: search.since,
        until: search.until,
        before: search.before,
        limit: limit + 1,
    };
    let is_wanted = |entry: &Entry| !search.mentions || is_mention(entry.text.as_str(), &nick, &terms);
    let (mut hits, mut bytes) = (Vec::new(), 0);
    let began = Instant::now();
    for round in 0..ROUNDS {
        if round > 0 && began.elapsed() >= SEARCH_TIME {
            break;
        }
        let matches = context.search.find(wanted.clone()).await.map_err(|error| error.failure())?;
        // One more than fits was asked for, to see whether there is any.
        let is_all = matches.len() < wanted.limit as usize;
        let mut left = matches.iter();
        for found in left.by_ref() {
            let hit = hit(context, found, author).await.filter(|hit| is_wanted(&hit.entry));
            wanted.before = Some(found.number);
            bytes += hit.as_ref().map_or(0, size);
            hits.extend(hit);
            if hits.len() >= limit as usize || bytes >= PAGE_BYTES {
                break;
            }
        }
        let is_end = is_all && left.len() == 0;
        if is_end || hits.len() >= limit as usize || bytes >= PAGE_BYTES {
            let more = wanted.before.filter(|_| !is_end);
            return Ok(Found { re: search.id, hits, more, behind });
        }
    }
    Ok(Found { re: search.id, hits, more: wanted.before, behind })
}

/// Whether there is anything to look for.
fn check(search: &Search, terms: &Terms) -> Result<(), Failure> {
    let is_narrowed = search.nick.is_some()
        || search.since.is_some()
        || search.until.is_some()
        || search.mentions
        || !search.has.is_empty();
    let message = match (search.text.is_empty(), terms.is_empty()) {
        (false, true) => "there is no word in what you look for: give letters, digits or an emoji",
        (true, true) if !is_narrowed => "say what you look for: a word, who said it, when, or what is in it",
        _ => return Ok(()),
    };
    Err(Failure::new(ErrorCode::BadRequest, message))
}

fn words(search: &Search, terms: &Terms, nick: &Nick) -> Words {
    let phrases = terms.phrases().iter().cloned();
    if search.mentions {
        Words::Any(phrases.chain(Phrase::exactly(nick.as_str())).collect())
    } else {
        Words::All(phrases.collect())
    }
}

/// Whether a text that says a nick means it: `bob.js` is somebody else.
fn is_mention(text: &str, nick: &Nick, terms: &Terms) -> bool {
    mention::find(text, nick.as_str()).is_some() || terms.is_any_in(text)
}

/// What was found, as it is now, with what stands beside it; nothing, if it is not there any more.
async fn hit(context: &Context, found: &Match, author: u64) -> Option<Hit> {
    let page = match context.reader.page(&found.room, Place::Around(found.seq), AROUND, Some(author)).await {
        Ok(page) => page,
        Err(error) => {
            warn!(%error, room = %found.room, seq = found.seq, "what was found could not be read");
            return None;
        }
    };
    let published = context.hub.lock().room(&found.room).ok()?.channel().published();
    let mut shown = page.into_iter().filter(|entry| is_shown(entry) && entry.seq <= published).peekable();
    let mut before = None;
    while let Some(entry) = shown.next_if(|entry| entry.seq < found.seq) {
        before = Some(entry);
    }
    let entry = shown.next_if(|entry| entry.seq == found.seq)?;
    Some(Hit { entry, before, after: shown.next() })
}

fn is_shown(entry: &Entry) -> bool {
    let is_deleted = entry.now.as_ref().is_some_and(|now| now.deleted);
    entry.kind == EntryKind::Message && !is_deleted && !entry.text.as_str().is_empty()
}

/// Bytes of text in a hit. As JSON it may have twice as many, which still fits into a frame.
fn size(hit: &Hit) -> usize {
    let all = [Some(&hit.entry), hit.before.as_ref(), hit.after.as_ref()];
    all.into_iter().flatten().map(|entry| entry.text.as_str().len()).sum()
}
