//! What is remembered of rooms between visits: which were open and in which order, when one was there last, what they
//! ring for, and which are pinned. For each parlor, because names alone are the same in many of them.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::client::StoreError;
use crate::client::store::{lock, replace};
use crate::protocol::address::Address;
use crate::protocol::name::RoomName;
use crate::protocol::text::Line;
use crate::protocol::time::Time;

/// The file in the client's folder.
const FILE: &str = "rooms.toml";

/// What stands at the top of it.
const ABOUT: &str = "\
# What parlor remembers of rooms, for each parlor by its number: which are open, in their order; what they ring for,
# which are pinned, and when you were there last, and where. parlor writes this file anew, without comments of yours.\n\n";

/// Parlors that are remembered. Beyond it the one that was visited longest ago is forgotten.
const PARLORS: usize = 100;

/// Rooms of a parlor that something is remembered of. Beyond it the one that was visited longest ago is forgotten, of
/// those for which nothing was set.
const ROOMS: usize = 500;

/// Rooms of a parlor that are remembered as open: those that one connection may be in, and as many that are only for
/// some.
const OPEN: usize = 2 * crate::protocol::limits::ROOMS_PER_SESSION;

/// Bytes of the file: all that it may hold, with names as long as they may be, is less.
const FILE_BYTES: u64 = 16 * 1024 * 1024;

/// What a room rings for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Whatever is said.
    All,
    /// What says our name.
    Mentions,
    /// Nothing: the room is muted. It is not counted as news either.
    Nothing,
}

impl Rule {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mentions => "mentions",
            Self::Nothing => "nothing",
        }
    }
}

/// What is remembered of all parlors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KnownRooms {
    parlors: BTreeMap<Uuid, KnownParlor>,
}

/// What is remembered of one parlor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct KnownParlor {
    /// The rooms that were open, in their order.
    open: Vec<RoomName>,
    /// Where it was the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Visit>,
    rooms: BTreeMap<RoomName, KnownRoom>,
}

/// A visit to a parlor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// What it was called.
    name: Line,
    /// Where it was. One that is not understood, from a later version perhaps, must not take the other parlors along.
    address: String,
    /// By TCP without TLS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    plain: bool,
    /// When.
    at: Time,
}

impl Visit {
    /// A visit to a parlor of this name, at this address, by TCP without TLS or not.
    pub fn new(name: Line, address: &Address, plain: bool, at: Time) -> Self {
        Self { name, address: address.to_string(), plain, at }
    }

    /// What the parlor was called.
    pub fn name(&self) -> &Line {
        &self.name
    }

    /// Where it was; `None` if that is not understood.
    pub fn address(&self) -> Option<Address> {
        self.address.parse().ok()
    }

    /// Whether it was by TCP without TLS.
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// When it was.
    pub fn at(&self) -> Time {
        self.at
    }
}

/// What is remembered of one room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct KnownRoom {
    /// What it rings for, where that is not the usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<Rule>,
    /// It stands before the others.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pinned: bool,
    /// When it was in sight last.
    #[serde(skip_serializing_if = "Option::is_none")]
    visited: Option<Time>,
}

/// One thing changes in a parlor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomChange {
    /// Which parlor.
    pub parlor: Uuid,
    /// What changes there.
    pub what: What,
}

/// See [`RoomChange`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// What a room rings for.
    Rule(RoomName, Rule),
    /// A room is pinned, or not any more.
    Pinned(RoomName, bool),
    /// A room is open: behind the others, unless it was open already.
    Opened(RoomName),
    /// A room is not open any more.
    Closed(RoomName),
    /// The open rooms stand in this order; those that are not named, behind these.
    Order(Vec<RoomName>),
    /// Rooms were in sight, and when last.
    Visited(Vec<(RoomName, Time)>),
    /// One came in.
    Came(Visit),
}

