//! `parlor export`: all that was said in a room, as it reads now.
//!
//! - It MUST write each entry once, in order, also when the connection breaks in between.
//! - It MUST end where the room ended when it began: a room in which people talk has no other end.
//! - What it writes to a file MUST be whole, or not be there.

mod document;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use jiff::tz::TimeZone;
use tokio::io::AsyncWrite;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::link::{self, Config, Link, Update};
use super::place::{Finding, Place};
use super::script::{End, Output, OutputError, Weather, notice, reader_gone};
use crate::protocol::command::{self, Command, History, RequestId};
use crate::protocol::event::{Entry, ErrorCode, Event, Page, Welcome};
use crate::protocol::limits::PAGE_ENTRIES;
use crate::protocol::name::RoomName;
use crate::protocol::text::escape_json;

use document::Document;

/// What to write, and where.
#[derive(Clone, Debug)]
pub struct What {
    /// The room, or the people with whom it is.
    pub place: Place,
    /// How.
    pub format: Format,
    /// The file; `None`: standard output.
    pub output: Option<PathBuf>,
}

/// How a room is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The wire's own objects, one a line: all entries.
    Json,
    /// A document for people: messages and topics.
    Markdown,
    /// The same as a page for browsers, which needs nothing else.
    Html,
}

/// Writes it, until it is done, nobody reads it, or `ending` is cancelled.
pub async fn run(config: Config, what: What, ending: &CancellationToken) -> End {
    let Some(path) = &what.output else {
        let written = write(config, &what, tokio::io::stdout(), ending).await;
        return written.unwrap_or_else(OutputError::end);
    };
    let failed = |error: io::Error| {
        notice(format!("cannot write to {}: {error}", path.display()));
        End::Failed
    };
    let part = unfinished(path);
    let file = match File::create_new(&part) {
        Ok(file) => OnDisk(file),
        Err(error) => return failed(error),
    };
    let end = match write(config, &what, file, ending).await {
        Ok(End::Done) if !ending.is_cancelled() => match fs::rename(&part, path) {
            Ok(()) => return End::Done,
            Err(error) => failed(error),
        },
        Ok(_) => End::Failed,
        Err(OutputError::Io(error)) => failed(error),
        Err(other) => other.end(),
    };
    if let Err(error) = fs::remove_file(&part) {
        notice(format!("{} is left over: {error}", part.display()));
    }
    end
}

/// Beside a file, the name of what is not whole yet.
fn unfinished(path: &Path) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(format!(".{}.part", Uuid::new_v4().simple()));
    name.into()
}

/// A file that is written where one stands: there is nobody else here who would have to wait.
struct OnDisk(File);

impl AsyncWrite for OnDisk {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.0.write(bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.flush())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

async fn write<W: AsyncWrite + Unpin>(
    config: Config,
    what: &What,
    out: W,
    ending: &CancellationToken,
) -> Result<End, OutputError> {
    let weather = Weather::new(&config);
    let (link, mut updates) = link::open(config);
    let lines = match what.format {
        Format::Json => Lines::Json,
        Format::Markdown => Lines::Document(Document::markdown(TimeZone::system())),
        Format::Html => Lines::Document(Document::html(TimeZone::system())),
    };
    let output = Output::new(out, ending.clone());
    let place = what.place.clone();
    let (finding, room) = Finding::begin(place.clone());
    let mut export = Export {
        place,
        finding,
        room,
        welcome: None,
        lines,
        output,
        weather,
        asked: None,
        begun: false,
        cursor: 0,
        last: None,
    };
    let mut gone = pin!(reader_gone());
    let is_watched = what.output.is_none();
    let end = loop {
        tokio::select! {
            biased;
            update = updates.recv() => {
                let Some(update) = update else { break Ok(End::Failed) };
                match export.hear(update, &link).await {
                    Ok(None) => {}
                    Ok(Some(end)) => break Ok(end),
                    Err(error) => break Err(error),
                }
            }
            () = ending.cancelled() => break Ok(End::Done),
            () = &mut gone, if is_watched => break Ok(End::Done),
        }
    };
    export.tell_progress(None);
    link.quit();
    while let Some(update) = updates.recv().await {
        if matches!(update, Update::Ended { .. }) {
            break;
        }
    }
    end
}

/// What becomes of an entry.
enum Lines {
    Json,
    Document(Document),
}

struct Export<W> {
    place: Place,
    finding: Finding,
    /// Not before it is found.
    room: Option<RoomName>,
    /// Whose room it is, and as it was when: not before there is a connection.
    welcome: Option<Box<Welcome>>,
    lines: Lines,
    output: Output<W>,
    weather: Weather,
    /// The page that was asked for.
    asked: Option<RequestId>,
    /// What comes before the entries was written.
    begun: bool,
    /// The last entry that was written.
    cursor: u64,
    /// The last entry of the room when it began.
    last: Option<u64>,
}

impl<W: AsyncWrite + Unpin> Export<W> {
    /// Takes in one update; says how it ends, if it ends with this.
    async fn hear(&mut self, update: Update, link: &Link) -> Result<Option<End>, OutputError> {
        self.weather.tell(&update);
        match self.finding.hear(&update, |asked| link.submit(asked)) {
            Ok(None) => {}
            Ok(Some(room)) => {
                self.room = Some(room);
                self.go_on(link).await?;
            }
            Err(failure) => {
                notice(failure);
                return Ok(Some(End::Failed));
            }
        }
        match update {
            Update::Online { new_log: true, .. } if self.last.is_some() => {
                notice("this is another log than the one that was being exported: begin again");
                return Ok(Some(End::Failed));
            }
            Update::Online { welcome, .. } => {
                self.welcome.get_or_insert(welcome);
                self.go_on(link).await?;
            }
            Update::Event(Event::Page(page), _) if page.re.is_some() && page.re == self.asked => {
                return self.take(page, link).await;
            }
            // The link asks no question twice; it is asked again once there is a connection.
            Update::Failed(failure) if failure.code == ErrorCode::Offline => {}
            Update::Failed(failure) if self.asked.is_some() && failure.re == self.asked => {
                match (&self.place, failure.code) {
                    (Place::People(_), ErrorCode::NoSuchRoom) => notice("nothing was said there yet"),
                    _ => notice(&failure),
                }
                return Ok(Some(End::Failed));
            }
            Update::Ended { why, .. } => {
                notice(why);
                return Ok(Some(End::Failed));
            }
            _ => {}
        }
        Ok(None)
    }

