//! What a frame costs with a short and with a very long scrollback, at its end and in its middle.
//!
//! Only the rows in sight are laid out, so a million messages should cost what a hundred do. The four
//! cases take turns in one run, so whatever else the machine does meets all of them.
//!
//! `cargo bench --bench screen` runs it; `-- --rounds 200` for more rounds.

#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use crossterm::event::KeyCode;
use parlor::client::tui::script::{Script, entry};

/// Columns and rows of the screen.
const SIZE: (u16, u16) = (120, 36);
/// Messages in the two scrollbacks.
const SHORT: u64 = 100;
const LONG: u64 = 1_000_000;
/// Frames in one measurement.
const FRAMES: u32 = 20;
/// Long scrollbacks may cost this many times what short ones do.
const WITHIN: f64 = 1.2;

fn main() {
    let rounds = rounds().unwrap_or(100);
    let mut cases = [(SHORT, false), (LONG, false), (SHORT, true), (LONG, true)].map(|(messages, middle)| {
        let mut script = room(messages);
        if middle {
            script.look_at(messages / 2);
        }
        (script, Vec::with_capacity(rounds), Vec::with_capacity(rounds))
    });
    for _ in 0..rounds {
        for (script, frames, pages) in &mut cases {
            frames.push(frame(script));
            pages.push(page(script));
        }
    }
    println!("{} x {}, {rounds} rounds, medians", SIZE.0, SIZE.1);
    let [short_end, long_end, short_middle, long_middle] =
        cases.map(|(_, frames, pages)| (median(frames), median(pages)));
    let mut kept = true;
    for (place, short, long) in
        [("at the end", short_end, long_end), ("in the middle", short_middle, long_middle)]
    {
        for (what, short, long) in
            [("a frame", short.0, long.0), ("a page up, down, frames", short.1, long.1)]
        {
            let ratio = long.as_secs_f64() / short.as_secs_f64();
            kept &= ratio <= WITHIN;
            println!(
                "{place:<14} {what:<24} {SHORT} messages {short:>9.1?}   {LONG} messages {long:>9.1?}   ratio {ratio:.2}"
            );
        }
    }
    println!("{}", if kept { "within" } else { "NOT within" }.to_owned() + &format!(" a factor of {WITHIN}"));
}

/// A room in which three people have said so much.
fn room(messages: u64) -> Script {
    let mut script = Script::new(SIZE.0, SIZE.1);
    script.online();
    script.join("#lobby", messages, "Friday: demo at 15:00", &["alice", "bob", "carol", "李雷"]);
    script.keep_everything();
    for seq in 1..=messages {
        let (from, text) = match seq % 5 {
            0 => ("alice", "yes, in three minutes"),
            1 => (
                "bob",
                "did the build pass? I have been looking at it for an hour and cannot see why it should not",
            ),
            2 => ("bob", "**look:**\n```rust\nfn main() {\n    println!(\"hello\");\n}\n```"),
            3 => ("李雷", "你好！家里的网络修好了，明天可以一起看演示 👍"),
            _ => ("carol", "that was quick, thank you all for the help with this"),
        };
        script.entry(entry("#lobby", seq, from, text));
    }
    script
}

/// The time of one frame.
fn frame(script: &mut Script) -> Duration {
    let began = Instant::now();
    for _ in 0..FRAMES {
        script.paint();
    }
    began.elapsed() / FRAMES
}

/// The time of scrolling up and down by a page, each with its frame.
fn page(script: &mut Script) -> Duration {
    let began = Instant::now();
    for key in [KeyCode::PageUp, KeyCode::PageDown] {
        script.press(key);
        script.paint();
    }
    began.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn rounds() -> Option<usize> {
    let mut args = std::env::args().skip_while(|arg| arg != "--rounds").skip(1);
    args.next()?.parse().ok()
}
