//! What goes into the state, and what comes out of it.

use crossterm::event::KeyEvent;
use tokio::time::Instant;

use super::settings::Change;
use crate::client::link::Update;
use crate::protocol::command::Command;
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
    /// A line was given as a whole: a command, or to be said.
    Line(String),
    /// Text was pasted.
    Paste(String),
    /// The terminal has so many columns and rows now.
    Resize(u16, u16),
    /// The terminal got the keyboard's focus, or lost it.
    Focus(bool),
    /// The link has something to say.
    Link(Update),
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
    /// Give the terminal back to the shell for a while.
    Suspend,
    /// Paint everything anew: something else wrote on the screen.
    Repaint,
}
