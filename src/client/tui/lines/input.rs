//! What is given to us: keys of a terminal, or whole lines.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use anyhow::Context as _;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste, Event as Key, EventStream};
use crossterm::execute;
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use tokio::io::{BufReader, Stdin};

use crate::client::lines::Lines;
use crate::client::tui::app::GONE;
use crate::client::tui::keymap::Action;
use crate::client::tui::terminal::poll_input;
use crate::protocol::limits::TEXT_BYTES;

/// Keys taken at once: a hand does not press so many, and a paste goes on in the next turn.
const KEYS_AT_ONCE: usize = 1024;

/// Where it comes from.
pub(super) enum Input {
    /// Keys, of a terminal that is as we need it until this is dropped.
    Keys(EventStream, Raw),
    /// Lines; and whether somebody types them.
    Lines { lines: Lines<BufReader<Stdin>>, typed: bool, goes_on: bool },
}

/// Something was given.
pub(super) enum Given {
    Keys(Vec<Key>),
    Line(String),
    /// There is no more.
    End,
    /// The terminal was closed.
    Gone,
}

impl Input {
    /// Takes the terminal.
    pub(super) fn keys() -> io::Result<Self> {
        Ok(Self::Keys(EventStream::new(), Raw::take()?))
    }

    pub(super) fn lines(typed: bool) -> Self {
        let lines = Lines::new(BufReader::new(tokio::io::stdin()), TEXT_BYTES);
        Self::Lines { lines, typed, goes_on: false }
    }

    pub(super) fn is_keys(&self) -> bool {
        matches!(self, Self::Keys(..))
    }

    /// Somebody sits there who sees what is asked and can answer.
    pub(super) fn is_typed(&self) -> bool {
        matches!(self, Self::Keys(..) | Self::Lines { typed: true, .. })
    }

    /// Waits for what comes next. Cancel safe.
    pub(super) async fn next(&mut self) -> anyhow::Result<Given> {
        match self {
            Self::Keys(stream, _) => {
                let Some(first) = poll_fn(|context| poll_input(stream, context)).await else {
                    return Ok(Given::Gone);
                };
                let mut keys = vec![first?];
                // Polled in our own context: crossterm wakes whoever polled it first since the last event.
                while keys.len() < KEYS_AT_ONCE
                    && let Some(key) = poll_fn(|context| match poll_input(stream, context) {
                        Poll::Ready(key) => Poll::Ready(key),
                        Poll::Pending => Poll::Ready(None),
                    })
                    .await
                {
                    keys.push(key.context(GONE)?);
                }
                Ok(Given::Keys(keys))
            }
            Self::Lines { lines, goes_on, .. } => {
                let Some(part) = lines.next().await.context("standard input cannot be read")? else {
                    return Ok(Given::End);
                };
                let text = String::from_utf8_lossy(&part.bytes);
                let text = text.trim_end_matches('\r');
                // Of a line that is too long for a message, only the beginning can be a command.
                let quoted = *goes_on && text.starts_with('/');
                *goes_on = !part.ends;
                Ok(Given::Line(if quoted { format!("/{text}") } else { text.to_owned() }))
            }
        }
    }
}

/// A terminal that gives us keys. Dropped, it is as it was.
pub(super) struct Raw;

impl Raw {
    fn take() -> io::Result<Self> {
        enable_raw_mode()?;
        let raw = Self;
        execute!(io::stdout(), EnableBracketedPaste)?;
        Ok(raw)
    }

    /// Takes it again, after the shell had it.
    pub(super) fn take_again(&self) -> io::Result<()> {
        // crossterm does nothing for who asks for raw mode twice.
        self.give_back();
        enable_raw_mode()?;
        execute!(io::stdout(), EnableBracketedPaste)
    }

    /// Gives it to the shell for a while.
    pub(super) fn give_back(&self) {
        // There is nobody left to tell that it did not work.
        let _ = execute!(io::stdout(), DisableBracketedPaste);
        let _ = disable_raw_mode();
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Whether a key does something here: the others move about on a screen.
pub(super) fn is_for_lines(action: Action) -> bool {
    use Action::{
        Complete, CompleteBack, Cut, Delete, Down, EditLast, EndOfInput, Go, Help, Interrupt, NewLine,
        NextNews, NextRoom, PasteCut, PreviousRoom, RoomNumber, SearchInputs, Send, Suspend, Transpose, Undo,
        Up,
    };
    matches!(
        action,
        Send | NewLine
            | Go(_)
            | Delete(_)
            | Cut(_)
            | PasteCut
            | Transpose
            | Undo
            | Up
            | Down
            | SearchInputs
            | Complete
            | CompleteBack
            | Interrupt
            | EndOfInput
            | EditLast
            | RoomNumber(_)
            | NextRoom
            | PreviousRoom
            | NextNews
            | Help
            | Suspend
    )
}
