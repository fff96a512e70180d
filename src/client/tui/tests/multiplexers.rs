//! Hard texts under the real tmux and the real GNU screen, where they are installed: the frame stands, and nothing stays
//! behind. The same bytes that a terminal would get are played to them, and what they then show is read.

#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

use super::widths::{self, Seen};
use crate::client::tui::script::Script;
use crate::client::tui::{Event, wrap};

/// Longer than it takes on a busy machine: reaching it is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// The size that both have without being asked.
const SIZE: (u16, u16) = (80, 24);

/// Frames between two looks.
const FRAMES: usize = 60;

/// A program that shows what it is told within a terminal.
trait Multiplexer {
    /// Its name, and the option by which it says its version.
    const NAME: (&str, &str);

    /// Begins to run a script of the shell, without a terminal of its own.
    fn begin(&self, folder: &Path, script: &str);

    /// Whether it shows what it should.
    fn check(&self, folder: &Path, script: &mut Script);

    /// Ends it.
    fn end(&self, folder: &Path);
}

fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

struct Tmux;

impl Tmux {
    fn command(folder: &Path) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-u", "-f", "/dev/null", "-S"]).arg(folder.join("socket"));
        command.env("LC_ALL", "C.UTF-8").env_remove("TMUX");
        command
    }
}

impl Multiplexer for Tmux {
    const NAME: (&str, &str) = ("tmux", "-V");

    fn begin(&self, folder: &Path, script: &str) {
        let (columns, rows) = SIZE;
        // Its own line takes a row more.
        let size = ["-x", &columns.to_string(), "-y", &(rows + 1).to_string()].map(str::to_owned);
        run(Self::command(folder).args(["new-session", "-d"]).args(size).arg(script));
    }

    fn check(&self, folder: &Path, script: &mut Script) {
        compare(&script.text(), &run(Self::command(folder).args(["capture-pane", "-p"])));
    }

    fn end(&self, folder: &Path) {
        run(Self::command(folder).arg("kill-server"));
    }
}

struct GnuScreen;

impl GnuScreen {
    fn command(folder: &Path) -> Command {
        let mut command = Command::new("screen");
        let sockets = folder.join("sockets");
        command
            .args(["-U", "-c"])
            .arg(folder.join("screenrc"))
            .args(["-S", "parlor"])
            .env("SCREENDIR", sockets);
        command.env("LC_ALL", "C.UTF-8").env("TERM", "xterm-256color").env_remove("STY");
        command
    }
}

impl Multiplexer for GnuScreen {
    const NAME: (&str, &str) = ("screen", "-v");

    fn begin(&self, folder: &Path, script: &str) {
        let sockets = folder.join("sockets");
        fs::create_dir(&sockets).unwrap();
        fs::write(folder.join("screenrc"), "defutf8 on\n").unwrap();
        let only_ours = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o700);
        fs::set_permissions(&sockets, only_ours).unwrap();
        run(Self::command(folder).args(["-dm", "sh", "-c", script]));
    }

    fn check(&self, folder: &Path, script: &mut Script) {
        let file = folder.join("shown");
        run(Self::command(folder).args(["-p", "0", "-X", "hardcopy"]).arg(&file));
        // Answered only when what was asked before is done.
        run(Self::command(folder).args(["-p", "0", "-Q", "title"]));
        // A byte for each cell, the last of its character's.
        let shown = fs::read(&file).unwrap();
        let (wanted, _) = script.screen();
        for (y, row) in (0..wanted.area.height).zip(shown.split(|byte| *byte == b'\n')) {
            let mut covered = 0;
            for x in 0..wanted.area.width {
                let symbol = wanted[(x, y)].symbol();
                let mut chars = symbol.chars();
                if x < covered {
                    continue;
                }
                covered = x + u16::try_from(wrap::columns_of(symbol)).unwrap();
                if let (Some(c @ (' '..='~' | '│')), None) = (chars.next(), chars.next()) {
                    let byte = row.get(usize::from(x)).copied().unwrap_or(b' ');
                    let place = format!("at {x}, {y}: {:?}", String::from_utf8_lossy(row));
                    assert_eq!(u32::from(byte), u32::from(c) & 0xFF, "screen, {place}\n{}", script.text());
                }
            }
        }
    }

    fn end(&self, folder: &Path) {
        run(Self::command(folder).args(["-X", "quit"]));
    }
}

