//! What the client keeps about servers: text files of one line each, for people to read and to edit.
//!
//! MUST: a file is only ever replaced as a whole, by a new one that is on the disk already and that nobody else
//! can read; whoever looks at any moment finds the old one or the new one.
//! MUST: comments, and lines that are not understood, stay where they are, as they are: they may be somebody's notes or
//! come from a later version.
//! MUST: before a change the file is read again, under a lock, so that two clients at once do not undo
//! what the other one wrote.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::protocol::address::Address;
use crate::protocol::invite::shell_word;

/// A file of the client's could not be read or written, as a sentence that says what to do.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It cannot be read.
    #[error("{path} cannot be read: {error}. Correct its permissions, or move it away to begin anew")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// It, or the folder that it is in, cannot be written.
    #[error(
        "{path} cannot be written: {error}. See to the permissions of its folder and the space on the disk"
    )]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Others can read what must stay secret.
    #[error("others on this machine may have read {path}, and could be you; to use it all the same, type: chmod 600 {}", shell_word(&.path.to_string_lossy()))]
    Exposed {
        /// Which file.
        path: PathBuf,
    },
    /// A file that holds no identity is in the place of one.
    #[error(
        "{path} is not the identity that it should be: restore it from a copy, or move it away, and you are somebody new"
    )]
    NoIdentity {
        /// Which file.
        path: PathBuf,
    },
    /// An invite would have us do without TLS where there was TLS before.
    #[error(
        "this invite says that {address} speaks no TLS, and it did before: whoever made it may want to read along. If its host says that it is so, add --plain"
    )]
    Downgrade {
        /// Where.
        address: Address,
    },
    /// An address that does not fit into a line.
    #[error("an address with a line break or another control character in it cannot be kept")]
    Unwritable,
    /// No random bytes.
    #[error("this system has no randomness to give, without which there are no secrets")]
    Randomness,
}

impl StoreError {
    pub(super) fn reading(path: &Path, error: io::Error) -> Self {
        Self::Read { path: path.to_owned(), error }
    }

    pub(super) fn writing(path: &Path, error: io::Error) -> Self {
        Self::Write { path: path.to_owned(), error }
    }
}

/// What a file keeps about each server: two words behind its address.
pub(super) trait Record: Sized {
    /// The comment at the top of a new file. Each line begins with `#`.
    const ABOUT: &'static str;

    /// Reads the two words. `None` if that is not what they are.
    fn read(first: &str, second: &str) -> Option<Self>;

    /// The two words, a space between them.
    fn written(&self) -> String;
}

/// A file, as it was when it was last read.
pub(super) struct Store<R> {
    path: PathBuf,
    lines: Vec<Line<R>>,
    warnings: Vec<String>,
}

/// A line without its end, and what it says, if it says anything.
struct Line<R> {
    text: String,
    record: Option<(Address, R)>,
}

