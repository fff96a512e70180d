//! What is done about company: the commands, who comes and goes, who is writing, who is away.

use super::setting::set;
use super::{Effect, State, arranging, direct, rooms, saying};
use crate::client::tui::known_rooms::{Rule, What};
use crate::client::tui::settings::{Change, Value};
use crate::client::tui::slash::Company;
use crate::client::tui::state::comings::TOLD_UP_TO;
use crate::client::tui::state::{Asked, Connection, Then};
use crate::protocol::command::{Command, InRoom, SetAway};
use crate::protocol::event::{Person, Presence, Typing};
use crate::protocol::limits::{TYPING_EVERY, TYPING_SHOWN, TYPING_TOLD};
use crate::protocol::name::Nick;
use crate::protocol::text::Line;

/// Does what a command says.
pub(super) fn obey(
    state: &mut State,
    command: Company,
    line: &str,
    effects: &mut Vec<Effect>,
) -> Result<(), String> {
    let command = match command {
        Company::Message(with, text) => return direct::speak(state, with, text, line, effects),
        command => command,
    };
    let done = match command {
        Company::Message(..) => return Ok(()),
        Company::Close(with) => {
            saying::written(state);
            direct::close(state, &with, effects);
            return Ok(());
        }
        Company::Away(why) => {
            saying::written(state);
            away(state, why, line, effects);
            return Ok(());
        }
        Company::ShowNotices => show_notices(state),
        Company::Notify(rule) => {
            let Some(room) = state.room() else {
                return Err("this is about a room: /join one first".to_owned());
            };
            let name = room.name.clone();
            let done = format!("{} rings {}", room.shown, rings_for(rule));
            let group = state.company.group(&name);
            rooms::remember(state, What::Rule(name.clone(), rule), effects)?;
            if state.company.group(&name) != group {
                arranging::sort_in(state, &name, effects)?;
            }
            done
        }
        Company::Desktop(on) => {
            set(state, Change::Set("desktop", Some(Value::Switch(on))), effects)?;
            let told = if on {
                "what rings is told on the desktop too, where the terminal can"
            } else {
                "the desktop is told nothing"
            };
            told.to_owned()
        }
        Company::Highlight(None) => match state.company.settings.words.as_slice() {
            [] => "no word but your name counts as your name: /highlight WORD adds one".to_owned(),
            words => format!("these count as your name: {}. /highlight -WORD removes one", words.join(", ")),
        },
        Company::Highlight(Some((word, on))) => {
            let done = if on { "counts as your name now" } else { "does not count as your name" };
            let done = format!("{word} {done}");
            let words = state.company.settings.words_with(&word, on);
            set(state, Change::Set("words", Some(words)), effects)?;
            done
        }
        Company::Typing(on) => {
            let on = switch(state, on, state.company.settings.typing, "typing", effects)?;
            let told = if on {
                "others see that you are typing: /typing off"
            } else {
                "nobody sees that you are typing: /typing on"
            };
            told.to_owned()
        }
        Company::Noise(on) => {
            let on = switch(state, on, state.company.settings.noise, "noise", effects)?;
            let told = if on {
                "who comes and leaves is shown: /noise off"
            } else {
                "who comes and leaves is not shown: /noise on"
            };
            told.to_owned()
        }
    };
    saying::written(state);
    state.say(done);
    Ok(())
}

/// Sets a switch, if that is asked for. Says how it stands.
fn switch(
    state: &mut State,
    asked: Option<bool>,
    now: bool,
    name: &'static str,
    effects: &mut Vec<Effect>,
) -> Result<bool, String> {
    let Some(on) = asked else { return Ok(now) };
    set(state, Change::Set(name, Some(Value::Switch(on))), effects)?;
    Ok(on)
}

fn rings_for(rule: Rule) -> &'static str {
    match rule {
        Rule::All => "for all that is said",
        Rule::Mentions => "for what says your name",
        Rule::Nothing => "for nothing",
    }
}

fn show_notices(state: &State) -> String {
    let desktop = if state.company.settings.desktop { "on" } else { "off" };
    let room = state.room().map(|room| {
        let rule = state.company.rule(&room.name);
        // For nothing it is the same word.
        let word = if rule == Rule::Nothing { String::new() } else { format!(" ({})", rule.word()) };
        format!("{} rings {}{word}; ", room.shown, rings_for(rule))
    });
    format!(
        "{}notices on the desktop are {desktop}: /notify all, mentions, nothing, or desktop on, off",
        room.unwrap_or_default()
    )
}

// --- away -----------------------------------------------------------------------------------

fn away(state: &mut State, why: Option<Line>, line: &str, effects: &mut Vec<Effect>) {
    let done = match &why {
        Some(_) => "you are away: /back says that you are here again",
        None => "you are here again",
    };
    let id = state.request_id();
    let asked = Asked {
        id: id.clone(),
        line: line.to_owned(),
        done: Some(done.to_owned()),
        then: Some(Then::Away(why.clone())),
    };
    state.asked.push(asked);
    effects.push(Effect::Submit(Command::Away(SetAway { id: Some(id), text: why })));
}

/// The connection stands, and the server says whether we are away there. It forgets that when we were gone for long.
pub(super) fn away_again(state: &mut State, you: &Person, effects: &mut Vec<Effect>) {
    match (&you.away, state.company.away.clone()) {
        (None, Some(why)) => {
            let id = state.request_id();
            state.company.quiet.push(id.clone());
            effects.push(Effect::Submit(Command::Away(SetAway { id: Some(id), text: Some(why) })));
        }
        (away, _) => state.company.away.clone_from(away),
    }
}

