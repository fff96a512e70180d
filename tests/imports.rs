//! The direction of imports: the protocol knows neither side, the sides do not know each other, and what is to be
//! tested without a socket and a clock has neither.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

/// The code of a file: without comments, and without white space, which may stand anywhere in a path.
fn code_of(path: &Path) -> String {
    code_in(&fs::read_to_string(path).unwrap())
}

fn code_in(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect()
}

fn files_below(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    assert!(!files.is_empty(), "nothing in {folder}");
    files
}

fn assert_without(files: &[PathBuf], words: &[&str]) {
    for path in files {
        let code = code_of(path);
        for word in words {
            assert!(!code.contains(word), "{} mentions {word}", path.display());
        }
    }
}

/// Every way to name a top module from inside the library. A group (`crate::{client, …}`) would hide the name.
fn ways_to(module: &str) -> Vec<String> {
    vec![
        format!("crate::{module}"),
        format!("parlor::{module}"),
        // From a side's `mod.rs`; also the end of `super::super::` further down.
        format!("super::{module}"),
        "crate::{".to_owned(),
        "crate::*".to_owned(),
    ]
}

#[test]
fn the_protocol_knows_neither_side() {
    for side in ["server", "client"] {
        let ways = ways_to(side);
        assert_without(&files_below("protocol"), &ways.iter().map(String::as_str).collect::<Vec<_>>());
    }
    // Beside it there is nothing but the crate's root, which `super::super` would reach.
    assert_without(&files_below("protocol"), &["super::super", "tokio::net", "std::net::Tcp", "rusqlite"]);
}

#[test]
fn the_sides_do_not_know_each_other() {
    for (side, other) in [("server", "client"), ("client", "server")] {
        let ways = ways_to(other);
        assert_without(&files_below(side), &ways.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn who_is_here_is_decided_without_sockets_and_clocks() {
    let words = [
        "tokio::net",
        "tokio::io",
        "tokio::time",
        "std::net",
        "std::io",
        "rusqlite",
        ".await",
        "::now()",
        "sleep(",
    ];
    for file in ["hub.rs", "hub/people.rs", "room.rs", "throttle.rs"] {
        let code = code_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server").join(file));
        // Its tests may make up a moment, and wait.
        let own = code.split("#[cfg(test)]").next().unwrap_or_default();
        // What an address is, without what could be done with it.
        let own = own.replace("std::net::IpAddr", "");
        for word in words {
            assert!(!own.contains(word), "{file} mentions {word}");
        }
    }
}

#[test]
fn only_the_log_and_the_tables_know_sqlite() {
    let files: Vec<PathBuf> = files_below("")
        .into_iter()
        .filter(|path| {
            // And what both ask of a file before they use it, what copies the files as they are, and a test that makes those of
            // earlier versions.
            let others = ["server/database.rs", "server/backup.rs", "server/registry/tests/migrating.rs"];
            !others.iter().any(|other| path.ends_with(other))
                && !path.components().any(|part| part.as_os_str() == "log" || part.as_os_str() == "tables")
        })
        .collect();
    assert_without(&files, &["rusqlite"]);
}

#[test]
fn what_is_known_of_people_is_told_the_time() {
    assert_without(
        &files_below("server/registry"),
        &["tokio", "std::net::Tcp", "::now()", "sleep(", ".await"],
    );
}

#[test]
fn the_scan_finds_what_it_looks_for() {
    let server: Vec<PathBuf> = files_below("server");
    let mentions = |word: &str| server.iter().any(|path| code_of(path).contains(word));
    assert!(
        mentions("crate::protocol::") && mentions("tokio::net") && mentions("rusqlite") && mentions(".await")
    );
    assert_eq!(code_in("use crate :: // crate::client\n    server;"), "usecrate::server;");
    for way in ["crate::client::link", "parlor::client", "super::client", "super::super::client::link"] {
        assert!(ways_to("client").iter().any(|known| way.contains(known)), "{way}");
    }
}
