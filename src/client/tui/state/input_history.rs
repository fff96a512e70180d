//! What was said before in this session, to be said again.

use std::collections::VecDeque;

/// Inputs that are remembered.
const REMEMBERED: usize = 500;

/// Inputs, newest last, and where in them the reader is.
#[derive(Debug, Default)]
pub struct InputHistory {
    inputs: VecDeque<String>,
    /// The place shown, and what was being written before going there.
    browsing: Option<(usize, String)>,
}

impl InputHistory {
    /// Remembers one input.
    pub(crate) fn add(&mut self, input: &str) {
        self.browsing = None;
        if self.inputs.back().is_none_or(|last| last != input) {
            self.inputs.push_back(input.to_owned());
        }
        if self.inputs.len() > REMEMBERED {
            self.inputs.pop_front();
        }
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

    /// What was said before, the newest first.
    pub(crate) fn newest(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().rev().map(String::as_str)
    }

    /// The newest input that contains `wanted` and is older than the place `before`.
    pub(crate) fn search(&self, wanted: &str, before: usize) -> Option<(usize, &str)> {
        let before = before.min(self.inputs.len());
        let wanted = wanted.to_lowercase();
        let found = (0..before).rev().find(|place| self.inputs[*place].to_lowercase().contains(&wanted))?;
        Some((found, &self.inputs[found]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_again_with_the_draft() {
        let mut history = InputHistory::default();
        ["one", "two", "two"].iter().for_each(|input| history.add(input));
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
        ["make test", "ls", "Make all"].iter().for_each(|input| history.add(input));
        let (place, found) = history.search("make", usize::MAX).unwrap();
        assert_eq!(found, "Make all");
        assert_eq!(history.search("make", place), Some((0, "make test")));
        assert_eq!(history.search("make", 0), None);
    }
}
