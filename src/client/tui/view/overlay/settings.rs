//! What can be set: what it is now, what it is otherwise, and where that comes from.

use ratatui::text::{Line, Span};

use crate::client::tui::settings::SETTINGS;
use crate::client::tui::state::State;
use crate::client::tui::wrap;

/// Columns of the names: the longest, and a gap.
const NAMES: usize = 14;

/// Columns of the values, and a gap: most are no longer, and `/set NAME` shows all of one.
const VALUES: usize = 14;

/// Columns from which on everything about a setting stands in one row.
const WIDE: usize = 70;

pub(super) fn rows(state: &State, width: usize) -> Vec<Line<'static>> {
    let theme = state.theme;
    let mut rows = Vec::new();
    let mut say = |text: &str, style| {
        rows.extend(wrap::wrap(text, width).into_iter().map(|row| Line::styled(row, style)));
    };
    let origin = &state.origin;
    for fault in &origin.faults {
        say(&format!("! {}, {fault}", origin.name), theme.warning());
    }
    say("/set NAME VALUE changes one, /set NAME default takes it back", theme.dim());
    match origin.path.as_str() {
        "" => say("kept nowhere: they hold until you leave", theme.dim()),
        path if origin.exists => say(&format!("kept in {path}, where keys are bound too"), theme.dim()),
        path => say(&format!("{path} is made by the first change; keys are bound there too"), theme.dim()),
    }
    let mut section = "";
    for setting in SETTINGS {
        if setting.section != section {
            section = setting.section;
            rows.push(Line::default());
            rows.push(Line::styled(format!("[{section}]"), theme.strong()));
        }
        let (value, usual) = (setting.value(&state.company.settings), setting.default());
        let is_usual = value == usual;
        let line = origin.lines.get(setting.name);
        let from = match (line, is_usual) {
            (None, true) => String::new(),
            (Some(line), true) => format!("line {line}"),
            (Some(line), false) => format!("line {line}, default {}", usual.shown()),
            (None, false) => format!("until you leave, default {}", usual.shown()),
        };
        let (sign, style) = if is_usual { (' ', theme.dim()) } else { ('*', theme.strong()) };
        let name = Span::styled(padded(&format!("{sign}{}", setting.name), NAMES), theme.accent());
        let value = Span::styled(padded(&wrap::truncate(&value.shown(), VALUES - 1), VALUES), style);
        let rest = width.saturating_sub(NAMES + VALUES).max(1);
        if width >= WIDE {
            let from = if from.is_empty() { from } else { format!(" ({from})") };
            let mut about = wrap::wrap(&format!("{}{from}", setting.help), rest).into_iter();
            let first = Span::styled(about.next().unwrap_or_default(), theme.dim());
            rows.push(Line::from(vec![name, value, first]));
            let indent = " ".repeat(NAMES + VALUES);
            rows.extend(about.map(|row| Line::styled(format!("{indent}{row}"), theme.dim())));
        } else {
            let from = Span::styled(wrap::truncate(&from, rest), theme.dim());
            rows.push(Line::from(vec![name, value, from]));
            let help = wrap::wrap(setting.help, width.saturating_sub(2).max(1));
            rows.extend(help.into_iter().map(|row| Line::styled(format!("  {row}"), theme.dim())));
        }
    }
    rows
}

/// With spaces behind it, up to so many columns.
fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(wrap::columns(text))))
}
