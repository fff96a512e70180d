//! What the launcher lists. Pure: the state goes in, rows come out.

use std::cmp::Reverse;

use jiff::{Zoned, tz::TimeZone};

use super::probe::Reach;
use super::recent::Recent;
use super::state::{Found, Item, State};
use super::typed::{self, shown};
use crate::client::tui::fuzzy::Fuzzy;
use crate::protocol::address::Address;
use crate::protocol::time::Time;

/// The part of the list that a row stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Typed,
    Machine,
    Network,
    Recent,
    /// What was typed, as the name of a machine: perhaps that is meant, if nothing else is.
    Guess,
}

/// How it stands with a parlor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It says so itself: how many people, and whether everyone may come in.
    Said { people: u32, open: bool },
    /// It was said that it is there no more.
    Gone,
    /// It was looked at.
    Seen(Reach),
    /// There is nothing to say.
    Silent,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) item: Item,
    pub(super) group: Group,
    /// What it is called.
    pub(super) name: String,
    /// Which graphemes of the name are what was typed.
    pub(super) marks: Vec<usize>,
    pub(super) standing: Standing,
    /// By TCP without TLS.
    pub(super) plain: bool,
    /// Where it is.
    pub(super) place: String,
    /// What stands at the end.
    pub(super) note: String,
    /// How well it fits what was typed; more is better.
    score: u32,
}

/// All rows, in the order of their groups. With something typed, those that fit it.
pub(super) fn rows(state: &State) -> Vec<Row> {
    let wanted = state.input.text().trim();
    let typed = typed::read(wanted).and_then(Result::ok);
    let guess = typed.as_ref().filter(|typed| !typed.sure);
    let typed = typed.as_ref().filter(|typed| typed.sure);
    let mut rows: Vec<Row> = Vec::new();
    if let Some(typed) = typed {
        rows.push(row(Item::Typed, Group::Typed, format!("join {}", typed.shown)));
    }
    let mut listed = listed(state);
    if !wanted.is_empty() {
        let mut fuzzy = Fuzzy::new(wanted);
        listed.retain_mut(|row| fits(row, &mut fuzzy));
    }
    rows.append(&mut listed);
    if let Some(guess) = guess {
        rows.push(row(Item::Typed, Group::Guess, format!("join the machine {}", guess.shown)));
    }
    rows
}

/// What Enter takes while somebody types: what says itself where to go, and else what fits best.
pub(super) fn best(rows: &[Row]) -> Option<Item> {
    let typed = rows.iter().find(|row| row.group == Group::Typed);
    let places = rows.iter().enumerate().filter(|(_, row)| row.group != Group::Guess);
    let fits = places.min_by_key(|(place, row)| (Reverse(row.score), *place)).map(|(_, row)| row);
    typed.or(fits).or(rows.first()).map(|row| row.item.clone())
}

fn row(item: Item, group: Group, name: String) -> Row {
    let (standing, plain, score) = (Standing::Silent, false, 0);
    Row {
        item,
        group,
        name,
        marks: Vec::new(),
        standing,
        plain,
        place: String::new(),
        note: String::new(),
        score,
    }
}

/// All there is, whatever was typed.
fn listed(state: &State) -> Vec<Row> {
    let mut rows = Vec::new();
    if state.here == Reach::Here {
        rows.push(own(state));
    }
    if state.hosts {
        let note = match state.here {
            Reach::Here => "another one needs another port: parlor host --listen ADDR",
            _ => "a room on this machine, for those who know its passphrase",
        };
        rows.push(Row {
            note: note.to_owned(),
            ..row(Item::Host, Group::Machine, "host one here".to_owned())
        });
    }
    // The one that the first row is about is not listed twice.
    let others = |found: &&Found| state.here != Reach::Here || !state.is_here(found);
    rows.extend(state.found.iter().filter(others).map(|found| self::found(state, found)));
    let claimed = |recent: &Recent| {
        state
            .found
            .iter()
            .any(|found| state.known(found).is_some_and(|known| known.address == recent.address))
    };
    let apart = state.recent.iter().filter(|(recent, _)| !claimed(recent));
    rows.extend(apart.map(|(recent, reach)| self::recent(state, recent, *reach)));
    rows
}

/// The parlor of this machine, with what it says of itself, if it says something.
fn own(state: &State) -> Row {
    let said = state.found.iter().find(|found| state.is_here(found)).map(|found| &found.parlor.said);
    let standing = match said {
        Some(said) => Standing::Said { people: said.people, open: said.open },
        None => Standing::Seen(Reach::Here),
    };
    let place = shown(&Address::this_machine());
    let named = said.map(|said| said.name.as_str()).filter(|name| !name.is_empty());
    let note = named.unwrap_or_default().to_owned();
    let name = "join the one on this machine".to_owned();
    Row { standing, place, note, ..row(Item::Here, Group::Machine, name) }
}

fn found(state: &State, found: &Found) -> Row {
    let said = &found.parlor.said;
    let standing = match found.gone {
        Some(_) => Standing::Gone,
        None => Standing::Said { people: said.people, open: said.open },
    };
    let note = match (state.is_own(found), state.known(found)) {
        (true, _) => "this machine".to_owned(),
        (false, Some(recent)) => recent
            .at
            .map_or("known".to_owned(), |at| format!("known, {}", when(at, state.now.time, &state.zone))),
        (false, None) => String::new(),
    };
    let place = found.parlor.addresses.first().map(shown).unwrap_or_default();
    let name = if said.name.is_empty() { place.clone() } else { said.name.to_string() };
    let plain = said.fingerprint.is_none();
    Row { standing, plain, place, note, ..row(found.item(), Group::Network, name) }
}

fn recent(state: &State, recent: &Recent, reach: Reach) -> Row {
    let place = shown(&recent.address);
    let name = if recent.name.is_empty() { place.clone() } else { recent.name.to_string() };
    let note = recent.at.map(|at| when(at, state.now.time, &state.zone)).unwrap_or_default();
    // What is not looked at will never be seen.
    let standing = if state.looks { Standing::Seen(reach) } else { Standing::Silent };
    let item = Item::Recent(recent.address.clone());
    Row { standing, plain: recent.plain, place, note, ..row(item, Group::Recent, name) }
}

/// Whether a row is called, or is, where what is typed says; notes how well, and what of the name is it.
fn fits(row: &mut Row, fuzzy: &mut Fuzzy) -> bool {
    if let Some((score, marks)) = fuzzy.fit(&row.name) {
        (row.score, row.marks) = (score, marks);
        return true;
    }
    // An address is not what people remember: it fits a little less.
    let score = fuzzy.fit(&row.place).map(|(score, _)| score / 4 * 3);
    row.score = score.unwrap_or_default();
    score.is_some()
}

/// When that was, in a few words.
fn when(at: Time, now: Time, zone: &TimeZone) -> String {
    let [at, now]: [Zoned; 2] = [at, now].map(|time| time.timestamp().to_zoned(zone.clone()));
    let format = match now.date().since(at.date()).map(|ago| ago.get_days()) {
        Ok(0) => "today",
        Ok(1) => "yesterday",
        _ if at.year() == now.year() => "%-d %B",
        _ => "%-d %B %Y",
    };
    at.strftime(format).to_string()
}
