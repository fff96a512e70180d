//! The wire: what the two sides say to each other, and nothing else.
//!
//! This is the bottom of the house. It knows neither side, opens no socket and reads no clock, so
//! every part of it can be tested by itself:
//!
//! | file | what it holds |
//! |---|---|
//! | [`frame`] | a 4-byte length, then JSON: the reader with its cap, and [`frame::Frame`], which only `encode` makes |
//! | [`command`] | client → server |
//! | [`event`] | server → client |
//! | [`words`] | why a command was not done, why a connection ended: the codes that programs go by |
//! | [`emoji`] | which there are, and what people call them |
//! | [`link`] | where the addresses of the web stand in a text |
//! | [`code`] | where code is in a text |
//! | [`mention`] | whether somebody's name is said in a text |
//! | [`query`] | the words of a search, and where they stand in a text |
//! | [`name`] | nicks and room names: what is allowed, what counts as the same, what merely looks the same |
//! | [`query`], [`term`] | the words of a search, and what counts as a word |
//! | [`text`] | text that a terminal can be trusted with |
//! | [`time`] | the one form of a moment on the wire |
//! | [`proof`] | how a client shows that it knows the passphrase, and whose key it holds |
//! | [`pake`] | the same, without giving away anything that words could be tried against |
//! | [`wordlist`] | new passphrases, and fingerprints that people can compare aloud |
//! | [`ticket`] | counted invitations: the secret, and how it is shown |
//! | [`stats`] | what a server counts: one snapshot, for programs and for people |
//! | [`hex`] | bytes of a fixed length, as digits |
//! | [`address`] | where a parlor is: `host:port`, `[v6]:port`, `unix:/path` |
//! | [`announcement`] | what a parlor tells the network of itself, by DNS-SD and by datagrams |
//! | [`invite`] | where it is and how to get in, in one line: `parlor://…` |
//! | [`link`] | where in a text the links are |
//! | [`limits`] | every limit, with its unit and its reason |
//!
//! `docs/protocol.md` specifies the same in words, for those who write a client without our code.

pub mod address;
pub mod announcement;
pub mod code;
pub mod command;
pub mod emoji;
pub mod event;
pub mod frame;
pub mod hex;
pub mod invite;
pub mod limits;
pub mod link;
pub mod mention;
pub mod name;
pub mod pake;
pub mod proof;
pub mod query;
pub mod stats;
pub mod term;
pub mod text;
pub mod ticket;
pub mod time;
pub mod wordlist;
pub mod words;

/// The version of the protocol that this crate speaks.
pub const VERSION: u32 = 1;

/// The TCP port of a parlor, unless someone says otherwise.
pub const DEFAULT_PORT: u16 = 7878;
