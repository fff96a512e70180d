//! All that the screen knows. Data with one owner; [`super::update()`] changes it, [`super::draw()`]
//! reads it.

pub(crate) mod answered;
pub(crate) mod authors;
pub(crate) mod changes;
pub(crate) mod clock;
pub(crate) mod comings;
pub(crate) mod company;
pub mod completion;
pub mod composer;
pub(crate) mod cuttings;
pub mod drafts;
pub(crate) mod favourites;
pub(crate) mod finding;
pub(crate) mod ignored;
pub(crate) mod in_room;
pub mod input_history;
pub mod inviting;
pub(crate) mod motd;
pub(crate) mod mouse;
pub(crate) mod order;
pub(crate) mod overlay;
pub(crate) mod palette;
pub mod people;
pub(crate) mod reading;
pub mod room;
pub mod scrollback;
pub(crate) mod theming;
pub(crate) mod thread;
pub(crate) mod typing;
mod undoing;
pub(crate) mod wishes;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::tz::TimeZone;
use ratatui::style::Style;
use tokio::time::Instant;
use uuid::Uuid;

use self::authors::Authors;
use self::clock::ServerClock;
use self::company::Company;
use self::completion::Completion;
use self::composer::Composer;
use self::cuttings::Cuttings;
use self::drafts::Drafts;
use self::favourites::Favourites;
use self::finding::Finding;
use self::ignored::Ignored;
use self::input_history::InputHistory;
use self::inviting::Inviting;
use self::motd::Motd;
use self::mouse::Mouse;
use self::order::News;
pub(crate) use self::overlay::{About, Decisions, Links, Overlay, Question, Thread, Who};
use self::room::{Delivery, Room};
use super::event::Now;
use super::keymap::{Action, Keymap};
use super::known_rooms::KnownRooms;
use super::rows::{Columns, Layout};
use super::settings::{Origin, Settings};
use super::slash;
use super::theme::{Theme, Themes};
use crate::protocol::command::RequestId;
use crate::protocol::event::{Allowed, RoomInfo};
use crate::protocol::limits;
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::text::{Line, Text};
use crate::protocol::time::Time;

/// What a state begins with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What we would like to be called.
    pub wished: Option<Nick>,
    /// What was set in earlier sessions.
    pub settings: Settings,
    /// What is remembered of rooms.
    pub known_rooms: KnownRooms,
    /// How others join.
    pub inviting: Option<Inviting>,
    /// In which zone times are shown.
    pub zone: TimeZone,
    /// The looks that there are.
    pub themes: Themes,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// What tells the ids of this session's messages from those of others.
    pub session: Uuid,
    /// When it begins.
    pub now: Now,
}

