//! The loop: wait for one event, take in all that wait, do what comes of them, draw.

use std::future::{pending, poll_fn};
use std::path::PathBuf;
use std::task::Poll;
use std::time::Duration;

use anyhow::Context as _;
use crossterm::event::{Event as Input, EventStream, KeyCode, KeyEventKind};
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::editor::Editor;
use super::event::{Effect, Event, Now};
use super::keeping::Keeper;
use super::known_rooms::{KnownRoomsFile, RoomChange};
use super::settings::{Change, SettingsFile};
use super::state::State;
use super::terminal::Terminal;
use super::theme::OwnThemes;
use super::theme::late::Late;
use super::{Ending, update};
use crate::client::link::{Link, Update};
use crate::protocol::command::Command;
use crate::protocol::name::RoomName;

/// How often to look for keys once the link has ended.
const LOOK_FOR_KEYS: std::time::Duration = std::time::Duration::from_millis(250);

/// The shortest time between two drawings of what others do: faster than that nobody sees. What oneself does is drawn at once.
const FRAME: Duration = Duration::from_millis(16);
/// How long to wait for the link's goodbye. It gives itself two seconds.
const GOODBYE: Duration = Duration::from_millis(2500);

/// The shortest time between two looks at the settings file: whoever has saved it needs as long to look up.
const LOOK_AT_SETTINGS: Duration = Duration::from_secs(1);

/// News taken in between two looks at the keys and the screen: in a flood both go on.
const UPDATES_AT_ONCE: usize = 1024;

/// What outlives a visit, and where: `None` is kept nowhere.
pub(super) struct Kept {
    /// What people set.
    pub(super) settings: Option<SettingsFile>,
    /// What is remembered of rooms.
    pub(super) known_rooms: Option<KnownRoomsFile>,
    /// What is written.
    pub(super) keeper: Option<Keeper>,
    /// The file whose being there says that somebody knows how to begin.
    pub(super) welcomed: Option<PathBuf>,
    /// The folder of one's own themes.
    pub(super) themes: Option<PathBuf>,
}

pub(super) struct App {
    state: State,
    link: Link,
    updates: mpsc::Receiver<Update>,
    terminal: Terminal,
    /// See [`Kept`].
    settings: Option<SettingsFile>,
    known_rooms: Option<KnownRoomsFile>,
    keeper: Option<Keeper>,
    welcomed: Option<PathBuf>,
    /// When the settings were looked at last.
    looked_at: Option<Instant>,
    /// `None` while an editor has the keys.
    input: Option<EventStream>,
    /// It has the terminal.
    editor: Option<Editor>,
    /// See [`Kept`].
    themes: Option<PathBuf>,
    /// What the terminal has not answered yet.
    late: Late,
    signals: Signals,
    continued: Continued,
    drawn_at: Option<Instant>,
    /// Somebody has typed since.
    typed: bool,
    title: String,
    /// The link has ended.
    unlinked: bool,
    leaving: bool,
}

impl App {
    pub(super) fn new(
        state: State,
        link: Link,
        updates: mpsc::Receiver<Update>,
        terminal: Terminal,
        kept: Kept,
        late: Late,
    ) -> Self {
        let Kept { settings, known_rooms, keeper, welcomed, themes } = kept;
        let (input, signals, continued) = (Some(EventStream::new()), Signals::listen(), Continued::listen());
        let title = String::new();
        Self {
            state,
            link,
            updates,
            terminal,
            settings,
            known_rooms,
            keeper,
            looked_at: None,
            welcomed,
            input,
            editor: None,
            themes,
            late,
            signals,
            continued,
            drawn_at: None,
            typed: false,
            title,
            unlinked: false,
            leaving: false,
        }
    }

