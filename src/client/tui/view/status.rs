//! The last line: how it stands with the server, and the keys that are useful now.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::{overlay, put_line};
use crate::client::tui::keymap::{Action, FOR_CHOSEN, ForChosen, key_for};
use crate::client::tui::pasted;
use crate::client::tui::scroll::Scroll;
use crate::client::tui::state::completion::{self, Candidate};
use crate::client::tui::state::finding::Kind;
use crate::client::tui::state::room::Room;
use crate::client::tui::state::{Connection, Overlay, Question, State};
use crate::client::tui::update::choosing;
use crate::client::tui::update::pasting::EDIT_PASTE;
use crate::client::tui::wrap;

pub(super) fn draw(state: &State, area: Rect, buffer: &mut Buffer) {
    let left = connection(state, area.width);
    put_line(buffer, area.x, area.y, &left, area.width);
    let room = usize::from(area.width).saturating_sub(left.width() + 3);
    let right = match &state.completion {
        Some(completion) => candidates(state, &completion.candidates, Some(completion.chosen), room),
        None => emoji(state, room).unwrap_or_else(|| hints(state, room)),
    };
    let width = u16::try_from(right.width()).unwrap_or(0);
    put_line(buffer, area.right().saturating_sub(width + 1), area.y, &right, width);
}

fn connection(state: &State, width: u16) -> Line<'static> {
    let theme = state.theme;
    let (sign, style, words) = match &state.connection {
        Connection::Connecting => ("◌", theme.warning(), "connecting …".to_owned()),
        Connection::Online if let Some(seconds) = state.silence() => {
            ("○", theme.warning(), format!("no answer for {seconds} s"))
        }
        Connection::Online => {
            let to = if width >= 100 {
                format!("connected to {}", wrap::truncate(&state.server, 30))
            } else {
                "connected".to_owned()
            };
            let round_trip = match state.round_trip.map(|time| time.as_millis()) {
                None => String::new(),
                Some(0) => " <1 ms".to_owned(),
                Some(millis) => format!(" {millis} ms"),
            };
            ("●", theme.good(), to + &round_trip)
        }
        Connection::Offline { .. } => ("○", theme.warning(), "no connection".to_owned()),
        Connection::Ended { .. } => ("○", theme.error(), "ended".to_owned()),
    };
    let mut spans = vec![Span::raw(" "), Span::styled(sign, style), Span::raw(" ")];
    // On a low screen this is the only place for the name of the room.
    if state.size.1 < 6
        && let Some(room) = state.room()
    {
        spans.push(Span::styled(format!("{} ", room.shown), theme.strong()));
    }
    if width < 40 {
        spans.push(Span::styled(state.me.to_string(), theme.own()));
    } else {
        spans.push(Span::styled(words, theme.dim()));
    }
    Line::from(spans)
}

/// What has come while the reader is further up.
pub(super) fn news_below(state: &State) -> Option<Span<'static>> {
    let room = state.room().filter(|room| room.scroll != Scroll::Bottom)?;
    let key = key_for(Action::Newest);
    Some(match room.unread {
        0 => Span::styled(format!("further up · {key} newest"), state.theme.dim()),
        new if room.mentioned && !room.name.is_direct() => {
            Span::styled(format!("{new} new below, naming you · {key}"), state.theme.mention())
        }
        new => {
            Span::styled(format!("{new} new below · {key}"), state.theme.news().add_modifier(Modifier::BOLD))
        }
    })
}

/// Who is writing in the room in sight.
pub(super) fn typing(state: &State) -> Option<String> {
    state.room()?.typing.sentence()
}

/// The keys that are useful now, as many as fit, the most useful first; the last one, by which the others
/// are found, before all.
fn hints(state: &State, room: usize) -> Line<'static> {
    let theme = state.theme;
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    let useful = useful(state);
    let columns = |(key, does): &(String, &str)| wrap::columns(key) + 1 + wrap::columns(does);
    let kept = useful.last().map_or(0, columns);
    let last = useful.len().saturating_sub(1);
    for (place, hint) in useful.into_iter().enumerate() {
        let columns = columns(&hint) + if used > 0 { 3 } else { 0 };
        let behind = if place < last { 3 + kept } else { 0 };
        if used + columns + behind > room {
            continue;
        }
        let (key, does) = hint;
        if used > 0 {
            spans.push(Span::styled(" · ", theme.dim()));
        }
        used += columns;
        spans.push(Span::styled(key, theme.accent()));
        spans.push(Span::styled(format!(" {does}"), theme.dim()));
    }
    Line::from(spans)
}

