//! Tab: names by who spoke last, rooms, commands, emoji. What a word could become is offered while it is typed, and Tab or
//! the arrows go through it.

use std::ops::Range;

use super::{State, fitting, setting};
use crate::client::tui::keymap::Action;
use crate::client::tui::settings::Popup;
use crate::client::tui::slash::{self, Completes};
use crate::client::tui::state::completion::{Candidate, Completion, emoji, is_in_code, matching, word};
use crate::client::tui::{view, wrap};
use crate::protocol::event::{Person, Role};
use crate::protocol::name::Nick;

/// Candidates that are gone through, at most: whoever wants another one types another letter.
const OFFERED: usize = 100;

/// A key while something may be completed. Says whether that was all.
pub(super) fn press(state: &mut State, action: Option<Action>) -> bool {
    // Whatever else has changed the input meanwhile, the word is not there any more.
    if state.completion.as_ref().is_some_and(|completion| !completion.is_of(state.composer().text())) {
        state.completion = None;
    }
    match action {
        Some(Action::Complete) => complete(state, 1),
        Some(Action::CompleteBack) => complete(state, -1),
        Some(Action::Down) if takes_arrows(state) => go_by_arrow(state, 1),
        Some(Action::Up) if takes_arrows(state) => go_by_arrow(state, -1),
        Some(Action::Close) => return close(state),
        Some(Action::Send) => return state.completion.take().is_some_and(|completion| completion.by_arrows),
        _ => return false,
    }
    true
}

/// Offers what the word at the cursor could become, if it begins like something that is worth it.
pub(super) fn offer(state: &mut State) {
    if state.completion.as_ref().is_some_and(|completion| completion.chosen.is_some()) {
        return;
    }
    state.completion = None;
    if state.composer().is_empty() {
        state.unwanted = None;
    }
    let wanted = state.company.settings.completion_popup == Popup::Auto
        && state.question.is_none()
        && state.overlay.is_none()
        && !state.input_history.is_browsing();
    if !wanted {
        return;
    }
    let (text, cursor) = (state.composer().text(), state.composer().cursor());
    let Some((range, candidates)) = begun(state, text, cursor) else { return };
    let stem = text.get(range.clone()).unwrap_or_default();
    // What stands there already needs no offer.
    let is_there = matches!(candidates.as_slice(), [only] if only.written.trim_end() == stem);
    if candidates.is_empty() || is_there || state.unwanted == Some(range.start) {
        return;
    }
    state.completion = Some(Completion::offered(text, range, candidates));
}

/// What is begun at the cursor with a sign that says what it shall be, and what it could become.
fn begun(state: &State, text: &str, cursor: usize) -> Option<(Range<usize>, Vec<Candidate>)> {
    if text.get(cursor..)?.starts_with(|c: char| !c.is_whitespace()) {
        return None;
    }
    if let Some(found) = emoji(text, cursor) {
        return Some(found);
    }
    let range = word(text, cursor);
    let stem = text.get(range.clone())?;
    let is_command = text.starts_with('/') && !text.starts_with("//");
    let behind_command = is_command && range.start > 0 && {
        let command =
            text.get(1..range.start).and_then(|before| slash::command(&before.trim_end().to_lowercase()));
        command.is_some_and(|entry| matches!(entry.completes, Completes::Words(_)))
    };
    let begins = match stem.chars().next() {
        Some('/') if range.start == 0 => is_command,
        Some('@' | '#') => stem.chars().nth(1).is_some() && !is_in_code(text.get(..range.start)?),
        _ => false,
    };
    (begins || behind_command).then(|| (range.clone(), offers(state, text, &range)))
}

/// Completes the word at the cursor; again: the next candidate in the direction of `step`.
fn complete(state: &mut State, step: isize) {
    let mut completion = match state.completion.take() {
        Some(under_way) => under_way,
        None => {
            if state.composer().cursor() > 0 && correct(state) {
                return;
            }
            let composer = state.composer();
            let (text, cursor) = (composer.text(), composer.cursor());
            let (range, candidates) = emoji(text, cursor).unwrap_or_else(|| {
                let range = word(text, cursor);
                (range.clone(), offers(state, text, &range))
            });
            Completion::offered(text, range, candidates)
        }
    };
    let many = completion.candidates.len();
    if many == 0 {
        return;
    }
    let chosen = match completion.chosen {
        Some(chosen) => (chosen + many).saturating_add_signed(step) % many,
        None if step < 0 => many - 1,
        None => 0,
    };
    let Some(candidate) = completion.candidates.get(chosen) else { return };
    let mut written = candidate.written.clone();
    // In the middle of a line the space is there already.
    let behind = state.composer().text().get(completion.range.end..).unwrap_or_default();
    if behind.starts_with(char::is_whitespace) {
        written.truncate(written.trim_end().len());
    }
    state.composer_mut().replace(completion.range.clone(), &written);
    completion.range.end = completion.range.start + written.len();
    completion.now = written;
    completion.chosen = Some(chosen);
    state.completion = (many > 1).then_some(completion);
}

