//! A room: who is in it, and the channel to them. No socket and no clock.
//!
//! Presence is gathered: changes wait until [`Room::tell_news`], which the hub calls at most every 100 ms.
//! Whoever joins gets the list *as it was last told*, and every change since then by the next telling, so
//! that one encoded list serves all who come in between.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::broadcast;

use super::batch::Batch;
use crate::protocol::event::{Event, Person, Presence, Renamed, RoomInfo, Typing};
use crate::protocol::frame::Frame;
use crate::protocol::limits::{CHANNEL_BATCHES, LIST_ITEMS, TYPING_TOLD};
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::text::Line;

/// What passes through a room's channel.
#[derive(Clone, Debug)]
pub enum Passing {
    /// Entries of the log.
    Entries(Batch),
    /// News that is not in the log; whoever misses it gets a fresh list.
    News(Bytes),
    /// The author with this number is writing: news for all but them, and nothing to anyone who misses it.
    Typing(u64, Bytes),
}

/// The fast path to everyone in a room, and the mark up to which the log has been sent along it.
#[derive(Debug)]
pub struct Channel {
    sender: broadcast::Sender<Passing>,
    published: AtomicU64,
}

impl Channel {
    fn new(published: u64) -> Arc<Self> {
        let (sender, _) = broadcast::channel(CHANNEL_BATCHES);
        Arc::new(Self { sender, published: AtomicU64::new(published) })
    }

    /// The last `seq` that was sent along the channel. Every batch that comes later starts after a
    /// value that this has had: whoever reads the log exactly to here meets the channel again.
    pub fn published(&self) -> u64 {
        self.published.load(Ordering::Acquire)
    }

    /// Sends committed entries to everyone who listens. Only the publisher does this.
    pub fn publish(&self, batch: Batch) {
        self.published.store(batch.last, Ordering::Release);
        self.pass(Passing::Entries(batch));
    }

    fn pass(&self, passing: Passing) {
        // An error says that nobody listens: then nobody misses anything.
        drop(self.sender.send(passing));
    }

    fn subscribe(&self) -> broadcast::Receiver<Passing> {
        self.sender.subscribe()
    }
}

/// What a joining connection gets.
#[derive(Debug)]
pub struct Joined {
    /// There was no such room before.
    pub made: bool,
    /// To see how far the log has been sent.
    pub channel: Arc<Channel>,
    /// Subscribed before `info` was read, so that nothing falls between.
    pub receiver: broadcast::Receiver<Passing>,
    /// The room as it is.
    pub info: RoomInfo,
    /// Who is there: a `presence` frame.
    pub people: Bytes,
}

/// Changes that were not told yet.
#[derive(Debug, Default)]
struct News {
    /// Who came, went or changed since the last telling, as they were told of then.
    before: BTreeMap<Nick, Option<Person>>,
    renamed: Vec<Renamed>,
}

/// One room.
#[derive(Debug)]
pub struct Room {
    name: RoomName,
    topic: Line,
    /// The first entry of its log that has not expired.
    first: u64,
    members: BTreeMap<Nick, Person>,
    channel: Arc<Channel>,
    /// Something is in its log, or on its way there.
    spoken_in: bool,
    news: News,
    /// The list of people as it was last told, encoded.
    told: Bytes,
}

impl Room {
    /// A room with nobody in it, whose log goes up to `last`.
    pub fn new(name: RoomName, topic: Line, last: u64) -> Self {
        let mut room = Self {
            name,
            topic,
            first: 1,
            members: BTreeMap::new(),
            channel: Channel::new(last),
            spoken_in: last > 0,
            news: News::default(),
            told: Bytes::new(),
        };
        room.told = room.encode_people();
        room
    }

    /// The way to everyone in it.
    pub fn channel(&self) -> &Arc<Channel> {
        &self.channel
    }

    /// Whether anyone is in it.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether anything is in its log, or on its way there.
    pub fn was_spoken_in(&self) -> bool {
        self.spoken_in
    }

    /// Something is on its way to its log.
    pub fn note_spoken(&mut self) {
        self.spoken_in = true;
    }

    /// How many are in it.
    pub fn here(&self) -> usize {
        self.members.len()
    }

    /// People in it, by nick, at most [`LIST_ITEMS`].
    pub fn people(&self) -> Vec<Person> {
        self.members.values().take(LIST_ITEMS).cloned().collect()
    }

