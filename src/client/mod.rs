//! The client: a link that keeps the conversation whole, and what is built upon it.
//!
//! The link knows the network and no terminal. The screen and the commands for scripts
//! know the link and no socket.

pub mod link;
pub mod tui;