impl<R: Record> Store<R> {
    /// Reads the file. One that is not there is empty.
    pub(super) fn open(path: PathBuf) -> Result<Self, StoreError> {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => R::ABOUT.to_owned(),
            Err(error) => return Err(StoreError::reading(&path, error)),
        };
        let mut warnings = Vec::new();
        let lines = text.split_terminator('\n').enumerate().map(|(index, line)| {
            let record = read_line(line);
            let says_nothing = line.trim().is_empty() || line.trim_start().starts_with('#');
            if record.is_none() && !says_nothing {
                warnings.push(format!("{}, line {}, is not understood", path.display(), index + 1));
            }
            Line { text: line.to_owned(), record }
        });
        Ok(Self { lines: lines.collect(), path, warnings })
    }

    /// What is not understood, each with the file and the number of the line.
    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What was last read about a server. Of several lines about it the first counts.
    pub(super) fn get(&self, address: &Address) -> Option<&R> {
        self.lines.iter().find_map(|line| line.about(address))
    }

    /// What was last read about each server, in the order of the file.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Address, &R)> {
        self.lines.iter().filter_map(|line| line.record.as_ref()).map(|(address, record)| (address, record))
    }

    /// Writes one line about a server, in the place of those that were there.
    pub(super) fn put(&mut self, address: &Address, record: R) -> Result<(), StoreError> {
        let text = format!("{address} {}", record.written());
        if text.contains(char::is_control) {
            return Err(StoreError::Unwritable);
        }
        self.change(|lines| {
            let place = lines.iter().position(|line| line.about(address).is_some()).unwrap_or(lines.len());
            lines.retain(|line| line.about(address).is_none());
            lines.insert(place, Line { text, record: Some((address.clone(), record)) });
            true
        })?;
        Ok(())
    }

    /// Removes the lines about a server, and says whether there were any.
    pub(super) fn remove(&mut self, address: &Address) -> Result<bool, StoreError> {
        self.change(|lines| {
            let before = lines.len();
            lines.retain(|line| line.about(address).is_none());
            lines.len() < before
        })
    }

    /// Reads the file again, changes it, and writes it if `change` says that something changed.
    fn change(&mut self, change: impl FnOnce(&mut Vec<Line<R>>) -> bool) -> Result<bool, StoreError> {
        let _lock = lock(&self.path)?;
        let mut fresh = Self::open(self.path.clone())?;
        let changed = change(&mut fresh.lines);
        if changed {
            let text: String = fresh.lines.iter().flat_map(|line| [&line.text, "\n"]).collect();
            replace(&self.path, &text)?;
            // The lines have other numbers now.
            fresh = Self::open(self.path.clone())?;
        }
        *self = fresh;
        Ok(changed)
    }
}

impl<R> Line<R> {
    fn about(&self, address: &Address) -> Option<&R> {
        self.record.as_ref().filter(|(known, _)| same_server(known, address)).map(|(_, record)| record)
    }
}

/// The lines may hold secrets.
impl<R> std::fmt::Debug for Store<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.path).finish_non_exhaustive()
    }
}

/// `ADDRESS FIRST SECOND`. Read from its end, because there may be spaces in the path of a Unix socket.
fn read_line<R: Record>(line: &str) -> Option<(Address, R)> {
    let mut words = line.trim_end().rsplitn(3, ' ');
    let (second, first, address) = (words.next()?, words.next()?, words.next()?);
    Some((address.parse().ok()?, R::read(first, second)?))
}

/// In the name of a host, capitals make no difference.
fn same_server(one: &Address, other: &Address) -> bool {
    match (one, other) {
        (Address::Tcp { host, port }, Address::Tcp { host: other_host, port: other_port }) => {
            host.eq_ignore_ascii_case(other_host) && port == other_port
        }
        _ => one == other,
    }
}

/// A file beside `path`, with more behind its name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Keeps other clients from changing the file `path` until it is dropped; waits while another one does. The lock is a
/// file of its own, because `path` itself is replaced. Creates the folder, for its owner alone.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let failed = |error| StoreError::writing(path, error);
    if let Some(folder) = path.parent() {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(failed)?;
    }
    let file = private().create(true).truncate(false).open(beside(path, ".lock")).map_err(failed)?;
    match file.lock() {
        // A file system without locks. What is lost without one is a line, if two clients write at the same moment.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(file),
        locked => locked.map(|()| file).map_err(failed),
    }
}

