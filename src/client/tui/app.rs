//! The loop: wait for one event, take in all that wait, do what comes of them, draw.

use std::future::{pending, poll_fn};
use std::task::Poll;
use std::time::Duration;

use anyhow::Context as _;
use crossterm::event::{Event as Input, EventStream, KeyCode, KeyEventKind};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::editor::Editor;
use super::event::{Effect, Event, Now};
use super::kept::{Kept, Outcome};
use super::state::State;
use super::terminal::{Terminal, poll_input};
use super::theme::late::Late;
use super::{Ending, draw, update};
use crate::client::link::{Link, Update};
use crate::protocol::command::Command;
use crate::protocol::name::RoomName;

/// How often to look for keys once the link has ended.
const LOOK_FOR_KEYS: std::time::Duration = std::time::Duration::from_millis(250);

/// The shortest time between two drawings of what others do: faster than that nobody sees. What oneself does is drawn at once.
pub(super) const FRAME: Duration = Duration::from_millis(16);
/// How long to wait for the link's goodbye. It gives itself two seconds.
const GOODBYE: Duration = Duration::from_millis(2500);

/// How long an orderly end may take once the terminal was closed: the goodbye, and the writing of what is kept.
const LAST_RESORT: Duration = Duration::from_secs(5);

/// How long after an editor has ended a signal may still be meant for it: both come at once, by different ways.
const AFTER_EDITOR: Duration = Duration::from_secs(1);

/// What is said where the terminal is not there any more.
pub(super) const GONE: &str = "the terminal went away";

/// News taken in between two looks at the keys and the screen: in a flood both go on.
const UPDATES_AT_ONCE: usize = 1024;

