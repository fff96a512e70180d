//! What goes into the state, and what comes out of it.

use crossterm::event::{KeyEvent, MouseEvent};
use tokio::time::Instant;
use uuid::Uuid;

use super::known_rooms::RoomChange;
use super::settings::{Change, Reading};
use super::state::drafts::{Draft, Recalled};
use super::theme::{Background, OwnThemes};
use crate::client::link::Update;
use crate::protocol::command::Command;
use crate::protocol::name::RoomName;
use crate::protocol::time::Time;

/// What time it is, on both clocks. The state reads neither.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For waiting.
    pub instant: Instant,
    /// This machine's calendar.
    pub time: Time,
}

impl Now {
    /// Reads the clocks.
    pub fn read() -> Self {
        Self { instant: Instant::now(), time: Time::now() }
    }
}

/// Something happened.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is moved once, and a box for each message costs more")]
pub enum Event {
    /// Time passed. Comes before whatever happened at that time.
    Tick(Now),
    /// A key was pressed.
    Key(KeyEvent),
    /// The wheel was turned by so many rows; up is negative.
    Wheel(isize),
    /// Something was done with the mouse, while it is ours.
    Mouse(MouseEvent),
    /// A line was given as a whole: a command, or to be said.
    Line(String),
    /// Text was pasted.
    Paste(String),
    /// The terminal has so many columns and rows now.
    Resize(u16, u16),
    /// The terminal got the keyboard's focus, or lost it.
    Focus(bool),
    /// The terminal said whether it is dark or light, later than we waited for it.
    Background(Background),
    /// The themes of one's own were read: see [`Effect::ReadThemes`].
    Themes(OwnThemes),
    /// The link has something to say.
    Link(Update),
    /// What was kept of this parlor was read.
    Recalled(Recalled),
    /// The editor was left: with a text, or a sentence that says why there is none.
    Edited(Result<String, String>),
    /// The settings file was read again.
    Settings(Box<Reading>),
    /// The system asks us to end.
    Terminate,
}

/// Something to be done outside.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Hand this to the link.
    Submit(Command),
    /// Do not wait for the countdown.
    RetryNow,
    /// Leave.
    Quit,
    /// Send this to the terminal for the clipboard. Whether it gets there only the terminal knows.
    Copy(String),
    /// Open this link with whatever opens links here. It begins with `http://`, `https://` or `mailto:`.
    Open(String),
    /// Ring the bell.
    Bell,
    /// Tell the desktop, where the terminal can.
    Notice {
        /// From whom.
        title: String,
        /// What.
        body: String,
    },
    /// Keep this setting for the next time.
    Keep(Change),
    /// Remember this of rooms for the next time.
    Remember(RoomChange),
    /// Read what was kept of this parlor.
    Recall(Uuid),
    /// Keep what is being written in these rooms of a parlor; `None`: nothing is, any more.
    KeepDrafts(Uuid, Vec<(RoomName, Option<Draft>)>),
    /// Keep what was written in a parlor, to be written again.
    KeepInput(Uuid, String),
    /// Give the terminal to an editor, with this text in it.
    Edit(String),
    /// Whoever sits here knows how to say something: they are not welcomed again.
    Welcomed,
    /// Read the themes of one's own anew, and say which there are by [`Event::Themes`].
    ReadThemes,
    /// Have the terminal tell us of the mouse, or leave it to the terminal.
    Capture(bool),
    /// Give the terminal back to the shell for a while.
    Suspend,
    /// Paint everything anew: something else wrote on the screen.
    Repaint,
}
