//! `parlor say`: one message, or each line of standard input.
//!
//! - It MUST NOT lose a line that it has read: it is stored, or it is named at the end.
//! - Lines MUST appear in the order in which they came. There is one exception: when the server's disk is full
//!   for a moment, a line that was sent behind a refused one may be stored before it.
//! - It MUST NOT read on while [`UNSTORED`] messages are not stored: then its input waits.

use std::collections::VecDeque;

use futures_util::FutureExt;
use tokio::io::{AsyncBufRead, BufReader};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use unicode_segmentation::GraphemeCursor;
use uuid::Uuid;

use super::lines::Lines;
use super::link::{self, Config, Link, Update};
use super::place::{Finding, Place};
use super::script::{End, Weather, notice};
use crate::protocol::command::{Command, Join, RequestId, Send};
use crate::protocol::event::Event;
use crate::protocol::limits::TEXT_BYTES;
use crate::protocol::name::RoomName;
use crate::protocol::text::{Text, sanitise};

/// Messages that are not stored yet, at most. Several times what the link has on its way, so that it never
/// waits for us.
pub const UNSTORED: usize = 256;

/// What to say, and where.
#[derive(Clone, Debug)]
pub struct What {
    /// The room, or the people.
    pub place: Place,
    /// Without one, each line of standard input.
    pub text: Option<Text>,
    /// The `seq` of the message that all of it answers.
    pub reply_to: Option<u64>,
}

/// Says `what`, and waits until all of it is stored. When that fails, standard error says why and names what was not
/// stored.
pub async fn run(config: Config, what: What, ending: &CancellationToken) -> End {
    match what.text {
        Some(text) => {
            let mut saying = Saying::start(config, what.place, what.reply_to);
            saying.texts.push_back(text);
            saying.run(None::<Lines<BufReader<tokio::io::Stdin>>>, ending).await
        }
        None => {
            let input = Lines::new(BufReader::new(tokio::io::stdin()), TEXT_BYTES);
            Saying::start(config, what.place, what.reply_to).run(Some(input), ending).await
        }
    }
}

struct Saying {
    link: Link,
    updates: mpsc::Receiver<Update>,
    weather: Weather,
    finding: Finding,
    /// Not before it is found.
    room: Option<RoomName>,
    /// What it all answers.
    reply_to: Option<u64>,
    /// The `re` of the join.
    joining: RequestId,
    /// Read and not handed to the link.
    texts: VecDeque<Text>,
    /// Handed to the link, in order, and not stored.
    unstored: VecDeque<(Uuid, Text)>,
}

/// Why it was not all stored.
enum Trouble {
    /// The link has ended.
    Ended(String),
    /// The server does not want it.
    Refused(String),
    /// We were asked to end.
    Interrupted,
    /// Standard input failed.
    Input(std::io::Error),
}

impl Saying {
    fn start(config: Config, place: Place, reply_to: Option<u64>) -> Self {
        let weather = Weather::new(&config);
        let (link, updates) = link::open(config);
        let joining = RequestId::from(Uuid::now_v7());
        let (finding, room) = Finding::begin(place);
        let (texts, unstored) = (VecDeque::new(), VecDeque::new());
        let mut saying =
            Self { link, updates, weather, finding, room: None, reply_to, joining, texts, unstored };
        if let Some(room) = room {
            saying.enter(room);
        }
        saying
    }

    /// The room is found.
    fn enter(&mut self, room: RoomName) {
        let (id, room) = (Some(self.joining.clone()), self.room.insert(room).clone());
        // What others say is not wanted, now or later.
        self.link.submit(Command::Join(Join { id, room, after: 0, limit: Some(0), words: None }));
    }

    async fn run<R: AsyncBufRead + Unpin>(
        mut self,
        mut input: Option<Lines<R>>,
        ending: &CancellationToken,
    ) -> End {
        let trouble = self.say_all(&mut input, ending).await.err();
        if !matches!(trouble, Some(Trouble::Ended(_))) {
            self.quit().await;
        }
        let Some(trouble) = trouble else { return End::Done };
        let (why, fault) = match trouble {
            Trouble::Ended(why) | Trouble::Refused(why) => (why, true),
            Trouble::Input(error) => (format!("cannot read standard input: {error}"), true),
            Trouble::Interrupted => ("interrupted".to_owned(), false),
        };
        if let Some(input) = &mut input {
            self.take_what_was_read(input);
        }
        let unstored: Vec<Text> = self.unstored.into_iter().map(|(_, text)| text).chain(self.texts).collect();
        if fault || !unstored.is_empty() {
            notice(why);
        }
        name(&unstored);
        if input.is_some_and(|input| !input.is_over()) && fault {
            notice("what came after that was not read");
        }
        if fault || !unstored.is_empty() { End::Failed } else { End::Done }
    }

    async fn say_all<R: AsyncBufRead + Unpin>(
        &mut self,
        input: &mut Option<Lines<R>>,
        ending: &CancellationToken,
    ) -> Result<(), Trouble> {
        let mut over = input.is_none();
        loop {
            self.submit();
            if over && self.texts.is_empty() && self.unstored.is_empty() {
                return Ok(());
            }
            let may_read = !over && self.texts.is_empty() && self.unstored.len() < UNSTORED;
            tokio::select! {
                update = self.updates.recv() => self.hear(update)?,
                part = next_part(input), if may_read => match part {
                    Ok(Some(bytes)) => self.texts.extend(texts(&bytes)),
                    Ok(None) => over = true,
                    Err(error) => return Err(Trouble::Input(error)),
                },
                () = ending.cancelled() => return Err(Trouble::Interrupted),
            }
        }
    }

