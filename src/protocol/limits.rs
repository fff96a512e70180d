//! Every limit of a parlor, in one place, each with its unit and its reason.
//!
//! The constants here hold for every parlor, because both sides must agree on them, or because
//! nobody has a reason to change them. Those that an operator may want to change are the defaults of
//! `[limits]` in the configuration file (`server::config::Limits`), and stand in the second half.
//! Whoever exceeds one gets an error with a name; nobody else notices.

use std::time::Duration;

// --- what both sides agree on ---------------------------------------------------------------

/// Bytes of UTF-8 in one message. A page of prose, or 150 lines of code; more is a file.
pub const TEXT_BYTES: usize = 16 * 1024;

/// Bytes of UTF-8 in a text of one line: a topic, a reason, the sentence of an error.
pub const LINE_BYTES: usize = 1024;

/// Bytes of JSON in one frame from a client. A text doubles at worst when JSON escapes its quotes, and
/// some encoders write every character as `\uXXXX`, which is six bytes for one.
pub const COMMAND_BYTES: usize = 6 * TEXT_BYTES + 4096;

/// Bytes of JSON in one frame from a server. The largest are pages of history and the texts of a message that was edited, which end
/// at [`PAGE_BYTES`] and one more text, and lists, which end at [`LIST_ITEMS`].
pub const EVENT_BYTES: usize = 1024 * 1024;

/// Bytes of UTF-8 in a topic: one line above the talk. Also what keeps a list of rooms within a frame.
pub const TOPIC_BYTES: usize = 300;

/// Columns of a terminal that a nick may take. Wider, and the text beside it starves.
pub const NICK_COLUMNS: usize = 20;

/// Columns of a terminal that a room name may take, after the `#`.
pub const ROOM_COLUMNS: usize = 24;

/// Bytes of UTF-8 in a name. Combining marks take no columns, so columns alone do not bound a name.
pub const NAME_BYTES: usize = 64;

/// Marks that may stand on one letter, in a name and in a text. Vietnamese needs two, Thai three;
/// eight leaves room for scholars and none for towers that climb over the neighbours' lines.
pub const MARKS_ON_A_LETTER: usize = 8;

/// Characters that a passphrase has at least. The four words that a parlor makes have 15 or more.
pub const PASSPHRASE_SHORTEST: usize = 8;

/// Bytes of a passphrase, at most.
pub const PASSPHRASE_BYTES: usize = 256;

/// Bytes of the name of a host, at most: what DNS can carry.
pub const HOST_BYTES: usize = 253;

/// Bytes of a zone behind an IPv6 address. Linux calls its networks by 15 at most; other systems are more generous.
pub const ZONE_BYTES: usize = 32;

/// Bytes in the path of a Unix socket, at most: what Linux takes.
pub const SOCKET_PATH_BYTES: usize = 107;

/// Bytes of an invite. A usual one has 130. Escaped, the longest passphrase takes 768, the longest room 190, the longest
/// path of a socket 321, and all the rest 100: what is longer was not made by a parlor.
pub const INVITE_BYTES: usize = 1536;

/// Bytes of the `id` that a client gives a command. A UUID takes 36.
pub const REQUEST_ID_BYTES: usize = 64;

/// Entries in one page of history, at most. A few screens: a reader who scrolls asks again in time.
pub const PAGE_ENTRIES: u64 = 500;

/// Bytes of JSON after which a page ends early, and after which a writer stops gathering and writes.
pub const PAGE_BYTES: usize = 256 * 1024;

/// Bytes of what a program calls itself, as it is kept beside its connection: one line for those who keep order.
pub const AGENT_BYTES: usize = 64;

/// People or rooms that one list names. The count beside the list is always the whole one.
pub const LIST_ITEMS: usize = 500;

/// Different emoji at one message: what fits under it in a few rows.
pub const REACTIONS_PER_MESSAGE: usize = 20;

/// Times that one message may be edited. Somebody who writes a protocol as they go gets far with it.
pub const EDITS_PER_MESSAGE: usize = 100;

/// People in a room that is only for some, with the one who makes it. More are a room with a name.
pub const DIRECT_PEOPLE: usize = 12;

/// Bytes of UTF-8 in the reason for being away: it stands behind a nick.
pub const AWAY_BYTES: usize = 100;

/// Bytes of UTF-8 in the message of the day: a screen of text. What is longer is not read by those who come in.
pub const MOTD_BYTES: usize = 4096;

/// Bytes of UTF-8 in the words of a search.
pub const SEARCH_BYTES: usize = 256;

/// Messages in one page of what a search found, at most.
pub const SEARCH_HITS: u64 = 50;

/// Bytes of a word that count where texts are searched: longer than words are. What is longer is found by its beginning.
pub const TERM_BYTES: usize = 64;

/// How often a client says at most that somebody is typing.
pub const TYPING_EVERY: Duration = Duration::from_secs(3);

/// How long that counts. Longer than [`TYPING_EVERY`], so that a late word does not make it blink.
pub const TYPING_SHOWN: Duration = Duration::from_secs(6);

/// How often the server asks whether a client is alive.
pub const PING_EVERY: Duration = Duration::from_secs(30);

