//! Counts what somebody has not read of a room: in the entries as they were sent, without making more of them than that takes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::protocol::mention;
use crate::protocol::name::Nick;

/// For whom it is counted.
#[derive(Clone, Debug)]
pub struct Whose {
    /// What their own entries carry.
    pub author: u64,
    /// What they are called, for mentions; and for their own entries from before there were numbers.
    pub nick: Nick,
}

/// What somebody has not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// Messages of others that are still there.
    pub messages: u64,
    /// Those that say their nick.
    pub mentions: u64,
}

/// What counts of an entry.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    from: Cow<'a, str>,
    #[serde(default)]
    author: Option<u64>,
    #[serde(default, borrow)]
    text: Cow<'a, str>,
    #[serde(default)]
    target: Option<u64>,
    #[serde(default)]
    now: Option<Now>,
}

#[derive(Deserialize)]
struct Now {
    #[serde(default)]
    deleted: bool,
}

/// Looks at entries in their order.
pub(super) struct Count {
    whose: Whose,
    /// By their `seq`: the messages that count, and whether each says the nick.
    messages: BTreeMap<u64, bool>,
}

impl Count {
    pub(super) fn new(whose: Whose) -> Self {
        Self { whose, messages: BTreeMap::new() }
    }

    /// The next entry. One that cannot be read is none: whoever reads the room hears of that.
    pub(super) fn look_at(&mut self, seq: u64, json: &[u8]) {
        let Ok(said) = serde_json::from_slice::<Said<'_>>(json) else { return };
        let target = said.target.unwrap_or(0);
        match &*said.kind {
            "message" if !self.is_own(&said) && !said.now.is_some_and(|now| now.deleted) => {
                let mentions = self.mentions(&said.text);
                self.messages.insert(seq, mentions);
            }
            "edited" => {
                let mentions = self.mentions(&said.text);
                if let Some(message) = self.messages.get_mut(&target) {
                    *message = mentions;
                }
            }
            "deleted" => drop(self.messages.remove(&target)),
            _ => {}
        }
    }

    pub(super) fn end(self) -> Unread {
        let messages = self.messages.len() as u64;
        Unread { messages, mentions: self.messages.into_values().filter(|mentions| *mentions).count() as u64 }
    }

    fn is_own(&self, said: &Said<'_>) -> bool {
        said.author
            .map_or_else(|| said.from == self.whose.nick.as_str(), |author| author == self.whose.author)
    }

    fn mentions(&self, text: &str) -> bool {
        mention::is_named(text, self.whose.nick.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn count(entries: &[Value]) -> (u64, u64) {
        let mut count = Count::new(Whose { author: 1, nick: Nick::new("alice").unwrap() });
        for (seq, entry) in (1..).zip(entries) {
            count.look_at(seq, entry.to_string().as_bytes());
        }
        let Unread { messages, mentions } = count.end();
        (messages, mentions)
    }

    fn message(author: u64, text: &str) -> Value {
        json!({"type": "message", "from": "x", "author": author, "text": text})
    }

    fn change(kind: &str, target: u64, text: &str) -> Value {
        json!({"type": kind, "from": "x", "author": 2, "target": target, "text": text})
    }

    #[test]
    fn messages_of_others_count_and_nothing_else() {
        assert_eq!(count(&[]), (0, 0));
        let topic = json!({"type": "topic", "from": "x", "author": 2, "text": "alice"});
        let old = json!({"type": "message", "from": "alice", "text": "alice"});
        let said = [message(2, "hi"), message(1, "alice"), topic, old, message(2, "hi \"Alice\""), json!(7)];
        assert_eq!(count(&said), (2, 1));
        assert_eq!(count(&[message(2, "`alice`"), message(2, "```\nalice\n```")]), (2, 0));
    }

    #[test]
    fn what_became_of_a_message_counts() {
        let said = [message(2, "hi"), message(2, "alice"), message(2, "hi")];
        let changes =
            [change("edited", 1, "hi alice"), change("edited", 2, "bob"), change("reacted", 3, "👍")];
        assert_eq!(count(&[&said[..], &changes].concat()), (3, 1));
        assert_eq!(count(&[&said[..], &[change("deleted", 2, "")]].concat()), (2, 0));
        let gone = json!({"type": "message", "from": "x", "author": 2, "text": "", "now": {"seq": 9, "deleted": true}});
        assert_eq!(count(&[gone, change("deleted", 1, ""), change("deleted", 99, "")]), (0, 0));
    }
}
