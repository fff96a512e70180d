//! Draws the launcher. Changes nothing.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

use super::help;
use super::probe::Reach;
use super::rows::{Group, Row, Standing};
use super::state::{Item, State};
use super::typed;
use crate::client::tui::keymap::Action;
use crate::client::tui::theme::Theme;
use crate::client::tui::view::{marked, put, put_line};
use crate::client::tui::wrap;

/// Columns of the list at most: further apart, what stands in a row would not be read as one.
const WIDEST: u16 = 100;

/// Rows from which on there is a title, and space between the parts; from which on a line is above the keys; and from
/// which on there is room for the keys.
const ROOMY_FROM: u16 = 16;
const RULE_FROM: u16 = 10;
const STATUS_FROM: u16 = 3;

/// Columns of the names, at most: of this machine's rows, which are sentences, and of parlors.
const OWN_NAME: usize = 30;
const NAME: usize = 24;

/// Columns of how it stands, in full and where there is little room, and of what says that there is no TLS.
const STANDING: usize = 19;
const SHORT_STANDING: usize = 10;
const NO_TLS: &str = "no TLS";

/// Columns of a row from which on it says how it stands in full, and from which on it says where.
const FULL_FROM: usize = 44;
const PLACE_FROM: usize = 12;

/// Rows of the list from which on it is said at length why nobody is found.
const LONG_FROM: u16 = 14;

/// What stands before that which is typed.
const PROMPT: &str = "› ";

/// What stands beside the row that is chosen, and beside the others.
const MARK: &str = "▌ ";
const NO_MARK: &str = "  ";

/// Where everything is.
struct Parts {
    title: Option<Rect>,
    input: Rect,
    list: Rect,
    rule: Option<Rect>,
    status: Option<Rect>,
}

fn parts((width, height): (u16, u16)) -> Parts {
    let columns = width.saturating_sub(2).clamp(width.min(1), WIDEST);
    let x = (width - columns) / 2;
    let row = |y: u16| Rect::new(x, y, columns, 1);
    let roomy = height >= ROOMY_FROM;
    let (above, gap) = if roomy { (2, 1) } else { (0, 0) };
    let status = u16::from(height >= STATUS_FROM);
    let rule = u16::from(height >= RULE_FROM);
    let top = above + 1 + gap;
    Parts {
        title: roomy.then(|| row(0)),
        input: Rect { height: height.min(1), ..row(above) },
        list: Rect { height: height.saturating_sub(top + status + rule), ..row(top) },
        rule: (rule > 0).then(|| Rect::new(0, height - 2, width, 1)),
        status: (status > 0).then(|| Rect::new(0, height - 1, width, 1)),
    }
}

/// How many rows of the list are in sight.
pub(super) fn list_rows(state: &State) -> usize {
    usize::from(parts(state.size).list.height)
}

/// How far down one can go in the help.
pub(super) fn help_last(state: &State) -> usize {
    let list = parts(state.size).list;
    help::rows(state, usize::from(list.width)).len().saturating_sub(usize::from(list.height))
}

/// What can be chosen in a cell.
pub(super) fn hit(state: &State, column: u16, row: u16) -> Option<Item> {
    let list = parts(state.size).list;
    if state.help.is_some() || !list.contains(Position::new(column, row)) {
        return None;
    }
    let rows = state.rows();
    let (lines, first) = in_sight(state, &rows, list);
    let (_, place) = lines.get(first + usize::from(row - list.y))?;
    rows.get((*place)?).map(|row| row.item.clone())
}

/// Draws one frame. The frame MUST have the size that the state was told of last.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>) {
    let (width, height) = state.size;
    if frame.area() != Rect::new(0, 0, width, height) || width == 0 || height == 0 {
        // The terminal changed a moment ago, and the event that says so is on its way.
        return;
    }
    let theme = state.theme;
    let parts = parts(state.size);
    let buffer = frame.buffer_mut();
    buffer.set_style(buffer.area, theme.text());
    if let Some(area) = parts.title {
        let line = Line::from(vec![
            Span::styled("parlor", theme.strong()),
            Span::styled("  join somebody's, or host one", theme.dim()),
        ]);
        put_line(buffer, area.x, area.y, &line, area.width);
    }
    let more = match state.help {
        Some(top) => draw_help(state, top, parts.list, buffer),
        None => draw_list(state, parts.list, buffer),
    };
    let cursor = draw_input(state, parts.input, buffer);
    if let Some(area) = parts.rule {
        for x in area.x..area.right() {
            put(buffer, x, area.y, "─", theme.rule());
        }
        if more {
            let line = Line::styled(" ↓ more ", theme.dim());
            put_line(buffer, parts.list.right().saturating_sub(8), area.y, &line, 8);
        }
    }
    if let Some(area) = parts.status {
        draw_status(state, area, buffer);
    }
    frame.set_cursor_position(cursor);
}

