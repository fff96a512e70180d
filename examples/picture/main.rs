//! Draws what the README shows.
//!
//! `cargo run --example picture` draws a scripted afternoon on the screen, as `assets/parlor.svg`. With `film` behind it,
//! `cargo build && cargo run --example picture film`, it films three people in the real program, each in a
//! pseudo-terminal, as `assets/parlor-film.svg`. A last argument names another file.

mod film;
mod svg;

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use parlor::client::tui::Event;
use parlor::client::tui::script::{Script, entry};

/// Columns and rows of the screen.
const SIZE: (u16, u16) = (100, 28);

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let filmed = arguments.next_if(|argument| argument == "film").is_some();
    let usual = if filmed { "assets/parlor-film.svg" } else { "assets/parlor.svg" };
    let path = arguments.next().unwrap_or_else(|| usual.to_owned());
    let svg = if filmed {
        film::film()?
    } else {
        let mut script = afternoon();
        let (buffer, cursor) = script.screen();
        svg::picture(buffer, cursor, "parlor join 192.168.1.7")?
    };
    if let Some(folder) = Path::new(&path).parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    std::fs::write(&path, svg).with_context(|| format!("cannot write {path}"))
}

/// What there is to see.
fn afternoon() -> Script {
    let people = ["alice", "bob", "carol", "grace", "李雷", "Zoë"];
    let mut script = Script::new(SIZE.0, SIZE.1);
    script.online();
    script.join("#lobby", 8, "Friday: demo at 15:00", &people);
    for (seq, from, minutes, text) in [
        (1, "grace", -1120, "the staging box is back, sorry for the noise"),
        (2, "Zoë", -1118, "thank you! good night everyone 🌙"),
        (3, "bob", -94, "good morning"),
        (4, "bob", -94, "did the build pass?"),
        (5, "alice", -92, "yes, in 3 minutes, all green ✅"),
        (6, "李雷", -61, "早上好！演示放在周五下午三点，可以吗？"),
        (7, "alice", -60, "可以 👍 see you at three, bring cake 🎂"),
        (8, "carol", -12, "this is the whole fix, and it explains everything we saw on Thursday:"),
    ] {
        let mut entry = entry("#lobby", seq, from, text);
        entry.at = script.now.time.shifted(minutes * 60_000);
        script.entry(entry);
    }
    script.join("#rust", 0, "", &["alice", "bob"]);
    script.join("#ops", 0, "", &["alice", "carol"]);
    script.join("#会議室", 0, "", &["alice", "李雷"]);
    script.join("#lobby", 8, "Friday: demo at 15:00", &people);
    for seq in 1..=4 {
        script.says("#rust", seq, "bob", "edition 2024 is in");
    }
    script.says("#ops", 1, "carol", "alice: can you look at the disk?");
    script.feed(Event::Focus(false));
    script.pass(Duration::from_secs(60));
    script.says(
        "#lobby",
        9,
        "carol",
        "match receiver.recv().await {\n    Err(Lagged(_)) => self.read_log(cursor).await?,\n    news => self.deliver(news),\n}",
    );
    script.pass(Duration::from_secs(90));
    script.says("#lobby", 10, "Zoë", "oh, that is neat: falling behind and coming back are the same case");
    script.says("#lobby", 11, "bob", "alice, will you review it? 👩‍💻");
    let mut act = entry("#lobby", 12, "grace", "puts the kettle on ☕");
    (act.action, act.at) = (true, script.now.time);
    script.entry(act);
    script.feed(Event::Focus(true));
    script.write("on it: give me ten minutes");
    script
}