/// Looks whether what is shown of these bytes is what should be.
fn play<M: Multiplexer>(multiplexer: &M, bytes: &[u8], script: &mut Script) {
    let folder: TempDir = tempfile::tempdir().unwrap();
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    // At last the terminal is asked where the cursor is: once it answers, it has taken in all that was before.
    let bytes = [b"\x1b[?7l", bytes, b"\x1b[1;1H\x1b[6n"].concat();
    fs::write(path("bytes"), bytes).unwrap();
    run(Command::new("mkfifo").arg(path("done")));
    let shell = format!(
        "stty raw -echo; cat '{}'; head -c 6 >'{}'; exec cat",
        path("bytes").display(),
        path("done").display()
    );
    let (answered, answer) = mpsc::channel();
    let done = path("done");
    std::thread::spawn(move || answered.send(fs::read(done)));
    multiplexer.begin(folder.path(), &shell);
    let answer = answer.recv_timeout(PATIENCE).unwrap().unwrap();
    assert_eq!(answer, b"\x1b[1;1R", "{} did not say where its cursor is", M::NAME.0);
    multiplexer.check(folder.path(), script);
    multiplexer.end(folder.path());
}

/// What is the same wherever emoji are drawn in whatever width: letters, lines, and whether there are emoji at all.
fn sure(row: &str) -> (String, bool) {
    let sure = |c: &char| c.is_ascii_graphic() || matches!(c, '│' | '─' | '┴');
    (row.chars().filter(sure).collect(), row.chars().any(|c| c >= '\u{1F000}'))
}

fn compare(wanted: &str, shown: &str) {
    for (row, (wanted, shown)) in wanted.lines().zip(shown.lines()).enumerate() {
        let place = format!("tmux, row {row}:\n{wanted}\n{shown}");
        assert_eq!(sure(wanted), sure(shown), "{place}");
        // The panes beside the text stand where they should.
        let column = |row: &str| row.chars().position(|c| c == '│');
        assert_eq!(column(wanted), column(shown), "{place}");
        let behind = |row: &str| {
            let behind = row.rsplit_once('│').map_or("", |(_, behind)| behind);
            behind.replace('\u{200E}', "").trim_end().to_owned()
        };
        assert_eq!(behind(wanted), behind(shown), "{place}");
    }
}

fn walk<M: Multiplexer>(multiplexer: &M) {
    let (name, version) = M::NAME;
    if Command::new(name).arg(version).stdin(Stdio::null()).output().is_err() {
        eprintln!("{name} is not installed: skipped");
        return;
    }
    let (columns, rows) = SIZE;
    let mut script: Script = widths::room(columns, rows);
    script.state.people_pane = Some(true);
    let mut seen = Seen::new(columns, rows);
    let mut bytes = Vec::new();
    // All of them are tried without a program; these are slow.
    let messages = widths::messages(usize::from(columns));
    for (seq, message) in (1..).zip(messages.iter().step_by(2)) {
        script.says("#a", seq, "bob", message);
        bytes.extend(seen.draw(&script));
        if (seq as usize).is_multiple_of(FRAMES) {
            play(multiplexer, &bytes, &mut script);
        }
    }
    for frame in 1..=3 * FRAMES {
        script.feed(Event::Wheel(-1));
        bytes.extend(seen.draw(&script));
        if frame.is_multiple_of(FRAMES) {
            play(multiplexer, &bytes, &mut script);
        }
    }
}

#[test]
fn nothing_stays_behind_under_tmux() {
    walk(&Tmux);
}

#[test]
fn nothing_stays_behind_under_screen() {
    walk(&GnuScreen);
}
