//! The publisher: a task that takes what is committed and gives it to everyone, and to its senders their `ok`.
//!
//! Batches form by taking turns, without a timer: it takes everything committed since its last turn, makes one
//! batch for each room, sends it, and yields. While it does, the next one gathers.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use tokio::task::yield_now;
use tracing::error;

use super::Context;
use super::batch::{Batch, Builder};
use super::log::{Commits, Committed, Outcome};
use super::session::{Out, Slot};
use crate::protocol::event::{Entry, EntryKind, Event, Okay};
use crate::protocol::frame;
use crate::protocol::limits::BATCH_BYTES;
use crate::protocol::name::RoomName;
use crate::protocol::text::Line;

/// Commits taken in one turn, at most: bounds how long others wait for theirs.
const COMMITS_A_TURN: usize = 64;

/// Publishes until the log is closed.
pub async fn run(mut committed: Commits<Slot>, context: &Context) {
    let mut turn = Vec::new();
    while committed.recv_many(&mut turn, COMMITS_A_TURN).await > 0 {
        let mut batches: BTreeMap<RoomName, Batches> = BTreeMap::new();
        let mut answers: Vec<(Slot, Bytes)> = Vec::new();
        for Committed { outcomes, tag } in turn.drain(..).flatten() {
            let mut answer = BytesMut::new();
            for outcome in outcomes {
                context.metrics.settled(&outcome);
                frame::append(&mut answer, &reply(&outcome));
                if let Outcome::Stored(entry) = outcome {
                    batches.entry(entry.room.clone()).or_default().push(entry);
                }
            }
            answers.push((tag, answer.freeze()));
        }
        for (room, batches) in batches {
            let channel = {
                let mut hub = context.hub.lock();
                if let Some(topic) = &batches.topic {
                    hub.set_topic(&room, topic.clone());
                }
                hub.channel(&room)
            };
            let Some(channel) = channel else {
                // The hub keeps every room that something was said in; whoever joins it later reads the log.
                error!(%room, "stored in a room that is not there");
                continue;
            };
            batches.finish().into_iter().for_each(|batch| channel.publish(batch));
        }
        for (slot, answer) in answers {
            slot.send(Out::Frames(answer));
        }
        yield_now().await;
    }
}

/// The batches of one room in one turn: more than one only where one would grow too large.
#[derive(Default)]
struct Batches {
    full: Vec<Batch>,
    open: Builder,
    /// The last topic that one of them set.
    topic: Option<Line>,
}

impl Batches {
    fn push(&mut self, entry: Entry) {
        if entry.kind == EntryKind::Topic {
            self.topic = Some(Line::lossy(entry.text.as_str()));
        }
        self.open.push(entry);
        if self.open.len() >= BATCH_BYTES {
            self.full.extend(self.open.take());
        }
    }

    fn finish(mut self) -> Vec<Batch> {
        self.full.extend(self.open.take());
        self.full
    }
}

fn reply(outcome: &Outcome) -> Event {
    match outcome {
        Outcome::Stored(Entry { id, seq, .. }) | Outcome::Known { id, seq } => {
            Event::Ok(Okay { re: Some((*id).into()), seq: Some(*seq), ..Okay::default() })
        }
        Outcome::Failed { id, error } => Event::Error(error.failure(*id)),
    }
}
