//! A message, and what becomes of it, as a line. What the screen shows by a colour or a sign is said in words, and behind
//! what was said: whoever listens wants that first.

use crate::client::tui::state::State;
use crate::client::tui::state::changes::Deleted;
use crate::client::tui::state::room::Room;
use crate::client::tui::wrap::{columns, truncate};
use crate::protocol::event::{Entry, EntryKind, Person, Role};

/// Columns of a message where another line is about it.
const QUOTE_COLUMNS: usize = 40;

/// What is set in front of the further lines of a text, which are not said by anybody else.
const SET_IN: &str = "\n  ";

/// A message or a topic as it is now; nothing for other entries, and for what one does not want to hear.
pub(super) fn message(state: &State, room: &Room, entry: &Entry) -> Option<String> {
    if state.is_ignored(&entry.from) {
        return None;
    }
    let from = &entry.from;
    match entry.kind {
        EntryKind::Message => {}
        EntryKind::Topic if entry.text.as_str().is_empty() => {
            return Some(format!("* {from} cleared the topic"));
        }
        EntryKind::Topic => return Some(format!("* {from} set the topic: {}", entry.text.as_str())),
        _ => return None,
    }
    let now = room.now(entry, state.author);
    match now.deleted {
        Some(Deleted::Plainly) => return Some(format!("* a message of {from} was deleted")),
        Some(Deleted::By(nick)) => return Some(format!("* a message of {from} was deleted by {nick}")),
        None => {}
    }
    let named = !state.is_mine(entry) && state.company.names_us(room, &state.me, from, now.text);
    let mut notes = Vec::new();
    if named && entry.action {
        notes.push("names you".to_owned());
    }
    notes.extend(entry.reply_to.map(|seq| format!("answers {}", quote(state, room, seq))));
    notes.extend(now.edited.then(|| "edited".to_owned()));
    notes.extend(now.reactions.iter().map(|reaction| {
        let mine = if reaction.mine { " with yours" } else { "" };
        format!("{} {}{mine}", reaction.emoji, reaction.count)
    }));
    let text = set_in(now.text);
    let mut line = match (entry.action, named) {
        (true, _) => format!("* {from} {text}"),
        (false, true) => format!("{from} names you: {text}"),
        (false, false) => format!("{from}: {text}"),
    };
    if !notes.is_empty() {
        line.push_str(&format!(" ({})", notes.join("; ")));
    }
    Some(line)
}

/// What an entry makes of a message, as it comes. `before`: what that message was until then.
pub(super) fn change(state: &State, room: &Room, entry: &Entry, before: &str) -> Option<String> {
    if state.is_ignored(&entry.from) {
        return None;
    }
    let (from, text) = (&entry.from, entry.text.as_str());
    match entry.kind {
        // What was edited and then deleted is empty: the deletion says more.
        EntryKind::Edited if text.is_empty() => None,
        EntryKind::Edited => Some(format!("* {from} edited: {}", set_in(text))),
        // What was taken back is not said once more.
        EntryKind::Deleted => {
            let author =
                entry.target.and_then(|target| room.scrollback.message(target)).map(|said| &said.from);
            Some(match author {
                Some(author) if author != from => format!("* {from} deleted a message of {author}"),
                _ => format!("* {from} deleted a message"),
            })
        }
        EntryKind::Reacted if entry.off => Some(format!("* {from} took {text} back from {before}")),
        EntryKind::Reacted => Some(format!("* {from} reacted {text} to {before}")),
        EntryKind::Message | EntryKind::Topic | EntryKind::Unknown => None,
    }
}

/// How a message begins, and who said it.
pub(super) fn quote(state: &State, room: &Room, seq: u64) -> String {
    truncate(&state.quote(room, seq), QUOTE_COLUMNS)
}

/// Somebody who is here.
pub(super) fn person(person: &Person) -> String {
    let mut notes = Vec::new();
    match person.role {
        Some(Role::Host) => notes.push("the host".to_owned()),
        Some(Role::Operator) => notes.push("an operator".to_owned()),
        Some(Role::Member) | None => {}
    }
    notes.extend(person.guest.then(|| "a guest".to_owned()));
    notes.extend(person.away.as_ref().map(|why| away(why.as_str())));
    if notes.is_empty() { person.nick.to_string() } else { format!("{} ({})", person.nick, notes.join("; ")) }
}

/// That somebody is away.
pub(super) fn away(why: &str) -> String {
    if why.is_empty() { "away".to_owned() } else { format!("away: {why}") }
}

/// A line in as many as a terminal of `width` columns needs, broken between words. One with a word that does not fit, as
/// an invite, stays whole: the terminal breaks it, and whoever copies it gets one line.
pub(super) fn fold(line: &str, width: usize) -> String {
    let mut folded = String::new();
    for (place, row) in line.split('\n').enumerate() {
        if place > 0 {
            folded.push('\n');
        }
        let room = width.saturating_sub(columns(SET_IN.trim_matches('\n')));
        if columns(row) <= width || row.split(' ').any(|word| columns(word) > room) {
            folded.push_str(row);
            continue;
        }
        let mut used = 0;
        for word in row.split_inclusive(' ') {
            if used > 0 && used + columns(word.trim_end_matches(' ')) > width {
                folded.truncate(folded.trim_end_matches(' ').len());
                folded.push_str(SET_IN);
                used = columns(SET_IN.trim_matches('\n'));
            }
            folded.push_str(word);
            used += columns(word);
        }
    }
    folded
}

/// A text of several lines, of which only the first stands at the edge.
pub(super) fn set_in(text: &str) -> String {
    text.replace('\n', SET_IN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_broken_between_words_and_a_long_word_is_not() {
        assert_eq!(fold("bob: one two three", 12), "bob: one two\n  three");
        assert_eq!(fold("a b\n  cc dd ee ff", 9), "a b\n  cc dd\n  ee ff");
        assert_eq!(fold("join 'parlor://10.0.0.5:7878/#demo'", 12), "join 'parlor://10.0.0.5:7878/#demo'");
        assert_eq!(fold("漢字 漢字 漢字", 10), "漢字 漢字\n  漢字");
        for width in 0..4 {
            assert!(fold("a bc def", width).contains("def"));
        }
    }
}
