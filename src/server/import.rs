//! `parlor import`: reads what `parlor export --format json` wrote into a room of this machine's log.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::log::import::{Import, ImportError};
use crate::protocol::event::Entry;
use crate::protocol::limits::EVENT_BYTES;
use crate::protocol::name::RoomName;

/// Why a file was not imported. The log is as it was.
#[derive(Debug, Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, io::Error),
    /// A line of it is something else.
    #[error(
        "{file}, line {line}: this is no entry of a log, as `parlor export --format json` writes them: {why}"
    )]
    NoEntry {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// An entry cannot come in.
    #[error("{file}, line {line}: {why}")]
    Entry {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        why: ImportError,
    },
    /// The log, or all of the file.
    #[error("{0}: {1}")]
    Whole(PathBuf, ImportError),
    /// The log.
    #[error(transparent)]
    Log(#[from] ImportError),
}

/// Brings all entries of a file into a room that has none, in the log of the folder `data`, which no server may use: how
/// many there were.
///
/// # Errors
/// With the line that is in the way; nothing has changed then.
pub fn import(file: &Path, room: &RoomName, data: &Path) -> Result<u64, FileError> {
    let read = |error| FileError::Read(file.to_owned(), error);
    let mut lines = BufReader::new(File::open(file).map_err(read)?);
    let mut import = Import::begin(data, room)?;
    let mut json = Vec::new();
    for line in 1.. {
        json.clear();
        // One byte more than there may be, to see that there are more.
        let bytes = lines.by_ref().take(EVENT_BYTES as u64 + 1).read_until(b'\n', &mut json).map_err(read)?;
        if bytes == 0 {
            break;
        }
        let no_entry = |why: String| FileError::NoEntry { file: file.to_owned(), line, why };
        if bytes > EVENT_BYTES {
            return Err(no_entry(format!("it has more than {EVENT_BYTES} bytes")));
        }
        if json.trim_ascii().is_empty() {
            continue;
        }
        let entry: Entry = serde_json::from_slice(&json).map_err(|error| no_entry(error.to_string()))?;
        import.add(entry).map_err(|why| FileError::Entry { file: file.to_owned(), line, why })?;
    }
    import.finish().map_err(|error| FileError::Whole(file.to_owned(), error))
}