/// Puts the command that was meant in the place of one that there is none of. Says whether it did.
fn correct(state: &mut State) -> bool {
    let text = state.composer().text();
    let Some(line) = text.strip_prefix('/').filter(|line| !line.starts_with('/')) else { return false };
    let typed = line.split(char::is_whitespace).next().unwrap_or_default();
    let end = 1 + typed.len();
    let typed = typed.to_lowercase();
    let begins_one = || slash::commands().any(|entry| entry.name.starts_with(&typed));
    if slash::command(&typed).is_some() || (state.composer().cursor() <= end && begins_one()) {
        return false;
    }
    let Some(name) = slash::nearest(&typed) else { return false };
    let (cursor, behind) = (state.composer().cursor(), text.len() - end);
    let space = if behind == 0 { " " } else { "" };
    let composer = state.composer_mut();
    composer.replace(0..end, &format!("/{name}{space}"));
    if cursor > end {
        composer.go_to(cursor - end + 1 + name.len());
    }
    state.notice = None;
    true
}

/// Whether the arrows go through what is offered: one has gone there, or there is no other row in the input to go to.
fn takes_arrows(state: &State) -> bool {
    let Some(completion) = &state.completion else { return false };
    let text = state.composer().text();
    completion.chosen.is_some() || wrap::edit_rows(text, view::composer_width(state)).len() == 1
}

fn go_by_arrow(state: &mut State, step: isize) {
    complete(state, step);
    if let Some(completion) = &mut state.completion {
        completion.by_arrows = true;
    }
}

/// Takes the list away. What was typed is there again. Says whether there was one.
fn close(state: &mut State) -> bool {
    let Some(completion) = state.completion.take() else { return false };
    if completion.chosen.is_some() {
        state.composer_mut().replace(completion.range.clone(), &completion.typed);
    }
    state.unwanted = Some(completion.range.start);
    true
}

/// What the word in `range` could become, with what there is to know about each.
fn offers(state: &State, text: &str, range: &Range<usize>) -> Vec<Candidate> {
    let stem = text.get(range.clone()).unwrap_or_default();
    let mut candidates = candidates(state, text, range.start, stem);
    candidates.truncate(OFFERED);
    for candidate in &mut candidates {
        candidate.about = about(state, candidate.shown.as_str());
    }
    candidates
}

/// What there is to know about what a list shows: a command, a room, somebody.
fn about(state: &State, shown: &str) -> String {
    if let Some(command) = shown.strip_prefix('/').and_then(slash::command) {
        return format!("{}  {}", command.arguments, command.help).trim_start().to_owned();
    }
    if shown.starts_with('#') {
        let info = state.listed.iter().find(|info| info.room.as_str() == shown);
        let room = state.rooms.iter().find(|room| room.name.as_str() == shown);
        let here =
            room.map(|room| room.people.here()).filter(|here| *here > 0).or(info.map(|info| info.here));
        let topic = room.map(|room| &room.topic).filter(|topic| !topic.is_empty());
        let topic = topic.or(info.map(|info| &info.topic)).map(ToString::to_string).unwrap_or_default();
        return here.map_or(topic.clone(), |here| format!("{here} here  {topic}")).trim_end().to_owned();
    }
    let known = Nick::new(shown).ok().and_then(|nick| {
        let rooms = state.room().into_iter().chain(&state.rooms);
        rooms.into_iter().find_map(|room| room.people.get(&nick))
    });
    known.map(about_person).unwrap_or_default()
}

fn about_person(person: &Person) -> String {
    let who = match (person.guest, person.role) {
        (true, _) => "guest",
        (false, Some(Role::Host)) => "host",
        (false, Some(Role::Operator)) => "operator",
        (false, Some(Role::Member) | None) => "",
    };
    let away = match &person.away {
        None => String::new(),
        Some(why) if why.is_empty() => "away".to_owned(),
        Some(why) => format!("away: {why}"),
    };
    let both = [who, &away].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    both.join(", ")
}

