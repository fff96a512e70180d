//! A film of the real program: three people, each in a pseudo-terminal, type what stands in [`act`]; what one of them sees is
//! kept whenever it changes. The film's time is not the clock's: a key takes as long as a finger needs, and what
//! has to be waited for takes as long as the script says, so that the film is the same on every machine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};

use super::svg;

/// Columns and rows of what is filmed.
const SIZE: (u16, u16) = (96, 26);

/// How long the real program may take for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// Seconds that a key takes in the film.
const KEY: f32 = 0.07;

/// What says where somebody's files are.
const HOMES: [&str; 5] = ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"];

/// Somebody's terminal.
struct Person {
    keys: Box<dyn std::io::Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<(Mutex<vt100::Parser>, Condvar)>,
}

impl Person {
    /// Runs `program` for somebody whose home is `home`.
    fn sits_down(
        mut program: CommandBuilder,
        home: &Path,
        (columns, rows): (u16, u16),
    ) -> anyhow::Result<Self> {
        let pair =
            native_pty_system().openpty(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 })?;
        program.env_clear();
        program.env("TERM", "xterm-256color");
        program.env("COLORTERM", "truecolor");
        program.env("TZ", "UTC");
        program.env("PS1", "$ ");
        program.env("USER", "alice");
        HOMES.iter().for_each(|name| program.env(name, home));
        let beside = our_program()?;
        program.env("PATH", format!("{}:/usr/bin:/bin", beside.parent().unwrap_or(&beside).display()));
        let child = pair.slave.spawn_command(program)?;
        drop(pair.slave);
        let (mut output, keys) = (pair.master.try_clone_reader()?, pair.master.take_writer()?);
        let cells = |count: u16| NonZero::new(count).context("a terminal has cells");
        let parser = vt100::Parser::new(cells(rows)?, cells(columns)?, 0);
        let seen = Arc::new((Mutex::new(parser), Condvar::new()));
        let sees = Arc::clone(&seen);
        std::thread::spawn(move || {
            // Held as long as there is something to read: closed, it would take the terminal away.
            let _master = pair.master;
            let mut space = [0; 8192];
            while let Ok(read @ 1..) = output.read(&mut space) {
                let Ok(mut parser) = sees.0.lock() else { return };
                parser.process(&space[..read]);
                sees.1.notify_all();
            }
        });
        Ok(Self { keys, child, seen })
    }

    fn press(&mut self, keys: &str) -> anyhow::Result<()> {
        self.keys.write_all(keys.as_bytes())?;
        Ok(self.keys.flush()?)
    }

    /// Waits until a text is on this screen, or is not.
    fn until(&self, text: &str, shown: bool) -> anyhow::Result<()> {
        let give_up = Instant::now() + PATIENCE;
        let Ok(mut parser) = self.seen.0.lock() else { bail!("the reader fell over") };
        loop {
            let contents = parser.screen().contents();
            if contents.contains(text) == shown {
                return Ok(());
            }
            let left = give_up.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!("{text:?} should {} be on this screen:\n{contents}", if shown { "" } else { "not" });
            }
            let Ok((next, _)) = self.seen.1.wait_timeout(parser, left) else { bail!("the reader fell over") };
            parser = next;
        }
    }

    /// Waits until nothing has been drawn for a moment: what a key did is on the screen.
    fn until_still(&self) -> anyhow::Result<()> {
        let Ok(mut parser) = self.seen.0.lock() else { bail!("the reader fell over") };
        loop {
            let Ok((next, waited)) = self.seen.1.wait_timeout(parser, Duration::from_millis(60)) else {
                bail!("the reader fell over")
            };
            parser = next;
            if waited.timed_out() {
                return Ok(());
            }
        }
    }

    /// What is on the screen, and where the cursor is if it is shown.
    fn sees(&self) -> anyhow::Result<(Buffer, Option<Position>)> {
        let Ok(parser) = self.seen.0.lock() else { bail!("the reader fell over") };
        let screen = parser.screen();
        let (rows, columns) = screen.size();
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns.get(), rows.get()));
        for y in 0..rows.get() {
            for x in 0..columns.get() {
                let Some(cell) = screen.cell(y, x).filter(|cell| !cell.is_wide_continuation()) else {
                    continue;
                };
                let mut style = Style::new().fg(colour(cell.fgcolor())).bg(colour(cell.bgcolor()));
                for (set, modifier) in [
                    (cell.bold(), Modifier::BOLD),
                    (cell.dim(), Modifier::DIM),
                    (cell.italic(), Modifier::ITALIC),
                    (cell.underline(), Modifier::UNDERLINED),
                    (cell.inverse(), Modifier::REVERSED),
                ] {
                    if set {
                        style = style.add_modifier(modifier);
                    }
                }
                let symbol = if cell.has_contents() { cell.contents() } else { " " };
                buffer[(x, y)].set_symbol(symbol).set_style(style);
            }
        }
        let (row, column) = screen.cursor_position();
        Ok((buffer, (!screen.hide_cursor()).then_some(Position::new(column, row))))
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // It has ended, or there is nothing more to be done about it.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn colour(colour: vt100::Color) -> Color {
    match colour {
        vt100::Color::Default => Color::Reset,
        vt100::Color::Idx(index) => Color::Indexed(index),
        vt100::Color::Rgb(red, green, blue) => Color::Rgb(red, green, blue),
    }
}