    /// Asks for the next page, once there is a connection and the room is found.
    async fn go_on(&mut self, link: &Link) -> Result<(), OutputError> {
        let (Some(_), Some(welcome)) = (&self.room, &self.welcome) else { return Ok(()) };
        if !std::mem::replace(&mut self.begun, true)
            && let Lines::Document(document) = &self.lines
        {
            let head = document.head(&self.place.to_string(), &welcome.server.name, welcome.now);
            self.output.line(&head).await?;
        }
        self.ask(link);
        Ok(())
    }

    fn ask(&mut self, link: &Link) {
        let Some(room) = self.room.clone() else { return };
        let id = Some(RequestId::from(Uuid::now_v7()));
        self.asked.clone_from(&id);
        let place = command::Place::After(self.cursor);
        link.submit(Command::History(History { id, room, place, limit: PAGE_ENTRIES }));
    }

    /// Writes a page, and asks for the next one.
    async fn take(&mut self, page: Page, link: &Link) -> Result<Option<End>, OutputError> {
        let last = *self.last.get_or_insert(page.last);
        let is_empty = page.entries.is_empty();
        for entry in page.entries {
            if entry.seq > last || entry.seq <= self.cursor {
                continue;
            }
            if self.cursor > 0 && entry.seq > self.cursor + 1 {
                notice(format!("{} to {} have expired meanwhile", self.cursor + 1, entry.seq - 1));
            }
            self.cursor = entry.seq;
            self.write(&entry).await?;
        }
        self.tell_progress(Some(last));
        if !is_empty && self.cursor < last {
            self.ask(link);
            return Ok(None);
        }
        if let Lines::Document(document) = &self.lines
            && let Some(foot) = document.foot()
        {
            self.output.line(foot).await?;
        }
        self.output.flush().await?;
        Ok(Some(End::Done))
    }

    async fn write(&mut self, entry: &Entry) -> Result<(), OutputError> {
        let line = match &mut self.lines {
            // What the decoder has made of it can be written again.
            Lines::Json => serde_json::to_string(entry).ok().map(|json| escape_json(&json)),
            Lines::Document(document) => document.entry(entry),
        };
        match line {
            Some(line) => self.output.line(&line).await,
            None => Ok(()),
        }
    }

    /// How far it is, for somebody who watches a terminal; `None` takes that away.
    fn tell_progress(&self, last: Option<u64>) {
        let mut terminal = io::stderr();
        if terminal.is_terminal() {
            let told = match last {
                Some(last) => write!(terminal, "\r{} of {last}", self.cursor),
                None => write!(terminal, "\r\x1b[K"),
            };
            // With standard error closed there is nobody to tell.
            drop(told.and_then(|()| terminal.flush()));
        }
    }
}
