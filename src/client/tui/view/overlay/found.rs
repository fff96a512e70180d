//! A search: what is looked for, and below it what was found, the newest first.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use super::super::put_line;
use crate::client::query::{LANGUAGE, MENTIONS};
use crate::client::tui::state::finding::{Hunt, Kind};
use crate::client::tui::state::{Connection, State};
use crate::client::tui::wrap;
use crate::protocol::event::{Entry, EntryKind, Hit};
use crate::protocol::name::RoomName;
use crate::protocol::stats::grouped;
use crate::protocol::{mention, query};

/// Rows of a message that are shown: those around the first word that was found.
const TEXT_ROWS: usize = 3;

/// Rows of the list from which on each message has its neighbours beside it, and more than a row.
const ROOMY: usize = 10;

/// Columns for how it stands, on the right of what is typed.
const HOW: u16 = 17;

/// Columns from which on there is room for that.
const HOW_FROM: u16 = 40;

/// Columns for what can be written, in the help.
const EXAMPLES: usize = 20;

/// What stands before that which is typed.
fn prompt(kind: Kind, width: u16) -> &'static str {
    match kind {
        Kind::Search if width < HOW_FROM => "› ",
        Kind::Search => " search › ",
        Kind::Mentions => " what names you",
    }
}

/// All but the status line.
fn area(state: &State) -> Rect {
    let (width, height) = state.size;
    Rect::new(0, 0, width, height - u16::from(height >= 3))
}

/// Where the list is: below what is typed, and below the line under that.
fn list_area(state: &State) -> Rect {
    let area = area(state);
    let above = if area.height >= 6 { 2 } else { 1 }.min(area.height);
    Rect { y: area.y + above, height: area.height - above, ..area }
}

/// How many messages fit on the screen, at the least.
pub(crate) fn hits_in_sight(state: &State) -> usize {
    let height = usize::from(list_area(state).height);
    if height >= ROOMY { height / (TEXT_ROWS + 4) } else { height / 2 }
}

pub(super) fn draw(state: &State, kind: Kind, buffer: &mut Buffer) {
    let hunt = state.finding.hunt(kind);
    let theme = state.theme;
    let whole = area(state);
    Clear.render(whole, buffer);
    buffer.set_style(whole, state.theme.text());
    draw_input(state, kind, hunt, whole, buffer);
    let list = list_area(state);
    if list.y >= whole.y + 2 {
        let line = Line::styled("─".repeat(usize::from(whole.width)), theme.rule());
        put_line(buffer, whole.x, whole.y + 1, &line, whole.width);
    }
    let (width, height) = (usize::from(list.width), usize::from(list.height));
    let mut rows = notes(state, kind, hunt, width);
    if hunt.hits.is_empty() {
        rows.extend(empty(state, kind, hunt, width));
    } else {
        let left = height.saturating_sub(rows.len());
        rows.extend(hits(state, hunt, width, left));
    }
    for (y, row) in (list.y..list.bottom()).zip(&rows) {
        put_line(buffer, list.x, y, row, list.width);
    }
}

/// What is typed, and on the right how it stands.
fn draw_input(state: &State, kind: Kind, hunt: &Hunt, area: Rect, buffer: &mut Buffer) {
    let theme = state.theme;
    let many = hunt.hits.len();
    let more = if hunt.more.is_some() { "+" } else { "" };
    let how = match (&hunt.asked, &hunt.answered) {
        (Some(_), _) => "searching …".to_owned(),
        // Of what was searched for before, the count says nothing of what is typed now.
        (None, Some(_)) if many > 0 && hunt.due.is_none() && hunt.fault.is_none() => {
            format!("{} of {}{more}", hunt.chosen + 1, grouped(many as u64))
        }
        _ => String::new(),
    };
    let prompt = prompt(kind, area.width);
    put_line(
        buffer,
        area.x,
        area.y,
        &Line::styled(prompt, theme.accent().add_modifier(Modifier::BOLD)),
        area.width,
    );
    if kind == Kind::Search {
        let (shown, _) = window(hunt, input_width(state));
        let at = area.x + u16::try_from(wrap::columns(prompt)).unwrap_or(0);
        let style = if hunt.selected { theme.selected() } else { Style::new() };
        put_line(buffer, at, area.y, &Line::styled(shown, style), area.right().saturating_sub(at));
    }
    if area.width >= HOW_FROM {
        let columns = u16::try_from(wrap::columns(&how)).unwrap_or(0).min(HOW);
        let x = area.right().saturating_sub(columns + 1);
        put_line(buffer, x, area.y, &Line::styled(how, theme.dim()), columns);
    }
}

