//! The last line: how it stands with the server, and the keys that are useful now.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::{banner, completing, overlay, panes, put_line};
use crate::client::tui::keymap::{Action, FOR_CHOSEN, ForChosen};
use crate::client::tui::palette::Target;
use crate::client::tui::pasted;
use crate::client::tui::scroll::Scroll;
use crate::client::tui::state::clock::round_trip;
use crate::client::tui::state::completion::Candidate;
use crate::client::tui::state::finding::Kind;
use crate::client::tui::state::room::Room;
use crate::client::tui::state::{Connection, Overlay, Question, State};
use crate::client::tui::update::choosing;
use crate::client::tui::update::pasting::EDIT_PASTE;
use crate::client::tui::wrap;
use crate::protocol::link;

/// What answers a question and takes what is chosen from a list, whatever it is bound to.
const ENTER: &str = "Enter";

pub(super) fn draw(state: &State, area: Rect, buffer: &mut Buffer) {
    let left = connection(state, area.width);
    put_line(buffer, area.x, area.y, &left, area.width);
    let room = usize::from(area.width).saturating_sub(left.width() + 3);
    let right = match &state.completion {
        // There is no place for them above the input.
        Some(completion) if is_free(state) && completing::shown(state, &panes(state)).is_none() => {
            candidates(state, &completion.candidates, completion.chosen, room)
        }
        _ => hints(state, room),
    };
    let width = u16::try_from(right.width()).unwrap_or(0);
    put_line(buffer, area.right().saturating_sub(width + 1), area.y, &right, width);
}

/// Whether nothing is asked, and nothing lies over the rooms.
fn is_free(state: &State) -> bool {
    state.question.is_none() && state.overlay.is_none()
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
            let round_trip =
                state.round_trip.map(|time| format!(" {}", round_trip(time))).unwrap_or_default();
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
    } else if let Some(mode) = mode(state) {
        spans.push(Span::styled(mode, theme.accent().add_modifier(Modifier::BOLD)));
        if let Some(counted) = banner::in_room_count(state) {
            spans.push(Span::styled(format!(" {counted}"), theme.dim()));
        }
    } else {
        spans.push(Span::styled(words, theme.dim()));
    }
    Line::from(spans)
}

/// What the keys are for, if not for writing.
fn mode(state: &State) -> Option<&'static str> {
    let overlay = state.overlay.as_ref();
    if matches!(overlay, Some(Overlay::Thread(_))) {
        return Some("thread");
    }
    let room = state.room().filter(|room| room.reading && !room.composer.text().starts_with('/'))?;
    (overlay.is_none() && room.chosen.is_some()).then_some("reading")
}

/// What has come while the reader is further up.
pub(super) fn news_below(state: &State) -> Option<Span<'static>> {
    let covered = matches!(state.overlay, Some(Overlay::Thread(_)));
    let room = state.room().filter(|room| room.scroll != Scroll::Bottom && !covered)?;
    let key = if room.reading {
        state.keymap().chosen_key_for(ForChosen::Newest)
    } else {
        state.key_for(Action::Newest)
    };
    let key = if key.is_empty() { key } else { format!(" · {key}") };
    Some(match room.unread {
        0 if key.is_empty() => Span::styled("further up", state.theme.dim()),
        0 => Span::styled(format!("further up{key} newest"), state.theme.dim()),
        new if room.mentioned && !room.name.is_direct() => {
            Span::styled(format!("{new} new below, naming you{key}"), state.theme.mention())
        }
        new => Span::styled(format!("{new} new below{key}"), state.theme.news().add_modifier(Modifier::BOLD)),
    })
}

/// Who is writing in the room in sight, in at most `width` columns: their names in their colours, if there is room.
pub(super) fn typing(state: &State, width: usize) -> Option<Line<'static>> {
    let typing = &state.room()?.typing;
    let sentence = typing.sentence()?;
    let dim = state.theme.dim();
    let (mut spans, mut rest) = (Vec::new(), sentence.as_str());
    if wrap::columns(&sentence) <= width {
        for nick in typing.who() {
            let Some((before, behind)) = rest.split_once(nick.as_str()) else { break };
            spans.push(Span::styled(before.to_owned(), dim));
            spans.push(Span::styled(nick.to_string(), state.person(None, nick)));
            rest = behind;
        }
    }
    spans.push(Span::styled(wrap::truncate(rest, width), dim));
    Some(Line::from(spans))
}

