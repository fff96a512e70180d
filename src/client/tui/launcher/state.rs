//! What the launcher knows.

use std::net::IpAddr;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::time::Instant;
use uuid::Uuid;

use super::probe::Reach;
use super::recent::Recent;
use super::rows::{self, Row};
use crate::client::find::{PARLORS, Parlor, is_same};
use crate::client::tui::Now;
use crate::client::tui::keymap::{Action, Keymap};
use crate::client::tui::state::composer::Composer;
use crate::client::tui::state::cuttings::Cuttings;
use crate::client::tui::theme::{Theme, Themes};
use crate::protocol::DEFAULT_PORT;
use crate::protocol::address::Address;
use crate::protocol::announcement::Announcement;
use crate::protocol::text::Line;

/// How long a parlor that is gone is still shown, as such: long enough to see which one it was.
pub(super) const FADES: Duration = Duration::from_secs(3);

/// After this time without a parlor it is said why there may be none. Those that can be heard answer within a second.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// Sentences about what does not work that are shown: there are two ways to look, and some networks.
const TROUBLES: usize = 4;

/// One thing to go to, whatever becomes of the list that it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// What was typed.
    Typed,
    /// The parlor of this machine.
    Here,
    /// A new one on this machine.
    Host,
    /// One on this network: what it says of itself, with nobody in it. Its id alone does not say which one it is.
    Found(Announcement),
    /// One that was visited.
    Recent(Address),
}

/// A parlor on this network.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) parlor: Parlor,
    /// Since when it is not there any more.
    pub(super) gone: Option<Instant>,
}

impl Found {
    /// What stands for it in the list, however many people come and go.
    pub(super) fn item(&self) -> Item {
        Item::Found(Announcement { people: 0, ..self.parlor.said.clone() })
    }

    /// Whether it has stood there as gone for long enough.
    fn has_faded(&self, now: Instant) -> bool {
        self.gone.is_some_and(|gone| now >= gone + FADES)
    }
}

/// What there is at the beginning.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) size: (u16, u16),
    pub(super) themes: Themes,
    /// The theme that is wished.
    pub(super) theme: String,
    pub(super) keymap: Keymap,
    /// The mouse is ours.
    pub(super) mouse: bool,
    pub(super) zone: TimeZone,
    pub(super) now: Now,
    /// Whether parlors are looked for on this network, and those that were visited looked at.
    pub(super) looks: bool,
    pub(super) recent: Vec<Recent>,
    /// The addresses of this machine.
    pub(super) own: Vec<IpAddr>,
    /// The system can host a parlor.
    pub(super) hosts: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct State {
    pub(super) size: (u16, u16),
    pub(super) themes: Themes,
    wished: String,
    pub(super) theme: Theme,
    pub(super) keymap: Keymap,
    pub(super) mouse: bool,
    pub(super) zone: TimeZone,
    pub(super) now: Now,
    pub(super) looks: bool,
    pub(super) hosts: bool,
    began: Instant,
    pub(super) input: Composer,
    pub(super) cuttings: Cuttings,
    pub(super) found: Vec<Found>,
    /// Those that were visited, and how it stands with each.
    pub(super) recent: Vec<(Recent, Reach)>,
    /// Whether a parlor runs on this machine at the usual port.
    pub(super) here: Reach,
    own: Vec<IpAddr>,
    pub(super) troubles: Vec<Line>,
    pub(super) chosen: Item,
    /// The row of the help that is at the top, while that is read.
    pub(super) help: Option<usize>,
    /// There is something new to draw.
    pub(super) changed: bool,
}

impl State {
    pub(super) fn new(setup: Setup) -> Self {
        let theme = setup.themes.pick_or_auto(&setup.theme);
        let recent = setup.recent.into_iter().map(|recent| (recent, Reach::Unknown)).collect();
        let mut state = Self {
            size: setup.size,
            themes: setup.themes,
            wished: setup.theme,
            theme,
            keymap: setup.keymap,
            mouse: setup.mouse,
            zone: setup.zone,
            now: setup.now,
            looks: setup.looks,
            hosts: setup.hosts,
            began: setup.now.instant,
            input: Composer::default(),
            cuttings: Cuttings::default(),
            found: Vec::new(),
            recent,
            here: Reach::Unknown,
            own: setup.own,
            troubles: Vec::new(),
            chosen: Item::Host,
            help: None,
            changed: true,
        };
        state.keep_choice(0);
        state
    }

    /// The theme that is wished, on what is known of the terminal now.
    pub(super) fn look_anew(&mut self) {
        self.theme = self.themes.pick_or_auto(&self.wished);
    }

    /// The name of the first key that does this.
    pub(super) fn key_for(&self, action: Action) -> String {
        self.keymap.key_for(action)
    }

