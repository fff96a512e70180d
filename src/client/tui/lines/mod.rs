//! The same client without a screen: what is said comes as lines, each once and in order, and a prompt reads lines.
//!
//! For who reads with ears or fingers, for terminals that can do little, and for logs. The state and what happens to it
//! are those of the screen; in the place of drawing, `teller` compares what is known with what was told, and says what
//! is new. MUST: what was printed is never printed again, nothing on the screen moves but the row with the prompt, and
//! that row is written without escape sequences.
//!
//! | file | what it does |
//! |---|---|
//! | `session` | the loop: wait, take in all that waits, tell, do |
//! | `input` | keys of a terminal, or whole lines |
//! | `prompt` | the row in which one writes |
//! | `teller` | what is new in the state |
//! | `wording` | a message, and what becomes of it, as a line |
//! | `presence` | who came and left, as lines |
//! | `answers` | what lies over the rooms on a screen, as lines |
//! | `command` | the commands that only lines need |

mod answers;
mod command;
mod input;
mod presence;
mod prompt;
mod session;
mod teller;
#[cfg(test)]
mod tests;
mod wording;

use std::io::IsTerminal;

use anyhow::Context as _;

use self::input::Input;
use self::session::Session;
use self::teller::{Answers, Teller};
use super::kept::Kept;
use super::theme::Found;
use super::{Ending, Options, set_up};

/// Columns for a terminal that does not say how wide it is, and where there is none: tables get no wider.
const COLUMNS: u16 = 80;
/// Rows of one; nothing here depends on them.
const ROWS: u16 = 24;

/// Talks in lines until the person leaves, or the input ends and all of it is stored. Must be called within a tokio
/// runtime. `every_time`: each line begins with its time, and not only where the minute has changed.
///
/// # Errors
/// When the terminal, or whoever takes the output, went away.
pub async fn run(mut options: Options, every_time: bool) -> anyhow::Result<Ending> {
    let typed = std::io::stdin().is_terminal();
    let shown = std::io::stdout().is_terminal();
    let able = std::env::var("TERM").is_ok_and(|term| !term.is_empty() && term != "dumb");
    let size = if shown { crossterm::terminal::size().ok() } else { None };
    let size = size.filter(|(columns, _)| *columns > 0).unwrap_or((COLUMNS, ROWS));
    let mut kept = Kept::of(&mut options);
    let found = kept.read();
    let shows = Found::from_environment(|name| std::env::var(name).ok());
    let state = set_up(&options, found, shows, size);
    let input = if typed && shown && able {
        Input::keys().context("cannot read keys from the terminal")?
    } else {
        Input::lines(typed)
    };
    // What one has typed oneself stands on the terminal already.
    let answers = match typed {
        _ if input.is_keys() => Answers::Keys,
        true => Answers::Lines,
        false => Answers::Nobody,
    };
    let teller = Teller::new(every_time, !(typed && shown), answers);
    Session::new(state, teller, (input, shown), options, kept).run().await
}
