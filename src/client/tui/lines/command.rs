//! The commands that only lines need: on a screen one scrolls, and chooses a message by looking at it.

use crate::client::tui::slash;
use crate::client::tui::state::State;
use crate::protocol::event::{Entry, EntryKind};
use crate::protocol::limits::PAGE_ENTRIES;

/// Entries that `/history` shows if no number is given: what one can listen to.
const HISTORY: u64 = 20;

/// A command of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// So many entries before the oldest that was shown.
    History(u64),
    /// What is said next by `/reply`, `/react`, `/edit` or `/delete` is about this message.
    About(Which),
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Number(u64),
    /// The latest of somebody.
    Of(String),
}

/// For the help: what is typed, and what it does.
pub(super) const HELP: [(&str, &str); 2] = [
    (
        "/history [N]",
        "N entries before the oldest that was shown, with their numbers; again: those before them",
    ),
    (
        "/about NAME|#NUMBER",
        "the next /reply, /react, /edit or /delete is about the latest message of NAME, or about this one",
    ),
];

/// Commands that change what is seen of a screen.
const FOR_SCREENS: [&str; 6] = ["goto", "clear", "theme", "mouse", "fold", "thread"];

/// The commands about a message.
const ABOUT: [&str; 4] = ["reply", "react", "edit", "delete"];

/// Whether a command makes no sense without a screen.
pub(super) fn is_for_screens(name: &str) -> bool {
    FOR_SCREENS.contains(&name)
}

/// What a line means here that means nothing, or something else, on a screen; `None` for all other lines.
///
/// # Errors
/// A sentence that says what to do.
pub(super) fn parse(line: &str) -> Option<Result<Own, String>> {
    let (word, rest) = words(line)?;
    Some(match word.as_str() {
        "history" => match rest {
            "" => Ok(Own::History(HISTORY)),
            number => number.parse().ok().filter(|many| (1..=PAGE_ENTRIES).contains(many)).map(Own::History).ok_or_else(
                || format!("say how many, at most {PAGE_ENTRIES} at once: /history 50; again shows what was before"),
            ),
        },
        "about" => match rest.strip_prefix('#') {
            Some(number) => number
                .parse()
                .map(|number| Own::About(Which::Number(number)))
                .map_err(|_| "a message has a number: /about #12; /history shows them".to_owned()),
            None if rest.is_empty() || rest.contains(char::is_whitespace) => {
                Err("say whose latest message you mean, or its number: /about bob, /about #12".to_owned())
            }
            None => Ok(Own::About(Which::Of(rest.trim_start_matches('@').to_owned()))),
        },
        "edit" | "e" if rest.is_empty() => Err("say what it shall read: /edit TEXT".to_owned()),
        "react" | "+" if rest.is_empty() => Err("say by what: /react tada".to_owned()),
        word => {
            let name = slash::command(word)?.name;
            if !is_for_screens(name) {
                return None;
            }
            Err(format!("/{name} is about what is seen on a screen, and there is none here"))
        }
    })
}

/// Whether a line is a command about a message.
pub(super) fn is_about_a_message(line: &str) -> bool {
    let command = words(line).and_then(|(word, _)| slash::command(&word));
    command.is_some_and(|command| ABOUT.contains(&command.name))
}

/// Why a command about a message can mean none, where `/about` has not said which.
pub(super) fn means_nothing(state: &State, line: &str) -> Option<&'static str> {
    let name = words(line).and_then(|(word, _)| slash::command(&word))?.name;
    let room = state.room()?;
    let (wanted_own, sentence) = match name {
        "reply" => (false, "nobody else has said anything here: /about NAME says which message you mean"),
        "edit" | "delete" => {
            (true, "you have said nothing here yet: /about NAME says which message you mean")
        }
        _ => return None,
    };
    let wanted = |entry: &Entry| (entry.author == Some(state.author)) == wanted_own;
    room.latest(state.author, wanted).is_none().then_some(sentence)
}

/// The word of a command, and what follows it.
fn words(line: &str) -> Option<(String, &str)> {
    let line = line.trim().strip_prefix('/')?;
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    Some((word.to_lowercase(), rest.trim()))
}

/// The message of the room in sight that is meant.
///
/// # Errors
/// A sentence, when there is none.
pub(super) fn find(state: &State, which: &Which) -> Result<u64, String> {
    let room = state.room().ok_or("you are in no room: /join #lobby enters one")?;
    match which {
        Which::Number(seq) => {
            let known = room.standing(*seq, state.author).map(|_| *seq);
            known.ok_or_else(|| {
                format!("message #{seq} was deleted, or is not here: /history shows what was before")
            })
        }
        Which::Of(name) => {
            let name = name.to_lowercase();
            let theirs = |entry: &Entry| {
                entry.kind == EntryKind::Message && entry.from.as_str().to_lowercase() == name
            };
            room.latest(state.author, theirs).ok_or_else(|| {
                format!("nothing here is from {name}: /names says who is here, /history shows more")
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_command_of_these_or_none() {
        assert_eq!(parse("/history"), Some(Ok(Own::History(HISTORY))));
        assert_eq!(parse("/HISTORY  50 "), Some(Ok(Own::History(50))));
        assert_eq!(parse("/about #12"), Some(Ok(Own::About(Which::Number(12)))));
        assert_eq!(parse("/about @bob"), Some(Ok(Own::About(Which::Of("bob".to_owned())))));
        for line in ["hello", "/names", "//history", "/edit x", "/react tada", "/", "/nonsense"] {
            assert_eq!(parse(line), None, "{line}");
        }
        for line in ["/history 0", "/history 501", "/about", "/about a b", "/edit", "/+", "/goto first"] {
            assert!(parse(line).is_some_and(|parsed| parsed.is_err()), "{line}");
        }
        assert!(is_about_a_message("/r yes") && is_about_a_message(" /DEL") && !is_about_a_message("/me r"));
    }
}
