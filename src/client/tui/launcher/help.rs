//! Every key of the launcher, every sign, and why nobody may be found.

use ratatui::text::{Line, Span};

use super::state::State;
use crate::client::tui::keymap::Action;
use crate::client::tui::wrap;

/// Columns for the keys and signs.
const KEYS: usize = 22;

/// Why nobody may be found, and what to do then.
const NOBODY: [(&str, &str); 5] = [
    (
        "the Wi-Fi",
        "many keep their devices apart: guests' networks, schools, hotels; try a cable, or a telephone's hotspot",
    ),
    ("a VPN", "may take what is meant for this network: leave it for a moment"),
    ("a firewall", "here or at the host's: 5353/udp and 7878/udp find parlors, 7878/tcp joins them"),
    ("another network", "nothing is found beyond a router: ask for an address"),
    (
        "without finding",
        "the line that `parlor invite` prints at the host's, or four words, typed here, always lead there if there is a way",
    ),
];

pub(super) fn rows(state: &State, width: usize) -> Vec<Line<'static>> {
    let theme = state.theme;
    let key = |action| state.key_for(action);
    let pair = |one, other| format!("{}, {}", key(one), key(other));
    let keys = vec![
        ("Enter".to_owned(), "join what is chosen, or host"),
        (pair(Action::Up, Action::Down), "the row above, the row below"),
        (pair(Action::PreviousRoom, Action::NextRoom), "the same"),
        (pair(Action::PageUp, Action::PageDown), "a page up, a page down"),
        ("letters".to_owned(), "those rows in which they are found"),
        ("an address".to_owned(), "host, host:port, [v6]:port, unix:/path: joins there"),
        (
            "parlor://…".to_owned(),
            "an invite, alone or as the line that its host has; its passphrase is not shown",
        ),
        ("four words".to_owned(), "as in amber-otter-ricotta-amulet: joins the parlor that has them"),
        (key(Action::Close), "clear what is typed; then leave"),
        ("Ctrl-C, Ctrl-D".to_owned(), "leave"),
        (key(Action::Mouse), "the mouse chooses here, and a second click joins; again: it is the terminal's"),
        (pair(Action::Repaint, Action::Suspend), "paint the screen anew; back to the shell for a while"),
        (key(Action::Help), "this help"),
    ];
    let signs = [
        (
            "● 3 here",
            "a parlor of this network that three people are in; none of this is proven until one joins",
        ),
        ("locked, open", "it asks for a passphrase; it lets in everyone"),
        ("no TLS", "whoever is on the way can read along"),
        ("known", "it has the certificate of a parlor that you visited, and must show it"),
        ("● here", "something listens where a parlor was that you visited"),
        ("○ does not answer", "there is no answer: its machine may be asleep, or a firewall between"),
        ("✗ nothing listens", "its machine is there, the parlor is not"),
        ("✗ no way there", "another network, or a name that nobody knows"),
    ];
    let owned = |pairs: &[(&str, &'static str)]| -> Vec<(String, &'static str)> {
        pairs.iter().map(|(left, right)| ((*left).to_owned(), *right)).collect()
    };
    let parts = [("Keys", keys), ("Signs", owned(&signs)), ("When nobody is found", owned(&NOBODY))];
    let left_width = KEYS.min(width / 2);
    let mut rows = Vec::new();
    for (title, lines) in parts {
        if !rows.is_empty() {
            rows.push(Line::default());
        }
        rows.push(Line::styled(title, theme.strong()));
        for (left, right) in lines {
            let mut left = wrap::wrap(&left, left_width.saturating_sub(1).max(1)).into_iter();
            let mut right = wrap::wrap(right, width.saturating_sub(left_width).max(1)).into_iter();
            loop {
                let (one, other) = (left.next(), right.next());
                if one.is_none() && other.is_none() {
                    break;
                }
                let one = one.unwrap_or_default();
                let padding = " ".repeat(left_width.saturating_sub(wrap::columns(&one)));
                let one = Span::styled(one + &padding, theme.accent());
                rows.push(Line::from(vec![one, Span::raw(other.unwrap_or_default())]));
            }
        }
    }
    rows
}