/// The keys that are useful now, as many as fit, the most useful first; the last one, by which the others
/// are found, before all.
fn hints(state: &State, room: usize) -> Line<'static> {
    let theme = state.theme;
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    let mut useful = useful(state);
    // What no key does any more is no hint.
    useful.retain(|(key, _)| !key.is_empty());
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
    let (enter, esc) = (ENTER.to_owned(), state.key_for(Action::Close));
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
            return vec![(enter, "send"), (state.key_for(EDIT_PASTE), "edit first"), (esc, "discard")];
        }
        Some(Question::Delete(_)) => return vec![(enter, "delete"), (esc, "keep it")],
        Some(Question::React { wanted, .. }) if wanted.is_empty() => {
            return vec![("1 … 6".to_owned(), "react"), (esc, "go back")];
        }
        Some(Question::React { .. }) => {
            return vec![(enter, "react"), (state.key_for(Action::Complete), "the next"), (esc, "go back")];
        }
        Some(Question::InRoomSearch) => {
            let (up, down) = (state.key_for(Action::Up), state.key_for(Action::Down));
            return vec![(enter, "keep"), (format!("{up} {down}"), "next"), (esc, "go back")];
        }
        Some(Question::Search { .. }) => {
            let (older, newer) = (state.key_for(Action::SearchInputs), state.key_for(Action::Search));
            return vec![(enter, "take it"), (older, "older"), (newer, "newer"), (esc, "go back")];
        }
        None => {}
    }
    if let Some(overlay) = &state.overlay {
        match overlay {
            Overlay::Found(kind) => return searching(state, *kind),
            Overlay::Thread(_) => return in_thread(state),
            Overlay::Palette(palette) => {
                let chosen = palette.found.get(palette.chosen).map(|entry| (enter, does(&entry.target)));
                let choose = (palette.found.len() > 1).then(|| ("↑ ↓".to_owned(), "choose"));
                return chosen.into_iter().chain(choose).chain([(esc, "close")]).collect();
            }
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
        if matches!(overlay, Overlay::Themes(_)) {
            return vec![(enter, "keep it"), ("↑ ↓".to_owned(), "look"), (esc, "as before")];
        }
        let Some(top) = overlay::place(overlay) else {
            return vec![(enter, "go in"), ("↑ ↓".to_owned(), "choose"), (esc, "close")];
        };
        let mut useful = Vec::new();
        if matches!(overlay, Overlay::Invite { .. }) {
            useful.push(("c".to_owned(), "copy"));
        }
        if top < super::overlay_last(state) {
            useful.push((state.key_for(Action::PageDown), "further"));
        }
        if top > 0 {
            useful.push((state.key_for(Action::PageUp), "back"));
        }
        useful.push((esc, "close"));
        return useful;
    }
    if let Some(completion) = &state.completion {
        let does = if completion.chosen.is_some() { "the next" } else { "take it" };
        let mut useful = vec![(state.key_for(Action::Complete), does), ("↑ ↓".to_owned(), "choose")];
        if completion.by_arrows {
            useful.insert(0, (enter, "take it"));
        }
        useful.push((esc, "close"));
        return useful;
    }
    let mut useful = Vec::new();
    let Some(room) = state.room() else { return vec![(state.key_for(Action::Help), "help")] };
    if let Some(seq) = room.chosen.filter(|_| !room.composer.text().starts_with('/')) {
        return for_chosen(state, room, seq);
    }
    if room.composer.is_empty() && state.retry_at().is_some() {
        useful.push((state.key_for(Action::Send), "try now"));
    }
    let text = room.composer.text();
    // Whoever has written a fence needs the next line.
    if text.contains('\n') || pasted::ends_in_code(text) {
        useful.push((state.key_for(Action::NewLine), "new line"));
    }
    if !state.finding.places.is_empty() && room.composing.is_none() && room.composer.is_empty() {
        useful.push((esc.clone(), "back"));
    }
    if room.scroll != Scroll::Bottom {
        useful.push((state.key_for(Action::Newest), "newest"));
        useful.push((state.key_for(Action::PageUp), "older"));
    }
    if state.news_of(state.other_rooms()).1 > 0 {
        useful.push((state.key_for(Action::NextNews), "news"));
    } else if state.news_from.as_ref().is_some_and(|from| *from != room.name) {
        useful.push((state.key_for(Action::NextNews), "go back"));
    }
    if room.scroll == Scroll::Bottom {
        useful.push((state.key_for(Action::Complete), "complete"));
        useful.push((state.key_for(Action::PageUp), "history"));
    }
    let nothing_open = state.finding.places.is_empty() && state.notice.is_none();
    if nothing_open
        && room.scroll == Scroll::Bottom
        && room.composing.is_none()
        && room.composer.is_empty()
        && choosing::has_choosable(state)
    {
        useful.push((esc, "read"));
        useful.push((state.key_for(Action::Palette), "go to"));
    }
    useful.push((state.key_for(Action::Help), "help"));
    useful
}

