//! The keys of one line in which something is looked for: in the search, in the palette and in the list of parlors.

use crate::client::tui::keymap::Action;
use crate::client::tui::state::composer::Composer;
use crate::client::tui::state::cuttings::Cuttings;

/// Carries out a key, or writes its letter; what is neither does nothing.
pub(crate) fn edit(
    input: &mut Composer,
    cuttings: &mut Cuttings,
    action: Option<Action>,
    letter: Option<char>,
) {
    match (action, letter) {
        (Some(Action::Go(motion)), _) => input.go(motion),
        (Some(Action::Delete(motion)), _) => input.delete(motion),
        (Some(Action::Cut(motion)), _) => input.cut(motion, cuttings),
        (Some(Action::PasteCut), _) => input.put_back(cuttings),
        (Some(Action::PasteOlderCut), _) => {
            input.put_back_older(cuttings);
        }
        (Some(Action::Transpose), _) => input.transpose(),
        (Some(Action::Undo), _) => input.undo(),
        (Some(Action::Redo), _) => input.redo(),
        (None, Some(letter)) => input.insert(letter.encode_utf8(&mut [0; 4])),
        _ => {}
    }
}
