//! The screen, driven by scripts: keys and news in, screens and effects out. Nothing sleeps.

mod company;
mod completing;
mod connection;
mod direct;
mod drafts;
mod finding;
mod folding;
mod gallery;
mod history;
mod in_room;
mod input;
mod inviting;
mod jumps;
mod moving;
mod order;
mod reading;
mod reading_mode;
mod screens;
mod settings;
mod storm;
mod terminal;
mod texts;
mod themes;
mod thread;
mod unread;
mod writing;
