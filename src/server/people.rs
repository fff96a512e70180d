//! The registry as the connections share it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::Disk;
use super::log::StoreError;
use super::registry::{Mute, Registry, RegistryError, Whom};
use crate::protocol::event::Failure;
use crate::protocol::name::RoomName;
use crate::protocol::time::Time;

/// A registry behind a lock. Changes wait for the disk on a thread of their own.
#[derive(Clone, Debug)]
pub struct SharedRegistry(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    registry: Mutex<Registry>,
    /// Nobody is muted: so that a message need not wait for a change that is being written.
    is_nobody_muted: AtomicBool,
    disk: Disk,
}

impl SharedRegistry {
    /// Puts the lock around it. `disk` says who waits for changes.
    pub fn new(registry: Registry, disk: Disk) -> Self {
        let is_nobody_muted = AtomicBool::new(registry.mutes(Time::now()).is_empty());
        Self(Arc::new(Shared { registry: Mutex::new(registry), is_nobody_muted, disk }))
    }

    /// Takes the lock, to ask something. It may be held for as long as a commit takes; do not hold it across an await.
    pub fn lock(&self) -> MutexGuard<'_, Registry> {
        // What was being changed was not changed then.
        self.0.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something.
    ///
    /// # Errors
    /// What the registry says, for the wire.
    pub async fn change<T, F>(&self, change: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&mut Registry, Time) -> Result<T, Failure> + Send + 'static,
    {
        let shared = self.clone();
        let changing = self.0.disk.run(move || {
            let now = Time::now();
            let mut registry = shared.lock();
            let changed = change(&mut registry, now);
            shared.0.is_nobody_muted.store(registry.mutes(now).is_empty(), Ordering::Release);
            changed
        });
        // It is not done only if it panicked.
        changing.await.unwrap_or_else(|| Err(RegistryError::Store(StoreError::Failed).failure()))
    }

    /// Closes the file, so that it alone is all there is. Later changes fail.
    pub async fn close(&self) {
        let shared = self.clone();
        drop(tokio::task::spawn_blocking(move || shared.lock().close()).await);
    }

    /// Why somebody may not speak in a room, if they may not. Asked for each message.
    pub fn muted(&self, whom: impl FnOnce() -> Whom, room: &RoomName) -> Option<Failure> {
        if self.0.is_nobody_muted.load(Ordering::Acquire) {
            return None;
        }
        self.lock().muted(&whom(), room, Time::now()).map(Mute::failure)
    }

    /// Why somebody may not speak in some room, if there is one where they may not.
    pub fn muted_anywhere(&self, whom: &Whom) -> Option<Failure> {
        self.lock().muted_anywhere(whom, Time::now()).map(Mute::failure)
    }
}
