//! The loop: wait, take in all that waits, tell what is new, do what comes of it.

use std::collections::BTreeSet;
use std::future::pending;
use std::pin::pin;

use anyhow::{Context as _, bail};
use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::io::Stdout;
use tokio::sync::mpsc;
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::command::{self, Own};
use super::input::{self, Given};
use super::prompt::{Prompt, Row};
use super::teller::Teller;
use super::wording;
use crate::client::link::{IN_FLIGHT, Link, Update};
use crate::client::script::{Output, OutputError, reader_gone};
use crate::client::tui::app::{self, Continued, GONE, Signals, Wish};
use crate::client::tui::event::{Effect, Event, Now};
use crate::client::tui::kept::{Kept, Outcome};
use crate::client::tui::keymap::{Action, Key};
use crate::client::tui::state::room::{Delivery, Room};
use crate::client::tui::state::wishes::Composing;
use crate::client::tui::state::{Connection, Question, State};
use crate::client::tui::{Ending, Options, update};
use crate::protocol::name::RoomName;

/// News taken in between two looks at the input: in a flood both go on.
const UPDATES_AT_ONCE: usize = 1024;

pub(super) struct Session {
    state: State,
    teller: Teller,
    link: Link,
    updates: mpsc::Receiver<Update>,
    first: Vec<Update>,
    room: Option<RoomName>,
    kept: Kept,
    input: input::Input,
    output: Output<Stdout>,
    prompt: Prompt,
    /// The output is a terminal.
    shown: bool,
    /// The row of the terminal holds the prompt, where lines are typed and the terminal itself shows them.
    prompted: bool,
    /// Cancelled, nobody waits any more for who takes our output.
    ending: CancellationToken,
    signals: Signals,
    continued: Continued,
    /// The message that `/about` has named, and where.
    about: Option<(RoomName, u64)>,
    /// It named one that is not there: what is about a message now would be about another.
    lost: bool,
    /// There is no more input.
    over: bool,
    leaving: bool,
    /// The terminal was closed.
    hung_up: bool,
    ended: Option<Ending>,
}

impl Session {
    pub(super) fn new(
        state: State,
        teller: Teller,
        (input, shown): (input::Input, bool),
        options: Options,
        kept: Kept,
    ) -> Self {
        let Options { link, updates, first, room, .. } = options;
        let ending = CancellationToken::new();
        Self {
            state,
            teller,
            link,
            updates,
            first,
            room,
            kept,
            input,
            output: Output::new(tokio::io::stdout(), ending.clone()),
            prompt: Prompt::default(),
            shown,
            prompted: false,
            ending,
            signals: Signals::listen(),
            continued: Continued::listen(),
            about: None,
            lost: false,
            over: false,
            leaving: false,
            hung_up: false,
            ended: None,
        }
    }

    /// Runs until the person, the system, the server or the end of the input ends it.
    pub(super) async fn run(mut self) -> anyhow::Result<Ending> {
        for news in std::mem::take(&mut self.first) {
            self.take_in(Event::Link(news)).await?;
        }
        let mut effects = Vec::new();
        update::come_back(&mut self.state, self.room.take(), &mut effects);
        self.perform(effects).await?;
        let mut gone = pin!(reader_gone());
        let mut written = Ok(());
        while !self.leaving && self.ended.is_none() && written.is_ok() {
            written = self.print(true).await;
            if written.is_err() || (self.over && self.is_done()) {
                break;
            }
            self.step(gone.as_mut()).await?;
        }
        // What was told last, and the row in which one wrote.
        written = written.and(self.print(false).await);
        match written {
            // Nobody reads it any more: there is nobody to tell.
            Ok(()) | Err(OutputError::Closed | OutputError::Interrupted) => {}
            Err(OutputError::Io(error)) => return Err(error).context(GONE),
        }
        drop(self.input);
        let mut ending = match self.ended {
            Some(ended) => ended,
            None => app::leave(&self.link, &mut self.updates, &mut self.state).await,
        };
        ending.kept = self.kept.finish(&mut self.state).await;
        if self.hung_up {
            bail!(GONE);
        }
        Ok(with_refused(&self.state, ending))
    }