    /// Runs until the person, the system or the terminal ends it.
    pub(super) async fn run(mut self, first: Vec<Update>, room: Option<RoomName>) -> anyhow::Result<Ending> {
        for news in first {
            self.take_in(Event::Link(news))?;
        }
        if self.state.mouse.captured {
            self.terminal.capture(true)?;
        }
        let mut effects = Vec::new();
        update::come_back(&mut self.state, room, &mut effects);
        self.perform(effects)?;
        let mut ended = None;
        while !self.leaving {
            self.draw_in_time()?;
            let events = self.wait().await?;
            self.take_in(Event::Tick(Now::read()))?;
            if events.iter().any(|event| matches!(event, Event::Focus(true))) {
                // Whoever comes back may come from their editor.
                self.looked_at = None;
            }
            for event in events {
                if let Event::Link(Update::Ended { why, wanted, unsent, .. }) = &event {
                    let unsent = texts(unsent);
                    ended = Some(Ending { why: why.clone(), wanted: *wanted, unsent, kept: false });
                }
                self.take_in(event)?;
            }
            self.look_at_settings()?;
        }
        if let Some(editor) = self.editor.take() {
            editor.stop().await;
            // What it had put up is taken down with ours.
            self.terminal.resume()?;
        }
        drop(self.terminal);
        let mut ending = match ended {
            Some(ended) => ended,
            None => {
                self.link.quit();
                let ending = timeout(GOODBYE, goodbye(&mut self.updates, &mut self.state)).await;
                ending.ok().flatten().unwrap_or(Ending {
                    why: "you left".to_owned(),
                    wanted: true,
                    unsent: Vec::new(),
                    kept: false,
                })
            }
        };
        if let Some(mut keeper) = self.keeper {
            // What is stored by now needs to be kept no longer.
            let mut effects = Vec::new();
            update::drafting::keep(&mut self.state, &mut effects);
            for effect in effects {
                if let Effect::KeepDrafts(parlor, changes) = effect {
                    keeper.keep_drafts(parlor, changes);
                }
            }
            ending.kept = keeper.finish().await && self.state.drafts.parlor.is_some();
        }
        Ok(ending)
    }

    fn take_in(&mut self, event: Event) -> anyhow::Result<()> {
        self.typed |= matches!(event, Event::Key(_) | Event::Mouse(_) | Event::Paste(_));
        let effects = update::update(&mut self.state, event);
        self.perform(effects)
    }

    fn perform(&mut self, effects: Vec<Effect>) -> anyhow::Result<()> {
        for effect in effects {
            match effect {
                Effect::Submit(command) => self.link.submit(command),
                Effect::RetryNow => self.link.retry_now(),
                Effect::Quit => self.leaving = true,
                Effect::Copy(text) => self.terminal.copy(&text)?,
                Effect::Open(link) => {
                    if let Err(error) = open::that_detached(&link) {
                        self.terminal.copy(&link)?;
                        self.state.complain(format!(
                            "it could not be opened ({error}): sent to the terminal, to be copied"
                        ));
                    }
                }
                Effect::Bell => self.terminal.ring()?,
                // A sequence of ours in the middle of one of the editor's would show.
                Effect::Notice { .. } if self.editor.is_some() => {}
                Effect::Notice { title, body } => self.terminal.tell_desktop(&title, &body)?,
                Effect::Remember(change) => self.remember(&change),
                Effect::Recall(parlor) => {
                    if let Some(keeper) = &mut self.keeper {
                        let recalled = keeper.recall(parlor);
                        self.take_in(Event::Recalled(recalled))?;
                    }
                }
                Effect::KeepDrafts(parlor, changes) => {
                    if let Some(keeper) = &mut self.keeper {
                        keeper.keep_drafts(parlor, changes);
                    }
                }
                Effect::KeepInput(parlor, input) => {
                    let told = self.keeper.as_mut().and_then(|keeper| keeper.keep_input(parlor, &input));
                    if let Some(sentence) = told {
                        self.state.complain(sentence);
                    }
                }
                Effect::Edit(text) => self.open_editor(&text)?,
                Effect::Keep(change) => self.keep(&change)?,
                Effect::Welcomed => self.note_welcome(),
                Effect::ReadThemes => {
                    let own = self.themes.as_deref().map(OwnThemes::read).unwrap_or_default();
                    self.take_in(Event::Themes(own))?;
                }
                Effect::Capture(on) => self.terminal.capture(on)?,
                Effect::Repaint => self.terminal.forget()?,
                Effect::Suspend => self.suspend()?,
            }
        }
        Ok(())
    }

