//! Changing what was said: answers, edits, deletions, reactions, and what there is to know about a message.

use crossterm::event::{KeyCode, KeyEvent};

use super::saying::written;
use super::{Effect, State, choosing, copying};
use crate::client::tui::keymap::{self, Action, Key};
use crate::client::tui::state::changes::Now;
use crate::client::tui::state::wishes::{Composing, Wish, Wished};
use crate::client::tui::state::{About, Connection, Overlay, Question};
use crate::protocol::command::{Command, Delete, Edit, OfEntry, React, RequestId};
use crate::protocol::emoji::{self, Emoji};
use crate::protocol::event::{Earlier, Entry, Reactions};
use crate::protocol::text::{Text, TextError};

/// Emoji that are offered while a name is typed.
const OFFERED: usize = 20;

/// The message that is meant where none is named: the chosen one, or the latest for which `wanted` holds.
pub(super) fn meant(state: &State, wanted: impl Fn(&Entry) -> bool) -> Option<u64> {
    let room = state.room()?;
    room.chosen.or_else(|| room.latest(state.author, |entry| !state.is_ignored(&entry.from) && wanted(entry)))
}

/// Whether we wrote it.
pub(super) fn is_own(state: &State, entry: &Entry) -> bool {
    entry.author == Some(state.author)
}

/// What the message `seq` is, unless it cannot be changed any more.
fn standing(state: &State, seq: u64) -> Result<(&Entry, Now<'_>), String> {
    if let Connection::Ended { why } = &state.connection {
        return Err(format!("{why}: nothing can be changed any more, Ctrl-C leaves"));
    }
    let room = state.room().ok_or("you are in no room: /join #lobby enters one")?;
    room.standing(seq, state.author).ok_or_else(|| "that message was deleted, or is not here".to_owned())
}

/// What is written from now on answers the message `seq`.
pub(super) fn begin_answer(state: &mut State, seq: u64) -> Result<(), String> {
    standing(state, seq)?;
    stop_composing(state);
    if let Some(room) = state.room_mut() {
        room.composing = Some(Composing::Answer(seq));
        room.stop_choosing();
    }
    Ok(())
}

/// The message `seq` comes into the input, to be changed.
pub(super) fn begin_edit(state: &mut State, seq: u64) -> Result<(), String> {
    let (entry, now) = standing(state, seq)?;
    if !is_own(state, entry) {
        return Err(format!("{} wrote that: only your own messages can be edited", entry.from));
    }
    // What begins with a slash would be a command.
    let text = if now.text.starts_with('/') { format!("/{}", now.text) } else { now.text.to_owned() };
    stop_composing(state);
    let draft = state.composer_mut().take();
    state.composer_mut().set(&text);
    if let Some(room) = state.room_mut() {
        room.composing = Some(Composing::Edit { seq, draft });
        room.stop_choosing();
    }
    Ok(())
}

/// The input is simply said again, and what was being written before an edit is back. Says whether it was
/// anything else.
pub(super) fn stop_composing(state: &mut State) -> bool {
    let composing = state.room_mut().and_then(|room| room.composing.take());
    if let Some(Composing::Edit { draft, .. }) = &composing {
        // Thrown away by mistake, it is one key away.
        written(state);
        state.composer_mut().set(draft);
    }
    composing.is_some()
}

/// The message `seq` shall say `text`.
pub(super) fn edit(state: &mut State, seq: u64, text: &str, effects: &mut Vec<Effect>) -> Result<(), String> {
    let max = state.text_bytes();
    let text =
        if text.len() > max { Err(TextError::TooLong { bytes: text.len(), max }) } else { Text::new(text) };
    let text = text.map_err(|error| error.to_string())?;
    let (entry, now) = standing(state, seq)?;
    if !is_own(state, entry) {
        return Err(format!("{} wrote that: only your own messages can be edited", entry.from));
    }
    if now.text == text.as_str() {
        return Ok(());
    }
    wish(state, seq, Wished::Edit(text), effects);
    Ok(())
}

/// Asks whether to take the message `seq` back, if it is ours or we keep order.
pub(super) fn ask_to_delete_if_allowed(state: &mut State, seq: u64) -> Result<(), String> {
    let (entry, _) = standing(state, seq)?;
    if !is_own(state, entry) && !state.keep_order() {
        return Err(format!(
            "{} wrote that: only operators and the room's owner delete it. If the room is yours: /delete",
            entry.from
        ));
    }
    ask_to_delete(state, seq)
}