/// Draws what is typed, and says where the cursor is.
fn draw_input(state: &State, area: Rect, buffer: &mut Buffer) -> Position {
    let theme = state.theme;
    let width = usize::from(area.width).saturating_sub(wrap::columns(PROMPT)).max(1);
    let masked = typed::masked(state.input.text());
    let behind = state.input.text().get(..state.input.cursor()).unwrap_or_default().graphemes(true).count();
    let at = masked.grapheme_indices(true).nth(behind).map_or(masked.len(), |(at, _)| at);
    let (before, after) = masked.split_at(at);
    // The part with the cursor, if not all of it has a place.
    let before = wrap::show_edit_row(before, usize::MAX);
    let before = wrap::cut(&before, width.saturating_sub(1).max(1)).pop().unwrap_or_default();
    let column = wrap::columns(&before);
    let after = wrap::show_edit_row(after, width.saturating_sub(column));
    let mut line = Line::from(vec![
        Span::styled(PROMPT, theme.accent().add_modifier(Modifier::BOLD)),
        Span::raw(before + &after),
    ]);
    if state.input.is_empty() {
        let hint = wrap::truncate("a name, an address, an invite or four words", width);
        line.push_span(Span::styled(hint, theme.dim()));
    }
    put_line(buffer, area.x, area.y, &line, area.width);
    let x = u16::try_from(wrap::columns(PROMPT) + column).unwrap_or(u16::MAX);
    Position::new(area.x.saturating_add(x).min(area.right().saturating_sub(1)), area.y)
}

/// Draws the help from a row on, and says whether there is more.
fn draw_help(state: &State, top: usize, area: Rect, buffer: &mut Buffer) -> bool {
    let rows = help::rows(state, usize::from(area.width));
    let height = usize::from(area.height);
    let top = top.min(rows.len().saturating_sub(height));
    for (y, line) in (area.y..area.bottom()).zip(rows.iter().skip(top)) {
        put_line(buffer, area.x, y, line, area.width);
    }
    top + height < rows.len()
}

/// Draws the list, and says whether there is more of it below.
fn draw_list(state: &State, area: Rect, buffer: &mut Buffer) -> bool {
    let rows = state.rows();
    let (lines, first) = in_sight(state, &rows, area);
    for (y, (line, _)) in (area.y..area.bottom()).zip(lines.iter().skip(first)) {
        put_line(buffer, area.x, y, line, area.width);
    }
    first + usize::from(area.height) < lines.len()
}

/// A line, and the place of the row that it shows.
type Shown = (Line<'static>, Option<usize>);

/// All lines, and which of them is the first in sight: the row that is chosen always is.
fn in_sight(state: &State, rows: &[Row], area: Rect) -> (Vec<Shown>, usize) {
    let lines = lines(state, rows, area);
    let chosen = state.place(rows);
    let at = lines.iter().position(|(_, place)| *place == Some(chosen)).unwrap_or(0);
    let first = (at + 1).saturating_sub(usize::from(area.height));
    (lines, first)
}

fn lines(state: &State, rows: &[Row], area: Rect) -> Vec<Shown> {
    let theme = state.theme;
    let width = usize::from(area.width);
    let roomy = state.size.1 >= ROOMY_FROM;
    let idle = state.input.text().trim().is_empty();
    let any_plain = rows.iter().any(|row| row.plain);
    let mut lines: Vec<Shown> = Vec::new();
    for group in [Group::Typed, Group::Machine, Group::Network, Group::Recent, Group::Guess] {
        let own = || rows.iter().enumerate().filter(|(_, row)| row.group == group);
        let says = if group == Group::Network && idle { about_network(state, area) } else { Vec::new() };
        if own().next().is_none() && says.is_empty() {
            continue;
        }
        if roomy && !lines.is_empty() {
            lines.push((Line::default(), None));
        }
        let heading = match group {
            Group::Machine => Some("this machine"),
            Group::Network => Some("on this network"),
            Group::Recent => Some("visited before"),
            Group::Typed | Group::Guess => None,
        };
        lines.extend(heading.map(|heading| (Line::styled(heading, theme.strong()), None)));
        let columns = Columns::of(group, names(rows, group), width, any_plain);
        lines.extend(own().map(|(place, row)| {
            let line = columns.line(theme, row, row.item == state.chosen);
            (line, Some(place))
        }));
        lines.extend(says.into_iter().map(|line| (line, None)));
    }
    if rows.is_empty() {
        let (style, sentence) = match typed::read(state.input.text()) {
            Some(Err(sentence)) => (theme.warning(), format!("! {sentence}")),
            _ => (theme.dim(), "Nothing here is called so. Fewer letters find more.".to_owned()),
        };
        lines.extend(wrapped(&sentence, width, style).map(|line| (line, None)));
    }
    lines
}

/// Columns of the longest name of a group. Parlors stand in the same columns, whichever group they are in.
fn names(rows: &[Row], group: Group) -> usize {
    let is_parlor = |group| matches!(group, Group::Network | Group::Recent);
    let others = rows.iter().filter(|row| row.group == group || (is_parlor(group) && is_parlor(row.group)));
    others.map(|row| wrap::columns(&row.name)).max().unwrap_or(0)
}

/// What is said of looking: that it goes on, why nobody may be found, what does not work.
fn about_network(state: &State, area: Rect) -> Vec<Line<'static>> {
    let (theme, width) = (state.theme, usize::from(area.width));
    let mut lines = Vec::new();
    if !state.looks {
        let sentence = "not looked for: the settings say find = false";
        lines.extend(wrapped(sentence, width, theme.dim()));
    } else if state.is_silent() && area.height >= LONG_FROM {
        for sentence in [
            "Nobody answers here. Perhaps this Wi-Fi keeps its devices apart, a VPN takes what is meant for this \
             network, a firewall stops 5353/udp or 7878/udp, or the parlor is on another network.",
            "Ask its host for the line that `parlor invite` prints, or for four words, and type or paste them here.",
        ] {
            lines.extend(wrapped(sentence, width, theme.dim()));
        }
    } else if state.is_silent() {
        let key = state.key_for(Action::Help);
        let sentence = format!(
            "Nobody answers ({key} says why). Type its host's line of `parlor invite`, or four words."
        );
        lines.extend(wrapped(&sentence, width, theme.dim()));
    } else if state.found.is_empty() {
        lines.extend(wrapped("◌ looking …", width, theme.dim()));
    }
    for sentence in &state.troubles {
        lines.extend(wrapped(&format!("! {}", sentence.as_str()), width, theme.warning()));
    }
    lines
}

