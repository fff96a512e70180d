//! What the link remembers from one connection to the next: the rooms that it sits in and how far it has read
//! them, and what it was told to say and nobody has confirmed. Knows no socket and no clock.

use std::collections::{BTreeMap, VecDeque};

use uuid::Uuid;

use super::IN_FLIGHT;
use super::ending::Break;
use crate::protocol::command::{Command, Join, RequestId};
use crate::protocol::event::{Entry, Gap, Okay};
use crate::protocol::name::RoomName;
use crate::protocol::proof::Passphrase;

/// A room that we want to be in.
#[derive(Debug)]
struct Seat {
    /// The last `seq` that was delivered.
    cursor: u64,
    /// See [`Join::limit`].
    limit: Option<u64>,
    /// See [`Join::words`].
    words: Option<Passphrase>,
    /// The limit is for the beginning only; see [`super::Link::follow`].
    follow: bool,
    /// The beginning is over: the cursor has moved, or there was nothing to move over.
    begun: bool,
    /// The `re` of the join that is to come or under way. It stays the same until it is answered, so that
    /// whoever asked hears of it, also after a break.
    joining: Option<RequestId>,
    /// The cursor that the last join gave.
    joined_after: u64,
}

impl Seat {
    fn limit(&self) -> Option<u64> {
        if self.follow && self.begun { None } else { self.limit }
    }

    /// The command that takes this seat in `room` again.
    fn rejoin(&mut self, room: &RoomName) -> Command {
        let id = self.joining.get_or_insert_with(|| Uuid::now_v7().into()).clone();
        self.joined_after = self.cursor;
        Command::Join(Join {
            id: Some(id),
            room: room.clone(),
            after: self.cursor,
            limit: self.limit(),
            words: self.words.clone(),
        })
    }

    fn move_to(&mut self, cursor: u64) {
        self.cursor = cursor;
        self.begun = true;
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Memory {
    rooms: BTreeMap<RoomName, Seat>,
    /// Messages not yet sent on this connection.
    waiting: VecDeque<Command>,
    /// Messages sent on this connection and not acknowledged.
    on_their_way: VecDeque<Command>,
    /// Questions asked on this connection and not answered: they are not asked again.
    questions: Vec<RequestId>,
}

/// What an answer has settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// No message.
    Nothing,
    /// A message that was on its way.
    Sent,
    /// A message that was to be sent again, if any.
    Waiting,
}

impl Memory {
    // --- rooms --------------------------------------------------------------------------------

    /// Takes a seat in a room, or keeps the cursor of the one that there is; [`Memory::rejoin`] tells the server.
    pub(super) fn sit_down(&mut self, join: Join, follow: bool) {
        let cursor = self.rooms.get(&join.room).map_or(join.after, |seat| seat.cursor);
        let joining = Some(join.id.clone().unwrap_or_else(|| Uuid::now_v7().into()));
        let Join { room, limit, words, .. } = join;
        let seat = Seat { cursor, limit, words, follow, begun: false, joining, joined_after: cursor };
        self.rooms.insert(room, seat);
    }

    pub(super) fn stand_up(&mut self, room: &RoomName) {
        self.rooms.remove(room);
    }

    /// The command that takes our seat in `room` again, from the cursor.
    pub(super) fn rejoin(&mut self, room: &RoomName) -> Option<Command> {
        let seat = self.rooms.get_mut(room)?;
        Some(seat.rejoin(room))
    }

    /// The same for every room.
    pub(super) fn rejoin_all(&mut self) -> impl Iterator<Item = Command> {
        self.rooms.iter_mut().map(|(room, seat)| seat.rejoin(room))
    }

    /// The join with this id was refused: the seat is given up. Says which room that was.
    pub(super) fn refuse(&mut self, re: &RequestId) -> Option<RoomName> {
        let refused = |seat: &Seat| seat.joining.as_ref() == Some(re);
        let room = self.rooms.iter().find(|(_, seat)| refused(seat))?.0.clone();
        self.rooms.remove(&room);
        Some(room)
    }