/// Columns for what is typed, one of them for the cursor.
fn input_width(state: &State) -> usize {
    let width = state.size.0;
    let taken = if width >= HOW_FROM { HOW + 2 } else { 0 };
    usize::from(width.saturating_sub(taken)).saturating_sub(wrap::columns(prompt(Kind::Search, width))).max(1)
}

/// The part of the input that is in sight, and the column of the cursor in it: the end of what stands before the
/// cursor, and what follows as far as there is room.
fn window(hunt: &Hunt, width: usize) -> (String, usize) {
    let (text, cursor) = (hunt.input.text(), hunt.input.cursor());
    let before = wrap::cut(&wrap::show_edit_row(&text[..cursor], usize::MAX), width.saturating_sub(1).max(1));
    let before = before.last().cloned().unwrap_or_default();
    let column = wrap::columns(&before);
    let after = wrap::show_edit_row(&text[cursor..], width.saturating_sub(column));
    (before + &after, column)
}

/// Where the cursor is: in what is typed.
pub(crate) fn cursor(state: &State, kind: Kind) -> Option<Position> {
    let area = area(state);
    if kind == Kind::Mentions || area.height == 0 {
        return None;
    }
    let hunt = state.finding.hunt(kind);
    let (_, column) = window(hunt, input_width(state));
    let x = u16::try_from(wrap::columns(prompt(kind, area.width)) + column).unwrap_or(u16::MAX);
    Some(Position::new(x.min(area.right().saturating_sub(1)), area.y))
}

/// What must be known about what is below.
fn notes(state: &State, kind: Kind, hunt: &Hunt, width: usize) -> Vec<Line<'static>> {
    let theme = state.theme;
    let mut notes: Vec<(String, Style)> = Vec::new();
    let waits = hunt.due.is_some() || kind == Kind::Mentions;
    match &state.connection {
        Connection::Online => {}
        Connection::Ended { why } => {
            notes.push((format!("{why}: nothing can be searched any more."), theme.error()));
        }
        _ if waits => {
            notes.push(("No connection: the search goes on when it is back.".to_owned(), theme.warning()));
        }
        _ => notes.push(("No connection: this is what was found before.".to_owned(), theme.warning())),
    }
    if let Some(fault) = &hunt.fault {
        notes.push((fault.clone(), theme.warning()));
    }
    if hunt.behind > 0 && hunt.fault.is_none() {
        let sentence = match hunt.behind {
            1 => "1 newer message is not searched yet.".to_owned(),
            many => format!("{} newer messages are not searched yet.", grouped(many)),
        };
        notes.push((sentence, theme.warning()));
    }
    let width = width.saturating_sub(2).max(1);
    let rows = notes.into_iter().flat_map(|(text, style)| {
        wrap::wrap(&text, width).into_iter().map(move |row| Line::styled(format!(" {row}"), style))
    });
    rows.collect()
}

/// What stands where nothing was found.
fn empty(state: &State, kind: Kind, hunt: &Hunt, width: usize) -> Vec<Line<'static>> {
    let theme = state.theme;
    if hunt.fault.is_some() {
        return Vec::new();
    }
    let sentence = match (&hunt.answered, kind) {
        _ if hunt.asked.is_some() || hunt.due.is_some() => "",
        (Some(_), Kind::Search) => {
            "Nothing was found. Try fewer words, or only the beginning of a name; without from: and in: it is looked for everywhere you are."
        }
        (Some(_), Kind::Mentions) => "Nobody has said your name in your rooms.",
        (None, Kind::Mentions) => "",
        (None, Kind::Search) => return language(state, width),
    };
    let rows = wrap::wrap(sentence, width.saturating_sub(2).max(1));
    rows.into_iter().map(|row| Line::styled(format!(" {row}"), theme.dim())).collect()
}

