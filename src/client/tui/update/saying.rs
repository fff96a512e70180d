//! What was written is sent off: said, or done.

use super::{
    Effect, State, arranging, changing, company, direct, editing, finding, history, motd, order, rooms,
    setting, theming, thread, who,
};
use crate::client::tui::slash::{self, Change, Company, Input, Slash};
use crate::client::tui::state::finding::Kind;
use crate::client::tui::state::room::{Delivery, Pending};
use crate::client::tui::state::wishes::Composing;
use crate::client::tui::state::{Connection, Overlay, Question};
use crate::protocol::command::{Command, Plain, Send, SetNick, SetTopic};
use crate::protocol::emoji;
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::text::{Line, Text, TextError};

/// Enter was pressed.
pub(super) fn enter(state: &mut State, effects: &mut Vec<Effect>) {
    let text = state.composer().text().to_owned();
    give(state, &text, effects);
}

/// Does what a line says that was written to its end.
pub(super) fn give(state: &mut State, text: &str, effects: &mut Vec<Effect>) {
    match text.trim() {
        "" if state.room().is_some_and(|room| matches!(room.composing, Some(Composing::Edit { .. }))) => {
            state.complain("an empty message says nothing: Esc leaves it as it was, /delete takes it back");
        }
        "" => {
            if state.retry_at().is_some() {
                effects.push(Effect::RetryNow);
            }
        }
        // Whoever writes this in a shell wants to leave; here it would be said to everyone.
        word @ ("exit" | "quit" | ":q" | "logout") => state.question = Some(Question::Word(word.to_owned())),
        _ => submit(state, text, effects),
    }
}

/// Does what a text says: a command, or to be said. What cannot be done stays in the input.
pub(super) fn submit(state: &mut State, text: &str, effects: &mut Vec<Effect>) {
    state.notice = None;
    let done = match slash::parse(text) {
        Ok(Input::Text(said)) => {
            say(state, &emoji::replace_shortcodes(said), false, effects).inspect(|()| company::remind(state))
        }
        Ok(Input::Command(command)) => obey(state, command, text.trim(), effects),
        Err(sentence) => Err(sentence),
    };
    if let Err(sentence) = done {
        state.complain(sentence);
    }
}

/// Says `said` in the room in sight, whatever it begins with.
pub(super) fn say(
    state: &mut State,
    said: &str,
    action: bool,
    effects: &mut Vec<Effect>,
) -> Result<(), String> {
    let max = state.text_bytes();
    let text =
        if said.len() > max { Err(TextError::TooLong { bytes: said.len(), max }) } else { Text::new(said) };
    let text = text.map_err(|error| error.to_string())?;
    if let Connection::Ended { why } = &state.connection {
        return Err(format!("{why}: nothing can be said any more, Ctrl-C leaves"));
    }
    if state.rooms.is_empty() {
        return Err(format!("you are in no room: /join {} enters one", RoomName::lobby()));
    }
    if let Some(Composing::Edit { seq, .. }) = state.room().and_then(|room| room.composing.as_ref()) {
        changing::edit(state, *seq, text.as_str(), effects)?;
        changing::stop_composing(state);
        return Ok(());
    }
    written(state);
    let id = state.message_id();
    let at = state.server_time();
    let me = state.me.clone();
    let Some(room) = state.room_mut() else { return Ok(()) };
    room.widen(&me);
    // Whoever answers has read.
    room.new_after = None;
    let (delivery, room_name) = (Delivery::Sending, room.name.clone());
    let reply_to = match room.composing.take() {
        Some(Composing::Answer(seq)) => Some(seq),
        Some(Composing::Edit { .. }) | None => None,
    };
    room.stop_choosing();
    if std::mem::take(&mut state.welcome) {
        effects.push(Effect::Welcomed);
    }
    let Some(room) = state.room_mut() else { return Ok(()) };
    room.pending.push(Pending { id, text: text.clone(), action, at, delivery, reply_to });
    history::to_newest(state);
    let send = Send { id, room: room_name, text, action, reply_to };
    effects.push(Effect::Submit(Command::Send(send)));
    company::tell_who_is_gone(state, state.current);
    Ok(())
}

/// What is in the input has been dealt with.
pub(super) fn written(state: &mut State) {
    let text = state.composer_mut().take();
    if !text.trim().is_empty() {
        state.remember(&text);
    }
}