/// Asks whether to take the message `seq` back, whosever it is.
pub(super) fn ask_to_delete(state: &mut State, seq: u64) -> Result<(), String> {
    standing(state, seq)?;
    state.question = Some(Question::Delete(seq));
    Ok(())
}

/// Asks by what to react to the message `seq`.
pub(super) fn ask_for_emoji(state: &mut State, seq: u64) -> Result<(), String> {
    standing(state, seq)?;
    state.question = Some(Question::React { seq, wanted: String::new(), chosen: 0 });
    Ok(())
}

/// Reacts to the message `seq`; once more by the same takes it back.
pub(super) fn react(
    state: &mut State,
    seq: u64,
    emoji: Emoji,
    effects: &mut Vec<Effect>,
) -> Result<(), String> {
    let (_, now) = standing(state, seq)?;
    let on = !now.reactions.iter().any(|reaction| reaction.mine && reaction.emoji == emoji);
    if on {
        state.favourites.count(&emoji);
    }
    wish(state, seq, Wished::React(emoji, on), effects);
    Ok(())
}

/// Something shall become of the message `target`: shown at once, and sent.
fn wish(state: &mut State, target: u64, what: Wished, effects: &mut Vec<Effect>) {
    let id = state.message_id();
    let Some(room) = state.room_mut() else { return };
    let (name, seq) = (room.name.clone(), target);
    let command = match &what {
        Wished::Edit(text) => Command::Edit(Edit { id, room: name, seq, text: text.clone() }),
        Wished::Delete => Command::Delete(Delete { id, room: name, seq }),
        Wished::React(emoji, on) => {
            Command::React(React { id, room: name, seq, emoji: emoji.clone(), off: !on })
        }
    };
    room.wishes.push(Wish { id, target, what });
    effects.push(Effect::Submit(command));
}

/// Asks who reacted to the message `seq`, and what it said before.
pub(super) fn ask_about(state: &mut State, seq: u64, effects: &mut Vec<Effect>) -> Result<(), String> {
    let (_, now) = standing(state, seq)?;
    if state.connection != Connection::Online {
        return Err("there is no connection: who reacted can be asked when it is back".to_owned());
    }
    let edited = now.edited;
    let Some(room) = state.room() else { return Ok(()) };
    let (quote, name) = (state.quote(room, seq), room.name.clone());
    let asked = state.request_id();
    let about = OfEntry { id: Some(asked.clone()), room: name.clone(), seq };
    effects.push(Effect::Submit(Command::Reactions(about)));
    let asked_earlier = edited.then(|| state.request_id());
    if let Some(id) = asked_earlier.clone() {
        effects.push(Effect::Submit(Command::Earlier(OfEntry { id: Some(id), room: name, seq })));
    }
    let about = About { quote, asked, reactions: None, asked_earlier, earlier: None, top: 0 };
    state.overlay = Some(Overlay::About(about));
    Ok(())
}

/// Who reacted.
pub(super) fn told_reactions(state: &mut State, answer: Reactions) {
    if let Some(Overlay::About(about)) = &mut state.overlay
        && Some(&about.asked) == answer.re.as_ref()
    {
        about.reactions = Some(answer);
    }
}

/// What it said before.
pub(super) fn told_earlier(state: &mut State, answer: Earlier) {
    if let Some(Overlay::About(about)) = &mut state.overlay
        && about.asked_earlier == answer.re
    {
        about.earlier = Some(answer);
    }
}

/// The question was refused. Says whether that needs no further word: what a message said before is not for everyone.
pub(super) fn not_told(state: &mut State, re: Option<&RequestId>) -> bool {
    let Some(Overlay::About(about)) = &mut state.overlay else { return false };
    let is_it = re.is_some() && about.asked_earlier.as_ref() == re;
    if is_it {
        about.asked_earlier = None;
    }
    is_it
}