    /// Waits until something happens, and takes it in, with all that has happened by then.
    async fn step(&mut self, gone: impl Future<Output = ()>) -> anyhow::Result<()> {
        let wake_at = self.state.deadline();
        let reads = !self.over && (self.input.is_typed() || self.is_ready());
        let mut news = None;
        let mut given = None;
        let mut asked_to_end = false;
        let mut continued = false;
        tokio::select! {
            input = self.input.next(), if reads => given = Some(input?),
            update = self.updates.recv() => news = Some(update.context("the connection ended without a word")?),
            () = async { match wake_at { Some(at) => sleep_until(at).await, None => pending().await } } => {}
            wish = self.signals.next() => {
                asked_to_end = true;
                self.hung_up |= wish == Wish::HangUp;
            }
            () = self.continued.next() => continued = true,
            told = self.kept.written() => {
                if let Some(sentence) = told {
                    self.teller.warn(&sentence);
                }
            }
            () = gone => asked_to_end = true,
        }
        self.take_in(Event::Tick(Now::read())).await?;
        if asked_to_end {
            self.ending.cancel();
            self.take_in(Event::Terminate).await?;
        }
        if continued && let input::Input::Keys(_, raw) = &self.input {
            raw.take_again().context("cannot take the terminal again")?;
            self.prompt.forget();
        }
        match given {
            None => {}
            Some(Given::Gone) => {
                self.hung_up = true;
                self.leaving = true;
            }
            Some(Given::End) => {
                self.over = true;
                self.prompted = false;
            }
            Some(Given::Line(line)) => {
                self.prompted = false;
                self.line(&line).await?;
            }
            Some(Given::Keys(keys)) => {
                for key in keys {
                    self.key(key).await?;
                }
            }
        }
        if let Some(update) = news {
            self.hear(update).await?;
        }
        for _ in 0..UPDATES_AT_ONCE {
            let Ok(update) = self.updates.try_recv() else { break };
            self.hear(update).await?;
        }
        if let Some(event) = self.kept.look_at_settings() {
            self.take_in(event).await?;
        }
        Ok(())
    }

    async fn hear(&mut self, update: Update) -> anyhow::Result<()> {
        if let Update::Ended { why, wanted, unsent, .. } = &update {
            self.ended =
                Some(Ending { why: why.clone(), wanted: *wanted, unsent: app::texts(unsent), kept: false });
        }
        self.take_in(Event::Link(update)).await
    }

    async fn take_in(&mut self, event: Event) -> anyhow::Result<()> {
        let before = self.teller.note(&self.state, &event);
        let effects = update(&mut self.state, event);
        self.teller.tell(&mut self.state, before);
        self.perform(effects).await
    }

