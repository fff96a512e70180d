//! A parlor tells the network that it is there: by multicast DNS ([`multicast`]), and by answering those who ask with
//! datagrams ([`answers`]). What it says is an [`Announcement`].
//!
//! Nothing of this MUST harm the server: where one of the ways does not work it says so once, and tries again.

mod answers;
mod multicast;
mod nearby;
mod quota;
mod reach;

use std::sync::Arc;
use std::time::Duration;

use super::Context;
use crate::protocol::announcement::Announcement;
use crate::protocol::text::Line;
use answers::Family;
use multicast::Voice;
pub(super) use reach::Reach;

/// After what does not work is tried again: whatever has the port may end, and a network may come.
const RETRY: Duration = Duration::from_secs(30);

impl Context {
    /// What there is to say now.
    pub(super) fn announcement(&self, reach: &Reach) -> Announcement {
        Announcement {
            id: self.id,
            name: Line::lossy(&self.name),
            port: reach.port(),
            people: u32::try_from(self.hub.lock().census().people).unwrap_or(u32::MAX),
            open: self.door.key().is_none(),
            fingerprint: self.tls.as_ref().map(|tls| tls.served().fingerprint),
        }
    }
}

/// Announces until the server closes, and then says goodbye.
pub(super) async fn run(context: Arc<Context>, reach: Reach) {
    let mut voice = Voice::new(reach.clone());
    let announcing = async {
        tokio::join!(
            voice.keep_up(&context),
            answers::run(&context, &reach, Family::V4),
            answers::run(&context, &reach, Family::V6),
        )
    };
    tokio::select! {
        biased;
        () = context.closing.cancelled() => {}
        _ = announcing => {}
    }
    voice.say_goodbye().await;
}
