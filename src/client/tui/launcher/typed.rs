//! What was typed, where it says itself where to go: an address, an invite, the line that a host prints, four words.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::client::destination::{Destination, DestinationError};
use crate::protocol::address::Address;
use crate::protocol::invite::{Invite, SCHEME};
use crate::protocol::text::Line;
use crate::protocol::wordlist::PASSPHRASE_WORDS;

/// The command that the line of a host begins with, which people copy along.
const COMMAND: &str = "parlor join ";

/// Somewhere to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Typed {
    /// What stands behind `parlor join`, a word each.
    pub(super) arguments: Vec<String>,
    /// Where that is, without what is secret in it.
    pub(super) shown: String,
    /// It cannot well be meant for something else, as a name can that is looked for.
    pub(super) sure: bool,
}

/// Reads it. `None`: it does not say where to go.
///
/// # Errors
/// A sentence that says what to do, where it begins as an invite and is none. No passphrase is in it.
pub(super) fn read(text: &str) -> Option<Result<Typed, String>> {
    let text = text.trim();
    let (command, rest) = match text.strip_prefix(COMMAND) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let arguments: Vec<String> = rest.split_whitespace().map(unquoted).collect();
    if let Some(words) = four_words(&arguments) {
        let shown = "by these four words".to_owned();
        let options = arguments.into_iter().skip_while(|argument| !is_option(argument));
        let arguments = std::iter::once(words).chain(options).collect();
        return Some(Ok(Typed { arguments, shown, sure: true }));
    }
    let destination = arguments.first()?;
    if is_option(destination) || (arguments.len() > 1 && !command) {
        return None;
    }
    let is_url = destination.starts_with(SCHEME);
    match destination.parse::<Invite>() {
        Ok(invite) => {
            let looks_like_it = destination.contains(['.', ':', '[']) || destination == "localhost";
            Some(Ok(Typed { shown: place(&invite), sure: command || is_url || looks_like_it, arguments }))
        }
        Err(error) if is_url => Some(Err(error.to_string())),
        Err(_) => None,
    }
}

/// Where an invite leads.
fn place(invite: &Invite) -> String {
    let address = shown(&invite.address);
    let room = invite.room.as_ref().map(|room| format!(", {room}")).unwrap_or_default();
    let plain = if invite.plain { ", no TLS" } else { "" };
    address + &room + plain
}

/// An address as people write it: without the port, where that is the usual one. A path may hold anything.
pub(super) fn shown(address: &Address) -> String {
    let command = Invite::to(address.clone()).command();
    let bare = match address {
        Address::Tcp { .. } => command.strip_prefix(COMMAND).map(unquoted).unwrap_or(command),
        Address::Unix(_) => address.to_string(),
    };
    Line::lossy(&bare).to_string()
}

/// A word without the quotes that a shell would take away.
fn unquoted(word: &str) -> String {
    let bare = ['\'', '"'].into_iter().find_map(|quote| word.strip_prefix(quote)?.strip_suffix(quote));
    bare.unwrap_or(word).to_owned()
}

fn is_option(argument: &str) -> bool {
    argument.starts_with('-')
}

/// Four words, with dashes or spaces between them, in capitals or not; options may follow.
fn four_words(arguments: &[String]) -> Option<String> {
    let words = arguments.iter().take_while(|argument| !is_option(argument));
    // A shell would have taken the quotes around all of them.
    let words: Vec<String> = words.map(|word| word.trim_matches(['\'', '"']).to_lowercase()).collect();
    let joined = words.join("-");
    // Each word is looked for in the whole list, for every frame: of a long text none is.
    if joined.split('-').filter(|word| !word.is_empty()).count() != PASSPHRASE_WORDS {
        return None;
    }
    let read = Destination::read(std::slice::from_ref(&joined));
    let are_words =
        matches!(read, Ok(Some(Destination::Words(_))) | Err(DestinationError::Misspelled { .. }));
    are_words.then_some(joined)
}

/// What is typed as others may see it: a dot for each letter of what opens the door, in an invite or as four words. It has as
/// many graphemes as the text.
pub(super) fn masked(text: &str) -> String {
    if let Some(words) = place_of_words(text) {
        let graphemes = text.grapheme_indices(true);
        return graphemes.map(|(at, sign)| if words.contains(&at) { "•" } else { sign }).collect();
    }
    let Some(start) = text.find(SCHEME) else { return text.to_owned() };
    let parameters = text[start..].find('?').map_or(text.len(), |at| start + at + 1);
    let mut closing = closing(text, start, parameters);
    let mut secret = false;
    let mut name = String::new();
    let mut shown = text[..parameters].to_owned();
    for (at, grapheme) in text[parameters..].grapheme_indices(true) {
        if closing.take_if(|closing| parameters + at >= *closing).is_some() {
            secret = false;
        }
        match grapheme {
            "&" => {
                secret = false;
                name.clear();
            }
            _ if secret => {
                shown.push('•');
                continue;
            }
            // Another invite.
            "?" => name.clear(),
            sign if sign.starts_with('=') => secret = name == "p" || name == "t",
            letter => name.push_str(letter),
        }
        shown.push_str(grapheme);
    }
    shown
}

