//! What is to be measured.

use std::ops::RangeInclusive;
use std::time::Duration;

use thiserror::Error;

use super::stamp::STAMP_BYTES;

/// Connections that can be asked for. One machine has about so many ports to leave by to one address.
pub const CONNECTIONS: RangeInclusive<usize> = 1..=60_000;
/// Messages that one sender may have on their way.
pub const IN_FLIGHT: RangeInclusive<usize> = 1..=4_096;
/// Messages a second in all, for those who talk by the clock.
pub const RATE: RangeInclusive<usize> = 1..=1_000_000;
/// Bytes of a text, at least: what it must tell of itself.
pub const PAYLOAD_SHORTEST: usize = STAMP_BYTES;
/// The longest time that can be asked for. Longer is a soak test, and a day of messages is a large log.
pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What is to be measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Connections in all, in [`CONNECTIONS`]. Each hears its room, and so do those that talk.
    pub connections: usize,
    /// Rooms over which they are spread evenly; at most as many.
    pub rooms: usize,
    /// Connections that talk; at most all of them.
    pub senders: usize,
    /// When they say the next thing.
    pub pace: Pace,
    /// Bytes of each text, from [`PAYLOAD_SHORTEST`] to [`crate::protocol::limits::TEXT_BYTES`].
    pub payload: usize,
    /// How long is measured.
    pub duration: Duration,
    /// How long they talk before that.
    pub warm_up: Duration,
}

/// When a sender says the next thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// When an answer has come, so that there are always so many messages of each sender on their way (a closed loop).
    Answers {
        /// Of one sender; in [`IN_FLIGHT`].
        in_flight: usize,
    },
    /// By the clock, answers or not (an open loop).
    Clock {
        /// Messages a second of all senders together; in [`RATE`].
        rate: usize,
    },
}

/// A plan that makes no sense.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Unsound {
    /// Who would talk?
    #[error("{senders} senders are more than {connections} connections: raise --connections")]
    Senders {
        /// Asked for.
        senders: usize,
        /// That there are.
        connections: usize,
    },
    /// Who would be there?
    #[error("{rooms} rooms are more than {connections} connections: raise --connections")]
    Rooms {
        /// Asked for.
        rooms: usize,
        /// That there are.
        connections: usize,
    },
}

impl Plan {
    /// Whether the numbers fit each other.
    ///
    /// # Errors
    /// A sentence that says which option to change.
    pub fn check(&self) -> Result<(), Unsound> {
        let Self { connections, rooms, senders, .. } = *self;
        if senders > connections {
            return Err(Unsound::Senders { senders, connections });
        }
        if rooms > connections {
            return Err(Unsound::Rooms { rooms, connections });
        }
        Ok(())
    }

    /// In which room a connection sits. Those that talk are the first ones, so they are spread evenly too.
    pub(super) fn room_of(&self, connection: usize) -> usize {
        connection % self.rooms.max(1)
    }

    /// Connections in a room.
    pub(super) fn members_of(&self, room: usize) -> usize {
        (self.connections + self.rooms - 1 - room) / self.rooms.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(connections: usize, rooms: usize, senders: usize) -> Plan {
        let pace = Pace::Answers { in_flight: 1 };
        let second = Duration::from_secs(1);
        Plan { connections, rooms, senders, pace, payload: 100, duration: second, warm_up: second }
    }

    #[test]
    fn connections_are_spread_evenly() {
        for (connections, rooms) in [(1, 1), (10, 3), (11, 3), (12, 3), (7, 7)] {
            let plan = plan(connections, rooms, 1);
            for room in 0..rooms {
                let there = (0..connections).filter(|connection| plan.room_of(*connection) == room).count();
                assert_eq!(plan.members_of(room), there, "{connections} in {rooms}");
            }
        }
    }

    #[test]
    fn nobody_talks_who_is_not_there() {
        assert_eq!(plan(5, 5, 5).check(), Ok(()));
        assert_eq!(plan(5, 1, 6).check(), Err(Unsound::Senders { senders: 6, connections: 5 }));
        assert_eq!(plan(5, 6, 1).check(), Err(Unsound::Rooms { rooms: 6, connections: 5 }));
    }
}
