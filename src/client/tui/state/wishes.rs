//! What we want to become of messages: on its way to the server, and shown as if it were so.

use uuid::Uuid;

use super::changes::Change;
use crate::protocol::emoji::Emoji;
use crate::protocol::event::Reaction;
use crate::protocol::name::Nick;
use crate::protocol::text::Text;

/// Something that shall become of a message.
#[derive(Debug)]
pub(crate) struct Wish {
    /// Of the entry that makes it so.
    pub(crate) id: Uuid,
    /// The message.
    pub(crate) target: u64,
    pub(crate) what: Wished,
}

/// See [`Wish`].
#[derive(Debug)]
pub(crate) enum Wished {
    Edit(Text),
    Delete,
    /// By what, and whether it is there then.
    React(Emoji, bool),
}

impl Wish {
    /// What it makes of the message once it is stored. `author`: what our own entries carry.
    pub(crate) fn change(self, author: u64, me: &Nick) -> Change {
        match self.what {
            Wished::Edit(text) => Change::Edited(text.into()),
            Wished::Delete => Change::Deleted { by: me.clone(), author: Some(author) },
            Wished::React(emoji, on) => Change::Reacted { author, emoji, on },
        }
    }

    /// Puts a reaction of ours among those that are there, or takes it out.
    pub(crate) fn react(&self, emoji: &Emoji, on: bool, reactions: &mut Vec<Reaction>) {
        match reactions.iter_mut().find(|reaction| reaction.emoji == *emoji) {
            Some(reaction) if reaction.mine != on => {
                reaction.mine = on;
                reaction.count = if on { reaction.count + 1 } else { reaction.count.saturating_sub(1) };
            }
            Some(_) => {}
            None if on => reactions.push(Reaction { emoji: emoji.clone(), count: 1, mine: true }),
            None => {}
        }
        reactions.retain(|reaction| reaction.count > 0);
    }
}

/// What the input is for, if it is not simply said.
#[derive(Debug)]
pub(crate) enum Composing {
    /// It answers this message.
    Answer(u64),
    /// It is what this message shall say; `draft` is what was being written before.
    Edit { seq: u64, draft: String },
}
