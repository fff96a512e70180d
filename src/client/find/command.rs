//! `parlor find`: prints the parlors on this network.
//!
//! - It MUST print nothing that a terminal could take for more than text.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use tokio::io::AsyncWrite;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::listing::{Columns, join, json, json_gone};
use super::{Heard, Parlor, look};
use crate::client::script::{End, Output, OutputError, notice, reader_gone};

/// Time in which both ways are heard of a parlor: then its line has all its addresses, the best first.
const SETTLED_AFTER: Duration = Duration::from_millis(400);

/// Columns of the sign before a line, and of the space behind it.
const SIGN: usize = 2;

/// Why nothing may have been found, and what to do.
const NOTHING: &str = "\
no parlor was found. That may be because
  the Wi-Fi keeps those on it apart, as those for guests do, or the host is on another network;
  a VPN is on, here or there;
  a firewall, here or there, is closed to UDP at ports 5353 and 7878;
  no parlor here is announced: one for its own machine alone is not, nor one with --no-announce.
Ask the host for the line that `parlor invite` prints there, or for its address, and type
  parlor join ADDRESS";

/// What to print.
#[derive(Clone, Debug)]
pub struct What {
    /// An object a line, for programs.
    pub json: bool,
    /// How long to look.
    pub wait: Duration,
    /// Go on for ever, and say what changes.
    pub follow: bool,
}

/// Prints to standard output what is found, until the time is over, nobody reads it, or `ending` is cancelled.
/// [`End::Failed`] when nothing was found in time.
pub async fn run(what: What, ending: &CancellationToken) -> End {
    let columns = std::io::stdout().is_terminal().then(crossterm::terminal::size);
    let columns = columns.and_then(Result::ok).map(|(columns, _)| usize::from(columns));
    let sign = if what.follow { SIGN } else { 0 };
    let columns = columns.map(|columns| columns.saturating_sub(sign));
    let output = Output::new(tokio::io::stdout(), ending.clone());
    let until = Instant::now() + what.wait;
    let mut finding = Finding {
        what,
        columns: Columns(columns),
        output,
        settling: Vec::new(),
        printed: Vec::new(),
        headed: false,
    };
    let looking = tokio::select! {
        end = finding.hear(look(), until) => end,
        () = ending.cancelled() => return End::Done,
        () = reader_gone() => return End::Done,
    };
    match looking {
        Ok(end) => end,
        Err(error) => error.end(),
    }
}

struct Finding<W> {
    what: What,
    columns: Columns,
    output: Output<W>,
    /// Heard a moment ago, with the time at which they are printed.
    settling: Vec<(Instant, Parlor)>,
    printed: Vec<Parlor>,
    headed: bool,
}

impl<W: AsyncWrite + Unpin> Finding<W> {
    async fn hear(&mut self, mut hearing: mpsc::Receiver<Heard>, until: Instant) -> Result<End, OutputError> {
        let mut until = Some(until);
        loop {
            let settled = self.settling.first().map(|(at, _)| *at);
            let next = [settled, until].into_iter().flatten().min();
            tokio::select! {
                heard = hearing.recv() => match heard {
                    Some(Heard::Here(parlor)) => self.here(parlor).await?,
                    Some(Heard::Gone(id)) => self.gone(id).await?,
                    Some(Heard::Trouble(sentence)) => notice(sentence),
                    None => return Ok(End::Failed),
                },
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
            }
            let now = Instant::now();
            let over = until.take_if(|until| *until <= now).is_some();
            while self.settling.first().is_some_and(|(at, _)| *at <= now || (over && !self.what.follow)) {
                let (_, parlor) = self.settling.remove(0);
                self.print(parlor).await?;
            }
            self.output.flush().await?;
            if over && self.printed.is_empty() && self.settling.is_empty() {
                notice(NOTHING);
            }
            if over && !self.what.follow {
                self.say_what_to_type();
                return Ok(if self.printed.is_empty() { End::Failed } else { End::Done });
            }
        }
    }

    async fn here(&mut self, parlor: Parlor) -> Result<(), OutputError> {
        let what = &self.what;
        if let Some(known) = self.printed.iter_mut().find(|known| known.is_same(&parlor)) {
            let line = |parlor: &Parlor| if what.json { json(parlor) } else { self.columns.parlor(parlor) };
            let (before, now) = (line(known), line(&parlor));
            *known = parlor;
            if self.what.follow && before != now {
                return self.line('~', now).await;
            }
        } else if let Some((_, known)) = self.settling.iter_mut().find(|(_, known)| known.is_same(&parlor)) {
            *known = parlor;
        } else {
            self.settling.push((Instant::now() + SETTLED_AFTER, parlor));
        }
        Ok(())
    }

    async fn print(&mut self, parlor: Parlor) -> Result<(), OutputError> {
        if !self.what.json && !self.what.follow && !self.headed {
            self.headed = true;
            if let Some(heading) = self.columns.heading() {
                self.output.line(&heading).await?;
            }
        }
        let line = if self.what.json { json(&parlor) } else { self.columns.parlor(&parlor) };
        self.printed.push(parlor);
        self.line('+', line).await
    }

    async fn gone(&mut self, id: Uuid) -> Result<(), OutputError> {
        self.settling.retain(|(_, parlor)| parlor.said.id != id);
        if !self.what.follow {
            // It is printed already, and was there.
            return Ok(());
        }
        let gone: Vec<Parlor> = self.printed.extract_if(.., |parlor| parlor.said.id == id).collect();
        if self.what.json && !gone.is_empty() {
            return self.line('-', json_gone(id)).await;
        }
        for parlor in gone {
            let line = self.columns.parlor(&parlor);
            self.line('-', line).await?;
        }
        Ok(())
    }

    /// A line; for people who follow, with the sign of what became of it.
    async fn line(&mut self, sign: char, line: String) -> Result<(), OutputError> {
        if self.what.follow && !self.what.json {
            return self.output.line(&format!("{sign} {}", line.replace('\n', "\n  "))).await;
        }
        self.output.line(&line).await
    }

    /// Beside what programs may read.
    fn say_what_to_type(&self) {
        // The shortest to type: IPv4, if one has it.
        let by_ipv6 =
            |parlor: &&Parlor| parlor.addresses.first().is_none_or(|at| at.to_string().starts_with('['));
        let first = self.printed.iter().min_by_key(by_ipv6).filter(|_| !self.what.json);
        let Some(first) = first else { return };
        let others = if self.printed.len() > 1 { " (or with the address of another one)" } else { "" };
        // With standard error closed there is nobody to tell.
        drop(writeln!(std::io::stderr(), "To sit down there{others}:\n  {}", join(first)));
    }
}

#[cfg(test)]
mod tests;
