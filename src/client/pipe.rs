//! `parlor pipe`: standard input and output as JSON lines, for bots.
//!
//! Each line of standard input is a command of the protocol, each line of standard output an event, as the
//! wire has them. What a bot need not do itself: the greeting, pings, coming back after a break (each room
//! goes on from where it was), sending again what was not stored, and ids: a command without an `id` gets one.
//!
//! - It MUST answer every line but `typing`, if only by an `error`.
//! - It MUST NOT read on while [`UNANSWERED`] commands are not answered, or while there is no connection: then
//!   its input waits.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncWrite, BufReader};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::lines::{Lines, Part};
use super::link::{self, Config, Link, Update};
use super::script::{End, Output, OutputError, Weather, notice};
use super::tail::printable;
use crate::protocol::command::{Command, InRoom, RequestId};
use crate::protocol::event::{ErrorCode, Event, Failure, Okay, Reason};
use crate::protocol::frame::Frame;
use crate::protocol::limits::COMMAND_BYTES;
use crate::protocol::name::RoomName;

/// Commands that are not answered yet, at most.
pub const UNANSWERED: usize = 256;

/// Runs until standard input ends and all of it is answered, `bye` is said, nobody reads what is printed, or
/// `ending` is cancelled.
pub async fn run(config: Config, ending: &CancellationToken) -> End {
    let timeout = config.give_up_after.unwrap_or(Duration::MAX);
    let output = Output::new(tokio::io::stdout(), ending.clone());
    let mut lines = Lines::new(BufReader::new(tokio::io::stdin()), COMMAND_BYTES);
    let weather = Weather::new(&config);
    let (link, mut updates) = link::open(config);
    let mut pipe = Pipe {
        link,
        output,
        weather,
        online: false,
        unanswered: BTreeMap::new(),
        rooms: BTreeMap::new(),
        skipping: false,
        over: false,
    };
    let mut end = None;
    let mut quitting = false;
    let mut heard_at = Instant::now();
    loop {
        if !quitting && (end.is_some() || pipe.is_done()) {
            quitting = true;
            pipe.link.quit();
        }
        let may_read = pipe.online && !pipe.over && !quitting && pipe.unanswered.len() < UNANSWERED;
        // A server that is there and answers nothing more. While there is none, the link counts.
        let give_up_at = heard_at.checked_add(timeout).filter(|_| pipe.online && pipe.over && !quitting);
        let step = tokio::select! {
            update = updates.recv() => {
                heard_at = Instant::now();
                let mut step = pipe.hear(update).await;
                while matches!(step, Ok(None))
                    && !ending.is_cancelled()
                    && let Ok(update) = updates.try_recv() {
                    step = pipe.hear(Some(update)).await;
                }
                step
            }
            line = lines.next(), if may_read => match line {
                Ok(Some(part)) => pipe.take(part).await,
                Ok(None) => {
                    (pipe.over, heard_at) = (true, Instant::now());
                    Ok(None)
                }
                Err(error) => {
                    notice(format!("cannot read standard input: {error}"));
                    end = Some(End::Failed);
                    Ok(None)
                }
            },
            () = sleep_until(give_up_at.unwrap_or(heard_at)), if give_up_at.is_some() => {
                notice(format!("no answer for {} s", timeout.as_secs()));
                end = Some(End::Failed);
                Ok(None)
            }
            () = ending.cancelled(), if !quitting => {
                end = Some(End::Done);
                Ok(None)
            }
        };
        let flushed = pipe.output.flush().await;
        match step.and_then(|step| flushed.map(|()| step)) {
            Ok(None) => {}
            // The link has ended: what went wrong before counts.
            Ok(Some(ended)) => return if end == Some(End::Failed) { End::Failed } else { ended },
            Err(error) => {
                // Nobody reads any more; what was said is still stored.
                end = Some(error.end());
                pipe.output.close();
            }
        }
    }
}

