//! The whole screen at the sizes that matter.

use std::time::Duration;

use crate::client::tui::script::{Script, entry};

/// An afternoon in three rooms.
fn conversation(columns: u16, rows: u16) -> Script {
    let mut script = Script::new(columns, rows);
    script.online();
    script.join("#lobby", 7, "Friday: demo at 15:00", &["alice", "bob", "carol", "李雷", "Олена"]);
    for (seq, from, minutes, text) in [
        (1, "carol", -1500, "good evening, everyone"),
        (2, "bob", -80, "did the build pass?"),
        (3, "alice", -79, "yes, in 3 min 👍"),
        (4, "alice", -79, "the log:"),
        (5, "alice", -79, "fn main() {\n    println!(\"hello\");\n}"),
        (6, "李雷", -30, "你好！家里的网络修好了，明天可以一起看演示 👩‍👩‍👧‍👦"),
        (
            7,
            "carol",
            -10,
            "a long line that has to be broken somewhere, because nobody has a terminal that is \
            as wide as what people want to say to each other on a Saturday morning",
        ),
    ] {
        let mut entry = entry("#lobby", seq, from, text);
        entry.at = script.now.time.shifted(minutes * 60_000);
        script.entry(entry);
    }
    script.join("#rust", 0, "", &["alice", "bob"]);
    script.join("#ops", 0, "", &["alice", "carol"]);
    script.join("#lobby", 7, "Friday: demo at 15:00", &["alice", "bob", "carol", "李雷", "Олена"]);
    script.says("#rust", 1, "bob", "edition 2024!");
    script.says("#ops", 1, "carol", "alice: the disk is full again");
    script.pass(Duration::from_secs(60));
    script.says("#lobby", 8, "bob", "Alice, can you look at it?");
    script
}

#[test]
fn look() {
    println!("{}", conversation(120, 36).text());
    println!("{}", conversation(80, 24).text());
    println!("{}", conversation(40, 10).text());
    println!("{}", conversation(1, 1).text());
}
