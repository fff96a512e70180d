//! The launcher: what `parlor` alone shows. The parlors of this network as they are heard, those that were visited, and
//! hosting one here; whoever chooses leaves the screen with a [`Choice`], and somebody else goes there.
//!
//! Like the room's screen: what happens goes into `update`, which does no I/O and reads no clock, and `view` shows the
//! state.
//!
//! | file | what it does |
//! |---|---|
//! | `app` | the loop: wait, take in all that waits, do, draw |
//! | `state` | what is known: who was heard, who was visited, what is typed, what is chosen |
//! | `rows` | what is listed, and in which order |
//! | `typed` | what was typed, where it says itself where to go |
//! | `update` | what keys, the mouse and news do |
//! | `view`, `help` | the screen |
//! | `recent` | the parlors that were visited |
//! | `probe` | whether something listens at an address |

mod app;
mod help;
mod probe;
mod recent;
mod rows;
mod state;
#[cfg(test)]
mod tests;
mod typed;
mod update;
mod view;

use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;

pub use self::probe::{Reach, reach};
pub use self::recent::{RECENT, Recent, gather};
use super::settings::SettingsFile;
use super::theme::{Found, OwnThemes, Themes, late};
use super::{Now, terminal};
use crate::client::find::Heard;
use crate::protocol::address::Address;

/// What to show.
#[derive(Debug)]
pub struct Options {
    /// Begins to look for parlors on this network; called unless people do not want that.
    pub look: fn() -> mpsc::Receiver<Heard>,
    /// Where settings are kept; `None`: the usual ones hold.
    pub settings: Option<SettingsFile>,
    /// The folder of one's own themes; `None`: there are none.
    pub themes: Option<PathBuf>,
    /// The parlors that were visited, the latest first.
    pub recent: Vec<Recent>,
    /// This program can host a parlor.
    pub hosts: bool,
    /// What went wrong so far, a sentence each.
    pub troubles: Vec<String>,
}

/// Where to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// What stands behind `parlor join`, a word each: it was typed, and somewhere in it may be a passphrase.
    Typed(Vec<String>),
    /// The parlor of this machine, at [`Address::this_machine`].
    Here,
    /// A new one on this machine.
    Host,
    /// A parlor of the list.
    Parlor {
        /// Where it can be reached, the best first; never empty.
        addresses: Vec<Address>,
        /// By TCP without TLS.
        plain: bool,
        /// It claims to be the parlor that was visited at this address, and MUST show the same certificate.
        known: Option<Address>,
    },
}

/// Shows the launcher until something is chosen; `None`: the person left. The terminal, which standard input and output MUST
/// be, is given back before it returns. Must be called within a tokio runtime.
///
/// # Errors
/// When the terminal cannot be used, or went away.
pub async fn run(options: Options) -> anyhow::Result<Option<Choice>> {
    let size = crossterm::terminal::size().context("the terminal does not say how large it is")?;
    let mut troubles = options.troubles;
    let reading = options.settings.map(|mut file| file.read());
    let (settings, origin) = reading.map(|reading| (reading.settings, reading.origin)).unwrap_or_default();
    let settings = settings.unwrap_or_default();
    troubles.extend(origin.complaint());
    let variable = |name: &str| std::env::var(name).ok();
    let mut shows = Found::from_environment(variable);
    let late = late::Late::after(shows.ask(&settings.theme, variable).await);
    let mut themes = Themes::new(shows);
    themes.set_own(options.themes.as_deref().map(OwnThemes::read).unwrap_or_default());
    let addresses = looked_at(settings.find, &options.recent);
    let hearing = settings.find.then(options.look);
    let mut state = state::State::new(state::Setup {
        size,
        themes,
        theme: settings.theme,
        keymap: settings.keys,
        mouse: settings.mouse,
        zone: TimeZone::system(),
        now: Now::read(),
        looks: settings.find,
        recent: options.recent,
        own: own_addresses(),
        hosts: options.hosts,
    });
    for sentence in troubles {
        state.trouble(&sentence);
    }
    let terminal = terminal::Terminal::put_up().context("cannot use the terminal")?;
    app::App::new(state, terminal, hearing, probe::watch(addresses), late).run().await
}

/// The addresses to look at. Whoever does not want parlors to be looked for has nothing sent to the network.
fn looked_at(find: bool, recent: &[Recent]) -> Vec<Address> {
    let visited = recent.iter().filter(|_| find).map(|recent| recent.address.clone());
    std::iter::once(Address::this_machine()).chain(visited).collect()
}

/// The addresses of this machine. Without them its own parlor is one among the others, and nothing worse.
fn own_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces.into_iter().map(|interface| interface.ip()).collect()
}