/// Whether the server must answer before anything comes of it.
fn asks_the_server(command: &Slash) -> bool {
    use Slash::{Audit, List, Motd, Names, Nick, Order, Stats, Tickets, Topic, Whois};
    if let Slash::Company(Company::Message(..) | Company::Away(_)) = command {
        return true;
    }
    matches!(
        command,
        Audit | List | Motd | Names(Some(_)) | Stats | Tickets | Nick(_) | Order(_) | Topic(_) | Whois(_)
    )
}

fn obey(state: &mut State, command: Slash, line: &str, effects: &mut Vec<Effect>) -> Result<(), String> {
    if let Connection::Ended { why } = &state.connection
        && asks_the_server(&command)
    {
        return Err(format!("{why}: nothing can be asked any more, Ctrl-C leaves"));
    }
    let command = match command {
        Slash::Me(act) => return say(state, &emoji::replace_shortcodes(act.as_str()), true, effects),
        Slash::Order(order) => return order::give(state, order, line, effects),
        Slash::Company(command) => return company::obey(state, command, line, effects),
        Slash::Change(change) => return change_message(state, change, effects),
        Slash::Set(command) => return setting::obey(state, command, effects),
        Slash::Goto(target) => return finding::go(state, target, effects),
        Slash::Pin(which, pinned) => {
            return arranging::pin(state, &which, pinned, effects).map(|()| written(state));
        }
        Slash::Move(step) => return arranging::shift(state, step, effects).map(|()| written(state)),
        Slash::Theme(name) => return theming::obey(state, name, effects),
        command => command,
    };
    written(state);
    match command {
        Slash::Me(_)
        | Slash::Order(_)
        | Slash::Company(_)
        | Slash::Change(_)
        | Slash::Goto(_)
        | Slash::Pin(..)
        | Slash::Move(_)
        | Slash::Theme(_)
        | Slash::Set(_) => {}
        Slash::Search(words) => {
            if !words.is_empty() {
                state.finding.search.input.set(&words);
            }
            finding::open(state, Kind::Search, effects);
            state.finding.search.selected &= words.is_empty();
        }
        Slash::Mentions => finding::open(state, Kind::Mentions, effects),
        Slash::Join(room, words) => rooms::join(state, room, words, effects),
        Slash::Part(named) => {
            if let Some(room) = named.or_else(|| state.room().map(|room| room.name.clone())) {
                rooms::part(state, &room, effects);
            }
        }
        Slash::ShowTopic => {
            let Some(room) = state.room() else { return Ok(()) };
            let sentence = if room.topic.is_empty() {
                format!("{} has no topic: /topic TEXT sets one", room.shown)
            } else {
                format!("topic of {}: {}", room.shown, room.topic)
            };
            state.say(sentence);
        }
        Slash::Topic(text) => set_topic(state, text, line, effects),
        Slash::Names(room) => who::open(state, room, line, effects),
        Slash::Motd => motd::ask(state, line, effects),
        Slash::Time => match state.tell_time() {
            Ok(told) => state.say(told),
            Err(sentence) => state.complain(sentence),
        },
        Slash::List => {
            let id = state.request_id();
            state.overlay = Some(Overlay::Rooms { asked: id.clone(), rooms: None, chosen: 0 });
            effects.push(Effect::Submit(Command::Rooms(Plain { id: Some(id) })));
        }
        Slash::ShowNick => state.say(format!("you are {}: /nick NAME changes it", state.me)),
        Slash::Nick(nick) => {
            let id = state.request_id();
            let command = Command::Nick(SetNick { id: Some(id), nick: nick.clone() });
            if state.connection == Connection::Online {
                order::ask(state, command, line, None, effects);
            } else {
                // The next greeting says it, and is the answer.
                state.say(format!("you will be {nick} when the connection is back"));
                state.wished = Some(nick);
                effects.push(Effect::Submit(command));
            }
        }
        Slash::Invite(room) => invite(state, room, line),
        Slash::Whois(nick) => order::who_is(state, nick, line, effects),
        Slash::Tickets => order::list_tickets(state, line, effects),
        Slash::Audit => order::read_audit(state, line, effects),
        Slash::Stats => order::ask_for_stats(state, line, effects),
        Slash::Editor(text) => editing::open(state, &text, effects),
        Slash::Help => state.overlay = Some(Overlay::Help(0)),
        Slash::Clear => {
            state.motd.place = None;
            if let Some(room) = state.room_mut() {
                room.scrollback.clear();
                room.stop_choosing();
                room.new_after = None;
                room.pending.retain(|pending| pending.delivery == Delivery::Sending);
                history::to_newest(state);
            }
        }
        Slash::Mouse(on) => super::mouse::set(state, on, effects),
        Slash::Fold => super::folding::toggle_latest(state, effects)?,
        Slash::Quit => super::overlays::leave(state),
    }
    Ok(())
}

