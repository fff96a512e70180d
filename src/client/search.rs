//! `parlor search`: what was said, by what is in it.
//!
//! - It MUST print each message once, the newest first, however often the connection breaks.
//! - It MUST print nothing that a terminal could take for more than text.

use std::collections::BTreeMap;
use std::pin::pin;

use jiff::tz::TimeZone;
use tokio::io::AsyncWrite;
use tokio_util::sync::CancellationToken;
use unicode_width::UnicodeWidthStr;
use uuid::Uuid;

use super::link::{self, Config, Update};
use super::place::{self, Finding, Place};
use super::query;
use super::script::{End, Output, OutputError, Weather, notice, reader_gone};
use crate::protocol::command::{Command, Join, RequestId, Search};
use crate::protocol::event::{Entry, ErrorCode, Event, Found, RoomInfo};
use crate::protocol::limits::SEARCH_HITS;
use crate::protocol::name::RoomName;
use crate::protocol::stats::grouped;
use crate::protocol::text::escape_json;
use crate::protocol::time::Time;

/// What to look for.
#[derive(Clone, Debug)]
pub struct What {
    /// The words and filters as they were typed; see [`super::query::read`].
    pub typed: String,
    /// What they mean, as long as only this machine's clock is known: days are read again by the parlor's.
    pub search: Search,
    /// Where; `None`: in all rooms that are listed.
    pub place: Option<Place>,
    /// The wire's own objects, one a line.
    pub json: bool,
    /// How many to print, at most.
    pub limit: u64,
}

