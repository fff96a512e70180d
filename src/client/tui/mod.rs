//! The screen: rooms on the left, what is said in the middle, people on the right, the input below.
//!
//! One loop. What happens — a key, a word of the link, a moment — goes into [`update()`], which does no
//! I/O and reads no clock; what is to be done outside comes out as [`Effect`]s; [`draw()`] shows the
//! state and changes nothing. So all of it can be driven by a test: keys and news in, screens out.
//!
//! | file | what it does |
//! |---|---|
//! | `app` | the loop: wait, take in all that waits, do, draw |
//! | `terminal` | puts the terminal up and gives it back, whatever happens |
//! | [`state`] | what is known: rooms, scrollback, people, the input |
//! | `update` | what happens to it |
//! | [`settings`] | what people set and want to find again |
//! | `desktop` | notices on the desktop |
//! | `keymap`, `slash` | which key and which command does what: the tables that the help is made of |
//! | `pasted` | telling code from words |
//! | `view` | one file for each pane |
//! | `rows`, `wrap`, `scroll` | pure layout: messages into rows, and going through them |
//! | `markup`, `styled` | a little Markdown: which parts of a text look how |
//! | [`theme`] | colours and signs |
//! | [`lines`] | the same without a screen: what is said as lines, and a prompt |
//! | [`script`] | the screen without a terminal: for tests, measurements and pictures |
//!
//! Only the rows in sight are laid out, so a long scrollback costs no more to draw than a short one.

mod app;
mod desktop;
mod event;
mod keymap;
pub mod lines;
mod markup;
mod pasted;
mod rows;
pub mod script;
mod scroll;
pub mod settings;
mod slash;
pub mod state;
mod styled;
mod terminal;
#[cfg(test)]
mod tests;
pub mod theme;
mod update;
mod view;
mod wrap;

use std::io::IsTerminal;

use anyhow::{Context, bail};
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use uuid::Uuid;

pub use self::event::{Effect, Event, Now};
pub use self::update::update;
pub use self::view::draw;
use crate::client::link::{Link, Update};
use crate::protocol::name::{Nick, RoomName};

/// What to show.
#[derive(Debug)]
pub struct Options {
    /// The handle of an open link.
    pub link: Link,
    /// What that link says.
    pub updates: mpsc::Receiver<Update>,
    /// What it has said already: whoever wants a screen only once there is a connection has waited
    /// for [`Update::Online`].
    pub first: Vec<Update>,
    /// The room to enter.
    pub room: RoomName,
    /// The nick that was asked for: if the server gave another one, that is said.
    pub wished: Nick,
    /// Where settings are kept; `None`: they hold until the end.
    pub settings: Option<settings::SettingsFile>,
    /// How others join. A host sees it at the beginning of each room.
    pub inviting: state::inviting::Inviting,
}

/// How it ended.
#[derive(Clone, Debug)]
pub struct Ending {
    /// Why, as a sentence for people.
    pub why: String,
    /// Because it was asked for: a key, a command, a signal.
    pub wanted: bool,
    /// Messages that the server never acknowledged, in the order in which they were written.
    pub unsent: Vec<String>,
}

/// Shows the parlor on the terminal until the person leaves. The terminal is given back before it
/// returns. Must be called within a tokio runtime.
///
/// # Errors
/// When there is no terminal to show it on, or it went away.
pub async fn run(options: Options) -> anyhow::Result<Ending> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        bail!(
            "the screen needs a terminal: in scripts, use `parlor say`, `parlor tail` or `parlor pipe`; with --lines it needs none"
        );
    }
    let size = crossterm::terminal::size().context("the terminal does not say how large it is")?;
    let state = set_up(&options, size);
    let terminal = terminal::Terminal::put_up().context("cannot use the terminal")?;
    let app = app::App::new(state, options.link, options.updates, terminal, options.settings);
    app.run(options.first, options.room).await
}

/// The state at the beginning, with what was set in earlier sessions, for a terminal of so many columns and rows.
fn set_up(options: &Options, size: (u16, u16)) -> state::State {
    let (settings, unread) = match options.settings.as_ref().map(settings::SettingsFile::load) {
        None => Default::default(),
        Some(Ok(settings)) => (settings, None),
        Some(Err(error)) => (settings::Settings::default(), Some(error.to_string())),
    };
    let mut state = state::State::new(state::Setup {
        wished: Some(options.wished.clone()),
        settings,
        inviting: Some(options.inviting.clone()),
        zone: TimeZone::system(),
        theme: theme::Theme::from_environment(|name| std::env::var(name).ok()),
        size,
        session: Uuid::new_v4(),
        now: Now::read(),
    });
    state.can_open = can_open(|name| std::env::var(name).ok());
    if let Some(error) = unread {
        state.insist(error);
    }
    state
}

/// Whether a link that is opened here shows on a screen that we are sitting at; `variable` looks up the environment.
fn can_open(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &&str| variable(name).is_some_and(|value| !value.is_empty());
    let elsewhere = ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].iter().any(set);
    let screen = cfg!(any(windows, target_os = "macos"))
        || ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].iter().any(set);
    screen && !elsewhere
}
