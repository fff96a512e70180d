//! What is asked of the server and answered by `ok`, by news about somebody, or by a refusal.

use super::saying::written;
use super::{Effect, State};
use crate::client::tui::slash::Order;
use crate::client::tui::slash::order::{Whom, spoken_time};
use crate::client::tui::state::{Asked, Decisions, Overlay, Then};
use crate::client::tui::view;
use crate::protocol::command::{
    Command, Judgement, LinkDevice, MakeTicket, OfNick, OfTicket, Plain, ReadAudit, RequestId, RuleKind,
    SetIgnored, SetRole, SetRule,
};
use crate::protocol::event::{Audit, Stats, Tickets, Whois};
use crate::protocol::limits::PAGE_ENTRIES;
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::proof::Passphrase;
use crate::protocol::words::Role;

/// Asks the server for what `line` says; `done` is what to say when it is done.
pub(super) fn ask(
    state: &mut State,
    command: Command,
    line: &str,
    done: Option<String>,
    effects: &mut Vec<Effect>,
) {
    let then = match &command {
        Command::Ignore(set) => Some(Then::Ignored(set.nick.clone(), set.on)),
        Command::Link(_) => Some(Then::Relinked),
        _ => None,
    };
    if let Some(id) = command.request_id() {
        state.asked.push(Asked { id, line: line.to_owned(), done, then });
    }
    effects.push(Effect::Submit(command));
}

/// An answer has come: what was asked waits no longer.
pub(super) fn answered(state: &mut State, re: Option<&RequestId>) -> Option<Asked> {
    let place = state.asked.iter().position(|asked| Some(&asked.id) == re)?;
    Some(state.asked.remove(place))
}

/// Gives an order.
pub(super) fn give(
    state: &mut State,
    order: Order,
    line: &str,
    effects: &mut Vec<Effect>,
) -> Result<(), String> {
    let room = state.room().map(|room| room.name.clone());
    let (command, done) = prepare(order, room, Some(state.request_id()))?;
    written(state);
    ask(state, command, line, done, effects);
    Ok(())
}

