//! What the fuzz targets check holds for all their seeds: the same functions, without the fuzzer. See `fuzz/README.md`.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../fuzz/src/lib.rs"]
mod checks;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Runs a check over the seeds of its target, and names the one with which it fails.
fn over_the_seeds(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut seeds = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let seed = fs::read(&path).unwrap();
        let checked = catch_unwind(AssertUnwindSafe(|| check(&seed)));
        assert!(checked.is_ok(), "{}", path.display());
        // And what a fuzzer does first: a seed cut short, and a bit in it turned.
        for cut in 0..seed.len() {
            let mut turned = seed.clone();
            turned[cut] ^= 1 << (cut % 8);
            let checked = catch_unwind(AssertUnwindSafe(|| {
                check(&seed[..cut]);
                check(&turned);
            }));
            assert!(checked.is_ok(), "{}, byte {cut}", path.display());
        }
        seeds += 1;
    }
    assert!(seeds >= 10, "{seeds} seeds of {target}");
}

#[test]
fn frames_come_out_as_they_were_framed() {
    over_the_seeds("frame_reader", checks::frame_reader);
}

#[test]
fn commands_are_read_as_they_are_written_and_clean() {
    over_the_seeds("command", checks::command);
}

#[test]
fn events_are_read_as_they_are_written_and_clean() {
    over_the_seeds("event", checks::event);
}

#[test]
fn invites_are_read_as_they_are_written_and_keep_their_secrets() {
    over_the_seeds("invite", checks::invite);
}

#[test]
fn announcements_are_read_as_they_are_written_and_clean() {
    over_the_seeds("announcement", checks::announcement);
}

#[test]
fn nothing_harmful_is_left_in_texts_and_names() {
    over_the_seeds("text", checks::text);
}
