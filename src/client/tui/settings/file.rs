//! The settings file: read leniently, looked at now and then, changed line by line.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::read::{Fault, Origin, Reading, read};
use super::{Change, Settings, edit, setting, table};
use crate::client::store::{lock, replace};
use crate::protocol::text::Line;

/// Bytes of a settings file: a hundred times the example. Whatever is longer is something else.
const FILE_BYTES: u64 = 512 * 1024;

/// What stands at the top of a file that `/set` makes.
const ABOUT: &str = "\
# parlor's settings. /set shows them all; assets/config.toml in parlor's sources says what each of them does, and
# docs/keys.md which keys can be bound.
";

/// By what one sees that a file has changed: when it was written last, and its bytes. `None` if it is not there.
type Stamp = Option<(Option<SystemTime>, u64)>;

/// Where settings are kept.
#[derive(Clone, Debug)]
pub struct SettingsFile {
    path: PathBuf,
    /// Somebody has named it, and thinks that it is there.
    named: bool,
    /// What it was when it was read last.
    seen: Option<Stamp>,
}

impl SettingsFile {
    /// The one at `path`, which is made when there is something to keep.
    pub fn at(path: PathBuf) -> Self {
        Self { path, named: false, seen: None }
    }

    /// The one that somebody named: that it is not there is worth a sentence.
    pub fn named(path: PathBuf) -> Self {
        Self { path, named: true, seen: None }
    }

    /// Whether it is there.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Reads it. What is wrong with it is part of what comes of that.
    pub fn read(&mut self) -> Reading {
        // Before the text: what is written meanwhile is seen the next time.
        self.seen = Some(stamp(&self.path));
        let mut reading = match text(&self.path) {
            Ok(Some(text)) => read(&text),
            Ok(None) => {
                let mut origin = Origin::default();
                if self.named {
                    origin
                        .faults
                        .push(Fault { line: None, says: "it is not there: /set makes it".to_owned() });
                }
                Reading { settings: Some(Settings::default()), origin }
            }
            Err(says) => {
                let faults = vec![Fault { line: None, says }];
                Reading { settings: None, origin: Origin { faults, exists: true, ..Origin::default() } }
            }
        };
        reading.origin.path = Line::lossy(&self.path.to_string_lossy()).as_str().to_owned();
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        reading.origin.name = Line::lossy(&name).as_str().to_owned();
        reading
    }

    /// Reads it if it is not what it was.
    pub fn read_if_changed(&mut self) -> Option<Reading> {
        (self.seen != Some(stamp(&self.path))).then(|| self.read())
    }

    /// Keeps one change, and leaves everything else in the file as it is.
    ///
    /// # Errors
    /// A sentence that says what to do, when the file cannot be read, understood or written; it stays as it is.
    pub fn keep(&self, change: &Change) -> Result<(), String> {
        // What a link leads to is what is replaced, and not the link.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let _lock = lock(&path).map_err(|error| error.to_string())?;
        let before = text(&path)?;
        let Change::Set(name, value) = change;
        let setting = setting(name).ok_or_else(|| table::unknown(name))?;
        let (section, value) = (setting.section, value.as_ref().map(super::Value::to_toml));
        let shown = self.path.file_name().unwrap_or_default().to_string_lossy();
        let after = edit::set(before.as_deref().unwrap_or(ABOUT), section, name, value.as_deref())
            .map_err(|says| format!("{}, {says}", Line::lossy(&shown).as_str()))?;
        if before.is_none() && value.is_none() || before.as_ref() == Some(&after) {
            return Ok(());
        }
        if !holds(&after, change) {
            return Err(format!("{}: change {name} there", Line::lossy(&shown).as_str()));
        }
        replace(&path, &after).map_err(|error| error.to_string())
    }
}

/// Whether a text sets what was to be set.
fn holds(text: &str, change: &Change) -> bool {
    read(text).settings.is_some_and(|settings| {
        let mut wanted = settings.clone();
        wanted.apply(change).is_ok() && wanted == settings
    })
}

fn stamp(path: &Path) -> Stamp {
    // A file system without times has lengths still.
    fs::metadata(path).ok().map(|metadata| (metadata.modified().ok(), metadata.len()))
}

