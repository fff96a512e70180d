//! What the link says.

use uuid::Uuid;

use super::{
    Effect, State, changing, company, direct, finding, history, in_room, jump, motd, order, quoting, reading,
    ringing, rooms, sees, who,
};
use crate::client::link::Update;
use crate::client::tui::scroll::Scroll;
use crate::client::tui::state::finding::Finding;
use crate::client::tui::state::reading::Counts;
use crate::client::tui::state::room::Delivery;
use crate::client::tui::state::{Connection, Overlay, Then};
use crate::protocol::command::{Place, RequestId};
use crate::protocol::event::{Entry, EntryKind, ErrorCode, Event, Failure, Okay, Page, Ready, Welcome};
use crate::protocol::limits::DEVICE_CODE_TIME;
use crate::protocol::name::RoomName;

pub(super) fn take_in(state: &mut State, news: Update, effects: &mut Vec<Effect>) {
    match news {
        Update::Connecting { .. } => state.connection = Connection::Connecting,
        Update::Online { welcome, ready, news, new_log, .. } => {
            online(state, &welcome, *ready, new_log, effects);
            if new_log {
                state.finding = Finding::default();
            }
            finding::start_if_due(state, effects);
            if let Some(news) = news {
                state.say(news);
            }
        }
        Update::Offline { why, retry_at } => {
            state.connection = Connection::Offline { retry_at };
            // The first reason says most: that the attempts after it fail as well is no news.
            let now = state.server_time();
            state.broken.get_or_insert((why, now));
            unasked(state);
        }
        Update::Held { failure, retry_at } => state.held = Some((failure.message.to_string(), retry_at)),
        Update::Event(event, _) => hear(state, event, effects),
        Update::Failed(failure) => failed(state, &failure, effects),
        Update::Latency { round_trip, offset, within } => {
            state.round_trip = Some(round_trip);
            state.clock.measured(offset, within);
            state.tell_wrong_clock();
        }
        Update::Ended { why, .. } => {
            for pending in state.rooms.iter_mut().flat_map(|room| &mut room.pending) {
                if pending.delivery == Delivery::Sending {
                    pending.delivery = Delivery::Failed(why.clone());
                }
            }
            // What could not be made so is not so.
            state.rooms.iter_mut().for_each(|room| room.wishes.clear());
            state.connection = Connection::Ended { why };
            unasked(state);
        }
    }
}

fn online(state: &mut State, welcome: &Welcome, ready: Ready, new_log: bool, effects: &mut Vec<Effect>) {
    state.connection = Connection::Online;
    state.company.parlor = welcome.server.id;
    if state.drafts.parlor != Some(welcome.server.id) {
        effects.push(Effect::Recall(welcome.server.id));
    }
    state.company.reads_refused = false;
    state.company.guest = ready.you.guest;
    company::away_again(state, &ready.you, effects);
    state.broken = None;
    let before = std::mem::replace(&mut state.me, ready.you.nick);
    state.author = ready.author;
    let wished = state.wished.take();
    let first = state.server.is_empty();
    if std::mem::take(&mut state.relinked) {
        state.announce(format!("this device is yours now: you are {}", state.me));
    } else if !first && wished.as_ref() == Some(&state.me) {
        state.say(format!("you are {} now", state.me));
    } else if let Some(taken) = wished.or((!first).then_some(before)).filter(|taken| *taken != state.me) {
        state.insist(format!("{taken} is taken: you are {}. /nick NAME changes it", state.me));
    }
    state.server = welcome.server.name.to_string();
    state.allowed = Some(ready.limits);
    state.listed = ready.rooms;
    state.ignored = ready.ignored.into_iter().collect();
    state.clock.greeted(welcome.now, state.now.time);
    state.motd.came_in(ready.motd);
    if new_log {
        state.rooms.iter_mut().for_each(super::super::state::room::Room::forget);
        state.company.closed.clear();
        state.motd.place = None;
        state.complain("the server begins a new history: what was shown is not in it");
    }
    direct::at_start(state, &ready.direct, effects);
}

/// The connection is gone, and so are the answers to what was asked on it.
fn unasked(state: &mut State) {
    state.held = None;
    state.round_trip = None;
    state.company.quiet.clear();
    state.company.read_due = None;
    for room in &mut state.rooms {
        room.asked = None;
        room.typing.clear();
        room.comings.broke(room.people.iter().map(|person| &person.nick));
        room.quoting = None;
        if let Some(search) = &mut room.search {
            search.asked = None;
        }
        room.joined = false;
        // Asked again when we are back.
        if let Some(jump) = &mut room.jump {
            jump.asked = None;
        }
    }
    not_answered(state, None);
}

/// What lies over the rooms will not get its answer. What it shows already stays.
fn not_answered(state: &mut State, re: Option<&RequestId>) {
    let waits = state.overlay.as_ref().and_then(Overlay::asked);
    if waits.is_none() || (re.is_some() && re != waits) {
        return;
    }
    match &mut state.overlay {
        Some(Overlay::Audit(decisions)) if !decisions.read.is_empty() => decisions.asked = None,
        // Of a room that we are in, what is known stays.
        Some(Overlay::Who(who)) if state.rooms.iter().any(|room| room.name == who.room) => who.asked = None,
        overlay => *overlay = None,
    }
}

