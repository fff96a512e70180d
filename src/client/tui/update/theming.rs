//! How everything looks: set, looked through, and kept up with what else happens.

use super::{Effect, State, saying, setting};
use crate::client::tui::settings::{Change, Value};
use crate::client::tui::state::Overlay;
use crate::client::tui::state::theming::ThemeList;
use crate::client::tui::theme::{AUTO, Background, OwnThemes};

/// Does what `/theme` says.
pub(super) fn obey(state: &mut State, name: Option<String>, effects: &mut Vec<Effect>) -> Result<(), String> {
    match name {
        Some(name) => {
            state.themes.pick(&name)?;
            saying::written(state);
            set(state, name, effects)
        }
        None => {
            saying::written(state);
            state.overlay =
                Some(Overlay::Themes(ThemeList::new(&state.themes, &state.company.settings.theme)));
            // They may have been written a moment ago.
            effects.push(Effect::ReadThemes);
            Ok(())
        }
    }
}

/// Keeps the theme that is looked at.
pub(super) fn keep(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(Overlay::Themes(list)) = &state.overlay else { return };
    let name = list.chosen().map(|listed| listed.name.clone());
    state.overlay = None;
    if let Some(Err(why)) = name.map(|name| set(state, name, effects)) {
        state.complain(why);
    }
}

fn set(state: &mut State, name: String, effects: &mut Vec<Effect>) -> Result<(), String> {
    let said = match state.themes.faint(&name) {
        _ if !state.themes.in_colours() => {
            Some("NO_COLOR is set, or TERM is dumb: no theme has colours".to_owned())
        }
        Some(faint) => Some(format!("{name} is {faint}")),
        None => None,
    };
    match said {
        Some(said) => state.complain(said),
        None => state.say(format!("theme: {name}")),
    }
    setting::set(state, Change::Set("theme", Some(Value::Text(name))), effects)
}

/// The themes of one's own were read.
pub(super) fn read(state: &mut State, own: OwnThemes) {
    state.themes.set_own(own);
    anew(state);
}

/// The terminal has said what its ground is.
pub(super) fn is_on(state: &mut State, background: Background) {
    state.themes.set_background(background);
    anew(state);
}

/// What was known of themes is so no more.
fn anew(state: &mut State) {
    state.theme_shown.clear();
    if let Some(Overlay::Themes(list)) = &mut state.overlay {
        let name = list.chosen().map(|listed| listed.name.clone()).unwrap_or_default();
        *list = ThemeList::new(&state.themes, &name);
    }
}

/// Everything looks as it is set; while one looks through the list, as what is chosen there. So whatever ends the
/// looking, and whatever changes the settings, nothing else has to be done.
pub(super) fn follow(state: &mut State) {
    let looked_at = match &state.overlay {
        Some(Overlay::Themes(list)) => list.chosen(),
        _ => None,
    };
    let wanted = looked_at.map_or(state.company.settings.theme.as_str(), |listed| listed.name.as_str());
    if wanted == state.theme_shown {
        return;
    }
    let wanted = wanted.to_owned();
    match state.themes.pick(&wanted) {
        Ok(theme) => state.theme = theme,
        Err(why) => {
            state.theme = state.themes.pick_or_auto(AUTO);
            state.complain(why);
        }
    }
    state.theme_shown = wanted;
}