/// Does what is to be done with a message: the one that is chosen, or else the latest that can be meant.
fn change_message(state: &mut State, change: Change, effects: &mut Vec<Effect>) -> Result<(), String> {
    let own = |state: &State| {
        let meant = changing::meant(state, |entry| changing::is_own(state, entry));
        meant.ok_or_else(|| NOTHING_OWN.to_owned())
    };
    match change {
        Change::Reply(text) => {
            let meant = changing::meant(state, |entry| !changing::is_own(state, entry));
            let seq = meant.ok_or("nobody else has said anything here: Alt-↑ chooses a message to answer")?;
            changing::begin_answer(state, seq)?;
            match text {
                Some(text) => say(state, &emoji::replace_shortcodes(text.as_str()), false, effects)?,
                None => written(state),
            }
        }
        Change::Edit(text) => {
            let seq = own(state)?;
            match text {
                Some(text) => {
                    changing::edit(state, seq, &emoji::replace_shortcodes(text.as_str()), effects)?;
                    written(state);
                    if state.room().is_some_and(|room| matches!(room.composing, Some(Composing::Edit { .. })))
                    {
                        changing::stop_composing(state);
                    }
                }
                None => {
                    let line = state.composer().text().to_owned();
                    written(state);
                    if let Err(sentence) = changing::begin_edit(state, seq) {
                        state.composer_mut().set(&line);
                        return Err(sentence);
                    }
                }
            }
        }
        Change::Delete => {
            let seq = own(state)?;
            written(state);
            changing::ask_to_delete(state, seq)?;
        }
        Change::Thread => {
            let room = state.room();
            let meant = changing::meant(state, |entry| room.is_some_and(|room| room.has_thread(entry.seq)));
            let seq = meant.ok_or("no message here answers another, as far as is loaded")?;
            thread::open(state, seq)?;
            written(state);
        }
        Change::React(emoji) => {
            let seq = changing::meant(state, |_| true)
                .ok_or("nothing was said here yet that one could react to")?;
            match emoji {
                Some(emoji) => changing::react(state, seq, emoji, effects)?,
                None => changing::ask_for_emoji(state, seq)?,
            }
            written(state);
        }
    }
    Ok(())
}

/// What to say where somebody has said nothing that they could change.
const NOTHING_OWN: &str = "nothing here is yours yet: Alt-↑ chooses a message";

/// What was said last comes into the input, to be changed.
pub(super) fn edit_last(state: &mut State) -> Result<(), String> {
    let room = state.room().ok_or(NOTHING_OWN)?;
    let last = room.latest(state.author, |entry| changing::is_own(state, entry));
    changing::begin_edit(state, last.ok_or(NOTHING_OWN)?)
}

/// Shows how others join: the room that is named, or the one in sight.
fn invite(state: &mut State, named: Option<RoomName>, line: &str) {
    if let Some(nick) =
        named.as_ref().filter(|_| !line.contains('#')).and_then(|room| somebody_like(state, room))
    {
        state.complain(format!("{nick} is here already: /invite #ROOM says how others join, /allow {nick} lets them into this room"));
        return;
    }
    if named.is_none()
        && let Some(refused) = direct::refuse_invite(state)
    {
        state.complain(refused);
        return;
    }
    if state.inviting.is_none() {
        state.complain("it is not known here how others join");
        return;
    }
    let in_sight = state.room().map(|room| room.name.clone());
    let room = named.or(in_sight).unwrap_or_else(RoomName::lobby);
    state.overlay = Some(Overlay::Invite { room, ticket: None, top: 0 });
}

/// Who is here under the name of a room that nobody knows: elsewhere one invites people, and not to a room.
fn somebody_like(state: &State, room: &RoomName) -> Option<Nick> {
    let known = state.place_of(room).is_some() || state.listed.iter().any(|info| info.room == *room);
    let name = room.as_str().trim_start_matches('#').to_lowercase();
    let mut people = state.room().filter(|_| !known)?.people.iter().map(|person| &person.nick);
    people.find(|nick| nick.as_str().to_lowercase() == name).cloned()
}

fn set_topic(state: &mut State, text: Line, line: &str, effects: &mut Vec<Effect>) {
    let id = state.message_id();
    let Some(room) = state.room() else { return };
    let room = room.name.clone();
    if state.connection != Connection::Online {
        state.say("the topic is set when the connection is back");
    }
    order::ask(state, Command::Topic(SetTopic { id, room, text }), line, None, effects);
}
