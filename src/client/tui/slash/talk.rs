//! Everyone's commands.

use super::{Completes, Entry, Slash, nick, room_name};
use crate::protocol::name::Nick;
use crate::protocol::text::{Line, Text};

/// The table, in the order in which the help shows it.
pub(crate) const COMMANDS: &[Entry] = &[
    Entry {
        name: "join",
        short: &["j"],
        arguments: "ROOM",
        help: "enter a room, or go to it; it is made if there is none",
        completes: Completes::Rooms,
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
        completes: Completes::Rooms,
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
        arguments: "",
        help: "who is here",
        completes: Completes::Names,
        parse: |_| Ok(Slash::Names),
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
        name: "clear",
        short: &[],
        arguments: "",
        help: "empty the screen; the history stays on the server",
        completes: Completes::Names,
        parse: |_| Ok(Slash::Clear),
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
