//! What stands around a message: what it answers, that it was changed, how others reacted.

use super::{Layout, Row, Said};
use crate::client::tui::markup;
use crate::client::tui::wrap::{columns, truncate};
use crate::protocol::event::Reaction;

/// What stands behind the text of a message that was changed.
pub(crate) const EDITED: &str = " (edited)";

/// Between two reactions.
pub(crate) const CHIP_GAP: usize = 2;

/// One emoji under a message, and how many reacted by it; or how many answers it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chip {
    /// In brackets where we are among them, so that it is seen without colours.
    pub(crate) text: String,
    pub(crate) mine: bool,
}

impl Layout<'_> {
    /// A message in a line: who said it, and how it begins.
    pub(crate) fn quote(&self, seq: u64) -> String {
        let Some(message) = self.room.scrollback.message(seq) else { return "an earlier message".to_owned() };
        if self.ignored.contains(&message.from) {
            return "somebody whom you ignore".to_owned();
        }
        let now = self.room.now(message, self.author);
        if now.deleted.is_some() {
            return "a deleted message".to_owned();
        }
        let rows = markup::rows(now.text, usize::MAX).into_iter().map(|row| row.text);
        let mut lines = rows.filter(|line| !line.trim().is_empty());
        let first = lines.next().unwrap_or_default();
        let more = if lines.next().is_some() { " …" } else { "" };
        let between = if message.action { " " } else { ": " };
        format!("{}{between}{}{more}", message.from, first.trim())
    }

    /// The line above a message that answers another one.
    pub(super) fn answered(&self, seq: u64) -> Row {
        Row::Answered(truncate(&format!("↪ {}", self.quote(seq)), self.columns.text))
    }

    /// Says behind the last of `rows` that the message was changed.
    pub(super) fn mark_edited(&self, rows: &mut Vec<Row>) {
        if let Some(Row::Said(last)) = rows.last_mut()
            && columns(&last.text.text) + columns(EDITED) <= self.columns.text
        {
            last.edited = true;
        } else {
            rows.push(Row::Said(Said { edited: true, ..Said::default() }));
        }
    }

    /// The reactions, and behind them how many `answers` there are, in as many rows as they need.
    pub(super) fn reactions(&self, reactions: &[Reaction], answers: Option<String>, rows: &mut Vec<Row>) {
        let mut row = Vec::new();
        let mut used = 0;
        let reactions = reactions.iter().map(|Reaction { emoji, count, mine }| {
            (if *mine { format!("[{emoji} {count}]") } else { format!("{emoji} {count}") }, *mine)
        });
        let answers = answers.map(|answers| (truncate(&answers, self.columns.text), false));
        for (text, mine) in reactions.chain(answers) {
            let wide = columns(&text);
            if !row.is_empty() && used + CHIP_GAP + wide > self.columns.text {
                rows.push(Row::Reactions(std::mem::take(&mut row)));
                used = 0;
            }
            used += wide + if row.is_empty() { 0 } else { CHIP_GAP };
            row.push(Chip { text, mine });
        }
        if !row.is_empty() {
            rows.push(Row::Reactions(row));
        }
    }
}
