//! Commands: what a line that begins with `/` means.
//!
//! One table, from which lines are parsed, names completed and the help is made.

use crate::protocol::name::{Nick, RoomName};
use crate::protocol::text::{Line, Text};

/// A command, understood.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Slash {
    Join(RoomName),
    /// The room in sight, if none is named.
    Part(Option<RoomName>),
    ShowTopic,
    Topic(Line),
    Names,
    List,
    ShowNick,
    Nick(Nick),
    Me(Text),
    Help,
    Clear,
    Quit,
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// Other words for the same.
    pub(crate) short: &'static [&'static str],
    pub(crate) arguments: &'static str,
    pub(crate) help: &'static str,
    parse: fn(&str) -> Result<Slash, String>,
}

/// The table, in the order in which the help shows it.
pub(crate) const COMMANDS: &[Entry] = &[
    Entry {
        name: "join",
        short: &["j"],
        arguments: "ROOM",
        help: "enter a room, or go to it; it is made if there is none",
        parse: |rest| match rest {
            "" => Err("say which room: /join #rust".to_owned()),
            room => Ok(Slash::Join(room_name(room)?)),
        },
    },
    Entry {
        name: "part",
        short: &["leave", "p"],
        arguments: "[ROOM]",
        help: "leave this room, or the one named",
        parse: |rest| match rest {
            "" => Ok(Slash::Part(None)),
            room => Ok(Slash::Part(Some(room_name(room)?))),
        },
    },
    Entry {
        name: "topic",
        short: &["t"],
        arguments: "[TEXT]",
        help: "show the topic, or set it; /topic - clears it",
        parse: |rest| match rest {
            "" => Ok(Slash::ShowTopic),
            "-" => Ok(Slash::Topic(Line::default())),
            text => Line::new(text).map(Slash::Topic).map_err(|error| error.to_string()),
        },
    },
    Entry {
        name: "names",
        short: &["n", "who"],
        arguments: "",
        help: "who is here",
        parse: |_| Ok(Slash::Names),
    },
    Entry {
        name: "list",
        short: &["rooms"],
        arguments: "",
        help: "the rooms that there are, to choose one",
        parse: |_| Ok(Slash::List),
    },
    Entry {
        name: "nick",
        short: &[],
        arguments: "[NAME]",
        help: "show what you are called, or change it",
        parse: |rest| match rest {
            "" => Ok(Slash::ShowNick),
            name => Nick::new(name).map(Slash::Nick).map_err(|error| error.to_string()),
        },
    },
    Entry {
        name: "me",
        short: &[],
        arguments: "TEXT",
        help: "tell what you do: /me waves",
        parse: |rest| match rest {
            "" => Err("say what you do: /me waves".to_owned()),
            text => Text::new(text).map(Slash::Me).map_err(|error| error.to_string()),
        },
    },
    Entry {
        name: "clear",
        short: &[],
        arguments: "",
        help: "empty the screen; the history stays on the server",
        parse: |_| Ok(Slash::Clear),
    },
    Entry {
        name: "help",
        short: &["h", "?"],
        arguments: "",
        help: "every key and command",
        parse: |_| Ok(Slash::Help),
    },
    Entry { name: "quit", short: &["exit"], arguments: "", help: "leave parlor", parse: |_| Ok(Slash::Quit) },
];

/// What other programs call a message to one person. Nobody should learn by trying that it went to all.
const NO_PRIVATE_MESSAGES: [&str; 6] = ["msg", "query", "whisper", "w", "dm", "pm"];

fn room_name(typed: &str) -> Result<RoomName, String> {
    RoomName::typed(typed).map_err(|error| error.to_string())
}

/// What a written text is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input<'a> {
    /// To be said as it is.
    Text(&'a str),
    Command(Slash),
}