/// The command, and what to say when it is done.
fn prepare(
    order: Order,
    in_sight: Option<RoomName>,
    id: Option<RequestId>,
) -> Result<(Command, Option<String>), String> {
    let here =
        || in_sight.ok_or_else(|| "you are in no room, and this is about one: /join it first".to_owned());
    let time = |seconds: Option<u64>| seconds.map(|s| format!(" for {}", spoken_time(s))).unwrap_or_default();
    let (command, done) = match order {
        Order::Kick { nick, reason } => {
            let done = format!("{nick} was asked to leave");
            (Command::Kick(Judgement { id, nick: Some(nick), reason, ..Judgement::default() }), done)
        }
        Order::Ban { whom, seconds, reason } => {
            let until = if seconds.is_none() { format!(": /unban {whom} lifts it") } else { String::new() };
            let done = format!("{whom} was banned{}{until}", time(seconds));
            (Command::Ban(Judgement { id, reason, seconds, ..about(whom) }), done)
        }
        Order::Unban(whom) => {
            let done = format!("{whom} may come in again");
            (Command::Unban(Judgement { id, ..about(whom) }), done)
        }
        Order::Mute { nick, everywhere, seconds, reason } => {
            let room = if everywhere { None } else { Some(here()?) };
            let done = format!("{nick} was muted{}{}", placed(room.as_ref()), time(seconds));
            let nick = Some(nick);
            (Command::Mute(Judgement { id, nick, room, reason, seconds, ..Judgement::default() }), done)
        }
        Order::Unmute { nick, everywhere } => {
            let room = if everywhere { None } else { Some(here()?) };
            let done = format!("{nick} may speak{} again", placed(room.as_ref()));
            (Command::Unmute(Judgement { id, nick: Some(nick), room, ..Judgement::default() }), done)
        }
        Order::Role(nick, role) => {
            let now = if role == Role::Member { "no operator any more" } else { "an operator now" };
            let done = format!("{nick} is {now}");
            (Command::Role(SetRole { id, nick, role }), done)
        }
        Order::Rule(rule, on) => {
            let room = here()?;
            let done = ruled(&room, rule, on);
            (Command::Rule(SetRule { id, room, rule, on, nick: None, words: None, seconds: None }), done)
        }
        Order::Allow(nick, on) => {
            let room = here()?;
            let done = match on {
                true => format!("{nick} may come into {room}"),
                false => format!("{nick} is not among those any more who are allowed into {room}"),
            };
            (
                Command::Rule(SetRule {
                    id,
                    room,
                    rule: RuleKind::Allowed,
                    on,
                    nick: Some(nick),
                    words: None,
                    seconds: None,
                }),
                done,
            )
        }
        Order::Lock(words) => {
            let (room, on) = (here()?, words.is_some());
            let done = match on {
                true => format!("{room} asks for its passphrase now: /join {room} WORDS"),
                false => format!("{room} asks for no passphrase any more"),
            };
            (
                Command::Rule(SetRule {
                    id,
                    room,
                    rule: RuleKind::Passphrase,
                    on,
                    nick: None,
                    words,
                    seconds: None,
                }),
                done,
            )
        }
        Order::Retention(seconds) => {
            let (room, on) = (here()?, seconds.is_some());
            let done = match seconds {
                Some(seconds) => format!("what is said in {room} is kept for {}", spoken_time(seconds)),
                None => ruled(&room, RuleKind::Retention, on),
            };
            let rule = RuleKind::Retention;
            (Command::Rule(SetRule { id, room, rule, on, nick: None, words: None, seconds }), done)
        }
        Order::Ignore(nick, on) => {
            let done = match on {
                true => format!("{nick} is not heard any more, on all your devices: /unignore {nick}"),
                false => format!("{nick} is heard again"),
            };
            (Command::Ignore(SetIgnored { id, nick, on }), done)
        }
        // These answers hold all that there is to say.
        Order::Ticket { uses, seconds } => {
            return Ok((Command::Ticket(MakeTicket { id, uses, seconds, room: None }), None));
        }
        Order::Revoke(ticket) => {
            let done = format!("the invitation {ticket} lets nobody in any more");
            (Command::Revoke(OfTicket { id, ticket }), done)
        }
        Order::ShowCode => return Ok((Command::Device(Plain { id }), None)),
        Order::Link(code) => return Ok((Command::Link(LinkDevice { id, code }), None)),
        // The answer holds the words, which are all that there is to say.
        Order::Passphrase => return Ok((Command::Passphrase(Plain { id }), None)),
    };
    Ok((command, Some(done)))
}

fn about(whom: Whom) -> Judgement {
    match whom {
        Whom::Nick(nick) => Judgement { nick: Some(nick), ..Judgement::default() },
        Whom::Address(address) => Judgement { address: Some(address), ..Judgement::default() },
    }
}

fn placed(room: Option<&RoomName>) -> String {
    room.map_or_else(|| " everywhere".to_owned(), |room| format!(" in {room}"))
}

fn ruled(room: &RoomName, rule: RuleKind, on: bool) -> String {
    match (rule, on) {
        (RuleKind::TopicLocked, true) => format!("only the owner and operators set the topic of {room} now"),
        (RuleKind::TopicLocked, false) => format!("everyone may set the topic of {room} again"),
        (RuleKind::Private, true) => format!("{room} is in no list any more, but for those who are in it"),
        (RuleKind::Private, false) => format!("{room} is in everyone's list again"),
        (RuleKind::InviteOnly | RuleKind::Allowed, true) => {
            format!("only those come into {room} now who are allowed: /allow NAME lets somebody in")
        }
        (RuleKind::InviteOnly | RuleKind::Allowed | RuleKind::Passphrase, false) => {
            format!("everyone may come into {room} again")
        }
        (RuleKind::Passphrase, true) => format!("{room} asks for its passphrase now"),
        (RuleKind::Retention, true) => format!("what is said in {room} is kept for a time of its own"),
        (RuleKind::Retention, false) => {
            format!("what is said in {room} is kept for as long as elsewhere in this parlor")
        }
    }
}

/// The parlor has a new passphrase, by our own wish.
pub(super) fn take_words(state: &mut State, words: &str) {
    if let (Some(inviting), Ok(words)) = (&mut state.inviting, Passphrase::new(words)) {
        inviting.change_words(words);
    }
    state.announce(format!(
        "the passphrase is now {words}; those who are in stay, whoever comes later needs it"
    ));
}

