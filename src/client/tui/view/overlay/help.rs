//! Every command, every key, every sign.

use ratatui::text::{Line, Span};

use crate::client::tui::keymap::{BINDINGS, FOR_CHOSEN, Section};
use crate::client::tui::slash::TABLES;
use crate::client::tui::state::State;
use crate::client::tui::wrap;

/// Columns for the keys and commands.
const KEYS: usize = 27;

pub(super) fn rows(state: &State, width: usize) -> Vec<Line<'static>> {
    let theme = state.theme;
    let keymap = state.keymap();
    let mut parts: Vec<(&str, Vec<(String, String)>)> = Vec::new();
    for section in Section::ALL {
        let keys = BINDINGS.iter().filter(|binding| binding.section == section);
        let keys = keys.filter_map(|binding| Some((named(keymap.names(binding)), keymap.help(binding)?)));
        parts.push((section.title(), keys.collect()));
    }
    let chosen = FOR_CHOSEN.iter();
    let chosen = chosen.map(|binding| (named(keymap.chosen_names(binding)), binding.help.to_owned()));
    let title = "Reading (Esc on an empty line), or with a message chosen";
    parts.insert(parts.len().saturating_sub(2), (title, chosen.collect()));
    for (title, table) in TABLES {
        let commands = table.iter().map(|entry| {
            let words = std::iter::once(&entry.name).chain(entry.short);
            let words: Vec<String> = words.map(|word| format!("/{word}")).collect();
            (format!("{} {}", words.join(", "), entry.arguments).trim_end().to_owned(), entry.help.to_owned())
        });
        parts.push((title, commands.collect()));
    }
    let texts = [
        ("**bold** *italic* ~~struck~~", "bold, italic and struck; _italic_ too"),
        ("`code`", "code within a line"),
        ("``` or ```rust", "above and below lines of code; with a language, it is coloured"),
        ("> text", "a quote"),
        ("- text, 1. text", "a list"),
        ("[text](https://…)", "a link with a text; links alone need nothing"),
        (":tada:", "an emoji by its name: 🎉"),
    ];
    parts.push(("How texts look", texts.map(|(typed, text)| (typed.to_owned(), text.to_owned())).to_vec()));
    let signs = [
        ("◌ ✗", "a message of yours that is on its way, that was not sent"),
        ("▌ ↪", "the message that is chosen; what the message below it answers"),
        ("[👍 2]", "a reaction, by you too"),
        ("↳ 2 answers", "how many answers a message has; Enter shows them while you read"),
        ("▎ !", "somebody said your name: in a message, in a room"),
        ("▴ ⊘", "a room that is pinned; one that is muted, and not counted"),
        ("✎", "a room with something that you were writing: it is kept until it is sent"),
        ("○", "somebody is here and away: /whois says why"),
        ("●", "you are in: with the server, in a room of the list; somebody is here"),
        ("& @", "the host, whose parlor it is; an operator, who keeps order"),
        ("~", "a guest: somebody without a key, for whom no name is kept"),
    ];
    parts.push(("Signs", signs.map(|(sign, text)| (sign.to_owned(), text.to_owned())).to_vec()));

    let keys_width = KEYS.min(width / 2);
    let mut rows = Vec::new();
    for (title, lines) in parts {
        if !rows.is_empty() {
            rows.push(Line::default());
        }
        rows.push(Line::styled(title, theme.strong()));
        for (keys, text) in lines {
            // What is pressed or typed, and beside it what it does; where that takes more rows, below each other.
            let mut keys = wrap::wrap(&keys, keys_width.saturating_sub(1)).into_iter();
            let mut text = wrap::wrap(&text, width - keys_width).into_iter();
            loop {
                let (left, right) = (keys.next(), text.next());
                if left.is_none() && right.is_none() {
                    break;
                }
                let left = left.unwrap_or_default();
                let padding = " ".repeat(keys_width.saturating_sub(wrap::columns(&left)));
                let left = Span::styled(left + &padding, theme.accent());
                rows.push(Line::from(vec![left, Span::raw(right.unwrap_or_default())]));
            }
        }
    }
    rows
}

/// The names of keys, or what stands where none is left.
fn named(keys: String) -> String {
    if keys.is_empty() { "no key".to_owned() } else { keys }
}
