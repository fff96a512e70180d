//! Who somebody is.

use std::net::IpAddr;

use ratatui::text::Line;

use super::labelled;
use super::who::told;
use crate::client::tui::state::State;
use crate::client::tui::wrap;
use crate::protocol::event::{Role, Whois};
use crate::protocol::name::Nick;
use crate::protocol::wordlist::fingerprint_words;

/// Columns for the words that say what stands beside them.
const LABEL: usize = 6;

pub(super) fn rows(state: &State, who: &Whois, width: usize) -> Vec<Line<'static>> {
    let theme = state.theme;
    let is = match (who.guest, who.role) {
        (true, _) => "a guest, whose name is not kept",
        (false, Some(Role::Host)) => "the host",
        (false, Some(Role::Operator)) => "an operator",
        (false, Some(Role::Member) | None) => "a member",
    };
    let here = if who.here { "here now" } else { "not here now" };
    let mut rows = labelled(theme, "is", LABEL, &format!("{is}, {here}"), width);
    let known = state.rooms.iter().find_map(|room| room.people.get(&who.nick));
    if let Some(why) = known.and_then(|person| person.away.as_ref()) {
        let why = if why.is_empty() { "no reason given" } else { why.as_str() };
        rows.extend(labelled(theme, "away", LABEL, why, width));
    }
    for key in &who.keys {
        rows.extend(labelled(theme, "key", LABEL, &fingerprint_words(key), width));
    }
    if !who.names.is_empty() {
        let names: Vec<&str> = who.names.iter().map(Nick::as_str).collect();
        rows.extend(labelled(theme, "also", LABEL, &names.join(", "), width));
    }
    for session in &who.sessions {
        rows.extend(labelled(theme, "from", LABEL, &told(state, session), width));
    }
    if who.sessions.is_empty() && !who.addresses.is_empty() {
        let addresses: Vec<String> = who.addresses.iter().map(IpAddr::to_string).collect();
        rows.extend(labelled(theme, "from", LABEL, &addresses.join(", "), width));
    }
    if !who.keys.is_empty() {
        rows.push(Line::default());
        let how = "Compare the words with theirs, aloud: who has the same words has the same key.";
        rows.extend(wrap::wrap(how, width).into_iter().map(|row| Line::styled(row, theme.dim())));
    }
    rows
}
