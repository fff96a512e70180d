//! How a connection is told to end by somebody else.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use crate::protocol::event::Reason;

/// The end of one connection, for the first reason that anyone gives.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    reason: Arc<OnceLock<Reason>>,
    token: CancellationToken,
}

impl Ending {
    /// Ends it, unless it was ended before.
    pub fn end(&self, reason: Reason) {
        self.reason.get_or_init(|| reason);
        self.token.cancel();
    }

    /// Waits until somebody ends it.
    pub async fn ended(&self) -> Reason {
        self.token.cancelled().await;
        self.reason.get().copied().unwrap_or(Reason::Unknown)
    }
}