/// The text of the file; `None` if it is not there.
fn text(path: &Path) -> Result<Option<String>, String> {
    let unreadable =
        |error: io::Error| format!("it cannot be read ({error}): see to its permissions, or move it away");
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata.map_err(unreadable)?,
    };
    // What is no file may never end, or never begin.
    if !metadata.is_file() {
        return Err("it is no file: name another one".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(format!(
            "it is larger than {} KiB, and no settings file is: name another one",
            FILE_BYTES / 1024
        ));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| "it is not text in UTF-8: save it as that".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::Value;
    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/config.toml");
        (folder, path)
    }

    fn bell(on: bool) -> Change {
        Change::Set("bell", Some(Value::Switch(on)))
    }

    #[test]
    fn what_is_set_is_found_again() {
        let (_folder, path) = place();
        let mut file = SettingsFile::at(path.clone());
        assert_eq!(file.read().settings, Some(Settings::default()));
        file.keep(&Change::Set("bell", None)).unwrap();
        assert!(!path.exists(), "nothing was to be kept");
        let words = Value::Words(vec!["ferris".to_owned(), "crab".to_owned()]);
        let changes = [
            bell(false),
            Change::Set("words", Some(words)),
            Change::Set("time-format", Some(Value::Text("%H:%M:%S".to_owned()))),
            Change::Set("names-width", Some(Value::Number(20))),
            Change::Set("rooms-pane", Some(Value::Text("off".to_owned()))),
            Change::Set("names-width", None),
        ];
        let mut expected = Settings::default();
        for change in &changes {
            expected.apply(change).unwrap();
            file.keep(change).unwrap();
        }
        assert_eq!(file.read().settings, Some(expected));
        insta::assert_snapshot!(fs::read_to_string(&path).unwrap(), @r#"
        # parlor's settings. /set shows them all; assets/config.toml in parlor's sources says what each of them does, and
        # docs/keys.md which keys can be bound.

        [notices]
        bell = false
        words = ["ferris", "crab"]

        [screen]
        time-format = "%H:%M:%S"
        rooms-pane = "off"
        "#);
    }

    #[test]
    fn a_file_that_is_not_understood_stays_as_it_is() {
        let (_folder, path) = place();
        let mut file = SettingsFile::at(path.clone());
        file.keep(&bell(false)).unwrap();
        fs::write(&path, "[notices]\nbell = maybe").unwrap();
        let reading = file.read();
        assert_eq!(reading.settings, None);
        let complaint = reading.origin.complaint().unwrap();
        assert!(complaint.starts_with("config.toml, line 2: this is not TOML"), "{complaint}");
        assert_eq!(
            file.keep(&bell(true)),
            Err("config.toml, line 2 is not TOML: correct it first".to_owned())
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "[notices]\nbell = maybe");
    }

    #[test]
    fn what_is_no_settings_file_is_told_in_words() {
        let (folder, path) = place();
        let complaint = |mut file: SettingsFile| file.read().origin.complaint();
        assert_eq!(complaint(SettingsFile::at(path.clone())), None);
        let missing = "config.toml: it is not there: /set makes it";
        assert_eq!(complaint(SettingsFile::named(path.clone())).as_deref(), Some(missing));
        assert!(complaint(SettingsFile::at(folder.path().to_owned())).unwrap().contains("it is no file"));
        fs::create_dir(path.parent().unwrap()).unwrap();
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(complaint(SettingsFile::at(path.clone())).unwrap().contains("UTF-8"));
        fs::write(&path, vec![b'#'; 600 * 1024]).unwrap();
        assert!(complaint(SettingsFile::at(path)).unwrap().contains("larger than 512 KiB"));
    }

    #[test]
    fn it_is_read_again_when_it_has_changed() {
        let (_folder, path) = place();
        let mut file = SettingsFile::at(path.clone());
        file.read();
        assert_eq!(file.read_if_changed(), None);
        file.keep(&bell(false)).unwrap();
        let reading = file.read_if_changed().unwrap();
        assert_eq!(reading.settings.map(|settings| settings.bell), Some(false));
        assert_eq!(reading.origin.lines.get("bell"), Some(&5));
        assert_eq!(file.read_if_changed(), None);
        fs::remove_file(&path).unwrap();
        assert_eq!(file.read_if_changed().unwrap().settings, Some(Settings::default()));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_it_stays_a_link() {
        let (folder, path) = place();
        let target = folder.path().join("dotfiles.toml");
        fs::write(&target, "# mine\n").unwrap();
        fs::create_dir(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        SettingsFile::at(path.clone()).keep(&bell(false)).unwrap();
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "# mine\n\n[notices]\nbell = false\n");
    }
}
