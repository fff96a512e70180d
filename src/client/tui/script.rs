//! The screen without a terminal and without a network: scripted keys and scripted news go in,
//! screens come out. Tests, measurements and the pictures in the documentation are made with it.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use tokio::time::Instant;
use uuid::Uuid;

use super::event::{Effect, Event, Now};
use super::known_rooms::{KnownRooms, RoomChange};
use super::settings::Settings;
use super::state::inviting::Inviting;
use super::state::{Setup, State};
use super::theme::{Colours, Found, Themes};
use super::{draw, update};
use crate::client::link::{Met, Update};
use crate::protocol::command::Command;
use crate::protocol::event::{
    Allowed, Auth, AuthKind, Entry, EntryKind, EntryText, Event as News, Gap, Okay, Person, Presence, Ready,
    RoomInfo, ServerInfo, SessionInfo, Welcome,
};
use crate::protocol::hex::Hex;
use crate::protocol::invite::Invite;
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::text::Line;
use crate::protocol::time::Time;
use crate::protocol::{self, limits};

/// Saturday, 21 November 2026, 11:02 UTC: when every script begins.
pub const BEGIN: i64 = 1_795_258_920_000;

/// A screen under control of a script.
#[derive(Debug)]
pub struct Script {
    /// What is shown.
    pub state: State,
    /// What time it is in the script.
    pub now: Now,
    /// What came out since it was looked at last.
    pub effects: Vec<Effect>,
    /// What was to be kept of what was written, since it was looked at last.
    pub kept: Vec<Effect>,
    /// What the server was told without anybody's asking since it was looked at last: who writes, and what was read.
    pub passing: Vec<Command>,
    /// What was to be remembered of rooms since it was looked at last.
    pub remembered: Vec<RoomChange>,
    terminal: Terminal<TestBackend>,
    cells: Buffer,
}

#[allow(clippy::expect_used, clippy::missing_panics_doc, reason = "a script knows its own names")]
impl Script {
    /// A screen of so many columns and rows, without a connection, in no room.
    pub fn new(columns: u16, rows: u16) -> Self {
        let now = Now { instant: Instant::now(), time: Time::from_millis(BEGIN) };
        let state = State::new(Setup {
            wished: None,
            settings: Settings::default(),
            known_rooms: KnownRooms::default(),
            inviting: None,
            zone: TimeZone::UTC,
            themes: Themes::new(Found { colours: Colours::Many, ..Found::default() }),
            size: (columns, rows),
            session: Uuid::nil(),
            now,
        });
        let terminal = Terminal::new(TestBackend::new(columns, rows)).expect("memory does not fail");
        Self {
            state,
            now,
            effects: Vec::new(),
            passing: Vec::new(),
            remembered: Vec::new(),
            kept: Vec::new(),
            terminal,
            cells: Buffer::default(),
        }
    }

    /// The same in our own parlor, to which this invite leads.
    #[must_use]
    pub fn hosting(mut self, invite: &str) -> Self {
        let invite: Invite = invite.parse().expect("an invite");
        let locked = invite.passphrase.is_some();
        self.state.inviting = Some(Inviting { invite, locked, hosting: true, announced: false });
        self
    }

    /// The same where the network is told of it.
    #[must_use]
    pub fn announced(mut self) -> Self {
        self.state.inviting.iter_mut().for_each(|inviting| inviting.announced = true);
        self
    }

    /// The same as a guest, who came in by this invite.
    #[must_use]
    pub fn invited(self, invite: &str) -> Self {
        let mut script = self.hosting(invite);
        if let Some(inviting) = &mut script.state.inviting {
            (inviting.hosting, inviting.locked) = (false, true);
        }
        script
    }

    /// Something happens.
    pub fn feed(&mut self, event: Event) {
        for effect in update(&mut self.state, event) {
            match effect {
                Effect::Submit(command @ (Command::Read(_) | Command::Typing(_))) => {
                    self.passing.push(command);
                }
                Effect::Remember(change) => self.remembered.push(change),
                Effect::Recall(_) => {}
                effect @ (Effect::KeepDrafts(..) | Effect::KeepInput(..)) => self.kept.push(effect),
                effect => self.effects.push(effect),
            }
        }
    }

