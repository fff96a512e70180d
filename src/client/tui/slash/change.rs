//! The commands about one message.

use super::{Completes, Entry, Slash};
use crate::protocol::emoji::Emoji;
use crate::protocol::text::Text;

/// What shall become of a message: the one that is chosen, or else the latest that can be meant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// Without a text, what is written next is the answer.
    Reply(Option<Text>),
    /// Without a text, it comes into the input.
    Edit(Option<Text>),
    Delete,
    /// Without an emoji, it is asked for.
    React(Option<Emoji>),
    /// Shows the thread that it belongs to.
    Thread,
}

/// The table, in the order in which the help shows it.
pub(crate) const COMMANDS: &[Entry] = &[
    Entry {
        name: "reply",
        short: &["r"],
        arguments: "[TEXT]",
        help: "answer it",
        completes: Completes::Names,
        parse: |rest| Ok(Slash::Change(Change::Reply(text(rest)?))),
    },
    Entry {
        name: "edit",
        short: &["e"],
        arguments: "[TEXT]",
        help: "change what you said; without TEXT it comes into the input",
        completes: Completes::Names,
        parse: |rest| Ok(Slash::Change(Change::Edit(text(rest)?))),
    },
    Entry {
        name: "delete",
        short: &["del"],
        arguments: "",
        help: "take back what you said, for everyone",
        completes: Completes::Names,
        parse: |rest| match rest {
            "" => Ok(Slash::Change(Change::Delete)),
            _ => Err("/delete takes your last message back, or the one that you chose by Alt-↑".to_owned()),
        },
    },
    Entry {
        name: "react",
        short: &["+"],
        arguments: "[EMOJI]",
        help: "react to it: /react tada; once more takes it back",
        completes: Completes::Emoji,
        parse: |rest| match rest {
            "" => Ok(Slash::Change(Change::React(None))),
            typed => match Emoji::typed(typed) {
                Ok(emoji) => Ok(Slash::Change(Change::React(Some(emoji)))),
                Err(_) => Err("there is no such emoji: give one, or its name as in /react tada".to_owned()),
            },
        },
    },
    Entry {
        name: "thread",
        short: &[],
        arguments: "",
        help: "the thread that it belongs to: what it answers, and all answers",
        completes: Completes::Names,
        parse: |rest| match rest {
            "" => Ok(Slash::Change(Change::Thread)),
            _ => {
                Err("/thread shows the last thread, or that of the message that you chose by Alt-↑"
                    .to_owned())
            }
        },
    },
];

fn text(rest: &str) -> Result<Option<Text>, String> {
    if rest.is_empty() {
        return Ok(None);
    }
    Text::new(rest).map(Some).map_err(|error| error.to_string())
}
