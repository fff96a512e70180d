//! Who reacted to a message, and what it said before.

use jiff::tz::TimeZone;
use ratatui::text::Line;

use super::labelled;
use crate::client::tui::state::{About, State};
use crate::client::tui::wrap;
use crate::protocol::event::{Earlier, Reacted, Version};
use crate::protocol::name::Nick;

/// Columns for an emoji and how many.
const EMOJI: usize = 9;
/// Columns for a day and a time.
const TIME: usize = 14;

pub(super) fn rows(state: &State, about: &About, width: usize) -> Vec<Line<'static>> {
    let theme = state.theme;
    let dim = |text: &str| -> Vec<Line<'static>> {
        wrap::wrap(text, width).into_iter().map(|row| Line::styled(row, theme.dim())).collect()
    };
    let mut rows = dim(&about.quote);
    rows.push(Line::default());
    match &about.reactions {
        None => rows.push(super::asking(state)),
        Some(answer) if answer.reactions.is_empty() => rows.extend(dim("Nobody has reacted.")),
        Some(answer) => {
            for reacted in &answer.reactions {
                let label = format!("{} {}", reacted.emoji, reacted.count);
                rows.extend(labelled(theme, &label, EMOJI, &who(reacted), width));
            }
        }
    }
    if let Some(Earlier { texts, .. }) = &about.earlier {
        rows.push(Line::default());
        rows.push(Line::styled("What it said", theme.strong()));
        for Version { at, text } in texts {
            let at = moment(*at, &state.zone);
            rows.extend(labelled(theme, &at, TIME, text.as_str(), width));
        }
    }
    rows
}

/// The names, and how many more there are than names.
fn who(reacted: &Reacted) -> String {
    let names: Vec<&str> = reacted.people.iter().map(Nick::as_str).collect();
    let named = u64::try_from(names.len()).unwrap_or(u64::MAX);
    let names = names.join(", ");
    match reacted.count.saturating_sub(named) {
        0 => names,
        more if names.is_empty() => format!("{more} people"),
        more => format!("{names} and {more} more"),
    }
}

fn moment(at: crate::protocol::time::Time, zone: &TimeZone) -> String {
    at.timestamp().to_zoned(zone.clone()).strftime("%-d %b %H:%M").to_string()
}