    /// The link says something.
    pub fn news(&mut self, news: Update) {
        self.feed(Event::Link(news));
    }

    /// The server says something.
    pub fn hear(&mut self, news: News) {
        self.news(Update::Event(news, bytes::Bytes::new()));
    }

    /// The connection stands, and we are alice.
    pub fn online(&mut self) {
        let online = self.online_update();
        self.news(online);
        let within = Duration::from_millis(2);
        self.news(Update::Latency { round_trip: Duration::from_millis(2), offset: 0, within });
    }

    /// What the link says when the connection stands.
    pub fn online_update(&self) -> Update {
        let allowed = Allowed {
            text_bytes: limits::TEXT_BYTES,
            frame_bytes: limits::COMMAND_BYTES,
            message_burst: limits::MESSAGE_BURST,
            messages_per_second: limits::MESSAGES_PER_SECOND,
            page_entries: limits::PAGE_ENTRIES,
            rooms_per_session: limits::ROOMS_PER_SESSION,
        };
        let server = ServerInfo { name: Line::lossy("den"), version: Line::lossy("0"), id: Uuid::nil() };
        let (protocol, auth) = (
            protocol::VERSION,
            Auth { kind: AuthKind::Open, challenge: Hex([0; 32]), scrypt: None, pake: None },
        );
        let welcome = Box::new(Welcome { protocol, server, auth, now: self.now.time });
        let (session, you) = (Uuid::nil(), person("alice"));
        let ready = Box::new(Ready {
            session,
            you,
            author: 1,
            rooms: Vec::new(),
            direct: Vec::new(),
            ignored: Vec::new(),
            proof: None,
            key: None,
            motd: None,
            limits: allowed,
        });
        Update::Online { welcome, ready, met: Met::default(), news: None, new_log: false }
    }

    /// What was asked of the server, messages aside, since this was looked at last.
    pub fn asked(&mut self) -> Vec<Command> {
        let asked = self.effects.drain(..).filter_map(|effect| match effect {
            Effect::Submit(Command::Send(_)) => None,
            Effect::Submit(command) => Some(command),
            _ => None,
        });
        asked.collect()
    }

    /// We enter a room of which `last` is the last entry, and find these people there.
    pub fn join(&mut self, room: &str, last: u64, topic: &str, people: &[&str]) {
        update::enter(&mut self.state, room_name(room), &mut self.effects);
        self.joined(room, last, topic, people);
    }

    /// The server lets us into a room: after [`Script::join`], or again after a break.
    pub fn joined(&mut self, room: &str, last: u64, topic: &str, people: &[&str]) {
        let info = RoomInfo {
            room: room_name(room),
            topic: Line::lossy(topic),
            here: people.len(),
            last,
            first: None,
            members: Vec::new(),
        };
        self.hear(News::Ok(Okay { room: Some(info), ..Okay::default() }));
        self.hear(News::Presence(presence(room, people)));
    }

    /// Entries are left out.
    pub fn gap(&mut self, room: &str, from: u64, to: u64) {
        self.hear(News::Gap(Gap { room: room_name(room), from, to }));
    }

    /// An entry comes.
    pub fn entry(&mut self, entry: Entry) {
        self.hear(News::Entry(entry));
    }

    /// Somebody says something now.
    pub fn says(&mut self, room: &str, seq: u64, from: &str, text: &str) {
        let mut entry = entry(room, seq, from, text);
        entry.at = self.now.time;
        self.entry(entry);
    }

    /// Nothing of the rooms that we are in is forgotten, however much it is.
    pub fn keep_everything(&mut self) {
        for room in &mut self.state.rooms {
            room.scrollback.keep(usize::MAX);
        }
    }

    /// The reader goes to the entry `seq` of the room in sight.
    pub fn look_at(&mut self, seq: u64) {
        update::look_at(&mut self.state, seq, &mut self.effects);
    }