    /// Gives the terminal to an editor. Until it ends nobody reads keys here and nothing is drawn; all else goes on.
    fn open_editor(&mut self, text: &str) -> anyhow::Result<()> {
        self.input = None;
        self.terminal.pause();
        match Editor::start(text, |name| std::env::var(name).ok()) {
            Ok(editor) => {
                self.editor = Some(editor);
                // What arrives now is not seen.
                self.take_in(Event::Focus(false))
            }
            Err(sentence) => self.close_editor(Err(sentence)),
        }
    }

    /// Takes the terminal again, with what was written.
    fn close_editor(&mut self, written: Result<String, String>) -> anyhow::Result<()> {
        self.editor = None;
        self.terminal.resume().context("cannot take the terminal again")?;
        self.input = Some(EventStream::new());
        let (columns, rows) = crossterm::terminal::size()?;
        self.take_in(Event::Resize(columns, rows))?;
        self.take_in(Event::Focus(true))?;
        self.take_in(Event::Edited(written))
    }

    /// Keeps a setting. Where it cannot be kept, it holds until we leave.
    fn keep(&mut self, change: &Change) -> anyhow::Result<()> {
        match self.settings.as_ref().map(|file| file.keep(change)) {
            Some(Err(error)) => self.state.complain(format!("this holds until you leave: {error}")),
            Some(Ok(())) => {
                // In which line it stands now.
                self.looked_at = None;
                self.look_at_settings()?;
            }
            None => {}
        }
        Ok(())
    }

    /// Takes in the settings if their file has changed. It is looked at when something happens anyway: to be woken for
    /// it would cost more than it is worth.
    fn look_at_settings(&mut self) -> anyhow::Result<()> {
        let now = Instant::now();
        if self.looked_at.is_some_and(|at| now < at + LOOK_AT_SETTINGS) {
            return Ok(());
        }
        self.looked_at = Some(now);
        match self.settings.as_mut().and_then(SettingsFile::read_if_changed) {
            Some(reading) => self.take_in(Event::Settings(Box::new(reading))),
            None => Ok(()),
        }
    }

    /// Remembers that somebody was welcomed.
    fn note_welcome(&mut self) {
        let noted = self.welcomed.as_ref().map(std::fs::File::create);
        if let Some(Err(error)) = noted {
            self.state.complain(format!("you will be welcomed the next time too: {error}"));
        }
    }

    /// Remembers something of rooms. Where that does not work, the first time says it: the next ones come by themselves.
    fn remember(&mut self, change: &RoomChange) {
        if let Some(Err(error)) = self.known_rooms.as_ref().map(|file| file.keep(change)) {
            self.known_rooms = None;
            self.state.complain(format!("what is set for rooms holds until you leave: {error}"));
        }
    }

    /// Draws if there is something new to show, and somebody has typed or the last drawing was long enough ago.
    fn draw_in_time(&mut self) -> anyhow::Result<()> {
        let now = Instant::now();
        if self.editor.is_some() {
            return Ok(());
        }
        if self.state.changed && (self.typed || self.drawn_at.is_none_or(|at| now >= at + FRAME)) {
            self.state.take_changed();
            self.typed = false;
            self.terminal.draw(&self.state).context("the terminal went away")?;
            self.drawn_at = Some(now);
            let title = self.state.title();
            if title != self.title {
                self.terminal.name(&title).context("the terminal went away")?;
                self.title = title;
            }
        }
        Ok(())
    }

