//! How a connection is told to end by somebody else.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use crate::protocol::event::{Bye, Reason};
use crate::protocol::text::Line;

/// The end of one connection, for the first reason that anyone gives.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    last_word: Arc<OnceLock<Bye>>,
    token: CancellationToken,
}

impl Ending {
    /// Ends it, unless it was ended before. `message` is for the person.
    pub fn end(&self, reason: Reason, message: Option<Line>) {
        self.last_word.get_or_init(|| Bye { reason, message });
        self.token.cancel();
    }

    /// Waits until somebody ends it.
    pub async fn ended(&self) -> Bye {
        self.token.cancelled().await;
        self.last_word.get().cloned().unwrap_or(Bye { reason: Reason::Unknown, message: None })
    }
}