/// Asks who somebody is.
pub(super) fn who_is(state: &mut State, nick: Nick, line: &str, effects: &mut Vec<Effect>) {
    let asked = state.request_id();
    let command = Command::Whois(OfNick { id: Some(asked.clone()), nick: nick.clone() });
    ask(state, command, line, None, effects);
    state.overlay = Some(Overlay::Whois { asked, nick, answer: None, top: 0 });
}

pub(super) fn told_who(state: &mut State, news: Whois) {
    answered(state, news.re.as_ref());
    if let Some(Overlay::Whois { asked, answer, .. }) = &mut state.overlay
        && news.re.as_ref() == Some(asked)
    {
        *answer = Some(news);
    }
}

/// Asks which invitations hold.
pub(super) fn list_tickets(state: &mut State, line: &str, effects: &mut Vec<Effect>) {
    let asked = state.request_id();
    ask(state, Command::Tickets(Plain { id: Some(asked.clone()) }), line, None, effects);
    state.overlay = Some(Overlay::Tickets { asked, answer: None, top: 0 });
}

pub(super) fn told_tickets(state: &mut State, news: Tickets) {
    answered(state, news.re.as_ref());
    if let Some(Overlay::Tickets { asked, answer, .. }) = &mut state.overlay
        && news.re.as_ref() == Some(asked)
    {
        *answer = Some(news.tickets);
    }
}

/// Asks what the server has counted.
pub(super) fn ask_for_stats(state: &mut State, line: &str, effects: &mut Vec<Effect>) {
    let asked = state.request_id();
    ask(state, Command::Stats(Plain { id: Some(asked.clone()) }), line, None, effects);
    state.overlay = Some(Overlay::Stats { asked, answer: None, top: 0 });
}

pub(super) fn told_stats(state: &mut State, news: Box<Stats>) {
    answered(state, news.re.as_ref());
    if let Some(Overlay::Stats { asked, answer, .. }) = &mut state.overlay
        && news.re.as_ref() == Some(asked)
    {
        *answer = Some(news);
    }
}

/// Asks what was decided last.
pub(super) fn read_audit(state: &mut State, line: &str, effects: &mut Vec<Effect>) {
    let id = state.request_id();
    let command = Command::Audit(ReadAudit { id: Some(id.clone()), before: None, limit: PAGE_ENTRIES });
    ask(state, command, line, None, effects);
    let decisions = Decisions { asked: Some(id), read: Vec::new(), complete: false, top: 0 };
    state.overlay = Some(Overlay::Audit(decisions));
}

/// A page of what was decided. One that does not lead further back ends it, whatever the server means by it.
pub(super) fn told_decisions(state: &mut State, page: Audit, effects: &mut Vec<Effect>) {
    answered(state, page.re.as_ref());
    let Some(Overlay::Audit(decisions)) = &mut state.overlay else { return };
    if decisions.asked.is_none() || decisions.asked != page.re {
        return;
    }
    decisions.asked = None;
    let before = decisions.read.len();
    for decision in page.decisions {
        if decisions.read.last().is_none_or(|last| decision.number < last.number) {
            decisions.read.push(decision);
        }
    }
    let oldest = decisions.read.last().map_or(0, |decision| decision.number);
    decisions.complete = oldest <= 1 || decisions.read.len() == before;
    read_on(state, effects);
}

/// Asks for what was decided before what has been read, once the reader is at its end.
pub(super) fn read_on(state: &mut State, effects: &mut Vec<Effect>) {
    let last = view::overlay_last(state);
    let Some(Overlay::Audit(decisions)) = &state.overlay else { return };
    if decisions.top < last || decisions.complete || decisions.asked.is_some() {
        return;
    }
    let Some(oldest) = decisions.read.last() else { return };
    let before = Some(oldest.number);
    let id = state.request_id();
    let command = Command::Audit(ReadAudit { id: Some(id.clone()), before, limit: PAGE_ENTRIES });
    if let Some(Overlay::Audit(decisions)) = &mut state.overlay {
        decisions.asked = Some(id);
    }
    effects.push(Effect::Submit(command));
}