fn candidates(state: &State, text: &str, start: usize, stem: &str) -> Vec<Candidate> {
    let candidate =
        |shown: &str, written: String| Candidate { shown: shown.to_owned(), written, about: String::new() };
    if let Some(stem) = stem.strip_prefix('/').filter(|_| start == 0) {
        let names = commands(stem).into_iter();
        return names.map(|name| candidate(&format!("/{name}"), format!("/{name} "))).collect();
    }
    let (first, rest) = text[..start].split_once(char::is_whitespace).unwrap_or((&text[..start], ""));
    let first = first.strip_prefix('/').and_then(slash::command);
    if first.is_some_and(|entry| entry.completes == Completes::Settings) {
        return setting::candidates(state, rest, stem);
    }
    // The word right behind a command.
    let command = text[..start].trim_end().strip_prefix('/').and_then(slash::command);
    if let Some(Completes::Words(words)) = command.map(|entry| entry.completes) {
        let words = matching(words.iter().copied(), stem);
        return words.into_iter().map(|word| candidate(word, format!("{word} "))).collect();
    }
    if command.is_some_and(|entry| entry.completes == Completes::Themes) {
        let names = matching(state.themes.names(), stem).into_iter();
        return names.map(|name| candidate(name, name.to_owned())).collect();
    }
    let people = command.is_some_and(|entry| entry.completes == Completes::People);
    let people =
        people || (stem.starts_with('@') && command.is_some_and(|entry| entry.completes == Completes::Rooms));
    if people {
        return people_alone(state, stem);
    }
    if command.is_some_and(|entry| entry.completes == Completes::Emoji) {
        if stem.is_empty() {
            let offered = state.favourites.offered().into_iter();
            return offered.map(|emoji| candidate(emoji.as_str(), format!("{emoji} "))).collect();
        }
        let found = fitting(stem).into_iter();
        return found
            .map(|(name, emoji)| candidate(&format!("{emoji} {name}"), format!("{emoji} ")))
            .collect();
    }
    if stem.starts_with('#') || command.is_some_and(|entry| entry.completes == Completes::Rooms) {
        let stem = format!("#{}", stem.trim_start_matches('#'));
        let joined = state.rooms.iter().filter(|room| !room.name.is_direct()).map(|room| room.name.as_str());
        let names = joined.chain(state.listed.iter().map(|info| info.room.as_str()));
        return matching(names, &stem).into_iter().map(|name| candidate(name, format!("{name} "))).collect();
    }
    let Some(room) = state.room() else { return Vec::new() };
    let (at, stem) = stem.strip_prefix('@').map_or(("", stem), |stem| ("@", stem));
    let spoke = room.speakers.iter().map(Nick::as_str);
    let here = room.people.iter().map(|person| person.nick.as_str());
    let others = spoke.chain(here).filter(|nick| *nick != state.me.as_str());
    let behind = if start == 0 && at.is_empty() { ": " } else { " " };
    matching(others, stem).into_iter().map(|nick| candidate(nick, format!("{at}{nick}{behind}"))).collect()
}

/// The commands that begin so: the one that is called so shortly, then by their names, then by their other names.
fn commands(stem: &str) -> Vec<&'static str> {
    let short = slash::command(&stem.to_lowercase()).map(|entry| entry.name).filter(|name| *name != stem);
    let names = slash::commands().map(|entry| entry.name);
    let mut found = matching(short.into_iter().chain(names.filter(|name| starts(name, stem))), "");
    let others = slash::commands().filter(|entry| !found.contains(&entry.name));
    // Forms of a letter or two are typed, and not completed.
    let others = others
        .filter_map(|entry| entry.short.iter().copied().find(|name| name.len() > 2 && starts(name, stem)));
    let others: Vec<&str> = others.collect();
    found.extend(others);
    found
}

fn starts(name: &str, stem: &str) -> bool {
    name.starts_with(&stem.to_lowercase())
}

/// People to speak with alone, of all rooms: those named before, with commas between them, stay.
fn people_alone(state: &State, typed: &str) -> Vec<Candidate> {
    let (before, stem) = typed.rsplit_once(',').map_or(("", typed), |(before, stem)| (before, stem));
    let before = if before.is_empty() { String::new() } else { format!("{before},") };
    let (at, stem) = stem.strip_prefix('@').map_or(("", stem), |stem| ("@", stem));
    let in_sight_first = state.room().into_iter().chain(&state.rooms);
    let people = in_sight_first.flat_map(|room| {
        let spoke = room.speakers.iter().map(Nick::as_str);
        spoke
            .chain(room.people.iter().map(|person| person.nick.as_str()))
            .chain(room.members.iter().map(Nick::as_str))
    });
    let named = |nick: &str| before.split(',').any(|known| known.trim_start_matches('@') == nick);
    let others = people.filter(|nick| *nick != state.me.as_str() && !named(nick));
    let found = matching(others, stem).into_iter();
    let candidate = |nick: &str| Candidate {
        shown: nick.to_owned(),
        written: format!("{before}{at}{nick} "),
        about: String::new(),
    };
    found.map(candidate).collect()
}