impl KnownRooms {
    /// Makes one change.
    ///
    /// # Errors
    /// A sentence that says what to do, when there is no place for it.
    pub fn apply(&mut self, change: &RoomChange) -> Result<(), String> {
        let parlor = self.parlors.entry(change.parlor).or_default();
        match &change.what {
            What::Rule(name, rule) => parlor.room(name)?.rule = Some(*rule),
            What::Pinned(name, pinned) => parlor.room(name)?.pinned = *pinned,
            What::Opened(name) => {
                if !parlor.open.contains(name) && parlor.open.len() < OPEN {
                    parlor.open.push(name.clone());
                }
            }
            What::Closed(name) => parlor.open.retain(|open| open != name),
            What::Order(order) => {
                let mut rest = std::mem::take(&mut parlor.open);
                rest.retain(|name| !order.contains(name));
                parlor.open = order.iter().chain(&rest).take(OPEN).cloned().collect();
            }
            What::Visited(visits) => {
                for (name, at) in visits {
                    // Where all places are taken by what was set, this is the least.
                    if let Ok(room) = parlor.room(name) {
                        room.visited = room.visited.max(Some(*at));
                    }
                }
            }
            What::Came(visit) => parlor.last = Some(visit.clone()),
        }
        parlor.rooms.retain(|_, room| *room != KnownRoom::default());
        self.parlors.retain(|_, parlor| *parlor != KnownParlor::default());
        self.forget_parlors(change.parlor);
        Ok(())
    }

    /// The last visit to each parlor, by its number.
    pub(crate) fn visits(&self) -> impl Iterator<Item = (Uuid, &Visit)> {
        self.parlors.iter().filter_map(|(id, parlor)| Some((*id, parlor.last.as_ref()?)))
    }

    /// The rooms that were open in a parlor, in their order.
    pub(crate) fn open(&self, parlor: Uuid) -> &[RoomName] {
        self.parlors.get(&parlor).map_or(&[], |parlor| &parlor.open)
    }

    /// What a room rings for, if that was set.
    pub(crate) fn rule(&self, parlor: Uuid, room: &RoomName) -> Option<Rule> {
        self.room(parlor, room)?.rule
    }

    /// Whether a room stands before the others.
    pub(crate) fn is_pinned(&self, parlor: Uuid, room: &RoomName) -> bool {
        self.room(parlor, room).is_some_and(|room| room.pinned)
    }

    /// When a room was in sight last.
    pub(crate) fn visited(&self, parlor: Uuid, room: &RoomName) -> Option<Time> {
        self.room(parlor, room)?.visited
    }

    fn room(&self, parlor: Uuid, room: &RoomName) -> Option<&KnownRoom> {
        self.parlors.get(&parlor)?.rooms.get(room)
    }

    /// Forgets parlors, if there are too many, but never the one that `kept` names.
    fn forget_parlors(&mut self, kept: Uuid) {
        while self.parlors.len() > PARLORS {
            let last = |parlor: &KnownParlor| {
                let rooms = parlor.rooms.values().filter_map(|room| room.visited);
                rooms.chain(parlor.last.as_ref().map(Visit::at)).max()
            };
            let others = self.parlors.iter().filter(|(id, _)| **id != kept);
            let Some(oldest) = others.min_by_key(|(_, parlor)| last(parlor)).map(|(id, _)| *id) else {
                return;
            };
            self.parlors.remove(&oldest);
        }
    }
}

impl KnownParlor {
    /// A room, to be changed. Where there are too many, another one is forgotten.
    fn room(&mut self, name: &RoomName) -> Result<&mut KnownRoom, String> {
        if self.rooms.len() >= ROOMS && !self.rooms.contains_key(name) {
            let nothing_set = self.rooms.iter().filter(|(_, room)| room.rule.is_none() && !room.pinned);
            let oldest = nothing_set.min_by_key(|(_, room)| room.visited).map(|(name, _)| name.clone());
            let full = || format!("{ROOMS} rooms are pinned or have a rule: remove some from {FILE}");
            self.rooms.remove(&oldest.ok_or_else(full)?);
        }
        Ok(self.rooms.entry(name.clone()).or_default())
    }
}

/// The file that keeps it.
#[derive(Clone, Debug)]
pub struct KnownRoomsFile {
    path: PathBuf,
}

