//! What `/pin`, `/unpin` and `/move` mean.

use std::num::NonZeroUsize;

use super::company::people;
use super::{Slash, room_name};
use crate::protocol::name::{Nick, RoomName};

/// A room that is open here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    InSight,
    Room(RoomName),
    /// The one that is only for these people and us.
    With(Vec<Nick>),
}

/// Where to move a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Up,
    Down,
    /// To this place, counted from 1.
    To(NonZeroUsize),
}

pub(super) fn pin(rest: &str) -> Result<Slash, String> {
    Ok(Slash::Pin(which(rest, "/pin @bob")?, true))
}

pub(super) fn unpin(rest: &str) -> Result<Slash, String> {
    Ok(Slash::Pin(which(rest, "/unpin @bob")?, false))
}

pub(super) fn shift(rest: &str) -> Result<Slash, String> {
    let step = match rest.to_lowercase().as_str() {
        "up" => Some(Step::Up),
        "down" => Some(Step::Down),
        number => number.parse().ok().map(Step::To),
    };
    step.map(Slash::Move)
        .ok_or_else(|| "say where to: /move up, /move down, or /move 1, which is where Alt-1 goes".to_owned())
}

fn which(rest: &str, example: &str) -> Result<Which, String> {
    match rest {
        "" => Ok(Which::InSight),
        direct if direct.starts_with('@') => Ok(Which::With(people(direct, example)?)),
        room => Ok(Which::Room(room_name(room)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tui::script::{nick, room_name};
    use crate::client::tui::slash::{Input, parse};

    fn read(text: &str) -> Slash {
        match parse(text).unwrap() {
            Input::Command(slash) => slash,
            Input::Text(text) => panic!("{text}"),
        }
    }

    #[test]
    fn rooms_and_people_are_pinned_and_moved() {
        assert_eq!(read("/pin"), Slash::Pin(Which::InSight, true));
        assert_eq!(read("/pin rust"), Slash::Pin(Which::Room(room_name("#rust")), true));
        assert_eq!(read("/unpin @bob"), Slash::Pin(Which::With(vec![nick("bob")]), false));
        assert_eq!(read("/move UP"), Slash::Move(Step::Up));
        assert_eq!(read("/move 3"), Slash::Move(Step::To(NonZeroUsize::new(3).unwrap())));
        for text in
            ["/move", "/move 0", "/move -1", "/move left", "/move 99999999999999999999999", "/pin a b"]
        {
            assert!(!parse(text).unwrap_err().is_empty(), "{text}");
        }
    }
}