/// The program that was built beside this example.
fn our_program() -> anyhow::Result<PathBuf> {
    let ours = std::env::current_exe()?;
    let folder = ours.parent().and_then(Path::parent).context("this example lies in no folder")?;
    let program = folder.join("parlor");
    if !program.exists() {
        bail!("{} is not there: `cargo build` makes it", program.display());
    }
    Ok(program)
}

/// The line by which others join the parlor of whoever lives in `home`.
fn invite(home: &Path) -> anyhow::Result<String> {
    let mut command = std::process::Command::new(our_program()?);
    command.arg("invite").env_clear();
    HOMES.iter().for_each(|name| {
        command.env(name, home);
    });
    let told = command.output()?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let invite = told.split_whitespace().find(|word| word.contains("parlor://"));
    let invite = invite.with_context(|| format!("`parlor invite` said {told:?}"))?;
    Ok(invite.trim_matches('\'').to_owned())
}

/// What alice sees, and when.
struct Camera {
    alice: Person,
    /// Seconds into the film.
    at: f32,
    frames: Vec<(f32, Buffer, Option<Position>)>,
}

impl Camera {
    /// Keeps what is on her screen for so many seconds.
    fn hold(&mut self, seconds: f32) -> anyhow::Result<()> {
        self.alice.until_still()?;
        let (buffer, cursor) = self.alice.sees()?;
        self.frames.push((self.at, buffer, cursor));
        self.at += seconds;
        Ok(())
    }

    /// She writes, a key after the other.
    fn writes(&mut self, text: &str) -> anyhow::Result<()> {
        for c in text.chars() {
            self.alice.press(c.encode_utf8(&mut [0; 4]))?;
            self.hold(KEY)?;
        }
        Ok(())
    }

    /// She presses a key, and looks for so many seconds at what it did.
    fn presses(&mut self, key: &str, seconds: f32) -> anyhow::Result<()> {
        self.alice.press(key)?;
        self.hold(seconds)
    }

    /// Something comes onto her screen, at which she looks for so many seconds.
    fn notices(&mut self, text: &str, seconds: f32) -> anyhow::Result<()> {
        self.alice.until(text, true)?;
        self.hold(seconds)
    }
}

/// Makes the film.
pub(crate) fn film() -> anyhow::Result<String> {
    let homes = tempfile::tempdir()?;
    let home = |name: &str| -> anyhow::Result<PathBuf> {
        let home = homes.path().join(name);
        std::fs::create_dir_all(&home)?;
        Ok(home)
    };
    let mut shell = CommandBuilder::new("/bin/sh");
    shell.cwd(home("alice")?);
    let alice = Person::sits_down(shell, &home("alice")?, SIZE)?;
    let mut camera = Camera { alice, at: 0.0, frames: Vec::new() };
    act(&mut camera, |name| {
        let mut join = CommandBuilder::new(our_program()?);
        join.args(["join", &invite(&home("alice")?)?, "--nick", name]);
        join.cwd(home(name)?);
        let person = Person::sits_down(join, &home(name)?, (80, 24))?;
        person.until("connected", true)?;
        Ok(person)
    })?;
    develop(&camera.frames, camera.at).context("a frame cannot be written")
}

