//! Draws the state. Changes nothing.
//!
//! [`panes`] says where everything is. It is pure, so that scrolling, which must know how high the
//! scrollback is, asks the same question and gets the same answer.

mod apart;
mod around;
mod banner;
mod completing;
mod composer;
mod composing;
mod counter;
mod hit;
mod overlay;
mod people;
mod rooms;
mod scrollback;
mod status;
mod styled;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

pub(crate) use self::composer::{cursor_row, text_width as composer_width};
pub(crate) use self::hit::{Hit, hit, nearest_point};
pub(crate) use self::overlay::{
    hits_in_sight, last as overlay_last, marked, palette_rows, texts as overlay_texts, who,
};
use super::state::{Overlay, Question, State};
use super::wrap;

/// Columns from which on the side panes show themselves.
const ROOMS_FROM: u16 = 60;
const PEOPLE_FROM: u16 = 90;

/// Where everything is. What has no place is `None` or empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Panes {
    pub(crate) rooms: Option<Rect>,
    pub(crate) header: Option<Rect>,
    pub(crate) scrollback: Rect,
    pub(crate) people: Option<Rect>,
    /// The line between the conversation and the input.
    pub(crate) rule: Option<Rect>,
    pub(crate) banner: Rect,
    pub(crate) composer: Rect,
    pub(crate) status: Option<Rect>,
}

/// See [`Panes`].
pub(crate) fn panes(state: &State) -> Panes {
    let (width, height) = state.size;
    let composer = composer::rows(state).clamp(1, (height / 3).max(1)).min(height);
    let status = u16::from(height >= 3);
    let rule = u16::from(height >= 8);
    let header = u16::from(height >= 6);
    let fixed = composer + status + rule + header;
    let banner = banner::rows(state).min(height.saturating_sub(fixed + 1));
    let upper = height.saturating_sub(composer + status + rule + banner);

    let settings = &state.company.settings;
    let room_columns = rooms::columns(state).min(width / 3);
    let people_columns = people::columns(state).min(width / 3);
    let shown = |asked: Option<bool>, from: u16| asked.unwrap_or(width >= from) && width >= 12 && upper > 1;
    let left = if shown(state.rooms_pane.or(settings.rooms_pane.asked()), ROOMS_FROM) {
        room_columns + 1
    } else {
        0
    };
    let right = if shown(state.people_pane.or(settings.people_pane.asked()), PEOPLE_FROM) {
        people_columns + 1
    } else {
        0
    };
    let middle = width - left - right;
    let row = |y: u16, rows: u16| Rect::new(0, y, width, rows);
    Panes {
        rooms: (left > 0).then(|| Rect::new(0, 0, left - 1, upper)),
        header: (header > 0).then(|| Rect::new(left, 0, middle, 1)),
        scrollback: Rect::new(left, header, middle, upper - header.min(upper)),
        people: (right > 0).then(|| Rect::new(width - right + 1, 0, right - 1, upper)),
        rule: (rule > 0).then(|| row(upper, 1)),
        banner: row(upper + rule, banner),
        composer: row(upper + rule + banner, composer),
        status: (status > 0).then(|| row(height - 1, 1)),
    }
}