/// Silence after which either side takes the other for dead: three pings unanswered.
pub const DEAD_AFTER: Duration = Duration::from_secs(90);

// --- the server's own -----------------------------------------------------------------------

/// Presence of a room is gathered for this long and told at once, or a thousand people who come
/// in together would be a million frames.
pub const PRESENCE_EVERY: Duration = Duration::from_millis(100);

/// Time from accept to a valid `hello`. A person's client needs one round trip.
pub const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// Time that a write may stand still before the session ends: a peer that is gone without a word, or
/// that stopped reading for good. A slow one makes progress and is safe.
pub const STALL_TIME: Duration = Duration::from_secs(30);

/// Time that a closing connection is kept for the peer to close its side, after the last word. A socket that
/// is closed with something unread is reset, and a reset takes the last word away from a peer that has not
/// read it yet. One that closes when told so, as any should, is not kept at all.
pub const LINGER_TIME: Duration = Duration::from_secs(1);

/// Time that a shutdown may take in all; what is still open then is cut. Leaves room below the 5 s
/// that a service manager or a person is promised.
pub const SHUTDOWN_TIME: Duration = Duration::from_secs(3);

/// Answers that one connection may be owed. The reader takes no further command before one is
/// written, so a client that never reads its answers stops only itself.
pub const REPLIES_OWED: usize = 256;

/// Bytes of answers that wait for one connection, or one large answer. Two pages: while one is on its way the
/// next can be read from the log. Not counted are the `ok`s of messages, which are small and bounded by number. Without it, a few hundred pages for one who does not read are 64 MiB.
pub const REPLY_BYTES_OWED: usize = 2 * PAGE_BYTES;

/// Messages handed to the log in one go by one connection: what one read brought, at most this many.
pub const SUBMISSION_ENTRIES: usize = 64;

/// Hand-overs that wait for the log's writer. When it is full, readers wait, and so do their senders.
pub const LOG_QUEUE: usize = 1024;

/// Messages in one commit. Beyond this a larger commit gains nothing and the first one waits longer.
pub const COMMIT_ENTRIES: usize = 1024;

/// Batches that a room's channel keeps, which is while somebody in it has not read them. A connection that is
/// further behind reads the log instead, so this costs memory and no messages. An empty place takes 80 bytes, in each room.
pub const CHANNEL_BATCHES: usize = 32;

/// Commits that the log may be ahead of the publisher. When it is that far, it waits.
pub const COMMITS_AHEAD: usize = 64;

/// Bytes of one batch, so that a channel full of them is 8 MiB for a flooded room and not more.
pub const BATCH_BYTES: usize = PAGE_BYTES;

/// Bytes read from the log in one step for a connection that catches up, at least one commit's. Between two steps everyone else
/// has their turn; and one that stops reading in the middle of it holds so much.
pub const CATCH_UP_BYTES: usize = 64 * 1024;

/// Connections that read the log at the same time. Reads are short; more would only fight for the
/// same pages.
pub const LOG_READERS: usize = 3;

/// Rooms that one connection may be in.
pub const ROOMS_PER_SESSION: usize = 50;

/// Commands other than messages that a connection may send at once, and then each second.
pub const COMMAND_BURST: u32 = 60;
/// See [`COMMAND_BURST`].
pub const COMMANDS_PER_SECOND: f64 = 20.0;

/// A sender who is held up for longer than this is told so, once for each time that it comes to it.
pub const DELAY_TOLD_AFTER: Duration = Duration::from_millis(900);

// --- what the parlor knows of people, and the host's decisions --------------------------------

/// People that a parlor knows by their keys. A key costs nothing to make, so there must be an end: with a kilobyte for
/// each this is 100 MiB. Beyond it newcomers are guests.
pub const PEOPLE: usize = 100_000;

/// Names that one person owns. Enough for a nick, its spellings and an old one; too few to take the good names
/// away from others.
pub const NAMES_PER_PERSON: usize = 5;

/// Time without use after which a name may be taken by another, and after which somebody of whom nothing but a key
/// is left is forgotten: one year, so that a summer away costs nobody their name.
pub const NAME_KEPT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Keys of one person, which is devices. More than anyone carries.
pub const KEYS_PER_PERSON: usize = 10;

/// Time in which the code that one device shows can be typed on another. Long enough to fetch the other one.
pub const DEVICE_CODE_TIME: Duration = Duration::from_secs(10 * 60);

/// Wrong codes, whoever types them, after which none of those being shown is valid any more. Of 2^40
/// possible ones a guesser tries so many.
pub const WRONG_CODES: u32 = 5;

/// People and guests that one person ignores. A longer list is work for an operator.
pub const IGNORED: usize = 200;

/// Bans at a time. Against more addresses than this only a passphrase helps.
pub const BANS: usize = 10_000;

/// Mutes at a time. See [`BANS`].
pub const MUTES: usize = 10_000;

/// Rooms with rules of their own: ten times the rooms that a parlor usually has, because rules outlive their room.
pub const ROOMS_RULED: usize = 10_000;