    /// Waits until something happens, and gathers all that has happened by then.
    async fn wait(&mut self) -> anyhow::Result<Vec<Event>> {
        let draws = self.state.changed && self.editor.is_none();
        let draw_at = self.drawn_at.filter(|_| draws).map(|at| at + FRAME);
        // Nothing but keys can come any more, and a key of which the terminal's reader failed to wake us must not be
        // lost: then nobody could leave.
        let look_at = (self.unlinked && self.editor.is_none()).then(|| Instant::now() + LOOK_FOR_KEYS);
        let wake_at = draw_at.into_iter().chain(self.state.deadline()).chain(look_at).min();
        let mut inputs = Vec::new();
        let mut events = Vec::new();
        tokio::select! {
            input = next_input(&mut self.input) => inputs.push(read(input)?),
            written = edited(&mut self.editor) => self.close_editor(written)?,
            news = self.updates.recv(), if !self.unlinked => match news {
                Some(news) => events.push(Event::Link(news)),
                // It has said how it ended; keys can still come.
                None => self.unlinked = true,
            },
            () = async { match wake_at { Some(at) => sleep_until(at).await, None => pending().await } } => {}
            wished = self.signals.next() => {
                // In an editor that leaves the keys to the terminal, Ctrl-C is its business and comes here too.
                if wished == Wished::End || self.editor.is_none() {
                    events.push(Event::Terminate);
                }
            }
            told = kept(&mut self.keeper) => {
                if let Some(sentence) = told {
                    self.state.complain(sentence);
                    self.state.changed = true;
                }
            }
            // An editor that is stopped stops us as well, and takes the terminal again itself.
            () = self.continued.next(), if self.editor.is_none() => {
                self.terminal.take_back().context("cannot take the terminal again")?;
                let (columns, rows) = crossterm::terminal::size()?;
                events.push(Event::Resize(columns, rows));
            }
        }
        // Polled in our own context: crossterm wakes whoever polled it first since the last event.
        if let Some(stream) = &mut self.input {
            while let Some(input) = poll_fn(|context| match stream.poll_next_unpin(context) {
                Poll::Ready(input) => Poll::Ready(Some(input)),
                Poll::Pending => Poll::Ready(None),
            })
            .await
            {
                inputs.push(read(input)?);
            }
        }
        for _ in 0..UPDATES_AT_ONCE {
            let Ok(news) = self.updates.try_recv() else { break };
            events.push(Event::Link(news));
        }
        // Keys first: whoever types should not wait for a flood of messages.
        let (inputs, background) = self.late.sort(inputs);
        let mut all = gather(inputs);
        all.extend(background.map(Event::Background));
        all.append(&mut events);
        Ok(all)
    }

    /// Stops this process as the shell would, and comes back when the shell lets it.
    fn suspend(&mut self) -> anyhow::Result<()> {
        if cfg!(unix) {
            self.terminal.pause();
            // The group, as Ctrl-Z does: whatever started us should stop as well.
            let stopped = std::process::Command::new("sh").args(["-c", "kill -TSTP 0"]).status();
            self.terminal.resume().context("cannot take the terminal again")?;
            if stopped.is_err() {
                self.state.complain("this system has no shell to go back to");
            }
            let (columns, rows) = crossterm::terminal::size()?;
            self.take_in(Event::Resize(columns, rows))?;
        }
        Ok(())
    }
}

/// What comes next from the terminal; nothing while somebody else reads there.
async fn next_input(input: &mut Option<EventStream>) -> Option<std::io::Result<Input>> {
    match input {
        Some(input) => input.next().await,
        None => pending().await,
    }
}

/// What was written in the editor, once it has ended.
async fn edited(editor: &mut Option<Editor>) -> Result<String, String> {
    match editor {
        Some(editor) => editor.ended().await,
        None => pending().await,
    }
}

/// What must be said about the keeping of what is written.
async fn kept(keeper: &mut Option<Keeper>) -> Option<String> {
    match keeper {
        Some(keeper) => keeper.written().await,
        None => pending().await,
    }
}

/// What the input stream gave. Its first error is the last thing that a lost terminal says.
fn read(input: Option<std::io::Result<Input>>) -> anyhow::Result<Input> {
    input.context("the terminal went away")?.context("the terminal went away")
}

