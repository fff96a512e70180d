//! Where a command for scripts talks or listens: in a room, or with some people alone.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use uuid::Uuid;

use super::link::Update;
use crate::protocol::command::{self, Command, Direct, History, RequestId};
use crate::protocol::event::{ErrorCode, Event, Failure};
use crate::protocol::limits::DIRECT_PEOPLE;
use crate::protocol::name::{NameError, Nick, RoomName};

/// What may be typed for a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A room, with or without its `#`.
    Room(RoomName),
    /// `@bob` or `@bob,carol`: the room in which one speaks with these alone.
    People(Vec<Nick>),
}

/// Neither a room nor people.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PlaceError {
    /// A name that is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// More than speak alone.
    #[error("{} people at most speak alone: make a room for more", DIRECT_PEOPLE)]
    TooMany,
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(typed: &str) -> Result<Self, PlaceError> {
        let Some(people) = typed.strip_prefix('@') else { return Ok(Self::Room(RoomName::typed(typed)?)) };
        let names = people.split(',').map(|name| name.strip_prefix('@').unwrap_or(name));
        let people: Vec<Nick> = names.map(Nick::new).collect::<Result<_, _>>()?;
        if people.len() >= DIRECT_PEOPLE { Err(PlaceError::TooMany) } else { Ok(Self::People(people)) }
    }
}

/// As it may be typed.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Room(room) => room.fmt(f),
            Self::People(people) => {
                let people: Vec<&str> = people.iter().map(Nick::as_str).collect();
                write!(f, "@{}", people.join(","))
            }
        }
    }
}

/// What a direct room is called: its people, but for oneself.
pub(crate) fn called(members: &[Nick], me: &Nick) -> String {
    let others: Vec<&str> = members.iter().filter(|nick| *nick != me).map(Nick::as_str).collect();
    match others.as_slice() {
        [] => format!("@{me} (notes)"),
        others => format!("@{}", others.join(", ")),
    }
}

/// Finds out which room a [`Place`] is, and whether it is there: the server says so, once there is a connection.
#[derive(Debug)]
pub(super) struct Finding {
    place: Place,
    asked: RequestId,
    found: bool,
}

impl Finding {
    /// Begins, for a room that may come to be by us; the room, if it is known already.
    pub(super) fn begin(place: Place) -> (Self, Option<RoomName>) {
        let room = match &place {
            Place::Room(room) => Some(room.clone()),
            Place::People(_) => None,
        };
        (Self { place, asked: RequestId::from(Uuid::now_v7()), found: room.is_some() }, room)
    }

    /// Begins, for a room that must be there already.
    pub(super) fn existing(place: Place) -> Self {
        Self { place, asked: RequestId::from(Uuid::now_v7()), found: false }
    }

    /// Takes in an update, and asks what is to be asked then. The room, when it is found by this.
    ///
    /// # Errors
    /// When there is no such room for us.
    pub(super) fn hear(
        &mut self,
        update: &Update,
        ask: impl FnOnce(Command),
    ) -> Result<Option<RoomName>, Failure> {
        match update {
            _ if self.found => {}
            // On each connection anew: what was asked on one that broke is not answered any more.
            Update::Online { .. } => {
                let id = Some(self.asked.clone());
                ask(match &self.place {
                    Place::People(with) => Command::Direct(Direct { id, with: with.clone() }),
                    // To join a room would make it.
                    Place::Room(room) => {
                        let (room, place) = (room.clone(), command::Place::After(0));
                        Command::History(History { id, room, place, limit: 1 })
                    }
                });
            }
            Update::Event(Event::Page(page), _) if page.re.as_ref() == Some(&self.asked) => {
                self.found = true;
                return Ok(Some(page.room.clone()));
            }
            Update::Event(Event::Ok(okay), _) if okay.re.as_ref() == Some(&self.asked) => {
                self.found = okay.room.is_some();
                return Ok(okay.room.as_ref().map(|info| info.room.clone()));
            }
            Update::Failed(failure)
                if failure.re.as_ref() == Some(&self.asked) && failure.code != ErrorCode::Offline =>
            {
                return Err(failure.clone());
            }
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nick(name: &str) -> Nick {
        Nick::new(name).unwrap()
    }

    #[test]
    fn a_direct_room_is_called_by_the_others() {
        let (alice, bob, carol) = (nick("alice"), nick("bob"), nick("carol"));
        assert_eq!(called(&[alice.clone(), bob.clone()], &alice), "@bob");
        assert_eq!(called(&[alice.clone(), bob, carol], &alice), "@bob, carol");
        assert_eq!(called(std::slice::from_ref(&alice), &alice), "@alice (notes)");
    }

    #[test]
    fn a_room_or_people_may_be_typed() {
        for (typed, expected) in [
            ("#ops", Place::Room(RoomName::new("#ops").unwrap())),
            ("ops", Place::Room(RoomName::new("#ops").unwrap())),
            ("@bob", Place::People(vec![nick("bob")])),
            ("@bob,carol", Place::People(vec![nick("bob"), nick("carol")])),
            ("@bob,@李雷", Place::People(vec![nick("bob"), nick("李雷")])),
        ] {
            assert_eq!(typed.parse(), Ok(expected.clone()), "{typed}");
            assert_eq!(expected.to_string().parse(), Ok(expected), "{typed}");
        }
        for wrong in ["", "@", "@bob,", "#", "@a b", "@-x"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
        let many = format!("@{}", ["a"; DIRECT_PEOPLE].join(","));
        assert_eq!(many.parse::<Place>(), Err(PlaceError::TooMany));
    }
}