/// Something was said by somebody who is away.
pub(super) fn remind(state: &mut State) {
    if state.company.away.is_some() {
        state.say("others still see that you are away: /back ends it");
    }
}

/// Something is said in a direct room: tells who is not here to hear it, or away, once until they are back.
pub(super) fn tell_who_is_gone(state: &mut State, place: usize) {
    let Some(room) = state.rooms.get_mut(place).filter(|room| room.name.is_direct() && room.joined) else {
        return;
    };
    let absent = room.absent().map(|nick| (nick.clone(), format!("{nick} is not here: it waits")));
    let away = room.people.iter().filter(|person| person.nick != state.me).filter_map(|person| {
        let why = person.away.as_ref()?;
        let nick = &person.nick;
        let said = if why.is_empty() { format!("{nick} is away") } else { format!("{nick} is away: {why}") };
        Some((nick.clone(), said))
    });
    let mut gone: Vec<(Nick, String)> = absent.chain(away).collect();
    gone.retain(|(nick, _)| !room.told_gone.contains(nick));
    room.told_gone.extend(gone.iter().map(|(nick, _)| nick.clone()));
    if !gone.is_empty() {
        let said: Vec<String> = gone.into_iter().map(|(_, said)| said).collect();
        state.say(said.join(" · "));
    }
}

/// Who is here has changed: those who are back are told of again when they have gone again.
pub(super) fn note_who_is_gone(state: &mut State, place: usize, whole: bool) {
    let Some(room) = state.rooms.get_mut(place).filter(|room| room.name.is_direct()) else { return };
    let people = &room.people;
    room.told_gone.retain(|nick| people.get(nick).is_none_or(|person| person.away.is_some()));
    // What was said before it was known who is here.
    if whole && !room.pending.is_empty() {
        tell_who_is_gone(state, place);
    }
}

// --- coming, going and being renamed ----------------------------------------------------------

/// Takes in who came and who left, before the list of people does.
pub(super) fn take_in(state: &mut State, news: &Presence) {
    for renamed in &news.renamed {
        state.rename(&renamed.from, &renamed.to);
    }
    let listed = news.people.iter().flatten().chain(&news.joined);
    if let Some(me) = listed.into_iter().find(|person| person.nick == state.me) {
        state.company.away.clone_from(&me.away);
    }
    let Some(place) = state.place_of(&news.room) else { return };
    let room = &mut state.rooms[place];
    for nick in &news.left {
        room.typing.over(nick);
    }
    if news.people.is_some() {
        room.comings.back(state.now.instant);
    }
    // A whole list is no news, in a large room nobody follows who comes and goes, and with some alone one speaks whether
    // they are here or not.
    let followed = !room.name.is_direct() && news.here.max(room.people.here()) <= TOLD_UP_TO;
    if news.people.is_some() || !followed || !state.company.settings.noise {
        return;
    }
    let renamed =
        |nick: &Nick| news.renamed.iter().any(|renamed| renamed.from == *nick || renamed.to == *nick);
    let told = |nick: &Nick| *nick != state.me && !renamed(nick) && !state.ignored.contains(nick);
    let came = news.joined.iter().map(|person| &person.nick);
    // Whoever is here already only changed: they are away, say.
    let came = came.filter(|nick| told(nick) && !room.people.contains(nick)).cloned().collect();
    let again = |nick: &Nick| news.joined.iter().any(|person| person.nick == *nick);
    let gone = |nick: &&Nick| told(nick) && !again(nick) && room.people.contains(nick);
    let left = news.left.iter().filter(gone).cloned().collect();
    let newest = room.scrollback.newest();
    room.comings.add(came, left, newest, state.now.instant);
    let others = |nick: &Nick| *nick != state.me && !state.ignored.contains(nick);
    for renamed in news.renamed.iter().filter(|renamed| others(&renamed.from) && others(&renamed.to)) {
        room.comings.rename(&renamed.from, &renamed.to, newest);
    }
}

// --- writing ----------------------------------------------------------------------------------

/// Somebody else is writing.
pub(super) fn heard_typing(state: &mut State, news: Typing) {
    let until = state.now.instant + TYPING_SHOWN;
    if news.nick == state.me || state.is_ignored(&news.nick) {
        return;
    }
    if let Some(place) = state.place_of(&news.room) {
        state.rooms[place].typing.heard(news.nick, until);
    }
}

/// What is written has changed: others are told, not too often, and not of commands.
pub(super) fn tell_typing(state: &mut State, effects: &mut Vec<Effect>) {
    let text = state.composer().text();
    let command = text.starts_with('/') && !text.starts_with("//");
    if command || text.trim().is_empty() || !state.company.settings.typing {
        return;
    }
    let Some(room) = state.room().filter(|room| room.joined && state.connection == Connection::Online) else {
        return;
    };
    // Alone there is nobody to tell, and of many the server tells nobody.
    if !(2..=TYPING_TOLD).contains(&room.people.here()) {
        return;
    }
    let now = state.now.instant;
    let room = room.name.clone();
    let lately = |(told, at): &(_, _)| *told == room && now < *at + TYPING_EVERY;
    if !state.company.typed.as_ref().is_some_and(lately) {
        state.company.typed = Some((room.clone(), now));
        effects.push(Effect::Submit(Command::Typing(InRoom { id: None, room })));
    }
}
