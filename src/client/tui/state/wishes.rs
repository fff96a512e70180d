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

/// Emoji that are offered first.
const OFFERED: [&str; 6] = ["👍", "❤️", "😂", "🎉", "👀", "✅"];

/// By what we react most.
#[derive(Debug, Default)]
pub(crate) struct Favourites {
    /// How often in this session.
    used: Vec<(Emoji, u32)>,
}

/// Different emoji that are counted.
const COUNTED: usize = 50;

impl Favourites {
    /// It was used.
    pub(crate) fn count(&mut self, emoji: &Emoji) {
        if let Some((_, used)) = self.used.iter_mut().find(|(known, _)| known == emoji) {
            *used = used.saturating_add(1);
        } else {
            self.used.truncate(COUNTED - 1);
            self.used.push((emoji.clone(), 1));
        }
        // The sort keeps the order of equals: what was used first stays under its number.
        self.used.sort_by_key(|(_, used)| std::cmp::Reverse(*used));
    }

    /// Six, the most used first.
    pub(crate) fn offered(&self) -> Vec<Emoji> {
        let mut offered: Vec<Emoji> = self.used.iter().map(|(emoji, _)| emoji.clone()).collect();
        for emoji in OFFERED.iter().filter_map(|emoji| Emoji::new(emoji).ok()) {
            if !offered.contains(&emoji) {
                offered.push(emoji);
            }
        }
        offered.truncate(OFFERED.len());
        offered
    }
}
