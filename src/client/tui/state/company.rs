//! What is known of others beside what they say, and what they are told of us.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;
use uuid::Uuid;

use super::State;
use super::room::Room;
use crate::client::place::called;
use crate::client::tui::known_rooms::{KnownRooms, Rule};
use crate::client::tui::markup;
use crate::client::tui::settings::{self, Settings};
use crate::protocol::command::RequestId;
use crate::protocol::event::Entry;
use crate::protocol::mention;
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::text::Line;

/// See the module.
#[derive(Debug)]
pub(crate) struct Company {
    pub(crate) settings: Settings,
    /// What is remembered of rooms, of this parlor's and of others'.
    pub(crate) known_rooms: KnownRooms,
    /// Which parlor this is, once it has said so.
    pub(crate) parlor: Uuid,
    /// We have no key, and the server keeps nothing for us.
    pub(crate) guest: bool,
    /// We are away, and why, which may be empty.
    pub(crate) away: Option<Line>,
    /// Direct rooms that were closed here, with their last entry then: they open again when somebody speaks.
    pub(crate) closed: BTreeMap<RoomName, u64>,
    /// What was asked by the program itself: nobody waits for the answers.
    pub(crate) quiet: Vec<RequestId>,
    /// When the server is told how far we have read.
    pub(crate) read_due: Option<Instant>,
    /// The server keeps no such thing for us.
    pub(crate) reads_refused: bool,
    /// Where and when others were told last that we are writing.
    pub(crate) typed: Option<(RoomName, Instant)>,
    /// When it rang last.
    pub(crate) rung_at: Option<Instant>,
}

impl Company {
    pub(crate) fn new(settings: Settings, known_rooms: KnownRooms) -> Self {
        Self {
            settings,
            known_rooms,
            parlor: Uuid::nil(),
            guest: false,
            away: None,
            closed: BTreeMap::new(),
            quiet: Vec::new(),
            read_due: None,
            reads_refused: false,
            typed: None,
            rung_at: None,
        }
    }

    /// Whether nobody waits for this answer. It is asked once.
    pub(crate) fn is_quiet(&mut self, re: Option<&RequestId>) -> bool {
        let place = self.quiet.iter().position(|quiet| Some(quiet) == re);
        place.map(|place| self.quiet.swap_remove(place)).is_some()
    }

    /// What a room rings for.
    pub(crate) fn rule(&self, room: &RoomName) -> Rule {
        let usual = if room.is_direct() { Rule::All } else { Rule::Mentions };
        self.known_rooms.rule(self.parlor, room).unwrap_or(usual)
    }

    /// Whether a text of somebody else names us: by our name, by a word of ours, or, from those who keep order, by
    /// calling all who are here. In code names mean nobody.
    pub(crate) fn names_us(&self, room: &Room, me: &Nick, from: &Nick, text: &str) -> bool {
        let calls_all = room.people.keeps_order(from);
        let names_us = |text: &str| {
            mention::find(text, me.as_str()).is_some()
                || self.settings.find_word(text).is_some()
                || (calls_all && settings::find_here(text).is_some())
        };
        // Most texts name nobody, and most that do hold no code.
        names_us(text)
            && (!text.contains('`')
                || markup::rows(text, usize::MAX).iter().any(|row| names_us(&row.spoken())))
    }
}

impl State {
    /// Whether we said something, under whatever name and on whichever device.
    pub(crate) fn is_mine(&self, entry: &Entry) -> bool {
        entry.author.map_or(entry.from == self.me, |author| author == self.author)
    }

    /// Whether we keep order here: the host, and operators. Who owns a room the server alone knows.
    pub(crate) fn keep_order(&self) -> bool {
        self.is_host() || self.rooms.iter().any(|room| room.people.keeps_order(&self.me))
    }

    /// Gives each direct room the name that it is shown by, after a nick has changed or a room has come.
    pub(crate) fn name_rooms(&mut self) {
        for room in self.rooms.iter_mut().filter(|room| room.name.is_direct() && !room.members.is_empty()) {
            room.shown = called(&room.members, &self.me);
        }
    }

    /// Somebody is called otherwise, also in the rooms that are named after them.
    pub(crate) fn rename(&mut self, from: &Nick, to: &Nick) {
        for member in self.rooms.iter_mut().flat_map(|room| &mut room.members) {
            if member == from {
                member.clone_from(to);
            }
        }
        self.name_rooms();
    }

    /// A sentence with the names that people know in the place of the numbers of direct rooms.
    pub(crate) fn readable(&self, mut sentence: String) -> String {
        if !sentence.contains('@') {
            return sentence;
        }
        let mut direct: Vec<&Room> = self.rooms.iter().filter(|room| room.name.is_direct()).collect();
        // One name may be the beginning of another.
        direct.sort_by_key(|room| std::cmp::Reverse(room.name.as_str().len()));
        for room in direct {
            sentence = sentence.replace(room.name.as_str(), &room.shown);
        }
        sentence
    }

    /// The place of the room that is only for us and these people.
    pub(crate) fn direct_with(&self, with: &[Nick]) -> Option<usize> {
        let folded = |nick: &Nick| nick.as_str().to_lowercase();
        let me = folded(&self.me);
        let others = |nicks: &[Nick]| -> BTreeSet<String> {
            nicks.iter().map(folded).filter(|nick| *nick != me).collect()
        };
        let wanted = others(with);
        self.rooms.iter().position(|room| room.name.is_direct() && others(&room.members) == wanted)
    }
}