struct Pipe<W> {
    link: Link,
    output: Output<W>,
    weather: Weather,
    online: bool,
    unanswered: BTreeMap<RequestId, Kind>,
    rooms: BTreeMap<RoomName, Backlog>,
    /// The line that is being read is too long: its rest counts for nothing.
    skipping: bool,
    /// Nothing more will be said.
    over: bool,
}

/// What becomes of a command whose answer a break prevents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The link says it again, or says that it failed.
    Followed,
    /// The link remembers it, and nobody answers.
    Remembered,
}

/// How much of a room's log is to come.
#[derive(Clone, Copy, Debug)]
struct Backlog {
    /// The last `seq` that came, or was left out.
    cursor: u64,
    /// The last `seq` when the room was joined; nothing while that is not known.
    last: u64,
}

impl<W: AsyncWrite + Unpin> Pipe<W> {
    /// Whether all was said and answered, and joined rooms are as complete as they were asked for.
    fn is_done(&self) -> bool {
        self.over
            && self.unanswered.is_empty()
            && self.rooms.values().all(|backlog| backlog.cursor >= backlog.last)
    }

    /// Takes one line of standard input.
    async fn take(&mut self, part: Part) -> Result<Option<End>, OutputError> {
        let skip = std::mem::replace(&mut self.skipping, !part.ends);
        if skip {
            return Ok(None);
        }
        if !part.ends {
            let message = format!("a command has at most {COMMAND_BYTES} bytes: this line is skipped");
            return self.fail(Failure::new(ErrorCode::FrameTooLarge, &message)).await;
        }
        if part.bytes.trim_ascii().is_empty() {
            return Ok(None);
        }
        let (json, re) = with_id(&part.bytes);
        let command = match Command::decode(&json) {
            Ok(command) => command,
            Err(failure) => return self.fail(failure).await,
        };
        match command {
            Command::Bye(_) => self.over = true,
            Command::Hello(_) | Command::Pong(_) => {
                let message = "parlor pipe says hello and pong itself";
                return self.fail(Failure { re, ..Failure::new(ErrorCode::OutOfPlace, message) }).await;
            }
            Command::Join(join) => {
                self.expect(re, Kind::Followed);
                self.rooms.entry(join.room.clone()).or_insert(Backlog { cursor: join.after, last: 0 });
                self.link.follow(join);
            }
            // It has no answer, so none is waited for.
            Command::Typing(InRoom { room, .. }) => {
                self.link.submit(Command::Typing(InRoom { id: None, room }));
            }
            command => {
                let remembered = matches!(command, Command::Leave(_) | Command::Nick(_));
                self.expect(re, if remembered { Kind::Remembered } else { Kind::Followed });
                if let Command::Leave(leave) = &command {
                    self.rooms.remove(&leave.room);
                }
                self.link.submit(command);
            }
        }
        Ok(None)
    }

    fn expect(&mut self, re: Option<RequestId>, kind: Kind) {
        if let Some(re) = re {
            self.unanswered.insert(re, kind);
        }
    }

    fn answered(&mut self, re: Option<&RequestId>) {
        if let Some(re) = re {
            self.unanswered.remove(re);
        }
    }