    /// It is another log: every room begins at its beginning.
    pub(super) fn begin_again(&mut self) {
        for seat in self.rooms.values_mut() {
            (seat.cursor, seat.begun) = (0, false);
        }
    }

    /// Whether `entry` is the next of a room that we sit in. One that came already is not, and a hole
    /// ends the connection: the next one starts from the cursor.
    pub(super) fn move_cursor(&mut self, entry: &Entry) -> Result<bool, Break> {
        let Some(seat) = self.rooms.get_mut(&entry.room) else { return Ok(false) };
        if entry.seq <= seat.cursor {
            return Ok(false);
        }
        if entry.seq != seat.cursor + 1 {
            return Err(Break::Hole(entry.room.clone()));
        }
        seat.move_to(entry.seq);
        Ok(true)
    }

    /// Whether `gap` is of a room that we sit in. One that does not begin at the cursor is a hole.
    pub(super) fn skip(&mut self, gap: &Gap) -> Result<bool, Break> {
        let Some(seat) = self.rooms.get_mut(&gap.room) else { return Ok(false) };
        // After the largest number there is, nothing can follow.
        if Some(gap.from) != seat.cursor.checked_add(1) || gap.to < gap.from {
            return Err(Break::Hole(gap.room.clone()));
        }
        seat.move_to(gap.to);
        Ok(true)
    }

    /// What the answer to a join says of the room.
    pub(super) fn note(&mut self, okay: &Okay) {
        let Some(info) = &okay.room else { return };
        let Some(seat) = self.rooms.get_mut(&info.room).filter(|seat| seat.joining == okay.re) else {
            return;
        };
        seat.joining = None;
        // A log that is shorter than we remember was restored from an older copy.
        if info.last < seat.joined_after {
            seat.cursor = info.last;
        }
        seat.begun |= seat.cursor >= info.last;
    }

    // --- messages and questions ---------------------------------------------------------------

    /// Keeps a message until it is acknowledged.
    pub(super) fn keep(&mut self, message: Command) {
        self.waiting.push_back(message);
    }

    /// The next message, which is on its way from now on; not more than [`IN_FLIGHT`] are.
    pub(super) fn next_to_send(&mut self) -> Option<&Command> {
        if self.on_their_way.len() >= IN_FLIGHT {
            return None;
        }
        let rooms = &self.rooms;
        // A message goes only where we already sit: the join's answer comes first.
        let message = self.waiting.pop_front_if(|message| {
            message.adds_to().is_none_or(|room| rooms.get(room).is_none_or(|seat| seat.joining.is_none()))
        })?;
        self.on_their_way.push_back(message);
        self.on_their_way.back()
    }

    pub(super) fn is_any_on_its_way(&self) -> bool {
        !self.on_their_way.is_empty()
    }

    /// What was on its way waits again, before everything else, in its order.
    pub(super) fn take_back(&mut self) {
        while let Some(message) = self.on_their_way.pop_back() {
            self.waiting.push_front(message);
        }
    }

    /// Whether `re` is a message that is not acknowledged.
    pub(super) fn is_ours(&self, re: Option<&RequestId>) -> bool {
        let mut ours = self.on_their_way.iter().chain(&self.waiting);
        re.is_some() && ours.any(|message| message.request_id().as_ref() == re)
    }

    pub(super) fn is_all_acknowledged(&self) -> bool {
        self.on_their_way.is_empty() && self.waiting.is_empty()
    }

    /// A question was asked on this connection. That somebody is typing is none: nobody answers it.
    pub(super) fn ask(&mut self, question: &Command) {
        let asked = (!matches!(question, Command::Typing(_))).then(|| question.request_id());
        self.questions.extend(asked.flatten());
    }

