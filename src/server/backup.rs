//! `parlor backup`: all that a parlor is made of, in one file, while it is at work.
//!
//! What is copied is a state that there was: SQLite reads each file as it is at one moment, and what the log's journal holds
//! beyond it comes into the copy too. The log comes first. What is
//! known of people is then newer than what they have said: the other way round the log could name a person whom the copy
//! does not know, and whose number it would give to the next one.
//!
//! The index of the search is left out. It is made again from the log.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use rusqlite::{Connection, OpenFlags};
use thiserror::Error;
use uuid::Uuid;

use super::private::{open_private, write_private};
use super::{door, log, registry, tls};
use crate::protocol::time::Time;

/// Why there is no backup. Nothing is left of it then.
#[derive(Debug, Error)]
pub enum BackupError {
    /// It would take the place of another.
    #[error("{0} is there already: choose another name, or say --force to replace it")]
    Exists(PathBuf),
    /// There is nothing to save.
    #[error("there is no parlor in {0}: name its folder with --data")]
    NoParlor(PathBuf),
    /// The log's journal is damaged.
    #[error(
        "{0} is damaged, and what comes behind that is whole: take an earlier copy of the folder, or move this file away to \
         save the parlor without what is in it"
    )]
    Damaged(PathBuf),
    /// The folder of the parlor cannot be read.
    #[error("cannot copy {0}: {1}")]
    Copy(PathBuf, rusqlite::Error),
    /// A file or folder.
    #[error("cannot use {0}: {1}")]
    File(PathBuf, io::Error),
}

/// How long it waits for a server that is just starting or ending.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the log is copied before its journal is taken for damaged: a server may empty and fill it while it is read, which
/// is over sooner than that.
const ATTEMPTS: usize = 3;

/// Writes the parlor in the folder `data` into a tar archive at `to`, for its owner only. A file of that name is replaced only
/// if `force` says so, and only once the new one is whole.
///
/// # Errors
/// When anything of it cannot be read or written.
pub fn backup(data: &Path, to: &Path, force: bool) -> Result<(), BackupError> {
    let is_free = || if force || !to.exists() { Ok(()) } else { Err(BackupError::Exists(to.to_owned())) };
    is_free()?;
    if !data.join(log::FILE).exists() {
        return Err(BackupError::NoParlor(data.to_owned()));
    }
    let workshop = Workshop::beside(to)?;
    let archive = workshop.0.join("archive");
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| BackupError::File(path, error)
    };
    let mut tar = tar::Builder::new(open_private(&archive).map_err(at(&archive))?);
    tar.mode(tar::HeaderMode::Deterministic);
    for name in [log::FILE, registry::FILE] {
        let (from, copy) = (data.join(name), workshop.0.join(name));
        if from.exists() {
            let named = copy.to_str().ok_or_else(|| at(to)(io::ErrorKind::InvalidFilename.into()))?;
            if name == log::FILE {
                copy_log(data, &from, named)?;
            } else {
                copy_database(&from, named).map_err(|error| BackupError::Copy(from, error))?;
            }
            add(&mut tar, &copy, name).map_err(at(&copy))?;
            fs::remove_file(&copy).map_err(at(&copy))?;
        }
    }
    for name in [tls::CERTIFICATE, tls::KEY, door::WORDS_FILE] {
        let from = data.join(name);
        if from.exists() {
            add(&mut tar, &from, name).map_err(at(&from))?;
        }
    }
    let whole = tar.into_inner().and_then(|file| file.sync_all());
    whole.map_err(at(&archive))?;
    is_free()?;
    fs::rename(&archive, to).map_err(at(to))
}

/// The file whose age is that of the newest backup.
const LAST: &str = "last-backup";

/// Notes in the folder of a parlor that it was saved just now, for [`last`].
///
/// # Errors
/// When the folder does not take it.
pub fn note(data: &Path) -> io::Result<()> {
    write_private(&data.join(LAST), &format!("{}\n", Time::now()))
}

/// When the parlor in this folder was saved, as far as the folder knows. Whoever made the backup may be somebody whose file
/// we cannot read: its age tells.
pub fn last(data: &Path) -> Option<Time> {
    let made = fs::metadata(data.join(LAST)).and_then(|file| file.modified()).ok()?;
    let age = made.duration_since(UNIX_EPOCH).ok()?;
    Some(Time::from_millis(i64::try_from(age.as_millis()).ok()?))
}

/// A copy of the log, with all that was committed before it was made.
fn copy_log(data: &Path, from: &Path, to: &str) -> Result<(), BackupError> {
    let path = data.join(log::JOURNAL);
    for _ in 0..ATTEMPTS {
        // Before the copy is made: what is settled in between is in both, and never in neither.
        let journal = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read.map_err(|error| BackupError::File(path.clone(), error))?,
        };
        let copied = copy_database(from, to).and_then(|()| log::complete(Path::new(to), journal));
        if copied.map_err(|error| BackupError::Copy(from.to_owned(), error))? {
            return Ok(());
        }
        fs::remove_file(to).map_err(|error| BackupError::File(PathBuf::from(to), error))?;
    }
    Err(BackupError::Damaged(path))
}

/// A copy of a database as it is at this moment, without what was taken out of it.
fn copy_database(from: &Path, to: &str) -> rusqlite::Result<()> {
    // Not read-only: a server that was killed has left something to put in order.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(from, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.execute("VACUUM INTO ?1", [to]).map(drop)
}

fn add(tar: &mut tar::Builder<File>, path: &Path, name: &str) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut header = tar::Header::new_gnu();
    header.set_metadata_in_mode(&file.metadata()?, tar::HeaderMode::Deterministic);
    header.set_mode(0o600);
    tar.append_data(&mut header, name, &mut file)
}

/// A folder for what is not done yet, on the disk where it is to be, for its owner alone. It goes with all that is in it.
struct Workshop(PathBuf);

impl Workshop {
    fn beside(to: &Path) -> Result<Self, BackupError> {
        let mut name = to.as_os_str().to_owned();
        name.push(format!(".{}", Uuid::new_v4().simple()));
        let path = PathBuf::from(name);
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // Its own name says nothing to people, who know the folder that it is to be in.
        let folder = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        builder.create(&path).map_err(|error| BackupError::File(folder.to_owned(), error))?;
        Ok(Self(path))
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // What cannot be removed was not made, or is for somebody to look at.
        drop(fs::remove_dir_all(&self.0));
    }
}
