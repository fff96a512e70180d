//! The message of the day, when it is asked for.

use super::{Effect, State, order};
use crate::client::tui::state::Overlay;
use crate::protocol::command::{Command, Plain};
use crate::protocol::event;

/// Asks for it: it may be another one by now.
pub(super) fn ask(state: &mut State, line: &str, effects: &mut Vec<Effect>) {
    let asked = state.request_id();
    order::ask(state, Command::Motd(Plain { id: Some(asked.clone()) }), line, None, effects);
    state.overlay = Some(Overlay::Motd { asked, answer: None, top: 0 });
}

pub(super) fn told(state: &mut State, news: event::Motd) {
    order::answered(state, news.re.as_ref());
    if let Some(Overlay::Motd { asked, answer, .. }) = &mut state.overlay
        && news.re.as_ref() == Some(asked)
    {
        // Whoever has read it here need not be told again.
        state.motd.text.clone_from(&news.text);
        *answer = Some(news);
    }
}