/// A sentence in rows, below the names.
fn wrapped(sentence: &str, width: usize, style: Style) -> impl Iterator<Item = Line<'static>> {
    let room = width.saturating_sub(wrap::columns(NO_MARK)).max(1);
    let rows = wrap::wrap(sentence, room).into_iter();
    rows.map(move |row| Line::styled(format!("{NO_MARK}{row}"), style))
}

/// Where what is said of a parlor stands.
struct Columns {
    width: usize,
    name: usize,
    /// 0: there is nothing of that kind.
    standing: usize,
    plain: usize,
    full: bool,
}

impl Columns {
    fn of(group: Group, names: usize, width: usize, any_plain: bool) -> Self {
        let width = width.saturating_sub(wrap::columns(MARK));
        let full = width >= FULL_FROM;
        let standing = if full { STANDING } else { SHORT_STANDING };
        let plain =
            if any_plain && matches!(group, Group::Network | Group::Recent) { NO_TLS.len() + 2 } else { 0 };
        let most = match group {
            Group::Machine => OWN_NAME,
            Group::Network | Group::Recent if full => NAME,
            _ => usize::MAX,
        };
        let name = names.min(most).min(width.saturating_sub(standing + 2 + plain));
        Self { width, name, standing, plain, full }
    }

    fn line(&self, theme: Theme, row: &Row, chosen: bool) -> Line<'static> {
        let base = if chosen { theme.selected() } else { Style::new() };
        // Across what is chosen lies one colour.
        let style = |style: Style| if chosen { base } else { style };
        let mark = if chosen { theme.accent().patch(base) } else { base };
        let mut line = Line::from(Span::styled(if chosen { MARK } else { NO_MARK }, mark));
        let start = wrap::columns(MARK);
        let pad = |line: &mut Line<'static>, to: usize| {
            let columns = (start + to).saturating_sub(line.width());
            line.push_span(Span::styled(" ".repeat(columns), base));
        };
        let sentence = matches!(row.group, Group::Typed | Group::Guess);
        let name = wrap::truncate(&row.name, if sentence { self.width } else { self.name });
        let gone = row.standing == Standing::Gone;
        let ink = style(if gone { theme.dim() } else { Style::new() });
        line.spans.extend(marked(&name, &row.marks, ink));
        let mut at = self.name + 2;
        let room_from = |at: usize| self.width.saturating_sub(at);
        if row.standing != Standing::Silent || row.group == Group::Recent {
            pad(&mut line, at);
            let (words, look) = standing(theme, row.standing, self.full);
            line.push_span(Span::styled(wrap::truncate(&words, room_from(at)), style(look)));
            at += self.standing;
            if row.plain {
                pad(&mut line, at);
                line.push_span(Span::styled(wrap::truncate(NO_TLS, room_from(at)), style(theme.warning())));
            }
            at += self.plain;
            if self.full && room_from(at) >= PLACE_FROM && row.place != row.name {
                pad(&mut line, at);
                let note = wrap::columns(&row.note);
                let room = room_from(at + if note > 0 { note + 2 } else { 0 });
                let room = if room < PLACE_FROM { room_from(at) } else { room };
                line.push_span(Span::styled(wrap::truncate(&row.place, room), style(theme.dim())));
            }
            let used = line.width().saturating_sub(start);
            // The word before the day, where there is no room for more.
            let short = row.note.split(',').next().unwrap_or_default();
            let fits = |note: &&str| !note.is_empty() && room_from(used) >= wrap::columns(note) + 2;
            if let Some(note) = [row.note.as_str(), short].into_iter().find(fits) {
                pad(&mut line, self.width.saturating_sub(wrap::columns(note)));
                line.push_span(Span::styled(note.to_owned(), style(theme.dim())));
            }
        } else if !row.note.is_empty() && room_from(at) >= PLACE_FROM {
            pad(&mut line, at);
            line.push_span(Span::styled(wrap::truncate(&row.note, room_from(at)), style(theme.dim())));
        }
        pad(&mut line, self.width);
        line
    }
}

