//! Who came and left the room in sight, as lines.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::wording;
use crate::client::link::RETRY_LONGEST;
use crate::client::tui::state::State;
use crate::client::tui::state::comings::TOLD_UP_TO;
use crate::protocol::event::Presence;
use crate::protocol::name::Nick;

/// After a break whoever was here before comes back within this time, and that is no news: three times as long as a
/// client waits at most before it tries again.
const BACK_AFTER_BREAK: std::time::Duration = RETRY_LONGEST.saturating_mul(3);

/// Those who were here when the connection broke, in lower case, and until when they only come back.
#[derive(Debug, Default)]
pub(super) struct Before {
    here: BTreeSet<String>,
    until: Option<Instant>,
}

impl Before {
    /// The connection broke.
    pub(super) fn broke(&mut self, state: &State) {
        let people = state.rooms.iter().flat_map(|room| room.people.iter());
        self.here.extend(people.map(|person| key(&person.nick)));
        self.until = None;
    }

    /// It is back.
    pub(super) fn back(&mut self, now: Instant) {
        if !self.here.is_empty() {
            self.until.get_or_insert(now + BACK_AFTER_BREAK);
        }
    }

    /// What is to be told of `news`, before the state takes it in.
    pub(super) fn tell(&mut self, state: &State, news: &Presence) -> Vec<String> {
        let Some(room) = state.room().filter(|room| room.name == news.room) else { return Vec::new() };
        if self.until.is_some_and(|until| state.now.instant >= until) {
            self.here.clear();
        }
        // A whole list is no news, and in a large room nobody follows who comes and goes.
        let followed = news.here.max(room.people.here()) <= TOLD_UP_TO;
        if news.people.is_some() || !followed || !state.company.settings.noise {
            return Vec::new();
        }
        let told = |nick: &Nick| *nick != state.me && !state.is_ignored(nick);
        let renamed =
            |nick: &Nick| news.renamed.iter().any(|renamed| renamed.from == *nick || renamed.to == *nick);
        let mut lines = Vec::new();
        for renamed in news.renamed.iter().filter(|renamed| told(&renamed.from) && told(&renamed.to)) {
            lines.push(format!("* {} is {} now", renamed.from, renamed.to));
        }
        for nick in news.left.iter().filter(|nick| told(nick) && !renamed(nick)) {
            // They were back already.
            self.here.remove(&key(nick));
            if room.people.contains(nick) && !news.joined.iter().any(|person| person.nick == *nick) {
                lines.push(format!("* {nick} left"));
            }
        }
        for person in news.joined.iter().filter(|person| told(&person.nick) && !renamed(&person.nick)) {
            let nick = &person.nick;
            match room.people.get(nick) {
                // Whoever is here already only changed.
                Some(known) => match (&known.away, &person.away) {
                    (None, Some(why)) => lines.push(format!("* {nick} is {}", wording::away(why.as_str()))),
                    (Some(_), None) => lines.push(format!("* {nick} is back")),
                    _ => {}
                },
                None if self.here.remove(&key(nick)) => {}
                None => lines.push(format!("* {nick} came")),
            }
        }
        lines
    }
}

fn key(nick: &Nick) -> String {
    nick.as_str().to_lowercase()
}
