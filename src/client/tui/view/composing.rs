//! Above the input: what it is for, if it is not simply said; and by what to react.

use ratatui::style::Style;

use crate::client::tui::keymap::Action;
use crate::client::tui::state::wishes::Composing;
use crate::client::tui::state::{Question, State};
use crate::client::tui::update::fitting;
use crate::client::tui::wrap;

/// Says what the input is for.
pub(super) fn purpose(state: &State, say: &mut impl FnMut(&str, Style)) {
    let Some(room) = state.room() else { return };
    let Some(composing) = &room.composing else { return };
    let (does, seq) = match composing {
        Composing::Answer(seq) => ("answering ", *seq),
        Composing::Edit { seq, .. } => ("editing ", *seq),
    };
    line(state, does, &state.quote(room, seq), &format!("{} stops", state.key_for(Action::Close)), say);
}

/// A sentence about a message: in one row, whose end is always in sight.
fn line(state: &State, before: &str, quote: &str, behind: &str, say: &mut impl FnMut(&str, Style)) {
    let width =
        usize::from(state.size.0).saturating_sub(2 + wrap::columns(before) + wrap::columns(behind) + 2);
    say(&format!("{before}{}  {behind}", wrap::truncate(quote, width)), state.theme.accent());
}

/// Asks what is asked about a message.
pub(super) fn question(state: &State, question: &Question, say: &mut impl FnMut(&str, Style)) {
    let Some(room) = state.room() else { return };
    match question {
        Question::Delete(seq) => {
            line(state, "Delete for everyone? ", &state.quote(room, *seq), "", say);
        }
        Question::React { seq, wanted, chosen } => {
            line(state, "reacting to ", &state.quote(room, *seq), "", say);
            let width = usize::from(state.size.0).saturating_sub(2);
            let offered = if wanted.is_empty() {
                let offered = state.favourites.offered();
                let numbered =
                    offered.iter().enumerate().map(|(place, emoji)| format!("{} {emoji}", place + 1));
                format!("{}   or type a name, as tada", numbered.collect::<Vec<_>>().join("  "))
            } else {
                fitted(wanted, *chosen)
            };
            say(&wrap::truncate(&format!("{}{offered}", prompt(wanted)), width), state.theme.accent());
        }
        _ => {}
    }
}

/// What fits what was typed: the chosen one first, and those that follow.
fn fitted(wanted: &str, chosen: usize) -> String {
    let fitting = fitting(wanted);
    if fitting.is_empty() {
        return "← no emoji is called so".to_owned();
    }
    let from = fitting.iter().cycle().skip(chosen).take(fitting.len());
    let names = from.enumerate().map(|(place, (name, emoji))| {
        let sign = if place == 0 { "← " } else { "" };
        format!("{sign}{emoji} {name}")
    });
    names.collect::<Vec<_>>().join("  ")
}

/// What stands before what is offered.
pub(super) fn prompt(wanted: &str) -> String {
    if wanted.is_empty() { String::new() } else { format!("{wanted}  ") }
}
