//! By which emoji we react most, and so which are offered first.

use crate::protocol::emoji::Emoji;

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