/// Terminal events as ours. A wheel sends arrows, several at once and without anything between them,
/// which no finger does: these scroll.
fn gather(inputs: Vec<Input>) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let arrow = |input: &Input| match input {
        Input::Key(key) if key.kind != KeyEventKind::Release && key.modifiers.is_empty() => match key.code {
            KeyCode::Up => Some(-1),
            KeyCode::Down => Some(1),
            _ => None,
        },
        _ => None,
    };
    let mut inputs = inputs.into_iter().peekable();
    while let Some(input) = inputs.next() {
        if let Some(direction) = arrow(&input) {
            let mut rows = direction;
            while inputs.next_if(|next| arrow(next) == Some(direction)).is_some() {
                rows += direction;
            }
            if rows != direction {
                events.push(Event::Wheel(rows));
                continue;
            }
        }
        match input {
            Input::Key(key) => events.push(Event::Key(key)),
            Input::Paste(text) => events.push(Event::Paste(text)),
            Input::Resize(columns, rows) => events.push(Event::Resize(columns, rows)),
            Input::FocusGained => events.push(Event::Focus(true)),
            Input::FocusLost => events.push(Event::Focus(false)),
            Input::Mouse(mouse) => events.push(Event::Mouse(mouse)),
        }
    }
    events
}

/// Waits for the link's last word. What the server still answers says what is stored.
async fn goodbye(updates: &mut mpsc::Receiver<Update>, state: &mut State) -> Option<Ending> {
    while let Some(news) = updates.recv().await {
        let ending = match &news {
            Update::Ended { why, wanted, unsent, .. } => {
                Some(Ending { why: why.clone(), wanted: *wanted, unsent: texts(unsent), kept: false })
            }
            _ => None,
        };
        // Nobody is there any more for whom something could be done.
        drop(update::update(state, Event::Link(news)));
        if ending.is_some() {
            return ending;
        }
    }
    None
}

fn texts(unsent: &[Command]) -> Vec<String> {
    let text = |command: &Command| match command {
        Command::Send(send) => Some(send.text.to_string()),
        Command::Edit(edit) => Some(edit.text.to_string()),
        _ => None,
    };
    unsent.iter().filter_map(text).collect()
}

/// What the system wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wished {
    /// That we end.
    End,
    /// That we stop what we do: Ctrl-C, where the terminal makes a signal of it.
    Interrupt,
}

/// The system's wishes that we end.
struct Signals {
    #[cfg(unix)]
    listening: Vec<(Wished, tokio::signal::unix::Signal)>,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [
            (Wished::End, SignalKind::terminate()),
            (Wished::End, SignalKind::hangup()),
            (Wished::Interrupt, SignalKind::interrupt()),
        ];
        // One that cannot be heard ends the process as it would have without us.
        let heard = kinds.into_iter().filter_map(|(wished, kind)| Some((wished, signal(kind).ok()?)));
        Self { listening: heard.collect() }
    }

    #[cfg(unix)]
    async fn next(&mut self) -> Wished {
        if self.listening.is_empty() {
            return pending().await;
        }
        poll_fn(|context| {
            for (wished, signal) in &mut self.listening {
                if signal.poll_recv(context).is_ready() {
                    return Poll::Ready(*wished);
                }
            }
            Poll::Pending
        })
        .await
    }

    #[cfg(not(unix))]
    fn listen() -> Self {
        Self {}
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> Wished {
        if tokio::signal::ctrl_c().await.is_err() {
            return pending().await;
        }
        Wished::Interrupt
    }
}

/// The system's word that we were stopped and go on: by our own wish, by `kill -STOP`, by a debugger.
/// Whoever stopped us from outside left us no time to give the terminal back, and the shell has used it.
struct Continued {
    #[cfg(unix)]
    listening: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Continued {
    /// `SIGCONT`, which tokio has no name for: 18 on Linux (except on MIPS, PA-RISC and SPARC), 19 on macOS
    /// and the BSDs. It does nothing to who does not listen, so a number that is wrong costs no more than
    /// the repainting.
    const SIGNAL: std::ffi::c_int =
        if cfg!(any(target_os = "linux", target_os = "android")) { 18 } else { 19 };

    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self { listening: signal(SignalKind::from_raw(Self::SIGNAL)).ok() }
    }

    async fn next(&mut self) {
        let heard = match &mut self.listening {
            Some(signal) => signal.recv().await,
            None => None,
        };
        if heard.is_none() {
            pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
impl Continued {
    fn listen() -> Self {
        Self {}
    }

    async fn next(&mut self) {
        pending().await
    }
}
