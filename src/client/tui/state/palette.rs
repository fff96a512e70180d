//! The palette: what is typed into it, and what fits.

use super::composer::Composer;
use crate::client::tui::palette::Entry;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Palette {
    pub(crate) input: Composer,
    /// The likeliest first. It stays as it is until something else is typed: nothing moves under the fingers.
    pub(crate) found: Vec<Entry>,
    /// Which of these.
    pub(crate) chosen: usize,
}