    /// What is listed.
    pub(super) fn rows(&self) -> Vec<Row> {
        rows::rows(self)
    }

    /// The place of what is chosen in the list.
    pub(super) fn place(&self, rows: &[Row]) -> usize {
        rows.iter().position(|row| row.item == self.chosen).unwrap_or(0)
    }

    /// Sees that what is chosen is in the list: the same parlor, where it stands now, or what stands at `place`.
    pub(super) fn keep_choice(&mut self, place: usize) {
        let rows = self.rows();
        if rows.iter().any(|row| row.item == self.chosen) {
            return;
        }
        let moved = match &self.chosen {
            Item::Recent(address) => self.found.iter().find_map(|found| {
                let known = self.known(found)?;
                (known.address == *address).then(|| found.item())
            }),
            Item::Found(said) => self.found(said).and_then(|found| self.elsewhere(found)),
            _ => None,
        };
        let moved = moved.filter(|item| rows.iter().any(|row| row.item == *item));
        let nearest = rows.get(place.min(rows.len().saturating_sub(1))).map(|row| row.item.clone());
        if let Some(item) = moved.or(nearest) {
            self.chosen = item;
        }
    }

    /// The same parlor as another row: that of this machine, or the one that was visited.
    fn elsewhere(&self, found: &Found) -> Option<Item> {
        if self.here == Reach::Here && self.is_here(found) {
            return Some(Item::Here);
        }
        self.known(found).map(|recent| Item::Recent(recent.address.clone()))
    }

    /// The parlor that says this of itself.
    pub(super) fn found(&self, said: &Announcement) -> Option<&Found> {
        self.found.iter().find(|found| is_same(&found.parlor.said, said))
    }

    /// The parlor that was visited whose certificate this one claims to have. Joining, it must show it.
    pub(super) fn known(&self, found: &Found) -> Option<&Recent> {
        let claimed = found.parlor.said.fingerprint?;
        let mut recent = self.recent.iter().map(|(recent, _)| recent);
        recent.find(|recent| recent.fingerprint == Some(claimed))
    }

    /// Whether this is the parlor of this machine at the usual port.
    pub(super) fn is_here(&self, found: &Found) -> bool {
        found.parlor.said.port == DEFAULT_PORT && self.is_own(found)
    }

    /// Whether a parlor is on this machine: wherever it is heard. Whoever announces an address of this machine beside their
    /// own is a stranger.
    pub(super) fn is_own(&self, found: &Found) -> bool {
        found.parlor.addresses.iter().all(|address| match address {
            Address::Tcp { .. } => address.ip().is_some_and(|ip| ip.is_loopback() || self.own.contains(&ip)),
            Address::Unix(_) => true,
        })
    }

    /// Nobody was heard for so long that it should be said why that may be.
    pub(super) fn is_silent(&self) -> bool {
        self.found.is_empty() && self.now.instant.saturating_duration_since(self.began) >= PATIENCE
    }

    /// When something changes without anything happening.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let gone = self.found.iter().filter_map(|found| Some(found.gone? + FADES));
        let silent =
            (self.looks && self.found.is_empty() && !self.is_silent()).then(|| self.began + PATIENCE);
        gone.chain(silent).min()
    }

    /// A parlor is there.
    pub(super) fn hear(&mut self, parlor: Parlor) {
        let heard = Found { parlor, gone: None };
        if let Some(found) = self.found.iter_mut().find(|found| found.parlor.is_same(&heard.parlor)) {
            *found = heard;
        } else if self.found.len() < PARLORS {
            self.found.push(heard);
        }
    }

    /// Those of this id are not there any more.
    pub(super) fn lose(&mut self, id: Uuid) {
        let now = self.now.instant;
        for found in self.found.iter_mut().filter(|found| found.parlor.said.id == id) {
            found.gone = found.gone.or(Some(now));
        }
    }

    /// Takes those out of the list that have been gone for long enough. If one of them is chosen, what else stands for the same
    /// parlor is chosen instead. Says whether there were any.
    pub(super) fn fade(&mut self) -> bool {
        let now = self.now.instant;
        let before = self.found.len();
        if let Item::Found(said) = &self.chosen
            && let Some(found) = self.found(said).filter(|found| found.has_faded(now))
            && let Some(item) = self.elsewhere(found)
        {
            self.chosen = item;
        }
        self.found.retain(|found| !found.has_faded(now));
        before != self.found.len()
    }

    /// Something does not work.
    pub(super) fn trouble(&mut self, sentence: &str) {
        let sentence = Line::lossy(sentence);
        if self.troubles.len() < TROUBLES && !self.troubles.contains(&sentence) {
            self.troubles.push(sentence);
        }
    }
}
