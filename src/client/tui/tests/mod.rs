//! The screen, driven by scripts: keys and news in, screens and effects out. Nothing sleeps.

mod connection;
mod folding;
mod history;
mod input;
mod inviting;
mod order;
mod screens;
mod storm;
mod terminal;
mod unread;