/// Prints what is found to standard output, until that is all, nobody reads it, or `ending` is cancelled.
pub async fn run(config: Config, what: What, ending: &CancellationToken) -> End {
    let output = Output::new(tokio::io::stdout(), ending.clone());
    let weather = Weather::new(&config);
    let (link, mut updates) = link::open(config);
    let mut hunt = Hunt::new(what, output, TimeZone::system());
    let mut weather = weather;
    let mut gone = pin!(reader_gone());
    let end = loop {
        tokio::select! {
            update = updates.recv() => {
                let Some(update) = update else { break End::Failed };
                weather.tell(&update);
                let step = hunt.hear(update).await;
                hunt.orders.drain(..).for_each(|order| link.submit(order));
                let flushed = hunt.output.flush().await;
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
    link.quit();
    while let Some(update) = updates.recv().await {
        if matches!(update, Update::Ended { .. }) {
            break;
        }
    }
    end
}

struct Hunt<W> {
    what: What,
    /// The one room to search, until it is found.
    finding: Option<Finding>,
    output: Output<W>,
    zone: TimeZone,
    /// What the rooms of some alone are called.
    called: BTreeMap<RoomName, String>,
    /// To be handed to the link.
    orders: Vec<Command>,
    /// One sits in the rooms that are searched.
    seated: bool,
    /// The page that is being waited for.
    asked: Option<RequestId>,
    printed: u64,
    told_behind: bool,
}

impl<W: AsyncWrite + Unpin> Hunt<W> {
    fn new(what: What, output: Output<W>, zone: TimeZone) -> Self {
        Self {
            finding: what.place.clone().map(Finding::existing),
            what,
            output,
            zone,
            called: BTreeMap::new(),
            orders: Vec::new(),
            seated: false,
            asked: None,
            printed: 0,
            told_behind: false,
        }
    }

    /// Takes in one update; says how it ends, if it ends with this.
    async fn hear(&mut self, update: Update) -> Result<Option<End>, OutputError> {
        if let Some(finding) = &mut self.finding {
            match finding.hear(&update, |asked| self.orders.push(asked)) {
                Ok(None) => {}
                Ok(Some(room)) => {
                    self.what.search.room = Some(room.clone());
                    (self.finding, self.seated) = (None, true);
                    self.sit_down([room]);
                    self.ask();
                }
                Err(failure) => {
                    notice(&failure);
                    return Ok(Some(End::Failed));
                }
            }
        }
        match update {
            Update::Online { welcome, ready, .. } => {
                self.read_days(welcome.now);
                let called =
                    |info: &RoomInfo| (info.room.clone(), place::called(&info.members, &ready.you.nick));
                self.called = ready.direct.iter().map(called).collect();
                if self.finding.is_some() {
                    return Ok(None);
                }
                if !std::mem::replace(&mut self.seated, true) {
                    let listed = ready.direct.iter().chain(&ready.rooms).map(|info| info.room.clone());
                    self.sit_down(listed.take(ready.limits.rooms_per_session));
                }
                if self.asked.is_none() {
                    self.ask();
                }
            }
            Update::Event(Event::Found(found), _) if self.asked.is_some() && found.re == self.asked => {
                return self.take_in(found).await;
            }
            Update::Failed(failure) if self.asked.is_some() && failure.re == self.asked => {
                if failure.code != ErrorCode::Offline {
                    notice(&failure);
                    return Ok(Some(End::Failed));
                }
                // Asked again as soon as there is a connection.
                self.asked = None;
            }
            // A room that lets us in only by words of its own, say: the others are searched all the same.
            Update::Failed(failure) => {
                notice(&failure);
                return Ok(self.what.search.room.is_some().then_some(End::Failed));
            }
            Update::Ended { why, .. } => {
                notice(why);
                return Ok(Some(End::Failed));
            }
            _ => {}
        }
        Ok(None)
    }

    /// Days are those of the parlor's clock, and not of ours. A search that goes on keeps those with which it began.
    fn read_days(&mut self, now: Time) {
        let What { typed, search, .. } = &mut self.what;
        if search.before.is_none()
            && let Ok(Some((read, _))) = query::read(typed, now, &self.zone, None)
        {
            (search.since, search.until) = (read.since, read.until);
        }
    }

    /// Only rooms that one is in are searched. Of those nothing else is wanted.
    fn sit_down(&mut self, rooms: impl IntoIterator<Item = RoomName>) {
        let join = |room| {
            let id = Some(RequestId::from(Uuid::now_v7()));
            Command::Join(Join { id, room, after: 0, limit: Some(0), words: None })
        };
        self.orders.extend(rooms.into_iter().map(join));
    }

    fn ask(&mut self) {
        let id = RequestId::from(Uuid::now_v7());
        self.asked = Some(id.clone());
        let limit = (self.what.limit - self.printed).min(SEARCH_HITS);
        let search = Search { id: Some(id), limit, ..self.what.search.clone() };
        self.orders.push(Command::Search(Box::new(search)));
    }

    async fn take_in(&mut self, found: Found) -> Result<Option<End>, OutputError> {
        self.asked = None;
        if found.behind > 0 && !std::mem::replace(&mut self.told_behind, true) {
            notice(format!("{} newer messages are not searched yet", grouped(found.behind)));
        }
        let left = usize::try_from(self.what.limit - self.printed).unwrap_or(usize::MAX);
        for hit in found.hits.iter().take(left) {
            let line = if self.what.json { json(&hit.entry) } else { Some(self.plain(&hit.entry)) };
            if let Some(line) = line {
                self.output.line(&line).await?;
            }
            self.printed += 1;
        }
        let before = self.what.search.before;
        match found.more {
            // Towards the oldest, and never round in a circle.
            Some(more) if self.printed < self.what.limit && before.is_none_or(|before| more < before) => {
                self.what.search.before = Some(more);
                self.ask();
                Ok(None)
            }
            _ => {
                if self.printed == 0 {
                    notice("nothing was found");
                }
                Ok(Some(End::Done))
            }
        }
    }
}

impl<W> Hunt<W> {
    /// Where, when, by whom and what.
    fn plain(&self, entry: &Entry) -> String {
        let at = entry.at.timestamp().to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M");
        // The name of a room of some alone says nothing.
        let room = match self.called.get(&entry.room) {
            Some(called) => called.as_str(),
            None if entry.room.is_direct() => "@…",
            None => entry.room.as_str(),
        };
        let (seq, from) = (entry.seq, &entry.from);
        let sign = if entry.action { "* " } else { "" };
        let behind = if entry.action { " " } else { "  " };
        let head = format!("{room} {seq} {at} {sign}{from}{behind}");
        let indent = format!("\n{}", " ".repeat(head.width()));
        format!("{head}{}", entry.text.as_str().replace('\n', &indent))
    }
}

/// The entry as the wire has it, in one line that is safe to print.
fn json(entry: &Entry) -> Option<String> {
    serde_json::to_string(entry).ok().map(|json| escape_json(&json))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tui::script::{Script, entry, nick};
    use crate::protocol::event::{Failure, Hit};
    use crate::protocol::text::Line;

    fn hunt(limit: u64) -> Hunt<std::io::Cursor<Vec<u8>>> {
        let search = Search { text: Line::lossy("build"), limit: SEARCH_HITS, ..Search::default() };
        let output = Output::new(std::io::Cursor::new(Vec::new()), CancellationToken::new());
        let typed = "build after:yesterday".to_owned();
        Hunt::new(What { typed, search, place: None, json: false, limit }, output, TimeZone::UTC)
    }

    fn online(rooms: &[&str]) -> Update {
        let mut update = Script::new(80, 24).online_update();
        if let Update::Online { ready, .. } = &mut update {
            let info = |room: &&str| RoomInfo {
                room: RoomName::new(room).unwrap(),
                topic: Line::default(),
                here: 1,
                last: 9,
                first: None,
                members: Vec::new(),
            };
            ready.rooms = rooms.iter().map(info).collect();
        }
        update
    }

    fn found(re: Option<RequestId>, seqs: &[u64], more: Option<u64>) -> Update {
        let hit = |seq: &u64| Hit {
            entry: entry("#a", *seq, "bob", "the build\npassed"),
            before: None,
            after: None,
        };
        let found = Found { re, hits: seqs.iter().map(hit).collect(), more, behind: 0 };
        Update::Event(Event::Found(found), bytes::Bytes::new())
    }

    /// The search among what was ordered, and how many joins stand before it.
    fn ordered(hunt: &mut Hunt<std::io::Cursor<Vec<u8>>>) -> (usize, Search) {
        let mut orders = std::mem::take(&mut hunt.orders);
        let Some(Command::Search(search)) = orders.pop() else { panic!("no search") };
        assert!(orders.iter().all(|order| matches!(order, Command::Join(_))));
        (orders.len(), *search)
    }

    #[tokio::test]
    async fn every_room_that_is_listed_is_searched_page_by_page() {
        let mut hunt = hunt(3);
        assert_eq!(hunt.hear(online(&["#a", "#b"])).await.unwrap(), None);
        let (joins, first) = ordered(&mut hunt);
        assert_eq!((joins, first.limit, first.before), (2, 3, None));
        // Yesterday is what the parlor's clock says, not ours.
        assert_eq!(first.since.unwrap().to_string(), "2026-11-20T00:00:00.000Z");
        assert_eq!(hunt.hear(found(first.id, &[9, 7], Some(70))).await.unwrap(), None);
        let (joins, second) = ordered(&mut hunt);
        assert_eq!((joins, second.limit, second.before), (0, 1, Some(70)));
        // More than was asked for is not printed.
        assert_eq!(hunt.hear(found(second.id, &[5, 4], Some(40))).await.unwrap(), Some(End::Done));
        assert!(hunt.orders.is_empty());
        assert_eq!(hunt.printed, 3);
    }

    #[tokio::test]
    async fn a_break_asks_again_and_goes_on_where_it_was() {
        let mut hunt = hunt(20);
        hunt.hear(online(&["#a"])).await.unwrap();
        let (_, first) = ordered(&mut hunt);
        hunt.hear(found(first.id, &[9], Some(70))).await.unwrap();
        let (_, lost) = ordered(&mut hunt);
        let offline = Failure { re: lost.id, ..Failure::new(ErrorCode::Offline, "gone") };
        assert_eq!(hunt.hear(Update::Failed(offline)).await.unwrap(), None);
        hunt.hear(online(&["#a"])).await.unwrap();
        let (joins, again) = ordered(&mut hunt);
        assert_eq!((joins, again.before), (0, Some(70)), "the link takes the seats again");
        let refused = Failure { re: again.id, ..Failure::new(ErrorCode::Storage, "no index") };
        assert_eq!(hunt.hear(Update::Failed(refused)).await.unwrap(), Some(End::Failed));
    }

    #[tokio::test]
    async fn a_server_that_goes_round_in_a_circle_is_left() {
        let mut hunt = hunt(20);
        hunt.hear(online(&["#a"])).await.unwrap();
        let (_, first) = ordered(&mut hunt);
        hunt.hear(found(first.id, &[], Some(70))).await.unwrap();
        let (_, second) = ordered(&mut hunt);
        assert_eq!(hunt.hear(found(second.id, &[], Some(70))).await.unwrap(), Some(End::Done));
    }

    #[tokio::test]
    async fn a_line_says_where_when_and_by_whom() {
        let mut hunt = hunt(3);
        let mut said = entry("#rust", 12, "bob", "the build\npassed");
        let indent = " ".repeat("#rust 12 2026-11-21 11:02 bob  ".len());
        assert_eq!(hunt.plain(&said), format!("#rust 12 2026-11-21 11:02 bob  the build\n{indent}passed"));
        said.action = true;
        assert!(hunt.plain(&said).starts_with("#rust 12 2026-11-21 11:02 * bob the build\n"));
        assert!(json(&said).unwrap().contains("\"text\":\"the build\\npassed\""));
        let mut online = online(&["#rust"]);
        let alone = RoomName::direct(&[1, 2].into()).unwrap();
        if let Update::Online { ready, .. } = &mut online {
            let members = vec![ready.you.nick.clone(), nick("bob")];
            let info = RoomInfo { room: alone.clone(), members, ..ready.rooms[0].clone() };
            ready.direct.push(info);
        }
        hunt.hear(online).await.unwrap();
        said.room = alone;
        assert!(hunt.plain(&said).starts_with("@bob 12 2026-11-21"), "{}", hunt.plain(&said));
    }
}