    /// Time passes.
    pub fn pass(&mut self, time: Duration) {
        self.now.instant += time;
        self.now.time = self.now.time.shifted(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
        self.feed(Event::Tick(self.now));
    }

    /// These characters are typed.
    pub fn write(&mut self, text: &str) {
        for c in text.chars() {
            self.key(KeyCode::Char(c), KeyModifiers::NONE);
        }
    }

    /// A key is pressed.
    pub fn key(&mut self, code: KeyCode, modifiers: KeyModifiers) {
        self.feed(Event::Key(KeyEvent::new(code, modifiers)));
    }

    /// A key is pressed alone.
    pub fn press(&mut self, code: KeyCode) {
        self.key(code, KeyModifiers::NONE);
    }

    /// The terminal becomes larger or smaller.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.terminal = Terminal::new(TestBackend::new(columns, rows)).expect("memory does not fail");
        self.feed(Event::Resize(columns, rows));
    }

    /// Draws, and no more.
    pub fn paint(&mut self) {
        self.terminal.draw(|frame| draw(&self.state, frame)).expect("memory does not fail");
    }

    /// Draws. Gives the cells and where the cursor is.
    pub fn screen(&mut self) -> (&Buffer, Position) {
        // The frame's own cells: the backend keeps halves of wide characters that a terminal would not.
        let frame = self.terminal.draw(|frame| draw(&self.state, frame)).expect("memory does not fail");
        self.cells.clone_from(frame.buffer);
        (&self.cells, self.terminal.backend().cursor_position())
    }

    /// Draws. Gives the characters, a line for each row.
    pub fn text(&mut self) -> String {
        let (buffer, _) = self.screen();
        let mut text = String::new();
        for y in 0..buffer.area.height {
            let mut row = String::new();
            let mut x = 0;
            while x < buffer.area.width {
                let symbol = buffer[(x, y)].symbol();
                row.push_str(symbol);
                x += u16::try_from(super::wrap::columns(symbol).max(1)).unwrap_or(1);
            }
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text
    }
}

/// A nick that the script knows to be one.
#[allow(clippy::expect_used, clippy::missing_panics_doc, reason = "a script knows its own names")]
pub fn nick(name: &str) -> Nick {
    Nick::new(name).expect("a nick")
}

/// A room name that the script knows to be one.
#[allow(clippy::expect_used, clippy::missing_panics_doc, reason = "a script knows its own names")]
pub fn room_name(name: &str) -> RoomName {
    RoomName::new(name).expect("a room name")
}

/// Somebody with a key of their own.
pub fn person(name: &str) -> Person {
    Person { nick: nick(name), guest: false, role: None, away: None }
}

/// A connection of somebody, from another machine.
pub fn session_info(name: &str, since: Time) -> SessionInfo {
    let address = Some(std::net::IpAddr::from([10, 0, 0, 7]));
    SessionInfo { nick: nick(name), address, agent: Line::lossy("parlor"), since }
}

/// The people of a room.
pub fn presence(room: &str, people: &[&str]) -> Presence {
    Presence {
        room: room_name(room),
        here: people.len(),
        people: Some(people.iter().map(|name| person(name)).collect()),
        joined: Vec::new(),
        left: Vec::new(),
        renamed: Vec::new(),
    }
}

/// A message, stored a second after the one before it.
pub fn entry(room: &str, seq: u64, from: &str, text: &str) -> Entry {
    Entry {
        kind: EntryKind::Message,
        room: room_name(room),
        seq,
        id: Uuid::from_u128(u128::from(seq)),
        at: Time::from_millis(BEGIN).shifted(1000 * i64::try_from(seq).unwrap_or(0)),
        from: nick(from),
        text: EntryText::from_stored(text),
        action: false,
        reply_to: None,
        author: None,
        target: None,
        off: false,
        now: None,
    }
}

/// An entry by which somebody, with what their entries carry as `author`, changes the message `target`.
pub fn change(
    room: &str,
    seq: u64,
    (from, author): (&str, u64),
    kind: EntryKind,
    target: u64,
    text: &str,
) -> Entry {
    Entry { kind, author: Some(author), target: Some(target), ..entry(room, seq, from, text) }
}