/// What the server refused to make so is shown as it was. Says whether it was that.
pub(super) fn refused(state: &mut State, re: &RequestId, why: &str) -> bool {
    for room in &mut state.rooms {
        let Some(place) = room.wishes.iter().position(|wish| RequestId::from(wish.id) == *re) else {
            continue;
        };
        let (what, back) = match room.wishes.remove(place).what {
            Wished::Edit(text) => ("not changed", Some(text)),
            Wished::Delete => ("not deleted", None),
            Wished::React(..) => ("no reaction", None),
        };
        if let Some(text) = back {
            // One key away, as what was said is.
            state.remember(text.as_str());
        }
        state.complain(format!("{what}: {why}"));
        return true;
    }
    false
}

/// Copies what the message `seq` says.
pub(super) fn copy(state: &mut State, seq: u64, effects: &mut Vec<Effect>) -> Result<(), String> {
    let (_, now) = standing(state, seq)?;
    let text = now.text.to_owned();
    let sent = match text.chars().count() {
        1 => "1 character".to_owned(),
        many => format!("{many} characters"),
    };
    let told = format!("sent to the terminal, to be copied: {sent}; some terminals take none");
    copying::copy(state, text, told, effects);
    Ok(())
}

/// What may be meant by what was typed: with its name, the likeliest first.
pub(crate) fn fitting(wanted: &str) -> Vec<(&'static str, Emoji)> {
    let stem = wanted.trim().trim_matches(':').to_lowercase();
    if stem.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<(&str, Emoji)> = Vec::new();
    if let Ok(emoji) = Emoji::typed(wanted.trim()) {
        found.push(("", emoji));
    }
    let named = emoji::beginning(&stem).into_iter();
    for (name, emoji) in named.filter_map(|(name, emoji)| Some((name, Emoji::new(emoji).ok()?))) {
        if let Some((known, _)) = found.iter_mut().find(|(_, known)| *known == emoji) {
            if known.is_empty() {
                *known = name;
            }
        } else if found.len() < OFFERED {
            found.push((name, emoji));
        }
    }
    found
}

/// A key while it is asked whether to delete.
pub(super) fn answer_delete(state: &mut State, seq: u64, key: &KeyEvent, effects: &mut Vec<Effect>) {
    let action = state.keymap().action(Key::of(key));
    if key.code == KeyCode::Enter && key.modifiers.is_empty() {
        match standing(state, seq) {
            Ok(_) => wish(state, seq, Wished::Delete, effects),
            Err(sentence) => state.complain(sentence),
        }
        choosing::done_with(state);
    } else if !matches!(action, Some(Action::Close | Action::Interrupt)) {
        state.question = Some(Question::Delete(seq));
    }
}

/// A key while it is asked by what to react.
pub(super) fn answer_react(
    state: &mut State,
    (seq, mut wanted, mut chosen): (u64, String, usize),
    key: &KeyEvent,
    effects: &mut Vec<Effect>,
) {
    let many = fitting(&wanted).len().max(1);
    match (state.keymap().action(Key::of(key)), keymap::character(key)) {
        (Some(Action::Close | Action::Interrupt), _) => return,
        _ if key.code == KeyCode::Enter && key.modifiers.is_empty() && !wanted.trim().is_empty() => {
            if let Some((_, emoji)) = fitting(&wanted).into_iter().nth(chosen) {
                react_or_complain(state, seq, emoji, effects);
                return;
            }
            state.complain(format!("there is no emoji called {wanted}: type another name, as tada"));
        }
        (Some(Action::Complete | Action::Down), _) => chosen = (chosen + 1) % many,
        (Some(Action::CompleteBack | Action::Up), _) => chosen = (chosen + many - 1) % many,
        (Some(Action::Delete(_)), _) => {
            wanted.pop();
            chosen = 0;
        }
        (None, Some(c)) => {
            let offered = c.to_digit(10).and_then(|digit| usize::try_from(digit).ok()?.checked_sub(1));
            let emoji = offered.and_then(|place| state.favourites.offered().into_iter().nth(place));
            if let (true, Some(emoji)) = (wanted.is_empty(), emoji) {
                react_or_complain(state, seq, emoji, effects);
                return;
            }
            wanted.push(c);
            chosen = 0;
        }
        _ => {}
    }
    state.question = Some(Question::React { seq, wanted, chosen });
}

fn react_or_complain(state: &mut State, seq: u64, emoji: Emoji, effects: &mut Vec<Effect>) {
    match react(state, seq, emoji, effects) {
        Ok(()) => choosing::done_with(state),
        Err(sentence) => state.complain(sentence),
    }
}