    /// `re` was answered. `held`: messages that the server may have stored wait to be sent again.
    pub(super) fn tick_off(&mut self, re: &RequestId, held: bool) -> Settled {
        let is_it = |message: &Command| message.request_id().as_ref() == Some(re);
        if let Some(place) = self.questions.iter().position(|question| question == re) {
            self.questions.swap_remove(place);
            Settled::Nothing
        } else if let Some(place) = self.on_their_way.iter().position(is_it) {
            // The oldest is the likeliest.
            self.on_their_way.remove(place);
            Settled::Sent
        } else if held {
            // Stored after all. Only then is a long line of waiting ones searched.
            self.waiting.retain(|message| !is_it(message));
            Settled::Waiting
        } else {
            Settled::Nothing
        }
    }

    /// The connection is over: the questions that nobody has answered on it.
    pub(super) fn unanswered(&mut self) -> Vec<RequestId> {
        std::mem::take(&mut self.questions)
    }

    /// It is over for good: the messages that nobody has acknowledged.
    pub(super) fn unsent(mut self) -> Vec<Command> {
        self.take_back();
        self.waiting.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::command::{Delete, Edit, Plain, React, Send};
    use crate::protocol::emoji::Emoji;
    use crate::protocol::event::{EntryKind, EntryText, RoomInfo};
    use crate::protocol::name::Nick;
    use crate::protocol::text::{Line, Text};
    use crate::protocol::time::Time;

    fn room() -> RoomName {
        RoomName::new("#a").unwrap()
    }

    fn message() -> Command {
        let text = Text::new("x").unwrap();
        Command::Send(Send { id: Uuid::now_v7(), room: room(), text, action: false, reply_to: None })
    }

    fn entry(seq: u64) -> Entry {
        Entry {
            kind: EntryKind::Message,
            room: room(),
            seq,
            id: Uuid::nil(),
            at: Time::from_millis(0),
            from: Nick::new("bob").unwrap(),
            text: EntryText::default(),
            action: false,
            reply_to: None,
            author: None,
            target: None,
            off: false,
            now: None,
        }
    }

    fn gap(from: u64, to: u64) -> Gap {
        Gap { room: room(), from, to }
    }

    /// The answer to a join.
    fn okay(re: Option<RequestId>, last: u64) -> Okay {
        let info = RoomInfo {
            room: room(),
            topic: Line::default(),
            here: 1,
            last,
            first: None,
            members: Vec::new(),
        };
        Okay { re, room: Some(info), ..Okay::default() }
    }

    fn seated(after: u64, limit: Option<u64>, follow: bool) -> Memory {
        let mut memory = Memory::default();
        memory.sit_down(Join { id: None, room: room(), after, limit, words: None }, follow);
        memory
    }

    fn rejoin(memory: &mut Memory) -> Join {
        let Some(Command::Join(join)) = memory.rejoin(&room()) else { panic!("no join") };
        join
    }

    #[test]
    fn a_cursor_moves_by_what_comes_next_and_nothing_else() {
        let mut memory = seated(3, None, false);
        assert!(!memory.move_cursor(&entry(3)).unwrap(), "it came already");
        assert!(memory.move_cursor(&entry(4)).unwrap());
        assert!(matches!(memory.move_cursor(&entry(6)), Err(Break::Hole(_))));
        assert!(memory.skip(&gap(5, 9)).unwrap());
        for hole in [gap(5, 12), gap(11, 12), gap(10, 9)] {
            assert!(matches!(memory.skip(&hole), Err(Break::Hole(_))), "{hole:?}");
        }
        assert_eq!(rejoin(&mut memory).after, 9);
        assert!(memory.skip(&gap(10, u64::MAX)).unwrap());
        assert!(matches!(memory.skip(&gap(0, 1)), Err(Break::Hole(_))));
        assert!(!memory.move_cursor(&entry(u64::MAX)).unwrap());
        memory.stand_up(&room());
        assert!(!memory.move_cursor(&entry(10)).unwrap() && !memory.skip(&gap(10, 12)).unwrap());
    }

    #[test]
    fn a_join_keeps_its_id_until_it_is_answered() {
        let mut memory = seated(0, Some(5), true);
        let first = rejoin(&mut memory);
        assert_eq!(rejoin(&mut memory), first);
        memory.note(&okay(RequestId::new("another"), 0));
        assert_eq!(rejoin(&mut memory), first);
        memory.note(&okay(first.id.clone(), 0));
        let second = rejoin(&mut memory);
        assert_ne!(second.id, first.id);
        assert_eq!(second.limit, None, "the beginning of an empty room is over at once");
        assert_eq!(memory.refuse(&second.id.unwrap()), Some(room()));
        assert!(memory.rejoin(&room()).is_none());
    }

    #[test]
    fn messages_wait_for_their_room_and_keep_their_order() {
        let mut memory = seated(0, None, false);
        let said = [message(), message(), message()];
        said.iter().for_each(|message| memory.keep(message.clone()));
        assert!(memory.next_to_send().is_none());
        let join = rejoin(&mut memory);
        memory.note(&okay(join.id, 0));
        assert_eq!(memory.next_to_send(), Some(&said[0]));
        assert_eq!(memory.next_to_send(), Some(&said[1]));
        let id = |message: &Command| message.request_id().unwrap();
        assert_eq!(memory.tick_off(&id(&said[0]), false), Settled::Sent);
        memory.take_back();
        // Now it waits, and its answer is looked for only when it may come.
        assert_eq!(memory.tick_off(&id(&said[1]), false), Settled::Nothing);
        assert!(memory.is_ours(Some(&id(&said[1]))));
        assert_eq!(memory.tick_off(&id(&said[1]), true), Settled::Waiting);
        assert_eq!(memory.next_to_send(), Some(&said[2]));
        assert_eq!(memory.unsent(), said[2..]);
    }

    #[test]
    fn changes_are_said_again_like_messages() {
        let (id, text) = (Uuid::now_v7(), Text::new("y").unwrap());
        let emoji = Emoji::new("👍").unwrap();
        let changes = [
            Command::Edit(Edit { id, room: room(), seq: 1, text }),
            Command::Delete(Delete { id: Uuid::now_v7(), room: room(), seq: 1 }),
            Command::React(React { id: Uuid::now_v7(), room: room(), seq: 1, emoji, off: false }),
        ];
        let mut memory = seated(0, None, false);
        for change in &changes {
            assert!(change.adds_to().is_some());
            memory.keep(change.clone());
        }
        assert!(memory.next_to_send().is_none(), "only where we sit");
        let join = rejoin(&mut memory);
        memory.note(&okay(join.id, 1));
        assert_eq!(memory.next_to_send(), Some(&changes[0]));
        memory.take_back();
        assert_eq!(memory.next_to_send(), Some(&changes[0]), "under the same id");
        assert_eq!(memory.tick_off(&id.into(), false), Settled::Sent);
        assert_eq!(memory.unsent(), changes[1..]);
    }

    #[test]
    fn no_more_is_on_its_way_than_may_be() {
        let mut memory = Memory::default();
        (0..=IN_FLIGHT).for_each(|_| memory.keep(message()));
        assert_eq!(std::iter::from_fn(|| memory.next_to_send().cloned()).count(), IN_FLIGHT);
        memory.take_back();
        assert_eq!(std::iter::from_fn(|| memory.next_to_send().cloned()).count(), IN_FLIGHT);
        assert_eq!(memory.unsent().len(), IN_FLIGHT + 1);
    }

    #[test]
    fn a_question_is_answered_or_left_over() {
        let mut memory = Memory::default();
        for id in ["a", "b"] {
            memory.ask(&Command::Rooms(Plain { id: RequestId::new(id) }));
        }
        assert_eq!(memory.tick_off(&RequestId::new("a").unwrap(), true), Settled::Nothing);
        assert_eq!(memory.unanswered(), [RequestId::new("b").unwrap()]);
        assert!(memory.unanswered().is_empty());
    }
}