    async fn perform(&mut self, effects: Vec<Effect>) -> anyhow::Result<()> {
        for effect in effects {
            let effect = match self.kept.perform(effect) {
                Outcome::Other(effect) => effect,
                Outcome::Done => continue,
                Outcome::Happened(event) => {
                    Box::pin(self.take_in(event)).await?;
                    continue;
                }
                Outcome::Failed(sentence) => {
                    self.teller.warn(&sentence);
                    continue;
                }
            };
            match effect {
                Effect::Submit(command) => self.link.submit(command),
                Effect::RetryNow => self.link.retry_now(),
                Effect::Quit => self.leaving = true,
                Effect::Bell if self.shown => {
                    if let Err(OutputError::Io(error)) = self.output.text("\x07").await {
                        return Err(error).context(GONE);
                    }
                }
                Effect::Edit(_) => {
                    self.teller.warn("the editor needs a screen: leave, and come without --lines");
                }
                Effect::Suspend => self.suspend()?,
                // There is a bell; a notice or a clipboard would be an escape sequence.
                Effect::Bell
                | Effect::Notice { .. }
                | Effect::Copy(_)
                | Effect::Open(_)
                | Effect::Capture(_)
                | Effect::Repaint => {}
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

    /// Stops this process as the shell would, and comes back when the shell lets it.
    fn suspend(&mut self) -> anyhow::Result<()> {
        let input::Input::Keys(_, raw) = &self.input else { return Ok(()) };
        if cfg!(unix) {
            raw.give_back();
            // The group, as Ctrl-Z does: whatever started us should stop as well.
            let stopped = std::process::Command::new("sh").args(["-c", "kill -TSTP 0"]).status();
            raw.take_again().context("cannot take the terminal again")?;
            self.prompt.forget();
            if stopped.is_err() {
                self.teller.warn("this system has no shell to go back to");
            }
        }
        Ok(())
    }

    // --- what is given to us --------------------------------------------------------------------

    /// A key, or what else a terminal tells.
    async fn key(&mut self, input: Input) -> anyhow::Result<()> {
        let key = match input {
            Input::Key(key) if key.kind != KeyEventKind::Release => key,
            Input::Paste(text) => return self.beside(Event::Paste(text)).await,
            Input::Resize(columns, rows) => return self.take_in(Event::Resize(columns, rows)).await,
            _ => return Ok(()),
        };
        if self.state.question.is_some() {
            return self.beside(Event::Key(key)).await;
        }
        let composing = self.state.room().is_some_and(|room| room.composing.is_some());
        match self.state.keymap().action(Key::of(&key)) {
            Some(Action::Send) => {
                let text = self.state.composer().text().to_owned();
                // The line stays where it was written.
                let row = self.label() + &text.replace('\n', "\r\n  ");
                let cleared = self.prompt.clear();
                self.output_text(&format!("{cleared}{row}\r\n")).await?;
                self.submit(&text).await
            }
            Some(Action::Interrupt | Action::EndOfInput) if self.state.composer().is_empty() => {
                self.leave();
                // Done at once, unless something would be lost by it.
                self.take_in(Event::Focus(true)).await
            }
            Some(Action::Close) if composing => self.beside(Event::Key(key)).await,
            Some(Action::Close) => Ok(()),
            Some(action) if !input::is_for_lines(action) => {
                self.teller.warn("that key is about what is seen on a screen, and there is none here: /help");
                Ok(())
            }
            _ => self.beside(Event::Key(key)).await,
        }
    }

    /// Takes in what is typed, while an answer that is still to come does not lie over the rooms.
    async fn beside(&mut self, event: Event) -> anyhow::Result<()> {
        let waiting = self.state.overlay.take();
        let pending = |state: &State| -> BTreeSet<Uuid> {
            state.rooms.iter().flat_map(|room| &room.pending).map(|pending| pending.id).collect()
        };
        let known = pending(&self.state);
        let before = self.teller.note(&self.state, &event);
        let effects = update(&mut self.state, event);
        if waiting.is_some() && self.state.overlay.is_none() {
            self.state.overlay = waiting;
        }
        // A paste was said, say, that stands in no row.
        self.teller.tell_back(pending(&self.state).difference(&known).copied());
        self.teller.tell(&mut self.state, before);
        self.perform(effects).await
    }

    /// A whole line, of somebody who types without our seeing it, or of a file or a program.
    async fn line(&mut self, line: &str) -> anyhow::Result<()> {
        if self.state.question.is_some() {
            // An empty line says yes, as Enter does; what is no answer says no.
            let key = match line.trim() {
                "" | "y" | "yes" => KeyCode::Enter,
                "s" | "t" | "e" => KeyCode::Char(line.trim().chars().next().unwrap_or('s')),
                _ => KeyCode::Esc,
            };
            return self.take_in(Event::Key(KeyEvent::new(key, KeyModifiers::NONE))).await;
        }
        // What was refused came back into the input, where nobody sees it.
        self.state.composer_mut().take();
        self.submit(line).await?;
        if !self.input.is_typed() {
            self.answer_for_a_file().await?;
        }
        Ok(())
    }

    /// Nobody is there to be asked: what was written was meant.
    async fn answer_for_a_file(&mut self) -> anyhow::Result<()> {
        let key = match &self.state.question {
            None => return Ok(()),
            Some(Question::Leave { .. }) => {
                // As at the end of the input: once everything is stored.
                self.state.question = None;
                self.over = true;
                return Ok(());
            }
            Some(Question::Word(_)) => KeyCode::Char('s'),
            Some(_) => KeyCode::Enter,
        };
        self.take_in(Event::Key(KeyEvent::new(key, KeyModifiers::NONE))).await
    }

    /// Does what a line says.
    async fn submit(&mut self, text: &str) -> anyhow::Result<()> {
        match command::parse(text) {
            None => {}
            Some(own) => {
                let line = self.state.composer_mut().take();
                self.state.remember(&line);
                match own.and_then(|own| self.obey(own)) {
                    Ok(effects) => {
                        self.perform(effects).await?;
                        return self.take_in(Event::Tick(Now::read())).await;
                    }
                    Err(sentence) => {
                        self.lost = true;
                        self.teller.warn(&sentence);
                        return Ok(());
                    }
                }
            }
        }
        if command::is_about_a_message(text) {
            if std::mem::take(&mut self.lost) {
                self.teller
                    .warn("which message? /about named none: name one, or say it again for the latest");
                return Ok(());
            }
            let about = self.about.take();
            let room = self.state.room_mut();
            let chosen = about.zip(room).filter(|((name, _), room)| room.name == *name);
            if let Some(((_, seq), room)) = chosen {
                room.chosen = Some(seq);
            } else if let Some(sentence) = command::means_nothing(&self.state, text) {
                self.teller.warn(sentence);
                return Ok(());
            }
        }
        let offline = self.state.connection != Connection::Online;
        let unsent = self.state.unsent();
        self.take_in(Event::Line(text.to_owned())).await?;
        self.state.room_mut().into_iter().for_each(Room::stop_choosing);
        if offline && self.state.unsent() > unsent && self.shown {
            self.teller.warn("that waits here until there is a connection");
        }
        Ok(())
    }

    /// Does what a command says that only lines have.
    fn obey(&mut self, own: Own) -> Result<Vec<Effect>, String> {
        match own {
            Own::History(many) => Ok(match self.teller.go_back(&self.state, many) {
                Some(before) => update::read_back(&mut self.state, before, many),
                None => Vec::new(),
            }),
            Own::About(which) => {
                self.lost = false;
                let seq = command::find(&self.state, &which)?;
                let Some(room) = self.state.room() else { return Ok(Vec::new()) };
                let (name, quote) = (room.name.clone(), self.state.quote(room, seq));
                self.about = Some((name, seq));
                self.state.say(format!("the next /reply, /react, /edit or /delete is about {quote}"));
                Ok(Vec::new())
            }
        }
    }

    fn leave(&mut self) {
        self.state.question = Some(Question::Leave { decided: true });
    }

    // --- how far it is ----------------------------------------------------------------------------

    /// Whether the next line of a file can be taken: what the lines before it asked for is done, and not too much of
    /// what they said is on its way.
    fn is_ready(&self) -> bool {
        self.state.rooms.iter().all(|room| room.entering.is_none())
            && self.state.asked.is_empty()
            && self.state.overlay.is_none()
            && !self.teller.waits()
            && self.on_its_way() < IN_FLIGHT
    }

    /// Whether everything that was given is done.
    fn is_done(&self) -> bool {
        let heard = |room: &Room| {
            room.is_caught_up()
                && room.pending.iter().all(|pending| matches!(pending.delivery, Delivery::Failed(_)))
        };
        self.is_ready() && self.on_its_way() == 0 && self.state.rooms.iter().all(heard)
    }

    /// Messages, and changes of messages, that the server has not answered.
    fn on_its_way(&self) -> usize {
        let sending = |room: &Room| {
            let pending = room.pending.iter().filter(|pending| pending.delivery == Delivery::Sending);
            pending.count() + room.wishes.len()
        };
        self.state.rooms.iter().map(sending).sum()
    }

    // --- the output -------------------------------------------------------------------------------

    /// Prints what is new, and below it the row in which one writes, if one goes on to write.
    async fn print(&mut self, goes_on: bool) -> Result<(), OutputError> {
        let lines = self.teller.take();
        let keys = self.input.is_keys();
        let mut text = String::new();
        if !lines.is_empty() || !goes_on {
            text.push_str(&self.prompt.clear());
            if std::mem::take(&mut self.prompted) {
                text.push('\n');
            }
        }
        for line in lines {
            let width = usize::from(self.state.size.0);
            let line = if self.shown { wording::fold(&line, width) } else { line };
            if keys {
                // A raw terminal goes down without going to the left.
                text.push_str(&line.replace('\n', "\r\n"));
                text.push('\r');
            } else {
                text.push_str(&line);
            }
            text.push('\n');
        }
        if goes_on && keys {
            let row = self.row();
            text.push_str(&self.prompt.change(row));
        } else if goes_on && self.shown && self.input.is_typed() && !self.prompted {
            self.prompted = true;
            text.push_str(&self.label());
        }
        let output = &mut self.output;
        let mut writing = pin!(async {
            output.text(&text).await?;
            output.flush().await
        });
        tokio::select! {
            written = &mut writing => return written,
            // Also while nobody takes it.
            wish = self.signals.next() => self.hung_up |= wish == Wish::HangUp,
        }
        self.ending.cancel();
        self.leaving = true;
        writing.await
    }

    async fn output_text(&mut self, text: &str) -> anyhow::Result<()> {
        match self.output.text(text).await {
            Err(OutputError::Io(error)) => Err(error).context(GONE),
            _ => Ok(()),
        }
    }

    /// The row in which one writes.
    fn row(&self) -> Row {
        let width = usize::from(self.state.size.0);
        if let Some(Question::Search { wanted, found }) = &self.state.question {
            let inputs = &self.state.input_history;
            let found = found.and_then(|place| inputs.search(wanted, place + 1)).map_or("", |(_, text)| text);
            return Row::new("search: ", &format!("{wanted} = {found}"), wanted.len(), width);
        }
        let composer = self.state.composer();
        Row::new(&self.label(), composer.text(), composer.cursor(), width)
    }

    /// What stands before that which one writes: where it is said, or what it is for.
    fn label(&self) -> String {
        match self.state.room() {
            None => "parlor> ".to_owned(),
            Some(room) => match room.composing {
                Some(Composing::Answer(_)) => "answer> ".to_owned(),
                Some(Composing::Edit { .. }) => "edit> ".to_owned(),
                None => format!("{}> ", room.shown),
            },
        }
    }
}

/// What was refused was not stored either, and is told at the end as what was not answered.
fn with_refused(state: &State, mut ending: Ending) -> Ending {
    if ending.wanted {
        let pending = state.rooms.iter().flat_map(|room| &room.pending);
        let refused = pending.filter(|pending| matches!(pending.delivery, Delivery::Failed(_)));
        let refused: Vec<String> = refused.map(|pending| pending.text.to_string()).collect();
        ending.unsent.splice(0..0, refused);
    }
    ending
}