pub(super) fn useful(state: &State) -> Vec<(String, &'static str)> {
    let (enter, esc) = (key_for(Action::Send), key_for(Action::Close));
    match &state.question {
        Some(Question::Leave { .. }) => return vec![(enter, "leave"), (esc, "stay")],
        Some(Question::Word(_)) => {
            return vec![(enter, "leave"), ("s".to_owned(), "say it"), (esc, "go back")];
        }
        Some(Question::Code(_)) => {
            return vec![
                (enter, "send as code"),
                ("t".to_owned(), "as text"),
                ("e".to_owned(), "edit first"),
                (esc, "discard"),
            ];
        }
        Some(Question::Paste(_)) => {
            return vec![(enter, "send"), (key_for(EDIT_PASTE), "edit first"), (esc, "discard")];
        }
        Some(Question::Delete(_)) => return vec![(enter, "delete"), (esc, "keep it")],
        Some(Question::React { wanted, .. }) if wanted.is_empty() => {
            return vec![("1 … 6".to_owned(), "react"), (esc, "go back")];
        }
        Some(Question::React { .. }) => {
            return vec![(enter, "react"), (key_for(Action::Complete), "the next"), (esc, "go back")];
        }
        Some(Question::Search { .. }) => {
            return vec![(enter, "take it"), (key_for(Action::SearchInputs), "older"), (esc, "go back")];
        }
        None => {}
    }
    if let Some(overlay) = &state.overlay {
        match overlay {
            Overlay::Found(kind) => return searching(state, *kind),
            Overlay::Links(_) => {
                let does = if state.can_open { "open" } else { "copy" };
                return vec![
                    (enter, does),
                    ("c".to_owned(), "copy"),
                    ("↑ ↓".to_owned(), "choose"),
                    (esc, "close"),
                ];
            }
            _ => {}
        }
        let Some(top) = overlay::place(overlay) else {
            return vec![(enter, "go in"), ("↑ ↓".to_owned(), "choose"), (esc, "close")];
        };
        let mut useful = Vec::new();
        if matches!(overlay, Overlay::Invite { .. }) {
            useful.push(("c".to_owned(), "copy"));
        }
        if top < super::overlay_last(state) {
            useful.push((key_for(Action::PageDown), "further"));
        }
        if top > 0 {
            useful.push((key_for(Action::PageUp), "back"));
        }
        useful.push((esc, "close"));
        return useful;
    }
    let mut useful = Vec::new();
    let Some(room) = state.room() else { return vec![(key_for(Action::Help), "help")] };
    if let Some(seq) = room.chosen.filter(|_| !room.composer.text().starts_with('/')) {
        return for_chosen(state, room, seq);
    }
    if room.composer.is_empty() && state.retry_at().is_some() {
        useful.push((enter, "try now"));
    }
    let text = room.composer.text();
    // Whoever has written a fence needs the next line.
    if text.contains('\n') || pasted::ends_in_code(text) {
        useful.push((key_for(Action::NewLine), "new line"));
    }
    if state.finding.back.is_some() && room.composing.is_none() && room.composer.is_empty() {
        useful.push((esc.clone(), "back"));
    }
    if room.scroll != Scroll::Bottom {
        useful.push((key_for(Action::Newest), "newest"));
        useful.push((key_for(Action::PageUp), "older"));
    }
    if state.rooms.iter().enumerate().any(|(place, room)| place != state.current && room.unread > 0) {
        useful.push((key_for(Action::NextNews), "news"));
    }
    if room.scroll == Scroll::Bottom {
        useful.push((key_for(Action::Complete), "complete"));
        useful.push((key_for(Action::PageUp), "history"));
    }
    let nothing_open = state.finding.back.is_none() && state.notice.is_none();
    if nothing_open
        && room.scroll == Scroll::Bottom
        && room.composing.is_none()
        && room.composer.is_empty()
        && choosing::has_choosable(state)
    {
        useful.push((esc, "read"));
    }
    useful.push((key_for(Action::Help), "help"));
    useful
}

/// The keys for the message that is chosen, without those that would do nothing.
fn for_chosen(state: &State, room: &Room, seq: u64) -> Vec<(String, &'static str)> {
    let message = room.scrollback.message(seq);
    let useful = FOR_CHOSEN.iter().filter(|binding| match binding.action {
        ForChosen::Edit => message.is_some_and(|message| message.author == Some(state.author)),
        ForChosen::Delete => {
            state.keep_order() || message.is_some_and(|message| message.author == Some(state.author))
        }
        ForChosen::GoToAnswered => message.is_some_and(|message| message.reply_to.is_some()),
        ForChosen::GoBack => room.can_jump_back(),
        ForChosen::Above | ForChosen::Below | ForChosen::Oldest | ForChosen::Newest => false,
        _ => true,
    });
    useful.map(|binding| (binding.name(), binding.does)).collect()
}

/// The emoji whose name is being written, before anything is pressed.
fn emoji(state: &State, room: usize) -> Option<Line<'static>> {
    if state.question.is_some() || state.overlay.is_some() {
        return None;
    }
    let (_, found) = completion::emoji(state.composer().text(), state.composer().cursor())?;
    let key = format!("{} ", key_for(Action::Complete));
    let rest = candidates(state, &found, None, room.checked_sub(wrap::columns(&key))?);
    let mut line = Line::styled(key, state.theme.accent());
    line.spans.extend(rest.spans);
    Some(line)
}

/// While one searches.
fn searching(state: &State, kind: Kind) -> Vec<(String, &'static str)> {
    let hunt = state.finding.hunt(kind);
    let (enter, esc) = (key_for(Action::Send), key_for(Action::Close));
    let mut useful = Vec::new();
    if hunt.due.is_some() {
        useful.push((enter, "search"));
    } else if !hunt.hits.is_empty() {
        useful.extend([(enter, "go there"), ("↑ ↓".to_owned(), "choose")]);
    }
    useful.push((esc, "close"));
    useful
}

/// What the word could become, the one that it is now set off.
fn candidates(state: &State, all: &[Candidate], chosen: Option<usize>, room: usize) -> Line<'static> {
    let mut spans = Vec::new();
    let mut used = 0;
    // The chosen one is always in sight.
    for (place, candidate) in all.iter().enumerate().skip(chosen.unwrap_or(0) / 4 * 4) {
        let columns = wrap::columns(&candidate.shown) + 2;
        if used + columns > room {
            break;
        }
        used += columns;
        let style = if Some(place) == chosen { state.theme.selected() } else { state.theme.dim() };
        spans.push(Span::styled(format!(" {} ", candidate.shown), style));
    }
    Line::from(spans)
}
