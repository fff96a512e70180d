//! What was written before, to be written again.

use std::collections::VecDeque;
use std::ops::Range;

/// Inputs that are remembered.
pub(crate) const REMEMBERED: usize = 500;

/// Inputs, newest last, and where in them the reader is.
#[derive(Debug, Default)]
pub struct InputHistory {
    inputs: VecDeque<String>,
    /// The place shown, and what was being written before going there.
    browsing: Option<(usize, String)>,
}

impl InputHistory {
    /// Remembers one input. Says whether it is another one than the last.
    pub(crate) fn add(&mut self, input: &str) -> bool {
        self.browsing = None;
        let another = self.inputs.back().is_none_or(|last| last != input);
        if another {
            self.inputs.push_back(input.to_owned());
        }
        if self.inputs.len() > REMEMBERED {
            self.inputs.pop_front();
        }
        another
    }

    /// Takes in what was written in earlier sessions, the newest last: it is older than all that is here.
    pub(crate) fn recall(&mut self, earlier: Vec<String>) {
        let room = REMEMBERED.saturating_sub(self.inputs.len());
        for input in earlier.into_iter().rev().take(room) {
            self.inputs.push_front(input);
        }
        self.browsing = None;
    }

    /// Whether one that was written before is shown.
    pub(crate) fn is_browsing(&self) -> bool {
        self.browsing.is_some()
    }

    /// The input before the one shown; `draft` is what is written now.
    pub(crate) fn older(&mut self, draft: &str) -> Option<String> {
        let (place, draft) = match self.browsing.take() {
            Some(browsing) => browsing,
            None => (self.inputs.len(), draft.to_owned()),
        };
        let older = place.checked_sub(1);
        self.browsing = Some((older.unwrap_or(place), draft));
        older.and_then(|place| self.inputs.get(place)).cloned()
    }

    /// The input after the one shown, and behind the last what was being written.
    pub(crate) fn newer(&mut self) -> Option<String> {
        let (place, draft) = self.browsing.take()?;
        let Some(input) = self.inputs.get(place + 1) else { return Some(draft) };
        self.browsing = Some((place + 1, draft));
        Some(input.clone())
    }

    /// Something else was done: the next [`Self::older`] starts from the end.
    pub(crate) fn stay(&mut self) {
        self.browsing = None;
    }

    /// The input at a place.
    pub(crate) fn get(&self, place: usize) -> Option<&str> {
        self.inputs.get(place).map(String::as_str)
    }

    /// What was said before, the newest first.
    pub(crate) fn newest(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().rev().map(String::as_str)
    }

    /// The newest input that contains `wanted` and is older than the place `before`.
    pub(crate) fn search(&self, wanted: &str, before: usize) -> Option<(usize, &str)> {
        let inputs = self.inputs.iter().enumerate().rev();
        first_with(wanted, inputs.filter(|(place, _)| *place < before))
    }

    /// The oldest input that contains `wanted` and is newer than the place `after`.
    pub(crate) fn search_newer(&self, wanted: &str, after: usize) -> Option<(usize, &str)> {
        first_with(wanted, self.inputs.iter().enumerate().skip(after.saturating_add(1)))
    }
}

fn first_with<'a>(
    wanted: &str,
    mut inputs: impl Iterator<Item = (usize, &'a String)>,
) -> Option<(usize, &'a str)> {
    let wanted = wanted.to_lowercase();
    let found = inputs.find(|(_, input)| input.to_lowercase().contains(&wanted))?;
    Some((found.0, found.1))
}

/// Where `wanted` stands in a text, capitals aside, to be marked there.
pub(crate) fn place_of(wanted: &str, text: &str) -> Option<Range<usize>> {
    let wanted: Vec<char> = wanted.chars().flat_map(char::to_lowercase).collect();
    text.char_indices().find_map(|(start, _)| {
        let mut left = wanted.iter();
        for (at, c) in text[start..].char_indices() {
            if left.len() == 0 {
                return Some(start..start + at);
            }
            if !c.to_lowercase().all(|lower| left.next() == Some(&lower)) {
                return None;
            }
        }
        (left.len() == 0).then_some(start..text.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_again_with_the_draft() {
        let mut history = InputHistory::default();
        assert_eq!(["one", "two", "two"].map(|input| history.add(input)), [true, true, false]);
        assert_eq!(history.older("dra").as_deref(), Some("two"));
        assert_eq!(history.older("two").as_deref(), Some("one"));
        assert_eq!(history.older("one"), None);
        assert_eq!(history.newer().as_deref(), Some("two"));
        assert_eq!(history.newer().as_deref(), Some("dra"));
        assert_eq!(history.newer(), None);
    }

    #[test]
    fn a_search_goes_back_in_time() {
        let mut history = InputHistory::default();
        for input in ["make test", "ls", "Make all"] {
            history.add(input);
        }
        let (place, found) = history.search("make", usize::MAX).unwrap();
        assert_eq!(found, "Make all");
        assert_eq!(history.search("make", place), Some((0, "make test")));
        assert_eq!(history.search("make", 0), None);
        assert_eq!(history.search_newer("make", 0), Some((2, "Make all")));
        assert_eq!(history.search_newer("make", 2), None);
    }

    #[test]
    fn earlier_sessions_come_first() {
        let mut history = InputHistory::default();
        history.add("now");
        history.recall(["long ago", "yesterday"].map(str::to_owned).to_vec());
        let back: Vec<String> = std::iter::from_fn(|| history.older("")).collect();
        assert_eq!(back, ["now", "yesterday", "long ago"]);
        history.recall(vec!["x".to_owned(); 2 * REMEMBERED]);
        assert_eq!(history.inputs.len(), REMEMBERED);
    }

    #[test]
    fn what_was_found_is_marked_where_it_stands() {
        assert_eq!(place_of("ALL", "Make all"), Some(5..8));
        assert_eq!(place_of("i̇", "İstanbul"), Some(0..2));
        assert_eq!(place_of("é", "cafÉ"), Some(3..5));
        assert_eq!(place_of("", "a"), Some(0..0));
        assert_eq!(place_of("b", "a"), None);
    }
}