/// What can be written.
fn language(state: &State, width: usize) -> Vec<Line<'static>> {
    let theme = state.theme;
    let left = (EXAMPLES + 1).min(width / 2);
    let mut rows = Vec::new();
    for (example, meaning) in LANGUAGE.into_iter().chain([MENTIONS]) {
        let mut example = wrap::wrap(example, left.saturating_sub(2).max(1)).into_iter();
        let mut meaning = wrap::wrap(meaning, width.saturating_sub(left + 1).max(1)).into_iter();
        loop {
            let (written, means) = (example.next(), meaning.next());
            if written.is_none() && means.is_none() {
                break;
            }
            let written = format!(" {}", written.unwrap_or_default());
            let padding = " ".repeat(left.saturating_sub(wrap::columns(&written)));
            let means = Span::styled(means.unwrap_or_default(), theme.dim());
            rows.push(Line::from(vec![Span::styled(written + &padding, theme.accent()), means]));
        }
    }
    rows
}

/// The messages around the chosen one, as many as fit, with the chosen one whole.
fn hits(state: &State, hunt: &Hunt, width: usize, height: usize) -> Vec<Line<'static>> {
    let roomy = height >= ROOMY;
    let block = |place: usize| {
        let hit = hunt.hits.get(place)?;
        Some(self::hit(state, hunt, hit, place == hunt.chosen, width, roomy))
    };
    let mut rows = block(hunt.chosen).unwrap_or_default();
    // Of the screen, what is above takes a half: so one sees where one comes from and where one goes.
    let mut above = hunt.chosen;
    let mut used = rows.len();
    while let Some(place) = above.checked_sub(1)
        && let Some(block) = block(place)
        && used + block.len() <= height.div_ceil(2)
    {
        used += block.len();
        rows.splice(0..0, block);
        above = place;
    }
    let mut below = hunt.chosen + 1;
    while rows.len() < height
        && let Some(block) = block(below)
    {
        rows.extend(block);
        below += 1;
    }
    // At the end of the list there is room above.
    while let Some(place) = above.checked_sub(1)
        && let Some(block) = block(place)
        && rows.len() + block.len() <= height
    {
        rows.splice(0..0, block);
        above = place;
    }
    rows.truncate(height);
    rows
}

/// One message: where, when and by whom; what, with what was found marked; and what stands beside it.
fn hit(state: &State, hunt: &Hunt, hit: &Hit, chosen: bool, width: usize, roomy: bool) -> Vec<Line<'static>> {
    let theme = state.theme;
    let entry = &hit.entry;
    let bar = || if chosen { Span::styled("▌", theme.accent()) } else { Span::raw(" ") };
    // The bar and the indent before it, and behind it a place for what says that it goes on.
    let inner = width.saturating_sub(5).max(1);
    let mut rows = Vec::new();
    let room = wrap::truncate(&called(state, &entry.room), width / 2);
    let name = wrap::truncate(entry.from.as_str(), width.saturating_sub(wrap::columns(&room) + 2).max(1));
    let when = when(state, entry);
    let name_style = if entry.from == state.me {
        theme.own()
    } else {
        state.person(entry.author, &entry.from).add_modifier(Modifier::BOLD)
    };
    let head = [room.as_str(), &when, &name].iter().map(|part| wrap::columns(part)).sum::<usize>() + 5;
    let mut spans = vec![bar(), Span::styled(room, theme.strong()), Span::raw("  ")];
    if head <= width {
        spans.extend([Span::styled(when, theme.dim()), Span::raw("  ")]);
    }
    spans.push(Span::styled(name, name_style));
    let mut head = Line::from(spans);
    if chosen {
        // Without colours too it is seen which one is chosen.
        let rest = " ".repeat(width.saturating_sub(head.width()));
        head.push_span(rest);
        head = head.style(theme.selected());
    }
    rows.push(head);
    let beside = |entry: &Entry| {
        let text = wrap::truncate(&format!("{}: {}", entry.from, flat(entry)), inner);
        Line::from(vec![bar(), Span::styled(format!("   {text}"), theme.dim())])
    };
    let heard = |entry: &&Entry| {
        entry.kind == EntryKind::Message && !flat(entry).is_empty() && !state.is_ignored(&entry.from)
    };
    rows.extend(hit.before.as_ref().filter(heard).filter(|_| roomy).map(beside));
    let text = flat(entry);
    let mut found = query::find(&text, &hunt.terms);
    if hunt.answered.as_ref().is_some_and(|search| search.mentions) {
        found.extend(mentions(&text, state.me.as_str()));
        found.sort_by_key(|range| range.start);
    }
    let (texts, begins) = in_rows(&text, &found, inner, if roomy { TEXT_ROWS } else { 1 }, theme.mention());
    for (place, row) in texts.into_iter().enumerate() {
        let mut spans = vec![bar(), Span::raw(if place == 0 && !begins { "  …" } else { "   " })];
        spans.extend(row);
        rows.push(Line::from(spans));
    }
    rows.extend(hit.after.as_ref().filter(heard).filter(|_| roomy).map(beside));
    if roomy {
        rows.push(Line::default());
    }
    rows
}

