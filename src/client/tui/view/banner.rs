//! Between the conversation and the input: what must be known or answered now.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::{composing, put_line};
use crate::client::tui::keymap::Action;
use crate::client::tui::state::{Connection, Question, State, input_history};
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
        Some(Question::InRoomSearch) => in_room_prompt(state)?,
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
    if let Some(Question::Search { wanted, found }) = &state.question {
        lines.push(searching(state, wanted, *found));
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
                Some(seconds) => {
                    let send = state.key_for(Action::Send);
                    format!("Trying again in {seconds} s; {send} on an empty line tries now.")
                }
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
            // An edit or a reaction is not kept.
            let keeps =
                state.drafts.parlor.is_some() && state.rooms.iter().all(|room| room.wishes.is_empty());
            let unsent = match state.unsent() {
                0 => "",
                1 if keeps => " One message is not sent yet: it will be in the input when you come back.",
                1 => " One message is not sent yet and would be lost.",
                many if keeps => &format!(
                    " {many} messages are not sent yet: they will be in the input when you come back."
                ),
                many => &format!(" {many} messages are not sent yet and would be lost."),
            };
            let harmless = others.is_empty() && unsent.is_empty();
            let style = if harmless { theme.accent() } else { theme.warning() };
            say(&format!("Leave parlor?{others}{unsent}"), style);
        }
        Some(Question::Word(word)) => say(&format!("You wrote \"{word}\": leave parlor?"), theme.accent()),
        Some(Question::Paste(text) | Question::Code(text)) => {
            let lines = text.split('\n').count();
            // Enter answers what is asked, whatever it is bound to.
            let send = "Enter";
            let edit = state.key_for(EDIT_PASTE);
            let edit = if edit.is_empty() { edit } else { format!(", {edit} edits first") };
            let (what, keys) = match &state.question {
                Some(Question::Code(_)) => {
                    ("lines of code", format!("{send} sends them as code, t as text, e edits first"))
                }
                _ => ("lines", format!("{send} sends them{edit}")),
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
        Some(Question::InRoomSearch) => {
            let prompt = in_room_prompt(state).unwrap_or_default();
            let counted = in_room_count(state).unwrap_or_default();
            let beside =
                if prompt.len() > 1 { counted } else { "what is searched for in this room".to_owned() };
            let width = usize::from(state.size.0.saturating_sub(2));
            say(&wrap::truncate(&format!("{prompt}   {beside}"), width), theme.accent());
        }
        // Drawn in its own way.
        Some(Question::Search { .. }) => {}
    }
}

/// What is searched for in what was written before, and what was found, with that marked in it.
fn searching(state: &State, wanted: &str, found: Option<usize>) -> Line<'static> {
    let theme = state.theme;
    let width = usize::from(state.size.0.saturating_sub(2));
    let prompt = Span::styled(format!("{}  ← ", search_prompt(wanted)), theme.accent());
    let Some(text) = found.and_then(|place| state.input_history.get(place)) else {
        let why = if wanted.is_empty() { "what you wrote before" } else { "nothing like it" };
        return wrap::truncate_line(Line::from(vec![prompt, Span::styled(why, theme.dim())]), width);
    };
    let text = text.replace(['\n', '\t'], " ");
    let place = input_history::place_of(wanted, &text).unwrap_or(0..0);
    let (before, rest) = text.split_at(place.start);
    let (marked, behind) = rest.split_at(place.end - place.start);
    // What was searched for is in sight, also where it stands far behind.
    let room = width.saturating_sub(prompt.width()) / 2;
    let skipped = wrap::columns(before).saturating_sub(room);
    let before = if skipped > 0 {
        format!("…{}", &before[wrap::edit_prefix(before, skipped + 1).len()..])
    } else {
        before.to_owned()
    };
    let line = Line::from(vec![
        prompt,
        Span::raw(before),
        Span::styled(marked.to_owned(), theme.strong().add_modifier(Modifier::UNDERLINED)),
        Span::raw(behind.to_owned()),
    ]);
    wrap::truncate_line(line, width)
}

/// What is searched for in the room in sight.
fn in_room_prompt(state: &State) -> Option<String> {
    state.room()?.search.as_ref().map(|search| format!("/{}", search.typed))
}

/// How much of it was found.
pub(super) fn in_room_count(state: &State) -> Option<String> {
    let room = state.room()?;
    let search = room.search.as_ref()?;
    Some(search.counted(room.chosen, room.first, room.scrollback.newest()))
        .filter(|counted| !counted.is_empty())
}

fn search_prompt(wanted: &str) -> String {
    format!("search: {wanted}")
}
