//! The client: a link that keeps the conversation whole, and what is built upon it.
//!
//! The link knows the network and no terminal. The screen and the commands for scripts
//! know the link and no socket; only `bench`, which measures, reads and writes sockets that the link has greeted.

pub mod bench;
mod days;
pub mod destination;
pub mod export;
pub mod find;
pub mod identity;
pub mod known_servers;
pub mod lines;
pub mod link;
pub mod moment;
pub mod pipe;
pub mod place;
pub mod qr;
pub mod query;
pub mod say;
pub mod script;
pub mod search;
pub mod secrets;
pub mod seek;
mod store;
pub mod tail;
pub mod tui;

pub use store::StoreError;