/// People on the list of those who may come into one room: as many as may be in it.
pub const ALLOWED_PER_ROOM: usize = MEMBERS_PER_ROOM;

/// Counted invitations that are valid at the same time. Of one that many may use there need be only one.
pub const TICKETS: usize = 1_000;

/// Rooms that are only for some, in all: ten times the usual number of rooms with a name.
pub const DIRECT_ROOMS: usize = 10_000;

/// Of these those that one person is a member of, beyond which they can make no further one: as many as a list shows them,
/// and one person does not use up all that there may be.
pub const DIRECT_ROOMS_PER_PERSON: usize = LIST_ITEMS;

/// People in a room up to which it is told who is typing: in a larger one somebody always is.
pub const TYPING_TOLD: usize = 50;

/// Entries that are looked at, at most, to count what one has not read: a few milliseconds. Where more follow, the last
/// ones are counted.
pub const COUNTED_ENTRIES: u64 = 10_000;

/// Bytes of these entries, at most, give or take a batch: long ones take 10 ms for each megabyte. 10,000 short ones fit.
pub const COUNTED_BYTES: usize = 4 << 20;

/// How long a join waits for its turn to count what is not read, which is one's at a time: a count is mostly done in a few
/// milliseconds. After that the numbers are left out.
pub const COUNT_WAIT: Duration = Duration::from_millis(250);

/// Searches that are carried out at the same time. Each keeps a processor busy; the others wait their turn.
pub const SEARCHES_AT_ONCE: usize = 2;

/// Time that one search may take, and may wait for its turn before. The usual ones take a few milliseconds; one that looks for what is in everything must
/// not keep the others waiting.
pub const SEARCH_TIME: Duration = Duration::from_secs(2);

/// Searches that a connection may ask for at once, and then each second, beside what holds for all commands: a person who
/// types, with a search after each pause.
pub const SEARCH_BURST: u32 = 20;
/// See [`SEARCH_BURST`].
pub const SEARCHES_PER_SECOND: f64 = 4.0;

/// The index takes up what was said after so long, all at once: each time costs it much, and each message little.
pub const INDEX_EVERY: Duration = Duration::from_millis(250);

/// Bytes of the log that the index takes up in one transaction, and a little more: a few thousand messages, some tenths of a
/// second of work. So long the end of a server waits for it.
pub const INDEX_STEP_BYTES: usize = 1024 * 1024;

/// Rooms of which one session may be owed news that nobody asked for: that somebody calls there, that one has read it
/// elsewhere. Only the newest of each counts, so more are due only to one that does not read, and these it does not get.
pub const NOTES_OWED: usize = 256;

/// Rooms of which it is kept how far one person has read them: four times what one connection may be in. Beyond it the
/// one is forgotten that was read longest ago.
pub const READ_ROOMS: usize = 200;

/// The same of all people together: a thousand who are at home in a thousand rooms, in 100 MB.
pub const READ_POSITIONS: usize = 1_000_000;

/// What people have read is gathered for this long and written at once; a sudden end costs no more than that.
pub const READ_KEPT_EVERY: Duration = Duration::from_secs(1);

/// How long a deleted message may stay in the files when there is time to purge it: many that are deleted together are
/// purged together, for the end of the journal is moved each time.
pub const PURGE_AFTER: Duration = Duration::from_millis(500);

/// How long it may stay there when there is none, because more and more is said.
pub const PURGE_AT_LAST: Duration = Duration::from_secs(5);

/// Deleted messages that the writer of the log looks at in one turn of purging, with 100 edits each: some milliseconds of work.
pub const PURGED_AT_ONCE: usize = 256;

/// How often what has expired is taken out of the log, at least. Whoever counts in days misses an hour less than they would a
/// write each minute.
pub const EXPIRE_EVERY: Duration = Duration::from_secs(60 * 60);

/// It is done so many times in the time for which a room keeps what is said: nothing stays for more than a tenth too long.
pub const EXPIRE_PARTS: u32 = 10;

/// How often it is done at most: the shortest rule is a minute, and the beginning of the room's log is read each time.
pub const EXPIRE_PAUSE: Duration = Duration::from_secs(10);

/// The shortest time for which what is said can be kept: less, and it might be gone before it was read.
pub const KEPT_SHORTEST: Duration = Duration::from_secs(60);

/// The longest time that can be named: a hundred years. More is for ever, which is the default.
pub const KEPT_LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

// --- defaults of what the configuration file can change -------------------------------------

/// Connections in all.
pub const CONNECTIONS: usize = 5_000;
/// Connections from one address (an IPv6 /64 counts as one): a whole class behind one router fits.
pub const CONNECTIONS_PER_ADDRESS: usize = 256;
/// Rooms in all. A room with neither people nor entries is forgotten and does not count.
pub const ROOMS: usize = 1_000;
/// People in one room.
pub const MEMBERS_PER_ROOM: usize = 5_000;
/// Messages that a connection may send at once. Ten lines typed in a hurry, twice.
pub const MESSAGE_BURST: u32 = 20;
/// Messages each second after that. Faster than anyone types; slow enough to read.
pub const MESSAGES_PER_SECOND: f64 = 5.0;
