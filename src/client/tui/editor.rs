//! The editor of whoever sits here, with a message in it: a process that has the terminal while it runs.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::timeout;
use uuid::Uuid;

use super::state::composer::INPUT_BYTES;

/// Editors that are looked for where none is named.
const USUAL: &[&str] = if cfg!(windows) { &["notepad.exe"] } else { &["vi", "nano"] };

/// How long an editor may take to end when it is asked to.
const STOPPING: Duration = Duration::from_secs(1);

/// The file's name: editors colour Markdown.
const FILE: &str = "message.md";

/// An editor that runs. Dropped, it is killed, and its file is gone.
#[derive(Debug)]
pub(super) struct Editor {
    child: Child,
    name: String,
    folder: Folder,
}

impl Editor {
    /// Starts the editor that the environment names, or a usual one, with this text. The terminal must be free for it.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(super) fn start(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let name = named(&variable)
            .ok_or("there is no editor here: set EDITOR to the one that you like, as in EDITOR=nano")?;
        let folder = Folder::make().and_then(|folder| folder.write(text).map(|()| folder));
        let folder = folder.map_err(|error| {
            format!("there is no place to write in: {}: {error}", std::env::temp_dir().display())
        })?;
        let child = command(&name, &folder.file()).kill_on_drop(true).spawn();
        let child =
            child.map_err(|error| format!("{name} does not start: {error}. Set EDITOR to another one"))?;
        Ok(Self { child, name, folder })
    }

    /// Waits until it has ended, and says what was written. May be dropped and called again.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(super) async fn ended(&mut self) -> Result<String, String> {
        let name = &self.name;
        let status = self.child.wait().await.map_err(|error| format!("{name} went away: {error}"))?;
        if !status.success() {
            // What a shell says of a command that it does not find.
            let hint = if status.code() == Some(127) { ": set EDITOR to one that there is" } else { "" };
            return Err(format!("{name} ended with {status}{hint}. The message is as it was"));
        }
        match read(&self.folder.file()) {
            Ok(Some(text)) => Ok(text),
            Ok(None) => {
                self.folder.stays = true;
                let path = self.folder.file();
                Err(format!(
                    "the input holds {} KiB: what you wrote is in {}",
                    INPUT_BYTES / 1024,
                    path.display()
                ))
            }
            Err(error) => Err(format!("{name} left nothing to read: {error}. The message is as it was")),
        }
    }

    /// Asks it to end, so that it gives the terminal back.
    pub(super) async fn stop(mut self) {
        if let (true, Some(id)) = (cfg!(unix), self.child.id()) {
            let asked = Command::new("sh").args(["-c", &format!("kill -TERM {id}")]).status();
            // Killed when it is dropped, if it does not.
            let _ = timeout(STOPPING, async { (asked.await, self.child.wait().await) }).await;
        }
    }
}

/// The editor that the environment names, or the first usual one that is found.
fn named(variable: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let named = ["VISUAL", "EDITOR"].iter().filter_map(|name| variable(name));
    let path = variable("PATH").unwrap_or_default();
    let found = || {
        let mut usual = USUAL.iter();
        usual.find(|name| std::env::split_paths(OsStr::new(&path)).any(|folder| folder.join(name).is_file()))
    };
    named.into_iter().find(|name| !name.trim().is_empty()).or_else(|| found().map(|name| (*name).to_owned()))
}

/// What is named may have arguments: a shell takes them apart, as it does for all who ask for an editor.
fn command(name: &str, file: &Path) -> Command {
    let mut command = if cfg!(unix) {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("{name} \"$1\"")).arg("sh");
        shell
    } else {
        let mut words = name.split_whitespace();
        let mut program = Command::new(words.next().unwrap_or_default());
        program.args(words);
        program
    };
    command.arg(file).stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    command
}

/// What is in the file; `None` if the input does not hold it.
fn read(path: &Path) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let max = INPUT_BYTES as u64;
    File::open(path)?.take(max + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= INPUT_BYTES).then(|| String::from_utf8_lossy(&bytes).into_owned()))
}

/// A folder for the file alone, since editors put their own files beside it.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// What is in it is worth more than order.
    stays: bool,
}

impl Folder {
    fn make() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("parlor-{}", Uuid::new_v4().simple()));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        Ok(Self { path, stays: false })
    }

    fn file(&self) -> PathBuf {
        self.path.join(FILE)
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(self.file())?.write_all(text.as_bytes())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.stays {
            // In the folder for what is passing, something that stays behind is not worth a word.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn environment(editor: &'static str) -> impl Fn(&str) -> Option<String> {
        move |name| match name {
            "VISUAL" => Some(String::new()),
            "EDITOR" => Some(editor.to_owned()),
            _ => None,
        }
    }

    #[tokio::test]
    async fn what_was_written_comes_back_and_the_file_is_gone() {
        // With an argument, as some editors need one; it looks at what it was given.
        let script = "f() { test \"$1\" = -w && ls -l \"$2\" | grep -q ^-rw------- && printf ' and more\\n' >> \"$2\"; }; f -w";
        let mut editor = Editor::start("a draft", environment(script)).unwrap();
        let file = editor.folder.file();
        assert_eq!(editor.ended().await, Ok("a draft and more\n".to_owned()));
        drop(editor);
        assert!(!file.exists() && !file.parent().unwrap().exists());
    }

    #[tokio::test]
    async fn what_goes_wrong_is_said() {
        let ended = async |script| Editor::start("a draft", environment(script)).unwrap().ended().await;
        assert_eq!(
            ended("exit 3; true").await,
            Err("exit 3; true ended with exit status: 3. The message is as it was".to_owned())
        );
        assert!(ended("no-such-editor").await.unwrap_err().contains("set EDITOR to one that there is"));
        assert!(ended("rm").await.unwrap_err().contains("left nothing to read"));
        let error = Editor::start("", |_| None).unwrap_err();
        assert!(error.contains("set EDITOR"), "{error}");
    }

    #[tokio::test]
    async fn what_the_input_does_not_hold_stays_where_it_is() {
        let script = "f() { head -c 200000 /dev/zero | tr '\\0' x > \"$1\"; }; f";
        let mut editor = Editor::start("", environment(script)).unwrap();
        let sentence = editor.ended().await.unwrap_err();
        let file = editor.folder.file();
        assert!(sentence.contains(&*file.to_string_lossy()), "{sentence}");
        drop(editor);
        assert_eq!(fs::metadata(&file).unwrap().len(), 200_000);
        fs::remove_dir_all(file.parent().unwrap()).unwrap();
    }
}