/// Replaces the file `path` with one for its owner alone. The caller holds the [`lock`].
pub(super) fn replace(path: &Path, text: &str) -> Result<(), StoreError> {
    let new = beside(path, ".new");
    let write = || {
        // Left behind by one that was killed here. Opened again it would keep the permissions that it has.
        if let Err(error) = fs::remove_file(&new)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut file = private().create_new(true).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().map_err(|error| StoreError::writing(path, error))
}

/// To write what nobody else may read, from its first moment.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two words, neither of which is `bad`.
    #[derive(Debug, PartialEq)]
    struct Words(String, String);

    impl Record for Words {
        const ABOUT: &'static str = "# what this is\n";

        fn read(first: &str, second: &str) -> Option<Self> {
            (first != "bad" && second != "bad").then(|| Self(first.to_owned(), second.to_owned()))
        }

        fn written(&self) -> String {
            format!("{} {}", self.0, self.1)
        }
    }

    fn words(first: &str, second: &str) -> Words {
        Words(first.to_owned(), second.to_owned())
    }

    fn at(raw: &str) -> Address {
        raw.parse().unwrap()
    }

    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/when needed/file");
        (folder, path)
    }

    #[test]
    fn a_file_is_made_when_there_is_something_to_keep() {
        let (_folder, path) = place();
        let mut store = Store::open(path.clone()).unwrap();
        assert_eq!(store.get(&at("host")), None);
        assert!(!store.remove(&at("host")).unwrap() && !path.exists());
        store.put(&at("host"), words("a", "b")).unwrap();
        store.put(&at("unix:/a b c"), words("c", "d")).unwrap();
        store.put(&at("[::1]:9"), words("e", "f")).unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "# what this is\nhost:7878 a b\nunix:/a b c c d\n[::1]:9 e f\n"
        );
        let store = Store::<Words>::open(path).unwrap();
        assert_eq!(store.get(&at("HOST:7878")), Some(&words("a", "b")));
        assert_eq!(store.get(&at("host:7879")), None);
        assert_eq!(store.get(&at("unix:/a b c")), Some(&words("c", "d")));
        assert!(store.warnings().is_empty());
    }

    #[test]
    fn what_is_not_understood_stays_as_it_is() {
        let (folder, _) = place();
        let path = folder.path().join("file");
        let before = "\n# mine\r\nhost a b\nHost bad b\n  ?  \nhost c d\nlater 1 2 3\nother e f\r\nlast x y";
        fs::write(&path, before).unwrap();
        let mut store = Store::<Words>::open(path.clone()).unwrap();
        let shown = path.display();
        let warnings = [4, 5, 7].map(|line| format!("{shown}, line {line}, is not understood"));
        assert_eq!(store.warnings(), warnings);
        assert_eq!(store.get(&at("host")), Some(&words("a", "b")));
        assert_eq!(store.get(&at("other")), Some(&words("e", "f")));

        store.put(&at("host"), words("new", "new")).unwrap();
        assert!(store.remove(&at("last")).unwrap());
        let after = "\n# mine\r\nhost:7878 new new\nHost bad b\n  ?  \nlater 1 2 3\nother e f\r\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), after);
        assert_eq!(store.warnings()[2], format!("{shown}, line 6, is not understood"));
    }

    #[test]
    fn two_clients_at_once_lose_nothing() {
        let (_folder, path) = place();
        let writers = (0..4).map(|writer| {
            let path = path.clone();
            std::thread::spawn(move || {
                let mut store = Store::open(path).unwrap();
                for n in 0..10 {
                    store.put(&at(&format!("host{writer}:{n}")), words("a", "b")).unwrap();
                }
            })
        });
        writers.collect::<Vec<_>>().into_iter().for_each(|writer| writer.join().unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 41);
    }

    #[test]
    fn no_address_breaks_out_of_its_line() {
        let (_folder, path) = place();
        let mut store = Store::open(path.clone()).unwrap();
        let evil = Address::Unix("/x\nhost:7878".into());
        assert!(matches!(store.put(&evil, words("a", "b")), Err(StoreError::Unwritable)));
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;

        let (_folder, path) = place();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let mut store = Store::open(path.clone()).unwrap();
        store.put(&at("host"), words("a", "b")).unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        // Also after it was opened to others, and with what a killed one left behind.
        for path in [&path, &beside(&path, ".new")] {
            fs::write(path, "").unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
        }
        store.put(&at("host"), words("c", "d")).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert!(!beside(&path, ".new").exists());
    }

    #[test]
    fn an_error_names_the_file() {
        let (folder, _) = place();
        let error = Store::<Words>::open(folder.path().to_owned()).unwrap_err();
        assert!(error.to_string().starts_with(&folder.path().display().to_string()), "{error}");
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let below = file.join("below");
        let error = lock(&below).unwrap_err();
        assert!(error.to_string().starts_with(&below.display().to_string()), "{error}");
    }
}
