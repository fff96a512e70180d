//! `parlor tail`: what was said, and with `--follow` what is said.
//!
//! - It MUST print each entry once, in order, however often the connection breaks.
//! - It MUST print nothing that a terminal could take for more than text.

use std::collections::VecDeque;
use std::pin::pin;

use jiff::tz::TimeZone;
use tokio::io::AsyncWrite;
use tokio_util::sync::CancellationToken;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use uuid::Uuid;

use super::link::{self, Config, Link, Update};
use super::place::{Finding, Place};
use super::script::{End, Output, OutputError, Weather, notice, reader_gone};
use crate::protocol::command::{Join, RequestId};
use crate::protocol::event::{Entry, EntryKind, Event, Gap};
use crate::protocol::name::RoomName;
use crate::protocol::text::escape_json;

/// Messages that are remembered, to say what an answer, an edit or a reaction is about.
const REMEMBERED: usize = 1_000;

/// Columns of a message where another line is about it.
const QUOTE_COLUMNS: usize = 40;

/// What to print.
#[derive(Clone, Debug)]
pub struct What {
    /// Where.
    pub place: Place,
    /// The wire's own objects, one a line.
    pub json: bool,
    /// How many of the last entries to begin with.
    pub last: u64,
    /// Go on with what is said from now on.
    pub follow: bool,
}

/// Prints to standard output until there is no more to print, nobody reads it, or `ending` is cancelled.
pub async fn run(config: Config, what: What, ending: &CancellationToken) -> End {
    let output = Output::new(tokio::io::stdout(), ending.clone());
    let weather = Weather::new(&config);
    let (link, mut updates) = link::open(config);
    let joining = RequestId::from(Uuid::now_v7());
    let place = what.place.clone();
    // To wait in a room for its first message makes sense, to look for what was said before does not.
    let (finding, room) = if what.follow { Finding::begin(place) } else { (Finding::existing(place), None) };
    let mut tail = Tail {
        what,
        link,
        finding,
        room: None,
        joining,
        output,
        weather,
        zone: TimeZone::system(),
        quotes: Quotes::default(),
        cursor: 0,
        last: None,
        begun: false,
    };
    if let Some(room) = room {
        tail.enter(room);
    }
    let mut gone = pin!(reader_gone());
    let end = loop {
        tokio::select! {
            update = updates.recv() => {
                let Some(update) = update else { break End::Failed };
                let mut step = tail.hear(update).await;
                while matches!(step, Ok(None))
                    && !ending.is_cancelled()
                    && let Ok(update) = updates.try_recv() {
                    step = tail.hear(update).await;
                }
                let flushed = tail.output.flush().await;
                match (step, flushed) {
                    (Ok(None), Ok(())) => {}
                    (Ok(Some(end)), Ok(())) => break end,
                    (Err(error), _) | (_, Err(error)) => break error.end(),
                }
            }
            () = ending.cancelled() => break End::Done,
            () = &mut gone => break End::Done,
        }
    };
    tail.link.quit();
    while let Some(update) = updates.recv().await {
        if matches!(update, Update::Ended { .. }) {
            break;
        }
    }
    end
}

struct Tail<W> {
    what: What,
    link: Link,
    finding: Finding,
    /// Not before it is found.
    room: Option<RoomName>,
    /// The `re` of the join.
    joining: RequestId,
    output: Output<W>,
    weather: Weather,
    zone: TimeZone,
    quotes: Quotes,
    /// The last `seq` that came, or was left out.
    cursor: u64,
    /// The last `seq` of the room when it was joined.
    last: Option<u64>,
    /// Entries have come, or the gap before those that were asked for.
    begun: bool,
}

impl<W: AsyncWrite + Unpin> Tail<W> {
    /// The room is found.
    fn enter(&mut self, room: RoomName) {
        let (id, room) = (Some(self.joining.clone()), self.room.insert(room).clone());
        self.link.follow(Join { id, room, after: 0, limit: Some(self.what.last), words: None });
    }