/// See the module.
#[derive(Debug)]
pub struct State {
    pub(crate) now: Now,
    pub(crate) size: (u16, u16),
    pub(crate) zone: TimeZone,
    /// What everything looks like now.
    pub(crate) theme: Theme,
    pub(crate) themes: Themes,
    /// The name under which `theme` was asked for; empty, where it must be asked for anew.
    pub(crate) theme_shown: String,
    pub(crate) me: Nick,
    /// What our own entries carry as `author`; 0, which is nobody, until the server has said it.
    pub(crate) author: u64,
    pub(crate) authors: Authors,
    pub(crate) company: Company,
    /// Where the settings come from.
    pub(crate) origin: Origin,
    /// Nothing was ever said from here, and nobody has spoken since we came: three lines say how that is done.
    pub(crate) welcome: bool,
    pub(crate) favourites: Favourites,
    /// A nick asked for while there was no connection, or before the first.
    pub(crate) wished: Option<Nick>,
    /// Commands that wait for their answer.
    pub(crate) asked: Vec<Asked>,
    /// Whom we want to hear nothing of: all their names.
    pub(crate) ignored: Ignored,
    /// The code of another device was right: we come in again as whoever we are there.
    pub(crate) relinked: bool,
    /// What the server calls itself; empty until it has.
    pub(crate) server: String,
    pub(crate) inviting: Option<Inviting>,
    pub(crate) connection: Connection,
    /// Why the connection broke and when, until there is one again.
    pub(crate) broken: Option<(String, Time)>,
    /// The server cannot store, says why, and is asked again at this time.
    pub(crate) held: Option<(String, Instant)>,
    pub(crate) round_trip: Option<Duration>,
    /// Since when something of ours waits for an answer and the server has said nothing at all.
    pub(crate) unanswered_since: Option<Instant>,
    pub(crate) clock: ServerClock,
    /// What the host tells those who come in.
    pub(crate) motd: Motd,
    pub(crate) allowed: Option<Allowed>,
    pub(crate) rooms: Vec<Room>,
    /// Which of `rooms` is in sight; 0 when there are none.
    pub(crate) current: usize,
    /// The one before, to go back to when this one is left.
    pub(crate) previous: Option<RoomName>,
    /// Where the way from news to news began, to go back to at its end.
    pub(crate) news_from: Option<RoomName>,
    /// Rooms that the server told of, for completion.
    pub(crate) listed: Vec<RoomInfo>,
    /// The input while we are in no room.
    spare: Composer,
    pub(crate) input_history: InputHistory,
    pub(crate) cuttings: Cuttings,
    pub(crate) drafts: Drafts,
    /// The room for which something is being written in an editor; `Some(None)`: there was none.
    pub(crate) editing: Option<Option<RoomName>>,
    pub(crate) completion: Option<Completion>,
    /// Where a word begins for which nobody wants to be offered anything.
    pub(crate) unwanted: Option<usize>,
    pub(crate) overlay: Option<Overlay>,
    pub(crate) question: Option<Question>,
    pub(crate) finding: Finding,
    pub(crate) notice: Option<Notice>,
    pub(crate) mouse: Mouse,
    /// Whether the side panes were asked for or sent away; `None`: as the width allows.
    pub(crate) rooms_pane: Option<bool>,
    pub(crate) people_pane: Option<bool>,
    /// The terminal has the keyboard's focus: what is on the screen is seen.
    pub(crate) focused: bool,
    /// There is something here that can open a link, on a screen that we are sitting at.
    pub(crate) can_open: bool,
    /// When Esc closed something, if no other key was pressed since.
    pub(crate) escaped: Option<Instant>,
    /// Something that is shown has changed since the last drawing.
    pub(crate) changed: bool,
    session: Uuid,
    /// Ids given out so far.
    given: u16,
}

/// How it stands with the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Connection {
    /// An attempt is under way.
    Connecting,
    Online,
    /// There is none until this time, at least.
    Offline {
        retry_at: Instant,
    },
    /// There will be none any more, and why.
    Ended {
        why: String,
    },
}

/// A command that waits for its answer.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) id: RequestId,
    /// The line that asked it: refused, it comes back to be changed.
    pub(crate) line: String,
    /// What to say once it is done; `None` where that is seen anyway.
    pub(crate) done: Option<String>,
    /// What else is so then.
    pub(crate) then: Option<Then>,
}

/// What is so once something was done that the server says no more about.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    /// The room that is only for some is known, to say this in it.
    Direct(Option<Text>),
    /// We are away, and why, or back again.
    Away(Option<Line>),
    /// Somebody is ignored, or heard again.
    Ignored(Nick, bool),
    /// This device is somebody's, which we shall hear of when we come in again.
    Relinked,
}

/// A sentence for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) text: String,
    pub(crate) bad: bool,
    /// `None`: until something else is said.
    pub(crate) until: Option<Instant>,
}

/// How long a notice stays: time to read two lines.
const NOTICE_TIME: Duration = Duration::from_secs(10);

/// How long an answer of the server may take before the status line says that there is none: longer than
/// any network needs that one can talk over.
const PATIENCE: Duration = Duration::from_secs(3);

impl State {
    /// Nothing known, nothing joined.
    pub fn new(setup: Setup) -> Self {
        Self {
            now: setup.now,
            size: setup.size,
            zone: setup.zone,
            theme: setup.themes.pick_or_auto(&setup.settings.theme),
            themes: setup.themes,
            theme_shown: setup.settings.theme.clone(),
            // Until the server has said who we are, nobody is told anything under this name.
            me: Nick::from_system(""),
            mouse: Mouse { captured: setup.settings.mouse, ..Mouse::default() },
            author: 0,
            authors: Authors::default(),
            company: Company::new(setup.settings, setup.known_rooms),
            origin: Origin::default(),
            welcome: false,
            favourites: Favourites::default(),
            wished: setup.wished,
            asked: Vec::new(),
            ignored: Ignored::default(),
            relinked: false,
            server: String::new(),
            inviting: setup.inviting,
            connection: Connection::Connecting,
            broken: None,
            held: None,
            round_trip: None,
            unanswered_since: None,
            clock: ServerClock::default(),
            motd: Motd::default(),
            allowed: None,
            rooms: Vec::new(),
            current: 0,
            previous: None,
            news_from: None,
            listed: Vec::new(),
            spare: Composer::default(),
            input_history: InputHistory::default(),
            cuttings: Cuttings::default(),
            drafts: Drafts::default(),
            editing: None,
            completion: None,
            unwanted: None,
            overlay: None,
            question: None,
            finding: Finding::default(),
            notice: None,
            rooms_pane: None,
            people_pane: None,
            focused: true,
            can_open: false,
            escaped: None,
            changed: true,
            session: setup.session,
            given: 0,
        }
    }