fn hear(state: &mut State, event: Event, effects: &mut Vec<Effect>) {
    match event {
        Event::Entry(entry) => entry_came(state, entry, effects),
        Event::Gap(gap) => {
            let Some(place) = state.place_of(&gap.room) else { return };
            let in_sight = place == state.current && sees(state);
            state.rooms[place].skip(&gap, in_sight);
            jump::go_on(state, effects);
        }
        Event::Ok(okay) => {
            done(state, okay, effects);
            jump::go_on(state, effects);
        }
        Event::Page(page) => page_came(state, page, effects),
        Event::Presence(news) => {
            company::take_in(state, &news);
            let followed: Vec<_> = news
                .renamed
                .iter()
                .filter(|renamed| state.is_ignored(&renamed.from))
                .map(|renamed| renamed.to.clone())
                .collect();
            followed.iter().for_each(|nick| state.ignored.insert(nick));
            // On another device of ours.
            if let Some(renamed) = news.renamed.iter().find(|renamed| renamed.from == state.me) {
                state.me = renamed.to.clone();
                state.say(format!("you are {} now", state.me));
            }
            for renamed in &news.renamed {
                state.authors.renamed(&renamed.from, &renamed.to);
            }
            if let Some(place) = state.place_of(&news.room) {
                let whole = news.people.is_some();
                state.rooms[place].people.take_in(news);
                company::note_who_is_gone(state, place, whole);
            }
        }
        Event::Direct(call) => {
            if let Some(place) = direct::called(state, &call.info, effects) {
                ringing::ring_for_call(state, place, effects);
            }
        }
        Event::Read(news) => reading::elsewhere(state, &news),
        Event::Typing(news) => company::heard_typing(state, news),
        Event::Reactions(news) => changing::told_reactions(state, news),
        Event::Earlier(news) => changing::told_earlier(state, news),
        Event::Found(found) => {
            if !in_room::found(state, &found, effects) {
                finding::found(state, found, effects);
            }
        }
        Event::Rooms(list) => {
            state.company.is_quiet(list.re.as_ref());
            if let Some(Overlay::Rooms { asked, rooms, .. }) = &mut state.overlay
                && list.re.as_ref() == Some(asked)
            {
                *rooms = Some(list.rooms.clone());
            }
            state.listed = list.rooms;
        }
        Event::Delayed(delayed) => state.complain(format!("slow down: {}", delayed.message)),
        Event::Whois(news) => order::told_who(state, news),
        Event::People(news) => who::told(state, news),
        Event::Motd(news) => motd::told(state, news),
        Event::Tickets(news) => order::told_tickets(state, news),
        Event::Stats(news) => order::told_stats(state, news),
        Event::Audit(page) => order::told_decisions(state, page, effects),
        // The link keeps these to itself, or they answer what is never asked here.
        Event::Welcome(_)
        | Event::Pake(_)
        | Event::Ready(_)
        | Event::Error(_)
        | Event::Ping(_)
        | Event::Pong(_)
        | Event::Bye(_)
        | Event::Unknown => {}
    }
}

fn entry_came(state: &mut State, entry: Entry, effects: &mut Vec<Effect>) {
    let Some(place) = state.place_of(&entry.room) else { return };
    state.authors.note(&entry);
    let in_sight = place == state.current && sees(state);
    let room = &state.rooms[place];
    // What is deleted says nothing any more, also where the log has only its place.
    let said = match entry.kind {
        EntryKind::Deleted => {
            entry.target.and_then(|target| room.standing(target, state.author)).map(|(said, _)| said)
        }
        _ => (!entry.now.as_ref().is_some_and(|now| now.deleted)).then_some(&entry),
    };
    let heard = said.is_some_and(|said| !state.is_ignored(&said.from) && !state.is_mine(said));
    let named = heard && state.company.names_us(room, &state.me, &entry.from, entry.text.as_str());
    let told = if heard { ringing::told(state, place, &entry) } else { None };
    let news = state.rooms[place].arrive(entry, heard, named, in_sight);
    // Where people talk, what they say has the room.
    state.welcome &= news.is_none() || place != state.current;
    if let Some((news, told)) = news.zip(told) {
        ringing::ring_for(state, place, news, told, effects);
    }
    state.rooms[place].forget_what_is_far();
    if state.rooms[place].jump.is_some() {
        jump::go_on(state, effects);
    }
}

