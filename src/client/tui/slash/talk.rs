//! Everyone's commands.

use super::company::{Company, people};
use super::order::{Order, named};
use super::{Completes, Entry, Slash, Target, moving, nick, room_name};
use crate::protocol::name::Nick;
use crate::protocol::proof::Passphrase;
use crate::protocol::text::{Line, Text};

/// The table, in the order in which the help shows it.
pub(crate) const COMMANDS: &[Entry] = &[
    Entry {
        name: "join",
        short: &["j"],
        arguments: "ROOM [WORDS]",
        help: "enter a room, or go to it; it is made if there is none. WORDS: its passphrase, if it has one",
        completes: Completes::Rooms,
        parse: |rest| match rest {
            "" => Err("say which room: /join #rust".to_owned()),
            room => {
                let (room, words) = room.split_once(char::is_whitespace).unwrap_or((room, ""));
                let words = (!words.trim().is_empty()).then(|| Passphrase::new(words)).transpose();
                let words = words.map_err(|error| {
                    format!("a space cannot be part of a name: what follows is taken for the passphrase of {room}, and {error}")
                });
                Ok(Slash::Join(room_name(room)?, words?))
            }
        },
    },
    Entry {
        name: "part",
        short: &["leave", "p"],
        arguments: "[ROOM]",
        help: "leave this room, or the one named; /part @NAME closes what you speak with somebody",
        completes: Completes::Rooms,
        parse: |rest| match rest {
            "" => Ok(Slash::Part(None)),
            direct if direct.starts_with('@') => {
                Ok(Slash::Company(Company::Close(people(direct, "/part @bob")?)))
            }
            room => Ok(Slash::Part(Some(room_name(room)?))),
        },
    },
    Entry {
        name: "topic",
        short: &["t"],
        arguments: "[TEXT]",
        help: "show the topic, or set it; /topic - clears it",
        completes: Completes::Names,
        parse: |rest| match rest {
            "" => Ok(Slash::ShowTopic),
            "-" => Ok(Slash::Topic(Line::default())),
            text => Line::new(text).map(Slash::Topic).map_err(|error| error.to_string()),
        },
    },
    Entry {
        name: "names",
        short: &["n", "who"],
        arguments: "[ROOM]",
        help: "who is here, or in the room named; the host and operators see from where",
        completes: Completes::Rooms,
        parse: |rest| match rest {
            "" => Ok(Slash::Names(None)),
            room => Ok(Slash::Names(Some(room_name(room)?))),
        },
    },
    Entry {
        name: "list",
        short: &["rooms"],
        arguments: "",
        help: "the rooms that there are, to choose one",
        completes: Completes::Names,
        parse: |_| Ok(Slash::List),
    },
    Entry {
        name: "nick",
        short: &[],
        arguments: "[NAME]",
        help: "show what you are called, or change it",
        completes: Completes::Names,
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
        completes: Completes::Names,
        parse: |rest| match rest {
            "" => Err("say what you do: /me waves".to_owned()),
            text => Text::new(text).map(Slash::Me).map_err(|error| error.to_string()),
        },
    },
    Entry {
        name: "invite",
        short: &[],
        arguments: "[ROOM]",
        help: "how others join this room, or the one named: a line to copy, a code to scan",
        completes: Completes::Rooms,
        parse: |rest| match rest {
            "" => Ok(Slash::Invite(None)),
            room => Ok(Slash::Invite(Some(room_name(room)?))),
        },
    },
    Entry {
        name: "whois",
        short: &[],
        arguments: "NAME",
        help: "who somebody is: their keys, in words to compare aloud",
        completes: Completes::Names,
        parse: |rest| match rest {
            "" => Err("say whom you mean: /whois bob".to_owned()),
            name => Ok(Slash::Whois(nick(name)?)),
        },
    },
    Entry {
        name: "search",
        short: &["s", "find"],
        arguments: "[WORDS]",
        help: "find what was said; from:bob in:#rust before:yesterday has:link narrow it",
        completes: Completes::Names,
        parse: |rest| Ok(Slash::Search(rest.to_owned())),
    },
    Entry {
        name: "mentions",
        short: &[],
        arguments: "",
        help: "where somebody said your name, in all your rooms",
        completes: Completes::Names,
        parse: |_| Ok(Slash::Mentions),
    },
    Entry {
        name: "goto",
        short: &["go"],
        arguments: "DAY [TIME]",
        help: "go to a day or a time of this room: 2026-11-03 14:00, yesterday, monday, first, last, or to a number: #12",
        completes: Completes::Words(&["first", "last", "today", "yesterday"]),
        parse: |rest| match rest {
            "" => Err("say where to: /goto yesterday, /goto 2026-11-03 14:00, /goto first".to_owned()),
            "first" => Ok(Slash::Goto(Target::First)),
            "last" => Ok(Slash::Goto(Target::Last)),
            number if number.starts_with('#') => {
                let seq = number[1..].parse().ok().filter(|seq| *seq > 0);
                let wrong = || "a message has a number from 1 on: /goto #12".to_owned();
                seq.map(|seq| Slash::Goto(Target::Entry(seq))).ok_or_else(wrong)
            }
            moment => Ok(Slash::Goto(Target::Moment(moment.to_owned()))),
        },
    },
    Entry {
        name: "ignore",
        short: &[],
        arguments: "NAME",
        help: "hear nothing more of somebody, on all your devices",
        completes: Completes::Names,
        parse: |rest| Ok(Slash::Order(Order::Ignore(named(rest, "/ignore bob")?, true))),
    },
    Entry {
        name: "unignore",
        short: &[],
        arguments: "NAME",
        help: "hear them again",
        completes: Completes::Names,
        parse: |rest| Ok(Slash::Order(Order::Ignore(named(rest, "/unignore bob")?, false))),
    },
    Entry {
        name: "device",
        short: &[],
        arguments: "add|CODE",
        help: "be the same person on another device: add shows a code here, which is typed there",
        completes: Completes::Words(&["add"]),
        parse: |rest| match rest {
            "" => {
                Err("/device add shows a code, and /device CODE on the other device makes it yours"
                    .to_owned())
            }
            "add" => Ok(Slash::Order(Order::ShowCode)),
            code => {
                Line::new(code).map(|code| Slash::Order(Order::Link(code))).map_err(|error| error.to_string())
            }
        },
    },
    Entry {
        name: "motd",
        short: &[],
        arguments: "",
        help: "the message of the day: what the host tells those who come in",
        completes: Completes::Names,
        parse: |_| Ok(Slash::Motd),
    },
    Entry {
        name: "time",
        short: &["clock"],
        arguments: "",
        help: "what time it is in the parlor, and how your clock stands to its",
        completes: Completes::Names,
        parse: |_| Ok(Slash::Time),
    },
    Entry {
        name: "pin",
        short: &[],
        arguments: "[ROOM]",
        help: "keep this room at the top of the list, or the one named; /pin @NAME for what you speak with somebody",
        completes: Completes::Rooms,
        parse: moving::pin,
    },
    Entry {
        name: "unpin",
        short: &[],
        arguments: "[ROOM]",
        help: "let it go to the others again",
        completes: Completes::Rooms,
        parse: moving::unpin,
    },
    Entry {
        name: "move",
        short: &[],
        arguments: "up|down|NUMBER",
        help: "move this room in the list: 1 is where Alt-1 goes",
        completes: Completes::Words(&["up", "down"]),
        parse: moving::shift,
    },
    Entry {
        name: "theme",
        short: &[],
        arguments: "[NAME]",
        help: "how everything looks; alone, choose from a list that shows each",
        completes: Completes::Themes,
        parse: |rest| Ok(Slash::Theme((!rest.is_empty()).then(|| rest.to_owned()))),
    },
    Entry {
        name: "clear",
        short: &[],
        arguments: "",
        help: "empty the screen; the history stays on the server",
        completes: Completes::Names,
        parse: |_| Ok(Slash::Clear),
    },
    Entry {
        name: "editor",
        short: &[],
        arguments: "[TEXT]",
        help: "write in your editor; Alt-E does so with what is in the input",
        completes: Completes::Names,
        parse: |rest| Ok(Slash::Editor(rest.to_owned())),
    },
    Entry {
        name: "mouse",
        short: &[],
        arguments: "[on|off]",
        help: "whether the mouse chooses, opens and selects here; off: it is the terminal's",
        completes: Completes::Words(&["on", "off"]),
        parse: |rest| match rest {
            "" => Ok(Slash::Mouse(None)),
            "on" => Ok(Slash::Mouse(Some(true))),
            "off" => Ok(Slash::Mouse(Some(false))),
            _ => Err("say /mouse on or /mouse off".to_owned()),
        },
    },
    Entry {
        name: "fold",
        short: &[],
        arguments: "",
        help: "open a long message that is folded, or fold it again: the chosen one, or the latest in sight",
        completes: Completes::Names,
        parse: |_| Ok(Slash::Fold),
    },
    Entry {
        name: "help",
        short: &["h", "?"],
        arguments: "",
        help: "every key and command",
        completes: Completes::Names,
        parse: |_| Ok(Slash::Help),
    },
    Entry {
        name: "quit",
        short: &["exit"],
        arguments: "",
        help: "leave parlor",
        completes: Completes::Names,
        parse: |_| Ok(Slash::Quit),
    },
];
