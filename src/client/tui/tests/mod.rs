//! The screen, driven by scripts: keys and news in, screens and effects out. Nothing sleeps.

mod company;
mod connection;
mod direct;
mod finding;
mod folding;
mod history;
mod input;
mod inviting;
mod jumps;
mod long;
mod mouse;
mod multiplexers;
mod order;
mod reading;
mod screens;
mod storm;
mod terminal;
mod texts;
mod unread;
mod widths;
