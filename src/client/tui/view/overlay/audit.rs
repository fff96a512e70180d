//! What was decided, the latest first.

use ratatui::text::{Line, Span};

use super::asking;
use crate::client::tui::state::{Decisions, State};
use crate::client::tui::wrap;
use crate::protocol::event::Decision;
use crate::protocol::time::Time;

pub(super) fn rows(state: &State, decisions: &Decisions, width: usize) -> Vec<Line<'static>> {
    let mut rows: Vec<Line<'static>> = Vec::new();
    for decision in &decisions.read {
        rows.extend(decided(state, decision, width));
    }
    if decisions.asked.is_some() {
        rows.push(asking(state));
    } else if decisions.read.is_empty() {
        rows.push(Line::styled("Nothing has been decided here yet.", state.theme.dim()));
    } else if decisions.complete {
        rows.push(Line::styled("That is all.", state.theme.dim()));
    }
    rows
}

/// When, who and what; the rest of it below, set in.
fn decided(state: &State, decision: &Decision, width: usize) -> Vec<Line<'static>> {
    let what = format!("{} {}", decision.act.as_str().replace('_', " "), decision.subject);
    let when = format!("{}  ", when(state, decision.at));
    let text = format!("{}: {}", decision.by, what.trim_end());
    let left = wrap::columns(&when).min(width / 2);
    let mut beside = wrap::truncate(&when, left);
    let mut rows: Vec<Line<'static>> = Vec::new();
    let texts = wrap::wrap(&text, width - left).into_iter().map(Span::raw);
    let more = decision.particulars.as_str();
    let more = if more.is_empty() { Vec::new() } else { wrap::wrap(more, width - left) };
    for text in texts.chain(more.into_iter().map(|row| Span::styled(row, state.theme.dim()))) {
        let padding = " ".repeat(left.saturating_sub(wrap::columns(&beside)));
        let beside = Span::styled(std::mem::take(&mut beside) + &padding, state.theme.dim());
        rows.push(Line::from(vec![beside, text]));
    }
    rows
}

fn when(state: &State, at: Time) -> String {
    let zoned = |time: Time| time.timestamp().to_zoned(state.zone.clone());
    let (at, now) = (zoned(at), zoned(state.server_time()));
    at.strftime(if at.year() == now.year() { "%d %b %H:%M" } else { "%d %b %Y %H:%M" }).to_string()
}
