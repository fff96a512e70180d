//! The launcher's loop: wait for one event, take in all that wait, do what comes of them, draw.

use std::future::pending;

use anyhow::Context as _;
use crossterm::event::EventStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::probe::Reach;
use super::state::State;
use super::update::{Effect, Event, update};
use super::{Choice, view};
use crate::client::find::{Heard, PARLORS};
use crate::client::tui::app::{Continued, FRAME, GONE, Signals, Wish, gather, next_input, waiting_inputs};
use crate::client::tui::terminal::Terminal;
use crate::client::tui::theme::late::Late;
use crate::client::tui::{Event as Input, Now};
use crate::protocol::address::Address;

/// See the module.
pub(super) struct App {
    state: State,
    terminal: Terminal,
    input: Option<EventStream>,
    /// `None` once nothing is to be heard any more.
    hearing: Option<mpsc::Receiver<Heard>>,
    seeing: mpsc::Receiver<(Address, Reach)>,
    /// What the terminal has not answered yet.
    late: Late,
    signals: Signals,
    continued: Continued,
    drawn_at: Option<Instant>,
    /// Somebody has typed since.
    typed: bool,
    /// How it ends: with a choice, or without.
    ended: Option<Option<Choice>>,
    /// The terminal was closed.
    hung_up: bool,
}

impl App {
    pub(super) fn new(
        state: State,
        terminal: Terminal,
        hearing: Option<mpsc::Receiver<Heard>>,
        seeing: mpsc::Receiver<(Address, Reach)>,
        late: Late,
    ) -> Self {
        Self {
            state,
            terminal,
            input: Some(EventStream::new()),
            hearing,
            seeing,
            late,
            signals: Signals::listen(),
            continued: Continued::listen(),
            drawn_at: None,
            typed: false,
            ended: None,
            hung_up: false,
        }
    }

    /// Runs until something is chosen, or the person, the system or the terminal ends it.
    pub(super) async fn run(mut self) -> anyhow::Result<Option<Choice>> {
        self.terminal.name("parlor").context(GONE)?;
        if self.state.mouse {
            self.terminal.capture(true)?;
        }
        loop {
            self.draw_in_time()?;
            for event in self.wait().await? {
                self.take_in(event)?;
                // What was typed ahead is not for this screen any more.
                if let Some(choice) = self.ended.take() {
                    drop(self.terminal);
                    return if self.hung_up { Err(anyhow::anyhow!(GONE)) } else { Ok(choice) };
                }
            }
        }
    }

    fn take_in(&mut self, event: Event) -> anyhow::Result<()> {
        self.typed |= matches!(event, Event::Input(Input::Key(_) | Input::Mouse(_) | Input::Paste(_)));
        for effect in update(&mut self.state, event) {
            match effect {
                Effect::Go(choice) => self.ended = Some(Some(choice)),
                Effect::Quit => self.ended = Some(None),
                Effect::Capture(on) => self.terminal.capture(on)?,
                Effect::Repaint => self.terminal.forget(),
                Effect::Suspend if cfg!(unix) => {
                    if !self.terminal.stop().context("cannot take the terminal again")? {
                        self.state.trouble("this system has no shell to go back to");
                    }
                    let (columns, rows) = crossterm::terminal::size()?;
                    self.take_in(Event::Input(Input::Resize(columns, rows)))?;
                }
                Effect::Suspend => {}
            }
        }
        Ok(())
    }

    /// Draws if there is something new to show, and somebody has typed or the last drawing was long enough ago.
    fn draw_in_time(&mut self) -> anyhow::Result<()> {
        let now = Instant::now();
        if self.state.changed && (self.typed || self.drawn_at.is_none_or(|at| now >= at + FRAME)) {
            (self.state.changed, self.typed) = (false, false);
            self.terminal.draw(self.state.size, |frame| view::draw(&self.state, frame)).context(GONE)?;
            self.drawn_at = Some(now);
        }
        Ok(())
    }

    /// Waits until something happens, and gathers all that has happened by then.
    async fn wait(&mut self) -> anyhow::Result<Vec<Event>> {
        let draw_at = self.drawn_at.filter(|_| self.state.changed).map(|at| at + FRAME);
        let wake_at = draw_at.into_iter().chain(self.state.deadline()).min();
        let mut inputs = Vec::new();
        let mut events = Vec::new();
        tokio::select! {
            input = next_input(&mut self.input) => inputs.push(input),
            heard = hear(&mut self.hearing) => match heard {
                Some(heard) => events.push(Event::Heard(heard)),
                None => self.hearing = None,
            },
            Some((address, reach)) = self.seeing.recv() => events.push(Event::Seen(address, reach)),
            () = async { match wake_at { Some(at) => sleep_until(at).await, None => pending().await } } => {}
            wish = self.signals.next() => {
                self.hung_up |= wish == Wish::HangUp;
                events.push(Event::Input(Input::Terminate));
            }
            () = self.continued.next() => {
                self.terminal.take_back().context("cannot take the terminal again")?;
                let (columns, rows) = crossterm::terminal::size()?;
                events.push(Event::Input(Input::Resize(columns, rows)));
            }
        }
        waiting_inputs(&mut self.input, &mut inputs).await;
        self.hung_up |= matches!(inputs.last(), Some(None));
        let inputs = inputs.into_iter().flatten().collect::<Result<_, _>>().context(GONE)?;
        for _ in 0..PARLORS {
            let Some(heard) = self.hearing.as_mut().and_then(|hearing| hearing.try_recv().ok()) else {
                break;
            };
            events.push(Event::Heard(heard));
        }
        let (inputs, background) = self.late.sort(inputs);
        let mut inputs = gather(inputs);
        inputs.extend(background.map(Input::Background));
        if self.hung_up {
            events.push(Event::Input(Input::Terminate));
        }
        Ok(in_order(inputs, Now::read(), events))
    }
}

/// Keys first: they were meant for what is on the screen, before time takes a row from under them and news bring others.
fn in_order(inputs: Vec<Input>, now: Now, news: Vec<Event>) -> Vec<Event> {
    let inputs = inputs.into_iter().chain([Input::Tick(now)]).map(Event::Input);
    inputs.chain(news).collect()
}

/// What is heard next; nothing where nobody listens.
async fn hear(hearing: &mut Option<mpsc::Receiver<Heard>>) -> Option<Heard> {
    match hearing {
        Some(hearing) => hearing.recv().await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::time::Time;

    #[test]
    fn keys_come_before_time_and_time_before_news() {
        let now = Now { instant: Instant::now(), time: Time::from_millis(0) };
        let news = vec![Event::Heard(Heard::Trouble("x".to_owned()))];
        let all = in_order(vec![Input::Wheel(1), Input::Wheel(2)], now, news);
        assert!(
            matches!(
                all.as_slice(),
                [
                    Event::Input(Input::Wheel(1)),
                    Event::Input(Input::Wheel(2)),
                    Event::Input(Input::Tick(_)),
                    Event::Heard(_)
                ]
            ),
            "{all:?}"
        );
    }
}
