//! One who talks: what is said next, and when.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

use super::plan::{IN_FLIGHT, Pace};
use super::scan::ID_BYTES;
use super::shared::Shared;
use super::stamp::Stamp;
use super::tally::Tally;
use crate::protocol::command::{Command, Send};
use crate::protocol::frame::Frame;
use crate::protocol::name::RoomName;
use crate::protocol::text::{Text, TextError};

const SECOND: u128 = 1_000_000_000;

/// One who talks.
#[derive(Debug)]
pub(super) struct Sender {
    /// Which of them, and of how many.
    pub(super) number: usize,
    pub(super) senders: usize,
    pub(super) pace: Pace,
    pub(super) template: Template,
    /// Rung when there may be something to say.
    pub(super) bell: Arc<Notify>,
    /// Said, and not known to be stored.
    pub(super) in_flight: VecDeque<Said>,
    /// Messages that were said.
    pub(super) said: u64,
    /// Dropped once nothing more is said and all is answered: who listens at the other end knows when all are done.
    pub(super) talking: Option<mpsc::Sender<Infallible>>,
}

/// A message that was said.
#[derive(Debug)]
pub(super) struct Said {
    id: [u8; ID_BYTES],
    stamp: Stamp,
}

impl Sender {
    /// Says what there is to say by now.
    pub(super) fn speak(&mut self, shared: &Shared, tally: &mut Tally, out: &mut BytesMut) {
        let Some(schedule) = shared.schedule.get() else { return };
        let stop = shared.stop();
        while let Some(at) = self.next(schedule.start, shared.now(), stop) {
            let stamp = Stamp { at, counted: at >= schedule.counted_from };
            let id = Uuid::now_v7();
            let mut text = [0; ID_BYTES];
            id.hyphenated().encode_lower(&mut text);
            self.template.append(out, &text, stamp, shared);
            self.in_flight.push_back(Said { id: text, stamp });
            self.said += 1;
            tally.sent += u64::from(stamp.counted);
        }
        if stop != u64::MAX && self.talking.is_some() && self.in_flight.is_empty() {
            tally.unsent += self.due(schedule.start, stop).saturating_sub(self.said);
            self.talking = None;
        }
    }

    /// When what is said next is said, or should have been; nothing while there is nothing to say.
    fn next(&self, start: u64, now: u64, stop: u64) -> Option<u64> {
        let (at, most) = match self.pace {
            Pace::Answers { in_flight } => (now, in_flight),
            Pace::Clock { rate } => (start + self.turn(rate), *IN_FLIGHT.end()),
        };
        (at <= now && at < stop && self.in_flight.len() < most).then_some(at)
    }

    /// When it is our turn, after the start: the senders say one thing each in turn.
    fn turn(&self, rate: usize) -> u64 {
        let before = u128::from(self.said) * self.senders as u128 + self.number as u128;
        u64::try_from(before * SECOND / rate as u128).unwrap_or(u64::MAX)
    }

    /// How many are to be said by the clock before `stop`.
    fn due(&self, start: u64, stop: u64) -> u64 {
        let Pace::Clock { rate } = self.pace else { return self.said };
        let of_all = (u128::from(stop.saturating_sub(start)) * rate as u128).div_ceil(SECOND);
        let ours = of_all.saturating_sub(self.number as u128).div_ceil(self.senders as u128);
        u64::try_from(ours).unwrap_or(u64::MAX)
    }

    /// What was said under this id is stored; `None` for what was not.
    pub(super) fn answered(&mut self, id: &[u8; ID_BYTES]) -> Option<Stamp> {
        // They are answered in the order in which they were said.
        let place = self.in_flight.iter().position(|said| said.id == *id)?;
        self.in_flight.remove(place).map(|said| said.stamp)
    }
}

/// The frame of a message, in which an id and a stamp are filled in: encoded once.
#[derive(Debug)]
pub(super) struct Template {
    frame: Vec<u8>,
    id: usize,
    text: usize,
}

