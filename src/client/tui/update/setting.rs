//! Settings are shown, changed, and taken in when their file has changed.

use super::{Effect, State, saying};
use crate::client::tui::settings::{Change, Reading, SETTINGS, Setting, Settings, Value, setting, unknown};
use crate::client::tui::slash::Set;
use crate::client::tui::state::Overlay;
use crate::client::tui::state::completion::{Candidate, matching};

/// Settings that are named when several have changed at once: what fits in a line.
const NAMED: usize = 3;

/// The word for what a setting is without being set.
const DEFAULT: &str = "default";

/// Does what `/set` says.
pub(super) fn obey(state: &mut State, command: Set, effects: &mut Vec<Effect>) -> Result<(), String> {
    let known = |name: &str| setting(&name.to_lowercase()).ok_or_else(|| unknown(name));
    match command {
        Set::ShowAll => {
            saying::written(state);
            state.overlay = Some(Overlay::Settings(0));
            return Ok(());
        }
        Set::Show(name) => {
            let setting = known(&name)?;
            saying::written(state);
            let sentence = shown(state, setting);
            state.say(sentence);
            return Ok(());
        }
        Set::To(name, typed) => {
            let setting = known(&name)?;
            let value = setting.typed(&typed);
            set(state, Change::Set(setting.name, Some(value)), effects)
                .map_err(|says| format!("{}: {says}", setting.name))?;
            state.say(told(state, setting));
        }
        Set::Default(name) => {
            let setting = known(&name)?;
            set(state, Change::Set(setting.name, None), effects)?;
            state.say(told(state, setting));
        }
    }
    saying::written(state);
    Ok(())
}

/// Sets one thing here, and has it kept.
///
/// # Errors
/// A sentence that says what to do; then nothing has changed.
pub(super) fn set(state: &mut State, change: Change, effects: &mut Vec<Effect>) -> Result<(), String> {
    let before = state.company.settings.clone();
    state.company.settings.apply(&change)?;
    follow(state, &before);
    effects.push(Effect::Keep(change));
    Ok(())
}

/// Takes in what the settings file says now.
pub(super) fn take_in(state: &mut State, reading: Reading) {
    let Reading { settings, origin } = reading;
    let (name, before) = (origin.name.clone(), std::mem::replace(&mut state.origin, origin));
    let complaint = (before.faults != state.origin.faults).then(|| state.origin.complaint());
    let mut changed = Vec::new();
    if let Some(settings) = settings {
        let before = std::mem::replace(&mut state.company.settings, settings);
        follow(state, &before);
        changed = changes(&before, &state.company.settings);
    }
    if let Some(Some(complaint)) = complaint {
        state.insist(complaint);
    } else if complaint.is_some() && changed.is_empty() {
        // What was said meanwhile, of what `/set` did for example, says more.
        let told = before.complaint();
        if state.notice.as_ref().is_some_and(|notice| Some(&notice.text) != told.as_ref()) {
            return;
        }
        state.say(format!("{name} is understood now"));
    } else if !changed.is_empty() {
        let more = match changed.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        changed.truncate(NAMED);
        state.say(format!("{name} has changed: {}{more}", changed.join(", ")));
    }
}

/// What a key has shown or hidden for a while is as it was set, once it is set anew.
fn follow(state: &mut State, before: &Settings) {
    let now = &state.company.settings;
    if now.rooms_pane != before.rooms_pane {
        state.rooms_pane = None;
    }
    if now.people_pane != before.people_pane {
        state.people_pane = None;
    }
}

fn changes(before: &Settings, now: &Settings) -> Vec<String> {
    let changed = SETTINGS.iter().filter(|setting| setting.value(before) != setting.value(now));
    let mut changed: Vec<String> =
        changed.map(|setting| format!("{} {}", setting.name, setting.value(now).shown())).collect();
    if before.keys != now.keys {
        changed.push("keys".to_owned());
    }
    changed
}

/// What was set.
fn told(state: &State, setting: &Setting) -> String {
    let value = setting.value(&state.company.settings);
    format!("{} is {}: {}", setting.name, value.shown(), setting.help)
}

/// How a setting stands.
fn shown(state: &State, setting: &Setting) -> String {
    let (value, usual) = (setting.value(&state.company.settings), setting.default());
    let usual = match value == usual {
        true => ", the default".to_owned(),
        false => format!(" (default {})", usual.shown()),
    };
    let example = match (&value, setting.choices) {
        (Value::Switch(true), _) => "off".to_owned(),
        (Value::Switch(false), _) => "on".to_owned(),
        (_, []) => "VALUE".to_owned(),
        (_, choices) => choices.join("|"),
    };
    let (name, help) = (setting.name, setting.help);
    format!("{name} is {}{usual}: {help}. /set {name} {example} changes it", value.shown())
}

/// What a word behind `/set` could become; `before` is what stands between it and the command.
pub(super) fn candidates(state: &State, before: &str, stem: &str) -> Vec<Candidate> {
    let candidate =
        |word: &str| Candidate { shown: word.to_owned(), written: format!("{word} "), about: String::new() };
    let name = before.trim();
    if name.is_empty() {
        let names = matching(SETTINGS.iter().map(|setting| setting.name), stem);
        return names.into_iter().map(candidate).collect();
    }
    let Some(setting) = setting(&name.to_lowercase()) else { return Vec::new() };
    let now = setting.value(&state.company.settings).shown();
    let words = setting.choices.iter().copied().chain([now.as_str(), DEFAULT]);
    matching(words, stem).into_iter().map(candidate).collect()
}