/// Tells commands from what is to be said. `//` at the beginning stands for a `/` to be said.
///
/// # Errors
/// A sentence that says what to do.
pub(crate) fn parse(text: &str) -> Result<Input<'_>, String> {
    let Some(line) = text.strip_prefix('/') else { return Ok(Input::Text(text)) };
    if line.starts_with('/') {
        return Ok(Input::Text(line));
    }
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let word = word.to_lowercase();
    if NO_PRIVATE_MESSAGES.contains(&&*word) {
        return Err("parlor has no private messages yet".to_owned());
    }
    let found = COMMANDS.iter().find(|entry| entry.name == word || entry.short.contains(&&*word));
    if let Some(entry) = found {
        return (entry.parse)(rest.trim()).map(Input::Command);
    }
    let shown = super::wrap::truncate(&word, 20);
    Err(match nearest(&word) {
        Some(name) => format!("there is no command /{shown}: did you mean /{name}?"),
        None => format!("there is no command /{shown}: F1 lists them all; to say it as it is, begin with //"),
    })
}

/// The command whose name is most like `word`, if any is like it at all.
fn nearest(word: &str) -> Option<&'static str> {
    // One letter begins too much.
    if word.len() < 2 || word.len() > 20 {
        return None;
    }
    let names = COMMANDS.iter().flat_map(|entry| std::iter::once(&entry.name).chain(entry.short));
    let likeness = |name: &str| if name.starts_with(word) { 0 } else { distance(word, name) };
    let near = names.filter(|name| name.len() > 1).map(|name| (likeness(name), *name));
    near.min().filter(|(distance, name)| *distance <= name.len() / 3).map(|(_, name)| name)
}

/// How many letters must be changed, added, left out or swapped with their neighbour.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![(0..=to.len()).collect::<Vec<usize>>()];
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let changed = rows[i][j] + usize::from(a != b);
            let mut best = changed.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn command(text: &str) -> Slash {
        match parse(text).unwrap() {
            Input::Command(slash) => slash,
            Input::Text(text) => panic!("{text}"),
        }
    }

    #[test]
    fn commands_and_their_short_forms() {
        let rust = RoomName::new("#rust").unwrap();
        for text in ["/join #rust", "/j rust", "/JOIN  #Rust ", "/j\n#rust"] {
            assert_eq!(command(text), Slash::Join(rust.clone()), "{text}");
        }
        assert_eq!(command("/leave"), Slash::Part(None));
        assert_eq!(command("/t Friday: demo"), Slash::Topic(Line::lossy("Friday: demo")));
        assert_eq!(command("/topic -"), Slash::Topic(Line::default()));
        assert_eq!(command("/me waves\nand bows"), Slash::Me(Text::new("waves\nand bows").unwrap()));
        assert_eq!(command("/exit"), Slash::Quit);
    }

    #[test]
    fn a_slash_can_be_said() {
        assert_eq!(parse("//etc/hosts"), Ok(Input::Text("/etc/hosts")));
        assert_eq!(parse("and/or"), Ok(Input::Text("and/or")));
    }

    #[test]
    fn what_is_wrong_says_what_to_do() {
        let wrong = |text| parse(text).unwrap_err();
        insta::assert_snapshot!([
            wrong("/jion #rust"), wrong("/quti"), wrong("/xyzzy"), wrong("/"), wrong("/join"),
            wrong("/join #a b"), wrong("/nick bob smith"), wrong("/nick -x"), wrong("/me"), wrong("/he"),
            wrong("/win 2"), wrong("/x"), wrong("/msg bob hi"), wrong("/query bob"),
        ].join("\n"), @r"
        there is no command /jion: did you mean /join?
        there is no command /quti: did you mean /quit?
        there is no command /xyzzy: F1 lists them all; to say it as it is, begin with //
        there is no command /: F1 lists them all; to say it as it is, begin with //
        say which room: /join #rust
        a space cannot be part of a name: use letters, digits, - _ and .
        a space cannot be part of a name: use letters, digits, - _ and .
        a name starts with a letter or a digit, not with '-'
        say what you do: /me waves
        there is no command /he: did you mean /help?
        there is no command /win: F1 lists them all; to say it as it is, begin with //
        there is no command /x: F1 lists them all; to say it as it is, begin with //
        parlor has no private messages yet
        parlor has no private messages yet
        ");
    }

    proptest! {
        #[test]
        fn any_line_is_understood_or_refused_in_words(text in "/?\\PC{0,40}") {
            if let Err(sentence) = parse(&text) {
                prop_assert!(!sentence.is_empty());
            }
        }
    }
}