/// How it stands with a parlor, in a sign and words.
fn standing(theme: Theme, standing: Standing, full: bool) -> (String, Style) {
    let (long, short, look) = match standing {
        Standing::Said { people, open } => {
            let door = if open { "open" } else { "locked" };
            let people = format!("{people} here");
            return match full {
                true => (format!("● {people:<8} {door}"), theme.good()),
                false => (format!("● {door}"), theme.good()),
            };
        }
        Standing::Gone => ("○ gone", "○ gone", theme.dim()),
        Standing::Seen(Reach::Unknown) => ("◌ looking …", "◌", theme.dim()),
        Standing::Seen(Reach::Here) => ("● here", "● here", theme.good()),
        Standing::Seen(Reach::Nothing) => ("✗ nothing listens", "✗ closed", theme.dim()),
        Standing::Seen(Reach::Silent) => ("○ does not answer", "○ silent", theme.dim()),
        Standing::Seen(Reach::NoWay) => ("✗ no way there", "✗ no way", theme.dim()),
        Standing::Silent => ("", "", theme.dim()),
    };
    (if full { long } else { short }.to_owned(), look)
}

/// The last line: how many were found, and the keys that are useful now.
fn draw_status(state: &State, area: Rect, buffer: &mut Buffer) {
    let theme = state.theme;
    let there = state.found.iter().filter(|found| found.gone.is_none()).count();
    let (sign, look, words) = match there {
        _ if !state.looks => ("○", theme.dim(), "not looking".to_owned()),
        0 if state.is_silent() => ("○", theme.warning(), "nobody found".to_owned()),
        0 => ("◌", theme.warning(), "looking …".to_owned()),
        many => ("●", theme.good(), format!("{many} on this network")),
    };
    let close = match (state.help.is_some(), state.input.is_empty()) {
        (true, _) => "close",
        (false, false) => "clear",
        (false, true) => "leave",
    };
    let mut keys = vec![(state.key_for(Action::Close), close), (state.key_for(Action::Help), "help")];
    if state.help.is_none() {
        let verb = if state.chosen == Item::Host { "host" } else { "join" };
        if state.rows().iter().any(|row| row.item == state.chosen) {
            keys.insert(0, ("Enter".to_owned(), verb));
        }
        keys.insert(
            keys.len() - 1,
            (format!("{} {}", state.key_for(Action::Up), state.key_for(Action::Down)), "choose"),
        );
    }
    keys.retain(|(key, _)| !key.trim().is_empty());
    let left = Line::from(vec![Span::styled(format!(" {sign} "), look), Span::styled(words, theme.dim())]);
    let width = usize::from(area.width);
    // The keys are of more use than the number, and the first of them than the others.
    let columns = |keys: &[(String, &str)]| {
        keys.iter().map(|(key, what)| wrap::columns(key) + what.len() + 4).sum::<usize>()
    };
    while keys.len() > 1 && columns(&keys) > width {
        keys.remove(keys.len() - 2);
    }
    let mut right = Line::default();
    for (key, what) in &keys {
        if right.width() > 0 {
            right.push_span(Span::styled(" · ", theme.dim()));
        }
        right.push_span(Span::styled(key.clone(), theme.accent()));
        right.push_span(Span::styled(format!(" {what}"), theme.dim()));
    }
    if left.width() + 2 + right.width() < width {
        put_line(buffer, area.x, area.y, &left, area.width);
    }
    let columns = u16::try_from(right.width()).unwrap_or(u16::MAX).min(area.width);
    let x = area.right().saturating_sub(columns.saturating_add(1));
    put_line(buffer, x.max(area.x), area.y, &right, columns);
}