/// What a room is called here. The name of one that is only for some says nothing.
fn called(state: &State, room: &RoomName) -> String {
    match state.place_of(room).and_then(|place| state.rooms.get(place)) {
        Some(room) => room.shown.clone(),
        None if room.is_direct() => "direct".to_owned(),
        None => room.as_str().to_owned(),
    }
}

/// Of a message of today the time, of this year the day, and otherwise the year too.
fn when(state: &State, entry: &Entry) -> String {
    let at = entry.at.timestamp().to_zoned(state.zone.clone());
    let now = state.server_time().timestamp().to_zoned(state.zone.clone());
    let form = if at.date() == now.date() {
        "today %H:%M"
    } else if at.year() == now.year() {
        "%a %-d %b %H:%M"
    } else {
        "%-d %b %Y %H:%M"
    };
    at.strftime(form).to_string()
}

/// The text in one line, byte for byte as long.
fn flat(entry: &Entry) -> String {
    entry.text.as_str().replace(['\n', '\t'], " ")
}

/// Everywhere that a name is said.
fn mentions(text: &str, nick: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while let Some(next) =
        text.get(at..).and_then(|rest| mention::find(rest, nick)).filter(|next| !next.is_empty())
    {
        found.push(at + next.start..at + next.end);
        at += next.end;
    }
    found
}

/// At most `most` rows of a text, with the first of what was found in the first or second of them, and all of that marked.
/// Whether the text begins with them.
fn in_rows(
    text: &str,
    found: &[Range<usize>],
    width: usize,
    most: usize,
    mark: Style,
) -> (Vec<Vec<Span<'static>>>, bool) {
    let rows = wrap::edit_rows(text, width);
    let first = found.iter().map(|range| range.start).min().unwrap_or(0);
    let with_first = rows.iter().rposition(|row| row.start <= first).unwrap_or(0);
    let skipped = with_first.saturating_sub(usize::from(most > 1)).min(rows.len().saturating_sub(most));
    let last = skipped + most;
    let cut = |place: usize| place + 1 == last && last < rows.len();
    let shown = rows.iter().enumerate().skip(skipped).take(most).map(|(place, row)| {
        let mut spans = Vec::new();
        let mut at = row.start;
        let mut piece = |range: Range<usize>, style: Style| {
            if let Some(text) = text.get(range).filter(|text| !text.is_empty()) {
                spans.push(Span::styled(wrap::show_edit_row(text, usize::MAX), style));
            }
        };
        for range in found {
            let (start, end) = (range.start.clamp(at, row.end), range.end.clamp(at, row.end));
            if start < end {
                piece(at..start, Style::new());
                piece(start..end, mark);
                at = end;
            }
        }
        piece(at..row.end, Style::new());
        if cut(place) {
            spans.push(Span::raw("…"));
        }
        spans
    });
    (shown.collect(), skipped == 0)
}
