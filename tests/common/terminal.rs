//! A real pseudo-terminal with a program in it, and a screen that reads what it draws.

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use tempfile::TempDir;

use super::{FOREIGN, HOMES, PATIENCE};

/// A person's terminal. The program is killed when it goes out of scope.
pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<(Mutex<Screen>, Condvar)>,
    /// All of a home that the program sees, where it is its own.
    home: Option<TempDir>,
}

struct Screen {
    parser: vt100::Parser,
    /// All that was drawn, as it came.
    raw: Vec<u8>,
    ended: bool,
}

impl Terminal {
    /// Runs `parlor` with these arguments in a terminal of so many columns and rows.
    pub fn run(args: &[&str], columns: u16, rows: u16) -> Self {
        let home = TempDir::new().unwrap();
        let mut terminal = Self::at(home.path(), args, columns, rows);
        terminal.home = Some(home);
        terminal
    }

    /// The same for somebody with this home, which outlives the program.
    pub fn at(home: &Path, args: &[&str], columns: u16, rows: u16) -> Self {
        Self::with(home, args, (columns, rows), &[])
    }

    /// The same with something in the environment.
    pub fn with(home: &Path, args: &[&str], (columns, rows): (u16, u16), variables: &[(&str, &str)]) -> Self {
        let mut command = command(PARLOR, home, args);
        variables.iter().for_each(|(name, value)| command.env(name, value));
        Self::of(command, columns, rows)
    }

    /// Runs a shell that can stop its programs and go on with them; `parlor` is [`PARLOR`] there.
    pub fn shell(home: &Path, columns: u16, rows: u16) -> Self {
        let mut command = command("/bin/sh", home, &["-i"]);
        command.env("PS1", "shell> ");
        Self::of(command, columns, rows)
    }

    /// Runs a program, with what it is given and what its environment is changed by, in a terminal of its own.
    pub fn of_process(process: &std::process::Command, columns: u16, rows: u16) -> Self {
        let mut command = CommandBuilder::new(process.get_program());
        command.args(process.get_args());
        command.env("TERM", "xterm-256color");
        command.env("TZ", "UTC");
        for (name, value) in process.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            }
        }
        Self::of(command, columns, rows)
    }

    fn of(command: CommandBuilder, columns: u16, rows: u16) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut output = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let parser = vt100::Parser::new(cells(rows), cells(columns), 0);
        let screen = Arc::new((Mutex::new(Screen { parser, raw: Vec::new(), ended: false }), Condvar::new()));
        let reading = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut space = [0; 8192];
            loop {
                let read = output.read(&mut space).unwrap_or(0);
                let mut screen = reading.0.lock().unwrap();
                screen.parser.process(&space[..read]);
                screen.raw.extend_from_slice(&space[..read]);
                screen.ended = read == 0;
                reading.1.notify_all();
                if read == 0 {
                    return;
                }
            }
        });
        Self { master: pair.master, keys, child, screen, home: None }
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Types a line and presses Enter.
    pub fn line(&mut self, line: &str) {
        self.keys(line);
        self.keys("\r");
    }

    /// Pastes, as a terminal with bracketed paste does.
    pub fn paste(&mut self, text: &str) {
        self.keys(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Changes the size of the window.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.screen.0.lock().unwrap().parser.screen_mut().set_size(cells(rows), cells(columns));
        self.master.resize(size(columns, rows)).unwrap();
    }

    /// The process that runs in it.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Waits until the screen is as `wanted`; fails with a picture of it.
    pub fn until(&self, what: &str, wanted: impl Fn(&str) -> bool) {
        self.drawn(what, |screen, _| wanted(screen));
    }

    /// Waits until a sequence of control characters was drawn so many times.
    pub fn draws(&self, control: &str, times: usize) {
        self.drawn(&format!("{control:?}, {times} times"), |_, raw| raw.matches(control).count() >= times);
    }

    /// Waits until what is on the screen, and all that was drawn, is as `wanted`.
    fn drawn(&self, what: &str, wanted: impl Fn(&str, &str) -> bool) {
        let give_up = Instant::now() + PATIENCE;
        let mut screen = self.screen.0.lock().unwrap();
        loop {
            let contents = screen.parser.screen().contents();
            if wanted(&contents, &String::from_utf8_lossy(&screen.raw)) {
                return;
            }
            assert!(!screen.ended && Instant::now() < give_up, "no {what} on this screen:\n{contents}");
            screen = self.screen.1.wait_timeout(screen, give_up - Instant::now()).unwrap().0;
        }
    }

    /// Waits until `text` is on the screen.
    pub fn shows(&self, text: &str) {
        self.until(text, |screen| screen.contains(text));
    }

    /// Waits until `text` is not on the screen.
    pub fn hides(&self, text: &str) {
        self.until(&format!("end of {text}"), |screen| !screen.contains(text));
    }

    /// What is on the screen now.
    pub fn contents(&self) -> String {
        self.screen.0.lock().unwrap().parser.screen().contents()
    }

    /// All that was drawn so far, as it came.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.screen.0.lock().unwrap().raw).into_owned()
    }

    /// Waits until nothing was drawn for so long, and from then on as long again: what was drawn in that time.
    pub fn drawn_while_idle(&self, long: Duration) -> String {
        let give_up = Instant::now() + PATIENCE;
        let mut screen = self.screen.0.lock().unwrap();
        let mut before = screen.raw.len();
        loop {
            let waited =
                self.screen.1.wait_timeout_while(screen, long, |screen| screen.raw.len() == before).unwrap();
            screen = waited.0;
            before = screen.raw.len();
            if waited.1.timed_out() {
                break;
            }
            assert!(
                Instant::now() < give_up,
                "it draws all the time:\n{}",
                screen.parser.screen().contents()
            );
        }
        let until = Instant::now() + long;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            screen = self.screen.1.wait_timeout(screen, left).unwrap().0;
        }
        String::from_utf8_lossy(&screen.raw[before..]).into_owned()
    }

    /// Waits for the end of the program, and says its exit code and all that it drew.
    pub fn end(mut self) -> (u32, String) {
        let give_up = Instant::now() + PATIENCE;
        let mut screen = self.screen.0.lock().unwrap();
        while !screen.ended {
            assert!(Instant::now() < give_up, "it goes on:\n{}", screen.parser.screen().contents());
            screen = self.screen.1.wait_timeout(screen, give_up - Instant::now()).unwrap().0;
        }
        let raw = String::from_utf8_lossy(&screen.raw).into_owned();
        drop(screen);
        (self.child.wait().unwrap().exit_code(), raw)
    }
}

/// The program.
pub const PARLOR: &str = env!("CARGO_BIN_EXE_parlor");

/// A program with `home` for all of its user's home, in a terminal that can do what is usual.
pub fn command(program: &str, home: &Path, args: &[&str]) -> CommandBuilder {
    let mut command = CommandBuilder::new(program);
    command.args(args);
    command.env("TERM", "xterm-256color");
    command.env("TZ", "UTC");
    HOMES.iter().for_each(|name| command.env(name, home));
    FOREIGN.iter().for_each(|name| command.env_remove(name));
    command
}

/// A terminal of so many columns and rows.
pub fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}