    /// Takes in one update; says how it ends, if it ends with this.
    async fn hear(&mut self, update: Option<Update>) -> Result<Option<End>, OutputError> {
        let Some(update) = update else { return Ok(Some(End::Failed)) };
        self.weather.tell(&update);
        match update {
            Update::Online { welcome, ready, new_log, .. } => {
                self.online = true;
                if new_log {
                    self.rooms.values_mut().for_each(|backlog| backlog.cursor = 0);
                }
                self.print(&Event::Welcome(*welcome)).await?;
                self.print(&Event::Ready(ready)).await?;
            }
            Update::Offline { .. } => {
                self.online = false;
                self.unanswered.retain(|_, kind| *kind == Kind::Followed);
            }
            Update::Event(event, json) => {
                self.note(&event);
                self.output.line(&printable(&json)).await?;
            }
            Update::Failed(failure) => {
                self.answered(failure.re.as_ref());
                return self.fail(failure).await;
            }
            Update::Ended { why, wanted, .. } => return self.finish(why, wanted).await.map(Some),
            Update::Connecting { .. } | Update::Held { .. } | Update::Latency { .. } => {}
        }
        Ok(None)
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::Ok(Okay { re, room, .. }) => {
                if let Some(info) = room
                    && let Some(backlog) = self.rooms.get_mut(&info.room)
                {
                    backlog.last = info.last;
                }
                self.answered(re.as_ref());
            }
            Event::Page(page) => self.answered(page.re.as_ref()),
            Event::People(people) => self.answered(people.re.as_ref()),
            Event::Rooms(rooms) => self.answered(rooms.re.as_ref()),
            Event::Whois(whois) => self.answered(whois.re.as_ref()),
            Event::Audit(audit) => self.answered(audit.re.as_ref()),
            Event::Stats(stats) => self.answered(stats.re.as_ref()),
            Event::Motd(motd) => self.answered(motd.re.as_ref()),
            Event::Tickets(tickets) => self.answered(tickets.re.as_ref()),
            Event::Reactions(reactions) => self.answered(reactions.re.as_ref()),
            Event::Earlier(earlier) => self.answered(earlier.re.as_ref()),
            Event::Found(found) => self.answered(found.re.as_ref()),
            Event::Pong(pong) => self.answered(pong.re.as_ref()),
            Event::Entry(entry) => self.move_to(&entry.room, entry.seq),
            Event::Gap(gap) => self.move_to(&gap.room, gap.to),
            _ => {}
        }
    }

    fn move_to(&mut self, room: &RoomName, seq: u64) {
        if let Some(backlog) = self.rooms.get_mut(room) {
            backlog.cursor = seq;
        }
    }

    /// The last lines: what has no answer and gets none any more, and `bye` if it was us who left.
    async fn finish(&mut self, why: String, wanted: bool) -> Result<End, OutputError> {
        let unanswered = std::mem::take(&mut self.unanswered);
        let all_answered = unanswered.is_empty();
        for re in unanswered.into_keys() {
            let failure = Failure::new(ErrorCode::Offline, "this was not answered before the end");
            self.fail(Failure { re: Some(re), ..failure }).await?;
        }
        if wanted {
            self.print(&Event::Bye(Reason::Quit.into())).await?;
        } else {
            notice(why);
        }
        Ok(if wanted && all_answered { End::Done } else { End::Failed })
    }

    async fn fail(&mut self, failure: Failure) -> Result<Option<End>, OutputError> {
        self.print(&Event::Error(failure)).await.map(|()| None)
    }

    async fn print(&mut self, event: &Event) -> Result<(), OutputError> {
        self.output.line(&printable(&Frame::encode(event).json())).await
    }
}

/// Gives a command an `id` that has none, so that every answer can be told from the others; and says it.
fn with_id(json: &[u8]) -> (Vec<u8>, Option<RequestId>) {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(json) else {
        // What is no object is for the decoder to name.
        return (json.to_vec(), None);
    };
    if let Some(id) = fields.get("id").filter(|id| !id.is_null()) {
        return (json.to_vec(), id.as_str().and_then(RequestId::new));
    }
    let id = Uuid::now_v7();
    fields.insert("id".to_owned(), id.to_string().into());
    (Value::Object(fields).to_string().into_bytes(), Some(id.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_without_an_id_gets_one_and_another_keeps_its_own() {
        for given in [r##"{"type":"send","room":"#a","text":"x"}"##, r#"{"type":"rooms","id":null}"#] {
            let (json, re) = with_id(given.as_bytes());
            assert!(re.is_some());
            assert_eq!(Command::decode(&json).unwrap().request_id(), re);
        }
        let own = br#"{"type":"rooms","id":"mine"}"#;
        assert_eq!(with_id(own), (own.to_vec(), RequestId::new("mine")));
        for broken in ["", "{", "[]", "7"] {
            assert_eq!(with_id(broken.as_bytes()), (broken.as_bytes().to_vec(), None));
        }
    }
}
