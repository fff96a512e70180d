//! What the mouse does while it is ours: what was pressed, and what is selected.

use tokio::time::Instant;

use crate::client::tui::scroll::Unit;
use crate::protocol::name::RoomName;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Mouse {
    /// The terminal tells us of it, and selects nothing by itself.
    pub(crate) captured: bool,
    /// Where the button went down in the conversation, and the cell, while it is down.
    pub(crate) pressed: Option<(Option<Point>, (u16, u16))>,
    /// When and in which cell it was clicked last.
    pub(crate) clicked: Option<(Instant, (u16, u16))>,
    pub(crate) selection: Option<Selection>,
}

/// A place in what somebody said, counted in characters that can be seen: white space moves when a text is wrapped
/// anew, these do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) unit: Unit,
    /// Characters before it.
    pub(crate) before: usize,
    /// Characters up to its end: one more, unless it is white space.
    pub(crate) after: usize,
    /// It stands before all that its row says.
    pub(crate) at_start: bool,
}

/// What is selected: from where to where, in the order in which that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) room: RoomName,
    pub(crate) from: Point,
    pub(crate) to: Point,
}