    /// Takes in one update; says how it ends, if it ends with this.
    async fn hear(&mut self, update: Update) -> Result<Option<End>, OutputError> {
        self.weather.tell(&update);
        match self.finding.hear(&update, |asked| self.link.submit(asked)) {
            Ok(None) => {}
            Ok(Some(room)) => self.enter(room),
            Err(failure) => {
                notice(failure);
                return Ok(Some(End::Failed));
            }
        }
        match update {
            Update::Online { new_log: true, .. } => {
                self.cursor = 0;
                self.quotes = Quotes::default();
            }
            Update::Event(Event::Ok(okay), _) => {
                if let Some(info) = okay.room.filter(|info| Some(&info.room) == self.room.as_ref()) {
                    if info.last == 0 && !self.what.follow {
                        match &self.what.place {
                            Place::Room(room) => notice(format!("nothing was said in {room} yet")),
                            Place::People(_) => notice("nothing was said there yet"),
                        }
                    }
                    self.last = Some(info.last);
                }
            }
            Update::Event(Event::Entry(entry), json) if Some(&entry.room) == self.room.as_ref() => {
                // What was said after we came is not asked for.
                if self.what.follow || self.last.is_some_and(|last| entry.seq <= last) {
                    let line = if self.what.json {
                        Some(printable(&json))
                    } else {
                        plain(&entry, &self.quotes, &self.zone)
                    };
                    self.print(line).await?;
                }
                self.quotes.remember(&entry);
                (self.cursor, self.begun) = (entry.seq, true);
            }
            Update::Event(Event::Gap(gap), json) if Some(&gap.room) == self.room.as_ref() => {
                // The first one is what `last` leaves out, so it is no news.
                if self.begun {
                    let line = if self.what.json { printable(&json) } else { plain_gap(&gap) };
                    self.print(Some(line)).await?;
                }
                (self.cursor, self.begun) = (gap.to, true);
            }
            Update::Failed(failure) => {
                notice(&failure);
                return Ok((failure.re.as_ref() == Some(&self.joining)).then_some(End::Failed));
            }
            Update::Ended { why, .. } => {
                notice(why);
                return Ok(Some(End::Failed));
            }
            _ => {}
        }
        let complete = self.last.is_some_and(|last| self.cursor >= last);
        Ok((complete && !self.what.follow).then_some(End::Done))
    }

    async fn print(&mut self, line: Option<String>) -> Result<(), OutputError> {
        match line {
            Some(line) => self.output.line(&line).await,
            None => Ok(()),
        }
    }
}

/// An object of the wire as one line that is safe to print.
pub(super) fn printable(json: &[u8]) -> String {
    // Within what the decoder skips, nobody has checked that it is UTF-8.
    escape_json(&String::from_utf8_lossy(json))
}

/// How the last messages begin.
#[derive(Default)]
struct Quotes {
    /// The last one is last.
    messages: VecDeque<(u64, String)>,
}

impl Quotes {
    /// Remembers a message, and what an edit makes of one.
    fn remember(&mut self, entry: &Entry) {
        match (entry.kind, entry.target) {
            (EntryKind::Message, _) => {
                self.messages.push_back((entry.seq, quoted(entry)));
                if self.messages.len() > REMEMBERED {
                    self.messages.pop_front();
                }
            }
            (EntryKind::Edited | EntryKind::Deleted, Some(target)) => {
                if let Some((_, quote)) = self.messages.iter_mut().find(|(seq, _)| *seq == target) {
                    *quote = match entry.kind {
                        EntryKind::Edited => quoted(entry),
                        _ => "a deleted message".to_owned(),
                    };
                }
            }
            _ => {}
        }
    }

    /// How the message `seq` begins.
    fn of(&self, seq: Option<u64>) -> &str {
        let known = self.messages.iter().rev().find(|(known, _)| Some(*known) == seq);
        known.map_or("an earlier message", |(_, quote)| quote)
    }
}

/// Who said something, and how it begins.
fn quoted(entry: &Entry) -> String {
    let text = entry.text.as_str().trim();
    let line = text.lines().next().unwrap_or_default();
    let between = if entry.action { " " } else { ": " };
    let mut columns = 0;
    let within = |c: &char| {
        columns += c.width().unwrap_or(0);
        columns <= QUOTE_COLUMNS
    };
    let shown: String = line.chars().take_while(within).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("{}{between}{shown}{more}", entry.from)
}

/// An entry as people read it; nothing for one that this version does not know.
fn plain(entry: &Entry, quotes: &Quotes, zone: &TimeZone) -> Option<String> {
    let at = entry.at.timestamp().to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M");
    let (from, text) = (&entry.from, entry.text.as_str());
    let about = quotes.of(entry.target);
    let head = match entry.kind {
        // What a page or the log itself says of a message that is gone.
        EntryKind::Message if entry.now.as_ref().is_some_and(|now| now.deleted) => {
            return Some(format!("{at} * a message of {from} was deleted"));
        }
        EntryKind::Message if entry.action => format!("{at} * {from} "),
        EntryKind::Message => format!("{at} {from}  "),
        EntryKind::Topic if text.is_empty() => format!("{at} * {from} took away the topic"),
        EntryKind::Topic => format!("{at} * {from} set the topic: "),
        EntryKind::Edited if text.is_empty() => return None,
        EntryKind::Edited => format!("{at} * {from} edited: "),
        EntryKind::Deleted => return Some(format!("{at} * {from} deleted {about}")),
        EntryKind::Reacted if entry.off => {
            return Some(format!("{at} * {from} took {text} back from {about}"));
        }
        EntryKind::Reacted => return Some(format!("{at} * {from} reacted {text} to {about}")),
        EntryKind::Unknown => return None,
    };
    let indent = " ".repeat(head.width());
    let answers = entry.reply_to.map(|seq| format!("↪ {}\n{indent}", quotes.of(Some(seq))));
    let text = text.replace('\n', &format!("\n{indent}"));
    Some(format!("{head}{}{text}", answers.unwrap_or_default()))
}