    /// Whether something that is shown has changed since this was asked last.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// When time alone will change what is shown.
    pub fn deadline(&self) -> Option<Instant> {
        let countdown = self.retry_at().map(|at| {
            let left = at.saturating_duration_since(self.now.instant);
            // At the next whole second before the end.
            let part = Duration::from_nanos(u64::from(left.subsec_nanos()));
            self.now.instant + if part.is_zero() { Duration::from_secs(1) } else { part }
        });
        let silence = self.unanswered_since.map(|since| {
            let whole = Duration::from_secs(self.now.instant.saturating_duration_since(since).as_secs() + 1);
            since + whole.max(PATIENCE)
        });
        let notice = self.notice.as_ref().and_then(|notice| notice.until);
        let typing = self.room().and_then(|room| room.typing.next());
        let search = self.finding.due().filter(|_| self.connection == Connection::Online);
        let soon = countdown.into_iter().chain(silence).chain(notice);
        soon.chain(typing).chain(self.company.read_due).chain(search).chain(self.drafts.due).min()
    }

    /// Whole seconds for which the server has answered nothing, once they are too many.
    pub(crate) fn silence(&self) -> Option<u64> {
        let silence = self.now.instant.saturating_duration_since(self.unanswered_since?);
        (silence >= PATIENCE).then_some(silence.as_secs())
    }

    /// Whether something of ours waits for an answer of the server.
    pub(crate) fn waits_for_an_answer(&self) -> bool {
        let sending = |room: &Room| room.pending.iter().any(|pending| pending.delivery == Delivery::Sending);
        self.connection == Connection::Online
            && self.held.is_none()
            && (self.rooms.iter().any(|room| {
                sending(room)
                    || !room.wishes.is_empty()
                    || room.asked.is_some()
                    || room.quoting.is_some()
                    || room.search.as_ref().is_some_and(|search| search.asked.is_some())
                    || room.entering.is_some()
            }) || !self.asked.is_empty()
                || self.finding.waits()
                || self.overlay.as_ref().is_some_and(|overlay| overlay.asked().is_some()))
    }

