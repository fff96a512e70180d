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
//! | [`known_rooms`] | what is remembered of rooms between visits |
//! | `painter` | cells onto terminals that disagree about their widths |
//! | `desktop` | notices on the desktop |
//! | `kept` | what outlives a visit, and where |
//! | `keeping` | drafts, and what was written before: the files |
//! | `editor` | somebody's editor, and what was written in it |
//! | `keymap`, `slash` | which key and which command does what: the tables that the help is made of |
//! | `near` | the word that was probably meant |
//! | [`launcher`] | before there is a room: which parlors there are, and choosing one |
//! | `fuzzy` | names by a few of their letters |
//! | `palette` | what one can go to or do, found by a few letters |
//! | `pasted` | telling code from words |
//! | `view` | one file for each pane |
//! | `rows`, `wrap`, `scroll` | pure layout: messages into rows, and going through them |
//! | `selection` | which part of what was said is selected, and its text as it was typed |
//! | `markup`, `styled` | a little Markdown: which parts of a text look how |
//! | [`theme`] | colours and signs |
//! | [`lines`] | the same without a screen: what is said as lines, and a prompt |
//! | [`script`] | the screen without a terminal: for tests, measurements and pictures |
//!
//! Only the rows in sight are laid out, so a long scrollback costs no more to draw than a short one.

mod app;
mod desktop;
mod editor;
mod event;
mod fuzzy;
mod keeping;
mod kept;
mod keymap;
pub mod known_rooms;
pub mod launcher;
pub mod lines;
mod markup;
pub(crate) mod near;
mod painter;
mod palette;
mod pasted;
mod rows;
pub mod script;
mod scroll;
mod selection;
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
use std::path::PathBuf;

use anyhow::{Context, bail};
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use uuid::Uuid;

pub use self::event::{Effect, Event, Now};
use self::kept::Kept;
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
    /// The room to go to; `None`: where one was last, or the lobby.
    pub room: Option<RoomName>,
    /// The nick that was asked for: if the server gave another one, that is said.
    pub wished: Nick,
    /// The folder in which what is written is kept; `None`: it is not.
    pub data: Option<std::path::PathBuf>,
    /// Where settings are kept; `None`: they hold until the end.
    pub settings: Option<settings::SettingsFile>,
    /// Where it is kept what is remembered of rooms; `None`: it is forgotten at the end.
    pub known_rooms: Option<known_rooms::KnownRoomsFile>,
    /// The file whose being there says that somebody has said something from here before; `None`: nobody is welcomed.
    pub welcomed: Option<PathBuf>,
    /// The folder of one's own themes; `None`: there are none.
    pub themes: Option<std::path::PathBuf>,
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
    /// These are drafts now, for the next time.
    pub kept: bool,
}

/// Shows the parlor on the terminal until the person leaves. The terminal is given back before it
/// returns. Must be called within a tokio runtime.
///
/// # Errors
/// When there is no terminal to show it on, or it went away.
pub async fn run(mut options: Options) -> anyhow::Result<Ending> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        bail!(
            "the screen needs a terminal: in scripts, use `parlor say`, `parlor tail` or `parlor pipe`; with --lines it needs none"
        );
    }
    let size = crossterm::terminal::size().context("the terminal does not say how large it is")?;
    let mut kept = Kept::of(&mut options);
    let found = kept.read();
    let variable = |name: &str| std::env::var(name).ok();
    let mut shows = theme::Found::from_environment(variable);
    let late = theme::late::Late::after(shows.ask(&found.settings.theme, variable).await);
    let state = set_up(&options, found, shows, size);
    let terminal = terminal::Terminal::put_up().context("cannot use the terminal")?;
    let app = app::App::new(state, options.link, options.updates, terminal, kept, late);
    app.run(options.first, options.room).await
}

/// The state at the beginning, with what was `found` of earlier visits, for a terminal of so many columns and rows that
/// `shows` so much.
fn set_up(options: &Options, found: kept::Found, shows: theme::Found, size: (u16, u16)) -> state::State {
    let mut themes = theme::Themes::new(shows);
    themes.set_own(found.themes);
    let unknown = themes.pick(&found.settings.theme).err();
    let mut state = state::State::new(state::Setup {
        wished: Some(options.wished.clone()),
        settings: found.settings,
        known_rooms: found.known_rooms,
        inviting: Some(options.inviting.clone()),
        zone: TimeZone::system(),
        themes,
        size,
        session: Uuid::new_v4(),
        now: Now::read(),
    });
    state.can_open = can_open(|name| std::env::var(name).ok());
    state.welcome = found.welcome;
    let unknown = unknown.map(|error| format!("{error}; until then it is the usual one"));
    if let Some(complaint) = found.origin.complaint().or(found.fault).or(unknown) {
        state.insist(complaint);
    }
    state.origin = found.origin;
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
