//! What is written is kept in files: drafts until they are sent, and the last inputs. One of each for every parlor, in the
//! client's folder for data, for their owner alone.

mod drafts;
mod inputs;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use tokio::task::{JoinHandle, spawn_blocking};
use uuid::Uuid;

use super::state::drafts::{Draft, Recalled};
use crate::client::StoreError;
use crate::protocol::name::RoomName;

/// What has changed of a parlor's drafts: `None` where there is none any more.
type Changes = BTreeMap<RoomName, Option<Draft>>;

/// Keeps what is written, and does not hold up the screen for a disk that is slow.
#[derive(Debug)]
pub(super) struct Keeper {
    folder: PathBuf,
    /// A file is being written.
    writing: Option<JoinHandle<Result<(), StoreError>>>,
    /// What is written next: of each room the newest alone, so it is never more than the drafts are.
    waiting: BTreeMap<Uuid, Changes>,
    /// It was said already that something cannot be kept.
    told: bool,
}

impl Keeper {
    /// Keeps it in this folder, which is made when there is something to keep.
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), writing: None, waiting: BTreeMap::new(), told: false }
    }

    /// What was kept of a parlor.
    pub(super) fn recall(&mut self, parlor: Uuid) -> Recalled {
        let (drafts, wrong) = match drafts::load(&self.drafts_of(parlor)) {
            Ok(drafts) => (drafts, None),
            Err(error) => (BTreeMap::new(), Some(format!("drafts are not kept this time: {error}"))),
        };
        let (inputs, unread) = match inputs::load(&self.inputs_of(parlor)) {
            Ok(inputs) => (inputs, None),
            Err(error) => (Vec::new(), Some(format!("what you wrote before is not kept this time: {error}"))),
        };
        let wrong = wrong.or(unread);
        self.told |= wrong.is_some();
        Recalled { parlor, drafts, inputs, wrong }
    }

    /// Keeps these drafts, soon.
    pub(super) fn keep_drafts(&mut self, parlor: Uuid, changes: Vec<(RoomName, Option<Draft>)>) {
        self.waiting.entry(parlor).or_default().extend(changes);
        self.go_on();
    }

    /// Keeps this input. Gives a sentence where that fails and was not said yet.
    pub(super) fn keep_input(&mut self, parlor: Uuid, input: &str) -> Option<String> {
        inputs::append(&self.inputs_of(parlor), input).err().and_then(|error| self.tell(&error))
    }

    /// Waits until a file is written; for ever if none is. Gives a sentence where that failed and was not said yet.
    pub(super) async fn written(&mut self) -> Option<String> {
        let Some(writing) = &mut self.writing else { return std::future::pending().await };
        let done = writing.await;
        self.writing = None;
        self.go_on();
        match done {
            Ok(Err(error)) => self.tell(&error),
            // It panicked, which has been told, or the runtime is ending.
            Ok(Ok(())) | Err(_) => None,
        }
    }

    /// Writes all that waits. Says whether it is kept.
    pub(super) async fn finish(&mut self) -> bool {
        while self.writing.is_some() {
            self.written().await;
        }
        !self.told
    }

    fn go_on(&mut self) {
        if self.writing.is_none()
            && let Some((parlor, changes)) = self.waiting.pop_first()
        {
            let path = self.drafts_of(parlor);
            self.writing = Some(spawn_blocking(move || drafts::keep(&path, changes)));
        }
    }

    fn tell(&mut self, error: &StoreError) -> Option<String> {
        let first = !std::mem::replace(&mut self.told, true);
        first.then(|| format!("what you write is not kept for the next time: {error}"))
    }

    fn drafts_of(&self, parlor: Uuid) -> PathBuf {
        self.folder.join("drafts").join(format!("{parlor}.toml"))
    }

    fn inputs_of(&self, parlor: Uuid) -> PathBuf {
        self.folder.join("inputs").join(format!("{parlor}.jsonl"))
    }
}

/// What is in a file of at most `max` bytes; nothing where there is none.
fn read(path: &Path, max: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::reading(path, error)),
    };
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes).map_err(|error| StoreError::reading(path, error))?;
    if u64::try_from(bytes.len()).is_ok_and(|read| read <= max) {
        Ok(Some(bytes))
    } else {
        Err(StoreError::reading(path, invalid(format!("it has more than {} KiB", max / 1024))))
    }
}

fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}