    /// The room as lists tell it.
    pub fn info(&self) -> RoomInfo {
        RoomInfo {
            room: self.name.clone(),
            topic: self.topic.clone(),
            here: self.here(),
            last: self.channel.published(),
            first: (self.first > 1).then_some(self.first),
            members: Vec::new(),
        }
    }

    /// The list of people as it was last told, a `presence` frame.
    pub fn told(&self) -> Bytes {
        self.told.clone()
    }

    /// The topic, as an entry of the log set it.
    pub fn set_topic(&mut self, topic: Line) {
        self.topic = topic;
    }

    /// The first entry of its log that has not expired.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// What comes before this entry has expired.
    pub fn set_first(&mut self, first: u64) {
        self.first = first;
    }

    /// Somebody comes in.
    pub fn enter(&mut self, person: Person) {
        if !self.members.contains_key(&person.nick) {
            self.change(person);
        }
    }

    /// Somebody who is in it is something else than before.
    pub fn update(&mut self, person: Person) {
        if self.members.contains_key(&person.nick) {
            self.change(person);
        }
    }

    fn change(&mut self, person: Person) {
        let nick = person.nick.clone();
        let before = self.members.insert(nick.clone(), person);
        self.news.before.entry(nick).or_insert(before);
    }

    /// Somebody leaves.
    pub fn leave(&mut self, nick: &Nick) {
        if let Some(person) = self.members.remove(nick) {
            self.news.before.entry(nick.clone()).or_insert(Some(person));
        }
    }

    /// Somebody has another nick: as a change, one leaves and one comes; who is who is told beside it.
    pub fn rename(&mut self, from: &Nick, person: Person) {
        if !self.members.contains_key(from) {
            return;
        }
        let to = person.nick.clone();
        self.leave(from);
        self.enter(person);
        match self.news.renamed.iter_mut().find(|renamed| renamed.to == *from) {
            Some(earlier) => earlier.to = to,
            None => self.news.renamed.push(Renamed { from: from.clone(), to }),
        }
    }

    /// Somebody in it is writing: tells the others, if they are few.
    pub fn tell_typing(&self, author: u64, nick: Nick) {
        if (2..=TYPING_TOLD).contains(&self.here()) {
            let typing = Event::Typing(Typing { room: self.name.clone(), nick });
            self.channel.pass(Passing::Typing(author, Frame::encode(&typing).into_bytes()));
        }
    }

    /// A connection listens from now on.
    pub fn listen(&self) -> Joined {
        Joined {
            made: false,
            receiver: self.channel.subscribe(),
            channel: Arc::clone(&self.channel),
            info: self.info(),
            people: self.told(),
        }
    }

    /// Tells everyone what has changed since the last time.
    pub fn tell_news(&mut self) {
        let News { before, mut renamed } = std::mem::take(&mut self.news);
        let (mut joined, mut left) = (BTreeMap::new(), BTreeSet::new());
        for (nick, before) in before {
            match (self.members.get(&nick), before) {
                (Some(now), before) if Some(now) != before.as_ref() => {
                    joined.insert(nick, now.clone());
                }
                (None, Some(_)) => {
                    left.insert(nick);
                }
                (Some(_), _) | (None, None) => {}
            }
        }
        // Also of one whom nobody was told of yet: they themselves, on another device, must know.
        renamed.retain(|renamed| joined.contains_key(&renamed.to));
        let mut joined = joined.into_values().peekable();
        let mut left = left.into_iter().peekable();
        let mut renamed = renamed.into_iter().peekable();
        // In parts, so that no frame outgrows what a client takes, however many came at once.
        while joined.peek().is_some() || left.peek().is_some() || renamed.peek().is_some() {
            let part = Presence {
                room: self.name.clone(),
                here: self.here(),
                people: None,
                left: left.by_ref().take(LIST_ITEMS).collect(),
                joined: joined.by_ref().take(LIST_ITEMS).collect(),
                renamed: renamed.by_ref().take(LIST_ITEMS).collect(),
            };
            self.channel.pass(Passing::News(Frame::encode(&Event::Presence(part)).into_bytes()));
        }
        self.told = self.encode_people();
    }