    /// Hands to the link what may be on its way.
    fn submit(&mut self) {
        let Some(room) = &self.room else { return };
        while self.unstored.len() < UNSTORED
            && let Some(text) = self.texts.pop_front()
        {
            let id = Uuid::now_v7();
            self.unstored.push_back((id, text.clone()));
            let (room, reply_to) = (room.clone(), self.reply_to);
            self.link.submit(Command::Send(Send { id, room, text, action: false, reply_to }));
        }
    }

    fn hear(&mut self, update: Option<Update>) -> Result<(), Trouble> {
        let Some(update) = update else { return Err(Trouble::Ended("the connection is over".to_owned())) };
        self.weather.tell(&update);
        match self.finding.hear(&update, |asked| self.link.submit(asked)) {
            Ok(None) => {}
            Ok(Some(room)) => self.enter(room),
            Err(failure) => return Err(Trouble::Refused(failure.to_string())),
        }
        match update {
            Update::Event(Event::Ok(okay), _) => {
                if let Some(re) = okay.re {
                    self.unstored.retain(|(id, _)| RequestId::from(*id) != re);
                }
            }
            Update::Failed(failure) => {
                let re = failure.re.as_ref();
                let is_ours = |(id, _): &(Uuid, Text)| Some(&RequestId::from(*id)) == re;
                if re == Some(&self.joining) || self.unstored.iter().any(is_ours) {
                    return Err(Trouble::Refused(failure.to_string()));
                }
                notice(failure);
            }
            Update::Ended { why, .. } => return Err(Trouble::Ended(why)),
            _ => {}
        }
        Ok(())
    }

    /// Says goodbye, and hears what was stored meanwhile.
    async fn quit(&mut self) {
        self.link.quit();
        while let Some(update) = self.updates.recv().await {
            if let Err(Trouble::Ended(_)) = self.hear(Some(update)) {
                break;
            }
        }
    }

    /// Lines that standard input has given already, and that nobody else can read any more.
    fn take_what_was_read<R: AsyncBufRead + Unpin>(&mut self, input: &mut Lines<R>) {
        while let Some(Ok(Some(part))) = input.next().now_or_never() {
            self.texts.extend(texts(&part.bytes));
        }
    }
}

async fn next_part<R: AsyncBufRead + Unpin>(
    input: &mut Option<Lines<R>>,
) -> std::io::Result<Option<Vec<u8>>> {
    match input {
        Some(lines) => Ok(lines.next().await?.map(|part| part.bytes)),
        None => Ok(None),
    }
}

/// The messages that a line becomes: none if it is blank, several if it is longer than a text may be.
fn texts(line: &[u8]) -> Vec<Text> {
    let clean = sanitise(&String::from_utf8_lossy(line));
    let mut rest = clean.as_str();
    let mut texts = Vec::new();
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(cut(rest, TEXT_BYTES));
        // The one thing that can be wrong with it is that there is nothing to see.
        texts.extend(Text::new(piece));
        rest = behind;
    }
    texts
}

/// Where to cut `text` so that the first piece has at most `max` bytes: between two graphemes, unless one is
/// longer than that.
fn cut(text: &str, max: usize) -> usize {
    if text.len() <= max {
        return text.len();
    }
    let at = text.floor_char_boundary(max);
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    if cursor.is_boundary(text, 0) == Ok(true) {
        return at;
    }
    match cursor.prev_boundary(text, 0) {
        Ok(Some(boundary)) if boundary > 0 => boundary,
        _ => at,
    }
}

/// Names on standard error what was not stored.
fn name(unstored: &[Text]) {
    if unstored.is_empty() {
        return;
    }
    let lines = if unstored.len() == 1 { "1 line was" } else { &format!("{} lines were", unstored.len()) };
    let mut list = format!("{lines} not stored, or the answer was lost:");
    for text in unstored {
        for line in text.as_str().lines() {
            list.push_str("\n  ");
            list.push_str(line);
        }
    }
    notice(list);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(line: &[u8]) -> Vec<String> {
        texts(line).iter().map(|text| text.as_str().to_owned()).collect()
    }

    #[test]
    fn a_line_is_a_message_and_a_blank_one_is_none() {
        assert_eq!(said(b"  indented\r"), ["  indented"]);
        assert!(said(b"").is_empty() && said(b" \t\r").is_empty());
        assert_eq!(said(b"caf\xe9"), ["caf\u{FFFD}"]);
        assert_eq!(said("好 👩‍👩‍👧".as_bytes()), ["好 👩‍👩‍👧"]);
    }

    #[test]
    fn a_long_line_becomes_several_messages_cut_between_graphemes() {
        let family = "👩‍👩‍👧‍👦";
        let long = family.repeat(TEXT_BYTES / family.len() + 1);
        let pieces = said(long.as_bytes());
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces.concat(), long);
        assert!(pieces[1].starts_with(family));
        // What is taken out leaves marks, which may be longer than it was.
        assert_eq!(said(&vec![0xFF; TEXT_BYTES]).concat().chars().count(), TEXT_BYTES);
    }

    proptest! {
        #[test]
        fn pieces_together_are_the_line(text in "\\PC{0,80}", max in 4_usize..30) {
            let mut rest = text.as_str();
            while !rest.is_empty() {
                let at = cut(rest, max);
                prop_assert!(at > 0 && at <= max && rest.is_char_boundary(at));
                rest = &rest[at..];
            }
        }
    }
}
