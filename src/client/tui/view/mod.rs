//! Draws the state. Changes nothing.
//!
//! [`panes`] says where everything is. It is pure, so that scrolling, which must know how high the
//! scrollback is, asks the same question and gets the same answer.

mod around;
mod banner;
mod composer;
mod composing;
mod overlay;
mod people;
mod rooms;
mod scrollback;
mod status;
mod styled;

use ratatui::Frame;
use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar;

pub(crate) use self::composer::{cursor_row, text_width as composer_width};
pub(crate) use self::overlay::{hits_in_sight, last as overlay_last, texts as overlay_texts};
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

    let room_columns = rooms::columns(state).min(width / 3);
    let people_columns = people::columns(state).min(width / 3);
    let shown = |asked: Option<bool>, from: u16| asked.unwrap_or(width >= from) && width >= 12 && upper > 1;
    let left = if shown(state.rooms_pane, ROOMS_FROM) { room_columns + 1 } else { 0 };
    let right = if shown(state.people_pane, PEOPLE_FROM) { people_columns + 1 } else { 0 };
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
    overlay::draw(state, buffer);
    repaint_behind_doubtful(buffer);
    let cursor = match (&state.question, &state.overlay) {
        (Some(Question::Search { .. } | Question::React { .. }), _) => banner::cursor(state, panes.banner),
        (None, Some(Overlay::Found(kind))) => overlay::found_cursor(state, *kind),
        _ => composer::cursor(state, panes.composer),
    };
    frame.set_cursor_position(cursor.unwrap_or(Position::new(0, 0)));
}

/// Terminals disagree about how wide joined emoji, flags and the like are. Each cell is put at its own
/// place, so what comes behind is painted over what stuck out; but only if it is painted, and a cell
/// that did not change would not be. So whatever stands behind such a grapheme always is.
fn repaint_behind_doubtful(buffer: &mut Buffer) {
    let width = usize::from(buffer.area.width).max(1);
    for row in buffer.content.chunks_mut(width) {
        let doubtful = row.iter().position(|cell| is_doubtful(cell.symbol()));
        for cell in row.iter_mut().skip(doubtful.map_or(width, |place| place + 1)) {
            cell.set_diff_option(CellDiffOption::AlwaysUpdate);
        }
    }
}

/// Whether terminals may disagree about the width of a grapheme.
fn is_doubtful(grapheme: &str) -> bool {
    // An emoji alone has four bytes, and a letter with a mark or two as many.
    grapheme.len() > 4
        && grapheme.chars().any(|c| {
            matches!(c, '\u{200D}' | '\u{FE0E}' | '\u{FE0F}' | '\u{20E3}' | '\u{1F1E6}'..='\u{1F1FF}' | '\u{1F3FB}'..='\u{1F3FF}')
                || (c.width() != Some(0) && grapheme.chars().nth(1).is_some_and(|second| second.width() != Some(0)))
        })
}

/// The lines between the panes, and what is said on the one above the input.
fn draw_rules(state: &State, panes: &Panes, buffer: &mut Buffer) {
    let style = state.theme.rule();
    let sides = [panes.rooms.map(Rect::right), panes.people.map(|area| area.x - 1)];
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
    if let Some(typing) = status::typing(state) {
        // On the line, so that nothing moves when somebody begins or ends.
        let left = panes.scrollback.x;
        let width = panes.scrollback.width.saturating_sub(1);
        let text = wrap::truncate(&typing, usize::from(width).saturating_sub(2));
        put_line(buffer, left + 1, rule.y, &Line::styled(format!(" {text} "), state.theme.dim()), width);
    }
    if let Some(news) = status::news_below(state) {
        let line = Line::from(vec![Span::raw(" "), news, Span::raw(" ")]);
        let columns = u16::try_from(line.width()).unwrap_or(u16::MAX);
        let x = panes.scrollback.right().saturating_sub(columns + 2).max(panes.scrollback.x);
        put_line(buffer, x, rule.y, &line, panes.scrollback.right().saturating_sub(x));
    }
}

/// Writes a text at a place, as far as there is room in the buffer.
fn put(buffer: &mut Buffer, x: u16, y: u16, text: &str, style: Style) {
    if buffer.area.contains(Position::new(x, y)) {
        buffer.set_stringn(x, y, text, usize::from(buffer.area.right() - x), style);
    }
}

/// Writes a line at a place, in at most `width` columns.
fn put_line(buffer: &mut Buffer, x: u16, y: u16, line: &Line<'_>, width: u16) {
    if buffer.area.contains(Position::new(x, y)) {
        buffer.set_line(x, y, line, width.min(buffer.area.right() - x));
    }
}
