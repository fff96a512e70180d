//! Sending texts to the terminal, for its clipboard.

use super::{Effect, State};

/// Bytes of a text that is sent to the clipboard. It goes there as one sequence, four characters for three bytes, and
/// terminals take those up to about 75,000 characters: what is longer some of them cut and others throw away, and none
/// says so.
pub(super) const CLIPBOARD_BYTES: usize = 56_000;

/// Sends a text, and says so by `told`; or says that it is too long.
pub(super) fn copy(state: &mut State, text: String, told: impl Into<String>, effects: &mut Vec<Effect>) {
    if text.len() > CLIPBOARD_BYTES {
        state.complain(format!(
            "that is {} bytes, and terminals take about {CLIPBOARD_BYTES}: copy it in parts, or use \
             `parlor export`",
            text.len()
        ));
        return;
    }
    effects.push(Effect::Copy(text));
    state.say(told);
}