fn done(state: &mut State, mut okay: Okay, effects: &mut Vec<Effect>) {
    state.company.is_quiet(okay.re.as_ref());
    let counts = Counts::of(&okay);
    if let Some(asked) = order::answered(state, okay.re.as_ref()) {
        if let Some(done) = asked.done {
            state.say(done);
        }
        match asked.then {
            Some(Then::Ignored(nick, true)) => state.ignored.insert(&nick),
            Some(Then::Ignored(nick, false)) => state.ignored.remove(&nick),
            Some(Then::Relinked) => state.relinked = true,
            Some(Then::Away(why)) => state.company.away = why,
            Some(Then::Direct(text)) => {
                // It is known now, and not entered yet.
                if let Some(info) = okay.room.take() {
                    direct::opened(state, &info, text, effects);
                }
            }
            None => {}
        }
    }
    if let Some(code) = okay.code {
        state.announce(format!(
            "on the other device join this parlor and type /device {code}; the code is good for {} minutes",
            DEVICE_CODE_TIME.as_secs() / 60
        ));
    }
    if let Some(ticket) = okay.ticket {
        let room = state.room().filter(|room| !room.name.is_direct());
        let room = room.map_or_else(RoomName::lobby, |room| room.name.clone());
        state.overlay = Some(Overlay::Invite { room, ticket: Some(ticket), top: 0 });
    }
    if let Some(words) = okay.words {
        order::take_words(state, words.as_str());
    }
    if let Some(you) = okay.you
        && you.nick != state.me
    {
        state.say(format!("you are {} now", you.nick));
        state.me = you.nick;
        state.name_rooms();
    }
    if let Some(info) = okay.room
        && let Some(place) = state.place_of(&info.room)
    {
        if place == state.current {
            state.motd.settle(&info.room, info.last);
        }
        state.rooms[place].join(info, counts);
        state.name_rooms();
        rooms::opened(state, place, effects);
    }
    if let Some(seq) = okay.seq {
        state.held = None;
        if let Some(id) = okay.re.as_ref().and_then(message) {
            let (me, author) = (state.me.clone(), state.author);
            state.rooms.iter_mut().for_each(|room| room.stored(id, seq, author, &me));
        }
    }
}

fn message(re: &RequestId) -> Option<Uuid> {
    Uuid::try_parse(re.as_str()).ok()
}

fn page_came(state: &mut State, mut page: Page, effects: &mut Vec<Effect>) {
    if quoting::take_in(state, &mut page) {
        return;
    }
    let Some(place) = state.place_of(&page.room) else { return };
    page.entries.iter().for_each(|entry| state.authors.note_earlier(entry));
    let room = &mut state.rooms[place];
    if room.asked.is_none() || room.asked != page.re {
        return;
    }
    room.asked = None;
    let asked_for = room.asked_for.take().filter(|(id, _)| page.re.as_ref() == Some(id));
    // One for whose page nobody waits any more is over.
    let jump = room.jump.take_if(|jump| jump.asked.is_some());
    if let Some(jump) = jump.filter(|jump| jump.asked == page.re) {
        jump::arrive(state, place, &jump, page, effects);
        return;
    }
    match asked_for {
        // What was there has expired since we came.
        Some((_, Place::Before(seq))) if page.entries.is_empty() => room.first = room.first.max(seq),
        _ => room.history_ends = page.entries.is_empty(),
    }
    room.fill(page.entries);
    room.forget_what_is_far();
    if place == state.current && room.scroll != Scroll::Bottom {
        history::load(state, effects);
    }
}

fn failed(state: &mut State, failure: &Failure, effects: &mut Vec<Effect>) {
    if finding::failed(state, failure) || in_room::failed(state, failure) {
        return;
    }
    if state.company.is_quiet(failure.re.as_ref()) {
        // A guest's reading is not kept, say: then it need not be told.
        state.company.reads_refused |= failure.code != ErrorCode::Offline;
        return;
    }
    let sentence = state.readable(failure.message.to_string());
    let mut told = false;
    if let Some(re) = &failure.re {
        told = quoting::refused(state, re, failure.code != ErrorCode::Offline)
            || changing::not_told(state, Some(re))
            || changing::refused(state, re, &sentence);
    }
    if let Some(id) = failure.re.as_ref().and_then(message) {
        for pending in state.rooms.iter_mut().flat_map(|room| &mut room.pending) {
            if pending.id == id {
                pending.delivery = Delivery::Failed(sentence.clone());
                told = true;
            }
        }
    }
    for room in &mut state.rooms {
        if room.asked.is_some() && room.asked == failure.re {
            room.asked = None;
            if room.jump.take_if(|jump| jump.asked.is_some() && failure.code != ErrorCode::Offline).is_some()
            {
                continue;
            }
            if let Some(jump) = &mut room.jump {
                jump.asked = None;
            }
            // Offline, it is asked again by whoever scrolls there; refused, there is no point.
            room.history_ends = failure.code != ErrorCode::Offline;
            told = failure.code == ErrorCode::Offline;
        }
    }
    let refused = state.rooms.iter().position(|room| room.entering.is_some() && room.entering == failure.re);
    if let Some(place) = refused {
        rooms::refused(state, place, failure.code, &sentence, effects);
        told = true;
    }
    if let Some(asked) = order::answered(state, failure.re.as_ref())
        && state.composer().is_empty()
    {
        // To be changed, and tried again.
        state.composer_mut().set(&asked.line);
    }
    if failure.re.is_some() {
        not_answered(state, failure.re.as_ref());
    }
    if !told {
        state.complain(sentence);
    }
}