    fn encode_people(&self) -> Bytes {
        let list = Presence {
            room: self.name.clone(),
            here: self.here(),
            people: Some(self.people()),
            joined: Vec::new(),
            left: Vec::new(),
            renamed: Vec::new(),
        };
        Frame::encode(&Event::Presence(list)).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn person(name: &str) -> Person {
        Person { nick: Nick::new(name).unwrap(), guest: true, role: None, away: None }
    }

    fn room() -> Room {
        Room::new(RoomName::new("#a").unwrap(), Line::default(), 0)
    }

    fn presence(bytes: &Bytes) -> Presence {
        match Event::decode(&bytes[4..]).unwrap() {
            Event::Presence(presence) => presence,
            other => panic!("{other:?}"),
        }
    }

    /// What a client makes of the list and the news after it.
    fn apply(people: &mut BTreeSet<Nick>, presence: Presence) {
        if let Some(list) = presence.people {
            *people = list.into_iter().map(|person| person.nick).collect();
        }
        for nick in presence.left {
            people.remove(&nick);
        }
        people.extend(presence.joined.into_iter().map(|person| person.nick));
        assert_eq!(people.len(), presence.here);
    }

    #[test]
    fn who_comes_and_goes_within_one_telling_is_not_told() {
        let mut room = room();
        let mut listener = room.listen();
        room.enter(person("alice"));
        room.leave(&person("alice").nick);
        room.tell_news();
        assert!(listener.receiver.try_recv().is_err());
    }

    #[test]
    fn a_new_nick_is_told_with_the_old_one() {
        let mut room = room();
        room.enter(person("alice"));
        room.tell_news();
        let mut listener = room.listen();
        room.rename(&person("alice").nick, person("al"));
        room.rename(&person("al").nick, person("ally"));
        room.tell_news();
        let Ok(Passing::News(bytes)) = listener.receiver.try_recv() else { panic!() };
        let told = presence(&bytes);
        assert_eq!(told.renamed, [Renamed { from: person("alice").nick, to: person("ally").nick }]);
        assert_eq!((told.left, told.joined), (vec![person("alice").nick], vec![person("ally")]));
    }

    #[test]
    fn who_is_typing_is_told_only_where_there_are_others_and_few() {
        let mut room = room();
        let mut listener = room.listen();
        let mut told = Vec::new();
        for n in 0..=TYPING_TOLD {
            room.enter(person(&format!("p{n}")));
            room.tell_typing(7, person("p0").nick);
            if let Ok(Passing::Typing(7, _)) = listener.receiver.try_recv() {
                told.push(n + 1);
            }
        }
        assert_eq!(told, (2..=TYPING_TOLD).collect::<Vec<_>>());
    }

    #[test]
    fn a_crowd_is_told_in_parts() {
        let mut room = room();
        let mut listener = room.listen();
        for n in 0..LIST_ITEMS * 2 + 1 {
            room.enter(person(&format!("p{n}")));
        }
        room.tell_news();
        let mut told = 0;
        while let Ok(Passing::News(bytes)) = listener.receiver.try_recv() {
            told += presence(&bytes).joined.len();
        }
        assert_eq!(told, LIST_ITEMS * 2 + 1);
    }

    proptest! {
        /// Whenever one starts to listen, list and news together give who is there.
        #[test]
        fn list_and_news_give_who_is_there(steps in proptest::collection::vec((0_usize..6, 0_usize..4), 1..60), at in 0_usize..60) {
            let mut room = room();
            let mut listening = None;
            for (index, (who, what)) in steps.iter().enumerate() {
                if index == at {
                    listening = Some(room.listen());
                }
                let someone = person(&format!("p{who}"));
                match what {
                    0 => room.enter(someone),
                    1 => room.leave(&someone.nick),
                    2 => {
                        let other = person(&format!("q{who}"));
                        if room.members.contains_key(&someone.nick) && !room.members.contains_key(&other.nick) {
                            room.rename(&someone.nick, other);
                        }
                    }
                    _ => room.tell_news(),
                }
            }
            room.tell_news();
            if let Some(mut listening) = listening {
                let mut seen = BTreeSet::new();
                for person in presence(&listening.people).people.unwrap() {
                    seen.insert(person.nick);
                }
                while let Ok(Passing::News(bytes)) = listening.receiver.try_recv() {
                    let told = presence(&bytes);
                    for nick in told.left {
                        seen.remove(&nick);
                    }
                    seen.extend(told.joined.into_iter().map(|person| person.nick));
                }
                prop_assert_eq!(seen, room.members.keys().cloned().collect::<BTreeSet<_>>());
            }
            let mut fresh = BTreeSet::new();
            apply(&mut fresh, presence(&room.told()));
            prop_assert_eq!(fresh.len(), room.here());
        }
    }
}
