//! What outlives a visit: where it is kept, and keeping it. The screen and the lines do the same with it.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use super::event::{Effect, Event};
use super::keeping::Keeper;
use super::known_rooms::{KnownRooms, KnownRoomsFile};
use super::settings::{Origin, Settings, SettingsFile};
use super::state::State;
use super::theme::OwnThemes;
use super::{Options, update};

/// The shortest time between two looks at the settings file: whoever has saved it needs as long to look up.
const LOOK_AT_SETTINGS: Duration = Duration::from_secs(1);

/// See the module. What is `None` is kept nowhere.
pub(super) struct Kept {
    /// What people set.
    settings: Option<SettingsFile>,
    /// When that was looked at last.
    looked_at: Option<Instant>,
    /// What is remembered of rooms.
    known_rooms: Option<KnownRoomsFile>,
    /// What is written.
    keeper: Option<Keeper>,
    /// The file whose being there says that somebody knows how to begin.
    welcomed: Option<PathBuf>,
    /// The folder of one's own themes.
    themes: Option<PathBuf>,
}

/// What was kept at the beginning.
pub(super) struct Found {
    pub(super) settings: Settings,
    pub(super) origin: Origin,
    pub(super) known_rooms: KnownRooms,
    pub(super) themes: OwnThemes,
    /// Nobody has ever said anything from here.
    pub(super) welcome: bool,
    /// What is wrong with what was kept of rooms.
    pub(super) fault: Option<String>,
}

/// What became of an effect.
pub(super) enum Outcome {
    /// It is not about what is kept.
    Other(Effect),
    /// It is done.
    Done,
    /// It is done, and this has happened by it.
    Happened(Event),
    /// It is not, and this should be said.
    Failed(String),
}

impl Kept {
    /// Where these options keep it.
    pub(super) fn of(options: &mut Options) -> Self {
        Self {
            settings: options.settings.take(),
            looked_at: None,
            known_rooms: options.known_rooms.take(),
            keeper: options.data.take().map(|folder| Keeper::in_folder(&folder)),
            welcomed: options.welcomed.take(),
            themes: options.themes.take(),
        }
    }

    /// Reads it.
    pub(super) fn read(&mut self) -> Found {
        let welcome = self.welcomed.as_ref().is_some_and(|file| !file.exists())
            && !self.settings.as_ref().is_some_and(SettingsFile::exists);
        let reading = self.settings.as_mut().map(SettingsFile::read);
        let (settings, origin) =
            reading.map(|reading| (reading.settings, reading.origin)).unwrap_or_default();
        let (known_rooms, fault) = match self.known_rooms.as_ref().map(KnownRoomsFile::load) {
            None => Default::default(),
            Some(Ok(known)) => (known, None),
            Some(Err(error)) => (KnownRooms::default(), Some(error.to_string())),
        };
        let themes = self.read_themes();
        Found { settings: settings.unwrap_or_default(), origin, known_rooms, themes, welcome, fault }
    }

    fn read_themes(&self) -> OwnThemes {
        self.themes.as_deref().map(OwnThemes::read).unwrap_or_default()
    }

    /// Does what an effect says, if it is about what is kept.
    pub(super) fn perform(&mut self, effect: Effect) -> Outcome {
        let failed = match effect {
            Effect::Keep(change) => match self.settings.as_ref().map(|file| file.keep(&change)) {
                Some(Err(error)) => Some(format!("this holds until you leave: {error}")),
                Some(Ok(())) => {
                    // In which line it stands now.
                    self.looked_at = None;
                    return self.look_at_settings().map_or(Outcome::Done, Outcome::Happened);
                }
                None => None,
            },
            Effect::Remember(change) => {
                match self.known_rooms.as_ref().map(|file| file.keep(&change)) {
                    // The first time says it: the next ones come by themselves.
                    Some(Err(error)) => {
                        self.known_rooms = None;
                        Some(format!("what is set for rooms holds until you leave: {error}"))
                    }
                    Some(Ok(())) | None => None,
                }
            }
            Effect::Recall(parlor) => match &mut self.keeper {
                Some(keeper) => return Outcome::Happened(Event::Recalled(keeper.recall(parlor))),
                None => None,
            },
            Effect::KeepDrafts(parlor, changes) => {
                if let Some(keeper) = &mut self.keeper {
                    keeper.keep_drafts(parlor, changes);
                }
                None
            }
            Effect::KeepInput(parlor, input) => {
                self.keeper.as_mut().and_then(|keeper| keeper.keep_input(parlor, &input))
            }
            Effect::Welcomed => match self.welcomed.as_ref().map(std::fs::File::create) {
                Some(Err(error)) => Some(format!("you will be welcomed the next time too: {error}")),
                Some(Ok(_)) | None => None,
            },
            Effect::ReadThemes => return Outcome::Happened(Event::Themes(self.read_themes())),
            other => return Outcome::Other(other),
        };
        failed.map_or(Outcome::Done, Outcome::Failed)
    }

    /// Takes in the settings if their file has changed. It is looked at when something happens anyway: to be woken for
    /// it would cost more than it is worth.
    pub(super) fn look_at_settings(&mut self) -> Option<Event> {
        let now = Instant::now();
        if self.looked_at.is_some_and(|at| now < at + LOOK_AT_SETTINGS) {
            return None;
        }
        self.looked_at = Some(now);
        let reading = self.settings.as_mut().and_then(SettingsFile::read_if_changed)?;
        Some(Event::Settings(Box::new(reading)))
    }

    /// The next look at the settings comes at once.
    pub(super) fn look_soon(&mut self) {
        self.looked_at = None;
    }

    /// What must be said about the keeping of what is written.
    pub(super) async fn written(&mut self) -> Option<String> {
        match &mut self.keeper {
            Some(keeper) => keeper.written().await,
            None => std::future::pending().await,
        }
    }

    /// The end: what is still being written is kept. Says whether it is.
    pub(super) async fn finish(self, state: &mut State) -> bool {
        let Some(mut keeper) = self.keeper else { return false };
        // What is stored by now needs to be kept no longer.
        let mut effects = Vec::new();
        update::drafting::keep(state, &mut effects);
        for effect in effects {
            if let Effect::KeepDrafts(parlor, changes) = effect {
                keeper.keep_drafts(parlor, changes);
            }
        }
        keeper.finish().await && state.drafts.parlor.is_some()
    }
}