fn plain_gap(gap: &Gap) -> String {
    let Gap { room, from, to } = gap;
    format!("… {room} {from} to {to} were left out …")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::event::EntryText;
    use crate::protocol::name::Nick;
    use crate::protocol::time::Time;

    fn entry(kind: EntryKind, text: &str, action: bool) -> Entry {
        Entry {
            kind,
            room: RoomName::new("#a").unwrap(),
            seq: 1,
            id: Uuid::nil(),
            // 2026-11-21T11:02:03Z
            at: Time::from_millis(1_795_258_923_000),
            from: Nick::new("李雷").unwrap(),
            text: EntryText::from_stored(text),
            action,
            reply_to: None,
            author: None,
            target: None,
            off: false,
            now: None,
        }
    }

    fn line(kind: EntryKind, text: &str, action: bool) -> Option<String> {
        plain(&entry(kind, text, action), &Quotes::default(), &TimeZone::fixed(jiff::tz::offset(1)))
    }

    #[test]
    fn what_is_about_a_message_says_which() {
        let mut quotes = Quotes::default();
        let mut told = |entry: Entry| {
            let line = plain(&entry, &quotes, &TimeZone::UTC);
            quotes.remember(&entry);
            line.unwrap_or_default().trim_start_matches("2026-11-21 11:02 ").to_owned()
        };
        let about = |kind, text| Entry { target: Some(1), ..entry(kind, text, false) };
        assert_eq!(told(about(EntryKind::Reacted, "👍")), "* 李雷 reacted 👍 to an earlier message");
        told(entry(EntryKind::Message, "did the build pass? I cannot see it from here\nor anywhere", false));
        let answer = Entry { seq: 2, reply_to: Some(1), ..entry(EntryKind::Message, "yes", false) };
        assert_eq!(
            told(answer),
            "李雷  ↪ 李雷: did the build pass? I cannot see it from…\n                       yes"
        );
        assert_eq!(told(about(EntryKind::Edited, "did it?")), "* 李雷 edited: did it?");
        assert_eq!(told(about(EntryKind::Reacted, "👍")), "* 李雷 reacted 👍 to 李雷: did it?");
        let back = Entry { off: true, ..about(EntryKind::Reacted, "👍") };
        assert_eq!(told(back), "* 李雷 took 👍 back from 李雷: did it?");
        assert_eq!(told(about(EntryKind::Deleted, "")), "* 李雷 deleted 李雷: did it?");
        assert_eq!(told(about(EntryKind::Deleted, "")), "* 李雷 deleted a deleted message");
    }

    #[test]
    fn entries_read_as_people_read_them() {
        let message = |text| line(EntryKind::Message, text, false).unwrap();
        assert_eq!(message("good morning"), "2026-11-21 12:02 李雷  good morning");
        assert_eq!(message("a\nb"), "2026-11-21 12:02 李雷  a\n                       b");
        let act = line(EntryKind::Message, "waves", true).unwrap();
        assert_eq!(act, "2026-11-21 12:02 * 李雷 waves");
        let topic = |text| line(EntryKind::Topic, text, false).unwrap();
        assert_eq!(topic("demo at 15:00"), "2026-11-21 12:02 * 李雷 set the topic: demo at 15:00");
        assert_eq!(topic(""), "2026-11-21 12:02 * 李雷 took away the topic");
        assert_eq!(line(EntryKind::Unknown, "", false), None);
    }

    #[test]
    fn what_is_printed_cannot_move_a_cursor() {
        let shown = line(EntryKind::Message, "\u{1b}[2J", false).unwrap();
        assert!(!shown.contains('\u{1b}'));
        assert_eq!(printable(b"{\"later\":\"\xff\xc2\x9b\"}"), "{\"later\":\"\u{FFFD}\\u009b\"}");
    }
}