/// Where four words stand in what is typed: between the command and the options.
fn place_of_words(text: &str) -> Option<Range<usize>> {
    let bare = text.trim();
    let rest = bare.strip_prefix(COMMAND).unwrap_or(bare);
    let arguments: Vec<String> = rest.split_whitespace().map(unquoted).collect();
    four_words(&arguments)?;
    let start = text.trim_end().len() - rest.len();
    let words =
        rest.split_inclusive(char::is_whitespace).take_while(|word| !is_option(&unquoted(word.trim())));
    let end = words.map(str::len).sum();
    Some(start..start + rest[..end].trim_end().len())
}

/// Where the quote before an invite at `start` is closed, behind `from`: at the end of a word, as in a shell.
fn closing(text: &str, start: usize, from: usize) -> Option<usize> {
    let quote = text[..start].chars().next_back().filter(|before| matches!(before, '\'' | '"'))?;
    let mut quotes = text[from..].match_indices(quote).map(|(at, _)| from + at);
    quotes.find(|at| text[at + quote.len_utf8()..].chars().next().is_none_or(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Option<(Vec<String>, String, bool)> {
        let typed = read(text)?.ok()?;
        Some((typed.arguments, typed.shown, typed.sure))
    }

    #[test]
    fn what_says_where_to_go_is_known() {
        for (text, arguments, shown, sure) in [
            ("lab", vec!["lab"], "lab", false),
            ("lab.example", vec!["lab.example"], "lab.example", true),
            (" 10.0.0.5:99 ", vec!["10.0.0.5:99"], "10.0.0.5:99", true),
            ("::1", vec!["::1"], "[::1]:7878", true),
            ("unix:/run/a b", vec![], "", false),
            ("parlor join lab --plain", vec!["lab", "--plain"], "lab", true),
            (
                "parlor join 'parlor://10.0.0.5/#demo?p=amber-otter-river-stone&plain'",
                vec!["parlor://10.0.0.5/#demo?p=amber-otter-river-stone&plain"],
                "10.0.0.5, #demo, no TLS",
                true,
            ),
            ("amber-otter-river-stone", vec!["amber-otter-river-stone"], "by these four words", true),
            ("amber otter river stone", vec!["amber-otter-river-stone"], "by these four words", true),
            ("Amber-OTTER-ricotta-amulet", vec!["amber-otter-ricotta-amulet"], "by these four words", true),
            ("AMBER Otter ricotta amulet", vec!["amber-otter-ricotta-amulet"], "by these four words", true),
            ("'amber otter ricotta amulet'", vec!["amber-otter-ricotta-amulet"], "by these four words", true),
            (
                "parlor join Amber-otter-ricotta-amulet --nick Bob",
                vec!["amber-otter-ricotta-amulet", "--nick", "Bob"],
                "by these four words",
                true,
            ),
        ] {
            let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
            let expected = (!arguments.is_empty()).then(|| (arguments, shown.to_owned(), sure));
            assert_eq!(typed(text), expected, "{text}");
        }
        for text in ["", " ", "the lab", "--open", "parlor join", "parlor join --lines", "a/b"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn an_invite_that_is_none_says_why_and_no_secret() {
        let error = read("parlor://lab/#?fp=x&p=amber-otter-river-stone").unwrap().unwrap_err();
        assert!(error.contains("fp=") && !error.contains("amber"), "{error}");
        assert!(read("parlor://").unwrap().is_err());
    }

    #[test]
    fn what_opens_the_door_is_not_shown() {
        for (text, shown) in [
            ("lab p=x", "lab p=x"),
            ("parlor://lab/#a?fp=ab&p=amber&plain", "parlor://lab/#a?fp=ab&p=•••••&plain"),
            (
                "parlor join 'parlor://lab/#?p=a%20b&t=xyz' --plain",
                "parlor join 'parlor://lab/#?p=•••••&t=•••' --plain",
            ),
            ("parlor://lab/#?p=a=b", "parlor://lab/#?p=•••"),
            ("parlor://lab/#?p", "parlor://lab/#?p"),
            // A space and somebody's apostrophe end nothing.
            ("parlor://lab/#?p=my words&plain", "parlor://lab/#?p=••••••••&plain"),
            ("'parlor://lab/#?p=it's mine' --plain", "'parlor://lab/#?p=•••••••••' --plain"),
            ("'parlor://lab/#?p=it's", "'parlor://lab/#?p=••••"),
            ("\"parlor://lab/#?t=a' b\"", "\"parlor://lab/#?t=••••\""),
            ("'parlor://a/' 'parlor://b/#?p=c'", "'parlor://a/' 'parlor://b/#?p=•'"),
            ("'parlor://a/#?p=c' parlor://b/#?p=c", "'parlor://a/#?p=•' parlor://b/#?p=•"),
            ("parlor://a/#?fp=x parlor://b/#?p=c", "parlor://a/#?fp=x parlor://b/#?p=•"),
            // Four words.
            ("amber-otter-ricotta-amulet", "••••••••••••••••••••••••••"),
            (" Amber otter ricotta amulet ", " •••••••••••••••••••••••••• "),
            ("amber-ottre-ricotta-amulet", "••••••••••••••••••••••••••"),
            ("parlor join 'a-otter-ricotta-amulet' --plain", "parlor join •••••••••••••••••••••••• --plain"),
            ("amber-otter-ricotta-amulet -", "•••••••••••••••••••••••••• -"),
            ("'amber otter ricotta amulet'", "••••••••••••••••••••••••••••"),
            ("amber-otter", "amber-otter"),
            ("the amber otter is tired", "the amber otter is tired"),
        ] {
            assert_eq!(masked(text), shown, "{text}");
            assert_eq!(masked(text).graphemes(true).count(), text.graphemes(true).count());
        }
    }
}
