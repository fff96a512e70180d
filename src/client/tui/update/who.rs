//! Who is in a room, and for those who keep order from where.

use super::{Effect, State, order};
use crate::client::tui::state::{Connection, Overlay, Who};
use crate::protocol::command::{Command, InRoom};
use crate::protocol::event::People;
use crate::protocol::name::RoomName;

/// Shows who is in the room in sight, or in the one named. Of a room that we are in it is known; the server is asked about
/// others, and by those who keep order, whom it tells more.
pub(super) fn open(state: &mut State, room: Option<RoomName>, line: &str, effects: &mut Vec<Effect>) {
    let Some(room) = room.or_else(|| state.room().map(|room| room.name.clone())) else {
        state.complain("you are in no room: /who #ROOM says who is in one");
        return;
    };
    let online = state.connection == Connection::Online;
    let known = state.place_of(&room).is_some();
    if !known && !online {
        state.complain(format!("you are not in {room}, and there is no connection to ask who is"));
        return;
    }
    let mut who = Who { room: room.clone(), asked: None, answer: None, top: 0 };
    if online && (!known || state.keep_order()) {
        let id = state.request_id();
        who.asked = Some(id.clone());
        order::ask(state, Command::Who(InRoom { id: Some(id), room }), line, None, effects);
    }
    state.overlay = Some(Overlay::Who(who));
}

/// The server has told it.
pub(super) fn told(state: &mut State, news: People) {
    order::answered(state, news.re.as_ref());
    if let Some(Overlay::Who(who)) = &mut state.overlay
        && who.asked.is_some()
        && who.asked == news.re
    {
        (who.asked, who.answer) = (None, Some(news));
    }
}
