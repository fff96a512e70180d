//! What lies over the rooms, and what is asked.

use super::finding::Kind;
use super::palette::Palette;
use super::theming::ThemeList;
use crate::protocol::command::RequestId;
use crate::protocol::event::{
    Decision, Earlier, Motd, People, Reactions, RoomInfo, Stats, TicketInfo, Whois,
};
use crate::protocol::name::{Nick, RoomName};
use crate::protocol::ticket::Ticket;

/// What lies over the rooms and takes the keys.
#[derive(Debug)]
pub(crate) enum Overlay {
    /// Keys and commands; rows scrolled.
    Help(usize),
    /// What can be set; rows scrolled.
    Settings(usize),
    /// Who is in a room.
    Who(Who),
    /// How others join this room, perhaps by a ticket; rows scrolled.
    Invite { room: RoomName, ticket: Option<Ticket>, top: usize },
    /// Who somebody is, once the answer has come.
    Whois { asked: RequestId, nick: Nick, answer: Option<Whois>, top: usize },
    /// The invitations that hold, once they have come; rows scrolled.
    Tickets { asked: RequestId, answer: Option<Vec<TicketInfo>>, top: usize },
    /// What the server has counted, once the answer has come; rows scrolled.
    Stats { asked: RequestId, answer: Option<Box<Stats>>, top: usize },
    /// The message of the day, once it has come; rows scrolled.
    Motd { asked: RequestId, answer: Option<Motd>, top: usize },
    /// What was decided.
    Audit(Decisions),
    /// The links in sight.
    Links(Links),
    /// Who reacted to a message, and what it said before.
    About(About),
    /// The rooms that there are, once they have come, and the one chosen.
    Rooms { asked: RequestId, rooms: Option<Vec<RoomInfo>>, chosen: usize },
    /// The themes, of which the chosen one is shown.
    Themes(ThemeList),
    /// A search, and what was found.
    Found(Kind),
    /// Messages that answer each other.
    Thread(Thread),
    /// What one can go to or do.
    Palette(Palette),
}

impl Overlay {
    /// What it waits for.
    pub(crate) fn asked(&self) -> Option<&RequestId> {
        match self {
            Self::Rooms { asked, rooms: None, .. }
            | Self::Whois { asked, answer: None, .. }
            | Self::Tickets { asked, answer: None, .. }
            | Self::Stats { asked, answer: None, .. }
            | Self::Motd { asked, answer: None, .. } => Some(asked),
            Self::Audit(decisions) => decisions.asked.as_ref(),
            Self::Who(who) => who.asked.as_ref(),
            Self::About(about) if about.reactions.is_none() => Some(&about.asked),
            _ => None,
        }
    }
}

/// Who is in a room. Of one that we are in that is known, and the answer says more.
#[derive(Debug)]
pub(crate) struct Who {
    pub(crate) room: RoomName,
    /// The question, while it waits.
    pub(crate) asked: Option<RequestId>,
    pub(crate) answer: Option<People>,
    /// Rows scrolled.
    pub(crate) top: usize,
}

/// The links in sight.
#[derive(Debug)]
pub(crate) struct Links {
    /// Whose they are and where they lead, the newest first; at least one.
    pub(crate) found: Vec<(Nick, String)>,
    /// Which of these is chosen.
    pub(crate) chosen: usize,
}

/// Messages that answer each other; which ones, the room says each time that it is asked.
#[derive(Debug)]
pub(crate) struct Thread {
    pub(crate) room: RoomName,
    /// One of them, by which the others are found.
    pub(crate) of: u64,
    /// The one that is chosen.
    pub(crate) chosen: u64,
    /// Pages of history in which answers are still looked for by themselves.
    pub(crate) pages: u8,
}

/// What there is to know about a message.
#[derive(Debug)]
pub(crate) struct About {
    /// Who said it, and how it begins.
    pub(crate) quote: String,
    /// Who reacted: the question, and the answer once it has come.
    pub(crate) asked: RequestId,
    pub(crate) reactions: Option<Reactions>,
    /// What it said before: the question, where it was changed and the server has not refused to tell, and the answer.
    pub(crate) asked_earlier: Option<RequestId>,
    pub(crate) earlier: Option<Earlier>,
    /// Rows scrolled.
    pub(crate) top: usize,
}

/// What was decided, as far as it has been read: the latest first.
#[derive(Debug)]
pub(crate) struct Decisions {
    /// The page that is being waited for.
    pub(crate) asked: Option<RequestId>,
    pub(crate) read: Vec<Decision>,
    /// There is nothing before it.
    pub(crate) complete: bool,
    /// Rows scrolled.
    pub(crate) top: usize,
}

/// What must be answered before anything else.
#[derive(Debug)]
pub(crate) enum Question {
    /// To leave. `decided`: it was said already, and is done as soon as nothing is lost by it.
    Leave { decided: bool },
    /// Somebody wrote this word alone: was it meant for us or for them?
    Word(String),
    /// Text that was pasted.
    Paste(String),
    /// Text that was pasted and looks like code.
    Code(String),
    /// Whether to take this message back.
    Delete(u64),
    /// By what to react to a message: what was typed of its name, and which of those that fit is chosen.
    React { seq: u64, wanted: String, chosen: usize },
    /// What is searched for in the room in sight: it says so itself, as `Room::search`.
    InRoomSearch,
    /// Looking in what was said before: what is looked for, and the place of what was found.
    Search { wanted: String, found: Option<usize> },
}