/// What is asked, in plain lines, and the keys that answer it with what they do.
pub(crate) fn question(state: &State) -> (Vec<String>, Vec<(String, &'static str)>) {
    let mut lines = Vec::new();
    banner::question(state, &mut |text, _| lines.push(text.to_owned()));
    (lines, status::useful(state))
}

/// Draws one frame. The frame MUST have the size that the state was told of last.
pub fn draw(state: &State, frame: &mut Frame<'_>) {
    let (width, height) = state.size;
    if frame.area() != Rect::new(0, 0, width, height) || width == 0 || height == 0 {
        // The terminal changed a moment ago, and the event that says so is on its way.
        return;
    }
    let panes = panes(state);
    let buffer = frame.buffer_mut();
    buffer.set_style(buffer.area, state.theme.text());
    if let Some(area) = panes.rooms {
        rooms::draw(state, area, buffer);
    }
    if let Some(area) = panes.header {
        rooms::draw_header(state, &panes, area, buffer);
    }
    scrollback::draw(state, panes.scrollback, buffer);
    if let Some(area) = panes.people {
        people::draw(state, area, buffer);
    }
    draw_rules(state, &panes, buffer);
    banner::draw(state, panes.banner, buffer);
    composer::draw(state, panes.composer, buffer);
    if let Some(area) = panes.status {
        status::draw(state, area, buffer);
    }
    completing::draw(state, &panes, buffer);
    overlay::draw(state, buffer);
    apart::keep(state, &panes, buffer);
    let cursor = match (&state.question, &state.overlay) {
        (Some(Question::Search { .. } | Question::InRoomSearch | Question::React { .. }), _) => {
            banner::cursor(state, panes.banner)
        }
        (None, Some(Overlay::Palette(_))) => overlay::palette_cursor(state),
        (None, Some(Overlay::Found(kind))) => overlay::found_cursor(state, *kind),
        _ => composer::cursor(state, panes.composer),
    };
    frame.set_cursor_position(cursor.unwrap_or(Position::new(0, 0)));
}

/// The columns of the lines beside the side panes.
fn sides(panes: &Panes) -> [Option<u16>; 2] {
    [panes.rooms.map(Rect::right), panes.people.map(|area| area.x - 1)]
}

/// The lines between the panes, and what is said on the one above the input.
fn draw_rules(state: &State, panes: &Panes, buffer: &mut Buffer) {
    let style = state.theme.rule();
    let sides = sides(panes);
    let upper = panes.scrollback.bottom();
    for x in sides.into_iter().flatten() {
        for y in 0..upper {
            put(buffer, x, y, "│", style);
        }
    }
    let Some(rule) = panes.rule else { return };
    for x in rule.x..rule.right() {
        let joint = sides.contains(&Some(x));
        put(buffer, x, rule.y, if joint { "┴" } else { "─" }, style);
    }
    if let Some((area, line)) = counter_place(state, panes) {
        put_line(buffer, area.x, area.y, &line, area.width);
    }
    let news = news_place(state, panes);
    let before_news = news.as_ref().map_or(rule.right(), |(area, _)| area.x.saturating_sub(1));
    if let Some(arguments) = completing::arguments(state) {
        // Whoever writes a command looks here, and not for who else is writing.
        let free = before_news.saturating_sub(3);
        let line = wrap::truncate_line(arguments, usize::from(free));
        let columns = u16::try_from(line.width()).unwrap_or(u16::MAX);
        put(buffer, rule.x + 1, rule.y, " ", style);
        put_line(buffer, rule.x + 2, rule.y, &line, free);
        put(buffer, (rule.x + 2).saturating_add(columns), rule.y, " ", style);
    } else if let Some(mut typing) =
        status::typing(state, usize::from(panes.scrollback.width.saturating_sub(3)))
    {
        let width = panes.scrollback.width.saturating_sub(1);
        // On the line, so that nothing moves when somebody begins or ends.
        typing.spans.insert(0, Span::raw(" "));
        typing.push_span(Span::raw(" "));
        put_line(buffer, panes.scrollback.x + 1, rule.y, &typing, width);
    }
    if let Some((area, line)) = news {
        put_line(buffer, area.x, area.y, &line, area.width);
    }
}

/// How much is written, at the end of the line above the input, and where.
fn counter_place(state: &State, panes: &Panes) -> Option<(Rect, Line<'static>)> {
    let (rule, counter) = (panes.rule?, counter::counter(state)?);
    let line = Line::from(vec![Span::raw(" "), counter, Span::raw(" ")]);
    let columns = u16::try_from(line.width()).unwrap_or(u16::MAX).saturating_add(1).min(rule.width);
    Some((Rect::new(rule.right() - columns, rule.y, columns, 1), line))
}

/// What is said on the line above the input of what is further down, and where.
fn news_place(state: &State, panes: &Panes) -> Option<(Rect, Line<'static>)> {
    let (rule, news) = (panes.rule?, status::news_below(state)?);
    let line = Line::from(vec![Span::raw(" "), news, Span::raw(" ")]);
    let columns = u16::try_from(line.width()).unwrap_or(u16::MAX);
    let counter = counter_place(state, panes).map_or(rule.right(), |(area, _)| area.x);
    let right = panes.scrollback.right().min(counter);
    let x = right.saturating_sub(columns.saturating_add(2)).max(panes.scrollback.x);
    Some((Rect::new(x, rule.y, columns.min(right.saturating_sub(x)), 1), line))
}

/// Writes a text at a place, as far as there is room in the buffer.
pub(crate) fn put(buffer: &mut Buffer, x: u16, y: u16, text: &str, style: Style) {
    if buffer.area.contains(Position::new(x, y)) {
        buffer.set_stringn(x, y, text, usize::from(buffer.area.right() - x), style);
    }
}

/// Writes a line at a place, in at most `width` columns.
pub(crate) fn put_line(buffer: &mut Buffer, x: u16, y: u16, line: &Line<'_>, width: u16) {
    if buffer.area.contains(Position::new(x, y)) {
        buffer.set_line(x, y, line, width.min(buffer.area.right() - x));
    }
}