/// What becomes of what is chosen in the palette.
fn does(target: &Target) -> &'static str {
    match target {
        Target::Room(_) | Target::Moment(_) => "go there",
        Target::Join(_) => "join",
        Target::Make(_) => "make it",
        Target::Person(_) => "speak alone",
        Target::Command(command) if !command.arguments.is_empty() => "write it",
        Target::Setting(_) => "set it",
        Target::Command(_) | Target::Action(_) => "do it",
    }
}

/// The keys for the message that is chosen, without those that would do nothing and those that all know.
fn for_chosen(state: &State, room: &Room, seq: u64) -> Vec<(String, &'static str)> {
    use ForChosen as F;
    let message = room.scrollback.message(seq);
    let own = message.is_some_and(|message| message.author == Some(state.author));
    let useful = FOR_CHOSEN.iter().filter(|binding| match binding.action {
        _ if binding.reading_only && !room.reading => false,
        F::Edit => own,
        F::Delete => state.keep_order() || own,
        F::Thread => room.has_thread(seq),
        F::GoToAnswered => message.is_some_and(|message| message.reply_to.is_some()),
        F::GoBack => !state.finding.places.is_empty(),
        F::NextMatch | F::PreviousMatch => room.search.is_some(),
        // Once there is one, the keys to go through it are worth more.
        F::Search => room.search.is_none(),
        F::OpenLinks => {
            message.is_some_and(|message| !link::links(room.now(message, state.author).text).is_empty())
        }
        F::FirstUnread => room.new_after.is_some(),
        F::Fold => state.layout(room, panes(state).scrollback.width).can_fold(seq),
        F::Reply | F::React | F::Copy | F::About | F::Done => true,
        F::MentionBefore
        | F::MentionAfter
        | F::GoToDate
        | F::Above
        | F::Below
        | F::PageUp
        | F::PageDown
        | F::HalfPageUp
        | F::HalfPageDown
        | F::DayBefore
        | F::DayAfter
        | F::Oldest
        | F::Newest => false,
    });
    useful.map(|binding| (state.keymap().chosen_name(binding), binding.does)).collect()
}

/// While a thread is open.
fn in_thread(state: &State) -> Vec<(String, &'static str)> {
    let key = |action| state.keymap().chosen_key_for(action);
    vec![
        (key(ForChosen::Reply), "reply"),
        (key(ForChosen::Thread), "go there"),
        (format!("{} {}", key(ForChosen::Below), key(ForChosen::Above)), "choose"),
        (key(ForChosen::React), "react"),
        (key(ForChosen::Copy), "copy"),
        (key(ForChosen::Done), "close"),
    ]
}

/// While one searches.
fn searching(state: &State, kind: Kind) -> Vec<(String, &'static str)> {
    let hunt = state.finding.hunt(kind);
    let (enter, esc) = (ENTER.to_owned(), state.key_for(Action::Close));
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