pub(super) struct App {
    state: State,
    link: Link,
    updates: mpsc::Receiver<Update>,
    terminal: Terminal,
    kept: Kept,
    /// `None` while an editor has the keys.
    input: Option<EventStream>,
    /// It has the terminal.
    editor: Option<Editor>,
    /// When it gave that back.
    edited: Option<Instant>,
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
    /// The terminal was closed.
    hung_up: bool,
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
        let (input, signals, continued) = (Some(EventStream::new()), Signals::listen(), Continued::listen());
        let title = String::new();
        Self {
            state,
            link,
            updates,
            terminal,
            kept,
            input,
            editor: None,
            edited: None,
            late,
            signals,
            continued,
            drawn_at: None,
            typed: false,
            title,
            unlinked: false,
            leaving: false,
            hung_up: false,
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
                self.kept.look_soon();
            }
            for event in events {
                if let Event::Link(Update::Ended { why, wanted, unsent, .. }) = &event {
                    let unsent = texts(unsent);
                    ended = Some(Ending { why: why.clone(), wanted: *wanted, unsent, kept: false });
                }
                self.take_in(event)?;
            }
            if let Some(event) = self.kept.look_at_settings() {
                self.take_in(event)?;
            }
        }
        if let Some(editor) = self.editor.take() {
            editor.stop().await;
            // What it had put up is taken down with ours.
            self.terminal.resume()?;
        }
        drop(self.terminal);
        let mut ending = match ended {
            Some(ended) => ended,
            None => leave(&self.link, &mut self.updates, &mut self.state).await,
        };
        ending.kept = self.kept.finish(&mut self.state).await;
        if self.hung_up { Err(anyhow::anyhow!(GONE)) } else { Ok(ending) }
    }

    fn take_in(&mut self, event: Event) -> anyhow::Result<()> {
        self.typed |= matches!(event, Event::Key(_) | Event::Mouse(_) | Event::Paste(_));
        let effects = update::update(&mut self.state, event);
        self.perform(effects)
    }

    fn perform(&mut self, effects: Vec<Effect>) -> anyhow::Result<()> {
        for effect in effects {
            let effect = match self.kept.perform(effect) {
                Outcome::Other(effect) => effect,
                Outcome::Done => continue,
                Outcome::Happened(event) => {
                    self.take_in(event)?;
                    continue;
                }
                Outcome::Failed(sentence) => {
                    self.state.complain(sentence);
                    continue;
                }
            };
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
                Effect::Edit(text) => self.open_editor(&text)?,
                Effect::Capture(on) => self.terminal.capture(on)?,
                Effect::Repaint => self.terminal.forget(),
                Effect::Suspend => self.suspend()?,
                // Done above.
                Effect::Keep(_)
                | Effect::Remember(_)
                | Effect::Recall(_)
                | Effect::KeepDrafts(..)
                | Effect::KeepInput(..)
                | Effect::Welcomed
                | Effect::ReadThemes => {}
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
        self.edited = Some(Instant::now());
        self.terminal.resume().context("cannot take the terminal again")?;
        self.input = Some(EventStream::new());
        let (columns, rows) = crossterm::terminal::size()?;
        self.take_in(Event::Resize(columns, rows))?;
        self.take_in(Event::Focus(true))?;
        self.take_in(Event::Edited(written))
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
            self.terminal.draw(self.state.size, |frame| draw(&self.state, frame)).context(GONE)?;
            self.drawn_at = Some(now);
            let title = self.state.title();
            if title != self.title {
                self.terminal.name(&title).context(GONE)?;
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
            input = next_input(&mut self.input) => inputs.push(input),
            written = edited(&mut self.editor) => self.close_editor(written)?,
            news = self.updates.recv(), if !self.unlinked => match news {
                Some(news) => events.push(Event::Link(news)),
                // It has said how it ended; keys can still come.
                None => self.unlinked = true,
            },
            () = async { match wake_at { Some(at) => sleep_until(at).await, None => pending().await } } => {}
            wish = self.signals.next() => {
                self.hung_up |= wish == Wish::HangUp;
                // In an editor that leaves the keys to the terminal, Ctrl-C is its business and comes here too.
                // So is one that ended it, of which we may hear after its end.
                let of_editor =
                    self.editor.is_some() || self.edited.is_some_and(|at| at.elapsed() < AFTER_EDITOR);
                if wish != Wish::Interrupt || !of_editor {
                    events.push(Event::Terminate);
                }
            }
            told = self.kept.written() => {
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
        waiting_inputs(&mut self.input, &mut inputs).await;
        self.hung_up |= matches!(inputs.last(), Some(None));
        let inputs = inputs.into_iter().flatten().collect::<Result<_, _>>().context(GONE)?;
        for _ in 0..UPDATES_AT_ONCE {
            let Ok(news) = self.updates.try_recv() else { break };
            events.push(Event::Link(news));
        }
        // Keys first: whoever types should not wait for a flood of messages.
        let (inputs, background) = self.late.sort(inputs);
        let mut all = gather(inputs);
        all.extend(background.map(Event::Background));
        all.append(&mut events);
        if self.hung_up {
            all.push(Event::Terminate);
        }
        Ok(all)
    }

    /// Stops this process as the shell would, and comes back when the shell lets it.
    fn suspend(&mut self) -> anyhow::Result<()> {
        if cfg!(unix) {
            if !self.terminal.stop().context("cannot take the terminal again")? {
                self.state.complain("this system has no shell to go back to");
            }
            let (columns, rows) = crossterm::terminal::size()?;
            self.take_in(Event::Resize(columns, rows))?;
        }
        Ok(())
    }
}

/// What comes next from the terminal; nothing while somebody else reads there.
pub(super) async fn next_input(input: &mut Option<EventStream>) -> Option<std::io::Result<Input>> {
    match input {
        Some(input) => poll_fn(|context| poll_input(input, context)).await,
        None => pending().await,
    }
}

/// All that waits in the terminal, behind what was read before, up to its end.
pub(super) async fn waiting_inputs(
    stream: &mut Option<EventStream>,
    inputs: &mut Vec<Option<std::io::Result<Input>>>,
) {
    // Polled in our own context: crossterm wakes whoever polled it first since the last event.
    while !matches!(inputs.last(), Some(None))
        && let Some(stream) = stream.as_mut()
        && let Some(input) = poll_fn(|context| match poll_input(stream, context) {
            Poll::Ready(input) => Poll::Ready(Some(input)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    {
        inputs.push(input);
    }
}

/// What was written in the editor, once it has ended.
async fn edited(editor: &mut Option<Editor>) -> Result<String, String> {
    match editor {
        Some(editor) => editor.ended().await,
        None => pending().await,
    }
}

/// Terminal events as ours. A wheel sends arrows, several at once and without anything between them,
/// which no finger does: these scroll.
pub(super) fn gather(inputs: Vec<Input>) -> Vec<Event> {
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

/// Ends the link, and waits a while for its last word.
pub(super) async fn leave(link: &Link, updates: &mut mpsc::Receiver<Update>, state: &mut State) -> Ending {
    link.quit();
    let ending = timeout(GOODBYE, goodbye(updates, state)).await.ok().flatten();
    let why = "you left".to_owned();
    ending.unwrap_or(Ending { why, wanted: true, unsent: Vec::new(), kept: false })
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

pub(super) fn texts(unsent: &[Command]) -> Vec<String> {
    let text = |command: &Command| match command {
        Command::Send(send) => Some(send.text.to_string()),
        Command::Edit(edit) => Some(edit.text.to_string()),
        _ => None,
    };
    unsent.iter().filter_map(text).collect()
}

/// The system's wishes that we end.
pub(super) struct Signals {
    #[cfg(unix)]
    listening: Vec<(Wish, tokio::signal::unix::Signal)>,
    #[cfg(unix)]
    last_resort: Option<tokio::task::JoinHandle<()>>,
}

/// What a signal wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// That we end in order.
    End,
    /// That we stop what we do: Ctrl-C, where the terminal makes a signal of it.
    Interrupt,
    /// That we end, because the terminal was closed: nobody is there to be told anything.
    HangUp,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [
            (Wish::End, SignalKind::terminate()),
            (Wish::Interrupt, SignalKind::interrupt()),
            (Wish::HangUp, SignalKind::hangup()),
        ];
        // One that cannot be heard ends the process as it would have without us.
        let listening = kinds.into_iter().filter_map(|(wish, kind)| Some((wish, signal(kind).ok()?)));
        Self { listening: listening.collect(), last_resort: Self::last_resort() }
    }

    /// Ends the process some time after its terminal was closed, if it has not ended by then. crossterm reads the end of a
    /// terminal again and again and never comes back; a terminal that is closed between our looking whether it is there and
    /// crossterm's reading would leave a process that does nothing but that.
    #[cfg(unix)]
    fn last_resort() -> Option<tokio::task::JoinHandle<()>> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut closed = signal(SignalKind::hangup()).ok()?;
        Some(tokio::spawn(async move {
            closed.recv().await;
            tokio::time::sleep(LAST_RESORT).await;
            std::process::exit(1);
        }))
    }

    #[cfg(unix)]
    pub(super) async fn next(&mut self) -> Wish {
        if self.listening.is_empty() {
            return pending().await;
        }
        poll_fn(|context| {
            let mut listening = self.listening.iter_mut();
            let heard =
                listening.find_map(|(wish, signal)| signal.poll_recv(context).is_ready().then_some(*wish));
            heard.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    #[cfg(not(unix))]
    pub(super) fn listen() -> Self {
        Self {}
    }

    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) -> Wish {
        if tokio::signal::ctrl_c().await.is_err() {
            pending::<()>().await;
        }
        Wish::Interrupt
    }
}

#[cfg(unix)]
impl Drop for Signals {
    fn drop(&mut self) {
        if let Some(last_resort) = &self.last_resort {
            last_resort.abort();
        }
    }
}

/// The system's word that we were stopped and go on: by our own wish, by `kill -STOP`, by a debugger.
/// Whoever stopped us from outside left us no time to give the terminal back, and the shell has used it.
pub(super) struct Continued {
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

    pub(super) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self { listening: signal(SignalKind::from_raw(Self::SIGNAL)).ok() }
    }

    pub(super) async fn next(&mut self) {
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
    pub(super) fn listen() -> Self {
        Self {}
    }

    pub(super) async fn next(&mut self) {
        pending().await
    }
}
