//! The loop: wait for one event, take in all that wait, do what comes of them, draw.

use std::future::{pending, poll_fn};
use std::task::Poll;
use std::time::Duration;

use anyhow::Context as _;
use crossterm::event::{Event as Input, EventStream, KeyCode, KeyEventKind};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::event::{Effect, Event, Now};
use super::settings::{Change, SettingsFile};
use super::state::State;
use super::terminal::{Terminal, poll_input};
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

/// What is said where the terminal is not there any more.
pub(super) const GONE: &str = "the terminal went away";

/// News taken in between two looks at the keys and the screen: in a flood both go on.
const UPDATES_AT_ONCE: usize = 1024;

pub(super) struct App {
    state: State,
    link: Link,
    updates: mpsc::Receiver<Update>,
    terminal: Terminal,
    /// Where settings are kept.
    settings: Option<SettingsFile>,
    input: EventStream,
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
        settings: Option<SettingsFile>,
    ) -> Self {
        let (input, signals, continued) = (EventStream::new(), Signals::listen(), Continued::listen());
        let title = String::new();
        Self {
            state,
            link,
            updates,
            terminal,
            settings,
            input,
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
    pub(super) async fn run(mut self, first: Vec<Update>, room: RoomName) -> anyhow::Result<Ending> {
        for news in first {
            self.take_in(Event::Link(news))?;
        }
        let mut effects = Vec::new();
        update::enter(&mut self.state, room, &mut effects);
        self.perform(effects)?;
        let mut ended = None;
        while !self.leaving {
            self.draw_in_time()?;
            let events = self.wait().await?;
            self.take_in(Event::Tick(Now::read()))?;
            for event in events {
                if let Event::Link(Update::Ended { why, wanted, unsent, .. }) = &event {
                    let unsent = texts(unsent);
                    ended = Some(Ending { why: why.clone(), wanted: *wanted, unsent });
                }
                self.take_in(event)?;
            }
        }
        drop(self.terminal);
        if let Some(ended) = ended {
            return Ok(ended);
        }
        let ending = leave(&self.link, &mut self.updates).await;
        if self.hung_up { Err(anyhow::anyhow!(GONE)) } else { Ok(ending) }
    }

    fn take_in(&mut self, event: Event) -> anyhow::Result<()> {
        self.typed |= matches!(event, Event::Key(_) | Event::Paste(_));
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
                Effect::Notice { title, body } => self.terminal.tell_desktop(&title, &body)?,
                Effect::Keep(change) => self.keep(&change),
                Effect::Repaint => self.terminal.forget(),
                Effect::Suspend => self.suspend()?,
            }
        }
        Ok(())
    }

    /// Keeps a setting. Where it cannot be kept, it holds until we leave.
    fn keep(&mut self, change: &Change) {
        if let Some(Err(error)) = self.settings.as_ref().map(|file| file.keep(change)) {
            self.state.complain(format!("this holds until you leave: {error}"));
        }
    }

    /// Draws if there is something new to show, and somebody has typed or the last drawing was long enough ago.
    fn draw_in_time(&mut self) -> anyhow::Result<()> {
        let now = Instant::now();
        if self.state.changed && (self.typed || self.drawn_at.is_none_or(|at| now >= at + FRAME)) {
            self.state.take_changed();
            self.typed = false;
            self.terminal.draw(&self.state).context(GONE)?;
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
        let draw_at = self.drawn_at.filter(|_| self.state.changed).map(|at| at + FRAME);
        // Nothing but keys can come any more, and a key of which the terminal's reader failed to wake us must not be
        // lost: then nobody could leave.
        let look_at = self.unlinked.then(|| Instant::now() + LOOK_FOR_KEYS);
        let wake_at = draw_at.into_iter().chain(self.state.deadline()).chain(look_at).min();
        let mut inputs = Vec::new();
        let mut events = Vec::new();
        tokio::select! {
            input = poll_fn(|context| poll_input(&mut self.input, context)) => inputs.push(input),
            news = self.updates.recv(), if !self.unlinked => match news {
                Some(news) => events.push(Event::Link(news)),
                // It has said how it ended; keys can still come.
                None => self.unlinked = true,
            },
            () = async { match wake_at { Some(at) => sleep_until(at).await, None => pending().await } } => {}
            wish = self.signals.next() => {
                self.hung_up |= wish == Wish::HangUp;
                events.push(Event::Terminate);
            }
            () = self.continued.next() => {
                self.terminal.take_back().context("cannot take the terminal again")?;
                let (columns, rows) = crossterm::terminal::size()?;
                events.push(Event::Resize(columns, rows));
            }
        }
        // Polled in our own context: crossterm wakes whoever polled it first since the last event.
        while !matches!(inputs.last(), Some(None))
            && let Some(input) = poll_fn(|context| match poll_input(&mut self.input, context) {
                Poll::Ready(input) => Poll::Ready(Some(input)),
                Poll::Pending => Poll::Ready(None),
            })
            .await
        {
            inputs.push(input);
        }
        self.hung_up |= matches!(inputs.last(), Some(None));
        let inputs = inputs.into_iter().flatten().collect::<Result<_, _>>().context(GONE)?;
        for _ in 0..UPDATES_AT_ONCE {
            let Ok(news) = self.updates.try_recv() else { break };
            events.push(Event::Link(news));
        }
        // Keys first: whoever types should not wait for a flood of messages.
        let mut all = gather(inputs);
        all.append(&mut events);
        if self.hung_up {
            all.push(Event::Terminate);
        }
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
            Input::Mouse(_) => {}
        }
    }
    events
}

/// Ends the link, and waits a while for its last word.
pub(super) async fn leave(link: &Link, updates: &mut mpsc::Receiver<Update>) -> Ending {
    link.quit();
    let ending = timeout(GOODBYE, goodbye(updates)).await.ok().flatten();
    ending.unwrap_or(Ending { why: "you left".to_owned(), wanted: true, unsent: Vec::new() })
}

async fn goodbye(updates: &mut mpsc::Receiver<Update>) -> Option<Ending> {
    while let Some(update) = updates.recv().await {
        if let Update::Ended { why, wanted, unsent, .. } = update {
            return Some(Ending { why, wanted, unsent: texts(&unsent) });
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
}

/// What a signal wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// That we end in order.
    End,
    /// The same, because the terminal was closed: nobody is there to be told anything.
    HangUp,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [
            (Wish::End, SignalKind::terminate()),
            (Wish::End, SignalKind::interrupt()),
            (Wish::HangUp, SignalKind::hangup()),
        ];
        // One that cannot be heard ends the process as it would have without us.
        let listening = kinds.into_iter().filter_map(|(wish, kind)| Some((wish, signal(kind).ok()?)));
        Self { listening: listening.collect() }
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
        Wish::End
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