impl KnownRoomsFile {
    /// The one in this folder, which is made when there is something to keep.
    pub fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join(FILE) }
    }

    /// What is remembered; nothing where there is no file.
    ///
    /// # Errors
    /// When there is one and it cannot be read or understood.
    pub fn load(&self) -> Result<KnownRooms, StoreError> {
        let reading = |error| StoreError::reading(&self.path, error);
        let invalid = |why: String| reading(io::Error::new(io::ErrorKind::InvalidData, why));
        let file = match std::fs::File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(KnownRooms::default()),
            Err(error) => return Err(reading(error)),
        };
        let mut text = String::new();
        file.take(FILE_BYTES + 1).read_to_string(&mut text).map_err(reading)?;
        if text.len() as u64 > FILE_BYTES {
            return Err(invalid(format!("it has more than {} MiB: move it away", FILE_BYTES >> 20)));
        }
        toml::from_str(&text).map_err(|error| invalid(error.message().to_owned()))
    }

    /// Keeps one change. What another client has changed meanwhile stays; so does a file that is not understood.
    ///
    /// # Errors
    /// When the file cannot be read, understood or written.
    pub fn keep(&self, change: &RoomChange) -> Result<(), StoreError> {
        let _lock = lock(&self.path)?;
        let before = self.load()?;
        let mut known = before.clone();
        // What there is no place for was refused where it was asked.
        if known.apply(change).is_err() || known == before {
            return Ok(());
        }
        let text = toml::to_string(&known).map_err(|error| {
            StoreError::reading(&self.path, io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
        })?;
        replace(&self.path, &format!("{ABOUT}{text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tui::script::room_name;

    const DEN: Uuid = Uuid::from_u128(7);

    fn change(what: What) -> RoomChange {
        RoomChange { parlor: DEN, what }
    }

    fn rooms(names: &[&str]) -> Vec<RoomName> {
        names.iter().map(|name| room_name(name)).collect()
    }

    fn at(millis: i64) -> Time {
        Time::from_millis(1_795_258_920_000 + millis)
    }

    #[test]
    fn what_was_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = KnownRoomsFile::in_folder(&folder.path().join("made"));
        assert_eq!(file.load().unwrap(), KnownRooms::default());
        let direct = RoomName::direct(&[3, 17].into()).unwrap();
        let [lobby, rust, ops] = ["#lobby", "#rust", "#会議室"].map(room_name);
        let changes = [
            What::Opened(lobby.clone()),
            What::Opened(rust.clone()),
            What::Opened(ops.clone()),
            What::Opened(lobby.clone()),
            What::Rule(rust.clone(), Rule::Nothing),
            What::Pinned(ops.clone(), true),
            What::Pinned(lobby.clone(), true),
            What::Pinned(lobby.clone(), false),
            What::Order(vec![direct.clone(), ops.clone()]),
            What::Closed(rust.clone()),
            What::Visited(vec![(ops.clone(), at(9)), (lobby.clone(), at(1))]),
            What::Visited(vec![(ops.clone(), at(5))]),
        ];
        for what in changes {
            file.keep(&change(what)).unwrap();
        }
        let known = file.load().unwrap();
        assert_eq!(known.open(DEN), [direct, ops.clone(), lobby.clone()]);
        assert_eq!((known.rule(DEN, &rust), known.rule(DEN, &ops)), (Some(Rule::Nothing), None));
        assert_eq!([&ops, &lobby].map(|room| known.is_pinned(DEN, room)), [true, false]);
        assert_eq!(
            [&ops, &lobby, &rust].map(|room| known.visited(DEN, room)),
            [Some(at(9)), Some(at(1)), None]
        );
        // Another parlor may have rooms of the same names.
        assert!(known.open(Uuid::nil()).is_empty() && !known.is_pinned(Uuid::nil(), &ops));
        let text = std::fs::read_to_string(folder.path().join("made").join(FILE)).unwrap();
        assert!(text.starts_with("# What parlor remembers") && text.contains("rule = \"nothing\""), "{text}");
    }

    #[test]
    fn a_file_that_is_not_understood_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = KnownRoomsFile::in_folder(folder.path());
        let path = folder.path().join(FILE);
        for damaged in [
            "open = maybe",
            "[\"no number\"]\nopen = []",
            "[\"00000000-0000-0000-0000-000000000007\"]\nopen = [\"#a\\u001b\"]",
        ] {
            std::fs::write(&path, damaged).unwrap();
            assert!(file.load().unwrap_err().to_string().contains(FILE), "{damaged}");
            assert!(file.keep(&change(What::Opened(room_name("#a")))).is_err());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), damaged);
        }
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(file.load().is_err() && file.keep(&change(What::Closed(room_name("#a")))).is_err());
    }

    #[test]
    fn what_changes_nothing_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = KnownRoomsFile::in_folder(folder.path());
        file.keep(&change(What::Closed(room_name("#a")))).unwrap();
        let path = folder.path().join(FILE);
        assert!(!path.exists());
        file.keep(&change(What::Opened(room_name("#a")))).unwrap();
        let written = std::fs::read_to_string(&path).unwrap() + "# mine\n";
        std::fs::write(&path, &written).unwrap();
        file.keep(&change(What::Opened(room_name("#a")))).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), written);
    }

    #[test]
    fn two_clients_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = KnownRoomsFile::in_folder(folder.path());
        let writers = (0..4).map(|writer| {
            let file = file.clone();
            std::thread::spawn(move || {
                for number in 0..10 {
                    file.keep(&change(What::Opened(room_name(&format!("#r{writer}-{number}"))))).unwrap();
                }
            })
        });
        writers.collect::<Vec<_>>().into_iter().for_each(|writer| writer.join().unwrap());
        assert_eq!(file.load().unwrap().open(DEN).len(), 40);
    }

    #[test]
    fn a_visit_is_remembered_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = KnownRoomsFile::in_folder(folder.path());
        let visit = |address: &str, plain, millis| {
            Visit::new(Line::lossy("the den"), &address.parse().unwrap(), plain, at(millis))
        };
        file.keep(&change(What::Came(visit("den.example", false, 1)))).unwrap();
        file.keep(&change(What::Came(visit("10.0.0.7:9", true, 2)))).unwrap();
        let known = file.load().unwrap();
        let [(DEN, last)] = known.visits().collect::<Vec<_>>()[..] else { panic!("{known:?}") };
        assert_eq!(last, &visit("10.0.0.7:9", true, 2));
        // What a later version calls an address is none, and takes nothing else along.
        let path = folder.path().join(FILE);
        let text = std::fs::read_to_string(&path).unwrap().replace("10.0.0.7:9", "moon://sea of rains");
        std::fs::write(&path, text).unwrap();
        let known = file.load().unwrap();
        assert_eq!(known.visits().filter_map(|(_, visit)| visit.address()).count(), 0);
        file.keep(&change(What::Opened(room_name("#a")))).unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().contains("sea of rains"));
    }

    #[test]
    fn there_is_an_end_of_all_of_it() {
        let mut known = KnownRooms::default();
        let name = |number: usize| room_name(&format!("#r{number}"));
        for number in 0..ROOMS + 10 {
            let visit = vec![(name(number), at(number.try_into().unwrap()))];
            known.apply(&change(What::Visited(visit))).unwrap();
            known.apply(&change(What::Opened(name(number)))).unwrap();
        }
        assert_eq!((known.open(DEN).len(), known.visited(DEN, &name(9))), (OPEN, None));
        assert_eq!(known.visited(DEN, &name(10)), Some(at(10)));
        for number in 0..ROOMS {
            known.apply(&change(What::Pinned(name(number), true))).unwrap();
        }
        let refused = known.apply(&change(What::Rule(name(ROOMS), Rule::All))).unwrap_err();
        assert!(refused.contains(FILE), "{refused}");
        known.apply(&change(What::Visited(vec![(name(ROOMS), at(0))]))).unwrap();
        assert_eq!(known.visited(DEN, &name(ROOMS)), None);
        for number in 0..PARLORS + 10 {
            let what = What::Visited(vec![(name(0), at(number.try_into().unwrap()))]);
            known.apply(&RoomChange { parlor: Uuid::from_u128(100 + number as u128), what }).unwrap();
        }
        assert_eq!(known.parlors.len(), PARLORS);
        assert!(known.visited(Uuid::from_u128(100 + PARLORS as u128), &name(0)).is_some());
        assert_eq!(known.open(Uuid::from_u128(100)), rooms(&[]));
    }
}