impl Template {
    /// For texts of so many bytes, which are at least those of a stamp.
    ///
    /// # Errors
    /// A text that is too long.
    pub(super) fn new(room: RoomName, payload: usize) -> Result<Self, TextError> {
        let text = Text::new(&"x".repeat(payload))?;
        let id = Uuid::nil();
        let command = Command::Send(Send { id, room, text, action: false, reply_to: None });
        let frame = Frame::encode(&command).into_bytes().to_vec();
        // The encoder has put both there.
        let place = |what: &str| frame.windows(what.len()).position(|bytes| bytes == what.as_bytes());
        let id = place(&id.to_string()).unwrap_or_default();
        let text = place(&"x".repeat(payload)).unwrap_or_default();
        Ok(Self { frame, id, text })
    }

    fn append(&self, out: &mut BytesMut, id: &[u8; ID_BYTES], stamp: Stamp, shared: &Shared) {
        let start = out.len();
        out.extend_from_slice(&self.frame);
        let frame = &mut out[start..];
        frame[self.id..self.id + ID_BYTES].copy_from_slice(id);
        stamp.write(shared.mark, &mut frame[self.text..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sender(number: usize, senders: usize, rate: usize) -> Sender {
        Sender {
            number,
            senders,
            pace: Pace::Clock { rate },
            template: Template::new(RoomName::new("#bench-0").unwrap(), 40).unwrap(),
            bell: Arc::default(),
            in_flight: VecDeque::new(),
            said: 0,
            talking: None,
        }
    }

    #[test]
    fn what_is_late_counts_from_when_it_was_due() {
        let mut sender = sender(1, 2, 1_000);
        // The parlor took nothing for 10 ms: what was due meanwhile has its own moments.
        let mut due = Vec::new();
        while let Some(at) = sender.next(5_000_000, 15_000_000, u64::MAX) {
            due.push(at);
            sender.said += 1;
        }
        assert_eq!(due, [6_000_000, 8_000_000, 10_000_000, 12_000_000, 14_000_000]);
        assert_eq!(sender.next(5_000_000, 60_000_000, 16_000_000), None, "nothing is said behind the end");
    }

    #[test]
    fn who_waits_for_answers_has_so_many_on_the_way() {
        let mut sender = Sender { pace: Pace::Answers { in_flight: 2 }, ..sender(0, 1, 1) };
        assert_eq!(sender.next(0, 7, 8), Some(7));
        for _ in 0..2 {
            let stamp = Stamp { at: 7, counted: true };
            sender.in_flight.push_back(Said { id: [b'0'; ID_BYTES], stamp });
        }
        assert_eq!(sender.next(0, 7, 8), None);
        assert!(sender.answered(&[b'1'; ID_BYTES]).is_none());
        assert_eq!(sender.answered(&[b'0'; ID_BYTES]), Some(Stamp { at: 7, counted: true }));
        assert_eq!(sender.next(0, 7, 8), Some(7));
        assert_eq!(sender.next(0, 8, 8), None);
    }

    proptest! {
        #[test]
        fn as_many_are_due_as_have_their_turn_before_the_end(
            senders in 1_usize..9, number in 0_usize..9, rate in 1_usize..5_000, stop in 0_u64..20_000_000,
        ) {
            let mut sender = sender(number % senders, senders, rate);
            let due = sender.due(0, stop);
            while sender.turn(rate) < stop {
                sender.said += 1;
            }
            prop_assert_eq!(due, sender.said);
        }
    }

    #[test]
    fn a_message_is_a_command_with_its_stamp_in_the_text() {
        let plan = crate::client::bench::Plan {
            connections: 1,
            rooms: 1,
            senders: 1,
            pace: Pace::Answers { in_flight: 1 },
            payload: 40,
            duration: std::time::Duration::from_secs(1),
            warm_up: std::time::Duration::ZERO,
        };
        let shared = Shared::new(&plan).unwrap();
        let (id, stamp) = (Uuid::now_v7(), Stamp { at: 77, counted: true });
        let mut out = BytesMut::new();
        let text = id.to_string();
        sender(0, 1, 1).template.append(&mut out, text.as_bytes().try_into().unwrap(), stamp, &shared);
        let Ok(Command::Send(send)) = Command::decode(&out[4..]) else { panic!("no message") };
        assert_eq!((send.id, send.text.as_str().len()), (id, 40));
        assert_eq!(Stamp::read(shared.mark, send.text.as_str().as_bytes()), Some(stamp));
    }
}