    /// What is being counted down to.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        let at = match &self.connection {
            Connection::Offline { retry_at } => *retry_at,
            Connection::Online => self.held.as_ref()?.1,
            _ => return None,
        };
        (at > self.now.instant).then_some(at)
    }

    /// Whole seconds until `at`, begun ones counted.
    pub(crate) fn seconds_until(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.now.instant).as_millis().div_ceil(1000).try_into().unwrap_or(0)
    }

    /// The room in sight.
    pub(crate) fn room(&self) -> Option<&Room> {
        self.rooms.get(self.current)
    }

    /// The room in sight.
    pub(crate) fn room_mut(&mut self) -> Option<&mut Room> {
        self.rooms.get_mut(self.current)
    }

    /// What is being written: each room has its own.
    pub(crate) fn composer(&self) -> &Composer {
        self.room().map_or(&self.spare, |room| &room.composer)
    }

    /// What is being written.
    pub(crate) fn composer_mut(&mut self) -> &mut Composer {
        self.rooms.get_mut(self.current).map_or(&mut self.spare, |room| &mut room.composer)
    }

    /// Remembers what was written, to be written again; but no passphrase.
    pub(crate) fn remember(&mut self, input: &str) {
        if !slash::is_secret(input) && self.input_history.add(input) && self.drafts.parlor.is_some() {
            self.drafts.inputs.push(input.to_owned());
        }
    }

    /// Whether we want to hear nothing of somebody.
    pub(crate) fn is_ignored(&self, nick: &Nick) -> bool {
        self.ignored.contains(nick)
    }

    /// The place of a room that we are in.
    pub(crate) fn place_of(&self, name: &RoomName) -> Option<usize> {
        self.rooms.iter().position(|room| room.name == *name)
    }

    /// The layout of a room in so many columns.
    pub(crate) fn layout<'a>(&'a self, room: &'a Room, width: u16) -> Layout<'a> {
        Layout {
            room,
            me: &self.me,
            author: self.author,
            ignored: &self.ignored,
            company: &self.company,
            zone: &self.zone,
            now: self.server_time().timestamp(),
            inviting: self.inviting.as_ref().filter(|inviting| inviting.hosting && !room.name.is_direct()),
            motd: &self.motd,
            welcome: self.welcome,
            columns: Columns::fit(usize::from(width), room.widest_name, &self.company.settings),
        }
    }

    /// How a name looks: by who it is, as far as that is known, and not by what they are called.
    pub(crate) fn person(&self, author: Option<u64>, nick: &Nick) -> Style {
        match author.or_else(|| self.authors.of(nick)) {
            Some(author) => self.theme.author(author),
            None => self.theme.person(nick.as_str()),
        }
    }

    /// A message in a line: who said it, and how it begins.
    pub(crate) fn quote(&self, room: &Room, seq: u64) -> String {
        self.layout(room, self.size.0).quote(seq)
    }

    /// What the keys do.
    pub(crate) fn keymap(&self) -> &Keymap {
        &self.company.settings.keys
    }

    /// The name of the first key that does this; empty if none does.
    pub(crate) fn key_for(&self, action: Action) -> String {
        self.keymap().key_for(action)
    }

    /// Says something for a while.
    pub(crate) fn say(&mut self, text: impl Into<String>) {
        self.notice(text.into(), false);
    }

    /// Says for a while that something did not work.
    pub(crate) fn complain(&mut self, text: impl Into<String>) {
        self.notice(text.into(), true);
    }

    /// Says something until something else is said or Esc is pressed: it must not pass unread.
    pub(crate) fn announce(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: self.readable(text.into()), bad: false, until: None });
    }

    /// Says that something is not as it was wished, until something is said or Esc is pressed.
    pub(crate) fn insist(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: self.readable(text.into()), bad: true, until: None });
    }

    fn notice(&mut self, text: String, bad: bool) {
        let text = self.readable(text);
        self.notice = Some(Notice { text, bad, until: Some(self.now.instant + NOTICE_TIME) });
    }

    /// An id for a message, a UUID v7: the time, a count, and what tells this session from others.
    pub(crate) fn message_id(&mut self) -> Uuid {
        let millis = u64::try_from(self.now.time.as_millis()).unwrap_or(0);
        let mut rest = [0; 10];
        rest[..2].copy_from_slice(&self.count().to_be_bytes());
        rest[2..].copy_from_slice(&self.session.as_bytes()[8..]);
        uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
    }

    /// An id for a question.
    pub(crate) fn request_id(&mut self) -> RequestId {
        RequestId::from(self.message_id())
    }

    fn count(&mut self) -> u16 {
        self.given = self.given.wrapping_add(1);
        self.given
    }

    /// Bytes that a message may have here.
    pub(crate) fn text_bytes(&self) -> usize {
        self.allowed.map_or(limits::TEXT_BYTES, |allowed| allowed.text_bytes)
    }

    /// What the terminal's window is called: the room, and whether anything waits for us.
    pub(crate) fn title(&self) -> String {
        let waits = match self.news_of(self.rooms.iter()).0 {
            News::Urgent => "! ",
            News::Unread => "* ",
            News::None => "",
        };
        let room = self.room().map(|room| format!("{} · ", room.shown)).unwrap_or_default();
        format!("{waits}{room}parlor")
    }

    /// Whether the parlor is ours, and ends with us.
    fn is_host(&self) -> bool {
        self.inviting.as_ref().is_some_and(|inviting| inviting.hosting)
    }

    /// How many others lose their rooms when we leave: none, unless we host.
    pub(crate) fn others_thrown_out(&self) -> usize {
        if !self.is_host() || !matches!(self.connection, Connection::Online) {
            return 0;
        }
        let known = self.rooms.iter().flat_map(|room| room.people.iter()).map(|person| &person.nick);
        let named: BTreeSet<&str> = known.filter(|nick| **nick != self.me).map(Nick::as_str).collect();
        // Of many only some are known by name, and who sits in two rooms is one.
        let most = self.rooms.iter().map(|room| room.people.here().saturating_sub(1)).max();
        named.len().max(most.unwrap_or(0))
    }

    /// Messages that the server has not stored, in all rooms.
    pub(crate) fn unsent(&self) -> usize {
        self.rooms.iter().map(Room::unsent).sum()
    }
}