/// What happens in it. `comes` brings somebody into the room.
fn act(camera: &mut Camera, comes: impl Fn(&str) -> anyhow::Result<Person>) -> anyhow::Result<()> {
    camera.notices("$", 0.8)?;
    camera.writes("parlor host --listen 127.0.0.1:7878")?;
    camera.presses(ENTER, 0.3)?;
    camera.notices("here 1", 3.0)?;

    let mut bob = comes("bob")?;
    camera.notices("bob", 0.7)?;
    bob.press("good morning! one line, four words, and I am in 👋\r")?;
    camera.notices("I am in", 1.6)?;
    let mut carol = comes("carol")?;
    camera.notices("carol", 0.7)?;
    carol.press("did the build pass?\r")?;
    camera.notices("build pass", 1.2)?;
    camera.writes("@ca")?;
    camera.presses(TAB, 0.6)?;
    camera.writes("yes, in 3 minutes :tad")?;
    camera.presses(TAB, 0.6)?;
    camera.presses(ENTER, 1.2)?;

    let code = [
        "```rust",
        "match receiver.recv().await {",
        "    // Fallen behind: the log has it all.",
        "    Err(Lagged(_)) => self.read_log().await?,",
        "    news => self.deliver(news)?,",
        "}",
        "```",
    ];
    bob.press(&code.join(NEW_LINE))?;
    bob.press(ENTER)?;
    camera.notices("self.deliver", 1.8)?;
    camera.presses(ESC, 0.9)?;
    camera.presses("+", 0.8)?;
    camera.presses("1", 1.0)?;
    camera.presses("r", 0.6)?;
    camera.writes("falling behind and coming back are one case: neat!")?;
    camera.presses(ENTER, 1.6)?;

    camera.presses("\x1bg", 0.9)?;
    camera.writes("them")?;
    camera.hold(0.8)?;
    camera.presses(ENTER, 0.5)?;
    camera.presses(ENTER, 1.0)?;
    for _ in 0..5 {
        camera.presses(DOWN, 0.8)?;
    }
    camera.presses(ESC, 0.8)?;

    camera.presses("\x13", 0.6)?;
    camera.writes("build")?;
    camera.notices("1 of", 1.8)?;
    camera.presses(ENTER, 1.5)?;
    camera.presses(ESC, 0.6)?;
    camera.presses(ESC, 2.5)
}

const ENTER: &str = "\r";
const NEW_LINE: &str = "\x1b\r";
const ESC: &str = "\x1b";
const TAB: &str = "\t";
const DOWN: &str = "\x1b[B";

/// The frames as one picture that moves. A row that does not change is drawn once: most of them do not.
fn develop(frames: &[(f32, Buffer, Option<Position>)], length: f32) -> Result<String, std::fmt::Error> {
    let mut svg = String::new();
    svg::open(&mut svg, SIZE, "parlor")?;
    let mut drawn: BTreeMap<(u16, String), Vec<(f32, f32)>> = BTreeMap::new();
    for (place, (from, buffer, cursor)) in frames.iter().enumerate() {
        let to = frames.get(place + 1).map_or(length, |next| next.0);
        let mut show = |y: u16, what: String| {
            let times = drawn.entry((y, what)).or_default();
            match times.last_mut() {
                Some(last) if last.1 >= *from => last.1 = to,
                _ => times.push((*from, to)),
            }
        };
        for y in 0..buffer.area.height {
            let mut row = String::new();
            svg::row(&mut row, buffer, y)?;
            if !row.is_empty() {
                show(y, row);
            }
        }
        if let Some(cursor) = cursor {
            let mut block = String::new();
            svg::block(&mut block, *cursor)?;
            show(buffer.area.height, block);
        }
    }
    for ((_, what), times) in drawn {
        if times == [(0.0, length)] {
            svg.push_str(&what);
            continue;
        }
        // What cannot move shows the end.
        let at_the_end = times.last().is_some_and(|last| last.1 >= length);
        write!(svg, r#"<g visibility="{}">"#, if at_the_end { "visible" } else { "hidden" })?;
        let (mut values, mut moments) = (vec!["hidden"], vec![0.0]);
        for (from, to) in times {
            if from <= 0.0 {
                values[0] = "visible";
            } else {
                values.push("visible");
                moments.push(from);
            }
            if to < length {
                values.push("hidden");
                moments.push(to);
            }
        }
        let moments: Vec<String> = moments.iter().map(|at| format!("{:.4}", at / length)).collect();
        writeln!(
            svg,
            r#"<animate attributeName="visibility" calcMode="discrete" dur="{length:.1}s" repeatCount="indefinite" values="{}" keyTimes="{}"/>"#,
            values.join(";"),
            moments.join(";")
        )?;
        svg.push_str(&what);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}
