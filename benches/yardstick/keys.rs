//! From a key to the screen that shows it, in the real program and a pseudo-terminal, while others talk.

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::servers::program;

const SIZE: (u16, u16) = (120, 36);
/// What is typed: it is nowhere else on the screen.
const KEY: &str = "%";

/// A person's terminal with `parlor join` in it.
pub(crate) struct Seat {
    _master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<(Mutex<vt100::Parser>, Condvar)>,
    _home: tempfile::TempDir,
}

impl Seat {
    /// Sits down in a room.
    pub(crate) fn take(port: u16, room: &str) -> Self {
        let (cols, rows) = SIZE;
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let home = tempfile::tempdir().unwrap();
        let mut command = CommandBuilder::new(program());
        let address = format!("parlor://127.0.0.1:{port}/?plain");
        command.args(["join", &address, "--nick", "reader", "--room", room]);
        command.env("TERM", "xterm-256color");
        ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"].iter().for_each(|name| command.env(name, home.path()));
        let child = pair.slave.spawn_command(command).unwrap();
        let mut output = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let cells = |count| NonZero::new(count).unwrap();
        let parser = vt100::Parser::new(cells(rows), cells(cols), 0);
        let screen = Arc::new((Mutex::new(parser), Condvar::new()));
        let reading = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut space = [0; 64 * 1024];
            while let Ok(read @ 1..) = output.read(&mut space) {
                reading.0.lock().unwrap().process(&space[..read]);
                reading.1.notify_all();
            }
        });
        let seat = Self { _master: pair.master, keys, child, screen, _home: home };
        seat.until(|screen| screen.contains("connected"));
        seat
    }

    /// Presses a key so often while `talking`, and says how long the screen took to show it, in milliseconds: the middle
    /// one and the slowest of a hundred.
    pub(crate) fn press(&mut self, mut talking: impl FnMut() -> bool) -> (u64, f64, f64) {
        let mut delays = Histogram::<u64>::new_with_bounds(1, 60_000_000, 3).unwrap();
        let mut pressed = 0;
        while talking() {
            let pressing = Instant::now();
            self.keys.write_all(KEY.as_bytes()).unwrap();
            self.keys.flush().unwrap();
            pressed += 1;
            let shown = KEY.repeat(pressed);
            self.until(|screen| screen.contains(&shown));
            delays.saturating_record(u64::try_from(pressing.elapsed().as_micros()).unwrap());
            // As fast as one types at best, and never in step with what is drawn.
            std::thread::sleep(Duration::from_millis(30 + fastrand::u64(..30)));
            if pressed == 40 {
                // Ctrl-U: begins again before the line is full.
                self.keys.write_all(b"\x15").unwrap();
                pressed = 0;
                self.until(|screen| !screen.contains(KEY));
            }
        }
        let ms = |quantile| delays.value_at_quantile(quantile) as f64 / 1e3;
        (delays.len(), ms(0.5), ms(0.99))
    }

    fn until(&self, wanted: impl Fn(&str) -> bool) {
        let give_up = Instant::now() + Duration::from_secs(20);
        let mut screen = self.screen.0.lock().unwrap();
        while !wanted(&screen.screen().contents()) {
            assert!(Instant::now() < give_up, "not shown:\n{}", screen.screen().contents());
            screen = self.screen.1.wait_timeout(screen, Duration::from_secs(1)).unwrap().0;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
