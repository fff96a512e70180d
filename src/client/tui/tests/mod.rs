//! The screen, driven by scripts: keys and news in, screens and effects out. Nothing sleeps.

mod connection;
mod finding;
mod history;
mod input;
mod inviting;
mod jumps;
mod order;
mod screens;
mod storm;
mod terminal;
mod unread;
