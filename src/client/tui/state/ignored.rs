//! Whom we want to hear nothing of.

use std::collections::BTreeSet;

use crate::protocol::name::Nick;

/// Nicks, compared as the server compares them: who ignores `CAROL` does not hear carol.
#[derive(Debug, Default)]
pub(crate) struct Ignored {
    folded: BTreeSet<String>,
}

impl Ignored {
    /// Whether it holds somebody.
    pub(crate) fn contains(&self, nick: &Nick) -> bool {
        // It is asked for each row that is drawn, and most people ignore nobody.
        !self.folded.is_empty() && self.folded.contains(&folded(nick))
    }

    /// They are not heard any more.
    pub(crate) fn insert(&mut self, nick: &Nick) {
        self.folded.insert(folded(nick));
    }

    /// They are heard again.
    pub(crate) fn remove(&mut self, nick: &Nick) {
        self.folded.remove(&folded(nick));
    }
}

impl FromIterator<Nick> for Ignored {
    fn from_iter<T: IntoIterator<Item = Nick>>(nicks: T) -> Self {
        Self { folded: nicks.into_iter().map(|nick| folded(&nick)).collect() }
    }
}

fn folded(nick: &Nick) -> String {
    let [_, folded] = nick.keys();
    folded
}
