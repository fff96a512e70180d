//! One line on standard error that says how far it is. Drawn with what the screen is drawn with anyway: a bar of
//! a few characters is no reason for another library.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use crossterm::queue;
use crossterm::style::Print;
use crossterm::terminal::{Clear, ClearType};

use crate::protocol::stats::grouped;

/// How often the line changes.
pub(super) const EVERY: Duration = Duration::from_millis(200);
/// Columns of the bar.
const WIDTH: usize = 20;

/// The line; taken away when it is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    shown: bool,
}

impl Progress {
    /// Shown if it is wanted and there is a terminal.
    pub(super) fn new(wanted: bool) -> Self {
        Self { shown: wanted && io::stderr().is_terminal() }
    }

    /// So many are there.
    pub(super) fn joining(&self, there: usize, connections: usize) {
        let part = there as f64 / connections as f64;
        self.draw(&format!("{} {there} of {connections} have joined", bar(part)));
    }

    /// So much of the time is over.
    pub(super) fn talking(&self, over: Duration, whole: Duration, deliveries: u64) {
        let part = over.as_secs_f64() / whole.as_secs_f64();
        let (over, whole, deliveries) = (over.as_secs(), whole.as_secs(), grouped(deliveries));
        self.draw(&format!("{} {over} of {whole} s, {deliveries} delivered", bar(part)));
    }

    fn draw(&self, line: &str) {
        if self.shown {
            // With standard error closed there is nobody to show it to.
            let mut error = io::stderr();
            drop(queue!(error, Print("\r"), Print(line), Clear(ClearType::UntilNewLine)));
            drop(error.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.draw("");
    }
}

fn bar(part: f64) -> String {
    let full = (part.clamp(0.0, 1.0) * WIDTH as f64) as usize;
    format!("[{}{}]", "#".repeat(full), ".".repeat(WIDTH - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_stays_within_its_ends() {
        assert_eq!(bar(0.5), "[##########..........]");
        assert_eq!(bar(7.0), format!("[{}]", "#".repeat(WIDTH)));
        assert_eq!(bar(f64::NAN), format!("[{}]", ".".repeat(WIDTH)));
    }
}
