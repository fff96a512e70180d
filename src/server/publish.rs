//! The publisher: a task that takes what is committed and gives it to everyone, and to its senders their `ok`.
//!
//! Batches form by taking turns, without a timer: it takes everything committed since its last turn, makes one
//! batch for each room, sends it, and yields. While it does, the next one gathers.

use std::collections::BTreeMap;

use bytes::Bytes;
use tokio::task::yield_now;
use tracing::error;

use super::Context;
use super::batch::{Batch, join};
use super::log::{Commit, Commits, Committed, Fresh, Outcome};
use super::mailbox::Slot;
use super::session::Out;
use crate::protocol::event::{EntryText, Event, Stored};
use crate::protocol::frame;
use crate::protocol::limits::BATCH_BYTES;
use crate::protocol::name::RoomName;
use crate::protocol::text::Line;
use crate::protocol::time::Time;

/// Commits taken in one turn, at most: bounds how long others wait for theirs.
const COMMITS_A_TURN: usize = 64;

/// Bytes of an `ok` as a frame, or little less: a `seq` of six digits.
const ANSWER_BYTES: usize = 80;

/// Publishes until the log is closed.
pub async fn run(mut commits: Commits<Slot>, context: &Context) {
    let mut turn = Vec::new();
    while commits.recv_many(&mut turn, COMMITS_A_TURN).await > 0 {
        let mut rooms: BTreeMap<RoomName, Batches> = BTreeMap::new();
        let mut answers: Vec<(Slot, Bytes)> = Vec::new();
        for Commit { fresh, answers: committed } in turn.drain(..) {
            for Fresh { room, batches, topic } in fresh {
                rooms.entry(room).or_default().add(batches, topic);
            }
            for Committed { outcomes, tag } in committed {
                let mut answer = Vec::with_capacity(outcomes.len() * ANSWER_BYTES);
                for outcome in &outcomes {
                    context.metrics.settled(outcome);
                    match outcome {
                        Outcome::Stored { id, seq } | Outcome::Known { id, seq } => {
                            frame::append(&mut answer, &Stored { re: *id, seq: *seq });
                        }
                        Outcome::Failed { id, error } => {
                            frame::append(&mut answer, &Event::Error(error.failure(*id)));
                        }
                    }
                }
                answers.push((tag, answer.into()));
            }
        }
        for (room, batches) in rooms {
            let channel = {
                let mut hub = context.hub.lock();
                if let Some(topic) = &batches.topic {
                    hub.set_topic(&room, Line::lossy(topic.as_str()));
                }
                hub.channel(&room)
            };
            let Some(channel) = channel else {
                // The hub keeps every room that something was said in; whoever joins it later reads the log.
                error!(%room, "stored in a room that is not there");
                continue;
            };
            for batch in join(batches.batches, BATCH_BYTES) {
                channel.publish(batch);
            }
            context.search.published(&room, channel.published());
            if room.is_direct() {
                context.hub.lock().call(&room, Time::now());
            }
        }
        for (slot, answer) in answers {
            slot.send(Out::Frames(answer));
        }
        yield_now().await;
    }
}

/// What one room has got in one turn.
#[derive(Default)]
struct Batches {
    batches: Vec<Batch>,
    /// The last topic that one of them set.
    topic: Option<EntryText>,
}

impl Batches {
    fn add(&mut self, batches: Vec<Batch>, topic: Option<EntryText>) {
        if self.batches.is_empty() {
            self.batches = batches;
        } else {
            self.batches.extend(batches);
        }
        self.topic = topic.or_else(|| self.topic.take());
    }
}
