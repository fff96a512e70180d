//! A running `parlor find`, and what it says.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command as Process, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

use serde_json::Value;

use crate::common::PATIENCE;

/// Killed when dropped.
pub struct Finder {
    pub child: Child,
    lines: Receiver<String>,
    /// All that it has said.
    pub said: Vec<Value>,
}

impl Finder {
    /// `command` prints an object a line.
    pub fn start(mut command: Process) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (line, lines) = channel();
        // It ends with the program, or with whoever listens.
        thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|said| line.send(said)));
        Self { child, lines, said: Vec::new() }
    }

    /// Waits until it says something like this.
    pub fn until(&mut self, like: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else { panic!("not among {:#?}", self.said) };
            assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
            let said: Value = serde_json::from_str(&line).unwrap();
            self.said.push(said.clone());
            if like(&said) {
                return said;
            }
        }
    }

    /// Waits for a parlor of this name that can be reached at an address like this.
    pub fn until_found(&mut self, name: &str, at: impl Fn(&str) -> bool) -> Value {
        self.until(|said| said["name"] == name && addresses(said).any(&at))
    }

    /// Waits until this one is not there any more.
    pub fn until_gone(&mut self, parlor: &Value) {
        self.until(|said| said["type"] == "gone" && said["id"] == parlor["id"]);
    }
}

impl Drop for Finder {
    fn drop(&mut self) {
        // It may have ended, which is for the test to mind.
        drop(self.child.kill());
        self.child.wait().unwrap();
    }
}

/// Where a parlor is found.
pub fn addresses(parlor: &Value) -> impl Iterator<Item = &str> {
    parlor["addresses"].as_array().into_iter().flatten().filter_map(Value::as_str)
}
