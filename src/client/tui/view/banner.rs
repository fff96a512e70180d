//! Between the conversation and the input: what must be known or answered now.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::Line;

use super::{composing, put_line};
use crate::client::tui::keymap::{Action, key_for};
use crate::client::tui::state::{Connection, Question, State};
use crate::client::tui::update::pasting::EDIT_PASTE;
use crate::client::tui::wrap;

/// Lines of a paste that are shown before it is sent.
const PREVIEW_LINES: usize = 4;

pub(super) fn rows(state: &State) -> u16 {
    u16::try_from(lines(state).len()).unwrap_or(u16::MAX)
}

pub(super) fn draw(state: &State, area: Rect, buffer: &mut Buffer) {
    for (y, line) in (area.y..area.bottom()).zip(lines(state)) {
        put_line(buffer, area.x + 1, y, &line, area.width.saturating_sub(1));
    }
}

/// Where the cursor is while something is searched for, or an emoji: behind what was typed.
pub(super) fn cursor(state: &State, area: Rect) -> Option<Position> {
    let typed = match &state.question {
        Some(Question::Search { wanted, .. }) => search_prompt(wanted),
        Some(Question::React { wanted, .. }) => wanted.clone(),
        _ => return None,
    };
    let above = lines(state).len().saturating_sub(1);
    let columns = 1 + wrap::columns(&typed);
    let y = area.y + u16::try_from(above).unwrap_or(0);
    let x = u16::try_from(columns).unwrap_or(u16::MAX).min(area.right().saturating_sub(1));
    (area.height > 0).then(|| Position::new(x, y.min(area.bottom() - 1)))
}

fn lines(state: &State) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let width = usize::from(state.size.0.saturating_sub(2)).max(1);
    let mut say = |text: &str, style: Style| {
        lines.extend(wrap::wrap(text, width).into_iter().map(|row| Line::styled(row, style)));
    };
    connection(state, &mut say);
    if let Some(notice) = &state.notice {
        say(&notice.text, if notice.bad { state.theme.warning() } else { state.theme.accent() });
    }
    question(state, &mut say);
    if state.question.is_none() {
        composing::purpose(state, &mut say);
    }
    lines
}

fn connection(state: &State, say: &mut impl FnMut(&str, Style)) {
    let theme = state.theme;
    let countdown = state.retry_at().map(|at| state.seconds_until(at));
    match (&state.connection, &state.held) {
        (Connection::Online, Some((why, _))) => {
            let again = match countdown {
                Some(seconds) => format!("sent again in {seconds} s"),
                None => "being sent again …".to_owned(),
            };
            say(&format!("{} Your messages wait here and are {again}.", sentence(why)), theme.warning());
        }
        (Connection::Online, None) => {}
        (Connection::Connecting, _) => {
            if state.broken.is_some() {
                say(&format!("Trying again now … {}", broken(state)), theme.warning());
            }
        }
        (Connection::Offline { .. }, _) => {
            // What changes and what can be done come first: a small screen cuts the rest.
            let next = match countdown {
                Some(seconds) => format!("Trying again in {seconds} s; Enter on an empty line tries now."),
                None => "Trying again now …".to_owned(),
            };
            say(&format!("{next} {}", broken(state)), theme.warning());
        }
        (Connection::Ended { why }, _) => {
            say(
                &format!("{} There will be no further attempt: Ctrl-C leaves.", sentence(why)),
                theme.error(),
            );
        }
    }
}

/// Why there is no connection, and since when.
fn broken(state: &State) -> String {
    let Some((why, since)) = &state.broken else { return String::new() };
    let since = since.timestamp().to_zoned(state.zone.clone()).strftime("%H:%M");
    sentence(&format!("no connection since {since}: {why}"))
}

/// With a capital at its beginning and a stop at its end.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    let mut sentence: String = first.chain(chars).collect();
    if !sentence.ends_with(['.', '?', '!', '…']) {
        sentence.push('.');
    }
    sentence
}

pub(super) fn question(state: &State, say: &mut impl FnMut(&str, Style)) {
    let theme = state.theme;
    match &state.question {
        None => {}
        Some(Question::Leave { .. }) => {
            let others = match state.others_thrown_out() {
                0 => "",
                1 => " Somebody else is here and will lose the room.",
                many => &format!(" {many} others are here and will lose the room."),
            };
            let unsent = match state.unsent() {
                0 => "",
                1 => " One message is not sent yet and would be lost.",
                many => &format!(" {many} messages are not sent yet and would be lost."),
            };
            let harmless = others.is_empty() && unsent.is_empty();
            let style = if harmless { theme.accent() } else { theme.warning() };
            say(&format!("Leave parlor?{others}{unsent}"), style);
        }
        Some(Question::Word(word)) => say(&format!("You wrote \"{word}\": leave parlor?"), theme.accent()),
        Some(Question::Paste(text) | Question::Code(text)) => {
            let lines = text.split('\n').count();
            let send = key_for(Action::Send);
            let (what, keys) = match &state.question {
                Some(Question::Code(_)) => {
                    ("lines of code", format!("{send} sends them as code, t as text, e edits first"))
                }
                _ => ("lines", format!("{send} sends them, {} edits first", key_for(EDIT_PASTE))),
            };
            let characters = text.chars().count();
            say(&format!("Send these {lines} {what} ({characters} characters)? {keys}."), theme.accent());
            let width = usize::from(state.size.0.saturating_sub(4)).max(1);
            for line in text.split('\n').take(PREVIEW_LINES) {
                say(&format!("│ {}", wrap::show_edit_row(line, width)), theme.dim());
            }
            if lines > PREVIEW_LINES {
                say(&format!("│ … and {} more", lines - PREVIEW_LINES), theme.dim());
            }
        }
        Some(asked @ (Question::Delete(_) | Question::React { .. })) => {
            composing::question(state, asked, say);
        }
        Some(Question::Search { wanted, found }) => {
            let inputs = &state.input_history;
            let found = found.and_then(|place| inputs.search(wanted, place + 1)).map(|(_, text)| text);
            let found = match found {
                Some(text) => text.replace('\n', " "),
                None if wanted.is_empty() => "what you said before".to_owned(),
                None => "nothing like it".to_owned(),
            };
            let width = usize::from(state.size.0.saturating_sub(2));
            say(&wrap::truncate(&format!("{}  ← {found}", search_prompt(wanted)), width), theme.accent());
        }
    }
}

fn search_prompt(wanted: &str) -> String {
    format!("search: {wanted}")
}
